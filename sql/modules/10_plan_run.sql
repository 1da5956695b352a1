-- plan: the next contact of every debtor, as one run over the whole book.
--
-- Stages, each a set in a temporary table of the run:
--   ladder     the steps each debtor's currencies have reached and not had, the first to be taken first, with its anchor, amounts and mark: decided
--              in C over one reading of the book (src/plan/decide.c)
--   judged     the one of them that is taken, with channel, server, instant and value: decided in C too (src/plan/pick.c), but for those about
--              whom the gate has more to say than consent, address, clock and caps. They go through
--                  reach      the one of their steps in question
--                  candidate  channels of that step in order, those ruled out with the reason
--                  choice     what the gate and the best time say of them
--   row        what is returned; what is enqueued also has its context and decision
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
    FOREACH stage IN ARRAY ARRAY['ladder', 'pick', 'judged', 'item', 'reach', 'candidate', 'choice', 'passed', 'row', 'known', 'kept_reach', 'kept_candidate', 'kept_choice', 'companion'] LOOP
        IF pg_catalog.to_regclass('pg_temp.dunning_plan_' || stage) IS NOT NULL THEN
            EXECUTE 'DROP TABLE pg_temp.dunning_plan_' || stage;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drop_stages() IS 'Removes the temporary tables of a planning run in this transaction.';

CREATE FUNCTION dunning._ladder(texts text[], as_of timestamptz, many text[], strategy text, today date, stated boolean, now_at timestamptz, zone text)
    RETURNS TABLE (debtor_id text, creditor text, preferred_channel text, strategy_of text, country text, step text, enough boolean, blocked text, anchor date,
        due_on date, last_on date, times int, listed text[], under jsonb, rung int, last_contact timestamptz, n7 int, n30 int, mark text, amounts jsonb,
        largest numeric, largest_in text, odd boolean)
    LANGUAGE c VOLATILE ROWS 100000 COST 1000000 AS 'MODULE_PATHNAME', 'dun_plan_sql_ladder';
COMMENT ON FUNCTION dunning._ladder(text[], timestamptz, text[], text, date, boolean, timestamptz, text) IS
'One row a debtor and step reached and not had, rung 1 first to be taken: anchor, currencies listed, what is under its minimum, mark, amounts, the largest of them; blocked: stopped, max_contacts, or condition_failed; odd: rows that cannot be told in plain numbers, whose account was asked of _mark_sql(). Reads each statement of texts (_ladder_texts()) once, as the caller: src/plan/ladder.c.';

CREATE FUNCTION dunning._step_key(strategy text, step text, anchor date) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN strategy || '/' || step || '/' || to_char(anchor, 'YYYY-MM-DD');     -- whatever the session's DateStyle
END
$fn$;
COMMENT ON FUNCTION dunning._step_key(text, text, date) IS 'The key of a step in once.';


