"""Text files of people, scanners and spreadsheets: read where nothing has to be guessed."""

import json

import pytest

from cordinr.errors import InputError
from cordinr.files import read_json, read_text

NAME = {"InstitutionName": "Hôpital de la Pitié", "SliceThickness": 4}
TEXT = json.dumps(NAME, ensure_ascii=False)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode(), None),
        (TEXT.encode("utf-8-sig"), "byte-order mark"),
        (TEXT.encode("latin-1"), "not UTF-8; read as Latin-1"),
        (TEXT.encode() + b"\r\n\x1a\0\0", None),
        (TEXT.encode("utf-16"), "byte-order mark"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "byte-order mark"),
        (TEXT.encode("utf-32"), "byte-order mark"),
    ],
)
def test_json_in_other_encodings_is_read_with_a_note(tmp_path, notes, content, words):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert read_json(path) == NAME
    assert [str(path) in note and words in note for note in notes()] == ([True] if words else [])


@pytest.mark.parametrize("character", ["\t", "\n", "\x0b", "\x1f"])
def test_raw_control_characters_within_json_texts_are_let_pass_with_a_note(
    tmp_path, notes, character
):
    path = tmp_path / "x.json"
    path.write_text(f'{{"ProtocolName": "T2{character}sag", "EchoTime": 0.1}}', newline="")
    assert read_json(path) == {"ProtocolName": f"T2{character}sag", "EchoTime": 0.1}
    assert ["raw control characters" in note for note in notes()] == [True]


def test_a_byte_order_mark_before_latin_1(tmp_path, notes):
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode("latin-1"))
    assert read_json(path) == NAME and len(notes()) == 2


def test_bytes_that_windows_leaves_free_are_latin_1(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\x93quoted\x94")
    assert read_text(path, "text") == "\u201cquoted\u201d"
    path.write_bytes(b"\x81\xe9")
    assert read_text(path, "text") == "\x81\xe9"


def test_line_ends_of_all_systems_are_newlines(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_bytes(b"a\tb\r\nc\td\re\tf\n")
    assert read_text(path, "TSV") == "a\tb\nc\td\ne\tf\n"


@pytest.mark.parametrize("link", [True, False])
def test_an_annexed_file_that_was_never_fetched_is_called_that(tmp_path, link):
    path, target = tmp_path / "x.json", "/annex/objects/SHA256E-s7--abc.json"
    if link:
        path.symlink_to(f"../.git{target}")
    else:
        path.write_text(f"{target}\n")
    with pytest.raises(InputError, match=r"x\.json: its content was never fetched"):
        read_json(path)


def test_json_that_names_an_annexed_file_is_json(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"Sources": ["/data/.git/annex/objects/x"]}')
    assert read_json(path)["Sources"] == ["/data/.git/annex/objects/x"]


def test_json_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match="not readable JSON"):
        read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(InputError, match="not a JSON object"):
        read_json(tmp_path / "x.json")
