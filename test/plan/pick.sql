-- Rows in which the pick in C and the stages that define it differ. psql variables: as_of (SQL), many (SQL).
BEGIN;
SELECT dunning._stage_ladder(NULL, :as_of, :many), dunning._stage_decided(coalesce(:as_of, dunning._now()), false, false) \g /dev/null
CREATE TEMP TABLE ours ON COMMIT DROP AS SELECT j.* FROM pg_temp.dunning_plan_judged j;
SELECT 'rows ' || count(*) || ' plain ' || count(*) FILTER (WHERE p.plain) || ' to be sent ' || count(*) FILTER (WHERE j.blocked_by = '{}') || ' channels ' || count(DISTINCT j.chosen)
    || ' passed over ' || count(*) FILTER (WHERE jsonb_array_length(j.passed_over) > 1) || ' of ' || count(j.passed_over) || ' explored ' || count(*) FILTER (WHERE j.explored) || ' with value ' || count(j.value) || ' with uplift ' || count(*) FILTER (WHERE j.uplift > 0)
FROM ours j JOIN pg_temp.dunning_plan_pick p ON p.debtor_id = j.debtor_id;
SELECT 'blocked by ' || w.w || ': ' || count(*) FROM ours j, unnest(j.blocked_by) w(w) GROUP BY w.w ORDER BY 1;
SELECT dunning._drop_stages() \g /dev/null
-- Everybody is asked of the gate.
CREATE OR REPLACE FUNCTION dunning._gate_trouble_sql(many text) RETURNS text LANGUAGE sql AS $$ SELECT 'SELECT u.id AS debtor_id, NULL::text AS reason, NULL::timestamptz AS until_at FROM unnest(' || $1 || ') u(id)' $$;
SELECT dunning._stage_ladder(NULL, :as_of, :many), dunning._stage_decided(coalesce(:as_of, dunning._now()), false, false) \g /dev/null
CREATE TEMP TABLE theirs ON COMMIT DROP AS SELECT j.* FROM pg_temp.dunning_plan_judged j;
SELECT 'rows ' || count(*) || ' asked ' || count(*) FILTER (WHERE NOT p.plain) FROM theirs j JOIN pg_temp.dunning_plan_pick p ON p.debtor_id = j.debtor_id;
-- Of a contact that is held the instant that was asked about is not told.
CREATE TEMP VIEW told AS
SELECT o.of, o.debtor_id, jsonb_strip_nulls(to_jsonb(o) - '{of,skipped,timing,contact_at,local_time,uplift,explored,p_response,time_propensity,passed_over}'::text[]
    || CASE WHEN o.blocked_by = '{}' THEN jsonb_build_object('contact_at', o.contact_at, 'local_time', o.local_time, 'skipped', o.skipped, 'passed_over', o.passed_over, 'timing', o.timing, 'explored', o.explored,
            'p_response', round(o.p_response::numeric, 9), 'uplift', round(o.uplift::numeric, 9), 'propensity', round(o.time_propensity::numeric, 9)) ELSE '{}' END) AS x
FROM (SELECT 'c' AS of, x.* FROM ours x UNION ALL SELECT 'sql', x.* FROM theirs x) o;
SELECT 'differs: ' || coalesce(a.debtor_id, b.debtor_id) || coalesce(' (' || (a.x->>'step') || ') ', ' only one ') || coalesce((
    SELECT string_agg(k.k || ': ' || coalesce(a.x->>k.k, '-') || ' <> ' || coalesce(b.x->>k.k, '-'), '; ' ORDER BY k.k)
    FROM (SELECT jsonb_object_keys(a.x || b.x)) k(k) WHERE a.x->k.k IS DISTINCT FROM b.x->k.k), '')
FROM (SELECT * FROM told t WHERE t.of = 'c') a FULL JOIN (SELECT * FROM told t WHERE t.of = 'sql') b ON b.debtor_id = a.debtor_id
WHERE a.x IS DISTINCT FROM b.x ORDER BY 1 LIMIT 12;
ROLLBACK;
