-- What each of the roles may do with each object of the schema, one line an object and role. `make privileges` writes the list that the test compares.
SELECT line FROM (
    SELECT format('%s %s: %s', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.oid::regprocedure,
                  coalesce((SELECT string_agg(r.r, ' ' ORDER BY r.n) FROM unnest(ARRAY['public', 'dunning_viewer', 'dunning_operator', 'dunning_admin', 'dunning_worker']) WITH ORDINALITY r(r, n)
                            WHERE has_function_privilege(r.r, p.oid, 'EXECUTE')), 'nobody')) AS line
    FROM pg_proc p WHERE p.pronamespace = 'dunning'::regnamespace
    UNION ALL
    SELECT format('%s %s: %s', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END, c.oid::regclass,
                  coalesce((SELECT string_agg(r.r || ' ' || g.g, ', ' ORDER BY r.n)
                            FROM unnest(ARRAY['public', 'dunning_viewer', 'dunning_operator', 'dunning_admin', 'dunning_worker']) WITH ORDINALITY r(r, n),
                                 LATERAL (SELECT string_agg(w.w || CASE WHEN has_table_privilege(r.r, c.oid, w.w) THEN '' ELSE '(' || k.columns || ')' END, ' ' ORDER BY w.n) AS g
                                          FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) WITH ORDINALITY w(w, n),
                                               LATERAL (SELECT string_agg(a.attname, ',' ORDER BY a.attname) AS columns FROM pg_attribute a
                                                        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND w.w IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                                                          AND has_column_privilege(r.r, c.oid, a.attnum, w.w)) k
                                          WHERE has_table_privilege(r.r, c.oid, w.w) OR k.columns IS NOT NULL) g
                            WHERE g.g IS NOT NULL), 'nobody'))
    FROM pg_class c WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT c.relispartition
    UNION ALL
    SELECT format('%s %s: %s', x.kind, x.name, coalesce((SELECT string_agg(r.r || ' ' || w.w, ', ' ORDER BY r.n, w.w)
                  FROM unnest(ARRAY['public', 'dunning_viewer', 'dunning_operator', 'dunning_admin', 'dunning_worker']) WITH ORDINALITY r(r, n), unnest(x.wanted) w(w)
                  WHERE CASE x.kind WHEN 'schema' THEN has_schema_privilege(r.r, x.name, w.w) ELSE has_foreign_data_wrapper_privilege(r.r, x.name, w.w) END), 'nobody'))
    FROM (VALUES ('schema', 'dunning', ARRAY['USAGE', 'CREATE']), ('wrapper', 'dunning_gateway', ARRAY['USAGE'])) x(kind, name, wanted)
    UNION ALL
    SELECT format('role %s: %s', r.rolname, concat_ws(' ', CASE WHEN r.rolcanlogin THEN 'LOGIN' END, CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                  CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
                  (SELECT 'in ' || string_agg(m.roleid::regrole::text, ' ' ORDER BY m.roleid::regrole::text) FROM pg_auth_members m WHERE m.member = r.oid)))
    FROM pg_roles r WHERE r.rolname ~ '^dunning_'
) x ORDER BY line COLLATE "C";
