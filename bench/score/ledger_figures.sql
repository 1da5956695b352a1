-- Figures of the targets of train() over the ledger of this database; called by ledger.sh with book, split, until and kind.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.auc(p float8[], y boolean[]) RETURNS float8 LANGUAGE sql AS $$
    SELECT (sum(r) FILTER (WHERE y) - count(*) FILTER (WHERE y) * (count(*) FILTER (WHERE y) + 1) / 2.0) / (count(*) FILTER (WHERE y)::float8 * count(*) FILTER (WHERE NOT y))
    FROM (SELECT y, rank() OVER (ORDER BY p) + (count(*) OVER (PARTITION BY p) - 1) / 2.0 AS r FROM unnest(p, y) u (p, y)) x $$;
-- Ten bins of equal count; where `draw` is given, of labels drawn from the probabilities themselves.
CREATE FUNCTION pg_temp.ece(p float8[], y boolean[], draw int DEFAULT NULL) RETURNS float8 LANGUAGE sql AS $$
    SELECT sum(abs(s)) / sum(n) FROM (
        SELECT sum(p - CASE WHEN draw IS NULL THEN y::int ELSE (dunning._uniform(i::text, draw) < p)::int END) AS s, count(*) AS n
        FROM (SELECT p, y, i, ntile(10) OVER (ORDER BY p, i) AS bin FROM unnest(p, y) WITH ORDINALITY u (p, y, i)) b GROUP BY bin) x $$;
CREATE TEMP TABLE figure (target text, test text, kind text, n bigint, positives bigint, auc float8, mean_late float8, log_loss float8, ece float8, floor float8);
-- Rows that a model was not trained on: label, mean_late (of a debtor without history the mean of the rows trained on) and the columns that it reads.
CREATE PROCEDURE pg_temp.measure(target text, test text, model text, asked text) LANGUAGE plpgsql AS $$
DECLARE p float8[]; y boolean[]; b float8[];
BEGIN
    EXECUTE format('SELECT array_agg(dunning.predict(%L, x) ORDER BY x.number), array_agg(x.%I ORDER BY x.number), array_agg(x.mean_late ORDER BY x.number) FROM (%s) x', model, target, asked) INTO p, y, b;
    INSERT INTO figure SELECT measure.target, measure.test, (SELECT m.kind FROM dunning.model m WHERE m.model = measure.model ORDER BY m.version DESC LIMIT 1), cardinality(y),
        (SELECT count(*) FROM unnest(y) v WHERE v), pg_temp.auc(p, y), CASE WHEN target = 'late' THEN pg_temp.auc(b, y) END, (SELECT -avg(ln(CASE WHEN v THEN q ELSE 1 - q END)) FROM unnest(p, y) u (q, v)),
        pg_temp.ece(p, y), (SELECT avg(pg_temp.ece(p, y, d)) FROM generate_series(1, 200) d);
END $$;
-- Five times 70 to 30 of the rows of table asked_<target>.
CREATE PROCEDURE pg_temp.split_rows(target text, kind text) LANGUAGE plpgsql AS $$
DECLARE salt text; k int := 0; rows text := 'asked_' || target;
BEGIN
    FOREACH salt IN ARRAY '{"",s1,s2,s3,s4}'::text[] LOOP
        DELETE FROM dunning.model m WHERE m.model = 'split';
        EXECUTE format($q$CREATE TEMP TABLE half AS SELECT a.*, ('x' || substr(md5(%L || a.number), 1, 8))::bit(32)::bigint %% 100 < 70 AS trained FROM %I a$q$, salt, rows);
        UPDATE half SET mean_late = (SELECT avg(t.mean_late) FROM half t WHERE t.trained) WHERE mean_late IS NULL;
        BEGIN
            PERFORM dunning.fit('split', 'SELECT * FROM half WHERE trained', target, kind,
                jsonb_build_object('exclude', '["number", "debtor", "mean_late", "trained"]'::jsonb, 'monotone', dunning._monotone_of(target)));
            CALL pg_temp.measure(target, 'split ' || k, 'split', 'SELECT * FROM half WHERE NOT trained');
        EXCEPTION WHEN SQLSTATE 'DN004' THEN
            RAISE WARNING '%', SQLERRM;
        END;
        DROP TABLE half;
        k := k + 1;
    END LOOP;
