"""How large the error of a reconstruction is likely to be, without a reference.

The sum of what the scans disagree about, of their noise, of what their thick slices hide, and of
what the reconstruction does not explain, with weights that were fitted to the true errors of
simulated scans of three people; `benchmarks/trust.py` measures how well the result ranks with the
true errors of other scans, of these and of other people.
"""

import math
from dataclasses import dataclass

DISAGREEMENT_WEIGHT = 0.5
"""Weight of the squared difference of crossing scans beyond their noise."""

NOISE_WEIGHT = 2.4
"""Weight of the variance of the noise."""

DETAIL_WEIGHT = 1.9
"""Weight of the squared detail that thick slices hide."""

RESIDUAL_WEIGHT = 0.9
"""Weight of the squared residual beyond the noise."""

TRUST_SCALE = 0.1
"""Expected error, relative to R, at which the trust is 1/e."""


@dataclass(frozen=True)
class ErrorSources:
    """What an expected error is made of, each relative to R, in the mean over the stacks.

    Attributes:
        disagreement: RMS difference of crossing scans beyond their noise; NaN where none cross.
        noise: standard deviation of the noise.
        detail: RMS of the detail that thick slices hide.
        residual: RMS residual beyond the noise.
    """

    disagreement: float
    noise: float
    detail: float
    residual: float

    @property
    def parts(self) -> dict[str, float]:
        """What each source adds to the squared error, by what it is called in a sentence."""
        return {
            "the scans disagree": DISAGREEMENT_WEIGHT * _square(self.disagreement),
            "the scans are noisy": NOISE_WEIGHT * _square(self.noise),
            "the slices are thick for this anatomy": DETAIL_WEIGHT * _square(self.detail),
            "the image does not explain the scans": RESIDUAL_WEIGHT * _square(self.residual),
        }

    @property
    def main(self) -> str:
        """The source that adds most."""
        return max(self.parts, key=self.parts.__getitem__)

    @property
    def expected_error(self) -> float:
        """Root mean square error to be expected within the body, relative to R."""
        return math.sqrt(sum(self.parts.values()))

    @property
    def trust(self) -> float:
        """A number from 0 to 1 that falls with the expected error."""
        return math.exp(-self.expected_error / TRUST_SCALE)


def _square(value: float) -> float:
    """The square of a number; 0 for NaN."""
    return 0.0 if math.isnan(value) else value**2
