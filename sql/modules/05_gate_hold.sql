-- gate: holds. Placed by a person or by what a debtor does, for one invoice, an account, a person with all accounts, or a creditor's whole
-- book; released by a person or over by the clock. The gate reads them; nothing here is ever deleted but by retention.

CREATE FUNCTION dunning._reason_of(reason text) RETURNS dunning.hold_reason
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known dunning.hold_reason;
BEGIN
    SELECT r.* INTO known FROM dunning.hold_reason r WHERE r.reason = _reason_of.reason ORDER BY r.builtin LIMIT 1;
    RETURN known;
END
$fn$;
COMMENT ON FUNCTION dunning._reason_of(text) IS 'What a reason means, the house''s row before the shipped one; a row of nulls where it is not known.';

-- Where somebody lives is not always known: a day begins with its first instant and ends with its last one in any zone that it may be.
CREATE FUNCTION dunning._day_where(debtor_id text, day date, ending boolean) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    wanted timestamp := (_day_where.day + _day_where.ending::int)::timestamp;
    first timestamptz;
    last timestamptz;
BEGIN
    IF _day_where.debtor_id <> '' AND dunning._ledger_problem() IS DISTINCT FROM 'ledger_broken' THEN
        EXECUTE format('SELECT min($2 AT TIME ZONE z.z), max($2 AT TIME ZONE z.z) FROM (%s) d, unnest(dunning._zone(d.time_zone, d.country, d.region)) z(z)',
                       dunning._ledger_sql('debtor', '$1')) INTO first, last USING ARRAY[_day_where.debtor_id], wanted;
    END IF;
    RETURN coalesce(CASE WHEN _day_where.ending THEN last ELSE first END, wanted AT TIME ZONE (dunning._zone(NULL, NULL, NULL))[1]);
