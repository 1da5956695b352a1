-- feature: what could be known at an instant, and nothing that came after.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment;

-- an_empty_ledger_has_no_features
SELECT count(*) FROM dunning.features();
SELECT count(*) FROM dunning.invoice_features();

-- a_debtor_without_history_has_unknown_habits_and_no_coverage
INSERT INTO dunning.debtor (debtor_id) VALUES ('f-0');
SELECT debtor_id, creditor, n_invoices, n_open, amount_open, late_ratio, avg_late, last_late, trend, days_since_payment, late_ratio_shrunk, coverage FROM dunning.features('2026-07-01');

-- habits_are_those_of_settled_invoices_in_order_of_settlement
INSERT INTO dunning.debtor (debtor_id, creditor) VALUES ('f-1', 'north');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind) VALUES
    ('f-1', 'a', '2026-01-01', '2026-01-15', 100, 'DKK', 'invoice'), ('f-1', 'b', '2026-02-01', '2026-02-15', 200, 'DKK', 'invoice'),
    ('f-1', 'c', '2026-03-01', '2026-03-15', 300, 'DKK', 'invoice'), ('f-1', 'd', '2026-04-01', '2026-04-15', 400, 'DKK', 'invoice'),
    ('f-1', 'e', '2026-05-01', '2026-05-15', 250, 'DKK', 'invoice'), ('f-1', 'f', '2026-06-01', '2026-06-15', 50, 'DKK', 'fee'),
    ('f-1', 'g', '2026-06-10', '2026-07-10', 80, 'EUR', 'invoice');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES
    ('f-1', '1', '2026-01-10 12:00+00', 100, 'DKK', 'a'),       -- 5 days early
    ('f-1', '2', '2026-02-20 12:00+00', 150, 'DKK', 'b'),       -- in part, then 10 late
    ('f-1', '3', '2026-02-25 12:00+00', 50, 'DKK', 'b'),
    ('f-1', '4', '2026-03-31 12:00+00', 300, 'DKK', 'c'),       -- 16 late, at the month's end
    ('f-1', '5', '2026-04-19 12:00+00', 400, 'DKK', NULL);      -- 4 late, names none
SELECT n_invoices, n_paid, n_late, n_open, n_overdue, n_payments, currency, currencies, amount_billed, amount_paid, amount_open, amount_overdue,
    dpd_0, dpd_1_30, dpd_31_60, dpd_61_90, dpd_over_90, days_past_due FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
SELECT days_since_payment, days_since_invoice, tenure_days, late_ratio, late_amount_ratio, avg_late, last_late, max_late, avg_late_3, trend, ewma_late,
    late_ratio_shrunk, avg_late_shrunk, coverage, partial_ratio, month_end_ratio, amount_mean, round(open_vs_mean::numeric, 4) AS open_vs_mean
FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
-- an_invoice_has_the_history_before_its_day_of_issue
SELECT invoice_id, n_invoices, n_paid, n_open, amount_open, late_ratio, late_amount_ratio, avg_late, last_late, avg_late_3, trend, days_since_payment,
    tenure_days, round(amount_vs_mean::numeric, 3) AS vs_mean, terms, issue_month, issue_weekday, issue_day, settled_on, days_late
