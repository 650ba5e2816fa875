"""What the index says of images, and which of their files follow from it. No rules."""

from functools import lru_cache


@lru_cache
def read_index(path, modified):
    """The rows of an index by folder and image, and by subject; read again when it was modified."""
    from cordinr.datasets.index import load_index

    images, subjects = {}, {}
    for row in load_index(path):
        images[row.folder, row.image] = row
        subjects.setdefault(row.subject, []).append(row)
    return images, subjects


def current_index():
    """The rows of inputs.tsv by image and by subject, once the dataset is cloned and indexed."""
    path = checkpoints.index.get().output.index
    return read_index(path, Path(path).stat().st_mtime_ns)


@lru_cache
def read_folds(path, modified):
    """The number of the fold of every person who has an image, from 1; arguments as of an index.

    Also of people whose images failed, so that a second run divides the others as the first did.
    """
    images, _ = read_index(path, modified)
    people = [Learner(person_of(row.subject), site=row.site) for row in images.values() if row.path]
    try:
        refuse_one_person(ResultPaths(Path(path).parent).source)
        parts = divide(people, config["learn"]["folds"])
    except InputError as error:
        raise WorkflowError(f"config: prior: folds: {error}") from error
    return {person: number for number, part in enumerate(parts, 1) for person in part}


def current_folds():
    """The fold of every person, once the dataset is cloned and indexed."""
    path = checkpoints.index.get().output.index
    return read_folds(path, Path(path).stat().st_mtime_ns)


def references_outside_fold(wildcards):
    """The references of all people who are not in a fold, which its prior is learnt from.

    In a second run without those that could not be got in the first, but with those that were: a
    prior that was learnt there stays as it is.
    """
    folds = current_folds()
    images, _ = current_index()
    paths = ResultPaths(Path(checkpoints.index.get().output.index).parent)
    return [
        f"<results>/reference/{row.folder}/{row.image}_reference.nii.gz"
        for key, row in images.items()
        if row.path and folds[person_of(row.subject)] != int(wildcards.fold)
        if key not in FAILED or paths.reference(row).exists()
    ]


def prior_files(wildcards):
    """The file of the prior for an image: of the fold of its person, or a given one; or none."""
    if PRIOR == FOLDS:
        # A person without an image is in no prior: any will do.
        number = current_folds().get(person_of(row_of(wildcards).subject), 1)
        return [FOLD_PRIOR.format(fold=number)]
    return PRIOR_FILES


def baseline_prior_files(wildcards):
    """The file of the prior for the learned image; none where nobody wants that image."""
    return prior_files(wildcards) if LEARNED in BASELINES else []


def index_rows(subject=None):
    """The rows that have an image, in their order, of all subjects or of one.

    Without those that failed in the run before, if this is the second one after it.
    """
    images, subjects = current_index()
    rows = images.values() if subject is None else subjects.get(subject, [])
    return [row for row in rows if row.path and (row.folder, row.image) not in FAILED]


def score_rows():
    """The rows of images that have metrics: also those of which a figure or the page failed."""
    images, _ = current_index()
    without = {key for key, failed in FAILED.items() if failed.lacks == LACKS_METRICS}
    return [row for key, row in images.items() if row.path and key not in without]


def failed_of_table():
    """The images that failed, each with the reason that the table gives."""
    in_table = {LACKS_METRICS, LACKS_FIGURES}
    return [f"{each.image}: {each.reason}" for each in FAILED.values() if each.lacks in in_table]


def failed_pages():
    """The images of which only the page failed, each with the reason that the index page gives."""
    in_table = {LACKS_METRICS, LACKS_FIGURES}
    return [
        f"{each.image}: {each.reason}" for each in FAILED.values() if each.lacks not in in_table
    ]


def missing_subjects(wildcards):
    """A file that cannot be made, where the index has no image of a subject that was asked for.

    Not in a second run: the first has failed for another reason, and says everything.
    """
    images, _ = current_index()
    are_missing = any(
        row.problem and not row.path and not row.incomplete for row in images.values()
    )
    return ["<results>/all_found.txt"] if are_missing and not FAILED else []


def row_of(wildcards):
    """The row of the image that a job is about."""
    images, _ = current_index()
    row = images.get((wildcards.folder, wildcards.image))
    if row is None:
        raise WorkflowError(f"the index has no image {wildcards.image}; see dataset.subjects.")
    return row


def without_pathvars(find):
    """An input function with `<results>` replaced in its paths.

    For workflows that use this one as a module and take `rules.cordinr_all.input`: they may keep
    their own results elsewhere.
    """
    replace = read_pathvars(workflow)
    if replace is None:
        return find

    def find_replaced(wildcards):
        return [replace(path) for path in find(wildcards)]

    return find_replaced


def per_image(patterns):
    """An input function that fills the patterns for every image: of a subject, if a job is of one."""

    def fill(wildcards):
        rows = index_rows(wildcards.get("subject"))
        return [
            pattern.format(folder=row.folder, image=row.image)
            for pattern in patterns
            for row in rows
        ]

    return without_pathvars(fill)


def masks_of_subject(wildcards):
    """The cord masks of a subject's images, where the dataset has them."""
    rows = [row for row in index_rows(wildcards.subject) if row.mask]
    return [f"<results>/reference/{row.folder}/{row.image}_cord.nii.gz" for row in rows]


def optional_copy(kind):
    """An input function: the cord mask or the truth of an image, where the dataset has one."""

    def find(wildcards):
        row = row_of(wildcards)
        present = {"cord": row.mask, "truth": row.truth}[kind]
        return f"<results>/reference/{row.folder}/{row.image}_{kind}.nii.gz" if present else []

    return find


def path_in_dataset(wildcards):
    """The file of the raw dataset that a fetch job is about."""
    row = row_of(wildcards)
    expected = f"{row.folder}/{row.image}_{SUFFIX}.nii.gz"
    return {"reference": row.path or expected, "cord": row.mask, "truth": row.truth}[wildcards.kind]


def also_options(wildcards):
    """The files of the raw dataset that the job of a reference downloads with it, as options."""
    row = row_of(wildcards)
    files = [row.mask, row.truth] if wildcards.kind == "reference" else []
    return options("--also", filter(None, files))


def segmentation_options(wildcards, input):
    """Options that say that a file is a cord mask, and of which image; empty for other files."""
    if wildcards.kind != "cord":
        return ""
    return options("--segmentation --like", [input.reference])


def after_reference(wildcards):
    """What a fetch job waits for: mask and truth are downloaded by the job of the reference."""
    reference = "<results>/reference/{folder}/{image}_reference.nii.gz"
    return [] if wildcards.kind == "reference" else ancient(reference)


def raw_image(wildcards):
    """The image of the raw dataset that a job is about, as BIDS URI."""
    return f"bids:raw:{row_of(wildcards).path}"
