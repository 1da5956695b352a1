#!/usr/bin/env bash
# test/capabilities.tsv says which test shows a capability: id, test file, the test's name. Each file and each name exists.
# Ids are those of the feature list (S01 ... D03); what users of other projects asked for is project-number.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
line=0
while IFS=$'\t' read -r id file name rest; do
    line=$((line + 1))
    case "$id" in ''|'#'*) continue ;; esac
    [ -z "$rest" ] && [ -n "$name" ] || { echo "test/capabilities.tsv:$line: not three columns"; bad=1; continue; }
    [ -f "$file" ] || { echo "$id: there is no $file"; bad=1; continue; }
    # A name stands in a comment line of its own, or is the name that a TAP test gives: nothing that goes on with it.
    grep -qE -- "(^|[^A-Za-z0-9_])$name([^A-Za-z0-9_]|\$)" "$file" || { echo "$id: $file has no test $name"; bad=1; }
done <test/capabilities.tsv
[ "$line" -gt 0 ] || { echo "test/capabilities.tsv is empty"; bad=1; }
exit $bad
