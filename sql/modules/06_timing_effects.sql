-- timing: what dates do to the worth of a contact, learnt each night from contacts and answers.

CREATE FUNCTION dunning._book_chances(prior bytea, channel text) RETURNS float8[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_book_chances';
COMMENT ON FUNCTION dunning._book_chances(bytea, text) IS 'For each hour of the local week the chance that a contact at it is answered by somebody of whom only the book is known.';

CREATE FUNCTION dunning._fit_date_effects(groups int[], answers float8[], expected float8[], mark_cells int[], mark_effects int[], effects int,
    OUT effect int, OUT answered float8, OUT foreseen float8, OUT weight float8, OUT multiplier float8, OUT low float8, OUT high float8) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_fit_effects';
COMMENT ON FUNCTION dunning._fit_date_effects(int[], float8[], float8[], int[], int[], int) IS
    'Fits answers ~ level of the group x expected x multipliers of the effects that mark a cell (a day of a group), each drawn to 1 as by 200 answers; with the evidence in answers and the interval of 95 in 100 of the data alone. Cells, groups and effects are numbered from 1; marks in order of effects. Arrays that do not fit: 22023.';

-- Hours are taken out by what the model said when a contact was planned, which knew neither its date nor its answer; of a contact without a model by what
-- its book answers at that hour. Each quarter of a creditor's channel has a level of its own: books change, and with them who is written to.
CREATE FUNCTION dunning._dated_contacts(as_of timestamptz, share float8)
    RETURNS TABLE (creditor text, channel text, country text, region text, debtor_kind text, modelled boolean, on_date date, contacts bigint, answers bigint, expected float8)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH contact AS MATERIALIZED (
            SELECT c.*, lead(c.at) OVER (PARTITION BY c.debtor_id ORDER BY c.at, c.message_id) AS next_at
            FROM (SELECT e.debtor_id, e.message_id, min(e.creditor) AS creditor, min(e.channel) AS channel, min(e.contact_on) AS at FROM dunning.egress e
                  WHERE NOT e.test AND e.contact_on < $1 AND e.contact_on > $1 - interval '2 years' AND dunning._uniform(e.debtor_id, 12) < $2 GROUP BY 1, 2) c),
        debtor AS MATERIALIZED (
            SELECT DISTINCT ON (d.debtor_id) d.debtor_id, dunning._place(d.country, d.region) AS place, coalesce(d.kind, '') AS kind, (dunning._zone(d.time_zone, d.country, d.region))[1] AS zone
            FROM (%s) d WHERE dunning._uniform(d.debtor_id, 12) < $2 ORDER BY d.debtor_id),
        book AS MATERIALIZED (
            SELECT g.creditor, g.channel, dunning._book_chances((SELECT b.prior FROM dunning.timing_book b WHERE b.creditor = g.creditor AND b.channel = '*'), g.channel) AS chances
            FROM (SELECT DISTINCT c.creditor, c.channel FROM contact c) g),
        judged AS (
            SELECT c.creditor, c.channel, d.place, d.kind, (m.decision -> 'timing' ->> 'x')::float8 AS x, c.at AT TIME ZONE d.zone AS local,
                EXISTS (SELECT FROM dunning.event v WHERE v.debtor_id = c.debtor_id AND v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised')
                        AND v.detail ->> 'machine' IS DISTINCT FROM 'true' AND v.at >= c.at + interval '10 seconds' AND v.at < least(c.next_at, c.at + interval '6 days')) AS answered
            FROM contact c
            JOIN debtor d ON d.debtor_id = c.debtor_id
            -- A model's chance is that of the hour that was planned.
            LEFT JOIN dunning.message m ON m.message_id = c.message_id AND c.at BETWEEN m.contact_at - interval '5 minutes' AND m.contact_at + interval '1 hour'
            WHERE c.at < $1 - interval '6 days'
              AND NOT EXISTS (SELECT FROM dunning.event b WHERE b.debtor_id = c.debtor_id AND b.message_id = c.message_id AND b.kind IN ('bounced', 'failed')))
        SELECT j.creditor::text, j.channel::text, coalesce(substr(j.place, 1, 2), ''), coalesce(substr(j.place, 4), ''), j.kind::text, j.x IS NOT NULL, j.local::date, count(*), count(*) FILTER (WHERE j.answered),
            sum(coalesce(1 / (1 + exp(-j.x)), b.chances[24 * (extract(isodow FROM j.local)::int - 1) + extract(hour FROM j.local)::int + 1]))
        FROM judged j JOIN book b ON b.creditor = j.creditor AND b.channel = j.channel
        GROUP BY 1, 2, 3, 4, 5, 6, 7$q$, dunning._ledger_sql('debtor', NULL))
    USING _dated_contacts.as_of, _dated_contacts.share;
