"""What optuna-dashboard shows of a study, and how it is served."""
