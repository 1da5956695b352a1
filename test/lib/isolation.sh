#!/usr/bin/env bash
# Isolation tests: concurrent sessions, step by step (test/isolation/specs, test/isolation/expected).
set -euo pipefail
. "$(dirname "$0")/common.sh"
work=$1

specs=$(cd "$root/test/isolation" && ls specs/*.spec 2>/dev/null | xargs -rn1 basename -s .spec)
if [ -z "$specs" ]; then
    echo "skip isolation: there is no spec yet"
    exit 0
fi
sock=$(scratch_dir)
out=$work/out
own_dir "$out"
cp -r "$root/test/isolation/specs" "$root/test/isolation/expected" "$out/"
printf '%s\n' "shared_preload_libraries = 'dunning'" "timezone = 'UTC'" "fsync = off" >"$work/conf"
(cd "$out" && as_pg env PG_REGRESS_SOCK_DIR="$sock" "$stage/usr/lib/postgresql/$major/lib/pgxs/src/test/isolation/pg_isolation_regress" \
    --bindir="$bindir" --inputdir="$out" --outputdir="$out" --temp-instance="$out/instance" --temp-config="$work/conf" \
    --no-locale --encoding=UTF8 --load-extension=dunning $specs) >"$work/log" 2>&1 || true
rm -rf "$sock"
for spec in $specs; do
    if grep -qE "\b$spec +\.\.\. ok|^ok .* $spec " "$work/log"; then echo "ok isolation $spec"; else echo "not ok isolation $spec"; fi
done
[ ! -s "$out/output_iso/regression.diffs" ] || head -n 200 "$out/output_iso/regression.diffs"
[ ! -s "$out/regression.diffs" ] || head -n 200 "$out/regression.diffs"
# Kept for a look after the run.
mkdir -p "$root/tmp/results/isolation" && cp -f "$out"/results/*.out "$out"/output_iso/results/*.out "$root/tmp/results/isolation/" 2>/dev/null || true
