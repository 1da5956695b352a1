-- The book's page: what is owed, whom we reached, what is held, what comes next. No person is named on it.

-- Money a currency: open and overdue by age, received, promises, and the balance of thirteen weeks walked back from today.
CREATE FUNCTION dunning._report_money(as_of timestamptz, many text[] DEFAULT NULL)
    RETURNS TABLE (currency text, overdue numeric, buckets numeric[], counts bigint[], debtors bigint, received_7 numeric, received_7_before numeric,
                   received_30 numeric, received_30_before numeric, kept bigint, promised bigint, history_days date[], history numeric[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    past text := CASE WHEN as_of IS NOT NULL THEN '$1' END;
    scope text := CASE WHEN many IS NOT NULL THEN '$3' END;
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH item AS (
            SELECT i.currency, i.debtor_id, i.open, CASE WHEN $2 <= i.due_on THEN 1 WHEN $2 - i.due_on <= 30 THEN 2 WHEN $2 - i.due_on <= 60 THEN 3
                                                        WHEN $2 - i.due_on <= 90 THEN 4 ELSE 5 END AS bucket
            FROM (%s) i),
        aged AS (
            SELECT i.currency, i.bucket, sum(i.open) AS open, count(*) AS n FROM item i GROUP BY 1, 2),
        now_open AS (
            SELECT i.currency, sum(i.open) AS open, coalesce(sum(i.open) FILTER (WHERE i.bucket > 1), 0) AS overdue,
                   count(DISTINCT i.debtor_id) FILTER (WHERE i.bucket > 1) AS debtors
            FROM item i GROUP BY 1),
        pay AS MATERIALIZED (
            SELECT p.currency, p.paid_at, p.amount FROM (%s) p WHERE p.paid_at <= $1 AND p.paid_at > $1 - interval '92 days'),
        -- Walking back from today, a bill is not yet there and a payment not yet made.
        change AS MATERIALIZED (
            SELECT x.currency, x.day, sum(x.amount) AS amount
            FROM (SELECT p.currency, p.paid_at::date AS day, p.amount FROM pay p
                  UNION ALL
                  SELECT b.currency, b.issued_on, -b.amount FROM (%s) b WHERE b.issued_on > $2 - 92 AND b.issued_on <= $2 AND b.cancelled_at IS NULL) x
            GROUP BY 1, 2),
        received AS (
            SELECT p.currency, coalesce(sum(p.amount) FILTER (WHERE p.paid_at > $1 - interval '7 days'), 0) AS d7,
                   coalesce(sum(p.amount) FILTER (WHERE p.paid_at <= $1 - interval '7 days' AND p.paid_at > $1 - interval '14 days'), 0) AS d7_before,
                   coalesce(sum(p.amount) FILTER (WHERE p.paid_at > $1 - interval '30 days'), 0) AS d30,
                   coalesce(sum(p.amount) FILTER (WHERE p.paid_at <= $1 - interval '30 days' AND p.paid_at > $1 - interval '60 days'), 0) AS d30_before
            FROM pay p GROUP BY 1),
        promise AS (
            SELECT s.currency, count(*) FILTER (WHERE s.state = 'kept') AS kept, count(*) AS due
            FROM dunning._promise_state($3) s
            WHERE s.state IN ('kept', 'late', 'broken') AND s.promised_at > $1 - interval '90 days' GROUP BY 1)
        SELECT c.currency, coalesce(o.overdue, 0),
               (SELECT array_agg(coalesce(a.open, 0) ORDER BY b) FROM generate_series(1, 5) b LEFT JOIN aged a ON a.bucket = b AND a.currency = c.currency),
               (SELECT array_agg(coalesce(a.n, 0) ORDER BY b) FROM generate_series(1, 5) b LEFT JOIN aged a ON a.bucket = b AND a.currency = c.currency),
               coalesce(o.debtors, 0), coalesce(r.d7, 0), coalesce(r.d7_before, 0), coalesce(r.d30, 0), coalesce(r.d30_before, 0),
               coalesce(m.kept, 0), coalesce(m.due, 0), h.days, h.history
        FROM (SELECT n.currency FROM now_open n UNION SELECT r.currency FROM received r) c
        LEFT JOIN now_open o ON o.currency = c.currency
        LEFT JOIN received r ON r.currency = c.currency
        LEFT JOIN promise m ON m.currency = c.currency
        CROSS JOIN LATERAL (
            SELECT array_agg(d.day ORDER BY d.day) AS days,
                   array_agg(coalesce(o.open, 0) + coalesce((SELECT sum(g.amount) FROM change g WHERE g.currency = c.currency AND g.day > d.day), 0)
                             ORDER BY d.day) AS history
            FROM (SELECT $2 - 7 * w AS day FROM generate_series(0, 12) w) d) h
        ORDER BY coalesce(o.overdue, 0) DESC, c.currency
        $q$, dunning._open_items_sql(scope, past), dunning._ledger_sql('payment', scope, past), dunning._ledger_sql('invoice', scope, past))
        USING at, at::date, many;
END
$$;
COMMENT ON FUNCTION dunning._report_money(timestamptz, text[]) IS 'One row a currency with the money figures of the report, of the debtors of a list or of all.';

CREATE FUNCTION dunning._report_reach(as_of timestamptz)
    RETURNS TABLE (segment text, channel text, contacted bigint, reached bigint, paid bigint, cost jsonb, stopped bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH contact AS MATERIALIZED (SELECT c.* FROM dunning._contacts($1 - interval '90 days', $1) c),
        paid AS (
            SELECT DISTINCT c.message_id FROM contact c
            JOIN (%s) p ON p.debtor_id = c.debtor_id AND p.amount > 0 AND p.paid_at > c.at AND p.paid_at <= c.at + interval '14 days'),
        back AS (
            SELECT e.message_id, bool_or(e.kind IN ('delivered', 'opened', 'clicked', 'replied', 'conversation')) AS reached,
                   bool_or(e.kind IN ('opted_out', 'complaint')) AS stopped
            FROM dunning.event e WHERE e.message_id IS NOT NULL AND e.at > $1 - interval '90 days' GROUP BY 1),
        each AS (
            SELECT c.channel, c.debtor_id, c.cost, c.currency, c.state = 'delivered' OR coalesce(b.reached, false) AS reached,
                   coalesce(b.stopped, false) AS stopped, p.message_id IS NOT NULL AS paid
            FROM contact c
            LEFT JOIN back b ON b.message_id = c.message_id
            LEFT JOIN paid p ON p.message_id = c.message_id)
        SELECT coalesce(s.segment, '–'), e.channel, count(DISTINCT e.debtor_id), count(DISTINCT e.debtor_id) FILTER (WHERE e.reached),
               count(DISTINCT e.debtor_id) FILTER (WHERE e.paid),
               (SELECT jsonb_object_agg(x.cur, x.total)
                FROM (SELECT k.key AS cur, sum(k.value::numeric) AS total FROM unnest(array_agg(jsonb_build_object(e.currency, e.cost))) j
                      CROSS JOIN LATERAL jsonb_each_text(j) k GROUP BY 1) x),
               count(DISTINCT e.debtor_id) FILTER (WHERE e.stopped)
        FROM each e LEFT JOIN dunning.debtor_score s ON s.debtor_id = e.debtor_id
        GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
        $q$, dunning._ledger_sql('payment', 'ARRAY(SELECT DISTINCT c.debtor_id FROM contact c)')) USING at;
END
$$;
COMMENT ON FUNCTION dunning._report_reach(timestamptz) IS 'One row a segment and channel over 90 days: debtors contacted, reached, paid within 14 days, cost, opt-outs.';

-- Payments that carry only a day say nothing about an hour and are left out.
CREATE FUNCTION dunning._report_hours(as_of timestamptz) RETURNS TABLE (weekday int, hour int, n bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH happened AS MATERIALIZED (
            SELECT e.debtor_id, e.at FROM dunning.event e
            WHERE e.kind IN ('opened', 'clicked', 'replied', 'called_in', 'conversation') AND e.at > $1 - interval '180 days' AND e.at <= $1
            UNION ALL
            SELECT p.debtor_id, p.paid_at FROM (%s) p
            WHERE p.paid_at > $1 - interval '180 days' AND p.paid_at <= $1 AND p.amount > 0 AND p.paid_at <> date_trunc('day', p.paid_at)),
        home AS MATERIALIZED (
            SELECT d.debtor_id, coalesce(d.time_zone, '') AS tz, coalesce(d.country, '') AS country, coalesce(d.region, '') AS region FROM (%s) d),
        zone AS MATERIALIZED (
            SELECT h.tz, h.country, h.region, coalesce((dunning._zone(nullif(h.tz, ''), nullif(h.country, ''), nullif(h.region, '')))[1], 'UTC') AS name
            FROM (SELECT DISTINCT h.tz, h.country, h.region FROM home h) h)
        SELECT extract(isodow FROM x.here)::int, extract(hour FROM x.here)::int, count(*)
        FROM happened e
        JOIN home h ON h.debtor_id = e.debtor_id
        JOIN zone z ON z.tz = h.tz AND z.country = h.country AND z.region = h.region
        CROSS JOIN LATERAL (SELECT e.at AT TIME ZONE z.name AS here) x
        GROUP BY 1, 2
        $q$, dunning._ledger_sql('payment'), dunning._ledger_sql('debtor')) USING at;
END
$$;
COMMENT ON FUNCTION dunning._report_hours(timestamptz) IS 'Responses and payments of 180 days by local ISO weekday and hour.';

-- What a manager must know before the figures: (severity, label, value).
CREATE FUNCTION dunning._report_warnings(as_of timestamptz) RETURNS TABLE (severity text, label text, value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    moment timestamptz := coalesce(as_of, dunning._now());
    problem text := dunning._ledger_problem();
    delivery text := dunning._own_setting('delivery');
BEGIN
    RETURN QUERY SELECT 'bad', 'w_ledger', problem WHERE problem IS NOT NULL;
    RETURN QUERY SELECT 'warn', 'w_delivery', delivery WHERE delivery <> 'on';
    RETURN QUERY
        SELECT 'bad', 'w_zero', q.n::text FROM (SELECT count(*) AS n FROM dunning.queue q WHERE q.due < moment - interval '1 hour' AND q.state = 'queued') q
        WHERE q.n > 0 AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.contact_on > moment - interval '7 days' AND e.contact_on <= moment AND NOT e.test);
    RETURN QUERY
        SELECT 'bad', 'w_dead', count(*)::text FROM dunning.outcome o
        WHERE o.state = 'dead' AND o.at > moment - interval '7 days' AND o.at <= moment HAVING count(*) > 0;
    RETURN QUERY
        SELECT 'warn', 'w_unknown', count(*)::text FROM dunning.message_state s
        WHERE s.state = 'unknown' HAVING count(*) > 0;
    RETURN QUERY SELECT 'warn', 'w_paused', s.server FROM dunning._servers() s WHERE s.paused;
    RETURN QUERY
        SELECT 'bad', 'w_down', e.server FROM dunning.egress e
        JOIN dunning.outcome o ON o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt
        WHERE e.contact_on > moment - interval '24 hours' AND e.contact_on <= moment
        GROUP BY e.server HAVING count(*) >= 5 AND count(*) FILTER (WHERE o.state IN ('queued', 'failed', 'dead', 'unknown')) > count(*) / 2;
    RETURN QUERY SELECT 'warn', 'w_tasks', count(*)::text FROM dunning.task t
                 WHERE t.completed_at IS NULL AND t.due_at < moment - interval '1 day' HAVING count(*) > 0;
    RETURN QUERY SELECT 'warn', 'w_drift', d.model || ': ' || d.detail FROM dunning._drift_summary(as_of) d WHERE d.state = 'alarm';
    RETURN QUERY SELECT 'warn', 'w_scores', '' WHERE NOT EXISTS (SELECT FROM dunning.debtor_score);
END
$$;
COMMENT ON FUNCTION dunning._report_warnings(timestamptz) IS 'What the report warns of: severity, label, value.';

CREATE FUNCTION dunning._report_kpis(m record, l jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lang text := l ->> 'lang';
    arrow text;
    result text;
BEGIN
    result := format('<h3>%s</h3><div class="kpis"><div class="kpi"><span>%s</span><b>%s</b><i>%s %s</i></div>', dunning._html(m.currency),
                     dunning._html(l ->> 'overdue'), dunning._number(m.overdue, lang), dunning._number(m.debtors, lang), dunning._html(l ->> 'debtors'));
    arrow := CASE WHEN m.received_7 > m.received_7_before THEN '▲' WHEN m.received_7 < m.received_7_before THEN '▼' ELSE '=' END;
    result := result || format('<div class="kpi"><span>%s</span><b>%s</b><i>%s %s %s</i></div>', dunning._html(l ->> 'received_7'),
                               dunning._number(m.received_7, lang), arrow, dunning._html(l ->> 'before'), dunning._number(m.received_7_before, lang));
    arrow := CASE WHEN m.received_30 > m.received_30_before THEN '▲' WHEN m.received_30 < m.received_30_before THEN '▼' ELSE '=' END;
    result := result || format('<div class="kpi"><span>%s</span><b>%s</b><i>%s %s %s</i></div>', dunning._html(l ->> 'received_30'),
                               dunning._number(m.received_30, lang), arrow, dunning._html(l ->> 'before'), dunning._number(m.received_30_before, lang));
    RETURN result || format('<div class="kpi"><span>%s</span><b>%s</b><i>%s</i></div></div>', dunning._html(l ->> 'kept'),
                            CASE WHEN m.promised > 0 THEN dunning._number(100.0 * m.kept / m.promised, lang) || ' %' ELSE '–' END,
                            CASE WHEN m.promised > 0 THEN format('%s %s %s', m.kept, dunning._html(l ->> 'of'), m.promised) ELSE dunning._html(l ->> 'none') END);
END
$$;
COMMENT ON FUNCTION dunning._report_kpis(record, jsonb) IS 'The key figures of one currency as HTML.';

CREATE FUNCTION dunning._report_ageing(m record, l jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lang text := l ->> 'lang';
    names text[] := ARRAY[l ->> 'not_due', '1–30', '31–60', '61–90', (l ->> 'over') || ' 90'];
    days text[];
BEGIN
    SELECT array_agg(to_char(d.day, 'DD.MM.') ORDER BY d.day) INTO days FROM unnest(m.history_days) AS d (day);
    RETURN format('<h3>%s</h3><div class="cols"><div>', dunning._html(m.currency))
        || dunning._svg_bars((l ->> 'ageing') || ', ' || m.currency, names, m.buckets,
                             ARRAY(SELECT dunning._number(b.b, lang) FROM unnest(m.buckets) WITH ORDINALITY AS b (b, ord) ORDER BY b.ord))
        || dunning._html_table(ARRAY[l ->> 'bucket', '>' || (l ->> 'amount'), '>' || (l ->> 'invoices')],
               (SELECT string_agg(dunning._html_row(ARRAY[names[i], dunning._number(m.buckets[i], lang, 2), dunning._number(m.counts[i], lang)]), '' ORDER BY i)
                FROM generate_series(1, 5) i))
        || '</div><div>'
        || dunning._svg_line((l ->> 'history') || ', ' || m.currency, days, m.history,
                             ARRAY(SELECT dunning._number(b.b, lang) FROM unnest(m.history) WITH ORDINALITY AS b (b, ord) ORDER BY b.ord))
        || dunning._html_table(ARRAY[l ->> 'week', '>' || (l ->> 'balance')],
               (SELECT string_agg(dunning._html_row(ARRAY[to_char(m.history_days[i], 'YYYY-MM-DD'), dunning._number(m.history[i], lang)]), '' ORDER BY i DESC)
                FROM generate_subscripts(m.history, 1) i WHERE i % 4 = 1), l ->> 'history')
        || '</div></div>';
END
$$;
COMMENT ON FUNCTION dunning._report_ageing(record, jsonb) IS 'Ageing and balance history of one currency as HTML.';

CREATE FUNCTION dunning._report_heat(as_of timestamptz, l jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    days text[] := string_to_array(l ->> 'days', ',');
    result text;
BEGIN
    WITH cell AS MATERIALIZED (SELECT h.weekday, h.hour, h.n FROM dunning._report_hours(as_of) h),
    top AS (SELECT max(c.n) AS n FROM cell c)
    SELECT '<table class="heat"><thead><tr><th scope="col">' || dunning._html(l ->> 'hour') || '</th>'
           || (SELECT string_agg('<th scope="col">' || h || '</th>', '' ORDER BY h) FROM generate_series(0, 23) h) || '</tr></thead><tbody>'
           || string_agg('<tr><th scope="row">' || dunning._html(days[d.day]) || '</th>' || d.cells || '</tr>', E'\n' ORDER BY d.day) || '</tbody></table>'
    INTO result
    FROM (SELECT w.day, string_agg(format('<td class="h%s">%s</td>', CASE WHEN c.n IS NULL THEN 0 ELSE 1 + least(3, (4 * c.n - 1) / t.n) END, c.n), '' ORDER BY h.hour) AS cells
          FROM generate_series(1, 7) AS w (day) CROSS JOIN generate_series(0, 23) AS h (hour) CROSS JOIN top t
          LEFT JOIN cell c ON c.weekday = w.day AND c.hour = h.hour
          GROUP BY w.day) d
    WHERE EXISTS (SELECT FROM cell);
    RETURN coalesce(result, '<p>' || dunning._html(l ->> 'no_data') || '</p>');
END
$$;
COMMENT ON FUNCTION dunning._report_heat(timestamptz, jsonb) IS 'The hours of the week in which debtors respond and pay, as an HTML table with the count in each cell.';

CREATE FUNCTION dunning._report_queue(as_of timestamptz, l jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    lang text := l ->> 'lang';
    nothing text := '<p>' || dunning._html(l ->> 'no_data') || '</p>';
    held text;
    held_debtors text;
    next_days text;
BEGIN
    SELECT string_agg(dunning._html_row(ARRAY[x.why, dunning._number(x.n, lang)]), '' ORDER BY x.n DESC, x.why) INTO held
    FROM (SELECT b.why, count(*) AS n FROM dunning.queue q CROSS JOIN LATERAL unnest(coalesce(q.blocked_by, ARRAY[q.reason])) AS b (why)
          WHERE q.state = 'held' GROUP BY 1) x;
    SELECT string_agg(dunning._html_row(ARRAY[x.reason, dunning._number(x.n, lang)]), '' ORDER BY x.n DESC, x.reason) INTO held_debtors
    FROM (SELECT h.reason, count(DISTINCT h.debtor_id) AS n FROM dunning.hold h
          WHERE h.from_at <= at AND coalesce(h.released_at > at, true) AND coalesce(h.until_at > at, true) GROUP BY 1) x;
    SELECT string_agg(dunning._html_row(ARRAY[to_char(x.day, 'YYYY-MM-DD'), x.channel, dunning._number(x.n, lang)]), '' ORDER BY x.day, x.channel) INTO next_days
    FROM (SELECT greatest(q.due, at)::date AS day, q.channel, count(*) AS n FROM dunning.queue q
          WHERE q.state IN ('queued', 'proposed') AND q.due < at + interval '7 days' GROUP BY 1, 2) x;
    RETURN format('<h2>%s</h2><div class="cols"><div>', dunning._html(l ->> 'held'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'reason', '>' || (l ->> 'messages')], held), nothing) || '</div><div>'
        || coalesce(dunning._html_table(ARRAY[l ->> 'holds', '>' || (l ->> 'debtors')], held_debtors), nothing) || '</div></div>'
        || format('<h2>%s</h2>', dunning._html(l ->> 'next'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'day', l ->> 'channel', '>' || (l ->> 'messages')], next_days), nothing);
END
$$;
COMMENT ON FUNCTION dunning._report_queue(timestamptz, jsonb) IS 'What is held and why, and what is planned for the next days, as HTML.';

CREATE FUNCTION dunning._report_book(as_of timestamptz, language text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    l jsonb := dunning._labels(language);
    at timestamptz := coalesce(as_of, dunning._now());
    m record;
    kpis text := '';
    ageing text := '';
    warnings text;
    reach text;
    head text;
BEGIN
    SELECT string_agg(format('<li class="%s">%s %s</li>', w.severity, CASE w.severity WHEN 'bad' THEN '✖' ELSE '⚠' END,
                             dunning._html(replace(l ->> w.label, '{}', coalesce(w.value, '')))), E'\n' ORDER BY w.severity, w.label)
    INTO warnings FROM dunning._report_warnings(as_of) w;
    head := format('<h1>%s</h1><p class="sub">%s, %s %s</p>', dunning._html(l ->> 'title'), dunning._html(current_database()), dunning._html(l ->> 'as_of'),
                   to_char(at, 'YYYY-MM-DD HH24:MI TZ'))
        || format('<h2>%s</h2><ul class="warn">%s</ul>', dunning._html(l ->> 'warnings'),
                  coalesce(warnings, '<li class="ok">✔ ' || dunning._html(l ->> 'all_well') || '</li>'));
    -- Without a ledger there are no figures; what waits is still worth a page.
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._html_page(l ->> 'title', l ->> 'lang', head || dunning._report_queue(as_of, l));
    END IF;
    FOR m IN SELECT * FROM dunning._report_money(as_of) LOOP
        kpis := kpis || dunning._report_kpis(m, l);
        ageing := ageing || dunning._report_ageing(m, l);
    END LOOP;
    SELECT string_agg(dunning._html_row(ARRAY[r.segment, r.channel, dunning._number(r.contacted, l ->> 'lang'),
                                              dunning._number(r.reached, l ->> 'lang'),
                                              dunning._number(r.paid, l ->> 'lang') || format(' (%s %%)', round(100.0 * r.paid / r.contacted)),
                                              (SELECT string_agg(dunning._number(c.value::numeric, l ->> 'lang', 2) || ' ' || c.key, ' + ' ORDER BY c.key)
                                               FROM jsonb_each_text(r.cost) c), dunning._number(r.stopped, l ->> 'lang')],
                                        CASE WHEN r.contacted < 30 THEN 'few' END), '' ORDER BY r.segment, r.contacted DESC, r.channel)
    INTO reach FROM dunning._report_reach(as_of) r;
    RETURN dunning._html_page(l ->> 'title', l ->> 'lang',
        head
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'figures'), coalesce(nullif(kpis, ''), '<p>' || dunning._html(l ->> 'no_data') || '</p>'))
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'ageing'), coalesce(nullif(ageing, ''), '<p>' || dunning._html(l ->> 'no_data') || '</p>'))
        || format('<h2>%s</h2>', dunning._html(l ->> 'reach'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'segment', l ->> 'channel', '>' || (l ->> 'contacted'), '>' || (l ->> 'reached'), '>' || (l ->> 'paid_14'), '>' || (l ->> 'cost'), '>' || (l ->> 'stopped')], reach)
                    || '<p class="sub">' || dunning._html(l ->> 'few') || '</p>', '<p>' || dunning._html(l ->> 'no_data') || '</p>')
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'hours'), dunning._report_heat(as_of, l))
        || dunning._report_cases_html(as_of, l)
        || dunning._report_queue(as_of, l));
END
$$;
COMMENT ON FUNCTION dunning._report_book(timestamptz, text) IS 'The page of the whole book; names nobody.';
GRANT EXECUTE ON FUNCTION dunning._report_book(timestamptz, text) TO dunning_viewer;
