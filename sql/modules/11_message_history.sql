-- Versions of a text: who said what, when, and how to say it again.

CREATE FUNCTION dunning.template_history(template text, channel text, language text, creditor text DEFAULT NULL, framing text DEFAULT NULL)
    RETURNS TABLE (for_creditor text, in_framing text, version int, builtin boolean, in_force boolean, saved_by text, saved_at timestamptz,
                   replaced_by text, replaced_at timestamptz, changed text[], subject text, body_text text, body_html text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT t.creditor::text, t.framing::text, t.version, t.builtin, t.replaced_at IS NULL, t.saved_by, t.saved_at, t.replaced_by, t.replaced_at,
           -- The parts that the version before did not have so; a first saved text is compared with the shipped one.
           array_remove(ARRAY[CASE WHEN t.subject IS DISTINCT FROM lag(t.subject) OVER w THEN 'subject' END,
                              CASE WHEN t.body_text IS DISTINCT FROM lag(t.body_text) OVER w THEN 'body_text' END,
                              CASE WHEN t.body_html IS DISTINCT FROM lag(t.body_html) OVER w THEN 'body_html' END,
                              CASE WHEN t.vars IS DISTINCT FROM lag(t.vars, 1, '{}') OVER w THEN 'vars' END,
                              CASE WHEN t.personal IS DISTINCT FROM lag(t.personal, 1, false) OVER w THEN 'personal' END], NULL),
           t.subject, t.body_text, t.body_html
    FROM dunning.template t
    WHERE t.template = template_history.template AND t.channel = template_history.channel AND t.language = dunning._language(template_history.language)
      AND (template_history.creditor IS NULL OR t.creditor = template_history.creditor)
      AND (template_history.framing IS NULL OR t.framing = template_history.framing)
    WINDOW w AS (PARTITION BY t.creditor, t.framing ORDER BY t.builtin DESC, t.version)
    ORDER BY t.creditor, t.framing, t.builtin, t.version DESC;
END
$$;
COMMENT ON FUNCTION dunning.template_history(text, text, text, text, text) IS
    'Every version of a text, the newest first: who saved it and when, which parts changed, what it said. A shipped text without a saved one in force beside it is what speaks. No row: there never was one. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.template_history(text, text, text, text, text) TO dunning_viewer;

CREATE FUNCTION dunning.restore_template(template text, channel text, language text, version int, creditor text DEFAULT NULL, framing text DEFAULT 'neutral',
        OUT new_version int, OUT warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    whose text := coalesce(restore_template.creditor, '*');
    old   dunning.template;
BEGIN
    SELECT t.* INTO old FROM dunning.template t
    WHERE t.template = restore_template.template AND t.channel = restore_template.channel AND t.language = dunning._language(restore_template.language)
      AND t.creditor = whose AND t.framing = restore_template.framing AND NOT t.builtin AND t.version = restore_template.version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'template "%" (%, %) has no saved version %', template, channel, language, coalesce(version::text, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = coalesce('Versions are ' || (SELECT string_agg(t.version::text, ', ' ORDER BY t.version) FROM dunning.template t
                      WHERE t.template = restore_template.template AND t.channel = restore_template.channel AND t.language = dunning._language(restore_template.language)
                        AND t.creditor = whose AND t.framing = restore_template.framing AND NOT t.builtin) || '.', 'No text is saved under this key.'),
                  HINT = format('SELECT * FROM dunning.template_history(%L, %L, %L); the shipped text comes back by dunning.reset_template().', template, channel, language);
    END IF;
    SELECT s.version, s.warnings INTO new_version, warnings
    FROM dunning.save_template(old.template, old.channel, old.language, old.subject, old.body_text, old.body_html, whose, old.framing, old.vars, old.partial, old.personal) s;
END
$$;
COMMENT ON FUNCTION dunning.restore_template(text, text, text, int, text, text) IS
    'The number of the new version, which says what an old one said, and what a reader would miss in it. Checked like any text that is saved: an old one that names what is unknown now is refused (DN003). 22023 where there is no such version. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.restore_template(text, text, text, int, text, text) TO dunning_admin;
