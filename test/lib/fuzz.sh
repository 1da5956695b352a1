#!/usr/bin/env bash
# The short form of `make check-fuzz`: a few seconds for each reader of what strangers write.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"
exec test/fuzz/run.sh all "${SECONDS_EACH:-5}"
