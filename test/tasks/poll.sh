#!/usr/bin/env bash
# poll.sh SECONDS DATABASE QUERY: returns when the query says t, fails when it has not after so many seconds.
set -euo pipefail
exec {never}<> <(:)
end=$((SECONDS + $1))
until [ "$("${PSQL:-psql}" -XAt -d "$2" -c "$3")" = t ]; do
    [ "$SECONDS" -lt "$end" ] || exit 1
    # Nothing is ever read from here: the next look is in a fifth of a second.
    read -r -t 0.2 -u "$never" _ || true
done
