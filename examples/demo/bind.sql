-- Three views give the billing schema the names of the ledger contract; bind() checks them and remembers them.
CREATE VIEW billing.v_debtor AS
SELECT kundenr AS debtor_id, selskab AS creditor, cpr_cvr AS person_id,
       CASE type WHEN 'E' THEN 'company' ELSE 'person' END AS kind, navn AS name, fornavn AS given_name,
       sprog AS language, land::text AS country, tidszone AS time_zone, mail AS email, mobil AS phone,
       jsonb_build_object('street', gade, 'postcode', postnr, 'city', "by", 'country', land) AS address,
       samtykke AS consent
FROM billing.kunde;
CREATE VIEW billing.v_invoice AS
SELECT fakturanr AS invoice_id, kundenr AS debtor_id, udstedt AS issued_on, forfald AS due_on, beloeb AS amount,
       valuta AS currency, omtvistet AS disputed_at, 'F-' || fakturanr AS reference,
       'https://pay.' || 'example/' || fakturanr AS pay_url
FROM billing.faktura;
CREATE VIEW billing.v_payment AS
SELECT id AS payment_id, kundenr AS debtor_id, fakturanr AS invoice_id, tidspunkt AS paid_at, beloeb AS amount, valuta AS currency
FROM billing.indbetaling;

GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
GRANT SELECT ON billing.v_debtor, billing.v_invoice, billing.v_payment TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'billing.v_debtor');
SELECT dunning.bind('invoice', 'billing.v_invoice');
SELECT dunning.bind('payment', 'billing.v_payment');
