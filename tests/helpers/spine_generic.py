"""Twins of the public spine-generic datasets, published as they are: git here, content over HTTP.

Their trees are those of the lists beside the checkout: the same names, modes, attributes and forms
of annexed files at each version, the same remotes. Of a few images the content is ours, tiny, under
keys of our own; of all others nobody has any.
"""

import gzip
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np

from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import save_volume
from tests.helpers.support import ROOT, blobs
from tests.helpers.twin import QuietHandler

LISTS = ROOT.parent / "shared" / "data" / "spine-generic"
VERSIONS = {
    "single": ("r20201130", "r20211115", "HEAD"),
    "multi": ("r20201130", "r20230223", "HEAD"),
}
"""In the order of their commits; HEAD is the newest commit that there was."""

NEWEST_TAG = {"multi": "r20250314"}
"""The tag of HEAD; that of single has none."""

HOLDER = {
    "single": "c99162a2-3e7d-4100-82e7-1e077a0793f6",
    "multi": "afd7e696-7b3a-4c7e-9dd1-4dfa87cdbd31",
}
"""The remote that has the content: single's S3 bucket; multi's is read through `httpalso`."""

ADDRESS = {"single": "publicurl=", "multi": "url=https://object-arbutus"}
"""How the one address in remote.log begins that leads to this machine in the twin."""

POINTER = b"/annex/objects/"
EMPTY_POINTER = len(POINTER) + len("SHA256E-s--.nii.gz\n") + 64
"""Bytes of a pointer without the digits of the size."""

PSR = np.array([[0, 0, 0.8, -9], [-0.8, 0, 0, 9], [0, 0.8, 0, -8], [0, 0, 0, 1]])
RPI = np.array([[-0.8, 0, 0, 8.05], [0, 0.8, 0, -9.7], [0, 0, 0.8, -9.1], [0, 0, 0, 1]])
GE = np.array([[0, 0, 0.8, -7.6], [-0.5, 0, 0, 9.5], [0, 0.5, 0, -9.5], [0, 0, 0, 1]])
CENTRE = np.array([1.0, -1.0])
"""Right and anterior mm of the cord's middle."""


@dataclass(frozen=True)
class Listed:
    """A line of a list: a file in git."""

    mode: str
    size: int
    path: str


@cache
def listed(name: str, version: str) -> tuple[Listed, ...]:
    """All files of a dataset at a version."""
    with gzip.open(LISTS / name / version / "ls-tree.txt.gz", "rt") as stream:
        found = []
        for line in stream:
            about, _, path = line.rstrip("\n").partition("\t")
            mode, _, _, size = about.split()
            found.append(Listed(mode, int(size), path))
    return tuple(found)


@dataclass(frozen=True)
class Twin:
    """A published twin.

    Attributes:
        bare: the repository to clone.
        store: folder of the content by key, as it is served.
        server: that serves it.
    """

    bare: Path
    store: Path
    server: ThreadingHTTPServer

    def close(self) -> None:
        """Serve nothing any more."""
        self.server.shutdown()
        self.server.server_close()


def publish(name: str, folder: Path, content: Mapping[tuple[str, str], bytes]) -> Twin:
    """Build the twin of "single" or "multi" and serve its content at an address of this machine.

    git-annex connects to this machine only if `annex.security.allowed-ip-addresses` lets it; see
    `helpers.twin.Host.GIT_CONFIG`.

    Args:
        name: of the dataset.
        folder: to make.
        content: (version, path) to the bytes of a compressed image.
    """
    bare, store = folder / "twin.git", folder / "store"
    store.mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=store))
    Thread(target=server.serve_forever, daemon=True).start()
    for data in content.values():
        (store / key_of(data)).write_bytes(data)
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "master", bare], check=True)
    stream = b"".join(_stream(name, content, f"http://127.0.0.1:{server.server_port}"))
    command = ["git", "-C", bare, "fast-import", "--quiet"]
    subprocess.run(command, input=stream, check=True)
    return Twin(bare, store, server)


def key_of(data: bytes) -> str:
    """The git-annex key of a compressed image."""
    return f"SHA256E-s{len(data)}--{hashlib.sha256(data).hexdigest()}.nii.gz"


