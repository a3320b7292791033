# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Dockerfile reads: files of its build context, base images, build arguments.

Only the stages count that the target needs, as BuildKit builds no others. Where a name cannot be known without
running the build (a variable that the base image sets), the answer is the whole context: too much is seen as a
change then, never too little.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..common.errors import PlatformError

_HEREDOC = re.compile(r"^\d*<<(?P<dash>-?)(?P<quote>['\"]?)(?P<name>[^<'\"\s]+)(?P=quote)$")
_DIRECTIVE = re.compile(r"^#\s*(?P<name>[a-zA-Z]\w*)\s*=\s*(?P<value>.+?)\s*$")
_REMOTE = re.compile(r"^(?:https?|ftp|git|ssh)://|^git@|^github\.com/", re.IGNORECASE)
# Arguments that BuildKit sets by itself once they are declared.
_AUTOMATIC_ARGS = frozenset(
    f"{side}{part}" for side in ("TARGET", "BUILD") for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
)


class DockerfileError(PlatformError):
    """The text is no Dockerfile that could be built."""


@dataclass(frozen=True)
class Instruction:
    line: int
    keyword: str
    flags: tuple[tuple[str, str], ...]
    rest: str
    heredocs: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        return next((value for flag, value in self.flags if flag == name), None)


@dataclass(frozen=True)
class Source:
    """Something that the build reads from a context: the main one ("") or a named one."""

    context: str
    pattern: str


@dataclass(frozen=True)
class BuildInputs:
    """Everything that a build of one target reads from outside."""

    sources: tuple[Source, ...] = ()
    base_images: tuple[str, ...] = ()
    target_base: str = ""
    declared_args: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass
