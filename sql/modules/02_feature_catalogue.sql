-- feature: the catalogue. What each feature means, which way it points, whether a model may read it; users add their own and take others out.

CREATE TABLE dunning.feature (
    feature         text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    of              text NOT NULL CHECK (of IN ('debtor', 'invoice', 'both')),
    type            text NOT NULL CHECK (type IN ('number', 'boolean', 'text')),
    unit            text NOT NULL DEFAULT '',
    monotone        smallint NOT NULL DEFAULT 0 CHECK (monotone IN (-1, 0, 1)),
    sensitive       boolean NOT NULL DEFAULT false,
    targets         text[] NOT NULL DEFAULT '{}',       -- of train() that read it
    meaning         text NOT NULL,
    expression      text,                               -- SQL over the columns of the features; NULL: the column or the attribute of that name
    excluded        boolean NOT NULL DEFAULT false,
    position        int,                                -- of a built-in one: models read them in this order
    saved_by        text,
    saved_at        timestamptz,
    before          jsonb,                              -- the row that the last change replaced
    PRIMARY KEY (feature, builtin)
);
COMMENT ON TABLE dunning.feature IS 'Features of debtors and invoices; a user''s row goes before the built-in one of its name. Changed by save_feature(), exclude_feature(), include_feature() and reset_feature().';
SELECT pg_catalog.pg_extension_config_dump('dunning.feature', 'WHERE NOT builtin');
GRANT SELECT ON dunning.feature TO dunning_viewer;

