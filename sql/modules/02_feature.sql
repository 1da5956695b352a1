-- feature: what could be known of a debtor, or of a debtor when an invoice was issued, and nothing that came after.
--
-- The ledger's rows are gathered into arrays a debtor and replayed by a pure function in the order in which the ledger learnt of
-- them (src/feature/account.c). features() reads the account off at its end, invoice_features() when each invoice was issued: a model
-- is trained on and asked with the same figures. The rows of a person's other creditors are not looked at.

CREATE TYPE dunning.history_look AS (
    invoice_id text, at timestamptz, step int, step_late float8, currency text, currencies int, n_invoices int, n_paid int, n_late int,
    n_open int, n_overdue int, n_payments int, amount_billed float8, amount_paid float8, amount_open float8, amount_overdue float8,
    dpd_0 float8, dpd_1_30 float8, dpd_31_60 float8, dpd_61_90 float8, dpd_over_90 float8, days_past_due int,
    days_since_payment int, days_since_invoice int, late_ratio float8, late_amount_ratio float8, avg_late float8, sum_late float8,
    last_late float8, max_late float8, avg_late_3 float8, trend float8, ewma_late float8, partial_ratio float8, month_end_ratio float8,
    amount_mean float8, tenure_days int, issued_on date, due_on date, amount float8, settled_on date
);
COMMENT ON TYPE dunning.history_look IS 'A look at an account at one instant (step 0), or one settlement gained (1) or lost (-1).';

CREATE TYPE dunning.debtor_features AS (
    debtor_id text, creditor text, as_of timestamptz,
    currency text, currencies int,
    n_invoices int, n_paid int, n_late int, n_open int, n_overdue int, n_payments int,
    amount_billed float8, amount_paid float8, amount_open float8, amount_overdue float8,
    dpd_0 float8, dpd_1_30 float8, dpd_31_60 float8, dpd_61_90 float8, dpd_over_90 float8, days_past_due int,
    days_since_payment int, days_since_invoice int, tenure_days int,
    late_ratio float8, late_amount_ratio float8, avg_late float8, last_late float8, max_late float8, avg_late_3 float8, trend float8, ewma_late float8,
    late_ratio_shrunk float8, avg_late_shrunk float8, coverage float8,
    partial_ratio float8, month_end_ratio float8, amount_mean float8, open_vs_mean float8
);
COMMENT ON TYPE dunning.debtor_features IS
'A debtor at as_of. Counts (n_*) are over all currencies; sums are in `currency` alone: one with an open balance, then the one of most invoices; currencies counts them. n_*: invoices proper (fees and interest are owed, but tell nothing of habits; n_open and n_overdue count them). dpd_*: open amount by days past due. Days late are 0 for what was paid in time; avg, last, max, mean of the last three, trend (that less avg), ewma (weight 0.3) over settled invoices in order of settlement; late_amount_ratio by amount. *_shrunk: toward the mean of the creditor''s book with the weight of five invoices; coverage n/(n+5). partial_ratio: share of paid or part-paid invoices that took more than one payment. month_end_ratio: share of payments in the last three days of a month. NULL: nothing known.';

CREATE TYPE dunning.invoice_features AS (
    debtor_id text, invoice_id text, creditor text, currency text, issued_on date, due_on date, amount float8,
    log_amount float8, terms int, issue_month int, issue_weekday int, issue_day int,
    currencies int, n_invoices int, n_paid int, n_late int, n_open int, n_overdue int, n_payments int,
    amount_billed float8, amount_paid float8, amount_open float8, amount_overdue float8, days_past_due int,
    days_since_payment int, days_since_invoice int, tenure_days int,
    late_ratio float8, late_amount_ratio float8, avg_late float8, last_late float8, max_late float8, avg_late_3 float8, trend float8, ewma_late float8,
    late_ratio_shrunk float8, avg_late_shrunk float8, coverage float8,
    partial_ratio float8, month_end_ratio float8, amount_mean float8, amount_vs_mean float8,
    settled_on date, days_late int
);
COMMENT ON TYPE dunning.invoice_features IS
'An invoice with the history of its debtor strictly before its day of issue, as in debtor_features; sums are in the invoice''s currency. amount_vs_mean: amount over the mean of earlier ones. Known at as_of, so labels and no features: settled_on, days_late (negative: early; NULL: not settled).';

