-- score: a probability, a segment and a diagnosis for every debtor, in one query over the ledger and what came back.

-- What is asked of the invoice models for a debtor: an invoice of the usual amount and terms, with the history the debtor has now. A feature
-- that was excluded since stays: a model trained before still reads it.
CREATE FUNCTION dunning._next_invoice_sql() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (
        SELECT string_agg(coalesce(CASE c
            WHEN 'log_amount' THEN 'ln(nullif(f.amount_mean, 0))'
            WHEN 'amount_vs_mean' THEN '1::float8'
            WHEN 'terms' THEN 'b.terms'
            -- missing: the average day, or a debtor's probability would go up and down with the day it is scored on
            WHEN 'issue_weekday' THEN 'NULL::int'
            WHEN 'issue_day' THEN 'NULL::int'
            WHEN 'due_weekday' THEN 'NULL::int'
            WHEN 'due_closed' THEN 'NULL::boolean' END, (SELECT CASE WHEN k.expression IS NULL THEN 'NULL::' || CASE k.type WHEN 'number' THEN 'float8' ELSE k.type END
                 ELSE format($q$(SELECT (%s) FROM (SELECT f.*, NULL::text AS invoice_id, d.day AS issued_on, d.day + b.terms AS due_on, f.amount_mean AS amount, ln(nullif(f.amount_mean, 0)) AS log_amount,
                     b.terms AS terms, extract(month FROM d.day)::int AS issue_month, NULL::int AS issue_weekday, NULL::int AS issue_day, NULL::int AS due_weekday, NULL::boolean AS due_closed,
                     1::float8 AS amount_vs_mean, NULL::date AS settled_on, NULL::int AS days_late FROM (SELECT (f.as_of AT TIME ZONE dunning._ledger_zone())::date AS day) d) one)$q$, k.expression) END
             FROM dunning._features_in_force() k WHERE k.feature = c AND k.of = 'invoice' AND NOT k.builtin),
            dunning._feature_sql(c)) || ' AS ' || quote_ident(c), ', ')
        FROM (SELECT DISTINCT k.feature FROM dunning.feature k WHERE 'late' = ANY (k.targets) OR NOT k.builtin AND k.of = 'both') x (c));
END
$fn$;
COMMENT ON FUNCTION dunning._next_invoice_sql() IS 'SELECT list over debtor features f and the book b: the next invoice as the invoice models would see it.';

