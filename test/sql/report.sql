-- report: what is so, and why.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone) VALUES
    ('RP-1', 'Kirsten <b>Hansen</b>', 'Kirsten', 'da', 'DK', 'kirsten@example.dk', '+45 20 12 34 56'),
    ('RP-2', 'Bo Berg', 'Bo', 'en', 'GB', 'bo@example.uk', NULL),
    ('RP-3', 'Per%Cent', 'Per', 'en', 'GB', NULL, '+447700900124');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference) VALUES
    ('RP-1', 'RP-I1', '2026-04-01', '2026-05-01', 620.25, 'DKK', 'RP-F-1'),
    ('RP-1', 'RP-I2', '2026-05-01', '2026-06-20', 40, 'EUR', 'RP-F-2'),
    ('RP-2', 'RP-I3', '2026-04-01', '2026-05-31', 300, 'GBP', 'RP-F-3'),
    ('RP-3', 'RP-I4', '2026-02-01', '2026-03-01', 80, 'GBP', 'RP-F-4');

CREATE FUNCTION pg_temp.message(debtor text, via text, address text, sent timestamptz, cost numeric, state text DEFAULT 'sent', test boolean DEFAULT false)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, strategy, step, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency,
                                 context, decision, created_at, created_by)
    VALUES (id, debtor, 'rp-north', 'standard', 'reminder-1', 'reminder-1', via, 'en', 'rp', sent, to_char(sent, 'YYYY-MM-DD HH24:MI'), '{"DKK": 620.25}', cost, 'EUR',
            '{"name": "Kirsten"}', '{"chosen": "letter", "segment": "habitual_late"}', sent - interval '1 day', 'test');
    INSERT INTO dunning.body VALUES (id, debtor, 'rp-north', address, 'About RP-F-1', 'Dear Kirsten, 620.25', NULL, sent);
    INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, test, cost, cost_currency,
                                at, contact_on, slice, seq, prev, digest)
    VALUES (id, 1, debtor, 'rp-north', via, 'rp', '\x00', '{amount,name}', '\x0102', 20, 'standard/reminder-1', test, cost, 'EUR', now(), sent, 0, 0, '\x00', '\x00');
    INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, at) VALUES (id, dunning._uuid7(), debtor, 'rp-north', 1, state, 'x', sent);
    RETURN id;
END $$;
SELECT pg_temp.message('RP-1', 'letter', 'Vej 1', '2026-05-10 10:00+00', 1.10) AS letter \gset
SELECT pg_temp.message('RP-2', 'email', 'bo@example.uk', '2026-05-12 10:00+00', 0) AS mail \gset
SELECT pg_temp.message('RP-2', 'sms', '+447700900123', '2026-05-20 10:00+00', 0.08) AS text \gset
SELECT pg_temp.message('RP-3', 'sms', '+447700900124', '2026-05-20 10:00+00', 0.08, state => 'dead') AS refused \gset
SELECT pg_temp.message('RP-3', 'sms', 'team', '2026-05-20 10:00+00', 0.08, test => true) AS tested \gset

-- a_debtor_is_one_row_and_two_currencies_are_never_added
SELECT debtor_id, amounts, overdue, days_past_due, open_invoices, contacts, last_channel, last_state FROM dunning.debtor_overview WHERE debtor_id LIKE 'RP-%' ORDER BY 1;

-- a_viewer_sees_figures_and_no_person
SET ROLE dunning_viewer;
SELECT debtor_id, name, email, phone, consent, days_past_due FROM dunning.debtor_overview WHERE debtor_id LIKE 'RP-%' ORDER BY 1;
SELECT * FROM dunning.find_debtor('Hansen');
SELECT count(*) FROM dunning.worklist;
SELECT count(*) FROM dunning.explain('RP-1');
SELECT body_text FROM dunning.body;
SELECT address_digest FROM dunning.egress;
RESET ROLE;
SET ROLE dunning_operator;
SELECT debtor_id, name, email FROM dunning.debtor_overview WHERE debtor_id LIKE 'RP-%' ORDER BY 1;

