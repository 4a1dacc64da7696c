"""A chain of effects as a plugin: written in C++, built, and verified in other people's hosts."""
