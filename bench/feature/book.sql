-- A book of :n debtors with ten invoices each, in the built-in tables. Every payment names its invoice and none pays too much, so that plain SQL
-- needs no allocation: that is in its favour. A sixth of the invoices is paid in two parts, an eighth not at all; a debtor has one currency.
-- Rows of the weeks after the instant of the features are there to be left out.
\set ON_ERROR_STOP on
SELECT setseed(0.25);
INSERT INTO dunning.debtor (debtor_id, creditor, kind, email, phone, country)
SELECT 'd' || i, CASE WHEN i % 3 = 0 THEN 'south' ELSE 'north' END, (ARRAY['person', 'person', 'company', NULL])[1 + i % 4],
       CASE WHEN i % 10 < 8 THEN 'd' || i || '@example.org' END, CASE WHEN i % 7 < 4 THEN '+45' || i END, (ARRAY['DK', 'SE', 'NO'])[1 + i % 3]
FROM generate_series(1, :n) i;
CREATE TEMP TABLE x AS
SELECT 'd' || i AS debtor_id, 'i' || i || '-' || k AS invoice_id, issued_on, issued_on + terms AS due_on, amount, CASE WHEN i % 5 = 0 THEN 'EUR' ELSE 'DKK' END AS currency,
       random() AS p, random() AS parts, (issued_on + terms)::timestamp AT TIME ZONE 'UTC' + (lag + random() * random() * 40) * interval '1 day' AS paid_at, random() AS contested
FROM (SELECT i, k, date '2025-08-15' + 30 * k + (random() * 20)::int AS issued_on, 10 + (random() * 3)::int * 10 AS terms,
             (10 + random() * 900)::numeric(12, 2) AS amount, (random() * 12)::int - 8 AS lag FROM generate_series(1, :n) i, generate_series(1, 10) k) g;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, disputed_at)
SELECT x.debtor_id, x.invoice_id, d.creditor, x.issued_on, x.due_on, x.amount, x.currency, CASE WHEN x.contested < 0.02 THEN x.issued_on + 5 END
FROM x JOIN dunning.debtor d USING (debtor_id);
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id)
SELECT x.debtor_id, x.invoice_id || '.' || part, x.paid_at + (part - 1) * interval '6 days', CASE WHEN x.parts < 0.84 THEN x.amount WHEN part = 1 THEN round(x.amount * 0.6, 2) ELSE x.amount - round(x.amount * 0.6, 2) END,
       x.currency, x.invoice_id
FROM x, generate_series(1, 2) part WHERE x.p < 0.875 AND (part = 1 OR x.parts >= 0.84);
-- a contact for each third invoice that was late, and what came of it
SELECT count(dunning._ensure_partitions(m)) FROM generate_series('2025-08-01'::timestamptz, '2026-09-01', '1 month') m;
CREATE TEMP TABLE c AS
SELECT row_number() OVER () AS i, x.debtor_id, at, (ARRAY['email', 'email', 'email', 'sms', 'letter', 'whatsapp'])[1 + (random() * 5)::int] AS channel, random() AS fate, random() AS answer
FROM x, LATERAL (SELECT x.due_on::timestamp AT TIME ZONE 'UTC' + n * interval '9 days' + random() * interval '10 hours' AS at FROM generate_series(1, 3) n) t
WHERE (x.p >= 0.875 OR x.paid_at > at) AND x.contested < 0.5 AND at < '2026-08-01';
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, test, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT overlay(dunning._uuid7_floor(c.at)::text PLACING lpad(to_hex(c.i), 12, '0') FROM 25)::uuid, 1, c.debtor_id, 'north', c.channel, 'none', sha256((c.debtor_id || (c.fate < 0.1))::bytea), '{}', '\x00', 1, 'bench', false, 0, 'EUR',
       c.at, c.at, 0, c.i, '\x00', '\x00' FROM c;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, message_id, detail, recorded_at, recorded_by)
SELECT c.debtor_id, dunning._uuid7(), 'north', k.kind, c.at + k.later, overlay(dunning._uuid7_floor(c.at)::text PLACING lpad(to_hex(c.i), 12, '0') FROM 25)::uuid, '{}', c.at + k.later, 'bench'
FROM c, LATERAL (SELECT CASE WHEN c.fate < 0.05 THEN 'bounced' ELSE 'delivered' END AS kind, interval '1 minute' AS later
                 UNION ALL SELECT CASE WHEN c.answer < 0.1 THEN 'replied' ELSE 'clicked' END, interval '5 hours' WHERE c.answer < 0.3) k;
INSERT INTO dunning.promise (debtor_id, promise_id, creditor, amount, currency, due_on, paid_before, needed, promised_at, recorded_by)
SELECT x.debtor_id, dunning._uuid7(), 'north', x.amount, x.currency, x.due_on + 20, coalesce((SELECT sum(p.amount) FROM dunning.payment p WHERE p.debtor_id = x.debtor_id AND p.paid_at < x.due_on + 7), 0), x.amount, x.due_on + 7, 'bench'
FROM x WHERE x.contested > 0.98 AND x.due_on < '2026-07-01';
VACUUM ANALYZE dunning.debtor, dunning.invoice, dunning.payment, dunning.event, dunning.promise;
ANALYZE dunning.egress;
