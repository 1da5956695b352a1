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
    RETURN ARRAY(SELECT DISTINCT u.u FROM dunning.interest_rule r, LATERAL unnest(r.frozen_by || 'written_off'::text) u(u) ORDER BY 1);
END
$fn$;
COMMENT ON FUNCTION dunning._freezing_reasons() IS 'Reasons of holds during which some rule lets no interest accrue; what is written off bears none by any rule.';

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
CREATE FUNCTION dunning._open_days_sql(many text, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$WITH
    i AS MATERIALIZED (SELECT l.* FROM (%1$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity'
        AND isfinite(l.issued_on) AND (l.amount < 0 OR isfinite(l.due_on)) AND l.currency <> ''),
    d AS MATERIALIZED (SELECT i.* FROM i WHERE i.amount > 0),
    p AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.invoice_id, (l.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date + 1 AS day, l.amount
        FROM (%2$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity' AND l.currency <> '' AND isfinite(l.paid_at)),
    -- In arrays, one row a debtor and currency and one an invoice: the rows of a batch are met once, whatever the planner thinks of them.
    credit AS MATERIALIZED (SELECT x.debtor_id, x.currency, array_agg(x.day ORDER BY x.day) AS days, array_agg(x.total ORDER BY x.day) AS totals
        FROM (SELECT u.debtor_id, u.currency, u.day, sum(sum(u.amount)) OVER (PARTITION BY u.debtor_id, u.currency ORDER BY u.day) AS total
              FROM (SELECT p.debtor_id, p.currency, p.day, p.amount FROM p
                    UNION ALL SELECT i.debtor_id, i.currency, i.issued_on + 1, -i.amount FROM i WHERE i.amount < 0) u GROUP BY 1, 2, 3) x GROUP BY 1, 2),
    direct AS MATERIALIZED (SELECT p.debtor_id, p.currency, p.invoice_id, array_agg(p.day) AS days, array_agg(p.amount) AS amounts
        FROM p WHERE p.invoice_id IS NOT NULL GROUP BY 1, 2, 3),
    grid AS (SELECT d.debtor_id, d.currency, d.invoice_id, d.issued_on, d.due_on, d.amount, d.stated, d.kind, d.disputed, e.day, e.total,
            d.amount - least(d.amount, coalesce((SELECT sum(x.amount) FROM unnest(t.days, t.amounts) x(day, amount) WHERE x.day <= e.day), 0)) AS rem
        FROM d
        LEFT JOIN credit c ON c.debtor_id = d.debtor_id AND c.currency = d.currency
        LEFT JOIN direct t ON t.debtor_id = d.debtor_id AND t.currency = d.currency AND t.invoice_id = d.invoice_id
        CROSS JOIN LATERAL (SELECT '-infinity'::date AS day, 0::numeric AS total UNION ALL SELECT x.day, x.total FROM unnest(c.days, c.totals) x(day, total)) e),
    placed AS (SELECT g.*, g.total + sum(g.rem - g.amount) OVER (PARTITION BY g.debtor_id, g.currency, g.day) AS pool,
            sum(g.rem) OVER (PARTITION BY g.debtor_id, g.currency, g.day ORDER BY g.due_on, g.issued_on, g.invoice_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - g.rem AS before
        FROM grid g),
    opened AS (SELECT b.*, least(b.rem - greatest(0, least(b.rem, b.pool - b.before)), CASE WHEN %3$s THEN greatest(b.stated, 0) END) AS open FROM placed b)
SELECT o.debtor_id, o.invoice_id, o.currency, o.issued_on, o.due_on, o.amount, o.disputed, array_agg(o.day ORDER BY o.day) AS days, array_agg(o.open ORDER BY o.day) AS opens
FROM (SELECT o.*, lag(o.open) OVER (PARTITION BY o.debtor_id, o.currency, o.invoice_id ORDER BY o.day) AS earlier FROM opened o) o
WHERE o.open IS DISTINCT FROM o.earlier AND o.kind = 'invoice'
GROUP BY 1, 2, 3, 4, 5, 6, 7$q$,
        dunning._invoices_sql(_open_days_sql.many, _open_days_sql.as_of), dunning._ledger_sql('payment', _open_days_sql.many, _open_days_sql.as_of),
        dunning._states_balance_sql(_open_days_sql.as_of));
END
$fn$;
COMMENT ON FUNCTION dunning._open_days_sql(text, text) IS
    'SQL text: one row a positive, uncancelled invoice that is no fee or interest itself: what was open of it (opens) from which day on (days, the first -infinity), as payments and credit notes came in.';

CREATE FUNCTION dunning._claims(debtor_ids text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, creditor text, country text, debtor_kind text, currency text, issued_on date, due_on date, amount numeric,
                   disputed boolean, days date[], opens numeric[], open_now numeric, hold_reasons text[], hold_days daterange[], held text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT o.debtor_id, o.invoice_id, d.creditor, d.country, d.kind, o.currency, o.issued_on, o.due_on, o.amount, o.disputed, o.days, o.opens,
               o.opens[cardinality(o.opens)], coalesce(h.reasons, '{}'), coalesce(h.days, '{}'), coalesce(h.held, '{}')
        -- of several rows of one debtor none is believed
        FROM (SELECT min(l.debtor_id) AS debtor_id, min(l.creditor) AS creditor, min(l.person_id) AS person_id, substr(dunning._place(min(l.country), NULL), 1, 2) AS country, min(l.kind) AS kind
              FROM (%s) l GROUP BY l.debtor_id HAVING count(*) = 1) d
        JOIN (%s) o ON o.debtor_id = d.debtor_id COLLATE "C"
        LEFT JOIN LATERAL (
            SELECT array_agg(x.reason ORDER BY x.from_at, x.hold_id) AS reasons, array_agg(daterange(x.first, x.last, '[]') ORDER BY x.from_at, x.hold_id) AS days,
                   array_agg(DISTINCT x.reason) FILTER (WHERE x.from_at <= $3 AND (x.end_at > $3) IS NOT FALSE) AS held
            FROM (SELECT k.reason, k.from_at, k.hold_id, least(k.until_at, k.released_at) AS end_at, (k.from_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS first,
                         ((least(k.until_at, k.released_at) - interval '1 microsecond') AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last
                  FROM (SELECT h.* FROM dunning.hold h WHERE h.debtor_id = o.debtor_id AND (h.invoice_id IS NULL OR h.invoice_id = o.invoice_id)
                        UNION ALL
                        SELECT h.* FROM dunning.hold h WHERE h.person_id = d.person_id AND h.person_id IS NOT NULL AND h.debtor_id <> o.debtor_id
                        UNION ALL
                        SELECT h.* FROM dunning.hold h WHERE h.creditor = d.creditor AND h.scope = 'creditor') k) x
            WHERE x.end_at IS NULL OR x.end_at > x.from_at) h ON true
        WHERE o.due_on BETWEEN '1900-01-01' AND '2199-12-31'$q$,
        dunning._ledger_sql('debtor', '$1', '$2'), dunning._open_days_sql('$1', '$2'))
        USING _claims.debtor_ids, _claims.as_of, coalesce(_claims.as_of, dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning._claims(text[], timestamptz) IS 'One row an invoice of these debtors with whatever a charge depends on: place, kind, open amounts by day, holds by day and those of the moment.';

-- Notices in writing that left: what people recorded, and our own messages with the fee that they named.
CREATE FUNCTION dunning._notices(debtor_ids text[])
    RETURNS TABLE (debtor_id text, invoice_id text, level text, sent_on date, amount numeric, due_on date, message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    since timestamptz := dunning._replay_since();
BEGIN
    RETURN QUERY
    SELECT n.debtor_id, n.invoice_id, n.level, n.sent_on, n.amount, NULL::date, NULL::uuid FROM dunning.charge_notice n WHERE n.debtor_id = ANY (_notices.debtor_ids)
    UNION ALL
    SELECT m.debtor_id, m.context #>> '{fee,invoice_id}', m.context #>> '{fee,level}', (e.contact_on AT TIME ZONE (SELECT dunning._ledger_zone()))::date,
           CASE WHEN jsonb_typeof(m.context #> '{fee,amount}') = 'number' THEN (m.context #>> '{fee,amount}')::numeric END,
           CASE WHEN m.context #>> '{fee,on}' ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' THEN to_date(m.context #>> '{fee,on}', 'YYYY-MM-DD') END, m.message_id
    FROM dunning.message m
    JOIN dunning.message_state s ON s.debtor_id = m.debtor_id AND s.message_id = m.message_id AND s.state IN ('sent', 'delivered')
    JOIN LATERAL (SELECT min(x.contact_on) AS contact_on FROM dunning.egress x WHERE x.debtor_id = m.debtor_id AND x.message_id = m.message_id AND NOT x.test) e ON e.contact_on IS NOT NULL
    WHERE m.debtor_id = ANY (_notices.debtor_ids) AND NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = m.channel AND c.human)
      AND (e.contact_on >= since) IS NOT TRUE;
    -- in a replay those that its simulation sent (plan's _past() says why)
    IF since IS NOT NULL THEN
        RETURN QUERY EXECUTE $q$
            SELECT s.debtor_id::text, s.fee->>'invoice_id', s.fee->>'level', (s.sent_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date,
                   CASE WHEN jsonb_typeof(s.fee->'amount') = 'number' THEN (s.fee->>'amount')::numeric END, to_date(s.fee->>'on', 'YYYY-MM-DD'), s.message_id
            FROM pg_temp.dunning_sim_message s
            WHERE s.debtor_id = ANY ($1) AND s.sent_at <= dunning._now() AND NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = s.channel AND c.human)$q$ USING _notices.debtor_ids;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._notices(text[]) IS 'Written notices: invoice (NULL: all), level and amount of the fee that it named, when it left, from when the fee was said to be due, and our message.';

CREATE FUNCTION dunning._accrue(rule dunning.interest_rule, currency text, due_on date, starts_on date, until_on date, days date[], opens numeric[],
    frozen daterange[] DEFAULT '{}', freezers text[] DEFAULT '{}', cost_days date[] DEFAULT '{}', costs numeric[] DEFAULT '{}')
    RETURNS TABLE (span_from date, span_until date, span_days int, rate numeric, base numeric, amount numeric, why text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    year_units numeric := dunning._year_units(_accrue.rule.day_count) * 100;
    digits int := dunning._minor_digits(_accrue.currency);
    first date := _accrue.due_on + 1;
    rate_days date[];
    rates numeric[];
    cuts date[];
    n_open int := 0;
    n_rate int := 0;
    anniversary int := 1;
    ledger_open numeric;
    principal numeric;
    capital numeric := 0;       -- interest of full years, bearing interest itself
    running numeric := 0;       -- base * rate * units since the last rounding
    closed numeric := 0;        -- interest that is a sum of money already
    cleared numeric := 0;       -- of it, paid
    costs_cleared numeric := 0;
    shown numeric := 0;
    part numeric;
    frozen_why text;
    step record;
BEGIN
    IF _accrue.until_on <= first THEN
        RETURN;
    END IF;
    SELECT array_agg(s.begins ORDER BY s.begins), array_agg(s.rate ORDER BY s.begins) INTO rate_days, rates FROM dunning._rate_spans(_accrue.rule, first, _accrue.until_on) s;
    cuts := ARRAY(SELECT DISTINCT x.x FROM (
            VALUES (first), (_accrue.starts_on), (_accrue.until_on)) x(x) WHERE x.x BETWEEN first AND _accrue.until_on
        UNION SELECT x.x FROM unnest(_accrue.days || rate_days) x(x) WHERE x.x > first AND x.x < _accrue.until_on
        UNION SELECT x.x FROM unnest(_accrue.frozen) f(f), LATERAL (VALUES (lower(f.f)), (upper(f.f))) x(x) WHERE x.x > first AND x.x < _accrue.until_on
        UNION SELECT (_accrue.starts_on + make_interval(years => y.y))::date FROM generate_series(1, 300) y(y)
              WHERE _accrue.rule.compounding = 'yearly' AND (_accrue.starts_on + make_interval(years => y.y))::date < _accrue.until_on
        ORDER BY 1);
    FOR i IN 1 .. cardinality(cuts) - 1 LOOP
        span_from := cuts[i];
        span_until := cuts[i + 1];
        WHILE n_open < cardinality(_accrue.days) AND _accrue.days[n_open + 1] <= span_from LOOP n_open := n_open + 1; END LOOP;
        WHILE n_rate < cardinality(rate_days) AND rate_days[n_rate + 1] <= span_from LOOP n_rate := n_rate + 1; END LOOP;

        IF principal IS NULL THEN
            principal := _accrue.opens[n_open];
        ELSIF _accrue.opens[n_open] > ledger_open OR _accrue.rule.clearing[1] = 'principal' THEN
            principal := principal + _accrue.opens[n_open] - ledger_open;       -- what is taken back is owed as principal
        ELSIF _accrue.opens[n_open] < ledger_open THEN
            closed := closed + dunning._quotient(running, year_units, digits);
            running := 0;
            SELECT k.* INTO step FROM dunning._clear(_accrue.rule.clearing, ledger_open - _accrue.opens[n_open],
                coalesce((SELECT sum(c.cost) FROM unnest(_accrue.cost_days, _accrue.costs) c(day, cost) WHERE c.day < span_from), 0) - costs_cleared,
                closed - cleared, principal) k;
            costs_cleared := coalesce((SELECT sum(c.cost) FROM unnest(_accrue.cost_days, _accrue.costs) c(day, cost) WHERE c.day < span_from), 0) - step.costs;
            cleared := closed - step.interest;
            principal := step.principal;
        END IF;
        ledger_open := _accrue.opens[n_open];

        WHILE _accrue.rule.compounding = 'yearly' AND (_accrue.starts_on + make_interval(years => anniversary))::date <= span_from LOOP
            part := dunning._quotient(running, year_units, digits);
            running := 0;
            closed := closed + part;
            capital := closed - cleared;
            anniversary := anniversary + 1;
        END LOOP;

        span_days := CASE _accrue.rule.day_count WHEN '30/360' THEN dunning._span_units('30/360', span_from, span_until)::int ELSE span_until - span_from END;
        base := principal + capital;
        IF _accrue.frozen <> '{}' THEN
            SELECT string_agg(DISTINCT f.why, ', ' ORDER BY f.why) INTO frozen_why FROM unnest(_accrue.frozen, _accrue.freezers) f(days, why) WHERE f.days @> span_from;
        END IF;
        rate := CASE WHEN (span_from >= _accrue.starts_on) IS NOT TRUE OR frozen_why IS NOT NULL THEN NULL ELSE rates[n_rate] END;
        why := CASE WHEN (span_from >= _accrue.starts_on) IS NOT TRUE THEN 'not in default' WHEN frozen_why IS NOT NULL THEN 'frozen: ' || frozen_why
                    WHEN rate IS NULL THEN 'no rate of ' || _accrue.rule.reference END;
        IF rate > 0 AND base > 0 THEN
            running := running + base * rate * dunning._span_units(_accrue.rule.day_count, span_from, span_until);
        END IF;
        amount := closed + dunning._quotient(running, year_units, digits) - shown;
        shown := shown + amount;
        IF base > 0 OR amount <> 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._accrue(dunning.interest_rule, text, date, date, date, date[], numeric[], daterange[], text[], date[], numeric[]) IS
    'The spans of interest on an invoice whose open amounts by day are given: from (counted) until (not counted), days, rate, base and amount; amounts add up to the rounded total. A span without interest says why.';

CREATE FUNCTION dunning._interest(debtor_ids text[], as_of timestamptz DEFAULT NULL, until_on date DEFAULT NULL, invoice_id text DEFAULT NULL)
    RETURNS TABLE (debtor_id text, of_invoice text, creditor text, currency text, span_from date, span_until date, span_days int, rate numeric, base numeric,
                   amount numeric, why text, rule text, open_now numeric, settles boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    claim record;
    law dunning.interest_rule;
    last date := coalesce(_interest.until_on, (coalesce(_interest.as_of, dunning._now()) AT TIME ZONE dunning._ledger_zone())::date + 1);
    starts date;
BEGIN
    FOR claim IN
        SELECT c.*, n.first_on, k.cost_days, k.costs, g.terms
        FROM dunning._claims(_interest.debtor_ids, _interest.as_of) c
        -- Only where a notice begins default are notices looked for.
        LEFT JOIN LATERAL (SELECT min(x.sent_on) AS first_on
            FROM dunning._notices(CASE WHEN EXISTS (SELECT FROM dunning.interest_rule r WHERE r.by_notice AND r.country = c.country) THEN ARRAY[c.debtor_id] ELSE '{}' END) x
            WHERE (x.invoice_id IS NULL OR x.invoice_id = c.invoice_id) AND x.sent_on > c.due_on) n ON true
        LEFT JOIN LATERAL (SELECT array_agg(h.charged_on ORDER BY h.charge_id) AS cost_days, array_agg(h.amount ORDER BY h.charge_id) AS costs FROM dunning.charge h
            WHERE h.debtor_id = c.debtor_id AND h.invoice_id = c.invoice_id AND h.kind <> 'interest' AND h.waived_at IS NULL AND h.booked_at IS NULL) k ON true
        LEFT JOIN dunning.charging g ON g.creditor = c.creditor
        WHERE (_interest.invoice_id IS NULL OR c.invoice_id = _interest.invoice_id) AND c.due_on < last - 1
        ORDER BY c.debtor_id, c.due_on, c.invoice_id
    LOOP
        law := dunning._interest_rule_of(claim.country, claim.debtor_kind, claim.due_on);
        CONTINUE WHEN law.country IS NULL;
        starts := least(CASE WHEN law.grace_days IS NOT NULL AND (law.grace_term IS NULL OR law.grace_term = ANY (claim.terms)) THEN claim.due_on + law.grace_days + 1 END,
                        CASE WHEN law.by_notice THEN claim.first_on + 1 END);
        RETURN QUERY SELECT claim.debtor_id, claim.invoice_id, claim.creditor, claim.currency, a.span_from, a.span_until, a.span_days, a.rate, a.base, a.amount, a.why,
                format('%s %s since %s: %s + %s (%s)', law.country, law.debtor_kind, to_char(law.valid_from, 'YYYY-MM-DD'), law.reference, law.margin, law.source),
                claim.open_now, claim.open_now <= 0 AND law.clearing[1] = 'principal' AND law.compounding = 'none'
            FROM dunning._accrue(law, claim.currency, claim.due_on, starts, last, claim.days, claim.opens,
                ARRAY(SELECT h.d FROM unnest(claim.hold_reasons, claim.hold_days) WITH ORDINALITY h(r, d, n) WHERE h.r = ANY (law.frozen_by || 'written_off'::text) ORDER BY h.n),
                ARRAY(SELECT h.r FROM unnest(claim.hold_reasons, claim.hold_days) WITH ORDINALITY h(r, d, n) WHERE h.r = ANY (law.frozen_by || 'written_off'::text) ORDER BY h.n),
                claim.cost_days, claim.costs) a;
    END LOOP;
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
