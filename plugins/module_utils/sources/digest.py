# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source digest: one value for everything that a build of a service reads.

It holds the Dockerfile's bytes, the files that its COPY, ADD and RUN --mount take from the context (under
.dockerignore), the build arguments that the Dockerfile declares, target, platforms and labels. Equal digests mean
that a build would see the same; so the digest can be a label of the image without making any build new.

The id of the base image is left out on purpose: it is a fact about this host's image store, not about the
sources. The builder may hold the base image only in a cache of its own, a pull for another project would make
every service stale, and a label that holds it would differ between two hosts that build the same commit. Whether
an image stands on the base image of today is seen from the layers themselves (:func:`base_is_current`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import PlatformError
from ..docker.engine import ImageInfo
from .context import BuildContext, ContextError, FileHasher
from .dockerfile import BuildInputs, DockerfileError, build_inputs
from .dockerignore import IgnoreRules

DIGEST_LABEL = "com.suho.source-digest"
# A label of another version says nothing: raise this when the rules of the digest change.
DIGEST_VERSION = "v1"

_REMOTE_CONTEXT = re.compile(
    r"^(?:https?://|git://|ssh://|git@|docker-image://|oci-layout://|target:|service:)"
)
_BUILDER_ARGS = ("BUILDKIT_", "SOURCE_DATE_EPOCH")


class SourceError(PlatformError):
    """What the build reads is unknown."""


@dataclass(frozen=True)
class BuildSpec:
    """The build section of a service, resolved by compose."""

    context: str
    dockerfile: str = "Dockerfile"
    inline: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    contexts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_remote(self) -> bool:
        return is_remote_context(self.context)

    @property
    def dockerfile_path(self) -> str:
        return os.path.join(self.context, self.dockerfile)


@dataclass(frozen=True)
class SourceState:
    """What a build reads, and its digest. ``patterns`` are relative to the context."""

    digest: str
    context: str
    patterns: tuple[str, ...]
    inputs: BuildInputs
    rules: IgnoreRules
    dockerfile: str
    files: int = 0
    missing: tuple[str, ...] = ()

    def reads(self, path: str) -> bool:
        """True if an absolute path is something that the build reads."""
        if path == self.dockerfile:
            return True
        relative = os.path.relpath(path, self.context)
        inside = not relative.startswith("..")
        return inside and BuildContext(self.context, self.rules).covers(self.patterns, relative)


def is_remote_context(context: str) -> bool:
    return bool(_REMOTE_CONTEXT.match(context))


def build_spec(service: Mapping[str, Any]) -> BuildSpec | None:
    """The build section of a service as ``docker compose config`` prints it; None without one."""
    build = service.get("build")
    if not build:
        return None
    return BuildSpec(
        context=str(build.get("context") or "."),
        dockerfile=str(build.get("dockerfile") or "Dockerfile"),
        inline=build.get("dockerfile_inline"),
        args=build.get("args") or {},
        target=str(build.get("target") or ""),
        labels=build.get("labels") or {},
        platforms=tuple(build.get("platforms") or ()),
        contexts=build.get("additional_contexts") or {},
    )


def read_sources(spec: BuildSpec, hasher: FileHasher | None = None) -> SourceState:
    """Read everything that the build would read and compute its digest."""
    if spec.is_remote:
        raise SourceError(f"the build context {spec.context} is not a folder of this host")
    if not os.path.isdir(spec.context):
        raise SourceError(f"build context {spec.context}: no such folder")
    hasher = hasher or FileHasher()
    content = _dockerfile_content(spec)
    try:
        inputs = build_inputs(content.decode("utf-8", "replace"), spec.args, spec.target, spec.contexts)
        rules = _ignore_rules(spec.context, spec.dockerfile_path if spec.inline is None else "")
        lines, files, missing = _context_lines(spec, inputs, rules, hasher)
    except (ContextError, DockerfileError) as error:
        place = "" if isinstance(error, ContextError) else f"{spec.dockerfile_path}: "
        raise SourceError(f"{place}{error}") from error
    head = {
        "version": DIGEST_VERSION,
        "dockerfile": hashlib.sha256(content).hexdigest(),
        "target": spec.target,
        "platforms": sorted(spec.platforms),
        "labels": {name: value for name, value in spec.labels.items() if name != DIGEST_LABEL},
        "args": {
            name: value
            for name, value in spec.args.items()
            if name in inputs.declared_args or name.startswith(_BUILDER_ARGS)
        },
        "contexts": {name: value for name, value in spec.contexts.items() if is_remote_context(value)},
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode("utf-8"))
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    patterns = tuple(source.pattern for source in inputs.sources if not source.context)
    path = os.path.realpath(spec.dockerfile_path) if spec.inline is None else ""
    root = os.path.realpath(spec.context)
    value = f"{DIGEST_VERSION}:{digest.hexdigest()}"
    return SourceState(value, root, patterns, inputs, rules, path, files, tuple(missing))


def base_is_current(image: ImageInfo, base: ImageInfo | None) -> bool | None:
    """Whether an image stands on the layers that its base image has now; None when that is unknown."""
    if base is None or not base.layers or not image.layers:
        return None
    return image.layers[: len(base.layers)] == base.layers


def _dockerfile_content(spec: BuildSpec) -> bytes:
    if spec.inline is not None:
        return spec.inline.encode("utf-8")
    try:
        with open(spec.dockerfile_path, "rb") as handle:
            return handle.read()
    except OSError as error:
        raise SourceError(f"Dockerfile {spec.dockerfile_path}: {error.strerror}") from error


def _ignore_rules(context: str, dockerfile: str) -> IgnoreRules:
    """<Dockerfile>.dockerignore if there is one, else the context's .dockerignore."""
    for path in ([f"{dockerfile}.dockerignore"] if dockerfile else []) + [
        os.path.join(context, ".dockerignore")
    ]:
        try:
            with open(path, encoding="utf-8", errors="replace", newline="") as handle:
                return IgnoreRules(handle.read())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ContextError(f"{path}: cannot be read: {error.strerror}") from error
    return IgnoreRules()


def _context_lines(
    spec: BuildSpec, inputs: BuildInputs, rules: IgnoreRules, hasher: FileHasher
) -> tuple[list[str], int, list[str]]:
    lines: list[str] = []
    files = 0
    absent: list[str] = []
    for name in sorted({source.context for source in inputs.sources}):
        root = spec.contexts[name] if name else spec.context
        if is_remote_context(root):
            continue
        own_rules = _ignore_rules(root, "") if name else rules
        patterns = [source.pattern for source in inputs.sources if source.context == name]
        entries, missing = BuildContext(root, own_rules, hasher).select(patterns)
        lines += [f"context\0{name}", *(entry.line() for entry in entries.values())]
        lines += [f"missing\0{pattern}" for pattern in missing]
        files += sum(entry.kind != "folder" for entry in entries.values())
        absent += missing
    return lines, files, absent
