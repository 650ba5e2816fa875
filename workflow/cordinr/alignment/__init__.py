"""Where scans really are, and how bright, found before anything is reconstructed.

- `modes`: the entry: `align`, each scan as a whole or its slices as well.
- `rigid`: a pose and a gain for each scan.
- `search`: coarse to fine, by least squares.
- `slices`: a translation for each slice.
- `intensity`: a gain for each slice, and which slices disagree.
- `shading`: smooth differences in brightness.
- `crossings`: lines on which the slices of two scans cross, and what both show there.
- `lines`: the same as numbers to be compared.
- `mask`: where scans are compared.
- `outcome`: what was found, in words, in sidecars, and applied to the scans.
- `pose`: a rigid displacement.
- `itk`: displacements as files that ITK reads.
"""
