-- plan: what a message may say. The template context is composed here from the ledger and frozen with the message.

CREATE FUNCTION dunning._today(as_of timestamptz) RETURNS date
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (coalesce(as_of, dunning._now()) AT TIME ZONE dunning._ledger_zone())::date;
END
$fn$;
COMMENT ON FUNCTION dunning._today(timestamptz) IS 'The date by which days past due are counted: that of the instant (NULL: now) in the ledger''s zone.';

-- Open items with what planning asks of each: how many days past due, and whether it must be left out, and why.
CREATE FUNCTION dunning._plan_items_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        SELECT i.debtor_id, i.currency, i.invoice_id, i.due_on, i.amount, i.open, coalesce(i.reference, i.invoice_id) AS reference, i.pay_url,
               (SELECT dunning._today(%2$s)) - i.due_on AS days,
               CASE WHEN i.disputed THEN 'disputed'
                    WHEN h.debtor_id IS NOT NULL THEN 'hold:' || h.reason END AS left_out
        FROM (%1$s) i
        LEFT JOIN (SELECT x.debtor_id, x.invoice_id, min(x.reason) AS reason FROM %3$s x
                   WHERE x.invoice_id IS NOT NULL AND x.released_at IS NULL AND x.from_at <= coalesce(%2$s, dunning._now())
                     AND (x.until_at IS NULL OR x.until_at > coalesce(%2$s, dunning._now()))
                   GROUP BY 1, 2) h ON h.debtor_id = i.debtor_id AND h.invoice_id = i.invoice_id$q$,
        dunning._open_items_sql(many, as_of), as_of, dunning._past('hold'));
END
$fn$;
COMMENT ON FUNCTION dunning._plan_items_sql(text, text) IS 'SQL text: open items with days past due and, for disputed or held ones, why they are left out.';

-- One context a debtor out of any set of items: one balance a currency, the largest first.
CREATE FUNCTION dunning._context_sql(items text, many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH item AS MATERIALIZED (%1$s),
        currency AS (
            SELECT i.debtor_id, i.currency, sum(i.open) AS amount, min(i.due_on) AS due_on, max(i.days) AS days, count(*) AS invoices,
                   pg_catalog.jsonb_agg(CASE WHEN i.open < i.amount
                       -- what payments and credit notes have taken off it
                       THEN pg_catalog.jsonb_build_object('reference', i.reference, 'amount', i.open, 'due_on', i.due_on, 'days_overdue', i.days, 'pay_url', i.pay_url,
                           'settled', pg_catalog.jsonb_build_object('amount', i.amount - i.open, 'of', i.amount))
                       ELSE pg_catalog.jsonb_build_object('reference', i.reference, 'amount', i.open, 'due_on', i.due_on, 'days_overdue', i.days, 'pay_url', i.pay_url) END ORDER BY i.due_on, i.invoice_id) AS list
            FROM item i GROUP BY i.debtor_id, i.currency),
        balance AS (
            SELECT c.debtor_id,
                   pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('currency', c.currency, 'amount', c.amount, 'due_on', c.due_on,
                       'days_overdue', c.days, 'invoices', c.list) ORDER BY c.amount DESC, c.currency) AS balances,
                   pg_catalog.jsonb_object_agg(c.currency, c.amount) AS amounts
            FROM currency c GROUP BY c.debtor_id)
        SELECT d.debtor_id, coalesce(b.amounts, '{}') AS amounts, coalesce(nullif(d.language, ''), c.language, 'en') AS language, d.creditor,
            dunning._optional_names() || pg_catalog.jsonb_build_object(
                'debtor_id', d.debtor_id, 'name', d.name, 'given_name', d.given_name, 'company', coalesce(d.kind = 'company', false),
                'creditor', d.creditor, 'creditor_name', coalesce(c.name, d.creditor), 'sender_name', coalesce(c.sender_name, c.name, d.creditor),
                'creditor_phone', c.phone, 'creditor_account', c.account, 'reply_to', c.reply_to,
                'amount', b.balances->0->'amount', 'currency', b.balances->0->'currency', 'due_on', b.balances->0->'due_on',
                'days_overdue', b.balances->0->'days_overdue', 'invoice_count', coalesce(pg_catalog.jsonb_array_length(b.balances->0->'invoices'), 0),
                'reference', b.balances->0->'invoices'->0->'reference', 'pay_url', b.balances->0->'invoices'->0->'pay_url')
            -- In these countries each SMS must say how to stop them.
            || CASE WHEN d.country IN ('US', 'CA') THEN '{"optout_reply": true}' ELSE '{}'::jsonb END
            || pg_catalog.jsonb_build_object('balances', coalesce(b.balances, '[]'), 'other_currencies', coalesce(b.balances - 0, '[]'), 'offer', o.offer) AS context
        FROM (%2$s) d
        LEFT JOIN balance b ON b.debtor_id = d.debtor_id
        LEFT JOIN (SELECT DISTINCT ON (x.creditor) x.* FROM dunning.creditor x ORDER BY x.creditor, x.builtin) c ON c.creditor = d.creditor
        LEFT JOIN (SELECT l.debtor_id, l.offer FROM dunning._live_offers(%3$s, %4$s) l WHERE l.expires_on >= dunning._today(%4$s)) o ON o.debtor_id = d.debtor_id$q$,
        items, dunning._ledger_sql('debtor', many, as_of), coalesce(many, 'NULL'), coalesce(as_of, 'NULL'));
END
$fn$;
COMMENT ON FUNCTION dunning._context_sql(text, text, text) IS 'SQL text: debtor_id, amounts, language, creditor and the template context of each debtor, out of the given items.';

CREATE FUNCTION dunning._due_items_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN 'SELECT y.* FROM (SELECT p.*, bool_or(p.days > 0) OVER (PARTITION BY p.debtor_id) AS overdue FROM ('
        || dunning._plan_items_sql(many, as_of) || ') p WHERE p.left_out IS NULL) y WHERE y.days > 0 OR NOT y.overdue';
END
$fn$;
COMMENT ON FUNCTION dunning._due_items_sql(text, text) IS 'SQL text: what a message outside of a strategy is about: overdue items, where there are none those that will fall due; not the disputed and held ones.';

CREATE FUNCTION dunning._context(debtor_ids text[], as_of timestamptz) RETURNS TABLE (debtor_id text, context jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE 'SELECT x.debtor_id::text, x.context FROM ('
        || dunning._context_sql(dunning._due_items_sql('$1', '$2'), '$1', '$2') || ') x'
    USING debtor_ids, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._context(text[], timestamptz) IS 'The template context of each debtor as docs/architecture.md lists it: disputed and held invoices left out; what is overdue, else what will fall due.';

GRANT EXECUTE ON FUNCTION dunning._today(timestamptz) TO dunning_worker;
