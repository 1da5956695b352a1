-- daily(): refresh, score, plan, maintain, each in a transaction of its own, so that a night that breaks off goes on where it was.

-- The run to work on: a new one, or the one that broke off. A run whose backend lives is somebody else's.
CREATE FUNCTION dunning._run_begin(creditor text, pid int) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    open_run dunning.run;
    id uuid;
BEGIN
    IF _run_begin.creditor IS NOT NULL AND NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = _run_begin.creditor) THEN
        RAISE EXCEPTION 'there is no creditor "%"', _run_begin.creditor
            USING ERRCODE = '22023',
                  DETAIL = format('Known are %s.', coalesce((SELECT string_agg(DISTINCT c.creditor, ', ') FROM dunning.creditor c), 'none')),
                  HINT = format('SELECT dunning.save_creditor(%L, ''Name'');', _run_begin.creditor);
    END IF;
    -- Two beginnings at once are told apart here, for the length of this transaction.
    PERFORM pg_advisory_xact_lock(1685416558, 'dunning.run'::regclass::oid::int);
    SELECT r.* INTO open_run FROM dunning.run r WHERE r.state = 'running' ORDER BY r.started_at DESC LIMIT 1;
    IF FOUND THEN
        IF open_run.pid <> _run_begin.pid AND open_run.beat_at > pg_postmaster_start_time()
           AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = open_run.pid AND a.datname = current_database()) THEN
            RAISE EXCEPTION 'a daily run is going on'
                USING ERRCODE = 'DN008', DETAIL = format('Backend %s began it at %s.', open_run.pid, open_run.started_at),
                      HINT = 'SELECT * FROM dunning.run_log WHERE run_state = ''running'';';
        END IF;
        IF open_run.creditor IS NOT DISTINCT FROM _run_begin.creditor AND open_run.beat_at > clock_timestamp() - interval '20 hours' THEN
            UPDATE dunning.run r SET pid = _run_begin.pid, beat_at = clock_timestamp() WHERE r.run_id = open_run.run_id;
            RETURN open_run.run_id;
        END IF;
        -- Too old to go on with, or of another creditor: what it left undone is done anew.
        UPDATE dunning.run r SET state = 'failed', finished_at = dunning._now() WHERE r.run_id = open_run.run_id;
        UPDATE dunning.run_step s SET state = 'failed', finished_at = dunning._now(), detail = 'broken off'
        WHERE s.run_id = open_run.run_id AND s.state = 'running';
    END IF;
    id := dunning._uuid7();
    INSERT INTO dunning.run (run_id, creditor, state, pid, beat_at, started_at, started_by)
    VALUES (id, _run_begin.creditor, 'running', _run_begin.pid, clock_timestamp(), dunning._now(), session_user);
    RETURN id;
END
$$;
COMMENT ON FUNCTION dunning._run_begin(text, int) IS 'The run to work on, new or resumed. Another backend works on one: DN008.';
GRANT EXECUTE ON FUNCTION dunning._run_begin(text, int) TO dunning_operator;

CREATE FUNCTION dunning._run_steps() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['refresh', 'score', 'plan', 'maintain'] $$;
COMMENT ON FUNCTION dunning._run_steps() IS 'The steps of daily() in order.';