INSERT INTO dunning.feature (feature, builtin, of, type, unit, monotone, position, targets, meaning)
SELECT f.feature, true, f.of, f.type, f.unit, f.monotone, row_number() OVER (), CASE f.targets WHEN 'all' THEN '{late,self_cure,paid_30d}' WHEN 'invoice' THEN '{late,self_cure}' WHEN 'debtor' THEN '{paid_30d}' ELSE '{}' END::text[], f.meaning
FROM (VALUES
    ('creditor', 'both', 'text', '', 0, 'all', 'who is owed'),
    ('currency', 'both', 'text', '', 0, 'all', 'the currency of the sums: of a debtor the one with an open balance, then the one of most invoices'),
    ('currencies', 'both', 'number', '', 0, '', 'currencies with invoices'),
    ('n_invoices', 'both', 'number', 'invoices', 0, '', 'invoices known and not cancelled; fees and interest are none'),
    ('n_paid', 'both', 'number', 'invoices', 0, 'all', 'settled invoices'),
    ('n_late', 'both', 'number', 'invoices', 1, 'all', 'settled after the due date'),
    ('n_open', 'both', 'number', 'items', 1, 'all', 'unpaid invoices, fees and interest'),
    ('n_overdue', 'both', 'number', 'items', 1, 'all', 'unpaid and past due'),
    ('n_payments', 'both', 'number', 'payments', 0, '', 'payments, without reversals'),
    ('amount_billed', 'both', 'number', 'currency', 0, '', 'sum of invoices'),
    ('amount_paid', 'both', 'number', 'currency', 0, '', 'sum of settled invoices'),
    ('amount_open', 'both', 'number', 'currency', 0, '', 'sum that is open'),
    ('amount_overdue', 'both', 'number', 'currency', 0, '', 'sum that is past due'),
    ('dpd_0', 'debtor', 'number', 'currency', 0, '', 'open and not past due'),
    ('dpd_1_30', 'debtor', 'number', 'currency', 0, '', 'open, 1 to 30 days past due'),
    ('dpd_31_60', 'debtor', 'number', 'currency', 0, '', 'open, 31 to 60 days past due'),
    ('dpd_61_90', 'debtor', 'number', 'currency', 0, '', 'open, 61 to 90 days past due'),
    ('dpd_over_90', 'debtor', 'number', 'currency', 0, '', 'open, more than 90 days past due'),
    ('days_past_due', 'both', 'number', 'days', 1, 'all', 'of the oldest open item, 0 before it is due'),
    ('days_since_payment', 'both', 'number', 'days', 0, 'all', 'recency: since the last payment'),
    ('days_since_invoice', 'both', 'number', 'days', 0, '', 'since the last invoice'),
    ('tenure_days', 'both', 'number', 'days', 0, 'all', 'since the first invoice'),
    ('late_ratio', 'both', 'number', 'share', 1, 'all', 'settled invoices that were paid late'),
    ('late_ratio_shrunk', 'both', 'number', 'share', 1, 'all', 'late_ratio with the mean of the creditor''s debtors of that kind in the weight of five invoices'),
    ('avg_late_shrunk', 'both', 'number', 'days', 1, 'all', 'avg_late, shrunk in the same way'),
    ('late_amount_ratio', 'both', 'number', 'share', 1, 'all', 'of the sum of settled invoices that was paid late'),
    ('last_late', 'both', 'number', 'days', 1, 'all', 'days late of the invoice settled last; in time is 0'),
    ('max_late', 'both', 'number', 'days', 1, 'all', 'most days late'),
    ('avg_late', 'both', 'number', 'days', 1, '', 'mean days late'),
    ('avg_late_3', 'both', 'number', 'days', 1, '', 'mean days late of the last three settled'),
    ('trend', 'both', 'number', 'days', 1, 'all', 'avg_late_3 less avg_late'),
    ('ewma_late', 'both', 'number', 'days', 1, 'all', 'moving average of days late, the newest with weight 0.3'),
    ('ewma_late_shrunk', 'both', 'number', 'days', 1, '', 'ewma_late with the mean of days late in the weight of five invoices'),
    ('avg_gap', 'both', 'number', 'days', 1, 'all', 'mean days from the due date to the settlement, negative where it was paid before'),
    ('avg_gap_shrunk', 'both', 'number', 'days', 1, 'all', 'avg_gap, shrunk as late_ratio_shrunk is'),
    ('gap_trend', 'both', 'number', 'days', 1, 'all', 'avg_gap of the last three settled less avg_gap'),
    ('ewma_gap', 'both', 'number', 'days', 1, 'all', 'moving average of the same days, the newest with weight 0.3'),
    ('gap_sd', 'both', 'number', 'days', 0, 'all', 'standard deviation of the same days, of two settled ones or more'),
    ('days_to_pay', 'both', 'number', 'days', 0, 'all', 'mean days from issue to settlement'),
    ('coverage', 'both', 'number', 'share', 0, '', 'how much of a shrunk feature is the debtor''s own: n/(n+5) of n settled invoices'),
    ('partial_ratio', 'both', 'number', 'share', 0, 'all', 'of the invoices paid on, those that took more than one payment'),
    ('month_end_ratio', 'both', 'number', 'share', 0, 'all', 'payments in the last three days of a month'),
    ('amount_mean', 'both', 'number', 'currency', 0, '', 'mean invoice'),
    ('open_vs_mean', 'debtor', 'number', 'ratio', 0, 'debtor', 'open sum over the mean invoice'),
    ('log_amount', 'invoice', 'number', '', 0, 'invoice', 'natural logarithm of the amount'),
    ('terms', 'invoice', 'number', 'days', 0, 'invoice', 'from issue to due'),
    ('issue_month', 'invoice', 'number', 'month', 0, '', 'month of issue'),
    ('issue_weekday', 'invoice', 'number', 'weekday', 0, 'invoice', 'weekday of issue, Monday 1'),
    ('due_weekday', 'invoice', 'number', 'weekday', 0, '', 'weekday of the due date, Monday 1'),
    ('due_closed', 'invoice', 'boolean', '', 0, 'invoice', 'due on a Saturday, a Sunday or a holiday of the debtor''s country'),
    ('issue_day', 'invoice', 'number', 'day', 0, 'invoice', 'day of the month of issue'),
    ('amount_vs_mean', 'invoice', 'number', 'ratio', 0, 'invoice', 'amount over the mean of earlier invoices'),
    ('amount', 'invoice', 'number', 'currency', 0, '', 'amount'),
    ('n_payments_90d', 'both', 'number', 'payments', 0, '', 'frequency: payments that the ledger learnt of in the last 90 days'),
    ('payments_per_month', 'both', 'number', 'payments', 0, '', 'frequency: payments a month of tenure, the tenure at least 30 days'),
    ('invoices_per_month', 'both', 'number', 'invoices', 0, '', 'invoices a month of tenure, the tenure at least 30 days'),
    ('payment_mean', 'both', 'number', 'currency', 0, '', 'mean payment'),
    ('n_partial', 'both', 'number', 'invoices', 0, '', 'invoices that a payment left a rest of'),
    ('paid_before_reminder', 'both', 'number', 'share', -1, '', 'settled invoices that were paid before any contact after the due date'),
    ('paid_after_1', 'both', 'number', 'share', 0, '', 'settled after one contact past the due date'),
    ('paid_after_2', 'both', 'number', 'share', 0, '', 'settled after two'),
    ('paid_after_3', 'both', 'number', 'share', 0, '', 'settled after three or more'),
    ('paid_before_shrunk', 'both', 'number', 'share', -1, '', 'paid_before_reminder, shrunk as late_ratio_shrunk is'),
    ('n_promises', 'both', 'number', 'promises', 0, '', 'promises made, instalments each'),
    ('promises_kept', 'both', 'number', 'promises', -1, '', 'kept: paid by the deadline, or nothing open any more'),
    ('promises_broken', 'both', 'number', 'promises', 1, '', 'broken, or made good after the deadline'),
    ('promise_kept_ratio', 'both', 'number', 'share', -1, '', 'kept of those kept and broken'),
    ('promise_days_to_break', 'both', 'number', 'days', 0, '', 'mean days from a promise that was broken to the day it was for'),
    ('n_disputed', 'both', 'number', 'invoices', 0, '', 'invoices that were disputed, whatever became of it; without a date only those disputed at present'),
    ('dispute_ratio', 'both', 'number', 'share', 0, '', 'disputed of all invoices'),
    ('dpd_bucket', 'both', 'number', 'bucket', 1, '', 'of days_past_due: 0 none, 1 up to 30, 2 up to 60, 3 up to 90, 4 more'),
    ('dpd_roll', 'both', 'number', 'buckets', 1, '', 'roll: dpd_bucket less that of 30 days ago'),
    ('overdue_change', 'both', 'number', 'currency', 0, '', 'amount_overdue less that of 30 days ago'),
    ('weekday_ratio', 'both', 'number', 'share', 0, '', 'payments on pay_weekday'),
    ('pay_weekday', 'both', 'number', 'weekday', 0, '', 'the weekday of most payments, Monday 1'),
    ('payday_ratio', 'both', 'number', 'share', 0, '', 'payments in the three days of the month with most of them'),
    ('payday_from', 'both', 'number', 'day', 0, '', 'the first of those three days'),
    ('pay_hour', 'both', 'number', 'hour', 0, '', 'the hour of the week of most payments, 0 on Monday from midnight'),
    ('pay_hour_ratio', 'both', 'number', 'share', 0, '', 'payments in pay_hour'),
    ('days_since_contact', 'both', 'number', 'days', 0, '', 'since the last contact'),
    ('days_since_response', 'both', 'number', 'days', 0, '', 'since the last answer: click, reply, call, conversation, promise, dispute'),
    ('reached_ratio', 'both', 'number', 'share', -1, '', 'reachability: contacts that arrived or were answered, of those and the ones that came back'),
    ('days_since_reached', 'both', 'number', 'days', 0, '', 'since a contact last arrived or was answered'),
    ('address_age_days', 'both', 'number', 'days', 0, '', 'since the address last written to was first written to'),
    ('is_company', 'both', 'boolean', '', 0, '', 'a company; NULL where it is not said'),
    ('kind', 'both', 'text', '', 0, '', 'person or company'),
    ('country', 'both', 'text', '', 0, '', 'country of the debtor'),
    ('has_email', 'both', 'boolean', '', 0, '', 'there is an e-mail address'),
    ('has_phone', 'both', 'boolean', '', 0, '', 'there is a telephone number'),
    ('has_post', 'both', 'boolean', '', 0, '', 'there is a postal address')
) f (feature, of, type, unit, monotone, targets, meaning);

