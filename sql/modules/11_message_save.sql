-- Saving, resetting and linting templates.

-- A context as plan makes it, with every name filled: what a new template is tried on.
CREATE FUNCTION dunning._sample_context() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb '{
    "debtor_id": "104217", "name": "Kirsten Hansen", "given_name": "Kirsten", "company": false,
    "creditor": "default", "creditor_name": "Nordlys Energi", "sender_name": "Mette, Nordlys Energi",
    "creditor_phone": "+4570102030", "creditor_account": "DK5000400440116243", "reply_to": "help@nordlys.example",
    "amount": 1240.50, "currency": "EUR", "due_on": "2026-10-01", "days_overdue": 12, "invoice_count": 2,
    "reference": "F-1042-7", "pay_url": "https://pay.example/F-1042-7",
    "balances": [
        {"currency": "EUR", "amount": 1240.50, "due_on": "2026-10-01", "days_overdue": 12, "invoices": [
            {"reference": "F-1042-7", "amount": 620.25, "due_on": "2026-10-01", "days_overdue": 12, "pay_url": "https://pay.example/F-1042-7", "settled": {"amount": 100, "of": 720.25}},
            {"reference": "F-1042-8", "amount": 620.25, "due_on": "2026-10-05", "days_overdue": 8, "pay_url": "https://pay.example/F-1042-8", "settled": {"amount": 79.75, "of": 700}}]},
        {"currency": "GBP", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "invoices": [
            {"reference": "F-1042-9", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "pay_url": "https://pay.example/F-1042-9", "settled": {"amount": 20, "of": 100}}]}],
    "other_currencies": [
        {"currency": "GBP", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "invoices": [
            {"reference": "F-1042-9", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "pay_url": "https://pay.example/F-1042-9", "settled": {"amount": 20, "of": 100}}]}],
    "fee": {"amount": 13.50, "currency": "EUR", "on": "2026-10-14", "level": "reminder-1", "invoice_id": "77",
        "charged": true, "announced": null, "warned": null},
    "charges": {"amount": 27, "currency": "EUR", "total": 1281, "more": true},
    "proof": {"share": 0.83, "percent": 83, "n": 412, "level": "reminder-1"},
    "late_cost": {"amount": 18.50, "currency": "EUR"},
    "offer": {"offer_id": "01990000-0000-7000-8000-000000000001", "kind": "instalments", "amount": 1240.50, "currency": "EUR",
        "text": "1) 3 x 413.50 EUR from 1 November. 2) 6 x 206.75 EUR from 1 November. Until 20 October.", "expires_on": "2026-10-20", "link": "https://pay.example/offer/k3V9", "options": [
            {"option": 1, "number": 1, "text": "3 x 413.50 EUR from 1 November", "count": 3, "part": 413.50, "last": null, "total": 1240.50, "currency": "EUR", "first_on": "2026-11-01",
             "last_on": "2027-01-01", "once": false, "monthly": true, "fortnightly": false, "parts": [{"amount": 413.50, "currency": "EUR", "due_on": "2026-11-01"}]},
            {"option": 2, "number": 2, "text": "6 x 206.75 EUR from 1 November", "count": 6, "part": 206.75, "last": null, "total": 1240.50, "currency": "EUR", "first_on": "2026-11-01",
             "last_on": "2027-04-01", "once": false, "monthly": true, "fortnightly": false, "parts": [{"amount": 206.75, "currency": "EUR", "due_on": "2026-11-01"}]}]},
    "hearing": {"on": "2026-10-22", "time": "10:30", "place": "Room 4"},
    "plan_url": "https://pay.example/plan/k3V9", "paid_url": "https://pay.example/paid/k3V9", "dispute_url": "https://pay.example/dispute/k3V9",
    "optout_url": "https://pay.example/stop/k3V9", "optout_reply": true, "qr": "BCD", "note": "Call me any time. Mette"}' $$;
COMMENT ON FUNCTION dunning._sample_context() IS 'A template''s context with every name that plan gives, filled with invented values.';

