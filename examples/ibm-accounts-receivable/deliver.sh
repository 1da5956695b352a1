#!/usr/bin/env bash
# After run.sh, and after CREATE SERVER ... TYPE 'email' (the README of this repository shows one): plan under the virtual clock of
# 2013-06-30 and deliver the week's contacts, each when its hour has come. The connection comes from the environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
run() { "${PSQL:-psql}" -X -q -v ON_ERROR_STOP=1 -P footer=off "$@"; }
run -f "$here/04_plan.sql"
for day in 2013-06-30 2013-07-0{1,2,3,4,5,6,7}; do
    for hour in 08:30 11:00 14:00 19:30; do
        run -c "SET dunning.clock = '$day $hour+00'" -c 'CALL dunning.deliver(max_seconds => 60)'
    done
done
run -c "SELECT m.channel, s.state, s.reason, count(*) AS messages FROM dunning.message m JOIN dunning.message_state s USING (message_id, debtor_id)
        GROUP BY 1, 2, 3 ORDER BY 4 DESC"
