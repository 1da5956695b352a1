-- message: the shipped texts, every one of them.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;

-- What they are tried on: everything there; long names, sums and links; nothing that may be absent.
CREATE TEMP TABLE given (kind text, context jsonb);
INSERT INTO given VALUES
    ('full', dunning._sample_context()),
    ('long', dunning._sample_context() || '{"name": "Alexander Rasmussen", "given_name": "Alexander", "amount": 12402.75, "days_overdue": 112, "creditor_name": "Sandefjord Energi",
        "pay_url": "https://pay.example.com/i/10427-20261", "other_currencies": [], "offer": {"kind": "instalments", "text": "12 x 1.033,57 EUR, 01.11.2026.", "expires_on": "2026-10-20",
        "link": "https://pay.example.com/o/10427-20261", "options": []}, "optout_url": "https://pay.example.com/s/10427"}'),
    -- "kr." ends in a stop of its own
    ('kroner', dunning._sample_context() || '{"currency": "DKK", "fee": {"amount": 100, "currency": "DKK", "on": "2026-10-14", "level": "reminder-1", "charged": null, "announced": true, "warned": null},
        "charges": {"amount": 200, "currency": "DKK", "total": 1540.50, "more": true}, "other_currencies": [
        {"currency": "DKK", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "invoices": []}]}'),
    ('bare', dunning._sample_context() || dunning._optional_names() || '{"name": null, "given_name": null, "sender_name": null, "creditor_phone": null, "creditor_account": null,
        "reply_to": null, "reference": null, "pay_url": null, "balances": [], "other_currencies": []}');
CREATE TEMP TABLE shown AS
SELECT g.kind, t.template, t.channel, t.language, t.framing, r.subject, r.body_text, r.body_html, r.fields, r.missing
FROM dunning.template t, given g, LATERAL dunning._render(t.subject, t.body_text, t.body_html, g.context, t.language) r
WHERE t.builtin AND t.replaced_at IS NULL;

-- every_shipped_text_is_there_in_every_language
SELECT template, channel, string_agg(DISTINCT framing, ' ' ORDER BY framing) AS framings, count(DISTINCT language) AS languages, count(*) AS texts
FROM dunning.template WHERE builtin GROUP BY template, channel ORDER BY template, channel;
SELECT template, channel, framing FROM dunning.template WHERE builtin GROUP BY 1, 2, 3 HAVING count(DISTINCT language) <> 6;

-- no_shipped_text_has_a_lint_warning
SELECT t.language, t.template, t.channel, t.framing, w
FROM dunning.template t, unnest(dunning._lint_template(t.channel, t.language, t.subject, t.body_text, t.body_html, '{}')) w WHERE t.builtin;

-- every_shipped_text_renders_without_gaps_rests_and_doubled_blanks
SELECT s.kind, s.language, s.template, s.channel, s.framing, f.fault
FROM shown s, LATERAL (VALUES
    ('null', concat(s.subject, s.body_text, s.body_html) ~* '\mnull\M'),
    ('a rest of markup', concat(s.subject, s.body_text, s.body_html) ~ '\{\{|\}\}|\[\[|\]\]'),
    ('blank lines in a row', s.body_text ~ '\n[ ]*\n[ ]*\n'),
    ('blank at an end', s.body_text ~ '^\s|[ ]\n|[ ]$|\n\n$' OR s.subject ~ '^\s|\s$'),
    ('two blanks', concat(s.subject, s.body_text) ~ '  '),
    ('a blank before a stop', concat(s.subject, E'\n', s.body_text) ~ '[ ][.,:;!?]( |\n|$)'),
    ('two stops', concat(s.subject, E'\n', s.body_text) ~ '[.,:;!?][.,;:]'),
    ('an empty element', s.body_html ~ '<(p|ul|li|a)[^>]*>\s*</'),
    ('no html', (s.body_html IS NULL) <> (s.channel NOT IN ('email', 'letter'))),
    ('no subject', (s.subject IS NULL) <> (s.channel = 'sms')),
    ('a missing value', s.kind <> 'bare' AND s.missing <> '{}')) f(fault, so)
WHERE f.so ORDER BY 1, 2, 3, 4, 5, 6;
-- where_a_value_is_absent_no_text_leaves_a_hole_for_it
SELECT language, template, channel, framing, missing FROM shown WHERE missing <> '{}';

-- no_shipped_sms_takes_more_than_two_parts_or_leaves_the_alphabet_of_networks
SELECT kind, max((dunning._sms(body_text)).parts) AS parts, max((dunning._sms(body_text)).units) AS units,
       count(*) FILTER (WHERE (dunning._sms(body_text)).encoding <> 'GSM 03.38') AS odd
FROM shown WHERE channel = 'sms' GROUP BY kind ORDER BY kind;
-- subjects_push_texts_and_letters_stay_short
SELECT channel, max(length(subject)) <= 110 AS subject, max(length(body_text)) <= CASE channel WHEN 'push' THEN 260 WHEN 'sms' THEN 306 WHEN 'email' THEN 1750 ELSE 1600 END AS text
FROM shown GROUP BY channel ORDER BY channel;

