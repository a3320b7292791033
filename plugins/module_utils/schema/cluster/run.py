# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One schema on all hosts of a cluster: each is asked by itself, before and after, and its own word counts.

Where all hosts lack the same, the statements go out once, ON CLUSTER. Where they differ, or where rows have to be moved, each host gets its own
plan on a connection of its own: what a host has is its own matter, and its quarantine, too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..model import Refusal, SchemaError
from ..operations.tables import CreateDatabase
from ..steps import Restorable, SchemaPlan, Step

IN_SYNC, DIFFERS, UNREACHABLE = "in sync", "differs", "unreachable"
_PAUSE = 1.0
_OF_ALL = (
    "The path in the coordination service holds the table's id, so a table made here would be no replica of theirs. "
    "Make it on that host by hand with the id that system.tables of another host shows (CREATE TABLE ... UUID '<id>' ...), "
    "or name a path without {uuid} in the file"
)

# call(operation, **arguments) runs the module; plan(live, cluster, deny) asks the planner; restorable(live, plan) what to bring back.
Call = Callable[..., dict[str, Any]]
Planner = Callable[[Mapping[str, Any], str, Mapping[str, str]], SchemaPlan]
FindRestorable = Callable[[Mapping[str, Any], SchemaPlan], list[Restorable]]


@dataclass
class Host:
    """One host with what it has and what it lacks."""

    host: str
    port: int
    live: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    plan: SchemaPlan = field(default_factory=lambda: SchemaPlan(""))

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def login(self) -> dict[str, Any]:
        return {"login_host": self.host, "login_port": self.port}

    @property
    def state(self) -> str:
        if self.error:
            return UNREACHABLE
        return DIFFERS if self.plan.changes or self.plan.refused else IN_SYNC

    @property
    def signature(self) -> tuple[Any, ...]:
        """Equal for hosts to which the same statements do the same."""
        steps = tuple((step.name, step.statement) for step in self.plan.steps)
        return steps, tuple(item.name for item in self.plan.refused)

    @property
    def moves_rows(self) -> bool:
        return bool(self.plan.restored) or any(step.operation.moves_rows for step in self.plan.steps)

    def shown(self) -> dict[str, Any]:
        steps = [step.reason for step in self.plan.steps]
        steps += [item.name for item in self.plan.refused]
        return {
            "host": self.host,
            "port": self.port,
            "state": self.state,
            "differences": steps,
            "error": self.error,
        }


