"""The source digest changes with what the build sees, and with nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import ImageInfo
from ansible_collections.suho.platform.plugins.module_utils.sources.context import BuildContext, ContextError
from ansible_collections.suho.platform.plugins.module_utils.sources.digest import (
    BuildSpec,
    SourceError,
    base_is_current,
    build_spec,
    read_sources,
)
from ansible_collections.suho.platform.plugins.module_utils.sources.dockerignore import IgnoreRules

DOCKERFILE = """\
FROM python:3.13
ARG VERSION=1
COPY app/requirements*.txt /app/
COPY app/src /app/src
COPY shared/lib.py tool.sh /app/
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "backend"
    for name in ("app/src/pkg", "app/docs", "shared", "other"):
        (root / name).mkdir(parents=True)
    files = {
        "app/Dockerfile": DOCKERFILE,
        "app/requirements.txt": "nats-py\n",
        "app/src/main.py": "print(1)\n",
        "app/src/pkg/a.py": "a = 1\n",
        "app/docs/README.md": "docs\n",
        "shared/lib.py": "lib = 1\n",
        "shared/unused.py": "x = 1\n",
        "other/service.py": "y = 1\n",
        "tool.sh": "#!/bin/sh\n",
    }
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def spec(root: Path) -> BuildSpec:
    return BuildSpec(str(root), "app/Dockerfile")


def digest(root: Path, **changes: object) -> str:
    return read_sources(replace(spec(root), **changes)).digest  # type: ignore[arg-type]


def write(name: str, text: str = "changed\n") -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return change


def link(name: str, target: str) -> Callable[[Path], None]:
    return lambda root: (root / name).symlink_to(target)


SEEN = {
    "a byte of a copied file": write("app/src/main.py", "print(2)\n"),
    "a byte deep in a copied folder": write("app/src/pkg/a.py"),
    "a file that a wildcard matches": write("app/requirements-dev.txt"),
    "a file named by itself": write("shared/lib.py"),
    "a new file in a copied folder": write("app/src/new.py", ""),
    "an empty folder in a copied folder": lambda root: (root / "app/src/empty").mkdir(),
    "a removed file": lambda root: (root / "app/src/pkg/a.py").unlink(),
    "a renamed file": lambda root: (root / "app/src/main.py").rename(root / "app/src/start.py"),
    "the executable bit": lambda root: (root / "tool.sh").chmod(0o755),
    "a link in a copied folder": link("app/src/link", "main.py"),
    "a byte of the Dockerfile": write("app/Dockerfile", DOCKERFILE + "# comment\n"),
    "a rule that leaves a copied file out": write(".dockerignore", "**/a.py\n"),
}
UNSEEN = {
    "a file that no COPY names": write("shared/unused.py"),
    "another service": write("other/service.py"),
    "documents beside the Dockerfile": write("app/docs/README.md"),
    "a new file beside the copied ones": write("app/notes.txt"),
    "the time of a copied file": lambda root: os.utime(root / "app/src/main.py", (1, 1)),
    "mode bits that differ between checkouts": lambda root: (root / "app/src/main.py").chmod(0o664),
    "a rule about files that no COPY names": write(".dockerignore", "other\n"),
    "git's own folder": write(".git/HEAD"),
}


@pytest.mark.parametrize("change", SEEN.values(), ids=SEEN.keys())
def test_what_the_build_sees_changes_the_digest(context: Path, change: Callable[[Path], None]) -> None:
    before = digest(context)
    change(context)
    assert digest(context) != before


@pytest.mark.parametrize("change", UNSEEN.values(), ids=UNSEEN.keys())
def test_what_the_build_does_not_see_leaves_the_digest(context: Path, change: Callable[[Path], None]) -> None:
    before = digest(context)
    change(context)
    assert digest(context) == before


def test_change_and_back_gives_the_same_digest_elsewhere_too(context: Path, tmp_path: Path) -> None:
    before = digest(context)
    write("app/src/main.py", "print(2)\n")(context)
    write("app/src/main.py", "print(1)\n")(context)
    assert digest(context) == before
    moved = tmp_path / "elsewhere"
    context.rename(moved)
    assert digest(moved) == before


def test_whole_context_without_git_and_what_is_ignored(context: Path) -> None:
    write("Dockerfile", "FROM x\nCOPY . /\n")(context)
    write(".dockerignore", "*.log\n")(context)
    whole = BuildSpec(str(context))
    before = read_sources(whole)
    write("debug.log")(context)
    write(".git/objects/aa")(context)
    assert read_sources(whole).digest == before.digest
    write("anything")(context)
    assert read_sources(whole).digest != before.digest


def test_ignore_file_of_the_dockerfile_wins(context: Path) -> None:
    before = digest(context)
    write(".dockerignore", "app/src/pkg\n")(context)
    assert digest(context) != before
    write("app/Dockerfile.dockerignore", "nothing\n")(context)
    assert digest(context) == before


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"args": {"VERSION": "2"}}, True),
        ({"args": {"NOT_DECLARED": "2"}}, False),
        ({"args": {"SOURCE_DATE_EPOCH": "0"}}, True),
        ({"labels": {"a": "b"}}, True),
        ({"labels": {"com.suho.source-digest": "v1:x"}}, False),
        ({"platforms": ("linux/arm64",)}, True),
        ({"target": "0"}, True),
        ({"contexts": {"more": "https://example.org/x.git"}}, True),
    ],
)
def test_settings_of_the_build(context: Path, changes: dict[str, object], seen: bool) -> None:
    assert (digest(context, **changes) != digest(context)) == seen


