-- Three views give the billing tables the names of the ledger contract; bind() checks and remembers them.
-- The file has no currency and no address: amounts are taken as dollars, and each customer gets a mailbox of its own, so that there is
-- something to deliver to. Country codes (391, 406, 770, 818, 897) are not ISO codes; they stay text among the attributes.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
RESET client_min_messages;

CREATE VIEW billing.v_debtor AS
SELECT customer_id AS debtor_id, 'company' AS kind, 'Customer ' || customer_id AS name, 'en' AS language,
       lower(customer_id) || '@customers.test' AS email,
       jsonb_build_object('country_code', country_code, 'paperless_since', paperless_since) AS attributes
FROM billing.customers;

-- `disputed` is left out on purpose: the file does not say when a dispute began, so a model would read the future in it.
CREATE VIEW billing.v_invoice AS
SELECT invoice_number AS invoice_id, customer_id AS debtor_id, invoice_date AS issued_on, due_date AS due_on, amount,
       'USD' AS currency, invoice_number AS reference
FROM billing.invoices;

CREATE VIEW billing.v_payment AS
SELECT invoice_number AS payment_id, customer_id AS debtor_id, invoice_number AS invoice_id,
       settled_on::timestamp AT TIME ZONE 'UTC' AS paid_at, amount, 'USD' AS currency
FROM billing.settlements;

GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
GRANT SELECT ON billing.v_debtor, billing.v_invoice, billing.v_payment TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'billing.v_debtor', immutable => '{attributes}');
SELECT dunning.bind('invoice', 'billing.v_invoice');
SELECT dunning.bind('payment', 'billing.v_payment');

-- Bills that go out electronically are paid sooner: what the customers' attributes say of it, as of each invoice. The date stands in the
-- file whenever it is read, hence `immutable` above; a model sees it from its day on.
SELECT dunning.save_feature('electronic', 'bills go out electronically by the day of issue', 'boolean',
    expression => $$issued_on >= (attributes ->> 'paperless_since')::date$$, of => 'invoice');
SELECT dunning.save_feature('electronic_days', 'days since bills go out electronically, 0 before', unit => 'days',
    expression => $$greatest(issued_on - (attributes ->> 'paperless_since')::date, 0)$$, of => 'invoice');
