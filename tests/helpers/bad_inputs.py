"""Inputs that cannot be used and the sentence that each gets: the table of docs/bad-input.md.

`python -m tests.helpers.bad_inputs` writes that page anew. Every case runs in a folder of its own, with a
good file of each kind in it, to which `make` adds the bad ones.
"""

# ruff: noqa: E501  (one row, one line)

import gzip
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cordinr.inr.model_file import FORMAT, FORMAT_PREFIX
from tests.helpers.bad_files import (
    SHAPE,
    Make,
    changed_model,
    content,
    copied,
    cut,
    header,
    image,
    inherited,
    isotropic_view,
    large_sidecar,
    link,
    mask,
    metrics,
    model_header,
    moved_view,
    nifti,
    nothing,
    odd_recon,
    other_safetensors,
    padding,
    pair,
    pickled,
    sidecar,
    sidecar_link,
    sidecar_text,
    table,
    tensor,
    text,
    thick_alike,
    unreadable,
    voxels,
    without_orientation,
)

PAGE = Path(__file__).parents[2] / "docs" / "bad-input.md"


@dataclass(frozen=True)
class Bad:
    """One bad input.

    Attributes:
        name: what is wrong, for the reader of the page.
        make: puts the bad file into the folder.
        command: what is typed there after `cordinr`.
        sentence: what stderr says after `cordinr: error: `; `...` stands for what a library says
            or what depends on the machine.
        code: exit status; 2 for wrong usage, told by typer.
    """

    name: str
    make: Make
    command: str
    sentence: str
    code: int = 1


@dataclass(frozen=True)
class Odd:
    """An odd input that is used all the same.

    Attributes:
        name, make, command: as of `Bad`.
        note: what stderr says after `note: `; `...` as there.
    """

    name: str
    make: Make
    command: str
    note: str


# fmt: off
SLICES = "--axis S --thickness 4 -o out/view.nii.gz"
NII = f"simulate bad.nii {SLICES}"
GZ = f"simulate bad.nii.gz {SLICES}"
GOOD = "simulate image.nii.gz"
VIEWS = "axial.nii.gz sagittal.nii.gz"
BASELINE = "--method cubic --like image.nii.gz -o out/x.nii.gz"
VIEW = f"baseline bad.nii.gz sagittal.nii.gz {BASELINE}"
MODEL = "render bad.safetensors --voxel 2 -o out/x.nii.gz"
FIT = f"fit {VIEWS} --config quick.yaml -o out/m.safetensors"
CONFIG = f"fit {VIEWS} --config bad.yaml --fourier-dim 8 -o out/m.safetensors"
SCORE = "evaluate image.nii.gz --reference image.nii.gz -o out/m.json"
COMPARE = (
    "compare recon.nii.gz --baseline cubic.nii.gz --reference image.nii.gz --view axial.nii.gz "
    "-o out/x.png --metrics metrics.json"
)

LABELS = "labels bad.nii.gz --like image.nii.gz -o out/x.nii.gz"
RESOLUTION = "resolution recon.nii.gz --metrics metrics.json --reference image.nii.gz -o out/x.png"

NOT_3D = np.zeros(SHAPE[:2], "f4"), np.zeros((4, 4, 4, 3), "f4"), np.zeros((4, 4, 4, 1, 2), "f4")
RGB = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
FLAT, HOLLOW = np.full(SHAPE, 7, "f4"), np.full(SHAPE, np.nan, "f4")
ONE_HOLE, LARGE, HOLEY, GAPS = voxels(), voxels("f8"), voxels(), voxels()
ONE_HOLE[2, 3, 4], LARGE[2, 3, 4], HOLEY[:7] = np.inf, 1e300, np.nan
GAPS[:, :, 5], GAPS[0], GAPS[4, 4, 4] = 0, -1, np.nan
ZIPPED = gzip.compress(nifti(), mtime=0)
POINTER = "/annex/objects/SHA256E-s7--abc.nii.gz\n"
HUGE = [3, 30000, 30000, 30000, 1, 1, 1, 1]
LONG = "n" * 300

