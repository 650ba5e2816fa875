"""The reconstruction methods: what they are, how people call them, how figures draw them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A reconstruction method.

    Attributes:
        name: for people.
        description: one sentence, for sidecars.
        colour: in figures, after Okabe and Ito.
        dashes: of its line, as Matplotlib takes them, which tell the methods apart in grey print.
        marker: of its points.
    """

    name: str
    description: str
    colour: str
    dashes: str | tuple[int, tuple[int, ...]]
    marker: str


CLASSICAL = {
    "cubic": Method(
        "Cubic", "Mean of the cubic spline interpolations of the views.", "#009E73", ":", "s"
    ),
    "tikhonov": Method(
        "Tikhonov",
        "Least squares on the views with a penalty on squared first differences.",
        "#D55E00",
        "--",
        "^",
    ),
    "tv": Method(
        "Total variation",
        "Least squares on the views with a penalty on the total variation.",
        "#9C5580",
        "-.",
        "D",
    ),
}
"""The classical methods, by their `desc` label."""

LEARNED = "learned"
"""The `desc` label of what a prior makes of views, and the word for the prior of cordinr itself."""

PRIOR_FREE = ("none", "tv")
"""The words for an INR that nothing draws, and for one that total variation draws."""

BASELINES = CLASSICAL | {
    LEARNED: Method(
        "Learned",
        "Total variation of the views, corrected by a network that learnt from other people, and "
        "made to agree with the views.",
        "#B07A00",
        (0, (5, 1, 1, 1, 1, 1)),
        "v",
    ),
}
"""All methods that an INR is compared with, by their `desc` label."""

INR = Method(
    "INR",
    "Implicit neural representation fitted to the views.",
    "#0072B2",
    "-",
    "o",
)


def method_name(method: str, fourier_dim: float | None) -> str:
    """A method for people: `Total variation`, `INR, F = 128`.

    Args:
        method: as in the table of metrics.
        fourier_dim: of an INR; None or NaN for the other methods.
    """
    if fourier_dim is None or fourier_dim != fourier_dim:
        return BASELINES[method].name if method in BASELINES else method
    return f"{INR.name}, F = {fourier_dim:.0f}"
