-- The page behind a link: what the creditor's own site serves. Text alone: no script, no address but the site's own.

CREATE FUNCTION dunning._page_words(language text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb '{
"en": {"hello": "Hello {{who}}", "due": "due on", "charges": "Fees and interest", "none": "Nothing is open. Thank you!", "offer": "Our offer",
    "accept": "Yes, I agree", "agreed": "Agreed. Thank you!",
    "pay": "Pay {{amount | money}}", "account": "Pay to account", "reference": "Reference",
    "plan": "I need more time", "plan_ask": "What would work for you?", "paid": "I have already paid", "paid_ask": "When and how?",
    "dispute": "I do not agree", "dispute_ask": "What is wrong?", "invoice": "Which invoice?", "all": "all of them", "send": "Send",
    "stop": "No more messages this way", "stop_ask": "We will not write to this address again. What is owed stays owed.", "stop_do": "Stop the messages",
    "call": "Questions? Call us on", "already": "We have heard from you already. Thank you!",
    "did": {"pay": "Thank you!", "plan": "Thank you. We will get back to you about a plan.", "already_paid": "Thank you. We will look for your payment.",
            "dispute": "Thank you. We will look into it and not remind you meanwhile.", "opt_out": "Done. We will not write to this address again."}},
"da": {"hello": "Hej {{who}}", "due": "forfaldt eller forfalder den", "charges": "Gebyrer og renter", "none": "Der er intet at betale. Tak!", "offer": "Vores tilbud",
    "accept": "Ja tak, det er en aftale", "agreed": "Det er en aftale. Tak!",
    "pay": "Betal {{amount | money}}", "account": "Betal til konto", "reference": "Reference",
    "plan": "Jeg har brug for mere tid", "plan_ask": "Hvad ville passe dig?", "paid": "Jeg har allerede betalt", "paid_ask": "Hvornår og hvordan?",
    "dispute": "Jeg er ikke enig", "dispute_ask": "Hvad er forkert?", "invoice": "Hvilken faktura?", "all": "dem alle", "send": "Send",
    "stop": "Ikke flere beskeder på denne måde", "stop_ask": "Vi skriver ikke til denne adresse igen. Det, der skyldes, skyldes stadig.", "stop_do": "Stop beskederne",
    "call": "Spørgsmål? Ring til os på", "already": "Vi har allerede hørt fra dig. Tak!",
    "did": {"pay": "Tak!", "plan": "Tak. Vi vender tilbage om en aftale.", "already_paid": "Tak. Vi leder efter din betaling.",
            "dispute": "Tak. Vi ser på det og minder dig ikke om det imens.", "opt_out": "Det er gjort. Vi skriver ikke til denne adresse igen."}},
"sv": {"hello": "Hej {{who}}", "due": "förfallodag", "charges": "Avgifter och ränta", "none": "Det finns inget att betala. Tack!", "offer": "Vårt erbjudande",
    "accept": "Ja tack, det är en överenskommelse", "agreed": "Då är vi överens. Tack!",
    "pay": "Betala {{amount | money}}", "account": "Betala till konto", "reference": "Referens",
    "plan": "Jag behöver mer tid", "plan_ask": "Vad skulle passa dig?", "paid": "Jag har redan betalat", "paid_ask": "När och hur?",
    "dispute": "Jag håller inte med", "dispute_ask": "Vad är fel?", "invoice": "Vilken faktura?", "all": "alla", "send": "Skicka",
    "stop": "Inga fler meddelanden på det här sättet", "stop_ask": "Vi skriver inte till den här adressen igen. Skulden står kvar.", "stop_do": "Stoppa meddelandena",
    "call": "Frågor? Ring oss på", "already": "Vi har redan hört från dig. Tack!",
    "did": {"pay": "Tack!", "plan": "Tack. Vi återkommer om en plan.", "already_paid": "Tack. Vi letar efter din betalning.",
            "dispute": "Tack. Vi tittar på det och påminner dig inte under tiden.", "opt_out": "Klart. Vi skriver inte till den här adressen igen."}},
"nb": {"hello": "Hei {{who}}", "due": "forfallsdato", "charges": "Gebyrer og renter", "none": "Det er ingenting å betale. Takk!", "offer": "Vårt tilbud",
    "accept": "Ja takk, det er en avtale", "agreed": "Det er en avtale. Takk!",
    "pay": "Betal {{amount | money}}", "account": "Betal til konto", "reference": "Referanse",
    "plan": "Jeg trenger mer tid", "plan_ask": "Hva ville passe for deg?", "paid": "Jeg har allerede betalt", "paid_ask": "Når og hvordan?",
    "dispute": "Jeg er ikke enig", "dispute_ask": "Hva er galt?", "invoice": "Hvilken faktura?", "all": "alle", "send": "Send",
    "stop": "Ingen flere meldinger på denne måten", "stop_ask": "Vi skriver ikke til denne adressen igjen. Det som skyldes, skyldes fortsatt.", "stop_do": "Stopp meldingene",
    "call": "Spørsmål? Ring oss på", "already": "Vi har allerede hørt fra deg. Takk!",
    "did": {"pay": "Takk!", "plan": "Takk. Vi tar kontakt om en avtale.", "already_paid": "Takk. Vi leter etter betalingen din.",
            "dispute": "Takk. Vi ser på det og minner deg ikke på det imens.", "opt_out": "Det er gjort. Vi skriver ikke til denne adressen igjen."}},
"nl": {"hello": "Hallo {{who}}", "due": "vervaldatum", "charges": "Kosten en rente", "none": "Er staat niets open. Dank je wel!", "offer": "Ons aanbod",
    "accept": "Ja, dat spreken we af", "agreed": "Afgesproken. Dank je wel!",
    "pay": "Betaal {{amount | money}}", "account": "Betaal op rekening", "reference": "Kenmerk",
    "plan": "Ik heb meer tijd nodig", "plan_ask": "Wat zou je uitkomen?", "paid": "Ik heb al betaald", "paid_ask": "Wanneer en hoe?",
    "dispute": "Ik ben het er niet mee eens", "dispute_ask": "Wat klopt er niet?", "invoice": "Welke factuur?", "all": "allemaal", "send": "Versturen",
    "stop": "Geen berichten meer op deze manier", "stop_ask": "We schrijven niet meer naar dit adres. Wat openstaat, blijft openstaan.", "stop_do": "Berichten stoppen",
    "call": "Vragen? Bel ons op", "already": "We hebben al van je gehoord. Dank je wel!",
    "did": {"pay": "Dank je wel!", "plan": "Dank je wel. We nemen contact op over een regeling.", "already_paid": "Dank je wel. We zoeken je betaling op.",
            "dispute": "Dank je wel. We zoeken het uit en herinneren je er intussen niet aan.", "opt_out": "Gedaan. We schrijven niet meer naar dit adres."}},
"de": {"hello": "Guten Tag {{who}}", "due": "fällig am", "charges": "Kosten und Zinsen", "none": "Es ist nichts offen. Vielen Dank!", "offer": "Unser Angebot",
    "accept": "Ja, so vereinbart", "agreed": "Vereinbart. Vielen Dank!",
    "pay": "{{amount | money}} bezahlen", "account": "Zahlung auf Konto", "reference": "Verwendungszweck",
    "plan": "Ich brauche mehr Zeit", "plan_ask": "Was wäre Ihnen möglich?", "paid": "Ich habe schon bezahlt", "paid_ask": "Wann und wie?",
    "dispute": "Ich bin nicht einverstanden", "dispute_ask": "Was stimmt nicht?", "invoice": "Welche Rechnung?", "all": "alle", "send": "Absenden",
    "stop": "Keine Nachrichten mehr auf diesem Weg", "stop_ask": "Wir schreiben nicht mehr an diese Adresse. Was offen ist, bleibt offen.", "stop_do": "Nachrichten beenden",
    "call": "Fragen? Rufen Sie uns an:", "already": "Wir haben schon von Ihnen gehört. Vielen Dank!",
    "did": {"pay": "Vielen Dank!", "plan": "Vielen Dank. Wir melden uns wegen einer Vereinbarung.", "already_paid": "Vielen Dank. Wir suchen Ihre Zahlung.",
            "dispute": "Vielen Dank. Wir prüfen das und erinnern Sie solange nicht.", "opt_out": "Erledigt. Wir schreiben nicht mehr an diese Adresse."}}
}' -> language $$;
COMMENT ON FUNCTION dunning._page_words(text) IS 'The sentences of link_page() in a language, NULL where there are none.';

