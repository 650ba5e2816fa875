"""The configuration, and the options of the command line that follow from it. No rules."""

import inspect
import math
import os
import shlex
import shutil
import sys
from functools import lru_cache
from os.path import dirname
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

# The folder of this file. Not workflow.basedir: in a module it is that of the workflow that uses it.
# Every other part of Snakemake without documentation is read in cordinr.run.snakemake_internals,
# which cannot be imported before its folder is known.
RULES = Path(getattr(workflow, "current_basedir", f"{workflow.basedir}/workflow/rules"))
LIBRARY = RULES.parent
sys.path.insert(0, str(LIBRARY))

from cordinr import __version__
from cordinr.bids.names import (
    VARIANT_PATTERN,
    inr_label,
    resolution_label,
    variant_labels,
    variant_setting,
)
from cordinr.datasets.git import is_repository
from cordinr.datasets.index import load_index
from cordinr.datasets.layout import ResultPaths
from cordinr.errors import InputError
from cordinr.evaluation.failed import FIGURES as LACKS_FIGURES
from cordinr.evaluation.failed import METRICS as LACKS_METRICS
from cordinr.evaluation.failed import save_failed
from cordinr.figures.captions import CAPTIONS, IMAGE_CAPTIONS
from cordinr.run.configuration import check_configuration
from cordinr.run.failures import failed_images, images_left_out
from cordinr.run.remainder import run_second, second_run
from cordinr.run.slurm import cancel_left_jobs
from cordinr.run.snakemake_internals import (
    find_start_folder,
    holds_lock,
    is_silent,
    is_whole,
    limit_reevaluation_timers,
    print_note,
    read_outcome,
    read_pathvars,
    runs_jobs_itself,
    uses_conda,
)


def fill_config():
    """Give every setting that is not set its default.

    `configfile:` does it where Snakemake runs from the checkout, but not for a module.
    """
    with open(workflow.source_path("../../config.yaml")) as stream:
        defaults = yaml.safe_load(stream)
    update_config(defaults, config)
    config.update(defaults)


def check_config():
    """Stop with one sentence where the configuration does not fit its models or itself."""
    try:
        check_configuration(config)
    except InputError as error:
        raise WorkflowError(str(error)) from error
    source = Path(config["dataset"]["source"]).expanduser()
    if config["results"]["datalad"] and source.is_dir() and not is_repository(source):
        raise WorkflowError(
            f"config: results.datalad: {source} is a plain folder without versions to go back to; "
            "take a DataLad dataset or set it to false."
        )


fill_config()
check_config()

# The rules say `cordinr`: the installed command, or the same from a bare checkout. In a conda
# environment it has to be the latter, as the former would run outside of it. A prefix replaces
# Snakemake's own, which is bash's strict mode.
strict = "set -euo pipefail;"
beside_python = Path(sys.executable).parent
if uses_conda(workflow):
    shell.prefix(f"{strict} export PATH={shlex.quote(str(LIBRARY / 'bin'))}:$PATH; ")
elif not shutil.which("cordinr"):
    installed = (beside_python / "cordinr").exists()
    folder = beside_python if installed else LIBRARY / "bin"
    # Behind all others, for git-annex.
    search = f"{shlex.quote(str(folder))}:$PATH:{shlex.quote(str(beside_python))}"
    shell.prefix(
        f"{strict} export CORDINR_PYTHON={shlex.quote(sys.executable)}; export PATH={search}; "
    )

# A parameter of every rule whose results depend on the library, so that a new version of it makes
# them anew. A person raises the version when results change; a hash of the sources would redo hours
# of fits for a word in a docstring. After an edit without a new version, --forcerun does it.
LIBRARY_VERSION = __version__

SUFFIX = config["dataset"]["suffix"]
FIT_SETTINGS = "<results>/cordinr/code/fit.yaml"
DATALAD = config["results"]["datalad"]
# The images that failed in the run before: none, but in the second run after such a one.
FAILED = images_left_out()
# The index says which file a job is about; a longer index does not make the job run again.
INDEX = ancient("<results>/inputs.tsv")
VIEWS = {name: view for name, view in config["views"].items() if view and name != "acquired"}
# The scans of each slice direction, by their entities; where there are some, no view is simulated.
ACQUIRED = config["views"].get("acquired") or []
BASELINES = config["baselines"]["methods"]
INRS = [inr_label(dim) for dim in config["fourier_dims"]]
VARIANTS = variant_labels(
    config["fourier_dims"], config["fourier_sigmas"], config["seeds"], config["fit"]
)
# What the page of acquired scans shows, beginning with the INR of most Fourier dimensions.
PAGE_ORDER = [inr_label(dim) for dim in sorted(config["fourier_dims"], reverse=True)] + BASELINES
NIIVUE = LIBRARY / "report/viewer/node_modules/@niivue/niivue/dist/niivue.umd.js"
RESOLUTIONS = [resolution_label(mm) for mm in config["voxel_sizes"]]
FIGURES = [name for name in IMAGE_CAPTIONS if RESOLUTIONS or name != "resolution"]

# The name of an image that is made of scans, and what the names of the scans have besides.
SET_PATTERN = r"sub-[A-Za-z0-9+]+(_ses-[A-Za-z0-9+]+)?"
SCAN_PATTERN = r"(_(?!ses-|res-|desc-)[a-z]+-[A-Za-z0-9+]+)*"


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9+]+(/ses-[A-Za-z0-9+]+)?/[a-z]+",
    image=r"sub-[A-Za-z0-9+]+(_(?!res-|desc-)[a-z]+-[A-Za-z0-9+]+)*",
    dim=r"[1-9][0-9]*",
    kind="reference|cord|truth",
    figure="|".join(CAPTIONS),
    subject=r"[A-Za-z0-9+]+",