INSERT INTO dunning.feature (feature, builtin, of, type, unit, meaning)
SELECT w.w || coalesce('_' || c.c, '') || '_' || d.d || 'd', true, 'both', 'number', w.w,
       format('%s in the last %s days', CASE w.w WHEN 'contacts' THEN 'messages and calls to the debtor' ELSE 'answers: clicks, replies, calls, conversations, promises, disputes' END, d.d)
       || CASE WHEN c.c = 'other' THEN ', on any other channel' ELSE coalesce(', by ' || c.c, '') END
FROM unnest('{contacts,responses}'::text[]) w(w), unnest('{NULL,email,sms,letter,call,other}'::text[]) c(c), unnest('{7,30}'::int[]) d(d);
-- Where somebody lives may stand for what must not count.
UPDATE dunning.feature f SET sensitive = true WHERE f.builtin AND f.feature = 'country';

CREATE FUNCTION dunning._features_in_force() RETURNS SETOF dunning.feature
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT DISTINCT ON (f.feature) f.* FROM dunning.feature f ORDER BY f.feature, f.builtin;
END
$fn$;
COMMENT ON FUNCTION dunning._features_in_force() IS 'One row a feature, a user''s before the built-in one.';
GRANT EXECUTE ON FUNCTION dunning._features_in_force() TO dunning_viewer;

