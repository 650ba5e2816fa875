"""What is said at the end of a run, and the table of what its jobs took."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from cordinr.bids.cord_mask import CORD_PROBLEM_KEY
from cordinr.datasets.index import IndexRow, load_index, save_index
from cordinr.errors import InputError
from cordinr.evaluation.benchmarks import read_job_costs
from cordinr.evaluation.failed import Failed, save_failed
from cordinr.evaluation.table import load_table, save_table, tabulate
from cordinr.files import write_json
from cordinr.run.snakemake_log import Failure, parse_log
from cordinr.run.summary import fit_hours, summarise, why_missing

RUN = """\
[Mon Nov 23 22:12:28 2026]
Job 13: Fetch reference of sub-01
[Mon Nov 23 22:12:31 2026]
Error in rule fetch:
    message: None
    jobid: 13
    input: results/inputs.tsv
    log: {folder}/fetch.log (check log file(s) for error details)
    shell:
        cordinr fetch
    jobid: 99
[Mon Nov 23 22:12:31 2026]
Error in rule fit:
    jobid: 14
    log: {folder}/fit.log, {folder}/more.log (check log file(s) for error details)
Trying to restart job 14.
[Mon Nov 23 22:12:32 2026]
Error in rule render:
    jobid: 15
[Mon Nov 23 22:12:33 2026]
Finished jobid: 14 (Rule: fit)
2 of 9 steps (22%) done
Finished jobid: 7 (Rule: all)
"""


def test_a_job_that_succeeded_when_tried_again_has_not_failed():
    run = parse_log(RUN.format(folder="logs"))
    assert run.finished == ["fit", "all"]
    assert run.failures == [Failure("fetch", (Path("logs/fetch.log"),)), Failure("render")]


def test_the_first_failure_is_shown_with_the_end_of_its_log(tmp_path):
    (tmp_path / "fetch.log").write_text("\n".join(f"line {number}" for number in range(40)))
    run = tmp_path / "snakemake.log"
    run.write_text(RUN.format(folder=tmp_path))
    lines = list(summarise(tmp_path, run, [("sub-02", "is not in the dataset")]))
    assert lines[0] == "2 jobs done, 2 failed."
    assert lines[1] == f"failed: fetch, log: {tmp_path}/fetch.log"
    assert lines[2:12] == [f"    line {number}" for number in range(30, 40)]
    assert lines[12:] == ["failed: render, log: none", "missing: sub-02: is not in the dataset"]


def test_the_scheduler_is_asked_where_the_job_wrote_no_log(tmp_path):
    (tmp_path / "more.log").write_text("slurmstepd: error: out of memory\n")
    run = tmp_path / "snakemake.log"
    run.write_text(RUN.format(folder=tmp_path).split("Trying")[0])
    lines = list(summarise(tmp_path, run, []))
    assert "    slurmstepd: error: out of memory" not in lines  # only the first one in full
    run.write_text(run.read_text().split("cordinr fetch")[1].partition("jobid: 99\n")[2])
    lines = list(summarise(tmp_path, run, []))
    assert lines[1:] == [
        f"failed: fit, log: {tmp_path}/fit.log, {tmp_path}/more.log",
        "    slurmstepd: error: out of memory",
    ]


def test_nothing_is_said_of_nothing(tmp_path):
    assert list(summarise(tmp_path, tmp_path / "no.log", [])) == []
    assert list(summarise(tmp_path, None, [])) == []


def test_hours_are_summed_over_fits_of_inrs(tmp_path):
    records = {
        "sub-01_desc-inrF8_fit": (1800, "cpu"),
        "sub-01_desc-inrF16_fit": (5400, "NVIDIA H200"),
        "sub-01_desc-inrF16_render": (9999, "cpu"),
        "sub-01_desc-tv_fit": (9999, "cpu"),
    }
    for name, (seconds, device) in records.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"seconds": seconds, "device": device}))
    assert fit_hours(tmp_path) == (2, 2.0, 1.5)


def test_the_newest_log_of_the_image_itself_says_why_it_is_missing(tmp_path):
    image = IndexRow("01", "", "sub-01/anat", "sub-01", path="sub-01/anat/sub-01_T2w.nii.gz")
    logs = {
        "fetch/sub-01/anat/sub-01_reference.log": "note: slow\ncordinr: error: old\n",
        "fit/sub-01/anat/sub-01_desc-inrF8.log": "cordinr: error: the loss is nan\n",
        "fit/sub-01/anat/sub-01_desc-inrF16.log": "F=16 step 3/5\n",
        "fit/sub-01/anat/sub-01_acq-hi_desc-inrF8.log": "cordinr: error: of another image\n",
    }
    assert why_missing(image, tmp_path) == "its jobs were not done; run again."
    for age, (name, text) in enumerate(logs.items()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1000 + age, 1000 + age))
    assert why_missing(image, tmp_path) == "the loss is nan"


@pytest.fixture
def results(tmp_path):
    """An index of a good image, one without metrics and a subject without image; the metrics."""
    rows = [IndexRow(k, "", f"sub-{k}/anat", f"sub-{k}", path="T2w.nii.gz") for k in ("01", "02")]
    rows.append(IndexRow("03", "", "sub-03/anat", "sub-03", problem="has no T2w image"))
    save_index(tmp_path / "inputs.tsv", rows)
    metrics = {
        "subject": "01",
        "session": "",
        "image": "sub-01",
        "method": "tv",
        "desc": "tv",
        "res": "",
    }
    figures = {"fourier_dim": None, "voxel_size": 0.8, "psnr_fov": 30.0}
    path = tmp_path / "metrics/sub-01/anat/sub-01_desc-tv_metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(metrics | figures))
    return tmp_path


def aggregate(command, results, *more, to="metrics.tsv"):
    given = ["--index", results / "inputs.tsv", "--folder", results, "--method", "tv"]
    return command("aggregate", *given, *more, "-o", results / to)


def test_a_partial_table_is_a_file_of_its_own_that_says_what_is_missing(command, results):
    (results / "metrics.json").write_text("{}")
    assert "no such file" in aggregate(command, results)[2]
    assert aggregate(command, results, "--partial", to="metrics_partial.tsv")[0] == 0
    table = load_table(results / "metrics_partial.tsv")
    assert list(table.problem) == ["", "its jobs were not done; run again.", "has no T2w image"]
    assert list(table.subject) == ["01", "02", "03"] and table.psnr_fov.count() == 1
    assert {path.name for path in results.glob("metrics*.*")} == {
        "metrics.json",
        "metrics_partial.tsv",
    }
    assert (results / "metrics.json").read_text() == "{}"


def test_the_table_leaves_out_what_failed_and_says_why(command, results):
    """Metrics of an earlier run may lie there; those of an image without figures are good."""
    failed = results / "failed.tsv"
    lost = Failed("sub-02/anat", "sub-02", "metrics", "the fit was killed")
    undrawn = Failed("sub-01/anat", "sub-01", "figures", "no font")
    save_failed(failed, [lost, undrawn])
    assert aggregate(command, results, "--failed", failed)[0] == 0
    table = load_table(results / "metrics.tsv")
    rows = list(zip(table.subject, table.psnr_fov.notna(), table.problem, strict=True))
    assert rows == [
        ("01", False, "no font"),
        ("01", True, ""),
        ("02", False, "the fit was killed"),
        ("03", False, "has no T2w image"),
    ]
    save_failed(failed, [dataclasses.replace(undrawn, lacks="metrics"), lost])
    assert aggregate(command, results, "--failed", failed)[0] == 0
    assert load_table(results / "metrics.tsv").psnr_fov.isna().all()
    save_failed(failed, [dataclasses.replace(undrawn, lacks="page"), lost])
    assert aggregate(command, results, "--failed", failed)[0] == 0
    assert load_table(results / "metrics.tsv").problem.iloc[0] == ""
    assert aggregate(command, results, "--partial", "--failed", failed)[0] == 0
    table = load_table(results / "metrics.tsv")
    problems = ["no font", "", "the fit was killed", "has no T2w image"]
    assert list(table.problem) == problems and table.psnr_fov.count() == 1


def test_the_summary_names_what_the_table_misses(command, results):
    assert aggregate(command, results, "--partial", to="metrics_partial.tsv")[0] == 0
    code, out, _ = command("summary", results)
    assert code == 0 and "missing: sub-03: has no T2w image\n" in out
    save_table(results / "metrics.tsv", tabulate([]))
    assert "missing: sub-02: its jobs were not done" in command("summary", results)[1]
    (results / "metrics_partial.tsv").unlink()
    assert command("summary", results) == (0, "", "")


def test_the_summary_counts_the_masks_of_no_use_and_says_how_to_try_again(command, tmp_path):
    rows = [
        IndexRow(f"{k}", "", f"sub-{k}/anat", f"sub-{k}", path="T2w.nii.gz", mask="seg.nii.gz")
        for k in range(6)
    ]
    save_index(tmp_path / "inputs.tsv", [*rows[:5], dataclasses.replace(rows[5], mask="")])
    for row in rows:  # of the first the mask is good; the last has lost its mask since
        stated = (
            {"Problem": "of the scanner"}
            if row.subject == "0"
            else {CORD_PROBLEM_KEY: "No network."}
        )
        write_json(tmp_path / "reference" / row.folder / f"{row.image}_cord.json", stated)
    code, out, _ = command("summary", tmp_path)
    first, *named = out.splitlines()
    assert code == 0
    assert first == "4 cord masks are of no use: their images have no metrics of the cord."
    assert [line.split(":")[1] for line in named] == [" sub-1", " sub-2", " sub-3"]
    mask = tmp_path / "reference/sub-1/anat/sub-1_cord.nii.gz"
    assert named[0] == (
        f"no cord: sub-1: No network. To try again, run `snakemake --cores all --forcerun {mask}`."
    )


def test_an_index_without_an_image_for_all_is_a_failure(command, results):
    code, _, said = command("found", results / "inputs.tsv")
    assert code == 1 and "inputs.tsv: 1 of 3 have no image (sub-03)" in said
    save_index(results / "inputs.tsv", load_index(results / "inputs.tsv")[:2])
    assert command("found", results / "inputs.tsv") == (0, "", "")


MEASURED = "s\th:m:s\tmax_rss\tmean_load\tcpu_time\n{}\t0:00:12\t300.5\t-\t4.0\n"


def test_benchmarks_become_one_table(command, tmp_path):
    for name, seconds in {"fit/sub-01/anat/b": 2.5, "fit/sub-01/anat/a": 11.89, "index": 1}.items():
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MEASURED.format(seconds))
    (tmp_path / "benchmarks/index.tsv").rename(tmp_path / "benchmarks/fit/index.tsv")
    assert command("costs", tmp_path / "benchmarks", "-o", tmp_path / "all.tsv")[0] == 0
    lines = (tmp_path / "all.tsv").read_text().splitlines()
    assert lines[0] == "rule\tfolder\tjob\ts\th:m:s\tmax_rss\tmean_load\tcpu_time"
    assert lines[2] == "fit\tsub-01/anat\ta\t11.89\t0:00:12\t300.5\tn/a\t4"
    assert [line.split("\t")[2] for line in lines[1:]] == ["index", "a", "b"]


@pytest.mark.parametrize("text", ["", "other\ttable\n1\t2\n", "\x00\x01"])
def test_what_is_no_benchmark_is_named(tmp_path, text):
    path = tmp_path / "fit" / "bad.tsv"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.tsv: is not a benchmark file of Snakemake"):
        read_job_costs(tmp_path)
    path.unlink()
    with pytest.raises(InputError, match="holds no benchmarks"):
        read_job_costs(tmp_path)
