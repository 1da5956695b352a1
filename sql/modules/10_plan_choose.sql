-- plan: over which channel, through which server, when. First usable in order wins; the others are listed with why not.

-- A price list may name several currencies: a debt is set against the price in its own, since two currencies are never compared.
CREATE FUNCTION dunning._costs(creditor text, on_date date, currency text DEFAULT NULL, country text DEFAULT NULL) RETURNS TABLE (channel text, cost numeric, priced_in text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT DISTINCT ON (c.channel) c.channel::text, coalesce(k.cost, c.cost), coalesce(k.currency, c.currency)
        FROM dunning.channel c
        LEFT JOIN LATERAL (
            SELECT x.cost, x.currency FROM dunning.channel_cost x
            WHERE x.channel = c.channel AND x.creditor IN (_costs.creditor, '*') AND x.valid_from <= on_date
              AND x.currency IN (_costs.currency, c.currency) AND x.country IN (_costs.country, '*')
            ORDER BY x.currency IS DISTINCT FROM _costs.currency, x.creditor = '*', x.country = '*', x.valid_from DESC LIMIT 1) k ON true
        ORDER BY c.channel, c.builtin;
END
$fn$;
COMMENT ON FUNCTION dunning._costs(text, date, text, text) IS 'What a contact costs a creditor on a day, over each channel: its own price before that for all, a country''s before that of all, in the currency asked for, else in the channel''s own.';

CREATE TYPE dunning._candidate AS (debtor_id text, channel text, rank int, server text, not_before timestamptz, not_after timestamptz);
COMMENT ON TYPE dunning._candidate IS 'A channel that might serve a debtor: rank 1 is asked first.';

CREATE TYPE dunning._choice AS (
    debtor_id text, channel text, rank int, server text, contact_at timestamptz, local_time text, p_response float8, uplift float8,
    explored boolean, propensity float8, timing jsonb, blocked_by text[]);
COMMENT ON TYPE dunning._choice IS 'What the gate and the best time said of a candidate; blocked_by empty: usable.';

-- The best allowed instant of each candidate, and the gate's word on it. `at_once`: the first allowed instant instead of the best.
CREATE FUNCTION dunning._try_candidates(candidates dunning._candidate[], as_of timestamptz, at_once boolean, own_messages uuid[] DEFAULT NULL)
    RETURNS dunning._choice[]
    -- Arrays of any length are looked through: a plan made for a short one would take each for each.
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $fn$
#variable_conflict error
DECLARE
    n int := coalesce(cardinality(candidates), 0);
    debtors text[];
    channels text[];
    instants timestamptz[];
    result dunning._choice[];
BEGIN
    IF n = 0 THEN
        RETURN '{}';
    END IF;
    SELECT pg_catalog.array_agg(c.debtor_id ORDER BY c.ord), pg_catalog.array_agg(c.channel ORDER BY c.ord), pg_catalog.array_agg(c.not_before ORDER BY c.ord)
    INTO debtors, channels, instants FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord);

    IF at_once THEN
        SELECT pg_catalog.array_agg(ROW(c.debtor_id, c.channel, c.rank, c.server, c.not_before, dunning._local_time(c.not_before, coalesce(g.zone, dunning._ledger_zone())),
                   NULL, NULL, false, 1, '{"at_once": true}', g.blocked_by)::dunning._choice ORDER BY c.ord)
        INTO result
        FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord)
        JOIN dunning._gate(debtors, channels, instants, array_fill(NULL::text, ARRAY[n]), own_messages) g ON g.ord = c.ord;
        -- What is allowed now goes now; for the others the next allowed time is looked for.
        RETURN ARRAY(SELECT r FROM unnest(result) r WHERE cardinality(r.blocked_by) = 0)
            || dunning._try_candidates(ARRAY(
                SELECT ROW(c.debtor_id, c.channel, c.rank, c.server, c.not_before, c.not_after)::dunning._candidate
                FROM unnest(candidates) c JOIN unnest(result) r ON r.debtor_id = c.debtor_id AND r.channel = c.channel
                WHERE cardinality(r.blocked_by) > 0), as_of, false, NULL);
    END IF;

    WITH best AS MATERIALIZED (
        SELECT b.* FROM dunning._best_times(debtors, channels, instants,
            ARRAY(SELECT c.not_after FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord) ORDER BY c.ord), as_of) b),
    gated AS MATERIALIZED (
        SELECT g.* FROM dunning._gate(debtors, channels,
            ARRAY(SELECT coalesce(b.contact_at, c.not_before)
                  FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord)
                  LEFT JOIN best b ON b.ord = c.ord ORDER BY c.ord),
            array_fill(NULL::text, ARRAY[n]), own_messages) g)
    SELECT pg_catalog.array_agg(ROW(c.debtor_id, c.channel, c.rank, c.server, coalesce(b.contact_at, c.not_before),
               coalesce(b.local_time, dunning._local_time(c.not_before, coalesce(g.zone, dunning._ledger_zone()))),
               b.p_response, b.uplift, coalesce(b.explored, false), coalesce(b.propensity, 1), b.reasons,
               -- and the rules of the clock where these alone leave no instant
               CASE WHEN b.contact_at IS NULL AND cardinality(g.blocked_by) = 0 THEN ARRAY['no_window'] ELSE g.blocked_by END
                   || CASE WHEN b.reasons ? 'closed_by' THEN ARRAY(SELECT 'rule:' || r.key FROM jsonb_each_text(b.reasons -> 'closed_by') r ORDER BY r.value::int DESC, r.key COLLATE "C") ELSE '{}' END)::dunning._choice ORDER BY c.ord)
    INTO result
    FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord)
    JOIN gated g ON g.ord = c.ord
    LEFT JOIN best b ON b.ord = c.ord;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning._try_candidates(dunning._candidate[], timestamptz, boolean, uuid[]) IS 'The best (or first) allowed instant of each candidate and what blocks it there.';

