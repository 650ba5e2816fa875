import shlex
import shutil
import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

LIBRARY = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(LIBRARY))

from cordinr import __version__
from cordinr.naming import resolution_label


def check_config():
    """Stop with one sentence where the configuration does not fit its schema."""
    schema = yaml.safe_load((LIBRARY / "schemas" / "config.schema.yaml").read_text())
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error:
        where = ".".join(map(str, error.absolute_path)) or "the configuration"
        raise WorkflowError(
            f"config: {where}: {error.message}; see workflow/schemas/config.schema.yaml."
        )


check_config()

# The rules say `cordinr`: the installed command, or the same from a bare checkout.
if not shutil.which("cordinr"):
    beside_python = Path(sys.executable).parent
    found = (beside_python / "cordinr").exists()
    folder = beside_python if found else LIBRARY / "bin"
    shell.prefix(f"export PATH={shlex.quote(str(folder))}:$PATH; ")

SUFFIX = config["dataset"]["suffix"]
CLONE = f"results/sourcedata/{config['dataset']['name']}"
# Which file a job is about stands in the index; a longer index is no reason to do the job again.
INDEX = ancient("results/inputs.tsv")
VIEWS = {name: view for name, view in config["views"].items() if view}
BASELINES = config["baselines"]["methods"]
INRS = expand("inrF{dim}", dim=config["fourier_dims"])
# Of an ensemble also where its members disagree.
SPREAD = "inrF{dim}spread" if config["fit"]["members"] > 1 else []
SPREADS = expand(SPREAD, dim=config["fourier_dims"])
RESOLUTIONS = [resolution_label(mm) for mm in config["voxel_sizes"]]


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?/[a-z]+",
    image=r"sub-[A-Za-z0-9]+(_(?!res-|desc-)[a-z]+-[A-Za-z0-9]+)*",
    dim=r"[1-9][0-9]*",
    kind="reference|cord|truth",


def view_images(extension=".nii.gz"):
    """The views of one image."""
    return expand(
        "results/cordinr/{{folder}}/{{image}}_res-{view}_desc-simulated_{suffix}{extension}",
        view=VIEWS,
        suffix=SUFFIX,
        extension=extension,
    )


def recon_images(label, extension=".nii.gz"):
    """Reconstructions of one image on its own grid; `label` is a desc label or several."""
    return expand(
        "results/cordinr/{{folder}}/{{image}}_desc-{label}_{suffix}{extension}",
        label=label,
        suffix=SUFFIX,
        extension=extension,
    )


def finer_images(label, extension=".nii.gz"):
    """Renderings of one image at the other voxel sizes."""
    return expand(
        "results/cordinr/{{folder}}/{{image}}_res-{res}_desc-{label}_{suffix}{extension}",
        res=RESOLUTIONS,
        label=label,
        suffix=SUFFIX,
        extension=extension,
    )


def indexed():
    """The rows of results/inputs.tsv, once the dataset is cloned and indexed."""
    from cordinr.index import load_index

    return load_index(checkpoints.index.get().output[0])


def row_of(wildcards):
    """The row of the image that a job is about."""
    for row in indexed():
        if (row.folder, row.image) == (wildcards.folder, wildcards.image):
            return row
    raise WorkflowError(f"results/inputs.tsv has no image {wildcards.image}; see dataset.subjects.")


def per_image(patterns):
    """An input function that fills the patterns for every image of the dataset."""

    def fill(wildcards):
        return [
            pattern.format(folder=row.folder, image=row.image)
            for pattern in patterns
            for row in indexed()
        ]

    return fill


def fetched(kind):
    """An input function: the cord mask or the truth of an image, where the dataset has one."""

    def find(wildcards):
        row = row_of(wildcards)
        present = {"cord": row.mask, "truth": row.truth}[kind]
        return f"results/reference/{row.folder}/{row.image}_{kind}.nii.gz" if present else []

    return find


def path_in_dataset(wildcards):
    """The file of the raw dataset that a fetch job is about."""
    row = row_of(wildcards)
    expected = f"{row.folder}/{row.image}_{SUFFIX}.nii.gz"
    return {"reference": row.path or expected, "cord": row.mask, "truth": row.truth}[wildcards.kind]


def options(name, values):
    """A repeatable option of the command line, quoted for the shell."""
    return " ".join(f"{name} {shlex.quote(str(value))}" for value in values)


def metrics_files(wildcards):
    """The metrics of every image and method, and those of renderings that have a truth."""
    files = []
    for row in filter(lambda row: row.path, indexed()):
        start = f"results/metrics/{row.folder}/{row.image}"
        files += expand(f"{start}_desc-{{label}}_metrics.json", label=BASELINES + INRS)
        if row.truth_res in RESOLUTIONS:
            finer = f"{start}_res-{row.truth_res}_desc-{{label}}_metrics.json"
            files += expand(finer, label=INRS)
    return files
