-- Schema evil: whatever pg_catalog and dunning have, by the same name and with the same arguments, springing a trap. Found first by who has
-- search_path = evil, pg_catalog; so that one unqualified name, operator or type in a query of ours is seen.
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TABLE evil.trap (what text, who text);
CREATE FUNCTION evil.sprung(what text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO evil.trap VALUES (sprung.what, current_user);
    RAISE LOG 'TRAP % %', sprung.what, session_user;    -- an abort does not take this back
    RETURN true;
END
$$;
DO $do$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.proname, p.oid::regprocedure AS signature, p.prorettype::regtype AS result, p.proretset,
               coalesce((SELECT string_agg(t.t::regtype::text, ', ' ORDER BY t.n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY t(t, n)), '') AS arguments
        FROM pg_proc p
        WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'dunning'::regnamespace) AND p.prokind = 'f'
          AND NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) a(a) JOIN pg_type t ON t.oid = a.a AND t.typtype = 'p' AND t.typname !~ '^any.' AND t.typname <> 'void')
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS %L', f.proname, f.arguments, CASE WHEN f.proretset THEN 'SETOF ' ELSE '' END, f.result,
                format('BEGIN PERFORM evil.sprung(%L); RETURN%s; END', f.signature, CASE WHEN f.proretset OR f.result = 'void'::regtype THEN '' ELSE ' NULL' END));
        EXCEPTION WHEN OTHERS THEN NULL;        -- a pseudo-type that plpgsql does not take
        END;
    END LOOP;
    FOR f IN
        SELECT o.oid, o.oprname, o.oid::regoperator AS signature, o.oprleft::regtype AS l, o.oprright::regtype AS r, o.oprresult::regtype AS result, o.oprleft = 0 AS prefix
        FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.operator_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.oid, CASE WHEN f.prefix THEN f.r::text ELSE f.l || ', ' || f.r END, f.result,
                format('BEGIN PERFORM evil.sprung(%L); RETURN NULL; END', f.signature));
            EXECUTE format('CREATE OPERATOR evil.%s (%s RIGHTARG = %s, FUNCTION = evil.operator_%s)', f.oprname, CASE WHEN f.prefix THEN '' ELSE 'LEFTARG = ' || f.l || ',' END, f.r, f.oid);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR f IN SELECT c.relname, c.oid::regclass AS relation FROM pg_class c WHERE c.relnamespace IN ('pg_catalog'::regnamespace, 'dunning'::regnamespace) AND c.relkind IN ('r', 'p', 'v') LOOP
        BEGIN
            EXECUTE format('CREATE VIEW evil.%I AS SELECT * FROM %s WHERE evil.sprung(%L)', f.relname, f.relation, f.relation);
            EXECUTE format('GRANT SELECT ON evil.%I TO PUBLIC', f.relname);
        EXCEPTION WHEN invalid_table_definition THEN NULL;      -- pg_statistic has columns of a pseudo-type
        END;
    END LOOP;
    FOR f IN SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typelem = 0 LOOP
        BEGIN
            EXECUTE format('CREATE DOMAIN evil.%1$I AS pg_catalog.%1$I CHECK (evil.sprung(%2$L))', f.typname, 'type ' || f.typname);
        EXCEPTION WHEN duplicate_object THEN NULL;      -- the row type of a view above
        END;
    END LOOP;
END
$do$;