CREATE FUNCTION dunning._run_work(step text, creditor text, OUT rows bigint, OUT detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    checked record;
    problem text := dunning._ledger_problem();
    many text[];
BEGIN
    CASE _run_work.step
        WHEN 'refresh' THEN
            SELECT c.broken, c.ended INTO checked FROM dunning._check_promises() c;
            SELECT coalesce(sum(r.rows), 0), string_agg(r.rows || ' ' || r.item, ', ') INTO rows, detail FROM dunning._refresh_all() r;
            detail := concat_ws(', ', format('ledger %s, %s promise hold(s) ended, %s broken', coalesce(problem, 'ok'), checked.ended, checked.broken), detail);
        WHEN 'score' THEN
            SELECT count(*), count(*) || ' segment(s)' INTO rows, detail FROM dunning.score();
        WHEN 'plan' THEN
            IF _run_work.creditor IS NOT NULL THEN
                EXECUTE format('SELECT coalesce(array_agg(d.debtor_id), ''{}'') FROM (%s) d WHERE d.creditor = $1', dunning._ledger_sql('debtor'))
                    INTO many USING _run_work.creditor;
            END IF;
            SELECT count(*), concat_ws(', ', count(*) FILTER (WHERE p.state = 'queued') || ' queued', nullif(count(*) FILTER (WHERE p.state = 'proposed'), 0) || ' proposed', count(*) FILTER (WHERE p.state = 'held') || ' held')
            INTO rows, detail FROM dunning._plan(NULL, NULL, false, false, many) p;
        WHEN 'maintain' THEN
            SELECT coalesce(sum(m.rows), 0), string_agg(m.item || ' ' || m.rows, ', ') FILTER (WHERE m.rows > 0) INTO rows, detail
            FROM dunning._maintain() m;
    END CASE;
END
$$;
COMMENT ON FUNCTION dunning._run_work(text, text) IS 'Does one step of daily(): rows touched and what was done, in words.';

-- One step: done before, done now, or failed with its reason kept. A failed step does not keep the next from its work.
CREATE FUNCTION dunning._run_step(run_id uuid, step text, pid int) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_creditor text;
    said text;
    touched bigint;
    what text;
    began timestamptz := clock_timestamp();
BEGIN
    -- Whoever took the run over has its pid in it: then this backend is the one that was believed dead.
    SELECT r.creditor INTO of_creditor FROM dunning.run r WHERE r.run_id = _run_step.run_id AND r.pid = _run_step.pid AND r.state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this daily run was taken over' USING ERRCODE = 'DN008', HINT = 'SELECT * FROM dunning.run_log;';
    END IF;
    IF EXISTS (SELECT FROM dunning.run_step s WHERE s.run_id = _run_step.run_id AND s.step = _run_step.step AND s.state = 'done') THEN
        RETURN 'done';
    END IF;
    said := 'done';
    BEGIN
        SELECT w.rows, w.detail INTO touched, what FROM dunning._run_work(_run_step.step, of_creditor) w;
    EXCEPTION WHEN OTHERS THEN
        said := 'failed';
        touched := NULL;
        what := format('%s: %s', SQLSTATE, SQLERRM);
    END;
    INSERT INTO dunning.run_step AS s (run_id, position, step, state, started_at, finished_at, rows, detail)
    VALUES (_run_step.run_id, array_position(dunning._run_steps(), _run_step.step), _run_step.step, said, began, clock_timestamp(), touched, what)
    ON CONFLICT ON CONSTRAINT run_step_pkey DO UPDATE
        SET state = excluded.state, started_at = excluded.started_at, finished_at = excluded.finished_at, rows = excluded.rows, detail = excluded.detail;
    UPDATE dunning.run r SET beat_at = clock_timestamp() WHERE r.run_id = _run_step.run_id;
    RETURN said;
END
$$;
COMMENT ON FUNCTION dunning._run_step(uuid, text, int) IS 'done or failed: one step of a run, not done again where it is done.';
GRANT EXECUTE ON FUNCTION dunning._run_step(uuid, text, int) TO dunning_operator;

CREATE FUNCTION dunning._run_end(run_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    failed text := (SELECT string_agg(s.step || ' (' || s.detail || ')', '; ' ORDER BY s.position)
                    FROM dunning.run_step s WHERE s.run_id = _run_end.run_id AND s.state = 'failed');
BEGIN
    UPDATE dunning.run r SET state = CASE WHEN failed IS NULL THEN 'done' ELSE 'failed' END, finished_at = dunning._now(), beat_at = clock_timestamp()
    WHERE r.run_id = _run_end.run_id;
    RETURN failed;
END
$$;
COMMENT ON FUNCTION dunning._run_end(uuid) IS 'NULL, or the failed steps of a run with their reasons; closes it.';
GRANT EXECUTE ON FUNCTION dunning._run_end(uuid) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._run_steps() TO dunning_operator;

-- Commits between its steps, hence no SET and no SECURITY DEFINER; what it calls has both.
CREATE PROCEDURE dunning.daily(creditor text DEFAULT NULL)
    LANGUAGE plpgsql AS
$$
#variable_conflict error
DECLARE
    -- Qualified: a type of this name in the caller's search_path would be read with the caller's rights.
    id pg_catalog.uuid;
    failed pg_catalog.text;
    step pg_catalog.text;
BEGIN
    id := dunning._run_begin(daily.creditor, pg_catalog.pg_backend_pid());
    COMMIT;
    FOREACH step IN ARRAY dunning._run_steps() LOOP
        PERFORM dunning._run_step(id, step, pg_catalog.pg_backend_pid());
        COMMIT;
    END LOOP;
    failed := dunning._run_end(id);
    COMMIT;
    -- At the end, so that whoever scheduled it is told and yet everything that could be done is done.
    IF failed IS NOT NULL THEN
        RAISE EXCEPTION 'a step of the daily run failed'
            USING ERRCODE = '55000', DETAIL = failed, HINT = 'SELECT * FROM dunning.run_log; SELECT * FROM dunning.health();';
    END IF;
END
$$;
COMMENT ON PROCEDURE dunning.daily(text) IS
    'Refresh, score, plan and maintain, each committed by itself and logged in run_log; goes on where a broken run stopped. One at a time: DN008; a step that fails is told at the end: 55000. Role dunning_operator.';
GRANT EXECUTE ON PROCEDURE dunning.daily(text) TO dunning_operator;
