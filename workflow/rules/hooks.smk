"""What happens before the first job of a run and after its last one. No rules."""


def start_of_run():
    """Cancel Slurm jobs that a killed run left, before others write the same files."""
    limit_reevaluation_timers(workflow)
    uses_slurm = not runs_jobs_itself(workflow) or Path(".snakemake/slurm_logs").exists()
    if FAILED or not uses_slurm:
        return
    try:
        cancel_left_jobs(Path.cwd(), is_alone=holds_lock(workflow))
    except InputError as error:
        raise WorkflowError(str(error)) from error


def end_of_good_run(log):
    """Remove the lists of what failed before, and say what the run did.

    A second run leaves the last word to the first. A run of some files alone leaves the lists.
    """
    if FAILED:
        return
    paths = ResultPaths(Path(dirname(rules.index.output.index)))
    if is_whole(workflow):
        paths.partial_table.unlink(missing_ok=True)
        paths.failed.unlink(missing_ok=True)
    if not is_silent(workflow):
        print_summary(paths, log)


def end_of_failed_run(log):
    """Make what does not need the images that failed, and say what the run did.

    Whatever goes wrong here must not hide what went wrong before.
    """
    if FAILED:
        return
    paths = ResultPaths(Path(dirname(rules.index.output.index)))
    warn_if_full(paths.results)
    if paths.index.exists():
        make_remainder(paths)
    print_summary(paths, log)


def print_summary(paths, log):
    """Print the jobs done and failed, the images without metrics, and the hours of the fits."""
    log_option = options("--log", log[:1])
    shell("cordinr summary {paths.results:q} {log_option} >&2 || true")


def make_remainder(paths):
    """After a failed run: the metrics that there are as a table, and all that can still be made."""
    outcome = read_outcome(workflow)
    if outcome is None:
        return
    try:
        rows = load_index(paths.index)
        images = failed_images(rows, outcome)
        save_failed(paths.failed, images)
        command = second_run(outcome, rows, images)
    except (InputError, OSError) as error:
        print_note(str(error))
        return
    if not ACQUIRED:
        shell(
            "cordinr aggregate --index {paths.index:q} --partial --failed {paths.failed:q}"
            " --folder {paths.results:q} {TABLE_OPTIONS} -o {paths.partial_table:q} >&2 || true"
        )
    if command:
        if not is_silent(workflow):
            print_note(
                f"{len(images)} of {len(rows)} images failed; now all that does not need them."
            )
        run_second(command, find_start_folder(workflow), paths.failed)


def warn_if_full(results):
    """Say that the disk is full: no log can, as nothing can be written to it."""
    free = shutil.disk_usage(results).free
    if free < 1_000_000:
        print(
            f"the disk of {results}/ is full ({free} bytes free): make room and run again.",
            file=sys.stderr,
        )