NIFTI = [
    Bad("no such file", nothing, NII, "bad.nii: no such file; check the path."),
    Bad("a folder", lambda folder: (folder / "bad.nii").mkdir(), NII, "bad.nii: is a folder; give a file."),
    Bad("an empty file", content("bad.nii", b""), NII, "bad.nii: is not a readable NIfTI image (an empty file); replace the file."),
    Bad("an empty file, .gz", content("bad.nii.gz", b""), GZ, "bad.nii.gz: is not a readable NIfTI image (an empty file); replace the file."),
    Bad("text", text("bad.nii", "this is not an image\n" * 50), NII, "bad.nii: is not a readable NIfTI image (no NIfTI signature); replace the file."),
    Bad("text, .gz", text("bad.nii.gz", "this is not an image\n" * 50), GZ, "bad.nii.gz: is not a readable NIfTI image (Not a gzipped file (b'th')); replace the file."),
    Bad("cut within the header", content("bad.nii", nifti()[:200]), NII, "bad.nii: is not a readable NIfTI image (no NIfTI signature); replace the file."),
    Bad("cut within the voxels", content("bad.nii", nifti()[:-1000]), NII, "bad.nii: is truncated or damaged (its header promises 7264 bytes, the file can hold 6264); fetch or copy it again."),
    Bad("cut within the header, .gz", content("bad.nii.gz", ZIPPED[:30]), GZ, "bad.nii.gz: is not a readable NIfTI image (Compressed file ended before the end-of-stream marker was reached); replace the file."),
    Bad("cut within the voxels, .gz", content("bad.nii.gz", ZIPPED[:-2000]), GZ, "bad.nii.gz: is truncated or damaged (Compressed file ended before the end-of-stream marker was reached); fetch or copy it again."),
    Bad("damaged within the voxels, .gz", content("bad.nii.gz", ZIPPED[:900] + bytes(2000) + ZIPPED[2900:]), GZ, "bad.nii.gz: is truncated or damaged (CRC check failed ...); fetch or copy it again."),
    Bad("not compressed, but named .gz", content("bad.nii.gz", nifti()), GZ, "bad.nii.gz: is not a readable NIfTI image (Not a gzipped file (b'\\\\\\x01')); replace the file."),
    Bad("compressed, but not named .gz", content("bad.nii", ZIPPED), NII, "bad.nii: is not a readable NIfTI image (no NIfTI signature); replace the file."),
    Bad("another signature", header(magic=b"abc"), NII, "bad.nii: is not a readable NIfTI image (no NIfTI signature); replace the file."),
    Bad("the header of a pair", header(magic=b"ni1"), NII, "bad.nii: is not a readable NIfTI image (the header of a .hdr and .img pair); replace the file."),
    Bad("a .hdr and .img pair", content("bad.hdr", nifti(magic=b"ni1")), f"simulate bad.hdr {SLICES}", "bad.hdr: is not named .nii or .nii.gz; convert it to NIfTI first."),
    Bad("a FreeSurfer image", content("bad.mgz", b"\x00\x00\x00\x01"), f"simulate bad.mgz {SLICES}", "bad.mgz: is not named .nii or .nii.gz; convert it to NIfTI first."),
    Bad("a negative dimension", header(dim=[3, -12, 12, 12, 1, 1, 1, 1]), NII, "bad.nii: its header gives no valid shape (-12, 12, 12); replace the file."),
    Bad("a dimension of 0", header(dim=[3, 12, 0, 12, 1, 1, 1, 1]), NII, "bad.nii: its header gives no valid shape (12, 0, 12); replace the file."),
    Bad("no dimensions", header(dim=[0, 12, 12, 12, 1, 1, 1, 1]), NII, "bad.nii: its header gives no valid number of dimensions; replace it."),
    Bad("more dimensions than NIfTI has", header(dim=[9, 12, 12, 12, 1, 1, 1, 1]), NII, "bad.nii: its header gives no valid number of dimensions; replace it."),
    Bad("30000 x 30000 x 30000 voxels in a small file", header(dim=HUGE), NII, "bad.nii: is truncated or damaged (its header promises 108000000000352 bytes, the file can hold 7264); fetch or copy it again."),
    Bad("the same, .gz", content("bad.nii.gz", gzip.compress(nifti(dim=HUGE))), GZ, "bad.nii.gz: is truncated or damaged (its header promises 108000000000352 bytes, the file can hold ...); fetch or copy it again."),
    Bad("the same as grid to render on", header(dim=HUGE), "render model.safetensors --like bad.nii -o out/x.nii.gz", "bad.nii: is truncated or damaged (its header promises 108000000000352 bytes, the file can hold 7264); fetch or copy it again."),
    Bad("NIfTI-2 of 2^62 voxels a side", content("bad.nii", nifti(version=2, dim=[3, *[2**62] * 3, 1, 1, 1, 1])), NII, "bad.nii: is truncated or damaged (its header promises 392318858461667547739736838950479151006397215279002157600 bytes, the file can hold 7456); fetch or copy it again."),
    Bad("two dimensions", content("bad.nii", nifti(NOT_3D[0])), NII, "bad.nii: has 2 dimensions (12, 12); give a 3D image."),
    Bad("four dimensions", content("bad.nii", nifti(NOT_3D[1])), NII, "bad.nii: has 4 dimensions (4, 4, 4, 3); give a 3D image."),
    Bad("five dimensions", content("bad.nii", nifti(NOT_3D[2])), NII, "bad.nii: has 5 dimensions (4, 4, 4, 1, 2); give a 3D image."),
    Bad("an unknown data type", header(datatype=999), NII, "bad.nii: its header has an unknown data type 999; replace the file."),
    Bad("colours", content("bad.nii", nifti(RGB)), NII, "bad.nii: its voxels are of type RGB; give an image of real numbers."),
    Bad("complex numbers", content("bad.nii", nifti(voxels("c8"))), NII, "bad.nii: its voxels are of type complex64; give an image of real numbers."),
    Bad("bits", header(datatype=1), NII, "bad.nii: its voxels are of type binary; give an image of real numbers."),
    Bad("NaN in the affine", header(srow_x=[np.nan, 0, 0, 0]), NII, "bad.nii: its affine is singular or not finite; repair its header."),
    Bad("infinity in the affine", header(srow_y=[0, 1, 0, np.inf]), NII, "bad.nii: its affine is singular or not finite; repair its header."),
    Bad("a singular affine", header(srow_z=[0, 1, 0, 0]), NII, "bad.nii: its affine is singular or not finite; repair its header."),
    Bad("an affine of zeros", header(srow_x=[0] * 4, srow_y=[0] * 4, srow_z=[0] * 4), NII, "bad.nii: its affine is singular or not finite; repair its header."),
    Bad("a sform and pixdim that give other voxel sizes", header(pixdim=[1, 1, 1, 4, 0, 0, 0, 0]), NII, "bad.nii: its header has voxels of 1 x 1 x 1 by the sform but of 1 x 1 x 4 by pixdim and qform; set both to what was measured."),
    Bad("NaN in more than half of a reference", image(HOLEY), GZ, "bad.nii.gz: 1008 of its 1728 voxels are NaN or infinite; repair or exclude this image."),
    Bad("voxels of a nanometre", header(srow_x=[1e-6, 0, 0, 0]), NII, "bad.nii: its voxels are 1e-06 x 1 x 1 mm; repair its header."),
    Bad("a header that says metres and means millimetres", header(xyzt_units=1), NII, "bad.nii: its voxels are 1e+03 x 1e+03 x 1e+03 mm; repair its header."),
    Bad("a header that says micrometres and means millimetres", header(xyzt_units=3), NII, "bad.nii: its voxels are 0.001 x 0.001 x 0.001 mm; repair its header."),
    Bad("an unknown unit", header(xyzt_units=7), NII, "bad.nii: its header has an unknown unit of length; set it to mm."),
    Bad("an origin a thousand kilometres away", header(srow_z=[0, 0, 1, 1e9]), NII, "bad.nii: its voxels are up to 1e+06 m from the origin; repair its header."),
    Bad("a voxel size of 0, no sform", header(sform_code=0, qform_code=1, pixdim=[1, 1, 0, 1, 0, 0, 0, 0]), NII, "bad.nii: its header gives voxels of 1 x 0 x 1; repair its header."),
    Bad("a negative voxel size, no sform", header(sform_code=0, qform_code=1, pixdim=[1, 1, 1, -2, 0, 0, 0, 0]), NII, "bad.nii: its header gives voxels of 1 x 1 x -2; repair its header."),
    Bad("a voxel size of NaN, no form at all", header(sform_code=0, pixdim=[1, np.nan, 1, 1, 0, 0, 0, 0]), NII, "bad.nii: its header gives voxels of nan x 1 x 1; repair its header."),
    Bad("a voxel size of infinity, a form that there is not", header(sform_code=77, pixdim=[1, np.inf, 1, 1, 0, 0, 0, 0]), NII, "bad.nii: its header gives voxels of inf x 1 x 1; repair its header."),
    Bad("no quaternion of length 1, no sform", header(sform_code=0, qform_code=1, quatern_b=5, pixdim=[1] * 8), NII, "bad.nii: is not a readable NIfTI image (w2 should be positive, but is -2.400000e+01); replace the file."),
    Bad("a slope without intercept", header(scl_slope=2, scl_inter=np.inf), NII, "bad.nii: is not a readable NIfTI image (Valid slope but invalid intercept inf); replace the file."),
    Bad("voxels beyond the end", header(vox_offset=1e6), NII, "bad.nii: is truncated or damaged (its header promises 1006912 bytes, the file can hold 7264); fetch or copy it again."),
    Bad("voxels before the beginning", header(vox_offset=-352), NII, "bad.nii: its header puts the voxels at byte -352, before 352; repair it."),
    Bad("voxels within the header", header(vox_offset=100), NII, "bad.nii: its header puts the voxels at byte 100, before 352; repair it."),
    Bad("voxels at NaN", header(vox_offset=np.nan), NII, "bad.nii: its header puts the voxels at byte nan, before 352; repair it."),
    Bad("one value only", image(FLAT), GZ, "bad.nii.gz: every voxel has the same value; there is nothing to reconstruct."),
    Bad("NaN everywhere", image(HOLLOW), GZ, "bad.nii.gz: 1728 voxels, which is all, are NaN or infinite; repair or exclude this image."),
    Bad("a git-annex pointer", text("bad.nii.gz", POINTER), GZ, "bad.nii.gz: its content was never fetched (a git-annex pointer); run `datalad get` on it."),
    Bad("a git-annex link to nothing", link("bad.nii.gz", f"../.git{POINTER.strip()}"), GZ, "bad.nii.gz: its content was never fetched (a git-annex pointer); run `datalad get` on it."),
    Bad("a link to nothing", link("bad.nii", "gone.nii"), NII, "bad.nii: is a link to a file that does not exist; check the path."),
    Bad("a link to itself", link("bad.nii", "bad.nii"), NII, "bad.nii: cannot be read (Too many levels of symbolic links); check the path."),
    Bad("a pipe", lambda folder: os.mkfifo(folder / "bad.nii"), NII, "bad.nii: is a pipe, socket or device; copy its content to a file."),
    Bad("a device", link("bad.nii", "/dev/zero"), NII, "bad.nii: is a pipe, socket or device; copy its content to a file."),
    Bad("no permission to read", unreadable, NII, "bad.nii: cannot be read (no permission); change its permissions."),
    Bad("a name longer than any file's", nothing, f"simulate {LONG}.nii {SLICES}", f"{LONG}.nii: cannot be read (File name too long); check the path."),
]

