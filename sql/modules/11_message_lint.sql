-- Lint and guards that need more than one look at a text: what is too personal, partials and who uses them, lengths, languages.

-- How near to a person a field of the context comes. What is known of somebody's habits, said to their face, can backfire.
CREATE TABLE dunning.sensitivity (
    field           text COLLATE "C" NOT NULL,                      -- a name, or a path such as offer.kind
    builtin         boolean NOT NULL DEFAULT false,
    level           text NOT NULL CHECK (level IN ('open', 'personal', 'never')),
    why             text NOT NULL,
    set_by          text NOT NULL DEFAULT 'dunning',
    set_at          timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (field, builtin)
);
COMMENT ON TABLE dunning.sensitivity IS
    'Fields that are too personal for a text: personal needs the template''s own permission (save_template(personal => true)), never is refused. A user''s row replaces the built-in one of the same field; open takes a shipped guard away. Fields without a row are open.';
SELECT pg_catalog.pg_extension_config_dump('dunning.sensitivity', 'WHERE NOT builtin');
INSERT INTO dunning.sensitivity (field, builtin, level, why) VALUES
    ('segment',          true, 'never',    'how we have sorted somebody is ours alone'),
    ('diagnosis',        true, 'never',    'a guess at why somebody does not pay is no fact'),
    ('reasons',          true, 'never',    'the working of a score is no argument to the person scored'),
    ('p_late',           true, 'never',    'a score is a guess'),
    ('p_paid_30d',       true, 'never',    'a score is a guess'),
    ('p_self_cure',      true, 'never',    'a score is a guess'),
    ('propensity',       true, 'never',    'it belongs to the experiment'),
    ('birth_date',       true, 'never',    'nobody needs it to pay'),
    ('national_id',      true, 'never',    'it has no place in a message'),
    ('hold',             true, 'never',    'hardship, insolvency or death are nothing to write about'),
    ('avg_late',         true, 'personal', 'repayment habits said to the face can backfire'),
    ('last_late',        true, 'personal', 'repayment habits said to the face can backfire'),
    ('max_late',         true, 'personal', 'repayment habits said to the face can backfire'),
    ('late_share',       true, 'personal', 'repayment habits said to the face can backfire'),
    ('n_late',           true, 'personal', 'repayment habits said to the face can backfire'),
    ('broken_promises',  true, 'personal', 'a broken promise held against somebody hurts more than it moves'),
    ('last_paid_on',     true, 'personal', 'it tells that we watch'),
    ('payday',           true, 'personal', 'it tells that we know when the money comes'),
    ('opened_at',        true, 'personal', 'it tells that we see when a mail is read'),
    ('clicked_at',       true, 'personal', 'it tells that we see when a link is followed');
GRANT SELECT ON dunning.sensitivity TO dunning_viewer;

