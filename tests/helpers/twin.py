"""A dataset of two small images, published as spine-generic is: content elsewhere than git."""

import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np

from cordinr.datasets.git import environment
from cordinr.datasets.source import create
from cordinr.files import write_json
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import save_volume

LABELS = ("amu01", "amu02")


def write_twin(root: Path, shape=(20, 18, 20)) -> None:
    """Two raw images of 0.8 mm, L-A-S, with cord masks; not yet a dataset."""
    write_json(root / "dataset_description.json", DESCRIPTION)
    (root / "README").write_text("A twin of a spine-generic dataset: small images of noise.\n")
    grid = Grid(shape, np.diag([-0.8, 0.8, 0.8, 1]))
    rng = np.random.default_rng(0)
    for name in LABELS:
        anat, stem = root / f"sub-{name}/anat", f"sub-{name}_T2w"
        image = 100 + 50 * np.sin(np.indices(shape)).prod(axis=0) + rng.normal(size=shape)
        save_volume(anat / f"{stem}.nii.gz", image, grid)
        (anat / f"{stem}.nii.gz").chmod(0o755)
        mask = np.zeros(shape)
        mask[4:8, 5:9] = 1
        masks = root / f"derivatives/labels/sub-{name}/anat"
        save_volume(masks / f"{stem}_label-SC_seg.nii.gz", mask, grid)


DESCRIPTION = {
    "Name": "twin",
    "BIDSVersion": "1.8.0",
    "DatasetType": "raw",
    "License": "CC0",
    "Authors": ["A. Uthor", "B. Uthor"],
}


class Host:
    """Where a dataset is published as spine-generic is: git without content, content over HTTP.

    git-annex connects to this machine only if `annex.security.allowed-ip-addresses` lets it; see
    `GIT_CONFIG`.

    Args:
        root: folder to make a dataset of.
        folder: to keep the bare repository and the content in.
    """

    GIT_CONFIG = '[annex "security"]\n\tallowed-ip-addresses = 127.0.0.1\n'

    def __init__(self, root: Path, folder: Path) -> None:
        self.bare, self.store = folder / "twin.git", folder / "store"
        self.store.mkdir(parents=True)
        self.server = self._serve(0)
        create(root, "twin")
        images = [path.relative_to(root) for path in root.glob("sub-*/anat/*.nii.gz")]
        directory = [f"directory={self.store}", "type=directory", "encryption=none"]
        url = f"http://127.0.0.1:{self.server.server_port}/"
        also = ["type=httpalso", "--sameas=store", f"url={url}", "autoenable=true"]
        annex = ["git", "-C", root, "annex"]
        with environment():
            for command in (
                # git-annex drops the executable bits that the real dataset has
                ["git", "-C", root, "update-index", "--chmod=+x", *images],
                ["git", "-C", root, "commit", "--quiet", "-m", "modes as in spine-generic"],
                ["git", "-C", root, "tag", "--force", "v1"],
                [*annex, "initremote", "store", *directory],
                [*annex, "initremote", "public", *also],
                [*annex, "copy", "--quiet", "--to", "store", "."],
                ["git", "clone", "--quiet", "--bare", root, self.bare],
                ["git", "-C", self.bare, "remote", "remove", "origin"],
            ):
                subprocess.run(list(map(str, command)), check=True, capture_output=True)

    def _serve(self, port: int) -> ThreadingHTTPServer:
        handler = partial(QuietHandler, directory=self.store)
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        Thread(target=server.serve_forever, daemon=True).start()
        return server

    def switch_off(self) -> None:
        """Nobody can get content any more."""
        self.server.shutdown()
        self.server.server_close()

    def switch_on(self) -> None:
        """At the same address as before."""
        self.server = self._serve(self.server.server_port)


class QuietHandler(SimpleHTTPRequestHandler):
    """Says nothing about requests."""

    def log_message(self, *arguments: object) -> None:
        pass
