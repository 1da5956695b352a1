-- score: what train() learns from. Features strictly before, labels strictly after, one debtor in one fold.
SET timezone = 'Europe/Copenhagen';
SET dunning.timezone = 'Europe/Copenhagen';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment; DELETE FROM dunning.model; DELETE FROM dunning.feature WHERE NOT builtin;
SET dunning.clock = '2026-07-01 09:00+00';

-- 120 debtors, an invoice every 20 days, some not yet due, terms of two weeks; paid from six days before the due date to 45 after it, one in nine never.
INSERT INTO dunning.debtor (debtor_id, kind, country) SELECT 'l' || n, CASE n % 3 WHEN 0 THEN 'company' ELSE 'person' END, 'DK' FROM generate_series(1, 120) n;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
SELECT 'l' || n, n || '-' || k, issued, issued + 14, (20 + 100 * dunning._uniform(n || 'a' || k, 1))::numeric(9, 2), 'DKK'
FROM generate_series(1, 120) n, generate_series(1, 25) k, LATERAL (SELECT date '2025-02-01' + 20 * k + n % 20 AS issued) x;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id)
SELECT i.debtor_id, i.invoice_id, p.at, i.amount, i.currency, i.invoice_id
FROM dunning.invoice i, LATERAL (SELECT i.due_on::timestamp AT TIME ZONE 'UTC' + ((-6 + 20 * dunning._uniform(i.debtor_id, 2) + 30 * dunning._uniform(i.invoice_id, 3) ^ 2)::int * 24 + 12) * interval '1 hour' AS at) p
WHERE dunning._uniform(i.invoice_id, 4) > 0.11 AND p.at < '2026-07-01';

