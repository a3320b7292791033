"""A deploy that fails rolls back what it has changed, proves it, and ends with both stories; or leaves it, if told so."""

from __future__ import annotations

import json

import pytest
from lab_facts import run

AUTHOR = ("-c", "user.name=Molecule", "-c", "user.email=molecule@suho.example")


@pytest.fixture
def later_code(lab):
    """One commit more of the data-bridge's code; afterwards there is one that rolls it back."""
    path = lab.backend / "02-data-processing/data-bridge/data_bridge/__init__.py"
    before = path.read_text()

    def commit(text: str, message: str) -> None:
        path.write_text(text)
        run("git", *AUTHOR, "commit", "--quiet", "--all", "--message", message, cwd=lab.backend)

    commit(before + "# a version that will fail\n", "data-bridge: a version that will fail")
    yield
    commit(before, "data-bridge: as before")


def release(lab) -> dict:
    newest = sorted((lab.state / "releases").iterdir())[-1]
    return {**json.loads((newest / "manifest.json").read_text()), "path": newest}


def audited_at_the_end(lab) -> dict[str, str]:
    """What the newest report says of each service after the run."""
    found = json.loads((lab.reports / "latest/report.json").read_text())
    return {one["service"]: one["action"] for one in found["audit_after"]["services"]}


# Data that is never fresh enough: every service runs, and the proof fails.
HOPELESS = {"platform_aggregates_max_age": 0, "verify_timeout": 4}


def test_what_failed_is_taken_back_and_both_stories_are_told(lab, play, later_code):
    before = lab.fingerprint()
    done = play("playbooks/deploy.yml", deploy_approved=True, **HOPELESS)
    done.assert_refused(
        "Deploy failed in phase verify", "was rolled back, and the previous state was verified"
    )
    assert "Undo it with" not in done.said
    found = release(lab)
    assert found["status"] == "rolled_back"
    assert "# a version" not in run(
        "docker", "exec", lab.container("data-bridge"), "cat", "/app/data_bridge/__init__.py"
    )
    log = found["path"] / "logs/replaced-data-bridge.log"
    assert "data_bridge" in log.read_text() or "Writing" in log.read_text()
    after = lab.fingerprint()
    assert after["schema"] == before["schema"]
    assert (
        after["containers"][lab.container("data-bridge")][1]
        == before["containers"][lab.container("data-bridge")][1]
    )
    assert {name: image for name, image in after["containers"].items() if "bridge" not in name} == {
        name: image for name, image in before["containers"].items() if "bridge" not in name
    }
    assert not (lab.state / "lock.json").exists()
    # The old image is back, and the code is still the new one.
    audit = audited_at_the_end(lab)
    assert (audit["data-bridge"], audit["tick-aggregator"]) == ("REBUILD", "OK"), audit


def test_left_alone_the_run_says_how_to_undo_it_and_a_monitoring_run_that_fails_rolls_it_back(
    lab, play, later_code
):
    image = lab.inspect("data-bridge")["Image"]
    done = play("playbooks/deploy.yml", deploy_approved=True, auto_rollback="off", **HOPELESS)
    done.assert_refused(
        "Deploy failed in phase verify", "Undo it with: ansible-playbook playbooks/rollback.yml"
    )
    assert release(lab)["status"] == "failed"
    assert lab.inspect("data-bridge")["Image"] != image
    watch = {"monitor_rounds": 3, "monitor_interval": 1, "monitor_grace": 0, "monitor_on_failure": "rollback"}
    never = {"name": "one is two", "kind": "query", "sql": "SELECT 1", "value": 2}
    name = release(lab)["path"].name
    once = play("playbooks/monitor.yml", monitor_once=True, monitor_grace=0, monitor_assertions=[never])
    once.assert_refused("The round ended with FAIL", "Undo it with", f"-e rollback_release={name}")
    assert "Nothing was changed" not in once.said
    watched = play("playbooks/monitor.yml", **watch, monitor_assertions=[never])
    assert "Undo it with" not in watched.said
    watched.assert_refused(
        "Monitor failed in phase monitor",
        "ended with FAIL after 1 of 3 rounds",
        f"What release {name} had changed was rolled back, and the previous state was verified",
    )
    assert release(lab)["status"] == "rolled_back"
    assert lab.inspect("data-bridge")["Image"] == image
    assert not (lab.state / "lock.json").exists()
    audit = audited_at_the_end(lab)
    assert (audit["data-bridge"], audit["tick-aggregator"]) == ("REBUILD", "OK"), audit
