-- A page of the creditor's, a key that signs, and no address to pay in the ledger: every link is ours.
SELECT dunning.save_creditor('default', name => 'Nordlys Energi', sender_name => 'Mette, Nordlys Energi', reply_to => 'hej@nordlys.test', phone => '+45 70 10 20 30', language => 'en',
    link_url => 'https://nordlys.test/d?t=');
CREATE OR REPLACE VIEW billing.v_invoice AS SELECT id AS invoice_id, customer AS debtor_id, issued AS issued_on, due AS due_on, amount, 'DKK' AS currency, 'F-' || id AS reference, NULL::text AS pay_url FROM billing.bill;
SELECT dunning.rotate_link_key();
