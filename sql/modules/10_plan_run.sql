-- plan: the next contact of every debtor, as one run over the whole book.
--
-- Stages, each a set in a temporary table of the run:
--   mark       what each debtor owes and has paid, read first: a payment that commits during the run shows at the gate
--   item       open invoices of those debtors, with days past due
--   ladder     the steps each debtor's currencies have reached and not had, the furthest first, with its anchor
--   reach      the one of them in question
--   candidate  channels of that step in order, those ruled out with the reason
--   row        the chosen channel, server and instant, the context, the value: what is enqueued or returned
--
-- Where no channel of the furthest step may be used or is worth its price, the step before it is taken, never one before a step already had.
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
    FOREACH stage IN ARRAY ARRAY['mark', 'item', 'debtor', 'contact', 'ladder', 'reach', 'candidate', 'choice', 'passed', 'row', 'known', 'kept_reach', 'kept_candidate', 'kept_choice'] LOOP
        IF pg_catalog.to_regclass('pg_temp.dunning_plan_' || stage) IS NOT NULL THEN
            EXECUTE 'DROP TABLE pg_temp.dunning_plan_' || stage;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drop_stages() IS 'Removes the temporary tables of a planning run in this transaction.';

-- Stages mark, item and debtor.
CREATE FUNCTION dunning._stage_book(strategy text, as_of timestamptz, many text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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
COMMENT ON FUNCTION dunning._stage_book(text, timestamptz, text[]) IS 'Stages mark, item and debtor of a planning run.';

-- Stage ladder. A currency reaches a step by its own oldest invoice and its own sum; the debtor gets the furthest step of any.
CREATE FUNCTION dunning._step_key(strategy text, step text, anchor date) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN strategy || '/' || step || '/' || to_char(anchor, 'YYYY-MM-DD');     -- whatever the session's DateStyle
END
$fn$;
COMMENT ON FUNCTION dunning._step_key(text, text, date) IS 'The key of a step in once.';

CREATE FUNCTION dunning._stage_ladder(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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
    -- One pass: whether any currency reached the step, by which date, what is listed and what is under its minimum.
    reached AS (
        SELECT x.debtor_id, x.strategy, x.step, s.position, s.condition, s.to_day, coalesce(bool_or(x.total >= x.minimum) FILTER (WHERE r.r), false) AS enough,
               coalesce(min(k.on_date) FILTER (WHERE r.r AND x.total >= x.minimum), min(k.on_date) FILTER (WHERE r.r)) AS anchor,
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
        CROSS JOIN LATERAL (SELECT today >= o.on_date + s.offset_days AND (s.to_day IS NULL OR today <= o.on_date + s.to_day)
            AND (NOT s.after_contact OR coalesce(c.last_day >= x.due_on, false))
            AND (s.anchor <> 'last_contact'
                 OR EXISTS (SELECT FROM dunning.once e JOIN step b ON b.strategy = x.strategy AND b.position < s.position AND b.on_ladder
                            WHERE e.debtor_id = x.debtor_id AND e.kind = 'step' AND e.key = dunning._step_key(b.strategy, b.step, x.due_on)))) r(r)
        GROUP BY x.debtor_id, x.strategy, x.step, s.position, s.condition, s.to_day
        HAVING bool_or(r.r)),
    holds AS MATERIALIZED (
        SELECT h.debtor_id, h.holds, h.failure FROM dunning._conditions(conditions, debtors, as_of) h WHERE cardinality(conditions) > 0),
    due AS (
        SELECT r.*, h.failure, bool_or(r.enough) OVER (PARTITION BY r.debtor_id) AS any_enough
        FROM reached r
        LEFT JOIN holds h ON h.debtor_id = r.debtor_id
        WHERE h.failure IS NOT NULL OR r.condition IS NULL OR h.holds[array_position(conditions, r.condition)]),
    -- how often a step was had for an anchor
    had AS MATERIALIZED (
        SELECT o.debtor_id, b.strategy, b.step, b.position, b.on_ladder, split_part(split_part(o.key, '/', 3), '#', 1) AS anchor,
               max(coalesce(nullif(split_part(o.key, '#', 2), '')::int, 1)) AS times, (max(o.at) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last_day
        FROM dunning.once o JOIN step b ON b.strategy = split_part(o.key, '/', 1) AND b.step = split_part(o.key, '/', 2)
        WHERE o.kind = 'step' AND o.debtor_id IN (SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d)
        GROUP BY 1, 2, 3, 4, 5, 6),
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
               OR (h.times < coalesce(s.repeat_max, h.times + 1) AND s.repeat_days IS NOT NULL AND coalesce(u.position = s.position, true)
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
COMMENT ON FUNCTION dunning._stage_ladder(timestamptz) IS 'Stage ladder of a planning run: one row a debtor and step reached and not had; rung 1 goes first.';

CREATE FUNCTION dunning._has_template(template text, channel text, creditor text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._template(template, channel, 'en', creditor, 'neutral');
    RETURN true;
EXCEPTION WHEN SQLSTATE 'DN003' THEN
    RETURN false;
END
$fn$;
COMMENT ON FUNCTION dunning._has_template(text, text, text) IS 'Is there a text of this name for the channel, in some language?';

-- Stage candidate. The value of a contact over a channel is what _channel_value() says, told only where amount and cost are of one currency.
-- A strategy that chooses by order takes every channel for an ordinary one: p(paid within 30 days) x amount x margin x quality - cost.
CREATE FUNCTION dunning._stage_candidates(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    held_share float8 := dunning._holdout_share();
    by_country boolean := EXISTS (SELECT FROM dunning.channel_cost x WHERE x.country <> '*');
BEGIN
    IF pg_catalog.to_regclass('pg_temp.dunning_plan_known') IS NULL THEN
        EXECUTE 'CREATE TEMP TABLE dunning_plan_known ON COMMIT DROP AS ' || dunning._reach_sql('$1', '$2')
            USING ARRAY(SELECT DISTINCT l.debtor_id FROM pg_temp.dunning_plan_ladder l), as_of;
        ANALYZE pg_temp.dunning_plan_known;
    END IF;
    CREATE TEMP TABLE dunning_plan_candidate ON COMMIT DROP AS
    WITH server AS MATERIALIZED (
        SELECT DISTINCT ON (x.creditor, v.channel_served) x.creditor, v.channel_served AS channel, v.server, v.paused
        FROM (SELECT DISTINCT r.creditor FROM pg_temp.dunning_plan_reach r) x, LATERAL dunning._servers(NULL, x.creditor) v
        ORDER BY x.creditor, v.channel_served, v.ord),
    written AS MATERIALIZED (
        SELECT x.creditor, x.template, x.channel, dunning._has_template(x.template, x.channel, x.creditor) AS exists
        FROM (SELECT DISTINCT r.creditor, r.template, c.c AS channel FROM pg_temp.dunning_plan_reach r, unnest(r.channels) c(c)) x),
    listed AS MATERIALIZED (
        SELECT x.debtor_id, max(x.amount) AS largest, (array_agg(x.currency ORDER BY x.amount DESC, x.currency))[1] AS currency
        FROM (SELECT i.debtor_id, i.currency, sum(i.open) AS amount
              FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = i.debtor_id
              WHERE i.left_out IS NULL AND i.days >= r.from_day AND i.currency = ANY (r.listed) GROUP BY 1, 2) x
        GROUP BY x.debtor_id),
    price AS MATERIALIZED (
        SELECT x.creditor, x.country, x.currency AS owed_in, k.channel, k.cost, k.priced_in
        FROM (SELECT DISTINCT r.creditor, c.country, l.currency FROM pg_temp.dunning_plan_reach r LEFT JOIN listed l ON l.debtor_id = r.debtor_id
              -- countries matter where some price is for one
              CROSS JOIN LATERAL (SELECT CASE WHEN by_country THEN r.country END AS country) c) x,
             LATERAL dunning._costs(x.creditor, today, x.currency, x.country) k),
    share AS MATERIALIZED (
        SELECT x.creditor, y.* FROM (SELECT DISTINCT r.creditor FROM pg_temp.dunning_plan_reach r) x, LATERAL dunning._channel_shares(x.creditor) y),
    field AS MATERIALIZED (SELECT DISTINCT ON (c.channel) c.channel, c.address_field FROM dunning.channel c ORDER BY c.channel, c.builtin),
    known AS MATERIALIZED (SELECT * FROM pg_temp.dunning_plan_known),
    worth AS (
        SELECT r.debtor_id, c.c AS channel, c.n, r.preferred_channel, v.server, v.paused, w.exists AS written, k.cost, k.priced_in AS currency, r.paid_channels,
               s.p_paid_30d AS p, s.p_self_cure,
               (coalesce(s.p_self_cure >= r.self_cure, false) OR coalesce(s.segment = 'self_curer', false)) AND r.days >= 0 AS likely_self_cure, r.days, r.self_cure_days, r.self_cure_wait, r.must,
               u.quality, r.choose,
               round(dunning._channel_value(s.p_paid_30d, CASE WHEN k.cost = 0 OR k.priced_in = l.currency THEN l.largest END::float8, r.margin::float8, k.cost::float8,
                   CASE WHEN r.choose = 'value' THEN dunning._response_share(coalesce(t.responses, 0), coalesce(t.contacts, 0), y.share) ELSE y.usual_share END,
                   y.usual_share, CASE WHEN r.choose = 'value' THEN r.n7 ELSE 0 END, CASE WHEN r.choose = 'value' THEN r.n30 ELSE 0 END, coalesce(u.quality, 1),
                   CASE WHEN r.choose = 'value' THEN y.p_opt_out ELSE 0 END)::numeric, 2) AS value
        FROM pg_temp.dunning_plan_reach r
        CROSS JOIN LATERAL unnest(r.channels) WITH ORDINALITY c(c, n)
        LEFT JOIN server v ON v.creditor = r.creditor AND v.channel = c.c
        LEFT JOIN written w ON w.creditor = r.creditor AND w.template = r.template AND w.channel = c.c
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = r.debtor_id
        LEFT JOIN listed l ON l.debtor_id = r.debtor_id
        LEFT JOIN price k ON k.creditor = r.creditor AND k.owed_in IS NOT DISTINCT FROM l.currency AND k.channel = c.c
            AND k.country IS NOT DISTINCT FROM CASE WHEN by_country THEN r.country END
        LEFT JOIN share y ON y.creditor = r.creditor AND y.channel = c.c
        LEFT JOIN field f ON f.channel = c.c
        LEFT JOIN known u ON u.debtor_id = r.debtor_id AND u.field = f.address_field
        LEFT JOIN dunning.timing_profile t ON t.debtor_id = r.debtor_id
        WHERE r.enough AND r.blocked IS NULL AND NOT (held_share > 0 AND dunning._uniform('holdout/' || r.debtor_id, 3) < held_share)),
    judged AS (
        SELECT w.*, CASE
            WHEN w.cost IS NULL THEN 'no_channel'
            WHEN w.server IS NULL THEN 'no_server'
            WHEN w.paused THEN 'server_paused'
            WHEN NOT w.written THEN 'no_template'
            WHEN w.quality = 0 THEN 'bounces'
            WHEN w.must THEN NULL
            WHEN w.likely_self_cure AND w.days < w.self_cure_wait THEN 'likely_self_cure'
            WHEN w.cost > 0 AND NOT w.paid_channels THEN 'costs_money'
            WHEN w.cost > 0 AND w.likely_self_cure AND w.days < w.self_cure_days THEN 'likely_self_cure'
            WHEN w.cost > 0 AND w.value <= 0 THEN 'not_worth_it' END AS why
        FROM worth w)
    SELECT j.*, CASE WHEN j.why IS NULL THEN row_number() OVER (PARTITION BY j.debtor_id, j.why IS NULL
                   ORDER BY j.channel IS DISTINCT FROM j.preferred_channel, CASE WHEN j.choose = 'value' AND NOT j.must THEN j.value END DESC NULLS LAST, j.n) END::int AS rank
    FROM judged j;
    ANALYZE pg_temp.dunning_plan_candidate (debtor_id, channel, rank, why);
END
$fn$;
COMMENT ON FUNCTION dunning._stage_candidates(timestamptz) IS 'Stage candidate of a planning run: channels of each debtor''s step, ranked, or ruled out with why.';

-- Stage choice: the instant, asked of the gate and of the best time.
CREATE FUNCTION dunning._stage_choice(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    CREATE TEMP TABLE dunning_plan_choice ON COMMIT DROP AS
    SELECT c.debtor_id, c.channel, c.server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity, c.timing, c.blocked_by, c.skipped
    FROM dunning._choose(ARRAY(
        SELECT ROW(c.debtor_id, c.channel, c.rank, c.server, w.not_before,
                   -- a pre-due reminder is worth something until the due date is over
                   least(w.not_before + r.horizon, r.until_at))::dunning._candidate
        FROM pg_temp.dunning_plan_candidate c
        JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = c.debtor_id
        CROSS JOIN LATERAL (SELECT greatest(as_of, r.last_contact + r.min_gap_days * interval '1 day') AS not_before) w
        WHERE c.why IS NULL AND w.not_before <= as_of + r.horizon
          AND (r.until_at IS NULL OR w.not_before < r.until_at)), as_of) c;
    ANALYZE pg_temp.dunning_plan_choice (debtor_id, channel, blocked_by);
END
$fn$;
COMMENT ON FUNCTION dunning._stage_choice(timestamptz) IS 'Stage choice of a planning run: channel, server and instant of each debtor, or what blocks it.';

-- The furthest step that can be taken: where no channel of it may be used or is worth its price, the one before it, if it was not had.
CREATE FUNCTION dunning._stage_steps(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    at_rung int := 1;
    open_debtors text[];
    done text[];
    stage text;
BEGIN
    CREATE TEMP TABLE dunning_plan_passed (debtor_id text, step text, why text) ON COMMIT DROP;
    CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS SELECT l.* FROM pg_temp.dunning_plan_ladder l WHERE l.rung = 1;
    PERFORM dunning._stage_candidates(as_of);
    PERFORM dunning._stage_choice(as_of);
    LOOP
        at_rung := at_rung + 1;
        open_debtors := ARRAY(SELECT l.debtor_id FROM pg_temp.dunning_plan_ladder l WHERE l.rung = at_rung AND l.enough AND l.blocked IS NULL
            AND NOT EXISTS (SELECT FROM pg_temp.dunning_plan_choice c WHERE c.debtor_id = l.debtor_id AND c.blocked_by = '{}'));
        EXIT WHEN cardinality(open_debtors) = 0;
        FOREACH stage IN ARRAY ARRAY['reach', 'candidate', 'choice'] LOOP
            EXECUTE pg_catalog.format('ALTER TABLE pg_temp.%I RENAME TO %I', 'dunning_plan_' || stage, 'dunning_plan_kept_' || stage);
        END LOOP;
        CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS
            SELECT l.* FROM pg_temp.dunning_plan_ladder l WHERE l.rung = at_rung AND l.debtor_id = ANY (open_debtors);
        PERFORM dunning._stage_candidates(as_of);
        PERFORM dunning._stage_choice(as_of);
        done := ARRAY(SELECT c.debtor_id FROM pg_temp.dunning_plan_choice c WHERE c.blocked_by = '{}');
        INSERT INTO pg_temp.dunning_plan_passed
        SELECT r.debtor_id, r.step, coalesce(array_to_string(c.blocked_by, ', '), w.whys)
        FROM pg_temp.dunning_plan_kept_reach r
        LEFT JOIN pg_temp.dunning_plan_kept_choice c ON c.debtor_id = r.debtor_id
        LEFT JOIN (SELECT x.debtor_id, string_agg(DISTINCT x.why, ', ') AS whys FROM pg_temp.dunning_plan_kept_candidate x GROUP BY 1) w ON w.debtor_id = r.debtor_id
        WHERE r.debtor_id = ANY (done);
        FOREACH stage IN ARRAY ARRAY['reach', 'candidate', 'choice'] LOOP
            EXECUTE pg_catalog.format('DELETE FROM pg_temp.%1$I k WHERE k.debtor_id = ANY ($1)', 'dunning_plan_kept_' || stage) USING done;
            EXECUTE pg_catalog.format('INSERT INTO pg_temp.%I SELECT n.* FROM pg_temp.%I n WHERE n.debtor_id = ANY ($1)', 'dunning_plan_kept_' || stage, 'dunning_plan_' || stage) USING done;
            EXECUTE pg_catalog.format('DROP TABLE pg_temp.%I', 'dunning_plan_' || stage);
            EXECUTE pg_catalog.format('ALTER TABLE pg_temp.%I RENAME TO %I', 'dunning_plan_kept_' || stage, 'dunning_plan_' || stage);
        END LOOP;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_steps(timestamptz) IS 'Stages reach, candidate and choice of a planning run, one step a debtor.';

-- Stage row: everything a message needs, and the decision as it will stand for ever.
CREATE FUNCTION dunning._stage_rows(run_id uuid, as_of timestamptz, ledger_as_of timestamptz, approve boolean, dry_run boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtors text[] := ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_reach r ORDER BY r.debtor_id);
    strategies text[] := ARRAY(SELECT r.strategy FROM pg_temp.dunning_plan_reach r ORDER BY r.debtor_id);
    steps text[] := ARRAY(SELECT r.step FROM pg_temp.dunning_plan_reach r ORDER BY r.debtor_id);
    framing text := (SELECT e.experiment FROM dunning.experiment e WHERE (e.experiment = 'framing' OR e.experiment LIKE 'framing-%')
                     AND e.ended_at IS NULL ORDER BY e.started_at, e.experiment LIMIT 1);
BEGIN
    EXECUTE pg_catalog.format($q$
        CREATE TEMP TABLE dunning_plan_row ON COMMIT DROP AS
        WITH composed AS MATERIALIZED (%1$s),
        arm AS MATERIALIZED (SELECT a.debtor_id, a.arm, a.propensity FROM dunning._arms($5, $2) a),
        ruled_out AS MATERIALIZED (
            SELECT c.debtor_id, jsonb_agg(jsonb_build_object('channel', c.channel, 'why', c.why) ORDER BY c.n) AS skipped,
                   array_agg(DISTINCT c.why) AS whys,
                   coalesce(array_agg(DISTINCT c.why) FILTER (WHERE c.why IN ('likely_self_cure', 'costs_money', 'not_worth_it', 'server_paused')), '{}') AS by_choice
            FROM pg_temp.dunning_plan_candidate c WHERE c.why IS NOT NULL GROUP BY c.debtor_id),
        passed AS MATERIALIZED (
            SELECT o.debtor_id, jsonb_agg(jsonb_build_object('step', o.step, 'why', o.why)) AS list FROM pg_temp.dunning_plan_passed o GROUP BY o.debtor_id),
        left_out AS MATERIALIZED (
            SELECT i.debtor_id, jsonb_agg(jsonb_build_object('invoice', i.reference, 'why', i.left_out) ORDER BY i.due_on, i.invoice_id) AS list
            FROM pg_temp.dunning_plan_item i WHERE i.left_out IS NOT NULL GROUP BY i.debtor_id),
        said AS MATERIALIZED (SELECT s.debtor_id, s.context FROM dunning._step_context($2, $8, $9, $1) s),
        judged AS (
            SELECT r.*, c.channel AS chosen, c.server AS chosen_server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity AS time_propensity,
                   c.timing, coalesce(c.skipped, '[]') || coalesce(o.skipped, '[]') AS skipped,
                   CASE WHEN r.blocked IS NOT NULL THEN ARRAY[r.blocked]
                        WHEN cardinality(c.blocked_by) > 0 THEN c.blocked_by || coalesce(o.by_choice, '{}')
                        WHEN c.debtor_id IS NOT NULL THEN '{}'
                        WHEN NOT r.enough THEN ARRAY['under_minimum']
                        WHEN o.debtor_id IS NULL AND k.debtor_id IS NULL THEN ARRAY['held_out']
                        WHEN k.debtor_id IS NOT NULL AND k.usable THEN ARRAY['min_gap']
                        ELSE o.whys END AS blocked_by
            FROM pg_temp.dunning_plan_reach r
            LEFT JOIN pg_temp.dunning_plan_choice c ON c.debtor_id = r.debtor_id
            LEFT JOIN ruled_out o ON o.debtor_id = r.debtor_id
            LEFT JOIN (SELECT x.debtor_id, bool_or(x.why IS NULL) AS usable FROM pg_temp.dunning_plan_candidate x GROUP BY 1) k ON k.debtor_id = r.debtor_id)
        SELECT CASE WHEN NOT $4 AND cardinality(j.blocked_by) = 0 THEN dunning._uuid7() END AS message_id, j.debtor_id, j.creditor, $6 AS run_id,
            j.strategy, j.step, j.template, coalesce(j.chosen, j.channels[1]) AS channel, x.language, j.chosen_server AS server, j.contact_at,
            -- a pre-due reminder after the due date would be untrue
            least(j.until_at, j.contact_at + interval '14 days') AS not_after,
            j.local_time, x.amounts, coalesce(w.cost, 0) AS cost, coalesce(w.currency, 'EUR') AS cost_currency, coalesce(a.arm, j.framing) AS variant, w.p, w.value AS expected_value,
            j.time_propensity * coalesce(a.propensity, 1) AS propensity, coalesce(j.explored, false) AS explored, m.mark AS ledger_mark, x.context || coalesce(b.context, '{}') AS context,
            CASE WHEN cardinality(j.blocked_by) > 0 THEN 'held' WHEN $3 THEN 'proposed' ELSE 'queued' END AS state,
            CASE WHEN cardinality(j.blocked_by) = 0 THEN NULL
                 WHEN j.blocked_by && ARRAY['likely_self_cure', 'costs_money', 'not_worth_it'] THEN 'wait' ELSE j.blocked_by[1] END AS reason,
            nullif(j.blocked_by, '{}') AS blocked_by, 'step'::text AS once_kind, j.key AS once_key, j.anchor, j.position, j.on_ladder, j.must, j.country, j.companion_channel, j.companion_template,
            jsonb_strip_nulls(jsonb_build_object('as_of', $1, 'strategy', j.strategy, 'step', j.step, 'key', j.key, 'anchor', j.anchor, 'counted_from', j.counted_from, 'offset_days', j.offset_days,
                'level', coalesce(j.level, j.step), 'tone', j.tone, 'offer', j.offer, 'print', nullif(j.print, '{}'), 'companion', j.companion_channel,
                'days_overdue', j.days, 'currencies', j.listed, 'under_minimum', j.under, 'left_out', l.list, 'last_contact', j.last_contact,
                'channels', j.channels, 'preferred_channel', j.preferred_channel, 'chosen', j.chosen, 'skipped', j.skipped,
                'passed_over', o.list,
                'timing', j.timing, 'p_response', j.p_response, 'uplift', j.uplift, 'time_propensity', j.time_propensity,
                'experiment', CASE WHEN a.arm IS NOT NULL THEN $5 END, 'arm', a.arm, 'arm_propensity', a.propensity,
                'scores', jsonb_build_object('segment', s.segment, 'diagnosis', s.diagnosis, 'p_paid_30d', s.p_paid_30d, 'p_late', s.p_late, 'p_self_cure', s.p_self_cure),
                'reasons', s.reasons, 'value', w.value, 'value_is', 'p(paid in 30 days) x amount x margin - cost', 'margin', j.margin)) AS decision
        FROM judged j
        JOIN composed x ON x.debtor_id = j.debtor_id
        LEFT JOIN said b ON b.debtor_id = j.debtor_id
        LEFT JOIN pg_temp.dunning_plan_candidate w ON w.debtor_id = j.debtor_id AND w.channel = coalesce(j.chosen, j.channels[1])
        LEFT JOIN pg_temp.dunning_plan_mark m ON m.debtor_id = j.debtor_id
        LEFT JOIN left_out l ON l.debtor_id = j.debtor_id
        LEFT JOIN arm a ON a.debtor_id = j.debtor_id
        LEFT JOIN passed o ON o.debtor_id = j.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = j.debtor_id$q$,
        dunning._context_sql('SELECT i.* FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = i.debtor_id '
            'WHERE i.left_out IS NULL AND i.days >= r.from_day AND (i.currency = ANY (r.listed) OR NOT r.enough)', '$2', '$7'))
    USING as_of, debtors, approve, dry_run, framing, run_id, ledger_as_of, strategies, steps;
    PERFORM dunning._hold_over_budget(as_of);
    IF framing IS NOT NULL AND NOT dry_run THEN
        PERFORM dunning._assign(framing, ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL));
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_rows(uuid, timestamptz, timestamptz, boolean, boolean) IS 'Stage row of a planning run: messages ready to be enqueued, and held ones with what blocks them.';

-- Puts the rows into the queue, and closes the earlier steps that the furthest one overtook.
CREATE FUNCTION dunning._enqueue_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    waiting_debtors text[];
    waiting_messages uuid[];
BEGIN
    -- What stood held for an earlier step is overtaken too.
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO waiting_debtors, waiting_messages
    FROM dunning.queue q JOIN pg_temp.dunning_plan_row r ON r.debtor_id = q.debtor_id
    WHERE q.state = 'held' AND q.run_id IS NOT NULL AND r.message_id IS NOT NULL;
    PERFORM dunning._cancel_messages(waiting_debtors, waiting_messages, 'superseded', true);
    PERFORM dunning._offer_with_steps(dunning._now());

    DELETE FROM pg_temp.dunning_plan_row r
    WHERE r.message_id IS NOT NULL AND r.message_id NOT IN (
        SELECT e.message_id FROM dunning._enqueue('SELECT r.* FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL') e);

    PERFORM dunning._enqueue_companions();

    INSERT INTO dunning.once AS o (debtor_id, kind, key, message_id, at)
    SELECT r.debtor_id, 'step', dunning._step_key(b.strategy, b.step, r.anchor), NULL, dunning._now()
    FROM pg_temp.dunning_plan_row r
    JOIN dunning._steps() b ON b.strategy = r.strategy AND b.position < r.position AND b.offset_days >= 0 AND b.anchor IN ('due_date', 'last_contact')
    WHERE r.message_id IS NOT NULL AND r.on_ladder
    ON CONFLICT DO NOTHING;

    UPDATE dunning.plan_run p SET planned = n.planned, held = n.held, finished_at = clock_timestamp()
    FROM (SELECT count(*) FILTER (WHERE r.message_id IS NOT NULL) AS planned, count(*) FILTER (WHERE r.message_id IS NULL) AS held
          FROM pg_temp.dunning_plan_row r) n
    WHERE p.run_id = _enqueue_run.run_id;
END
$fn$;
COMMENT ON FUNCTION dunning._enqueue_run(uuid) IS 'Enqueues the rows of a planning run and marks overtaken steps as done.';

-- Nobody approved it in time, or what held it lasted: it ends, and its step may be planned anew from today's figures.
CREATE FUNCTION dunning._expire_waiting() RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
BEGIN
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, messages
    FROM dunning.queue q JOIN dunning.message m ON m.debtor_id = q.debtor_id AND m.message_id = q.message_id
    WHERE q.state IN ('proposed', 'held') AND m.not_after <= dunning._now();
    RETURN dunning._cancel_messages(debtors, messages, 'expired', true);
END
$fn$;
COMMENT ON FUNCTION dunning._expire_waiting() IS 'How many proposed or held messages were over and have been cancelled; their steps may be planned again.';

CREATE FUNCTION dunning._plan(strategy text, as_of timestamptz, dry_run boolean, approve boolean, many text[] DEFAULT NULL) RETURNS SETOF dunning.planned
    -- Costs are guessed high here, since functions give the sets; compiling then takes longer than the run.
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    run uuid;
BEGIN
    IF strategy IS NOT NULL THEN
        PERFORM dunning._check_strategy(strategy);
    END IF;
    PERFORM dunning._check_as_of(at);
    IF NOT dry_run AND (as_of > dunning._now() OR (as_of < dunning._now() - interval '1 minute' AND dunning._virtual_clock() IS NULL)) THEN
        RAISE EXCEPTION 'planning for another time than now writes nothing'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('as_of is %s, now is %s.', as_of, dunning._now()),
                  HINT = pg_catalog.format('SELECT * FROM dunning.plan(as_of => %L, dry_run => true);', as_of);
    END IF;
    IF NOT dry_run THEN
        IF NOT pg_catalog.pg_try_advisory_xact_lock(1685416558, 8) THEN
            RAISE EXCEPTION 'another planning run is going on' USING ERRCODE = 'DN008', HINT = 'Try again when it is finished.';
        END IF;
        run := dunning._uuid7();
        INSERT INTO dunning.plan_run AS p (run_id, strategy, as_of, approve, started_at, planned_by)
        VALUES (run, _plan.strategy, at, _plan.approve, clock_timestamp(), session_user);
        PERFORM dunning._expire_waiting();
    END IF;

    PERFORM dunning._drop_stages();
    PERFORM dunning._stage_book(strategy, as_of, many);
    PERFORM dunning._stage_ladder(at);
    PERFORM dunning._stage_steps(at);
    PERFORM dunning._stage_rows(run, at, as_of, approve, dry_run);
    IF NOT dry_run THEN
        PERFORM dunning._enqueue_run(run);
    END IF;
    RETURN QUERY
        SELECT run, r.message_id, r.debtor_id, r.creditor, r.strategy, r.step, r.template, r.channel, r.server, CASE WHEN r.state <> 'held' THEN r.contact_at END,
               CASE WHEN r.state <> 'held' THEN r.local_time END, r.amounts, r.cost, r.state, r.reason, r.blocked_by, r.variant, r.p, r.expected_value
        FROM pg_temp.dunning_plan_row r ORDER BY r.debtor_id;
    PERFORM dunning._drop_stages();
END
$fn$;
COMMENT ON FUNCTION dunning._plan(text, timestamptz, boolean, boolean, text[]) IS 'plan() over the whole book (many NULL) or over some debtors.';

CREATE FUNCTION dunning.plan(strategy text DEFAULT NULL, as_of timestamptz DEFAULT NULL, dry_run boolean DEFAULT false, approve boolean DEFAULT false)
    RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT p.* FROM dunning._plan(plan.strategy, plan.as_of, coalesce(plan.dry_run, false), coalesce(plan.approve, false)) p;
END
$fn$;
COMMENT ON FUNCTION dunning.plan(text, timestamptz, boolean, boolean) IS
    'The next contact of every debtor who has reached a step: queued (or proposed, with approve), and those held with reason and blocked_by. Repeating it changes nothing. strategy NULL: each creditor''s own; dry_run writes nothing and takes any as_of. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.plan(text, timestamptz, boolean, boolean) TO dunning_operator;
