#!/usr/bin/env bash
# The tests: run.sh all | lint | regress | isolation | tap | tasks | fuzz. The last line counts them.
#
# Each part prints "ok NAME", "not ok NAME" or "skip NAME: reason" a test; run.sh counts these lines alone.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

# A tree that the server's user cannot read (a clone under /root) is tested from a copy that it can.
if [ "$(id -u)" -eq 0 ] && ! as_pg test -r "$root/Makefile"; then
    copy=$(mktemp -d /tmp/dunning-tree.XXXXXX)
    trap 'rm -rf "$copy"' EXIT
    chmod 755 "$copy"
    (cd "$root" && tar --exclude=./tmp -cf - .) | tar -xf - -C "$copy"
    [ ! -d "$root/../shared" ] || export DUNNING_DATA=${DUNNING_DATA:-$root/../shared/data}
    "$copy/test/run.sh" "$@"
    exit
fi

part=${1:-all}
export DUNNING_DATA=${DUNNING_DATA:-$root/../shared/data}
results=$(mktemp)
work=$(scratch_dir)
finish() {
    stop_cluster "$work" || true
    rm -rf "$work" "$results"
}
trap finish EXIT

"$root/test/lib/stage.sh"

parts=$part
[ "$part" != all ] || parts="lint regress isolation tap tasks fuzz"
for name in $parts; do
    echo "== $name"
    mkdir -p "$work/$name"
    chmod 777 "$work/$name"
    # A part's own exit code says only whether it could run at all; its lines say what passed.
    "$root/test/lib/$name.sh" "$work/$name" 2>&1 | tee -a "$results" || echo "not ok $name: the part itself failed" | tee -a "$results"
done

passed=$(grep -c '^ok ' "$results" || true)
failed=$(grep -c '^not ok ' "$results" || true)
skipped=$(grep -c '^skip ' "$results" || true)
[ "$failed" -eq 0 ] || { echo; grep '^not ok ' "$results"; }
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
