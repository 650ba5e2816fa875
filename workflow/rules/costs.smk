rule costs:
    """Gather what Snakemake measured of each job in one table: seconds, memory, load.

    Benchmark files are no outputs; what the jobs have made says that all of them are there.
    """
    input:
        measured_results(),
    output:
        report(
            "<results>/benchmarks.tsv",
            caption="../report/costs.rst",
            category="Cohort",
            labels={"figure": "Time and memory of the jobs"},
        ),
    log:
        "<results>/logs/costs.log",
    localrule: True
    conda:
        "../../envs/cordinr.yaml"
    params:
        results=subpath(output[0], parent=True),
        library=LIBRARY_VERSION,
    message:
        "Gather the benchmarks in {output}"
    shell:
        "cordinr costs {params.results:q}/benchmarks -o {output:q} > {log:q} 2>&1"
