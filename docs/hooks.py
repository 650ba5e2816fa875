"""Hooks of mkdocs: pages that lie outside docs/, and the reference of the library.

Links of the pages lead to files of the repository. On the site those to another page stay, those
to a module lead to its reference, and those to any other file become plain text, unless mkdocs.yml
says with `repo_url` where people can see it.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
LIBRARY = "workflow/cordinr"

ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
} | {f"benchmarks/{path.name}": f"benchmarks/{path.name}" for path in ROOT.glob("benchmarks/*.md")}
"""Address within the site of each page that lies outside docs/, by its path in the repository."""

LINK = re.compile(r"(?<=\])\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
LABELLED = re.compile(r"\[([^\[\]]*)\]\(outside:\)")


def on_config(config: MkDocsConfig) -> None:
    """Add the measurements and the reference to the navigation."""
    measured = [page for path, page in ELSEWHERE.items() if path.startswith("benchmarks/")]
    reference = sorted(reference_pages())
    config.nav = [*(config.nav or []), {"Measurements": sorted(measured)}, {"Reference": reference}]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of elsewhere, their pictures, and the reference."""
    for path, page in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text()))
    for picture in ROOT.glob("benchmarks/*.png"):
        name = f"benchmarks/{picture.name}"
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    for page, content in reference_pages().items():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where their files are on the site."""
    here = page.file.src_uri
    source = next((path for path, uri in ELSEWHERE.items() if uri == here), f"docs/{here}")
    folder = posixpath.dirname(source)

    def on_site(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[1]))
        uri = address(path)
        if uri:
            return f"({os.path.relpath(uri, posixpath.dirname(here) or '.')}{link[2] or ''})"
        if not (ROOT / path).exists():
            return link[0]  # mkdocs warns of it
        return (
            f"({config.repo_url.rstrip('/')}/blob/main/{path})" if config.repo_url else "(outside:)"
        )

    return LABELLED.sub(r"\1", LINK.sub(on_site, markdown))


def address(path: str) -> str | None:
    """Address within the site of a file of the repository; None if the site does not have it."""
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    if path.startswith("docs/") and not path.endswith(".py") and (ROOT / path).is_file():
        return path.removeprefix("docs/")
    if path.startswith("benchmarks/") and path.endswith(".png"):
        return path
    if path.startswith(f"{LIBRARY}/") and path.endswith(".py"):
        parts = Path(path).relative_to(LIBRARY).with_suffix("").parts
        name = ".".join(("cordinr", *parts)).removesuffix(".__init__")
        return f"{page_of(parts)}#{name}"
    if path.startswith(f"{LIBRARY}/") and (ROOT / path / "__init__.py").is_file():
        return page_of((Path(path).name, "__init__"))
    return None


def page_of(parts: tuple[str, ...]) -> str:
    """The page of the reference that has a module, given the parts of its name."""
    return f"api/{parts[0] if len(parts) > 1 else 'ground'}.md"


def reference_pages() -> dict[str, str]:
    """Markdown of the reference: a page per package, and one of the modules beside them."""
    pages: dict[str, list[str]] = {}
    for path in sorted((ROOT / LIBRARY).rglob("*.py")):
        parts = path.relative_to(ROOT / LIBRARY).with_suffix("").parts
        if parts[-1] != "__main__":
            name = ".".join(("cordinr", *parts)).removesuffix(".__init__")
            pages.setdefault(page_of(parts), []).append(name)
    return {
        page: f"# {Path(page).stem}\n\n" + "\n\n".join(f"::: {name}" for name in names) + "\n"
        for page, names in pages.items()
    }
