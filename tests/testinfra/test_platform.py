"""What is true of a host whose platform has been deployed. Each test names every failure that it finds."""

from __future__ import annotations

import pytest

SERVER = {
    "login_host": "{{ platform_clickhouse_host }}",
    "login_port": "{{ platform_clickhouse_port }}",
    "login_user": "{{ platform_clickhouse_user }}",
    "login_password": "{{ platform_clickhouse_password }}",
    "login_db": "{{ platform_clickhouse_database }}",
    "secure": "{{ platform_clickhouse_secure }}",
    "verify_cert": "{{ platform_clickhouse_verify_cert }}",
    "timeout": "{{ verify_timeout }}",
}


def value(host, facts, text: str):
    """What a template is on this host."""
    return host.ansible("ansible.builtin.debug", f"msg={{{{ {text} }}}}", check=False, extra_vars=facts)[
        "msg"
    ]


@pytest.fixture(scope="module")
def state_dir(host, facts):
    return host.file(value(host, facts, "platform_state_dir"))


def test_the_services_are_up_with_the_images_of_their_tags_and_of_the_journal(failures):
    wanted = "{{ platform_services | suho.platform.container_specs(verify_min_uptime, true) }}"
    assert not failures(
        "container_assert",
        containers=wanted,
        state_dir="{{ platform_state_dir }}",
        timeout="{{ verify_timeout }}",
    )


def test_every_table_is_there(host, facts, failures):
    tables = value(host, facts, "['aggregates'] + platform_external_tables | map(attribute='table') | list")
    wanted = [{"name": f"{one} is there", "kind": "table_exists", "table": one} for one in tables]
    assert not failures("clickhouse_assert", assertions=wanted, **SERVER)


def test_bars_arrive_with_all_their_indicators(failures):
    assert not failures("clickhouse_assert", assertions="{{ platform_indicator_assertions }}", **SERVER)


def test_external_data_arrives(failures):
    assert not failures("clickhouse_assert", assertions="{{ platform_external_assertions }}", **SERVER)


def test_the_logs_hold_the_expected_lines_and_no_errors(failures):
    assert not failures("log_assert", containers="{{ verify_logs }}", timeout="{{ verify_timeout }}")


def test_the_consumers_of_the_broker_have_caught_up(failures):
    assert not failures(
        "jetstream_assert",
        monitor_url="{{ platform_nats_monitor_url }}",
        streams="{{ platform_streams }}",
        timeout="{{ verify_timeout }}",
    )


def test_the_compose_file_is_valid(host, facts):
    folder = value(host, facts, "platform_project_dir")
    files = value(host, facts, "platform_compose_files | map('regex_replace', '^', '--file ') | join(' ')")
    done = host.run(f"cd %s && docker compose {files} config --quiet", folder)
    assert done.rc == 0, done.stderr


def test_nobody_else_reads_the_records_of_the_releases(state_dir):
    assert state_dir.is_directory
    assert state_dir.mode == 0o700
    current = state_dir.check_output("readlink %s/current", state_dir.path)
    assert current.startswith("releases/")
