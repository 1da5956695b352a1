#!/usr/bin/env bash
# Writes sql/updates/dunning--FROM--CURRENT.sql: both versions are installed side by side in a throw-away cluster and
# their catalogs compared. Then the old one is brought forward by the new script and compared again: it must equal the
# current install. FROM is a released version; without it the newest one.
#
# Run it on the oldest supported server: what a server prints of a view or a function, a newer one can read.
set -euo pipefail
. "$(dirname "$0")/common.sh"

current=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root/dunning.control")
from=${1:-$(ls "$root"/sql/updates | sed -n 's/^dunning--\([0-9.]*\)\.sql$/\1/p' | sort -V | tail -n 1)}
base=$root/sql/updates/dunning--$from.sql
[ -n "$from" ] && [ -e "$base" ] || { echo "there is no released base ${base#"$root"/}" >&2; exit 1; }
[ "$from" != "$current" ] || { echo "dunning.control still says $current: raise default_version first" >&2; exit 1; }
delta=$root/sql/updates/dunning--$from--$current.sql
fills=$root/sql/updates/fill-$from--$current.txt

"$root/test/lib/stage.sh"
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "fsync = off" "shared_preload_libraries = 'dunning'" "dunning.databases = ''"
shown() { # shown DATABASE STATEMENT: the catalog after the statement
    psql_ -d "$1" -At -c "$2" -f "$root/test/lib/catalog.sql"
}
# One after the other: what is to be said of roles is what the second adds.
psql_ -d postgres -c 'CREATE DATABASE old' -c 'CREATE DATABASE new'
shown old "CREATE EXTENSION dunning VERSION '$from'" >"$dir/old.json"
shown new "CREATE EXTENSION dunning VERSION '$current'" >"$dir/new.json"

rc=0
perl "$root/test/lib/delta.pl" "$dir/old.json" "$dir/new.json" "$fills" >"$dir/delta.sql" || rc=$?
case $rc in
    0) ;;
    3) printf '%s\n' "\\echo Use \"ALTER EXTENSION dunning UPDATE TO '$current'\" to load this file. \\quit" \
        "-- From $from to $current: nothing in the catalog differs." >"$dir/delta.sql" ;;
    *) echo "no script was written" >&2; exit 1 ;;
esac
mkdir -p "$root/tmp" && cp "$dir/delta.sql" "$root/tmp/delta.sql"     # for a look where the next step fails
cp "$dir/delta.sql" "$stage/usr/share/postgresql/$major/extension/$(basename "$delta")"
shown old "ALTER EXTENSION dunning UPDATE TO '$current'" >"$dir/upgraded.json"
rc=0
perl "$root/test/lib/delta.pl" "$dir/upgraded.json" "$dir/new.json" "$fills" >"$dir/rest.sql" || rc=$?
if [ $rc -ne 3 ]; then
    echo "an upgraded install still differs from a fresh one by:" >&2
    cat "$dir/rest.sql" >&2
    exit 1
fi
cp "$dir/delta.sql" "$delta"
echo "${delta#"$root"/}: $(grep -c . "$delta") lines; an upgraded install equals a fresh one"
