-- plan: what a strategy would have done. Day after day is replayed with the planner and the gate themselves; only what they would
-- write goes into temporary tables, so that a read-only transaction will do.

-- One contact that would have been made, or a reason for which none was, summed up.
CREATE TYPE dunning.simulated AS (
    day             date,
    debtor_id       text,
    creditor        text,
    segment         text,
    strategy        text,
    step            text,
    channel         text,
    contact_at      timestamptz,
    local_time      text,
    amounts         jsonb,
    cost            numeric,
    cost_currency   text,
    state           text,
    reason          text,
    debtors         bigint,
    times           bigint
);
COMMENT ON TYPE dunning.simulated IS
    'A contact of a simulation (sent: it would have left; queued: its time comes after the last day; cancelled: it was stopped before it left, and costs nothing) with the day on which it was planned; or, with day and debtor_id NULL, why contacts were held: how many debtors, and on how many of their days.';

CREATE FUNCTION dunning._check_simulation(strategy text, from_date date, until_date date, at_time time) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(NULL);
    usual text := pg_catalog.format('SELECT * FROM dunning.simulate(%L, %L, %L);', _check_simulation.strategy, to_char(today - 30, 'YYYY-MM-DD'), to_char(today - 1, 'YYYY-MM-DD'));
BEGIN
    IF _check_simulation.strategy IS NOT NULL THEN
        PERFORM dunning._check_strategy(_check_simulation.strategy);
    END IF;
    -- Years of four digits: what is counted from there stays a timestamp.
    IF greatest(from_date, until_date) > date '9999-12-30' OR from_date IS NULL OR until_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(until_date) OR at_time IS NULL THEN
        RAISE EXCEPTION 'a simulation needs its first and its last day' USING ERRCODE = '22023', DETAIL = 'Both are dates before the year 10000, and at_time is a time of day.', HINT = usual;
    ELSIF until_date < from_date THEN
        RAISE EXCEPTION 'the last day of a simulation lies before its first'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('From %s until %s.', to_char(from_date, 'YYYY-MM-DD'), to_char(until_date, 'YYYY-MM-DD')),
                  HINT = pg_catalog.format('SELECT * FROM dunning.simulate(%L, %L, %L);', _check_simulation.strategy, to_char(until_date, 'YYYY-MM-DD'), to_char(from_date, 'YYYY-MM-DD'));
    ELSIF until_date > today THEN
        RAISE EXCEPTION 'what has not happened yet cannot be replayed'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Until %s; today is %s.', to_char(until_date, 'YYYY-MM-DD'), to_char(today, 'YYYY-MM-DD')),
                  HINT = pg_catalog.format('What would be planned on a day to come, were nobody to pay: SELECT * FROM dunning.plan(%L, as_of => %L, dry_run => true);',
                      _check_simulation.strategy, to_char(until_date, 'YYYY-MM-DD') || ' 06:00');
    ELSIF from_date < date '1900-01-01' THEN
        RAISE EXCEPTION 'a simulation cannot begin before 1900' USING ERRCODE = '22023', DETAIL = pg_catalog.format('It was to begin on %s.', from_date), HINT = usual;
    ELSIF until_date - from_date >= 366 THEN
        RAISE EXCEPTION 'a simulation of more than 366 days'
            USING ERRCODE = '53400', DETAIL = pg_catalog.format('From %s until %s are %s days.', to_char(from_date, 'YYYY-MM-DD'), to_char(until_date, 'YYYY-MM-DD'), until_date - from_date + 1),
                  HINT = pg_catalog.format('SELECT * FROM dunning.simulate(%L, %L, %L);', _check_simulation.strategy, to_char(until_date - 365, 'YYYY-MM-DD'), to_char(until_date, 'YYYY-MM-DD'));
    ELSIF pg_catalog.pg_is_in_recovery() THEN
        RAISE EXCEPTION 'a standby cannot simulate'
            USING ERRCODE = '25006', DETAIL = 'The stages of planning are temporary tables, and a standby can make none.',
                  HINT = 'On the primary, in a transaction that writes nothing: BEGIN READ ONLY; ' || usual || ' COMMIT;';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_simulation(text, date, date, time) IS 'Nothing, or 22023 and 53400 with what is wrong with a simulation''s days; 25006 on a standby.';

