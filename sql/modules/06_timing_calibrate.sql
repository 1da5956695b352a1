-- timing: what chosen hours are worth, measured each night on the contacts whose instant was drawn by lot.

CREATE TABLE dunning.timing_calibration (
    creditor        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    drawn           bigint NOT NULL,            -- contacts of the last year drawn by lot that are over
    answers         bigint NOT NULL,            -- of them answered
    a               float8,                     -- logit P = a + b1 mean + b2 (x - mean) as it fits best
    b1              float8,
    b2              float8,
    error           float8,                     -- standard error of b2
    claimed         float8,                     -- how much of b2 is claimed, 0 to 1
    flat            boolean,                    -- hours make no difference: the earliest allowed instant is taken
    chosen          bigint NOT NULL,            -- other contacts of the last 60 days (a sample of a large book), and how many were answered
    chosen_answers  bigint NOT NULL,
    level           float8[],                   -- a, b1, b3, b2 and the bend of these; NULL: too few
    used            boolean NOT NULL,           -- enough for best_time() to go by
    as_of           timestamptz NOT NULL,
    PRIMARY KEY (creditor, channel)
);
COMMENT ON TABLE dunning.timing_calibration IS
    'How the model''s log-odds of an answer at an instant (x) and on average over the allowed ones (mean) turned out on contacts drawn by lot; learnt by maintain().';
SELECT pg_catalog.pg_extension_config_dump('dunning.timing_calibration', '');
GRANT SELECT ON dunning.timing_calibration TO dunning_viewer;

CREATE FUNCTION dunning._calibrate(x float8[], mean float8[], answered boolean[], usual float8[], OUT a float8, OUT b1 float8, OUT b3 float8, OUT b2 float8, OUT error float8, OUT claimed float8, OUT flat boolean)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_calibrate';
COMMENT ON FUNCTION dunning._calibrate(float8[], float8[], boolean[], float8[]) IS
    'Fits logit P = a + b1 mean + b3 max(0, bend - x) + b2 (x - mean); usual: a, b1, b3, b2 that few contacts are drawn to, and the bend; claimed is b2 less 2 error^2 / b2, from 0 to 1; flat: b2 is surely below 0.15. NULL of no contacts; arrays of different lengths: 22023.';

CREATE FUNCTION dunning._calibrated_prior(prior bytea, channel text, drawn float8[], chosen float8[]) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_calibrated_prior';
COMMENT ON FUNCTION dunning._calibrated_prior(bytea, text, float8[], float8[]) IS 'What is known of a book with a channel''s calibration in it: a, b1, what is claimed of b2, 1 if flat, of contacts drawn by lot (NULL: without any), and a, b1, b3, b2, bend of chosen ones.';

