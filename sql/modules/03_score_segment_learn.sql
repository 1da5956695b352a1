-- score: segments that are learnt, as versions; what a segment asks of planning; and splits that a test shows.

-- A version is a whole list of segments, never changed. use_segments() makes it the one in force.
CREATE TABLE dunning.segment_version (
    version         int PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('own', 'tree', 'kmeans', 'split')),
    segments        jsonb NOT NULL,             -- in order: segment, position, predicate, description, and what was learnt of it
    metrics         jsonb NOT NULL DEFAULT '{}',
    query           text,                       -- what it was learnt from
    as_of           timestamptz,
    digest          text COLLATE "C" NOT NULL,  -- SHA-256 of names, positions and predicates
    made_at         timestamptz NOT NULL,
    made_by         text NOT NULL
);
COMMENT ON TABLE dunning.segment_version IS 'Lists of segments, one row a version: own (what stood in force before another came), tree, kmeans (learn_segments()) or split (split_segments()). Immutable; use_segments() brings one into force.';
GRANT SELECT ON dunning.segment_version TO dunning_viewer;
SELECT pg_catalog.pg_extension_config_dump('dunning.segment_version', '');

-- What planning reads where neither the debtor nor the step says otherwise.
CREATE TABLE dunning.segment_treatment (
    segment         text COLLATE "C" PRIMARY KEY,
    channel         text COLLATE "C",           -- tried first of the step's channels
    tone            text CHECK (tone IN ('soft', 'friendly', 'formal', 'urgent')),
    framing         text,
    gap_days        int CHECK (gap_days BETWEEN 0 AND 365),     -- between two contacts
    saved_by        text NOT NULL,
    saved_at        timestamptz NOT NULL,
    before          jsonb
);
COMMENT ON TABLE dunning.segment_treatment IS 'Channel, tone, framing and frequency of a segment, where neither the debtor nor the step says otherwise: see set_treatment().';
GRANT SELECT ON dunning.segment_treatment TO dunning_viewer;
SELECT pg_catalog.pg_extension_config_dump('dunning.segment_treatment', '');

