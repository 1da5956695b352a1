-- plan: over which channel and when, for the plain cases of a whole book in one pass of C (src/plan/pick.c). Whoever is not
-- plain goes through the stages that define it (10_plan_ask.sql, 10_plan_choose.sql); a test holds both against each other.

CREATE FUNCTION dunning._pick(texts text[], at timestamptz, today date, holdout float8, by_country boolean, detail boolean)
    RETURNS TABLE (debtor_id text, rung int, plain boolean, channel text, server text, contact_at timestamptz, local_time text, p_response float8, uplift float8, explored boolean,
        propensity float8, timing jsonb, skipped jsonb, blocked_by text[], cost numeric, cost_currency text, p float8, value numeric, passed_over jsonb)
    LANGUAGE c VOLATILE ROWS 100000 COST 1000000 AS 'MODULE_PATHNAME', 'dun_plan_sql_pick';
COMMENT ON FUNCTION dunning._pick(text[], timestamptz, date, float8, boolean, boolean) IS
'One row a debtor of the stage ladder: the rung that is picked, its channel, server and instant, what blocks it, cost and value; passed_over: the further steps, where an earlier one is picked. plain false: ask the gate. Reads each statement of texts (_pick_texts()) once, as the caller.';

-- What _pick() reads. $1 as_of, $2 debtors of the ladder; those from servers on are asked for one creditor, price list, text or place at a time.
CREATE FUNCTION dunning._pick_texts() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $fn$
#variable_conflict error
DECLARE
    -- a view may make an address of many columns: it is read where something goes there
    postal text := CASE WHEN EXISTS (SELECT FROM dunning._servers() v JOIN dunning.channel c ON c.channel = v.channel_served WHERE c.address_field = 'address')
        THEN 'dunning._postal_text(l.address)' ELSE 'NULL::text' END;
