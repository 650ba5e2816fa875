"""HTML pages that are one file each, open from disk, and load nothing from elsewhere.

The template engine escapes all text of a dataset. A Content-Security-Policy lets only our own
scripts run, and lets the page fetch nothing.
"""

import base64
import hashlib
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..bids.names import sidecar_path
from ..bids.uris import resolve_bids_uri, split_dataset
from ..errors import InputError
from ..files import check_file, read_json, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_PAGE_BYTES = 15_000_000
"""Maximum size of a page in bytes; the volumes get what the viewer and the pictures leave."""

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of a page, to be filled with the digests of its scripts and its style."""

LOADER = PackageLoader("cordinr.pages")
"""Where the templates are."""

ENVIRONMENT = Environment(
    loader=LOADER,
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""The template engine, which escapes what it fills in."""


@dataclass(frozen=True)
class FileOrigin:
    """What a page says of where an image came from.

    Attributes:
        name: file name of the image.
        href: link from the page to the image.
        description, command: fields of the sidecar.
        sources: name and link of each source; the link is empty where it is not known.
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
        template: its name in the folder `templates`.
        scripts: JavaScript to put into it, in order.
        context: variables of the template, whose values it escapes.
    """
    style = _read_template("page.css")
    bodies = [_escape_script(text) for text in scripts]
    policy = POLICY.format(
        scripts=" ".join(map(_csp_digest, bodies)) or "'none'", styles=_csp_digest(style)
    )
    page = ENVIRONMENT.get_template(template).render(
        policy=policy,
        style=style,
        scripts=bodies,
        **context,
    )
    write_text(path, page)


def load_viewer_scripts(niivue: Path | None) -> list[str]:
    """Load NiiVue and our viewer on top of it.

    Args:
        niivue: its UMD build; None where it is not installed, which gives no script.

    Raises:
        InputError: the file cannot be read.
    """
    if niivue is None:
        return []
    check_file(niivue)
    return [niivue.read_text(encoding="utf-8"), _read_template("viewer.js")]


def read_niivue_version(niivue: Path | None) -> str:
    """Read the version that npm installed; an empty string where there is none."""
    package = niivue.parents[1] / "package.json" if niivue else None
    return str(read_json(package).get("version", "")) if package and package.exists() else ""


def make_data_uri(path: Path) -> str:
    """Encode a PNG or SVG as data URI.

    Raises:
        InputError: the file cannot be read.
    """
    check_file(path)
    media_type = "svg+xml" if path.suffix == ".svg" else "png"
    return f"data:image/{media_type};base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def encode_png(figure: "Figure") -> str:
    """Draw a figure as data URI of a PNG."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode("ascii")


def read_origin(image: Path, page: Path) -> FileOrigin:
    """Read where an image came from in its sidecar, with links that work from the page.

    Args:
        image: in a BIDS derivatives dataset.
        page: from which links start.

    Raises:
        InputError: the sidecar is missing or damaged.
    """
    sidecar = read_json(sidecar_path(image))
    sources, software = sidecar.get("Sources"), sidecar.get("Software")
    return FileOrigin(
        name=image.name,
        href=relative_link(image, page),
        description=str(sidecar.get("Description", "")),
        sources=tuple(
            (str(source), _source_link(str(source), image, page))
            for source in (sources if isinstance(sources, list) else [])
        ),
        command=str(sidecar.get("Command", "")),
        software={str(k): str(v) for k, v in software.items()}
        if isinstance(software, Mapping)
        else {},
    )


def relative_link(path: Path, page: Path) -> str:
    """Make a link from a page to a file, percent-encoded so that it can only be a relative path."""
    return quote(Path(os.path.relpath(path, page.parent)).as_posix())


def _source_link(source: str, image: Path, page: Path) -> str:
    """Link from the page to a source; an empty string where its place is not known."""
    if split_dataset(image)[0] is None or urlsplit(source).scheme not in ("", "bids"):
        return ""
    try:
        return relative_link(resolve_bids_uri(source, image), page)
    except (InputError, ValueError, TypeError):
        return ""


def _read_template(name: str) -> str:
    return LOADER.get_source(ENVIRONMENT, name)[0]


def _escape_script(text: str) -> str:
    """Escape JavaScript for a script element: nothing in it may end or nest the element."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("<(?=/script|script|!--)", r"\\x3c", text, flags=re.IGNORECASE)


def _csp_digest(text: str) -> str:
    """Make the source expression of a policy that allows exactly this text."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _number_text(value: float | None, digits: int = 2) -> str:
    """Write a number for a table; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _percent_text(value: float | None, digits: int = 1) -> str:
    """Write a fraction as percentage; a dash where there is none."""
    return _number_text(None if value is None else 100 * value, digits)


ENVIRONMENT.filters["percent"] = _percent_text
ENVIRONMENT.filters["number"] = _number_text
