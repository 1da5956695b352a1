#!/usr/bin/env bash
# make check-soak MINUTES=10 SEED=1: everything at once, for as long as you like.
#
# Turn by turn messages for a gateway that honours keys, one that is tried once, and SMTP, a part of them through a fault
# (lost answers, 503, 404, 4xx and 5xx of mail); before they may leave some move, some have paid, some are cancelled; while they leave
# others are cancelled or pay, a server is paused, a worker is ended or killed, receipts come in any order and twice, maintain() runs. Beside them
# SMS, WhatsApp, push, letters into a spool directory, calls and visits onto the worklist, where persons answer them. Halfway the
# virtual clock lets retention drop a month, of whose messages some were sent among the next one's. At the end
# the two ledgers are compared (lib.sh): nothing lost, nothing twice, nobody else's, each contact in one final state with a
# reason, chains verify. What a worker's memory and files grew by in its life, dead tuples and the age of the backlog are printed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

minutes=${MINUTES:-10}
seed=${SEED:-1}
most_kib=${MOST_KIB:-12288}      # a worker's growth
[ -x "$bindir/postgres" ] || "$root/test/lib/stage.sh"
make -s -C "$root/test/gateways" CATCHER="$work/catcher"
start_catcher --honour-keys --delay 2 --fault flaky=flaky-503-2 --fault lost=lost-once --fault gone=404 --fault later=450 --fault never=550 --fault slow=slow-300 --fault +4525=flaky-503-2
as_pg mkdir -p "$work/spool/print"
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.workers = 2" "dunning.retry_delay = '50ms'" "dunning.max_attempts = 4" \
    "dunning.slots = 32" "dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp'" "timezone = 'UTC'" "fsync = off" "restart_after_crash = on" "autovacuum_naptime = '5s'" \
    "dunning.spool_directory = '$work/spool'"
make_book
psql_ -d book -v smtp="smtp://127.0.0.1:$smtp" -v http="http://127.0.0.1:$http/send" <<'SQL'
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url :'smtp', "from" 'a@example.org', tls 'none', timeout '3s', breaker_after '1000000');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
ALTER SERVER honest OPTIONS (ADD breaker_after '1000000');
ALTER SERVER once OPTIONS (ADD breaker_after '1000000');
-- At any hour, on any day.
INSERT INTO dunning.contact_rule (rule, rings, windows, holidays, source) VALUES ('house-ring', true, 'Mon-Sun 00:00-24:00', false, 'test');
INSERT INTO dunning.contact_rule (rule, windows, source, enabled) SELECT r, 'Mon-Sun 00:00-24:00', 'test', false FROM unnest('{dk-ring,dk-visit}'::text[]) r;
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', breaker_after '1000000');
CREATE SERVER chat TYPE 'whatsapp' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', breaker_after '1000000');
CREATE SERVER push TYPE 'push' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', breaker_after '1000000');
CREATE SERVER print TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'print');
CREATE SERVER desk TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
CREATE SERVER round TYPE 'visit' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
SELECT format('CREATE USER MAPPING FOR dunning_worker SERVER %I', s) FROM unnest('{text,chat,push,print,desk,round}'::text[]) s \gexec
CREATE TABLE helper.sample (turn int, pid int, kib int, files int);
CREATE TABLE helper.backlog (turn int, waiting bigint, oldest_s float8, dead bigint);
SQL
asked=0 killed=0 ended=0 paused=0
now() { date +%s%N; }
start=$(now)
until_ns=$(awk "BEGIN{printf \"%.0f\", $start + $minutes * 6e10}")
RANDOM=$seed

