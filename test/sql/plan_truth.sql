-- plan: what a text claims is so when it is planned and when it leaves.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;

-- A Monday, ten in the morning in London. Three hundred invoices of a year, one a debtor, due on day 1 to 300 before; every
-- fourth was never paid, the others 0 to 49 days after they were due.
SET dunning.clock = '2026-06-22 10:00+01';
INSERT INTO dunning.creditor (creditor, name, language) VALUES ('truth', 'Truth Ltd', 'en');
INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, country, time_zone, email)
SELECT 'tr-' || i, 'truth', 'Name ' || i, 'Given ' || i, 'en', 'GB', 'Europe/London', 'tr' || i || '@example.org' FROM generate_series(1, 300) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, reference, pay_url)
SELECT 'tr-' || i, 'TR' || i, 'truth', date '2026-06-22' - i - 20, date '2026-06-22' - i, 100 + i, 'GBP', 'R' || i, 'https://pay.example/' || i FROM generate_series(1, 300) i;
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency)
SELECT 'TP' || i, 'tr-' || i, 'TR' || i, (date '2026-06-22' - i + (i * 7) % 50) + time '12:00', 100 + i, 'GBP'
FROM generate_series(1, 300) i WHERE i % 4 <> 0 AND (i * 7) % 50 < i;
INSERT INTO dunning.score_result (debtor_id, creditor, segment, reasons, models, as_of, scored_at)
SELECT 'tr-' || i, 'truth', CASE WHEN i % 3 = 0 THEN 'prompt' ELSE 'new' END, '{}', '{}', dunning._now(), dunning._now() FROM generate_series(1, 290) i;

-- the_share_told_is_what_a_plain_query_over_the_ledger_says
CREATE TEMP TABLE plain AS
SELECT l.level, g.segment, count(*) AS n, count(*) FILTER (WHERE p.paid_at::date <= i.due_on + l.days + 30) AS paid
FROM dunning.invoice i
LEFT JOIN dunning.payment p ON p.invoice_id = i.invoice_id
LEFT JOIN dunning.score_result s ON s.debtor_id = i.debtor_id
CROSS JOIN (VALUES ('pre-due', -3), ('reminder-1', 5), ('reminder-2', 15), ('final-notice', 30)) l(level, days)
CROSS JOIN LATERAL (VALUES ('*'), (s.segment)) g(segment)
WHERE i.creditor = 'truth' AND g.segment IS NOT NULL AND (p.paid_at IS NULL OR p.paid_at::date >= i.due_on + l.days)
  AND i.due_on + l.days <= date '2026-06-22' - 30 AND i.due_on + l.days > date '2025-06-22'
GROUP BY 1, 2;
SELECT count(*) AS rows FROM dunning._refresh_proofs() WHERE creditor = 'truth' AND level IN ('pre-due', 'reminder-1', 'reminder-2', 'final-notice');
SELECT p.level, p.segment, p.n, p.paid, round(t.share, 4) AS share, t.n = p.n AND t.share = p.paid::numeric / p.n AS same, n.n = p.n AND n.share = t.share AS same_uncached
FROM plain p, LATERAL dunning._proof(p.level, p.segment, 'truth') t, LATERAL dunning._proof(p.level, p.segment, 'truth', dunning._now()) n
ORDER BY 1, 2;
SELECT * FROM dunning._proof('reminder-1', NULL, 'truth');
SELECT * FROM dunning._proof('no-such-level', NULL, 'truth');
SELECT * FROM dunning._proof('reminder-1', NULL, 'nobody');
-- what_happened_after_an_instant_is_not_in_the_figure_of_that_instant
SELECT n.n < t.n AS fewer FROM dunning._proof('reminder-1', NULL, 'truth') t, dunning._proof('reminder-1', NULL, 'truth', dunning._now() - interval '100 days') n;
-- maintain_computes_the_figures_anew
DELETE FROM dunning.proof;
SELECT item, rows > 0 AS some FROM dunning.maintain() WHERE item = 'proofs refreshed';