CREATE FUNCTION dunning._drop_simulation() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['message', 'once', 'held', 'answer', 'other'] LOOP
        IF pg_catalog.to_regclass('pg_temp.dunning_sim_' || kept) IS NOT NULL THEN
            EXECUTE 'DROP TABLE pg_temp.dunning_sim_' || kept;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drop_simulation() IS 'Removes the temporary tables of a simulation.';

-- The beginning: nothing done yet, and what had been planned before and was still waiting.
CREATE FUNCTION dunning._begin_simulation(since timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    CREATE TEMP TABLE dunning_sim_message (
        debtor_id       text COLLATE "C",
        message_id      uuid,
        run_id          uuid,
        creditor        text,
        strategy        text,
        step            text,
        channel         text COLLATE "C",
        created_at      timestamptz,
        contact_at      timestamptz,
        due             timestamptz,
        not_after       timestamptz,
        local_time      text,
        amounts         jsonb,
        cost            numeric,
        cost_currency   text,
        mark            text,
        fee             jsonb,
        state           text,           -- queued, held, sent, cancelled
        reason          text,
        sent_at         timestamptz,
        carried         boolean,        -- planned in reality, before the simulation began
        PRIMARY KEY (debtor_id, message_id)
    ) ON COMMIT DROP;
    CREATE TEMP TABLE dunning_sim_once (debtor_id text COLLATE "C", key text COLLATE "C", message_id uuid, at timestamptz, PRIMARY KEY (debtor_id, key)) ON COMMIT DROP;
    CREATE TEMP TABLE dunning_sim_held (debtor_id text COLLATE "C", creditor text, strategy text, step text, reason text, blocked_by text[]) ON COMMIT DROP;
    CREATE TEMP TABLE dunning_sim_answer (message_id uuid, debtor_id text COLLATE "C", due timestamptz, channel text, mark text, blocked_by text[]) ON COMMIT DROP;

    INSERT INTO pg_temp.dunning_sim_message
    SELECT m.debtor_id, m.message_id, m.run_id, m.creditor, m.strategy, m.step, m.channel, m.created_at, m.contact_at, greatest(m.contact_at, since), m.not_after, m.local_time,
           m.amounts, m.cost, m.cost_currency, m.ledger_mark, m.context->'fee', 'queued', NULL, NULL, true
    FROM dunning.message m
    LEFT JOIN dunning.plan_run r ON r.run_id = m.run_id
    WHERE m.created_at < since AND coalesce(m.not_after, m.contact_at + interval '14 days') > since AND NOT m.decision ? 'test_address'
      AND (r.approve IS NOT TRUE OR r.approved_at < since)
      AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id AND e.contact_on < since)
      AND NOT EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = m.debtor_id AND o.message_id = m.message_id AND o.at < since AND dunning._state_rank(o.state) > 0);
    INSERT INTO pg_temp.dunning_sim_once
    SELECT s.debtor_id, k.key, s.message_id, s.created_at
    FROM pg_temp.dunning_sim_message s
    JOIN dunning.message m ON m.debtor_id = s.debtor_id AND m.message_id = s.message_id
    CROSS JOIN LATERAL (SELECT m.decision->>'key' WHERE NOT m.decision ? 'companion_of'
                        UNION SELECT o.key FROM dunning.once o WHERE o.debtor_id = m.debtor_id AND o.kind = 'step' AND o.message_id = m.message_id) k(key)
    WHERE k.key IS NOT NULL
    ON CONFLICT DO NOTHING;
END
$fn$;
COMMENT ON FUNCTION dunning._begin_simulation(timestamptz) IS 'Makes the temporary tables of a simulation; what was planned before its first instant and still waited then leaves in it, and is no row of its result.';

