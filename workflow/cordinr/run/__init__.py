"""Snakemake seen from outside: what a run does, did, and could not do.

- `progress`, `summary`: where a run is, and what it did, from its logs.
- `failures`, `remainder`: images that failed, and a second run for what does not need them.
- `cost_meter`: seconds and memory of a step.
- `scheduler_patch`, `slurm`: how often the scheduler looks at jobs; jobs that a run left behind.
"""
