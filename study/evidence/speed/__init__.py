"""How fast runs and whole studies are, beside the tutorial loop and Ray Tune."""
