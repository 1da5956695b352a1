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

-- the_same_sum_reads_by_the_currency_around_it, however_often_it_is_shown
SELECT pg_temp.t('{{#b}}{{x | money}}{{/b}}; {{#a}}{{#b}}{{x | money}}{{/b}}{{/a}}; {{#b}}{{x | money}} {{x | number}} {{x | abs}}{{/b}}', '{"currency": "EUR", "a": {"currency": "DKK"}, "b": {"x": -5}}');
SELECT r.body_text, r.body_html FROM dunning._render(NULL, '{{#l}}{{x | money}} {{on | date}}, {{/l}}', '<p>{{#l}}{{x | money}} {{on | date}}, {{/l}}</p>',
    '{"currency": "EUR", "l": [{"x": 1, "on": "2026-01-02"}, {"x": 1, "on": "2026-01-02"}, {"x": 2, "on": "2026-02-03", "currency": "DKK"}]}', 'da') r;
-- more_values_than_are_kept_at_once_read_the_same_in_text_and_html
SELECT r.body_text = x.expected AS in_text, r.body_html = x.expected AS in_html
FROM (SELECT jsonb_build_object('currency', 'EUR', 'l', jsonb_agg(jsonb_build_object('x', i))) AS context, string_agg(to_char(i, 'FM999,999') || '.00', ';' ORDER BY i) || ';' AS expected FROM generate_series(1, 20000) i) x,
    LATERAL dunning._render(NULL, '{{#l}}{{x | money}};{{/l}}', '{{#l}}{{x | money}};{{/l}}', x.context, 'en') r0,
    LATERAL (SELECT replace(r0.body_text, '€', '') AS body_text, replace(r0.body_html, '€', '') AS body_html) r;
-- names_are_found_in_objects_of_few_and_of_many_keys, and_outside_of_them
SELECT n, bool_and(pg_temp.t('{{#o}}{{k' || i || '}}{{/o}}', jsonb_build_object('o', o.o, 'k0', 'outer')) = i::text) AS inside, min(pg_temp.t('{{#o}}{{k0}} {{#k0}}x{{/k0}}{{/o}}', jsonb_build_object('o', o.o, 'k0', 'outer'))) AS outside
FROM unnest(ARRAY[1, 9, 10, 15, 16, 17, 40, 130]) n, LATERAL (SELECT jsonb_object_agg('k' || j, j) AS o FROM generate_series(1, n) j) o, generate_series(1, n) i GROUP BY n ORDER BY n;

-- a_section_alone_on_its_line_takes_the_line_with_it
SELECT pg_temp.t(E'items:\n{{#list}}\n  - {{.}}\n{{/list}}\nend', '{"list": [1, 2]}');
SELECT pg_temp.t(E'a\r\n{{! c }}\r\nb\rc');

-- an_unknown_name_is_an_error_that_lists_the_known_ones
SELECT dunning._render('x', 'Dear {{nmae}}', NULL, '{"name": "K", "given_name": "K"}', 'en');
SELECT dunning._render('x', '{{#a}}{{b.nope}}{{/a}}', NULL, '{"a": [{"b": {"c": 1, "d": 2}}]}', 'en');
-- a_known_name_without_a_value_renders_empty_and_is_reported
SELECT r.* FROM dunning._render('{{a}}', '{{b}}{{#c}}{{d}}{{/c}}{{#e}}{{/e}}', NULL, '{"a": 1, "b": null, "c": [{"d": null}], "e": null}', 'en') r;
-- what_a_context_may_leave_out_is_known_to_the_renderer
SELECT count(*) > 10 AS names, count(*) FILTER (WHERE r.body_text = '') = count(*) AS all_known
FROM jsonb_object_keys(dunning._optional_names()) k, LATERAL dunning._render(NULL, '{{' || k || '}}', NULL, '{}', 'en') r;
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
-- bytes_that_are_no_text_come_neither_as_a_template_nor_as_a_value
SELECT pg_temp.e($$SELECT dunning._render(NULL, convert_from('\xc328', 'UTF8'), NULL, '{}', 'en')$$), pg_temp.e($$SELECT dunning._render(NULL, convert_from('\x610062', 'UTF8'), NULL, '{}', 'en')$$),
       pg_temp.e($$SELECT dunning._render(NULL, '{{v}}', NULL, '{"v": "a\u0000b"}', 'en')$$);
-- nesting_repeats_and_sizes_are_bounded
SELECT pg_temp.t(repeat('{{#a}}', 32) || 'x' || repeat('{{/a}}', 32), '{"a": true}'), pg_temp.t(repeat('{{#a}}', 33) || repeat('{{/a}}', 33), '{"a": true}');
SELECT pg_temp.t(repeat('{{#a}}', 20000), '{"a": true}');
SELECT pg_temp.t(repeat('x', 262145)), length(pg_temp.t(repeat('x', 262144)));
SELECT pg_temp.t('{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}', (SELECT jsonb_build_object('a', jsonb_agg(i)) FROM generate_series(1, 1000) i));
SELECT pg_temp.t('{{#a}}{{b}}{{/a}}', (SELECT jsonb_build_object('b', repeat('x', 10240), 'a', jsonb_agg(i)) FROM generate_series(1, 1000) i));
SELECT length(pg_temp.t('{{v}}', jsonb_build_object('v', repeat('x', 10240))));
SELECT dunning._render(NULL, 'x', NULL, '[1]', 'en');
SELECT dunning._render(NULL, 'x', NULL, '1', 'en');

