"""The forms in which people write `exclude.yml`: who is named, narrowed down to what, and why."""

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
    BEFORE_REASON,
    ENTITY,
    NARROWING,
    SHORT,
    Entry,
    split_names,
    take_narrowing,
)
from .source import first_few

log = logging.getLogger(__name__)

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
"""What the fields of a record may be called, in the singular and in lower case."""

LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""As YAML counts lines."""


def read_entries(path: Path, text: str, key: str, known: Callable[[str], bool]) -> list[Entry]:
    """What the list of a key names.

    A file without keys, which is one list, is taken whatever the key; a note says so, and also
    where the file has no such key.

    Args:
        path: of the file, for messages.
        text: of the file.
        key: of the list.
        known: whether a name is a subject's or a site's, as people write it.

    Raises:
        InputError: it is not YAML, or neither a mapping nor a list.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        reader = _Reader(text, known)
        return list(dict.fromkeys(reader.entries(_nodes_of(path, root, key, known))))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        nested = isinstance(error, RecursionError)
        why = "nested too deep" if nested else " ".join(str(error).split())
        raise InputError(
            f"{path}: is not readable YAML ({shorten(why, 200)}); correct it, or set "
            'dataset.exclude to "".'
        ) from error


def _nodes_of(path: Path, root: yaml.Node | None, key: str, known: Callable) -> list[yaml.Node]:
    """The values of a key, or the whole file where it has no keys."""
    if root is None or _is_null(root):
        return []
    if isinstance(root, yaml.ScalarNode):
        if not all(_is_name(entry.name, known) for entry in _split(root, known)):
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
    named = all(_is_name(name, known) for name in keys)
    bare = named or not isinstance(root, yaml.MappingNode)
    if bare and (keys or root.value):
        log.warning("%s: has no keys; its one list is taken for '%s'.", path, key)
        return [root]
    has = f"it has {first_few(list(dict.fromkeys(keys)))}" if keys else "it has none"
    log.warning("%s: has no key '%s' of dataset.exclude (%s); nobody is left out.", path, key, has)
    return []


