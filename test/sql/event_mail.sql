-- Mail that came back: reports, complaints, answers; each file of sql/mail as it would arrive.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.debtor (debtor_id, name, language, country, email)
SELECT 'EM-' || n, name, 'en', 'GB', lower(name) || '@debtors.example'
FROM unnest(ARRAY['Ada', 'Bo', 'Cy', 'Di', 'El', 'Fay', 'Gus', 'Jo', 'Hal', 'Ida']) WITH ORDINALITY d(name, n);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
SELECT 'EM-' || n, 'EM-I' || n, '2026-04-01', '2026-05-01', 620.25, 'EUR' FROM generate_series(1, 10) n;
CREATE SERVER em_post TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'em');
-- What has left: a message each. The mails below name those of the first eight; nobody names Hal's and Ida's.
CREATE TABLE pg_temp.sent AS SELECT n, dunning._uuid7() AS id FROM generate_series(1, 10) n;
INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency,
                             context, decision, created_at, created_by)
SELECT id, 'EM-' || n, 'default', 'reminder-1', 'email', 'en', 'em_post', dunning._now(), 'x', '{}', 0, 'EUR', '{}', '{}', dunning._now(), 'test'
FROM pg_temp.sent;
INSERT INTO dunning.body SELECT m.message_id, m.debtor_id, 'default', d.email, 's', 't', NULL, dunning._now() FROM dunning.message m JOIN dunning.debtor d USING (debtor_id) WHERE m.debtor_id LIKE 'EM-%';
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency,
                            at, contact_on, slice, seq, prev, digest)
SELECT m.message_id, 1, m.debtor_id, 'default', 'email', 'em_post', dunning._address_digest(d.email, 'email'), '{}', '\x00', 1, 'test', 0, 'EUR', now(), dunning._now(), 0, 0, '\x00', '\x00'
FROM dunning.message m JOIN dunning.debtor d USING (debtor_id) WHERE m.debtor_id LIKE 'EM-%';
INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, at)
SELECT m.message_id, dunning._uuid7(), m.debtor_id, 'default', 1, 'sent', 'smtp_250', dunning._now() FROM dunning.message m WHERE m.debtor_id LIKE 'EM-%';

CREATE TABLE pg_temp.mail (name text, mail bytea);
\set mails `cd "$PG_ABS_SRCDIR/sql/mail" && for f in *.eml; do printf '%s %s ' "${f%.eml}" "$(base64 -w0 <"$f")"; done`
INSERT INTO pg_temp.mail
SELECT w[1], decode(w[2], 'base64') FROM regexp_matches(:'mails', '(\S+) (\S+)', 'g') w;
DO $$ BEGIN
    FOR i IN 1..8 LOOP
        UPDATE pg_temp.mail SET mail = convert_to(replace(convert_from(mail, 'UTF8'), format('01900000-0000-7000-8000-00000000000%s', i),
                                                          (SELECT s.id::text FROM pg_temp.sent s WHERE s.n = i)), 'UTF8');
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.mail(name text) RETURNS bytea LANGUAGE sql AS $$ SELECT m.mail FROM pg_temp.mail m WHERE m.name = mail.name $$;
CREATE FUNCTION pg_temp.is_suppressed(address text) RETURNS boolean LANGUAGE sql AS
$$ SELECT EXISTS (SELECT FROM dunning.suppression s WHERE s.address_digest = dunning._address_digest(address, 'email') AND s.channel IN ('email', '*')) $$;

-- a_mail_is_read_for_what_it_is
SELECT m.name, r.kind, r.action, r.status, (SELECT s.n FROM pg_temp.sent s WHERE s.id = r.message_ids[1]) AS about, r.sender, r.recipient, r.diagnostic
FROM pg_temp.mail m, dunning._read_mail(m.mail) r ORDER BY m.name COLLATE "C";