SIDECARS = [
    Bad("a list", sidecar_text("[4]"), VIEW, "bad.json: is not a JSON object; repair the file."),
    Bad("not JSON", sidecar_text("{SliceThickness: 4}"), VIEW, "bad.json: is not readable JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); repair the file."),
    Bad("empty", sidecar_text(""), VIEW, "bad.json: is not readable JSON (Expecting value: line 1 column 1 (char 0)); repair the file."),
    Bad("a pipe", lambda folder: (sidecar_text("")(folder), (folder / "bad.json").unlink(), os.mkfifo(folder / "bad.json")), VIEW, "bad.json: is a pipe, socket or device; copy its content to a file."),
    Bad("UTF-16, cut within a character", sidecar_text(b"\xff\xfe{\0}"), VIEW, "bad.json: is not readable JSON ('utf-16-le' codec can't decode byte 0x7d in position 2: truncated data); repair the file."),
    Bad("100,000 nested lists", sidecar_text("[" * 100_000), VIEW, "bad.json: is not readable JSON (nested too deep); repair the file."),
    Bad("16 GB", large_sidecar, VIEW, "bad.json: has 17179869184 bytes, too many for JSON; check the path."),
    Bad("a thickness of 400 digits", sidecar_text(f'{{"SliceThickness": {"9" * 400}}}'), VIEW, "bad.json: SliceThickness is inf, not a positive number of mm; correct it."),
    Bad("a thickness of NaN", sidecar_text('{"SliceThickness": NaN}'), VIEW, "bad.json: SliceThickness is nan, not a positive number of mm; correct it."),
    Bad("an infinite thickness", sidecar_text('{"SliceThickness": Infinity}'), VIEW, "bad.json: SliceThickness is inf, not a positive number of mm; correct it."),
    Bad("a thickness beyond floats", sidecar_text('{"SliceThickness": 1e999}'), VIEW, "bad.json: SliceThickness is inf, not a positive number of mm; correct it."),
    Bad("a thickness in words", sidecar(SliceThickness="4 mm"), VIEW, "bad.json: SliceThickness is '4 mm', not a positive number of mm; correct it."),
    Bad("a negative thickness", sidecar(SliceThickness=-4), VIEW, "bad.json: SliceThickness is -4, not a positive number of mm; correct it."),
    Bad("a thickness of 0", sidecar(SliceThickness=0), VIEW, "bad.json: SliceThickness is 0, not a positive number of mm; correct it."),
    Bad("a thickness that is true", sidecar(SliceThickness=True), VIEW, "bad.json: SliceThickness is True, not a positive number of mm; correct it."),
    Bad("a thickness that is null", sidecar(SliceThickness=None), VIEW, "bad.json: SliceThickness is None, not a positive number of mm; correct it."),
    Bad("a list of thicknesses", sidecar(SliceThickness=[4, 4]), VIEW, "bad.json: SliceThickness is [4, 4], not a positive number of mm; correct it."),
    Bad("an unknown slice profile", sidecar(SliceThickness=4, SliceProfile="sinc"), VIEW, "bad.json: slice profile 'sinc' is not known; use box, gaussian or point."),
    Bad("a list as slice profile", sidecar(SliceThickness=4, SliceProfile=["box"]), VIEW, "bad.json: slice profile '['box']' is not known; use box, gaussian or point."),
    Bad("a thickness that is impossible for the spacing", sidecar(SliceThickness=40), VIEW, "bad.json: SliceThickness is 40 mm, but the slices of bad.nii.gz are 4 mm apart; correct it, in a sidecar beside the image if the file is shared, or --insist."),
    Bad("the thickness of a 3D scan, inherited by a thick one", inherited(SliceThickness=0.8), f"baseline bids/sub-1/anat/sub-1_T2w.nii.gz sagittal.nii.gz {BASELINE}", "...bids/T2w.json: SliceThickness is 0.8 mm, but the slices of bids/sub-1/anat/sub-1_T2w.nii.gz are 4 mm apart; correct it, in a sidecar beside the image if the file is shared, or --insist."),
    Bad("a git-annex pointer", sidecar_text(POINTER), VIEW, "bad.json: its content was never fetched (a git-annex pointer); run `datalad get` on it."),
    Bad("a git-annex link to nothing", sidecar_link, VIEW, "bad.json: its content was never fetched (a git-annex pointer); run `datalad get` on it."),
    Bad("a slice direction that is none, where no axis is coarser", lambda folder: isotropic_view(folder, SliceEncodingDirection="q"), VIEW, "bad.json: SliceEncodingDirection is 'q', not i, j or k; correct it."),
]