class ClusterRun:
    """Bring the hosts of a cluster to one schema."""

    def __init__(
        self,
        cluster: str,
        timeout: float,
        call: Call,
        plan: Planner,
        restorable: FindRestorable,
        unsealed: Callable[[str], dict[str, Any]],
    ) -> None:
        self.cluster = cluster
        self.timeout = timeout
        self.call = call
        self.make_plan = plan
        self.restorable = restorable
        self.unsealed = unsealed
        self.hosts: list[Host] = []

    def look(self) -> list[Host]:
        """Ask every host what it has, and plan for each; hosts that have the same share a plan."""
        found = self.call("read")["hosts"]
        self.hosts = [Host(one["host"], one["port"], error=one.get("error", "")) for one in found]
        plans: dict[tuple[Any, ...], SchemaPlan] = {}
        for host, one in zip(self.hosts, found):
            if not host.error:
                host.live = self.unsealed(one["before"])
                self.plan_for(host, plans, {})
        for host in self.hosts:
            deny = self.not_alone(host)
            if deny:
                self.plan_for(host, plans, deny)
        return self.hosts

    def plan_for(self, host: Host, plans: dict[tuple[Any, ...], SchemaPlan], deny: Mapping[str, str]) -> None:
        names = ("schema_fingerprint", "database_exists", "default_replication")
        key = (*(host.live[name] for name in names), *sorted(deny))
        if key not in plans:
            plans[key] = self.make_plan(host.live, "", deny)
        host.plan = replace(plans[key], fingerprint=host.live["fingerprint"])
        host.plan.restored = self.restorable(host.live, host.plan)

    @property
    def together(self) -> list[str]:
        """Steps that only one statement for all hosts can do, and that all hosts need."""
        asked = [host.plan.for_cluster for host in self.hosts if not host.error]
        return [name for name in asked[0] if all(name in other for other in asked)] if asked else []

    def not_alone(self, host: Host) -> dict[str, str]:
        """Steps that only one statement for all hosts can do, while others have them done: name to reason."""
        if host.error:
            return {}
        return {
            name: f"host {host.address} lacks it and others have it. {_OF_ALL}"
            for name in host.plan.for_cluster
            if name not in self.together
        }

    def plan_of_all(self, plan: SchemaPlan) -> SchemaPlan:
        """The plan that is shown for the cluster, with a fingerprint that stands for all its hosts, and what comes back on any of them."""
        prints = sorted(f"{host.address} {host.live['fingerprint']}" for host in self.hosts)
        return replace(
            plan,
            fingerprint=hashlib.sha256("\n".join(prints).encode()).hexdigest(),
            restored=[item for host in self.hosts for item in host.plan.restored],
        )

    def demand_all(self) -> None:
        """No change is begun while a host cannot be asked: nobody would know what became of it."""
        silent = [f"{one.address} ({one.error})" for one in self.hosts if one.error]
        if silent:
            raise SchemaError(f"cluster {self.cluster}: cannot ask {'; '.join(silent)}. Nothing was changed")

    @property
    def is_uniform(self) -> bool:
        """True if the same statements fix every host, and move no rows."""
        first = self.hosts[0]
        return all(one.signature == first.signature and not one.moves_rows for one in self.hosts)

    def apply(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Send what is missing: to all at once, or to each its own."""
        if self.is_uniform:
            first = self.hosts[0]
            take(self.apply_to_all(first, self.make_plan(first.live, self.cluster, {}).steps))
            return
        together = frozenset(self.together)
        if together:
            for host in self.hosts:
                steps = [step for step in host.plan.steps if isinstance(step.operation, CreateDatabase)]
                if steps:
                    take(self.apply_to_one(host, steps, []))
            first = self.hosts[0]
            steps = self.make_plan(first.live, self.cluster, {}).steps
            take(self.apply_to_all(first, [step for step in steps if step.name in together]))
        for address in [host.address for host in self.hosts]:
            # What another host got may have come to this one by replication meanwhile.
            host = next(one for one in self.look() if one.address == address)
            if host.error:
                raise SchemaError(f"host {address} went away meanwhile: {host.error}; run the task again")
            if host.plan.changes:
                take(self.apply_to_one(host, host.plan.steps, host.plan.restored))

    def apply_to_one(
        self, host: Host, steps: Sequence[Step], restored: Sequence[Restorable]
    ) -> dict[str, Any]:
        return self.call(
            "apply",
            **host.login,
            steps=[step.to_dict() for step in steps],
            restore=[item.to_dict() for item in restored],
            fingerprint=host.live["fingerprint"],
        )

    def apply_to_all(self, first: Host, steps: Sequence[Step]) -> dict[str, Any]:
        return self.call(
            "apply",
            **first.login,
            steps=[step.to_dict() for step in steps],
            fingerprint=first.live["fingerprint"],
            cluster=self.cluster,
            cluster_timeout=self.timeout,
        )

    def wait(self, known: Sequence[Refusal]) -> list[Host]:
        """Ask until every host has what the files want (but for what was refused), at most as long as a statement may take."""
        deadline = time.monotonic() + self.timeout
        while True:
            hosts = self.look()
            late = [one for one in hosts if left(one, known)]
            if not late or time.monotonic() >= deadline:
                return hosts
            time.sleep(_PAUSE)

    def demand_sync(self, known: Sequence[Refusal]) -> None:
        """After the change: every host has said that it has what the files want."""
        late = [
            f"{one.address} lacks {left(one, known)}"
            for one in self.hosts
            if not one.error and left(one, known)
        ]
        late += [f"{one.address} cannot be asked ({one.error})" for one in self.hosts if one.error]
        if late:
            raise SchemaError(
                f"cluster {self.cluster}: after {self.timeout:g} s not all hosts have what the files want: "
                f"{'; '.join(late)}. Run the task again: it asks each host and fixes what is left"
            )

    def warnings(self) -> list[str]:
        """Hosts that have something else than the others: they get plans of their own."""
        signatures = {one.signature for one in self.hosts if not one.error}
        if len(signatures) < 2:
            return []
        shown = ", ".join(f"{one.address} {one.state}" for one in self.hosts)
        return [
            f"the hosts of cluster {self.cluster} differ ({shown}): each gets its own statements, without ON CLUSTER"
        ]


def left(host: Host, known: Sequence[Refusal]) -> str:
    """What a host still lacks, "" for nothing. ``known`` are the refusals that were expected."""
    if host.error:
        return host.error
    return ", ".join(host.plan.left(known))