CREATE FUNCTION dunning._invoice_history(invoice_id text[], currency text[], issued_on date[], due_on date[], amount float8[],
    asked_at timestamptz[], known_at timestamptz[], gone_at timestamptz[], counted boolean[],
    paid_invoice text[], paid_currency text[], paid_on date[], paid_known_at timestamptz[], paid_amount float8[])
RETURNS SETOF dunning.history_look
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 15 AS 'MODULE_PATHNAME', 'dun_feature_sql_invoice_history';
COMMENT ON FUNCTION dunning._invoice_history(text[], text[], date[], date[], float8[], timestamptz[], timestamptz[], timestamptz[], boolean[], text[], text[], date[], timestamptz[], float8[]) IS
'One debtor''s account: a look when each invoice was issued (what its own instant brings is not seen), and the settlements gained and lost.';

CREATE FUNCTION dunning._debtor_history(invoice_id text[], currency text[], issued_on date[], due_on date[], amount float8[],
    asked_at timestamptz[], known_at timestamptz[], gone_at timestamptz[], counted boolean[],
    paid_invoice text[], paid_currency text[], paid_on date[], paid_known_at timestamptz[], paid_amount float8[],
    stated float8[], today date)
RETURNS dunning.history_look
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_feature_sql_debtor_history';
COMMENT ON FUNCTION dunning._debtor_history(text[], text[], date[], date[], float8[], timestamptz[], timestamptz[], timestamptz[], boolean[], text[], text[], date[], timestamptz[], float8[], float8[], date) IS
'One debtor''s account at its end; stated: the source''s own open amounts, where they are the balance.';

-- A row a debtor: its invoices and payments as arrays. _ledger_sql() has left out what is not known at as_of. The arrays are in a
-- fixed order, so that what happens at one instant happens in the same order whatever the rows' places in the table.
CREATE FUNCTION dunning._account_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    states text := dunning._states_balance_sql(_account_sql.as_of);
BEGIN
    RETURN format($q$SELECT coalesce(b.debtor_id, p.debtor_id) AS debtor_id, b.ids, b.currencies, b.issued, b.due, b.amounts, b.asked, b.known, b.gone, b.counted,
        p.ids AS paid_ids, p.currencies AS paid_currencies, p.paid_on, p.known AS paid_known, p.amounts AS paid_amounts, %3$s AS stated
    FROM (SELECT l.debtor_id, array_agg(l.invoice_id) AS ids, array_agg(l.currency) AS currencies, array_agg(l.issued_on) AS issued,
            array_agg(CASE WHEN isfinite(l.due_on) THEN l.due_on ELSE l.issued_on END) AS due,
            array_agg(CASE WHEN l.kind = 'credit_note' THEN -abs(l.amount) ELSE l.amount END::float8) AS amounts,
            array_agg(l.issued_at) AS asked, array_agg(coalesce(l.recorded_at, l.issued_at)) AS known, array_agg(l.cancelled_at) AS gone,
            array_agg(l.kind = 'invoice') AS counted, array_agg(CASE WHEN l.kind = 'credit_note' THEN -abs(l.open_amount) ELSE l.open_amount END::float8) AS stated
        FROM (SELECT i.*, CASE WHEN i.issued_on <= '294000-01-01' THEN i.issued_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) END AS issued_at FROM (%1$s) i
              ORDER BY i.debtor_id, i.invoice_id) l
        WHERE l.amount > -1e15 AND l.amount < 1e15 AND isfinite(l.issued_on) AND l.issued_on <= '294000-01-01'
          AND (l.amount < 0 OR isfinite(l.due_on)) AND l.currency <> '' AND l.invoice_id IS NOT NULL GROUP BY 1) b
    FULL JOIN (SELECT l.debtor_id, array_agg(l.invoice_id) AS ids, array_agg(l.currency) AS currencies,
            array_agg((l.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date) AS paid_on,
            array_agg(coalesce(l.recorded_at, l.paid_at)) AS known, array_agg(l.amount::float8) AS amounts
        FROM (SELECT y.* FROM (%2$s) y ORDER BY y.debtor_id, y.paid_at, y.amount, y.invoice_id) l
        WHERE l.amount > -1e15 AND l.amount < 1e15 AND isfinite(l.paid_at) AND l.currency <> '' GROUP BY 1) p
    ON p.debtor_id = b.debtor_id$q$,
        dunning._ledger_sql('invoice', _account_sql.many, _account_sql.as_of),
        dunning._ledger_sql('payment', _account_sql.many, _account_sql.as_of),
        CASE WHEN states = 'false' THEN 'NULL::float8[]' ELSE format('CASE WHEN %s THEN b.stated END', states) END);
