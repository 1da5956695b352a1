-- A book with hours and paydays learnt: every debtor has had twelve contacts in as many weeks, one in three answered, and six payments.
SET client_min_messages = error;
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() \g /dev/null
INSERT INTO dunning.debtor (debtor_id, creditor, kind, name, country, time_zone, email, phone)
SELECT 'B-' || i, 'north', CASE WHEN i % 10 = 0 THEN 'company' ELSE 'person' END, 'Debtor ' || i, p.country, p.zone, 'b' || i || '@example.com', '+4520' || 100000 + i
FROM generate_series(1, :n) i
JOIN (VALUES (0, 'DK', 'Europe/Copenhagen'), (1, 'DK', 'Europe/Copenhagen'), (2, 'SE', 'Europe/Stockholm'), (3, 'DE', 'Europe/Berlin'), (4, 'NL', 'Europe/Amsterdam')) p(n, country, zone) ON p.n = i % 5;
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency)
SELECT 'B-' || i, 'P-' || i || '-' || m, 'north', '2025-12-20'::date + m * 30 + (dunning._uniform(i || '/' || m) * 4)::int, 100, 'EUR' FROM generate_series(1, :n) i, generate_series(0, 5) m;
-- The last two of twelve contacts are in the egress ledger, where caps look; what the earlier ones taught is in the profiles.
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT dunning._uuid7(), 1, 'B-' || i, 'north', CASE WHEN m = 0 THEN 'sms' ELSE 'email' END, 'mail', '', '{}', '', 0, 'bench', 0, 'EUR', now(),
    '2026-05-20 06:00+00'::timestamptz + m * interval '8 days' + floor(dunning._uniform('c' || i || '/' || m) * 40) * interval '15 minutes', 0, 0, '', ''
FROM generate_series(1, :n) i, generate_series(0, 1) m;
