-- event: hand-over to an agency or a court, and write-off. Proposed by a rule or a person, decided by a person; what is decided holds the
-- invoices, so that planning, offers and fees leave them out. Billing reads it here: the ledger is never written.
--
--   proposed ──approve_handover──> approved ──take_back──> taken_back
--   proposed ──reject_handover──> rejected

CREATE TABLE dunning.handover (
    debtor_id       text COLLATE "C" NOT NULL,
    handover_id     uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('agency', 'court', 'write_off')),
    state           text COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected', 'taken_back')),
    why             text NOT NULL,              -- last_step, stopped or age of a rule, by_hand
    invoices        jsonb NOT NULL,             -- [{invoice_id, reference, currency, due_on, amount, open}], as proposed, then as decided
    amounts         jsonb NOT NULL,             -- currency -> what was open of them
    charges         jsonb,                      -- currency -> what fees and interest stood open beside them when it was decided
    recipient       text,                       -- which agency, which court
    commission_percent numeric CHECK (commission_percent >= 0 AND commission_percent <= 100),   -- of what comes in
    note            text,
    proposed_at     timestamptz NOT NULL,
    proposed_by     text NOT NULL,              -- a role, or rule:<name>
    decided_at      timestamptz,
    decided_by      text,
    decision_note   text,
    ended_at        timestamptz,
    ended_by        text,
    end_note        text,
    hold_ids        uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (debtor_id, handover_id),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((state = 'taken_back') = (ended_at IS NOT NULL))
);
-- One case a debtor waits for a decision, whoever proposes.
CREATE UNIQUE INDEX handover_proposed ON dunning.handover (debtor_id) WHERE state = 'proposed';
CREATE INDEX handover_id ON dunning.handover (handover_id);
COMMENT ON TABLE dunning.handover IS 'Hand-overs to agencies and courts and write-offs: proposed, decided, taken back, with the invoices they are about.';
SELECT pg_catalog.pg_extension_config_dump('dunning.handover', '');

CREATE TABLE dunning.handover_rule (
    rule            text COLLATE "C" PRIMARY KEY,
    position        int NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('agency', 'court', 'write_off')),
    after           text NOT NULL CHECK (after IN ('last_step', 'stopped', 'age')),
    days            int NOT NULL CHECK (days >= 0),
    creditor        text COLLATE "C",           -- NULL: all
    debtor_kind     text CHECK (debtor_kind IN ('person', 'company')),
    minimum         jsonb NOT NULL DEFAULT '{}',        -- currency or '*' -> the least sum worth it
    recipient       text,
    commission_percent numeric CHECK (commission_percent >= 0 AND commission_percent <= 100),
    saved_by        text NOT NULL,
    saved_at        timestamptz NOT NULL
);
COMMENT ON TABLE dunning.handover_rule IS 'When maintain() and daily() propose a hand-over or write-off by themselves; none is shipped.';
SELECT pg_catalog.pg_extension_config_dump('dunning.handover_rule', '');
GRANT SELECT (debtor_id, handover_id, creditor, kind, state, why, invoices, amounts, charges, recipient, commission_percent, proposed_at, proposed_by, decided_at, decided_by, ended_at, ended_by)
    ON dunning.handover TO dunning_viewer;
GRANT SELECT ON dunning.handover TO dunning_operator;
GRANT SELECT ON dunning.handover_rule TO dunning_viewer;

