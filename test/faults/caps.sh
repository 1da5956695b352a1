#!/usr/bin/env bash
# make check-caps ROUNDS=30 SEED=1: N a window and never N + 1, with four workers of one database and others who go on asking.
#
# Persons have eight accounts, which lie with different workers; some have one. Each round is a day of the virtual clock, or two later: a
# part of what is asked for waits before the day begins, and while that leaves three sessions ask for more, for the same persons, by send()
# and by transactions that put many into the queue as plan() does. What was held yesterday is asked about again. Beside it unplanned messages
# of two campaigns that cost money, more than a day has; at last two servers of one rate_group.
#
# Counted is what the gateway got, by recipient: the days by when it came (nothing moves while the clock is moved), the rate by its own clock.
# A kind of window of which none was full has shown nothing, and the run fails.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

rounds=${ROUNDS:-30}
seed=${SEED:-1}
persons=${PERSONS:-40}
rate=40
[ -x "$bindir/postgres" ] || "$root/test/lib/stage.sh"
make -s -C "$root/test/gateways" CATCHER="$work/catcher"
start_catcher --honour-keys --delay 3
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.workers = 4" "dunning.slots = 16" \
    "dunning.allowed_hosts = '127.0.0.1:$http'" "timezone = 'UTC'" "dunning.timezone = 'UTC'" "fsync = off" "max_worker_processes = 16" "client_min_messages = error"
make_book
psql_ -d book -v http="http://127.0.0.1:$http/send" -v persons="$persons" -v rate="$rate/s" <<'SQL'
-- The caps at trial and no others. Who lives in Sweden has none: money and rate are tried there.
INSERT INTO dunning.contact_rule (rule, rings, windows, holidays, source) VALUES ('house-ring', true, 'Mon-Sun 00:00-24:00', false, 'test');
INSERT INTO dunning.contact_rule (rule, windows, source, enabled) SELECT r, 'Mon-Sun 00:00-24:00', 'test', false FROM unnest('{house-daily,house-weekly,house-ring-weekly,dk-ring}'::text[]) r;
INSERT INTO dunning.contact_rule (rule, country, channels, cap, cap_days, cap_scope, source) VALUES
    ('day', 'DK', NULL, 3, 1, 'person', 'test'), ('day-sms', 'DK', '{sms}', 1, 1, 'person', 'test'), ('week', 'DK', NULL, 10, 7, 'person', 'test'),
    ('account', 'DK', '{email}', 1, 2, 'debtor', 'test');
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', position '1');
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', position '1');
CREATE SERVER money TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat');
CREATE SERVER clock TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat');
CREATE SERVER line_a TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', rate :'rate', rate_group 'line');
CREATE SERVER line_b TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', rate :'rate', rate_group 'line');
SELECT format('CREATE USER MAPPING FOR dunning_worker SERVER %I', s) FROM unnest('{mail,text,money,clock,line_a,line_b}'::text[]) s \gexec
DROP SERVER honest CASCADE;
DROP SERVER once CASCADE;
SELECT dunning.save_strategy('north', 'tried'), dunning.save_strategy('south', 'tried') \g /dev/null
-- Each campaign has its purse, and both together one that is less than the sum.
SELECT dunning.set_budget(0.80, 'EUR', campaign => 'north'), dunning.set_budget(1.25, 'EUR', campaign => 'south'), dunning.set_budget(1.65, 'EUR') \g /dev/null

CREATE PROCEDURE helper.book(kind text, n int, accounts int, country text) LANGUAGE sql AS $$
    INSERT INTO dunning.debtor (debtor_id, person_id, name, given_name, language, country, time_zone, email, phone)
    SELECT kind || p || '-' || a, CASE WHEN accounts > 1 THEN 'person ' || kind || p END, 'Name', 'Given', 'en', country, 'UTC', kind || p || '-' || a || '@example.org',
           '+4530' || lpad((1000 * (accounts > 1)::int + p)::text, 4, '0') || lpad(a::text, 2, '0')
    FROM generate_series(1, n) p, generate_series(1, accounts) a;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
    SELECT kind || p || '-' || a, 'I', current_date - 40, current_date - 12, 1000 + p, 'DKK' FROM generate_series(1, n) p, generate_series(1, accounts) a;
