-- preview(): what a debtor would get now. Reads the ledger, which templates themselves never do.

CREATE FUNCTION dunning.preview(template text, debtor_id text, channel text DEFAULT NULL, language text DEFAULT NULL,
        OUT subject text, OUT body_text text, OUT body_html text, OUT sms_parts int, OUT missing text[], OUT warnings text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    id      text := dunning._canonical_id(preview.debtor_id);
    who     record;
    over    text;
    chosen  dunning.template;
    context jsonb;
BEGIN
    EXECUTE format('SELECT d.creditor, d.language, d.preferred_channel FROM (%s) d',
                   dunning._ledger_sql('debtor', 'ARRAY[$1]', NULL))
    INTO who USING id;
    IF who.creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    over := coalesce(preview.channel, who.preferred_channel, 'email');
    chosen := dunning._template(preview.template, over, coalesce(preview.language, who.language), who.creditor);
    SELECT dunning._true_context(id, who.creditor, preview.template, c.context) INTO context FROM dunning._context(ARRAY[id], NULL) c;
    SELECT r.subject, r.body_text, r.body_html, r.sms_parts, r.missing, r.warnings
    INTO subject, body_text, body_html, sms_parts, missing, warnings
    FROM dunning.render(preview.template, dunning._placeholders(chosen.vars) || context,
                        coalesce(preview.language, who.language), over) r;
    IF context->>'amount' IS NULL THEN
        warnings := text 'the debtor has no open balance to write about' || warnings;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.preview(text, text, text, text) IS
    'What a template becomes for a debtor now: subject, text, HTML, number of SMS, names without a value, warnings. Names given by send(vars) stand in brackets. 22023 for an unknown debtor, DN003 an unknown template. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.preview(text, text, text, text) TO dunning_operator;
