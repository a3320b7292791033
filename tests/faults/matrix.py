# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: something goes wrong at a point of a deploy or rollback, and what comes of it is compared with the old and the new state.

    python -m faults.matrix [--only TEXT] [--some] [--missing] [--write] [--list]

Works on the lab that LAB_NAME names, in the audit's state. A producer publishes numbered bars and polls all the time; each that the broker has
acknowledged has to be stored at the end. Each combination ends in the old or the new state, by the run itself or by one command more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab_facts import DATABASE, Lab, wait_for

from . import faults as f
from .faults import FAULTS, NEW, OLD, Fault
from .play import PROJECT, Play, Point, command_line, second_clone
from .producer import Producer, published_bars, published_polls, stored_bars, stored_polls

PAGE = PROJECT / "docs/reliability.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
APPROVED = ("-e", "deploy_approved=true")
# Three seconds less for each container without a healthcheck; what is tested is not how long it has to stay up.
QUICK = ("-e", "service_rollout_settle=2")
TAKE_OVER = ("-e", "release_take_over=true")
KILLED = "the run is killed with all that it started"
LIMIT = 90.0  # seconds that a recovery may take; demanded where the table is written, since other runs may share the machine
HEAD = ("fault", "point", "recovered by", "end", "seconds", "published", "stored", "lost")


@dataclass(frozen=True)
class Case:
    fault: Fault
    point: Point
    # What an operator runs, if the run does not end in a state by itself.
    recover: str = "rollback"
    playbook: str = "deploy"  # what is disturbed
    # The same again at these points, one after the other, each in the run that goes on with what the one before has left.
    again: tuple[Point, ...] = ()

    @property
    def name(self) -> str:
        where = self.point.name
        if self.again:
            where = f"{1 + len(self.again)} points, {self.point.name} to {self.again[-1].name}"
        return f"{self.fault.name} / {where} / {self.recover}"

    @property
    def begins(self) -> str:
        return OLD if self.playbook == "deploy" else NEW


def both(
    fault: str, points: Iterable[Point], first: str = "rollback", playbook: str = "deploy"
) -> list[Case]:
    """A case for each point, recovered by rollback and by a deploy in turn."""
    ways = ("rollback", "deploy") if first == "rollback" else ("deploy", "rollback")
    return [Case(FAULTS[fault], point, ways[number % 2], playbook) for number, point in enumerate(points)]


def cases() -> list[Case]:
    changes = [
        f.BEFORE_ALTER,
        f.AFTER_ALTER,
        *(point for pair in zip(f.BEFORE_CREATE, f.AFTER_CREATE) for point in pair),
        f.TAGS,
        f.BEFORE_BUILD,
        f.AFTER_BUILD,
        f.BEFORE_COMPOSE,
        f.AFTER_COMPOSE,
        *(point for name in f.BEFORE_SWAP for point in (f.BEFORE_SWAP[name], f.AFTER_SWAP[name])),
    ]
    some = [
        f.AFTER_ALTER,
        f.BEFORE_CREATE[2],
        f.BEFORE_BUILD,
        f.AFTER_COMPOSE,
        f.BEFORE_SWAP["data-bridge"],
        f.VERIFY,
    ]
    return [
        Case(FAULTS["none"], f.ALL),
        *both(
            KILLED,
            [f.LOCK, f.PLAN, f.OPENED, *changes, f.VERIFY, f.CLOSE],
        ),
        *both("the controller is gone, the module goes on", some, "deploy"),
        *(Case(FAULTS["the module is killed"], point) for point in some[:-1]),
        *(Case(FAULTS["ClickHouse is killed and comes back"], point) for point in some),
        *both("ClickHouse is stopped for good", some),
        *(Case(FAULTS["NATS is killed and comes back"], point) for point in some[-4:]),
        *(
            Case(FAULTS["dockerd is restarted"], point, way)
            for point, way in zip(some[-3:], ("rollback", "deploy", "rollback"))
        ),
        *(Case(FAULTS["two deploys at once"], point) for point in (f.BEFORE_ALTER, f.BEFORE_BUILD)),
        *both("the disk of the records is full", [f.OPENED, f.BEFORE_BUILD, f.AFTER_COMPOSE]),
        Case(FAULTS["the compose file is read-only"], f.ALL),
        Case(FAULTS["the new image crashes at its start"], f.ALL),
        Case(FAULTS["the verification fails"], f.ALL),
        Case(
            FAULTS[KILLED],
            f.LOCK,
            "deploy",
            # Of the tables' points some: one statement is done before a kill comes.
            again=(f.PLAN, f.OPENED, *changes[:2], *changes[5:14:4], *changes[14:], f.VERIFY, f.CLOSE),
        ),
        *of_rollback(),
    ]