-- a_figure_of_few_cases_is_not_told
SELECT t.framing, t.reason, t.proof FROM dunning._truth('{tr-4}', '{truth}', '{reminder-1}', '{social_proof}', NULL, NULL) t;
SELECT dunning.save_setting('proof_minimum', '40');
-- one_that_is_not_favourable_is_not_told
SELECT t.framing, t.reason, t.proof FROM dunning._truth('{tr-4}', '{truth}', '{pre-due}', '{social_proof}', NULL, NULL) t;
-- one_that_is_both_is_told_and_never_rounded_up
SELECT t.framing, t.reason, t.proof, (t.proof->>'percent')::numeric <= 100 * p.paid::numeric / p.n AS not_more
FROM dunning._truth('{tr-4}', '{truth}', '{reminder-1}', '{social_proof}', NULL, NULL) t, plain p WHERE p.level = 'reminder-1' AND p.segment = 'new';
-- who_has_no_segment_hears_of_all_customers
SELECT t.framing, (t.proof->>'n')::int = p.n AS of_all FROM dunning._truth('{tr-296}', '{truth}', '{reminder-1}', '{social_proof}', NULL, NULL) t, plain p WHERE p.level = 'reminder-1' AND p.segment = '*';
-- a_level_or_creditor_without_a_figure_has_none_to_tell
SELECT t.ord, t.framing, t.reason FROM dunning._truth('{tr-4,tr-4}', '{truth,nobody}', '{hearing,reminder-1}', '{social_proof,social_proof}', NULL, NULL) t ORDER BY 1;
-- a_figure_that_nobody_has_refreshed_is_too_old_to_be_told
SET dunning.clock = '2026-07-01 10:00+01';
SELECT t.framing, t.reason FROM dunning._truth('{tr-4}', '{truth}', '{reminder-1}', '{social_proof}', NULL, NULL) t;
SET dunning.clock = '2026-06-22 10:00+01';
-- a_loss_is_not_told_where_no_fee_is_lawful_and_other_framings_claim_nothing
SELECT t.ord, t.framing, t.reason, t.fee FROM dunning._truth('{tr-4,tr-4,tr-4}', '{truth,truth,truth}', '{reminder-1,reminder-1,reminder-1}', '{loss_aversion,empathy,neutral}', NULL, NULL) t ORDER BY 1;

-- planning_takes_the_framing_that_is_so_and_says_why
CREATE SERVER tr_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'truth');
CREATE USER MAPPING FOR dunning_worker SERVER tr_mail;
SELECT 1 AS made FROM dunning.save_strategy('tr-framed', 'for the test');
SELECT 1 AS made FROM dunning.save_step('tr-framed', 'reminder-1', 1, 5, 'reminder-1', '{email}', framing => 'social_proof');
SELECT 1 AS made FROM dunning.save_step('tr-framed', 'reminder-2', 2, 15, 'reminder-2', '{email}', framing => 'loss_aversion');
UPDATE dunning.creditor SET default_strategy = 'tr-framed' WHERE creditor = 'truth';
-- two of each step that are not paid; the others of the creditor are of no interest here
CREATE TEMP TABLE planned AS SELECT p.* FROM dunning._plan('tr-framed', NULL, false, false, '{tr-8,tr-12,tr-16,tr-20}') p;
SELECT p.debtor_id, p.step, p.variant, p.state, m.decision->'framing' AS decided, m.decision->'proof' AS proof, m.context->'proof' = m.decision->'proof' AS same, m.context->'fee' AS fee
FROM planned p JOIN dunning.message m ON m.message_id = p.message_id ORDER BY length(p.debtor_id), p.debtor_id;
-- Where the library is preloaded a worker would do what these calls are to do.
ALTER SYSTEM SET dunning.databases = '';
SELECT pg_reload_conf();
DO $$
DECLARE give_up timestamptz := clock_timestamp() + interval '20 s';
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = current_database());
        IF clock_timestamp() > give_up THEN RAISE EXCEPTION 'the worker did not end'; END IF;
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.tr_look(who text) RETURNS TABLE (debtor_id text, state text, framing text, reason text, claims text) LANGUAGE sql AS $$
SELECT s.debtor_id, s.state, b.framing, b.framing_reason, substring(b.body_text FROM '[^\n]*(?:out of 100|avoid a fee)[^\n]*')
FROM dunning.message_state s JOIN dunning.body b ON b.message_id = s.message_id WHERE s.debtor_id = who $$;
SELECT dunning.activate();
-- a_figure_that_still_holds_leaves_with_the_text
UPDATE dunning.queue SET due = dunning._now() + interval '1 day' WHERE debtor_id IN ('tr-12', 'tr-16', 'tr-20');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-8';
CREATE TEMP TABLE foretold AS SELECT dunning.conversation('tr-8') -> 'offer' ->> 'text' AS text;
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_look('tr-8');
-- who_asks_before_it_leaves_is_told_the_words_that_then_leave
SELECT b.body_text = f.text AS as_foretold FROM foretold f, dunning.body b WHERE b.debtor_id = 'tr-8';
-- a_figure_that_turned_between_planning_and_sending_is_not_told_and_the_neutral_text_leaves
UPDATE dunning.proof SET paid = n / 4 WHERE creditor = 'truth';
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-12';
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_look('tr-12');
SELECT b.body_text = r.body_text AS is_the_neutral_text
FROM dunning.message m JOIN dunning.body b ON b.message_id = m.message_id,
     LATERAL dunning.render('reminder-1', m.context || '{"framing": "neutral"}', 'en', 'email') r WHERE m.debtor_id = 'tr-12';
