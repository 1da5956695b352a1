#!/usr/bin/env bash
# Rules read off the catalog of a fresh install: keys ready for Citus, comments, rights, pinned search_path, owners.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "fsync = off"
psql_ -d postgres -c 'CREATE EXTENSION dunning'
out=$(psql_ -d postgres -At -f "$root/test/lint/catalog.sql")
[ -z "$out" ] || { echo "$out"; exit 1; }
