-- Debtors whose payday is known, and what _payday() makes of their payments. Paydays are worked out here, day by day in SQL; how long
-- after one a payment comes may be another habit than the model has; one debtor in five has no payday, and the other payments come on any day.
-- helper.paydays(country) once, then helper.try(...) as often as wanted.

CREATE SCHEMA helper;
-- Where most wages are paid, as is commonly known.
CREATE TABLE helper.usual (country text, schedule text);
INSERT INTO helper.usual VALUES ('DK', 'last banking day'), ('GB', 'last banking day'), ('SE', 'day 25 of the month'), ('NO', 'day 12 of the month'), ('NO', 'day 15 of the month'), ('NO', 'day 20 of the month'),
    ('NO', 'day 25 of the month'), ('FI', 'day 15 of the month'), ('FI', 'last banking day'), ('DE', 'last banking day'), ('DE', 'day 1 of the month'), ('NL', 'day 23 of the month'), ('NL', 'day 24 of the month'), ('NL', 'day 25 of the month'),
    ('US', 'every Friday'), ('US', 'every second Friday (a)'), ('US', 'every second Friday (b)');
CREATE TABLE helper.payday (country text, schedule text, month int, nth int, times int, on_date date, PRIMARY KEY (country, schedule, month, nth));

-- Months from January 2021, numbered from 0; nth: which of the paydays of this month.
CREATE FUNCTION helper.paydays(country text) RETURNS bigint LANGUAGE sql AS $$
    WITH day AS MATERIALIZED (
        SELECT d::date AS d, extract(isodow FROM d) < 6 AND NOT EXISTS (
                   SELECT FROM dunning.calendar_dates(paydays.country, '2020-12-01', '2026-02-28') h WHERE h.on_date = d::date AND h.kind = 'holiday' AND h.effect = 'closed') AS banking
        FROM generate_series('2020-12-01'::date, '2026-02-28', '1 day') d),
    month AS (SELECT m::date AS first, (m + interval '1 month')::date - 1 AS last FROM generate_series('2021-01-01'::date, '2025-12-01', '1 month') m),
    made AS (
        SELECT CASE WHEN n = 31 THEN 'last banking day' ELSE format('day %s of the month', n) END AS schedule,
               (SELECT max(y.d) FROM day y WHERE y.banking AND y.d <= least(m.first + n - 1, m.last)) AS on_date
        FROM month m, generate_series(1, 31) n
        UNION ALL
        SELECT 'last banking day but one', (SELECT y.d FROM day y WHERE y.banking AND y.d <= m.last ORDER BY y.d DESC OFFSET 1 LIMIT 1) FROM month m
        UNION ALL
        SELECT format('every %s', trim(to_char(y.d, 'Day'))), y.d FROM day y WHERE extract(isodow FROM y.d) < 6
        UNION ALL
        -- Weeks of Julian days, of which number 0 was a Monday: which of the two is called (a) is a matter of names.
        SELECT format('every second %s (%s)', trim(to_char(y.d, 'Day')), CASE WHEN to_char(y.d, 'J')::int / 7 % 2 = 0 THEN 'a' ELSE 'b' END), y.d
        FROM day y WHERE extract(isodow FROM y.d) < 6),
    put AS (
        INSERT INTO helper.payday
        SELECT paydays.country, f.schedule, f.month, row_number() OVER w, count(*) OVER (PARTITION BY f.schedule, f.month), f.on_date
        FROM (SELECT DISTINCT x.schedule, ((extract(year FROM x.on_date) - 2021) * 12 + extract(month FROM x.on_date) - 1)::int AS month, x.on_date FROM made x) f
        WHERE f.month BETWEEN 0 AND 59 WINDOW w AS (PARTITION BY f.schedule, f.month ORDER BY f.on_date) RETURNING 1)
    SELECT count(*) FROM put;
$$;

