"""Acquired scans: their files, and those of what is known of them without a reference. No rules."""


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
