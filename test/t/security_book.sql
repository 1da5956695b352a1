-- A book of three bound relations in schema book: 150 debtors with a history, so that every target has two classes.
CREATE SCHEMA book;
CREATE TABLE book.debtor AS
SELECT 'd' || i AS debtor_id, 'Name ' || i AS name, 'Given' AS given_name, 'en' AS language, 'GB' AS country, 'd' || i || '@example.org' AS email,
       '+4477009' || lpad(i::text, 5, '0') AS phone
FROM generate_series(1, 150) i;
CREATE TABLE book.invoice AS
SELECT 'I' || i || '-' || n AS invoice_id, 'd' || i AS debtor_id, date '2025-07-01' + 30 * n AS issued_on, date '2025-07-15' + 30 * n AS due_on,
       (50 + i)::numeric AS amount, 'GBP' AS currency
FROM generate_series(1, 150) i, generate_series(1, 10) n;
-- Every third debtor pays late; the last invoice is open for most of them.
CREATE TABLE book.payment AS
SELECT i.debtor_id, i.due_on + CASE WHEN substr(i.debtor_id, 2)::int % 3 = 0 THEN 9 ELSE -2 END + time '10:00' AS paid_at, i.amount, i.currency, i.invoice_id
FROM book.invoice i WHERE i.invoice_id !~ '-10$' OR substr(i.debtor_id, 2)::int % 10 = 0;
ALTER TABLE book.payment ALTER COLUMN paid_at TYPE timestamptz;
CREATE TABLE book.sample AS SELECT (i % 7)::float8 AS x, i % 3 = 0 AS y FROM generate_series(1, 300) i;
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE USER MAPPING FOR dunning_worker SERVER text OPTIONS (secret_file 'text.secret');
