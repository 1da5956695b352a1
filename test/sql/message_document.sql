-- Documents that go with mails: who may have which, and what a mail with them looks like.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone) VALUES
    ('MD-1', 'Ada Lovelace', 'Ada', 'en', 'GB', 'ada@debtors.example', '+447700900123'), ('MD-2', 'Bo Berg', 'Bo', 'de', 'DE', 'bo@debtors.example', NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('MD-1', 'I1', '2026-04-01', '2026-05-01', 100, 'GBP'), ('MD-2', 'I2', '2026-04-01', '2026-05-01', 200, 'EUR');
CREATE SERVER md_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', position '1');
CREATE SERVER md_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', position '1');

-- a_document_has_a_name_a_type_and_a_size_that_can_be
SELECT dunning.save_document('invoice/I1', 'Invoice Nº 1.pdf', convert_to('%PDF one', 'UTF8'), debtor_id => 'MD-1');
SELECT dunning.save_document('leaflet', 'Help.pdf', convert_to('%PDF help', 'UTF8'));
SELECT dunning.save_document('hilfe', 'Hilfe.pdf', convert_to('%PDF hilfe', 'UTF8'));
SELECT dunning.save_document('', 'a.pdf', '\x00');
SELECT dunning.save_document('a', E'a\r\nX: y.pdf', '\x00');
SELECT dunning.save_document('a', '../a.pdf', '\x00');
SELECT dunning.save_document('a', 'a.pdf', '\x00', 'text/html; charset=x');
SELECT dunning.save_document('a', 'a.pdf', '\x00', 'message/rfc822');
SELECT dunning.save_document('a', 'a.pdf', '');
SELECT dunning.save_document('a', 'a.pdf', convert_to(repeat('x', 2 * 1024 * 1024 + 1), 'UTF8'));
SELECT dunning.save_document('a', 'a.pdf', '\x00', debtor_id => 'MD-nobody');
SELECT document, version, debtor_id, file_name, media_type, bytes, templates FROM dunning.documents ORDER BY document;

-- nobody_gets_the_document_of_another
\set VERBOSITY terse
SELECT count(*) FROM dunning.send('MD-2', 'reminder-1', 'email', vars => '{"attach": ["invoice/I1"]}');
SELECT count(*) FROM dunning.send('MD-1', 'reminder-1', 'email', vars => '{"attach": ["invoice/none"]}');
SELECT count(*) FROM dunning.send('MD-1', 'reminder-1', 'email', vars => '{"attach": "leaflet"}');
SELECT count(*) FROM dunning.send('MD-1', 'reminder-1', 'sms', vars => '{"attach": ["leaflet"]}');
SELECT dunning.attach_document('reminder-1', 'invoice/I1');
SELECT dunning.attach_document('no-such', 'leaflet');
\set VERBOSITY default

-- what_a_template_and_a_call_name_goes_together
SELECT dunning.attach_document('reminder-1', 'leaflet'), dunning.attach_document('reminder-1', 'hilfe', 'de');
SELECT s.channel, s.state FROM dunning.send('MD-1', 'reminder-1', vars => '{"attach": ["invoice/I1"]}') s;
SELECT s.channel, s.state FROM dunning.send('MD-2', 'reminder-1', 'email') s;
SELECT a.ord, jsonb_path_query_array(a.list, '$[*].document') AS documents, a.problem
FROM (SELECT array_agg(m.debtor_id ORDER BY m.debtor_id) AS d, array_agg(m.template ORDER BY m.debtor_id) AS t, array_agg(m.language ORDER BY m.debtor_id) AS l, array_agg(m.creditor ORDER BY m.debtor_id) AS c,
             array_agg(m.channel ORDER BY m.debtor_id) AS h, array_agg(m.context ORDER BY m.debtor_id) AS x FROM dunning.message m WHERE m.debtor_id LIKE 'MD-%') m,
     dunning._attachments(m.d, m.t, m.l, m.c, m.h, m.x) a ORDER BY 1;
SELECT a.list IS NULL AS none, a.problem FROM dunning._attachments(ARRAY['MD-1'], ARRAY['x'], ARRAY['en'], ARRAY['default'], ARRAY['sms'], ARRAY['{"attach": ["leaflet"]}'::jsonb]) a;
SELECT a.problem FROM dunning._attachments(ARRAY['MD-2'], ARRAY['x'], ARRAY['en'], ARRAY['default'], ARRAY['email'], ARRAY['{"attach": ["invoice/I1"]}'::jsonb]) a;

-- how_large_they_may_be_is_a_setting: each by itself, and all of a mail together
SELECT dunning.save_document('large', 'large.bin', convert_to(repeat('x', 2 * 1024 * 1024 + 1), 'UTF8'), 'text/plain');
SET dunning.document_size = '1kB';
SELECT dunning.save_document('half', 'half.txt', convert_to(repeat('x', 1024), 'UTF8'), 'text/plain'), dunning.save_document('other', 'other.txt', '1', 'text/plain');
SELECT dunning.save_document('larger', 'larger.txt', convert_to(repeat('x', 1025), 'UTF8'), 'text/plain');
SELECT x.x AS attach, a.problem FROM unnest(ARRAY['{"attach": ["half"]}', '{"attach": ["half", "other"]}']::jsonb[]) x,
    dunning._attachments(ARRAY['MD-1'], ARRAY['x'], ARRAY['en'], ARRAY['default'], ARRAY['email'], ARRAY[x.x]) a;
\set VERBOSITY sqlstate
SET dunning.document_size = '26MB';
\set VERBOSITY default
RESET dunning.document_size;
SELECT a.problem FROM dunning._attachments(ARRAY['MD-1'], ARRAY['x'], ARRAY['en'], ARRAY['default'], ARRAY['email'], ARRAY['{"attach": ["half", "other"]}'::jsonb]) a;
DELETE FROM dunning.document WHERE document IN ('half', 'other');

-- what_is_replaced_stands_until_it_is_old
SELECT dunning.save_document('leaflet', 'Help.pdf', convert_to('%PDF help, new', 'UTF8'));
SELECT debtor_id, document, version, replaced_at IS NULL AS in_force FROM dunning.document ORDER BY 1, 2, 3;
SELECT dunning.detach_document('reminder-1', 'hilfe'), dunning.detach_document('reminder-1', 'hilfe');
SELECT dunning.drop_document('hilfe'), dunning.drop_document('hilfe');
UPDATE dunning.document SET replaced_at = now() - interval '101 days' WHERE document = 'hilfe';
SELECT * FROM dunning._refresh_documents();
SELECT dunning.detach_document('reminder-1', 'leaflet');
DELETE FROM dunning.queue WHERE debtor_id LIKE 'MD-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'MD-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'MD-%';
DROP SERVER md_mail; DROP SERVER md_text;
