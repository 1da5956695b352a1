-- A letter: words from a person, on paper. Not a bill: no table, no boxed sum, no window unless it is asked for.

-- NULL where the account or the currency has no payment code. What a text asks for is the total where it names one: the code asks for the same.
CREATE FUNCTION dunning._letter_code(context jsonb, total numeric) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    about text := (SELECT string_agg(i.value->>'reference', ' ' ORDER BY i.ord)
                   FROM jsonb_array_elements(CASE WHEN jsonb_typeof(context #> '{balances,0,invoices}') = 'array' THEN context #> '{balances,0,invoices}' ELSE '[]' END)
                        WITH ORDINALITY i(value, ord));
BEGIN
    IF context->>'qr' IS NOT NULL THEN
        RETURN context->>'qr';
    END IF;
    RETURN dunning.epc_payload(context->>'creditor_name', context->>'creditor_account', coalesce(total, (context->>'amount')::numeric),
                               CASE WHEN length(about) <= 140 THEN about ELSE context->>'reference' END, context->>'currency');
EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dunning._letter_code(jsonb, numeric) IS 'The payment code for what a text asks for: the qr of its context, else one made of account, total (NULL: the context''s amount) and invoice numbers; NULL where there can be none.';

-- The ledger's address is an object of whatever names the billing system has; what is known stands in the order of an envelope.
CREATE FUNCTION dunning._address_lines(name text, address text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    a     jsonb;
    lines text[];
BEGIN
    a := address::jsonb;
    IF jsonb_typeof(a) <> 'object' THEN
        RETURN address;
    ELSIF jsonb_typeof(a->'lines') = 'array' THEN
        lines := ARRAY(SELECT l.l FROM jsonb_array_elements_text(a->'lines') WITH ORDINALITY l(l, n) ORDER BY l.n);
    ELSE
        lines := ARRAY[coalesce(a->>'company', a->>'organisation', a->>'organization'), coalesce(a->>'co', a->>'care_of'),
            concat_ws(' ', coalesce(a->>'street', a->>'line1', a->>'address_line1', a->>'address1', a->>'address'), coalesce(a->>'house_number', a->>'number')),
            coalesce(a->>'line2', a->>'address_line2', a->>'address2', a->>'floor'), coalesce(a->>'line3', a->>'address_line3'),
            concat_ws(' ', coalesce(a->>'postal_code', a->>'postcode', a->>'zip'), coalesce(a->>'city', a->>'town', a->>'place')),
            coalesce(a->>'region', a->>'state', a->>'county'), a->>'country'];
        IF NOT EXISTS (SELECT FROM unnest(lines) l(l) WHERE btrim(l.l) <> '') THEN
            lines := ARRAY(SELECT e.value FROM jsonb_each_text(a) e WHERE jsonb_typeof(a->e.key) IN ('string', 'number'));
        END IF;
    END IF;
    RETURN (SELECT string_agg(btrim(regexp_replace(l.l, '[[:cntrl:]]+', ' ', 'g')), E'\n' ORDER BY l.n)
            FROM unnest(coalesce(a->>'name', a->>'recipient', _address_lines.name) || lines) WITH ORDINALITY l(l, n) WHERE btrim(l.l) <> '');
EXCEPTION WHEN invalid_text_representation THEN
    RETURN address;
END
$$;
COMMENT ON FUNCTION dunning._address_lines(text, text) IS 'A postal address as lines of an envelope: of a JSON object its "lines", else name, street, postal code and city as they are mostly called, else its values; any other text as it is.';

CREATE FUNCTION dunning._letter(message_id uuid, OUT subject text, OUT body_text text, OUT address text, OUT sender text, OUT note text, OUT qr text,
        OUT language text, OUT dated text, OUT at_window boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    about   dunning.message;
    frozen  record;
    context jsonb;
BEGIN
    SELECT m.* INTO about FROM dunning.message m WHERE m.message_id = _letter.message_id;
    IF about.debtor_id IS NULL THEN
        RAISE EXCEPTION 'there is no message %', coalesce(message_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT message_id FROM dunning.journal WHERE channel = ''letter'';';
    END IF;
    SELECT b.subject, b.body_text, b.address, b.total INTO frozen
    FROM dunning.body b WHERE b.debtor_id = about.debtor_id AND b.message_id = about.message_id;
    IF frozen.body_text IS NULL THEN
        context := dunning._context_now(about);
        SELECT r.subject, r.body_text, CASE WHEN 'charges.total' = ANY (r.fields) THEN (context #>> '{charges,total}')::numeric END
        INTO frozen.subject, frozen.body_text, frozen.total
        FROM dunning._template(about.template, about.channel, about.language, about.creditor, context->>'framing') t,
             dunning._render(t.subject, t.body_text, NULL, dunning._optional_names() || context, t.language,
                             dunning._partials(t.subject, t.body_text, NULL, about.channel, t.language, about.creditor, context->>'framing')) r;
        frozen.address := dunning._ledger_address(about.debtor_id, about.channel);
    END IF;
    subject := frozen.subject;
    body_text := frozen.body_text;
    address := dunning._address_lines(about.context->>'name', frozen.address);
    sender := coalesce(about.context->>'creditor_name', about.creditor);
    -- A step's note names the debtor as its text does.
    note := (SELECT r.body_text FROM dunning._render(NULL, about.context->>'note', NULL, dunning._optional_names() || about.context, about.language) r
             WHERE about.context->>'note' IS NOT NULL);
    at_window := coalesce(lower(about.context #>> '{print,window}') IN ('true', 'yes', 'left', 'right', '1'), false);
    qr := dunning._letter_code(about.context, frozen.total);
    language := dunning._language(about.language);
    dated := (SELECT r.body_text FROM dunning._render(NULL, '{{day | date}}', NULL,
        jsonb_build_object('day', (coalesce((SELECT min(e.contact_on) FROM dunning.egress e
            WHERE e.debtor_id = about.debtor_id AND e.message_id = about.message_id), about.contact_at) AT TIME ZONE dunning._ledger_zone())::date), about.language) r);
END
$$;
COMMENT ON FUNCTION dunning._letter(uuid) IS 'What stands on a letter: the frozen words and address, else as they would be now; sender, personal note, payment code, date in the letter''s language. 22023 where there is no such message.';

CREATE FUNCTION dunning._letter_page(at_window boolean, language text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format($t$<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><title>{{sender}}</title>
<style>
@page { size: A4; margin: 25mm 20mm 20mm 25mm }
body { font: 11.5pt/1.5 Georgia, "DejaVu Serif", serif; color: #111; margin: 0; overflow-wrap: anywhere; hyphens: auto }
p { margin: 0 0 .8em; orphans: 2; widows: 2 }
.to { %s }
.date { text-align: right }
.note { font: italic 15pt/1.4 "URW Chancery L", "Z003", cursive; transform: rotate(-1.5deg); margin: 1.5em 0; break-inside: avoid }
.code { width: 35mm; height: 35mm; break-inside: avoid }
@media screen { body { max-width: 165mm; margin: 25mm auto; padding: 0 1em } }
</style></head>
<body>
<p class="to">{{#to}}{{.}}<br>{{/to}}</p>
<p class="date">{{dated}}</p>
{{#paragraphs}}<p>{{#lines}}{{line}}{{#more}}<br>{{/more}}{{/lines}}</p>
{{/paragraphs}}{{#note}}<p class="note">{{note}}</p>
{{/note}}<!--code--></body>
</html>
$t$, language, CASE WHEN at_window
        -- DIN 5008 form B and most European windows: 20 mm from the left, 45 mm from the top, 85 x 45 mm.
        THEN 'position: absolute; left: -5mm; top: 20mm; width: 85mm; height: 45mm; overflow: hidden } .date { padding-top: 70mm'
        ELSE 'margin-bottom: 2em' END) $$;
COMMENT ON FUNCTION dunning._letter_page(boolean, text) IS 'The template of a letter as HTML.';

CREATE FUNCTION dunning.letter_html(message_id uuid, at_window boolean DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    l    record;
    page text;
    code text := '';
BEGIN
    SELECT x.* INTO l FROM dunning._letter(letter_html.message_id) x;
    SELECT r.body_html INTO page FROM dunning._render(NULL, NULL, dunning._letter_page(coalesce(letter_html.at_window, l.at_window), l.language), jsonb_build_object(
        'sender', l.sender, 'dated', l.dated, 'note', l.note,
        'to', to_jsonb(regexp_split_to_array(btrim(l.address, E' \r\n\t'), E'\\s*\n\\s*')),
        'paragraphs', (SELECT jsonb_agg(jsonb_build_object('lines', (
                              SELECT jsonb_agg(jsonb_build_object('line', i.line, 'more', i.n < cardinality(string_to_array(p.p, E'\n'))) ORDER BY i.n)
                              FROM unnest(string_to_array(p.p, E'\n')) WITH ORDINALITY i(line, n))) ORDER BY p.n)
                       FROM regexp_split_to_table(btrim(l.body_text, E' \r\n\t'), E'\n\\s*\n') WITH ORDINALITY p(p, n))), l.language) r;
    -- Drawing is the module's. Its marker cannot come from a value: those are escaped.
    IF l.qr IS NOT NULL AND to_regprocedure('dunning.letter_qr_svg(text)') IS NOT NULL THEN
        EXECUTE 'SELECT dunning.letter_qr_svg($1)' INTO code USING l.qr;
        code := '<div class="code">' || code || E'</div>\n';
    END IF;
    RETURN replace(page, '<!--code-->', code);
END
$$;
COMMENT ON FUNCTION dunning.letter_html(uuid, boolean) IS
    'A message as a letter to print: a whole HTML page for A4 with address, date, words, the personal note of the context''s "note" in a written hand, and, with the extension dunning_letter, the payment QR code. at_window (NULL: as the step''s print field "window" says, else not) puts the address where a window envelope shows it; without, it looks like no bill. Unknown message: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.letter_html(uuid, boolean) TO dunning_operator, dunning_worker;
