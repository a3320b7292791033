"""What is wrong with a deploy is said in one clear error, and nothing has changed anywhere."""

from __future__ import annotations

import shutil

import pytest
from lab_facts import PROJECT


@pytest.fixture
def refused(lab, play):
    """Deploy with these words and variables: it ends with an error that has these words, and the platform is as before."""

    def deploy(*words: str, **variables) -> str:
        before = lab.fingerprint()
        done = play("playbooks/deploy.yml", **variables)
        done.assert_refused(*words)
        assert done.changed == 0, done.said
        assert lab.fingerprint() == before
        return done.said

    return deploy


def test_clickhouse_that_does_not_answer(refused):
    refused(
        "127.0.0.1:9",
        "refused",
        "Nothing was changed",
        deploy_approved=True,
        platform_clickhouse_port=9,
    )


def test_unreachable_host(refused):
    host = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    refused("UNREACHABLE", "unreachable=1", deploy_approved=True, **host)


def test_schema_file_that_the_engine_rejects(refused, tmp_path):
    shutil.copytree(PROJECT / "files/schemas/clickhouse", tmp_path / "schemas")
    broken = tmp_path / "schemas/03_external_economic_calendar.sql"
    broken.write_text(broken.read_text() + "\nCREATE INDEX idx ON external_economic_calendar;\n")
    refused(
        "03_external_economic_calendar.sql",
        "Nothing was changed",
        deploy_approved=True,
        platform_schema_dir=str(tmp_path / "schemas"),
    )


def test_no_approval(refused):
    refused("Not approved", "deploy_approved=true", "Nothing was changed")


def test_everything_that_is_wrong_is_named_in_one_run(lab, refused, tmp_path):
    shutil.copytree(PROJECT / "files/schemas/clickhouse", tmp_path / "schemas")
    (tmp_path / "schemas/05_external_crypto_sentiment.sql").unlink()
    services = {
        "data-brigde": {"container": "suho-data-brigde", "expect_logs": []},
        "data-bridge": {"container": "suho-data-bridge", "expect_logs": []},
        "tick-aggregator": {},
    }
    wrong = {
        "the password": ["516", "wrong user or password"],
        "a schema file": ["05_external_crypto_sentiment.sql", "no such file"],
        "a service": ["data-brigde", "no such service", "data-bridge"],
        "the disk": ["GiB free", "at least 1000000.00 GiB"],
        "the code": ["02-data-processing/data-bridge/uncommitted.py"],
    }
    extra = lab.backend / "02-data-processing/data-bridge/uncommitted.py"
    extra.write_text("x = 1\n")
    try:
        said = refused(
            "Nothing was changed",
            *(word for words in wrong.values() for word in words),
            deploy_approved=True,
            platform_clickhouse_password="wr0ng-secret",
            platform_schema_dir=str(tmp_path / "schemas"),
            platform_services=services,
            preflight_min_free_gib=1000000,
        )
    finally:
        extra.unlink()
    assert "wr0ng-secret" not in said
