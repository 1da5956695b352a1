-- Figures: what contacts cost and brought in, and the state of the machinery for a monitoring system.

-- Attempts that left. One that was refused before anything left costs nothing; a test is no contact.
CREATE FUNCTION dunning._contacts(from_time timestamptz, until_time timestamptz)
    RETURNS TABLE (debtor_id text, message_id uuid, creditor text, channel text, cost numeric, currency text, at timestamptz, state text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT e.debtor_id::text, e.message_id, e.creditor::text, e.channel::text, e.cost, e.cost_currency, e.contact_on,
               (SELECT x.state FROM dunning.message_state x WHERE x.debtor_id = e.debtor_id AND x.message_id = e.message_id)
        FROM dunning.egress e
        WHERE NOT e.test AND e.contact_on >= from_time AND e.contact_on < until_time
          AND NOT EXISTS (SELECT FROM dunning.outcome o
                          WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt
                            AND o.state IN ('queued', 'held', 'failed', 'dead', 'cancelled')
                            AND NOT EXISTS (SELECT FROM dunning.outcome s
                                            WHERE s.debtor_id = e.debtor_id AND s.message_id = e.message_id AND s.attempt = e.attempt
                                              AND s.state IN ('sent', 'delivered', 'unknown')));
END
$$;
COMMENT ON FUNCTION dunning._contacts(timestamptz, timestamptz) IS 'One row an attempt that left in a span of time, tests excluded, with the state of its message now.';

CREATE FUNCTION dunning._report_span(call text, from_date date, until_date date, OUT from_time timestamptz, OUT until_time timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF from_date IS NULL OR until_date IS NULL OR from_date >= until_date OR from_date < '0001-01-02' OR until_date > '9999-12-30' THEN
        RAISE EXCEPTION '% are of a span of days', call USING ERRCODE = '22023',
            DETAIL = format('Not from %s until %s.', coalesce(from_date::text, 'NULL'), coalesce(until_date::text, 'NULL')),
            HINT = format('SELECT * FROM dunning.%I(''2026-10-01'', ''2026-11-01'');', call);
    END IF;
    from_time := from_date::timestamp AT TIME ZONE dunning._ledger_zone();
    until_time := until_date::timestamp AT TIME ZONE dunning._ledger_zone();
END
$$;
COMMENT ON FUNCTION dunning._report_span(text, date, date) IS 'The instants at which a span of days begins and ends, the last day not in it; 22023 unless it is one.';

CREATE FUNCTION dunning.costs(from_date date, until_date date)
    RETURNS TABLE (creditor text, channel text, currency text, messages bigint, parts bigint, debtors bigint, cost numeric, collected_14d numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    span record := dunning._report_span('costs', from_date, until_date);
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH contact AS MATERIALIZED (SELECT c.* FROM dunning._contacts($1, $2) c),
        pay AS (%s),
        -- A payment counts once: for the last contact of the fourteen days before it.
        won AS (
            SELECT c.creditor, c.channel, p.currency, sum(p.amount) AS collected
            FROM pay p
            CROSS JOIN LATERAL (SELECT x.creditor, x.channel FROM contact x
                                WHERE x.debtor_id = p.debtor_id AND x.at < p.paid_at AND x.at >= p.paid_at - interval '14 days'
                                ORDER BY x.at DESC LIMIT 1) c
            WHERE p.paid_at >= $1 AND p.paid_at < $2 + interval '14 days'
            GROUP BY 1, 2, 3),
        spent AS (
            SELECT c.creditor, c.channel, c.currency, count(DISTINCT c.message_id) AS messages,
                   sum(CASE WHEN c.channel = 'sms' AND b.body_text IS NOT NULL
                            THEN (SELECT t.parts FROM dunning._sms(b.body_text) t) ELSE 1 END)::bigint AS parts, count(DISTINCT c.debtor_id) AS debtors, sum(c.cost) AS cost
            FROM contact c
            LEFT JOIN dunning.body b ON b.debtor_id = c.debtor_id AND b.message_id = c.message_id
            GROUP BY 1, 2, 3)
        SELECT creditor::text, channel::text, currency::text, coalesce(s.messages, 0), coalesce(s.parts, 0), coalesce(s.debtors, 0),
               coalesce(s.cost, 0), coalesce(w.collected, 0)
        FROM spent s FULL JOIN won w USING (creditor, channel, currency)
        ORDER BY 1, 2, 3
        $q$, dunning._ledger_sql('payment', 'ARRAY(SELECT DISTINCT c.debtor_id FROM contact c)')) USING span.from_time, span.until_time;
END
$$;
COMMENT ON FUNCTION dunning.costs(date, date) IS
    'One row a creditor, channel and currency: messages, parts, debtors, cost, and what was paid within 14 days of the last contact. From the first day up to but not with the last. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.costs(date, date) TO dunning_viewer;

-- One metric: TYPE, HELP and its samples, as OpenMetrics wants them together.
CREATE FUNCTION dunning._metric(name text, kind text, help text, samples text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT format(E'# TYPE dunning_%s %s\n# HELP dunning_%s %s\n%s', name, kind, name, help,
                  coalesce((SELECT string_agg('dunning_' || name || CASE kind WHEN 'counter' THEN '_total' ELSE '' END || s || E'\n', '' ORDER BY s)
                            FROM unnest(samples) s), ''))
$$;
COMMENT ON FUNCTION dunning._metric(text, text, text, text[]) IS 'A metric family in OpenMetrics text.';

CREATE FUNCTION dunning._metric_label(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT '"' || replace(replace(replace(coalesce(value, ''), '\', '\\'), '"', '\"'), E'\n', '\n') || '"' $$;
COMMENT ON FUNCTION dunning._metric_label(text) IS 'A label value of OpenMetrics, quoted.';

CREATE FUNCTION dunning.metrics() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    -- Counters are of the partitions that are kept: a dropped month lowers them, which a scraper takes for a restart.
    result text := '';
BEGIN
    result := result || dunning._metric('queue_messages', 'gauge', 'Unfinished messages by state and channel.',
        ARRAY(SELECT format('{state=%s,channel=%s} %s', dunning._metric_label(q.state), dunning._metric_label(q.channel), count(*))
              FROM dunning.queue q GROUP BY q.state, q.channel));
    result := result || dunning._metric('held_messages', 'gauge', 'Held messages by what blocks them.',
        ARRAY(SELECT format('{blocked_by=%s} %s', dunning._metric_label(b.b), count(*))
              FROM dunning.queue q CROSS JOIN LATERAL unnest(q.blocked_by) AS b (b) WHERE q.state = 'held' GROUP BY b.b));
    result := result || dunning._metric('backlog_age_seconds', 'gauge', 'How long the oldest due message has waited.',
        ARRAY[(SELECT ' ' || greatest(0, round(extract(epoch FROM coalesce(dunning._now() - min(q.due), '0')))) FROM dunning.queue q WHERE q.state = 'queued')]);
    result := result || dunning._metric('attempts', 'counter', 'Attempts to send by channel and server, tests apart.',
        ARRAY(SELECT format('{channel=%s,server=%s,test=%s} %s', dunning._metric_label(e.channel), dunning._metric_label(e.server),
                            dunning._metric_label(e.test::text), count(*))
              FROM dunning.egress e GROUP BY e.channel, e.server, e.test));
    result := result || dunning._metric('outcomes', 'counter', 'Outcomes by state.',
        ARRAY(SELECT format('{state=%s} %s', dunning._metric_label(o.state), count(*)) FROM dunning.outcome o GROUP BY o.state));
    result := result || dunning._metric('events', 'counter', 'Events by kind.',
        ARRAY(SELECT format('{kind=%s} %s', dunning._metric_label(e.kind), count(*)) FROM dunning.event e GROUP BY e.kind));
    result := result || dunning._metric('open_tasks', 'gauge', 'Tasks that wait for a person.',
        ARRAY[(SELECT ' ' || count(*) FROM dunning.task t WHERE t.completed_at IS NULL)]);
    result := result || dunning._metric('active_holds', 'gauge', 'Holds in force by reason.',
        ARRAY(SELECT format('{reason=%s} %s', dunning._metric_label(h.reason), count(*)) FROM dunning.hold h
              WHERE h.released_at IS NULL AND h.from_at <= dunning._now() AND coalesce(h.until_at > dunning._now(), true) GROUP BY h.reason));
    result := result || dunning._metric('ledger_ok', 'gauge', '1 while the ledger is whole and fresh.',
        ARRAY[' ' || CASE WHEN dunning._ledger_problem() IS NULL THEN 1 ELSE 0 END]);
    result := result || dunning._metric('paused_servers', 'gauge', 'Servers that are paused.',
        ARRAY[(SELECT ' ' || count(*) FROM dunning._servers() s WHERE s.paused)]);
    RETURN result || E'# EOF\n';
END
$$;
COMMENT ON FUNCTION dunning.metrics() IS 'The state of queue, delivery, events and ledger as OpenMetrics text, without any name or id of a person. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.metrics() TO dunning_viewer;
