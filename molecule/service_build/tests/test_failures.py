"""A build that fails changes nothing: neither what runs nor what any tag names; and it says which service, and why."""

from __future__ import annotations

import json

import pytest
from lab_facts import run

RELEASE = "20200101T000000Z-abc1234"
BRIDGE, COLLECTOR = "02-data-processing/data-bridge", "00-data-ingestion/external-data-collector"


def images(lab) -> dict[str, str]:
    lines = run(
        "docker", "image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"
    ).splitlines()
    return dict(line.split() for line in lines if line.startswith(f"{lab.name}-"))


def running(lab) -> dict[str, list[str]]:
    return {name: [one["Id"], one["State"]["StartedAt"]] for name, one in lab.containers().items()}


@pytest.fixture
def dockerfile(lab):
    """Add a line to a service's Dockerfile for one test."""
    kept = {}

    def add(folder: str, line: str) -> None:
        path = lab.backend / folder / "Dockerfile"
        kept.setdefault(path, path.read_bytes())
        path.write_text(path.read_text() + line + "\n")

    yield add
    for path, content in kept.items():
        path.write_bytes(content)


@pytest.fixture
def build(lab, role):
    def forced(*services: str, **variables):
        return role(
            "service_build",
            service_build_services=list(services),
            service_build_force=list(services),
            service_build_release=RELEASE,
            **variables,
        )

    return forced


def test_a_dockerfile_that_fails_is_named_with_its_last_lines(lab, dockerfile, build):
    before = (images(lab), running(lab), lab.compose_file.read_bytes())
    dockerfile(BRIDGE, "RUN echo all went well until here && echo --password s3cret-value && exit 7")
    done = build("data-bridge")
    done.assert_refused("building data-bridge failed", "all went well until here", "exit code: 7")
    tagged = {f"{lab.name}-data-bridge:rollback-{RELEASE}"}
    after = {name: value for name, value in images(lab).items() if name not in tagged}
    assert (after, running(lab), lab.compose_file.read_bytes()) == before
    path = lab.state / "releases" / RELEASE / "logs/build-data-bridge.log"
    assert f"The whole log: {path}" in " ".join(done.said.split())
    assert "all went well until here" in path.read_text()
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert "s3cret-value" not in done.said + path.read_text()


def test_of_two_services_the_one_that_fails_is_named_and_no_tag_moves(lab, dockerfile, build):
    """The other one is ready long before, so its tag has moved when the failure comes."""
    before = images(lab)
    dockerfile(COLLECTOR, "RUN echo the good one")
    dockerfile(BRIDGE, "RUN sleep 6 && echo the bad one && exit 3")
    done = build("data-bridge", "external-data-collector")
    done.assert_refused("building data-bridge failed", "the bad one")
    after = images(lab)
    assert {name: after[name] for name in before} == before
    logs = lab.state / "releases" / RELEASE / "logs"
    assert "the bad one" in (logs / "build-data-bridge.log").read_text()
    assert "the good one" in (logs / "build-external-data-collector.log").read_text()


def test_too_little_room_builds_nothing(lab, build):
    before = images(lab)
    done = build("data-bridge", service_build_space_factor=1000000)
    done.assert_refused("where the engine keeps its images", "GiB free, expected", "Nothing was built")
    assert images(lab)[f"{lab.name}-data-bridge:latest"] == before[f"{lab.name}-data-bridge:latest"]


def test_old_tags_go_unless_a_release_needs_them(lab, play):
    image = f"{lab.name}-data-bridge"
    releases = [f"2019010{day}T000000Z-old{day}" for day in range(1, 8)]
    for release in releases:
        run("docker", "tag", f"{image}:latest", f"{image}:rollback-{release}")
    kept = lab.state / "releases" / releases[0]
    kept.mkdir(parents=True)
    (kept / "manifest.json").write_text(json.dumps({"id": releases[0], "status": "closed"}))
    try:
        done = play("molecule/service_build/prune.yml")
        done.assert_passed(changed=1)
        tags = {
            name.partition(":rollback-")[2] for name in images(lab) if name.startswith(f"{image}:rollback-")
        }
        # Five stay by their number (the newest of them by its record, too), one by its record, and one is of today.
        assert releases[0] in tags
        assert not {releases[1], releases[2]} & tags
        assert len(tags) == 6
        assert play("molecule/service_build/prune.yml").changed == 0
    finally:
        for name in images(lab):
            if name.startswith(f"{image}:rollback-2019"):
                run("docker", "image", "rm", name)
        (kept / "manifest.json").unlink()
        kept.rmdir()