CREATE VIEW dunning.feature_catalogue WITH (security_invoker, security_barrier) AS
    SELECT f.feature, f.of, f.type, f.unit, f.monotone, f.sensitive, f.excluded, f.targets, f.meaning,
           CASE WHEN f.expression IS NOT NULL THEN 'expression' WHEN EXISTS (SELECT FROM dunning.feature b WHERE b.feature = f.feature AND b.builtin) THEN 'builtin' ELSE 'attribute' END AS source,
           f.expression, f.saved_by, f.saved_at
    FROM dunning._features_in_force() f;
COMMENT ON VIEW dunning.feature_catalogue IS
'One row a feature: of what it is, type, unit, meaning; monotone: 1 the more the likelier paid late, -1 the less likely, 0 either; sensitive: no model of train() reads it before include_feature() was called; excluded; targets that read it. Role dunning_viewer.';
GRANT SELECT ON dunning.feature_catalogue TO dunning_viewer;

-- --- attributes ---

CREATE FUNCTION dunning._scalar_attributes(attributes jsonb, without text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF jsonb_typeof(attributes) IS DISTINCT FROM 'object' THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(attributes) e
            WHERE jsonb_typeof(e.value) IN ('number', 'boolean', 'string') AND e.key <> ALL (without));
END
$fn$;
COMMENT ON FUNCTION dunning._scalar_attributes(jsonb, text[]) IS 'The numbers, booleans and texts of an object, without those named; NULL where there is none.';
GRANT EXECUTE ON FUNCTION dunning._scalar_attributes(jsonb, text[]) TO dunning_worker;

