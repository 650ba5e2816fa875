"""How far apart the points of the feature lattices are; here without torch."""

ISOTROPIC_SPACINGS = (32, 16, 8, 4, 2, 1)
"""In units of the finest voxel size of the views."""

SLICE_FRACTIONS = (0.4, 0.8)
"""Spacings across the slices of the lattices shaped like a view; parts of its slice thickness."""