# try SQL...: what may meet a crash is tried until it does not; each is a transaction for itself.
try() {
    local n=0
    until q "$@" >/dev/null 2>"$work/said"; do
        # What was committed before the crash is not made twice.
        ! grep -q 'duplicate key' "$work/said" || return 0
        grep -qE 'connection|shutting down|starting up|recovery|terminat' "$work/said" || { cat "$work/said"; exit 1; }
        n=$((n + 1)); [ "$n" -lt 20 ] || { cat "$work/said"; exit 1; }
        await_server
    done
}
servers="'{honest,once,mail,text,chat,push,print,desk,round}'::text[]"
enqueue() { # enqueue NAME N SERVER [CHANNEL [MONTHS_AGO]]
    try -c "CALL helper.enqueue('$1', $2, '$3', '${4:-email}', ${5:-0})"
    asked=$((asked + $2))
}
cancel_sql() { echo "SELECT count(*) FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') WHERE m.debtor_id LIKE '$1-%$2'"; }
pay_sql() {
    echo "INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) SELECT i.debtor_id, 'P', now(), i.amount, i.currency FROM dunning.invoice i
          WHERE i.debtor_id LIKE '$1-%$2' AND NOT EXISTS (SELECT FROM dunning.payment p WHERE p.debtor_id = i.debtor_id)"
}
sample() {
    local pid
    for pid in $(q -c 'SELECT pid FROM dunning.stat_worker' 2>/dev/null); do
        q -c "INSERT INTO helper.sample VALUES ($turn, $pid, $(awk '/^RssAnon/ {print $2}' "/proc/$pid/status" 2>/dev/null || echo 0), $(find "/proc/$pid/fd" 2>/dev/null | wc -l))" 2>/dev/null || true
    done
    q -c "INSERT INTO helper.backlog SELECT $turn, count(*), coalesce(extract(epoch FROM max(dunning._now() - q.due)), 0), (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'dunning.queue'::regclass)
          FROM dunning.queue q WHERE q.state = 'queued'" 2>/dev/null || true
}
# Those of last month go, are archived as they stand, and then as if the time of their keeping were over.
drain() {
    local n=0
    until [ "$(q -c "SELECT count(*) FROM dunning.queue" 2>/dev/null)" = 0 ]; do
        n=$((n + 1))
        [ "$n" -lt 1200 ] || { echo "the queue does not empty"; q -c 'SELECT * FROM dunning.queue_status'; exit 1; }
        tick
    done
}
old="dunning._uuid7_floor(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
retain() {
    try -c "INSERT INTO helper.gone SELECT m.message_id, m.server, m.debtor_id, m.channel, s.state, s.reason, e.intents, e.digests FROM dunning.message m JOIN dunning.message_state s USING (debtor_id, message_id)
            JOIN (SELECT debtor_id, message_id, count(*) AS intents, array_agg(body_digest) AS digests FROM dunning.egress GROUP BY 1, 2) e USING (debtor_id, message_id) WHERE m.message_id < $old;
        SELECT set_config('dunning.clock', (date_trunc('month', now() AT TIME ZONE 'UTC') + dunning._value_of('retention_days')::int * interval '1 day' + interval '1 hour')::text || '+00', true);
        INSERT INTO helper.dropped SELECT rows FROM dunning.maintain() WHERE item = 'months dropped'"
    retained=$((retained + 1))
}
answer_tasks() {
    try -c "SELECT count(*) FROM (SELECT t.task_id FROM dunning.task t WHERE t.kind IN ('call', 'visit') AND t.completed_at IS NULL AND hashtext(t.task_id::text) % 3 <> 0 LIMIT 40) x,
        LATERAL dunning.complete_task(x.task_id, (ARRAY['done', 'reached', 'promised', 'refused', 'no_answer', 'wrong_number'])[1 + abs(hashtext('outcome ' || x.task_id)) % 6])"
}

turn=0 retained=0
try -c 'CREATE TABLE helper.dropped (rows bigint)'
for name in "agedh:20:honest:email" "agedo:10:once:email" "agedm:10:mail:email" "agedt:10:text:sms" "agedl:8:print:letter" "agedc:6:desk:call"; do
    IFS=: read -r name some server channel <<<"$name"
    enqueue "$name" "$some" "$server" "$channel" 1
done
drain
while [ "$(now)" -lt "$until_ns" ]; do
    turn=$((turn + 1))
    try -c "SELECT dunning.pause(s) FROM unnest($servers) s"
    for name in "a$turn:80:honest" "o$turn:40:once" "m$turn:60:mail" "flaky$turn:6:honest" "lost$turn:6:honest" "gone$turn:3:honest" "slow$turn:6:honest" "lostonce$turn:3:once" \
        "goneonce$turn:2:once" "later$turn:2:mail" "never$turn:2:mail" "lostmail$turn:2:mail" \
        "t$turn:10:text:sms" "flakysms$turn:3:text:sms" "w$turn:6:chat:whatsapp" "p$turn:6:push:push" "l$turn:8:print:letter" "c$turn:8:desk:call" "v$turn:4:round:visit"; do
        IFS=: read -r name some server channel <<<"$name"
        enqueue "$name" "$some" "$server" "$channel"
    done
    # Some of last month leave among those of this one, as all do that are planned for later.
    [ "$turn" -ne 1 ] || enqueue agedx 40 honest email 1
    # Nothing has left: who moved gets it at the new address, who paid or was taken back gets none.
    try -c "INSERT INTO helper.moved SELECT d.debtor_id, 'moved-' || d.debtor_id || '@example.org' FROM dunning.debtor d WHERE d.debtor_id ~ '^[aom]$turn-.*3$'" \
        -c "UPDATE dunning.debtor d SET email = x.address FROM helper.moved x WHERE x.debtor_id = d.debtor_id AND d.email <> x.address"
    try -c "$(pay_sql "a$turn" 7)" -c "$(pay_sql "m$turn" 7)" -c "$(pay_sql "l$turn" 7)" -c "$(pay_sql "c$turn" 7)"
    try -c "$(cancel_sql "o$turn" 9)" -c "$(cancel_sql "t$turn" 9)"
    try -c "SELECT dunning.resume(s) FROM unnest($servers) s"
    # They are leaving.
    case $((RANDOM % 12)) in
        0) pid=$(q -c 'SELECT pid FROM dunning.stat_worker LIMIT 1' || true); [ -z "$pid" ] || { kill -9 "$pid" 2>/dev/null && killed=$((killed + 1)); } || true; tick 0.1; await_server ;;
        1 | 2) pid=$(q -c 'SELECT pid FROM dunning.stat_worker ORDER BY worker DESC LIMIT 1' || true); [ -z "$pid" ] || { kill -TERM "$pid" 2>/dev/null && ended=$((ended + 1)); } || true ;;
        3) try -c "SELECT dunning.pause('honest')"; tick 0.2; try -c "SELECT dunning.resume('honest')"; paused=$((paused + 1)) ;;
        4) try -c 'SELECT count(*) FROM dunning.maintain()' ;;
    esac
    try -c "$(cancel_sql "a$turn" 5)"
    try -c "$(pay_sql "o$turn" 5)"
    # Receipts of the last turns, in any order, some twice.
    try -c "SELECT count(*) FROM (SELECT k.kind, m.debtor_id, m.message_id FROM dunning.message m JOIN dunning.message_state s USING (debtor_id, message_id), unnest(ARRAY['opened', 'delivered', 'delivered', 'clicked']) k(kind)
        WHERE m.debtor_id ~ '^[am]($turn|$((turn - 1)))-.*[1248]$' AND s.state IN ('sent', 'delivered') ORDER BY hashtext(m.message_id::text || k.kind)) x, LATERAL dunning.record_event(x.kind, x.debtor_id, x.message_id) r"
    answer_tasks
    [ "$retained" -gt 0 ] || [ $((2 * ($(now) - start))) -lt $((until_ns - start)) ] || retain
    sample
