# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that edit a Compose file have in common: their options, the judge, the write, and their body."""

from __future__ import annotations

import hashlib
import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ...common.errors import PlatformError
from ...common.files import TextFile, encoded, replace_text_file
from ...docker.engine import Engine
from ...releases.journal import ChangeJournal, journal_option
from ..config import ComposeError, text_judge
from ..options import project_from, project_options
from .change import ChangeError, Judge
from .document import EditError
from .yaml_tree import HAS_RUAMEL, RUAMEL_IMPORT_ERROR


def edit_options() -> dict[str, Any]:
    """The argument_spec that belongs to the documentation fragments compose_edit, compose_project and journal of suho.platform."""
    return {
        "path": {"type": "path", "required": True},
        **project_options(required=False),
        "timeout": {"type": "float", "default": 60},
        **journal_option(),
    }


def judge_from(params: Mapping[str, Any]) -> Judge:
    """Return what has Compose resolve a candidate of the file that the options name."""
    engine = Engine(timeout=params["timeout"])
    return text_judge(engine, os.path.abspath(params["path"]), *project_from(params))


def write_text(module: AnsibleModule, original: TextFile, text: str, undo: str) -> dict[str, Any]:
    """Write a new text outside check mode, journaled with ``undo`` (what rolls it back, for people).

    Returns the part of the answer that these modules share: changed, path, sha256_after and diff. Raises FileError, ReleaseError.
    """
    content = encoded(original, text)
    changed = hashlib.sha256(content).hexdigest() != original.sha256
    if changed and not module.check_mode:
        with ChangeJournal(module.params["journal"], "compose").change(original.path, undo):
            replace_text_file(original, text)
    return {
        "changed": changed,
        "path": original.path,
        "sha256_after": hashlib.sha256(content).hexdigest(),
        "diff": {
            "before_header": original.path,
            "after_header": original.path,
            "before": original.text,
            "after": text,
        },
    }


def run_edit(module: AnsibleModule, edit: Callable[[AnsibleModule], Mapping[str, Any]]) -> None:
    """End the module with what ``edit`` answers, or with one sentence that says why there is none."""
    if not HAS_RUAMEL:
        module.fail_json(msg=missing_required_lib("ruamel.yaml"), exception=RUAMEL_IMPORT_ERROR)
    path = module.params["path"]
    try:
        answer = edit(module)
    except (ChangeError, ComposeError, EditError) as error:
        module.fail_json(msg=f"{path}: {error}")
    except PlatformError as error:
        module.fail_json(msg=str(error))
    except Exception as error:  # a user gets a sentence; the details are in the exception field with -vvv
        module.fail_json(
            msg=f"{path}: unexpected {type(error).__name__}: {error}", exception=traceback.format_exc()
        )
    module.exit_json(**answer)
