-- govern: the whole case of a debtor as one document.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET dunning.timezone = 'UTC';
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
SELECT dunning.save_creditor('kn', 'North Claims', phone => '+4511'), dunning.save_creditor('ks', 'South Claims', phone => '+4599');
SELECT count(dunning.save_charging('kn', fees => true, interest => true, terms => '{reminder_fee}'));
SELECT count(*) FROM dunning.set_rate('DK-lending', 3.75, '2026-01-01', '2026-12-31', 'a test');
INSERT INTO dunning.debtor (debtor_id, creditor, person_id, kind, name, given_name, country, email, phone, consent) VALUES
    ('k-n', 'kn', 'k-P', 'person', 'Ane North', 'Ane', 'DK', 'ane@example.test', '+4511111111', '{"whatsapp": true}'),
    ('k-s', 'ks', 'k-P', 'person', 'Ane South', 'Ane', 'DK', 'south@example.test', '+4599999999', NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, reference) VALUES
    ('k-n', 'k-N1', 'kn', '2026-04-01', '2026-05-01', 1000, 'DKK', 'N-1'), ('k-n', 'k-N2', 'kn', '2026-04-02', '2026-05-02', 200, 'DKK', 'N-2'), ('k-s', 'k-S1', 'ks', '2026-04-01', '2026-05-01', 7654.32, 'DKK', 'S-1');
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, creditor, paid_at, amount, currency) VALUES ('k-n', 'k-p1', 'k-N2', 'kn', '2026-05-05 12:00+00', 150, 'DKK');
-- a message that left, with its text, attempt and receipts
INSERT INTO dunning.message (message_id, debtor_id, creditor, strategy, step, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, p, context, decision, created_at, created_by)
SELECT dunning._uuid7(), 'k-n', 'kn', 'standard', 'reminder-1', 'reminder-1', 'email', 'da', 'mail', '2026-05-20 08:00+00', '2026-05-20 10:00 Europe/Copenhagen', '{"DKK": 1050}', 0, 'EUR', 0.4242, '{"amount": 1050}', '{"secret": "estimated"}',
    '2026-05-19 04:00+00', 'daily';
SELECT message_id AS id FROM dunning.message WHERE debtor_id = 'k-n' \gset m_
INSERT INTO dunning.body VALUES (:'m_id', 'k-n', 'kn', 'ane@example.test', 'Your invoices', 'Dear Ane, 1,050 DKK are due.', '<p>Dear Ane</p>', '2026-05-20 08:00+00');
INSERT INTO dunning.egress VALUES (:'m_id', 1, 'k-n', 'kn', 'email', 'mail', '\x0a', '{amount}', '\x0b', 28, 'standard/reminder-1', false, 0, 'EUR', '2026-05-20 08:00+00', '2026-05-20 08:00+00', 0, 1, '\x00', '\x0c');
INSERT INTO dunning.outcome VALUES (:'m_id', dunning._uuid7(), 'k-n', 'kn', 1, 'sent', '250', 'ref-1', NULL, '2026-05-20 08:00:01+00'), (:'m_id', dunning._uuid7(), 'k-n', 'kn', 1, 'delivered', 'receipt', 'ref-1', NULL, '2026-05-20 08:00:09+00');
SELECT count(*) AS noticed FROM dunning.record_notice('k-n', 'k-N1', 'collection-cost', '2026-05-15', 100);
SELECT count(*) AS charged FROM dunning.charge('k-n', 'k-N1', 'reminder-1');
SELECT recorded FROM dunning.record_event('replied', 'k-n', :'m_id', detail => '{"channel": "email", "text": "I have lost my job"}');
SELECT dunning.suppress('+45 11 11 11 11', 'sms', 'opted_out') AS suppressed;
SELECT offer_id IS NOT NULL AS offered FROM dunning.make_offer('k-n', 'pay_later');
SELECT promise_id IS NOT NULL AS promised FROM dunning.promise('k-n', 100, 'DKK', '2026-06-12');
SELECT messages_stopped FROM dunning.hold('k-n', 'dispute', invoice_id => 'k-N2', note => 'wrong meter');
SELECT messages_stopped FROM dunning.hold('k-s', 'insolvency', note => 'told to South alone');
SET dunning.clock = '2026-06-20 10:00+00';
SELECT recorded FROM dunning.record_event('called', 'k-n', at => '2026-05-25 09:00+00', detail => '{"text": "told late"}');
SELECT ended FROM dunning._check_promises('{k-n}');
SELECT state FROM dunning.propose_handover('k-n', 'write_off', '{k-N1}', note => 'nothing to be had');
SELECT state FROM dunning.approve_handover((SELECT handover_id FROM dunning.handovers WHERE debtor_id = 'k-n')) a, dunning.handovers h;

-- a_case_tells_all_that_happened_in_one_order
SELECT dunning.export_case('k-n', 'to the agency') AS doc \gset c_
SELECT key, CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_array_length(value) END AS rows, jsonb_typeof(value) AS is FROM jsonb_each(:'c_doc') ORDER BY 1;
SELECT key, jsonb_array_length(value) AS rows FROM jsonb_each(:'c_doc'::jsonb -> 'ledger') ORDER BY 1;
SELECT m -> 'text' ->> 'body_text' AS said, m -> 'text' ->> 'address' AS address, m -> 'attempts' -> 0 ->> 'body_digest' AS digest, m ->> 'state' AS state,
    (SELECT array_agg(o ->> 'state') FROM jsonb_array_elements(m -> 'outcomes') o) AS outcomes FROM jsonb_array_elements(:'c_doc'::jsonb -> 'messages') m;
