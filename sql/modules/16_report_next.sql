-- report: when the next reminder is due, where none is queued yet.

-- When the next reminder is due, where none is queued: planning is asked for each day on which a step may come up, as things
-- stand now. Days that no step of the strategy points to cannot bring one.
CREATE FUNCTION dunning._explain_next(debtor_id text, strategy text) RETURNS TABLE (step text, channel text, local_time text, contact_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    today date := dunning._today(NULL);
    day   date;
BEGIN
    FOR day IN
        SELECT DISTINCT d.day FROM (
            SELECT today AS day
            UNION ALL
            SELECT b.oldest_due_on + s.offset_days FROM dunning.balance(_explain_next.debtor_id) b, dunning._steps(_explain_next.strategy) s WHERE s.anchor = 'due_date'
            UNION ALL
            -- what the days between two contacts have put off, and what is repeated
            SELECT c.last_on + g.days
            FROM (SELECT max((e.contact_on AT TIME ZONE dunning._ledger_zone())::date) AS last_on FROM dunning.egress e WHERE e.debtor_id = _explain_next.debtor_id AND NOT e.test) c,
                 (SELECT t.min_gap_days FROM dunning._strategies() t WHERE t.strategy = _explain_next.strategy
                  UNION SELECT t.gap_days FROM dunning.segment_treatment t JOIN dunning.debtor_score r ON r.segment = t.segment WHERE r.debtor_id = _explain_next.debtor_id
                  UNION SELECT unnest(ARRAY[s.cooldown_days, s.repeat_days, CASE WHEN s.anchor = 'last_contact' THEN s.offset_days END]) FROM dunning._steps(_explain_next.strategy) s) g(days)
            UNION ALL
            SELECT (h.until_at AT TIME ZONE dunning._ledger_zone())::date FROM dunning.hold h WHERE h.debtor_id = _explain_next.debtor_id AND h.released_at IS NULL AND isfinite(h.until_at)
        ) d WHERE d.day >= today AND d.day <= today + 92 ORDER BY 1
    LOOP
        RETURN QUERY
            SELECT p.step, p.channel, p.local_time, p.contact_at
            FROM dunning._plan(NULL, CASE WHEN day > today THEN (day + time '10:00') AT TIME ZONE dunning._ledger_zone() END, true, false, ARRAY[_explain_next.debtor_id]) p
            WHERE p.state <> 'held' AND p.contact_at IS NOT NULL ORDER BY p.contact_at LIMIT 1;
        EXIT WHEN FOUND;
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    RETURN;
END
$$;
COMMENT ON FUNCTION dunning._explain_next(text, text) IS 'The next contact that daily planning would make if nothing changed, within 92 days; no row where there is none.';
