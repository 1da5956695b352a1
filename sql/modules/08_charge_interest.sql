-- charge: late interest, day by day in law, span by span in the query.
--
-- A day bears interest on what was open when it began: a payment of a day lowers the days after it, so the days counted are those from
-- the day after the due date to the day of payment. Spans end where anything changes: rate, open amount, freeze, anniversary. Over a
-- span base * rate * units is exact; the one division and the one rounding happen where a sum of money comes to be: at the end of a row
-- (of the total, so that rows never drift from it), where a year's interest is added to the principal, and where a payment clears interest.

CREATE FUNCTION dunning._law_countries(country text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN $1 IN ('AT', 'BE', 'BG', 'CY', 'DE', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PT', 'SI', 'SK') THEN ARRAY[$1, 'EU'] ELSE ARRAY[$1] END;
COMMENT ON FUNCTION dunning._law_countries(text) IS 'Where rules of a country stand: its own before those of the countries of the euro.';

-- A country that has rows of its own, even disabled ones, is not served by those of the EU.
CREATE FUNCTION dunning._interest_rule_of(country text, debtor_kind text, due_on date) RETURNS dunning.interest_rule
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text;
    found_rule dunning.interest_rule;
BEGIN
    FOREACH place IN ARRAY dunning._law_countries(_interest_rule_of.country) LOOP
        IF EXISTS (SELECT FROM dunning.interest_rule r WHERE r.country = place AND r.debtor_kind = _interest_rule_of.debtor_kind) THEN
            SELECT x.* INTO found_rule FROM (
                SELECT DISTINCT ON (r.valid_from) r.* FROM dunning.interest_rule r
                WHERE r.country = place AND r.debtor_kind = _interest_rule_of.debtor_kind ORDER BY r.valid_from, r.builtin) x
            WHERE x.enabled AND x.valid_from <= _interest_rule_of.due_on AND (x.valid_to >= _interest_rule_of.due_on) IS NOT FALSE
            ORDER BY x.builtin, x.valid_from DESC LIMIT 1;
            RETURN found_rule;
        END IF;
    END LOOP;
    RETURN NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._interest_rule_of(text, text, date) IS 'The enabled rule of interest for invoices due on a day, the user''s before the built-in one; NULL where there is none.';

CREATE FUNCTION dunning._freezing_reasons() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY(SELECT DISTINCT u.u FROM dunning.interest_rule r, LATERAL unnest(r.frozen_by || '{written_off,settled}'::text[]) u(u) ORDER BY 1);
END
$fn$;
COMMENT ON FUNCTION dunning._freezing_reasons() IS 'Reasons of holds during which some rule lets no interest accrue; what is written off or settled bears none by any rule.';

CREATE FUNCTION dunning._rate_spans(rule dunning.interest_rule, from_on date, until_on date) RETURNS TABLE (begins date, rate numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT x.* FROM (SELECT DISTINCT ON (r.valid_from) r.percent, r.valid_from, r.valid_to, r.enabled, r.builtin FROM dunning.reference_rate r
                         WHERE r.reference = (_rate_spans.rule).reference ORDER BY r.valid_from, r.builtin) x WHERE x.enabled)
    SELECT d.d, (SELECT dunning._round_up(dunning._round_up(k.percent, (_rate_spans.rule).round_reference) + (_rate_spans.rule).margin, (_rate_spans.rule).round_total)
                 FROM known k
                 WHERE k.valid_from <= f.on_day AND (k.valid_to >= f.on_day) IS NOT FALSE ORDER BY k.builtin, k.valid_from DESC LIMIT 1)
    FROM (SELECT _rate_spans.from_on AS d
          UNION SELECT e.e FROM dunning.reference_rate r, LATERAL (VALUES (r.valid_from), (r.valid_to + 1)) e(e)
                WHERE r.reference = (_rate_spans.rule).reference AND (_rate_spans.rule).fixing = 'change'
          UNION SELECT make_date(y.y, m.m, 1)
                FROM generate_series(date_part('year', _rate_spans.from_on)::int, date_part('year', _rate_spans.until_on)::int) y(y), (VALUES (1), (7)) m(m)
                WHERE (_rate_spans.rule).fixing <> 'change') d
    CROSS JOIN LATERAL (SELECT CASE (_rate_spans.rule).fixing WHEN 'change' THEN d.d ELSE
            make_date(date_part('year', d.d)::int, CASE WHEN date_part('month', d.d) < 7 THEN 1 ELSE 7 END, 1) - ((_rate_spans.rule).fixing = 'half_year_before')::int END AS on_day) f
    WHERE d.d >= _rate_spans.from_on AND d.d < _rate_spans.until_on
    ORDER BY d.d;
END
$fn$;
COMMENT ON FUNCTION dunning._rate_spans(dunning.interest_rule, date, date) IS 'From which days which rate of interest holds, in percent a year, by the user''s rows before the built-in ones; NULL: nobody knows it.';

-- What was open of each invoice from which day on, from dated rows: payments and credit notes of a day count from the next. The same
-- allocation as _allocation_sql(), at each day on which something came in. Where the source states open amounts, they are an upper bound.
CREATE FUNCTION dunning._open_days(ids text[], issued date[], due date[], amounts numeric[], stated numeric[], asked boolean[], credit_days date[], credits numeric[], credited text[])
    RETURNS TABLE (place int, days date[], opens numeric[])
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 COST 100 AS 'MODULE_PATHNAME', 'dun_charge_sql_open_days';
COMMENT ON FUNCTION dunning._open_days(text[], date[], date[], numeric[], numeric[], boolean[], date[], numeric[], text[]) IS
    'Of the invoices of one debtor and currency those asked for, by place: what was open (opens) from which day on (days, the first -infinity). Credits by the first day that begins with them, with the invoice that they name. src/charge/open.c.';

CREATE FUNCTION dunning._open_days_sql(many text, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$WITH
    i AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.invoice_id, l.issued_on, l.due_on, l.amount, l.stated, l.kind, l.disputed FROM (%1$s) l
        WHERE l.amount > '-Infinity' AND l.amount < 'Infinity' AND isfinite(l.issued_on) AND (l.amount < 0 OR isfinite(l.due_on)) AND l.currency <> ''),
    c AS (SELECT x.debtor_id, x.currency, array_agg(x.day) AS days, array_agg(x.amount) AS amounts, array_agg(x.invoice_id) AS ids
        FROM (SELECT l.debtor_id, l.currency, l.invoice_id, (l.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date + 1 AS day, l.amount
              FROM (%2$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity' AND l.currency <> '' AND isfinite(l.paid_at)
              UNION ALL SELECT i.debtor_id, i.currency, NULL, i.issued_on + 1, -i.amount FROM i WHERE i.amount < 0) x GROUP BY 1, 2),
    d AS (SELECT i.debtor_id, i.currency, array_agg(i.invoice_id) AS ids, array_agg(i.issued_on) AS issued, array_agg(i.due_on) AS due, array_agg(i.amount) AS amounts,
             array_agg(CASE WHEN (SELECT %3$s) THEN greatest(i.stated, 0) END) AS stated, array_agg(i.kind = 'invoice') AS asked, array_agg(i.disputed) AS disputed
        FROM i WHERE i.amount > 0 GROUP BY 1, 2)
SELECT d.debtor_id, d.ids[o.place] AS invoice_id, d.currency, d.issued[o.place] AS issued_on, d.due[o.place] AS due_on, d.amounts[o.place] AS amount,
    d.disputed[o.place] AS disputed, o.days, o.opens
FROM d LEFT JOIN c ON c.debtor_id = d.debtor_id AND c.currency = d.currency
CROSS JOIN LATERAL dunning._open_days(d.ids, d.issued, d.due, d.amounts, d.stated, d.asked, c.days, c.amounts, c.ids) o$q$,
        dunning._invoices_sql(_open_days_sql.many, _open_days_sql.as_of), dunning._ledger_sql('payment', _open_days_sql.many, _open_days_sql.as_of),
        dunning._states_balance_sql(_open_days_sql.as_of));
END
$fn$;
COMMENT ON FUNCTION dunning._open_days_sql(text, text) IS
    'SQL text: one row a positive, uncancelled invoice that is no fee or interest itself: what was open of it (opens) from which day on (days, the first -infinity), as payments and credit notes came in.';

CREATE FUNCTION dunning._claims_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$WITH
        who AS MATERIALIZED (
            -- of several rows of one debtor none is believed
            SELECT min(l.debtor_id) AS debtor_id, min(l.creditor) AS creditor, min(l.person_id) AS person_id, min(l.country) AS said, min(l.kind) AS kind FROM (%1$s) l GROUP BY l.debtor_id HAVING count(*) = 1),
        place AS MATERIALIZED (SELECT x.said, substr(dunning._place(x.said, NULL), 1, 2) AS country FROM (SELECT DISTINCT w.said FROM who w) x),
        -- Few debtors are held: for the others nothing is looked up.
        held AS MATERIALIZED (
            SELECT k.debtor_id FROM dunning.hold k WHERE k.debtor_id = ANY (%3$s)
            UNION SELECT w.debtor_id FROM who w JOIN dunning.hold k ON k.person_id = w.person_id
            UNION SELECT w.debtor_id FROM who w JOIN dunning.hold k ON k.creditor = w.creditor AND k.scope = 'creditor')
        SELECT o.debtor_id, o.invoice_id, w.creditor, p.country, w.kind AS debtor_kind, o.currency, o.issued_on, o.due_on, o.amount, o.disputed, o.days, o.opens,
               o.opens[cardinality(o.opens)] AS open_now, coalesce(h.reasons, '{}') AS hold_reasons, coalesce(h.days, '{}') AS hold_days, coalesce(h.held, '{}') AS held
        FROM who w
        JOIN (%2$s) o ON o.debtor_id = w.debtor_id COLLATE "C"
        LEFT JOIN place p ON p.said = w.said
        LEFT JOIN held f ON f.debtor_id = o.debtor_id
        LEFT JOIN LATERAL (
            SELECT array_agg(x.reason ORDER BY x.from_at, x.hold_id) AS reasons, array_agg(daterange(x.first, x.last, '[]') ORDER BY x.from_at, x.hold_id) AS days,
                   array_agg(DISTINCT x.reason) FILTER (WHERE x.from_at <= coalesce(%4$s, dunning._now()) AND (x.end_at > coalesce(%4$s, dunning._now())) IS NOT FALSE) AS held
            FROM (SELECT f.debtor_id AS of_debtor, k.reason, k.from_at, k.hold_id, least(k.until_at, k.released_at) AS end_at, (k.from_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS first,
                         ((least(k.until_at, k.released_at) - interval '1 microsecond') AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last
                  FROM (SELECT l.* FROM dunning.hold l WHERE l.debtor_id = f.debtor_id AND (l.invoice_id IS NULL OR l.invoice_id = o.invoice_id)
                        UNION ALL
                        SELECT l.* FROM dunning.hold l WHERE l.person_id = w.person_id AND l.person_id IS NOT NULL AND l.debtor_id <> o.debtor_id
                        UNION ALL
                        SELECT l.* FROM dunning.hold l WHERE l.creditor = w.creditor AND l.scope = 'creditor') k WHERE f.debtor_id IS NOT NULL) x
            WHERE x.end_at IS NULL OR x.end_at > x.from_at GROUP BY x.of_debtor) h ON true
        WHERE o.due_on BETWEEN '1900-01-01' AND '2199-12-31'$q$,
        dunning._ledger_sql('debtor', _claims_sql.many, _claims_sql.as_of), dunning._open_days_sql(_claims_sql.many, _claims_sql.as_of), _claims_sql.many, _claims_sql.as_of);
END
$fn$;
COMMENT ON FUNCTION dunning._claims_sql(text, text) IS 'SQL text of the rows of _claims().';

CREATE FUNCTION dunning._claims(debtor_ids text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, creditor text, country text, debtor_kind text, currency text, issued_on date, due_on date, amount numeric,
                   disputed boolean, days date[], opens numeric[], open_now numeric, hold_reasons text[], hold_days daterange[], held text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE dunning._claims_sql('$1', '$2') USING _claims.debtor_ids, _claims.as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._claims(text[], timestamptz) IS 'One row an invoice of these debtors with whatever a charge depends on: place, kind, open amounts by day, holds by day and those of the moment.';

-- Notices in writing that left: what people recorded, and our own messages. One is a notice of its own level, and of the level of the fee
-- that it told; what it told stands beside the body that left, whatever was planned.
CREATE FUNCTION dunning._notices(debtor_ids text[], levels text[] DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, level text, sent_on date, amount numeric, due_on date, message_id uuid, charged boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    since timestamptz := dunning._replay_since();
BEGIN
    RETURN QUERY
    SELECT n.debtor_id, n.invoice_id, n.level, n.sent_on, n.amount, NULL::date, NULL::uuid, false FROM dunning.charge_notice n
    WHERE n.debtor_id = ANY (_notices.debtor_ids) AND (_notices.levels IS NULL OR n.level = ANY (_notices.levels));
    IF cardinality(_notices.levels) = 0 OR cardinality(_notices.debtor_ids) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH own AS MATERIALIZED (
        SELECT m.debtor_id, m.message_id, coalesce(m.context ->> 'level', m.template) AS level, m.context -> 'fee' AS planned FROM dunning.message m
        WHERE m.debtor_id = ANY (_notices.debtor_ids) AND NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = m.channel AND c.human)
          AND (_notices.levels IS NULL OR coalesce(m.context ->> 'level', m.template) = ANY (_notices.levels) OR m.context ->> 'fee' IS NOT NULL))
    SELECT t.debtor_id, t.fee ->> 'invoice_id', l.level, (e.contact_on AT TIME ZONE (SELECT dunning._ledger_zone()))::date,
           CASE WHEN jsonb_typeof(t.fee -> 'amount') = 'number' THEN (t.fee ->> 'amount')::numeric END,
           CASE WHEN t.fee ->> 'on' ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' THEN to_date(t.fee ->> 'on', 'YYYY-MM-DD') END, t.message_id,
           coalesce(t.fee -> 'charged' = 'true' AND l.level = t.fee ->> 'level', false)
    FROM (SELECT m.debtor_id, m.message_id, m.level, nullif(CASE WHEN b.message_id IS NULL THEN m.planned ELSE b.fee END, 'null') AS fee
          FROM own m LEFT JOIN LATERAL (SELECT x.message_id, x.fee FROM dunning.body x WHERE x.debtor_id = m.debtor_id AND x.message_id = m.message_id OFFSET 0) b ON true) t
    CROSS JOIN LATERAL (SELECT t.level UNION SELECT t.fee ->> 'level' WHERE t.fee ->> 'level' IS NOT NULL) l(level)
    JOIN LATERAL (SELECT min(x.contact_on) AS contact_on FROM dunning.egress x WHERE x.debtor_id = t.debtor_id AND x.message_id = t.message_id AND NOT x.test) e ON e.contact_on IS NOT NULL
    JOIN LATERAL (SELECT y.state FROM dunning.message_state y WHERE y.debtor_id = t.debtor_id AND y.message_id = t.message_id OFFSET 0) s ON s.state IN ('sent', 'delivered')
    WHERE (_notices.levels IS NULL OR l.level = ANY (_notices.levels)) AND (e.contact_on >= since) IS NOT TRUE;
    -- in a replay those that its simulation sent (plan's _past() says why)
    IF since IS NOT NULL THEN
        RETURN QUERY EXECUTE $q$
            SELECT s.debtor_id::text, s.fee->>'invoice_id', l.level, (s.sent_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date,
                   CASE WHEN jsonb_typeof(s.fee->'amount') = 'number' THEN (s.fee->>'amount')::numeric END, to_date(s.fee->>'on', 'YYYY-MM-DD'), s.message_id,
                   coalesce(s.fee->'charged' = 'true' AND l.level = s.fee->>'level', false)
            FROM pg_temp.dunning_sim_message s
            LEFT JOIN dunning._steps() t ON t.strategy = s.strategy AND t.step = s.step
            CROSS JOIN LATERAL (SELECT coalesce(t.level, s.step) UNION SELECT s.fee->>'level' WHERE s.fee->>'level' IS NOT NULL) l(level)
            WHERE s.debtor_id = ANY ($1) AND ($2 IS NULL OR l.level = ANY ($2)) AND s.sent_at <= dunning._now()
              AND NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = s.channel AND c.human)$q$ USING _notices.debtor_ids, _notices.levels;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._notices(text[], text[]) IS
    'Written notices of these levels (NULL: all): invoice (NULL: all), level, amount of the fee that it named, when it left, from when the fee was said to be due, our message, and whether it said that this level''s fee is charged with it.';

CREATE FUNCTION dunning._accrue(day_count text, yearly boolean, clearing text[], reference text, digits int, due_on date, starts_on date, until_on date, days date[], opens numeric[],
    rate_days date[], rates numeric[], frozen_from date[] DEFAULT NULL, frozen_until date[] DEFAULT NULL, freezers text[] DEFAULT NULL, cost_days date[] DEFAULT NULL, costs numeric[] DEFAULT NULL)
    RETURNS TABLE (span_from date, span_until date, span_days int, rate numeric, base numeric, amount numeric, why text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 5 COST 100 AS 'MODULE_PATHNAME', 'dun_charge_sql_accrue';
COMMENT ON FUNCTION dunning._accrue(text, boolean, text[], text, int, date, date, date, date[], numeric[], date[], numeric[], date[], date[], text[], date[], numeric[]) IS
    'The spans of interest on an invoice whose open amounts by day are given: from (counted) until (not counted), days, rate, base and amount; amounts add up to the rounded total. A span without interest says why. starts_on NULL: never in default; an end of a freeze NULL: none. src/charge/accrue.c.';

CREATE FUNCTION dunning._interest(debtor_ids text[], as_of timestamptz DEFAULT NULL, until_on date DEFAULT NULL, invoice_id text DEFAULT NULL)
    RETURNS TABLE (debtor_id text, of_invoice text, creditor text, currency text, span_from date, span_until date, span_days int, rate numeric, base numeric,
                   amount numeric, why text, rule text, open_now numeric, settles boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $fn$
#variable_conflict error
DECLARE
    last date := coalesce(_interest.until_on, (coalesce(_interest.as_of, dunning._now()) AT TIME ZONE dunning._ledger_zone())::date + 1);
BEGIN
    RETURN QUERY
    WITH claim AS MATERIALIZED (
        SELECT c.* FROM dunning._claims(_interest.debtor_ids, _interest.as_of) c
        WHERE (_interest.invoice_id IS NULL OR c.invoice_id = _interest.invoice_id) AND c.due_on < last - 1),
    -- The law of each place and due date, its rates and its words once.
    law AS MATERIALIZED (
        SELECT x.of_country, x.of_kind, x.of_due, r.*, to_char(r.valid_from, 'YYYY-MM-DD') AS since
        FROM (SELECT DISTINCT c.country AS of_country, c.debtor_kind AS of_kind, c.due_on AS of_due FROM claim c) x
        CROSS JOIN LATERAL dunning._interest_rule_of(x.of_country, x.of_kind, x.of_due) r WHERE r.country IS NOT NULL),
    rated AS MATERIALIZED (
        SELECT x.country, x.debtor_kind, x.valid_from, x.builtin, x.rule, s.days, s.rates
        FROM (SELECT l.country, l.debtor_kind, l.valid_from, l.builtin, min(l.of_due) AS first_due,
                     format('%s %s since %s: %s + %s (%s)', l.country, l.debtor_kind, l.since, l.reference, l.margin, l.source) AS rule
              FROM law l GROUP BY l.country, l.debtor_kind, l.valid_from, l.builtin, l.since, l.reference, l.margin, l.source) x
        JOIN dunning.interest_rule r ON r.country = x.country AND r.debtor_kind = x.debtor_kind AND r.valid_from = x.valid_from AND r.builtin = x.builtin
        CROSS JOIN LATERAL (SELECT array_agg(t.begins ORDER BY t.begins) AS days, array_agg(t.rate ORDER BY t.begins) AS rates
                            FROM dunning._rate_spans(r, x.first_due + 1, last) t) s),
    -- Only where a notice begins default are notices looked for.
    noticed AS MATERIALIZED (
        SELECT c.debtor_id, c.invoice_id, min(n.sent_on) AS first_on
        FROM dunning._notices(ARRAY(SELECT DISTINCT c.debtor_id FROM claim c JOIN law l ON l.of_country = c.country AND l.of_kind = c.debtor_kind AND l.of_due = c.due_on WHERE l.by_notice)) n
        JOIN claim c ON c.debtor_id = n.debtor_id WHERE (n.invoice_id IS NULL OR n.invoice_id = c.invoice_id) AND n.sent_on > c.due_on GROUP BY 1, 2),
    cost AS MATERIALIZED (
        SELECT h.debtor_id, h.invoice_id, array_agg(h.charged_on ORDER BY h.charge_id) AS days, array_agg(h.amount ORDER BY h.charge_id) AS amounts FROM dunning.charge h
        WHERE h.debtor_id = ANY (_interest.debtor_ids) AND h.kind <> 'interest' AND h.waived_at IS NULL AND h.booked_at IS NULL GROUP BY 1, 2),
    frozen AS MATERIALIZED (
        SELECT c.debtor_id, c.invoice_id, array_agg(lower(h.d) ORDER BY h.n) AS froms, array_agg(upper(h.d) ORDER BY h.n) AS untils, array_agg(h.r ORDER BY h.n) AS reasons
        FROM claim c JOIN law l ON l.of_country = c.country AND l.of_kind = c.debtor_kind AND l.of_due = c.due_on
        CROSS JOIN LATERAL unnest(c.hold_reasons, c.hold_days) WITH ORDINALITY h(r, d, n)
        WHERE c.hold_reasons <> '{}' AND h.r = ANY (l.frozen_by || '{written_off,settled}'::text[]) GROUP BY 1, 2)
    SELECT c.debtor_id, c.invoice_id, c.creditor, c.currency, a.span_from, a.span_until, a.span_days, a.rate, a.base, a.amount, a.why, t.rule, c.open_now,
           c.open_now <= 0 AND l.clearing[1] = 'principal' AND l.compounding = 'none'
    FROM claim c
    JOIN law l ON l.of_country = c.country AND l.of_kind = c.debtor_kind AND l.of_due = c.due_on
    JOIN rated t ON t.country = l.country AND t.debtor_kind = l.debtor_kind AND t.valid_from = l.valid_from AND t.builtin = l.builtin
    LEFT JOIN noticed n ON n.debtor_id = c.debtor_id AND n.invoice_id = c.invoice_id
    LEFT JOIN cost k ON k.debtor_id = c.debtor_id AND k.invoice_id = c.invoice_id
    LEFT JOIN frozen f ON f.debtor_id = c.debtor_id AND f.invoice_id = c.invoice_id
    LEFT JOIN dunning.charging g ON g.creditor = c.creditor
    CROSS JOIN LATERAL dunning._accrue(l.day_count, l.compounding = 'yearly', l.clearing, l.reference, dunning._minor_digits(c.currency), c.due_on,
        least(CASE WHEN l.grace_days IS NOT NULL AND (l.grace_term IS NULL OR l.grace_term = ANY (g.terms)) THEN c.due_on + l.grace_days + 1 END,
              CASE WHEN l.by_notice THEN n.first_on + 1 END),
        last, c.days, c.opens, t.days, t.rates, f.froms, f.untils, f.reasons, k.days, k.amounts) a
    ORDER BY c.debtor_id, c.due_on, c.invoice_id, a.span_from;
END
$fn$;
COMMENT ON FUNCTION dunning._interest(text[], timestamptz, date, text) IS 'The spans of late interest of these debtors'' invoices until a day (not counted; NULL: through the day of as_of).';

CREATE FUNCTION dunning.interest(debtor_id text, invoice_id text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (of_invoice text, from_on date, until_on date, days int, rate numeric, base numeric, amount numeric, currency text, why text, rule text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(interest.as_of);
    RETURN QUERY SELECT i.of_invoice, i.span_from, i.span_until, i.span_days, trim_scale(i.rate), trim_scale(i.base), i.amount, i.currency, i.why, i.rule
        FROM dunning._interest(ARRAY[dunning._canonical_id(interest.debtor_id)], interest.as_of, NULL, interest.invoice_id) i;
END
$fn$;
COMMENT ON FUNCTION dunning.interest(text, text, timestamptz) IS
'Late interest of a debtor''s overdue invoices (or one), a row a span: from (counted) until (not counted), days by the day count of the rule, rate in percent a year, base, amount in the currency''s minor unit, and where a span bears none, why (frozen, not in default, no rate known). What would be owed if all were paid on the day of as_of (NULL: today), whether or not the creditor charges it. Days run from the day after the due date through the day of payment. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.interest(text, text, timestamptz) TO dunning_viewer;
