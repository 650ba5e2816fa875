"""Isotropic spinal cord MRI from two thick-slice views, by implicit neural representation."""

__version__ = "0.11.0"
