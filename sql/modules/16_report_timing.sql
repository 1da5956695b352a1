-- report: does it matter when we write? The chosen instants against allowed ones drawn by lot, in figures that hold at every look.

CREATE FUNCTION dunning.timing_report()
    RETURNS TABLE (creditor text, channel text, contacts bigint, answers bigint, drawn bigint, drawn_answers bigint, share float8, drawn_share float8,
        difference float8, lower float8, upper float8, log_e float8, believed float8, verdict text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    WITH n AS MATERIALIZED (
        SELECT t.creditor, t.channel, count(*) FILTER (WHERE NOT t.drawn) AS contacts, count(*) FILTER (WHERE NOT t.drawn AND t.answered) AS answers,
               count(*) FILTER (WHERE t.drawn) AS drawn, count(*) FILTER (WHERE t.drawn AND t.answered) AS drawn_answers
        FROM dunning._timed_contacts(dunning._now() - interval '1 year', dunning._now(), 1) t GROUP BY 1, 2),
    s AS (SELECT n.*, n.answers / nullif(n.contacts, 0)::float8 AS share, n.drawn_answers / nullif(n.drawn, 0)::float8 AS drawn_share FROM n),
    -- Narrowest where a thousand were drawn by lot; one contact in twenty is.
    v AS (SELECT s.*, s.share - s.drawn_share AS d, s.share * (1 - s.share) / s.contacts + s.drawn_share * (1 - s.drawn_share) / s.drawn AS variance,
                 p.p * (1 - p.p) * (1.0 / 1000 + 1.0 / 19000) AS planned,
                 least(s.drawn_answers, s.drawn - s.drawn_answers, s.answers, s.contacts - s.answers) AS rarer
          FROM s CROSS JOIN LATERAL (SELECT (s.answers + s.drawn_answers)::float8 / (s.contacts + s.drawn) AS p) p)
    SELECT v.creditor, v.channel, v.contacts, v.answers, v.drawn, v.drawn_answers, v.share, v.drawn_share,
        v.d, v.d - q.half_width, v.d + q.half_width, q.log_e, c.claimed,
        CASE
            WHEN v.drawn < 100 OR v.rarer < 10 OR q.half_width IS NULL
                THEN format('too early: %s contacts drawn by lot, %s of the rarer outcome; 100 and 10 are needed', v.drawn, coalesce(v.rarer, 0))
            WHEN v.d - q.half_width > 0 THEN format('timing matters: %s of 100 chosen contacts are answered, %s of 100 drawn by lot; surely %s more', round((100 * v.share)::numeric, 1), round((100 * v.drawn_share)::numeric, 1), round((100 * (v.d - q.half_width))::numeric, 1))
            WHEN v.d + q.half_width < 0 THEN 'timing does harm: chosen instants are answered less often than those drawn by lot'
            WHEN coalesce(c.used AND c.flat, false) THEN 'hours make no difference: the earliest allowed instant is taken'
            ELSE format('not decided: from %s to %s answers more in 100 contacts', round((100 * (v.d - q.half_width))::numeric, 1), round((100 * (v.d + q.half_width))::numeric, 1))
        END
    FROM v
    LEFT JOIN LATERAL dunning._confidence_sequence(v.d, v.variance, v.planned, 0.05) q ON v.variance > 0
    LEFT JOIN dunning.timing_calibration c ON c.creditor = v.creditor AND c.channel = v.channel
    ORDER BY v.creditor, v.channel;
END
$fn$;
COMMENT ON FUNCTION dunning.timing_report() IS
    'One row a creditor and channel: chosen contacts of the last year that are over and how many were answered, the same of those whose instant was drawn by lot, the difference of the shares with an interval that holds at every look (95 %), how much of the model''s differences between hours is believed (0 to 1), and the verdict in words. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.timing_report() TO dunning_viewer;
