"""Reader of `exclude.yml` in the forms that people write: names, narrowings and reasons."""

import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import yaml

from ..errors import InputError, shorten
from .exclude_words import (
    ENTITY_PATTERN,
    NARROWING_PATTERN,
    REASON_SEPARATORS,
    SUFFIX_OF_CONTRAST,
    Entry,
    parse_entries,
    take_narrowing,
)
from .source import first_few

log = logging.getLogger(__name__)

# Names of the fields of a record, in the singular and in lower case, by what they state.
SUBJECT_FIELDS = {"sub", "subject", "participant", "id", "name", "site", "institution"}
FILE_FIELDS = {"file", "filename", "image", "path", "scan"}
REASON_FIELDS = {"reason", "why", "comment", "note", "description", "problem", "cause"}
SUFFIX_FIELDS = {"suffix", "contrast", "modality", "datatype"}
ENTITY_FIELDS = {
    "session": "ses",
    "acquisition": "acq",
    "reconstruction": "rec",
    "direction": "dir",
}
"""BIDS entities by the names of their fields in a record, in the singular and in lower case."""

LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Pattern of a line break as YAML counts lines."""


def read_entries(path: Path, text: str, key: str, is_known: Callable[[str], bool]) -> list[Entry]:
    """Read the entries of the list under a key.

    A file that is one list without keys is used whatever the key. A warning reports such a file,
    and also a file that lacks the key.

    Args:
        path: path of the file, for messages.
        text: text of the file.
        key: key of the list.
        is_known: tells whether the dataset has a subject or site of a name.

    Returns:
        The entries in their order, each once.

    Raises:
        InputError: the text is not YAML, or neither a mapping nor a list.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        reader = _Reader(text, is_known)
        return list(dict.fromkeys(reader.entries(_nodes_of(path, root, key, is_known))))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        nested = isinstance(error, RecursionError)
        why = "nested too deep" if nested else " ".join(str(error).split())
        raise InputError(
            f"{path}: is not readable YAML ({shorten(why, 200)}); correct it, or set "
            'dataset.exclude to "".'
        ) from error


def _nodes_of(path: Path, root: yaml.Node | None, key: str, is_known: Callable) -> list[yaml.Node]:
    """Return the values of a key, or the whole file where it has no keys."""
    if root is None or _is_null(root):
        return []
    if isinstance(root, yaml.ScalarNode):
        if not all(_is_name(entry.name, is_known) for entry in _parse_scalar(root, is_known)):
            raise InputError(
                f"{path}: is neither a mapping of keys to lists of subjects nor such a list; "
                'correct it, or set dataset.exclude to "".'
            )
        pairs = []
    else:
        parts = [root] if isinstance(root, yaml.MappingNode) else root.value
        maps = [part for part in parts if isinstance(part, yaml.MappingNode)]
        pairs = [(k.value, v) for part in maps for k, v in part.value if _is_scalar(k)]
    deeper = [pair for _, v in pairs if isinstance(v, yaml.MappingNode) for pair in v.value]
    for level in (pairs, [(k.value, v) for k, v in deeper if _is_scalar(k)]):
        values = [value for name, value in level if name.strip() == key]
        if values:
            return values
    keys = [name for name, _ in pairs]
    named = all(_is_name(name, is_known) for name in keys)
    bare = named or not isinstance(root, yaml.MappingNode)
    if bare and (keys or root.value):
        log.warning("%s: has no keys; its one list is taken for '%s'.", path, key)
        return [root]
    file_keys = f"it has {first_few(list(dict.fromkeys(keys)))}" if keys else "it has none"
    log.warning(
        "%s: has no key '%s' of dataset.exclude (%s); nobody is left out.", path, key, file_keys
    )
    return []


