#!/usr/bin/env bash
# TAP tests (test/t/*.pl): whole clusters, the worker, crashes, copies, dumps. T=name runs one.
# Two at a time, where there are two processors: JOBS=1 runs one after the other. tap.sh DIR FILE runs that file alone.
set -euo pipefail
. "$(dirname "$0")/common.sh"
work=$1

perl_lib=$stage/usr/lib/postgresql/$major/lib/pgxs/src/test/perl

# Runs a file and prints its lines.
run_file() {
    local file=$1 name log peer told
    name=$(basename "$file" .pl)
    log=$work/$name.log
    mkdir -p "$work/$name"; chmod 777 "$work/$name"
    # A peer that needs more rights than the test has (test/gateways/NAME.sh start|stop DIR) is started before it and
    # prints what the test needs to know as NAME=VALUE lines; DUNNING_SKIP=reason where it cannot be had.
    peer=$root/${file%.pl}.sh
    told=()
    if [ -x "$peer" ]; then
        "$peer" start "$work/$name" >"$work/$name.told" 2>"$work/$name.peer.log" ||
            echo "DUNNING_SKIP=its peer did not start: $(tail -n 1 "$work/$name.peer.log")" >>"$work/$name.told"
        mapfile -t told <"$work/$name.told"
    fi
    if (cd "$work/$name" && as_pg env PATH="$bindir:$PATH" PG_REGRESS="$stage/usr/lib/postgresql/$major/lib/pgxs/src/test/regress/pg_regress" \
        TESTDATADIR="$work/$name" TESTLOGDIR="$work/$name/log" TESTDIR="$work/$name" top_builddir="$root" PG_TEST_PORT_DIR="$work/ports" \
        DUNNING_ROOT="$root" DUNNING_DATA="$DUNNING_DATA" "${told[@]}" PERL5LIB="$perl_lib:$root/test/lib" \
        timeout "${TAP_TIMEOUT:-600}" perl -I"$perl_lib" -I"$root/test/lib" "$root/$file") >"$log" 2>&1; then
        if grep -q '^1\.\.0 # SKIP' "$log"; then
            echo "skip $name: $(sed -n 's/^1\.\.0 # SKIP *//p' "$log")"
        else
            grep -E '^ok ' "$log" | sed -E "s/^ok [0-9]+( - )?/ok $name /; /# skip/s/^ok (.*) # skip (.*)/skip \1: \2/I" || true
        fi
    else
        grep -E '^(not )?ok ' "$log" | sed -E "s/^(not ok|ok) [0-9]+( - )?/\1 $name /" || true
        grep -q '^not ok' "$log" || echo "not ok $name: ended early"
        grep -vE '^(not )?ok ' "$log" | tail -n 60 || true
        mkdir -p "$root/tmp/tap/$name" && cp -rf "$work/$name"/log/* "$work/$name"/tmp_check/log/* "$log" "$root/tmp/tap/$name/" 2>/dev/null || true
    fi
    [ ! -x "$peer" ] || "$peer" stop "$work/$name"
}

if [ $# -gt 1 ]; then
    lines=$(run_file "$2")      # those of one test stay together
    printf '%s\n' "$lines"
    exit
fi

files=$(cd "$root" && ls test/t/*.pl test/gateways/*.pl 2>/dev/null || true)
[ -z "${T:-}" ] || files=$(printf '%s\n' $files | grep -- "$T" || true)
if [ -z "$files" ]; then
    echo "skip tap: there is no TAP test yet"
    exit 0
fi
own_dir "$work/tmp_check"
(cd "$root" && make -s catcher) || echo "not ok tap: the catcher does not compile"
own_dir "$work/ports"
jobs=${JOBS:-$(nproc)}
printf '%s\n' $files | xargs -P $((jobs > 2 ? 2 : jobs)) -I{} "$0" "$work" {}
