-- score: models over any query: fit, evaluate, promote, predict, reasons, progress.

-- One row a version, never changed but for its state. The digest is the SHA-256 of the body's text.
CREATE TABLE dunning.model (
    model           text COLLATE "C" NOT NULL,
    version         int NOT NULL,
    kind            text NOT NULL,
    state           text NOT NULL CHECK (state IN ('champion', 'challenger', 'retired')),
    target          text,                       -- of train(); NULL where fit() was called
    query           text NOT NULL,
    label           text NOT NULL,
    seed            bigint NOT NULL,
    body            jsonb NOT NULL,             -- format, kind, features, calibration and what the kind itself needs
    metrics         jsonb NOT NULL,             -- cross-validated
    feature_stats   jsonb NOT NULL,             -- deciles and shares at training, to see drift by
    digest          text COLLATE "C" NOT NULL,
    n               bigint NOT NULL,
    as_of           timestamptz,                -- of train()
    trained_at      timestamptz NOT NULL,
    trained_by      text NOT NULL,
    PRIMARY KEY (model, version)
);
CREATE UNIQUE INDEX model_champion ON dunning.model (model) WHERE state = 'champion';
COMMENT ON TABLE dunning.model IS 'Trained models, one row a version with its query, seed, metrics, feature statistics and digest. Versions are immutable but for their state; promote() changes that.';
GRANT SELECT ON dunning.model TO dunning_viewer;

CREATE TYPE dunning.model_metrics AS (
    model           text,
    version         int,
    kind            text,
    n               bigint,
    auc             float8,
    log_loss        float8,
    brier           float8,
    ks              float8,
    ece             float8,
    seconds         float8
);
COMMENT ON TYPE dunning.model_metrics IS 'How good a model version is: rows, area under the ROC curve, log loss, Brier score, Kolmogorov-Smirnov distance, expected calibration error (ten bins of equal count), seconds it took.';

CREATE FUNCTION dunning.fit(model text, query text, label text, kind text DEFAULT 'auto', options jsonb DEFAULT '{}')
    RETURNS dunning.model_metrics
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_fit';
COMMENT ON FUNCTION dunning.fit(text, text, text, text, jsonb) IS
'Cross-validated metrics of a new version of a model, trained on any query: numbers, booleans, texts, dates; NULL, NaN and infinity are missing; label is a boolean or 0/1, rows without label are left out. '
'The query runs with the caller''s rights. Kinds: logistic, and what the HINT of an unknown one lists; auto takes the simplest whose cross-validated log loss is within one standard error of the best. Options: folds, seed, group (rows of equal group '
'share a fold), exclude, class_weights, calibration (Platt under 5,000 rows, isotonic above, on predictions out of fold; none where that does as well), monotone, and those of the kind, which the HINT of an unknown one lists. '
'The first version of a name is its champion, later ones are challengers until promote(). DN004 with fewer than 50 rows of either class. Rows beyond dunning.train_memory are sampled. Needs dunning_operator.';

CREATE FUNCTION dunning._fit(model text, query text, label text, kind text, options jsonb, target text, as_of timestamptz)
    RETURNS dunning.model_metrics
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_fit';
COMMENT ON FUNCTION dunning._fit(text, text, text, text, jsonb, text, timestamptz) IS 'fit() that also records the target and instant of train().';

CREATE FUNCTION dunning.evaluate(model text, query text, label text) RETURNS dunning.model_metrics
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_evaluate';
COMMENT ON FUNCTION dunning.evaluate(text, text, text) IS
'Metrics of a model''s champion (or newest version) on the rows of another query, which runs with the caller''s rights. Rows without label are left out; DN004 where a class has no row. Needs dunning_operator.';

CREATE FUNCTION dunning.predict(model text, input record) RETURNS float8
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_score_sql_predict';
COMMENT ON FUNCTION dunning.predict(text, record) IS
'Probability in (0,1) that the label is 1, by the model''s champion (or newest version). Fields are found by name; 42703 lists those expected, NULL record gives NULL. Needs dunning_viewer.';

CREATE FUNCTION dunning.reasons(model text, input record, top int DEFAULT 4)
    RETURNS TABLE (feature text, contribution float8, words text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 4 AS 'MODULE_PATHNAME', 'dun_score_sql_reasons';
COMMENT ON FUNCTION dunning.reasons(text, record, int) IS
'What moved a prediction most, largest first: feature, its contribution in log-odds against the average row, and the same in words. Calibrated as predict() is: all of them add up to the difference of the two predictions in log-odds. Needs dunning_viewer.';

-- A training is one transaction, so its rows could tell nobody how far it is; the name a backend shows in
-- pg_stat_activity can.
CREATE FUNCTION dunning._progress()
    RETURNS TABLE (pid int, usename name, kind text, model text, stage text, done int, total int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT a.pid, r.rolname, p.part[1], p.part[5], p.part[4], p.part[2]::int, p.part[3]::int
    FROM pg_catalog.pg_stat_activity a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
    CROSS JOIN LATERAL pg_catalog.regexp_match(a.application_name, '^dunning (fit) ([0-9]{1,9})/([0-9]{1,9}) ([^:]*): (.*)$') AS p(part)
    WHERE a.datname = pg_catalog.current_database() AND p.part IS NOT NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._progress() IS 'What view progress shows.';

CREATE VIEW dunning.progress WITH (security_invoker, security_barrier) AS
    SELECT p.pid, p.usename, p.kind, p.model, p.stage, p.done, p.total FROM dunning._progress() p;
COMMENT ON VIEW dunning.progress IS 'Trainings that run now in this database: backend, model, stage and steps done. Live, while the training''s own transaction is open. Needs dunning_viewer.';
GRANT SELECT ON dunning.progress TO dunning_viewer;

GRANT EXECUTE ON FUNCTION dunning._progress(), dunning.predict(text, record), dunning.reasons(text, record, int) TO dunning_viewer, dunning_worker;
GRANT EXECUTE ON FUNCTION dunning.fit(text, text, text, text, jsonb), dunning.evaluate(text, text, text) TO dunning_operator;

SELECT pg_catalog.pg_extension_config_dump('dunning.model', '');