class _Reader:
    """Reader of the nodes of a file. It visits each node once, as aliases may form a cycle."""

    def __init__(self, text: str, is_known: Callable[[str], bool]) -> None:
        self.lines = LINE_END.split(text)
        self.is_known = is_known
        self.seen: set[int] = set()

    def entries(self, nodes: Sequence[yaml.Node]) -> Iterator[Entry]:
        """Read the entries of nodes in their order; nested lists are flattened."""
        for node in nodes:
            if isinstance(node, yaml.ScalarNode):
                for entry in [] if _is_null(node) else _parse_scalar(node, self.is_known):
                    yield replace(entry, reason=self._full_reason(node, entry.reason))
                continue
            if id(node) in self.seen:
                continue
            self.seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                yield from self.entries(node.value)
            elif isinstance(node, yaml.MappingNode) and _is_record(node):
                yield from self._entries_of_record([], node)
            else:
                for key, value in node.value:
                    yield from self._entries_of_pair(key, value)

    def _entries_of_pair(self, key: yaml.Node, value: yaml.Node) -> Iterator[Entry]:
        """Read `name: reason`, `name: record`, `reason: [names]` or `T1w: [names]`."""
        heads = _parse_scalar(key, self.is_known)
        if not any(_is_name(head.name, self.is_known) for head in heads) and self._has_only_names(
            value
        ):
            yield from self._entries_under_key(key, value)
        elif isinstance(value, yaml.MappingNode):
            yield from self._entries_of_record(heads, value)
        elif not _is_false(value):
            items = value.value if isinstance(value, yaml.SequenceNode) else []
            records = [item for item in items if isinstance(item, yaml.MappingNode)]
            for record in records:
                yield from self._entries_of_record(heads, record)
            if _texts(value) or not records:
                reason_node = value if _is_scalar(value) and not _is_null(value) else key
                yield from self._entries_with_remarks(
                    heads, reason_node, [] if _is_null(value) else _texts(value)
                )

    def _entries_under_key(self, key: yaml.Node, value: yaml.Node) -> Iterator[Entry]:
        """Read names whose key gives their reason, contrast or session."""
        choices, remark = take_narrowing(_text(key))
        apart = key.end_mark.line != value.start_mark.line
        reason = self._full_reason(key, remark) if apart else _single_line(remark)
        self.seen.discard(id(value))  # an alias may stand under several keys
        for entry, choice in itertools.product(self.entries([value]), choices):
            yield entry.with_narrowing(choice, reason)

    def _entries_with_remarks(
        self, heads: Sequence[Entry], node: yaml.Node, texts: Sequence[str]
    ) -> Iterator[Entry]:
        """Read texts about names: the images that are meant, the reason, or both."""
        parts = [take_narrowing(text, partial(_is_other_subject, text)) for text in texts]
        choices = [choice for options, _ in parts for choice in options if choice]
        remark = ", ".join(filter(None, (rest.strip(REASON_SEPARATORS) for _, rest in parts)))
        reason = self._full_reason(node, remark)
        for head, choice in itertools.product(heads, choices or [()]):
            yield head.with_narrowing(choice, reason)

    def _has_only_names(self, node: yaml.Node) -> bool:
        """Tell whether a value consists of names alone."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        named = [
            _is_record(each) or all(_is_name(name, self.is_known) for name in _texts(each))
            if isinstance(each, yaml.MappingNode)
            else all(
                _is_name(entry.name, self.is_known) for entry in _parse_scalar(each, self.is_known)
            )
            for each in nodes
            if isinstance(each, yaml.MappingNode) or _texts(each)
        ]
        return bool(named) and all(named)

    def _entries_of_record(self, heads: Sequence[Entry], node: yaml.MappingNode) -> Iterator[Entry]:
        """Read `{subject: sub-01, session: 02}`, or a record whose subject is its key."""
        fields = [(_field_name(key), value) for key, value in node.value]
        reasons = _field_texts(fields, REASON_FIELDS)
        names, files = _field_texts(fields, SUBJECT_FIELDS), _field_texts(fields, FILE_FIELDS)
        heads = [
            *heads,
            *(entry for name in names for entry in parse_entries(name, self.is_known)),
        ]
        # Without a subject, the name of the file gives it.
        heads, files = (heads, files) if heads else (list(map(Entry, files)), [])
        keyed = [
            (key, value) for key, value in node.value if NARROWING_PATTERN.fullmatch(_text(key))
        ]
        for key, value in keyed:  # such as `ses-02: motion`
            part = (SUFFIX_OF_CONTRAST.get(key.value, key.value),)
            narrowed = [head.with_narrowing(part, "") for head in heads]
            yield from self._entries_with_remarks(
                narrowed, key, [] if _is_null(value) else _texts(value)
            )
        if keyed:
            return
        choices = [files, _field_texts(fields, SUFFIX_FIELDS), *_entity_choices(fields)]
        narrowings = itertools.product(*filter(None, choices))
        reason = self._full_reason(node.value[0][0] if node.value else node, ", ".join(reasons))
        for head, narrowing in itertools.product(heads, narrowings):
            yield head.with_narrowing(narrowing, reason)

    def _full_reason(self, node: yaml.Node, reason: str) -> str:
        """Join a reason and the comment on the line where a node ends."""
        end = node.end_mark
        line = self.lines[end.line] if end.line < len(self.lines) else ""
        comment = line[end.column :].partition("#")[2]
        parts = [_single_line(part) for part in (reason, comment)]
        return shorten(", ".join(filter(None, parts)), 300)


def _single_line(text: str) -> str:
    """Put a text on one line, without control characters, which could change a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _field_texts(fields: Sequence[tuple[str, yaml.Node]], names: set[str]) -> list[str]:
    """Return the texts of the fields that have one of the names."""
    return [text for field, value in fields if field in names for text in _texts(value)]


