-- govern: the whole case of a debtor as one document, for an agency, a lawyer or a court.

CREATE TABLE dunning.case_export (
    debtor_id       text COLLATE "C" NOT NULL,
    export_id       uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    digest          bytea NOT NULL,             -- sha256 of the document's text
    bytes           int NOT NULL,
    purpose         text NOT NULL,
    exported_at     timestamptz NOT NULL,
    exported_by     text NOT NULL,
    PRIMARY KEY (debtor_id, export_id)
);
COMMENT ON TABLE dunning.case_export IS 'Who took the case of a debtor out of the database, when, what for, and the digest of what it said.';
SELECT pg_catalog.pg_extension_config_dump('dunning.case_export', '');
GRANT SELECT ON dunning.case_export TO dunning_viewer;

CREATE FUNCTION dunning._case_ledger(id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    part jsonb;
    ledger jsonb := '{}';
    source record;
BEGIN
    FOR source IN SELECT k.kind, k.query, k.ordered FROM (VALUES
            ('debtor', dunning._ledger_sql('debtor', '$1'), 'x.debtor_id'),
            ('invoice', dunning._ledger_sql('invoice', '$1'), 'x.issued_on, x.invoice_id'),
            ('payment', dunning._ledger_sql('payment', '$1'), 'x.paid_at, x.payment_id, x.invoice_id, x.amount'),
            ('open', dunning._open_items_sql('$1', 'NULL'), 'x.due_on, x.invoice_id'),
            ('balance', dunning._balances_sql('$1', 'NULL'), 'x.currency'),
            ('charges', dunning._charges_sql('$1'), 'x.currency')) k(kind, query, ordered) LOOP
        EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(x) - ''{source_id,source_invoice,source_currency,person_id}''::text[] ORDER BY %s, to_jsonb(x)::text), ''[]'') FROM (%s) x', source.ordered, source.query) INTO part USING ARRAY[id];
        ledger := ledger || jsonb_build_object(source.kind, part);
    END LOOP;
    RETURN ledger;
END
$$;
COMMENT ON FUNCTION dunning._case_ledger(text) IS 'The rows of a debtor''s ledger, what is open and owed, and the sums of charges, each in one order.';

-- What was said and what became of it. What was estimated of the person is no part of the claim and stays here.
CREATE FUNCTION dunning._case_messages(id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN coalesce((
        SELECT jsonb_agg(jsonb_build_object(
                'message_id', m.message_id, 'strategy', m.strategy, 'step', m.step, 'template', m.template, 'channel', m.channel, 'language', m.language,
                'contact_at', m.contact_at, 'local_time', m.local_time, 'amounts', m.amounts, 'fee', m.context -> 'fee', 'planned_at', m.created_at, 'planned_by', m.created_by,
                'state', s.state, 'reason', s.reason,
                'text', (SELECT to_jsonb(b) - '{message_id,debtor_id,creditor}'::text[] FROM dunning.body b WHERE b.debtor_id = m.debtor_id AND b.message_id = m.message_id),
                'attempts', coalesce((SELECT jsonb_agg(to_jsonb(e) - '{message_id,debtor_id,creditor}'::text[] ORDER BY e.attempt) FROM dunning.egress e
                                      WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id), '[]'),
                'outcomes', coalesce((SELECT jsonb_agg(to_jsonb(o) - '{message_id,debtor_id,creditor}'::text[] ORDER BY o.at, o.outcome_id) FROM dunning.outcome o
                                      WHERE o.debtor_id = m.debtor_id AND o.message_id = m.message_id), '[]'))
            ORDER BY m.contact_at, m.message_id)
        FROM dunning.message m LEFT JOIN dunning.message_state s ON s.debtor_id = m.debtor_id AND s.message_id = m.message_id
        WHERE m.debtor_id = id), '[]');
END
$$;
COMMENT ON FUNCTION dunning._case_messages(text) IS 'Every message of a debtor with its text as sent, attempts, and outcomes, in order.';

CREATE FUNCTION dunning._case_rows(id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN jsonb_build_object(
        'events', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor,event_key}'::text[] ORDER BY x.at, x.event_id) FROM dunning.event x WHERE x.debtor_id = id), '[]'),
        'tasks', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor}'::text[] ORDER BY x.created_at, x.task_id) FROM dunning.task x WHERE x.debtor_id = id), '[]'),
        'promises', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor}'::text[] ORDER BY x.promised_at, x.part, x.promise_id) FROM dunning._promise_state(ARRAY[id]) x), '[]'),
        'offers', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor}'::text[] ORDER BY x.made_at, x.offer_id) FROM dunning.offer x WHERE x.debtor_id = id), '[]'),
        'charges', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor,seal}'::text[] ORDER BY x.charged_on, x.invoice_id, x.level, x.from_on, x.charge_id) FROM dunning.charge x WHERE x.debtor_id = id), '[]'),
        'notices', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor}'::text[] ORDER BY x.sent_on, x.invoice_id, x.level) FROM dunning.charge_notice x WHERE x.debtor_id = id), '[]'),
        'interest', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor,settles}'::text[] ORDER BY x.of_invoice, x.span_from) FROM dunning._interest(ARRAY[id]) x), '[]'),
        'holds', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor,person_id,pending}'::text[] ORDER BY x.from_at, x.hold_id) FROM dunning.hold x WHERE x.debtor_id = id), '[]')
            -- placed at another account of the person: that it is so, not what was noted there
            || coalesce((SELECT jsonb_agg(jsonb_build_object('hold_id', x.hold_id, 'reason', x.reason, 'scope', x.scope, 'from_at', x.from_at, 'until_at', x.until_at) ORDER BY x.from_at, x.hold_id)
                         FROM dunning._held_by(ARRAY[id]) x WHERE x.hold_id NOT IN (SELECT h.hold_id FROM dunning.hold h WHERE h.debtor_id = id)), '[]'),
        -- whoever takes the case over has to heed them too
        'wishes', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor,person_id}'::text[] ORDER BY x.wish) FROM dunning.contact_wish x WHERE x.debtor_id = id), '[]'),
        'handovers', coalesce((SELECT jsonb_agg(to_jsonb(x) - '{debtor_id,creditor}'::text[] ORDER BY x.proposed_at, x.handover_id) FROM dunning.handover x WHERE x.debtor_id = id), '[]'));
