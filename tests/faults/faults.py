"""What goes wrong: each fault strikes at a point of a run, may need an operator's hand afterwards, and knows which ends are allowed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab_facts import Lab, run

from .play import PROJECT, Play, Point, command_line

OLD, NEW = "old", "new"
AUTHOR = ("-c", "user.name=Faults", "-c", "user.email=faults@suho.example")
HOPELESS = ("-e", "platform_aggregates_max_age=0", "-e", "verify_timeout=4")
ENGINE_MARKER = Path("/run/suho-lab-dockerd.pid")
_DOWN = 3.0  # seconds that a part which comes back is away


@dataclass
class Fault:
    """``strike`` is called at the point; ``before`` and ``fix`` around the whole, ``fix`` being what an operator repairs."""

    name: str
    strike: Callable[[Lab, Play], None]
    mend: Callable[[Lab], None] = lambda lab: None
    before: Callable[[Lab], None] = lambda lab: None
    options: tuple[str, ...] = ()
    killed: bool = False  # the run is gone without a word: its lock has to be taken over
    elsewhere: bool = False  # another controller recovers


def _kill_all(_lab: Lab, play: Play) -> None:
    play.kill_everything()


def _kill_controller(_lab: Lab, play: Play) -> None:
    play.kill_controller()


def _kill_module(_lab: Lab, play: Play) -> None:
    play.kill_module()


def _docker(*words: str) -> None:
    run("docker", *words)


def restarted(short: str) -> Callable[[Lab, Play], None]:
    def strike(lab: Lab, _play: Play) -> None:
        _docker("kill", lab.container(short))
        time.sleep(_DOWN)
        _docker("start", lab.container(short))

    return strike


def _stop_clickhouse(lab: Lab, _play: Play) -> None:
    _docker("kill", lab.container("clickhouse"))


def _start_clickhouse(lab: Lab) -> None:
    _docker("start", lab.container("clickhouse"))
    until(lambda: _answers(lab), "ClickHouse does not answer")


def _answers(lab: Lab) -> bool:
    try:
        return bool(lab.query("SELECT 1"))
    except Exception:  # whatever the driver says of a server that is not there yet
        return False


def until(probe: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} within {seconds:g} s")
        time.sleep(0.5)


class Engine:
    """Who uses the engine holds a lock together with others; who restarts it has to hold it alone."""

    def __init__(self) -> None:
        path = f"/tmp/suho-lab-engine-{os.getuid()}.lock"
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def share(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def own(self) -> None:
        print("waiting until nobody else uses the engine", flush=True)
        fcntl.flock(self._file, fcntl.LOCK_EX)


ENGINE = Engine()


def engine_is_the_labs() -> bool:
    """Only an engine that the lab has started may be restarted: others' containers are none of ours."""
    return ENGINE_MARKER.exists()


def _restart_engine(_lab: Lab, _play: Play) -> None:
    pid = int(Path("/var/run/docker.pid").read_text())
    if "dockerd" not in command_line(pid):
        raise AssertionError(f"process {pid} is no dockerd")
    subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(pid)], check=True)
    until(lambda: not Path(f"/proc/{pid}").exists(), "dockerd does not end")
    run(str(PROJECT / "lab/roles/lab_engine/files/start-engine"), str(ENGINE_MARKER))


def _second_deploy(_lab: Lab, play: Play) -> None:
    """Somebody else begins, too, and is reported at once."""
    second = Play("playbooks/deploy.yml", ("-e", "deploy_approved=true"))
    began = time.monotonic()
    second.start()
    code = second.wait()
    if code == 0 or "is held by" not in second.said or time.monotonic() - began > 60:
        raise AssertionError(f"the second deploy ended with {code}:\n{second.tail()}")
    if play.process.poll() is not None:
        raise AssertionError("the first deploy had ended before the second one")


def _immutable(lab: Lab, flag: str) -> None:
    run("chattr", flag, str(lab.compose_file))


def _fill(lab: Lab) -> None:
    """The releases lie on a small file system of their own, which is full."""
    with (lab.state / "releases/filler").open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"\0" * 4096)
        except OSError:
            return


def _small_disk(lab: Lab) -> None:
    """A small file system in the place of the releases' folder, with what is there already."""
    folder = lab.state / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    aside = lab.state / "releases.aside"
    aside.mkdir()
    run("cp", "-a", f"{folder}/.", str(aside))
    size = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file()) + 4 * 1024 * 1024
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))
    run("cp", "-a", f"{aside}/.", str(folder))


def _disk_is_full(lab: Lab, _play: Play) -> None:
    _fill(lab)


def _make_room(lab: Lab) -> None:
    (lab.state / "releases/filler").unlink(missing_ok=True)


def big_disk_again(lab: Lab) -> None:
    """Put the records back where they were."""
    folder, aside = lab.state / "releases", lab.state / "releases.aside"
    if not aside.exists():
        return
    _make_room(lab)
    kept = lab.state / "releases.kept"
    run("cp", "-a", str(folder), str(kept))
    run("umount", str(folder))
    run("rm", "-rf", str(aside))
    run("cp", "-a", f"{kept}/.", str(folder))
    run("rm", "-rf", str(kept))


