"""What suggests the next schedules."""