-- every_demand_names_the_debtor_the_sum_its_age_the_creditor_and_how_to_pay
SELECT channel, count(*), bool_and(in_subject && '{given_name,name}' OR channel = 'sms') AS subject_names, bool_and(in_text && '{given_name,name}') AS text_names,
       bool_and(in_text @> '{amount,creditor_name}') AS sum, bool_and(in_text && '{days_overdue}' OR template = 'pre-due') AS days,
       bool_and(in_text && '{pay_url}' OR channel IN ('call', 'visit')) AS pay, bool_and(in_text @> '{creditor_phone}' OR channel IN ('push', 'call', 'visit')) AS plan,
       bool_and(in_text @> '{balances.invoices.amount,other_currencies.amount}' OR channel NOT IN ('email', 'letter')) AS lists,
       bool_and(in_text @> '{plan_url,paid_url,dispute_url,optout_url}' OR channel <> 'email') AS ways,
       bool_and(in_html @> '{amount,pay_url,balances.invoices.amount,other_currencies.amount}' OR body_html IS NULL) AS html
FROM (SELECT t.*, dunning._template_fields(t.subject, NULL, NULL, dunning._sample_context()) AS in_subject,
             dunning._template_fields(NULL, t.body_text, NULL, dunning._sample_context()) AS in_text,
             dunning._template_fields(NULL, NULL, t.body_html, dunning._sample_context()) AS in_html
      FROM dunning.template t WHERE t.builtin AND t.template <> 'payment-thanks') x
GROUP BY channel ORDER BY channel;
-- thanks_for_a_payment_ask_for_nothing
SELECT count(*), bool_or(fields && '{amount,pay_url,days_overdue,due_on,creditor_account}') AS demands FROM shown WHERE template = 'payment-thanks';
-- no_shipped_text_threatens_anywhere
SELECT s.language, s.template, s.channel, l FROM shown s, string_to_table(s.body_text, E'\n') l WHERE dunning._threatens_first(l, s.language);
-- no_shipped_text_says_what_a_debtor_did_before
SELECT string_agg(f, ' ' ORDER BY f COLLATE "C") FROM (SELECT DISTINCT f FROM shown, unnest(fields) f) x;

-- a_text_of_loss_or_of_figures_says_so_where_there_is_one_and_is_the_neutral_one_where_there_is_none
SELECT s.framing, s.kind, count(*), count(*) FILTER (WHERE s.body_text = n.body_text AND s.body_html IS NOT DISTINCT FROM n.body_html) AS as_neutral
FROM shown s JOIN shown n ON n.kind = s.kind AND n.template = s.template AND n.channel = s.channel AND n.language = s.language AND n.framing = 'neutral'
WHERE s.framing <> 'neutral' GROUP BY 1, 2 ORDER BY 1, 2;
-- a_warning_of_a_fee_names_it_and_its_day_and_without_one_is_a_plain_reminder
SELECT kind, bool_and(fields @> '{fee.amount,fee.on}') AS told, bool_or(fields && '{fee.amount}') AS any_told FROM shown WHERE template = 'fee-warning' AND kind IN ('full', 'bare') GROUP BY kind ORDER BY kind;
-- an_offer_is_told_in_every_channel_in_the_same_words_or_by_its_link
SELECT channel, count(*), bool_and(position('1) 3 x 413.50 EUR from 1 November. 2) 6 x 206.75 EUR from 1 November. Until 20 October.' IN body_text) > 0) AS told,
       bool_and(position('https://pay.example/offer/k3V9' IN body_text) > 0) AS linked
FROM shown WHERE template = 'plan-offer' AND kind = 'full' GROUP BY channel ORDER BY channel;
-- a_letter_is_from_a_person_and_tells_the_printer_what_stands_on_the_envelope
SELECT kind, count(*), bool_and(body_html ~ '<meta name="envelope" content="plain">') AS envelope, bool_and(body_html ~ '<meta name="note" content="Call me any time. Mette">') AS note,
       bool_or(body_html ~ 'name="note"') AS any_note, bool_or(body_html ~ '<(table|img|style)') AS like_a_bill
FROM shown WHERE channel = 'letter' AND kind IN ('full', 'bare') GROUP BY kind ORDER BY kind;

-- a_mail_reads_like_one_from_a_person_to_a_person
SELECT count(*), bool_and(body_text ~ '^[^\n]*Kirsten[^\n]*\n\n') AS greets, bool_and(right(regexp_replace(body_text, E'\n\n[^\n]*: https://pay.example/stop[^\n]*\n$', ''), 60) ~ 'Mette') AS signed,
       bool_or(body_html ~* '<(table|img|style|center|button|h1|form)|background|class=') AS like_a_newsletter FROM shown WHERE channel = 'email' AND kind = 'full';

-- what_is_shipped_is_what_was_read
SELECT language, count(*), md5(string_agg(concat_ws('|', template, channel, framing, kind, subject, body_text, body_html), E'\n' ORDER BY template, channel, framing, kind)) AS digest
FROM shown GROUP BY language ORDER BY language;
\pset format unaligned
\pset tuples_only on
SELECT E'\n== ' || concat_ws(' ', language, channel, template, framing), subject, body_text FROM shown
WHERE kind = 'full' AND (template, channel, framing) IN (('reminder-1', 'email', 'loss_aversion'), ('reminder-2', 'sms', 'social_proof'), ('plan-offer', 'letter', 'neutral'),
    ('final-notice', 'sms', 'empathy'), ('broken-promise', 'call', 'neutral'), ('hearing', 'push', 'neutral'))
ORDER BY language, channel, template;
SELECT body_html FROM shown WHERE kind = 'full' AND template = 'fee-warning' AND channel = 'email' AND language = 'en';
SELECT body_html FROM shown WHERE kind = 'full' AND template = 'plan-offer' AND channel = 'letter' AND language = 'da';
