"""Snakemake seen from outside: what a run does, did, and could not do.

- `configuration`: every setting of a run: type, bounds, default and meaning; `input_settings`:
  those of what it begins with; `setting_types`: types that several have; `plain_schema`: their
  schema as people would write it.
- `progress`, `summary`: where a run is, and what it did, from its logs.
- `failures`, `remainder`: images that failed, and a second run for what does not need them.
- `cost_meter`: seconds and memory of a step.
- `snakemake_internals`, `snakemake_log`, `slurm`: the parts and the log of Snakemake on which all
  this depends; Slurm jobs that a run left behind.
"""
