"""What an INR has to beat: reconstructions without a network.

- `reconstruct`: a volume from views by cubic interpolation, Tikhonov or total variation.
- `straightened`: stacks whose slices moved, for interpolation.
- `interpolation`: voxels between those of the grid, and how sharp they are.
- `differences`: first differences of a volume and their adjoint.
- `tikhonov`, `total_variation`: the solvers.
- `weights`: of the penalties, as the noise asks for.
"""
