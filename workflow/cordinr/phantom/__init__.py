"""Simulated scans of analytic spines, written as a raw BIDS dataset.

- `anatomy`: the parameters of a spine, its coordinates and distances in it.
- `signal`: the signal as a function of position; `tissues`, `shapes`: the tissues and the geometric
  shapes that it is composed of.
- `scan`, `dataset`: images with the noise of a scanner, and a BIDS dataset of such images.
- `acquired`: a BIDS dataset of displaced scans of thick slices.
"""
