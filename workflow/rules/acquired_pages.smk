rule page_acquired:
    """Write the page of the scans of a subject and session: verdict, viewer, residuals, poses.

    One file that opens from disk. Where the viewer is not installed it has the pictures alone.
    """
    input:
        images=of_set(recon_images(PAGE_ORDER)),
        sidecars=of_set(recon_images(PAGE_ORDER, ".json")),
        spreads=of_set(recon_images(uncertainty_labels(BASELINES + INRS))),
        checks=of_set(check_patterns(PAGE_ORDER)),
        figures=of_set(residual_figures(PAGE_ORDER)),
        views=views_of_set(".nii.gz"),
        view_sidecars=views_of_set(".json"),
        source="<results>/source.json",
        description="<results>/cordinr/dataset_description.json",
    output:
        "<results>/cordinr/sub-{subject}.html",
    log:
        "<results>/logs/page/sub-{subject}.log",
    wildcard_constraints:
        subject=SET_PATTERN.removeprefix("sub-"),
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        checks=repeated("--check", input.checks),
        figures=repeated("--figure", input.figures),
        views=repeated("--view", input.views),
        viewer=options("--viewer", [NIIVUE] if NIIVUE.exists() else []),
        library=LIBRARY_VERSION,
    message:
        "Write the page of {wildcards.subject}"
    shell:
        "cordinr page-acquired {input.images:q} {params.checks} {params.figures} {params.views}"
        " --source {input.source:q} --index index.html {params.viewer} -o {output:q} > {log:q} 2>&1"


rule index_acquired:
    """Write the page that leads to the pages of all scans, the least trusted first.

    After them, so that it leads to none that failed; a change of their content does not make it
    anew. A second run has no other after it: there it is made whatever becomes of a page.
    """
    input:
        checks=check_files,
        source="<results>/source.json",
        index="<results>/inputs.tsv",
        pages=[] if FAILED else ancient(without_pathvars(acquired_pages)),
        failed=ancient(["<results>/failed.tsv"] if FAILED else []),
    output:
        "<results>/cordinr/index.html",
    log:
        "<results>/logs/index_acquired.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        failed=repeated("--failed", input.failed),
        reasons=failed_of_table() + failed_pages(),
        library=LIBRARY_VERSION,
    message:
        "Write the page that leads to all others"
    shell:
        "cordinr index-acquired {input.checks:q} --source {input.source:q} --index {input.index:q}"
        " {params.failed} -o {output:q} > {log:q} 2>&1"
