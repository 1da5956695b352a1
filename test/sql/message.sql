-- message: templates, languages, lint, links.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;

-- What a text part becomes, or the error in short.
CREATE FUNCTION pg_temp.t(template text, context jsonb DEFAULT '{}', language text DEFAULT 'en') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (dunning._render(NULL, template, NULL, context, language)).body_text;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.h(template text, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (dunning._render(NULL, NULL, template, context, 'en')).body_html;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- The error of a statement without its DETAIL, which lists what other tests may have left.
CREATE FUNCTION pg_temp.e(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- values_sections_inverted_sections_comments_and_dots_are_rendered
SELECT pg_temp.t('Hi {{name}}{{! not seen }}, {{ name }} {{{name}}}', '{"name": "Kirsten"}');
SELECT pg_temp.t('{{#list}}[{{.}}]{{/list}}{{^list}}none{{/list}}', '{"list": [1, "two", 3.50]}');
SELECT pg_temp.t('{{#list}}[{{.}}]{{/list}}{{^list}}none{{/list}}', '{"list": []}');
SELECT pg_temp.t('{{#a}}{{b.c}} {{x}}{{/a}}', '{"a": {"b": {"c": "deep"}}, "x": "outer"}');
SELECT v, pg_temp.t('{{#v}}yes{{/v}}{{^v}}no{{/v}}', jsonb_build_object('v', v))
FROM unnest(ARRAY['true', 'false', 'null', '0', '0.00', '-1', '""', '"x"', '[]', '{}', '{"a": 1}']::jsonb[]) v;

-- a_section_alone_on_its_line_takes_the_line_with_it
SELECT pg_temp.t(E'items:\n{{#list}}\n  - {{.}}\n{{/list}}\nend', '{"list": [1, 2]}');
SELECT pg_temp.t(E'a\r\n{{! c }}\r\nb\rc');

-- an_unknown_name_is_an_error_that_lists_the_known_ones
SELECT dunning._render('x', 'Dear {{nmae}}', NULL, '{"name": "K", "given_name": "K"}', 'en');
SELECT dunning._render('x', '{{#a}}{{b.nope}}{{/a}}', NULL, '{"a": [{"b": {"c": 1, "d": 2}}]}', 'en');
-- a_known_name_without_a_value_renders_empty_and_is_reported
SELECT r.* FROM dunning._render('{{a}}', '{{b}}{{#c}}{{d}}{{/c}}{{#e}}{{/e}}', NULL, '{"a": 1, "b": null, "c": [{"d": null}], "e": null}', 'en') r;
-- the_fields_used_are_named_by_their_path
SELECT r.fields FROM dunning._render('{{given_name}}', '{{#balances}}{{#invoices}}{{amount | money}} {{creditor_name}}{{/invoices}}{{/balances}}', '<p>{{name}}</p>',
    dunning._sample_context(), 'en') r;

-- a_value_is_never_read_as_a_template_or_a_format
SELECT pg_temp.t('{{v}}', jsonb_build_object('v', v)), pg_temp.h('<p>{{v}} {{{v}}}</p>', jsonb_build_object('v', v))
FROM unnest(ARRAY['{{balance}}', '<script>alert(1)</script>', '%s%n%d', '${7*7}', '" onclick=''x''', '&amp; `']) v;
-- values_lose_control_characters_and_what_turns_the_direction_of_writing
SELECT pg_temp.t('[{{v}}]', jsonb_build_object('v', E'a\tb\r\nc\x1b[31md\x7f' || chr(8238) || 'gpj' || chr(8294) || chr(133) || chr(65279) || 'æ')),
       pg_temp.h('[{{v}}]', jsonb_build_object('v', E'a\x01b' || chr(8237) || 'c'));
-- a_subject_is_one_line
SELECT r.subject FROM dunning._render(E'  Re:\n{{v}} ', NULL, NULL, jsonb_build_object('v', E'a\r\nBcc: x@y'), 'en') r;

-- the_place_in_the_markup_decides_how_a_value_is_escaped
SELECT pg_temp.h('<a href="{{u}}" title="{{t}}">x</a>', '{"u": "https://x.example/?a=1&b=2", "t": "\"><b>"}');
SELECT pg_temp.h('<a href="https://x.example/{{u}}?r={{u}}">x</a>', '{"u": "a b/&æ"}');
SELECT u, pg_temp.h('<a HREF = ''{{u}}''>x</a>', jsonb_build_object('u', u))
FROM unnest(ARRAY['javascript:alert(1)', 'JaVaScRiPt:x', 'data:text/html,x', ' https://x', '//x', 'mailto:a@b.example', 'tel:+45', '']) u;
SELECT h, pg_temp.h(h, '{"v": "x"}')
FROM unnest(ARRAY['<a href={{v}}>', '<a {{v}}>', '<p onclick="{{v}}">', '<p style="color:{{v}}">', '<script>{{v}}</script>', '<style>{{v}}</style>',
                  '<script>x</script>{{v}}', '<!-- <a {{v}} -->', '<p title="a>b{{v}}">', 'a < b {{v}}']) h;

-- money_reads_as_people_of_the_language_write_it
SELECT l, pg_temp.t('{{#a}}{{amount | money}} ; {{/a}}', '{"a": [{"amount": 1234567.5, "currency": "EUR"}, {"amount": -0.5, "currency": "DKK"}, {"amount": 999, "currency": "SEK"},
    {"amount": 1240, "currency": "NOK"}, {"amount": 12, "currency": "GBP"}, {"amount": 12, "currency": "USD"}, {"amount": 1240, "currency": "JPY"}, {"amount": 1.5, "currency": "KWD"}]}', l)
FROM unnest(ARRAY['en', 'da', 'sv', 'nb', 'nl', 'de', 'de-AT', 'no', 'xx', 'deu']) l;
-- money_is_rounded_to_the_currency_and_takes_the_nearest_currency
SELECT pg_temp.t('{{amount | money}} {{#b}}{{amount | money}} {{#c}}{{amount | money}}{{/c}}{{/b}}',
    '{"amount": 1.005, "currency": "EUR", "b": {"amount": 10.5, "currency": "JPY", "c": {"amount": 7}}}');
SELECT pg_temp.t('{{amount | money}}', '{"amount": "1240.50", "currency": "EUR"}'), pg_temp.t('{{amount | money}}', '{"amount": null, "currency": null}');
-- dates_numbers_and_plurals
SELECT l, pg_temp.t('{{d | date}} {{n | number}} {{m | abs}} {{n | plural: day, days}} {{o | plural: day, days}}', '{"d": "2026-03-01", "n": 1234567.25, "m": -3, "o": 1.00}', l)
FROM unnest(ARRAY['en', 'da', 'sv', 'nb', 'nl', 'de']) l;
SELECT d, pg_temp.t('{{d | date}}', jsonb_build_object('d', d))
FROM unnest(ARRAY['2026-10-01', '2024-02-29T08:00:00+02:00', '2023-02-29', '2026-13-01', 'infinity', '-infinity', '', '20261001', '1 October']) d;
-- what_is_no_finite_number_is_an_error_and_never_shown
SELECT v, pg_temp.t('{{amount | money}}', jsonb_build_object('amount', v, 'currency', 'EUR')), pg_temp.t('{{amount}}', jsonb_build_object('amount', v)),
       pg_temp.t('{{n | number}}', jsonb_build_object('n', v))
FROM unnest(ARRAY['"NaN"', '"Infinity"', '"-infinity"', '"1e5"', '"1,5"', '"."', '"-"', '""', 'true', '[1]', '{}']::jsonb[]) v;
SELECT pg_temp.t('{{amount | money}}', to_jsonb(x)) FROM (SELECT 'NaN'::numeric AS amount, 'EUR' AS currency) x;
SELECT pg_temp.t('{{amount | money}}', '{"amount": 1, "currency": null}'), pg_temp.t('{{amount | money}}', '{"amount": 1}'), pg_temp.t('{{.}}', '{"a": 1}');

-- a_text_that_is_no_template_is_refused_with_its_place
SELECT left(t, 40), pg_temp.t(t, '{"a": 1, "b": 2}')
FROM unnest(ARRAY['{{a', '{{', '{{}}', '{{ }}', '{{{a}}', '{{a}', '{{#a}}', '{{/a}}', '{{#a}}{{#b}}{{/a}}{{/b}}', '{{>a}}', '{{=<% %>=}}', '{{&a}}', '{{a b}}', '{{a..b}}',
    '{{.a}}', '{{a.}}', '{{a | shout}}', '{{a | plural}}', '{{a | plural: x}}', '{{a | money: x}}', '{{a |}}', '{{#}}{{/}}', '{{å}}', '{{' || repeat('n', 10240) || '}}',
    E'a\x01b', '{{a.b}}', '}} {{a}}', '{{{{a}}}}', '{{a;drop table x}}']) t;
SELECT dunning._render(NULL, E'line one\nline two {{#a}}', NULL, '{"a": 1}', 'en');
-- nesting_repeats_and_sizes_are_bounded
SELECT pg_temp.t(repeat('{{#a}}', 32) || 'x' || repeat('{{/a}}', 32), '{"a": true}'), pg_temp.t(repeat('{{#a}}', 33) || repeat('{{/a}}', 33), '{"a": true}');
SELECT pg_temp.t(repeat('{{#a}}', 20000), '{"a": true}');
SELECT pg_temp.t(repeat('x', 262145)), length(pg_temp.t(repeat('x', 262144)));
SELECT pg_temp.t('{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}', (SELECT jsonb_build_object('a', jsonb_agg(i)) FROM generate_series(1, 1000) i));
SELECT pg_temp.t('{{#a}}{{b}}{{/a}}', (SELECT jsonb_build_object('b', repeat('x', 10240), 'a', jsonb_agg(i)) FROM generate_series(1, 1000) i));
SELECT length(pg_temp.t('{{v}}', jsonb_build_object('v', repeat('x', 10240))));
SELECT dunning._render(NULL, 'x', NULL, '[1]', 'en');
SELECT dunning._render(NULL, 'x', NULL, '1', 'en');

-- random_templates_over_random_contexts_render_or_fail_cleanly
DO $$
DECLARE
    piece text[] := ARRAY['{{', '}}', '{{{', '}}}', '#', '^', '/', '!', '{{#a}}', '{{/a}}', '{{#b}}', '{{/b}}', '{{^c}}', '{{/c}}', '{{a}}', '{{b.c}}', '{{.}}', ' | money',
        ' | date', '{{a | number}}', '{{a | plural: x, y}}', '{{amount | money}}', E'\n', ' ', 'å', '<a href="', '"', '>', '<script>', '</', '<!--', '-->', '=', '''', 'a', 'zz', '|', ':'];
    value text[] := ARRAY['null', 'true', 'false', '0', '-1.50', '"x"', '"NaN"', '"2026-01-01"', '[]', '[1, [2], {"a": "x"}]', '{}', '{"c": {"d": 1}, "a": [1]}', '"<&\"''>"', '1e300'];
    made  text;
    given jsonb;
    seen  text;
    fine  int := 0;
    bad   int := 0;
BEGIN
    PERFORM setseed(0.42);
    FOR i IN 1..10000 LOOP
        SELECT string_agg(piece[1 + floor(random() * cardinality(piece))::int], '') INTO made FROM generate_series(1, 1 + (random() * 12)::int);
        SELECT jsonb_object_agg(k, value[1 + floor(random() * cardinality(value))::int]::jsonb) INTO given FROM unnest(ARRAY['a', 'b', 'c', 'amount', 'currency']) k;
        BEGIN
            PERFORM dunning._render(made, made, made, given, 'da');
            PERFORM dunning._template_fields(made, made, made, given);
            fine := fine + 1;
        EXCEPTION WHEN SQLSTATE 'DN003' OR SQLSTATE '22023' OR SQLSTATE '53400' THEN
            bad := bad + 1;
        END;
    END LOOP;
    IF fine < 500 OR bad < 500 THEN
        RAISE EXCEPTION 'the mix is off: % rendered, % refused', fine, bad;
    END IF;
END $$;

-- an_sms_is_counted_as_networks_count_it
SELECT what, (dunning._sms(body)).*
FROM (VALUES (1, 'empty', ''), (2, '160', repeat('a', 160)), (3, '161', repeat('a', 161)), (4, '306', repeat('a', 306)), (5, '307', repeat('a', 307)),
             (6, '80 euro', repeat('€', 80)), (7, '81 euro', repeat('€', 81)), (8, 'no escape is cut', repeat('a', 152) || repeat('€', 77)), (9, 'nordic', repeat('æøåÆØÅäöüß', 16)),
             (10, 'ucs2 70', repeat('č', 70)), (11, 'ucs2 71', repeat('č', 71)), (12, 'surrogates 35', repeat('😀', 35)), (13, 'surrogates 36', repeat('😀', 36)),
             (14, 'no pair is cut', repeat('č', 66) || '😀' || 'č' || repeat('č', 66)), (15, 'backtick', '`'), (16, 'brackets', '[]{}~^|\')) v(n, what, body) ORDER BY n;

-- shipped_texts_read_well
\pset format unaligned
\pset tuples_only on
SELECT t.channel, r.subject, r.body_text, r.sms_parts, r.warnings FROM unnest(ARRAY['email', 'sms', 'letter', 'call']) t(channel), LATERAL dunning.render('reminder-2', dunning._sample_context(), 'da', t.channel) r;
SELECT r.body_html FROM dunning.render('final-notice', dunning._sample_context() || '{"framing": "loss_aversion", "creditor_name": "Fish & <Chips>"}', 'en', 'email') r;
SELECT l, r.subject FROM unnest(ARRAY['en', 'da', 'sv', 'nb', 'nl', 'de']) l, LATERAL dunning.render('reminder-1', dunning._sample_context(), l, 'email') r;
\pset tuples_only off
\pset format aligned

-- a_language_falls_back_to_the_creditors_and_then_to_english
INSERT INTO dunning.creditor (creditor, name, language) VALUES ('msg-sv', 'Svea', 'sv'), ('msg-fi', 'Suomi', 'fi');
SELECT asked, creditor, (dunning._template('reminder-1', 'sms', asked, creditor, 'neutral')).language
FROM (VALUES ('da', 'msg-sv'), ('da-DK', 'msg-sv'), ('no', 'msg-sv'), ('fr', 'msg-sv'), (NULL, 'msg-sv'), ('fr', 'msg-fi'), (NULL, 'nobody'), (NULL, NULL)) v(asked, creditor);
SELECT (dunning._template('reminder-1', 'sms', 'da', 'x', 'social_proof')).framing;
-- a_channel_of_ones_own_takes_the_texts_of_the_nearest_kind
INSERT INTO dunning.channel (channel, address_field, human, rings, service, cost) VALUES ('msg-chat', 'phone', false, true, true, 0), ('msg-portal', 'email', false, false, true, 0);
SELECT (dunning._template('reminder-1', 'msg-chat', 'da', 'x')).channel, (dunning._template('reminder-1', 'msg-portal', 'da', 'x')).channel;
DELETE FROM dunning.channel WHERE channel LIKE 'msg-%';
-- an_unknown_template_is_an_error_that_lists_the_known_ones
SELECT dunning._template('remindr', 'sms', 'da', 'x', 'neutral');

-- a_saved_text_replaces_ours_and_reset_brings_it_back
SELECT * FROM dunning.save_template('reminder-1', 'sms', 'en', NULL, 'Hi {{given_name}}, {{amount | money}} to {{creditor_name}}: {{pay_url}} Already paid? Ignore this.');
SELECT * FROM dunning.save_template('reminder-1', 'sms', 'en-GB', NULL, 'Hello {{given_name}}, {{amount | money}} to {{creditor_name}}: {{pay_url}} Already paid? Ignore this.');
SELECT * FROM dunning.save_template('reminder-1', 'sms', 'en', NULL, 'Svea says hi {{given_name}}, {{amount | money}} to {{creditor_name}}: {{pay_url}} Already paid? Ignore this.', creditor => 'msg-sv');
SELECT r.body_text FROM dunning.render('reminder-1', dunning._sample_context(), 'en', 'sms') r;
SELECT r.body_text FROM dunning.render('reminder-1', dunning._sample_context() || '{"creditor": "msg-sv"}', 'en', 'sms') r;
-- a_persons_own_words_go_before_our_framing
SELECT t.builtin, t.framing FROM dunning._template('reminder-1', 'sms', 'en', 'x', 'loss_aversion') t;
SELECT t.version, left(t.body_text, 5), t.replaced_at IS NULL AS in_force, t.replaced_by IS NULL AS untouched FROM dunning.template t WHERE NOT t.builtin AND t.creditor = '*' ORDER BY t.version;
SELECT * FROM dunning.reset_template('reminder-1', 'sms', 'en', 'msg-sv');
SELECT * FROM dunning.reset_template('reminder-1', 'sms', 'en');
SELECT * FROM dunning.reset_template('reminder-1', 'sms', 'en');
SELECT t.builtin, t.version FROM dunning._template('reminder-1', 'sms', 'en', 'msg-sv') t;
-- a_version_number_is_never_used_twice
SELECT version FROM dunning.save_template('reminder-1', 'sms', 'en', NULL, '{{given_name}} {{pay_url}} {{creditor_name}}. Already paid? Fine.');
-- lint_says_what_a_reader_would_miss
SELECT unnest(warnings) FROM dunning.save_template('reminder-1', 'email', 'en', 'Your debt', 'Pay {{amount}} by {{due_on}} or we go to court.');
SELECT unnest(warnings) FROM dunning.save_template('reminder-1', 'email', 'de', NULL, 'Mahnbescheid droht, {{name}}.');
SELECT unnest(warnings) FROM dunning.save_template('reminder-1', 'sms', 'en', NULL, '{{given_name}} {{creditor_name}} {{pay_url}} have paid? čš' || repeat('x', 140));
-- a_text_with_an_error_or_an_unknown_name_is_refused_even_where_it_would_not_show
SELECT dunning.save_template('reminder-1', 'sms', 'en', NULL, 'Hi {{given_name');
SELECT dunning.save_template('reminder-1', 'sms', 'en', NULL, 'Hi {{^given_name}}{{ordr}}{{/given_name}}');
SELECT dunning.save_template('reminder-1', 'sms', 'en', NULL, 'Hi {{order}}');
SELECT version, warnings FROM dunning.save_template('order-late', 'sms', 'en', NULL, 'Hi {{given_name}}, order {{order}} of {{creditor_name}}: {{pay_url}} Already paid? Fine.', vars => '{order}');
SELECT r.body_text FROM dunning.render('order-late', dunning._sample_context() || '{"order": "B-7"}', 'en', 'sms') r;
SELECT r.body_text FROM dunning.render('order-late', dunning._sample_context(), 'en', 'sms') r;
SELECT dunning.save_template('../x', 'sms', 'en', NULL, 'x');
SELECT pg_temp.e($$SELECT dunning.save_template('x', 'pigeon', 'en', NULL, 'x')$$);
SELECT dunning.save_template('x', 'sms', 'english', NULL, 'x');
SELECT dunning.save_template('x', 'sms', 'en', NULL, ' ');
SELECT pg_temp.e($$SELECT dunning.save_template('x', 'sms', 'en', NULL, 'x', creditor => 'nobody')$$);
SELECT dunning.save_template('x', 'sms', NULL, NULL, NULL);
-- only_an_admin_saves_and_only_a_viewer_renders
SET ROLE dunning_operator;
SELECT dunning.save_template('x', 'sms', 'en', NULL, 'x');
RESET ROLE;
SELECT r, has_function_privilege(r, 'dunning.render(text, jsonb, text, text)', 'EXECUTE') AS render, has_function_privilege(r, 'dunning.link(uuid, text)', 'EXECUTE') AS link,
       has_function_privilege(r, 'dunning._make_token(text, text, uuid, timestamptz)', 'EXECUTE') AS sign
FROM unnest(ARRAY['public', 'dunning_viewer', 'dunning_operator', 'dunning_admin', 'dunning_worker']) r;
DELETE FROM dunning.template WHERE NOT builtin AND template IN ('reminder-1', 'order-late');

-- preview_shows_what_a_debtor_would_get_now
SET dunning.clock = '2026-10-13 12:00:00+00';
INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, preferred_channel) VALUES ('msg-3', 'msg-sv', 'Åsa Öberg', 'Åsa', 'sv', 'sms'), ('msg-4', 'msg-sv', 'Bo {{amount}} <b>', 'Bo', NULL, NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, pay_url)
VALUES ('msg-3', 'F-1', 'msg-sv', '2026-09-01', '2026-10-01', 1240.5, 'SEK', 'https://pay.example/1'), ('msg-3', 'F-2', 'msg-sv', '2026-09-05', '2026-10-05', 10, 'SEK', NULL),
       ('msg-3', 'F-3', 'msg-sv', '2026-09-05', '2026-10-05', 7, 'EUR', NULL);
SELECT r.* FROM dunning.preview('reminder-1', 'msg-3') r;
SELECT r.subject, left(r.body_text, 200) AS body_text, r.warnings FROM dunning.preview('final-notice', 'msg-3', 'email', 'nl') r;
SELECT r.subject, r.missing, r.warnings FROM dunning.preview('reminder-1', 'msg-4') r;
SELECT version FROM dunning.save_template('order-late', 'sms', 'en', NULL, 'Hi {{given_name}}, order {{order}} of {{creditor_name}}: {{pay_url}} Already paid? Fine.', vars => '{order}');
SELECT r.body_text FROM dunning.preview('order-late', 'msg-3') r;
SELECT dunning.preview('reminder-1', 'msg-none');
SELECT dunning.preview('reminder-1', NULL);
SELECT pg_temp.e($$SELECT dunning.preview('nothing-like-it', 'msg-3')$$);
DELETE FROM dunning.template WHERE NOT builtin AND template = 'order-late';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'msg-%';
RESET dunning.clock;

-- a_link_needs_a_key_file_that_only_the_server_can_read
\getenv builddir PG_ABS_BUILDDIR
\set keys :builddir '/link_keys'
\! rm -rf link_keys; mkdir -m 700 link_keys
INSERT INTO dunning.debtor (debtor_id, creditor, name) VALUES ('msg-1', 'msg-sv', 'Kirsten Hansen'), ('msg-2', 'msg-sv', 'Bo');
UPDATE dunning.debtor SET email = debtor_id || '@example.org' WHERE debtor_id LIKE 'msg-%';
SELECT dunning._ensure_partitions() >= 0 AS made;
CREATE TEMP TABLE sent AS SELECT dunning._uuid7() AS id, d AS debtor_id FROM unnest(ARRAY['msg-1', 'msg-2']) d;
INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
SELECT id, debtor_id, 'msg-sv', 'reminder-1', 'email', 'en', now(), '', '{}', 0, 'EUR', '{"pay_url": "https://pay.example/7"}', '{}', now(), 'test' FROM sent;
SET dunning.secret_directory = '';
SELECT dunning.link(id, 'pay') FROM sent WHERE debtor_id = 'msg-1';
SET dunning.secret_directory = :'keys';
SELECT dunning.link(id, 'pay') FROM sent WHERE debtor_id = 'msg-1';
\! printf 'short' > link_keys/link.key; chmod 600 link_keys/link.key
SELECT dunning.link(id, 'pay') FROM sent WHERE debtor_id = 'msg-1';
\! printf '%032d' 7 > link_keys/link.key; chmod 640 link_keys/link.key
SELECT dunning.link(id, 'pay') FROM sent WHERE debtor_id = 'msg-1';
\! chmod 600 link_keys/link.key
SET dunning.clock = '2027-01-01 12:00:00+00';
CREATE TEMP TABLE tok AS SELECT s.debtor_id, p AS purpose, dunning.link(s.id, p) AS token FROM sent s, unnest(ARRAY['pay', 'plan', 'already_paid', 'dispute', 'opt_out']) p;
SELECT count(DISTINCT token), min(length(token)), max(length(token)), bool_and(token ~ '^[A-Za-z0-9_-]+$') AS url_safe, bool_or(token ~ 'msg') AS personal FROM tok;
SELECT dunning.link(id, 'refund') FROM sent WHERE debtor_id = 'msg-1';
SELECT dunning.link('00000000-0000-7000-8000-000000000000', 'pay');
SELECT dunning.link(NULL, 'pay');
-- a_genuine_token_says_what_it_was_made_for
SELECT t.purpose = v.purpose AS same, v.purpose, v.expires_at FROM tok t, LATERAL dunning._verify_token(t.token, t.debtor_id, dunning._now()) v WHERE t.debtor_id = 'msg-1' ORDER BY 2;
-- a_token_with_any_character_changed_is_refused
CREATE FUNCTION pg_temp.refused(token text, debtor_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dunning._verify_token(token, debtor_id, dunning._now());
    RETURN false;
EXCEPTION WHEN SQLSTATE 'DN009' THEN
    RETURN true;
END $$;
SELECT count(*), bool_and(pg_temp.refused(overlay(t.token PLACING c FROM i FOR 1), t.debtor_id)) AS all_refused
FROM tok t, generate_series(1, 56) i, regexp_split_to_table('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', '') c
WHERE t.debtor_id = 'msg-1' AND t.purpose = 'pay' AND substr(t.token, i, 1) <> c;
-- a_token_that_is_cut_long_empty_or_no_token_is_refused
SELECT bool_and(pg_temp.refused(left(t.token, i), t.debtor_id)) FROM tok t, generate_series(0, 55) i WHERE t.purpose = 'pay' AND t.debtor_id = 'msg-1';
SELECT bool_and(pg_temp.refused(x, 'msg-1')) FROM tok t, unnest(ARRAY[t.token || 'A', t.token || '=', ' ' || t.token, repeat('A', 56), repeat('é', 28), repeat('=', 56), '']) x WHERE t.purpose = 'pay';
SELECT dunning.open_link(NULL);
SELECT dunning.open_link(repeat('A', 56));
-- a_token_of_one_debtor_purpose_or_message_is_no_token_of_another
SELECT bool_and(pg_temp.refused(t.token, 'msg-2')) FROM tok t WHERE t.debtor_id = 'msg-1';
SELECT bool_and(pg_temp.refused(left(a.token, 32) || right(b.token, 24), a.debtor_id)) FROM tok a JOIN tok b ON (a.purpose, a.debtor_id) <> (b.purpose, b.debtor_id);
-- a_token_is_good_to_the_last_second_and_not_a_second_more
SET dunning.clock = '2027-01-31 11:59:59+00';
SELECT pg_temp.refused(token, debtor_id) FROM tok WHERE debtor_id = 'msg-1' AND purpose = 'pay';
SET dunning.clock = '2027-01-31 12:00:00+00';
SELECT pg_temp.refused(token, debtor_id) FROM tok WHERE debtor_id = 'msg-1' AND purpose = 'pay';
SET dunning.clock = '2027-01-31 12:00:01+00';
SELECT pg_temp.refused(token, debtor_id) FROM tok WHERE debtor_id = 'msg-1' AND purpose = 'pay';
SET dunning.clock = '2027-01-02 12:00:00+00';
-- after_a_rotation_old_links_work_until_the_old_key_is_gone
\! mv link_keys/link.key link_keys/link.key.2026; printf '%032d' 8 > link_keys/link.key; chmod 600 link_keys/link.key
SELECT bool_or(pg_temp.refused(token, debtor_id)) AS old_refused FROM tok;
SELECT pg_temp.refused(dunning.link(id, 'pay'), debtor_id) AS new_refused FROM sent WHERE debtor_id = 'msg-1';
\! mv link_keys/link.key.2026 link_keys/gone
SELECT bool_and(pg_temp.refused(token, debtor_id)) AS old_refused FROM tok;
\! mv link_keys/gone link_keys/link.key.2026
-- acting_on_a_link_records_what_was_asked_for_once
CREATE TEMP TABLE opened AS SELECT t.purpose AS made_for, o.* FROM tok t, LATERAL dunning.act_on_link(t.token) o WHERE t.debtor_id = 'msg-1' AND t.purpose IN ('pay', 'plan', 'already_paid', 'dispute');
SELECT made_for, purpose, debtor_id, o.message_id = s.id AS same_message, pay_url, recorded FROM opened o JOIN sent s USING (debtor_id) ORDER BY 1;
SELECT o.recorded FROM tok t, LATERAL dunning.act_on_link(t.token) o WHERE t.debtor_id = 'msg-1' AND t.purpose IN ('pay', 'plan') ORDER BY t.purpose;
SELECT kind, detail, count(*) FROM dunning.event WHERE debtor_id = 'msg-1' GROUP BY 1, 2 ORDER BY 1, 2;
-- a_link_of_a_message_whose_debtor_opts_out_closes_its_channel
SELECT o.purpose, o.recorded
FROM tok t, LATERAL dunning.act_on_link(t.token) o WHERE t.debtor_id = 'msg-2' AND t.purpose = 'opt_out';
SELECT count(*) FROM dunning.suppression x WHERE x.address_digest = dunning._address_digest('msg-2@example.org', 'email');
DELETE FROM dunning.suppression x WHERE x.address_digest = dunning._address_digest('msg-2@example.org', 'email');
RESET dunning.clock;

\! rm -rf link_keys
RESET dunning.secret_directory;
DELETE FROM dunning.event WHERE debtor_id LIKE 'msg-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'msg-%';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'msg-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'msg-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'msg-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'msg-%';
DELETE FROM dunning.creditor WHERE creditor LIKE 'msg-%';

-- a_message_that_waited_tells_the_days_of_the_day_it_leaves
SELECT jsonb_pretty(dunning._aged_context('{"days_overdue": 5, "due_on": "2026-06-01", "x": 1, "balances": [
    {"currency": "DKK", "amount": 9, "due_on": "2026-06-01", "days_overdue": 5, "invoices": [{"due_on": "2026-06-01", "days_overdue": 5}, {"due_on": "2026-06-03", "days_overdue": 3}]},
    {"currency": "EUR", "amount": 8, "due_on": "2026-06-02", "days_overdue": 4, "invoices": [{"due_on": "2026-06-02", "days_overdue": 4}]}],
    "other_currencies": [{"currency": "EUR", "amount": 8, "due_on": "2026-06-02", "days_overdue": 4, "invoices": [{"due_on": "2026-06-02", "days_overdue": 4}]}], "mine": {"days_overdue": 5}}', '2026-06-12'));
SELECT c = dunning._aged_context(c, '2026-06-12') AS unchanged
FROM (VALUES ('{}'::jsonb), ('{"balances": "mine"}'), ('{"balances": []}'), ('{"balances": [{"due_on": "soon", "days_overdue": "many"}]}'), ('{"balances": [{"due_on": "2026-02-29", "days_overdue": 5}]}'), ('{"balances": [{"due_on": "2026-06-01", "days_overdue": 1e30}]}'), ('{"balances": ["2026-06-01"]}'), ('[{"balances": 1}]'), ('null'), (NULL), ('{"days_overdue": 7}')) v(c);
-- what a caller's own vars say is left alone
SELECT dunning._aged_context('{"days_overdue": 99, "balances": [{"due_on": "2026-06-01", "days_overdue": 5, "invoices": []}]}', '2026-06-07');
