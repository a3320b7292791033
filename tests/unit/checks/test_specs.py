"""From the description of the services to what is checked of them."""

from __future__ import annotations

from ansible_collections.suho.platform.plugins.module_utils.checks.specs import (
    by_role,
    container_specs,
    log_specs,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.rollback_checks import (
    containers_after_rollback,
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
}


def test_container_names_are_the_ones_of_the_description():
    assert container_specs(SERVICES, 5) == [
        {"container": "suho-data-bridge", "min_uptime": 5, "current_image": False},
        {"container": "suho-external-collector", "min_uptime": 5, "current_image": False},
    ]


def test_log_specs_add_the_common_allowances():
    first, second = log_specs(SERVICES, "start", [{"pattern": "a", "reason": "b"}])
    assert first["expect"] == [{"name": "writes", "pattern": "Writing"}]
    assert second["expect"] == []
    assert [one["pattern"] for one in second["allow"]] == ["a", "x"]


def test_after_a_rollback_only_services_that_existed_are_expected():
    assert containers_after_rollback(MANIFEST, SERVICES) == [
        {"container": "suho-data-bridge", "image": "sha256:old"}
    ]


def test_services_are_told_apart_by_what_they_do_with_the_broker():
    services = {"data-bridge": {"consumes": True}, "tick-aggregator": {}}
    assert set(by_role(MANIFEST["services"], services, True)) == {"data-bridge"}
    assert set(by_role(MANIFEST["services"], services, False)) == {"tick-aggregator"}
