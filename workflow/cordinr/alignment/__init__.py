"""Where stacks of real scans are, and how bright, found before anything is reconstructed.

pose       a rigid displacement
crossings  lines on which the slices of two stacks cross, and what both show there
rigid      poses and gains of all stacks
itk        transforms as files
"""
