"""Which files there are: the names of an image's files, and what the index says of it. No rules.

The wildcards are `folder` and `image`, a path such as `sub-01/ses-a/anat` and a name such as
`sub-01_ses-a_run-1`, and not one wildcard for each BIDS entity: a dataset may use any entities in
its names, of which Snakemake would have to know which are there before it sees the index. The parts
that this workflow adds (`res`, `desc`, the suffix) stand in the patterns.
"""


def uncertainty_labels(labels):
    """The labels of the uncertainty maps of INRs: of ensembles alone."""
    return [f"{label}spread" for label in labels] if config["fit"]["members"] > 1 else []


def view_images(extension=".nii.gz"):
    """The views of one image: simulated ones, or an input function that finds the aligned scans."""
    if ACQUIRED:
        return aligned_scans(extension)
    return expand(
        "<results>/cordinr/{{folder}}/{{image}}_res-{view}_desc-simulated_{suffix}{extension}",
        view=VIEWS,
        suffix=SUFFIX,
        extension=extension,
    )


def aligned_scans(extension):
    """An input function: the scans of one image after their alignment."""

    def find(wildcards):
        return aligned_scans_of(row_of(wildcards), extension)

    return find


def aligned_scans_of(row, extension=".nii.gz"):
    """The aligned scans of a row of the index, that which stays in its place first."""
    return [
        f"<results>/cordinr/{row.folder}/{stem}_desc-aligned_{SUFFIX}{extension}"
        for stem in scan_stems(row)
    ]


def scan_stems(row):
    """The names of the scans of a row up to the suffix, such as sub-01_acq-ax_run-1."""
    names = [Path(path).name.partition(".")[0] for path in row.scan_paths]
    return [name.removesuffix(f"_{SUFFIX}") for name in names]


def scan_copies(extension):
    """An input function: the checked copies of the scans of one image."""

    def find(wildcards):
        row = row_of(wildcards)
        start = f"<results>/scans/{row.folder}"
        return [f"{start}/{stem}_{SUFFIX}{extension}" for stem in scan_stems(row)]

    return find


def scan_in_dataset(wildcards):
    """The file of the raw dataset that the job of a scan is about."""
    row = row_of(wildcards)
    paths = dict(zip(scan_stems(row), row.scan_paths, strict=True))
    stem = f"{wildcards.image}{wildcards.scan}"
    if stem not in paths:
        raise WorkflowError(f"the index has no scan {stem} of {row.image}; see views.acquired.")
    return paths[stem]


def aligned_options(wildcards, output):
    """The files that an alignment writes into its folder, as options, in the order of the scans."""
    stems = scan_stems(row_of(wildcards))
    return options("-o", [f"{output}/{stem}_desc-aligned_{SUFFIX}.nii.gz" for stem in stems])


def source_options(wildcards):
    """The scans of the raw dataset of one image as BIDS URIs, which sidecars name, as options."""
    return options("--source", raw_scans(wildcards))


def raw_scans(wildcards):
    """The scans of the raw dataset that a job is about, as BIDS URIs."""
    return [f"bids:raw:{path}" for path in row_of(wildcards).scan_paths]


def grid_images():
    """The image on whose grid reconstructions lie; for acquired scans these, which say how fine."""
    return view_images() if ACQUIRED else "<results>/reference/{folder}/{image}_reference.nii.gz"


def all_views(wildcards):
    """The views of every image."""
    if ACQUIRED:
        return [path for row in index_rows() for path in aligned_scans_of(row)]
    return per_image(view_images())(wildcards)


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


def current_index():
    """The rows of inputs.tsv by image and by subject, once the dataset is cloned and indexed."""
    path = checkpoints.index.get().output.index
    return read_index(path, Path(path).stat().st_mtime_ns)


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


def pages(wildcards):
    """The pages of all subjects."""
    subjects = dict.fromkeys(row.subject for row in index_rows())
    return [f"<results>/cordinr/sub-{subject}.html" for subject in subjects]


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


def metrics_files(wildcards):
    """The metrics of every image and method, and those of renderings that have a truth."""
    files = []
    for row in score_rows():
        start = f"<results>/metrics/{row.folder}/{row.image}"
        files += expand(f"{start}_desc-{{label}}_metrics.json", label=BASELINES + INRS + VARIANTS)
        files += finer_metrics(row)
    return files