$$;
CALL helper.book('p', :persons, 8, 'DK');
CALL helper.book('s', :persons / 2, 1, 'DK');
CALL helper.book('m', 60, 1, 'SE');
CALL helper.book('r', 400, 1, 'SE');
CALL helper.book('k', 64, 1, 'SE');     -- for the clock
-- Into the queue as plan() puts it there, but that no run planned it: one transaction.
CREATE FUNCTION helper.ask(ids text[], channel text, server text, campaign text, cost numeric) RETURNS void LANGUAGE plpgsql AS $do$
BEGIN
    PERFORM dunning._enqueue(format($q$
        SELECT dunning._uuid7() AS message_id, m.debtor_id, 'default' AS creditor, NULL::uuid AS run_id, %4$L AS strategy, 'step' AS step,
               'reminder-1' AS template, %5$L AS channel, 'en' AS language, %1$L AS server, dunning._now() AS contact_at, dunning._now() + interval '50 hours' AS not_after,
               'now' AS local_time, m.amounts, %6$L::numeric AS cost, 'EUR' AS cost_currency, NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value,
               NULL::float8 AS propensity, false AS explored, m.mark AS ledger_mark, c.context, '{}'::jsonb AS decision, 'queued' AS state,
               NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM (%3$s) m JOIN dunning._context(%2$L, NULL) c USING (debtor_id)$q$, server, ids, dunning._mark_sql(format('%L::text[]', ids)), campaign, channel, cost));
END $do$;
CREATE TABLE helper.day (round int, day date, began float8);
SQL

# A statement each; \gexec runs it as a transaction for itself. What send() holds at once waits for its hour like all the rest.
asking() { # asking ROUND SESSION
    cat <<SQL
SELECT setseed(((7919 * $seed + 31 * $1 + $2) % 1000) / 1000.0) \g /dev/null
SELECT CASE WHEN g % 3 = 0 THEN format('SELECT count(*) FROM dunning.send(%L, ''reminder-1'', %L, not_after => dunning._now() + interval ''50 hours'')', ids[1], channel)
            ELSE format('SELECT helper.ask(%L, %L, %L, NULL, 0)', ids, channel, CASE channel WHEN 'sms' THEN 'text' ELSE 'mail' END) END
FROM (SELECT g, CASE WHEN random() < 0.4 THEN 'sms' ELSE 'email' END AS channel,
             ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE d.debtor_id ~ '^[ps]' AND g > 0 ORDER BY random() LIMIT 6) AS ids FROM generate_series(1, ${ASKS:-24}) g) x \gexec
SQL
}

# Nothing that may leave is left.
await_quiet() {
    local n=0
    until [ "$(q -c "SELECT count(*) FROM dunning.queue WHERE state IN ('queued', 'sending') AND due <= dunning._now()")" = 0 ]; do
        n=$((n + 1)); [ "$n" -lt 1200 ] || { echo "the queue does not empty"; q -c 'SELECT * FROM dunning.queue_status'; exit 1; }
        tick 0.03
    done
}

pause() { q -c "SELECT dunning.$1(s) FROM unnest('{mail,text,money}'::text[]) s" >/dev/null; }

n=0
until [ "$(q -c "SELECT count(*) FROM dunning.stat_worker WHERE state IN ('idle', 'sending')")" = 4 ]; do
    n=$((n + 1)); [ "$n" -lt 600 ] || { echo "there are no four workers"; exit 1; }
    tick