-- the_published_behaviours_of_mustache_hold: cases of our own, one for each published one (without lambdas and inheritance)
CREATE TEMP TABLE mustache (module text, says text, template text, context jsonb, partials jsonb, expected text);
INSERT INTO mustache (module, says, template, context, expected) VALUES
('interpolation', 'a text without tags is left alone', E'Dear {reader},\n', '{}', E'Dear {reader},\n'),
('interpolation', 'a value', E'Dear {{who}}.\n', '{"who": "Bo"}', E'Dear Bo.\n'),
('interpolation', 'a value is never read as a template', '{{a}}-{{b}}', '{"a": "{{b}}", "b": "x"}', '{{b}}-x'),
('interpolation', 'escaped', 'Mind {{v}}', '{"v": "< & \" >"}', 'Mind &lt; &amp; &quot; &gt;'),
('interpolation', 'three braces do not escape', 'Mind {{{v}}}', '{"v": "< & \" >"}', 'Mind < & " >'),
('interpolation', 'neither does &', 'Mind {{&v}}', '{"v": "< & \" >"}', 'Mind < & " >'),
('interpolation', 'whole number', '[{{n}} days]', '{"n": 14}', '[14 days]'),
('interpolation', 'whole number in three braces', '[{{{n}}} days]', '{"n": 14}', '[14 days]'),
('interpolation', 'whole number with &', '[{{&n}} days]', '{"n": 14}', '[14 days]'),
('interpolation', 'decimal number', '[{{n}} kWh]', '{"n": 2.75}', '[2.75 kWh]'),
('interpolation', 'decimal number in three braces', '[{{{n}}} kWh]', '{"n": 2.75}', '[2.75 kWh]'),
('interpolation', 'decimal number with &', '[{{&n}} kWh]', '{"n": 2.75}', '[2.75 kWh]'),
('interpolation', 'null is empty', 'a<{{v}}>b', '{"v": null}', 'a<>b'),
('interpolation', 'null is empty in three braces', 'a<{{{v}}}>b', '{"v": null}', 'a<>b'),
('interpolation', 'null is empty with &', 'a<{{&v}}>b', '{"v": null}', 'a<>b'),
('interpolation', 'an unknown name is empty', 'a<{{v}}>b', '{}', 'a<>b'),
('interpolation', 'an unknown name is empty in three braces', 'a<{{{v}}}>b', '{}', 'a<>b'),
('interpolation', 'an unknown name is empty with &', 'a<{{&v}}>b', '{}', 'a<>b'),
('interpolation', 'a dotted name is short for a section', '{{d.c}}={{#d}}{{c}}{{/d}}', '{"d": {"c": "DKK"}}', 'DKK=DKK'),
('interpolation', 'dotted, in three braces', '{{{d.c}}}={{#d}}{{{c}}}{{/d}}', '{"d": {"c": "DKK"}}', 'DKK=DKK'),
('interpolation', 'dotted, with &', '{{&d.c}}={{#d}}{{&c}}{{/d}}', '{"d": {"c": "DKK"}}', 'DKK=DKK'),
('interpolation', 'dotted, deep', '{{p.q.r.s.t.u}}', '{"p": {"q": {"r": {"s": {"t": {"u": 7}}}}}}', '7'),
('interpolation', 'a broken chain is empty', '<{{p.q.r}}>', '{"p": {}}', '<>'),
('interpolation', 'each part is looked for below the one before', '<{{p.q.r.name}}>', '{"p": {"q": {}}, "r": {"name": "no"}}', '<>'),
('interpolation', 'the first part is looked for as any name', '{{#p}}{{q.r.s}}{{/p}}', '{"p": {"q": {"r": {"s": "near"}}}, "q": {"r": {"s": "far"}}}', 'near'),
('interpolation', 'what was found first decides', '<{{#p}}{{q.r}}{{/p}}>', '{"p": {"q": {}}, "q": {"r": "far"}}', '<>'),
('interpolation', 'a key with a dot is never found', '<{{p.q}}>', '{"p.q": "key"}', '<>'),
('interpolation', 'a key with a dot hides nothing', '<{{p.q}}>', '{"p.q": "key", "p": {"q": "path"}}', '<path>'),
('interpolation', 'the dot is the context itself', 'Dear {{.}}', '"Bo"', 'Dear Bo'),
('interpolation', 'the dot, escaped', 'Mind {{.}}', '"< & \" >"', 'Mind &lt; &amp; &quot; &gt;'),
('interpolation', 'the dot in three braces', 'Mind {{{.}}}', '"< & \" >"', 'Mind < & " >'),
('interpolation', 'the dot with &', 'Mind {{&.}}', '"< & \" >"', 'Mind < & " >'),
('interpolation', 'the dot, a number', '{{.}} days', '14', '14 days'),
('interpolation', 'blanks around stay', '[ {{v}} ]', '{"v": "+"}', '[ + ]'),
('interpolation', 'blanks around three braces stay', '[ {{{v}}} ]', '{"v": "+"}', '[ + ]'),
('interpolation', 'blanks around & stay', '[ {{&v}} ]', '{"v": "+"}', '[ + ]'),
('interpolation', 'a value alone on its line keeps the line', E'   {{v}}\n', '{"v": "+"}', E'   +\n'),
('interpolation', 'so in three braces', E'   {{{v}}}\n', '{"v": "+"}', E'   +\n'),
('interpolation', 'so with &', E'   {{&v}}\n', '{"v": "+"}', E'   +\n'),
('interpolation', 'blanks inside do not count', '[{{  v  }}]', '{"v": "+"}', '[+]'),
('interpolation', 'nor in three braces', '[{{{  v  }}}]', '{"v": "+"}', '[+]'),
('interpolation', 'nor with &', '[{{&  v  }}]', '{"v": "+"}', '[+]'),
('sections', 'shown for true', '<{{#on}}shown{{/on}}>', '{"on": true}', '<shown>'),
('sections', 'not for false', '<{{#on}}shown{{/on}}>', '{"on": false}', '<>'),
('sections', 'not for null', '<{{#on}}shown{{/on}}>', '{"on": null}', '<>'),
('sections', 'an object is the context inside', '<{{#who}}{{name}}!{{/who}}>', '{"who": {"name": "Bo"}}', '<Bo!>'),
('sections', 'what is not inside is looked for outside', '{{#s}}{{x}} {{y}} {{z.w}}{{/s}}', '{"x": 1, "y": "no", "s": {"y": 2}, "z": {"w": 3}}', '1 2 3'),
('sections', 'a value can be asked for and shown', '{{#v}}{{.}}, {{v}}{{/v}}', '{"v": "Bo"}', 'Bo, Bo'),
('sections', 'lists in lists reach outwards', '{{#as}}{{#bs}}{{k.l}}{{n}}:{{#cs}}{{k.u}}{{n}}{{m}};{{/cs}}{{/bs}}{{/as}}', '{"as": [{"k": {"l": "p", "u": "P"}, "bs": [{"n": 5, "cs": [{"m": "i"}, {"m": "j"}]}]}]}', 'p5:P5i;P5j;'),
('sections', 'objects in objects', E'{{#p}}\n{{n}}\n{{#q}}\n{{n}}{{m}}{{n}}\n{{#r}}\n{{n}}{{m}}{{o}}{{m}}{{n}}\n{{#o}}\n{{.}}{{o}}\n{{/o}}\n{{/r}}\n{{n}}{{m}}{{n}}\n{{/q}}\n{{n}}\n{{/p}}\n', '{"p": {"n": 1}, "q": {"m": 2}, "r": {"o": 3}}', E'1\n121\n12321\n33\n121\n1\n'),
('sections', 'once for each element', '<{{#l}}{{v}}-{{/l}}>', '{"l": [{"v": 7}, {"v": 8}, {"v": 9}]}', '<7-8-9->'),
('sections', 'not for an empty list', '<{{#l}}x{{/l}}>', '{"l": []}', '<>'),
('sections', 'the same section twice', E'{{#on}}\n- one\n{{/on}}\n- {{v}}\n{{#on}}\n- three\n{{/on}}\n', '{"on": true, "v": "two"}', E'- one\n- two\n- three\n'),
('sections', 'the same section inside itself', '[{{#on}}a{{#on}}b{{/on}}c{{/on}}]', '{"on": true}', '[abc]'),
('sections', 'the same, not shown', '[{{#on}}a{{#on}}b{{/on}}c{{/on}}]', '{"on": false}', '[]'),
('sections', 'not for an unknown name', '[{{#none}}x{{/none}}]', '{}', '[]'),
('sections', 'the dot is each text', '{{#l}}<{{.}}>{{/l}}', '{"l": ["da", "sv", "nb"]}', '<da><sv><nb>'),
('sections', 'the dot is each whole number', '{{#l}}<{{.}}>{{/l}}', '{"l": [10, 20]}', '<10><20>'),
('sections', 'the dot is each decimal', '{{#l}}<{{.}}>{{/l}}', '{"l": [0.5, 1.25]}', '<0.5><1.25>'),
('sections', 'the dot is each list', '{{#l}}<{{#.}}{{.}},{{/.}}>{{/l}}', '{"l": [[1, 2], ["x"]]}', '<1,2,><x,>'),
('sections', 'the dot, escaped', '{{#l}}{{.}} {{/l}}', '{"l": ["<", "&", "\"", ">"]}', '&lt; &amp; &quot; &gt; '),
('sections', 'the dot in three braces', '{{#l}}{{{.}}} {{/l}}', '{"l": ["<", "&"]}', '< & '),
('sections', 'the dot with &', '{{#l}}{{&.}} {{/l}}', '{"l": ["<", "&"]}', '< & '),
('sections', 'the context is a list itself', '{{#.}}<{{v}}>{{/.}}', '[{"v": 1}, {"v": 2}]', '<1><2>'),
('sections', 'dotted, true', '{{#p.q.r}}yes{{/p.q.r}}', '{"p": {"q": {"r": true}}}', 'yes'),
('sections', 'dotted, false', '<{{#p.q.r}}yes{{/p.q.r}}>', '{"p": {"q": {"r": false}}}', '<>'),
('sections', 'dotted, broken', '<{{#p.q.r}}yes{{/p.q.r}}>', '{"p": {}}', '<>'),
('sections', 'blanks around stay', E' [ {{#on}}\t.\t{{/on}} ] \n', '{"on": true}', E' [ \t.\t ] \n'),
('sections', 'blanks inside stay', E' [ {{#on}} {{! not seen }}\n {{/on}} ] \n', '{"on": true}', E' [  \n  ] \n'),
('sections', 'a section within a line keeps its indent', E'  {{#on}}A{{/on}}\n  {{#on}}B{{/on}}\n', '{"on": true}', E'  A\n  B\n'),
('sections', 'tags alone on their lines take them along', E'a\n{{#on}}\nb\n{{/on}}\nc\n', '{"on": true}', E'a\nb\nc\n'),
('sections', 'indented or not', E'a\n   {{#on}}\nb\n\t{{/on}}\nc\n', '{"on": true}', E'a\nb\nc\n'),
('sections', 'a line may end as under Windows', E'a\r\n{{#on}}\r\n{{/on}}\r\nb', '{"on": true}', E'a\r\nb'),
('sections', 'the first line needs none before it', E'   {{#on}}\nx{{/on}}\ny', '{"on": true}', E'x\ny'),
('sections', 'the last line needs no end', E'x{{#on}}\ny\n   {{/on}}', '{"on": true}', E'x\ny\n'),
('sections', 'blanks inside a tag do not count', '[{{#   on }}x{{/  on   }}]', '{"on": true}', '[x]'),
('inverted', 'shown for false', '<{{^on}}shown{{/on}}>', '{"on": false}', '<shown>'),
('inverted', 'not for true', '<{{^on}}shown{{/on}}>', '{"on": true}', '<>'),
('inverted', 'shown for null', '<{{^on}}shown{{/on}}>', '{"on": null}', '<shown>'),
('inverted', 'not for an object', '<{{^who}}{{name}}{{/who}}>', '{"who": {"name": "Bo"}}', '<>'),
('inverted', 'not for a list', '<{{^l}}{{v}}{{/l}}>', '{"l": [{"v": 7}]}', '<>'),
('inverted', 'shown for an empty list', '<{{^l}}nothing is open{{/l}}>', '{"l": []}', '<nothing is open>'),
('inverted', 'the same twice', E'{{^on}}\n- one\n{{/on}}\n- {{v}}\n{{^on}}\n- three\n{{/on}}\n', '{"on": false, "v": "two"}', E'- one\n- two\n- three\n'),
('inverted', 'inside itself', '[{{^on}}a{{^on}}b{{/on}}c{{/on}}]', '{"on": false}', '[abc]'),
('inverted', 'inside itself, not shown', '[{{^on}}a{{^on}}b{{/on}}c{{/on}}]', '{"on": true}', '[]'),
('inverted', 'shown for an unknown name', '[{{^none}}x{{/none}}]', '{}', '[x]'),
('inverted', 'dotted, true', '<{{^p.q.r}}no{{/p.q.r}}>', '{"p": {"q": {"r": true}}}', '<>'),
('inverted', 'dotted, false', '<{{^p.q.r}}no{{/p.q.r}}>', '{"p": {"q": {"r": false}}}', '<no>'),
('inverted', 'dotted, broken', '<{{^p.q.r}}no{{/p.q.r}}>', '{"p": {}}', '<no>'),
('inverted', 'blanks around stay', E' [ {{^on}}\t.\t{{/on}} ] \n', '{"on": false}', E' [ \t.\t ] \n'),
('inverted', 'blanks inside stay', E' [ {{^on}} {{! not seen }}\n {{/on}} ] \n', '{"on": false}', E' [  \n  ] \n'),
('inverted', 'within a line', E'  {{^on}}A{{/on}}\n  {{^on}}B{{/on}}\n', '{"on": false}', E'  A\n  B\n'),
('inverted', 'alone on their lines', E'a\n{{^on}}\nb\n{{/on}}\nc\n', '{"on": false}', E'a\nb\nc\n'),
('inverted', 'indented or not', E'a\n   {{^on}}\nb\n\t{{/on}}\nc\n', '{"on": false}', E'a\nb\nc\n'),
('inverted', 'a line may end as under Windows', E'a\r\n{{^on}}\r\n{{/on}}\r\nb', '{"on": false}', E'a\r\nb'),
('inverted', 'the first line needs none before it', E'   {{^on}}\nx{{/on}}\ny', '{"on": false}', E'x\ny'),
('inverted', 'the last line needs no end', E'x{{^on}}\ny\n   {{/on}}', '{"on": false}', E'x\ny\n'),
('inverted', 'blanks inside a tag do not count', '[{{^   on }}x{{/  on   }}]', '{"on": false}', '[x]'),
('comments', 'within a line', 'pay{{! soon }}ment', '{}', 'payment'),
('comments', 'over lines', E'pay{{!\n  as soon\n  as can be\n}}ment\n', '{}', E'payment\n'),
('comments', 'alone on its line', E'a\n{{! soon }}\nb\n', '{}', E'a\nb\n'),
('comments', 'alone and indented', E'a\n    {{! soon }}\nb\n', '{}', E'a\nb\n'),
('comments', 'a line may end as under Windows', E'a\r\n{{! soon }}\r\nb', '{}', E'a\r\nb'),
('comments', 'the first line needs none before it', E'    {{! soon }}\nb', '{}', 'b'),
('comments', 'the last line needs no end', E'a\n    {{! soon }}', '{}', E'a\n'),
('comments', 'alone over lines', E'a\n{{!\nsoon\n}}\nb\n', '{}', E'a\nb\n'),
('comments', 'alone over lines, indented', E'a\n  {{!\n    soon\n  }}\nb\n', '{}', E'a\nb\n'),
('comments', 'indented within a line', E'    7 {{! soon }}\n', '{}', E'    7 \n'),
('comments', 'blanks around stay', 'a {{! soon }} b', '{}', 'a  b'),
('comments', 'no key is ever taken for one', '<{{! soon }}>', '{"! soon": 1, "!soon": 2, "soon": 3}', '<>'),
('delimiters', 'are changed by a tag of their own', '{{=[[ ]]=}}<[[v]]>', '{"v": "x"}', '<x>'),
('delimiters', 'may be signs that patterns use', '<{{=( )=}}(v)>', '{"v": "x"}', '<x>'),
('delimiters', 'hold on after a section', E'{{#on}}\n {{v}} <v>\n{{/on}}\n{{= < > =}}\n<#on>\n {{v}} <v>\n</on>\n', '{"on": true, "v": "x"}', E' x <v>\n {{v}} x\n'),
('delimiters', 'hold on after an inverted section', E'{{^on}}\n {{v}} <v>\n{{/on}}\n{{= < > =}}\n<^on>\n {{v}} <v>\n</on>\n', '{"on": false, "v": "x"}', E' x <v>\n {{v}} x\n'),
('delimiters', 'blanks around stay', '[ {{=% %=}} ]', '{}', '[  ]'),
('delimiters', 'blanks at the end of a line stay', E' [ {{=% %=}}\n', '{}', E' [ \n'),
('delimiters', 'alone on its line', E'a\n{{=% %=}}\nb\n', '{}', E'a\nb\n'),
('delimiters', 'alone and indented', E'a\n    {{=% %=}}\nb\n', '{}', E'a\nb\n'),
('delimiters', 'a line may end as under Windows', E'a\r\n{{= % % =}}\r\nb', '{}', E'a\r\nb'),
('delimiters', 'the first line needs none before it', E'    {{=% %=}}\nb', '{}', 'b'),
('delimiters', 'the last line needs no end', E'a\n    {{=% %=}}', '{}', E'a\n'),
('delimiters', 'blanks inside do not count', '[{{=  %     %  =}}]', '{}', '[]');
INSERT INTO mustache (module, says, template, context, partials, expected) VALUES
('delimiters', 'those of a text are not those of its partials', E'<{{> p}}>\n{{= % % =}}\n<%> p%>\n', '{"v": "x"}', '{"p": {"text": "({{v}})"}}', E'<(x)>\n<(x)>\n'),
('delimiters', 'those of a partial are not those of its text', E'<{{> p}}>\n<({{v}}) (%v%)>\n', '{"v": "x"}', '{"p": {"text": "({{v}}) {{= % % =}} (%v%)"}}', E'<(x)  (x)>\n<(x) (%v%)>\n'),
('partials', 'a tag becomes the other text', '<{{> p}}>', '{}', '{"p": {"text": "other"}}', '<other>'),
('partials', 'an unknown one is empty', '<{{> p}}>', '{}', '{}', '<>'),
('partials', 'in the context where the tag stands', '<{{#s}}{{> p}}{{/s}}>', '{"s": {"v": "near"}, "v": "far"}', '{"p": {"text": "({{v}})"}}', '<(near)>'),
('partials', 'the data ends a recursion', '{{> n}}', '{"v": 1, "l": [{"v": 2, "l": []}, {"v": 3, "l": [{"v": 4, "l": []}]}]}', '{"n": {"text": "{{v}}[{{#l}}{{> n}}{{/l}}]"}}', '1[2[]3[4[]]]'),
('partials', 'partials in partials', '{{> p}}', '{"v": "x", "w": "y"}', '{"p": {"text": "<{{v}}{{> q}}>"}, "q": {"text": "({{w}})"}}', '<x(y)>'),
('partials', 'blanks around stay', '[ {{> p}} ]', '{}', '{"p": {"text": "\t.\t"}}', E'[ \t.\t ]'),
('partials', 'within a line nothing is indented', E'    {{v}} {{> p}}\n', '{"v": "x"}', '{"p": {"text": "a\nb"}}', E'    x a\nb\n'),
('partials', 'a line may end as under Windows', E'a\r\n{{> p}}\r\nb', '{}', '{"p": {"text": "x"}}', E'a\r\nxb'),
('partials', 'the first line needs none before it', E'    {{> p}}\nx', '{}', '{"p": {"text": "a\nb"}}', E'    a\n    bx'),
('partials', 'the last line needs no end', E'x\n    {{> p}}', '{}', '{"p": {"text": "a\nb"}}', E'x\n    a\n    b'),
('partials', 'its lines are indented, those of its values are not', E'(\n  {{> p}}\n)\n', '{"v": "1\n2"}', '{"p": {"text": "a\n{{{v}}}\nb\n"}}', E'(\n  a\n  1\n2\n  b\n)\n'),
('partials', 'blanks inside do not count', '[{{>    p   }}]', '{}', '{"p": {"text": "x"}}', '[x]');
SELECT module, count(*) AS cases, count(*) FILTER (WHERE dunning._render_loose(template, context, partials) = expected) AS hold FROM mustache GROUP BY module ORDER BY module;
SELECT module, says, template, context, partials, expected, dunning._render_loose(template, context, partials) AS got FROM mustache WHERE dunning._render_loose(template, context, partials) IS DISTINCT FROM expected;

