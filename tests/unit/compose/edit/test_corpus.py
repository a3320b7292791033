"""Compose files as people write them: every byte outside an inserted block has to stay.

Each file of the corpus is edited at each place that it has, and the whole result is compared byte by byte with the
original put together around the block.
"""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.edit.document import ComposeText
from ansible_collections.suho.platform.plugins.module_utils.compose.edit.entries import (
    entry_text,
    insert_entry,
    remove_entry,
    replace_entry,
)
from ruamel.yaml import YAML

DEFINITION = {
    "build": {"context": ".", "dockerfile": "02-data-processing/tick-aggregator/Dockerfile"},
    "container_name": "suho-tick-aggregator",
    "environment": ["LOG_LEVEL=${LOG_LEVEL:-INFO}", "NATS_URL=nats://nats:4222"],
    "depends_on": ["nats"],
    "restart": "unless-stopped",
}

CORPUS = {
    "plain": """\
services:
  nats:
    image: nats:2.10
  data-bridge:
    build: .
""",
    "blank lines between services": """\
version: "3.8"

services:
  # ---------------------------------------------------------------
  # Broker
  # ---------------------------------------------------------------
  nats:
    image: "nats:2.10"
    ports:
      - "4222:4222"   # clients

  data-bridge:
    build:
      context: .
    environment:
      - A=1           # trailing comment

networks:
  suho-trading-network:
    driver: bridge
""",
    "two blank lines": """\
services:

  nats:
    image: nats


  data-bridge:
    image: bridge


  postgresql:
    image: pg


volumes:
  data: {}
""",
    "four spaces": """\
services:
    nats:
        image: nats
        command:
            - "-js"

    data-bridge:
        image: bridge
""",
    "lists at the column of their key": """\
services:
  nats:
    image: nats
    ports:
    - 4222:4222
    volumes:
    - data:/data
volumes:
  data:
""",
    "one space": """\
services:
 nats:
  image: nats
 data-bridge:
  image: b
""",
    "anchors and merge keys": """\
x-logging: &logging
  driver: json-file
  options: {max-size: "10m", max-file: '3'}

x-base: &base
  restart: unless-stopped
  logging: *logging

services:
  nats:
    <<: *base
    image: nats

  data-bridge:
    <<: [*base]
    image: bridge
    environment: &env
      A: "1"
  other:
    image: o
    environment: *env
""",
    "a service that is an alias": """\
x-nats: &nats
  image: nats
services:
  nats: *nats
  copy: *nats
volumes: {}
""",
    "comments of the next service": """\
services:
  nats:
    image: nats
    # - commented: option of nats
      # deeper
  # belongs to the bridge
  # and this, too
  data-bridge:
    image: bridge
  # a service that is switched off
  # old:
  #   image: old

# the networks
networks: {}
""",
    "comments behind blank lines": """\
services:
  nats:
    image: nats

    # still about nats


  # about the bridge

  data-bridge:
    image: bridge
""",
    "tabs in comments": "services:\n  nats:\n    image: nats\t# a\ttab\n    # tab\tcomment\n  data-bridge:\n    image: b # x\t\n",
    "no line end at the end": "services:\n  nats:\n    image: nats\n\n  data-bridge:\n    image: bridge",
    "no line end, list at the end": "services:\n  nats:\n    image: nats\n    command:\n      - -js",
    "no line end, comment at the end": "services:\n  nats:\n    image: nats\n    # last words",
    "blank lines at the end": "services:\n  nats:\n    image: nats\n\n\n\n",
    "spaces without line end": "services:\n  nats:\n    image: nats\n  ",
    "block scalars": """\
services:
  nats:
    image: nats
    command: |
      sh -c "
        # not a comment

        exec nats"

  data-bridge:
    image: bridge
    entrypoint: >-
      folded
      text


  keeps:
    image: k
    labels:
      note: |+
        kept


  last:
    image: l
    labels:
      note: |+
        kept

""",
    "flow style inside": """\
services:
  nats: {image: nats, command: ["-js", "-m", "8222"]}
  data-bridge: {
    image: bridge,   # a comment
    environment: [A=1,
      B=2]
  }
networks: {default: {name: x}}
""",
    "multi-line scalars": """\
services:
  nats:
    image: nats
    command: "a
      b

      c"
  data-bridge:
    image: bridge
    command: plain words
      on two lines

  third:
    command: 'it''s
      quoted'
    image: t
""",
    "document marks": """\
%YAML 1.2
---
# head
services:
  nats:
    image: nats
...
""",
    "services in the middle": """\
name: backend
networks:
  suho-trading-network:
services:
  nats:
    image: nats

  # ML section
  data-bridge:
    image: bridge

secrets:
  key:
    file: ./key
""",
    "null values": """\
services:
  nats:
    image: nats
    networks:
      default:
      other:
  data-bridge:
    image: bridge
    environment:
      PASSED_THROUGH:
volumes:
  data:
  more:
""",
    "quoted keys and odd names": """\
"services":
  "nats":
    'image': nats
  data-bridge.v2_x:
    image: bridge
  9patch:
    image: p
""",
    "unicode and long lines": """\
# Plattform: ✅ «läuft»
services:
  nats:
    image: nats   # größer 🚀
    labels: ["text=äöü", "long=%s"]
  data-bridge:
    image: bridge
"""
    % ("x" * 300),
    "a url and hashes in values": """\
services:
  nats:
    image: registry.local:5000/nats#1
    environment:
      - URL=http://user:p#ss@host/?a=b#frag
      - EMPTY=
  data-bridge:
    image: b
""",
    "items and values that are not there": """\
services:
  nats:
    image: nats
    environment:
      -
      - A
      -   # nothing - really: nothing
    # about nats - and: more
  data-bridge:
    image: b
    labels:
      ? complex
      :
  last:
    image: l
    volumes:
      -
""",
    "custom tags": """\
services:
  nats:
    image: nats
    ports: !reset []
    environment: !override
      A: "1"
  data-bridge:
    depends_on: !reset
    image: b
""",
    "extends, profiles, deploy": """\
services:
  nats:
    extends:
      file: common.yml
      service: nats
    profiles: [core]
  data-bridge:
    image: b
    deploy:
      resources:
        limits: {cpus: '0.5', memory: 512M}
    healthcheck:
      test: ["CMD-SHELL", "curl -f http://localhost || exit 1"]
      interval: 30s
""",
    "indented top level": """\
  services:
    nats:
      image: nats
    data-bridge:
      image: b
  volumes:
    data:
""",
    "only services, nothing in it": "services:\n",
    "nothing in services, comment behind it": "services: # none yet\n  # really\nvolumes:\n  data:\n",
    "trailing spaces": "services:  \n  nats:   \n    image: nats   \n   \n  data-bridge:  \n    image: b  \n",
}
CORPUS["windows line ends"] = CORPUS["blank lines between services"].replace("\n", "\r\n")
CORPUS["windows line ends, none at the end"] = CORPUS["no line end at the end"].replace("\n", "\r\n")
CORPUS["windows line ends, block scalars"] = CORPUS["block scalars"].replace("\n", "\r\n")
CORPUS["windows line ends, comments"] = CORPUS["comments of the next service"].replace("\n", "\r\n")


