"""The files of `bad_inputs.py`: each function gives one that makes them in a folder."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

Make = Callable[[Path], object]

SHAPE = (12, 12, 12)


def nothing(folder: Path) -> None:
    pass


def voxels(dtype: str = "f4") -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 100, SHAPE).astype(dtype)


def nifti(array: np.ndarray | None = None, version: int = 1, **fields: object) -> bytes:
    """A NIfTI file, its header's fields set to anything at all."""
    header = nib.Nifti1Header() if version == 1 else nib.Nifti2Header()
    array = voxels() if array is None else array
    header.set_data_shape(array.shape)
    header.set_data_dtype(array.dtype)
    header.set_sform(np.eye(4), code=1)
    header["vox_offset"] = header.single_vox_offset
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + bytes(4) + array.tobytes(order="F")


def content(name: str, data: bytes) -> Make:
    return lambda folder: (folder / name).write_bytes(data)


def text(name: str, words: str) -> Make:
    return content(name, words.encode())


def header(**fields: object) -> Make:
    """bad.nii with such fields in its header."""
    return content("bad.nii", nifti(**fields))


def image(array: np.ndarray, affine: np.ndarray | None = None) -> Make:
    """bad.nii.gz of such voxels."""
    made = nib.Nifti1Image(array, np.eye(4) if affine is None else affine)
    return lambda folder: nib.save(made, folder / "bad.nii.gz")


def link(name: str, target: str) -> Make:
    return lambda folder: (folder / name).symlink_to(target)


def unreadable(folder: Path) -> None:
    (folder / "bad.nii").write_bytes(nifti())
    (folder / "bad.nii").chmod(0)


def sidecar(**fields: object) -> Make:
    """A good view bad.nii.gz with such fields in its sidecar."""
    return sidecar_text(json.dumps(fields))


def sidecar_text(words: str | bytes) -> Make:
    def make(folder: Path) -> None:
        (folder / "bad.nii.gz").write_bytes((folder / "axial.nii.gz").read_bytes())
        (folder / "bad.json").write_bytes(words.encode() if isinstance(words, str) else words)

    return make


def sidecar_link(folder: Path) -> None:
    """As in a dataset in which everything is annexed."""
    sidecar_text("{}")(folder)
    (folder / "bad.json").unlink()
    (folder / "bad.json").symlink_to(".git/annex/objects/SHA256E-s7--abc.json")


def inherited(**fields: object) -> Make:
    """A BIDS dataset of one thick scan, such fields at its root."""

    def make(folder: Path) -> None:
        scan = folder / "bids/sub-1/anat/sub-1_T2w.nii.gz"
        scan.parent.mkdir(parents=True)
        scan.write_bytes((folder / "axial.nii.gz").read_bytes())
        (folder / "bids/dataset_description.json").write_text("{}")
        (folder / "bids/T2w.json").write_text(json.dumps(fields))

    return make


def copied(name: str) -> Make:
    """The axial view under another name."""
    return lambda folder: (folder / name).write_bytes((folder / "axial.nii.gz").read_bytes())


def pair(first: str, second: str) -> Make:
    """Both views under other names."""

    def make(folder: Path) -> None:
        for view, name in (("axial", first), ("sagittal", second)):
            for end in (".nii.gz", ".json"):
                new = name.replace(".nii.gz", end)
                (folder / new).write_bytes((folder / f"{view}{end}").read_bytes())

    return make


def without_orientation(folder: Path) -> None:
    view = nib.load(folder / "axial.nii.gz")
    bare = nib.Nifti1Image(view.get_fdata(dtype="f4"), None)
    bare.header.set_zooms(view.header.get_zooms())
    bare.header["qform_code"] = bare.header["sform_code"] = 0
    nib.save(bare, folder / "bad.nii.gz")


def padding(folder: Path) -> None:
    """A view of which one voxel in twenty is left, as after a resampling."""
    view = nib.load(folder / "axial.nii.gz")
    array = view.get_fdata(dtype="f4")
    array[:, 1:] = np.nan
    nib.save(nib.Nifti1Image(array, view.affine), folder / "bad.nii.gz")


