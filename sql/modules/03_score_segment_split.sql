-- score: segments that a test shows to be two. Where a treatment works differently in parts of a segment, a version proposes them apart.

-- One row a unit of an experiment whose window has passed: arm (1 is the control), outcome, the segment that it was in, and features of before the
-- experiment began: nothing that the treatment did has a part in where a split lies.
CREATE FUNCTION dunning._split_query(experiment text, started timestamptz, ids text[], places int[]) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$
        WITH unit AS MATERIALIZED (
            SELECT s.debtor_id, a.position AS arm, s.assigned_at, s.assigned_at + e.window_days * interval '1 day' AS until
            FROM dunning.assignment s JOIN dunning.experiment e ON e.experiment = s.experiment JOIN dunning.arm a ON a.experiment = s.experiment AND a.arm = s.arm
            WHERE s.experiment = %1$L AND s.assigned_at + e.window_days * interval '1 day' <= dunning._now()),
        payer AS (SELECT DISTINCT u.debtor_id FROM unit u JOIN (%2$s) p ON p.debtor_id = u.debtor_id WHERE p.amount > 0 AND p.paid_at >= u.assigned_at AND p.paid_at < u.until),
        f AS MATERIALIZED (%6$s),
        g AS MATERIALIZED (SELECT * FROM unnest(%4$L::text[], %5$L::int[]) g(debtor_id, place))
        SELECT u.debtor_id AS key, g.place AS segment, u.arm, (p.debtor_id IS NOT NULL)::int AS outcome, %3$s
        FROM unit u JOIN g ON g.debtor_id = u.debtor_id
        LEFT JOIN f ON f.debtor_id = u.debtor_id LEFT JOIN payer p ON p.debtor_id = u.debtor_id$q$,
        _split_query.experiment, dunning._ledger_sql('payment', NULL, 'dunning._virtual_clock()'), (SELECT string_agg(format('f.%I', c), ', ') FROM unnest(dunning._segment_features()) c),
        ids, places, dunning._features_sql(NULL, quote_literal(started)));
END
$fn$;
COMMENT ON FUNCTION dunning._split_query(text, timestamptz, text[], int[]) IS 'SQL text: what split_segments() reads.';

