rule simulate:
    """Simulate all thick-slice views of an image in one job.

    From here to the reconstruction nothing reads the voxels of the reference.
    """
    input:
        image="results/reference/{folder}/{image}_reference.nii.gz",
        index=INDEX,
    output:
        images=view_images(),
        sidecars=view_images(".json"),
    log:
        "results/logs/simulate/{folder}/{image}.log",
    benchmark:
        "results/benchmarks/simulate/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        axes=options("--axis", [view["axis"] for view in VIEWS.values()]),
        thicknesses=options("--thickness", [view["thickness"] for view in VIEWS.values()]),
        spacings=options(
            "--spacing", [view.get("spacing", view["thickness"]) for view in VIEWS.values()]
        ),
        profile=config["profile"],
        source=lambda wildcards: f"bids:raw:{row_of(wildcards).path}",
        targets=lambda wildcards, output: options("-o", output.images),
        library=__version__,
    shell:
        "cordinr simulate {input.image:q} {params.axes} {params.thicknesses} {params.spacings}"
        " --profile {params.profile} --source {params.source:q} {params.targets} > {log:q} 2>&1"
