-- The shipped texts are made of sentences: each language gives them once, the layouts of e-mail, SMS, letter and call
-- stand here. What results are plain rows of dunning.template. The function is gone at the end of the installation.

CREATE FUNCTION dunning._ship_templates(language text, phrase jsonb, messages jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    message  jsonb;
    framed   record;
    mail     text;
    letter   text;
    rows_    constant text := $t${{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, %s {{due_on | date}}
{{/invoices}}
{{/balances}}$t$;
    rows_html constant text := $t$<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, %s {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>$t$;
    others   constant text := $t${{#other_currencies}}
%s {{amount | money}}.
{{/other_currencies}}
$t$;
    signed   constant text := '{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}';
    page     constant text := $t$<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: %s; color: #222; max-width: 36em; %s">
$t$;
BEGIN
    FOR message IN SELECT value FROM jsonb_array_elements(messages) LOOP
        FOR framed IN
            SELECT f.framing, message->'nudge'->>f.framing AS nudge, message->'sms'->>f.framing AS sms
            FROM (VALUES ('neutral'), ('loss_aversion')) f(framing)
        LOOP
            -- Plain text first: the layout that must read well by itself.
            mail := concat_ws(E'\n\n', '%s', message->>'opening',
                        rtrim(format(rows_, phrase->>'due'), E'\n') || E'\n' || rtrim(format(others, phrase->>'also'), E'\n'),
                        '{{#pay_url}}' || (phrase->>'pay') || ': {{pay_url}}{{/pay_url}}'
                            || '{{^pay_url}}{{#creditor_account}}' || (phrase->>'account') || '{{/creditor_account}}{{/pay_url}}',
                        framed.nudge, phrase->>'already', '%s', phrase->>'regards') || E'\n' || signed || E'\n';
            letter := '<p>%s</p>' || E'\n<p>' || (message->>'opening') || E'</p>\n'
                    || replace(format(rows_html, phrase->>'due'), '%', '%%')
                    || E'\n' || replace(replace(format(others, phrase->>'also'), E'\n' || (phrase->>'also'), E'\n<p>' || (phrase->>'also')), '.' || E'\n{{/', E'.</p>\n{{/')
                    || '%s' || E'\n<p>' || framed.nudge || E'</p>\n<p>' || (phrase->>'already') || E'</p>\n<p>%s</p>\n<p>'
                    || (phrase->>'regards') || '<br>' || signed || E'</p>\n</body>\n</html>\n';

            INSERT INTO dunning.template (template, channel, language, framing, builtin, subject, body_text, body_html) VALUES
            (message->>'template', 'email', language, framed.framing, true, message->>'subject',
             format(mail, phrase->>'hello', phrase->>'plan_email'),
             format(page, language, '16px/1.5 sans-serif', 'margin: 0; padding: 1em')
             || format(letter, phrase->>'hello',
                       '{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">' || (phrase->>'pay') || '</a></p>{{/pay_url}}'
                       || '{{^pay_url}}{{#creditor_account}}<p>' || (phrase->>'account') || '</p>{{/creditor_account}}{{/pay_url}}',
                       phrase->>'plan_email')),
            (message->>'template', 'letter', language, framed.framing, true, message->>'subject',
             format(mail, phrase->>'dear', phrase->>'plan_letter'),
             -- A letter from a person, not a bill: running text, no table, no box with a sum.
             format(page, language, '12pt/1.5 Georgia, serif', 'margin: 3cm 2.5cm')
             || format(letter, phrase->>'dear',
                       '{{#pay_url}}<p>' || (phrase->>'pay') || ': {{pay_url}}</p>{{/pay_url}}'
                       || '{{#creditor_account}}<p>' || (phrase->>'account') || '</p>{{/creditor_account}}',
                       phrase->>'plan_letter')),
            (message->>'template', 'sms', language, framed.framing, true, NULL,
             concat_ws(' ', phrase->>'hello_sms', framed.sms,
                       '{{#pay_url}}' || (phrase->>'pay') || ': {{pay_url}}{{/pay_url}}'
                       || '{{^pay_url}}{{#creditor_account}}' || (phrase->>'account') || '{{/creditor_account}}{{/pay_url}}',
                       phrase->>'already_sms', phrase->>'plan_sms'), NULL);
        END LOOP;
        INSERT INTO dunning.template (template, channel, language, framing, builtin, subject, body_text) VALUES
        (message->>'template', 'call', language, 'neutral', true, message->>'subject',
         concat_ws(E'\n', '1. ' || (phrase->>'call_who'), '2. ' || (message->>'opening') || E'\n' || rtrim(format(others, phrase->>'also'), E'\n'), '3. ' || (phrase->>'call_ask'),
                   '4. ' || (phrase->>'call_plan'), '5. ' || (phrase->>'call_end')) || E'\n');
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._ship_templates(text, jsonb, jsonb) IS 'Nothing; adds the shipped texts of a language while the extension is installed.';
