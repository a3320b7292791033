"""The docker command line: what is asked, what is read from the answer, and how failures look."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.command import (
    CommandError,
    run_command,
    shown_command,
)
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import (
    Engine,
    bytes_of,
    full_reference,
)
from service_fake_docker import FakeDocker, container, image


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path / "bin")


@pytest.fixture
def engine(docker: FakeDocker) -> Engine:
    return Engine(str(docker.path), timeout=20)


def test_many_images_in_one_call_and_missing_ones_are_none(docker: FakeDocker, engine: Engine) -> None:
    docker.answer(
        images=[
            image("backend-a:latest", "sha256:" + "a" * 64, layers=["l1"]),
            image("nats:2.10", "sha256:b"),
        ]
    )
    found = engine.images(["backend-a", "nats:2.10", "gone", "backend-a", ""])
    assert found["backend-a"].id == "sha256:" + "a" * 64
    assert found["backend-a"].layers == ("l1",)
    assert found["nats:2.10"].labels == {}
    assert found["gone"] is None
    assert [call[0] for call in docker.calls] == [["image", "inspect", "backend-a", "nats:2.10", "gone"]]


def test_image_by_id_and_short_id(docker: FakeDocker, engine: Engine) -> None:
    identity = "sha256:" + "ab" * 32
    document = image("x:1", identity)
    document["_names"].append("ab" * 6)
    docker.answer(images=[document])
    assert engine.images([identity])[identity].tags == ("x:1",)
    assert engine.images(["ab" * 6])["ab" * 6].id == identity


def test_no_images_are_no_call(docker: FakeDocker, engine: Engine) -> None:
    assert engine.images([]) == {}
    assert docker.calls == []


def test_containers_of_a_project_in_two_calls_without_one_off_runs(
    docker: FakeDocker, engine: Engine
) -> None:
    docker.answer(
        containers=[
            container("backend", "nats", "i1", name="suho-nats", state={"Health": {"Status": "healthy"}}),
            container(
                "backend", "bridge", "i2", identity="c2", labels={"com.docker.compose.container-number": "2"}
            ),
            container(
                "backend", "bridge", "i2", identity="c1", labels={"com.docker.compose.container-number": "1"}
            ),
            container(
                "backend", "bridge", "i2", identity="once", labels={"com.docker.compose.oneoff": "True"}
            ),
            container("other", "nats", "i1", identity="foreign"),
        ]
    )
    found = engine.containers("backend")
    assert [(one.service, one.id, one.number) for one in found] == [
        ("bridge", "c1", 1),
        ("bridge", "c2", 2),
        ("nats", "id-nats", 1),
    ]
    assert found[2].name == "suho-nats"
    assert found[2].health == "healthy"
    assert found[2].networks == ("a", "b")
    assert len(docker.calls) == 2
    assert [one.id for one in engine.containers("backend", "nats")] == ["id-nats"]


def test_no_containers_need_no_inspection(docker: FakeDocker, engine: Engine) -> None:
    assert engine.containers("backend") == []
    assert len(docker.calls) == 1
    assert engine.inspect_containers(["gone"]) == []


def test_memory_of_those_that_run(docker: FakeDocker, engine: Engine) -> None:
    running = container("backend", "a", "sha256:a", name="a", _names=["a"])
    docker.answer(
        containers=[
            running,
            container("backend", "b", "sha256:b", name="b", _names=["b"], state={"Status": "exited"}),
        ],
        stats=[{"Name": "a", "MemUsage": "12.5MiB / 2GiB", "MemPerc": "0.6%"}],
    )
    assert engine.memory(["a", "b"]) == {"a": (13107200, 2147483648)}
    assert docker.calls[-1][0] == ["stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", "a"]
    assert engine.memory(["b"]) == {}
    assert docker.calls[-1][0][0] == "container"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0B", 0),
        ("1.5kB", 1500),
        ("2MB", 2_000_000),
        ("1KiB", 1024),
        (" 23.44GiB ", 25168508355),
        ("1TiB", 2**40),
        ("--", 0),
        ("", 0),
    ],
)
def test_bytes_as_the_client_writes_them(text: str, number: int) -> None:
    assert bytes_of(text) == number


def test_info(docker: FakeDocker, engine: Engine) -> None:
    docker.answer(info={"DockerRootDir": "/var/lib/docker"})
    assert engine.info()["DockerRootDir"] == "/var/lib/docker"


def test_a_client_without_an_engine_is_an_error(docker: FakeDocker, engine: Engine) -> None:
    docker.answer(info={"ServerErrors": ["Cannot connect to the Docker daemon"]})
    with pytest.raises(CommandError, match=r"no engine answers.*Cannot connect"):
        engine.info()


def test_failure_names_command_exit_code_and_last_lines(docker: FakeDocker, engine: Engine) -> None:
    docker.answer(fail="\n".join(f"line {number}" for number in range(20)))
    with pytest.raises(CommandError) as caught:
        engine.images(["x"])
    assert caught.value.returncode == 1
    assert caught.value.command[1:] == ["image", "inspect", "x"]
    assert "line 19" in str(caught.value)
    assert "line 2 " not in str(caught.value)


def test_values_of_variables_never_show(docker: FakeDocker, engine: Engine) -> None:
    docker.answer(fail="cannot use geheim123 here")
    for words in (
        ["-e", "PASSWORD=geheim123"],
        ["--env=PASSWORD=geheim123"],
        ["--build-arg", "TOKEN=geheim123"],
    ):
        with pytest.raises(CommandError) as caught:
            engine.run(["run", *words, "x"])
        assert "geheim123" not in str(caught.value)
        assert "=***" in str(caught.value)


def test_shown_command_keeps_what_is_no_value() -> None:
    shown = shown_command(
        ["docker", "run", "-e", "A=b", "-e", "PASSED", "--env=C=d", "--label", "x=y", "img", "E=f"]
    )
    assert shown == [
        "docker",
        "run",
        "-e",
        "A=***",
        "-e",
        "PASSED",
        "--env=C=***",
        "--label",
        "x=***",
        "img",
        "E=f",
    ]


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        (["no-such-command-here"], {}, "not found: no-such-command-here"),
        ([sys.executable, "-c", ""], {"cwd": "/no/such/folder"}, "not found: /no/such/folder"),
        ([sys.executable, "-c", "import time; time.sleep(9)"], {"timeout": 0.2}, r"no answer within 0.2 s"),
        ([sys.executable, "-c", "import sys; sys.exit(7)"], {}, "exit code 7"),
        (["/"], {}, "cannot be run"),
    ],
)
def test_every_way_to_fail_is_one_kind_of_error(
    command: list[str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run_command(command, **options)  # type: ignore[arg-type]


def test_stdin_and_environment_reach_the_command() -> None:
    code = "import os, sys; print(sys.stdin.read() + os.environ['SV_TEST'])"
    result = run_command([sys.executable, "-c", code], stdin="grüße ", env={"SV_TEST": "x"})
    assert result.stdout == "grüße x\n"


def test_output_that_is_no_json_is_an_error(engine: Engine, docker: FakeDocker) -> None:
    docker.path.write_text("#!/bin/sh\necho 'Usage: docker'\n")
    with pytest.raises(CommandError, match="not JSON"):
        engine.info()


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("nats", "nats:latest"),
        ("docker.io/library/nats:2", "nats:2"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
        ("a@sha256:b", "a@sha256:b"),
    ],
)
def test_full_reference(reference: str, full: str) -> None:
    assert full_reference(reference) == full
