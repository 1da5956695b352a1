-- What "may be contacted at this instant" means, said another way than the mask says it: rules are read by regular expressions into ranges of minutes,
-- local time comes from AT TIME ZONE, holidays from lists that were published, and every end of every zone is looked at by itself.
-- \set seed: another world.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA ref;
CREATE TABLE ref.published (place text, year int, days text);
\copy ref.published FROM 'test/property/mask/holidays.tsv'

CREATE TABLE ref.holiday (place text, d date, PRIMARY KEY (place, d));
INSERT INTO ref.holiday SELECT p.place, (p.year || '-' || x.x)::date FROM ref.published p, unnest(string_to_array(p.days, ' ')) x(x);
INSERT INTO ref.holiday SELECT 'US-' || s.s, h.d FROM ref.holiday h, unnest('{WA,GA,AZ,AL}'::text[]) s(s) WHERE h.place = 'US';
-- nobody knows where: closed on the holidays of every country
INSERT INTO ref.holiday SELECT DISTINCT '?', h.d FROM ref.holiday h WHERE length(h.place) = 2;

CREATE FUNCTION ref.minutes(windows text) RETURNS int4multirange LANGUAGE plpgsql IMMUTABLE AS $fn$
DECLARE
    days text := 'montuewedthufrisatsun';
    part text;
    m text[];
    first int;
    result int4multirange := '{}';
BEGIN
    FOR part IN SELECT * FROM regexp_split_to_table(regexp_replace(windows, '^ *not +', '', 'i'), ' *, *') LOOP
        CONTINUE WHEN part = '';
        m := regexp_match(part, '^([A-Za-z]{3})(?:-([A-Za-z]{3}))? +(\d\d):(\d\d)-(\d\d):(\d\d)$');
        first := (position(lower(m[1]) IN days) - 1) / 3;
        FOR day IN first .. coalesce((position(lower(m[2]) IN days) - 1) / 3, first) LOOP
            result := result + int4multirange(int4range(day * 1440 + m[3]::int * 60 + m[4]::int, day * 1440 + m[5]::int * 60 + m[6]::int));
        END LOOP;
    END LOOP;
    RETURN CASE WHEN windows ~* '^ *not ' THEN int4multirange(int4range(0, 10080)) - result ELSE result END;
END $fn$;

-- Every name that zone.tab has for a country, not the few that differ.
CREATE TABLE ref.country_zone (country text, zones text);
INSERT INTO ref.country_zone VALUES
 ('US', 'America/New_York America/Detroit America/Kentucky/Louisville America/Kentucky/Monticello America/Indiana/Indianapolis America/Indiana/Vincennes America/Indiana/Winamac America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Vevay America/Chicago America/Indiana/Tell_City America/Indiana/Knox America/Menominee America/North_Dakota/Center America/Denver America/Boise America/Phoenix America/Los_Angeles America/Anchorage America/Juneau America/Nome America/Adak Pacific/Honolulu'),
 ('AU', 'Australia/Lord_Howe Antarctica/Macquarie Australia/Hobart Australia/Melbourne Australia/Sydney Australia/Broken_Hill Australia/Brisbane Australia/Lindeman Australia/Adelaide Australia/Darwin Australia/Perth Australia/Eucla'),
 ('ES', 'Europe/Madrid Africa/Ceuta Atlantic/Canary'), ('PT', 'Europe/Lisbon Atlantic/Madeira Atlantic/Azores'), ('NZ', 'Pacific/Auckland Pacific/Chatham'),
 ('DE', 'Europe/Berlin Europe/Busingen'), ('DK', 'Europe/Copenhagen'), ('GB', 'Europe/London'), ('NP', 'Asia/Kathmandu'), ('ID', 'Asia/Jakarta Asia/Pontianak Asia/Makassar Asia/Jayapura'),
 ('JP', 'Asia/Tokyo'), ('GL', 'America/Nuuk America/Danmarkshavn America/Scoresbysund America/Thule'), ('FI', 'Europe/Helsinki'), ('NO', 'Europe/Oslo'), ('SE', 'Europe/Stockholm'), ('NL', 'Europe/Amsterdam');

