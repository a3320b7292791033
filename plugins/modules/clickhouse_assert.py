#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clickhouse_assert
short_description: Assert facts about a ClickHouse server, all in one session
version_added: "0.1.0"
description:
  - Evaluates a list of checks in one read-only session and reports observed beside expected for each.
  - A check whose query returns nothing never passes. Where too few rows were there to show anything, it is inconclusive.
  - Can wait for data to arrive; the wait has one bound for the whole list, and only what has not passed
    yet is asked again.
  - Runs in check mode too, because it changes nothing.
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.checks
  - suho.platform.clickhouse
options:
  assertions:
    description:
      - The checks. Each is a dictionary with C(name), C(kind) and the fields of its kind.
      - C(query) - C(sql), C(value), optional C(op) (default C(eq)) and C(params), a dictionary of values
        for placeholders of the form %(name)s (then a literal percent sign is written twice).
        C(op) is one of C(eq), C(ne), C(gt), C(ge), C(lt), C(le), C(between), C(in), C(not_in), C(matches),
        C(not_matches) for one value, or the same with C(each_) in front for the last column of every row.
        C(eq) and C(ne) with a list compare a whole row, with a list of lists a whole table.
      - C(table_exists) - C(table), optional C(engine).
      - C(column) - C(table), C(column), optional C(type) and C(default) (as the server prints them).
      - C(schema_equals) - C(table), C(columns) (all of them, a dictionary of name and type), optional C(ordered) (default false), C(engine),
        C(partition_by) and C(order_by).
      - C(row_count) - C(table), optional C(where), C(min) (default 1) and C(max).
      - C(fresh) - C(table), C(time_column), C(max_age) in seconds, optional C(where).
      - C(growing) - C(table), optional C(where), C(time_column) (when a row came; only rows after the first sample are counted, so that
        rows that a TTL takes away do not matter; nor do rows that were dated later already then),
        C(min) more rows (default 1), C(over) seconds between the samples (default 5). The module waits for the second sample, whatever O(timeout) is.
      - C(steady) - C(table), C(time_column), C(max_age) in seconds, optional C(where), C(group_by) (a column such as the symbol; each of its values
        that had rows within C(known_within) seconds, default ten times C(max_age), must have one that is at most C(max_age) old) and
        C(min_groups) (default 1). Its observation holds the new rows of each group.
      - C(json_keys) - C(table), C(column), C(keys), C(order_by), optional C(where), C(limit)
        (newest rows, default 100), C(min_rows) (default 1) and C(max_age) (only rows whose C(order_by)
        column is that young, in seconds).
        Each value must be a JSON object with exactly these keys, each a finite number.
      - C(no_nulls) - C(table), C(columns), optional C(min_rows) (default 1), C(empty) (default true, an empty string and NaN count as well),
        C(final) and the bounds C(where), C(time_column) with C(max_age) in seconds, C(partition) (its id).
      - C(unique) - C(table), C(columns) (the key that stands in each row once), optional C(min_rows) (default 1), C(final) and the same bounds.
      - C(mutations_done) - C(table), none of whose mutations is unfinished. Inconclusive for engines without them (not of the MergeTree family).
      - C(parts_healthy) - C(table), optional C(max_parts) active parts in a partition (default 300) and C(max_broken) detached parts that are
        damaged (default 0). A replica must not be read-only.
      - C(ttl_present) - C(table), optional C(ttl), as in DDL (C(INTERVAL 90 DAY) and C(toIntervalDay(90)) are the same).
      - C(view_writes) - C(table), optional C(views) by name. The query of each materialized view over the table can be run, and its target
        takes what comes of it, so an insert does not fail there.
      - With C(max_age), a row may be as far in the future as it may be old, by the server's clock; one that is dated years ahead shows nothing.
      - C(table) is C(table) or C(database.table); without a database, O(login_db) is meant.
    type: list
    elements: dict
    required: true
  timeout:
    description: How many seconds to wait at most for all checks to pass. V(0) evaluates each exactly once.
    type: float
    default: 0
  max_rows_to_read:
    description: The server stops a query that would read more rows. C(0) means no limit.
    type: int
    default: 0
  connections:
    description: How many checks are asked at the same time, 1 to 16, each in a session of its own.
    type: int
    default: 4
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Assert that the indicators arrive
  suho.platform.clickhouse_assert:
    login_user: suho_analytics
    login_password: "{{ clickhouse_password }}"
    login_db: suho_analytics
    timeout: 120
    interval: 5
    assertions:
      - name: the column is there
        kind: column
        table: aggregates
        column: indicators
        type: String
        default: "''"
      - name: new bars carry all indicators
        kind: json_keys
        table: aggregates
        column: indicators
        keys: [rsi, macd, atr]
        where: source = 'tick-aggregator'
        order_by: ingested_at
        max_age: 600
        limit: 50
        min_rows: 5
      - name: bars are fresh
        kind: fresh
        table: aggregates
        time_column: ingested_at
        max_age: 300
      - name: no table is empty
        kind: query
        sql: SELECT name, total_rows FROM system.tables WHERE database = %(db)s AND name LIKE 'external\_%%'
        params: {db: suho_analytics}
        op: each_gt
        value: 0
"""

RETURN = r"""
assertions:
  description: One entry for each check, in the order given; also returned when the module fails.
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: Name of the check., type: str}
    kind: {description: Kind of the check., type: str}
    query: {description: The query that was asked., type: str}
    observed: {description: What the server answered., type: raw}
    expected: {description: What was expected., type: str}
    verdict: {description: "C(pass), C(fail), C(inconclusive) or C(error).", type: str}
    reason: {description: Why the verdict is not C(pass)., type: str}
    rows_read: {description: "Rows that the server read for it, without what another one had asked already in this round.", type: int}
    bytes_read: {description: "Bytes that the server read for it, counted in the same way.", type: int}
    milliseconds: {description: Duration of the last evaluation., type: float}
    attempts: {description: How often it was evaluated., type: int}
    table: {description: The table that it looks at; empty for a query., type: str}
    rows_per_second:
      description: "Rows that came in the time that it looks at, per second; none where the kind counts no such rows."
      type: float
    seconds: {description: The same duration in seconds., type: float}
    details: {description: Empty; what other kinds of checks have measured stands there., type: dict}
    group: {description: "Always V(ClickHouse), the part of a platform that it belongs to.", type: str}
passed:
  description: Number of checks that passed.
  returned: always
  type: int
failures:
  description: Number of checks that did not pass.
  returned: always
  type: int
verdict:
  description: The worst verdict of all checks.
  returned: always
  type: str
attempts:
  description: How often was looked.
  returned: always
  type: int
waited_seconds:
  description: Seconds from the first to the last evaluation.
  returned: always
  type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.checks.clickhouse.run import server_checks, server_options
from ..module_utils.checks.module import run_checks, wait_options
from ..module_utils.clickhouse.client import login_options

ARGUMENTS = {
    "assertions": {"type": "list", "elements": "dict", "required": True},
    **server_options(),
    **wait_options(timeout=0),
    **login_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_checks(module, "ClickHouse", server_checks)


if __name__ == "__main__":
    main()