def check_patterns(labels):
    """What is known without a reference of the reconstructions of one image."""
    return expand("<results>/checks/{{folder}}/{{image}}_desc-{label}_check.json", label=labels)


def residual_figures(labels):
    """The figures of what the reconstructions of one image explain of its scans."""
    return expand("<results>/figures/{{folder}}/{{image}}_desc-{label}_residuals.png", label=labels)


def check_files(wildcards):
    """What is known without a reference of every image and method."""
    return [
        pattern.format(folder=row.folder, image=row.image)
        for row in score_rows()
        for pattern in check_patterns(BASELINES + INRS + VARIANTS)
    ]


def row_of_set(wildcards):
    """The row of the scans that a page is about."""
    image = f"sub-{wildcards.subject}"
    rows = [row for row in index_rows() if row.image == image]
    if not rows:
        raise WorkflowError(f"the index has no complete set of scans {image}; see views.acquired.")
    return rows[0]


def of_set(patterns):
    """An input function that fills the patterns for the scans that a page is about."""

    def fill(wildcards):
        row = row_of_set(wildcards)
        return [pattern.format(folder=row.folder, image=row.image) for pattern in patterns]

    return fill


def views_of_set(extension):
    """An input function: the aligned scans that a page is about."""

    def find(wildcards):
        return aligned_scans_of(row_of_set(wildcards), extension)

    return find


def acquired_pages(wildcards):
    """The pages of all sets of scans."""
    return [f"<results>/cordinr/{row.image}.html" for row in index_rows()]


def figures_of_images(wildcards):
    """The figures of every image that has them: also of those of which only the page failed."""
    without = {key for key, failed in FAILED.items() if failed.lacks == LACKS_FIGURES}
    rows = [row for row in score_rows() if (row.folder, row.image) not in without]
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


def metrics_of_finer(wildcards):
    """The metrics of the finer renderings of the image of a job, where it has a truth."""
    return finer_metrics(row_of(wildcards))


def truth_of_rendering(wildcards):
    """The truth of an image, if it is rendered at that voxel size."""
    return optional_copy("truth")(wildcards) if row_of(wildcards).truth_res in RESOLUTIONS else []


def cohort_figures(wildcards):
    """The figures of all images for which there is something to draw."""
    sites = {row.site for row in score_rows()} - {""}
    is_drawn = {"sigmas": any("sigma" in label for label in VARIANTS), "sites": len(sites) > 1}
    figures = [figure for figure in CAPTIONS if is_drawn.get(figure, True)]
    return [f"<results>/figures/{figure}.svg" for figure in figures]


def get_results():
    """Everything that a run makes: files, and functions that list those of all images.

    Of all images that the index has; in a second run, without those that failed in the first.
    """
    if ACQUIRED:
        return [
            # The scans where they really are, which are of use by themselves.
            without_pathvars(all_views),
            reconstructions(),
            # How far they can be trusted: what is known of each, and the table of all.
            without_pathvars(check_files),
            "<results>/checks.tsv",
            "<results>/checks.json",
            "<results>/benchmarks.tsv",
            without_pathvars(acquired_pages),
            "<results>/cordinr/index.html",
            dataset_files(),
        ]
    return [
        reconstructions(),
        # How good they are: the metrics of each, the table of all and what its columns mean.
        without_pathvars(metrics_files),
        "<results>/metrics.tsv",
        "<results>/metrics.json",
        # What the jobs cost.
        "<results>/benchmarks.tsv",
        # Figures of each image and of all, and the pages that show them.
        per_image(image_figures()),
        without_pathvars(cohort_figures),
        without_pathvars(pages),
        "<results>/cordinr/index.html",
        dataset_files(),
    ]


def reconstructions():
    """Every reconstruction of every image, and its renderings at other voxel sizes."""
    return [
        per_image(recon_images(BASELINES + INRS + VARIANTS)),
        per_image(finer_images(INRS)),
    ]


def dataset_files():
    """The files at the root of the derivatives dataset, and its commits where it is versioned."""
    return [
        "<results>/cordinr/dataset_description.json",
        ["<results>/datalad.json"] if DATALAD else [],
    ]


def measured_results():
    """What is there once all jobs have been measured: the metrics, or the checks."""
    return "<results>/checks.tsv" if ACQUIRED else "<results>/metrics.tsv"


def get_final_output():
    """What a plain `snakemake` makes: all results, if every subject has an image."""
    return [get_results(), without_pathvars(missing_subjects)]
