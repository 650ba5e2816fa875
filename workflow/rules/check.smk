rule check:
    """Say how far all reconstructions of an image can be trusted, without a reference."""
    input:
        images=recon_images(BASELINES + INRS + VARIANTS),
        sidecars=recon_images(BASELINES + INRS + VARIANTS, ".json"),
        views=view_images(),
        view_sidecars=view_images(".json"),
        index=INDEX,
    output:
        checks=check_patterns(BASELINES + INRS + VARIANTS),
        figures=residual_figures(BASELINES + INRS + VARIANTS),
        slices="<results>/checks/{folder}/{image}_slices.tsv",
    log:
        "<results>/logs/check/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/check/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=memory_for(input.views),
        runtime=growing(30),
    params:
        views=repeated("--view", input.views),
        figures=repeated("--figure", output.figures),
        output_options=repeated("-o", output.checks),
        library=LIBRARY_VERSION,
    message:
        "Check {wildcards.image}"
    shell:
        "cordinr check {input.images:q} {params.views} {params.output_options} {params.figures}"
        " --slices {output.slices:q} > {log:q} 2>&1"


rule aggregate_checks:
    """Gather what is known of all reconstructions in one table, with a dictionary of its columns.

    An image that is not complete has a row that says why.
    """
    input:
        index="<results>/inputs.tsv",
        checks=check_files,
        failed=ancient(["<results>/failed.tsv"] if failed_of_table() else []),
    output:
        table=report(
            "<results>/checks.tsv",
            caption="../report/checks.rst",
            category="Cohort",
            labels={"figure": "Trust without a reference"},
        ),
        dictionary="<results>/checks.json",
    log:
        "<results>/logs/aggregate_checks.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(output.table, parent=True),
        methods=options("--method", BASELINES + INRS + VARIANTS),
        failed=repeated("--failed", input.failed),
        reasons=failed_of_table(),
        library=LIBRARY_VERSION,
    message:
        "Gather all checks in {output.table}"
    shell:
        "cordinr aggregate-checks --index {input.index:q} --folder {params.folder:q} {params.methods}"
        " {params.failed} -o {output.table:q} > {log:q} 2>&1"
