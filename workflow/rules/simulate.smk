rule simulate:
    """Simulate all thick-slice views of an image in one job.

    From here to the reconstruction nothing reads the voxels of the reference.
    """
    input:
        image="<results>/reference/{folder}/{image}_reference.nii.gz",
        index=INDEX,
    output:
        images=view_images(),
        sidecars=view_images(".json"),
    log:
        "<results>/logs/simulate/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/simulate/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        how=VIEW_OPTIONS,
        source=raw_image,
        targets=lambda wildcards, output: options("-o", output.images),
        command=lambda wildcards, output: in_dataset(
            "simulate", [raw_image(wildcards)], [VIEW_OPTIONS], output.images
        ),
        library=__version__,
    message:
        "Simulate views of {wildcards.image}"
    shell:
        "cordinr simulate {input.image:q} {params.how} --source {params.source:q}"
        " {params.targets} --command {params.command:q} > {log:q} 2>&1"
