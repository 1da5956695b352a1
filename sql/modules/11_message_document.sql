-- Documents that go with a mail: the copy of an invoice, a notice that the law wants.

CREATE TABLE dunning.document (
    debtor_id       text COLLATE "C" NOT NULL,  -- it goes to nobody else; '*': it says nothing about anybody
    document        text COLLATE "C" NOT NULL,
    version         int NOT NULL,
    creditor        text COLLATE "C" NOT NULL,  -- the debtor's; '*': of all
    file_name       text NOT NULL,
    media_type      text NOT NULL,
    bytes           int NOT NULL,
    content         bytea NOT NULL,
    digest          bytea NOT NULL,             -- sha256 of content
    saved_by        text NOT NULL,
    saved_at        timestamptz NOT NULL,
    replaced_at     timestamptz,                -- NULL: in force
    PRIMARY KEY (debtor_id, document, version)
);
COMMENT ON TABLE dunning.document IS 'Documents with every version; a mail that has left names the one it had. Versions that were replaced 100 days ago are dropped by maintain(), those of a person by forget().';
SELECT pg_catalog.pg_extension_config_dump('dunning.document', '');

CREATE TABLE dunning.template_document (
    template        text COLLATE "C" NOT NULL,
    document        text COLLATE "C" NOT NULL,
    language        text COLLATE "C" NOT NULL DEFAULT '*',
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',
    PRIMARY KEY (template, document, language, creditor)
);
COMMENT ON TABLE dunning.template_document IS 'Which documents go with each mail of a template; ''*'' is any language, any creditor.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.template_document FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.template_document ENABLE ALWAYS TRIGGER changed;
SELECT pg_catalog.pg_extension_config_dump('dunning.template_document', '');
REVOKE ALL ON dunning.document, dunning.template_document FROM PUBLIC;
GRANT SELECT ON dunning.template_document TO dunning_viewer;

GRANT SELECT (debtor_id, document, version, creditor, file_name, media_type, bytes, digest, saved_by, saved_at, replaced_at) ON dunning.document TO dunning_viewer;

CREATE VIEW dunning.documents WITH (security_invoker, security_barrier) AS
    SELECT d.document, d.version, nullif(d.debtor_id, '*') AS debtor_id, d.file_name, d.media_type, d.bytes, d.saved_by, d.saved_at,
           CASE d.debtor_id WHEN '*' THEN ARRAY(SELECT t.template FROM dunning.template_document t WHERE t.document = d.document ORDER BY 1) END AS templates
    FROM dunning.document d WHERE d.replaced_at IS NULL;
COMMENT ON VIEW dunning.documents IS 'The documents in force, without their content; debtor_id NULL: one that may go to everybody.';
REVOKE ALL ON dunning.documents FROM PUBLIC;
GRANT SELECT ON dunning.documents TO dunning_viewer;

CREATE FUNCTION dunning._document_size() RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT pg_size_bytes(coalesce(nullif(current_setting('dunning.document_size', true), ''), '2MB')) $$;
COMMENT ON FUNCTION dunning._document_size() IS 'How many bytes the documents of one mail may have in all: dunning.document_size.';

