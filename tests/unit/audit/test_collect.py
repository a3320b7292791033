"""What the audit sees of a project: real folders and a real git history, an engine that answers from a file."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.module_utils.audit.collect import AuditSpec, ServiceInspector
from ansible_collections.suho.platform.plugins.module_utils.audit.report import audit_report
from ansible_collections.suho.platform.plugins.module_utils.compose.config import ComposeError, locate_project
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Engine
from ansible_collections.suho.platform.plugins.module_utils.sources.git import GitError, GitTree
from ansible_collections.suho.platform.plugins.modules import service_state
from service_fake_docker import FakeDocker, container, image

OLD, IMAGE_TIME, NEW = "2025-10-04T21:14:00Z", "2025-10-06T01:13:00Z", "2025-10-06T22:05:00Z"


def git(root: Path, *words: str, when: str = OLD) -> None:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    subprocess.run(
        ["git", *settings, *words], cwd=root, env={**os.environ, **dates}, check=True, capture_output=True
    )


class Project:
    """A backend folder with three services, its git history, and an engine that runs them all."""

    def __init__(self, tmp_path: Path) -> None:
        self.docker = FakeDocker(tmp_path / "bin")
        self.root = tmp_path / "backend"
        for name, text in {
            "docker-compose.yml": "services: {}\n",
            "bridge/Dockerfile": "FROM base:1\nCOPY bridge/src /app\nARG TOKEN_URL\n",
            "bridge/src/main.py": "print(1)\n",
            "bridge/README.md": "words\n",
            "bridge/config.yaml": "a: 1\n",
        }.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        git(self.root, "init", "-q")
        self.commit("first", OLD)
        self.build = {"context": str(self.root), "dockerfile": "bridge/Dockerfile"}
        self.services: dict[str, Any] = {
            "nats": {"image": "nats:2.10"},
            "bridge": {"build": self.build, "environment": {"PASSWORD": "geheim123"}},
            "job": {"image": "nats:2.10", "restart": "no"},
        }
        self.images = [
            image("backend-bridge:latest", "sha256:bridge", created=IMAGE_TIME, layers=["l1", "l2"]),
            image("nats:2.10", "sha256:nats", created=IMAGE_TIME),
            image("base:1", "sha256:base", layers=["l1"]),
        ]
        self.containers = [
            container("backend", "nats", "sha256:nats"),
            container("backend", "bridge", "sha256:bridge", name="suho-bridge"),
            container("backend", "job", "sha256:nats", state={"Status": "exited"}),
        ]
        self.hashes = {name: f"hash-{name}" for name in self.services}

    def commit(self, subject: str, when: str) -> None:
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", subject, when=when)

    def write(self, name: str, text: str = "changed\n") -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def audit(self, *services: str, name: str | None = None, **spec: Any) -> dict[str, Any]:
        model = {"name": "backend", "services": self.services}
        self.docker.answer(
            config=model, images=self.images, containers=self.containers, hashes=self.hashes,
            config_with_stdin={**model, "services": {**self.services, **spec.get("extra_services", {})}},
        )  # fmt: skip
        project = locate_project(str(self.root), environment={}, name=name)
        return audit_report(
            ServiceInspector(Engine(str(self.docker.path)), project, AuditSpec(services, **spec))
        )

    def codes(self, service: str, **spec: Any) -> list[str]:
        return [reason["code"] for reason in self.audit(service, **spec)["services"][service]["reasons"]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_platform_in_order(project: Project) -> None:
    report = project.audit()
    assert report["totals"] == {"ok": 3, "services": 3}
    assert report["reasons"] == {}
    assert report["project_name"] == "backend"
    assert [row["status"] for row in report["rows"]] == ["✅ Running", "✅ Image newer", "✅ Ran once"]
    bridge = report["services"]["bridge"]
    assert bridge["code"]["subject"] == "first"
    assert bridge["code"]["modified"] == OLD
    assert bridge["container"]["name"] == "suho-bridge"
    assert bridge["image"]["ref"] == "backend-bridge:latest"
    assert bridge["build"]["tag"] == "backend-bridge:latest"
    assert bridge["build"]["labels"] == {"com.suho.source-digest": bridge["source_digest"]}
    assert bridge["build"]["base_images"] == ["base:1"]


def test_no_environment_value_and_no_secret_argument_is_in_the_report(project: Project) -> None:
    project.build["args"] = {
        "NPM_TOKEN": "geheim123",
        "TOKEN_URL": "https://u:geheim123@example.org/",
        "VERSION": "1",
        "INDEX": "https://u:geheim123@example.org/simple",
    }
    report = project.audit()
    assert "geheim123" not in json.dumps(report)
    assert "never shown" not in json.dumps(report)
    build = report["services"]["bridge"]["build"]
    assert build["args"] == {"VERSION": "1"}
    assert build["hidden_args"] == ["INDEX", "NPM_TOKEN", "TOKEN_URL"]


def test_newer_commit_to_what_the_build_reads_is_stale(project: Project) -> None:
    project.write("bridge/src/main.py")
    project.commit("indicators", NEW)
    report = project.audit()
    service = report["services"]["bridge"]
    assert (service["verdict"], service["action"]) == ("stale", "build")
    assert service["reasons"][0]["text"].startswith("code 20h newer than the image: 1 commit since")
    assert report["reasons"] == {"bridge": [one["text"] for one in service["reasons"]]}
    assert service["code"]["commits_since_image"] == 1


def test_newer_commit_to_what_no_copy_names_is_not(project: Project) -> None:
    project.write("bridge/README.md")
    project.commit("docs", NEW)
    assert project.codes("bridge") == ["current"]
    assert project.codes("bridge", source_paths={"bridge": ["bridge"]}) == ["code_newer"]


def test_uncommitted_code_is_dirty_and_other_files_are_not(project: Project) -> None:
    project.write("bridge/README.md")
    project.write("elsewhere.txt")
    assert project.codes("bridge") == ["current"]
    project.write("bridge/src/new.py")
    (project.root / "bridge/src/main.py").unlink()
    service = project.audit()["services"]["bridge"]
    assert service["verdict"] == "dirty"
    assert service["code"]["dirty_paths"] == ["bridge/src/main.py", "bridge/src/new.py"]
    assert project.audit(source_paths={"bridge": ["elsewhere.txt"]})["services"]["bridge"]["code"] == {}


def test_label_beats_time(project: Project) -> None:
    digest = project.audit()["services"]["bridge"]["source_digest"]
    project.images[0] = image(
        "backend-bridge:latest",
        "sha256:bridge",
        created=IMAGE_TIME,
        labels={"com.suho.source-digest": digest},
    )
    project.commit("nothing that counts", NEW)
    assert project.codes("bridge") == ["current"]
    project.write("bridge/src/main.py", "print(2)\n")
    project.commit("old commit, new code", OLD)
    assert project.codes("bridge") == ["source_changed"]


def test_without_git_the_age_is_unknown(project: Project) -> None:
    (project.root / ".git").rename(project.root.parent / "gone")
    report = project.audit()
    assert report["services"]["bridge"]["verdict"] == "unknown"
    assert "lies in no git work tree" in report["services"]["bridge"]["reasons"][0]["text"]
    assert report["services"]["nats"]["verdict"] == "ok"


def test_a_repository_without_commits_is_unknown(project: Project) -> None:
    (project.root / ".git").rename(project.root.parent / "gone")
    git(project.root, "init", "-q")
    assert "no commit holds its code" in project.audit()["services"]["bridge"]["reasons"][0]["text"]


def test_container_of_an_older_image_configuration_and_state(project: Project) -> None:
    project.containers[1] = container(
        "backend", "bridge", "sha256:older", config_hash="other", state={"Status": "paused"}
    )
    assert project.codes("bridge") == ["image_not_running", "config_changed", "not_running"]


def test_hash_of_a_container_made_without_its_dependencies(project: Project) -> None:
    label = {"com.docker.compose.depends_on": ""}
    project.containers[1] = container(
        "backend", "bridge", "sha256:bridge", config_hash="no-deps", labels=label
    )
    project.docker.answer(hashes_with_stdin={"bridge": "no-deps"})
    assert project.codes("bridge") == ["current"]
    project.docker.answer(hashes_with_stdin={"bridge": "something else"})
    assert project.codes("bridge") == ["config_changed"]
    gone = {"com.docker.compose.depends_on": "removed-service:service_started:false"}
    project.containers[1] = container(
        "backend", "bridge", "sha256:bridge", config_hash="no-deps", labels=gone
    )
    assert project.codes("bridge") == ["config_changed"]


def test_container_that_compose_did_not_make(project: Project) -> None:
    project.containers[1] = container("backend", "bridge", "sha256:bridge", config_hash="")
    assert project.codes("bridge") == ["config_unknown"]


def mount(project: Project, name: str, read_only: bool = True) -> dict[str, Any]:
    return {"type": "bind", "source": str(project.root / name), "target": "/x", "read_only": read_only}


def touch(path: Path, when: float) -> None:
    os.utime(path, (when, when))


STARTED = 1759713240.0  # 2025-10-06T01:14:00Z, when the containers started


def test_mounted_files_newer_than_the_start(project: Project) -> None:
    config = project.root / "bridge/config.yaml"
    touch(config, STARTED - 60)
    project.services["bridge"]["volumes"] = [
        mount(project, "bridge/config.yaml"),
        {"type": "volume", "source": "v"},
    ]
    assert project.codes("bridge") == ["current"]
    touch(config, STARTED + 60)
    service = project.audit()["services"]["bridge"]
    assert (service["verdict"], service["action"]) == ("stale", "recreate")
    assert str(config) in service["reasons"][0]["text"]


def test_mounted_folders_without_what_is_ignored(project: Project) -> None:
    project.write("shared/lib.py")
    touch(project.root / "shared/lib.py", STARTED - 60)
    project.write("shared/__pycache__/lib.pyc")
    project.services["bridge"]["volumes"] = [mount(project, "shared")]
    assert project.codes("bridge", ignored_mount_files=["__pycache__"]) == ["current"]
    assert project.codes("bridge") == ["mount_newer"]


def test_writable_mounts_are_data_unless_git_knows_the_file(project: Project) -> None:
    project.write("data/rows.bin")
    project.write("state.json")
    project.services["bridge"]["volumes"] = [
        mount(project, "data", False),
        mount(project, "state.json", False),
    ]
    assert project.codes("bridge") == ["current"]
    project.services["bridge"]["volumes"] = [mount(project, "bridge/config.yaml", False)]
    assert project.codes("bridge") == ["mount_newer"]


def test_configs_and_secrets_are_mounted_files(project: Project) -> None:
    project.services["bridge"]["configs"] = [{"source": "app"}]
    files = {"app": {"file": str(project.root / "bridge/config.yaml")}}
    model = {"name": "backend", "services": project.services, "configs": files}
    project.docker.answer(
        config=model, images=project.images, containers=project.containers, hashes=project.hashes
    )
    found = ServiceInspector(
        Engine(str(project.docker.path)),
        locate_project(str(project.root), environment={}),
        AuditSpec(["bridge"]),
    ).look()
    assert [one.path for one in found[0].facts.newer_files] == [str(project.root / "bridge/config.yaml")]


def test_a_mount_that_is_not_there(project: Project) -> None:
    project.services["bridge"]["volumes"] = [mount(project, "nowhere")]
    assert project.codes("bridge") == ["mount_missing"]


def test_extra_service_is_missing_until_the_file_has_it(project: Project) -> None:
    extra = {"tick": {"build": {"context": str(project.root), "dockerfile": "bridge/Dockerfile"}}}
    service = project.audit("tick", extra_services=extra)["services"]["tick"]
    assert (service["verdict"], service["action"], service["in_compose"]) == (
        "missing",
        "build_and_start",
        False,
    )
    sent = [stdin for arguments, stdin in project.docker.calls if "-" in arguments]
    assert json.loads(sent[0]) == {"services": extra}
    project.services["tick"] = {"image": "nats:2.10"}
    assert project.audit("tick", extra_services=extra)["services"]["tick"]["in_compose"] is True


def test_unknown_service_lists_what_there_is(project: Project) -> None:
    with pytest.raises(
        ComposeError, match="service brigde is not in the compose project; it has: bridge, job, nats"
    ):
        project.audit("brigde")


def test_project_name_of_the_running_containers_names_the_images(project: Project) -> None:
    labels = {"com.docker.compose.project.working_dir": str(project.root)}
    project.containers = [container("prod", "bridge", "sha256:prod", labels=labels)]
    project.images.append(image("prod-bridge:latest", "sha256:prod", created=IMAGE_TIME))
    report = project.audit("bridge")
    assert report["project_name"] == "prod"
    assert report["services"]["bridge"]["image"]["id"] == "sha256:prod"
    asked = [arguments for arguments, _stdin in project.docker.calls if "--hash" in arguments]
    assert asked[0][asked[0].index("--project-name") + 1] == "prod"


def test_one_shot_by_another_service_that_waits_for_its_end(project: Project) -> None:
    project.services["job"].pop("restart")
    assert project.codes("job") == ["not_running"]
    waiting = {"job": {"condition": "service_completed_successfully"}}
    project.services["nats"]["depends_on"] = waiting
    assert project.codes("job") == ["ran_once"]


def test_profile_services_need_not_run_unless_named(project: Project) -> None:
    project.services["tool"] = {"image": "nats:2.10", "profiles": ["tools"]}
    assert project.audit()["services"]["tool"]["verdict"] == "ok"
    assert project.audit("tool")["services"]["tool"]["verdict"] == "not_running"


def test_older_base_image_is_told_and_counts_only_if_wished(project: Project) -> None:
    project.images[2] = image("base:1", "sha256:base2", layers=["l1-new"])
    assert project.audit()["services"]["bridge"]["verdict"] == "ok"
    assert project.codes("bridge") == ["base_image_changed"]
    assert project.audit(stale_base_counts=True)["services"]["bridge"]["verdict"] == "stale"


def test_remote_context_and_broken_dockerfile_are_unknown(project: Project) -> None:
    project.services["bridge"]["build"] = {"context": "https://example.org/x.git"}
    assert project.codes("bridge") == ["source_unknown"]
    project.services["bridge"]["build"] = project.build
    (project.root / "bridge/Dockerfile").unlink()
    assert project.audit()["services"]["bridge"]["verdict"] == "unknown"


def test_few_calls_for_all_services(project: Project) -> None:
    for number in range(20):
        project.services[f"s{number}"] = {"build": project.build}
    project.audit()
    assert len(project.docker.calls) <= 7


def test_git_of_another_owner_is_read_and_other_failures_are_told(project: Project, tmp_path: Path) -> None:
    tree = GitTree.containing(str(project.root / "bridge"))
    assert tree is not None
    assert tree.top == str(project.root)
    assert tree.last_commit([tree.literal(str(project.root))]).subject == "first"  # type: ignore[union-attr]
    assert tree.last_commit(tree.pathspecs(str(project.root), "bridge/s*")).subject == "first"  # type: ignore[union-attr]
    assert tree.last_commit([tree.literal(str(project.root / "nowhere"))]) is None
    assert GitTree.containing(str(tmp_path)) is None
    with pytest.raises(GitError, match=r"git in .*gone"):
        GitTree.containing(str(tmp_path / "gone"))
    with pytest.raises(GitError, match="git log in"):
        tree.last_commit([":(nonsense)x"])


def test_module_returns_the_report_and_says_what_is_wrong(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.audit()
    monkeypatch.setenv("PATH", str(project.docker.path.parent), prepend=":")

    def run(**options: Any) -> dict[str, Any]:
        arguments = {"project_dir": str(project.root), **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            service_state.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    for check_mode in (False, True):
        answer = run(_ansible_check_mode=check_mode)
        assert answer["changed"] is False
        assert answer["totals"] == {"ok": 3, "services": 3}
    assert "service x is not in the compose project; it has: bridge, job, nats" in run(services=["x"])["msg"]
    assert "expected a directory, found nothing" in run(project_dir="/no/such")["msg"]
    project.docker.answer(fail="Cannot connect to the Docker daemon")
    failed = run()
    assert failed["failed"] is True
    assert "Cannot connect to the Docker daemon" in failed["msg"]
