"""The audit's table says what the plan's table says; and each way of being stale is told from the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lab_facts import run

BRIDGE = "02-data-processing/data-bridge"
AUTHOR = ("-c", "user.name=Molecule", "-c", "user.email=molecule@suho.example")


@pytest.fixture
def audited(lab, play):
    """The rows of the audit's table, by service, each with its reasons."""

    def audit() -> dict[str, dict[str, Any]]:
        done = play("playbooks/audit.yml")
        done.assert_passed(changed=0)
        plan = json.loads((lab.reports / "latest/plan.json").read_text())
        reasons = plan["reasons"]
        one_line = " ".join(done.said.split())
        assert all(" ".join(text.split()) in one_line for texts in reasons.values() for text in texts)
        return {
            row["service"]: {**row, "reasons": reasons.get(row["service"], [])} for row in plan["services"]
        }

    return audit


def commit(lab, path: str, message: str) -> None:
    run("git", "add", path, cwd=lab.backend)
    run("git", *AUTHOR, "commit", "--quiet", "--message", message, cwd=lab.backend)


def test_the_table_is_the_one_of_the_plan(audited):
    rows = audited()
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
    run("docker", "compose", "build", "--quiet", "data-bridge", cwd=lab.backend)
    code = lab.backend / BRIDGE / "README.md"
    code.write_text("No COPY names this.\n")
    row = audited()["data-bridge"]
    assert (row["status"], row["action"]) == ("❌ Container older than image", "RECREATE")
    assert not any("uncommitted" in text for text in row["reasons"])
    code.unlink()
    (code.parent / "data_bridge/extra.py").write_text("x = 1\n")
    row = audited()["data-bridge"]
    assert any(
        "uncommitted changes in 02-data-processing/data-bridge/data_bridge/extra.py" in text
        for text in row["reasons"]
    )
