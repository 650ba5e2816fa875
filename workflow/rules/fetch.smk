checkpoint index:
    """Clone the dataset at its pinned version and list its images, without their content.

    Everything later reads the list, so that no job has to look into the dataset again.
    """
    output:
        "results/inputs.tsv",
    log:
        "results/logs/index.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        source=config["dataset"]["source"],
        version=config["dataset"]["version"],
        clone=CLONE,
        subjects=lambda wildcards: (
            ""
            if config["dataset"]["subjects"] == "all"
            else options("--subject", config["dataset"]["subjects"])
        ),
        suffix=SUFFIX,
        mask=lambda wildcards: options("--mask", [config["dataset"]["mask"]]),
        truth=lambda wildcards: options("--truth", [config["dataset"]["truth"]]),
        library=__version__,
    shell:
        "cordinr index {params.source:q} --version {params.version:q} --dest {params.clone:q}"
        " {params.subjects} --suffix {params.suffix} {params.mask}"
        " {params.truth} -o {output} > {log} 2>&1"


rule fetch:
    """Get one file of the dataset through DataLad, and keep a checked copy.

    The annexed file itself is no output: Snakemake would delete it before the job, and an
    unfetched one looks like a file that is there.
    """
    input:
        INDEX,
    output:
        "results/reference/{folder}/{image}_{kind}.nii.gz",
    log:
        "results/logs/fetch/{folder}/{image}_{kind}.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        source=config["dataset"]["source"],
        version=config["dataset"]["version"],
        clone=CLONE,
        file=path_in_dataset,
        segmentation=lambda wildcards: "--segmentation" if wildcards.kind == "cord" else "",
        library=__version__,
    shell:
        "cordinr fetch {params.source:q} --version {params.version:q} --dest {params.clone:q}"
        " --file {params.file:q} {params.segmentation} -o {output:q} > {log:q} 2>&1"