CREATE FUNCTION dunning._choose(candidates dunning._candidate[], as_of timestamptz, at_once boolean DEFAULT false, own_messages uuid[] DEFAULT NULL)
    RETURNS TABLE (debtor_id text, channel text, server text, contact_at timestamptz, local_time text, p_response float8, uplift float8, explored boolean,
        propensity float8, timing jsonb, blocked_by text[], skipped jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $fn$
#variable_conflict error
DECLARE
    tried dunning._choice[] := '{}';
    this_round dunning._candidate[];
    round int := 0;
BEGIN
    -- Round n asks for the nth channel of those whose first n - 1 would not do: most are done after the first.
    LOOP
        round := round + 1;
        SELECT pg_catalog.array_agg(ROW(c.debtor_id, c.channel, c.rank, c.server, c.not_before, c.not_after)::dunning._candidate) INTO this_round
        FROM unnest(candidates) c
        WHERE c.rank = round
          AND NOT EXISTS (SELECT FROM unnest(tried) t WHERE t.debtor_id = c.debtor_id AND cardinality(t.blocked_by) = 0);
        EXIT WHEN this_round IS NULL AND NOT EXISTS (SELECT FROM unnest(candidates) c WHERE c.rank > round);
        CONTINUE WHEN this_round IS NULL;
        tried := tried || dunning._try_candidates(this_round, as_of, at_once,
            CASE WHEN own_messages IS NULL THEN NULL ELSE array_fill(own_messages[1], ARRAY[cardinality(this_round)]) END);
    END LOOP;
    RETURN QUERY
        SELECT DISTINCT ON (t.debtor_id) t.debtor_id, t.channel, t.server, t.contact_at, t.local_time, t.p_response, t.uplift, t.explored, t.propensity, t.timing,
            t.blocked_by,
            (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('channel', s.c, 'why', s.why) ORDER BY s.rank), '[]')
             FROM ROWS FROM (unnest(x.channels), unnest(x.whys), unnest(x.ranks)) s(c, why, rank) WHERE s.rank < t.rank OR cardinality(t.blocked_by) > 0)
        FROM unnest(tried) t
        JOIN (SELECT u.debtor_id, pg_catalog.array_agg(u.channel) AS channels, pg_catalog.array_agg(pg_catalog.array_to_string(u.blocked_by, ', ')) AS whys,
                     pg_catalog.array_agg(u.rank) AS ranks
              FROM unnest(tried) u GROUP BY u.debtor_id) x ON x.debtor_id = t.debtor_id
        ORDER BY t.debtor_id, cardinality(t.blocked_by) > 0, t.rank;
