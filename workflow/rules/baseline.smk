rule baseline:
    """Reconstruct an image from its views by all classical methods, in one job."""
    input:
        views=view_images(),
        sidecars=view_images(".json"),
        like="results/reference/{folder}/{image}_reference.nii.gz",
    output:
        images=recon_images(BASELINES),
        sidecars=recon_images(BASELINES, ".json"),
        records=expand(
            "results/records/{{folder}}/{{image}}_desc-{method}_fit.json", method=BASELINES
        ),
    log:
        "results/logs/baseline/{folder}/{image}.log",
    benchmark:
        "results/benchmarks/baseline/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        methods=options("--method", BASELINES),
        tikhonov=config["baselines"]["tikhonov_weight"],
        tv=config["baselines"]["tv_weight"],
        targets=lambda wildcards, output: options("-o", output.images),
        records=lambda wildcards, output: options("--record", output.records),
        library=__version__,
    shell:
        "cordinr baseline {input.views:q} {params.methods} --like {input.like:q}"
        " --tikhonov-weight {params.tikhonov} --tv-weight {params.tv} {params.targets}"
        " {params.records} > {log:q} 2>&1"
