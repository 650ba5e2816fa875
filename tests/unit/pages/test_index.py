"""The index page of a run."""

import base64
import re

import pandas as pd
import pytest

from cordinr.datasets.index import IndexRow, save_index
from cordinr.evaluation.failed import Failed, save_failed
from cordinr.evaluation.table import TEXT_COLUMNS, column_dictionary, save_table, tabulate
from cordinr.files import write_json
from cordinr.pages.index import list_images, load_cohort_figures


def test_images_furthest_below_come_first_and_those_without_an_inr_last(table):
    several = [table.assign(image=table.image + f"x{k}") for k in range(2)]
    table = pd.concat(several, ignore_index=True)
    table.loc[table.image.eq("sub-3x1") & table.method.eq("inr"), "psnr_fov"] -= 20
    table = table[~(table.image.eq("sub-0x0") & table.method.eq("inr"))]
    rows = [IndexRow(name[4:], "", "", name, site="A") for name in sorted(set(table.image))]
    shown = list_images(rows, table)
    assert (shown[0].name, shown[0].href, shown[0].site) == ("sub-3x1", "sub-3x1.html", "A")
    assert shown[0].gain == pytest.approx(-19) and shown[0].best[1].label == "inrF64"
    assert shown[-1].name == "sub-0x0" and shown[-1].gain is shown[-1].z is None
    assert len(shown) == 10
    first = list_images(rows, table[table.method.ne("inr")])
    assert [each.name for each in first] == [row.image for row in rows]


def test_an_image_that_failed_leads_to_no_page(table):
    rows = [IndexRow(f"{k}", "", f"sub-{k}/anat", f"sub-{k}", path="T2w.nii.gz") for k in range(7)]
    shown = {each.name: each.href for each in list_images(rows, table, {"sub-3": "", "sub-5": ""})}
    assert shown["sub-3"] == "" and shown["sub-4"] == "sub-4.html"
    assert "sub-5" not in shown and shown["sub-6"] == "sub-6.html"


def test_the_index_page_says_who_failed_and_why(tmp_path, table, command):
    for name in column_dictionary():
        table[name] = table.get(name, "" if name in TEXT_COLUMNS else pd.NA)
    lost = {"image": "sub-9", "subject": "9", "problem": "its file is damaged"}
    save_table(tmp_path / "metrics.tsv", tabulate([*table.to_dict("records"), lost]))
    rows = [IndexRow(f"{k}", "", f"sub-{k}/anat", f"sub-{k}", path="x") for k in (0, 1, 9)]
    save_index(tmp_path / "inputs.tsv", rows)
    save_failed(tmp_path / "failed.tsv", [Failed("sub-1/anat", "sub-1", "page", "no room")])
    write_json(tmp_path / "source.json", {"Name": "phantom"})
    given = ["--index", tmp_path / "inputs.tsv", "--metrics", tmp_path / "metrics.tsv"]
    given += ["--failed", tmp_path / "failed.tsv", "--folder", tmp_path]
    code, _, said = command("index-page", *given, "-o", tmp_path / "index.html")
    assert code == 0, said
    page = (tmp_path / "index.html").read_text()
    assert "sub-9: its file is damaged" in page and "sub-1: no room" in page
    assert re.findall(r'href="(sub-\d\.html)"', page) == ["sub-0.html"]


def test_figures_lie_in_the_page_and_lead_to_their_numbers(tmp_path):
    path = tmp_path / "figures" / "time.svg"
    path.parent.mkdir()
    path.write_text("<svg/>")
    (shown,) = load_cohort_figures([path], tmp_path / "cordinr" / "index.html")
    assert shown.caption.title == "Quality against time"
    assert shown.numbers == "../figures/time.tsv"
    assert base64.b64decode(shown.picture.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
