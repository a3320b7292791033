"""Say whether a lab stands in a state that scenarios share, so that it need not be raised for each of them.

    lab_state.py remember    keep what the lab is like, which has just been raised
    lab_state.py raised      is it like that? What a scenario has left in files, images and containers is put right first
    lab_state.py deployed    is everything deployed, and nothing left of a test?

The exit code is 0 for yes, and 3 for no, with a line for each difference.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab_facts import EXTERNAL_TABLES, Lab, run, wait_for

NO = 3
# What a raised lab's folder holds; everything else was written by a scenario.
OWN = {"backend", "secrets", "raised.json"}


def state(lab: Lab) -> dict[str, dict[str, Any]]:
    """What every scenario finds that needs the audit's state. Data flows, so rows are left out."""
    found = lab.fingerprint()
    return {
        "containers": {
            name: [one["Config"]["Labels"]["com.docker.compose.service"], one["Image"], *mood(one)]
            for name, one in lab.containers().items()
        },
        "images": dict(line.split(" ") for line in found["images"]),
        "schema": found["schema"],
        "files": found["files"],
        "revision": {"HEAD": found["revision"]},
        "releases": dict.fromkeys(found["releases"], "a record"),
    }


def mood(container: dict[str, Any]) -> list[Any]:
    """How it runs: what runs once may have ended meanwhile, and how often the engine had to start it again counts, too."""
    if container["HostConfig"]["RestartPolicy"]["Name"] == "no":
        return []
    return [container["State"]["Status"], container["RestartCount"]]


def differences(now: dict[str, dict[str, Any]], then: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each thing that is not as it was."""
    return [
        f"{part} {name}: found {now[part].get(name, 'nothing')}, expected {then[part].get(name, 'nothing')}"
        for part in then
        for name in sorted({*then[part], *now[part]})
        if now[part].get(name) != then[part].get(name)
    ]


def put_right(lab: Lab, then: dict[str, dict[str, Any]]) -> None:
    """Give back the files, the images and the containers of a raised lab. A schema or a release is not undone: then it is raised anew."""
    run("git", "reset", "--quiet", "--hard", then["revision"]["HEAD"], cwd=lab.backend)
    run("git", "clean", "--quiet", "--force", "-d", cwd=lab.backend)
    for path in lab.folder.iterdir():
        if path.name not in OWN:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    now = state(lab)
    for name, image in then["images"].items():
        if now["images"].get(name) != image:
            run("docker", "tag", image, name)
    extra = sorted(set(now["containers"]) - set(then["containers"]))
    if extra:
        run("docker", "rm", "--force", "--volumes", *extra)
    wrong = [name for name, value in then["containers"].items() if now["containers"].get(name) != value]
    if wrong:
        compose = ["docker", "compose", "--file", str(lab.compose_file), "--project-name", lab.name]
        services = [then["containers"][name][0] for name in wrong]
        run(*compose, "up", "--detach", "--no-deps", "--no-build", "--force-recreate", *services)
    unknown = sorted(set(now["images"]) - set(then["images"]))
    if unknown:
        run("docker", "image", "rm", "--force", *unknown)
    wait_for("the services are healthy", lambda: not ailing(lab), 60)


def ailing(lab: Lab) -> list[str]:
    """Containers that have a healthcheck and have not passed it yet, and those that run once and have not ended."""
    return [
        name
        for name, one in lab.containers().items()
        if one["State"].get("Health", {}).get("Status", "healthy") != "healthy"
        or (not mood(one) and one["State"]["Status"] != "exited")
    ]


def not_raised(lab: Lab) -> list[str]:
    kept = lab.folder / "raised.json"
    if not kept.exists():
        return [f"{kept} is not there: nobody has raised the lab {lab.name} for scenarios"]
    then = json.loads(kept.read_text(encoding="utf-8"))
    # A record without a manifest is a log of a build, which a test has asked for.
    if not [*(lab.state / "releases").glob("*/manifest.json")] and state(lab)["schema"] == then["schema"]:
        put_right(lab, then)
    return differences(state(lab), then)


def not_deployed(lab: Lab) -> list[str]:
    if not (lab.folder / "raised.json").exists():
        return [f"nobody has raised the lab {lab.name} for scenarios"]
    wrong = []
    manifest = lab.state / "current" / "manifest.json"
    status = json.loads(manifest.read_text(encoding="utf-8"))["status"] if manifest.exists() else "nothing"
    if status != "closed":
        wrong.append(f"the current release: found {status}, expected closed")
    images = dict(line.split(" ") for line in lab.fingerprint()["images"])
    containers = {
        one["Config"]["Labels"]["com.docker.compose.service"]: one for one in lab.containers().values()
    }
    for service in ("data-bridge", "external-data-collector", "tick-aggregator"):
        if service not in containers:
            wrong.append(f"{service}: found no container")
            continue
        found = [containers[service]["Image"], *mood(containers[service])]
        expected = [images.get(f"{lab.name}-{service}:latest"), "running", 0]
        if found != expected:
            wrong.append(f"{service}: found {found}, expected {expected}")
    tables = lab.tables()
    wrong += [f"table {name}: found none" for name in EXTERNAL_TABLES if name not in tables]
    wrong += [f"table {name}: a test has left it" for name in sorted(tables) if name.endswith("_molecule")]
    if "indicators" not in lab.columns("aggregates"):
        wrong.append("column indicators: found none")
    return wrong


def main() -> None:
    (word,) = sys.argv[1:]
    try:
        lab = Lab()
        if word == "remember":
            wait_for("the services are healthy", lambda: not ailing(lab), 60)
            (lab.folder / "raised.json").write_text(json.dumps(state(lab), indent=1), encoding="utf-8")
            return
        wrong = {"raised": not_raised, "deployed": not_deployed}[word](lab)
    except Exception as error:  # a lab that is half there, or does not answer, is raised anew
        if word == "remember":
            raise
        wrong = [f"{type(error).__name__}: {error}"]
    print("\n".join(wrong))
    sys.exit(NO if wrong else 0)


if __name__ == "__main__":
    main()
