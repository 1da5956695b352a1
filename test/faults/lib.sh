# Sourced by crash.sh, race.sh and chaos.sh: a test build in a tree of its own, one cluster, the catcher, a book of debtors.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

work=$(scratch_dir)
catcher_pid=
cleanup() {
    stop_cluster "$work"
    [ -z "$catcher_pid" ] || { kill "$catcher_pid" && wait "$catcher_pid"; } 2>/dev/null || true
    [ -z "${KEEP:-}" ] || { mkdir -p "$root/tmp/faults" && cp "$work/server.log" "$work/ledger" "$root/tmp/faults/"; }
    rm -rf "$work"
}
trap cleanup EXIT

# The fault points are compiled in here and nowhere else: a copy of the tree, a copy of the server's tree.
build_faulty() {
    local plain=$stage
    [ -x "$bindir/postgres" ] || "$root/test/lib/stage.sh"
    mkdir "$work/tree"
    (cd "$root" && tar --exclude=./tmp --exclude='*.o' --exclude='*.so' --exclude=./.git -cf - .) | tar -xf - -C "$work/tree"
    cp -al "$plain" "$work/stage" 2>/dev/null || cp -a "$plain" "$work/stage"
    FAULTS=1 DUNNING_STAGE=$work/stage "$work/tree/test/lib/stage.sh"
    stage=$work/stage
    bindir=$stage/usr/lib/postgresql/$major/bin
    make -s -C "$work/tree/test/gateways" CATCHER="$work/catcher"
}

start_catcher() { # start_catcher OPTION...
    mkfifo "$work/ports"
    "$work/catcher" --ledger "$work/ledger" --bodies "$work/bodies" "$@" >"$work/ports" &
    catcher_pid=$!
    { read -r _ http; read -r _ smtp; } <"$work/ports"
}

q() { psql_ -d book -At "$@"; }

# We kill by signal 9. Any other signal that ends a process is a fault of ours, whatever the ledgers say.
no_crash() {
    ! grep -E 'was terminated by signal (4|6|7|8|11)\b|TRAP:|PANIC:' "$work/server.log"
}

# Wait a moment without sleeping: nothing ever arrives on this descriptor.
tick() { read -rt "${1:-0.05}" <> <(:) || true; }

# Until the server answers again after a crash.
await_server() {
    local n=0
    until q -c 'SELECT 1' >/dev/null 2>&1; do
        n=$((n + 1))
        [ "$n" -lt 600 ] || { echo "the server did not come back"; tail -n 30 "$work/server.log"; exit 1; }
        tick
    done
}

start_again() {
    local n=0
    # Children of a killed postmaster keep its shared memory until they notice.
    until as_pg "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w -s start </dev/null >/dev/null 2>&1; do
        n=$((n + 1))
        [ "$n" -lt 200 ] || { echo "the server could not be started"; tail -n 30 "$work/server.log"; exit 1; }
        tick
    done
}

# The book: every debtor owes one invoice; e-mail is allowed round the clock, so that the test does not depend on it.
make_book() { # make_book [DATABASE]
    local name=${1:-book}
    psql_ -d postgres -c "CREATE DATABASE $name"
    psql_ -d "$name" -v http="http://127.0.0.1:$http/send" <<'SQL'
CREATE EXTENSION dunning;
INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
CREATE SERVER honest TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', "from" 'a@example.org');
CREATE SERVER once TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'once', "from" 'a@example.org');
CREATE USER MAPPING FOR dunning_worker SERVER honest;
CREATE USER MAPPING FOR dunning_worker SERVER once;
CREATE SCHEMA helper;
-- Where each can be reached, as the book was filled; what the database says later is compared with this.
CREATE TABLE helper.reach (debtor_id text PRIMARY KEY, phone text);
CREATE SEQUENCE helper.phone START 200000;
-- Messages of months that retention has dropped since, as they stood.
CREATE TABLE helper.gone (message_id uuid, server text, debtor_id text, channel text, state text, reason text, intents bigint, digests bytea[]);
-- Debtors name-1 .. name-n and a message to each, in one transaction; months_ago: with keys as messages of that month have them.
CREATE PROCEDURE helper.enqueue(name text, n int, server text, channel text DEFAULT 'email', months_ago int DEFAULT 0) LANGUAGE plpgsql AS $do$
DECLARE
    ids text[];
