"""Where scans really are, and how bright, found before anything is reconstructed.

- `rigid`: a pose and a gain for each scan.
- `search`: coarse to fine, by least squares.
- `crossings`: lines on which the slices of two scans cross, and what both show there.
- `pose`: a rigid displacement.
- `itk`: displacements as files that ITK reads.
"""
