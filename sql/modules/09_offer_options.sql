-- What may be offered: amounts within what the debtor has paid in a month before, on the days after the money comes.

-- When the debtor's money comes next, and how often. Payments that followed a contact within two days tell of the contact, not of payday.
CREATE FUNCTION dunning._pay_cycles(debtor_ids text[], as_of timestamptz)
    RETURNS TABLE (debtor_id text, schedule text, probability float8, fortnightly boolean, next_date date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH d AS MATERIALIZED (SELECT l.debtor_id, l.country, (dunning._zone(l.time_zone, l.country, l.region))[1] AS zone FROM (%s) l),
        paid AS MATERIALIZED (
            SELECT x.debtor_id, array_agg(x.day ORDER BY x.paid_at DESC) AS days
            FROM (SELECT l.debtor_id, l.paid_at, (l.paid_at AT TIME ZONE d.zone)::date AS day, row_number() OVER (PARTITION BY l.debtor_id ORDER BY l.paid_at DESC) AS n
                  FROM (%s) l JOIN d ON d.debtor_id = l.debtor_id
                  WHERE l.amount > 0 AND l.amount < 'Infinity' AND isfinite(l.paid_at)
                    AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = l.debtor_id AND NOT e.test
                                    AND l.paid_at >= e.contact_on AND l.paid_at < e.contact_on + '48 hours'::interval)) x
            WHERE x.n <= 24 GROUP BY 1)
        SELECT d.debtor_id::text, y.schedule, y.probability, y.schedule LIKE 'every %%' AND y.probability >= 0.5, CASE WHEN y.schedule <> 'none' AND y.probability >= 0.3 AND p.days IS NOT NULL THEN y.next_date END
        FROM d LEFT JOIN paid p ON p.debtor_id = d.debtor_id
        CROSS JOIN LATERAL (SELECT s.* FROM dunning._payday(d.country, p.days, ($2 AT TIME ZONE d.zone)::date + $4) s
                            ORDER BY s.probability DESC, s.schedule LIMIT 1) y$q$,
        dunning._ledger_sql('debtor', '$1', '$3'), dunning._ledger_sql('payment', '$1', '$3'))
        USING debtor_ids, coalesce(as_of, dunning._now()), as_of, dunning._value_of('offer_first_days')::int;
END
$$;
COMMENT ON FUNCTION dunning._pay_cycles(text[], timestamptz) IS
    'The likeliest payday schedule of each debtor as of an instant, and its next date that leaves time to answer (value offer_first_days); NULL where none is likely (from 0.3 on, of payments: what is usual in a country is no reason to wait). Who is paid weekly or every second week pays every second week.';

-- What a debtor paid a month in the last twelve: the usual month and the best one, of months with payments.
CREATE FUNCTION dunning._paid_monthly(debtor_ids text[], as_of timestamptz)
    RETURNS TABLE (debtor_id text, currency text, months int, usual numeric, best numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT m.debtor_id::text, m.currency, count(*)::int, percentile_disc(0.5) WITHIN GROUP (ORDER BY m.paid), max(m.paid)
        FROM (SELECT l.debtor_id, l.currency, sum(l.amount) AS paid
              FROM (%s) l
              WHERE l.amount > -1e15 AND l.amount < 1e15 AND l.paid_at > $2 - interval '12 months' AND l.paid_at <= $2
              GROUP BY l.debtor_id, l.currency, date_trunc('month', l.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))) m
        WHERE m.paid > 0 GROUP BY m.debtor_id, m.currency$q$, dunning._ledger_sql('payment', '$1', '$3'))
        USING debtor_ids, coalesce(as_of, dunning._now()), as_of;
END
$$;
COMMENT ON FUNCTION dunning._paid_monthly(text[], timestamptz) IS 'By debtor and currency: months with payments in the last twelve, the median and the largest sum of such a month.';

