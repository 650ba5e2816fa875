"""Measurements, which are not tests; one module per question: `make bench`."""
