"""A table of scores that the tests of several pages share."""

import pandas as pd
import pytest


@pytest.fixture
def table():
    rows = []
    for k in range(5):
        base = {"subject": f"{k}", "session": "", "image": f"sub-{k}", "res": "", "voxel_size": 1.0}
        for method, dim, psnr in (
            ("tv", pd.NA, 30 + k),
            ("cubic", pd.NA, 25 + k),
            ("inr", 64, 31 + k),
        ):
            scores = {"psnr_fov": float(psnr), "ssim_fov": 0.9 + k / 100}
            desc = "inrF64" if method == "inr" else method
            rows.append(base | {"method": method, "fourier_dim": dim, "desc": desc} | scores)
        finer = {
            "method": "inr",
            "fourier_dim": 64,
            "desc": "inrF64",
            "res": "iso05",
            "psnr_fov": 45.0,
            "ssim_fov": 1.0,
        }
        rows.append(base | finer)
        other = finer | {"res": "", "desc": "inrF64seed1", "psnr_fov": 60.0}
        rows.append(base | other)
    table = pd.DataFrame(rows).astype({"fourier_dim": "Int64"})
    return table.assign(problem="", site="")
