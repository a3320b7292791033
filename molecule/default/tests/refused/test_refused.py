"""What is wrong is said in one clear error, and nothing has changed anywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from lab_facts import PROJECT

APPROVED = {"deploy_approved": True}


def deploy(*arguments, **variables):
    command = [
        "ansible-playbook",
        "playbooks/deploy.yml",
        "-i",
        "inventories/lab",
        *arguments,
        "-e",
        json.dumps(variables),
    ]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    return subprocess.run(
        command,
        check=False,
        text=True,
        capture_output=True,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def unchanged(lab):
    """The state before and after a test is the same."""
    before = lab.fingerprint()
    yield
    assert lab.fingerprint() == before


def assert_refused(done, *words):
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    for word in words:
        assert word in output, output
    assert "Traceback" not in output, output
    assert "changed=0" in output, output


@pytest.mark.usefixtures("unchanged")
class TestRefusals:
    def test_clickhouse_that_does_not_answer(self):
        assert_refused(
            deploy(**APPROVED, platform_clickhouse_port=9), "127.0.0.1:9", "refused", "Nothing was changed"
        )

    def test_unreachable_host(self):
        done = deploy(**APPROVED, ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=9)
        assert_refused(done, "UNREACHABLE", "unreachable=1")

    def test_schema_file_that_the_engine_rejects(self, tmp_path):
        shutil.copytree(PROJECT / "files/schemas/clickhouse", tmp_path / "schemas")
        broken = tmp_path / "schemas/03_external_economic_calendar.sql"
        broken.write_text(broken.read_text() + "\nCREATE INDEX idx ON external_economic_calendar;\n")
        done = deploy(**APPROVED, platform_schema_dir=str(tmp_path / "schemas"))
        assert_refused(done, "03_external_economic_calendar.sql", "Nothing was changed")

    def test_no_approval(self):
        assert_refused(deploy(), "Not approved", "deploy_approved=true", "Nothing was changed")

    def test_approval_of_another_plan(self):
        assert_refused(deploy(approved_plan="0123456789ab"), "0123456789ab", "Nothing was changed")


def test_everything_that_is_wrong_is_named_in_one_run(lab, tmp_path):
    before = lab.fingerprint()
    shutil.copytree(PROJECT / "files/schemas/clickhouse", tmp_path / "schemas")
    (tmp_path / "schemas/05_external_crypto_sentiment.sql").unlink()
    services = {
        "data-brigde": {"container": "suho-data-brigde", "expect_logs": []},
        "data-bridge": {"container": "suho-data-bridge", "expect_logs": []},
        "tick-aggregator": {},
    }
    extra = lab.backend / "02-data-processing/data-bridge/uncommitted.py"
    extra.write_text("x = 1\n")
    try:
        done = deploy(
            **APPROVED,
            platform_clickhouse_password="wr0ng-secret",
            platform_schema_dir=str(tmp_path / "schemas"),
            platform_services=services,
            preflight_min_free_gib=1000000,
        )
    finally:
        extra.unlink()
    wrong = {
        "the password": ["516", "wrong user or password"],
        "a schema file": ["05_external_crypto_sentiment.sql", "no such file"],
        "a service": ["data-brigde", "no such service", "data-bridge"],
        "the disk": ["GiB free", "at least 1000000.00 GiB"],
        "the code": ["02-data-processing/data-bridge/uncommitted.py"],
    }
    assert_refused(done, "Nothing was changed", *(word for words in wrong.values() for word in words))
    assert "wr0ng-secret" not in done.stdout + done.stderr
    assert lab.fingerprint() == before
