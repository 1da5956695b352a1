-- Every allowed debtor's reminder on one channel (:channel, :template), gated, in one statement and one transaction.
\set ON_ERROR_STOP on
SELECT format($q$
    SELECT dunning._uuid7() AS message_id, g.debtor_id, 'default' AS creditor, NULL::uuid AS run_id, 'bench'::text AS strategy, NULL::text AS step, %2$L AS template,
        %1$L AS channel, 'en' AS language, 'bench_' || %1$L AS server, dunning._now() AS contact_at, NULL::timestamptz AS not_after, 'now' AS local_time,
        g.amounts, 0.10 AS cost, 'EUR' AS cost_currency, 'neutral' AS variant, NULL::float8 AS p, NULL::numeric AS expected_value, NULL::float8 AS propensity,
        false AS explored, g.mark AS ledger_mark, c.context, '{}'::jsonb AS decision, 'queued' AS state, NULL::text AS reason, NULL::text[] AS blocked_by,
        NULL::text AS once_kind, NULL::text AS once_key
    FROM (SELECT array_agg(id::text) AS ids, array_agg(%1$L::text) AS channels, array_agg(dunning._now()) AS ats FROM billing.customer) b,
         dunning._gate(b.ids, b.channels, b.ats) g JOIN dunning._context(b.ids, NULL) c ON c.debtor_id = g.debtor_id
    WHERE cardinality(g.blocked_by) = 0$q$, :'channel', :'template') AS source \gset
SELECT count(*) FROM dunning._enqueue(:'source');
