-- Train `late` as if it were 2013-04-01, and ask it about the invoices issued from then on.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\set split '2013-04-01'

SELECT model, version, kind, n, round(auc::numeric, 4) AS auc_cross_validated, round(log_loss::numeric, 4) AS log_loss, round(seconds::numeric, 2) AS seconds
FROM dunning.train('late', :'split');

-- The bar: what the mean of a customer's days late says by itself, trained and asked in the same way.
-- Features of our own are columns beside the built-in ones.
CREATE TEMP TABLE later AS
SELECT f.*, f.days_late > 0 AS late,
    issued_on >= (attributes ->> 'paperless_since')::date AS electronic, greatest(issued_on - (attributes ->> 'paperless_since')::date, 0) AS electronic_days
FROM dunning.invoice_features() f WHERE f.issued_on >= :'split' AND f.settled_on IS NOT NULL;
CREATE TEMP TABLE earlier AS
SELECT f.debtor_id, f.avg_late, coalesce(f.days_late > 0, true) AS late FROM dunning.invoice_features(:'split') f WHERE f.due_on < :'split'::date;
SELECT dunning.fit('mean_days_late', 'SELECT * FROM earlier', 'late', options => '{"group": "debtor_id"}') IS NOT NULL AS trained \gset
\echo
\echo Out of time: trained on what was decided before 2013-04-01, asked about every invoice issued on or after it.
SELECT e.n AS invoices, CASE e.model WHEN 'late' THEN 'as-of history' ELSE 'mean days late alone' END AS model,
       round(e.auc::numeric, 4) AS auc, round(e.log_loss::numeric, 4) AS log_loss, round(e.brier::numeric, 4) AS brier, round(e.ece::numeric, 4) AS ece
FROM unnest(ARRAY['late', 'mean_days_late']) m, LATERAL dunning.evaluate(m, 'SELECT * FROM later', 'late') e;

-- Over the whole file, early invoices of unknown customers included, cross-validated without regard to time.
CREATE TEMP TABLE whole AS
SELECT f.*, f.days_late > 0 AS late,
    issued_on >= (attributes ->> 'paperless_since')::date AS electronic, greatest(issued_on - (attributes ->> 'paperless_since')::date, 0) AS electronic_days
FROM dunning.invoice_features() f WHERE f.settled_on IS NOT NULL;
\echo
\echo The whole file, cross-validated by invoice (customers stand on both sides). The bar without a number for new customers is a plain ranking.
WITH ranked AS (SELECT late, rank() OVER w + (count(*) OVER (PARTITION BY coalesce(avg_late, 0)) - 1) / 2.0 AS place FROM whole WINDOW w AS (ORDER BY coalesce(avg_late, 0)))
SELECT round(m.auc::numeric, 4) AS as_of_history, round(a.auc::numeric, 4) AS mean_days_late, round(r.auc, 4) AS ranked_by_mean
FROM dunning.fit('whole', format('SELECT late, %s FROM whole', (SELECT string_agg(quote_ident(f ->> 'name'), ', ')
         FROM dunning.model x, jsonb_array_elements(x.body -> 'features') f WHERE x.model = 'late' AND x.state = 'champion')), 'late') m,
     dunning.fit('whole_mean', 'SELECT late, avg_late FROM whole', 'late') a,
     LATERAL (SELECT (sum(place) FILTER (WHERE late) - count(*) FILTER (WHERE late) * (count(*) FILTER (WHERE late) + 1) / 2.0)
                     / (count(*) FILTER (WHERE late) * count(*) FILTER (WHERE NOT late)) AS auc FROM ranked) r;
