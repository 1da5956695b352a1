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
-- a_gap_is_the_days_from_the_due_date_and_what_was_early_counts_as_such
SELECT avg_gap, round(avg_gap_shrunk::numeric, 4) AS shrunk, round(gap_trend::numeric, 4) AS trend, round(ewma_gap::numeric, 4) AS ewma, round(gap_sd::numeric, 4) AS sd, days_to_pay,
    pay_hour, pay_hour_ratio FROM dunning.features('2026-07-01') WHERE debtor_id = 'f-1';
SELECT invoice_id, avg_gap, round(gap_sd::numeric, 4) AS sd, days_to_pay, due_weekday, due_closed FROM dunning.invoice_features('2026-07-01') ORDER BY invoice_id;
-- due_on_a_holiday_of_the_debtors_country_is_due_on_a_closed_day
BEGIN;
UPDATE dunning.debtor SET country = 'DK' WHERE debtor_id = 'f-1';
UPDATE dunning.invoice SET due_on = '2026-05-14' WHERE invoice_id = 'e';         -- Ascension, a Thursday
SELECT invoice_id, due_closed FROM dunning.invoice_features('2026-07-01') WHERE invoice_id = 'e';
UPDATE dunning.debtor SET country = 'GB' WHERE debtor_id = 'f-1';
SELECT invoice_id, due_closed FROM dunning.invoice_features('2026-07-01') WHERE invoice_id = 'e';
INSERT INTO dunning.holiday (country, on_date, name) VALUES ('GB', '2026-05-14', 'ours');
SELECT invoice_id, due_closed FROM dunning.invoice_features('2026-07-01') WHERE invoice_id = 'e';
ROLLBACK;
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

-- what_is_dated_infinity_comes_to_an_end_and_what_was_cancelled_since_ever_is_not_there
BEGIN;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, cancelled_at, recorded_at) VALUES
    ('inf', 'a', '2026-01-01', '2026-01-15', 10, 'DKK', NULL, NULL), ('inf', 'b', '2026-01-02', '2026-01-15', 10, 'DKK', 'infinity', NULL),
    ('inf', 'c', '2026-01-03', '2026-01-15', 10, 'DKK', '-infinity', NULL), ('inf', 'd', '2026-01-04', '2026-01-15', 10, 'DKK', NULL, '-infinity');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id, recorded_at) VALUES
    ('inf', '1', '2026-01-05', 10, 'DKK', 'b', NULL), ('inf', '2', '2026-01-05', 10, 'DKK', 'a', 'infinity'), ('inf', '3', '2026-01-05', 10, 'DKK', 'd', '-infinity');
SELECT invoice_id, n_invoices, settled_on FROM dunning.invoice_features('2026-02-01') WHERE debtor_id = 'inf' ORDER BY 1;
SELECT count(*) AS now FROM dunning.invoice_features() WHERE debtor_id = 'inf';
SELECT n_invoices, n_paid, n_open FROM dunning.features('2026-02-01') WHERE debtor_id = 'inf';
ROLLBACK;
-- a_payment_of_nothing_is_none
BEGIN;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('zero', 'a', '2026-01-01', '2026-01-15', 10, 'DKK');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES ('zero', '1', '2026-01-05', 0, 'DKK', 'a'), ('zero', '2', '2026-01-09', 10, 'DKK', 'a'), ('zero', '3', '2026-01-20', 0, 'DKK', NULL);
SELECT n_payments, n_partial, payment_mean, days_since_payment FROM dunning.features('2026-02-01') WHERE debtor_id = 'zero';
ROLLBACK;
-- an_invoice_of_another_age_costs_no_day_of_those_between
BEGIN;
SET LOCAL statement_timeout = '20s';
INSERT INTO dunning.debtor (debtor_id, country) VALUES ('age', 'DK');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('age', 'a', '0202-01-01', '0202-01-15', 10, 'DKK'),
    ('age', 'b', '2025-12-01', '2026-01-01', 10, 'DKK'), ('age', 'c', '2025-12-01', '2026-01-02', 10, 'DKK'), ('age', 'd', '293999-01-01', '293999-01-18', 10, 'DKK');
SELECT invoice_id, due_closed FROM dunning.invoice_features() WHERE debtor_id = 'age' ORDER BY 1;
ROLLBACK;

