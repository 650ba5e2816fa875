"""What do scans of the size that clinics make cost, alignment included?

Scans by splines of a real image of the cohort, mirrored at its ends where it is too small: `pair`,
a sagittal one of 384 x 384 x 16 voxels of 0.7 x 0.7 x 3.3 mm and an axial one of 320 x 320 x 30 of
0.5 x 0.5 x 4 mm; `spine`, two such sagittal and three such axial ones, one below the other with
some overlap; `stack`, a sagittal one of 256 x 320 x 19 alone. All but the first are displaced by up
to 4 mm and 3 degrees, axial ones are tilted by 8 degrees and 1.4 times as bright. Noise is 2 % of
the 99.9th percentile. `cordinr reconstruct` runs as a user calls it. PSNR: against the image, over
what two directions see, of a single stack over what it sees. Options: cases, `default`, `fast` or
`best`, and a folder, with a slash in its name, where scans are kept and found again.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage

from cordinr.evaluation.metrics import psnr
from cordinr.files import write_json
from cordinr.imaging.body import intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, load_unchecked, load_volume, save_volume
from tests.helpers.scans import displacement, scan

from .alignment import COHORT
from .markdown import end, heading, row, say

SUBJECT = "sub-errsm22"
NOISE = 0.02
GAIN = 1.4
TILT = 8.0
MAX_MM, MAX_DEGREES = 4.0, 3.0
"""Largest length of a translation, and largest angle of a rotation."""

PRESETS = ("default", "fast", "best")


@dataclass(frozen=True)
class Stack:
    """A stack of slices; lengths in mm.

    Attributes:
        name: of its file.
        axis: R or S, across the slices.
        shape: voxels in the plane, and slices.
        in_plane: voxel size in the plane.
        thickness, spacing: of the slices, and from one to the next.
        above: where its middle is, above that of the image.
    """

    name: str
    axis: str
    shape: tuple[int, int, int]
    in_plane: float
    thickness: float
    spacing: float
    above: float = 0.0


def _sagittal(name: str, above: float = 0.0) -> Stack:
    return Stack(name, "R", (384, 384, 16), 0.7, 3.0, 3.3, above)


def _axial(name: str, above: float = 0.0) -> Stack:
    return Stack(name, "S", (320, 320, 30), 0.5, 3.5, 4.0, above)


CASES = {
    "pair": (_sagittal("sag"), _axial("ax")),
    "stack": (Stack("sag", "R", (256, 320, 19), 0.7, 3.0, 3.3),),
    "spine": (
        *(_sagittal(f"sag{k + 1}", above) for k, above in enumerate((110.0, -110.0))),
        *(_axial(f"ax{k + 1}", above) for k, above in enumerate((105.0, 0.0, -105.0))),
    ),
}


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds on the clock, seconds of CPU, and the most memory in MB."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def run(options: Sequence[str], device: torch.device) -> None:
    """Make the scans that are not there yet, reconstruct them, and print what that took."""
    source = COHORT / SUBJECT / "anat" / f"{SUBJECT}_T2w.nii.gz"
    if not source.exists():
        say(f"There are no images at {COHORT}.")
        return
    image = _upright(load_volume(source))
    cases = [case for case in CASES if case in options] or list(CASES)
    presets = [preset for preset in PRESETS if preset in options] or ["default", "fast"]
    heading("scans", "preset", "wall s", "CPU s", "MB", "PSNR")
    with _folder(options) as folder:
        for case in cases:
            scans = make_scans(image, case, folder)
            for preset in presets:
                output = folder / f"{case}-{preset}" / "volume.nii.gz"
                cost = reconstruct(scans, output, preset, device)
                row(
                    *(case, preset, f"{cost.seconds:.0f}", f"{cost.cpu_seconds:.0f}"),
                    *(f"{cost.megabytes:.0f}", f"{_psnr(output, image, len(scans)):.2f}"),
                )
    end()


@contextlib.contextmanager
def _folder(options: Sequence[str]) -> Iterator[Path]:
    """The folder among the options, or one that is removed at the end."""
    named = [option for option in options if "/" in option]
    if named:
        yield Path(named[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def make_scans(image: Volume, case: str, folder: Path) -> list[Path]:
    """Write the scans of a case with their sidecars, unless they are there; returns their paths.

    A sidecar is written after its image, so that an image without one is not complete.
    """
    paths = []
    for number, stack in enumerate(CASES[case]):
        path = folder / case / f"{stack.name}.nii.gz"
        paths.append(path)
        sidecar = path.with_name(f"{stack.name}.json")
        if sidecar.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        shape, size = np.array(stack.shape), (stack.in_plane, stack.in_plane, stack.spacing)
        middle = image.grid.centre + np.array([0, 0, stack.above])
        # Half the diagonal, so that no tilt or displacement reaches the end.
        near = mirrored(image, middle, np.linalg.norm(shape * size) / 2 + MAX_MM)
        axial = stack.axis == "S"
        view = scan(
            near,
            stack.axis,
            thickness=stack.thickness,
            spacing=stack.spacing,
            in_plane=stack.in_plane,
            tilt=TILT if axial else 0.0,
            moved=_pose(near.grid.centre, number) if number else None,
            gain=GAIN if axial else 1.0,
            noise=NOISE,
            seed=number,
            shape=stack.shape,
        )
        save_volume(path, view.volume.array, view.volume.grid)
        fields = {"SliceThickness": stack.thickness, "SpacingBetweenSlices": stack.spacing}
        write_json(sidecar, fields | {"SliceEncodingDirection": "k"})
    return paths


def _pose(centre: np.ndarray, seed: int) -> np.ndarray:
    """(4, 4) a displacement of about `MAX_MM` and `MAX_DEGREES` by chance."""
    rng = np.random.default_rng(seed)
    turn, shift = rng.normal(size=(2, 3))
    return displacement(
        centre,
        MAX_DEGREES * rng.uniform(0.5, 1) * turn / np.linalg.norm(turn),
        MAX_MM * rng.uniform(0.5, 1) * shift / np.linalg.norm(shift),
    )


def mirrored(image: Volume, centre: np.ndarray, reach: float) -> Volume:
    """An image that goes on as its own mirror image at each end, cut out around a place.

    Args:
        image: with array axes along R, A and S.
        centre: (3,) world mm.
        reach: mm that are kept on each side of it.
    """
    middle = np.rint(image.grid.index(centre)).astype(int)
    count = np.ceil(reach / image.grid.voxel_sizes).astype(int)
    picks = []
    for size, start, stop in zip(image.grid.shape, middle - count, middle + count + 1, strict=True):
        place = np.arange(start, stop) % (2 * size)
        picks.append(np.minimum(place, 2 * size - 1 - place))
    array = np.ascontiguousarray(image.array[np.ix_(*picks)])
    return Volume(array, image.grid.cropped(middle - count, np.array(array.shape)))


def reconstruct(scans: Sequence[Path], output: Path, preset: str, device: torch.device) -> Cost:
    """Run `cordinr reconstruct` in a process of its own; exits with its words where it fails."""
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cordinr", "reconstruct", *map(str, scans), "-o", str(output)]
    command += ["--device", device.type, *([] if preset == "default" else [f"--{preset}"])]
    log = output.with_name("log.txt")
    started = time.perf_counter()
    with log.open("w") as words:
        process = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _psnr(output: Path, image: Volume, scans: int) -> float:
    """PSNR of a volume against the image, where two directions see, or where one stack does."""
    volume = load_volume(output)
    seen = load_unchecked(output.with_name("volume_coverage.nii.gz")).array
    reach = np.linalg.norm(np.ptp(volume.grid.corners, axis=0)) / 2
    near = mirrored(image, volume.grid.centre, reach)
    coefficients = ndimage.spline_filter(near.array, order=3, mode="mirror", output=np.float32)
    truth = np.empty(volume.grid.size, np.float32)
    for block, centres in volume.grid.blocks():
        index = near.grid.index(centres).T
        truth[block] = ndimage.map_coordinates(coefficients, index, order=3, prefilter=False)
    peak = intensity_range(image.array)
    region = seen >= min(scans, 2)
    return psnr(volume.array, truth.reshape(volume.grid.shape), region, peak)


def _upright(image: Volume) -> Volume:
    """The image with its array axes along R, A and S."""
    turned = nib.as_closest_canonical(nib.Nifti1Image(image.array, image.grid.affine))
    array = np.ascontiguousarray(turned.get_fdata(dtype=np.float32))
    return Volume(array, Grid(array.shape, turned.affine))