class _Reader:
    """Goes through the nodes of a file, each once: aliases may name each other."""

    def __init__(self, text: str, known: Callable[[str], bool]) -> None:
        self.lines = LINE_END.split(text)
        self.known = known
        self.seen: set[int] = set()

    def entries(self, nodes: Sequence[yaml.Node]) -> Iterator[Entry]:
        """What nodes name, in their order; lists within lists are one list."""
        for node in nodes:
            if isinstance(node, yaml.ScalarNode):
                for entry in [] if _is_null(node) else _split(node, self.known):
                    yield replace(entry, reason=self._reason(node, entry.reason))
                continue
            if id(node) in self.seen:
                continue
            self.seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                yield from self.entries(node.value)
            elif isinstance(node, yaml.MappingNode) and _is_record(node):
                yield from self._record([], node)
            else:
                for key, value in node.value:
                    yield from self._named(key, value)

    def _named(self, key: yaml.Node, value: yaml.Node) -> Iterator[Entry]:
        """`name: reason`, `name:` what of it and why, or `reason: [names]`, `T1w: [names]`."""
        heads = _split(key, self.known)
        if not any(_is_name(head.name, self.known) for head in heads) and self._names(value):
            yield from self._under(key, value)
        elif isinstance(value, yaml.MappingNode):
            yield from self._record(heads, value)
        elif not _is_false(value):
            items = value.value if isinstance(value, yaml.SequenceNode) else []
            records = [item for item in items if isinstance(item, yaml.MappingNode)]
            for record in records:
                yield from self._record(heads, record)
            if _texts(value) or not records:
                at = value if _is_scalar(value) and not _is_null(value) else key
                yield from self._about(heads, at, [] if _is_null(value) else _texts(value))

    def _under(self, key: yaml.Node, value: yaml.Node) -> Iterator[Entry]:
        """What a value names, for the reason, or of the contrast or session, that its key says."""
        choices, said = take_narrowing(_text(key))
        apart = key.end_mark.line != value.start_mark.line
        said = self._reason(key, said) if apart else _plain(said)
        self.seen.discard(id(value))  # an alias may stand under several keys
        for entry, choice in itertools.product(self.entries([value]), choices):
            yield entry.with_more(choice, said)

    def _about(
        self, heads: Sequence[Entry], node: yaml.Node, texts: Sequence[str]
    ) -> Iterator[Entry]:
        """Names with what texts say of them: what of it is meant, why, or both."""
        parts = [take_narrowing(text, partial(_is_other_subject, text)) for text in texts]
        choices = [choice for found, _ in parts for choice in found if choice]
        said = ", ".join(filter(None, (rest.strip(BEFORE_REASON) for _, rest in parts)))
        reason = self._reason(node, said)
        for head, choice in itertools.product(heads, choices or [()]):
            yield head.with_more(choice, reason)

    def _names(self, node: yaml.Node) -> bool:
        """Whether a value is of names alone."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        named = [
            _is_record(each) or all(_is_name(name, self.known) for name in _texts(each))
            if isinstance(each, yaml.MappingNode)
            else all(_is_name(entry.name, self.known) for entry in _split(each, self.known))
            for each in nodes
            if isinstance(each, yaml.MappingNode) or _texts(each)
        ]
        return bool(named) and all(named)

    def _record(self, heads: Sequence[Entry], node: yaml.MappingNode) -> Iterator[Entry]:
        """`{subject: sub-01, session: 02, reason: motion}`, or without a subject, named before."""
        fields = [(_field(key), value) for key, value in node.value]
        stated = _values(fields, REASON_FIELDS)
        names, files = _values(fields, SUBJECT_FIELDS), _values(fields, FILE_FIELDS)
        heads = [*heads, *(entry for name in names for entry in split_names(name, self.known))]
        # Without a subject the file says itself whose it is.
        heads, files = (heads, files) if heads else (list(map(Entry, files)), [])
        keyed = [(key, value) for key, value in node.value if NARROWING.fullmatch(_text(key))]
        for key, value in keyed:  # ses-02: motion
            part = (SHORT.get(key.value, key.value),)
            narrowed = [head.with_more(part, "") for head in heads]
            yield from self._about(narrowed, key, [] if _is_null(value) else _texts(value))
        if keyed:
            return
        choices = [files, _values(fields, SUFFIX_FIELDS), *_entities(fields)]
        narrowings = itertools.product(*filter(None, choices))
        reason = self._reason(node.value[0][0] if node.value else node, ", ".join(stated))
        for head, narrowing in itertools.product(heads, narrowings):
            yield head.with_more(narrowing, reason)

    def _reason(self, node: yaml.Node, reason: str) -> str:
        """A reason, and the comment on the line where a node ends."""
        end = node.end_mark
        line = self.lines[end.line] if end.line < len(self.lines) else ""
        comment = line[end.column :].partition("#")[2]
        parts = [_plain(part) for part in (reason, comment)]
        return shorten(", ".join(filter(None, parts)), 300)


def _plain(text: str) -> str:
    """A text on one line, without what could change a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _values(fields: Sequence[tuple[str, yaml.Node]], names: set[str]) -> list[str]:
    """The texts of the fields that are called so."""
    return [text for field, value in fields if field in names for text in _texts(value)]


def _entities(fields: Sequence[tuple[str, yaml.Node]]) -> list[list[str]]:
    """Of each field named like a BIDS entity its labels: session: [1, 2] is ses-1 and ses-2."""
    found = []
    for field, value in fields:
        entity = ENTITY_FIELDS.get(field, field)
        if re.fullmatch(ENTITY, f"{entity}-1") and entity != "sub":
            found.append([f"{entity}-{text.removeprefix(f'{entity}-')}" for text in _texts(value)])
    return found


def _text(node: yaml.Node) -> str:
    return node.value if _is_scalar(node) else ""


def _texts(node: yaml.Node) -> list[str]:
    """The texts of a scalar, of a list of scalars, or of the keys of a mapping."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if isinstance(node, yaml.MappingNode):
        nodes = [key for key, _ in node.value]
    return [n.value.strip() for n in nodes if _is_scalar(n) and not _is_null(n)]


def _field(key: yaml.Node) -> str:
    """A field's name in the singular: Subjects and subject_id are subject."""
    name = _text(key).strip().lower()
    return name if name in ("ses", "id") else name.removesuffix("_id").removesuffix("s")


def _is_name(text: str, known: Callable[[str], bool]) -> bool:
    return text.startswith("sub-") or known(text)


def _is_other_subject(text: str, word: str) -> bool:
    return word.startswith("sub-") and word != text


def _is_record(node: yaml.MappingNode) -> bool:
    return any(_field(key) in SUBJECT_FIELDS | FILE_FIELDS for key, _ in node.value)


def _split(node: yaml.Node, known: Callable[[str], bool]) -> list[Entry]:
    return split_names(node.value, known) if _is_scalar(node) else []


def _is_scalar(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _is_false(node: yaml.Node) -> bool:
    values = yaml.SafeLoader.bool_values
    return _is_scalar(node) and node.tag.endswith(":bool") and not values.get(node.value.lower(), 1)


def _is_null(node: yaml.Node) -> bool:
    return _is_scalar(node) and (node.tag.endswith(":null") or not node.value.strip())
