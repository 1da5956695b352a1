-- experiment: who gets which arm, who is held out, and what came of it.

CREATE TABLE dunning.experiment (
    experiment      text COLLATE "C" PRIMARY KEY,
    metric          text NOT NULL,
    window_days     int NOT NULL,               -- a unit counts when this long has passed since it was assigned
    planned         int NOT NULL,               -- units at which the confidence sequence is narrowest
    traffic         float8 NOT NULL,            -- share of debtors that take part
    alpha           float8 NOT NULL,
    started_at      timestamptz NOT NULL,
    started_by      text NOT NULL,
    ended_at        timestamptz
);
COMMENT ON TABLE dunning.experiment IS 'Experiments. Arms and shares never change while one runs, so a debtor never moves from one arm to another.';

CREATE TABLE dunning.arm (
    experiment      text COLLATE "C" NOT NULL,
    arm             text COLLATE "C" NOT NULL,
    position        int NOT NULL,               -- 1 is the control
    weight          float8 NOT NULL,
    lower           float8 NOT NULL,            -- the debtor's number in [0,1) falls into [lower, upper)
    upper           float8 NOT NULL,
    PRIMARY KEY (experiment, arm)
);
COMMENT ON TABLE dunning.arm IS 'Arms of experiments with the part of [0,1) that each covers.';

CREATE TABLE dunning.assignment (
    debtor_id       text COLLATE "C" NOT NULL,
    experiment      text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    arm             text COLLATE "C" NOT NULL,
    assigned_at     timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, experiment)
);
COMMENT ON TABLE dunning.assignment IS 'When a debtor first met an experiment: from then on it is a unit of it, whatever happens to the message.';

CREATE TABLE dunning.holdout (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    share           float8 NOT NULL CHECK (share >= 0 AND share <= 0.5),
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL
);
COMMENT ON TABLE dunning.holdout IS 'The share of debtors that planning leaves alone, so that what contacts achieve can be measured. No row: 0.';

