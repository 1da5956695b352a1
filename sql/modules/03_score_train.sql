-- score: what is learnt from the ledger. Features strictly before an instant, labels strictly after it.

CREATE FUNCTION dunning._check_target(target text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF target IS NULL OR target NOT IN ('late', 'paid_30d', 'self_cure') THEN
        RAISE EXCEPTION 'target "%" is not known', target
            USING ERRCODE = '22023', HINT = 'Targets are late, paid_30d and self_cure; dunning.fit(model, query, label) trains on any other.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_target(text) IS 'Nothing, or 22023 for a target that train() does not know.';

-- An invoice whose last open part a credit note closed was neither paid nor left unpaid by the debtor: it is no row of a target, and leaves
-- observation in the payment curve.
CREATE FUNCTION dunning._credited(at timestamptz) RETURNS TABLE (debtor_id text, currency text, day date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$SELECT i.debtor_id, i.currency, i.issued_on FROM (%s) i WHERE i.amount < 0
        EXCEPT SELECT p.debtor_id, p.currency, (p.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date FROM (%s) p
        WHERE p.amount > 0 AND p.amount < 'Infinity' AND isfinite(p.paid_at)$q$,
        dunning._invoices_sql(NULL, '$1'), dunning._ledger_sql('payment', NULL, '$1')) USING at;
END
$fn$;
COMMENT ON FUNCTION dunning._credited(timestamptz) IS
'Days of credit notes known at an instant on which the debtor paid nothing in that currency: an invoice that was settled on such a day was not paid.';

CREATE FUNCTION dunning._not_credited_sql(at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format('NOT EXISTS (SELECT FROM dunning._credited(%L) c WHERE c.debtor_id = f.debtor_id AND c.currency = f.currency AND c.day = f.settled_on)', at);
END
$fn$;
COMMENT ON FUNCTION dunning._not_credited_sql(timestamptz) IS 'SQL text: was a row f of invoice_features not closed by a credit note?';

-- late: an invoice that fell due before `at` is decided: paid late, paid in time, or open and overdue. Younger ones are not looked at, also
-- those already paid, since among them only the prompt could have been.
CREATE FUNCTION dunning._late_sql(at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format(
        'SELECT %1$s, f.debtor_id AS debtor, coalesce(f.days_late > 0, true) AS late FROM dunning.invoice_features(%2$L) f '
        'WHERE f.due_on < (timestamptz %2$L AT TIME ZONE (SELECT dunning._ledger_zone()))::date AND %3$s',
        (SELECT string_agg(dunning._feature_sql(c) || ' AS ' || quote_ident(c), ', ') FROM unnest(dunning._features_of('late')) c), at, dunning._not_credited_sql(at));
END
$fn$;
COMMENT ON FUNCTION dunning._late_sql(timestamptz) IS 'Training query of target late.';

-- self_cure: an invoice that was not paid when due, and whose next 14 days are over: was it paid in them before anybody wrote or called? No strategy
-- waits longer for that, so who pays in the fourth week does not count as one who needs no reminder. A call is a contact as well; it is an event,
-- and known once it is recorded.
CREATE FUNCTION dunning._self_cured_sql() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT 'coalesce(f.days_late <= 14, false) AND NOT EXISTS (SELECT FROM unnest(k.contacts) c WHERE c >= (f.due_on + 1)::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) '
        'AND c < f.settled_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()))'
$fn$;
COMMENT ON FUNCTION dunning._self_cured_sql() IS 'SQL text: was a row f of invoice_features paid in the 14 days after its due date and before any contact? It needs the join of _contacted_sql().';

-- One row a debtor: an index on the debtor would cost each send, and without one each invoice would read the contacts of everybody.
CREATE FUNCTION dunning._contacted_sql(at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT format('LEFT JOIN (SELECT x.debtor_id, array_agg(x.at) AS contacts FROM (SELECT e.debtor_id, e.contact_on AS at FROM dunning.egress e WHERE NOT e.test '
        'UNION ALL SELECT v.debtor_id, v.at FROM dunning.event v WHERE v.kind IN (''called'', ''conversation'') AND v.recorded_at < %L) x GROUP BY 1) k ON k.debtor_id = f.debtor_id', _contacted_sql.at)
$fn$;
COMMENT ON FUNCTION dunning._contacted_sql(timestamptz) IS 'SQL text: a join that gives a row f of invoice_features all contacts k.contacts of its debtor, as known at an instant.';

-- What retention dropped cannot say that nobody wrote: invoices that fell due before it are left out once a month was dropped.
CREATE FUNCTION dunning._self_cure_sql(at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format(
        'SELECT %1$s, f.debtor_id AS debtor, %3$s AS self_cure FROM dunning.invoice_features(%2$L) f %6$s '
        'WHERE f.due_on + 14 < (timestamptz %2$L AT TIME ZONE (SELECT dunning._ledger_zone()))::date AND (f.days_late IS NULL OR f.days_late > 0) AND %4$s%5$s',
        (SELECT string_agg(dunning._feature_sql(c) || ' AS ' || quote_ident(c), ', ') FROM unnest(dunning._features_of('self_cure')) c), at,
        dunning._self_cured_sql(), dunning._not_credited_sql(at),
        CASE WHEN EXISTS (SELECT FROM dunning.egress_anchor)
             THEN format(' AND f.due_on >= %L::date', ((dunning._now() - make_interval(days => dunning._value_of('retention_days')::int)) AT TIME ZONE dunning._ledger_zone())::date) END,
        dunning._contacted_sql(at));
END
$fn$;
COMMENT ON FUNCTION dunning._self_cure_sql(timestamptz) IS 'Training query of target self_cure.';

-- paid_30d: debtors with something overdue at instants 30 days apart, the last one 30 days before `at`: did any payment follow in 30 days?
-- Days have 24 hours here: where the clocks change, those of a session's zone would let a payment fall between two windows, or into both.
CREATE FUNCTION dunning._paid_30d_sql(at timestamptz, months int DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    debtors bigint;
BEGIN
    -- Half a year, and where debtors are few as much more as gives the rows of 800: what is older knew less of a debtor when it was asked.
    IF _paid_30d_sql.months IS NULL THEN
        EXECUTE format('SELECT count(*) FROM (%s) d', dunning._ledger_sql('debtor', NULL, quote_literal(at))) INTO debtors;
    END IF;
    RETURN format(
        'WITH paid AS MATERIALIZED (SELECT DISTINCT l.debtor_id, ceil(extract(epoch FROM %1$L::timestamptz - l.paid_at) / 2592000) AS month '
        'FROM (%2$s) l WHERE l.amount > 0 AND l.amount < ''Infinity'' AND isfinite(l.paid_at)) '
        'SELECT %3$s, f.debtor_id AS debtor, p.debtor_id IS NOT NULL AS paid_30d '
        'FROM generate_series(1, %4$s) s (month) CROSS JOIN LATERAL dunning.features(%1$L::timestamptz - s.month * interval ''720 hours'') f '
        'LEFT JOIN paid p ON p.debtor_id = f.debtor_id AND p.month = s.month WHERE f.n_overdue > 0',
        at, dunning._ledger_sql('payment', NULL, quote_literal(at)),
        (SELECT string_agg(dunning._feature_sql(c) || ' AS ' || quote_ident(c), ', ') FROM unnest(dunning._features_of('paid_30d')) c),
        coalesce(_paid_30d_sql.months, greatest(6, least(24, 4800 / greatest(debtors, 1)))));
END
$fn$;
COMMENT ON FUNCTION dunning._paid_30d_sql(timestamptz, int) IS 'Training query of target paid_30d; months of 30 days back from `at` (NULL: by the size of the book).';

CREATE FUNCTION dunning._target_sql(target text, at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN CASE target WHEN 'late' THEN dunning._late_sql(at) WHEN 'self_cure' THEN dunning._self_cure_sql(at) ELSE dunning._paid_30d_sql(at) END;
END
$fn$;
COMMENT ON FUNCTION dunning._target_sql(text, timestamptz) IS 'Training query of a target of train(); its label has the target''s name.';

-- Said when a target cannot be trained: which of the others can.
CREATE FUNCTION dunning._trainable(except_target text, at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    other text;
    yes bigint;
    no bigint;
    found_targets text[] := '{}';
BEGIN
    FOREACH other IN ARRAY ARRAY['late', 'paid_30d', 'self_cure'] LOOP
        CONTINUE WHEN other = except_target;
        EXECUTE format('SELECT count(*) FILTER (WHERE x.%1$I), count(*) FILTER (WHERE NOT x.%1$I) FROM (%2$s) x', other, dunning._target_sql(other, at))
            INTO yes, no;
        IF least(yes, no) >= 50 THEN
            found_targets := found_targets || format('SELECT * FROM dunning.train(%L); (%s rows with label 1, %s with 0)', other, yes, no);
        END IF;
    END LOOP;
    RETURN CASE WHEN cardinality(found_targets) = 0 THEN 'No target has 50 rows of each class yet: score() uses rules on history until more invoices are settled.'
                ELSE 'These can be trained: ' || array_to_string(found_targets, '; ') END;
END
$fn$;
COMMENT ON FUNCTION dunning._trainable(text, timestamptz) IS 'A hint: the other targets that have 50 rows of each class.';

-- Compiling the query would take longer than running it, hence jit = off; the query kept with the model has instants in it, hence datestyle.
CREATE FUNCTION dunning.train(target text DEFAULT 'paid_30d', as_of timestamptz DEFAULT NULL, kind text DEFAULT 'auto') RETURNS dunning.model_metrics
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(train.as_of, dunning._now());
    result dunning.model_metrics;
    why text;
    detail text;
BEGIN
    PERFORM dunning._check_target(target);
    PERFORM dunning._check_as_of(at);
    IF at > greatest(dunning._now(), now()) THEN
        RAISE EXCEPTION 'as_of must be an instant that is over' USING ERRCODE = '22023', HINT = 'Leave as_of out to train on all that is known.';
    END IF;
    -- A bound view may call anything: nothing of it can leave dunning_owner's rights.
    PERFORM dunning._restrict();
    BEGIN
        result := dunning._fit(target, dunning._target_sql(target, at), target, train.kind,
                               jsonb_build_object('group', 'debtor', 'monotone', dunning._monotone_of(target)), target, at);
    EXCEPTION WHEN SQLSTATE 'DN004' THEN
        GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION '%', why USING ERRCODE = 'DN004', DETAIL = detail, HINT = dunning._trainable(target, at);
    WHEN data_exception OR raise_exception THEN
        PERFORM dunning._blame_feature(at);
        RAISE;
    END;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning.train(text, timestamptz, text) IS
'Cross-validated metrics of a new version of a model over the ledger, named as its target. late: is an invoice paid after its due date, by what was known at its issue. '
'paid_30d: does a debtor with something overdue pay anything within 30 days. self_cure: is an invoice that was not paid when due paid within 14 days before any contact. '
'Nothing at or after as_of (NULL: now) is looked at; outcomes not yet decided then are left out; a debtor''s rows stay in one fold. DN004 with fewer than 50 rows of either class, with the targets that can be trained. Needs dunning_operator.';

GRANT EXECUTE ON FUNCTION dunning.train(text, timestamptz, text) TO dunning_operator;
