"""Random input for every reader of files."""
