#!/usr/bin/env bash
# Nothing sleeps: latches, condition variables, poll_query_until and the virtual clock say what is waited for.
set -euo pipefail
cd "$(dirname "$0")/../.."
if grep -nE 'pg_sleep|pg_usleep|usleep *\(|[^_a-z]sleep *\(|^ *sleep +[0-9]' -r src sql test bench examples --include='*.c' --include='*.h' --include='*.sql' --include='*.pl' --include='*.pm' --include='*.sh' --include='*.py' | grep -v '^test/lint/waits.sh'; then
    exit 1
fi