END $$;
CREATE PROCEDURE pg_temp.out_of_time(target text, at timestamptz, kind text, asked text) LANGUAGE plpgsql AS $$
DECLARE why text; hint text;
BEGIN
    PERFORM dunning.train(target, at, kind);
    CALL pg_temp.measure(target, 'out of time', target, asked);
EXCEPTION WHEN SQLSTATE 'DN004' THEN
    GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE WARNING 'out of time: % % %', SQLERRM, why, hint;
END $$;

SELECT 'late' = ANY (t) AS late, 'self_cure' = ANY (t) AS self_cure, 'paid_30d' = ANY (t) AS paid_30d FROM string_to_array(:'targets', ' ') t \gset
\if :late
SELECT string_agg(dunning._feature_sql(c) || ' AS ' || quote_ident(c), ', ') AS columns FROM unnest(dunning._features_of('late')) c \gset
CREATE TEMP TABLE asked_late AS
SELECT l.number, f.debtor_id AS debtor, f.avg_late AS mean_late, :columns, coalesce(f.days_late > 0, true) AS late
FROM dunning.invoice_features() f JOIN line l ON l.invoice_id = f.invoice_id WHERE f.settled_on IS NOT NULL OR f.due_on < :'until';
CREATE TEMP TABLE later_late AS SELECT a.* FROM asked_late a JOIN line l USING (number) JOIN dunning.invoice_features() f ON f.invoice_id = l.invoice_id WHERE f.issued_on >= :'split';
CALL pg_temp.split_rows('late', :'kind');
CALL pg_temp.out_of_time('late', :'split', :'kind', 'SELECT * FROM later_late');
\endif
\if :self_cure
SELECT format('CREATE TEMP TABLE asked_self_cure AS SELECT row_number() OVER (ORDER BY x.debtor, x::text) AS number, NULL::float8 AS mean_late, x.* FROM (%s) x', dunning._target_sql('self_cure', :'until')) \gexec
CALL pg_temp.split_rows('self_cure', :'kind');
\endif
\if :paid_30d
SELECT format('CREATE TEMP TABLE asked_paid_30d AS SELECT row_number() OVER (ORDER BY x.debtor, x::text) AS number, NULL::float8 AS mean_late, x.* FROM (%s) x', dunning._target_sql('paid_30d', :'until')) \gexec
CALL pg_temp.split_rows('paid_30d', :'kind');
SELECT format('CREATE TEMP TABLE later_paid_30d AS SELECT row_number() OVER (ORDER BY x.debtor, x::text) AS number, NULL::float8 AS mean_late, x.* FROM (%s) x',
              dunning._paid_30d_sql(:'until', (:'until'::date - :'split'::date) / 30)) \gexec
CALL pg_temp.out_of_time('paid_30d', :'split', :'kind', 'SELECT * FROM later_paid_30d');
\endif

\echo
\echo :book
SELECT target, test, kind, n, positives, round(auc::numeric, 4) AS auc, round(mean_late::numeric, 4) AS "mean days late", round(log_loss::numeric, 4) AS "log loss", round(ece::numeric, 4) AS ece, round(floor::numeric, 4) AS "ece floor"
FROM (SELECT * FROM figure
      UNION ALL
      SELECT target, 'five splits', string_agg(DISTINCT kind, ', '), sum(n), sum(positives), avg(auc), avg(mean_late), avg(log_loss), avg(ece), avg(floor) FROM figure WHERE test LIKE 'split%' GROUP BY target) f
ORDER BY array_position('{late,self_cure,paid_30d}', target), test = 'five splits', test = 'out of time', test;
