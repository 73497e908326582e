"""Where cohorts run: in this process, in worker processes, or looked up in a table of recorded runs."""
