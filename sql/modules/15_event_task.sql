-- The worklist's two verbs: take a task, finish it.

CREATE FUNCTION dunning._find_task(task_id uuid) RETURNS dunning.task
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    task dunning.task;
BEGIN
    SELECT t.* INTO task FROM dunning.task t WHERE t.task_id = _find_task.task_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no task %', coalesce(task_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.worklist;';
    ELSIF task.completed_at IS NOT NULL THEN
        RAISE EXCEPTION 'task % is completed', task_id
            USING ERRCODE = '55000', DETAIL = format('Outcome "%s" by %s.', task.outcome, task.claimed_by),
                  HINT = 'SELECT * FROM dunning.worklist;';
    ELSIF task.claimed_by <> session_user
          AND task.claimed_at > dunning._now() - make_interval(mins => dunning._value_of('task_claim_minutes')::int) THEN
        RAISE EXCEPTION 'task % is being done by %', task_id, task.claimed_by
            USING ERRCODE = 'DN008', DETAIL = format('It was claimed at %s and is free again after %s minutes.', task.claimed_at,
                                                     dunning._value_of('task_claim_minutes')),
                  HINT = 'SELECT * FROM dunning.worklist WHERE claimed_by IS NULL;';
    END IF;
    RETURN task;
END
$$;
COMMENT ON FUNCTION dunning._find_task(uuid) IS 'An open task that the caller may work on, locked. Unknown: 22023; done: 55000; another''s: DN008.';

CREATE FUNCTION dunning.claim_task(task_id uuid) RETURNS dunning.task
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    task dunning.task := dunning._find_task(claim_task.task_id);
BEGIN
    PERFORM dunning._refresh_scripts(ARRAY[task.debtor_id]);
    UPDATE dunning.task t SET claimed_by = session_user, claimed_at = dunning._now()
    WHERE t.debtor_id = task.debtor_id AND t.task_id = task.task_id
    RETURNING t.* INTO task;
    RETURN task;
END
$$;
COMMENT ON FUNCTION dunning.claim_task(uuid) IS 'The task, now yours for an hour: nobody else may claim or complete it. Another''s: DN008. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.claim_task(uuid) TO dunning_operator;

CREATE FUNCTION dunning._task_outcomes() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['done', 'reached', 'promised', 'refused', 'accepted', 'declined', 'no_answer', 'wrong_number', 'cancelled'] $$;
COMMENT ON FUNCTION dunning._task_outcomes() IS 'How a task can end.';

CREATE FUNCTION dunning.complete_task(task_id uuid, outcome text, note text DEFAULT NULL, next_at timestamptz DEFAULT NULL, choice int DEFAULT NULL,
                                      OUT debtor_id text, OUT completed_at timestamptz, OUT next_task_id uuid, OUT hold_ended boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    task dunning.task;
    spoke boolean := complete_task.outcome IN ('reached', 'promised', 'refused', 'accepted', 'declined');
BEGIN
    IF complete_task.outcome IS NULL OR complete_task.outcome <> ALL (dunning._task_outcomes()) THEN
        RAISE EXCEPTION 'a task does not end with "%"', coalesce(complete_task.outcome, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Known are %s.', array_to_string(dunning._task_outcomes(), ', '));
    END IF;
    IF NOT isfinite(complete_task.next_at) OR complete_task.next_at <= dunning._now() THEN
        RAISE EXCEPTION 'the next time of a task is to come' USING ERRCODE = '22023', HINT = 'next_at => now() + interval ''1 day''';
    END IF;
    task := dunning._find_task(complete_task.task_id);
    debtor_id := task.debtor_id;
    completed_at := dunning._now();
    UPDATE dunning.task t
    SET completed_at = complete_task.completed_at, outcome = complete_task.outcome, note = complete_task.note,
        claimed_by = session_user, claimed_at = coalesce(t.claimed_at, complete_task.completed_at)
    WHERE t.debtor_id = task.debtor_id AND t.task_id = task.task_id;

    -- A call or a visit is a contact: the attempt counts, and a conversation starts its days of silence.
    IF task.kind IN ('call', 'visit') OR spoke THEN
        INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, message_id, detail, recorded_at, recorded_by)
        VALUES (task.debtor_id, dunning._uuid7(), task.creditor, CASE WHEN spoke THEN 'conversation' ELSE 'called' END,
                complete_task.completed_at, task.message_id,
                jsonb_strip_nulls(jsonb_build_object('outcome', complete_task.outcome, 'task_id', task.task_id)),
                complete_task.completed_at, session_user);
    END IF;
    IF task.message_id IS NOT NULL AND task.kind IN ('call', 'visit') AND complete_task.outcome <> 'cancelled' THEN
        PERFORM dunning._receipt(m, CASE WHEN spoke OR complete_task.outcome = 'done' THEN 'delivered' ELSE 'failed' END,
                                 complete_task.outcome, NULL, NULL, complete_task.completed_at)
        FROM dunning.message m WHERE m.message_id = task.message_id;
    END IF;
    IF complete_task.outcome = 'wrong_number' THEN
        PERFORM dunning._suppress_for(task.debtor_id, 'wrong_number', task.message_id, 'call', '{}');
    END IF;
    -- What was said on the telephone is an answer as good as a click.
    IF complete_task.outcome = 'accepted' THEN
        PERFORM dunning.accept_offer(task.debtor_id, complete_task.choice, via => 'call');
    ELSIF complete_task.outcome = 'declined' THEN
        PERFORM dunning.decline_offer(task.debtor_id, note => complete_task.note, via => 'call');
    END IF;
    IF complete_task.next_at IS NOT NULL THEN
        next_task_id := dunning._task(task.debtor_id, task.kind, task.subject, script => task.script,
                                      due_at => complete_task.next_at, creditor => task.creditor);
    END IF;
    -- Once nothing is left for us to answer, it is no longer our turn.
    hold_ended := false;
    IF NOT EXISTS (SELECT FROM dunning.task t
                   WHERE t.debtor_id = task.debtor_id AND t.completed_at IS NULL AND t.kind NOT IN ('call', 'visit')) THEN
        UPDATE dunning.hold h SET released_at = complete_task.completed_at, released_by = session_user
        WHERE h.debtor_id = task.debtor_id AND h.reason = 'awaiting_us' AND h.released_at IS NULL
          AND h.until_at > complete_task.completed_at;
        hold_ended := FOUND;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.complete_task(uuid, text, text, timestamptz, int) IS
    'One row: the task is done; a spoken word counts as a conversation, next_at makes the next task, the last answer ends awaiting_us. Outcome: done, reached, promised, refused, accepted or declined (the offer of record; choice names the option), no_answer, wrong_number, cancelled. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.complete_task(uuid, text, text, timestamptz, int) TO dunning_operator;
