-- score: when invoices are paid: Kaplan-Meier by hand, a hazard from a book whose curve is known, censoring, expected recovery.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = 'warning';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
BEGIN;      -- rolled back at the end: nothing of it stays, and nobody else's book is in the way
DELETE FROM dunning.payment;
DELETE FROM dunning.invoice;
DELETE FROM dunning.debtor;

-- the_table_is_that_of_freireich_1963_by_hand: weeks in remission of 21 patients, read as days past due
-- (6 6 6 7 10 13 16 22 23 were seen to end; 6 9 10 11 17 19 20 25 32 32 34 35 were not; survival 0.857 0.807 0.753 0.690 0.627 0.538 0.448, standard errors
-- 0.0764 0.0869 0.0963 0.1068 0.1141 0.1282 0.1346 in Cox and Oakes 1984 and Collett 2003)
CREATE TEMP TABLE remission (i, days, ended) AS
SELECT row_number() OVER (), d, e FROM (
    SELECT unnest(ARRAY[6, 6, 6, 7, 10, 13, 16, 22, 23]) AS d, true AS e UNION ALL SELECT unnest(ARRAY[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]), false) r;
INSERT INTO dunning.debtor (debtor_id, kind) SELECT 'CV-' || i, CASE WHEN i % 2 = 0 THEN 'company' ELSE 'person' END FROM remission;
-- what was not seen to end was issued so that today is the day after; the others earlier
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
SELECT 'CV-' || i, 'CV-' || i, due - 10, due, 100, 'EUR' FROM (SELECT i, CASE WHEN ended THEN date '2026-01-10' + i::int ELSE date '2026-06-09' - days END AS due FROM remission) r;
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency)
SELECT v.invoice_id, v.debtor_id, v.invoice_id, (v.due_on + r.days) + time '12:00', 100, 'EUR' FROM remission r JOIN dunning.invoice v ON v.invoice_id = 'CV-' || r.i WHERE r.ended;
SELECT day, at_risk, paid, censored, round((1 - p_paid)::numeric, 3) AS open, round(std_error::numeric, 4) AS std_error, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high
FROM dunning.kaplan_meier();

-- an_open_invoice_is_censored_the_day_before_and_never_a_label: what is not known yet changes no row before it
SELECT day, at_risk, paid, censored FROM dunning.kaplan_meier(as_of => '2026-02-01 10:00+00') WHERE paid > 0;
-- (a payment of this morning is no part of it before the day is over)
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency) SELECT v.invoice_id, v.debtor_id, v.invoice_id, '2026-06-10 08:00+00', 100, 'EUR' FROM dunning.invoice v WHERE v.invoice_id = 'CV-10';
SELECT count(*) FILTER (WHERE day >= 6) AS rows_since, max(at_risk) AS at_risk, sum(paid) AS paid FROM dunning.kaplan_meier();
DELETE FROM dunning.payment WHERE invoice_id = 'CV-10';

-- too_few_payments_make_no_hazard_and_the_hint_says_what_answers_instead
SAVEPOINT before;
SELECT dunning.train_curve();
ROLLBACK TO before;

-- a_part_payment_leaves_it_open_a_credit_note_censors_it_and_a_cancelled_one_is_out
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency) VALUES ('CV-21', 'CV-21', 'CV-21', '2026-05-20 10:00+00', 40, 'EUR');
SELECT sum(paid) AS paid FROM dunning.kaplan_meier();
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind) VALUES ('CV-20', 'CV-20C', '2026-05-25', '2026-05-25', -100, 'EUR', 'credit_note');
SELECT (SELECT due_on FROM dunning.invoice WHERE invoice_id = 'CV-20') AS due_on, day, at_risk, paid, censored FROM dunning.kaplan_meier() WHERE day >= 16;
UPDATE dunning.invoice SET cancelled_at = '2026-06-01 10:00+00' WHERE invoice_id = 'CV-19';
SELECT max(at_risk) AS units FROM dunning.kaplan_meier();
SELECT segment, max(at_risk) AS units, sum(paid) AS paid FROM dunning.kaplan_meier('kind') GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM dunning.kaplan_meier('segment') WHERE segment <> 'not scored';
SAVEPOINT before;
SELECT * FROM dunning.kaplan_meier('debtor_id');
ROLLBACK TO before;