-- a_debtor_is_found_by_name_id_mail_phone_and_reference
SELECT s.search, f.debtor_id, f.matched
FROM (VALUES (1, 'hansen'), (2, 'RP-2'), (3, 'KIRSTEN@example.dk'), (4, '20123456'), (5, '+44 7700 900124'), (6, 'RP-F-3'), (7, 'r%'), (8, 'nobody at all'), (9, '_o Berg')) AS s (n, search)
LEFT JOIN LATERAL dunning.find_debtor(s.search) f ON f.debtor_id LIKE 'RP-%' ORDER BY s.n, 2;
SELECT debtor_id, last_channel, last_template, last_message_id = :'letter' AS its_message FROM dunning.find_debtor('kirsten');
SELECT * FROM dunning.find_debtor('x');
SELECT * FROM dunning.find_debtor(NULL);
RESET ROLE;

-- the_worklist_has_answers_first_then_broken_promises_then_calls
SELECT recorded FROM dunning.record_event('called_in', 'RP-2');
SELECT dunning._task('RP-3', 'call', 'call about RP-F-4') IS NOT NULL AS task;
SELECT count(*) FROM dunning.promise('RP-1', 100, 'DKK', '2026-06-12');
SET dunning.clock = '2026-06-18 08:00+00';
SET ROLE dunning_operator;
SELECT row_number() OVER (ORDER BY rank) AS n, debtor_id, kind, subject, task_id IS NOT NULL AS task FROM dunning.worklist WHERE debtor_id LIKE 'RP-%' ORDER BY rank;

-- the_journal_is_the_whole_life_of_a_message_and_has_no_text
RESET ROLE;
SET ROLE dunning_viewer;
SELECT at, what, state, reason, channel, attempt, cost FROM dunning.journal WHERE message_id = :'letter' ORDER BY at, what;
RESET ROLE;

-- explain_has_every_step_and_every_channel_with_what_blocks_it
SET ROLE dunning_operator;
SELECT topic, item, state FROM dunning.explain('RP-1') WHERE topic IN ('ledger', 'hold', 'promise', 'step', 'contact');
SELECT item, state, detail FROM dunning.explain('RP-2') WHERE topic = 'channel' AND item IN ('email', 'letter', 'sms');
SELECT * FROM dunning.explain('RP-nobody');

-- explain_message_says_the_same_after_a_payment_and_an_edited_template
SELECT topic, item, at, detail FROM dunning.explain_message(:'letter') WHERE topic <> 'attempt' AND item <> 'by';
RESET ROLE;
SELECT md5(string_agg(e::text, E'\n')) AS before FROM dunning.explain_message(:'letter') e \gset
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('RP-1', 'RP-P1', '2026-06-17 12:00+00', 620.25, 'DKK');
SELECT count(*) > 0 AS saved FROM dunning.save_template('reminder-1', 'letter', 'en', 'Changed', 'Something else, {{name}}.');
SELECT md5(string_agg(e::text, E'\n')) = :'before' AS the_same FROM dunning.explain_message(:'letter') e;
SELECT count(*) FROM dunning.reset_template('reminder-1', 'letter', 'en');
SELECT * FROM dunning.explain_message('01900000-0000-7000-8000-000000000000');

-- costs_count_what_left_and_a_payment_once_for_the_last_contact_before_it
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES
    ('RP-2', 'RP-P2', '2026-05-22 12:00+00', 100, 'GBP'), ('RP-2', 'RP-P3', '2026-06-05 12:00+00', 50, 'GBP'), ('RP-1', 'RP-P4', '2026-05-09 12:00+00', 7, 'DKK');
SELECT * FROM dunning.costs('2026-05-01', '2026-06-01') WHERE creditor = 'rp-north';
SELECT * FROM dunning.costs('2026-06-01', '2026-05-01');
SELECT * FROM dunning.costs(NULL, '2026-05-01');

