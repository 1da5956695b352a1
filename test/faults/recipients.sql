-- For recipients.sh: the gateways, and the test's own notes of what each debtor may be told and where.
SELECT dunning.save_http_preset('a-form', 'POST', 'form', 'id={message_id}&to={address}&subject={subject}&text={text}', idempotency_header => 'Idempotency-Key', contract => 'repeat');
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url :'smtp', "from" 'Creditor <a@example.org>', tls 'none', return_path 'b+{message_id}@example.org');
CREATE SERVER form TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url :'http', preset 'a-form', "from" 'a@example.org');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE USER MAPPING FOR dunning_worker SERVER form;
-- Each message for itself: so many failures in a row would let the others wait.
ALTER SERVER mail OPTIONS (ADD breaker_after '1000000');
ALTER SERVER form OPTIONS (ADD breaker_after '1000000');
ALTER SERVER honest OPTIONS (ADD breaker_after '1000000');
ALTER SERVER once OPTIONS (ADD breaker_after '1000000');
CREATE FUNCTION helper.servers() RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY['honest', 'once', 'mail', 'form'] $$;
SELECT count(dunning.pause(s)) AS paused FROM unnest(helper.servers()) s;

-- Lists with a bar between: any of them is right. A bad address is none: nothing may arrive.
CREATE TABLE helper.want (debtor_id text PRIMARY KEY, turn int, n int, server text, name text, reference text, mark text, addresses text, amounts text);
CREATE INDEX ON helper.want (turn, n);
CREATE TABLE helper.evil_name (n serial, name text);
INSERT INTO helper.evil_name (name) SELECT x FROM unnest(ARRAY[E'Ada\r\nBcc: evil@evil.test', E'Ada\nX-Evil: 1', E'Ada\r\n\r\n.\r\nMAIL FROM:<evil@evil.test>\r\nRCPT TO:<evil@evil.test>\r\nDATA', E'\n.\n',
    '=?UTF-8?Q?Ada=0D=0ABcc:_evil@evil.test?=', '{{amount}}', '{{#invoices}}', '{address}', '","to":"evil@evil.test', '&to=evil@evil.test&', '%26to=evil@evil.test', '<script>alert(1)</script>', '\" \\ /', 'Søren Ærø Ж 数',
    '"Ada" <evil@evil.test>', 'Ada, evil@evil.test', E'Ada\u202Eevil', repeat('Ada ', 300), $$Robert'); DROP TABLE debtor;--$$, '$1 \1 %s %n']) x;
CREATE TABLE helper.evil_address (n serial, address text);
INSERT INTO helper.evil_address (address)
SELECT a FROM (
    SELECT 'ada' || c || '@debtors.test' AS a FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT unnest(ARRAY['<', '>', '(', ')', '[', ']', ',', ';', ':', '\', '"', '@', chr(127), 'é'])) x
    UNION SELECT 'ada@debtors.test' || c || 'evil@evil.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 31) i UNION SELECT unnest(ARRAY[',', ';', '>', '><', '> <', '>,<', E'>\r\nRCPT TO:<', E'>\nRCPT TO:<', E'>\rRCPT TO:<',
        E'\r\n.\r\nMAIL FROM:<', '%0d%0aRCPT TO:<', '?bcc=', '&to='])) x
    UNION SELECT c || 'ada@debtors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 8) i UNION SELECT unnest(ARRAY['<', 'mailto:', '@evil.test:', '@evil.test,@relay.test:', 'evil@evil.test,', '"evil@evil.test" '])) x
    UNION SELECT 'ada@deb' || c || 'tors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 31) i UNION SELECT unnest(ARRAY['\', '/', '..', '@', '%00', ' '])) x
    UNION SELECT unnest(ARRAY['ada', 'ada@', '@debtors.test', 'ada@debtors', 'ada@[127.0.0.1]', 'ada@debtors..test', repeat('a', 70) || '@debtors.test', 'ada@' || repeat('x', 300) || '.test'])) a;

-- A turn's debtors, their messages enqueued while the servers are paused, then changes which the messages must follow.
CREATE PROCEDURE helper.prepare(turn int, many int) LANGUAGE plpgsql AS $do$
DECLARE
    word text := 'Mark-' || turn || '-' || substr(md5(random()::text), 1, 6);
    via text;
    ids text[];
BEGIN
    PERFORM dunning.save_template('reminder-1', 'email', 'en', word || ' {{name}}', E'Reminder ' || word || E'\n[{{reference}}] <{{name}}>\nAmount ({{amount | money}}).\n{{creditor_name}} Already paid? Ignore this.');
    INSERT INTO helper.want
    SELECT 't' || turn || '-' || i, turn, i, (helper.servers())[1 + i % 4],
           CASE WHEN i % 47 = 0 THEN (SELECT e.name FROM helper.evil_name e WHERE e.n = 1 + i / 47 % (SELECT count(*) FROM helper.evil_name)) ELSE 'Name ' || turn || ' ' || i END,
           'REF-' || turn || '-' || i || '.', word,
           CASE WHEN i % 97 = 0 THEN '' ELSE CASE i % 500 WHEN 1 THEN 'flaky' WHEN 2 THEN 'lost' ELSE 'a' END || turn || '-' || i || '@debtors.test' END,
           (100 + random() * 9000)::numeric(12, 2)::text
    FROM generate_series(1, many) i;
    INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
    SELECT w.debtor_id, w.name, 'Given', 'en', 'DK', CASE WHEN w.addresses <> '' THEN w.addresses ELSE
           (SELECT e.address FROM helper.evil_address e WHERE e.n = 1 + w.n / 97 % (SELECT count(*) FROM helper.evil_address)) END FROM helper.want w WHERE w.turn = prepare.turn;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
    SELECT w.debtor_id, 'I', current_date - 40, current_date - 12, w.amounts::numeric, 'DKK', w.reference FROM helper.want w WHERE w.turn = prepare.turn;
    FOREACH via IN ARRAY helper.servers() LOOP
        SELECT array_agg(w.debtor_id) INTO ids FROM helper.want w WHERE w.turn = prepare.turn AND w.server = via;
        PERFORM dunning._enqueue(format($q$
            SELECT dunning._uuid7() AS message_id, m.debtor_id, 'default' AS creditor, NULL::uuid AS run_id, 'test' AS strategy, 'step' AS step,
                   'reminder-1' AS template, 'email' AS channel, 'en' AS language, %1$L AS server, dunning._now() AS contact_at, NULL::timestamptz AS not_after,
                   'now' AS local_time, m.amounts, 0 AS cost, 'EUR' AS cost_currency, NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value,
                   NULL::float8 AS propensity, false AS explored, m.mark AS ledger_mark, c.context, '{}'::jsonb AS decision, 'queued' AS state,
                   NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
            FROM (%3$s) m JOIN dunning._context(%2$L, NULL) c USING (debtor_id)$q$, via, ids, dunning._mark_sql(format('%L::text[]', ids))));
    END LOOP;
    -- Moved house before anything was sent: two exchange theirs, so that the address of another is a right one of somebody.
    UPDATE helper.want w SET addresses = o.addresses FROM helper.want o
    WHERE w.turn = prepare.turn AND o.turn = prepare.turn AND w.n % 10 IN (3, 4) AND o.n = CASE w.n % 10 WHEN 3 THEN w.n + 1 ELSE w.n - 1 END AND w.addresses <> '' AND o.addresses <> '';
    UPDATE dunning.debtor d SET email = w.addresses FROM helper.want w WHERE d.debtor_id = w.debtor_id AND w.turn = prepare.turn AND w.n % 10 IN (3, 4) AND w.addresses <> '';
    -- Paid in part since it was enqueued: the sum that was open then may not be told.
    UPDATE helper.want w SET amounts = (w.amounts::numeric - 50)::text WHERE w.turn = prepare.turn AND w.n % 40 = 5;
    INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, paid_at, amount, currency)
    SELECT w.debtor_id, 'P', 'I', now(), 50, 'DKK' FROM helper.want w WHERE w.turn = prepare.turn AND w.n % 40 = 5;
END $do$;

-- While they are sent: what may be told is noted before the change is made, and either is right.
CREATE PROCEDURE helper.change(turn int, part int) LANGUAGE plpgsql AS $do$
BEGIN
    UPDATE helper.want w SET addresses = w.addresses || '|n' || w.turn || '-' || w.n || '@debtors.test' WHERE w.turn = change.turn AND w.n % 160 = 10 + part AND w.addresses <> '';
    UPDATE helper.want w SET amounts = w.amounts || '|' || (w.amounts::numeric - 20)::text WHERE w.turn = change.turn AND w.n % 160 = 30 + part;
    COMMIT;
    UPDATE dunning.debtor d SET email = 'n' || w.turn || '-' || w.n || '@debtors.test' FROM helper.want w
    WHERE d.debtor_id = w.debtor_id AND w.turn = change.turn AND w.n % 160 = 10 + part AND w.addresses <> '';
    INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, paid_at, amount, currency)
    SELECT w.debtor_id, 'Q', 'I', now(), 20, 'DKK' FROM helper.want w WHERE w.turn = change.turn AND w.n % 160 = 30 + part;
END $do$;
