-- timing: when a debtor answers and when they are paid; the best of the allowed instants.

CREATE TYPE dunning.response_profile;

CREATE FUNCTION dunning._profile_in(cstring) RETURNS dunning.response_profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_profile_in';
COMMENT ON FUNCTION dunning._profile_in(cstring) IS 'A profile from its JSON text. Written by a newer version: 0A000.';

CREATE FUNCTION dunning._profile_out(dunning.response_profile) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_profile_out';
COMMENT ON FUNCTION dunning._profile_out(dunning.response_profile) IS 'A profile as JSON.';

CREATE TYPE dunning.response_profile (INPUT = dunning._profile_in, OUTPUT = dunning._profile_out, INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = plain);
COMMENT ON TYPE dunning.response_profile IS
    'When a debtor answers: answers and exposure over the 168 hours of the local week, archetypes, totals by channel; 440 octets, JSON as text. Older evidence weighs 4 % less a week.';

CREATE TABLE dunning.timing_profile (
    debtor_id       text COLLATE "C" PRIMARY KEY,
    creditor        text COLLATE "C" NOT NULL,
    contacts        int NOT NULL,               -- entered, all channels
    responses       int NOT NULL,               -- of them answered
    payments        date[],                     -- the last 24 that did not follow a contact of ours, newest first
    as_of           timestamptz NOT NULL,
    profile         dunning.response_profile    -- NULL: no contact is over yet
) WITH (fillfactor = 70);
COMMENT ON TABLE dunning.timing_profile IS 'What is known of a debtor''s hours and paydays. A contact is entered once, when it was answered or nobody expects an answer any more.';

CREATE TABLE dunning.timing_book (
    creditor        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,  -- '*': all, the row with what is learnt
    contacts        bigint NOT NULL,
    responses       bigint NOT NULL,
    as_of           timestamptz NOT NULL,
    prior           bytea,                      -- hours, archetypes, delays and shares of answers
    ages            float8[],                   -- answers and expected ones by channel and age of the contact
    made_at         timestamptz,                -- when all profiles were last made anew, with these delays
    PRIMARY KEY (creditor, channel)
);
COMMENT ON TABLE dunning.timing_book IS 'The hours, the delays and the share of answers of all debtors of a creditor: what profiles are shrunk to.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.timing_book FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.timing_book ENABLE ALWAYS TRIGGER changed;

