""".dockerignore by the builder's rules. The expectations were taken from real builds."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.sources.dockerignore import IgnoreRules


@pytest.mark.parametrize(
    ("rules", "left_out", "kept"),
    [
        ("node_modules", ["node_modules", "node_modules/a/b"], ["a/node_modules", "node_modules2"]),
        ("**/node_modules", ["node_modules", "a/node_modules/x", "a/b/node_modules"], ["a/my_node_modules"]),
        ("*.md", ["README.md"], ["docs/README.md", "README.mdx"]),
        ("**/*.md", ["README.md", "docs/a/README.md"], ["md"]),
        ("*.md\n!README.md", ["CHANGES.md"], ["README.md"]),
        ("!README.md\n*.md", ["README.md"], []),
        ("docs\n!docs/keep", ["docs/a", "docs"], ["docs/keep", "docs/keep/x"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["docs", "docs2/a"]),
        ("/docs/", ["docs", "docs/a"], ["a/docs"]),
        ("./a/../b", ["b"], ["a"]),
        ("a?", ["ab", "ax/y"], ["a", "abc", "a/b"]),
        ("[ab].txt", ["a.txt"], ["c.txt"]),
        ("[^ab].txt", ["c.txt"], ["a.txt"]),
        ("a*/b", ["a/b", "axx/b/c"], ["b/b", "a/x/b"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b/c"], ["b", "xa/b"]),
        ("**", ["a", "a/b"], []),
        ("**\n!app", ["a", "b/c"], ["app", "app/x"]),
        ("# comment\n\n  spaced  ", ["spaced"], ["# comment"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("file.txt", ["file.txt"], ["fileXtxt"]),
        ("**.pyc", ["a.pyc", "x/b.pyc"], ["a.py"]),
        (".", [], ["a", "b/c"]),
        ("a\r\nb\r\n", ["a", "b"], ["c"]),
        ("\ufeffa", ["a"], ["b"]),
        ("a[b", ["a[b"], ["ab"]),
        ("", [], ["a"]),
    ],
)
def test_rules(rules: str, left_out: list[str], kept: list[str]) -> None:
    found = IgnoreRules(rules)
    assert [path for path in left_out if not found.leaves_out(path)] == []
    assert [path for path in kept if found.leaves_out(path)] == []


def test_a_folder_is_only_skipped_if_no_exception_could_look_into_it() -> None:
    assert IgnoreRules("docs").may_skip_folder("docs")
    assert not IgnoreRules("docs\n!docs/keep").may_skip_folder("docs")
