"""Which files there are: names by BIDS entities, and what the index says of each image."""


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
    from cordinr.datasets.index import load_index

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
    """The rows that have an image, in their order, of all subjects or of one.

    Without those that failed in the run before, if this is the second one after it.
    """
    images, subjects = index_rows()
    rows = images.values() if subject is None else subjects.get(subject, [])
    return [row for row in rows if row.path and (row.folder, row.image) not in FAILED]


def scored():
    """The rows of images that have metrics: also those of which a figure or the page failed."""
    images, _ = index_rows()
    lost = {key for key, failed in FAILED.items() if failed.lacks == LACKS_METRICS}
    return [row for key, row in images.items() if row.path and key not in lost]


def failed_of_table():
    """The images that failed, each with the reason that the table gives."""
    known = {LACKS_METRICS, LACKS_FIGURES}
    return [f"{each.image}: {each.reason}" for each in FAILED.values() if each.lacks in known]


def failed_pages():
    """The images of which only the page failed, each with the reason that the index page gives."""
    known = {LACKS_METRICS, LACKS_FIGURES}
    return [f"{each.image}: {each.reason}" for each in FAILED.values() if each.lacks not in known]


def never_there(wildcards):
    """A file that is never made, where the index has no image of somebody who was asked for.

    Not in a second run: the first has failed for another reason, and says all.
    """
    images, _ = index_rows()
    lacking = any(row.problem and not row.path for row in images.values())
    return ["<results>/all_found.txt"] if lacking and not FAILED else []


def row_of(wildcards):
    """The row of the image that a job is about."""
    images, _ = index_rows()
    row = images.get((wildcards.folder, wildcards.image))
    if row is None:
        raise WorkflowError(f"the index has no image {wildcards.image}; see dataset.subjects.")
    return row


def applied(find):
    """An input function whose paths hold no pathvars any more.

    For workflows that use this one as a module and take `rules.all.input`: theirs may differ.
    """
    places = workflow.pathvars
    return lambda wildcards: [places.apply(path) for path in find(wildcards)]


def per_image(patterns):
    """An input function that fills the patterns for every image: of a subject, if a job is of one."""

    def fill(wildcards):
        rows = indexed(wildcards.get("subject"))
        return [
            pattern.format(folder=row.folder, image=row.image)
            for pattern in patterns
            for row in rows
        ]

    return applied(fill)


def masks_of_subject(wildcards):
    """The cord masks of a subject's images, where the dataset has them."""
    rows = [row for row in indexed(wildcards.subject) if row.mask]
    return [f"<results>/reference/{row.folder}/{row.image}_cord.nii.gz" for row in rows]


def pages(wildcards):
    """The pages of all subjects."""
    subjects = dict.fromkeys(row.subject for row in indexed())
    return [f"<results>/cordinr/sub-{subject}.html" for subject in subjects]


def fetched(kind):
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


def beside_reference(wildcards):
    """The files of the raw dataset that the job of a reference downloads with it."""
    row = row_of(wildcards)
    return filter(None, [row.mask, row.truth]) if wildcards.kind == "reference" else []


def after_reference(wildcards):
    """What a fetch job waits for: mask and truth are downloaded by the job of the reference."""
    reference = "<results>/reference/{folder}/{image}_reference.nii.gz"
    return [] if wildcards.kind == "reference" else ancient(reference)


def raw_image(wildcards):
    """The image of the raw dataset that a job is about, as BIDS URI."""
    return f"bids:raw:{row_of(wildcards).path}"


def metrics_files(wildcards):
    """The metrics of every image and method, and those of renderings that have a truth."""
    files = []
    for row in scored():
        start = f"<results>/metrics/{row.folder}/{row.image}"
        files += expand(f"{start}_desc-{{label}}_metrics.json", label=BASELINES + INRS + VARIANTS)
        files += finer_metrics(row)
    return files


def pictures(wildcards):
    """The figures of every image that has them: also of those of which only the page failed."""
    lost = {key for key, failed in FAILED.items() if failed.lacks == LACKS_FIGURES}
    rows = [row for row in scored() if (row.folder, row.image) not in lost]
    return [
        pattern.format(folder=row.folder, image=row.image)
        for pattern in image_figures()
        for row in rows
    ]


def finer_metrics(row):
    """The metrics of the finer renderings of an image, where it has a truth."""
    if row.truth_res not in RESOLUTIONS:
        return []
    start = f"<results>/metrics/{row.folder}/{row.image}_res-{row.truth_res}"
    return expand(f"{start}_desc-{{label}}_metrics.json", label=INRS)


def truth_of_rendering(wildcards):
    """The truth of an image, if it is rendered at that voxel size."""
    return fetched("truth")(wildcards) if row_of(wildcards).truth_res in RESOLUTIONS else []
