# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that writes a report: whole files, their modes, a link that is never away, and clear errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.modules import report_files


def options(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "folders": [str(folder / "lab"), str(folder / "lab/one")],
        "files": [
            {"name": "report.json", "content": "{}"},
            {"name": "report.html", "content": "<p>\u00e9</p>"},
        ],
        "link": str(folder / "lab/latest"),
        "target": "one",
        **changes,
    }


def call(capsys: pytest.CaptureFixture[str], given: dict[str, Any], code: int = 0) -> dict[str, Any]:
    with patch_module_args(given), pytest.raises(SystemExit) as ended:
        report_files.main()
    assert ended.value.code == code
    return json.loads(capsys.readouterr().out)


def test_files_folders_and_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = call(capsys, options(tmp_path))
    one = tmp_path / "lab/one"
    assert (found["changed"], found["written"]) == (
        False,
        [str(one / "report.json"), str(one / "report.html")],
    )
    assert (one / "report.html").read_bytes() == "<p>\u00e9</p>".encode()
    assert {oct(path.stat().st_mode & 0o777) for path in one.iterdir()} == {"0o640"}
    assert {oct(path.stat().st_mode & 0o777) for path in (one, one.parent)} == {"0o750"}
    assert sorted(path.name for path in one.iterdir()) == ["report.html", "report.json"]
    assert os.readlink(tmp_path / "lab/latest") == "one"


def test_the_same_again_writes_nothing_and_mends_a_mode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, options(tmp_path))
    path = tmp_path / "lab/one/report.json"
    path.chmod(0o644)
    assert call(capsys, options(tmp_path))["written"] == []
    assert oct(path.stat().st_mode & 0o777) == "0o640"


def test_a_newer_report_gets_the_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, options(tmp_path))
    call(capsys, options(tmp_path, folders=[str(tmp_path / "lab"), str(tmp_path / "lab/two")], target="two"))
    assert os.readlink(tmp_path / "lab/latest") == "two"
    assert sorted(path.name for path in (tmp_path / "lab").iterdir()) == ["latest", "one", "two"]


def test_check_mode_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, options(tmp_path, _ansible_check_mode=True))["written"] == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_the_link_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lab/latest").mkdir(parents=True)
    found = call(capsys, options(tmp_path), code=1)
    assert f"{tmp_path / 'lab/latest'}: found a file or a folder, expected a link" in found["msg"]
    assert (tmp_path / "lab/latest").is_dir()


@pytest.mark.parametrize("name", ["../report.json", "a/b", "..", ""])
def test_a_name_with_a_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    found = call(capsys, options(tmp_path, files=[{"name": name, "content": "x"}]), code=1)
    assert "names of files without a folder" in found["msg"]
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lab").write_text("a file")
    found = call(capsys, options(tmp_path), code=1)
    assert found["msg"].startswith("the report cannot be written: ")
    assert str(tmp_path / "lab") in found["msg"]