-- Where a model is missing, history alone answers, shrunk to the book with the weight of five; the reasons say so.
CREATE FUNCTION dunning._rules_on_history() RETURNS TABLE (target text, probability text, words text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    VALUES
    ('late', 'f.late_ratio_shrunk',
        'format(''rule, no model: %s of %s settled invoices late, with the book''''s mean in the weight of five'', f.n_late, f.n_paid)'),
    ('paid_30d', '((coalesce(f.days_since_payment, 31) <= 30)::int + 5 * b.paid_recently) / 6',
        'format(''rule, no model: %s, and %s %% of the overdue have'', CASE WHEN f.days_since_payment <= 30 THEN ''has paid in the last 30 days'' ELSE ''has not paid in the last 30 days'' END, round((100 * b.paid_recently)::numeric))'),
    -- of late invoices that were paid after so many days on average, those within a fortnight if each day were like the one before
    ('self_cure', '(coalesce(f.n_late * (1 - exp(-14 / greatest(f.avg_late / nullif(f.late_ratio, 0), 1))), 0) + 5 * b.cured) / (f.n_late + f.n_overdue + 5)',
        'format(''rule, no model: %s late invoices paid%s, %s overdue, with the book''''s mean in the weight of five'', f.n_late, '
        ''' after '' || round((f.avg_late / nullif(f.late_ratio, 0))::numeric) || '' days on average'', f.n_overdue)')
$fn$;
COMMENT ON FUNCTION dunning._rules_on_history() IS 'Probability and words of each target where no model is trained, over features f and means of the book b.';

-- The columns that a segment's predicate may name.
CREATE FUNCTION dunning._segment_columns() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY['diagnosis', 'p_late', 'p_paid_30d', 'p_self_cure']
        || (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.typrelid = a.attrelid
            WHERE t.oid = 'dunning.debtor_features'::regtype AND a.attnum > 0 AND NOT a.attisdropped);
END
$fn$;
COMMENT ON FUNCTION dunning._segment_columns() IS 'What a segment''s predicate may name.';

-- One row a debtor, ready to be stored. `used` are the models in force; `segments` a CASE over them.
CREATE FUNCTION dunning._score_sql(used text[], segments text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    rules jsonb := (SELECT jsonb_object_agg(r.target, jsonb_build_object('p', r.probability, 'words', r.words)) FROM dunning._rules_on_history() r);
    p jsonb := '{}';
    w jsonb := '{}';
    t text;
    input text;
BEGIN
    FOREACH t IN ARRAY ARRAY['late', 'self_cure', 'paid_30d'] LOOP
        input := CASE t WHEN 'paid_30d' THEN 'f' ELSE 'n' END;
        p := p || jsonb_build_object(t, CASE WHEN t = ANY (used) THEN format('dunning.predict(%L, %s)', t, input) ELSE rules -> t ->> 'p' END);
        w := w || jsonb_build_object(t, CASE WHEN t = ANY (used)
            THEN format('(SELECT jsonb_agg(r.words) FROM dunning.reasons(%L, %s, 3) r)', t, input) ELSE format('jsonb_build_array(%s)', rules -> t ->> 'words') END);
    END LOOP;
    RETURN format($q$
    WITH f AS MATERIALIZED (SELECT f.*%15$s FROM (%2$s) f),
    pay AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.amount, l.paid_at FROM (%1$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity'
        AND l.debtor_id IN (SELECT o.debtor_id FROM f o WHERE o.n_overdue > 0)),
    s AS MATERIALIZED (%3$s),
    b AS MATERIALIZED (SELECT coalesce(avg((coalesce(f.days_since_payment, 31) <= 30)::int) FILTER (WHERE f.n_overdue > 0), 0.5)::float8 AS paid_recently,
        coalesce(sum(f.n_late * (1 - exp(-14 / greatest(f.avg_late / nullif(f.late_ratio, 0), 1)))) / nullif(sum(f.n_late + f.n_overdue), 0), 0.5) AS cured,
        (SELECT mode() WITHIN GROUP (ORDER BY i.due_on - i.issued_on) FROM (%4$s) i WHERE isfinite(i.due_on) AND isfinite(i.issued_on)) AS terms FROM f),
    x AS (SELECT f.*, g.diagnosis, g.evidence, %5$s AS p_late, %6$s AS p_self_cure, CASE WHEN f.n_overdue > 0 THEN %7$s END AS p_paid_30d,
            jsonb_strip_nulls(jsonb_build_object('diagnosis', g.evidence, 'habits', nullif(to_jsonb(%16$s), '[]'),
                'p_late', %8$s, 'p_self_cure', %9$s, 'p_paid_30d', CASE WHEN f.n_overdue > 0 THEN %10$s END)) AS reasons
        FROM f CROSS JOIN b LEFT JOIN s ON s.debtor_id = f.debtor_id
        CROSS JOIN LATERAL (SELECT %11$s) n
        CROSS JOIN LATERAL (SELECT %12$s AS diagnosis, %13$s AS evidence) g)
    SELECT x.debtor_id, x.creditor, %14$s AS segment, x.diagnosis, x.p_paid_30d, x.p_late, x.p_self_cure, x.reasons, x.n_overdue > 0 AS overdue FROM x$q$,
        dunning._ledger_sql('payment', NULL, '$1'), dunning._features_sql(NULL, '$1'), dunning._signal_sql(), dunning._ledger_sql('invoice', NULL, '$1'),
        p ->> 'late', p ->> 'self_cure', p ->> 'paid_30d', w ->> 'late', w ->> 'self_cure', w ->> 'paid_30d',
        dunning._next_invoice_sql(),
        dunning._diagnosis_case(false), dunning._diagnosis_case(true),
        segments,
        -- the users' own features, under their names
        (SELECT string_agg(', ' || dunning._feature_sql(k.feature) || ' AS ' || quote_ident(k.feature), '') FROM dunning._features_in_force() k
         WHERE NOT EXISTS (SELECT FROM dunning.feature b WHERE b.feature = k.feature AND b.builtin) AND k.of <> 'invoice'),
        dunning._habits_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._score_sql(text[], text) IS 'SQL text: the score of every debtor; $1 as_of, $2 the instant, $4 the debtors who dispute an invoice.';

-- The segments as one CASE over the columns of x.
CREATE FUNCTION dunning._segment_case(first int DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce((SELECT 'CASE ' || string_agg(format('WHEN (%s) THEN %L', s.predicate, s.segment), ' ' ORDER BY s.position, s.segment) || ' ELSE ''other'' END'
                     FROM (SELECT g.* FROM dunning._segments() g ORDER BY g.position, g.segment LIMIT _segment_case.first) s), '''other''');
END
$fn$;
COMMENT ON FUNCTION dunning._segment_case(int) IS 'The segments in force, or the first so many of them, as one CASE expression.';

-- A CASE stops at what holds, so a predicate is tried after those before it: with one segment more it fails once and for all.
CREATE FUNCTION dunning._failing_segment(used text[], as_of timestamptz, at timestamptz, disputing text[]) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    sound int := -1;        -- so many segments are told without an error
    failing int := (SELECT count(*) FROM dunning._segments()) + 1;
    tried int := 0;
BEGIN
    PERFORM dunning._restrict();
    WHILE failing - sound > 1 LOOP
        BEGIN
            EXECUTE format('SELECT count(q.segment) FROM (%s) q', dunning._score_sql(used, dunning._segment_case(tried))) USING as_of, at, NULL::text, disputing;
            sound := tried;
        EXCEPTION WHEN OTHERS THEN
            failing := tried;
        END;
        tried := (sound + failing) / 2;
    END LOOP;
    RETURN CASE WHEN failing > 0 THEN (SELECT g.segment FROM dunning._segments() g ORDER BY g.position, g.segment LIMIT 1 OFFSET failing - 1) END;
END
$fn$;
COMMENT ON FUNCTION dunning._failing_segment(text[], timestamptz, timestamptz, text[]) IS 'The segment at whose predicate score() fails; NULL where it fails without any, or does not fail.';

CREATE FUNCTION dunning._check_readable(models text[]) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    it record;
BEGIN
    FOR it IN SELECT m.model, m.version, string_agg(n.name, ', ' ORDER BY n.name) AS names
              FROM dunning._models_in_use() m, unnest(dunning._curve_names(m.feature_stats)) AS n (name)
              WHERE m.model = ANY (models) AND NOT EXISTS (SELECT FROM dunning.feature f WHERE f.feature = n.name)
              GROUP BY 1, 2 ORDER BY 1 LOOP
        RAISE EXCEPTION 'version % of model "%" reads what is no feature: %', it.version, it.model, it.names USING ERRCODE = 'DN004',
            DETAIL = 'The features were taken out of the catalogue since, or fit() was given a model name that train() and train_curve() use.',
            HINT = format('SELECT dunning.promote(t.model, t.version) FROM dunning.%s t; or bring them back with dunning.save_feature().',
                          CASE it.model WHEN 'payment_curve' THEN 'train_curve()' ELSE format('train(%L)', it.model) END);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._check_readable(text[]) IS 'Nothing, or DN004 where the version in use of one of these models reads a name that the feature catalogue has not.';

-- Compiling the query would take longer than running it, hence jit = off; the words have dates in them, hence datestyle.
CREATE FUNCTION dunning.score(as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (segment text, debtors bigint, overdue bigint, p_paid_30d float8, p_late float8, p_self_cure float8, diagnoses jsonb)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(score.as_of, dunning._now());
    used jsonb;
    disputing text[];
    source text;
    failing record;
BEGIN
    PERFORM dunning._check_as_of(at);
    SELECT coalesce(jsonb_object_agg(m.model, m.version), '{}') INTO used
    FROM (SELECT DISTINCT ON (m.model) m.model, m.version FROM dunning.model m
          WHERE m.model IN ('late', 'paid_30d', 'self_cure') AND m.state <> 'retired' ORDER BY m.model, m.state <> 'champion', m.version DESC) m;
    PERFORM dunning._check_readable(ARRAY(SELECT jsonb_object_keys(used)));
    source := dunning._score_sql(ARRAY(SELECT jsonb_object_keys(used)), dunning._segment_case());
    -- One score() at a time; readers go on with what is there until all is known.
    LOCK TABLE dunning.score_result IN SHARE ROW EXCLUSIVE MODE;
    CREATE TABLE dunning.score_fresh (LIKE dunning.score_result);
    -- From here on nothing that a segment's predicate or a bound view calls can leave dunning_owner's rights.
    PERFORM dunning._restrict();
    EXECUTE format('SELECT array_agg(DISTINCT i.debtor_id) FROM (%s) i WHERE i.disputed', dunning._ledger_sql('invoice', NULL, '$1')) INTO disputing USING score.as_of;
    BEGIN
        EXECUTE format('INSERT INTO dunning.score_fresh (debtor_id, creditor, segment, diagnosis, p_paid_30d, p_late, p_self_cure, reasons, models, as_of, scored_at) '
                       'SELECT q.debtor_id, q.creditor, q.segment, q.diagnosis, q.p_paid_30d, q.p_late, q.p_self_cure, q.reasons, $3, $2, dunning._now() FROM (%s) q', source)
            USING score.as_of, at, used, disputing;
    -- a predicate that divides by what one debtor has none of was planned well and fails on that row
    EXCEPTION WHEN data_exception OR raise_exception THEN
        PERFORM dunning._blame_feature(score.as_of);
        SELECT s.segment, s.predicate, s.position INTO failing FROM dunning._segments() s
        WHERE s.segment = (SELECT dunning._failing_segment(ARRAY(SELECT jsonb_object_keys(used)), score.as_of, at, disputing));
        IF NOT FOUND THEN
            RAISE;
        END IF;
        RAISE EXCEPTION 'the predicate of segment "%" fails: %', failing.segment, SQLERRM
            USING ERRCODE = SQLSTATE, DETAIL = format('It is: %s. Nobody was scored; the scores of before stand.', failing.predicate),
                  HINT = format('Guard it, as in n_late / nullif(n_paid, 0) > 0.5, or leave it out: SELECT dunning.save_segment(%L, %L, %s, enabled => false);', failing.segment, failing.predicate, failing.position);
    END;
    PERFORM dunning._publish_scores();
    RETURN QUERY
    SELECT g.segment, sum(g.n)::bigint, sum(g.overdue)::bigint, sum(g.paid) / nullif(sum(g.n_paid), 0), sum(g.late) / sum(g.n), sum(g.cure) / sum(g.n),
        coalesce(jsonb_object_agg(g.diagnosis, g.n) FILTER (WHERE g.diagnosis IS NOT NULL), '{}')
    FROM (SELECT r.segment, r.diagnosis, count(*) AS n, count(r.p_paid_30d) AS overdue, sum(r.p_paid_30d) AS paid, count(r.p_paid_30d) AS n_paid,
                 sum(r.p_late) AS late, sum(r.p_self_cure) AS cure
          FROM dunning.score_result r GROUP BY r.segment, r.diagnosis) g
    GROUP BY g.segment ORDER BY 2 DESC, 1;
END
$fn$;
COMMENT ON FUNCTION dunning.score(timestamptz) IS
'Scores every debtor as known at as_of (NULL: now), replaces what debtor_score shows, and returns one row a segment: debtors, those with something overdue, mean probabilities, diagnoses with counts. '
'Targets without a model are filled by a rule on history; the reasons say so. Where a segment''s predicate fails on some row the error names the segment and nothing is replaced. Needs dunning_operator.';

CREATE FUNCTION dunning.save_segment(segment text, predicate text, "position" int, description text DEFAULT '', enabled boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    named text[];
    unknown text;
    known text[] := dunning._segment_columns();
    replaced jsonb := (SELECT to_jsonb(s) - 'before' FROM dunning.segment s WHERE s.segment = save_segment.segment ORDER BY s.builtin LIMIT 1);
BEGIN
    IF save_segment.segment IS NULL OR save_segment.segment !~ '^[a-z][a-z0-9_]{0,62}$' OR save_segment.segment = 'other' OR "position" IS NULL
       OR predicate IS NULL OR description IS NULL OR enabled IS NULL THEN
        RAISE EXCEPTION 'a segment has a name, a predicate and a position'
            USING ERRCODE = '22023', DETAIL = 'The name is small letters, digits and "_"; "other" stands for debtors that no predicate fits.';
    END IF;
    BEGIN
        named := dunning._predicate_columns(predicate);
    EXCEPTION WHEN syntax_error THEN
        RAISE EXCEPTION 'the predicate is not one SQL expression: %', SQLERRM
            USING ERRCODE = '42601', HINT = 'For example: late_ratio >= 0.5 AND n_paid >= 3';
    END;
    SELECT c INTO unknown FROM unnest(named) c WHERE c <> ALL (known) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'segment "%" names "%", which is no column of a debtor', save_segment.segment, unknown
            USING ERRCODE = '42703', DETAIL = format('Its columns are %s.', array_to_string(known, ', '));
    END IF;
    PERFORM dunning._try_segment(predicate);
    INSERT INTO dunning.segment AS s (segment, builtin, position, predicate, description, enabled, saved_by, saved_at, before)
    VALUES (save_segment.segment, false, save_segment.position, save_segment.predicate, save_segment.description, save_segment.enabled, session_user, dunning._now(), replaced)
    ON CONFLICT ON CONSTRAINT segment_pkey DO UPDATE SET position = excluded.position, predicate = excluded.predicate, description = excluded.description,
        enabled = excluded.enabled, saved_by = excluded.saved_by, saved_at = excluded.saved_at, before = excluded.before;
    RETURN CASE WHEN replaced IS NULL THEN 'new' WHEN (replaced ->> 'builtin')::boolean THEN 'goes before the built-in one' ELSE 'changed' END;
END
$fn$;
COMMENT ON FUNCTION dunning.save_segment(text, text, int, text, boolean) IS
'Whether the segment is new or goes before another. The predicate is one SQL expression over a debtor''s features, p_late, p_paid_30d, p_self_cure and diagnosis; the lowest position that holds wins. 42703 lists the columns, 42804 is for what is no boolean. Needs dunning_admin.';

-- The predicate is planned and typed against no row, just where score() has it: no cast makes a boolean of it, and it is asked of one
-- debtor. It has no rights beyond dunning_owner's.
CREATE FUNCTION dunning._try_segment(predicate text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._restrict();
    EXECUTE format('SELECT x.debtor_id, CASE WHEN (%s) THEN 1 END FROM (SELECT d.*, NULL::text AS diagnosis, NULL::float8 AS p_late, NULL::float8 AS p_paid_30d, NULL::float8 AS p_self_cure '
                   'FROM (SELECT (r.r).* FROM (SELECT NULL::dunning.debtor_features AS r) r) d) x WHERE false', predicate);
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'the predicate cannot be run: %', SQLERRM USING ERRCODE = SQLSTATE, HINT = 'For example: late_ratio >= 0.5 AND n_paid >= 3';
END
$fn$;
COMMENT ON FUNCTION dunning._try_segment(text) IS 'Nothing, or the error of a predicate that cannot be planned as a boolean.';

CREATE FUNCTION dunning.reset_segment(segment text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    DELETE FROM dunning.segment s WHERE s.segment = reset_segment.segment AND NOT s.builtin;
    RETURN FOUND;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_segment(text) IS 'Whether a user''s segment was deleted; a built-in one of its name is in force again. Needs dunning_admin.';

GRANT EXECUTE ON FUNCTION dunning.score(timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning.save_segment(text, text, int, text, boolean), dunning.reset_segment(text) TO dunning_admin;
