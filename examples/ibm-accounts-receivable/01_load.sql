-- A small billing schema, filled from the file on standard input: psql -f 01_load.sql < ibm_accounts_receivable.csv
-- The file's lines are split into customers, invoices and settlements, as a billing system would hold them.
\set ON_ERROR_STOP on
CREATE SCHEMA billing;

CREATE TABLE billing.staging (
    country_code text, customer_id text, paperless_date text, invoice_number text, invoice_date text, due_date text, amount text,
    disputed text, settled_date text, paperless_bill text, days_to_settle text, days_late text
);
\copy billing.staging FROM pstdin WITH (FORMAT csv, HEADER)

CREATE TABLE billing.customers (
    customer_id     text PRIMARY KEY,
    country_code    text NOT NULL,
    paperless_since date
);
INSERT INTO billing.customers
SELECT DISTINCT ON (customer_id) customer_id, country_code, to_date(paperless_date, 'MM/DD/YYYY')
FROM billing.staging ORDER BY customer_id;

CREATE TABLE billing.invoices (
    invoice_number  text PRIMARY KEY,
    customer_id     text NOT NULL REFERENCES billing.customers,
    invoice_date    date NOT NULL,
    due_date        date NOT NULL,
    amount          numeric(12,2) NOT NULL,
    bill_format     text NOT NULL,
    disputed        boolean NOT NULL
);
INSERT INTO billing.invoices
SELECT invoice_number, customer_id, to_date(invoice_date, 'MM/DD/YYYY'), to_date(due_date, 'MM/DD/YYYY'), amount::numeric,
       paperless_bill, disputed = 'Yes'
FROM billing.staging;

CREATE TABLE billing.settlements (
    invoice_number  text PRIMARY KEY REFERENCES billing.invoices,
    customer_id     text NOT NULL REFERENCES billing.customers,
    settled_on      date NOT NULL,
    amount          numeric(12,2) NOT NULL
);
INSERT INTO billing.settlements
SELECT invoice_number, customer_id, to_date(settled_date, 'MM/DD/YYYY'), amount::numeric FROM billing.staging WHERE settled_date <> '';

CREATE INDEX ON billing.invoices (customer_id);
CREATE INDEX ON billing.settlements (customer_id);
DROP TABLE billing.staging;
ANALYZE billing.customers, billing.invoices, billing.settlements;

SELECT (SELECT count(*) FROM billing.customers) AS customers, (SELECT count(*) FROM billing.invoices) AS invoices,
       (SELECT count(*) FROM billing.settlements) AS settlements,
       (SELECT round(100.0 * count(*) FILTER (WHERE s.settled_on > i.due_date) / count(*), 1)
        FROM billing.invoices i JOIN billing.settlements s USING (invoice_number)) AS percent_late;
