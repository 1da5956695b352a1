-- Receipts: what a gateway's word means, which message it is about, and what it does to it.

CREATE FUNCTION dunning._receipt_kind(word text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT CASE
        WHEN w IN ('delivered', 'delivery', 'delivrd') THEN 'delivered'
        WHEN w IN ('open', 'opened', 'read') THEN 'opened'
        WHEN w IN ('click', 'clicked') THEN 'clicked'
        WHEN w IN ('reply', 'replied', 'inbound', 'received', 'incoming') THEN 'replied'
        WHEN w IN ('bounce', 'bounced', 'hard_bounce', 'soft_bounce', 'blocked') THEN 'bounced'
        WHEN w IN ('failed', 'undelivered', 'undeliv', 'rejected', 'rejectd', 'expired', 'dropped', 'returned_to_sender') THEN 'failed'
        WHEN w IN ('opted_out', 'opt_out', 'optout', 'unsubscribe', 'unsubscribed', 'group_unsubscribe', 'stop') THEN 'opted_out'
        WHEN w IN ('complaint', 'spam', 'spamreport', 'spam_complaint') THEN 'complaint'
        WHEN w IN ('queued', 'accepted', 'sending', 'sent', 'processed', 'deferred', 'delayed', 'in_transit') THEN ''
    END
    FROM (SELECT lower(btrim(word)) AS w) x
$$;
COMMENT ON FUNCTION dunning._receipt_kind(text) IS 'The event kind of a gateway''s word; empty where it means nothing new, NULL where it is unknown.';

-- What a gateway posts, in the words of its preset.
CREATE FUNCTION dunning._url_decode(word text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT coalesce(convert_from(string_agg(CASE WHEN m.m[1] ~ '^%..$' THEN decode(substr(m.m[1], 2), 'hex') ELSE convert_to(m.m[1], 'UTF8') END, ''::bytea ORDER BY m.ord), 'UTF8'), '')
    FROM regexp_matches(replace(word, '+', ' '), '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') WITH ORDINALITY AS m(m, ord)
$$;
COMMENT ON FUNCTION dunning._url_decode(text) IS 'A word of application/x-www-form-urlencoded as it was; an error of class 22 where it is no UTF-8.';

CREATE FUNCTION dunning._form_fields(body text) RETURNS TABLE (ord bigint, name text, value text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT f.ord, dunning._url_decode(split_part(f.f, '=', 1)), dunning._url_decode(CASE WHEN strpos(f.f, '=') > 0 THEN substr(f.f, strpos(f.f, '=') + 1) ELSE '' END)
    FROM string_to_table(body, '&') WITH ORDINALITY AS f(f, ord) WHERE f.f <> ''
$$;
COMMENT ON FUNCTION dunning._form_fields(text) IS 'The fields of a form in their order, decoded.';

CREATE FUNCTION dunning._map_receipt(receipt jsonb, item jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    mapped jsonb;
    word text;
    means text;
BEGIN
    IF receipt IS NULL THEN
        RETURN item;
    END IF;
    SELECT coalesce(jsonb_object_agg(m.key, p.found), '{}') INTO mapped
    FROM jsonb_each(receipt -> 'map') m
    CROSS JOIN LATERAL (
        SELECT item #>> string_to_array(x.x, '.') AS found
        FROM jsonb_array_elements_text(CASE jsonb_typeof(m.value) WHEN 'array' THEN m.value ELSE jsonb_build_array(m.value) END) WITH ORDINALITY x(x, n)
        WHERE item #>> string_to_array(x.x, '.') <> '' ORDER BY x.n LIMIT 1) p;
    word := lower(btrim(mapped ->> 'kind'));
    means := coalesce(receipt #>> ARRAY['words', word || '/' || lower(btrim(mapped ->> 'why'))], receipt #>> ARRAY['words', word]);
    IF means = 'bounced:soft' THEN
        mapped := mapped || '{"hard": false}';
    END IF;
    RETURN mapped - 'why'
        || jsonb_strip_nulls(jsonb_build_object('kind', CASE means WHEN '' THEN 'processed' WHEN 'bounced:soft' THEN 'bounced' ELSE coalesce(means, word) END,
               -- The same thing posted twice is one event, also where the gateway gives it no name.
               'event_key', coalesce(mapped ->> 'event_key', encode(sha256(convert_to(item::text, 'UTF8')), 'hex'))));
END
$$;
COMMENT ON FUNCTION dunning._map_receipt(jsonb, jsonb) IS 'An item that a gateway posted as receive() wants it, by its preset''s receipt mapping; as it is where there is none.';

-- Which message a receipt is about: by our key, else by the gateway's own reference of the last 100 days.
CREATE FUNCTION dunning._receipt_message(item jsonb, OUT debtor_id text, OUT message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    since uuid := dunning._uuid7_floor(clock_timestamp() - interval '100 days');
    ref text := coalesce(item ->> 'provider_ref', item ->> 'ref', item ->> 'sid', item ->> 'MessageSid', item ->> 'sg_message_id');
BEGIN
    IF item ->> 'message_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
        SELECT m.debtor_id, m.message_id INTO debtor_id, message_id
        FROM dunning.message m WHERE m.message_id = (item ->> 'message_id')::uuid;
    END IF;
    IF message_id IS NULL AND ref IS NOT NULL THEN
        SELECT o.debtor_id, o.message_id INTO debtor_id, message_id
        FROM dunning.outcome o WHERE o.provider_ref = ref AND o.message_id >= since
        ORDER BY o.message_id DESC LIMIT 1;
    END IF;
    -- An answer names only who sent it: the last message to that address.
    IF message_id IS NULL AND item ->> 'from' IS NOT NULL AND item ->> 'channel' IS NOT NULL THEN
        SELECT e.debtor_id, e.message_id INTO debtor_id, message_id
        FROM dunning.egress e
        WHERE e.address_digest = dunning._address_digest(item ->> 'from', item ->> 'channel') AND e.message_id >= since
        ORDER BY e.message_id DESC LIMIT 1;
    END IF;
    IF debtor_id IS NULL THEN
        debtor_id := item ->> 'debtor_id';
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._receipt_message(jsonb) IS 'The debtor and message of a receipt, NULL where neither can be told.';

-- A receipt of a gateway or a person about a message. Receipts come in any order, also before the verdict on the attempt they are
-- about: each is a row, the highest rank counts. The claim of a message under way lives in the worker's memory and its queue row
-- stays `queued`; what tells of the attempt is its intent, which is committed before the first byte leaves.
CREATE FUNCTION dunning._receipt(message dunning.message, state text, reason text, provider_ref text, detail jsonb, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    waiting dunning.queue;
    attempted smallint;
    under_way boolean;
    became text;
    fallback uuid;
    said jsonb := _receipt.detail;
BEGIN
    SELECT q.* INTO waiting FROM dunning.queue q
    WHERE q.debtor_id = message.debtor_id AND q.message_id = message.message_id FOR UPDATE;
    -- Only now: whoever held the row may have settled the attempt, or begun another.
    attempted := coalesce((SELECT max(e.attempt) FROM dunning.egress e
                           WHERE e.debtor_id = message.debtor_id AND e.message_id = message.message_id), 0);
    under_way := attempted > waiting.attempts;
    IF waiting.message_id IS NOT NULL AND (under_way OR _receipt.state = 'delivered' OR EXISTS (
           SELECT FROM dunning.outcome o WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND o.detail ? 'may_have_arrived')) THEN
        -- It is the answer to the attempt under way, or to one whose reply was lost: no other attempt is needed. The verdict
        -- that comes later finds this one.
        SELECT s.state INTO became
        FROM dunning._settle(ARRAY[message.debtor_id], ARRAY[message.message_id],
                             ARRAY[CASE WHEN under_way THEN attempted ELSE 0 END]::smallint[],
                             ARRAY[_receipt.state], ARRAY[_receipt.reason], ARRAY[_receipt.provider_ref], ARRAY[_receipt.detail],
                             ARRAY[NULL]::timestamptz[]) s;
        -- One that came back and has nowhere to go on is dead; what came back stands beside it, so that a receipt that comes
        -- after it does not outrank it.
        IF became <> 'dead' THEN
            RETURN;
        END IF;
    END IF;
    -- It was taken and then came back: the step goes on over its next channel, once.
    IF waiting.message_id IS NULL AND _receipt.state = 'failed'
       AND NOT EXISTS (SELECT FROM dunning.outcome o
                       WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND o.state IN ('failed', 'dead', 'cancelled')) THEN
        fallback := dunning._fallback(message.debtor_id, message.message_id, _receipt.reason);
        IF fallback IS NOT NULL THEN
            said := coalesce(said, '{}') || jsonb_build_object('fallback', fallback);
        END IF;
    END IF;
    INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
    VALUES (message.message_id, dunning._uuid7(), message.debtor_id, message.creditor, attempted,
            _receipt.state, _receipt.reason, _receipt.provider_ref, said, _receipt.at);
END
$$;
COMMENT ON FUNCTION dunning._receipt(dunning.message, text, text, text, jsonb, timestamptz) IS 'Nothing; adds an outcome to a message, in whatever order receipts arrive.';
