rule fetch_scan:
    """Get one scan of the dataset through DataLad, and keep a checked copy with its metadata."""
    input:
        index=INDEX,
    output:
        image=f"<results>/scans/{{folder}}/{{image}}{{scan}}_{SUFFIX}.nii.gz",
        sidecar=f"<results>/scans/{{folder}}/{{image}}{{scan}}_{SUFFIX}.json",
    log:
        "<results>/logs/fetch_scan/{folder}/{image}{scan}.log",
    wildcard_constraints:
        image=SET_PATTERN,
        scan=SCAN_PATTERN,
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        source=config["dataset"]["source"],
        version=verbatim(options("--version", [config["dataset"]["version"]])),
        clone=clone_beside(input.index),
        file=scan_in_dataset,
        drop="--drop" if config["dataset"]["drop"] else "",
        library=LIBRARY_VERSION,
    message:
        "Fetch {wildcards.image}{wildcards.scan}"
    shell:
        "cordinr fetch {params.source:q} {params.version} --dest {params.clone:q} --scan"
        " --file {params.file:q} {params.drop} -o {output.image:q} > {log:q} 2>&1"


rule align:
    """Find where all scans of an image really are, and how bright: one job per image.

    How many there are only the index knows, so that they go into a folder first.
    """
    input:
        scans=scan_copies(".nii.gz"),
        sidecars=scan_copies(".json"),
        index=INDEX,
    output:
        temp(directory("<results>/aligned/{folder}/{image}")),
    log:
        "<results>/logs/align/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/align/{folder}/{image}.tsv"
    wildcard_constraints:
        image=SET_PATTERN,
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=memory_for(input.scans),
        runtime=growing(20),
    params:
        sources=source_options,
        output_options=aligned_options,
        command=align_command,
        library=LIBRARY_VERSION,
    message:
        "Align the scans of {wildcards.image}"
    shell:
        "cordinr align {input.scans:q} {params.sources} {params.output_options}"
        " --command {params.command:q} > {log:q} 2>&1"


rule keep_aligned:
    """Keep one aligned scan, with its sidecar and its transform for ITK.

    From here to the reconstruction an aligned scan is a view like a simulated one.
    """
    input:
        "<results>/aligned/{folder}/{image}",
    output:
        image=f"<results>/cordinr/{{folder}}/{{image}}{{scan}}_desc-aligned_{SUFFIX}.nii.gz",
        sidecar=f"<results>/cordinr/{{folder}}/{{image}}{{scan}}_desc-aligned_{SUFFIX}.json",
        transform=f"<results>/cordinr/{{folder}}/{{image}}{{scan}}_desc-aligned_{SUFFIX}_xfm.txt",
    log:
        "<results>/logs/keep_aligned/{folder}/{image}{scan}.log",
    wildcard_constraints:
        image=SET_PATTERN,
        scan=SCAN_PATTERN,
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(output.image, parent=True),
        stem=subpath(output.image, basename=True, strip_suffix=".nii.gz"),
    message:
        "Keep {wildcards.image}{wildcards.scan}, aligned"
    shell:
        "cp {input:q}/{params.stem:q}.nii.gz {input:q}/{params.stem:q}.json"
        " {input:q}/{params.stem:q}_xfm.txt {params.folder:q} > {log:q} 2>&1"
