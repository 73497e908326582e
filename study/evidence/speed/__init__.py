"""Speed of runs and of whole studies, compared with the tutorial loop and Ray Tune."""
