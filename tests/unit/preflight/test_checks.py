"""The checks before the first change: each finds its fault, all run, and none changes anything."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.command import CommandError, CommandResult
from ansible_collections.suho.platform.plugins.module_utils.compose.config import ComposeConfig
from ansible_collections.suho.platform.plugins.module_utils.preflight import checks as preflight


class NoEngine:
    """A host without Docker."""

    def info(self):
        raise CommandError(["docker", "info"], None, "", "not found: docker")

    def run(self, arguments, **_):
        raise CommandError(["docker", *arguments], None, "", "not found: docker")


class SomeEngine:
    def __init__(self, root):
        self.root = root

    def info(self):
        return {"DockerRootDir": str(self.root)}

    def run(self, arguments, **_):
        return CommandResult("2.26.1", "")


@pytest.fixture
def backend(tmp_path):
    folder = tmp_path / "backend"
    (folder / "svc/bridge").mkdir(parents=True)
    (folder / "svc/bridge/Dockerfile").write_text("FROM scratch\n")
    for command in (
        ["init", "-q"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def made(backend, **changes):
    options = {
        "project_dir": str(backend), "files": ("docker-compose.yml",), "env_files": (), "project_name": "p",
        "services": ("bridge",), "extra_services": {}, "state_dir": str(backend.parent / "state/deep"), "min_free": 1,
        "database": "db", "login": None,
    }  # fmt: skip
    wanted = preflight.Wanted(**{**options, **changes})
    checks = preflight.Preflight(wanted, SomeEngine(backend))
    build = {"context": str(backend), "dockerfile": "svc/bridge/Dockerfile"}
    checks.config = ComposeConfig({"name": "p", "services": {"bridge": {"build": build}}})
    return checks


def test_a_sound_backend_has_no_findings(backend):
    checks = made(backend)
    assert len(checks.revision()) == 40
    for check in (
        checks.engine_answers,
        checks.services_exist,
        checks.code_exists,
        checks.code_is_committed,
        checks.disk_has_room,
    ):
        assert list(check()) == []


def test_without_an_engine_the_finding_says_what_to_do(backend):
    checks = made(backend)
    checks.engine = NoEngine()
    (finding,) = checks.engine_answers()
    assert "not found: docker" in finding.text()
    assert finding.remedy


def test_an_unknown_service_is_named_with_those_that_exist(backend):
    (finding,) = made(backend, services=("brigde",)).services_exist()
    assert finding.object == "brigde"
    assert "bridge" in finding.found


def test_a_service_that_the_deploy_brings_along_is_known(backend):
    assert list(made(backend, services=("tick",), extra_services={"tick": {}}).services_exist()) == []


def test_missing_code_of_a_new_service_is_found(backend):
    extra = {"tick": {"build": {"context": ".", "dockerfile": "svc/tick/Dockerfile"}}}
    (finding,) = made(backend, services=("tick",), extra_services=extra).code_exists()
    assert finding.found.endswith("svc/tick/Dockerfile")


def test_uncommitted_changes_are_found_and_named(backend):
    (backend / "svc/bridge/new.py").write_text("x = 1\n")
    (finding,) = made(backend).code_is_committed()
    assert "svc/bridge/new.py" in finding.found


def test_changes_outside_the_services_do_not_matter(backend):
    (backend / "notes.txt").write_text("x")
    assert list(made(backend).code_is_committed()) == []


def test_a_folder_that_git_does_not_know_is_found(tmp_path, backend):
    folder = tmp_path / "plain"
    (folder / "svc/bridge").mkdir(parents=True)
    checks = made(backend, project_dir=str(folder))
    (finding,) = checks.code_is_committed()
    assert "git" in finding.found


def test_too_little_disk_space_is_found_with_both_numbers(backend):
    findings = list(made(backend, min_free=10**18).disk_has_room())
    assert len(findings) == 1  # all three places lie on one file system here
    assert "GiB free" in findings[0].found
    assert "at least" in findings[0].expected


def test_a_compose_file_that_is_not_there_is_found(backend):
    (finding,) = made(backend).compose_file_reads()
    assert "docker-compose.yml" in finding.object


def test_an_unreachable_clickhouse_is_found_without_its_password(backend):
    login = preflight.Login(host="127.0.0.1", port=1, user="u", password="s3cr3t-value", connect_timeout=2)
    (finding,) = made(backend, login=login).clickhouse_answers()
    assert "127.0.0.1:1" in finding.text()
    assert "s3cr3t-value" not in finding.text()


def test_all_checks_run_whatever_the_first_ones_find(tmp_path):
    checks = made(tmp_path / "nowhere")
    checks.config = None
    checks.engine = NoEngine()
    found = {finding["check"] for finding in checks.run()}
    assert {"engine", "compose file"} <= found


def test_every_method_that_yields_findings_is_run_once(backend):
    methods = {
        name for name, one in vars(preflight.Preflight).items()
        if getattr(one, "__annotations__", {}).get("return") == "Iterator[Finding]"
    }  # fmt: skip
    assert "settings_hold" in methods
    checks, ran = made(backend), []
    for name in methods:
        setattr(checks, name, lambda name=name: ran.append(name) or [])
    assert checks.run() == []
    assert sorted(ran) == sorted(methods)
    assert len(checks.checks) == len(set(checks.checks)) == len(ran)
