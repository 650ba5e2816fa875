from cordinr.figures.captions import CAPTIONS
from cordinr.bids.names import VARIANT, variant_setting


wildcard_constraints:
    figure="|".join(CAPTIONS),


def variant_option(wildcards):
    """In what a fit differs from `fit:`, as option of the command line; empty for most."""
    setting = variant_setting(wildcards.variant)
    return options(f"--{setting[0]}", [setting[1]]) if setting else ""


def render_command(wildcards, output):
    """The command that makes the same renderings from within the derivatives alone."""
    variant = wildcards.get("variant")
    how = [
        options("--fourier-dim", [wildcards.dim]),
        options("--config", [FIT_SETTINGS]),
        variant_option(wildcards) if variant else "",
        options("--device", [] if config["device"] == "auto" else [config["device"]]),
        options("--like", [raw_image(wildcards)]),
        "" if variant else options("--voxel", config["voxel_sizes"]),
    ]
    return in_dataset("reconstruct", expand(view_images(), **wildcards), how, output.images)


def cohort_figures(wildcards):
    """The figures of all images for which there is something to draw."""
    sites = {row.site for row in scored()} - {""}
    needed = {"sigmas": any("sigma" in label for label in VARIANTS), "sites": len(sites) > 1}
    drawn = [figure for figure in CAPTIONS if needed.get(figure, True)]
    return [f"<results>/figures/{figure}.svg" for figure in drawn]


def figure_labels(wildcards):
    """How the report names a figure of all images."""
    return {"figure": CAPTIONS[wildcards.figure].title}


def number_labels(wildcards):
    """How the report names the numbers of such a figure."""
    return {"figure": f"{CAPTIONS[wildcards.figure].title}: numbers"}
