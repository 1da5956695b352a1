-- Promises and instalments: a hold while they are open, and what became of them, read from the ledger.

-- The end of a day wherever on earth: a promise "by the 3rd" is never called broken while it is still the 3rd somewhere.
CREATE FUNCTION dunning._day_end(day date) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ((day + 1)::timestamp AT TIME ZONE 'UTC') + interval '12 hours' $$;
COMMENT ON FUNCTION dunning._day_end(date) IS 'The instant at which a calendar day has ended in every zone.';

-- One query over the promises of many debtors (NULL: all), as of an instant. A payment counts from the moment of the promise on.
CREATE FUNCTION dunning._promise_state(many text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, promise_id uuid, creditor text, amount numeric, currency text, due_on date, part int, parts int,
                   promised_at timestamptz, deadline timestamptz, paid numeric, state text, hold_id uuid, recorded_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ids text[] := (SELECT array_agg(DISTINCT p.debtor_id) FROM dunning.promise p
                   WHERE (_promise_state.many IS NULL OR p.debtor_id = ANY (_promise_state.many))
                     AND (_promise_state.as_of IS NULL OR p.promised_at <= _promise_state.as_of));
BEGIN
    IF ids IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH pay AS MATERIALIZED (%s), mark AS MATERIALIZED (%s)
        SELECT p.debtor_id, p.promise_id, p.creditor, p.amount, p.currency, p.due_on, p.part, p.parts, p.promised_at,
               p.deadline, least(p.amount, greatest(0, p.since - (p.needed - p.amount))),
               CASE WHEN p.in_time >= p.needed THEN 'kept'
                    WHEN coalesce(p.cancelled_at <= $2, false) THEN 'cancelled'
                    -- Nothing open in the currency: settled by whatever means the ledger knows.
                    WHEN p.settled THEN 'kept'
                    WHEN p.since >= p.needed THEN 'late'
                    WHEN p.deadline > $2 THEN 'open'
                    ELSE 'broken' END,
               p.hold_id, p.recorded_by
        FROM (SELECT q.*, d.deadline, m.valid AND NOT m.amounts ? q.currency AS settled,
                     coalesce((SELECT sum(y.amount) FROM pay y WHERE y.debtor_id = q.debtor_id AND y.currency = q.currency), 0)
                         - q.paid_before AS since,
                     coalesce((SELECT sum(y.amount) FROM pay y
                               WHERE y.debtor_id = q.debtor_id AND y.currency = q.currency AND y.paid_at < d.deadline), 0)
                         - q.paid_before AS in_time
              FROM dunning.promise q
              CROSS JOIN LATERAL (SELECT dunning._day_end(q.due_on + dunning._value_of('promise_grace_days')::int) AS deadline) d
              LEFT JOIN mark m ON m.debtor_id = q.debtor_id
              WHERE q.debtor_id = ANY ($1) AND q.promised_at <= $2) p
        $q$, dunning._ledger_sql('payment', '$1', '$3'), dunning._mark_sql('$1', '$3'))
        USING ids, coalesce(_promise_state.as_of, dunning._now()), _promise_state.as_of;
END
$$;
COMMENT ON FUNCTION dunning._promise_state(text[], timestamptz) IS 'One row a promise of the debtors (NULL: all) as of an instant (NULL: now): what was paid on it and its state.';
GRANT EXECUTE ON FUNCTION dunning._promise_state(text[], timestamptz) TO dunning_viewer;

CREATE VIEW dunning.promise_state WITH (security_invoker, security_barrier) AS
    SELECT s.debtor_id, s.promise_id, s.creditor, s.amount, s.currency, s.due_on, s.part, s.parts, s.promised_at, s.deadline,
           s.paid, s.state, s.recorded_by
    FROM dunning._promise_state() s;
COMMENT ON VIEW dunning.promise_state IS 'One row a promise or instalment: open, kept, late (paid after the deadline), broken or cancelled, as the ledger says. Role dunning_viewer.';
GRANT SELECT ON dunning.promise_state TO dunning_viewer;

