-- A small book as version 0.1.0 keeps it, for the upgrade test: rows in the columns of that version, so that it loads
-- whatever later versions do. Servers are mock; the clock of decisions stands still.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET dunning.clock = %L', current_database(), '2026-06-23 10:00+02');
    EXECUTE format('ALTER DATABASE %I SET timezone = ''UTC''', current_database());
END
$$;
SET dunning.clock = '2026-06-23 10:00+02';
SET timezone = 'UTC';

CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE USER MAPPING FOR dunning_worker SERVER text;

INSERT INTO dunning.debtor (debtor_id, kind, name, given_name, language, country, time_zone, email, phone, consent)
SELECT 'D' || n, 'person', 'Debtor ' || n, 'Given' || n, 'en', 'DK', 'Europe/Copenhagen', 'd' || n || '@debtors.test', '+4520' || lpad(n::text, 6, '0'), '{"sms": true}'
FROM generate_series(1, 40) n;
INSERT INTO dunning.invoice (invoice_id, debtor_id, issued_on, due_on, amount, currency, reference)
SELECT 'I' || n || '-' || m, 'D' || n, date '2026-02-01' + 30 * m, date '2026-03-01' + 30 * m, 100 + n, 'DKK', 'F-' || n || '-' || m
FROM generate_series(1, 40) n, generate_series(0, 3) m;
INSERT INTO dunning.payment (payment_id, debtor_id, paid_at, amount, currency)
SELECT 'P' || n || '-' || m, 'D' || n, timestamptz '2026-03-03 12:00+00' + m * interval '30 days', 100 + n, 'DKK'
FROM generate_series(1, 40) n, generate_series(0, 2) m;

INSERT INTO dunning.creditor (creditor, name, language) VALUES ('default', 'Nordlys Energi', 'en');
INSERT INTO dunning.setting (name, value, description) VALUES ('awaiting_us_days', '3', 'ours');
INSERT INTO dunning.template (template, channel, language, subject, body_text) VALUES ('reminder-1', 'email', 'en', 'Our own words', 'Please pay.');
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, placed_by) VALUES ('D1', dunning._uuid7(), 'default', 'hardship', dunning._now(), 'clerk');
INSERT INTO dunning.task (debtor_id, task_id, creditor, kind, subject, due_at, created_at) VALUES ('D2', dunning._uuid7(), 'default', 'call', 'call back', dunning._now(), dunning._now());

-- Four messages: one sent, three that wait.
SELECT count(dunning._ensure_partitions());
INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
SELECT dunning._uuid7(), 'D' || n, 'default', 'reminder-1', 'email', 'en', 'mail', dunning._now() + n * interval '1 hour', '2026-06-23 12:00', '{"DKK": 100}', 0, 'EUR', '{}', '{}', dunning._now(), 'clerk'
FROM generate_series(2, 5) n;
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
SELECT m.debtor_id, m.message_id, m.creditor, dunning._slice(m.debtor_id), 'queued', m.contact_at, m.server, m.channel FROM dunning.message m WHERE m.debtor_id <> 'D5';
INSERT INTO dunning.body (message_id, debtor_id, creditor, address, subject, body_text, rendered_at)
SELECT m.message_id, m.debtor_id, m.creditor, 'd5@debtors.test', 'Our own words', 'Please pay.', dunning._now() FROM dunning.message m WHERE m.debtor_id = 'D5';
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT x.message_id, 1, x.debtor_id, x.creditor, x.channel, x.server, '\x01', '{amount}', '\x02', 11, 'standard/reminder-1', 0, 'EUR', x.at, x.at, x.slice, 1, x.zero,
       dunning._egress_digest(x.zero, x.slice, 1, x.message_id, 1::smallint, x.debtor_id, x.creditor, x.channel, x.server, '\x01', '{amount}', '\x02', 11, 'standard/reminder-1',
                              false, 0, 'EUR', x.at, x.at)
FROM (SELECT m.*, dunning._slice(m.debtor_id) AS slice, decode(repeat('00', 32), 'hex') AS zero, timestamptz '2026-06-10 10:00+00' AS at FROM dunning.message m WHERE m.debtor_id = 'D5') x;
INSERT INTO dunning.egress_head (slice, seq, digest) SELECT e.slice, e.seq, e.digest FROM dunning.egress e;
INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, at)
SELECT e.message_id, dunning._uuid7(), e.debtor_id, e.creditor, 1, 'sent', 'accepted', e.at FROM dunning.egress e;