CREATE FUNCTION dunning.save_document(document text, file_name text, content bytea, media_type text DEFAULT 'application/pdf', debtor_id text DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    whose text := CASE WHEN save_document.debtor_id IS NULL THEN '*' ELSE dunning._canonical_id(save_document.debtor_id) END;
    of_creditor text := CASE WHEN whose = '*' THEN '*' ELSE dunning._creditor_of(whose) END;
    problem text := CASE
        WHEN coalesce(save_document.document, '') !~ '^[[:alnum:]][[:alnum:]._/-]{0,199}$' THEN 'a document needs a name of letters, digits and . _ / -'
        WHEN coalesce(save_document.file_name, '') !~ '^[^[:cntrl:]/\\"<>:|?*]{1,150}$' OR save_document.file_name ~ '^[. ]' THEN 'that is no name of a file'
        WHEN coalesce(save_document.media_type, '') !~ '^[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}$' OR save_document.media_type ~ '^(multipart|message)/' THEN 'media_type is written like application/pdf'
        WHEN coalesce(octet_length(save_document.content), 0) = 0 THEN 'the document is empty'
        WHEN octet_length(save_document.content) > dunning._document_size() THEN format('a document has at most %s bytes, as dunning.document_size says', dunning._document_size())
        WHEN of_creditor IS NULL OR whose = '*' AND save_document.debtor_id IS NOT NULL THEN format('there is no debtor "%s"', whose) END;
    the_next int;
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = '22023',
            HINT = 'SELECT dunning.save_document(''invoice/4711'', ''Invoice 4711.pdf'', pg_read_binary_file(''…''), debtor_id => ''1001'');';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext(whose), hashtext(save_document.document));
    SELECT coalesce(max(d.version), 0) + 1 INTO the_next FROM dunning.document d WHERE d.debtor_id = whose AND d.document = save_document.document;
    UPDATE dunning.document d SET replaced_at = clock_timestamp() WHERE d.debtor_id = whose AND d.document = save_document.document AND d.replaced_at IS NULL;
    INSERT INTO dunning.document (debtor_id, document, version, creditor, file_name, media_type, bytes, content, digest, saved_by, saved_at)
    VALUES (whose, save_document.document, the_next, of_creditor, save_document.file_name, save_document.media_type, octet_length(save_document.content), save_document.content,
            sha256(save_document.content), session_user, clock_timestamp());
    RETURN the_next;
END
$$;
COMMENT ON FUNCTION dunning.save_document(text, text, bytea, text, text) IS
    'The version under which a document is kept, at most dunning.document_size (2 MB). One with a debtor_id goes to that debtor alone. A mail has it by send(…, vars => ''{"attach": ["invoice/4711"]}'') or by attach_document(). 22023 on a name, type or debtor that cannot be. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.save_document(text, text, bytea, text, text) TO dunning_operator;

