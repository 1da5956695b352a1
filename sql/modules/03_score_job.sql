-- score: trainings in the background.

CREATE TABLE dunning.fit_run (
    job_id          uuid PRIMARY KEY,
    model           text NOT NULL,
    state           text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    pid             int NOT NULL,
    started_at      timestamptz NOT NULL,
    started_by      text NOT NULL,
    ended_at        timestamptz,
    version         int,
    sqlstate        text,
    message         text,
    detail          text,
    hint            text
);
COMMENT ON TABLE dunning.fit_run IS 'Trainings that fit_job() and train_job() started: one row each, kept for 90 days, written by the training''s own process. View fit_status also says how far one is, and which died without a word.';

CREATE FUNCTION dunning.fit_job(model text, query text, label text, kind text DEFAULT 'auto', options jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_fit_job';
COMMENT ON FUNCTION dunning.fit_job(text, text, text, text, jsonb) IS
'The job_id of a training in the background, with the arguments and rights of fit(). It has begun when the call returns, also if the caller''s transaction is rolled back, and sees what is committed by then: no temporary tables. '
'Look at view fit_status; stop it with cancel_job(). 53400 where no background worker is free. Needs dunning_operator.';

CREATE FUNCTION dunning.train_job(target text DEFAULT 'paid_30d', as_of timestamptz DEFAULT NULL, kind text DEFAULT 'auto') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_fit_job';
COMMENT ON FUNCTION dunning.train_job(text, timestamptz, text) IS 'The job_id of train() in the background: see fit_job(). Needs dunning_operator.';

-- A process that is gone wrote no end: the server was restarted, or it was killed. Of other users' processes the owner of this function may
-- see the name they show and little else.
CREATE FUNCTION dunning._fit_status()
    RETURNS TABLE (job_id uuid, model text, state text, stage text, done int, total int, version int, sqlstate text, message text, detail text, hint text,
                   started_by text, started_at timestamptz, ended_at timestamptz, pid int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT f.job_id, f.model, CASE WHEN f.state = 'running' AND a.pid IS NULL THEN 'lost' ELSE f.state END, p.stage, p.done, p.total,
           f.version, f.sqlstate, f.message, f.detail, f.hint, f.started_by, f.started_at, f.ended_at, a.pid
    FROM dunning.fit_run f
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = f.pid AND f.state = 'running' AND a.application_name LIKE 'dunning fit%'
        AND NOT EXISTS (SELECT FROM dunning.fit_run later WHERE later.pid = f.pid AND later.started_at > f.started_at)
    LEFT JOIN dunning._progress() p ON p.pid = a.pid;
END
$fn$;
COMMENT ON FUNCTION dunning._fit_status() IS 'What view fit_status shows.';

CREATE VIEW dunning.fit_status WITH (security_invoker, security_barrier) AS
    SELECT s.job_id, s.model, s.state, s.stage, s.done, s.total, s.version, s.sqlstate, s.message, s.detail, s.hint, s.started_by, s.started_at, s.ended_at, s.pid
    FROM dunning._fit_status() s;
COMMENT ON VIEW dunning.fit_status IS 'Trainings in the background: running with stage and steps done, done with the version, failed with the error, cancelled, or lost where the process is gone. Needs dunning_operator.';

-- Not SECURITY DEFINER: the server lets a user stop what runs as that user, and no one else''s.
CREATE FUNCTION dunning.cancel_job(job_id uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at int;
    now_is text;
BEGIN
    SELECT s.pid, s.state INTO at, now_is FROM dunning._fit_status() s WHERE s.job_id = cancel_job.job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job % does not exist', cancel_job.job_id USING ERRCODE = '42704', HINT = 'SELECT job_id, model, state FROM dunning.fit_status ORDER BY started_at;';
    END IF;
    RETURN now_is = 'running' AND pg_catalog.pg_cancel_backend(at);
END
$fn$;
COMMENT ON FUNCTION dunning.cancel_job(uuid) IS
'True where a training in the background was told to stop, false where it had ended. It stops at once, leaves no version, and its row says cancelled. A user can stop what was started as that user (else 42501). Needs dunning_operator.';

GRANT SELECT ON dunning.fit_status TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._fit_status(), dunning.fit_job(text, text, text, text, jsonb), dunning.train_job(text, timestamptz, text), dunning.cancel_job(uuid) TO dunning_operator;
SELECT pg_catalog.pg_extension_config_dump('dunning.fit_run', '');