END
$$;
COMMENT ON FUNCTION dunning._case_rows(text) IS 'Events, tasks, promises, offers, charges, notices, interest, holds, wishes and hand-overs of a debtor, each in one order.';

CREATE FUNCTION dunning._case_consent(id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    key bytea := (SELECT k.key FROM dunning.digest_key k);
    stated jsonb;
BEGIN
    EXECUTE format('SELECT d.consent FROM (%s) d', dunning._ledger_sql('debtor', '$1')) INTO stated USING ARRAY[id];
    RETURN jsonb_build_object('stated', stated, 'suppressed', coalesce((
        SELECT jsonb_agg(jsonb_build_object('channel', x.channel, 'reason', x.reason, 'at', x.suppressed_at, 'by', x.suppressed_by) ORDER BY x.suppressed_at, x.channel, x.address_digest)
        FROM (SELECT DISTINCT s.* FROM (SELECT DISTINCT ON (c.channel) c.channel, c.address_field FROM dunning.channel c ORDER BY c.channel, c.builtin) c
              CROSS JOIN LATERAL (SELECT dunning._ledger_address(id, c.channel) AS address) a
              JOIN dunning.suppression s ON s.address_digest = dunning._digest(a.address, c.address_field, key) AND s.channel IN (c.channel, '*')
              WHERE a.address <> '') x), '[]'));
END
$$;
COMMENT ON FUNCTION dunning._case_consent(text) IS 'What the debtor consented to, and which of the debtor''s addresses of now must not be used, since when and why.';

CREATE FUNCTION dunning.export_case(debtor_id text, purpose text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET bytea_output = 'hex' SET extra_float_digits = 1 AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(export_case.debtor_id);
    of_creditor text := dunning._creditor_of(id);
    document jsonb;
BEGIN
    IF of_creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'The ledger has no such debtor.', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    ELSIF coalesce(btrim(export_case.purpose), '') = '' THEN
        RAISE EXCEPTION 'a case is taken out for a purpose'
            USING ERRCODE = '22023', DETAIL = 'It stands in dunning.case_export, with who and when.', HINT = format('SELECT dunning.export_case(%L, ''to Inkasso Nord'');', id);
    END IF;
    document := jsonb_build_object('debtor_id', id, 'stated_on', to_char(dunning._today(NULL), 'YYYY-MM-DD'),
            'creditor', (SELECT to_jsonb(c) - '{builtin,link_url,default_strategy}'::text[] FROM dunning.creditor c WHERE c.creditor = of_creditor ORDER BY c.builtin LIMIT 1),
            'ledger', dunning._case_ledger(id), 'consent', dunning._case_consent(id), 'messages', dunning._case_messages(id))
        || dunning._case_rows(id);
    INSERT INTO dunning.case_export (debtor_id, export_id, creditor, digest, bytes, purpose, exported_at, exported_by)
    VALUES (id, dunning._uuid7(), of_creditor, sha256(convert_to(document::text, 'UTF8')), octet_length(document::text), export_case.purpose, dunning._now(), session_user);
    RETURN document;
END
$$;
COMMENT ON FUNCTION dunning.export_case(text, text) IS
    'The whole case of a debtor at its creditor as one JSON document: ledger rows and balances, charges and interest to today, every message with its text as sent, attempts and outcomes, events, tasks, promises, offers, notices, holds, consent, hand-overs. On one day the same rows give the same octets; who took it, when, why and its sha256 stand in dunning.case_export. Unknown debtor or no purpose: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.export_case(text, text) TO dunning_operator;
