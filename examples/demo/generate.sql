-- A billing schema as somebody else would have built it, filled with generated data.
-- psql variables: debtors (20000), seed (1), t0 (the demo's first day, a date), habits (path of a file of habits/).
--
-- Who they are and how they pay stands in habits/*.sql: kinds of payers, countries, paydays, what they read. Everything else follows from
-- a hash of (what, number, seed): the same seed gives the same book.

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
CREATE TABLE demo.world (
    company     float8,                     -- share of companies
    terms       int,                        -- days to pay
    tied        float8,                     -- share of those who pay on payday
    paydays     int[],
    base        float8,                     -- an invoice in EUR: base + spread * u^3
    spread      float8,
    has_mail    float8,
    has_mobile  float8,
    no_sms      float8,                     -- share of those who forbade it
    no_mail     float8
);
CREATE TABLE demo.kind (                    -- what becomes of an invoice of such a payer if nobody says anything; the rest is never paid
    ord         int,
    kind        text PRIMARY KEY,
    share       float8,
    on_time     float8,
    self_cure   float8,                     -- one to nine days late
    slow        float8,                     -- ten to 25 days late
    at_reminder float8,                     -- 26 to 55 days late
    heeds       float8,                     -- of the contacts that are read, those that make them pay
    owes        float8                      -- times a usual invoice
);
-- The chance that a debtor takes notice of a message on this channel lies between low and high. With `heeds` a first reminder moves about
-- three in ten by e-mail (20 to 30 % of newsletters are opened, and mail to one person more), four in ten by SMS (nearly all are
-- read; six in ten who got SMS paid before collection), one in four by letter (as the plain letter of the British tax office did).
CREATE TABLE demo.reads (channel text PRIMARY KEY, low float8, high float8);
CREATE TABLE demo.place (ord int PRIMARY KEY, weight int, lang text, land text, zone text, phone text, company text, street text, city text, currency text);
\i :habits

CREATE TABLE demo.habit AS
WITH kind AS (SELECT k.kind, sum(k.share) OVER w - k.share AS above, sum(k.share) OVER w AS upto, k.ord = max(k.ord) OVER () AS last, k.heeds FROM demo.kind k WINDOW w AS (ORDER BY k.ord)),
reads AS (SELECT jsonb_object_agg(channel, low) AS low, jsonb_object_agg(channel, high - low) AS more FROM demo.reads)
SELECT n AS kundenr, k.kind, k.heeds,
       w.paydays[1 + floor(demo.u('payday', n) * cardinality(w.paydays))::int] AS payday,
       demo.u('tied', n) < w.tied AS tied,
       (r.low->>'email')::float8 + (r.more->>'email')::float8 * demo.u('mail', n) AS by_email,
       (r.low->>'sms')::float8 + (r.more->>'sms')::float8 * demo.u('sms', n) AS by_sms,
       (r.low->>'letter')::float8 + (r.more->>'letter')::float8 * demo.u('letter', n) AS by_letter,
       (r.low->>'call')::float8 + (r.more->>'call')::float8 * demo.u('call', n) AS by_call
FROM (SELECT 100000 + i AS n, demo.u('type', 100000 + i) AS u FROM generate_series(1, :debtors) i) x
JOIN kind k ON x.u >= k.above AND (x.u < k.upto OR k.last), demo.world w, reads r;
ALTER TABLE demo.habit ADD PRIMARY KEY (kundenr);

INSERT INTO billing.kunde
WITH places AS (SELECT array_agg(p.ord ORDER BY p.ord) AS ords FROM demo.place p, generate_series(1, p.weight)),
lived AS MATERIALIZED (
    SELECT h.kundenr AS n, demo.u('company', h.kundenr) < w.company AS is_company, q.ords[1 + floor(demo.u('land', h.kundenr) * cardinality(q.ords))::int] AS ord,
           (ARRAY['Kirsten', 'Mads', 'Astrid', 'Jürgen', 'Sanne', 'Oliver', 'Åse', 'Lars', 'Ingrid', 'Björn', 'Fleur', 'Grace', 'Søren', 'Maja'])[1 + floor(demo.u('first', h.kundenr) * 14)::int] AS first,
           (ARRAY['Hansen', 'Nilsson', 'Haugen', 'Schröder', 'de Vries', 'Taylor', 'Østergaard', 'Lindqvist', 'Berg', 'Weiß', 'Jansen', 'O''Neill'])[1 + floor(demo.u('last', h.kundenr) * 12)::int] AS last
    FROM demo.habit h, demo.world w, places q)
SELECT l.n, CASE WHEN demo.u('creditor', l.n) < .6 THEN 'nordlys' ELSE 'havneby' END,
       CASE WHEN demo.u('shared', l.n) < .03 THEN 'P' || (l.n - 1) ELSE 'P' || l.n END,
       CASE WHEN l.is_company THEN 'E' ELSE 'P' END,
       CASE WHEN l.is_company THEN NULL ELSE l.first END,
       CASE WHEN l.is_company THEN l.last || p.company ELSE l.first || ' ' || l.last END,
       p.lang, p.land, p.zone,
       CASE WHEN demo.u('has mail', l.n) < w.has_mail THEN 'kunde' || l.n || '@debtors.test' END,
       CASE WHEN demo.u('has mobile', l.n) < w.has_mobile THEN p.phone || lpad((l.n % 1000000)::text, 6, '0') END,
       p.street || ' ' || (1 + l.n % 140), (1000 + l.n % 8999)::text, p.city,
       CASE WHEN demo.u('consent', l.n) < w.no_sms THEN '{"sms": false}'::jsonb WHEN demo.u('consent', l.n) < w.no_sms + w.no_mail THEN '{"email": false}'::jsonb END
FROM lived l JOIN demo.place p USING (ord), demo.world w;

-- When each invoice would be paid if nobody said anything (NULL: never within sight). Materialized: pulled up, each draw would be
-- made anew wherever it is named.
CREATE TABLE demo.truth AS
WITH inv AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY k, h.kundenr) + 500000 AS fakturanr, h.*, w.terms, w.base, w.spread,
           -- one a month, spread over it, the last but one issued some days before t0; advance() books the last as its day comes
           (date :'t0' - (30 * (m - k)) - (5 + floor(demo.u('day', h.kundenr) * 30)::int)) AS udstedt
    FROM demo.world w CROSS JOIN demo.habit h
    CROSS JOIN LATERAL (SELECT 7 + (demo.u('months', h.kundenr) < .5)::int AS m) x
    CROSS JOIN LATERAL generate_series(1, m + 1) k
), u AS MATERIALIZED (
    SELECT inv.*, udstedt + terms AS forfald, demo.u('when', fakturanr) AS w, demo.u('late', fakturanr) AS v, c.on_time, c.self_cure, c.slow, c.at_reminder, c.owes
    FROM inv JOIN demo.kind c USING (kind)
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
       round((base + spread * power(demo.u('amount', fakturanr), 3) * owes)::numeric, 2)
           * CASE k.valuta WHEN 'DKK' THEN 7 WHEN 'SEK' THEN 11 WHEN 'NOK' THEN 11 ELSE 1 END AS beloeb,
       k.valuta, tied, payday,
       -- those tied to a payday wait for it, but never into another class of lateness
       ((CASE WHEN tied AND natural_on IS NOT NULL AND natural_on > forfald
              THEN greatest(forfald + 1, least(natural_on + 6, natural_on + ((payday - extract(day FROM natural_on)::int + 31) % 31) * (((payday - extract(day FROM natural_on)::int + 31) % 31) <= 6)::int))
              ELSE natural_on END)
        + make_interval(mins => (8 * 60 + floor(demo.u('minute', fakturanr) * 840))::int))::timestamp AT TIME ZONE 'Europe/Copenhagen' AS natural_at,
       demo.u('dispute', fakturanr) < .01 AS disputed
FROM paid
CROSS JOIN LATERAL (SELECT p.currency AS valuta FROM billing.kunde b JOIN demo.place p ON p.land = b.land WHERE b.kundenr = paid.kundenr) k;
ALTER TABLE demo.truth ADD PRIMARY KEY (fakturanr);
CREATE INDEX ON demo.truth (kundenr);

INSERT INTO billing.faktura
SELECT fakturanr, kundenr, udstedt, forfald, beloeb, valuta,
       CASE WHEN disputed AND forfald + 3 < date :'t0' AND natural_at >= :'t0'::timestamptz THEN (forfald + 3)::timestamptz END
FROM demo.truth WHERE udstedt < date :'t0';
INSERT INTO billing.indbetaling
SELECT fakturanr, kundenr, CASE WHEN demo.u('unallocated', fakturanr) < .9 THEN fakturanr END, natural_at, beloeb, valuta
FROM demo.truth WHERE natural_at < :'t0'::timestamptz;
CREATE INDEX ON billing.faktura (kundenr);
CREATE INDEX ON billing.indbetaling (kundenr);
ANALYZE billing.kunde, billing.faktura, billing.indbetaling, demo.truth, demo.habit, demo.place, demo.kind;
