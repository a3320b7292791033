"""Old tags go, and never one that a release needs."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.command import CommandError, CommandResult
from ansible_collections.suho.platform.plugins.module_utils.common.times import release_time
from ansible_collections.suho.platform.plugins.module_utils.docker.rollback_tags import (
    outdated,
    remove_tags,
    rollback_tags,
)
from ansible_collections.suho.platform.plugins.modules.rollback_tags import repository

DAY = 24 * 3600
NOW = 1_790_000_000.0


class FakeEngine:
    def __init__(self, *listed: str, used: str = "", broken: str = "") -> None:
        self.listed, self.used, self.broken = listed, used, broken
        self.calls: list[list[str]] = []

    def run(self, arguments: list[str]) -> CommandResult:
        self.calls.append(arguments)
        if self.used and self.used in arguments:
            raise CommandError(["docker", *arguments], 1, "conflict: unable to remove repository reference")
        if self.broken:
            raise CommandError(["docker", *arguments], 1, self.broken)
        return CommandResult("\n".join(self.listed), "")


def tags(*ages: int) -> list[tuple[str, str]]:
    """Tags of releases that many days old."""
    import datetime

    found = []
    for age in ages:
        moment = datetime.datetime.fromtimestamp(NOW - age * DAY, datetime.timezone.utc)
        release = f"{moment:%Y%m%dT%H%M%SZ}-abc1234"
        found.append((release, f"x:rollback-{release}"))
    return sorted(found, reverse=True)


def test_only_rollback_tags_of_the_wanted_images_are_found() -> None:
    engine = FakeEngine(
        "b-x:rollback-20260101T000000Z-a", "b-x:rollback-20260201T000000Z-a", "b-x:latest", "<none>:<none>",
        "b-x-more:rollback-20260101T000000Z-a", "reg:5000/b-y:rollback-r1", "b-x:rollback-",
    )  # fmt: skip
    found = rollback_tags(engine, {"b-x", "reg:5000/b-y"})  # type: ignore[arg-type]
    assert {name: [release for release, _tag in tags] for name, tags in found.items()} == {
        "b-x": ["20260201T000000Z-a", "20260101T000000Z-a"],
        "reg:5000/b-y": ["r1"],
    }


@pytest.mark.parametrize(
    ("ages", "keep", "days", "gone"),
    [
        ([1, 2, 3], 1, 30, 0),  # too many, but young
        ([40, 50, 60], 5, 30, 0),  # old, but few
        ([40, 50, 60], 1, 30, 2),
        ([1, 2, 40, 50], 2, 30, 2),
        ([1, 2, 40, 50], 3, 30, 1),
        ([], 1, 0, 0),
    ],
)
def test_a_tag_goes_that_is_beyond_both_limits(ages: list[int], keep: int, days: float, gone: int) -> None:
    every = tags(*ages)
    assert outdated(every, [], keep, days, NOW) == [tag for _release, tag in every[len(every) - gone :]]


def test_a_tag_that_a_retained_release_needs_stays() -> None:
    every = tags(40, 50, 60)
    assert outdated(every, [every[2][0]], 1, 30, NOW) == [every[1][1]]


def test_a_release_without_a_time_keeps_its_tag() -> None:
    assert outdated([("zz", "x:rollback-zz"), ("by-hand", "x:rollback-by-hand")], [], 1, 0, NOW) == []
    assert release_time("20269999T000000Z-x") is None


def test_tags_are_removed_and_nothing_is_forced() -> None:
    engine = FakeEngine()
    assert remove_tags(engine, ["a:rollback-x"]) == ["a:rollback-x"]  # type: ignore[arg-type]
    assert engine.calls == [["image", "rm", "a:rollback-x"]]


def test_the_only_tag_of_an_image_in_use_stays_and_hides_no_other() -> None:
    engine = FakeEngine(used="a:rollback-x")
    assert remove_tags(engine, ["a:rollback-x", "a:rollback-y"]) == ["a:rollback-y"]  # type: ignore[arg-type]


def test_another_failure_is_told() -> None:
    with pytest.raises(CommandError, match="no engine"):
        remove_tags(FakeEngine(broken="no engine answers"), ["a:rollback-x"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "name"),
    [("a", "a"), ("a:latest", "a"), ("reg:5000/a", "reg:5000/a"), ("reg:5000/a:1", "reg:5000/a")],
)
def test_the_repository_of_an_image(image: str, name: str) -> None:
    assert repository(image) == name
