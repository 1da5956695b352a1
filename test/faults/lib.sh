# Sourced by crash.sh and race.sh: a test build in a tree of its own, one cluster, the catcher, a book of debtors.
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
    "$work/catcher" --ledger "$work/ledger" "$@" >"$work/ports" &
    catcher_pid=$!
    { read -r _ http; read -r _ _; } <"$work/ports"
}

q() { psql_ -d book -At "$@"; }

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
    SELECT name || '-' || i, 'I', current_date - 40, current_date - 12, 100 + i % 7, 'DKK', 'R' || i FROM generate_series(1, n) i;
    SELECT array_agg(name || '-' || i) INTO ids FROM generate_series(1, n) i;
    PERFORM dunning._enqueue(format($q$
        SELECT dunning._uuid7() AS message_id, m.debtor_id, 'default' AS creditor, NULL::uuid AS run_id, 'test' AS strategy, 'step' AS step,
               'reminder-1' AS template, 'email' AS channel, 'en' AS language, %1$L AS server, dunning._now() AS contact_at, NULL::timestamptz AS not_after,
               'now' AS local_time, m.amounts, 0 AS cost, 'EUR' AS cost_currency, NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value,
               NULL::float8 AS propensity, false AS explored, m.mark AS ledger_mark, c.context, '{}'::jsonb AS decision, 'queued' AS state,
               NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM (%3$s) m JOIN dunning._context(%2$L, NULL) c USING (debtor_id)$q$, server, ids, dunning._mark_sql(format('%L::text[]', ids))));
END $do$;
CREATE TABLE helper.ledger (at float8, protocol text, what text, key text, recipient text, sha256 text, bytes bigint, path text);
SQL
    q -c 'SELECT dunning.activate()' >/dev/null
}

# The catcher's own ledger as a table, for the comparison at the end.
load_ledger() {
    q -c 'TRUNCATE helper.ledger' -c "\\copy helper.ledger FROM '$work/ledger'"
}
