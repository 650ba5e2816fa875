rule page:
    """Write the page of a subject: its images in a viewer, its scores among those of all images.

    One file that opens from disk. Where the viewer is not installed it has the pictures alone.
    """
    input:
        per_image(["<results>/reference/{folder}/{image}_reference.nii.gz"]),
        per_image(view_images() + view_images(".json")),
        per_image(recon_images(BASELINES + INRS + uncertainty_labels(BASELINES + INRS))),
        per_image(recon_images(BASELINES + INRS, ".json")),
        per_image(image_figures()),
        per_image(fit_records()),
        masks_of_subject,
        "<results>/source.json",
        "<results>/cordinr/dataset_description.json",
        index="<results>/inputs.tsv",
        metrics="<results>/metrics.tsv",
    output:
        "<results>/cordinr/sub-{subject}.html",
    log:
        "<results>/logs/page/sub-{subject}.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(input.index, parent=True),
        views=options("--view", VIEWS),
        figures=options("--figure", FIGURES),
        viewer=options("--viewer", [NIIVUE] if NIIVUE.exists() else []),
        suffix=SUFFIX,
        library=LIBRARY_VERSION,
    message:
        "Write the page of {wildcards.subject}"
    shell:
        "cordinr page {wildcards.subject} --folder {params.folder:q} --index {input.index:q} --metrics {input.metrics:q}"
        " {params.views} {params.figures} --suffix {params.suffix} {params.viewer} -o {output:q} > {log:q} 2>&1"


rule index_page:
    """Write the page that leads to the pages of all subjects.

    After them, so that it leads to none that failed; a change of their content does not make it
    anew.
    A second run has no other after it: there it is made whatever becomes of a page.
    """
    input:
        "<results>/source.json",
        index="<results>/inputs.tsv",
        metrics="<results>/metrics.tsv",
        figures=without_pathvars(cohort_figures),
        pages=[] if FAILED else ancient(without_pathvars(pages)),
        failed=ancient(["<results>/failed.tsv"] if failed_pages() else []),
    output:
        "<results>/cordinr/index.html",
    log:
        "<results>/logs/index_page.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(input.index, parent=True),
        figures=repeated("--figure", input.figures),
        failed=repeated("--failed", input.failed),
        reasons=failed_pages(),
        library=LIBRARY_VERSION,
    message:
        "Write the page that leads to all others"
    shell:
        "cordinr index-page --folder {params.folder:q} --index {input.index:q} --metrics {input.metrics:q}"
        " {params.figures} {params.failed} -o {output:q} > {log:q} 2>&1"