VIEW_CASES = [
    Bad("a grid of another place to reconstruct on", image(voxels(), np.eye(4) + 300 * np.eye(4, k=3)), "reconstruct axial.nii.gz sagittal.nii.gz --like bad.nii.gz -o out/x.nii.gz", "out/x.nii.gz: its grid lies wholly beyond what the scans cover; give one of the same place."),
    Bad("views that do not overlap", moved_view, VIEW, "bad.nii.gz and sagittal.nii.gz: the views do not overlap in space; give views of one subject and session."),
    Bad("an isotropic image without a sidecar", isotropic_view, VIEW, "bad.nii.gz: no axis has thicker slices than the others and no sidecar names one; state SliceEncodingDirection in its JSON sidecar."),
    Bad("voxels coarse along two axes, without a sidecar", image(voxels(), np.diag([1, 4, 4, 1])), VIEW, "bad.nii.gz: no axis has thicker slices than the others and no sidecar names one; state SliceEncodingDirection in its JSON sidecar."),
    Bad("the same scan twice", copied("bad.nii.gz"), f"baseline axial.nii.gz bad.nii.gz {BASELINE}", "axial.nii.gz and bad.nii.gz: are the same scan; give two scans with slices along unlike axes."),
    Bad("scans of two subjects", pair("sub-1_T2w.nii.gz", "sub-2_T2w.nii.gz"), f"baseline sub-1_T2w.nii.gz sub-2_T2w.nii.gz {BASELINE}", "sub-1_T2w.nii.gz and sub-2_T2w.nii.gz: are of different subjects by their names; give scans of one subject and session, or --insist."),
    Bad("scans of two sessions", pair("sub-1_ses-1_T2w.nii.gz", "sub-1_ses-2_T2w.nii.gz"), f"baseline sub-1_ses-1_T2w.nii.gz sub-1_ses-2_T2w.nii.gz {BASELINE}", "sub-1_ses-1_T2w.nii.gz and sub-1_ses-2_T2w.nii.gz: are of different sessions by their names; give scans of one subject and session, or --insist."),
    Bad("scans of two contrasts", pair("sub-1_T1w.nii.gz", "sub-1_T2w.nii.gz"), f"baseline sub-1_T1w.nii.gz sub-1_T2w.nii.gz {BASELINE}", "sub-1_T1w.nii.gz and sub-1_T2w.nii.gz: are of different contrasts by their names (T1w, T2w); give scans of one contrast, or --insist."),
    Bad("one of several scans without orientation", without_orientation, VIEW, "bad.nii.gz: its header gives no orientation (qform and sform code 0), so that nobody knows how it lies to the other scans; convert it anew from DICOM, or --insist."),
    Bad("a scan that is nothing but padding", padding, VIEW, "bad.nii.gz: 95 % of its voxels were never measured (padding, constant slices or not finite); give the scan as it came from the scanner."),
    Bad("slices thinner than a gap allows", nothing, "simulate image.nii.gz --axis S --thickness 1 --spacing 4 -o out/x.nii.gz", "simulate: slices of 1 mm every 4 mm are none that a scanner makes; choose a thickness of 0.4 to 3 spacings."),
    Bad("a view that is not named .nii or .nii.gz", text("bad.img", ""), f"baseline bad.img {BASELINE}", "bad.img: is not named .nii or .nii.gz; convert it to NIfTI first."),
    Bad("an image thinner than a slice", image(voxels()[:, :, :2]), GZ, "bad.nii.gz: the image is 2 mm across along the slice axis, thinner than one slice of 4 mm; choose thinner slices or another axis."),
    Bad("voxels thicker than the slices asked for", image(voxels(), np.diag([5, 5, 5, 1])), GZ, "bad.nii.gz: slices of 4 mm every 4 mm are thinner than the voxels (5 mm); ask for at least the voxel size."),
]

