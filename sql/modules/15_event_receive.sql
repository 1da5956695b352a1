-- receive(): what a gateway posts to us. The server cannot listen by itself; whoever does hands over headers and body as they came.

CREATE FUNCTION dunning._webhook_problem(server text, stamp text, signature text, body text, now timestamptz) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_event_sql_webhook_problem';
COMMENT ON FUNCTION dunning._webhook_problem(text, text, text, text, timestamptz) IS
    'NULL where the signature is that of the server''s secret over "stamp.body" and at most 300 s off, else unsigned, malformed, out_of_time or forged.';

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
            OR lower(btrim(item ->> 'text', E' \t\r\n.!')) = ANY (string_to_array(dunning._value_of('opt_out_words'), ',')))
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
        'text', coalesce(item -> 'text', item -> 'Body'), 'code', coalesce(item -> 'code', item -> 'ErrorCode'),
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

CREATE FUNCTION dunning.receive(server text, headers jsonb, body text)
    RETURNS TABLE (item int, kind text, debtor_id text, message_id uuid, event_id uuid, recorded boolean, reason text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lower_headers jsonb := (SELECT jsonb_object_agg(lower(h.key), h.value)
                            FROM jsonb_each_text(CASE jsonb_typeof(headers) WHEN 'object' THEN headers ELSE '{}' END) h);
    problem text;
    posted jsonb;
    of_channel text;
BEGIN
    problem := dunning._webhook_problem(receive.server, lower_headers ->> 'x-dunning-timestamp', lower_headers ->> 'x-dunning-signature',
                                        receive.body, dunning._now());
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'the request is not accepted: %', problem
            USING ERRCODE = 'DN009',
                  DETAIL = 'Wanted are X-Dunning-Timestamp (Unix seconds, at most 300 s off) and X-Dunning-Signature: sha256= and the hexadecimal '
                           'HMAC-SHA256 of "timestamp.body" under the server''s secret.';
    END IF;
    SELECT s.srvtype INTO of_channel FROM pg_catalog.pg_foreign_server s WHERE s.srvname = receive.server;
    BEGIN
        posted := receive.body::jsonb;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'the body of the request is not JSON' USING ERRCODE = '22023', DETAIL = SQLERRM || '.';
    END;
    IF jsonb_typeof(posted) = 'object' AND jsonb_typeof(posted -> 'events') = 'array' THEN
        posted := posted -> 'events';
    ELSIF jsonb_typeof(posted) = 'object' THEN
        posted := jsonb_build_array(posted);
    END IF;
    IF jsonb_typeof(posted) <> 'array' OR EXISTS (SELECT FROM jsonb_array_elements(posted) e WHERE jsonb_typeof(e.value) <> 'object') THEN
        RAISE EXCEPTION 'the body of the request is no JSON object and no array of them'
            USING ERRCODE = '22023', HINT = '{"event": "delivered", "message_id": "…", "event_id": "…"}';
    END IF;
    RETURN QUERY
        SELECT e.ord::int, o.kind, o.debtor_id, o.message_id, o.event_id, o.recorded, o.reason
        FROM jsonb_array_elements(posted) WITH ORDINALITY AS e (value, ord)
        CROSS JOIN LATERAL dunning._receive_one(receive.server, of_channel, e.value) o
        ORDER BY e.ord;
END
$$;
COMMENT ON FUNCTION dunning.receive(text, jsonb, text) IS
    'One row an item of a signed webhook: the event it became, or why none. Bad signature or clock: DN009; no JSON: 22023. Role dunning_operator, or EXECUTE on this alone.';
GRANT EXECUTE ON FUNCTION dunning.receive(text, jsonb, text) TO dunning_operator;
