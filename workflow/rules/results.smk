"""What a run makes, of all images. No rules."""


def all_views(wildcards):
    """The views of every image."""
    if ACQUIRED:
        return [path for row in index_rows() for path in aligned_scans_of(row)]
    return per_image(view_images())(wildcards)


def pages(wildcards):
    """The pages of all subjects."""
    subjects = dict.fromkeys(row.subject for row in index_rows())
    return [f"<results>/cordinr/sub-{subject}.html" for subject in subjects]


def metrics_files(wildcards):
    """The metrics of every image and method, and those of renderings that have a truth."""
    files = []
    for row in score_rows():
        start = f"<results>/metrics/{row.folder}/{row.image}"
        files += expand(f"{start}_desc-{{label}}_metrics.json", label=BASELINES + INRS + VARIANTS)
        files += finer_metrics(row)
    return files


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
