#!/usr/bin/env bash
# test/capabilities.tsv says which test shows a capability: id, test file, the test's name. Each file and each name exists.
# Ids are those of test/capabilities.ids (S01 ... D03; what users of other projects asked for is project-number), where an id
# without a test has its reason. LIST=1 prints those.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
line=0
declare -A asks why shown
while IFS=$'\t' read -r id asked missing rest; do
    case "$id" in ''|'#'*) continue ;; esac
    [ -n "$asked" ] && [ -z "$rest" ] || { echo "test/capabilities.ids: $id: not two or three columns"; bad=1; }
    [ -z "${asks[$id]:-}" ] || { echo "test/capabilities.ids: $id stands there twice"; bad=1; }
    asks[$id]=$asked
    why[$id]=$missing
done <test/capabilities.ids
while IFS=$'\t' read -r id file name rest; do
    line=$((line + 1))
    case "$id" in ''|'#'*) continue ;; esac
    [ -z "$rest" ] && [ -n "$name" ] || { echo "test/capabilities.tsv:$line: not three columns"; bad=1; continue; }
    [ -n "${asks[$id]:-}" ] || { echo "test/capabilities.tsv:$line: there is no id $id in test/capabilities.ids"; bad=1; continue; }
    shown[$id]=1
    [ -f "$file" ] || { echo "$id: there is no $file"; bad=1; continue; }
    # A name stands in a comment line of its own, or is the name that a TAP test gives: nothing that goes on with it.
    grep -qE -- "(^|[^A-Za-z0-9_])$name([^A-Za-z0-9_]|\$)" "$file" || { echo "$id: $file has no test $name"; bad=1; }
done <test/capabilities.tsv
[ "$line" -gt 0 ] || { echo "test/capabilities.tsv is empty"; bad=1; }
without=0
for id in $(printf '%s\n' "${!asks[@]}" | LC_ALL=C sort); do
    [ -z "${shown[$id]:-}" ] || continue
    without=$((without + 1))
    [ -n "${why[$id]}" ] || { echo "$id (${asks[$id]}) has neither a test nor a reason"; bad=1; }
    [ -z "${LIST:-}" ] || printf '%s\t%s\t%s\n' "$id" "${asks[$id]}" "${why[$id]}"
done
echo "${#shown[@]} of ${#asks[@]} capabilities have a test, $without a reason"
exit $bad