-- the_curve_of_a_simulated_book_is_found_again: people and companies of hazards that are known and cross twice, due dates over 400 days, the young ones open
DELETE FROM dunning.payment;
DELETE FROM dunning.invoice;
DELETE FROM dunning.debtor;
CREATE TEMP TABLE truth (kind, first, last, hazard) AS VALUES     -- a day
    ('person', 0, 0, 0.50), ('person', 1, 3, 0.10), ('person', 4, 7, 0.06), ('person', 8, 14, 0.05), ('person', 15, 30, 0.03), ('person', 31, 60, 0.010), ('person', 61, 90, 0.004), ('person', 91, 360, 0.001),
    ('company', 0, 0, 0.15), ('company', 1, 3, 0.03), ('company', 4, 7, 0.02), ('company', 8, 14, 0.15), ('company', 15, 30, 0.09), ('company', 31, 60, 0.030), ('company', 61, 90, 0.012), ('company', 91, 360, 0.003);
-- share paid by the end of each day
CREATE TEMP TABLE true_curve AS
SELECT t.kind, d.day, 1 - exp(sum(ln(1 - t.hazard::float8)) OVER (PARTITION BY t.kind ORDER BY d.day)) AS p FROM truth t, generate_series(t.first, t.last) AS d (day);
CREATE TEMP TABLE book AS
SELECT i, 'CS-' || i % 714 AS debtor, CASE WHEN i % 714 % 3 = 0 THEN 'company' ELSE 'person' END AS kind, date '2026-06-10' - 400 + (420 * dunning._uniform(i::text, 1))::int AS due, dunning._uniform(i::text, 2) AS u
FROM generate_series(1, 6000) i;
INSERT INTO dunning.debtor (debtor_id, creditor, kind) SELECT DISTINCT debtor, 'c' || right(debtor, -3)::int % 42, kind FROM book;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT debtor, 'CS-' || i, due - 14, due, 50 + i % 100, 'EUR' FROM book;
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency)
SELECT 'CS-' || i, debtor, 'CS-' || i, (due + day) + time '12:00', 50 + i % 100, 'EUR'
FROM (SELECT b.*, (SELECT min(t.day) FROM true_curve t WHERE t.kind = b.kind AND t.p >= b.u) AS day FROM book b) x WHERE due + day < '2026-06-10';
ANALYZE dunning.invoice;
ANALYZE dunning.payment;
SELECT dunning.include_feature('is_company'), dunning.exclude_feature('creditor');
SELECT model, version, kind, n > 10000 AS many FROM dunning.train_curve();
CREATE TEMP TABLE asked AS
SELECT f.kind, d.day, avg(dunning.p_paid_by('payment_curve', f, d.day)) AS p, min(dunning.p_paid_by('payment_curve', f, d.day)) AS least, max(dunning.p_paid_by('payment_curve', f, d.day)) AS most
FROM dunning.invoice_features() f, unnest(ARRAY[0, 1, 3, 7, 14, 20, 30, 45, 60, 90, 180, 360]) AS d (day) GROUP BY 1, 2;
-- (within 0.03 of the truth for each kind of debtor on each of these days; the worst is shown where it is not)
SELECT kind, max(abs(a.p - t.p)) < 0.03 AS found_again, CASE WHEN max(abs(a.p - t.p)) >= 0.03 THEN max(abs(a.p - t.p)) END AS worst FROM asked a JOIN true_curve t USING (kind, day) GROUP BY 1 ORDER BY 1;
-- (Kaplan-Meier the same; of the 42 curves of creditors, each of people or of companies, the limits of about 95 in 100 hold the truth)
SELECT k.segment, max(abs(k.p_paid - t.p)) < 0.03 AS found_again FROM dunning.kaplan_meier('kind') k JOIN true_curve t ON t.kind = k.segment AND t.day = k.day WHERE k.at_risk >= 100 GROUP BY 1 ORDER BY 1;
SELECT count(*) AS curves, count(*) FILTER (WHERE NOT t.p BETWEEN k.low AND k.high) BETWEEN 0 AND 6 AS about_two_miss, max(k.high - k.low) < 0.3 AS and_say_something
FROM (SELECT DISTINCT ON (segment) * FROM dunning.kaplan_meier('creditor') WHERE day <= 14 ORDER BY segment, day DESC) k
JOIN true_curve t ON t.day = 14 AND t.kind = CASE WHEN right(k.segment, -1)::int % 3 = 0 THEN 'company' ELSE 'person' END;
-- (whoever calls what is open unpaid is wrong by more than that)
SELECT b.kind, t.p - avg((p.payment_id IS NOT NULL AND p.paid_at::date <= b.due + t.day)::int) > 0.03 AS too_low
FROM book b JOIN true_curve t ON t.kind = b.kind AND t.day = 30 LEFT JOIN dunning.payment p ON p.payment_id = 'CS-' || b.i GROUP BY b.kind, t.p ORDER BY 1;

