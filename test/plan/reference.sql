-- The steps of a book as plain SQL: what src/plan/decide.c and src/plan/settle.c must agree with. Loaded by test/t/plan_ladder.pl.
CREATE SCHEMA ref;
-- Stages mark, item and debtor.
CREATE FUNCTION ref._stage_book(strategy text, as_of timestamptz, many text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    whose text := CASE WHEN many IS NULL THEN NULL ELSE '$2' END;
    owing text[];
    unknown record;
BEGIN
    EXECUTE 'CREATE TEMP TABLE dunning_plan_mark ON COMMIT DROP AS SELECT m.debtor_id, m.mark, m.amounts FROM ('
        || dunning._mark_sql(whose, '$1') || ') m WHERE m.amounts <> ''{}'' OR NOT m.valid' USING as_of, many;
    ANALYZE pg_temp.dunning_plan_mark (debtor_id);
    -- Where no currency's balance is positive nothing is open: what was paid is allocated for those alone who owe.
    owing := ARRAY(SELECT m.debtor_id FROM pg_temp.dunning_plan_mark m);
    -- Days past due reach back as far as the earliest step looks ahead.
    EXECUTE 'CREATE TEMP TABLE dunning_plan_item ON COMMIT DROP AS SELECT i.* FROM (' || dunning._plan_items_sql('$2', '$1')
        || ') i WHERE i.days >= (SELECT least(min(s.offset_days), 0) FROM dunning._steps() s)' USING as_of, owing;
    ANALYZE pg_temp.dunning_plan_item (debtor_id, currency, days, left_out);
    EXECUTE pg_catalog.format('CREATE TEMP TABLE dunning_plan_debtor ON COMMIT DROP AS
        SELECT d.debtor_id, d.creditor, d.country, d.preferred_channel, coalesce($3, d.strategy) AS strategy
        FROM (%s) d WHERE d.debtor_id IN (SELECT i.debtor_id FROM pg_temp.dunning_plan_item i)', dunning._assigned_sql(dunning._ledger_sql('debtor', whose, '$1')))
    USING as_of, many, strategy;
    ANALYZE pg_temp.dunning_plan_debtor;
    -- A small rest of what was paid in part counts as paid.
    UPDATE pg_temp.dunning_plan_item i SET left_out = 'within_tolerance'
    FROM pg_temp.dunning_plan_debtor d JOIN dunning._strategies() t ON t.strategy = d.strategy AND t.tolerance <> '{}'
    WHERE d.debtor_id = i.debtor_id AND i.left_out IS NULL AND i.open < i.amount
      AND i.open <= coalesce((t.tolerance->>i.currency)::numeric, (t.tolerance->>'*')::numeric);
    EXECUTE 'CREATE TEMP TABLE dunning_plan_contact ON COMMIT DROP AS ' || dunning._contact_sql('$2', 'coalesce($1, dunning._now())',
        EXISTS (SELECT FROM dunning._strategies() t WHERE t.enabled AND (t.stop_after IS NOT NULL OR t.max_days > 90)))
    USING as_of, owing;
    ANALYZE pg_temp.dunning_plan_contact;
    FOR unknown IN SELECT DISTINCT d.strategy FROM pg_temp.dunning_plan_debtor d LOOP
        PERFORM dunning._check_strategy(unknown.strategy);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION ref._stage_book(text, timestamptz, text[]) IS 'Stages mark, item and debtor of a planning run.';

-- Stage ladder. A currency reaches a step by its own oldest invoice and its own sum; the debtor gets the furthest step of any.

CREATE FUNCTION ref._stage_ladder(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    conditions text[] := ARRAY(SELECT DISTINCT s.condition FROM dunning._steps() s WHERE s.condition IS NOT NULL);
    debtors text[] := ARRAY(SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d);
    dates text[] := ARRAY(SELECT DISTINCT s.anchor FROM dunning._steps() s WHERE s.anchor NOT IN ('due_date', 'last_contact'));
    today date := dunning._today(as_of);
BEGIN
    CREATE TEMP TABLE dunning_plan_ladder ON COMMIT DROP AS
    WITH step AS MATERIALIZED (
        SELECT s.*, coalesce(s.minimum, t.minimum) AS least_sums, t.catch_up, t.stop_after, t.stop_step, t.max_contacts, t.max_days,
               coalesce(s.cooldown_days, t.min_gap_days) AS gap_days, s.anchor IN ('due_date', 'last_contact') AS on_ladder,
               CASE WHEN s.anchor = 'due_date' THEN least(s.offset_days, 1 + t.grace_days) ELSE 1 + t.grace_days END AS from_day,
               -- the last day, from the anchor, on which the step may be taken
               CASE WHEN s.until_days IS NOT NULL THEN s.until_days
                    WHEN s.offset_days < 0 THEN CASE WHEN s.anchor = 'due_date' THEN 0 ELSE -1 END
                    WHEN s.anchor NOT IN ('due_date', 'last_contact') THEN s.offset_days + 7 END AS to_day
        FROM dunning._steps() s JOIN dunning._strategies() t ON t.strategy = s.strategy AND t.enabled),
    date AS MATERIALIZED (SELECT a.* FROM dunning._anchors(debtors, dates, as_of) a WHERE cardinality(dates) > 0),
    -- a currency and step: what is listed, from which due date on, how much
    sums AS (
        SELECT d.debtor_id, d.strategy, s.step, i.currency, min(i.due_on) AS due_on, sum(i.open) AS total,
               coalesce((s.least_sums->>i.currency)::numeric, (s.least_sums->>'*')::numeric, 0) AS minimum
        FROM pg_temp.dunning_plan_debtor d
        JOIN step s ON s.strategy = d.strategy
        JOIN pg_temp.dunning_plan_item i ON i.debtor_id = d.debtor_id AND i.left_out IS NULL AND i.days >= s.from_day
        GROUP BY d.debtor_id, d.strategy, s.step, i.currency, s.least_sums),
    -- how often a step was had for an anchor (n), and the number of the last time
    had AS MATERIALIZED (
        SELECT o.debtor_id, b.strategy, b.step, b.position, b.on_ladder, split_part(split_part(o.key, '/', 3), '#', 1) AS anchor,
               max(coalesce(nullif(split_part(o.key, '#', 2), '')::int, 1)) AS times, count(*) AS n, (max(o.at) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last_day
        FROM dunning.once o JOIN step b ON b.strategy = split_part(o.key, '/', 1) AND b.step = split_part(o.key, '/', 2)
        WHERE o.kind = 'step' AND o.debtor_id IN (SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d)
        GROUP BY 1, 2, 3, 4, 5, 6),
    -- One pass: whether any currency reached the step, by which date, what is listed and what is under its minimum.
    reached AS (
        SELECT x.debtor_id, x.strategy, x.step, s.position, s.condition, s.to_day, coalesce(bool_or(x.total >= x.minimum) FILTER (WHERE r.r), false) AS enough,
               coalesce(min(k.on_date) FILTER (WHERE r.r AND x.total >= x.minimum AND NOT p.behind), min(k.on_date) FILTER (WHERE r.r AND x.total >= x.minimum),
                        min(k.on_date) FILTER (WHERE r.r AND NOT p.behind), min(k.on_date) FILTER (WHERE r.r)) AS anchor,
               min(x.due_on) FILTER (WHERE r.r) AS due_on, max(o.on_date + s.to_day) FILTER (WHERE r.r) AS last_on,
               array_agg(x.currency ORDER BY x.currency) FILTER (WHERE x.total >= x.minimum) AS listed,
               jsonb_object_agg(x.currency, x.total) FILTER (WHERE x.total < x.minimum) AS under
        FROM sums x
        JOIN step s ON s.strategy = x.strategy AND s.step = x.step
        LEFT JOIN pg_temp.dunning_plan_contact c ON c.debtor_id = x.debtor_id
        LEFT JOIN date a ON a.debtor_id = x.debtor_id AND a.anchor = s.anchor AND (a.currency IS NULL OR a.currency = x.currency)
        -- the day counted from, and the day in the key: steps of the ladder are had once a due date
        CROSS JOIN LATERAL (SELECT CASE s.anchor WHEN 'due_date' THEN x.due_on WHEN 'last_contact' THEN c.last_day
                                        ELSE CASE WHEN s.offset_days < 0 THEN a.next_on ELSE a.last_on END END AS on_date) o
        CROSS JOIN LATERAL (SELECT CASE WHEN s.on_ladder THEN x.due_on ELSE o.on_date END AS on_date) k
        CROSS JOIN LATERAL (SELECT (today >= o.on_date + s.offset_days
                -- nothing may go on any of its days: before them rather than never
                OR coalesce(strpos(a.early, E'\n' || x.strategy || '/' || x.step || E'\n'), 0) > 0) AND (s.to_day IS NULL OR today <= o.on_date + s.to_day)
            AND (NOT s.after_contact OR coalesce(c.last_day >= x.due_on, false))
            AND (s.anchor <> 'last_contact'
                 OR EXISTS (SELECT FROM dunning.once e JOIN step b ON b.strategy = x.strategy AND b.position < s.position AND b.on_ladder
                            WHERE e.debtor_id = x.debtor_id AND e.kind = 'step' AND split_part(e.key, '#', 1) = dunning._step_key(b.strategy, b.step, x.due_on)))) r(r)
        -- had by this currency: that does not keep another from it
        CROSS JOIN LATERAL (SELECT s.on_ladder AND EXISTS (SELECT FROM had h WHERE h.debtor_id = x.debtor_id AND h.strategy = x.strategy AND h.on_ladder
                                AND h.anchor = to_char(k.on_date, 'YYYY-MM-DD') AND h.position >= s.position) AS behind) p
        GROUP BY x.debtor_id, x.strategy, x.step, s.position, s.condition, s.to_day
        HAVING bool_or(r.r)),
    holds AS MATERIALIZED (
        SELECT h.debtor_id, h.holds, h.failure FROM dunning._conditions(conditions, debtors, as_of) h WHERE cardinality(conditions) > 0),
    due AS (
        SELECT r.*, h.failure, bool_or(r.enough) OVER (PARTITION BY r.debtor_id) AS any_enough
        FROM reached r
        LEFT JOIN holds h ON h.debtor_id = r.debtor_id
        WHERE h.failure IS NOT NULL OR r.condition IS NULL OR h.holds[array_position(conditions, r.condition)]),
    -- the furthest step of the ladder: it never goes back
    furthest AS (
        SELECT h.debtor_id, h.strategy, h.anchor, max(h.position) AS position FROM had h WHERE h.on_ladder GROUP BY 1, 2, 3),
    open AS (
        SELECT f.*, s.on_ladder, s.catch_up, h.times, h.times IS NOT NULL AS again, c.last_contact, c.n7, c.n30,
               CASE WHEN f.failure IS NOT NULL THEN 'condition_failed: ' || f.failure
                    WHEN s.stop_after <= c.unanswered AND s.step IS DISTINCT FROM s.stop_step THEN 'stopped'
                    WHEN s.max_contacts <= (SELECT count(*) FROM unnest(c.ats) t(at) WHERE t.at > as_of - s.max_days * interval '1 day') THEN 'max_contacts' END AS blocked
        FROM due f
        JOIN step s ON s.strategy = f.strategy AND s.step = f.step
        LEFT JOIN pg_temp.dunning_plan_contact c ON c.debtor_id = f.debtor_id
        LEFT JOIN furthest u ON u.debtor_id = f.debtor_id AND u.strategy = f.strategy AND u.anchor = to_char(f.anchor, 'YYYY-MM-DD') AND s.on_ladder
        LEFT JOIN had h ON h.debtor_id = f.debtor_id AND h.strategy = f.strategy AND h.step = f.step AND h.anchor = to_char(f.anchor, 'YYYY-MM-DD')
        WHERE (f.enough OR NOT f.any_enough)
          -- once per step and anchor, and again where the step says so
          AND (CASE WHEN s.on_ladder THEN u.position IS NULL OR u.position < s.position ELSE h.times IS NULL END
               OR (h.n < coalesce(s.repeat_max, h.n + 1) AND s.repeat_days IS NOT NULL AND coalesce(u.position = s.position, true)
                   AND today >= greatest(h.last_day, c.last_day) + s.repeat_days))
          -- what comes when nothing helped comes in no other way
          AND (s.step IS DISTINCT FROM s.stop_step OR s.stop_after <= c.unanswered)
          -- a step that waits in the queue is not planned again
          AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = f.debtor_id AND q.run_id IS NOT NULL AND q.state <> 'held')),
    -- Urgent ones first: those of another date than the due date. Then the furthest step, or the next one where the strategy says so.
    ordered AS (
        SELECT o.*, row_number() OVER (PARTITION BY o.debtor_id ORDER BY o.enough DESC, o.blocked NULLS FIRST, o.on_ladder, o.again,
                        CASE WHEN o.catch_up = 'next' THEN o.position ELSE -o.position END)::int AS rung,
               row_number() OVER (PARTITION BY o.debtor_id, o.on_ladder, o.enough ORDER BY o.again, o.position) AS in_turn
        FROM open o)
    SELECT f.debtor_id, d.creditor, d.country, d.preferred_channel, f.strategy, f.step, f.enough, f.blocked, s.position, s.offset_days, s.from_day, s.template, s.channels, s.framing,
           s.paid_channels, s.self_cure_days, s.self_cure_wait, s.must, s.level, s.tone, s.offer, s.companion_channel, s.companion_template, s.print, s.on_ladder,
           s.gap_days AS min_gap_days, t.choose, t.horizon, t.self_cure, t.margin, f.last_contact, coalesce(f.n7, 0) AS n7, coalesce(f.n30, 0) AS n30,
           s.anchor AS counted_from, f.anchor, today - f.due_on AS days, (f.last_on + 1)::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) AS until_at,
           dunning._step_key(f.strategy, f.step, f.anchor) || CASE WHEN f.again THEN '#' || (f.times + 1) ELSE '' END AS key, f.listed, f.under, f.rung
    FROM ordered f
    JOIN pg_temp.dunning_plan_debtor d ON d.debtor_id = f.debtor_id
    JOIN step s ON s.strategy = f.strategy AND s.step = f.step
    JOIN dunning._strategies() t ON t.strategy = f.strategy
    WHERE NOT (f.catch_up = 'next' AND f.on_ladder AND f.in_turn > 1);
    ANALYZE pg_temp.dunning_plan_ladder (debtor_id, creditor, template, rung, enough);
END
$fn$;
COMMENT ON FUNCTION ref._stage_ladder(timestamptz) IS 'Stage ladder of a planning run: one row a debtor and step reached and not had; rung 1 goes first.';

