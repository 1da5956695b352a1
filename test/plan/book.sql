-- A random book for test/t/plan_ladder.pl: odd amounts, dates and currencies among plain ones, steps of every kind, a history.
-- psql variables: n (debtors), seed.
SET timezone = 'UTC';
SELECT setseed(1.0 / (1 + :seed));
CREATE FUNCTION ref.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;
CREATE FUNCTION ref.day(low int, high int) RETURNS date LANGUAGE sql VOLATILE AS $$ SELECT '2026-03-10'::date + low + floor(random() * (high - low))::int $$;

INSERT INTO dunning.strategy (strategy, description, minimum, grace_days, tolerance, max_contacts, max_days, stop_after, stop_step, catch_up) VALUES
    ('a', 'furthest', '{"*": 5, "DKK": 40.005}', 0, '{}', NULL, NULL, NULL, NULL, 'furthest'),
    ('b', 'next', '{"EUR": 10}', 3, '{"*": 3}', 2, 20, NULL, NULL, 'next'),
    ('c', 'stops', '{"*": "0.0000001", "SEK": 1e30}', 1, '{"EUR": 25.5, "*": 1}', NULL, NULL, 2, 'c6', 'furthest'),
    ('d', 'without steps', '{}', 0, '{}', NULL, NULL, NULL, NULL, 'furthest');
INSERT INTO dunning.step (strategy, step, position, anchor, offset_days, template, channels, condition, after_contact, until_days, minimum, repeat_days, repeat_max) VALUES
    ('a', 'a1', 1, 'due_date', -3, 'reminder-1', '{email}', 'p_late >= 0.5', false, NULL, NULL, NULL, NULL),
    ('a', 'a2', 2, 'due_date', 5, 'reminder-1', '{email}', NULL, false, NULL, NULL, NULL, NULL),
    ('a', 'a3', 3, 'last_contact', 7, 'reminder-1', '{email}', NULL, false, NULL, NULL, 5, 3),
    ('a', 'a4', 4, 'due_date', 30, 'reminder-1', '{email}', 'segment = ''habitual_late''', true, 45, NULL, NULL, NULL),
    ('b', 'b1', 1, 'due_date', 1, 'reminder-1', '{email}', NULL, false, NULL, NULL, NULL, NULL),
    ('b', 'b2', 2, 'due_date', 8, 'reminder-1', '{email}', NULL, true, NULL, '{"EUR": 90, "*": 1}', 10, NULL),
    ('b', 'b3', 3, 'last_contact', 4, 'reminder-1', '{email}', 'p_late < 0.9', false, NULL, NULL, NULL, NULL),
    ('b', 'b4', 4, 'event:visited', 2, 'reminder-1', '{email}', NULL, false, 9, NULL, NULL, NULL),
    ('c', 'c1', 1, 'due_date', 0, 'reminder-1', '{email}', NULL, false, NULL, NULL, 3, 2),
    ('c', 'c2', 2, 'due_date', 14, 'reminder-1', '{email}', NULL, false, NULL, NULL, NULL, NULL),
    ('c', 'c3', 3, 'hearing', -4, 'reminder-1', '{email}', NULL, false, NULL, NULL, NULL, NULL),
    ('c', 'c4', 4, 'event:visited', 1, 'reminder-1', '{email}', 'p_late > 0.2', true, NULL, '{"*": 20}', 2, NULL),
    ('c', 'c6', 6, 'due_date', 10, 'reminder-1', '{email}', NULL, false, NULL, NULL, NULL, NULL);

INSERT INTO dunning.debtor (debtor_id, creditor, name, country, preferred_channel)
SELECT 'd' || i, 'default', 'Debtor', 'DK', ref.pick(NULL, 'sms', 'email') FROM generate_series(1, :n) i WHERE random() < .98;
INSERT INTO dunning.debtor_strategy SELECT d.debtor_id, 'default', ref.pick('a', 'b', 'c', 'd'), NULL, 'test', now() FROM dunning.debtor d WHERE random() < .9;
INSERT INTO dunning.score_result SELECT d.debtor_id, 'default', ref.pick('other', 'habitual_late'), NULL, random(), random(), random(), '{}', '{}', now(), now() FROM dunning.debtor d WHERE random() < .9;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind, disputed, cancelled_at)
SELECT 'd' || i, CASE WHEN random() < .2 THEN 'same' ELSE 'i' END || k, CASE WHEN random() < .01 THEN '-infinity' ELSE ref.day(-70, -30) END,
       CASE WHEN random() < .01 THEN 'infinity' WHEN random() < .02 THEN ref.day(-90, -60) ELSE ref.day(-50, 8) END,
       CASE WHEN random() < .6 THEN round((random() * 100)::numeric, 2) WHEN random() < .5 THEN round((random() * 20)::numeric, 1)
            ELSE ref.pick('NaN', 'Infinity', '-Infinity', '1e25', '123456789012.345678', '1234567890123', '0.0000001', '5', '40.005', '40.0049999', '-7.5', '0', '12.3456789')::numeric END,
       CASE WHEN random() < .01 THEN '' ELSE ref.pick('EUR', 'EUR', 'EUR', 'DKK', 'SEK', 'a currency with a long name that nobody would ever use') END,
       CASE WHEN random() < .1 THEN 'credit_note' ELSE 'invoice' END, CASE WHEN random() < .08 THEN true WHEN random() < .5 THEN false END,
       CASE WHEN random() < .03 THEN '2026-03-01'::timestamptz END
