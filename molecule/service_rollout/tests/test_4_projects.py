"""A project of several files, with an env file, under a name that only its containers tell, in a folder behind a link."""

from __future__ import annotations

import json
import subprocess

import pytest
from lab_facts import run

COMPOSE = """\
name: what-the-file-says
services:
  web:
    image: ${IMAGE}
    container_name: ${PREFIX}-the-web-site
    command: [python, -c, "import time; time.sleep(3600)"]
    stop_grace_period: 0s
    volumes: ["./config:/app/config:ro", "data:/data"]
    init: true
  once:
    image: ${IMAGE}
    command: [python, -c, "print('migrated')"]
    restart: "no"
volumes:
  data:
"""
OVERRIDE = """\
services:
  web:
    environment: {STAGE: "${STAGE}"}
    restart: unless-stopped
"""


class Project:
    def __init__(self, lab, folder) -> None:
        self.name = f"{lab.name}-odd"
        self.real, self.link = folder / "srv/backend", folder / "opt"
        (self.real / "config").mkdir(parents=True)
        self.link.symlink_to(folder / "srv")
        self.image = f"{lab.name}-odd:latest"
        self.base = lab.settings["LAB_SERVICE_IMAGE"]
        run("docker", "tag", self.base, self.image)
        (self.real / "base.yml").write_text(COMPOSE)
        (self.real / "prod.yml").write_text(OVERRIDE)
        (self.real / "config/a.yaml").write_text("a: 1\n")
        settings = f"IMAGE={self.image}\nPREFIX={self.name}\nSTAGE=prod\nCOMPOSE_PROJECT_NAME=\n"
        (self.real / "prod.env").write_text(settings)

    def compose(self, *words: str, cwd=None) -> str:
        files = ("--file", "base.yml", "--file", "prod.yml", "--env-file", "prod.env")
        return run("docker", "compose", "--project-name", self.name, *files, *words, cwd=cwd or self.real)

    def containers(self) -> dict[str, dict]:
        ids = run("docker", "ps", "--all", "--quiet", "--filter", f"volume={self.name}_data").split()
        ids += run(
            "docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}"
        ).split()
        found = json.loads(run("docker", "container", "inspect", *dict.fromkeys(ids))) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def new_image(self, line: str) -> None:
        run("docker", "build", "--quiet", "--tag", self.image, "-", input=f"FROM {self.base}\n{line}\n")


@pytest.fixture(scope="module")
def project(lab, tmp_path_factory):
    made = Project(lab, tmp_path_factory.mktemp("project"))
    # By the link, as an operator would have done it from a shell there.
    made.compose("up", "--detach", cwd=made.link / "backend")
    yield made
    made.compose("down", "--volumes", "--timeout", "0")
    subprocess.run(["docker", "image", "rm", made.image], check=False, capture_output=True)


@pytest.fixture
def swap(project, role):
    def run_role(service: str, folder, **variables):
        return role(
            "service_rollout",
            platform_project_dir=str(folder),
            platform_compose_file="base.yml",
            platform_compose_files=["base.yml", "prod.yml"],
            platform_env_files=["prod.env"],
            platform_project_name="",
            service_rollout_services=[service],
            service_rollout_tags={service: project.image},
            service_rollout_recreate=[],
            service_rollout_settle=1,
            **variables,
        )

    return run_role


@pytest.mark.parametrize("spelling", ["real", "link"])
@pytest.mark.parametrize("service", ["web", "once"])
def test_what_is_as_it_should_be_is_left_alone_however_the_folder_is_spelled(
    project, swap, spelling, service
):
    before = project.containers()
    folder = project.real if spelling == "real" else project.link / "backend"
    swap(service, folder).assert_passed(changed=0)
    after = project.containers()
    assert {name: one["Id"] for name, one in after.items()} == {
        name: one["Id"] for name, one in before.items()
    }
    assert set(after) == {"web", "once"}


def test_a_new_image_is_swapped_under_the_running_project_name(project, swap):
    before = project.containers()
    project.new_image("LABEL molecule=2")
    swap("web", project.real).assert_passed(changed=1)
    after = project.containers()
    assert after["web"]["Id"] != before["web"]["Id"]
    assert after["web"]["Name"] == f"/{project.name}-the-web-site"
    assert after["web"]["Config"]["Labels"]["com.docker.compose.project"] == project.name
    assert "STAGE=prod" in after["web"]["Config"]["Env"]
    assert {mount["Name"] for mount in after["web"]["Mounts"] if mount["Type"] == "volume"} == {
        f"{project.name}_data"
    }
    assert after["once"]["Id"] == before["once"]["Id"]
    listed = run("docker", "compose", "ls", "--all", "--format", "json")
    assert "what-the-file-says" not in listed


def test_a_service_that_runs_once_is_run_again_with_the_new_image(project, swap):
    before = project.containers()
    swap("once", project.real).assert_passed(changed=1)
    after = project.containers()
    assert after["once"]["Id"] != before["once"]["Id"]
    assert (after["once"]["State"]["Status"], after["once"]["State"]["ExitCode"]) == ("exited", 0)
    assert after["web"]["Id"] == before["web"]["Id"]
