"""The commands that sidecars of images name: how to make the same from the derivatives alone.

People who get the derivatives dataset have neither the models nor the rest of the results. No rules.
"""


def inside_dataset(patterns, wildcards):
    """The paths of derivatives of a job, from the root of their dataset."""
    root = "<results>/cordinr"
    return [os.path.relpath(path, root) for path in expand(patterns, **wildcards)]


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


def baseline_command(wildcards):
    """The command that makes the classical reconstructions of an image."""
    views = inside_dataset(view_images(), wildcards)
    settings = [BASELINE_OPTIONS, options("--like", [raw_image(wildcards)])]
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
        options("--device", [] if config["device"] == "auto" else [config["device"]]),
        options("--like", [raw_image(wildcards)]),
        "" if variant else options("--voxel", config["voxel_sizes"]),
    ]
    views = inside_dataset(view_images(), wildcards)
    return dataset_command("reconstruct", views, settings, inside_dataset(images, wildcards))
