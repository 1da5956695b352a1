-- What a year of contacts leaves for the night: twenty messages a debtor in as many fortnights of the year before, their instants chosen by
-- a model, one in twenty drawn by lot, one in four answered. Each debtor is the one of book.sql.
SET client_min_messages = error;
SET dunning.clock = '2026-06-10 10:00+00';
SET synchronous_commit = off;
-- messages lie where their keys say, so the months of this year are made before
CREATE TEMP TABLE made AS
SELECT dunning._uuid7() AS message_id, 'B-' || i AS debtor_id, c.at, dunning._uniform('e' || i || '/' || n) < 0.05 AS drawn,
    -1.5 + dunning._uniform('x' || i || '/' || n) AS x, dunning._uniform('a' || i || '/' || n) < 0.25 AS answered
FROM generate_series(1, :n) i, generate_series(0, 19) n, LATERAL (SELECT '2025-09-02 06:00+00'::timestamptz + n * interval '14 days' + i % 14 * interval '1 day' + floor(dunning._uniform('t' || i || '/' || n) * 40) * interval '15 minutes' AS at) c;
INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, contact_at, local_time, amounts, cost, cost_currency, propensity, explored, context, decision, created_at, created_by)
SELECT m.message_id, m.debtor_id, 'north', 'reminder-1', 'email', 'en', m.at, '', '{}', 0, 'EUR', 0.95, m.drawn, '{}',
    jsonb_build_object('timing', jsonb_build_object('x', m.x, 'x_mean', m.x - 0.3, 'hour', 0.2, 'slots', 220, 'removed', jsonb_build_object('clock', 400, 'holiday', 52), 'evidence', jsonb_build_object('contacts', 12, 'answers', 4)),
        'candidates', jsonb_build_array(jsonb_build_object('channel', 'email', 'value', 1.25), jsonb_build_object('channel', 'sms', 'value', 0.75))), m.at, 'bench' FROM made m;
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT m.message_id, 1, m.debtor_id, 'north', 'email', 'mail', '', '{}', '', 0, 'bench', 0, 'EUR', m.at, m.at, 0, 0, '', '' FROM made m;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, message_id, at, recorded_at, recorded_by)
SELECT m.debtor_id, dunning._uuid7(), 'north', 'clicked', m.message_id, m.at + interval '9 hours' * dunning._uniform('h' || m.message_id), m.at + interval '9 hours', 'bench' FROM made m WHERE m.answered;
DROP TABLE made;
SELECT count(*) FROM dunning._refresh_profiles(NULL, '2026-06-10 10:00+00') \g /dev/null
VACUUM ANALYZE;
