#!/bin/bash
# Healthy: the server itself says that it and JetStream are ready. It runs all day, so it starts next to nothing.
exec 3<>/dev/tcp/127.0.0.1/8222 || exit
printf 'GET /healthz?js-enabled-only=true HTTP/1.0\r\n\r\n' >&3
answer=$(cat <&3)
if [[ ! $answer =~ \"status\":[[:space:]]*\"ok\" ]]; then
    echo "/healthz: expected the status 'ok', found: $answer"
    exit 1
fi
