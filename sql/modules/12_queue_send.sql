-- queue: what applications and operators call.

CREATE FUNCTION dunning._planned_rows(debtor_ids text[], message_ids uuid[]) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT m.run_id, m.message_id, m.debtor_id::text, m.creditor::text, m.strategy, m.step, m.template, m.channel::text, m.server, m.contact_at, m.local_time,
               m.amounts, m.cost, s.state, s.reason, q.blocked_by, m.variant, m.p, m.expected_value, nullif(m.context->'fee', 'null'), nullif(m.context->'offer', 'null')
        FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) v(debtor_id, message_id)
        JOIN dunning.message m ON m.debtor_id = v.debtor_id AND m.message_id = v.message_id
        -- By its key for each row: the view, joined, would be worked out for every message there is.
        JOIN LATERAL (SELECT y.state, y.reason FROM dunning.message_state y WHERE y.debtor_id = v.debtor_id AND y.message_id = v.message_id OFFSET 0) s ON true
        LEFT JOIN dunning.queue q ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
        ORDER BY m.debtor_id, m.message_id;
END
$fn$;
COMMENT ON FUNCTION dunning._planned_rows(text[], uuid[]) IS 'Messages as planned rows, with the state they have now.';

CREATE FUNCTION dunning._warn_inactive() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    active boolean := false;
BEGIN
    -- deliver is a later room: asked by name.
    IF to_regprocedure('dunning._activated()') IS NOT NULL THEN
        EXECUTE 'SELECT dunning._activated()' INTO active;
    END IF;
    IF active IS NOT TRUE THEN
        RAISE NOTICE 'delivery is not activated: the message waits' USING HINT = 'SELECT dunning.activate();';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._warn_inactive() IS 'A NOTICE with the call that mends it where nothing can leave yet.';

-- What send() is asked to do, checked; returns the channels to try, best first.
CREATE FUNCTION dunning._send_channels(template text, channel text, vars jsonb, not_before timestamptz, not_after timestamptz, creditor text, preferred text)
    RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    listed text[];
BEGIN
    PERFORM dunning._check_template_name(template);
    IF jsonb_typeof(vars) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'vars is not a JSON object' USING ERRCODE = '22023', HINT = 'For example: vars => ''{"plan_months": 3}''.';
    ELSIF not_before > '9999-12-30 00:00+00' OR not_before < '0001-01-02 00:00+00' OR NOT isfinite(not_after) OR not_after <= coalesce(not_before, dunning._now()) THEN
        RAISE EXCEPTION 'not_after is over before the message may go' USING ERRCODE = '22023', DETAIL = 'not_before and not_after are finite instants, not_after the later one and in the future.';
    END IF;
    IF channel IS NOT NULL THEN
        PERFORM dunning._check_channel(channel);
        RETURN ARRAY[channel];
    END IF;
    -- As the creditor's strategy has it for this template, else every channel that costs nothing but a message, the cheapest first.
    SELECT s.channels INTO listed FROM dunning._steps(coalesce((SELECT c.default_strategy FROM dunning.creditor c
        WHERE c.creditor = _send_channels.creditor ORDER BY c.builtin LIMIT 1), 'standard')) s WHERE s.template = _send_channels.template ORDER BY s.position LIMIT 1;
    IF listed IS NULL THEN
        SELECT array_agg(x.channel ORDER BY x.cost, x.channel) INTO listed
        FROM (SELECT DISTINCT ON (c.channel) c.channel::text, k.cost, c.human FROM dunning.channel c JOIN dunning._costs(_send_channels.creditor, dunning._today(NULL)) k ON k.channel = c.channel
              ORDER BY c.channel, c.builtin) x
        WHERE NOT x.human AND dunning._has_template(_send_channels.template, x.channel, _send_channels.creditor);
    END IF;
    RETURN ARRAY(SELECT l.l FROM unnest(listed) WITH ORDINALITY l(l, n) ORDER BY l.l IS DISTINCT FROM preferred, l.n);
END
$fn$;
COMMENT ON FUNCTION dunning._send_channels(text, text, jsonb, timestamptz, timestamptz, text, text) IS 'The channels for a single message in the order to try. 22023 on arguments that cannot be met, naming what is known.';

CREATE FUNCTION dunning._send_row(debtor_id text, template text, channel text, vars jsonb, not_before timestamptz, not_after timestamptz, idempotency_key text)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    about record;
    debtor record;
    channels text[];
    candidates dunning._candidate[];
    no_server jsonb;
    chosen record;
    price record;
    mark text;
    score record;
    earliest timestamptz := greatest(coalesce(not_before, dunning._now()), dunning._now());
    blocked text[];
