rule baseline:
    """Reconstruct an image from its views by all methods without a network of its own, in one job."""
    input:
        views=view_images(),
        sidecars=view_images(".json"),
        grid=grid_images(),
        prior=baseline_prior_files,
        index=INDEX,
    output:
        images=recon_images(BASELINES),
        sidecars=recon_images(BASELINES, ".json"),
        uncertainty_maps=recon_images(uncertainty_labels(BASELINES)),
        uncertainty_sidecars=recon_images(uncertainty_labels(BASELINES), ".json"),
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
        mem_mb=memory_for(input.views),
        runtime=growing(60),
    params:
        method_options=BASELINE_OPTIONS,
        prior=prior_parameter(BASELINE_PRIOR, input.prior),
        like=like_option(input.grid),
        output_options=repeated("-o", output.images),
        record_options=repeated("--record", output.records),
        command=baseline_command,
        library=LIBRARY_VERSION,
    message:
        "Reconstruct {wildcards.image} without a network for it alone"
    shell:
        "cordinr baseline {input.views:q} {params.method_options} {params.prior} {params.like}"
        " {params.output_options} {params.record_options} --command {params.command:q} > {log:q} 2>&1"
