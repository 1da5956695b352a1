-- experiment: what came of it, in figures that hold at every look.

CREATE FUNCTION dunning._experiment_units(experiment text) RETURNS TABLE (arm text, "position" int, share float8, assigned bigint, n bigint, paid bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    -- A unit counts once its window has passed; a payment counts if it came after the assignment and within the window.
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH unit AS MATERIALIZED (
            SELECT s.debtor_id, s.arm, s.assigned_at, s.assigned_at + e.window_days * interval '1 day' AS until
            FROM dunning.assignment s JOIN dunning.experiment e ON e.experiment = s.experiment WHERE s.experiment = $1),
        payer AS (
            SELECT DISTINCT u.debtor_id FROM unit u JOIN (%s) p ON p.debtor_id = u.debtor_id
            WHERE p.amount > 0 AND p.paid_at >= u.assigned_at AND p.paid_at < u.until),
        counted AS (
            SELECT u.arm, count(*) AS assigned, count(*) FILTER (WHERE u.until <= dunning._now()) AS n,
                   count(p.debtor_id) FILTER (WHERE u.until <= dunning._now()) AS paid
            FROM unit u LEFT JOIN payer p ON p.debtor_id = u.debtor_id GROUP BY u.arm)
        SELECT a.arm::text, a.position, a.upper - a.lower, coalesce(c.assigned, 0), coalesce(c.n, 0), coalesce(c.paid, 0)
        FROM dunning.arm a LEFT JOIN counted c ON c.arm = a.arm WHERE a.experiment = $1 ORDER BY a.position$q$,
        dunning._ledger_sql('payment', '(SELECT pg_catalog.array_agg(s.debtor_id) FROM dunning.assignment s WHERE s.experiment = $1)', 'dunning._virtual_clock()'))
    USING _experiment_units.experiment;
END
$fn$;
COMMENT ON FUNCTION dunning._experiment_units(text) IS 'One row an arm: units assigned, units whose window has passed, and how many of these paid within it.';

CREATE FUNCTION dunning.experiment_result(name text) RETURNS TABLE (arm text, n bigint, paid bigint, paid_share float8,
        difference float8, lower float8, upper float8, log_e float8, verdict text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    e dunning.experiment;
    units jsonb;
    log_bf float8;
    compared int;
BEGIN
    PERFORM dunning._check_experiment(name);
    SELECT x.* INTO e FROM dunning.experiment x WHERE x.experiment = experiment_result.name;
    SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(u) ORDER BY u.position), dunning._srm(pg_catalog.array_agg(u.assigned::float8), pg_catalog.array_agg(u.share)), count(*) - 1
    INTO units, log_bf, compared FROM dunning._experiment_units(experiment_result.name) u;

    RETURN QUERY
    WITH u AS (
        SELECT x.*, x.paid / nullif(x.n, 0)::float8 AS rate
        FROM jsonb_to_recordset(units) AS x(arm text, "position" int, share float8, assigned bigint, n bigint, paid bigint)),
    c AS (SELECT u.* FROM u WHERE u.position = 1),
    pair AS (
        SELECT u.*, u.rate - c.rate AS d, u.n + c.n AS both,
               u.rate * (1 - u.rate) / nullif(u.n, 0) + c.rate * (1 - c.rate) / nullif(c.n, 0) AS v,
               pooled.p * (1 - pooled.p) * (1 / (e.planned * u.share) + 1 / (e.planned * c.share)) AS planned_v,
               least(u.paid, c.paid, u.n - u.paid, c.n - c.paid) AS least_events
        FROM u, c, LATERAL (SELECT (u.paid + c.paid)::float8 / nullif(u.n + c.n, 0) AS p) pooled),
    -- K arms against one control share the error: alpha / K
    s AS (
        SELECT p.*, q.log_e, q.half_width FROM pair p
        LEFT JOIN LATERAL dunning._confidence_sequence(p.d, p.v, p.planned_v, e.alpha / greatest(compared, 1)) q ON p.position > 1 AND p.v > 0)
    SELECT s.arm, s.n, s.paid, s.rate, CASE WHEN s.position > 1 THEN s.d END, s.d - s.half_width, s.d + s.half_width, s.log_e,
        CASE
            WHEN log_bf >= ln(100) THEN 'no verdict: the arms do not hold the shares they were given'
            WHEN s.position = 1 THEN 'control'
            WHEN s.both < 200 OR s.least_events < 10 OR s.v IS NULL THEN
                pg_catalog.format('too early: %s units in both arms, %s of the rarer outcome; 200 and 10 are needed', s.both, s.least_events)
            WHEN s.d - s.half_width > 0 THEN pg_catalog.format('better than %s: more paid, at every look with confidence %s %%', c.arm, round((100 * (1 - e.alpha))::numeric, 1))
            WHEN s.d + s.half_width < 0 THEN pg_catalog.format('worse than %s: fewer paid, at every look with confidence %s %%', c.arm, round((100 * (1 - e.alpha))::numeric, 1))
            WHEN s.both >= e.planned THEN pg_catalog.format('no difference from %s seen', c.arm)
            ELSE pg_catalog.format('not decided: %s of %s units', s.both, e.planned)
        END
    FROM s, c ORDER BY s.position;
END
$fn$;
COMMENT ON FUNCTION dunning.experiment_result(text) IS
    'One row an arm: units whose window has passed, the share that paid within it, the difference from the control with an interval valid at every look, and the verdict in words. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.experiment_result(text) TO dunning_viewer;
