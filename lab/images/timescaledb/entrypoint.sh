#!/bin/bash
# First start: make the cluster, the user and the database. Every start: run the server as user postgres.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres -m 0700 "$(dirname "$PGDATA")"
    install -d -o postgres -g postgres -m 2775 /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

create_cluster() {
    : "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD is empty: set it to the password of the database user}"
    local user="${POSTGRES_USER:-postgres}"
    local database="${POSTGRES_DB:-$user}"
    # The cluster gets its final name only when it is complete: a start that was killed half-way leaves
    # nothing that the next start would take for a database.
    local fresh="$PGDATA.new"
    rm -rf "$fresh"
    initdb --pgdata="$fresh" --username="$user" --auth-local=trust --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") >/dev/null
    cat >> "$fresh/postgresql.conf" <<'CONF'
listen_addresses = '*'
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
timescaledb.max_background_workers = 4
max_connections = 50
shared_buffers = '128MB'
timezone = 'UTC'
log_timezone = 'UTC'
CONF
    echo "host all all all scram-sha-256" >> "$fresh/pg_hba.conf"
    # This server listens on the local socket only: nobody can connect before everything is there.
    pg_ctl --pgdata="$fresh" --wait --options="-c listen_addresses=''" start >/dev/null
    if [ "$database" != postgres ]; then
        createdb --username="$user" --maintenance-db=postgres "$database"
    fi
    psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username="$user" --dbname="$database" \
        --command="CREATE EXTENSION IF NOT EXISTS timescaledb"
    pg_ctl --pgdata="$fresh" --wait --mode=fast stop >/dev/null
    mv "$fresh" "$PGDATA"
    echo "database $database of user $user created"
}

if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    create_cluster
fi
exec "$@"
