-- message: templates and what they become. Pure: a context goes in, parts come out; the ledger is never read here.

-- Every version of every text. A row is never edited: saving adds the next version and marks the one before.
CREATE TABLE dunning.template (
    template        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    language        text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',          -- '*': every creditor
    framing         text COLLATE "C" NOT NULL DEFAULT 'neutral',
    builtin         boolean NOT NULL DEFAULT false,
    version         int NOT NULL DEFAULT 1,
    subject         text,
    body_text       text NOT NULL,
    body_html       text,
    vars            text[] NOT NULL DEFAULT '{}',                   -- names that the caller of send() gives
    partial         boolean NOT NULL DEFAULT false,                 -- a piece for {{> name}}, no message by itself
    personal        boolean NOT NULL DEFAULT false,                 -- may use what dunning.sensitivity calls personal
    saved_by        text NOT NULL DEFAULT 'dunning',
    saved_at        timestamptz NOT NULL DEFAULT pg_catalog.now(),
    replaced_by     text,
    replaced_at     timestamptz,                                    -- NULL: in force
    PRIMARY KEY (template, channel, language, creditor, framing, builtin, version)
);
CREATE UNIQUE INDEX template_in_force ON dunning.template (template, channel, language, creditor, framing, builtin)
    WHERE replaced_at IS NULL;
COMMENT ON TABLE dunning.template IS
    'Texts by template, channel, language, creditor and framing, with every version. A user''s row replaces the built-in one of the same key; the row in force has no replaced_at.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.template FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.template ENABLE ALWAYS TRIGGER changed;
SELECT pg_catalog.pg_extension_config_dump('dunning.template', 'WHERE NOT builtin');

CREATE FUNCTION dunning._render(subject text, body_text text, body_html text, context jsonb, language text, partials jsonb DEFAULT NULL,
        OUT subject text, OUT body_text text, OUT body_html text, OUT fields text[], OUT missing text[])
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_render';
COMMENT ON FUNCTION dunning._render(text, text, text, jsonb, text, jsonb) IS
    'The parts that templates become in a context, the names they used and those that were null; partials as _partials() gives them. Errors: DN003 no template or an unknown name, 22023 a value that cannot be shown, 53400 too large.';

-- A message may wait days for its instant, and longer while held. The amounts in it are the ledger's, or it is not sent; the days are counted anew.
CREATE FUNCTION dunning._aged_context(context jsonb, today date) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_age_context';
COMMENT ON FUNCTION dunning._aged_context(jsonb, date) IS 'A frozen context with its days past due as of a later day.';

CREATE FUNCTION dunning._render_loose(template text, context jsonb, partials jsonb DEFAULT NULL) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_render_plain';
COMMENT ON FUNCTION dunning._render_loose(text, jsonb, jsonb) IS
    'A template rendered to the letter of the mustache specification, by the grammar and the walk of _render(): an unknown name is empty, {{{x}}} is not escaped. For its published cases; nothing that is sent goes this way.';

CREATE FUNCTION dunning._visit(subject text, body_text text, body_html text, context jsonb, partials jsonb DEFAULT NULL,
        OUT fields text[], OUT bare text[])
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_visit';
COMMENT ON FUNCTION dunning._visit(text, text, text, jsonb, jsonb) IS
    'Every name in the templates, as its path in the context, also in sections that would not show; those shown without a filter. Errors as those of _render().';

CREATE FUNCTION dunning._template_fields(subject text, body_text text, body_html text, context jsonb, partials jsonb DEFAULT NULL) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT v.fields FROM dunning._visit(subject, body_text, body_html, context, partials) v $$;
COMMENT ON FUNCTION dunning._template_fields(text, text, text, jsonb, jsonb) IS
    'Every name in the templates, as its path in the context, also in sections that would not show. Errors as those of _render().';

CREATE FUNCTION dunning._template_names(subject text, body_text text, body_html text, partials jsonb DEFAULT NULL, OUT names text[], OUT partials_used text[])
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_names';
COMMENT ON FUNCTION dunning._template_names(text, text, text, jsonb) IS
    'Names and partials as the templates write them. With partials given, theirs too, and one that is missing or includes itself is an error (DN003).';

