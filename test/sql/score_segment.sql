-- score: diagnosis and segments.
SET timezone = 'UTC';
SET client_min_messages = 'warning';
\set SHOW_CONTEXT never
CREATE SCHEMA segment_test;
SET search_path = segment_test, public;

-- each_diagnosis_has_its_debtor_and_each_near_miss_is_none_of_it
-- A story is features and signals alone: no book is looked at.
CREATE TABLE story (story text PRIMARY KEY, f jsonb NOT NULL, s jsonb NOT NULL DEFAULT '{}');
INSERT INTO story VALUES
    ('disputes', '{"n_overdue": 1, "n_paid": 6, "n_late": 0, "late_ratio": 0, "days_past_due": 20}', '{"disputed_items": 1}'),
    ('disputes: told', '{"n_overdue": 1}', '{"disputed_on": "2026-06-01", "hardship": "insolvency"}'),
    ('disputes: none open', '{"n_overdue": 1, "n_disputed": 3, "dispute_ratio": 0.5, "days_past_due": 20}', '{"disputed_items": 0}'),
    ('cannot_pay: hold', '{"n_overdue": 1, "has_email": false, "has_phone": false, "has_post": false}', '{"hardship": "moratorium"}'),
    ('cannot_pay: told', '{"n_overdue": 1}', '{"changed_on": "2026-06-20"}'),
    ('cannot_pay: promise', '{"n_overdue": 2}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: one promise of one invoice', '{"n_overdue": 1}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: breaks promises', '{"n_overdue": 1, "promises_kept": 1, "promises_broken": 3, "promise_kept_ratio": 0.25}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: kept most', '{"n_overdue": 1, "promises_kept": 3, "promises_broken": 2, "promise_kept_ratio": 0.6}', '{"broken_on": "2026-06-10"}'),
    ('unreachable', '{"n_overdue": 1, "has_email": false, "has_phone": false, "has_post": false, "n_paid": 6, "n_late": 0, "late_ratio": 0, "days_past_due": 20}', '{}'),
    ('unreachable: a letter', '{"n_overdue": 1, "has_email": false, "has_phone": false, "has_post": true}', '{}'),
    ('unreachable: not known', '{"n_overdue": 1, "has_email": false, "has_phone": false}', '{}'),
    ('unreachable: came back', '{"n_overdue": 1}', '{"bounced": 2, "reached": 0}'),
    ('unreachable: one came back', '{"n_overdue": 1}', '{"bounced": 1, "reached": 0}'),
    ('unreachable: one arrived', '{"n_overdue": 1}', '{"bounced": 2, "reached": 1}'),
    ('unreachable: seldom and long ago', '{"n_overdue": 1, "reached_ratio": 0.2, "days_since_reached": 120, "contacts_30d": 2}', '{}'),
    ('unreachable: seldom', '{"n_overdue": 1, "reached_ratio": 0.2, "days_since_reached": 80, "contacts_30d": 2}', '{}'),
    ('self_cures', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12, "paid_before_reminder": 0.9}', '{}'),
    ('self_cures: reminders unknown', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12}', '{}'),
    ('self_cures: later than ever', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 13, "paid_before_reminder": 0.9}', '{}'),
    ('self_cures: needs reminders', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12, "paid_before_reminder": 0.4}', '{}'),
    ('self_cures: late twice', '{"n_overdue": 1, "n_paid": 4, "n_late": 2, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12}', '{}'),
    ('waiting_for_payday', '{"n_overdue": 1, "n_paid": 8, "n_late": 6, "late_ratio": 0.75, "avg_late": 15, "days_past_due": 31, "n_payments": 8, "payday_ratio": 0.75, "payday_from": 30}', '{}'),
    ('waiting_for_payday: a month over', '{"n_overdue": 1, "n_paid": 8, "n_late": 6, "late_ratio": 0.75, "avg_late": 15, "days_past_due": 32, "n_payments": 8, "payday_ratio": 0.75, "payday_from": 30}', '{}'),
    ('waiting_for_payday: three payments', '{"n_overdue": 1, "n_paid": 3, "n_late": 3, "late_ratio": 1, "avg_late": 15, "days_past_due": 20, "n_payments": 3, "payday_ratio": 1, "payday_from": 1}', '{}'),
    ('forgot', '{"n_overdue": 1, "n_paid": 6, "n_late": 1, "late_ratio": 0.1667, "days_past_due": 45}', '{}'),
    ('forgot: too long', '{"n_overdue": 1, "n_paid": 6, "n_late": 1, "late_ratio": 0.1667, "days_past_due": 46}', '{}'),
    ('forgot: was reminded', '{"n_overdue": 1, "n_paid": 6, "n_late": 1, "late_ratio": 0.1667, "days_past_due": 40, "contacts_30d": 2, "days_since_reached": 10}', '{}'),
    ('forgot: first invoice', '{"n_overdue": 1, "n_paid": 0, "n_late": 0, "days_past_due": 14}', '{}'),
    ('forgot: first invoice, long', '{"n_overdue": 1, "n_paid": 0, "n_late": 0, "days_past_due": 15}', '{}'),
    ('cannot_pay: piles up', '{"n_overdue": 3, "n_paid": 8, "n_late": 4, "late_ratio": 0.5, "days_past_due": 70, "partial_ratio": 0.3, "days_since_payment": 60}', '{"reached": 3}'),
    ('cannot_pay: owes more', '{"n_overdue": 4, "n_paid": 3, "n_late": 3, "late_ratio": 1, "avg_late": 40, "days_past_due": 31}', '{}'),
    ('cannot_pay: rolls on', '{"n_overdue": 3, "n_paid": 8, "n_late": 4, "late_ratio": 0.5, "avg_late": 40, "days_past_due": 50, "dpd_roll": 1, "overdue_change": 120.5}', '{}'),
    ('cannot_pay: three, and no more', '{"n_overdue": 3, "n_paid": 8, "n_late": 4, "late_ratio": 0.5, "avg_late": 40, "days_past_due": 50, "dpd_roll": 0, "overdue_change": 120.5}', '{}'),
    ('will_not_pay', '{"n_overdue": 1, "n_paid": 3, "n_late": 2, "late_ratio": 0.67, "avg_late": 40, "days_past_due": 61}', '{"reached": 2}'),
    ('will_not_pay: pays others', '{"n_overdue": 1, "n_paid": 3, "n_late": 2, "late_ratio": 0.67, "avg_late": 40, "days_past_due": 61, "days_since_payment": 45}', '{}'),
    ('will_not_pay: no answer', '{"n_overdue": 1, "days_past_due": 61, "contacts_30d": 3, "responses_30d": 0, "reached_ratio": 0.9}', '{}'),
    ('will_not_pay: two months', '{"n_overdue": 1, "n_paid": 3, "n_late": 2, "late_ratio": 0.67, "avg_late": 40, "days_past_due": 60}', '{"reached": 2}'),
    ('will_not_pay: pays it in parts', '{"n_overdue": 1, "days_past_due": 61, "days_since_payment": 45, "partial_ratio": 0.5}', '{}'),
    ('nothing overdue', '{"n_overdue": 0, "days_past_due": 0, "n_paid": 6, "n_late": 0, "late_ratio": 0}', '{"disputed_on": "2026-06-01"}'),
    ('nothing known', '{}', '{}');
