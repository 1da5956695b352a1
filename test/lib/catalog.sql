-- One JSON document: everything the catalog knows of the extension, for test/lib/delta.pl. Names come fully qualified.
-- Identities are those of pg_identify_object(), so that they can stand in the statement that changes the object.
SET search_path = pg_catalog, pg_temp;

CREATE TEMP TABLE member AS
SELECT d.classid, d.objid, i.type, i.identity
FROM pg_depend d, LATERAL pg_identify_object(d.classid, d.objid, 0) i
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'dunning');

-- The object that stands for a catalog row: a relation for its row type, its array and its rules; a column default by column.
CREATE FUNCTION pg_temp.key_of(classid oid, objid oid) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    t record;
BEGIN
    CASE classid
        WHEN 'pg_type'::regclass THEN
            SELECT x.typrelid, x.typelem, x.typcategory INTO t FROM pg_type x WHERE x.oid = objid;
            IF t.typcategory = 'A' AND t.typelem <> 0 THEN
                RETURN pg_temp.key_of(classid, t.typelem);
            ELSIF t.typrelid <> 0 THEN
                RETURN pg_temp.key_of('pg_class'::regclass, t.typrelid);
            END IF;
        WHEN 'pg_class'::regclass THEN
            -- a composite type is a member as a type, and its columns hang on its relation
            IF (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = objid) THEN
                RETURN (SELECT 'type ' || i.identity FROM pg_class c, LATERAL pg_identify_object('pg_type'::regclass, c.reltype, 0) i WHERE c.oid = objid);
            END IF;
        WHEN 'pg_rewrite'::regclass THEN
            RETURN (SELECT pg_temp.key_of('pg_class'::regclass, r.ev_class) FROM pg_rewrite r WHERE r.oid = objid);
        WHEN 'pg_attrdef'::regclass THEN
            RETURN (SELECT pg_temp.key_of('pg_class'::regclass, d.adrelid) || ' default ' || a.attname
                    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.oid = objid);
        ELSE NULL;
    END CASE;
    RETURN (SELECT i.type || ' ' || i.identity FROM pg_identify_object(classid, objid, 0) i);
END
$$;

CREATE FUNCTION pg_temp.rights(acl aclitem[]) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(x.word ORDER BY x.word COLLATE "C"), '[]')
    FROM (SELECT e.privilege_type || CASE WHEN e.is_grantable THEN '*' ELSE '' END || ' ' ||
                 CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END AS word
          FROM aclexplode(acl) e
          WHERE e.grantee <> e.grantor) x
$$;

-- Rows as lists of literals; an instant that the install itself put there stands as now().
CREATE FUNCTION pg_temp.rows_of(rel regclass) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    columns text[];
    literals text;
    builtin boolean;
    keys text;
    found json;
BEGIN
    SELECT array_agg(quote_ident(a.attname) ORDER BY a.attname COLLATE "C"),
           string_agg(CASE WHEN pg_get_expr(d.adbin, d.adrelid) = 'now()' THEN quote_literal('now()')
                           ELSE format('CASE WHEN t.%1$I IS NULL THEN ''NULL'' ELSE quote_literal(t.%1$I::text) END', a.attname) END,
                      ', ' ORDER BY a.attname COLLATE "C"),
           bool_or(a.attname = 'builtin')
    INTO columns, literals, builtin
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    SELECT string_agg(format('quote_nullable(t.%I::text)', a.attname), ' || '','' || ' ORDER BY a.attname COLLATE "C") INTO keys
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = rel AND i.indisprimary;
    EXECUTE format('SELECT json_object_agg(k, r ORDER BY k COLLATE "C") FROM (SELECT %s AS k, json_build_array(%s) AS r FROM %s t %s) x',
                   coalesce(keys, 't::text'), literals, rel, CASE WHEN builtin THEN 'WHERE t.builtin' ELSE '' END) INTO found;
    RETURN json_build_object('columns', columns, 'builtin', builtin, 'rows', coalesce(found, '{}'));
END
$$;

