-- ledger: when each invoice was settled.

-- An invoice is covered when what it got stays at or above its amount for good, so that a reversal takes the settlement back. The pool
-- pays the invoices in order of their due dates, hence an invoice that begins at `before` in that order is covered by the first
-- credit that lifts the pool to before + rem: both are put on one axis and read off with a window.
CREATE FUNCTION dunning._settlement_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format($q$WITH %s,
    paid AS (SELECT l.*, sum(l.amount) OVER (PARTITION BY l.debtor_id, l.currency, l.invoice_id
            ORDER BY l.paid_at, l.amount DESC, l.payment_id ROWS UNBOUNDED PRECEDING) AS total
        FROM (%s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity' AND l.currency <> ''),
    kept AS (SELECT p.*, min(p.total) OVER (PARTITION BY p.debtor_id, p.currency, p.invoice_id
            ORDER BY p.paid_at DESC, p.amount, p.payment_id DESC ROWS UNBOUNDED PRECEDING) AS kept FROM paid p),
    direct AS (SELECT d.debtor_id, d.currency, d.invoice_id, count(*) FILTER (WHERE k.amount > 0) AS payments,
            min(k.paid_at) FILTER (WHERE k.amount > 0) AS first_at, max(k.paid_at) AS last_at,
            min(k.paid_at) FILTER (WHERE k.kept >= d.amount) AS covered_at, sum(k.amount) - d.amount AS excess
        FROM d JOIN kept k ON k.debtor_id = d.debtor_id AND k.invoice_id = d.invoice_id AND k.currency = d.currency
        GROUP BY d.debtor_id, d.currency, d.invoice_id, d.amount),
    credit AS (SELECT k.debtor_id, k.currency, k.paid_at AS at, k.amount FROM kept k
        WHERE NOT EXISTS (SELECT FROM d WHERE d.debtor_id = k.debtor_id AND d.invoice_id = k.invoice_id AND d.currency = k.currency)
        UNION ALL SELECT i.debtor_id, i.currency, CASE WHEN i.issued_on <= '294000-01-01' THEN i.issued_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) ELSE 'infinity' END, -i.amount FROM i WHERE i.amount < 0
        UNION ALL SELECT t.debtor_id, t.currency, t.last_at, t.excess FROM direct t WHERE t.excess > 0),
    level AS (SELECT c.*, sum(c.amount) OVER (PARTITION BY c.debtor_id, c.currency ORDER BY c.at, c.amount DESC ROWS UNBOUNDED PRECEDING) AS total
        FROM credit c),
    axis AS (SELECT v.debtor_id, v.currency, NULL::text AS invoice_id, 1 AS rank, v.at,
            min(v.total) OVER (PARTITION BY v.debtor_id, v.currency ORDER BY v.at DESC, v.amount ROWS UNBOUNDED PRECEDING) AS place
        FROM level v
        UNION ALL SELECT a.debtor_id, a.currency, a.invoice_id, 0, NULL, a.before FROM allocated a WHERE a.pool > a.before AND a.rem > 0
        UNION ALL SELECT a.debtor_id, a.currency, a.invoice_id, 2, NULL, a.before + a.rem FROM allocated a WHERE a.pool > a.before AND a.rem > 0),
    reached AS (SELECT x.debtor_id, x.currency, x.invoice_id, min(x.first_credit) FILTER (WHERE x.rank = 0) AS first_at,
            min(x.first_credit) FILTER (WHERE x.rank = 2) AS covered_at
        FROM (SELECT x.*, min(x.at) OVER (PARTITION BY x.debtor_id, x.currency ORDER BY x.place DESC, x.rank ROWS UNBOUNDED PRECEDING) AS first_credit
              FROM axis x) x
        WHERE x.rank <> 1 GROUP BY 1, 2, 3)
SELECT a.debtor_id, a.invoice_id, a.currency, a.issued_on, a.due_on, a.amount, a.kind, a.open,
    (coalesce(t.payments, 0) + (r.invoice_id IS NOT NULL)::int)::int AS payments,
    LEAST(t.first_at, r.first_at) AS first_paid_at,
    CASE WHEN a.open > 0 THEN NULL WHEN r.invoice_id IS NULL THEN t.covered_at
         ELSE GREATEST(r.covered_at, t.last_at) END AS settled_at,
    a.disputed
FROM allocated a
LEFT JOIN direct t ON t.debtor_id = a.debtor_id AND t.invoice_id = a.invoice_id AND t.currency = a.currency
LEFT JOIN reached r ON r.debtor_id = a.debtor_id AND r.invoice_id = a.invoice_id AND r.currency = a.currency$q$,
        dunning._allocation_sql(_settlement_sql.many, _settlement_sql.as_of),
        dunning._ledger_sql('payment', _settlement_sql.many, _settlement_sql.as_of));
END
$body$;
COMMENT ON FUNCTION dunning._settlement_sql(text, text) IS
'SQL text: one row a positive, uncancelled invoice: what is open, number of payments (the pool of unallocated credit counts as one), when the first came, and when it was settled (NULL: not settled at as_of, or settled by an open_amount without dated payments).';

GRANT EXECUTE ON FUNCTION dunning._settlement_sql(text, text) TO dunning_worker;
