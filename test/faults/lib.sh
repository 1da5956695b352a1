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
make_book() {
    psql_ -d postgres -c 'CREATE DATABASE book'
    psql_ -d book -v http="http://127.0.0.1:$http/send" <<'SQL'
CREATE EXTENSION dunning;
INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
CREATE SERVER honest TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'repeat', "from" 'a@example.org');
CREATE SERVER once TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', contract 'once', "from" 'a@example.org');
CREATE USER MAPPING FOR dunning_worker SERVER honest;
CREATE USER MAPPING FOR dunning_worker SERVER once;
CREATE SCHEMA helper;
-- Debtors name-1 .. name-n and a message to each, in one transaction.
CREATE PROCEDURE helper.enqueue(name text, n int, server text) LANGUAGE plpgsql AS $do$
DECLARE
    ids text[];
BEGIN
    INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
    SELECT name || '-' || i, 'Name ' || i, 'Given', 'en', 'DK', name || '-' || i || '@example.org' FROM generate_series(1, n) i;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
    SELECT name || '-' || i, 'I', current_date - 40, current_date - 12, 1000 + i + (hashtext(name) & 63) * 100, 'DKK', 'R' || i FROM generate_series(1, n) i;
    SELECT array_agg(name || '-' || i) INTO ids FROM generate_series(1, n) i;
    PERFORM dunning._enqueue(format($q$
        SELECT dunning._uuid7() AS message_id, m.debtor_id, 'default' AS creditor, NULL::uuid AS run_id, 'test' AS strategy, 'step' AS step,
               'reminder-1' AS template, 'email' AS channel, 'en' AS language, %1$L AS server, dunning._now() AS contact_at, NULL::timestamptz AS not_after,
               'now' AS local_time, m.amounts, 0 AS cost, 'EUR' AS cost_currency, NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value,
               NULL::float8 AS propensity, false AS explored, m.mark AS ledger_mark, c.context, '{}'::jsonb AS decision, 'queued' AS state,
               NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM (%3$s) m JOIN dunning._context(%2$L, NULL) c USING (debtor_id)$q$, server, ids, dunning._mark_sql(format('%L::text[]', ids))));
END $do$;
CREATE TABLE helper.asked (n int);
CREATE TABLE helper.body (protocol text, recipient text, hex text);
CREATE TABLE helper.ledger (at float8, protocol text, what text, key text, recipient text, sha256 text, bytes bigint, path text);
SQL
    q -c 'SELECT dunning.activate()' >/dev/null
}

# The catcher's own ledger and the bodies it accepted as tables, for the comparison at the end.
load_ledger() {
    perl -0777 -ne 'while (/\G== (\S+) (.*) (\d+)\n/g) { my $b = substr($_, pos($_), $3); pos($_) += $3 + 1; print "$1\t$2\t", unpack("H*", $b), "\n" }' \
        "$work/bodies" >"$work/bodies.tsv"
    q -c 'TRUNCATE helper.ledger, helper.body' -c "\\copy helper.ledger FROM '$work/ledger'" -c "\\copy helper.body FROM '$work/bodies.tsv'"
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
CREATE TABLE helper.text AS
    SELECT b.recipient, (j->>'id')::uuid AS message_id, j->>'text' AS text, j->>'to' AS sent_to,
           ARRAY[helper.digest(j->>'subject', j->>'text', j->>'html'), helper.digest(j->>'subject', j->>'text', NULL)] AS digests
    FROM helper.body b, LATERAL (SELECT convert_from(decode(b.hex, 'hex'), 'UTF8')::jsonb AS j) x WHERE b.protocol = 'http';
CREATE TABLE helper.known AS
    SELECT m.message_id, m.server, m.debtor_id, m.debtor_id || '@example.org' AS address, s.state, s.reason, i.amount,
           coalesce(a.accepts, 0) AS accepts, coalesce(a.arrivals, 0) AS arrivals, coalesce(e.intents, 0) AS intents, o.server IS NOT NULL AS once
    FROM dunning.message m JOIN dunning.message_state s USING (debtor_id, message_id) JOIN dunning.invoice i USING (debtor_id)
    LEFT JOIN (SELECT message_id, count(*) AS arrivals, count(*) FILTER (WHERE what = 'accept') AS accepts FROM helper.arrived GROUP BY 1) a USING (message_id)
    LEFT JOIN (SELECT message_id, count(*) AS intents FROM dunning.egress GROUP BY 1) e USING (message_id)
    LEFT JOIN (SELECT srvname::text AS server FROM pg_foreign_server WHERE 'contract=once' = ANY (srvoptions)) o ON o.server = m.server;
CREATE VIEW helper.deviation AS
SELECT 'asked for, and not as many messages' AS what, abs((SELECT sum(n) FROM helper.asked) - (SELECT count(*) FROM dunning.message)) AS n
UNION ALL SELECT 'debtors with none or several messages', count(*) FROM dunning.debtor d WHERE 1 <> (SELECT count(*) FROM dunning.message m WHERE m.debtor_id = d.debtor_id)
UNION ALL SELECT 'lost: no final state', count(*) FROM helper.known WHERE state IS NULL OR state NOT IN ('sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled')
UNION ALL SELECT 'recipients who got more than one', count(*) FROM (SELECT FROM helper.arrived WHERE what = 'accept' GROUP BY recipient HAVING count(*) > 1) x
UNION ALL SELECT 'tried once, and arrived again under its key', count(*) FROM helper.known WHERE once AND arrivals > 1
UNION ALL SELECT 'accepted, but dead or cancelled here', count(*) FROM helper.known WHERE accepts > 0 AND state NOT IN ('sent', 'delivered', 'unknown')
UNION ALL SELECT 'arrived without an intent', count(*) FROM helper.arrived a WHERE NOT EXISTS (SELECT FROM dunning.egress e WHERE e.message_id = a.message_id)
UNION ALL SELECT 'tried once, and arrived more often than intended', count(*) FROM helper.known WHERE once AND arrivals > intents
UNION ALL SELECT 'arrived at another recipient', count(*) FROM helper.arrived a LEFT JOIN helper.known k USING (message_id) WHERE a.recipient IS DISTINCT FROM k.address
UNION ALL SELECT 'arrived again with other bytes', count(*) FROM (SELECT FROM helper.arrived WHERE protocol = 'http' GROUP BY message_id HAVING count(DISTINCT sha256) > 1) x
UNION ALL SELECT 'accepted, and its bytes are not known', abs((SELECT count(*) FROM helper.arrived WHERE protocol = 'http' AND what = 'accept') - (SELECT count(*) FROM helper.text))
UNION ALL SELECT 'bytes that no intent announced', count(*) FROM helper.text t LEFT JOIN helper.known k USING (message_id)
    WHERE t.sent_to IS DISTINCT FROM k.address OR NOT EXISTS (SELECT FROM dunning.egress e WHERE e.message_id = t.message_id AND e.body_digest = ANY (t.digests))
UNION ALL SELECT 'another amount than is owed', count(*) FROM helper.text t LEFT JOIN helper.known k USING (message_id) WHERE position(trim_scale(k.amount)::text IN replace(t.text, ',', '')) = 0 OR k.amount IS NULL
UNION ALL SELECT 'chains that do not verify', count(*) FROM dunning.verify_egress() WHERE NOT ok
UNION ALL SELECT 'unknown without a task for a person', count(*) FROM helper.known k WHERE state = 'unknown'
    AND NOT EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = k.debtor_id AND t.message_id = k.message_id);
SQL
}
