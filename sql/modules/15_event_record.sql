-- record_event() and what each kind does.

-- Who said "no more" said it as a person: the accounts at other creditors are theirs too.
CREATE FUNCTION dunning._accounts_of(debtor_id text) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    accounts text;
    others text[];
BEGIN
    accounts := dunning._accounts_sql();
    IF accounts IS NOT NULL THEN
        EXECUTE format('WITH d AS (%s) SELECT array_agg(DISTINCT a.debtor_id) FROM (%s) a WHERE a.debtor_id <> $2',
                       dunning._ledger_sql('debtor', '$1'), accounts)
            INTO others USING ARRAY[_accounts_of.debtor_id], _accounts_of.debtor_id;
    END IF;
    RETURN _accounts_of.debtor_id || coalesce(others, '{}');
EXCEPTION WHEN SQLSTATE 'DN001' THEN
    RETURN ARRAY[_accounts_of.debtor_id];
END
$$;
COMMENT ON FUNCTION dunning._accounts_of(text) IS 'A debtor and the other accounts of the same person; the debtor alone where the ledger knows no persons or is broken.';

-- Never again to this address. What is known decides: the detail's own address, the message's, else the ledger's.
CREATE FUNCTION dunning._suppress_for(debtor_id text, kind text, message_id uuid, message_channel text, detail jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    channel text := coalesce(detail ->> 'channel', message_channel);
    address text := detail ->> 'address';
    wished boolean := _suppress_for.kind IN ('opted_out', 'complaint');
    accounts text[] := CASE WHEN wished THEN dunning._accounts_of(_suppress_for.debtor_id) ELSE ARRAY[_suppress_for.debtor_id] END;
    done text[] := '{}';
    every record;
BEGIN
    IF address IS NULL AND message_id IS NOT NULL AND (channel = message_channel OR channel = '*') THEN
        SELECT b.address INTO address FROM dunning.body b WHERE b.message_id = _suppress_for.message_id;
    END IF;
    IF address IS NULL AND channel IS NOT NULL AND channel <> '*' THEN
        address := dunning._ledger_address(_suppress_for.debtor_id, channel);
    END IF;
    IF address IS NOT NULL AND channel IS NOT NULL THEN
        PERFORM dunning.suppress(address, channel, _suppress_for.kind);
        done := ARRAY[channel];
    END IF;
    -- Who answers from another address than we wrote to means that one too.
    IF wished AND message_id IS NOT NULL AND channel = message_channel AND detail ? 'address' THEN
        FOR every IN SELECT b.address FROM dunning.body b WHERE b.message_id = _suppress_for.message_id LOOP
            PERFORM dunning.suppress(every.address, channel, _suppress_for.kind);
        END LOOP;
    END IF;
    IF wished AND channel IS NOT NULL AND channel <> '*' THEN
        FOR every IN SELECT dunning._ledger_address(a.a, channel) AS address FROM unnest(accounts[2:]) a(a) LOOP
            IF coalesce(btrim(every.address), '') <> '' THEN
                PERFORM dunning.suppress(every.address, channel, _suppress_for.kind);
            END IF;
        END LOOP;
    END IF;
    -- "Do not contact me" names no channel: then every address that the ledger has.
    IF (channel IS NULL OR channel = '*') AND wished THEN
        IF address IS NOT NULL AND channel IS NULL THEN
            PERFORM dunning.suppress(address, '*', _suppress_for.kind);
        END IF;
        FOR every IN
            SELECT DISTINCT dunning._ledger_address(a.a, c.channel) AS address
            FROM unnest(accounts) a(a), (SELECT min(x.channel) AS channel FROM dunning.channel x GROUP BY x.address_field) c
        LOOP
            IF coalesce(btrim(every.address), '') <> '' THEN
                PERFORM dunning.suppress(every.address, '*', _suppress_for.kind);
            END IF;
        END LOOP;
        done := ARRAY['*'];
    END IF;
    RETURN done;
END
$$;
COMMENT ON FUNCTION dunning._suppress_for(text, text, uuid, text, jsonb) IS 'The channels on which an address of the debtor was suppressed, and for an opt-out or complaint those of the person''s other accounts too; ''*'' is every channel.';

CREATE FUNCTION dunning._means_stop(said text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    words text[] := regexp_split_to_array(lower(btrim(_means_stop.said, E' \t\r\n.!"\'')), '[[:space:]]+');
    stops text[] := string_to_array(dunning._value_of('opt_out_words'), ',');
BEGIN
    -- "Stop, please" and "unsubscribe me" are meant like the word alone; of a whole sentence a person decides, and of a short word
    -- that means something else before others ("fin du mois").
    RETURN array_to_string(words, ' ') = ANY (stops)
        OR cardinality(words) <= 3 AND length(words[1]) > 3 AND btrim(words[1], '.,;:!') = ANY (stops);
END
$fn$;
COMMENT ON FUNCTION dunning._means_stop(text) IS 'Whether a reply is an opt-out, whatever the gateway calls it: one of the opt_out_words, alone, or one of more than three letters before at most two others. NULL: NULL.';

CREATE FUNCTION dunning._event_kinds() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['delivered', 'opened', 'clicked', 'replied', 'bounced', 'failed', 'opted_out', 'complaint', 'called', 'called_in',
                'conversation', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere', 'hearing', 'payment_failed'] $$;
COMMENT ON FUNCTION dunning._event_kinds() IS 'The kinds of events, in the order of the documentation.';

CREATE FUNCTION dunning._is_date(word text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN word ~ '^\d{4}-\d{2}-\d{2}$' AND make_date(left(word, 4)::int, substr(word, 6, 2)::int, right(word, 2)::int) IS NOT NULL;
EXCEPTION WHEN datetime_field_overflow THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION dunning._is_date(text) IS 'Is this a date written YYYY-MM-DD?';

-- What may be recorded, and for whom; returns the message where one is named.
CREATE FUNCTION dunning._check_event(kind text, debtor_id text, message_id uuid, at timestamptz, detail jsonb) RETURNS dunning.message
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    message dunning.message;
BEGIN
    IF kind IS NULL OR kind <> ALL (dunning._event_kinds()) THEN
        RAISE EXCEPTION 'there is no event kind "%"', coalesce(kind, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Known are %s.', array_to_string(dunning._event_kinds(), ', '));
    END IF;
    IF debtor_id IS NULL THEN
        RAISE EXCEPTION 'an event needs a debtor' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    -- Clocks of providers run a little ahead.
    IF NOT isfinite(at) OR at > greatest(dunning._now(), coalesce(dunning._virtual_clock(), clock_timestamp())) + interval '5 minutes' THEN
        RAISE EXCEPTION 'an event cannot happen at %', CASE WHEN isfinite(at) THEN 'a time to come' ELSE at::text END
            USING ERRCODE = '22023', DETAIL = format('The clock says %s, the event %s.', dunning._now(), at),
                  HINT = 'Without "at" the event happens at the time of the call.';
    END IF;
    IF detail IS NULL OR jsonb_typeof(detail) <> 'object' OR octet_length(detail::text) > 65536 THEN
        RAISE EXCEPTION 'the detail of an event is a JSON object of at most 64 kB'
            USING ERRCODE = '22023', HINT = 'detail => ''{"text": "what was said"}''';
    END IF;
    -- A hearing is what strategies count from: without its day it is nothing to count from.
    IF kind = 'hearing' AND NOT coalesce(dunning._is_date(detail ->> 'on'), false) AND coalesce((detail ->> 'cancelled') <> 'true', true) THEN
        RAISE EXCEPTION 'a hearing has a day'
            USING ERRCODE = '22023', DETAIL = format('Given: %s.', left(detail::text, 200)),
                  HINT = 'detail => ''{"on": "2026-10-22", "time": "10:30", "place": "Room 4"}'', or ''{"cancelled": true}'' when it is called off.';
    END IF;
    IF message_id IS NOT NULL THEN
        SELECT m.* INTO message FROM dunning.message m WHERE m.message_id = _check_event.message_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no message %', message_id
                USING ERRCODE = '22023', HINT = format('SELECT * FROM dunning.journal WHERE debtor_id = %L;', debtor_id);
        ELSIF message.debtor_id <> _check_event.debtor_id THEN
            RAISE EXCEPTION 'message % is not one of debtor "%"', message_id, debtor_id
                USING ERRCODE = '22023', HINT = format('SELECT * FROM dunning.journal WHERE debtor_id = %L;', debtor_id);
        END IF;
    END IF;
    RETURN message;
END
$$;
COMMENT ON FUNCTION dunning._check_event(text, text, uuid, timestamptz, jsonb) IS 'The message an event is about, NULL where it names none; 22023 for anything that cannot be recorded.';

CREATE FUNCTION dunning.record_event(kind text, debtor_id text, message_id uuid DEFAULT NULL, at timestamptz DEFAULT NULL,
                                     detail jsonb DEFAULT '{}', event_key text DEFAULT NULL,
                                     OUT event_id uuid, OUT recorded boolean, OUT stopped int, OUT suppressed text[],
                                     OUT task_id uuid, OUT hold_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(record_event.debtor_id);
    happened timestamptz := coalesce(record_event.at, dunning._now());
    message dunning.message := dunning._check_event(record_event.kind, id, record_event.message_id, happened, record_event.detail);
    of_creditor text := coalesce(message.creditor, dunning._creditor_of(id));
    mapped text := record_event.kind;
BEGIN
    IF of_creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', id
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    stopped := 0;
    suppressed := '{}';
    recorded := true;
    IF record_event.event_key IS NOT NULL THEN
        INSERT INTO dunning.once (debtor_id, kind, key, message_id, at)
        VALUES (id, 'event', record_event.event_key, record_event.message_id, dunning._now())
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            recorded := false;
            SELECT e.event_id INTO event_id FROM dunning.event e
            WHERE e.debtor_id = id AND e.event_key = record_event.event_key;
            RETURN;
        END IF;
    END IF;
    event_id := dunning._uuid7();
    INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, message_id, detail, event_key, recorded_at, recorded_by)
    VALUES (id, event_id, of_creditor, record_event.kind, happened, record_event.message_id, record_event.detail,
            record_event.event_key, dunning._now(), session_user);

    IF mapped = 'replied' AND dunning._means_stop(record_event.detail ->> 'text') THEN
        mapped := 'opted_out';
    END IF;
    IF mapped IN ('opted_out', 'complaint')
       OR mapped = 'bounced' AND coalesce(record_event.detail ->> 'hard', 'true') <> 'false' THEN
        suppressed := dunning._suppress_for(id, mapped, record_event.message_id, message.channel, record_event.detail);
        IF suppressed = '{}' AND mapped = 'bounced' AND message.message_id IS NULL THEN
            RAISE EXCEPTION 'a bounce needs the message or the address and channel that bounced'
                USING ERRCODE = '22023', HINT = 'detail => ''{"channel": "email", "address": "…"}''';
        END IF;
    END IF;
    IF mapped IN ('delivered', 'failed', 'bounced') AND message.message_id IS NOT NULL THEN
        PERFORM dunning._receipt(message, CASE mapped WHEN 'delivered' THEN 'delivered' ELSE 'failed' END,
                                 CASE mapped WHEN 'delivered' THEN 'receipt' ELSE mapped END,
                                 record_event.detail ->> 'provider_ref', record_event.detail - 'address' - 'text' - 'reason', happened);
    END IF;
    IF record_event.kind IN ('replied', 'called_in', 'disputed', 'promised', 'circumstances_changed', 'paid_elsewhere')
       AND mapped <> 'opted_out' THEN
        SELECT a.stopped, a.task_id, a.hold_id INTO stopped, task_id, hold_id
        FROM dunning._await_us(id, of_creditor,
            CASE WHEN record_event.detail ->> 'request' = 'plan' THEN 'plan_request'
                 WHEN record_event.kind = 'replied' THEN 'reply'
                 WHEN record_event.kind = 'disputed' THEN 'dispute'
                 WHEN record_event.kind = 'promised' THEN 'promise'
                 ELSE record_event.kind END,
            CASE WHEN record_event.detail ->> 'request' = 'plan' THEN 'asks for instalments: agree a plan'
                 ELSE CASE record_event.kind
                     WHEN 'replied' THEN 'has written: answer'
                     WHEN 'called_in' THEN 'has called: settle what was asked'
                     WHEN 'disputed' THEN 'disputes the claim: examine'
                     WHEN 'promised' THEN 'promises to pay: record amount and date'
                     WHEN 'circumstances_changed' THEN 'has a change of circumstances: find an arrangement'
                     ELSE 'says it is paid: look for the payment' END END) a;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.record_event(text, text, uuid, timestamptz, jsonb, text) IS
    'One row: the event and what it caused (messages stopped, channels suppressed, task, hold). Idempotent by event_key. Unknown kind, debtor, message or a time to come: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.record_event(text, text, uuid, timestamptz, jsonb, text) TO dunning_operator, dunning_worker;