-- Names that send() gets in vars stand for themselves while there is no send().
CREATE FUNCTION dunning._placeholders(vars text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(jsonb_object_agg(v, '[' || v || ']'), '{}') FROM unnest(vars) v $$;
COMMENT ON FUNCTION dunning._placeholders(text[]) IS 'A context in which each name has itself in brackets as its value.';

CREATE FUNCTION dunning._threatens_first(body text, language text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT left(body, 200) ~* CASE language
        WHEN 'da' THEN '\m(inkasso|advokat|retten|retslig\w*|fogedret\w*|RKI)\M'
        WHEN 'sv' THEN '\m(inkasso|kronofogde\w*|domstol\w*|advokat|r[aä]ttslig\w*)\M'
        WHEN 'nb' THEN '\m(inkasso|namsmann\w*|forliksr[aå]d\w*|advokat|rettslig\w*)\M'
        WHEN 'nl' THEN '\m(incasso\w*|deurwaarder\w*|rechter|rechtbank|advocaat|gerechtelijk\w*)\M'
        WHEN 'de' THEN '\m(inkasso\w*|gericht\w*|mahnbescheid\w*|anwalt\w*|rechtsanwalt\w*|zwangsvollstreckung|pf[aä]ndung)\M'
        ELSE '\m(court|lawyer|solicitor|attorney|legal (action|proceedings|steps)|bailiff\w*|debt collect\w+|credit (rating|bureau))\M' END $$;
COMMENT ON FUNCTION dunning._threatens_first(text, text) IS 'Do the first 200 characters name courts, lawyers or collectors?';

CREATE FUNCTION dunning._says_already_paid(body text, language text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT body ~* CASE language
        WHEN 'da' THEN '(allerede|lige|netop)\s+betalt|har du betalt|betalt\?'
        WHEN 'sv' THEN '(redan|nyss|just)\s+betalat|har du betalat|betalt\?|betalat\?'
        WHEN 'nb' THEN '(allerede|nettopp)\s+betalt|har du betalt|betalt\?'
        WHEN 'nl' THEN '(al|reeds|inmiddels|zojuist)\s+(betaald|voldaan|overgemaakt)|betaald\?'
        WHEN 'de' THEN '(bereits|schon|inzwischen)\s+(be|ge|über)?(zahlt|wiesen|glichen)|bezahlt\?'
        ELSE 'already\s+(been\s+)?paid|have (just )?paid|paid already|paid\?' END $$;
COMMENT ON FUNCTION dunning._says_already_paid(text, text) IS 'Does a text have the line for those whose payment has crossed it?';

CREATE FUNCTION dunning._thanks_for_payment(body text, language text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT body ~* CASE language
        WHEN 'da' THEN 'modtaget din betaling'
        WHEN 'sv' THEN 'fått din betalning'
        WHEN 'nb' THEN 'mottatt betalingen din'
        WHEN 'nl' THEN 'je betaling ontvangen|je betaling .* ontvangen'
        WHEN 'de' THEN 'Ihre Zahlung (.* )?erhalten'
        ELSE 'received your payment' END $$;
COMMENT ON FUNCTION dunning._thanks_for_payment(text, text) IS 'Does a text say that a payment has come in? Where it names no sum either, it asks for nothing.';

CREATE FUNCTION dunning._lint_template(channel text, language text, subject text, body_text text, body_html text, vars text[], partials jsonb DEFAULT NULL)
    RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    context  jsonb := dunning._sample_context() || dunning._placeholders(vars);
    named    text[];
    shown    record;
    result   text[] := '{}';
    tongue   text := dunning._language(language);
    demand   boolean;
BEGIN
    -- Errors of grammar and unknown names leave from here.
    named := dunning._template_fields(subject, body_text, body_html, context, partials);
    SELECT r.* INTO shown FROM dunning._render(subject, body_text, body_html, context, language, partials) r;
    -- A script is read by our own people, and a text of thanks asks for nothing.
    demand := channel NOT IN ('call', 'visit') AND NOT (dunning._thanks_for_payment(shown.body_text, tongue)
                                                        AND NOT EXISTS (SELECT FROM unnest(named) n WHERE n ~ '(^|\.)amount$'));

    IF channel = 'email' AND subject IS NULL THEN
        result := result || text 'there is no subject';
    ELSIF channel = 'email' AND NOT dunning._template_fields(subject, NULL, NULL, context, partials) && ARRAY['given_name', 'name'] THEN
        result := result || text 'the subject names nobody: use {{given_name}}';
    END IF;
    IF NOT dunning._template_fields(NULL, body_text, NULL, context, partials) && ARRAY['given_name', 'name'] THEN
        result := result || text 'the text names nobody: use {{given_name}}';
    END IF;
    IF demand AND NOT EXISTS (SELECT FROM unnest(named) n WHERE n ~ '(^|\.)(pay_url|creditor_account)$') THEN
        result := result || text 'there is no way to pay: use {{pay_url}}';
    END IF;
    IF NOT EXISTS (SELECT FROM unnest(named) n WHERE n ~ '(^|\.)creditor_name$|(^|\.)sender_name$') THEN
        result := result || text 'nobody says who is writing: use {{creditor_name}}';
    END IF;
    IF demand AND NOT dunning._says_already_paid(shown.body_text, tongue) THEN
        result := result || text 'there is no line for those who have already paid';
    END IF;
    IF dunning._threatens_first(shown.body_text, tongue) THEN
        result := result || text 'a legal threat stands first: say what is owed and how to pay before it';
    END IF;
    result := result || dunning._lint_form(channel, subject, body_text, body_html, context, partials, shown.subject, shown.body_text, shown.body_html);
    IF channel = 'sms' THEN
        result := result || dunning._sms_warnings(shown.body_text);
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION dunning._lint_template(text, text, text, text, text, text[], jsonb) IS
    'What a reader would miss in a text: name, way to pay, line for those who paid; threats, lengths. Texts that are no template or name the unknown are errors (DN003).';

CREATE FUNCTION dunning._check_template_key(template text, channel text, language text, creditor text, framing text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    IF template IS NULL OR template !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' THEN
        RAISE EXCEPTION 'the name of a template has letters, digits, "_", "-" and ".", at most 63'
            USING ERRCODE = '22023', HINT = 'Such as reminder-1.';
    END IF;
    IF framing IS NULL OR framing !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' THEN
        RAISE EXCEPTION 'the name of a framing has letters, digits, "_", "-" and ".", at most 63'
            USING ERRCODE = '22023', HINT = 'Such as neutral or loss_aversion.';
    END IF;
    IF (dunning._language(language) ~ '^[a-z]{2,3}$') IS NOT TRUE THEN
        RAISE EXCEPTION 'language "%" is no language tag', coalesce(language, 'NULL')
            USING ERRCODE = '22023', HINT = 'Two letters, such as da, or a tag that begins with them, such as da-DK.';
    END IF;
    IF NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = _check_template_key.channel)
       AND NOT EXISTS (SELECT FROM dunning.template t WHERE t.channel = _check_template_key.channel) THEN
        RAISE EXCEPTION 'there is no channel "%"', coalesce(channel, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = format('Channels are: %s.', (SELECT string_agg(DISTINCT c.channel, ', ') FROM dunning.channel c)),
                  HINT = 'A channel of your own is a row of dunning.channel.';
    END IF;
    IF creditor <> '*' AND NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = _check_template_key.creditor) THEN
        RAISE EXCEPTION 'there is no creditor "%"', creditor
            USING ERRCODE = '22023',
                  DETAIL = format('Creditors are: %s.', (SELECT string_agg(DISTINCT c.creditor, ', ' ORDER BY c.creditor) FROM dunning.creditor c)),
                  HINT = 'Leave creditor out for a text that all use.';
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_template_key(text, text, text, text, text) IS 'Nothing; 22023 where a template could not be saved under this key.';

CREATE FUNCTION dunning.save_template(template text, channel text, language text, subject text, body_text text,
        body_html text DEFAULT NULL, creditor text DEFAULT NULL, framing text DEFAULT 'neutral', vars text[] DEFAULT '{}',
        partial boolean DEFAULT false, personal boolean DEFAULT false, OUT version int, OUT warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    tongue text := dunning._language(save_template.language);
    whose  text := coalesce(save_template.creditor, '*');
    given  text[] := coalesce(save_template.vars, '{}');
    piece  boolean := coalesce(save_template.partial, false);
    now_at timestamptz := clock_timestamp();
    pieces jsonb;
BEGIN
    PERFORM dunning._check_template_key(save_template.template, save_template.channel, save_template.language, whose, save_template.framing);
    IF EXISTS (SELECT FROM unnest(given) v WHERE (v ~ '^[A-Za-z_][A-Za-z0-9_.]*$') IS NOT TRUE) THEN
        RAISE EXCEPTION 'vars are names that a text may use'
            USING ERRCODE = '22023', DETAIL = format('Given: %s.', given), HINT = 'Such as vars => ''{order,delivered_on}''.';
    END IF;
    IF body_text IS NULL OR btrim(body_text) = '' THEN
        RAISE EXCEPTION 'a template needs a text'
            USING ERRCODE = '22023', DETAIL = 'body_text is what is read where HTML is not shown.', HINT = 'Give body_text.';
    END IF;
    -- Two who save the same text at once: one waits here, so that versions follow each other. Who saves a partial waits for
    -- all others, or what they save could close a circle, or break a text, that neither has seen.
    IF piece THEN
        PERFORM pg_advisory_xact_lock(dunning._hash64('partials'));
    ELSE
        PERFORM pg_advisory_xact_lock_shared(dunning._hash64('partials'));
        PERFORM pg_advisory_xact_lock(dunning._hash64(concat_ws('|', 'template', save_template.template, save_template.channel, tongue, whose, save_template.framing)));
    END IF;
    PERFORM dunning._check_template_kind(save_template.template, save_template.channel, piece);
    pieces := dunning._partials(subject, body_text, body_html, save_template.channel, tongue, whose, save_template.framing);
    IF piece THEN
        warnings := '{}';
        PERFORM dunning._check_partial(subject, body_text, body_html);
    ELSE
        warnings := dunning._lint_template(save_template.channel, tongue, subject, body_text, body_html, given, pieces)
                    || dunning._lint_languages(save_template.template, save_template.channel, tongue, whose, pieces);
        PERFORM dunning._check_personal(subject, body_text, body_html, dunning._sample_context() || dunning._placeholders(given), pieces, save_template.personal);
    END IF;

    IF save_template.framing = 'neutral' AND EXISTS (
        SELECT FROM dunning.template t
        WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue AND t.framing <> 'neutral'
          AND t.creditor IN (whose, '*') AND t.builtin AND t.replaced_at IS NULL
          AND NOT EXISTS (SELECT FROM dunning.template o WHERE o.template = t.template AND o.channel = t.channel AND o.language = t.language
                          AND o.creditor = whose AND o.framing = t.framing AND NOT o.builtin AND o.replaced_at IS NULL)) THEN
        warnings := warnings || text 'other framings use this text too, until they are saved themselves: framing => ''loss_aversion''';
    END IF;
    UPDATE dunning.template t SET replaced_at = now_at, replaced_by = session_user
    WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = save_template.framing AND NOT t.builtin AND t.replaced_at IS NULL;
    SELECT coalesce(max(t.version), 0) + 1 INTO version
    FROM dunning.template t
    WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = save_template.framing AND NOT t.builtin;
    INSERT INTO dunning.template (template, channel, language, creditor, framing, builtin, version, subject, body_text, body_html,
                                  vars, partial, personal, saved_by, saved_at)
    VALUES (save_template.template, save_template.channel, tongue, whose, save_template.framing, false, version,
            save_template.subject, save_template.body_text, save_template.body_html, given, piece, coalesce(save_template.personal, false), session_user, now_at);
    IF piece THEN
        warnings := warnings || dunning._check_users(save_template.template, save_template.channel, tongue, whose, save_template.framing);
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.save_template(text, text, text, text, text, text, text, text, text[], boolean, boolean) IS
    'The new version and what a reader would miss in it. vars: names that send() will be given; partial: a piece that others include by {{> name}}; personal: it may use what dunning.sensitivity calls personal. A text that is no template, names the unknown or includes itself is refused (DN003); earlier versions stay: template_history(). Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_template(text, text, text, text, text, text, text, text, text[], boolean, boolean) TO dunning_admin;

CREATE FUNCTION dunning.reset_template(template text, channel text, language text, creditor text DEFAULT NULL, framing text DEFAULT 'neutral',
        OUT version int, OUT warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    tongue text := dunning._language(reset_template.language);
    whose  text := coalesce(reset_template.creditor, '*');
    piece  boolean;
    chosen dunning.template;
BEGIN
    PERFORM pg_advisory_xact_lock(dunning._hash64('partials'));
    UPDATE dunning.template t SET replaced_at = clock_timestamp(), replaced_by = session_user
    WHERE t.template = reset_template.template AND t.channel = reset_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = reset_template.framing AND NOT t.builtin AND t.replaced_at IS NULL
    RETURNING t.partial INTO piece;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'template "%" (%, %) has no saved text to be reset', reset_template.template, reset_template.channel, reset_template.language
            USING ERRCODE = '22023',
                  DETAIL = coalesce('Saved are: ' || (SELECT string_agg(format('%s (%s, %s, creditor %s, %s)', t.template, t.channel,
                                        t.language, t.creditor, t.framing), '; ') FROM dunning.template t
                                    WHERE NOT t.builtin AND t.replaced_at IS NULL) || '.', 'No text is saved: all are as shipped.'),
                  HINT = 'SELECT template, channel, language, creditor, framing FROM dunning.template WHERE NOT builtin AND replaced_at IS NULL;';
    END IF;
    warnings := '{}';
    IF piece THEN
        PERFORM dunning._check_users(reset_template.template, reset_template.channel, tongue, whose, reset_template.framing);
    END IF;
    chosen := dunning._find_template(reset_template.template, reset_template.channel, tongue, whose, reset_template.framing, piece);
    version := chosen.version;
    IF chosen.template IS NULL THEN
        warnings := warnings || format('there is no text of template "%s" for channel "%s" any more', reset_template.template, reset_template.channel);
    ELSIF chosen.language <> tongue THEN
        warnings := warnings || format('there is no text in %s any more: %s is used', tongue, chosen.language);
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.reset_template(text, text, text, text, text) IS
    'The version that is in force again after a saved text was taken out of use. 22023 where none was saved, DN003 for a partial that other texts cannot do without; the text stays in dunning.template. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_template(text, text, text, text, text) TO dunning_admin;

GRANT SELECT ON dunning.template TO dunning_viewer;