done
RANDOM=$seed
day=1
for round in $(seq 1 "$rounds"); do
    pause pause
    q -c "ALTER SYSTEM SET dunning.clock = '$(date -u -d "today + $day days" +%F) 10:00+00'" -c 'SELECT pg_reload_conf()' >/dev/null
    # Each worker has the new day when it has sent to those who are asked for on it: there are some in everybody's slices.
    n=0
    until [ "$(q -c 'SHOW dunning.clock')" = "$(date -u -d "today + $day days" +%F) 10:00+00" ]; do
        n=$((n + 1)); [ "$n" -lt 200 ] || { echo "the clock stands"; exit 1; }
        tick 0.01
    done
    q -c "SELECT helper.ask(ARRAY(SELECT 'k' || i || '-1' FROM generate_series(1, 64) i), 'email', 'clock', NULL, 0)" >/dev/null
    n=0
    until [ "$(q -c "SELECT count(*) FROM dunning.queue WHERE server = 'clock'")" = 0 ]; do
        n=$((n + 1)); [ "$n" -lt 600 ] || { echo "the workers do not see the day"; q -c 'SELECT * FROM dunning.queue_status'; exit 1; }
        tick 0.02
    done
    q -c "INSERT INTO helper.day VALUES ($round, dunning._now()::date, extract(epoch FROM clock_timestamp()))" -c "SELECT setseed($round / 1000.0)" \
        -c "SELECT helper.ask(ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE d.debtor_id ~ '^[ps]' ORDER BY random() LIMIT 4 * $persons), 'email', 'mail', NULL, 0)" \
        -c "SELECT helper.ask(ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE d.debtor_id ~ '^[ps]' ORDER BY random() LIMIT 2 * $persons), 'sms', 'text', NULL, 0)" \
        -c "SELECT helper.ask(ARRAY(SELECT 'm' || i || '-1' FROM generate_series(1, 60) i WHERE i % 2 = 0), 'email', 'money', 'north', 0.07)" \
        -c "SELECT helper.ask(ARRAY(SELECT 'm' || i || '-1' FROM generate_series(1, 60) i WHERE i % 2 = 1), 'email', 'money', 'south', 0.11)" >/dev/null
    pause resume
    asked=()
    for session in 1 2 3; do
        asking "$round" "$session" | psql_ -d book >/dev/null &
        asked+=($!)
    done
    for session in "${asked[@]}"; do wait "$session"; done
    await_quiet
    day=$((day + 1 + RANDOM % 3 / 2))
done
# The line, from two servers and by all workers.
q -c "SELECT dunning.pause('line_a'), dunning.pause('line_b')" \
    -c "SELECT helper.ask(ARRAY(SELECT 'r' || i || '-1' FROM generate_series(1, least(400, 10 * $rounds + 60)) i WHERE i % 2 = 0), 'email', 'line_a', NULL, 0)" \
    -c "SELECT helper.ask(ARRAY(SELECT 'r' || i || '-1' FROM generate_series(1, least(400, 10 * $rounds + 60)) i WHERE i % 2 = 1), 'email', 'line_b', NULL, 0)" \
    -c "SELECT dunning.resume('line_a'), dunning.resume('line_b')" >/dev/null
await_quiet

q -c 'TRUNCATE helper.ledger' -c "\\copy helper.ledger FROM '$work/ledger'"
# The windows are counted here from nothing but who got what when: no cap, no count of the database is asked.
q -v rate="$rate" <<'SQL'
CREATE TABLE helper.got AS
SELECT CASE WHEN x.recipient LIKE '+%' THEN CASE WHEN substr(x.recipient, 6, 1) = '1' THEN 'p' ELSE 's' END || substr(x.recipient, 7, 3)::int ELSE split_part(split_part(x.recipient, '@', 1), '-', 1) END AS person,
       x.recipient, CASE WHEN x.recipient LIKE '+%' THEN 'sms' ELSE 'email' END AS channel, x.at, d.day, d.round
