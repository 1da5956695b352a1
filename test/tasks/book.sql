-- The small book of the task tests: a billing schema that is not ours, bound by views, servers that write files, and a month of daily runs.
-- psql variables: spool (a directory of the server's user).
\set ON_ERROR_STOP 1
SET timezone = 'Europe/Copenhagen';
SET datestyle = 'ISO, YMD';
CREATE EXTENSION dunning;
SET dunning.clock = '2026-05-01 08:00+02';

CREATE SCHEMA billing;
CREATE TABLE billing.customer (customer_no bigint PRIMARY KEY, firm text NOT NULL DEFAULT 'north', full_name text, first_name text, lang text, country text, mail text, mobile text, street text);
CREATE TABLE billing.bill (id bigint PRIMARY KEY, customer_no bigint NOT NULL REFERENCES billing.customer, issued date NOT NULL, due date NOT NULL, total numeric NOT NULL, currency text NOT NULL);
CREATE TABLE billing.receipt (id bigint PRIMARY KEY, customer_no bigint NOT NULL, booked_at timestamptz NOT NULL, amount numeric NOT NULL, currency text NOT NULL, bill_id bigint);
CREATE INDEX ON billing.bill (customer_no);
CREATE INDEX ON billing.receipt (customer_no);

-- Mrs Hansen can be reached by letter alone; 1002 to 1006 have names the tasks use; the rest are many.
INSERT INTO billing.customer (customer_no, full_name, first_name, lang, country, mail, mobile, street) VALUES
    (1001, 'Kirsten Hansen', 'Kirsten', 'da', 'DK', NULL, NULL, 'Nørregade 7, 1165 København K'),
    (1002, 'Jens Holm', 'Jens', 'da', 'DK', 'jens@example.dk', '+4520123402', NULL),
    (1003, 'Anna Krogh', 'Anna', 'da', 'DK', NULL, '+4520123403', NULL),
    (1004, 'Petra Vogel', 'Petra', 'de', 'DE', 'petra@example.de', NULL, NULL),
    (1005, 'Mads Lund', 'Mads', 'da', 'DK', 'mads@example.dk', '+4520123405', NULL),
    (1006, 'Ida Friis', 'Ida', 'da', 'DK', 'ida@example.dk', '+4520123406', NULL);
INSERT INTO billing.customer (customer_no, full_name, first_name, lang, country, mail, mobile)
SELECT n, 'Kunde ' || n, 'Kunde', 'da', 'DK', 'kunde' || n || '@example.dk', '+45201' || (20000 + n) FROM generate_series(1010, 1049) n;

INSERT INTO billing.bill VALUES
    (1, 1001, '2026-03-20', '2026-04-09', 1860.75, 'DKK'), (2, 1002, '2026-05-01', '2026-05-21', 410, 'DKK'), (3, 1003, '2026-05-01', '2026-05-22', 95, 'DKK'),
    (4, 1004, '2026-05-01', '2026-05-24', 120, 'EUR'), (5, 1005, '2026-05-01', '2026-05-20', 800, 'DKK'), (6, 1006, '2026-03-01', '2026-03-25', 5350, 'DKK');
INSERT INTO billing.bill SELECT n, n, date '2026-04-01' + n % 20, date '2026-04-21' + n % 20, 100 + n % 7 * 40, 'DKK' FROM generate_series(1010, 1049) n;
INSERT INTO billing.receipt SELECT n, n, timestamptz '2026-05-18 12:00+02' + n % 9 * interval '1 day', 100 + n % 7 * 40, 'DKK', n FROM generate_series(1010, 1049) n WHERE n % 4 = 0;
-- A quarter pays by and by and still owes.
INSERT INTO billing.receipt SELECT 5000 + n * 10 + k, n, timestamptz '2026-04-28 12:00+02' + k * interval '9 days', 10, 'DKK', n FROM generate_series(1010, 1049) n, generate_series(0, 4) k WHERE n % 4 = 1;
-- The half-year before: everyone paid, many of them late.
INSERT INTO billing.bill
SELECT 100000 + m * 10000 + customer_no, customer_no, due - 20, due, 150 + customer_no % 5 * 30, CASE country WHEN 'DE' THEN 'EUR' ELSE 'DKK' END
FROM billing.customer, generate_series(0, 5) m, LATERAL (SELECT (date '2025-09-15' + m * interval '1 month')::date AS due) d;
INSERT INTO billing.receipt
SELECT id, customer_no, (due + (id % 27 - 4)::int)::timestamp AT TIME ZONE 'Europe/Copenhagen' + (8 + id % 11) * interval '1 hour', total, currency, id FROM billing.bill WHERE id >= 100000;

CREATE VIEW billing.v_debtor AS SELECT customer_no AS debtor_id, firm AS creditor, full_name AS name, first_name AS given_name, lang AS language, country, mail AS email, mobile AS phone,
                                       CASE WHEN street IS NOT NULL THEN jsonb_build_object('street', street) END AS address FROM billing.customer;
CREATE VIEW billing.v_invoice AS SELECT id AS invoice_id, customer_no AS debtor_id, issued AS issued_on, due AS due_on, total AS amount, currency, 'F-' || id AS reference FROM billing.bill;
CREATE VIEW billing.v_payment AS SELECT id AS payment_id, customer_no AS debtor_id, booked_at AS paid_at, amount, currency, bill_id AS invoice_id FROM billing.receipt;
CREATE ROLE clerk LOGIN IN ROLE dunning_operator;
CREATE ROLE manager LOGIN IN ROLE dunning_admin;
GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker, clerk;
GRANT SELECT ON billing.v_debtor, billing.v_invoice, billing.v_payment TO dunning_owner, dunning_worker;
GRANT INSERT ON billing.receipt TO clerk;
SELECT dunning.bind('debtor', 'billing.v_debtor');
SELECT dunning.bind('invoice', 'billing.v_invoice');
SELECT dunning.bind('payment', 'billing.v_payment', max_age => '26 hours');
SELECT dunning.save_creditor('north', 'Nordlys Energi', sender_name => 'Mette, Nordlys Energi', phone => '+4570102030', account => 'DK5000400440116243', language => 'da');

CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'mail');
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'text');
CREATE SERVER print TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'print');
CREATE SERVER calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE USER MAPPING FOR dunning_worker SERVER text;
CREATE USER MAPPING FOR dunning_worker SERVER print;
CREATE USER MAPPING FOR dunning_worker SERVER calls;
SELECT dunning.set_cost('letter', 9.50, 'DKK'), dunning.set_cost('sms', 0.35, 'DKK'), dunning.set_cost('call', 25, 'DKK');
SELECT dunning.activate();