-- A settlement was paid: what is left of the invoices it was about is not dunned any more, and a person credits it.
CREATE FUNCTION dunning._keep_settlement(debtor_id text, hold_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    settled dunning.offer;
BEGIN
    SELECT o.* INTO settled FROM dunning.offer o
    WHERE o.debtor_id = _keep_settlement.debtor_id AND o.hold_id = _keep_settlement.hold_id AND o.kind = 'settlement';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    EXECUTE format($q$
        INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, note, from_at, placed_by)
        SELECT i.debtor_id, dunning._uuid7(), $2, 'settled', i.invoice_id, 'settled by an offer', dunning._now(), 'ledger'
        FROM (%s) i WHERE i.currency = $3 AND i.issued_on <= $4$q$, dunning._open_items_sql('$1', 'NULL'))
        USING ARRAY[settled.debtor_id], settled.creditor, settled.currency, dunning._today(settled.ended_at);
    -- Regarded as settled was the whole claim: no fee and no interest is left of it for billing to book.
    PERFORM w.charge_id FROM dunning.charge c, LATERAL dunning.waive(c.charge_id, 'settled by an offer') w
    WHERE c.debtor_id = settled.debtor_id AND c.currency = settled.currency AND c.waived_at IS NULL AND c.booked_at IS NULL
      AND EXISTS (SELECT FROM dunning.hold h WHERE h.debtor_id = c.debtor_id AND h.invoice_id = c.invoice_id AND h.reason = 'settled' AND h.released_at IS NULL);
    PERFORM dunning._task(settled.debtor_id, 'settlement_kept', format('a settlement was paid: credit the rest of %s %s', settled.amount, settled.currency),
                          creditor => settled.creditor);
END
$$;
COMMENT ON FUNCTION dunning._keep_settlement(text, uuid) IS 'Where the hold is that of a settlement: holds on the invoices it was about, their charges waived, and a task to credit the rest.';