END
$fn$;
COMMENT ON FUNCTION dunning._day_where(text, date, boolean) IS 'The first instant of a day where a debtor lives, or (ending) the instant at which it is over; debtor '''': in the house''s zone.';

-- From when to when, as given and as the reason has it.
CREATE FUNCTION dunning._hold_span(debtor_id text, reason dunning.hold_reason, from_on date, until date, hint text, OUT from_at timestamptz, OUT until_at timestamptz, OUT pending boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    today date := (dunning._now() AT TIME ZONE 'UTC')::date;
    ends date := coalesce(_hold_span.until, coalesce(_hold_span.from_on, today) + reason.default_days);
BEGIN
    IF _hold_span.from_on IS NOT NULL AND (NOT isfinite(_hold_span.from_on) OR abs(_hold_span.from_on - today) > 3660) THEN
        RAISE EXCEPTION 'a hold cannot begin on %', _hold_span.from_on
            USING ERRCODE = '22023', DETAIL = 'The day is not one of the calendar within ten years.', HINT = format(_hold_span.hint, 'from_on => current_date + 7');
    ELSIF ends IS NOT NULL AND (NOT isfinite(ends) OR ends > '9999-12-30' OR ends < today - 1) THEN
        RAISE EXCEPTION 'a hold cannot end on %', ends
            USING ERRCODE = '22023', DETAIL = 'The day is past or not a day of the calendar.', HINT = format(_hold_span.hint, 'until => current_date + 14');
    ELSIF ends < _hold_span.from_on THEN
        RAISE EXCEPTION 'a hold cannot end on % and begin on %', ends, _hold_span.from_on
            USING ERRCODE = '22023', DETAIL = 'It would be over before it begins.', HINT = format(_hold_span.hint, 'from_on => current_date + 7, until => current_date + 14');
    END IF;
    from_at := coalesce(dunning._day_where(_hold_span.debtor_id, _hold_span.from_on, false), dunning._now());
    until_at := dunning._day_where(_hold_span.debtor_id, ends, true);
    pending := from_at > dunning._now();
END
$fn$;
COMMENT ON FUNCTION dunning._hold_span(text, dunning.hold_reason, date, date, text) IS 'First and last instant of a hold, and whether it is yet to begin; 22023 for days that make no sense.';

CREATE FUNCTION dunning._check_reason(reason text, hint text) RETURNS dunning.hold_reason
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known dunning.hold_reason := dunning._reason_of(_check_reason.reason);
BEGIN
    IF known.reason IS NULL THEN
        RAISE EXCEPTION 'there is no reason "%" for a hold', coalesce(_check_reason.reason, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = format('Known are %s.', (SELECT string_agg(DISTINCT r.reason, ', ' ORDER BY r.reason) FROM dunning.hold_reason r WHERE r.by_hand)),
                  HINT = 'Take one of them, or make your own: SELECT dunning.save_hold_reason(''strike'', ''the post does not run'');';
    ELSIF NOT known.by_hand THEN
        RAISE EXCEPTION 'a hold "%" is not placed by hand', known.reason
            USING ERRCODE = '22023', DETAIL = format('It means: %s.', known.description),
                  HINT = CASE known.reason WHEN 'handed_over' THEN 'SELECT * FROM dunning.propose_handover(''1042'', ''agency'');'
                                           WHEN 'written_off' THEN 'SELECT * FROM dunning.propose_handover(''1042'', ''write_off'');'
                                           WHEN 'forgotten' THEN 'SELECT * FROM dunning.forget(''1042'');' ELSE _check_reason.hint END;
    END IF;
    RETURN known;
END
$fn$;
COMMENT ON FUNCTION dunning._check_reason(text, text) IS 'What a reason means that a person may give; 22023 with the known ones.';

-- The accounts that a hold covers just now; NULL: all of its creditor.
CREATE FUNCTION dunning._held_accounts(held dunning.hold) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN CASE held.scope WHEN 'debtor' THEN ARRAY[held.debtor_id] WHEN 'person' THEN dunning._accounts_of(held.debtor_id) END;
END
$fn$;
COMMENT ON FUNCTION dunning._held_accounts(dunning.hold) IS 'The debtors that a hold covers; NULL: every one of its creditor.';

-- What a hold ends as it begins: messages that wait, and offers that do not go with it or ask for more than is still asked for.
CREATE FUNCTION dunning._begin_hold(held dunning.hold) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known dunning.hold_reason := dunning._reason_of(held.reason);
    accounts text[] := dunning._held_accounts(held);
    debtors text[];
    ids uuid[];
    stopped int;
BEGIN
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, ids FROM dunning.queue q
    WHERE q.state <> 'sending' AND CASE WHEN accounts IS NULL THEN q.creditor = held.creditor ELSE q.debtor_id = ANY (accounts) END;
    stopped := dunning._cancel_messages(debtors, ids, 'hold:' || held.reason, true);
    -- An invoice less is asked for, and an offer is about the whole.
    SELECT array_agg(o.debtor_id), array_agg(o.offer_id) INTO debtors, ids FROM dunning.offer o
    WHERE o.state IN ('live', 'proposed') AND CASE WHEN accounts IS NULL THEN o.creditor = held.creditor ELSE o.debtor_id = ANY (accounts) END
      AND (held.invoice_id IS NULL AND known.offers IS FALSE
           OR held.invoice_id IS NOT NULL AND NOT EXISTS (SELECT FROM dunning._asked_for(ARRAY[o.debtor_id], NULL) a WHERE a.currency = o.currency AND a.amount >= o.amount));
    PERFORM dunning._end_offers(debtors, ids, 'withdrawn', 'hold:' || held.reason);
    IF known.task IS NOT NULL AND held.scope <> 'creditor' THEN
        PERFORM dunning._task(held.debtor_id, held.reason, known.task, creditor => held.creditor,
            script => (SELECT string_agg(format('%s: %s', c.key, c.value), E'\n' ORDER BY c.key <> 'name', c.key) FROM jsonb_each_text(held.contact) c));
    END IF;
    RETURN stopped;
END
$fn$;
COMMENT ON FUNCTION dunning._begin_hold(dunning.hold) IS 'How many messages a hold stopped as it began; offers that do not go with it are withdrawn, and its task is made.';

-- A planning run reads the book once and writes minutes later: what it will write still lists an invoice that is held meanwhile.
CREATE FUNCTION dunning._planning_elsewhere() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = 1685416558 AND l.objid = 8 AND l.objsubid = 2 AND l.granted
                     AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND l.pid <> pg_backend_pid());
END
$fn$;
COMMENT ON FUNCTION dunning._planning_elsewhere() IS 'Whether another session plans just now.';

-- Holds whose day has come. Until this has run the gate blocks every message of theirs, so no clock has to be watched.
CREATE FUNCTION dunning._refresh_holds(many text[] DEFAULT NULL) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    held dunning.hold;
BEGIN
    FOR held IN SELECT h.* FROM dunning.hold h WHERE h.pending AND h.from_at <= dunning._now() AND (_refresh_holds.many IS NULL OR h.debtor_id = ANY (_refresh_holds.many))
                  AND (h.invoice_id IS NULL OR NOT dunning._planning_elsewhere())
                ORDER BY h.from_at, h.hold_id FOR UPDATE SKIP LOCKED LOOP
        UPDATE dunning.hold h SET pending = false WHERE h.debtor_id = held.debtor_id AND h.hold_id = held.hold_id;
        IF held.released_at IS NULL AND coalesce(held.until_at > dunning._now(), true) THEN
            PERFORM dunning._begin_hold(held);
        END IF;
        RETURN NEXT held.hold_id;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_holds(text[]) IS 'The holds (of the debtors; NULL: all) that began since it last looked.';

CREATE FUNCTION dunning._place_hold(held dunning.hold) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    held.placed_by := session_user;
    held.placed_at := dunning._now();
    IF held.pending THEN
        INSERT INTO dunning.hold SELECT (held).*;
        RETURN 0;
    END IF;
    -- What a run that goes on just now will write is blocked by the gate, until the next one has planned without the invoice.
    held.pending := held.invoice_id IS NOT NULL AND dunning._planning_elsewhere();
    INSERT INTO dunning.hold SELECT (held).*;
    RETURN dunning._begin_hold(held);
END
$fn$;
COMMENT ON FUNCTION dunning._place_hold(dunning.hold) IS 'How many messages a new hold stopped.';

CREATE FUNCTION dunning.hold(debtor_id text, reason text, until date DEFAULT NULL, invoice_id text DEFAULT NULL, note text DEFAULT NULL,
                             from_on date DEFAULT NULL, scope text DEFAULT NULL, contact jsonb DEFAULT NULL)
    RETURNS TABLE (hold_id uuid, messages_stopped int)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(hold.debtor_id);
    hint text := replace(format('SELECT * FROM dunning.hold(%L, %L, ', id, coalesce(hold.reason, 'manual')), '%', '%%') || '%s);';
    known dunning.hold_reason;
    made dunning.hold;
    exists_there boolean := true;
BEGIN
    made.debtor_id := id;
    made.creditor := dunning._creditor_of(id);
    IF made.creditor IS NULL OR id = '' THEN
        RAISE EXCEPTION 'unknown debtor "%"', hold.debtor_id USING ERRCODE = '22023', DETAIL = 'The ledger has no such debtor.', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    known := dunning._check_reason(hold.reason, format(hint, 'note => ''…'''));
    made.scope := coalesce(nullif(hold.scope, 'invoice'), CASE WHEN hold.invoice_id IS NOT NULL OR hold.scope = 'invoice' THEN 'debtor' ELSE known.scope END);
    IF made.scope NOT IN ('debtor', 'person') OR made.scope = 'person' AND hold.invoice_id IS NOT NULL OR hold.scope = 'invoice' AND hold.invoice_id IS NULL THEN
        RAISE EXCEPTION 'a hold covers an invoice, a debtor or a person, not "%"', hold.scope
            USING ERRCODE = '22023', DETAIL = 'With an invoice_id it is that invoice''s alone, else scope says debtor (this account) or person (all accounts).',
                  HINT = CASE WHEN hold.scope = 'creditor' THEN format('A whole book: SELECT * FROM dunning.hold_creditor(%L, %L);', made.creditor, known.reason)
                              ELSE format(hint, 'scope => ''person''') END;
    ELSIF hold.contact IS NOT NULL AND (jsonb_typeof(hold.contact) <> 'object' OR coalesce(hold.contact ->> 'name', '') = '' OR octet_length(hold.contact::text) > 4000) THEN
        RAISE EXCEPTION 'who is to be talked to has at least a name'
            USING ERRCODE = '22023', DETAIL = format('Given: %s.', left(hold.contact::text, 200)), HINT = format(hint, 'contact => ''{"name": "Advokat Lund", "phone": "+45…", "email": "…"}''');
    END IF;
    IF hold.invoice_id IS NOT NULL AND dunning._ledger_problem() IS DISTINCT FROM 'ledger_broken' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM (%s) i WHERE i.invoice_id = $2)', dunning._ledger_sql('invoice', '$1'))
            INTO exists_there USING ARRAY[id], hold.invoice_id;
        IF NOT exists_there THEN
            RAISE EXCEPTION 'debtor "%" has no invoice "%"', id, hold.invoice_id
                USING ERRCODE = '22023', HINT = format('SELECT * FROM dunning.explain(%L);', id);
        END IF;
    END IF;
    IF made.scope = 'person' THEN
        EXECUTE format('SELECT d.person_id FROM (%s) d', dunning._ledger_sql('debtor', '$1')) INTO made.person_id USING ARRAY[id];
    END IF;
    SELECT s.from_at, s.until_at, s.pending INTO made.from_at, made.until_at, made.pending FROM dunning._hold_span(id, known, hold.from_on, hold.until, hint) s;
    made.hold_id := dunning._uuid7();
    made.reason := known.reason;
    made.invoice_id := hold.invoice_id;
    made.note := hold.note;
    made.contact := hold.contact;
    RETURN QUERY SELECT made.hold_id, dunning._place_hold(made);
