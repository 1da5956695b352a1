-- plan: the next contact of every debtor, as one run over the whole book.
--
-- Stages, each a set in a temporary table of the run:
--   mark       what each debtor owes and has paid, read first: a payment that commits during the run shows at the gate
--   item       open invoices of those debtors, with days past due
--   reach      the furthest step each debtor's currencies have reached, with its anchor
--   candidate  channels of that step in order, those ruled out with the reason
--   row        the chosen channel, server and instant, the context, the value: what is enqueued or returned
--
-- A step's key in `once` is strategy/step/anchor, the anchor being the oldest due date that counts. So a run changes nothing when
-- repeated; a day that was missed is caught up by the furthest step alone; and when the oldest invoice is paid, the anchor moves to the next
-- one and the steps of that one stand open.

CREATE FUNCTION dunning._drop_stages() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    stage text;
BEGIN
    FOREACH stage IN ARRAY ARRAY['mark', 'item', 'debtor', 'reach', 'candidate', 'choice', 'row'] LOOP
        IF pg_catalog.to_regclass('pg_temp.dunning_plan_' || stage) IS NOT NULL THEN
            EXECUTE 'DROP TABLE pg_temp.dunning_plan_' || stage;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drop_stages() IS 'Removes the temporary tables of a planning run in this transaction.';

