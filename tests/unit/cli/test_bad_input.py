"""Each input of the table gets its sentence, and nothing is written."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from cordinr.bids.names import sidecar_path
from cordinr.cli import main
from cordinr.evaluation.table import load_table
from cordinr.files import read_json
from cordinr.imaging.volume import load_grid, load_volume, save_volume
from tests.helpers.bad_inputs import ODD as ODD_INPUTS
from tests.helpers.bad_inputs import PAGE, TABLE, Bad, page
from tests.helpers.support import blobs

pytestmark = pytest.mark.slow

QUICK = {"fit": {"width": 16, "channels": 1, "batch": 64, "passes": 1, "max_steps": 2}}
CASES = [pytest.param(bad, id=f"{part}: {bad.name}") for part, all in TABLE.items() for bad in all]
SLICES = "--axis S --thickness 4 --axis R --thickness 4"
RUN = f"""
simulate image.nii.gz {SLICES} -o axial.nii.gz -o sagittal.nii.gz
fit axial.nii.gz sagittal.nii.gz --config quick.yaml --fourier-dim 8 -o model.safetensors
render model.safetensors --like image.nii.gz -o recon.nii.gz
baseline axial.nii.gz sagittal.nii.gz --method cubic --like image.nii.gz -o cubic.nii.gz
evaluate recon.nii.gz --reference image.nii.gz -o metrics.json
aggregate metrics.json -o table.tsv
cohort table.tsv --figure ablation -o ablation.svg
"""


def make_good(folder: Path) -> None:
    """One good file of each kind, by one run of the steps."""
    volume = blobs((24, 20, 16), np.eye(4))
    save_volume(folder / "image.nii.gz", volume.array, volume.grid)
    (folder / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in RUN.strip().splitlines():
            patch.setattr(sys, "argv", ["cordinr", *shlex.split(line)])
            with pytest.raises(SystemExit) as stopped:
                main()
            assert not stopped.value.code, line


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    make_good(folder)
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, good):
    """A copy of the good files, to stand in."""
    here = tmp_path / "here"
    shutil.copytree(good, here)
    monkeypatch.chdir(here)
    return here


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
CHANGES |= {"shutil.rmtree", "subprocess.Popen", "os.system", "os.exec", "pickle.find_class"}


class Watch:
    """What the interpreter itself reports of files changed, processes started, pickles loaded."""

    seen: list[str] | None = None

    def __init__(self) -> None:
        sys.addaudithook(self._heard)  # there is no taking it away, hence `seen` may be None

    def _heard(self, event: str, arguments: tuple) -> None:
        if self.seen is None:
            return
        if event in CHANGES or (event == "open" and (arguments[2] or 0) & WRITES):
            self.seen.append(f"{event} {arguments[0]}")


WATCH = Watch()


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.setattr(WATCH, "seen", [])
    return WATCH


def tree(folder: Path) -> dict[Path, tuple[int, int]]:
    return {
        path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))
    }


def said(bad: Bad, output: str) -> str:
    """The sentence alone; a usage error stands in a box."""
    if bad.code == 2:
        return " ".join(re.sub("[│╭╮╰╯─]", " ", output.split("Error ─", 1)[1]).split())
    lines = [line for line in output.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1 and lines[0].startswith("cordinr: error: "), output
    return lines[0].removeprefix("cordinr: error: ")


@pytest.mark.parametrize("bad", CASES)
def test_a_bad_input_gets_its_sentence_and_writes_nothing(bad, folder, command, watch):
    bad.make(folder)
    if bad.name.startswith("no permission") and os.access(folder / "bad.nii", os.R_OK):
        pytest.skip("this user may read everything")
    before = tree(folder.parent)
    watch.seen.clear()
    code, output, error = command(*shlex.split(bad.command))
    changed = watch.seen.copy()
    # What scans were taken for is said before what is wrong with a grid.
    assert code == bad.code and (not output or bad.command.startswith("reconstruct "))
    pattern = ".+".join(map(re.escape, bad.sentence.split("...")))
    assert re.fullmatch(pattern, said(bad, error)), error
    assert tree(folder.parent) == before
    assert changed == []


@pytest.mark.parametrize("odd", [pytest.param(odd, id=odd.name) for odd in ODD_INPUTS])
def test_an_odd_input_gets_its_note_and_is_used(odd, folder, command):
    odd.make(folder)
    code, output, error = command(*shlex.split(odd.command))
    assert (code, output) == (0, ""), error
    pattern = ".+".join(map(re.escape, odd.note.split("...")))
    said = [line.removeprefix("note: ") for line in error.splitlines()]
    assert [line for line in said if re.fullmatch(pattern, line)], error
    assert all(line.startswith("note: ") for line in error.splitlines()), error


def test_the_page_is_up_to_date():
    """`python -m tests.helpers.bad_inputs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


ODD = ["with space", "quote's", 'double"quote', "$(touch owned)", "new\nline", "Rückenmark 脊髄"]
ODD += ["-v", "*?[a]", "back\\slash", "semi;colon|pipe", "~", "%s {0}", "$\\bad$"]
ODD += [os.fsdecode(b"latin-\xe9")]


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_odd_names_are_names_like_any_other(odd, folder, command):
    """Files and the folder they lie in are called so; the dash needs `--` or a folder before it."""
    place = folder / odd
    place.mkdir()
    names = {name: place / f"{odd}{name}" for name in ("image", "axial", "sagittal", "recon")}
    image, axial, sagittal, recon = (Path(f"{path}.nii.gz") for path in names.values())
    model, metrics, figure = (place / f"{odd}.{kind}" for kind in ("safetensors", "json", "svg"))
    shutil.copy("image.nii.gz", image)
    steps = [
        ["simulate", image, *shlex.split(SLICES), "-o", axial, "-o", sagittal],
        ["fit", axial, sagittal, "--config", "quick.yaml", "--fourier-dim", 8, "-o", model],
        ["render", model, "--like", image, "-o", recon],
        ["evaluate", recon, "--reference", image, "--view", axial, "-o", metrics],
        ["aggregate", metrics, "-o", place / "table.tsv"],
        ["cohort", place / "table.tsv", "--figure", "ablation", "-o", figure],
    ]
    for step in steps:
        code, _, error = command(*step)
        assert code == 0, error
    sources = read_json(sidecar_path(recon))["Sources"]
    assert sources == [str(axial), str(sagittal)]
    tabulated = load_table(place / "table.tsv").psnr_fov[0]
    assert tabulated == pytest.approx(read_json(metrics)["psnr_fov"], rel=1e-5)
    made = {path.name for path in place.iterdir()}
    images = [*(path.name for path in names.values()), f"{names['recon'].name}_stderr"]
    assert made == {
        *(f"{image}.nii.gz" for image in images),
        *(f"{image}.json" for image in images[1:]),
        *(path.name for path in (model, metrics, figure)),
        *("table.tsv", "table.json", figure.with_suffix(".tsv").name),
    }
    assert not list(folder.rglob("owned"))


def test_odd_names_can_be_drawn(folder, command):
    """A name is not a formula, and may hold bytes that no font has."""
    recon = os.fsdecode(b"$\\bad$ latin-\xe9.nii.gz")
    shutil.copy("recon.nii.gz", recon)
    words = "--baseline cubic.nii.gz --reference image.nii.gz --view axial.nii.gz -o x.png"
    words += " --metrics metrics.json --metrics metrics.json"
    code, _, error = command("compare", recon, *words.split())
    assert code == 0, error


def test_a_name_that_begins_with_a_dash(folder, command):
    shutil.copy("image.nii.gz", "-v.nii.gz")
    words = f"simulate {SLICES} -o-a.nii -o-b.nii -- -v.nii.gz"
    assert command(*shlex.split(words))[0] == 0
    assert load_volume("-a.nii").grid.shape == (24, 20, 4)


def test_a_message_keeps_to_one_line_whatever_a_file_is_called(folder, command):
    options = shlex.split(f"{SLICES} -o x.nii -o y.nii")
    code, _, error = command("simulate", "a\nb\x1b[31m.nii", *options)
    assert code == 1
    assert error == "cordinr: error: a\\nb\\x1b[31m.nii: no such file; check the path.\n"


def test_inputs_that_are_unusual_but_good(folder, command):
    """A view alone, one of a single slice, and one through a link, are what they are."""
    options = ["--method", "cubic", "--like", "image.nii.gz", "-o", "x.nii.gz"]
    assert command("baseline", "axial.nii.gz", *options)[0] == 0
    Path("linked.nii.gz").symlink_to("axial.nii.gz")
    assert command("baseline", "linked.nii.gz", "sagittal.nii.gz", *options)[0] == 0
    single = ["--axis", "S", "--thickness", 16, "-o", "single.nii.gz"]
    assert command("simulate", "image.nii.gz", *single)[0] == 0
    assert load_volume("single.nii.gz").grid.shape == (24, 20, 1)
    config = ["--config", "quick.yaml", "--fourier-dim", 8, "-o", "one.safetensors"]
    assert command("baseline", "single.nii.gz", "sagittal.nii.gz", *options)[0] == 0
    assert command("fit", "single.nii.gz", "sagittal.nii.gz", *config)[0] == 0


def test_an_empty_mask_is_noted_and_left_out(folder, command):
    grid = load_grid("image.nii.gz")
    save_volume("empty.nii.gz", np.zeros(grid.shape), grid, dtype="uint8")
    words = "--reference image.nii.gz --mask empty.nii.gz -o m.json"
    code, _, error = command("evaluate", "recon.nii.gz", *words.split())
    assert code == 0 and "note: empty.nii.gz: is empty. There are no cord metrics." in error
    assert "psnr_cord" not in read_json("m.json")
