"""Make ``ansible_collections.suho.platform`` importable from this checkout.

Ansible's own collection loader does it, as it does for playbooks: a plain ``sys.path`` entry would lose
against the ``ansible_collections`` package that the ansible distribution installs.
"""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

PROJECT = Path(__file__).resolve().parents[2]

init_plugin_loader([str(PROJECT / "collections")])
