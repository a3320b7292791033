"""Services of the inventory's list: what an entry has to say, and where the service comes in."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.new_services import (
    NewServiceError,
    compose_entries,
    with_new_services,
)

TICK: dict[str, Any] = {
    "name": "tick",
    "definition": {"image": "tick", "container_name": "suho-tick"},
    "insert_after": "bridge",
    "header_comment": ["Ticks to bars"],
}
MORE: dict[str, Any] = {
    "name": "more",
    "definition": {"image": "more"},
    "container": "suho-more",
    "consumes": True,
}
KNOWN = {
    "bridge": {"container": "suho-bridge", "consumes": True},
    "collector": {"container": "suho-collector"},
}


def test_an_entry_is_one_of_the_compose_file() -> None:
    tick, more = compose_entries([TICK, MORE])
    assert tick == {
        "name": "tick",
        "definition": TICK["definition"],
        "insert_after": "bridge",
        "header_comment": ["Ticks to bars"],
        "allow_change": False,
    }
    assert (more["name"], more["insert_after"], more["header_comment"]) == ("more", "", [])


def test_the_later_one_of_a_name_counts() -> None:
    (one,) = compose_entries([TICK, {**TICK, "insert_after": "collector"}])
    assert one["insert_after"] == "collector"


def test_consumers_are_replaced_before_producers() -> None:
    assert list(with_new_services(KNOWN, [TICK, MORE])) == ["bridge", "more", "collector", "tick"]
    assert list(with_new_services({"bridge": {"consumes": True}}, [MORE])) == ["bridge", "more"]
    assert with_new_services(KNOWN, []) == KNOWN
    found = with_new_services(KNOWN, [TICK])["tick"]
    assert found == {"container": "suho-tick", "consumes": False, "expect_logs": [], "allow_logs": []}


def test_what_the_platform_says_of_a_service_stays() -> None:
    known = {**KNOWN, "tick": {"container": "another", "expect_logs": [1]}}
    assert with_new_services(known, [TICK]) == known


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("tick", "found 'tick', expected a dict with name and definition"),
        ({"definition": {}}, "expected a dict with name and definition"),
        ({**TICK, "colour": 1, "size": 2}, "tick: found colour, size, expected some of"),
        ({**TICK, "name": "schema"}, "found a service schema, which --tags could not tell"),
        ({**TICK, "definition": {}}, "tick: found definition {}, expected the service"),
        (
            {"name": "more", "definition": {"image": "x"}},
            "more: found no container, expected it, or a container_name",
        ),
    ],
)
def test_an_entry_that_describes_no_service_is_named(wrong: Any, said: str) -> None:
    with pytest.raises(NewServiceError, match=said):
        compose_entries([wrong])


@pytest.mark.parametrize(
    ("written", "meant"), [("false", False), ("no", False), (False, False), ("yes", True), (True, True)]
)
def test_what_the_command_line_gives_as_text_is_read_as_true_or_false(written: Any, meant: bool) -> None:
    one = {**TICK, "allow_change": written, "consumes": written}
    (entry,) = compose_entries([one])
    assert entry["allow_change"] is meant
    assert with_new_services({}, [one])[TICK["name"]]["consumes"] is meant
    known = {"bridge": {"container": "b", "consumes": written}}
    assert with_new_services(known, [])["bridge"]["consumes"] is meant