CREATE FUNCTION dunning.set_treatment(segment text, channel text DEFAULT NULL, tone text DEFAULT NULL, framing text DEFAULT NULL, gap_days int DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    replaced jsonb := (SELECT to_jsonb(t) - 'before' FROM dunning.segment_treatment t WHERE t.segment = set_treatment.segment);
BEGIN
    IF set_treatment.segment IS NULL OR set_treatment.segment <> 'other' AND NOT EXISTS (SELECT FROM dunning._segments() s WHERE s.segment = set_treatment.segment) THEN
        RAISE EXCEPTION 'segment "%" does not exist', coalesce(set_treatment.segment, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Segments: %s, other.', (SELECT string_agg(s.segment, ', ') FROM dunning._segments() s)),
                  HINT = 'SELECT segment, description FROM dunning.segment ORDER BY position;';
    END IF;
    IF set_treatment.channel IS NOT NULL THEN
        PERFORM dunning._check_channel(set_treatment.channel);
    END IF;
    IF set_treatment.tone NOT IN ('soft', 'friendly', 'formal', 'urgent') OR set_treatment.gap_days NOT BETWEEN 0 AND 365
       OR set_treatment.framing IS NOT NULL AND NOT EXISTS (SELECT FROM dunning.template t WHERE t.framing = set_treatment.framing AND t.framing <> 'neutral' AND t.replaced_at IS NULL) THEN
        RAISE EXCEPTION 'the treatment of segment "%" is not usable', set_treatment.segment
            USING ERRCODE = '22023',
                  DETAIL = format('tone is soft, friendly, formal or urgent; gap_days 0 to 365; framings that a text has are %s. NULL: the step says.',
                      coalesce((SELECT string_agg(DISTINCT t.framing, ', ') FROM dunning.template t WHERE t.replaced_at IS NULL AND t.framing <> 'neutral'), 'none')),
                  HINT = format('SELECT dunning.set_treatment(%L, channel => ''sms'', tone => ''friendly'', gap_days => 5);', set_treatment.segment);
    END IF;
    DELETE FROM dunning.segment_treatment t WHERE t.segment = set_treatment.segment;
    IF num_nonnulls(set_treatment.channel, set_treatment.tone, set_treatment.framing, set_treatment.gap_days) > 0 THEN
        INSERT INTO dunning.segment_treatment (segment, channel, tone, framing, gap_days, saved_by, saved_at, before)
        VALUES (set_treatment.segment, set_treatment.channel, set_treatment.tone, set_treatment.framing, set_treatment.gap_days, session_user, dunning._now(), replaced);
        RETURN CASE WHEN replaced IS NULL THEN 'new' ELSE 'changed' END;
    END IF;
    RETURN CASE WHEN replaced IS NULL THEN 'there was none' ELSE 'removed' END;
END
$fn$;
COMMENT ON FUNCTION dunning.set_treatment(text, text, text, text, int) IS
'Whether the treatment of a segment is new, changed or (with nothing but the name) removed. channel is tried first of those that the step lists, where the debtor prefers none; tone and framing hold where the step''s are neutral; gap_days are kept between two contacts where the step has no cooldown_days. Caps and the gate hold all the same. Needs dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_treatment(text, text, text, text, int) TO dunning_admin;

-- --- versions ---

CREATE FUNCTION dunning._segments_digest(segments jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT encode(sha256(convert_to((SELECT coalesce(jsonb_agg(jsonb_build_array(s -> 'segment', s -> 'position', s -> 'predicate') ORDER BY (s ->> 'position')::int, (s ->> 'segment') COLLATE "C"), '[]')
        FROM jsonb_array_elements(segments) s)::text, 'UTF8')), 'hex')
$fn$;
COMMENT ON FUNCTION dunning._segments_digest(jsonb) IS 'SHA-256 of names, positions and predicates of a list of segments.';

CREATE FUNCTION dunning._current_segments() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('segment', s.segment, 'position', s.position, 'predicate', s.predicate, 'description', s.description) ORDER BY s.position, s.segment), '[]')
            FROM dunning._segments() s);
END
$fn$;
COMMENT ON FUNCTION dunning._current_segments() IS 'The segments in force as a version has them.';

CREATE FUNCTION dunning._keep_segments(kind text, segments jsonb, metrics jsonb, query text, as_of timestamptz) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    made int;
    named jsonb;
BEGIN
    LOCK TABLE dunning.segment_version IN SHARE ROW EXCLUSIVE MODE;
    made := coalesce((SELECT max(v.version) FROM dunning.segment_version v), 0) + 1;
    -- in names alone: a creditor may be called what it likes
    named := (SELECT coalesce(jsonb_agg(e.value || jsonb_build_object('segment', replace(e.value ->> 'segment', '#VERSION#', made::text)) ORDER BY e.ordinality), '[]')
              FROM jsonb_array_elements(_keep_segments.segments) WITH ORDINALITY e);
    INSERT INTO dunning.segment_version (version, kind, segments, metrics, query, as_of, digest, made_at, made_by)
    VALUES (made, _keep_segments.kind, named, _keep_segments.metrics, _keep_segments.query, _keep_segments.as_of, dunning._segments_digest(named), dunning._now(), session_user);
    RETURN made;
END
$fn$;
COMMENT ON FUNCTION dunning._keep_segments(text, jsonb, jsonb, text, timestamptz) IS 'The number of a new version; #VERSION# in its names becomes that number.';

