"""A prior learnt from other people: an image that sees more in views than one person shows.

- `features`: what views say, as channels on one grid, whatever their number and kind.
- `network`: from these channels to a correction of total variation and to its standard error.
- `examples`: what the network learns from: crops of references, and what views of them say;
  `random_views`: these views, of many kinds.
- `symmetries`: the 48 ways in which a cube is turned and mirrored, of images and of channels.
- `learning`: the training loop; `patches`: what it draws from the examples; `learning_state`: what
  it writes to go on after a stop.
- `prior_file`: a learnt prior as a file; `known`: what kinds of views it has seen; `shipped`: the
  prior that comes with cordinr, and how priors are called.
- `predict`: the learned image of views; `consistency`: its agreement with them.
- `people`, `folds`: who may be reconstructed with a prior, and which people it is learnt from;
  `scores`: what it is worth to those whom it has not seen.
- `estimates`: memory and time of learning, for schedulers.
"""