BEGIN
    -- The mark first: a payment that commits meanwhile shows at the gate.
    EXECUTE 'SELECT m.mark FROM (' || dunning._mark_sql('$1', NULL) || ') m' INTO mark USING ARRAY[debtor_id];
    EXECUTE 'SELECT d.creditor, d.preferred_channel FROM (' || dunning._ledger_sql('debtor', '$1', NULL) || ') d' INTO debtor USING ARRAY[debtor_id];
    IF debtor.creditor IS NULL THEN
        RAISE EXCEPTION 'debtor "%" does not exist', debtor_id USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or number'');';
    END IF;
    IF vars ? 'attach' THEN
        PERFORM dunning._check_attach(vars, debtor_id, coalesce(channel, 'email'));
    END IF;
    channels := dunning._send_channels(template, CASE WHEN vars ? 'attach' THEN 'email' ELSE channel END, vars, not_before, not_after, debtor.creditor, debtor.preferred_channel);
    EXECUTE 'SELECT x.context, x.amounts, x.language, x.creditor FROM (' || dunning._context_sql(dunning._due_items_sql('$1', '$2'), '$1', '$2') || ') x'
        INTO about USING ARRAY[debtor_id], NULL::timestamptz;
    about.context := about.context || vars;
    SELECT array_agg(ROW(_send_row.debtor_id, c.c, c.rank, c.server, earliest, coalesce(not_after, earliest + interval '7 days'))::dunning._candidate ORDER BY c.rank)
               FILTER (WHERE c.why IS NULL),
           coalesce(jsonb_agg(jsonb_build_object('channel', c.c, 'why', c.why) ORDER BY c.n) FILTER (WHERE c.why IS NOT NULL), '[]')
    INTO candidates, no_server
    FROM (SELECT y.*, row_number() OVER (PARTITION BY y.why IS NULL ORDER BY y.n)::int AS rank FROM (
            SELECT x.c, x.n, v.server,
                   CASE WHEN v.server IS NULL THEN 'no_server' WHEN NOT dunning._has_template(_send_row.template, x.c, debtor.creditor) THEN 'no_template' END AS why
            FROM unnest(channels) WITH ORDINALITY x(c, n)
            LEFT JOIN LATERAL (SELECT s.server FROM dunning._servers(x.c, debtor.creditor) s ORDER BY s.ord LIMIT 1) v ON true) y) c;
    SELECT c.* INTO chosen FROM dunning._choose(candidates, dunning._now(), not_after IS NULL) c;
    about.context := dunning._true_context(debtor_id, about.creditor, template, about.context, dunning._today(coalesce(chosen.contact_at, earliest)), coalesce(chosen.channel, channels[1]));
    blocked := coalesce(chosen.blocked_by, ARRAY(SELECT DISTINCT w.value->>'why' FROM jsonb_array_elements(no_server) w));
    -- All that could be asked for is held by itself.
    IF about.amounts = '{}' THEN
        EXECUTE 'SELECT $3 || ARRAY(SELECT DISTINCT i.left_out FROM (' || dunning._plan_items_sql('$1', '$2') || ') i WHERE i.left_out LIKE ''hold:%'' AND i.left_out <> ALL ($3) ORDER BY 1)'
            INTO blocked USING ARRAY[debtor_id], NULL::timestamptz, blocked;
    END IF;
    SELECT k.* INTO price FROM dunning._costs(debtor.creditor, dunning._today(NULL), about.context->>'currency') k WHERE k.channel = coalesce(chosen.channel, channels[1]);
    SELECT s.* INTO score FROM dunning.debtor_score s WHERE s.debtor_id = _send_row.debtor_id;
    RETURN jsonb_build_object('message_id', dunning._uuid7(), 'debtor_id', debtor_id, 'creditor', debtor.creditor, 'template', template,
        'channel', coalesce(chosen.channel, channels[1]), 'language', about.language, 'server', chosen.server,
        'contact_at', coalesce(chosen.contact_at, earliest), 'not_after', coalesce(not_after, earliest + interval '30 days'),
        'local_time', coalesce(chosen.local_time, dunning._local_time(earliest, dunning._ledger_zone())), 'amounts', about.amounts,
        'cost', coalesce(price.cost, 0), 'cost_currency', coalesce(price.priced_in, 'EUR'), 'variant', 'neutral', 'p', score.p_paid_30d,
        'propensity', coalesce(chosen.propensity, 1), 'explored', coalesce(chosen.explored, false), 'ledger_mark', mark, 'context', about.context,
        'state', CASE WHEN cardinality(blocked) > 0 THEN 'held' ELSE 'queued' END, 'reason', blocked[1], 'blocked_by', nullif(blocked, '{}'),
        'once_kind', CASE WHEN idempotency_key IS NOT NULL THEN 'idempotency' END, 'once_key', idempotency_key,
        'decision', jsonb_strip_nulls(jsonb_build_object('asked_by', session_user, 'call', 'send', 'channels', channels, 'preferred_channel', debtor.preferred_channel,
            'chosen', chosen.channel, 'skipped', coalesce(chosen.skipped, '[]') || no_server, 'timing', chosen.timing, 'vars', vars,
            'not_before', not_before, 'not_after', not_after, 'scores', to_jsonb(score))));
