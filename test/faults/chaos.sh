#!/usr/bin/env bash
# make check-chaos N=10000 SEED=1: every script of the catcher at random, by three workers, against a gateway that honours
# keys (contract repeat), one that is tried once, and SMTP. Half of the messages go through a fault.
#
# Each message must end in the state that its script deserves, arrive as often as it deserves, and what arrived must be what
# the book says: recipient, bytes, amount (lib.sh compares). A gateway that lies, saying 200 and keeping nothing, is believed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

n=${N:-10000}
seed=${SEED:-1}
# script, then for each of repeat, once and SMTP: the state it ends in and how often it is accepted; -: not for this one.
# Three attempts are made: what is refused by code until then is dead, what may have arrived is unknown. Of the codes that do not say
# that it was not taken (408, 5xx but 503) only who honours keys is asked again.
deserved='
plain               sent:1      sent:1      sent:1
200                 sent:0      sent:0      -
400                 dead:0      dead:0      -
404                 dead:0      dead:0      -
408                 dead:0      unknown:0   -
425                 dead:0      dead:0      -
429-0               dead:0      dead:0      -
500                 dead:0      unknown:0   -
502                 dead:0      unknown:0   -
504                 dead:0      unknown:0   -
503                 dead:0      dead:0      -
flaky-503-2         sent:1      sent:1      -
flaky-429-1         sent:1      sent:1      -
flaky-408-3         dead:0      unknown:0   -
flaky-504-2         sent:1      unknown:0   -
slow-30             sent:1      sent:1      sent:1
lost-once           sent:1      unknown:1   unknown:1
reset-after-body    unknown:1   unknown:1   -
reset-before-body   unknown:0   unknown:0   -
no-reply            unknown:1   unknown:1   unknown:1
half-reply          unknown:1   unknown:1   -
garbage             unknown:1   unknown:1   -
bomb                sent:1      sent:1      -
redirect            dead:0      dead:0      -
450                 -           -           dead:0
550                 -           -           dead:0
554                 -           -           dead:0
dot-451             -           -           dead:0
dot-554             -           -           dead:0
drop-before-dot     -           -           unknown:0
drop-after-dot      -           -           unknown:1
'

options=() groups=() number=100
while read -r script repeat once smtp; do
    [ -n "$script" ] || continue
    number=$((number + 1))
    for group in "r:$repeat:honest" "o:$once:once" "m:$smtp:mail"; do
        [ "${group:2:1}" != - ] || continue
        name=${group:0:1}$number
        groups+=("$name:$script:${group:2}")
        [ "$script" = plain ] || options+=(--fault "$name-=$script")
    done
done <<<"$deserved"

build_faulty
start_catcher --honour-keys "${options[@]}"
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.workers = 3" "dunning.retry_delay = '20ms'" \
    "dunning.max_attempts = 3" "dunning.slots = 48" "dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp'" "timezone = 'UTC'" "fsync = off"
make_book
psql_ -d book -v smtp="smtp://127.0.0.1:$smtp" <<'SQL'
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url :'smtp', "from" 'a@example.org', tls 'none', timeout '3s');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
-- Each message for itself: so many failures in a row would let the others wait.
ALTER SERVER mail OPTIONS (ADD breaker_after '1000000');
ALTER SERVER honest OPTIONS (ADD timeout '3s', ADD breaker_after '1000000');
ALTER SERVER once OPTIONS (ADD timeout '3s', ADD breaker_after '1000000');
CREATE TABLE helper.deserved (prefix text PRIMARY KEY, script text, state text, accepts int);
SQL

# Half of the messages are plain, the other half falls on a script each by the seed.
RANDOM=$seed
declare -A count
for _ in $(seq 1 $((n / 2))); do
    pick=${groups[$(((RANDOM * 32768 + RANDOM) % ${#groups[@]}))]}
    count[$pick]=$((${count[$pick]:-0} + 1))
done
for group in "${groups[@]}"; do
    IFS=: read -r name script state accepts server <<<"$group"
    some=${count[$group]:-0}
    [ "$script" != plain ] || some=$((some + n / 6))
    asked=$((${asked:-0} + some))
    echo "INSERT INTO helper.deserved VALUES ('$name', '$script', '$state', $accepts);"
    [ "$some" = 0 ] || echo "CALL helper.enqueue('$name', $some, '$server');"
done >"$work/enqueue.sql"
asked=$(sed -n "s/^CALL.*', \([0-9]*\), .*/\1/p" "$work/enqueue.sql" | awk '{s += $1} END {print s}')
from=$(date +%s%N)
q -f "$work/enqueue.sql"
wait=0
until [ "$(q -c 'SELECT count(*) FROM dunning.queue')" = 0 ]; do
    wait=$((wait + 1))
    [ "$wait" -lt 3600 ] || { echo "the queue does not empty"; q -c 'SELECT * FROM dunning.queue_status'; exit 1; }
    tick
done
seconds=$(awk "BEGIN{printf \"%.1f\", ($(date +%s%N) - $from) / 1e9}")
load_ledger
compare_ledgers "$asked"
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
CREATE TABLE helper.ended AS
    SELECT d.script, k.server, d.state AS deserved, k.state, d.accepts AS deserved_accepts, k.accepts, k.arrivals, k.reason
    FROM helper.known k JOIN helper.deserved d ON d.prefix = split_part(k.debtor_id, '-', 1);
SELECT script, server, deserved, state, deserved_accepts, accepts, count(*) AS messages, min(reason) AS reason
FROM helper.ended WHERE state <> deserved OR accepts <> deserved_accepts GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2;
CREATE TABLE helper.verdict AS
SELECT * FROM helper.deviation
UNION ALL SELECT 'ends in another state than its script deserves', count(*) FROM helper.ended WHERE state <> deserved
UNION ALL SELECT 'arrived more or less often than its script deserves', count(*) FROM helper.ended WHERE accepts <> deserved_accepts;
SELECT server, state, count(*) AS messages, sum(accepts) AS accepted, sum(arrivals) AS arrived, sum(intents) AS intents FROM helper.known GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM helper.verdict;
SQL
bad=$(q -c 'SELECT sum(n) FROM helper.verdict')
echo "$asked messages, seed $seed, $seconds s: $bad deviations"
no_crash && [ "$bad" = 0 ]
