-- timing: when a debtor answers and when they are paid; the best of the allowed instants.

CREATE TABLE dunning.timing_profile (
    debtor_id       text COLLATE "C" PRIMARY KEY,
    creditor        text COLLATE "C" NOT NULL,
    contacts        int NOT NULL,               -- seen, all channels
    responses       int NOT NULL,               -- of them answered
    activity        bytea,                      -- answers and exposure by hour of the local week; NULL: no evidence
    payments        date[],                     -- the last 24 that did not follow a contact of ours, newest first
    as_of           timestamptz NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE dunning.timing_profile IS 'What is known of a debtor''s hours and paydays; rebuilt by maintain() from egress, events and the ledger.';

CREATE TABLE dunning.timing_book (
    creditor        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,  -- '*': all, the row with the shape
    contacts        bigint NOT NULL,
    responses       bigint NOT NULL,
    shape           real[],                     -- 168 hours of the local week, mean 1
    as_of           timestamptz NOT NULL,
    PRIMARY KEY (creditor, channel)
);
COMMENT ON TABLE dunning.timing_book IS 'The hours and the share of answers of all debtors of a creditor: what profiles are shrunk to.';

SELECT pg_catalog.pg_extension_config_dump('dunning.timing_profile', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.timing_book', '');

CREATE FUNCTION dunning._activity(zone text, sent timestamptz[], channels text[], answers timestamptz[], payments timestamptz[], as_of timestamptz) RETURNS bytea
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_activity';
COMMENT ON FUNCTION dunning._activity(text, timestamptz[], text[], timestamptz[], timestamptz[], timestamptz) IS
    'Answers and exposure over the 168 hours of the local week, older ones fading by 4 % a week; NULL without evidence. Arrays in order of time. A payment with a time of day counts as a quarter of an answer.';

CREATE FUNCTION dunning._add_activity(sums float8[], activity bytea) RETURNS float8[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_add_activity';
COMMENT ON FUNCTION dunning._add_activity(float8[], bytea) IS 'Sums with one profile added; transition of _sum_activity().';

CREATE FUNCTION dunning._zero_activity() RETURNS float8[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$ SELECT array_fill(0::float8, ARRAY[336]) $sql$;
COMMENT ON FUNCTION dunning._zero_activity() IS 'The sums of no profile.';

CREATE FUNCTION dunning._activity_shape(sums float8[], q float8) RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_shape';
COMMENT ON FUNCTION dunning._activity_shape(float8[], float8) IS 'The book''s rate of answers by hour, mean 1, shrunk to flat by 20 answers an hour and smoothed. q: share of contacts answered.';

DO $do$
BEGIN
    -- The initial state is 336 zeros: a text that nobody wants to read here.
    EXECUTE format('CREATE AGGREGATE dunning._sum_activity(bytea) (SFUNC = dunning._add_activity, STYPE = float8[], INITCOND = %L)',
                   dunning._zero_activity()::text);
END
$do$;
COMMENT ON AGGREGATE dunning._sum_activity(bytea) IS 'Sum of activity profiles: 168 hours of answers, then 168 of exposure.';

CREATE FUNCTION dunning._best_of(debtor_id text, channel text, not_before timestamptz, not_after timestamptz, now_at timestamptz, words text[],
    held_until timestamptz, windows bytea, rules text[], caps text[], debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[],
    talks timestamptz[], activity bytea, payments date[], contacts int, responses int, shape real[], q float8, top int,
    OUT contact_at timestamptz, OUT p_response float8, OUT p_baseline float8, OUT uplift float8, OUT explored boolean, OUT propensity float8, OUT reasons jsonb)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'dun_timing_sql_best';
COMMENT ON FUNCTION dunning._best_of(text, text, timestamptz, timestamptz, timestamptz, text[], timestamptz, bytea, text[], text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[], bytea, date[], int, int, real[], float8, int) IS
    'The best allowed quarters of an hour between two instants; one row with contact_at NULL and why where there is none. top 1: one contact in twenty is drawn evenly.';

CREATE FUNCTION dunning._payday(country text, payments date[], today date, OUT schedule text, OUT probability float8, OUT next_date date) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 49 AS 'MODULE_PATHNAME', 'dun_timing_sql_payday';
COMMENT ON FUNCTION dunning._payday(text, date[], date) IS 'The posterior over 48 schedules and ''none'' from dates of payments (the first 24 count), with each schedule''s next date from today on.';

-- ---- learning ----

CREATE FUNCTION dunning._refresh_profiles(debtor_ids text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    at_time timestamptz := coalesce(_refresh_profiles.as_of, dunning._now());
    many text := CASE WHEN _refresh_profiles.debtor_ids IS NOT NULL THEN '$1' END;
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH d AS (SELECT l.debtor_id, l.creditor, (dunning._zone(l.time_zone, l.country, l.region))[1] AS zone FROM (%s) l),
        c AS (SELECT e.debtor_id, array_agg(e.at ORDER BY e.at) AS ats, array_agg(e.channel ORDER BY e.at) AS channels
              FROM (SELECT e.debtor_id, e.message_id, e.channel, min(e.contact_on) AS at FROM dunning.egress e
                    WHERE NOT e.test AND e.contact_on < $2 AND e.contact_on > $2 - '2 years'::interval AND ($1 IS NULL OR e.debtor_id = ANY ($1))
                    GROUP BY 1, 2, 3) e GROUP BY 1),
        a AS (SELECT v.debtor_id, array_agg(v.at ORDER BY v.at) AS ats FROM dunning.event v
              -- Openings are left out: machines open mail too.
              WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised') AND v.at < $2 AND v.at > $2 - '2 years'::interval
                AND v.detail ->> 'machine' IS DISTINCT FROM 'true' AND ($1 IS NULL OR v.debtor_id = ANY ($1))
              GROUP BY 1),
        p AS (SELECT y.debtor_id, array_agg(y.paid_at ORDER BY y.paid_at DESC) AS ats FROM (
                  SELECT l.debtor_id, l.paid_at, row_number() OVER (PARTITION BY l.debtor_id ORDER BY l.paid_at DESC) AS n
                  FROM (%s) l WHERE l.amount > 0 AND l.amount < 'Infinity' AND isfinite(l.paid_at) AND l.paid_at < $2) y
              WHERE y.n <= 24 GROUP BY 1),
        new AS (SELECT d.debtor_id, d.creditor, coalesce(cardinality(c.ats), 0) AS contacts,
                CASE WHEN a.ats IS NULL THEN 0 ELSE
                    (SELECT count(*)::int FROM (SELECT DISTINCT (SELECT max(s.s) FROM unnest(c.ats) s(s) WHERE s.s <= r.r AND s.s > r.r - '6 days'::interval) AS answered
                                                FROM unnest(a.ats) r(r)) x WHERE x.answered IS NOT NULL) END AS responses,
                dunning._activity(d.zone, c.ats, c.channels, a.ats, p.ats, $2) AS activity,
                -- What was paid within two days of a contact says when we wrote, not when they are paid.
                (SELECT array_agg((t.t AT TIME ZONE d.zone)::date ORDER BY t.t DESC) FROM unnest(p.ats) t(t)
                 WHERE c.ats IS NULL OR t.t < c.ats[1] OR NOT EXISTS (SELECT FROM unnest(c.ats) s(s) WHERE t.t >= s.s AND t.t < s.s + '48 hours'::interval)) AS payments
            FROM d LEFT JOIN c ON c.debtor_id = d.debtor_id LEFT JOIN a ON a.debtor_id = d.debtor_id LEFT JOIN p ON p.debtor_id = d.debtor_id
            WHERE c.debtor_id IS NOT NULL OR a.debtor_id IS NOT NULL OR p.debtor_id IS NOT NULL)
        INSERT INTO dunning.timing_profile AS o (debtor_id, creditor, contacts, responses, activity, payments, as_of)
        SELECT DISTINCT ON (n.debtor_id) n.debtor_id, n.creditor, n.contacts, n.responses, n.activity, n.payments, $2 FROM new n ORDER BY n.debtor_id
        ON CONFLICT ON CONSTRAINT timing_profile_pkey DO UPDATE SET creditor = EXCLUDED.creditor, contacts = EXCLUDED.contacts,
            responses = EXCLUDED.responses, activity = EXCLUDED.activity, payments = EXCLUDED.payments, as_of = EXCLUDED.as_of
        RETURNING o.debtor_id::text$q$,
        dunning._ledger_sql('debtor', many), dunning._ledger_sql('payment', many, '$2'))
        USING _refresh_profiles.debtor_ids, at_time;
    PERFORM dunning._learn_book(at_time);
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_profiles(text[], timestamptz) IS
    'The debtors whose profile was rebuilt from contacts, answers and payments before as_of (NULL: now); NULL: the whole book. Called by maintain().';

CREATE FUNCTION dunning._learn_book(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    DELETE FROM dunning.timing_book;
    INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, shape, as_of)
    SELECT s.creditor, '*', s.contacts, s.responses, dunning._activity_shape(s.sums, (s.responses + 1.0) / (s.contacts + 10)), _learn_book.as_of
    FROM (SELECT p.creditor, sum(p.contacts) AS contacts, sum(p.responses) AS responses, dunning._sum_activity(p.activity) AS sums
          FROM dunning.timing_profile p GROUP BY 1) s;
    -- An answer belongs to the last contact of the six days before it.
    INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, shape, as_of)
    SELECT e.creditor, e.channel, count(*), count(*) FILTER (WHERE e.answered), NULL, _learn_book.as_of
    FROM (SELECT c.creditor, c.channel, EXISTS (
                     SELECT FROM dunning.event v WHERE v.debtor_id = c.debtor_id AND v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised')
                       AND v.detail ->> 'machine' IS DISTINCT FROM 'true' AND v.at >= c.at
                       AND v.at < least(c.next_at, c.at + '6 days'::interval, _learn_book.as_of)) AS answered
          FROM (SELECT e.creditor, e.debtor_id, e.channel, min(e.contact_on) AS at,
                       lead(min(e.contact_on)) OVER (PARTITION BY e.debtor_id ORDER BY min(e.contact_on)) AS next_at
                FROM dunning.egress e
                WHERE NOT e.test AND e.contact_on < _learn_book.as_of AND e.contact_on > _learn_book.as_of - '1 year'::interval
                GROUP BY e.creditor, e.debtor_id, e.channel, e.message_id) c) e
    GROUP BY 1, 2;
END
$fn$;
COMMENT ON FUNCTION dunning._learn_book(timestamptz) IS 'Rebuilds timing_book: hours of the book from the profiles, share of answers by channel.';

-- ---- answers ----

CREATE FUNCTION dunning._best_times(debtor_ids text[], channels text[], not_before timestamptz[], not_after timestamptz[], as_of timestamptz, top int DEFAULT 1)
    RETURNS TABLE (ord int, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    now_at timestamptz := coalesce(_best_times.as_of, dunning._now());
    starts timestamptz[];
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN QUERY SELECT u.ord::int, NULL::timestamptz, NULL::text, NULL::float8, NULL::float8, NULL::float8, NULL::boolean, NULL::float8,
                            '{"blocked_by": ["ledger_broken"], "slots": 0}'::jsonb
                     FROM unnest(_best_times.debtor_ids) WITH ORDINALITY u(debtor_id, ord);
        RETURN;
    END IF;
    starts := ARRAY(SELECT CASE WHEN isfinite(u.b) THEN greatest(u.b, now_at) ELSE now_at END
                    FROM unnest(_best_times.debtor_ids, _best_times.not_before) WITH ORDINALITY u(d, b, o) ORDER BY u.o);
    RETURN QUERY EXECUTE format($q$
        WITH f AS MATERIALIZED (%s),
        ends AS MATERIALIZED (SELECT u.o::int AS ord, u.a AS not_after FROM unnest($1, $6) WITH ORDINALITY u(d, a, o))
        SELECT f.ord, b.contact_at, dunning._local_time(b.contact_at, f.zone), b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM f
        JOIN ends e ON e.ord = f.ord
        CROSS JOIN LATERAL (SELECT CASE WHEN isfinite(e.not_after) THEN e.not_after ELSE f.at + '7 days'::interval END AS until_at) u
        LEFT JOIN dunning.timing_profile p ON p.debtor_id = f.debtor_id
        LEFT JOIN dunning.timing_book k ON k.creditor = p.creditor AND k.channel = '*'
        LEFT JOIN dunning.timing_book h ON h.creditor = p.creditor AND h.channel = f.channel
        CROSS JOIN LATERAL dunning._best_of(f.debtor_id, f.channel, f.at,
            -- nothing is planned for when a hold will have begun
            least(u.until_at, f.held_from), $7,
            f.words || CASE WHEN f.held_until >= least(u.until_at, f.held_from) THEN f.holds ELSE '{}' END, f.held_until, f.windows, f.names, f.caps,
            f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks,
            p.activity, p.payments, p.contacts, p.responses, k.shape, (coalesce(h.responses, 0) + 1.0) / (coalesce(h.contacts, 0) + 10), $8) b
        ORDER BY f.ord$q$, dunning._gate_facts_sql())
        USING _best_times.debtor_ids, _best_times.channels, starts, NULL::text[], NULL::uuid[], _best_times.not_after, now_at, _best_times.top;
END
$fn$;
COMMENT ON FUNCTION dunning._best_times(text[], text[], timestamptz[], timestamptz[], timestamptz, int) IS
    'The best allowed instant of each debtor and channel (arrays of one length) from not_before (NULL: as_of) to not_after (NULL: a week later, at most 62 days); contact_at NULL where there is none, with reasons. as_of NULL: now. With top > 1 nothing is drawn by lot.';

CREATE FUNCTION dunning.best_time(debtor_id text, channel text, not_before timestamptz DEFAULT NULL, not_after timestamptz DEFAULT NULL, top int DEFAULT 1)
    RETURNS TABLE (contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(best_time.debtor_id);
BEGIN
    PERFORM dunning._need_channel(best_time.channel);
    IF id IS NULL OR best_time.not_before > '9999-12-30 00:00+00' OR best_time.not_before < '0001-01-02 00:00+00' OR NOT isfinite(best_time.not_after) OR best_time.not_after < best_time.not_before
       OR best_time.top IS NULL OR best_time.top NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'no best time can be found'
            USING ERRCODE = '22023', DETAIL = 'A debtor, finite instants in order and top from 1 to 100 are needed.',
                  HINT = 'SELECT * FROM dunning.best_time(''1042'', ''email'', now(), now() + ''7 days'');';
    END IF;
    RETURN QUERY SELECT b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM dunning._best_times(ARRAY[id], ARRAY[best_time.channel], ARRAY[best_time.not_before], ARRAY[best_time.not_after], NULL, best_time.top) b;
END
$fn$;
COMMENT ON FUNCTION dunning.best_time(text, text, timestamptz, timestamptz, int) IS
    'The best allowed instant to contact a debtor within seven days (or the given span, at most 62 days), also in local time; top > 1: the best ones. p_response is shrunk, and uplift stays 0 until randomised contacts have calibrated it; reasons are log-ratios. Nothing allowed: contact_at NULL and why. Bad values: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.best_time(text, text, timestamptz, timestamptz, int) TO dunning_viewer;

CREATE FUNCTION dunning.best_times(channel text, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    ids text[];
BEGIN
    PERFORM dunning._need_channel(best_times.channel);
    PERFORM dunning._check_as_of(best_times.as_of);
    EXECUTE format('SELECT array_agg(l.debtor_id ORDER BY l.debtor_id) FROM (%s) l', dunning._ledger_sql('debtor')) INTO ids;
    RETURN QUERY SELECT u.id, b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM dunning._best_times(ids, array_fill(best_times.channel, ARRAY[coalesce(cardinality(ids), 0)]), NULL, NULL, best_times.as_of) b
        JOIN unnest(ids) WITH ORDINALITY u(id, ord) ON u.ord = b.ord;
END
$fn$;
COMMENT ON FUNCTION dunning.best_times(text, timestamptz) IS
    'best_time() of every debtor of the book for a channel. Unknown channel: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.best_times(text, timestamptz) TO dunning_viewer;

CREATE FUNCTION dunning.payday(debtor_id text) RETURNS TABLE (schedule text, probability float8, next_date date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(payday.debtor_id);
    place record;
    dates date[];
BEGIN
    EXECUTE format('SELECT l.country, (dunning._zone(l.time_zone, l.country, l.region))[1] AS zone FROM (%s) l', dunning._ledger_sql('debtor', '$1'))
        INTO place USING ARRAY[id];
    IF place.zone IS NULL THEN
        RAISE EXCEPTION 'unknown debtor "%"', payday.debtor_id USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    -- Live, not from the profile: a payment of this morning counts.
    EXECUTE format($q$SELECT array_agg((y.paid_at AT TIME ZONE $2)::date ORDER BY y.paid_at DESC) FROM (
            SELECT l.paid_at FROM (%s) l
            WHERE l.amount > 0 AND l.amount < 'Infinity' AND isfinite(l.paid_at)
              AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = $3 AND NOT e.test
                              AND l.paid_at >= e.contact_on AND l.paid_at < e.contact_on + '48 hours'::interval)
            ORDER BY l.paid_at DESC LIMIT 24) y$q$, dunning._ledger_sql('payment', '$1'))
        INTO dates USING ARRAY[id], place.zone, id;
    RETURN QUERY SELECT y.schedule, y.probability, y.next_date
        FROM dunning._payday(place.country, dates, (dunning._now() AT TIME ZONE place.zone)::date) y
        ORDER BY y.probability DESC, y.schedule LIMIT 3;
END
$fn$;
COMMENT ON FUNCTION dunning.payday(text) IS
    'The three likeliest payday schedules (or ''none'') with probability and next date, from the last 24 payments that did not follow a contact within two days. Above 0.8 it may be shown as known. Unknown debtor: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.payday(text) TO dunning_viewer;
GRANT SELECT ON dunning.timing_profile, dunning.timing_book TO dunning_viewer;
