"""Sessions in and out of DAWs: one timeline, and a writer or reader for each format."""
