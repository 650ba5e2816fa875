"""Measurements that are no tests, one module per question: `make bench`."""