-- p_never_falls_with_the_day_and_lies_in_0_1
SELECT bool_and(p >= before) AS never_falls, min(p) > 0 AND max(p) < 1 AS inside, count(DISTINCT invoice_id) > 50 AS looked
FROM (SELECT f.invoice_id, p.p, lag(p.p, 1, 0) OVER (PARTITION BY f.invoice_id ORDER BY d.day) AS before FROM dunning.invoice_features() f, generate_series(0, 400) AS d (day),
      LATERAL (SELECT dunning.p_paid_by('payment_curve', f, d.day) AS p) p WHERE f.invoice_id LIKE 'CS-1__') x;
-- given_that_it_was_open_after_a_day_it_is_the_ratio_of_what_is_left
SELECT max(abs((1 - dunning.p_paid_by('payment_curve', f, 50)) / (1 - dunning.p_paid_by('payment_curve', f, 10)) - (1 - dunning.p_paid_by('payment_curve', f, 50, 10)))) < 1e-9 AS ratio,
    max(abs(dunning.p_paid_by('payment_curve', f, 50, -3) - dunning.p_paid_by('payment_curve', f, 50))) = 0 AS before_due_nothing_is_known,
    max(dunning.p_paid_by('payment_curve', f, 500, 360)) < 2e-6 AND bool_and(dunning.p_paid_by('payment_curve', f, 500) = dunning.p_paid_by('payment_curve', f, 360)) AS nothing_after_the_last_day
FROM dunning.invoice_features() f WHERE f.invoice_id LIKE 'CS-1__';
SELECT dunning.p_paid_by('payment_curve', NULL::dunning.invoice_features, 3) IS NULL AS null_record, dunning.p_paid_by('payment_curve', f, NULL) IS NULL AS null_day FROM dunning.invoice_features() f LIMIT 1;
SAVEPOINT before;
SELECT dunning.p_paid_by('payment_curve', f, -1) FROM dunning.invoice_features() f LIMIT 1;
ROLLBACK TO before;
SELECT dunning.p_paid_by('payment_curve', f, 10, 10) FROM dunning.invoice_features() f LIMIT 1;
ROLLBACK TO before;
\set VERBOSITY sqlstate
SELECT dunning.p_paid_by('payment_curve', f, 10) FROM (SELECT 1 AS amount) f;
\set VERBOSITY default
ROLLBACK TO before;

-- a_text_that_the_curve_reads_three_times_is_lacking_once
SELECT dunning.include_feature('creditor') \g /dev/null
SELECT version FROM dunning.train_curve() \gset
SELECT dunning.promote('payment_curve', :version) \g /dev/null
DO $$ BEGIN
    PERFORM dunning.p_paid_by('payment_curve', f, 10) FROM (SELECT 1 AS amount) f;
EXCEPTION WHEN undefined_column THEN RAISE WARNING 'named % time(s)', (SELECT count(*) FROM regexp_matches(SQLERRM, '\ycreditor\y', 'g'));
END $$;
ROLLBACK TO before;

-- a_version_is_made_of_what_was_known_at_its_instant: what came or was recorded after it changes not a byte
UPDATE dunning.payment SET recorded_at = '2026-05-01 10:00+00' WHERE payment_id LIKE 'CS-1%' AND paid_at < '2026-03-01';
SELECT version FROM dunning.train_curve(as_of => '2026-03-01 10:00+00');
DELETE FROM dunning.payment WHERE coalesce(recorded_at, paid_at) >= '2026-03-01 10:00+00';
DELETE FROM dunning.invoice WHERE issued_on > '2026-03-01';
SELECT version FROM dunning.train_curve(as_of => '2026-03-01 10:00+00');
SELECT count(DISTINCT digest) AS digests, min(state) AS state, count(*) AS versions FROM dunning.model WHERE model = 'payment_curve' AND version IN (2, 3);
ROLLBACK TO before;

