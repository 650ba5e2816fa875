"""The embedded dataset: analytic spines, scanned into a raw BIDS dataset.

- `anatomy`: the parameters of a spine, its frame and distances in it.
- `signal`: the signal as a function of position; `tissues`, `shapes`: what it is painted with.
- `scan`, `dataset`: voxels with the noise of a scanner, and a BIDS dataset of them.
"""