-- the_writers_own_words_are_read_and_nothing_else
SELECT m.name, r.subject, r.said FROM pg_temp.mail m, dunning._read_mail(m.mail) r WHERE r.kind = 'answer' ORDER BY m.name COLLATE "C";

-- line_ends_make_no_difference
SELECT count(*) AS mails, count(*) FILTER (WHERE a IS DISTINCT FROM b) AS different
FROM pg_temp.mail m, LATERAL (SELECT r.* FROM dunning._read_mail(m.mail) r) a,
     LATERAL (SELECT r.* FROM dunning._read_mail(convert_to(replace(replace(encode(m.mail, 'escape'), E'\r', ''), E'\n', E'\r\n'), 'UTF8')) r) b
WHERE m.name NOT IN ('answer');

-- a_mail_that_says_its_address_is_wrong_suppresses_it_and_fails_the_message
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('bounce'), '2026-06-10 09:00+00');
SELECT e.kind, e.at, e.detail - 'server' AS detail FROM dunning.event e WHERE e.debtor_id = 'EM-1';
SELECT s.state, s.reason FROM dunning.message_state s WHERE s.debtor_id = 'EM-1';
SELECT pg_temp.is_suppressed('ada@debtors.example');

-- the_same_mail_again_is_one_event
SELECT kind, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('bounce'), '2026-06-10 09:00+00');
SELECT count(*) FROM dunning.event e WHERE e.debtor_id = 'EM-1';

-- a_delay_is_nothing_yet
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('delayed'));

-- a_full_mailbox_and_a_policy_are_no_wrong_address
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('full'));
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('policy'));
SELECT pg_temp.is_suppressed('bo@debtors.example') AS bo, pg_temp.is_suppressed('el@debtors.example') AS el;
SELECT s.debtor_id, s.state, s.reason FROM dunning.message_state s WHERE s.debtor_id IN ('EM-2', 'EM-5') ORDER BY 1;

-- without_a_status_the_other_servers_answer_decides_and_an_old_report_is_known_by_where_it_came_to
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('no-status'));
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('qmail'));
SELECT pg_temp.is_suppressed('cy@debtors.example') AS cy, pg_temp.is_suppressed('di@debtors.example') AS di;
SELECT s, d, dunning._is_hard_bounce(s, d) FROM (VALUES
    ('5.1.1', NULL), ('5.1.10', NULL), ('5.1.8', 'sender refused'), ('5.2.1', NULL), ('5.2.2', NULL), ('5.4.4', NULL), ('5.4.1', NULL), ('4.4.7', '550'),
    (NULL, '550 no'), ('5.0.0', 'smtp; 553 no'), ('5.0.0', 'smtp; 552 full'), ('5.0.0', 'queue id 5501'), (NULL, NULL)) v(s, d);

-- an_absence_is_no_answer
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('away'));
SELECT count(*) FROM dunning.task t WHERE t.debtor_id = 'EM-6';

-- an_answer_holds_and_makes_a_task
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('answer'));
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('quoted'));
SELECT t.kind, t.subject FROM dunning.task t WHERE t.debtor_id = 'EM-6' AND t.completed_at IS NULL;
SELECT e.kind, e.detail ->> 'text' AS text, e.detail ->> 'address' AS address FROM dunning.event e WHERE e.debtor_id = 'EM-6' ORDER BY e.event_id;
SELECT pg_temp.is_suppressed('fay@debtors.example');

-- stop_above_other_words_is_obeyed_at_both_addresses_and_the_words_are_read
SELECT item, kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('stop'));
SELECT pg_temp.is_suppressed('gus@debtors.example') AS gus, pg_temp.is_suppressed('private@elsewhere.example') AS private;
SELECT t.kind FROM dunning.task t WHERE t.debtor_id = 'EM-7';

-- unsubscribe_in_the_subject_of_an_empty_mail_is_obeyed
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('unsubscribe'));
SELECT pg_temp.is_suppressed('hal@debtors.example');

