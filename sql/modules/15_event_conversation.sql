-- conversation(): the one state of affairs that every touchpoint shows, whoever asks: a caller, the portal, a letter.

CREATE FUNCTION dunning._conversation_history(debtor_id text, most int) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN coalesce((
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('at', x.at, 'what', x.what, 'channel', x.channel, 'detail', x.detail, 'text', x.said))
                         ORDER BY x.at DESC)
        FROM (SELECT coalesce((SELECT max(e.at) FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id), m.contact_at) AS at,
                     'message' AS what, m.channel, m.template || ', ' || s.state || coalesce(' (' || s.reason || ')', '') AS detail,
                     b.body_text AS said
              FROM dunning.message m
              JOIN dunning.message_state s ON s.debtor_id = m.debtor_id AND s.message_id = m.message_id
              LEFT JOIN dunning.body b ON b.debtor_id = m.debtor_id AND b.message_id = m.message_id
              WHERE m.debtor_id = _conversation_history.debtor_id AND s.state NOT IN ('cancelled', 'proposed')
              UNION ALL
              SELECT e.at, e.kind, e.detail ->> 'channel', e.detail ->> 'outcome', e.detail ->> 'text'
              FROM dunning.event e WHERE e.debtor_id = _conversation_history.debtor_id
              ORDER BY 1 DESC LIMIT most) x), '[]');
END
$$;
COMMENT ON FUNCTION dunning._conversation_history(text, int) IS 'The last messages and events of a debtor, newest first.';