FROM helper.ledger x JOIN LATERAL (SELECT d.day, d.round FROM helper.day d WHERE d.began <= x.at ORDER BY d.began DESC LIMIT 1) d ON true
WHERE x.what = 'accept' AND x.recipient !~ '^k';
CREATE TABLE helper.caps (kind text, what text, channels text, days int, most numeric, ord int);
INSERT INTO helper.caps VALUES ('a person and day', '^[ps]', 'email sms', 1, 3, 1), ('a person, day and channel', '^[ps]', 'sms', 1, 1, 2), ('a person and week', '^[ps]', 'email sms', 7, 10, 3),
    ('an account, channel and two days', '^[ps]', 'email', 2, 1, 4);
CREATE TABLE helper.windows AS
-- Every window begins with a contact.
SELECT c.ord, c.kind, c.most, (SELECT count(*) FROM helper.got o WHERE CASE WHEN c.kind LIKE 'an account%' THEN o.recipient = g.who ELSE o.person = g.who END
        AND position(o.channel IN c.channels) > 0 AND o.day >= g.day AND o.day < g.day + c.days)::numeric AS n, 1 AS unit
FROM helper.caps c CROSS JOIN LATERAL (SELECT DISTINCT CASE WHEN c.kind LIKE 'an account%' THEN g.recipient ELSE g.person END AS who, g.day FROM helper.got g
    WHERE g.person ~ c.what AND position(g.channel IN c.channels) > 0) g
UNION ALL
SELECT 5, 'a campaign and day, EUR', b.most, sum(b.cost), b.cost FROM (
    SELECT g.day, CASE WHEN substr(g.person, 2)::int % 2 = 0 THEN 0.07 ELSE 0.11 END AS cost, CASE WHEN substr(g.person, 2)::int % 2 = 0 THEN 0.80 ELSE 1.25 END AS most
    FROM helper.got g WHERE g.person ~ '^m') b GROUP BY b.day, b.most, b.cost
UNION ALL
SELECT 6, 'all campaigns and a day, EUR', 1.65, sum(CASE WHEN substr(g.person, 2)::int % 2 = 0 THEN 0.07 ELSE 0.11 END), 0.11 FROM helper.got g WHERE g.person ~ '^m' GROUP BY g.day
UNION ALL
-- A second as who gets it sees it: what left in one may have been up to 50 ms on its way.
SELECT 7, 'a rate_group and second', :rate, (SELECT count(*) FROM helper.got o WHERE o.person ~ '^r' AND o.at >= g.at AND o.at < g.at + 0.95), 1 FROM helper.got g WHERE g.person ~ '^r';
CREATE TABLE helper.verdict AS
SELECT ord, kind, count(*) AS windows, count(*) FILTER (WHERE n > most) AS over, count(*) FILTER (WHERE n <= most AND n + unit > most) AS filled, max(n) AS fullest, array_agg(DISTINCT most ORDER BY most) AS most
FROM helper.windows GROUP BY ord, kind;
SELECT format('%s: %s of %s windows had more than %s; %s were full, the fullest had %s', kind, over, windows, array_to_string(most, ' or '), filled, fullest) FROM helper.verdict ORDER BY ord;
SQL
read -r kinds over idle < <(q -F ' ' -c 'SELECT count(*), sum(over), count(*) FILTER (WHERE filled = 0 AND over = 0) FROM helper.verdict')
arrived=$(q -c 'SELECT count(*) FROM helper.got')
held=$(q -c "SELECT count(DISTINCT (debtor_id, message_id)) FROM dunning.message_state WHERE reason LIKE 'cap:%' OR reason = 'budget'")
asked=$(q -c 'SELECT count(*) FROM dunning.message')
echo "$rounds days, four workers, seed $seed: $asked messages asked for, $arrived arrived, $held wait for a cap or a budget; $over windows had more than N, $idle kinds were never full"
no_crash && [ "$kinds" = 7 ] && [ "$over" = 0 ] && [ "$idle" = 0 ]