-- n debtors with so many payments each, of which the share is tied to a payday; usual: the share of wages
-- that are paid as is usual in the country, the others by any schedule. lag: half or slow. booked: what falls on a weekend is booked on the Monday.
-- right: the likeliest schedule is the true one, however likely it is that there is none; shown: above 0.8; false_shown: shown for one who has none.
CREATE FUNCTION helper.try(country text, n int, payments int, share float8, seed float8, usual float8 DEFAULT 0.5, lag text DEFAULT 'half', booked boolean DEFAULT false,
        OUT debtors bigint, OUT scheduled bigint, OUT "right" bigint, OUT shown bigint, OUT shown_right bigint, OUT false_shown bigint) LANGUAGE plpgsql AS $$
DECLARE
    -- Chance to have paid by the day itself, the day after ...: each day half of the one before, or slower than any such rule.
    lags float8[] := CASE try.lag WHEN 'half' THEN '{0.504, 0.756, 0.882, 0.945, 0.976, 0.992}' WHEN 'slow' THEN '{0.42, 0.64, 0.78, 0.87, 0.93, 0.97}' END;
BEGIN
    PERFORM setseed(try.seed);
    WITH names AS MATERIALIZED (SELECT array_agg(DISTINCT p.schedule) AS a, ARRAY(SELECT u.schedule FROM helper.usual u WHERE u.country = try.country) AS u FROM helper.payday p WHERE p.country = try.country),
    debtor AS MATERIALIZED (
        SELECT i, CASE WHEN random() >= 0.8 THEN NULL WHEN random() < try.usual THEN names.u[1 + floor(random() * cardinality(names.u))::int] ELSE names.a[1 + floor(random() * cardinality(names.a))::int] END AS truth, floor(random() * 24)::int + 30 AS latest FROM names, generate_series(1, try.n) i),
    -- One payment a month, now and then a month without: a payment of the wages' day has some of the month's paydays to choose from.
    due AS MATERIALIZED (
        SELECT d.i, d.truth, d.latest - j - floor(j * 0.2)::int AS month, random() < try.share AS tied, random() AS which, random() AS late, random() AS any
        FROM debtor d, generate_series(0, try.payments - 1) j),
    paid AS (
        SELECT u.i, u.truth, CASE WHEN u.tied AND u.truth IS NOT NULL
            THEN p.on_date + (SELECT count(*)::int FROM unnest(lags) l(l) WHERE u.late >= l.l)
            ELSE (date '2021-01-01' + u.month * interval '1 month' + floor(u.any * 30.44) * interval '1 day')::date END AS d
        FROM due u LEFT JOIN helper.payday p ON u.tied AND p.country = try.country AND p.schedule = u.truth AND p.month = u.month AND p.nth = 1 + floor(u.which * p.times)),
    booked AS (
        SELECT p.i, p.truth, CASE WHEN try.booked THEN p.d + greatest(0, 8 - extract(isodow FROM p.d)::int) % 3 * (extract(isodow FROM p.d) > 5)::int ELSE p.d END AS d FROM paid p),
    history AS (SELECT b.i, b.truth, array_agg(b.d ORDER BY b.d DESC) AS dates FROM booked b GROUP BY 1, 2),
    answer AS MATERIALIZED (
        SELECT h.truth, y.schedule, y.probability FROM history h
        CROSS JOIN LATERAL (SELECT CASE y.schedule WHEN 'day 31 of the month' THEN 'last banking day' ELSE y.schedule END AS schedule, sum(y.probability) AS probability,
                                   max(y.probability) AS alone
                            FROM dunning._payday(try.country, h.dates, h.dates[1] + 1) y GROUP BY 1 ORDER BY bool_or(y.schedule = 'none'), max(y.probability) DESC, 1 LIMIT 1) y)
    SELECT count(*), count(a.truth), count(*) FILTER (WHERE a.schedule = a.truth),
           count(*) FILTER (WHERE a.probability > 0.8 AND a.schedule <> 'none'), count(*) FILTER (WHERE a.probability > 0.8 AND a.schedule = a.truth),
           count(*) FILTER (WHERE a.probability > 0.8 AND a.schedule <> 'none' AND a.truth IS NULL)
    INTO debtors, scheduled, "right", shown, shown_right, false_shown FROM answer a;
END
$$;
