-- Links: what a debtor may do with one click, told by a token that nobody else can make.

CREATE FUNCTION dunning._make_token(purpose text, debtor_id text, message_id uuid, expires_at timestamptz) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dun_message_sql_make_token';
COMMENT ON FUNCTION dunning._make_token(text, text, uuid, timestamptz) IS
    'A signed token of 56 characters. 55000 where there is no key; 22023 an unknown purpose.';

CREATE FUNCTION dunning._token_message(token text) RETURNS uuid
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_token_message';
COMMENT ON FUNCTION dunning._token_message(text) IS 'The message that a token names, not yet verified. DN009 where it is no token.';

CREATE FUNCTION dunning._verify_token(token text, debtor_id text, at timestamptz, OUT purpose text, OUT expires_at timestamptz)
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dun_message_sql_verify_token';
COMMENT ON FUNCTION dunning._verify_token(text, text, timestamptz) IS
    'Purpose and expiry of a genuine token of the debtor; DN009 for any other, for whatever reason.';

CREATE FUNCTION dunning.link(message_id uuid, purpose text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    whose text;
BEGIN
    SELECT m.debtor_id INTO whose FROM dunning.message m WHERE m.message_id = link.message_id;
    IF whose IS NULL THEN
        RAISE EXCEPTION 'there is no message %', coalesce(message_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT message_id FROM dunning.journal WHERE debtor_id = ''...'';';
    END IF;
    IF purpose IS NULL THEN
        RAISE EXCEPTION 'a link needs a purpose'
            USING ERRCODE = '22023', DETAIL = 'Purposes are: pay, plan, already_paid, dispute, opt_out.',
                  HINT = format('SELECT dunning.link(%L, ''pay'');', message_id);
    END IF;
    RETURN dunning._make_token(purpose, whose, message_id, dunning._now() + interval '30 days');
END
$$;
COMMENT ON FUNCTION dunning.link(uuid, text) IS
    'A token to be put behind your own address, good for 30 days and this purpose alone: pay, plan, already_paid, dispute or opt_out. 55000 without a key file. Role dunning_operator.';

-- Mail scanners fetch every link they see, so your page shows a button on GET and calls this on POST alone.
CREATE FUNCTION dunning.open_link(token text,
        OUT purpose text, OUT debtor_id text, OUT message_id uuid, OUT expires_at timestamptz, OUT pay_url text, OUT recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    about   dunning.message;
    happens text;
BEGIN
    message_id := dunning._token_message(coalesce(token, ''));
    SELECT m.* INTO about FROM dunning.message m WHERE m.message_id = open_link.message_id;
    -- No such message: the token is checked all the same, against no debtor.
    SELECT v.purpose, v.expires_at INTO purpose, expires_at
    FROM dunning._verify_token(token, coalesce(about.debtor_id, ''), dunning._now()) v;
    debtor_id := about.debtor_id;
    pay_url := about.context->>'pay_url';
    happens := CASE purpose
        WHEN 'pay' THEN 'clicked'
        WHEN 'plan' THEN 'circumstances_changed'
        WHEN 'already_paid' THEN 'paid_elsewhere'
        WHEN 'dispute' THEN 'disputed'
        WHEN 'opt_out' THEN 'opted_out' END;
    SELECT r.recorded INTO recorded
    FROM dunning.record_event(happens, about.debtor_id, about.message_id, NULL,
            jsonb_build_object('request', purpose, 'by', 'link', 'channel', about.channel),
            format('link:%s:%s', purpose, about.message_id)) r;
END
$$;
COMMENT ON FUNCTION dunning.open_link(text) IS
    'What a debtor asked for with a link, and records it once however often the link is used. DN009 where the token is changed, cut, expired or of a lost key. Call it on POST alone. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.link(uuid, text) TO dunning_operator, dunning_worker;
GRANT EXECUTE ON FUNCTION dunning.open_link(text) TO dunning_operator;