def services_of(text: str) -> list[str]:
    section = ComposeText(text).section("services")
    assert section is not None
    return section.names


def places() -> list[object]:
    """Each file with each of its services to insert after, and with none."""
    return [
        pytest.param(text, after, id=f"{name}-{after}")
        for name, text in CORPUS.items()
        for after in (None, *services_of(text))
    ]


def test_corpus_is_as_large_as_promised() -> None:
    assert len(CORPUS) >= 30


@pytest.mark.parametrize(("text", "after"), places())
def test_insert_keeps_every_byte_and_remove_gives_them_back(text: str, after: str | None) -> None:
    edit = insert_entry(
        text, "services", "tick-aggregator", DEFINITION, after, ["Ticks to bars", "# 26 indicators"]
    )
    start = edit.text.index(edit.block)
    before, behind = edit.text[:start], edit.text[start + len(edit.block) :]
    assert text.endswith(behind)
    kept = text[: len(text) - len(behind)]
    assert before.startswith(kept)
    assert before[len(kept) :].strip() == ""  # nothing but blank lines was added around the block
    assert remove_entry(edit.text, "services", "tick-aggregator").text == text


@pytest.mark.parametrize(("text", "after"), places())
def test_block_says_what_was_asked_for_at_the_place_that_was_asked_for(text: str, after: str | None) -> None:
    names = services_of(text)
    edit = insert_entry(text, "services", "tick-aggregator", DEFINITION, after, ["Ticks to bars"])
    place = names.index(after) + 1 if after else len(names)
    assert services_of(edit.text) == [*names[:place], "tick-aggregator", *names[place:]]
    assert edit.text.split("\n")[edit.line - 1].strip() == "tick-aggregator:"
    assert YAML(typ="safe", pure=True).load(edit.block) == {"tick-aggregator": DEFINITION}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in CORPUS.items()])
