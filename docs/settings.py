"""Write what comes from the models of the configuration: `make settings`.

These are its schema, which editors check `config.yaml` by, and the table of configuration.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cordinr.inr.settings import MAX_SETTING
from cordinr.run.configuration import SCHEMA_FILE, configuration_schema

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/configuration.md"
SCHEMA = ROOT / SCHEMA_FILE

BEGIN = "<!-- The table is written by `make settings`. -->\n"
END = "<!-- End of the table. -->\n"

HEAD = """\
# Written by `make settings` from workflow/cordinr/run/configuration.py.

$schema: https://json-schema.org/draft/2020-12/schema
title: config.yaml of cordinr
"""

KINDS = {"integer": "whole number", "number": "number", "string": "text", "null": "`null`"}
"""Names for people of the types of a JSON schema."""

BOUNDS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "exclusiveMaximum": "to below",
}
"""Words for people for the bounds of a JSON schema."""


def main() -> None:
    """Write the schema and the table."""
    SCHEMA.write_text(schema_text())
    PAGE.write_text(page_text())


def schema_text() -> str:
    """The content of the schema's file."""
    return HEAD + yaml.safe_dump(configuration_schema(), sort_keys=False, width=100)


def page_text() -> str:
    """The page of the configuration with the table as it is to be."""
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.split(END)[1]


def table() -> str:
    """One row per setting: its name, default, values and meaning."""
    rows = [
        "| setting | default | values | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {_default(part)} | {_values(part)} | {part['description']} |"
            for name, part in _settings(configuration_schema())
        ),
    ]
    return "\n".join(rows) + "\n"


def _settings(schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The full name and the schema of every setting, section by section."""
    for name, part in schema["properties"].items():
        items = part.get("additionalProperties") or {}
        if items or "properties" not in part:
            yield f"{above}{name}", part
        if "properties" in part:
            yield from _settings(part, f"{above}{name}.")
        if "properties" in items:
            yield from _settings(items, f"{above}{name}.NAME.")


def _default(part: dict[str, Any]) -> str:
    """The default of a setting, each of several paths in a line of its own."""
    if "default" not in part:
        return ""
    default = part["default"]
    if isinstance(default, list) and any("/" in str(each) for each in default):
        return "<br>".join(f"`{each}`" for each in default)
    return f"`{_flow(default)}`"


def _flow(value: Any) -> str:
    """A value as YAML in one line."""
    if value == "":
        return '""'
    text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _values(part: dict[str, Any]) -> str:
    """What a setting can be, for people."""
    if "anyOf" in part:
        return " or ".join(map(_values, part["anyOf"]))
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{_flow(each)}`" for each in part["enum"])
    types = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return " or ".join(_one_type(each, part) for each in types)


def _one_type(kind: str, part: dict[str, Any]) -> str:
    """What a setting can be where it is of the given type."""
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "array":
        return f"list of: {_values(part['items'])}"
    if kind == "object":
        return "mapping"
    return " ".join([KINDS[kind], *(_bounds(part) if kind in ("integer", "number") else [])])


def _bounds(part: dict[str, Any]) -> Iterator[str]:
    for keyword, word in BOUNDS.items():
        if keyword in part and part[keyword] != MAX_SETTING:
            yield f"{word} {part[keyword]}"


if __name__ == "__main__":
    main()