def _stream(name: str, content: Mapping[tuple[str, str], bytes], url: str) -> Iterator[bytes]:
    """What `git fast-import` reads: a commit per version, and the git-annex branch."""
    marks: dict[bytes, int] = {}
    commits = []
    for version in VERSIONS[name]:
        files = []
        for each in listed(name, version):
            data = _in_git(name, version, each, content.get((version, each.path)))
            if data not in marks:
                marks[data] = len(marks) + 1
                yield b"blob\nmark :%d\ndata %d\n%s\n" % (marks[data], len(data), data)
            files.append(f"M {each.mode} :{marks[data]} {each.path}\n")
        commits.append(_commit("master", 1_600_000_000 + len(commits), version, files))
        yield commits[-1]
        tag = NEWEST_TAG.get(name, "") if version == "HEAD" else version
        if tag:
            yield f"reset refs/tags/{tag}\nfrom refs/heads/master\n\n".encode()
    pointers = [data for data in marks if data.startswith(POINTER)]
    logs = dict(_annex_logs(name, pointers, url))
    files = [f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in logs.items()]
    yield _commit("git-annex", 1_600_000_000, "update", files)
    yield b"done\n"


def _commit(branch: str, time: int, message: str, files: list[str]) -> bytes:
    head = (
        f"commit refs/heads/{branch}\ncommitter A. Uthor <a@example.org> {time} +0000\n"
        f"data {len(message)}\n{message}\ndeleteall\n"
    )
    return "".join([head, *files, "\n"]).encode()


def _in_git(name: str, version: str, each: Listed, ours: bytes | None) -> bytes:
    """What git has of a file: given, a pointer, or something of its kind."""
    if ours is not None:
        return POINTER + f"{key_of(ours)}\n".encode()
    given = LISTS / name / version / each.path
    sidecar = LISTS / name / "r20201130" / Path(each.path).name
    for path in (given, sidecar if each.path.startswith("sub-") else given):
        if path.is_file():
            return path.read_bytes()
    if each.path.endswith(".nii.gz"):
        digits = each.size - EMPTY_POINTER
        name_hash = hashlib.sha256(f"{each.path} {each.size}".encode()).hexdigest()
        size = str(1 + int(name_hash[:8], 16) % 9) + str(int(name_hash, 16))[1:digits]
        return POINTER + f"SHA256E-s{size}--{name_hash}.nii.gz\n".encode()
    if each.path.endswith(".json"):
        derived = each.path.startswith("derivatives")
        about = {"Author": "A. Uthor"} if derived else {"EchoTime": 0.12, "RepetitionTime": 1.5}
        return json.dumps(about, indent=4).encode()
    return f"{each.path}\n".encode()


def _annex_logs(name: str, pointers: Iterable[bytes], url: str) -> Iterator[tuple[str, str]]:
    """Path and text of each file of the git-annex branch."""
    remotes = (LISTS / name / "git-annex-remote.log").read_text()
    words = [
        ADDRESS[name].partition("=")[0] + f"={url}" if word.startswith(ADDRESS[name]) else word
        for word in remotes.split(" ")
    ]
    yield "remote.log", " ".join(words)
    known = [line.split() for line in remotes.splitlines()]
    names = {
        words[0]: next(word[5:] for word in words if word.startswith("name="))
        for words in known
        if not any(word.startswith("sameas-uuid=") for word in words)
    }
    yield "uuid.log", "".join(f"{uuid} {each} timestamp=1s\n" for uuid, each in names.items())
    for pointer in pointers:
        key = pointer.decode().strip().rpartition("/")[2]
        digest = hashlib.md5(key.encode()).hexdigest()
        yield f"{digest[:3]}/{digest[3:6]}/{key}.log", f"1600000000s 1 {HOLDER[name]}\n"


def image(folder: Path, affine: np.ndarray, shape: tuple[int, int, int], seed: int) -> bytes:
    """A compressed image: smooth, with noise, and a bright cord along the body."""
    volume = blobs(shape, affine)
    noise = np.random.default_rng(seed).normal(size=shape)
    array = volume.array + 60 * _cord(volume.grid) + 2 * noise + 20
    return _compressed(folder, array, volume.grid, "float32")


def mask(folder: Path, affine: np.ndarray, shape: tuple[int, int, int]) -> bytes:
    """A compressed segmentation of the cord."""
    grid = Grid(shape, affine)
    return _compressed(folder, _cord(grid), grid, "uint8")


def _cord(grid: Grid) -> np.ndarray:
    """A cylinder along the body, 4 mm in radius."""
    distance = np.linalg.norm(grid.centres()[:, :2] - CENTRE, axis=1)
    return (distance < 4).reshape(grid.shape)


def _compressed(folder: Path, array: np.ndarray, grid: Grid, dtype: str) -> bytes:
    path = folder / "image.nii.gz"
    save_volume(path, array, grid, dtype)
    return path.read_bytes()