def test_line_ends_are_those_of_the_file(text: str) -> None:
    edit = insert_entry(text, "services", "tick-aggregator", DEFINITION)
    windows = "\r\n" in text
    assert edit.text.count("\r\n") == (edit.text.count("\n") if windows else 0)
    assert edit.text.endswith("\n") == text.endswith("\n")


@pytest.mark.parametrize("section", ["volumes", "networks"])
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in CORPUS.items()])
def test_resources_come_and_go_to_the_byte(text: str, section: str) -> None:
    found = ComposeText(text).root.get(section)
    if found is not None and (found[1].flow or found[1].is_null):
        # "networks: {}" cannot take a block entry: that is refused, and tested as a refusal.
        return
    edit = insert_entry(text, section, "tick-data", {"driver": "local"})
    assert remove_entry(edit.text, section, "tick-data").text == text
    twice = insert_entry(edit.text, section, "more-data", None)
    assert remove_entry(twice.text, section, "more-data").text == edit.text


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in CORPUS.items()])
def test_replace_changes_only_the_block(text: str) -> None:
    inserted = insert_entry(text, "services", "tick-aggregator", DEFINITION, None, ["Kept comment"])
    replaced = replace_entry(inserted.text, "services", "tick-aggregator", {"image": "other"})
    assert "Kept comment" in replaced.text
    assert remove_entry(replaced.text, "services", "tick-aggregator").text == text
    again = replace_entry(replaced.text, "services", "tick-aggregator", DEFINITION)
    assert again.text == inserted.text


def test_plan_snippet_lands_behind_data_bridge_with_the_files_habits() -> None:
    edit = insert_entry(
        CORPUS["blank lines between services"],
        "services",
        "tick-aggregator",
        DEFINITION,
        "data-bridge",
        ["Bars"],
    )
    assert (
        """\
      - A=1           # trailing comment

  # Bars
  tick-aggregator:
    build:
      context: .
      dockerfile: 02-data-processing/tick-aggregator/Dockerfile
    container_name: suho-tick-aggregator
    environment:
      - LOG_LEVEL=${LOG_LEVEL:-INFO}
      - NATS_URL=nats://nats:4222
    depends_on:
      - nats
    restart: unless-stopped

networks:
"""
        in edit.text
    )


def test_indentation_is_that_of_the_services_section() -> None:
    four = insert_entry(CORPUS["four spaces"], "services", "x", {"ports": ["1:2"], "build": {"context": "."}})
    assert (
        four.block == '    x:\n        ports:\n            - "1:2"\n        build:\n            context: .\n'
    )
    flat = insert_entry(CORPUS["lists at the column of their key"], "services", "x", {"ports": ["a"]})
    assert flat.block == "  x:\n    ports:\n    - a\n"


def test_block_behind_a_scalar_that_keeps_blank_lines_leaves_its_value() -> None:
    text = CORPUS["block scalars"]
    load = YAML(typ="safe", pure=True).load
    edited = insert_entry(text, "services", "x", {"image": "i"}, "keeps").text
    assert load(edited)["services"]["keeps"] == load(text)["services"]["keeps"]


def test_comment_of_the_next_service_stays_with_it() -> None:
    text = CORPUS["comments of the next service"]
    edited = insert_entry(text, "services", "x", {"image": "i"}, "nats").text
    assert "  x:\n    image: i\n  # belongs to the bridge\n  # and this, too\n  data-bridge:" in edited
    assert "      # deeper\n  x:" in edited
    removed = remove_entry(text, "services", "nats").text
    assert removed.startswith("services:\n  # belongs to the bridge\n  # and this, too\n  data-bridge:\n")


def test_entry_text_is_the_block_without_the_comment_above() -> None:
    text = CORPUS["comments of the next service"]
    assert entry_text(text, "services", "data-bridge") == "  data-bridge:\n    image: bridge\n"