def _entity_choices(fields: Sequence[tuple[str, yaml.Node]]) -> list[list[str]]:
    """Return the labels of each field that is an entity: `session: [1, 2]` gives ses-1, ses-2."""
    choices = []
    for field, value in fields:
        entity = ENTITY_FIELDS.get(field, field)
        if re.fullmatch(ENTITY_PATTERN, f"{entity}-1") and entity != "sub":
            choices.append(
                [f"{entity}-{text.removeprefix(f'{entity}-')}" for text in _texts(value)]
            )
    return choices


def _text(node: yaml.Node) -> str:
    return node.value if _is_scalar(node) else ""


def _texts(node: yaml.Node) -> list[str]:
    """Return the texts of a scalar, of a list of scalars, or of the keys of a mapping."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if isinstance(node, yaml.MappingNode):
        nodes = [key for key, _ in node.value]
    return [n.value.strip() for n in nodes if _is_scalar(n) and not _is_null(n)]


def _field_name(key: yaml.Node) -> str:
    """Return the name of a field in the singular: "Subjects" and "subject_id" give "subject"."""
    name = _text(key).strip().lower()
    return name if name in ("ses", "id") else name.removesuffix("_id").removesuffix("s")


def _is_name(text: str, is_known: Callable[[str], bool]) -> bool:
    return text.startswith("sub-") or is_known(text)


def _is_other_subject(text: str, word: str) -> bool:
    return word.startswith("sub-") and word != text


def _is_record(node: yaml.MappingNode) -> bool:
    return any(_field_name(key) in SUBJECT_FIELDS | FILE_FIELDS for key, _ in node.value)


def _parse_scalar(node: yaml.Node, is_known: Callable[[str], bool]) -> list[Entry]:
    return parse_entries(node.value, is_known) if _is_scalar(node) else []


def _is_scalar(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _is_false(node: yaml.Node) -> bool:
    values = yaml.SafeLoader.bool_values
    return _is_scalar(node) and node.tag.endswith(":bool") and not values.get(node.value.lower(), 1)


def _is_null(node: yaml.Node) -> bool:
    return _is_scalar(node) and (node.tag.endswith(":null") or not node.value.strip())