SELECT e ->> 'kind' AS event, e -> 'detail' ->> 'text' AS text FROM jsonb_array_elements(:'c_doc'::jsonb -> 'events') e;
SELECT h ->> 'reason' AS hold, h ->> 'note' AS note, h ->> 'scope' AS scope FROM jsonb_array_elements(:'c_doc'::jsonb -> 'holds') h ORDER BY 1;
SELECT :'c_doc'::jsonb #>> '{promises,0,state}' AS promise, :'c_doc'::jsonb #>> '{offers,0,state}' AS offer, :'c_doc'::jsonb #>> '{charges,0,level}' AS charge, :'c_doc'::jsonb #>> '{notices,0,level}' AS notice,
    :'c_doc'::jsonb #>> '{handovers,0,state}' AS handover, :'c_doc'::jsonb #> '{consent}' ->> 'stated' AS consent, :'c_doc'::jsonb #>> '{consent,suppressed,0,channel}' AS suppressed, :'c_doc'::jsonb #>> '{creditor,name}' AS creditor;
SELECT count(*) AS spans, sum((i ->> 'amount')::numeric) FILTER (WHERE i ->> 'of_invoice' = 'k-N1') AS interest FROM jsonb_array_elements(:'c_doc'::jsonb -> 'interest') i;

-- what_was_estimated_and_what_another_creditor_knows_is_no_part_of_it
SELECT :'c_doc' LIKE '%estimated%' OR :'c_doc' LIKE '%0.4242%' AS estimates, :'c_doc' LIKE '%7654.32%' OR :'c_doc' LIKE '%outh%' OR :'c_doc' LIKE '%k-s%' AS of_the_other, :'c_doc' LIKE '%k-P%' AS person;
-- no_table_with_rows_of_a_debtor_is_left_out_but_for_what_is_named_here: working state, and what was estimated or learnt of the person
SELECT t.name FROM dunning._debtor_tables() t
WHERE t.name <> ALL ('{debtor,invoice,payment,message,body,egress,outcome,event,task,promise,offer,charge,charge_notice,hold,handover,contact_wish}'
                     || '{queue,once,question,case_export,debtor_strategy,document}'::text[] || '{score_result,timing_profile,assignment}');

-- the_same_rows_give_the_same_octets_whatever_the_session
SELECT md5(:'c_doc') AS digest \gset c_
SET timezone = 'America/New_York'; SET datestyle = 'SQL, DMY'; SET bytea_output = 'escape'; SET extra_float_digits = -5; SET intervalstyle = 'iso_8601'; SET enable_hashjoin = off; SET enable_hashagg = off;
SELECT md5(dunning.export_case('k-n', 'again')::text) = :'c_digest' AS the_same;
RESET timezone; RESET datestyle; RESET bytea_output; RESET extra_float_digits; RESET intervalstyle; RESET enable_hashjoin; RESET enable_hashagg;
SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';
BEGIN;
UPDATE dunning.event SET creditor = creditor WHERE debtor_id = 'k-n' AND kind = 'replied';      -- another order on the pages
UPDATE dunning.invoice SET amount = amount WHERE invoice_id = 'k-N1';
SELECT md5(dunning.export_case('k-n', 'moved')::text) = :'c_digest' AS the_same;
ROLLBACK;
-- who_took_it_when_and_what_for_stands_with_its_digest
SELECT purpose, exported_at, bytes = octet_length(:'c_doc') AS bytes, digest = sha256(convert_to(:'c_doc', 'UTF8')) AS digest FROM dunning.case_export ORDER BY export_id;
-- and_stays_when_the_person_is_forgotten
BEGIN;
SELECT count(*) > 0 AS forgotten FROM dunning.forget('k-n');
SELECT count(*) AS exports FROM dunning.case_export;
SELECT state, amounts, note FROM dunning.handover WHERE debtor_id = 'k-n';
SELECT count(*) FILTER (WHERE note IS NOT NULL OR contact IS NOT NULL) AS told FROM dunning.hold WHERE debtor_id = 'k-n';
ROLLBACK;

-- a_case_needs_a_debtor_a_purpose_and_a_role
SELECT dunning.export_case('k-0', 'x');
SELECT dunning.export_case('k-n', ' ');
SET ROLE dunning_viewer;
SELECT dunning.export_case('k-n', 'x');
SELECT purpose FROM dunning.case_export ORDER BY export_id LIMIT 1;
RESET ROLE;

DELETE FROM dunning.queue WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.message WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.body WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.egress WHERE debtor_id LIKE 'k-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.once WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.hold; DELETE FROM dunning.offer WHERE debtor_id LIKE 'k-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.event WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.promise WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.handover; DELETE FROM dunning.case_export;
DELETE FROM dunning.charge WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.charge_notice WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.suppression; DELETE FROM dunning.digest_key;
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.invoice WHERE debtor_id LIKE 'k-%'; DELETE FROM dunning.payment WHERE debtor_id LIKE 'k-%';
DELETE FROM dunning.charging WHERE creditor = 'kn'; DELETE FROM dunning.charge_change; DELETE FROM dunning.reference_rate WHERE NOT builtin; DELETE FROM dunning.creditor WHERE creditor IN ('kn', 'ks'); DELETE FROM dunning.creditor_change;
RESET dunning.clock;
RESET dunning.timezone;