-- What the tests say with: an error where something is not so.
CREATE SCHEMA test;
CREATE FUNCTION test.is_so(what text, ok boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF ok IS NOT TRUE THEN
        RAISE EXCEPTION 'not so: %', what;
    END IF;
END $$;
GRANT USAGE ON SCHEMA test TO PUBLIC;

-- A month of nights and mornings, up to 10 June.
SELECT format(step.sql, day + step.hour * interval '1 hour')
FROM generate_series(timestamptz '2026-05-11 00:00+02', '2026-06-09 00:00+02', '1 day') AS day,
     (VALUES (1, 4, 'SET dunning.clock = %L'), (2, 4, 'SELECT dunning.ledger_loaded(''payment'', %L)'), (3, 4, 'CALL dunning.daily()'),
             (4, 10, 'SET dunning.clock = %L'), (5, 10, 'CALL dunning.deliver()'), (6, 17, 'SET dunning.clock = %L'), (7, 17, 'CALL dunning.deliver()')) AS step (n, hour, sql)
ORDER BY day, step.n \gexec
SET dunning.clock = '2026-06-10 04:00+02';
SELECT dunning.ledger_loaded('payment', '2026-06-10 04:00+02');
CALL dunning.daily();
ALTER DATABASE billing SET dunning.clock = '2026-06-10 10:00+02';
ALTER DATABASE billing SET timezone = 'Europe/Copenhagen';
