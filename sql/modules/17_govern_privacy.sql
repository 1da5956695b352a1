-- export() and forget(): what is kept about a debtor, and how it is made to be no longer about anyone.

-- Every table of ours with a debtor in it, found in the catalog so that a new room cannot be overlooked. Partitions come with their parent.
CREATE FUNCTION dunning._debtor_tables() RETURNS TABLE (name text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT c.relname::text
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'debtor_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname;
END
$$;
COMMENT ON FUNCTION dunning._debtor_tables() IS 'The tables of the extension that have rows of a debtor.';

CREATE FUNCTION dunning.export(debtor_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(export.debtor_id);
    kept jsonb := '{}';
    ledger jsonb := '{}';
    part jsonb;
    source record;
BEGIN
    FOR source IN SELECT t.name FROM dunning._debtor_tables() t LOOP
        EXECUTE format('SELECT jsonb_agg(to_jsonb(x)) FROM dunning.%I x WHERE x.debtor_id = $1', source.name) INTO part USING id;
        IF part IS NOT NULL THEN
            kept := kept || jsonb_build_object(source.name, part);
        END IF;
    END LOOP;
    FOR source IN SELECT k.kind FROM unnest(ARRAY['debtor', 'invoice', 'payment']) AS k (kind) LOOP
        EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(x) - ''{source_id,source_invoice,source_currency}''::text[]), ''[]'') FROM (%s) x', dunning._ledger_sql(source.kind, '$1'))
            INTO part USING ARRAY[id];
        ledger := ledger || jsonb_build_object(source.kind, part);
    END LOOP;
    IF kept = '{}' AND ledger -> 'debtor' = '[]' THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    RETURN jsonb_build_object('debtor_id', id, 'exported_at', dunning._now(), 'ledger', ledger, 'kept', kept);
END
$$;
COMMENT ON FUNCTION dunning.export(text) IS
    'All that is kept about a debtor as one JSON object: the rows of the ledger and of every table of the extension. Unknown debtor: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.export(text) TO dunning_operator;

-- The addresses by which a person could be found again, kept as digests only.
CREATE FUNCTION dunning._suppress_all(debtor_id text) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    known record;
    n int := 0;
BEGIN
    FOR known IN
        SELECT DISTINCT x.address, x.channel
        FROM (SELECT b.address, m.channel::text AS channel FROM dunning.body b
              JOIN dunning.message m ON m.debtor_id = b.debtor_id AND m.message_id = b.message_id
              WHERE b.debtor_id = _suppress_all.debtor_id
              UNION ALL
              SELECT dunning._ledger_address(_suppress_all.debtor_id, c.channel), c.channel FROM (SELECT DISTINCT c.channel FROM dunning.channel c) c) x
        WHERE x.address <> ''
    LOOP
        PERFORM dunning.suppress(known.address, known.channel, 'forgotten');
        n := n + 1;
    END LOOP;
    RETURN n;
END
$$;
COMMENT ON FUNCTION dunning._suppress_all(text) IS 'How many addresses of a debtor it suppressed, those of the ledger and those ever written to.';

CREATE FUNCTION dunning.forget(debtor_id text) RETURNS TABLE (item text, rows bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(forget.debtor_id);
    n bigint;
    source record;
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'whom to forget is not said' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.forget(''1042'');';
    END IF;
    -- First nothing more is sent. What is on the wire still needs its text.
    RETURN QUERY VALUES ('messages cancelled', dunning._stop_messages(id, 'forgotten')::bigint);
    IF EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = id) THEN
        RAISE EXCEPTION 'a message to debtor "%" is being sent', id
            USING ERRCODE = '55000', HINT = format('Try again in a minute: SELECT * FROM dunning.forget(%L);', id);
    END IF;
    RETURN QUERY VALUES ('addresses suppressed', dunning._suppress_all(id)::bigint);
    IF NOT EXISTS (SELECT FROM dunning.hold h WHERE h.debtor_id = id AND h.reason = 'forgotten' AND h.released_at IS NULL) THEN
        INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, placed_by)
        VALUES (id, dunning._uuid7(), coalesce(dunning._creditor_of(id), 'default'), 'forgotten', dunning._now(), session_user);
    END IF;

    UPDATE dunning.body b SET address = '', subject = NULL, body_text = NULL, body_html = NULL
    FROM dunning.message m WHERE m.debtor_id = id AND b.debtor_id = m.debtor_id AND b.message_id = m.message_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('texts blanked', n);
    UPDATE dunning.message m SET context = '{}', decision = '{"forgotten": true}' WHERE m.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('message contexts blanked', n);
    UPDATE dunning.outcome o SET detail = NULL FROM dunning.message m WHERE m.debtor_id = id AND o.debtor_id = m.debtor_id AND o.message_id = m.message_id;
    DELETE FROM dunning.rule_change c WHERE c.kind = 'contact_wish' AND split_part(c.key, ' ', 1) = id;
    UPDATE dunning.event e SET detail = '{}', event_key = NULL WHERE e.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('events blanked', n);
    UPDATE dunning.task t SET subject = t.kind, script = NULL, note = NULL, completed_at = coalesce(t.completed_at, dunning._now()),
                              outcome = coalesce(t.outcome, 'cancelled')
    WHERE t.debtor_id = id;
    UPDATE dunning.hold h SET note = NULL, contact = NULL, release_note = NULL WHERE h.debtor_id = id;
    UPDATE dunning.handover v SET note = NULL, decision_note = NULL, end_note = NULL WHERE v.debtor_id = id;
    UPDATE dunning.charge c SET waive_reason = 'forgotten' WHERE c.debtor_id = id AND c.waived_at IS NOT NULL;
    UPDATE dunning.promise p SET cancelled_at = coalesce(p.cancelled_at, dunning._now()) WHERE p.debtor_id = id;
    -- A key that a caller chose may say who it was; its digest serves as well, since nobody needs to read it.
    UPDATE dunning.once o SET key = encode(sha256(convert_to(o.key, 'UTF8')), 'hex') WHERE o.debtor_id = id AND o.kind <> 'step';

    -- What is learnt of a person goes with the person. The egress ledger holds digests alone, and its chain must go on verifying.
    FOR source IN
        SELECT t.name FROM dunning._debtor_tables() t
        WHERE t.name <> ALL (ARRAY['message', 'body', 'queue', 'egress', 'outcome', 'once', 'event', 'task', 'promise', 'hold', 'charge', 'charge_notice', 'handover', 'case_export', 'invoice', 'payment', 'debtor'])
    LOOP
        EXECUTE format('DELETE FROM dunning.%I x WHERE x.debtor_id = $1', source.name) USING id;
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n > 0 THEN
            RETURN QUERY VALUES (source.name || ' rows dropped', n);
        END IF;
    END LOOP;
    -- A bound ledger is the billing schema's to clean; the built-in one is ours.
    UPDATE dunning.debtor d
    SET name = NULL, given_name = NULL, email = NULL, phone = NULL, address = NULL, attributes = NULL, consent = NULL, preferred_channel = NULL
    WHERE d.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('built-in debtor rows blanked', n);
END
$$;
COMMENT ON FUNCTION dunning.forget(text) IS
    'What was blanked or dropped. Cancels first, keeps keyed digests so that an import does not bring the person back, keeps ids, sums and the egress chain. A message on the wire: 55000. A bound ledger is not touched. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.forget(text) TO dunning_admin;