-- What an arm of a test on wording asks for on one side: the arm where it is better there, the control where it is worse, else nothing.
CREATE FUNCTION dunning._side_framing(experiment text, side jsonb, arm text, control text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT CASE WHEN experiment <> 'framing' AND experiment NOT LIKE 'framing-%' THEN NULL
                WHEN (side ->> 'difference')::float8 > (side ->> 'half_width')::float8 THEN nullif(arm, 'neutral')
                WHEN (side ->> 'difference')::float8 < -(side ->> 'half_width')::float8 THEN nullif(control, 'neutral') END
$fn$;
COMMENT ON FUNCTION dunning._side_framing(text, jsonb, text, text) IS 'The framing that a test recommends on one side of a split; NULL: none is shown to be better.';

-- The list in force, with the segments in `splits` (segment, arm, left, right, left_judged, right_judged) in two parts.
CREATE FUNCTION dunning._split_list(experiment text, control text, splits jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (
        SELECT jsonb_agg(v.entry ORDER BY v.ordinality, v.side)
        FROM (SELECT c.ordinality, p.side,
                  CASE WHEN s.value IS NULL THEN c.value ELSE jsonb_strip_nulls(jsonb_build_object(
                      'segment', left(c.value ->> 'segment', 45) || '_v#VERSION#_' || p.side,
                      'position', (c.value ->> 'position')::int,
                      'predicate', CASE WHEN c.value ->> 'segment' = 'other' THEN s.value ->> p.name ELSE format('(%s) AND (%s)', c.value ->> 'predicate', s.value ->> p.name) END,
                      'description', format('%s: %s against %s: %s points (%s to %s)', c.value ->> 'segment', s.value ->> 'arm', control,
                          round((100 * (e.judged ->> 'difference')::numeric), 1), round(100 * ((e.judged ->> 'difference')::numeric - (e.judged ->> 'half_width')::numeric), 1),
                          round(100 * ((e.judged ->> 'difference')::numeric + (e.judged ->> 'half_width')::numeric), 1)),
                      'treatment', nullif(jsonb_strip_nulls(coalesce((SELECT to_jsonb(t) - '{segment,saved_by,saved_at,before}'::text[] FROM dunning.segment_treatment t WHERE t.segment = c.value ->> 'segment'), '{}')
                          || coalesce((SELECT jsonb_build_object('framing', f.f) FROM dunning._side_framing(_split_list.experiment, e.judged, s.value ->> 'arm', control) f(f) WHERE f.f IS NOT NULL), '{}')), '{}'),
                      'learnt', e.judged)) END AS entry
              -- "other" has no predicate: its parts come last
              FROM jsonb_array_elements(dunning._current_segments() || CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(splits) x WHERE x ->> 'segment' = 'other')
                  THEN jsonb_build_array(jsonb_build_object('segment', 'other', 'position', (SELECT coalesce(max(z.position), 0) + 10 FROM dunning._segments() z))) ELSE '[]' END) WITH ORDINALITY c
              LEFT JOIN jsonb_array_elements(splits) s ON s.value ->> 'segment' = c.value ->> 'segment'
              CROSS JOIN LATERAL (VALUES (1, 'left'), (2, 'right')) p(side, name)
              CROSS JOIN LATERAL (SELECT s.value -> (p.name || '_judged') AS judged) e
              WHERE s.value IS NOT NULL OR p.side = 1) v);
END
$fn$;
COMMENT ON FUNCTION dunning._split_list(text, text, jsonb) IS 'The segments in force as a list in which some are split.';

CREATE FUNCTION dunning.split_segments(experiment text, min_units int DEFAULT 200, alpha float8 DEFAULT 0.05)
    RETURNS TABLE (segment text, arm text, part text, control_n bigint, treated_n bigint, difference float8, lower float8, upper float8, verdict text, version int)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    test dunning.experiment;
    names text[] := ARRAY(SELECT s.segment::text FROM dunning._segments() s ORDER BY s.position, s.segment) || 'other'::text;
    arms text[];
    used text[];
    ids text[];
    segments text[];
    disputing text[];
    learnt jsonb;
    holding jsonb;
    made int;
BEGIN
    PERFORM dunning._check_experiment(split_segments.experiment);
    IF min_units IS NULL OR min_units NOT BETWEEN 50 AND 1000000 OR alpha IS NULL OR NOT (alpha > 0 AND alpha <= 0.2) THEN
        RAISE EXCEPTION 'a split of segments has a parameter out of range' USING ERRCODE = '22023',
            DETAIL = 'min_units is 50 to 1000000, alpha above 0 and at most 0.2.', HINT = format('SELECT * FROM dunning.split_segments(%L);', split_segments.experiment);
    END IF;
    SELECT e.* INTO test FROM dunning.experiment e WHERE e.experiment = split_segments.experiment;
    SELECT array_agg(a.arm::text ORDER BY a.position) INTO arms FROM dunning.arm a WHERE a.experiment = split_segments.experiment;
    IF (SELECT dunning._srm(array_agg(u.assigned::float8), array_agg(u.share)) >= ln(100) FROM dunning._experiment_units(split_segments.experiment) u) THEN
        RAISE EXCEPTION 'the arms of experiment "%" do not hold the shares they were given', split_segments.experiment USING ERRCODE = '55000',
            DETAIL = 'Whatever moved debtors between the arms may also be what differs between parts of a segment.', HINT = format('SELECT * FROM dunning.experiment_result(%L);', split_segments.experiment);
    END IF;
    SELECT coalesce(array_agg(DISTINCT m.model::text), '{}') INTO used FROM dunning.model m WHERE m.model IN ('late', 'paid_30d', 'self_cure') AND m.state <> 'retired';
    PERFORM dunning._restrict();
    -- the segment that each unit was in when the experiment began
    EXECUTE format('SELECT array_agg(DISTINCT i.debtor_id) FROM (%s) i WHERE i.disputed', dunning._ledger_sql('invoice', NULL, '$1')) INTO disputing USING test.started_at;
    EXECUTE format('SELECT array_agg(q.debtor_id::text ORDER BY q.debtor_id), array_agg(q.segment ORDER BY q.debtor_id) FROM (%s) q WHERE q.debtor_id IN (SELECT s.debtor_id FROM dunning.assignment s WHERE s.experiment = $5)',
                   dunning._score_sql(used, dunning._segment_case())) INTO ids, segments USING test.started_at, test.started_at, NULL::text, disputing, split_segments.experiment;
    learnt := dunning._learn_splits(dunning._split_query(split_segments.experiment, test.started_at, coalesce(ids, '{}'), ARRAY(SELECT array_position(names, s.s) FROM unnest(segments) WITH ORDINALITY s(s, n) ORDER BY s.n)),
        cardinality(names), cardinality(arms), min_units, alpha);
    learnt := jsonb_set(learnt, '{splits}', (SELECT coalesce(jsonb_agg(s.value || jsonb_build_object('segment', names[(s.value ->> 'segment')::int], 'arm', arms[(s.value ->> 'arm')::int]) ORDER BY s.ordinality), '[]')
        FROM jsonb_array_elements(learnt -> 'splits') WITH ORDINALITY s));
    -- of the arms of one segment the clearest
    SELECT jsonb_agg(x.value ORDER BY x.value ->> 'segment') INTO holding
    FROM (SELECT DISTINCT ON (s.value ->> 'segment') s.value FROM jsonb_array_elements(learnt -> 'splits') WITH ORDINALITY s WHERE (s.value ->> 'holds')::boolean
          ORDER BY s.value ->> 'segment', abs((s.value ->> 'gap')::float8) / (s.value ->> 'half_width')::float8 DESC, s.ordinality) x;
    IF holding IS NOT NULL THEN
        made := dunning._keep_segments('split', dunning._split_list(split_segments.experiment, arms[1], holding), learnt || jsonb_build_object('experiment', split_segments.experiment, 'min_units', min_units), NULL, dunning._now());
    END IF;
    RETURN QUERY
    SELECT s.value ->> 'segment', s.value ->> 'arm', CASE WHEN p.side = 0 THEN 'all' ELSE s.value ->> p.name END, (p.e ->> 'control')::bigint, (p.e ->> 'treated')::bigint,
        (p.e ->> 'difference')::float8, (p.e ->> 'difference')::float8 - (p.e ->> 'half_width')::float8, (p.e ->> 'difference')::float8 + (p.e ->> 'half_width')::float8,
        CASE WHEN p.side > 0 THEN NULL
             WHEN s.value -> 'gap' IS NULL THEN format('no split: %s units of each arm are needed on both sides, in each of two halves, and ten of either outcome', min_units)
             WHEN NOT (s.value ->> 'enough')::boolean THEN 'no split: too few units in the half that judges'
             WHEN (s.value ->> 'holds')::boolean THEN format('split: the effect differs by %s points, at least %s', g.gap, g.least)
             ELSE format('no split: the effect differs by %s points, give or take %s', g.gap, g.width) END,
        CASE WHEN (s.value ->> 'holds')::boolean AND s.value IN (SELECT h FROM jsonb_array_elements(holding) h) THEN made END
    FROM jsonb_array_elements(learnt -> 'splits') WITH ORDINALITY s
    CROSS JOIN LATERAL (VALUES (0, 'all', s.value -> 'all'), (1, 'left', s.value -> 'left_judged'), (2, 'right', s.value -> 'right_judged')) p(side, name, e)
    CROSS JOIN LATERAL (SELECT round(100 * abs((s.value ->> 'gap')::numeric), 1) AS gap, round(100 * (s.value ->> 'half_width')::numeric, 1) AS width,
        round(100 * (abs((s.value ->> 'gap')::numeric) - (s.value ->> 'half_width')::numeric), 1) AS least) g
    WHERE p.e IS NOT NULL AND (p.e ->> 'control')::bigint + (p.e ->> 'treated')::bigint > 0 ORDER BY s.ordinality, p.side;
END
$fn$;
COMMENT ON FUNCTION dunning.split_segments(text, int, float8) IS
'Whether an experiment worked differently in parts of a segment: a row for each segment and arm with its effect against the control, and two for the parts of its best split, with intervals. '
'The split is chosen on one half of the units (by a hash) from features of before the experiment, and judged on the other (honest splitting: Athey and Imbens 2016); its interval is that of experiment_result(), alpha shared by all splits looked at; each arm of each part needs min_units units in each half. '
'Where splits hold, a new version of the segments has them in two; use_segments(version) brings it into force, with the wording that was better in a part as its treatment. 55000 where the arms do not hold their shares. Needs dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.split_segments(text, int, float8) TO dunning_operator;