-- An answer belongs to the last contact of the six days before it, whatever the channel; within ten seconds it is a machine's.
CREATE FUNCTION dunning._timed_contacts(since timestamptz, as_of timestamptz, chosen_share float8)
    RETURNS TABLE (creditor text, channel text, drawn boolean, x float8, x_mean float8, answered boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    WITH contact AS MATERIALIZED (
        SELECT c.*, lead(c.at) OVER (PARTITION BY c.debtor_id ORDER BY c.at, c.message_id) AS next_at
        FROM (SELECT e.debtor_id, e.message_id, min(e.contact_on) AS at FROM dunning.egress e
              WHERE NOT e.test AND e.contact_on < _timed_contacts.as_of AND e.contact_on > _timed_contacts.since GROUP BY 1, 2) c)
    SELECT m.creditor, m.channel, m.explored, (m.decision -> 'timing' ->> 'x')::float8, (m.decision -> 'timing' ->> 'x_mean')::float8,
        EXISTS (SELECT FROM dunning.event v WHERE v.debtor_id = c.debtor_id AND v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised')
                AND v.detail ->> 'machine' IS DISTINCT FROM 'true' AND v.at >= c.at + interval '10 seconds' AND v.at < least(c.next_at, c.at + interval '6 days'))
    FROM contact c
    JOIN dunning.message m ON m.message_id = c.message_id
    WHERE c.at < _timed_contacts.as_of - interval '6 days' AND (m.explored OR dunning._uniform(m.message_id::text, 11) < _timed_contacts.chosen_share) AND m.decision -> 'timing' ? 'x'
      -- One that left much later than planned left at no chosen instant.
      AND c.at BETWEEN m.contact_at - interval '5 minutes' AND m.contact_at + interval '1 hour'
      AND NOT EXISTS (SELECT FROM dunning.event b WHERE b.debtor_id = c.debtor_id AND b.message_id = c.message_id AND b.kind IN ('bounced', 'failed'));
END
$fn$;
COMMENT ON FUNCTION dunning._timed_contacts(timestamptz, timestamptz, float8) IS
    'Contacts between two instants that are over and left when they were meant to: the model''s log-odds at their instant and on average, whether drawn by lot, whether answered. All that were drawn, of the others a share.';

CREATE FUNCTION dunning._refresh_timing_calibration(as_of timestamptz DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    at_time timestamptz := coalesce(_refresh_timing_calibration.as_of, dunning._now());
    recent float8;
    c dunning.timing_calibration;
BEGIN
    DELETE FROM dunning.timing_calibration;
    recent := (SELECT count(*) FROM dunning.egress e WHERE NOT e.test AND e.contact_on > at_time - interval '60 days' AND e.contact_on < at_time);
    INSERT INTO dunning.timing_calibration AS o (creditor, channel, drawn, answers, a, b1, b2, error, claimed, flat, chosen, chosen_answers, used, as_of)
    SELECT s.creditor, s.channel, s.drawn, s.answers, f.a, f.b1, f.b2, f.error, f.claimed, f.flat, 0, 0, s.answers >= 20 AND s.drawn - s.answers >= 20, at_time
    FROM (SELECT t.creditor, t.channel, count(*) AS drawn, count(*) FILTER (WHERE t.answered) AS answers,
                 array_agg(t.x) AS x, array_agg(t.x_mean) AS mean, array_agg(t.answered) AS answered
          FROM dunning._timed_contacts(at_time - interval '1 year', at_time, 0) t GROUP BY 1, 2) s
    CROSS JOIN LATERAL dunning._calibrate(s.x, s.mean, s.answered, '{0,1,0,0,-100}') f;
    -- What is known of debtors grows: their level is that of the last weeks.
    UPDATE dunning.timing_calibration o
    SET chosen = s.chosen, chosen_answers = s.answers,
        level = CASE WHEN s.answers >= 20 AND s.chosen - s.answers >= 20 THEN
            (SELECT ARRAY[f.a, greatest(f.b1, 0.05), f.b3, f.b2, s.bend] FROM dunning._calibrate(s.x, s.mean, s.answered, ARRAY[o.a, o.b1, 0, o.claimed, s.bend]) f) END
    FROM (SELECT t.creditor, t.channel, count(*) AS chosen, count(*) FILTER (WHERE t.answered) AS answers, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.x) AS bend,
                 array_agg(t.x) AS x, array_agg(t.x_mean) AS mean, array_agg(t.answered) AS answered
          FROM dunning._timed_contacts(at_time - interval '60 days', at_time, 50000 / greatest(recent, 1)) t WHERE NOT t.drawn GROUP BY 1, 2) s
    WHERE s.creditor = o.creditor AND s.channel = o.channel;
    -- Where best_time() reads it.
    FOR c IN SELECT t.* FROM dunning.timing_calibration t ORDER BY t.creditor, t.channel LOOP
        UPDATE dunning.timing_book b
        SET prior = dunning._calibrated_prior(b.prior, c.channel, CASE WHEN c.used THEN ARRAY[c.a, greatest(c.b1, 0.05), c.claimed, c.flat::int] END, c.level)
        WHERE b.creditor = c.creditor AND b.channel = '*' AND b.prior IS NOT NULL;
    END LOOP;
    RETURN QUERY SELECT t.creditor || '/' || t.channel FROM dunning.timing_calibration t WHERE t.used;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_timing_calibration(timestamptz) IS
    'The books and channels that were calibrated on the contacts drawn by lot in the year before as_of (NULL: now); twenty answered and twenty unanswered ones are needed. Called by maintain().';