CREATE FUNCTION dunning.drop_document(document text, debtor_id text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    UPDATE dunning.document d SET replaced_at = clock_timestamp()
    WHERE d.debtor_id = coalesce(dunning._canonical_id(drop_document.debtor_id), '*') AND d.document = drop_document.document AND d.replaced_at IS NULL;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION dunning.drop_document(text, text) IS 'True where the document (of a debtor; NULL: of everybody) was in force; mails that wait for it are held. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.drop_document(text, text) TO dunning_operator;

CREATE FUNCTION dunning.attach_document(template text, document text, language text DEFAULT NULL, creditor text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    PERFORM dunning._check_template_name(attach_document.template);
    IF NOT EXISTS (SELECT FROM dunning.document d WHERE d.debtor_id = '*' AND d.document = attach_document.document AND d.replaced_at IS NULL) THEN
        RAISE EXCEPTION 'there is no document "%" that may go to everybody', attach_document.document
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.documents WHERE debtor_id IS NULL;';
    END IF;
    INSERT INTO dunning.template_document (template, document, language, creditor)
    VALUES (attach_document.template, attach_document.document, coalesce(dunning._language(attach_document.language), '*'), coalesce(attach_document.creditor, '*'))
    ON CONFLICT ON CONSTRAINT template_document_pkey DO NOTHING;
END
$$;
COMMENT ON FUNCTION dunning.attach_document(text, text, text, text) IS 'From now on each mail of the template (in that language, of that creditor; NULL: any) has the document with it. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.attach_document(text, text, text, text) TO dunning_admin;

CREATE FUNCTION dunning.detach_document(template text, document text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    DELETE FROM dunning.template_document t WHERE t.template = detach_document.template AND t.document = detach_document.document;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION dunning.detach_document(text, text) IS 'True where mails of the template had the document; none has it any more. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.detach_document(text, text) TO dunning_admin;

-- What send() was asked for; the names alone are kept, so that the version in force at the time of sending leaves.
CREATE FUNCTION dunning._check_attach(vars jsonb, debtor_id text, channel text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    unknown text;
BEGIN
    IF jsonb_typeof(vars -> 'attach') <> 'array' OR EXISTS (SELECT FROM jsonb_array_elements(vars -> 'attach') a WHERE jsonb_typeof(a.value) <> 'string')
       OR jsonb_array_length(vars -> 'attach') > 10 THEN
        RAISE EXCEPTION 'attach is a list of at most ten documents' USING ERRCODE = '22023', HINT = 'vars => ''{"attach": ["invoice/4711"]}''';
    ELSIF channel <> 'email' THEN
        RAISE EXCEPTION 'a message by % carries no documents', channel USING ERRCODE = '22023', HINT = 'channel => ''email''';
    END IF;
    SELECT string_agg(a.name, ', ') INTO unknown FROM jsonb_array_elements_text(vars -> 'attach') a(name)
    WHERE NOT EXISTS (SELECT FROM dunning.document d WHERE d.debtor_id IN (_check_attach.debtor_id, '*') AND d.document = a.name AND d.replaced_at IS NULL);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'there is no document "%" for debtor "%"', unknown, debtor_id
            USING ERRCODE = '22023', DETAIL = 'A document that belongs to a debtor goes to that debtor alone.', HINT = format('SELECT * FROM dunning.documents WHERE debtor_id IS NULL OR debtor_id = %L;', debtor_id);
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_attach(jsonb, text, text) IS 'Nothing; 22023 where the documents that vars names cannot go with this message.';

CREATE FUNCTION dunning._has_documents(template text, language text, creditor text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT EXISTS (SELECT FROM dunning.template_document t WHERE t.template = $1 AND t.language IN ('*', $2) AND t.creditor IN ('*', $3))
$$;
COMMENT ON FUNCTION dunning._has_documents(text, text, text) IS 'Whether documents go with the mails of a template.';

CREATE FUNCTION dunning._attachments(debtor_ids text[], templates text[], languages text[], creditors text[], channels text[], contexts jsonb[])
    RETURNS TABLE (ord bigint, list jsonb, problem text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT u.ord, x.list,
           CASE WHEN x.missing THEN 'document_missing' WHEN x.bytes > dunning._document_size() THEN 'documents_too_large'
                WHEN x.asked AND u.channel <> 'email' THEN 'documents_need_email' END
    FROM ROWS FROM (unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6)) WITH ORDINALITY AS u(debtor_id, template, language, creditor, channel, context, ord)
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('of', d.debtor_id, 'document', w.document, 'version', d.version, 'digest', encode(d.digest, 'hex'), 'bytes', d.bytes) ORDER BY w.n, w.document)
                   FILTER (WHERE d.document IS NOT NULL) AS list,
               bool_or(d.document IS NULL) AS missing, sum(d.bytes) AS bytes, bool_or(w.asked) AS asked
        FROM (SELECT a.name AS document, a.n, true AS asked
              FROM jsonb_array_elements_text(CASE jsonb_typeof(u.context -> 'attach') WHEN 'array' THEN u.context -> 'attach' ELSE '[]' END) WITH ORDINALITY a(name, n)
              UNION ALL
              SELECT DISTINCT t.document::text, 0, false FROM dunning.template_document t
              WHERE u.channel = 'email' AND t.template = u.template AND t.language IN ('*', u.language) AND t.creditor IN ('*', u.creditor)) w
        LEFT JOIN LATERAL (SELECT o.* FROM dunning.document o WHERE o.debtor_id IN (u.debtor_id, '*') AND o.document = w.document AND o.replaced_at IS NULL
                           ORDER BY o.debtor_id = '*' LIMIT 1) d ON true) x
$$;
COMMENT ON FUNCTION dunning._attachments(text[], text[], text[], text[], text[], jsonb[]) IS 'The documents in force that go with each message, list NULL: none; problem is why they cannot.';
GRANT EXECUTE ON FUNCTION dunning._has_documents(text, text, text), dunning._attachments(text[], text[], text[], text[], text[], jsonb[]) TO dunning_worker;
GRANT SELECT ON dunning.document TO dunning_worker;

CREATE FUNCTION dunning._refresh_documents() RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY WITH gone AS (DELETE FROM dunning.document d WHERE d.replaced_at < clock_timestamp() - interval '100 days' RETURNING d.document)
        SELECT g.document::text FROM gone g;
END
$$;
COMMENT ON FUNCTION dunning._refresh_documents() IS 'The versions of documents that were dropped, having been replaced 100 days ago. maintain() calls it.';
