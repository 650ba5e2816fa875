"""HTML pages that are one file each, open from disk, and load nothing from anywhere.

Whatever comes from a dataset is escaped by the template engine; a Content-Security-Policy lets no
script run but ours, and nothing be fetched.
"""

import base64
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..bids.names import sidecar_path
from ..bids.uris import resolve_bids_uri, split_dataset
from ..errors import InputError
from ..files import check_file, read_json, write_text

MAX_PAGE_BYTES = 15_000_000
"""Of a page; the volumes get what the viewer and the pictures leave."""

NIIVUE = "node_modules/@niivue/niivue/dist/niivue.umd.js"
"""Where npm puts the viewer, below the folder of its package.json."""

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)

ENVIRONMENT = Environment(
    loader=PackageLoader("cordinr.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class FileOrigin:
    """What a page says of where an image came from.

    Attributes:
        name: of the image.
        href: where it is, from the page.
        description, command: of the sidecar.
        sources: name and href of each source; no href where it is not known.
        software: name to version.
    """

    name: str
    href: str
    description: str
    sources: tuple[tuple[str, str], ...]
    command: str
    software: dict[str, str]


def write_page(path: Path, template: str, scripts: Sequence[str], **context: Any) -> None:
    """Fill a template and write it, whole or not at all.

    Args:
        path: of the HTML file.
        template: its name in the folder `page`.
        scripts: JavaScript to put into it, in order.
        context: what the template shows; escaped.
    """
    style = _asset("page.css")
    bodies = [_script(text) for text in scripts]
    policy = POLICY.format(
        scripts=" ".join(map(_digest, bodies)) or "'none'", styles=_digest(style)
    )
    page = ENVIRONMENT.get_template(template).render(
        policy=policy,
        style=style,
        scripts=bodies,
        **context,
    )
    write_text(path, page)


def viewer_scripts(niivue: Path | None) -> list[str]:
    """NiiVue and our viewer on top of it; nothing where it is not installed.

    Raises:
        InputError: the file cannot be read.
    """
    if niivue is None:
        return []
    check_file(niivue)
    return [niivue.read_text(encoding="utf-8"), _asset("viewer.js")]


def niivue_version(niivue: Path | None) -> str:
    """The version that npm installed, or an empty string."""
    package = niivue.parents[1] / "package.json" if niivue else None
    return str(read_json(package).get("version", "")) if package and package.exists() else ""


def picture(path: Path) -> str:
    """A PNG or SVG as data URI.

    Raises:
        InputError: the file cannot be read.
    """
    check_file(path)
    kind = "svg+xml" if path.suffix == ".svg" else "png"
    return f"data:image/{kind};base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def read_origin(image: Path, page: Path) -> FileOrigin:
    """What the sidecar of an image says of where it came from, with links that work from the page.

    Args:
        image: in a BIDS derivatives dataset.
        page: beside which links start.

    Raises:
        InputError: the sidecar is missing or damaged.
    """
    made = read_json(sidecar_path(image))
    sources, software = made.get("Sources"), made.get("Software")
    return FileOrigin(
        name=image.name,
        href=relative(image, page),
        description=str(made.get("Description", "")),
        sources=tuple(
            (str(source), _source_link(str(source), image, page))
            for source in (sources if isinstance(sources, list) else [])
        ),
        command=str(made.get("Command", "")),
        software={str(k): str(v) for k, v in software.items()}
        if isinstance(software, Mapping)
        else {},
    )


def relative(path: Path, page: Path) -> str:
    """A link from a page to a file, percent-encoded so that it can only be a relative path."""
    return quote(Path(os.path.relpath(path, page.parent)).as_posix())


def _source_link(source: str, image: Path, page: Path) -> str:
    """Where a source is from the page, or an empty string where nobody knows."""
    if split_dataset(image)[0] is None or urlsplit(source).scheme not in ("", "bids"):
        return ""
    try:
        return relative(resolve_bids_uri(source, image), page)
    except (InputError, ValueError, TypeError):
        return ""


def _asset(name: str) -> str:
    return ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]


def _script(text: str) -> str:
    """JavaScript as it may stand in a script element: nothing in it ends or nests the element."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("<(?=/script|script|!--)", r"\\x3c", text, flags=re.IGNORECASE)


def _digest(text: str) -> str:
    """The source expression of a policy that allows this very text."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _number(value: float | None, digits: int = 2) -> str:
    """A number for a table; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


ENVIRONMENT.filters["number"] = _number
