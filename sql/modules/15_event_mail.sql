-- Mail that comes back: reports about what could not be delivered, complaints, answers. Read from mailboxes by the worker, or handed over.

-- How far each mailbox has been read. Nothing is changed in a mailbox: whoever else reads it sees what he would have seen.
CREATE TABLE dunning.mailbox (
    server          text COLLATE "C" PRIMARY KEY,
    validity        bigint,                     -- UIDVALIDITY of RFC 9051; another one: it was made anew, and is read from its start
    last_uid        bigint NOT NULL DEFAULT 0,  -- read up to here
    mails           bigint NOT NULL DEFAULT 0,  -- read so far
    unmatched       bigint NOT NULL DEFAULT 0,  -- of these, about no message and from nobody that is known
    looked_at       timestamptz,
    next_at         timestamptz,
    failures        int NOT NULL DEFAULT 0,     -- in a row
    problem         text
);
COMMENT ON TABLE dunning.mailbox IS 'How far each server of driver imap has been read, what came of it, and what stands in the way. One row a server, from its first reading.';
SELECT pg_catalog.pg_extension_config_dump('dunning.mailbox', '');
REVOKE ALL ON dunning.mailbox FROM PUBLIC;
GRANT SELECT ON dunning.mailbox TO dunning_viewer;

CREATE FUNCTION dunning._read_mail(mail bytea, OUT kind text, OUT message_ids uuid[], OUT sender text, OUT recipient text,
                                   OUT action text, OUT status text, OUT diagnostic text, OUT subject text, OUT said text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_event_sql_read_mail';
COMMENT ON FUNCTION dunning._read_mail(bytea) IS
    'What a mail says: kind is report (RFC 3464), complaint (RFC 5965), automatic (RFC 3834) or answer; message_ids are those of ours that it may be about, the likeliest first; said is the writer''s own text, at most 16 kB.';

-- Is it the address that is wrong? A full mailbox, a policy or a relay's trouble is not the address's fault.
CREATE FUNCTION dunning._is_hard_bounce(status text, diagnostic text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT coalesce(_is_hard_bounce.status ~ '^5\.(1\.([012346]|10)|2\.1|4\.4)$', false)
        -- A relay that knows no such codes says 5.0.0, and hands on what the other one answered.
        OR coalesce(_is_hard_bounce.status, '5.0.0') = '5.0.0' AND coalesce(_is_hard_bounce.diagnostic ~ '(^|[^0-9.])55[013]([^0-9.]|$)', false)
$$;
COMMENT ON FUNCTION dunning._is_hard_bounce(text, text) IS 'Whether a status of RFC 3463, or where it says nothing the mail server''s answer, means that the address does not exist.';

CREATE FUNCTION dunning._mail_answer(about uuid, sender text, subject text, said text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    topic text := regexp_replace(coalesce(_mail_answer.subject, ''), '^((re|aw|sv|vs|antw|fwd?|wg)\s*:\s*)+', '', 'i');
    words text := coalesce(_mail_answer.said, topic);
    first_line text := split_part(words, E'\n', 1);
    of_whom jsonb := jsonb_strip_nulls(jsonb_build_object('message_id', about, 'from', sender));
BEGIN
    IF dunning._means_stop(words) OR NOT (dunning._means_stop(first_line) OR dunning._means_stop(topic)) THEN
        RETURN jsonb_build_array(of_whom || jsonb_build_object('kind', 'replied', 'text', words));
    END IF;
    -- Above a signature, or in the subject: it is obeyed, and a person reads the rest.
    RETURN jsonb_build_array(of_whom || jsonb_strip_nulls(jsonb_build_object('kind', 'opted_out', 'address', sender)),
                             of_whom || jsonb_build_object('kind', 'replied', 'text', words, 'part', 'answer'));
END
$$;
COMMENT ON FUNCTION dunning._mail_answer(uuid, text, text, text) IS 'The items of an answer: what was said, before it an opt-out where its first line or subject is one and more was said.';

-- A report names the message or is about none of ours: whoever writes one could else have any address suppressed.
CREATE FUNCTION dunning._mail_items(mail bytea, OUT items jsonb, OUT nothing text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    m record;
    about uuid;
BEGIN
    SELECT r.* INTO m FROM dunning._read_mail(mail) r;
    SELECT x.message_id INTO about
    FROM unnest(m.message_ids) WITH ORDINALITY i(id, n) JOIN dunning.message x ON x.message_id = i.id ORDER BY i.n LIMIT 1;
    CASE
        WHEN m.kind = 'automatic' THEN
            nothing := 'automatic';
        WHEN m.kind = 'answer' THEN
            items := dunning._mail_answer(about, m.sender, m.subject, m.said);
        WHEN m.kind = 'complaint' THEN
            items := jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('kind', 'complaint', 'message_id', about,
                         'address', CASE WHEN about IS NULL THEN m.recipient END)));
        WHEN m.action NOT IN ('failed', 'delivered') THEN
            nothing := 'nothing_new';
        WHEN about IS NULL THEN
            nothing := 'unknown_message';
        WHEN m.action = 'delivered' THEN
            items := jsonb_build_array(jsonb_build_object('kind', 'delivered', 'message_id', about));
        ELSE
            items := jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('kind', 'bounced', 'message_id', about, 'code', m.status,
                         'reason', m.diagnostic, 'hard', dunning._is_hard_bounce(m.status, m.diagnostic))));
    END CASE;
