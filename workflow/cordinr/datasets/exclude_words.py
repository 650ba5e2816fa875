"""The words of one text in `exclude.yml`: names, what of them is meant, and why."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ENTITY = r"(?:sub|ses|acq|ce|rec|dir|run|mod|echo|flip|inv|mt|part|task|chunk)-[A-Za-z0-9+*?]+"
SUFFIX = r"(?:[TP][12D]\w*|MTS|UNIT1|MP2RAGE|FLAIR|SWI|angio|dwi|bold|anat|func|fmap|perf)"
NARROWING = re.compile(rf"(?:{ENTITY})(?:[_/]\w[\w+*?-]*)*(?:\.nii(?:\.gz)?|\.json)?|{SUFFIX}")
"""What narrows a subject down to some images: ses-02, run-1_T2w, T2w, a file name."""

SHORT = {"T1": "T1w", "T2": "T2w", "PD": "PDw"}
"""As people call the contrasts, to the suffix."""

BEFORE_REASON = " ,;:()[]#=-\u2013\u2014"
"""What may stand between a name and its reason, or around it."""

WORD = re.compile(r"[^\s,;:()\[\]#=&]+")
SUBJECT = re.compile(r"sub-[^\s,;:()\[\]#=&]+")
JOINT = r"(?:[\s,;&]|(?<=\s)and(?=\s))+"
"""What stands between two names."""

MAX_WORDS = 12
"""Of a name, as of a site, before what follows is a reason in any case."""


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

    def with_more(self, narrowing: tuple[str, ...], reason: str) -> "Entry":
        """The same, narrowed down by more names, with another reason before its own."""
        reasons = dict.fromkeys(filter(None, (reason, self.reason)))
        return Entry(self.name, (*self.narrowing, *narrowing), ", ".join(reasons))


def split_names(text: str, known: Callable[[str], bool]) -> list[Entry]:
    """The names in one text, each with what of it is meant and why.

    "sub-01, sub-02", "sub-01 and sub-02 (motion)", "sub-01 ses-02 motion".

    Args:
        text: of any form.
        known: whether a name is a subject's or a site's, as people write it.
    """
    text = " ".join(text.split())
    if not text or known(text):
        return [Entry(text)] if text else []
    for joint in (r"\s*(?:[,;&]|\sand\s)\s*", JOINT):
        names = [name for name in re.split(joint, text) if name]
        if len(names) > 1 and all(known(name) or SUBJECT.fullmatch(name) for name in names):
            return list(map(Entry, names))
    found: list[tuple[str, list[tuple[str, ...]]]] = []
    while True:
        name, rest = _first_name(text, known)
        choices, rest = take_narrowing(rest, lambda word: word.startswith("sub-") or known(word))
        found.append((name, choices))
        following = re.match(rf"{JOINT}(?=sub-)", rest)
        if not following:
            break
        text = rest[following.end() :]
    return _each(found, rest.strip(BEFORE_REASON))


def take_narrowing(
    text: str, is_name: Callable[[str], bool] = lambda word: False
) -> tuple[list[tuple[str, ...]], str]:
    """What a text begins with that narrows a name down, and what follows.

    Args:
        text: such as "ses-02, T1w (motion)".
        is_name: whether a word is a name, which is left where it is.

    Returns:
        Choices, each of words that hold together: T1w, T2star are two, ses-02 T1w is one; one empty
        choice where nothing narrows the name down.
    """
    words: list[str] = []
    end = 0
    while True:
        start = end + len(text[end:]) - len(text[end:].lstrip(f"{BEFORE_REASON}&"))
        joined = re.compile(r"and\s+").match(text, start) if words else None
        found = WORD.match(text, joined.end() if joined else start)
        word = found[0].rstrip(".") if found else ""
        if not found or not NARROWING.fullmatch(word) or is_name(word):
            return _choices(words), text[end:]
        words.append(SHORT.get(word, word))
        end = found.end()


def _first_name(text: str, known: Callable[[str], bool]) -> tuple[str, str]:
    """The name with which a text begins, as long a one as somebody has, and what follows."""
    found = itertools.islice(re.finditer(r"[\s,;:()#=]|$", text), MAX_WORDS)
    ends = [end.start() for end in found]
    for end in reversed(ends):
        if known(text[:end].strip()):
            return text[:end].strip(), text[end:]
    end = ends[0] if text.startswith("sub-") else len(text)
    return text[:end], text[end:]


def _choices(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Words of one kind are choices; of several kinds they hold together."""
    if any("_" in word or "/" in word for word in words):
        return [(word,) for word in words]
    kinds: dict[str, list[str]] = {}
    for word in words:
        kinds.setdefault(word.partition("-")[0] if "-" in word else "", []).append(word)
    return list(itertools.product(*kinds.values()))


def _each(found: Sequence[tuple[str, list[tuple[str, ...]]]], reason: str) -> list[Entry]:
    """An entry for each name and choice; of "sub-01, sub-02 T1w" both are about T1w."""
    entries: list[Entry] = []
    choices: list[tuple[str, ...]] = [()]
    for name, own in reversed(found):
        choices = own if any(own) else choices
        entries = [Entry(name, narrowing, reason) for narrowing in choices] + entries
    return entries
