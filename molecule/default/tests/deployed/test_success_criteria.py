"""The plan's seven success criteria, asked of the platform itself."""

from __future__ import annotations

import json
import math
import time
import urllib.request

from lab_facts import EXTERNAL_TABLES, INDICATORS, missing_bars, missing_polls, wait_for

FROM_TICKS = "source = 'live_aggregated'"


def new_bars(lab, since):
    return lab.query(
        f"SELECT symbol, timeframe, timestamp, indicators FROM aggregates WHERE {FROM_TICKS} AND ingested_at >= %(since)s",
        since=since,
    )


def server_time(lab):
    return lab.query("SELECT now()")[0][0]


def test_1_the_column_indicators_exists_with_json_data(lab):
    names = list(lab.columns("aggregates"))
    assert lab.columns("aggregates")["indicators"] == "String"
    assert names.index("indicators") == names.index("ingested_at") - 1
    assert lab.count("aggregates", "isValidJSON(indicators) AND indicators != ''") > 0


def test_2_six_external_tables_exist_and_grow(lab):
    assert set(EXTERNAL_TABLES) <= lab.tables()
    before = {table: lab.count(table) for table in EXTERNAL_TABLES}
    assert all(before.values()), before
    grown = wait_for(
        "every external table grows",
        lambda: all(lab.count(table) > before[table] for table in EXTERNAL_TABLES),
        120,
    )
    assert grown


def test_3_the_tick_aggregator_runs_and_publishes(lab):
    assert lab.inspect("tick-aggregator")["State"]["Status"] == "running"
    since = server_time(lab)
    assert wait_for("bars from the tick-aggregator arrive", lambda: new_bars(lab, since), 30)


def test_4_every_new_bar_has_exactly_the_26_indicators_as_finite_numbers(lab):
    since = server_time(lab)

    def kinds():
        return len({(symbol, timeframe) for symbol, timeframe, _at, _text in new_bars(lab, since)})

    # 5m and 15m bars close within 15 s; the longer ones are in the table since the deploy.
    assert wait_for("bars of three symbols and two timeframes arrive", lambda: kinds() >= 6, 90)
    every = lab.query(f"SELECT symbol, timeframe, timestamp, indicators FROM aggregates WHERE {FROM_TICKS}")
    for symbol, timeframe, at, text in every:
        values = json.loads(text)
        assert set(values) == INDICATORS, (symbol, timeframe, at)
        assert all(isinstance(one, (int, float)) and math.isfinite(one) for one in values.values()), (
            symbol,
            at,
            values,
        )


def test_5_the_external_collector_reaches_all_six_tables(lab):
    assert all(
        lab.count(table, "collected_at >= now() - INTERVAL 150 SECOND") > 0 for table in EXTERNAL_TABLES
    )


def test_6_nothing_that_was_published_is_missing(lab):
    """Every message that the broker holds for the bridge has been acknowledged, and acknowledged means stored."""
    address = f"http://127.0.0.1:{lab.settings['NATS_MONITOR_PORT']}/jsz?streams=true&consumers=true"

    def caught_up():
        with urllib.request.urlopen(address, timeout=5) as answer:
            accounts = json.load(answer)["account_details"]
        streams = [stream for account in accounts for stream in account["stream_detail"]]
        consumers = [one for stream in streams for one in stream["consumer_detail"]]
        assert {stream["name"] for stream in streams} >= {"BARS", "EXTERNAL"}
        return len(consumers) >= 2 and all(
            one["num_pending"] + one["num_ack_pending"] == 0 for one in consumers
        )

    assert wait_for("the broker's consumers catch up", caught_up, 30)


def test_6_every_published_message_is_stored_once(lab):
    """The messages themselves, read from the broker, against the rows; whatever is in flight has arrived soon."""
    bars, polls = lab.published("BARS"), lab.published("EXTERNAL")
    assert len([body for body in bars.values() if body.get("indicators")]) >= 6

    def missing():
        rows = lab.query(
            f"SELECT symbol, timeframe, timestamp_ms, indicators FROM aggregates WHERE {FROM_TICKS}"
        )
        lost = missing_bars(bars, rows)
        for table in EXTERNAL_TABLES:
            rows = lab.query(f"SELECT toUnixTimestamp(collected_at), count() FROM {table} GROUP BY 1")
            lost += missing_polls(polls, table, rows)
        return lost

    assert wait_for("every message is stored", lambda: "all" if not missing() else None, 30), missing()


def test_7_the_services_are_stable(lab):
    names = ("data-bridge", "external-collector", "tick-aggregator")
    before = {name: lab.inspect(name) for name in names}
    time.sleep(10)
    for name in names:
        now = lab.inspect(name)
        assert now["State"]["Status"] == "running"
        assert now["RestartCount"] == 0
        assert now["State"]["StartedAt"] == before[name]["State"]["StartedAt"]


def test_history_and_neighbours_are_as_they_were(lab):
    before = json.loads(lab.remembered.read_text())["schema"]
    after = lab.fingerprint()["schema"]
    neighbours = [name for name in before if not name.endswith(".aggregates")]
    assert neighbours
    assert {name: after[name] for name in neighbours} == {name: before[name] for name in neighbours}
    assert lab.count("aggregates", f"NOT ({FROM_TICKS})") >= 1_000_000


def test_the_compose_file_differs_in_the_inserted_block_only(lab):
    (release,) = (lab.state / "releases").glob("*")
    saved = (release / "backup/docker-compose.yml").read_bytes()
    now = lab.compose_file.read_bytes()
    start = next(number for number, (old, new) in enumerate(zip(saved, now)) if old != new)
    inserted = len(now) - len(saved)
    assert inserted > 0
    assert now[start + inserted :] == saved[start:]
    assert b"tick-aggregator" in now[start : start + inserted]


def test_the_report_lies_where_the_readme_says_and_holds_no_password(lab):
    report = lab.reports / "latest"
    names = {"report.html", "report.json", "junit.xml", "plan.json"}
    assert names <= {path.name for path in report.iterdir()}
    for name in names:
        text = (report / name).read_text()
        assert lab.settings["CLICKHOUSE_PASSWORD"] not in text
        assert lab.settings["TIMESCALEDB_PASSWORD"] not in text
    found = json.loads((report / "report.json").read_text())
    assert found["meta"]["verdict"] == "pass"


def test_the_report_of_the_release_has_the_audit_of_before_and_after(lab):
    release = (lab.state / "current").resolve().name
    found = json.loads((lab.reports / release / "report.json").read_text())
    before = {one["service"]: one["action"] for one in found["plan"]["services"]}
    after = {one["service"]: one["action"] for one in found["audit_after"]["services"]}
    assert set(before) == set(after)
    assert len(set(before.values())) > 1, before
    assert set(after.values()) == {"OK"}, after
    assert found["plan"]["reasons"]
    assert found["audit_after"]["reasons"] == {}


def test_remember_the_rows_for_the_rollback(lab):
    """The rollback's tests count against these numbers; data keeps flowing until then, so they are lower bounds."""
    rows = {table: lab.count(table) for table in [*EXTERNAL_TABLES, "aggregates"]}
    rows["indicators"] = lab.count("aggregates", "indicators != ''")
    assert all(rows.values()), rows
    rows["sequences"] = {stream: max(lab.published(stream)) for stream in ("BARS", "EXTERNAL")}
    (lab.folder / "rows.json").write_text(json.dumps(rows))