CREATE FUNCTION dunning.set_sensitivity(field text, level text, why text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    before text := (SELECT s.level FROM dunning.sensitivity s WHERE s.field = set_sensitivity.field ORDER BY s.builtin LIMIT 1);
BEGIN
    IF (field ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$') IS NOT TRUE THEN
        RAISE EXCEPTION 'field is no name of a context' USING ERRCODE = '22023', HINT = 'Such as payday or offer.kind.';
    ELSIF level IS NULL THEN
        DELETE FROM dunning.sensitivity s WHERE s.field = set_sensitivity.field AND NOT s.builtin;
        RETURN before;
    ELSIF level NOT IN ('open', 'personal', 'never') THEN
        RAISE EXCEPTION 'there is no level "%"', level USING ERRCODE = '22023', HINT = 'open, personal or never; NULL for the shipped one.';
    END IF;
    INSERT INTO dunning.sensitivity AS s (field, level, why, set_by, set_at)
    VALUES (set_sensitivity.field, set_sensitivity.level, coalesce(set_sensitivity.why, 'as the house has set it'), session_user, now())
    ON CONFLICT ON CONSTRAINT sensitivity_pkey DO UPDATE SET level = excluded.level, why = excluded.why, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN before;
END
$$;
COMMENT ON FUNCTION dunning.set_sensitivity(text, text, text) IS
    'The level before. Says whether texts may use a field: open, personal (where the template permits it) or never; NULL restores the shipped level. 22023 for another level. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_sensitivity(text, text, text) TO dunning_admin;

CREATE FUNCTION dunning._too_personal(fields text[], permitted boolean) RETURNS TABLE (field text, level text, why text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    -- A row's field is the last part of a path, the whole of it, or an object on the way.
    RETURN QUERY
    SELECT DISTINCT f.path, s.level, s.why
    FROM unnest(fields) f(path),
         (SELECT DISTINCT ON (x.field) x.* FROM dunning.sensitivity x ORDER BY x.field, x.builtin) s
    WHERE strpos('.' || f.path || '.', '.' || s.field || '.') > 0
      AND (s.level = 'never' OR s.level = 'personal' AND permitted IS NOT TRUE)
    ORDER BY 1, 2, 3;
END
$$;
COMMENT ON FUNCTION dunning._too_personal(text[], boolean) IS 'Those of the fields that a text may not use, with the level and the reason; permitted: the template may be personal.';

CREATE FUNCTION dunning._check_personal(subject text, body_text text, body_html text, context jsonb, partials jsonb, permitted boolean) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    fields text[] := dunning._template_fields(subject, body_text, body_html, context, partials);
    found  record;
BEGIN
    SELECT string_agg(format('%s (%s: %s)', p.field, p.level, p.why), '; ' ORDER BY p.field) AS list, bool_or(p.level = 'never') AS never
    INTO found FROM dunning._too_personal(fields, permitted) p;
    IF found.list IS NOT NULL THEN
        RAISE EXCEPTION 'the text is too personal'
            USING ERRCODE = 'DN003', DETAIL = format('It uses %s.', found.list),
                  HINT = CASE WHEN found.never THEN 'Leave these names out. SELECT * FROM dunning.sensitivity; lists what texts may not use.'
                         ELSE 'Leave these names out, or permit them for this template and compare it by an experiment: dunning.save_template(..., personal => true).' END;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_personal(text, text, text, jsonb, jsonb, boolean) IS 'Nothing; DN003 where a text uses what dunning.sensitivity forbids it.';

CREATE FUNCTION dunning._check_template_kind(template text, channel text, partial boolean) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    IF EXISTS (SELECT FROM dunning.template t WHERE t.template = _check_template_kind.template AND t.channel = _check_template_kind.channel
               AND t.replaced_at IS NULL AND t.partial <> _check_template_kind.partial) THEN
        RAISE EXCEPTION '"%" is %', template, CASE WHEN partial THEN 'a template, no partial' ELSE 'a partial, no template' END
            USING ERRCODE = '22023', DETAIL = 'A partial is included by other texts and never sent by itself.',
                  HINT = format('Use another name%s.', CASE WHEN partial THEN '' ELSE ', or partial => true' END);
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_template_kind(text, text, boolean) IS 'Nothing; 22023 where the name is in use for the other kind, template or partial.';

-- What names a partial may use depends on the sections it is included in: they are checked with the texts that include it.
CREATE FUNCTION dunning._check_partial(subject text, body_text text, body_html text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    never text;
BEGIN
    IF subject IS NOT NULL THEN
        RAISE EXCEPTION 'a partial has no subject'
            USING ERRCODE = '22023', DETAIL = 'In a subject its text is used, as one line.', HINT = 'Give NULL for the subject.';
    END IF;
    SELECT string_agg(format('%s (%s)', p.field, p.why), '; ') INTO never
    FROM dunning._too_personal((dunning._template_names(NULL, body_text, body_html)).names, true) p;
    IF never IS NOT NULL THEN
        RAISE EXCEPTION 'the text is too personal'
            USING ERRCODE = 'DN003', DETAIL = format('It uses %s.', never),
                  HINT = 'Leave these names out. SELECT * FROM dunning.sensitivity; lists what texts may not use.';
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_partial(text, text, text) IS 'Nothing; DN003 where a partial is no template or uses what no text may, 22023 where it has a subject.';

-- After a partial was saved or taken back: does every text that includes it still hold?
CREATE FUNCTION dunning._check_users(template text, channel text, language text, creditor text, framing text) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    t       dunning.template;
    alone   text := format('{{> %s}}', _check_users.template);
    pieces  jsonb;
    used    boolean := false;
    problem text;
    detail  text;
BEGIN
    -- By itself: what it includes exists and does not come back to it, as text and as HTML.
    pieces := dunning._partials(NULL, alone, NULL, _check_users.channel, _check_users.language, _check_users.creditor, _check_users.framing);
    IF pieces->>_check_users.template IS NOT NULL THEN
        PERFORM dunning._template_names(NULL, alone, alone, pieces);
    END IF;
    FOR t IN
        SELECT x.* FROM dunning.template x
        WHERE NOT x.partial AND x.replaced_at IS NULL AND (x.creditor = _check_users.creditor OR _check_users.creditor = '*' OR x.creditor = '*')
          AND (dunning._template_names(x.subject, x.body_text, x.body_html)).partials_used <> '{}'
    LOOP
        pieces := dunning._partials(t.subject, t.body_text, t.body_html, t.channel, t.language,
                                    CASE t.creditor WHEN '*' THEN _check_users.creditor ELSE t.creditor END, t.framing);
        CONTINUE WHEN NOT pieces ? _check_users.template;
        used := true;
        BEGIN
            PERFORM dunning._check_personal(t.subject, t.body_text, t.body_html, dunning._sample_context() || dunning._placeholders(t.vars), pieces, t.personal);
        EXCEPTION WHEN SQLSTATE 'DN003' OR SQLSTATE '22023' OR SQLSTATE '53400' THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'template "%" (%, %) cannot do with that: %', t.template, t.channel, t.language, problem
                USING ERRCODE = 'DN003', DETAIL = detail, HINT = 'Change the partial, or first the template that includes it.';
        END;
    END LOOP;
    RETURN CASE WHEN used THEN '{}' ELSE ARRAY[format('no text includes it yet: {{> %s}}', _check_users.template)] END;
END
$$;
COMMENT ON FUNCTION dunning._check_users(text, text, text, text, text) IS
    'A warning where nothing includes the partial; DN003 where a text that includes it, or the partial itself, would no longer hold.';

-- Characters of a text that people still read: a screen of mail, a page of a letter, what a script can hold.
CREATE FUNCTION dunning._length_limit(channel text) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE channel WHEN 'email' THEN 2500 WHEN 'letter' THEN 3500 WHEN 'push' THEN 350 WHEN 'call' THEN 2500 WHEN 'visit' THEN 2500 ELSE 4000 END $$;
COMMENT ON FUNCTION dunning._length_limit(text) IS 'Characters that a text for a channel should not exceed; an SMS is counted in parts instead.';

CREATE FUNCTION dunning._lint_form(channel text, subject text, body_text text, body_html text, context jsonb, partials jsonb, shown_subject text, shown_text text, shown_html text)
    RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    bare   text[] := (dunning._visit(subject, body_text, body_html, context, partials)).bare;
    most   int := dunning._length_limit(channel);
    result text[] := '{}';
BEGIN
    IF EXISTS (SELECT FROM unnest(bare) b WHERE b ~ '(^|\.)amount$') THEN
        result := result || text 'an amount stands without its currency: use {{amount | money}}';
    END IF;
    IF EXISTS (SELECT FROM unnest(bare) b WHERE b ~ '(^|\.)(due_on|expires_on|on)$') THEN
        result := result || text 'a date stands as it is stored: use {{due_on | date}}';
    END IF;
    IF channel = 'sms' AND (subject IS NOT NULL OR body_html IS NOT NULL) THEN
        result := result || text 'an SMS shows neither subject nor HTML: they are not sent';
    ELSIF channel <> 'sms' AND length(shown_text) > most THEN
        result := result || format('the text has %s characters, more than the %s that people read of %s', length(shown_text), most, channel);
    END IF;
    IF channel = 'email' AND length(shown_subject) > 100 THEN
        result := result || format('the subject has %s characters: mail programs show about 60', length(shown_subject));
    END IF;
    IF channel = 'email' AND octet_length(shown_html) > 100000 THEN
        result := result || text 'the HTML is larger than 100 kB: mail programs cut it off';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION dunning._lint_form(text, text, text, text, jsonb, jsonb, text, text, text) IS
    'Warnings on the form of a text: amounts and dates as they are stored, parts that the channel does not show, lengths.';

-- Whom a text is for may read another language: the ledger says which.
CREATE FUNCTION dunning._lint_languages(template text, channel text, language text, creditor text, partials jsonb) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    result text[];
    spoken record;
BEGIN
    SELECT coalesce(array_agg(format('partial "%s" is in %s', p.key, p.value->>'language') ORDER BY p.key), '{}') INTO result
    FROM jsonb_each(coalesce(partials, '{}')) p WHERE p.value->>'language' <> language;
    IF dunning._ledger_problem() IS NOT NULL THEN
        RETURN result;
    END IF;
    FOR spoken IN EXECUTE format(
        'SELECT dunning._language(d.language) AS tongue, count(*) AS n FROM (%s) d WHERE d.language IS NOT NULL AND ($1 = ''*'' OR d.creditor = $1) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20',
        dunning._ledger_sql('debtor')) USING creditor
    LOOP
        IF spoken.tongue <> language AND NOT EXISTS (
            SELECT FROM dunning.template t WHERE t.template = _lint_languages.template AND t.channel = _lint_languages.channel AND t.language = spoken.tongue
               AND t.creditor IN (_lint_languages.creditor, '*') AND t.replaced_at IS NULL AND NOT t.partial) THEN
            result := result || format('%s debtor(s) read %s, and there is no text in it', spoken.n, spoken.tongue);
        END IF;
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION dunning._lint_languages(text, text, text, text, jsonb) IS
    'Warnings on languages: debtors of the creditor (of all, for *) read one that the template has no text in; a partial that is included stands in another.';
