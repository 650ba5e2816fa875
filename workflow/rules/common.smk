import shlex
import shutil
import sys
from functools import lru_cache
from os.path import dirname
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod, Quietness
from snakemake.utils import update_config

# Not workflow.basedir: in a module it is the folder of the workflow that uses it.
LIBRARY = Path(workflow.current_basedir).parent
sys.path.insert(0, str(LIBRARY))

from cordinr import __version__
from cordinr.cluster import cancel_jobs_of
from cordinr.errors import InputError
from cordinr.naming import inr_label, resolution_label, variant_labels
from cordinr.repository import is_repository


def fill_config():
    """Give every setting that is not set its default.

    `configfile:` does it where Snakemake runs from the checkout, but not for a module.
    """
    defaults = yaml.safe_load((LIBRARY.parent / "config.yaml").read_text())
    update_config(defaults, config)
    config.update(defaults)


def check_config():
    """Stop with one sentence where the configuration does not fit its schema or itself."""
    schema = yaml.safe_load((LIBRARY / "schemas" / "config.schema.yaml").read_text())
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error:
        where = ".".join(map(str, error.absolute_path)) or "the configuration"
        raise WorkflowError(
            f"config: {where}: {error.message}; see workflow/schemas/config.schema.yaml."
        )
    source = Path(config["dataset"]["source"]).expanduser()
    if config["results"]["datalad"] and source.is_dir() and not is_repository(source):
        raise WorkflowError(
            f"config: results.datalad: {source} is a plain folder without versions to go back to; "
            "take a DataLad dataset or set it to false."
        )


fill_config()
check_config()

# The rules say `cordinr`: the installed command, or the same from a bare checkout. In a conda
# environment it has to be the latter, as the former would run outside of it.
in_conda = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
if in_conda:
    shell.prefix(f"export PATH={shlex.quote(str(LIBRARY / 'bin'))}:$PATH; ")
elif not shutil.which("cordinr"):
    beside_python = Path(sys.executable).parent
    found = (beside_python / "cordinr").exists()
    folder = beside_python if found else LIBRARY / "bin"
    shell.prefix(f"export PATH={shlex.quote(str(folder))}:$PATH; ")

SUFFIX = config["dataset"]["suffix"]
FIT_SETTINGS = "<results>/cordinr/code/fit.yaml"
DATALAD = config["results"]["datalad"]
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
FIGURES = ["comparison", "resolution"] if RESOLUTIONS else ["comparison"]


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?/[a-z]+",
    image=r"sub-[A-Za-z0-9]+(_(?!res-|desc-)[a-z]+-[A-Za-z0-9]+)*",
    dim=r"[1-9][0-9]*",
    kind="reference|cord|truth",
    subject=r"[A-Za-z0-9]+",


def spreads(labels):
    """The labels of the uncertainty maps of INRs: of ensembles alone."""
    return [f"{label}spread" for label in labels] if config["fit"]["members"] > 1 else []


def view_images(extension=".nii.gz"):
    """The views of one image."""
    return expand(
        "<results>/cordinr/{{folder}}/{{image}}_res-{view}_desc-simulated_{suffix}{extension}",
        view=VIEWS,
        suffix=SUFFIX,
        extension=extension,
    )


def recon_images(label, extension=".nii.gz"):
    """Reconstructions of one image on its own grid; `label` is a desc label or several."""
    return expand(
        "<results>/cordinr/{{folder}}/{{image}}_desc-{label}_{suffix}{extension}",
        label=label,
        suffix=SUFFIX,
        extension=extension,
    )


def finer_images(label, extension=".nii.gz"):
    """Renderings of one image at the other voxel sizes."""
    return expand(
        "<results>/cordinr/{{folder}}/{{image}}_res-{res}_desc-{label}_{suffix}{extension}",
        res=RESOLUTIONS,
        label=label,
        suffix=SUFFIX,
        extension=extension,
    )


def image_figures():
    """The figures of one image."""
    return expand("<results>/figures/{{folder}}/{{image}}_{name}.png", name=FIGURES)


def fit_records():
    """What the fits of one image cost, and how their loss fell."""
    return expand("<results>/records/{{folder}}/{{image}}_desc-{label}_fit.json", label=INRS)


@lru_cache
def read_index(path, modified):
    """The rows of an index by folder and image, and by subject; read again when it was modified."""
    from cordinr.index import load_index

    images, subjects = {}, {}
    for row in load_index(path):
        images[row.folder, row.image] = row
        subjects.setdefault(row.subject, []).append(row)
    return images, subjects


def index_rows():
    """The rows of inputs.tsv by image and by subject, once the dataset is cloned and indexed."""
    path = checkpoints.index.get().output.index
    return read_index(path, Path(path).stat().st_mtime_ns)


def indexed(subject=None):
    """All rows in their order, or those of one subject."""
    images, subjects = index_rows()
    return images.values() if subject is None else subjects.get(subject, [])


def row_of(wildcards):
    """The row of the image that a job is about."""
    images, _ = index_rows()
    row = images.get((wildcards.folder, wildcards.image))
    if row is None:
        raise WorkflowError(f"the index has no image {wildcards.image}; see dataset.subjects.")
    return row


def per_image(patterns):
    """An input function that fills the patterns for every image: of a subject, if a job is of one.

    Its paths hold no pathvars any more, for workflows that use this one as a module and take
    `rules.all.input`: theirs may differ.
    """
    places = workflow.pathvars

    def fill(wildcards):
        rows = indexed(wildcards.get("subject"))
        return [
            places.apply(pattern.format(folder=row.folder, image=row.image))
            for pattern in patterns
            for row in rows
        ]

    return fill


