"""How a scanner makes thick slices: the one forward model.

- `profile`: how the signal is weighted across a slice.
- `view`: a stack of thick slices, with its slice profile.
- `forward`: the forward model as a sparse matrix, from the voxels of a volume to those of a view.
- `simulate`: views that are simulated from a volume.
- `noise`: how noisy a view is.
- `overlap`, `domain`: what views cover together, and where an INR is fitted and rendered.
- `coarsening`: views and grids of coarser voxels, where finer ones would cost too much.
- `scan_words`: what scans were taken for, in words.
- `labels`, `shape_interpolation`: segmentations carried from slices to other grids and back.
- `slice_geometry`, `gaps`: what sidecars say about slices, and what was never measured.
"""
