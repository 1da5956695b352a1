#!/usr/bin/env bash
# Writes test/t/security.privileges, what each role may do, from a fresh install: read the difference before you commit it.
set -euo pipefail
. "$(dirname "$0")/common.sh"
"$root/test/lib/stage.sh"
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "fsync = off"
psql_ -d postgres -c 'CREATE EXTENSION dunning'
psql_ -d postgres -At -f "$root/test/t/security_privileges.sql" >"$root/test/t/security.privileges"
git -C "$root" --no-pager diff --stat -- test/t/security.privileges 2>/dev/null || true
