-- plan: the next contact of every debtor, as one run over the whole book.
--
-- Stages, each a set in a temporary table of the run:
--   ladder     the steps each debtor's currencies have reached and not had, the first to be taken first, with its anchor, amounts and mark: decided
--              in C over one reading of the book (src/plan/decide.c)
--   judged     (in a dry run at once row) the one of them that is taken, with channel, server, instant and value: decided in C too (src/plan/pick.c), but for those about
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

CREATE FUNCTION dunning._step_key(strategy text, step text, anchor date) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN strategy || '/' || step || '/' || to_char(anchor, 'YYYY-MM-DD');     -- whatever the session's DateStyle
END
$fn$;
COMMENT ON FUNCTION dunning._step_key(text, text, date) IS 'The key of a step in once.';

-- The experiment on wording shows in a dry run too.
CREATE FUNCTION dunning._tell_arms(framing text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    units text[] := ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_row r);
BEGIN
    UPDATE pg_temp.dunning_plan_row r SET variant = a.arm FROM dunning._arms(framing, units) a WHERE a.debtor_id = r.debtor_id AND a.arm IS NOT NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._tell_arms(text) IS 'Puts the arm of an experiment on wording into the rows of a dry run.';

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
        -- Keys in the order of debtors: of two accounts of one person that are due at the same instant the same one goes first in every run.
        judged AS MATERIALIZED (
            SELECT j.*, CASE WHEN j.blocked_by = '{}' THEN dunning._step_key(j.strategy, j.step, j.anchor) || CASE WHEN j.times > 0 THEN '#' || (j.times + 1) ELSE '' END END AS key,
                CASE WHEN j.blocked_by = '{}' THEN dunning._uuid7() END AS message_id
            FROM (SELECT j.* FROM pg_temp.dunning_plan_judged j ORDER BY j.debtor_id OFFSET 0) j)
        SELECT j.message_id, j.debtor_id, j.creditor, $5 AS run_id,
            j.strategy, j.step, j.template, coalesce(j.chosen, j.channels[1]) AS channel, x.language, j.chosen_server AS server, j.contact_at,
            -- a pre-due reminder after the due date would be untrue
            least(j.until_at, j.contact_at + interval '14 days') AS not_after,
            j.local_time, coalesce(x.amounts, j.amounts, '{}') AS amounts, coalesce(j.cost, 0) AS cost, coalesce(j.cost_currency, 'EUR') AS cost_currency, coalesce(a.arm, j.framing) AS variant, j.p, j.value AS expected_value,
            j.time_propensity * coalesce(a.propensity, 1) AS propensity, coalesce(j.explored, false) AS explored, j.mark AS ledger_mark, x.context || coalesce(b.context, '{}') || CASE WHEN j.by_segment ? 'tone' THEN jsonb_build_object('tone', j.tone) ELSE '{}' END AS context,
            CASE WHEN j.key IS NULL THEN 'held' WHEN $3 THEN 'proposed' ELSE 'queued' END AS state, j.held_for AS reason,
            nullif(j.blocked_by, '{}') AS blocked_by, 'step'::text AS once_kind, j.key AS once_key, j.anchor, j.position, j.on_ladder, j.must, j.country, j.companion_channel, j.companion_template,
            NULL::jsonb AS fee, NULL::jsonb AS offered, j.offer AS offer_kind,
            CASE WHEN j.key IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object('as_of', $1, 'strategy', j.strategy, 'step', j.step, 'key', j.key, 'anchor', j.anchor, 'counted_from', j.counted_from, 'offset_days', j.offset_days,
                'level', coalesce(j.level, j.step), 'tone', j.tone, 'offer', j.offer, 'print', nullif(j.print, '{}'), 'companion', j.companion_channel,
                'by_segment', j.by_segment, 'days_overdue', j.days, 'currencies', j.listed, 'under_minimum', j.under, 'left_out', l.list, 'last_contact', j.last_contact,
                'channels', j.channels, 'preferred_channel', j.preferred_channel, 'chosen', j.chosen, 'skipped', j.skipped,
                'passed_over', j.passed_over,
                'timing', j.timing || CASE WHEN NOT j.on_ladder AND j.offset_days < 0 AND (j.contact_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date < j.anchor + j.offset_days
                    THEN jsonb_build_object('deadline_compromised', true, 'wanted_from', j.anchor + j.offset_days) ELSE '{}' END,
                'p_response', j.p_response, 'uplift', j.uplift, 'time_propensity', j.time_propensity,
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
    framing text := dunning._framing_experiment();
BEGIN
    PERFORM dunning._drop_stages();
    PERFORM dunning._stage_ladder(strategy, as_of, many);
    PERFORM dunning._stage_decided(at, dry_run, approve);
    IF NOT dry_run THEN
        PERFORM dunning._stage_rows(run_id, at, as_of, approve, framing);
    ELSIF framing IS NOT NULL THEN
        PERFORM dunning._tell_arms(framing);
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
