"""Ways of searching and of training, compared: what the claims of the README are measured with."""
