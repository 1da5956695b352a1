-- ledger: what a source must look like, binding one, and noticing that it broke.

CREATE FUNCTION dunning._ledger_contract(kind text)
RETURNS TABLE (pos int, name text, class text, required boolean, guesses text[])
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT c.pos, c.name, c.class, c.required, c.guesses
    FROM (VALUES
        ('debtor',  1, 'debtor_id',    'key',     true,  '{customer_id,customerid,account_id,account_no,client_id,customer_no,id}'::text[]),
        ('debtor',  2, 'creditor',     'id',      false, '{}'),
        ('debtor',  3, 'person_id',    'id',      false, '{}'),
        ('debtor',  4, 'kind',         'text',    false, '{customer_kind,customer_type}'),
        ('debtor',  5, 'name',         'text',    false, '{customer_name,full_name}'),
        ('debtor',  6, 'given_name',   'text',    false, '{first_name,firstname}'),
        ('debtor',  7, 'language',     'text',    false, '{lang,locale}'),
        ('debtor',  8, 'country',      'text',    false, '{country_code,countrycode}'),
        ('debtor',  9, 'region',       'text',    false, '{}'),
        ('debtor', 10, 'time_zone',    'text',    false, '{timezone}'),
        ('debtor', 11, 'email',        'text',    false, '{e_mail,email_address,mail}'),
        ('debtor', 12, 'phone',        'text',    false, '{mobile,phone_number,telephone}'),
        ('debtor', 13, 'address',      'json',    false, '{}'),
        ('debtor', 14, 'preferred_channel', 'text', false, '{}'),
        ('debtor', 15, 'consent',      'json',    false, '{}'),
        ('debtor', 16, 'attributes',   'json',    false, '{}'),
        ('invoice', 1, 'invoice_id',   'key',     true,  '{invoice_no,invoice_number,invoicenumber,number,no,id}'),
        ('invoice', 2, 'debtor_id',    'key',     true,  '{customer_id,customerid,account_id,account_no,client_id,customer_no}'),
        ('invoice', 3, 'issued_on',    'date',    true,  '{invoice_date,invoicedate,issue_date,issued,issued_at,created_at}'),
        ('invoice', 4, 'due_on',       'date',    true,  '{due_date,duedate,due,due_at,payable_on}'),
        ('invoice', 5, 'amount',       'number',  true,  '{invoice_amount,invoiceamount,total,gross,gross_amount,total_amount}'),
        ('invoice', 6, 'currency',     'text',    true,  '{currency_code,currencycode,iso_currency,ccy,curr}'),
        ('invoice', 7, 'kind',         'text',    false, '{}'),
        ('invoice', 8, 'open_amount',  'number',  false, '{}'),
        ('invoice', 9, 'disputed',     'boolean', false, '{}'),
        ('invoice', 10, 'disputed_at', 'instant', false, '{}'),
        ('invoice', 11, 'cancelled_at', 'instant', false, '{}'),
        ('invoice', 12, 'recorded_at', 'instant', false, '{}'),
        ('invoice', 13, 'reference',   'id',      false, '{}'),
        ('invoice', 14, 'pay_url',     'text',    false, '{}'),
        ('payment', 1, 'debtor_id',    'key',     true,  '{customer_id,customerid,account_id,account_no,client_id,customer_no}'),
        ('payment', 2, 'paid_at',      'instant', true,  '{paid_on,payment_date,paymentdate,settled_date,settleddate,booked_at,value_date,date}'),
        ('payment', 3, 'amount',       'number',  true,  '{paid_amount,payment_amount,total}'),
        ('payment', 4, 'currency',     'text',    true,  '{currency_code,currencycode,iso_currency,ccy,curr}'),
        ('payment', 5, 'payment_id',   'key',     false, '{}'),
        ('payment', 6, 'invoice_id',   'key',     false, '{}'),
        ('payment', 7, 'recorded_at',  'instant', false, '{}')
    ) AS c (of_kind, pos, name, class, required, guesses)
    WHERE c.of_kind = _ledger_contract.kind
    ORDER BY c.pos;
