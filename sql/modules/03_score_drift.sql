-- score: whether a model still meets the world it was trained in. What it is given (population stability of each feature and of the
-- score), and how good it is on outcomes that have come in since.

CREATE FUNCTION dunning.psi(expected float8[], actual float8[]) RETURNS float8
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF cardinality(expected) <> cardinality(actual) OR (0 <= ALL (expected) AND 0 <= ALL (actual) AND 'Infinity' > ALL (expected) AND 'Infinity' > ALL (actual)) IS NOT TRUE THEN
        RAISE EXCEPTION 'the parts do not fit' USING ERRCODE = '22023', DETAIL = 'expected and actual are counts of the same parts in the same order: as many of either, none NULL, negative or infinite.',
            HINT = 'SELECT dunning.psi(''{50,30,20}'', ''{40,30,30}'');';
    END IF;
    RETURN (SELECT sum((x.a - x.e) * ln(x.a / x.e))
        FROM (SELECT (e.e + 0.5) / (sum(e.e) OVER () + 0.5 * count(*) OVER ()) AS e, (a.a + 0.5) / (sum(a.a) OVER () + 0.5 * count(*) OVER ()) AS a
              FROM unnest(expected) WITH ORDINALITY AS e (e, ord) JOIN unnest(actual) WITH ORDINALITY AS a (a, ord) USING (ord) WHERE e.e + a.a > 0) x);
END
$fn$;
COMMENT ON FUNCTION dunning.psi(float8[], float8[]) IS
'Population stability index of counts in the same parts then and now: sum of (a - e) ln(a / e), a part''s share being (count + 0.5) / (all + 0.5 parts), so that a part that was or became empty says little and not infinity; one that is empty both times is none (Siddiqi 2006; Kullback and Leibler 1951, both ways). 0: alike; under 0.1 little, from 0.25 on much. 22023 where the counts are not of as many parts. Needs dunning_viewer.';

-- The index of two samples of one population is chi-squared, times what stands last here, with a degree of freedom less than parts
-- (Yurdakul and Naranjo 2020); its quantile by Wilson and Hilferty 1931, four standard deviations up: once in 30,000.
CREATE FUNCTION dunning._psi_by_chance(parts int, n float8, m float8) RETURNS float8
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT CASE WHEN parts < 2 THEN 0 ELSE (parts - 1) * (1 - 2.0 / (9 * (parts - 1)) + 4 * sqrt(2.0 / (9 * (parts - 1)))) ^ 3 * (1 / greatest(n, 1) + 1 / greatest(m, 1)) END
$fn$;
COMMENT ON FUNCTION dunning._psi_by_chance(int, float8, float8) IS 'The population stability index that two samples of one population exceed once in 30,000.';

CREATE TABLE dunning.drift_check (
    model           text COLLATE "C" NOT NULL,
    version         int NOT NULL,
    checked_at      timestamptz NOT NULL,
    measure         text NOT NULL CHECK (measure IN ('psi', 'psi_score', 'auc', 'ks', 'ece', 'check')),
    feature         text COLLATE "C" NOT NULL DEFAULT '',   -- of psi
    value           float8,
    reference       float8,
    n               bigint NOT NULL,
    state           text NOT NULL CHECK (state IN ('ok', 'warn', 'alarm', 'few')),
    detail          text NOT NULL,
    PRIMARY KEY (model, version, checked_at, measure, feature)
);
COMMENT ON TABLE dunning.drift_check IS
'What each look at a model in use found, one row a measure; kept as long as retention_days. psi of each feature and psi_score: reference is the index that chance alone reaches once in 30,000. '
'auc, ks, ece on outcomes that came in after training: reference is the cross-validated figure. check: what kept a model from being looked at. State few: too few rows to judge.';
GRANT SELECT ON dunning.drift_check TO dunning_viewer;

