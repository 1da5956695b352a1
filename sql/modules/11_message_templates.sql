-- The shipped texts are made of sentences: each language gives them once, the layouts of e-mail, SMS, letter, push and
-- scripts stand here. What results are plain rows of dunning.template. The functions are gone at the end of the installation.
--
-- [[word]] in a layout or a sentence stands for that word of the message, else of the language; [[=name:words]] is a link.
-- A section tag alone on its line takes the line with it, so that a paragraph that is absent leaves no gap.

CREATE FUNCTION dunning._ship_fill(layout text, words jsonb, html boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    filled text := layout;
    word   text;
BEGIN
    LOOP
        word := substring(filled FROM '\[\[(\w+)\]\]');
        EXIT WHEN word IS NULL;
        IF words->>word IS NULL THEN
            RAISE EXCEPTION 'the shipped texts lack "%" (% %)', word, words->>'language', words->>'template' USING ERRCODE = 'XX000';
        END IF;
        filled := replace(filled, '[[' || word || ']]', words->>word);
    END LOOP;
    RETURN regexp_replace(filled, '\[\[=(\w+):([^]]*)\]\]', CASE WHEN html THEN '<a href="{{\1}}">\2</a>' ELSE '\2: {{\1}}' END, 'g');
END
$$;
COMMENT ON FUNCTION dunning._ship_fill(text, jsonb, boolean) IS 'A layout with its words, while the extension is installed.';

-- What each framing says after the facts. A sentence about a fee or a figure is there only with the fee or the figure.
CREATE FUNCTION dunning._ship_framed(words jsonb, framing text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT words || jsonb_build_object(
        'say', CASE framing
            WHEN 'loss_aversion' THEN '{{#fee}}' || (words->>'loss') || ' {{/fee}}' || (words->>'nudge')
            WHEN 'social_proof' THEN '{{#proof}}' || (words->>'social') || ' {{/proof}}' || (words->>'nudge')
            WHEN 'cost_to_others' THEN '{{#late_cost}}' || (words->>'cost') || ' {{/late_cost}}' || (words->>'nudge')
            WHEN 'empathy' THEN words->>'empathy'
            ELSE words->>'nudge' END,
        'say_sms', CASE framing
            WHEN 'loss_aversion' THEN '{{#fee}} ' || (words->>'loss_sms') || '{{/fee}}' || coalesce('{{^fee}} ' || (words->>'nudge_sms') || '{{/fee}}', '')
            WHEN 'social_proof' THEN '{{#proof}} ' || (words->>'social_sms') || '{{/proof}}' || coalesce('{{^proof}} ' || (words->>'nudge_sms') || '{{/proof}}', '')
            WHEN 'cost_to_others' THEN '{{#late_cost}} ' || (words->>'cost_sms') || '{{/late_cost}}' || coalesce('{{^late_cost}} ' || (words->>'nudge_sms') || '{{/late_cost}}', '')
            WHEN 'empathy' THEN ' ' || (words->>'empathy_sms')
            ELSE coalesce(' ' || (words->>'nudge_sms'), '') END)
$$;
COMMENT ON FUNCTION dunning._ship_framed(jsonb, text) IS 'The words of a message with those of its framing, while the extension is installed.';

CREATE FUNCTION dunning._ship_templates(language text, phrase jsonb, messages jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    message  jsonb;
    words    jsonb;
    over     text;
    framed   text;
    page     constant text := $t$<!DOCTYPE html>
<html lang="[[language]]">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title>[[head]]</head>
<body style="font: [[font]]; color: #222; max-width: 36em; [[margin]]">
$t$;
    -- What is owed: principal, charges so far and the fee that comes with these words stand apart, and add up. An SMS brings no fee.
    facts    constant text := $t$[[opening]]
{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, [[due]] {{due_on | date}}{{#settled}} ([[settled]]){{/settled}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
[[also]]
{{/other_currencies}}
{{#charges}}
{{#amount}}
[[charges_so_far]]
{{/amount}}
{{/charges}}
{{#fee}}
{{#charged}}
[[fee_charged]]
{{/charged}}
{{/fee}}
{{#charges}}
{{#more}}
[[in_all]]
{{/more}}
{{/charges}}
{{#fee}}
{{#announced}}

[[fee_announced]]
{{/announced}}
{{/fee}}
$t$;
    facts_html constant text := $t$<p>[[opening]]</p>
{{#balances}}
<ul>
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, [[due]] {{due_on | date}}{{#settled}} ([[settled]]){{/settled}}</li>
{{/invoices}}
</ul>
{{/balances}}
{{#other_currencies}}
<p>[[also]]</p>
{{/other_currencies}}
{{#charges}}
{{#amount}}
<p>[[charges_so_far]]</p>
{{/amount}}
{{/charges}}
{{#fee}}
{{#charged}}
<p>[[fee_charged]]</p>
{{/charged}}
{{/fee}}
{{#charges}}
{{#more}}
<p>[[in_all]]</p>
{{/more}}
{{/charges}}
{{#fee}}
{{#announced}}
<p>[[fee_announced]]</p>
{{/announced}}
{{/fee}}
$t$;
    -- An offer has its one text, the same over every channel.
    offered  constant text := $t$
{{#offer}}
{{text}}
{{#link}}
[[=link:[[offer_link]]]]
{{/link}}
{{/offer}}
{{^offer}}
[[offer_none]]
{{/offer}}
$t$;
    offered_html constant text := $t${{#offer}}
<p>{{text}}</p>
{{#link}}
<p>[[=link:[[offer_link]]]]</p>
{{/link}}
{{/offer}}
{{^offer}}
<p>[[offer_none]]</p>
{{/offer}}
$t$;
    -- Every way out on one line each: pay, plan, paid, wrong.
    ways     constant text := $t$
[[say]]
{{#pay_url}}
[[=pay_url:[[pay]]]]
{{/pay_url}}
{{^pay_url}}
{{#creditor_account}}
[[account]]
{{/creditor_account}}
{{/pay_url}}
{{#plan_url}}
[[=plan_url:[[plan_link]]]]
{{/plan_url}}
{{#paid_url}}
[[=paid_url:[[paid_link]]]]
{{/paid_url}}
{{#dispute_url}}
[[=dispute_url:[[dispute_link]]]]
{{/dispute_url}}

[[already]]

[[plan_email]]
$t$;
    ways_html constant text := $t$<p>[[say]]</p>
{{#pay_url}}
<p style="font-weight: bold">[[=pay_url:[[pay]]]]</p>
{{/pay_url}}
{{^pay_url}}
{{#creditor_account}}
<p>[[account]]</p>
{{/creditor_account}}
{{/pay_url}}
<p>[[already]]{{#paid_url}}<br>[[=paid_url:[[paid_link]]]]{{/paid_url}}</p>
<p>[[plan_email]]{{#plan_url}}<br>[[=plan_url:[[plan_link]]]]{{/plan_url}}{{#dispute_url}}<br>[[=dispute_url:[[dispute_link]]]]{{/dispute_url}}</p>
$t$;
    by_post  constant text := $t$
[[say]]
{{#pay_url}}
[[=pay_url:[[pay]]]]
{{/pay_url}}
{{#creditor_account}}
[[account]]
{{/creditor_account}}

[[already]]

[[plan_letter]]
$t$;
    by_post_html constant text := $t$<p>[[say]]</p>
{{#pay_url}}
<p>[[pay]]: {{pay_url}}</p>
{{/pay_url}}
{{#creditor_account}}
<p>[[account]]</p>
{{/creditor_account}}
<p>[[already]]</p>
<p>[[plan_letter]]</p>
$t$;
    signed   constant text := '{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}';
    stop     constant text := E'{{#optout_url}}\n\n[[=optout_url:[[optout]]]]\n{{/optout_url}}\n';
    stop_html constant text := E'{{#optout_url}}\n<p style="font-size: 80%">[[=optout_url:[[optout]]]]</p>\n{{/optout_url}}\n';
    regards  constant text := E'\n[[regards]]\n' || signed || E'\n';
    regards_html constant text := '<p>[[regards]]<br>' || signed || E'</p>\n';
    text_pay constant text := '{{#pay_url}} [[=pay_url:[[pay]]]]{{/pay_url}}{{^pay_url}}{{#creditor_account}} [[account]]{{/creditor_account}}{{/pay_url}}';
    sms      constant text := '[[hello_sms]] [[fact]][[say_sms]][[text_pay]] [[already_sms]] [[plan_sms]]'
                 -- A link would take a third SMS. The law that asks for a way out in each one speaks English, and senders there get replies.
                 || CASE WHEN phrase ? 'optout_sms' THEN '{{#optout_reply}} [[optout_sms]]{{/optout_reply}}' ELSE '' END;
BEGIN
    FOR message IN SELECT value FROM jsonb_array_elements(messages) LOOP
        -- Where an offer names its own link, one link is enough for an SMS.
        words := phrase || message || jsonb_build_object('language', language,
            -- a script has no greeting before it
            'spoken', upper(left(message->>'opening', 1)) || substr(message->>'opening', 2),
            'text_pay', CASE message->>'template' WHEN 'plan-offer' THEN '{{^offer}}' || text_pay || '{{/offer}}' ELSE text_pay END);
        FOREACH over IN ARRAY string_to_array(CASE message->>'template'
            WHEN 'fee-warning' THEN 'email sms push'
            WHEN 'formal-notice-sms' THEN 'sms push'
            WHEN 'after-payday' THEN 'email sms push'
            WHEN 'plan-offer' THEN 'email letter sms push call visit'
            WHEN 'broken-promise' THEN 'email letter sms push call visit'
            WHEN 'payment-thanks' THEN 'email sms push'
            WHEN 'visit' THEN 'visit'
            WHEN 'call' THEN 'call'
            ELSE 'email letter sms push call' END, ' ')
        LOOP
            FOREACH framed IN ARRAY CASE WHEN over IN ('email', 'letter', 'sms') AND message->>'template' IN ('pre-due', 'reminder-1', 'reminder-2', 'final-notice')
                THEN ARRAY['neutral', 'loss_aversion', 'social_proof', 'cost_to_others', 'empathy'] ELSE ARRAY['neutral'] END
            LOOP
                INSERT INTO dunning.template (template, channel, language, framing, builtin, subject, body_text, body_html)
                SELECT message->>'template', over, language, framed, true,
                       CASE WHEN over <> 'sms' THEN dunning._ship_fill('[[who]]' || (message->>'subject'), w.words) END,
                       dunning._ship_fill(CASE
                           WHEN over = 'sms' AND w.template = 'payment-thanks' THEN '[[hello_sms]] [[fact]]'
                           WHEN over = 'push' AND w.template = 'payment-thanks' THEN '[[hello_sms]] [[fact]]'
                           WHEN over = 'sms' THEN sms
                           WHEN over = 'push' THEN '[[hello_sms]] [[fact]][[text_pay]] [[already_sms]]'
                           WHEN over IN ('call', 'visit') THEN concat_ws(E'\n', '1. [[' || over || '_who]]', '2. [[spoken]]{{#other_currencies}} [[also]]{{/other_currencies}}',
                               E'{{#charges}}\n{{#more}}\n- [[charges_so_far]]\n- [[in_all]]\n{{/more}}\n{{/charges}}',
                               '3. ' || coalesce(message->>'ask', '[[call_ask]]'), '4. {{#offer}}[[call_offer]] {{text}}{{/offer}}{{^offer}}[[call_plan]]{{/offer}}', '5. [[call_end]]') || E'\n'
                           WHEN w.template = 'payment-thanks' THEN E'[[hello]]\n\n[[opening]]\n\n[[nudge]]\n' || regards || stop
                           WHEN over = 'letter' THEN E'[[dear]]\n\n' || facts || w.offer || by_post || regards
                           ELSE E'[[hello]]\n\n' || facts || w.offer || ways || regards || stop END, w.words),
                       CASE WHEN over IN ('email', 'letter') THEN dunning._ship_fill(page || '<p>[[' || CASE over WHEN 'letter' THEN 'dear' ELSE 'hello' END || E']]</p>\n'
                           || CASE WHEN w.template = 'payment-thanks' THEN E'<p>[[opening]]</p>\n<p>[[nudge]]</p>\n' || regards_html || stop_html
                                   WHEN over = 'letter' THEN facts_html || w.offer_html || by_post_html || regards_html
                                   ELSE facts_html || w.offer_html || ways_html || regards_html || stop_html END
                           || E'</body>\n</html>\n',
                           -- A letter from a person, not a bill: running text, no table, no box with a sum; what is written on the envelope goes to the printer in the head.
                           w.words || CASE over WHEN 'letter' THEN jsonb_build_object('font', '12pt/1.5 Georgia, serif', 'margin', 'margin: 3cm 2.5cm',
                                   'head', E'\n<meta name="envelope" content="plain">{{#note}}<meta name="note" content="{{note}}">{{/note}}')
                               ELSE '{"font": "16px/1.5 sans-serif", "margin": "margin: 0; padding: 1em", "head": ""}' END, true) END
                FROM (SELECT message->>'template' AS template, dunning._ship_framed(words, framed) AS words,
                             CASE message->>'template' WHEN 'plan-offer' THEN offered ELSE '' END AS offer,
                             CASE WHEN message->>'template' <> 'plan-offer' THEN ''
                                  WHEN over = 'letter' THEN replace(offered_html, '[[=link:[[offer_link]]]]', '[[offer_link]]: {{link}}')
                                  ELSE offered_html END AS offer_html) w;
            END LOOP;
        END LOOP;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._ship_templates(text, jsonb, jsonb) IS 'Nothing; adds the shipped texts of a language while the extension is installed.';
