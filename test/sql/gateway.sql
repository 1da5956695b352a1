-- gateway: servers, secrets, addresses, requests and verdicts. Nothing here opens a socket.
SET timezone = 'UTC';
\set VERBOSITY default

-- server_options_are_checked_where_they_are_typed
CREATE SERVER gw_bad TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway;
CREATE SERVER gw_bad TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'carrier-pigeon');
CREATE SERVER gw_bad TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://mail.example.org');
CREATE SERVER gw_bad TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', from 'a@example.org', url 'smtp://mail.example.org', rat '20/s');
CREATE SERVER gw_bad TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://sms.example.org', directory 'x');
CREATE SERVER gw_bad TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://sms.example.org', password 's3cret');
CREATE SERVER gw_bad TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://sms.example.org', client_cert_file 'a.pem');

-- server_option_values_of_the_wrong_kind_are_refused
CREATE FUNCTION pg_temp.try_option(name text, value text, driver text DEFAULT 'http') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SERVER gw_try TYPE ''sms'' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver %L, %s %I %L)', driver,
        CASE WHEN name <> 'url' AND driver IN ('http', 'smtp') THEN format('url %L,', CASE driver WHEN 'smtp' THEN 'smtp://h.example' ELSE 'https://h.example' END) ELSE '' END
        || CASE WHEN driver = 'smtp' AND name <> 'from' THEN 'from ''a@example.org'',' ELSE '' END, name, value);
    DROP SERVER gw_try;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END $$;
SELECT name, value, pg_temp.try_option(name, value, driver) FROM (VALUES
    ('url', 'https://sms.example.org/v1?x=%20', 'http'), ('url', 'http://127.0.0.1:8080/x', 'http'), ('url', 'https://[::1]:8443/x', 'http'),
    ('url', 'smtp://mail.example.org:587', 'smtp'), ('url', 'smtps://mail.example.org', 'smtp'),
    ('url', 'ftp://x', 'http'), ('url', 'file:///etc/passwd', 'http'), ('url', 'gopher://x', 'http'), ('url', 'https://', 'http'), ('url', 'sms.example.org', 'http'),
    ('url', 'https://user:pw@sms.example.org', 'http'), ('url', 'https://sms.example.org/a b', 'http'), ('url', 'https://sms.example.org:99999', 'http'),
    ('url', 'https://sms.example.org:0', 'http'), ('url', 'https://x#@127.0.0.1', 'http'), ('url', 'https://sms.example.org', 'smtp'), ('url', 'smtp://mail.example.org', 'http'),
    ('url', E'https://sms.example.org/\r\nX: y', 'http'),
    ('rate', '20/s', 'http'), ('rate', '100/min', 'http'), ('rate', '20', 'http'), ('rate', '-1/s', 'http'), ('rate', '0/s', 'http'), ('rate', '1e9/s', 'http'), ('rate', '5/week', 'http'), ('rate', ' 5/s', 'http'),
    ('rate_group', 'line 1', 'http'), ('rate_group', '', 'http'), ('rate_group', repeat('g', 63), 'http'), ('rate_group', repeat('g', 64), 'http'),
    ('daily', '50000', 'http'), ('daily', '0', 'http'), ('daily', 'many', 'http'), ('daily', '99999999999999999999', 'http'),
    ('timeout', '30s', 'http'), ('timeout', '30', 'http'), ('timeout', '1h', 'http'), ('timeout', '1ms', 'http'), ('timeout', '', 'http'),
    ('key_life', '24h', 'http'), ('key_life', '10min', 'http'), ('contract', 'once', 'http'), ('contract', 'twice', 'http'),
    ('idempotency_header', 'Idempotency-Key', 'http'), ('idempotency_header', 'X: y', 'http'), ('ca_file', '../../etc/passwd', 'http'), ('ca_file', 'ca.pem', 'http'),
    ('tls', 'none', 'smtp'), ('tls', 'maybe', 'smtp'), ('tls', 'none', 'http'), ('from', 'Billing <billing@example.org>', 'smtp'), ('from', 'Billing', 'smtp'), ('from', 'a@x.y <b@>', 'smtp'),
    ('proxy', 'http://proxy.example:3128', 'http'), ('proxy', 'proxy.example', 'http'), ('proxy', 'http://proxy.example', 'http'), ('proxy_ca_file', 'proxy.pem', 'smtp'), ('proxy_ca_file', '/etc/ssl/x', 'http'),
    ('source_address', '192.0.2.7', 'http'), ('source_address', '2001:db8::7', 'smtp'), ('source_address', 'eth0', 'http'), ('source_address', '192.0.2.7', 'spool'), ('http_version', 'h2', 'http'), ('http_version', 'h1', 'http'), ('http_version', '3', 'http'), ('http_version', 'h2', 'smtp'),
    ('verdict', 'perhaps', 'mock'), ('directory', 'a/b', 'spool'), ('directory', '..', 'spool'), ('directory', 'print', 'spool')
) v(name, value, driver);