BEGIN
    INSERT INTO helper.reach SELECT name || '-' || i, CASE WHEN name LIKE 'flaky%' THEN '+4525' WHEN name LIKE 'gone%' THEN '+4526' ELSE '+4520' END || nextval('helper.phone') FROM generate_series(1, n) i;
    INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone, address, consent, attributes)
    SELECT r.debtor_id, 'Name ' || i, 'Given', 'en', 'DK', r.debtor_id || '@example.org', r.phone,
           jsonb_build_object('street', 'Vej ' || r.debtor_id, 'zip', '1165', 'city', 'K'), '{"push": true, "whatsapp": true}',
           jsonb_build_object('push', 'token-' || r.debtor_id)
    FROM generate_series(1, n) i JOIN helper.reach r ON r.debtor_id = name || '-' || i;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
    SELECT name || '-' || i, 'I', current_date - 40, current_date - 12, 1000 + i + (hashtext(name) & 63) * 100, 'DKK', 'R' || i FROM generate_series(1, n) i;
    SELECT array_agg(name || '-' || i) INTO ids FROM generate_series(1, n) i;
    IF months_ago > 0 THEN
        PERFORM dunning._ensure_partitions(now() - months_ago * interval '1 month');
    END IF;
    PERFORM dunning._enqueue(format($q$
        SELECT CASE WHEN %5$s = 0 THEN dunning._uuid7() ELSE overlay(gen_random_uuid()::text PLACING left(dunning._uuid7_floor(now() - %5$s * interval '1 month')::text, 15) FROM 1)::uuid END AS message_id,
               m.debtor_id, 'default' AS creditor, NULL::uuid AS run_id, 'test' AS strategy, 'step' AS step,
               %6$L AS template, %4$L AS channel, 'en' AS language, %1$L AS server, dunning._now() AS contact_at, NULL::timestamptz AS not_after,
               'now' AS local_time, m.amounts, 0 AS cost, 'EUR' AS cost_currency, NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value,
               NULL::float8 AS propensity, false AS explored, m.mark AS ledger_mark, c.context, '{}'::jsonb AS decision, 'queued' AS state,
               NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM (%3$s) m JOIN dunning._context(%2$L, NULL) c USING (debtor_id)$q$, server, ids, dunning._mark_sql(format('%L::text[]', ids)), channel, months_ago,
        CASE WHEN channel IN ('call', 'visit') THEN 'final-notice' ELSE 'reminder-1' END));
END $do$;
CREATE TABLE helper.asked (n int);
CREATE TABLE helper.moved (debtor_id text PRIMARY KEY, address text);      -- to where, before anything was sent
CREATE TABLE helper.body (protocol text, recipient text, hex text);
CREATE TABLE helper.ledger (at float8, protocol text, what text, key text, recipient text, sha256 text, bytes bigint, path text);
SQL
    psql_ -d "$name" -c 'SELECT dunning.activate()' >/dev/null
}

# The catcher's own ledger and the bodies it accepted as tables, for the comparison at the end; with DIR what lies in that spool directory, and
# what stands on the worklist, as further arrivals.
load_ledger() { # load_ledger [DIR]
    perl -0777 -ne 'while (/\G== (\S+) (.*) (\d+)\n/g) { my $b = substr($_, pos($_), $3); pos($_) += $3 + 1; print "$1\t$2\t", unpack("H*", $b), "\n" }' \
        "$work/bodies" >"$work/bodies.tsv"
    q -c 'TRUNCATE helper.ledger, helper.body' -c "\\copy helper.ledger FROM '$work/ledger'" -c "\\copy helper.body FROM '$work/bodies.tsv'"
    [ -z "${1:-}" ] || q -v dir="$1" <<'SQL'
INSERT INTO helper.body SELECT 'spool', substring(x.body::jsonb->>'address' FROM 'Vej ([a-z0-9-]+)'), encode(convert_to(x.body, 'UTF8'), 'hex')
    FROM pg_ls_dir(:'dir') f(name), LATERAL (SELECT pg_read_file(:'dir' || '/' || f.name) AS body) x WHERE f.name LIKE '%.json';    -- others are unfinished
INSERT INTO helper.ledger SELECT extract(epoch FROM (pg_stat_file(:'dir' || '/' || f.name)).modification), 'spool', 'accept',
        f.name, substring(x.j->>'address' FROM 'Vej ([a-z0-9-]+)'), NULL, NULL, x.j->>'message_id'
    FROM pg_ls_dir(:'dir') f(name), LATERAL (SELECT pg_read_file(:'dir' || '/' || f.name)::jsonb AS j) x WHERE f.name LIKE '%.json';
INSERT INTO helper.ledger SELECT extract(epoch FROM t.created_at), 'task', 'accept', t.message_id, t.debtor_id, NULL, NULL, t.kind FROM dunning.task t WHERE t.kind IN ('call', 'visit');
SQL
}