FROM generate_series(1, :n) i, generate_series(1, 6) k WHERE random() < .45;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id)
SELECT 'd' || i, 'p' || k, ref.day(-40, 3), CASE WHEN random() < .1 THEN -round((random() * 40)::numeric, 2) WHEN random() < .02 THEN ref.pick('NaN', 'Infinity', '1e25', '0.00000001')::numeric
            ELSE round((random() * 120)::numeric, 2) END,
       ref.pick('EUR', 'EUR', 'EUR', 'DKK', 'SEK'), CASE WHEN random() < .8 THEN CASE WHEN random() < .3 THEN 'same' ELSE 'i' END || (1 + floor(random() * 7)::int) END
FROM generate_series(1, :n) i, generate_series(1, 4) k WHERE random() < .35;
-- part-paid ones, paid to the last millionth, too
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id)
SELECT v.debtor_id, 'q' || v.invoice_id, '2026-03-01', v.amount - (ARRAY[0, 0, 0.5, 2, 25, 30])[1 + floor(random() * 6)::int], v.currency, v.invoice_id
FROM dunning.invoice v WHERE v.amount BETWEEN 1 AND 1000 AND random() < .3;

INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, from_at, until_at, placed_by)
SELECT v.debtor_id, gen_random_uuid(), 'default', 'investigation', CASE WHEN random() < .9 THEN v.invoice_id END, ref.day(-9, 2), CASE WHEN random() < .5 THEN ref.day(-3, 9)::timestamptz END, 'test'
FROM dunning.invoice v WHERE random() < .05;
SELECT dunning._ensure_partitions(now()) \g /dev/null
INSERT INTO dunning.egress SELECT dunning._uuid7(), 1, 'd' || i, 'default', 'email', 'mail', '\x00', '{}', '\x00', 1, 'test', random() < .1, 0, 'EUR', now(), ref.day(-100, 1) + interval '7 hours',
    dunning._slice('d' || i), k, '\x00', '\x00' FROM generate_series(1, :n) i, generate_series(1, 3) k WHERE random() < .3;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
SELECT 'd' || i, gen_random_uuid(), 'default', ref.pick('visited', 'hearing', 'replied', 'clicked'), ref.day(-20, 2) + interval '3 hours',
       CASE WHEN random() < .7 THEN jsonb_build_object('on', ref.day(-12, 12)) ELSE '{}' END, now(), 'test' FROM generate_series(1, :n) i WHERE random() < .4;
INSERT INTO dunning.once (debtor_id, kind, key, at)
SELECT DISTINCT ON (v.debtor_id, s.step) v.debtor_id, 'step', s.strategy || '/' || s.step || '/' || CASE WHEN random() < .05 THEN 'rubbish' ELSE to_char(v.due_on, 'YYYY-MM-DD') END
       || CASE WHEN random() < .2 THEN '#' || (2 + floor(random() * 2)::int) ELSE '' END, ref.day(-20, 0) + interval '22:30'
FROM dunning.invoice v, dunning.step s WHERE NOT s.builtin AND isfinite(v.due_on) AND random() < .06;
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, channel, run_id)
SELECT 'd' || i, dunning._uuid7(), 'default', dunning._slice('d' || i), ref.pick('queued', 'held', 'proposed'), now(), 'email', CASE WHEN random() < .9 THEN gen_random_uuid() END
FROM generate_series(1, :n) i WHERE random() < .05;
-- days on which nothing may go by e-mail: a step before a hearing is taken before them
UPDATE dunning.debtor SET email = debtor_id || '@example.com';
INSERT INTO dunning.contact_rule (rule, channels, windows, valid_from, valid_to, source) VALUES ('shut', '{email}', 'Mon 03:00-03:05', '2026-03-11', '2026-03-16', 'test');
ANALYZE;
