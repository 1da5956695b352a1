-- gate: suppression, and the questions people ask of it.

CREATE FUNCTION dunning._gate_answer_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format('SELECT g.ord, g.debtor_id, g.channel, g.blocked_by, g.address, g.zone, g.mark, g.amounts FROM (%s) g ORDER BY g.ord', dunning._gate_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._gate_answer_sql() IS 'SQL text of what _gate() gives, with the arguments of _gate_sql().';

CREATE FUNCTION dunning._gate_kept(debtor_ids text[], channels text[], ats timestamptz[], marks text[], message_ids uuid[])
    RETURNS TABLE (ord int, debtor_id text, channel text, blocked_by text[], address text, zone text, mark text, amounts jsonb)
    LANGUAGE c STABLE ROWS 1 AS 'MODULE_PATHNAME', 'dun_gate_sql_kept';
COMMENT ON FUNCTION dunning._gate_kept(text[], text[], timestamptz[], text[], uuid[]) IS
    'What _gate() gives, by a plan that the session keeps while the bindings are the same: for a few contacts at a time.';

CREATE FUNCTION dunning._gate(debtor_ids text[], channels text[], ats timestamptz[], marks text[] DEFAULT NULL, message_ids uuid[] DEFAULT NULL)
    RETURNS TABLE (ord int, debtor_id text, channel text, blocked_by text[], address text, zone text, mark text, amounts jsonb)
    -- who calls may plan its own statements anew each time: a kept plan is for keeping
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = auto AS $fn$
#variable_conflict error
BEGIN
    -- Of many the plan is made for their number; what is read of the past is read elsewhere, and of a broken ledger nothing.
    IF cardinality(_gate.debtor_ids) > 20 OR dunning._replay_since() IS NOT NULL OR dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN QUERY EXECUTE dunning._gate_answer_sql() USING _gate.debtor_ids, _gate.channels, _gate.ats, _gate.marks, _gate.message_ids;
    ELSE
        RETURN QUERY SELECT g.ord, g.debtor_id, g.channel, g.blocked_by, g.address, g.zone, g.mark, g.amounts
            FROM dunning._gate_kept(_gate.debtor_ids, _gate.channels, _gate.ats, _gate.marks, _gate.message_ids) g;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._gate(text[], text[], timestamptz[], text[], uuid[]) IS
    'What blocks each contact of a batch (empty: allowed), with address, zone and the ledger''s mark and amounts, in one query. Ids are canonical. A mark is compared where it is given; without a message_id queued messages count against caps.';

CREATE FUNCTION dunning._need_channel(channel text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = _need_channel.channel) THEN
        RAISE EXCEPTION 'unknown channel "%"', _need_channel.channel
            USING ERRCODE = '22023',
                  DETAIL = format('Known channels: %s.', (SELECT string_agg(DISTINCT c.channel, ', ' ORDER BY c.channel) FROM dunning.channel c)),
                  HINT = 'SELECT channel, address_field FROM dunning.channel;';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._need_channel(text) IS 'Nothing; an unknown channel: 22023 with the known ones.';

CREATE FUNCTION dunning.allowed(debtor_id text, channel text, at timestamptz) RETURNS TABLE (allowed boolean, blocked_by text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(allowed.debtor_id);
BEGIN
    PERFORM dunning._need_channel(allowed.channel);
    IF id IS NULL OR allowed.at IS NULL OR allowed.at < '0001-01-02 00:00+00' OR allowed.at > '9999-12-30 00:00+00' THEN
        RAISE EXCEPTION 'allowed() needs a debtor and a finite instant'
            USING ERRCODE = '22023', DETAIL = format('Given: debtor %L, instant %L.', allowed.debtor_id, allowed.at),
                  HINT = 'SELECT * FROM dunning.allowed(''1042'', ''sms'', now());';
    END IF;
    RETURN QUERY SELECT g.blocked_by = '{}', g.blocked_by FROM dunning._gate(ARRAY[id], ARRAY[allowed.channel], ARRAY[allowed.at]) g;
END
$fn$;
COMMENT ON FUNCTION dunning.allowed(text, text, timestamptz) IS
    'One row: may this debtor be contacted on this channel at this instant, and every reason why not (empty: allowed). Messages about money are also refused when nothing is owed; that is asked when they are planned and sent. Unknown channel, infinite instant: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.allowed(text, text, timestamptz) TO dunning_viewer;

CREATE FUNCTION dunning.contact_windows(debtor_id text, channel text, from_time timestamptz, until_time timestamptz) RETURNS tstzmultirange
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(contact_windows.debtor_id);
    f record;
BEGIN
    PERFORM dunning._need_channel(contact_windows.channel);
    IF id IS NULL OR (isfinite(contact_windows.from_time) AND isfinite(contact_windows.until_time)) IS NOT TRUE
       OR contact_windows.from_time > contact_windows.until_time OR contact_windows.until_time - contact_windows.from_time > '366 days'::interval THEN
        RAISE EXCEPTION 'no such span: % to %', contact_windows.from_time, contact_windows.until_time
            USING ERRCODE = '22023', DETAIL = 'Both ends are finite, in order, and at most 366 days apart; a debtor is given.',
                  HINT = 'SELECT dunning.contact_windows(''1042'', ''sms'', now(), now() + ''7 days'');';
    END IF;
    IF dunning._ledger_problem() IS NOT NULL THEN
        RETURN '{}';
    END IF;
    EXECUTE dunning._gate_facts_sql() INTO f
        USING ARRAY[id], ARRAY[contact_windows.channel], ARRAY[contact_windows.from_time], NULL::text[], NULL::uuid[];
    IF f.words <> '{}' THEN
        RETURN '{}';
    END IF;
    RETURN dunning._open_ranges(contact_windows.from_time, contact_windows.until_time, id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks)
        - coalesce(f.held, '{}');
END
$fn$;
COMMENT ON FUNCTION dunning.contact_windows(text, text, timestamptz, timestamptz) IS
    'The instants, in whole minutes, at which allowed() says yes; empty where something blocks at any hour. At most 366 days (22023). Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.contact_windows(text, text, timestamptz, timestamptz) TO dunning_viewer;

-- ---- suppression ----

CREATE FUNCTION dunning._digest_key() RETURNS bytea
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    secret bytea;
BEGIN
    SELECT k.key INTO secret FROM dunning.digest_key k;
    IF secret IS NULL THEN
        IF dunning._is_key_lost() THEN
            RAISE EXCEPTION 'the key of the address digests is gone'
                USING ERRCODE = '55000', DETAIL = 'Suppressed addresses were digested with it; under another key none of them would be known again, so nobody is contacted.',
                      HINT = 'Restore the row of dunning.digest_key from a backup, or, to forget every suppression: DELETE FROM dunning.suppression;';
        END IF;
        -- Two random uuids are 244 random bits.
        INSERT INTO dunning.digest_key AS k (key) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
        ON CONFLICT DO NOTHING;
        SELECT k.key INTO STRICT secret FROM dunning.digest_key k;
    END IF;
    RETURN secret;
END
$fn$;
COMMENT ON FUNCTION dunning._digest_key() IS 'The key of address digests, made at first use; 55000 where it is gone and suppressions were made with it.';

CREATE FUNCTION dunning._address_digest(address text, channel text) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    field text;
    plain text := _address_digest.address;
BEGIN
    IF _address_digest.channel <> '*' THEN
        SELECT c.address_field INTO field FROM dunning.channel c WHERE c.channel = _address_digest.channel ORDER BY c.builtin LIMIT 1;
        IF NOT FOUND THEN
            PERFORM dunning._need_channel(_address_digest.channel);
        END IF;
    END IF;
    IF field = 'address' OR (field IS NULL AND plain LIKE '{%') THEN
        BEGIN
            plain := plain::jsonb::text;        -- one spelling of keys and blanks
        EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
            NULL;                               -- a postal address as plain text is digested as it stands
        END;
    END IF;
    RETURN dunning._digest(plain, field, dunning._digest_key());
END
$fn$;
COMMENT ON FUNCTION dunning._address_digest(text, text) IS 'Keyed digest of an address in its normal form; channel ''*'': what it is is seen from the address. Unknown channel: 22023. NULL address: NULL.';
GRANT EXECUTE ON FUNCTION dunning._address_digest(text, text) TO dunning_worker;

CREATE FUNCTION dunning.suppress(address text, channel text, reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    IF suppress.channel IS DISTINCT FROM '*' THEN
        PERFORM dunning._need_channel(suppress.channel);
    END IF;
    IF coalesce(btrim(suppress.address), '') = '' OR suppress.reason IS NULL OR suppress.reason !~ '^[a-z][a-z0-9_]{0,39}$' THEN
        RAISE EXCEPTION 'suppressing needs an address and a reason of one word'
            USING ERRCODE = '22023', DETAIL = format('The address is %s, the reason %L.',
                      CASE WHEN coalesce(btrim(suppress.address), '') = '' THEN 'empty' ELSE 'given' END, suppress.reason),
                  HINT = 'SELECT dunning.suppress(''name@example.com'', ''email'', ''opted_out'');';
    END IF;
    INSERT INTO dunning.suppression AS s (address_digest, channel, reason, suppressed_at, suppressed_by)
    VALUES (dunning._address_digest(suppress.address, suppress.channel), suppress.channel, suppress.reason, dunning._now(), session_user)
    ON CONFLICT ON CONSTRAINT suppression_pkey DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n > 0;
END
$fn$;
COMMENT ON FUNCTION dunning.suppress(text, text, text) IS
    'True where the address was not yet suppressed on the channel (''*'': every channel): nothing is sent to it again, however often it is imported, for any creditor. Unknown channel, empty address: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.suppress(text, text, text) TO dunning_operator;

CREATE FUNCTION dunning.unsuppress(address text, channel text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.suppression;
BEGIN
    IF unsuppress.channel IS DISTINCT FROM '*' THEN
        PERFORM dunning._need_channel(unsuppress.channel);
    END IF;
    DELETE FROM dunning.suppression s
    WHERE s.address_digest = dunning._address_digest(unsuppress.address, unsuppress.channel) AND s.channel = unsuppress.channel
    RETURNING s.* INTO old;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM dunning._log_rule_change('suppression', encode(old.address_digest, 'hex') || ' ' || old.channel, to_jsonb(old), NULL);
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning.unsuppress(text, text) IS
    'True where the address was suppressed on just this channel (''*'' is its own entry) and may be used again; who did it stays in rule_change. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.unsuppress(text, text) TO dunning_operator;

GRANT EXECUTE ON FUNCTION dunning._gate_sql(), dunning._recheck_sql(), dunning._recheck_clear_sql(), dunning._gate_lock_sql(),
    dunning._gate(text[], text[], timestamptz[], text[], uuid[]),
    dunning._ask(text[], text[], timestamptz[], text[], anyarray), dunning._digest(text, text, bytea), dunning._good_address(text, text),
    dunning._words(VARIADIC "any"), dunning._repeated(text[]),
    dunning._caps(int, timestamptz, text, uuid, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]),
    dunning._next_open(timestamptz, timestamptz, text, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[], uuid),
    dunning._hash64(text, bigint), dunning._uuid7_floor(timestamptz) TO dunning_worker;