# What holds in every run, as the view helper.deviation (what, n): each n is 0. The right recipient and amount are those of
# the book, not what the database wrote down itself; the caller says how many messages it has asked for.
compare_ledgers() { # compare_ledgers ASKED
    q -c "INSERT INTO helper.asked VALUES ($1)"
    q <<'SQL'
-- egress.body_digest over subject, text and html, made from what arrived.
CREATE FUNCTION helper.digest(VARIADIC parts text[]) RETURNS bytea LANGUAGE sql AS $$
    SELECT sha256(string_agg(CASE WHEN p IS NULL THEN '\xffffffff' ELSE int4send(octet_length(convert_to(p, 'UTF8'))) || convert_to(p, 'UTF8') END, '' ORDER BY n))
    FROM unnest(parts) WITH ORDINALITY u(p, n) $$;
CREATE TABLE helper.arrived AS
    SELECT (regexp_match(l.key, '[0-9a-f]{8}-[0-9a-f-]{27}'))[1]::uuid AS message_id, l.* FROM helper.ledger l;
CREATE INDEX ON helper.arrived (message_id);
ANALYZE helper.arrived, dunning.egress, dunning.outcome, dunning.message;
CREATE TABLE helper.text AS
    SELECT b.recipient, (j->>'id')::uuid AS message_id, j->>'text' AS text, j->>'to' AS sent_to,
           ARRAY[helper.digest(j->>'subject', j->>'text', j->>'html'), helper.digest(j->>'subject', j->>'text', NULL), helper.digest(nullif(j->>'subject', ''), j->>'text', NULL)] AS digests
    FROM helper.body b, LATERAL (SELECT convert_from(decode(b.hex, 'hex'), 'UTF8')::jsonb AS j) x WHERE b.protocol = 'http'
    UNION ALL
    SELECT b.recipient, (j->>'message_id')::uuid, j->>'text', b.recipient, ARRAY[helper.digest(j->>'subject', j->>'text', j->>'html'), helper.digest(j->>'subject', j->>'text', NULL)]
    FROM helper.body b, LATERAL (SELECT convert_from(decode(b.hex, 'hex'), 'UTF8')::jsonb AS j) x WHERE b.protocol = 'spool'
    UNION ALL
    SELECT a.recipient, a.message_id, t.script, a.recipient, ARRAY[helper.digest(t.subject, t.script, NULL), helper.digest(NULL, t.script, NULL)]
    FROM helper.arrived a JOIN dunning.task t ON t.debtor_id = a.recipient AND t.message_id = a.message_id AND t.kind = a.path WHERE a.protocol = 'task';
CREATE TABLE helper.known AS
    SELECT m.message_id, m.server, m.debtor_id, m.channel, m.state, m.reason, i.amount, m.digests,
           CASE WHEN m.channel = 'email' THEN coalesce((SELECT x.address FROM helper.moved x WHERE x.debtor_id = m.debtor_id), m.debtor_id || '@example.org')
                WHEN m.channel IN ('sms', 'whatsapp') THEN (SELECT r.phone FROM helper.reach r WHERE r.debtor_id = m.debtor_id)
                WHEN m.channel = 'push' THEN 'token-' || m.debtor_id ELSE m.debtor_id END AS address,
           coalesce(a.accepts, 0) AS accepts, coalesce(a.arrivals, 0) AS arrivals, m.intents, o.server IS NOT NULL AS once,
           -- what a person did with it: a call that reached nobody has failed
           EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = m.debtor_id AND t.message_id = m.message_id AND t.outcome IN ('no_answer', 'wrong_number')) AS missed
    FROM (SELECT m.message_id, m.server, m.debtor_id, m.channel, s.state, s.reason, coalesce(e.intents, 0) AS intents, e.digests
          FROM dunning.message m LEFT JOIN dunning.message_state s USING (debtor_id, message_id)
          LEFT JOIN (SELECT debtor_id, message_id, count(*) AS intents, array_agg(body_digest) AS digests FROM dunning.egress GROUP BY 1, 2) e USING (debtor_id, message_id)
          UNION ALL SELECT g.message_id, g.server, g.debtor_id, g.channel, g.state, g.reason, g.intents, g.digests FROM helper.gone g) m
    JOIN dunning.invoice i USING (debtor_id)
    LEFT JOIN (SELECT message_id, count(*) AS arrivals, count(*) FILTER (WHERE what = 'accept') AS accepts FROM helper.arrived GROUP BY 1) a USING (message_id)
    LEFT JOIN (SELECT srvname::text AS server FROM pg_foreign_server WHERE srvoptions && '{contract=once,driver=spool}') o ON o.server = m.server;
