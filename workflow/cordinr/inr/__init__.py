"""The method: an implicit neural representation (INR) fitted to thick-slice views.

- `settings`, `estimates`: the choices of a fit, and its memory and time, told before it starts.
- `fit`: a fit from views to an INR; `problem`: what it has to learn; `training`: its loop;
  `budget`: how many steps it may take.
- `network`, `encoding`, `lattices`: the network, and what it sees of a position.
- `point_groups`: which points stand for which voxels of the views.
- `loss`: the error at the views and two terms beside it, which `noise`, `tv_target` and
  `learned_target` prepare;
  `target_image`: an image that a fit knows before it begins, and `splines` through its voxels.
- `adam`, `cuda_graph`, `checkpoint`, `loss_curve`, `sigterm`: the machinery of the training loop.
- `device`, `gpu_lock`: where torch computes, and which of several GPUs a process takes.
- `model_file`, `model_header`: a fitted INR as a file; `render`: its values on any grid.
"""