MODELS = [
    Bad("no such file", nothing, MODEL, "bad.safetensors: no such file; check the path."),
    Bad("a folder", lambda folder: (folder / "bad.safetensors").mkdir(), MODEL, "bad.safetensors: is a folder; give a file."),
    Bad("a pipe", lambda folder: os.mkfifo(folder / "bad.safetensors"), MODEL, "bad.safetensors: is a pipe, socket or device; copy its content to a file."),
    Bad("empty", content("bad.safetensors", b""), MODEL, "bad.safetensors: is not a readable model (Error while deserializing header: header too small); fit it again."),
    Bad("a pickle of torch.save", pickled, MODEL, "bad.safetensors: is not a readable model (Error while deserializing header: header too large); fit it again."),
    Bad("cut short", cut("bad.safetensors", "model.safetensors", 100), MODEL, "bad.safetensors: is not a readable model (Error while deserializing header: incomplete metadata, file not fully covered); fit it again."),
    Bad("a header of 2^60 bytes", content("bad.safetensors", struct.pack("<Q", 2**60) + b"{}"), MODEL, "bad.safetensors: is not a readable model (Error while deserializing header: header too large); fit it again."),
    Bad("safetensors of something else", other_safetensors(None), MODEL, "bad.safetensors: is not a cordinr model; give a file `cordinr fit` wrote."),
    Bad("a header that is not JSON", other_safetensors({FORMAT: "{"}), MODEL, "bad.safetensors: is not a readable model (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); fit it again."),
    Bad("a header that is a list", other_safetensors({FORMAT: "[]"}), MODEL, "bad.safetensors: is not a readable model (in its header it is not what cordinr writes); fit it again."),
    Bad("a header of 100,000 nested lists", other_safetensors({FORMAT: "[" * 100_000}), MODEL, "bad.safetensors: is not a readable model (its header is nested too deep); fit it again."),
    Bad("no scale", model_header(scale=None), MODEL, "bad.safetensors: is not a readable model (in its header it is not what cordinr writes); fit it again."),
    Bad("no width", model_header(architecture__width=None), MODEL, "bad.safetensors: is not a readable model (in its header architecture is not what cordinr writes); fit it again."),
    Bad("an unknown key", model_header(architecture__path="../../x"), MODEL, "bad.safetensors: is not a readable model (in its header architecture is not what cordinr writes); fit it again."),
    Bad("a negative width", model_header(architecture__width=-16), MODEL, "bad.safetensors: is not a readable model (in its header architecture.width is not what cordinr writes); fit it again."),
    Bad("a width of a thousand million", model_header(architecture__width=10**9), MODEL, "bad.safetensors: is not a readable model (its header says 1000000029000034048 weights, it holds 34768); fit it again."),
    Bad("a width of 10^30", model_header(architecture__width=10**30), MODEL, "bad.safetensors: is not a readable model (in its header architecture.width is not what cordinr writes); fit it again."),
    Bad("a width in words", model_header(architecture__width="16"), MODEL, "bad.safetensors: is not a readable model (in its header architecture.width is not what cordinr writes); fit it again."),
    Bad("a million members", model_header(architecture__members=10**6, settings__members=10**6), MODEL, "bad.safetensors: is not a readable model (its header says 34768000000 weights, it holds 34768); fit it again."),
    Bad("members that contradict each other", model_header(settings__members=7), MODEL, "bad.safetensors: is not a readable model (in its header the members of architecture and settings differ); fit it again."),
    Bad("lattices of 10^27 points", changed_model(lambda header, _: header["architecture"]["lattices"][0].update(shape=[10**9] * 3)), MODEL, "bad.safetensors: is not a readable model (its header says 1000000000000000000000034741 weights, it holds 34768); fit it again."),
    Bad("a lattice of a negative shape", changed_model(lambda header, _: header["architecture"]["lattices"][0].update(shape=[-4, 4, 4])), MODEL, "bad.safetensors: is not a readable model (in its header architecture.lattices[0].shape[0] is not what cordinr writes); fit it again."),
    Bad("a lattice of two dimensions", changed_model(lambda header, _: header["architecture"]["lattices"][0].update(shape=[4, 4])), MODEL, "bad.safetensors: is not a readable model (in its header architecture.lattices[0].shape is not what cordinr writes); fit it again."),
    Bad("lattices without features", model_header(architecture__channels=0), MODEL, "bad.safetensors: is not a readable model (in its header lattices and channels do not go together); fit it again."),
    Bad("an unknown activation", model_header(architecture__activation="__import__('os')"), MODEL, "bad.safetensors: is not a readable model (in its header architecture.activation is not what cordinr writes); fit it again."),
    Bad("an unknown encoding", model_header(architecture__encoding="hash"), MODEL, "bad.safetensors: is not a readable model (in its header architecture.encoding is not what cordinr writes); fit it again."),
    Bad("a centre of NaN", model_header(centre=[np.nan, 0, 0]), MODEL, "bad.safetensors: is not a readable model (its header holds NaN); fit it again."),
    Bad("a centre of two numbers", model_header(centre=[0, 0]), MODEL, "bad.safetensors: is not a readable model (in its header centre is not what cordinr writes); fit it again."),
    Bad("a scale of 0", model_header(scale=0), MODEL, "bad.safetensors: is not a readable model (in its header scale is not what cordinr writes); fit it again."),
    Bad("a path as Fourier dimension", model_header(architecture__fourier_dim="../../../etc/passwd"), MODEL, "bad.safetensors: is not a readable model (in its header architecture.fourier_dim is not what cordinr writes); fit it again."),
    Bad("a null character in a file name", model_header(views=["a\0b"]), MODEL, "bad.safetensors: is not a readable model (in its header views[0] is not what cordinr writes); fit it again."),
    Bad("a singular grid", model_header(domain__grid={"shape": [4, 4, 4], "affine": [[1.0, 0, 0, 0]] * 4, "space": 1}), MODEL, "bad.safetensors: is not a readable model (in its header the grid cannot be: its affine is singular or not finite); fit it again."),
    Bad("a grid of 10^27 voxels", model_header(domain__grid={"shape": [10**9] * 3, "affine": np.eye(4).tolist(), "space": 1}), MODEL, "bad.safetensors: is not a readable model (in its header the grid cannot be: its voxels are up to 1e+06 m from the origin); fit it again."),
    Bad("a grid of 10^12 voxels", model_header(domain__grid={"shape": [30000] * 3, "affine": np.eye(4).tolist(), "space": 1}), MODEL, "out of memory (Unable to allocate 24.6 TiB for an array with shape (2, 3375000000000) and data type float32); close other programs, or choose larger voxels or a smaller image."),
    Bad("a margin below zero", model_header(domain__margin=-1), MODEL, "bad.safetensors: is not a readable model (in its header domain.margin is not what cordinr writes); fit it again."),
    Bad("a model of an earlier version", other_safetensors({f"{FORMAT_PREFIX}2": "{}"}), MODEL, "bad.safetensors: is of another version of cordinr; fit it again."),
    Bad("a grid of another place to render on", image(voxels(), np.eye(4) + 300 * np.eye(4, k=3)), "render model.safetensors --like bad.nii.gz -o out/x.nii.gz", "out/x.nii.gz: its grid lies wholly beyond what the scans cover; give one of the same place."),
    Bad("weights of another shape", tensor("last", lambda x: x.transpose(1, 2).contiguous()), MODEL, "bad.safetensors: is not a readable model (its weights have other names or shapes than its header says); fit it again."),
    Bad("weights of NaN", tensor("last", lambda x: x * np.nan), MODEL, "bad.safetensors: is not a readable model (its last is not of finite numbers); fit it again."),
    Bad("whole numbers as weights", tensor("last", lambda x: x.int()), MODEL, "bad.safetensors: is not a readable model (its last is not of finite numbers); fit it again."),
    Bad("weights that overflow", tensor("last", lambda x: x * 0 + 3e38), MODEL, "out/x.nii.gz: the model gives no finite intensities; fit it again."),
    Bad("a missing weight", changed_model(lambda _, tensors: tensors.pop("last")), MODEL, "bad.safetensors: is not a readable model (its header says 34768 weights, it holds 34752); fit it again."),
    Bad("a weight too many", changed_model(lambda _, tensors: tensors.update(more=tensors["last"].clone())), MODEL, "bad.safetensors: is not a readable model (its header says 34768 weights, it holds 34784); fit it again."),
]

