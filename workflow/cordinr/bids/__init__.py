"""BIDS file names, sidecars and metadata, and the images that are read together with them.

- `names`, `uris`: entities and labels in file names, and BIDS URIs.
- `metadata`: reading the sidecars of raw images; `sidecars`, `description`: writing those of
  derived images and of their dataset.
- `view_files`: reading views together with their slice geometry; `alignment_fields`: what an
  alignment wrote into their sidecars.
- `reference`, `cord_mask`: images that can serve as a reference, and their cord masks.
"""
