"""What is stored about a study and its trials, as typed records: opened, locked, checked, and written as CSV."""
