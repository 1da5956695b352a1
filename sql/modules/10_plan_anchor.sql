-- plan: the dates that steps count from, other than the due date, and what a debtor has had and answered.

-- The likeliest payday schedule from dates of payments, its last day on or before today and its first one after.
CREATE FUNCTION dunning._payday_around(country text, payments date[], today date, OUT schedule text, OUT probability float8, OUT last_on date, OUT next_on date)
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_plan_sql_payday_around';
COMMENT ON FUNCTION dunning._payday_around(text, date[], date) IS
    'The likeliest payday schedule by _payday() with its probability, its last day up to today and its first after it; all NULL where no schedule is likelier than none.';

-- A date that an event names, else its own day.
CREATE FUNCTION dunning._event_day(detail jsonb, at timestamptz) RETURNS date
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $fn$
#variable_conflict error
BEGIN
    IF coalesce((detail->>'cancelled')::boolean, false) THEN
        RETURN NULL;
    END IF;
    RETURN coalesce((detail->>'on')::date, (at AT TIME ZONE dunning._ledger_zone())::date);
EXCEPTION WHEN data_exception THEN
    RETURN (at AT TIME ZONE dunning._ledger_zone())::date;
END
$fn$;
COMMENT ON FUNCTION dunning._event_day(jsonb, timestamptz) IS 'The day that an event''s detail names as "on", else the day it happened; NULL where detail says it is cancelled.';

CREATE TYPE dunning._anchor_date AS (debtor_id text, anchor text, currency text, last_on date, next_on date);
COMMENT ON TYPE dunning._anchor_date IS 'A date of a debtor that steps count from.';