END
$fn$;
COMMENT ON FUNCTION dunning.hold(text, text, date, text, text, date, text, jsonb) IS
    'One row: the hold''s id and how many queued messages it stopped in this transaction. The debtor, one invoice, or (scope person, the rule for deceased, insolvency, moratorium) all accounts of the person are not dunned, from now or from_on, until released or through the given day, or as long as the reason has it. contact: who is to be talked to instead. Unknown debtor, invoice or reason, bad scope or dates: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.hold(text, text, date, text, text, date, text, jsonb) TO dunning_operator;

CREATE FUNCTION dunning.hold_creditor(creditor text, reason text, until date DEFAULT NULL, note text DEFAULT NULL, from_on date DEFAULT NULL)
    RETURNS TABLE (hold_id uuid, messages_stopped int)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    hint text := replace(format('SELECT * FROM dunning.hold_creditor(%L, %L, ', hold_creditor.creditor, coalesce(hold_creditor.reason, 'manual')), '%', '%%') || '%s);';
    known dunning.hold_reason;
    made dunning.hold;
    exists_there boolean;
BEGIN
    exists_there := EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = hold_creditor.creditor AND NOT c.builtin);
    IF NOT exists_there THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM (%s) d WHERE d.creditor = $1)', dunning._ledger_sql('debtor')) INTO exists_there USING hold_creditor.creditor;
    END IF;
    IF NOT coalesce(exists_there, false) THEN
        RAISE EXCEPTION 'there is no creditor "%"', coalesce(hold_creditor.creditor, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'Neither save_creditor() nor the ledger has named it.', HINT = 'SELECT DISTINCT creditor FROM dunning.debtor_overview;';
    END IF;
    known := dunning._check_reason(hold_creditor.reason, format(hint, 'note => ''…'''));
    made.debtor_id := '';
    made.hold_id := dunning._uuid7();
    made.creditor := hold_creditor.creditor;
    made.reason := known.reason;
    made.scope := 'creditor';
    made.note := hold_creditor.note;
    SELECT s.from_at, s.until_at, s.pending INTO made.from_at, made.until_at, made.pending FROM dunning._hold_span('', known, hold_creditor.from_on, hold_creditor.until, hint) s;
    RETURN QUERY SELECT made.hold_id, dunning._place_hold(made);
END
$fn$;
COMMENT ON FUNCTION dunning.hold_creditor(text, text, date, text, date) IS
    'One row: the hold''s id and how many queued messages it stopped. Nobody in the creditor''s book is dunned, nor charged a fee, from now or from_on, until released by dunning_admin or through the given day. Unknown creditor or reason, bad dates: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.hold_creditor(text, text, date, text, date) TO dunning_operator;

CREATE FUNCTION dunning._may_release(held dunning.hold) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    -- A reason that was taken away since is an operator's.
    who text := CASE WHEN held.scope = 'creditor' THEN 'admin' ELSE coalesce((dunning._reason_of(held.reason)).released_by, 'operator') END;
BEGIN
    IF who = 'system' THEN
        RAISE EXCEPTION 'a hold "%" is not released by itself', held.reason
            USING ERRCODE = '55000', DETAIL = 'It ends when the hand-over or write-off that placed it is taken back.',
                  HINT = format('SELECT t.* FROM dunning.handovers h, LATERAL dunning.take_back(h.handover_id, ''why'') t WHERE h.debtor_id = %L AND h.state = ''approved'';', held.debtor_id);
    ELSIF who = 'admin' AND NOT pg_has_role(session_user, 'dunning_admin', 'MEMBER') THEN
        RAISE EXCEPTION 'a hold "%" is released by dunning_admin alone', CASE held.scope WHEN 'creditor' THEN 'creditor' ELSE held.reason END
            USING ERRCODE = '42501', DETAIL = format('%s is not a member of dunning_admin.', session_user),
                  HINT = format('A member: SELECT * FROM dunning.release(%L);', held.hold_id);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._may_release(dunning.hold) IS 'Nothing; 42501 where the caller may not release such a hold, 55000 where nobody does it so.';

CREATE FUNCTION dunning._end_hold(held dunning.hold, note text) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    UPDATE dunning.hold h SET released_at = dunning._now(), released_by = session_user, release_note = _end_hold.note, pending = false
    WHERE h.debtor_id = held.debtor_id AND h.hold_id = held.hold_id AND h.released_at IS NULL;
    RETURN dunning._release_held(coalesce(dunning._held_accounts(held),
        ARRAY(SELECT DISTINCT q.debtor_id FROM dunning.queue q WHERE q.creditor = held.creditor AND q.state = 'held')), 'hold:' || held.reason);
END
$fn$;
COMMENT ON FUNCTION dunning._end_hold(dunning.hold, text) IS 'How many held messages are looked at again now that a hold has ended.';

CREATE FUNCTION dunning.release(hold_id uuid, note text DEFAULT NULL) RETURNS TABLE (debtor_id text, reason text, messages_released int)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.hold;
BEGIN
    SELECT h.* INTO old FROM dunning.hold h WHERE h.hold_id = release.hold_id FOR UPDATE;
    IF old.hold_id IS NULL OR old.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'hold % %', release.hold_id, CASE WHEN old.hold_id IS NULL THEN 'does not exist' ELSE 'is already released' END
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN old.hold_id IS NULL THEN 'No hold has this id.' ELSE format('%s released it on %s.', old.released_by, old.released_at::date) END,
                  HINT = 'SELECT hold_id, debtor_id, reason FROM dunning.hold WHERE released_at IS NULL;';
    END IF;
    PERFORM dunning._may_release(old);
    RETURN QUERY SELECT nullif(old.debtor_id, ''), old.reason, dunning._end_hold(old, release.note);
END
$fn$;
COMMENT ON FUNCTION dunning.release(uuid, text) IS
    'One row: whose hold ended (NULL: a whole book''s) and how many messages it had held; the gate looks at those anew. Unknown or released: 22023; a reason that only dunning_admin releases: 42501; one of a hand-over: 55000. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.release(uuid, text) TO dunning_operator;

CREATE FUNCTION dunning.save_hold_reason(reason text, description text, scope text DEFAULT 'debtor', default_days int DEFAULT NULL, offers boolean DEFAULT true,
                                         released_by text DEFAULT 'operator', task text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    hint text := 'SELECT dunning.save_hold_reason(''strike'', ''the post does not run'', scope => ''debtor'', default_days => 14);';
    old dunning.hold_reason := dunning._reason_of(save_hold_reason.reason);
    made dunning.hold_reason;
BEGIN
    IF save_hold_reason.reason IS NULL OR save_hold_reason.reason !~ '^[a-z][a-z0-9_]{0,39}$' OR coalesce(btrim(save_hold_reason.description), '') = '' THEN
        RAISE EXCEPTION 'a reason is one word with a description'
            USING ERRCODE = '22023', DETAIL = format('Given: %L, %L.', save_hold_reason.reason, save_hold_reason.description), HINT = hint;
    ELSIF save_hold_reason.scope IS NULL OR save_hold_reason.scope NOT IN ('debtor', 'person') OR save_hold_reason.released_by IS NULL OR save_hold_reason.released_by NOT IN ('operator', 'admin')
          OR save_hold_reason.default_days NOT BETWEEN 1 AND 3660 OR save_hold_reason.offers IS NULL THEN
        RAISE EXCEPTION 'reason "%" is not said in full', save_hold_reason.reason
            USING ERRCODE = '22023', DETAIL = 'The scope is debtor or person, released_by operator or admin, default_days from 1 to 3660 or none, offers true or false.', HINT = hint;
    ELSIF old.by_hand IS FALSE OR old.builtin AND old.reason IN ('promise', 'awaiting_us') THEN
        RAISE EXCEPTION 'reason "%" is the program''s own', old.reason
            USING ERRCODE = '22023', DETAIL = format('It means: %s.', old.description), HINT = hint;
    END IF;
    INSERT INTO dunning.hold_reason AS r (reason, builtin, scope, default_days, offers, released_by, task, description, saved_by, saved_at)
    VALUES (save_hold_reason.reason, false, save_hold_reason.scope, save_hold_reason.default_days, save_hold_reason.offers, save_hold_reason.released_by,
            save_hold_reason.task, save_hold_reason.description, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT hold_reason_pkey DO UPDATE
        SET scope = excluded.scope, default_days = excluded.default_days, offers = excluded.offers, released_by = excluded.released_by, task = excluded.task,
            description = excluded.description, saved_by = excluded.saved_by, saved_at = excluded.saved_at
    RETURNING r.* INTO made;
    PERFORM dunning._log_rule_change('hold_reason', made.reason, CASE WHEN NOT old.builtin THEN to_jsonb(old) END, to_jsonb(made));
    RETURN old.reason IS NULL;
END
$fn$;
COMMENT ON FUNCTION dunning.save_hold_reason(text, text, text, int, boolean, text, text) IS
    'Whether the reason is new. Makes a reason for holds of your own or changes what a shipped one means from now on; holds that stand keep their dates. Bad words or one of the program''s own: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_hold_reason(text, text, text, int, boolean, text, text) TO dunning_admin;

CREATE FUNCTION dunning.reset_hold_reason(reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.hold_reason;
BEGIN
    DELETE FROM dunning.hold_reason r WHERE r.reason = reset_hold_reason.reason AND NOT r.builtin RETURNING r.* INTO old;
    IF old.reason IS NULL THEN
        RETURN false;
    END IF;
    PERFORM dunning._log_rule_change('hold_reason', old.reason, to_jsonb(old), NULL);
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_hold_reason(text) IS 'True where a reason of your own was removed, so that a shipped one of that name holds again; holds that stand go on. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_hold_reason(text) TO dunning_admin;

-- In force for a debtor, whoever placed it. What another creditor wrote down about the person is not told.
CREATE FUNCTION dunning._held_by(debtor_ids text[], at timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, hold_id uuid, reason text, scope text, invoice_id text, from_at timestamptz, until_at timestamptz, placed_by text, note text, contact jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    moment timestamptz := coalesce(_held_by.at, dunning._now());
    broken boolean := dunning._ledger_problem() IS NOT DISTINCT FROM 'ledger_broken';
BEGIN
    RETURN QUERY SELECT h.debtor_id::text, h.hold_id, h.reason, CASE WHEN h.invoice_id IS NOT NULL THEN 'invoice' ELSE h.scope END, h.invoice_id::text, h.from_at, h.until_at, h.placed_by, h.note, h.contact
        FROM dunning.hold h
        WHERE h.debtor_id = ANY (_held_by.debtor_ids) AND h.from_at <= moment AND coalesce(h.released_at > moment, true) AND coalesce(h.until_at > moment, true);
    IF NOT broken AND EXISTS (SELECT FROM dunning.hold h WHERE (h.person_id IS NOT NULL OR h.scope = 'creditor') AND coalesce(h.released_at > moment, true)) THEN
        RETURN QUERY EXECUTE format($q$
            SELECT d.debtor_id::text, h.hold_id, h.reason, h.scope, NULL::text, h.from_at, h.until_at, CASE WHEN h.creditor = d.creditor THEN h.placed_by END,
                   CASE WHEN h.creditor = d.creditor THEN h.note END, CASE WHEN h.creditor = d.creditor THEN h.contact END
            FROM (%s) d
            JOIN LATERAL (SELECT x.* FROM dunning.hold x WHERE x.person_id = d.person_id AND x.person_id IS NOT NULL AND x.debtor_id <> d.debtor_id
                          UNION ALL SELECT x.* FROM dunning.hold x WHERE x.creditor = d.creditor AND x.scope = 'creditor') h
                ON h.from_at <= $2 AND coalesce(h.released_at > $2, true) AND coalesce(h.until_at > $2, true)$q$, dunning._ledger_sql('debtor', '$1'))
            USING _held_by.debtor_ids, moment;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._held_by(text[], timestamptz) IS 'The holds in force (at an instant; NULL: now) for each debtor: own ones, those of the person''s other accounts, the creditor''s; notes only of the same creditor.';

CREATE VIEW dunning.holds WITH (security_invoker, security_barrier) AS
    SELECT nullif(h.debtor_id, '') AS debtor_id, h.hold_id, h.creditor, CASE WHEN h.invoice_id IS NOT NULL THEN 'invoice' ELSE h.scope END AS scope, h.invoice_id, h.reason,
           CASE WHEN h.released_at IS NOT NULL THEN 'released'
                WHEN h.until_at <= dunning._now() THEN 'over'
                WHEN h.from_at > dunning._now() THEN 'scheduled' ELSE 'in force' END AS state,
           h.from_at, h.until_at, h.placed_by, coalesce(h.placed_at, h.from_at) AS placed_at, h.released_at, h.released_by
    FROM dunning.hold h;
COMMENT ON VIEW dunning.holds IS 'Every hold ever placed: whom it covers, from when to when, its state, who placed and who released it. Notes are dunning_operator''s, in dunning.hold. Role: dunning_viewer.';
GRANT SELECT ON dunning.holds TO dunning_viewer;
