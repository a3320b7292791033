#!/bin/bash
# Healthy: the server answers a query in the platform's database over TCP, with the configured password.
user="${POSTGRES_USER:-postgres}"
PGPASSWORD="$POSTGRES_PASSWORD" PGCONNECT_TIMEOUT=3 exec psql --quiet --no-psqlrc --tuples-only --host=127.0.0.1 \
    --username="$user" --dbname="${POSTGRES_DB:-$user}" --command='SELECT 1'
