#!/usr/bin/env bash
# Runs the conformance suite.
#   run.sh server [pytest options]   against the server that CH_HOST, CH_PORT, CH_HTTP_PORT, CH_USER, CH_PASSWORD name
#   run.sh debian [pytest options]   against Debian's clickhouse-server 18.16, in a container of its own
# Debian's client 18.16 comes from PATH, or from an image that is built here once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mode=${1:-server}
shift || true
export CH_CLIENT_IMAGE=${CH_CLIENT_IMAGE:-suho-lab/clickhouse-debian:18.16}

if [ "$mode" = debian ] || ! clickhouse-client --version 2>/dev/null | grep -q ' 18\.16'; then
  docker build --quiet --tag "$CH_CLIENT_IMAGE" \
    --build-arg "LAB_PYTHON_IMAGE=${LAB_PYTHON_IMAGE:-suho-lab/python:trixie}" "$here/debian" >/dev/null
fi

case $mode in
  server) ;;
  debian)
    name=clickhouse-conformance-$$
    trap 'docker rm --force --volumes "$name" >/dev/null 2>&1 || true' EXIT
    CH_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    export CH_HOST=127.0.0.1 CH_USER=conformance CH_PASSWORD CH_PROFILE=18.16
    # The name alone: docker takes the value from the environment, so it is in no process list.
    CLICKHOUSE_PASSWORD=$CH_PASSWORD docker run --detach --name "$name" --label com.suho.lab.conformance=true \
      --env CLICKHOUSE_PASSWORD --publish 127.0.0.1::9000 --publish 127.0.0.1::8123 "$CH_CLIENT_IMAGE" >/dev/null
    CH_PORT=$(docker port "$name" 9000/tcp | sed 's/.*://')
    CH_HTTP_PORT=$(docker port "$name" 8123/tcp | sed 's/.*://')
    export CH_PORT CH_HTTP_PORT
    for _ in $(seq 100); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$CH_HTTP_PORT" && printf 'GET /ping HTTP/1.0\r\n\r\n' >&3 && grep -q '^Ok' <&3); then
        break
      fi 2>/dev/null
      sleep 0.2
    done
    ;;
  *)
    echo "run.sh: unknown mode '$mode', expected 'server' or 'debian'" >&2
    exit 2
    ;;
esac
"${PYTHON:-python3}" -m pytest "$here" "$@"
