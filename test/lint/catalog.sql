-- Each query prints what breaks a rule; nothing printed is a pass.
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dunning');
CREATE TEMP VIEW rel AS SELECT c.* , c.oid AS rel FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid;
CREATE TEMP VIEW routine AS
SELECT p.*, p.oid AS fn, l.lanname FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid JOIN pg_language l ON l.oid = p.prolang;

-- per-debtor tables carry creditor, and their keys start with debtor_id
SELECT 'no creditor beside debtor_id: ' || c.rel::regclass
FROM rel c JOIN pg_attribute a ON a.attrelid = c.rel AND a.attname = 'debtor_id'
WHERE c.relkind IN ('r', 'p') AND c.relname NOT IN ('once')
  AND NOT EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = c.rel AND x.attname = 'creditor' AND x.attnotnull)
UNION ALL
SELECT 'debtor_id may be null: ' || c.rel::regclass
FROM rel c JOIN pg_attribute a ON a.attrelid = c.rel AND a.attname = 'debtor_id' AND NOT a.attnotnull
WHERE c.relkind IN ('r', 'p')
UNION ALL
SELECT 'debtor_id is not text COLLATE "C": ' || c.rel::regclass
FROM rel c JOIN pg_attribute a ON a.attrelid = c.rel AND a.attname = 'debtor_id'
WHERE c.relkind IN ('r', 'p') AND (a.atttypid <> 'text'::regtype OR a.attcollation <> '"C"'::regcollation)
UNION ALL
SELECT 'unique key does not start with debtor_id: ' || i.indexrelid::regclass
FROM rel c JOIN pg_index i ON i.indrelid = c.rel AND i.indisunique
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'debtor_id'
WHERE i.indkey[0] <> a.attnum
UNION ALL
SELECT 'the install makes a partition, or a parent has a key: ' || c.rel::regclass
FROM rel c WHERE c.relispartition OR (c.relkind = 'p' AND c.relhasindex)
-- what Citus, pg_dump and the write path forbid
UNION ALL
SELECT 'sequence: ' || c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'dunning' AND c.relkind = 'S'
UNION ALL
-- charge_guard: no queue table, and nothing declarative can say what is lawful (docs/architecture.md)
-- changed: a word to all sessions once a statement, on tables of rules and texts that hardly ever change; it reads and writes nothing (src/base/watch.h)
SELECT 'trigger: ' || t.tgname || ' on ' || c.relname FROM pg_trigger t JOIN rel c ON c.rel = t.tgrelid WHERE (c.relname, t.tgname) <> ('charge', 'charge_guard')
  AND NOT (t.tgfoid = 'dunning._changed()'::regprocedure AND t.tgtype & 1 = 0
           AND c.relname IN ('channel', 'contact_rule', 'creditor', 'date_effect', 'date_effect_learnt', 'holiday', 'money_date', 'template', 'template_document', 'timing_book'))
UNION ALL
SELECT 'foreign key: ' || k.conname FROM pg_constraint k JOIN rel c ON c.rel = k.conrelid WHERE k.contype = 'f'
UNION ALL
SELECT 'unlogged table: ' || c.rel::regclass FROM rel c WHERE c.relpersistence <> 'p'
UNION ALL
SELECT 'aggregate state is invisible in SQL: ' || a.aggfnoid
FROM pg_aggregate a JOIN routine p ON p.fn = a.aggfnoid JOIN pg_type t ON t.oid = a.aggtranstype WHERE t.typtype = 'p'
UNION ALL
SELECT 'plain table that pg_dump would lose: ' || c.rel::regclass
FROM rel c
WHERE c.relkind = 'r' AND NOT c.rel = ANY ((SELECT coalesce(extconfig, '{}') FROM pg_extension WHERE extname = 'dunning')::oid[])
  AND c.relname NOT IN ('activation')
-- nothing to PUBLIC, no definer function of a superuser, pinned search_path
UNION ALL
SELECT 'right of PUBLIC: ' || c.rel::regclass FROM rel c, aclexplode(c.relacl) e WHERE e.grantee = 0
UNION ALL
SELECT 'right of PUBLIC: ' || p.fn::regprocedure FROM routine p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) e WHERE e.grantee = 0
UNION ALL
SELECT 'right of PUBLIC: schema' FROM pg_namespace n, aclexplode(n.nspacl) e WHERE n.nspname = 'dunning' AND e.grantee = 0
UNION ALL
SELECT 'not owned by dunning_owner: ' || c.rel::regclass FROM rel c WHERE c.relkind IN ('r', 'p', 'v') AND c.relowner <> 'dunning_owner'::regrole
UNION ALL
SELECT 'not owned by dunning_owner: ' || p.fn::regprocedure FROM routine p WHERE p.proowner <> 'dunning_owner'::regrole
UNION ALL
SELECT 'definer function of a superuser: ' || p.fn::regprocedure
FROM routine p JOIN pg_roles r ON r.oid = p.proowner WHERE p.prosecdef AND r.rolsuper
UNION ALL
SELECT 'search_path is not pinned: ' || p.fn::regprocedure
FROM routine p
WHERE p.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL AND p.prokind <> 'p' AND NOT coalesce(p.proconfig::text ~ 'search_path', false)
UNION ALL
SELECT 'SET or SECURITY DEFINER on a procedure or C function: ' || p.fn::regprocedure
FROM routine p WHERE (p.prokind = 'p' OR p.lanname = 'c') AND (p.prosecdef OR p.proconfig IS NOT NULL)
UNION ALL
SELECT 'plpgsql without #variable_conflict error: ' || p.fn::regprocedure
FROM routine p WHERE p.lanname = 'plpgsql' AND p.prosrc !~ '#variable_conflict error'
UNION ALL
SELECT 'view is not security_invoker and security_barrier: ' || c.rel::regclass
FROM rel c
WHERE c.relkind = 'v' AND NOT (coalesce(c.reloptions::text, '') ~ 'security_invoker(=true|=on|[,}])' AND c.reloptions::text ~ 'security_barrier(=true|=on|[,}])')
UNION ALL
SELECT 'leakproof function: ' || p.fn::regprocedure FROM routine p WHERE p.proleakproof
-- a comment on every object
UNION ALL
SELECT 'no comment: ' || d.type || ' ' || d.identity
FROM member m, LATERAL pg_identify_object(m.classid, m.objid, 0) d
WHERE d.type IN ('table', 'view', 'function', 'procedure', 'aggregate', 'composite type', 'type', 'foreign-data wrapper', 'operator')
  AND obj_description(m.objid, m.classid::regclass::name) IS NULL
  AND NOT (m.classid = 'pg_type'::regclass AND EXISTS (
      SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
      WHERE t.oid = m.objid AND (c.relkind IN ('r', 'v', 'p') OR t.typelem <> 0)))
  AND NOT (m.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = m.objid AND c.relkind = 'c'))
ORDER BY 1;
