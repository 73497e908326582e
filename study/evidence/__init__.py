"""Measurements behind this project's own claims; the rest of the package does not import it."""
