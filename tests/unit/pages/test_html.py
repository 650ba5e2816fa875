"""What a page is made of: escaped text, whole scripts, safe links."""

import base64
import hashlib
import re

from cordinr.figures.captions import Caption
from cordinr.files import write_json
from cordinr.pages.html import read_origin, relative_link, write_page
from cordinr.pages.index import CohortFigure, ImageRow
from cordinr.pages.ranking import best_scores

HOSTILE = '<b onclick="x">&\'</script><!--'
SOURCE = {"Name": HOSTILE, "Version": HOSTILE, "Commit": HOSTILE, "License": HOSTILE}


def test_text_is_escaped_and_scripts_are_whole(tmp_path, table):
    script = "const a = '</script><script>', b = /<!--/;"
    image = ImageRow(HOSTILE, HOSTILE, HOSTILE, best_scores(table, "sub-1"), 1.0, -4.0, True)
    figure = CohortFigure(Caption(HOSTILE, HOSTILE), "data:,", HOSTILE)
    path = tmp_path / "index.html"
    content = {"images": [image], "problems": [HOSTILE], "source": SOURCE, "figures": [figure]}
    write_page(path, "index.html.j2", [script], version="1", **content)
    text = path.read_text()
    assert "<b onclick" not in text and text.count("&lt;b onclick") >= 10
    body = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
    assert "<script" not in body and "<!--" not in body
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    for part in (body, style):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_links_are_paths_whatever_a_sidecar_says(tmp_path):
    folder = tmp_path / "set/sub-1/anat"
    folder.mkdir(parents=True)
    image = folder / "sub-1_desc-tv_T2w.nii.gz"
    write_json(tmp_path / "set/dataset_description.json", {"DatasetLinks": {"raw": "../raw"}})
    sources = [
        "bids::sub-1/a b.nii",
        "bids:raw:x.nii",
        "bids:no:x",
        "javascript:alert(1)",
        "https://x",
    ]
    write_json(folder / "sub-1_desc-tv_T2w.json", {"Sources": sources, "Software": 3})
    made = read_origin(image, tmp_path / "set/sub-1.html")
    assert made.href == "sub-1/anat/sub-1_desc-tv_T2w.nii.gz"
    assert dict(made.sources) == {
        "bids::sub-1/a b.nii": "sub-1/a%20b.nii",
        "bids:raw:x.nii": "../raw/x.nii",
        "bids:no:x": "",
        "javascript:alert(1)": "",
        "https://x": "",
    }
    assert made.software == {}
    assert relative_link(tmp_path / "set/a:b.nii", tmp_path / "set/p.html") == "a%3Ab.nii"
