-- A billing schema as somebody else would have built it, filled with generated data.
-- psql variables: debtors (20000), seed (1), t0 (the demo's first day, a date).
--
-- Habits, per debtor: how late, on which payday, reachable how. Shares of invoices come out at about 29 % paid on
-- time; half of the late ones paid before any reminder; about 10 % at a reminder; under 3 % reach collection.
-- Everything follows from a hash of (what, number, seed): the same seed gives the same book.

CREATE SCHEMA billing;
CREATE SCHEMA demo;

-- u('label', n): a uniform number in [0,1) that depends on label, n and the seed alone. Cast by name: text || bigint is only
-- stable, and a function that calls it would not be inlined.
CREATE FUNCTION demo.u(label text, n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashtextextended(label || n::text, 1) & 9007199254740991)::float8 / 9007199254740992.0;
SELECT format($f$CREATE OR REPLACE FUNCTION demo.u(label text, n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashtextextended(label || n::text, %s) & 9007199254740991)::float8 / 9007199254740992.0$f$, :seed) \gexec

CREATE TABLE billing.kunde (
    kundenr     bigint PRIMARY KEY,
    selskab     text NOT NULL,              -- whose customer: two creditors share this system
    cpr_cvr     text NOT NULL,              -- the person or company behind it
    type        char(1) NOT NULL,           -- P person, E enterprise
    fornavn     text,
    navn        text NOT NULL,
    sprog       text NOT NULL,
    land        char(2) NOT NULL,
    tidszone    text,
    mail        text,
    mobil       text,
    gade        text,
    postnr      text,
    "by"        text,
    samtykke    jsonb
);
CREATE TABLE billing.faktura (
    fakturanr   bigint PRIMARY KEY,
    kundenr     bigint NOT NULL,
    udstedt     date NOT NULL,
    forfald     date NOT NULL,
    beloeb      numeric(12,2) NOT NULL,
    valuta      char(3) NOT NULL,
    omtvistet   timestamptz
);
CREATE TABLE billing.indbetaling (
    id          bigint PRIMARY KEY,
    kundenr     bigint NOT NULL,
    fakturanr   bigint,
    tidspunkt   timestamptz NOT NULL,
    beloeb      numeric(12,2) NOT NULL,
    valuta      char(3) NOT NULL
);

-- What only the demo knows.
CREATE TABLE demo.habit AS
SELECT n AS kundenr,
       CASE WHEN u_type < .20 THEN 'prompt' WHEN u_type < .66 THEN 'average' WHEN u_type < .93 THEN 'late' ELSE 'stretched' END AS kind,
       1 + floor(demo.u('payday', n) * 28)::int AS payday,
       demo.u('tied', n) < .5 AS tied,                          -- pays on payday
       (.15 + .75 * demo.u('mail', n))::float8 AS by_email,     -- chance that a message on this channel makes them pay
       (.25 + .70 * demo.u('sms', n))::float8 AS by_sms,
       (.10 + .40 * demo.u('letter', n))::float8 AS by_letter,
       (.30 + .60 * demo.u('call', n))::float8 AS by_call
FROM (SELECT 100000 + i AS n, demo.u('type', 100000 + i) AS u_type FROM generate_series(1, :debtors) i) x;
ALTER TABLE demo.habit ADD PRIMARY KEY (kundenr);

INSERT INTO billing.kunde
SELECT n, CASE WHEN demo.u('creditor', n) < .6 THEN 'nordlys' ELSE 'havneby' END,
       CASE WHEN demo.u('shared', n) < .03 THEN 'P' || (n - 1) ELSE 'P' || n END,
       CASE WHEN company THEN 'E' ELSE 'P' END,
       CASE WHEN company THEN NULL ELSE first END,
       CASE WHEN company THEN last || (ARRAY[' ApS', ' AB', ' AS', ' GmbH', ' BV', ' Ltd'])[lang] ELSE first || ' ' || last END,
       (ARRAY['da', 'sv', 'nb', 'de', 'nl', 'en'])[lang],
       (ARRAY['DK', 'SE', 'NO', 'DE', 'NL', 'GB'])[lang],
       (ARRAY['Europe/Copenhagen', 'Europe/Stockholm', 'Europe/Oslo', 'Europe/Berlin', 'Europe/Amsterdam', 'Europe/London'])[lang],
       CASE WHEN demo.u('has mail', n) < .92 THEN 'kunde' || n || '@debtors.test' END,
       CASE WHEN demo.u('has mobile', n) < .88 THEN (ARRAY['+4520', '+4670', '+4740', '+49151', '+3161', '+4477'])[lang] || lpad((n % 1000000)::text, 6, '0') END,
       (ARRAY['Strandvejen', 'Storgatan', 'Kirkegata', 'Lindenallee', 'Dorpsstraat', 'Mill Lane'])[lang] || ' ' || (1 + n % 140),
       (1000 + n % 8999)::text, (ARRAY['Aarhus', 'Uppsala', 'Bergen', 'Kiel', 'Utrecht', 'Leeds'])[lang],
       CASE WHEN demo.u('consent', n) < .04 THEN '{"sms": false}'::jsonb WHEN demo.u('consent', n) < .05 THEN '{"email": false}'::jsonb END
FROM (
    SELECT n, lang, demo.u('company', n) < .12 AS company,
           (ARRAY['Kirsten', 'Mads', 'Astrid', 'Jürgen', 'Sanne', 'Oliver', 'Åse', 'Lars', 'Ingrid', 'Björn', 'Fleur', 'Grace', 'Søren', 'Maja'])[1 + floor(demo.u('first', n) * 14)::int] AS first,
           (ARRAY['Hansen', 'Nilsson', 'Haugen', 'Schröder', 'de Vries', 'Taylor', 'Østergaard', 'Lindqvist', 'Berg', 'Weiß', 'Jansen', 'O''Neill'])[1 + floor(demo.u('last', n) * 12)::int] AS last
    FROM (SELECT kundenr AS n, (ARRAY[1,1,1,1,2,2,3,3,4,5,6])[1 + floor(demo.u('land', kundenr) * 11)::int] AS lang FROM demo.habit) x
) y;

-- When each invoice would be paid if nobody said anything (NULL: never within sight). Materialized: pulled up, each draw would be
-- made anew wherever it is named.
CREATE TABLE demo.truth AS
WITH inv AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY k, h.kundenr) + 500000 AS fakturanr, h.*,
           -- one a month, the last issued some days before t0, spread over the month
           (date :'t0' - (30 * (m - k)) - (5 + floor(demo.u('day', h.kundenr) * 30)::int)) AS udstedt
    FROM demo.habit h
    CROSS JOIN LATERAL (SELECT 7 + (demo.u('months', h.kundenr) < .5)::int AS m) x
    CROSS JOIN LATERAL generate_series(1, m) k
), u AS MATERIALIZED (
    SELECT inv.*, udstedt + 14 AS forfald, demo.u('when', fakturanr) AS w, demo.u('late', fakturanr) AS v,
           (CASE kind WHEN 'prompt' THEN .78 WHEN 'average' THEN .24 WHEN 'late' THEN .05 ELSE .03 END) AS on_time,
           (CASE kind WHEN 'prompt' THEN .18 WHEN 'average' THEN .48 WHEN 'late' THEN .32 ELSE .10 END) AS self_cure,
           (CASE kind WHEN 'prompt' THEN .03 WHEN 'average' THEN .20 WHEN 'late' THEN .36 ELSE .32 END) AS slow,
           (CASE kind WHEN 'prompt' THEN .008 WHEN 'average' THEN .072 WHEN 'late' THEN .240 ELSE .36 END) AS at_reminder
    FROM inv
), paid AS MATERIALIZED (
    SELECT u.*,
           CASE WHEN w < on_time THEN forfald - floor(v * 8)::int
                WHEN w < on_time + self_cure THEN forfald + 1 + floor(v * 9)::int
                WHEN w < on_time + self_cure + slow THEN forfald + 10 + floor(v * 16)::int
                WHEN w < on_time + self_cure + slow + at_reminder THEN forfald + 26 + floor(v * 30)::int
           END AS natural_on
    FROM u
)
SELECT fakturanr, kundenr, kind, udstedt, forfald,
       round((25 + 400 * power(demo.u('amount', fakturanr), 3) * CASE WHEN kind = 'stretched' THEN 1.6 ELSE 1 END)::numeric, 2)
           * CASE k.valuta WHEN 'DKK' THEN 7 WHEN 'SEK' THEN 11 WHEN 'NOK' THEN 11 ELSE 1 END AS beloeb,
       k.valuta, tied, payday,
       -- those tied to a payday wait for it, but never into another class of lateness
       ((CASE WHEN tied AND natural_on IS NOT NULL AND natural_on > forfald
              THEN greatest(forfald + 1, least(natural_on + 6, natural_on + ((payday - extract(day FROM natural_on)::int + 31) % 31) * (((payday - extract(day FROM natural_on)::int + 31) % 31) <= 6)::int))
              ELSE natural_on END)
        + make_interval(mins => (8 * 60 + floor(demo.u('minute', fakturanr) * 840))::int))::timestamp AT TIME ZONE 'Europe/Copenhagen' AS natural_at,
       demo.u('dispute', fakturanr) < .01 AS disputed
