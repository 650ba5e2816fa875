"""The figures of all images: their titles, and what they show, for the report and the pages."""

from dataclasses import dataclass

PEAK = "PSNR's peak is the 99.9th percentile of the reference."
BEST = "The best INR and the best baseline of an image are those with the highest PSNR."


@dataclass(frozen=True)
class Caption:
    """What stands beside a figure.

    Attributes:
        title: a few words.
        text: what is drawn, in full sentences.
    """

    title: str
    text: str


CURVES = (
    "Above: median over the images, and their quartiles as a band (with fewer than five images, "
    "their range). Below: the same of each image's difference from its own best baseline, which "
    "takes out how much images differ. Bars: the same median from one seed to another, lowest to "
    f"highest. {PEAK}"
)

CAPTIONS = {
    "outliers": Caption(
        "Outliers first",
        "How far each image lies from the median of all, in robust standard deviations (1.4826 "
        "times the median absolute deviation): PSNR of its best INR, and what that gains over its "
        f"best baseline. Further below than 3.5 is an outlier. {BEST}",
    ),
    "ablation": Caption("Fourier dimension", f"Quality against Fourier dimension. {CURVES}"),
    "sigmas": Caption(
        "Spread of the Fourier frequencies",
        f"Quality against sigma, the spread of the Fourier frequencies. {CURVES}",
    ),
    "time": Caption(
        "Quality against time",
        "PSNR against the seconds for fit and rendering of an INR, or for a baseline: one small "
        "point per image and method, one large point at the medians of a method. Seconds of "
        f"different devices do not compare. {PEAK}",
    ),
    "sites": Caption(
        "Sites",
        "PSNR of the best INR, and what it gains over the best baseline, by the site of the "
        f"subject: a point per image, a bar at the median of the site. {BEST}",
    ),
}
"""By the name of the file; in the order in which people should see them."""