-- a_delimiter_that_is_rubbish_is_refused
SELECT t, pg_temp.t(t, '{"a": 1}')
FROM unnest(ARRAY['{{= =}}', '{{=x=}}', '{{=<% =}}', '{{=<% %> %>=}}', '{{=a b=}}', '{{=å ø=}}', '{{=1 2=}}', '{{=<<<<<<<<< >=}}', '{{== ===}}', '{{=<% %>}}', '{{=<% %>=}}<%a', '{{=| |=}}|a| {{a}}', '{{=<% %>=}}<%={{ }}=%>{{a}}']) t;
-- what_is_put_between_other_delimiters_is_escaped_as_ever
SELECT pg_temp.h('{{=<% %>=}}<a href="<%u%>"><%t%> <%&t%></a>', '{"u": "https://x.example/?a=1&b", "t": "<b>"}'), pg_temp.h('{{=<% %>=}}<a href="<%u%>">', '{"u": "javascript:x"}');

-- a_partial_that_is_missing_is_an_error_and_so_is_one_that_comes_back_to_itself
CREATE FUNCTION pg_temp.p(subject text, body_text text, body_html text, context jsonb, partials jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN (SELECT concat_ws(' / ', r.subject, r.body_text, r.body_html, r.fields) FROM dunning._render(subject, body_text, body_html, context, 'en', partials) r);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM, detail);
END $$;
SELECT pg_temp.p(NULL, E'one\ntwo {{> nobody}}', NULL, '{}', '{}'), pg_temp.p(NULL, '{{> nobody}}', NULL, '{}', '{"nobody": null}');
SELECT pg_temp.p(NULL, '{{> a}}', NULL, '{}', '{"a": {"text": "{{> b}}"}, "b": {"text": "x {{> c}}"}, "c": {"text": "{{> b}}"}}');
SELECT pg_temp.p(NULL, '{{> a}}', NULL, '{}', '{"a": {"text": "{{> a}}"}}');
SELECT pg_temp.p(NULL, 'x', '{{> a}}', '{}', '{"a": {"text": "x", "html": "{{#v}}"}}'), pg_temp.p(NULL, '{{> a}}', NULL, '{}', '{"a": {"text": "fine\nbut {{"}}');
SELECT t, pg_temp.t(t) FROM unnest(ARRAY['{{>}}', '{{> }}', '{{> a b}}', '{{> ../x}}', '{{> .x}}', '{{> ' || repeat('n', 64) || '}}', '{{> a | money}}']) t;
-- a_partial_is_used_in_subject_text_and_html_each_in_its_own_way
SELECT pg_temp.p('Re: {{> sum}}', 'Pay {{> sum}}', '<p>{{> sum}}</p>', '{"amount": 12.5, "currency": "EUR", "creditor_name": "Fish & <Chips>"}',
    '{"sum": {"text": "{{amount | money}}\nto {{creditor_name}}", "html": "<b>{{amount | money}}</b> to {{creditor_name}}"}}');