-- --- what we and the debtor did ------------------------------------------------------------------------
SELECT count(dunning._ensure_partitions(m)) > 0 AS months FROM generate_series('2025-06-01'::timestamptz, '2026-08-01', '1 month') m;
CREATE FUNCTION pg_temp.told(debtor text, at timestamptz, channel text, message uuid, address text DEFAULT 'a', attempt int DEFAULT 1, test boolean DEFAULT false) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, test, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
    VALUES (message, attempt, debtor, 'north', channel, 'none', sha256(address::bytea), '{}', '\x00', 1, 'test', test, 0, 'EUR', at, at, 0, 1, '\x00', '\x00') $$;
CREATE FUNCTION pg_temp.came(debtor text, at timestamptz, kind text, message uuid DEFAULT NULL, detail jsonb DEFAULT '{}', recorded timestamptz DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, message_id, detail, recorded_at, recorded_by)
    VALUES (debtor, dunning._uuid7(), 'north', kind, at, message, detail, coalesce(recorded, at), 'test') $$;
CREATE FUNCTION pg_temp.id(at timestamptz, n int DEFAULT 1) RETURNS uuid LANGUAGE sql AS $$ SELECT overlay(dunning._uuid7_floor(at)::text PLACING lpad(n::text, 12, '0') FROM 25)::uuid $$;
INSERT INTO dunning.debtor (debtor_id, creditor, kind, email, country) VALUES ('t-1', 'north', 'company', 't@example.org', 'DK'), ('t-2', 'north', NULL, '', NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, disputed_at, cancelled_at) VALUES
    ('t-1', 'a', '2026-01-01', '2026-01-15', 100, 'DKK', NULL, NULL), ('t-1', 'b', '2026-02-01', '2026-02-15', 100, 'DKK', '2026-02-05', NULL), ('t-1', 'c', '2026-03-01', '2026-03-15', 100, 'DKK', NULL, NULL),
    ('t-1', 'd', '2026-04-01', '2026-04-15', 100, 'DKK', NULL, NULL), ('t-1', 'e', '2026-05-01', '2026-05-15', 100, 'DKK', '2026-07-01', NULL), ('t-1', 'x', '2026-02-02', '2026-02-16', 100, 'DKK', '2026-02-06', '2026-02-07');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES
    ('t-1', '1', '2026-01-14 12:00+00', 100, 'DKK', 'a'),       -- Wednesday, before any reminder
    ('t-1', '2', '2026-02-25 12:00+00', 100, 'DKK', 'b'),       -- Wednesday, after one
    ('t-1', '3', '2026-04-08 12:00+00', 60, 'DKK', 'c'),        -- Wednesday
    ('t-1', '4', '2026-04-10 12:00+00', 40, 'DKK', 'c');        -- Friday, after three
SELECT pg_temp.told('t-1', '2026-01-10 10:00+00', 'email', pg_temp.id('2026-01-10'), 'old');                -- before the due date: no reminder
SELECT pg_temp.told('t-1', '2026-02-18 10:00+00', 'email', pg_temp.id('2026-02-18'), 'old');
SELECT pg_temp.told('t-1', '2026-02-18 11:00+00', 'email', pg_temp.id('2026-02-18'), 'old', attempt => 2);   -- the same message once more
SELECT pg_temp.told('t-1', '2026-03-20 10:00+00', 'sms', pg_temp.id('2026-03-20'), 'new');
SELECT pg_temp.told('t-1', '2026-03-20 12:00+00', 'sms', pg_temp.id('2026-03-20', 2), 'test', test => true);
SELECT pg_temp.told('t-1', '2026-03-27 10:00+00', 'letter', pg_temp.id('2026-03-27'), 'new');
SELECT pg_temp.came('t-1', '2026-04-03 10:00+00', 'called', NULL, '{"outcome": "nobody"}');
SELECT pg_temp.told('t-1', '2026-04-20 10:00+00', 'whatsapp', pg_temp.id('2026-04-20'), 'new');
SELECT pg_temp.came('t-1', '2026-02-18 10:01+00', 'delivered', pg_temp.id('2026-02-18'));
SELECT pg_temp.came('t-1', '2026-02-18 10:05+00', 'opened', pg_temp.id('2026-02-18'));                       -- the same message arrived
SELECT pg_temp.came('t-1', '2026-02-18 10:06+00', 'clicked', pg_temp.id('2026-02-18'), '{"machine": "true"}');
SELECT pg_temp.came('t-1', '2026-03-20 10:01+00', 'bounced', pg_temp.id('2026-03-20'));
SELECT pg_temp.came('t-1', '2026-04-20 11:00+00', 'replied', pg_temp.id('2026-04-20'));
SELECT pg_temp.came('t-1', '2026-04-24 11:00+00', 'called_in');
SELECT pg_temp.came('t-1', '2026-04-24 12:00+00', 'clicked', pg_temp.id('2026-04-20'), recorded => '2026-05-02');   -- known later
INSERT INTO dunning.promise (debtor_id, promise_id, creditor, amount, currency, due_on, paid_before, needed, promised_at, recorded_by, cancelled_at) VALUES
    ('t-1', dunning._uuid7(), 'north', 100, 'DKK', '2026-02-28', 100, 100, '2026-02-20', 'test', NULL),       -- kept
    ('t-1', dunning._uuid7(), 'north', 100, 'DKK', '2026-04-02', 200, 100, '2026-03-23', 'test', NULL),       -- made good too late
    ('t-1', dunning._uuid7(), 'north', 50, 'DKK', '2026-04-12', 300, 50, '2026-04-08', 'test', '2026-04-20'), -- broken, then cancelled
    ('t-1', dunning._uuid7(), 'north', 100, 'DKK', '2026-04-30', 300, 100, '2026-04-22', 'test', NULL);       -- open