def _commit(lab: Lab, text: str, message: str) -> None:
    path = lab.backend / "02-data-processing/data-bridge/data_bridge/__init__.py"
    path.write_text(text)
    run("git", *AUTHOR, "commit", "--quiet", "--all", "--message", message, cwd=lab.backend)


def _crashing_code(lab: Lab) -> None:
    _commit(lab, 'raise SystemExit("a version that crashes at its start")\n', "data-bridge: crashes")


def _sound_code(lab: Lab) -> None:
    path = lab.backend / "02-data-processing/data-bridge/data_bridge/__init__.py"
    if "crashes" in path.read_text():
        run("git", *AUTHOR, "revert", "--no-edit", "HEAD", cwd=lab.backend)


def nothing(_lab: Lab, _play: Play) -> None:
    return


FAULTS = {
    one.name: one
    for one in (
        Fault("none", nothing),
        Fault("the run is killed with all that it started", _kill_all, killed=True),
        Fault("the controller is gone, the module goes on", _kill_controller, killed=True, elsewhere=True),
        Fault("the module is killed", _kill_module),
        Fault("ClickHouse is killed and comes back", restarted("clickhouse")),
        Fault("ClickHouse is stopped for good", _stop_clickhouse, mend=_start_clickhouse),
        Fault("NATS is killed and comes back", restarted("nats-server")),
        Fault(
            "dockerd is restarted",
            _restart_engine,
            before=lambda _lab: ENGINE.own(),
            mend=lambda _lab: ENGINE.share(),
        ),
        Fault("two deploys at once", _second_deploy),
        Fault("the disk of the records is full", _disk_is_full, before=_small_disk, mend=_make_room),
        Fault(
            "the compose file is read-only",
            nothing,
            before=lambda lab: _immutable(lab, "+i"),
            mend=lambda lab: _immutable(lab, "-i"),
        ),
        Fault("the new image crashes at its start", nothing, before=_crashing_code, mend=_sound_code),
        Fault("the verification fails", nothing, options=HOPELESS),
    )
}

TABLES = ("economic_calendar", "fred", "crypto", "fear_greed", "commodity", "market_sessions")
LOCK = Point("lock taken", output=r"TASK \[suho.platform.run : Begin the phase preflight")
PLAN = Point("plan", output=r"TASK \[suho.platform.run : Begin the phase plan")
OPENED = Point("record opened", phase="release", event="opened")
BEFORE_ALTER = Point("before the ALTER", "schema", "alter.aggregates", "intent")
AFTER_ALTER = Point("after the ALTER", "schema", "alter.aggregates", "done")
BEFORE_CREATE = [
    Point(f"before CREATE {name}", "schema", f"create.external_{name}", "intent") for name in TABLES
]
AFTER_CREATE = [Point(f"after CREATE {name}", "schema", f"create.external_{name}", "done") for name in TABLES]
TAGS = Point("tagging", output=r"TASK \[suho.platform.service_build : Tag the running image")
BEFORE_BUILD = Point("before the builds", "build", "data-bridge", "intent")
AFTER_BUILD = Point("after the builds", "build", "data-bridge", "done")
BEFORE_COMPOSE = Point("before the compose edit", "compose", "docker-compose", "intent")
AFTER_COMPOSE = Point("after the compose edit", "compose", "docker-compose", "done")
SERVICES = ("data-bridge", "external-data-collector", "tick-aggregator")
BEFORE_SWAP = {
    name: Point(f"before the replacement of {name}", "rollout", f"^{name}$", "intent") for name in SERVICES
}
AFTER_SWAP = {
    name: Point(f"after the replacement of {name}", "rollout", f"^{name}$", "done") for name in BEFORE_SWAP
}
VERIFY = Point("verification", output=r"TASK \[suho.platform.run : Begin the phase verify")
CLOSE = Point("close", output=r"TASK \[Close the release\]")
ALL = Point("from the beginning")
# Of a rollback. Its changes are told in the journal of the release that it rolls back.
BACK_PLAN = Point("rollback: its plan", output=r"TASK \[suho.platform.run : Begin the phase record")
BACK_BEFORE_SWAP = {
    name: Point(f"rollback: before the replacement of {name}", "rollout", f"^{name}$", "intent")
    for name in SERVICES
}
BACK_AFTER_SWAP = {
    name: Point(f"rollback: after the replacement of {name}", "rollout", f"^{name}$", "done")
    for name in SERVICES
}
BACK_BEFORE_COMPOSE = Point("rollback: before the compose edit", "compose", "docker-compose", "intent")
BACK_AFTER_COMPOSE = Point("rollback: after the compose edit", "compose", "docker-compose", "done")
BACK_BEFORE_TABLE = Point(
    "rollback: before a table is set aside", "schema", "rollback of create_table", "intent"
)
BACK_AFTER_TABLE = Point("rollback: after a table is set aside", "schema", "rollback of create_table", "done")
BACK_BEFORE_COLUMN = Point(
    "rollback: before the column is set aside", "schema", "rollback of add_column", "intent"
)
BACK_AFTER_COLUMN = Point(
    "rollback: after the column is set aside", "schema", "rollback of add_column", "done"
)
BACK_VERIFY = Point("rollback: verification", output=r"TASK \[suho.platform.run : Begin the phase verify")
BACK_CLOSE = Point("rollback: close", output=r"TASK \[Close the releases, the latest first\]")
