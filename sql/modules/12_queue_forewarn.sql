-- queue: what is going to leave, for whoever answers for it.

CREATE FUNCTION dunning._check_forewarning(run_id uuid, creditor text, states text[]) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF coalesce(cardinality(states), 0) = 0 OR NOT states <@ '{proposed,queued,held}' OR array_position(states, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'what is going to leave is proposed, queued or held'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %s.', coalesce(states::text, 'NULL')), HINT = 'SELECT * FROM dunning.forewarning(states => ''{proposed,queued}'');';
    ELSIF _check_forewarning.creditor IS NOT NULL AND NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = _check_forewarning.creditor) THEN
        RAISE EXCEPTION 'there is no creditor "%"', _check_forewarning.creditor
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Known are %s.', (SELECT string_agg(DISTINCT c.creditor, ', ') FROM dunning.creditor c)),
                  HINT = 'SELECT * FROM dunning.forewarning();';
    ELSIF _check_forewarning.run_id IS NOT NULL AND NOT EXISTS (SELECT FROM dunning.plan_run r WHERE r.run_id = _check_forewarning.run_id) THEN
        RAISE EXCEPTION 'there is no planning run %', _check_forewarning.run_id
            USING ERRCODE = '22023', HINT = 'SELECT run_id, started_at, planned FROM dunning.plan_run ORDER BY started_at DESC;';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_forewarning(uuid, text, text[]) IS 'Nothing, or 22023 with what is wrong with the arguments of forewarning().';

CREATE FUNCTION dunning.forewarning(until timestamptz DEFAULT NULL, creditor text DEFAULT NULL, run_id uuid DEFAULT NULL, states text[] DEFAULT '{proposed}')
    RETURNS TABLE (run uuid, planned_by text, message_id uuid, debtor_id text, name text, of_creditor text, strategy text, step text, template text, channel text,
        contact_at timestamptz, local_time text, not_after timestamptz, amounts jsonb, cost numeric, cost_currency text, expected_value numeric, state text, blocked_by text[],
        subject text, body_text text, warnings text[], may_approve boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan
AS $fn$
#variable_conflict error
DECLARE
    four_eyes boolean := dunning._value_of('four_eyes')::boolean;
    today date := dunning._today(NULL);
    debtors text[];
    messages uuid[];
    channels text[];
    instants timestamptz[];
    marks text[];
BEGIN
    PERFORM dunning._check_forewarning(forewarning.run_id, forewarning.creditor, forewarning.states);
    SELECT array_agg(x.debtor_id ORDER BY x.contact_at, x.message_id), array_agg(x.message_id ORDER BY x.contact_at, x.message_id), array_agg(x.channel ORDER BY x.contact_at, x.message_id),
           array_agg(greatest(x.due, dunning._now()) ORDER BY x.contact_at, x.message_id), array_agg(x.ledger_mark ORDER BY x.contact_at, x.message_id)
    INTO debtors, messages, channels, instants, marks
    FROM (SELECT q.debtor_id, q.message_id, q.channel, q.due, m.contact_at, m.ledger_mark
          FROM dunning.queue q JOIN dunning.message m ON m.debtor_id = q.debtor_id AND m.message_id = q.message_id
          WHERE q.state = ANY (forewarning.states) AND (forewarning.until IS NULL OR q.due <= forewarning.until)
            AND (forewarning.creditor IS NULL OR q.creditor = forewarning.creditor) AND (forewarning.run_id IS NULL OR q.run_id = forewarning.run_id)) x;
    IF messages IS NULL THEN
        RETURN;
    END IF;
    -- The words that would leave now, made as the worker makes them, and what the gate would say.
    RETURN QUERY
        WITH listed AS MATERIALIZED (
            SELECT u.ord, m.*, dunning._offered_context(m.debtor_id, m.context) AS told
            FROM unnest(debtors, messages) WITH ORDINALITY u(debtor, message, ord) JOIN dunning.message m ON m.debtor_id = u.debtor AND m.message_id = u.message),
        truth AS MATERIALIZED (
            SELECT t.ord, t.framing, t.context
            FROM (SELECT array_agg(l.debtor_id::text ORDER BY l.ord) AS d, array_agg(l.creditor::text ORDER BY l.ord) AS c, array_agg(l.template ORDER BY l.ord) AS t,
                         array_agg(coalesce(l.variant, 'neutral') ORDER BY l.ord) AS f, array_agg(l.told ORDER BY l.ord) AS x FROM listed l) a,
                 LATERAL dunning._true_contexts(a.d, a.c, a.t, a.f, a.x) t),
        gate AS MATERIALIZED (SELECT g.ord, g.blocked_by FROM dunning._gate(debtors, channels, instants, marks, messages) g)
        SELECT l.run_id, r.planned_by, l.message_id, l.debtor_id::text, l.context->>'name', l.creditor::text, l.strategy, l.step, l.template, l.channel::text,
               l.contact_at, l.local_time, l.not_after, l.amounts, l.cost, l.cost_currency, l.expected_value, q.state, nullif(g.blocked_by, '{}'),
               p.subject, p.body_text, p.warnings, q.state = 'proposed' AND NOT (four_eyes AND coalesce(r.planned_by = session_user, false))
        FROM listed l
        JOIN dunning.queue q ON q.debtor_id = l.debtor_id AND q.message_id = l.message_id
        JOIN truth t ON t.ord = l.ord
        LEFT JOIN gate g ON g.ord = l.ord
        LEFT JOIN dunning.plan_run r ON r.run_id = l.run_id
        CROSS JOIN LATERAL dunning._preview_parts(l.template, dunning._aged_context(t.context, today) || dunning._preview_links(l.creditor, l.context) || jsonb_build_object('framing', t.framing), l.language, l.channel) p
        ORDER BY l.ord;
END
$fn$;
COMMENT ON FUNCTION dunning.forewarning(timestamptz, text, uuid, text[]) IS
    'What is going to leave until an instant (NULL: at all), of a creditor or a planning run: proposed messages (states adds queued and held ones) with debtor, amounts, channel, time, cost and the words that would leave now; blocked_by: what the gate would say to it by now; may_approve: whether you may (four_eyes). approve() and reject() decide. 22023 bad arguments. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.forewarning(timestamptz, text, uuid, text[]) TO dunning_operator;

-- A text that cannot be made any more must not keep the others from being looked at.
CREATE FUNCTION dunning._preview_parts(template text, context jsonb, language text, channel text, OUT subject text, OUT body_text text, OUT warnings text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    SELECT r.subject, r.body_text, r.warnings INTO subject, body_text, warnings
    FROM dunning.render(_preview_parts.template, _preview_parts.context, _preview_parts.language, _preview_parts.channel) r;
EXCEPTION WHEN SQLSTATE 'DN003' OR data_exception OR program_limit_exceeded OR configuration_limit_exceeded THEN
    subject := NULL;
    body_text := NULL;
    warnings := ARRAY['no text can be made: ' || SQLERRM];
END
$fn$;
COMMENT ON FUNCTION dunning._preview_parts(text, jsonb, text, text) IS 'Subject and text that a template becomes; where it becomes none, why not stands in warnings.';