-- What each target's rows say, once with the whole book and once with all that came at or after the row's instant taken away.
CREATE FUNCTION pg_temp.row_of(target text, at timestamptz, debtor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT string_agg((to_jsonb(x) - %L)::text, E''\n'' ORDER BY (to_jsonb(x) - %1$L)::text) FROM (%2$s) x WHERE x.debtor = %3$L', target, dunning._target_sql(target, at), debtor) INTO result;
    RETURN result;
END $$;

-- an_invoices_features_are_those_of_a_book_that_ends_before_its_day_of_issue
CREATE TABLE score_looks (invoice_id text, features jsonb);
INSERT INTO score_looks SELECT f.invoice_id, to_jsonb(f) - '{settled_on,days_late}'::text[] FROM dunning.invoice_features() f WHERE f.issued_on = '2026-03-03';
SELECT count(*) > 3 AS invoices, count(DISTINCT features ->> 'n_paid') > 1 AS histories FROM score_looks;
BEGIN;
DELETE FROM dunning.payment WHERE paid_at >= '2026-03-03 00:00' AT TIME ZONE dunning._ledger_zone();
DELETE FROM dunning.invoice i WHERE i.issued_on > '2026-03-03' OR i.issued_on = '2026-03-03' AND i.invoice_id NOT IN (SELECT l.invoice_id FROM score_looks l);
SELECT count(*) FILTER (WHERE l.features IS DISTINCT FROM to_jsonb(f) - '{settled_on,days_late}'::text[]) AS seen_too_far
FROM score_looks l JOIN dunning.invoice_features() f USING (invoice_id);
-- ... and a day less of it shows
DELETE FROM dunning.payment WHERE paid_at >= '2026-03-02 00:00' AT TIME ZONE dunning._ledger_zone();
SELECT count(*) FILTER (WHERE l.features IS DISTINCT FROM to_jsonb(f) - '{settled_on,days_late}'::text[]) > 0 AS the_day_before_is_seen
FROM score_looks l JOIN dunning.invoice_features() f USING (invoice_id);
ROLLBACK;
DROP TABLE score_looks;

-- a_snapshots_features_end_where_its_label_begins
-- one debtor who owes from January on, looked at at four instants 30 days of 24 hours apart; the clocks change on 29 March
INSERT INTO dunning.debtor (debtor_id) VALUES ('one');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('one', 'o-1', '2026-01-01', '2026-01-15', 1000, 'DKK');
CREATE FUNCTION pg_temp.windows() RETURNS TABLE (months text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$SELECT string_agg(format('%%s:%%s%%s', x.days_past_due, coalesce(x.days_since_payment::text, '-'), CASE WHEN x.paid_30d THEN ' pays' ELSE '' END), ', ' ORDER BY x.days_past_due)
        FROM (%s) x WHERE x.debtor = 'one'$q$, dunning._paid_30d_sql('2026-07-01 09:00+00', 4));
END $$;
SELECT * FROM pg_temp.windows();
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('one', 'p', '2026-04-02 08:59:59.999999+00', 10, 'DKK');
SELECT * FROM pg_temp.windows();
UPDATE dunning.payment SET paid_at = '2026-04-02 09:00+00' WHERE payment_id = 'p';
SELECT * FROM pg_temp.windows();
-- what is paid at the instant of a snapshot is its label and no feature of it; a microsecond before it is a feature, and the label of the month before
UPDATE dunning.payment SET paid_at = '2026-07-01 09:00+00' WHERE payment_id = 'p';
SELECT * FROM pg_temp.windows();
-- the_session's_time_zone_moves_no_window
UPDATE dunning.payment SET paid_at = '2026-04-02 08:59:59.999999+00' WHERE payment_id = 'p';
SET timezone = 'UTC';
SELECT * FROM pg_temp.windows();
SET timezone = 'Europe/Copenhagen';
DELETE FROM dunning.debtor WHERE debtor_id = 'one'; DELETE FROM dunning.invoice WHERE debtor_id = 'one'; DELETE FROM dunning.payment WHERE debtor_id = 'one';

-- what_is_not_decided_is_no_row
SELECT count(*) FILTER (WHERE due_on < '2026-07-01') AS due, count(*) AS known FROM dunning.invoice_features('2026-07-01') \gset
SELECT format('SELECT count(*) = %s AND %s < %s AS late FROM (%s) x', :due, :due, :known, dunning._late_sql('2026-07-01')) \gexec
SELECT format('SELECT count(*) = (SELECT count(*) FROM dunning.invoice_features(%L) f WHERE f.due_on + 14 < %L AND (f.days_late IS NULL OR f.days_late > 0)) AS self_cure FROM (%s) x', '2026-07-01', '2026-07-01', dunning._self_cure_sql('2026-07-01')) \gexec

CREATE FUNCTION pg_temp.rows_of(target text) RETURNS TABLE (rows bigint, yes bigint) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE x.%I) FROM (%s) x', target, dunning._target_sql(target, '2026-07-01 09:00+00'));
END $$;
-- a_call_is_a_contact_who_pays_after_it_has_not_cured_by_himself
BEGIN;
SELECT rows, yes FROM pg_temp.rows_of('self_cure') \gset
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'l1', 'call-' || k, '2026-03-01', '2026-03-15', 7, 'EUR' FROM generate_series(1, 2) k;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) SELECT debtor_id, invoice_id, '2026-03-25 12:00+00', 7, 'EUR', invoice_id FROM dunning.invoice WHERE invoice_id LIKE 'call-%';
SELECT rows - :rows AS rows, yes - :yes AS cured FROM pg_temp.rows_of('self_cure');
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by) VALUES ('l1', dunning._uuid7(), 'default', 'called_in', '2026-03-20 12:00+00', '2026-03-20 12:00+00', 'test');
SELECT rows - :rows AS rows, yes - :yes AS cured_though_he_called FROM pg_temp.rows_of('self_cure');
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by) VALUES ('l1', dunning._uuid7(), 'default', 'called', '2026-03-20 12:00+00', '2026-07-01 09:00+00', 'test');
SELECT rows - :rows AS rows, yes - :yes AS cured_as_long_as_nobody_told FROM pg_temp.rows_of('self_cure');
UPDATE dunning.event SET recorded_at = at WHERE debtor_id = 'l1';
SELECT rows - :rows AS rows, yes - :yes AS cured_after_a_call FROM pg_temp.rows_of('self_cure');
-- what_retention_dropped_says_nothing_of_who_was_written_to
INSERT INTO dunning.egress_anchor (slice, seq, digest, dropped_at) VALUES (0, 0, '\x00', '2026-06-01');
SELECT r.rows = (SELECT count(*) FROM dunning.invoice_features('2026-07-01 09:00+00') f WHERE f.due_on + 14 < '2026-07-01' AND (f.days_late IS NULL OR f.days_late > 0)
    AND f.due_on >= date '2026-07-01' - dunning._value_of('retention_days')::int) AS since_then, r.rows < :rows AS fewer FROM pg_temp.rows_of('self_cure') r;
