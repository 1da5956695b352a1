-- receive(): what a gateway posts to us. The server cannot listen by itself; whoever does hands over headers and body as they came.

CREATE FUNCTION dunning._webhook_problem(server text, stamp text, signature text, body text, now timestamptz) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_event_sql_webhook_problem';
COMMENT ON FUNCTION dunning._webhook_problem(text, text, text, text, timestamptz) IS
    'NULL where the signature is that of the server''s secret over "stamp.body" and at most 300 s off, else unsigned, malformed, out_of_time or forged.';

CREATE FUNCTION dunning._signature_problem(server text, scheme text, signature text, content bytea) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_event_sql_signature_problem';
COMMENT ON FUNCTION dunning._signature_problem(text, text, text, bytea) IS
    'NULL where the signature over content is right: hmac-sha1-base64 or hmac-sha256-hex under the secret of the server''s receipts, ecdsa-sha256 by its receipt_key; else unsigned, malformed or forged.';

CREATE FUNCTION dunning._receive_one(server text, channel text, item jsonb,
                                     OUT kind text, OUT debtor_id text, OUT message_id uuid, OUT event_id uuid, OUT recorded boolean, OUT reason text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    word text := coalesce(item ->> 'kind', item ->> 'event', item ->> 'type', item ->> 'status', item ->> 'MessageStatus');
    key text := coalesce(item ->> 'event_key', item ->> 'event_id', item ->> 'sg_event_id', encode(sha256(convert_to(item::text, 'UTF8')), 'hex'));
    stamp text := coalesce(item ->> 'at', item ->> 'timestamp');
    happened timestamptz;
    detail jsonb;
BEGIN
    recorded := false;
    kind := coalesce(dunning._receipt_kind(word), CASE WHEN word = ANY (dunning._event_kinds()) THEN word END);
    IF kind IS NULL OR kind = '' THEN
        reason := CASE WHEN kind IS NULL THEN 'unknown_kind' ELSE 'nothing_new' END;
        RETURN;
    END IF;
    item := jsonb_build_object('channel', channel) || item;
    SELECT m.debtor_id, m.message_id INTO debtor_id, message_id FROM dunning._receipt_message(item) m;
    IF debtor_id IS NULL THEN
        -- Whose it is we cannot tell, but "stop" is to be obeyed all the same.
        IF (kind IN ('opted_out', 'complaint')
            OR dunning._means_stop(item ->> 'text'))
           AND coalesce(item ->> 'address', item ->> 'from') IS NOT NULL AND item ->> 'channel' IS NOT NULL THEN
            PERFORM dunning.suppress(coalesce(item ->> 'address', item ->> 'from'), item ->> 'channel', 'opted_out');
            reason := 'suppressed_without_debtor';
            RETURN;
        END IF;
        reason := 'unknown_message';
        RETURN;
    END IF;
    IF stamp IS NOT NULL THEN
        happened := CASE WHEN stamp ~ '^\d{9,11}$' THEN to_timestamp(stamp::bigint) ELSE stamp::timestamptz END;
    END IF;
    detail := jsonb_strip_nulls(jsonb_build_object('server', server, 'channel', item -> 'channel', 'provider_ref', item -> 'provider_ref',
        'address', coalesce(item -> 'address', item -> 'email', CASE WHEN kind = 'replied' THEN item -> 'from' END),
        'text', coalesce(item -> 'text', item -> 'Body'), 'code', coalesce(item -> 'code', item -> 'ErrorCode'), 'reason', item -> 'reason',
        'hard', CASE WHEN word = 'soft_bounce' THEN 'false'::jsonb ELSE item -> 'hard' END,
        'url', item -> 'url', 'request', item -> 'request'));
    SELECT r.event_id, r.recorded INTO event_id, recorded
    FROM dunning.record_event(kind, debtor_id, message_id, happened, detail, server || ':' || key) r;
    reason := CASE WHEN recorded THEN 'recorded' ELSE 'replay' END;
EXCEPTION WHEN data_exception OR SQLSTATE 'DN002' THEN
    recorded := false;
    reason := SQLERRM;
END
$$;
COMMENT ON FUNCTION dunning._receive_one(text, text, jsonb) IS 'What became of one item of a webhook; a bad item has its reason and does not stop the others.';

-- What a server's receipts read like and how they are signed; NULL where it has no preset that says so.
CREATE FUNCTION dunning._receipt_of(server text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN (SELECT p.receipt FROM pg_catalog.pg_foreign_server s
            CROSS JOIN LATERAL pg_catalog.pg_options_to_table(s.srvoptions) o
            JOIN dunning.http_preset p ON p.preset = o.option_value
            WHERE s.srvname = _receipt_of.server AND o.option_name = 'preset'
            ORDER BY p.builtin LIMIT 1);
END
$$;
COMMENT ON FUNCTION dunning._receipt_of(text) IS 'The receipt mapping of a server''s preset, NULL: none.';

-- Providers sign in their own ways. Who forwards their webhooks may instead sign as dunning does.
CREATE FUNCTION dunning._receive_problem(server text, scheme text, headers jsonb, body text, url text, now timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    stamp text;
    seconds numeric;
BEGIN
    IF scheme = 'dunning' OR headers ? 'x-dunning-signature' THEN
        RETURN dunning._webhook_problem(server, headers ->> 'x-dunning-timestamp', headers ->> 'x-dunning-signature', body, now);
    ELSIF body IS NULL OR scheme = 'twilio' AND url IS NULL THEN
        RETURN 'incomplete';
    ELSIF scheme = 'twilio' THEN
        -- No time is told: what is posted again is the same event, which is recorded once.
        RETURN dunning._signature_problem(server, 'hmac-sha1-base64', headers ->> 'x-twilio-signature',
            convert_to(url || coalesce((SELECT string_agg(f.name || f.value, '' ORDER BY f.name COLLATE "C", f.value COLLATE "C") FROM dunning._form_fields(body) f), ''), 'UTF8'));
    END IF;
    stamp := headers ->> CASE scheme WHEN 'lob' THEN 'lob-signature-timestamp' ELSE 'x-twilio-email-event-webhook-timestamp' END;
    IF stamp IS NULL THEN
        RETURN 'unsigned';
    ELSIF stamp !~ '^(\d{1,11}|\d{13})$' THEN
        RETURN 'malformed';
    END IF;
    seconds := CASE length(stamp) WHEN 13 THEN stamp::numeric / 1000 ELSE stamp::numeric END;
    IF abs(seconds - extract(epoch FROM now)) > 300 THEN
        RETURN 'out_of_time';
    END IF;
    RETURN CASE scheme
        WHEN 'lob' THEN dunning._signature_problem(server, 'hmac-sha256-hex', headers ->> 'lob-signature', convert_to(stamp || '.' || body, 'UTF8'))
        ELSE dunning._signature_problem(server, 'ecdsa-sha256', headers ->> 'x-twilio-email-event-webhook-signature', convert_to(stamp || body, 'UTF8')) END;
END
$$;
COMMENT ON FUNCTION dunning._receive_problem(text, text, jsonb, text, text, timestamptz) IS
    'NULL where a webhook is signed as this scheme wants, in its time, else unsigned, malformed, out_of_time, forged or incomplete.';

-- What was posted, as an array of items in our words.
CREATE FUNCTION dunning._receive_items(receipt jsonb, body text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    posted jsonb;
BEGIN
    BEGIN
        posted := CASE WHEN receipt ->> 'format' = 'form' AND body !~ '^\s*[\[{]' THEN
            (SELECT coalesce(jsonb_object_agg(f.name, f.value), '{}') FROM dunning._form_fields(body) f) ELSE body::jsonb END;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'the body of the request is not %', CASE receipt ->> 'format' WHEN 'form' THEN 'a form' ELSE 'JSON' END USING ERRCODE = '22023', DETAIL = SQLERRM || '.';
    END;
    IF receipt ->> 'items' <> '' THEN
        posted := posted #> string_to_array(receipt ->> 'items', '.');
    ELSIF jsonb_typeof(posted) = 'object' AND jsonb_typeof(posted -> 'events') = 'array' THEN
        posted := posted -> 'events';
    END IF;
    IF jsonb_typeof(posted) = 'object' THEN
        posted := jsonb_build_array(posted);
    END IF;
    IF jsonb_typeof(posted) IS DISTINCT FROM 'array' OR EXISTS (SELECT FROM jsonb_array_elements(posted) e WHERE jsonb_typeof(e.value) <> 'object') THEN
        RAISE EXCEPTION 'the body of the request is no JSON object and no array of them'
            USING ERRCODE = '22023', HINT = '{"event": "delivered", "message_id": "…", "event_id": "…"}';
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(dunning._map_receipt(receipt, e.value) ORDER BY e.ord), '[]') FROM jsonb_array_elements(posted) WITH ORDINALITY e(value, ord));
END
$$;
COMMENT ON FUNCTION dunning._receive_items(jsonb, text) IS 'The items of a webhook''s body in our words, by the preset''s receipt mapping; 22023 where it is no such body.';

CREATE FUNCTION dunning.receive(server text, headers jsonb, body text, url text DEFAULT NULL)
    RETURNS TABLE (item int, kind text, debtor_id text, message_id uuid, event_id uuid, recorded boolean, reason text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lower_headers jsonb := (SELECT coalesce(jsonb_object_agg(lower(h.key), h.value), '{}')
                            FROM jsonb_each_text(CASE jsonb_typeof(headers) WHEN 'object' THEN headers ELSE '{}' END) h);
    receipt jsonb := dunning._receipt_of(receive.server);
    scheme text := coalesce(receipt ->> 'signature', 'dunning');
    problem text;
    of_channel text;
BEGIN
    problem := dunning._receive_problem(receive.server, scheme, lower_headers, receive.body, receive.url, dunning._now());
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'the request is not accepted: %', problem
            USING ERRCODE = 'DN009',
                  DETAIL = CASE scheme
                      WHEN 'twilio' THEN 'Wanted is X-Twilio-Signature under the server''s secret, over the address that was posted to (url => ''https://…'') and the fields of the form.'
                      WHEN 'sendgrid' THEN 'Wanted are X-Twilio-Email-Event-Webhook-Timestamp (at most 300 s off) and X-Twilio-Email-Event-Webhook-Signature of the key in the server''s option receipt_key.'
                      WHEN 'lob' THEN 'Wanted are Lob-Signature-Timestamp (at most 300 s off) and Lob-Signature under the secret of receipt_secret_file.'
                      ELSE 'Wanted are X-Dunning-Timestamp (Unix seconds, at most 300 s off) and X-Dunning-Signature: sha256= and the hexadecimal '
                           'HMAC-SHA256 of "timestamp.body" under the server''s secret.' END;
    END IF;
    SELECT s.srvtype INTO of_channel FROM pg_catalog.pg_foreign_server s WHERE s.srvname = receive.server;
    RETURN QUERY
        SELECT e.ord::int, o.kind, o.debtor_id, o.message_id, o.event_id, o.recorded, o.reason
        FROM jsonb_array_elements(dunning._receive_items(receipt, receive.body)) WITH ORDINALITY AS e (value, ord)
        CROSS JOIN LATERAL dunning._receive_one(receive.server, of_channel, e.value) o
        ORDER BY e.ord;
END
$$;
COMMENT ON FUNCTION dunning.receive(text, jsonb, text, text) IS
    'One row an item of a signed webhook: the event it became, or why none. It is read and verified as the preset of the server says; url is the address it was posted to, where that is signed (Twilio). Bad signature or clock: DN009; no such body: 22023. Role dunning_operator, or EXECUTE on this alone.';
GRANT EXECUTE ON FUNCTION dunning.receive(text, jsonb, text, text) TO dunning_operator;
