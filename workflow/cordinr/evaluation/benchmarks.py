"""Time and memory of each job, as Snakemake's `benchmark:` measured them, in one table."""

from pathlib import Path

import pandas as pd

from ..errors import InputError, first_line

JOB_COLUMNS = ("rule", "folder", "job")
"""Columns that say which job a row is about, from the path of its benchmark file."""


def read_job_costs(folder: Path) -> pd.DataFrame:
    """Read all benchmark files below a folder into one sorted table.

    Args:
        folder: holds <rule>/<folder of the image>/<job>.tsv, as the rules of the workflow name
            them.

    Returns:
        One row per file (and repetition): `rule`, `folder`, `job`, then Snakemake's columns, such
        as `s` (seconds), `max_rss` (MiB) and `cpu_time` (seconds).

    Raises:
        InputError: there is no such file, or one is not of the form that Snakemake writes.
    """
    rows = []
    for path in sorted(folder.glob("*/**/*.tsv")):
        rule, *between, name = path.relative_to(folder).with_suffix("").parts
        try:
            measured = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
            if "s" not in measured:
                raise ValueError("it has no column s")
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path}: is not a benchmark file of Snakemake ({first_line(error)}); remove it."
            ) from error
        job = dict(zip(JOB_COLUMNS, (rule, "/".join(between), name), strict=True))
        rows.append(measured.assign(**job))
    if not rows:
        raise InputError(f"{folder}: holds no benchmarks; run the workflow first.")
    table = pd.concat(rows, ignore_index=True)
    return table[[*JOB_COLUMNS, *table.columns.drop([*JOB_COLUMNS])]]