-- a_mail_of_html_alone_is_read_without_its_quotation_and_attachments
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('html'));
SELECT pg_temp.is_suppressed('ida@debtors.example');

-- a_complaint_suppresses
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('complaint'));
SELECT pg_temp.is_suppressed('jo@debtors.example');

-- a_report_about_no_message_of_ours_suppresses_nobody
SELECT dunning.unsuppress('ada@debtors.example', 'email');
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('forged'));
SELECT pg_temp.is_suppressed('ada@debtors.example');

-- a_stranger_is_told
SELECT kind, debtor_id, recorded, reason FROM dunning.receive_mail('em_post', pg_temp.mail('stranger'));

-- what_is_no_mail_is_refused_or_says_nothing
SELECT * FROM dunning.receive_mail('nowhere', pg_temp.mail('bounce'));
SELECT * FROM dunning.receive_mail('em_post', NULL);
SELECT * FROM dunning.receive_mail('em_post', '');
SELECT item, kind, reason FROM dunning.receive_mail('em_post', '\x00');
SELECT item, kind, reason FROM dunning.receive_mail('em_post', sha256('x') || decode(repeat('0a0d3e2d2d', 2000), 'hex'));

-- a_mailbox_is_a_server_that_sends_nothing
CREATE SERVER em_box TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url 'imaps://mail.creditor.example', mailbox 'Reports', every '5min');
SELECT * FROM dunning._mailbox_servers();
SELECT count(*) FROM dunning._servers() s WHERE s.server = 'em_box';
SELECT server, folder, validity, last_uid FROM dunning._mailboxes_due();
SELECT dunning.pause('em_box') IS NOT NULL AS paused;
SELECT count(*) FROM dunning._mailboxes_due();
SELECT dunning.resume('em_box');

-- how_far_it_was_read_stands_and_what_failed_is_tried_ever_later
SELECT dunning._note_mailbox('em_box', 7, 12, 3, 1, NULL, false);
SELECT server, validity, last_uid, mails, unmatched, failures, problem, round(extract(epoch FROM next_at - looked_at)) AS after FROM dunning.mailbox;
SELECT dunning._note_mailbox('em_box', NULL, 0, 0, 0, 'no answer in time', false) FROM generate_series(1, 3);
SELECT server, validity, last_uid, mails, failures, problem, round(extract(epoch FROM next_at - looked_at)) AS after FROM dunning.mailbox;
SELECT dunning._note_mailbox('em_box', 8, 2, 2, 0, NULL, true);
SELECT server, validity, last_uid, mails, failures, problem, round(extract(epoch FROM next_at - looked_at)) AS after FROM dunning.mailbox;
SELECT dunning._take_mail('em_box', pg_temp.mail('bounce'), '10-Jun-2026 09:00:00 +0200'), dunning._take_mail('em_box', pg_temp.mail('stranger'), 'whenever');

-- options_that_cannot_be_used_are_refused
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap');
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url 'imaps://mail.example/INBOX');
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url 'https://mail.example');
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url 'imaps://mail.example', mailbox 'a"b');
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url 'imaps://mail.example', every '0s');
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://mail.example', "from" 'a@b.example', return_path 'no address');
CREATE SERVER em_x TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://mail.example', "from" 'a@b.example', return_path 'b+{message_id}@b.example>');

-- reports_are_sent_for_to_where_they_are_known
CREATE SERVER em_smtp TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://mail.example', "from" 'Creditor <a@b.example>', return_path 'bounces+{message_id}@b.example');
SELECT mail_from, mail_rcpt FROM dunning._build_request('em_smtp', '01900000-0000-7000-8000-000000000001', 'c@d.example', 's', 't');

-- read_mail_says_why_it_reads_nothing
BEGIN;
CALL dunning.read_mail();
ROLLBACK;
DROP SERVER em_box; DROP SERVER em_smtp; DROP SERVER em_post;
