-- gateway: servers of the wrapper dunning_gateway, presets of HTTP gateways, and the pure parts of the drivers.

CREATE FUNCTION dunning.dunning_gateway_validator(options text[], catalog oid) RETURNS void
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'dun_gateway_sql_validator';
COMMENT ON FUNCTION dunning.dunning_gateway_validator(text[], oid) IS 'Checks the options of a gateway''s SERVER and USER MAPPING; 22023 lists the options known.';

-- No handler: a server is a name, options, rights and a mapping; nothing is ever read through it.
CREATE FOREIGN DATA WRAPPER dunning_gateway VALIDATOR dunning.dunning_gateway_validator;
COMMENT ON FOREIGN DATA WRAPPER dunning_gateway IS 'Gateways: CREATE SERVER name TYPE ''channel'' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ''smtp|http|spool|task|mock'', ...).';
GRANT USAGE ON FOREIGN DATA WRAPPER dunning_gateway TO dunning_admin;

CREATE FUNCTION dunning._check_address(kind text, address text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_check_address';
COMMENT ON FUNCTION dunning._check_address(text, text) IS 'NULL where the address may be used on the channel (or address field), else why not.';

CREATE FUNCTION dunning._check_pattern(pattern text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_check_pattern';
COMMENT ON FUNCTION dunning._check_pattern(text) IS 'True, or 22023 with the placeholders a request template may hold.';

CREATE FUNCTION dunning._judge(driver text, progress text, code int, retry_after text DEFAULT NULL, body text DEFAULT NULL,
    error text DEFAULT NULL, id_field text DEFAULT 'id', error_field text DEFAULT NULL, suppress_on text DEFAULT NULL, contract text DEFAULT 'repeat',
    OUT verdict text, OUT reason text, OUT provider_ref text, OUT retry_after_s int)
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_judge';
COMMENT ON FUNCTION dunning._judge(text, text, int, text, text, text, text, text, text, text) IS 'What a gateway''s reply means: sent, retry, failed, suppress or unknown. progress is not_sent, maybe_sent or replied; contract repeat or once.';

CREATE FUNCTION dunning._build_request(server text, message_id uuid, address text, subject text, body_text text, body_html text DEFAULT NULL,
    sender_name text DEFAULT NULL, reply_to text DEFAULT NULL, unsubscribe_url text DEFAULT NULL, sent_at timestamptz DEFAULT '2026-01-01 00:00+00',
    OUT kind text, OUT method text, OUT url text, OUT headers text[], OUT body text, OUT mail_from text, OUT mail_rcpt text, OUT path text)
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'dun_gateway_sql_build';
COMMENT ON FUNCTION dunning._build_request(text, uuid, text, text, text, text, text, text, text, timestamptz) IS 'The request a server would get for a message, with SECRET in the place of its secret. Sends nothing.';

CREATE FUNCTION dunning._allows_address(address text, port int, hostname text DEFAULT '', allowed_hosts text DEFAULT '') RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_allows_address';
COMMENT ON FUNCTION dunning._allows_address(text, int, text, text) IS 'May a gateway be at this resolved address, given a value of dunning.allowed_hosts?';

CREATE FUNCTION dunning._json_field(document text, path text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_read_json_field';
COMMENT ON FUNCTION dunning._json_field(text, text) IS 'One printable field of a gateway''s reply, such as messages.0.id; NULL where there is none. Never errors out.';

-- A preset's receipts: {"format": "json|form", "signature": "dunning|twilio|sendgrid|lob", "items": "path of the array", "map": {"kind": "path" or ["path", ...], ...},
-- "words": {"word of the gateway": "kind, :soft after a bounce that is not for good, or nothing"}}.
CREATE FUNCTION dunning._receipt_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['kind', 'why', 'message_id', 'provider_ref', 'event_key', 'at', 'address', 'from', 'text', 'code', 'reason', 'url'] $$;
COMMENT ON FUNCTION dunning._receipt_fields() IS 'What the map of a preset''s receipts may tell the place of.';

CREATE FUNCTION dunning._receipt_problem(receipt jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF receipt IS NULL THEN
        RETURN NULL;
    ELSIF jsonb_typeof(receipt) <> 'object' OR receipt - '{format,signature,items,map,words}'::text[] <> '{}' THEN
        RETURN 'receipt is an object of format, signature, items, map and words';
    ELSIF coalesce(receipt ->> 'format', 'json') NOT IN ('json', 'form') THEN
        RETURN 'the format of receipts is json or form';
    ELSIF coalesce(receipt ->> 'signature', 'dunning') NOT IN ('dunning', 'twilio', 'sendgrid', 'lob') THEN
        RETURN 'the signature of receipts is dunning, twilio, sendgrid or lob';
    ELSIF jsonb_typeof(receipt -> 'map') IS DISTINCT FROM 'object' OR NOT receipt -> 'map' ? 'kind'
          OR (receipt -> 'map') - dunning._receipt_fields() <> '{}' THEN
        RETURN 'the map of receipts tells the place of kind, and of ' || array_to_string((dunning._receipt_fields())[2:], ', ') || ' where there are';
    ELSIF EXISTS (SELECT FROM jsonb_each(receipt -> 'map') m WHERE jsonb_typeof(m.value) NOT IN ('string', 'array')
                  OR jsonb_typeof(m.value) = 'array' AND EXISTS (SELECT FROM jsonb_array_elements(m.value) e WHERE jsonb_typeof(e.value) <> 'string')) THEN
        RETURN 'a place in the map of receipts is a path such as event.id, or a list of them';
    ELSIF jsonb_typeof(coalesce(receipt -> 'words', '{}')) <> 'object'
          OR EXISTS (SELECT FROM jsonb_each(receipt -> 'words') w WHERE jsonb_typeof(w.value) <> 'string'
                     OR w.value #>> '{}' NOT IN ('', 'delivered', 'opened', 'clicked', 'replied', 'bounced', 'bounced:soft', 'failed', 'opted_out', 'complaint')) THEN
        RETURN 'a word of receipts means delivered, opened, clicked, replied, bounced, bounced:soft, failed, opted_out, complaint or nothing';
    END IF;
    RETURN NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._receipt_problem(jsonb) IS 'What is wrong with a preset''s description of its receipts, NULL: nothing.';

-- A preset's question about a message of which nobody knows whether it was taken: {"path": "/messages/{message_id}", "list": "path of an array in the answer",
-- "id": "path of the gateway's own id", "echo": "path of our key in it", "state": "path of its word", "words": {"word": "sent, delivered, failed, not_taken or unknown"},
-- "absent": "what 404, or an empty list, means: not_taken or unknown", "absent_after": "10min"}. With a list, id, echo and state are looked for in its first element.
CREATE FUNCTION dunning._query_problem(query jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF query IS NULL THEN
        RETURN NULL;
    ELSIF jsonb_typeof(query) <> 'object' OR query - '{path,list,id,echo,state,words,absent,absent_after}'::text[] <> '{}' THEN
        RETURN 'query is an object of path, list, id, echo, state, words, absent and absent_after';
    ELSIF EXISTS (SELECT FROM jsonb_each(query) e WHERE e.key <> 'words' AND (jsonb_typeof(e.value) <> 'string' OR e.value #>> '{}' = '')) THEN
        RETURN 'path, list, id, echo, state, absent and absent_after of a query are texts';
    ELSIF NOT coalesce(query ->> 'path' ~ '^[/?]' AND strpos(query ->> 'path', '{message_id}') > 0, false) OR NOT query ? 'id' THEN
        RETURN 'a query has a path that begins with / or ? and holds {message_id}, and an id: where the answer tells the gateway''s own';
    ELSIF EXISTS (SELECT FROM regexp_matches(query ->> 'path', '\{([a-z_]+)\}', 'g') m(m) WHERE m.m[1] NOT IN ('message_id', 'channel', 'from', 'secret', 'username')) THEN
        RETURN 'the path of a query may hold {message_id}, {channel}, {from}, {secret} and {username}: nobody''s address is asked for';
    ELSIF query ? 'state' <> query ? 'words' OR jsonb_typeof(coalesce(query -> 'words', '{}')) <> 'object'
          OR EXISTS (SELECT FROM jsonb_each(query -> 'words') w WHERE jsonb_typeof(w.value) <> 'string' OR w.value #>> '{}' NOT IN ('sent', 'delivered', 'failed', 'not_taken', 'unknown')) THEN
        RETURN 'state and words of a query belong together, and a word means sent, delivered, failed, not_taken or unknown';
    ELSIF coalesce(query ->> 'absent', 'unknown') NOT IN ('not_taken', 'unknown') OR coalesce(query ->> 'absent_after', '10min') !~ '^[0-9]{1,6}(ms|s|min|h)$' THEN
        RETURN 'absent is not_taken or unknown, and absent_after a time such as 10min';
    END IF;
    RETURN NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._query_problem(jsonb) IS 'What is wrong with a preset''s question about a message, NULL: nothing.';

-- HTTP gateways as data: a request template and where to look in the reply. Placeholders are encoded for where they stand.
CREATE TABLE dunning.http_preset (
    preset          text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    description     text NOT NULL,
    method          text NOT NULL CHECK (method IN ('POST', 'PUT', 'GET')),
    path            text NOT NULL DEFAULT '',           -- appended to the server's URL; values are percent-encoded
    format          text NOT NULL CHECK (format IN ('json', 'form', 'none')),
    body            text,                               -- values are JSON- or percent-encoded after format
    body_html       text,                               -- used where the message has HTML; NULL: body
    auth            text NOT NULL CHECK (auth IN ('none', 'basic', 'basic_secret', 'bearer', 'header')),
    auth_header     text,                               -- the header of auth 'header'
    idempotency_header text,                            -- carries the message id; NULL: the gateway knows none
    contract        text NOT NULL CHECK (contract IN ('repeat', 'once')),
    id_field        text,                               -- where the reply tells the gateway's own id
    error_field     text,                               -- where a refusal tells its code
    suppress_on     text[] NOT NULL DEFAULT '{}',       -- codes that mean the address must not be used again
    saved_at        timestamptz,
    saved_by        text,
    receipt         jsonb,                              -- how what it posts to us reads and is signed; NULL: as receive() itself wants it
    query           jsonb,                              -- how it is asked about a message of which nobody knows; NULL: it cannot be
    unsubscribe     text,                               -- added to the body where the message has an unsubscribe URL: members of its JSON object, or fields of the form
    PRIMARY KEY (preset, builtin),
    CHECK (dunning._receipt_problem(receipt) IS NULL),
    CHECK (dunning._query_problem(query) IS NULL),
    CHECK (dunning._check_pattern(path)),
    CHECK (body IS NULL OR dunning._check_pattern(body)),
    CHECK (body_html IS NULL OR dunning._check_pattern(body_html)),
    CHECK (unsubscribe IS NULL OR dunning._check_pattern(unsubscribe) AND format <> 'none'),
    CHECK (format <> 'json' OR unsubscribe IS NULL OR unsubscribe <> '' AND ('{' || unsubscribe || '}')::jsonb IS NOT NULL AND jsonb_typeof(body::jsonb) = 'object'
           AND jsonb_typeof(coalesce(body_html, body)::jsonb) = 'object'),
    CHECK (format <> 'json' OR body IS NULL OR body::jsonb IS NOT NULL),
    CHECK (format <> 'json' OR body_html IS NULL OR body_html::jsonb IS NOT NULL),
    CHECK ((format = 'none') = (body IS NULL)),
    CHECK ((auth = 'header') = (auth_header IS NOT NULL))
);
COMMENT ON TABLE dunning.http_preset IS 'HTTP gateways as data: request template, reply mapping, receipt mapping and question. A user''s row of the same name replaces the built-in one.';
SELECT pg_catalog.pg_extension_config_dump('dunning.http_preset', 'WHERE NOT builtin');
GRANT SELECT ON dunning.http_preset TO dunning_operator;

INSERT INTO dunning.http_preset (preset, builtin, description, method, path, format, body, body_html, auth, auth_header,
    idempotency_header, contract, id_field, error_field, suppress_on) VALUES
('generic-json', true, 'POST of a flat JSON object to the server''s URL; honours Idempotency-Key; the reply''s "id" is kept', 'POST', '', 'json',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}"}',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}","html":"{html}"}',
 'none', NULL, 'Idempotency-Key', 'repeat', 'id', NULL, '{}'),
('generic-json-bearer', true, 'as generic-json, with the secret as bearer token', 'POST', '', 'json',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}"}',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}","html":"{html}"}',
 'bearer', NULL, 'Idempotency-Key', 'repeat', 'id', NULL, '{}'),
('kannel', true, 'Kannel sendsms and what speaks like it: server URL http(s)://host:port, username and secret of a sendsms-user', 'GET',
 '/cgi-bin/sendsms?username={username}&password={secret}&from={from}&to={address}&charset=UTF-8&coding={coding}&text={text}', 'none',
 NULL, NULL, 'none', NULL, NULL, 'once', NULL, NULL, '{}'),
('kannel-receipts', true, 'as kannel, which is asked for delivery receipts at the server''s receipt_url: id, status and answer in its query', 'GET',
 '/cgi-bin/sendsms?username={username}&password={secret}&from={from}&to={address}&charset=UTF-8&coding={coding}&text={text}&dlr-mask=31&dlr-url={receipt_url}%3Fid%3D{message_id}%26status%3D%25d%26answer%3D%25A', 'none',
 NULL, NULL, 'none', NULL, NULL, 'once', NULL, NULL, '{}'),
('twilio', true, 'Twilio Messages: server URL https://api.twilio.com, username the account SID, secret the token', 'POST',
 '/2010-04-01/Accounts/{username}/Messages.json', 'form', 'To={address}&From={from}&Body={text}', NULL,
 'basic', NULL, NULL, 'once', 'sid', 'code', '{21610,21211,21614}'),
('sendgrid', true, 'SendGrid v3 mail/send: server URL https://api.sendgrid.com, secret the API key', 'POST', '/v3/mail/send', 'json',
 '{"personalizations":[{"to":[{"email":"{address}"}],"custom_args":{"message_id":"{message_id}"}}],"from":{"email":"{from}","name":"{from_name}"},"subject":"{subject}","content":[{"type":"text/plain","value":"{text}"}]}',
 '{"personalizations":[{"to":[{"email":"{address}"}],"custom_args":{"message_id":"{message_id}"}}],"from":{"email":"{from}","name":"{from_name}"},"subject":"{subject}","content":[{"type":"text/plain","value":"{text}"},{"type":"text/html","value":"{html}"}]}',
 'bearer', NULL, NULL, 'once', NULL, NULL, '{}'),
('lob', true, 'Lob letters: server URL https://api.lob.com, secret the API key, from the id of an address saved there (adr_...); receipts are signed by the secret of receipt_secret_file', 'POST', '/v1/letters', 'json',
 '{"description":"{message_id}","to":{"name":"{name}","address_line1":"{street}","address_city":"{city}","address_zip":"{postcode}","address_country":"{country}"},"from":"{from}","file":"{html}","color":false,"use_type":"operational","metadata":{"message_id":"{message_id}"}}', NULL,
 'basic_secret', NULL, 'Idempotency-Key', 'repeat', 'id', 'error.code', '{}');

-- Receipts. Words are compared in lower case; "word/why" goes before "word".
UPDATE dunning.http_preset p SET receipt = r.receipt
FROM (VALUES
('kannel', '{"format": "form", "signature": "dunning", "map": {"kind": "status", "message_id": "id", "provider_ref": "ref", "event_key": "key", "from": "from", "text": "text", "code": "answer"},
   "words": {"1": "delivered", "2": "failed", "4": "", "8": "", "16": "failed", "32": "", "replied": "replied"}}'::jsonb),
('kannel-receipts', '{"format": "form", "signature": "dunning", "map": {"kind": "status", "message_id": "id", "provider_ref": "ref", "event_key": "key", "from": "from", "text": "text", "code": "answer"},
   "words": {"1": "delivered", "2": "failed", "4": "", "8": "", "16": "failed", "32": "", "replied": "replied"}}'),
('twilio', '{"format": "form", "signature": "twilio",
   "map": {"kind": ["MessageStatus", "SmsStatus"], "provider_ref": ["MessageSid", "SmsSid"], "from": "From", "text": "Body", "code": "ErrorCode"},
   "words": {"accepted": "", "scheduled": "", "queued": "", "sending": "", "sent": "", "delivered": "delivered", "read": "opened", "undelivered": "failed", "failed": "failed", "canceled": "failed",
             "received": "replied", "receiving": ""}}'),
('sendgrid', '{"format": "json", "signature": "sendgrid",
   "map": {"kind": "event", "why": "type", "message_id": "message_id", "provider_ref": "sg_message_id", "event_key": "sg_event_id", "at": "timestamp", "address": "email", "code": "status", "reason": "reason", "url": "url"},
   "words": {"processed": "", "deferred": "", "delivered": "delivered", "open": "opened", "click": "clicked", "bounce": "bounced", "bounce/blocked": "bounced:soft", "dropped": "failed",
             "spamreport": "complaint", "unsubscribe": "opted_out", "group_unsubscribe": "opted_out", "group_resubscribe": ""}}'),
('lob', '{"format": "json", "signature": "lob",
   "map": {"kind": "event_type.id", "message_id": "body.metadata.message_id", "provider_ref": "reference_id", "event_key": "id", "at": "date_created"},
   "words": {"letter.created": "", "letter.rendered_pdf": "", "letter.rendered_thumbnails": "", "letter.mailed": "", "letter.in_transit": "", "letter.in_local_area": "", "letter.processed_for_delivery": "",
             "letter.re-routed": "", "letter.delivered": "delivered", "letter.returned_to_sender": "bounced", "letter.failed": "failed", "letter.rejected": "failed", "letter.deleted": "failed"}}')) r(preset, receipt)
WHERE p.preset = r.preset AND p.builtin;

-- One click ends it (RFC 8058), where the message can be unsubscribed from.
UPDATE dunning.http_preset p SET unsubscribe = '"headers":{"List-Unsubscribe":"<{unsubscribe_url}>","List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}'
WHERE p.preset = 'sendgrid' AND p.builtin;

-- Questions. Lob finds letters by what they were given as metadata. Twilio knows no name of ours, Kannel keeps nothing that can be asked for, and SendGrid's activity
-- is an addition that is bought: whoever has it writes a preset.
UPDATE dunning.http_preset p SET query = '{"path": "/v1/letters?limit=1&metadata%5Bmessage_id%5D={message_id}", "list": "data", "id": "id", "echo": "metadata.message_id", "absent": "not_taken"}'
WHERE p.preset = 'lob' AND p.builtin;

CREATE FUNCTION dunning.save_http_preset(preset text, method text, format text, body text DEFAULT NULL, path text DEFAULT '', body_html text DEFAULT NULL,
    auth text DEFAULT 'none', auth_header text DEFAULT NULL, idempotency_header text DEFAULT NULL, contract text DEFAULT 'once',
    id_field text DEFAULT NULL, error_field text DEFAULT NULL, suppress_on text[] DEFAULT '{}', description text DEFAULT '', receipt jsonb DEFAULT NULL,
    query jsonb DEFAULT NULL, unsubscribe text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
DECLARE
    wrong text := CASE
        WHEN $1 IS NULL OR $1 = '' THEN 'a preset needs a name'
        WHEN $2 IS NULL OR $2 NOT IN ('POST', 'PUT', 'GET') THEN 'method is POST, PUT or GET'
        WHEN $3 IS NULL OR $3 NOT IN ('json', 'form', 'none') THEN 'format is json, form or none'
        WHEN $13 IS NULL OR array_ndims($13) > 1 OR EXISTS (SELECT FROM unnest($13) c WHERE c IS NULL) THEN 'suppress_on is a list of words'
        WHEN $17 IS NOT NULL AND $3 = 'none' THEN 'unsubscribe is added to a body, and there is none'
        WHEN ($3 = 'none') <> ($4 IS NULL) THEN 'format none goes without a body, the others with one'
        WHEN $7 IS NULL OR $7 NOT IN ('none', 'basic', 'basic_secret', 'bearer', 'header') THEN 'auth is none, basic, basic_secret (the secret as user, no password), bearer or header'
        WHEN ($7 = 'header') <> ($8 IS NOT NULL) THEN 'auth header goes with the name in auth_header, the others without'
        WHEN $10 IS NULL OR $10 NOT IN ('repeat', 'once') THEN 'contract is repeat or once'
        ELSE coalesce(dunning._receipt_problem($15), dunning._query_problem($16)) END;
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = '22023',
            HINT = 'SELECT dunning.save_http_preset(''mine'', ''POST'', ''json'', body => ''{"to":"{address}","text":"{text}"}'');';
    END IF;
    BEGIN
        IF $3 = 'json' THEN
            PERFORM $4::jsonb, $6::jsonb, ('{' || $17 || '}')::jsonb;
        END IF;
    EXCEPTION WHEN invalid_text_representation THEN
        RAISE EXCEPTION 'the body of preset "%" is no JSON', $1
            USING ERRCODE = '22023', DETAIL = SQLERRM || '.', HINT = 'Placeholders stand inside of strings: {"to":"{address}","text":"{text}"}.';
    END;
    IF $17 IS NOT NULL AND $3 = 'json' AND (jsonb_typeof($4::jsonb) <> 'object' OR jsonb_typeof(coalesce($6, $4)::jsonb) <> 'object') THEN
        RAISE EXCEPTION 'unsubscribe is added to an object, and the body of preset "%" is none', $1
            USING ERRCODE = '22023', HINT = 'Write the members into the body itself, or a body such as {"to":"{address}","text":"{text}"}.';
    END IF;
    INSERT INTO dunning.http_preset AS p (preset, builtin, description, method, path, format, body, body_html, auth, auth_header, idempotency_header,
        contract, id_field, error_field, suppress_on, saved_at, saved_by, receipt, query, unsubscribe)
    VALUES ($1, false, $14, $2, $5, $3, $4, $6, $7, $8, $9, $10, $11, $12, $13, pg_catalog.clock_timestamp(), session_user, $15, $16, $17)
    ON CONFLICT ON CONSTRAINT http_preset_pkey DO UPDATE SET description = EXCLUDED.description, method = EXCLUDED.method, path = EXCLUDED.path,
        format = EXCLUDED.format, body = EXCLUDED.body, body_html = EXCLUDED.body_html, auth = EXCLUDED.auth, auth_header = EXCLUDED.auth_header,
        idempotency_header = EXCLUDED.idempotency_header, contract = EXCLUDED.contract, id_field = EXCLUDED.id_field,
        error_field = EXCLUDED.error_field, suppress_on = EXCLUDED.suppress_on, saved_at = EXCLUDED.saved_at, saved_by = EXCLUDED.saved_by, receipt = EXCLUDED.receipt, query = EXCLUDED.query, unsubscribe = EXCLUDED.unsubscribe;
END
$function$;
COMMENT ON FUNCTION dunning.save_http_preset(text, text, text, text, text, text, text, text, text, text, text, text, text[], text, jsonb, jsonb, text) IS
    'Makes or replaces your own preset of an HTTP gateway; one of a built-in name is used in its place. format is json, form or none; unknown placeholders: 22023 with those known. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_http_preset(text, text, text, text, text, text, text, text, text, text, text, text, text[], text, jsonb, jsonb, text) TO dunning_admin;

CREATE FUNCTION dunning.reset_http_preset(preset text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    DELETE FROM dunning.http_preset p WHERE p.preset = $1 AND NOT p.builtin;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION dunning.reset_http_preset(text) IS 'Deletes your own preset, so that the built-in one of the name stands again; false where there was none. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_http_preset(text) TO dunning_admin;

CREATE FUNCTION dunning._servers(channel text DEFAULT NULL, creditor text DEFAULT NULL)
RETURNS TABLE (server text, channel_served text, driver text, serves_creditor text, paused boolean, ord int)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT s.name, s.type, s.driver, s.creditor, p.server IS NOT NULL,
           row_number() OVER (ORDER BY s.creditor IS NULL, p.server IS NOT NULL, b.server IS NOT NULL, s.place, s.name COLLATE "C")::int
    FROM (SELECT f.srvname::text AS name, f.srvtype::text AS type,
                 max(o.option_value) FILTER (WHERE o.option_name = 'driver') AS driver,
                 max(o.option_value) FILTER (WHERE o.option_name = 'creditor') AS creditor,
                 coalesce(max(o.option_value) FILTER (WHERE o.option_name = 'position')::bigint, 1000) AS place
          FROM pg_catalog.pg_foreign_server f
          JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = f.srvfdw AND w.fdwname = 'dunning_gateway'
          CROSS JOIN LATERAL pg_catalog.pg_options_to_table(f.srvoptions) o
          GROUP BY f.srvname, f.srvtype) s
    LEFT JOIN dunning.server_state p ON p.server = s.name
    LEFT JOIN dunning._breakers() b ON b.server = s.name
    WHERE s.type <> '' AND s.driver <> 'imap'
      AND ($1 IS NULL OR s.type = $1)
      AND ($2 IS NULL OR s.creditor IS NULL OR s.creditor = $2)
    ORDER BY 6;
END
$function$;
COMMENT ON FUNCTION dunning._servers(text, text) IS 'Servers of a channel for a creditor, the one to use first: own before shared, running before paused, these before such as are left alone because they took nothing, then option position, then name. None that is only read.';

CREATE FUNCTION dunning._question_of(server text, OUT query jsonb, OUT ask_for interval)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    SELECT (SELECT p.query FROM dunning.http_preset p WHERE p.preset = coalesce(s.preset, 'generic-json') ORDER BY p.builtin LIMIT 1), coalesce(s.ask_for, '1d')::interval
    INTO query, ask_for
    FROM (SELECT max(o.option_value) FILTER (WHERE o.option_name = 'preset') AS preset, max(o.option_value) FILTER (WHERE o.option_name = 'ask_for') AS ask_for
          FROM pg_catalog.pg_foreign_server f
          JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = f.srvfdw AND w.fdwname = 'dunning_gateway'
          CROSS JOIN LATERAL pg_catalog.pg_options_to_table(f.srvoptions) o
          WHERE f.srvname = _question_of.server AND 'driver=http' = ANY (f.srvoptions)
          GROUP BY f.oid) s;
END
$function$;
COMMENT ON FUNCTION dunning._question_of(text) IS 'How a server is asked about a message, and for how long; query NULL: it cannot be.';

-- What is only read: mailboxes.
CREATE FUNCTION dunning._mailbox_servers()
RETURNS TABLE (server text, folder text, every interval, paused boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT f.srvname::text,
           coalesce(max(o.option_value) FILTER (WHERE o.option_name = 'mailbox'), 'INBOX'),
           coalesce(max(o.option_value) FILTER (WHERE o.option_name = 'every'), '1min')::interval,
           EXISTS (SELECT FROM dunning.server_state p WHERE p.server = f.srvname::text COLLATE "C")
    FROM pg_catalog.pg_foreign_server f
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = f.srvfdw AND w.fdwname = 'dunning_gateway'
    CROSS JOIN LATERAL pg_catalog.pg_options_to_table(f.srvoptions) o
    WHERE 'driver=imap' = ANY (f.srvoptions)
    GROUP BY f.srvname;
END
$function$;
COMMENT ON FUNCTION dunning._mailbox_servers() IS 'Servers of driver imap: the mailbox to read, how often, and whether pause() stops it.';

CREATE FUNCTION dunning._server_for(channel text, creditor text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    RETURN (SELECT s.server FROM dunning._servers($1, $2) s ORDER BY s.ord LIMIT 1);
END
$function$;
COMMENT ON FUNCTION dunning._server_for(text, text) IS 'The server a channel''s messages of a creditor go through, NULL: none. A paused one keeps its messages waiting.';
