"""What an INR has to beat: interpolation, Tikhonov, total variation."""
