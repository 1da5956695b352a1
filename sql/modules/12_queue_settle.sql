-- queue: the states of a message and the one function that moves it between them.
--
--   proposed ──approve──> queued <──release── held          rows of dunning.queue
--   queued ──intent committed (egress)──> sending
--   sending ──verdict──> queued (a later attempt)           retry, `due` moved, attempts + 1
--   any of them ──> sent delivered failed unknown dead cancelled     final: an outcome row, the queue row is gone
--
-- `failed` went on over another channel (a new message), `dead` did not. A receipt that comes later only adds an
-- outcome; the state of a finished message is the outcome of the last attempt with the highest rank, so receipts may
-- come in any order.

CREATE FUNCTION dunning._state_rank(state text) RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE state
        WHEN 'cancelled' THEN 1     -- nothing left the database
        WHEN 'dead' THEN 2          -- nothing arrived, nothing more is tried
        WHEN 'unknown' THEN 3       -- it may have arrived
        WHEN 'sent' THEN 4          -- the gateway took it
        WHEN 'delivered' THEN 5     -- a receipt
        WHEN 'failed' THEN 6        -- a bounce, also after a receipt: the relay took it, the mailbox did not
        ELSE 0 END;                 -- queued, held: not final
END;
COMMENT ON FUNCTION dunning._state_rank(text) IS 'Rank of an outcome among those of one attempt; 0: not final.';

CREATE VIEW dunning.message_state WITH (security_invoker, security_barrier) AS
    SELECT m.message_id, m.debtor_id,
           -- The claim of a message under way lives in the worker; what tells of it is an intent without its outcome. One
           -- that was cancelled meanwhile is cancelled when its verdict says that it did not leave.
           CASE WHEN coalesce(q.state, o.state) IN ('queued', 'cancelled')
                     AND EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id
                                 AND e.attempt = coalesce(q.attempts, o.attempt) + 1) THEN 'sending'
                ELSE coalesce(q.state, o.state) END AS state, coalesce(q.reason, o.reason) AS reason,
           coalesce(CASE WHEN q.state IS NOT NULL THEN coalesce(o.at, m.created_at) END, o.at) AS at
    FROM dunning.message m
    LEFT JOIN dunning.queue q ON q.debtor_id = m.debtor_id AND q.message_id = m.message_id
    LEFT JOIN LATERAL (
        SELECT x.state, x.reason, x.at, x.attempt FROM dunning.outcome x
        WHERE x.debtor_id = m.debtor_id AND x.message_id = m.message_id
        ORDER BY dunning._state_rank(x.state) = 0, x.attempt DESC, dunning._state_rank(x.state) DESC, x.outcome_id DESC
        LIMIT 1) o ON true;
COMMENT ON VIEW dunning.message_state IS 'The one state of every message, with its reason and since when; role: dunning_viewer.';
GRANT SELECT ON dunning.message_state TO dunning_viewer;
GRANT SELECT (message_id, debtor_id, attempt) ON dunning.egress TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._state_rank(text) TO dunning_viewer, dunning_worker;

-- Step keys of messages of which nothing left become free, so that planning may take the step up again. An attempt left
-- nothing where its outcome says so: refused at the recheck, by the network or by the gateway. Default deny: an attempt
-- without an outcome may have left.
-- Of which nothing has left: each attempt was settled, none arrived or may have, and nobody took the message back for good.
CREATE FUNCTION dunning._unsent(debtor_ids text[], message_ids uuid[]) RETURNS TABLE (debtor_id text, message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT v.debtor_id, v.message_id FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id)
        WHERE NOT EXISTS (SELECT FROM dunning.egress e
              WHERE e.debtor_id = v.debtor_id AND e.message_id = v.message_id
                AND NOT EXISTS (SELECT FROM dunning.outcome x
                    WHERE x.debtor_id = e.debtor_id AND x.message_id = e.message_id AND x.attempt = e.attempt))
          AND NOT EXISTS (SELECT FROM dunning.outcome x
              WHERE x.debtor_id = v.debtor_id AND x.message_id = v.message_id
                AND (x.state NOT IN ('queued', 'held', 'cancelled') OR x.detail ? 'may_have_arrived' OR x.detail ? 'final'));