END
$fn$;
COMMENT ON FUNCTION dunning._choose(dunning._candidate[], timestamptz, boolean, uuid[]) IS
    'One row a debtor: the first usable candidate with its time, and those before it with what blocks them; where none is usable the first, with blocked_by.';

-- Scores as planning reads them, and conditions of steps over scores and features.
CREATE FUNCTION dunning._conditions_at_once(conditions text[], debtor_ids text[], as_of timestamptz) RETURNS TABLE (debtor_id text, holds boolean[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    scores_alone boolean;
    source text;
BEGIN
    -- Features cost a pass over the ledger: only where a condition names one.
    SELECT bool_and(p.p IN ('debtor_id', 'segment', 'diagnosis', 'p_paid_30d', 'p_late', 'p_self_cure')) INTO scores_alone
    FROM unnest(conditions) c(c), LATERAL unnest(dunning._predicate_columns(c.c)) p(p);
    source := CASE WHEN coalesce(scores_alone, true) THEN 'SELECT f.f AS debtor_id FROM unnest($1) f(f)' ELSE dunning._features_sql('$1', '$2') END;
    PERFORM dunning._restrict();
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT x.debtor_id::text, ARRAY[%s]::boolean[] FROM (SELECT f.*, s.segment, s.diagnosis, s.p_paid_30d, s.p_late, s.p_self_cure FROM (%s) f '
        'LEFT JOIN dunning.score_result s ON s.debtor_id = f.debtor_id) x',
        (SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('((%s)::boolean IS TRUE)', c.c), ', ' ORDER BY c.n), '') FROM unnest(conditions) WITH ORDINALITY c(c, n)), source)
    USING debtor_ids, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._conditions_at_once(text[], text[], timestamptz) IS 'Which of the conditions hold for each debtor, in one query: an error of one debtor is an error of all. Runs as dunning_owner in a security-restricted operation.';

-- The same debtor by debtor and condition by condition, so that an error stays with the debtor and the step of which it is.
CREATE FUNCTION dunning._conditions_one_by_one(conditions text[], debtor_ids text[], as_of timestamptz) RETURNS TABLE (debtor_id text, holds boolean[], failure text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    one record;
    answer boolean;
BEGIN
    PERFORM dunning._restrict();
    FOR one IN EXECUTE pg_catalog.format(
        'SELECT ROW(f.*)::dunning.debtor_features AS f, f.debtor_id, s.segment, s.diagnosis, s.p_paid_30d, s.p_late, s.p_self_cure FROM (%s) f '
        'LEFT JOIN dunning.debtor_score s ON s.debtor_id = f.debtor_id', dunning._features_sql('$1', '$2')) USING debtor_ids, as_of
    LOOP
        debtor_id := one.debtor_id;
        failure := NULL;
        holds := '{}';
        FOR n IN 1 .. cardinality(conditions) LOOP
            BEGIN
                EXECUTE pg_catalog.format('SELECT (%s)::boolean IS TRUE FROM (SELECT ($1).*, $2 AS segment, $3 AS diagnosis, $4 AS p_paid_30d, $5 AS p_late, $6 AS p_self_cure) x', conditions[n])
                    INTO answer USING one.f, one.segment, one.diagnosis, one.p_paid_30d, one.p_late, one.p_self_cure;
            EXCEPTION WHEN data_exception THEN
                answer := NULL;
                GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT;
            END;
            holds := holds || answer;
        END LOOP;
        RETURN NEXT;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._conditions_one_by_one(text[], text[], timestamptz) IS 'Which of the conditions hold for each debtor: NULL for one that cannot be told, with its error.';

CREATE FUNCTION dunning._conditions(conditions text[], debtor_ids text[], as_of timestamptz) RETURNS TABLE (debtor_id text, holds boolean[], failure text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT c.debtor_id, c.holds, NULL::text FROM dunning._conditions_at_once(conditions, debtor_ids, as_of) c;
EXCEPTION WHEN data_exception THEN
    RETURN QUERY SELECT c.debtor_id, c.holds, c.failure FROM dunning._conditions_one_by_one(conditions, debtor_ids, as_of) c;
END
$fn$;
COMMENT ON FUNCTION dunning._conditions(text[], text[], timestamptz) IS 'Which of the conditions hold for each debtor: NULL for one that cannot be told, with its error. Only who follows a strategy with that condition is held by it.';