-- Stages 1 and 2.
CREATE FUNCTION dunning._stage_book(strategy text, as_of timestamptz, many text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    some text := CASE WHEN many IS NULL THEN NULL ELSE '$2' END;
    unknown record;
BEGIN
    EXECUTE 'CREATE TEMP TABLE dunning_plan_mark ON COMMIT DROP AS SELECT m.debtor_id, m.mark, m.amounts FROM ('
        || dunning._mark_sql(some, '$1') || ') m WHERE m.amounts <> ''{}'' OR NOT m.valid' USING as_of, many;
    -- Days past due reach back as far as the earliest step looks ahead.
    EXECUTE 'CREATE TEMP TABLE dunning_plan_item ON COMMIT DROP AS SELECT i.* FROM (' || dunning._plan_items_sql(some, '$1')
        || ') i WHERE i.days >= (SELECT least(min(s.offset_days), 0) FROM dunning._steps() s)' USING as_of, many;
    ANALYZE pg_temp.dunning_plan_item;
    EXECUTE pg_catalog.format('CREATE TEMP TABLE dunning_plan_debtor ON COMMIT DROP AS
        SELECT d.debtor_id, d.creditor, d.preferred_channel, coalesce($3, c.default_strategy, ''standard'') AS strategy
        FROM (%s) d LEFT JOIN (SELECT DISTINCT ON (x.creditor) x.* FROM dunning.creditor x ORDER BY x.creditor) c ON c.creditor = d.creditor
        WHERE d.debtor_id IN (SELECT i.debtor_id FROM pg_temp.dunning_plan_item i)', dunning._ledger_sql('debtor', some, '$1'))
    USING as_of, many, strategy;
    ANALYZE pg_temp.dunning_plan_debtor;
    FOR unknown IN SELECT DISTINCT d.strategy FROM pg_temp.dunning_plan_debtor d LOOP
        PERFORM dunning._check_strategy(unknown.strategy);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_book(text, timestamptz, text[]) IS 'Stages mark, item and debtor of a planning run.';

-- Stage 3. A currency reaches a step by its own oldest invoice and its own sum; the debtor gets the furthest step of any.
CREATE FUNCTION dunning._stage_reach(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    conditions text[] := ARRAY(SELECT DISTINCT s.condition FROM dunning._steps() s WHERE s.condition IS NOT NULL);
    debtors text[] := ARRAY(SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d);
    today date := dunning._today(as_of);
BEGIN
    CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS
    WITH step AS MATERIALIZED (
        SELECT s.*, t.minimum, t.grace_days, least(s.offset_days, 1 + t.grace_days) AS from_day
        FROM dunning._steps() s JOIN dunning._strategies() t ON t.strategy = s.strategy AND t.enabled),
    contact AS MATERIALIZED (
        SELECT e.debtor_id, max(e.contact_on) AS last_contact FROM dunning.egress e
        WHERE NOT e.test AND e.contact_on >= as_of - interval '90 days' AND e.contact_on <= as_of GROUP BY e.debtor_id),
    -- a currency and step: what is listed, from which due date on, how much
    sums AS (
        SELECT d.debtor_id, d.strategy, s.step, i.currency, min(i.due_on) AS anchor, sum(i.open) AS total,
               coalesce((s.minimum->>i.currency)::numeric, (s.minimum->>'*')::numeric, 0) AS minimum
        FROM pg_temp.dunning_plan_debtor d
        JOIN step s ON s.strategy = d.strategy
        JOIN pg_temp.dunning_plan_item i ON i.debtor_id = d.debtor_id AND i.left_out IS NULL AND i.days >= s.from_day
        GROUP BY d.debtor_id, d.strategy, s.step, i.currency, s.minimum),
    reached AS (
        SELECT x.*, s.position, x.total >= x.minimum AS enough
        FROM sums x
        JOIN step s ON s.strategy = x.strategy AND s.step = x.step
        LEFT JOIN contact c ON c.debtor_id = x.debtor_id
        WHERE CASE s.anchor
            WHEN 'due_date' THEN today - x.anchor >= s.offset_days AND (s.offset_days >= 0 OR x.anchor >= today)
            ELSE today - (c.last_contact AT TIME ZONE dunning._ledger_zone())::date >= s.offset_days
                 AND EXISTS (SELECT FROM dunning.once o JOIN step b ON b.strategy = x.strategy AND b.position < s.position
                             WHERE o.debtor_id = x.debtor_id AND o.kind = 'step' AND o.key = b.strategy || '/' || b.step || '/' || x.anchor) END),
    holds AS MATERIALIZED (
        SELECT h.debtor_id, h.holds FROM dunning._conditions(conditions, debtors, as_of) h WHERE cardinality(conditions) > 0),
    furthest AS (
        SELECT DISTINCT ON (r.debtor_id) r.debtor_id, r.strategy, r.step, r.enough
        FROM reached r
        JOIN step s ON s.strategy = r.strategy AND s.step = r.step
        LEFT JOIN holds h ON h.debtor_id = r.debtor_id
        WHERE s.condition IS NULL OR h.holds[array_position(conditions, s.condition)]
        ORDER BY r.debtor_id, r.enough DESC, r.position DESC)
    SELECT f.debtor_id, d.creditor, d.preferred_channel, f.strategy, f.step, f.enough, s.position, s.offset_days, s.from_day, s.template, s.channels, s.framing,
           s.paid_channels, s.self_cure_days, t.min_gap_days, t.horizon, t.self_cure, t.margin, c.last_contact,
           a.anchor, today - a.anchor AS days, f.strategy || '/' || f.step || '/' || a.anchor AS key, a.listed, a.under
    FROM furthest f
    JOIN pg_temp.dunning_plan_debtor d ON d.debtor_id = f.debtor_id
    JOIN step s ON s.strategy = f.strategy AND s.step = f.step
    JOIN dunning._strategies() t ON t.strategy = f.strategy
    LEFT JOIN contact c ON c.debtor_id = f.debtor_id
    CROSS JOIN LATERAL (
        SELECT (SELECT min(r.anchor) FROM reached r WHERE r.debtor_id = f.debtor_id AND r.step = f.step AND r.enough = f.enough) AS anchor,
               array_agg(x.currency) FILTER (WHERE x.total >= x.minimum) AS listed,
               jsonb_object_agg(x.currency, x.total) FILTER (WHERE x.total < x.minimum) AS under
        FROM sums x WHERE x.debtor_id = f.debtor_id AND x.step = f.step) a;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_reach(timestamptz) IS 'Stage reach of a planning run: one row a debtor who has reached a step.';
