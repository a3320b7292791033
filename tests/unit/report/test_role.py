# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report role as ansible-playbook runs it: files, modes, link, several hosts, check mode, no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playbook_run import run_play
from report_sample import ERROR, hostile, sample

PROJECT = Path(__file__).resolve().parents[3]
SECRET = "hunter2-is-long"
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.import_role": {"name": "suho.platform.report"}},
            {"ansible.builtin.debug": {"msg": "{{ report_result.summary }}"}},
        ],
    }
]


class Runner:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports = folder / "reports"

    def __call__(self, data: dict[str, Any], *arguments: str, hosts: str = "h1,", code: int = 0) -> str:
        (self.folder / "play.yml").write_text(json.dumps(PLAY), encoding="utf-8")
        # Read with a lookup, so that nothing in the data is a template: so it is with what modules return.
        # Ansible itself lets no half of a surrogate pair through.
        text = json.dumps(data).replace("\\ud800", "")
        (self.folder / "data.json").write_text(text, encoding="utf-8")
        variables = {
            "report_data": "{{ lookup('ansible.builtin.file', 'data.json') | from_json }}",
            "report_directory": str(self.reports),
            "report_secrets": [{"db": SECRET, "weak": "lab"}],
        }
        (self.folder / "vars.json").write_text(json.dumps(variables), encoding="utf-8")
        done = run_play(self.folder, "-e", "@vars.json", *arguments, hosts=hosts)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.reports)): path.read_text(encoding="utf-8")
            for path in sorted(self.reports.rglob("*"))
            if path.is_file() and "latest" not in path.parts
        }


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_report_is_written_and_the_same_again(run: Runner) -> None:
    data = hostile(sample(error={**ERROR, "message": f"the password {SECRET} was refused"}))
    output = run(data)
    release = run.reports / "lab" / data["meta"]["release_id"]
    assert sorted(path.name for path in release.iterdir()) == [
        "junit.xml",
        "plan.json",
        "report.html",
        "report.json",
    ]
    assert os.readlink(run.reports / "lab" / "latest") == release.name
    assert {oct(path.stat().st_mode & 0o777) for path in release.iterdir()} == {"0o640"}
    assert {oct(path.stat().st_mode & 0o777) for path in (release, release.parent, run.reports)} == {"0o750"}
    first = run.files()
    assert SECRET not in "".join(first.values()) + output
    assert "<script>" not in first[f"lab/{release.name}/report.html"]
    assert "changed=0" in output
    assert f"Report: {release}/report.html" in output
    run(data)
    assert run.files() == first


def test_files_agree_on_the_corrected_verdict(run: Runner) -> None:
    run(sample(assertions=[]))
    files = {Path(name).name: text for name, text in run.files().items()}
    report = json.loads(files["report.json"])
    assert report["meta"]["verdict"] == "error"
    assert report["phases"] == sample()["phases"]
    assert json.loads(files["plan.json"]) == sample()["plan"]
    assert ElementTree.fromstring(files["junit.xml"]).get("errors") == "1"
    assert "no check was made, so nothing is proved" in files["report.html"]


def test_newer_report_becomes_the_latest(run: Runner) -> None:
    for release in ("one", "two"):
        run(sample(meta={**sample()["meta"], "release_id": release}))
    assert os.readlink(run.reports / "lab" / "latest") == "two"
    assert (run.reports / "lab" / "one" / "report.html").exists()


def test_check_mode_writes_nothing(run: Runner) -> None:
    output = run(sample(), "--check", "--diff")
    assert not run.reports.exists()
    assert "DEPLOY lab on h1: PASSED" in output
    assert "Report:" not in output


def test_each_of_several_hosts_has_its_own_files(run: Runner) -> None:
    data = sample()
    (run.folder / "host.json").write_text(
        json.dumps({"report_data": {**data, "meta": {**data["meta"], "host": "{{ inventory_hostname }}"}}}),
        encoding="utf-8",
    )
    run(data, "-e", "@host.json", hosts="h1,h2,")
    release = data["meta"]["release_id"]
    assert {name.rsplit("/", 1)[0] for name in run.files()} == {f"lab/{release}/h1", f"lab/{release}/h2"}
    assert os.readlink(run.reports / "lab" / "latest") == release


def test_unusable_data_is_one_clear_error(run: Runner) -> None:
    output = run({"meta": {**sample()["meta"], "release_id": "../../etc"}}, code=2)
    assert "meta.release_id is '../../etc'" in output
    assert "Traceback" not in output
    assert not run.reports.exists()
