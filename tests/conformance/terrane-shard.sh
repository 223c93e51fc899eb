#!/bin/bash
# Runs terrane-shard with the settings that the conformance kit gives to --spawn-shard commands.
# environment: TERRANE_BIN (build/dev/bin), PORT, HOST, WORLD_ORIGIN, MAIN_ORIGIN, NO_MAIN, SHARD_SECRET,
# STATS_INTERVAL_MS, WORLD_ID
set -u
BIN=${TERRANE_BIN:-$(dirname "${BASH_SOURCE[0]}")/../../build/dev/bin}
rooms=${MAIN_ORIGIN:-none}
[[ ${NO_MAIN:-} ]] && rooms=none
exec env WORLD_URLS="${WORLD_ORIGIN:-http://127.0.0.1:3002}" ROOM_SERVERS="$rooms" \
    REPORT_INTERVAL="${STATS_INTERVAL_MS:-5000}ms" HTTP_PROXY_PATH=nested \
    TRUSTED_PROXIES=127.0.0.0/8 PRIVATE_ROOMS=ignore SEAT_TTL=0 "$BIN/terrane-shard"
