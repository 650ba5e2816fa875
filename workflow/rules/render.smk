rule render:
    """Render an INR on the grid of the raw image and at every other voxel size, in one job.

    Of the reference only the grid is read: affine and shape. For acquired scans, which have none,
    the first rendering is as fine as the finest of them.
    """
    input:
        model="<results>/models/{folder}/{image}_desc-inrF{dim}_model.safetensors",
        grid=grid_images(),
        index=INDEX,
    output:
        images=recon_images("inrF{dim}") + finer_images("inrF{dim}"),
        sidecars=recon_images("inrF{dim}", ".json") + finer_images("inrF{dim}", ".json"),
        uncertainty_maps=recon_images(uncertainty_labels(["inrF{dim}"]))
        + finer_images(uncertainty_labels(["inrF{dim}"])),
        uncertainty_sidecars=recon_images(uncertainty_labels(["inrF{dim}"]), ".json")
        + finer_images(uncertainty_labels(["inrF{dim}"]), ".json"),
        record="<results>/records/{folder}/{image}_desc-inrF{dim}_render.json",
    log:
        "<results>/logs/render/{folder}/{image}_desc-inrF{dim}.log",
    benchmark:
        "<results>/benchmarks/render/{folder}/{image}_desc-inrF{dim}.tsv"
    conda:
        "../../envs/cordinr.yaml"
    threads: config["fit_threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        mem_mb=memory_for(input.grid),
        runtime=growing(30),
    params:
        like=like_option(input.grid),
        voxel_options=options("--voxel", config["voxel_sizes"]),
        output_options=repeated("-o", output.images),
        device=config["device"],
        command=render_command,
        library=LIBRARY_VERSION,
    message:
        "Render {wildcards.image}, F = {wildcards.dim}"
    shell:
        "cordinr render {input.model:q} {params.like} {params.voxel_options} {params.output_options}"
        " --device {params.device} --threads {threads} --record {output.record:q}"
        " --command {params.command:q} > {log:q} 2>&1"


use rule render as render_variant with:
    """Render an INR of another sigma or seed on the grid of the raw image, to be evaluated."""
    input:
        model="<results>/models/{folder}/{image}_desc-inrF{dim}{variant}_model.safetensors",
        grid=grid_images(),
        index=INDEX,
    output:
        images=recon_images("inrF{dim}{variant}"),
        sidecars=recon_images("inrF{dim}{variant}", ".json"),
        uncertainty_maps=recon_images(uncertainty_labels(["inrF{dim}{variant}"])),
        uncertainty_sidecars=recon_images(uncertainty_labels(["inrF{dim}{variant}"]), ".json"),
        record="<results>/records/{folder}/{image}_desc-inrF{dim}{variant}_render.json",
    log:
        "<results>/logs/render/{folder}/{image}_desc-inrF{dim}{variant}.log",
    benchmark:
        "<results>/benchmarks/render/{folder}/{image}_desc-inrF{dim}{variant}.tsv"
    wildcard_constraints:
        variant=VARIANT_PATTERN,
    params:
        like=like_option(input.grid),
        voxel_options="",
        output_options=repeated("-o", output.images),
        device=config["device"],
        command=render_command,
        library=LIBRARY_VERSION,
    message:
        "Render {wildcards.image}, F = {wildcards.dim} {wildcards.variant}"
