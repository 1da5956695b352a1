-- What matters, beside a letter at 10, 20 and 30 days past due on the same book, the same habits and the same days.
-- A letter works later than an SMS: money is counted until ten days after the last contact day, on both sides.
WITH span AS (
    SELECT date :'first_day' AS t0, dunning._now() AS t1, dunning._now() + interval '10 days' AS t2
), letters AS (     -- one letter a debtor and day, about whatever is then unpaid; on the first day what was missed is caught up once
    SELECT t.*, d.n, (greatest(t.forfald + d.n * 10, span.t0) + time '10:00') AT TIME ZONE 'Europe/Copenhagen' AS at
    FROM demo.truth t, span, generate_series(1, 3) d(n)
    WHERE t.forfald + d.n * 10 <= span.t1::date AND (d.n = 3 OR t.forfald + (d.n + 1) * 10 > span.t0)
), moved AS (
    SELECT DISTINCT ON (fakturanr) fakturanr, demo.pays_at(fakturanr, nth, 'letter', at, tied, payday) AS pays_at
    FROM (SELECT l.*, h.by_letter, row_number() OVER (PARTITION BY fakturanr ORDER BY at) AS nth
          FROM letters l JOIN demo.habit h USING (kundenr) WHERE l.natural_at IS NULL OR l.natural_at > l.at) x
    WHERE demo.moves(fakturanr, nth, by_letter, kind)
    ORDER BY fakturanr, nth
), sent AS (        -- not sent once it is paid
    SELECT DISTINCT l.kundenr, l.at FROM letters l LEFT JOIN moved m USING (fakturanr)
    WHERE least(l.natural_at, m.pays_at) IS NULL OR least(l.natural_at, m.pays_at) > l.at
), overdue AS (     -- every invoice that was, or came to be, overdue in these days
    SELECT t.*, least(t.natural_at, w.pays_at) AS with_us, least(t.natural_at, m.pays_at) AS with_letters
    FROM demo.truth t CROSS JOIN span LEFT JOIN demo.moved w USING (fakturanr) LEFT JOIN moved m USING (fakturanr)
    WHERE t.forfald < span.t1::date AND (t.natural_at IS NULL OR t.natural_at >= span.t0)
), money AS (
    SELECT sum(demo.eur(beloeb, valuta)) FILTER (WHERE with_us <= t2) AS us, sum(demo.eur(beloeb, valuta)) FILTER (WHERE with_letters <= t2) AS letters,
           sum(demo.eur(beloeb, valuta)) FILTER (WHERE natural_at <= t2) AS nobody, sum(demo.eur(beloeb, valuta)) AS due, count(DISTINCT kundenr) AS debtors
    FROM overdue, span
), due_now AS (     -- fell due in these days: paid by then?
    SELECT avg((least(t.natural_at, w.pays_at) < t.forfald + 1)::int) AS us, avg((least(t.natural_at, m.pays_at) < t.forfald + 1)::int) AS letters
    FROM demo.truth t CROSS JOIN span LEFT JOIN demo.moved w USING (fakturanr) LEFT JOIN moved m USING (fakturanr)
    WHERE t.forfald BETWEEN span.t0 + 2 AND span.t1::date + 2
), ours AS (
    SELECT count(*) AS contacts, count(DISTINCT kundenr) AS debtors,
           (SELECT coalesce(sum(demo.eur(e.cost, e.cost_currency)), 0) FROM dunning.egress e WHERE NOT e.test) AS cost,
           count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM billing.faktura f LEFT JOIN billing.indbetaling b ON b.id = f.fakturanr
               WHERE f.kundenr = c.kundenr AND f.udstedt <= c.at::date AND (b.tidspunkt IS NULL OR b.tidspunkt > c.at))) AS paid_but_contacted
    FROM demo.contact c
), theirs AS (
    SELECT count(*) AS contacts, count(DISTINCT kundenr) AS debtors, count(*) * 1.20 AS cost FROM sent
)
SELECT f.what, f.us AS dunning, f.letters AS "letters 10/20/30"
FROM ours o, theirs t, money m, due_now d, LATERAL (VALUES
    (1, 'contacts', to_char(o.contacts, 'FM999,990'), to_char(t.contacts, 'FM999,990')),
    (2, 'paid but contacted', o.paid_but_contacted::text, '-'),
    (3, 'contacts per debtor contacted', round(o.contacts::numeric / nullif(o.debtors, 0), 2)::text, round(t.contacts::numeric / nullif(t.debtors, 0), 2)::text),
    (4, 'share of overdue debtors reached', round(100.0 * o.debtors / m.debtors) || ' %', round(100.0 * t.debtors / m.debtors) || ' %'),
    (5, 'paid on time, of what fell due', round(100 * d.us, 1) || ' %', round(100 * d.letters, 1) || ' %'),
    (6, 'collected, EUR (ten more days)', to_char(m.us, 'FM9,999,990'), to_char(m.letters, 'FM9,999,990')),
    (7, 'of that more than with no contact, EUR', to_char(m.us - m.nobody, 'FM9,999,990'), to_char(m.letters - m.nobody, 'FM9,999,990')),
    (8, 'cost, EUR', to_char(o.cost, 'FM9,999,990.00'), to_char(t.cost, 'FM9,999,990.00')),
    (9, 'cost per 100 EUR collected', round(100 * o.cost / nullif(m.us, 0), 3)::text, round(100 * t.cost / nullif(m.letters, 0), 3)::text),
    (10, 'cost per 100 EUR moved', round(100 * o.cost / nullif(m.us - m.nobody, 0), 3)::text, round(100 * t.cost / nullif(m.letters - m.nobody, 0), 3)::text)
) f(ord, what, us, letters)
ORDER BY f.ord;
