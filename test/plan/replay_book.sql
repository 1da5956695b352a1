-- A book for test/t/plan_simulate.pl whose every row is dated: payments, invoices, holds, suppressions and calls of debtors over two months.
-- Most persons have several accounts: what is decided about one depends on the hour at which another leaves. psql variables: n (debtors), seed.
SET timezone = 'UTC';
SELECT setseed(1.0 / (1 + :seed));
CREATE SCHEMA ref;
CREATE FUNCTION ref.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;
CREATE FUNCTION ref.instant(low int, high int) RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT '2026-03-10 00:00+00'::timestamptz + (low + random() * (high - low)) * interval '1 day' $$;
CREATE SERVER r_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER r_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER r_letter TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER r_calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');

INSERT INTO dunning.strategy (strategy, description, minimum, min_gap_days, tolerance, max_contacts, max_days, stop_after, stop_step, catch_up, choose) VALUES
    ('weekly', 'again and again', '{"*": 5}', 2, '{"EUR": 3}', 4, 21, NULL, NULL, 'furthest', 'order'),
    ('stops', 'then a letter, then nothing', '{"EUR": 10}', 1, '{}', NULL, NULL, 3, 'last', 'next', 'value');
INSERT INTO dunning.step (strategy, step, position, anchor, offset_days, template, channels, condition, after_contact, until_days, repeat_days, repeat_max, cooldown_days, companion_channel, companion_template, must) VALUES
    ('weekly', 'before', 1, 'due_date', -3, 'pre-due', '{email,sms}', 'p_late >= 0.5', false, NULL, NULL, NULL, NULL, NULL, NULL, false),
    ('weekly', 'first', 2, 'due_date', 1, 'reminder-1', '{email,sms}', NULL, false, NULL, 5, 3, NULL, NULL, NULL, false),
    ('weekly', 'second', 3, 'due_date', 10, 'reminder-2', '{letter,sms}', NULL, true, NULL, NULL, NULL, 1, 'sms', 'reminder-1', false),
    ('weekly', 'third', 4, 'last_contact', 6, 'final-notice', '{sms,letter}', NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, true),
    ('stops', 'one', 1, 'due_date', 0, 'reminder-1', '{email}', NULL, false, NULL, 3, NULL, NULL, NULL, NULL, false),
    ('stops', 'two', 2, 'due_date', 12, 'reminder-2', '{sms,email}', 'segment = ''habitual_late''', false, NULL, NULL, NULL, NULL, NULL, NULL, false),
    ('stops', 'court', 3, 'hearing', -2, 'reminder-2', '{email}', NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, false),
    ('stops', 'last', 4, 'due_date', 0, 'final-notice', '{letter}', NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, true);
INSERT INTO dunning.budget VALUES ('*', '*', 'EUR', 6, 'test', now());

INSERT INTO dunning.debtor (debtor_id, person_id, creditor, name, country, time_zone, language, email, phone, address)
SELECT 'd' || i, CASE WHEN random() < .85 THEN 'p' || i / 4 END, 'default', 'Debtor ' || i, x.country, CASE x.country WHEN 'DK' THEN 'Europe/Copenhagen' WHEN 'GB' THEN 'Europe/London' END, 'en',
       CASE WHEN random() < .8 THEN 'd' || i || '@example.test' END, CASE WHEN random() < .8 THEN '+45' || 20000000 + i END, CASE WHEN random() < .9 THEN '{"street": "Havnegade 1"}'::jsonb END
FROM generate_series(1, :n) i, LATERAL (SELECT ref.pick('DK', 'DK', 'GB', NULL) AS country WHERE i > 0) x;
INSERT INTO dunning.score_result SELECT d.debtor_id, 'default', ref.pick('other', 'habitual_late', 'self_curer'), NULL, random(), random(), random(), '{}', '{}', now(), now() FROM dunning.debtor d WHERE random() < .9;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, recorded_at, cancelled_at)
SELECT 'd' || i, 'd' || i || '-' || k, x.issued, x.issued + 20, round((random() * 90)::numeric + 1, 2), ref.pick('EUR', 'EUR', 'DKK'), CASE WHEN random() < .1 THEN x.issued + 3.4 * interval '1 day' END,
       CASE WHEN random() < .05 THEN x.issued + 30.6 * interval '1 day' END
FROM generate_series(1, :n) i, generate_series(1, 4) k, LATERAL (SELECT ref.instant(-70, 25)::date AS issued WHERE i + k > 0) x WHERE random() < .6;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id, recorded_at)
SELECT v.debtor_id, v.invoice_id || 'p', x.at, CASE WHEN random() < .3 THEN round(v.amount / 2, 2) ELSE v.amount END, v.currency, CASE WHEN random() < .7 THEN v.invoice_id END,
       CASE WHEN random() < .2 THEN x.at + random() * interval '2 days' END
FROM dunning.invoice v, LATERAL (SELECT v.due_on + (random() * 40 - 10) * interval '1 day' AS at WHERE v.invoice_id <> '') x WHERE random() < .6;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
SELECT p.debtor_id, p.payment_id || 'r', p.paid_at + random() * interval '3 days', -p.amount, p.currency FROM dunning.payment p WHERE random() < .05;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
SELECT 'd' || i, gen_random_uuid(), 'default', x.kind, x.at, CASE WHEN x.kind = 'hearing' THEN jsonb_build_object('on', x.at::date + 9) ELSE '{}' END, x.at, 'test'
FROM generate_series(1, :n) i, LATERAL (SELECT ref.pick('hearing', 'called_in', 'clicked') AS kind, ref.instant(-40, 30) AS at WHERE i > 0) x WHERE random() < .3;
-- what comes when: holds and suppressions, as somebody would place them
CREATE TABLE ref.hold AS
SELECT 'd' || i AS debtor_id, gen_random_uuid() AS hold_id, 'default' AS creditor, 'manual' AS reason, NULL::text AS invoice_id, NULL::text AS note, x.at AS from_at,
       CASE WHEN random() < .5 THEN x.at + random() * interval '9 days' END AS until_at, 'test' AS placed_by, CASE WHEN random() < .6 THEN x.at + random() * interval '12 days' END AS released_at, 'test' AS released_by
FROM generate_series(1, :n) i, LATERAL (SELECT ref.instant(-10, 30) AS at WHERE i > 0) x WHERE random() < .2;
CREATE TABLE ref.suppression AS
SELECT dunning._address_digest(d.email, 'email') AS address_digest, 'email' AS channel, 'bounced' AS reason, ref.instant(-5, 30) AS suppressed_at, 'test' AS suppressed_by
FROM dunning.debtor d WHERE d.email IS NOT NULL AND random() < .08;
ANALYZE;