END
$body$;
COMMENT ON FUNCTION dunning._ledger_contract(text) IS 'The columns of a kind of source, in order: class of type, whether required, and names under which billing systems often keep them.';

CREATE FUNCTION dunning._accepts(class text, base oid, typmod int, typtype "char") RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN CASE $1
        -- read as text and never looked up by the source's key type: keys, and any text
        WHEN 'id'      THEN dunning._accepts('key', $2, $3, $4) OR dunning._accepts('text', $2, $3, $4)
        WHEN 'key'     THEN $2 IN (20, 21, 23, 25, 1043, 2950) OR ($2 = 1700 AND $3 >= 4 AND (($3 - 4) & 2047) = 0)
        WHEN 'text'    THEN $2 IN (25, 1043, 1042, 19) OR $4 = 'e'
        WHEN 'date'    THEN $2 = 1082
        WHEN 'instant' THEN $2 IN (1184, 1114, 1082)
        WHEN 'number'  THEN $2 IN (1700, 20, 21, 23, 700, 701)
        WHEN 'boolean' THEN $2 = 16
        WHEN 'json'    THEN $2 IN (3802, 114)
    END;
END
$body$;
COMMENT ON FUNCTION dunning._accepts(text, oid, int, "char") IS 'Whether a column of this base type may serve a contract column of this class.';

-- The cast that turns a column into one that the contract takes.
CREATE FUNCTION dunning._contract_cast(class text, base oid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN CASE $1
        WHEN 'key'     THEN CASE WHEN $2 = 1700 THEN 'numeric(20,0)' WHEN $2 IN (700, 701) THEN 'bigint' ELSE 'text' END
        WHEN 'id'      THEN 'text'
        WHEN 'instant' THEN 'timestamptz'
        WHEN 'number'  THEN 'numeric'
        WHEN 'json'    THEN 'jsonb'
        ELSE $1
    END;
END
$body$;
COMMENT ON FUNCTION dunning._contract_cast(text, oid) IS 'The type to cast to, so that a contract column of this class accepts it.';

CREATE FUNCTION dunning._relation_oid(relation text) RETURNS oid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    part text[] := parse_ident(_relation_oid.relation);
BEGIN
    -- Not to_regclass(): it complains where the schema may not be used, and that is for us to say.
    RETURN (SELECT c.oid FROM pg_class c
            WHERE c.relname = part[2]
              AND c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = part[1]));
END
$body$;
COMMENT ON FUNCTION dunning._relation_oid(text) IS 'The relation of a quoted, schema-qualified name; NULL where there is none.';

CREATE FUNCTION dunning._source_columns(relation oid)
RETURNS TABLE (name text, type text, base oid, typmod int, typtype "char", collation_name text, deterministic boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN QUERY
    WITH RECURSIVE step AS (
        SELECT a.attnum, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
               a.atttypid AS base, a.atttypmod AS typmod, a.attcollation
        FROM pg_attribute a
        WHERE a.attrelid = _source_columns.relation AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        -- a domain stands for what it is over
        SELECT s.attnum, s.name, s.type, t.typbasetype, t.typtypmod, s.attcollation
        FROM step s JOIN pg_type t ON t.oid = s.base AND t.typtype = 'd'
    )
    SELECT s.name, s.type, s.base, s.typmod, t.typtype,
           quote_ident(n.nspname) || '.' || quote_ident(l.collname), coalesce(l.collisdeterministic, true)
    FROM step s
    JOIN pg_type t ON t.oid = s.base AND t.typtype <> 'd'
    LEFT JOIN pg_collation l ON l.oid = s.attcollation
    LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
    ORDER BY s.attnum;
END
$body$;
COMMENT ON FUNCTION dunning._source_columns(oid) IS 'The columns of a relation with their types, domains looked through.';

-- A source that was renamed is found again by its old oid where that still names a relation with the same columns.
CREATE FUNCTION dunning._rebind_call(binding dunning.source_binding) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    target text := (_rebind_call.binding).relation;
BEGIN
    IF dunning._relation_oid(target) IS NULL THEN
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) INTO target
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = (_rebind_call.binding).relation_oid
          AND NOT EXISTS (
              SELECT FROM jsonb_object_keys((_rebind_call.binding).columns) k
              WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = k.k AND NOT a.attisdropped));
    END IF;
    RETURN format('SELECT dunning.bind(%L, %L%s%s);', (_rebind_call.binding).kind, coalesce(target, (_rebind_call.binding).relation),
                  coalesce(', max_age => ' || quote_literal((_rebind_call.binding).max_age::text), ''),
                  CASE WHEN cardinality((_rebind_call.binding).immutable) > 0
                       THEN ', immutable => ' || quote_literal((_rebind_call.binding).immutable::text) ELSE '' END);