END
$body$;
COMMENT ON FUNCTION dunning._account_sql(text, text) IS 'SQL text: one row a debtor with invoices and payments as arrays, known at as_of.';

CREATE FUNCTION dunning._features_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    at text := format('coalesce((%s)::timestamptz, dunning._now())', coalesce(_features_sql.as_of, 'NULL'));
    look text := format($q$SELECT a.debtor_id, h.* FROM (%%s) a, LATERAL dunning._debtor_history(a.ids, a.currencies, a.issued, a.due, a.amounts,
            a.asked, a.known, a.gone, a.counted, a.paid_ids, a.paid_currencies, a.paid_on, a.paid_known, a.paid_amounts, a.stated,
            (SELECT (%s AT TIME ZONE (SELECT dunning._ledger_zone()))::date)) h$q$, at);
    book text := 'known';
BEGIN
    -- The mean that few invoices are shrunk to is the whole book's, also when few debtors are asked for.
    IF _features_sql.many IS NOT NULL THEN
        book := format($q$(SELECT d.debtor_id, d.creditor, h.n_paid, h.n_late, h.sum_late FROM (%s) d LEFT JOIN (%s) h ON h.debtor_id = d.debtor_id)$q$,
                       dunning._ledger_sql('debtor', NULL, _features_sql.as_of),
                       replace(look, '%s', dunning._account_sql(NULL, _features_sql.as_of)));
    END IF;
    RETURN format($q$WITH known AS MATERIALIZED (
        SELECT coalesce(d.debtor_id, h.debtor_id) AS of_debtor, coalesce(d.creditor, 'default') AS of_creditor, h.*
        FROM (%1$s) d FULL JOIN (%2$s) h ON h.debtor_id = d.debtor_id),
    book AS (SELECT b.%3$s AS of_creditor, sum(b.n_late)::float8 / nullif(sum(b.n_paid), 0) AS late, sum(b.sum_late) / nullif(sum(b.n_paid), 0) AS days
        FROM %4$s b GROUP BY 1)
    SELECT k.of_debtor AS debtor_id, k.of_creditor AS creditor, %5$s AS as_of, k.currency, coalesce(k.currencies, 0) AS currencies,
        coalesce(k.n_invoices, 0) AS n_invoices, coalesce(k.n_paid, 0) AS n_paid, coalesce(k.n_late, 0) AS n_late, coalesce(k.n_open, 0) AS n_open,
        coalesce(k.n_overdue, 0) AS n_overdue, coalesce(k.n_payments, 0) AS n_payments,
        coalesce(k.amount_billed, 0) AS amount_billed, coalesce(k.amount_paid, 0) AS amount_paid, coalesce(k.amount_open, 0) AS amount_open,
        coalesce(k.amount_overdue, 0) AS amount_overdue, coalesce(k.dpd_0, 0) AS dpd_0, coalesce(k.dpd_1_30, 0) AS dpd_1_30,
        coalesce(k.dpd_31_60, 0) AS dpd_31_60, coalesce(k.dpd_61_90, 0) AS dpd_61_90, coalesce(k.dpd_over_90, 0) AS dpd_over_90,
        coalesce(k.days_past_due, 0) AS days_past_due, k.days_since_payment, k.days_since_invoice, k.tenure_days,
        k.late_ratio, k.late_amount_ratio, k.avg_late, k.last_late, k.max_late, k.avg_late_3, k.trend, k.ewma_late,
        coalesce((coalesce(k.n_late, 0) + 5 * b.late) / (coalesce(k.n_paid, 0) + 5), k.late_ratio) AS late_ratio_shrunk,
        coalesce((coalesce(k.sum_late, 0) + 5 * b.days) / (coalesce(k.n_paid, 0) + 5), k.avg_late) AS avg_late_shrunk,
        coalesce(k.n_paid, 0)::float8 / (coalesce(k.n_paid, 0) + 5) AS coverage,
        k.partial_ratio, k.month_end_ratio, k.amount_mean, k.amount_open / nullif(k.amount_mean, 0) AS open_vs_mean
    FROM known k LEFT JOIN book b ON b.of_creditor = k.of_creditor$q$,
        dunning._ledger_sql('debtor', _features_sql.many, _features_sql.as_of),
        replace(look, '%s', dunning._account_sql(_features_sql.many, _features_sql.as_of)),
        CASE WHEN _features_sql.many IS NULL THEN 'of_creditor' ELSE 'creditor' END, book, at);
