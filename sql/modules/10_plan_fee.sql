-- plan: the fee that a message brings, announces or warns of, and what is owed beside the principal.

-- Does a text speak of a fee, and of which? It says so by its sections within fee: charged (with this message), announced (the law wants it
-- named before) or warned. One that names fee outright is a warning: whoever is told what to avoid is not charged by the same words.
CREATE FUNCTION dunning._speaks_of_fees(template text, framing text, channel text DEFAULT NULL, creditor text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT string_agg(DISTINCT k.k, ',')
            FROM dunning.template t
            JOIN (VALUES ('announced', '\{\{[#^]\s*(fee\.)?announced\M'), ('charged', '\{\{[#^]\s*(fee\.)?charged\M'),
                         ('warned', '\{\{[#^]\s*(fee\.)?warned\M|\{\{\{?&?\s*fee\M|\{\{#\s*fee\s*\}\}(?!\s*\{\{[#^]\s*(charged|announced|warned)\M)')) k(k, told)
                ON concat(t.subject, t.body_text, t.body_html) ~ k.told
            WHERE t.template = _speaks_of_fees.template AND t.framing IN (_speaks_of_fees.framing, 'neutral') AND t.replaced_at IS NULL
              AND concat(t.subject, t.body_text, t.body_html) ~ '\{\{\{?[#^&]?\s*fee\M'
              -- a creditor's own words go before those of the house
              AND CASE WHEN EXISTS (SELECT FROM dunning.template o WHERE o.template = _speaks_of_fees.template AND o.creditor = _speaks_of_fees.creditor AND o.channel = t.channel AND o.replaced_at IS NULL)
                       THEN t.creditor = _speaks_of_fees.creditor ELSE _speaks_of_fees.creditor IS NULL OR t.creditor = '*' END
              AND (_speaks_of_fees.channel IS NULL OR t.channel = _speaks_of_fees.channel
                   -- a channel without words of its own takes those of another
                   OR NOT EXISTS (SELECT FROM dunning.template o WHERE o.template = _speaks_of_fees.template AND o.channel = _speaks_of_fees.channel AND o.replaced_at IS NULL)));
END
$fn$;
COMMENT ON FUNCTION dunning._speaks_of_fees(text, text, text, text) IS 'Which fees the texts in force of a template, in a framing or neutral (over a channel, of a creditor; NULL: any), can tell: announced, charged, warned, joined by commas; NULL where none names fee.';

-- Whose messages tell of charges: a creditor that charges now, or did.
CREATE FUNCTION dunning._charging_creditors() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY(SELECT g.creditor FROM dunning.charging g);
END
$fn$;
COMMENT ON FUNCTION dunning._charging_creditors() IS 'Creditors of whom save_charging() has a row, on or off.';

CREATE FUNCTION dunning._with_charges(context jsonb, open numeric) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT context || jsonb_build_object('charges', CASE WHEN context->>'amount' IS NOT NULL THEN dunning._charge_context(context, context->'fee', open) END) $$;
COMMENT ON FUNCTION dunning._with_charges(jsonb, numeric) IS 'A context with the name charges, from what it says of principal and fee and what is open of charges in its first currency.';
