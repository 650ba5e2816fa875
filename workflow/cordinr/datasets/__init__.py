"""Raw datasets under git, git-annex and DataLad, and the layout of the results.

- `source`, `git`, `remotes`: a dataset that is cloned or used in place.
- `index`, `subjects`, `raw_images`: the images and subjects of a dataset; `scan_sets`: the scans of
  each subject and session.
- `exclusion`, `exclude_file`, `exclude_words`: the subjects and images that `exclude.yml` lists.
- `annex`, `copy`: downloads of annexed content, and checked copies of images and masks.
- `layout`, `run_records`: the paths of the results, and the results as a DataLad dataset.
"""
