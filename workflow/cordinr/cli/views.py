"""What the verbs that reconstruct from views share; without torch, which takes a second to load."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..acquisition import View
from ..derivatives import read_view
from ..metadata import carried, metadata_of


def load_views(paths: Sequence[Path]) -> list[View]:
    """The views, each assumption about their slices said on stderr."""
    views = []
    for path in paths:
        view, note = read_view(path)
        if note:
            print(f"note: {note}", file=sys.stderr)
        views.append(view)
    return views


def view_metadata(views: Sequence[View]) -> dict[str, Any]:
    """What the sidecar of a reconstruction says of its views: what they share, their profiles."""
    profiles = [f"{view.profile.shape}, {view.profile.thickness:g} mm" for view in views]
    shared = carried([metadata_of(Path(view.name)) for view in views])
    return shared | {"ViewProfiles": profiles}
