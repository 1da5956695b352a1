-- plan: where a contact goes on whose channel failed for good.

CREATE FUNCTION dunning._fallback(debtor_id text, message_id uuid, reason text) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $fn$
#variable_conflict error
DECLARE
    m dunning.message;
    tried jsonb;
    candidates dunning._candidate[];
    chosen record;
    price record;
    at timestamptz := dunning._now();
    new_id uuid := dunning._uuid7();
    unwanted text[];
BEGIN
    SELECT x.* INTO m FROM dunning.message x WHERE x.debtor_id = _fallback.debtor_id AND x.message_id = _fallback.message_id;
    IF NOT FOUND OR m.not_after <= at THEN
        RETURN NULL;
    END IF;
    tried := coalesce(m.decision->'tried', '[]') || jsonb_build_array(jsonb_build_object('channel', m.channel, 'message_id', m.message_id, 'why', _fallback.reason));
    unwanted := ARRAY(SELECT t.value->>'channel' FROM jsonb_array_elements(tried) t) || ARRAY(SELECT m.decision->>'companion' WHERE m.decision ? 'companion')
        || ARRAY(SELECT s.value->>'channel' FROM jsonb_array_elements(m.decision->'skipped') s
                 WHERE s.value->>'why' IN ('likely_self_cure', 'costs_money', 'not_worth_it'));
    SELECT array_agg(ROW(m.debtor_id, c.c, c.rank, c.server, at, coalesce(m.not_after, at + interval '7 days'))::dunning._candidate) INTO candidates
    FROM (SELECT x.c, v.server, row_number() OVER (ORDER BY x.n)::int AS rank
          FROM jsonb_array_elements_text(m.decision->'channels') WITH ORDINALITY x(c, n)
          CROSS JOIN LATERAL (SELECT s.server FROM dunning._servers(x.c, m.creditor) s WHERE NOT s.paused ORDER BY s.ord LIMIT 1) v
          WHERE x.c <> ALL (unwanted) AND dunning._has_template(m.template, x.c, m.creditor)
            -- Documents that were asked for are what it is about: where none can go, it does not.
            AND (x.c = 'email' OR NOT m.context ? 'attach')) c;
    IF candidates IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT c.* INTO chosen FROM dunning._choose(candidates, at, true, ARRAY[m.message_id]) c;
    IF NOT FOUND OR cardinality(chosen.blocked_by) > 0 THEN
        RETURN NULL;
    END IF;
    SELECT k.* INTO price FROM dunning._costs(m.creditor, dunning._today(at), m.context->>'currency') k WHERE k.channel = chosen.channel;
    PERFORM dunning._enqueue(pg_catalog.format($q$
        SELECT %L::uuid AS message_id, m.debtor_id, m.creditor, m.run_id, m.strategy, m.step, m.template, %L AS channel, m.language, %L AS server,
            %L::timestamptz AS contact_at, m.not_after, %L AS local_time, m.amounts, %L::numeric AS cost, %L AS cost_currency, m.variant, m.p,
            CASE WHEN m.cost_currency = %L OR m.cost = 0 THEN m.expected_value + m.cost - %L::numeric END AS expected_value, m.propensity, m.explored, m.ledger_mark, m.context,
            m.decision || jsonb_build_object('tried', %L::jsonb, 'chosen', %L, 'skipped', coalesce(m.decision->'skipped', '[]') || %L::jsonb, 'timing', %L::jsonb) AS decision,
            'queued' AS state, NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM dunning.message m WHERE m.debtor_id = %L AND m.message_id = %L::uuid$q$,
        new_id, chosen.channel, chosen.server, chosen.contact_at, chosen.local_time, price.cost, price.priced_in, price.priced_in, price.cost, tried, chosen.channel,
        chosen.skipped, chosen.timing, m.debtor_id, m.message_id));
    UPDATE dunning.queue q SET priority = (m.decision->>'priority')::smallint
    WHERE m.decision ? 'priority' AND q.debtor_id = m.debtor_id AND q.message_id = new_id;
    RETURN new_id;
END
$fn$;
COMMENT ON FUNCTION dunning._fallback(text, uuid, text) IS
    'The message that carries a failed one on, over the next channel of its frozen list that the gate allows; NULL: there is none. Same context, documents, campaign, priority and mark, so a payment since shows at the gate.';
