-- feature: what could be known of a debtor, or of a debtor when an invoice was issued, and nothing that came after.
--
-- One pass over the ledger, and over what we and the debtor did, gathers a state a debtor (dunning._history()); a pure function
-- replays it in the order in which it came to be known (src/feature/). features() reads the account off at its end,
-- invoice_features() when each invoice was issued: a model is trained on and asked with the same figures. The rows of a person's
-- other creditors are not looked at.

CREATE TYPE dunning.history_look AS (
    invoice_id text, issued_on date, due_on date, amount float8, settled_on date, ledger_rows int, currency text, currencies int, n_invoices int,
    n_paid int, n_late int, n_open int, n_overdue int, n_payments int, amount_billed float8, amount_paid float8, amount_open float8,
    amount_overdue float8, dpd_0 float8, dpd_1_30 float8, dpd_31_60 float8, dpd_61_90 float8, dpd_over_90 float8, days_past_due int,
    days_since_payment int, days_since_invoice int, late_ratio float8, late_amount_ratio float8, avg_late float8, sum_late float8, last_late float8,
    max_late float8, avg_late_3 float8, trend float8, ewma_late float8, partial_ratio float8, month_end_ratio float8, amount_mean float8,
    tenure_days int, n_payments_90d int, payments_per_month float8, invoices_per_month float8, payment_mean float8, n_partial int,
    n_before_reminder int, paid_before_reminder float8, paid_after_1 float8, paid_after_2 float8, paid_after_3 float8, n_promises int,
    promises_kept int, promises_broken int, promise_kept_ratio float8, promise_days_to_break float8, n_disputed int, dispute_ratio float8,
    dpd_bucket int, dpd_roll int, overdue_change float8, weekday_ratio float8, pay_weekday int, payday_ratio float8, payday_from int,
    contacts_7d int, contacts_30d int, responses_7d int, responses_30d int, contacts_email_7d int, contacts_sms_7d int, contacts_letter_7d int,
    contacts_call_7d int, contacts_other_7d int, contacts_email_30d int, contacts_sms_30d int, contacts_letter_30d int, contacts_call_30d int,
    contacts_other_30d int, responses_email_7d int, responses_sms_7d int, responses_letter_7d int, responses_call_7d int, responses_other_7d int,
    responses_email_30d int, responses_sms_30d int, responses_letter_30d int, responses_call_30d int, responses_other_30d int,
    days_since_contact int, days_since_response int, reached_ratio float8, days_since_reached int, address_age_days int,
    sum_gap float8, avg_gap float8, gap_trend float8, ewma_gap float8, gap_sd float8, days_to_pay float8, pay_hour int, pay_hour_ratio float8
);
COMMENT ON TYPE dunning.history_look IS 'A look at an account at one instant; the columns up to settled_on are of the invoice at whose issue it was taken. src/feature/look.h has them in this order.';

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
,
    n_payments_90d int, payments_per_month float8, invoices_per_month float8, payment_mean float8, n_partial int, paid_before_reminder float8,
    paid_after_1 float8, paid_after_2 float8, paid_after_3 float8, n_promises int, promises_kept int, promises_broken int, promise_kept_ratio float8,
    promise_days_to_break float8, n_disputed int, dispute_ratio float8, dpd_bucket int, dpd_roll int, overdue_change float8, weekday_ratio float8,
    pay_weekday int, payday_ratio float8, payday_from int, contacts_7d int, contacts_30d int, responses_7d int, responses_30d int,
    contacts_email_7d int, contacts_sms_7d int, contacts_letter_7d int, contacts_call_7d int, contacts_other_7d int, contacts_email_30d int,
    contacts_sms_30d int, contacts_letter_30d int, contacts_call_30d int, contacts_other_30d int, responses_email_7d int, responses_sms_7d int,
    responses_letter_7d int, responses_call_7d int, responses_other_7d int, responses_email_30d int, responses_sms_30d int, responses_letter_30d int,
    responses_call_30d int, responses_other_30d int, days_since_contact int, days_since_response int, reached_ratio float8, days_since_reached int,
    address_age_days int, paid_before_shrunk float8, ewma_late_shrunk float8, kind text, is_company boolean, country text, has_email boolean,
    has_phone boolean, has_post boolean, attributes jsonb,
    avg_gap float8, avg_gap_shrunk float8, gap_trend float8, ewma_gap float8, gap_sd float8, days_to_pay float8, pay_hour int, pay_hour_ratio float8
);
COMMENT ON TYPE dunning.debtor_features IS
'A debtor at as_of; what each column means stands in the view feature_catalogue. Counts (n_*) are over all currencies; sums are in `currency` alone: one with an open balance, then the one of most invoices; currencies counts them. n_*: invoices proper (fees and interest are owed, but tell nothing of habits; n_open and n_overdue count them). dpd_*: open amount by days past due. Days late are 0 for what was paid in time. *_shrunk: toward the mean of the debtors of the same creditor and kind (itself toward the creditor''s) with the weight of five invoices; coverage n/(n+5). attributes: numbers, booleans and texts of the bound debtor''s attributes that are not excluded and no address. NULL: nothing known.';

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
,
    n_payments_90d int, payments_per_month float8, invoices_per_month float8, payment_mean float8, n_partial int, paid_before_reminder float8,
    paid_after_1 float8, paid_after_2 float8, paid_after_3 float8, n_promises int, promises_kept int, promises_broken int, promise_kept_ratio float8,
    promise_days_to_break float8, n_disputed int, dispute_ratio float8, dpd_bucket int, dpd_roll int, overdue_change float8, weekday_ratio float8,
    pay_weekday int, payday_ratio float8, payday_from int, contacts_7d int, contacts_30d int, responses_7d int, responses_30d int,
    contacts_email_7d int, contacts_sms_7d int, contacts_letter_7d int, contacts_call_7d int, contacts_other_7d int, contacts_email_30d int,
    contacts_sms_30d int, contacts_letter_30d int, contacts_call_30d int, contacts_other_30d int, responses_email_7d int, responses_sms_7d int,
    responses_letter_7d int, responses_call_7d int, responses_other_7d int, responses_email_30d int, responses_sms_30d int, responses_letter_30d int,
    responses_call_30d int, responses_other_30d int, days_since_contact int, days_since_response int, reached_ratio float8, days_since_reached int,
    address_age_days int, paid_before_shrunk float8, ewma_late_shrunk float8, kind text, is_company boolean, country text, has_email boolean,
    has_phone boolean, has_post boolean, attributes jsonb,
    avg_gap float8, avg_gap_shrunk float8, gap_trend float8, ewma_gap float8, gap_sd float8, days_to_pay float8, pay_hour int, pay_hour_ratio float8,
    due_weekday int, due_closed boolean
);
COMMENT ON TYPE dunning.invoice_features IS
'An invoice with the history of its debtor strictly before its day of issue, as in debtor_features; sums are in the invoice''s currency. amount_vs_mean: amount over the mean of earlier ones. kind, country and has_* are the debtor''s of now, attributes those that bind() was told are immutable. Known at as_of, so labels and no features: settled_on, days_late (negative: early; NULL: not settled).';

