"""Other ways in: which remotes of git-annex a clone could get content from, but does not use."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .git import git, is_repository

BRANCH_PATTERN = re.compile(r"refs/(?:heads|remotes/[^/]+)/git-annex")


@dataclass(frozen=True)
class Remote:
    """A special remote that the git-annex branch knows.

    Attributes:
        name: by which it is enabled.
        uuid: of its configuration; several may lead to one store.
        store: uuid of the store.
        settings: the rest of its line in remote.log.
    """

    name: str
    uuid: str
    store: str
    settings: dict[str, str]

    @property
    def preference(self) -> tuple[bool, bool, str]:
        """Sorts first what enables itself, then what needs no password."""
        public = self.settings.get("type") == "httpalso" or self.settings.get("public") == "yes"
        return self.settings.get("autoenable") != "true", not public, self.name


def advice(dest: Path, path: str, source: str) -> str:
    """What to type to get content that no remote of a clone can give; part of a sentence.

    Args:
        dest: root of the clone.
        path: of a file below it.
        source: what it was cloned from, or empty.
    """
    clone = f"git -C {shlex.quote(str(dest))}"
    again = f"`{clone} annex get {shlex.quote(path)}`"
    update = ""
    if is_repository(Path(source)) and source and _git_or_empty(Path(source), "remote"):
        old = f"git -C {shlex.quote(source)}"
        update = (
            f"; its source {source} is a clone as well, which may be out of date: update it by "
            f"`{old} fetch --all` and `{old} annex merge`, then this one by `{clone} fetch origin`"
        )
    if not has_source_annex_branch(dest):
        return missing_branch_advice(dest, source) + update
    unsafe = [shlex.quote(name) for name in unverified_remotes(dest)]
    names = [shlex.quote(remote.name) for remote in disabled_remotes(dest)]
    if unsafe:
        return (
            f"enabled but not yet verified: {', '.join(unsafe)}; do what `{clone} annex "
            f"verifyremote {unsafe[0]}` says and run again"
        )
    if not names:
        return (
            f"make that remote reachable and run again, or see by `{clone} fetch origin` whether "
            f"there are newer ones, and try {again}{update}"
        )
    others = f" (or {', '.join(names[1:])})" if names[1:] else ""
    return (
        f"known but not enabled in this clone: {', '.join(names)}; try `{clone} annex "
        f"enableremote {names[0]}`{others}, do what it says and then try {again}{update}"
    )


def has_source_annex_branch(dest: Path) -> bool:
    """Whether a clone got a git-annex branch from its source, which says where content is."""
    return any(ref.startswith("refs/remotes/") for ref in branches(dest))


def missing_branch_advice(dest: Path, source: str) -> str:
    """What to say and do where there is no such branch; part of a sentence."""
    return (
        f"its source {source} has no git-annex branch (a fork or mirror without it), so where "
        "content is was never said: push that branch to it, or set dataset.source to the original "
        f"dataset, and move {dest} away"
    )


def branches(dest: Path) -> list[str]:
    """The git-annex branches of a clone: its own and those of its remotes, as full refs."""
    refs = _git_or_empty(dest, "for-each-ref", "--format=%(refname)").split()
    return [ref for ref in refs if BRANCH_PATTERN.fullmatch(ref)]


def disabled_remotes(dest: Path) -> list[Remote]:
    """The remotes that a git-annex branch knows and that are not enabled here, the best first.

    Those marked as dead are left out, and what is not a special remote.

    Args:
        dest: root of the clone.
    """
    enabled = _enabled_uuids(dest)
    dead = {
        uuid for uuid, words in _newest_log_entries(dest, "trust.log").items() if words[:1] == ["X"]
    }
    found = [
        _parse_remote(uuid, words)
        for uuid, words in _newest_log_entries(dest, "remote.log").items()
    ]
    remotes = [
        remote
        for remote in found
        if remote.name
        and "type" in remote.settings
        and remote.uuid not in enabled
        and not {remote.uuid, remote.store} & dead
    ]
    return sorted(remotes, key=lambda remote: remote.preference)


def unverified_remotes(dest: Path) -> list[str]:
    """The remotes that git-annex (from 10.2026 on) does not use before somebody looked at them."""
    lines = _git_or_empty(
        dest, "config", "--get-regexp", r"^remote\..*\.annex-verified$"
    ).splitlines()
    pairs = [line.rpartition(" ")[::2] for line in lines]
    return [
        key.removeprefix("remote.").removesuffix(".annex-verified")
        for key, value in pairs
        if value == "manual"
    ]


def _enabled_uuids(dest: Path) -> set[str]:
    """The uuids of the configurations in use; of several to one store not the store's own."""
    pattern = r"^remote\..*\.annex-(config-)?uuid$"
    used: dict[str, dict[str, str]] = {}
    for line in _git_or_empty(dest, "config", "--get-regexp", pattern).splitlines():
        key, _, uuid = line.partition(" ")
        remote, _, kind = key.rpartition(".")
        used.setdefault(remote, {})[kind] = uuid
    return {kinds.get("annex-config-uuid", kinds.get("annex-uuid", "")) for kinds in used.values()}


def _parse_remote(uuid: str, words: list[str]) -> Remote:
    pairs = (word.partition("=") for word in words)
    settings = {key: _unescape(value) for key, equals, value in pairs if equals}
    name = settings.get("sameas-name") or settings.get("name", "")
    return Remote(name, uuid, settings.get("sameas-uuid", uuid), settings)


def _newest_log_entries(dest: Path, name: str) -> dict[str, list[str]]:
    """The newest words for each uuid in a log of the git-annex branches.

    https://git-annex.branchable.com/internals/ has the formats.
    """
    newest: dict[str, tuple[float, list[str]]] = {}
    for uuid, stamp, words in _log_entries(dest, name):
        if uuid not in newest or stamp > newest[uuid][0]:
            newest[uuid] = stamp, words
    return {uuid: words for uuid, (_, words) in newest.items()}


def _log_entries(dest: Path, name: str) -> Iterator[tuple[str, float, list[str]]]:
    for branch in branches(dest):
        for line in _git_or_empty(dest, "show", f"{branch}:{name}").splitlines():
            uuid, *words = line.split() or [""]
            stamps = re.findall(r" timestamp=([0-9]+(?:\.[0-9]+)?)s?$", line)
            if uuid:
                kept = [word for word in words if not word.startswith("timestamp=")]
                yield uuid, float(stamps[0]) if stamps else 0.0, kept


def _unescape(value: str) -> str:
    """git-annex writes what could be mistaken as `&32;`, the number of a character."""
    return re.sub(r"&(\d{1,6});", lambda found: chr(int(found[1])), value)


def _git_or_empty(root: Path, *arguments: str) -> str:
    """What git says, or nothing where it fails: advice is no place for another error."""
    try:
        return git(root, *arguments)
    except InputError:
        return ""
