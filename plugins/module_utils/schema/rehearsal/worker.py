# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that the embedded engine lives in.

Reads one JSON request per line from standard input and writes one JSON answer per line to standard output,
until the input ends. Started by process.py; holds no login data and opens no connection.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

from ..model import SchemaError
from .engine import EmbeddedEngine, EmbeddedEngineError
from .rehearse import answer


def serve(scratch: str) -> None:
    # Whatever the engine prints must not get between the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    engine: EmbeddedEngine | None = None
    for line in sys.stdin:
        result: dict[str, Any]
        try:
            if engine is None:
                engine = EmbeddedEngine(os.path.join(scratch, "engine"))
            result = {"ok": True, **answer(engine, json.loads(line))}
        except SchemaError as error:
            result = {"ok": False, "error": str(error), "details": error.details}
        except EmbeddedEngineError as error:
            result = {"ok": False, "error": f"the embedded engine failed with {error}", "details": {}}
        except Exception as error:
            # A defect here must reach the user as a sentence, not as a traceback of another process.
            text = f"the planner failed with {type(error).__name__}: {error}"
            result = {"ok": False, "error": text, "details": {}}
        out.write(json.dumps(result) + "\n")
        out.flush()
    # The one who asked is gone without ending this process, so nobody else is going to clean up.
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    serve(sys.argv[1])