CREATE FUNCTION dunning._attribute(attributes jsonb, name text, type text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    -- 1e400 is a number of jsonb and none of float8
    RETURN CASE WHEN jsonb_typeof(attributes -> name) IS DISTINCT FROM CASE type WHEN 'text' THEN 'string' ELSE type END THEN NULL
                WHEN type = 'number' AND abs((attributes ->> name)::numeric) NOT BETWEEN 1e-300 AND 1e300 AND (attributes ->> name)::numeric <> 0 THEN NULL
                ELSE attributes ->> name END;
END
$fn$;
COMMENT ON FUNCTION dunning._attribute(jsonb, text, text) IS 'An attribute as text where it is of that type (number, boolean, text), else NULL.';

-- What stands for the debtor d in the features; addresses that a channel writes to are nobody's feature.
CREATE FUNCTION dunning._debtor_columns_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    without text[] := ARRAY(SELECT c.address_field FROM dunning.channel c UNION SELECT f.feature FROM dunning._features_in_force() f WHERE f.excluded ORDER BY 1);
BEGIN
    RETURN format($q$d.country, d.region, coalesce(d.email <> '', false) AS has_email, coalesce(d.phone <> '', false) AS has_phone, d.address IS NOT NULL AS has_post,
        CASE WHEN d.attributes IS NOT NULL THEN dunning._scalar_attributes(d.attributes, %L) END AS attributes,$q$, without);
END
$fn$;
COMMENT ON FUNCTION dunning._debtor_columns_sql() IS 'SQL text: columns of the debtor d that stand among the features.';

CREATE FUNCTION dunning.attribute_features(as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (attribute text, type text, debtors bigint, "values" bigint, joined boolean, why text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(attribute_features.as_of);
    RETURN QUERY EXECUTE format($q$
        SELECT e.key, t.t, count(*), count(DISTINCT e.value),
            coalesce(NOT f.excluded AND f.expression IS NULL AND NOT f.builtin AND f.targets <> '{}' AND f.type = t.t AND NOT w.w, false),
            CASE WHEN w.w THEN 'an address' WHEN f.builtin THEN 'a feature of that name is built in' WHEN f.excluded THEN 'excluded' WHEN f.type <> t.t THEN 'the feature is ' || f.type
                 WHEN f.targets = '{}' THEN format('SELECT dunning.include_feature(%%L);', e.key)
                 WHEN f.feature IS NULL THEN format('SELECT dunning.save_feature(%%L, ''what it means'', %%L);', e.key, t.t) END
        FROM (%s) d, LATERAL jsonb_each(CASE WHEN jsonb_typeof(d.attributes) = 'object' THEN d.attributes END) e
        LEFT JOIN dunning._features_in_force() f ON f.feature = e.key
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM dunning.channel c WHERE c.address_field = e.key) AS w) w
        CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(e.value) WHEN 'string' THEN 'text' ELSE jsonb_typeof(e.value) END AS t) t
        WHERE t.t IN ('number', 'boolean', 'text')
        GROUP BY e.key, t.t, f.feature, f.excluded, f.expression, f.builtin, f.targets, f.type, w.w ORDER BY 1, 2$q$,
        dunning._ledger_sql('debtor', NULL, '$1')) USING attribute_features.as_of;
END
$fn$;
COMMENT ON FUNCTION dunning.attribute_features(timestamptz) IS
'Attributes of the bound debtors that could be features: type, debtors that have one, different values, whether models read it by its name, and why not: the call that lets them. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.attribute_features(timestamptz) TO dunning_operator;

-- --- changing it ---

-- The expression is planned and typed against no row, without rights beyond dunning_owner's; the type that it has.
CREATE FUNCTION dunning._try_feature(expression text, relation text) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    found_type text;
    line text;
    -- OFFSET keeps the planner from computing it at once, and so from forgetting half of it
    source text := format('FROM (SELECT (r.r).* FROM (SELECT NULL::dunning.%I AS r OFFSET 0) r) one', relation);
BEGIN
    PERFORM dunning._restrict();
    EXECUTE format('SELECT pg_typeof((%s)) %s', expression, source) INTO found_type;
    -- A table that it reads would be that of now, whatever the instant of the features; rows and sums are of more than one debtor.
    FOR line IN EXECUTE format('EXPLAIN (COSTS off) SELECT (%s) %s', expression, source) LOOP
        IF line ~ '^ *(-> *)?(InitPlan|SubPlan|ProjectSet|Aggregate|WindowAgg)' THEN
            RAISE EXCEPTION 'it reads more than one row' USING ERRCODE = '0A000';
        END IF;
    END LOOP;
    RETURN CASE WHEN found_type IN ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision') THEN 'number' WHEN found_type = 'boolean' THEN 'boolean'
                WHEN found_type IN ('text', 'character varying', 'character') THEN 'text' ELSE found_type END;
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'the expression cannot be run: %', SQLERRM USING ERRCODE = SQLSTATE,
        DETAIL = 'It is computed for one debtor or invoice at a time, from the columns of its features: no subquery, no aggregate, no set.',
        HINT = 'For example: amount_open / nullif((attributes ->> ''income'')::float8, 0)';
END
$fn$;
COMMENT ON FUNCTION dunning._try_feature(text, text) IS 'number, boolean, text or the type of an expression over debtor_features or invoice_features, or its error.';

