-- plan: stages reach, candidate and choice, which define over which channel and when a step is taken. Plain cases are picked in C (10_plan_pick.sql); these stages are
-- for those about whom the gate must be asked.

-- The rows of the ladder that the gate is asked about. $1 rung, $2 debtors, NULL: all.
CREATE FUNCTION dunning._reached_sql() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT $q$
        SELECT l.*, s.template, s.channels, s.paid_channels, s.self_cure_days, s.self_cure_wait, s.must, coalesce(l.gap_days, s.cooldown_days, t.min_gap_days) AS min_gap_days,
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
