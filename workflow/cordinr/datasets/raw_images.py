"""Images of a raw BIDS dataset, found by pybids, with the BIDS entities of their names."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..annex_pointer import is_annex_pointer
from ..errors import InputError
from .annex import key_size
from .git import is_repository
from .source import check_bids
from .subjects import RAW_IMAGE_PATTERN, name_contradicts_folder

if TYPE_CHECKING:
    import numpy as np

Labels = Mapping[str, Sequence[str]]
"""Labels to select images by: those allowed for each entity, by pybids name such as session or
acquisition. An empty label stands for images without that entity."""


@dataclass(frozen=True)
class RawImage:
    """An image whose name follows BIDS; its content need not be present.

    Attributes:
        path: path below the root of the dataset.
        subject: BIDS label of the subject, without prefix.
        entities: labels of its name by pybids name.
    """

    path: str
    subject: str
    entities: Mapping[str, Any]

    @property
    def stem(self) -> str:
        """Name without folder and extension."""
        return os.path.basename(self.path).partition(".")[0]

    @property
    def exclusion_name(self) -> str:
        """Name without folder, extension and "sub-", as in exclusions."""
        return self.stem.removeprefix("sub-")

    def has(self, labels: Labels) -> bool:
        """Tell whether the image has one of the labels of each entity; 1 and 01 are the same."""
        for name, allowed in labels.items():
            label = str(self.entities.get(name, ""))
            alike = {label, label.lstrip("0")} if label.isdigit() else {label}
            if not any(other in alike or other.lstrip("0") in alike - {""} for other in allowed):
                return False
        return True


def find_raw_images(
    dest: Path, suffix: str, entities: Mapping[str, Collection[str]]
) -> list[RawImage]:
    """Find the images of a suffix, whether or not their content is present.

    Args:
        dest: root of the dataset.
        suffix: suffix of the images, such as T2w.
        entities: pybids names of entities that images will be selected by, for each setting that
            names some.

    Raises:
        InputError: the folder is not a BIDS dataset, or a setting names an unknown entity.
    """
    from bids import BIDSLayout, BIDSLayoutIndexer

    check_bids(dest)
    # All other files are ignored, to save time. BIDS has no files below sub, ses and datatype, and
    # links to parent folders would never end. The database of pybids accepts only UTF-8 names.
    others = re.compile(
        rf"^/(?!sub-)|^(/[^/]+){{5}}|[^ -~]|^(?!.*_{suffix}\.nii(\.gz)?$).*\.[^/]*$"
    )
    indexer = BIDSLayoutIndexer(ignore=[others], index_metadata=False)
    layout = BIDSLayout(dest, validate=False, indexer=indexer)
    known = layout.get_entities()
    for setting, names in entities.items():
        for name in sorted(names):
            if name not in known:
                raise InputError(
                    f"{setting}: the dataset has no '{name}'; use {', '.join(sorted(known))}."
                )
    return [
        RawImage(image.relpath, name_parts["sub"], image.entities)
        for image in layout.get(suffix=suffix, extension=[".nii.gz", ".nii"])
        if (name_parts := RAW_IMAGE_PATTERN.fullmatch(image.relpath))
        and not name_contradicts_folder(image.relpath)
    ]


def describe_labels(labels: Labels) -> str:
    """Describe the labels that images must have, such as ", acquisition ax, run 1 or none"."""
    return "".join(
        f", {name} {' or '.join(label or 'none' for label in allowed)}"
        for name, allowed in labels.items()
    )


def check_content(dest: Path, path: str) -> "np.ndarray | None":
    """Refuse an image whose content cannot be there, or whose header cannot be read.

    Returns:
        Voxel sizes in mm along its three axes; None where its content is still to be got.

    Raises:
        InputError: the key of the annexed file is of 0 bytes; otherwise as for `load_grid`.
    """
    from ..imaging.volume import load_grid

    image = dest / path
    if is_annex_pointer(image) and is_repository(dest):
        if key_size(image) == 0:
            problem = "its git-annex key is of 0 bytes, so there is no image; mend the dataset."
            raise InputError(f"{image}: {problem}")
        return None
    return load_grid(image).voxel_sizes
