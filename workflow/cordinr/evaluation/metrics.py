"""How good a reconstruction is: PSNR, SSIM and NRMSE over stated regions, defined once."""

from collections.abc import Mapping

import numpy as np
import scipy
import skimage

REGIONS = ("fov", "fg", "cord")
"""Every voxel that all views cover; those of them in the body; those in the spinal cord."""

SSIM_WINDOW = 7

FOREGROUND_FRACTION = 0.1
"""The body is where the smoothed reference exceeds this part of R."""

FOREGROUND_SMOOTHING_MM = 2.0


def intensity_range(reference: np.ndarray) -> float:
    """R of section 4: the 99.9th percentile of the reference."""
    return float(np.percentile(reference, 99.9))


def psnr(image: np.ndarray, reference: np.ndarray, region: np.ndarray, peak: float) -> float:
    """10 log10(peak^2 / mean squared error over the region), in dB."""
    error = np.mean((image[region].astype(float) - reference[region]) ** 2)
    return float(10 * np.log10(peak**2 / error)) if error else float("inf")


def nrmse(image: np.ndarray, reference: np.ndarray, region: np.ndarray) -> float:
    """Root mean squared error over the region, over the reference's root mean square there."""
    truth = reference[region].astype(float)
    return float(np.sqrt(np.mean((image[region] - truth) ** 2) / np.mean(truth**2)))


def ssim_map(image: np.ndarray, reference: np.ndarray, peak: float) -> np.ndarray:
    """Local structural similarity (Wang et al. 2004), 7-voxel uniform window, data range `peak`."""
    window = min(SSIM_WINDOW, *(n - 1 + n % 2 for n in reference.shape))
    return skimage.metrics.structural_similarity(
        image.astype(float), reference.astype(float), win_size=window, data_range=peak, full=True
    )[1]


def foreground(reference: np.ndarray, voxel_sizes: np.ndarray) -> np.ndarray:
    """The body without the air around and inside it; bool array.

    Args:
        reference: the reference image.
        voxel_sizes: (3,) mm.
    """
    smooth = scipy.ndimage.gaussian_filter(
        reference.astype(np.float32), FOREGROUND_SMOOTHING_MM / np.asarray(voxel_sizes)
    )
    return smooth > FOREGROUND_FRACTION * intensity_range(reference)


def evaluate(
    image: np.ndarray, reference: np.ndarray, regions: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """All figures of one reconstruction; it is never rescaled to the reference.

    Args:
        image: the reconstruction, on the grid of the reference.
        reference: what it should be.
        regions: name to bool array; empty regions are left out.

    Returns:
        `psnr_<region>` in dB, `ssim_<region>`, `nrmse_<region>`, and `psnr_original`,
        `ssim_original` of the original study's protocol.
    """
    peak = intensity_range(reference)
    similarity = ssim_map(image, reference, peak)
    figures = {}
    for name, region in regions.items():
        if region.any():
            figures[f"psnr_{name}"] = psnr(image, reference, region, peak)
            figures[f"ssim_{name}"] = float(similarity[region].mean())
            figures[f"nrmse_{name}"] = nrmse(image, reference, region)
    return figures | original_protocol(image, reference)


def original_protocol(image: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """PSNR and SSIM as the original study computed them; for comparison with it alone.

    Each image is min-max scaled inside the reference's minimum-threshold mask, the background is
    zeroed, and the whole box counts. This flatters: a mask that keeps almost nothing gives a box of
    equal zeros. Empty where the histogram has no minimum between two peaks.
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