-- expected_recovery_is_what_is_open_times_the_chance_given_that_it_is_open
SELECT count(*) > 100 AS rows, bool_and(e.expected = round(e.open * e.p::numeric, 2)) FILTER (WHERE e.p IS NOT NULL) AS product, min(e.basis) AS basis,
    bool_and((e.p IS NULL) = (e.due_on > '2026-07-09')) AS null_where_it_is_not_due_in_time
FROM dunning.expected_recovery() e;
SELECT abs(e.p - dunning.p_paid_by('payment_curve', f, date '2026-07-09' - f.due_on, date '2026-06-09' - f.due_on)) < 1e-12 AS same, e.days_past_due = date '2026-06-10' - e.due_on AS days
FROM dunning.expected_recovery(30) e JOIN dunning.invoice_features() f USING (debtor_id, invoice_id) WHERE e.days_past_due > 0 ORDER BY e.invoice_id COLLATE "C" LIMIT 1;
-- (what then did come in, of the simulated book, is what was expected four weeks before, to a tenth)
SELECT abs(sum(e.expected) / sum(e.open) FILTER (WHERE p.paid_at < '2026-06-10') - 1) < 0.10 AS came_true
FROM dunning.expected_recovery(30, '2026-05-11 00:00+00') e LEFT JOIN dunning.payment p ON p.invoice_id = e.invoice_id WHERE e.p IS NOT NULL;
SELECT * FROM dunning.expected_recovery(0);
ROLLBACK TO before;

-- versions_of_tables_are_stored_with_their_digest_and_read_back_as_they_were
SELECT model, version, kind, n FROM dunning.train_curve('kaplan_meier', by_column => 'kind');
SELECT count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ, count(*) > 100 AS looked FROM dunning.curve_table('kaplan_meier_kind') a FULL JOIN dunning.kaplan_meier('kind') b USING (segment, day, at_risk, paid, censored, p_paid, std_error);
SELECT version FROM dunning.train_curve('kaplan_meier', by_column => 'kind');
SELECT version, state, digest = encode(sha256(convert_to(body::text, 'UTF8')), 'hex') AS digest FROM dunning.model WHERE model = 'kaplan_meier_kind' ORDER BY 1;
SELECT dunning.promote('kaplan_meier_kind', 2), dunning.rollback('kaplan_meier_kind'), dunning.export_model('kaplan_meier_kind') ->> 'version' AS exported;
SAVEPOINT before;
UPDATE dunning.model SET body = jsonb_set(body, '{by}', '"x"') WHERE model = 'kaplan_meier_kind';
SELECT count(*) FROM dunning.curve_table('kaplan_meier_kind');
ROLLBACK TO before;
SELECT dunning.predict('kaplan_meier_kind', ROW(1));
ROLLBACK TO before;
SELECT * FROM dunning.curve_table('payment_curve');
ROLLBACK TO before;
SELECT * FROM dunning.curve_table();
ROLLBACK TO before;
SELECT * FROM dunning.train_curve('kaplan_meier', '2100-01-01');
ROLLBACK TO before;
SELECT * FROM dunning.train_curve(by_column => 'kind');
ROLLBACK TO before;
SELECT * FROM dunning.train_curve('weibull');
ROLLBACK TO before;

-- without_a_model_the_curve_of_the_book_answers_and_the_row_says_so
DELETE FROM dunning.model WHERE model = 'payment_curve';
SELECT min(e.basis) AS basis, count(e.p) > 100 AS answered, min(e.p) > 0 AND max(e.p) < 1 AS inside FROM dunning.expected_recovery() e;
-- (by hand, of what is due for 20 days: observed to day 19, then the 30 days from today on)
SELECT count(*) > 0 AS looked, max(abs(e.p - (1 - (1 - k.by_49) / (1 - k.by_19)))) < 1e-12 AS same
FROM dunning.expected_recovery(30) e, (SELECT max(p_paid) FILTER (WHERE day <= 19) AS by_19, max(p_paid) FILTER (WHERE day <= 49) AS by_49 FROM dunning.kaplan_meier()) k WHERE e.days_past_due = 20;
SELECT dunning.p_paid_by('payment_curve', f, 10) FROM dunning.invoice_features() f LIMIT 1;
ROLLBACK TO before;
-- a_viewer_reads_curves_and_may_not_ask_the_ledger
SET ROLE dunning_viewer;
SELECT count(*) > 0 AS read FROM dunning.curve_table('kaplan_meier_kind');
SELECT * FROM dunning.kaplan_meier();
ROLLBACK TO before;
RESET ROLE;
ROLLBACK;
RESET dunning.clock;