-- metrics_are_whole_families_with_an_end_and_no_debtor_in_them
SELECT right(m, 6) = E'# EOF\n' AS ended, m !~ 'RP-' AS no_ids, m !~ E'\n\n' AS no_blank,
       (SELECT count(*) = count(DISTINCT t) FROM regexp_matches(m, '# TYPE (\S+)', 'g') t) AS once_each
FROM dunning.metrics() m;

-- the_report_names_nobody_fetches_nothing_and_runs_nothing
SET ROLE dunning_viewer;
SELECT r ~ '^<!DOCTYPE html>' AS html, r !~* '<script|javascript:|https?:|@import|url\(' AS self_contained, r !~ 'Hansen|example\.dk|RP-1' AS nobody,
       r ~ 'GBP' AND r ~ 'DKK' AS each_currency, r ~ '<svg' AS drawn
FROM dunning.report_html() r;
SELECT l, r ~ t AS in_its_words FROM (VALUES ('en', 'Collections report'), ('de-AT', 'Inkassobericht'), ('nl', 'Incassorapport'), ('da', 'Inkassorapport'), ('xx', 'Collections report'), (NULL, 'Collections report')) AS v (l, t),
    LATERAL dunning.report_html(language => l) r;
SELECT dunning.report_html(debtor_id => 'RP-1');
SELECT dunning.report_html(as_of => 'infinity');
SELECT dunning.report_html(as_of => '2026-05-20 10:00+00') ~ 'GBP' AS past;
RESET ROLE;

-- the_page_of_a_debtor_escapes_what_the_ledger_says
SET ROLE dunning_operator;
SELECT r ~ 'Kirsten &lt;b&gt;Hansen&lt;/b&gt;' AS escaped, r !~ '<b>Hansen' AS no_markup, r ~ 'Dear Kirsten, 620.25' AS conversation, r ~ 'Forløb' AS danish
FROM dunning.report_html(debtor_id => 'RP-1', language => 'da') r;
SELECT dunning.report_html(debtor_id => 'RP-nobody');
RESET ROLE;

-- the_report_is_translated_but_for_words_that_are_the_same
SELECT l, (SELECT count(*) FROM jsonb_each_text(dunning._labels(l)) e JOIN jsonb_each_text(dunning._labels('en')) o USING (key) WHERE e.value = o.value) < 12 AS translated
FROM unnest(ARRAY['de', 'nl', 'da']) l;

-- a_broken_ledger_is_said_and_not_an_error
CREATE VIEW rp_payment AS SELECT debtor_id, paid_at, amount, currency FROM dunning.payment;
GRANT SELECT ON rp_payment TO dunning_owner, dunning_worker;
SELECT dunning.bind('payment', 'rp_payment');
ALTER VIEW rp_payment RENAME TO rp_payment_away;
SELECT r ~ 'ledger_broken' AS said, r ~ '</html>' AS whole FROM dunning.report_html() r;
SELECT topic, item, state FROM dunning.explain('RP-1') WHERE topic = 'ledger';
SELECT item, state, fix_sql IS NOT NULL AS fix FROM dunning.health() WHERE item IN ('ledger', 'source payment');
SELECT right(dunning.metrics(), 6) = E'# EOF\n' AS metrics, dunning.metrics() ~ 'dunning_ledger_ok 0' AS not_ok;
SELECT recorded, suppressed FROM dunning.record_event('opted_out', 'RP-2', :'mail');
SELECT dunning.unbind('payment');
DROP VIEW rp_payment_away;

-- numbers_are_written_as_the_language_writes_them
SELECT l, dunning._number(1234567.891, l), dunning._number(-1234.5, l, 2), dunning._number(0.004, l, 2), dunning._number(NULL, l) FROM unnest(ARRAY['en', 'de', 'da', 'nl']) l;

DELETE FROM dunning.body WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.event WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.promise WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.suppression WHERE reason = 'opted_out';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'RP-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'RP-%';
RESET dunning.clock;