END
$fn$;
COMMENT ON FUNCTION dunning._send_row(text, text, text, jsonb, timestamptz, timestamptz, text) IS 'The message that send() would put into the queue.';

CREATE FUNCTION dunning.send(debtor_id text, template text, channel text DEFAULT NULL, vars jsonb DEFAULT '{}', not_before timestamptz DEFAULT NULL,
    not_after timestamptz DEFAULT NULL, idempotency_key text DEFAULT NULL, dry_run boolean DEFAULT false, priority int DEFAULT 0) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(send.debtor_id);
    made jsonb;
    found uuid;
BEGIN
    IF send.priority IS NULL OR send.priority NOT BETWEEN 0 AND 9 THEN
        RAISE EXCEPTION 'priority is a number from 0 to 9' USING ERRCODE = '22023', DETAIL = '0 waits for its turn, a higher one leaves before a lower one.';
    END IF;
    IF idempotency_key IS NOT NULL THEN
        SELECT o.message_id INTO found FROM dunning.once o WHERE o.debtor_id = id AND o.kind = 'idempotency' AND o.key = idempotency_key;
    END IF;
    IF found IS NULL THEN
        made := dunning._send_row(id, template, channel, vars, not_before, not_after, idempotency_key);
        IF dry_run THEN
            RETURN QUERY SELECT NULL::uuid, NULL::uuid, id, r.creditor, NULL::text, NULL::text, r.template, r.channel, r.server, r.contact_at, r.local_time, r.amounts,
                r.cost, r.state, r.reason, r.blocked_by, r.variant, r.p, NULL::numeric,
                nullif(r.context->'fee', 'null'), nullif(r.context->'offer', 'null')
                FROM jsonb_to_record(made) AS r(creditor text, template text, channel text, server text, contact_at timestamptz, local_time text, amounts jsonb,
                    cost numeric, state text, reason text, blocked_by text[], variant text, p float8, context jsonb);
            RETURN;
        END IF;
        IF send.priority > 0 THEN
            made := jsonb_set(made, '{decision,priority}', to_jsonb(send.priority));    -- for what carries it on
        END IF;
        SELECT e.message_id INTO found FROM dunning._enqueue($q$
            SELECT r.* FROM jsonb_to_record($1) AS r(message_id uuid, debtor_id text, creditor text, run_id uuid, strategy text, step text, template text, channel text,
                language text, server text, contact_at timestamptz, not_after timestamptz, local_time text, amounts jsonb, cost numeric, cost_currency text, variant text,
                p float8, expected_value numeric, propensity float8, explored boolean, ledger_mark text, context jsonb, decision jsonb, state text, reason text,
                blocked_by text[], once_kind text, once_key text)$q$, made) e;
        IF found IS NOT NULL AND send.priority > 0 THEN
            UPDATE dunning.queue q SET priority = send.priority WHERE q.debtor_id = id AND q.message_id = found;
            PERFORM dunning._wake();
        END IF;
        IF found IS NULL THEN
            -- another session had the key first
            SELECT o.message_id INTO found FROM dunning.once o WHERE o.debtor_id = id AND o.kind = 'idempotency' AND o.key = idempotency_key;
        END IF;
    END IF;
    PERFORM dunning._warn_inactive();
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[id], ARRAY[found]) p;
END
$fn$;
COMMENT ON FUNCTION dunning.send(text, text, text, jsonb, timestamptz, timestamptz, text, boolean, int) IS
    'One message in the queue, or held with blocked_by: at once where that is allowed, else at the next allowed time; with not_after at the best time until then. channel NULL: the first usable of the preferred one and the strategy''s. The same idempotency_key gives the same message. One of a higher priority (0 to 9) overtakes what waits for the same server. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.send(text, text, text, jsonb, timestamptz, timestamptz, text, boolean, int) TO dunning_operator;