FROM dunning.invoice_features('2026-07-01') ORDER BY invoice_id;
-- what_is_paid_on_the_day_of_issue_is_not_history_of_that_day
UPDATE dunning.payment SET paid_at = '2026-05-01 00:00+00' WHERE payment_id = '5';
SELECT n_paid, n_open FROM dunning.invoice_features('2026-07-01') WHERE invoice_id = 'e';
UPDATE dunning.payment SET paid_at = '2026-04-30 23:59:59.999999+00' WHERE payment_id = '5';
SELECT n_paid, n_open FROM dunning.invoice_features('2026-07-01') WHERE invoice_id = 'e';
UPDATE dunning.payment SET paid_at = '2026-04-19 12:00+00' WHERE payment_id = '5';
-- a_payment_counts_from_when_it_was_recorded_and_settles_when_it_was_paid
UPDATE dunning.payment SET recorded_at = '2026-05-02' WHERE payment_id = '5';
SELECT invoice_id, n_paid, n_open, settled_on, days_late FROM dunning.invoice_features('2026-07-01') WHERE invoice_id IN ('d', 'e', 'g') ORDER BY 1;
UPDATE dunning.payment SET recorded_at = NULL WHERE payment_id = '5';
-- a_reversal_takes_the_habit_back
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES ('f-1', '6', '2026-05-20 12:00+00', -300, 'DKK', 'c');
SELECT n_paid, n_late, max_late, last_late, avg_late, amount_open, days_past_due FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
SELECT invoice_id, n_paid, settled_on FROM dunning.invoice_features('2026-07-01') WHERE invoice_id IN ('c', 'e', 'g') ORDER BY 1;
DELETE FROM dunning.payment WHERE payment_id = '6';
-- a_cancelled_invoice_was_never_there_and_its_payment_pays_the_next
UPDATE dunning.invoice SET cancelled_at = '2026-06-20' WHERE invoice_id = 'c';
SELECT n_invoices, n_paid, n_late, max_late, amount_open, n_open FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
SELECT count(*) FILTER (WHERE invoice_id = 'c') AS cancelled, min(n_paid) FILTER (WHERE invoice_id = 'g') AS n_paid_before_g FROM dunning.invoice_features('2026-07-01');
UPDATE dunning.invoice SET cancelled_at = NULL WHERE invoice_id = 'c';
-- sums_are_in_one_currency_and_never_added
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('f-1', '7', '2026-06-30', 300, 'DKK');
SELECT currency, currencies, n_open, amount_open, amount_billed FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
-- amounts_that_are_none_are_left_out
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('f-1', 'j', '2026-06-11', '2026-07-10', 1e400, 'EUR'), ('f-1', 'h', '2026-06-11', '2026-07-10', 'NaN', 'EUR'), ('f-1', 'i', '2026-06-11', 'infinity', 10, 'EUR');
SELECT currency, n_invoices, amount_open FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
SELECT count(*) FROM dunning.invoice_features('2026-07-01');
SELECT count(*) FROM dunning.features('-infinity');
-- large_amounts_are_settled_in_spite_of_rounding
INSERT INTO dunning.debtor (debtor_id) VALUES ('f-2');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('f-2', 'a', '2026-01-01', '2026-01-15', 123456789012.37, 'IDR'), ('f-2', 'b', '2026-01-02', '2026-01-16', 0.01, 'IDR');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) SELECT 'f-2', i::text, '2026-01-10', 12345678901.237, 'IDR' FROM generate_series(1, 10) i;
SELECT n_paid, n_open, amount_open, partial_ratio FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-2';
-- an_id_of_nobody_gives_no_row_and_fails_no_other
CREATE FUNCTION pg_temp.of(debtors text[]) RETURNS SETOF dunning.debtor_features LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE dunning._features_sql('$1', '$2') USING debtors, '2026-07-01'::timestamptz; END $$;
SELECT debtor_id, n_invoices FROM pg_temp.of('{f-0,f-1,nobody}') ORDER BY 1;
DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment;

-- --- a random ledger -----------------------------------------------------------------------------------
-- Two creditors, two currencies; credit notes, fees, reversals, cancellations, payments in part, too high, too early, without invoice, recorded late.
CREATE FUNCTION pg_temp.u(i int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT dunning._uniform(i || what) $$;
CREATE FUNCTION pg_temp.grow(first int, last int, from_day date, days int, recorded_from timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind, cancelled_at, recorded_at)
    SELECT 'r-' || (pg_temp.u(i, 'd') * 60)::int, 'i' || i, day, day + (pg_temp.u(i, 't') * 40)::int,
           round((CASE WHEN pg_temp.u(i, 'k') < 0.04 THEN -20 ELSE 1 END * (5 + 95 * pg_temp.u(i, 'a')))::numeric, 2),
           CASE WHEN pg_temp.u(i, 'c') < 0.8 THEN 'DKK' ELSE 'EUR' END,
           CASE WHEN pg_temp.u(i, 'k') > 0.95 THEN 'fee' WHEN pg_temp.u(i, 'k') > 0.92 THEN 'credit_note' ELSE 'invoice' END,
           CASE WHEN pg_temp.u(i, 'x') < 0.05 THEN greatest(day + (pg_temp.u(i, 'y') * 60)::int, recorded_from) END,
           CASE WHEN recorded_from IS NOT NULL THEN greatest(day, recorded_from) WHEN pg_temp.u(i, 'r') < 0.1 THEN day + (pg_temp.u(i, 's') * 9)::int END
    FROM generate_series(first, last) i, LATERAL (SELECT from_day + (pg_temp.u(i, 'o') * days)::int AS day) x;
    INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id, recorded_at)
    SELECT debtor_id, 'p' || invoice_id || n, at, amount * share, currency, CASE WHEN pg_temp.u(i, 'n') < 0.75 THEN invoice_id END,
           CASE WHEN recorded_from IS NOT NULL THEN greatest(at, recorded_from) WHEN pg_temp.u(i + n, 'q') < 0.1 THEN at + '5 days'::interval END
    FROM (SELECT v.*, substr(v.invoice_id, 2)::int AS i FROM dunning.invoice v WHERE substr(v.invoice_id, 2)::int BETWEEN first AND last AND v.amount > 0) v,
         LATERAL (SELECT n, (v.due_on + (pg_temp.u(i + n, 'w') * 50)::int - 15 + n * 5)::timestamptz + '7 hours'::interval AS at,
                         CASE WHEN n = 3 THEN -1 WHEN pg_temp.u(i, 'm') < 0.8 THEN 1 ELSE 0.6 END::numeric AS share
                  FROM generate_series(1, 3) n
                  WHERE CASE n WHEN 1 THEN pg_temp.u(i, 'p') < 0.9 WHEN 2 THEN pg_temp.u(i, 'm') >= 0.8 ELSE pg_temp.u(i, 'v') < 0.03 END) p