def of_rollback() -> list[Case]:
    swap, table, column = f.BACK_BEFORE_SWAP["data-bridge"], f.BACK_BEFORE_TABLE, f.BACK_BEFORE_COLUMN
    everywhere = [
        f.BACK_PLAN,
        f.BACK_BEFORE_COMPOSE,
        f.BACK_AFTER_COMPOSE,
        *(
            point
            for name in reversed(f.SERVICES)
            for point in (f.BACK_BEFORE_SWAP[name], f.BACK_AFTER_SWAP[name])
        ),
        table,
        f.BACK_AFTER_TABLE,
        column,
        f.BACK_AFTER_COLUMN,
        f.BACK_VERIFY,
        f.BACK_CLOSE,
    ]
    some = {
        "the controller is gone, the module goes on": [swap, column],
        "the module is killed": [swap, f.BACK_BEFORE_COMPOSE, column],
        "ClickHouse is killed and comes back": [swap, column],
        "ClickHouse is stopped for good": [table, column],
        "NATS is killed and comes back": [swap, column],
    }
    return [
        *both(KILLED, everywhere, playbook="rollback"),
        Case(FAULTS[KILLED], everywhere[0], "rollback", "rollback", again=tuple(everywhere[1:])),
        *(case for fault, points in some.items() for case in both(fault, points, playbook="rollback")),
    ]


def some(every: Sequence[Case]) -> list[Case]:
    """What make test has time for: nothing wrong; a deploy and a rollback that are killed at every third of their points in turn."""
    return [
        replace(case, again=case.again[1::3]) for case in every if case.fault.name == "none" or case.again
    ]


# States --------------------------------------------------------------------------------------------------------


def state(lab: Lab) -> dict[str, Any]:
    """What the platform is, asked of the engine, the server and the disk; rows and what lies in quarantine are left out."""
    schema = lab.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = %(database)s ORDER BY 1",
        database=DATABASE,
    )
    return {
        "containers": {
            name: (one["Image"], one["State"]["Status"]) for name, one in lab.containers().items()
        },
        "schema": dict(schema),
        "compose": hashlib.sha256(lab.compose_file.read_bytes()).hexdigest(),
        "locked": (lab.state / "lock.json").exists(),
    }


def running_once(lab: Lab) -> list[str]:
    """Containers that run to their end and stay there: the old state is the one after that."""
    return [
        name
        for name, one in lab.containers().items()
        if one["HostConfig"]["RestartPolicy"]["Name"] == "no" and one["State"]["Status"] != "exited"
    ]


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    said = []
    for part, value in wanted.items():
        if found[part] != value and isinstance(value, dict):
            names = {*value, *found[part]}
            said += [f"{part} {name}" for name in sorted(names) if found[part].get(name) != value.get(name)]
        elif found[part] != value:
            said.append(part)
    return said


