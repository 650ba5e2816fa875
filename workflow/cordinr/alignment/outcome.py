"""What was found about stacks: where they are, how bright, which of their slices to trust."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..acquisition.view import View
from ..imaging.volume import Volume
from .intensity import SliceIntensities
from .pose import Pose
from .shading import Shading

MIN_MOVE_MM = 0.15
"""Movement of the corners of a stack below which it counts as lying where its header puts it."""

MIN_GAIN = 0.01
"""Deviation of the gain of a stack from 1 below which it is not corrected."""


LEAST_DISAGREEMENT = 0.1
"""Median difference of a stack from the others, as a fraction of the intensity, that noise and
interpolation may explain."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where stacks are and how bright.

    Attributes:
        poses: of the stacks.
        gains: by which their intensities have to be divided.
        shadings: smooth factors by which their intensities have to be divided, None for none.
        slices: gains and trust of the slices of each.
        shifts: of each (slices, 3) true world mm by which its slices lie elsewhere than its pose
            puts them, 0 for slices in their place; None for no such slice.
        correlation: of each stack with those that cross it, aligned; NaN where none does.
        correlation_before: the same by the headers.
        fixed: number of the stack that stays.
        problems: why a stack could not be aligned, by its number; it keeps its header's pose.
    """

    poses: tuple[Pose, ...]
    gains: np.ndarray
    shadings: tuple[Shading | None, ...]
    slices: tuple[SliceIntensities, ...]
    shifts: tuple[np.ndarray | None, ...]
    correlation: np.ndarray
    correlation_before: np.ndarray
    fixed: int
    problems: dict[int, str]

    @property
    def is_uneven(self) -> bool:
        """Whether slices have gains of their own or are doubted, or a stack is shaded."""
        return any(each.corrected or each.doubted for each in self.slices) or any(self.shadings)

    def disagreement(self, number: int) -> float:
        """Median difference of a stack from the others, 1 at most; 0 up to `LEAST_DISAGREEMENT`."""
        known = self.slices[number].disagreement
        typical = float(np.nanmedian(known)) if np.isfinite(known).any() else 0.0
        return min(1.0, typical) if typical > LEAST_DISAGREEMENT else 0.0

    def describe(self, number: int) -> str:
        """What was found for a stack, in words."""
        return " ".join([self._describe_place(number), *self._describe_slices(number)])

    def _describe_place(self, number: int) -> str:
        pose = self.poses[number]
        before, after = self.correlation_before[number], self.correlation[number]
        if number == self.fixed or number in self.problems:
            return "stays where its header puts it."
        found = f"gain {self.gains[number]:.2f}; correlation with the others {before:.3f}"
        if pose.is_rest:
            return f"lies where its header puts it, {found}."
        right, front, up = pose.translation
        turns = np.degrees(pose.rotation)
        return (
            f"is displaced by {pose.millimetres:.1f} mm (right {right:+.1f}, anterior "
            f"{front:+.1f}, superior {up:+.1f}) and {pose.degrees:.1f} degrees (about these axes "
            f"{turns[0]:+.1f}, {turns[1]:+.1f}, {turns[2]:+.1f}), {found}, aligned {after:.3f}."
        )

    def _describe_slices(self, number: int) -> list[str]:
        slices, shifts, said = self.slices[number], self.shifts[number], []
        if shifts is not None:
            sizes = np.linalg.norm(shifts, axis=1)
            listed = ", ".join(f"{k} ({sizes[k]:.1f} mm)" for k in np.flatnonzero(sizes))
            said.append(f"Slices that moved against the others, from 0: {listed}.")
        if self.shadings[number] is not None:
            said.append("Its shading is corrected.")
        if slices.corrected:
            listed = ", ".join(f"{k} ({slices.gains[k]:.2f})" for k in slices.corrected)
            said.append(f"Slices with a gain of their own, from 0: {listed}.")
        if self.disagreement(number):
            said.append(f"It differs from the other scans by {self.disagreement(number):.0%}.")
        if slices.doubted:
            listed = ", ".join(
                f"{k} ({'left out' if not slices.trust[k] else f'weight {slices.trust[k]:.1f}'})"
                for k in slices.doubted
            )
            said.append(f"Slices that disagree with the other scans, from 0: {listed}.")
        return said

    def fields(self, number: int) -> dict[str, Any]:
        """What the sidecar of an aligned stack says of its displacement and its slices."""
        pose, slices = self.poses[number], self.slices[number]
        said: dict[str, Any] = {
            "AlignmentRotationCentre": [round(float(mm), 4) for mm in pose.centre],
            "AlignmentRotationVector": [round(float(turn), 7) for turn in pose.rotation],
            "AlignmentTranslation": [round(float(mm), 4) for mm in pose.translation],
            "AlignmentGain": round(float(self.gains[number]), 5),
            "AlignmentCorrelation": _rounded(self.correlation[number]),
            "AlignmentCorrelationBefore": _rounded(self.correlation_before[number]),
        }
        if slices.corrected:
            said["SliceGains"] = [round(float(gain), 4) for gain in slices.gains]
        if slices.doubted:
            said["SliceWeights"] = [round(float(weight), 4) for weight in slices.trust]
        shifts = self.shifts[number]
        if shifts is not None:
            said["SliceTranslations"] = [[round(float(mm), 4) for mm in each] for each in shifts]
        if self.shadings[number] is not None:
            said["ShadingCorrected"] = True
        if self.disagreement(number):
            said["ScanDisagreement"] = round(self.disagreement(number), 4)
        if number in self.problems:
            said["AlignmentProblem"] = self.problems[number]
        return said

    def for_files(self, places: Sequence[tuple[int, int]]) -> "Alignment":
        """The same with the slices counted as in the files, of which padding may be cut off.

        Args:
            places: of each stack the number in its file of its first slice, and the number of
                slices of the file.
        """
        shifts = [
            None
            if each is None
            else np.pad(each, ((first, count - first - len(each)), (0, 0)), mode="edge")
            for each, (first, count) in zip(self.shifts, places, strict=True)
        ]
        slices = [each.padded(*place) for each, place in zip(self.slices, places, strict=True)]
        return replace(self, slices=tuple(slices), shifts=tuple(shifts))

    def failures(self, views: Sequence[View]) -> list[str]:
        """Sentences about the stacks that could not be aligned, which keep their header's pose."""
        return [
            f"{views[number].name}: {problem}; it stays where its header puts it."
            for number, problem in self.problems.items()
        ]

    def apply(self, views: Sequence[View]) -> list[View]:
        """The views, each where it really is, as bright as the fixed one, bad slices marked.

        Slices that moved are told by `View.shifts`.

        A view of which nothing was found to be wrong is returned as it is.
        """
        return [self._apply_to(view, number) for number, view in enumerate(views)]

    def _apply_to(self, view: View, number: int) -> View:
        slices = self.slices[number]
        moved = self.correct(view.volume, view.axis, number)
        if moved is not view.volume:
            view = replace(view, volume=moved)
        if self.shifts[number] is not view.shifts:
            view = replace(view, shifts=self.shifts[number])
        if self.disagreement(number) != view.disagreement:
            view = replace(view, disagreement=self.disagreement(number))
        if slices.doubted:
            lost = np.broadcast_to(view.spread(slices.trust == 0), view.volume.array.shape)
            measured = ~lost if view.measured is None else view.measured & ~lost
            view = replace(
                view,
                trust=np.where(slices.trust == 0, 1.0, slices.trust),
                measured=None if measured.all() else measured,
            )
        return view

    def correct(self, volume: Volume, axis: int, number: int) -> Volume:
        """The image of a stack where it really is, its intensities corrected.

        Args:
            volume: the image.
            axis: across its slices.
            number: of the stack.
        """
        pose, shading, slices = self.poses[number], self.shadings[number], self.slices[number]
        if pose.is_rest and self.gains[number] == 1 and not slices.corrected and shading is None:
            return volume
        moved = volume if pose.is_rest else pose.move_volume(volume)
        factor = np.full(moved.grid.shape, np.float32(self.gains[number]))
        shape = [-1 if each == axis else 1 for each in range(3)]
        factor *= slices.gains.astype(np.float32).reshape(shape)
        if shading is not None:
            for block, centres in moved.grid.blocks():
                factor.reshape(-1)[block] *= shading.factor(centres).astype(np.float32)
        return Volume(moved.array / factor, moved.grid)


def _rounded(number: float) -> float | None:
    return round(float(number), 4) if np.isfinite(number) else None
