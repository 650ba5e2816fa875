"""Images in world millimetres. Knows NumPy and nibabel, and nothing of views, BIDS or networks.

- `grid`: where the voxels of an image are in the world.
- `volume`: an image, loaded, checked and saved; `nifti`, `nifti_output`: headers read and written.
- `masks`, `measured`: segmentations, and which voxels of a scan were measured.
- `body`: how bright an image is, and where in it the body is.
- `planes`, `resampling`: an image in a plane, and on another grid.
"""
