#!/usr/bin/env bash
# Regression tests of the rooms: once on a preloaded server, once on a server without preload, same golden files.
# ROOM=name runs one; the differences are printed.
set -euo pipefail
. "$(dirname "$0")/common.sh"
work=$1

rooms=$(cd "$root" && make -s print-regress)
# `base` makes the extension, so it comes first.
[ -z "${ROOM:-}" ] || rooms="base $(printf "%s" "$ROOM" | sed "s|^base\\b *||")"
pg_regress=$stage/usr/lib/postgresql/$major/lib/pgxs/src/test/regress/pg_regress

run() { # run NAME CONFIG-LINES
    local name=$1 out=$work/$1 sock
    sock=$(scratch_dir)
    own_dir "$out"
    ln -s "$root/expected" "$out/expected"
    ln -s "$root/test/sql" "$out/sql"
    printf '%s\n' "timezone = 'UTC'" "datestyle = 'ISO, YMD'" "max_worker_processes = 16" "fsync = off" "$2" >"$out.conf"
    (cd "$out" && as_pg env PG_REGRESS_SOCK_DIR="$sock" PG_TEST_TIMEOUT_DEFAULT=60 "$pg_regress" --bindir="$bindir" \
        --inputdir="$out" --outputdir="$out" --temp-instance="$out/instance" --temp-config="$out.conf" \
        --no-locale --encoding=UTF8 --dbname=contrib_regression $rooms) >"$out.log" 2>&1 || true
    rm -rf "$sock"
    local room
    for room in $rooms; do
        if grep -qE "^(test|ok|not ok) .*\b$room\b.*" "$out.log" && grep -E "\b$room +\.\.\. ok|^ok .* $room " "$out.log" >/dev/null; then
            echo "ok regress-$name $room"
        else
            echo "not ok regress-$name $room"
        fi
    done
    [ ! -s "$out/regression.diffs" ] || head -n "${DIFF_LINES:-200}" "$out/regression.diffs"
    grep -qE '\.\.\. ok|^ok ' "$out.log" || tail -n 20 "$out.log"
    # Kept for a look after the run.
    mkdir -p "$root/tmp/results/$name" && cp -f "$out"/results/*.out "$root/tmp/results/$name/" 2>/dev/null || true
}

# Two servers that know nothing of each other: both at once.
if [ -n "${QUICK:-}" ]; then
    run preload "shared_preload_libraries = 'dunning'"
else
    run plain "" >"$work/plain.said" 2>&1 &
    run preload "shared_preload_libraries = 'dunning'"
    wait $!
    cat "$work/plain.said"
fi