END
$body$;
COMMENT ON FUNCTION dunning._features_sql(text, text) IS
'SQL text: one row of debtor_features a debtor of many (NULL: the whole book) at as_of. The means of the book are read from all of it in either case.';

CREATE FUNCTION dunning.features(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.debtor_features
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(features.as_of);
    RETURN QUERY EXECUTE dunning._features_sql(NULL, '$1') USING features.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.features(timestamptz) IS
'One row a debtor: counts, habits, open balance and its age as they could be known at as_of (NULL: now); see the type debtor_features. Nothing dated or recorded at or after as_of is looked at. DN001 broken source. Role: dunning_operator.';

CREATE FUNCTION dunning.invoice_features(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.invoice_features
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(invoice_features.as_of);
    RETURN QUERY EXECUTE format($q$WITH look AS (
        SELECT a.debtor_id, coalesce(d.creditor, 'default') AS creditor, h.*
        FROM (%2$s) a LEFT JOIN (%1$s) d ON d.debtor_id = a.debtor_id,
             LATERAL dunning._invoice_history(a.ids, a.currencies, a.issued, a.due, a.amounts, a.asked, a.known, a.gone, a.counted,
                 a.paid_ids, a.paid_currencies, a.paid_on, a.paid_known, a.paid_amounts) h),
    -- the book's means just before each look: a look comes before the settlements of its own instant
    booked AS (SELECT k.*, sum(k.step) OVER w AS book_n, sum(sign(k.step_late) * k.step) OVER w AS book_late, sum(k.step_late * k.step) OVER w AS book_days
        FROM look k WINDOW w AS (PARTITION BY k.creditor ORDER BY k.at, k.step <> 0 ROWS UNBOUNDED PRECEDING))
    SELECT k.debtor_id, k.invoice_id, k.creditor, k.currency, k.issued_on, k.due_on, k.amount,
        ln(k.amount), k.due_on - k.issued_on, extract(month FROM k.issued_on)::int, extract(isodow FROM k.issued_on)::int, extract(day FROM k.issued_on)::int,
        k.currencies, k.n_invoices, k.n_paid, k.n_late, k.n_open, k.n_overdue, k.n_payments,
        k.amount_billed, k.amount_paid, k.amount_open, k.amount_overdue, k.days_past_due,
        k.days_since_payment, k.days_since_invoice, k.tenure_days,
        k.late_ratio, k.late_amount_ratio, k.avg_late, k.last_late, k.max_late, k.avg_late_3, k.trend, k.ewma_late,
        coalesce((k.n_late + 5 * k.book_late / nullif(k.book_n, 0)) / (k.n_paid + 5), k.late_ratio),
        coalesce((k.sum_late + 5 * k.book_days / nullif(k.book_n, 0)) / (k.n_paid + 5), k.avg_late),
        k.n_paid::float8 / (k.n_paid + 5),
        k.partial_ratio, k.month_end_ratio, k.amount_mean, k.amount / nullif(k.amount_mean, 0),
        k.settled_on, k.settled_on - k.due_on
    FROM booked k
    WHERE k.step = 0$q$,
        dunning._ledger_sql('debtor', NULL, '$1'), dunning._account_sql(NULL, '$1'))
        USING invoice_features.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.invoice_features(timestamptz) IS
'One row an invoice (uncancelled, positive, no fee or interest) known at as_of (NULL: now): the history of its debtor strictly before its day of issue, and settled_on and days_late as known at as_of; see the type invoice_features. DN001 broken source. Role: dunning_operator.';

GRANT EXECUTE ON FUNCTION dunning.features(timestamptz), dunning.invoice_features(timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._features_sql(text, text), dunning._debtor_history(text[], text[], date[], date[], float8[],
    timestamptz[], timestamptz[], timestamptz[], boolean[], text[], text[], date[], timestamptz[], float8[], float8[], date) TO dunning_worker;
