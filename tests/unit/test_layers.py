"""The floors of plugins/module_utils: imports go down or stay in their own package, never up and in no circle."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
UTILS = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.suho.platform.plugins.module_utils."

# From the ground up; see ARCHITECTURE.md. Packages of one floor do not import each other.
FLOORS = [
    {"common"},
    {"clickhouse"},
    {"releases", "docker"},
    {"compose", "sources", "schema"},
    {"preflight", "audit", "checks"},
    {"report", "monitor"},
]
# Ansible asks for these names.
GIVEN = {"FilterModule", "ModuleDocFragment"}
FLOOR = {package: number for number, floor in enumerate(FLOORS) for package in floor}


def modules() -> dict[str, Path]:
    """Dotted name below module_utils to its file, for every module."""
    return {
        ".".join(path.relative_to(UTILS).with_suffix("").parts): path
        for path in sorted(UTILS.rglob("*.py"))
        if path.name != "__init__.py"
    }


def imported(name: str, source: str, known: set[str]) -> Iterator[str]:
    """The modules below module_utils that the module *name* imports."""
    here = name.split(".")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            full = [alias.name for alias in node.names]
            targets = [one[len(PACKAGE) :] for one in full if one.startswith(PACKAGE)]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            start = [*base, *(node.module or "").split(".")] if node.module else base
            targets = [".".join([*start, alias.name]) for alias in node.names] + [".".join(start)]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE.rstrip(".")):
            start_text = (node.module or "")[len(PACKAGE) :]
            targets = [f"{start_text}.{alias.name}".strip(".") for alias in node.names] + [start_text]
        else:
            continue
        found = [target for target in targets if target in known]
        yield from found


def arrows() -> dict[str, set[str]]:
    """Each module with the modules that it imports."""
    known = modules()
    return {
        name: set(imported(name, path.read_text(encoding="utf-8"), set(known)))
        for name, path in known.items()
    }


def upward(found: dict[str, set[str]]) -> list[str]:
    """The imports that go up, or sideways to another package of the same floor."""
    return [
        f"{name} imports {target}"
        for name, targets in sorted(found.items())
        for target in sorted(targets)
        if name.split(".")[0] != target.split(".")[0]
        and FLOOR[target.split(".")[0]] >= FLOOR[name.split(".")[0]]
    ]


def circles(found: dict[str, set[str]]) -> list[str]:
    """Circles of imports, each as a path that ends where it began."""
    result: list[str] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            result.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in done:
            for target in sorted(found[name]):
                visit(target, [*path, name])
            done.add(name)

    for name in sorted(found):
        visit(name, [])
    return result


def classes(files: dict[str, str]) -> list[str]:
    """Class names that more than one file defines, with the files. Private names count, too."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, source in files.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(name)
    return [
        f"{name}: {', '.join(found)}"
        for name, found in sorted(places.items())
        if len(found) > 1 and name not in GIVEN
    ]


def plugin_sources() -> dict[str, str]:
    return {
        str(path.relative_to(PLUGINS)): path.read_text(encoding="utf-8")
        for path in sorted(PLUGINS.rglob("*.py"))
    }


def test_every_package_stands_on_a_floor() -> None:
    packages = {path.name for path in UTILS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == set(FLOOR)
    assert sorted(path.name for path in UTILS.glob("*.py")) == ["__init__.py"]


def test_every_package_has_an_empty_init() -> None:
    for folder in {path.parent for path in UTILS.rglob("*.py")}:
        assert (folder / "__init__.py").read_bytes() == b"", folder


def test_the_imports_are_seen() -> None:
    found = arrows()
    assert "docker.engine" in found["audit.collect"]
    assert "schema.model" in found["schema.plan.plan"]


def test_no_import_goes_up() -> None:
    assert upward(arrows()) == []


def test_no_circle() -> None:
    assert circles(arrows()) == []


def test_no_class_name_is_defined_twice() -> None:
    assert classes(plugin_sources()) == []


def test_no_file_is_a_corridor() -> None:
    lengths = {name: source.count("\n") for name, source in plugin_sources().items()}
    assert {name: lines for name, lines in lengths.items() if lines > 450} == {}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"common.files": {"docker.engine"}, "docker.engine": set()}, "common.files imports docker.engine"),
        (
            {"schema.model": {"compose.config"}, "compose.config": set()},
            "schema.model imports compose.config",
        ),
    ],
)
def test_an_import_up_or_sideways_is_told(found: dict[str, set[str]], said: str) -> None:
    assert upward(found) == [said]


def test_a_circle_is_told() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]


def test_a_class_defined_twice_is_told() -> None:
    assert classes({"one": "class A: pass", "two": "class A: pass\nclass B: pass"}) == ["A: one, two"]


@pytest.mark.parametrize(
    "line",
    [
        "from ..docker.engine import Engine",
        "from ..docker import engine",
        "from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Engine",
        "from ansible_collections.suho.platform.plugins.module_utils.docker import engine",
        "import ansible_collections.suho.platform.plugins.module_utils.docker.engine",
    ],
)
def test_every_form_of_an_import_is_read(line: str) -> None:
    assert set(imported("audit.collect", line, {"docker.engine", "audit.collect"})) == {"docker.engine"}