ROLLBACK;
-- what_a_credit_note_closed_is_no_row
BEGIN;
SELECT l.rows AS late, s.rows AS self_cure FROM pg_temp.rows_of('late') l, pg_temp.rows_of('self_cure') s \gset
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind) VALUES ('l1', 'c-1', '2026-03-01', '2026-03-15', 7, 'EUR', 'invoice'), ('l1', 'c-2', '2026-03-20', '2026-03-20', 7, 'EUR', 'credit_note');
SELECT l.rows - :late AS late, s.rows - :self_cure AS self_cure FROM pg_temp.rows_of('late') l, pg_temp.rows_of('self_cure') s;
DELETE FROM dunning.invoice WHERE invoice_id = 'c-2';
SELECT l.rows - :late AS late, s.rows - :self_cure AS self_cure FROM pg_temp.rows_of('late') l, pg_temp.rows_of('self_cure') s;
ROLLBACK;
-- an_amount_that_is_none_is_no_payment_of_a_label
BEGIN;
SELECT yes FROM pg_temp.rows_of('paid_30d') \gset
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) SELECT 'l' || n, 'odd' || k, '2026-06-01'::date + n % 29, a, 'DKK' FROM generate_series(1, 120) n, unnest('{NaN,Infinity,0}'::numeric[]) WITH ORDINALITY o (a, k);
SELECT yes - :yes AS more FROM pg_temp.rows_of('paid_30d');
ROLLBACK;

-- a_snapshot_every_30_days_of_two_years_of_a_small_book_and_of_half_a_year_of_a_large_one
SELECT substring(dunning._paid_30d_sql('2026-07-01') FROM 'generate_series\(1, \d+\)') AS small;
BEGIN;
INSERT INTO dunning.debtor (debtor_id) SELECT 'many' || i FROM generate_series(1, 4000) i;
SELECT substring(dunning._paid_30d_sql('2026-07-01') FROM 'generate_series\(1, \d+\)') AS large;
ROLLBACK;

-- each_target_learns_from_the_catalogue_and_keeps_a_debtor_in_one_fold
SELECT count((SELECT f.n FROM dunning.train(t) f)) AS trained FROM unnest('{late,paid_30d,self_cure}'::text[]) t;
SELECT m.target, m.n >= 900 AS rows, (m.metrics ->> 'auc')::float8 > 0.55 AS says_something, m.metrics ->> 'grouped' AS grouped FROM dunning.model m ORDER BY 1;
-- a_feature_that_is_excluded_stays_out_of_every_target
BEGIN;
SELECT dunning.exclude_feature('avg_gap') AS a, dunning.exclude_feature('days_past_due') AS b;
SELECT string_agg(DISTINCT t, ', ') AS still_read FROM unnest('{late,paid_30d,self_cure}'::text[]) t WHERE dunning._target_sql(t, '2026-07-01') ~ 'f\.(avg_gap|days_past_due) AS';
ROLLBACK;
-- a_sensitive_feature_is_read_only_when_included
SELECT dunning._target_sql('late', '2026-07-01') ~ 'f\.country AS' AS before;
BEGIN;
SELECT dunning.include_feature('country');
SELECT dunning._target_sql('late', '2026-07-01') ~ 'f\.country AS' AS after;
ROLLBACK;

-- directions_of_the_catalogue_hold_in_the_trees
SELECT dunning._monotone_of('late') ->> 'avg_gap' AS late, dunning._monotone_of('paid_30d') ->> 'avg_gap' AS paid, dunning._monotone_of('paid_30d') ->> 'n_overdue' AS count_of_invoices,
    dunning._monotone_of('late') ? 'log_amount' AS no_direction, dunning._monotone_of('late') ? 'open_vs_mean' AS not_read;
SELECT version FROM dunning.train('late', kind => 'gbdt') \gset
SELECT dunning.promote('late', :version) \g /dev/null
CREATE TEMP TABLE tried AS SELECT f.* FROM dunning.invoice_features() f WHERE f.n_paid > 2 ORDER BY f.invoice_id LIMIT 40;
CREATE TEMP TABLE turned AS
SELECT t.invoice_id, v AS gap, dunning.predict('late', y) AS p
FROM tried t, generate_series(-20, 40, 2) v, LATERAL jsonb_populate_record(t, jsonb_build_object('avg_gap', v, 'avg_gap_shrunk', v, 'ewma_gap', v,
    'avg_late_shrunk', greatest(v, 0), 'ewma_late', greatest(v, 0), 'late_ratio_shrunk', (v + 20) / 60.0)) y;