-- Stopped before it left: its step may be planned again.
CREATE FUNCTION dunning._simulate_stop(message_ids uuid[], reasons text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    UPDATE pg_temp.dunning_sim_message s SET state = 'cancelled', reason = u.reason
    FROM unnest(message_ids, reasons) u(message_id, reason) WHERE s.message_id = u.message_id;
    DELETE FROM pg_temp.dunning_sim_once o WHERE o.message_id = ANY (message_ids);
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_stop(uuid[], text[]) IS 'Cancels messages of a simulation and gives their steps back.';

-- One day's run, as plan() does it: what it stages is decided by the planner itself, and kept as _enqueue_run() would write it.
CREATE FUNCTION dunning._simulate_plan(strategy text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := dunning._now();
    over uuid[];
BEGIN
    over := ARRAY(SELECT s.message_id FROM pg_temp.dunning_sim_message s WHERE s.state = 'held' AND s.not_after <= at);
    PERFORM dunning._simulate_stop(over, array_fill('expired'::text, ARRAY[cardinality(over)]));
    ANALYZE pg_temp.dunning_sim_message, pg_temp.dunning_sim_once;
    PERFORM dunning._stage_run(dunning._uuid7(), strategy, NULL, NULL, false, false);

    over := ARRAY(SELECT s.message_id FROM pg_temp.dunning_sim_message s JOIN pg_temp.dunning_plan_row r ON r.debtor_id = s.debtor_id AND r.message_id IS NOT NULL
                  WHERE s.state = 'held' AND s.run_id IS NOT NULL);
    PERFORM dunning._simulate_stop(over, array_fill('superseded'::text, ARRAY[cardinality(over)]));
    EXECUTE pg_catalog.format('DELETE FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL AND EXISTS (SELECT FROM %s o WHERE o.debtor_id = r.debtor_id AND o.kind = ''step'' AND o.key = r.once_key)',
        dunning._past('once'));

    INSERT INTO pg_temp.dunning_sim_message
    SELECT r.debtor_id, r.message_id, r.run_id, r.creditor, r.strategy, r.step, r.channel, at, r.contact_at, r.contact_at, r.not_after, r.local_time, r.amounts, r.cost, r.cost_currency,
           r.ledger_mark, r.context->'fee', 'queued', NULL, NULL, false
    FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL;
    IF dunning._stage_companions() THEN
        INSERT INTO pg_temp.dunning_sim_message
        SELECT r.debtor_id, r.message_id, r.run_id, r.creditor, r.strategy, r.step, r.channel, at, r.contact_at, r.contact_at, r.not_after, r.local_time, r.amounts, r.cost, r.cost_currency,
               r.ledger_mark, r.context->'fee', 'queued', NULL, NULL, false
        FROM pg_temp.dunning_plan_companion r;
    END IF;
    INSERT INTO pg_temp.dunning_sim_once
    SELECT k.debtor_id, k.key, k.message_id, at
    FROM (SELECT r.debtor_id, r.once_key AS key, r.message_id, 1 AS n FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL
          UNION ALL SELECT s.debtor_id, s.key, s.message_id, 2 FROM dunning._listed_steps(at) s
          UNION ALL SELECT s.debtor_id, s.key, NULL, 3 FROM dunning._overtaken_steps() s ORDER BY 4) k
    ON CONFLICT DO NOTHING;
    INSERT INTO pg_temp.dunning_sim_held
    SELECT r.debtor_id, r.creditor, r.strategy, r.step, r.reason, r.blocked_by FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NULL;
    PERFORM dunning._drop_stages();
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_plan(text) IS 'One planning run of a simulation, at the clock of its replay.';

-- The gate's answer to everything that is due before an instant (or at one), at the clock of the replay.
CREATE FUNCTION dunning._simulate_ask(before timestamptz, at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    channels text[];
    dues timestamptz[];
    marks text[];
    ids uuid[];
BEGIN
    SELECT array_agg(s.debtor_id ORDER BY s.due, s.message_id), array_agg(s.channel ORDER BY s.due, s.message_id), array_agg(s.due ORDER BY s.due, s.message_id),
           array_agg(s.mark ORDER BY s.due, s.message_id), array_agg(s.message_id ORDER BY s.due, s.message_id)
    INTO debtors, channels, dues, marks, ids
    FROM pg_temp.dunning_sim_message s WHERE s.state IN ('queued', 'held') AND (s.due < before OR s.due = _simulate_ask.at);
    DELETE FROM pg_temp.dunning_sim_answer;
    IF ids IS NOT NULL THEN
        INSERT INTO pg_temp.dunning_sim_answer SELECT ids[g.ord], g.debtor_id, dues[g.ord], channels[g.ord], marks[g.ord], g.blocked_by FROM dunning._gate(debtors, channels, dues, marks, ids) g;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_ask(timestamptz, timestamptz) IS 'Asks the gate about what is due in a simulation, into dunning_sim_answer.';

-- Who passes has left.
CREATE FUNCTION dunning._simulate_send(save text[] DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    UPDATE pg_temp.dunning_sim_message s SET state = 'sent', sent_at = s.due, reason = NULL
    FROM pg_temp.dunning_sim_answer a WHERE a.debtor_id = s.debtor_id AND a.message_id = s.message_id AND a.blocked_by = '{}' AND (a.debtor_id = ANY (save)) IS NOT TRUE;
    DELETE FROM pg_temp.dunning_sim_answer a WHERE a.blocked_by = '{}';
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_send(text[]) IS 'What passes in dunning_sim_answer leaves, save that of some debtors; what does not stands there still.';

-- Blocked at the end of a day because the balance is another: where it was so when the message was due, as the hours of the ledger's
-- rows tell, it was stopped. The gate says no more of who is blocked by that; the others are asked about at their own instant.
CREATE FUNCTION dunning._simulate_paid(until_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    stopped uuid[];
    why text[];
BEGIN
    SELECT array_agg(DISTINCT a.debtor_id) INTO debtors FROM pg_temp.dunning_sim_answer a WHERE a.blocked_by <@ '{balance_changed,no_balance}';
    IF debtors IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format($q$
        WITH change AS MATERIALIZED (
            SELECT p.debtor_id, coalesce(p.recorded_at, p.paid_at) AS at FROM (%1$s) p
            UNION ALL
            SELECT i.debtor_id, unnest(ARRAY[coalesce(i.recorded_at, i.issued_on::timestamp AT TIME ZONE $3), i.cancelled_at, i.disputed_at]) FROM (%2$s) i),
        told AS (
            SELECT a.message_id, a.blocked_by[1] AS why
            FROM pg_temp.dunning_sim_answer a
            JOIN pg_temp.dunning_sim_message s ON s.debtor_id = a.debtor_id AND s.message_id = a.message_id
            JOIN change c ON c.debtor_id = a.debtor_id AND c.at > s.created_at AND c.at <= $2
            WHERE a.blocked_by <@ '{balance_changed,no_balance}' GROUP BY 1, 2 HAVING bool_and(c.at <= a.due))
        SELECT array_agg(t.message_id), array_agg(t.why) FROM told t$q$,
        dunning._ledger_sql('payment', '$1'), dunning._ledger_sql('invoice', '$1'))
    INTO stopped, why USING debtors, until_at, dunning._ledger_zone();
    PERFORM dunning._simulate_stop(stopped, why);
    DELETE FROM pg_temp.dunning_sim_answer a WHERE a.message_id = ANY (stopped);
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_paid(timestamptz) IS 'Stops those in dunning_sim_answer whose balance was another when they were due, where all that changed it by an instant did so before.';

-- What is due by an instant with all that was known then: most pass, or were plainly stopped by a payment. Where somebody does neither,
-- it is open when it leaves, if it does, and so what the caps say of that person's other messages, whichever account they are of.
CREATE FUNCTION dunning._simulate_most(until_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    others text := dunning._accounts_sql();
    debtors text[];
    more text[];
BEGIN
    PERFORM dunning._simulate_ask(_simulate_most.until_at);
    PERFORM dunning._simulate_paid(_simulate_most.until_at);
    SELECT array_agg(DISTINCT a.debtor_id) INTO debtors FROM pg_temp.dunning_sim_answer a WHERE a.blocked_by <> '{}';
    IF debtors IS NOT NULL AND others IS NOT NULL THEN
        EXECUTE pg_catalog.format('WITH d AS MATERIALIZED (SELECT l.debtor_id, l.person_id FROM (%s) l) SELECT array_agg(x.debtor_id) FROM (SELECT d.person_id AS debtor_id FROM d UNION SELECT o.debtor_id FROM (%s) o) x',
            dunning._ledger_sql('debtor', '$1'), others)
        INTO more USING debtors;
    END IF;
    PERFORM dunning._simulate_send(debtors || more);
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_most(timestamptz) IS 'Lets leave, or stops, what of a simulation is due before an instant and needs no look at its own instant.';

-- A matter of the hour waits for the next allowed one, anything else until it is looked at again.
CREATE FUNCTION dunning._simulate_put_off(at timestamptz, look_again_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    channels text[];
    dues timestamptz[];
    marks text[];
    ids uuid[];
BEGIN
    UPDATE pg_temp.dunning_sim_message s SET state = 'held', reason = a.blocked_by[1], due = look_again_at
    FROM pg_temp.dunning_sim_answer a WHERE a.debtor_id = s.debtor_id AND a.message_id = s.message_id;
    SELECT array_agg(a.debtor_id ORDER BY a.message_id), array_agg(a.channel ORDER BY a.message_id), array_agg(a.due ORDER BY a.message_id),
           array_agg(a.mark ORDER BY a.message_id), array_agg(a.message_id ORDER BY a.message_id)
    INTO debtors, channels, dues, marks, ids
    FROM pg_temp.dunning_sim_answer a
    WHERE NOT EXISTS (SELECT FROM unnest(a.blocked_by) b(b) WHERE split_part(b.b, ':', 1) NOT IN ('quiet_hours', 'holiday', 'cap', 'min_gap', 'after_conversation'));
    IF ids IS NOT NULL THEN
        EXECUTE pg_catalog.format($q$
            UPDATE pg_temp.dunning_sim_message s SET state = 'queued', due = greatest(x.next, $6 + interval '1 second')
            FROM (SELECT ($5)[f.ord] AS message_id,
                         dunning._next_open(f.at, f.at + interval '14 days', f.debtor_id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks, f.message_id) AS next
                  FROM (%s) f) x
            WHERE s.message_id = x.message_id AND x.next IS NOT NULL$q$, dunning._gate_facts_sql())
        USING debtors, channels, dues, marks, ids, _simulate_put_off.at;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_put_off(timestamptz, timestamptz) IS 'Puts off what stands in dunning_sim_answer, asked about at an instant.';

-- What was planned for before the beginning and had not left was put off before it: planning counts what is queued on the day that it waits for.
CREATE FUNCTION dunning._simulate_waiting(since timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._simulate_ask(NULL, since);
    -- for what stops it altogether it is asked when it is due
    UPDATE pg_temp.dunning_sim_answer a SET blocked_by = ARRAY(SELECT b.b FROM unnest(a.blocked_by) WITH ORDINALITY b(b, n)
        WHERE b.b NOT IN ('balance_changed', 'no_balance') AND b.b NOT LIKE 'hold:%' ORDER BY b.n);
    DELETE FROM pg_temp.dunning_sim_answer a USING pg_temp.dunning_sim_message s
    WHERE s.debtor_id = a.debtor_id AND s.message_id = a.message_id AND (a.blocked_by = '{}' OR s.contact_at >= since);
    PERFORM dunning._simulate_put_off(since, since);
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_waiting(timestamptz) IS 'Until when what a simulation begins with waits, as the gate tells at its first instant.';

-- The others at their own instant, as the worker treats them.
CREATE FUNCTION dunning._simulate_at(at timestamptz, look_again_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    stopped uuid[];
    why text[];
BEGIN
    PERFORM dunning._simulate_ask(NULL, _simulate_at.at);
    PERFORM dunning._simulate_send();
    SELECT array_agg(a.message_id), array_agg(w.w) INTO stopped, why
    FROM pg_temp.dunning_sim_answer a
    CROSS JOIN LATERAL (SELECT b.b FROM unnest(a.blocked_by) b(b) WHERE b.b IN ('balance_changed', 'no_balance') OR b.b LIKE 'hold:%' LIMIT 1) w(w);
    PERFORM dunning._simulate_stop(stopped, why);
    DELETE FROM pg_temp.dunning_sim_answer a WHERE a.message_id = ANY (stopped);
    PERFORM dunning._simulate_put_off(_simulate_at.at, look_again_at);
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_at(timestamptz, timestamptz) IS 'What of a simulation is due at the instant of the replay leaves, is stopped or put off.';

-- A hold stops what waits, as it begins.
CREATE FUNCTION dunning._simulate_holds(until_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    stopped uuid[];
    why text[];
BEGIN
    SELECT array_agg(x.message_id), array_agg(x.reason) INTO stopped, why
    FROM (SELECT DISTINCT ON (s.message_id) s.message_id, 'hold:' || h.reason AS reason
          FROM (SELECT k.reason, k.creditor, dunning._held_accounts(k) AS accounts, greatest(k.from_at, k.placed_at) AS begins
                FROM dunning.hold k
                WHERE greatest(k.from_at, k.placed_at) < _simulate_holds.until_at AND coalesce(k.until_at > greatest(k.from_at, k.placed_at), true)
                  AND greatest(k.from_at, k.placed_at) > (SELECT min(w.created_at) FROM pg_temp.dunning_sim_message w WHERE w.state IN ('queued', 'held'))) h
          JOIN pg_temp.dunning_sim_message s ON CASE WHEN h.accounts IS NULL THEN s.creditor = h.creditor ELSE s.debtor_id = ANY (h.accounts) END
          WHERE s.state IN ('queued', 'held') AND h.begins > s.created_at AND h.begins <= s.due ORDER BY s.message_id, h.begins) x;
    PERFORM dunning._simulate_stop(stopped, why);
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_holds(timestamptz) IS 'Stops what of a simulation waits when a hold begins, before an instant.';

CREATE FUNCTION dunning._simulate_until(since timestamptz, until_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $fn$
#variable_conflict error
DECLARE
    next_due timestamptz;
BEGIN
    PERFORM dunning._simulate_holds(until_at);
    PERFORM dunning._replay(until_at, since, pg_catalog.format('SELECT dunning._simulate_most(%L)', until_at));
    LOOP
        SELECT min(s.due) INTO next_due FROM pg_temp.dunning_sim_message s WHERE s.state IN ('queued', 'held');
        EXIT WHEN next_due IS NULL OR next_due >= until_at;
        PERFORM dunning._replay(next_due, since, pg_catalog.format('SELECT dunning._simulate_at(%L, %L)', next_due, until_at));
        -- who is put off may meet one that began after the hour before
        IF EXISTS (SELECT FROM pg_temp.dunning_sim_answer) THEN
            PERFORM dunning._simulate_holds(until_at);
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._simulate_until(timestamptz, timestamptz) IS 'Lets everything of a simulation leave that is due before an instant.';

CREATE FUNCTION dunning._simulate(strategy text, from_date date, until_date date, at_time time) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $fn$
#variable_conflict error
DECLARE
    zone text := dunning._ledger_zone();
    since timestamptz := (from_date + at_time) AT TIME ZONE zone;
    at timestamptz;
BEGIN
    PERFORM dunning._begin_simulation(since);
    FOR day IN 0 .. until_date - from_date LOOP
        at := ((from_date + day) + at_time) AT TIME ZONE zone;
        EXIT WHEN at > dunning._now();
        IF day = 0 THEN
            PERFORM dunning._replay(since, since, pg_catalog.format('SELECT dunning._simulate_waiting(%L)', since));
        END IF;
        PERFORM dunning._replay(at, since, pg_catalog.format('SELECT dunning._simulate_plan(%L)', strategy));
        PERFORM dunning._simulate_until(since, CASE WHEN from_date + day = until_date THEN (until_date + 1)::timestamp AT TIME ZONE zone
                                                    ELSE ((from_date + day + 1) + at_time) AT TIME ZONE zone END);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._simulate(text, date, date, time) IS 'Runs a simulation into its temporary tables.';

CREATE FUNCTION dunning.simulate(strategy text, from_date date, until_date date, at_time time DEFAULT '06:00') RETURNS SETOF dunning.simulated
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    zone text := dunning._ledger_zone();
BEGIN
    PERFORM dunning._check_simulation(simulate.strategy, simulate.from_date, simulate.until_date, simulate.at_time);
    PERFORM dunning._drop_simulation();
    PERFORM dunning._simulate(simulate.strategy, simulate.from_date, simulate.until_date, simulate.at_time);
    RETURN QUERY
        SELECT (s.created_at AT TIME ZONE zone)::date, s.debtor_id::text, s.creditor, coalesce(r.segment, 'other'), s.strategy, s.step, s.channel::text, s.contact_at, s.local_time, s.amounts,
               CASE WHEN s.state = 'cancelled' THEN 0 ELSE s.cost END, s.cost_currency, CASE WHEN s.state = 'held' THEN 'queued' ELSE s.state END, s.reason, 1::bigint, 1::bigint
        FROM pg_temp.dunning_sim_message s LEFT JOIN dunning.debtor_score r ON r.debtor_id = s.debtor_id
        WHERE NOT s.carried ORDER BY s.created_at, s.debtor_id, s.channel;
    RETURN QUERY
        SELECT NULL::date, NULL::text, h.creditor, coalesce(r.segment, 'other'), h.strategy, h.step, NULL::text, NULL::timestamptz, NULL::text, NULL::jsonb, NULL::numeric, NULL::text, 'held'::text,
               CASE WHEN h.reason = 'wait' THEN 'wait: ' || h.blocked_by[1] ELSE h.reason END, count(DISTINCT h.debtor_id), count(*)
        FROM pg_temp.dunning_sim_held h LEFT JOIN dunning.debtor_score r ON r.debtor_id = h.debtor_id
        GROUP BY 3, 4, 5, 6, 14 ORDER BY 3, 4, 5, 6, 14;
    PERFORM dunning._drop_simulation();
END
$fn$;
COMMENT ON FUNCTION dunning.simulate(text, date, date, time) IS
    'What plan() would have decided each day (at at_time, in the ledger''s zone) from from_date to until_date, had it followed the strategy (NULL: each debtor''s own): one row a contact, then why contacts were held, summed up. Real contacts since then do not count, those of the simulation do. People do not react to simulated contacts: payments, replies and holds stay as they were recorded. Scores, strategies, texts, prices and what is not dated are those of today. Writes nothing; runs in a read-only transaction. 22023 dates that are not over or out of order, unknown strategy; 53400 more than 366 days. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.simulate(text, date, date, time) TO dunning_operator;

CREATE FUNCTION dunning.compare_strategies(a text, b text, from_date date, until_date date, at_time time DEFAULT '06:00')
    RETURNS TABLE (segment text, channel text, contacts_a bigint, contacts_b bigint, contacts_more bigint, debtors_a bigint, debtors_b bigint, only_a bigint, only_b bigint,
        cost_a jsonb, cost_b jsonb, cost_more jsonb)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_simulation(compare_strategies.a, compare_strategies.from_date, compare_strategies.until_date, compare_strategies.at_time);
    PERFORM dunning._check_simulation(compare_strategies.b, compare_strategies.from_date, compare_strategies.until_date, compare_strategies.at_time);
    PERFORM dunning._drop_simulation();
    PERFORM dunning._simulate(compare_strategies.a, compare_strategies.from_date, compare_strategies.until_date, compare_strategies.at_time);
    DROP TABLE pg_temp.dunning_sim_once, pg_temp.dunning_sim_held, pg_temp.dunning_sim_answer;
    ALTER TABLE pg_temp.dunning_sim_message RENAME TO dunning_sim_other;
    PERFORM dunning._simulate(compare_strategies.b, compare_strategies.from_date, compare_strategies.until_date, compare_strategies.at_time);
    RETURN QUERY
        WITH contact AS MATERIALIZED (
            SELECT m.side, m.debtor_id, coalesce(r.segment, 'other') AS segment, m.channel, dunning._touch(m.message_id) AS touch, m.cost, m.cost_currency
            FROM (SELECT 'a' AS side, x.* FROM pg_temp.dunning_sim_other x UNION ALL SELECT 'b', y.* FROM pg_temp.dunning_sim_message y) m
            LEFT JOIN dunning.debtor_score r ON r.debtor_id = m.debtor_id
            WHERE NOT m.carried AND m.state <> 'cancelled'),
        debtor AS (
            SELECT coalesce(c.segment, '*') AS segment, coalesce(c.channel, '*') AS channel, c.debtor_id,
                   count(DISTINCT c.touch) FILTER (WHERE c.side = 'a') AS a, count(DISTINCT c.touch) FILTER (WHERE c.side = 'b') AS b
            FROM contact c GROUP BY GROUPING SETS ((c.segment, c.channel, c.debtor_id), (c.segment, c.debtor_id), (c.channel, c.debtor_id), (c.debtor_id))),
        price AS (
            SELECT coalesce(c.segment, '*') AS segment, coalesce(c.channel, '*') AS channel, c.cost_currency,
                   coalesce(sum(c.cost) FILTER (WHERE c.side = 'a'), 0) AS a, coalesce(sum(c.cost) FILTER (WHERE c.side = 'b'), 0) AS b
            FROM contact c WHERE c.cost > 0
            GROUP BY GROUPING SETS ((c.segment, c.channel, c.cost_currency), (c.segment, c.cost_currency), (c.channel, c.cost_currency), (c.cost_currency))),
        cost AS (
            SELECT p.segment, p.channel, jsonb_object_agg(p.cost_currency, p.a) AS a, jsonb_object_agg(p.cost_currency, p.b) AS b, jsonb_object_agg(p.cost_currency, p.b - p.a) AS more
            FROM price p GROUP BY 1, 2),
        cell AS (
            SELECT d.segment, d.channel, sum(d.a)::bigint AS a, sum(d.b)::bigint AS b, count(*) FILTER (WHERE d.a > 0) AS debtors_a, count(*) FILTER (WHERE d.b > 0) AS debtors_b,
                   count(*) FILTER (WHERE d.b = 0) AS only_a, count(*) FILTER (WHERE d.a = 0) AS only_b
            FROM debtor d GROUP BY 1, 2
            UNION ALL SELECT '*', '*', 0, 0, 0, 0, 0, 0 WHERE NOT EXISTS (SELECT FROM contact))
        SELECT e.segment::text, e.channel::text, e.a, e.b, e.b - e.a, e.debtors_a, e.debtors_b, e.only_a, e.only_b, coalesce(k.a, '{}'), coalesce(k.b, '{}'), coalesce(k.more, '{}')
        FROM cell e LEFT JOIN cost k ON k.segment = e.segment AND k.channel = e.channel
        ORDER BY e.segment <> '*', e.segment, e.channel <> '*', e.channel;
    PERFORM dunning._drop_simulation();
END
$fn$;
COMMENT ON FUNCTION dunning.compare_strategies(text, text, date, date, time) IS
    'What strategy b would have done other than a on these days (NULL: each debtor''s own), by simulate(): contacts (a message and its companion are one), debtors, those contacted by one of them only, cost by currency; more: b less a. One row a segment and channel; * stands for all. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.compare_strategies(text, text, date, date, time) TO dunning_operator;