END
$fn$;
COMMENT ON FUNCTION dunning._unsent(text[], uuid[]) IS 'Those of these messages of which no attempt left anything, unless cancel() took them back for good: their steps may be planned again.';

CREATE FUNCTION dunning._free_steps(debtor_ids text[], message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    DELETE FROM dunning.once o USING dunning._unsent(debtor_ids, message_ids) v
    WHERE o.debtor_id = v.debtor_id AND o.kind = 'step' AND o.message_id = v.message_id;
END
$fn$;
COMMENT ON FUNCTION dunning._free_steps(text[], uuid[]) IS 'Frees the step keys of those of these messages that _unsent() tells.';

CREATE FUNCTION dunning._settle(debtor_ids text[], message_ids uuid[], attempts smallint[], states text[], reasons text[],
    provider_refs text[], details jsonb[], next_due timestamptz[]) RETURNS TABLE (debtor_id text, message_id uuid, state text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $fn$
#variable_conflict error
DECLARE
    failure record;
    fallback uuid;
    unknown_state text;
    won int;
BEGIN
    SELECT s.s INTO unknown_state FROM unnest(states) s(s)
    WHERE s.s IS NULL OR s.s NOT IN ('queued', 'held', 'sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unknown message state "%"', unknown_state
            USING ERRCODE = '22023', HINT = 'States are queued, held, sent, delivered, failed, unknown, dead and cancelled.';
    END IF;

    -- The fence: attempt n is settled only by who finds n - 1 settled ones; 0 stands for "before any intent".
    RETURN QUERY
        WITH v AS MATERIALIZED (
            SELECT v.debtor_id, v.message_id, v.attempt,
                   -- Who may have got it is not told that nothing left.
                   CASE WHEN v.state IN ('cancelled', 'dead') AND EXISTS (
                       SELECT FROM dunning.outcome o WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.detail ? 'may_have_arrived')
                       THEN 'unknown' ELSE v.state END AS state, v.reason, v.provider_ref, v.detail, v.due
            FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons),
                unnest(provider_refs), unnest(details), unnest(next_due))
                AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail, due)
            WHERE v.state <> 'failed'),
        moved AS (
            UPDATE dunning.queue q
            SET state = v.state, due = coalesce(v.due, q.due), attempts = greatest(q.attempts, v.attempt), reason = v.reason,
                blocked_by = CASE v.state WHEN 'held' THEN coalesce(
                    nullif(ARRAY(SELECT b.b FROM jsonb_array_elements_text(v.detail->'blocked_by') b(b)), '{}'), ARRAY[v.reason]) END
            FROM v, dunning.queue old
            WHERE old.debtor_id = q.debtor_id AND old.message_id = q.message_id
              AND v.state IN ('queued', 'held') AND q.debtor_id = v.debtor_id AND q.message_id = v.message_id
              AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
            RETURNING q.debtor_id, q.message_id, q.creditor, v.attempt, v.state, v.reason, v.provider_ref, v.detail,
                v.attempt = 0 AND v.state = 'held' AND old.reason IS NOT DISTINCT FROM v.reason AS repeated),
        finished AS (
            DELETE FROM dunning.queue q USING v
            WHERE v.state NOT IN ('queued', 'held') AND q.debtor_id = v.debtor_id AND q.message_id = v.message_id
              AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
            RETURNING q.debtor_id, q.message_id, q.creditor, greatest(v.attempt, q.attempts) AS attempt, v.state, v.reason, v.provider_ref, v.detail),
        written AS (
            INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
            SELECT x.message_id, dunning._uuid7(), x.debtor_id, x.creditor, x.attempt, x.state, x.reason, x.provider_ref, x.detail, dunning._now()
            FROM (SELECT m.debtor_id, m.message_id, m.creditor, m.attempt, m.state, m.reason, m.provider_ref, m.detail
                  FROM moved m WHERE NOT m.repeated     -- held again for the same reason is no news
                  UNION ALL SELECT * FROM finished) x
            RETURNING outcome.debtor_id, outcome.message_id, outcome.state)
        SELECT w.debtor_id::text, w.message_id, w.state FROM written w
        UNION ALL SELECT m.debtor_id, m.message_id, m.state FROM moved m WHERE m.repeated;

    GET DIAGNOSTICS won = ROW_COUNT;

    -- Final failures one by one: each looks for the step's next channel.
    FOR failure IN
        WITH v AS MATERIALIZED (
            SELECT * FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons),
                unnest(provider_refs), unnest(details))
                AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail)
            WHERE v.state = 'failed')
        DELETE FROM dunning.queue q USING v
        WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id
          AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
        RETURNING q.debtor_id, q.message_id, q.creditor, greatest(v.attempt, q.attempts) AS attempt, v.reason, v.provider_ref, v.detail
    LOOP
        fallback := dunning._fallback(failure.debtor_id, failure.message_id, failure.reason);
        won := won + 1;
        debtor_id := failure.debtor_id;
        message_id := failure.message_id;
        state := CASE WHEN fallback IS NULL THEN 'dead' ELSE 'failed' END;
        INSERT INTO dunning.outcome AS o (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
        VALUES (failure.message_id, dunning._uuid7(), failure.debtor_id, failure.creditor, failure.attempt,
            CASE WHEN fallback IS NULL THEN 'dead' ELSE 'failed' END, failure.reason, failure.provider_ref,
            CASE WHEN fallback IS NULL THEN failure.detail
                 ELSE coalesce(failure.detail, '{}') || jsonb_build_object('fallback', fallback) END, dunning._now());
        RETURN NEXT;
    END LOOP;

    -- Stopped while its attempt was under way: what the gateway said is still the truth, and an attempt that left nothing
    -- is over too. A statement of its own: it must see who stopped it, also where the row was waited for just now. No queue
    -- row is the fence any more, so the key in `once` is: of two verdicts at the same time one is written down.
    IF won < cardinality(message_ids) THEN
        RETURN QUERY
            WITH late AS MATERIALIZED (
                SELECT e.message_id, e.debtor_id, e.creditor, e.attempt,
                       CASE WHEN v.state = 'failed' THEN 'dead'
                            WHEN v.state IN ('queued', 'held', 'cancelled', 'dead') THEN
                                CASE WHEN v.detail ? 'may_have_arrived' OR EXISTS (
                                    SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.detail ? 'may_have_arrived')
                                THEN 'unknown' WHEN v.state = 'dead' THEN 'dead' ELSE 'cancelled' END
                            ELSE v.state END AS state,
                       -- Of what did not leave it is said why it was stopped.
                       coalesce((SELECT o.reason FROM dunning.outcome o
                                 WHERE v.state IN ('queued', 'held') AND NOT coalesce(v.detail ? 'may_have_arrived', false)
                                   AND o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt < e.attempt AND dunning._state_rank(o.state) > 0
                                 ORDER BY o.outcome_id DESC LIMIT 1), v.reason) AS reason, v.provider_ref, v.detail
                FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons), unnest(provider_refs), unnest(details))
                    AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail)
                JOIN dunning.egress e ON e.debtor_id = v.debtor_id AND e.message_id = v.message_id AND e.attempt = v.attempt
                WHERE v.attempt > 0
                  AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = e.debtor_id AND q.message_id = e.message_id AND q.attempts < e.attempt)
                  AND NOT EXISTS (SELECT FROM dunning.outcome o
                                  WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt)),
            mine AS (
                INSERT INTO dunning.once AS k (debtor_id, kind, key, message_id, at)
                SELECT l.debtor_id, 'verdict', l.message_id || '/' || l.attempt, l.message_id, dunning._now() FROM late l
                ORDER BY l.debtor_id, l.message_id, l.attempt   -- whoever has the same ones waits, and not for each other
                ON CONFLICT DO NOTHING
                RETURNING k.debtor_id, k.key)
            INSERT INTO dunning.outcome AS x (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
            SELECT l.message_id, dunning._uuid7(), l.debtor_id, l.creditor, l.attempt, l.state, l.reason, l.provider_ref, l.detail, dunning._now()
            FROM late l JOIN mine k ON k.debtor_id = l.debtor_id AND k.key = l.message_id || '/' || l.attempt
            RETURNING x.debtor_id::text, x.message_id, x.state;
    END IF;

    IF EXISTS (SELECT FROM unnest(states, details) v(state, detail)
               WHERE v.state IN ('cancelled', 'dead') OR v.state = 'queued' AND v.detail ? 'may_have_arrived') THEN
        PERFORM dunning._task(v.debtor_id, 'unknown_outcome', format('Nobody knows whether it arrived before it was stopped: %s', v.reason), message_id => v.message_id)
        FROM unnest(debtor_ids, message_ids, attempts, states, reasons) v(debtor_id, message_id, attempt, state, reason)
        WHERE CASE WHEN v.state IN ('cancelled', 'dead', 'queued')
                    AND EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.detail ? 'may_have_arrived')
                    AND EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.state = 'unknown' AND o.reason = v.reason
                                AND o.attempt >= v.attempt)
                   -- Its gateway, where that can be asked; else a person.
                   THEN NOT dunning._ask_gateway(v.debtor_id, v.message_id, format('Nobody knows whether it arrived before it was stopped: %s', v.reason)) ELSE false END;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._settle(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[]) IS
    'The messages this call moved: the one transition function. Arrays of one length; attempt 0 = before any intent, n = the verdict on attempt n. queued = try again at next_due, held = detail.blocked_by says why and next_due when to look again; failed goes on over the next channel or ends dead. A verdict that lost the fence gives no row.';
