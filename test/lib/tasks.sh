#!/usr/bin/env bash
# Task tests: what a user does in a day, each in at most three statements (test/tasks/*.sql).
set -euo pipefail
. "$(dirname "$0")/common.sh"
exec "$root/test/tasks/run.sh" "$1"