END
$$;
COMMENT ON FUNCTION dunning._mail_items(bytea) IS 'A mail as receive() has the items of a webhook, else why it says nothing about us: automatic, nothing_new, unknown_message.';

CREATE FUNCTION dunning.receive_mail(server text, mail bytea, at timestamptz DEFAULT NULL)
    RETURNS TABLE (item int, kind text, debtor_id text, message_id uuid, event_id uuid, recorded boolean, reason text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    found record;
    happened timestamptz := CASE WHEN isfinite(receive_mail.at) THEN least(receive_mail.at, dunning._now()) ELSE dunning._now() END;
    digest text := encode(sha256(receive_mail.mail), 'hex');
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._servers() s WHERE s.server = receive_mail.server
                   UNION ALL SELECT FROM dunning._mailbox_servers() s WHERE s.server = receive_mail.server) THEN
        RAISE EXCEPTION 'server "%" does not exist', coalesce(receive_mail.server, 'NULL')
            USING ERRCODE = 'DN006', HINT = 'SELECT * FROM dunning.receive_mail(''mail'', pg_read_binary_file(''…'')); names the server that the mails left by, or that of the mailbox.';
    ELSIF receive_mail.mail IS NULL OR octet_length(receive_mail.mail) = 0 THEN
        RAISE EXCEPTION 'there is no mail to be read'
            USING ERRCODE = '22023', HINT = 'mail is the whole mail as it arrived, headers and all: SELECT * FROM dunning.receive_mail(''mail'', pg_read_binary_file(''…''));';
    END IF;
    SELECT i.* INTO found FROM dunning._mail_items(receive_mail.mail) i;
    IF found.items IS NULL THEN
        RETURN QUERY SELECT 1, NULL::text, NULL::text, NULL::uuid, NULL::uuid, false, found.nothing;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT e.ord::int, o.kind, o.debtor_id, o.message_id, o.event_id, o.recorded, o.reason
        FROM jsonb_array_elements(found.items) WITH ORDINALITY AS e (value, ord)
        CROSS JOIN LATERAL dunning._receive_one(receive_mail.server, 'email',
            e.value || jsonb_build_object('at', happened, 'event_key', digest || coalesce('/' || (e.value ->> 'part'), ''))) o
        ORDER BY e.ord;
END
$$;
COMMENT ON FUNCTION dunning.receive_mail(text, bytea, timestamptz) IS
    'One row an item of a mail that came back, whole as it arrived (RFC 5322): the event it became, or why none (automatic, nothing_new, unknown_message). The same mail again is recorded once. at: when it arrived. Unknown server: DN006. Role dunning_operator, or EXECUTE on this alone for what delivers the mail.';
GRANT EXECUTE ON FUNCTION dunning.receive_mail(text, bytea, timestamptz) TO dunning_operator;