GRANT EXECUTE ON FUNCTION dunning._settle(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[]) TO dunning_worker;

-- What nearly every verdict is: the gateway took it. Who calls it writes the outcomes of those named in the same transaction; for all
-- others _settle() must be asked, in a statement of its own.
CREATE FUNCTION dunning._finish_sent(debtor_ids text[], message_ids uuid[], attempts smallint[]) RETURNS bigint[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    -- A kept plan may stem from the time when the queue was empty.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off
AS $fn$
#variable_conflict error
DECLARE
    won bigint[];
BEGIN
    WITH finished AS (
        DELETE FROM dunning.queue q
        USING ROWS FROM (unnest(_finish_sent.debtor_ids), unnest(_finish_sent.message_ids), unnest(_finish_sent.attempts)) WITH ORDINALITY AS v(debtor_id, message_id, attempt, ord)
        WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id AND q.attempts = v.attempt - 1
        RETURNING v.ord)
    SELECT array_agg(f.ord) INTO won FROM finished f;
    RETURN won;
END
$fn$;
COMMENT ON FUNCTION dunning._finish_sent(text[], uuid[], smallint[]) IS
    'Which of these attempts (their places in the arrays) won the fence of _settle(), NULL: none; their queue rows are gone and the caller owes their outcomes.';
GRANT EXECUTE ON FUNCTION dunning._finish_sent(text[], uuid[], smallint[]) TO dunning_worker;

-- A transaction that has stopped a message and stays open must not keep the verdicts of others waiting.
CREATE FUNCTION dunning._held_up(debtor_ids text[], message_ids uuid[]) RETURNS SETOF bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH free AS MATERIALIZED (
            SELECT q.debtor_id, q.message_id FROM dunning.queue q
            JOIN ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id) ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
            ORDER BY q.debtor_id, q.message_id FOR UPDATE OF q SKIP LOCKED)
        SELECT v.ord FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) WITH ORDINALITY AS v(debtor_id, message_id, ord)
        JOIN dunning.queue q ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
        LEFT JOIN free f ON f.debtor_id = v.debtor_id AND f.message_id = v.message_id
        WHERE f.message_id IS NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._held_up(text[], uuid[]) IS
    'Which of these messages (their places in the arrays) have a queue row that another transaction holds just now; the rows of all others are locked until this transaction ends.';