CREATE FUNCTION dunning._keep_feature(new_row dunning.feature) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    replaced jsonb := (SELECT to_jsonb(f) - 'before' FROM dunning.feature f WHERE f.feature = new_row.feature ORDER BY f.builtin LIMIT 1);
BEGIN
    DELETE FROM dunning.feature f WHERE f.feature = new_row.feature AND NOT f.builtin;
    new_row.builtin := false;
    new_row.saved_by := session_user;
    new_row.saved_at := dunning._now();
    new_row.before := replaced;
    INSERT INTO dunning.feature SELECT (new_row).*;
    RETURN CASE WHEN replaced IS NULL THEN 'new' WHEN (replaced ->> 'builtin')::boolean THEN 'goes before the built-in one' ELSE 'changed' END;
END
$fn$;
COMMENT ON FUNCTION dunning._keep_feature(dunning.feature) IS 'Writes a user''s row, with who, when and what stood there before: new, changed, or before the built-in one.';

CREATE FUNCTION dunning.save_feature(feature text, meaning text, type text DEFAULT 'number', unit text DEFAULT '', monotone int DEFAULT 0,
    sensitive boolean DEFAULT false, expression text DEFAULT NULL, of text DEFAULT 'both') RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    result dunning.feature;
    relation text;
    is_type text;
    columns text[];
BEGIN
    IF coalesce(save_feature.feature !~ '^[A-Za-z_][A-Za-z0-9_]{0,62}$', true) OR coalesce(btrim(save_feature.meaning), '') = '' OR save_feature.unit IS NULL OR save_feature.sensitive IS NULL THEN
        RAISE EXCEPTION 'a feature has a name and a meaning' USING ERRCODE = '22023', DETAIL = 'The name is letters, digits and "_".',
            HINT = 'SELECT dunning.save_feature(''income'', ''monthly income as last told'', unit => ''EUR'', monotone => -1);';
    END IF;
    IF save_feature.type NOT IN ('number', 'boolean', 'text') IS NOT FALSE OR save_feature.of NOT IN ('debtor', 'invoice', 'both') IS NOT FALSE OR save_feature.monotone NOT IN (-1, 0, 1) IS NOT FALSE THEN
        RAISE EXCEPTION 'type is number, boolean or text, of is debtor, invoice or both, monotone is -1, 0 or 1' USING ERRCODE = '22023',
            DETAIL = format('Given: type %s, of %s, monotone %s.', coalesce(save_feature.type, 'NULL'), coalesce(save_feature.of, 'NULL'), coalesce(save_feature.monotone::text, 'NULL')),
            HINT = 'monotone is 1 where more means likelier paid late: SELECT feature, monotone, meaning FROM dunning.feature_catalogue;';
    END IF;
    IF EXISTS (SELECT FROM dunning.feature f WHERE f.feature = save_feature.feature AND f.builtin)
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attname = save_feature.feature AND a.attnum > 0
                  AND a.attrelid IN ('dunning.debtor_features'::regclass, 'dunning.invoice_features'::regclass)) THEN
        RAISE EXCEPTION 'feature "%" is built in', save_feature.feature USING ERRCODE = '22023',
            HINT = format('Take another name, or leave it out of the models: SELECT dunning.exclude_feature(%L);', save_feature.feature);
    END IF;
    IF save_feature.expression IS NOT NULL THEN
        BEGIN
            columns := dunning._predicate_columns(save_feature.expression);
        EXCEPTION WHEN syntax_error THEN
            RAISE EXCEPTION 'the expression is not one SQL expression: %', SQLERRM
                USING ERRCODE = '42601', HINT = 'For example: amount_open / nullif((attributes ->> ''income'')::float8, 0)';
        END;
        IF columns && '{settled_on,days_late,one,*}' THEN
            RAISE EXCEPTION 'the expression of feature "%" reads the outcome', save_feature.feature USING ERRCODE = '22023',
                DETAIL = 'settled_on and days_late, and the row as a whole with them, are what became of the invoice: a model that is told has nothing to learn.',
                HINT = 'What earlier invoices tell are last_late, avg_gap and late_ratio: SELECT feature, meaning FROM dunning.feature_catalogue;';
        END IF;
        FOREACH relation IN ARRAY CASE save_feature.of WHEN 'both' THEN '{debtor_features,invoice_features}' ELSE ARRAY[save_feature.of || '_features'] END::text[] LOOP
            is_type := dunning._try_feature(save_feature.expression, relation);
            IF is_type <> save_feature.type THEN
                RAISE EXCEPTION 'the expression of feature "%" is %, not %', save_feature.feature, is_type, save_feature.type
                    USING ERRCODE = '42804', HINT = 'Give its type, or cast it: (expression)::float8.';
            END IF;
        END LOOP;
    END IF;
    result := ROW(save_feature.feature, false, save_feature.of, save_feature.type, save_feature.unit, save_feature.monotone, save_feature.sensitive,
        CASE WHEN save_feature.sensitive THEN '{}' WHEN save_feature.of = 'debtor' THEN '{paid_30d}' WHEN save_feature.of = 'invoice' THEN '{late,self_cure}' ELSE '{late,self_cure,paid_30d}' END::text[],
        save_feature.meaning, save_feature.expression, false, NULL, NULL, NULL, NULL)::dunning.feature;
    RETURN dunning._keep_feature(result);