-- What the targets of train() were asked about when they were trained: the first look after it reads the ledger as of then.
CREATE TABLE dunning.drift_baseline (
    model           text COLLATE "C" NOT NULL,
    version         int NOT NULL,
    counts          jsonb NOT NULL,
    kept_at         timestamptz NOT NULL,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE dunning.drift_baseline IS 'How many of whom a model of train() was to score at its as_of fell into each of the deciles frozen at training. A model is trained on years and asked about a season: compared with all of its training rows it would have drifted on its first day.';
SELECT pg_catalog.pg_extension_config_dump('dunning.drift_check', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.drift_baseline', '');

CREATE FUNCTION dunning._drift_counts(model text, query text, label text DEFAULT NULL, group_column text DEFAULT NULL, asked text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_drift_counts';
COMMENT ON FUNCTION dunning._drift_counts(text, text, text, text, text) IS 'Rows of a query (with asked: those where that boolean column is true) in the parts of each feature of a model and of its score, as frozen at training, the last of a feature the missing; and metrics where the label is known. Runs the query as the caller.';

-- Counts at training, part by part as _drift_counts() gives them; NULL where they were not kept.
CREATE FUNCTION dunning._drift_expected(stats jsonb, item jsonb, n float8) RETURNS float8[]
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    present float8 := 1 - (stats ->> 'missing')::float8;
    result float8[];
BEGIN
    IF item ? 'levels' THEN
        SELECT array_agg((stats -> 'shares' ->> l.l)::float8 * n ORDER BY l.ord) INTO result FROM jsonb_array_elements_text(item -> 'levels') WITH ORDINALITY AS l (l, ord);
        RETURN coalesce(result, '{}') || greatest(0, (present - coalesce((SELECT sum(s.value::float8) FROM jsonb_each_text(stats -> 'shares') s), 0)) * n) || (1 - present) * n;
    END IF;
    SELECT array_agg(s.s::float8 * present * n ORDER BY s.ord) INTO result FROM jsonb_array_elements_text(stats -> 'shares') WITH ORDINALITY AS s (s, ord);
    RETURN result || (1 - present) * n;
END
$fn$;
COMMENT ON FUNCTION dunning._drift_expected(jsonb, jsonb, float8) IS 'Rows of a training in the parts of one feature.';

-- The part that moved most, in words.
CREATE FUNCTION dunning._drift_words(stats jsonb, item jsonb, expected float8[], actual float8[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    edges text[];
    part int;
    parts int := cardinality(actual);
    share_before float8;
    share_now float8;
    named text;
BEGIN
    SELECT x.ord, x.e, x.a INTO part, share_before, share_now
    FROM (SELECT e.ord, e.e / nullif(sum(e.e) OVER (), 0) AS e, a.a / nullif(sum(a.a) OVER (), 0) AS a
          FROM unnest(expected) WITH ORDINALITY AS e (e, ord) JOIN unnest(actual) WITH ORDINALITY AS a (a, ord) USING (ord)) x
    ORDER BY abs(x.a - x.e) DESC NULLS LAST, x.ord LIMIT 1;
    IF item ? 'levels' THEN
        named := CASE part WHEN parts THEN 'missing' WHEN parts - 1 THEN 'texts that training did not name' ELSE item -> 'levels' ->> (part - 1) END;
    ELSE
        -- the last part of a feature is the missing; a score has one more that is always empty
        SELECT array_agg(round(d.d::numeric, 3)::float8::text ORDER BY d.d) INTO edges
        FROM (SELECT DISTINCT d.d::float8 AS d FROM jsonb_array_elements_text(stats -> 'deciles') WITH ORDINALITY AS d (d, ord)
              WHERE d.ord BETWEEN 2 AND 10 AND d.d::float8 < (stats -> 'deciles' ->> 10)::float8) d;
        -- nine in ten had the greatest value: the others are the first part
        named := CASE WHEN part = parts THEN 'missing'
                      WHEN edges IS NULL AND parts > 2 AND (stats -> 'deciles' ->> 0)::float8 < (stats -> 'deciles' ->> 10)::float8
                          THEN CASE part WHEN 1 THEN 'under ' ELSE 'from ' END || round((stats -> 'deciles' ->> 10)::numeric, 3)::float8::text
                      WHEN part = 1 AND edges IS NULL THEN 'present' WHEN part = 1 THEN 'up to ' || edges[1]
                      WHEN part = parts - 1 THEN 'above ' || edges[part - 1] ELSE edges[part - 1] || ' to ' || edges[part] END;
    END IF;
    RETURN format('%s: %s %% then, %s %% now', named, round((100 * share_before)::numeric, 1), round((100 * share_now)::numeric, 1));
END
$fn$;
COMMENT ON FUNCTION dunning._drift_words(jsonb, jsonb, float8[], float8[]) IS 'Which part of a feature''s values has changed its share most.';

-- Sums over an account's whole life move with the calendar in a young ledger, and nothing is wrong.
CREATE FUNCTION dunning._drift_grows(feature text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT regexp_replace(feature, ' (at due|in week 1)$', '') IN ('tenure_days', 'n_invoices', 'n_paid', 'n_late', 'n_payments', 'n_partial', 'n_promises', 'promises_kept', 'promises_broken', 'n_disputed', 'amount_billed', 'amount_paid', 'max_late', 'coverage')
$fn$;
COMMENT ON FUNCTION dunning._drift_grows(text) IS 'Whether a feature of the ledger grows with the age of the accounts.';

-- Population: the features and the score. Where rows hang together by debtor, chance is that of as many debtors.
CREATE FUNCTION dunning._drift_population(of_model dunning.model, counts jsonb, baseline jsonb) RETURNS TABLE (measure text, feature text, value float8, reference float8, n bigint, state text, detail text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    now_rows float8 := (counts ->> 'n')::float8;
    now_groups float8 := (counts ->> 'groups')::float8;
    then_groups float8 := coalesce((baseline ->> 'groups')::float8, of_model.n * now_groups / greatest(now_rows, 1));
    r record;
    expected float8[];
    actual float8[];
BEGIN
    FOR r IN SELECT i.i AS item, b.i AS before, s.s AS stats, 'psi' AS measure, i.i ->> 'name' AS name, i.ord
             FROM jsonb_array_elements(counts -> 'items') WITH ORDINALITY AS i (i, ord)
             LEFT JOIN jsonb_array_elements(baseline -> 'items') AS b (i) ON b.i ->> 'name' = i.i ->> 'name'
             JOIN jsonb_array_elements(of_model.feature_stats) AS s (s) ON s.s ->> 'name' = i.i ->> 'name'
             UNION ALL SELECT counts -> 'score', baseline -> 'score', of_model.metrics -> 'score' || '{"missing": 0}', 'psi_score', '', 0 WHERE counts ? 'score'
             ORDER BY ord
    LOOP
        SELECT array_agg(c.c::float8 ORDER BY c.ord) INTO actual FROM jsonb_array_elements_text(r.item -> 'counts') WITH ORDINALITY AS c (c, ord);
        IF baseline IS NULL THEN
            expected := dunning._drift_expected(r.stats, r.item, CASE r.measure WHEN 'psi' THEN of_model.n ELSE (r.stats ->> 'n')::float8 END);
        ELSE
            SELECT array_agg(c.c::float8 ORDER BY c.ord) INTO expected FROM jsonb_array_elements_text(r.before -> 'counts') WITH ORDINALITY AS c (c, ord);
        END IF;
        CONTINUE WHEN expected IS NULL OR cardinality(expected) <> cardinality(actual);
        measure := r.measure;
        feature := r.name;
        n := now_rows::bigint;
        value := dunning.psi(expected, actual);
        SELECT dunning._psi_by_chance(count(*)::int, now_groups, then_groups) INTO reference
        FROM unnest(expected) WITH ORDINALITY AS e (e, ord) JOIN unnest(actual) WITH ORDINALITY AS a (a, ord) USING (ord) WHERE e.e + a.a > 0;
        state := CASE WHEN least(now_groups, then_groups) < 100 THEN 'few' WHEN value < 0.1 OR value <= reference THEN 'ok' WHEN value < 0.25 THEN 'warn' ELSE 'alarm' END;
        state := CASE WHEN state = 'alarm' AND baseline IS NOT NULL AND measure = 'psi' AND dunning._drift_grows(feature) THEN 'warn' ELSE state END;
        detail := CASE WHEN now_rows > 0 THEN dunning._drift_words(r.stats, r.item, expected, actual) ELSE 'no rows' END;
        RETURN NEXT;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drift_population(dunning.model, jsonb, jsonb) IS 'psi of each feature and of the score: warn from 0.1, alarm from 0.25, both only beyond chance; few with under 100 rows (or debtors) then or now. What grows with the age of the accounts of a ledger warns at most.';

-- Performance. The standard errors: Hanley and McNeil 1982 for the AUC; of a distance of two distributions and of a mean calibration error
-- their size by chance. Where rows hang together by debtor they are wider by the root of rows a debtor.
CREATE FUNCTION dunning._drift_outcome(of_model dunning.model, counts jsonb) RETURNS TABLE (measure text, feature text, value float8, reference float8, n bigint, state text, detail text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known float8 := (counts ->> 'labelled')::float8;
    yes float8 := (counts ->> 'positives')::float8;
    wider float8 := sqrt(greatest(1, (counts ->> 'labelled')::float8 / greatest((counts ->> 'labelled_groups')::float8, 1)));
    a float8 := (counts ->> 'auc')::float8;
    m text;
    worse float8;
    chance float8;
BEGIN
    IF known = 0 THEN
        RETURN;
    END IF;
    feature := '';
    n := known::bigint;
    IF least(yes, known - yes) < 50 THEN
        RETURN QUERY VALUES ('auc', '', a, (of_model.metrics ->> 'auc')::float8, known::bigint, 'few', format('%s outcomes, %s of them 1: fifty of either are needed', known, yes));
        RETURN;
    END IF;
    FOREACH m IN ARRAY ARRAY['auc', 'ks', 'ece'] LOOP
        measure := m;
        value := (counts ->> m)::float8;
        reference := (of_model.metrics ->> m)::float8;
        worse := CASE m WHEN 'ece' THEN value - reference ELSE reference - value END;
        chance := 2 * wider * CASE m
            WHEN 'auc' THEN sqrt((a * (1 - a) + (yes - 1) * (a / (2 - a) - a ^ 2) + (known - yes - 1) * (2 * a ^ 2 / (1 + a) - a ^ 2)) / (yes * (known - yes)))
            WHEN 'ks' THEN 0.5 * sqrt(1 / yes + 1 / (known - yes))
            ELSE 0.8 * sqrt(10 * (counts ->> 'brier')::float8 / known) END;
        state := CASE WHEN worse <= chance OR worse < CASE m WHEN 'ks' THEN 0.1 ELSE 0.05 END THEN 'ok' WHEN worse < CASE m WHEN 'ks' THEN 0.2 ELSE 0.1 END THEN 'warn' ELSE 'alarm' END;
        detail := format('%s on %s outcomes, %s in cross-validation; chance alone may make it worse by %s', round(value::numeric, 3), known, round(reference::numeric, 3), round(chance::numeric, 3));
        RETURN NEXT;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drift_outcome(dunning.model, jsonb) IS 'auc, ks and ece on known outcomes: warn where worse than cross-validated by 0.05 (ks 0.1), alarm by 0.1 (ks 0.2), both only beyond twice the standard error; few with under 50 of either class.';

CREATE FUNCTION dunning._keep_drift(model text, version int, counts jsonb, baseline jsonb, outcome jsonb) RETURNS SETOF dunning.drift_check
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    of_model dunning.model;
BEGIN
    SELECT m.* INTO of_model FROM dunning.model m WHERE m.model = _keep_drift.model AND m.version = _keep_drift.version;
    RETURN QUERY
    INSERT INTO dunning.drift_check AS d (model, version, checked_at, measure, feature, value, reference, n, state, detail)
    SELECT _keep_drift.model, _keep_drift.version, dunning._now(), x.measure, x.feature, x.value, x.reference, x.n, x.state, x.detail
    FROM (SELECT p.*, 1 AS part FROM dunning._drift_population(of_model, counts, baseline) p
          UNION ALL SELECT o.*, 0 FROM dunning._drift_outcome(of_model, outcome) o) x
    ON CONFLICT ON CONSTRAINT drift_check_pkey DO UPDATE SET value = excluded.value, reference = excluded.reference, n = excluded.n, state = excluded.state, detail = excluded.detail
    RETURNING d.*;
END
$fn$;
COMMENT ON FUNCTION dunning._keep_drift(text, int, jsonb, jsonb, jsonb) IS 'Judges counts against a baseline (NULL: the training rows), and outcomes, and keeps what it finds.';

CREATE FUNCTION dunning.check_drift(model text, query text, label text DEFAULT NULL, group_column text DEFAULT NULL) RETURNS SETOF dunning.drift_check
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_check_drift';
COMMENT ON FUNCTION dunning.check_drift(text, text, text, text) IS
'Looks at the version of a model in use (champion, else newest) on the rows of a query, keeps what it finds in drift_check and returns it: the population stability index of each feature and of the score against the deciles frozen at training (missing values and texts that training did not name are parts of their own; empty parts count as half a row), and, where label is given and known, AUC, KS and ECE against the cross-validated ones. '
'States: warn and alarm as in _drift_population() and _drift_outcome(); few. group_column: rows of equal value hang together, which makes chance larger. The query runs with the caller''s rights. 42703 for a missing column. Needs dunning_operator. maintain() does the same by itself for the targets of train().';

-- --- the targets of train() ---

-- Rows of two kinds, a row may be both. "drift asked", whom the model is asked about at an instant: `late` invoices issued in the last 90
-- days, `self_cure` those not paid when due in the last 90 days, `paid_30d` debtors with something overdue, `payment_curve` invoices in the
-- buckets that ended in the last 90 days. "drift label", the outcome of those of 90 days whose outcome is decided at the instant and was not
-- when the model was trained; what is not decided yet has none, paid or not. One pass over the ledger serves both.
CREATE FUNCTION dunning._drift_sql(of_model dunning.model, at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    columns text := (SELECT string_agg(dunning._feature_sql(s ->> 'name') || ' AS ' || quote_ident(s ->> 'name'), ', ') FROM jsonb_array_elements(of_model.feature_stats) s) || ', f.debtor_id AS "drift debtor"';
    today date := (at AT TIME ZONE dunning._ledger_zone())::date;
    trained date := (of_model.as_of AT TIME ZONE dunning._ledger_zone())::date;
    asked text;
    decided text;
BEGIN
    IF of_model.target = 'payment_curve' THEN
        -- an outcome is a slice that has ended
        RETURN format('SELECT h.*, true AS "drift asked", CASE WHEN h.ago < %s THEN h.paid END AS "drift label", h.debtor AS "drift debtor" FROM (%s) h',
                      today - trained, dunning._hazard_sql(at, dunning._curve_names(of_model.feature_stats), 90));
    ELSIF of_model.target = 'paid_30d' THEN
        RETURN dunning._drift_paid_30d_sql(columns, at, of_model.as_of);
    ELSIF of_model.target = 'late' THEN
        asked := format('f.issued_on >= %L::date - 90', today);
        decided := format('f.due_on < %1$L::date AND f.due_on >= %1$L::date - 90 AND f.due_on >= %2$L::date', today, trained);
    ELSE
        asked := format('(f.days_late IS NULL OR f.days_late > 0) AND f.due_on < %1$L::date AND f.due_on >= %1$L::date - 90', today);
        decided := format('(f.days_late IS NULL OR f.days_late > 0) AND f.due_on + 14 < %1$L::date AND f.due_on + 14 >= %1$L::date - 90 AND f.due_on + 14 >= %2$L::date', today, trained);
    END IF;
    RETURN format('SELECT %1$s, %2$s AS "drift asked", CASE WHEN %3$s AND %4$s THEN %5$s END AS "drift label" FROM dunning.invoice_features(%6$L) f %7$s WHERE %2$s OR %3$s',
        columns, asked, decided, dunning._not_credited_sql(at), CASE of_model.target WHEN 'late' THEN 'coalesce(f.days_late > 0, true)' ELSE dunning._self_cured_sql() END, at,
        CASE of_model.target WHEN 'self_cure' THEN dunning._contacted_sql(at) END);
END
$fn$;
COMMENT ON FUNCTION dunning._drift_sql(dunning.model, timestamptz) IS 'SQL text: whom a model of train() is asked about at an instant ("drift asked"), and those of 90 days whose outcome ("drift label") became known after it was trained.';

-- Each month that began after the training is asked about as it began.
CREATE FUNCTION dunning._drift_paid_30d_sql(columns text, at timestamptz, trained timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    months text := (SELECT string_agg(format(
        E'\nUNION ALL\nSELECT %1$s, false, EXISTS (SELECT FROM pay p WHERE p.debtor_id = f.debtor_id AND p.paid_at >= %3$L::timestamptz AND p.paid_at < %4$L::timestamptz) FROM (%2$s) f WHERE f.n_overdue > 0',
        columns, dunning._features_sql(NULL, quote_literal(s.snapshot)), s.snapshot, s.snapshot + interval '720 hours'), '' ORDER BY s.snapshot)
        FROM (SELECT at - k * interval '720 hours' AS snapshot FROM generate_series(1, 3) k) s WHERE s.snapshot >= trained);
BEGIN
    RETURN format(E'%sSELECT %s, true AS "drift asked", NULL::boolean AS "drift label" FROM (%s) f WHERE f.n_overdue > 0%s',
        CASE WHEN months IS NOT NULL THEN format(E'WITH pay AS MATERIALIZED (SELECT l.debtor_id, l.paid_at FROM (%s) l WHERE l.amount > 0 AND l.amount < ''Infinity'')\n', dunning._ledger_sql('payment', NULL, quote_literal(at))) END,
        columns, dunning._features_sql(NULL, quote_literal(at)), months);
END
$fn$;
COMMENT ON FUNCTION dunning._drift_paid_30d_sql(text, timestamptz, timestamptz) IS 'The text of _drift_sql() for the target paid_30d.';

CREATE FUNCTION dunning._models_in_use() RETURNS SETOF dunning.model
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT DISTINCT ON (m.model) m.* FROM dunning.model m WHERE m.state <> 'retired' AND m.kind <> 'kaplan_meier' ORDER BY m.model, m.state = 'champion' DESC, m.version DESC;
END
$fn$;
COMMENT ON FUNCTION dunning._models_in_use() IS 'The version of each model that predictions are made with.';

CREATE FUNCTION dunning._refresh_drift() RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := dunning._now();
    m dunning.model;
    baseline jsonb;
    counts jsonb;
BEGIN
    PERFORM dunning._restrict();
    FOR m IN SELECT u.* FROM dunning._models_in_use() u WHERE u.target IN ('late', 'paid_30d', 'self_cure', 'payment_curve') AND u.model = u.target AND u.as_of <= at LOOP
        -- maintain() may run often: once a day is enough
        CONTINUE WHEN EXISTS (SELECT FROM dunning.drift_check c WHERE c.model = m.model AND c.version = m.version AND c.checked_at > at - interval '20 hours' AND c.checked_at <= at);
        BEGIN
            SELECT b.counts INTO baseline FROM dunning.drift_baseline b WHERE b.model = m.model AND b.version = m.version;
            IF NOT FOUND THEN
                baseline := dunning._drift_counts(m.model, dunning._drift_sql(m, m.as_of), NULL, 'drift debtor', 'drift asked');
                INSERT INTO dunning.drift_baseline (model, version, counts, kept_at) VALUES (m.model, m.version, baseline, at);
            END IF;
            counts := dunning._drift_counts(m.model, dunning._drift_sql(m, at), 'drift label', 'drift debtor', 'drift asked');
            PERFORM dunning._keep_drift(m.model, m.version, counts, baseline, counts);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO dunning.drift_check (model, version, checked_at, measure, n, state, detail) VALUES (m.model, m.version, at, 'check', 0, 'alarm', format('%s: %s', SQLSTATE, SQLERRM))
            ON CONFLICT ON CONSTRAINT drift_check_pkey DO NOTHING;
        END;
        RETURN NEXT m.model;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_drift() IS 'The models of train() in use that were looked at, once in 20 hours each. maintain() and daily() call it.';

-- --- what is told of it ---

CREATE FUNCTION dunning._drift_latest(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.drift_check
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT c.* FROM dunning._models_in_use() m
    JOIN dunning.drift_check c ON c.model = m.model AND c.version = m.version
    WHERE c.checked_at = (SELECT max(x.checked_at) FROM dunning.drift_check x WHERE x.model = m.model AND x.version = m.version AND (_drift_latest.as_of IS NULL OR x.checked_at <= _drift_latest.as_of));
END
$fn$;
COMMENT ON FUNCTION dunning._drift_latest(timestamptz) IS 'What the last look at each model in use found.';

CREATE VIEW dunning.drift WITH (security_invoker, security_barrier) AS
    SELECT c.model, c.version, c.measure, c.feature, c.value, c.reference, c.n, c.state, c.detail, c.checked_at FROM dunning._drift_latest() c;
COMMENT ON VIEW dunning.drift IS 'What the last look at each model in use found, one row a measure: psi of a feature, psi_score, auc, ks, ece, with state ok, warn, alarm or few; see drift_check for earlier ones. Needs dunning_viewer.';
GRANT SELECT ON dunning.drift TO dunning_viewer;

-- One line a model, for health() and the report.
CREATE FUNCTION dunning._drift_summary(as_of timestamptz DEFAULT NULL) RETURNS TABLE (model text, state text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT c.model::text, CASE WHEN bool_or(c.state = 'alarm') THEN 'alarm' WHEN bool_or(c.state = 'warn') THEN 'warn' ELSE 'ok' END,
        CASE WHEN bool_or(c.state IN ('alarm', 'warn')) THEN
            (array_to_string((array_agg(CASE c.measure WHEN 'psi' THEN format('%s moved (PSI %s)', c.feature, round(c.value::numeric, 2)) WHEN 'psi_score' THEN format('the score moved (PSI %s)', round(c.value::numeric, 2))
                 WHEN 'check' THEN 'could not be looked at: ' || c.detail ELSE format('%s %s, was %s', upper(c.measure), round(c.value::numeric, 3), round(c.reference::numeric, 3)) END
                 ORDER BY c.state, c.measure = 'psi', c.value DESC, c.feature) FILTER (WHERE c.state IN ('alarm', 'warn')))[1:3], '; ')
             || CASE WHEN count(*) FILTER (WHERE c.state IN ('alarm', 'warn')) > 3 THEN format('; and %s more', count(*) FILTER (WHERE c.state IN ('alarm', 'warn')) - 3) ELSE '' END)
        ELSE format('%s features%s%s', count(*) FILTER (WHERE c.measure = 'psi'), ', score PSI ' || round(max(c.value) FILTER (WHERE c.measure = 'psi_score')::numeric, 2),
                    ', AUC ' || round(max(c.value) FILTER (WHERE c.measure = 'auc' AND c.state <> 'few')::numeric, 3)) END
    FROM dunning._drift_latest(_drift_summary.as_of) c GROUP BY c.model ORDER BY c.model;
END
$fn$;
COMMENT ON FUNCTION dunning._drift_summary(timestamptz) IS 'One row a model that was looked at: the worst state, and what moved.';

GRANT EXECUTE ON FUNCTION dunning.psi(float8[], float8[]), dunning._drift_latest(timestamptz) TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning.check_drift(text, text, text, text) TO dunning_operator;