$$;
INSERT INTO dunning.debtor (debtor_id, creditor) SELECT 'r-' || i, CASE WHEN i % 3 = 0 THEN 'south' ELSE 'north' END FROM generate_series(0, 60) i;
SELECT pg_temp.grow(1, 1200, '2025-06-01', 300, NULL);
SELECT count(*) AS invoices, count(*) FILTER (WHERE kind = 'credit_note' OR amount < 0) > 20 AS credit_notes, count(cancelled_at) > 20 AS cancelled FROM dunning.invoice;
SELECT count(*) > 800 AS payments, count(*) FILTER (WHERE amount < 0) > 10 AS reversals, count(*) FILTER (WHERE invoice_id IS NULL) > 100 AS unallocated FROM dunning.payment;

-- open_items_of_a_currency_sum_up_to_its_balance
CREATE FUNCTION pg_temp.unequal(as_of timestamptz) RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
    -- a reversal of more than there was stands on no invoice: there the items are less
    RETURN QUERY EXECUTE format('SELECT ''items'', count(*) FROM (SELECT debtor_id, currency, balance FROM (%s) b WHERE balance > 0) b
        FULL JOIN (SELECT debtor_id, currency, sum(open) AS open FROM (%s) o GROUP BY 1, 2) o USING (debtor_id, currency)
        WHERE balance IS DISTINCT FROM open', dunning._balances_sql(NULL, '$1'), dunning._open_items_sql(NULL, '$1')) USING as_of;
    RETURN QUERY EXECUTE format('SELECT ''settlement'', count(*) FROM (SELECT debtor_id, invoice_id, open FROM (%s) s WHERE open > 0) s
        FULL JOIN (%s) o USING (debtor_id, invoice_id) WHERE s.open IS DISTINCT FROM o.open', dunning._settlement_sql(NULL, '$1'), dunning._open_items_sql(NULL, '$1')) USING as_of;
    RETURN QUERY EXECUTE format('SELECT ''undated'', count(*) FROM (%s) s WHERE (settled_at IS NULL) <> (open > 0) OR settled_at < first_paid_at', dunning._settlement_sql(NULL, '$1')) USING as_of;
    RETURN QUERY EXECUTE format('SELECT ''features'', count(*) FROM dunning.features($1) f
        LEFT JOIN (SELECT debtor_id, currency, sum(open) AS open FROM (%s) o GROUP BY 1, 2) o USING (debtor_id, currency)
        WHERE abs(f.amount_open - coalesce(o.open, 0)) > 0.001 OR abs(f.amount_open - f.dpd_0 - f.amount_overdue) > 0.001
           OR abs(f.amount_overdue - f.dpd_1_30 - f.dpd_31_60 - f.dpd_61_90 - f.dpd_over_90) > 0.001', dunning._open_items_sql(NULL, '$1')) USING as_of;
    RETURN QUERY EXECUTE format('SELECT ''marks'', count(*) FROM (%s) m, LATERAL (SELECT jsonb_object_agg(currency, balance) FILTER (WHERE balance > 0) AS b FROM dunning.balance(m.debtor_id, $1)) b
        WHERE m.amounts IS DISTINCT FROM coalesce(b.b, ''{}'') OR NOT m.valid', dunning._mark_sql(NULL, '$1')) USING as_of;
END $$;
SELECT * FROM pg_temp.unequal('2026-01-15');
SELECT * FROM pg_temp.unequal('2026-03-01');
SELECT * FROM pg_temp.unequal(NULL);

-- one_that_was_cancelled_before_it_was_known_never_came_to_be
BEGIN;
UPDATE dunning.invoice SET cancelled_at = issued_on - 5 WHERE invoice_id LIKE '%3';
SELECT * FROM pg_temp.unequal(NULL) WHERE what IN ('items', 'features');
ROLLBACK;

-- nothing_dated_or_recorded_at_or_after_as_of_changes_any_feature
\set at '2026-01-15 00:00+00'
CREATE TEMP TABLE f AS SELECT * FROM dunning.features(:'at');
CREATE TEMP TABLE g AS SELECT * FROM dunning.invoice_features(:'at');
CREATE TEMP TABLE h AS SELECT * FROM dunning.invoice_features('2025-11-01');
SELECT count(*) FILTER (WHERE n_paid > 3) > 30 AS paying, count(DISTINCT late_ratio) > 10 AS different FROM f;
-- from then on: rows of later days, rows of earlier days recorded then, cancellations, reversals, a debtor's dispute
SELECT pg_temp.grow(2001, 2300, '2026-01-15', 60, NULL);
SELECT pg_temp.grow(3001, 3300, '2025-06-01', 200, :'at');
UPDATE dunning.invoice SET cancelled_at = :'at' WHERE cancelled_at IS NULL AND pg_temp.u(substr(invoice_id, 2)::int, 'late') < 0.2;
UPDATE dunning.invoice SET disputed = true, disputed_at = :'at' WHERE pg_temp.u(substr(invoice_id, 2)::int, 'dispute') < 0.2;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id, recorded_at)
    SELECT debtor_id, payment_id || '-back', paid_at, -amount, currency, invoice_id, :'at' FROM dunning.payment WHERE pg_temp.u(length(payment_id) + substr(payment_id, 3, 3)::int, 'back') < 0.3;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) SELECT debtor_id, 'now' || debtor_id, :'at', 50, 'DKK' FROM dunning.debtor;
SELECT (SELECT count(*) FROM (SELECT * FROM f EXCEPT SELECT * FROM dunning.features(:'at')) x) AS debtors_changed,
       (SELECT count(*) FROM (SELECT * FROM dunning.features(:'at') EXCEPT SELECT * FROM f) x) AS debtors_new,
       (SELECT count(*) FROM (SELECT * FROM g EXCEPT SELECT * FROM dunning.invoice_features(:'at')) x) AS invoices_changed,
       (SELECT count(*) FROM (SELECT * FROM dunning.invoice_features(:'at') EXCEPT SELECT * FROM g) x) AS invoices_new;
-- ... and it would have, had it been looked at
SELECT (SELECT count(*) FROM (SELECT to_jsonb(f) - 'as_of' FROM f EXCEPT SELECT to_jsonb(n) - 'as_of' FROM dunning.features('2026-01-15 00:00:00.000001+00') n) x) > 30 AS debtors_change_a_microsecond_later;
-- an_invoice_keeps_its_history_when_it_is_read_later
SELECT count(*) AS changed FROM (SELECT to_jsonb(h) - '{settled_on,days_late}'::text[] FROM h JOIN g USING (debtor_id, invoice_id)
    EXCEPT SELECT to_jsonb(g) - '{settled_on,days_late}'::text[] FROM g) x;
SELECT count(*) AS changed, (SELECT count(*) FROM dunning.invoice_features()) > 1000 AS read FROM (SELECT to_jsonb(g) - '{settled_on,days_late}'::text[] FROM g
    WHERE (debtor_id, invoice_id) IN (SELECT debtor_id, invoice_id FROM dunning.invoice_features())
    EXCEPT SELECT to_jsonb(n) - '{settled_on,days_late}'::text[] FROM dunning.invoice_features() n) x;
-- what_a_debtor_is_asked_with_is_what_an_invoice_of_that_day_was_taught_with
SELECT count(*) > 20 AS compared, count(*) FILTER (WHERE (f.n_invoices, f.n_paid, f.n_late, f.n_open, f.n_payments, f.avg_late, f.last_late, f.ewma_late, f.partial_ratio)
    IS DISTINCT FROM (i.n_invoices, i.n_paid, i.n_late, i.n_open, i.n_payments, i.avg_late, i.last_late, i.ewma_late, i.partial_ratio)) AS unequal
FROM unnest('{2025-09-01,2025-11-03,2025-12-10,2026-01-20,2026-01-27,2026-02-03}'::date[]) day,
    LATERAL (SELECT DISTINCT ON (debtor_id) * FROM dunning.invoice_features('2026-03-01') WHERE issued_on = day ORDER BY debtor_id) i
    JOIN LATERAL dunning.features(day) f USING (debtor_id);
-- days_begin_where_the_book_is_kept_whatever_the_session
SET dunning.timezone = 'Europe/Copenhagen';
CREATE TEMP TABLE z AS SELECT * FROM dunning.features(:'at');
CREATE TEMP TABLE y AS SELECT * FROM dunning.invoice_features(:'at');
SET timezone = 'Asia/Tokyo';
SELECT (SELECT count(*) FROM (SELECT * FROM z EXCEPT SELECT * FROM dunning.features(:'at')) x) AS debtors_changed,
       (SELECT count(*) FROM (SELECT * FROM y EXCEPT SELECT * FROM dunning.invoice_features(:'at')) x) AS invoices_changed;
SET timezone = 'UTC';
RESET dunning.timezone;
-- a_batch_has_the_figures_of_the_book
SELECT count(*) AS unequal FROM (SELECT debtor_id, late_ratio_shrunk, avg_late_shrunk, amount_open, n_paid FROM pg_temp.of('{r-3,r-4,r-5}')
    EXCEPT SELECT debtor_id, late_ratio_shrunk, avg_late_shrunk, amount_open, n_paid FROM dunning.features('2026-07-01')) x;
-- the_book_of_one_creditor_says_nothing_of_another
SELECT count(DISTINCT b) AS creditors FROM (SELECT round(((late_ratio_shrunk * (n_paid + 5) - n_late) / 5)::numeric, 9) AS b FROM dunning.features()) x;
-- the_sources_own_open_amounts_are_the_open_balance_of_the_present
CREATE SCHEMA fb;
CREATE VIEW fb.invoice AS SELECT *, CASE WHEN invoice_id NOT LIKE '%7' THEN 0 WHEN amount < 0 THEN -2 ELSE 3 END::numeric AS open_amount FROM dunning.invoice;
GRANT USAGE ON SCHEMA fb TO dunning_owner, dunning_worker;
GRANT SELECT ON fb.invoice TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'fb.invoice');
SELECT * FROM pg_temp.unequal(NULL) WHERE what IN ('items', 'features', 'marks');
SELECT count(*) AS changed FROM (SELECT * FROM f EXCEPT SELECT * FROM dunning.features(:'at')) x;
SELECT dunning.unbind('invoice');
DROP SCHEMA fb CASCADE;

-- a_reversal_beside_a_credit_note_of_millions_comes_to_an_end
INSERT INTO dunning.debtor (debtor_id) VALUES ('r-large');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('r-large', 'L-1', '2026-05-01', '2026-05-15', 100, 'DKK'), ('r-large', 'L-2', '2026-05-02', '2026-05-20', -2000000, 'DKK');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('r-large', 'L-3', '2026-05-03', 50, 'DKK'), ('r-large', 'L-4', '2026-05-04', -3000000, 'DKK');
SET statement_timeout = '20s';
SELECT amount_open FROM pg_temp.of('{r-large}');
RESET statement_timeout;
DELETE FROM dunning.invoice WHERE debtor_id = 'r-large'; DELETE FROM dunning.payment WHERE debtor_id = 'r-large'; DELETE FROM dunning.debtor WHERE debtor_id = 'r-large';

-- the_worker_may_run_the_text_that_the_ledger_and_features_make
SELECT dunning._mark_sql('$1') AS m, dunning._open_items_sql('$1') AS o, dunning._settlement_sql('$1') AS s, dunning._features_sql('$1') AS f \gset
SET ROLE dunning_worker;
SET search_path = pg_catalog, pg_temp;
PREPARE w_m(text[]) AS SELECT count(*) > 0 AS marks FROM (:m) x;
PREPARE w_o(text[]) AS SELECT count(*) > 0 AS items FROM (:o) x;
PREPARE w_s(text[]) AS SELECT count(*) > 0 AS settlements FROM (:s) x;
PREPARE w_f(text[]) AS SELECT count(*) > 0 AS features FROM (:f) x;
EXECUTE w_m('{r-3,r-4}');
EXECUTE w_o('{r-3,r-4}');
EXECUTE w_s('{r-3,r-4}');
EXECUTE w_f('{r-3,r-4}');
DEALLOCATE ALL;
RESET search_path;
RESET ROLE;

-- features_are_the_operators_to_read
SET ROLE dunning_viewer;
SELECT count(*) FROM dunning.features();
RESET ROLE;
SET ROLE dunning_operator;
SELECT count(*) > 0 AS read FROM dunning.invoice_features();
RESET ROLE;
DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment;
