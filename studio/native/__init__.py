"""The C++ in which exported plugins are written: how chains are held together, and a shell for each format."""