-- mapping_keeps_a_secret_out_of_the_catalog
CREATE SERVER gw_http TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://sms.example.org/v1/', from '+4930123456');
CREATE USER MAPPING FOR dunning_worker SERVER gw_http OPTIONS (username 'x', password 's3cret');
CREATE USER MAPPING FOR dunning_worker SERVER gw_http OPTIONS (username 'x', secret_file '/etc/passwd');
CREATE USER MAPPING FOR dunning_worker SERVER gw_http OPTIONS (user_name 'x');
SELECT bool_and(umoptions IS NULL) FROM pg_user_mappings WHERE srvname = 'gw_http';

-- only_an_admin_may_use_the_wrapper
SELECT r.rolname, has_foreign_data_wrapper_privilege(r.rolname, 'dunning_gateway', 'USAGE')
FROM pg_roles r WHERE r.rolname ~ '^dunning_' ORDER BY 1;

-- servers_are_found_by_channel_and_creditor_in_a_fixed_order
CREATE SERVER gw_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://mail.example.org:587', from 'Nordlys Inkasso <inkasso@nordlys.example>');
CREATE SERVER gw_mail_south TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'south');
CREATE SERVER gw_mail_first TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', position '1');
SELECT * FROM dunning._servers('email');
SELECT server FROM dunning._servers('email', 'north') ORDER BY ord;
SELECT dunning._server_for('email', 'south'), dunning._server_for('email', 'north'), dunning._server_for('pigeon', 'north');
INSERT INTO dunning.server_state VALUES ('gw_mail_first', now(), current_user);
SELECT dunning._server_for('email', 'north'), (SELECT paused FROM dunning._servers('email') WHERE server = 'gw_mail_first');
DELETE FROM dunning.server_state WHERE server = 'gw_mail_first';

