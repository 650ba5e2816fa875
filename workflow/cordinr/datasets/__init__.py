"""Raw datasets under git, git-annex and DataLad, and the layout of the results.

- `source`, `git`, `remotes`: a dataset, cloned or used in place.
- `index`, `subjects`: which images it has, and of whom.
- `exclusion`, `exclude_file`, `exclude_words`: whom its `exclude.yml` leaves out.
- `annex`, `copy`: content, fetched and copied out, with checks.
- `layout`, `run_records`: where results lie, and results as a DataLad dataset.
"""