def options(name, values):
    """A repeatable option of the command line, quoted for the shell."""
    return " ".join(f"{name} {shlex.quote(str(value))}" for value in values)


def like_option(images):
    """A parameter: the image whose grid the outputs of a job get, as an option.

    Acquired scans have no such image: what is made of them is as fine as the finest of them.

    Args:
        images: input of the job, as `input.grid`.
    """
    return "" if ACQUIRED else repeated("--like", images)


def repeated(name, paths):
    """A parameter: an option of the command line for each of some paths of a job, quoted.

    Args:
        name: the option.
        paths: paths of the job, as `input.views` or `output.images`: one, several or none.
    """

    def fill(wildcards, **items):
        values = paths(wildcards, **items)
        return options(name, [values] if isinstance(values, str) else values)

    # By its signature Snakemake knows whether to give it the input or the output.
    fill.__signature__ = inspect.signature(paths)
    return fill


def verbatim(text):
    """A parameter: a text in which braces stand for themselves and not for wildcards."""

    def give(wildcards):
        return text

    return give


def clone_beside(path):
    """A parameter: the DataLad clone, found from a file at the root of the results."""

    def find(wildcards, **items):
        results = dirname(path(wildcards, **items))
        return f"{results}/sourcedata/{config['dataset']['name']}"

    find.__signature__ = inspect.signature(path)
    return find


def mask_options():
    """The patterns of the cord masks, one or several, as options of the command line.

    A mask lies on the grid of a reference, which acquired scans lack.
    """
    patterns = [] if ACQUIRED else config["dataset"]["mask"]
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return options("--mask", filter(None, patterns))


def subject_options():
    """The subjects to take as options of the command line; none takes all."""
    subjects = config["dataset"]["subjects"]
    return "" if subjects == "all" else options("--subject", subjects)


def entity_options():
    """The BIDS entities to take as options of the command line; null takes images without."""
    return options("--entity", entity_words(config["dataset"]["entities"]))


def scan_options():
    """The entities of the scans of each slice direction as options of the command line."""
    return options("--scans", [",".join(entity_words(entities)) for entities in ACQUIRED])


def entity_words(entities):
    """BIDS entities as the command line has them: NAME=LABEL, and NAME= for images without."""
    return [
        f"{name}={'' if label is None else label}"
        for name, each in entities.items()
        for label in (each if isinstance(each, list) else [each])
    ]


def variant_options(wildcards):
    """The sigma or seed of a variant as an option of the command line; empty for other fits."""
    variant = wildcards.get("variant")
    setting = variant_setting(variant) if variant else None
    return options(f"--{setting[0]}", [setting[1]]) if setting else ""


# What `simulate` and `baseline` are asked for, and what the sidecars of their images say.
VIEW_OPTIONS = " ".join(
    [
        options("--axis", [view["axis"] for view in VIEWS.values()]),
        options("--thickness", [view["thickness"] for view in VIEWS.values()]),
        options("--spacing", [view.get("spacing", view["thickness"]) for view in VIEWS.values()]),
        options("--profile", [config["profile"]]),
    ]
)
BASELINE_OPTIONS = " ".join(
    [
        options("--method", BASELINES),
        options("--tikhonov-weight", [config["baselines"]["tikhonov_weight"]]),
        options("--tv-weight", [config["baselines"]["tv_weight"]]),
    ]
)

TABLE_OPTIONS = " ".join(
    [options("--method", BASELINES + INRS + VARIANTS), options("--res", RESOLUTIONS)]
)


def growing(amount):
    """A resource of which every further attempt gets more."""

    def grow(wildcards, attempt):
        return amount * attempt

    return grow


def memory_for(images):
    """Megabytes for a job that works on whole images, by the voxels that their headers name.

    Total variation needs most per voxel; twice as much leaves room for other images and grids.

    Args:
        images: input of the job on the largest grid, as `input.views`.
    """

    def estimate(wildcards, input, attempt):
        from cordinr.inr.estimates import BASE_MB, BYTES_PER_VOXEL, estimate_points

        paths = images(wildcards, input=input)
        voxels, _ = estimate_points([paths] if isinstance(paths, str) else paths)
        return math.ceil(BASE_MB + 2 * BYTES_PER_VOXEL * voxels / 1e6) * attempt

    return estimate


def fit_memory(wildcards, input, attempt):
    """Megabytes for a fit, by the size of its views."""
    from cordinr.inr.estimates import fit_memory_mb

    return fit_memory_mb(input.views, config["fit"]) * attempt


def fit_time(wildcards, input, attempt):
    """Minutes for a fit, by the size of its views."""
    from cordinr.inr.estimates import fit_minutes

    return fit_minutes(input.views, config["fit"]) * attempt


def figure_labels(wildcards):
    """How the report names a figure of all images."""
    return {"figure": CAPTIONS[wildcards.figure].title}


def number_labels(wildcards):
    """How the report names the numbers of such a figure."""
    return {"figure": f"{CAPTIONS[wildcards.figure].title}: numbers"}


def figure_caption(wildcards):
    """The text below a figure of all images in the report."""
    return CAPTIONS[wildcards.figure].text
