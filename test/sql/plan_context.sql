-- plan: what stands in a message, out of the ledger.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.clock = '2026-06-22 10:00+01';
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone) VALUES
    ('pc-1', 'Ann Archer', 'Ann', 'en', 'GB', 'pc1@example.org', '+447700900001'), ('pc-2', 'Ben Baker', 'Ben', 'de', 'DE', 'pc2@example.org', '+4915112345678'),
    ('pc-3', 'Cleo Carter', 'Cleo', 'en', 'GB', 'pc3@example.org', '+447700900003');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind, reference) VALUES
    ('pc-1', 'PC1', '2026-05-01', '2026-06-01', 640, 'GBP', 'invoice', 'B-1'), ('pc-1', 'PC2', '2026-05-08', '2026-06-08', 100, 'GBP', 'invoice', 'B-2'),
    ('pc-1', 'PC3', '2026-06-10', '2026-06-10', 150, 'GBP', 'credit_note', 'CN-3'),
    ('pc-2', 'PC4', '2026-05-01', '2026-06-01', 90.5, 'EUR', 'invoice', 'R-4'),
    ('pc-3', 'PC5', '2026-05-01', '2026-06-01', 80, 'GBP', 'invoice', 'B-5'), ('pc-3', 'PC6', '2026-06-10', '2026-06-10', 80, 'GBP', 'credit_note', 'CN-6');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES ('pc-2', 'PP1', '2026-06-12 12:00+02', 40, 'EUR', NULL);

-- a_reminder_says_what_payments_and_credit_notes_have_taken_off_each_invoice
SELECT jsonb_pretty(c.context #> '{balances,0,invoices}') FROM dunning._context('{pc-1}', NULL) c;
SELECT l FROM dunning.preview('reminder-1', 'pc-1', 'email') p, string_to_table(p.body_text, E'\n') l WHERE l LIKE '- %';
SELECT l FROM dunning.preview('reminder-1', 'pc-2', 'letter') p, string_to_table(p.body_html, E'\n') l WHERE l LIKE '<li>%';
-- what a credit note settles is asked for by nobody
SELECT p.debtor_id FROM dunning.plan(dry_run => true) p WHERE p.debtor_id = 'pc-3';

DELETE FROM dunning.payment WHERE debtor_id LIKE 'pc-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'pc-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'pc-%';
RESET dunning.clock;