GRANT EXECUTE ON FUNCTION dunning._held_up(text[], uuid[]) TO dunning_worker;

-- Cancelling is settling without an attempt. An attempt under way goes on to its verdict, which has the last word.
CREATE FUNCTION dunning._cancel_messages(debtor_ids text[], message_ids uuid[], reason text, replan boolean) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int := cardinality(message_ids);
    done_debtors text[];
    done_messages uuid[];
BEGIN
    IF coalesce(n, 0) = 0 THEN
        RETURN 0;
    END IF;
    PERFORM dunning._ensure_partitions();
    -- Whoever settles one of them now is waited for, so that what he writes is known when it is decided what they become.
    PERFORM FROM dunning.queue q
    JOIN ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id) ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
    ORDER BY q.debtor_id, q.message_id FOR UPDATE OF q;
    SELECT pg_catalog.array_agg(s.debtor_id), pg_catalog.array_agg(s.message_id) INTO done_debtors, done_messages
    FROM dunning._settle(debtor_ids, message_ids, array_fill(0::smallint, ARRAY[n]), array_fill('cancelled'::text, ARRAY[n]),
        array_fill(_cancel_messages.reason, ARRAY[n]), array_fill(NULL::text, ARRAY[n]),
        -- Its attempt may be under way: who settles that must know whether the step is to be planned again.
        array_fill(CASE WHEN NOT replan THEN '{"final": true}'::jsonb END, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n])) s;
    IF replan THEN
        PERFORM dunning._free_steps(done_debtors, done_messages);
    END IF;
    RETURN coalesce(cardinality(done_messages), 0);