SELECT max(p) - min(p) > 0.05 AS moves, bool_and(p >= before - 1e-12) AS never_down FROM (SELECT *, coalesce(lag(p) OVER (PARTITION BY invoice_id ORDER BY gap), 0) AS before FROM turned) x;
-- a_users_direction_is_kept_and_a_text_has_none
BEGIN;
SELECT dunning.save_feature('big', 'large invoice', 'boolean', monotone => -1, expression => 'amount > 60', of => 'invoice'), dunning.save_feature('word', 'a word', 'text', monotone => 1, expression => 'currency', of => 'invoice');
SELECT dunning._monotone_of('late') ->> 'big' AS big, dunning._monotone_of('late') ? 'word' AS word;
-- an_invoice_feature_of_our_own_is_asked_of_the_next_invoice
SELECT dunning.save_feature('winter', 'issued in winter', 'number', expression => 'abs(extract(month FROM issued_on) - 7)', of => 'invoice');
SELECT version FROM dunning.train('late', kind => 'logistic') \gset
SELECT dunning.promote('late', :version) \g /dev/null
SELECT sum(debtors) AS scored FROM dunning.score();
SELECT position('extract(month FROM issued_on)' IN dunning._next_invoice_sql()) > 0 AS computed;
ROLLBACK;

-- a_feature_that_fails_on_one_row_is_named_by_training_and_scoring
BEGIN;
SELECT dunning.save_feature('bill', 'mean bill', expression => 'amount_billed / n_paid');
SAVEPOINT s;
SELECT dunning.train('late');
ROLLBACK TO s;
SELECT dunning.save_feature('bill', 'mean bill', expression => 'amount_billed / (n_paid - n_paid)');
SELECT count(*) FROM dunning.score();
ROLLBACK;

-- a_model_that_reads_what_is_no_feature_any_more_is_named_with_what_mends_it
BEGIN;
SELECT dunning.save_feature('per_bill', 'paid of each bill', expression => 'amount_paid / nullif(n_invoices, 0)');
SELECT version FROM dunning.train('late', kind => 'logistic') \gset
SELECT dunning.promote('late', :version) \g /dev/null
SELECT sum(debtors) > 0 AS scored FROM dunning.score();
SELECT dunning.reset_feature('per_bill');
SAVEPOINT s;
SELECT count(*) FROM dunning.score();
ROLLBACK TO s;
SELECT version FROM dunning.train('late', kind => 'logistic') \gset
SELECT dunning.promote('late', :version) \g /dev/null
SELECT sum(debtors) > 0 AS scored FROM dunning.score();
-- so_is_a_model_of_fit_under_a_name_of_ours
SELECT kind FROM dunning.fit('payment_curve', 'SELECT i % 7 AS mine, i % 3 = 0 AS paid FROM generate_series(1, 400) i', 'paid', 'logistic');
SELECT count(*) FROM dunning.expected_recovery();
ROLLBACK;

-- a_target_with_too_few_of_a_class_is_refused_with_the_counts_and_what_works
BEGIN;
UPDATE dunning.payment p SET paid_at = i.issued_on::timestamp AT TIME ZONE 'UTC' + interval '1 day' FROM dunning.invoice i WHERE i.invoice_id = p.invoice_id AND i.debtor_id = p.debtor_id;
DELETE FROM dunning.invoice i WHERE i.debtor_id <> 'l1' AND NOT EXISTS (SELECT FROM dunning.payment p WHERE p.invoice_id = i.invoice_id);
SELECT dunning.train('late');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
DELETE FROM dunning.payment p USING dunning.invoice i WHERE i.debtor_id = p.debtor_id AND i.invoice_id = p.invoice_id AND p.paid_at > i.due_on + 20;
UPDATE dunning.payment p SET paid_at = i.due_on::timestamp AT TIME ZONE 'UTC' + interval '3 days' FROM dunning.invoice i WHERE i.invoice_id = p.invoice_id AND i.debtor_id = p.debtor_id AND p.paid_at > i.due_on + 1;
DELETE FROM dunning.invoice i WHERE NOT EXISTS (SELECT FROM dunning.payment p WHERE p.invoice_id = i.invoice_id AND p.debtor_id = i.debtor_id) AND i.invoice_id NOT LIKE '1-%';
SELECT dunning.train('self_cure');
\echo :SQLSTATE
ROLLBACK;

DELETE FROM dunning.debtor; DELETE FROM dunning.invoice; DELETE FROM dunning.payment; DELETE FROM dunning.model; DELETE FROM dunning.score_result;
RESET dunning.clock;
