-- preview(): what a debtor would get now. Reads the ledger, which templates themselves never do.

-- Links are signed as a message leaves. Until then something of their length stands in their place, so that the text is
-- as long as it will be and nobody takes them for missing.
CREATE FUNCTION dunning._preview_links(creditor text, context jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    RETURN coalesce((
        SELECT jsonb_object_agg(n.name, c.link_url || rpad('this-link-is-signed-when-the-message-leaves-', 56, '-'))
        FROM (SELECT x.link_url FROM dunning.creditor x WHERE x.creditor = _preview_links.creditor ORDER BY x.builtin LIMIT 1) c
        CROSS JOIN unnest('{pay_url,plan_url,paid_url,dispute_url,optout_url}'::text[]) n(name)
        WHERE c.link_url IS NOT NULL AND _preview_links.context->>n.name IS NULL), '{}');
END
$$;
COMMENT ON FUNCTION dunning._preview_links(text, jsonb) IS 'What stands in a preview for the links that a message of the creditor gets as it leaves; empty where the creditor has no page.';

-- The context that the worker would make of a message: the offer of record, what may be claimed, and the days, as of now.
CREATE FUNCTION dunning._context_now(message dunning.message) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    RETURN (SELECT dunning._aged_context(t.context, dunning._today(NULL)) || jsonb_build_object('framing', t.framing)
            FROM dunning._true_contexts(ARRAY[message.debtor_id], ARRAY[message.creditor], ARRAY[message.template], ARRAY[coalesce(message.variant, 'neutral')],
                                        ARRAY[dunning._offered_context(message.debtor_id, message.context)]) t);
END
$$;
COMMENT ON FUNCTION dunning._context_now(dunning.message) IS 'The context of a message as it would be rendered now, framing named; without the links, which are signed as it leaves.';

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
    SELECT dunning._true_context(id, who.creditor, preview.template, c.context, NULL, over) || dunning._preview_links(who.creditor, c.context)
    INTO context FROM dunning._context(ARRAY[id], NULL) c;
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
    'What a template becomes for a debtor now: subject, text, HTML, number of SMS, names without a value, warnings. Names given by send(vars) stand in brackets, and links of a creditor with a page as an address of their length. 22023 for an unknown debtor, DN003 an unknown template. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.preview(text, text, text, text) TO dunning_operator;
