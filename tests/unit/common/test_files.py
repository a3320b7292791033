"""Replacing a file as a whole: bytes, owner, mode, links, and what happens when it fails."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common import files as compose_file
from ansible_collections.suho.platform.plugins.module_utils.common.files import (
    DamagedLine,
    FileError,
    read_lines,
    read_text_file,
    replace_text_file,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "docker-compose.yml"
    found.write_bytes(b"services:\r\n  a: {}\n")
    found.chmod(0o640)
    return found


def test_line_ends_survive_both_ways(path: Path) -> None:
    original = read_text_file(str(path))
    assert original.text == "services:\r\n  a: {}\n"
    assert original.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    after = replace_text_file(original, original.text + "\r\nx\n")
    assert path.read_bytes() == b"services:\r\n  a: {}\n\r\nx\n"
    assert after == hashlib.sha256(path.read_bytes()).hexdigest()


def test_byte_order_mark_stays(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfservices:\n")
    original = read_text_file(str(path))
    assert original.text == "services:\n"
    replace_text_file(original, "services: {}\n")
    assert path.read_bytes() == b"\xef\xbb\xbfservices: {}\n"


def test_mode_and_owner_stay_and_no_other_file_is_left(path: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, 1234, 1235)
    before = path.stat()
    replace_text_file(read_text_file(str(path)), "x\n")
    after = path.stat()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o640, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_edited_at_its_target(path: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "compose.yml"
    link.symlink_to("../docker-compose.yml")
    original = read_text_file(str(link))
    assert original.path == str(path)
    replace_text_file(original, "x\n")
    assert link.is_symlink()
    assert path.read_text() == "x\n"


def test_a_file_that_changed_meanwhile_is_not_overwritten(path: Path) -> None:
    original = read_text_file(str(path))
    path.write_text("somebody else\n")
    with pytest.raises(FileError, match="changed since it was read; nothing was written"):
        replace_text_file(original, "x\n")
    assert path.read_text() == "somebody else\n"


def test_a_failure_leaves_the_old_file_and_nothing_else(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = read_text_file(str(path))
    content = path.read_bytes()

    def broken(*_names: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compose_file.os, "replace", broken)
    with pytest.raises(FileError, match="cannot be replaced: No space left on device"):
        replace_text_file(original, "x\n")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_an_owner_that_cannot_be_kept_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = read_text_file(str(path))
    content = path.read_bytes()

    def refused(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(compose_file, "_copy_attributes", refused)
    with pytest.raises(FileError, match="Operation not permitted"):
        replace_text_file(original, "x\n")
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: (path.unlink(), path.mkdir()), "expected a regular file"),
        (lambda path: path.write_bytes(b"a\nb\xff\n"), "line 2: not UTF-8"),
        (
            lambda path: (path.unlink(), path.symlink_to("gone.yml")),
            r"\(a link to .*gone.yml\): no such file",
        ),
    ],
)
def test_what_cannot_be_read_is_named(path: Path, made: object, message: str) -> None:
    made(path)  # type: ignore[operator]
    with pytest.raises(FileError, match=f"docker-compose.yml.*{message}"):
        read_text_file(str(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"null\n", "line 1: found None, expected an object of JSON"),
        (b'{"a": 1}\n[1]\n{}\n', r"line 2: found \[1\]"),
        (b'{"a":"\xff"}\n{}\n', "line 1 is not JSON"),
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    with pytest.raises(DamagedLine, match=said):
        read_lines(path)
