"""The project about itself: versions and pages agree."""

import re

import yaml

import cordinr
from tests.helpers.support import ROOT


def test_the_citation_has_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == cordinr.__version__


def test_the_snakefile_stays_a_table_of_contents():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 80


def test_every_setting_is_explained():
    page = (ROOT / "docs/configuration.md").read_text()
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    sections = {"dataset", "fit", "baselines", "results"}
    keys = {*config, *(key for name in sections for key in config[name])} - sections
    assert [key for key in keys if f"`{key}`" not in page and f".{key}`" not in page] == []


def test_links_between_pages_lead_somewhere():
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
    links = {
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    }
    assert len(links) > 10
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_pages_diagrams_can_be_drawn_again():
    page = (ROOT / "docs/method.md").read_text()
    script = (ROOT / "docs/diagrams/__main__.py").read_text()
    shown = re.findall(r"\(([\w-]+)\.svg\)", page)
    assert shown and all(f'"{name}"' in script for name in shown)
