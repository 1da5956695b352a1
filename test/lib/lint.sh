#!/usr/bin/env bash
# Lint: every script in test/lint, each explains itself; exit 0 is a pass.
set -euo pipefail
. "$(dirname "$0")/common.sh"
export work=$1
for script in "$root"/test/lint/*.sh; do
    [ -e "$script" ] || { echo "skip lint: there is no check yet"; exit 0; }
    name=$(basename "$script" .sh)
    if out=$("$script" 2>&1); then echo "ok lint $name"; else echo "not ok lint $name"; printf '%s\n' "$out"; fi
done
