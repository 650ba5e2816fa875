"""The commands that sidecars of images name: how to make the same from the derivatives alone.

People who get the derivatives dataset have neither the models nor the rest of the results. No rules.
"""


def inside_dataset(patterns, wildcards):
    """The paths of derivatives of a job, from the root of their dataset.

    Args:
        patterns: of the paths, or an input function that finds them.
        wildcards: of the job.
    """
    root = "<results>/cordinr"
    paths = patterns(wildcards) if callable(patterns) else expand(patterns, **wildcards)
    return [os.path.relpath(path, root) for path in paths]


def dataset_command(verb, inputs, settings, outputs):
    """A command line of `cordinr`, quoted for the shell.

    `settings` are options as `options()` gives them: quoted already.
    """
    words = shlex.split(" ".join([*settings, options("-o", outputs)]))
    return shlex.join(["cordinr", verb, *inputs, *words])


def simulate_command(wildcards):
    """The command that makes the views of an image."""
    outputs = inside_dataset(view_images(), wildcards)
    return dataset_command("simulate", [raw_image(wildcards)], [VIEW_OPTIONS], outputs)


def align_command(wildcards):
    """The command that aligns the scans of an image."""
    outputs = inside_dataset(view_images(), wildcards)
    return dataset_command("align", raw_scans(wildcards), [], outputs)


def prior_in_dataset(files, wildcards):
    """The file of the prior of an image as commands name it: from the root of the dataset.

    Args:
        files: input function that finds it.
        wildcards: of the job.
    """
    return [
        os.path.relpath(path, "<results>/cordinr") if PRIOR == FOLDS else path
        for path in files(wildcards)
    ]


def raw_like(wildcards):
    """The raw image as the one whose grid outputs get, as an option; none for acquired scans."""
    return "" if ACQUIRED else options("--like", [raw_image(wildcards)])


def baseline_command(wildcards):
    """The command that makes the classical reconstructions of an image."""
    views = inside_dataset(view_images(), wildcards)
    settings = [
        BASELINE_OPTIONS,
        prior_options(BASELINE_PRIOR, prior_in_dataset(baseline_prior_files, wildcards)),
        raw_like(wildcards),
    ]
    outputs = inside_dataset(recon_images(BASELINES), wildcards)
    return dataset_command("baseline", views, settings, outputs)


def render_command(wildcards):
    """The command that makes the renderings of an INR, which it has to fit first."""
    variant = wildcards.get("variant", "")
    label = f"inrF{wildcards.dim}{variant}"
    images = recon_images(label) if variant else recon_images(label) + finer_images(label)
    settings = [
        options("--fourier-dim", [wildcards.dim]),
        options("--config", inside_dataset([FIT_SETTINGS], wildcards)),
        variant_options(wildcards),
        prior_options(FIT_PRIOR, prior_in_dataset(prior_files, wildcards)),
        options("--device", [] if config["device"] == "auto" else [config["device"]]),
        raw_like(wildcards),
        "" if variant else options("--voxel", config["voxel_sizes"]),
        "--align none --images-only",
    ]
    views = inside_dataset(view_images(), wildcards)
    return dataset_command("reconstruct", views, settings, inside_dataset(images, wildcards))
