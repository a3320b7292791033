"""How a run ends: with a report, with an error that says all, or with nothing to say."""

from __future__ import annotations

import json

import pytest
from lab_facts import PROJECT

NOTHING = {"verify_containers": [], "verify_logs": [], "verify_streams": [], "verify_timeout": 1}
UNREACHABLE = {**NOTHING, "platform_clickhouse_port": 1}


@pytest.fixture
def folders(tmp_path):
    return {"platform_state_dir": str(tmp_path / "state"), "report_directory": str(tmp_path / "reports")}


def test_what_fails_names_phase_object_and_message_and_is_in_the_report(play, folders, tmp_path):
    done = play("playbooks/verify.yml", **UNREACHABLE, **folders)
    done.assert_refused(
        "Verify failed in phase verify, object Demand that everything passed",
        "127.0.0.1:1 refused the connection",
        "Nothing was changed.",
    )
    assert "Undo it with" not in done.said
    report = json.loads((tmp_path / "reports/lab/latest/report.json").read_text())
    assert report["meta"]["verdict"] == "fail"
    assert report["meta"]["release_id"].endswith("Z-verify")
    assert [(one["name"], one["status"]) for one in report["phases"]] == [("verify", "failed")]
    assert report["error"]["phase"] == "verify"
    assert "rollback_command" not in report["error"]


def test_with_nothing_to_roll_back_there_is_no_report(play, folders, tmp_path):
    done = play("playbooks/rollback.yml", **folders)
    done.assert_passed(changed=0)
    assert "Nothing to roll back on lab: there is no release" in " ".join(done.said.split())
    assert not (tmp_path / "reports").exists()
    assert not (tmp_path / "state/lock.json").exists()


TWO = """
- ansible.builtin.import_playbook: {project}/playbooks/rollback.yml
- hosts: platform
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "the next playbook holds: '{{{{ release_locked_by }}}}'"
"""


def test_a_playbook_holds_no_lock_of_the_one_before_it(play, folders, tmp_path):
    (tmp_path / "site.yml").write_text(TWO.format(project=PROJECT))
    done = play(str(tmp_path / "site.yml"), **folders)
    done.assert_passed(changed=0)
    assert "Take the lock of the host" in done.said
    assert "the next playbook holds: ''" in done.said


@pytest.mark.parametrize("playbook", ["deploy", "rollback"])
def test_a_part_that_is_misspelt_is_not_all_of_them(play, folders, tmp_path, playbook):
    more = {
        "platform_new_services": [{"name": "bar-archiver", "container": "x", "definition": {"image": "x"}}]
    }
    done = play(f"playbooks/{playbook}.yml", "--tags", "bar-archivr", **folders, **more)
    done.assert_refused(
        "--tags bar-archivr names no part of the platform",
        "schema, services, data-bridge, external-data-collector, tick-aggregator, bar-archiver",
        "Nothing was changed",
    )
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("playbook", ["audit", "verify", "monitor"])
def test_tags_where_everything_is_looked_at_are_refused(play, folders, playbook):
    done = play(f"playbooks/{playbook}.yml", "--tags", "data-bridge", **folders)
    done.assert_refused(
        f"--tags data-bridge chooses nothing of the operation {playbook}", "Expected no --tags"
    )
