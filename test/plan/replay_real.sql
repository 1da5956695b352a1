-- The same days with plan() itself under dunning.clock, nobody answering: holds and suppressions are placed when their hour comes, and
-- what is due is asked of the gate and leaves, as the worker does it. Nothing of the simulation is used here.
CREATE FUNCTION ref.set_clock(at timestamptz) RETURNS void LANGUAGE plpgsql SET datestyle = 'ISO' AS $$ BEGIN PERFORM set_config('dunning.clock', at::text, false); END $$;

-- Everything between the last instant and this one that people did.
CREATE FUNCTION ref.catch_up(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    h record;
BEGIN
    FOR h IN SELECT x.* FROM ref.hold x WHERE x.from_at <= at AND NOT EXISTS (SELECT FROM dunning.hold o WHERE o.hold_id = x.hold_id) ORDER BY x.from_at LOOP
        PERFORM ref.set_clock(h.from_at);
        INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, note, from_at, until_at, placed_by)
        SELECT h.debtor_id, h.hold_id, h.creditor, h.reason, h.invoice_id, h.note, h.from_at, h.until_at, h.placed_by;
        PERFORM dunning._stop_messages(h.debtor_id, 'hold:manual');
    END LOOP;
    UPDATE dunning.hold o SET released_at = x.released_at FROM ref.hold x WHERE x.hold_id = o.hold_id AND x.released_at <= at AND o.released_at IS NULL;
    INSERT INTO dunning.suppression SELECT * FROM ref.suppression s WHERE s.suppressed_at <= at ON CONFLICT DO NOTHING;
    PERFORM ref.set_clock(at);
END $$;

CREATE FUNCTION ref.send(at timestamptz, look_again timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    d text[];
    i uuid[];
    x record;
    next timestamptz;
BEGIN
    UPDATE dunning.queue SET state = 'queued' WHERE state = 'held' AND due <= at;
    SELECT array_agg(q.debtor_id ORDER BY q.due, q.message_id), array_agg(q.message_id ORDER BY q.due, q.message_id) INTO d, i FROM dunning.queue q WHERE q.state = 'queued' AND q.due <= at;
    IF d IS NULL THEN   -- stopped on the way here
        RETURN;
    END IF;
    FOR x IN SELECT m.*, g.blocked_by FROM dunning._gate(d, ARRAY(SELECT m.channel FROM unnest(d, i) WITH ORDINALITY u(d, i, n) JOIN dunning.message m ON m.debtor_id = u.d AND m.message_id = u.i ORDER BY u.n),
                     array_fill(at, ARRAY[cardinality(d)]), ARRAY(SELECT m.ledger_mark FROM unnest(d, i) WITH ORDINALITY u(d, i, n) JOIN dunning.message m ON m.debtor_id = u.d AND m.message_id = u.i ORDER BY u.n), i) g
             JOIN dunning.message m ON m.message_id = i[g.ord] AND m.debtor_id = d[g.ord] ORDER BY g.ord LOOP
        IF x.blocked_by = '{}' THEN
            INSERT INTO dunning.egress SELECT x.message_id, 1, x.debtor_id, x.creditor, x.channel, x.server, '\x00', '{}', '\x00', 1, 'test', false, x.cost, x.cost_currency, now(), at, dunning._slice(x.debtor_id), 1, '\x00', '\x00';
            PERFORM dunning._settle(ARRAY[x.debtor_id]::text[], ARRAY[x.message_id], '{1}', '{sent}', '{test}', '{NULL}', '{NULL}', '{NULL}');
        ELSIF x.blocked_by && '{balance_changed,no_balance}' THEN
            PERFORM dunning._cancel_messages(ARRAY[x.debtor_id]::text[], ARRAY[x.message_id], (SELECT b FROM unnest(x.blocked_by) b WHERE b IN ('balance_changed', 'no_balance') LIMIT 1), true);
        ELSE
            next := NULL;
            IF NOT EXISTS (SELECT FROM unnest(x.blocked_by) b WHERE split_part(b, ':', 1) NOT IN ('quiet_hours', 'holiday', 'cap', 'min_gap', 'after_conversation')) THEN
                EXECUTE 'SELECT dunning._next_open(f.at, f.at + interval ''14 days'', f.debtor_id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks, f.message_id) FROM (' || dunning._gate_facts_sql() || ') f'
                    INTO next USING ARRAY[x.debtor_id]::text[], ARRAY[x.channel]::text[], ARRAY[at], ARRAY[x.ledger_mark], ARRAY[x.message_id];
            END IF;
            UPDATE dunning.queue q SET state = CASE WHEN next IS NULL THEN 'held' ELSE 'queued' END, due = greatest(next, at + interval '1 second', CASE WHEN next IS NULL THEN look_again END)
            WHERE q.debtor_id = x.debtor_id AND q.message_id = x.message_id;
        END IF;
    END LOOP;
END $$;

-- A run each morning at six, and all that is due until an instant. Nothing is left over before it: what follows begins with a run.
CREATE FUNCTION ref.live(strategy text, from_date date, until_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := (from_date + time '06:00') AT TIME ZONE 'Europe/Copenhagen';
    day date := from_date;
    ends timestamptz;
    due timestamptz;
BEGIN
    WHILE at < until_at LOOP
        day := day + 1;
        ends := least(until_at, (day + time '06:00') AT TIME ZONE 'Europe/Copenhagen');
        PERFORM ref.catch_up(at);
        PERFORM count(*) FROM dunning.plan(strategy);
        LOOP
            SELECT min(q.due) INTO due FROM dunning.queue q;
            EXIT WHEN due IS NULL OR due >= ends;
            PERFORM ref.catch_up(due);
            -- who was stopped meanwhile is due no more
            PERFORM ref.send(due, ends);
        END LOOP;
        PERFORM ref.catch_up(ends - interval '1 microsecond');
        at := ends;
    END LOOP;
END $$;

-- What was done, in the words of a simulation.
CREATE FUNCTION ref.done(from_date date) RETURNS TABLE (day date, debtor_id text, step text, channel text, contact_at timestamptz, amounts jsonb, cost numeric, cost_currency text, state text, reason text) LANGUAGE sql AS $$
SELECT (m.created_at AT TIME ZONE 'Europe/Copenhagen')::date, m.debtor_id, m.step, m.channel, m.contact_at, m.amounts, CASE WHEN s.state = 'cancelled' THEN 0 ELSE m.cost END, m.cost_currency,
       CASE WHEN s.state = 'held' THEN 'queued' ELSE s.state END, CASE WHEN s.state = 'cancelled' THEN s.reason END
FROM dunning.message m JOIN dunning.message_state s USING (debtor_id, message_id) WHERE m.created_at >= from_date AND m.run_id IS NOT NULL $$;
