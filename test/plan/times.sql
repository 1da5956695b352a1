-- Best times of a whole book in which the pass in C and _best_times(), which defines it, differ. psql variables: as_of (SQL), channel.
BEGIN;
CREATE TEMP TABLE ours ON COMMIT DROP AS SELECT t.* FROM dunning.best_times(:'channel', :as_of) t;
CREATE TEMP TABLE theirs ON COMMIT DROP AS
WITH ids AS MATERIALIZED (SELECT array_agg(d.debtor_id ORDER BY d.debtor_id) AS ids FROM dunning.debtor d)
SELECT u.id AS debtor_id, b.* FROM ids, dunning._best_times(ids.ids, array_fill(:'channel'::text, ARRAY[cardinality(ids.ids)]), NULL, NULL, :as_of) b
JOIN LATERAL unnest(ids.ids) WITH ORDINALITY u(id, ord) ON u.ord = b.ord;
-- Who is asked of the gate costs what it costs: few of an ordinary book are.
SELECT 'rows ' || count(*) || ' allowed ' || count(contact_at) || ' explored ' || count(*) FILTER (WHERE explored) || ' blocked ' || count(*) FILTER (WHERE reasons -> 'blocked_by' <> '[]')
    || ' shut ' || count(*) FILTER (WHERE reasons -> 'blocked_by' = '[]') || ' with payday ' || count(*) FILTER (WHERE (reasons ->> 'payday')::float8 <> 0) FROM ours;
CREATE TEMP VIEW told AS
SELECT o.of, o.debtor_id, to_jsonb(o) - '{of,ord,p_response,p_baseline,uplift,propensity}'::text[]
    || jsonb_build_object('p_response', round(p_response::numeric, 9), 'p_baseline', round(p_baseline::numeric, 9), 'uplift', round(uplift::numeric, 9), 'propensity', round(propensity::numeric, 9)) AS x
FROM (SELECT 'c' AS of, 0 AS ord, x.* FROM ours x UNION ALL SELECT 'sql', ord, debtor_id, contact_at, local_time, p_response, p_baseline, uplift, explored, propensity, reasons FROM theirs x) o;
SELECT 'differs: ' || coalesce(a.debtor_id, b.debtor_id) || coalesce(' ' || (
    SELECT string_agg(k.k || ': ' || coalesce(a.x->>k.k, '-') || ' <> ' || coalesce(b.x->>k.k, '-'), '; ' ORDER BY k.k)
    FROM (SELECT jsonb_object_keys(a.x || b.x)) k(k) WHERE a.x->k.k IS DISTINCT FROM b.x->k.k), ' only one')
FROM (SELECT * FROM told t WHERE t.of = 'c') a FULL JOIN (SELECT * FROM told t WHERE t.of = 'sql') b ON b.debtor_id = a.debtor_id
WHERE a.x IS DISTINCT FROM b.x ORDER BY 1 LIMIT 12;
ROLLBACK;
