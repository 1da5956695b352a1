-- deliver: activation, the worker and its figures, what a verdict causes.

-- Never dumped, and so no member of pg_extension_config_dump: a restored copy is silent.
CREATE TABLE dunning.activation (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    token           text NOT NULL,
    activated_at    timestamptz NOT NULL,
    activated_by    text NOT NULL
);
COMMENT ON TABLE dunning.activation IS 'The token of this database; the same stands in a file outside the data directory. Without both nothing is sent.';
REVOKE ALL ON dunning.activation FROM PUBLIC;
GRANT SELECT ON dunning.activation TO dunning_worker;

CREATE FUNCTION dunning._write_activation(takeover boolean) RETURNS boolean
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_deliver_sql_activate';
COMMENT ON FUNCTION dunning._write_activation(boolean) IS 'Writes token and file; true where another copy had to be taken over. 55000 where there is one and takeover is false.';

CREATE FUNCTION dunning.activate(takeover boolean DEFAULT false, backlog text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    waiting bigint;
    taken boolean;
    cancelled int := 0;
BEGIN
    IF backlog IS NOT NULL AND backlog NOT IN ('keep', 'cancel') THEN
        RAISE EXCEPTION 'unknown backlog "%"', backlog
            USING ERRCODE = '22023', DETAIL = 'backlog is keep or cancel.', HINT = 'SELECT dunning.activate(takeover => true, backlog => ''cancel'');';
    END IF;
    SELECT count(*) INTO waiting FROM dunning.queue q;
    IF takeover IS TRUE AND backlog IS NULL AND waiting > 0 THEN
        RAISE EXCEPTION 'there are % messages in the queue', waiting
            USING ERRCODE = '22023', DETAIL = 'The other copy may have sent some of them.',
                  HINT = 'SELECT dunning.activate(takeover => true, backlog => ''cancel''); or, if the other one is known not to have sent them, backlog => ''keep''.';
    END IF;
    taken := dunning._write_activation(takeover IS TRUE);
    IF backlog = 'cancel' THEN
        SELECT dunning._cancel_messages(array_agg(q.debtor_id::text), array_agg(q.message_id), 'takeover', true)
        INTO cancelled FROM dunning.queue q;
    END IF;
    RETURN CASE WHEN taken THEN format('taken over: this database sends now, %s messages of the backlog cancelled', coalesce(cancelled, 0))
                ELSE 'active' END;
END
$fn$;
COMMENT ON FUNCTION dunning.activate(boolean, text) IS
    'From now on this database sends. 55000 where another copy may be sending: then takeover => true, and backlog says whether what waits is kept or cancelled. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.activate(boolean, text) TO dunning_admin;

CREATE FUNCTION dunning.deactivate() RETURNS boolean
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_deactivate';
COMMENT ON FUNCTION dunning.deactivate() IS 'Nothing is sent until activate(); true where it was active. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.deactivate() TO dunning_admin;

CREATE FUNCTION dunning._activation_state(OUT activated boolean, OUT reason text)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_activated';
COMMENT ON FUNCTION dunning._activation_state() IS 'Whether this very database was activated, else the part that differs, as a sentence.';

CREATE FUNCTION dunning._activated() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT s.activated FROM dunning._activation_state() s);
END
$fn$;
COMMENT ON FUNCTION dunning._activated() IS 'Whether this very database was activated; _activation_state() says why not.';
GRANT EXECUTE ON FUNCTION dunning._activated(), dunning._activation_state() TO dunning_viewer;

