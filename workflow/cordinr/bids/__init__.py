"""Files as BIDS has them: names, sidecars, metadata, and the images that are read with them.

- `names`, `uris`: entities and labels in file names; BIDS URIs.
- `metadata`: sidecars of raw images; `sidecars`, `description`: those that are written.
- `view_files`: views, read with the geometry of their slices.
- `reference`, `cord_mask`: images that can be a reference, and their cord masks.
"""