-- contacts_and_answers_are_counted_by_channel_each_message_once_and_tests_never
SELECT contacts_7d, contacts_30d, contacts_email_30d, contacts_sms_30d, contacts_letter_30d, contacts_call_30d, contacts_other_7d, contacts_other_30d,
    responses_7d, responses_30d, responses_call_7d, responses_other_7d, days_since_contact, days_since_response FROM dunning.features('2026-04-25') WHERE debtor_id = 't-1';
-- an_answer_counts_from_when_it_was_recorded
SELECT responses_30d, responses_other_30d FROM dunning.features('2026-05-03') WHERE debtor_id = 't-1';
-- invoices_are_paid_before_or_after_the_contacts_past_their_due_date
SELECT n_paid, round(paid_before_reminder::numeric, 4) AS before, round(paid_after_1::numeric, 4) AS one, paid_after_2 AS two, round(paid_after_3::numeric, 4) AS three, n_partial FROM dunning.features('2026-04-25') WHERE debtor_id = 't-1';
-- a_promise_is_kept_broken_or_open_as_the_ledger_said_at_that_instant
SELECT day, n_promises, promises_kept, promises_broken, promise_kept_ratio, promise_days_to_break FROM unnest('{2026-02-21,2026-04-01,2026-04-09,2026-04-19,2026-04-25,2026-05-10}'::date[]) day, LATERAL dunning.features(day) f WHERE f.debtor_id = 't-1';
SELECT state, count(*) FROM dunning._promise_state('{t-1}', '2026-04-25') GROUP BY 1 ORDER BY 1;
-- disputes_count_from_their_day_and_go_with_a_cancelled_invoice
SELECT day, n_disputed, round(dispute_ratio::numeric, 4) AS ratio FROM unnest('{2026-02-04,2026-02-06 00:00:01,2026-02-08,2026-07-02}'::timestamptz[]) day, LATERAL dunning.features(day) f WHERE f.debtor_id = 't-1';
-- payments_fall_on_a_weekday_and_into_three_days_of_the_month
SELECT weekday_ratio, pay_weekday, payday_ratio, payday_from, month_end_ratio, n_payments_90d, payment_mean, round(payments_per_month::numeric, 3) AS a_month FROM dunning.features('2026-04-25') WHERE debtor_id = 't-1';
-- an_address_is_as_old_as_its_first_contact_and_as_good_as_what_arrived
SELECT address_age_days, round(reached_ratio::numeric, 4) AS reached_ratio, days_since_reached, has_email, has_phone, has_post, kind, is_company, country FROM dunning.features('2026-04-25') WHERE debtor_id = 't-1';
SELECT address_age_days, reached_ratio, has_email, kind, is_company, contacts_30d, n_promises, dpd_bucket FROM dunning.features('2026-04-25') WHERE debtor_id = 't-2';
-- debt_rolls_into_the_next_bucket
SELECT day, days_past_due, dpd_bucket, dpd_roll, amount_overdue, overdue_change FROM unnest('{2026-04-10,2026-04-16,2026-05-15,2026-05-16,2026-06-30}'::date[]) day, LATERAL dunning.features(day) f WHERE f.debtor_id = 't-1';
-- an_invoice_sees_the_contacts_and_promises_before_its_day_of_issue
SELECT invoice_id, n_promises, promises_broken, contacts_7d, contacts_30d, responses_30d, n_disputed, dpd_roll, paid_before_reminder AS before, address_age_days FROM dunning.invoice_features('2026-07-02') WHERE debtor_id = 't-1' ORDER BY 1;
-- a_debtor_whom_only_events_know_has_no_row
SELECT pg_temp.came('nobody', '2026-04-24 11:00+00', 'called_in');
SELECT count(*) FROM dunning.features('2026-04-25') WHERE debtor_id = 'nobody';
DELETE FROM dunning.event WHERE debtor_id = 'nobody';

