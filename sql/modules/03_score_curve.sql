-- score: when invoices are paid. A discrete-time hazard by features, and Kaplan-Meier by group; what is open is censored, never labelled.
--
-- Days are counted from the due date in the ledger's time zone: day 0 is "by the due date", whatever was paid before it. A day is looked
-- at when it is over, so an invoice is observed up to the day before as_of, and at most to day 360. Paid means settled in full: part
-- payments leave an invoice open. An invoice whose last open part a credit note closed, on a day without a payment of that debtor
-- and currency, leaves observation the day before, unpaid. Cancelled invoices, credit notes, fees and interest are no units.

CREATE FUNCTION dunning._curve_units_sql(by_sql text, at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    today text := format('(timestamptz %L AT TIME ZONE (SELECT dunning._ledger_zone()))::date', at);
BEGIN
    RETURN format($q$SELECT x.* FROM (
        SELECT %1$s, f.debtor_id AS debtor,
            CASE WHEN f.settled_on IS NOT NULL AND c.day IS NULL THEN greatest(0, f.settled_on - f.due_on) END AS day,
            least(360, %2$s - 1 - f.due_on, CASE WHEN c.day IS NOT NULL THEN f.settled_on - f.due_on - 1 END) AS observed, %2$s - 1 - f.due_on AS age
        FROM dunning.invoice_features(%3$L) f LEFT JOIN dunning.score_result s ON s.debtor_id = f.debtor_id
        -- days of credit notes on which nothing was paid
        LEFT JOIN dunning._credited(%3$L) c
            ON c.debtor_id = f.debtor_id AND c.currency = f.currency AND c.day = f.settled_on) x
        WHERE x.observed >= 0$q$, by_sql, today, at);
END
$fn$;
COMMENT ON FUNCTION dunning._curve_units_sql(text, timestamptz) IS
'SQL text: one row an invoice that fell due before as_of: columns over the row f of invoice_features (s: its debtor''s score), debtor, day past due on which it was paid (NULL: not), the last day past due on which it would have been seen to be paid, and yesterday''s.';

-- The buckets of src/score/curve.c. Days after 90 are one bucket in slices of 30 days, of equal hazard.
CREATE FUNCTION dunning._curve_slices() RETURNS TABLE (first int, last int)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    VALUES (0, 0), (1, 3), (4, 7), (8, 14), (15, 30), (31, 60), (61, 90), (91, 120), (121, 150), (151, 180), (181, 210), (211, 240), (241, 270), (271, 300), (301, 330), (331, 360)
$fn$;
COMMENT ON FUNCTION dunning._curve_slices() IS 'First and last day past due of the slices in which a payment curve is trained.';

-- A slice counts for an invoice where all of it lies in the time observed, paid or not: among invoices whose slice is not over yet only
-- the prompt could have been paid in it.
CREATE FUNCTION dunning._hazard_sql(at timestamptz, names text[], within int DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format(E'SELECT %s, %s, %s, u.debtor, coalesce(u.day <= b.last, false) AS paid%s FROM (%s) u JOIN dunning._curve_slices() b ON b.last <= u.observed AND coalesce(u.day >= b.first, true)%s',
        (SELECT string_agg(format('u.%I', c), ', ') FROM unnest(names) c),
        (SELECT string_agg(format('b.first > %1$s AS over_%1$s', l), ', ' ORDER BY l) FROM unnest(ARRAY[0, 3, 7, 14, 30, 60, 90]) l),
        (SELECT string_agg(format('CASE WHEN b.first = 0 THEN u.%1$I END AS %2$I, CASE WHEN b.first BETWEEN 1 AND 7 THEN u.%1$I END AS %3$I', c, c || ' at due', c || ' in week 1'), ', ') FROM unnest(names) c),
        CASE WHEN within IS NOT NULL THEN ', u.age - b.last AS ago' END,
        dunning._curve_units_sql((SELECT string_agg(dunning._feature_sql(c) || ' AS ' || quote_ident(c), ', ') FROM unnest(names) c), at),
        CASE WHEN within IS NOT NULL THEN format(' AND u.age - b.last < %s', within) END);
END
$fn$;
COMMENT ON FUNCTION dunning._hazard_sql(timestamptz, text[], int) IS
'Training query of a payment curve over some features of an invoice, or of the slices that ended within so many days: one row an invoice and slice in which it was still open, with the features known at issue, how far past due the slice lies, each feature once more for the due date and for days 1 to 7 alone, and whether it was paid in the slice; with `within` also the days ago that the slice ended.';

-- --- Kaplan-Meier ---

CREATE FUNCTION dunning._curve_group_sql(by_column text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF by_column IS NULL THEN
        RETURN '''all''::text';
    ELSIF by_column = 'segment' THEN
        RETURN 'coalesce(s.segment, ''not scored'')';
    ELSIF by_column IN ('creditor', 'currency', 'kind') THEN
        RETURN format('coalesce((f.%I)::text, ''unknown'')', by_column);
    ELSIF NOT EXISTS (SELECT FROM dunning._features_in_force() k WHERE k.feature = by_column AND k.of <> 'debtor') THEN
        RAISE EXCEPTION 'curves cannot be told apart by "%"', by_column
            USING ERRCODE = '22023', DETAIL = 'It is neither segment, creditor, currency, kind nor a feature of an invoice.',
                  HINT = 'SELECT feature, meaning FROM dunning.feature_catalogue WHERE "of" <> ''debtor'';';
    END IF;
    RETURN format('coalesce((%s)::text, ''unknown'')', dunning._feature_sql(by_column));
END
$fn$;
COMMENT ON FUNCTION dunning._curve_group_sql(text) IS 'SQL text of the group that an invoice f belongs to; 22023 for what is no column to group by.';

CREATE FUNCTION dunning.kaplan_meier(by_column text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (segment text, day int, at_risk bigint, paid bigint, censored bigint, p_paid float8, std_error float8, low float8, high float8)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(kaplan_meier.as_of, dunning._now());
    of_group text;
    r record;
    open_after float8;
    variance float8;        -- Greenwood's sum, of log(open_after)
    spread float8;
BEGIN
    PERFORM dunning._check_as_of(at);
    of_group := dunning._curve_group_sql(by_column);
    PERFORM dunning._restrict();
    FOR r IN EXECUTE format($q$
        WITH unit AS (SELECT u.by_group, least(coalesce(u.day, u.observed), u.observed) AS until, coalesce(u.day <= u.observed, false) AS paid FROM (%s) u),
        event AS (SELECT u.by_group, u.until, count(*) FILTER (WHERE u.paid) AS paid, count(*) FILTER (WHERE NOT u.paid) AS lost, count(*) AS n FROM unit u GROUP BY 1, 2
                  UNION ALL SELECT DISTINCT u.by_group, 0, 0, 0, 0 FROM unit u),
        each_day AS (SELECT e.by_group, e.until, sum(e.paid)::bigint AS paid, sum(e.lost)::bigint AS lost, sum(sum(e.n)) OVER (PARTITION BY e.by_group ORDER BY e.until DESC)::bigint AS at_risk
                     FROM event e GROUP BY 1, 2),
        step AS (SELECT d.*, sum((d.paid > 0 OR d.until = 0)::int) OVER (PARTITION BY d.by_group ORDER BY d.until) AS step FROM each_day d)
        SELECT t.by_group, min(t.until) AS day, max(t.at_risk) AS at_risk, sum(t.paid)::bigint AS paid, sum(t.lost)::bigint AS lost,
            (dense_rank() OVER (ORDER BY t.by_group)) AS groups
        FROM step t GROUP BY t.by_group, t.step ORDER BY t.by_group, 2$q$,
        dunning._curve_units_sql(of_group || ' COLLATE "C" AS by_group', at))
    LOOP
        IF r.groups > 50 THEN
            RAISE EXCEPTION '"%" has too many values for curves of their own', by_column
                USING ERRCODE = '22023', DETAIL = 'There are more than 50.', HINT = 'SELECT * FROM dunning.kaplan_meier(''segment'');';
        END IF;
        IF segment IS DISTINCT FROM r.by_group THEN
            open_after := 1;
            variance := 0;
        END IF;
        segment := r.by_group;
        day := r.day;
        at_risk := r.at_risk;
        paid := r.paid;
        censored := r.lost;
        open_after := open_after * (1 - r.paid::float8 / r.at_risk);
        variance := CASE WHEN r.paid < r.at_risk THEN variance + r.paid::float8 / (r.at_risk::float8 * (r.at_risk - r.paid)) END;
        p_paid := 1 - open_after;
        std_error := open_after * sqrt(variance);
        spread := CASE WHEN open_after > 0 AND open_after < 1 THEN exp(1.959963984540054 * sqrt(variance) / -ln(open_after)) END;
        low := 1 - open_after ^ (1 / spread);
        high := 1 - open_after ^ spread;
        RETURN NEXT;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning.kaplan_meier(text, timestamptz) IS
'When invoices were paid: one row a group and day past due on which any was (and day 0): invoices still open and observed on it, paid on it, censored from it until the next row, share paid by then, its standard error (Greenwood 1926) and 95 % limits on the scale of log(-log) (Kalbfleisch and Prentice 2002; NULL where nobody or everybody has paid). '
'by_column: NULL for the whole book, segment (as score() last left it: it knows what was paid since, so it describes and does not foretell), creditor, currency, kind, or a feature of the invoice at issue, of at most 50 values (22023). '
'Open invoices are censored on the day before as_of (NULL: now), or on day 360; part payments leave an invoice open; one that a credit note closed is censored; cancelled ones are left out. Kaplan and Meier 1958. Needs dunning_operator.';

-- --- versions ---

-- A table of curves is a version like any other: immutable, with the digest of its body.
CREATE FUNCTION dunning._store_kaplan_meier(by_column text, at timestamptz) RETURNS dunning.model_metrics
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    began timestamptz := clock_timestamp();
    name text := 'kaplan_meier' || coalesce('_' || by_column, '');
    curves jsonb;
    said jsonb;
    next_version int;
    result dunning.model_metrics;
BEGIN
    IF octet_length(name) > 63 THEN
        RAISE EXCEPTION 'the name of "%" is too long for that of a model', by_column USING ERRCODE = '22023', HINT = 'Save a feature of a shorter name.';
    END IF;
    SELECT jsonb_agg(c.curve ORDER BY c.segment), jsonb_build_object('n', sum(c.n), 'paid', sum(c.paid), 'curves', count(*)) INTO curves, said
    FROM (SELECT k.segment, max(k.at_risk) AS n, sum(k.paid) AS paid,
              jsonb_build_object('segment', k.segment, 'day', jsonb_agg(k.day ORDER BY k.day), 'at_risk', jsonb_agg(k.at_risk ORDER BY k.day), 'paid', jsonb_agg(k.paid ORDER BY k.day),
                  'censored', jsonb_agg(k.censored ORDER BY k.day), 'p_paid', jsonb_agg(k.p_paid ORDER BY k.day), 'std_error', jsonb_agg(k.std_error ORDER BY k.day),
                  'low', jsonb_agg(k.low ORDER BY k.day), 'high', jsonb_agg(k.high ORDER BY k.day)) AS curve
          FROM dunning.kaplan_meier(by_column, at) k GROUP BY k.segment) c;
    IF curves IS NULL THEN
        RAISE EXCEPTION 'no invoice has fallen due yet' USING ERRCODE = 'DN004', DETAIL = format('Looked at as of %s.', at), HINT = 'Curves are drawn from invoices whose due date is over.';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('dunning.model ' || name, 0));
    SELECT coalesce(max(m.version), 0) + 1 INTO next_version FROM dunning.model m WHERE m.model = name;
    INSERT INTO dunning.model (model, version, kind, state, target, query, label, seed, body, metrics, feature_stats, digest, n, as_of, trained_at, trained_by)
    SELECT name, next_version, 'kaplan_meier', CASE WHEN EXISTS (SELECT FROM dunning.model m WHERE m.model = name AND m.state = 'champion') THEN 'challenger' ELSE 'champion' END,
        'payment_curve', format('SELECT * FROM dunning.kaplan_meier(%L, %L)', by_column, at), 'paid', 1, b.body, said, '[]', encode(sha256(convert_to(b.body::text, 'UTF8')), 'hex'),
        (said ->> 'n')::bigint, at, dunning._now(), session_user
    FROM (SELECT jsonb_build_object('format', 2, 'kind', 'kaplan_meier', 'by', by_column, 'curves', curves) AS body) b;
    result := ROW(name, next_version, 'kaplan_meier', (said ->> 'n')::bigint, NULL, NULL, NULL, NULL, NULL, extract(epoch FROM clock_timestamp() - began));
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning._store_kaplan_meier(text, timestamptz) IS 'A new version of the curves of a column, with its metrics: only n and seconds.';

CREATE FUNCTION dunning.train_curve(kind text DEFAULT 'logistic', as_of timestamptz DEFAULT NULL, by_column text DEFAULT NULL) RETURNS dunning.model_metrics
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(train_curve.as_of, dunning._now());
    result dunning.model_metrics;
    why text;
    detail text;
BEGIN
    PERFORM dunning._check_as_of(at);
    IF at > greatest(dunning._now(), now()) THEN
        RAISE EXCEPTION 'as_of must be an instant that is over' USING ERRCODE = '22023', HINT = 'Leave as_of out to train on all that is known.';
    ELSIF by_column IS NOT NULL AND train_curve.kind <> 'kaplan_meier' THEN
        RAISE EXCEPTION 'only kind kaplan_meier has groups' USING ERRCODE = '22023', DETAIL = format('Kind %s reads the features of an invoice instead.', train_curve.kind),
            HINT = format('SELECT * FROM dunning.train_curve(''kaplan_meier'', by_column => %L);', by_column);
    END IF;
    PERFORM dunning._restrict();
    IF train_curve.kind = 'kaplan_meier' THEN
        RETURN dunning._store_kaplan_meier(by_column, at);
    END IF;
    -- A logistic's hazards come true as they are; their calibration is left to the kinds that need it.
    BEGIN
        result := dunning._fit('payment_curve', dunning._hazard_sql(at, dunning._features_of('late')), 'paid', train_curve.kind,
            CASE train_curve.kind WHEN 'logistic' THEN '{"group": "debtor", "calibration": "none"}'::jsonb ELSE '{"group": "debtor"}' END, 'payment_curve', at);
    EXCEPTION WHEN SQLSTATE 'DN004' THEN
        GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION '%', why USING ERRCODE = 'DN004', DETAIL = detail || ' A row is an invoice and a slice of days past due; the label is whether it was paid in it.',
            HINT = 'Until more invoices are paid and more are not, expected_recovery() asks the curve of the whole book: SELECT * FROM dunning.kaplan_meier();';
    END;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning.train_curve(text, timestamptz, text) IS
'A new version of the payment curve over the ledger as of an instant (NULL: now). Kind logistic, scorecard, gbdt or auto: model payment_curve, a discrete-time hazard (Cox 1972, Singer and Willett 1993), that is a model of whether an invoice still open when a bucket of days past due begins (0, 1-3, 4-7, 8-14, 15-30, 31-60, 61-90, then 30 days each) is paid in it; its metrics are of invoices times buckets, cross-validated, a debtor''s in one fold. '
'Kind kaplan_meier: model kaplan_meier, or kaplan_meier_<by_column>, the tables of kaplan_meier(). Versions, promote() and rollback() as for other models. DN004 with fewer than 50 payments. Needs dunning_operator.';

CREATE FUNCTION dunning.curve_table(model text DEFAULT 'kaplan_meier')
    RETURNS TABLE (segment text, day int, at_risk bigint, paid bigint, censored bigint, p_paid float8, std_error float8, low float8, high float8)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    found_body jsonb;
    found_kind text;
    sound boolean;
BEGIN
    SELECT m.body, m.kind, m.digest = encode(sha256(convert_to(m.body::text, 'UTF8')), 'hex') INTO found_body, found_kind, sound
    FROM dunning.model m WHERE m.model = curve_table.model AND m.state <> 'retired' ORDER BY m.state = 'champion' DESC, m.version DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" does not exist', curve_table.model USING ERRCODE = '42704', HINT = 'SELECT * FROM dunning.train_curve(''kaplan_meier'');';
    ELSIF found_kind <> 'kaplan_meier' THEN
        RAISE EXCEPTION 'model "%" is no table of curves', curve_table.model
            USING ERRCODE = 'DN004', DETAIL = format('It is of the kind "%s".', found_kind), HINT = format('SELECT dunning.p_paid_by(%L, f, 30) FROM dunning.invoice_features() f;', curve_table.model);
    ELSIF NOT sound THEN
        RAISE EXCEPTION 'model "%" was changed after it was stored', curve_table.model USING ERRCODE = 'DN004', DETAIL = 'The digest of its body is not the one it was stored with.', HINT = 'Train it again, or promote another version.';
    END IF;
    RETURN QUERY
    SELECT c ->> 'segment', (d.d #>> '{}')::int, (c -> 'at_risk' ->> i)::bigint, (c -> 'paid' ->> i)::bigint, (c -> 'censored' ->> i)::bigint,
        (c -> 'p_paid' ->> i)::float8, (c -> 'std_error' ->> i)::float8, (c -> 'low' ->> i)::float8, (c -> 'high' ->> i)::float8
    FROM jsonb_array_elements(found_body -> 'curves') WITH ORDINALITY AS o (c, nth)
    CROSS JOIN LATERAL jsonb_array_elements(c -> 'day') WITH ORDINALITY AS d (d, ord) CROSS JOIN LATERAL (SELECT d.ord::int - 1 AS i) i
    ORDER BY o.nth, d.ord;
END
$fn$;
COMMENT ON FUNCTION dunning.curve_table(text) IS 'The rows of kaplan_meier() as the champion (else the newest version) of a model of kind kaplan_meier has them. 42704 unknown model, DN004 one of another kind or changed since. Needs dunning_viewer.';

-- --- what it is asked for ---

CREATE FUNCTION dunning.p_paid_by(model text, input record, day int, since int DEFAULT NULL) RETURNS float8
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_score_sql_p_paid_by';
COMMENT ON FUNCTION dunning.p_paid_by(text, record, int, int) IS
'Probability in (0,1) that an invoice is paid by a day past due (0: by its due date; days after 360 bring nothing more), given that it was still open after day since (NULL: nothing is known), by a model of train_curve(). Never falls as day grows. input: a row with the invoice''s features, such as one of invoice_features(); NULL where an argument but since is. '
'1 - product of (1 - hazard) over the days, the hazard of a bucket spread evenly over its days. 22023 for a day before 0 or not after since, DN004 for a model that is no payment curve, 42703 lists missing fields. Needs dunning_viewer.';

-- A feature that was excluded since, or is a user's own, is read as long as the version in use does.
CREATE FUNCTION dunning._curve_names(feature_stats jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT array_agg(DISTINCT regexp_replace(s ->> 'name', ' (at due|in week 1)$', '')) FROM jsonb_array_elements(_curve_names.feature_stats) s WHERE s ->> 'name' !~ '^over_[0-9]+$');
END
$fn$;
COMMENT ON FUNCTION dunning._curve_names(jsonb) IS 'The features of an invoice that a payment curve reads.';

CREATE FUNCTION dunning._curve_record_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT string_agg(dunning._feature_sql(c.name) || ' AS ' || quote_ident(c.name), ', ')
            FROM (SELECT m.feature_stats FROM dunning.model m WHERE m.model = 'payment_curve' AND m.state <> 'retired' ORDER BY m.state = 'champion' DESC, m.version DESC LIMIT 1) m,
                 unnest(dunning._curve_names(m.feature_stats)) AS c (name));
END
$fn$;
COMMENT ON FUNCTION dunning._curve_record_sql() IS 'SELECT list over an invoice f: what the payment curve in use reads of it.';

CREATE FUNCTION dunning.expected_recovery(days int DEFAULT 30, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, currency text, due_on date, days_past_due int, open numeric, p float8, expected numeric, basis text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(expected_recovery.as_of, dunning._now());
    used int := (SELECT m.version FROM dunning.model m WHERE m.model = 'payment_curve' AND m.state <> 'retired' ORDER BY m.state = 'champion' DESC, m.version DESC LIMIT 1);
    curve float8[];
BEGIN
    PERFORM dunning._check_as_of(at);
    IF expected_recovery.days IS NULL OR expected_recovery.days NOT BETWEEN 1 AND 360 THEN
        RAISE EXCEPTION 'days must be 1 to 360' USING ERRCODE = '22023', DETAIL = format('Given: %s.', coalesce(expected_recovery.days::text, 'NULL')), HINT = 'SELECT * FROM dunning.expected_recovery(30);';
    END IF;
    PERFORM dunning._check_readable('{payment_curve}');
    PERFORM dunning._restrict();
    IF used IS NULL THEN
        -- share still open after day -1, 0, 1 ... 360
        WITH known AS MATERIALIZED (SELECT k.day, k.p_paid FROM dunning.kaplan_meier(NULL, at) k)
        SELECT array_agg(coalesce((SELECT 1 - k.p_paid FROM known k WHERE k.day <= d.d ORDER BY k.day DESC LIMIT 1), 1) ORDER BY d.d) INTO curve
        FROM generate_series(-1, 360) AS d (d);
    END IF;
    -- Today is not over: what was open yesterday evening may be paid from today on.
    RETURN QUERY EXECUTE format($q$
        SELECT o.debtor_id::text, o.invoice_id::text, o.currency::text, o.due_on, greatest(o.today - o.due_on, 0), o.open, p.p,
            round(o.open * p.p::numeric, 2), %3$L::text
        FROM (SELECT i.*, z.today, z.today - 1 - i.due_on AS since, z.today - 1 - i.due_on + $1 AS until
              FROM (%1$s) i, (SELECT ($2 AT TIME ZONE dunning._ledger_zone())::date AS today) z) o
        JOIN dunning.invoice_features($2) f ON f.debtor_id = o.debtor_id AND f.invoice_id = o.invoice_id AND f.currency = o.currency
        CROSS JOIN LATERAL (SELECT CASE WHEN o.until >= 0 THEN %2$s END AS p) p
        ORDER BY 1, o.due_on, 2$q$,
        dunning._open_items_sql(NULL, CASE WHEN expected_recovery.as_of IS NOT NULL THEN '$2' END),
        CASE WHEN used IS NOT NULL THEN '(SELECT dunning.p_paid_by(''payment_curve'', n, o.until, o.since) FROM (SELECT ' || dunning._curve_record_sql() || ') n)'
             ELSE 'least(greatest(1 - $3[least(o.until, 360) + 2] / nullif($3[least(greatest(o.since, -1), 360) + 2], 0), 1e-6), 1 - 1e-6)' END,
        CASE WHEN used IS NOT NULL THEN format('payment_curve, version %s', used) ELSE 'kaplan_meier of the book, no model' END)
        USING expected_recovery.days, at, curve;
END
$fn$;
COMMENT ON FUNCTION dunning.expected_recovery(int, timestamptz) IS
'One row an open invoice: what is open, the probability that it is paid in full within so many days, today the first, given that it is open now, and open times that. NULL for what does not fall due in them. By the model payment_curve, else by the curve of the whole book as of then; basis says which. '
'Sums hold in one currency. Fees and interest are no rows of it. 22023 unless days is 1 to 360. Needs dunning_operator.';

GRANT EXECUTE ON FUNCTION dunning.kaplan_meier(text, timestamptz), dunning.train_curve(text, timestamptz, text), dunning.expected_recovery(int, timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning.curve_table(text), dunning.p_paid_by(text, record, int, int) TO dunning_viewer;
