# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's page, made as the role makes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.suho.platform.plugins.filter.report import FilterModule
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FILTERS = FilterModule().filters()
ROLE = Path(__file__).resolve().parents[2] / "roles" / "report"
TEMPLATE = "report.html.j2"


def render(data: dict[str, Any]) -> str:
    environment = Environment(  # as Ansible does it: without autoescaping, with trimmed blocks
        loader=FileSystemLoader(str(ROLE / "templates")), undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(TEMPLATE).render(__report_page=FILTERS["report_page"](data))
