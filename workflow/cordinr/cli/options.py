"""Options that several verbs have in common."""

from pathlib import Path
from typing import Annotated

import typer

MIN_VOXEL_MM = 0.05
"""Minimum voxel size; below it a field of view of spine size does not fit any memory."""

Views = Annotated[
    list[Path],
    typer.Argument(
        metavar="VIEW", help="Thick-slice images of one subject, with their sidecars if any."
    ),
]
Outputs = Annotated[
    list[Path],
    typer.Option("-o", "--output", metavar="FILE", help="Image to write, .nii.gz; repeatable."),
]
FourierDim = Annotated[int, typer.Option(metavar="F", help="Number of Fourier frequencies.")]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="YAML file whose `fit:` section holds the settings."),
]
Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu or cuda.")]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="Seed of the fit, instead of fit.seed.")
]
Sigma = Annotated[
    float | None,
    typer.Option(
        metavar="SIGMA",
        help="Standard deviation of the Fourier frequencies in cycles/mm, instead of fit.sigma.",
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Number of CPU threads; default: all.")
]
Like = Annotated[
    Path | None,
    typer.Option(
        metavar="IMAGE",
        help="Image, or its BIDS URI, whose grid the output gets; its voxels are not read.",
    ),
]
Voxels = Annotated[
    list[float] | None,
    typer.Option(min=MIN_VOXEL_MM, metavar="MM", help="Isotropic voxel size in mm, repeatable."),
]
Insist = Annotated[
    bool,
    typer.Option(
        "--insist",
        help="Continue although the scans look wrong: a thickness that does not go with the "
        "spacing of the slices, no orientation in a header, or names of different subjects, "
        "sessions or contrasts.",
    ),
]
Command = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Command that sidecars name; default: the one that runs."),
]
Record = Annotated[
    Path | None, typer.Option(metavar="FILE", help="JSON to write: seconds, device, memory.")
]
Suffix = Annotated[str, typer.Option(metavar="NAME", help="BIDS suffix of the images.")]
Reference = Annotated[
    Path, typer.Option(metavar="IMAGE", help="The true image, such as the raw image.")
]
Mask = Annotated[
    Path | None,
    typer.Option(metavar="IMAGE", help="Spinal cord segmentation of the reference."),
]
Index = Annotated[Path, typer.Option(metavar="FILE", help="inputs.tsv of the run.")]
Results = Annotated[Path, typer.Option(metavar="DIR", help="Folder of the results of the run.")]
PRIOR_HELP = (
    "What draws the INR where the scans say nothing: learned (the prior that comes with cordinr), "
    "a file of `cordinr learn`, tv (their total variation), or none."
)
PriorName = Annotated[str, typer.Option(metavar="WHAT", help=PRIOR_HELP)]
PriorNameOrNone = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help=f"{PRIOR_HELP} Default: learned; of a single scan and with --fast tv.",
    ),
]
DatasetName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Dataset of the subject, so that a prior takes nobody of another one for them.",
    ),
]
CoveredField = Annotated[
    str,
    typer.Option(
        metavar="WHAT",
        help="What is covered: crossed (where scans of two slice directions see), union (where any "
        "scan sees) or overlap (where all see).",
    ),
]