SELECT pg_catalog.pg_extension_config_dump('dunning.timing_profile', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.timing_book', '');

CREATE FUNCTION dunning._best_of(debtor_id text, channel text, not_before timestamptz, not_after timestamptz, now_at timestamptz, words text[],
    held_until timestamptz, windows bytea, rules text[], caps text[], debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[],
    talks timestamptz[], profile dunning.response_profile, payments date[], contacts int, responses int, prior bytea, effects bytea, top int, by_rule boolean,
    OUT contact_at timestamptz, OUT p_response float8, OUT p_baseline float8, OUT uplift float8, OUT explored boolean, OUT propensity float8, OUT reasons jsonb)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'dun_timing_sql_best';
COMMENT ON FUNCTION dunning._best_of(text, text, timestamptz, timestamptz, timestamptz, text[], timestamptz, bytea, text[], text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[], dunning.response_profile, date[], int, int, bytea, bytea, int, boolean) IS
    'The best allowed quarters of an hour between two instants; one row with contact_at NULL and why where there is none. top 1: one contact in twenty is drawn evenly. by_rule: reasons say what each rule closes even where there is an instant.';

CREATE FUNCTION dunning._timing_words(reasons jsonb, local_time text, explored boolean) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_words';
COMMENT ON FUNCTION dunning._timing_words(jsonb, text, boolean) IS
    'Reasons of best_time(), or those frozen in a decision, in words: hour, payday, date and waiting as percentages, what is known of the debtor, how many quarters of an hour are left and what closed the others. local_time NULL: there is no instant.';

CREATE FUNCTION dunning._payday(country text, payments date[], today date, OUT schedule text, OUT probability float8, OUT next_date date) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 49 AS 'MODULE_PATHNAME', 'dun_timing_sql_payday';
COMMENT ON FUNCTION dunning._payday(text, date[], date) IS 'The posterior over 48 schedules and ''none'' from dates of payments (the first 24 count), with each schedule''s next date from today on.';

-- ---- answers ----

CREATE FUNCTION dunning._best_times_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$
        WITH f AS MATERIALIZED (%s),
        ends AS MATERIALIZED (SELECT u.o::int AS ord, u.a AS not_after FROM unnest($1, $6) WITH ORDINALITY u(d, a, o))
        SELECT f.ord, b.contact_at, dunning._local_time(b.contact_at, f.zone), b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM f
        JOIN ends e ON e.ord = f.ord
        CROSS JOIN LATERAL (SELECT CASE WHEN isfinite(e.not_after) THEN e.not_after ELSE f.at + '7 days'::interval END AS until_at) u
        LEFT JOIN dunning.timing_profile p ON p.debtor_id = f.debtor_id
        LEFT JOIN dunning.timing_book k ON k.creditor = p.creditor AND k.channel = '*'
        CROSS JOIN LATERAL dunning._best_of(f.debtor_id, f.channel, f.at,
            -- nothing is planned for when a hold will have begun
            least(u.until_at, f.held_from), $7,
            f.words || CASE WHEN f.held_until >= least(u.until_at, f.held_from) THEN f.holds ELSE '{}' END, f.held_until, f.windows, f.names, f.caps,
            f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks,
            p.profile, p.payments, p.contacts, p.responses, k.prior, f.effects, $8, $9) b
        ORDER BY f.ord$q$, dunning._gate_facts_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._best_times_sql() IS
    'SQL text of the best times: $1 debtors, $2 channels, $3 from, $4 marks, $5 messages (as the gate takes them), $6 until, $7 now, $8 how many, $9 whether reasons say what each rule closes where there is an instant.';

CREATE FUNCTION dunning._best_times_kept(debtor_ids text[], channels text[], not_before timestamptz[], not_after timestamptz[], now_at timestamptz, top int, by_rule boolean)
    RETURNS TABLE (ord int, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE c STABLE ROWS 1 AS 'MODULE_PATHNAME', 'dun_timing_sql_best_times_kept';
COMMENT ON FUNCTION dunning._best_times_kept(text[], text[], timestamptz[], timestamptz[], timestamptz, int, boolean) IS
    'What _best_times_sql() gives, by a plan that the session keeps while the bindings are the same: for a few debtors at a time.';

CREATE FUNCTION dunning._best_times(debtor_ids text[], channels text[], not_before timestamptz[], not_after timestamptz[], as_of timestamptz, top int DEFAULT 1, by_rule boolean DEFAULT false)
    RETURNS TABLE (ord int, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = auto AS $fn$
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
    -- Of many the plan is made for their number; what is read of the past is read elsewhere.
    IF cardinality(_best_times.debtor_ids) > 20 OR dunning._replay_since() IS NOT NULL THEN
        RETURN QUERY EXECUTE dunning._best_times_sql()
            USING _best_times.debtor_ids, _best_times.channels, starts, NULL::text[], NULL::uuid[], _best_times.not_after, now_at, _best_times.top, _best_times.by_rule;
        RETURN;
    END IF;
    RETURN QUERY SELECT b.* FROM dunning._best_times_kept(_best_times.debtor_ids, _best_times.channels, starts, _best_times.not_after, now_at, _best_times.top, _best_times.by_rule) b;
END
$fn$;
COMMENT ON FUNCTION dunning._best_times(text[], text[], timestamptz[], timestamptz[], timestamptz, int, boolean) IS
    'The best allowed instant of each debtor and channel (arrays of one length) from not_before (NULL: as_of) to not_after (NULL: a week later, at most 62 days); contact_at NULL where there is none, with reasons. as_of NULL: now. With top > 1 nothing is drawn by lot.';

CREATE FUNCTION dunning.payday(debtor_id text) RETURNS TABLE (schedule text, probability float8, next_date date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 4 SET search_path = pg_catalog, pg_temp AS $fn$
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
        FROM (SELECT s.*, row_number() OVER (PARTITION BY s.schedule = 'none' ORDER BY s.probability DESC, s.schedule) AS n
              FROM dunning._payday(place.country, dates, (dunning._now() AT TIME ZONE place.zone)::date) s) y
        WHERE y.n <= 3 ORDER BY y.schedule = 'none', y.n;
END
$fn$;
COMMENT ON FUNCTION dunning.payday(text) IS
    'The three likeliest payday schedules with probability and next date, then ''none'' and how likely it is that there is none; from the last 24 payments that did not follow a contact within two days. Above 0.8 it may be shown as known. Unknown debtor: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.payday(text) TO dunning_viewer;
GRANT SELECT ON dunning.timing_profile, dunning.timing_book TO dunning_viewer;