class Secrets:
    """Looks for the lab's passwords in what runs say, in process lists, and in what lies on the disk."""

    def __init__(self, lab: Lab) -> None:
        self.values = [path.read_text().split()[0] for path in sorted((lab.folder / "secrets").iterdir())]

    def demand_none(self, text: str, where: str) -> None:
        if any(value in text for value in self.values):
            raise AssertionError(f"a secret stands in {where}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the command lines of all processes again and again; afterwards, none may have held a secret."""
        ended, found = threading.Event(), set()

        def look() -> None:
            while not ended.wait(0.05):
                for entry in Path("/proc").iterdir():
                    line = command_line(int(entry.name)) if entry.name.isdigit() else ""
                    if any(value in line for value in self.values):
                        found.add(line.split(" ", 1)[0])

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        if found:
            raise AssertionError(f"a secret stood in the command line of {', '.join(sorted(found))}")

    def demand_none_below(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.demand_none(path.read_bytes().decode("utf-8", "replace"), str(path))


# One case ------------------------------------------------------------------------------------------------------


class Matrix:
    def __init__(self, lab: Lab, limit: float) -> None:
        self.lab = lab
        self.limit = limit
        self.secrets = Secrets(lab)
        wait_for("one-shot services have ended", lambda: not running_once(lab), 120)
        self.known: dict[str, dict[str, Any]] = {OLD: state(lab)}
        self.producer = Producer(lab)
        self.at = OLD
        self.row: tuple[str, ...] = ()  # of the last case

    def reset(self) -> None:
        """Back to the audit's state, by force: what comes after a case that has failed."""
        one = Play("lab/reset.yml")
        one.start()
        if one.wait():
            raise AssertionError(f"the lab cannot be reset:\n{one.tail()}")
        wait_for("one-shot services have ended", lambda: not running_once(self.lab), 120)
        wrong = differences(state(self.lab), self.known[OLD])
        if wrong:
            raise AssertionError(f"the lab is another one after its reset: {', '.join(wrong)}")
        self.producer.forget()
        self.at = OLD

    def go_to(self, wanted: str) -> None:
        """Deploy or roll back undisturbed, and demand that this leads to the state."""
        if self.at == wanted:
            return
        playbook, options = ("deploy", APPROVED) if wanted == NEW else ("rollback", ())
        one = self.play(playbook, *options)
        wrong = self.wrong(wanted)
        if one.code or wrong:
            raise AssertionError(f"an undisturbed {playbook} failed: {', '.join(wrong)}\n{one.tail()}")
        self.at = wanted

    def wrong(self, wanted: str) -> list[str]:
        """What differs from the old or the new state. The first new state is the one that the others are held against."""
        found = state(self.lab)
        return differences(found, self.known.setdefault(wanted, found))

    def play(self, playbook: str, *options: str, project: Path = PROJECT) -> Play:
        one = Play(f"playbooks/{playbook}.yml", (*options, *QUICK), project)
        one.start()
        one.wait()
        self.secrets.demand_none("\n".join(one.lines), f"the output of {playbook}")
        return one

    def disturb_again(self, case: Case) -> tuple[int, Play, str]:
        """Disturb it at the first point; then the run that goes on with what that one has left, and so on: code, last run, where.

        What was interrupted may have been done, though nobody could say so: its second point does not come then, and the next one is taken.
        """
        releases, left, hit = self.releases(), [case.point, *case.again], 0
        code, one = 0, None
        while left:
            code, one = self.start(
                case, left, *(TAKE_OVER if (self.lab.state / "lock.json").exists() else ())
            )
            if one.hit is None:
                break
            hit += 1
            left = left[left.index(one.hit) + 1 :]
        if one is None or (one.hit is None and code):
            raise AssertionError(f"a run failed by itself:\n{one.tail(80) if one else ''}")
        if left:
            raise AssertionError(f"the run never came to {', '.join(point.name for point in left)}")
        if hit <= len(case.again) // 2:
            raise AssertionError(f"only {hit} of {len(case.again) + 1} points came")
        added = len(self.releases() - releases)
        if added != (case.playbook == "deploy"):
            raise AssertionError(f"{hit} runs made {added} releases")
        return code, one, f"{hit} points in turn, {case.point.name} to {case.again[-1].name}"

    def releases(self) -> set[str]:
        return {path.parent.name for path in (self.lab.state / "releases").glob("*/journal.jsonl")}

    def disturb(self, case: Case) -> tuple[int, Play]:
        points = [case.point] if case.point.event or case.point.output else []
        code, one = self.start(case, points)
        if points and one.hit is None:
            raise AssertionError(f"the run never came to the point:\n{one.tail()}")
        return code, one

    def start(self, case: Case, points: Sequence[Point], *more: str) -> tuple[int, Play]:
        """Run what the case disturbs, strike at the first of the points that comes, and look at what the run said."""
        options = (*(APPROVED if case.playbook == "deploy" else ()), *case.fault.options, *more)
        one = Play(f"playbooks/{case.playbook}.yml", (*options, *QUICK))
        one.start(points, lambda play: case.fault.strike(self.lab, play), self.lab.state)
        code = one.wait()
        self.secrets.demand_none("\n".join(one.lines), f"the output of the {case.playbook}")
        if "Traceback" in one.said:
            raise AssertionError(f"a traceback was shown:\n{one.tail(80)}")
        return code, one

    def recover(self, case: Case, code: int, broken: Play) -> tuple[str, float]:
        """What brings the platform into a state again, and the seconds that it took."""
        if code == 0:
            return f"itself, {'deployed' if case.playbook == 'deploy' else 'rolled back'}", 0.0
        if "the previous state was verified" in broken.said:
            return "itself, rolled back", 0.0
        case.fault.mend(self.lab)
        playbook, options = self.command(case, broken)
        project = second_clone(self.lab.folder / "clone") if case.fault.elsewhere else PROJECT
        if case.fault.killed and (self.lab.state / "lock.json").exists():
            refused = self.play(playbook, *options, project=project)
            if refused.code == 0 or "-e release_take_over=true" not in refused.said:
                raise AssertionError(f"the lock of a dead run was not named:\n{refused.tail()}")
            options = (*options, *TAKE_OVER)
        one = self.play(playbook, *options, project=project)
        if one.code:
            raise AssertionError(f"{playbook} did not recover it:\n{one.tail(80)}")
        return f"{playbook}.yml{' of a second clone' if case.fault.elsewhere else ''}", one.seconds

    def command(self, case: Case, broken: Play) -> tuple[str, tuple[str, ...]]:
        """The one command: what the error of a deploy names for a rollback, the rollback again, or the deploy."""
        if case.recover == "deploy":
            return "deploy", APPROVED
        if case.playbook == "rollback":
            return "rollback", ()
        named = re.search(
            r"Undo it with: ansible-playbook playbooks/rollback.yml .*?-e (rollback_release=\S+)", broken.said
        )
        if not case.fault.killed and named is None and "Nothing was changed" not in broken.said:
            raise AssertionError(f"the error names no command:\n{broken.tail(80)}")
        return "rollback", ("-e", named.group(1)) if named else ()

    def run(self, case: Case) -> None:
        self.go_to(case.begins)
        case.fault.before(self.lab)
        first = len(self.producer.bars), len(self.producer.polls)
        try:
            where = case.point.name
            if case.again:
                code, broken, where = self.disturb_again(case)
            else:
                code, broken = self.disturb(case)
            how, seconds = self.recover(case, code, broken)
        finally:
            case.fault.mend(self.lab)
            f.big_disk_again(self.lab)
        end = NEW if how.startswith(("itself, deployed", "deploy.yml")) else OLD
        wrong = self.wrong(end)
        if wrong:
            raise AssertionError(f"the end is not the {end} state: {', '.join(wrong)}")
        self.at = end
        if seconds > self.limit:
            raise AssertionError(f"the recovery took {seconds:.0f} s, allowed are {self.limit:.0f} s")
        published, stored, lost = self.count(first, end)
        self.secrets.demand_none_below(self.lab.state)
        row = (case.fault.name, where, how, end, f"{seconds:.0f}")
        self.row = (*row, str(published), str(stored), str(lost))
        if lost:
            raise AssertionError(
                f"{lost} of {published} acknowledged messages are not stored exactly once: {self.story(first, end)}"
            )
        if case.fault.name == "none":
            # All that Ansible can say, and the process list.
            with self.secrets.watching():
                back = self.play("rollback", "-vvv")
            wrong = self.wrong(OLD)
            if back.code or wrong:
                raise AssertionError(f"the rollback afterwards: {', '.join(wrong)}\n{back.tail()}")
            self.at = OLD

    def count(self, first: tuple[int, int], end: str) -> tuple[int, int, int]:
        """Published, stored and lost messages of one case. The old services know no polls: those are counted when a new one ran."""
        bars = self.producer.bars[first[0] :]
        polls = self.producer.polls[first[1] :] if end == NEW else []

        def missing() -> tuple[int, int]:
            rows, kept = stored_bars(self.lab), stored_polls(self.lab) if polls else {}
            return sum(rows.get(one, 0) != 1 for one in bars), sum(kept.get(one, 0) != 1 for one in polls)

        try:
            wait_for("messages stored", lambda: missing() == (0, 0), 60)
        except AssertionError:
            lost = sum(missing())
        else:
            lost = 0
        return len(bars) + len(polls), len(bars) + len(polls) - lost, lost

    def story(self, first: tuple[int, int], end: str) -> str:
        """What became of the messages that are not stored exactly once: their rows, and where the broker's stream has them."""
        known = {
            "bar": (self.producer.bars[first[0] :], stored_bars(self.lab), published_bars(self.lab)),
            "poll": (
                self.producer.polls[first[1] :] if end == NEW else [],
                stored_polls(self.lab),
                published_polls(self.lab),
            ),
        }
        return "; ".join(
            f"{kind} {one} has {rows.get(one, 0)} rows, sequences {sequences.get(one, [])} of a stream that ends with {last}"
            for kind, (numbers, rows, (sequences, last)) in known.items()
            for one in numbers
            if rows.get(one, 0) != 1
        )

    def settle(self) -> str:
        """After everything: a deploy, and every message that was ever acknowledged is there."""
        with self.secrets.watching():
            done = self.play("deploy", *APPROVED, "-vvv")
        self.secrets.demand_none_below(self.lab.reports)
        if done.code:
            raise AssertionError(f"the last deploy failed:\n{done.tail(80)}")
        bars, polls = self.count((0, 0), NEW)[0], len(self.producer.polls)
        lost = self.count((0, 0), NEW)[2]
        if lost:
            raise AssertionError(f"{lost} of {bars} messages of the whole matrix are not stored exactly once")
        # Over all releases that the cases have left, whatever became of each.
        back = self.play("rollback", "-e", "release_to=none")
        wrong = [*self.wrong(OLD), *(["the exit code"] if back.code else [])]
        if wrong:
            raise AssertionError(f"the way back before the first release: {', '.join(wrong)}\n{back.tail()}")
        return (
            f"After all cases and a last deploy: {bars} acknowledged messages ({polls} of them polls), every one stored exactly once. "
            "Then `release_to=none` gave the very first state back."
        )


# Output --------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def write(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")


class Results:
    """The rows of cases that have passed, kept on the disk with what they were run on."""

    def __init__(self, path: Path, missing_only: bool) -> None:
        self.path = path
        self.rows: dict[str, list[str]] = {}
        if missing_only and path.exists():
            self.rows = json.loads(path.read_text(encoding="utf-8"))

    def add(self, case: Case, row: Sequence[str]) -> None:
        self.rows[case.name] = list(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.rows, indent=1), encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the fault matrix on the lab that LAB_NAME names.")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds this text")
    parser.add_argument("--some", action="store_true", help="a representative part of the cases")
    parser.add_argument("--list", action="store_true", help="say which cases there are, and do nothing")
    parser.add_argument(
        "--missing", action="store_true", help="only cases that no earlier run has passed (.lab/faults.json)"
    )
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no case after this time")
    parser.add_argument("--write", action="store_true", help="write the table into docs/reliability.md")
    parser.add_argument(
        "--table", action="store_true", help="run nothing, write the table of all that has passed so far"
    )
    return parser.parse_args()


def main() -> int:
    options = arguments()
    chosen = [case for case in (some(cases()) if options.some else cases()) if options.only in case.name]
    if options.list:
        print("\n".join(case.name for case in chosen))
        return 0
    if not chosen:
        sys.exit(f"no case holds {options.only!r}")
    results = Results(PROJECT / ".lab/faults.json", options.missing or options.table)
    to_run = [] if options.table else [case for case in chosen if case.name not in results.rows]
    if to_run and to_run[0].fault.name != "none":
        to_run.insert(0, cases()[0])  # nobody else says what the new state is
    os.chdir(PROJECT)
    failed, sentence = (
        run_all(
            Matrix(Lab(), LIMIT if options.write else float("inf")), to_run, results, options.minutes * 60
        )
        if to_run
        else ([], "")
    )
    rows = [results.rows[case.name] for case in chosen if case.name in results.rows]
    text = f"{len(rows)} of {len(chosen)} cases.\n\n{table(rows)}\n\n{sentence}"
    print(text)
    if (options.write or options.table) and not failed:
        write(text)
    print("\n".join(failed))
    return 1 if failed else 0


def in_turn(chosen: Sequence[Case], matrix: Matrix) -> Iterator[Case]:
    """Each case once; first those that begin where the platform is just now, which saves a deploy or rollback.

    Of these, one of the fault that was run least, so that a run that is interrupted has seen each fault.
    """
    seen: Counter[str] = Counter()
    # What concerns others' containers, too, comes last, when those are most likely gone.
    for others_too in (False, True):
        left = [one for one in chosen if ("dockerd" in one.fault.name) is others_too]
        while left:
            case = min(
                [one for one in left if one.begins == matrix.at] or left, key=lambda one: seen[one.fault.name]
            )
            left.remove(case)
            seen[case.fault.name] += 1
            yield case


def run_all(
    matrix: Matrix, chosen: Sequence[Case], results: Results, seconds: float
) -> tuple[list[str], str]:
    """The failures, and what is to be said of all messages at the end. No case begins after so many ``seconds``."""
    failed: list[str] = []
    end = time.monotonic() + seconds
    f.ENGINE.share()
    with matrix.producer.producing():
        for number, case in enumerate(in_turn(chosen, matrix), start=1):
            head = f"[{number}/{len(chosen)}]"
            if "dockerd" in case.fault.name and not f.engine_is_the_labs():
                print(f"{head} {case.name}: left out, the engine is not the lab's", flush=True)
                continue
            began = time.monotonic()
            if began > end:
                print(f"the time is over, {len(chosen) - number + 1} cases were not begun", flush=True)
                break
            try:
                matrix.run(case)
            except Exception as error:  # a lab that does not answer is a failure as well
                failed.append(f"{case.name}: {error}")
                print(f"{head} {case.name}: FAILED: {error}", flush=True)
                matrix.reset()  # what the next case would start from is neither old nor new
                continue
            results.add(case, matrix.row)
            print(f"{head} {' | '.join(matrix.row)} ({time.monotonic() - began:.0f} s)", flush=True)
        return failed, matrix.settle()


if __name__ == "__main__":
    sys.exit(main())
