-- plan: what a step says beyond its template, and the companion of a message.

-- What the step adds to the template context: tone, level, a personal note, print fields, the hearing that it is about. The fee is _stage_truth()'s.
CREATE FUNCTION dunning._step_context(debtor_ids text[], strategies text[], steps text[], as_of timestamptz) RETURNS TABLE (debtor_id text, context jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    heard text[];
BEGIN
    SELECT array_agg(u.d) FILTER (WHERE s.anchor = 'hearing') INTO heard
    FROM unnest(debtor_ids, strategies, steps) u(d, strategy, step) JOIN dunning._steps() s ON s.strategy = u.strategy AND s.step = u.step;
    RETURN QUERY
        SELECT u.d, jsonb_strip_nulls(jsonb_build_object('tone', nullif(s.tone, 'neutral'), 'level', coalesce(s.level, s.step), 'note', s.print->>'note',
                   'print', nullif(s.print - 'note', '{}')))
               -- a time or place that nobody gave is a known name without a value
               || CASE WHEN s.anchor = 'hearing' THEN jsonb_build_object('hearing', jsonb_build_object('on', h.detail->>'on', 'time', h.detail->>'time', 'place', h.detail->>'place')) ELSE '{}' END
        FROM unnest(debtor_ids, strategies, steps) u(d, strategy, step)
        JOIN dunning._steps() s ON s.strategy = u.strategy AND s.step = u.step
        LEFT JOIN LATERAL (SELECT e.detail FROM dunning.event e WHERE e.debtor_id = u.d AND e.kind = 'hearing' AND e.at <= as_of
                           ORDER BY e.at DESC, e.recorded_at DESC LIMIT 1) h ON heard IS NOT NULL AND u.d = ANY (heard);
END
$fn$;
COMMENT ON FUNCTION dunning._step_context(text[], text[], text[], timestamptz) IS 'What a step adds to the template context of each debtor: tone, level, note, print, hearing; what there is not is left out.';

-- A second message of the same touch: same debtor, same instant, other channel. Not where nothing would carry it, and never instead of its message.
CREATE FUNCTION dunning._stage_companions() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL AND r.companion_channel IS NOT NULL) THEN
        RETURN false;
    END IF;
    CREATE TEMP TABLE dunning_plan_companion ON COMMIT DROP AS
    WITH asked AS MATERIALIZED (
        SELECT r.*, v.server AS its_server, row_number() OVER ()::int AS ord
        FROM pg_temp.dunning_plan_row r
        CROSS JOIN LATERAL (SELECT s.server FROM dunning._servers(r.companion_channel, r.creditor) s WHERE NOT s.paused ORDER BY s.ord LIMIT 1) v
        WHERE r.message_id IS NOT NULL AND r.companion_channel IS NOT NULL AND r.companion_channel <> r.channel
          AND dunning._has_template(r.companion_template, r.companion_channel, r.creditor)),
    answer AS MATERIALIZED (
        SELECT a.debtor_id, a.message_id FROM (SELECT array_agg(x.debtor_id ORDER BY x.ord) AS d, array_agg(x.companion_channel ORDER BY x.ord) AS c, array_agg(x.contact_at ORDER BY x.ord) AS at,
                array_agg(x.message_id ORDER BY x.ord) AS m FROM asked x) l,
            LATERAL dunning._gate(l.d, l.c, l.at, NULL, l.m) g
        JOIN asked a ON a.ord = g.ord
        -- closed hours pass; that there is no address does not
        WHERE g.blocked_by <@ ARRAY['quiet_hours', 'holiday'])
    SELECT dunning._companion_id(a.message_id) AS message_id, a.debtor_id, a.creditor, a.run_id, a.strategy, a.step, a.companion_template AS template, a.companion_channel AS channel,
        a.language, a.its_server AS server, a.contact_at, a.not_after, a.local_time, a.amounts, coalesce(k.cost, 0) AS cost, coalesce(k.priced_in, 'EUR') AS cost_currency,
        a.variant, NULL::float8 AS p, NULL::numeric AS expected_value, a.propensity, a.explored, a.ledger_mark, a.context,
        a.decision - 'skipped' - 'timing' - 'value' || jsonb_build_object('companion_of', a.message_id, 'channels', ARRAY[a.companion_channel], 'chosen', a.companion_channel) AS decision,
        a.state, NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
    FROM asked a JOIN answer y ON y.message_id = a.message_id
    LEFT JOIN LATERAL (SELECT c.cost, c.priced_in FROM dunning._costs(a.creditor, dunning._today(a.contact_at), a.context->>'currency', a.country) c
                       WHERE c.channel = a.companion_channel) k ON true;
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_companions() IS 'Stage companion of a planning run, where one of its messages has one: whether it was made.';

CREATE FUNCTION dunning._enqueue_companions() RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    made int;
BEGIN
    IF NOT dunning._stage_companions() THEN
        RETURN 0;
    END IF;
    SELECT count(*) INTO made FROM dunning._enqueue('SELECT r.* FROM pg_temp.dunning_plan_companion r');
    DROP TABLE pg_temp.dunning_plan_companion;
    RETURN made;
END
$fn$;
COMMENT ON FUNCTION dunning._enqueue_companions() IS 'How many companions were put into the queue beside the messages of a planning run.';

-- A currency that rode along was spoken of: what it had reached by itself is had. With the message's key, so that a message that never left gives it back.
CREATE FUNCTION dunning._listed_steps(as_of timestamptz) RETURNS TABLE (debtor_id text, key text, message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
BEGIN
    RETURN QUERY
    WITH listed AS MATERIALIZED (
        SELECT r.debtor_id, r.message_id, r.strategy, r.position, r.anchor, c.c AS currency
        FROM pg_temp.dunning_plan_row r, LATERAL jsonb_array_elements_text(r.decision->'currencies') c(c)
        WHERE r.message_id IS NOT NULL AND r.on_ladder AND jsonb_array_length(r.decision->'currencies') > 1),
    reached AS (
        SELECT l.debtor_id, l.message_id, l.anchor, b.strategy, b.step, b.offset_days, min(i.due_on) AS due_on
        FROM listed l
        JOIN dunning._strategies() t ON t.strategy = l.strategy
        JOIN dunning._steps() b ON b.strategy = l.strategy AND b.position <= l.position AND b.offset_days >= 0 AND b.anchor = 'due_date'
        JOIN pg_temp.dunning_plan_item i ON i.debtor_id = l.debtor_id AND i.currency = l.currency AND i.left_out IS NULL AND i.days >= least(b.offset_days, 1 + t.grace_days)
        GROUP BY l.debtor_id, l.message_id, l.currency, l.anchor, b.strategy, b.step, b.offset_days)
    SELECT DISTINCT r.debtor_id::text, dunning._step_key(r.strategy, r.step, r.due_on), r.message_id
    FROM reached r WHERE r.due_on <> r.anchor AND today - r.due_on >= r.offset_days;
END
$fn$;
COMMENT ON FUNCTION dunning._listed_steps(timestamptz) IS 'Keys of what the currencies listed in the messages of a planning run had reached by themselves, with the message: had from now on.';
