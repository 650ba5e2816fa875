"""Options of command lines and parameters of rules that follow from the configuration. No rules."""

import inspect
import shlex
from os.path import dirname


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


def prior_options(word, names):
    """The prior of a job and the dataset of its person as options.

    Args:
        word: for a job without a file of a prior; empty where it needs none.
        names: of the files of the prior: one, or none.
    """
    given = [*names, word][:1] if word else []
    return f"{options('--prior', given)} {options('--dataset', [DATASET] if given else [])}"


def prior_parameter(word, paths):
    """A parameter: `prior_options` of a job.

    Args:
        word: as of `prior_options`.
        paths: input of the job, as `input.prior`.
    """

    def fill(wildcards, **items):
        names = paths(wildcards, **items)
        return prior_options(word, [names] if isinstance(names, str) else names)

    fill.__signature__ = inspect.signature(paths)
    return fill


def example_option(wildcards, input):
    """How many examples a learning job makes of each image, as an option."""
    from cordinr.prior.estimates import examples_of_each

    return options("--per-image", [examples_of_each(len(input.references), config["learn"])])


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

LEARN_OPTIONS = " ".join(
    [
        options("--start", LEARN_START_FILES or [word for word in [LEARN_START] if word != "none"]),
        options("--steps", [config["learn"]["steps"]]),
        options("--batch", [config["learn"]["batch"]]),
        options("--rate", [config["learn"]["rate"]]),
        options("--phantoms", [config["learn"]["phantoms"]]),
        options("--seed", [config["learn"]["seed"]]),
    ]
)
# The words of the prior for jobs without a file of one.
FIT_PRIOR = PRIOR
BASELINE_PRIOR = LEARNED if LEARNED in BASELINES else ""

TABLE_OPTIONS = " ".join(
    [options("--method", BASELINES + INRS + VARIANTS), options("--res", RESOLUTIONS)]
)


def figure_labels(wildcards):
    """How the report names a figure of all images."""
    return {"figure": CAPTIONS[wildcards.figure].title}


def number_labels(wildcards):
    """How the report names the numbers of such a figure."""
    return {"figure": f"{CAPTIONS[wildcards.figure].title}: numbers"}


def figure_caption(wildcards):
    """The text below a figure of all images in the report."""
    return CAPTIONS[wildcards.figure].text