def masks_of_subject(wildcards):
    """The cord masks of a subject's images, where the dataset has them."""
    rows = [row for row in indexed(wildcards.subject) if row.mask]
    return [f"<results>/reference/{row.folder}/{row.image}_cord.nii.gz" for row in rows]


def pages():
    """An input function: the pages of all subjects, without pathvars like those of `per_image`."""
    places = workflow.pathvars

    def name(wildcards):
        _, subjects = index_rows()
        return [places.apply(f"<results>/cordinr/sub-{subject}.html") for subject in subjects]

    return name


def fetched(kind):
    """An input function: the cord mask or the truth of an image, where the dataset has one."""

    def find(wildcards):
        row = row_of(wildcards)
        present = {"cord": row.mask, "truth": row.truth}[kind]
        return f"<results>/reference/{row.folder}/{row.image}_{kind}.nii.gz" if present else []

    return find


def clone_beside(result):
    """The DataLad clone, found from a file at the root of the results, wherever that is."""
    return f"{dirname(result)}/sourcedata/{config['dataset']['name']}"


def path_in_dataset(wildcards):
    """The file of the raw dataset that a fetch job is about."""
    row = row_of(wildcards)
    expected = f"{row.folder}/{row.image}_{SUFFIX}.nii.gz"
    return {"reference": row.path or expected, "cord": row.mask, "truth": row.truth}[wildcards.kind]


def beside_reference(wildcards):
    """The files of the raw dataset that the job of a reference downloads with it."""
    row = row_of(wildcards)
    return filter(None, [row.mask, row.truth]) if wildcards.kind == "reference" else []


def after_reference(wildcards):
    """What a fetch job waits for: mask and truth are downloaded by the job of the reference."""
    reference = "<results>/reference/{folder}/{image}_reference.nii.gz"
    return [] if wildcards.kind == "reference" else ancient(reference)


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


def raw_image(wildcards):
    """The image of the raw dataset that a job is about, as BIDS URI."""
    return f"bids:raw:{row_of(wildcards).path}"


def in_dataset(verb, inputs, how, outputs):
    """The command that makes the same images from within the derivatives alone.

    Sidecars name it, as whoever gets the dataset has neither the models nor the rest of the results.
    """
    words = shlex.split(" ".join([*how, options("-o", outputs)]))
    words = ["cordinr", verb, *inputs, *words]
    return shlex.join(word.rpartition("/cordinr/")[2] for word in words)


def metrics_files(wildcards):
    """The metrics of every image and method, and those of renderings that have a truth."""
    files = []
    for row in filter(lambda row: row.path, indexed()):
        start = f"<results>/metrics/{row.folder}/{row.image}"
        files += expand(f"{start}_desc-{{label}}_metrics.json", label=BASELINES + INRS + VARIANTS)
        files += finer_metrics(row)
    return files


def finer_metrics(row):
    """The metrics of the finer renderings of an image, where it has a truth."""
    if row.truth_res not in RESOLUTIONS:
        return []
    start = f"<results>/metrics/{row.folder}/{row.image}_res-{row.truth_res}"
    return expand(f"{start}_desc-{{label}}_metrics.json", label=INRS)


def truth_of_rendering(wildcards):
    """The truth of an image, if it is rendered at that voxel size."""
    return fetched("truth")(wildcards) if row_of(wildcards).truth_res in RESOLUTIONS else []


def growing(amount):
    """A resource of which every further attempt gets more."""
    return lambda wildcards, attempt: amount * attempt


def fit_memory(wildcards, input, attempt):
    """Megabytes for a fit, by the size of its views."""
    from cordinr.needs import fit_memory_mb

    return fit_memory_mb(input.views, config["fit"]) * attempt


def fit_time(wildcards, input, attempt):
    """Minutes for a fit, by the size of its views."""
    from cordinr.needs import fit_minutes

    return fit_minutes(input.views, config["fit"]) * attempt


def cancel_left_jobs():
    """Cancel the Slurm jobs that a killed run left, before others write the same files."""
    if workflow.local_exec and not Path(".snakemake/slurm_logs").exists():
        return
    try:
        cancel_jobs_of(Path.cwd())
    except InputError as error:
        raise WorkflowError(str(error)) from error


def end_of_run(log, failed):
    """Say what the run did; of one that failed, also put what there is into the table of metrics.

    A rule could not do that, as it waits for all its inputs. The table lacks its dictionary, so
    that the rule makes it anew as soon as nothing is missing.
    """
    index = rules.index.output.index
    results = dirname(index)
    if not failed and Quietness.ALL in (workflow.output_settings.quiet or []):
        return
    # Whatever goes wrong here must not hide what went wrong before.
    if failed:
        say_if_full(results)
        if Path(index).exists():
            shell(
                "cordinr aggregate --index {index:q} --partial --folder {results:q}"
                " {TABLE_OPTIONS} -o {results:q}/metrics.tsv >&2 || true"
            )
    run = options("--log", log[:1])
    shell("cordinr summary {results:q} {run} >&2 || true")


def say_if_full(results):
    """A full disk leaves empty logs, so that nobody else can say it."""
    free = shutil.disk_usage(results).free
    if free < 1_000_000:
        print(
            f"the disk of {results}/ is full ({free} bytes free): make room and run again.",
            file=sys.stderr,
        )
