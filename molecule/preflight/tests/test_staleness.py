"""The audit's table says what the plan's table says; and each way of being stale is told from the others."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest
from lab_facts import PROJECT, run

sys.path.insert(0, str(PROJECT / "collections"))

from ansible_collections.suho.platform.plugins.module_utils.audit.collect import AuditSpec, ServiceInspector
from ansible_collections.suho.platform.plugins.module_utils.audit.report import audit_report
from ansible_collections.suho.platform.plugins.module_utils.compose.config import locate_project
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Engine

BRIDGE = "02-data-processing/data-bridge"
AUTHOR = ("-c", "user.name=Molecule", "-c", "user.email=molecule@suho.example")


@pytest.fixture
def audited(lab):
    """The rows of the audit's table with their reasons, by service, from the code of the module service_state."""

    def audit() -> dict[str, dict[str, Any]]:
        project = locate_project(str(lab.backend), ["docker-compose.yml"])
        report = audit_report(ServiceInspector(Engine(), project, AuditSpec()))
        reasons = {
            name: [one["text"] for one in found["reasons"]] for name, found in report["services"].items()
        }
        return {row["service"]: {**row, "reasons": reasons[row["service"]]} for row in report["rows"]}

    return audit


def commit(lab, path: str, message: str) -> None:
    run("git", "add", path, cwd=lab.backend)
    run("git", *AUTHOR, "commit", "--quiet", "--message", message, cwd=lab.backend)


def test_the_table_is_the_one_of_the_plan(lab, play):
    done = play("playbooks/audit.yml")
    done.assert_passed(changed=0)
    plan = json.loads((lab.reports / "latest/plan.json").read_text())
    rows = {row["service"]: row for row in plan["services"]}
    one_line = " ".join(done.said.split())
    assert all(" ".join(text.split()) in one_line for texts in plan["reasons"].values() for text in texts)
    assert {name: row["action"] for name, row in rows.items()} == {
        "data-bridge": "REBUILD",
        "external-data-collector": "REBUILD",
        "tick-aggregator": "BUILD + DEPLOY",
        "polygon-historical-downloader": "OK",
        "live-collector": "OK",
    }
    assert rows["data-bridge"]["status"].startswith("❌ Code ")
    assert rows["data-bridge"]["status"].endswith(" newer")
    assert (rows["tick-aggregator"]["status"], rows["tick-aggregator"]["image_built"]) == (
        "❌ Not deployed",
        "N/A",
    )
    assert all(row["code_modified"] not in ("", "N/A", "-") for row in rows.values())


def test_a_file_that_no_copy_names_changes_nothing(lab, audited):
    """The live-collector's image was built from the code that is here; a note beside it is no code."""
    before = audited()
    note = lab.backend / "00-data-ingestion/polygon-live-collector/NOTES.md"
    note.write_text("A note.\n")
    commit(lab, str(note), "live-collector: a note")
    assert audited() == before


def test_one_byte_that_a_copy_names_makes_exactly_that_service_stale(lab, audited):
    before = audited()
    (code,) = (lab.backend / "00-data-ingestion/polygon-live-collector").glob("*/__main__.py")
    was = code.read_text()
    code.write_text(was + "#")
    commit(lab, str(code), "live-collector: one byte more")
    after = audited()
    assert {name for name in after if after[name] != before[name]} == {"live-collector"}
    assert after["live-collector"]["action"] == "REBUILD"
    assert "Code" in after["live-collector"]["status"]


def test_an_image_built_by_hand_and_code_that_is_not_committed_are_seen(lab, audited):
    # Code that no cache of the builder knows: an image made from cached layers has their time, not today's.
    code = lab.backend / BRIDGE / "data_bridge/__init__.py"
    code.write_text(code.read_text() + f"# {time.time()}\n")
    commit(lab, str(code), "data-bridge: a line more")
    time.sleep(1.1)
    run("docker", "compose", "build", "--quiet", "data-bridge", cwd=lab.backend)
    note = lab.backend / BRIDGE / "README.md"
    note.write_text("No COPY names this.\n")
    row = audited()["data-bridge"]
    assert (row["status"], row["action"]) == ("❌ Container older than image", "RECREATE")
    assert not any("uncommitted" in text for text in row["reasons"])
    note.unlink()
    (code.parent / "extra.py").write_text("x = 1\n")
    row = audited()["data-bridge"]
    assert any(
        "uncommitted changes in 02-data-processing/data-bridge/data_bridge/extra.py" in text
        for text in row["reasons"]
    )
