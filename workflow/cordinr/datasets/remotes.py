"""Remotes of git-annex that could provide missing content but are not in use, and advice."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .git import git, is_repository

BRANCH_PATTERN = re.compile(r"refs/(?:heads|remotes/[^/]+)/git-annex")
"""Pattern of the full ref of a git-annex branch, local or of a remote."""


@dataclass(frozen=True)
class Remote:
    """A special remote that is recorded in the git-annex branch.

    Attributes:
        name: name by which it is enabled.
        uuid: uuid of its configuration; several configurations may share one store.
        store: uuid of the store.
        settings: settings in its line of remote.log.
    """

    name: str
    uuid: str
    store: str
    settings: dict[str, str]

    @property
    def preference(self) -> tuple[bool, bool, str]:
        """Sort key: first remotes that are enabled automatically, then those without a password."""
        public = self.settings.get("type") == "httpalso" or self.settings.get("public") == "yes"
        return self.settings.get("autoenable") != "true", not public, self.name


def advice(dest: Path, path: str, source: str) -> str:
    """Advise how to get content that no enabled remote of a clone can provide.

    Args:
        dest: root of the clone.
        path: path of the file below `dest`.
        source: source of the clone, or empty.

    Returns:
        Part of a sentence, with the commands to type.
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
    """Tell whether the source of a clone has a git-annex branch, which records where content is."""
    return any(ref.startswith("refs/remotes/") for ref in branches(dest))


def missing_branch_advice(dest: Path, source: str) -> str:
    """Explain a missing git-annex branch and advise what to do; part of a sentence."""
    return (
        f"its source {source} has no git-annex branch (a fork or mirror without it), so where "
        "content is was never said: push that branch to it, or set dataset.source to the original "
        f"dataset, and move {dest} away"
    )


def branches(dest: Path) -> list[str]:
    """List the git-annex branches of a clone and of its remotes, as full refs."""
    refs = _git_or_empty(dest, "for-each-ref", "--format=%(refname)").split()
    return [ref for ref in refs if BRANCH_PATTERN.fullmatch(ref)]


def disabled_remotes(dest: Path) -> list[Remote]:
    """List the special remotes in the git-annex branches that are not enabled, the best first.

    Remotes that are marked as dead are left out.

    Args:
        dest: root of the clone.
    """
    enabled = _enabled_uuids(dest)
    dead = {
        uuid for uuid, words in _newest_log_entries(dest, "trust.log").items() if words[:1] == ["X"]
    }
    recorded = [
        _parse_remote(uuid, words)
        for uuid, words in _newest_log_entries(dest, "remote.log").items()
    ]
    remotes = [
        remote
        for remote in recorded
        if remote.name
        and "type" in remote.settings
        and remote.uuid not in enabled
        and not {remote.uuid, remote.store} & dead
    ]
    return sorted(remotes, key=lambda remote: remote.preference)


def unverified_remotes(dest: Path) -> list[str]:
    """List the remotes that git-annex (from 10.2026 on) does not use until a user verifies them."""
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
    """Return the uuids of the enabled configurations, which differ from that of a shared store."""
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
    """Return the newest words for each uuid in a log file of the git-annex branches.

    The formats are described at https://git-annex.branchable.com/internals/.
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
                other_words = [word for word in words if not word.startswith("timestamp=")]
                yield uuid, float(stamps[0]) if stamps else 0.0, other_words


def _unescape(value: str) -> str:
    """Decode characters that git-annex writes by their number, such as `&32;` for a space."""
    return re.sub(r"&(\d{1,6});", lambda match: chr(int(match[1])), value)


def _git_or_empty(root: Path, *arguments: str) -> str:
    """Return the output of git, or nothing if it fails, as advice must not raise another error."""
    try:
        return git(root, *arguments)
    except InputError:
        return ""
