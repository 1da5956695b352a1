-- A billing book as a foreign schema, bound: :n debtors who owe one overdue invoice of three, all reachable.
\set ON_ERROR_STOP on
CREATE SCHEMA billing;
CREATE TABLE billing.customer (id bigint PRIMARY KEY, name text NOT NULL, first_name text NOT NULL, mail text NOT NULL, mobile text NOT NULL);
CREATE TABLE billing.bill (id bigint PRIMARY KEY, customer bigint NOT NULL, issued date NOT NULL, due date NOT NULL, amount numeric(12,2) NOT NULL);
CREATE TABLE billing.paid (id bigint PRIMARY KEY, customer bigint NOT NULL, bill bigint NOT NULL, at timestamptz NOT NULL, amount numeric(12,2) NOT NULL);
INSERT INTO billing.customer
SELECT n, 'Kirsten Hansen ' || n, 'Kirsten', 'd' || n || '@debtors.test', '+45' || (20000000 + n) FROM generate_series(1, :n) n;
INSERT INTO billing.bill
SELECT n * 10 + k, n, date '2026-06-10' - 30 * k - 14, date '2026-06-10' - 30 * k, 100 + n % 900 + k FROM generate_series(1, :n) n, generate_series(0, 2) k;
INSERT INTO billing.paid SELECT b.id, b.customer, b.id, b.due + interval '12 hours', b.amount FROM billing.bill b WHERE b.id % 10 > 0;
CREATE INDEX ON billing.bill (customer);
CREATE INDEX ON billing.paid (customer);
CREATE VIEW billing.v_debtor AS SELECT id AS debtor_id, name, first_name AS given_name, 'en' AS language, 'DK' AS country, mail AS email, mobile AS phone FROM billing.customer;
CREATE VIEW billing.v_invoice AS SELECT id AS invoice_id, customer AS debtor_id, issued AS issued_on, due AS due_on, amount, 'DKK' AS currency, 'F-' || id AS reference, 'https://pay.test/' || id AS pay_url FROM billing.bill;
CREATE VIEW billing.v_payment AS SELECT id AS payment_id, customer AS debtor_id, bill AS invoice_id, at AS paid_at, amount, 'DKK' AS currency FROM billing.paid;
ANALYZE billing.customer, billing.bill, billing.paid;
GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
GRANT SELECT ON ALL TABLES IN SCHEMA billing TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'billing.v_debtor'), dunning.bind('invoice', 'billing.v_invoice'), dunning.bind('payment', 'billing.v_payment') \g /dev/null
SELECT dunning.save_creditor('default', name => 'Nordlys Energi', sender_name => 'Mette, Nordlys Energi', reply_to => 'hej@nordlys.test', phone => '+45 70 10 20 30', language => 'en') \g /dev/null

-- Servers of one channel at the catcher, and everybody's reminder in the queue in one statement.
CREATE SERVER bench_sms TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', "from" 'Nordlys');
CREATE SERVER bench_email TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url :'smtp', "from" 'Nordlys Energi <billing@nordlys.test>', tls 'none');
