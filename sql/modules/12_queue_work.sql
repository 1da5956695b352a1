-- queue: approval, cancelling, retrying, pausing, and how the queue stands.

CREATE FUNCTION dunning._check_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.plan_run r WHERE r.run_id = _check_run.run_id AND r.approve) THEN
        RAISE EXCEPTION 'run % does not await approval', coalesce(_check_run.run_id::text, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = 'Runs that do: ' || coalesce((SELECT pg_catalog.string_agg(x.run_id::text, ', ') FROM (
                      SELECT DISTINCT q.run_id FROM dunning.queue q WHERE q.state = 'proposed') x), 'none') || '.',
                  HINT = 'SELECT * FROM dunning.plan(approve => true);';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_run(uuid) IS 'Nothing, or 22023 naming the runs that await approval.';

-- Whom an approval or a rejection is about: those of the run that stand as proposed, all or the ones named.
CREATE FUNCTION dunning._proposed_of(run_id uuid, only_debtors text[], OUT debtor_ids text[], OUT message_ids uuid[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    named text[] := CASE WHEN only_debtors IS NOT NULL THEN ARRAY(SELECT dunning._canonical_id(d.d) FROM unnest(only_debtors) d(d)) END;
    missing text;
BEGIN
    PERFORM dunning._check_run(_proposed_of.run_id);
    SELECT array_agg(q.debtor_id ORDER BY q.debtor_id, q.message_id), array_agg(q.message_id ORDER BY q.debtor_id, q.message_id) INTO debtor_ids, message_ids
    FROM dunning.queue q WHERE q.run_id = _proposed_of.run_id AND q.state = 'proposed' AND (named IS NULL OR q.debtor_id = ANY (named));
    SELECT string_agg(n.n, ', ' ORDER BY n.n) INTO missing FROM unnest(named) n(n) WHERE n.n <> ALL (coalesce(debtor_ids, '{}'));
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'nothing is proposed to % in this run', missing
            USING ERRCODE = '22023', DETAIL = 'What is approved, rejected, stopped or over is proposed no more.',
                  HINT = pg_catalog.format('SELECT debtor_id, state FROM dunning.forewarning(run_id => %L);', _proposed_of.run_id);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._proposed_of(uuid, text[]) IS 'The messages of a run that await approval, all or those of the debtors named; 22023 where the run awaits none, or a debtor named has none.';

CREATE FUNCTION dunning._check_second_person(run_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF dunning._value_of('four_eyes')::boolean AND EXISTS (SELECT FROM dunning.plan_run r WHERE r.run_id = _check_second_person.run_id AND r.planned_by = session_user) THEN
        RAISE EXCEPTION 'who planned a run does not approve it'
            USING ERRCODE = '42501', DETAIL = pg_catalog.format('%s planned it, and the value four_eyes is true.', session_user),
                  HINT = pg_catalog.format('Another person: SELECT * FROM dunning.approve(%L);', _check_second_person.run_id);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_second_person(uuid) IS 'Nothing, or 42501 where four_eyes is true and whoever asks planned the run.';

CREATE FUNCTION dunning.approve(run_id uuid, except_debtors text[] DEFAULT '{}', only_debtors text[] DEFAULT NULL) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    excepted text[] := ARRAY(SELECT dunning._canonical_id(d.d) FROM unnest(except_debtors) d(d));
    debtors text[];
    messages uuid[];
    n int;
BEGIN
    SELECT p.debtor_ids, p.message_ids INTO debtors, messages FROM dunning._proposed_of(approve.run_id, approve.only_debtors) p;
    PERFORM dunning._check_second_person(approve.run_id);
    PERFORM dunning._cancel_messages(
        ARRAY(SELECT u.d FROM unnest(debtors, messages) WITH ORDINALITY u(d, m, o) WHERE u.d = ANY (excepted) ORDER BY u.o),
        ARRAY(SELECT u.m FROM unnest(debtors, messages) WITH ORDINALITY u(d, m, o) WHERE u.d = ANY (excepted) ORDER BY u.o), 'not approved by ' || session_user, true);
    -- What was settled meanwhile is no row of this.
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, messages
    FROM (SELECT x.debtor_id, x.message_id FROM unnest(debtors, messages) u(d, m)
          JOIN dunning.queue x ON x.debtor_id = u.d AND x.message_id = u.m AND x.state = 'proposed'
          ORDER BY x.debtor_id, x.message_id FOR UPDATE OF x) q;
    n := coalesce(cardinality(messages), 0);
    PERFORM dunning._ensure_partitions();
    PERFORM dunning._settle(debtors, messages, array_fill(0::smallint, ARRAY[n]), array_fill('queued'::text, ARRAY[n]), array_fill('approved by ' || session_user, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n]));
    UPDATE dunning.plan_run r SET approved_at = dunning._now(), approved_by = session_user WHERE r.run_id = approve.run_id AND r.approved_at IS NULL;
    PERFORM dunning._wake();
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(debtors, messages) p;
END
$fn$;
COMMENT ON FUNCTION dunning.approve(uuid, text[], text[]) IS
    'The proposed contacts of a run that stand in the queue from now on: all, or those of only_debtors, the others waiting on; those of except_debtors are cancelled and may be planned again. With the value four_eyes not by whoever planned the run (42501). 22023 where nothing is proposed. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.approve(uuid, text[], text[]) TO dunning_operator;

CREATE FUNCTION dunning.reject(run_id uuid, reason text DEFAULT NULL, only_debtors text[] DEFAULT NULL) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
BEGIN
    SELECT p.debtor_ids, p.message_ids INTO debtors, messages FROM dunning._proposed_of(reject.run_id, reject.only_debtors) p;
    PERFORM dunning._cancel_messages(debtors, messages, 'rejected by ' || session_user || coalesce(': ' || nullif(btrim(reject.reason), ''), ''), true);
    UPDATE dunning.plan_run r SET rejected_at = dunning._now() WHERE r.run_id = reject.run_id AND r.rejected_at IS NULL AND reject.only_debtors IS NULL;
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(debtors, messages) p;
END
$fn$;
COMMENT ON FUNCTION dunning.reject(uuid, text, text[]) IS
    'The proposed contacts of a run, or of those only_debtors, cancelled with who did it and why; a later run may plan them again. 22023 where nothing is proposed. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.reject(uuid, text, text[]) TO dunning_operator;

CREATE FUNCTION dunning.cancel(message_id uuid, reason text) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtor text := (SELECT m.debtor_id FROM dunning.message m WHERE m.message_id = cancel.message_id);
BEGIN
    IF debtor IS NULL THEN
        RAISE EXCEPTION 'message % does not exist', coalesce(cancel.message_id::text, 'NULL') USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.journal ORDER BY at DESC;';
    ELSIF coalesce(cancel.reason, '') = '' THEN
        RAISE EXCEPTION 'a message is cancelled for a reason'
            USING ERRCODE = '22023', HINT = pg_catalog.format('SELECT * FROM dunning.cancel(%L, ''paid in cash'');', cancel.message_id);
    END IF;
    PERFORM dunning._cancel_messages(ARRAY[debtor], ARRAY[cancel.message_id], cancel.reason, false);
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[debtor], ARRAY[cancel.message_id]) p;
END
$fn$;
COMMENT ON FUNCTION dunning.cancel(uuid, text) IS 'The message with the state it has now: cancelled, unless it was leaving or finished already. Its step is not planned again. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.cancel(uuid, text) TO dunning_operator;

-- Planning has counted what it made on the day it was planned. What nobody planned is counted on the day it leaves: what send() was asked for,
-- what goes on over another channel after a failure, and what had ended and was taken up again by hand.
CREATE FUNCTION dunning._unplanned(message dunning.message, day_start timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN message.run_id IS NULL OR message.decision ? 'tried'
        OR message.created_at < day_start AND (
            EXISTS (SELECT FROM dunning.outcome o JOIN dunning.egress e ON e.debtor_id = o.debtor_id AND e.message_id = o.message_id AND e.attempt > o.attempt
                    WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND o.attempt > 0 AND dunning._state_rank(o.state) > 0)
            OR EXISTS (SELECT FROM dunning.outcome o JOIN dunning.queue q ON q.debtor_id = o.debtor_id AND q.message_id = o.message_id
                       WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND o.attempt > 0 AND dunning._state_rank(o.state) > 0));
END
$fn$;
COMMENT ON FUNCTION dunning._unplanned(dunning.message, timestamptz) IS
    'Whether a message costs its money on the day it leaves: no run planned it, it carries a failed one on, or it was planned before this day, had ended and was retried.';

CREATE FUNCTION dunning.retry(message_id uuid DEFAULT NULL, state text DEFAULT 'dead', server text DEFAULT NULL, since timestamptz DEFAULT NULL, dry_run boolean DEFAULT true)
    RETURNS TABLE (message uuid, debtor_id text, channel text, through text, was text, reason text, at timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    found record;
BEGIN
    IF retry.state IS NULL OR retry.state NOT IN ('dead', 'failed', 'unknown', 'cancelled', 'held') THEN
        RAISE EXCEPTION 'messages of state "%" cannot be retried', retry.state USING ERRCODE = '22023', DETAIL = 'dead, failed, unknown, cancelled and held ones can.';
    END IF;
    FOR found IN
        SELECT m.message_id, m.debtor_id, m.creditor, m.channel, m.server, m.run_id, (m.decision->>'priority')::smallint AS priority, s.state, s.reason, s.at,
               coalesce((SELECT max(e.attempt) FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id), 0::smallint) AS attempts
        FROM (SELECT DISTINCT o.debtor_id, o.message_id FROM dunning.outcome o
              WHERE (retry.message_id IS NULL OR o.message_id = retry.message_id) AND o.state = retry.state AND (since IS NULL OR o.at >= since)
              UNION SELECT q.debtor_id, q.message_id FROM dunning.queue q
              WHERE retry.state = 'held' AND q.state = 'held' AND (retry.message_id IS NULL OR q.message_id = retry.message_id)) x
        JOIN dunning.message m ON m.debtor_id = x.debtor_id AND m.message_id = x.message_id
        JOIN LATERAL (SELECT y.state, y.reason, y.at FROM dunning.message_state y WHERE y.debtor_id = x.debtor_id AND y.message_id = x.message_id OFFSET 0) s ON true
        WHERE s.state = retry.state AND (retry.server IS NULL OR m.server = retry.server) AND (since IS NULL OR s.at >= since)
          AND (m.not_after IS NULL OR m.not_after > dunning._now())      -- over is over
        ORDER BY s.at, m.message_id
    LOOP
        IF NOT dry_run AND retry.state = 'held' THEN
            PERFORM dunning._release_held(ARRAY[found.debtor_id]);
        ELSIF NOT dry_run THEN
            INSERT INTO dunning.queue AS q (debtor_id, message_id, creditor, slice, state, due, attempts, server, channel, reason, run_id, priority)
            VALUES (found.debtor_id, found.message_id, found.creditor, dunning._slice(found.debtor_id), 'queued', dunning._now(), found.attempts, found.server,
                found.channel, 'retried by ' || session_user, found.run_id, found.priority)
            ON CONFLICT DO NOTHING;
        END IF;
        RETURN QUERY SELECT found.message_id, found.debtor_id::text, found.channel::text, found.server::text, found.state::text, found.reason::text, found.at::timestamptz;
    END LOOP;
    IF NOT dry_run THEN
        PERFORM dunning._wake();
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning.retry(uuid, text, text, timestamptz, boolean) IS
    'Messages of a state that go back into the queue (dry_run, the default: that would), of one message, server or since an instant. The gate and the frozen body stand; an unknown one may arrive twice. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.retry(uuid, text, text, timestamptz, boolean) TO dunning_operator;

CREATE FUNCTION dunning._check_server(server text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._servers() s WHERE s.server = _check_server.server
                   UNION ALL SELECT FROM dunning._mailbox_servers() s WHERE s.server = _check_server.server) THEN
        RAISE EXCEPTION 'server "%" does not exist', _check_server.server
            USING ERRCODE = '22023', DETAIL = 'Known servers: ' || coalesce((SELECT string_agg(s.server, ', ' ORDER BY s.server) FROM dunning._servers() s), 'none') || '.',
                  HINT = pg_catalog.format('CREATE SERVER %I TYPE ''email'' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ''smtp'', url ''smtp://mail.example.org:587'', "from" ''billing@example.org'');', coalesce(_check_server.server, 'mail'));
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_server(text) IS 'Nothing, or 22023 naming the known servers.';

CREATE FUNCTION dunning._breakers() RETURNS TABLE (server text, reason text, opened_at timestamptz, probe_at timestamptz, failures int)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_breakers';
COMMENT ON FUNCTION dunning._breakers() IS
    'Servers that are left alone because they took nothing: why, since when, when a message tries again, failures in a row. From shared memory; without preload, of this session.';
GRANT EXECUTE ON FUNCTION dunning._breakers() TO dunning_viewer;

CREATE FUNCTION dunning._close_breaker(server text) RETURNS boolean
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_close_breaker';
COMMENT ON FUNCTION dunning._close_breaker(text) IS 'Lets messages go to the server again, whatever it answered; true where it was left alone.';

CREATE FUNCTION dunning.pause(server text) RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_server(pause.server);
    INSERT INTO dunning.server_state AS s (server, paused_at, paused_by) VALUES (pause.server, dunning._now(), session_user) ON CONFLICT DO NOTHING;
    RETURN (SELECT s.paused_at FROM dunning.server_state s WHERE s.server = pause.server);
END
$fn$;
COMMENT ON FUNCTION dunning.pause(text) IS 'Since when the server is paused: nothing is planned on it and nothing leaves through it until resume(). Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.pause(text) TO dunning_operator;

CREATE FUNCTION dunning.resume(server text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_server(resume.server);
    DELETE FROM dunning.server_state s WHERE s.server = resume.server;
    PERFORM dunning._close_breaker(resume.server);
    PERFORM dunning._wake();
    RETURN (SELECT count(*) FROM dunning.queue q WHERE q.server = resume.server AND q.state = 'queued' AND q.due <= dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning.resume(text) IS 'How many messages now due wait for the server that was paused, or left alone because it took nothing. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.resume(text) TO dunning_operator;

CREATE VIEW dunning.queue_status WITH (security_invoker, security_barrier) AS
    SELECT q.creditor, q.channel, q.server, q.state, CASE WHEN q.state IN ('held', 'queued') THEN q.reason END AS reason, count(*) AS messages,
           count(*) FILTER (WHERE q.state = 'queued' AND q.due <= dunning._now()) AS due_now, min(q.due) AS next_due, max(q.due) AS last_due, max(q.attempts) AS most_attempts,
           EXISTS (SELECT FROM dunning.server_state s WHERE s.server = q.server) AS paused,
           (SELECT b.reason FROM dunning._breakers() b WHERE b.server = q.server) AS shut
    FROM dunning.queue q GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW dunning.queue_status IS 'Unfinished messages by creditor, channel, server, state and reason: how many, how many due now, next and last instant, most attempts, is the server paused, and why it is left alone (shut, NULL: it is not). Role: dunning_viewer.';
GRANT SELECT ON dunning.queue_status TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._now() TO dunning_viewer, dunning_worker;