END
$body$;
COMMENT ON FUNCTION dunning._rebind_call(dunning.source_binding) IS 'The bind() call that mends a broken source.';

CREATE FUNCTION dunning._source_fault(binding dunning.source_binding, OUT fault text, OUT fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    b dunning.source_binding := _source_fault.binding;
    rel oid := dunning._relation_oid(b.relation);
    role name;
    found_role text[] := '{}';
BEGIN
    IF rel IS NULL THEN
        fault := format('The relation %s is gone or was renamed.', b.relation);
        fix_sql := dunning._rebind_call(b);
        RETURN;
    END IF;
    SELECT string_agg(CASE WHEN a.attname IS NULL THEN format('Column %I is gone.', c.key)
                           ELSE format('Column %I is %s now, it was %s.', c.key, format_type(a.atttypid, a.atttypmod), c.value) END,
                      ' ' ORDER BY c.key)
    INTO fault
    FROM jsonb_each_text(b.columns) c
    LEFT JOIN pg_attribute a ON a.attrelid = rel AND a.attname = c.key AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attname IS NULL OR format_type(a.atttypid, a.atttypmod) <> c.value;
    IF fault IS NOT NULL THEN
        fix_sql := dunning._rebind_call(b);
        RETURN;
    END IF;
    FOREACH role IN ARRAY ARRAY['dunning_owner', 'dunning_worker']::name[] LOOP
        IF NOT dunning._may_read(role, rel, ARRAY(SELECT jsonb_object_keys(b.columns))) THEN
            found_role := found_role || role::text;
        END IF;
    END LOOP;
    IF cardinality(found_role) > 0 THEN
        fault := format('%s may not read %s.', array_to_string(found_role, ' and '), b.relation);
        fix_sql := dunning._grant_call(rel, found_role);
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning._source_fault(dunning.source_binding) IS 'What is wrong with a bound source (NULL: nothing) and the SQL that mends it.';

CREATE FUNCTION dunning._may_read(role name, relation oid, columns text[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN has_schema_privilege(_may_read.role, (SELECT c.relnamespace FROM pg_class c WHERE c.oid = _may_read.relation), 'USAGE')
       AND (has_table_privilege(_may_read.role, _may_read.relation, 'SELECT')
            OR NOT EXISTS (SELECT FROM unnest(_may_read.columns) c
                           WHERE NOT has_column_privilege(_may_read.role, _may_read.relation, c.c, 'SELECT')));
END
$body$;
COMMENT ON FUNCTION dunning._may_read(name, oid, text[]) IS 'Whether a role may select these columns of a relation.';

CREATE FUNCTION dunning._grant_call(relation oid, roles text[]) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN (SELECT format('GRANT USAGE ON SCHEMA %1$I TO %2$s; GRANT SELECT ON %3$I.%4$I TO %2$s;',
                          n.nspname, array_to_string(_grant_call.roles, ', '), n.nspname, c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = _grant_call.relation);
END
$body$;
COMMENT ON FUNCTION dunning._grant_call(oid, text[]) IS 'The GRANTs that let roles read a relation.';

-- A view over the relation that has the contract's names and types: known columns as they are, guesses for the others.
CREATE FUNCTION dunning._view_template(kind text, relation oid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    items text;
BEGIN
    SELECT string_agg(CASE WHEN f.name IS NULL THEN format('<%s> AS %1$I', c.name)
                           WHEN dunning._accepts(c.class, f.base, f.typmod, f.typtype) AND f.deterministic THEN
                               CASE WHEN f.name = c.name THEN format('t.%I', c.name) ELSE format('t.%I AS %I', f.name, c.name) END
                           WHEN NOT f.deterministic THEN format('t.%I COLLATE "C" AS %I', f.name, c.name)
                           ELSE format('t.%I::%s AS %I', f.name, dunning._contract_cast(c.class, f.base), c.name) END,
                      ', ' ORDER BY c.pos)
    INTO items
    FROM dunning._ledger_contract(_view_template.kind) c
    LEFT JOIN LATERAL (
        SELECT s.name, s.base, s.typmod, s.typtype, s.deterministic
        FROM dunning._source_columns(_view_template.relation) s
        WHERE s.name = c.name OR lower(s.name) = ANY (c.guesses)
           OR replace(lower(s.name), '_', '') = replace(c.name, '_', '')
        ORDER BY s.name <> c.name, array_position(c.guesses, lower(s.name)) LIMIT 1) f ON true
    WHERE c.required OR f.name IS NOT NULL;
    RETURN (SELECT format('CREATE VIEW %1$I.%2$I AS SELECT %3$s FROM %1$I.%4$I AS t; SELECT dunning.bind(%5$L, %6$L);',
                          n.nspname, 'dunning_' || _view_template.kind, items, c.relname,
                          _view_template.kind, quote_ident(n.nspname) || '.' || quote_ident('dunning_' || _view_template.kind))
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = _view_template.relation);
END
$body$;
COMMENT ON FUNCTION dunning._view_template(text, oid) IS 'CREATE VIEW that gives a relation the names and types of the contract; unknown columns stand in angle brackets.';

CREATE FUNCTION dunning._probe_as_worker(statement text) RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_ledger_sql_probe_as_worker';
COMMENT ON FUNCTION dunning._probe_as_worker(text) IS 'Tries a SELECT as dunning_worker; its error is yours.';

-- integer keys of every width and numeric(n,0) print alike, so they are one family
CREATE FUNCTION dunning._key_family(base oid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN CASE WHEN $1 IN (20, 21, 23, 1700) THEN 'integer' WHEN $1 = 2950 THEN 'uuid' ELSE 'text' END;
END
$body$;
COMMENT ON FUNCTION dunning._key_family(oid) IS 'integer, uuid or text: keys of one family have the same canonical text.';

CREATE FUNCTION dunning._check_shape(kind text, relation oid, shown text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    faults text;
BEGIN
    SELECT string_agg(CASE
            WHEN s.name IS NULL THEN format('Column %I (%s) is missing.', c.name, c.class)
            WHEN NOT s.deterministic THEN format('Column %I has the nondeterministic collation %s.', c.name, s.collation_name)
            ELSE format('Column %I is %s, which cannot be %s.', c.name, s.type,
                        CASE c.class WHEN 'key' THEN 'a key (integer types, numeric(n,0), uuid, text, varchar)'
                                     WHEN 'id' THEN 'text'
                                     WHEN 'instant' THEN 'a timestamptz' WHEN 'number' THEN 'numeric'
                                     WHEN 'json' THEN 'jsonb' ELSE c.class END) END,
            ' ' ORDER BY c.pos)
    INTO faults
    FROM dunning._ledger_contract(_check_shape.kind) c
    LEFT JOIN dunning._source_columns(_check_shape.relation) s ON s.name = c.name
    WHERE CASE WHEN s.name IS NULL THEN c.required
               ELSE NOT dunning._accepts(c.class, s.base, s.typmod, s.typtype)
                    OR (c.class = 'key' AND NOT s.deterministic) END;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'relation % cannot serve as source of %', _check_shape.shown, _check_shape.kind
            USING ERRCODE = '22023', DETAIL = faults,
                  HINT = 'Bind a view over it: ' || dunning._view_template(_check_shape.kind, _check_shape.relation);
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning._check_shape(text, oid, text) IS 'Complains (22023) about every column that is missing or of a wrong type; HINT holds a view that mends it.';

CREATE FUNCTION dunning._check_families(kind text, relation oid, shown text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    other record;
BEGIN
    SELECT b.kind, b.relation, o.name, o.type AS their_type, s.type AS our_type, dunning._key_family(o.base) AS family INTO other
    FROM dunning.source_binding b,
         LATERAL dunning._source_columns(dunning._relation_oid(b.relation)) o,
         dunning._source_columns(_check_families.relation) s
    WHERE b.kind <> _check_families.kind AND b.columns ? o.name AND o.name = s.name
      AND o.name IN ('debtor_id', 'invoice_id')
      AND dunning._key_family(o.base) <> dunning._key_family(s.base)
    ORDER BY b.kind LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'keys of % and % do not agree', _check_families.shown, other.relation
            USING ERRCODE = '22023',
                  DETAIL = format('Column %I is %s here and %s in the source of %s, so equal keys would not be equal.',
                                  other.name, other.our_type, other.their_type, other.kind),
                  HINT = format('Bind a view with %1$I::%2$s AS %1$I, or unbind the other: SELECT dunning.unbind(%3$L);', other.name,
                                CASE other.family WHEN 'integer' THEN 'bigint' ELSE other.family END, other.kind);
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning._check_families(text, oid, text) IS 'Complains (22023) where the keys of two bound sources are of different families.';

CREATE FUNCTION dunning._check_rights(kind text, relation oid, shown text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    wanted text[] := ARRAY(SELECT c.name FROM dunning._ledger_contract(_check_rights.kind) c
                           JOIN dunning._source_columns(_check_rights.relation) s ON s.name = c.name ORDER BY c.pos);
    lacking text[];
    attempt text;
    message text;
    state text;
BEGIN
    lacking := ARRAY(SELECT r.r FROM unnest(ARRAY['dunning_owner', 'dunning_worker']) r
                     WHERE NOT dunning._may_read(r.r::name, _check_rights.relation, wanted));
    IF cardinality(lacking) > 0 THEN
        RAISE EXCEPTION 'relation % may not be read by %', _check_rights.shown, array_to_string(lacking, ' and ')
            USING ERRCODE = '42501', DETAIL = 'bind() grants nothing; it only checks.',
                  HINT = dunning._grant_call(_check_rights.relation, lacking);
    END IF;
    -- A security_invoker view asks for more, one level down: only reading it tells.
    attempt := format('SELECT %s FROM %s LIMIT 0', (SELECT string_agg(quote_ident(w.w), ', ') FROM unnest(wanted) w), _check_rights.shown);
    BEGIN
        PERFORM dunning._now();     -- loads the library, and with it the guard (src/base/guard.c)
        EXECUTE attempt;
        PERFORM dunning._probe_as_worker(attempt);
    EXCEPTION WHEN insufficient_privilege THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        RAISE EXCEPTION 'relation % cannot be read', _check_rights.shown
            USING ERRCODE = state, DETAIL = format('Reading it says: %s.', message),
                  HINT = format('GRANT SELECT on what it reads to dunning_owner and dunning_worker, or ALTER VIEW %s SET (security_invoker = false);',
                                _check_rights.shown);
    END;
END
$body$;
COMMENT ON FUNCTION dunning._check_rights(text, oid, text) IS 'Complains (42501) where dunning_owner or dunning_worker may not read the relation; HINT holds the GRANT.';

CREATE FUNCTION dunning._check_kind(kind text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    IF _check_kind.kind IS NULL OR _check_kind.kind NOT IN ('debtor', 'invoice', 'payment') THEN
        RAISE EXCEPTION 'unknown kind of source "%"', coalesce(_check_kind.kind, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'The kinds are debtor, invoice and payment.',
                  HINT = 'SELECT dunning.bind(''invoice'', ''billing.v_invoice'');';
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning._check_kind(text) IS 'Complains (22023) about any kind but debtor, invoice and payment.';

CREATE FUNCTION dunning._check_relation(relation regclass) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    rel record;
BEGIN
    SELECT c.relkind, c.relpersistence, n.nspname, c.relname,
           quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS shown INTO rel
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = _check_relation.relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no relation given' USING ERRCODE = '22023', HINT = 'SELECT dunning.bind(''invoice'', ''billing.v_invoice'');';
    ELSIF rel.relkind NOT IN ('r', 'v', 'm', 'f', 'p') THEN
        RAISE EXCEPTION '% is neither a table nor a view', rel.shown
            USING ERRCODE = '42809', HINT = 'Bind a table, a view, a materialised view or a foreign table.';
    ELSIF rel.relpersistence = 't' THEN
        RAISE EXCEPTION '% is temporary', rel.relname
            USING ERRCODE = '22023', DETAIL = 'Other sessions and the worker cannot see it.', HINT = 'Bind a permanent table or view.';
    ELSIF rel.nspname = 'dunning' AND rel.relname NOT IN ('debtor', 'invoice', 'payment') THEN
        RAISE EXCEPTION '% belongs to the extension', rel.shown
            USING ERRCODE = '22023', HINT = 'Bind a relation of the billing system, or use the built-in tables: SELECT dunning.unbind(''invoice'');';
    END IF;
    RETURN rel.shown;
END
$body$;
COMMENT ON FUNCTION dunning._check_relation(regclass) IS 'The quoted, qualified name of a relation that may be bound; complains about temporary ones, our own, and what is no table.';

CREATE FUNCTION dunning.bind(kind text, relation regclass, max_age interval DEFAULT NULL, immutable text[] DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    shown text;
    unknown text;
BEGIN
    PERFORM dunning._check_kind(bind.kind);
    shown := dunning._check_relation(bind.relation);
    IF bind.max_age <= '0'::interval THEN
        RAISE EXCEPTION 'max_age must be positive' USING ERRCODE = '22023',
            DETAIL = format('It is %s.', bind.max_age), HINT = 'Use an age such as ''26 hours'', or NULL for a source that is live.';
    END IF;
    PERFORM dunning._check_shape(bind.kind, bind.relation, shown);
    SELECT string_agg(i.i, ', ') INTO unknown FROM unnest(bind.immutable) i
    WHERE i.i IS NULL OR NOT EXISTS (SELECT FROM dunning._source_columns(bind.relation) s
                                     JOIN dunning._ledger_contract(bind.kind) c ON c.name = s.name WHERE s.name = i.i);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'unknown columns in immutable' USING ERRCODE = '22023', DETAIL = format('Not columns of %s: %s.', shown, unknown),
            HINT = 'List columns of the contract that never change once written, such as ''{attributes}''.';
    END IF;
    PERFORM dunning._check_families(bind.kind, bind.relation, shown);
    PERFORM dunning._check_rights(bind.kind, bind.relation, shown);

    -- Binding a built-in table is the same as binding nothing.
    IF shown = 'dunning.' || bind.kind THEN
        DELETE FROM dunning.source_binding b WHERE b.kind = bind.kind;
        PERFORM dunning._forget_sources();
        RETURN;
    END IF;
    INSERT INTO dunning.source_binding AS b (kind, relation, relation_oid, columns, key_type, max_age, immutable, bound_by, bound_at)
    SELECT bind.kind, shown, bind.relation, jsonb_object_agg(s.name, s.type),
           max(format_type(s.base, s.typmod)) FILTER (WHERE s.name = 'debtor_id'), bind.max_age, coalesce(bind.immutable, '{}'),
           session_user, clock_timestamp()
    FROM dunning._source_columns(bind.relation) s
    JOIN dunning._ledger_contract(bind.kind) c ON c.name = s.name
    ON CONFLICT ON CONSTRAINT source_binding_pkey DO UPDATE
    SET relation = EXCLUDED.relation, relation_oid = EXCLUDED.relation_oid, columns = EXCLUDED.columns, key_type = EXCLUDED.key_type,
        max_age = EXCLUDED.max_age, immutable = EXCLUDED.immutable, bound_by = EXCLUDED.bound_by, bound_at = EXCLUDED.bound_at;
    PERFORM dunning._forget_sources();
END
$body$;
COMMENT ON FUNCTION dunning.bind(text, regclass, interval, text[]) IS
'Binds debtor, invoice or payment to a table or view of the billing system, read live from now on. Checks names, types and rights and grants nothing: 22023 with a CREATE VIEW in HINT, 42501 with the GRANT. With max_age everything is held as ledger_stale unless ledger_loaded() is younger. immutable lists columns that never change once written, so that they are known for a past instant too. Role: dunning_admin.';

CREATE FUNCTION dunning.unbind(kind text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_kind(unbind.kind);
    PERFORM dunning._forget_sources();
    DELETE FROM dunning.source_binding b WHERE b.kind = unbind.kind;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION dunning.unbind(text) IS 'Gives up a binding: the built-in table of the kind serves again. False where nothing was bound. Role: dunning_admin.';

CREATE FUNCTION dunning.ledger_loaded(kind text, complete_until timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_kind(ledger_loaded.kind);
    IF ledger_loaded.complete_until IS NULL OR NOT isfinite(ledger_loaded.complete_until)
       OR ledger_loaded.complete_until > dunning._now() + '1 day'::interval THEN
        RAISE EXCEPTION 'complete_until must be an instant that has come'
            USING ERRCODE = '22023', DETAIL = format('It is %s.', coalesce(ledger_loaded.complete_until::text, 'NULL')),
                  HINT = format('SELECT dunning.ledger_loaded(%L, now());', ledger_loaded.kind);
    END IF;
    INSERT INTO dunning.ledger_load AS l (kind, complete_until, loaded_at, loaded_by)
    VALUES (ledger_loaded.kind, ledger_loaded.complete_until, dunning._now(), session_user)
    ON CONFLICT ON CONSTRAINT ledger_load_pkey DO UPDATE
    SET complete_until = EXCLUDED.complete_until, loaded_at = EXCLUDED.loaded_at, loaded_by = EXCLUDED.loaded_by;
    -- What waited for this load alone is looked at again at once; the gate then sees who has paid.
    IF dunning._ledger_problem() IS NULL THEN
        PERFORM dunning._release_held(NULL, 'ledger_stale');
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning.ledger_loaded(text, timestamptz) IS
'Said by the import job when it is done: this source is complete up to that instant. Matters where bind() was given max_age. Not more than a day ahead (22023). Role: dunning_operator.';

CREATE FUNCTION dunning._sources()
RETURNS TABLE (kind text, relation text, state text, detail text, fix_sql text, max_age interval, complete_until timestamptz,
               columns text[], immutable text[], bound_by text, bound_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT k.k, coalesce(b.relation, 'dunning.' || k.k),
           CASE WHEN b.kind IS NULL THEN 'builtin' WHEN f.fault IS NOT NULL THEN 'broken' WHEN s.stale THEN 'stale' ELSE 'ok' END,
           CASE WHEN f.fault IS NOT NULL THEN f.fault
                WHEN s.stale THEN format('%s; it may be %s old.', coalesce('The last load is complete until ' || l.complete_until, 'Nothing was said to be loaded'), b.max_age)
           END,
           CASE WHEN f.fault IS NOT NULL THEN f.fix_sql
                WHEN s.stale THEN format('SELECT dunning.ledger_loaded(%L, now()); -- once the import is done', k.k)
           END,
           b.max_age, l.complete_until,
           ARRAY(SELECT c.name FROM dunning._ledger_contract(k.k) c
                 WHERE CASE WHEN b.kind IS NOT NULL THEN b.columns ? c.name
                       ELSE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('dunning.' || k.k)::regclass AND a.attname = c.name) END
                 ORDER BY c.pos),
           coalesce(b.immutable, '{}'), b.bound_by, b.bound_at
    FROM unnest(ARRAY['debtor', 'invoice', 'payment']) WITH ORDINALITY k (k, ord)
    LEFT JOIN dunning.source_binding b ON b.kind = k.k
    LEFT JOIN dunning.ledger_load l ON l.kind = k.k
    LEFT JOIN LATERAL dunning._source_fault(b) f ON b.kind IS NOT NULL
    CROSS JOIN LATERAL (SELECT b.max_age IS NOT NULL
        AND (l.complete_until IS NULL OR l.complete_until < dunning._now() - b.max_age) AS stale) s
    ORDER BY k.ord;
END
$body$;
COMMENT ON FUNCTION dunning._sources() IS 'The rows of the view source.';

CREATE VIEW dunning.source WITH (security_invoker, security_barrier) AS
    SELECT s.kind, s.relation, s.state, s.detail, s.fix_sql, s.max_age, s.complete_until, s.columns, s.immutable, s.bound_by, s.bound_at
    FROM dunning._sources() s;
COMMENT ON VIEW dunning.source IS
'What serves each kind of the ledger: relation, state (ok, broken, stale, builtin), what is wrong and the SQL that mends it, freshness, and the contract columns it has. Role: dunning_viewer.';

CREATE FUNCTION dunning._ledger_whole() RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'dun_ledger_sql_whole';
COMMENT ON FUNCTION dunning._ledger_whole() IS 'Whether no bound source has a fault (_source_fault()). The session remembers a yes until a binding, one of the relations, a role or a schema changes.';

CREATE FUNCTION dunning._ledger_problem() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    IF NOT dunning._ledger_whole() THEN
        RETURN 'ledger_broken';
    END IF;
    RETURN CASE WHEN EXISTS (
        SELECT FROM dunning.source_binding b
        WHERE b.max_age IS NOT NULL AND NOT EXISTS (
            SELECT FROM dunning.ledger_load l
            WHERE l.kind = b.kind AND l.complete_until >= dunning._now() - b.max_age)) THEN 'ledger_stale' END;
END
$body$;
COMMENT ON FUNCTION dunning._ledger_problem() IS 'Why nobody may be contacted now: ledger_broken (a source was changed, dropped or may not be read) or ledger_stale (its last load is too old); NULL when all is well.';

CREATE FUNCTION dunning._ledger_signature() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN coalesce((SELECT string_agg(format('%s=%s %s %s %s', b.kind, b.relation, b.bound_at, b.columns, b.immutable), ';' ORDER BY b.kind)
                     FROM dunning.source_binding b), '');
END
$body$;
COMMENT ON FUNCTION dunning._ledger_signature() IS 'Changes whenever a binding does: SQL text made by the _..._sql() calls must then be made anew.';

CREATE FUNCTION dunning._ledger_steady() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN NOT EXISTS (SELECT FROM dunning.source_binding b WHERE dunning._is_steady(to_regclass(b.relation)) IS NOT TRUE);
END
$body$;
COMMENT ON FUNCTION dunning._ledger_steady() IS 'True where each bound relation is steady (_is_steady()): as long as no transaction ends, what was read of the ledger is still so. The built-in tables are.';

GRANT EXECUTE ON FUNCTION dunning.bind(text, regclass, interval, text[]), dunning.unbind(text) TO dunning_admin;
GRANT EXECUTE ON FUNCTION dunning.ledger_loaded(text, timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._sources() TO dunning_viewer;
GRANT SELECT ON dunning.source TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._ledger_problem(), dunning._ledger_signature(), dunning._ledger_steady() TO dunning_worker;
