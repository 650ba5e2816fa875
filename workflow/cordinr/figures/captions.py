"""Titles and captions of all figures, for the report and the pages."""

from dataclasses import dataclass

PEAK_SENTENCE = "PSNR's peak is the 99.9th percentile of the reference."
BEST_SENTENCE = "The best INR and the best baseline of an image are those with the highest PSNR."


@dataclass(frozen=True)
class Caption:
    """Title and text beside a figure.

    Attributes:
        title: a few words.
        text: what is drawn, in full sentences.
    """

    title: str
    text: str


CURVES_TEXT = (
    "Above: median over the images, and their quartiles as a band (with fewer than five images, "
    "their range). Below: the same of each image's difference from its own best baseline, which "
    "takes out how much images differ. Bars: the same median from one seed to another, lowest to "
    f"highest. {PEAK_SENTENCE}"
)

CAPTIONS = {
    "outliers": Caption(
        "Outliers first",
        "How far each image lies from the median of all, in robust standard deviations (1.4826 "
        "times the median absolute deviation): PSNR of its best INR, and what that gains over its "
        f"best baseline. Further below than 3.5 is an outlier. {BEST_SENTENCE}",
    ),
    "ablation": Caption("Fourier dimension", f"Quality against Fourier dimension. {CURVES_TEXT}"),
    "sigmas": Caption(
        "Spread of the Fourier frequencies",
        f"Quality against sigma, the spread of the Fourier frequencies. {CURVES_TEXT}",
    ),
    "time": Caption(
        "Quality against time",
        "PSNR against the seconds for fit and rendering of an INR, or for a baseline: one small "
        "point per image and method, one large point at the medians of a method. Seconds of "
        f"different devices do not compare. {PEAK_SENTENCE}",
    ),
    "sites": Caption(
        "Sites",
        "PSNR of the best INR, and what it gains over the best baseline, by the site of the "
        f"subject: a point per image, a bar at the median of the site. {BEST_SENTENCE}",
    ),
}
"""The captions of the figures of all images by the name of the file, in the order of the pages."""

IMAGE_CAPTIONS = {
    "comparison": Caption(
        "Comparison", "reference, views, baselines, the best INR and their errors"
    ),
    "resolution": Caption(
        "Resolution", "the best INR on the grid of the raw image and at finer voxels"
    ),
}
"""The captions of the figures of one image by the end of the file name; texts are noun phrases."""
