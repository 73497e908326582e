"""What this project's own claims are measured with; nothing of the product imports it."""