QUALITY = [
    Bad("an image in place of labels", image(voxels()), LABELS, "bad.nii.gz: 1728 of its voxels are not whole numbers (such as ...); give a segmentation into labels, without interpolated values."),
    Bad("a segmentation without a label", image(np.zeros(SHAPE, "u1")), LABELS, "bad.nii.gz: is empty; give a segmentation with at least one label."),
    Bad("labels of another place", image(np.ones(SHAPE, "u1"), np.diag([1, 1, 1, 1]) + 400 * np.eye(4, k=3)), LABELS, "bad.nii.gz: its labels lie beside image.nii.gz; give an image of the same place, or the transform that belongs to each."),
    Bad("a reconstruction on another grid", nothing, "evaluate axial.nii.gz --reference image.nii.gz -o out/m.json", "axial.nii.gz: is not on the grid of image.nii.gz; render it --like that."),
    Bad("a reconstruction whose sidecar was changed", odd_recon, "evaluate bad.nii.gz --reference image.nii.gz -o out/m.json", "bad.json: Method, FourierDimension or FitSettings is not what cordinr writes; correct it."),
    Bad("metrics that are not JSON", text("bad.json", "psnr: 30"), "aggregate bad.json -o out/t.tsv", "bad.json: is not readable JSON (Expecting value: line 1 column 1 (char 0)); repair the file."),
    Bad("metrics that are a list", text("bad.json", "[1]"), "aggregate bad.json -o out/t.tsv", "bad.json: is not a JSON object; repair the file."),
    Bad("metrics without a method", metrics(method=None), "aggregate bad.json -o out/t.tsv", "bad.json: method is None; let `cordinr evaluate` write it."),
    Bad("metrics in words", metrics(psnr_fov="good"), "aggregate bad.json -o out/t.tsv", "bad.json: psnr_fov is good; let `cordinr evaluate` write it."),
    Bad("half a Fourier dimension", metrics(fourier_dim=8.5), "aggregate bad.json -o out/t.tsv", "bad.json: fourier_dim is 8.5; let `cordinr evaluate` write it."),
    Bad("half a seed", metrics(seed=0.5), "aggregate bad.json -o out/t.tsv", "bad.json: seed is 0.5; let `cordinr evaluate` write it."),
    Bad("metrics without a label", metrics(desc=None), "aggregate bad.json -o out/t.tsv", "bad.json: desc is None; let `cordinr evaluate` write it."),
    Bad("a table that would replace the metrics", nothing, "aggregate metrics.json -o metrics.tsv", "metrics.json: would replace an input; choose another output."),
    Bad("a table not named .tsv", nothing, "aggregate metrics.json -o out/t.csv", "out/t.csv: is not named .tsv; choose such a name."),
    Bad("no table", nothing, "cohort bad.tsv --figure ablation -o out/x.svg", "bad.tsv: no such file; check the path."),
    Bad("an empty table", text("bad.tsv", ""), "cohort bad.tsv --figure ablation -o out/x.svg", "bad.tsv: is not a table of metrics (No columns to parse from file); let `cordinr aggregate` write it."),
    Bad("an image as table", content("bad.tsv", ZIPPED), "cohort bad.tsv --figure ablation -o out/x.svg", "bad.tsv: is not a table of metrics ('utf-8' codec can't decode byte 0x8b in position 1: invalid start byte); let `cordinr aggregate` write it."),
    Bad("a table of something else", text("bad.tsv", "a\tb\n1\t2\n"), "cohort bad.tsv --figure ablation -o out/x.svg", "bad.tsv: is not a table of metrics (it has no column subject); let `cordinr aggregate` write it."),
    Bad("a table with words for numbers", table(lambda text: text.replace("\tinr\t8\t", "\tinr\teight\t")), "cohort bad.tsv --figure ablation -o out/x.svg", "bad.tsv: is not a table of metrics (Unable to parse string 'eight' at position 0); let `cordinr aggregate` write it."),
    Bad("a table without an INR", table(lambda text: text.replace("\tinr\t", "\tcubic\t")), "cohort bad.tsv --figure ablation -o out/x.svg", "bad.tsv: the table has no INR in region 'fov'; name another region."),
    Bad("an unknown figure", nothing, "cohort table.tsv --figure pie -o out/x.svg", "figure 'pie' is not known; use ablation, sigmas, time, outliers, sites."),
    Bad("a figure not named .svg", nothing, "cohort table.tsv --figure ablation -o out/x.png", "out/x.png: is not named .svg; choose such a name."),
    Bad("one sigma", nothing, "cohort table.tsv --figure sigmas -o out/x.svg", "table.tsv: the table has one sigma; set fourier_sigmas in the configuration."),
    Bad("a table without sites", nothing, "cohort table.tsv --figure sites -o out/x.svg", "table.tsv: no subject has a site; participants.tsv names it as institution_id."),
    Bad("a table without seconds", nothing, "cohort table.tsv --figure time -o out/x.svg", "table.tsv: no row has PSNR and seconds; `cordinr aggregate --index` knows seconds."),
    Bad("an unknown region", nothing, "cohort table.tsv --figure ablation --region brain -o out/x.svg", "table.tsv: region 'brain' is not known; use fov, fg, cord."),
    Bad("fewer metrics than images to compare", nothing, COMPARE, "compare: give one --metrics per reconstruction, INRs first."),
    Bad("metrics without the PSNR to compare", metrics(psnr_fov=None), f"{COMPARE} --metrics bad.json", "bad.json: has no psnr_fov; evaluate that image over its views."),
    Bad("a truth of no voxel size that was rendered", nothing, f"{RESOLUTION} --truth axial.nii.gz", "axial.nii.gz: is on the grid of no rendering; render one at its voxel size."),
    Bad("a picture of finer voxels without the coarse ones", lambda folder: (folder / "recon.nii.gz").rename(folder / "x_res-iso05_desc-a_T2w.nii.gz"), RESOLUTION.replace("recon.nii.gz", "x_res-iso05_desc-a_T2w.nii.gz"), "resolution: give renderings on the raw image's grid and their --metrics."),
]

OPTIONS = [
    Bad("an axis that is none", nothing, f"{GOOD} --axis Z --thickness 4 -o out/v.nii.gz", "axis 'Z' is not anatomical: use R, A or S."),
    Bad("a thickness of 0", nothing, f"{GOOD} --axis S --thickness 0 -o out/v.nii.gz", "image.nii.gz: slice thickness 0.0 mm is not a positive number."),
    Bad("a thickness of NaN", nothing, f"{GOOD} --axis S --thickness nan -o out/v.nii.gz", "image.nii.gz: slice thickness nan mm is not a positive number."),
    Bad("a spacing of NaN", nothing, f"{GOOD} --axis S --thickness 4 --spacing nan -o out/v.nii.gz", "image.nii.gz: slice spacing nan mm is not a positive number."),
    Bad("slices thinner than the voxels", nothing, f"{GOOD} --axis S --thickness 0.5 -o out/v.nii.gz", "image.nii.gz: slices of 0.5 mm every 0.5 mm are thinner than the voxels (1 mm); ask for at least the voxel size."),
    Bad("slices thicker than the image", nothing, f"{GOOD} --axis S --thickness 40 -o out/v.nii.gz", "image.nii.gz: the image is 16 mm across along the slice axis, thinner than one slice of 40 mm; choose thinner slices or another axis."),
    Bad("an unknown profile", nothing, f"{GOOD} {SLICES} --profile sinc", "image.nii.gz: slice profile 'sinc' is not known; use box, gaussian or point."),
    Bad("two outputs for one view", nothing, f"{GOOD} {SLICES} -o out/second.nii.gz", "simulate: give one --thickness, one -o (and one --spacing) per --axis."),
    Bad("an unknown method", nothing, f"baseline {VIEWS} --method magic --like image.nii.gz -o out/x.nii.gz", "method 'magic' is not known; use cubic, tikhonov, tv, learned."),
    Bad("an infinite weight", nothing, f"baseline {VIEWS} --method tv --tv-weight inf --like image.nii.gz -o out/x.nii.gz", "the weight of tv is inf; give a number from 0."),
    Bad("a weight that is a word", nothing, f"baseline {VIEWS} --method tv --tv-weight much --like image.nii.gz -o out/x.nii.gz", "--tv-weight is 'much'; give a number from 0, or auto."),
    Bad("two methods for one output", nothing, f"baseline {VIEWS} --method tv {BASELINE}", "baseline: give one -o (and one --record) per --method."),
    Bad("one output for two voxel sizes", nothing, "render model.safetensors --voxel 1 --voxel 2 -o out/x.nii.gz", "render: give one -o for --like and one for each --voxel, in this order."),
    Bad("a voxel size of NaN", nothing, "render model.safetensors --voxel nan -o out/x.nii.gz", "Invalid value for '--voxel': Input should be greater than or equal to 0.05", 2),
    Bad("an infinite voxel size", nothing, "render model.safetensors --voxel inf -o out/x.nii.gz", "voxels of inf mm cannot be; choose 0.001 to 100 mm."),
    Bad("a voxel size of a kilometre", nothing, "render model.safetensors --voxel 1e6 -o out/x.nii.gz", "voxels of 1e+06 mm cannot be; choose 0.001 to 100 mm."),
    Bad("a Fourier dimension of 0", nothing, f"{FIT} --fourier-dim 0", "Fourier dimension 0 is not a positive whole number."),
    Bad("a Fourier dimension of 10^15", nothing, f"{FIT} --fourier-dim {10**15}", "fitting 1 member(s) of 32000000000 M numbers in all needs 512000000.0 GB and ... GB are free; lower fit.members or fit.channels."),
    Bad("a sigma of 0", nothing, f"{FIT} --fourier-dim 8 --sigma 0", "--sigma: fit.sigma is 0.0; give a positive number."),
    Bad("a negative seed", nothing, f"{FIT} --fourier-dim 8 --seed -1", "--seed: fit.seed is -1; give a number from 0."),
    Bad("a seed of 10^30", nothing, f"{FIT} --fourier-dim 8 --seed {10**30}", "--seed: fit.seed is 1000000000000000000000000000000; give a number up to 1000000000."),
    Bad("phantoms of infinite voxels", nothing, "phantom out --voxel inf", "voxels of inf mm cannot be; choose smaller ones."),
    Bad("a phantom where something is", nothing, "phantom image.nii.gz", "image.nii.gz: already exists; remove it or choose another folder."),
    Bad("an unknown device", nothing, f"{FIT} --fourier-dim 8 --device tpu", "device 'tpu' is not known; use auto, cpu or cuda."),
    Bad("neither metrics nor index", nothing, "aggregate -o out/t.tsv", "aggregate: give either metrics files or --index."),
    Bad("a partial table of no run", nothing, "aggregate metrics.json --partial -o out/t.tsv", "aggregate: --partial needs --index, which says what there should be."),
    Bad("no benchmarks", lambda folder: (folder / "bad").mkdir(), "costs bad -o out/t.tsv", "bad: holds no benchmarks; run the workflow first."),
    Bad("an output in a folder that is a file", text("file", ""), f"{GOOD} --axis S --thickness 4 -o file/v.nii.gz", "file/v.nii.gz: its folder cannot be written (.../file is not a folder); choose another output."),
    Bad("an output that is a folder", lambda folder: (folder / "v.nii.gz").mkdir(), f"{GOOD} --axis S --thickness 4 -o v.nii.gz", "v.nii.gz: is a folder; choose another output."),
    Bad("an output that is the input", nothing, f"{GOOD} --axis S --thickness 4 -o image.nii.gz", "image.nii.gz: would replace an input; choose another output."),
    Bad("a model that would replace a view", nothing, f"fit {VIEWS} --fourier-dim 8 -o axial.nii.gz", "axial.nii.gz: would replace an input; choose another output."),
    Bad("an output not named .nii or .nii.gz", nothing, f"{GOOD} --axis S --thickness 4 -o out/v.png", "out/v.png: is not named .nii.gz or .nii; choose such a name."),
    Bad("an output with a name too long", nothing, f"{GOOD} --axis S --thickness 4 -o out/{LONG}.nii.gz", f"out/{LONG}.nii.gz: is too long a name; choose another output."),
    Bad("a voxel size of 0", nothing, "render model.safetensors --voxel 0 -o out/x.nii.gz", "Invalid value for '--voxel': Input should be greater than or equal to 0.05", 2),
    Bad("a voxel size in words", nothing, "render model.safetensors --voxel small -o out/x.nii.gz", "Invalid value for '--voxel': Input should be a valid number, unable to parse string as a number", 2),
    Bad("no views", nothing, "fit --fourier-dim 8 -o out/m.safetensors", "Missing argument 'VIEW'.", 2),
    Bad("an unknown verb", nothing, "improve image.nii.gz", "No such command 'improve'.", 2),
    Bad("an unknown option", nothing, "render model.safetensors --voxels 1 -o out/x.nii.gz", "No such option: --voxels (Possible options: --voxel)", 2),
]

