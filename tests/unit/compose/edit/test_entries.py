"""Edits of a compose file: what is written, what is refused, and that every edit can be rolled back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.edit.document import (
    ComposeText,
    EditError,
)
from ansible_collections.suho.platform.plugins.module_utils.compose.edit.entries import (
    insert_entry,
    remove_entry,
    replace_entry,
)
from ansible_collections.suho.platform.plugins.module_utils.compose.edit.yaml_emit import (
    EmitError,
    Layout,
    entry_lines,
    scalar,
)
from deep import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML


def loaded(text: str, version: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return yaml.load(text)


@pytest.mark.parametrize(
    "text",
    [
        "${LOG_LEVEL:-INFO}", "nats://nats:4222", "./config:/app/config:ro", "KEY=a b", "A=${B:-${C}}", "-js", "1.2.3",
        "30s", "unless-stopped", "a#b", "http://x/?y=1", "10.0.0.1", "a:b", "CMD-SHELL", "x=", "…", "9patch",
        "0.5cpu", "com.suho.service=tick-aggregator", "2.24-alpine", "$$HOME", "*" * 0 + "a*b",
    ],
)  # fmt: skip
def test_strings_that_need_no_quotes_get_none(text: str) -> None:
    assert scalar(text) == text
    for version in ("1.1", "1.2"):
        assert loaded(f"k: {scalar(text)}", version) == {"k": text}


@pytest.mark.parametrize(
    "text",
    [
        "", " a", "a ", "yes", "No", "on", "OFF", "y", "true", "null", "~", "1", "-1", "+1", "1.5", ".5", "1e3", "0x1F",
        "0o17", "017", "1_000", "22:22", "8080:80", "1:2:3", "2024-01-01", "2024-01-01T00:00:00Z", ".inf", "-.INF",
        ".nan", "<<", "=", "a: b", "a #b", "a:", "#a", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "'a", '"a', "[a",
        "]a", "{a", "}a", ",a", "- a", "-", "? a", "?", ": a", ":", "---", "--- a", "...", "a\nb", "a\n", "\ta", "a\tb: c",
        "a\\n", "\x07", "\x85", "a\u2028b", "\ufeffa", "a\x7fb", "1.", "0b1", "1e", "12e+5", "a:\tb",
    ],
)  # fmt: skip
def test_strings_that_another_reader_could_mistake_are_quoted(text: str) -> None:
    for version in ("1.1", "1.2"):
        assert loaded(f"k: {scalar(text)}\n", version) == {"k": text}


def test_list_stays_list_and_mapping_stays_mapping() -> None:
    as_list = entry_lines("environment", ["A=1", "B=${B:-x}"], 4, Layout())
    assert as_list == ["    environment:", "      - A=1", "      - B=${B:-x}"]
    as_mapping = entry_lines("environment", {"A": 1, "B": "1", "C": None, "D": True}, 4, Layout())
    assert as_mapping == ["    environment:", "      A: 1", '      B: "1"', "      C:", "      D: true"]


def test_nested_lists_and_mappings() -> None:
    value = {"a": [{"b": 1, "c": [1, {"d": "x"}]}, [], {}, [[1, 2], ["x"]], None], "e": {}, "f": []}
    lines = entry_lines("k", value, 2, Layout(step=4, dash=0))
    assert loaded("\n".join(lines), "1.2") == {"k": value}
    assert lines[1] == "      a:"
    assert lines[2] == "      - b: 1"


def test_text_of_many_lines_is_a_block() -> None:
    assert entry_lines("command", "set -e\n\nexec nats\n", 0, Layout()) == [
        "command: |", "  set -e", "", "  exec nats",
    ]  # fmt: skip
    assert entry_lines("command", "a\nb", 0, Layout())[0] == "command: |-"
    assert entry_lines("command", "a\nb\n\n", 0, Layout()) == ['command: "a\\nb\\n\\n"']


@pytest.mark.parametrize(
    ("value", "found"), [(object(), "object"), ({1.5: {2: object()}}, "object"), (b"x", "bytes")]
)
def test_what_is_no_data_is_refused_with_its_place(value: Any, found: str) -> None:
    with pytest.raises(EmitError, match=f"k.*found a {found}"):
        entry_lines("k", {"inner": value}, 0, Layout())


def test_numbers_without_a_place_in_yaml_are_refused() -> None:
    with pytest.raises(EmitError, match=r"deploy\.cpus"):
        entry_lines("deploy", {"cpus": float("inf")}, 0, Layout())


PLAIN = "services:\n  nats:\n    image: nats\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "line 1.*"),
        ("services:\n  a:\n   b: 1\n  c: : d\n", "line 4, column"),
        ("services:\n\ta: 1\n   b: [\n", "not YAML: line"),
        ("version: '3'\nnetworks: {}\n", "expected a section services, found: version, networks"),
        ("", "expected one YAML document, found 0"),
        ("# nothing\n", "expected one YAML document, found 0"),
        ("just text\n", "expected a mapping with the section services, found a scalar"),
        ("- a\n", "found a sequence"),
        ("{services: {a: {image: b}}}\n", "flow style"),
        ("services: {a: {image: b}}\n", "line 1: services is written in flow style"),
        ("services: {}\n", "flow style"),
        ("services:\n  - a\n", "services is written as sequence"),
        ("x: &a {b: c}\nservices: *a\n", "services is written as alias"),
        ("services: text\n", "services is written as scalar"),
        ("services:\n  a: {}\n---\nservices:\n  b: {}\n", "expected one YAML document, found 2"),
        ("services:\n  a: {image: b}\n  a: {image: c}\n", "services has more than one entry a"),
        ("services:\n  a: {image: b}\nservices:\n  a: {image: c}\n", "services"),
        ("services:\n  a: *nope\n", r"line 2: the alias \*nope has no anchor"),
        ("services:\n  ? a\n  : image: b\n", "line 2: expected the key a to be the first word of its line"),
    ],
)
def test_a_file_that_cannot_be_edited_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(EditError, match=message):
        insert_entry(text, "services", "x", {"image": "i"})


def test_unknown_insert_after_lists_what_there_is() -> None:
    text = PLAIN + "  data-bridge:\n    image: b\n"
    with pytest.raises(EditError, match="no entry bridge to insert x after; it has: nats, data-bridge"):
        insert_entry(text, "services", "x", {"image": "i"}, "bridge")


def test_a_service_is_never_inserted_twice() -> None:
    with pytest.raises(EditError, match="services already has an entry nats"):
        insert_entry(PLAIN, "services", "nats", {"image": "i"})


@pytest.mark.parametrize(
    "edit", [lambda: remove_entry(PLAIN, "services", "x"), lambda: remove_entry(PLAIN, "volumes", "x")]
)
def test_removing_what_is_not_there_is_an_error(edit: Any) -> None:
    with pytest.raises(EditError, match="has no entry x"):
        edit()


def test_replacing_what_is_not_there_is_an_error() -> None:
    with pytest.raises(EditError, match="services has no entry x"):
        replace_entry(PLAIN, "services", "x", {})


def test_header_comment_is_one_line_per_item() -> None:
    with pytest.raises(EditError, match="expected one line per item"):
        insert_entry(PLAIN, "services", "x", {}, comment=["a\nservices:"])
    edit = insert_entry(PLAIN, "services", "x", {"image": "i"}, comment=["", "# kept", "  text "])
    assert edit.block == "  #\n  # kept\n  # text\n  x:\n    image: i\n"


def test_removing_the_first_service_does_not_leave_its_gap() -> None:
    text = "services:\n\n  # nats\n  nats:\n    image: n\n\n  # b\n  b:\n    image: b\n"
    assert remove_entry(text, "services", "nats").text == "services:\n\n  # b\n  b:\n    image: b\n"


def test_removing_the_last_resource_removes_its_section() -> None:
    text = PLAIN + "\nvolumes:\n  data:\n"
    assert remove_entry(text, "volumes", "data").text == PLAIN


def test_a_service_in_an_otherwise_empty_section_can_be_taken_back() -> None:
    for text in ("services:\n", "services: # later\n\nvolumes:\n  a:\n", "services:"):
        edit = insert_entry(text, "services", "x", {"image": "i"})
        assert ComposeText(edit.text).section("services").names == ["x"]
        assert remove_entry(edit.text, "services", "x").text == text


def test_a_line_behind_an_open_block_of_text_would_change_its_value() -> None:
    with pytest.raises(EditError, match="services entry nats ends in a block of text"):
        insert_entry("services:\n  nats:\n    command: |\n      a", "services", "x", {})
    insert_entry("services:\n  nats:\n    command: |-\n      a", "services", "x", {})


# --- properties -------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30), st.text(alphabet="ab:#-'\"\\ \n\t{}[]$&*!|>%@,?=~0123456789", max_size=12),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
DEFINITIONS = st.dictionaries(NAMES, VALUES, max_size=4)

FRAGMENTS = st.sampled_from(
    [
        "    image: x\n", "    image: x   # why\n", "    command: |\n      a\n\n      b\n", "    command: |+\n      a\n\n\n",
        "    command: >-\n      a\n\n    image: y\n", "    environment:\n      - A=1\n      # - B=2\n", "    environment:\n      A:\n",
        "    ports: [\"1:2\",\n      '3:4']\n", "    image: x\n    # deeper\n\n    # and deeper\n", "    <<: *base\n",
        "    image: x\n\n\n      # far\n", "    command: \"a\n      b\"\n", "    volumes:\n    - a:/b\n    - c:/d\n",
        "    networks:\n      default:\n",
    ]
)  # fmt: skip
GAPS = st.sampled_from(
    [
        "",
        "\n",
        "\n\n",
        "  # about the next\n",
        "\n  # banner\n\n  # about\n",
        "  \n",
        "\n# at the margin\n",
        "\n   # odd\n",
    ]
)
TAILS = st.sampled_from(
    [
        "",
        "\n",
        "\n\nvolumes:\n  data:\n",
        "networks:\n  n:\n    driver: bridge\n",
        "# the end\n",
        "\n  # in services\n",
        "   ",
    ]
)


@st.composite
def compose_files(draw: st.DrawFn) -> str:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    text = (
        draw(st.sampled_from(["", "version: '3'\n\n", "# head\n\n"]))
        + "x-base: &base\n  image: b\n\nservices:\n"
    )
    for name in names:
        text += draw(GAPS) + f'  "{name}":\n' + draw(FRAGMENTS)
    text += draw(TAILS)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text


@settings(max_examples=examples(40), deadline=None)
@given(
    text=compose_files(),
    definition=DEFINITIONS,
    comment=st.lists(st.from_regex(r"[ -~]*", fullmatch=True), max_size=2),
    data=st.data(),
)
def test_insert_then_remove_is_byte_identical(
    text: str, definition: dict[str, Any], comment: list[str], data: st.DataObject
) -> None:
    services = ComposeText(text).section("services")
    names = services.names
    if services.entries[-1].value.keeps_line_end and not text.endswith("\n"):
        text += "\n"  # the other case is refused, as a test of its own shows
    after = data.draw(st.sampled_from([None, *names]))
    edit = insert_entry(text, "services", "zz-new", definition, after, comment)
    assert remove_entry(edit.text, "services", "zz-new").text == text
    assert loaded(edit.block, "1.2") == {"zz-new": definition or {}}
    before_meaning = loaded(text, "1.2")
    after_meaning = loaded(edit.text, "1.2")
    assert after_meaning["services"].pop("zz-new") == definition
    assert after_meaning == before_meaning


@settings(max_examples=examples(20), deadline=None)
@given(text=compose_files(), first=DEFINITIONS, second=DEFINITIONS)
def test_replacing_is_the_same_as_inserting_the_new_definition(
    text: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    text = text.rstrip("\r\n") + ("\r\n" if "\r" in text else "\n")
    one = insert_entry(text, "services", "zz-new", first).text
    assert (
        replace_entry(one, "services", "zz-new", second).text
        == insert_entry(text, "services", "zz-new", second).text
    )


@settings(max_examples=examples(60), deadline=None)
@given(value=VALUES, step=st.integers(1, 6), flat=st.booleans(), column=st.integers(0, 6))
def test_what_is_written_is_read_back_by_both_versions_of_yaml(
    value: Any, step: int, flat: bool, column: int
) -> None:
    lines = entry_lines("key", value, column, Layout(step, 0 if flat else step))
    assert loaded("\n".join(lines) + "\n", "1.2") == {"key": value}
    if not re.search(r"[0-9]e", repr(value)):  # YAML 1.1 wants a dot in a number with an exponent
        assert loaded("\n".join(lines) + "\n", "1.1") == {"key": value}
