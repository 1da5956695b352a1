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

CREATE FUNCTION dunning._strategies_in_use() RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT coalesce(c.default_strategy, 'standard') FROM (SELECT DISTINCT ON (x.creditor) x.* FROM dunning.creditor x ORDER BY x.creditor, x.builtin) c
        UNION SELECT r.strategy::text FROM dunning._strategy_rules() r
        UNION SELECT o.strategy::text FROM dunning.debtor_strategy o
        UNION SELECT s.strategy::text FROM dunning._strategies() s WHERE s.enabled AND NOT s.builtin;
END
$fn$;
COMMENT ON FUNCTION dunning._strategies_in_use() IS 'Strategies that some debtor may follow: of creditors, of rules, set by hand, or saved by somebody.';

-- Rules are few and debtors many: the first rule that fits is told by one expression, not looked up for each.
CREATE FUNCTION dunning._first_rule_sql(tells text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce((
        SELECT 'CASE ' || pg_catalog.string_agg(pg_catalog.format('WHEN %s THEN %L::text', coalesce(nullif(pg_catalog.concat_ws(' AND ',
                'd.creditor = ' || quote_literal(r.creditor), 's.segment = ' || quote_literal(r.segment), 's.diagnosis = ' || quote_literal(r.diagnosis),
                'coalesce(nullif(d.kind, ''''), ''person'') = ' || quote_literal(r.debtor_kind)), ''), 'true'),
            CASE tells WHEN 'rule' THEN r.rule ELSE r.strategy END), ' ' ORDER BY r.position, r.rule) || ' END'
        FROM dunning._strategy_rules() r), 'NULL::text');
END
$fn$;
COMMENT ON FUNCTION dunning._first_rule_sql(text) IS 'SQL text: of the first rule in force that fits debtor d with score s the rule''s name (tells: rule) or its strategy (strategy), NULL where none does.';

CREATE FUNCTION dunning._assigned_sql(debtors text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH creditor AS MATERIALIZED (SELECT DISTINCT ON (x.creditor) x.creditor, x.default_strategy FROM dunning.creditor x ORDER BY x.creditor, x.builtin)
        SELECT d.*, coalesce(o.strategy, u.strategy, c.default_strategy, 'standard') AS strategy,
               CASE WHEN o.strategy IS NOT NULL THEN 'debtor' WHEN u.rule IS NOT NULL THEN 'rule:' || u.rule
                    WHEN c.default_strategy IS NOT NULL THEN 'creditor' ELSE 'standard' END AS strategy_by
        FROM (%s) d
        LEFT JOIN dunning.debtor_strategy o ON o.debtor_id = d.debtor_id
        LEFT JOIN dunning.score_result s ON s.debtor_id = d.debtor_id
        CROSS JOIN LATERAL (SELECT %s AS strategy, %s AS rule) u
        LEFT JOIN creditor c ON c.creditor = d.creditor$q$, debtors, dunning._first_rule_sql('strategy'), dunning._first_rule_sql('rule'));
END
$fn$;
COMMENT ON FUNCTION dunning._assigned_sql(text) IS 'SQL text: the given debtor rows with the strategy each follows, and by what (debtor, rule:<name>, creditor, standard).';

CREATE FUNCTION dunning.assign_strategy(rule text, strategy text, "position" int DEFAULT 100, creditor text DEFAULT NULL, segment text DEFAULT NULL,
    diagnosis text DEFAULT NULL, debtor_kind text DEFAULT NULL, enabled boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_name('rule', assign_strategy.rule, 'companies');
    PERFORM dunning._check_strategy(assign_strategy.strategy);
    PERFORM dunning._check_reachable(assign_strategy.strategy);
    IF num_nonnulls(assign_strategy.creditor, assign_strategy.segment, assign_strategy.diagnosis, assign_strategy.debtor_kind) = 0 OR "position" IS NULL OR assign_strategy.enabled IS NULL THEN
        RAISE EXCEPTION 'a rule names whom it is for'
            USING ERRCODE = '22023', DETAIL = 'At least one of creditor, segment, diagnosis and debtor_kind, and a position.',
                  HINT = pg_catalog.format('SELECT dunning.assign_strategy(%L, %L, segment => ''habitual_late'');', assign_strategy.rule, assign_strategy.strategy);
    ELSIF assign_strategy.segment IS NOT NULL AND assign_strategy.segment <> 'other' AND NOT EXISTS (SELECT FROM dunning._segments() s WHERE s.segment = assign_strategy.segment) THEN
        RAISE EXCEPTION 'segment "%" does not exist', assign_strategy.segment
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Segments: %s, other.', (SELECT string_agg(s.segment, ', ') FROM dunning._segments() s)),
                  HINT = 'SELECT segment, description FROM dunning.segment ORDER BY position;';
    ELSIF assign_strategy.diagnosis IS NOT NULL AND NOT EXISTS (SELECT FROM dunning._diagnosis_rules() d WHERE d.diagnosis = assign_strategy.diagnosis) THEN
        RAISE EXCEPTION 'diagnosis "%" does not exist', assign_strategy.diagnosis
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Diagnoses: %s.', (SELECT string_agg(DISTINCT d.diagnosis, ', ') FROM dunning._diagnosis_rules() d)),
                  HINT = pg_catalog.format('SELECT dunning.assign_strategy(%L, %L, diagnosis => ''cannot_pay'');', assign_strategy.rule, assign_strategy.strategy);
    ELSIF assign_strategy.debtor_kind NOT IN ('person', 'company') THEN
        RAISE EXCEPTION 'a debtor is a person or a company' USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %L.', assign_strategy.debtor_kind),
            HINT = pg_catalog.format('SELECT dunning.assign_strategy(%L, %L, debtor_kind => ''company'');', assign_strategy.rule, assign_strategy.strategy);
    END IF;
    PERFORM dunning._log_change('rule', assign_strategy.rule, (SELECT to_jsonb(r) FROM dunning.strategy_rule r WHERE r.rule = assign_strategy.rule ORDER BY r.builtin LIMIT 1));
    DELETE FROM dunning.strategy_rule r WHERE r.rule = assign_strategy.rule AND NOT r.builtin;
    INSERT INTO dunning.strategy_rule AS r (rule, builtin, position, creditor, segment, diagnosis, debtor_kind, strategy, enabled, saved_by, saved_at)
    VALUES (assign_strategy.rule, false, assign_strategy.position, assign_strategy.creditor, assign_strategy.segment, assign_strategy.diagnosis, assign_strategy.debtor_kind,
        assign_strategy.strategy, assign_strategy.enabled, session_user, dunning._now());
    RETURN assign_strategy.rule;
END
$fn$;
COMMENT ON FUNCTION dunning.assign_strategy(text, text, int, text, text, text, text, boolean) IS
    'The rule saved: debtors of this creditor, segment, diagnosis and kind (person, company; what is NULL does not matter) follow the strategy. The smallest position that fits goes first; enabled => false ends a rule. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.assign_strategy(text, text, int, text, text, text, text, boolean) TO dunning_admin;

CREATE FUNCTION dunning.set_strategy(debtor_id text, strategy text, note text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(set_strategy.debtor_id);
    creditor text := dunning._creditor_of(id);
BEGIN
    IF creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(set_strategy.debtor_id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    ELSIF set_strategy.strategy IS NOT NULL THEN
        PERFORM dunning._check_strategy(set_strategy.strategy);
        PERFORM dunning._check_reachable(set_strategy.strategy);
    END IF;
    PERFORM dunning._log_change('debtor', id, (SELECT to_jsonb(o) FROM dunning.debtor_strategy o WHERE o.debtor_id = id));
    DELETE FROM dunning.debtor_strategy o WHERE o.debtor_id = id;
    IF set_strategy.strategy IS NOT NULL THEN
        INSERT INTO dunning.debtor_strategy AS o (debtor_id, creditor, strategy, note, set_by, set_at)
        VALUES (id, creditor, set_strategy.strategy, set_strategy.note, session_user, dunning._now());
    END IF;
    RETURN (SELECT s.strategy FROM dunning.strategy_of(id) s);
END
$fn$;
COMMENT ON FUNCTION dunning.set_strategy(text, text, text) IS 'The strategy this debtor now follows: the one given, or with NULL again what the rules say. Steps already had stay had by the strategy they were taken by. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.set_strategy(text, text, text) TO dunning_operator;

CREATE FUNCTION dunning.strategy_of(debtor_id text, OUT strategy text, OUT because text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(strategy_of.debtor_id);
BEGIN
    EXECUTE pg_catalog.format('SELECT a.strategy, a.strategy_by FROM (%s) a', dunning._assigned_sql(dunning._ledger_sql('debtor', '$1')))
        INTO strategy, because USING ARRAY[id];
END
$fn$;
COMMENT ON FUNCTION dunning.strategy_of(text) IS 'The strategy a debtor follows and by what: debtor (set by hand), rule:<name>, creditor or standard; NULL: no such debtor. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.strategy_of(text) TO dunning_viewer;
