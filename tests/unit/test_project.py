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
    sections = {"dataset", "fit", "learn", "baselines", "results"}
    keys = {*config, *(key for name in sections for key in config[name])} - sections
    assert [key for key in keys if f"`{key}`" not in page and f".{key}`" not in page] == []


def test_links_between_pages_lead_somewhere():
    pages = [
        page for folder in (".", "docs", "benchmarks") for page in (ROOT / folder).glob("*.md")
    ]
    links = [
        (page, path, anchor)
        for page in pages
        for path, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text())
    ]
    assert len(links) > 50
    lost = [(page.name, path) for page, path, _ in links if not (page.parent / path).exists()]
    assert lost == []
    for page, path, anchor in links:
        other = page.parent / path if path else page
        if anchor and other.suffix == ".md":
            assert anchor in anchors(other), (page.name, path, anchor)


def anchors(page):
    """Of the headings of a page, as GitHub and the site make them."""
    titles = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_changelog_has_the_version():
    versions = re.findall(r"(?m)^## (\S+) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text())
    assert versions[0] == cordinr.__version__
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(numbers, reverse=True)


def test_the_pages_diagrams_can_be_drawn_again():
    page = (ROOT / "docs/method.md").read_text()
    script = (ROOT / "docs/diagrams/__main__.py").read_text()
    shown = re.findall(r"\(([\w-]+)\.svg\)", page)
    assert shown and all(f'"{name}"' in script for name in shown)