CREATE INDEX ON helper.known (message_id);
CREATE INDEX ON helper.known (debtor_id);
ANALYZE helper.known;
CREATE VIEW helper.deviation AS
SELECT 'asked for, and not as many messages' AS what, abs((SELECT sum(n) FROM helper.asked) - (SELECT count(*) FROM helper.known)) AS n
UNION ALL SELECT 'debtors with none or several messages', count(*) FROM dunning.debtor d WHERE 1 <> (SELECT count(*) FROM helper.known m WHERE m.debtor_id = d.debtor_id)
UNION ALL SELECT 'lost: no final state', count(*) FROM helper.known WHERE state IS NULL OR state NOT IN ('sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled')
UNION ALL SELECT 'recipients who got more than one', count(*) FROM (SELECT FROM helper.arrived WHERE what = 'accept' GROUP BY recipient HAVING count(*) > 1) x
UNION ALL SELECT 'tried once, and arrived again under its key', count(*) FROM helper.known WHERE once AND arrivals > 1
UNION ALL SELECT 'accepted, but dead or cancelled here', count(*) FROM helper.known WHERE accepts > 0 AND state NOT IN ('sent', 'delivered', 'unknown') AND NOT (missed AND state = 'failed')
UNION ALL SELECT 'arrived without an intent', count(*) FROM helper.arrived a WHERE NOT EXISTS (SELECT FROM helper.known k WHERE k.message_id = a.message_id AND k.intents > 0)
UNION ALL SELECT 'tried once, and arrived more often than intended', count(*) FROM helper.known WHERE once AND arrivals > intents
UNION ALL SELECT 'arrived at another recipient', count(*) FROM helper.arrived a LEFT JOIN helper.known k USING (message_id) WHERE a.recipient IS DISTINCT FROM k.address
UNION ALL SELECT 'arrived again with other bytes', count(*) FROM (SELECT FROM helper.arrived WHERE protocol = 'http' GROUP BY message_id HAVING count(DISTINCT sha256) > 1) x
UNION ALL SELECT 'accepted, and its bytes are not known', abs((SELECT count(*) FROM helper.arrived WHERE protocol IN ('http', 'spool', 'task') AND what = 'accept') - (SELECT count(*) FROM helper.text))
UNION ALL SELECT 'bytes that no intent announced', count(*) FROM helper.text t LEFT JOIN helper.known k USING (message_id)
    WHERE t.sent_to IS DISTINCT FROM k.address OR (k.digests && t.digests) IS NOT TRUE
UNION ALL SELECT 'another amount than is owed', count(*) FROM helper.text t LEFT JOIN helper.known k USING (message_id) WHERE position(trim_scale(k.amount)::text IN replace(t.text, ',', '')) = 0 OR k.amount IS NULL
UNION ALL SELECT 'chains that do not verify', count(*) FROM dunning.verify_egress() WHERE NOT ok
UNION ALL SELECT 'unknown without a task for a person', count(*) FROM helper.known k WHERE state = 'unknown'
    AND NOT EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = k.debtor_id AND t.message_id = k.message_id);
SQL
}