BEGIN
    RETURN ARRAY[
        'SELECT DISTINCT ON (c.channel) c.channel, c.address_field, c.service FROM dunning.channel c ORDER BY c.channel, c.builtin',
        'SELECT s.strategy::text, s.step::text, s.template, s.channels, s.paid_channels, s.self_cure_days, s.self_cure_wait, s.must,
            coalesce(s.cooldown_days, t.min_gap_days) * interval ''1 day'', t.horizon, t.choose = ''value'', t.self_cure, t.margin::float8
            FROM dunning._strategies() t JOIN dunning._steps() s ON s.strategy = t.strategy',
        'SELECT b.creditor, b.prior FROM dunning.timing_book b WHERE b.channel = ''*''',
        'SELECT l.debtor_id, l.creditor, l.preferred_channel, l.largest_in, l.strategy, l.step, l.rung, l.enough, l.blocked IS NOT NULL, l.due_on, l.until_at, l.last_contact,
            l.n7, l.n30, l.largest::float8, l.odd, l.gap_days FROM pg_temp.dunning_plan_ladder l',
        pg_catalog.format('SELECT l.source_id, l.email, l.phone, %s, l.country, l.region, l.kind, dunning._zone_key(l.time_zone, l.phone, l.country, l.region), l.consent, s.p_paid_30d, s.p_self_cure, s.segment = ''self_curer''
            FROM (%s) l LEFT JOIN dunning.score_result s ON s.debtor_id = l.debtor_id', postal, dunning._ledger_sql('debtor', '$2')),
        pg_catalog.format('SELECT u.debtor_id, u.quality, pg_catalog.array_position(''{email,phone,address}'', u.field) - 1 FROM (%s) u', dunning._reach_sql('$2', '$1')),
        'SELECT t.debtor_id, t.creditor, t.contacts, t.responses, t.profile, dunning._packed_dates(t.payments) FROM dunning.timing_profile t WHERE t.debtor_id = ANY ($2)',
        'SELECT x.*, NULL::text AS account FROM (' || dunning._gate_contacts_sql('$2', '$1') || ') x',
        dunning._gate_other_contacts_sql('$2', '$1'),
        dunning._gate_trouble_sql('$2'),
        pg_catalog.format('SELECT DISTINCT s.address_digest, (SELECT k.key FROM dunning.digest_key k) FROM %s s', dunning._past('suppression')),
        'SELECT DISTINCT ON (v.channel_served) v.channel_served, v.server, v.paused FROM dunning._servers(NULL, $1) v ORDER BY v.channel_served, v.ord',
        'SELECT k.channel, k.cost, k.priced_in FROM dunning._costs($1, $2, $3, $4) k',
        'SELECT y.channel, y.share, y.usual_share, y.p_opt_out FROM dunning._channel_shares($1) y',
        'SELECT dunning._has_template($1, $2, $3)',
        dunning._gate_rules_at_sql((SELECT max(t.horizon) FROM dunning._strategies() t))];
END
$fn$;
COMMENT ON FUNCTION dunning._pick_texts() IS 'The statements that _pick() reads, in the order of src/plan/means.h.';

CREATE FUNCTION dunning._packed_dates(dates date[]) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_plan_sql_packed_dates';
COMMENT ON FUNCTION dunning._packed_dates(date[]) IS 'Dates side by side, as C keeps them.';

-- What was decided, with the rung of the ladder it was decided on: of plain cases, and of those about whom the gate was asked.
CREATE FUNCTION dunning._decided_sql(plain boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT CASE WHEN $1 THEN $q$
        SELECT l.*, p.channel AS chosen, p.server AS chosen_server, p.contact_at, p.local_time, p.p_response, p.uplift, p.explored, p.propensity AS time_propensity,
            p.timing, p.skipped, CASE WHEN l.blocked IS NOT NULL THEN ARRAY[l.blocked] ELSE p.blocked_by END AS blocked_by,
            p.cost, p.cost_currency, p.p, p.value, p.passed_over
        FROM pg_temp.dunning_plan_pick p JOIN pg_temp.dunning_plan_ladder l ON l.debtor_id = p.debtor_id AND l.rung = p.rung WHERE p.plain$q$
    ELSE $q$
        SELECT l.*, j.chosen, j.chosen_server, j.contact_at, j.local_time, j.p_response, j.uplift, j.explored, j.time_propensity,
            j.timing, j.skipped, j.blocked_by, j.cost, j.cost_currency, j.p, j.value, j.passed_over
        FROM dunning._judge_asked() j JOIN pg_temp.dunning_plan_ladder l ON l.debtor_id = j.debtor_id AND l.rung = j.rung$q$ END
$sql$;
COMMENT ON FUNCTION dunning._decided_sql(boolean) IS 'SQL text: rows of stage ladder with what was decided on them, of the plain cases of stage pick or of those that the gate was asked about.';

-- The one reason that stands for what blocks a contact.
CREATE FUNCTION dunning._held_for(blocked_by text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN $1 = '{}' THEN NULL WHEN $1 && ARRAY['likely_self_cure', 'costs_money', 'not_worth_it'] THEN 'wait' ELSE $1[1] END;
COMMENT ON FUNCTION dunning._held_for(text[]) IS 'The state word of a row with these blocks, NULL: none blocks it.';

-- With what their step and strategy say: all that a message and its decision need.
CREATE FUNCTION dunning._judged_sql(plain boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT pg_catalog.format($q$
        SELECT l.*, s.position, s.offset_days, x.from_day, s.template, s.channels, coalesce(l.by_segment ->> 'framing', s.framing) AS framing, s.must, s.level, coalesce(l.by_segment ->> 'tone', s.tone) AS tone, s.offer, s.companion_channel, s.companion_template, s.print,
            s.anchor IN ('due_date', 'last_contact') AS on_ladder, s.anchor AS counted_from, t.margin, t.tolerance, dunning._held_for(l.blocked_by) AS held_for
        FROM (%s OFFSET 0) l
        JOIN dunning._steps() s ON s.strategy = l.strategy AND s.step = l.step
        JOIN dunning._ladder_steps() x ON x.strategy = l.strategy AND x.step = l.step
        JOIN dunning._strategies() t ON t.strategy = l.strategy$q$, dunning._decided_sql($1))
$sql$;
COMMENT ON FUNCTION dunning._judged_sql(boolean) IS 'SQL text of stage judged: rows that are decided, with the columns of their step and strategy.';

-- What a dry run returns, without the message.
CREATE FUNCTION dunning._dry_rows_sql(plain boolean, approve boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT pg_catalog.format($q$
        SELECT NULL::uuid AS message_id, j.debtor_id, j.creditor, j.strategy, j.step, s.template, coalesce(j.chosen, s.channels[1]) AS channel, j.chosen_server AS server,
            j.contact_at, j.local_time, coalesce(j.amounts, '{}') AS amounts, coalesce(j.cost, 0) AS cost, coalesce(j.cost_currency, 'EUR') AS cost_currency,
            coalesce(j.by_segment ->> 'framing', s.framing) AS variant, j.p, j.value AS expected_value, NULL::jsonb AS context, NULL::jsonb AS decision, s.must, NULL::jsonb AS fee, NULL::jsonb AS offered, s.offer AS offer_kind,
            CASE WHEN j.blocked_by <> '{}' THEN 'held' ELSE %L END AS state, dunning._held_for(j.blocked_by) AS reason, nullif(j.blocked_by, '{}') AS blocked_by
        FROM (%s OFFSET 0) j JOIN dunning._steps() s ON s.strategy = j.strategy AND s.step = j.step$q$, CASE WHEN $2 THEN 'proposed' ELSE 'queued' END, dunning._decided_sql($1))
$sql$;
COMMENT ON FUNCTION dunning._dry_rows_sql(boolean, boolean) IS 'SQL text of stage row of a dry run.';

-- Nobody knows how many rows a stage has, and one row in the planner's mind is a loop over every step for each debtor.
CREATE FUNCTION dunning._stage_plain(stage text, query text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_mergejoin = off SET enable_nestloop = off
AS $fn$
#variable_conflict error
BEGIN
    EXECUTE pg_catalog.format('CREATE TEMP TABLE %I ON COMMIT DROP AS %s', stage, query);
END
$fn$;
COMMENT ON FUNCTION dunning._stage_plain(text, text) IS 'Makes a stage of the plain cases of stage pick and ladder.';

-- Stages pick and, in a dry run, row; else judged: a debtor, the step that is taken and everything that is decided about it.
CREATE FUNCTION dunning._stage_decided(as_of timestamptz, dry_run boolean, approve boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    stage text := CASE WHEN dry_run THEN 'dunning_plan_row' ELSE 'dunning_plan_judged' END;
BEGIN
    CREATE TEMP TABLE dunning_plan_pick ON COMMIT DROP AS
    SELECT p.* FROM dunning._pick(dunning._pick_texts(), as_of, dunning._today(as_of), dunning._holdout_share(),
        EXISTS (SELECT FROM dunning.channel_cost x WHERE x.country <> '*'), NOT dry_run) p;
    PERFORM dunning._stage_plain(stage, CASE WHEN dry_run THEN dunning._dry_rows_sql(true, approve) ELSE dunning._judged_sql(true) END);
    IF EXISTS (SELECT FROM pg_temp.dunning_plan_pick p WHERE NOT p.plain) THEN
        PERFORM dunning._stage_steps(as_of);
        EXECUTE pg_catalog.format('INSERT INTO pg_temp.%I %s', stage, CASE WHEN dry_run THEN dunning._dry_rows_sql(false, approve) ELSE dunning._judged_sql(false) END);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_decided(timestamptz, boolean, boolean) IS 'Stage judged of a planning run, or stage row of a dry one: one row a debtor.';
