"""The layout of results/: where a run keeps what belongs to an image, and its tables and pages."""

from dataclasses import dataclass
from pathlib import Path

from .index import IndexRow


@dataclass(frozen=True)
class ResultPaths:
    """The paths of what a run makes and others look for; the rules of the workflow make them.

    Attributes:
        results: folder of all results.
        suffix: BIDS suffix of the images.
    """

    results: Path
    suffix: str = "T2w"

    @property
    def index(self) -> Path:
        """The list of the images of the dataset."""
        return self.results / "inputs.tsv"

    @property
    def source(self) -> Path:
        """What `cordinr index --describe` says of the raw dataset."""
        return self.results / "source.json"

    @property
    def table(self) -> Path:
        """The table of all metrics."""
        return self.results / "metrics.tsv"

    @property
    def partial_table(self) -> Path:
        """The table of what there is after a run that failed or was stopped."""
        return self.results / "metrics_partial.tsv"

    @property
    def failed(self) -> Path:
        """The list of the images that a run could not finish."""
        return self.results / "failed.tsv"

    @property
    def descriptions(self) -> Path:
        """The `desc` labels of the derivatives dataset, each with its meaning."""
        return self.derivatives / "descriptions.tsv"

    @property
    def derivatives(self) -> Path:
        """The root of the BIDS derivatives dataset, which also holds the pages."""
        return self.results / "cordinr"

    @property
    def records(self) -> Path:
        """The folder of what fits, baselines and renderings cost."""
        return self.results / "records"

    @property
    def logs(self) -> Path:
        """The folder of the logs: one folder per rule, each of which mirrors the dataset."""
        return self.results / "logs"

    def view(self, row: IndexRow, res: str) -> Path:
        """A simulated view of an image, by its `res` label."""
        return self._derived(row, f"res-{res}_desc-simulated")

    def recon(self, row: IndexRow, label: str) -> Path:
        """A reconstruction of an image on its own grid, by its `desc` label."""
        return self._derived(row, f"desc-{label}")

    def reference(self, row: IndexRow, kind: str = "reference") -> Path:
        """The checked copy of an image; of its mask if `kind` is "cord", its truth if "truth"."""
        return self.results / "reference" / row.folder / f"{row.image}_{kind}.nii.gz"

    def record(self, row: IndexRow, label: str, step: str = "fit") -> Path:
        """What the step "fit" (of a baseline: all) or "render" of a reconstruction cost."""
        return self.records / row.folder / f"{row.image}_desc-{label}_{step}.json"

    def metrics(self, row: IndexRow, label: str, res: str = "") -> Path:
        """The metrics of a reconstruction; of a rendering at another voxel size with its `res`."""
        grid = f"_res-{res}" if res else ""
        name = f"{row.image}{grid}_desc-{label}_metrics.json"
        return self.results / "metrics" / row.folder / name

    def figure(self, row: IndexRow, name: str) -> Path:
        """A figure of an image."""
        return self.results / "figures" / row.folder / f"{row.image}_{name}.png"

    def _derived(self, row: IndexRow, entities: str) -> Path:
        return self.derivatives / row.folder / f"{row.image}_{entities}_{self.suffix}.nii.gz"