SELECT json_build_object(
'version', (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'dunning'),
'roles', (SELECT json_object_agg(r.rolname, format('%s%s CONNECTION LIMIT %s', CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
              CASE WHEN r.rolinherit THEN '' ELSE ' NOINHERIT' END, r.rolconnlimit)) FROM pg_roles r WHERE r.rolname ~ '^dunning_'),
'memberships', (SELECT coalesce(json_agg(format('%s TO %s', m.roleid::regrole, m.member::regrole) ORDER BY m.roleid::regrole::text COLLATE "C", m.member::regrole::text COLLATE "C"), '[]')
                FROM pg_auth_members m WHERE m.roleid::regrole::text ~ '^dunning_' AND m.member::regrole::text ~ '^dunning_'),
'unknown', (SELECT coalesce(json_agg(m.type || ' ' || m.identity), '[]') FROM member m
            WHERE m.type NOT IN ('function', 'procedure', 'aggregate', 'table', 'view', 'foreign-data wrapper', 'schema')
              AND NOT (m.type = 'type' AND EXISTS (SELECT FROM pg_type t WHERE t.oid = m.objid AND (t.typrelid <> 0 OR t.typcategory = 'A' OR t.typtype = 'b')))),
'routines', (SELECT json_object_agg(m.type || ' ' || m.identity, json_build_object(
        'oid', p.oid::bigint, 'type', upper(m.type), 'identity', m.identity, 'owner', quote_ident(p.proowner::regrole::text),
        'rights', pg_temp.rights(coalesce(p.proacl, acldefault('f', p.proowner))),
        -- what CREATE OR REPLACE cannot change
        'shape', json_build_array(p.prorettype::regtype::text, p.proretset, p.prokind,
                     (SELECT json_agg(json_build_array(x.mode, x.name, x.type::regtype::text) ORDER BY x.ord)
                      FROM ROWS FROM (unnest(p.proallargtypes), unnest(p.proargmodes), unnest(p.proargnames)) WITH ORDINALITY AS x(type, mode, name, ord)
                      WHERE x.mode IN ('o', 'b', 't'))),
        'names', coalesce((SELECT json_agg(x.name ORDER BY x.ord)
                  FROM ROWS FROM (unnest(p.proargnames), unnest(p.proargmodes)) WITH ORDINALITY AS x(name, mode, ord)
                  WHERE coalesce(x.mode, 'i') IN ('i', 'b', 'v')), '[]'),
        'defaults', p.pronargdefaults,
        'definition', CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n') ELSE
            format(E'CREATE OR REPLACE AGGREGATE %s.%I(%s) (\n    %s\n)', p.pronamespace::regnamespace, p.proname, pg_get_function_arguments(p.oid),
                concat_ws(E',\n    ', 'SFUNC = ' || g.aggtransfn::text, 'STYPE = ' || format_type(g.aggtranstype, NULL), 'SSPACE = ' || nullif(g.aggtransspace, 0),
                    'FINALFUNC = ' || nullif(g.aggfinalfn::oid, 0)::regproc, CASE WHEN g.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                    CASE WHEN g.aggfinalfn::oid <> 0 THEN 'FINALFUNC_MODIFY = ' || CASE g.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
                    'COMBINEFUNC = ' || nullif(g.aggcombinefn::oid, 0)::regproc,
                    'SERIALFUNC = ' || nullif(g.aggserialfn::oid, 0)::regproc, 'DESERIALFUNC = ' || nullif(g.aggdeserialfn::oid, 0)::regproc,
                    'INITCOND = ' || quote_literal(g.agginitval), 'PARALLEL = ' || CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END,
                    CASE WHEN g.aggkind <> 'n' OR g.aggmtransfn::oid <> 0 OR g.aggsortop <> 0 THEN 'WRITE_BY_HAND' END)) END)
    ORDER BY p.oid)
    FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid),
'relations', (SELECT json_object_agg(m.type || ' ' || m.identity, json_build_object(
        'oid', c.oid::bigint, 'type', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, 'kind', c.relkind, 'identity', m.identity,
        'owner', quote_ident(c.relowner::regrole::text),
        'rights', CASE WHEN c.relkind <> 'c' THEN pg_temp.rights(c.relacl)
                  ELSE (SELECT pg_temp.rights(coalesce(t.typacl, acldefault('T', t.typowner))) FROM pg_type t WHERE t.oid = c.reltype) END,
        'options', array_to_string(c.reloptions, ', '), 'partition_key', pg_get_partkeydef(c.oid),
        'by_hand', concat_ws(', ', CASE WHEN c.relrowsecurity THEN 'row security' END, CASE WHEN c.relreplident <> 'd' AND c.relkind IN ('r', 'p') THEN 'replica identity' END,
                             CASE WHEN c.relpersistence <> 'p' THEN 'persistence' END, CASE WHEN c.reltablespace <> 0 THEN 'tablespace' END),
        'triggers', (SELECT json_object_agg(quote_ident(t.tgname), json_build_array(pg_get_triggerdef(t.oid), t.tgenabled)) FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
        'definition', CASE WHEN c.relkind = 'v' THEN rtrim(pg_get_viewdef(c.oid), E';\n ') END,
        'columns', (SELECT json_agg(json_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
                        'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
                        'not_null', a.attnotnull, 'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                        'by_hand', a.attgenerated <> '' OR a.attidentity <> '' OR a.attstorage <> t.typstorage OR a.attcompression <> '' OR a.attoptions::text ~ 'n_distinct',
                        'rights', pg_temp.rights(a.attacl)) ORDER BY a.attnum)
                    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'constraints', (SELECT coalesce(json_object_agg(quote_ident(k.conname), pg_get_constraintdef(k.oid) ORDER BY k.oid), '{}')
                        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n'),
        'indexes', (SELECT coalesce(json_object_agg(i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) ORDER BY i.indexrelid), '{}')
                    FROM pg_index i WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid)),
        'data', CASE WHEN c.relkind = 'r' THEN pg_temp.rows_of(c.oid) END,
        'dump', (SELECT f.condition FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS f(rel, condition) WHERE e.extname = 'dunning' AND f.rel = c.oid))
    ORDER BY c.oid)
    FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
                                  OR m.classid = 'pg_type'::regclass AND c.reltype = m.objid AND c.relkind = 'c'),
'wrappers', (SELECT coalesce(json_object_agg('foreign-data wrapper ' || w.fdwname, json_build_object('oid', w.oid::bigint, 'type', 'FOREIGN DATA WRAPPER',
        'identity', quote_ident(w.fdwname), 'rights', pg_temp.rights(w.fdwacl),
        'handler', nullif(w.fdwhandler, 0)::regproc, 'validator', nullif(w.fdwvalidator, 0)::regproc, 'options', w.fdwoptions)), '{}')
    FROM member m JOIN pg_foreign_data_wrapper w ON m.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = m.objid),
-- types of our own in C: they are made with their functions for text
'bases', (SELECT coalesce(json_object_agg('type ' || m.identity, json_build_object('oid', t.oid::bigint, 'type', 'TYPE', 'identity', m.identity,
        'rights', pg_temp.rights(coalesce(t.typacl, acldefault('T', t.typowner))),
        'made_with', json_build_array(pg_temp.key_of('pg_proc'::regclass, t.typinput), pg_temp.key_of('pg_proc'::regclass, t.typoutput)), 'owner', quote_ident(t.typowner::regrole::text),
        'base', format(E'CREATE TYPE %1$s;\n%2$s;\n%3$s;\nCREATE TYPE %1$s (INPUT = %4$s, OUTPUT = %5$s, INTERNALLENGTH = %6$s, ALIGNMENT = %7$s, STORAGE = %8$s%9$s)',
            m.identity, replace(rtrim(pg_get_functiondef(t.typinput), E'\n'), 'CREATE OR REPLACE', 'CREATE'),
            replace(rtrim(pg_get_functiondef(t.typoutput), E'\n'), 'CREATE OR REPLACE', 'CREATE'), t.typinput, t.typoutput,
            CASE t.typlen WHEN -1 THEN 'VARIABLE' ELSE t.typlen::text END, CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END,
            CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END,
            CASE WHEN t.typreceive <> 0 OR t.typsend <> 0 OR t.typmodin <> 0 OR t.typanalyze <> 0 OR t.typbyval THEN ', WRITE_BY_HAND' END))), '{}')
    FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid WHERE t.typtype = 'b' AND t.typcategory <> 'A'),
'schema', (SELECT json_build_object('type', 'SCHEMA', 'identity', 'dunning', 'rights', pg_temp.rights(coalesce(n.nspacl, acldefault('n', n.nspowner))))
           FROM pg_namespace n WHERE n.nspname = 'dunning'),
'comments', (SELECT json_object_agg(i.type || ' ' || i.identity, json_build_object('type', i.type, 'identity', i.identity, 'text', d.description,
                 'of', pg_temp.key_of(o.classid, o.objid)) ORDER BY i.type COLLATE "C", i.identity COLLATE "C")
    FROM (SELECT m.classid, m.objid, m.classid AS class_in, m.objid AS obj_in FROM member m
          UNION ALL SELECT m.classid, m.objid, 'pg_class'::regclass, t.typrelid FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
          UNION ALL SELECT m.classid, m.objid, 'pg_constraint'::regclass, k.oid FROM member m JOIN pg_constraint k ON m.classid = 'pg_class'::regclass AND k.conrelid = m.objid
          UNION ALL SELECT m.classid, m.objid, 'pg_class'::regclass, x.indexrelid FROM member m JOIN pg_index x ON m.classid = 'pg_class'::regclass AND x.indrelid = m.objid) o
    JOIN pg_description d ON d.classoid = o.class_in AND d.objoid = o.obj_in, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i),
-- who hangs on what: [dependent, referenced, referenced column]
'dependencies', (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(x.dependent, x.referenced, x.col)), '[]')
    FROM (SELECT pg_temp.key_of(d.classid, d.objid) AS dependent, pg_temp.key_of(d.refclassid, d.refobjid) AS referenced,
                 (SELECT quote_ident(a.attname) FROM pg_attribute a WHERE d.refclassid = 'pg_class'::regclass AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0) AS col
          FROM pg_depend d
          WHERE d.deptype IN ('n', 'a') AND d.refobjid > 16383 AND d.refclassid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass)
            AND d.classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_foreign_data_wrapper'::regclass)) x
    WHERE x.dependent <> x.referenced)
);
