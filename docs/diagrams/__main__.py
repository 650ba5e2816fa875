"""Draw the diagrams of docs/method.md: `make diagrams`."""

import matplotlib as mpl

from .effect import profile_or_dimension
from .kspace import k_space
from .network import network
from .profiles import slice_profiles
from .style import STYLE, save
from .views import views

DIAGRAMS = {
    "method-views": views,
    "method-profile": slice_profiles,
    "method-network": network,
    "method-kspace": k_space,
    "method-effect": profile_or_dimension,
}


def main() -> None:
    """Draw all."""
    with mpl.rc_context(STYLE):
        for name, draw in DIAGRAMS.items():
            save(name, draw())


if __name__ == "__main__":
    main()
