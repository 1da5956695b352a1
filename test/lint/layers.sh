#!/usr/bin/env bash
# A room includes headers only of itself and of rooms above it, so that the include graph is the data flow.
# `deliver` is included by nobody but dunning.c.
set -euo pipefail
cd "$(dirname "$0")/../.."
order=(base ledger feature score calendar gate timing experiment charge offer plan message queue gateway transport deliver event report govern)
declare -A rank
for i in "${!order[@]}"; do rank[${order[$i]}]=$i; done
bad=0
while IFS=: read -r file line text; do
    room=${file#src/}; room=${room%%/*}
    into=$(sed -E 's/.*"([^"/]+)\/.*/\1/' <<<"$text")
    [ -n "${rank[$into]:-}" ] || continue
    if [ "${rank[$into]}" -gt "${rank[$room]}" ] || { [ "$into" = deliver ] && [ "$room" != deliver ]; }; then
        echo "$file:$line: room $room includes $into"
        bad=1
    fi
done < <(grep -nE '^#include "[a-z]+/' src/*/*.[ch])
for dir in src/*/; do
    room=$(basename "$dir")
    [ -n "${rank[$room]:-}" ] || { echo "src/$room is no room"; bad=1; }
done
exit $bad
