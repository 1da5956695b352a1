-- One debtor's page, and the call that gives either page.

CREATE FUNCTION dunning._report_debtor(debtor_id text, as_of timestamptz, language text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(_report_debtor.debtor_id);
    l jsonb := dunning._labels(language);
    lang text := l ->> 'lang';
    o dunning.overview;
    m record;
    money text := '';
    items text;
    promises text;
    history text;
BEGIN
    SELECT v.* INTO o FROM dunning._overview(ARRAY[id], true) v;
    IF o.debtor_id IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    FOR m IN SELECT * FROM dunning._report_money(as_of, ARRAY[id]) LOOP
        money := money || dunning._report_ageing(m, l);
    END LOOP;
    EXECUTE format('SELECT string_agg(dunning._html_row(ARRAY[coalesce(i.reference, i.invoice_id), to_char(i.due_on, ''YYYY-MM-DD''),
                           greatest(0, $2 - i.due_on)::text, dunning._number(i.amount, $3, 2), dunning._number(i.open, $3, 2) || '' '' || i.currency]), ''''
                           ORDER BY i.due_on, i.invoice_id) FROM (%s) i', dunning._open_items_sql('$1', CASE WHEN as_of IS NOT NULL THEN '$4' END))
        INTO items USING ARRAY[id], coalesce(as_of, dunning._now())::date, lang, as_of;
    SELECT string_agg(dunning._html_row(ARRAY[to_char(p.due_on, 'YYYY-MM-DD'), dunning._number(p.amount, lang, 2) || ' ' || p.currency,
                                              dunning._number(p.paid, lang, 2), p.state]), '' ORDER BY p.promised_at, p.part)
    INTO promises FROM dunning._promise_state(ARRAY[id]) p;
    SELECT string_agg('<tr><th scope="row">' || dunning._html(to_char((h.value ->> 'at')::timestamptz, 'YYYY-MM-DD HH24:MI')) || '</th><td>'
                      || dunning._html(concat_ws(', ', h.value ->> 'what', h.value ->> 'channel', h.value ->> 'detail')) || '</td><td>'
                      || CASE WHEN h.value ? 'text' THEN '<pre>' || dunning._html(h.value ->> 'text') || '</pre>' ELSE '' END || E'</td></tr>\n', '' ORDER BY h.ord)
    INTO history FROM jsonb_array_elements(dunning._conversation_history(id, 30)) WITH ORDINALITY AS h (value, ord);

    RETURN dunning._html_page((l ->> 'debtor') || ' ' || id, lang,
        format('<h1>%s %s</h1><p class="sub">%s, %s %s, %s %s</p>', dunning._html(l ->> 'debtor'), dunning._html(concat_ws(', ', id, o.name)), dunning._html(o.creditor),
               dunning._html(l ->> 'as_of'), to_char(coalesce(as_of, dunning._now()), 'YYYY-MM-DD HH24:MI TZ'), coalesce(o.days_past_due, 0), dunning._html(l ->> 'dpd'))
        || format('<h2>%s</h2>', dunning._html(l ->> 'preferences'))
        || dunning._html_table(ARRAY[l ->> 'what', ' '], concat(
               dunning._html_row(ARRAY[l ->> 'language', o.language]), dunning._html_row(ARRAY[l ->> 'country', o.country]),
               dunning._html_row(ARRAY[l ->> 'preferred', o.preferred_channel]), dunning._html_row(ARRAY[l ->> 'consent', o.consent::text]),
               dunning._html_row(ARRAY[l ->> 'email', o.email]), dunning._html_row(ARRAY[l ->> 'phone', o.phone]),
               dunning._html_row(ARRAY[l ->> 'segment', o.segment]), dunning._html_row(ARRAY[l ->> 'diagnosis', o.diagnosis]),
               dunning._html_row(ARRAY[l ->> 'p30', CASE WHEN o.p_paid_30d IS NOT NULL THEN dunning._number((100 * o.p_paid_30d)::numeric, lang) || ' %' END]),
               dunning._html_row(ARRAY[l ->> 'last_contact', concat_ws(', ', to_char(o.last_contact_at, 'YYYY-MM-DD HH24:MI'), o.last_channel, o.last_template, o.last_state)]),
               dunning._html_row(ARRAY[l ->> 'next_contact', concat_ws(', ', o.next_local_time, o.next_channel, o.next_template, o.next_state, array_to_string(o.blocked_by, ', '))]),
               dunning._html_row(ARRAY[l ->> 'holds', coalesce(nullif(array_to_string(o.holds, ', '), ''), l ->> 'none')])))
        || format('<h2>%s</h2>', dunning._html(l ->> 'balance'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'invoice', l ->> 'due', '>' || (l ->> 'dpd'), '>' || (l ->> 'amount'), '>' || (l ->> 'open')], items), '<p>' || dunning._html(l ->> 'none') || '</p>')
        || money
        || coalesce(format('<h2>%s</h2>', dunning._html(l ->> 'promises'))
                    || dunning._html_table(ARRAY[l ->> 'due', '>' || (l ->> 'amount'), '>' || (l ->> 'received_30'), l ->> 'state'], promises), '')
        || format('<h2>%s</h2>', dunning._html(l ->> 'conversation'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'when', l ->> 'what', l ->> 'text'], history), '<p>' || dunning._html(l ->> 'no_data') || '</p>'));
END
$$;
COMMENT ON FUNCTION dunning._report_debtor(text, timestamptz, text) IS 'The page of one debtor: preferences, balance and its history, days past due, promises, conversation.';
GRANT EXECUTE ON FUNCTION dunning._report_debtor(text, timestamptz, text) TO dunning_operator;

-- With the caller's own rights: the book for every reader, a person's page for those who work with persons.
CREATE FUNCTION dunning.report_html(as_of timestamptz DEFAULT NULL, language text DEFAULT 'en', debtor_id text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF as_of < '0002-01-01 00:00+00' OR as_of > '9998-12-31 00:00+00' THEN
        RAISE EXCEPTION 'a report is of an instant in the years 2 to 9998' USING ERRCODE = '22023', HINT = 'SELECT dunning.report_html();';
    END IF;
    IF report_html.debtor_id IS NULL THEN
        RETURN dunning._report_book(as_of, coalesce(language, 'en'));
    END IF;
    RETURN dunning._report_debtor(report_html.debtor_id, as_of, coalesce(language, 'en'));
END
$$;
COMMENT ON FUNCTION dunning.report_html(timestamptz, text, text) IS
    'A self-contained HTML page (en, de, nl, da) without script, printable on A4: the book for dunning_viewer, one debtor for dunning_operator. psql -XAtc "SELECT dunning.report_html()" > report.html';
GRANT EXECUTE ON FUNCTION dunning.report_html(timestamptz, text, text) TO dunning_viewer;
