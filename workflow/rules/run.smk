"""What happens before the first job of a run and after its last one."""


def cancel_left_jobs():
    """Cancel the Slurm jobs that a killed run left, before others write the same files."""
    if FAILED:
        return
    if workflow.local_exec and not Path(".snakemake/slurm_logs").exists():
        return
    try:
        cancel_jobs_of(Path.cwd())
    except InputError as error:
        raise WorkflowError(str(error)) from error


def end_of_run(log, failed):
    """Say what the run did; after one that failed, make what does not need the images that did.

    A second run after a failed one leaves the last word to the first. A run of some files alone
    leaves the lists of what failed before.
    """
    index = rules.index.output.index
    results = dirname(index)
    paths = ResultPaths(Path(results))
    partial, broken = paths.partial_table, paths.failed
    if FAILED:
        return
    if not failed:
        if is_whole(workflow):
            partial.unlink(missing_ok=True)
            broken.unlink(missing_ok=True)
        if Quietness.ALL in (workflow.output_settings.quiet or []):
            return
    # Whatever goes wrong here must not hide what went wrong before.
    if failed:
        say_if_full(results)
        if Path(index).exists():
            go_on(index, results, partial, broken)
    run = options("--log", log[:1])
    shell("cordinr summary {results:q} {run} >&2 || true")


def go_on(index, results, partial, broken):
    """After a failed run: what there is as a table of its own, and all that can still be made."""
    try:
        rows = load_index(index)
        images = note_failed(workflow, rows, broken)
        command = second_run(workflow, rows, images)
    except (InputError, OSError, AttributeError) as error:  # the last: another Snakemake
        print(f"note: {error}", file=sys.stderr)
        return
    shell(
        "cordinr aggregate --index {index:q} --partial --failed {broken:q} --folder {results:q}"
        " {TABLE_OPTIONS} -o {partial:q} >&2 || true"
    )
    if command:
        if Quietness.ALL not in (workflow.output_settings.quiet or []):
            print(
                f"note: {len(images)} of {len(rows)} images failed; now all that does not need them.",
                file=sys.stderr,
            )
        follow(command, started_in(workflow), broken)


def say_if_full(results):
    """A full disk leaves empty logs, so that nobody else can say it."""
    free = shutil.disk_usage(results).free
    if free < 1_000_000:
        print(
            f"the disk of {results}/ is full ({free} bytes free): make room and run again.",
            file=sys.stderr,
        )
