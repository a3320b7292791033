# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit as plain data, with nothing in it that must stay secret."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..common.secrets import is_secret_name, mask_text
from ..common.times import utc_text
from ..sources.digest import DIGEST_LABEL
from .collect import ServiceInspector, ServiceSight
from .judge import ServiceFacts, judge, table_row


def audit_report(inspector: ServiceInspector) -> dict[str, Any]:
    """Look at the services and give everything that the audit knows of them."""
    services: dict[str, Any] = {}
    rows = []
    for sight in inspector.look():
        verdict = judge(sight.facts)
        services[sight.facts.name] = {
            "verdict": verdict.verdict,
            "action": verdict.action,
            "reasons": [
                {"code": one.code, "text": one.text, "verdict": one.verdict} for one in verdict.reasons
            ],
            **_service(sight),
        }
        rows.append(table_row(sight.facts, verdict))
    counts = Counter(one["verdict"] for one in services.values())
    return {
        "project_name": inspector.project_name,
        "services": services,
        "rows": rows,
        "reasons": {
            name: [reason["text"] for reason in found["reasons"]]
            for name, found in services.items()
            if found["verdict"] != "ok"
        },
        "totals": {**counts, "services": len(services)},
        "unset_variables": inspector.config.unset_variables,
        "warnings_of_compose": [mask_text(text) for text in inspector.config.warnings],
    }


def _service(sight: ServiceSight) -> dict[str, Any]:
    facts = sight.facts
    return {
        "in_compose": facts.in_compose,
        "built_locally": facts.built_locally,
        "one_shot": facts.one_shot,
        "image": _image(facts),
        "container": _container(facts),
        "containers": len(facts.containers),
        "code": _code(facts),
        "source_digest": facts.source_digest or "",
        "build": _build(sight),
    }


def _image(facts: ServiceFacts) -> dict[str, Any]:
    if facts.image is None:
        return {"ref": facts.image_ref}
    return {
        "ref": facts.image_ref,
        "id": facts.image.id,
        "created": facts.image.created,
        "size": facts.image.size,
        "source_digest": facts.image.labels.get(DIGEST_LABEL, ""),
    }


def _container(facts: ServiceFacts) -> dict[str, Any]:
    if not facts.containers:
        return {}
    first = facts.containers[0]
    names = (
        "name",
        "id",
        "image_id",
        "state",
        "exit_code",
        "health",
        "started_at",
        "restart_count",
        "config_hash",
    )
    return {name: getattr(first, name) for name in names}


def _code(facts: ServiceFacts) -> dict[str, Any]:
    if facts.code is None:
        return {}
    return {
        "modified": utc_text(facts.code.time),
        "commit": facts.code.commit,
        "subject": facts.code.subject,
        "dirty_paths": list(facts.code.dirty_paths),
        "commits_since_image": facts.code.commits_since_image,
    }


def _is_secret(name: str, value: str | None) -> bool:
    """By its name, or because the value holds credentials, as the URL of a package index may."""
    return is_secret_name(name) or mask_text(value or "") != (value or "")


def _build(sight: ServiceSight) -> dict[str, Any]:
    spec, sources = sight.spec, sight.sources
    if spec is None:
        return {}
    hidden = sorted(name for name, value in spec.args.items() if _is_secret(name, value))
    labels = dict(spec.labels)
    if sight.facts.source_digest:
        labels[DIGEST_LABEL] = sight.facts.source_digest
    return {
        "context": spec.context,
        "dockerfile": spec.dockerfile,
        "args": {name: value for name, value in spec.args.items() if name not in hidden},
        "hidden_args": hidden,
        "target": spec.target,
        "tag": sight.facts.image_ref,
        "labels": labels,
        "base_images": list(sources.inputs.base_images) if sources is not None else [],
        "files": sources.files if sources is not None else 0,
    }
