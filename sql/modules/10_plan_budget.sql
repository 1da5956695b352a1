-- plan: what a contact is worth (src/plan/value.c says how), whom an address still reaches, and what a day's money is enough for.

CREATE FUNCTION dunning._response_share(answered float8, contacts float8, book_share float8) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_plan_sql_response_share';
COMMENT ON FUNCTION dunning._response_share(float8, float8, float8) IS 'The share of contacts that a debtor answers, shrunk to the book''s with the weight of two answers: (2 + k) / (2 / q + E).';
CREATE FUNCTION dunning._fatigue(n7 int, n30 int) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_plan_sql_fatigue';
COMMENT ON FUNCTION dunning._fatigue(int, int) IS 'What is left of an answer''s chance after n7 contacts in 7 days and n30 in 30: exp(-0.15 n7 - 0.03 n30).';
CREATE FUNCTION dunning._address_quality(field text, age_days int, soft_bounces int, hard_bounce boolean) RETURNS float8
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_plan_sql_address_quality';
COMMENT ON FUNCTION dunning._address_quality(text, int, int, boolean) IS 'How likely an address reaches its owner, 0 to 1: postal ones lose 10 % a year, telephone numbers 8 %, others 5 %; a third for each soft bounce of the last 14 days; 0 after a hard one.';
CREATE FUNCTION dunning._channel_value(p float8, amount float8, margin float8, cost float8, share float8, usual_share float8, n7 int, n30 int, quality float8, p_opt_out float8)
    RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_plan_sql_channel_value';
COMMENT ON FUNCTION dunning._channel_value(float8, float8, float8, float8, float8, float8, int, int, float8, float8) IS
    'The expected value of a contact less its cost, in the currency of both: p x margin x amount x (share / usual_share) x fatigue x quality - cost - loss by opt-outs.';

-- Shares of answers before a book has any of its own, and how often a contact ends the channel.
CREATE FUNCTION dunning._channel_priors() RETURNS TABLE (channel text, share float8, p_opt_out float8)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ VALUES ('email', 0.10::float8, 0.002::float8), ('sms', 0.20, 0.005), ('whatsapp', 0.20, 0.005), ('push', 0.10, 0.010), ('letter', 0.08, 0.0), ('call', 0.25, 0.010), ('visit', 0.30, 0.020) $$;
COMMENT ON FUNCTION dunning._channel_priors() IS 'First values by channel, with the weight of ten contacts: share of contacts answered, and of contacts after which the debtor opts out.';

CREATE FUNCTION dunning._channel_shares(creditor text) RETURNS TABLE (channel text, share float8, usual_share float8, p_opt_out float8)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT c.channel::text, (coalesce(b.responses, 0) + 10 * coalesce(p.share, 0.1::float8)) / (coalesce(b.contacts, 0) + 10),
               (coalesce(a.responses, 0) + 10 * 0.1::float8) / (coalesce(a.contacts, 0) + 10), coalesce(p.p_opt_out, 0.005::float8)
        FROM (SELECT DISTINCT x.channel FROM dunning.channel x) c
        LEFT JOIN dunning._channel_priors() p ON p.channel = c.channel
        LEFT JOIN dunning.timing_book b ON b.creditor = _channel_shares.creditor AND b.channel = c.channel
        LEFT JOIN dunning.timing_book a ON a.creditor = _channel_shares.creditor AND a.channel = '*';
END
$fn$;
COMMENT ON FUNCTION dunning._channel_shares(text) IS 'By channel the share of a creditor''s contacts that are answered, shrunk to first values, that over all channels, and the risk of an opt-out.';

-- What came back of late, and since when an address is known to be good: the date in the debtor's attributes (email_on, phone_on, address_on), else its last sign of life.
CREATE FUNCTION dunning._reach_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH sign AS MATERIALIZED (
            SELECT e.debtor_id, c.address_field AS field,
                   count(*) FILTER (WHERE e.kind IN ('bounced', 'failed') AND e.at > %2$s - interval '14 days')::int AS soft,
                   (max(e.at) FILTER (WHERE e.kind NOT IN ('bounced', 'failed')) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS alive_on
            FROM dunning.event e
            JOIN dunning.message m ON m.debtor_id = e.debtor_id AND m.message_id = e.message_id
            JOIN (SELECT DISTINCT ON (x.channel) x.channel, x.address_field FROM dunning.channel x ORDER BY x.channel, x.builtin) c ON c.channel = m.channel
            WHERE e.kind IN ('bounced', 'failed', 'delivered', 'clicked', 'replied') AND e.at <= %2$s AND e.at > %2$s - interval '2 years'
              AND e.debtor_id = ANY (%1$s)
            GROUP BY 1, 2)
        SELECT d.debtor_id, f.field, coalesce(s.soft, 0) AS soft,
               dunning._address_quality(f.field, (SELECT dunning._today(%2$s)) - greatest(s.alive_on,
                   CASE WHEN dunning._is_date(d.attributes->>(f.field || '_on')) THEN (d.attributes->>(f.field || '_on'))::date END), coalesce(s.soft, 0), false) AS quality
        FROM (%3$s) d
        CROSS JOIN (VALUES ('email'), ('phone'), ('address')) f(field)
        LEFT JOIN sign s ON s.debtor_id = d.debtor_id AND s.field = f.field
        WHERE s.debtor_id IS NOT NULL OR d.attributes ? (f.field || '_on')$q$, many, as_of, dunning._ledger_sql('debtor', many, NULL));
END
$fn$;
COMMENT ON FUNCTION dunning._reach_sql(text, text) IS 'SQL text: one row a debtor and address field of which something is known: soft bounces of 14 days, quality 0 to 1. Hard bounces are suppressed: the gate''s matter.';