-- Sending.
CREATE PROCEDURE dunning.deliver(max_messages int DEFAULT NULL, max_seconds int DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'dun_deliver_sql_deliver';
COMMENT ON PROCEDURE dunning.deliver(int, int) IS
    'Sends what is due and ends when nothing is, after so many messages or seconds. For servers without the background worker; 55000 while one runs, not inside a transaction block (25001). Role: dunning_operator.';
GRANT EXECUTE ON PROCEDURE dunning.deliver(int, int) TO dunning_operator;

CREATE FUNCTION dunning._stat_worker() RETURNS TABLE (pid int, worker int, state text, started_at timestamptz, last_turn_at timestamptz,
    in_flight int, claimed bigint, sent bigint, retried bigint, failed bigint, unknown bigint, stopped bigint, batches bigint)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_stat_worker';
COMMENT ON FUNCTION dunning._stat_worker() IS 'One row a sending process of this database, from shared memory.';
GRANT EXECUTE ON FUNCTION dunning._stat_worker() TO dunning_viewer;

CREATE VIEW dunning.stat_worker WITH (security_invoker, security_barrier) AS
    SELECT w.pid, w.worker, w.state, w.started_at, w.last_turn_at, w.in_flight, w.claimed, w.sent, w.retried, w.failed, w.unknown, w.stopped, w.batches
    FROM dunning._stat_worker() w;
COMMENT ON VIEW dunning.stat_worker IS
    'The background workers of this database (worker NULL: a session in CALL deliver()): state starting, idle, sending, off or not activated, transfers in flight, and counts since it started. Empty without preload. Role: dunning_viewer.';
GRANT SELECT ON dunning.stat_worker TO dunning_viewer;

-- What a settled verdict causes, in the same transaction, and only for those that won the fence.
CREATE FUNCTION dunning._conclude(debtor_ids text[], message_ids uuid[], attempts smallint[], states text[], reasons text[],
    provider_refs text[], details jsonb[], next_due timestamptz[], effects text[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    moved int := 0;
    settled uuid[];
    again uuid[];
    item record;
BEGIN
    SELECT count(*), array_agg(s.message_id), array_agg(s.message_id) FILTER (WHERE s.state = 'cancelled') INTO moved, settled, again
    FROM dunning._settle(debtor_ids, message_ids, attempts, states, reasons, provider_refs, details, next_due) s;

    -- Cancelled before any intent, or stopped and then not sent: planning may take the step up again, if no earlier attempt left.
    IF again IS NOT NULL THEN
        PERFORM dunning._free_steps(array_agg(v.debtor_id), array_agg(v.message_id))
        FROM unnest(debtor_ids, message_ids) v(debtor_id, message_id) WHERE v.message_id = ANY (again);
    END IF;

    FOR item IN
        SELECT v.debtor_id, v.message_id, v.attempt, v.reason, v.effect
        FROM unnest(debtor_ids, message_ids, attempts, reasons, effects) v(debtor_id, message_id, attempt, reason, effect)
        WHERE v.effect IS NOT NULL AND v.message_id = ANY (settled)
    LOOP
        PERFORM dunning._take_effect(item.effect, item.debtor_id, item.message_id, item.attempt, item.reason);
    END LOOP;
    RETURN moved;
END
$fn$;
COMMENT ON FUNCTION dunning._conclude(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[], text[]) IS
    'How many messages it moved: _settle(), and the effects (suppress, task, ask) of those that it moved.';
GRANT EXECUTE ON FUNCTION dunning._conclude(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[], text[]) TO dunning_worker;

CREATE FUNCTION dunning._take_effect(effect text, debtor_id text, message_id uuid, attempt smallint, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    about record;
BEGIN
    SELECT m.creditor, m.channel, m.template, b.subject, b.body_text, e.address_digest INTO about
    FROM dunning.message m
    LEFT JOIN dunning.body b ON b.debtor_id = m.debtor_id AND b.message_id = m.message_id
    LEFT JOIN dunning.egress e ON e.debtor_id = m.debtor_id AND e.message_id = m.message_id AND e.attempt = _take_effect.attempt
    WHERE m.debtor_id = _take_effect.debtor_id AND m.message_id = _take_effect.message_id;
    CASE effect
        WHEN 'suppress' THEN
            INSERT INTO dunning.suppression (address_digest, channel, reason, suppressed_at, suppressed_by)
            VALUES (about.address_digest, about.channel, _take_effect.reason, dunning._now(), 'gateway')
            ON CONFLICT DO NOTHING;
        WHEN 'task' THEN
            PERFORM dunning._task(_take_effect.debtor_id, about.channel, coalesce(about.subject, about.template),
                                  message_id => _take_effect.message_id, script => about.body_text, creditor => about.creditor);
        WHEN 'ask' THEN
            about.subject := format('Nobody knows whether a %s arrived: %s', about.channel, _take_effect.reason);
            IF NOT dunning._ask_gateway(_take_effect.debtor_id, _take_effect.message_id, about.subject) THEN
                PERFORM dunning._task(_take_effect.debtor_id, 'unknown_outcome', about.subject, message_id => _take_effect.message_id, creditor => about.creditor);
            END IF;
    END CASE;
END
$fn$;
COMMENT ON FUNCTION dunning._take_effect(text, text, uuid, smallint, text) IS
    'suppress: the attempt''s address is never used again; task: the message is a person''s to deliver; ask: the gateway is asked whether it took it, or a person finds out.';

-- What a process that died has left behind: attempts without an outcome. To be called by who has just become the owner of
-- these slices, and again while something is left; `known` are the messages whose intents are its own. From then on it is
-- written down that they may have arrived, and whatever becomes of their messages (cancelled, expired, held) knows it.
CREATE FUNCTION dunning._take_over(slices smallint[], known uuid[] DEFAULT '{}') RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
    numbers smallint[];
    verdicts text[];
    n int;
    settled int;
BEGIN
    -- The week before the last sign of life: since then nobody can have left anything.
    SELECT array_agg(e.debtor_id::text), array_agg(e.message_id), array_agg(e.attempt) INTO debtors, messages, numbers
    FROM dunning.egress e
    WHERE e.slice = ANY (slices) AND e.message_id <> ALL (known)
      AND e.contact_on >= least(dunning._now(), (SELECT max(x.contact_on) FROM dunning.egress x)) - interval '7 days'
      AND NOT EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt);
    n := coalesce(cardinality(messages), 0);
    IF n = 0 THEN
        RETURN 0;
    END IF;
    -- In the queue it is tried again, or not: who claims it knows the server. Whose row somebody changes just now waits for the next time.
    WITH mine AS MATERIALIZED (
        SELECT q.debtor_id, q.message_id FROM dunning.queue q
        JOIN ROWS FROM (unnest(debtors), unnest(messages), unnest(numbers)) AS v(debtor_id, message_id, attempt)
          ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id AND q.attempts < v.attempt
        ORDER BY q.debtor_id, q.message_id FOR UPDATE OF q SKIP LOCKED),
    judged AS (
        SELECT v.debtor_id, v.message_id, v.attempt, CASE WHEN l.message_id IS NULL THEN 'unknown' ELSE 'queued' END AS verdict
        FROM ROWS FROM (unnest(debtors), unnest(messages), unnest(numbers)) AS v(debtor_id, message_id, attempt)
        LEFT JOIN mine l ON l.debtor_id = v.debtor_id AND l.message_id = v.message_id
        WHERE l.message_id IS NOT NULL
           OR NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id AND q.attempts < v.attempt))
    SELECT array_agg(j.debtor_id), array_agg(j.message_id), array_agg(j.attempt), array_agg(j.verdict) INTO debtors, messages, numbers, verdicts
    FROM judged j;
    settled := coalesce(cardinality(messages), 0);
    IF settled > 0 THEN
        PERFORM dunning._conclude(debtors, messages, numbers, verdicts, array_fill('interrupted'::text, ARRAY[settled]),
            array_fill(NULL::text, ARRAY[settled]), ARRAY(SELECT CASE v.v WHEN 'queued' THEN '{"may_have_arrived": true}'::jsonb END FROM unnest(verdicts) WITH ORDINALITY v(v, ord) ORDER BY v.ord),
            array_fill(NULL::timestamptz, ARRAY[settled]), ARRAY(SELECT CASE v.v WHEN 'unknown' THEN 'ask' END FROM unnest(verdicts) WITH ORDINALITY v(v, ord) ORDER BY v.ord));
    END IF;
    RETURN n - settled;
END
$fn$;
COMMENT ON FUNCTION dunning._take_over(smallint[], uuid[]) IS
    'How many attempts without outcome are left, because somebody holds their queue row just now. All others of these slices may have arrived: those in the queue wait for another attempt, of those stopped meanwhile the outcome is unknown and a person is asked.';
GRANT EXECUTE ON FUNCTION dunning._take_over(smallint[], uuid[]) TO dunning_worker;

-- What is left of a server's day, under a lock: the intents that follow in this transaction are counted by the next who asks.
CREATE FUNCTION dunning._day_left(server text, daily bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(1685416037, (dunning._hash64(_day_left.server) % 2147483647)::int);
    RETURN greatest(0, daily - (SELECT count(*) FROM dunning.egress e
        WHERE e.server = _day_left.server
          AND e.contact_on >= pg_catalog.date_trunc('day', dunning._now() AT TIME ZONE dunning._ledger_zone()) AT TIME ZONE dunning._ledger_zone()));
END
$fn$;
COMMENT ON FUNCTION dunning._day_left(text, bigint) IS
    'How many attempts more a server may make on this day (in dunning.timezone, else the server''s), recounted from egress; exact until the transaction ends.';
GRANT EXECUTE ON FUNCTION dunning._day_left(text, bigint) TO dunning_worker;

-- Queued for a server that is not there, or for none.
CREATE FUNCTION dunning._hold_strays(servers text[], slices smallint[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    stray record;
BEGIN
    SELECT count(*)::int AS n, array_agg(q.debtor_id::text) AS debtor_ids, array_agg(q.message_id) AS message_ids INTO stray
    FROM (SELECT x.debtor_id, x.message_id FROM dunning.queue x
          WHERE x.state = 'queued' AND x.due <= dunning._now() AND x.slice = ANY (slices)
            AND (x.server IS NULL OR x.server <> ALL (servers))
          ORDER BY x.due, x.message_id LIMIT 1000 FOR UPDATE SKIP LOCKED) q;     -- somebody may be stopping it just now
    IF stray.n > 0 THEN
        PERFORM dunning._settle(stray.debtor_ids, stray.message_ids, array_fill(0::smallint, ARRAY[stray.n]), array_fill('held'::text, ARRAY[stray.n]),
            array_fill('no_server'::text, ARRAY[stray.n]), array_fill(NULL::text, ARRAY[stray.n]), array_fill(NULL::jsonb, ARRAY[stray.n]),
            array_fill(dunning._now() + interval '1 hour', ARRAY[stray.n]));
    END IF;
    RETURN stray.n;
END
$fn$;
COMMENT ON FUNCTION dunning._hold_strays(text[], smallint[]) IS 'How many due messages of these slices it held, because none of these servers is theirs; at most 1000.';
GRANT EXECUTE ON FUNCTION dunning._hold_strays(text[], smallint[]) TO dunning_worker;

CREATE FUNCTION dunning._hold_workers(hold boolean) RETURNS void
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_deliver_sql_hold_workers';
COMMENT ON FUNCTION dunning._hold_workers(boolean) IS
    'true: waits until every sending process is between two transactions, and lets none begin another until false or the end of this transaction. For a second at most: then they give up.';

CREATE FUNCTION dunning._wait_a_moment() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_wait_a_moment';
COMMENT ON FUNCTION dunning._wait_a_moment() IS 'Ten milliseconds, as a process waits that looks again and again whether somebody has let go.';

-- What the worker itself reads and writes; everything else goes through the functions granted to it.
GRANT SELECT ON dunning.message, dunning.body, dunning.outcome, dunning.server_state TO dunning_worker;
GRANT INSERT ON dunning.body, dunning.egress, dunning.outcome TO dunning_worker;
GRANT SELECT, INSERT, UPDATE ON dunning.egress_head TO dunning_worker;

GRANT EXECUTE ON FUNCTION dunning._gate_facts_sql(),
    dunning._open_ranges(timestamptz, timestamptz, text, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]) TO dunning_worker;

-- The CREATE EXTENSION that runs this tells the launcher when it commits.
CREATE FUNCTION dunning._announce() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_announce';
COMMENT ON FUNCTION dunning._announce() IS 'Wakes launcher and workers when this transaction commits.';
SELECT dunning._announce();
