import shlex
import shutil
import sys
from functools import lru_cache
from os.path import dirname
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod, Quietness
from snakemake.utils import update_config

# Not workflow.basedir: in a module it is the folder of the workflow that uses it.
LIBRARY = Path(workflow.current_basedir).parent
sys.path.insert(0, str(LIBRARY))

from cordinr import __version__
from cordinr.configuration import check_configuration
from cordinr.run.slurm import cancel_jobs_of
from cordinr.errors import InputError
from cordinr.evaluation.failed import FIGURES as LACKS_FIGURES
from cordinr.evaluation.failed import METRICS as LACKS_METRICS
from cordinr.figures.captions import IMAGE_CAPTIONS
from cordinr.run.failures import images_left_out
from cordinr.datasets.index import load_index
from cordinr.datasets.layout import ResultPaths
from cordinr.bids.names import inr_label, resolution_label, variant_labels
from cordinr.run.remainder import follow, is_whole, note_failed, second_run, started_in
from cordinr.datasets.git import is_repository
from cordinr.run.scheduler_patch import limit_reevaluation_timers


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
in_conda = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
beside_python = Path(sys.executable).parent
if in_conda:
    shell.prefix(f"{strict} export PATH={shlex.quote(str(LIBRARY / 'bin'))}:$PATH; ")
elif not shutil.which("cordinr"):
    found = (beside_python / "cordinr").exists()
    folder = beside_python if found else LIBRARY / "bin"
    # Behind all others, for git-annex.
    search = f"{shlex.quote(str(folder))}:$PATH:{shlex.quote(str(beside_python))}"
    shell.prefix(
        f"{strict} export CORDINR_PYTHON={shlex.quote(sys.executable)}; export PATH={search}; "
    )

SUFFIX = config["dataset"]["suffix"]
FIT_SETTINGS = "<results>/cordinr/code/fit.yaml"
DATALAD = config["results"]["datalad"]
# The images that failed in the run before: none, but in the second run after such a one.
FAILED = images_left_out()
# Which file a job is about stands in the index; a longer index is no reason to do the job again.
INDEX = ancient("<results>/inputs.tsv")
VIEWS = {name: view for name, view in config["views"].items() if view}
BASELINES = config["baselines"]["methods"]
INRS = [inr_label(dim) for dim in config["fourier_dims"]]
VARIANTS = variant_labels(
    config["fourier_dims"], config["fourier_sigmas"], config["seeds"], config["fit"]
)
NIIVUE = LIBRARY / "report/viewer/node_modules/@niivue/niivue/dist/niivue.umd.js"
RESOLUTIONS = [resolution_label(mm) for mm in config["voxel_sizes"]]
FIGURES = [name for name in IMAGE_CAPTIONS if RESOLUTIONS or name != "resolution"]


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9+]+(/ses-[A-Za-z0-9+]+)?/[a-z]+",
    image=r"sub-[A-Za-z0-9+]+(_(?!res-|desc-)[a-z]+-[A-Za-z0-9+]+)*",
    dim=r"[1-9][0-9]*",
    kind="reference|cord|truth",
    subject=r"[A-Za-z0-9+]+",


def clone_beside(result):
    """The DataLad clone, found from a file at the root of the results, wherever that is."""
    return f"{dirname(result)}/sourcedata/{config['dataset']['name']}"


def mask_options():
    """The patterns of the cord masks, one or several, as options of the command line."""
    patterns = config["dataset"]["mask"]
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return options("--mask", filter(None, patterns))


def entity_options():
    """The BIDS entities to take as options of the command line; null takes images without."""
    entities = config["dataset"]["entities"].items()
    labels = [
        (name, label)
        for name, each in entities
        for label in (each if isinstance(each, list) else [each])
    ]
    return options(
        "--entity", [f"{name}={'' if label is None else label}" for name, label in labels]
    )


def options(name, values):
    """A repeatable option of the command line, quoted for the shell."""
    return " ".join(f"{name} {shlex.quote(str(value))}" for value in values)


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


def in_dataset(verb, inputs, how, outputs):
    """The command that makes the same images from within the derivatives alone.

    Sidecars name it, as whoever gets the dataset has neither the models nor the rest of the results.
    """
    words = shlex.split(" ".join([*how, options("-o", outputs)]))
    words = ["cordinr", verb, *inputs, *words]
    return shlex.join(word.rpartition("/cordinr/")[2] for word in words)


def growing(amount):
    """A resource of which every further attempt gets more."""
    return lambda wildcards, attempt: amount * attempt


def fit_memory(wildcards, input, attempt):
    """Megabytes for a fit, by the size of its views."""
    from cordinr.inr.estimates import fit_memory_mb

    return fit_memory_mb(input.views, config["fit"]) * attempt


def fit_time(wildcards, input, attempt):
    """Minutes for a fit, by the size of its views."""
    from cordinr.inr.estimates import fit_minutes

    return fit_minutes(input.views, config["fit"]) * attempt