-- few_invoices_are_shrunk_to_those_of_the_same_kind_and_these_to_the_creditors_book
BEGIN;
DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment; DELETE FROM dunning.egress; DELETE FROM dunning.event; DELETE FROM dunning.promise;
INSERT INTO dunning.debtor (debtor_id, kind) VALUES ('s-p', 'person'), ('s-c', 'company'), ('s-p0', 'person'), ('s-c0', 'company'), ('s-n0', NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT d, i::text, '2026-01-01', '2026-01-15', 10, 'DKK' FROM unnest('{s-p,s-c}'::text[]) d, generate_series(1, 10) i;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) SELECT debtor_id, invoice_id, CASE WHEN debtor_id = 's-p' THEN '2026-01-10' ELSE '2026-01-25' END::timestamptz, 10, 'DKK', invoice_id FROM dunning.invoice;
-- of 20 invoices 10 late: a half; persons (0 + 5 x 0.5) / 15, companies (10 + 5 x 0.5) / 15
SELECT debtor_id, round(late_ratio_shrunk::numeric, 5) AS late, round(avg_late_shrunk::numeric, 5) AS days, round(ewma_late_shrunk::numeric, 5) AS ewma, round(paid_before_shrunk::numeric, 5) AS before, round(coverage::numeric, 5) AS coverage FROM dunning.features('2026-02-01') ORDER BY 1;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT d, 'new', '2026-01-31', '2026-02-15', 10, 'DKK' FROM unnest('{s-p,s-p0,s-c0,s-n0}'::text[]) d;
SELECT debtor_id, round(late_ratio_shrunk::numeric, 5) AS late, round(avg_late_shrunk::numeric, 5) AS days, round(paid_before_shrunk::numeric, 5) AS before FROM dunning.invoice_features('2026-02-01') WHERE invoice_id = 'new' ORDER BY 1;
ROLLBACK;

DELETE FROM dunning.egress; DELETE FROM dunning.event; DELETE FROM dunning.promise; DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment;

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

-- contacts, what came of them, promises and disputes for the random ledger
SELECT count(pg_temp.told('r-' || (pg_temp.u(i, 'cd') * 60)::int, at, (ARRAY['email', 'sms', 'letter', 'push'])[1 + (pg_temp.u(i, 'cc') * 3)::int], pg_temp.id(at, i), 'a' || (pg_temp.u(i, 'ca') * 2)::int))
FROM generate_series(1, 600) i, LATERAL (SELECT '2025-07-01'::timestamptz + pg_temp.u(i, 'ct') * interval '230 days' AS at) t;
SELECT count(pg_temp.came(e.debtor_id, e.contact_on + pg_temp.u(i, 'et') * interval '6 days', (ARRAY['delivered', 'bounced', 'clicked', 'replied', 'promised'])[1 + (pg_temp.u(i, 'ek') * 4)::int], e.message_id, '{}',
    e.contact_on + interval '6 days' + CASE WHEN pg_temp.u(i, 'er') < 0.1 THEN interval '9 days' ELSE '0' END))
