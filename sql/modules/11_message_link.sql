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

CREATE FUNCTION dunning._link_key_problem() RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dun_message_sql_key_problem';
COMMENT ON FUNCTION dunning._link_key_problem() IS 'NULL, or why links cannot be signed.';

CREATE FUNCTION dunning._rotate_link_key(keep_days int) RETURNS text
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_message_sql_rotate_key';
COMMENT ON FUNCTION dunning._rotate_link_key(int) IS 'The id of a new key of links; the one before verifies for so many days more. Not undone by a rollback.';

CREATE FUNCTION dunning.rotate_link_key(keep_days int DEFAULT 35) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    IF keep_days IS NULL OR keep_days < 0 OR keep_days > 400 THEN
        RAISE EXCEPTION 'the old key is kept for 0 to 400 days' USING ERRCODE = '22023',
            DETAIL = 'Links are good for 30 days; 0 makes those that are out there worthless at once.', HINT = 'SELECT dunning.rotate_link_key();';
    END IF;
    RETURN dunning._rotate_link_key(keep_days);
END
$$;
COMMENT ON FUNCTION dunning.rotate_link_key(int) IS
    'The id of a new key that signs links from now on, also the first one. Links of the key before work for keep_days more (0: end at once, as do those of all older keys); keys whose time is over are removed. A file: not undone by a rollback, and to be copied to standbys. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.rotate_link_key(int) TO dunning_admin;

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

