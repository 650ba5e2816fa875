"""Parser of one text of `exclude.yml`: names, the images that are meant, and the reason."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ENTITY_PATTERN = (
    r"(?:sub|ses|acq|ce|rec|dir|run|mod|echo|flip|inv|mt|part|task|chunk)-[A-Za-z0-9+*?]+"
)
"""Pattern of a BIDS entity with its label, which may contain `*` and `?`."""

SUFFIX_PATTERN = r"(?:[TP][12D]\w*|MTS|UNIT1|MP2RAGE|FLAIR|SWI|angio|dwi|bold|anat|func|fmap|perf)"
"""Pattern of a BIDS suffix or datatype."""

NARROWING_PATTERN = re.compile(
    rf"(?:{ENTITY_PATTERN})(?:[_/]\w[\w+*?-]*)*(?:\.nii(?:\.gz)?|\.json)?|{SUFFIX_PATTERN}"
)
"""Pattern of a word that selects some images of a subject: ses-02, run-1_T2w, T2w, a file name."""

SUFFIX_OF_CONTRAST = {"T1": "T1w", "T2": "T2w", "PD": "PDw"}
"""BIDS suffixes of contrasts, by the short names that people give them."""

REASON_SEPARATORS = " ,;:()[]#=-\u2013\u2014"
"""Characters that may separate a name from its reason, or surround the reason."""

WORD_PATTERN = re.compile(r"[^\s,;:()\[\]#=&]+")
"""Pattern of a word, which ends at a space or punctuation mark."""

SUBJECT_PATTERN = re.compile(r"sub-[^\s,;:()\[\]#=&]+")
"""Pattern of the name of a subject, which may go on as that of an image."""

NAME_SEPARATOR = r"(?:[\s,;&]|(?<=\s)and(?=\s))+"
"""Pattern of what separates two names: commas, semicolons, ampersands, spaces or "and"."""

MAX_WORDS = 12
"""Maximum number of words of a name, such as that of a site; what follows is the reason."""


@dataclass(frozen=True)
class Entry:
    """A subject, site or image that `exclude.yml` names.

    Attributes:
        name: name of the subject, site or image, as written.
        narrowing: words that select some of its images, such as ses-02 or T2w; empty for all.
        reason: reason to exclude it, or empty.
    """

    name: str
    narrowing: tuple[str, ...] = ()
    reason: str = ""

    def with_narrowing(self, narrowing: tuple[str, ...], reason: str) -> "Entry":
        """Return a copy with more narrowing words, and with another reason before its own."""
        reasons = dict.fromkeys(filter(None, (reason, self.reason)))
        return Entry(self.name, (*self.narrowing, *narrowing), ", ".join(reasons))


def parse_entries(text: str, is_known: Callable[[str], bool]) -> list[Entry]:
    """Parse the names in one text, each with the images that are meant and the reason.

    Examples are "sub-01, sub-02", "sub-01 and sub-02 (motion)" and "sub-01 ses-02 motion".

    Args:
        text: text in any of these forms.
        is_known: tells whether the dataset has a subject or site of a name.

    Returns:
        One entry per name and choice of images.
    """
    text = " ".join(text.split())
    if not text or is_known(text):
        return [Entry(text)] if text else []
    for joint in (r"\s*(?:[,;&]|\sand\s)\s*", NAME_SEPARATOR):
        names = [name for name in re.split(joint, text) if name]
        if len(names) > 1 and all(
            is_known(name) or SUBJECT_PATTERN.fullmatch(name) for name in names
        ):
            return list(map(Entry, names))
    names_with_choices: list[tuple[str, list[tuple[str, ...]]]] = []
    while True:
        name, rest = _first_name(text, is_known)
        choices, rest = take_narrowing(rest, lambda word: word.startswith("sub-") or is_known(word))
        names_with_choices.append((name, choices))
        following = re.match(rf"{NAME_SEPARATOR}(?=sub-)", rest)
        if not following:
            break
        text = rest[following.end() :]
    return _entries_of_names(names_with_choices, rest.strip(REASON_SEPARATORS))


def take_narrowing(
    text: str, is_name: Callable[[str], bool] = lambda word: False
) -> tuple[list[tuple[str, ...]], str]:
    """Split off the words at the start of a text that select images of a name.

    Args:
        text: text after a name, such as "ses-02, T1w (motion)".
        is_name: tells whether a word is a name; a name ends the search.

    Returns:
        The choices and the rest of the text. The words of a choice hold together: "T1w, T2star"
        gives two choices, "ses-02 T1w" gives one. Without such words there is one empty choice.
    """
    words: list[str] = []
    end = 0
    while True:
        start = end + len(text[end:]) - len(text[end:].lstrip(f"{REASON_SEPARATORS}&"))
        joined = re.compile(r"and\s+").match(text, start) if words else None
        match = WORD_PATTERN.match(text, joined.end() if joined else start)
        word = match[0].rstrip(".") if match else ""
        if not match or not NARROWING_PATTERN.fullmatch(word) or is_name(word):
            return _group_by_kind(words), text[end:]
        words.append(SUFFIX_OF_CONTRAST.get(word, word))
        end = match.end()


def _first_name(text: str, is_known: Callable[[str], bool]) -> tuple[str, str]:
    """Split a text into the longest known name with which it begins, and the rest."""
    word_ends = itertools.islice(re.finditer(r"[\s,;:()#=]|$", text), MAX_WORDS)
    ends = [end.start() for end in word_ends]
    for end in reversed(ends):
        if is_known(text[:end].strip()):
            return text[:end].strip(), text[end:]
    end = ends[0] if text.startswith("sub-") else len(text)
    return text[:end], text[end:]


def _group_by_kind(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Group words into choices: words of one kind are alternatives, different kinds combine."""
    if any("_" in word or "/" in word for word in words):
        return [(word,) for word in words]
    kinds: dict[str, list[str]] = {}
    for word in words:
        kinds.setdefault(word.partition("-")[0] if "-" in word else "", []).append(word)
    return list(itertools.product(*kinds.values()))


def _entries_of_names(
    names_with_choices: Sequence[tuple[str, list[tuple[str, ...]]]], reason: str
) -> list[Entry]:
    """Make an entry for each name and choice; in "sub-01, sub-02 T1w" both are about T1w."""
    entries: list[Entry] = []
    choices: list[tuple[str, ...]] = [()]
    for name, own in reversed(names_with_choices):
        choices = own if any(own) else choices
        entries = [Entry(name, narrowing, reason) for narrowing in choices] + entries
    return entries
