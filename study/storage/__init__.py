"""What is kept of a study and a trial, as typed records: opened, locked, checked, and as CSV."""