-- What a debtor is asked for: the sum that a message names.
CREATE FUNCTION dunning._asked_for(debtor_ids text[], as_of timestamptz)
    RETURNS TABLE (debtor_id text, creditor text, currency text, amount numeric, ord int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT c.debtor_id, c.context ->> 'creditor', b.b ->> 'currency', (b.b ->> 'amount')::numeric, b.ord::int
        FROM dunning._context(_asked_for.debtor_ids, _asked_for.as_of) c
        CROSS JOIN LATERAL jsonb_array_elements(c.context -> 'balances') WITH ORDINALITY b(b, ord)
        WHERE (b.b ->> 'amount')::numeric > 0;
END
$$;
COMMENT ON FUNCTION dunning._asked_for(text[], timestamptz) IS 'The sums that debtors are asked for by currency, the largest first: overdue, else what will be due; not what is disputed or held.';

-- One way to divide a sum: equal parts, the last takes the rest. NULL where it cannot be done within the limits.
CREATE FUNCTION dunning._divide(amount numeric, most numeric, least_part numeric, least_count int, most_count int) RETURNS numeric[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    n int;
    part numeric;
    digits int := scale(trim_scale(amount));    -- sums of a currency without cents stay without
BEGIN
    IF most <= 0 OR ceil(amount / most) > most_count THEN
        RETURN NULL;
    END IF;
    n := greatest(ceil(amount / most)::int, least_count);
    IF n > most_count OR n < 1 THEN
        RETURN NULL;
    END IF;
    part := ceil(amount / n);
    IF part > most OR amount - (n - 1) * part < least_part THEN
        part := ceil(amount / n * power(10::numeric, digits)) / power(10::numeric, digits);
    END IF;
    part := trim_scale(part);
    IF part > most OR part < least_part OR amount - (n - 1) * part < least(least_part, part) OR amount - (n - 1) * part <= 0 THEN
        RETURN NULL;
    END IF;
    RETURN array_fill(part, ARRAY[n - 1]) || trim_scale(amount - (n - 1) * part);
END
$$;
COMMENT ON FUNCTION dunning._divide(numeric, numeric, numeric, int, int) IS 'Equal parts of at most `most`, the last one the rest and not larger; none smaller than least_part. NULL where that takes more than most_count.';

-- Up to three plans a debtor: as much as in the best month, as in the usual one, half of it. Of who never paid nothing is known: a few parts, more, and as many as are allowed.
CREATE FUNCTION dunning._plan_options(debtor_ids text[], as_of timestamptz DEFAULT NULL, wanted text DEFAULT NULL)
    RETURNS TABLE (debtor_id text, currency text, amount numeric, frequency text, first_on date, basis text, options jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    most_months int := dunning._value_of('plan_most_months')::int;
    least_part numeric := dunning._value_of('plan_least_part')::numeric;
BEGIN
    RETURN QUERY
        WITH owed AS MATERIALIZED (
            SELECT DISTINCT ON (a.debtor_id) a.debtor_id, a.currency, a.amount
            FROM dunning._asked_for(_plan_options.debtor_ids, _plan_options.as_of) a
            WHERE _plan_options.wanted IS NULL OR a.currency = _plan_options.wanted ORDER BY a.debtor_id, a.ord),
        about AS MATERIALIZED (
            SELECT o.debtor_id, o.currency, o.amount, m.usual, m.best, coalesce(c.fortnightly, false) AS fortnightly,
                   -- after payday; where no payday is known in two weeks, as one would answer
                   coalesce(c.next_date, today + 13) + 1 AS first_on,
                   CASE WHEN coalesce(c.fortnightly, false) THEN most_months * 26 / 12 ELSE most_months END AS most_count
            FROM owed o
            LEFT JOIN dunning._paid_monthly(ARRAY(SELECT w.debtor_id FROM owed w), _plan_options.as_of) m ON m.debtor_id = o.debtor_id AND m.currency = o.currency
            LEFT JOIN dunning._pay_cycles(ARRAY(SELECT w.debtor_id FROM owed w), _plan_options.as_of) c ON c.debtor_id = o.debtor_id),
        divided AS (
            SELECT DISTINCT ON (a.debtor_id, cardinality(v.parts)) a.*, v.parts
            FROM about a
            CROSS JOIN LATERAL (
                -- a month holds two fortnights, as it did when the debtor paid before
                SELECT dunning._divide(a.amount, x.x / CASE WHEN a.fortnightly THEN 2 ELSE 1 END, least_part, 2, a.most_count) AS parts
                FROM unnest(CASE WHEN a.usual IS NOT NULL THEN ARRAY[a.best, a.usual, a.usual / 2] END) x(x)
                UNION ALL
                SELECT dunning._divide(a.amount, a.amount, least_part, greatest(2, most_months * q.q / 12), a.most_count)
                FROM unnest(CASE WHEN a.usual IS NULL THEN ARRAY[2, 3, 6, 12] END) q(q)) v
            WHERE v.parts IS NOT NULL
            -- of two ways with as many parts the one of rounder parts, whoever else is asked about
            ORDER BY a.debtor_id, cardinality(v.parts), v.parts DESC),
        numbered AS (
            SELECT d.*, row_number() OVER (PARTITION BY d.debtor_id ORDER BY cardinality(d.parts))::int AS option FROM divided d)
        SELECT n.debtor_id, n.currency, n.amount, CASE WHEN n.fortnightly THEN 'fortnightly' ELSE 'monthly' END, n.first_on,
               CASE WHEN n.usual IS NULL THEN 'no payments in the last twelve months' ELSE format('paid %s in the usual month, %s in the best', n.usual, n.best) END,
               jsonb_agg(dunning._offer_option(n.option, p.parts, CASE WHEN n.fortnightly THEN 'fortnightly' ELSE 'monthly' END) ORDER BY n.option)
        FROM numbered n
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object('amount', u.part, 'currency', n.currency, 'due_on', to_char(
                       CASE WHEN n.fortnightly THEN n.first_on + 14 * (u.i - 1)::int
                            ELSE (n.first_on + make_interval(months => (u.i - 1)::int))::date END, 'YYYY-MM-DD')) ORDER BY u.i) AS parts
            FROM unnest(n.parts) WITH ORDINALITY u(part, i)) p
        GROUP BY n.debtor_id, n.currency, n.amount, n.fortnightly, n.first_on, n.usual, n.best;
END
$$;
COMMENT ON FUNCTION dunning._plan_options(text[], timestamptz, text) IS 'plan_options() of many debtors, one row each; none where no plan fits.';

CREATE FUNCTION dunning.plan_options(debtor_id text, as_of timestamptz DEFAULT NULL, currency text DEFAULT NULL)
    RETURNS TABLE (option int, parts jsonb, count int, total numeric, frequency text, first_on date, last_on date, basis text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(plan_options.debtor_id);
BEGIN
    PERFORM dunning._check_as_of(plan_options.as_of);
    PERFORM dunning._check_offered(id);
    RETURN QUERY
        SELECT (o.o ->> 'option')::int, o.o -> 'parts', (o.o ->> 'count')::int, (o.o ->> 'total')::numeric, p.frequency, p.first_on, (o.o ->> 'last_on')::date, p.basis
        FROM dunning._plan_options(ARRAY[id], plan_options.as_of, plan_options.currency) p
        CROSS JOIN LATERAL jsonb_array_elements(p.options) o(o) ORDER BY 1;
END
$$;
COMMENT ON FUNCTION dunning.plan_options(text, timestamptz, text) IS
    'Instalment plans that fit the debtor: parts within what was paid in a month before, in the rhythm of the pay cycle, the first after the next likely payday; none where nothing fits (values plan_most_months, plan_least_part). Unknown debtor, or an as_of outside of the years 1 to 9999: 22023. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.plan_options(text, timestamptz, text) TO dunning_viewer;

CREATE FUNCTION dunning._check_offered(debtor_id text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF _check_offered.debtor_id IS NULL OR dunning._creditor_of(_check_offered.debtor_id) IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(_check_offered.debtor_id, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'The ledger has no such debtor.', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_offered(text) IS 'Nothing, or 22023 where the ledger has no such debtor.';

-- What would be offered of a kind without being told more: pure, many debtors at once; no row where nothing can be.
CREATE FUNCTION dunning._offer_terms(debtor_ids text[], kinds text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, kind text, creditor text, currency text, amount numeric, options jsonb, expires_on date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    expires date := today + dunning._value_of('offer_days')::int;
    later int := dunning._value_of('pay_later_days')::int;
    percent numeric := dunning._value_of('settlement_percent')::numeric;
BEGIN
    RETURN QUERY
        WITH u AS MATERIALIZED (SELECT DISTINCT ON (x.id) x.id, x.k FROM unnest(_offer_terms.debtor_ids, _offer_terms.kinds) x(id, k) WHERE x.k IS NOT NULL ORDER BY 1, 2),
        owed AS MATERIALIZED (
            SELECT a.debtor_id, a.creditor, a.currency, a.amount FROM dunning._asked_for(ARRAY(SELECT y.id FROM u y), _offer_terms.as_of) a WHERE a.ord = 1),
        cycle AS MATERIALIZED (
            SELECT c.debtor_id, c.next_date FROM dunning._pay_cycles(ARRAY(SELECT y.id FROM u y WHERE y.k IN ('pay_later', 'promise')), _offer_terms.as_of) c)
        SELECT p.debtor_id, 'instalments', o.creditor, p.currency, p.amount, p.options, least(expires, p.first_on)
        FROM dunning._plan_options(ARRAY(SELECT y.id FROM u y WHERE y.k = 'instalments'), _offer_terms.as_of) p
        JOIN owed o ON o.debtor_id = p.debtor_id
        UNION ALL
        SELECT o.debtor_id, u.k, o.creditor, o.currency, o.amount,
               jsonb_build_array(dunning._offer_option(1, jsonb_build_array(jsonb_build_object('currency', o.currency, 'due_on', to_char(t.due_on, 'YYYY-MM-DD'), 'amount',
                   CASE WHEN u.k = 'settlement' THEN trim_scale(ceil(o.amount * percent / 100 * power(10::numeric, scale(trim_scale(o.amount)))) / power(10::numeric, scale(trim_scale(o.amount))))
                        ELSE o.amount END)), 'once')),
               least(expires, t.due_on)
        FROM u
        JOIN owed o ON o.debtor_id = u.id
        LEFT JOIN cycle c ON c.debtor_id = u.id
        -- the day after payday, where that is within the days that one may wait
        CROSS JOIN LATERAL (SELECT CASE WHEN u.k = 'settlement' THEN expires WHEN c.next_date + 1 <= today + later THEN c.next_date + 1 ELSE today + least(14, later) END AS due_on) t
        WHERE u.k IN ('pay_later', 'promise') OR u.k = 'settlement' AND percent > 0 AND percent < 100;
END
$$;
COMMENT ON FUNCTION dunning._offer_terms(text[], text[], timestamptz) IS
    'The terms that each debtor would be offered as of an instant, by the kind asked for; none where the ledger, the limits or the rule for settlements (value settlement_percent) allow none.';