END
$fn$;
COMMENT ON FUNCTION dunning._cancel_messages(text[], uuid[], text, boolean) IS 'How many of these messages it cancelled; with replan the steps of those never sent may be planned again.';
GRANT EXECUTE ON FUNCTION dunning._cancel_messages(text[], uuid[], text, boolean) TO dunning_worker;

CREATE FUNCTION dunning._stop_messages(debtor_id text, reason text) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    found uuid[];
BEGIN
    SELECT pg_catalog.array_agg(q.message_id) INTO found
    FROM dunning.queue q WHERE q.debtor_id = _stop_messages.debtor_id AND q.state <> 'sending';
    RETURN dunning._cancel_messages(array_fill(_stop_messages.debtor_id, ARRAY[coalesce(cardinality(found), 0)]), found, _stop_messages.reason, true);
END
$fn$;
COMMENT ON FUNCTION dunning._stop_messages(text, text) IS 'How many unfinished messages of a debtor it cancelled in this transaction; those already leaving are settled by their verdict. Their steps may be planned again.';
GRANT EXECUTE ON FUNCTION dunning._stop_messages(text, text) TO dunning_worker;

-- Held messages are looked at again: when what held them is gone, or when their time to look has come. The gate decides anew.
CREATE FUNCTION dunning._release_held(debtor_ids text[] DEFAULT NULL, blocker text DEFAULT NULL, due_until timestamptz DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    -- Not before its planned instant: `due` of a held row is only when to look at it again. Whose time has come is looked at by the
    -- worker: it waits for nobody who has such a row and stays open.
    WITH free AS MATERIALIZED (
        SELECT x.debtor_id, x.message_id FROM dunning.queue x
        WHERE x.state = 'held' AND x.due <= due_until FOR UPDATE SKIP LOCKED)
    UPDATE dunning.queue q SET state = 'queued', due = greatest(m.contact_at, dunning._now()), blocked_by = NULL,
        server = coalesce(q.server, dunning._server_for(q.channel, q.creditor))     -- one may have been made since
    FROM dunning.message m
    WHERE q.state = 'held' AND m.debtor_id = q.debtor_id AND m.message_id = q.message_id
      AND (debtor_ids IS NULL OR q.debtor_id = ANY (debtor_ids))
      AND (blocker IS NULL OR blocker = ANY (q.blocked_by))
      AND (due_until IS NULL OR EXISTS (SELECT FROM free f WHERE f.debtor_id = q.debtor_id AND f.message_id = q.message_id));
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM dunning._wake();
    END IF;
    RETURN n;
END
$fn$;
COMMENT ON FUNCTION dunning._release_held(text[], text, timestamptz) IS 'How many held messages stand in the queue again: of these debtors (NULL: all), held by this blocker (NULL: any), to be looked at by then (NULL: at once).';
GRANT EXECUTE ON FUNCTION dunning._release_held(text[], text, timestamptz) TO dunning_worker;
