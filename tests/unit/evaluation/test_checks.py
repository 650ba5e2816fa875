"""The table of what is known of reconstructions without a reference."""

import pytest

from cordinr.datasets.index import IndexRow
from cordinr.datasets.layout import ResultPaths
from cordinr.errors import InputError
from cordinr.evaluation.checks import (
    CHECK_COLUMNS,
    check_dictionary,
    collect_checks,
    problems_of_checks,
    tabulate_checks,
)
from cordinr.evaluation.failed import METRICS, PAGE, Failed
from cordinr.evaluation.table import IDENTITY_COLUMNS, save_table
from cordinr.files import write_json

ROWS = [
    IndexRow("01", "a", "sub-01/ses-a/anat", "sub-01_ses-a", path="x", site="here"),
    IndexRow("02", "", "sub-02/anat", "sub-02", path="x"),
    IndexRow("03", "", "sub-03/anat", "sub-03", problem="has no axial scan.", incomplete="ax"),
]


@pytest.fixture
def paths(tmp_path):
    """Results with the checks of two images by two methods, and what one of them cost."""
    paths = ResultPaths(tmp_path)
    for row in ROWS[:2]:
        for label, trust in (("tv", 0.6), ("inrF8", 0.7)):
            about = dict.fromkeys(IDENTITY_COLUMNS, "")
            about |= {"subject": row.subject, "session": row.session, "image": row.image}
            about |= {"desc": label, "fourier_dim": 8 if label == "inrF8" else None}
            about |= {"sigma": None, "seed": None, "voxel_size": 1.0}
            numbers = dict.fromkeys(CHECK_COLUMNS, 0.5)
            numbers |= {"verdict": "trusted", "trust": trust, "slices": 26}
            numbers |= {"slices_that_do_not_fit": 0}
            write_json(paths.check(row, label), about | numbers | {"version": "1", "stacks": []})
    write_json(paths.record(ROWS[0], "tv"), {"seconds": 3.5, "device": "cpu"})
    return paths


def test_every_image_and_method_has_a_row_and_who_has_none_a_reason(paths, tmp_path):
    table = tabulate_checks(collect_checks(ROWS, ["tv", "inrF8"], paths))
    assert list(table.columns) == list(check_dictionary())
    assert table["image"].tolist() == ["sub-01_ses-a"] * 2 + ["sub-02"] * 2 + ["sub-03"]
    assert table["trust"].tolist()[:4] == [0.6, 0.7, 0.6, 0.7]
    assert table["fit_seconds"].tolist()[0] == 3.5 and table["site"].tolist()[0] == "here"
    save_table(tmp_path / "checks.tsv", table)
    assert problems_of_checks(tmp_path / "checks.tsv") == [("sub-03", "has no axial scan.")]
    first = (tmp_path / "checks.tsv").read_text().splitlines()[1].split("\t")
    assert first[list(table.columns).index("slices")] == "26"
    assert first[list(table.columns).index("fourier_dim")] == "n/a"


def test_an_image_that_failed_has_its_reason_and_none_of_its_old_checks(paths):
    failed = [
        Failed("sub-01/ses-a/anat", "sub-01_ses-a", METRICS, "is truncated."),
        Failed("sub-02/anat", "sub-02", PAGE, "no font."),
    ]
    rows = collect_checks(ROWS, ["tv"], paths, failed)
    said = [(row["image"], row["problem"]) for row in rows]
    assert said == [
        ("sub-01_ses-a", "is truncated."),
        ("sub-02", None),
        ("sub-03", "has no axial scan."),
    ]


def test_what_is_missing_or_no_check_is_named(paths, tmp_path):
    with pytest.raises(InputError, match=r"sub-01_ses-a_desc-cubic_check\.json: no such file"):
        collect_checks(ROWS, ["cubic"], paths)
    write_json(paths.check(ROWS[1], "tv"), {"image": "sub-02"})
    with pytest.raises(
        InputError, match=r"desc-tv_check\.json: has no subject; let `cordinr check"
    ):
        collect_checks(ROWS, ["tv"], paths)
    (tmp_path / "other.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match=r"other\.tsv: is not a table of checks"):
        problems_of_checks(tmp_path / "other.tsv")
