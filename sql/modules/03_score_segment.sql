-- score: segments as rows of SQL predicates, and the current score of each debtor.

-- The first predicate that holds, by position, names a debtor's segment: together they are a tree whose leaves can be read as WHERE clauses.
CREATE TABLE dunning.segment (
    segment         text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    position        int NOT NULL,
    predicate       text NOT NULL,              -- SQL over the debtor's features, probabilities and diagnosis
    description     text NOT NULL,
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    before          jsonb,                      -- the row that the last change replaced
    PRIMARY KEY (segment, builtin)
);
COMMENT ON TABLE dunning.segment IS 'Segments: the first predicate that holds, by position, is a debtor''s segment; where none does it is "other". A user''s row replaces the built-in one of its name.';
GRANT SELECT ON dunning.segment TO dunning_viewer;

INSERT INTO dunning.segment (segment, builtin, position, predicate, description) VALUES
    ('disputing',     true, 10, 'diagnosis = ''disputes''', 'Contests what is owed: answer, do not dun.'),
    ('silent',        true, 20, 'days_past_due > 60 AND coalesce(days_since_payment, 9999) > 90', 'Long overdue and has not paid anything for a quarter.'),
    ('stretched',     true, 30, 'diagnosis = ''cannot_pay'' OR n_overdue - greatest(n_open - (n_invoices - n_paid), 0) >= greatest(3, n_paid + 1)', 'Owes several invoices, fees aside, and more than it pays.'),
    ('self_curer',    true, 40, 'n_paid >= 3 AND late_ratio >= 0.3 AND avg_late < 10 * late_ratio AND p_self_cure >= 0.5', 'Late, but pays by itself within days: wait.'),
    ('habitual_late', true, 50, 'n_paid >= 3 AND late_ratio >= 0.5', 'Misses the due date more often than not: remind before it.'),
    ('overdue_small', true, 60, 'amount_overdue > 0 AND amount_overdue < 0.5 * amount_mean', 'A rest of less than half a usual invoice.'),
    ('new',           true, 70, 'n_paid < 3', 'Fewer than three invoices settled: no habits yet.'),
    ('prompt',        true, 80, 'late_ratio < 0.2', 'Pays on time.'),
    ('now_and_then',  true, 90, 'late_ratio < 0.5', 'Late now and then.');

-- Written anew by every score(): one row a debtor.
CREATE TABLE dunning.score_result (
    debtor_id       text COLLATE "C" PRIMARY KEY,
    creditor        text COLLATE "C" NOT NULL,
    segment         text NOT NULL,
    diagnosis       text,
    p_paid_30d      float8,                     -- NULL: nothing is overdue
    p_late          float8,
    p_self_cure     float8,
    reasons         jsonb NOT NULL,             -- diagnosis and each probability -> words
    models          jsonb NOT NULL,             -- target -> version used; absent: the rule on history
    as_of           timestamptz NOT NULL,
    scored_at       timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.5);
COMMENT ON TABLE dunning.score_result IS 'The current score of each debtor, as score() last wrote it.';
GRANT SELECT ON dunning.score_result TO dunning_viewer, dunning_worker;

CREATE VIEW dunning.debtor_score WITH (security_invoker, security_barrier) AS
    SELECT s.debtor_id, s.creditor, s.segment, s.diagnosis, s.p_paid_30d, s.p_late, s.p_self_cure, s.reasons, s.as_of,
        ARRAY(SELECT jsonb_array_elements_text(s.reasons -> 'habits')) AS habits
    FROM dunning.score_result s;
COMMENT ON VIEW dunning.debtor_score IS 'One row a debtor, as score() last left it: segment, diagnosis of why it is unpaid (NULL: nothing overdue, or no rule fits), probability to pay within 30 days (NULL: nothing overdue), that the next invoice is late, that it is then paid within a fortnight before any contact; reasons in words. Needs dunning_viewer.';
GRANT SELECT ON dunning.debtor_score TO dunning_viewer, dunning_worker;

SELECT pg_catalog.pg_extension_config_dump('dunning.segment', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.score_result', '');

-- The segments in force, in order.
CREATE FUNCTION dunning._segments() RETURNS SETOF dunning.segment
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT x.* FROM (SELECT DISTINCT ON (s.segment) s.* FROM dunning.segment s ORDER BY s.segment, s.builtin) x
    WHERE x.enabled ORDER BY x.position, x.segment;
END
$fn$;
COMMENT ON FUNCTION dunning._segments() IS 'The segments in force, in the order they are tried.';