CREATE VIEW told AS
SELECT t.story, d.* FROM story t LEFT JOIN LATERAL dunning.diagnose(jsonb_populate_record(NULL::dunning.debtor_features, t.f), jsonb_populate_record(NULL::dunning.debtor_signals, t.s)) d ON true;
SELECT story, max(diagnosis) FILTER (WHERE chosen) AS diagnosis, string_agg(words, '; ') FILTER (WHERE chosen) AS evidence,
    string_agg(format('%s %s', evidence, weight), ', ') FILTER (WHERE NOT chosen) AS beside
FROM told GROUP BY story ORDER BY array_position(ARRAY['disputes', 'cannot_pay', 'unreachable', 'self_cures', 'waiting_for_payday', 'forgot', 'will_not_pay'], split_part(story, ':', 1)), story;
-- the stories that are named by a diagnosis alone have it
SELECT count(*) AS named, count(*) FILTER (WHERE EXISTS (SELECT FROM told d WHERE d.story = t.story AND d.chosen AND d.diagnosis = t.story)) AS have_it
FROM story t WHERE t.story IN (SELECT r.diagnosis FROM dunning._diagnosis_rules() r);

-- each_sentence_can_be_said_in_another_language_from_its_figures
SELECT DISTINCT d.evidence, format(CASE d.evidence WHEN 'usually_prompt' THEN '%s von %s Rechnungen pünktlich bezahlt; jetzt %s Tage überfällig' END, VARIADIC d.figures) AS words
FROM told d WHERE d.story = 'forgot';
-- every piece of evidence was seen to hold above
SELECT c.diagnosis, c.evidence FROM dunning.diagnosis_catalogue c EXCEPT SELECT d.diagnosis, d.evidence FROM told d;
SELECT precedence, diagnosis, count(*) AS evidence, sum(weight) FILTER (WHERE weight > 0) >= 1 AS can_hold, max(why) <> '' AS why FROM dunning.diagnosis_catalogue GROUP BY 1, 2 ORDER BY 1;

-- a_figure_that_is_none_is_no_evidence
SELECT count(DISTINCT (a.attname, v.v)) AS tried, count(*) FILTER (WHERE d.words ~ 'NaN|Infinity') AS told
FROM pg_attribute a CROSS JOIN (VALUES ('NaN'), ('Infinity'), ('-Infinity')) v(v)
LEFT JOIN LATERAL dunning.diagnose(jsonb_populate_record(NULL::dunning.debtor_features, '{"n_overdue": 3, "n_paid": 5, "n_late": 3, "n_payments": 9, "promises_broken": 3, "promises_kept": 1,
    "days_past_due": 30, "dpd_roll": 1, "contacts_30d": 3, "responses_30d": 0, "days_since_reached": 100, "days_since_payment": 3}' || jsonb_build_object(a.attname, v.v)), NULL) d ON true
WHERE a.attrelid = 'dunning.debtor_features'::regclass AND a.atttypid = 'float8'::regtype;

-- habits_are_flagged_whatever_the_segment
SELECT n, dunning.habits(jsonb_populate_record(NULL::dunning.debtor_features, h)) FROM (VALUES (1, '{"n_paid": 3, "late_ratio": 0.67, "avg_late": 3}'::jsonb), (2, '{"n_paid": 3, "late_ratio": 0.67, "avg_late": 30}'),
    (3, '{"n_paid": 3, "late_ratio": 0.34, "avg_late": 2}'), (4, '{"n_paid": 3, "late_ratio": 0.34, "avg_late": 2, "paid_before_reminder": 0.4}'), (5, '{"n_paid": 2, "late_ratio": 1, "avg_late": 2}'), (6, '{}')) v(n, h) ORDER BY n;

SET client_min_messages = 'warning';
DROP SCHEMA segment_test CASCADE;
RESET ALL;
