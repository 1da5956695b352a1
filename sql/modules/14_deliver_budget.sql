-- Money at the way out: what was not planned by a run (send(), fallbacks, retries) is asked for here.

-- Whoever asks holds the lock until its intents are committed, so that the next one counts them.
CREATE FUNCTION dunning._over_budget(debtor_ids text[], message_ids uuid[], OUT ord bigint, OUT until_at timestamptz) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz;
    today timestamptz;
    tomorrow timestamptz;
    asking bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.budget) THEN
        RETURN;
    END IF;
    at := dunning._now();
    today := dunning._today(at)::timestamp AT TIME ZONE dunning._ledger_zone();
    tomorrow := (dunning._today(at) + 1)::timestamp AT TIME ZONE dunning._ledger_zone();
    SELECT pg_catalog.array_agg(v.ord ORDER BY v.ord) INTO asking
    FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) WITH ORDINALITY AS v(debtor_id, message_id, ord)
    JOIN dunning.message m ON m.debtor_id = v.debtor_id AND m.message_id = v.message_id
    WHERE m.cost > 0 AND dunning._unplanned(m, today)
      -- what has to be said is said whatever it costs
      AND NOT EXISTS (SELECT FROM dunning._steps(m.strategy) s WHERE m.strategy IS NOT NULL AND s.step = m.step AND s.must);
    IF asking IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_catalog.pg_advisory_xact_lock(1685416038, 0);
    RETURN QUERY
        WITH spent AS MATERIALIZED (SELECT s.* FROM dunning._spent(at) s),
        purse AS (
            SELECT b.creditor, b.campaign, b.currency, b.per_day, b.per_day - coalesce((SELECT sum(s.spent) FROM spent s
                       WHERE s.currency = b.currency AND b.creditor IN (s.creditor, '*') AND b.campaign IN (s.campaign, '*')), 0) AS remaining
            FROM dunning.budget b),
        asked AS (
            SELECT v.ord, m.cost, p.creditor, p.campaign, p.currency, p.remaining, bool_and(m.cost <= p.per_day) OVER (PARTITION BY v.ord) AS fits
            FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) WITH ORDINALITY AS v(debtor_id, message_id, ord)
            JOIN dunning.message m ON m.debtor_id = v.debtor_id AND m.message_id = v.message_id
            JOIN purse p ON p.currency = m.cost_currency AND p.creditor IN (m.creditor, '*') AND p.campaign IN (coalesce(m.strategy, ''), '*')
            WHERE v.ord = ANY (asking)),
        taken AS (
            SELECT a.ord, a.remaining, a.fits, sum(a.cost) FILTER (WHERE a.fits) OVER (PARTITION BY a.creditor, a.campaign, a.currency ORDER BY a.ord) AS total
            FROM asked a)
        SELECT DISTINCT t.ord, tomorrow FROM taken t WHERE NOT t.fits OR t.total > t.remaining;
END
$fn$;
COMMENT ON FUNCTION dunning._over_budget(text[], uuid[]) IS
    'Which of these messages (their places in the arrays) today''s budgets are not enough for, and until when: of those that no run planned, in this order. Exact until the transaction ends.';
GRANT EXECUTE ON FUNCTION dunning._over_budget(text[], uuid[]) TO dunning_worker;
