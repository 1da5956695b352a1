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
-- The same of one debtor at a time, now and in three days, and the three best; some are no plain cases.
CREATE TEMP TABLE one ON COMMIT DROP AS SELECT d.debtor_id, dunning._now() + s.days * interval '1 day' AS starts, s.top
FROM (SELECT d.debtor_id FROM dunning.debtor d ORDER BY md5(d.debtor_id) LIMIT 400) d CROSS JOIN (VALUES (0, 1), (3, 3)) s(days, top);
SELECT 'of one: asked ' || count(*) || ' plain ' || count(p.contact_at) FROM one s
LEFT JOIN LATERAL (SELECT t.contact_at FROM dunning._plain_time(s.debtor_id, :'channel', s.starts, s.starts + interval '7 days', dunning._now(), 1) t) p ON true;
SELECT 'differs: best_time() of ' || s.debtor_id || ' in ' || s.starts || ': ' || coalesce(a.x::text, '-') || ' <> ' || coalesce(b.x::text, '-') FROM one s
CROSS JOIN LATERAL (SELECT jsonb_agg(to_jsonb(t) - 'reasons' || jsonb_build_object('reasons', t.reasons - 'words') ORDER BY t.contact_at) AS x
    FROM dunning.best_time(s.debtor_id, :'channel', s.starts, NULL, s.top) t) a
CROSS JOIN LATERAL (SELECT jsonb_agg(to_jsonb(t) - 'ord' ORDER BY t.contact_at) AS x
    FROM dunning._best_times(ARRAY[s.debtor_id], ARRAY[:'channel'], ARRAY[s.starts], ARRAY[NULL::timestamptz], NULL, s.top, by_rule => true) t) b
WHERE a.x IS DISTINCT FROM b.x LIMIT 12;
ROLLBACK;
