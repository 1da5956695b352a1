-- Rows in which the ladder in C and the one in SQL differ. psql variables: as_of (SQL), many (SQL).
BEGIN;
SELECT ref._stage_book(NULL, :as_of, :many), ref._stage_ladder(coalesce(:as_of, dunning._now())) \g /dev/null
CREATE TEMP TABLE theirs ON COMMIT DROP AS
SELECT l.debtor_id, l.strategy, l.step, l.enough, l.blocked, l.anchor, l.days, l.until_at, l.key, l.listed, l.under, l.preferred_channel, l.last_contact, l.n7, l.n30, m.mark,
       row_number() OVER (PARTITION BY l.debtor_id ORDER BY l.rung)::int AS rung,
       (SELECT jsonb_object_agg(x.currency, x.amount) FROM (
           SELECT i.currency, sum(i.open) AS amount FROM pg_temp.dunning_plan_item i
           WHERE i.debtor_id = l.debtor_id AND i.left_out IS NULL AND i.days >= l.from_day AND (i.currency = ANY (l.listed) OR NOT l.enough) GROUP BY 1) x) AS amounts
FROM pg_temp.dunning_plan_ladder l JOIN pg_temp.dunning_plan_mark m ON m.debtor_id = l.debtor_id;
DROP TABLE pg_temp.dunning_plan_ladder, pg_temp.dunning_plan_mark, pg_temp.dunning_plan_debtor, pg_temp.dunning_plan_contact, pg_temp.dunning_plan_item;
SELECT dunning._stage_ladder(NULL, :as_of, :many) \g /dev/null
CREATE TEMP TABLE ours ON COMMIT DROP AS
SELECT l.debtor_id, l.strategy, l.step, l.enough, l.blocked, l.anchor, l.days, l.until_at,
       dunning._step_key(l.strategy, l.step, l.anchor) || CASE WHEN l.times > 0 THEN '#' || (l.times + 1) ELSE '' END AS key,
       l.listed, l.under, l.preferred_channel, l.last_contact, l.n7, l.n30, l.mark, l.rung, l.amounts
FROM pg_temp.dunning_plan_ladder l;
SELECT 'rows ' || count(*) || ' debtors ' || count(DISTINCT debtor_id) || ' steps ' || count(DISTINCT step) || ' blocked ' || count(blocked) || ' again ' || count(*) FILTER (WHERE key ~ '#') || ' early ' || count(*) FILTER (WHERE step = 'c3' AND anchor - 4 > dunning._today(:as_of)) FROM theirs;
SELECT 'differs: ' || to_jsonb(x)::text FROM (
    (SELECT 'sql' AS of, * FROM (SELECT * FROM theirs EXCEPT SELECT * FROM ours) t) UNION ALL
    (SELECT 'c', * FROM (SELECT * FROM ours EXCEPT SELECT * FROM theirs) t)) x ORDER BY x.debtor_id, x.rung LIMIT 20;
COMMIT;
