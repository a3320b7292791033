"""Building with labels: what is laid over the compose files, and when nothing needs to be built."""

from __future__ import annotations

from ansible_collections.suho.platform.plugins.module_utils.compose.build import lacks_labels, overlay
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import ImageInfo

LABEL = {"com.suho.source-digest": "d1"}


def test_for_a_service_of_the_file_only_labels_are_added():
    assert overlay({"bridge": LABEL}, {}, ["bridge"]) == {
        "services": {"bridge": {"build": {"labels": LABEL}}}
    }


def test_a_new_service_comes_with_its_whole_definition():
    extra = {
        "tick": {"build": {"context": ".", "args": {"A": "1"}, "labels": {"own": "x"}}, "restart": "always"}
    }
    service = overlay({"tick": LABEL}, extra, ["bridge"])["services"]["tick"]
    assert service["restart"] == "always"
    assert service["build"] == {"context": ".", "args": {"A": "1"}, "labels": {"own": "x", **LABEL}}
    assert extra["tick"]["build"]["labels"] == {"own": "x"}


def test_the_short_form_of_build_is_understood():
    assert overlay({"tick": LABEL}, {"tick": {"build": "./tick"}}, [])["services"]["tick"]["build"] == {
        "context": "./tick",
        "labels": LABEL,
    }


def test_an_image_with_the_wanted_labels_is_not_built_again():
    assert lacks_labels(None, LABEL)
    assert lacks_labels(ImageInfo("id", "", labels={}), LABEL)
    assert lacks_labels(ImageInfo("id", "", labels={"com.suho.source-digest": "d0"}), LABEL)
    assert not lacks_labels(ImageInfo("id", "", labels={**LABEL, "other": "x"}), LABEL)
