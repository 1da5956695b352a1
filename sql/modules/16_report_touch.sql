-- report: what each touch brought, and which contacts named an invoice.

CREATE FUNCTION dunning.touches(from_date date, until_date date)
    RETURNS TABLE (creditor text, strategy text, step text, channel text, sent bigint, debtors bigint, reached bigint, reacted bigint, promised bigint, paid_14d bigint,
                   median_days numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    span record := dunning._report_span('touches', from_date, until_date);
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH contact AS MATERIALIZED (
            SELECT c.debtor_id, c.message_id, c.creditor, c.channel, min(c.at) AS at, bool_or(c.state = 'delivered') AS delivered
            -- the contacts of the two weeks after the span take the payments that are theirs
            FROM dunning._contacts($1, $2 + interval '14 days') c GROUP BY 1, 2, 3, 4),
        spaced AS (SELECT c.*, lead(c.at) OVER (PARTITION BY c.debtor_id ORDER BY c.at, c.message_id) AS next_at FROM contact c),
        pay AS MATERIALIZED (SELECT p.debtor_id, p.paid_at FROM (%s) p WHERE p.amount > 0),
        touch AS (
            SELECT c.creditor, m.strategy, coalesce(m.step, m.template) AS step, c.channel, c.debtor_id,
                   c.delivered OR coalesce(e.reached, false) AS reached, coalesce(e.reacted, false) AS reacted, coalesce(e.promised, false) AS promised, p.paid_at - c.at AS took
            FROM spaced c
            JOIN dunning.message m ON m.debtor_id = c.debtor_id AND m.message_id = c.message_id
            -- what a debtor does belongs to the last contact of the fourteen days before it
            LEFT JOIN LATERAL (
                SELECT bool_or(v.kind IN ('delivered', 'opened', 'clicked', 'replied', 'called_in', 'conversation', 'promised')) AS reached,
                       bool_or(v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised', 'circumstances_changed', 'paid_elsewhere', 'disputed')) AS reacted,
                       bool_or(v.kind = 'promised') AS promised
                FROM dunning.event v
                WHERE v.debtor_id = c.debtor_id AND v.at >= c.at AND v.at < least(c.next_at, c.at + interval '14 days') AND v.detail ->> 'machine' IS DISTINCT FROM 'true') e ON true
            LEFT JOIN LATERAL (SELECT min(x.paid_at) AS paid_at FROM pay x WHERE x.debtor_id = c.debtor_id AND x.paid_at > c.at AND x.paid_at <= least(c.next_at, c.at + interval '14 days')) p ON true
            WHERE c.at < $2)
        SELECT t.creditor::text, t.strategy::text, t.step::text, t.channel::text, count(*), count(DISTINCT t.debtor_id), count(*) FILTER (WHERE t.reached),
               count(*) FILTER (WHERE t.reacted), count(*) FILTER (WHERE t.promised), count(t.took),
               round((percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t.took) / 86400))::numeric, 1)
        FROM touch t GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        $q$, dunning._ledger_sql('payment', 'ARRAY(SELECT DISTINCT c.debtor_id FROM contact c)')) USING span.from_time, span.until_time;
END
$$;
COMMENT ON FUNCTION dunning.touches(date, date) IS
    'What each step brought over each channel in a span of days (until_date excluded): messages that left, debtors, reached, reacted (clicked, answered, called, promised, disputed), promised, followed by a payment within 14 days, and after how many days in the middle. A payment or reaction belongs to the last contact before it. 22023 without a span. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.touches(date, date) TO dunning_viewer;

CREATE FUNCTION dunning.invoice_contacts(debtor_id text, reference text DEFAULT NULL)
    RETURNS TABLE (invoice text, at timestamptz, channel text, template text, step text, amount numeric, currency text, state text, message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(invoice_contacts.debtor_id);
BEGIN
    RETURN QUERY
        SELECT i.value->>'reference', coalesce((SELECT min(e.contact_on) FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id), m.contact_at),
               m.channel::text, m.template::text, m.step::text, (i.value->>'amount')::numeric, b.value->>'currency', s.state, m.message_id
        FROM dunning.message m
        CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(m.context->'balances') = 'array' THEN m.context->'balances' ELSE '[]' END) b(value)
        CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(b.value->'invoices') = 'array' THEN b.value->'invoices' ELSE '[]' END) i(value)
        LEFT JOIN dunning.message_state s ON s.debtor_id = m.debtor_id AND s.message_id = m.message_id
        WHERE m.debtor_id = id AND (invoice_contacts.reference IS NULL OR i.value->>'reference' = invoice_contacts.reference)
        ORDER BY 2, m.message_id, 1;
END
$$;
COMMENT ON FUNCTION dunning.invoice_contacts(text, text) IS
    'The contacts of a debtor that named an invoice (NULL: each of them), with what was open of it then and what became of the message. The reference is the ledger''s, or the invoice_id where it has none. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.invoice_contacts(text, text) TO dunning_viewer;
