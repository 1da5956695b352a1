-- Mrs Hansen asks why she got a letter. She is found by her name; the answer is the one of then.
SET SESSION AUTHORIZATION clerk;
-- task
SELECT debtor_id, name, last_channel, last_message_id FROM dunning.find_debtor('hansen') \gset
SELECT * FROM dunning.explain_message(:'last_message_id');
-- check
SELECT test.is_so('she is found', :'debtor_id' = '1001' AND :'last_channel' = 'letter');
SELECT md5(string_agg(e::text, E'\n')) AS before,
       bool_or(topic = 'planned' AND item = 'amounts' AND detail = '1860.75 DKK') AS amount,
       bool_or(topic = 'decision') AS decision,
       bool_or(topic = 'sent text' AND detail ~ 'Nørregade 7') AND bool_or(topic = 'sent text' AND detail ~ '1\.860,75') AS as_sent,
       bool_or(topic = 'outcome' AND item = 'sent') AS outcome
FROM dunning.explain_message(:'last_message_id') e \gset
SELECT test.is_so('the sum of then', :'amount'), test.is_so('the decision', :'decision'), test.is_so('address and text as sent', :'as_sent'), test.is_so('what became of it', :'outcome');
RESET SESSION AUTHORIZATION;
INSERT INTO billing.receipt VALUES (9001, 1001, '2026-06-10 09:00+02', 1860.75, 'DKK', 1);
SELECT count(*) FROM dunning.save_template('final-notice', 'letter', 'da', 'Noget andet', 'Noget helt andet, {{name}}.');
SET SESSION AUTHORIZATION clerk;
SELECT test.is_so('after her payment and an edited template it says the same', md5(string_agg(e::text, E'\n')) = :'before') FROM dunning.explain_message(:'last_message_id') e;
SELECT test.is_so('while now nothing is open', EXISTS (SELECT FROM dunning.explain('1001') WHERE topic = 'ledger' AND item = 'balance' AND state = 'nothing open'));
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM dunning.reset_template('final-notice', 'letter', 'da');
