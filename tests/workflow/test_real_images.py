"""The workflow on real spine MRI under DataLad: any orientation, any intensities."""

import shutil

import nibabel as nib
import numpy as np
import pytest

from cordinr.datasets.source import create
from cordinr.evaluation.table import load_table
from cordinr.imaging.volume import load_volume
from tests.helpers.runs import TINY

IMAGES = {"cervical": "PSR", "unf01": None}


@pytest.fixture(scope="module")
def run(checkout, spine_t2w, tmp_path_factory):
    """A finished run on both real images, one Fourier dimension, a small budget."""
    source = tmp_path_factory.mktemp("real") / "spine-t2w"
    shutil.copytree(spine_t2w, source)
    for path in source.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    create(source, "real images")
    project = checkout("real")
    project.configure(
        **TINY
        | {
            "dataset": {
                "name": "spine-t2w",
                "source": str(source),
                "version": "v1",
                "subjects": "all",
            },
            "fourier_dims": [64],
            "voxel_sizes": [],
            "fit": {"channels": 4, "passes": 6},
        }
    )
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    return project


def recon(project, subject, label="inrF64"):
    return project.results / f"cordinr/sub-{subject}/anat/sub-{subject}_desc-{label}_T2w.nii.gz"


def reference(project, subject):
    return project.results / f"reference/sub-{subject}/anat/sub-{subject}_reference.nii.gz"


@pytest.mark.parametrize("subject", IMAGES)
@pytest.mark.parametrize("label", ["inrF64", "cubic", "tikhonov", "tv"])
def test_volumes_come_out_in_the_right_place(run, spine_t2w, subject, label):
    """Correlation with the reference is highest at zero shift, along every axis."""
    raw = nib.load(spine_t2w / f"sub-{subject}/anat/sub-{subject}_T2w.nii.gz")
    image = nib.load(recon(run, subject, label))
    np.testing.assert_allclose(image.affine, raw.affine, atol=1e-3)
    assert nib.aff2axcodes(image.affine) == nib.aff2axcodes(raw.affine)
    truth, found = raw.get_fdata(), image.get_fdata()

    def correlation(shift):
        moved = np.roll(found, shift, axis=(0, 1, 2))
        inner = tuple(slice(2, -2) for _ in range(3))
        return np.corrcoef(moved[inner].ravel(), truth[inner].ravel())[0, 1]

    shifts = [(0, 0, 0)]
    for axis in range(3):
        for step in (-2, -1, 1, 2):
            shifts.append(tuple(step if k == axis else 0 for k in range(3)))
    assert max(shifts, key=correlation) == (0, 0, 0)
    assert correlation((0, 0, 0)) > 0.8


@pytest.mark.parametrize("subject", IMAGES)
def test_intensities_are_those_of_the_input(run, spine_t2w, subject):
    raw = nib.load(spine_t2w / f"sub-{subject}/anat/sub-{subject}_T2w.nii.gz").get_fdata()
    found = nib.load(recon(run, subject)).get_fdata()
    for percentile in (50, 95):
        expected = np.percentile(raw, percentile)
        spread = np.percentile(raw, 99) - np.percentile(raw, 1)
        assert abs(np.percentile(found, percentile) - expected) < 0.15 * spread


def test_slices_are_stacked_along_anatomy(run):
    """sub-cervical is stored P-S-R: its axial slices follow each other along array axis 1."""
    view = nib.load(
        run.results / "cordinr/sub-cervical/anat/sub-cervical_res-axial_desc-simulated_T2w.nii.gz"
    )
    assert view.shape == (60, 13, 52) and view.header.get_zooms()[1] == pytest.approx(4)


def test_the_cord_is_scored_where_there_is_a_mask(run):
    table = load_table(run.results / "metrics.tsv").set_index("image")
    assert table.loc["sub-cervical", "psnr_cord"].notna().all()
    assert table.loc["sub-unf01", "psnr_cord"].isna().all()
    assert table["psnr_fov"].notna().all()


def test_the_reconstruction_never_reads_the_reference(run):
    """Noise in place of the reference's voxels: model, rendering and baselines stay the same."""
    kept = [recon(run, "cervical", label) for label in ("inrF64", "cubic", "tikhonov", "tv")]
    model = run.results / "models/sub-cervical/anat/sub-cervical_desc-inrF64_model.safetensors"
    before = {path: path.read_bytes() for path in [*kept, model]}
    file = reference(run, "cervical")
    image = nib.load(file)
    noise = np.random.default_rng(0).normal(size=image.shape).astype("f4")
    nib.save(nib.Nifti1Image(noise, image.affine, image.header), file)
    for path in [*kept, model]:
        path.unlink()
    steps = ["fit", "render", "baseline"]
    answer = run.snakemake(
        *map(str, [path.relative_to(run.folder) for path in [*kept, model]]),
        "--forcerun",
        *steps,
        "--allowed-rules",
        *steps,
    )
    assert answer.returncode == 0, answer.stdout
    assert np.abs(load_volume(file).array).max() < 10
    for path, content in before.items():
        assert path.read_bytes() == content, path