BOMB = "\n".join(
    ["a: &a [1, 1]", *(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))]
)

CONFIGS = [
    Bad("no such file", nothing, CONFIG, "bad.yaml: no such file; check the path."),
    Bad("a folder", lambda folder: (folder / "bad.yaml").mkdir(), CONFIG, "bad.yaml: is a folder; give a file."),
    Bad("UTF-16, cut within a character", content("bad.yaml", b"\xff\xfef"), CONFIG, "bad.yaml: is not readable YAML (...); repair the file."),
    Bad("a null character", content("bad.yaml", b"fit: \0"), CONFIG, "bad.yaml: is not readable YAML (unacceptable character #x0000: special characters are not allowed in \"<unicode string>\", position 5); correct it."),
    Bad("broken YAML", text("bad.yaml", "fit: ["), CONFIG, "bad.yaml: is not readable YAML (while parsing a flow node expected the node content, but found '<stream end>' in \"<unicode string>\", line 1, column 7: fit: [ ^); correct it."),
    Bad("a list", text("bad.yaml", "- fit"), CONFIG, "bad.yaml: has no mapping `fit:`; see config.yaml for one."),
    Bad("a number for a section", text("bad.yaml", "fit: 3"), CONFIG, "bad.yaml: has no mapping `fit:`; see config.yaml for one."),
    Bad("an unknown key", text("bad.yaml", "fit: {widht: 3}"), CONFIG, "bad.yaml: unknown key fit.widht; known are encoding, sigma, channels, width, depth, activation, dropout, members, loss, smoothing, tv_prior, rate, lattice_rate, fourier_rate, warmup, batch, passes, max_steps, profile_points, seed."),
    Bad("a number in words", text("bad.yaml", "fit: {width: wide}"), CONFIG, "bad.yaml: fit.width is 'wide'; give a whole number."),
    Bad("half a layer", text("bad.yaml", "fit: {depth: 2.5}"), CONFIG, "bad.yaml: fit.depth is '2.5'; give a whole number."),
    Bad("a rate of NaN", text("bad.yaml", "fit: {rate: .nan}"), CONFIG, "bad.yaml: fit.rate is nan; give a positive number."),
    Bad("an infinite budget", text("bad.yaml", "fit: {passes: .inf}"), CONFIG, "bad.yaml: fit.passes is inf; give a number up to 1000000000."),
    Bad("a width of 400 digits", text("bad.yaml", f"fit: {{width: {'9' * 400}}}"), CONFIG, "bad.yaml: fit.width is 999999999999999999...9999999999999999999; give a number up to 1000000000."),
    Bad("a network of 10^18 weights", text("bad.yaml", "fit: {width: 1000000000}"), CONFIG, "fitting 1 member(s) of 1000000059000 M numbers in all needs 16000000944.0 GB and ... GB are free; lower fit.members or fit.channels."),
    Bad("10,000 samples per slice", text("bad.yaml", "fit: {profile_points: 10000}"), CONFIG, "bad.yaml: fit.profile_points is 10000; give a number up to 1000."),
    Bad("a Python object", text("bad.yaml", "fit: !!python/object/apply:os.system [touch owned]"), CONFIG, "bad.yaml: is not readable YAML (could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system' in \"<unicode string>\", line 1, column 6: fit: !!python/object/apply:os.system ... ^); correct it."),
    Bad("aliases of aliases of aliases", text("bad.yaml", f"{BOMB}\nfit: {{width: *i}}\n"), CONFIG, "bad.yaml: is not readable YAML (it uses aliases (*name); write the values out); correct it."),
    Bad("100,000 nested lists", text("bad.yaml", "fit: " + "[" * 100_000), CONFIG, "bad.yaml: is not readable YAML (nested more than 20 deep); correct it."),
]