-- a_partial_without_html_is_its_text_in_html_escaped
SELECT pg_temp.p(NULL, 'x', '<p>{{> line}}</p>', '{"v": "<i>"}', '{"line": {"text": "5 < 7 & {{v}} {{> more}}"}, "more": {"text": "\"m\"", "html": "<br>"}}');
-- a_partial_in_html_stands_between_elements_and_leaves_none_open
SELECT h, pg_temp.p(NULL, 'x', h, '{"v": "x"}', '{"ok": {"text": "x", "html": "<i>{{v}}</i>"}, "open": {"text": "x", "html": "<a href=\"{{v}}"}, "script": {"text": "x", "html": "<script>"}}')
FROM unnest(ARRAY['<p>{{> ok}}</p>', '<a href="{{> ok}}">', '<p {{> ok}}>', '<script>{{> ok}}</script>', '<!-- {{> ok}} -->', '<p>{{> open}}</p>', '<p>{{> script}}</p>']) h;
-- the_fields_of_a_partial_are_named_by_the_path_of_where_it_stands
SELECT pg_temp.p(NULL, '{{#list}}{{> row}}{{/list}}{{> row}}', NULL, '{"v": 1, "list": [{"v": 2}, {"w": 3}]}', '{"row": {"text": "{{v}} "}}');
-- depth_number_and_size_of_partials_are_bounded
SELECT pg_temp.p(NULL, '{{> p1}}', NULL, '{}', (SELECT jsonb_object_agg('p' || i, jsonb_build_object('text', CASE WHEN i < 16 THEN format('{{> p%s}}', i + 1) ELSE 'deep' END)) FROM generate_series(1, 16) i)),
       pg_temp.p(NULL, '{{> p1}}', NULL, '{}', (SELECT jsonb_object_agg('p' || i, jsonb_build_object('text', CASE WHEN i < 17 THEN format('{{> p%s}}', i + 1) ELSE 'deep' END)) FROM generate_series(1, 17) i));
