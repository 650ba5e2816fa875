"""How good a reconstruction is: metrics, and the table of all of them.

- `metrics`, `regions`: PSNR, SSIM and NRMSE, and the regions over which they are taken.
- `identity`: which reconstruction a file is.
- `table`, `aggregate`, `best`: the table of all metrics, how it is gathered, and the best of it.
- `checks`: the table of what is known without a reference.
- `failed`, `benchmarks`: images that could not be finished; time and memory of each job.
"""
