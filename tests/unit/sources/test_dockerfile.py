"""What a Dockerfile reads from its context: every way of naming it, and nothing that it does not name."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.sources.dockerfile import (
    BuildInputs,
    DockerfileError,
    Source,
    build_inputs,
    expand,
    instructions,
    split_words,
)


def patterns(text: str, **options: object) -> list[str]:
    return [source.pattern for source in build_inputs(text, **options).sources]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("COPY app /app", ["app"]),
        ("copy app /app", ["app"]),
        ("COPY a b c/ /dest/", ["a", "b", "c"]),
        ("COPY ./02-data/x.py requirements*.txt /app/", ["02-data/x.py", "requirements*.txt"]),
        ("COPY /absolute /app", ["absolute"]),
        ("COPY ../../outside /app", ["outside"]),
        ("COPY . .", ["."]),
        ('COPY ["a b", "c", "/dest/"]', ["a b", "c"]),
        ('COPY "quoted" /app', ["quoted"]),
        ("COPY --chown=1:1 --chmod=755 app /app", ["app"]),
        ("COPY --link app /app", ["app"]),
        ("ADD data.tar.gz /app", ["data.tar.gz"]),
        ("ADD https://example.org/x.tar.gz local /app/", ["local"]),
        ("ADD git@github.com:a/b.git /app", []),
        ("ADD --checksum=sha256:0 https://example.org/f /f", []),
        ("COPY a \\\n  b \\\n\n# a comment in between\n  c /dest/", ["a", "b", "c"]),
        ("COPY <<EOF /etc/x\nCOPY not-this /no\nEOF\nCOPY app /app", ["app"]),
        ("COPY <<-'END' one /etc/\n\tCOPY not-this /no\n\tEND\nCOPY two /", ["one", "two"]),
        ("RUN <<EOF\nCOPY not-this /no\nEOF\nCOPY app /", ["app"]),
        ("RUN cat <<A <<B\nCOPY x /\nA\nCOPY y /\nB\nCOPY app /", ["app"]),
        ("RUN echo $((1 << 2))\nCOPY app /", ["app"]),
        ("RUN --mount=type=bind,source=req.txt,target=/r pip install -r /r", ["req.txt"]),
        ("RUN --mount=target=/src make", ["."]),
        ("RUN --mount=type=cache,target=/root/.cache pip install x", []),
        ("RUN --mount=type=secret,id=key cat /run/secrets/key", []),
        ("# COPY no /no\nLABEL a=b\nCMD [\"x\"]", []),
        ("COPY\tapp /app", ["app"]),
        ("COPY --parents src/**/x.py /app/", ["src"]),
        ("ONBUILD COPY later /app", []),
    ],
)  # fmt: skip
def test_sources_of_one_stage(line: str, expected: list[str]) -> None:
    assert patterns(f"FROM base\n{line}\n") == expected
    assert patterns(f"FROM base\n{line}\n".replace("\n", "\r\n")) == expected


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        ("FROM b\nARG D=app\nCOPY $D/x ${D}/y /", {}, ["app/x", "app/y"]),
        ("FROM b\nARG D=app\nCOPY $D /", {"D": "other"}, ["other"]),
        ("FROM b\nARG D\nCOPY a$D /", {}, ["a"]),
        ("FROM b\nCOPY $FROM_BASE/x /", {}, ["."]),
        ("FROM b\nENV D app dir\nCOPY x$D /", {}, ["xapp dir"]),
        ("FROM b\nENV A=1 B=\"two\" C='three'\nCOPY $A $B $C /", {}, ["1", "two", "three"]),
        ("FROM b\nARG A=x\nENV A=y\nCOPY $A /", {"A": "z"}, ["y"]),
        ("FROM b\nENV A=$UNKNOWN\nCOPY $A /", {}, ["."]),
        ("ARG D=top\nFROM b\nCOPY x$D /", {}, ["."]),
        ("ARG D=top\nFROM b\nARG D\nCOPY $D /", {}, ["top"]),
        ("ARG D=top\nFROM b\nARG D=own\nCOPY $D /", {}, ["own"]),
        ("FROM b\nARG TARGETARCH\nCOPY bin/$TARGETARCH /", {}, ["."]),
        ("FROM b\nARG D\nCOPY ${D:-fallback} ${D:+set} /", {}, ["fallback", "."]),
        ("FROM b\nARG D=v\nCOPY ${D#v} /", {}, ["."]),
        ("FROM b\nARG D=v\nCOPY \\$D /", {}, ["$D"]),
        ("# escape=`\nFROM b\nCOPY a `\n  b /dest/\n", {}, ["a", "b"]),
    ],
)
def test_variables_as_far_as_they_are_known(text: str, args: dict[str, str], expected: list[str]) -> None:
    assert patterns(text, args=args) == expected


STAGES = """\
ARG TAG=3.13
FROM python:${TAG} AS builder
COPY requirements.txt /
FROM node:22 AS assets
COPY web /web
FROM builder AS test
COPY tests /tests
FROM scratch AS final
COPY --from=builder /usr /usr
COPY --from=busybox:1 /bin/sh /bin/sh
COPY app /app
"""


def test_only_the_stages_that_the_target_needs_count() -> None:
    found = build_inputs(STAGES)
    assert sorted(source.pattern for source in found.sources) == ["app", "requirements.txt"]
    assert sorted(found.base_images) == ["busybox:1", "python:3.13"]
    assert found.target_base == "scratch"


@pytest.mark.parametrize(
    ("target", "expected", "base"),
    [
        ("builder", ["requirements.txt"], "python:3.13"),
        ("test", ["requirements.txt", "tests"], "python:3.13"),
        ("ASSETS", ["web"], "node:22"),
        ("1", ["web"], "node:22"),
    ],
)
def test_target_chooses_the_stage(target: str, expected: list[str], base: str) -> None:
    found = build_inputs(STAGES, target=target)
    assert sorted(source.pattern for source in found.sources) == expected
    assert found.target_base == base


def test_base_image_follows_the_build_argument() -> None:
    assert build_inputs(STAGES, {"TAG": "3.9"}, "builder").base_images == ("python:3.9",)


def test_stage_by_number_mounted_from_and_inherited() -> None:
    text = "FROM a\nCOPY one /\nFROM b\nRUN --mount=type=bind,from=0,target=/x true\nCOPY two /\n"
    assert sorted(patterns(text)) == ["one", "two"]
    inherited = "FROM a AS base\nENV D=app\nFROM base\nCOPY $D /\n"
    assert patterns(inherited) == ["app"]


def test_named_contexts_are_read_instead_of_images_and_stages() -> None:
    text = "FROM base\nCOPY --from=shared lib /lib\nRUN --mount=from=shared,source=x,target=/x true\n"
    found = build_inputs(text, contexts={"shared": "/elsewhere", "base": "docker-image://x"})
    assert found.sources == (Source("base", "."), Source("shared", "lib"), Source("shared", "x"))
    assert found.base_images == ()


def test_declared_arguments_are_those_of_the_needed_stages() -> None:
    text = "ARG G=1\nFROM a AS x\nARG UNUSED\nFROM b\nARG A B=2\nCOPY $B /\n"
    assert build_inputs(text).declared_args == frozenset({"G", "A", "B"})


def test_what_cannot_be_known_is_said() -> None:
    found = build_inputs("FROM $BASE\nCOPY $X /\n")
    assert found == BuildInputs(
        sources=(Source("", "."),),
        notes=(
            "line 1: the base image $BASE is only known to the build",
            "line 2: $X is only known to the build; the whole context counts",
        ),
    )


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("", None, "at least one FROM"),
        ("RUN true\n", None, "line 1: expected FROM before RUN"),
        ("FROM\n", None, "line 1: FROM names no image"),
        ("FROM a AS x\n", "y", "no stage y; the Dockerfile has: x"),
        ("FROM a\n\nRUN <<EOF\ntrue\n", None, "line 3: the here-document EOF has no end"),
    ],
)
def test_what_is_no_dockerfile_is_refused_with_its_place(text: str, target: str | None, message: str) -> None:
    with pytest.raises(DockerfileError, match=message):
        build_inputs(text, target=target)


def test_instructions_know_their_lines_and_flags() -> None:
    found = list(instructions("# syntax=docker/dockerfile:1\n\nFROM a\nCOPY --from=x --link \\\n  a b\n"))
    assert [(one.line, one.keyword, one.rest.split()) for one in found] == [
        (3, "FROM", ["a"]),
        (4, "COPY", ["a", "b"]),
    ]
    assert found[1].flag("from") == "x"
    assert found[1].flag("chown") is None


def test_words_and_expansion() -> None:
    assert split_words("a 'b c'd \"e f\" g\\ h") == ["a", "'b c'd", '"e f"', "g\\ h"]
    assert expand("'$A'$A\"$A\"", {"A": "1"}) == "$A11"
    assert expand("$A", {}) is None
    assert expand("${A:-${B}}", {"A": "", "B": "b"}) == "b"
    assert expand("${A-x}", {"A": ""}) == ""
    assert expand("cost: 5$", {}) == "cost: 5$"
