-- A book in use: scored, hours and paydays learnt, and a week after a planning run whose contacts have left.
SET client_min_messages = error;
SELECT count(*) FROM dunning.score();
SELECT count(*) FROM dunning._refresh_profiles();
SET dunning.clock = '2026-06-15 09:30+02';
SELECT count(*) FROM dunning.plan();
INSERT INTO dunning.egress
SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'bench', false, m.cost, m.cost_currency, m.contact_at, m.contact_at,
    dunning._slice(m.debtor_id), row_number() OVER (), '\x00', '\x00'
FROM dunning.message m WHERE m.contact_at < '2026-06-22 09:00+02';
DELETE FROM dunning.queue q USING dunning.egress e WHERE e.debtor_id = q.debtor_id AND e.message_id = q.message_id;
VACUUM ANALYZE;
