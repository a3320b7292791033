"""What becomes of a wish: same meaning is left alone, another meaning is refused, nothing else may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.config import ComposeError
from ansible_collections.suho.platform.plugins.module_utils.compose.edit.change import (
    ChangeError,
    EntrySpec,
    Judge,
    differing_paths,
    normal,
    plan_change,
    unexpected_differences,
)
from ruamel.yaml import YAML

FILE = """\
x-base: &base
  restart: unless-stopped
services:
  nats:
    <<: *base
    image: nats:2.10
    environment:
      - LEVEL=${LEVEL:-info}
      - DEBUG

  # The bridge
  data-bridge:
    image: bridge
    environment:
      PASSWORD: geheim123

volumes:
  data:
    driver: local
"""
DEFINITION = {"image": "tick", "environment": ["A=${A:-1}"], "volumes": ["tick:/data"]}
WISH = EntrySpec("tick-aggregator", definition=DEFINITION, insert_after="nats")


def judge(text: str) -> Mapping[str, Any]:
    """A small stand-in for compose: merges resolved, NAME=value lists as mappings, unused volumes left out."""
    model = YAML(typ="safe", pure=True).load(text)
    if not isinstance(model["services"], dict) or not model["services"]:
        raise ComposeError("services must be a mapping")
    for name, service in model["services"].items():
        if not {"image", "build"} & set(service):
            raise ComposeError(f'service "{name}" has neither an image nor a build context specified')
        if isinstance(service.get("environment"), list):
            service["environment"] = dict(one.partition("=")[::2] for one in service["environment"])
    used = str([service.get("volumes") for service in model["services"].values()])
    model["volumes"] = {name: one or {} for name, one in (model.get("volumes") or {}).items() if name in used}
    return {"name": "backend", **model}


JUDGES = [pytest.param(judge, id="compose"), pytest.param(None, id="not validated")]


@pytest.mark.parametrize("by", JUDGES)
def test_new_service_is_inserted_once(by: Judge | None) -> None:
    first = plan_change(FILE, WISH, by)
    assert first.text.split("\n")[first.line - 1] == "  tick-aggregator:"
    assert first.block in first.text
    second = plan_change(first.text, WISH, by)
    assert second.text == first.text
    assert (second.line, second.block, second.notes) == (first.line, first.block, ())
    gone = plan_change(first.text, replace(WISH, present=False), by)
    assert gone.text == FILE
    assert gone.line == first.line
    assert plan_change(FILE, replace(WISH, present=False), by).text == FILE


@pytest.mark.parametrize("by", JUDGES)
@pytest.mark.parametrize(
    "definition",
    [
        {"image": "nats:2.10", "restart": "unless-stopped", "environment": ["LEVEL=${LEVEL:-info}", "DEBUG"]},
        {
            "environment": {"DEBUG": "", "LEVEL": "${LEVEL:-info}"},
            "restart": "unless-stopped",
            "image": "nats:2.10",
        },
    ],
)
def test_same_meaning_in_other_words_is_left_alone_with_a_note(
    definition: dict[str, Any], by: Judge | None
) -> None:
    change = plan_change(FILE, EntrySpec("nats", definition=definition), by)
    assert change.text == FILE
    assert change.notes == ("service nats has the same meaning, written in another way",)
    assert change.block.startswith("  nats:\n    <<: *base\n")


def test_same_meaning_is_written_as_wished_if_changes_are_allowed() -> None:
    definition = {"image": "bridge", "environment": ["PASSWORD=geheim123"]}
    change = plan_change(FILE, EntrySpec("data-bridge", definition=definition, allow_change=True), judge)
    assert (
        "  # The bridge\n  data-bridge:\n    image: bridge\n    environment:\n      - PASSWORD=geheim123\n\n"
        in change.text
    )


@pytest.mark.parametrize("by", JUDGES)
def test_other_meaning_is_refused_with_a_diff_that_hides_secrets(by: Judge | None) -> None:
    spec = EntrySpec(
        "data-bridge", definition={"image": "bridge:2", "environment": {"PASSWORD": "anders456"}}
    )
    with pytest.raises(ChangeError) as caught:
        plan_change(FILE, spec, by)
    text = str(caught.value)
    assert "service data-bridge is in the file with another meaning" in text
    assert "-    image: bridge\n+    image: bridge:2" in text
    assert "geheim123" not in text
    assert "anders456" not in text
    if by is not None:
        assert "(differs in: environment.PASSWORD, image)" in text


@pytest.mark.parametrize("by", JUDGES)
def test_other_meaning_is_written_if_changes_are_allowed(by: Judge | None) -> None:
    spec = EntrySpec("data-bridge", definition={"image": "bridge:2"}, allow_change=True)
    change = plan_change(FILE, spec, by)
    assert change.text == FILE.replace(
        "    image: bridge\n    environment:\n      PASSWORD: geheim123\n", "    image: bridge:2\n"
    )
    assert plan_change(change.text, spec, by).text == change.text


@pytest.mark.parametrize("by", JUDGES)
def test_volumes_and_networks_come_and_go_with_the_service(by: Judge | None) -> None:
    spec = replace(WISH, volumes={"tick": {}}, networks={"extra": {"driver": "bridge"}})
    change = plan_change(FILE, spec, by)
    assert change.text.endswith("    driver: local\n  tick:\n\nnetworks:\n  extra:\n    driver: bridge\n")
    assert plan_change(change.text, spec, by).text == change.text
    assert plan_change(change.text, replace(spec, present=False), by).text == FILE


@pytest.mark.parametrize("by", JUDGES)
def test_a_missing_volume_is_added_to_a_service_that_is_there(by: Judge | None) -> None:
    with_service = plan_change(FILE, WISH, by).text
    change = plan_change(with_service, replace(WISH, volumes={"tick": None}), by)
    assert change.text == with_service + "  tick:\n"


def test_an_existing_volume_is_never_changed() -> None:
    plan_change(FILE, replace(WISH, volumes={"data": {"driver": "local"}}), judge)
    with pytest.raises(ChangeError, match=r"volumes entry data \(line 18\) is defined otherwise"):
        plan_change(FILE, replace(WISH, volumes={"data": {"driver": "nfs"}}), judge)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (replace(WISH, insert_after="bridge"), "no entry bridge .*it has: nats, data-bridge"),
        (
            replace(WISH, definition={"command": "x"}),
            "docker compose rejects the compose file with the new block: .*tick",
        ),
        (replace(WISH, definition={"image": object()}), "tick-aggregator.image: found a object"),
    ],
)
def test_what_cannot_be_done_says_why(spec: EntrySpec, message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        plan_change(FILE, spec, judge)


def test_a_file_that_compose_rejects_already_is_said_to_be_so() -> None:
    broken = FILE.replace("    image: bridge\n", "")
    with pytest.raises(ChangeError, match=r"rejects the compose file as it is: .*data-bridge"):
        plan_change(broken, WISH, judge)


def test_a_service_of_another_file_is_not_inserted_again() -> None:
    def merged(text: str) -> Mapping[str, Any]:
        model = dict(judge(text))
        model["services"] = {"tick-aggregator": {"image": "from override"}, **model["services"]}
        return model

    with pytest.raises(ChangeError, match="defined by another file of the project"):
        plan_change(FILE, WISH, merged)


def test_a_model_that_differs_elsewhere_is_refused() -> None:
    def drifting(text: str) -> Mapping[str, Any]:
        model = dict(judge(text))
        model["services"] = {**model["services"], "nats": {"image": str(len(text))}}
        return model

    with pytest.raises(ChangeError, match=r"change more than service tick-aggregator: services\.nats"):
        plan_change(FILE, WISH, drifting)


def test_a_service_that_compose_does_not_see_is_refused() -> None:
    def blind(text: str) -> Mapping[str, Any]:
        model = dict(judge(text))
        model["services"] = {
            name: one for name, one in model["services"].items() if name != "tick-aggregator"
        }
        return model

    with pytest.raises(ChangeError, match="does not see service tick-aggregator"):
        plan_change(FILE, WISH, blind)


def test_removing_an_anchor_that_others_need_is_refused() -> None:
    text = "services:\n  a: &a\n    image: x\n  b: *a\n"
    with pytest.raises(ChangeError, match=r"alias \*a has no anchor"):
        plan_change(text, EntrySpec("a", present=False))


def test_removing_the_only_service_is_judged_by_compose() -> None:
    with pytest.raises(ChangeError, match="without x: services must be a mapping"):
        plan_change("services:\n  x:\n    image: i\n", EntrySpec("x", present=False), judge)


def test_the_first_service_of_a_file_needs_no_model_before_it() -> None:
    assert (
        plan_change("services:\n", EntrySpec("x", definition={"image": "i"}), judge).text
        == "services:\n  x:\n    image: i\n"
    )


def test_absent_needs_a_services_section() -> None:
    with pytest.raises(ChangeError, match="expected a section services, found: version"):
        plan_change("version: '3'\n", EntrySpec("x", present=False))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"services": {}}, {"services": {"x": 1}}, []),
        ({"services": {"y": 1}}, {"services": {"y": 2, "x": 1}}, ["services.y"]),
        ({"services": {"y": 1}}, {"services": {"x": 1}}, ["services.y"]),
        ({"services": {}, "volumes": {"a": 1}}, {"services": {}, "volumes": {"a": 1, "b": 1}}, []),
        ({"services": {}, "volumes": {"a": 1}}, {"services": {}, "volumes": {"a": 2}}, ["volumes.a"]),
        ({"services": {}, "name": "a"}, {"services": {}, "name": "b"}, ["name"]),
        ({"services": {}}, {"services": {}, "x-new": 1}, ["x-new"]),
    ],
)
def test_unexpected_differences(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    assert unexpected_differences(before, after, EntrySpec("x")) == expected


def test_paths_of_a_difference_hold_no_values() -> None:
    old = {"environment": {"A": "1", "B": "2"}, "image": "x", "same": [1]}
    new = {"environment": {"A": "1", "B": "3", "C": None}, "image": "x", "same": [1]}
    assert differing_paths(old, new) == ["environment.B", "environment.C"]


def test_normal_spelling() -> None:
    assert normal({"environment": ["A=1", "B"], "ports": [80]}) == {
        "environment": {"A": "1", "B": ""},
        "ports": ["80"],
    }
    assert normal({"environment": {"A": 1, "B": None}}) == {"environment": {"A": "1", "B": ""}}
    assert normal({"depends_on": ["a"], "init": True}) == {"depends_on": {"a": ""}, "init": "true"}