-- A choice of the page: closed but for the one the link is for, so that a small screen shows what was asked for.
CREATE FUNCTION dunning._page_choice(purpose text, asked text, title text, fields text, button text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format(E'<details%s><summary>%s</summary>\n<form method="post"><input type="hidden" name="token" value="{{tokens.%s}}">\n%s\n<button>%s</button></form></details>\n',
                    CASE WHEN asked = purpose THEN ' open' ELSE '' END, title, purpose, fields, button) $$;
COMMENT ON FUNCTION dunning._page_choice(text, text, text, text, text) IS 'The template of one choice on the page behind a link.';

CREATE FUNCTION dunning._page_template(purpose text, done boolean, language text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    w    jsonb := dunning._page_words(language);
    said constant text := '<label>%s<textarea name="text" rows="3" maxlength="2000"></textarea></label>';
    head constant text := $t$<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer"><title>{{creditor_name}}</title>
<style>
body { margin: 0; background: #f6f6f4; color: #222; font: 17px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; box-sizing: border-box }
h1 { font-size: 1.3rem; margin: .5rem 0 } .from { color: #555; margin: 0 } .sum { font-size: 1.7rem; font-weight: 600; margin: .8rem 0 0 }
ul { padding-left: 1.2rem; margin: .3rem 0 } .box, details { background: #fff; border: 1px solid #ccc; border-radius: 8px; padding: .7rem; margin: .7rem 0 }
summary { padding: .3rem 0; cursor: pointer } label { display: block; margin: .4rem 0 }
textarea, select { width: 100%%; box-sizing: border-box; font: inherit } input { width: 1.2rem; height: 1.2rem; vertical-align: middle }
button { width: 100%%; min-height: 3rem; border: 0; border-radius: 8px; background: #1d5f3f; color: #fff; font: inherit; font-weight: 600 }
</style></head>
<body><main>
<p class="from">{{creditor_name}}</p>
$t$;
    foot text := format(E'{{#creditor_phone}}<p>%s {{creditor_phone}}</p>{{/creditor_phone}}\n</main></body>\n</html>\n', w->>'call');
BEGIN
    IF done THEN
        RETURN format(head, language) || format(E'<h1>{{#agreed}}%s{{/agreed}}{{^agreed}}%s{{/agreed}}</h1>\n{{#agreed}}<p>{{agreed}}</p>{{/agreed}}\n',
                                                w->>'agreed', w->'did'->>purpose) || foot;
    ELSIF purpose = 'opt_out' THEN
        -- This link is read by mail programs too: it tells nobody what is owed.
        RETURN format(head, language) || format(E'<h1>%s</h1>\n', w->>'stop')
            || format(E'<p>%s</p>\n<form method="post"><input type="hidden" name="token" value="{{tokens.opt_out}}"><button>%s</button></form>\n', w->>'stop_ask', w->>'stop_do')
            || foot;
    END IF;
    RETURN format(head, language)
        || format(E'<h1>{{#who}}%s{{/who}}</h1>\n', w->>'hello')
        || format(E'{{#done}}<p class="box">%s</p>{{/done}}\n{{^balances}}<p>%s</p>{{/balances}}\n', w->>'already', w->>'none')
        || format($t${{#balances}}<p class="sum">{{total | money}}</p>
<ul>{{#invoices}}<li>{{#reference}}{{reference}}: {{/reference}}{{amount | money}}, %s {{due_on | date}}</li>{{/invoices}}{{#charges}}<li>%s: {{charges | money}}</li>{{/charges}}</ul>
{{/balances}}
{{#offer}}<div class="box"><strong>%s</strong>{{#text}}<p>{{text}}</p>{{/text}}
<form method="post"><input type="hidden" name="token" value="{{tokens.plan}}"><input type="hidden" name="offer" value="{{offer_id}}">
{{#options}}<label><input type="radio" name="option" value="{{option}}" required> {{label}}</label>{{/options}}
<button>%s</button></form></div>
{{/offer}}$t$, w->>'due', w->>'charges', w->>'offer', w->>'accept')
        || format($t${{#amount}}
{{#pay_url}}<form method="post"><input type="hidden" name="token" value="{{tokens.pay}}"><button>%s</button></form>{{/pay_url}}
{{#creditor_account}}<p>%s {{creditor_account}}{{#reference}}<br>%s {{reference}}{{/reference}}</p>{{/creditor_account}}
$t$, w->>'pay', w->>'account', w->>'reference')
        || dunning._page_choice('plan', purpose, w->>'plan', format(said, w->>'plan_ask'), w->>'send')
        || dunning._page_choice('already_paid', purpose, w->>'paid', format(said, w->>'paid_ask'), w->>'send')
        || dunning._page_choice('dispute', purpose, w->>'dispute', format('<label>%s<select name="invoice"><option value="">%s</option>'
               || '{{#balances}}{{#invoices}}{{#reference}}<option value="{{reference}}">{{reference}}</option>{{/reference}}{{/invoices}}{{/balances}}</select></label>',
               w->>'invoice', w->>'all') || format(said, w->>'dispute_ask'), w->>'send')
        || E'{{/amount}}\n' || foot;
END
$$;
COMMENT ON FUNCTION dunning._page_template(text, boolean, text) IS 'The template of the page behind a link of a purpose, or of the page that follows when it was acted on.';

-- What there is to choose from, told by the one state of affairs that every touchpoint shows.
CREATE FUNCTION dunning._page_context(told jsonb, tokens jsonb, done boolean) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    talk  jsonb;
    offer jsonb;
    list  jsonb;
BEGIN
    talk := dunning.conversation(told->>'debtor_id');
    offer := nullif(talk->'offer_of_record', 'null');
    IF offer IS NOT NULL THEN
        SELECT jsonb_agg(jsonb_build_object('option', o.value->'option', 'label', o.value->'text') ORDER BY o.ord) INTO list
        FROM jsonb_array_elements(offer->'options') WITH ORDINALITY o(value, ord);
        offer := jsonb_build_object('offer_id', offer->'offer_id', 'text', offer->'text', 'options', coalesce(list, '[]'));
    END IF;
    RETURN jsonb_build_object('creditor_name', talk #> '{creditor,name}', 'creditor_phone', talk #> '{creditor,phone}', 'creditor_account', talk #> '{creditor,account}',
        'who', CASE WHEN (talk->>'company')::boolean THEN talk->'name' ELSE coalesce(nullif(talk->'given_name', 'null'), talk->'name') END,
        'balances', talk->'balances', 'amount', talk #> '{balances,0,total}', 'currency', talk #> '{balances,0,currency}',
        'reference', talk #> '{balances,0,invoices,0,reference}', 'pay_url', talk->'pay_url', 'tokens', tokens, 'done', done, 'offer', offer,
        'agreed', CASE WHEN talk #>> '{offers,0,state}' = 'accepted' AND told->>'purpose' = 'plan' THEN talk #> '{offers,0,text}' END);
EXCEPTION WHEN invalid_parameter_value THEN
    -- Forgotten, or no longer in the ledger: a link that is good for nobody.
    PERFORM dunning._token_message('');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dunning._page_context(jsonb, jsonb, boolean) IS 'The context of link_page(), from conversation(): names, open balances, offer and options as they are now. DN009 where the debtor is no longer known.';

CREATE FUNCTION dunning.link_page(token text, language text DEFAULT NULL, done boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    told   record;
    tongue text;
    tokens jsonb;
BEGIN
    SELECT t.* INTO told FROM dunning._token_of(link_page.token) t;
    tongue := dunning._language(coalesce(link_page.language, told.language));
    IF dunning._page_words(tongue) IS NULL THEN
        tongue := CASE WHEN dunning._page_words(dunning._language(told.language)) IS NOT NULL THEN dunning._language(told.language) ELSE 'en' END;
    END IF;
    -- The other choices end with the link they are shown behind. An opt-out link, which mail programs know, opens nothing else.
    SELECT jsonb_object_agg(p.p, CASE WHEN p.p = told.purpose THEN link_page.token ELSE dunning._make_token(p.p, told.debtor_id, told.message_id, told.expires_at) END) INTO tokens
    FROM unnest(CASE told.purpose WHEN 'opt_out' THEN ARRAY['opt_out'] ELSE ARRAY['pay', 'plan', 'already_paid', 'dispute'] END) p(p);
    RETURN (SELECT r.body_html FROM dunning._render(NULL, NULL, dunning._page_template(told.purpose, coalesce(link_page.done, false), tongue),
        dunning._page_context(jsonb_build_object('debtor_id', told.debtor_id, 'purpose', told.purpose), tokens, dunning._link_done(told.debtor_id, told.message_id, told.purpose)), tongue) r);
END
$$;
COMMENT ON FUNCTION dunning.link_page(text, text, boolean) IS
    'A whole HTML page to serve from your own site for GET on a link: what is open now, the offer of record and a form for each choice, in en, da, sv, nb, nl or de (NULL: the message''s language). Each form posts a token, and text, invoice, or offer and option, to the address the page came from: give them to act_on_link(), then go to its pay_url or show link_page(token, done => true). Changes nothing. No script, everything escaped. DN009 as open_link(). Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.link_page(text, text, boolean) TO dunning_operator;
