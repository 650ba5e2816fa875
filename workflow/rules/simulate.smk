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
        mem_mb=memory_for(input.image),
        runtime=growing(10),
    params:
        view_options=VIEW_OPTIONS,
        source=raw_image,
        output_options=repeated("-o", output.images),
        command=simulate_command,
        library=LIBRARY_VERSION,
    message:
        "Simulate views of {wildcards.image}"
    shell:
        "cordinr simulate {input.image:q} {params.view_options} --source {params.source:q}"
        " {params.output_options} --command {params.command:q} > {log:q} 2>&1"
