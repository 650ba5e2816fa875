rule fit_settings:
    """Write the settings under which every INR is fitted, so that a change of them is seen.

    They lie in the derivatives dataset, whose commands name them.
    """
    output:
        FIT_SETTINGS,
    log:
        "<results>/logs/fit_settings.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        settings=verbatim(yaml.safe_dump({"fit": config["fit"]}, sort_keys=True)),
    message:
        "Write the settings of the fits"
    shell:
        "printf %s {params.settings:q} > {output:q} 2> {log:q}"


rule fit:
    """Fit one INR to the views of an image: one job per image and Fourier dimension.

    Where the configuration asks for further sigmas or seeds, a label ends in what differs. A fit
    that was stopped goes on from a checkpoint beside the model, which is not an output and is
    removed at the end.
    """
    input:
        views=view_images(),
        sidecars=view_images(".json"),
        settings=FIT_SETTINGS,
        prior=prior_files,
    output:
        model="<results>/models/{folder}/{image}_desc-inrF{dim}{variant}_model.safetensors",
        record="<results>/records/{folder}/{image}_desc-inrF{dim}{variant}_fit.json",
    log:
        "<results>/logs/fit/{folder}/{image}_desc-inrF{dim}{variant}.log",
    benchmark:
        "<results>/benchmarks/fit/{folder}/{image}_desc-inrF{dim}{variant}.tsv"
    wildcard_constraints:
        variant=f"({VARIANT_PATTERN})?",
    priority: 1  # before further downloads
    conda:
        "../../envs/cordinr.yaml"
    threads: config["fit_threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        mem_mb=fit_memory,
        runtime=fit_time,
    params:
        variant=variant_options,
        prior=prior_parameter(FIT_PRIOR, input.prior),
        device=config["device"],
        library=LIBRARY_VERSION,
    message:
        "Fit {wildcards.image}, F = {wildcards.dim} {params.variant}"
    shell:
        # `exec`: a shell would end at SIGTERM before the fit has written its checkpoint, and with the
        # job's last process Slurm ends all of it.
        "exec cordinr fit {input.views:q} --fourier-dim {wildcards.dim} --config {input.settings:q}"
        " {params.variant} {params.prior} --device {params.device} --threads {threads}"
        " --record {output.record:q} -o {output.model:q} > {log:q} 2>&1"