-- Debtors of a state that has no holidays of its own, and the zones that it and their phone's area code may mean.
CREATE TABLE ref.area (debtor_id text, country text, region text, time_zone text, phone text, zones text);
INSERT INTO ref.area VALUES
 ('a1', 'US', 'WA', NULL, '+1 (212) 555-0100', 'America/Los_Angeles America/New_York'), ('a2', 'us', 'US-GA', NULL, '2125550100', 'America/New_York'), ('a3', 'US', 'WA', NULL, '001 907 555 0100', 'America/Los_Angeles America/Juneau America/Adak'),
 ('a4', 'CA', 'BC', NULL, '+1-709-555-0100', 'America/Vancouver America/Edmonton America/St_Johns America/Goose_Bay'), ('a5', 'US', 'WA', 'America/Chicago', '+12125550100', 'America/Chicago'),
 ('a6', 'US', 'AZ', NULL, '+18005550100', 'America/Phoenix America/Denver'), ('a7', 'US', 'AL', NULL, '+18765550100', 'America/Chicago America/Jamaica');

CREATE TABLE ref.zone_name (zone text);
INSERT INTO ref.zone_name SELECT unnest('{Europe/Copenhagen,Europe/Stockholm,Europe/Oslo,Europe/Helsinki,Europe/Berlin,Europe/Amsterdam,Europe/London,Europe/Dublin,Europe/Lisbon,Europe/Moscow,
 America/New_York,America/Chicago,America/Denver,America/Phoenix,America/Los_Angeles,America/Anchorage,Pacific/Honolulu,America/St_Johns,America/Halifax,America/Havana,
 America/Santiago,America/Asuncion,America/Sao_Paulo,America/Nuuk,America/Scoresbysund,America/Adak,America/Caracas,Atlantic/Azores,Africa/Cairo,Africa/Casablanca,
 Africa/Johannesburg,Asia/Beirut,Asia/Gaza,Asia/Jerusalem,Asia/Tehran,Asia/Kabul,Asia/Kolkata,Asia/Kathmandu,Asia/Yangon,Asia/Tokyo,
 Asia/Almaty,Australia/Lord_Howe,Australia/Adelaide,Australia/Eucla,Australia/Sydney,Pacific/Auckland,Pacific/Chatham,Pacific/Apia,Pacific/Kiritimati,Antarctica/Troll}'::text[]);

-- Every change of the clocks from 2024 to 2027, to the hour.
CREATE TABLE ref.change AS
SELECT z.zone, t.t AS at FROM ref.zone_name z, generate_series('2024-01-01 00:00+00'::timestamptz, '2027-12-31 00:00+00', '1 hour') t(t)
WHERE (t.t AT TIME ZONE z.zone) - (t.t AT TIME ZONE 'UTC') <> ((t.t + interval '1 hour') AT TIME ZONE z.zone) - ((t.t + interval '1 hour') AT TIME ZONE 'UTC');
CREATE INDEX ON ref.change (zone);