SELECT e.item, e.detail FROM dunning.message m, LATERAL dunning.explain_message(m.message_id) e WHERE m.debtor_id = 'tr-12' AND e.topic = 'sent text' AND e.item = 'framing';
SELECT 1 AS refreshed FROM dunning._refresh_proofs() LIMIT 1;

-- what_late_payment_costs_is_told_with_the_figure_of_the_creditor_while_it_is_fresh_and_not_without
SELECT t.framing, t.reason, t.late_cost FROM dunning._truth('{tr-4}', '{truth}', '{reminder-1}', '{cost_to_others}', NULL, NULL) t;
SELECT dunning.set_late_cost(18.5, 'GBP', 'cost of collections / late bills, 2025', creditor => 'truth', known_on => '2026-01-31');
SELECT t.ord, t.framing, t.reason, t.late_cost FROM dunning._truth('{tr-4,tr-4}', '{truth,nobody}', '{reminder-1,reminder-1}', '{cost_to_others,cost_to_others}', NULL, NULL) t ORDER BY 1;
SELECT p.language, substring(p.body_text FROM '[^\n]*18[.,]50[^\n]*') FROM (
    SELECT l.language, (dunning.render('reminder-1', c.context || '{"framing": "cost_to_others", "late_cost": {"amount": 18.5, "currency": "GBP"}}', l.language, 'email')).body_text
    FROM unnest('{da,de,en,nb,nl,sv}'::text[]) l(language), dunning._context('{tr-4}', NULL) c) p ORDER BY 1;
SELECT dunning.set_late_cost(18.5, 'GBP', 'cost of collections / late bills, 2023', creditor => 'truth', known_on => '2025-01-31');
SELECT t.framing, t.reason FROM dunning._truth('{tr-4}', '{truth}', '{reminder-1}', '{cost_to_others}', NULL, NULL) t;
-- a_figure_without_amount_currency_source_or_creditor_is_refused_and_every_change_is_kept
SELECT dunning.set_late_cost(a, c, s, creditor => w) FROM (VALUES (0, 'GBP', 'x', 'truth')) v(a, c, s, w);
SELECT dunning.set_late_cost(a, c, s, creditor => w) FROM (VALUES (1, 'pounds', 'x', 'truth')) v(a, c, s, w);
SELECT dunning.set_late_cost(a, c, s, creditor => w) FROM (VALUES (1, 'GBP', ' ', 'truth')) v(a, c, s, w);
SELECT dunning.set_late_cost('NaN', 'GBP', 'x', creditor => 'truth');
SELECT dunning.set_late_cost(1, 'GBP', 'x', creditor => 'truth', known_on => '2026-06-23');
SELECT dunning.set_late_cost(1, 'GBP', 'x', creditor => 'nobody-known');
SELECT c.before->>'source' AS before FROM dunning.plan_change c WHERE c.what = 'late_cost' ORDER BY c.change_id;
-- a_cost_that_was_taken_back_between_planning_and_sending_is_not_told_and_the_neutral_text_leaves
SELECT dunning.set_late_cost(18.5, 'GBP', 'cost of collections / late bills, 2025', creditor => 'truth');
SELECT 1 AS made FROM dunning.save_step('tr-framed', 'reminder-1', 1, 5, 'reminder-1', '{email}', framing => 'cost_to_others');
CREATE TEMP TABLE costs AS SELECT p.* FROM dunning._plan('tr-framed', NULL, false, false, '{tr-6,tr-7}') p;
UPDATE dunning.queue SET due = dunning._now() + interval '1 day' WHERE debtor_id LIKE 'tr-%';
SELECT p.debtor_id, p.step, p.variant, m.decision->'late_cost' AS cost FROM costs p JOIN dunning.message m ON m.message_id = p.message_id ORDER BY p.debtor_id;
CREATE FUNCTION pg_temp.tr_cost(who text) RETURNS TABLE (debtor_id text, state text, framing text, reason text, claims text) LANGUAGE sql AS $$
SELECT s.debtor_id, s.state, b.framing, b.framing_reason, substring(b.body_text FROM '[^\n]*paid late costs [^,]*')
FROM dunning.message_state s JOIN dunning.body b ON b.message_id = s.message_id WHERE s.debtor_id = who $$;
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-6';
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_cost('tr-6');
SELECT dunning.set_late_cost(NULL, NULL, NULL, creditor => 'truth');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-7';
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_cost('tr-7');

