#!/usr/bin/env bash
# make check-deliver-breaks BREAKS=pattern: each line of breaks.tsv is a mistake that delivery could have. It is made in a copy
# of the tree, and the check that the line names must notice: crash, race, chaos, recipients, recovery, soak, caps, carrier (short forms), else a TAP test.
#
# A line: what is wrong, the check, the file, a sed expression (\t is a tab). One that changes nothing is a failure, too: the
# code has moved on, and the mistake must be made anew.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
work=$(scratch_dir)
trap 'rm -rf "$work"' EXIT

# With what is built already, and its times: of a mistake only what it touches is compiled anew.
copy_tree() { # copy_tree FROM TO
    rm -rf "$2"
    mkdir "$2"
    (cd "$1" && find . -mindepth 1 -maxdepth 1 ! -name tmp ! -name .git -exec cp -a -t "$2" {} +)
    chmod 755 "$work" "$2"
}
copy_tree "$root" "$work/whole"
make -s -j"$(nproc)" -C "$work/whole" PG_CONFIG="${PG_CONFIG:-pg_config}" >/dev/null

check() { # check NAME: the checks' own exit code
    case $1 in
        crash) CYCLES=11 BATCH=30 "$work/tree/test/faults/crash.sh" ;;
        race) N=600 "$work/tree/test/faults/race.sh" ;;
        chaos) N=1500 "$work/tree/test/faults/chaos.sh" ;;
        recipients) N=3000 "$work/tree/test/faults/recipients.sh" ;;
        caps) ROUNDS=${ROUNDS:-4} "$work/tree/test/faults/caps.sh" ;;
        soak) MINUTES=0.5 "$work/tree/test/faults/soak.sh" ;;
        recovery) ROUNDS=1 "$work/tree/test/faults/recovery.sh" ;;
        carrier) (cd "$work/tree" && TARGETS=carrier test/fuzz/run.sh all 5) ;;
        # What never comes need not be waited for.
        *) T=$1 PG_TEST_TIMEOUT_DEFAULT=${WAIT:-20} TAP_TIMEOUT=240 "$work/tree/test/run.sh" tap ;;
    esac
}

# The line that tells: a test that failed, a count of deviations, or what the campaign said last.
telling() {
    grep -m 1 '^not ok' "$work/told" || grep -m 1 -E '^[^|]*\| +[1-9][0-9]*$' "$work/told" ||
        grep -m 1 -E 'unfinished|connection to server was lost' "$work/told" || tail -n 1 "$work/told"
}

killed=0 survived=0
while IFS=$'\t' read -r name by file expression <&3; do
    [[ -z "${BREAKS:-}" || "$name" =~ $BREAKS ]] || continue
    copy_tree "$work/whole" "$work/tree"
    sed -i "$expression" "$work/tree/$file"
    if cmp -s "$root/$file" "$work/tree/$file"; then
        echo "not ok $name: its line in $file is not there any more"
        survived=$((survived + 1))
    elif ! make -s -j"$(nproc)" -C "$work/tree" PG_CONFIG="${PG_CONFIG:-pg_config}" >"$work/told" 2>&1; then
        echo "not ok $name: does not compile: $(grep -m 1 error "$work/told")"
        survived=$((survived + 1))
    elif DUNNING_STAGE=$work/tree/tmp/stage/$major check "$by" >"$work/told" 2>&1 </dev/null; then
        echo "not ok $name: $by saw nothing"
        survived=$((survived + 1))
    else
        echo "ok $name: $by says: $(telling | cut -c1-230)"
        killed=$((killed + 1))
    fi
done 3<"${BREAKS_FILE:-$root/test/faults/breaks.tsv}"
echo "$killed of $((killed + survived)) mistakes noticed"
[ "$survived" -eq 0 ] && [ "$killed" -gt 0 ]
