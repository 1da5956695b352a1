-- owner: the last part. Everything belongs to dunning_owner, nothing to PUBLIC.
-- Each room grants its own calls beside their definition; this part only takes away.

DO $do$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT d.classid, d.objid, i.type, i.identity
        FROM pg_catalog.pg_depend d,
             LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
        WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'dunning')
          AND d.deptype = 'e'
    LOOP
        CASE
            WHEN item.type IN ('table', 'view', 'function', 'procedure', 'aggregate', 'type') THEN
                IF item.type <> 'type' OR EXISTS (
                    -- a table's row type follows its table
                    SELECT FROM pg_catalog.pg_type t
                    LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
                    WHERE t.oid = item.objid AND t.typelem = 0 AND (c.oid IS NULL OR c.relkind = 'c')) THEN
                    EXECUTE pg_catalog.format('ALTER %s %s OWNER TO dunning_owner',
                        CASE item.type WHEN 'table' THEN 'TABLE' WHEN 'view' THEN 'VIEW' ELSE upper(item.type) END,
                        item.identity);
                END IF;
            ELSE NULL;
        END CASE;
    END LOOP;
END
$do$;

REVOKE ALL ON SCHEMA dunning FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA dunning FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA dunning FROM PUBLIC;
