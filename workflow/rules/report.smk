rule compare:
    """Draw one image: reference, views, baselines, the best INR and their errors."""
    input:
        inrs=recon_images(INRS),
        baselines=recon_images(BASELINES),
        metrics=expand(
            "<results>/metrics/{{folder}}/{{image}}_desc-{label}_metrics.json",
            label=INRS + BASELINES,
        ),
        views=view_images(),
        reference="<results>/reference/{folder}/{image}_reference.nii.gz",
        mask=optional_copy("cord"),
    output:
        report(
            "<results>/figures/{folder}/{image}_comparison.png",
            caption="../report/comparison.rst",
            category="Subjects",
            labels={"image": "{image}", "figure": IMAGE_CAPTIONS["comparison"].title},
        ),
    log:
        "<results>/logs/compare/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/compare/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=memory_for(input.reference),
        runtime=growing(10),
    params:
        baselines=repeated("--baseline", input.baselines),
        metrics=repeated("--metrics", input.metrics),
        views=repeated("--view", input.views),
        mask=repeated("--mask", input.mask),
        library=LIBRARY_VERSION,
    message:
        "Draw {wildcards.image}"
    shell:
        "cordinr compare {input.inrs:q} {params.baselines} {params.metrics} {params.views}"
        " --reference {input.reference:q} {params.mask} -o {output:q} > {log:q} 2>&1"


rule resolution:
    """Draw the best INR on the grid of the raw image and at every other voxel size.

    Where the dataset has a finer true image, also what the rendering got wrong.
    """
    input:
        inrs=recon_images(INRS) + finer_images(INRS),
        metrics=expand(
            "<results>/metrics/{{folder}}/{{image}}_desc-{label}_metrics.json",
            label=INRS,
        ),
        finer_metrics=metrics_of_finer,
        reference="<results>/reference/{folder}/{image}_reference.nii.gz",
        truth=truth_of_rendering,
        mask=optional_copy("cord"),
    output:
        report(
            "<results>/figures/{folder}/{image}_resolution.png",
            caption="../report/resolution.rst",
            category="Subjects",
            labels={"image": "{image}", "figure": IMAGE_CAPTIONS["resolution"].title},
        ),
    log:
        "<results>/logs/resolution/{folder}/{image}.log",
    benchmark:
        "<results>/benchmarks/resolution/{folder}/{image}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    resources:
        mem_mb=memory_for(input.reference),
        runtime=growing(10),
    params:
        metrics=repeated("--metrics", input.metrics),
        finer_metrics=repeated("--metrics", input.finer_metrics),
        truth=repeated("--truth", input.truth),
        mask=repeated("--mask", input.mask),
        library=LIBRARY_VERSION,
    message:
        "Draw {wildcards.image} at all voxel sizes"
    shell:
        "cordinr resolution {input.inrs:q} {params.metrics} {params.finer_metrics}"
        " --reference {input.reference:q} {params.truth} {params.mask} -o {output:q} > {log:q} 2>&1"


rule cohort:
    """Draw a figure of all images, and write what it shows as a table beside it."""
    input:
        metrics="<results>/metrics.tsv",
    output:
        figure=report(
            "<results>/figures/{figure}.svg",
            caption="../report/cohort.rst",
            category="Cohort",
            labels=figure_labels,
        ),
        numbers=report(
            "<results>/figures/{figure}.tsv",
            caption="../report/cohort.rst",
            category="Cohort",
            labels=number_labels,
        ),
    log:
        "<results>/logs/cohort/{figure}.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        caption=figure_caption,
        library=LIBRARY_VERSION,
    message:
        "Draw {output.figure}"
    shell:
        "cordinr cohort {input.metrics:q} --figure {wildcards.figure} -o {output.figure:q} > {log:q} 2>&1"