CREATE FUNCTION ref.pick(list text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT list[1 + floor(random() * cardinality(list))::int] $$;
CREATE FUNCTION ref.clock(minute int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT to_char(minute / 60, 'FM00') || ':' || to_char(minute % 60, 'FM00') $$;
CREATE FUNCTION ref.random_windows() RETURNS text LANGUAGE plpgsql VOLATILE AS $fn$
DECLARE
    names text[] := '{Mon,Tue,Wed,Thu,Fri,Sat,Sun}';
    result text;
    a int; b int; o int; c int;
    negated boolean := random() < 0.25;
BEGIN
    FOR i IN 1 .. 1 + floor(random() * 3)::int LOOP
        a := CASE WHEN random() < 0.6 THEN 1 ELSE 1 + floor(random() * 7)::int END;
        b := CASE WHEN random() < 0.6 THEN 7 ELSE a + floor(random() * (8 - a))::int END;
        o := CASE WHEN negated THEN floor(random() * 1380)::int ELSE floor(random() * 600)::int END;
        c := CASE WHEN negated THEN least(1440, o + 1 + floor(random() * 180)::int) ELSE 840 + floor(random() * 601)::int END;
        IF random() < 0.5 THEN o := o / 15 * 15; c := least(1440, c / 15 * 15 + 15); END IF;
        result := concat_ws(', ', result, names[a] || CASE WHEN b > a THEN '-' || names[b] ELSE '' END || ' ' || ref.clock(o) || '-' || ref.clock(c));
    END LOOP;
    RETURN CASE WHEN negated THEN 'not ' ELSE '' END || result;
END $fn$;

-- A world: debtors in 50 zones and in none, rules that begin and end, holidays of the house, wishes.
CREATE FUNCTION ref.make_world(seed float8) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
    r record;
    born date;
BEGIN
    PERFORM setseed(seed);
    DELETE FROM dunning.contact_rule WHERE NOT builtin;
    DELETE FROM dunning.holiday;
    DELETE FROM dunning.contact_wish;
    DELETE FROM dunning.invoice;
    DELETE FROM dunning.debtor;
    INSERT INTO dunning.debtor (debtor_id, person_id, kind, country, region, time_zone, email, phone, address)
    SELECT 'z' || row_number() OVER (), NULL, nullif(ref.pick('{person,company,person,-}'), '-'), nullif(ref.pick('{DK,SE,NO,FI,DE,NL,GB,US,JP,-}'), '-'), NULL, z.zone, 'a@example.com', '+4512345678', '{"street": "x"}'::jsonb
    FROM ref.zone_name z
    UNION ALL
    SELECT 'c' || row_number() OVER (), 'P' || row_number() OVER () % 5, ref.pick('{person,company}'), c.country, NULL, CASE WHEN random() < 0.3 THEN 'Mars/Olympus' END, 'a@example.com', '+4512345678', '{"street": "x"}'::jsonb FROM ref.country_zone c
    UNION ALL
    SELECT 'r' || row_number() OVER (), 'P' || row_number() OVER () % 5, 'person', x.c, x.r, NULL, 'a@example.com', '12345678', '{"street": "x"}'::jsonb
    FROM (VALUES ('GB', 'SCT'), ('gb', 'GB-SCT'), ('uk', 'SCT'), ('DE', 'BY'), ('DE', 'SN')) x(c, r)
    UNION ALL
    SELECT 'p' || row_number() OVER (), NULL, 'person', NULL, NULL, NULL, 'a@example.com', x.p, '{"street": "x"}'::jsonb
    FROM (VALUES ('+4512345678'), ('004612345678'), ('+81 3 1234'), ('+64 21 1234'), ('12345678'), ('+999 1234')) x(p)
    UNION ALL
    SELECT a.debtor_id, NULL, 'person', a.country, a.region, a.time_zone, 'a@example.com', a.phone, '{"street": "x"}'::jsonb FROM ref.area a;
    UPDATE dunning.debtor SET region = CASE country WHEN 'GB' THEN 'SCT' ELSE 'BY' END WHERE debtor_id LIKE 'z%' AND country IN ('GB', 'DE') AND random() < 0.5;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
    SELECT d.debtor_id, 'I' || d.debtor_id, 'default', '2023-11-01', '2023-12-01', 100, 'EUR' FROM dunning.debtor d;

    FOR i IN 1 .. 14 LOOP
        born := date '2024-01-01' + floor(random() * 1400)::int;
        INSERT INTO dunning.contact_rule (rule, country, region, debtor_kind, channels, rings, windows, holidays, valid_from, valid_to, source)
        VALUES ('r' || i, CASE WHEN random() < 0.5 THEN ref.pick('{DK,SE,NO,FI,DE,NL,GB,US,JP}') END, NULL, CASE WHEN random() < 0.4 THEN ref.pick('{person,company}') END,
            CASE WHEN random() < 0.5 THEN ARRAY[ref.pick('{email,sms,call,letter,push,whatsapp,visit}'), ref.pick('{email,sms,call,letter,push,whatsapp,visit}')] END,
            CASE WHEN random() < 0.3 THEN random() < 0.5 END, ref.random_windows(), random() < 0.6,
            CASE WHEN random() < 0.8 THEN born END, CASE WHEN random() < 0.6 THEN born + floor(random() * 90)::int END, 'random');
    END LOOP;
    UPDATE dunning.contact_rule SET region = ref.pick('{SCT,BY,SN}') WHERE NOT builtin AND country IN ('GB', 'DE') AND random() < 0.5;
    -- shipped rules are switched off and replaced as well
    INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source, enabled) VALUES ('house-email', '{email}', 'Mon-Sun 05:30-23:00', true, 'own', random() < 0.8);
    INSERT INTO dunning.contact_rule (rule, rings, windows, holidays, source, enabled)
    SELECT 'house-ring', true, 'Mon-Sat 06:00-22:00', false, 'own', random() < 0.7 WHERE random() < 0.7;
    INSERT INTO dunning.holiday (country, region, on_date, name, open)
    SELECT DISTINCT ON (x.c, x.r, x.d) x.c, x.r, x.d, 'own', x.o
    FROM (SELECT ref.pick('{DK,GB,US,DE}') AS c, ref.pick(ARRAY['', '', 'SCT', 'BY']) AS r, (SELECT h.d FROM ref.holiday h WHERE i > 0 ORDER BY random() LIMIT 1) AS d, random() < 0.5 AS o FROM generate_series(1, 30) i
          UNION ALL SELECT ref.pick('{DK,GB,US,DE}'), '', date '2024-01-01' + floor(random() * 1400)::int, false FROM generate_series(1, 30) i) x;
    FOR r IN SELECT d.debtor_id FROM dunning.debtor d WHERE random() < 0.2 LOOP
        born := date '2024-01-01' + floor(random() * 1400)::int;
        PERFORM dunning.save_contact_wish(r.debtor_id, 'hours', CASE WHEN random() < 0.3 THEN '' ELSE ref.random_windows() END,
            channels => CASE WHEN random() < 0.5 THEN ARRAY[ref.pick('{email,sms,call}')] END, valid_from => CASE WHEN random() < 0.7 THEN born END,
            valid_to => born + floor(random() * 60)::int, scope => ref.pick('{person,debtor}'));
        IF random() < 0.5 THEN
            PERFORM dunning.save_contact_wish(r.debtor_id, 'later', not_before => born);
        END IF;
    END LOOP;
    PERFORM ref.read_world();
END $fn$;

CREATE TABLE ref.zone (debtor_id text, zone text, place text);
CREATE TABLE ref.applies (debtor_id text, channel text, rule text, mr int4multirange, first date, last date, hol boolean);
CREATE INDEX ON ref.applies (debtor_id, channel);
CREATE TABLE ref.own_day (place text, d date, open boolean);

-- The world as the reference sees it.
CREATE FUNCTION ref.read_world() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    TRUNCATE ref.zone, ref.applies, ref.own_day;
    INSERT INTO ref.zone
    SELECT d.debtor_id, z.zone, CASE WHEN d.country IS NULL THEN '?' ELSE x.c || coalesce('-' || x.r, '') END
    FROM dunning.debtor d
    CROSS JOIN LATERAL (SELECT CASE WHEN upper(d.country) = 'UK' THEN 'GB' ELSE upper(d.country) END AS c, regexp_replace(upper(d.region), '^..-', '') AS r) x
    CROSS JOIN LATERAL (
        SELECT unnest(string_to_array(a.zones, ' ')) AS zone FROM ref.area a WHERE a.debtor_id = d.debtor_id
        UNION ALL
        SELECT d.time_zone WHERE d.time_zone IN (SELECT n.name FROM pg_timezone_names n)
        UNION ALL
        SELECT unnest(string_to_array(c.zones, ' ')) FROM ref.country_zone c
        WHERE NOT EXISTS (SELECT FROM pg_timezone_names n WHERE n.name = d.time_zone) AND NOT EXISTS (SELECT FROM ref.area a WHERE a.debtor_id = d.debtor_id)
          AND c.country = coalesce(x.c, CASE WHEN d.phone ~ '^(\+|00)45' THEN 'DK' WHEN d.phone ~ '^(\+|00)46' THEN 'SE' WHEN d.phone ~ '^(\+|00)81' THEN 'JP' WHEN d.phone ~ '^(\+|00)64' THEN 'NZ' END)
        UNION ALL
        SELECT unnest('{Europe/London,Europe/Helsinki,Europe/Copenhagen}'::text[]) WHERE x.c IS NULL AND d.time_zone IS NULL AND d.phone !~ '^(\+|00)(45|46|81|64)') z;
    INSERT INTO ref.applies
    SELECT z.debtor_id, c.channel, r.rule, ref.minutes(r.windows), coalesce(r.valid_from, '-infinity'), coalesce(r.valid_to, 'infinity'), NOT r.holidays
    FROM (SELECT DISTINCT z.debtor_id, z.place FROM ref.zone z) z
    JOIN dunning.debtor d USING (debtor_id)
    CROSS JOIN (SELECT c.channel, c.rings FROM dunning.channel c WHERE c.builtin) c
    JOIN dunning.contact_rule r ON r.enabled AND r.windows IS NOT NULL
        AND NOT (r.builtin AND EXISTS (SELECT FROM dunning.contact_rule o WHERE o.rule = r.rule AND NOT o.builtin))
        AND (r.country IS NULL OR z.place = '?' OR r.country = left(z.place, 2))
        AND (r.region IS NULL OR length(z.place) < 3 OR r.region = substr(z.place, 4))
        AND coalesce(r.debtor_kind, d.kind, '') IN (coalesce(d.kind, r.debtor_kind, ''))
        AND (r.channels IS NULL OR c.channel = ANY (r.channels)) AND (r.rings IS NULL OR r.rings = c.rings);
    INSERT INTO ref.applies
    SELECT d.debtor_id, c.channel, w.wish, ref.minutes(w.windows), coalesce(w.valid_from, '-infinity'), coalesce(w.valid_to, 'infinity'), false
    FROM dunning.contact_wish w
    JOIN dunning.debtor d ON d.debtor_id = w.debtor_id OR (w.person_id IS NOT NULL AND d.person_id = w.person_id)
    JOIN dunning.channel c ON c.builtin AND (w.channels IS NULL OR c.channel = ANY (w.channels));
    INSERT INTO ref.own_day
    SELECT DISTINCT ON (z.place, h.on_date) z.place, h.on_date, h.open
    FROM (SELECT DISTINCT z.place FROM ref.zone z) z JOIN dunning.holiday h ON h.country = left(z.place, 2) AND h.region IN ('', substr(z.place, 4))
    ORDER BY z.place, h.on_date, length(h.region) DESC;
    -- a country without a list
    INSERT INTO ref.holiday
    SELECT p.place, (y.y || m.m)::date FROM (SELECT DISTINCT z.place FROM ref.zone z WHERE left(z.place, 2) NOT IN (SELECT left(h.place, 2) FROM ref.published h) AND z.place <> '?') p,
        generate_series(2023, 2028) y(y), unnest('{-01-01,-12-25}'::text[]) m(m) ON CONFLICT DO NOTHING;
    ANALYZE ref.zone, ref.applies, ref.holiday;
END $fn$;

CREATE UNLOGGED TABLE ref.q (ord int, debtor_id text, channel text, at timestamptz);

CREATE FUNCTION ref.judge() RETURNS TABLE (ord int, closed boolean) LANGUAGE sql STABLE AS $$
    SELECT q.ord, coalesce(bool_or(a.rule IS NOT NULL AND (NOT m.mow <@ a.mr OR (a.hol AND CASE WHEN o.open IS NULL THEN h.d IS NOT NULL ELSE NOT o.open END))), false)
    FROM ref.q q
    JOIN ref.zone z ON z.debtor_id = q.debtor_id
    CROSS JOIN LATERAL (VALUES (q.at AT TIME ZONE z.zone), ((q.at + interval '5 minutes' - interval '1 microsecond') AT TIME ZONE z.zone)) l(ts)
    CROSS JOIN LATERAL (SELECT l.ts::date AS d, (extract(isodow FROM l.ts) * 1440 + extract(hour FROM l.ts) * 60 + extract(minute FROM l.ts))::int - 1440 AS mow) m
    LEFT JOIN ref.applies a ON a.debtor_id = q.debtor_id AND a.channel = q.channel AND a.first <= m.d AND a.last >= m.d
    LEFT JOIN ref.holiday h ON h.place = z.place AND h.d = m.d
    LEFT JOIN ref.own_day o ON o.place = z.place AND o.d = m.d
    GROUP BY q.ord
$$;

-- Questions: half of them within a day of a change of the clocks, most of them at or a hair beside a full minute.
CREATE FUNCTION ref.ask(n int) RETURNS void LANGUAGE sql AS $$
    TRUNCATE ref.q;
    INSERT INTO ref.q
    SELECT x.i, x.d, x.c, CASE WHEN x.u < 0.5 AND t.at IS NOT NULL THEN t.at + ((random() * 52 - 26) * 60)::int * interval '1 minute' ELSE x.at END
        + (CASE WHEN x.v < 0.4 THEN 0 WHEN x.v < 0.5 THEN -0.000001 WHEN x.v < 0.6 THEN 59.999999 WHEN x.v < 0.7 THEN 0.000001 ELSE x.v * 60 END) * interval '1 second'
    FROM (SELECT i, d.debtor_id AS d, d.time_zone AS z, ref.pick('{email,sms,call,letter,push,whatsapp,visit}') AS c, random() AS u, random() AS v,
                 '2024-01-02 00:00+00'::timestamptz + floor(random() * 1455 * 1440)::int * interval '1 minute' AS at
          FROM generate_series(1, n) i
          JOIN (SELECT debtor_id, time_zone, row_number() OVER (ORDER BY debtor_id) AS k, count(*) OVER () AS many FROM dunning.debtor) d ON d.k = 1 + (hashint4(i) & 2147483647) % d.many) x
    LEFT JOIN LATERAL (SELECT h.at FROM ref.change h WHERE h.zone = x.z AND x.u < 0.5 ORDER BY hashint8(extract(epoch FROM h.at)::int8 + x.i) LIMIT 1) t ON true
$$;

CREATE TABLE ref.tally (what text PRIMARY KEY, n bigint, open bigint, outside bigint, missed bigint);
CREATE TABLE ref.wrong (what text, debtor_id text, channel text, at timestamptz, said text[], closed boolean);


-- One batch by the gate, as planning and the claim ask it, and by the recheck before the first byte.
CREATE FUNCTION ref.check_gate(n int, recheck boolean) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
    ids text[]; channels text[]; ats timestamptz[];
    what text := CASE WHEN recheck THEN 'recheck' ELSE 'gate' END;
BEGIN
    PERFORM ref.ask(n);
    SELECT array_agg(q.debtor_id ORDER BY q.ord), array_agg(q.channel ORDER BY q.ord), array_agg(q.at ORDER BY q.ord) INTO ids, channels, ats FROM ref.q q;
    CREATE TEMP TABLE said (ord int, words text[]) ON COMMIT DROP;
    IF recheck THEN
        EXECUTE 'INSERT INTO said SELECT r.ord, r.blocked_by FROM (' || dunning._recheck_sql() || ') r' USING ids, channels, ats, NULL::text[], NULL::text[];
    ELSE
        INSERT INTO said SELECT g.ord, g.blocked_by FROM dunning._gate(ids, channels, ats) g;
    END IF;
    CREATE TEMP TABLE judged ON COMMIT DROP AS
        SELECT q.*, s.words, j.closed, s.words && '{quiet_hours,holiday}'::text[] AS shut FROM ref.q q JOIN said s USING (ord) JOIN ref.judge() j USING (ord);
    INSERT INTO ref.wrong SELECT what, j.debtor_id, j.channel, j.at, j.words, j.closed FROM judged j WHERE j.shut <> j.closed LIMIT 20;
    INSERT INTO ref.tally AS t SELECT what, count(*), count(*) FILTER (WHERE NOT shut), count(*) FILTER (WHERE NOT shut AND closed), count(*) FILTER (WHERE shut AND NOT closed) FROM judged
    ON CONFLICT ON CONSTRAINT tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n, open = t.open + EXCLUDED.open, outside = t.outside + EXCLUDED.outside, missed = t.missed + EXCLUDED.missed;
    DROP TABLE said, judged;
END $fn$;

-- Instants that were chosen: each must be open.
CREATE FUNCTION ref.judge_chosen(of_what text, sql text) RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    TRUNCATE ref.q;
    EXECUTE 'INSERT INTO ref.q SELECT row_number() OVER (), x.debtor_id, x.channel, x.at FROM (' || sql || ') x(debtor_id, channel, at) WHERE x.at IS NOT NULL';
    CREATE TEMP TABLE judged ON COMMIT DROP AS SELECT q.*, j.closed FROM ref.q q JOIN ref.judge() j USING (ord);
    INSERT INTO ref.wrong SELECT of_what, j.debtor_id, j.channel, j.at, NULL, j.closed FROM judged j WHERE j.closed LIMIT 20;
    INSERT INTO ref.tally AS t SELECT of_what, count(*), count(*), count(*) FILTER (WHERE closed), 0 FROM judged
    ON CONFLICT ON CONSTRAINT tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n, open = t.open + EXCLUDED.open, outside = t.outside + EXCLUDED.outside;
    DROP TABLE judged;
END $fn$;

CREATE FUNCTION ref.check_choices() RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
    day timestamptz := '2024-01-02 00:00+00'::timestamptz + floor(random() * 1380 * 1440)::int * interval '1 minute';
BEGIN
    PERFORM set_config('dunning.clock', day::text, true);
    PERFORM ref.judge_chosen('best_times', format($q$SELECT i.id, i.c, b.contact_at FROM dunning._best_times(
        ARRAY(SELECT d.debtor_id FROM dunning.debtor d CROSS JOIN unnest('{email,sms,letter}'::text[]) c(c) ORDER BY 1, c.c), ARRAY(SELECT c.c FROM dunning.debtor d CROSS JOIN unnest('{email,sms,letter}'::text[]) c(c) ORDER BY d.debtor_id, 1),
        NULL, array_fill(%L::timestamptz, ARRAY[(SELECT count(*)::int * 3 FROM dunning.debtor)]), %L, 20) b
        JOIN (SELECT row_number() OVER (ORDER BY d.debtor_id, c.c) AS ord, d.debtor_id AS id, c.c FROM dunning.debtor d CROSS JOIN unnest('{email,sms,letter}'::text[]) c(c)) i ON i.ord = b.ord$q$,
        day + (1 + floor(random() * 58)::int) * interval '1 day', day));
    PERFORM ref.judge_chosen('windows', format($q$SELECT d.debtor_id, c.c, e.e FROM (SELECT d.debtor_id FROM dunning.debtor d ORDER BY random() LIMIT 5) d CROSS JOIN unnest('{email,sms,visit}'::text[]) c(c)
        CROSS JOIN LATERAL unnest(dunning.contact_windows(d.debtor_id, c.c, %L, %L)) r(r) CROSS JOIN LATERAL (VALUES (lower(r.r)), (upper(r.r) - interval '1 microsecond'), (lower(r.r) + random() * (upper(r.r) - interval '1 second' - lower(r.r)))) e(e)$q$,
        day, day + interval '62 days'));
    PERFORM ref.judge_chosen('plan', $q$SELECT p.debtor_id, p.channel, p.contact_at FROM dunning.plan(dry_run => true) p WHERE p.state <> 'held'$q$);
END $fn$;