-- By the clock of decisions; what was cancelled is not spent, nor what certainly did not leave.
CREATE FUNCTION dunning._spent(as_of timestamptz) RETURNS TABLE (creditor text, campaign text, currency text, spent numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    day_start timestamptz := dunning._today(as_of)::timestamp AT TIME ZONE dunning._ledger_zone();
    -- Keys tell the real time: where that is the clock, today's are found by them.
    first_id uuid := CASE WHEN dunning._virtual_clock() IS NULL THEN dunning._uuid7_floor(day_start - interval '1 hour') ELSE '00000000-0000-0000-0000-000000000000' END;
BEGIN
    IF dunning._replay_since() IS NOT NULL THEN
        RETURN QUERY EXECUTE pg_catalog.format($q$
            SELECT m.creditor::text, coalesce(m.strategy, '')::text, m.cost_currency, sum(m.cost)
            FROM %s m
            LEFT JOIN dunning.message_state s ON s.debtor_id = m.debtor_id AND s.message_id = m.message_id
            WHERE m.cost > 0 AND m.created_at >= $1 AND m.created_at <= $2 AND s.state IS DISTINCT FROM 'cancelled'
            GROUP BY 1, 2, 3$q$, dunning._past('message')) USING day_start, as_of;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT x.creditor, x.campaign, x.cost_currency, sum(x.cost) FROM (
            SELECT m.creditor::text AS creditor, coalesce(m.strategy, '')::text AS campaign, m.cost_currency, m.cost
            FROM dunning.message m
            WHERE m.cost > 0 AND m.created_at >= day_start AND m.created_at <= as_of AND m.message_id >= first_id
              AND m.run_id IS NOT NULL AND NOT m.decision ? 'tried'
              -- Asked for each row by its key: message_state, joined, might be worked out for every message there is.
              AND (EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = m.debtor_id AND q.message_id = m.message_id)
                   OR (SELECT o.state FROM dunning.outcome o WHERE o.debtor_id = m.debtor_id AND o.message_id = m.message_id
                       ORDER BY dunning._state_rank(o.state) = 0, o.attempt DESC, dunning._state_rank(o.state) DESC, o.outcome_id DESC LIMIT 1) IS DISTINCT FROM 'cancelled')
            UNION ALL
            SELECT m.creditor::text, coalesce(m.strategy, '')::text, l.cost_currency, l.cost
            FROM (SELECT DISTINCT ON (e.debtor_id, e.message_id) e.debtor_id, e.message_id, e.cost, e.cost_currency
                  FROM dunning.egress e
                  WHERE e.contact_on >= day_start AND e.contact_on <= as_of AND e.cost > 0 AND NOT e.test
                    AND NOT EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt
                                    AND o.state IN ('queued', 'held', 'cancelled') AND NOT coalesce(o.detail ? 'may_have_arrived', false))
                  ORDER BY e.debtor_id, e.message_id, e.attempt) l
            JOIN dunning.message m ON m.debtor_id = l.debtor_id AND m.message_id = l.message_id
            WHERE dunning._unplanned(m, day_start)) x
        GROUP BY 1, 2, 3;
END
$fn$;
COMMENT ON FUNCTION dunning._spent(timestamptz) IS 'Cost since midnight, by creditor, campaign (strategy) and currency: of what was planned, and of what left unplanned, recounted from egress.';

-- The most worthwhile first; what the day's money is not enough for is held as `budget` and asked again tomorrow. What is dearer by itself
-- than a whole day of one of its purses takes nothing from the others: a call that no day can pay would stand before them every day. What is
-- merely dearer than what is left does: else a run asked again would find less left, and let those pass who stood behind it.
CREATE FUNCTION dunning._hold_over_budget(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.budget) THEN
        RETURN;
    END IF;
    WITH spent AS MATERIALIZED (SELECT s.* FROM dunning._spent(as_of) s),
    purse AS (
        SELECT b.creditor, b.campaign, b.currency, b.per_day, b.per_day - coalesce((SELECT sum(s.spent) FROM spent s
                   WHERE s.currency = b.currency AND b.creditor IN (s.creditor, '*') AND b.campaign IN (s.campaign, '*')), 0) AS remaining
        FROM dunning.budget b),
    asked AS (
        SELECT r.debtor_id, r.must, r.cost, r.expected_value / r.cost AS worth, p.creditor, p.campaign, p.currency, p.remaining,
               r.must OR bool_and(r.cost <= p.per_day) OVER (PARTITION BY r.debtor_id) AS fits
        FROM pg_temp.dunning_plan_row r
        JOIN purse p ON p.currency = r.cost_currency AND p.creditor IN (r.creditor, '*') AND p.campaign IN (r.strategy, '*')
        WHERE r.state <> 'held' AND r.cost > 0),
    taken AS (
        SELECT a.debtor_id, a.remaining, a.must, a.fits,
               sum(a.cost) FILTER (WHERE a.fits) OVER (PARTITION BY a.creditor, a.campaign, a.currency ORDER BY a.must DESC, a.worth DESC NULLS LAST, a.debtor_id) AS total
        FROM asked a)
    UPDATE pg_temp.dunning_plan_row r SET state = 'held', message_id = NULL, reason = 'budget', blocked_by = '{budget}'
    FROM (SELECT DISTINCT t.debtor_id FROM taken t WHERE NOT t.must AND (NOT t.fits OR t.total > t.remaining)) o WHERE o.debtor_id = r.debtor_id;
END
$fn$;
COMMENT ON FUNCTION dunning._hold_over_budget(timestamptz) IS 'Holds the rows of a planning run that today''s budgets are not enough for.';
