-- Questions to gateways: whether a message was taken of which nobody knows.

CREATE TABLE dunning.question (
    debtor_id       text COLLATE "C" NOT NULL,
    message_id      uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    server          text COLLATE "C" NOT NULL,
    subject         text NOT NULL,              -- what a person is asked where the gateway never tells
    asked           int NOT NULL DEFAULT 0,
    next_at         timestamptz NOT NULL,
    until_at        timestamptz NOT NULL,       -- from then on it is a person's
    said            text,                       -- what came of it when it was asked last
    PRIMARY KEY (debtor_id, message_id)
);
CREATE INDEX question_next ON dunning.question (next_at);
COMMENT ON TABLE dunning.question IS 'Messages of which nobody knows whether they were taken, and whose gateway is being asked: how often so far, what it said, when next and until when.';
SELECT pg_catalog.pg_extension_config_dump('dunning.question', '');
REVOKE ALL ON dunning.question FROM PUBLIC;
GRANT SELECT ON dunning.question TO dunning_viewer;

CREATE FUNCTION dunning._ask_gateway(debtor_id text, message_id uuid, subject text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    tried record;
    ask record;
    now_at timestamptz := clock_timestamp();
BEGIN
    SELECT e.server, e.creditor INTO tried FROM dunning.egress e
    WHERE e.debtor_id = _ask_gateway.debtor_id AND e.message_id = _ask_gateway.message_id ORDER BY e.attempt DESC LIMIT 1;
    SELECT o.query, o.ask_for INTO ask FROM dunning._question_of(tried.server) o;
    IF ask.query IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO dunning.question AS q (debtor_id, message_id, creditor, server, subject, next_at, until_at)
    VALUES (_ask_gateway.debtor_id, _ask_gateway.message_id, tried.creditor, tried.server, _ask_gateway.subject,
            now_at + dunning._question_pause(0), now_at + ask.ask_for)
    ON CONFLICT ON CONSTRAINT question_pkey DO UPDATE
    SET server = EXCLUDED.server, subject = EXCLUDED.subject, asked = 0, next_at = EXCLUDED.next_at, until_at = EXCLUDED.until_at, said = NULL;
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning._ask_gateway(text, uuid, text) IS 'True: the gateway of a message''s last attempt is going to be asked about it; false: it cannot be, and a person must.';

CREATE FUNCTION dunning._question_pause(asked int) RETURNS interval
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT least(coalesce(nullif(current_setting('dunning.retry_delay', true), ''), '30s')::interval * 2 ^ least(asked, 20), '1 hour') $$;
COMMENT ON FUNCTION dunning._question_pause(int) IS 'How long a gateway is left in peace after so many questions about one message: dunning.retry_delay, doubled each time up to an hour.';

CREATE FUNCTION dunning._questions_due(wanted text DEFAULT NULL) RETURNS TABLE (server text, debtor_id text, message_id uuid, next_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT q.server::text, q.debtor_id::text, q.message_id, q.next_at FROM dunning.question q
        WHERE CASE WHEN wanted IS NULL THEN q.next_at <= clock_timestamp() AND NOT EXISTS (SELECT FROM dunning.server_state s WHERE s.server = q.server) ELSE q.server = wanted END
        ORDER BY q.next_at, q.message_id LIMIT 64;
END
$fn$;
COMMENT ON FUNCTION dunning._questions_due(text) IS 'What is to be asked now, longest waiting first; or all of one server, whether due or not. At most 64.';

-- A page that is no answer says nothing: only the gateway's own 404, or a list that is there and empty, is an absence.
CREATE FUNCTION dunning._judge_answer(query jsonb, message_id uuid, code int, body text, age interval, OUT verdict text, OUT said text, OUT provider_ref text)
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    answer jsonb;
    absent boolean := code = 404;
BEGIN
    verdict := 'unknown';
    said := 'http_' || code;
    IF code BETWEEN 200 AND 299 THEN
        BEGIN
            answer := body::jsonb;
        EXCEPTION WHEN data_exception OR statement_too_complex THEN
            NULL;
        END;
        IF query ? 'list' THEN
            answer := answer #> string_to_array(query ->> 'list', '.');
            absent := coalesce(answer = '[]', false);
            answer := CASE WHEN jsonb_typeof(answer) = 'array' THEN answer -> 0 END;
        END IF;
    END IF;
    IF absent THEN
        said := 'absent';
        IF query ->> 'absent' = 'not_taken' AND age >= coalesce(query ->> 'absent_after', '10min')::interval THEN
            verdict := 'not_taken';
        END IF;
        RETURN;
    ELSIF code NOT BETWEEN 200 AND 299 THEN
        RETURN;
    END IF;
    provider_ref := substring(answer #>> string_to_array(query ->> 'id', '.') FROM '^[[:print:]]{1,200}$');
    IF provider_ref IS NULL THEN
        said := 'no_answer_in_it';
    ELSIF query ? 'echo' AND lower(answer #>> string_to_array(query ->> 'echo', '.')) IS DISTINCT FROM message_id::text THEN
        said := 'about_another_message';
    ELSIF query ? 'state' THEN
        said := coalesce(lower(substring(answer #>> string_to_array(query ->> 'state', '.') FROM '^[[:print:]]{1,60}$')), 'no_word');
        verdict := coalesce((SELECT w.value FROM jsonb_each_text(query -> 'words') w WHERE lower(w.key) = said LIMIT 1), 'unknown');
    ELSE
        said := 'found';
        verdict := 'sent';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._judge_answer(jsonb, uuid, int, text, interval) IS
    'What a gateway''s answer about a message means: sent, delivered, failed, not_taken or unknown; what it said in a word; its own id. age: how long ago the message was handed over.';

-- Known not to have been taken. Who honours keys gets it again under its key; of another one a mistake in the answer would be a second message, so there
-- the step goes on over its next channel, and where there is none a person may retry(). What was stopped meanwhile stays stopped.
CREATE FUNCTION dunning._not_taken(message dunning.message, server text, attempt smallint, detail jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._is_repeatable(_not_taken.server) AND (message.not_after IS NULL OR message.not_after > dunning._now()) AND NOT EXISTS (
           SELECT FROM dunning.outcome o WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id
           AND (o.state = 'cancelled' OR o.reason = 'gateway_did_not_take_it' AND o.attempt = _not_taken.attempt))
       -- Who loses it each time will lose it again.
       AND (SELECT count(*) FROM dunning.outcome o WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND o.reason = 'gateway_did_not_take_it') < 3 THEN
        INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, detail, at)
        VALUES (message.message_id, dunning._uuid7(), message.debtor_id, message.creditor, _not_taken.attempt, 'queued', 'gateway_did_not_take_it', _not_taken.detail, dunning._now());
        INSERT INTO dunning.queue AS q (debtor_id, message_id, creditor, slice, state, due, attempts, server, channel, reason, run_id, priority)
        VALUES (message.debtor_id, message.message_id, message.creditor, dunning._slice(message.debtor_id), 'queued', dunning._now(), _not_taken.attempt, _not_taken.server,
                message.channel, 'gateway_did_not_take_it', message.run_id, (message.decision->>'priority')::smallint)
        ON CONFLICT DO NOTHING;
        PERFORM dunning._wake();
    ELSE
        PERFORM dunning._receipt(message, 'failed', 'gateway_did_not_take_it', NULL, _not_taken.detail, dunning._now());
        -- Nothing goes on by itself: somebody is to know.
        IF NOT EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND (o.state = 'cancelled' OR o.detail ? 'fallback')) THEN
            PERFORM dunning._task(message.debtor_id, 'not_taken', format('The gateway did not take a %s, and there is no other channel', message.channel),
                                  message_id => message.message_id, creditor => message.creditor);
        END IF;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._not_taken(dunning.message, text, smallint, jsonb) IS 'Nothing; the message stands in the queue again where the server honours keys, else it has failed and goes on over the next channel, or a person gets a task.';

CREATE FUNCTION dunning._answer(debtor_id text, message_id uuid, code int, body bytea, problem text) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    q dunning.question;
    m dunning.message;
    last_try record;
    judged record;
    words text;
    now_at timestamptz := clock_timestamp();
    detail jsonb;
BEGIN
    SELECT x.* INTO q FROM dunning.question x WHERE x.debtor_id = _answer.debtor_id AND x.message_id = _answer.message_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'over';
    END IF;
    SELECT x.* INTO m FROM dunning.message x WHERE x.debtor_id = q.debtor_id AND x.message_id = q.message_id;
    -- A receipt or a person may have been quicker.
    IF (SELECT s.state FROM dunning.message_state s WHERE s.debtor_id = q.debtor_id AND s.message_id = q.message_id) IS DISTINCT FROM 'unknown' THEN
        DELETE FROM dunning.question x WHERE x.debtor_id = q.debtor_id AND x.message_id = q.message_id;
        RETURN 'over';
    END IF;
    SELECT e.attempt, e.at INTO last_try FROM dunning.egress e WHERE e.debtor_id = q.debtor_id AND e.message_id = q.message_id ORDER BY e.attempt DESC LIMIT 1;
    BEGIN
        words := convert_from(_answer.body, 'UTF8');
    EXCEPTION WHEN data_exception THEN
        NULL;   -- no answer of a gateway
    END;
    IF _answer.problem IS NULL THEN
        SELECT j.* INTO judged
        FROM dunning._judge_answer(coalesce((SELECT o.query FROM dunning._question_of(q.server) o), '{}'), q.message_id, _answer.code, words, now_at - last_try.at) j;
    ELSE
        SELECT 'unknown' AS verdict, left(_answer.problem, 200) AS said, NULL::text AS provider_ref INTO judged;
    END IF;
    IF judged.verdict = 'unknown' AND now_at < q.until_at THEN
        UPDATE dunning.question x SET asked = x.asked + 1, said = judged.said, next_at = least(now_at + dunning._question_pause(x.asked + 1), x.until_at)
        WHERE x.debtor_id = q.debtor_id AND x.message_id = q.message_id;
        -- Who does not answer at all is not asked about the others just now.
        UPDATE dunning.question x SET next_at = least(now_at + dunning._question_pause(0), x.until_at)
        WHERE _answer.problem IS NOT NULL AND x.server = q.server AND x.next_at < now_at + dunning._question_pause(0) AND x.message_id <> q.message_id;
        RETURN 'unknown';
    END IF;
    DELETE FROM dunning.question x WHERE x.debtor_id = q.debtor_id AND x.message_id = q.message_id;
    detail := jsonb_build_object('asked', q.asked + 1, 'said', judged.said);
    CASE judged.verdict
        WHEN 'unknown' THEN
            PERFORM dunning._task(q.debtor_id, 'unknown_outcome', q.subject, message_id => q.message_id, creditor => m.creditor);
        WHEN 'not_taken' THEN
            PERFORM dunning._not_taken(m, q.server, last_try.attempt, detail);
        WHEN 'sent' THEN
            INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
            VALUES (m.message_id, dunning._uuid7(), m.debtor_id, m.creditor, last_try.attempt, 'sent', 'gateway_was_asked', judged.provider_ref, detail, dunning._now());
        ELSE
            PERFORM dunning._receipt(m, judged.verdict, 'gateway_was_asked', judged.provider_ref, detail, dunning._now());
    END CASE;
    RETURN judged.verdict;
END
$fn$;
COMMENT ON FUNCTION dunning._answer(text, uuid, int, bytea, text) IS
    'What came of asking a gateway about a message, settled in this transaction: sent, delivered, failed, not_taken; unknown: asked again later, or a person is; over: it was known meanwhile. problem: why there is no answer.';

CREATE FUNCTION dunning._is_repeatable(server text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    -- As src/gateway/server.c reads it.
    RETURN (SELECT coalesce(o.contract, CASE WHEN o.header IS NOT NULL THEN 'repeat' END,
                            (SELECT p.contract FROM dunning.http_preset p WHERE p.preset = coalesce(o.preset, 'generic-json') ORDER BY p.builtin LIMIT 1)) = 'repeat'
            FROM (SELECT max(x.option_value) FILTER (WHERE x.option_name = 'contract') AS contract, max(x.option_value) FILTER (WHERE x.option_name = 'idempotency_header') AS header,
                         max(x.option_value) FILTER (WHERE x.option_name = 'preset') AS preset
                  FROM pg_catalog.pg_foreign_server f, LATERAL pg_catalog.pg_options_to_table(f.srvoptions) x WHERE f.srvname = _is_repeatable.server) o);
END
$fn$;
COMMENT ON FUNCTION dunning._is_repeatable(text) IS 'Whether the contract of a server of driver http is repeat.';

GRANT EXECUTE ON FUNCTION dunning._questions_due(text), dunning._answer(text, uuid, int, bytea, text) TO dunning_worker;

CREATE PROCEDURE dunning.ask_gateway(server text DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'dun_deliver_sql_ask_gateway';
COMMENT ON PROCEDURE dunning.ask_gateway(text) IS
    'Asks a gateway now about the messages of which nobody knows whether it took them, or each gateway about what is due; the background worker does it by itself. 55000 in a database that is not activated, 25001 inside a transaction block. Role: dunning_operator.';
GRANT EXECUTE ON PROCEDURE dunning.ask_gateway(text) TO dunning_operator;