END
$fn$;
COMMENT ON FUNCTION dunning.save_feature(text, text, text, text, int, boolean, text, text) IS
'Whether the feature is new or changed. Without an expression it is the attribute of the bound debtors of that name; with one, SQL over the columns of features() and invoice_features(). train() reads it from then on, a sensitive one only after include_feature(). monotone: 1 the more the likelier paid late. 22023 where the name is built in or the expression reads settled_on or days_late, 42804 where it is of another type; it is computed a row, without subqueries. Role dunning_admin.';

CREATE FUNCTION dunning._known_feature(feature text) RETURNS dunning.feature
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    result dunning.feature;
BEGIN
    SELECT f.* INTO result FROM dunning._features_in_force() f WHERE f.feature = _known_feature.feature;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no feature "%"', coalesce(_known_feature.feature, 'NULL') USING ERRCODE = '22023',
            HINT = 'SELECT feature, meaning FROM dunning.feature_catalogue;';
    END IF;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning._known_feature(text) IS 'The row in force of a feature; 22023 where there is none.';

CREATE FUNCTION dunning.exclude_feature(feature text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    result dunning.feature;
BEGIN
    -- An attribute that nobody named may be kept out as well.
    SELECT f.* INTO result FROM dunning._features_in_force() f WHERE f.feature = exclude_feature.feature;
    IF NOT FOUND AND EXISTS (SELECT FROM dunning.attribute_features() a WHERE a.attribute = exclude_feature.feature) THEN
        result := ROW(exclude_feature.feature, false, 'both', 'text', '', 0, false, '{}'::text[], 'excluded', NULL, true, NULL, NULL, NULL, NULL)::dunning.feature;
    ELSE
        result := dunning._known_feature(exclude_feature.feature);
    END IF;
    result.excluded := true;
    RETURN dunning._keep_feature(result);
END
$fn$;
COMMENT ON FUNCTION dunning.exclude_feature(text) IS
'Whether the row is new or changed. From now on train() leaves the feature out, and an attribute does not stand in features() any more; models that were trained with it keep it until they are trained again. 22023 where there is none of that name. Role dunning_admin.';

CREATE FUNCTION dunning.include_feature(feature text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    result dunning.feature := dunning._known_feature(include_feature.feature);
BEGIN
    result.excluded := false;
    result.targets := CASE result.of WHEN 'debtor' THEN '{paid_30d}' WHEN 'invoice' THEN '{late,self_cure}' ELSE '{late,self_cure,paid_30d}' END;
    RETURN dunning._keep_feature(result);
END
$fn$;
COMMENT ON FUNCTION dunning.include_feature(text) IS
'Whether the row is new or changed. train() reads the feature from now on for every target that it fits, also one that it does not read by default or that is sensitive. 22023 where there is none of that name. Role dunning_admin.';

CREATE FUNCTION dunning.reset_feature(feature text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    DELETE FROM dunning.feature f WHERE f.feature = reset_feature.feature AND NOT f.builtin;
    RETURN FOUND;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_feature(text) IS 'Whether a user''s row was deleted; a built-in feature of its name is as it was shipped. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_feature(text, text, text, text, int, boolean, text, text), dunning.exclude_feature(text), dunning.include_feature(text),
    dunning.reset_feature(text) TO dunning_admin;

-- --- for those who train and score ---

CREATE FUNCTION dunning._features_of(target text) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY(
        SELECT f.feature FROM dunning._features_in_force() f LEFT JOIN dunning.feature b ON b.feature = f.feature AND b.builtin
        WHERE _features_of.target = ANY (f.targets) AND NOT f.excluded
        ORDER BY b.position NULLS LAST, f.feature);
END
$fn$;
COMMENT ON FUNCTION dunning._features_of(text) IS 'The features that the model of a target of train() reads.';

CREATE FUNCTION dunning._feature_sql(feature text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    it dunning.feature;
BEGIN
    SELECT f.* INTO it FROM dunning._features_in_force() f WHERE f.feature = _feature_sql.feature;
    RETURN CASE WHEN it.expression IS NOT NULL THEN format('(SELECT (%s) FROM (SELECT f.*) one)', it.expression)
                WHEN NOT FOUND OR EXISTS (SELECT FROM dunning.feature b WHERE b.feature = it.feature AND b.builtin) THEN format('f.%I', _feature_sql.feature)
                ELSE format('dunning._attribute(f.attributes, %L, %L)', it.feature, it.type) || CASE it.type WHEN 'number' THEN '::float8' WHEN 'boolean' THEN '::boolean' ELSE '' END END;
END
$fn$;
COMMENT ON FUNCTION dunning._feature_sql(text) IS 'SQL text of a feature over a row f of debtor_features or invoice_features: the column, the attribute or the expression of that name.';

-- Planned well, an expression may still fail on the row of one debtor, and with it all that is trained or scored.
CREATE FUNCTION dunning._blame_feature(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    it record;
BEGIN
    FOR it IN SELECT f.feature, f.expression, r.relation FROM dunning._features_in_force() f
              JOIN (VALUES ('debtor', 'features'), ('invoice', 'invoice_features')) r (of, relation) ON f.of IN (r.of, 'both')
              WHERE f.expression IS NOT NULL ORDER BY f.feature, r.relation LOOP
        BEGIN
            EXECUTE format('SELECT count(%s) FROM dunning.%I($1) f', dunning._feature_sql(it.feature), it.relation) USING as_of;
        EXCEPTION WHEN data_exception OR raise_exception THEN
            RAISE EXCEPTION 'feature "%" cannot be computed: %', it.feature, SQLERRM USING ERRCODE = SQLSTATE,
                DETAIL = format('Its expression is %s; it fails on a row of dunning.%s().', it.expression, it.relation),
                HINT = format('Save it anew with a guard, as in amount_open / nullif(n_paid, 0), or take it out: SELECT dunning.reset_feature(%L);', it.feature);
        END;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._blame_feature(timestamptz) IS 'Nothing, or the error of the first of the users'' expressions that fails on some row at that instant, with its name.';

-- The catalogue says what makes an invoice likelier late. To be paid soon is the opposite, but for counts of invoices: who has many of them pays often.
CREATE FUNCTION dunning._monotone_of(target text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce((
        SELECT jsonb_object_agg(f.feature, CASE _monotone_of.target WHEN 'late' THEN f.monotone ELSE -f.monotone END ORDER BY f.feature)
        FROM dunning._features_in_force() f
        WHERE f.feature = ANY (dunning._features_of(_monotone_of.target)) AND f.monotone <> 0 AND f.type <> 'text'
          AND (_monotone_of.target = 'late' OR f.unit NOT IN ('invoices', 'items'))), '{}');
END
$fn$;
COMMENT ON FUNCTION dunning._monotone_of(text) IS 'The directions in which features of a target of train() may act: fit()''s option monotone.';