ODD = [
    Odd("a spacing that is not the header's", sidecar(SliceThickness=4, SpacingBetweenSlices=1), VIEW, "bad.json: SpacingBetweenSlices is 1 and is ignored; the header of bad.nii.gz says 4 mm."),
    Odd("a negative spacing", sidecar(SliceThickness=4, SpacingBetweenSlices=-4), VIEW, "bad.json: SpacingBetweenSlices is -4 and is ignored; the header of bad.nii.gz says 4 mm."),
    Odd("a slice axis from before the image was turned", sidecar(SliceThickness=4, SliceEncodingDirection="i"), VIEW, "bad.json: SliceEncodingDirection is i, but the header of bad.nii.gz has voxels of 1 mm along i and 4 mm along k; taking k."),
    Odd("a slice direction that is none", sidecar(SliceThickness=4, SliceEncodingDirection="z"), VIEW, "bad.json: SliceEncodingDirection is 'z', not i, j or k; taking array axis 2, whose voxels are thickest."),
    Odd("the slice normal of another scan", sidecar(SliceThickness=4, ImageOrientationPatientDICOM=[0, 1, 0, 0, 0, -1]), VIEW, "bad.json: ImageOrientationPatientDICOM has slices 90 degrees away from those along k in the header of bad.nii.gz; the header's are taken. Is it the sidecar of another scan?"),
    Odd("the matrix of another scan", sidecar(SliceThickness=4, ReconMatrixPE=320), VIEW, "bad.json: ReconMatrixPE is 320, but the slices of bad.nii.gz have 24 x 20 voxels; the header's are taken. Was the image cropped, or is it the sidecar of another scan?"),
    Odd("no sidecar at all", image(voxels(), np.diag([1, 1, 4, 1])), VIEW, "bad.nii.gz: no slice thickness in a sidecar; taking slices along array axis 2, thickness and spacing 4 mm, box profile."),
    Odd("a sidecar in Latin-1", sidecar_text('{"InstitutionName": "Hôpital", "SliceThickness": 4}'.encode("latin-1")), VIEW, "bad.json: is not UTF-8; read as Latin-1."),
    Odd("a sidecar with a byte-order mark", sidecar_text('{"SliceThickness": 4}'.encode("utf-8-sig")), VIEW, "bad.json: begins with a byte-order mark; read as utf-8."),
    Odd("a sidecar in UTF-16", sidecar_text('{"SliceThickness": 4}'.encode("utf-16")), VIEW, "bad.json: begins with a byte-order mark; read as utf-16-le."),
    Odd("a raw tab in a sidecar", sidecar_text('{"ProtocolName": "T2\tsag", "SliceThickness": 4}'), VIEW, "bad.json: has raw control characters within its texts; read all the same."),
    Odd("a sform of zeros beside a qform", header(srow_x=[0] * 4, srow_y=[0] * 4, srow_z=[0] * 4, qform_code=1, pixdim=[1] * 8), NII, "bad.nii: of its sform, its affine is singular or not finite; taking the qform."),
    Odd("no orientation in a single image", header(sform_code=0), NII, "bad.nii: its header gives no orientation (qform and sform code 0); taking axes LAS from the middle of the image."),
    Odd("forms that put the image elsewhere", header(qform_code=1, qoffset_x=3, pixdim=[1] * 8), NII, "bad.nii: its qform and sform disagree by 3 mm at a corner; taking the sform."),
    Odd("infinity in one voxel of a reference", image(ONE_HOLE), GZ, "bad.nii.gz: 1 of its 1728 voxels are NaN or infinite and are taken as 0."),
    Odd("a number beyond float32", image(LARGE), GZ, "bad.nii.gz: 1 of its 1728 voxels are NaN or infinite and are taken as 0."),
    Odd("an empty slice, padding and NaN in a view", image(GAPS, np.diag([1, 1, 4, 1])), VIEW, "bad.nii.gz: 277 of its 1728 voxels were never measured (1 constant slices, 1 not finite, padding) and are left out."),
    Odd("scans that are all thick along one axis", thick_alike, f"baseline axial.nii.gz bad.nii.gz {BASELINE}", "axial.nii.gz and bad.nii.gz: all have their slices along the same axis, so that none shows detail along it; add a scan with slices along another axis."),
    Odd("a mask on another grid", image(np.ones(SHAPE, "u1")), f"{SCORE} --mask bad.nii.gz", "bad.nii.gz: ..."),
    Odd("an image as mask", mask(np.linspace(0, 900, 24 * 20 * 16, dtype="f4").reshape(24, 20, 16)), f"{SCORE} --mask bad.nii.gz", "bad.nii.gz: is not a mask (values from 0 to 900); give a segmentation of 0 and 1. There are no cord metrics."),
    Odd("a mask of NaN", mask(np.full((24, 20, 16), np.nan, "f4")), f"{SCORE} --mask bad.nii.gz", "bad.nii.gz: is not a mask (values from nan to nan); give a segmentation of 0 and 1. There are no cord metrics."),
    Odd("text as mask", text("bad.nii.gz", "no mask"), f"{SCORE} --mask bad.nii.gz", "bad.nii.gz: is not a readable NIfTI image (Not a gzipped file (b'no')); replace the file. There are no cord metrics."),
    Odd("an empty mask", mask(np.zeros((24, 20, 16), "u1")), f"{SCORE} --mask bad.nii.gz", "bad.nii.gz: is empty. There are no cord metrics."),
]

TABLE = {
    "Images": NIFTI,
    "Sidecars of views": SIDECARS,
    "Views": VIEW_CASES,
    "Models": MODELS,
    "Masks, metrics and tables": QUALITY,
    "Options": OPTIONS,
    "Settings (`--config`)": CONFIGS,
}

# fmt: on


def page() -> str:
    """docs/bad-input.md."""
    count = sum(map(len, TABLE.values()))
    lines = [
        "# What bad input gets",
        "",
        f"{count} inputs that cannot be used, and what `cordinr` says about each: one sentence on",
        "stderr, exit status 1 (2 for wrong usage), and no output file. `tests/unit/cli/test_bad_input.py`",
        "runs every row through the real command; `python -m tests.helpers.bad_inputs` writes this page from the",
        "same table, `tests/helpers/bad_inputs.py`. `...` stands for what a library says, or what depends on",
        "the machine.",
    ]
    for section, cases in TABLE.items():
        lines += ["", f"## {section}", "", "| input | sentence |", "|---|---|"]
        lines += [f"| {bad.name} | {_code(bad.sentence)} |" for bad in cases]
    lines += [
        "",
        "## Used all the same, with a note",
        "",
        f"{len(ODD)} inputs that are odd, but can be used without a guess about geometry, or with one",
        "that is said: the command does what it was asked for, and says on stderr, once,",
        "",
        "| input | note |",
        "|---|---|",
        *(f"| {odd.name} | {_code(odd.note)} |" for odd in ODD),
    ]
    return "\n".join(lines) + "\n"


def _code(words: str) -> str:
    """As code in a cell of a Markdown table; a backquote within needs two around."""
    words = words.replace("|", "\\|").replace(LONG, "nnn...")
    return f"`` {words} ``" if "`" in words else f"`{words}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