-- The worker's part.
CREATE FUNCTION dunning._mailboxes_due(wanted text DEFAULT NULL)
    RETURNS TABLE (server text, folder text, validity bigint, last_uid bigint, next_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT s.server, s.folder, b.validity, coalesce(b.last_uid, 0), b.next_at
        FROM dunning._mailbox_servers() s LEFT JOIN dunning.mailbox b ON b.server = s.server
        WHERE CASE WHEN wanted IS NULL THEN NOT s.paused AND coalesce(b.next_at, '-infinity') <= clock_timestamp() ELSE s.server = wanted END
        ORDER BY b.next_at NULLS FIRST, s.server COLLATE "C";
END
$$;
COMMENT ON FUNCTION dunning._mailboxes_due(text) IS 'The mailboxes to be read now, longest waiting first; or the one named, whether it is due or not.';

CREATE FUNCTION dunning._take_mail(server text, mail bytea, at text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    arrived timestamptz;
BEGIN
    BEGIN
        arrived := _take_mail.at::timestamptz;
    EXCEPTION WHEN data_exception THEN
        NULL;   -- a mailbox that cannot say when; the mail counts from now
    END;
    RETURN (SELECT bool_and(r.reason NOT IN ('unknown_message')) FROM dunning.receive_mail(_take_mail.server, _take_mail.mail, arrived) r);
END
$$;
COMMENT ON FUNCTION dunning._take_mail(text, bytea, text) IS 'receive_mail() for the worker: false where the mail is about no message and from nobody that is known.';

CREATE FUNCTION dunning._note_mailbox(server text, validity bigint, last_uid bigint, mails int, unmatched int, problem text, more boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    every interval := coalesce((SELECT s.every FROM dunning._mailbox_servers() s WHERE s.server = _note_mailbox.server), '1 minute');
    failed boolean := _note_mailbox.problem IS NOT NULL;
BEGIN
    INSERT INTO dunning.mailbox AS b (server, validity, last_uid, mails, unmatched, looked_at, next_at, failures, problem)
    VALUES (_note_mailbox.server, _note_mailbox.validity, coalesce(_note_mailbox.last_uid, 0), _note_mailbox.mails, _note_mailbox.unmatched,
            clock_timestamp(), clock_timestamp() + CASE WHEN more THEN '0' ELSE every END, failed::int, _note_mailbox.problem)
    ON CONFLICT ON CONSTRAINT mailbox_pkey DO UPDATE
    SET validity = coalesce(EXCLUDED.validity, b.validity),
        last_uid = CASE WHEN EXCLUDED.validity IS NULL THEN b.last_uid ELSE EXCLUDED.last_uid END,
        mails = b.mails + EXCLUDED.mails, unmatched = b.unmatched + EXCLUDED.unmatched,
        looked_at = EXCLUDED.looked_at, problem = EXCLUDED.problem,
        failures = CASE WHEN failed THEN b.failures + 1 ELSE 0 END,
        next_at = CASE WHEN failed THEN clock_timestamp() + least(every * 2 ^ least(b.failures, 10), greatest(every, '1 hour')) ELSE EXCLUDED.next_at END;
END
$$;
COMMENT ON FUNCTION dunning._note_mailbox(text, bigint, bigint, int, int, text, boolean) IS 'How far a mailbox was read, or what stands in the way; it is looked at again after its option every, after failures ever later up to an hour, at once where there was more.';

GRANT EXECUTE ON FUNCTION dunning._mailboxes_due(text), dunning._take_mail(text, bytea, text),
    dunning._note_mailbox(text, bigint, bigint, int, int, text, boolean) TO dunning_worker;

CREATE PROCEDURE dunning.read_mail(server text DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'dun_deliver_sql_read_mail';
COMMENT ON PROCEDURE dunning.read_mail(text) IS
    'Reads the mailbox of a server of driver imap now, or each that is due; the background worker does it by itself. DN006 where the server is none or cannot be reached, 55000 in a database that is not activated, 25001 inside a transaction block. Role: dunning_operator.';
GRANT EXECUTE ON PROCEDURE dunning.read_mail(text) TO dunning_operator;
