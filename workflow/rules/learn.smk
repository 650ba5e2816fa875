rule learn:
    """Learn a prior from the references of all people who are not in one fold: one job per fold.

    Only where `prior: folds` asks for it. The index says who is in which fold, so that the command
    learns from the same people as this rule names as its input. The priors lie in the derivatives
    dataset, whose commands name them. Learning that was stopped goes on from a hidden file beside
    the prior, which is not an output and is removed at the end.
    """
    input:
        references=references_outside_fold,
        start=LEARN_START_FILES,
        index=INDEX,
    output:
        FOLD_PRIOR,
    log:
        f"<results>/logs/learn/{FOLD_NAME}.log",
    benchmark:
        f"<results>/benchmarks/learn/{FOLD_NAME}.tsv"
    wildcard_constraints:
        fold=r"[1-9][0-9]*",
    priority: 2  # before the fits, which wait for it
    conda:
        "../../envs/cordinr.yaml"
    threads: config["fit_threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        mem_mb=learn_memory,
        runtime=learn_time,
    params:
        results=subpath(input.index, parent=True),
        folds=config["learn"]["folds"],
        settings=LEARN_OPTIONS,
        examples=example_option,
        dataset=DATASET,
        device=config["device"],
        library=LIBRARY_VERSION,
    message:
        "Learn a prior without the people of fold {wildcards.fold}"
    shell:
        # `exec`: so that SIGTERM comes to what writes its state before it ends.
        "exec cordinr learn {params.results:q} --dataset {params.dataset:q} --no-score"
        " --fold {wildcards.fold}/{params.folds} {params.settings} {params.examples}"
        " --device {params.device} --threads {threads} -o {output:q} > {log:q} 2>&1"
