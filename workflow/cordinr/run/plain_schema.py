"""JSON schemas as people would write them, from those that pydantic generates."""

from collections.abc import Mapping
from typing import Any

KEYWORDS = (
    *("description", "type", "enum", "const", "anyOf", "pattern", "minLength"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
    *("items", "minItems", "uniqueItems"),
    *("propertyNames", "minProperties", "additionalProperties", "required", "properties"),
    "default",
)
"""Keywords of the schema in the order in which people read them and errors are looked for."""


def plain_schema(generated: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A schema as people would write it, which allows the same.

    Args:
        generated: by pydantic.
        definitions: the schemas that its references name.
    """
    schema = dict(generated)
    if reference := schema.pop("$ref", ""):
        section = definitions[reference.rpartition("/")[2]]
        if not section.get("additionalProperties"):
            schema.pop("default", None)  # each key of the section has its own
        schema = {**section, **schema}
    if "enum" in schema or "const" in schema:
        del schema["type"]
    for pattern, values in schema.pop("patternProperties", {}).items():
        schema |= {"propertyNames": {"pattern": pattern}, "additionalProperties": values}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            schema[keyword] = plain_schema(schema[keyword], definitions)
    if "properties" in schema:
        properties = schema["properties"].items()
        schema["properties"] = {name: plain_schema(part, definitions) for name, part in properties}
    if options := schema.pop("anyOf", []):
        schema |= _either([plain_schema(option, definitions) for option in options])
    schema.pop("title", None)
    return {keyword: schema[keyword] for keyword in sorted(schema, key=KEYWORDS.index)}


def _either(options: list[dict[str, Any]]) -> dict[str, Any]:
    """One schema with a list of types where that says the same as alternatives.

    It does where every alternative is of another type, as the other keywords bind one type each.
    """
    types = [option.get("type") for option in options]
    if None in types or len(set(types)) < len(types):
        return {"anyOf": options}
    return {keyword: option[keyword] for option in options for keyword in option} | {"type": types}
