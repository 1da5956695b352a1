#!/usr/bin/env bash
# A room's folder, install part, test and golden file have the same name.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
for part in sql/modules/*.sql; do
    room=$(basename "$part" .sql | sed -E 's/^[0-9]+_([a-z]+).*/\1/')
    [ "$room" = owner ] && continue
    [ -f "test/sql/$room.sql" ] || { echo "$part has no test/sql/$room.sql"; bad=1; }
    [ -f "expected/$room.out" ] || { echo "$part has no expected/$room.out"; bad=1; }
done
for test in test/sql/*.sql; do
    name=$(basename "$test" .sql)
    ls sql/modules/[0-9][0-9]_"$name".sql >/dev/null 2>&1 || { echo "$test is no room's test"; bad=1; }
done
exit $bad
