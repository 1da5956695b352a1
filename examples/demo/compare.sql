-- What matters, beside letters on the same book (baseline.sql). psql variable: first_day.
-- A letter works later than an SMS: money is counted until ten days after the last contact day, on both sides.
\o /dev/null
CALL demo.letters(:'first_day', dunning._now()::date);

-- One row a debtor, both worlds side by side.
CREATE TABLE demo.result AS
WITH span AS (SELECT date :'first_day' AS t0, dunning._now() AS t1, dunning._now() + interval '10 days' AS t2),
invoice AS (
    SELECT t.kundenr, demo.eur(t.beloeb, t.valuta)::float8 AS eur, least(t.natural_at, w.pays_at) AS ours, least(t.natural_at, l.pays_at) AS theirs, t.natural_at AS nobodys, t.forfald + 1 AS until,
           t.forfald < span.t1::date AND (t.natural_at IS NULL OR t.natural_at >= span.t0) AS overdue,     -- was, or came to be, overdue in these days
           t.forfald BETWEEN span.t0 + 2 AND span.t1::date + 2 AS fell_due
    FROM demo.truth t CROSS JOIN span
    LEFT JOIN demo.moved w ON w.world = 'dunning' AND w.fakturanr = t.fakturanr
    LEFT JOIN demo.moved l ON l.world = 'letters' AND l.fakturanr = t.fakturanr
    WHERE t.natural_at IS NULL OR t.natural_at >= span.t0 OR t.forfald >= span.t0),
money AS (
    SELECT i.kundenr, bool_or(overdue) AS overdue, sum(eur) FILTER (WHERE overdue AND ours <= t2) AS ours, sum(eur) FILTER (WHERE overdue AND theirs <= t2) AS theirs,
           sum(eur) FILTER (WHERE overdue AND nobodys <= t2) AS nobodys, count(*) FILTER (WHERE fell_due) AS fell_due,
           count(*) FILTER (WHERE fell_due AND ours < until) AS our_on_time, count(*) FILTER (WHERE fell_due AND theirs < until) AS their_on_time
    FROM invoice i, span GROUP BY 1),
ours AS (SELECT kundenr, count(*) AS n, sum(cost)::float8 AS cost FROM demo.contact GROUP BY 1),
theirs AS (SELECT kundenr, count(*) AS n, count(*) * 1.20 AS cost FROM demo.letter GROUP BY 1)
SELECT h.kundenr, k.cpr_cvr AS person, coalesce(m.overdue, false) AS overdue, coalesce(o.n, 0) AS our_contacts, coalesce(t.n, 0) AS their_contacts,
       coalesce(o.cost, 0) AS our_cost, coalesce(t.cost, 0)::float8 AS their_cost, coalesce(m.ours, 0) AS our_eur, coalesce(m.theirs, 0) AS their_eur, coalesce(m.nobodys, 0) AS nobodys_eur,
       coalesce(m.fell_due, 0) AS fell_due, coalesce(m.our_on_time, 0) AS our_on_time, coalesce(m.their_on_time, 0) AS their_on_time
FROM demo.habit h JOIN billing.kunde k USING (kundenr) LEFT JOIN money m USING (kundenr) LEFT JOIN ours o USING (kundenr) LEFT JOIN theirs t USING (kundenr);

-- The paired bootstrap: persons in 200 blocks by lot, a thousand books of 200 blocks drawn with replacement. Draw 0 is the book itself.
CREATE TABLE demo.drawn AS
WITH block AS MATERIALIZED (
    SELECT (hashtextextended(person, 7) & 9007199254740991) % 200 AS block, count(*) AS debtors, sum(our_contacts) AS our_contacts, sum(their_contacts) AS their_contacts, sum(our_cost) AS our_cost,
           sum(their_cost) AS their_cost, sum(our_eur) AS our_eur, sum(their_eur) AS their_eur, sum(fell_due) AS fell_due, sum(our_on_time) AS our_on_time, sum(their_on_time) AS their_on_time
    FROM demo.result GROUP BY 1),
lot AS MATERIALIZED (
    SELECT draw, floor(demo.u('draw ' || draw || ' ', k) * 200)::bigint AS block FROM generate_series(1, 1000) draw, generate_series(1, 200) k
    UNION ALL SELECT 0, k FROM generate_series(0, 199) k)
