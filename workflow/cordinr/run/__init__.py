"""Snakemake seen from outside: what a run does, did, and could not do."""
