rule save:
    """Save the derivatives as a DataLad dataset, each job in a commit that can be run again.

    Only where `results.datalad` asks for it. The images are unlocked, so that later runs may
    replace them; what they replace is saved by the next commit.
    """
    input:
        "<results>/cordinr/dataset_description.json",
        FIT_SETTINGS,
        per_image(view_images()),
        per_image(recon_images(BASELINES + INRS + VARIANTS + uncertainty_labels(INRS + VARIANTS))),
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