SELECT pg_catalog.pg_extension_config_dump('dunning.experiment', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.arm', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.assignment', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.holdout', '');
GRANT SELECT ON dunning.experiment, dunning.arm, dunning.assignment, dunning.holdout TO dunning_viewer;

CREATE FUNCTION dunning._srm(counts float8[], shares float8[]) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_experiment_sql_srm';
COMMENT ON FUNCTION dunning._srm(float8[], float8[]) IS 'Log Bayes factor against the planned shares of the arms (Dirichlet-multinomial, concentration 1000): at or above ln(100) the shares are wrong.';

CREATE FUNCTION dunning._confidence_sequence(difference float8, variance float8, planned_variance float8, alpha float8, OUT log_e float8, OUT half_width float8)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT 0.5 * ln(variance / (variance + t.tau2)) + t.tau2 * difference ^ 2 / (2 * variance * (variance + t.tau2)),
           sqrt(variance * (variance + t.tau2) / t.tau2 * (2 * ln(1 / alpha) + ln((variance + t.tau2) / variance)))
    FROM (SELECT 7.94 * planned_variance AS tau2) t;
END;
COMMENT ON FUNCTION dunning._confidence_sequence(float8, float8, float8, float8) IS
    'Normal mixture over effects N(0, tau2), tau2 = 7.94 times the variance at the planned size: log e-value and half width of the interval that holds at every look (Robbins; Johari et al. 2022).';

-- The number of a debtor in an experiment; another seed decides about traffic, a third about the hold-out.
CREATE FUNCTION dunning._arms(experiment text, debtor_ids text[]) RETURNS TABLE (debtor_id text, arm text, propensity float8)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT d.d, a.arm::text, a.upper - a.lower
        FROM dunning.experiment e, unnest(debtor_ids) d(d), dunning.arm a
        WHERE e.experiment = _arms.experiment AND e.ended_at IS NULL AND a.experiment = e.experiment
          AND dunning._uniform(e.experiment || '/' || d.d, 2) < e.traffic
          AND dunning._uniform(e.experiment || '/' || d.d, 1) >= a.lower AND dunning._uniform(e.experiment || '/' || d.d, 1) < a.upper;
END
$fn$;
COMMENT ON FUNCTION dunning._arms(text, text[]) IS 'Arm and its probability of each debtor that takes part in a running experiment; a function of ids and the experiment''s row.';

CREATE FUNCTION dunning._arm(experiment text, debtor_id text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT a.arm FROM dunning._arms(_arm.experiment, ARRAY[_arm.debtor_id]) a);
END
$fn$;
COMMENT ON FUNCTION dunning._arm(text, text) IS 'The arm of a debtor, NULL where the experiment does not run or the debtor takes no part.';

CREATE FUNCTION dunning._holdout_share() RETURNS float8
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce((SELECT h.share FROM dunning.holdout h), 0);
END
$fn$;
COMMENT ON FUNCTION dunning._holdout_share() IS 'The share of debtors that planning leaves alone, 0 unless set_holdout() said otherwise.';

CREATE FUNCTION dunning._held_out(debtor_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN dunning._uniform('holdout/' || _held_out.debtor_id, 3) < dunning._holdout_share();
END
$fn$;
COMMENT ON FUNCTION dunning._held_out(text) IS 'Is the debtor in the hold-out? A larger share keeps those of a smaller one.';

CREATE FUNCTION dunning._assign(experiment text, debtor_ids text[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    EXECUTE pg_catalog.format($q$
        INSERT INTO dunning.assignment (debtor_id, experiment, creditor, arm, assigned_at)
        SELECT a.debtor_id, $2, d.creditor, a.arm, dunning._now() FROM dunning._arms($2, $1) a JOIN (%s) d ON d.debtor_id = a.debtor_id
        ON CONFLICT DO NOTHING$q$, dunning._ledger_sql('debtor', '$1', NULL)) USING debtor_ids, _assign.experiment;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$fn$;
COMMENT ON FUNCTION dunning._assign(text, text[]) IS 'How many debtors became units of an experiment by this call.';

CREATE FUNCTION dunning._check_experiment(experiment text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.experiment e WHERE e.experiment = _check_experiment.experiment) THEN
        RAISE EXCEPTION 'experiment "%" does not exist', _check_experiment.experiment
            USING ERRCODE = '22023',
                  DETAIL = 'Known experiments: ' || coalesce((SELECT pg_catalog.string_agg(e.experiment, ', ' ORDER BY e.experiment) FROM dunning.experiment e), 'none') || '.',
                  HINT = pg_catalog.format('SELECT * FROM dunning.start_experiment(%L, ''["neutral", "loss_aversion"]'');', coalesce(_check_experiment.experiment, 'framing'));
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_experiment(text) IS 'Nothing, or 22023 naming the known experiments.';

CREATE FUNCTION dunning.start_experiment(name text, arms jsonb, metric text DEFAULT 'paid', window_days int DEFAULT 14,
    planned int DEFAULT 5000, traffic float8 DEFAULT 1, alpha float8 DEFAULT 0.05)
    RETURNS TABLE (experiment text, arm text, control boolean, share float8)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    names text[];
    weights float8[];
    total float8;
BEGIN
    IF start_experiment.name IS NULL OR start_experiment.name !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'an experiment''s name is a small letter followed by small letters, digits, "_" or "-"'
            USING ERRCODE = '22023', DETAIL = format('Given: %L.', left(start_experiment.name, 100)), HINT = 'Such as framing-spring.';
    ELSIF EXISTS (SELECT FROM dunning.experiment e WHERE e.experiment = start_experiment.name) THEN
        RAISE EXCEPTION 'experiment "%" exists already', start_experiment.name
            USING ERRCODE = '22023', DETAIL = 'A name is used once, since it decides who gets which arm.',
                  HINT = pg_catalog.format('End it with SELECT dunning.end_experiment(%L); and start one of another name.', start_experiment.name);
    ELSIF start_experiment.metric IS DISTINCT FROM 'paid' THEN
        RAISE EXCEPTION 'unknown metric "%"', start_experiment.metric
            USING ERRCODE = '22023', DETAIL = 'Known metrics: paid (a payment within window_days of the first contact).';
    ELSIF window_days IS NULL OR window_days NOT BETWEEN 1 AND 365 OR planned IS NULL OR planned < 200
          OR traffic IS NULL OR NOT (traffic > 0 AND traffic <= 1) OR alpha IS NULL OR NOT (alpha > 0 AND alpha <= 0.2) THEN
        RAISE EXCEPTION 'experiment "%" has a parameter out of range', start_experiment.name
            USING ERRCODE = '22023', DETAIL = 'window_days is 1 to 365, planned at least 200, traffic above 0 and at most 1, alpha above 0 and at most 0.2.';
    END IF;
    BEGIN
        IF jsonb_typeof(arms) = 'array' THEN
            SELECT pg_catalog.array_agg(a.name ORDER BY a.n), pg_catalog.array_agg(1.0::float8) INTO names, weights
            FROM jsonb_array_elements_text(arms) WITH ORDINALITY a(name, n);
        ELSE
            SELECT pg_catalog.array_agg(a.key ORDER BY a.key <> 'control', a.key <> 'neutral', a.key),
                   pg_catalog.array_agg(a.value::float8 ORDER BY a.key <> 'control', a.key <> 'neutral', a.key) INTO names, weights
            FROM jsonb_each_text(arms) a;
        END IF;
    EXCEPTION WHEN data_exception THEN
        names := NULL;
    END;
    IF names IS NULL OR cardinality(names) < 2 OR array_position(names, NULL) IS NOT NULL
       OR EXISTS (SELECT FROM unnest(names) n(n) GROUP BY n.n HAVING count(*) > 1 OR n.n = '')
       OR EXISTS (SELECT FROM unnest(weights) w(w) WHERE w.w IS NULL OR NOT (w.w > 0 AND w.w < 'infinity')) THEN
        RAISE EXCEPTION 'arms of experiment "%" are not usable', start_experiment.name
            USING ERRCODE = '22023', DETAIL = 'Arms are a JSON array of at least two different names, the first being the control, or an object of names and positive weights.',
                  HINT = 'SELECT * FROM dunning.start_experiment(''framing'', ''["neutral", "loss_aversion"]'');';
    END IF;
    SELECT sum(w.w) INTO total FROM unnest(weights) w(w);

    INSERT INTO dunning.experiment AS e (experiment, metric, window_days, planned, traffic, alpha, started_at, started_by)
    VALUES (start_experiment.name, start_experiment.metric, start_experiment.window_days, start_experiment.planned, start_experiment.traffic,
        start_experiment.alpha, dunning._now(), session_user);
    INSERT INTO dunning.arm AS a (experiment, arm, position, weight, lower, upper)
    SELECT start_experiment.name, x.name, x.n, x.weight, (sum(x.weight) OVER w - x.weight) / total,
           CASE WHEN x.n = cardinality(names) THEN 1 ELSE sum(x.weight) OVER w / total END     -- no gap by rounding
    FROM ROWS FROM (unnest(names), unnest(weights)) WITH ORDINALITY x(name, weight, n) WINDOW w AS (ORDER BY x.n);
    RETURN QUERY SELECT a.experiment::text, a.arm::text, a.position = 1, a.upper - a.lower FROM dunning.arm a
        WHERE a.experiment = start_experiment.name ORDER BY a.position;
END
$fn$;
COMMENT ON FUNCTION dunning.start_experiment(text, jsonb, text, int, int, float8, float8) IS
    'One row an arm. Arms are an array of names (the first is the control) or an object of weights. An experiment called framing chooses the wording of planned messages. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.start_experiment(text, jsonb, text, int, int, float8, float8) TO dunning_admin;

CREATE FUNCTION dunning.end_experiment(name text) RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_experiment(name);
    UPDATE dunning.experiment e SET ended_at = dunning._now() WHERE e.experiment = end_experiment.name AND e.ended_at IS NULL;
    RETURN (SELECT e.ended_at FROM dunning.experiment e WHERE e.experiment = end_experiment.name);
END
$fn$;
COMMENT ON FUNCTION dunning.end_experiment(text) IS 'When the experiment ended: nobody is assigned any more, its result stays. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.end_experiment(text) TO dunning_admin;

CREATE FUNCTION dunning.set_holdout(share float8) RETURNS float8
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF set_holdout.share IS NULL OR NOT (set_holdout.share >= 0 AND set_holdout.share <= 0.5) THEN
        RAISE EXCEPTION 'a hold-out is a share between 0 and 0.5'
            USING ERRCODE = '22023', DETAIL = format('Given: %s.', coalesce(set_holdout.share::text, 'NULL')), HINT = 'SELECT dunning.set_holdout(0.05);';
    END IF;
    INSERT INTO dunning.holdout AS h (one, share, set_by, set_at) VALUES (true, set_holdout.share, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT holdout_pkey DO UPDATE SET share = excluded.share, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN set_holdout.share;
END
$fn$;
COMMENT ON FUNCTION dunning.set_holdout(float8) IS 'The share of debtors that planning leaves alone from now on, so that what contacts achieve can be measured; 0 is the default. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_holdout(float8) TO dunning_admin;

CREATE FUNCTION dunning.assign(experiment text, debtor_id text) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    canonical text := dunning._canonical_id(assign.debtor_id);
    known boolean;
BEGIN
    PERFORM dunning._check_experiment(assign.experiment);
    EXECUTE 'SELECT EXISTS (' || dunning._ledger_sql('debtor', '$1', NULL) || ')' INTO known USING ARRAY[canonical];
    IF NOT known THEN
        RAISE EXCEPTION 'debtor "%" does not exist', canonical USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or number'');';
    END IF;
    PERFORM dunning._assign(assign.experiment, ARRAY[canonical]);
    RETURN (SELECT a.arm FROM dunning.assignment a WHERE a.debtor_id = canonical AND a.experiment = assign.experiment);
END
$fn$;
COMMENT ON FUNCTION dunning.assign(text, text) IS 'The arm of a debtor, the same for ever; it becomes a unit of the experiment by the first call. NULL: takes no part. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.assign(text, text) TO dunning_operator;
