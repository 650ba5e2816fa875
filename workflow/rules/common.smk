"""The configuration, and names that follow from it. No rules."""

import os
import shlex
import shutil
import sys
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
from cordinr.datasets.subjects import refuse_one_person
from cordinr.errors import InputError
from cordinr.evaluation.failed import FIGURES as LACKS_FIGURES
from cordinr.evaluation.failed import METRICS as LACKS_METRICS
from cordinr.evaluation.failed import save_failed
from cordinr.figures.captions import CAPTIONS, IMAGE_CAPTIONS
from cordinr.methods import LEARNED
from cordinr.prior.folds import divide
from cordinr.prior.people import Learner, person_of
from cordinr.run.configuration import FOLDS, PRIOR_WORDS, START_WORDS, check_configuration
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
    check_prior("prior", config["prior"], PRIOR_WORDS)
    check_prior("learn.start", config["learn"]["start"], START_WORDS)
    if config["results"]["datalad"] and source.is_dir() and not is_repository(source):
        raise WorkflowError(
            f"config: results.datalad: {source} is a plain folder without versions to go back to; "
            "take a DataLad dataset or set it to false."
        )


def file_of_prior(name, words):
    """The file that the setting of a prior names; none where it is a word."""
    return [] if name in words else [os.path.abspath(os.path.expanduser(name))]


def check_prior(setting, name, words):
    """Stop with one sentence where a setting names a prior that is not there."""
    files = file_of_prior(name, words)
    if not all(map(os.path.isfile, files)):
        raise WorkflowError(
            f"config: {setting}: there is no file {name}; give one that `cordinr learn` wrote, or "
            f"a word: {', '.join(words)}."
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

DATASET = config["dataset"]["name"]
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
PRIOR = config["prior"]
PRIOR_FILES = file_of_prior(PRIOR, PRIOR_WORDS)
LEARN_START = config["learn"]["start"]
LEARN_START_FILES = file_of_prior(LEARN_START, START_WORDS)
# The prior that is learnt without the people of a fold.
FOLD_NAME = f"fold-{{fold}}of{config['learn']['folds']}"
FOLD_PRIOR = f"<results>/cordinr/code/priors/{FOLD_NAME}.safetensors"
DRAWN_TO_LEARNED = PRIOR not in ("none", "tv")
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
