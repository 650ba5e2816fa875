"""The forms in which people write `exclude.yml`: who is named, narrowed down to what, and why."""

import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from .dataset import some
from .errors import InputError, shorten

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

ENTITY = r"(?:sub|ses|acq|ce|rec|dir|run|mod|echo|flip|inv|mt|part|task|chunk)-[A-Za-z0-9+*?]+"
SUFFIX = r"(?:[TP][12D]\w*|MTS|UNIT1|MP2RAGE|FLAIR|SWI|angio|dwi|bold|anat|func|fmap|perf)"
NARROWING = re.compile(rf"(?:{ENTITY})(?:[_/]\w[\w+*?-]*)*(?:\.nii(?:\.gz)?|\.json)?|{SUFFIX}")
"""What narrows a subject down to some images: ses-02, run-1_T2w, T2w, a file name."""

BEFORE_REASON = " ,;:()#=-\u2013\u2014"
"""What may stand between a name and its reason, or around it."""

MOST_WORDS = 12
"""Of a name, as of a site, before what follows is a reason in any case."""

LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""As YAML counts lines."""


@dataclass(frozen=True)
class Entry:
    """Somebody or something named in the file.

    Attributes:
        name: as written: of a subject, a site or a file.
        narrowing: what of it is meant, such as ses-02 or T2w; empty for all.
        reason: why, or empty.
    """

    name: str
    narrowing: tuple[str, ...] = ()
    reason: str = ""


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
        InputError: it is no YAML, or neither a mapping nor a list.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        reader = _Reader(text, known)
        return list(dict.fromkeys(reader.entries(_nodes_of(path, root, key, known))))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        nested = isinstance(error, RecursionError)
        why = "nested too deep" if nested else " ".join(str(error).split())
        raise InputError(
            f"{path}: is no readable YAML ({shorten(why, 200)}); correct it, or set "
            'dataset.exclude to "".'
        ) from error


def split_names(text: str, known: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The names in one text, each with its reason: "sub-01 (motion)" or "sub-01, sub-02"."""
    text = " ".join(text.split())
    if not text or known(text):
        return [(text, "")] if text else []
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if len(words) > 1 and all(word.startswith("sub-") or known(word) for word in words):
        return [(word, "") for word in words]
    ends = [found.start() for found in re.finditer(r"[\s,;:()#=]|$", text)]
    for name, rest in ((text[:end].strip(), text[end:]) for end in reversed(ends[:MOST_WORDS])):
        if known(name):
            return [(name, rest.strip(BEFORE_REASON))]
    word = text[: ends[0]] if text.startswith("sub-") else text
    return [(word, text[len(word) :].strip(BEFORE_REASON))]


def _nodes_of(path: Path, root: yaml.Node | None, key: str, known: Callable) -> list[yaml.Node]:
    """The values of a key, or the whole file where it has no keys."""
    if root is None or _is_null(root):
        return []
    if isinstance(root, yaml.ScalarNode):
        if not all(known(name) or name.startswith("sub-") for name, _ in _split(root, known)):
            raise InputError(
                f"{path}: is neither a mapping of keys to lists of subjects nor such a list; "
                'correct it, or set dataset.exclude to "".'
            )
        pairs = []
    else:
        parts = [root] if isinstance(root, yaml.MappingNode) else root.value
        maps = [part for part in parts if isinstance(part, yaml.MappingNode)]
        pairs = [(k.value, v) for part in maps for k, v in part.value if _is_scalar(k)]
    values = [value for name, value in pairs if name.strip() == key]
    if values:
        return values
    keys = [name for name, _ in pairs]
    named = all(name.startswith("sub-") or known(name) for name in keys)
    bare = named or not isinstance(root, yaml.MappingNode)
    if bare and (keys or root.value):
        log.warning("%s: has no keys; its one list is taken for '%s'.", path, key)
        return [root]
    has = f"it has {some(list(dict.fromkeys(keys)))}" if keys else "it has none"
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
            if id(node) in self.seen or _is_null(node):
                continue
            self.seen.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                for name, reason in _split(node, self.known):
                    yield Entry(name, (), self._reason(node, reason))
            elif isinstance(node, yaml.SequenceNode):
                yield from self.entries(node.value)
            elif any(_field(key) in SUBJECT_FIELDS | FILE_FIELDS for key, _ in node.value):
                yield from self._record([], node)
            else:
                for key, value in node.value:
                    yield from self._named(key, value)

    def _named(self, key: yaml.Node, value: yaml.Node) -> Iterator[Entry]:
        """`name: reason`, `name:` what of it and why, or `reason: [names]`."""
        names = [name for name, _ in _split(key, self.known)]
        texts = [] if _is_null(value) else _texts(value)
        if not any(map(self._is_name, names)) and texts and all(map(self._is_name, texts)):
            yield from (Entry(name, (), self._reason(key, key.value)) for name in texts)
        elif isinstance(value, yaml.MappingNode):
            yield from self._record(names, value)
        elif not _is_false(value):
            narrowing = [text for text in texts if NARROWING.fullmatch(text)]
            said = ", ".join(text for text in texts if text not in narrowing)
            reason = self._reason(value if _is_scalar(value) else key, said)
            for name, part in itertools.product(names, narrowing or [""]):
                yield Entry(name, (part,) if part else (), reason)

    def _is_name(self, text: str) -> bool:
        return text.startswith("sub-") or self.known(text)

    def _record(self, names: list[str], node: yaml.MappingNode) -> Iterator[Entry]:
        """`{subject: sub-01, session: 02, reason: motion}`, or without a subject, named before."""
        fields = [(_field(key), value) for key, value in node.value]
        stated = _values(fields, REASON_FIELDS)
        names, files = names + _values(fields, SUBJECT_FIELDS), _values(fields, FILE_FIELDS)
        # Without a subject the file says itself whose it is.
        names, files = (names, files) if names else (files, [])
        keyed = [(key, value) for key, value in node.value if NARROWING.fullmatch(_text(key))]
        for key, value in keyed:  # ses-02: motion
            reason = self._reason(key, ", ".join(_texts(value)))
            yield from (Entry(name, (key.value,), reason) for name in names)
        if keyed:
            return
        choices = [files, _values(fields, SUFFIX_FIELDS), *_entities(fields)]
        narrowings = itertools.product(*filter(None, choices))
        reason = self._reason(node.value[0][0] if node.value else node, ", ".join(stated))
        for name, narrowing in itertools.product(names, narrowings):
            yield Entry(name, narrowing, reason)

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


def _split(node: yaml.Node, known: Callable[[str], bool]) -> list[tuple[str, str]]:
    return split_names(node.value, known) if _is_scalar(node) else []


def _is_scalar(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _is_false(node: yaml.Node) -> bool:
    values = yaml.SafeLoader.bool_values
    return _is_scalar(node) and node.tag.endswith(":bool") and not values.get(node.value.lower(), 1)


def _is_null(node: yaml.Node) -> bool:
    return _is_scalar(node) and (node.tag.endswith(":null") or not node.value.strip())
