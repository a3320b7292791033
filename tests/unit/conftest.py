"""Make ``ansible_collections.suho.platform`` importable from this checkout.

Ansible's own collection loader does it, as it does for playbooks: a plain ``sys.path`` entry would lose
against the ``ansible_collections`` package that the ansible distribution installs.
"""

from __future__ import annotations

import os
from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

PROJECT = Path(__file__).resolve().parents[2]

# What Ansible makes of a module stays from one run of a playbook to the next.
os.environ["ANSIBLE_CALLBACK_PLUGINS"] = str(PROJECT / "tests/plugins/callback")
os.environ["ANSIBLE_CALLBACKS_ENABLED"] = "kept_modules"

init_plugin_loader([str(PROJECT / "collections")])
