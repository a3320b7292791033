"""What a build says is kept service by service; a failure names the service; what had moved is put back."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose import build as compose_build
from ansible_collections.suho.platform.plugins.module_utils.compose.build import (
    BuildError,
    demand_room,
    failed_service,
    roll_tags_back,
    split_log,
    write_logs,
)
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import ImageInfo

# As compose 2.26 with buildx 0.13 prints it.
FAILED = """\
#0 building with "default" instance using docker driver

#1 [good internal] load build definition from Dockerfile
#1 DONE 0.0s

#5 [bad internal] load build definition from Dockerfile
#5 DONE 0.0s

#8 [good 2/3] RUN echo hello-good && sleep 2
#8 ...

#10 [bad 3/3] RUN echo oops >&2; exit 3
#10 0.236 oops
#10 ERROR: executor failed running [/bin/sh -c echo oops >&2; exit 3]: exit code: 3

#8 [good 2/3] RUN echo hello-good && sleep 2
#8 CANCELED
------
 > [bad 3/3] RUN echo oops >&2; exit 3:
0.236 oops
------
failed to solve: executor failed running [/bin/sh -c echo oops >&2; exit 3]: exit code: 3"""


def test_lines_go_to_their_services() -> None:
    log = split_log(FAILED, ["good", "bad"])
    assert log["good"][-1] == "#8 CANCELED"
    assert all("oops" not in line for line in log["good"])
    assert "#10 0.236 oops" in log["bad"]
    assert log["bad"][-1] == "0.236 oops"
    assert "failed to solve" in log[""][-1]
    assert sum(map(len, log.values())) == len(FAILED.splitlines())


def test_the_service_that_failed_is_named() -> None:
    assert failed_service(split_log(FAILED, ["good", "bad"])) == "bad"
    assert failed_service(split_log(FAILED.replace("ERROR", "DONE"), ["good", "bad"])) == ""


def test_of_one_service_all_lines_are_its_own() -> None:
    assert list(split_log("#1 [internal] load\n#1 DONE", ["one"])) == ["one"]


def test_a_service_whose_name_begins_like_another_keeps_its_lines() -> None:
    log = split_log(
        "#1 [data-bridge 1/2] RUN x\n#2 [data 1/2] RUN y\n#1 from-bridge", ["data", "data-bridge"]
    )
    assert log["data-bridge"] == ["#1 [data-bridge 1/2] RUN x", "#1 from-bridge"]


def test_logs_are_the_owners_alone_and_hide_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    paths = write_logs(str(folder), {"": ["general"], "bridge": ["RUN x --password s3cret-value"]})
    path = Path(paths["bridge"])
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"
    assert "s3cret-value" not in path.read_text()
    assert "general" in path.read_text()
    assert [entry.name for entry in folder.iterdir()] == ["build-bridge.log"]


def image(name: str, size: int = 0) -> ImageInfo:
    return ImageInfo(name, "", size)


def test_a_log_that_cannot_be_written_is_an_error_of_the_build(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BuildError, match=r"cannot be written to .*/taken: File exists"):
        write_logs(str(tmp_path / "taken"), {"bridge": ["RUN x"]})


class FakeEngine:
    def __init__(self, root: str = "/", **images: ImageInfo | None) -> None:
        self.root, self.now = root, images
        self.calls: list[list[str]] = []

    def info(self) -> dict[str, str]:
        return {"DockerRootDir": self.root}

    def images(self, references: list[str]) -> dict[str, ImageInfo | None]:
        return {reference: self.now.get(reference) for reference in references}

    def run(self, arguments: list[str]) -> None:
        self.calls.append(arguments)


def test_tags_name_again_what_they_named_before() -> None:
    engine = FakeEngine(moved=image("new"), same=image("old"), fresh=image("made"))
    before = {"moved": image("old"), "same": image("old"), "fresh": None, "absent": None}
    assert roll_tags_back(engine, before) == ["moved", "fresh"]  # type: ignore[arg-type]
    assert engine.calls == [["tag", "old", "moved"], ["image", "rm", "--no-prune", "fresh"]]


def test_too_little_room_ends_it_before_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compose_build.shutil, "disk_usage", lambda _path: SimpleNamespace(free=2 * 1024**3))
    images = {"bridge": image("a", 1024**3), "tick": image("b", 1024**3), "new": None}
    with pytest.raises(BuildError) as error:
        demand_room(FakeEngine(str(tmp_path)), images, 1.5, 1)  # type: ignore[arg-type]
    for words in ("found 2.00 GiB free", "expected 3.00 GiB", "bridge 1.00 GiB", "Nothing was built"):
        assert words in str(error.value)
    assert demand_room(FakeEngine(str(tmp_path)), images, 1, 1) == ""  # type: ignore[arg-type]
    with pytest.raises(BuildError, match=r"expected 5\.00 GiB"):
        demand_room(FakeEngine(str(tmp_path)), {"new": None}, 1, 5)  # type: ignore[arg-type]


def test_room_that_cannot_be_seen_is_said(tmp_path: Path) -> None:
    said = demand_room(FakeEngine(str(tmp_path / "elsewhere")), {}, 1, 1)  # type: ignore[arg-type]
    assert "was not checked" in said
