-- A made book in the built-in ledger, of other habits than the file's; called by ledger.sh with `book`. Two years up to 2026-07-01.
--   chronic: 1,500 companies and persons, terms of 14, 30 and 60 days; a seventh are chronically late, some get worse, some never pay
--   payday:  2,500 persons and companies; who waits for payday pays on it, a due date on a closed day is paid after it, January is late
--   young:   6,000 debtors of one to five invoices each: what is known of one is mostly what is known of all
-- Everything is drawn from hashes of names, so a book is the same on every machine.
\set ON_ERROR_STOP on
CREATE FUNCTION pg_temp.u(name text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT dunning._uniform(name, 1) $$;
-- nearly normal
CREATE FUNCTION pg_temp.g(name text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (SELECT sum(dunning._uniform(name, k)) FROM generate_series(2, 13) k) - 6 $$;
CREATE TEMP TABLE who AS
SELECT id, pg_temp.u('late' || id) AS late, pg_temp.g('mean' || id) AS mean, pg_temp.u('kind' || id) < CASE :'book' WHEN 'chronic' THEN 0.7 ELSE 0.2 END AS company,
       (ARRAY[14, 30, 30, 60])[1 + floor(4 * pg_temp.u('terms' || id))::int] AS terms, (ARRAY[1, 15, 25, 30])[1 + floor(4 * pg_temp.u('payday' || id))::int] AS payday,
       pg_temp.u('trend' || id) AS trend, CASE :'book' WHEN 'young' THEN 1 + floor(5 * pg_temp.u('n' || id))::int ELSE 8 + floor(12 * pg_temp.u('n' || id))::int END AS n,
       30 + 300 * pg_temp.u('size' || id) AS size
FROM (SELECT 'd' || k AS id FROM generate_series(1, CASE :'book' WHEN 'chronic' THEN 1500 WHEN 'payday' THEN 2500 ELSE 6000 END) k) d;
INSERT INTO dunning.debtor (debtor_id, kind, email, country) SELECT id, CASE WHEN company THEN 'company' ELSE 'person' END, id || '@example.org', 'DK' FROM who;
CREATE TEMP TABLE what AS
SELECT w.*, w.id || '-' || k AS invoice, date '2024-07-01' + (730 * pg_temp.u('day' || w.id || k))::int AS issued, pg_temp.g('noise' || w.id || k) AS noise, pg_temp.g('amount' || w.id || k) AS spread
FROM who w, generate_series(1, w.n) k;
-- days from the due date
CREATE TEMP TABLE paid AS
SELECT x.*, CASE WHEN never THEN NULL ELSE greatest(issued + 1, CASE
        WHEN :'book' = 'payday' AND late > 0.5 THEN next_payday
        WHEN :'book' = 'payday' AND extract(isodow FROM due + gap) > 5 THEN due + gap + (8 - extract(isodow FROM due + gap)::int)
        ELSE due + gap END) END AS paid_on
FROM (SELECT w.*, w.issued + w.terms AS due, w.late > 0.97 AND pg_temp.u('never' || w.invoice) < 0.7 AS never,
        round(CASE WHEN w.late > 0.86 THEN 18 ELSE -7 END + 5 * w.mean + CASE WHEN w.trend > 0.9 THEN (w.issued - date '2024-07-01') / 40.0 ELSE 0 END
              + 4 * w.spread + CASE WHEN w.company THEN 3 ELSE 0 END + CASE WHEN extract(month FROM w.issued + w.terms) = 1 THEN 6 ELSE 0 END + 6 * w.noise)::int AS gap,
        (SELECT min(d)::date FROM generate_series((w.issued + w.terms - 10)::timestamp, w.issued + w.terms + 40, interval '1 day') d
         WHERE extract(day FROM d) = least(w.payday, extract(day FROM date_trunc('month', d) + interval '1 month - 1 day'))) AS next_payday
      FROM what w) x;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
SELECT id, invoice, issued, due, greatest(5, size * exp(0.3 * spread))::numeric(12, 2), 'DKK' FROM paid WHERE issued < '2026-07-01';
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id)
SELECT p.id, p.invoice, p.paid_on::timestamp AT TIME ZONE 'UTC' + interval '1 hour' * floor(8 + 12 * pg_temp.u('hour' || p.invoice)), i.amount, 'DKK', p.invoice
FROM paid p JOIN dunning.invoice i ON i.debtor_id = p.id AND i.invoice_id = p.invoice WHERE p.paid_on < '2026-07-01';
ANALYZE dunning.debtor, dunning.invoice, dunning.payment;
SELECT count(*), avg((paid_on IS NULL OR paid_on > due)::int) FROM paid;