FROM (SELECT e.*, row_number() OVER (ORDER BY e.message_id)::int AS i FROM dunning.egress e WHERE e.debtor_id LIKE 'r-%') e WHERE pg_temp.u(i, 'e') < 0.8;
INSERT INTO dunning.promise (debtor_id, promise_id, creditor, amount, currency, due_on, paid_before, needed, promised_at, recorded_by, cancelled_at)
SELECT 'r-' || (pg_temp.u(i, 'pd') * 60)::int, dunning._uuid7(), 'north', 40, 'DKK', at::date + 10, 60 * pg_temp.u(i, 'pb'), 40, at, 'test', CASE WHEN pg_temp.u(i, 'pc') < 0.2 THEN at + interval '8 days' END
FROM generate_series(1, 200) i, LATERAL (SELECT '2025-07-01'::timestamptz + pg_temp.u(i, 'pt') * interval '230 days' AS at) t;
-- features_of_an_instant_are_those_of_the_book_with_everything_later_deleted
CREATE FUNCTION pg_temp.differences(day timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
    later bigint := 0;
    debtors bigint;
    invoices bigint;
    command text;
BEGIN
    CREATE TEMP TABLE whole AS SELECT * FROM dunning.features(day);
    CREATE TEMP TABLE whole_invoices AS SELECT * FROM dunning.invoice_features(day);
    FOREACH command IN ARRAY ARRAY['DELETE FROM dunning.payment WHERE coalesce(recorded_at, paid_at) >= $1', 'DELETE FROM dunning.invoice WHERE coalesce(recorded_at, issued_on) >= $1',
        'UPDATE dunning.invoice SET cancelled_at = NULL WHERE cancelled_at >= $1', 'UPDATE dunning.invoice SET disputed_at = NULL WHERE disputed_at >= $1',
        'DELETE FROM dunning.egress WHERE contact_on >= $1', 'DELETE FROM dunning.event WHERE greatest(at, recorded_at) >= $1', 'DELETE FROM dunning.promise WHERE promised_at >= $1',
        'UPDATE dunning.promise SET cancelled_at = NULL WHERE cancelled_at >= $1'] LOOP
        EXECUTE command USING day;
        GET DIAGNOSTICS rows = ROW_COUNT;
        later := later + rows;
    END LOOP;
    SELECT count(*) INTO debtors FROM ((SELECT * FROM whole EXCEPT SELECT * FROM dunning.features(day)) UNION ALL (SELECT * FROM dunning.features(day) EXCEPT SELECT * FROM whole)) x;
    SELECT count(*) INTO invoices FROM ((SELECT * FROM whole_invoices EXCEPT SELECT * FROM dunning.invoice_features(day)) UNION ALL (SELECT * FROM dunning.invoice_features(day) EXCEPT SELECT * FROM whole_invoices)) x;
    -- the deletions are not to stay
    RAISE EXCEPTION 'undo' USING DETAIL = format('%s debtors and %s invoices differ; more than 300 rows deleted: %s', debtors, invoices, later > 300);
EXCEPTION WHEN raise_exception THEN
    GET STACKED DIAGNOSTICS command = PG_EXCEPTION_DETAIL;
    RETURN command;
END $$;
SELECT at, pg_temp.differences(at) FROM unnest('{2025-08-20,2025-10-15 13:00,2025-12-01,2026-01-10 09:30,2026-02-01}'::timestamptz[]) at;
-- ... and what was deleted would have shown, had it been looked at
SELECT (SELECT count(DISTINCT (contacts_30d, responses_30d)) > 5 AND sum(promises_kept) > 5 AND sum(promises_broken) > 5 AND count(reached_ratio) > 30 AND count(DISTINCT dpd_roll) > 3 FROM dunning.features('2026-01-10 09:30')) AS told;
-- the_roll_is_the_bucket_less_that_of_thirty_days_before
SELECT count(*) > 100 AS compared, count(*) FILTER (WHERE n.dpd_roll <> n.dpd_bucket - o.dpd_bucket) AS unequal, count(*) FILTER (WHERE n.currency = o.currency AND abs(n.overdue_change - (n.amount_overdue - o.amount_overdue)) > 0.001) AS unequal_sums
FROM unnest('{2025-10-15,2025-12-01,2026-01-10}'::timestamptz[]) at, LATERAL dunning.features(at) n JOIN LATERAL dunning.features(at - interval '30 days') o USING (debtor_id);
-- promises_are_judged_as_the_event_room_judges_them
SELECT count(*) > 50 AS compared, count(*) FILTER (WHERE (f.promises_kept, f.promises_broken) IS DISTINCT FROM (s.kept, s.broken)) AS unequal
FROM unnest('{2025-10-15,2025-12-01,2026-01-10}'::timestamptz[]) at, LATERAL dunning.features(at) f
    JOIN LATERAL (SELECT p.debtor_id, count(*) FILTER (WHERE state = 'kept') AS kept, count(*) FILTER (WHERE state IN ('broken', 'late')) AS broken FROM dunning._promise_state(NULL, at - interval '1 microsecond') p GROUP BY 1) s USING (debtor_id);
-- a_state_made_in_parallel_is_the_one_made_in_one_pass
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE one_pass AS SELECT * FROM dunning.features('2026-01-10');
CREATE TEMP TABLE one_pass_invoices AS SELECT * FROM dunning.invoice_features('2026-01-10');
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
SELECT bool_or(l ~ 'Partial .*Aggregate') AS parallel FROM pg_temp.plan_of(replace(dunning._at_once_sql(dunning._features_sql(NULL, '$1'), '2026-01-10'), '$1', quote_literal('2026-01-10'))) l;
SELECT (SELECT count(*) FROM (SELECT * FROM one_pass EXCEPT SELECT * FROM dunning.features('2026-01-10')) x) AS debtors_changed,
       (SELECT count(*) FROM (SELECT * FROM one_pass_invoices EXCEPT SELECT * FROM dunning.invoice_features('2026-01-10')) x) AS invoices_changed;
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
-- the_order_of_rows_means_nothing
SELECT count(*) AS rows, count(DISTINCT to_jsonb(dunning._debtor_look(s.state, 'UTC', '2026-01-10', false))) AS looks
FROM (SELECT (SELECT dunning._history(2, x.invoice_id, x.currency, NULL, NULL, NULL, x.amount, x.recorded_at, x.paid_at, NULL, NULL, NULL, NULL, NULL ORDER BY pg_temp.u(length(x.payment_id) + k, x.payment_id)) FROM dunning.payment x WHERE x.debtor_id = 'r-7') AS state FROM generate_series(1, 5) k) s;
-- a_state_joined_of_two_is_the_state_of_all
SELECT count(*) AS debtors, count(*) FILTER (WHERE to_jsonb(dunning._debtor_look(s.whole, 'UTC', '2026-01-10', false)) IS DISTINCT FROM to_jsonb(dunning._debtor_look(dunning._history_join(s.one, s.other), 'UTC', '2026-01-10', false))) AS unequal
FROM (SELECT p.debtor_id, dunning._history(2, p.invoice_id, p.currency, NULL, NULL, NULL, p.amount, p.recorded_at, p.paid_at, NULL, NULL, NULL, NULL, NULL) AS whole,
        dunning._history(2, p.invoice_id, p.currency, NULL, NULL, NULL, p.amount, p.recorded_at, p.paid_at, NULL, NULL, NULL, NULL, NULL) FILTER (WHERE p.amount > 50) AS one,
        dunning._history(2, p.invoice_id, p.currency, NULL, NULL, NULL, p.amount, p.recorded_at, p.paid_at, NULL, NULL, NULL, NULL, NULL) FILTER (WHERE p.amount <= 50) AS other FROM dunning.payment p GROUP BY 1) s;
-- what_is_no_state_is_refused
SELECT dunning._debtor_look('\x00', 'UTC', '2026-01-10', false);
SELECT dunning._debtor_look(substr(s.state, 1, 12) || '\x01ff'::bytea, 'UTC', '2026-01-10', false) FROM (SELECT set_byte(dunning._history(2, 'a', 'DKK', NULL, NULL, NULL, 5, NULL, '2026-01-01', NULL, NULL, NULL, NULL, NULL), 8, 14) AS state) s;
SELECT (dunning._debtor_look(NULL, 'Nowhere/Zone', '2026-01-10', false)).n_paid;
SELECT (dunning._debtor_look(NULL, 'UTC', 'infinity', false)).n_paid;

-- --- the catalogue -------------------------------------------------------------------------------------
-- every_column_of_a_feature_stands_in_the_catalogue_and_nothing_else
SELECT coalesce(a.attname, f.feature) AS feature, a.attname IS NOT NULL AS is_column FROM (SELECT DISTINCT attname::text COLLATE "C" AS attname FROM pg_attribute WHERE attrelid IN ('dunning.debtor_features'::regclass, 'dunning.invoice_features'::regclass)
    AND attname NOT IN ('debtor_id', 'invoice_id', 'as_of', 'issued_on', 'due_on', 'settled_on', 'days_late', 'attributes')) a FULL JOIN dunning.feature_catalogue f ON f.feature = a.attname WHERE a.attname IS NULL OR f.feature IS NULL;
SELECT f.feature, f.of FROM dunning.feature_catalogue f WHERE f.of <> (SELECT CASE WHEN count(*) = 2 THEN 'both' WHEN bool_or(attrelid = 'dunning.debtor_features'::regclass) THEN 'debtor' ELSE 'invoice' END FROM pg_attribute
    WHERE attrelid IN ('dunning.debtor_features'::regclass, 'dunning.invoice_features'::regclass) AND attname = f.feature);
SELECT feature, monotone FROM dunning.feature_catalogue WHERE feature IN ('late_ratio', 'promise_kept_ratio', 'tenure_days', 'promises_broken') ORDER BY 1;
SELECT dunning._features_of('paid_30d');
-- attributes_join_in_by_name_those_that_are_addresses_or_no_scalars_do_not
UPDATE dunning.debtor SET attributes = '{"income": 3000, "vip": true, "trade": "bakery", "push": "token-1", "nested": {"a": 1}, "list": [1], "nothing": null}' WHERE debtor_id = 'r-1';
UPDATE dunning.debtor SET attributes = '{"income": "much", "vip": false}' WHERE debtor_id = 'r-2';
UPDATE dunning.debtor SET attributes = '[1, 2]' WHERE debtor_id = 'r-3';
SELECT debtor_id, attributes FROM dunning.features() WHERE attributes IS NOT NULL ORDER BY 1;
SELECT * FROM dunning.attribute_features();
-- what_is_not_dated_is_unknown_in_the_past
SELECT count(attributes) FROM dunning.features('2026-01-10');
-- a_named_attribute_is_a_feature_of_the_models
SELECT dunning.save_feature('income', 'monthly income as last told', unit => 'EUR', monotone => -1), dunning.save_feature('vip', 'looked after by hand', 'boolean'), dunning.save_feature('trade', 'line of business', 'text', sensitive => true);
SELECT dunning.save_feature('debt_months', 'open sum in months of income', expression => 'amount_open / nullif((attributes ->> ''income'')::float8, 0)', of => 'debtor');
SELECT array_agg(f ORDER BY f) AS added FROM unnest(dunning._features_of('paid_30d')) f WHERE f NOT IN (SELECT b.feature FROM dunning.feature b WHERE b.builtin);
SELECT attribute, type, joined FROM dunning.attribute_features();
SELECT dunning._feature_sql('income') AS i, dunning._feature_sql('vip') AS v, dunning._feature_sql('debt_months') AS d \gset
SELECT f.debtor_id, :i AS income, :v AS vip, :d > 0 AS owes FROM dunning.features() f WHERE debtor_id = 'r-1' OR debtor_id = 'r-3' ORDER BY 1;
-- a_text_where_a_number_should_be_is_unknown
SELECT :i AS income, :v AS vip FROM dunning.features() f WHERE debtor_id = 'r-2';
-- sensitive_features_are_read_only_when_asked_for
SELECT dunning.include_feature('trade'), dunning.include_feature('country');
SELECT 'trade' = ANY (dunning._features_of('late')) AS trade, 'country' = ANY (dunning._features_of('late')) AS country;
-- what_is_excluded_no_model_reads_and_an_attribute_does_not_stand_among_the_features
SELECT dunning.exclude_feature('income'), dunning.exclude_feature('late_ratio');
SELECT attributes ? 'income' AS stands, 'income' = ANY (dunning._features_of('late')) AS income, 'late_ratio' = ANY (dunning._features_of('late')) AS late_ratio FROM dunning.features() WHERE debtor_id = 'r-1';
SELECT c.feature, c.excluded, c.source, f.before ->> 'excluded' AS was FROM dunning.feature_catalogue c JOIN dunning.feature f USING (feature, saved_at) WHERE feature IN ('income', 'late_ratio') ORDER BY 1;
SELECT dunning.reset_feature('late_ratio'), dunning.reset_feature('late_ratio') AS again;
SELECT 'late_ratio' = ANY (dunning._features_of('late')) AS read_again;
-- an_expression_reads_one_row_of_features_and_never_the_outcome
SELECT dunning.save_feature('told', 'the label', expression => 'days_late', of => 'invoice');
SELECT dunning.save_feature('told', 'the label', 'boolean', expression => 'n_paid > 1 AND settled_on IS NULL', of => 'invoice');
SELECT dunning.save_feature('told', 'the label', 'text', expression => 'to_jsonb(one) ->> ''days_late''', of => 'invoice');
SELECT dunning.save_feature('now', 'payments of now', expression => 'CASE WHEN n_paid > 3 THEN (SELECT count(*) FROM dunning.payment) END');
SELECT dunning.save_feature('sum', 'all rows', expression => 'sum(n_paid)');
SELECT dunning.save_feature('rows', 'many rows', expression => 'generate_series(1, n_paid)');
-- a_wrong_feature_is_refused_with_what_would_be_right
SELECT dunning.save_feature('late_ratio', 'mine');
SELECT dunning.save_feature('a b', 'mine');
SELECT dunning.save_feature('mine', 'mine', 'date');
SELECT dunning.save_feature('mine', 'mine', monotone => 2);
SELECT dunning.save_feature('mine', 'mine', expression => 'n_paid > 3');
SELECT dunning.save_feature('mine', 'mine', expression => 'no_such_column + 1');
SELECT dunning.save_feature('mine', 'mine', expression => 'dpd_0', of => 'invoice');
SELECT dunning.save_feature('mine', 'mine', expression => '1); DROP TABLE dunning.feature; --');
SELECT dunning.exclude_feature('no_such');
SELECT dunning.include_feature(NULL);
SET ROLE dunning_operator;
SELECT dunning.save_feature('mine', 'mine');
SELECT count(*) > 90 AS shown FROM dunning.feature_catalogue;
RESET ROLE;
SELECT count(dunning.reset_feature(f.feature)) FROM dunning.feature f WHERE NOT f.builtin;
UPDATE dunning.debtor SET attributes = NULL;
DELETE FROM dunning.egress; DELETE FROM dunning.event; DELETE FROM dunning.promise;

-- a_reversal_beside_a_credit_note_of_millions_comes_to_an_end
INSERT INTO dunning.debtor (debtor_id) VALUES ('r-large');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('r-large', 'L-1', '2026-05-01', '2026-05-15', 100, 'DKK'), ('r-large', 'L-2', '2026-05-02', '2026-05-20', -2000000, 'DKK');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('r-large', 'L-3', '2026-05-03', 50, 'DKK'), ('r-large', 'L-4', '2026-05-04', -3000000, 'DKK');
SET statement_timeout = '20s';
SELECT amount_open FROM pg_temp.of('{r-large}');
RESET statement_timeout;
DELETE FROM dunning.invoice WHERE debtor_id = 'r-large'; DELETE FROM dunning.payment WHERE debtor_id = 'r-large'; DELETE FROM dunning.debtor WHERE debtor_id = 'r-large';

-- invoices_of_one_day_see_the_same_account_each_in_its_own_currency_and_with_its_own_end
INSERT INTO dunning.debtor (debtor_id) VALUES ('r-day');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('r-day', 'D-0', '2026-02-01', '2026-02-15', 70, 'DKK'),
    ('r-day', 'D-1', '2026-05-01', '2026-05-15', 100, 'DKK'), ('r-day', 'D-2', '2026-05-01', '2026-05-20', 30, 'DKK'), ('r-day', 'D-3', '2026-05-01', '2026-05-25', 40, 'EUR'), ('r-day', 'D-4', '2026-05-02', '2026-05-25', 50, 'DKK');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES ('r-day', 'D-5', '2026-05-03 12:00+02', 100, 'DKK', 'D-1');
SELECT invoice_id, currency, n_open, n_overdue, amount_open, overdue_change, dpd_roll, settled_on FROM dunning.invoice_features('2026-06-10') WHERE debtor_id = 'r-day' ORDER BY 1;
DELETE FROM dunning.invoice WHERE debtor_id = 'r-day'; DELETE FROM dunning.payment WHERE debtor_id = 'r-day'; DELETE FROM dunning.debtor WHERE debtor_id = 'r-day';

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
