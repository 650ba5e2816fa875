rule baseline:
    """Reconstruct an image from its views by all classical methods, in one job."""
    input:
        views=view_images(),
        sidecars=view_images(".json"),
        like="<results>/reference/{folder}/{image}_reference.nii.gz",
        index=INDEX,
    output:
        images=recon_images(BASELINES),
        sidecars=recon_images(BASELINES, ".json"),
        records=expand(
            "<results>/records/{{folder}}/{{image}}_desc-{method}_fit.json", method=BASELINES
        ),
    log:
        "<results>/logs/baseline/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/baseline/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        how=BASELINE_OPTIONS,
        targets=lambda wildcards, output: options("-o", output.images),
        records=lambda wildcards, output: options("--record", output.records),
        command=lambda wildcards, input, output: in_dataset(
            "baseline",
            input.views,
            [BASELINE_OPTIONS, options("--like", [raw_image(wildcards)])],
            output.images,
        ),
        library=__version__,
    message:
        "Reconstruct {wildcards.image} by classical methods"
    shell:
        "cordinr baseline {input.views:q} {params.how} --like {input.like:q} {params.targets}"
        " {params.records} --command {params.command:q} > {log:q} 2>&1"