END
$fn$;
COMMENT ON FUNCTION dunning._dated_contacts(timestamptz, float8) IS
    'Contacts of two years that are over, of a share of the debtors, by local day, creditor, channel, place and kind of debtor: how many, how many were answered, and how many the model expected.';

-- Which effects reach which days of which place; of one tag the strongest alone, as the planner counts them.
CREATE FUNCTION dunning._dated_effects(countries text[], regions text[], kinds text[], dates date[])
    RETURNS TABLE (country text, region text, debtor_kind text, on_date date, effect text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH day AS MATERIALIZED (SELECT u.* FROM unnest(_dated_effects.countries, _dated_effects.regions, _dated_effects.kinds, _dated_effects.dates) u(country, region, kind, on_date)),
        u AS MATERIALIZED (SELECT x.* FROM (SELECT DISTINCT ON (d.effect) d.* FROM dunning.date_effect d ORDER BY d.effect, d.builtin) x WHERE x.learn),
        reach AS MATERIALIZED (
            SELECT p.country, p.region, p.kind, u.effect, u.tag, u.multiplier,
                dunning._packed_effects(p.country, nullif(p.region, ''), NULL, ARRAY[u.tag], ARRAY[u.from_day], ARRAY[u.until_day], ARRAY[2::float8], o.tags, o.firsts, o.lasts) AS packed
            FROM (SELECT DISTINCT d.country, d.region, d.kind FROM day d) p
            JOIN u ON (u.country IS NULL OR u.country = p.country) AND (u.region IS NULL OR u.region = p.region) AND (u.debtor_kind IS NULL OR u.debtor_kind = p.kind)
            CROSS JOIN LATERAL (SELECT array_agg(m.tag) AS tags, array_agg(m.on_date) AS firsts, array_agg(m.until_date) AS lasts FROM dunning.money_date m
                                WHERE m.tag = u.tag AND m.country IN ('', p.country) AND m.region IN ('', p.region) AND (m.debtor_kind IS NULL OR m.debtor_kind = p.kind)) o)
        SELECT DISTINCT ON (d.country, d.region, d.kind, d.on_date, r.tag) d.country, d.region, d.kind, d.on_date, r.effect::text
        FROM day d JOIN reach r ON r.country = d.country AND r.region = d.region AND r.kind = d.kind
        WHERE (dunning._effect(r.packed, d.on_date)).tag IS NOT NULL
        ORDER BY d.country, d.region, d.kind, d.on_date, r.tag, abs(ln(r.multiplier)) DESC, r.effect;
END
$fn$;
COMMENT ON FUNCTION dunning._dated_effects(text[], text[], text[], date[]) IS 'The effects to be learnt that reach these days of places and kinds of debtors, four arrays of one length.';

CREATE FUNCTION dunning._refresh_timing_effects(as_of timestamptz DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    at_time timestamptz := coalesce(_refresh_timing_effects.as_of, dunning._now());
    -- more would change no figure that is shown
    share float8 := 300000.0 / greatest(300000, (SELECT count(*) FROM dunning.egress e WHERE NOT e.test AND e.contact_on > at_time - interval '2 years' AND e.contact_on < at_time));
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    DELETE FROM dunning.date_effect_learnt;
    RETURN QUERY
    WITH cell AS MATERIALIZED (
        SELECT c.*, row_number() OVER (PARTITION BY c.country, c.debtor_kind ORDER BY c.creditor, c.channel, c.modelled, c.on_date, c.region)::int AS n,
            dense_rank() OVER (PARTITION BY c.country, c.debtor_kind ORDER BY c.creditor, c.channel, c.modelled, date_trunc('quarter', c.on_date::timestamp))::int AS level
        FROM dunning._dated_contacts(at_time, share) c),
    day AS MATERIALIZED (SELECT DISTINCT c.country, c.region, c.debtor_kind, c.on_date FROM cell c),
    reach AS MATERIALIZED (
        SELECT x.*, dense_rank() OVER (ORDER BY x.effect)::int AS no
        FROM (SELECT array_agg(d.country) AS countries, array_agg(d.region) AS regions, array_agg(d.debtor_kind) AS kinds, array_agg(d.on_date) AS dates FROM day d) a
        CROSS JOIN LATERAL dunning._dated_effects(a.countries, a.regions, a.kinds, a.dates) x),
    mark AS MATERIALIZED (
        SELECT c.country, c.debtor_kind, c.n, r.no, r.effect, c.contacts, c.answers, c.on_date
        FROM cell c JOIN reach r ON r.country = c.country AND r.region = c.region AND r.debtor_kind = c.debtor_kind AND r.on_date = c.on_date),
    -- Days a week apart are two occasions.
    told AS (
        SELECT m.country, m.debtor_kind, m.effect, m.no, sum(m.contacts)::bigint AS contacts, sum(m.answers)::bigint AS answers, min(m.on_date) AS since, max(m.on_date) AS until,
            count(*) FILTER (WHERE m.on_date > m.before + 7 OR m.before IS NULL)::int AS occasions
        FROM (SELECT k.*, lag(k.on_date) OVER (PARTITION BY k.country, k.debtor_kind, k.no ORDER BY k.on_date) AS before FROM mark k) m GROUP BY 1, 2, 3, 4),
    fit AS (
        SELECT s.country, s.debtor_kind, f.*
        FROM (SELECT c.country, c.debtor_kind, array_agg(c.level ORDER BY c.n) AS levels, array_agg(c.answers::float8 ORDER BY c.n) AS answers, array_agg(c.expected ORDER BY c.n) AS expected
              FROM cell c GROUP BY 1, 2) s
        JOIN (SELECT m.country, m.debtor_kind, array_agg(m.n ORDER BY m.no, m.n) AS cells, array_agg(m.no ORDER BY m.no, m.n) AS effects, max(m.no) AS last FROM mark m GROUP BY 1, 2) k
            ON k.country = s.country AND k.debtor_kind = s.debtor_kind
        CROSS JOIN LATERAL dunning._fit_date_effects(s.levels, s.answers, s.expected, k.cells, k.effects, k.last) f)
    INSERT INTO dunning.date_effect_learnt AS o (effect, country, debtor_kind, contacts, answers, expected, occasions, weight, multiplier, low, high, state, since, until, as_of)
    SELECT t.effect, t.country, t.debtor_kind, t.contacts, t.answers, f.foreseen, t.occasions, f.weight, least(greatest(f.multiplier, 0.1), 10), f.low, f.high,
        CASE WHEN t.occasions < 2 THEN 'unknown' WHEN abs(ln(f.multiplier)) * sqrt(f.weight + 200) >= 3 THEN 'sure' WHEN f.weight >= 200 THEN 'known' ELSE 'unknown' END, t.since, t.until, at_time
    FROM told t JOIN fit f ON f.country = t.country AND f.debtor_kind = t.debtor_kind AND f.effect = t.no
    RETURNING o.effect::text;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_timing_effects(timestamptz) IS
    'The date effects of which the contacts of two years before as_of (NULL: now) show something, by country and kind of debtor. Called by maintain().';
