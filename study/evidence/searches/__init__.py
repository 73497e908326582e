"""Ways of searching, compared on recorded or live workloads."""