def thick_alike(folder: Path) -> None:
    """Another scan with slices along the axis of the axial view."""
    view = nib.load(folder / "axial.nii.gz")
    nib.save(nib.Nifti1Image(view.get_fdata(dtype="f4") + 1, view.affine), folder / "bad.nii.gz")


def large_sidecar(folder: Path) -> None:
    sidecar_text("{}")(folder)
    os.truncate(folder / "bad.json", 1 << 34)  # a hole: no disk is used


def moved_view(folder: Path) -> None:
    view = nib.load(folder / "axial.nii.gz")
    affine = view.affine.copy()
    affine[:3, 3] += 400
    nib.save(nib.Nifti1Image(view.get_fdata(dtype="f4"), affine), folder / "bad.nii.gz")


def isotropic_view(folder: Path, **fields: object) -> None:
    nib.save(nib.Nifti1Image(voxels(), np.eye(4)), folder / "bad.nii.gz")
    if fields:
        (folder / "bad.json").write_text(json.dumps(fields))


def changed_model(change: Callable[[dict, dict], object]) -> Make:
    """The good model with its header (a dict) and tensors (by name) changed."""

    def make(folder: Path) -> None:
        from safetensors import safe_open
        from safetensors.torch import save_file

        from cordinr.inr.model_file import FORMAT

        with safe_open(folder / "model.safetensors", framework="pt") as stored:
            header = json.loads(stored.metadata()[FORMAT])
            tensors = {name: stored.get_tensor(name).clone() for name in stored.keys()}  # noqa: SIM118
        change(header, tensors)
        text = json.dumps(header)
        save_file(tensors, folder / "bad.safetensors", metadata={FORMAT: text})

    return make


def model_header(**changes: object) -> Make:
    """The good model, values at dotted places of its header replaced; None takes a key away."""

    def change(header: dict, tensors: dict) -> None:
        for place, value in changes.items():
            *path, last = place.split("__")
            inner = header
            for key in path:
                inner = inner[key]
            if value is None:
                del inner[last]
            else:
                inner[last] = value

    return changed_model(change)


def tensor(name: str, change: Callable) -> Make:
    return changed_model(lambda header, tensors: tensors.update({name: change(tensors[name])}))


def other_safetensors(metadata: dict[str, str] | None) -> Make:
    def make(folder: Path) -> None:
        import torch
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(3)}, folder / "bad.safetensors", metadata=metadata)

    return make


def pickled(folder: Path) -> None:
    """A checkpoint as torch.save writes it."""
    import torch

    torch.save({"weights": torch.zeros(3)}, folder / "bad.safetensors")


def cut(name: str, source: str, bytes_less: int) -> Make:
    return lambda folder: (folder / name).write_bytes((folder / source).read_bytes()[:-bytes_less])


def mask(array: np.ndarray) -> Make:
    """bad.nii.gz on the grid of image.nii.gz."""

    def make(folder: Path) -> None:
        affine = nib.load(folder / "image.nii.gz").affine
        nib.save(nib.Nifti1Image(array, affine), folder / "bad.nii.gz")

    return make


def metrics(**changes: object) -> Make:
    """metrics.json of the good run with such changes, as bad.json; None takes a key away."""

    def make(folder: Path) -> None:
        row = json.loads((folder / "metrics.json").read_text()) | changes
        row = {key: value for key, value in row.items() if value is not None}
        (folder / "bad.json").write_text(json.dumps(row))

    return make


def table(change: Callable[[str], str]) -> Make:
    """table.tsv of the good run, changed, as bad.tsv."""
    return lambda folder: (folder / "bad.tsv").write_text(
        change((folder / "table.tsv").read_text())
    )


def odd_recon(folder: Path) -> None:
    (folder / "bad.nii.gz").write_bytes((folder / "image.nii.gz").read_bytes())
    (folder / "bad.json").write_text('{"Method": "inr", "FourierDimension": [8]}')