SELECT pg_temp.p(NULL, (SELECT string_agg(format('{{> p%s}}', i), '') FROM generate_series(1, 256) i), NULL, '{}', (SELECT jsonb_object_agg('p' || i, '{"text": "x"}'::jsonb) FROM generate_series(1, 256) i));
SELECT pg_temp.p(NULL, '{{> a}}{{> b}}{{> c}}{{> d}}{{> e}}', NULL, '{}', (SELECT jsonb_object_agg(i, jsonb_build_object('text', repeat('x', 250000))) FROM unnest(ARRAY['a', 'b', 'c', 'd', 'e']) i));
SELECT left(pg_temp.p(NULL, '{{> p1}}', NULL, '{}', (SELECT jsonb_object_agg('p' || i, jsonb_build_object('text', CASE WHEN i < 12 THEN repeat(format('{{> p%s}}', i + 1), 10) ELSE 'laugh' END)) FROM generate_series(1, 12) i)), 80);
CREATE FUNCTION pg_temp.loose(template text, context jsonb, partials jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN dunning._render_loose(template, context, partials);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT pg_temp.loose('{{> a}}', '{}', '{"a": {"text": "{{> a}}"}}'), pg_temp.loose('{{> a}}', '{}', '{"a": {"text": " x\n  {{> a}}\n"}}'), pg_temp.loose('{{> a}}', '{"v": {"v": 1}}', '{"a": {"text": "{{#v}}{{#v}}{{#v}}{{> a}}{{/v}}{{/v}}{{/v}}"}}');
-- partials_that_are_no_object_of_texts_are_as_if_missing
SELECT p, pg_temp.p(NULL, '{{> a}}', NULL, '{}', p) FROM unnest(ARRAY['{"a": 1}', '{"a": {}}', '{"a": {"text": 5}}', '{"a": {"html": "x"}}', '{"b": {"text": "x"}}']::jsonb[]) p;

-- a_number_takes_the_form_that_the_language_gives_it
SELECT l, string_agg(pg_temp.t('{{n}} {{n | plural: one, other}}', jsonb_build_object('n', n), l), ', ' ORDER BY ord)
FROM unnest(ARRAY['en', 'da', 'sv', 'nb', 'nl', 'de']) l, unnest(ARRAY['0', '1', '-1', '2', '1.0', '0.5', '1.5', '2.5', '11', '21', '01', '0.0']) WITH ORDINALITY u(n, ord) GROUP BY l ORDER BY l;

-- random_templates_over_random_contexts_render_or_fail_cleanly
DO $$
DECLARE
    piece text[] := ARRAY['{{', '}}', '{{{', '}}}', '#', '^', '/', '!', '{{#a}}', '{{/a}}', '{{#b}}', '{{/b}}', '{{^c}}', '{{/c}}', '{{a}}', '{{b.c}}', '{{.}}', ' | money',
        ' | date', '{{a | number}}', '{{a | plural: x, y}}', '{{amount | money}}', E'\n', ' ', 'å', '<a href="', '"', '>', '<script>', '</', '<!--', '-->', '=', '''', 'a', 'zz', '|', ':', '{{> p}}', '{{> q}}', '{{> none}}', '{{=<% %>=}}', '<%a%>', '<%={{ }}=%>', '{{=| |=}}', '{{&a}}', '{{{b.c}}}', E'\n  {{> q}}\n'];
    value text[] := ARRAY['null', 'true', 'false', '0', '-1.50', '"x"', '"NaN"', '"2026-01-01"', '[]', '[1, [2], {"a": "x"}]', '{}', '{"c": {"d": 1}, "a": [1]}', '"<&\"''>"', '1e300'];
    made  text;
    given jsonb;
    pieces jsonb := '{"p": {"text": "{{a}} x", "html": "<i>{{b.c}}</i>"}, "q": {"text": "{{#b}}{{> p}}{{/b}}\n{{a}}\n"}}';
    fine  int := 0;
    bad   int := 0;
BEGIN
    PERFORM setseed(0.42);
    FOR i IN 1..10000 LOOP
        SELECT string_agg(piece[1 + floor(random() * cardinality(piece))::int], '') INTO made FROM generate_series(1, 1 + (random() * 12)::int);
        SELECT jsonb_object_agg(k, value[1 + floor(random() * cardinality(value))::int]::jsonb) INTO given FROM unnest(ARRAY['a', 'b', 'c', 'amount', 'currency']) k;
        BEGIN
            PERFORM dunning._render_loose(made, given, jsonb_build_object('p', jsonb_build_object('text', made), 'q', '{"text": "{{#b}}{{.}}{{/b}}\n{{a}}\n"}'::jsonb));
        EXCEPTION WHEN SQLSTATE 'DN003' OR SQLSTATE '22023' OR SQLSTATE '53400' THEN
            NULL;
        END;
        BEGIN
            PERFORM dunning._render(made, made, made, given, 'da', pieces);
            PERFORM dunning._template_fields(made, made, made, given, pieces);
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
-- partials_are_saved_and_follow_language_creditor_and_framing
SELECT * FROM dunning.save_template('sign', 'email', 'en', NULL, E'-- \n{{creditor_name}}', '<hr>{{creditor_name}}', partial => true);
SELECT * FROM dunning.save_template('sign', 'email', 'sv', NULL, E'-- \nHej, {{creditor_name}}', NULL, 'msg-sv', partial => true);
SELECT * FROM dunning.save_template('thanks', 'email', 'en', '{{given_name}}: {{amount | money}}', E'Hi {{given_name}}, {{amount | money}}: {{pay_url}} Already paid? Fine.\n  {{> sign}}\n', '<p>{{given_name}} {{pay_url}}</p>{{> sign}}');
SELECT r.body_text, r.body_html FROM dunning.render('thanks', dunning._sample_context(), 'en', 'email') r;
SELECT * FROM dunning.save_template('thanks', 'email', 'sv', '{{given_name}}: {{amount | money}}', E'Hej {{given_name}}, {{amount | money}}: {{pay_url}} Redan betalat? Bra.\n{{> sign}}\n');
SELECT r.body_text FROM dunning.render('thanks', dunning._sample_context() || '{"creditor": "msg-sv"}', 'sv', 'email') r;
SELECT r.body_text FROM dunning.render('thanks', dunning._sample_context(), 'sv', 'email') r;
-- a_partial_is_no_message
SELECT pg_temp.e($$SELECT dunning._template('sign', 'email', 'en', '*')$$), pg_temp.e($$SELECT dunning.save_template('sign', 'email', 'en', 'x', 'x')$$), pg_temp.e($$SELECT dunning.save_template('thanks', 'email', 'en', NULL, 'x', partial => true)$$), pg_temp.e($$SELECT dunning.save_template('sign', 'email', 'en', 'subject', 'x', partial => true)$$);
-- a_partial_that_would_break_a_text_that_includes_it_is_refused
SELECT dunning.save_template('sign', 'email', 'en', NULL, '{{nobody_knows}}', partial => true);
SELECT dunning.save_template('sign', 'email', 'en', NULL, 'x', '<a href="', partial => true);
SELECT dunning.save_template('sign', 'email', 'en', NULL, 'you pay on the {{payday}}', partial => true);
-- partials_that_go_in_a_circle_are_refused_when_saved_with_the_circle
SELECT version FROM dunning.save_template('name-line', 'email', 'en', NULL, '{{creditor_name}}', partial => true);
SELECT version FROM dunning.save_template('sign', 'email', 'en', NULL, '-- {{> name-line}}', partial => true);
SELECT dunning.save_template('name-line', 'email', 'en', NULL, 'by {{> sign}}', partial => true);
SELECT dunning.save_template('name-line', 'email', 'en', NULL, 'by {{> name-line}}', partial => true);
SELECT dunning.save_template('name-line', 'email', 'en', NULL, 'by {{> nobody}}', partial => true);
SELECT dunning.save_template('thanks', 'email', 'en', 'x', '{{> nobody}}');
-- every_version_is_kept_with_who_when_and_what_and_can_be_said_again
SELECT h.version, h.builtin, h.in_force, h.saved_by = session_user AS mine, h.saved_at <= clock_timestamp() AS past, h.replaced_by = session_user AS by_me, h.changed, h.body_text FROM dunning.template_history('sign', 'email', 'en-GB') h;
SELECT * FROM dunning.restore_template('sign', 'email', 'en', 1);
SELECT h.version, h.in_force, h.changed, h.body_text FROM dunning.template_history('sign', 'email', 'en') h;
SELECT r.body_text FROM dunning.render('thanks', dunning._sample_context(), 'en', 'email') r;
SELECT dunning.restore_template('sign', 'email', 'en', 7);
SELECT dunning.restore_template('sign', 'email', 'en', NULL);
SELECT h.version, h.builtin, h.in_framing, h.in_force, h.changed FROM dunning.template_history('reminder-1', 'sms', 'en', '*', 'neutral') h WHERE h.builtin;
SELECT count(*) FROM dunning.template_history('nothing', 'sms', 'en');
-- a_partial_that_others_include_is_not_taken_away
SELECT dunning.reset_template('sign', 'email', 'en');
SELECT pg_temp.e($$SELECT dunning.reset_template('name-line', 'email', 'en')$$), pg_temp.e($$SELECT dunning.reset_template('sign', 'email', 'sv', 'msg-sv')$$);
-- a_text_that_is_too_personal_needs_a_permission_of_its_own_and_some_fields_get_none
SELECT dunning.save_template('habit', 'sms', 'en', NULL, 'Hi {{given_name}}, you paid late {{n_late}} times. {{creditor_name}} {{pay_url}} Already paid? Fine.', vars => '{n_late}');
SELECT version, warnings FROM dunning.save_template('habit', 'sms', 'en', NULL, 'Hi {{given_name}}, you paid late {{n_late}} times. {{creditor_name}} {{pay_url}} Already paid? Fine.', vars => '{n_late}', personal => true);
SELECT dunning.save_template('habit', 'sms', 'en', NULL, 'Hi {{given_name}}, our {{segment}}.', vars => '{segment}', personal => true);
SELECT dunning.set_sensitivity('days_overdue', 'personal', 'our house style'), dunning.set_sensitivity('segment', 'open');
SELECT pg_temp.e($$SELECT dunning.save_template('habit', 'sms', 'en', NULL, '{{#balances}}{{days_overdue}}{{/balances}}')$$), pg_temp.e($$SELECT dunning.save_template('habit', 'sms', 'en', NULL, '{{segment}}', vars => '{segment}')$$);
SELECT dunning.set_sensitivity('days_overdue', NULL), dunning.set_sensitivity('segment', NULL);
SELECT pg_temp.e($$SELECT dunning.set_sensitivity('segment', 'loud')$$), pg_temp.e($$SELECT dunning.set_sensitivity('a b', 'open')$$), pg_temp.e($$SELECT dunning.set_sensitivity(NULL, NULL)$$);
SELECT s.field, s.level, s.builtin FROM dunning.sensitivity s WHERE NOT s.builtin;
-- lint_looks_through_delimiters_and_partials_and_at_lengths
SELECT unnest(warnings) FROM dunning.save_template('habit', 'sms', 'en', 'Subject', '{{=<% %>=}}Hi <%given_name%>, <%&amount%> <%due_on%> <%creditor_name%> <%pay_url%> Already paid? Fine.');
SELECT unnest(warnings) FROM dunning.save_template('habit-mail', 'email', 'en', '{{given_name}}' || repeat(' and so on', 12), '{{given_name}} {{creditor_name}} {{pay_url}} Already paid? Fine.' || repeat(E'\nand so on', 300), '<p>' || repeat('x', 101000) || '</p>');
-- lint_names_the_languages_of_debtors_that_a_text_is_missing_in
INSERT INTO dunning.debtor (debtor_id, creditor, name, language) VALUES ('msg-l1', 'msg-sv', 'Liisa', 'fi'), ('msg-l2', 'msg-sv', 'Matti', 'fi-FI'), ('msg-l3', 'msg-sv', 'Åsa', 'sv');
SELECT unnest(warnings) FROM dunning.save_template('habit', 'sms', 'en', NULL, 'Hi {{given_name}} {{creditor_name}} {{pay_url}} Already paid? Fine.', creditor => 'msg-sv');
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'msg-l%';
-- a_template_of_ten_megabytes_is_refused_at_once
SELECT dunning.save_template('habit', 'sms', 'en', NULL, repeat('ten mega b', 1024 * 1024));
SELECT dunning.save_template('habit', 'email', 'en', 'x', 'x', repeat('<p>large</p>', 1024 * 1024), partial => true);
DELETE FROM dunning.template WHERE NOT builtin AND template IN ('sign', 'name-line', 'thanks', 'habit', 'habit-mail');
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
