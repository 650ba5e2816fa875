rule evaluate:
    """Score all reconstructions of an image on its own grid against the raw image."""
    input:
        images=recon_images(BASELINES + INRS + VARIANTS),
        sidecars=recon_images(BASELINES + INRS + VARIANTS, ".json"),
        views=view_images(),
        reference="<results>/reference/{folder}/{image}_reference.nii.gz",
        mask=optional_copy("cord"),
    output:
        metrics=expand(
            "<results>/metrics/{{folder}}/{{image}}_desc-{label}_metrics.json",
            label=BASELINES + INRS + VARIANTS,
        ),
    log:
        "<results>/logs/evaluate/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/evaluate/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=memory_for(input.reference),
        runtime=growing(30),
    params:
        views=repeated("--view", input.views),
        mask=repeated("--mask", input.mask),
        output_options=repeated("-o", output.metrics),
        library=LIBRARY_VERSION,
    message:
        "Evaluate {wildcards.image}"
    shell:
        "cordinr evaluate {input.images:q} --reference {input.reference:q} {params.mask}"
        " {params.views} {params.output_options} > {log:q} 2>&1"


rule evaluate_truth:
    """Score the finer renderings of an image against a finer, noise-free true image."""
    input:
        images=expand(
            "<results>/cordinr/{{folder}}/{{image}}_res-{{res}}_desc-{label}_{suffix}.nii.gz",
            label=INRS,
            suffix=SUFFIX,
        ),
        views=view_images(),
        reference="<results>/reference/{folder}/{image}_truth.nii.gz",
    output:
        metrics=expand(
            "<results>/metrics/{{folder}}/{{image}}_res-{{res}}_desc-{label}_metrics.json",
            label=INRS,
        ),
    log:
        "<results>/logs/evaluate/{folder}/{image}_res-{res}.log",
    benchmark:
        "<results>/benchmarks/evaluate/{folder}/{image}_res-{res}.tsv"
    wildcard_constraints:
        res="|".join(RESOLUTIONS) or "none",
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=memory_for(input.reference),
        runtime=growing(30),
    params:
        views=repeated("--view", input.views),
        output_options=repeated("-o", output.metrics),
        library=LIBRARY_VERSION,
    message:
        "Evaluate {wildcards.image} against the truth, {wildcards.res}"
    shell:
        "cordinr evaluate {input.images:q} --reference {input.reference:q}"
        " {params.views} {params.output_options} > {log:q} 2>&1"


rule aggregate:
    """Gather all metrics and what they cost in one tidy table, with a dictionary of its columns.

    An image that is not complete has a row that says why. So the figures of the images come first,
    though the table shows nothing of them.
    """
    input:
        index="<results>/inputs.tsv",
        metrics=metrics_files,
        figures=ancient(figures_of_images),
        failed=ancient(["<results>/failed.tsv"] if failed_of_table() else []),
    output:
        table="<results>/metrics.tsv",
        dictionary="<results>/metrics.json",
    log:
        "<results>/logs/aggregate.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(output.table, parent=True),
        table_options=TABLE_OPTIONS,
        failed=repeated("--failed", input.failed),
        reasons=failed_of_table(),
        library=LIBRARY_VERSION,
    message:
        "Gather all metrics in {output.table}"
    shell:
        "cordinr aggregate --index {input.index:q} --folder {params.folder:q} {params.table_options}"
        " {params.failed} -o {output.table:q} > {log:q} 2>&1"
