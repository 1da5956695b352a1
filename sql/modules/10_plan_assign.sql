-- plan: which strategy a debtor follows. A person's word on the debtor goes first, then the rules in order, then the creditor's own strategy.

CREATE FUNCTION dunning._strategy_rules() RETURNS SETOF dunning.strategy_rule
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT x.* FROM (SELECT DISTINCT ON (r.rule) r.* FROM dunning.strategy_rule r ORDER BY r.rule, r.builtin) x
        WHERE x.enabled ORDER BY x.position, x.rule;
END
$fn$;
COMMENT ON FUNCTION dunning._strategy_rules() IS 'The rules in force, in order.';

CREATE FUNCTION dunning._assigned_sql(debtors text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH creditor AS MATERIALIZED (SELECT DISTINCT ON (x.creditor) x.creditor, x.default_strategy FROM dunning.creditor x ORDER BY x.creditor, x.builtin),
        rule AS MATERIALIZED (SELECT r.* FROM dunning._strategy_rules() r)
        SELECT d.*, coalesce(o.strategy, u.strategy, c.default_strategy, 'standard') AS strategy,
               CASE WHEN o.strategy IS NOT NULL THEN 'debtor' WHEN u.rule IS NOT NULL THEN 'rule:' || u.rule
                    WHEN c.default_strategy IS NOT NULL THEN 'creditor' ELSE 'standard' END AS strategy_by
        FROM (%s) d
        LEFT JOIN dunning.debtor_strategy o ON o.debtor_id = d.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = d.debtor_id
        LEFT JOIN LATERAL (SELECT r.rule, r.strategy FROM rule r
            WHERE (r.creditor IS NULL OR r.creditor = d.creditor) AND (r.segment IS NULL OR r.segment = s.segment)
              AND (r.diagnosis IS NULL OR r.diagnosis = s.diagnosis) AND (r.debtor_kind IS NULL OR r.debtor_kind = coalesce(nullif(d.kind, ''), 'person'))
            ORDER BY r.position, r.rule LIMIT 1) u ON true
        LEFT JOIN creditor c ON c.creditor = d.creditor$q$, debtors);
END
$fn$;
COMMENT ON FUNCTION dunning._assigned_sql(text) IS 'SQL text: the given debtor rows with the strategy each follows, and by what (debtor, rule:<name>, creditor, standard).';