-- Steps with what their strategy adds to them.
CREATE FUNCTION dunning._ladder_steps() RETURNS TABLE (strategy text, catch_up text, stop_after int, max_contacts int, max_days int, tolerance jsonb, step text,
    "position" int, anchor text, offset_days int, from_day int, to_day int, repeat_days int, repeat_max int, condition text, after_contact boolean, stop_step boolean, minimum jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT t.strategy::text, t.catch_up, t.stop_after, t.max_contacts, t.max_days, t.tolerance, s.step::text, s.position, s.anchor, s.offset_days,
               CASE WHEN s.anchor = 'due_date' THEN least(s.offset_days, 1 + t.grace_days) ELSE 1 + t.grace_days END,
               -- the last day, from the anchor, on which the step may be taken
               CASE WHEN s.until_days IS NOT NULL THEN s.until_days
                    WHEN s.offset_days < 0 THEN CASE WHEN s.anchor = 'due_date' THEN 0 ELSE -1 END
                    WHEN s.anchor NOT IN ('due_date', 'last_contact') THEN s.offset_days + 7 END,
               s.repeat_days, s.repeat_max, s.condition, s.after_contact, coalesce(s.step = t.stop_step, false), coalesce(s.minimum, t.minimum)
        FROM dunning._strategies() t LEFT JOIN dunning._steps() s ON s.strategy = t.strategy
        WHERE t.enabled ORDER BY t.strategy, s.position, s.step;
END
$fn$;
COMMENT ON FUNCTION dunning._ladder_steps() IS 'The steps of the enabled strategies in order, one row with step NULL where a strategy has none: days from which invoices are listed and until which the step may be taken.';

-- The debtor of a ledger row l: a number where the source has one, which src/plan/read.c writes as the text it is known by.
CREATE FUNCTION dunning._id_sql(kind text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT CASE WHEN (o.columns #>> '{debtor_id,base}')::oid IN (20, 21, 23) THEN 'l.source_id' ELSE 'l.debtor_id' END FROM dunning._source_of(_id_sql.kind) o);
END
$fn$;
COMMENT ON FUNCTION dunning._id_sql(text) IS 'SQL text: the id of a row''s debtor as the statements of the ladder give it.';

-- What the ladder reads. $1 as_of, $2 debtors, $3 strategy, $4 conditions; the columns are those that src/plan/ladder.c takes.
CREATE FUNCTION dunning._ladder_texts(whole boolean) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    whose text := CASE WHEN NOT whole THEN '$2' END;
    among text := CASE WHEN whole THEN 'true' ELSE 'x.debtor_id = ANY ($2)' END;
    now_at text := 'coalesce($1, dunning._now())';
    dates text[] := ARRAY(SELECT DISTINCT s.anchor FROM dunning._steps() s WHERE s.anchor NOT IN ('due_date', 'last_contact'));
    -- What a run that writes ends first (_expire_waiting()) is over for one that does not, too. A replay has no such messages.
    over_now text := CASE WHEN dunning._replay_since() IS NOT NULL THEN '''{}''::uuid[]' ELSE pg_catalog.format(
        'ARRAY(SELECT w.message_id FROM dunning.queue w JOIN dunning.message m ON m.debtor_id = w.debtor_id AND m.message_id = w.message_id
               WHERE w.state IN (''proposed'', ''held'') AND w.attempts = 0 AND m.not_after <= %s)', now_at) END;
BEGIN
    RETURN ARRAY[
        'SELECT s.strategy, s.catch_up = ''next'', s.stop_after, s.max_contacts, s.max_days, s.tolerance, s.step, s.position, s.anchor, s.offset_days, s.from_day, s.to_day,
            s.repeat_days, s.repeat_max, s.condition, s.after_contact, s.stop_step, s.minimum FROM dunning._ladder_steps() s',
        pg_catalog.format('SELECT d.debtor_id, d.creditor, d.preferred_channel, coalesce($3, d.strategy)::text, d.country FROM (%s) d',
            dunning._assigned_sql(dunning._ledger_sql('debtor', whose, '$1'))),
        pg_catalog.format('SELECT %s, l.invoice_id, l.currency, l.amount, l.stated, l.issued_on, l.due_on, l.disputed FROM (%s) l', dunning._id_sql('invoice'), dunning._invoices_sql(whose, '$1')),
        pg_catalog.format('SELECT %s, l.invoice_id, l.currency, l.amount, l.paid_at FROM (%s) l', dunning._id_sql('payment'), dunning._ledger_sql('payment', whose, '$1')),
        -- contacts, and when debtors were heard otherwise than by a payment
        pg_catalog.format($q$SELECT e.debtor_id, e.message_id, e.contact_on FROM %4$s e
            WHERE NOT e.test AND e.contact_on >= %1$s - interval '%3$s days' AND e.contact_on <= %1$s AND %5$s
            UNION ALL
            SELECT v.debtor_id, NULL, max(v.at) FROM %6$s v
            WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere')
              AND v.at <= %1$s AND v.detail->>'machine' IS DISTINCT FROM 'true' AND %2$s GROUP BY v.debtor_id$q$, now_at, replace(among, 'x.', 'v.'),
            CASE WHEN EXISTS (SELECT FROM dunning._strategies() t WHERE t.enabled AND (t.stop_after IS NOT NULL OR t.max_days > 90)) THEN 400 ELSE 90 END,
            dunning._past('egress'), replace(among, 'x.', 'e.'), dunning._past('event')),
        -- holds of invoices, steps that were taken, messages that wait
        pg_catalog.format('SELECT x.debtor_id::text, x.invoice_id::text, ''hold'', NULL::date FROM %3$s x
            WHERE x.invoice_id IS NOT NULL AND x.released_at IS NULL AND x.from_at <= %1$s AND (x.until_at IS NULL OR x.until_at > %1$s) AND %2$s
            UNION ALL
            SELECT x.debtor_id, x.key, ''step'', (x.at AT TIME ZONE (SELECT dunning._ledger_zone()))::date FROM %4$s x
            WHERE x.kind = ''step'' AND (x.message_id = ANY (%6$s)) IS NOT TRUE AND %2$s
            UNION ALL
            SELECT x.debtor_id, NULL, ''waiting'', NULL FROM %5$s x WHERE x.run_id IS NOT NULL AND x.state <> ''held'' AND x.message_id <> ALL (%6$s) AND %2$s', now_at, among,
            dunning._past('hold'), dunning._past('once'), dunning._past('queue'), over_now),
        pg_catalog.format('SELECT h.debtor_id, h.holds, ''condition_failed: '' || h.failure FROM dunning._conditions($4, $2, %s) h', now_at),
        pg_catalog.format('SELECT a.debtor_id, a.anchor, a.currency, a.last_on, a.next_on FROM dunning._anchors($2, %L::text[], %s) a', dates, now_at),
        pg_catalog.format('SELECT m.debtor_id, m.mark FROM (%s) m WHERE m.amounts <> ''{}'' OR NOT m.valid', dunning._mark_sql('$2', '$1')),
        pg_catalog.format('SELECT i.debtor_id, i.currency, i.due_on, i.amount, i.open, i.left_out IS NOT NULL FROM (%s) i', dunning._plan_items_sql('$2', '$1'))];
END
$fn$;
COMMENT ON FUNCTION dunning._ladder_texts(boolean) IS 'The statements that _ladder() reads: of the whole book, or of the debtors of its argument.';

-- Stage ladder, in one snapshot. What was read is the mark: a payment that commits later shows at the gate.
CREATE FUNCTION dunning._stage_ladder(strategy text, as_of timestamptz, many text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    today date := dunning._today(as_of);
    zone text := dunning._ledger_zone();
    stated boolean;
BEGIN
    EXECUTE 'SELECT ' || dunning._states_balance_sql('$1') INTO stated USING as_of;
    CREATE TEMP TABLE dunning_plan_ladder ON COMMIT DROP AS
    SELECT f.debtor_id COLLATE "C" AS debtor_id, f.creditor, f.country, f.preferred_channel, f.strategy_of AS strategy, f.step, f.enough, f.blocked, f.last_contact, f.n7, f.n30,
           f.anchor, f.due_on, today - f.due_on AS days, (f.last_on + 1)::timestamp AT TIME ZONE zone AS until_at, f.times, f.listed, f.under, f.rung, f.mark, f.amounts,
           f.largest, f.largest_in, f.odd
    FROM dunning._ladder(dunning._ladder_texts(many IS NULL), as_of, many, strategy, today, stated, at, zone) f;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_ladder(text, timestamptz, text[]) IS 'Stage ladder of a planning run: one row a debtor and step reached and not had; rung 1 goes first.';

-- The rows of the ladder that the gate is asked about. $1 rung, $2 debtors, NULL: all.
CREATE FUNCTION dunning._reached_sql() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT $q$
        SELECT l.*, s.template, s.channels, s.paid_channels, s.self_cure_days, s.self_cure_wait, s.must, coalesce(s.cooldown_days, t.min_gap_days) AS min_gap_days,
            t.choose, t.horizon, t.self_cure, t.margin
        FROM pg_temp.dunning_plan_ladder l
        JOIN pg_temp.dunning_plan_pick p ON p.debtor_id = l.debtor_id AND NOT p.plain
        JOIN dunning._steps() s ON s.strategy = l.strategy AND s.step = l.step
        JOIN dunning._strategies() t ON t.strategy = l.strategy
        WHERE l.rung = $1 AND ($2::text[] IS NULL OR l.debtor_id = ANY ($2))$q$
$sql$;
COMMENT ON FUNCTION dunning._reached_sql() IS 'SQL text: stage reach of one rung, with what its step says.';

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
    price AS MATERIALIZED (
        SELECT x.creditor, x.country, x.currency AS owed_in, k.channel, k.cost, k.priced_in
        FROM (SELECT DISTINCT r.creditor, c.country, r.largest_in AS currency FROM pg_temp.dunning_plan_reach r
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
               round(dunning._channel_value(s.p_paid_30d, CASE WHEN k.cost = 0 OR k.priced_in = r.largest_in THEN r.largest END::float8, r.margin::float8, k.cost::float8,
                   CASE WHEN r.choose = 'value' THEN dunning._response_share(coalesce(t.responses, 0), coalesce(t.contacts, 0), y.share) ELSE y.usual_share END,
                   y.usual_share, CASE WHEN r.choose = 'value' THEN r.n7 ELSE 0 END, CASE WHEN r.choose = 'value' THEN r.n30 ELSE 0 END, coalesce(u.quality, 1),
                   CASE WHEN r.choose = 'value' THEN y.p_opt_out ELSE 0 END)::numeric, 2) AS value
        FROM pg_temp.dunning_plan_reach r
        CROSS JOIN LATERAL unnest(r.channels) WITH ORDINALITY c(c, n)
        LEFT JOIN server v ON v.creditor = r.creditor AND v.channel = c.c
        LEFT JOIN written w ON w.creditor = r.creditor AND w.template = r.template AND w.channel = c.c
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = r.debtor_id
        LEFT JOIN price k ON k.creditor = r.creditor AND k.owed_in IS NOT DISTINCT FROM r.largest_in AND k.channel = c.c
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
                   least(w.not_before + r.horizon, r.until_at - interval '1 microsecond'))::dunning._candidate
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
    CREATE TEMP TABLE dunning_plan_passed (debtor_id text, rung int, step text, why text) ON COMMIT DROP;
    ANALYZE pg_temp.dunning_plan_ladder (debtor_id, creditor, rung, enough);
    EXECUTE 'CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS ' || dunning._reached_sql() USING 1, NULL::text[];
    PERFORM dunning._stage_candidates(as_of);
    PERFORM dunning._stage_choice(as_of);
    LOOP
        at_rung := at_rung + 1;
        open_debtors := ARRAY(SELECT l.debtor_id FROM pg_temp.dunning_plan_ladder l WHERE l.rung = at_rung AND l.enough AND l.blocked IS NULL
            AND EXISTS (SELECT FROM pg_temp.dunning_plan_pick p WHERE p.debtor_id = l.debtor_id AND NOT p.plain)
            AND NOT EXISTS (SELECT FROM pg_temp.dunning_plan_choice c WHERE c.debtor_id = l.debtor_id AND c.blocked_by = '{}'));
        EXIT WHEN at_rung > (SELECT max(l.rung) FROM pg_temp.dunning_plan_ladder l);
        CONTINUE WHEN cardinality(open_debtors) = 0;
        FOREACH stage IN ARRAY ARRAY['reach', 'candidate', 'choice'] LOOP
            EXECUTE pg_catalog.format('ALTER TABLE pg_temp.%I RENAME TO %I', 'dunning_plan_' || stage, 'dunning_plan_kept_' || stage);
        END LOOP;
        EXECUTE 'CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS ' || dunning._reached_sql() USING at_rung, open_debtors;
        PERFORM dunning._stage_candidates(as_of);
        PERFORM dunning._stage_choice(as_of);
        done := ARRAY(SELECT c.debtor_id FROM pg_temp.dunning_plan_choice c WHERE c.blocked_by = '{}');
        -- The first step of those who found another one, and this one of those who are still looking.
        FOREACH stage IN ARRAY ARRAY['kept_', ''] LOOP
            EXECUTE pg_catalog.format($q$
                INSERT INTO pg_temp.dunning_plan_passed
                SELECT r.debtor_id, r.rung, r.step, coalesce(array_to_string(c.blocked_by, ', '), w.whys, 'min_gap')
                FROM pg_temp.dunning_plan_%1$sreach r
                LEFT JOIN pg_temp.dunning_plan_%1$schoice c ON c.debtor_id = r.debtor_id
                LEFT JOIN (SELECT x.debtor_id, string_agg(DISTINCT x.why, ', ') AS whys FROM pg_temp.dunning_plan_%1$scandidate x GROUP BY 1) w ON w.debtor_id = r.debtor_id
                WHERE (r.debtor_id = ANY ($1)) = %2$L$q$, stage, stage <> '') USING done;
        END LOOP;
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

-- What is decided of those whom the gate was asked about, in the columns of the stage judged.
CREATE FUNCTION dunning._judge_asked() RETURNS TABLE (debtor_id text, rung int, chosen text, chosen_server text, contact_at timestamptz, local_time text, p_response float8, uplift float8,
    explored boolean, time_propensity float8, timing jsonb, skipped jsonb, blocked_by text[], cost numeric, cost_currency text, p float8, value numeric, passed_over jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH ruled_out AS MATERIALIZED (
            SELECT c.debtor_id, jsonb_agg(jsonb_build_object('channel', c.channel, 'why', c.why) ORDER BY c.n) AS skipped,
                   array_agg(DISTINCT c.why) AS whys,
                   coalesce(array_agg(DISTINCT c.why) FILTER (WHERE c.why IN ('likely_self_cure', 'costs_money', 'not_worth_it', 'server_paused')), '{}') AS by_choice
            FROM pg_temp.dunning_plan_candidate c WHERE c.why IS NOT NULL GROUP BY c.debtor_id),
        passed AS MATERIALIZED (
            SELECT o.debtor_id, jsonb_agg(jsonb_build_object('step', o.step, 'why', o.why) ORDER BY o.rung) AS list FROM pg_temp.dunning_plan_passed o GROUP BY o.debtor_id),
        weighed AS MATERIALIZED (SELECT x.debtor_id, bool_or(x.why IS NULL) AS usable FROM pg_temp.dunning_plan_candidate x GROUP BY 1)
        SELECT r.debtor_id, r.rung, c.channel, c.server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity, c.timing,
            coalesce(c.skipped, '[]') || coalesce(o.skipped, '[]'),
            CASE WHEN r.blocked IS NOT NULL THEN ARRAY[r.blocked]
                 WHEN cardinality(c.blocked_by) > 0 THEN c.blocked_by || coalesce(o.by_choice, '{}')
                 WHEN c.debtor_id IS NOT NULL THEN '{}'
                 WHEN NOT r.enough THEN ARRAY['under_minimum']
                 WHEN o.debtor_id IS NULL AND k.debtor_id IS NULL THEN ARRAY['held_out']
                 WHEN k.debtor_id IS NOT NULL AND k.usable THEN ARRAY['min_gap']
                 ELSE o.whys END,
            w.cost, w.currency, w.p, w.value, y.list
        FROM pg_temp.dunning_plan_reach r
        LEFT JOIN pg_temp.dunning_plan_choice c ON c.debtor_id = r.debtor_id
        LEFT JOIN ruled_out o ON o.debtor_id = r.debtor_id
        LEFT JOIN weighed k ON k.debtor_id = r.debtor_id
        LEFT JOIN passed y ON y.debtor_id = r.debtor_id
        LEFT JOIN pg_temp.dunning_plan_candidate w ON w.debtor_id = r.debtor_id AND w.channel = coalesce(c.channel, r.channels[1]);
END
$fn$;
COMMENT ON FUNCTION dunning._judge_asked() IS 'What the stages reach, candidate and choice have decided, one row a debtor.';

-- Stage row of a dry run: what plan() returns, without the message.
CREATE FUNCTION dunning._stage_dry_rows(approve boolean, framing text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    units text[] := CASE WHEN framing IS NOT NULL THEN ARRAY(SELECT j.debtor_id FROM pg_temp.dunning_plan_judged j) END;
BEGIN
    CREATE TEMP TABLE dunning_plan_row ON COMMIT DROP AS
    SELECT NULL::uuid AS message_id, j.debtor_id, j.creditor, j.strategy, j.step, j.template, coalesce(j.chosen, j.channels[1]) AS channel, j.chosen_server AS server,
        j.contact_at, j.local_time, coalesce(j.amounts, '{}') AS amounts, coalesce(j.cost, 0) AS cost, coalesce(j.cost_currency, 'EUR') AS cost_currency,
        j.framing AS variant, j.p, j.value AS expected_value, NULL::jsonb AS context, NULL::jsonb AS decision, j.must, NULL::jsonb AS fee, NULL::jsonb AS offered, j.offer AS offer_kind,
        CASE WHEN j.blocked_by <> '{}' THEN 'held' WHEN approve THEN 'proposed' ELSE 'queued' END AS state, j.held_for AS reason, nullif(j.blocked_by, '{}') AS blocked_by
    FROM pg_temp.dunning_plan_judged j;
    IF framing IS NOT NULL THEN
        UPDATE pg_temp.dunning_plan_row r SET variant = a.arm FROM dunning._arms(framing, units) a WHERE a.debtor_id = r.debtor_id AND a.arm IS NOT NULL;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_dry_rows(boolean, text) IS 'Stage row of a dry run: what is returned; framing: the experiment whose arms are told.';

-- Stage row: everything a message needs, and the decision as it will stand for ever.
CREATE FUNCTION dunning._stage_rows(run_id uuid, as_of timestamptz, ledger_as_of timestamptz, approve boolean, framing text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    -- What a message says, and why it was decided so, is made for those that are written.
    written text[] := ARRAY(SELECT j.debtor_id FROM pg_temp.dunning_plan_judged j WHERE j.blocked_by = '{}' ORDER BY j.debtor_id);
    strategies text[] := ARRAY(SELECT j.strategy FROM pg_temp.dunning_plan_judged j WHERE j.blocked_by = '{}' ORDER BY j.debtor_id);
    steps text[] := ARRAY(SELECT j.step FROM pg_temp.dunning_plan_judged j WHERE j.blocked_by = '{}' ORDER BY j.debtor_id);
    units text[] := CASE WHEN framing IS NOT NULL THEN ARRAY(SELECT j.debtor_id FROM pg_temp.dunning_plan_judged j) ELSE '{}' END;
BEGIN
    EXECUTE pg_catalog.format('CREATE TEMP TABLE dunning_plan_item ON COMMIT DROP AS SELECT i.* FROM (%s) i
        WHERE i.days >= (SELECT least(min(s.offset_days), 0) FROM dunning._steps() s)', dunning._plan_items_sql('$2', '$1')) USING ledger_as_of, written;
    UPDATE pg_temp.dunning_plan_item i SET left_out = 'within_tolerance'
    FROM pg_temp.dunning_plan_judged r
    WHERE r.debtor_id = i.debtor_id AND r.tolerance <> '{}' AND i.left_out IS NULL AND i.open < i.amount
      AND i.open <= coalesce((r.tolerance->>i.currency)::numeric, (r.tolerance->>'*')::numeric);
    ANALYZE pg_temp.dunning_plan_item;
    ANALYZE pg_temp.dunning_plan_judged (debtor_id);
    EXECUTE pg_catalog.format($q$
        CREATE TEMP TABLE dunning_plan_row ON COMMIT DROP AS
        WITH composed AS MATERIALIZED (%1$s),
        arm AS MATERIALIZED (SELECT a.debtor_id, a.arm, a.propensity FROM dunning._arms($4, $9) a),
        left_out AS MATERIALIZED (
            SELECT i.debtor_id, jsonb_agg(jsonb_build_object('invoice', i.reference, 'why', i.left_out) ORDER BY i.due_on, i.invoice_id) AS list
            FROM pg_temp.dunning_plan_item i WHERE i.left_out IS NOT NULL GROUP BY i.debtor_id),
        said AS MATERIALIZED (SELECT s.debtor_id, s.context FROM dunning._step_context($2, $7, $8, $1) s),
        judged AS (
            SELECT j.*, CASE WHEN j.blocked_by = '{}' THEN dunning._step_key(j.strategy, j.step, j.anchor) || CASE WHEN j.times > 0 THEN '#' || (j.times + 1) ELSE '' END END AS key
            FROM pg_temp.dunning_plan_judged j)
        SELECT CASE WHEN j.key IS NOT NULL THEN dunning._uuid7() END AS message_id, j.debtor_id, j.creditor, $5 AS run_id,
            j.strategy, j.step, j.template, coalesce(j.chosen, j.channels[1]) AS channel, x.language, j.chosen_server AS server, j.contact_at,
            -- a pre-due reminder after the due date would be untrue
            least(j.until_at, j.contact_at + interval '14 days') AS not_after,
            j.local_time, coalesce(x.amounts, j.amounts, '{}') AS amounts, coalesce(j.cost, 0) AS cost, coalesce(j.cost_currency, 'EUR') AS cost_currency, coalesce(a.arm, j.framing) AS variant, j.p, j.value AS expected_value,
            j.time_propensity * coalesce(a.propensity, 1) AS propensity, coalesce(j.explored, false) AS explored, j.mark AS ledger_mark, x.context || coalesce(b.context, '{}') AS context,
            CASE WHEN j.key IS NULL THEN 'held' WHEN $3 THEN 'proposed' ELSE 'queued' END AS state, j.held_for AS reason,
            nullif(j.blocked_by, '{}') AS blocked_by, 'step'::text AS once_kind, j.key AS once_key, j.anchor, j.position, j.on_ladder, j.must, j.country, j.companion_channel, j.companion_template,
            NULL::jsonb AS fee, NULL::jsonb AS offered, j.offer AS offer_kind,
            CASE WHEN j.key IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object('as_of', $1, 'strategy', j.strategy, 'step', j.step, 'key', j.key, 'anchor', j.anchor, 'counted_from', j.counted_from, 'offset_days', j.offset_days,
                'level', coalesce(j.level, j.step), 'tone', j.tone, 'offer', j.offer, 'print', nullif(j.print, '{}'), 'companion', j.companion_channel,
                'days_overdue', j.days, 'currencies', j.listed, 'under_minimum', j.under, 'left_out', l.list, 'last_contact', j.last_contact,
                'channels', j.channels, 'preferred_channel', j.preferred_channel, 'chosen', j.chosen, 'skipped', j.skipped,
                'passed_over', j.passed_over,
                'timing', j.timing, 'p_response', j.p_response, 'uplift', j.uplift, 'time_propensity', j.time_propensity,
                'experiment', CASE WHEN a.arm IS NOT NULL THEN $4 END, 'arm', a.arm, 'arm_propensity', a.propensity,
                'scores', jsonb_build_object('segment', s.segment, 'diagnosis', s.diagnosis, 'p_paid_30d', s.p_paid_30d, 'p_late', s.p_late, 'p_self_cure', s.p_self_cure),
                'reasons', s.reasons, 'value', j.value, 'value_is', 'p(paid in 30 days) x amount x margin - cost', 'margin', j.margin)) END AS decision
        FROM judged j
        LEFT JOIN composed x ON x.debtor_id = j.debtor_id
        LEFT JOIN said b ON b.debtor_id = j.debtor_id
        LEFT JOIN left_out l ON l.debtor_id = j.debtor_id
        LEFT JOIN arm a ON a.debtor_id = j.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = j.debtor_id$q$,
        dunning._context_sql('SELECT i.* FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_judged r ON r.debtor_id = i.debtor_id '
            'WHERE i.left_out IS NULL AND i.days >= r.from_day AND (i.currency = ANY (r.listed) OR NOT r.enough)', '$2', '$6'))
    USING as_of, written, approve, framing, run_id, ledger_as_of, strategies, steps, units;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_rows(uuid, timestamptz, timestamptz, boolean, text) IS 'Stage row of a planning run: messages ready to be enqueued, and held ones with what blocks them.';

-- The experiment on wording that goes on, NULL: none.
CREATE FUNCTION dunning._framing_experiment() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT e.experiment FROM dunning.experiment e WHERE (e.experiment = 'framing' OR e.experiment LIKE 'framing-%')
            AND e.ended_at IS NULL ORDER BY e.started_at, e.experiment LIMIT 1);
END
$fn$;
COMMENT ON FUNCTION dunning._framing_experiment() IS 'The experiment on wording that was begun first and goes on; NULL: none.';

-- The furthest step closes those before it.
CREATE FUNCTION dunning._overtaken_steps() RETURNS TABLE (debtor_id text, key text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT r.debtor_id::text, dunning._step_key(b.strategy, b.step, r.anchor)
        FROM pg_temp.dunning_plan_row r
        JOIN dunning._steps() b ON b.strategy = r.strategy AND b.position < r.position AND b.offset_days >= 0 AND b.anchor IN ('due_date', 'last_contact')
        WHERE r.message_id IS NOT NULL AND r.on_ladder;
END
$fn$;
COMMENT ON FUNCTION dunning._overtaken_steps() IS 'Keys of the earlier steps that the messages of a planning run overtake.';

CREATE FUNCTION dunning._drop_held_rows() RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    DELETE FROM pg_temp.dunning_plan_row r USING pg_temp.dunning_plan_item i, dunning.hold h
    WHERE r.message_id IS NOT NULL AND i.debtor_id = r.debtor_id AND i.left_out IS NULL AND h.debtor_id = i.debtor_id AND h.invoice_id = i.invoice_id
      AND h.released_at IS NULL AND h.from_at <= dunning._now() AND (h.until_at IS NULL OR h.until_at > dunning._now());
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$fn$;
COMMENT ON FUNCTION dunning._drop_held_rows() IS 'How many rows of a planning run list an invoice that was held while the run computed, and are left to the next one.';

-- Puts the rows into the queue, and closes the earlier steps that the furthest one overtook.
CREATE FUNCTION dunning._enqueue_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    waiting_debtors text[];
    waiting_messages uuid[];
BEGIN
    PERFORM dunning._drop_held_rows();
    -- What stood held for an earlier step is overtaken too.
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO waiting_debtors, waiting_messages
    FROM dunning.queue q JOIN pg_temp.dunning_plan_row r ON r.debtor_id = q.debtor_id
    WHERE q.state = 'held' AND q.run_id IS NOT NULL AND r.message_id IS NOT NULL;
    PERFORM dunning._cancel_messages(waiting_debtors, waiting_messages, 'superseded', true);

    DELETE FROM pg_temp.dunning_plan_row r
    WHERE r.message_id IS NOT NULL AND r.message_id NOT IN (
        SELECT e.message_id FROM dunning._enqueue('SELECT r.* FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL') e);

    PERFORM dunning._enqueue_companions();
    INSERT INTO dunning.once AS o (debtor_id, kind, key, message_id, at)
    SELECT s.debtor_id, 'step', s.key, s.message_id, dunning._now() FROM dunning._listed_steps(dunning._now()) s
    ON CONFLICT DO NOTHING;

    INSERT INTO dunning.once AS o (debtor_id, kind, key, message_id, at)
    SELECT s.debtor_id, 'step', s.key, NULL, dunning._now() FROM dunning._overtaken_steps() s
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

-- All stages of a run. Nothing is written but they, and the offers that steps come with where the run is no dry one.
CREATE FUNCTION dunning._stage_run(run_id uuid, strategy text, as_of timestamptz, many text[], approve boolean, dry_run boolean) RETURNS void
    -- Costs are guessed high here, since functions give the sets; compiling then takes longer than the run.
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
BEGIN
    PERFORM dunning._drop_stages();
    PERFORM dunning._stage_ladder(strategy, as_of, many);
    PERFORM dunning._stage_judged(at, NOT dry_run);
    IF dry_run THEN
        PERFORM dunning._stage_dry_rows(approve, dunning._framing_experiment());
    ELSE
        PERFORM dunning._stage_rows(run_id, at, as_of, approve, dunning._framing_experiment());
    END IF;
    PERFORM dunning._hold_over_budget(at);
    PERFORM dunning._stage_truth(as_of);
    -- a simulation makes no offers either
    PERFORM dunning._stage_offers(as_of, dry_run OR dunning._replay_since() IS NOT NULL);
END
$fn$;
COMMENT ON FUNCTION dunning._stage_run(uuid, text, timestamptz, text[], boolean, boolean) IS 'Stages everything that a planning run decides, up to row; dry_run leaves out what is only needed to write it.';

CREATE FUNCTION dunning._plan(strategy text, as_of timestamptz, dry_run boolean, approve boolean, many text[] DEFAULT NULL) RETURNS SETOF dunning.planned
    -- Costs are guessed high here, since functions give the sets; compiling then takes longer than the run.
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    run uuid;
    proposes boolean := approve OR dunning._value_of('plan_approval')::boolean;
    framing text := dunning._framing_experiment();
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
        VALUES (run, _plan.strategy, at, proposes, clock_timestamp(), session_user);
        PERFORM dunning._expire_waiting();
        PERFORM dunning._refresh_holds(many);
    END IF;

    PERFORM dunning._stage_run(run, strategy, as_of, many, proposes, dry_run);
    IF NOT dry_run THEN
        IF framing IS NOT NULL THEN
            PERFORM dunning._assign(framing, ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL));
        END IF;
        PERFORM dunning._enqueue_run(run);
    END IF;
    -- Values of our own: a long one in the stage's table is read after the table is gone.
    RETURN QUERY
        SELECT run, r.message_id, r.debtor_id, r.creditor, r.strategy, r.step, r.template, r.channel, r.server, CASE WHEN r.state <> 'held' THEN r.contact_at END,
               CASE WHEN r.state <> 'held' THEN r.local_time END, r.amounts || '{}', r.cost, r.state, r.reason, r.blocked_by, r.variant, r.p, r.expected_value,
               r.fee || '{}', r.offered || '{}'
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
    'The next contact of every debtor who has reached a step: queued (or proposed, with approve or the value plan_approval: forewarning() shows them), and those held with reason and blocked_by. Repeating it changes nothing. strategy NULL: each creditor''s own; dry_run writes nothing and takes any as_of. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.plan(text, timestamptz, boolean, boolean) TO dunning_operator;
