checkpoint index:
    """Clone the dataset at its pinned version and list its images, without their content.

    Everything later reads the list, so that no job has to look into the dataset again.
    """
    output:
        index="<results>/inputs.tsv",
        source="<results>/source.json",
    log:
        "<results>/logs/index.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        source=config["dataset"]["source"],
        version=verbatim(options("--version", [config["dataset"]["version"]])),
        clone=clone_beside(output.index),
        subjects=verbatim(subject_options()),
        suffix=SUFFIX,
        entities=entity_options(),
        scans=scan_options(),
        exclude=verbatim(options("--exclude", [config["dataset"]["exclude"]])),
        mask=verbatim(mask_options()),
        truth=verbatim(options("--truth", [config["dataset"]["truth"]])),
        library=LIBRARY_VERSION,
    message:
        "Index {params.source}"
    shell:
        "cordinr index {params.source:q} {params.version} --dest {params.clone:q}"
        " {params.subjects} --suffix {params.suffix} {params.entities} {params.scans} {params.exclude}"
        " {params.mask} {params.truth} --describe {output.source:q} -o {output.index:q}"
        " > {log:q} 2>&1"


rule fetch:
    """Get one image of the dataset through DataLad, and keep a checked copy with its metadata.

    The annexed file itself is not an output: Snakemake would delete it before the job, and an
    unfetched one looks like a file that is there. The job of the reference downloads mask and truth
    of its image as well; theirs come later and find them there. A cord mask that cannot be got or
    used becomes one of zeros, so that it costs the metrics of the cord alone.
    """
    input:
        index=INDEX,
        reference=after_reference,
    output:
        image="<results>/reference/{folder}/{image}_{kind}.nii.gz",
        sidecar="<results>/reference/{folder}/{image}_{kind}.json",
    log:
        "<results>/logs/fetch/{folder}/{image}_{kind}.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        source=config["dataset"]["source"],
        version=verbatim(options("--version", [config["dataset"]["version"]])),
        clone=clone_beside(input.index),
        file=path_in_dataset,
        also_options=also_options,
        segmentation=segmentation_options,
        drop="--drop" if config["dataset"]["drop"] else "",
        library=LIBRARY_VERSION,
    message:
        "Fetch {wildcards.kind} of {wildcards.image}"
    shell:
        "cordinr fetch {params.source:q} {params.version} --dest {params.clone:q}"
        " --file {params.file:q} {params.also_options} {params.segmentation} {params.drop}"
        " -o {output.image:q} > {log:q} 2>&1"


rule found:
    """Fail where the index has no image of a subject that was asked for, after all else is done.

    So it delays nothing, and the run does not end as if nothing were missing.
    """
    input:
        get_results(),
        index="<results>/inputs.tsv",
    output:
        touch("<results>/all_found.txt"),
    log:
        "<results>/logs/found.log",
    retries: 0
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    message:
        "See whether every subject has an image"
    shell:
        "cordinr found {input.index:q} > {log:q} 2>&1"
