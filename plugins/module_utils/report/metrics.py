# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to, as metrics in Prometheus' text format, for the textfile collector of node_exporter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..checks.result import ORDER
from ..common.text import MissingLibrary
from ..common.times import seconds_of, unix_seconds
from .page import counts, final_verdict

_prometheus: Any
try:
    import prometheus_client

    _prometheus = prometheus_client
except ImportError:  # only where the metrics are not asked for
    _prometheus = None

PREFIX = "suho_platform"


def run_metrics(data: Mapping[str, Any]) -> str:
    """Return the metrics of one run from the data of its report.

    Every sample has the labels ``environment`` and ``operation``. What a run did not measure has no sample: nothing is zero because it is
    not known. Raises ReportError for data that no report could be made of, MissingLibrary where prometheus_client is not installed.
    """
    if _prometheus is None:
        raise MissingLibrary(
            "the Python library 'prometheus_client' is not installed on the controller: pip install prometheus-client"
        )
    verdict, _reason = final_verdict(dict(data))
    meta = data["meta"]
    of = {"environment": str(meta["environment"]), "operation": str(meta["operation"])}
    page = _Page(of)
    page.add("run_verdict", "Whether the last run ended with this verdict.", ["verdict"], _one_of(verdict))
    page.add(
        "run_finished_timestamp_seconds",
        "When the last run ended.",
        [],
        [((), unix_seconds(meta.get("finished")))],
    )
    page.add("run_duration_seconds", "How long the last run took.", [], [((), seconds_of(dict(meta)))])
    page.add(
        "run_info",
        "The release and the revision of the backend that the last run was about.",
        ["release", "revision"],
        [((str(meta["release_id"]), str(meta.get("backend_revision") or "unknown")), 1)],
    )
    results = data.get("assertions") or []
    page.add(
        "run_checks",
        "Checks of the last run by their verdict.",
        ["verdict"],
        [((word,), number) for word, number in counts(results).items()],
    )
    page.add(
        "service_downtime_seconds",
        "How long a service was away when the last run recreated it.",
        ["service"],
        [((str(row.get("service")),), seconds_of(row)) for row in data.get("downtime") or []],
    )
    page.add(
        "monitoring_rounds", "Rounds of the last monitoring run by their verdict.", ["verdict"], _rounds(data)
    )
    page.add("consumer_pending_messages", "Messages that wait for a consumer.", ["check"], _pending(results))
    page.add(
        "rows_per_second",
        "New rows of a table or of one of its groups, over the time that the check looks back.",
        ["check", "group"],
        _rates(results),
    )
    return page.text()


Samples = Iterable["tuple[tuple[str, ...], float | None]"]


class _Page:
    """The metrics so far."""

    def __init__(self, of: Mapping[str, str]) -> None:
        self._of = dict(of)
        self._registry = _prometheus.CollectorRegistry()

    def add(self, name: str, text: str, labels: list[str], samples: Samples) -> None:
        known = [(values, number) for values, number in samples if number is not None]
        if not known:
            return
        gauge = _prometheus.Gauge(f"{PREFIX}_{name}", text, [*self._of, *labels], registry=self._registry)
        for values, number in known:
            gauge.labels(*self._of.values(), *values).set(number)

    def text(self) -> str:
        return str(_prometheus.generate_latest(self._registry).decode())


def _one_of(verdict: str) -> Samples:
    words = ORDER if verdict in ORDER else (*ORDER, verdict)
    return [((word,), int(word == verdict)) for word in words]


def _rounds(data: Mapping[str, Any]) -> Samples:
    rounds = (data.get("monitoring") or {}).get("rounds") or []
    found = counts(rounds) if rounds else {}
    return [((word,), number) for word, number in found.items()]


def _pending(results: Iterable[Mapping[str, Any]]) -> Samples:
    """The last look of each; a monitoring run has looked several times."""
    found: dict[str, float] = {}
    for one in results:
        details = one.get("details")
        if one.get("kind") == "jetstream" and isinstance(details, Mapping) and "pending" in details:
            found[str(one["name"])] = float(details["pending"])
    return [((name,), number) for name, number in found.items()]


def _rates(results: Iterable[Mapping[str, Any]]) -> Samples:
    found: dict[tuple[str, ...], float] = {}
    for one in results:
        observed = one.get("observed")
        if (
            isinstance(observed, Mapping)
            and isinstance(observed.get("rows_of"), Mapping)
            and observed.get("seconds")
        ):
            for group, rows in observed["rows_of"].items():
                found[str(one["name"]), str(group)] = float(rows) / float(observed["seconds"])
    return list(found.items())
