"""From the description of the services to what is checked of them."""

from __future__ import annotations

from ansible_collections.suho.platform.plugins.module_utils.checks.specs import (
    by_role,
    container_wishes,
    log_wishes,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.restored_checks import (
    restored_assertions,
    restored_containers,
)

SERVICES = {
    "data-bridge": {
        "container": "suho-data-bridge",
        "expect_logs": [{"name": "writes", "pattern": "Writing"}],
    },
    "external-data-collector": {
        "container": "suho-external-collector",
        "allow_logs": [{"pattern": "x", "reason": "y"}],
    },
}
MANIFEST = {
    "services": {
        "data-bridge": {"existed": True, "image_before": "sha256:old"},
        "tick-aggregator": {"existed": False, "image_before": ""},
    },
    "schema": {
        "steps": [
            {
                "undo": [
                    {"action": "drop_index", "table": "t", "index": "i"},
                    {"action": "drop_column", "table": "t", "column": "c"},
                ]
            },
            {"undo": [{"action": "quarantine_table", "table": "new"}]},
            {"undo": []},
        ]
    },
}


def test_container_names_are_the_ones_of_the_description():
    assert container_wishes(SERVICES, 5) == [
        {"container": "suho-data-bridge", "min_uptime": 5, "current_image": False},
        {"container": "suho-external-collector", "min_uptime": 5, "current_image": False},
    ]


def test_log_wishes_add_the_common_allowances():
    first, second = log_wishes(SERVICES, "start", [{"pattern": "a", "reason": "b"}])
    assert first["expect"] == [{"name": "writes", "pattern": "Writing"}]
    assert second["expect"] == []
    assert [one["pattern"] for one in second["allow"]] == ["a", "x"]


def test_after_a_rollback_only_services_that_existed_are_expected():
    assert restored_containers(MANIFEST, SERVICES) == [
        {"container": "suho-data-bridge", "image": "sha256:old"}
    ]


def test_after_a_rollback_what_was_added_must_be_gone():
    answers, column, table = restored_assertions(MANIFEST, "db")
    assert answers["value"] == 1
    assert column["name"] == "column t.c is gone"
    assert column["params"] == {"database": "db", "table": "t", "column": "c"}
    assert table["name"] == "table new is out of the database"
    assert {column["value"], table["value"]} == {0}


def test_after_a_rollback_that_keeps_data_what_was_added_must_still_be_there():
    _answers, column, table = restored_assertions(MANIFEST, "db", "keep")
    assert column["name"] == "column t.c stays"
    assert table["name"] == "table new is in the database"
    assert {column["value"], table["value"]} == {1}


def test_a_rollback_without_schema_steps_still_has_something_to_prove():
    assert len(restored_assertions({"schema": {"steps": []}}, "db")) == 1


def test_services_are_told_apart_by_what_they_do_with_the_broker():
    services = {"data-bridge": {"consumes": True}, "tick-aggregator": {}}
    assert set(by_role(MANIFEST["services"], services, True)) == {"data-bridge"}
    assert set(by_role(MANIFEST["services"], services, False)) == {"tick-aggregator"}
