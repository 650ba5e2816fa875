"""Which files there are: the names of an image's files. No rules.

The wildcards are `folder` and `image`, a path such as `sub-01/ses-a/anat` and a name such as
`sub-01_ses-a_run-1`, and not one wildcard for each BIDS entity: a dataset may use any entities in
its names, of which Snakemake would have to know which are there before it sees the index. The parts
that this workflow adds (`res`, `desc`, the suffix) stand in the patterns.
"""


def uncertainty_labels(labels):
    """The labels of the uncertainty maps: of all that a prior has a part in, and of ensembles."""
    if DRAWN_TO_LEARNED:
        kinds = {"inr": "stderr"}
    else:
        kinds = {"inr": "spread"} if config["fit"]["members"] > 1 else {}
    kinds[LEARNED] = "stderr"
    return [
        f"{label}{kind}"
        for label in labels
        for name, kind in kinds.items()
        if label.startswith(name)
    ]


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


def grid_images():
    """The image on whose grid reconstructions lie; for acquired scans these, which say how fine."""
    return view_images() if ACQUIRED else "<results>/reference/{folder}/{image}_reference.nii.gz"


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