done
drain
answer_tasks
turn=$((turn + 1)); sample
load_ledger "$work/spool/print"
compare_ledgers "$asked"
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
CREATE TABLE helper.verdict AS
SELECT * FROM helper.deviation
UNION ALL SELECT 'a final state without a reason', count(*) FROM helper.known WHERE coalesce(reason, '') = ''
UNION ALL SELECT 'paid before it might leave, and sent', count(*) FROM helper.known WHERE debtor_id ~ '^[amlc]\d+-\d*7$' AND arrivals > 0
UNION ALL SELECT 'taken back before it might leave, and sent', count(*) FROM helper.known WHERE debtor_id ~ '^[ot]\d+-\d*9$' AND arrivals > 0
UNION ALL SELECT 'one that is not there was reached', count(*) FROM helper.known WHERE debtor_id ~ '^(gone|goneonce|never|later)\d' AND (accepts > 0 OR state NOT IN ('dead', 'failed', 'unknown'))
UNION ALL SELECT 'honest gateway, undisturbed: not sent', count(*) FROM helper.known WHERE debtor_id ~ '^([a]\d+-\d*[012468]|[twp]\d+-\d*[0-8])$' AND state NOT IN ('sent', 'delivered')
UNION ALL SELECT 'sent, and no file and no task, or several', count(*) FROM helper.known WHERE channel IN ('letter', 'call', 'visit') AND state IN ('sent', 'delivered', 'failed') AND accepts <> 1
UNION ALL SELECT 'answered by a person, and its message does not say so', count(*) FROM helper.known k WHERE NOT EXISTS (SELECT FROM helper.gone g WHERE g.message_id = k.message_id)
    AND EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = k.debtor_id AND t.message_id = k.message_id AND t.kind IN ('call', 'visit') AND t.completed_at IS NOT NULL)
    AND state <> CASE WHEN missed THEN 'failed' ELSE 'delivered' END
UNION ALL SELECT 'past their keeping, and not dropped', CASE WHEN (SELECT sum(rows) FROM helper.dropped) > 0 THEN 0 ELSE 1 END + (SELECT count(*) FROM dunning.message m JOIN helper.gone g USING (message_id))
    + (SELECT abs(64 + 40 - count(*)) FROM helper.gone);
SELECT server, channel, state, split_part(reason, ':', 1) AS reason, count(*) AS messages, sum(accepts) AS accepted, sum(arrivals) AS arrived FROM helper.known GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT * FROM helper.verdict;
-- The first turns of a life fill caches; growth is counted from the third sample on.
CREATE TABLE helper.growth AS
SELECT pid, count(*) AS turns, (array_agg(kib ORDER BY turn DESC))[1] - (array_agg(kib ORDER BY turn))[3] AS kib, (array_agg(files ORDER BY turn DESC))[1] - (array_agg(files ORDER BY turn))[3] AS files
FROM helper.sample WHERE kib > 0 GROUP BY pid HAVING count(*) >= 4;
SELECT count(*) AS lives, max(turns) AS longest_life, max(kib) AS most_growth_kib, max(files) AS most_files_more FROM helper.growth;
SELECT max(waiting) AS most_waiting, round(max(oldest_s)::numeric, 1) AS oldest_due_s, max(dead) AS most_dead_in_queue, (array_agg(dead ORDER BY turn DESC))[1] AS dead_at_the_end FROM helper.backlog;
SQL
bad=$(q -c 'SELECT sum(n) FROM helper.verdict')
grown=$(q -c 'SELECT coalesce(max(kib), 0) FROM helper.growth')
echo "$asked messages in $((turn - 1)) turns, seed $seed, $killed workers killed, $ended ended, $paused pauses: $bad deviations; a worker grew by $grown KiB at most"
no_crash && [ "$bad" = 0 ] && [ "$grown" -le "$most_kib" ]
