-- What makes contacts differ, for test/t/plan_pick.pl: people with several accounts, addresses, consents, histories, prices, servers, profiles, scores.
-- psql variables: n (debtors), seed. Made on top of book.sql.
CREATE SERVER b_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER b_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER b_push TYPE 'push' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER b_letter TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER b_calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
CREATE SERVER b_visits TYPE 'visit' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
SELECT setseed(1.0 / (2 + :seed));
UPDATE dunning.debtor d SET
    person_id = CASE WHEN random() < .2 THEN 'person' || floor(random() * :n / 4)::int WHEN random() < .1 THEN 'd' || floor(random() * :n)::int END,
    kind = ref.pick('person', 'person', 'company', NULL),
    country = ref.pick('DK', 'DE', 'SE', 'US', 'XX', NULL, ''),
    region = CASE WHEN random() < .1 THEN 'BY' END,
    time_zone = ref.pick(NULL, NULL, 'Europe/Copenhagen', 'America/New_York', 'Nowhere'),
    email = ref.pick('a' || debtor_id || '@example.org', 'a' || debtor_id || '@example.org', 'bad address', '', NULL, 'same@example.org'),
    phone = ref.pick('+4512' || (100000 + floor(random() * 899999)::int), '12', NULL),
    address = CASE WHEN random() < .6 THEN '{"street": "Gade 1", "postcode": "1000", "city": "By", "country": "DK"}' WHEN random() < .5 THEN '{}' WHEN random() < .5 THEN '"text"' END::jsonb,
    consent = CASE WHEN random() < .4 THEN NULL WHEN random() < .3 THEN '{"sms": true, "email": false}' WHEN random() < .3 THEN '{"push": true, "whatsapp": true, "sms": null}'
                   WHEN random() < .2 THEN 'null' WHEN random() < .2 THEN '"yes"' ELSE '{}' END::jsonb,
    attributes = CASE WHEN random() < .3 THEN jsonb_build_object('email_on', ref.pick('2020-01-01', '2026-02-01', 'rubbish'), 'push', 'token' || debtor_id) END;
UPDATE dunning.step s SET channels = CASE floor(random() * 6)::int WHEN 0 THEN '{email,sms}' WHEN 1 THEN '{sms,letter,email}' WHEN 2 THEN '{push,email}' WHEN 3 THEN '{letter}'
        WHEN 4 THEN '{pigeon,whatsapp,call}' ELSE '{email,letter,visit}' END::text[],
    paid_channels = random() < .7, self_cure_days = floor(random() * 20)::int, self_cure_wait = floor(random() * 5)::int, must = random() < .2,
    cooldown_days = CASE WHEN random() < .3 THEN floor(random() * 9)::int END WHERE NOT s.builtin;
UPDATE dunning.strategy t SET choose = ref.pick('order', 'value'), horizon = ref.pick('7 days', '1 mon', '3 hours')::interval, min_gap_days = floor(random() * 12)::int, self_cure = random()
    WHERE NOT t.builtin;
INSERT INTO dunning.suppression (address_digest, channel, reason, suppressed_by, suppressed_at)
SELECT dunning._address_digest(d.email, 'email'), ref.pick('email', '*', 'sms'), 'opt_out', 'test', now() FROM dunning.debtor d WHERE d.email LIKE 'a%@%' AND random() < .1
ON CONFLICT DO NOTHING;
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by)
SELECT d.debtor_id, gen_random_uuid(), 'default', ref.pick('hardship', 'promise', 'awaiting_us'), now(), CASE WHEN random() < .5 THEN ref.day(-2, 12)::timestamptz END, 'test'
FROM dunning.debtor d WHERE random() < .05;
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, pending, scope, person_id, placed_by)
SELECT d.debtor_id, gen_random_uuid(), 'default', 'hardship', ref.day(-1, 5), random() < .5, 'person', d.person_id, 'test' FROM dunning.debtor d WHERE d.person_id IS NOT NULL AND random() < .05;
INSERT INTO dunning.egress SELECT dunning._uuid7(), 1, d.debtor_id, 'default', ref.pick('sms', 'letter', 'email'), 'mail', '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR', now(),
    '2026-03-10 09:00+00'::timestamptz - random() * interval '12 days', dunning._slice(d.debtor_id), 9, '\x00', '\x00' FROM dunning.debtor d WHERE random() < .3;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
SELECT d.debtor_id, gen_random_uuid(), 'default', ref.pick('called', 'conversation', 'called_in'), '2026-03-10 09:00+00'::timestamptz - random() * interval '9 days', '{}', now(), 'test'
FROM dunning.debtor d WHERE random() < .15;
INSERT INTO dunning.timing_profile (debtor_id, creditor, contacts, responses, profile, payments, as_of)
SELECT d.debtor_id, ref.pick('default', 'another'), 4 + floor(random() * 6)::int, floor(random() * 4)::int,
    CASE WHEN random() < .5 THEN dunning._activity('Europe/Copenhagen', ARRAY[ref.day(-60, -40) + random() * interval '20 hours']::timestamptz[], ARRAY['sms'], ARRAY[ref.day(-39, -38) + random() * '20 hours'::interval]::timestamptz[], '2026-03-09') END,
    CASE WHEN random() < .7 THEN ARRAY(SELECT ref.day(-300, -1) FROM generate_series(1, 1 + floor(random() * 6)::int) WHERE d.debtor_id IS NOT NULL) END, now()
FROM dunning.debtor d WHERE random() < .4;
INSERT INTO dunning.timing_book (creditor, channel, contacts, responses, prior, as_of) VALUES
    ('default', '*', 900, 120, dunning._calibrated_prior(dunning._calibrated_prior(dunning._learn_prior(NULL, ARRAY(SELECT 40 * random() FROM generate_series(1, 336)), NULL, NULL, 0), 'sms', '{0.1,1,0.6,0}', NULL), 'email', '{0.1,1,0.6,0}', NULL), now()), ('default', 'sms', 400, 90, NULL, now()), ('another', 'email', 50, 1, NULL, now());
INSERT INTO dunning.channel_cost (creditor, channel, country, cost, currency, valid_from, set_by, set_at) VALUES
    ('*', 'sms', '*', 3, 'DKK', '2020-01-01', 'test', now()), ('default', 'letter', 'DE', 0.9, 'EUR', '2020-01-01', 'test', now()), ('*', 'call', 'SE', 70, 'SEK', '2026-01-01', 'test', now());
-- a channel that the clock never opens: the rules that shut it are named
INSERT INTO dunning.contact_rule (rule, country, debtor_kind, channels, windows, source) VALUES
    ('never', 'SE', NULL, '{sms}', 'Mon 03:00-03:15', 'test'), ('seldom', 'SE', NULL, '{sms,email}', 'Mon-Fri 11:00-15:00', 'test');
SELECT dunning.set_holdout(0.05) \g /dev/null
ANALYZE;
-- what a segment asks for: habitual_late by SMS and often, with a tone and a framing; others seldom
INSERT INTO dunning.segment_treatment (segment, channel, tone, framing, gap_days, saved_by, saved_at)
VALUES ('habitual_late', 'sms', 'friendly', 'social_proof', floor(random() * 4)::int, 'test', now()), ('other', NULL, NULL, NULL, 20, 'test', now());