-- Ends the holds of promises that are no longer open: broken ones, so that dunning goes on; kept ones, as there is nothing to wait for.
CREATE FUNCTION dunning._check_promises(many text[] DEFAULT NULL, OUT broken int, OUT ended int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    done record;
BEGIN
    broken := 0;
    ended := 0;
    FOR done IN
        SELECT s.debtor_id, s.creditor, s.hold_id, bool_or(s.state IN ('broken', 'late')) AS was_broken
        FROM dunning._promise_state(ARRAY(SELECT DISTINCT h.debtor_id FROM dunning.hold h
                                          WHERE h.reason = 'promise' AND h.released_at IS NULL
                                            AND (_check_promises.many IS NULL OR h.debtor_id = ANY (_check_promises.many)))) s
        JOIN dunning.hold h ON h.debtor_id = s.debtor_id AND h.hold_id = s.hold_id AND h.released_at IS NULL
        GROUP BY s.debtor_id, s.creditor, s.hold_id
        HAVING bool_or(s.state = 'broken') OR bool_and(s.state <> 'open')
    LOOP
        IF NOT done.was_broken THEN
            PERFORM dunning._keep_settlement(done.debtor_id, done.hold_id);
        END IF;
        UPDATE dunning.hold h SET released_at = dunning._now(), released_by = 'ledger'
        WHERE h.debtor_id = done.debtor_id AND h.hold_id = done.hold_id AND h.released_at IS NULL;
        ended := ended + 1;
        IF done.was_broken THEN
            broken := broken + 1;
            PERFORM dunning._task(done.debtor_id, 'broken_promise', 'a promise was not kept: ask why', creditor => done.creditor);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._check_promises(text[]) IS 'How many promises (of the debtors; NULL: all) were found broken and how many holds of promises ended.';

CREATE FUNCTION dunning._promise_parts(debtor_id text, parts jsonb,
                                       OUT promise_ids uuid[], OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_creditor text := dunning._creditor_of(_promise_parts.debtor_id);
    currencies text[];
    balance jsonb;
    paid jsonb;
BEGIN
    IF of_creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(_promise_parts.debtor_id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    currencies := ARRAY(SELECT DISTINCT p.part ->> 'currency' FROM jsonb_array_elements(_promise_parts.parts) AS p (part));
    EXECUTE format('SELECT m.amounts FROM (%s) m', dunning._mark_sql('$1')) INTO balance USING ARRAY[_promise_parts.debtor_id];
    IF NOT coalesce(balance, '{}') ?& currencies THEN
        RAISE EXCEPTION 'debtor "%" owes nothing in %', _promise_parts.debtor_id,
                (SELECT string_agg(c.currency, ', ') FROM unnest(currencies) AS c (currency) WHERE NOT coalesce(balance, '{}') ? c.currency)
            USING ERRCODE = '22023', DETAIL = format('Open is %s.', coalesce(balance, '{}')),
                  HINT = format('SELECT * FROM dunning.balance(%L);', _promise_parts.debtor_id);
    END IF;
    EXECUTE format('SELECT jsonb_object_agg(s.currency, s.paid) FROM (SELECT p.currency, sum(p.amount) AS paid FROM (%s) p GROUP BY 1) s',
                   dunning._ledger_sql('payment', '$1'))
        INTO paid USING ARRAY[_promise_parts.debtor_id];

    -- A new promise replaces an open one in the same currency, and answers what waited for us.
    UPDATE dunning.promise p SET cancelled_at = dunning._now()
    WHERE p.debtor_id = _promise_parts.debtor_id AND p.currency = ANY (currencies) AND p.cancelled_at IS NULL
      AND EXISTS (SELECT FROM dunning._promise_state(ARRAY[_promise_parts.debtor_id]) s
                  WHERE s.promise_id = p.promise_id AND s.state = 'open');
    UPDATE dunning.hold h SET released_at = dunning._now(), released_by = session_user
    WHERE h.debtor_id = _promise_parts.debtor_id AND h.released_at IS NULL
      AND (h.reason = 'awaiting_us'
           OR h.reason = 'promise' AND NOT EXISTS (SELECT FROM dunning._promise_state(ARRAY[_promise_parts.debtor_id]) s
               WHERE s.hold_id = h.hold_id AND s.state = 'open'));
    UPDATE dunning.task t
    SET completed_at = dunning._now(), outcome = 'promised', claimed_by = coalesce(t.claimed_by, session_user)
    WHERE t.debtor_id = _promise_parts.debtor_id AND t.completed_at IS NULL
      AND t.kind IN ('reply', 'called_in', 'promise', 'plan_request', 'circumstances_changed', 'broken_promise');

    hold_id := dunning._uuid7();
    until_at := (SELECT max(dunning._day_end((p.part ->> 'due_on')::date + dunning._value_of('promise_grace_days')::int))
                 FROM jsonb_array_elements(_promise_parts.parts) AS p (part));
    stopped := dunning._stop_messages(_promise_parts.debtor_id, 'promise');
    INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by)
    VALUES (_promise_parts.debtor_id, hold_id, of_creditor, 'promise', dunning._now(), until_at, session_user);
    WITH added AS (
        INSERT INTO dunning.promise AS n (debtor_id, promise_id, creditor, amount, currency, due_on, part, parts, paid_before, needed,
                                          hold_id, promised_at, recorded_by)
        SELECT _promise_parts.debtor_id, dunning._uuid7(), of_creditor, p.amount, p.currency, p.due_on,
               row_number() OVER (ORDER BY p.due_on, p.ord), count(*) OVER (),
               coalesce((paid ->> p.currency)::numeric, 0),
               sum(p.amount) OVER (PARTITION BY p.currency ORDER BY p.due_on, p.ord),
               _promise_parts.hold_id, dunning._now(), session_user
        FROM (SELECT (e.part ->> 'amount')::numeric AS amount, e.part ->> 'currency' AS currency, (e.part ->> 'due_on')::date AS due_on, e.ord
              FROM jsonb_array_elements(_promise_parts.parts) WITH ORDINALITY AS e (part, ord)) p
        RETURNING n.promise_id, n.part)
    SELECT array_agg(a.promise_id ORDER BY a.part) INTO promise_ids FROM added a;
    INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
    VALUES (_promise_parts.debtor_id, dunning._uuid7(), of_creditor, 'promised', dunning._now(),
            jsonb_build_object('promises', _promise_parts.parts), dunning._now(), session_user);
END
$$;
COMMENT ON FUNCTION dunning._promise_parts(text, jsonb) IS 'Records checked parts of a promise, the hold that lasts as long, and the event.';

CREATE FUNCTION dunning._check_part(part jsonb, hint text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    amount numeric;
    due_on date;
    today date := (dunning._now() - interval '12 hours')::date;
BEGIN
    BEGIN
        amount := (part ->> 'amount')::numeric;
        due_on := (part ->> 'due_on')::date;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'a promise needs an amount and a date, not %', part
            USING ERRCODE = '22023', DETAIL = SQLERRM || '.', HINT = _check_part.hint;
    END;
    IF amount IS NULL OR amount <= 0 OR amount = 'NaN' OR amount = 'infinity' OR part ->> 'currency' IS NULL THEN
        RAISE EXCEPTION 'a promise needs a positive amount and a currency, not %', part
            USING ERRCODE = '22023', DETAIL = 'The amount is a number above zero, the currency a code such as EUR.', HINT = _check_part.hint;
    END IF;
    IF due_on IS NULL OR NOT isfinite(due_on) OR due_on < today OR due_on > today + 3660 THEN
        RAISE EXCEPTION 'a promise is due from today on and within ten years, not %', coalesce(due_on::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Today is %s.', today), HINT = _check_part.hint;
    END IF;
    RETURN jsonb_build_object('amount', amount, 'currency', part ->> 'currency', 'due_on', due_on);
END
$$;
COMMENT ON FUNCTION dunning._check_part(jsonb, text) IS 'A part of a promise as checked: positive amount, currency, a date from today on. Else 22023 with the hint.';

CREATE FUNCTION dunning.promise(debtor_id text, amount numeric, currency text, due_on date,
                                OUT promise_id uuid, OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    SELECT p.promise_ids[1], p.hold_id, p.until_at, p.stopped INTO promise_id, hold_id, until_at, stopped
    FROM dunning._promise_parts(dunning._canonical_id(promise.debtor_id),
        jsonb_build_array(dunning._check_part(jsonb_build_object('amount', promise.amount, 'currency', promise.currency,
                                                                 'due_on', promise.due_on),
                          format('SELECT * FROM dunning.promise(%L, %s, %L, %L);', promise.debtor_id, CASE WHEN promise.amount > 0 AND promise.amount < 'Infinity' THEN promise.amount ELSE 100 END,
                                 coalesce(promise.currency, 'EUR'), dunning._today(NULL) + 14)))) p;
END
$$;
COMMENT ON FUNCTION dunning.promise(text, numeric, text, date) IS
    'One row: the promise, the hold until its date and some days of grace, messages stopped. Bad amount, date or currency: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.promise(text, numeric, text, date) TO dunning_operator;

CREATE FUNCTION dunning.agree_instalments(debtor_id text, instalments jsonb,
                                          OUT promise_ids uuid[], OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    hint text := format('SELECT * FROM dunning.agree_instalments(%L, %L);', agree_instalments.debtor_id, jsonb_build_array(
        jsonb_build_object('amount', 100, 'currency', 'EUR', 'due_on', dunning._today(NULL) + 14), jsonb_build_object('amount', 100, 'currency', 'EUR', 'due_on', dunning._today(NULL) + 44)));
BEGIN
    IF instalments IS NULL OR jsonb_typeof(instalments) <> 'array' OR jsonb_array_length(instalments) NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'instalments are a JSON array of 1 to 120 parts'
            USING ERRCODE = '22023', DETAIL = 'Each has an amount, a currency and the date on which it is due.', HINT = hint;
    END IF;
    SELECT p.promise_ids, p.hold_id, p.until_at, p.stopped INTO promise_ids, hold_id, until_at, stopped
    FROM dunning._promise_parts(dunning._canonical_id(agree_instalments.debtor_id),
        (SELECT jsonb_agg(dunning._check_part(i.part, hint) ORDER BY i.ord)
         FROM jsonb_array_elements(instalments) WITH ORDINALITY AS i (part, ord))) p;
END
$$;
COMMENT ON FUNCTION dunning.agree_instalments(text, jsonb) IS
    'One row: the instalments in order of date and the hold until the last one; a broken one ends it. Bad parts: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.agree_instalments(text, jsonb) TO dunning_operator;