CREATE FUNCTION dunning.use_segments(version int) RETURNS TABLE (segment text, "position" int, predicate text, change text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    wanted dunning.segment_version;
    present jsonb := dunning._current_segments();
    gone text;
    one text;
BEGIN
    SELECT v.* INTO wanted FROM dunning.segment_version v WHERE v.version = use_segments.version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no version % of the segments', coalesce(use_segments.version::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Versions: %s.', coalesce((SELECT string_agg(v.version::text, ', ' ORDER BY v.version) FROM dunning.segment_version v), 'none')),
                  HINT = 'SELECT version, kind, made_at, in_force FROM dunning.segment_history; -- SELECT * FROM dunning.learn_segments();';
    END IF;
    -- a column that a predicate names may be gone since
    FOR one IN SELECT s.value ->> 'predicate' FROM jsonb_array_elements(wanted.segments) s LOOP
        BEGIN
            PERFORM dunning._predicate_columns(one), dunning._try_segment(one);
        EXCEPTION WHEN OTHERS THEN
            RAISE EXCEPTION 'version % cannot come into force: %', use_segments.version, SQLERRM
                USING ERRCODE = SQLSTATE, DETAIL = format('Its predicate is %s.', one), HINT = 'SELECT version, kind, made_at FROM dunning.segment_history; -- or SELECT * FROM dunning.learn_segments();';
        END;
    END LOOP;
    IF NOT EXISTS (SELECT FROM dunning.segment_version v WHERE v.digest = dunning._segments_digest(present)) THEN
        PERFORM dunning._keep_segments('own', present, '{}', NULL, NULL);
    END IF;
    -- what the administrator has written and switched off is in no version, so it stays
    DELETE FROM dunning.segment s WHERE NOT s.builtin AND (s.enabled OR EXISTS (SELECT FROM dunning.segment b WHERE b.builtin AND b.segment = s.segment)
        OR EXISTS (SELECT FROM jsonb_array_elements(wanted.segments) w WHERE w ->> 'segment' = s.segment));
    INSERT INTO dunning.segment (segment, builtin, position, predicate, description, enabled, saved_by, saved_at)
    SELECT w.segment, false, w.position, w.predicate, w.description, true, session_user, dunning._now()
    FROM jsonb_to_recordset(wanted.segments) w(segment text, "position" int, predicate text, description text)
    WHERE NOT EXISTS (SELECT FROM dunning.segment b WHERE b.builtin AND b.enabled AND b.segment = w.segment AND b.position = w.position AND b.predicate = w.predicate);
    -- built-in ones that the version does not have are switched off, not deleted: reset_segment() brings one back
    INSERT INTO dunning.segment (segment, builtin, position, predicate, description, enabled, saved_by, saved_at)
    SELECT b.segment, false, b.position, b.predicate, b.description, false, session_user, dunning._now()
    FROM dunning.segment b WHERE b.builtin AND NOT EXISTS (SELECT FROM jsonb_array_elements(wanted.segments) w WHERE w ->> 'segment' = b.segment);
    INSERT INTO dunning.segment_treatment AS t (segment, channel, tone, framing, gap_days, saved_by, saved_at)
    SELECT w.segment, w.treatment ->> 'channel', w.treatment ->> 'tone', w.treatment ->> 'framing', (w.treatment ->> 'gap_days')::int, session_user, dunning._now()
    FROM jsonb_to_recordset(wanted.segments) w(segment text, treatment jsonb) WHERE w.treatment IS NOT NULL AND w.treatment <> '{}'
    ON CONFLICT ON CONSTRAINT segment_treatment_pkey DO NOTHING;
    SELECT string_agg(r.rule || ' (' || r.segment || ')', ', ' ORDER BY r.rule) INTO gone FROM dunning.strategy_rule r
    WHERE r.enabled AND r.segment IS NOT NULL AND r.segment <> 'other' AND NOT EXISTS (SELECT FROM jsonb_array_elements(wanted.segments) w WHERE w ->> 'segment' = r.segment);
    IF gone IS NOT NULL THEN
        RAISE NOTICE 'strategies are assigned to segments that there are no more: %', gone
            USING HINT = 'SELECT dunning.assign_strategy(rule, strategy, segment => ...) for the new ones; until then those rules fit nobody.';
    END IF;
    RETURN QUERY
    SELECT u.segment, u.position, u.predicate, u.change FROM (
    SELECT s.segment::text, s.position, s.predicate,
        CASE WHEN p.value IS NULL THEN 'new' WHEN p.value ->> 'predicate' = s.predicate AND (p.value ->> 'position')::int = s.position THEN 'as before' ELSE 'changed' END AS change
    FROM dunning._segments() s LEFT JOIN jsonb_array_elements(present) p ON p.value ->> 'segment' = s.segment
    UNION ALL
    SELECT p.value ->> 'segment', (p.value ->> 'position')::int, p.value ->> 'predicate', 'no more'
    FROM jsonb_array_elements(present) p WHERE NOT EXISTS (SELECT FROM dunning._segments() s WHERE s.segment = p.value ->> 'segment')) u
    ORDER BY u.change = 'no more', u.position, u.segment COLLATE "C";
