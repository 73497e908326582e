"""What kills, damaged databases and many processes at once do to studies."""
