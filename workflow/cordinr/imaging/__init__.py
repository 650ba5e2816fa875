"""Images in world millimetres: grids, NIfTI files, planes, other grids.

Knows NumPy and nibabel, and nothing of views, BIDS or networks.
"""
