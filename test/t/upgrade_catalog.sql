WITH ext AS (SELECT e.* FROM pg_extension e WHERE e.extname = 'dunning'),
member AS (
	SELECT d.classid, d.objid FROM pg_depend d JOIN ext e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'),
-- months of messages are made at run time
rel AS (SELECT c.* FROM pg_class c WHERE c.relnamespace = 'dunning'::regnamespace AND NOT c.relispartition),
held AS (
	SELECT 'routine ' || p.oid::regprocedure AS thing, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl FROM pg_proc p WHERE p.pronamespace = 'dunning'::regnamespace
	UNION ALL SELECT 'relation ' || c.relname, coalesce(c.relacl, acldefault('r', c.relowner)) FROM rel c WHERE c.relkind NOT IN ('i', 'I', 'c')
	UNION ALL SELECT 'column ' || c.relname || '.' || a.attname, a.attacl FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attacl IS NOT NULL
	UNION ALL SELECT 'type ' || t.typname, coalesce(t.typacl, acldefault('T', t.typowner)) FROM pg_type t WHERE t.typnamespace = 'dunning'::regnamespace AND t.typrelid IN (SELECT c.oid FROM rel c WHERE c.relkind = 'c')
	UNION ALL SELECT 'wrapper ' || w.fdwname, coalesce(w.fdwacl, acldefault('F', w.fdwowner)) FROM pg_foreign_data_wrapper w
	UNION ALL SELECT 'schema', n.nspacl FROM pg_namespace n WHERE n.nspname = 'dunning')
SELECT string_agg(translate(x.line, E'\n', E'\x01'), E'\n' ORDER BY x.line COLLATE "C") FROM (
	SELECT 'right: ' || h.thing || ' ' || e.privilege_type || ' ' || e.grantee::regrole || ' by ' || e.grantor::regrole || ' ' || e.is_grantable AS line FROM held h, aclexplode(h.acl) e
	UNION ALL
	SELECT 'routine: ' || p.oid::regprocedure || ' owner ' || p.proowner::regrole || ' ' || CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE pg_get_function_result(p.oid) || p.proparallel::text END
	FROM pg_proc p WHERE p.pronamespace = 'dunning'::regnamespace
	UNION ALL
	SELECT 'aggregate: ' || g.aggfnoid::regprocedure || ' ' || (to_jsonb(g) - 'aggfnoid')::text
	FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid WHERE p.pronamespace = 'dunning'::regnamespace
	UNION ALL
	SELECT 'relation: ' || c.relname || ' ' || c.relkind::text || c.relpersistence::text || c.relreplident::text || ' owner ' || c.relowner::regrole || ' ' || coalesce(c.reloptions::text, '') || ' ' || c.relrowsecurity ||
		coalesce(' ' || pg_get_partkeydef(c.oid), '') || coalesce(' toast ' || t.reloptions::text, '') || c.relhasrules || c.relhastriggers
	FROM rel c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
	UNION ALL
	SELECT 'column: ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation::regcollation || ' ' || a.attnotnull || ' ' ||
		a.attidentity::text || a.attgenerated::text || a.attstorage::text || a.attcompression::text || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') ||
		CASE WHEN c.relkind IN ('c', 'v') THEN ' at ' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) ELSE '' END
	FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind NOT IN ('i', 'I')
	UNION ALL
	SELECT 'view: ' || c.relname || ' ' || pg_get_viewdef(c.oid) FROM rel c WHERE c.relkind = 'v'
	UNION ALL
	SELECT 'constraint: ' || k.conrelid::regclass || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid) || ' ' || k.convalidated FROM pg_constraint k JOIN rel c ON c.oid = k.conrelid WHERE k.contype <> 'n'
	UNION ALL
	SELECT 'index: ' || pg_get_indexdef(i.indexrelid) || ' ' || i.indisprimary || i.indisvalid || i.indisclustered FROM pg_index i JOIN rel c ON c.oid = i.indrelid
	UNION ALL
	SELECT 'trigger: ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN rel c ON c.oid = t.tgrelid
	UNION ALL
	SELECT 'policy: ' || p.polname FROM pg_policy p JOIN rel c ON c.oid = p.polrelid
	UNION ALL
	SELECT 'wrapper: ' || w.fdwname || ' owner ' || w.fdwowner::regrole || ' ' || w.fdwhandler::regproc || ' ' || w.fdwvalidator::regproc || coalesce(w.fdwoptions::text, '') FROM pg_foreign_data_wrapper w
	UNION ALL
	SELECT 'comment: ' || i.type || ' ' || i.identity || ' ' || d.description FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
	WHERE i.identity ~ '\mdunning\M' AND i.type <> 'extension' OR i.identity = 'dunning_gateway'
	UNION ALL
	SELECT 'member: ' || i.type || ' ' || i.identity FROM member m, LATERAL pg_identify_object(m.classid, m.objid, 0) i
	UNION ALL
	SELECT 'dumped: ' || f.rel::regclass || ' ' || f.condition FROM ext e, unnest(e.extconfig, e.extcondition) AS f(rel, condition)
	UNION ALL
	-- the install's own instants differ from run to run
	SELECT 'row: ' || c.relname || ' ' || row_text.line
	FROM rel c
	CROSS JOIN LATERAL (SELECT coalesce(string_agg(quote_literal(a.attname), ', '), '''''') AS masked FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
						WHERE a.attrelid = c.oid AND pg_get_expr(d.adbin, d.adrelid) = 'now()') m
	CROSS JOIN LATERAL unnest(xpath('/table/row/line/text()', query_to_xml(format('SELECT md5((to_jsonb(t) - ARRAY[%s])::text) || '' '' || left(replace((to_jsonb(t) - ARRAY[%s])::text, ''<'', ''''), 150) AS line FROM dunning.%I t',
		m.masked, m.masked, c.relname), false, false, ''))::text[]) AS row_text(line)
	WHERE c.relkind = 'r'
) x