SELECT draw, f.*
FROM (SELECT draw, sum(debtors) AS debtors, sum(our_contacts) AS our_contacts, sum(their_contacts) AS their_contacts, sum(our_cost) AS our_cost, sum(their_cost) AS their_cost, sum(our_eur) AS our_eur,
             sum(their_eur) AS their_eur, sum(fell_due) AS fell_due, sum(our_on_time) AS our_on_time, sum(their_on_time) AS their_on_time
      FROM lot JOIN block USING (block) GROUP BY 1) s,
     LATERAL (VALUES
        ('contacts per 100 debtors',          100 * our_contacts / debtors,             100 * their_contacts / debtors),
        ('contacts per 100 EUR collected',    (100 * our_contacts / our_eur)::numeric,  (100 * their_contacts / their_eur)::numeric),
        ('cost per 100 EUR collected, EUR',   (100 * our_cost / our_eur)::numeric,      (100 * their_cost / their_eur)::numeric),
        ('collected per 100 debtors, EUR',    (100 * our_eur / debtors)::numeric,       (100 * their_eur / debtors)::numeric),
        ('paid on time, % of what fell due',  100.0 * our_on_time / fell_due,           100.0 * their_on_time / fell_due)) f(what, us, letters);

CREATE VIEW demo.figure AS
SELECT b.what, b.us, b.letters, b.us - b.letters AS difference, i.low, i.high,
       CASE WHEN b.what ~ '^(collected|paid)' THEN i.low > 0 ELSE i.high < 0 END AS better
FROM demo.drawn b
JOIN (SELECT what, percentile_cont(.025) WITHIN GROUP (ORDER BY us - letters) AS low, percentile_cont(.975) WITHIN GROUP (ORDER BY us - letters) AS high
      FROM demo.drawn WHERE draw > 0 GROUP BY 1) i USING (what)
WHERE b.draw = 0;
\o

WITH sums AS (
    SELECT sum(our_contacts) AS contacts, sum(their_contacts) AS letters, sum(our_cost) AS cost, sum(their_cost) AS letters_cost, sum(our_eur) AS eur, sum(their_eur) AS letters_eur, sum(nobodys_eur) AS nobodys_eur,
           count(*) FILTER (WHERE our_contacts > 0) AS reached, count(*) FILTER (WHERE their_contacts > 0) AS letters_reached, count(*) FILTER (WHERE overdue) AS overdue
    FROM demo.result),
late AS (   -- everything the debtor had was paid when the contact left
    SELECT count(*) AS n FROM demo.heard c
    WHERE NOT EXISTS (SELECT FROM billing.faktura f LEFT JOIN billing.indbetaling b ON b.id = f.fakturanr
                      WHERE f.kundenr = c.kundenr AND f.udstedt <= c.at::date AND (b.tidspunkt IS NULL OR b.tidspunkt > c.at)))
SELECT f.what, f.us AS dunning, f.letters AS "letters 10/20/30"
FROM sums s, late, LATERAL (VALUES
    (1, 'contacts', to_char(s.contacts, 'FM999,990'), to_char(s.letters, 'FM999,990')),
    (2, 'paid but contacted', late.n::text, '0'),
    (3, 'contacts per debtor contacted', round(s.contacts::numeric / nullif(s.reached, 0), 2)::text, round(s.letters::numeric / nullif(s.letters_reached, 0), 2)::text),
    (4, 'collected, EUR (ten more days)', to_char(s.eur, 'FM99,999,990'), to_char(s.letters_eur, 'FM99,999,990')),
    (5, 'of that more than with no contact, EUR', to_char(s.eur - s.nobodys_eur, 'FM9,999,990'), to_char(s.letters_eur - s.nobodys_eur, 'FM9,999,990')),
    (6, 'cost, EUR', to_char(s.cost, 'FM9,999,990.00'), to_char(s.letters_cost, 'FM9,999,990.00')),
    (7, 'cost per 100 EUR moved', round((100 * s.cost / nullif(s.eur - s.nobodys_eur, 0))::numeric, 2)::text, round((100 * s.letters_cost / nullif(s.letters_eur - s.nobodys_eur, 0))::numeric, 2)::text)
) f(ord, what, us, letters)
ORDER BY f.ord;

SELECT what, round(us, 2) AS dunning, round(letters, 2) AS "letters 10/20/30", to_char(difference, 'FMS9,990.00') AS difference,
       format('%s to %s', to_char(low, 'FMS9,990.00'), to_char(high, 'FMS9,990.00')) AS "95 % interval", CASE WHEN better THEN 'better' WHEN low > 0 OR high < 0 THEN 'worse' ELSE 'no difference shown' END AS verdict
FROM demo.figure ORDER BY array_position('{contacts per 100 debtors,contacts per 100 EUR collected,"cost per 100 EUR collected, EUR","collected per 100 debtors, EUR","paid on time, % of what fell due"}'::text[], what);
