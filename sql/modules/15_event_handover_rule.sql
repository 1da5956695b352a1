-- event: which cases are proposed by themselves, and what became of those that were decided.

CREATE FUNCTION dunning.save_handover_rule(rule text, kind text, after text, days int, "position" int DEFAULT 100, creditor text DEFAULT NULL, debtor_kind text DEFAULT NULL,
                                           minimum jsonb DEFAULT '{}', recipient text DEFAULT NULL, commission_percent numeric DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    hint text := 'SELECT dunning.save_handover_rule(''agency'', ''agency'', after => ''last_step'', days => 21, recipient => ''Inkasso Nord'', commission_percent => 12, minimum => ''{"*": 50}'');';
    old jsonb := (SELECT to_jsonb(r) FROM dunning.handover_rule r WHERE r.rule = save_handover_rule.rule);
BEGIN
    PERFORM dunning._check_commission(save_handover_rule.kind, save_handover_rule.recipient, save_handover_rule.commission_percent, hint);
    IF save_handover_rule.rule IS NULL OR save_handover_rule.rule !~ '^[a-z][a-z0-9_-]{0,39}$' OR save_handover_rule.after IS NULL OR save_handover_rule.after NOT IN ('last_step', 'stopped', 'age')
       OR save_handover_rule.days IS NULL OR save_handover_rule.days NOT BETWEEN 0 AND 3660 OR "position" IS NULL OR save_handover_rule.debtor_kind NOT IN ('person', 'company') THEN
        RAISE EXCEPTION 'a rule says after what, and how many days later'
            USING ERRCODE = '22023', DETAIL = 'after is last_step (of the debtor''s strategy), stopped (its stop_after was reached) or age (days past due); days are 0 to 3660; debtor_kind is person or company.', HINT = hint;
    ELSIF save_handover_rule.minimum IS NULL OR jsonb_typeof(save_handover_rule.minimum) <> 'object'
          OR EXISTS (SELECT FROM jsonb_each(CASE jsonb_typeof(save_handover_rule.minimum) WHEN 'object' THEN save_handover_rule.minimum ELSE '{}' END) m(key, value)
                     WHERE m.key !~ '^([A-Z]{3}|\*)$' OR jsonb_typeof(m.value) <> 'number' OR (m.value #>> '{}')::numeric < 0) THEN
        RAISE EXCEPTION 'a minimum is a sum by currency' USING ERRCODE = '22023', DETAIL = format('Given: %s. "*" is every currency that is not named.', save_handover_rule.minimum), HINT = hint;
    END IF;
    INSERT INTO dunning.handover_rule AS r (rule, position, kind, after, days, creditor, debtor_kind, minimum, recipient, commission_percent, saved_by, saved_at)
    VALUES (save_handover_rule.rule, "position", save_handover_rule.kind, save_handover_rule.after, save_handover_rule.days, save_handover_rule.creditor, save_handover_rule.debtor_kind,
            save_handover_rule.minimum, save_handover_rule.recipient, save_handover_rule.commission_percent, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT handover_rule_pkey DO UPDATE
        SET position = excluded.position, kind = excluded.kind, after = excluded.after, days = excluded.days, creditor = excluded.creditor, debtor_kind = excluded.debtor_kind,
            minimum = excluded.minimum, recipient = excluded.recipient, commission_percent = excluded.commission_percent, saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    PERFORM dunning._log_rule_change('handover_rule', save_handover_rule.rule, old, (SELECT to_jsonb(r) FROM dunning.handover_rule r WHERE r.rule = save_handover_rule.rule));
    RETURN old IS NULL;
END
$$;
COMMENT ON FUNCTION dunning.save_handover_rule(text, text, text, int, int, text, text, jsonb, text, numeric) IS
    'Whether the rule is new. From the next daily() or maintain() on it proposes cases so many days after the last step of a strategy, its stop, or the due date; the first rule by position that fits counts. Bad values: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_handover_rule(text, text, text, int, int, text, text, jsonb, text, numeric) TO dunning_admin;

CREATE FUNCTION dunning.drop_handover_rule(rule text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    old dunning.handover_rule;
BEGIN
    DELETE FROM dunning.handover_rule r WHERE r.rule = drop_handover_rule.rule RETURNING r.* INTO old;
    IF old.rule IS NULL THEN
        RETURN false;
    END IF;
    PERFORM dunning._log_rule_change('handover_rule', old.rule, to_jsonb(old), NULL);
    RETURN true;
END
$$;
COMMENT ON FUNCTION dunning.drop_handover_rule(text) IS 'True where a rule of this name stood and proposes nothing any more; what it proposed stands. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.drop_handover_rule(text) TO dunning_admin;

-- Whom a rule is about: text of a SELECT of debtor_id over i (overdue items) and d (debtors with their strategy); $1 now, $2 the rule's days.
CREATE FUNCTION dunning._handover_fits_sql(after text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN CASE after
        WHEN 'age' THEN 'SELECT i.debtor_id FROM i WHERE i.days >= $2'
        WHEN 'last_step' THEN $q$
            SELECT i.debtor_id FROM i JOIN d ON d.debtor_id = i.debtor_id
            JOIN (SELECT DISTINCT ON (s.strategy) s.strategy, s.step FROM dunning._steps() s JOIN dunning._strategies() t ON t.strategy = s.strategy
                  WHERE s.anchor IN ('due_date', 'last_contact') AND s.step IS DISTINCT FROM t.stop_step ORDER BY s.strategy, s.position DESC, s.step DESC) l ON l.strategy = d.strategy
            JOIN dunning.once o ON o.debtor_id = i.debtor_id AND o.kind = 'step' AND o.key = dunning._step_key(l.strategy, l.step, i.due_on)
            WHERE o.at <= $1 - $2 * interval '1 day'$q$
        ELSE format($q$
            SELECT c.debtor_id FROM (%s) c JOIN d ON d.debtor_id = c.debtor_id JOIN dunning._strategies() t ON t.strategy = d.strategy
            WHERE c.unanswered >= t.stop_after AND c.last_contact <= $1 - $2 * interval '1 day'$q$, dunning._contact_sql(NULL, '$1', true)) END;
END
$$;
COMMENT ON FUNCTION dunning._handover_fits_sql(text) IS 'SQL text: debtors whom a rule after last_step, stopped or age is about.';

CREATE FUNCTION dunning._propose_by_rule(rule dunning.handover_rule) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    made dunning.handover;
    found_cases dunning.handover[];
BEGIN
    EXECUTE format($q$
        WITH i AS MATERIALIZED (SELECT p.* FROM (%s) p WHERE p.left_out IS NULL AND p.days > 0),
        d AS MATERIALIZED (SELECT a.debtor_id, a.creditor, a.kind, a.strategy FROM (%s) a
                           WHERE ($3 IS NULL OR a.creditor = $3) AND ($4 IS NULL OR coalesce(nullif(a.kind, ''), 'person') = $4)),
        fits AS MATERIALIZED (SELECT DISTINCT f.debtor_id FROM (%s) f),
        -- what is under way goes first
        free AS MATERIALIZED (SELECT f.debtor_id FROM fits f
            WHERE NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = f.debtor_id AND q.state <> 'held')
              AND NOT EXISTS (SELECT FROM dunning.offer o WHERE o.debtor_id = f.debtor_id AND o.state IN ('live', 'proposed') AND o.expires_at > $1)
              AND NOT EXISTS (SELECT FROM dunning.handover v WHERE v.debtor_id = f.debtor_id
                              AND (v.state = 'proposed' OR coalesce(v.ended_at, v.decided_at) > $1 - $7 * interval '1 day' AND v.state IN ('rejected', 'taken_back')))),
        asked AS (SELECT i.*, sum(i.open) OVER (PARTITION BY i.debtor_id, i.currency) AS sum FROM i JOIN free f ON f.debtor_id = i.debtor_id
                  WHERE $5 <> 'age' OR i.days >= $2)
        SELECT array_agg(ROW(d.debtor_id, NULL, d.creditor, NULL, 'proposed', $5, x.items, dunning._handover_sums(x.items), NULL, NULL, NULL, NULL, $1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}')::dunning.handover
                         ORDER BY d.debtor_id)
        FROM d
        JOIN (SELECT a.debtor_id, jsonb_agg(jsonb_build_object('invoice_id', a.invoice_id, 'reference', a.reference, 'currency', a.currency, 'due_on', to_char(a.due_on, 'YYYY-MM-DD'),
                         'amount', trim_scale(a.amount), 'open', trim_scale(a.open)) ORDER BY a.due_on, a.invoice_id) AS items
              FROM asked a WHERE a.sum >= coalesce(($6 ->> a.currency)::numeric, ($6 ->> '*')::numeric, 0) GROUP BY 1) x ON x.debtor_id = d.debtor_id$q$,
        dunning._plan_items_sql(NULL, 'NULL::timestamptz'), dunning._assigned_sql(dunning._ledger_sql('debtor')), dunning._handover_fits_sql(rule.after))
        INTO found_cases USING dunning._now(), rule.days, rule.creditor, rule.debtor_kind, rule.after, rule.minimum, dunning._value_of('handover_again_days')::int;
    FOR made IN
        INSERT INTO dunning.handover AS v (debtor_id, handover_id, creditor, kind, state, why, invoices, amounts, recipient, commission_percent, proposed_at, proposed_by)
        SELECT c.debtor_id, dunning._uuid7(), c.creditor, rule.kind, 'proposed', rule.after, c.invoices, c.amounts, rule.recipient, rule.commission_percent, c.proposed_at, 'rule:' || rule.rule
        FROM unnest(found_cases) c
        WHERE c.debtor_id NOT IN (SELECT b.debtor_id FROM dunning._handover_blockers(ARRAY(SELECT u.debtor_id FROM unnest(found_cases) u), rule.kind) b)
        ON CONFLICT DO NOTHING RETURNING v.*
    LOOP
        PERFORM dunning._handover_event(made, 'handover_proposed');
        RETURN NEXT made.handover_id;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._propose_by_rule(dunning.handover_rule) IS 'The cases that a rule proposed just now.';

CREATE FUNCTION dunning._refresh_handovers() RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    rule dunning.handover_rule;
BEGIN
    IF dunning._ledger_problem() IS NOT NULL THEN
        RETURN;         -- who owes what is not known today
    END IF;
    FOR rule IN SELECT r.* FROM dunning.handover_rule r ORDER BY r.position, r.rule LOOP
        RETURN QUERY SELECT p.p FROM dunning._propose_by_rule(rule) p(p);
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._refresh_handovers() IS 'The cases that the rules proposed; maintain() and daily() call it.';

-- What came in since the decision: payments, as far as what was handed over is open no more.
CREATE FUNCTION dunning._cases(debtor_ids text[] DEFAULT NULL)
    RETURNS TABLE (debtor_id text, handover_id uuid, creditor text, kind text, state text, why text, recipient text, invoices int, amounts jsonb, charges jsonb, collected jsonb,
                   commission_percent numeric, commission jsonb, proposed_at timestamptz, proposed_by text, decided_at timestamptz, decided_by text, ended_at timestamptz, ended_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    ids text[] := ARRAY(SELECT DISTINCT v.debtor_id FROM dunning.handover v
                        WHERE v.state IN ('approved', 'taken_back') AND (_cases.debtor_ids IS NULL OR v.debtor_id = ANY (_cases.debtor_ids)));
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH item AS MATERIALIZED (SELECT o.debtor_id, o.invoice_id, o.open FROM (%1$s) o),
        pay AS MATERIALIZED (SELECT p.debtor_id, p.currency, p.paid_at, p.amount FROM (%2$s) p),
        came AS (
            SELECT c.debtor_id, c.handover_id, c.currency, least(greatest(c.less, 0), greatest(coalesce(y.paid, 0), 0)) AS paid, c.commission_percent
            FROM (SELECT v.debtor_id, v.handover_id, v.decided_at, v.ended_at, v.commission_percent, i.i ->> 'currency' AS currency,
                         sum((i.i ->> 'open')::numeric - coalesce(o.open, 0)) AS less
                  FROM dunning.handover v CROSS JOIN LATERAL jsonb_array_elements(v.invoices) i(i)
                  LEFT JOIN item o ON o.debtor_id = v.debtor_id AND o.invoice_id = i.i ->> 'invoice_id'
                  WHERE v.debtor_id = ANY ($1) AND v.state IN ('approved', 'taken_back') GROUP BY 1, 2, 3, 4, 5, 6) c
            LEFT JOIN LATERAL (SELECT sum(p.amount) AS paid FROM pay p WHERE p.debtor_id = c.debtor_id AND p.currency = c.currency
                               AND p.paid_at > c.decided_at AND coalesce(p.paid_at <= c.ended_at, true)) y ON true),
        sums AS (SELECT c.debtor_id, c.handover_id, jsonb_object_agg(c.currency, trim_scale(c.paid)) AS paid,
                        jsonb_object_agg(c.currency, round(c.paid * c.commission_percent / 100, dunning._minor_digits(c.currency))) FILTER (WHERE c.commission_percent IS NOT NULL) AS cut
                 FROM came c WHERE c.paid > 0 GROUP BY 1, 2)
        SELECT v.debtor_id::text, v.handover_id, v.creditor::text, v.kind::text, v.state::text, v.why, v.recipient, jsonb_array_length(v.invoices), v.amounts, v.charges, coalesce(s.paid, '{}'),
               v.commission_percent, coalesce(s.cut, '{}'), v.proposed_at, v.proposed_by, v.decided_at, v.decided_by, v.ended_at, v.ended_by
        FROM dunning.handover v LEFT JOIN sums s ON s.debtor_id = v.debtor_id AND s.handover_id = v.handover_id
        WHERE $2 IS NULL OR v.debtor_id = ANY ($2)$q$,
        dunning._open_items_sql('$1', 'NULL'), dunning._ledger_sql('payment', '$1'))
        USING ids, _cases.debtor_ids;
END
$$;
COMMENT ON FUNCTION dunning._cases(text[]) IS 'One row a case of the debtors (NULL: all) with what came in since it was decided and the recipient''s share of it.';
GRANT EXECUTE ON FUNCTION dunning._cases(text[]) TO dunning_viewer;

CREATE VIEW dunning.handovers WITH (security_invoker, security_barrier) AS
    SELECT h.* FROM dunning._cases() h;
COMMENT ON VIEW dunning.handovers IS
    'One row a hand-over or write-off: proposed, approved, rejected or taken back, with sums by currency, what came in since the decision (payments, as far as the invoices are open no more) and the recipient''s commission on it. Role: dunning_viewer.';
GRANT SELECT ON dunning.handovers TO dunning_viewer;

CREATE FUNCTION dunning._case_invoices()
    RETURNS TABLE (debtor_id text, invoice_id text, currency text, open numeric, kind text, state text, recipient text, handover_id uuid, creditor text, proposed_at timestamptz, decided_at timestamptz, ended_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT v.debtor_id::text, i.i ->> 'invoice_id', i.i ->> 'currency', (i.i ->> 'open')::numeric, v.kind::text, v.state::text, v.recipient, v.handover_id, v.creditor::text,
               v.proposed_at, v.decided_at, v.ended_at
        FROM dunning.handover v CROSS JOIN LATERAL jsonb_array_elements(v.invoices) i(i);
END
$$;
COMMENT ON FUNCTION dunning._case_invoices() IS 'One row an invoice of every case.';
GRANT EXECUTE ON FUNCTION dunning._case_invoices() TO dunning_viewer;

CREATE VIEW dunning.handover_invoices WITH (security_invoker, security_barrier) AS
    SELECT h.* FROM dunning._case_invoices() h;
COMMENT ON VIEW dunning.handover_invoices IS
    'What billing may book: one row an invoice of every hand-over and write-off with what was open of it, from proposal (state proposed) to decision. The ledger is billing''s to change. Role: dunning_viewer.';
GRANT SELECT ON dunning.handover_invoices TO dunning_viewer;