-- loading_says_what_is_missing_and_how_to_mend_it
SELECT dunning._build_request('nowhere', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
CREATE SERVER gw_untyped FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
SELECT dunning._build_request('gw_untyped', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
DROP SERVER gw_untyped;
CREATE FOREIGN DATA WRAPPER gw_other;
CREATE SERVER gw_foreign TYPE 'sms' FOREIGN DATA WRAPPER gw_other;
SELECT dunning._build_request('gw_foreign', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
DROP FOREIGN DATA WRAPPER gw_other CASCADE;
CREATE SERVER gw_preset TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://x.example', preset 'nosuch');
SELECT dunning._build_request('gw_preset', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
ALTER SERVER gw_preset OPTIONS (SET preset 'kannel', ADD contract 'repeat');
SELECT dunning._build_request('gw_preset', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
DROP SERVER gw_preset;

-- plain_text_goes_only_to_hosts_the_superuser_named
CREATE SERVER gw_plain TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:8080/send');
SELECT dunning._build_request('gw_plain', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
SET dunning.allowed_hosts = '127.0.0.1:8080';
SELECT url FROM dunning._build_request('gw_plain', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
SET dunning.allowed_hosts = '127.0.0.1:8081';
SELECT url FROM dunning._build_request('gw_plain', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
RESET dunning.allowed_hosts;
DROP SERVER gw_plain;

-- secret_files_must_be_private_regular_and_ours
CREATE USER MAPPING FOR dunning_worker SERVER gw_mail OPTIONS (username 'mailer', secret_file 'good');
\set build 'SELECT mail_rcpt FROM dunning._build_request(''gw_mail'', ''01890000-0000-7000-8000-000000000001'', ''ada@debtors.test'', ''s'', ''t'');'
:build
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm -rf gw_secrets; mkdir -m 700 gw_secrets; cd gw_secrets; umask 077; printf "CANARY-s3cret\n" >good; printf "x\n" >open; chmod 644 open; ln -s good link; mkfifo pipe; printf "a\nb\n" >lines; : >empty; head -c 5000 /dev/zero | tr "\\0" x >long';
SELECT set_config('dunning.secret_directory', current_setting('data_directory') || '/gw_secrets', false) IS NOT NULL AS set;
:build
CREATE FUNCTION pg_temp.try_secret(file text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE format('ALTER USER MAPPING FOR dunning_worker SERVER gw_mail OPTIONS (SET secret_file %L)', file);
    PERFORM dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 's', 't');
    RETURN 'read';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN sqlstate || ' ' || regexp_replace(sqlerrm || coalesce(' HINT ' || nullif(hint, ''), ''), '[^'' "]*/gw_secrets', 'DIR', 'g');
END $$;
SELECT f, pg_temp.try_secret(f) FROM unnest(ARRAY['good', 'open', 'link', 'pipe', 'lines', 'empty', 'long', 'missing']) f;
ALTER USER MAPPING FOR dunning_worker SERVER gw_mail OPTIONS (DROP username);
:build
ALTER USER MAPPING FOR dunning_worker SERVER gw_mail OPTIONS (ADD username 'mailer');
SET dunning.secret_directory = 'relative/path';
SET dunning.allowed_hosts = '127.0.0.1:http';
SET ROLE dunning_admin;
SET dunning.secret_directory = '/tmp';
\set VERBOSITY sqlstate
SHOW dunning.secret_directory;
SHOW dunning.allowed_hosts;
\set VERBOSITY default
RESET ROLE;

-- mail_is_ascii_with_encoded_headers_and_both_parts
SELECT kind, mail_from, mail_rcpt, url FROM dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 's', 't');
SELECT replace(body, E'\r', '$') AS mail FROM dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000001', 'jurgen@debtors.test',
    'Jürgen, Ihre Rechnung über 1.240,50 € ist seit 12 Tagen fällig', E'Hallo Jürgen,\n\n.\nFrom hier an: 3 = 2 + 1 \nEnde', '<p>Hallo Jürgen</p>',
    'Mette, Nordlys Energi', 'svar@nordlys.example', 'https://pay.example/u/abc', '2026-02-28 23:59:59+01');
SELECT replace(body, E'\r', '$') AS mail FROM dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000002', 'ada@debtors.test', 'Plain', 'こんにちは、請求書です', NULL, 'Ada "The" \ Byron');

-- mail_headers_take_no_second_line_from_any_text
SELECT count(*) FILTER (WHERE body ~ '\r\n(Bcc|X-Evil|To: <evil)' OR regexp_replace(body, '\r\n', '', 'g') ~ '[\r\n]') AS injected,
       count(*) FILTER (WHERE body ~ '[^\x20-\x7e\r\n]') AS not_ascii,
       count(*) FILTER (WHERE split_part(body, E'\r\n\r\n', 1) !~ '^From: ' ) AS broken, count(*)
FROM unnest(ARRAY[E'a\r\nBcc: evil@x.example', E'a\nX-Evil: 1', E'a\rTo: <evil@x.example>', E'a\r\n\r\n.\r\nMAIL FROM:<x@y.example>', E'ü\r\nBcc: evil@x.example',
        repeat('x', 3000), repeat('ü', 3000), '=?UTF-8?B?DQpCY2M6IGV2aWxAeC5leGFtcGxl?=', E'a\u2028Bcc: x', E'\u202Etxet', '']) t
CROSS JOIN LATERAL dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', t, E'x\n.\nMAIL FROM:<evil@x.example>\n', NULL, t) b;

-- mail_lines_are_never_longer_than_998_bytes_nor_a_lone_dot
SELECT max(length(line)) <= 998 AS short, bool_or(line = '.' OR line ~ '^From ') AS dangerous
FROM dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', repeat('Mahnung ', 200),
    repeat('lang', 3000) || E'\n.\n' || repeat('.', 500) || E'\nFrom ' || repeat('ö', 90), '<p>' || repeat('.', 400)) b,
    regexp_split_to_table(b.body, '\r\n') line;

-- http_presets_make_the_request_their_gateway_wants
SELECT kind, method, url, headers, body FROM dunning._build_request('gw_http', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, E'Hallo "Jürgen" \\ {secret}\n5 €');
SELECT body::jsonb = jsonb_build_object('id', '01890000-0000-7000-8000-000000000001', 'channel', 'sms', 'to', '+4915112345678', 'from', '+4930123456', 'subject', '', 'text', E'"},{"to":"+1"\t\u0001') AS same
FROM dunning._build_request('gw_http', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, E'"},{"to":"+1"\t\u0001');
CREATE USER MAPPING FOR dunning_worker SERVER gw_http OPTIONS (username 'AC0123', secret_file 'good');
ALTER SERVER gw_http OPTIONS (ADD preset 'twilio');
SELECT method, url, headers, body FROM dunning._build_request('gw_http', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'Zahlung & mehr: 5 €&To=+1');
ALTER SERVER gw_http OPTIONS (SET preset 'kannel');
SELECT method, url, headers, body FROM dunning._build_request('gw_http', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, E'Grüße\n');
SELECT substring(url FROM 'coding=\d') FROM dunning._build_request('gw_http', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'Łódź');
CREATE SERVER gw_sendgrid TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://api.sendgrid.com', preset 'sendgrid', from 'Billing <billing@example.org>', idempotency_header 'X-Key');
SELECT dunning._build_request('gw_sendgrid', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 's', 't');
CREATE USER MAPPING FOR dunning_worker SERVER gw_sendgrid OPTIONS (secret_file 'good');
-- a_mail_over_sendgrid_can_be_unsubscribed_from_with_one_click: where there is an address for it
SELECT body::jsonb -> 'headers' AS headers, body::jsonb - 'headers' = b.bare AS the_rest_is_the_same
FROM (SELECT body::jsonb AS bare FROM dunning._build_request('gw_sendgrid', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 's', 't}', '<b>t</b> }')) b,
    dunning._build_request('gw_sendgrid', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 's', 't}', '<b>t</b> }', unsubscribe_url => 'https://pay.example/u?t="x"&y');
SELECT dunning.save_http_preset('formed', 'POST', 'form', body => 'to={address}', unsubscribe => 'stop={unsubscribe_url}');
CREATE SERVER gw_formed TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://api.example.org', preset 'formed');
SELECT r.body FROM (VALUES (NULL), ('https://pay.example/u?t=1&y')) u(u), dunning._build_request('gw_formed', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 's', 't', unsubscribe_url => u.u) r;
DROP SERVER gw_formed;
SELECT dunning.reset_http_preset('formed');
SELECT dunning.save_http_preset('bad', 'POST', 'json', body => '{"to":"{address}"}', unsubscribe => 'stop');
SELECT dunning.save_http_preset('bad', 'POST', 'json', body => '["{address}"]', unsubscribe => '"stop":"{unsubscribe_url}"');
SELECT dunning.save_http_preset('bad', 'GET', 'none', unsubscribe => 'stop');
SELECT method, url, headers, jsonb_pretty(body::jsonb) FROM dunning._build_request('gw_sendgrid', '01890000-0000-7000-8000-000000000001', 'ada@debtors.test', 'Ihre "Rechnung"', 't', '<b>t</b>');

-- an_admin_who_is_no_superuser_makes_servers_mappings_and_presets
CREATE ROLE gw_boss IN ROLE dunning_admin;
SET ROLE gw_boss;
CREATE SERVER gw_own TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER gw_own OPTIONS (username 'x', secret_file 'good');
SELECT dunning.save_http_preset('own', 'POST', 'form', body => 'to={address}');
SELECT dunning.save_http_preset('own', 'POST', 'form', body => 'to={address}&text={text}');
SELECT preset, body, saved_by IS NOT NULL AS kept FROM dunning.http_preset WHERE NOT builtin;
SELECT dunning.reset_http_preset('own'), dunning.reset_http_preset('own'), dunning.reset_http_preset('kannel');
DELETE FROM dunning.http_preset WHERE builtin;
SELECT dunning._build_request('gw_own', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
DROP SERVER gw_own CASCADE;
RESET ROLE;
DROP ROLE gw_boss;

-- presets_are_rows_that_a_users_row_replaces
\set VERBOSITY terse
SELECT dunning.save_http_preset('bad', 'POST', 'json', body => '{"to":"{adress}"}');
SELECT dunning.save_http_preset('bad', 'POST', 'json');
SELECT dunning.save_http_preset('bad', 'DELETE', 'none');
SELECT dunning.save_http_preset('bad', 'GET', 'none', auth => 'header');
SELECT dunning.save_http_preset('bad', 'POST', 'json', body => '{"to":{address}}');

-- a_question_about_a_message_is_checked_when_it_is_typed
SELECT q.query, dunning._query_problem(q.query::jsonb)
FROM unnest(ARRAY['[]', '{"path": "/m/{message_id}", "id": "id", "colour": "red"}', '{"id": "id"}', '{"path": "/m/1", "id": "id"}', '{"path": "m/{message_id}", "id": "id"}', '{"path": "/m/{message_id}"}',
    '{"path": "/m/{message_id}?to={address}", "id": "id"}', '{"path": "/m/{message_id}", "id": "id", "state": "status"}', '{"path": "/m/{message_id}", "id": "id", "state": "status", "words": {"ok": "lost"}}',
    '{"path": "/m/{message_id}", "id": 7}', '{"path": "/m/{message_id}", "id": "id", "absent": "failed"}', '{"path": "/m/{message_id}", "id": "id", "absent_after": "10"}',
    '{"path": "/m/{message_id}?key={secret}", "id": "id", "state": "status", "words": {"ok": "sent", "gone": "not_taken"}, "absent": "not_taken", "absent_after": "1h"}']) WITH ORDINALITY q(query, n) ORDER BY q.n;
SELECT dunning.save_http_preset('bad', 'POST', 'json', body => '{"to":"{address}"}', query => '{"path": "/m/1", "id": "id"}');
-- what_a_gateway_says_when_it_is_asked
SELECT a.code, a.body, a.age, j.*
FROM (VALUES (200, '{"id": "g7", "echo": "018f0000-0000-7000-8000-000000000001", "status": "QUEUED"}', '1 s'), (200, '{"id": "g7", "echo": "018f0000-0000-7000-8000-000000000001", "status": "Bounced"}', '1 s'),
    (200, '{"id": "g7", "echo": "018f0000-0000-7000-8000-000000000001", "status": "odd"}', '1 s'), (200, '{"id": "g7", "echo": "018f0000-0000-7000-8000-000000000001"}', '1 s'),
    (200, '{"id": "g7", "echo": "018f0000-0000-7000-8000-000000000002", "status": "queued"}', '1 s'), (200, '{"id": "g7", "status": "queued"}', '1 s'), (200, '{"status": "queued"}', '1 s'),
    (200, '{}', '1 h'), (200, '[]', '1 h'), (200, '<html>come back later</html>', '1 h'), (200, NULL, '1 h'), (204, '', '1 h'), (200, '{"id": "a\u0000b"}', '1 h'),
    (404, 'no', '9 min'), (404, 'no', '10 min'), (410, 'no', '1 h'), (401, '', '1 h'), (301, '', '1 h'), (500, '{"id": "g7"}', '1 h')) a(code, body, age),
    dunning._judge_answer('{"path": "/{message_id}", "id": "id", "echo": "echo", "state": "status", "words": {"queued": "sent", "bounced": "failed"}, "absent": "not_taken"}',
        '018f0000-0000-7000-8000-000000000001', a.code, a.body, a.age::interval) j;
SELECT j.verdict, j.said FROM dunning._judge_answer('{"id": "id"}', '018f0000-0000-7000-8000-000000000001', 200, repeat('[', 100000), '1 h') j;
SELECT a.body, j.* FROM unnest(ARRAY['{"data": []}', '{"data": [{"id": "ltr_1", "metadata": {"message_id": "018f0000-0000-7000-8000-000000000001"}}]}', '{"data": [{"id": "ltr_1", "metadata": {}}]}', '{"data": {}}', '{}', '[]', '{"error": {}}']) a(body),
    dunning._judge_answer((SELECT p.query FROM dunning.http_preset p WHERE p.preset = 'lob' AND p.builtin), '018f0000-0000-7000-8000-000000000001', 200, a.body, '1 h') j;
SELECT dunning.save_http_preset('kannel', 'POST', 'form', body => 'n={address}', path => '/{channel}', auth => 'header', auth_header => 'X-Api-Key', id_field => 'id');
SELECT method, url, headers, body FROM dunning._build_request('gw_http', '01890000-0000-7000-8000-000000000001', '+4915112345678', NULL, 'x');
SELECT dunning.reset_http_preset('kannel');
\set VERBOSITY default

-- a_letter_at_lob_has_the_parts_of_the_postal_address_and_a_text_that_is_no_markup
COPY (SELECT 'live_key') TO PROGRAM 'umask 077; mkdir -p gw_secrets && cat > gw_secrets/lob.secret';
SELECT set_config('dunning.secret_directory', current_setting('data_directory') || '/gw_secrets', false) IS NOT NULL AS set;
CREATE SERVER gw_lob TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://api.lob.com', preset 'lob', "from" 'adr_1');
CREATE USER MAPPING FOR dunning_worker SERVER gw_lob OPTIONS (secret_file 'lob.secret');
SELECT headers, jsonb_pretty(body::jsonb) AS body FROM dunning._build_request('gw_lob', '01890000-0000-7000-8000-000000000001',
    '{"name": "Ada \"A\" Åse", "street": "Gade 1", "zip": 8000, "city": "Århus", "country": "DK"}', 's', E'Pay <b>10</b> & more\nnow');
SELECT body::jsonb -> 'to' AS plain FROM dunning._build_request('gw_lob', '01890000-0000-7000-8000-000000000001', 'Gade 1, 8000 Århus', 's', 't');
DROP SERVER gw_lob CASCADE;

-- spool_writes_one_file_named_by_the_message
CREATE SERVER gw_print TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'gw_secrets');
SELECT dunning._build_request('gw_print', '01890000-0000-7000-8000-000000000001', 'Ada, Street 1', 's', 't');
SELECT set_config('dunning.spool_directory', current_setting('data_directory'), false) IS NOT NULL AS set;
SELECT kind, replace(path, current_setting('data_directory'), 'DIR') AS path, body FROM dunning._build_request('gw_print', '01890000-0000-7000-8000-000000000001', '{"street": "Gade 1", "city": "Århus"}', 'Sidste "varsel"', E'Kære Ada\n', '<p>');
ALTER SERVER gw_print OPTIONS (SET directory 'nosuch');
DO $$
BEGIN
    PERFORM dunning._build_request('gw_print', '01890000-0000-7000-8000-000000000001', 'Ada', 's', 't');
EXCEPTION WHEN SQLSTATE 'DN006' THEN
    RAISE NOTICE '%', regexp_replace(sqlerrm, '"/.*/', '"DIR/');
END $$;
RESET dunning.spool_directory;

-- addresses_that_people_have_are_accepted
SELECT kind, address, dunning._check_address(kind, address) FROM (VALUES
    ('email', 'ada@debtors.test'), ('email', 'o''brien+x@sub.example-1.org'), ('email', 'A.B_c%d@EXAMPLE.ORG'), ('email', 'a@xn--mller-kva.example'),
    ('sms', '+4915112345678'), ('phone', '+12025550123'), ('call', '+123456789012345'), ('letter', 'Gade 1, 8000 Århus'), ('letter', '{"city": "Łódź"}'), ('portal', 'user-7')) v(kind, address);

-- hostile_addresses_are_never_accepted
CREATE TEMP TABLE hostile AS
SELECT 'email' AS kind, 'ada@debtors.test' || c AS address FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT chr(127)) x
UNION SELECT 'email', c || 'ada@debtors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT chr(127)) x
UNION SELECT 'email', 'ad' || c || 'a@debtors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT unnest(ARRAY['<', '>', '(', ')', '[', ']', ',', ';', ':', '\', '"', '@', 'ü', '＠', E'\u200b', E'\u202e', E'\u0085', E'\u2028'])) x
UNION SELECT 'email', 'ada@deb' || c || 'tors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT unnest(ARRAY['<', '>', '(', ')', '[', ']', ',', ';', ':', '\', '"', '@', '_', '/', '%', '!', '..', 'é', E'\u3002'])) x
UNION SELECT 'email', a FROM unnest(ARRAY['', '@', 'a@', '@b.test', 'a', 'a@b', 'a@.test', 'a@b.', 'a@-b.test', 'a@b-.test', '.a@b.test', 'a.@b.test', 'a..b@c.test', 'a@b..test', 'a@[127.0.0.1]', '"a b"@c.test',
    'a@b.test,c@d.test', 'a@b.test;c@d.test', 'a@b.test c@d.test', 'Ada <a@b.test>', '<a@b.test>', '@relay.test:a@b.test', 'mailto:a@b.test', 'a@b.test?bcc=c@d.test', 'a@b.test>', 'a@b.test> SIZE=1',
    E'b@x.test>\r\nRCPT TO:<evil@x.test', E'b@x.test>\nRCPT TO:<evil@x.test', E'b@x.test\r\n.\r\nMAIL FROM:<e@x.test>', 'a@b.test%0d%0aRCPT', 'a@b.test\r\n', repeat('a', 65) || '@b.test', 'a@' || repeat('b', 64) || '.test',
    'a@' || repeat('b.', 126) || 'test', repeat('a', 100000)]) a
UNION SELECT 'sms', a FROM unnest(ARRAY['', '+', '+1', '+123456', '+0123456789', '0049151123456', '4915112345678', '+49 151 12345678', '+49-151-12345678', '+49(0)15112345678', '+1234567890123456', '+4915112345678;+1', '+4915112345678,+1',
    '+4915112345678&to=+1', '+49151１2345678', '++4915112345678', '+4915112345678x1', 'tel:+4915112345678', '*31#+4915112345678', '+4915112345678*', '+٤٩١٥١١٢٣٤٥٦']) a
UNION SELECT 'sms', '+491511234' || chr(i) || '5678' FROM generate_series(1, 32) i
UNION SELECT k, 'Gade 1' || chr(i) FROM generate_series(1, 31) i, unnest(ARRAY['letter', 'portal']) k;
SELECT count(*) >= 200 AS enough, count(*) FILTER (WHERE dunning._check_address(kind, address) IS NULL) AS accepted,
       count(*) FILTER (WHERE dunning._check_address(kind, address) !~ '^(address|phone)_[a-z_]+$') AS strange FROM hostile;
SELECT dunning._check_address('email', NULL), dunning._check_address('sms', E'+49151\r\n');
SELECT dunning._build_request('gw_mail', '01890000-0000-7000-8000-000000000001', E'b@x.test>\r\nRCPT TO:<evil@x.test', 's', 't');

-- verdicts_of_every_http_status
SELECT verdict, array_agg(r.lo || CASE WHEN r.hi > r.lo THEN '-' || r.hi ELSE '' END ORDER BY r.lo) AS codes FROM (
    SELECT verdict, min(code) AS lo, max(code) AS hi FROM (
        SELECT code, verdict, code - row_number() OVER (PARTITION BY verdict ORDER BY code) AS run
        FROM generate_series(200, 599) code, LATERAL dunning._judge('http', 'replied', code) j) x GROUP BY verdict, run) r GROUP BY verdict ORDER BY verdict;
-- and_of_a_gateway_that_honours_no_key: what may have been taken is not asked again
SELECT verdict, array_agg(r.lo || CASE WHEN r.hi > r.lo THEN '-' || r.hi ELSE '' END ORDER BY r.lo) AS codes FROM (
    SELECT verdict, min(code) AS lo, max(code) AS hi FROM (
        SELECT code, verdict, code - row_number() OVER (PARTITION BY verdict ORDER BY code) AS run
        FROM generate_series(200, 599) code, LATERAL dunning._judge('http', 'replied', code, contract => 'once') j) x GROUP BY verdict, run) r GROUP BY verdict ORDER BY verdict;
-- verdicts_of_every_smtp_code_before_and_after_the_dot
SELECT progress, verdict, array_agg(r.lo || CASE WHEN r.hi > r.lo THEN '-' || r.hi ELSE '' END ORDER BY r.lo) AS codes FROM (
    SELECT progress, verdict, min(code) AS lo, max(code) AS hi FROM (
        SELECT progress, code, verdict, code - row_number() OVER (PARTITION BY progress, verdict ORDER BY code) AS run
        FROM generate_series(200, 599) code, unnest(ARRAY['not_sent', 'maybe_sent', 'replied']) progress, LATERAL dunning._judge('smtp', progress, code) j) x
    GROUP BY progress, verdict, run) r GROUP BY progress, verdict ORDER BY 1, 2;
-- silence_is_a_retry_before_the_body_and_unknown_after
SELECT driver, progress, j.verdict, j.reason FROM unnest(ARRAY['http', 'smtp', 'spool']) driver, unnest(ARRAY['not_sent', 'maybe_sent']) progress,
    LATERAL dunning._judge(driver, progress, 0, NULL, NULL, 'Couldn''t connect to server') j ORDER BY 1, 2;
SELECT (dunning._judge('http', 'not_sent', 0)).*;
-- a_refused_recipient_is_suppressed_but_not_for_policy
SELECT body, (dunning._judge('smtp', 'not_sent', 550, NULL, body)).verdict FROM unnest(ARRAY['550 5.1.1 unknown user', '550 5.7.1 outside delivery is off', NULL]) body;
SELECT body, (dunning._judge('http', 'replied', 400, NULL, body, NULL, 'sid', 'code', '21610')).verdict FROM unnest(ARRAY['{"code": 21610}', '{"code": 1}', '{"code":', NULL]) body;

-- retry_after_is_seconds_or_a_date_and_at_most_a_day
SELECT left(t, 30) AS t, (dunning._judge('http', 'replied', 429, t)).retry_after_s FROM unnest(ARRAY['0', '30', ' 30 ', '-5', '1000000000000', '99999999999999999999999999', '1.5', '30s', 'soon', '', 'Wed, 21 Oct 2015 07:28:00 GMT', 'Fri, 31 Dec 2999 23:59:59 GMT', '2037', repeat('9', 5000)]) t;
SELECT (dunning._judge('http', 'replied', 503, to_char(clock_timestamp() + interval '10 min', 'Dy, DD Mon YYYY HH24:MI:SS "GMT"'))).retry_after_s BETWEEN 590 AND 600 AS ten_minutes;

-- the_gateways_id_is_read_from_its_reply_whatever_it_holds
SELECT json, dunning._json_field(json, path) FROM (VALUES
    ('{"id": "abc"}', 'id'), ('{"id": 42, "x": 1}', 'id'), ('{"a": {"id": "no"}, "id": "yes"}', 'id'), ('{"messages": [{"id": "m0"}, {"id": "m1"}]}', 'messages.1.id'), ('[{"id": "x"}]', '0.id'),
    ('{"id": null}', 'id'), ('{"id": {"x": 1}}', 'id'), ('{"id": "a\nb"}', 'id'), ('{"id": "ü"}', 'id'), ('{"id": "unended', 'id'), ('{"id"', 'id'), ('{', 'id'), ('', 'id'), ('null', 'id'), ('"id"', 'id'),
    ('{"x": "\"id\": 1", "id": 2}', 'id'), ('{"x": [1, 2, {"id": 3}], "id": 4}', 'id'), ('{"id": ""}', 'id'), ('<html>', 'id'), ('{"id": "x"}', '')) v(json, path);
SELECT dunning._json_field(repeat('[', 100000), '0'), dunning._json_field('{"a": ' || repeat('[', 100000) || ', "id": 1}', 'id'), length(dunning._json_field('{"id": "' || repeat('x', 200) || '"}', 'id')), dunning._json_field('{"id": "' || repeat('x', 201) || '"}', 'id');

-- the_network_refuses_every_private_address_unless_it_is_named
SELECT address, dunning._allows_address(address, 443) FROM unnest(ARRAY['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.128.0.1', '127.0.0.1', '127.255.255.255', '169.254.169.254', '172.15.0.1', '172.16.0.1', '172.31.255.255', '172.32.0.1',
    '192.168.0.1', '192.169.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '8.8.8.8', '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::', 'fc00::1', 'fdff::1', 'fe80::1', 'febf::1', 'ff02::1', '2606:4700::1111',
    '168.63.129.16', '168.63.129.17', '192.0.0.8', '192.0.2.1', '192.0.3.1', '192.88.99.1', '192.88.100.1', '198.51.100.1', '198.51.101.1', '203.0.113.1', '203.0.114.1', '64:ff9b::808:808', '64:ff9b:1::1', '100::1', '100:0:0:1::1', '2001:2::1', '2001:2:1::1', '2001:10::1', '2001:1f::1', '2001:2f::1',
    '2001:30::1', '2001:db8::1', '2001:db9::1', '3fff:fff::1', '3fff:1000::1', '5f00::1', '5f01::1']) address;
SELECT address, port, host, list, dunning._allows_address(address, port, host, list) FROM (VALUES
    ('127.0.0.1', 25, '', '127.0.0.1:25'), ('127.0.0.1', 26, '', '127.0.0.1:25'), ('127.0.0.1', 26, '', '127.0.0.0/8'), ('::1', 25, '', '[::1]:25'), ('::1', 25, '', '::1/128'), ('::ffff:127.0.0.1', 25, '', '127.0.0.1'),
    ('10.0.0.7', 8080, 'sms.internal', 'SMS.internal:8080, 192.168.0.0/16'), ('10.0.0.7', 8081, 'sms.internal', 'sms.internal:8080'), ('10.0.0.7', 8080, '', 'sms.internal:8080'), ('192.168.3.4', 1, '', 'a.b:1, 192.168.0.0/16')) v(address, port, host, list);
SELECT dunning._allows_address('127.0.0.1', 25, '', '127.0.0.1:0');
SELECT dunning._allows_address('::1', 25, '', '[::1]:0');
SELECT dunning._allows_address('127.0.0.1', 25, '', '127.0.0.1/33');
SELECT dunning._allows_address('127.0.0.1', 25, '', '300.1.1.1');
SELECT dunning._allows_address('127.0.0.1', 25, '', '[::1');
SELECT dunning._allows_address('127.0.0.1', 25, '', 'x, host:99999');
SELECT dunning._allows_address('127.0.0.1', 25, '', '127.0.0.0/8:25');
SELECT dunning._allows_address('localhost', 25);

DROP SERVER gw_http, gw_mail, gw_mail_south, gw_mail_first, gw_sendgrid, gw_print CASCADE;
COPY (SELECT 1) TO PROGRAM 'rm -rf gw_secrets; cat >/dev/null';
RESET dunning.secret_directory;