-- The message a genuine token is about, with what the token says. Everything that is not as it was signed is refused alike.
CREATE FUNCTION dunning._token_of(token text,
        OUT purpose text, OUT expires_at timestamptz, OUT debtor_id text, OUT message_id uuid, OUT channel text, OUT language text, OUT context jsonb, OUT decision jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    message_id := dunning._token_message(coalesce(token, ''));
    SELECT m.debtor_id, m.channel, m.language, m.context, m.decision INTO debtor_id, channel, language, context, decision
    FROM dunning.message m WHERE m.message_id = _token_of.message_id;
    -- No such message: the token is checked all the same, against no debtor.
    SELECT v.purpose, v.expires_at INTO purpose, expires_at
    FROM dunning._verify_token(token, coalesce(debtor_id, ''), dunning._now()) v;
END
$$;
COMMENT ON FUNCTION dunning._token_of(text) IS 'Purpose, expiry and message of a genuine token; DN009 for any other, for whatever reason.';

CREATE FUNCTION dunning._link_event(purpose text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT CASE purpose WHEN 'pay' THEN 'clicked' WHEN 'plan' THEN 'circumstances_changed' WHEN 'already_paid' THEN 'paid_elsewhere'
                       WHEN 'dispute' THEN 'disputed' WHEN 'opt_out' THEN 'opted_out' END $$;
COMMENT ON FUNCTION dunning._link_event(text) IS 'The kind of event that acting on a link of a purpose records.';

CREATE FUNCTION dunning._link_done(debtor_id text, message_id uuid, purpose text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    RETURN EXISTS (SELECT FROM dunning.once o WHERE o.debtor_id = _link_done.debtor_id AND o.kind = 'event'
                   AND o.key = format('link:%s:%s', _link_done.purpose, _link_done.message_id));
END
$$;
COMMENT ON FUNCTION dunning._link_done(text, uuid, text) IS 'Was a link of this purpose and message acted on?';

-- Mail scanners fetch every link they see: looking changes nothing.
CREATE FUNCTION dunning.open_link(token text,
        OUT purpose text, OUT debtor_id text, OUT message_id uuid, OUT expires_at timestamptz, OUT pay_url text, OUT records text, OUT done boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    SELECT t.purpose, t.expires_at, t.debtor_id, t.message_id, t.context->>'pay_url'
    INTO purpose, expires_at, debtor_id, message_id, pay_url
    FROM dunning._token_of(open_link.token) t;
    records := dunning._link_event(purpose);
    done := dunning._link_done(debtor_id, message_id, purpose);
END
$$;
COMMENT ON FUNCTION dunning.open_link(text) IS
    'What a link is for, of whom, until when, which event acting on it would record and whether that was done already. Changes nothing: for GET. DN009 where the token is changed, cut, expired, of another database or of a lost key. Role dunning_operator.';

-- What a debtor may say with a click. Everything else that a form sends is left out: an address or a channel would suppress another's.
CREATE FUNCTION dunning._link_detail(given jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    IF given IS NOT NULL AND jsonb_typeof(given) <> 'object' THEN
        RAISE EXCEPTION 'the detail of a link is a JSON object' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.act_on_link(token, ''{"text": "what was said"}'');';
    END IF;
    RETURN coalesce((SELECT jsonb_object_agg(g.key, left(g.value, 2000)) FROM jsonb_each_text(given) g
                     WHERE g.key IN ('text', 'option', 'offer', 'invoice', 'paid_on', 'amount') AND btrim(g.value) <> ''), '{}');
END
$$;
COMMENT ON FUNCTION dunning._link_detail(jsonb) IS 'What is kept of the fields of a form: text, offer and option, invoice, paid_on, amount, 2000 characters each. 22023 unless it is an object.';

-- The offer that a form names is accepted while it is the one of record; else what was wished for is left to a person.
CREATE FUNCTION dunning._accept_by_link(debtor_id text, said jsonb, OUT accepted uuid, OUT recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    IF NOT said ? 'offer' THEN
        RETURN;
    END IF;
    SELECT a.accepted, a.recorded INTO accepted, recorded
    FROM dunning.accept_offer(_accept_by_link.debtor_id, (said->>'option')::int, (said->>'offer')::uuid, 'link') a;
EXCEPTION WHEN invalid_parameter_value OR object_not_in_prerequisite_state OR invalid_text_representation OR numeric_value_out_of_range THEN
    accepted := NULL;
    recorded := NULL;
END
$$;
COMMENT ON FUNCTION dunning._accept_by_link(text, jsonb) IS 'The offer that a form accepted; NULL where it names none, or none that stands.';

CREATE FUNCTION dunning.act_on_link(token text, detail jsonb DEFAULT '{}',
        OUT purpose text, OUT debtor_id text, OUT message_id uuid, OUT pay_url text, OUT recorded boolean, OUT accepted uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    told record;
    said jsonb := dunning._link_detail(act_on_link.detail);
BEGIN
    SELECT t.* INTO told FROM dunning._token_of(act_on_link.token) t;
    purpose := told.purpose;
    debtor_id := told.debtor_id;
    message_id := told.message_id;
    pay_url := told.context->>'pay_url';
    -- A test went to a colleague, who tries the buttons.
    IF told.decision ? 'test_address'
       OR EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = told.debtor_id AND e.message_id = told.message_id AND e.test) THEN
        recorded := false;
        RETURN;
    END IF;
    -- A plan link asks for a plan; with an option it takes one. What is accepted is what the page showed, else what the message said.
    IF purpose = 'plan' AND said ? 'option' THEN
        SELECT a.accepted, a.recorded INTO accepted, recorded
        FROM dunning._accept_by_link(told.debtor_id, coalesce((SELECT jsonb_build_object('offer', b.offer_id) FROM dunning.body b
            WHERE b.debtor_id = told.debtor_id AND b.message_id = told.message_id AND b.offer_id IS NOT NULL), '{}') || said) a;
    END IF;
    IF accepted IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT r.recorded INTO recorded
    FROM dunning.record_event(dunning._link_event(purpose), told.debtor_id, told.message_id, NULL,
            said || jsonb_build_object('request', told.purpose, 'by', 'link', 'channel', told.channel),
            format('link:%s:%s', told.purpose, told.message_id)) r;
END
$$;
COMMENT ON FUNCTION dunning.act_on_link(text, jsonb) IS
    'Does what a link asks for and records it once, however often it is called: pay records clicked, plan circumstances_changed, already_paid paid_elsewhere, dispute disputed, opt_out opted_out. A plan link with an option accepts it (accepted) of the offer that the form names, else of the one its message told of, if that still stands; if not, a person hears of it. Of detail, the fields of a form, text, offer, option, invoice, paid_on and amount are kept. Links of tests do nothing. For POST. DN009 as open_link(). Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.link(uuid, text) TO dunning_operator, dunning_worker;
GRANT EXECUTE ON FUNCTION dunning.open_link(text), dunning.act_on_link(text, jsonb) TO dunning_operator;

-- For health(): no line where no creditor has a page.
CREATE FUNCTION dunning._health_links() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    served  text := (SELECT string_agg(c.creditor, ', ' ORDER BY c.creditor) FROM dunning.creditor c WHERE c.link_url IS NOT NULL);
    problem text := dunning._link_key_problem();
BEGIN
    IF served IS NOT NULL THEN
        RETURN QUERY SELECT text 'links', CASE WHEN problem IS NULL THEN 'ok' ELSE 'fail' END,
            CASE WHEN problem IS NULL THEN 'signed for ' || served ELSE 'messages leave without links: link.key: ' || problem END,
            CASE WHEN problem IS NOT NULL THEN 'SELECT dunning.rotate_link_key();' END;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._health_links() IS 'Whether links of creditors that serve a page can be signed.';