-- A fee of 12 pounds from the 27th day on, of persons; of the others nobody knows a law.
SELECT dunning.save_charging('truth', fees => true);
SELECT warnings FROM dunning.save_charge_rule('GB', 'person', 'reminder-2', 'GBP', 12, '2026-01-01', after_due_days => 27, source => 'for the test');
UPDATE dunning.debtor SET kind = 'person' WHERE debtor_id IN ('tr-24', 'tr-28', 'tr-32', 'tr-44');
-- a_loss_is_told_with_the_fee_and_the_first_day_on_which_it_may_be_charged_never_a_day_that_is_over_or_far_off
SELECT u.d, t.framing, t.reason, t.fee FROM unnest('{tr-24,tr-32,tr-36}'::text[]) WITH ORDINALITY u(d, ord),
    LATERAL dunning._truth(ARRAY[u.d], '{truth}', '{reminder-2}', '{loss_aversion}', NULL, NULL) t ORDER BY u.ord;
SELECT dunning.save_setting('fee_notice_days', '2');
SELECT t.framing, t.reason, t.fee FROM dunning._truth('{tr-24}', '{truth}', '{reminder-2}', '{loss_aversion}', NULL, NULL) t;
SELECT dunning.save_setting('fee_notice_days', NULL);
-- a_loss_is_planned_where_a_fee_is_pending
INSERT INTO planned SELECT p.* FROM dunning._plan('tr-framed', NULL, false, false, '{tr-24,tr-28,tr-36}') p;
SELECT p.debtor_id, p.step, p.variant, m.decision->'framing' AS decided, m.decision->'fee' AS fee, jsonb_strip_nulls(m.context->'fee') = m.decision->'fee' AS same
FROM planned p JOIN dunning.message m ON m.message_id = p.message_id WHERE p.debtor_id IN ('tr-24', 'tr-28', 'tr-36') ORDER BY p.debtor_id;
UPDATE dunning.queue SET due = dunning._now() + interval '1 day' WHERE debtor_id IN ('tr-28', 'tr-36');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-24';
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_look('tr-24');
-- a_fee_that_was_waived_between_planning_and_sending_is_not_threatened_with_and_the_neutral_text_leaves
SELECT w.amount, w.waive_reason FROM dunning.charge('tr-28', 'TR28', 'reminder-2') c, LATERAL dunning.waive(c.charge_id, 'goodwill') w;
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-28';
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_look('tr-28');
SELECT b.body_text = r.body_text AS is_the_neutral_text
FROM dunning.message m JOIN dunning.body b ON b.message_id = m.message_id,
     LATERAL dunning.render('reminder-2', m.context || '{"framing": "neutral"}', 'en', 'email') r WHERE m.debtor_id = 'tr-28';
-- a_fee_that_changed_since_is_told_as_it_is_now
SELECT s.state FROM dunning.send('tr-44', 'fee-warning', 'email') s;
SELECT changed FROM dunning.save_charge_rule('GB', 'person', 'reminder-2', 'GBP', 9.50, '2026-01-01', after_due_days => 51, source => 'for the test');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'tr-44';
CALL dunning.deliver();
SELECT b.subject, x.claims FROM pg_temp.tr_look('tr-44') x JOIN dunning.body b ON b.debtor_id = x.debtor_id;
-- preview_shows_the_fee_there_is_and_none_where_there_is_none
SELECT p.subject FROM dunning.preview('fee-warning', 'tr-44', 'email') p;
SELECT p.subject FROM dunning.preview('fee-warning', 'tr-28', 'email') p;
-- nobody_makes_a_text_claim_a_fee_by_naming_one
SELECT s.state FROM dunning.send('tr-48', 'reminder-2', 'email', vars => '{"framing": "loss_aversion", "fee": {"amount": 99, "currency": "GBP", "on": "2026-06-30", "level": "x"}}') s;
CALL dunning.deliver();
SELECT * FROM pg_temp.tr_look('tr-48');
-- Leave nothing behind.
SELECT dunning.deactivate();
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
RESET dunning.clock;
SELECT dunning.save_setting('proof_minimum', NULL), dunning.save_setting('proof_share', NULL);
DROP SERVER tr_mail CASCADE;
DELETE FROM dunning.charge WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.charging WHERE creditor = 'truth';
DELETE FROM dunning.charge_rule WHERE NOT builtin;
DELETE FROM dunning.charge_change;
DELETE FROM dunning.message WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.egress_head;
DELETE FROM dunning.queue WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.proof WHERE creditor = 'truth';
DELETE FROM dunning.plan_change WHERE what = 'late_cost';
DELETE FROM dunning.late_cost;
DELETE FROM dunning.score_result WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'tr-%';
DELETE FROM dunning.step WHERE strategy = 'tr-framed';
DELETE FROM dunning.strategy WHERE strategy = 'tr-framed';
DELETE FROM dunning.creditor WHERE creditor = 'truth';