CREATE FUNCTION dunning._handover_event(of_case dunning.handover, what text, note text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
    VALUES (of_case.debtor_id, dunning._uuid7(), of_case.creditor, what, dunning._now(),
            jsonb_strip_nulls(jsonb_build_object('handover_id', of_case.handover_id, 'kind', of_case.kind, 'why', of_case.why, 'amounts', of_case.amounts,
                'invoices', (SELECT jsonb_agg(i.i ->> 'invoice_id') FROM jsonb_array_elements(of_case.invoices) i(i)), 'recipient', of_case.recipient, 'text', note)),
            dunning._now(), session_user);
END
$$;
COMMENT ON FUNCTION dunning._handover_event(dunning.handover, text, text) IS 'Nothing; writes what happened to a case into the debtor''s events.';

-- What can be handed over: what is open and overdue. What is disputed or held by itself is not, unless it is written off.
CREATE FUNCTION dunning._handover_items(debtor_id text, invoice_ids text[], kind text) RETURNS TABLE (item jsonb, currency text, open numeric, left_out text, days int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT jsonb_build_object('invoice_id', i.invoice_id, 'reference', i.reference, 'currency', i.currency, 'due_on', to_char(i.due_on, 'YYYY-MM-DD'),
                                  'amount', trim_scale(i.amount), 'open', trim_scale(i.open)), i.currency, i.open,
               CASE WHEN i.left_out IN ('hold:handed_over', 'hold:written_off') THEN i.left_out WHEN $3 = 'write_off' THEN NULL ELSE i.left_out END, i.days
        FROM (%s) i WHERE CASE WHEN $2 IS NULL THEN i.days > 0 ELSE i.invoice_id = ANY ($2) END
        ORDER BY i.due_on, i.invoice_id$q$, dunning._plan_items_sql('$1', 'NULL::timestamptz'))
        USING ARRAY[_handover_items.debtor_id], _handover_items.invoice_ids, _handover_items.kind;
END
$$;
COMMENT ON FUNCTION dunning._handover_items(text, text[], text) IS 'The open invoices of a case (NULL: all overdue ones), and why one cannot be part of it.';

-- Holds of the whole debtor during which nobody else is set on him.
CREATE FUNCTION dunning._handover_blockers(debtor_ids text[], kind text) RETURNS TABLE (debtor_id text, reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT DISTINCT h.debtor_id, h.reason FROM dunning._held_by(_handover_blockers.debtor_ids) h
        WHERE h.invoice_id IS NULL AND CASE WHEN _handover_blockers.kind = 'write_off' THEN h.reason = 'promise' ELSE h.reason NOT IN ('manual', 'legal_representation') END;
END
$$;
COMMENT ON FUNCTION dunning._handover_blockers(text[], text) IS 'Debtors whose holds forbid a hand-over of a kind, with the reason: a running promise always, for agency and court any but manual and legal_representation.';

CREATE FUNCTION dunning._check_commission(kind text, recipient text, commission_percent numeric, hint text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF kind IS NULL OR kind NOT IN ('agency', 'court', 'write_off') THEN
        RAISE EXCEPTION 'there is no hand-over of kind "%"', coalesce(kind, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'Kinds are agency, court and write_off.', HINT = hint;
    ELSIF commission_percent IS NOT NULL AND (kind = 'write_off' OR NOT commission_percent BETWEEN 0 AND 100) THEN
        RAISE EXCEPTION 'the commission cannot be % percent', commission_percent
            USING ERRCODE = '22023', DETAIL = 'It is the share, from 0 to 100, that an agency or lawyer keeps of what comes in; a write-off has none.', HINT = hint;
    ELSIF kind = 'agency' AND coalesce(btrim(recipient), '') = '' THEN
        RAISE EXCEPTION 'which agency is not said' USING ERRCODE = '22023', DETAIL = 'The recipient stands in the export and in the report.', HINT = hint;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_commission(text, text, numeric, text) IS 'Nothing; 22023 for a kind, recipient or share that makes no sense.';

CREATE FUNCTION dunning.propose_handover(debtor_id text, kind text, invoice_ids text[] DEFAULT NULL, recipient text DEFAULT NULL, commission_percent numeric DEFAULT NULL,
                                         note text DEFAULT NULL, OUT handover_id uuid, OUT state text, OUT invoices int, OUT amounts jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(propose_handover.debtor_id);
    hint text := format('SELECT * FROM dunning.propose_handover(%L, ''agency'', recipient => ''Inkasso Nord'', commission_percent => 12);', id);
    made dunning.handover;
    blocked text;
    items jsonb;
BEGIN
    PERFORM dunning._check_commission(propose_handover.kind, propose_handover.recipient, propose_handover.commission_percent, hint);
    made.creditor := dunning._creditor_of(id);
    IF made.creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'The ledger has no such debtor.', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    SELECT string_agg(b.reason, ', ' ORDER BY b.reason) INTO blocked FROM dunning._handover_blockers(ARRAY[id], propose_handover.kind) b;
    IF blocked IS NOT NULL THEN
        RAISE EXCEPTION 'debtor "%" cannot be handed over now', id
            USING ERRCODE = '55000', DETAIL = format('In force: %s.', blocked), HINT = format('SELECT * FROM dunning.explain(%L);', id);
    END IF;
    SELECT jsonb_agg(i.item) FILTER (WHERE i.left_out IS NULL),
           string_agg(format('%s (%s)', i.item ->> 'invoice_id', i.left_out), ', ') FILTER (WHERE i.left_out IS NOT NULL)
        INTO items, blocked FROM dunning._handover_items(id, propose_handover.invoice_ids, propose_handover.kind) i;
    IF propose_handover.invoice_ids IS NOT NULL AND coalesce(jsonb_array_length(items), 0) <> (SELECT count(DISTINCT u.u) FROM unnest(propose_handover.invoice_ids) u(u)) THEN
        RAISE EXCEPTION 'not every one of these invoices can be handed over'
            USING ERRCODE = '22023', DETAIL = coalesce('Left out: ' || blocked || '. ', '') || format('Open of them: %s.',
                      coalesce((SELECT string_agg(i.i ->> 'invoice_id', ', ') FROM jsonb_array_elements(items) i(i)), 'none')),
                  HINT = format('SELECT * FROM dunning.balance(%L);', id);
    ELSIF items IS NULL THEN
        RAISE EXCEPTION 'debtor "%" has nothing to hand over', id
            USING ERRCODE = '22023', DETAIL = coalesce('Left out: ' || blocked || '.', 'Nothing is overdue.'), HINT = format('SELECT * FROM dunning.explain(%L);', id);
    END IF;
    made.handover_id := dunning._uuid7();
    made.invoices := items;
    made.amounts := dunning._handover_sums(items);
    INSERT INTO dunning.handover AS v (debtor_id, handover_id, creditor, kind, state, why, invoices, amounts, recipient, commission_percent, note, proposed_at, proposed_by)
    VALUES (id, made.handover_id, made.creditor, propose_handover.kind, 'proposed', 'by_hand', items, made.amounts, propose_handover.recipient,
            propose_handover.commission_percent, propose_handover.note, dunning._now(), session_user)
    ON CONFLICT DO NOTHING RETURNING v.* INTO made;
    IF made.handover_id IS NULL THEN
        RAISE EXCEPTION 'debtor "%" has a case that waits for a decision', id
            USING ERRCODE = '55000', DETAIL = (SELECT format('%s, proposed by %s at %s.', v.kind, v.proposed_by, v.proposed_at) FROM dunning.handover v WHERE v.debtor_id = id AND v.state = 'proposed'),
                  HINT = format('SELECT * FROM dunning.handovers WHERE debtor_id = %L AND state = ''proposed'';', id);
    END IF;
    PERFORM dunning._handover_event(made, 'handover_proposed', made.note);
    handover_id := made.handover_id;
    state := made.state;
    invoices := jsonb_array_length(items);
    amounts := made.amounts;
END
$$;
COMMENT ON FUNCTION dunning.propose_handover(text, text, text[], text, numeric, text) IS
    'One row: the case that now waits for approve_handover(), with its invoices (NULL: all that are overdue, neither disputed nor held) and sums. kind: agency, court, write_off. Nothing stops yet. Bad kind, recipient, share or invoices: 22023; a hold that forbids it, or another case that waits: 55000. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.propose_handover(text, text, text[], text, numeric, text) TO dunning_operator;

CREATE FUNCTION dunning._handover_sums(items jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN (SELECT coalesce(jsonb_object_agg(s.currency, s.open), '{}')
            FROM (SELECT i.i ->> 'currency' AS currency, trim_scale(sum((i.i ->> 'open')::numeric)) AS open FROM jsonb_array_elements(items) i(i) GROUP BY 1) s);
END
$$;
COMMENT ON FUNCTION dunning._handover_sums(jsonb) IS 'What is open of the invoices of a case, by currency.';

CREATE FUNCTION dunning._find_handover(handover_id uuid, wanted text) RETURNS dunning.handover
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    found_case dunning.handover;
BEGIN
    SELECT v.* INTO found_case FROM dunning.handover v WHERE v.handover_id = _find_handover.handover_id FOR UPDATE;
    IF found_case.handover_id IS NULL THEN
        RAISE EXCEPTION 'there is no hand-over %', coalesce(_find_handover.handover_id::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'No case has this id.', HINT = format('SELECT handover_id, debtor_id, kind FROM dunning.handovers WHERE state = %L;', wanted);
    ELSIF found_case.state <> wanted THEN
        RAISE EXCEPTION 'the case is %', found_case.state
            USING ERRCODE = '55000', DETAIL = format('%s decided on %s.', found_case.decided_by, found_case.decided_at),
                  HINT = format('SELECT * FROM dunning.handovers WHERE debtor_id = %L;', found_case.debtor_id);
    END IF;
    RETURN found_case;
END
$$;
COMMENT ON FUNCTION dunning._find_handover(uuid, text) IS 'A case of the state wanted, locked. Unknown: 22023; of another state: 55000.';

-- What of the case is still open, as it is decided. Somebody may have paid, disputed or been protected since it was proposed.
CREATE FUNCTION dunning._still_to_hand_over(of_case dunning.handover) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    blocked text;
    items jsonb;
BEGIN
    IF dunning._value_of('four_eyes')::boolean AND of_case.proposed_by = session_user THEN
        RAISE EXCEPTION 'who proposed a hand-over does not approve it'
            USING ERRCODE = '42501', DETAIL = format('%s proposed it, and the value four_eyes is true.', of_case.proposed_by),
                  HINT = format('Another person: SELECT * FROM dunning.approve_handover(%L);', of_case.handover_id);
    END IF;
    SELECT string_agg(b.reason, ', ' ORDER BY b.reason) INTO blocked FROM dunning._handover_blockers(ARRAY[of_case.debtor_id], of_case.kind) b;
    IF blocked IS NULL THEN
        SELECT jsonb_agg(i.item) INTO items
        FROM dunning._handover_items(of_case.debtor_id, ARRAY(SELECT x.x ->> 'invoice_id' FROM jsonb_array_elements(of_case.invoices) x(x)), of_case.kind) i
        WHERE i.left_out IS NULL;
    END IF;
    IF items IS NULL THEN
        RAISE EXCEPTION 'the case cannot be approved any more'
            USING ERRCODE = '55000', DETAIL = coalesce('In force since: ' || blocked || '.', 'Nothing of it is open, undisputed and free of holds.'),
                  HINT = format('SELECT * FROM dunning.reject_handover(%L, ''overtaken'');', of_case.handover_id);
    END IF;
    RETURN items;
END
$$;
COMMENT ON FUNCTION dunning._still_to_hand_over(dunning.handover) IS 'The invoices of a case as they are open now; 42501 for its own proposer under four_eyes, 55000 where nothing is left or a hold forbids it.';

CREATE FUNCTION dunning.approve_handover(handover_id uuid, note text DEFAULT NULL, OUT debtor_id text, OUT invoices int, OUT amounts jsonb, OUT messages_stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_case dunning.handover := dunning._find_handover(approve_handover.handover_id, 'proposed');
    items jsonb := dunning._still_to_hand_over(of_case);
    held dunning.hold;
    added jsonb;
    one record;
BEGIN
    EXECUTE format('SELECT jsonb_object_agg(c.currency, trim_scale(c.open)) FROM (%s) c WHERE c.open <> 0', dunning._charges_sql('$1'))
        INTO added USING ARRAY[of_case.debtor_id];
    messages_stopped := 0;
    FOR one IN SELECT i.i ->> 'invoice_id' AS invoice_id FROM jsonb_array_elements(items) i(i) LOOP
        held := NULL;
        held.debtor_id := of_case.debtor_id;
        held.hold_id := dunning._uuid7();
        held.creditor := of_case.creditor;
        held.reason := CASE WHEN of_case.kind = 'write_off' THEN 'written_off' ELSE 'handed_over' END;
        held.invoice_id := one.invoice_id;
        held.from_at := dunning._now();
        held.scope := 'debtor';
        held.pending := false;
        messages_stopped := messages_stopped + dunning._place_hold(held);
        of_case.hold_ids := of_case.hold_ids || held.hold_id;
    END LOOP;
    UPDATE dunning.handover v SET state = 'approved', invoices = items, amounts = dunning._handover_sums(items), charges = added,
        decided_at = dunning._now(), decided_by = session_user, decision_note = approve_handover.note, hold_ids = of_case.hold_ids
    WHERE v.debtor_id = of_case.debtor_id AND v.handover_id = of_case.handover_id RETURNING v.* INTO of_case;
    -- Calls and visits that were to ask for it, where nothing else is asked for.
    IF NOT EXISTS (SELECT FROM dunning._asked_for(ARRAY[of_case.debtor_id], NULL)) THEN
        UPDATE dunning.task t SET completed_at = dunning._now(), outcome = 'cancelled', note = coalesce(t.note, held.reason)
        WHERE t.debtor_id = of_case.debtor_id AND t.completed_at IS NULL AND t.kind IN ('call', 'visit');
    END IF;
    PERFORM dunning._handover_event(of_case, held.reason, approve_handover.note);
    debtor_id := of_case.debtor_id;
    invoices := jsonb_array_length(items);
    amounts := of_case.amounts;
END
$$;
COMMENT ON FUNCTION dunning.approve_handover(uuid, text) IS
    'One row: the invoices handed over or written off, as open now, and messages stopped. They are held from this transaction on: no contact, no fee, no offer; written-off ones bear no interest. With four_eyes not by who proposed it (42501). Unknown: 22023; decided already, nothing left, or a hold that forbids it: 55000. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.approve_handover(uuid, text) TO dunning_admin;

CREATE FUNCTION dunning._need_note(note text, call text, handover_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF coalesce(btrim(note), '') = '' THEN
        RAISE EXCEPTION 'a decision like this has a reason' USING ERRCODE = '22023', DETAIL = 'The reason stands in the history.',
            HINT = format('SELECT * FROM dunning.%s(%L, ''why'');', call, handover_id);
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._need_note(text, text, uuid) IS 'Nothing; 22023 where no reason is given.';

CREATE FUNCTION dunning.reject_handover(handover_id uuid, note text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_case dunning.handover := dunning._find_handover(reject_handover.handover_id, 'proposed');
BEGIN
    PERFORM dunning._need_note(reject_handover.note, 'reject_handover', of_case.handover_id);
    UPDATE dunning.handover v SET state = 'rejected', decided_at = dunning._now(), decided_by = session_user, decision_note = reject_handover.note
    WHERE v.debtor_id = of_case.debtor_id AND v.handover_id = of_case.handover_id;
    PERFORM dunning._handover_event(of_case, 'handover_rejected', reject_handover.note);
    RETURN of_case.debtor_id;
END
$$;
COMMENT ON FUNCTION dunning.reject_handover(uuid, text) IS
    'The debtor whose case is not approved; dunning goes on, and no rule proposes it again for handover_again_days. No reason or unknown: 22023; decided already: 55000. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reject_handover(uuid, text) TO dunning_admin;

CREATE FUNCTION dunning.take_back(handover_id uuid, note text, OUT debtor_id text, OUT invoices int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_case dunning.handover := dunning._find_handover(take_back.handover_id, 'approved');
    held dunning.hold;
BEGIN
    PERFORM dunning._need_note(take_back.note, 'take_back', of_case.handover_id);
    UPDATE dunning.handover v SET state = 'taken_back', ended_at = dunning._now(), ended_by = session_user, end_note = take_back.note
    WHERE v.debtor_id = of_case.debtor_id AND v.handover_id = of_case.handover_id;
    FOR held IN SELECT h.* FROM dunning.hold h WHERE h.debtor_id = of_case.debtor_id AND h.hold_id = ANY (of_case.hold_ids) AND h.released_at IS NULL LOOP
        PERFORM dunning._end_hold(held, take_back.note);
    END LOOP;
    PERFORM dunning._handover_event(of_case, 'taken_back', take_back.note);
    debtor_id := of_case.debtor_id;
    invoices := jsonb_array_length(of_case.invoices);
END
$$;
COMMENT ON FUNCTION dunning.take_back(uuid, text) IS
    'One row: the debtor whose hand-over or write-off is undone, and how many invoices are dunned again from the next planning on. No reason or unknown: 22023; not approved: 55000. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.take_back(uuid, text) TO dunning_admin;