FROM paid
CROSS JOIN LATERAL (SELECT CASE land WHEN 'DK' THEN 'DKK' WHEN 'SE' THEN 'SEK' WHEN 'NO' THEN 'NOK' WHEN 'GB' THEN 'GBP' ELSE 'EUR' END AS valuta
                    FROM billing.kunde b WHERE b.kundenr = paid.kundenr) k;
ALTER TABLE demo.truth ADD PRIMARY KEY (fakturanr);
CREATE INDEX ON demo.truth (kundenr);

INSERT INTO billing.faktura
SELECT fakturanr, kundenr, udstedt, forfald, beloeb, valuta,
       CASE WHEN disputed AND forfald + 3 < date :'t0' AND natural_at >= :'t0'::timestamptz THEN (forfald + 3)::timestamptz END
FROM demo.truth;
INSERT INTO billing.indbetaling
SELECT fakturanr, kundenr, CASE WHEN demo.u('unallocated', fakturanr) < .9 THEN fakturanr END, natural_at, beloeb, valuta
FROM demo.truth WHERE natural_at < :'t0'::timestamptz;
CREATE INDEX ON billing.faktura (kundenr);
CREATE INDEX ON billing.indbetaling (kundenr);
ANALYZE billing.kunde, billing.faktura, billing.indbetaling, demo.truth, demo.habit;