CREATE FUNCTION dunning._anchor_dates(debtor_ids text[], anchors text[], as_of timestamptz)
    RETURNS TABLE (debtor_id text, anchor text, currency text, last_on date, next_on date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    kinds text[] := ARRAY(SELECT substr(a.a, 7) FROM unnest(anchors) a(a) WHERE a.a LIKE 'event:%')
        || CASE WHEN 'hearing' = ANY (anchors) THEN ARRAY['hearing'] ELSE '{}' END;
BEGIN
    IF 'broken_promise' = ANY (anchors) THEN
        RETURN QUERY
            SELECT b.debtor_id, 'broken_promise', b.currency, b.on_date, b.on_date
            FROM (SELECT s.debtor_id, s.currency, max((s.deadline AT TIME ZONE dunning._ledger_zone())::date) AS on_date
                  FROM dunning._promise_state(debtor_ids) s WHERE s.state = 'broken' AND s.deadline <= as_of GROUP BY 1, 2) b;
    END IF;
    -- A fee that may be charged today cannot be warned of any more. Where nobody charges fees none is asked for: that is dear.
    IF 'next_fee' = ANY (anchors) AND EXISTS (SELECT FROM dunning.charging g WHERE g.fees) THEN
        RETURN QUERY EXECUTE 'SELECT f.debtor_id, ''next_fee'', f.currency, min(f.lawful_from), min(f.lawful_from)
            FROM dunning._pending_fees($1, $2) f WHERE f.lawful_from > $3 GROUP BY 1, 3' USING debtor_ids, as_of, today;
    END IF;
    IF 'payday' = ANY (anchors) THEN
        RETURN QUERY EXECUTE pg_catalog.format('SELECT d.debtor_id::text, ''payday'', NULL::text, y.last_on, y.next_on
            FROM (%s) d JOIN dunning.timing_profile p ON p.debtor_id = d.debtor_id
            CROSS JOIN LATERAL dunning._payday_around(d.country, p.payments, $2) y
            WHERE y.probability >= 0.3', dunning._ledger_sql('debtor', '$1')) USING debtor_ids, today;
    END IF;
    IF cardinality(kinds) > 0 THEN
        RETURN QUERY
            SELECT x.debtor_id, CASE x.kind WHEN 'hearing' THEN 'hearing' ELSE 'event:' || x.kind END, NULL::text, x.on_date, x.on_date
            FROM (SELECT DISTINCT ON (e.debtor_id, e.kind) e.debtor_id, e.kind, dunning._event_day(e.detail, e.at) AS on_date
                  FROM dunning.event e
                  WHERE e.debtor_id = ANY (debtor_ids) AND e.kind = ANY (kinds) AND e.at <= as_of
                  ORDER BY e.debtor_id, e.kind, e.at DESC, e.recorded_at DESC) x
            WHERE x.on_date IS NOT NULL;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._anchor_dates(text[], text[], timestamptz) IS
    'Dates that steps count from: one row a debtor and anchor (and currency, where it is one of a currency): the last such day and the next one, the same where there is but one.';

-- A warning that is wanted on a Sunday goes on the Saturday where nothing may go on Sundays: whoever waits for its day never sends it. Only what the clock and the caps
-- close counts: where a hold, a missing address or consent is in the way, going earlier helps nobody. A payday comes again next month, so nothing is early for one.
CREATE FUNCTION dunning._early_steps(dates dunning._anchor_date[], as_of timestamptz) RETURNS TABLE (debtor_id text, anchor text, next_on date, steps text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    debtors text[];
    channels text[];
BEGIN
    SELECT array_agg(u.debtor_id), array_agg(u.channel) INTO debtors, channels
    FROM (SELECT DISTINCT d.debtor_id, k.channel FROM unnest(dates) d JOIN dunning._steps() s ON s.anchor = d.anchor AND s.offset_days < 0 CROSS JOIN unnest(s.channels) k(channel)
          WHERE d.next_on + s.offset_days BETWEEN today + 1 AND today + 8 AND EXISTS (SELECT FROM dunning.channel x WHERE x.channel = k.channel)) u;
    IF debtors IS NULL THEN
        RETURN;
    END IF;
    -- The facts as of tomorrow: who is held then is not written to today because of it.
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH f AS MATERIALIZED (
            SELECT f.debtor_id::text AS debtor_id, f.channel::text AS channel,
                dunning._next_open($7, f.at, f.debtor_id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks, NULL) IS NOT NULL AS open_today,
                coalesce((dunning._next_open(f.at, f.at + interval '16 days', f.debtor_id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks, NULL)
                    AT TIME ZONE dunning._ledger_zone())::date, 'infinity') AS opens
            FROM (%s) f WHERE f.words = '{}' AND f.held_until IS NULL AND (f.held @> $7) IS NOT TRUE AND f.windows IS NOT NULL),
        early AS (
            SELECT d.debtor_id, d.anchor, d.next_on, s.strategy || '/' || s.step AS step
            FROM unnest($6) d JOIN dunning._ladder_steps() s ON s.anchor = d.anchor AND s.offset_days < 0 JOIN dunning._steps() t ON t.strategy = s.strategy AND t.step = s.step
            JOIN f ON f.debtor_id = d.debtor_id AND f.channel = ANY (t.channels)
            WHERE d.next_on + s.offset_days BETWEEN $4 + 1 AND $4 + 8 AND d.next_on + s.to_day <= $4 + 16
            GROUP BY 1, 2, 3, 4, d.next_on + s.to_day HAVING bool_or(f.open_today) AND min(f.opens) > d.next_on + s.to_day)
        SELECT e.debtor_id, e.anchor, e.next_on, E'\n' || string_agg(e.step, E'\n') || E'\n' FROM early e GROUP BY 1, 2, 3$q$,
        replace(dunning._gate_facts_sql(), '$4', 'NULL::text[]'))
    USING debtors, channels, array_fill((today + 1)::timestamp AT TIME ZONE dunning._ledger_zone(), ARRAY[cardinality(debtors)]), today, NULL::uuid[], dates, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._early_steps(dunning._anchor_date[], timestamptz) IS
    'Steps (strategy/step, a line each, between newlines) before these dates whose days all lie ahead and on none of which clock and caps leave an instant on any of their channels, with today the last day before them that has one: they are taken today.';

CREATE FUNCTION dunning._anchors(debtor_ids text[], anchors text[], as_of timestamptz)
    RETURNS TABLE (debtor_id text, anchor text, currency text, last_on date, next_on date, early text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    dates dunning._anchor_date[];
    near dunning._anchor_date[];
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._steps() s WHERE s.anchor = ANY (_anchors.anchors) AND s.anchor <> 'payday' AND s.offset_days < 0) THEN
        RETURN QUERY SELECT x.debtor_id, x.anchor, x.currency, x.last_on, x.next_on, NULL::text FROM dunning._anchor_dates(_anchors.debtor_ids, _anchors.anchors, _anchors.as_of) x;
        RETURN;
    END IF;
    dates := ARRAY(SELECT ROW(x.debtor_id, x.anchor, x.currency, x.last_on, x.next_on)::dunning._anchor_date
                   FROM dunning._anchor_dates(_anchors.debtor_ids, _anchors.anchors, _anchors.as_of) x);
    -- of each but one, whatever the currency
    near := ARRAY(SELECT DISTINCT ROW(d.debtor_id, d.anchor, NULL, NULL, d.next_on)::dunning._anchor_date
                  FROM unnest(dates) d JOIN dunning._steps() s ON s.anchor = d.anchor AND s.anchor <> 'payday' AND s.offset_days < 0
                  WHERE d.next_on + s.offset_days BETWEEN today + 1 AND today + 8);
    RETURN QUERY SELECT d.debtor_id, d.anchor, d.currency, d.last_on, d.next_on, e.steps
        FROM unnest(dates) d LEFT JOIN dunning._early_steps(near, _anchors.as_of) e ON e.debtor_id = d.debtor_id AND e.anchor = d.anchor AND e.next_on = d.next_on;
END
$fn$;
COMMENT ON FUNCTION dunning._anchors(text[], text[], timestamptz) IS
    '_anchor_dates() with the steps before such a date that are taken today because nothing may go on any of their own days: early, as _early_steps() writes them.';

-- What a message and its companion share: all of the key but its ninth octet, six random bits beside those of the variant.
CREATE FUNCTION dunning._touch(message_id uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT overlay(message_id::text PLACING '..' FROM 20 FOR 2) $$;
COMMENT ON FUNCTION dunning._touch(uuid) IS 'The touch that a message belongs to: a companion has the key of its message but for one octet, so both count as one contact.';

CREATE FUNCTION dunning._companion_id(message_id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT overlay(message_id::text PLACING CASE substr(message_id::text, 20, 2) WHEN 'bc' THEN 'bb' ELSE 'bc' END FROM 20 FOR 2)::uuid $$;
COMMENT ON FUNCTION dunning._companion_id(uuid) IS 'The key of the companion of a message.';

-- Contacts of a debtor as planning counts them: touches that left, and how many since a payment or a reaction.
CREATE FUNCTION dunning._contact_sql(many text, as_of text, answers boolean) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH touch AS MATERIALIZED (
            SELECT e.debtor_id, min(e.contact_on) AS at FROM %4$s e
            WHERE NOT e.test AND e.contact_on >= %1$s - interval '%3$s days' AND e.contact_on <= %1$s
            GROUP BY e.debtor_id, dunning._touch(e.message_id)),
        heard AS MATERIALIZED (%2$s)
        SELECT t.debtor_id, max(t.at) AS last_contact, (max(t.at) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last_day,
               array_agg(t.at) AS ats,
               count(*) FILTER (WHERE t.at > %1$s - interval '7 days')::int AS n7, count(*) FILTER (WHERE t.at > %1$s - interval '30 days')::int AS n30,
               count(*) FILTER (WHERE h.at IS NULL OR t.at > h.at)::int AS unanswered
        FROM touch t LEFT JOIN heard h ON h.debtor_id = t.debtor_id GROUP BY t.debtor_id$q$,
        as_of,
        CASE WHEN answers THEN pg_catalog.format($q$
            SELECT x.debtor_id, max(x.at) AS at FROM (
                SELECT y.debtor_id, y.paid_at AS at FROM (%s) y WHERE y.amount > 0 AND y.paid_at <= %2$s
                UNION ALL
                SELECT v.debtor_id, v.at FROM %3$s v
                WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere')
                  AND v.at <= %2$s AND v.detail->>'machine' IS DISTINCT FROM 'true') x GROUP BY x.debtor_id$q$, dunning._ledger_sql('payment', many, as_of), as_of, dunning._past('event'))
             ELSE 'SELECT NULL::text AS debtor_id, NULL::timestamptz AS at WHERE false' END,
        CASE WHEN answers THEN 400 ELSE 90 END, dunning._past('egress'));
END
$fn$;
COMMENT ON FUNCTION dunning._contact_sql(text, text, boolean) IS
    'SQL text: one row a debtor who was contacted: last_contact, last_day, ats, n7, n30, and unanswered (with answers: touches since the last payment or reaction, looking back 400 days).';
