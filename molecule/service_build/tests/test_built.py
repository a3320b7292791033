"""The images hold the backend's code of now, and nothing that runs was touched."""

from __future__ import annotations

import hashlib
import json

import pytest
from lab_facts import run

CODE = {
    "data-bridge": ("02-data-processing/data-bridge/data_bridge", "/app/data_bridge"),
    "external-data-collector": (
        "00-data-ingestion/external-data-collector/external_collector",
        "/app/external_collector",
    ),
    "tick-aggregator": ("02-data-processing/tick-aggregator/tick_aggregator", "/app/tick_aggregator"),
}
CONTAINERS = {"data-bridge": "data-bridge", "external-data-collector": "external-collector"}


@pytest.fixture(scope="module")
def before(lab):
    return json.loads(lab.remembered.read_text())


def images(lab):
    """Image names of the lab and their ids."""
    return dict(line.split(" ") for line in lab.fingerprint()["images"])


def image(lab, service, tag="latest"):
    return json.loads(run("docker", "image", "inspect", f"{lab.name}-{service}:{tag}"))[0]


def code_in_image(lab, service):
    """Hashes of the code in a service's image, taken by a container of it."""
    said = run(
        "docker", "run", "--rm", "--entrypoint", "sh", f"{lab.name}-{service}:latest",
        "-c", f"cd {CODE[service][1]} && sha256sum *.py",
    )  # fmt: skip
    return {name: digest for digest, name in (line.split() for line in said.splitlines())}


def code_in_backend(lab, service):
    files = (lab.backend / CODE[service][0]).glob("*.py")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("service", CODE)
def test_an_image_holds_the_code_of_now(lab, service):
    wanted = code_in_backend(lab, service)
    assert len(wanted) >= 2
    assert code_in_image(lab, service) == wanted


@pytest.mark.parametrize("service", CODE)
def test_an_image_says_which_sources_it_is_made_of(lab, service):
    labels = image(lab, service)["Config"]["Labels"]
    digests = [value for name, value in labels.items() if "digest" in name]
    assert len(digests) == 1
    assert len(digests[0].removeprefix("sha256:")) >= 32


def test_exactly_the_stale_and_the_missing_image_were_built(lab, before):
    was = dict(line.split(" ") for line in before["images"])
    now = images(lab)
    moved = {name for name in now if was.get(name) != now[name] and ":rollback-" not in name}
    assert moved == {f"{lab.name}-{service}:latest" for service in CODE}
    assert set(was) <= set(now)


def test_whatever_runs_was_left_alone(lab, before):
    assert len(before["containers"]) >= 7
    assert lab.fingerprint()["containers"] == before["containers"]


@pytest.mark.parametrize("service", CONTAINERS)
def test_the_tag_for_the_way_back_names_the_running_image(lab, service):
    running = lab.inspect(CONTAINERS[service])["Image"]
    assert image(lab, service, "rollback-molecule")["Id"] == running
    assert image(lab, service)["Id"] != running


def test_no_tag_for_the_way_back_where_nothing_ran(lab):
    kept = {name for name in images(lab) if ":rollback-" in name}
    assert kept == {f"{lab.name}-{service}:rollback-molecule" for service in CONTAINERS}


def test_a_file_that_only_looks_newer_builds_nothing(lab, role):
    was = images(lab)
    for service in CONTAINERS:
        for path in (lab.backend / CODE[service][0]).glob("*.py"):
            path.touch()
    role("service_build", service_build_services=list(CONTAINERS)).assert_passed(changed=0)
    assert images(lab) == was


def test_new_code_builds_its_own_service_only(lab, role):
    was = images(lab)
    path = lab.backend / CODE["external-data-collector"][0] / "sources.py"
    path.write_text(path.read_text() + "\n# One line more.\n")
    author = ("-c", "user.name=Molecule", "-c", "user.email=molecule@suho.example")
    run("git", *author, "commit", "--quiet", "--all", "--message", "One line more", cwd=lab.backend)
    role("service_build", service_build_services=list(CONTAINERS)).assert_passed(changed=1)
    now = images(lab)
    assert {name for name in now if now[name] != was.get(name)} == {
        f"{lab.name}-external-data-collector:latest"
    }
    assert code_in_image(lab, "external-data-collector") == code_in_backend(lab, "external-data-collector")
