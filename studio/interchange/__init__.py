"""Sessions as DAWs keep them: one timeline, and a reader and a writer for each format."""
