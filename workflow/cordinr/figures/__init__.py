"""Pictures: of one image, and of all images together.

- `comparison`, `resolution`: the figures of an image; `panels`, `plane_page`: what they share.
- `ablation`, `timing`, `outliers`, `sites`: the figures of all images; `style`: what they share.
- `residuals`, `coverage`: what a reconstruction explains of its scans, and who saw what, where there
  is no reference.
- `captions`: titles and captions of both kinds of figures.
"""
