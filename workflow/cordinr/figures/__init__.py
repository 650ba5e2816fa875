"""Pictures: of one image, and of all images together.

- `comparison`, `resolution`: the figures of an image; `panels`, `plane_page`: what they share.
- `ablation`, `timing`, `outliers`, `sites`: the figures of all images; `style`: what they share.
- `residuals`, `coverage`: what a reconstruction without a reference explains, and which scans saw
  what.
- `captions`: titles and captions of both kinds of figures.
"""