def test_a_link_named_by_copy_is_followed(context: Path) -> None:
    link("current", "shared")(context)
    write("Dockerfile", "FROM x\nCOPY current /\n")(context)
    before = read_sources(BuildSpec(str(context)))
    write("shared/unused.py", "now used\n")(context)
    after = read_sources(BuildSpec(str(context)))
    assert after.digest != before.digest
    (context / "current").unlink()
    link("current", "../../outside")(context)
    assert read_sources(BuildSpec(str(context))).files == 1


def test_another_context_is_read_where_it_lies(context: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "x.py").write_text("1")
    write("Dockerfile", "FROM x\nCOPY --from=library x.py /\n")(context)
    with_library = BuildSpec(str(context), contexts={"library": str(library)})
    before = read_sources(with_library).digest
    (library / "other.py").write_text("1")
    assert read_sources(with_library).digest == before
    (library / "x.py").write_text("2")
    assert read_sources(with_library).digest != before


def test_inline_dockerfile(context: Path) -> None:
    inline = BuildSpec(str(context), inline="FROM x\nCOPY tool.sh /\n")
    before = read_sources(inline).digest
    assert read_sources(replace(inline, inline="FROM x\nCOPY tool.sh /x\n")).digest != before
    write("tool.sh")(context)
    assert read_sources(inline).digest != before


@pytest.mark.parametrize(
    ("copied", "missing"),
    [
        ("nowhere", ["nowhere"]),
        ("gone/*.txt", ["gone/*.txt"]),
        ("app/*.none", []),
        ("app ignored", ["ignored"]),
    ],
)
def test_sources_that_would_fail_the_build_are_named(context: Path, copied: str, missing: list[str]) -> None:
    write("ignored")(context)
    write(".dockerignore", "ignored\n")(context)
    write("Dockerfile", f"FROM x\nCOPY {copied} /x/\n")(context)
    assert list(read_sources(BuildSpec(str(context))).missing) == missing


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda root: spec(root / "gone"), "build context .*/gone: no such folder"),
        (lambda root: replace(spec(root), dockerfile="app/Nope"), "Dockerfile .*app/Nope: No such file"),
        (lambda root: BuildSpec("https://example.org/x.git"), "not a folder of this host"),
        (lambda root: BuildSpec(str(root), inline="COPY a /"), "expected FROM before COPY"),
        (lambda root: replace(spec(root), target="nope"), "no stage nope"),
        (lambda root: BuildSpec(str(root / "tool.sh"), inline="FROM a\nCOPY a /"), "build context .*tool.sh"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_what(
    context: Path, made: Callable[[Path], BuildSpec], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        read_sources(made(context))


def test_reads_knows_paths_that_do_not_exist_any_more(context: Path) -> None:
    state = read_sources(spec(context))
    for path, expected in {
        "app/Dockerfile": True,
        "app/src/gone.py": True,
        "app/requirements-gone.txt": True,
        "app/docs/README.md": False,
        "shared/unused.py": False,
        "../outside": False,
    }.items():
        assert state.reads(str(context / path)) == expected, path


def test_context_selection_is_sorted_and_knows_kinds(context: Path) -> None:
    link("app/src/link", "main.py")(context)
    entries, missing = BuildContext(str(context)).select(["app/src", "tool.sh"])
    assert [(entry.path, entry.kind) for entry in entries.values()] == [
        ("app/src", "folder"),
        ("app/src/link", "link"),
        ("app/src/main.py", "file"),
        ("app/src/pkg", "folder"),
        ("app/src/pkg/a.py", "file"),
        ("tool.sh", "file"),
    ]
    assert missing == []


def test_a_folder_that_is_left_out_comes_back_with_an_exception(context: Path) -> None:
    rules = IgnoreRules("app\n!app/src/pkg/a.py")
    entries, _missing = BuildContext(str(context), rules).select(["app"])
    assert list(entries) == ["app", "app/src", "app/src/pkg", "app/src/pkg/a.py"]


def test_missing_context_folder(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match="no such folder"):
        BuildContext(str(tmp_path / "gone")).select(["."])


def test_large_files_are_read_to_their_end(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (3 << 20))
    write("Dockerfile", "FROM x\nCOPY big /\n")(tmp_path)
    before = read_sources(BuildSpec(str(tmp_path))).digest
    with (tmp_path / "big").open("r+b") as handle:
        handle.seek((3 << 20) - 1)
        handle.write(b"y")
    assert read_sources(BuildSpec(str(tmp_path))).digest != before


def test_build_section_as_compose_prints_it() -> None:
    assert build_spec({"image": "x"}) is None
    found = build_spec({"build": {"context": "/a", "dockerfile": "D", "args": {"A": None}, "target": "t"}})
    assert found == BuildSpec("/a", "D", args={"A": None}, target="t")
    assert build_spec({"build": {"context": "/a"}}) == BuildSpec("/a")


def test_base_image_is_compared_by_layers() -> None:
    image = ImageInfo("i", "", layers=("l1", "l2", "l3"))
    assert base_is_current(image, ImageInfo("b", "", layers=("l1", "l2"))) is True
    assert base_is_current(image, ImageInfo("b", "", layers=("l1", "new"))) is False
    assert base_is_current(image, None) is None