-- The offer in force: what the next unfinished message says, else the last that left.
CREATE FUNCTION dunning._current_offer(debtor_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    m record;
    parts record;
    about jsonb;
BEGIN
    SELECT c.*, c AS message, s.state, s.reason AS state_reason, q.blocked_by INTO m
    FROM dunning.message c
    JOIN dunning.message_state s ON s.debtor_id = c.debtor_id AND s.message_id = c.message_id
    LEFT JOIN dunning.queue q ON q.debtor_id = c.debtor_id AND q.message_id = c.message_id
    WHERE c.debtor_id = _current_offer.debtor_id AND (q.message_id IS NOT NULL OR s.state IN ('sent', 'delivered', 'unknown'))
    ORDER BY q.message_id IS NULL, c.contact_at DESC, c.message_id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    about := dunning._context_now(m.message);
    -- As it was sent, unless that names an offer which is not the one of record any more: then as it would be said now.
    SELECT b.subject, b.body_text INTO parts FROM dunning.body b
    WHERE b.debtor_id = m.debtor_id AND b.message_id = m.message_id
      AND (b.offer_id IS NULL OR b.offer_id = (about -> 'offer' ->> 'offer_id')::uuid);
    IF NOT FOUND THEN
        SELECT p.subject, p.body_text INTO parts FROM dunning._preview_parts(m.template, about, m.language, m.channel) p;
    END IF;
    RETURN jsonb_build_object('message_id', m.message_id, 'strategy', m.strategy, 'step', m.step, 'template', m.template, 'channel', m.channel,
        'language', m.language, 'amounts', m.amounts, 'offer', about -> 'offer', 'subject', parts.subject, 'text', parts.body_text,
        'pay_url', m.context -> 'pay_url', 'state', m.state, 'reason', m.state_reason, 'contact_at', m.contact_at, 'local_time', m.local_time,
        'blocked_by', to_jsonb(m.blocked_by));
END
$$;
COMMENT ON FUNCTION dunning._current_offer(text) IS 'The offer in force as JSON: of the next unfinished message, else of the last that left; NULL where there is none.';

-- What is to be paid is what letters ask for: principal and charges. Interest may be left of an invoice that is paid.
CREATE FUNCTION dunning._balances_told(debtor_id text, balances jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN (
        WITH owed AS MATERIALIZED (SELECT o.* FROM dunning._owed_charges(_balances_told.debtor_id) o),
        told AS (SELECT b.value, b.ord FROM jsonb_array_elements(balances) WITH ORDINALITY b(value, ord))
        SELECT coalesce(jsonb_agg(x.value || jsonb_build_object('charges', o.amount, 'total', (x.value->>'amount')::numeric + coalesce(o.amount, 0)) ORDER BY x.ord, o.currency), '[]')
        FROM (SELECT t.value, t.ord FROM told t
              UNION ALL
              SELECT jsonb_build_object('currency', o.currency, 'amount', 0, 'due_on', NULL, 'days_overdue', NULL, 'invoices', '[]'::jsonb), NULL
              FROM owed o WHERE o.currency NOT IN (SELECT t.value->>'currency' FROM told t)) x
        LEFT JOIN owed o ON o.currency = x.value->>'currency');
END
$$;
COMMENT ON FUNCTION dunning._balances_told(text, jsonb) IS 'The balances of a context, each with charges (fees and interest on top of amount, NULL: none) and total; a currency in which only charges are open has amount 0.';

CREATE FUNCTION dunning.conversation(debtor_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(conversation.debtor_id);
    about jsonb := (SELECT c.context FROM dunning._context(ARRAY[id], NULL) c);
    offer jsonb := dunning._current_offer(id);
BEGIN
    IF about IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    RETURN jsonb_build_object(
        'debtor_id', id, 'name', about -> 'name', 'given_name', about -> 'given_name', 'company', about -> 'company',
        'creditor', jsonb_build_object('creditor', about -> 'creditor', 'name', about -> 'creditor_name', 'phone', about -> 'creditor_phone',
                                       'account', about -> 'creditor_account'),
        'balances', dunning._balances_told(id, about -> 'balances'), 'pay_url', about -> 'pay_url',
        'offer', offer,
        'offer_of_record', about -> 'offer',
        'offers', coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('offer_id', o.offer_id, 'kind', o.kind, 'state', o.state, 'text', o.text,
                                'made_at', o.made_at, 'ended_at', o.ended_at, 'via', o.via, 'note', n.note, 'choice', o.choice, 'agreement', o.agreement,
                                'paid', o.paid, 'next_due_on', o.next_due_on)) ORDER BY o.made_at DESC, o.offer_id DESC)
                            FROM dunning._offer_state(ARRAY[id]) o
                            JOIN dunning.offer n ON n.debtor_id = o.debtor_id AND n.offer_id = o.offer_id), '[]'),
        'next_contact', CASE WHEN offer ->> 'state' IN ('queued', 'held', 'proposed', 'sending')
            THEN jsonb_build_object('at', offer -> 'contact_at', 'local_time', offer -> 'local_time', 'channel', offer -> 'channel',
                                    'template', offer -> 'template', 'state', offer -> 'state', 'blocked_by', offer -> 'blocked_by') END,
        'last_contact', (SELECT jsonb_build_object('at', e.contact_on, 'channel', e.channel, 'state', s.state)
                         FROM dunning.egress e
                         LEFT JOIN dunning.message_state s ON s.debtor_id = e.debtor_id AND s.message_id = e.message_id
                         WHERE e.debtor_id = id AND NOT e.test ORDER BY e.contact_on DESC LIMIT 1),
        'promises', coalesce((SELECT jsonb_agg(jsonb_build_object('amount', p.amount, 'currency', p.currency, 'due_on', p.due_on, 'part', p.part,
                                                                  'parts', p.parts, 'paid', p.paid, 'state', p.state) ORDER BY p.promised_at DESC, p.part)
                              FROM dunning._promise_state(ARRAY[id]) p), '[]'),
        'holds', coalesce((SELECT jsonb_agg(jsonb_build_object('hold_id', h.hold_id, 'reason', h.reason, 'scope', h.scope, 'invoice_id', h.invoice_id,
                                                               'until', h.until_at, 'note', h.note, 'contact', h.contact) ORDER BY h.from_at, h.hold_id)
                           FROM dunning._held_by(ARRAY[id]) h), '[]'),
        'tasks', coalesce((SELECT jsonb_agg(jsonb_build_object('task_id', t.task_id, 'kind', t.kind, 'subject', t.subject, 'due_at', t.due_at,
                                                               'script', t.script, 'claimed_by', t.claimed_by) ORDER BY t.due_at)
                           FROM dunning.task t WHERE t.debtor_id = id AND t.completed_at IS NULL), '[]'),
        'history', dunning._conversation_history(id, 30));
END
$$;
COMMENT ON FUNCTION dunning.conversation(text) IS
    'One JSON object for every touchpoint: balances with charges and total to pay, what is said now with its text, the offer of record and those before it, last and next contact, promises, holds, tasks, history. Unknown debtor: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.conversation(text) TO dunning_operator;
