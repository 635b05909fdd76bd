#!/bin/sh
# An outside worker in curl alone: makes a job, leases it, beats, fails it, leases it again, is refused
# with the token of its first lease, and completes it with that of the second.
# Usage: outside-worker.sh [URL]. Where a token is needed: TOKEN=... outside-worker.sh URL
set -eu
url=${1:-http://127.0.0.1:8000}
worker="curl:$(hostname):$$"

call() { # EXPECTED PATH BODY: one POST, shown with its answer, which is left in $answer
    printf '\nPOST %s\n  %s\n' "$2" "$3"
    answer=$(curl -sS -X POST "$url$2" -H 'Content-Type: application/json' \
        ${TOKEN:+-H "Authorization: Bearer $TOKEN"} -d "$3" -w ' %{http_code}')
    status=${answer##* }
    answer=${answer% *}
    printf '  -> %s %s\n' "$status" "$answer"
    [ "$status" = "$1" ] || { printf '\nThat should have been %s.\n' "$1" >&2; exit 1; }
}

field() { # NAME: the text of that name in the answer
    printf '%s' "$answer" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

call 201 /v1/worker/jobs '{"kind": "external.echo", "payload": {"message": "hello"}}'
job=/v1/worker/jobs/$(field id)

call 200 "$job/lease" "{\"worker_id\": \"$worker\", \"lease_s\": 30}"
first=$(field lease_token)
call 200 "$job/heartbeat" "{\"lease_token\": \"$first\", \"progress\": {\"pct\": 50, \"msg\": \"half way\"}}"
call 200 "$job/fail" "{\"lease_token\": \"$first\", \"error\": {\"type\": \"Busy\", \"message\": \"not now\"}, \"retry_after_s\": 0}"

call 200 "$job/lease" "{\"worker_id\": \"$worker\", \"lease_s\": 30}"
second=$(field lease_token)
call 409 "$job/complete" "{\"lease_token\": \"$first\", \"result\": {\"message\": \"too late\"}}"
call 200 "$job/complete" "{\"lease_token\": \"$second\", \"result\": {\"message\": \"hello\"}}"

printf '\nDone: what came with the token of the first lease has changed nothing.\n'
