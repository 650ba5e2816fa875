"""Layout of results/: paths of the files of each image, and of the tables and pages of a run."""

from dataclasses import dataclass
from pathlib import Path

from .index import IndexRow


@dataclass(frozen=True)
class ResultPaths:
    """Paths of the results that the rules of the workflow write and the pages and tables read.

    Attributes:
        results: path of the folder of all results.
        suffix: BIDS suffix of the images.
    """

    results: Path
    suffix: str = "T2w"

    @property
    def index(self) -> Path:
        """Path of the list of the images of the dataset."""
        return self.results / "inputs.tsv"

    @property
    def source(self) -> Path:
        """Path of the description of the raw dataset that `cordinr index --describe` writes."""
        return self.results / "source.json"

    @property
    def table(self) -> Path:
        """Path of the table of all metrics."""
        return self.results / "metrics.tsv"

    @property
    def checks(self) -> Path:
        """Path of the table of what is known without a reference, in a run on acquired scans."""
        return self.results / "checks.tsv"

    @property
    def partial_table(self) -> Path:
        """Path of the table of the metrics so far, after a run that failed or was stopped."""
        return self.results / "metrics_partial.tsv"

    @property
    def failed(self) -> Path:
        """Path of the list of the images that a run could not finish."""
        return self.results / "failed.tsv"

    @property
    def descriptions(self) -> Path:
        """Path of the table of the `desc` labels of the derivatives and their meanings."""
        return self.derivatives / "descriptions.tsv"

    @property
    def derivatives(self) -> Path:
        """Root of the BIDS derivatives dataset, which also holds the pages."""
        return self.results / "cordinr"

    @property
    def records(self) -> Path:
        """Folder of the time and memory that fits, baselines and renderings took."""
        return self.results / "records"

    @property
    def logs(self) -> Path:
        """Folder of the logs: one folder per rule, each of which mirrors the dataset."""
        return self.results / "logs"

    def view(self, row: IndexRow, res: str) -> Path:
        """Path of a simulated view of an image, by its `res` label."""
        return self._derived(row, f"res-{res}_desc-simulated")

    def recon(self, row: IndexRow, label: str) -> Path:
        """Path of a reconstruction of an image on the grid of the image, by its `desc` label."""
        return self._derived(row, f"desc-{label}")

    def reference(self, row: IndexRow, kind: str = "reference") -> Path:
        """Path of the checked copy of an image, of its mask ("cord") or of its truth ("truth")."""
        return self.results / "reference" / row.folder / f"{row.image}_{kind}.nii.gz"

    def record(self, row: IndexRow, label: str, step: str = "fit") -> Path:
        """Path of the costs of a reconstruction: its step "fit" (a whole baseline) or "render"."""
        return self.records / row.folder / f"{row.image}_desc-{label}_{step}.json"

    def metrics(self, row: IndexRow, label: str, res: str = "") -> Path:
        """Path of the metrics of a reconstruction; `res` names the voxel size of a rendering."""
        grid = f"_res-{res}" if res else ""
        name = f"{row.image}{grid}_desc-{label}_metrics.json"
        return self.results / "metrics" / row.folder / name

    def check(self, row: IndexRow, label: str) -> Path:
        """Path of what is known of a reconstruction without a reference, by its `desc` label."""
        return self.results / "checks" / row.folder / f"{row.image}_desc-{label}_check.json"

    def figure(self, row: IndexRow, name: str) -> Path:
        """Path of a figure of an image."""
        return self.results / "figures" / row.folder / f"{row.image}_{name}.png"

    def _derived(self, row: IndexRow, entities: str) -> Path:
        return self.derivatives / row.folder / f"{row.image}_{entities}_{self.suffix}.nii.gz"
