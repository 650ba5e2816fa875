rule describe:
    """Write the files at the root of the derivatives dataset."""
    input:
        "<results>/source.json",
    output:
        "<results>/cordinr/dataset_description.json",
        "<results>/cordinr/README",
        "<results>/cordinr/descriptions.tsv",
        "<results>/cordinr/descriptions.json",
        "<results>/cordinr/.bidsignore",
        f"<results>/cordinr/{SUFFIX}.json",
    log:
        "<results>/logs/describe.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(output[0], parent=True),
        link="sourcedata/raw" if DATALAD else f"../sourcedata/{config['dataset']['name']}",
        methods=options(
            "--method",
            [
                "aligned" if ACQUIRED else "simulated",
                *BASELINES,
                *INRS,
                *VARIANTS,
                *uncertainty_labels(BASELINES + INRS + VARIANTS),
            ],
        ),
        suffix=SUFFIX,
        library=LIBRARY_VERSION,
    message:
        "Describe the derivatives"
    shell:
        "cordinr describe {params.folder:q} --source {input:q} --link {params.link:q}"
        " {params.methods} --suffix {params.suffix} > {log:q} 2>&1"


rule save:
    """Save the derivatives as a DataLad dataset, each job in a commit that can be run again.

    Only where `results.datalad` asks for it. The images are unlocked, so that later runs may
    replace them; what they replace is saved by the next commit.
    """
    input:
        "<results>/cordinr/dataset_description.json",
        FIT_SETTINGS,
        all_views,
        per_image(recon_images(BASELINES + INRS + VARIANTS)),
        per_image(recon_images(uncertainty_labels(BASELINES + INRS + VARIANTS))),
        per_image(finer_images(INRS + uncertainty_labels(INRS))),
    output:
        "<results>/datalad.json",
    log:
        "<results>/logs/save.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        folder=subpath(input[0], parent=True),
        raw=clone_beside(output[0]),
        version=config["dataset"]["version"],
        library=LIBRARY_VERSION,
    message:
        "Save the derivatives in DataLad"
    shell:
        "cordinr save {params.folder:q} --raw {params.raw:q} -o {output:q} > {log:q} 2>&1"
