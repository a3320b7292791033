"""A docker command that answers from a file, for tests of everything that asks the engine.

It knows the few calls that the modules make, and fails loudly on any other: a test that passes has used them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import json, sys
state = json.load(open({state!r}))
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps([arguments, sys.stdin.read() if "-" in arguments else ""]) + "\\n")


def fail(text, code=1):
    sys.stderr.write(text + "\\n")
    sys.exit(code)


def named(documents, names, absent):
    found = [one for one in documents if any(name in one["_names"] for name in names)]
    print(json.dumps(found))
    gone = [name for name in names if not any(name in one["_names"] for one in documents)]
    if gone:
        fail("\\n".join("Error: " + absent + ": " + name for name in gone))


if state.get("fail"):
    fail(state["fail"])
if arguments[0] == "compose" and "--hash" in arguments:
    hashes = state["hashes_with_stdin"] if "-" in arguments else state["hashes"]
    print("\\n".join(name + " " + value for name, value in hashes.items()))
elif arguments[0] == "compose" and "config" in arguments:
    sys.stderr.write(state.get("warnings", ""))
    print(json.dumps(state["config_with_stdin"] if "-" in arguments else state["config"]))
elif arguments[:2] == ["image", "inspect"]:
    named(state["images"], arguments[2:], "No such image")
elif arguments[0] == "ps":
    filters = [arguments[place + 1] for place, word in enumerate(arguments) if word == "--filter"]
    # A filter without a value asks whether there is such a label.
    wanted = [(one[len("label="):].split("=", 1) + [None])[:2] for one in filters]
    for one in state["containers"]:
        labels = one["Config"]["Labels"]
        if all(name in labels and value in (None, labels[name]) for name, value in wanted):
            print(one["Id"])
elif arguments[:2] == ["container", "inspect"]:
    named(state["containers"], arguments[2:], "No such container")
elif arguments[0] == "stats":
    print("\\n".join(json.dumps(one) for one in state["stats"]))
elif arguments[0] == "info":
    print(json.dumps(state["info"]))
else:
    fail("unexpected call: " + " ".join(arguments), 64)
"""


class FakeDocker:
    """Writes the command; ``state`` is what it answers from, ``calls`` what it was asked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "docker"
        self._state = folder / "state.json"
        self._log = folder / "log.jsonl"
        self.path.write_text(SCRIPT.format(python=sys.executable, state=str(self._state), log=str(self._log)))
        self.path.chmod(0o755)
        self.answer(config={"name": "backend", "services": {}}, hashes={}, images=[], containers=[])

    def answer(self, **state: Any) -> None:
        current = json.loads(self._state.read_text()) if self._state.exists() else {}
        self._state.write_text(json.dumps({**current, **state}))

    @property
    def calls(self) -> list[tuple[list[str], str]]:
        if not self._log.exists():
            return []
        return [tuple(json.loads(line)) for line in self._log.read_text().splitlines()]


def image(name: str, identity: str, **more: Any) -> dict[str, Any]:
    return {
        "Id": identity,
        "RepoTags": [name],
        "Created": more.pop("created", "2025-10-06T01:13:00Z"),
        "Config": {"Labels": more.pop("labels", None), "Env": ["SECRET=never shown"]},
        "RootFS": {"Layers": more.pop("layers", [])},
        "_names": [name, identity, name.rpartition(":")[0]],
        **more,
    }


def container(project: str, service: str, image_id: str, **more: Any) -> dict[str, Any]:
    labels = {
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": more.pop("config_hash", "hash-" + service),
        **more.pop("labels", {}),
    }
    identity = more.pop("identity", "id-" + service)
    state = {"Status": "running", "ExitCode": 0, "StartedAt": "2025-10-06T01:14:00Z", **more.pop("state", {})}
    return {
        "Id": identity,
        "Name": "/" + more.pop("name", f"{project}-{service}-1"),
        "Image": image_id,
        "RestartCount": 0,
        "State": state,
        "Config": {"Image": "x", "Labels": labels, "Env": ["PASSWORD=never shown"]},
        "NetworkSettings": {"Networks": {"b": {}, "a": {}}},
        "_names": [identity],
        **more,
    }
