"""What happens before the first job of a run and after its last one."""


def cancel_left_jobs():
    """Cancel the Slurm jobs that a killed run left, before others write the same files."""
    if workflow.local_exec and not Path(".snakemake/slurm_logs").exists():
        return
    try:
        cancel_jobs_of(Path.cwd())
    except InputError as error:
        raise WorkflowError(str(error)) from error


def end_of_run(log, failed):
    """Say what the run did; of one that failed, also put what there is into the table of metrics.

    A rule could not do that, as it waits for all its inputs. The table lacks its dictionary, so
    that the rule makes it anew as soon as nothing is missing.
    """
    index = rules.index.output.index
    results = dirname(index)
    if not failed and Quietness.ALL in (workflow.output_settings.quiet or []):
        return
    # Whatever goes wrong here must not hide what went wrong before.
    if failed:
        say_if_full(results)
        if Path(index).exists():
            shell(
                "cordinr aggregate --index {index:q} --partial --folder {results:q}"
                " {TABLE_OPTIONS} -o {results:q}/metrics.tsv >&2 || true"
            )
    run = options("--log", log[:1])
    shell("cordinr summary {results:q} {run} >&2 || true")


def say_if_full(results):
    """A full disk leaves empty logs, so that nobody else can say it."""
    free = shutil.disk_usage(results).free
    if free < 1_000_000:
        print(
            f"the disk of {results}/ is full ({free} bytes free): make room and run again.",
            file=sys.stderr,
        )