class _Stage:
    name: str
    parent: str
    needs: set[str] = field(default_factory=set)
    images: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    variables: dict[str, str | None] = field(default_factory=dict)
    args: set[str] = field(default_factory=set)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, continuation lines joined and here-documents set aside."""
    lines = [line.rstrip("\r") for line in text.lstrip("\ufeff").split("\n")]
    escape = _escape_sign(lines)
    place = 0
    while place < len(lines):
        start = place
        joined = ""
        while place < len(lines):
            line = lines[place]
            place += 1
            if not line.strip() or line.lstrip().startswith("#"):
                if joined:
                    continue
                break
            stripped = line.rstrip()
            if not stripped.endswith(escape):
                joined += line
                break
            joined += stripped[:-1]
        if not joined.strip():
            continue
        keyword, _space, rest = joined.strip().partition(" ")
        if "\t" in keyword:
            keyword, _tab, more = keyword.partition("\t")
            rest = f"{more} {rest}"
        keyword = keyword.upper()
        heredocs: list[str] = []
        if keyword in ("RUN", "COPY", "ADD"):
            heredocs, place = _skip_heredocs(rest, lines, place, start)
        flags, rest = _flags(rest)
        yield Instruction(start + 1, keyword, flags, rest, tuple(heredocs))


def build_inputs(
    text: str,
    args: Mapping[str, str | None] | None = None,
    target: str | None = None,
    contexts: Mapping[str, str] | None = None,
) -> BuildInputs:
    """What a build of ``target`` (default: the last stage) with these arguments reads.

    ``contexts`` are the named contexts of the build; a name in it takes the place of an image or stage.
    """
    reader = _DockerfileReader(dict(args or {}), set(contexts or {}))
    for instruction in instructions(text):
        reader.read(instruction)
    return reader.answer(target)


class _DockerfileReader:
    def __init__(self, given: dict[str, str | None], contexts: set[str]) -> None:
        self.given = given
        self.contexts = contexts
        self.globals: dict[str, str | None] = {}
        self.global_args: set[str] = set()
        self.stages: list[_Stage] = []
        self.notes: list[str] = []

    def read(self, one: Instruction) -> None:
        if one.keyword == "FROM":
            self._from(one)
        elif one.keyword == "ARG":
            self._arg(one)
        elif not self.stages:
            raise DockerfileError(f"line {one.line}: expected FROM before {one.keyword}")
        elif one.keyword == "ENV":
            stage = self.stages[-1]
            for name, value in split_assignments(one.rest):
                stage.variables[name] = expand(value, stage.variables)
        elif one.keyword in ("COPY", "ADD"):
            self._copy(one)
        elif one.keyword == "RUN":
            self._run(one)

    def answer(self, target: str | None) -> BuildInputs:
        if not self.stages:
            raise DockerfileError("expected at least one FROM, found none")
        final = self.stages[-1] if not target else self._stage(target)
        if final is None:
            names = ", ".join(stage.name or str(number) for number, stage in enumerate(self.stages))
            raise DockerfileError(f"no stage {target}; the Dockerfile has: {names}")
        needed = self._needed(final)
        images = [image for stage in needed for image in stage.images]
        args = set(self.global_args)
        for stage in needed:
            args |= stage.args
        base = final
        while base.parent and self._stage(base.parent) is not None:
            base = self._stage(base.parent) or base
        return BuildInputs(
            tuple(dict.fromkeys(source for stage in needed for source in stage.sources)),
            tuple(dict.fromkeys(images)),
            base.parent,
            frozenset(args),
            tuple(dict.fromkeys(self.notes)),
        )

    def _from(self, one: Instruction) -> None:
        words = split_words(one.rest)
        if not words:
            raise DockerfileError(f"line {one.line}: FROM names no image")
        parent = expand(words[0], self.globals)
        name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else ""
        if parent is UNKNOWN:
            self.notes.append(f"line {one.line}: the base image {words[0]} is only known to the build")
            parent = ""
        previous = self._stage(parent)
        stage = _Stage(name, parent)
        if previous is not None:
            stage.needs.add(parent)
            stage.variables.update(previous.variables)
        elif parent in self.contexts:
            stage.sources.append(Source(parent, "."))
        elif parent and parent != "scratch":
            stage.images.append(parent)
        self.stages.append(stage)

    def _arg(self, one: Instruction) -> None:
        stage = self.stages[-1] if self.stages else None
        known = stage.variables if stage else self.globals
        for name, value in split_assignments(one.rest, bare=True):
            (stage.args if stage else self.global_args).add(name)
            if self.given.get(name) is not None:
                known[name] = self.given[name]
            elif value is not None:
                known[name] = expand(value, known)
            elif stage and name in self.globals:
                known[name] = self.globals[name]
            else:
                known[name] = UNKNOWN if name in _AUTOMATIC_ARGS else ""

    def _copy(self, one: Instruction) -> None:
        stage = self.stages[-1]
        words = _copy_words(one)
        context = ""
        origin = one.flag("from")
        if origin is not None:
            origin = expand(origin, stage.variables)
            if origin not in self.contexts:
                self._reads_from(stage, origin)
                return
            context = str(origin)
        for word in words[:-1]:
            if _HEREDOC.match(word):
                continue
            source = expand(word, stage.variables)
            if source is UNKNOWN:
                self.notes.append(
                    f"line {one.line}: {word} is only known to the build; the whole context counts"
                )
                stage.sources.append(Source(context, "."))
            elif one.keyword == "COPY" or not _is_remote(source):
                stage.sources.append(Source(context, _context_path(source, one.flag("parents") is not None)))

    def _run(self, one: Instruction) -> None:
        stage = self.stages[-1]
        for flag, value in one.flags:
            if flag != "mount":
                continue
            options = dict(part.partition("=")[::2] for part in value.split(","))
            kind = options.get("type", "bind")
            origin = options.get("from")
            if origin and origin not in self.contexts:
                self._reads_from(stage, expand(origin, stage.variables))
            elif kind == "bind":
                source = expand(options.get("source") or options.get("src") or ".", stage.variables)
                stage.sources.append(
                    Source(origin or "", "." if source is UNKNOWN else _context_path(source, False))
                )

    def _reads_from(self, stage: _Stage, origin: str | None) -> None:
        """COPY --from or RUN --mount from another stage or image."""
        if origin is UNKNOWN:
            return
        if self._stage(origin) is not None and self._stage(origin) is not stage:
            stage.needs.add(origin)
        else:
            stage.images.append(origin)

    def _stage(self, name: str) -> _Stage | None:
        for stage in self.stages:
            if stage.name and stage.name == name.lower():
                return stage
        return self.stages[int(name)] if name.isdigit() and int(name) < len(self.stages) else None

    def _needed(self, final: _Stage) -> list[_Stage]:
        needed: list[_Stage] = []
        waiting = [final]
        while waiting:
            stage = waiting.pop()
            if stage not in needed:
                needed.append(stage)
                waiting += [found for found in map(self._stage, sorted(stage.needs)) if found is not None]
        return needed


def _escape_sign(lines: list[str]) -> str:
    for line in lines:
        match = _DIRECTIVE.match(line)
        if not match:
            break
        if match.group("name").lower() == "escape":
            return match.group("value")
    return "\\"


def _skip_heredocs(rest: str, lines: list[str], place: int, start: int) -> tuple[list[str], int]:
    names: list[str] = []
    for match in filter(None, map(_HEREDOC.match, rest.split())):
        name = match.group("name")
        names.append(name)
        while place < len(lines):
            line = lines[place].lstrip("\t") if match.group("dash") else lines[place]
            place += 1
            if line == name:
                break
        else:
            raise DockerfileError(f"line {start + 1}: the here-document {name} has no end")
    return names, place


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    rest = rest.lstrip()
    while rest.startswith("--"):
        word, _space, remaining = rest.partition(" ")
        name, _equals, value = word[2:].partition("=")
        flags.append((name.lower(), value.strip("\"'")))
        rest = remaining.lstrip()
    return tuple(flags), rest


def _copy_words(one: Instruction) -> list[str]:
    if one.rest.startswith("["):
        try:
            listed = json.loads(one.rest)
        except ValueError:
            listed = None
        if isinstance(listed, list) and all(isinstance(word, str) for word in listed):
            return listed
    return one.rest.split()


def _is_remote(source: str) -> bool:
    return bool(_REMOTE.match(source))


def _context_path(source: str, parents: bool) -> str:
    """A source as a path inside the context: it cannot leave it, and "/x" means "x"."""
    if parents:
        # --parents knows ** and the pivot "/./"; the folder before the first wildcard holds all of it.
        fixed = re.split(r"[*?\[]", source, maxsplit=1)[0]
        source = source if fixed == source else fixed.rpartition("/")[0] or "."
    return posixpath.normpath("/" + source.lstrip("/")).lstrip("/") or "."


# The value of a variable that only the build knows.
UNKNOWN = None


_VARIABLE = re.compile(
    r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?:(?P<operator>:?[-+?])(?P<word>(?:[^{}]|\{[^{}]*\})*))?\})"
)


def split_words(text: str) -> list[str]:
    """Split at blanks outside quotes; quotes stay in the words."""
    return re.findall(r"(?:\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'|\S)+", text)


def split_assignments(text: str, bare: bool = False) -> list[tuple[str, str | None]]:
    """NAME=value pairs of ENV and ARG; ``bare`` allows names without value, else "NAME value" is one pair."""
    words = split_words(text)
    if not bare and words and "=" not in words[0]:
        name, _space, value = text.strip().partition(" ")
        return [(name, value.strip())]
    pairs: list[tuple[str, str | None]] = []
    for word in words:
        name, equals, value = word.partition("=")
        pairs.append((name, value if equals else None))
    return pairs


def expand(word: str | None, variables: Mapping[str, str | None]) -> str | None:
    """The word with variables replaced and quotes removed; UNKNOWN when it holds one that is not known."""
    if word is None:
        return ""
    result = ""
    place = 0
    quote = ""
    while place < len(word):
        sign = word[place]
        if quote != "'" and sign == "\\" and place + 1 < len(word):
            result += word[place + 1]
            place += 2
        elif sign in "\"'" and quote in ("", sign):
            quote = "" if quote else sign
            place += 1
        elif sign == "$" and quote != "'":
            value, place = _variable(word, place, variables)
            if value is None:
                return UNKNOWN
            result += value
        else:
            result += sign
            place += 1
    return result


def _variable(word: str, place: int, variables: Mapping[str, str | None]) -> tuple[str | None, int]:
    match = _VARIABLE.match(word, place)
    if match is None:
        # "${x#pattern}" and the like depend on a shell's rules; a lone dollar is just a sign.
        return (UNKNOWN, len(word)) if word.startswith("${", place) else ("$", place + 1)
    name = match.group("name") or match.group("braced")
    operator = match.group("operator") or ""
    if name not in variables or variables[name] is None:
        return UNKNOWN, match.end()
    value = variables[name] or ""
    is_set = bool(value) if operator.startswith(":") else True
    if operator.endswith("-") and not is_set:
        return expand(match.group("word"), variables), match.end()
    if operator.endswith("+"):
        return (expand(match.group("word"), variables) if is_set else ""), match.end()
    return value, match.end()
