"""How good a reconstruction is: PSNR, SSIM and NRMSE over stated regions, defined once."""

from collections.abc import Mapping

import numpy as np
import skimage

from ..imaging.body import intensity_range

SSIM_WINDOW = 7
"""Edge of the cubic window of SSIM, in voxels."""


def psnr(image: np.ndarray, reference: np.ndarray, region: np.ndarray, peak: float) -> float:
    """Compute 10 log10(peak^2 / mean squared error over the region), in dB."""
    error = np.mean((image[region].astype(float) - reference[region]) ** 2)
    return float(10 * np.log10(peak**2 / error)) if error else float("inf")


def nrmse(image: np.ndarray, reference: np.ndarray, region: np.ndarray) -> float:
    """Compute the RMS error over the region, relative to the RMS of the reference there."""
    truth = reference[region].astype(float)
    return float(np.sqrt(np.mean((image[region] - truth) ** 2) / np.mean(truth**2)))


def ssim_map(image: np.ndarray, reference: np.ndarray, peak: float) -> np.ndarray:
    """Compute the local structural similarity (Wang et al. 2004) in a uniform window.

    Args:
        image: the reconstruction.
        reference: what it should be, on the same grid.
        peak: the data range.

    Returns:
        An array like the images. The window is smaller than `SSIM_WINDOW` where an axis is shorter.
    """
    window = min(SSIM_WINDOW, *(n - 1 + n % 2 for n in reference.shape))
    return skimage.metrics.structural_similarity(
        image.astype(float), reference.astype(float), win_size=window, data_range=peak, full=True
    )[1]


def evaluate(
    image: np.ndarray, reference: np.ndarray, regions: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Compute all metrics of one reconstruction, which is never rescaled to the reference.

    Args:
        image: the reconstruction, on the grid of the reference.
        reference: what it should be.
        regions: label to bool array; empty regions are left out.

    Returns:
        `psnr_<region>` in dB, `ssim_<region>`, `nrmse_<region>`, and `psnr_original`,
        `ssim_original` of the original study's protocol.
    """
    peak = intensity_range(reference)
    similarity = ssim_map(image, reference, peak)
    metrics = {}
    for name, region in regions.items():
        if region.any():
            metrics[f"psnr_{name}"] = psnr(image, reference, region, peak)
            metrics[f"ssim_{name}"] = float(similarity[region].mean())
            metrics[f"nrmse_{name}"] = nrmse(image, reference, region)
    return metrics | original_protocol(image, reference)


def original_protocol(image: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Compute PSNR and SSIM as the original study did; for comparison with it alone.

    Each image is min-max scaled inside the reference's minimum-threshold mask, the background is
    zeroed, and the whole box counts. This flatters: a mask that keeps almost nothing gives a box of
    equal zeros.

    Returns:
        `psnr_original` in dB and `ssim_original`; empty where the histogram of the reference has no
        minimum between two peaks.
    """
    try:
        mask = reference > skimage.filters.threshold_minimum(reference)
    except RuntimeError:
        return {}
    if not mask.any():
        return {}

    def scaled(array: np.ndarray) -> np.ndarray:
        low, high = float(array[mask].min()), float(array[mask].max())
        return np.where(mask, (array - low) / max(high - low, 1e-12), 0.0)

    ours, truth = scaled(image), scaled(reference)
    everywhere = np.ones(reference.shape, bool)
    return {
        "psnr_original": psnr(ours, truth, everywhere, 1.0),
        "ssim_original": float(ssim_map(ours, truth, 1.0).mean()),
    }
