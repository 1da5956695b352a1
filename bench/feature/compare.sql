-- Columns in which the two differ, by more than rounding, with how many debtors.
SELECT format($q$SELECT CASE WHEN count(*) > 0 THEN 'different: ' || string_agg(x.column_name || ' (' || x.n || ', ' || x.example || ')', ', ') ELSE %L END
    FROM (SELECT u.column_name, count(*) AS n, min(o.debtor_id || ': ' || coalesce(u.ours, 'null') || ' not ' || coalesce(u.plain, 'null')) AS example FROM ours o FULL JOIN plain p ON p.debtor_id = o.debtor_id,
        LATERAL (VALUES %s) u (column_name, ours, plain, differs) WHERE u.differs IS NOT FALSE GROUP BY 1) x$q$,
    format('%s columns of %s debtors are equal', count(*), (SELECT count(*) FROM ours)),
    string_agg(format('(%1$L, o.%1$I::text, p.%1$I::text, %2$s)', a.attname,
        CASE WHEN a.atttypid IN ('int4'::regtype, 'float8'::regtype) THEN format('CASE WHEN o.%1$I IS NULL OR p.%1$I IS NULL THEN (o.%1$I IS NULL) <> (p.%1$I IS NULL) ELSE abs(o.%1$I - p.%1$I::float8) > 1e-6 * (1 + abs(o.%1$I)) END', a.attname)
             ELSE format('o.%1$I IS DISTINCT FROM p.%1$I', a.attname) END), ', '))
FROM pg_attribute a WHERE a.attrelid = 'ours'::regclass AND a.attnum > 0 \gexec