CREATE FUNCTION dunning._sms(body text, OUT parts int, OUT units int, OUT encoding text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_sms';
COMMENT ON FUNCTION dunning._sms(text) IS
    'How many SMS a text takes: GSM 03.38 160 septets, or 153 each in several; UCS-2 70, or 67.';

-- Names that every text may use and most messages have nothing for. A context of another release may lack them.
CREATE FUNCTION dunning._optional_names() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb '{"offer": null, "fee": null, "charges": null, "proof": null, "late_cost": null, "hearing": null, "plan_url": null, "paid_url": null,
    "dispute_url": null, "optout_url": null, "optout_reply": null, "qr": null, "note": null}' $$;
COMMENT ON FUNCTION dunning._optional_names() IS 'A context of the names that are known to every template and null unless planning has something for them.';
GRANT EXECUTE ON FUNCTION dunning._optional_names() TO dunning_worker;

CREATE FUNCTION dunning._language(tag text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE l WHEN 'no' THEN 'nb' WHEN 'nn' THEN 'nb' ELSE l END
      FROM (SELECT nullif(lower(split_part(translate(tag, '_', '-'), '-', 1)), '') AS l) x $$;
COMMENT ON FUNCTION dunning._language(text) IS 'The language of a tag such as da-DK; Norwegian without a form reads as nb.';

-- Which text speaks. A person's own words go before ours: the creditor's own, then a saved one, and only then the framing.
-- A channel without texts of its own (whatsapp, portal) takes those of the nearest kind.
CREATE FUNCTION dunning._find_template(template text, channel text, language text, creditor text, framing text DEFAULT 'neutral', partial boolean DEFAULT false)
    RETURNS dunning.template
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    found_row dunning.template;
    near      text;
    asked     text := dunning._language(_find_template.language);
    own       text;
BEGIN
    SELECT dunning._language(c.language) INTO own FROM dunning.creditor c WHERE c.creditor = _find_template.creditor ORDER BY c.builtin LIMIT 1;
    SELECT CASE WHEN c.human THEN 'call' WHEN c.rings THEN 'sms' ELSE 'email' END INTO near
    FROM dunning.channel c WHERE c.channel = _find_template.channel ORDER BY c.builtin LIMIT 1;
    SELECT t.* INTO found_row
    FROM dunning.template t
    WHERE t.template = _find_template.template
      AND t.partial = _find_template.partial
      AND t.replaced_at IS NULL
      AND t.channel IN (_find_template.channel, near)
      AND t.language IN (asked, own, 'en')
      AND t.creditor IN (_find_template.creditor, '*')
      AND t.framing IN (_find_template.framing, 'neutral')
    ORDER BY t.channel = _find_template.channel DESC,
             t.language = asked DESC NULLS LAST, t.language = own DESC NULLS LAST,
             t.creditor <> '*' DESC, t.builtin, t.framing = _find_template.framing DESC NULLS LAST
    LIMIT 1;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION dunning._find_template(text, text, text, text, text, boolean) IS
    'The text in force for a template (or a partial), channel, language, creditor and framing; language falls back to the creditor''s and then to en, framing to neutral. A row of nulls where there is none.';

CREATE FUNCTION dunning._template(template text, channel text, language text, creditor text, framing text DEFAULT 'neutral')
    RETURNS dunning.template
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    found_row dunning.template := dunning._find_template(_template.template, _template.channel, _template.language, _template.creditor, _template.framing);
BEGIN
    IF found_row.template IS NULL THEN
        RAISE EXCEPTION 'there is no template "%" for channel "%"', _template.template, _template.channel
            USING ERRCODE = 'DN003',
                  DETAIL = coalesce('Templates are: ' || (SELECT string_agg(DISTINCT format('%s (%s)', t.template, t.channel), ', ')
                                    FROM dunning.template t WHERE t.replaced_at IS NULL AND NOT t.partial) || '.', 'There is no template.'),
                  HINT = format('SELECT * FROM dunning.save_template(%L, %L, %L, ''subject'', ''text'');',
                                _template.template, _template.channel, coalesce(dunning._language(_template.language), 'en'));
    END IF;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION dunning._template(text, text, text, text, text) IS
    'The text in force for a template, channel, language, creditor and framing; language falls back to the creditor''s and then to en, framing to neutral. DN003 where there is none, with those there are.';

-- A partial is looked for as its template was: for the message's creditor, in the language that the text is written in.
CREATE FUNCTION dunning._partials(subject text, body_text text, body_html text, channel text, language text, creditor text, framing text DEFAULT 'neutral')
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    known  jsonb := '{}';
    wanted text[] := (dunning._template_names(subject, body_text, body_html)).partials_used;
    piece  dunning.template;
    name   text;
BEGIN
    IF wanted = '{}' THEN
        RETURN NULL;
    END IF;
    WHILE wanted <> '{}' LOOP
        name := wanted[1];
        wanted := wanted[2:];
        CONTINUE WHEN known ? name;
        piece := dunning._find_template(name, channel, language, creditor, framing, true);
        -- One that does not exist is left out: the renderer says where it is missed.
        known := known || jsonb_build_object(name, CASE WHEN piece.template IS NOT NULL THEN jsonb_build_object('text', piece.body_text, 'html', piece.body_html, 'language', piece.language) END);
        IF piece.template IS NOT NULL THEN
            wanted := wanted || (dunning._template_names(NULL, piece.body_text, piece.body_html)).partials_used;
        END IF;
    END LOOP;
    RETURN known;
END
$$;
COMMENT ON FUNCTION dunning._partials(text, text, text, text, text, text, text) IS
    'The partials that a text and its partials include: {"name": {"text", "html", "language"}}, null for one that does not exist; NULL where it includes none.';

CREATE FUNCTION dunning.render(template text, context jsonb, language text, channel text,
        OUT subject text, OUT body_text text, OUT body_html text, OUT sms_parts int, OUT missing text[], OUT warnings text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    chosen dunning.template;
    whose  text := coalesce(context->>'creditor', '*');
    framed text := coalesce(context->>'framing', 'neutral');
    sms    record;
BEGIN
    chosen := dunning._template(template, channel, language, whose, framed);
    SELECT r.subject, r.body_text, r.body_html, r.missing
    INTO subject, body_text, body_html, missing
    FROM dunning._render(chosen.subject, chosen.body_text, chosen.body_html, dunning._optional_names() || coalesce(context, '{}'), chosen.language,
                         dunning._partials(chosen.subject, chosen.body_text, chosen.body_html, channel, chosen.language, whose, framed)) r;
    warnings := '{}';
    IF chosen.language <> dunning._language(language) THEN
        warnings := warnings || format('there is no text in %s: %s was used', language, chosen.language);
    END IF;
    IF cardinality(missing) > 0 THEN
        warnings := warnings || format('rendered empty: %s', array_to_string(missing, ', '));
    END IF;
    IF chosen.channel = 'sms' THEN
        sms := dunning._sms(body_text);
        sms_parts := sms.parts;
        warnings := warnings || dunning._sms_warnings(body_text);
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.render(text, jsonb, text, text) IS
    'Subject, text, HTML and number of SMS that a template becomes in a context; names that were null; warnings. The context''s creditor and framing choose among the texts. DN003 on a name that the context does not have. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.render(text, jsonb, text, text) TO dunning_viewer;

CREATE FUNCTION dunning._sms_warnings(body text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    sms    record := dunning._sms(body);
    result text[] := '{}';
    odd    text;
BEGIN
    IF sms.parts > 2 THEN
        result := result || format('takes %s SMS (%s)', sms.parts, sms.encoding);
    END IF;
    IF sms.encoding = 'UCS-2' THEN
        SELECT string_agg(DISTINCT c, ' ') INTO odd
        FROM regexp_split_to_table(body, '') c WHERE (dunning._sms(c)).encoding = 'UCS-2';
        result := result || format('characters outside of GSM 03.38 leave 70 characters to an SMS instead of 160: %s', odd);
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION dunning._sms_warnings(text) IS 'What is costly about a text sent by SMS: more than two parts, characters outside of GSM 03.38.';

GRANT EXECUTE ON FUNCTION dunning._render(text, text, text, jsonb, text, jsonb), dunning._partials(text, text, text, text, text, text, text), dunning._template(text, text, text, text, text), dunning._sms(text)
    TO dunning_worker;