END
$fn$;
COMMENT ON FUNCTION dunning.use_segments(int) IS
'Brings a version of the segments into force: one row a segment with what changed. What stood before is kept as a version of its own, so that use_segments() of that brings it back; your own that are switched off stay. Treatments that the version proposes are set where the segment has none. '
'score() gives debtors their new segments. A NOTICE names strategies that are assigned to segments that there are no more. Needs dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.use_segments(int) TO dunning_admin;

CREATE FUNCTION dunning._segment_history() RETURNS TABLE (version int, kind text, segments int, in_force boolean, metrics jsonb, as_of timestamptz, made_at timestamptz, made_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    present text := dunning._segments_digest(dunning._current_segments());
BEGIN
    RETURN QUERY SELECT v.version, v.kind, jsonb_array_length(v.segments), v.digest = present, v.metrics, v.as_of, v.made_at, v.made_by FROM dunning.segment_version v ORDER BY v.version;
END
$fn$;
COMMENT ON FUNCTION dunning._segment_history() IS 'What view segment_history shows.';
CREATE VIEW dunning.segment_history WITH (security_invoker, security_barrier) AS
    SELECT h.version, h.kind, h.segments, h.in_force, h.metrics, h.as_of, h.made_at, h.made_by FROM dunning._segment_history() h;
COMMENT ON VIEW dunning.segment_history IS 'Versions of the segments, and which of them stands in force as it was made (none, where segments were changed since). Needs dunning_viewer.';
GRANT SELECT ON dunning.segment_history TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._segment_history() TO dunning_viewer;

-- --- learning ---

CREATE FUNCTION dunning._learn_tree(query text, depth int, min_leaf int) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_learn_tree';
COMMENT ON FUNCTION dunning._learn_tree(text, int, int) IS
'Leaves of a tree over the columns of a query beside `key` and `target`: predicate, rows, mean and standard deviation of the target, the highest first; error_by_depth: mean squared error by five folds. min_leaf 0: a hundredth of the rows, 50 at least.';
CREATE FUNCTION dunning._learn_groups(query text, depth int, min_leaf int, k_least int, k_most int, seed bigint) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_learn_groups';
COMMENT ON FUNCTION dunning._learn_groups(text, int, int, int, int, bigint) IS
'Groups of k-means over the numbers of a query beside `key`, as the predicates of a tree that tells them apart; fidelity: share of rows that the tree puts into their group; silhouette by k.';
CREATE FUNCTION dunning._learn_splits(query text, segments int, arms int, min_units int, alpha float8) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_learn_splits';
COMMENT ON FUNCTION dunning._learn_splits(text, int, int, int, float8) IS
'Of a query of units (key, segment and arm as numbers from 1, outcome 0 or 1, and features): for each segment and arm but the first, the split whose effects differ most in one half of the units, and how much they differ in the other.';

-- The features that segments may be learnt over: built in, numbers and booleans, not sensitive, not excluded; money in unlike currencies is none.
CREATE FUNCTION dunning._segment_features() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY(SELECT f.feature::text FROM dunning._features_in_force() f JOIN dunning.feature b ON b.feature = f.feature AND b.builtin
                 WHERE f.of IN ('debtor', 'both') AND f.type IN ('number', 'boolean') AND NOT f.sensitive AND NOT f.excluded
                   AND f.feature = ANY (dunning._segment_columns()) ORDER BY b.position NULLS LAST, f.feature);
END
$fn$;
COMMENT ON FUNCTION dunning._segment_features() IS 'Features that segments are learnt over where the option columns names none.';

CREATE FUNCTION dunning._segment_options(kind text, options jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known jsonb := CASE _segment_options.kind WHEN 'tree' THEN '{"target": "late", "days": 60, "depth": 4, "min_leaf": 0, "columns": null}'::jsonb
        WHEN 'kmeans' THEN '{"depth": 4, "min_leaf": 0, "columns": null, "k_least": 2, "k_most": 8, "seed": 1}' END;
    hint text := 'SELECT * FROM dunning.learn_segments(''tree'', options => ''{"target": "late", "depth": 3, "min_leaf": 100}''); -- or ''kmeans'', with k_least, k_most and seed';
    wrong text;
    result jsonb;
BEGIN
    IF known IS NULL THEN
        RAISE EXCEPTION 'kind of segments "%" is not known', coalesce(_segment_options.kind, 'NULL') USING ERRCODE = '22023', DETAIL = 'Kinds are tree and kmeans; save_segment() takes your own predicates.', HINT = hint;
    END IF;
    IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'options must be a JSON object' USING ERRCODE = '22023', HINT = hint;
    END IF;
    SELECT o INTO wrong FROM jsonb_object_keys(options) o WHERE NOT known ? o LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'option "%" is not known', wrong USING ERRCODE = '22023',
            DETAIL = format('Options of %s are %s.', _segment_options.kind, (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(known) k)), HINT = hint;
    END IF;
    result := known || options;
    SELECT o.key INTO wrong FROM jsonb_each(result) o
    WHERE CASE o.key WHEN 'columns' THEN o.value <> 'null' AND jsonb_typeof(o.value) <> 'array'
               WHEN 'target' THEN o.value NOT IN ('"late"', '"p_late"', '"p_paid_30d"', '"p_self_cure"')
               ELSE CASE WHEN jsonb_typeof(o.value) <> 'number' OR o.value #>> '{}' !~ '^[0-9]{1,9}$' THEN true
                    ELSE (o.value #>> '{}')::int NOT BETWEEN CASE o.key WHEN 'depth' THEN 1 WHEN 'days' THEN 7 WHEN 'k_least' THEN 2 WHEN 'k_most' THEN 2 ELSE 0 END
                                                     AND CASE o.key WHEN 'depth' THEN 4 WHEN 'days' THEN 730 WHEN 'k_least' THEN 12 WHEN 'k_most' THEN 12 ELSE 999999999 END END END LIMIT 1;
    IF FOUND OR (result ->> 'k_least')::int > (result ->> 'k_most')::int THEN
        RAISE EXCEPTION 'option "%" is out of range', coalesce(wrong, 'k_least') USING ERRCODE = '22023',
            DETAIL = 'target is late, p_late, p_paid_30d or p_self_cure; depth 1 to 4, days 7 to 730, k_least to k_most 2 to 12; min_leaf and seed are whole numbers; columns is an array of names.', HINT = hint;
    END IF;
    SELECT c INTO wrong FROM jsonb_array_elements_text(nullif(result -> 'columns', 'null')) c WHERE c <> ALL (dunning._segment_columns()) OR c IN ('debtor_id', 'as_of', 'attributes', 'diagnosis', result ->> 'target') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" cannot make segments', wrong USING ERRCODE = '42703',
            DETAIL = format('Those that can: %s.', array_to_string(dunning._segment_columns(), ', ')), HINT = hint;
    END IF;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning._segment_options(text, jsonb) IS 'The options of learn_segments() with those left out, or 22023 and 42703.';

-- One row a debtor: key, target where there is one, and columns. Features are of before `at`; the outcome is of the days after it.
CREATE FUNCTION dunning._segment_query(kind text, at timestamptz, options jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    scores text[] := '{p_late,p_paid_30d,p_self_cure}';
    target text := options ->> 'target';
    since timestamptz := CASE WHEN target = 'late' THEN at - make_interval(days => (options ->> 'days')::int) ELSE at END;
    named text[] := ARRAY(SELECT jsonb_array_elements_text(nullif(options -> 'columns', 'null')));
    columns text[] := CASE WHEN cardinality(named) > 0 THEN named
        -- what one does, not how much of everything there was
        WHEN _segment_query.kind = 'kmeans' THEN '{late_ratio_shrunk,avg_late_shrunk,trend,partial_ratio,payday_ratio,payments_per_month,paid_before_shrunk,tenure_days,open_vs_mean,days_past_due,n_overdue,promise_kept_ratio,reached_ratio}'
        ELSE dunning._segment_features() END;
    list text := (SELECT string_agg(CASE WHEN c = ANY (scores) THEN format('s.%I', c) ELSE format('f.%I', c) END, ', ') FROM unnest(columns) c);
BEGIN
    IF target = 'late' AND columns && scores THEN
        RAISE EXCEPTION 'the scores of today know what the outcome was' USING ERRCODE = '22023',
            DETAIL = 'With the target late, columns are features of before the days that are looked at.', HINT = 'Leave p_late, p_paid_30d and p_self_cure out of columns, or take one of them for the target.';
    END IF;
    IF target = 'late' THEN
        RETURN format('WITH f AS MATERIALIZED (%2$s), o AS MATERIALIZED (SELECT i.debtor_id, avg(coalesce(i.days_late > 0, true)::int)::float8 AS late FROM dunning.invoice_features(%3$L) i '
            'WHERE i.due_on >= (%4$L::timestamptz AT TIME ZONE (SELECT dunning._ledger_zone()))::date AND i.due_on < (%3$L::timestamptz AT TIME ZONE (SELECT dunning._ledger_zone()))::date GROUP BY 1) '
            'SELECT f.debtor_id AS key, o.late AS target, %1$s FROM f JOIN o ON o.debtor_id = f.debtor_id',
            list, dunning._features_sql(NULL, quote_literal(since)), at, since);
    END IF;
    RETURN format('SELECT f.debtor_id AS key, %s%s FROM (%s) f LEFT JOIN dunning.debtor_score s ON s.debtor_id = f.debtor_id',
        CASE WHEN target IS NOT NULL THEN format('s.%I AS target, ', target) ELSE '' END, list, dunning._features_sql(NULL, quote_literal(since)));
END
$fn$;
COMMENT ON FUNCTION dunning._segment_query(text, timestamptz, jsonb) IS 'SQL text: what learn_segments() reads.';

CREATE FUNCTION dunning._describe_segment(kind text, target text, learnt jsonb, n float8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT CASE kind WHEN 'tree' THEN format('%s %s, %s %% of debtors', CASE target WHEN 'late' THEN round(100 * (learnt ->> 'mean')::numeric) || ' %' ELSE target || ' ' || round((learnt ->> 'mean')::numeric, 2) END,
                CASE target WHEN 'late' THEN 'of what fell due was late' ELSE 'on average' END, round((100 * (learnt ->> 'n')::float8 / n)::numeric))
           ELSE (SELECT string_agg(format('%s %s (all %s)', c ->> 'column', round((c ->> 'mean')::numeric, 2), round((c ->> 'all')::numeric, 2)), ', ') FROM jsonb_array_elements(learnt -> 'columns') c)
                || format('; %s %% of debtors', round((100 * (learnt ->> 'n')::float8 / n)::numeric)) END
$fn$;
COMMENT ON FUNCTION dunning._describe_segment(text, text, jsonb, float8) IS 'A learnt segment in words.';

CREATE FUNCTION dunning.learn_segments(kind text DEFAULT 'tree', as_of timestamptz DEFAULT NULL, options jsonb DEFAULT '{}')
    RETURNS TABLE (version int, segment text, "position" int, predicate text, description text, debtors bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(learn_segments.as_of, dunning._now());
    o jsonb := dunning._segment_options(learn_segments.kind, learn_segments.options);
    query text;
    learnt jsonb;
    own jsonb;
    made int;
BEGIN
    PERFORM dunning._check_as_of(at);
    query := dunning._segment_query(learn_segments.kind, at, o);
    PERFORM dunning._restrict();
    learnt := CASE learn_segments.kind WHEN 'tree' THEN dunning._learn_tree(query, (o ->> 'depth')::int, (o ->> 'min_leaf')::int)
        ELSE dunning._learn_groups(query, (o ->> 'depth')::int, (o ->> 'min_leaf')::int, (o ->> 'k_least')::int, (o ->> 'k_most')::int, (o ->> 'seed')::bigint) END;
    IF jsonb_array_length(learnt -> 'segments') < 2 THEN
        RAISE NOTICE 'nothing tells the debtors apart: no version is made'
            USING DETAIL = CASE learn_segments.kind WHEN 'tree' THEN format('Of %s debtors no split predicts the outcome better than its mean, by more than one standard error over five folds.', learnt ->> 'n')
                           ELSE format('The tree tells %s debtors apart in no group.', learnt ->> 'n') END;
        RETURN;
    END IF;
    IF learn_segments.kind = 'kmeans' AND (SELECT max(k.value::float8) FROM jsonb_each_text(learnt -> 'silhouette') k) < 0.25 THEN
        RAISE NOTICE 'the groups hardly stand apart: their best silhouette is %', (SELECT round(max(k.value::numeric), 2) FROM jsonb_each_text(learnt -> 'silhouette') k)
            USING DETAIL = 'Up to 0.25 there is no substantial structure (Kaufman and Rousseeuw 1990): the groups cut one cloud into parts.';
    END IF;
    -- the administrator's own predicates go on going first
    own := (SELECT coalesce(jsonb_agg(e.value ORDER BY e.ordinality), '[]') FROM jsonb_array_elements(dunning._current_segments()) WITH ORDINALITY e
            WHERE EXISTS (SELECT FROM dunning.segment g WHERE g.segment = e.value ->> 'segment' AND NOT g.builtin)
              AND NOT EXISTS (SELECT FROM dunning.segment_version v, jsonb_array_elements(v.segments) w WHERE v.kind <> 'own' AND w ? 'learnt' AND w ->> 'segment' = e.value ->> 'segment'));
    made := dunning._keep_segments(learn_segments.kind,
        own || (SELECT jsonb_agg(jsonb_build_object('segment', learn_segments.kind || '_v#VERSION#_' || s.ordinality,
                    'position', (SELECT coalesce(max((w ->> 'position')::int), 0) FROM jsonb_array_elements(own) w) + s.ordinality * 10,
                    'predicate', s.value ->> 'predicate', 'description', dunning._describe_segment(learn_segments.kind, o ->> 'target', s.value, (learnt ->> 'n')::float8),
                    'learnt', s.value - 'predicate') ORDER BY s.ordinality)
                FROM jsonb_array_elements(learnt -> 'segments') WITH ORDINALITY s),
        (learnt - 'segments') || jsonb_build_object('options', o), query, at);
    RETURN QUERY
    SELECT made, w.segment, w.position, w.predicate, w.description, (w.learnt ->> 'n')::bigint
    FROM dunning.segment_version v, jsonb_to_recordset(v.segments) w(segment text, "position" int, predicate text, description text, learnt jsonb)
    WHERE v.version = made ORDER BY w.position, w.segment;
END
$fn$;
COMMENT ON FUNCTION dunning.learn_segments(text, timestamptz, jsonb) IS
'A new version of the segments, one row a segment in the order they are tried: your own predicates first, then what was learnt; use_segments(version) brings it into force. tree: by the share of what fell due in the last `days` (60) that was late, from features of before them (target p_late, p_paid_30d or p_self_cure: by that score of debtor_score); '
'depth up to 4, chosen by five folds. kmeans: groups of k_least to k_most by silhouette over quantiles, told by a tree. Other options: columns, min_leaf (0: a hundredth of the debtors, 50 at least), seed. Predicates name NULL where a column was ever missing; else NULL falls to "other". '
'The same ledger and options give the same predicates. No version and a NOTICE where nothing tells debtors apart; DN004 with too few. Needs dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.learn_segments(text, timestamptz, jsonb) TO dunning_operator;