CREATE FUNCTION dunning._history_add(state bytea, what int, id text, currency text, kind text, day date, due date, amount numeric, at timestamptz, paid timestamptz, gone timestamptz,
        disputed_at timestamptz, disputed boolean, stated numeric, message uuid)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'dun_feature_sql_history_add';
COMMENT ON FUNCTION dunning._history_add(bytea, integer, text, text, text, date, date, numeric, timestamptz, timestamptz, timestamptz, timestamptz, boolean, numeric, uuid) IS
'The state with one row more. what: 1 invoice, 2 payment, 3 promise, 4 contact, 5 event. Rows without amount, day or currency are left out.';

CREATE FUNCTION dunning._history_join(state bytea, other bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_feature_sql_history_join';
COMMENT ON FUNCTION dunning._history_join(bytea, bytea) IS 'The rows of both states.';

CREATE AGGREGATE dunning._history(what int, id text, currency text, kind text, day date, due date, amount numeric, at timestamptz, paid timestamptz, gone timestamptz,
        disputed_at timestamptz, disputed boolean, stated numeric, message uuid) (
    SFUNC = dunning._history_add, STYPE = bytea, SSPACE = 1000, COMBINEFUNC = dunning._history_join, PARALLEL = SAFE
);
COMMENT ON AGGREGATE dunning._history(integer, text, text, text, date, date, numeric, timestamptz, timestamptz, timestamptz, timestamptz, boolean, numeric, uuid) IS
'All that is known of one debtor as one value, whatever the order of the rows; see _history_sql() for what the arguments are.';

CREATE FUNCTION dunning._debtor_look(state bytea, zone text, at timestamptz, stated boolean) RETURNS dunning.history_look
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_feature_sql_debtor_look';
COMMENT ON FUNCTION dunning._debtor_look(bytea, text, timestamptz, boolean) IS
'One debtor''s account at its end (state NULL: of whom nothing is known), as seen at an instant; stated: the source''s own open amounts are the balance.';

CREATE FUNCTION dunning._invoice_looks(state bytea, zone text) RETURNS SETOF dunning.history_look
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'dun_feature_sql_invoice_looks';
COMMENT ON FUNCTION dunning._invoice_looks(bytea, text) IS 'One debtor''s account when each invoice was issued; what its own instant brings is not seen.';

CREATE FUNCTION dunning._invoice_steps(state bytea, zone text) RETURNS TABLE (day date, n int, late int, days float8, before int, gap float8)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'dun_feature_sql_invoice_steps';
COMMENT ON FUNCTION dunning._invoice_steps(bytea, text) IS
'The settlements gained (n 1) and lost (-1) with the first day that sees them at its beginning, and the days of the looks (0): the means of the book are running sums of these.';

-- What came after as_of is left out here, so that nothing behind this text could see it. A contact is known when it is made, an
-- event when it is recorded; of a promise only its cancellation comes later. The arguments are those of the aggregate.
CREATE FUNCTION dunning._history_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    cut text := '(SELECT ' || dunning._cut_sql(_history_sql.as_of) || ')';
    own text := CASE WHEN _history_sql.many IS NULL THEN '' ELSE format(' AND x.debtor_id = ANY (%s)', _history_sql.many) END;
BEGIN
    RETURN format($q$SELECT u.debtor_id, dunning._history(u.what, u.id, u.currency, u.kind, u.day, u.due, u.amount, u.at, u.paid, u.gone, u.disputed_at,
        u.disputed, u.stated, u.message) AS state
    FROM (SELECT l.debtor_id, 1 AS what, l.invoice_id AS id, l.currency, l.kind, l.issued_on AS day, l.due_on AS due, l.amount, l.recorded_at AS at,
            NULL::timestamptz AS paid, l.cancelled_at AS gone, l.disputed_at, l.disputed, l.open_amount AS stated, NULL::uuid AS message
        FROM (%1$s) l
        UNION ALL
        SELECT l.debtor_id, 2, l.invoice_id, l.currency, NULL::text COLLATE "C", NULL::date, NULL::date, l.amount, l.recorded_at,
            l.paid_at, NULL::timestamptz, NULL::timestamptz, NULL::boolean, NULL::numeric, NULL::uuid
        FROM (%2$s) l
        UNION ALL
        SELECT x.debtor_id, 3, NULL::text COLLATE "C", x.currency COLLATE "C", NULL::text COLLATE "C", x.due_on, NULL::date, x.needed, x.promised_at,
            ((x.due_on + (SELECT dunning._value_of('promise_grace_days')::int) + 1)::timestamp AT TIME ZONE 'UTC') + interval '12 hours',
            CASE WHEN %3$s IS NULL OR x.cancelled_at < %3$s THEN x.cancelled_at END, NULL::timestamptz, NULL::boolean, x.paid_before, NULL::uuid
        FROM dunning.promise x WHERE (%3$s IS NULL OR x.promised_at < %3$s)%4$s
        UNION ALL
        SELECT x.debtor_id, 4, encode(substr(x.address_digest, 1, 8), 'hex') COLLATE "C", NULL::text COLLATE "C", x.channel, NULL::date, NULL::date, NULL::numeric, x.contact_on,
            NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::boolean, NULL::numeric, x.message_id
        FROM %5$s x WHERE NOT x.test AND (%3$s IS NULL OR x.contact_on < %3$s)%4$s
        UNION ALL
        SELECT x.debtor_id, 5, (x.detail ->> 'channel') COLLATE "C", NULL::text COLLATE "C", x.kind, NULL::date, NULL::date, NULL::numeric,
            GREATEST(x.at, x.recorded_at), NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::boolean, NULL::numeric, x.message_id
        FROM %6$s x WHERE x.detail ->> 'machine' IS DISTINCT FROM 'true' AND (%3$s IS NULL OR GREATEST(x.at, x.recorded_at) < %3$s)%4$s) u
    GROUP BY u.debtor_id$q$,
        dunning._ledger_sql('invoice', _history_sql.many, _history_sql.as_of),
        dunning._ledger_sql('payment', _history_sql.many, _history_sql.as_of), cut, own, dunning._past('egress'), dunning._past('event'));
END
$body$;
COMMENT ON FUNCTION dunning._history_sql(text, text) IS
'SQL text: one row a debtor with the state of all that was known at as_of: invoices, payments, promises, contacts (egress) and what came back (events).';

-- A part of UNION ALL that asks for a value in a subselect is a query of its own, and its rows are not aggregated in parallel. The
-- values are the same for all rows: who reads a whole book at a known instant puts them in instead.
CREATE FUNCTION dunning._at_once_sql(sql text, as_of timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    cut timestamptz := LEAST(_at_once_sql.as_of, dunning._virtual_clock() + interval '0.000001 s');
    cut_text text := dunning._cut_sql('$1');
    instant text := coalesce(quote_literal(cut), 'NULL') || '::timestamptz';
    result text := _at_once_sql.sql;
BEGIN
    result := replace(result, '(SELECT ' || cut_text || ' AT TIME ZONE (SELECT dunning._ledger_zone()))',
                      coalesce(quote_literal(cut AT TIME ZONE dunning._ledger_zone()), 'NULL') || '::timestamp');
    result := replace(result, '(SELECT ' || cut_text || ')', instant);
    result := replace(result, dunning._is_live_sql('$1'), CASE WHEN coalesce(cut >= now() - interval '1 min', true) THEN 'true' ELSE 'false' END);
    result := replace(result, '(SELECT ($1)::timestamptz < dunning._now() - ''1 min''::interval)',
                      CASE WHEN _at_once_sql.as_of < dunning._now() - interval '1 min' THEN 'true' ELSE 'false' END);
    result := replace(result, '(SELECT dunning._value_of(''promise_grace_days'')::int)', dunning._value_of('promise_grace_days')::int::text);
    RETURN replace(result, '(SELECT dunning._ledger_zone())', quote_literal(dunning._ledger_zone()));
END
$body$;
COMMENT ON FUNCTION dunning._at_once_sql(text, timestamptz) IS
'A text that was made with as_of $1, with the values that hang on it alone put in for their subselects; it still takes $1.';

CREATE FUNCTION dunning._features_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    at text := format('coalesce((%s)::timestamptz, dunning._now())', coalesce(_features_sql.as_of, 'NULL'));
    look text := format($q$SELECT coalesce(d.debtor_id, s.debtor_id) AS of_debtor, coalesce(d.creditor, 'default') AS of_creditor, coalesce(d.kind, '') AS of_kind, %%3$s h.*
        FROM (%%1$s) d FULL JOIN (%%2$s) s ON s.debtor_id = d.debtor_id,
            LATERAL dunning._debtor_look(s.state, (SELECT dunning._ledger_zone()), (SELECT %1$s), %2$s) h
        WHERE d.debtor_id IS NOT NULL OR h.ledger_rows > 0$q$, at, dunning._states_balance_sql(_features_sql.as_of));
    book text := 'known';
BEGIN
    -- The mean that few invoices are shrunk to is the whole book's, also when few debtors are asked for.
    IF _features_sql.many IS NOT NULL THEN
        book := format('(' || look || ')', dunning._ledger_sql('debtor', NULL, _features_sql.as_of), dunning._history_sql(NULL, _features_sql.as_of), '');
    END IF;
    RETURN format($q$WITH known AS MATERIALIZED (%1$s),
    book AS (SELECT g.of_creditor, g.of_kind, (g.late + 5 * g.all_late / nullif(g.all_n, 0)) / (g.n + 5) AS late,
            (g.days + 5 * g.all_days / nullif(g.all_n, 0)) / (g.n + 5) AS days, (g.before + 5 * g.all_before / nullif(g.all_n, 0)) / (g.n + 5) AS before,
            (g.gap + 5 * g.all_gap / nullif(g.all_n, 0)) / (g.n + 5) AS gap
        FROM (SELECT b.of_creditor, b.of_kind, sum(b.n_paid)::float8 AS n, sum(b.n_late)::float8 AS late, sum(b.sum_late) AS days, sum(b.n_before_reminder)::float8 AS before, sum(b.sum_gap) AS gap,
                (sum(sum(b.n_paid)) OVER w)::float8 AS all_n, (sum(sum(b.n_late)) OVER w)::float8 AS all_late, sum(sum(b.sum_late)) OVER w AS all_days,
                (sum(sum(b.n_before_reminder)) OVER w)::float8 AS all_before, sum(sum(b.sum_gap)) OVER w AS all_gap
            FROM %2$s b GROUP BY 1, 2 WINDOW w AS (PARTITION BY b.of_creditor)) g)
    SELECT k.of_debtor AS debtor_id, k.of_creditor AS creditor, %3$s AS as_of, k.currency, k.currencies,
        k.n_invoices, k.n_paid, k.n_late, k.n_open, k.n_overdue, k.n_payments,
        k.amount_billed, k.amount_paid, k.amount_open, k.amount_overdue, k.dpd_0, k.dpd_1_30, k.dpd_31_60, k.dpd_61_90, k.dpd_over_90,
        k.days_past_due, k.days_since_payment, k.days_since_invoice, k.tenure_days,
        k.late_ratio, k.late_amount_ratio, k.avg_late, k.last_late, k.max_late, k.avg_late_3, k.trend, k.ewma_late,
        coalesce((k.n_late + 5 * b.late) / (k.n_paid + 5), k.late_ratio) AS late_ratio_shrunk,
        coalesce((k.sum_late + 5 * b.days) / (k.n_paid + 5), k.avg_late) AS avg_late_shrunk,
        k.n_paid::float8 / (k.n_paid + 5) AS coverage,
        k.partial_ratio, k.month_end_ratio, k.amount_mean, k.amount_open / nullif(k.amount_mean, 0) AS open_vs_mean,
        k.n_payments_90d, k.payments_per_month, k.invoices_per_month, k.payment_mean, k.n_partial, k.paid_before_reminder, k.paid_after_1,
        k.paid_after_2, k.paid_after_3, k.n_promises, k.promises_kept, k.promises_broken, k.promise_kept_ratio, k.promise_days_to_break,
        k.n_disputed, k.dispute_ratio, k.dpd_bucket, k.dpd_roll, k.overdue_change, k.weekday_ratio, k.pay_weekday, k.payday_ratio, k.payday_from,
        k.contacts_7d, k.contacts_30d, k.responses_7d, k.responses_30d, k.contacts_email_7d, k.contacts_sms_7d, k.contacts_letter_7d,
        k.contacts_call_7d, k.contacts_other_7d, k.contacts_email_30d, k.contacts_sms_30d, k.contacts_letter_30d, k.contacts_call_30d,
        k.contacts_other_30d, k.responses_email_7d, k.responses_sms_7d, k.responses_letter_7d, k.responses_call_7d, k.responses_other_7d,
        k.responses_email_30d, k.responses_sms_30d, k.responses_letter_30d, k.responses_call_30d, k.responses_other_30d, k.days_since_contact,
        k.days_since_response, k.reached_ratio, k.days_since_reached, k.address_age_days,
        coalesce((k.n_before_reminder + 5 * b.before) / (k.n_paid + 5), k.paid_before_reminder) AS paid_before_shrunk,
        coalesce((k.n_paid * coalesce(k.ewma_late, 0) + 5 * b.days) / (k.n_paid + 5), k.ewma_late) AS ewma_late_shrunk,
        nullif(k.of_kind, '') AS kind, nullif(k.of_kind, '') = 'company' AS is_company, k.country, k.has_email, k.has_phone, k.has_post, k.attributes,
        k.avg_gap, coalesce((k.sum_gap + 5 * b.gap) / (k.n_paid + 5), k.avg_gap) AS avg_gap_shrunk, k.gap_trend, k.ewma_gap, k.gap_sd, k.days_to_pay, k.pay_hour, k.pay_hour_ratio
    FROM known k LEFT JOIN book b ON b.of_creditor = k.of_creditor AND b.of_kind = k.of_kind$q$,
        format(look, dunning._ledger_sql('debtor', _features_sql.many, _features_sql.as_of), dunning._history_sql(_features_sql.many, _features_sql.as_of),
               dunning._debtor_columns_sql()), book, at);
END
$body$;
COMMENT ON FUNCTION dunning._features_sql(text, text) IS
'SQL text: one row of debtor_features a debtor of many (NULL: the whole book) at as_of. The means of the book are read from all of it in either case.';

CREATE FUNCTION dunning.features(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.debtor_features
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(features.as_of);
    RETURN QUERY EXECUTE dunning._at_once_sql(dunning._features_sql(NULL, '$1'), features.as_of) USING features.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.features(timestamptz) IS
'One row a debtor: counts, habits, open balance and its age, promises, disputes, contacts and answers as they could be known at as_of (NULL: now); see the type debtor_features and the view feature_catalogue. Nothing dated or recorded at or after as_of is looked at. DN001 broken source. Role: dunning_operator.';

CREATE FUNCTION dunning.invoice_features(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.invoice_features
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET enable_mergejoin = off SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(invoice_features.as_of);
    -- Attributes are read as of long ago: what bind() was not told is immutable was perhaps not yet so when an invoice was issued.
    RETURN QUERY EXECUTE dunning._at_once_sql(format($q$WITH account AS MATERIALIZED (
        SELECT s.debtor_id, s.state, coalesce(d.creditor, 'default') AS creditor, coalesce(d.kind, '') AS of_kind, %3$s true AS is_known
        FROM (%2$s) s LEFT JOIN (%1$s) d ON d.debtor_id = s.debtor_id),
    -- the book's means at the beginning of each day
    book AS MATERIALIZED (SELECT g.creditor, g.of_kind, g.day, (g.late + 5 * g.all_late / nullif(g.all_n, 0)) / (g.n + 5) AS late,
            (g.days + 5 * g.all_days / nullif(g.all_n, 0)) / (g.n + 5) AS days, (g.before + 5 * g.all_before / nullif(g.all_n, 0)) / (g.n + 5) AS before,
            (g.gap + 5 * g.all_gap / nullif(g.all_n, 0)) / (g.n + 5) AS gap
        FROM (SELECT t.creditor, t.of_kind, t.day,
                (sum(t.n) OVER own)::float8 AS n, (sum(t.late) OVER own)::float8 AS late, sum(t.days) OVER own AS days, (sum(t.before) OVER own)::float8 AS before, sum(t.gap) OVER own AS gap,
                (sum(t.n) OVER whole)::float8 AS all_n, (sum(t.late) OVER whole)::float8 AS all_late, sum(t.days) OVER whole AS all_days,
                (sum(t.before) OVER whole)::float8 AS all_before, sum(t.gap) OVER whole AS all_gap
            FROM (SELECT a.creditor, a.of_kind, s.day, sum(s.n) AS n, sum(s.late) AS late, sum(s.days) AS days, sum(s.before) AS before, sum(s.gap) AS gap
                FROM account a, LATERAL dunning._invoice_steps(a.state, (SELECT dunning._ledger_zone())) s GROUP BY 1, 2, 3) t
            WINDOW own AS (PARTITION BY t.creditor, t.of_kind ORDER BY t.day), whole AS (PARTITION BY t.creditor ORDER BY t.day)) g),
    holiday AS MATERIALIZED (SELECT p.country, p.region, h.on_date
        FROM (SELECT DISTINCT a.country, coalesce(a.region, '') AS region FROM account a WHERE a.country IS NOT NULL) p,
            -- years that invoices are issued in and the next: one invoice of the year 202 must not cost each day since
            (SELECT DISTINCT v.y FROM (SELECT DISTINCT extract(year FROM b.day)::int AS y FROM book b) b, LATERAL (VALUES (b.y), (b.y + 1)) v (y) WHERE v.y BETWEEN 1900 AND 2199) r,
            LATERAL (SELECT c.on_date FROM dunning._computed_dates(p.country, p.region, make_date(r.y, 1, 1), make_date(r.y, 12, 31)) c
                     UNION SELECT o.on_date FROM dunning.holiday o WHERE o.on_date BETWEEN make_date(r.y, 1, 1) AND make_date(r.y, 12, 31)) h
        WHERE dunning._holiday(p.country, p.region, h.on_date) IS NOT NULL)
    SELECT k.debtor_id, k.invoice_id, k.creditor, k.currency, k.issued_on, k.due_on, k.amount,
        ln(k.amount), k.due_on - k.issued_on, extract(month FROM k.issued_on)::int, extract(isodow FROM k.issued_on)::int, extract(day FROM k.issued_on)::int,
        k.currencies, k.n_invoices, k.n_paid, k.n_late, k.n_open, k.n_overdue, k.n_payments,
        k.amount_billed, k.amount_paid, k.amount_open, k.amount_overdue, k.days_past_due,
        k.days_since_payment, k.days_since_invoice, k.tenure_days,
        k.late_ratio, k.late_amount_ratio, k.avg_late, k.last_late, k.max_late, k.avg_late_3, k.trend, k.ewma_late,
        coalesce((k.n_late + 5 * b.late) / (k.n_paid + 5), k.late_ratio),
        coalesce((k.sum_late + 5 * b.days) / (k.n_paid + 5), k.avg_late),
        k.n_paid::float8 / (k.n_paid + 5),
        k.partial_ratio, k.month_end_ratio, k.amount_mean, k.amount / nullif(k.amount_mean, 0),
        k.settled_on, k.settled_on - k.due_on,
        k.n_payments_90d, k.payments_per_month, k.invoices_per_month, k.payment_mean, k.n_partial, k.paid_before_reminder, k.paid_after_1,
        k.paid_after_2, k.paid_after_3, k.n_promises, k.promises_kept, k.promises_broken, k.promise_kept_ratio, k.promise_days_to_break,
        k.n_disputed, k.dispute_ratio, k.dpd_bucket, k.dpd_roll, k.overdue_change, k.weekday_ratio, k.pay_weekday, k.payday_ratio, k.payday_from,
        k.contacts_7d, k.contacts_30d, k.responses_7d, k.responses_30d, k.contacts_email_7d, k.contacts_sms_7d, k.contacts_letter_7d,
        k.contacts_call_7d, k.contacts_other_7d, k.contacts_email_30d, k.contacts_sms_30d, k.contacts_letter_30d, k.contacts_call_30d,
        k.contacts_other_30d, k.responses_email_7d, k.responses_sms_7d, k.responses_letter_7d, k.responses_call_7d, k.responses_other_7d,
        k.responses_email_30d, k.responses_sms_30d, k.responses_letter_30d, k.responses_call_30d, k.responses_other_30d, k.days_since_contact,
        k.days_since_response, k.reached_ratio, k.days_since_reached, k.address_age_days,
        coalesce((k.n_before_reminder + 5 * b.before) / (k.n_paid + 5), k.paid_before_reminder),
        coalesce((k.n_paid * coalesce(k.ewma_late, 0) + 5 * b.days) / (k.n_paid + 5), k.ewma_late),
        nullif(k.of_kind, ''), nullif(k.of_kind, '') = 'company', k.country, k.has_email, k.has_phone, k.has_post, k.attributes,
        k.avg_gap, coalesce((k.sum_gap + 5 * b.gap) / (k.n_paid + 5), k.avg_gap), k.gap_trend, k.ewma_gap, k.gap_sd, k.days_to_pay, k.pay_hour, k.pay_hour_ratio,
        extract(isodow FROM k.due_on)::int, extract(isodow FROM k.due_on) > 5 OR h.on_date IS NOT NULL
    -- all of a debtor's invoices are looked at once: OFFSET keeps the planner from joining each debtor with each day first;
    -- without enable_mergejoin = off it would sort these wide rows to join them with the few of book
    FROM (SELECT a.debtor_id, a.creditor, a.of_kind, a.country, a.region, a.has_email, a.has_phone, a.has_post, a.attributes, l.*
          FROM account a, LATERAL dunning._invoice_looks(a.state, (SELECT dunning._ledger_zone())) l OFFSET 0) k
    JOIN book b ON b.creditor = k.creditor AND b.of_kind = k.of_kind AND b.day = k.issued_on
    LEFT JOIN holiday h ON h.country = k.country AND h.region = coalesce(k.region, '') AND h.on_date = k.due_on$q$,
        dunning._ledger_sql('debtor', NULL, quote_literal('1970-01-01 00:00+00')), dunning._history_sql(NULL, '$1'), dunning._debtor_columns_sql()), invoice_features.as_of)
        USING invoice_features.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.invoice_features(timestamptz) IS
'One row an invoice (uncancelled, positive, no fee or interest) known at as_of (NULL: now): the history of its debtor strictly before its day of issue, and settled_on and days_late as known at as_of; see the type invoice_features. DN001 broken source. Role: dunning_operator.';

GRANT EXECUTE ON FUNCTION dunning.features(timestamptz), dunning.invoice_features(timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._features_sql(text, text), dunning._debtor_look(bytea, text, timestamptz, boolean) TO dunning_worker;
GRANT EXECUTE ON FUNCTION dunning._history(integer, text, text, text, date, date, numeric, timestamptz, timestamptz, timestamptz, timestamptz, boolean, numeric, uuid) TO dunning_worker;
