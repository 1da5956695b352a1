\echo Use "ALTER EXTENSION dunning UPDATE TO '0.2.0'" to load this file. \quit
-- From 0.1.0 to 0.2.0; written by make release-delta. Months of messages get new columns through their parents;
-- their indexes and rights come with maintain().

-- What goes, or must be made anew.
DROP FUNCTION dunning._report_reach(timestamp with time zone);
DROP FUNCTION dunning._json_field(text,text);
DROP FUNCTION dunning.save_template(text,text,text,text,text,text,text,text,text[]);
DROP FUNCTION dunning._lint_template(text,text,text,text,text,text[]);
DROP FUNCTION dunning.open_link(text);
DROP FUNCTION dunning._template_fields(text,text,text,jsonb);
DROP FUNCTION dunning._render(text,text,text,jsonb,text);
DROP FUNCTION dunning._stage_reach(timestamp with time zone);
DROP FUNCTION dunning.set_cost(text,numeric,text,text,date);
DROP FUNCTION dunning.save_step(text,text,integer,integer,text,text[],text,text,text,boolean,integer,boolean,boolean);
DROP FUNCTION dunning.save_strategy(text,text,jsonb,integer,interval,integer,double precision,numeric,boolean);
DROP FUNCTION dunning._check_minimum(jsonb);
DROP FUNCTION dunning._costs(text,date);
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.channel_cost')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.channel_cost DROP CONSTRAINT IF EXISTS channel_cost_pkey$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.step')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.step DROP CONSTRAINT IF EXISTS step_anchor_check$step$;
END
$do$;
DROP FUNCTION dunning._ask(text[],text[],timestamp with time zone[],text[],anyarray);
DROP FUNCTION dunning.save_creditor(text,text,text,text,text,text,text,text);

-- What is new or differs.
CREATE FUNCTION dunning._is_steady(relation regclass)
 RETURNS boolean
 LANGUAGE c
 STABLE STRICT
AS 'MODULE_PATHNAME', $function$dun_base_sql_is_steady$function$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.creditor')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.creditor ADD COLUMN IF NOT EXISTS link_url text$step$;
END
$do$;
CREATE FUNCTION dunning.save_creditor(creditor text, name text, sender_name text DEFAULT NULL::text, reply_to text DEFAULT NULL::text, phone text DEFAULT NULL::text, account text DEFAULT NULL::text, language text DEFAULT 'en'::text, default_strategy text DEFAULT NULL::text, link_url text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF coalesce(btrim(save_creditor.creditor), '') = '' OR coalesce(btrim(save_creditor.name), '') = '' OR save_creditor.language IS NULL THEN
        RAISE EXCEPTION 'a creditor needs a key, a name and a language' USING ERRCODE = '22023',
            HINT = 'SELECT dunning.save_creditor(''north'', ''Nordlys Energi'', reply_to => ''billing@nordlys.example'', language => ''da'');';
    END IF;
    -- These stand in headers of messages; a line break would add headers of its own.
    IF concat_ws(' ', save_creditor.name, save_creditor.sender_name, save_creditor.reply_to, save_creditor.phone) ~ '[\r\n]' THEN
        RAISE EXCEPTION 'a creditor''s name, sender, reply address and phone are single lines' USING ERRCODE = '22023',
            DETAIL = 'One of them holds a line break.', HINT = 'Give each as one line.';
    END IF;
    -- A token is put behind it as it is, and stands in an SMS.
    IF save_creditor.link_url !~ '^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[-A-Za-z0-9._~/?=&%]*$' OR length(save_creditor.link_url) > 200 THEN
        RAISE EXCEPTION 'link_url is no address to put a token behind' USING ERRCODE = '22023',
            DETAIL = 'It begins with https://, has a path, no # and at most 200 characters.', HINT = 'Such as https://pay.nordlys.example/d/ or https://nordlys.example/pay?t=.';
    END IF;
    INSERT INTO dunning.creditor_change (creditor, changed_at, changed_by, before)
    SELECT save_creditor.creditor, dunning._now(), session_user,
           (SELECT to_jsonb(c) FROM dunning.creditor c WHERE c.creditor = save_creditor.creditor ORDER BY c.builtin LIMIT 1);
    INSERT INTO dunning.creditor AS c (creditor, name, sender_name, reply_to, phone, account, language, default_strategy, link_url, builtin)
    VALUES (save_creditor.creditor, save_creditor.name, save_creditor.sender_name, save_creditor.reply_to, save_creditor.phone,
            save_creditor.account, save_creditor.language, save_creditor.default_strategy, save_creditor.link_url, false)
    ON CONFLICT ON CONSTRAINT creditor_pkey DO UPDATE
    SET name = EXCLUDED.name, sender_name = EXCLUDED.sender_name, reply_to = EXCLUDED.reply_to, phone = EXCLUDED.phone,
        account = EXCLUDED.account, language = EXCLUDED.language, default_strategy = EXCLUDED.default_strategy,
        link_url = EXCLUDED.link_url;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._ledger_contract(kind text)
 RETURNS TABLE(pos integer, name text, class text, required boolean, guesses text[])
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
CREATE OR REPLACE FUNCTION dunning._accepts(class text, base oid, typmod integer, typtype "char")
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
CREATE OR REPLACE FUNCTION dunning._contract_cast(class text, base oid)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
CREATE OR REPLACE FUNCTION dunning._check_shape(kind text, relation oid, shown text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
CREATE OR REPLACE FUNCTION dunning._check_rights(kind text, relation oid, shown text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
CREATE FUNCTION dunning._ledger_steady()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN NOT EXISTS (SELECT FROM dunning.source_binding b WHERE dunning._is_steady(to_regclass(b.relation)) IS NOT TRUE);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._check_as_of(as_of timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    -- Years of four digits: what is counted from there stays a timestamp.
    IF _check_as_of.as_of < '0001-01-02 00:00+00' OR _check_as_of.as_of > '9999-12-30 00:00+00' THEN
        RAISE EXCEPTION 'as_of must be an instant' USING ERRCODE = '22023',
            DETAIL = format('It is %s.', _check_as_of.as_of), HINT = 'Leave as_of out for the present.';
    END IF;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._source_of(kind text, OUT relation text, OUT builtin boolean, OUT columns jsonb, OUT immutable text[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    b dunning.source_binding;
    fault record;
    rel oid;
BEGIN
    PERFORM dunning._now();     -- whoever is about to read a bound relation has the library, and with it the guard (src/base/guard.c)
    PERFORM dunning._check_kind(_source_of.kind);
    SELECT s.* INTO b FROM dunning.source_binding s WHERE s.kind = _source_of.kind;
    builtin := NOT FOUND;
    IF builtin THEN
        relation := 'dunning.' || _source_of.kind;
        immutable := '{}';
    ELSE
        SELECT f.fault, f.fix_sql INTO fault FROM dunning._source_fault(b) f;
        IF fault.fault IS NOT NULL THEN
            RAISE EXCEPTION 'the source of % is broken', _source_of.kind
                USING ERRCODE = 'DN001', DETAIL = fault.fault, HINT = fault.fix_sql;
        END IF;
        relation := b.relation;
        immutable := b.immutable;
    END IF;
    rel := dunning._relation_oid(relation);
    SELECT jsonb_object_agg(s.name, jsonb_build_object('base', s.base::bigint, 'typmod', s.typmod, 'collation', s.collation_name))
    INTO columns
    FROM dunning._source_columns(rel) s
    JOIN dunning._ledger_contract(_source_of.kind) c ON c.name = s.name
    WHERE builtin OR b.columns ? s.name;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._column_sql(class text, name text, base oid)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN CASE $1
        WHEN 'key'     THEN CASE WHEN $3 IS NULL THEN 'NULL::text' ELSE format('s.%I::text', $2) END || ' COLLATE "C"'
        WHEN 'id'      THEN CASE WHEN $3 IS NULL THEN 'NULL::text' ELSE format('s.%I::text', $2) END || CASE WHEN $2 = 'reference' THEN '' ELSE ' COLLATE "C"' END
        WHEN 'text'    THEN
            CASE WHEN $3 IS NULL THEN 'NULL::text' ELSE format('s.%I::text', $2) END
            || CASE WHEN $2 IN ('currency', 'kind') THEN ' COLLATE "C"' ELSE '' END
        WHEN 'instant' THEN
            CASE WHEN $3 IS NULL THEN 'NULL::timestamptz' WHEN $3 = 1184 THEN format('s.%I::timestamptz', $2)
                 ELSE format('(s.%I::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()))', $2) END
        ELSE CASE WHEN $3 IS NULL THEN 'NULL' ELSE format('s.%I', $2) END || '::' || dunning._contract_cast($1, 0)
    END;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._ledger_sql(kind text, many text DEFAULT NULL::text, as_of text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    src record;
    cut text := '(SELECT ' || dunning._cut_sql(_ledger_sql.as_of) || ')';
    past text;
    items text;
    recorded text;
    exists_if text;
    conditions text[] := '{}';
BEGIN
    SELECT o.relation, o.columns, o.immutable INTO src FROM dunning._source_of(_ledger_sql.kind) o;
    -- What is not dated is known for the present alone.
    past := CASE WHEN _ledger_sql.as_of IS NULL THEN NULL
                 ELSE format('(SELECT (%s)::timestamptz < dunning._now() - ''1 min''::interval)', _ledger_sql.as_of) END;
    SELECT string_agg(CASE
            WHEN c.name = 'creditor' THEN format('coalesce(%s, ''default'')', e.e)
            WHEN c.name = 'person_id' THEN format('coalesce(%s, s.debtor_id::text)', e.e)
            WHEN c.name = 'kind' AND _ledger_sql.kind = 'invoice' THEN format('coalesce(%s, ''invoice'')', e.e)
            -- a source that only says since when: an invoice with that instant is disputed
            WHEN c.name = 'disputed' AND src.columns ? 'disputed_at' AND NOT src.columns ? 'disputed' THEN
                format('(%1$s IS NOT NULL AND (%2$s IS NULL OR %1$s < %2$s))',
                       dunning._column_sql('instant', 'disputed_at', (src.columns #>> '{disputed_at,base}')::oid), cut)
            WHEN NOT src.columns ? c.name OR c.name = ANY (src.immutable) THEN e.e
            WHEN c.name IN ('disputed_at', 'cancelled_at') THEN format('CASE WHEN %s IS NULL OR %s < %1$s THEN %2$s END', cut, e.e)
            WHEN c.name = 'disputed' AND src.columns ? 'disputed_at' AND past IS NOT NULL THEN
                format('CASE WHEN %1$s THEN CASE WHEN %2$s < %3$s THEN true WHEN %2$s IS NULL AND %4$s THEN NULL ELSE false END ELSE %4$s END', past,
                       dunning._column_sql('instant', 'disputed_at', (src.columns #>> '{disputed_at,base}')::oid), cut, e.e)
            WHEN c.name IN ('disputed', 'consent', 'attributes') AND past IS NOT NULL THEN format('CASE WHEN %s THEN NULL ELSE %s END', past, e.e)
            WHEN c.name = 'open_amount' THEN format('CASE WHEN %s THEN %s END', dunning._is_live_sql(_ledger_sql.as_of), e.e)
            ELSE e.e END || ' AS ' || quote_ident(c.name), ', ' ORDER BY c.pos)
    INTO items
    FROM dunning._ledger_contract(_ledger_sql.kind) c,
         LATERAL dunning._column_sql(c.class, c.name, (src.columns #>> ARRAY[c.name, 'base'])::oid) e;

    IF _ledger_sql.kind <> 'debtor' THEN
        exists_if := CASE _ledger_sql.kind
            WHEN 'payment' THEN dunning._column_sql('instant', 'paid_at', (src.columns #>> '{paid_at,base}')::oid)
            ELSE 's.issued_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone())' END;
        recorded := dunning._column_sql('instant', 'recorded_at', (src.columns #>> '{recorded_at,base}')::oid);
        conditions := conditions || CASE
            WHEN src.columns ? 'recorded_at' THEN format('(%s IS NULL OR coalesce(%s, %s) < %1$s)', cut, recorded, exists_if)
            WHEN _ledger_sql.kind = 'payment' THEN format('(%s IS NULL OR %s < %1$s)', cut, exists_if)
            -- a date against a local timestamp: no conversion a row
            ELSE format('(%s IS NULL OR s.issued_on < (SELECT %s AT TIME ZONE (SELECT dunning._ledger_zone())))', cut, dunning._cut_sql(_ledger_sql.as_of)) END;
    END IF;
    IF _ledger_sql.many IS NOT NULL THEN
        conditions := conditions || dunning._many_sql(_ledger_sql.many, 'debtor_id', (src.columns #>> '{debtor_id,base}')::oid,
                                                      src.columns #>> '{debtor_id,collation}');
    ELSE
        -- nobody could be asked about, or held, by an empty key
        conditions := conditions || CASE WHEN (src.columns #>> '{debtor_id,base}')::oid IN (25, 1042, 1043) THEN 's.debtor_id <> '''''::text ELSE 's.debtor_id IS NOT NULL' END;
    END IF;
    RETURN format('SELECT %s, s.debtor_id AS source_id FROM %s AS s WHERE %s', items, src.relation, array_to_string(conditions, ' AND '));
END
$function$;
CREATE FUNCTION dunning._disputed_sql(many text, as_of text, OUT value text, OUT joined text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    joined := '';
    IF EXISTS (SELECT FROM dunning.source_binding b WHERE b.kind = 'invoice' AND NOT b.columns ?| '{disputed,disputed_at}') THEN
        value := '0::numeric';
    ELSIF _disputed_sql.many IS NOT NULL THEN
        value := format('CASE WHEN b.disputes AND b.balance > 0 THEN coalesce((SELECT sum(o.open) FROM (%s) o WHERE o.disputed AND o.currency = b.currency), 0) ELSE 0 END',
                        dunning._open_items_sql('ARRAY[b.debtor_id]', _disputed_sql.as_of));
    ELSE
        value := 'coalesce(q.disputed, 0)';
        joined := format('LEFT JOIN (SELECT o.debtor_id, o.currency, sum(o.open) AS disputed FROM (%s) o WHERE o.disputed GROUP BY 1, 2) q
            ON q.debtor_id = b.debtor_id AND q.currency = b.currency',
            dunning._open_items_sql(format('ARRAY(SELECT DISTINCT d.debtor_id FROM (%s) d WHERE d.disputed)',
                                           dunning._invoices_sql(NULL, _disputed_sql.as_of)), _disputed_sql.as_of));
    END IF;
END
$function$;
CREATE FUNCTION dunning._balance_rows_sql(many text DEFAULT NULL::text, as_of text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    states text := dunning._states_balance_sql(_balance_rows_sql.as_of);
    owed text := 'l.amount';
    checked text := 'l.amount';
    repaid text := '-l.amount';
BEGIN
    IF states <> 'false' THEN
        owed := format('CASE WHEN %s THEN l.stated ELSE l.amount END', states);
        checked := format('(CASE WHEN %s THEN l.stated + l.amount ELSE l.amount END)', states);
        repaid := format('CASE WHEN %s THEN 0 ELSE -l.amount END', states);
    END IF;
    RETURN format($q$SELECT l.debtor_id, coalesce(l.currency, '') AS currency, %1$s AS owed, NULL::numeric AS paid, l.disputed,
                CASE WHEN (%2$s > '-Infinity' AND %2$s < 'Infinity') IS NOT TRUE THEN 1
                     WHEN (l.currency <> '') IS NOT TRUE THEN 2
                     WHEN l.amount <= 0 THEN 5
                     WHEN (isfinite(l.issued_on) AND isfinite(l.due_on)) IS NOT TRUE THEN 3
                     WHEN l.due_on < l.issued_on THEN 4 ELSE 5 END AS fault
            FROM (%3$s) l
            UNION ALL
            SELECT l.debtor_id, coalesce(l.currency, ''), %4$s, l.amount, NULL,
                CASE WHEN (l.amount > '-Infinity' AND l.amount < 'Infinity') IS NOT TRUE THEN 1
                     WHEN (l.currency <> '') IS NOT TRUE THEN 2 ELSE 5 END
            FROM (%5$s) l$q$, owed, checked, dunning._invoices_sql(_balance_rows_sql.many, _balance_rows_sql.as_of), repaid,
        dunning._ledger_sql('payment', _balance_rows_sql.many, _balance_rows_sql.as_of));
END
$function$;
CREATE OR REPLACE FUNCTION dunning._balances_sql(many text DEFAULT NULL::text, as_of text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    disputed record := dunning._disputed_sql(_balances_sql.many, _balances_sql.as_of);
BEGIN
    RETURN format($q$SELECT b.debtor_id, b.currency, b.balance, b.payments, b.paid,
        ('{amount_not_finite,currency_missing,date_not_finite,due_before_issued}'::text[])[b.fault] AS problem, %2$s AS disputed
    FROM (SELECT u.debtor_id, u.currency, coalesce(sum(u.owed) FILTER (WHERE u.fault > 2), 0) AS balance, count(u.paid) AS payments,
            coalesce(sum(u.paid) FILTER (WHERE u.fault > 2), 0) AS paid, min(u.fault) AS fault, bool_or(u.disputed) AS disputes
        FROM (%1$s) u
        GROUP BY 1, 2) b %3$s$q$, dunning._balance_rows_sql(_balances_sql.many, _balances_sql.as_of), disputed.value, disputed.joined);
END
$function$;
CREATE FUNCTION dunning._marks(ids text[], rows_sql text, exact_sql text)
 RETURNS TABLE(debtor_id text, mark text, amounts jsonb, valid boolean, problem text, disputed boolean)
 LANGUAGE c
 STABLE STRICT COST 1000 ROWS 100
AS 'MODULE_PATHNAME', $function$dun_ledger_sql_marks$function$;
CREATE FUNCTION dunning._marks_sql(many text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN format('SELECT m.debtor_id COLLATE "C" AS debtor_id, m.mark, m.amounts, m.valid, m.problem, m.disputed FROM dunning._marks(%s, %L, %L) m',
                  _marks_sql.many, dunning._balance_rows_sql('$1'), dunning._mark_sql('$1'));
END
$function$;
CREATE OR REPLACE FUNCTION dunning._signal_sql()
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN format($q$
    SELECT d.debtor_id, d.email IS NULL AND d.phone IS NULL AND d.address IS NULL AS no_address,
        i.disputed_items, e.disputed_at, e.changed_at, e.reached, e.bounced, h.hardship, p.broken_on, m.in_window, m.payments, m.from_day
    FROM (%1$s) d
    LEFT JOIN (SELECT x.debtor_id, count(*) AS disputed_items FROM (%2$s) x WHERE x.disputed GROUP BY 1) i ON i.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, max(x.at) FILTER (WHERE x.kind = 'disputed') AS disputed_at,
            max(x.at) FILTER (WHERE x.kind = 'circumstances_changed') AS changed_at,
            count(*) FILTER (WHERE x.kind IN ('delivered', 'opened', 'clicked', 'replied', 'called', 'called_in', 'conversation', 'promised')) AS reached,
            count(*) FILTER (WHERE x.kind IN ('bounced', 'failed')) AS bounced
        FROM dunning.event x WHERE x.at < $2 AND x.at >= $2 - interval '180 days' GROUP BY 1) e ON e.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, min(x.reason) AS hardship FROM dunning.hold x
        WHERE x.reason IN ('hardship', 'moratorium', 'insolvency') AND x.from_at < $2 AND (x.released_at IS NULL OR x.released_at >= $2)
          AND (x.until_at IS NULL OR x.until_at > $2) GROUP BY 1) h ON h.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, max(x.due_on) AS broken_on FROM dunning.promise x
        WHERE x.cancelled_at IS NULL AND x.promised_at < $2 AND x.due_on + 1 < ($2 AT TIME ZONE dunning._ledger_zone())::date
          AND x.needed > (SELECT coalesce(sum(y.amount), 0) FROM pay y WHERE y.debtor_id = x.debtor_id AND y.currency = x.currency) - x.paid_before
        GROUP BY 1) p ON p.debtor_id = d.debtor_id
    -- the three days of the month on which most payments came
    LEFT JOIN (SELECT DISTINCT ON (w.debtor_id) w.debtor_id, w.day AS from_day, w.in_window, sum(w.n) OVER (PARTITION BY w.debtor_id)::bigint AS payments
        FROM (SELECT t.debtor_id, t.day, t.n, sum(t.n) OVER (PARTITION BY t.debtor_id ORDER BY t.day RANGE BETWEEN CURRENT ROW AND 2 FOLLOWING)::bigint AS in_window
              FROM (SELECT y.debtor_id, extract(day FROM y.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::int AS day, count(*) AS n
                    FROM pay y WHERE y.amount > 0 GROUP BY 1, 2) t) w
        ORDER BY w.debtor_id, w.in_window DESC, w.day) m ON m.debtor_id = d.debtor_id
    WHERE d.debtor_id IN (SELECT o.debtor_id FROM f o WHERE o.n_overdue > 0)$q$,
        dunning._ledger_sql('debtor', NULL, '$1'), dunning._open_items_sql('$4', '$1'));
END
$function$;
CREATE OR REPLACE FUNCTION dunning._score_sql(used text[], segments text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    rules jsonb := (SELECT jsonb_object_agg(r.target, jsonb_build_object('p', r.probability, 'words', r.words)) FROM dunning._rules_on_history() r);
    p jsonb := '{}';
    w jsonb := '{}';
    t text;
    input text;
BEGIN
    FOREACH t IN ARRAY ARRAY['late', 'self_cure', 'paid_30d'] LOOP
        input := CASE t WHEN 'paid_30d' THEN 'f' ELSE 'n' END;
        p := p || jsonb_build_object(t, CASE WHEN t = ANY (used) THEN format('dunning.predict(%L, %s)', t, input) ELSE rules -> t ->> 'p' END);
        w := w || jsonb_build_object(t, CASE WHEN t = ANY (used)
            THEN format('(SELECT jsonb_agg(r.words) FROM dunning.reasons(%L, %s, 3) r)', t, input) ELSE format('jsonb_build_array(%s)', rules -> t ->> 'words') END);
    END LOOP;
    RETURN format($q$
    WITH f AS MATERIALIZED (%2$s),
    pay AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.amount, l.paid_at FROM (%1$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity'
        AND l.debtor_id IN (SELECT o.debtor_id FROM f o WHERE o.n_overdue > 0)),
    s AS MATERIALIZED (%3$s),
    b AS MATERIALIZED (SELECT coalesce(avg((coalesce(f.days_since_payment, 31) <= 30)::int) FILTER (WHERE f.n_overdue > 0), 0.5)::float8 AS paid_recently,
        coalesce(sum(f.n_late)::float8 / nullif(sum(f.n_late + f.n_overdue), 0), 0.5) AS cured,
        (SELECT mode() WITHIN GROUP (ORDER BY i.due_on - i.issued_on) FROM (%4$s) i WHERE isfinite(i.due_on) AND isfinite(i.issued_on)) AS terms FROM f),
    x AS (SELECT f.*, g.diagnosis, g.evidence, %5$s AS p_late, %6$s AS p_self_cure, CASE WHEN f.n_overdue > 0 THEN %7$s END AS p_paid_30d,
            jsonb_strip_nulls(jsonb_build_object('diagnosis', CASE WHEN g.evidence <> '' THEN jsonb_build_array(g.evidence) END,
                'p_late', %8$s, 'p_self_cure', %9$s, 'p_paid_30d', CASE WHEN f.n_overdue > 0 THEN %10$s END)) AS reasons
        FROM f CROSS JOIN b LEFT JOIN s ON s.debtor_id = f.debtor_id
        CROSS JOIN LATERAL (SELECT %11$s) n
        CROSS JOIN LATERAL (SELECT %12$s AS diagnosis, %13$s AS evidence) g)
    SELECT x.debtor_id, x.creditor, %14$s AS segment, x.diagnosis, x.p_paid_30d, x.p_late, x.p_self_cure, x.reasons, x.n_overdue > 0 AS overdue FROM x$q$,
        dunning._ledger_sql('payment', NULL, '$1'), dunning._features_sql(NULL, '$1'), dunning._signal_sql(), dunning._ledger_sql('invoice', NULL, '$1'),
        p ->> 'late', p ->> 'self_cure', p ->> 'paid_30d', w ->> 'late', w ->> 'self_cure', w ->> 'paid_30d',
        dunning._next_invoice_sql(),
        (SELECT 'CASE WHEN f.n_overdue = 0 THEN NULL ' || string_agg(format('WHEN %s THEN %L', r.condition, r.diagnosis), ' ' ORDER BY r.ord) || ' END' FROM dunning._diagnosis_rules() r),
        (SELECT 'CASE WHEN f.n_overdue = 0 THEN NULL ' || string_agg(format('WHEN %s THEN %s', r.condition, r.evidence), ' ' ORDER BY r.ord) || ' END' FROM dunning._diagnosis_rules() r),
        segments);
END
$function$;
CREATE OR REPLACE FUNCTION dunning.score(as_of timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS TABLE(segment text, debtors bigint, overdue bigint, p_paid_30d double precision, p_late double precision, p_self_cure double precision, diagnoses jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET jit TO 'off'
 SET "DateStyle" TO 'ISO, YMD'
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(score.as_of, dunning._now());
    used jsonb;
    disputing text[];
    source text;
BEGIN
    PERFORM dunning._check_as_of(at);
    SELECT coalesce(jsonb_object_agg(m.model, m.version), '{}') INTO used
    FROM (SELECT DISTINCT ON (m.model) m.model, m.version FROM dunning.model m
          WHERE m.model IN ('late', 'paid_30d', 'self_cure') AND m.state <> 'retired' ORDER BY m.model, m.state <> 'champion', m.version DESC) m;
    source := dunning._score_sql(ARRAY(SELECT jsonb_object_keys(used)), dunning._segment_case());
    -- From here on nothing that a segment's predicate or a bound view calls can leave dunning_owner's rights.
    PERFORM dunning._restrict();
    LOCK TABLE dunning.score_result IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('SELECT array_agg(DISTINCT i.debtor_id) FROM (%s) i WHERE i.disputed', dunning._ledger_sql('invoice', NULL, '$1')) INTO disputing USING score.as_of;
    DELETE FROM dunning.score_result;
    EXECUTE format('INSERT INTO dunning.score_result (debtor_id, creditor, segment, diagnosis, p_paid_30d, p_late, p_self_cure, reasons, models, as_of, scored_at) '
                   'SELECT q.debtor_id, q.creditor, q.segment, q.diagnosis, q.p_paid_30d, q.p_late, q.p_self_cure, q.reasons, $3, $2, dunning._now() FROM (%s) q '
                   'ON CONFLICT ON CONSTRAINT score_result_pkey DO NOTHING', source)     -- a debtor of two rows is held by the gate and must not stop the others
        USING score.as_of, at, used, disputing;
    RETURN QUERY
    SELECT g.segment, sum(g.n)::bigint, sum(g.overdue)::bigint, sum(g.paid) / nullif(sum(g.n_paid), 0), sum(g.late) / sum(g.n), sum(g.cure) / sum(g.n),
        coalesce(jsonb_object_agg(g.diagnosis, g.n) FILTER (WHERE g.diagnosis IS NOT NULL), '{}')
    FROM (SELECT r.segment, r.diagnosis, count(*) AS n, count(r.p_paid_30d) AS overdue, sum(r.p_paid_30d) AS paid, count(r.p_paid_30d) AS n_paid,
                 sum(r.p_late) AS late, sum(r.p_self_cure) AS cure
          FROM dunning.score_result r GROUP BY r.segment, r.diagnosis) g
    GROUP BY g.segment ORDER BY 2 DESC, 1;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._late_sql(at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN format(
        'SELECT %1$s, f.debtor_id AS debtor, coalesce(f.days_late > 0, true) AS late FROM dunning.invoice_features(%2$L) f '
        'WHERE f.due_on < (timestamptz %2$L AT TIME ZONE (SELECT dunning._ledger_zone()))::date',
        (SELECT string_agg('f.' || quote_ident(c), ', ') FROM unnest(dunning._features_of('late')) c), at);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._self_cure_sql(at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN format(
        'SELECT %1$s, f.debtor_id AS debtor, coalesce(f.days_late <= 30, false) AND NOT EXISTS (SELECT FROM dunning.egress e '
        'WHERE e.debtor_id = f.debtor_id AND NOT e.test AND e.contact_on >= (f.due_on + 1)::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) '
        'AND e.contact_on < f.settled_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone())) AS self_cure '
        'FROM dunning.invoice_features(%2$L) f '
        'WHERE f.due_on + 30 < (timestamptz %2$L AT TIME ZONE (SELECT dunning._ledger_zone()))::date AND (f.days_late IS NULL OR f.days_late > 0)',
        (SELECT string_agg('f.' || quote_ident(c), ', ') FROM unnest(dunning._features_of('self_cure')) c), at);
END
$function$;
CREATE OR REPLACE FUNCTION dunning.train(target text DEFAULT 'paid_30d'::text, as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, kind text DEFAULT 'auto'::text)
 RETURNS dunning.model_metrics
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET jit TO 'off'
 SET "DateStyle" TO 'ISO, YMD'
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(train.as_of, dunning._now());
    result dunning.model_metrics;
    why text;
    detail text;
BEGIN
    PERFORM dunning._check_target(target);
    PERFORM dunning._check_as_of(at);
    IF at > greatest(dunning._now(), now()) THEN
        RAISE EXCEPTION 'as_of must be an instant that is over' USING ERRCODE = '22023', HINT = 'Leave as_of out to train on all that is known.';
    END IF;
    -- A bound view may call anything: nothing of it can leave dunning_owner's rights.
    PERFORM dunning._restrict();
    BEGIN
        result := dunning._fit(target, dunning._target_sql(target, at), target, train.kind, '{"group": "debtor"}', target, at);
    EXCEPTION WHEN SQLSTATE 'DN004' THEN
        GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION '%', why USING ERRCODE = 'DN004', DETAIL = detail, HINT = dunning._trainable(target, at);
    END;
    RETURN result;
END
$function$;
CREATE FUNCTION dunning._words(VARIADIC words "any")
 RETURNS text[]
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_gate_sql_words$function$;
CREATE FUNCTION dunning._repeated(ids text[])
 RETURNS text[]
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'MODULE_PATHNAME', $function$dun_gate_sql_repeated$function$;
CREATE FUNCTION dunning._next_open(from_time timestamp with time zone, until_time timestamp with time zone, debtor_id text, windows bytea, caps text[], debtors text[], channels text[], messages uuid[], ats timestamp with time zone[], ords integer[], talks timestamp with time zone[])
 RETURNS timestamp with time zone
 LANGUAGE c
 STABLE PARALLEL SAFE COST 500
AS 'MODULE_PATHNAME', $function$dun_gate_sql_next_open$function$;
CREATE FUNCTION dunning._ask(ids text[], channels text[], ats timestamp with time zone[], marks text[], extras anyarray)
 RETURNS TABLE(ord integer, debtor_id text, channel text, at timestamp with time zone, mark text, extra anyelement)
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_gate_sql_ask$function$;
CREATE OR REPLACE FUNCTION dunning._gate_rows_sql(recheck boolean)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN format($q$
    a AS MATERIALIZED (SELECT q.ord, q.debtor_id COLLATE "C" AS debtor_id, q.channel COLLATE "C" AS channel, q.at, q.mark, q.extra
        FROM dunning._ask($1, $2, $3, $4, %2$s) q),
    d AS MATERIALIZED (SELECT l.debtor_id, l.person_id, l.consent,
            coalesce(l.country, '') AS country, coalesce(l.region, '') AS region, coalesce(l.kind, '') AS kind, coalesce(l.time_zone, '') AS zone_key,
            l.email, l.phone, l.address, l.attributes
        FROM (%3$s) l),
    c AS MATERIALIZED (SELECT DISTINCT ON (b.channel) b.channel, b.address_field, b.rings, b.service FROM dunning.channel b ORDER BY b.channel, b.builtin),
    hs AS MATERIALIZED (SELECT h.debtor_id, array_agg(h.reason) AS reasons, array_agg(h.until_at) AS untils
        FROM (SELECT DISTINCT a.debtor_id FROM a) x JOIN dunning.hold h ON h.debtor_id = x.debtor_id
        WHERE h.released_at IS NULL AND h.invoice_id IS NULL GROUP BY 1),
    w AS MATERIALIZED (SELECT x.ord, x.debtor_id, x.channel, x.at, %1$s AS message_id, x.person_id, x.country, x.region, x.kind, x.zone_key, x.rings,
            x.known, x.strange, x.address, m.mark AS ledger_mark, m.amounts, hs.reasons AS hold_reasons, hs.untils AS hold_untils,
            CASE WHEN x.address IS NOT NULL THEN dunning._digest(x.address, x.address_field, (SELECT k.key FROM dunning.digest_key k)) END AS digest,
            dunning._words(
%7$s                CASE WHEN x.strange THEN 'unknown_channel' END,
                CASE WHEN NOT x.known THEN 'unknown_debtor' END,
                CASE WHEN m.valid IS NOT TRUE THEN 'invalid_amount' END,
                -- What cannot be counted is held until it is mended; whether it changed is told then.
                CASE WHEN x.mark IS NOT NULL AND m.valid AND coalesce(m.amounts, '{}') = '{}' THEN 'no_balance' END,
                CASE WHEN x.mark IS NOT NULL AND m.valid AND m.mark IS DISTINCT FROM x.mark THEN 'balance_changed' END,
                CASE WHEN m.disputed THEN 'disputed' END%6$s) AS words
        FROM (
            -- place: what the rules need to know, and the address, computed once
            SELECT a.ord, a.debtor_id, a.channel, a.at, a.mark, a.extra, d.person_id, d.country, d.region, d.kind, d.zone_key,
                -- of several rows of one debtor none is believed
                d.debtor_id IS NOT NULL AND d.debtor_id NOT IN (SELECT e.id FROM unnest(dunning._repeated(ARRAY(SELECT d.debtor_id FROM d))) e(id)) AS known,
                c.channel IS NULL AS strange, c.rings, c.address_field, %5$s AS address,
                CASE WHEN d.consent IS NULL OR jsonb_typeof(d.consent) = 'null' THEN c.service
                     WHEN jsonb_typeof(d.consent) <> 'object' THEN false
                     WHEN jsonb_typeof(d.consent -> a.channel) IS NULL OR jsonb_typeof(d.consent -> a.channel) = 'null' THEN c.service
                     ELSE d.consent -> a.channel = 'true' END AS consents
            FROM a
            LEFT JOIN d ON d.debtor_id = a.debtor_id
            LEFT JOIN c ON c.channel = a.channel
            OFFSET 0) x
        LEFT JOIN (%4$s) m ON m.debtor_id = x.debtor_id
        LEFT JOIN hs ON hs.debtor_id = x.debtor_id),
    sup AS MATERIALIZED (SELECT s.address_digest, array_agg(s.channel) AS channels, array_agg(s.reason) AS reasons
        FROM (SELECT DISTINCT w.digest FROM w WHERE w.digest IS NOT NULL) x JOIN dunning.suppression s ON s.address_digest = x.digest GROUP BY 1)$q$,
        CASE WHEN _gate_rows_sql.recheck THEN 'NULL::uuid' ELSE 'x.extra' END,
        CASE WHEN _gate_rows_sql.recheck THEN '$5::text[]' ELSE '$5::uuid[]' END,
        dunning._ledger_sql('debtor', '$1'), dunning._marks_sql('$1'),
        CASE WHEN _gate_rows_sql.recheck THEN 'a.extra' ELSE
            $q$nullif(CASE c.address_field WHEN 'email' THEN d.email WHEN 'phone' THEN d.phone
                WHEN 'address' THEN CASE WHEN jsonb_typeof(d.address) = 'object' AND d.address <> '{}' THEN d.address::text END
                ELSE d.attributes ->> c.address_field END, '')$q$ END,
        CASE WHEN _gate_rows_sql.recheck THEN '' ELSE $q$,
                CASE WHEN x.consents IS NOT TRUE AND NOT x.strange AND x.known THEN 'no_consent' END,
                CASE WHEN x.address IS NULL AND NOT x.strange AND x.known THEN 'no_address' END,
                CASE WHEN x.address IS NOT NULL AND NOT dunning._good_address(x.address, x.address_field) THEN 'bad_address' END$q$ END,
        -- A recheck follows its gate by seconds, and a source that was changed in them makes the statement fail.
        CASE WHEN _gate_rows_sql.recheck THEN '' ELSE '                (SELECT dunning._ledger_problem()),
' END);
END
$function$;
CREATE FUNCTION dunning._gate_places_sql(ahead interval)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT format($q$
    span AS MATERIALIZED (SELECT min(a.at) AS first, max(a.at) AS last FROM a),
    place AS MATERIALIZED (SELECT w.country, w.region, w.kind, w.zone_key, w.channel, w.rings, min(w.ord) AS ord FROM w WHERE w.known AND NOT w.strange GROUP BY 1, 2, 3, 4, 5, 6),
    pl AS MATERIALIZED (SELECT x.*, dunning._closed(x.first, x.windows) AS first_shut,
            dunning._caps(0, '2000-01-01 00:00+00', '', NULL, x.windows, x.caps, NULL, NULL, NULL, NULL, NULL, NULL) AS barred
        FROM (
            SELECT row_number() OVER ()::int AS no, p.country, p.region, p.kind, p.zone_key, p.channel, p.ord, u.caps, u.names, span.first,
                dunning._windows(u.windows, u.holidays_closed, p.zone_key, p.country, p.region, f.added, f.opened) AS windows,
                (dunning._zone(p.zone_key, p.country, p.region))[1] AS zone
            FROM place p
            CROSS JOIN span
            JOIN (%s) u ON u.country = p.country AND u.region = p.region AND u.kind = p.kind AND u.channel = p.channel
            CROSS JOIN LATERAL (
                SELECT array_agg(h.on_date) FILTER (WHERE NOT h.open) AS added, array_agg(h.on_date) FILTER (WHERE h.open) AS opened
                FROM dunning.holiday h
                WHERE h.country = substr(dunning._place(p.country, p.region), 1, 2) AND h.region IN ('', substr(dunning._place(p.country, p.region), 4))
                  AND h.on_date >= (SELECT span.first - '2 days'::interval FROM span)::date) f
            OFFSET 0) x)$q$,
        dunning._rules_sql($q$SELECT DISTINCT p.country, p.region, p.kind, p.channel, p.rings,
            (SELECT span.first - '1 day'::interval FROM span)::date, (SELECT span.last + $q$ || quote_literal($1) || $q$::interval FROM span)::date
            FROM place p$q$))
$function$;
CREATE OR REPLACE FUNCTION dunning._gate_rules_sql(ahead interval)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT dunning._gate_places_sql($1) || $q$,
    j AS MATERIALIZED (SELECT w.ord, w.debtor_id, w.channel, w.at, w.message_id, w.person_id, w.address, w.digest, w.ledger_mark, w.amounts, w.hold_reasons, w.hold_untils, pl.no,
            CASE WHEN sup.address_digest IS NULL THEN w.words ELSE dunning._words(w.words, (
                SELECT 'suppressed:' || min(u.reason) FROM unnest(sup.channels, sup.reasons) u(channel, reason)
                WHERE u.channel = w.channel OR u.channel = '*')) END AS words,
            CASE WHEN w.strange OR NOT w.known THEN NULL
                 WHEN w.at IS NULL OR pl.windows IS NULL THEN 'quiet_hours'
                 WHEN w.at = pl.first THEN pl.first_shut
                 ELSE dunning._closed(w.at, pl.windows) END AS shut
        FROM w
        LEFT JOIN sup ON sup.address_digest = w.digest
        LEFT JOIN pl ON pl.country = w.country AND pl.region = w.region AND pl.kind = w.kind AND pl.zone_key = w.zone_key AND pl.channel = w.channel)$q$
$function$;
CREATE OR REPLACE FUNCTION dunning._gate_history_sql()
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    others text := dunning._accounts_sql();
BEGIN
    -- A message leaves within days of being planned; half a year of keys is more than any cap looks back.
    RETURN format($q$
%1$s
    since AS MATERIALIZED (SELECT min(j.at) FILTER (WHERE isfinite(j.at)) - (SELECT make_interval(days => 1 + max(greatest(coalesce(b.cap_days, 0),
                ceil(extract(epoch FROM greatest(b.min_gap, b.after_conversation)) / 86400)::int))) FROM dunning.contact_rule b WHERE b.enabled) AS at,
            bool_or(j.message_id IS NULL) AS asked
        FROM j),
    ev AS MATERIALIZED (SELECT v.debtor_id, v.event_id, v.message_id, v.kind, v.at FROM dunning.event v
        WHERE v.debtor_id = ANY (%2$s) AND v.kind IN ('called', 'conversation', 'called_in') AND v.at >= (SELECT since.at FROM since)),
    -- persons with several messages in this batch
    sev AS MATERIALIZED (SELECT p.person_id FROM unnest(dunning._repeated(ARRAY(
        SELECT j.person_id FROM j WHERE j.message_id IS NOT NULL AND j.words IS NULL AND j.shut IS NULL))) p(person_id)),
    con AS MATERIALIZED (
        -- By the key alone: a plan kept from an empty month could have taken the index on contact_on.
        SELECT e.debtor_id, e.channel, e.message_id, min(e.contact_on) AS at, 0 AS ord
        FROM (SELECT x.debtor_id, x.channel, x.message_id, x.contact_on, x.test FROM dunning.egress x
              WHERE x.debtor_id = ANY (%2$s) AND x.message_id >= dunning._uuid7_floor(now() - '190 days'::interval) OFFSET 0) e
        WHERE NOT e.test AND e.contact_on >= (SELECT since.at FROM since)
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT ev.debtor_id, 'call', coalesce(ev.message_id, ev.event_id), ev.at, 0 FROM ev WHERE ev.kind IN ('called', 'conversation')
        UNION ALL
        SELECT q.debtor_id, q.channel, q.message_id, q.due, -1 FROM dunning.queue q
        WHERE (SELECT since.asked FROM since)
          AND q.debtor_id = ANY (%2$s) AND q.state IN ('queued', 'sending')
        UNION ALL
        SELECT j.debtor_id, j.channel, j.message_id, j.at, j.ord FROM sev
        JOIN j ON j.person_id = sev.person_id AND j.words IS NULL AND j.shut IS NULL AND j.message_id IS NOT NULL),
    talk AS (SELECT ev.debtor_id, ev.at FROM ev WHERE ev.kind IN ('conversation', 'called_in')),
    hist AS MATERIALIZED (SELECT x.person_id, array_agg(con.debtor_id) FILTER (WHERE con.debtor_id IS NOT NULL) AS debtors,
            array_agg(con.channel) FILTER (WHERE con.debtor_id IS NOT NULL) AS channels,
            array_agg(con.message_id) FILTER (WHERE con.debtor_id IS NOT NULL) AS messages,
            array_agg(con.at) FILTER (WHERE con.debtor_id IS NOT NULL) AS ats,
            array_agg(con.ord) FILTER (WHERE con.debtor_id IS NOT NULL) AS ords,
            array_agg(con.talk) FILTER (WHERE con.talk IS NOT NULL) AS talks
        FROM (SELECT DISTINCT ac.person_id, ac.debtor_id FROM ac) x
        JOIN (SELECT con.debtor_id AS account, con.debtor_id, con.channel, con.message_id, con.at, con.ord, NULL::timestamptz AS talk FROM con
              UNION ALL SELECT t.debtor_id, NULL, NULL, NULL, NULL, NULL, t.at FROM talk t) con ON con.account = x.debtor_id
        GROUP BY 1)$q$,
        -- Where nobody has a second account, the accounts are those asked about.
        CASE WHEN others IS NULL THEN 'ac AS (SELECT d.person_id, d.debtor_id FROM d),'
             ELSE format('ac AS MATERIALIZED (SELECT d.person_id, d.debtor_id FROM d UNION SELECT d.person_id, d.person_id FROM d UNION %s),', others) END,
        CASE WHEN others IS NULL THEN '$1' ELSE 'ARRAY(SELECT ac.debtor_id FROM ac)' END);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._no_ledger_sql(recheck boolean)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT CASE WHEN $1
        THEN 'SELECT q.ord, ''{ledger_broken}''::text[] AS blocked_by FROM dunning._ask($1, $2, $3, $4, $5::text[]) q ORDER BY 1'
        ELSE 'SELECT q.ord, q.debtor_id, q.channel, ''{ledger_broken}''::text[] AS blocked_by, NULL::text AS address, NULL::text AS zone, NULL::text AS mark, NULL::jsonb AS amounts, NULL::int AS place, NULL::bytea AS windows, NULL::bytea AS digest FROM dunning._ask($1, $2, $3, $4, $5::uuid[]) q ORDER BY 1'
    END
$function$;
CREATE OR REPLACE FUNCTION dunning._gate_sql()
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._no_ledger_sql(false);
    END IF;
    RETURN format($q$WITH %s, %s, %s
SELECT j.ord, j.debtor_id, j.channel,
    coalesce(dunning._words(j.words,
        CASE WHEN j.hold_reasons IS NOT NULL THEN ARRAY(
            SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_untils) u(reason, until_at) WHERE u.until_at IS NULL OR (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END,
        j.shut,
        CASE WHEN t.person_id IS NULL THEN CASE WHEN isfinite(j.at) THEN pl.barred END
             WHEN pl.caps IS NOT NULL THEN dunning._caps(j.ord, j.at, j.debtor_id, j.message_id, pl.windows, pl.caps, t.debtors, t.channels, t.messages, t.ats, t.ords, t.talks) END), '{}') AS blocked_by,
    j.address, pl.zone, j.ledger_mark AS mark, j.amounts, pl.no AS place, CASE WHEN j.ord = pl.ord THEN pl.windows END AS windows, j.digest
FROM j
LEFT JOIN pl ON pl.no = j.no
LEFT JOIN hist t ON t.person_id = j.person_id$q$, dunning._gate_rows_sql(false), dunning._gate_rules_sql('1 day'), dunning._gate_history_sql());
END
$function$;
CREATE OR REPLACE FUNCTION dunning._gate_facts_sql()
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN format($q$WITH %s, %s, %s
SELECT j.ord, j.debtor_id, j.channel, j.at, coalesce(j.words, CASE WHEN pl.windows IS NULL THEN '{quiet_hours}'::text[] END, '{}') AS words,
    CASE WHEN j.hold_reasons IS NULL THEN '{}' ELSE ARRAY(SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_untils) u(reason, until_at)
        WHERE u.until_at IS NULL OR (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END AS holds,
    CASE WHEN j.hold_reasons IS NOT NULL THEN (SELECT max(coalesce(u.until_at, 'infinity')) FROM unnest(j.hold_untils) u(until_at)) END AS held_until,
    pl.no AS place, pl.windows, pl.zone, pl.names, pl.caps, t.debtors, t.channels, t.messages, t.ats, t.ords, t.talks
FROM j
LEFT JOIN pl ON pl.no = j.no
LEFT JOIN hist t ON t.person_id = j.person_id$q$, dunning._gate_rows_sql(false), dunning._gate_rules_sql('60 days'), dunning._gate_history_sql());
END
$function$;
CREATE OR REPLACE FUNCTION dunning._recheck_sql()
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._no_ledger_sql(true);
    END IF;
    RETURN format($q$WITH %s, %s
SELECT j.ord,
    coalesce(dunning._words(j.words,
        CASE WHEN j.hold_reasons IS NOT NULL THEN ARRAY(
            SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_untils) u(reason, until_at) WHERE u.until_at IS NULL OR (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END,
        j.shut), '{}') AS blocked_by
FROM j
ORDER BY j.ord$q$, dunning._gate_rows_sql(true), dunning._gate_rules_sql('1 day'));
END
$function$;
CREATE FUNCTION dunning._recheck_clear_sql()
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN 'SELECT NULL::int AS ord FROM dunning._ask($1, $2, $3, $4, $5::bytea[]) q WHERE $6::uuid[] IS NULL AND $7::int2[] IS NULL AND false';
    END IF;
    RETURN format($q$SELECT a.ord
FROM (SELECT a.ord, a.debtor_id COLLATE "C" AS debtor_id, a.extra AS digest
      FROM dunning._ask($1, $2, $3, $4, $5::bytea[]) a
      JOIN (%s) m ON m.debtor_id = a.debtor_id COLLATE "C"
      JOIN (%s) l ON l.debtor_id = a.debtor_id COLLATE "C"
      WHERE m.valid AND NOT m.disputed AND (a.mark IS NULL OR m.mark = a.mark AND m.amounts <> '{}') OFFSET 0) a
WHERE NOT EXISTS (SELECT FROM dunning.hold h WHERE h.debtor_id = a.debtor_id AND h.released_at IS NULL AND h.invoice_id IS NULL OFFSET 0)
  AND NOT EXISTS (SELECT FROM dunning.suppression s WHERE s.address_digest = a.digest OFFSET 0)
  AND EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = a.debtor_id AND q.message_id = $6[a.ord] AND q.attempts = $7[a.ord] - 1
                AND q.state = 'queued' AND NOT EXISTS (SELECT FROM dunning.server_state p WHERE p.server = q.server) OFFSET 0)$q$,
        dunning._marks_sql('$1'), dunning._ledger_sql('debtor', '$1'));
END
$function$;
CREATE OR REPLACE FUNCTION dunning._gate(debtor_ids text[], channels text[], ats timestamp with time zone[], marks text[] DEFAULT NULL::text[], message_ids uuid[] DEFAULT NULL::uuid[])
 RETURNS TABLE(ord integer, debtor_id text, channel text, blocked_by text[], address text, zone text, mark text, amounts jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$SELECT g.ord, g.debtor_id, g.channel, g.blocked_by, g.address, g.zone, g.mark, g.amounts FROM (%s) g ORDER BY g.ord$q$, dunning._gate_sql())
        USING _gate.debtor_ids, _gate.channels, _gate.ats, _gate.marks, _gate.message_ids;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.allowed(debtor_id text, channel text, at timestamp with time zone)
 RETURNS TABLE(allowed boolean, blocked_by text[])
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(allowed.debtor_id);
BEGIN
    PERFORM dunning._need_channel(allowed.channel);
    IF id IS NULL OR allowed.at IS NULL OR allowed.at < '0001-01-02 00:00+00' OR allowed.at > '9999-12-30 00:00+00' THEN
        RAISE EXCEPTION 'allowed() needs a debtor and a finite instant'
            USING ERRCODE = '22023', DETAIL = format('Given: debtor %L, instant %L.', allowed.debtor_id, allowed.at),
                  HINT = 'SELECT * FROM dunning.allowed(''1042'', ''sms'', now());';
    END IF;
    RETURN QUERY SELECT g.blocked_by = '{}', g.blocked_by FROM dunning._gate(ARRAY[id], ARRAY[allowed.channel], ARRAY[allowed.at]) g;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.hold(debtor_id text, reason text, until date DEFAULT NULL::date, invoice_id text DEFAULT NULL::text, note text DEFAULT NULL::text)
 RETURNS TABLE(hold_id uuid, messages_stopped integer)
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(hold.debtor_id);
    owner text := dunning._creditor_of(id);
    ends timestamptz;
    exists_there boolean := true;
    made uuid := dunning._uuid7();
BEGIN
    IF owner IS NULL THEN
        RAISE EXCEPTION 'unknown debtor "%"', hold.debtor_id USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    IF hold.reason IS NULL OR hold.reason !~ '^[a-z][a-z0-9_]{0,39}$' THEN
        RAISE EXCEPTION 'a hold needs a reason of one word'
            USING ERRCODE = '22023', DETAIL = format('Given: %L. Usual ones: dispute, hardship, moratorium, insolvency, legal_representation, deceased, investigation, manual.', hold.reason),
                  HINT = format('SELECT * FROM dunning.hold(%L, ''manual'');', id);
    END IF;
    IF hold.until IS NOT NULL THEN
        IF NOT isfinite(hold.until) OR hold.until > '9999-12-30' OR hold.until < (dunning._now() AT TIME ZONE 'UTC')::date - 1 THEN
            RAISE EXCEPTION 'a hold cannot end on %', hold.until
                USING ERRCODE = '22023', DETAIL = 'The day is past or not a day of the calendar.',
                      HINT = format('SELECT * FROM dunning.hold(%L, %L, until => current_date + 14);', id, hold.reason);
        END IF;
        -- Through that day where the debtor lives; where that is not known, until it is over in every zone that it may be.
        IF dunning._ledger_problem() IS DISTINCT FROM 'ledger_broken' THEN
            EXECUTE format('SELECT max(($2 + 1)::timestamp AT TIME ZONE z.z) FROM (%s) d, unnest(dunning._zone(d.time_zone, d.country, d.region)) z(z)',
                           dunning._ledger_sql('debtor', '$1')) INTO ends USING ARRAY[id], hold.until;
        END IF;
        ends := coalesce(ends, (hold.until + 1)::timestamp AT TIME ZONE (dunning._zone(NULL, NULL, NULL))[1]);
    END IF;
    IF hold.invoice_id IS NOT NULL AND dunning._ledger_problem() IS DISTINCT FROM 'ledger_broken' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM (%s) i WHERE i.invoice_id = $2)', dunning._ledger_sql('invoice', '$1'))
            INTO exists_there USING ARRAY[id], hold.invoice_id;
        IF NOT exists_there THEN
            RAISE EXCEPTION 'debtor "%" has no invoice "%"', id, hold.invoice_id
                USING ERRCODE = '22023', HINT = format('SELECT * FROM dunning.explain(%L);', id);
        END IF;
    END IF;
    INSERT INTO dunning.hold AS h (debtor_id, hold_id, creditor, reason, invoice_id, note, from_at, until_at, placed_by)
    VALUES (id, made, owner, hold.reason, hold.invoice_id, hold.note, dunning._now(), ends, session_user);
    -- An invoice's hold changes what a message may ask for: it is planned anew without it.
    RETURN QUERY SELECT made, dunning._stop_messages(id, 'hold:' || hold.reason);
END
$function$;
CREATE TABLE dunning.timing_profile (
    debtor_id text COLLATE "C" NOT NULL,
    creditor text COLLATE "C" NOT NULL,
    contacts integer NOT NULL,
    responses integer NOT NULL,
    activity bytea,
    payments date[],
    as_of timestamp with time zone NOT NULL,
    CONSTRAINT timing_profile_pkey PRIMARY KEY (debtor_id)
) WITH (fillfactor=70);
CREATE TABLE dunning.timing_book (
    creditor text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    contacts bigint NOT NULL,
    responses bigint NOT NULL,
    shape real[],
    as_of timestamp with time zone NOT NULL,
    CONSTRAINT timing_book_pkey PRIMARY KEY (creditor, channel)
);
CREATE FUNCTION dunning._activity(zone text, sent timestamp with time zone[], channels text[], answers timestamp with time zone[], payments timestamp with time zone[], as_of timestamp with time zone)
 RETURNS bytea
 LANGUAGE c
 STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_timing_sql_activity$function$;
CREATE FUNCTION dunning._add_activity(sums double precision[], activity bytea)
 RETURNS double precision[]
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'MODULE_PATHNAME', $function$dun_timing_sql_add_activity$function$;
CREATE FUNCTION dunning._zero_activity()
 RETURNS double precision[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT array_fill(0::float8, ARRAY[336]) $function$;
CREATE FUNCTION dunning._activity_shape(sums double precision[], q double precision)
 RETURNS real[]
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'MODULE_PATHNAME', $function$dun_timing_sql_shape$function$;
CREATE AGGREGATE dunning._sum_activity(bytea) (
    SFUNC = dunning._add_activity,
    STYPE = double precision[],
    INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
    PARALLEL = UNSAFE
);
CREATE FUNCTION dunning._best_of(debtor_id text, channel text, not_before timestamp with time zone, not_after timestamp with time zone, now_at timestamp with time zone, words text[], held_until timestamp with time zone, windows bytea, rules text[], caps text[], debtors text[], channels text[], messages uuid[], ats timestamp with time zone[], ords integer[], talks timestamp with time zone[], activity bytea, payments date[], contacts integer, responses integer, shape real[], q double precision, top integer, OUT contact_at timestamp with time zone, OUT p_response double precision, OUT p_baseline double precision, OUT uplift double precision, OUT explored boolean, OUT propensity double precision, OUT reasons jsonb)
 RETURNS SETOF record
 LANGUAGE c
 STABLE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', $function$dun_timing_sql_best$function$;
CREATE FUNCTION dunning._payday(country text, payments date[], today date, OUT schedule text, OUT probability double precision, OUT next_date date)
 RETURNS SETOF record
 LANGUAGE c
 STABLE PARALLEL SAFE ROWS 49
AS 'MODULE_PATHNAME', $function$dun_timing_sql_payday$function$;
CREATE FUNCTION dunning._refresh_profiles(debtor_ids text[] DEFAULT NULL::text[], as_of timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS SETOF text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $function$
#variable_conflict error
DECLARE
    at_time timestamptz := coalesce(_refresh_profiles.as_of, dunning._now());
    many text := CASE WHEN _refresh_profiles.debtor_ids IS NOT NULL THEN '$1' END;
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH d AS (SELECT l.debtor_id, l.creditor, (dunning._zone(l.time_zone, l.country, l.region))[1] AS zone FROM (%s) l),
        c AS (SELECT e.debtor_id, array_agg(e.at ORDER BY e.at) AS ats, array_agg(e.channel ORDER BY e.at) AS channels
              FROM (SELECT e.debtor_id, e.message_id, e.channel, min(e.contact_on) AS at FROM dunning.egress e
                    WHERE NOT e.test AND e.contact_on < $2 AND e.contact_on > $2 - '2 years'::interval AND ($1 IS NULL OR e.debtor_id = ANY ($1))
                    GROUP BY 1, 2, 3) e GROUP BY 1),
        a AS (SELECT v.debtor_id, array_agg(v.at ORDER BY v.at) AS ats FROM dunning.event v
              -- Openings are left out: machines open mail too.
              WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised') AND v.at < $2 AND v.at > $2 - '2 years'::interval
                AND v.detail ->> 'machine' IS DISTINCT FROM 'true' AND ($1 IS NULL OR v.debtor_id = ANY ($1))
              GROUP BY 1),
        p AS (SELECT y.debtor_id, array_agg(y.paid_at ORDER BY y.paid_at DESC) AS ats FROM (
                  SELECT l.debtor_id, l.paid_at, row_number() OVER (PARTITION BY l.debtor_id ORDER BY l.paid_at DESC) AS n
                  FROM (%s) l WHERE l.amount > 0 AND l.amount < 'Infinity' AND isfinite(l.paid_at) AND l.paid_at < $2) y
              WHERE y.n <= 24 GROUP BY 1),
        new AS (SELECT d.debtor_id, d.creditor, coalesce(cardinality(c.ats), 0) AS contacts,
                CASE WHEN a.ats IS NULL THEN 0 ELSE
                    (SELECT count(*)::int FROM (SELECT DISTINCT (SELECT max(s.s) FROM unnest(c.ats) s(s) WHERE s.s <= r.r AND s.s > r.r - '6 days'::interval) AS answered
                                                FROM unnest(a.ats) r(r)) x WHERE x.answered IS NOT NULL) END AS responses,
                dunning._activity(d.zone, c.ats, c.channels, a.ats, p.ats, $2) AS activity,
                -- What was paid within two days of a contact says when we wrote, not when they are paid.
                (SELECT array_agg((t.t AT TIME ZONE d.zone)::date ORDER BY t.t DESC) FROM unnest(p.ats) t(t)
                 WHERE c.ats IS NULL OR t.t < c.ats[1] OR NOT EXISTS (SELECT FROM unnest(c.ats) s(s) WHERE t.t >= s.s AND t.t < s.s + '48 hours'::interval)) AS payments
            FROM d LEFT JOIN c ON c.debtor_id = d.debtor_id LEFT JOIN a ON a.debtor_id = d.debtor_id LEFT JOIN p ON p.debtor_id = d.debtor_id
            WHERE c.debtor_id IS NOT NULL OR a.debtor_id IS NOT NULL OR p.debtor_id IS NOT NULL)
        INSERT INTO dunning.timing_profile AS o (debtor_id, creditor, contacts, responses, activity, payments, as_of)
        SELECT DISTINCT ON (n.debtor_id) n.debtor_id, n.creditor, n.contacts, n.responses, n.activity, n.payments, $2 FROM new n ORDER BY n.debtor_id
        ON CONFLICT ON CONSTRAINT timing_profile_pkey DO UPDATE SET creditor = EXCLUDED.creditor, contacts = EXCLUDED.contacts,
            responses = EXCLUDED.responses, activity = EXCLUDED.activity, payments = EXCLUDED.payments, as_of = EXCLUDED.as_of
        RETURNING o.debtor_id::text$q$,
        dunning._ledger_sql('debtor', many), dunning._ledger_sql('payment', many, '$2'))
        USING _refresh_profiles.debtor_ids, at_time;
    PERFORM dunning._learn_book(at_time);
END
$function$;
CREATE FUNCTION dunning._learn_book(as_of timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    DELETE FROM dunning.timing_book;
    INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, shape, as_of)
    SELECT s.creditor, '*', s.contacts, s.responses, dunning._activity_shape(s.sums, (s.responses + 1.0) / (s.contacts + 10)), _learn_book.as_of
    FROM (SELECT p.creditor, sum(p.contacts) AS contacts, sum(p.responses) AS responses, dunning._sum_activity(p.activity) AS sums
          FROM dunning.timing_profile p GROUP BY 1) s;
    -- An answer belongs to the last contact of the six days before it.
    INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, shape, as_of)
    SELECT e.creditor, e.channel, count(*), count(*) FILTER (WHERE e.answered), NULL, _learn_book.as_of
    FROM (SELECT c.creditor, c.channel, EXISTS (
                     SELECT FROM dunning.event v WHERE v.debtor_id = c.debtor_id AND v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised')
                       AND v.detail ->> 'machine' IS DISTINCT FROM 'true' AND v.at >= c.at
                       AND v.at < least(c.next_at, c.at + '6 days'::interval, _learn_book.as_of)) AS answered
          FROM (SELECT e.creditor, e.debtor_id, e.channel, min(e.contact_on) AS at,
                       lead(min(e.contact_on)) OVER (PARTITION BY e.debtor_id ORDER BY min(e.contact_on)) AS next_at
                FROM dunning.egress e
                WHERE NOT e.test AND e.contact_on < _learn_book.as_of AND e.contact_on > _learn_book.as_of - '1 year'::interval
                GROUP BY e.creditor, e.debtor_id, e.channel, e.message_id) c) e
    GROUP BY 1, 2;
END
$function$;
CREATE FUNCTION dunning._best_times(debtor_ids text[], channels text[], not_before timestamp with time zone[], not_after timestamp with time zone[], as_of timestamp with time zone, top integer DEFAULT 1)
 RETURNS TABLE(ord integer, contact_at timestamp with time zone, local_time text, p_response double precision, p_baseline double precision, uplift double precision, explored boolean, propensity double precision, reasons jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $function$
#variable_conflict error
DECLARE
    now_at timestamptz := coalesce(_best_times.as_of, dunning._now());
    starts timestamptz[];
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN QUERY SELECT u.ord::int, NULL::timestamptz, NULL::text, NULL::float8, NULL::float8, NULL::float8, NULL::boolean, NULL::float8,
                            '{"blocked_by": ["ledger_broken"], "slots": 0}'::jsonb
                     FROM unnest(_best_times.debtor_ids) WITH ORDINALITY u(debtor_id, ord);
        RETURN;
    END IF;
    starts := ARRAY(SELECT CASE WHEN isfinite(u.b) THEN greatest(u.b, now_at) ELSE now_at END
                    FROM unnest(_best_times.debtor_ids, _best_times.not_before) WITH ORDINALITY u(d, b, o) ORDER BY u.o);
    RETURN QUERY EXECUTE format($q$
        WITH f AS MATERIALIZED (%s),
        ends AS MATERIALIZED (SELECT u.o::int AS ord, u.a AS not_after FROM unnest($1, $6) WITH ORDINALITY u(d, a, o))
        SELECT f.ord, b.contact_at, dunning._local_time(b.contact_at, f.zone), b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM f
        JOIN ends e ON e.ord = f.ord
        LEFT JOIN dunning.timing_profile p ON p.debtor_id = f.debtor_id
        LEFT JOIN dunning.timing_book k ON k.creditor = p.creditor AND k.channel = '*'
        LEFT JOIN dunning.timing_book h ON h.creditor = p.creditor AND h.channel = f.channel
        CROSS JOIN LATERAL dunning._best_of(f.debtor_id, f.channel, f.at,
            CASE WHEN isfinite(e.not_after) THEN e.not_after ELSE f.at + '7 days'::interval END, $7,
            f.words || CASE WHEN f.held_until = 'infinity' THEN f.holds ELSE '{}' END, f.held_until, f.windows, f.names, f.caps,
            f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks,
            p.activity, p.payments, p.contacts, p.responses, k.shape, (coalesce(h.responses, 0) + 1.0) / (coalesce(h.contacts, 0) + 10), $8) b
        ORDER BY f.ord$q$, dunning._gate_facts_sql())
        USING _best_times.debtor_ids, _best_times.channels, starts, NULL::text[], NULL::uuid[], _best_times.not_after, now_at, _best_times.top;
END
$function$;
CREATE FUNCTION dunning.best_time(debtor_id text, channel text, not_before timestamp with time zone DEFAULT NULL::timestamp with time zone, not_after timestamp with time zone DEFAULT NULL::timestamp with time zone, top integer DEFAULT 1)
 RETURNS TABLE(contact_at timestamp with time zone, local_time text, p_response double precision, p_baseline double precision, uplift double precision, explored boolean, propensity double precision, reasons jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(best_time.debtor_id);
BEGIN
    PERFORM dunning._need_channel(best_time.channel);
    IF id IS NULL OR best_time.not_before > '9999-12-30 00:00+00' OR best_time.not_before < '0001-01-02 00:00+00' OR NOT isfinite(best_time.not_after) OR best_time.not_after < best_time.not_before
       OR best_time.top IS NULL OR best_time.top NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'no best time can be found'
            USING ERRCODE = '22023', DETAIL = 'A debtor, finite instants in order and top from 1 to 100 are needed.',
                  HINT = 'SELECT * FROM dunning.best_time(''1042'', ''email'', now(), now() + ''7 days'');';
    END IF;
    RETURN QUERY SELECT b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM dunning._best_times(ARRAY[id], ARRAY[best_time.channel], ARRAY[best_time.not_before], ARRAY[best_time.not_after], NULL, best_time.top) b;
END
$function$;
CREATE FUNCTION dunning.best_times(channel text, as_of timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS TABLE(debtor_id text, contact_at timestamp with time zone, local_time text, p_response double precision, p_baseline double precision, uplift double precision, explored boolean, propensity double precision, reasons jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    ids text[];
BEGIN
    PERFORM dunning._need_channel(best_times.channel);
    PERFORM dunning._check_as_of(best_times.as_of);
    EXECUTE format('SELECT array_agg(l.debtor_id ORDER BY l.debtor_id) FROM (%s) l', dunning._ledger_sql('debtor')) INTO ids;
    RETURN QUERY SELECT u.id, b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM dunning._best_times(ids, array_fill(best_times.channel, ARRAY[coalesce(cardinality(ids), 0)]), NULL, NULL, best_times.as_of) b
        JOIN unnest(ids) WITH ORDINALITY u(id, ord) ON u.ord = b.ord;
END
$function$;
CREATE FUNCTION dunning.payday(debtor_id text)
 RETURNS TABLE(schedule text, probability double precision, next_date date)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 3
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(payday.debtor_id);
    place record;
    dates date[];
BEGIN
    EXECUTE format('SELECT l.country, (dunning._zone(l.time_zone, l.country, l.region))[1] AS zone FROM (%s) l', dunning._ledger_sql('debtor', '$1'))
        INTO place USING ARRAY[id];
    IF place.zone IS NULL THEN
        RAISE EXCEPTION 'unknown debtor "%"', payday.debtor_id USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    -- Live, not from the profile: a payment of this morning counts.
    EXECUTE format($q$SELECT array_agg((y.paid_at AT TIME ZONE $2)::date ORDER BY y.paid_at DESC) FROM (
            SELECT l.paid_at FROM (%s) l
            WHERE l.amount > 0 AND l.amount < 'Infinity' AND isfinite(l.paid_at)
              AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = $3 AND NOT e.test
                              AND l.paid_at >= e.contact_on AND l.paid_at < e.contact_on + '48 hours'::interval)
            ORDER BY l.paid_at DESC LIMIT 24) y$q$, dunning._ledger_sql('payment', '$1'))
        INTO dates USING ARRAY[id], place.zone, id;
    RETURN QUERY SELECT y.schedule, y.probability, y.next_date
        FROM dunning._payday(place.country, dates, (dunning._now() AT TIME ZONE place.zone)::date) y
        ORDER BY y.probability DESC, y.schedule LIMIT 3;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.start_experiment(name text, arms jsonb, metric text DEFAULT 'paid'::text, window_days integer DEFAULT 14, planned integer DEFAULT 5000, traffic double precision DEFAULT 1, alpha double precision DEFAULT 0.05)
 RETURNS TABLE(experiment text, arm text, control boolean, share double precision)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    names text[];
    weights float8[];
    total float8;
BEGIN
    IF start_experiment.name IS NULL OR start_experiment.name !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'an experiment''s name is a small letter followed by small letters, digits, "_" or "-"'
            USING ERRCODE = '22023', DETAIL = format('Given: %L.', left(start_experiment.name, 100)), HINT = 'Such as framing-spring.';
    ELSIF EXISTS (SELECT FROM dunning.experiment e WHERE e.experiment = start_experiment.name) THEN
        RAISE EXCEPTION 'experiment "%" exists already', start_experiment.name
            USING ERRCODE = '22023', DETAIL = 'A name is used once, since it decides who gets which arm.',
                  HINT = pg_catalog.format('End it with SELECT dunning.end_experiment(%L); and start one of another name.', start_experiment.name);
    ELSIF start_experiment.metric IS DISTINCT FROM 'paid' THEN
        RAISE EXCEPTION 'unknown metric "%"', start_experiment.metric
            USING ERRCODE = '22023', DETAIL = 'Known metrics: paid (a payment within window_days of the first contact).';
    ELSIF window_days IS NULL OR window_days NOT BETWEEN 1 AND 365 OR planned IS NULL OR planned < 200
          OR traffic IS NULL OR NOT (traffic > 0 AND traffic <= 1) OR alpha IS NULL OR NOT (alpha > 0 AND alpha <= 0.2) THEN
        RAISE EXCEPTION 'experiment "%" has a parameter out of range', start_experiment.name
            USING ERRCODE = '22023', DETAIL = 'window_days is 1 to 365, planned at least 200, traffic above 0 and at most 1, alpha above 0 and at most 0.2.';
    END IF;
    BEGIN
        IF jsonb_typeof(arms) = 'array' THEN
            SELECT pg_catalog.array_agg(a.name ORDER BY a.n), pg_catalog.array_agg(1.0::float8) INTO names, weights
            FROM jsonb_array_elements_text(arms) WITH ORDINALITY a(name, n);
        ELSE
            SELECT pg_catalog.array_agg(a.key ORDER BY a.key <> 'control', a.key <> 'neutral', a.key),
                   pg_catalog.array_agg(a.value::float8 ORDER BY a.key <> 'control', a.key <> 'neutral', a.key) INTO names, weights
            FROM jsonb_each_text(arms) a;
        END IF;
    EXCEPTION WHEN data_exception THEN
        names := NULL;
    END;
    IF names IS NULL OR cardinality(names) < 2 OR array_position(names, NULL) IS NOT NULL
       OR EXISTS (SELECT FROM unnest(names) n(n) GROUP BY n.n HAVING count(*) > 1 OR n.n = '')
       OR EXISTS (SELECT FROM unnest(weights) w(w) WHERE w.w IS NULL OR NOT (w.w > 0 AND w.w < 'infinity')) THEN
        RAISE EXCEPTION 'arms of experiment "%" are not usable', start_experiment.name
            USING ERRCODE = '22023', DETAIL = 'Arms are a JSON array of at least two different names, the first being the control, or an object of names and positive weights.',
                  HINT = 'SELECT * FROM dunning.start_experiment(''framing'', ''["neutral", "loss_averse"]'');';
    END IF;
    SELECT sum(w.w) INTO total FROM unnest(weights) w(w);

    INSERT INTO dunning.experiment AS e (experiment, metric, window_days, planned, traffic, alpha, started_at, started_by)
    VALUES (start_experiment.name, start_experiment.metric, start_experiment.window_days, start_experiment.planned, start_experiment.traffic,
        start_experiment.alpha, dunning._now(), session_user);
    INSERT INTO dunning.arm AS a (experiment, arm, position, weight, lower, upper)
    SELECT start_experiment.name, x.name, x.n, x.weight, (sum(x.weight) OVER w - x.weight) / total,
           CASE WHEN x.n = cardinality(names) THEN 1 ELSE sum(x.weight) OVER w / total END     -- no gap by rounding
    FROM ROWS FROM (unnest(names), unnest(weights)) WITH ORDINALITY x(name, weight, n) WINDOW w AS (ORDER BY x.n);
    RETURN QUERY SELECT a.experiment::text, a.arm::text, a.position = 1, a.upper - a.lower FROM dunning.arm a
        WHERE a.experiment = start_experiment.name ORDER BY a.position;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.set_holdout(share double precision)
 RETURNS double precision
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF set_holdout.share IS NULL OR NOT (set_holdout.share >= 0 AND set_holdout.share <= 0.5) THEN
        RAISE EXCEPTION 'a hold-out is a share between 0 and 0.5'
            USING ERRCODE = '22023', DETAIL = format('Given: %s.', coalesce(set_holdout.share::text, 'NULL')), HINT = 'SELECT dunning.set_holdout(0.05);';
    END IF;
    INSERT INTO dunning.holdout AS h (one, share, set_by, set_at) VALUES (true, set_holdout.share, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT holdout_pkey DO UPDATE SET share = excluded.share, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN set_holdout.share;
END
$function$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.strategy')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS tolerance jsonb DEFAULT '{}'::jsonb NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS max_contacts integer$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS max_days integer$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS stop_after integer$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS stop_step text COLLATE "C"$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS catch_up text DEFAULT 'furthest'::text NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS saved_by text$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD COLUMN IF NOT EXISTS saved_at timestamp with time zone$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD CONSTRAINT strategy_catch_up_check CHECK ((catch_up = ANY (ARRAY['furthest'::text, 'next'::text])))$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD CONSTRAINT strategy_check CHECK (((max_contacts IS NULL) = (max_days IS NULL)))$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD CONSTRAINT strategy_check1 CHECK (((stop_step IS NULL) OR (stop_after IS NOT NULL)))$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD CONSTRAINT strategy_max_contacts_check CHECK ((max_contacts > 0))$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD CONSTRAINT strategy_max_days_check CHECK ((max_days > 0))$step$;
    EXECUTE $step$ALTER TABLE dunning.strategy ADD CONSTRAINT strategy_stop_after_check CHECK ((stop_after > 0))$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.step')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS level text COLLATE "C"$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS until_days integer$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS minimum jsonb$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS cooldown_days integer$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS repeat_days integer$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS repeat_max integer$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS self_cure_wait integer DEFAULT 0 NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS tone text DEFAULT 'neutral'::text NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS offer text$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS companion_channel text$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS companion_template text$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS print jsonb DEFAULT '{}'::jsonb NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD COLUMN IF NOT EXISTS must boolean DEFAULT false NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_anchor_check CHECK (((anchor = ANY (ARRAY['due_date'::text, 'last_contact'::text, 'broken_promise'::text, 'next_fee'::text, 'hearing'::text, 'payday'::text])) OR (anchor ~ '^event:[a-z][a-z0-9_]*$'::text)))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_check CHECK (((repeat_max IS NULL) OR (repeat_days IS NOT NULL)))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_check1 CHECK (((companion_channel IS NULL) = (companion_template IS NULL)))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_cooldown_days_check CHECK ((cooldown_days >= 0))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_offer_check CHECK ((offer = ANY (ARRAY['instalments'::text, 'settlement'::text, 'pay_later'::text, 'promise'::text])))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_repeat_days_check CHECK ((repeat_days > 0))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_repeat_max_check CHECK ((repeat_max > 1))$step$;
    EXECUTE $step$ALTER TABLE dunning.step ADD CONSTRAINT step_tone_check CHECK ((tone = ANY (ARRAY['soft'::text, 'friendly'::text, 'neutral'::text, 'formal'::text, 'urgent'::text])))$step$;
END
$do$;
CREATE TABLE dunning.strategy_rule (
    rule text COLLATE "C" NOT NULL,
    builtin boolean DEFAULT false NOT NULL,
    "position" integer NOT NULL,
    creditor text COLLATE "C",
    segment text COLLATE "C",
    diagnosis text COLLATE "C",
    debtor_kind text COLLATE "C",
    strategy text COLLATE "C" NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    saved_by text,
    saved_at timestamp with time zone,
    CONSTRAINT strategy_rule_debtor_kind_check CHECK ((debtor_kind = ANY (ARRAY['person'::text, 'company'::text]))),
    CONSTRAINT strategy_rule_pkey PRIMARY KEY (rule, builtin)
);
CREATE TABLE dunning.debtor_strategy (
    debtor_id text COLLATE "C" NOT NULL,
    strategy text COLLATE "C" NOT NULL,
    note text,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT debtor_strategy_pkey PRIMARY KEY (debtor_id)
);
CREATE TABLE dunning.budget (
    creditor text COLLATE "C" DEFAULT '*'::text NOT NULL,
    campaign text COLLATE "C" DEFAULT '*'::text NOT NULL,
    currency text NOT NULL,
    per_day numeric NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT budget_per_day_check CHECK ((per_day >= (0)::numeric)),
    CONSTRAINT budget_pkey PRIMARY KEY (creditor, campaign, currency)
);
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.channel_cost')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.channel_cost ADD COLUMN IF NOT EXISTS country text COLLATE "C" DEFAULT '*'::text NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.channel_cost ADD CONSTRAINT channel_cost_pkey PRIMARY KEY (creditor, country, channel, currency, valid_from)$step$;
END
$do$;
CREATE FUNCTION dunning._payday_around(country text, payments date[], today date, OUT schedule text, OUT probability double precision, OUT last_on date, OUT next_on date)
 RETURNS record
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_plan_sql_payday_around$function$;
CREATE FUNCTION dunning._event_day(detail jsonb, at timestamp with time zone)
 RETURNS date
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "DateStyle" TO 'ISO, YMD'
AS $function$
#variable_conflict error
BEGIN
    IF coalesce((detail->>'cancelled')::boolean, false) THEN
        RETURN NULL;
    END IF;
    RETURN coalesce((detail->>'on')::date, (at AT TIME ZONE dunning._ledger_zone())::date);
EXCEPTION WHEN data_exception THEN
    RETURN (at AT TIME ZONE dunning._ledger_zone())::date;
END
$function$;
CREATE FUNCTION dunning._anchors(debtor_ids text[], anchors text[], as_of timestamp with time zone)
 RETURNS TABLE(debtor_id text, anchor text, currency text, last_on date, next_on date)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    kinds text[] := ARRAY(SELECT substr(a.a, 7) FROM unnest(anchors) a(a) WHERE a.a LIKE 'event:%')
        || CASE WHEN 'hearing' = ANY (anchors) THEN ARRAY['hearing'] ELSE '{}' END;
BEGIN
    IF 'broken_promise' = ANY (anchors) THEN
        RETURN QUERY
            SELECT b.debtor_id, 'broken_promise', b.currency, b.on_date, b.on_date
            FROM (SELECT s.debtor_id, s.currency, max((s.deadline AT TIME ZONE dunning._ledger_zone())::date) AS on_date
                  FROM dunning._promise_state(debtor_ids) s WHERE s.state = 'broken' AND s.deadline <= as_of GROUP BY 1, 2) b;
    END IF;
    -- A fee that may be charged today cannot be warned of any more.
    IF 'next_fee' = ANY (anchors) AND pg_catalog.to_regprocedure('dunning._pending_fees(text[],timestamp with time zone)') IS NOT NULL THEN
        RETURN QUERY EXECUTE 'SELECT f.debtor_id, ''next_fee'', f.currency, min(f.lawful_from), min(f.lawful_from)
            FROM dunning._pending_fees($1, $2) f WHERE f.lawful_from > $3 GROUP BY 1, 3' USING debtor_ids, as_of, today;
    END IF;
    IF 'payday' = ANY (anchors) THEN
        RETURN QUERY EXECUTE pg_catalog.format('SELECT d.debtor_id::text, ''payday'', NULL::text, y.last_on, y.next_on
            FROM (%s) d JOIN dunning.timing_profile p ON p.debtor_id = d.debtor_id
            CROSS JOIN LATERAL dunning._payday_around(d.country, p.payments, $2) y
            WHERE y.probability >= 0.5', dunning._ledger_sql('debtor', '$1')) USING debtor_ids, today;
    END IF;
    IF cardinality(kinds) > 0 THEN
        RETURN QUERY
            SELECT x.debtor_id, CASE x.kind WHEN 'hearing' THEN 'hearing' ELSE 'event:' || x.kind END, NULL::text, x.on_date, x.on_date
            FROM (SELECT DISTINCT ON (e.debtor_id, e.kind) e.debtor_id, e.kind, dunning._event_day(e.detail, e.at) AS on_date
                  FROM dunning.event e
                  WHERE e.debtor_id = ANY (debtor_ids) AND e.kind = ANY (kinds) AND e.at <= as_of
                  ORDER BY e.debtor_id, e.kind, e.at DESC, e.recorded_at DESC) x
            WHERE x.on_date IS NOT NULL;
    END IF;
END
$function$;
CREATE FUNCTION dunning._touch(message_id uuid)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT overlay(message_id::text PLACING '..' FROM 20 FOR 2) $function$;
CREATE FUNCTION dunning._companion_id(message_id uuid)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT overlay(message_id::text PLACING CASE substr(message_id::text, 20, 2) WHEN 'bc' THEN 'bb' ELSE 'bc' END FROM 20 FOR 2)::uuid $function$;
CREATE FUNCTION dunning._contact_sql(many text, as_of text, answers boolean)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH touch AS MATERIALIZED (
            SELECT e.debtor_id, min(e.contact_on) AS at FROM dunning.egress e
            WHERE NOT e.test AND e.contact_on >= %1$s - interval '%3$s days' AND e.contact_on <= %1$s
            GROUP BY e.debtor_id, dunning._touch(e.message_id)),
        heard AS MATERIALIZED (%2$s)
        SELECT t.debtor_id, max(t.at) AS last_contact, (max(t.at) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last_day,
               array_agg(t.at) AS ats,
               count(*) FILTER (WHERE t.at > %1$s - interval '7 days')::int AS n7, count(*) FILTER (WHERE t.at > %1$s - interval '30 days')::int AS n30,
               count(*) FILTER (WHERE h.at IS NULL OR t.at > h.at)::int AS unanswered
        FROM touch t LEFT JOIN heard h ON h.debtor_id = t.debtor_id GROUP BY t.debtor_id$q$,
        as_of,
        CASE WHEN answers THEN pg_catalog.format($q$
            SELECT x.debtor_id, max(x.at) AS at FROM (
                SELECT y.debtor_id, y.paid_at AS at FROM (%s) y WHERE y.amount > 0 AND y.paid_at <= %2$s
                UNION ALL
                SELECT v.debtor_id, v.at FROM dunning.event v
                WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere')
                  AND v.at <= %2$s AND v.detail->>'machine' IS DISTINCT FROM 'true') x GROUP BY x.debtor_id$q$, dunning._ledger_sql('payment', many, as_of), as_of)
             ELSE 'SELECT NULL::text AS debtor_id, NULL::timestamptz AS at WHERE false' END,
        CASE WHEN answers THEN 400 ELSE 90 END);
END
$function$;
CREATE FUNCTION dunning._strategy_rules()
 RETURNS SETOF dunning.strategy_rule
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT x.* FROM (SELECT DISTINCT ON (r.rule) r.* FROM dunning.strategy_rule r ORDER BY r.rule, r.builtin) x
        WHERE x.enabled ORDER BY x.position, x.rule;
END
$function$;
CREATE FUNCTION dunning._assigned_sql(debtors text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH creditor AS MATERIALIZED (SELECT DISTINCT ON (x.creditor) x.creditor, x.default_strategy FROM dunning.creditor x ORDER BY x.creditor, x.builtin),
        rule AS MATERIALIZED (SELECT r.* FROM dunning._strategy_rules() r)
        SELECT d.*, coalesce(o.strategy, u.strategy, c.default_strategy, 'standard') AS strategy,
               CASE WHEN o.strategy IS NOT NULL THEN 'debtor' WHEN u.rule IS NOT NULL THEN 'rule:' || u.rule
                    WHEN c.default_strategy IS NOT NULL THEN 'creditor' ELSE 'standard' END AS strategy_by
        FROM (%s) d
        LEFT JOIN dunning.debtor_strategy o ON o.debtor_id = d.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = d.debtor_id
        LEFT JOIN LATERAL (SELECT r.rule, r.strategy FROM rule r
            WHERE (r.creditor IS NULL OR r.creditor = d.creditor) AND (r.segment IS NULL OR r.segment = s.segment)
              AND (r.diagnosis IS NULL OR r.diagnosis = s.diagnosis) AND (r.debtor_kind IS NULL OR r.debtor_kind = coalesce(nullif(d.kind, ''), 'person'))
            ORDER BY r.position, r.rule LIMIT 1) u ON true
        LEFT JOIN creditor c ON c.creditor = d.creditor$q$, debtors);
END
$function$;
CREATE FUNCTION dunning.assign_strategy(rule text, strategy text, "position" integer DEFAULT 100, creditor text DEFAULT NULL::text, segment text DEFAULT NULL::text, diagnosis text DEFAULT NULL::text, debtor_kind text DEFAULT NULL::text, enabled boolean DEFAULT true)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    PERFORM dunning._check_name('rule', assign_strategy.rule, 'companies');
    PERFORM dunning._check_strategy(assign_strategy.strategy);
    PERFORM dunning._check_reachable(assign_strategy.strategy);
    IF num_nonnulls(assign_strategy.creditor, assign_strategy.segment, assign_strategy.diagnosis, assign_strategy.debtor_kind) = 0 OR "position" IS NULL OR assign_strategy.enabled IS NULL THEN
        RAISE EXCEPTION 'a rule names whom it is for'
            USING ERRCODE = '22023', DETAIL = 'At least one of creditor, segment, diagnosis and debtor_kind, and a position.',
                  HINT = pg_catalog.format('SELECT dunning.assign_strategy(%L, %L, segment => ''habitual_late'');', assign_strategy.rule, assign_strategy.strategy);
    ELSIF assign_strategy.segment IS NOT NULL AND assign_strategy.segment <> 'other' AND NOT EXISTS (SELECT FROM dunning._segments() s WHERE s.segment = assign_strategy.segment) THEN
        RAISE EXCEPTION 'segment "%" does not exist', assign_strategy.segment
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Segments: %s, other.', (SELECT string_agg(s.segment, ', ') FROM dunning._segments() s)),
                  HINT = 'SELECT segment, description FROM dunning.segment ORDER BY position;';
    ELSIF assign_strategy.diagnosis IS NOT NULL AND NOT EXISTS (SELECT FROM dunning._diagnosis_rules() d WHERE d.diagnosis = assign_strategy.diagnosis) THEN
        RAISE EXCEPTION 'diagnosis "%" does not exist', assign_strategy.diagnosis
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Diagnoses: %s.', (SELECT string_agg(DISTINCT d.diagnosis, ', ') FROM dunning._diagnosis_rules() d)),
                  HINT = pg_catalog.format('SELECT dunning.assign_strategy(%L, %L, diagnosis => ''cannot_pay'');', assign_strategy.rule, assign_strategy.strategy);
    ELSIF assign_strategy.debtor_kind NOT IN ('person', 'company') THEN
        RAISE EXCEPTION 'a debtor is a person or a company' USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %L.', assign_strategy.debtor_kind),
            HINT = pg_catalog.format('SELECT dunning.assign_strategy(%L, %L, debtor_kind => ''company'');', assign_strategy.rule, assign_strategy.strategy);
    END IF;
    PERFORM dunning._log_change('rule', assign_strategy.rule, (SELECT to_jsonb(r) FROM dunning.strategy_rule r WHERE r.rule = assign_strategy.rule ORDER BY r.builtin LIMIT 1));
    DELETE FROM dunning.strategy_rule r WHERE r.rule = assign_strategy.rule AND NOT r.builtin;
    INSERT INTO dunning.strategy_rule AS r (rule, builtin, position, creditor, segment, diagnosis, debtor_kind, strategy, enabled, saved_by, saved_at)
    VALUES (assign_strategy.rule, false, assign_strategy.position, assign_strategy.creditor, assign_strategy.segment, assign_strategy.diagnosis, assign_strategy.debtor_kind,
        assign_strategy.strategy, assign_strategy.enabled, session_user, dunning._now());
    RETURN assign_strategy.rule;
END
$function$;
CREATE FUNCTION dunning.set_strategy(debtor_id text, strategy text, note text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(set_strategy.debtor_id);
BEGIN
    IF id IS NULL OR dunning._creditor_of(id) IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(set_strategy.debtor_id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    ELSIF set_strategy.strategy IS NOT NULL THEN
        PERFORM dunning._check_strategy(set_strategy.strategy);
        PERFORM dunning._check_reachable(set_strategy.strategy);
    END IF;
    PERFORM dunning._log_change('debtor', id, (SELECT to_jsonb(o) FROM dunning.debtor_strategy o WHERE o.debtor_id = id));
    DELETE FROM dunning.debtor_strategy o WHERE o.debtor_id = id;
    IF set_strategy.strategy IS NOT NULL THEN
        INSERT INTO dunning.debtor_strategy AS o (debtor_id, strategy, note, set_by, set_at)
        VALUES (id, set_strategy.strategy, set_strategy.note, session_user, dunning._now());
    END IF;
    RETURN (SELECT s.strategy FROM dunning.strategy_of(id) s);
END
$function$;
CREATE FUNCTION dunning.strategy_of(debtor_id text, OUT strategy text, OUT because text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(strategy_of.debtor_id);
BEGIN
    EXECUTE pg_catalog.format('SELECT a.strategy, a.strategy_by FROM (%s) a', dunning._assigned_sql(dunning._ledger_sql('debtor', '$1')))
        INTO strategy, because USING ARRAY[id];
END
$function$;
CREATE OR REPLACE FUNCTION dunning._check_condition(condition text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    why text;
    tried text := 'it';
    zeros jsonb;
BEGIN
    PERFORM dunning._predicate_columns(condition);
    PERFORM dunning._conditions(ARRAY[condition], '{}'::text[], NULL);
    zeros := (SELECT pg_catalog.jsonb_object_agg(a.attname, 0) FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = 'dunning.debtor_features'::regclass AND a.attnum > 0 AND a.atttypid IN ('int4'::regtype, 'float8'::regtype));
    PERFORM dunning._restrict();
    tried := 'for a debtor of whom nothing is known it';
    EXECUTE pg_catalog.format('SELECT (%s)::boolean FROM (SELECT (NULL::dunning.debtor_features).*, NULL::text AS segment, NULL::text AS diagnosis,
        NULL::float8 AS p_paid_30d, NULL::float8 AS p_late, NULL::float8 AS p_self_cure) x', condition);
    tried := 'for a debtor without history it';
    EXECUTE pg_catalog.format('SELECT (%s)::boolean FROM (SELECT (pg_catalog.jsonb_populate_record(NULL::dunning.debtor_features, $1)).*, ''new''::text AS segment,
        NULL::text AS diagnosis, 0::float8 AS p_paid_30d, 0::float8 AS p_late, 0::float8 AS p_self_cure) x', condition) USING zeros;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
    GET STACKED DIAGNOSTICS why = MESSAGE_TEXT;
    RAISE EXCEPTION 'the condition of a step cannot be evaluated'
        USING ERRCODE = '22023', DETAIL = CASE tried WHEN 'it' THEN pg_catalog.format('%s: %s', condition, why)
                  ELSE pg_catalog.format('%s: %s fails: %s.', condition, tried, why) END,
              HINT = 'It is one SQL predicate over the columns of dunning.features() and segment, diagnosis, p_paid_30d, p_late, p_self_cure; for example: p_late >= 0.5 OR segment = ''habitual_late''.';
END
$function$;
CREATE FUNCTION dunning._check_minimum(minimum jsonb, what text DEFAULT 'minimum'::text)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF jsonb_typeof(minimum) IS DISTINCT FROM 'object'
       OR EXISTS (SELECT FROM jsonb_each(minimum) m WHERE jsonb_typeof(m.value) <> 'number' OR m.key !~ '^([A-Z]{3}|\*)$')
       OR EXISTS (SELECT FROM jsonb_each(minimum) m WHERE m.value::text::numeric < 0) THEN
        RAISE EXCEPTION 'a % is an object of currencies and amounts', what
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %s.', left(minimum::text, 200)),
                  HINT = 'For example: {"EUR": 5, "DKK": 40, "*": 5}, where * stands for every other currency.';
    END IF;
END
$function$;
CREATE FUNCTION dunning._check_name(what text, name text, example text)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF name IS NULL OR name !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'a %''s name is a small letter followed by small letters, digits, "_" or "-"', what
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %L.', left(name, 100)), HINT = pg_catalog.format('Such as %s.', example);
    END IF;
END
$function$;
CREATE FUNCTION dunning._anchor_problem(anchor text, offset_days integer, until_days integer)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN CASE
        WHEN offset_days IS NULL OR offset_days NOT BETWEEN -90 AND 3650
            THEN 'It is signed: -3 is three days before the anchor, 7 is seven days after; planning looks 90 days ahead and ten years back.'
        WHEN anchor = 'last_contact' AND offset_days < 1 THEN 'A step counted from the last contact comes at least a day after it.'
        WHEN anchor = 'next_fee' AND offset_days NOT BETWEEN -30 AND -1 THEN 'A warning of a fee comes before it: -30 to -1; -1 is the day before.'
        WHEN anchor = 'payday' AND offset_days NOT BETWEEN -7 AND 27 THEN 'Paydays are at most a month apart: -7 to 27 days.'
        WHEN anchor = 'broken_promise' AND offset_days < 0 THEN 'That a promise is broken is known only afterwards: 0 or more days.'
        WHEN anchor LIKE 'event:%' AND offset_days < 0 AND anchor <> 'event:hearing' THEN 'An event is known only when it has happened: 0 or more days.'
        WHEN until_days < offset_days THEN pg_catalog.format('until_days (%s) is before offset_days (%s): the step could never be taken.', until_days, offset_days)
        WHEN offset_days < 0 AND anchor IN ('next_fee', 'hearing') AND until_days >= 0 THEN 'A step before its anchor ends before it: until_days is negative.'
    END;
END
$function$;
CREATE FUNCTION dunning._check_anchor(anchor text, offset_days integer, until_days integer)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF anchor IS NULL OR (anchor NOT IN ('due_date', 'last_contact', 'broken_promise', 'next_fee', 'hearing', 'payday') AND anchor NOT LIKE 'event:%') THEN
        RAISE EXCEPTION 'unknown anchor "%"', anchor
            USING ERRCODE = '22023', DETAIL = 'Anchors are due_date, last_contact, broken_promise, next_fee, hearing, payday and event:<kind>.', HINT = 'Leave anchor out to count from the due date.';
    ELSIF anchor LIKE 'event:%' AND substr(anchor, 7) <> ALL (dunning._event_kinds()) THEN
        RAISE EXCEPTION 'anchor "%" cannot happen', anchor
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Kinds of events are %s.', array_to_string(dunning._event_kinds(), ', ')),
                  HINT = 'Such as event:circumstances_changed.';
    ELSIF dunning._anchor_problem(anchor, offset_days, until_days) IS NOT NULL THEN
        RAISE EXCEPTION 'offset_days is out of range'
            USING ERRCODE = '22023', DETAIL = dunning._anchor_problem(anchor, offset_days, until_days),
                  HINT = 'SELECT * FROM dunning.save_step(''standard'', ''reminder-3'', 4, 20, ''reminder-2'', ''{email,letter}'');';
    END IF;
END
$function$;
CREATE FUNCTION dunning._check_reachable(strategy text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    last_resort text := (SELECT t.stop_step FROM dunning._strategies() t WHERE t.strategy = _check_reachable.strategy);
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._steps(_check_reachable.strategy) s
                   WHERE s.anchor = 'due_date' AND NOT s.after_contact AND s.step IS DISTINCT FROM last_resort) THEN
        RAISE EXCEPTION 'strategy "%" has no first step that can be reached', _check_reachable.strategy
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN EXISTS (SELECT FROM dunning._steps(_check_reachable.strategy) s)
                      THEN 'Every step waits for something else: an earlier contact, an event, or that nothing helped.' ELSE 'It has no step that is enabled.' END,
                  HINT = pg_catalog.format('SELECT * FROM dunning.save_step(%L, ''reminder-1'', 1, 5, ''reminder-1'', ''{email,sms}'');', _check_reachable.strategy);
    END IF;
END
$function$;
CREATE FUNCTION dunning._offset_words(anchor text, offset_days integer)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    what text := CASE WHEN anchor LIKE 'event:%' THEN 'event ' || substr(anchor, 7)
        WHEN anchor = 'next_fee' THEN 'next fee' WHEN anchor = 'payday' THEN 'payday' WHEN anchor = 'broken_promise' THEN 'promised day that was not kept'
        ELSE replace(anchor, '_', ' ') END;
BEGIN
    RETURN CASE WHEN anchor = 'last_contact' THEN pg_catalog.format('%s days after the last contact', offset_days)
        WHEN offset_days = 0 THEN pg_catalog.format('on the %s', CASE WHEN anchor LIKE 'event:%' OR anchor = 'hearing' THEN 'day of the ' || what ELSE what END)
        ELSE pg_catalog.format('%s %s %s the %s', abs(offset_days), CASE WHEN abs(offset_days) = 1 AND anchor <> 'due_date' THEN 'day' ELSE 'days' END,
            CASE WHEN offset_days < 0 THEN 'BEFORE' ELSE 'AFTER' END, what) END;
END
$function$;
CREATE FUNCTION dunning._costs(creditor text, on_date date, currency text DEFAULT NULL::text, country text DEFAULT NULL::text)
 RETURNS TABLE(channel text, cost numeric, priced_in text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT DISTINCT ON (c.channel) c.channel::text, coalesce(k.cost, c.cost), coalesce(k.currency, c.currency)
        FROM dunning.channel c
        LEFT JOIN LATERAL (
            SELECT x.cost, x.currency FROM dunning.channel_cost x
            WHERE x.channel = c.channel AND x.creditor IN (_costs.creditor, '*') AND x.valid_from <= on_date
              AND x.currency IN (_costs.currency, c.currency) AND x.country IN (_costs.country, '*')
            ORDER BY x.currency IS DISTINCT FROM _costs.currency, x.creditor = '*', x.country = '*', x.valid_from DESC LIMIT 1) k ON true
        ORDER BY c.channel, c.builtin;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._plan_items_sql(many text, as_of text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        SELECT i.debtor_id, i.currency, i.invoice_id, i.due_on, i.amount, i.open, coalesce(i.reference, i.invoice_id) AS reference, i.pay_url,
               (SELECT dunning._today(%2$s)) - i.due_on AS days,
               CASE WHEN i.disputed THEN 'disputed'
                    WHEN h.debtor_id IS NOT NULL THEN 'hold:' || h.reason END AS left_out
        FROM (%1$s) i
        LEFT JOIN (SELECT x.debtor_id, x.invoice_id, min(x.reason) AS reason FROM dunning.hold x
                   WHERE x.invoice_id IS NOT NULL AND x.released_at IS NULL AND x.from_at <= coalesce(%2$s, dunning._now())
                     AND (x.until_at IS NULL OR x.until_at > coalesce(%2$s, dunning._now()))
                   GROUP BY 1, 2) h ON h.debtor_id = i.debtor_id AND h.invoice_id = i.invoice_id$q$,
        dunning._open_items_sql(many, as_of), as_of);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._context_sql(items text, many text, as_of text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        WITH item AS MATERIALIZED (%1$s),
        currency AS (
            SELECT i.debtor_id, i.currency, sum(i.open) AS amount, min(i.due_on) AS due_on, max(i.days) AS days, count(*) AS invoices,
                   pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('reference', i.reference, 'amount', i.open, 'due_on', i.due_on,
                       'days_overdue', i.days, 'pay_url', i.pay_url) ORDER BY i.due_on, i.invoice_id) AS list
            FROM item i GROUP BY i.debtor_id, i.currency),
        balance AS (
            SELECT c.debtor_id,
                   pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('currency', c.currency, 'amount', c.amount, 'due_on', c.due_on,
                       'days_overdue', c.days, 'invoices', c.list) ORDER BY c.amount DESC, c.currency) AS balances,
                   pg_catalog.jsonb_object_agg(c.currency, c.amount) AS amounts
            FROM currency c GROUP BY c.debtor_id)
        SELECT d.debtor_id, coalesce(b.amounts, '{}') AS amounts, coalesce(nullif(d.language, ''), c.language, 'en') AS language, d.creditor,
            dunning._optional_names() || pg_catalog.jsonb_build_object(
                'debtor_id', d.debtor_id, 'name', d.name, 'given_name', d.given_name, 'company', coalesce(d.kind = 'company', false),
                'creditor', d.creditor, 'creditor_name', coalesce(c.name, d.creditor), 'sender_name', coalesce(c.sender_name, c.name, d.creditor),
                'creditor_phone', c.phone, 'creditor_account', c.account, 'reply_to', c.reply_to,
                'amount', b.balances->0->'amount', 'currency', b.balances->0->'currency', 'due_on', b.balances->0->'due_on',
                'days_overdue', b.balances->0->'days_overdue', 'invoice_count', coalesce(pg_catalog.jsonb_array_length(b.balances->0->'invoices'), 0),
                'reference', b.balances->0->'invoices'->0->'reference', 'pay_url', b.balances->0->'invoices'->0->'pay_url')
            || pg_catalog.jsonb_build_object('balances', coalesce(b.balances, '[]'), 'other_currencies', coalesce(b.balances - 0, '[]')) AS context
        FROM (%2$s) d
        LEFT JOIN balance b ON b.debtor_id = d.debtor_id
        LEFT JOIN (SELECT DISTINCT ON (x.creditor) x.* FROM dunning.creditor x ORDER BY x.creditor, x.builtin) c ON c.creditor = d.creditor$q$,
        items, dunning._ledger_sql('debtor', many, as_of));
END
$function$;
CREATE FUNCTION dunning.save_strategy(strategy text, description text, minimum jsonb DEFAULT '{"*": 5}'::jsonb, grace_days integer DEFAULT 0, horizon interval DEFAULT '7 days'::interval, min_gap_days integer DEFAULT 5, self_cure double precision DEFAULT 0.6, margin numeric DEFAULT 0.05, enabled boolean DEFAULT true, tolerance jsonb DEFAULT '{}'::jsonb, max_contacts integer DEFAULT NULL::integer, max_days integer DEFAULT NULL::integer, stop_after integer DEFAULT NULL::integer, stop_step text DEFAULT NULL::text, catch_up text DEFAULT 'furthest'::text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    PERFORM dunning._check_minimum(minimum);
    PERFORM dunning._check_minimum(tolerance, 'tolerance');
    PERFORM dunning._check_name('strategy', save_strategy.strategy, 'gentle-2');
    IF num_nulls(grace_days, min_gap_days, horizon, self_cure, margin, enabled) > 0 OR grace_days NOT BETWEEN 0 AND 365 OR min_gap_days NOT BETWEEN 0 AND 365 OR horizon NOT BETWEEN interval '1 hour' AND interval '60 days'
          OR NOT (self_cure >= 0 AND self_cure <= 1.01) OR NOT (margin >= 0 AND margin <= 1) OR description IS NULL THEN
        RAISE EXCEPTION 'strategy "%" has a parameter out of range', save_strategy.strategy
            USING ERRCODE = '22023', DETAIL = 'grace_days and min_gap_days are 0 to 365, horizon one hour to 60 days, self_cure and margin 0 to 1; none is NULL, and a description says what the strategy is for.',
                  HINT = 'Leave an argument out to get its default.';
    ELSIF (max_contacts IS NULL) <> (max_days IS NULL) OR max_contacts < 1 OR max_days NOT BETWEEN 1 AND 400 OR stop_after < 1
          OR (stop_step IS NOT NULL AND stop_after IS NULL) OR catch_up IS NULL OR catch_up NOT IN ('furthest', 'next') THEN
        RAISE EXCEPTION 'strategy "%" has a rule of frequency that cannot be followed', save_strategy.strategy
            USING ERRCODE = '22023', DETAIL = 'max_contacts and max_days (1 to 400) are given together, stop_step needs stop_after, catch_up is furthest or next.',
                  HINT = pg_catalog.format('SELECT dunning.save_strategy(%L, ''at most 7 contacts in 30 days, nothing after 10 without an answer'', max_contacts => 7, max_days => 30, stop_after => 10);', save_strategy.strategy);
    ELSIF stop_step IS NOT NULL AND NOT EXISTS (SELECT FROM dunning._steps(save_strategy.strategy) s WHERE s.step = save_strategy.stop_step) THEN
        RAISE EXCEPTION 'strategy "%" has no step "%" to go to', save_strategy.strategy, stop_step
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Its steps: %s.', coalesce((SELECT string_agg(s.step, ', ' ORDER BY s.position) FROM dunning._steps(save_strategy.strategy) s), 'none')),
                  HINT = 'Save the step first, then name it here.';
    END IF;
    PERFORM dunning._log_change('strategy', save_strategy.strategy,
        (SELECT to_jsonb(s) FROM dunning._strategies() s WHERE s.strategy = save_strategy.strategy));
    INSERT INTO dunning.strategy AS s (strategy, builtin, description, minimum, grace_days, horizon, min_gap_days, self_cure, margin, enabled,
        tolerance, max_contacts, max_days, stop_after, stop_step, catch_up, saved_by, saved_at)
    VALUES (save_strategy.strategy, false, save_strategy.description, save_strategy.minimum, save_strategy.grace_days, save_strategy.horizon,
        save_strategy.min_gap_days, save_strategy.self_cure, save_strategy.margin, save_strategy.enabled, save_strategy.tolerance, save_strategy.max_contacts,
        save_strategy.max_days, save_strategy.stop_after, save_strategy.stop_step, save_strategy.catch_up, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT strategy_pkey DO UPDATE SET description = excluded.description, minimum = excluded.minimum, grace_days = excluded.grace_days,
        horizon = excluded.horizon, min_gap_days = excluded.min_gap_days, self_cure = excluded.self_cure, margin = excluded.margin, enabled = excluded.enabled,
        tolerance = excluded.tolerance, max_contacts = excluded.max_contacts, max_days = excluded.max_days, stop_after = excluded.stop_after,
        stop_step = excluded.stop_step, catch_up = excluded.catch_up, saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    IF EXISTS (SELECT FROM dunning._steps(save_strategy.strategy)) THEN
        PERFORM dunning._check_reachable(save_strategy.strategy);
    END IF;
    RETURN save_strategy.strategy;
END
$function$;
CREATE FUNCTION dunning._check_step(step dunning.step)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    one text;
    wrong text;
BEGIN
    IF coalesce(array_ndims(step.channels), 0) <> 1 OR EXISTS (SELECT FROM unnest(step.channels) c WHERE c IS NULL) OR step.position IS NULL THEN
        RAISE EXCEPTION 'a step has a position and a list of at least one channel'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: position %s, channels %s.', coalesce(step.position::text, 'NULL'), coalesce(step.channels::text, 'NULL')),
                  HINT = 'SELECT * FROM dunning.save_step(''standard'', ''reminder-3'', 4, 20, ''reminder-2'', ''{email,letter}'');';
    ELSIF num_nulls(step.framing, step.paid_channels, step.self_cure_days, step.enabled, step.after_contact, step.self_cure_wait, step.must) > 0
          OR step.self_cure_days NOT BETWEEN 0 AND 3650 OR step.self_cure_wait NOT BETWEEN 0 AND 3650 THEN
        RAISE EXCEPTION 'step "%" has a parameter out of range', step.step
            USING ERRCODE = '22023', DETAIL = 'self_cure_days and self_cure_wait are 0 to 3650; framing, paid_channels, enabled, after_contact and must are not NULL.',
                  HINT = 'Leave an argument out to get its default.';
    END IF;
    wrong := CASE
        WHEN step.cooldown_days NOT BETWEEN 0 AND 365 THEN 'cooldown_days is 0 to 365.'
        WHEN step.repeat_days NOT BETWEEN 1 AND 365 OR step.repeat_max < 2 OR (step.repeat_max IS NOT NULL AND step.repeat_days IS NULL)
            THEN 'repeat_days is 1 to 365; repeat_max is how often in all, at least 2, and needs repeat_days.'
        WHEN step.tone IS NULL OR step.tone NOT IN ('soft', 'friendly', 'neutral', 'formal', 'urgent') THEN 'tone is soft, friendly, neutral, formal or urgent.'
        WHEN step.offer NOT IN ('instalments', 'settlement', 'pay_later', 'promise') THEN 'offer is instalments, settlement, pay_later or promise.'
        WHEN (step.companion_channel IS NULL) <> (step.companion_template IS NULL) THEN 'companion_channel and companion_template are given together.'
        WHEN step.companion_channel = ALL (step.channels) THEN 'A companion goes over another channel than its message.'
        WHEN jsonb_typeof(step.print) IS DISTINCT FROM 'object' THEN 'print is an object of fields for the print manifest, such as {"envelope": "plain", "note": "Hello {{given_name}}"}.'
        WHEN step.level IS NOT NULL AND step.level !~ '^[a-z][a-z0-9_-]{0,62}$' THEN 'level is a small letter followed by small letters, digits, "_" or "-".' END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'step "%" cannot be as it is given', step.step USING ERRCODE = '22023', DETAIL = wrong, HINT = 'Leave an argument out to get its default.';
    END IF;
    IF step.minimum IS NOT NULL THEN
        PERFORM dunning._check_minimum(step.minimum);
    END IF;
    FOREACH one IN ARRAY step.channels || step.companion_channel LOOP
        IF one IS NOT NULL THEN
            PERFORM dunning._check_channel(one);
        END IF;
    END LOOP;
    IF step.companion_template IS NOT NULL THEN
        PERFORM dunning._check_template_name(step.companion_template);
    END IF;
    IF step.condition IS NOT NULL THEN
        PERFORM dunning._check_condition(step.condition);
    END IF;
END
$function$;
CREATE FUNCTION dunning.save_step(strategy text, step text, "position" integer, offset_days integer, template text, channels text[], anchor text DEFAULT 'due_date'::text, condition text DEFAULT NULL::text, framing text DEFAULT 'neutral'::text, paid_channels boolean DEFAULT true, self_cure_days integer DEFAULT 0, enabled boolean DEFAULT true, after_contact boolean DEFAULT false, level text DEFAULT NULL::text, until_days integer DEFAULT NULL::integer, minimum jsonb DEFAULT NULL::jsonb, cooldown_days integer DEFAULT NULL::integer, repeat_days integer DEFAULT NULL::integer, repeat_max integer DEFAULT NULL::integer, self_cure_wait integer DEFAULT 0, tone text DEFAULT 'neutral'::text, offer text DEFAULT NULL::text, companion_channel text DEFAULT NULL::text, companion_template text DEFAULT NULL::text, print jsonb DEFAULT '{}'::jsonb, must boolean DEFAULT false, OUT saved text, OUT means text)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    new dunning.step;
BEGIN
    PERFORM dunning._check_strategy(save_step.strategy);
    PERFORM dunning._check_template_name(save_step.template);
    PERFORM dunning._check_name('step', save_step.step, 'reminder-3');
    PERFORM dunning._check_anchor(save_step.anchor, save_step.offset_days, save_step.until_days);
    new := ROW(save_step.strategy, save_step.step, false, save_step.position, save_step.anchor, save_step.offset_days, save_step.template, save_step.channels,
        save_step.condition, save_step.framing, save_step.paid_channels, save_step.self_cure_days, save_step.after_contact, save_step.enabled, session_user, dunning._now(),
        save_step.level, save_step.until_days, save_step.minimum, save_step.cooldown_days, save_step.repeat_days, save_step.repeat_max, save_step.self_cure_wait,
        save_step.tone, save_step.offer, save_step.companion_channel, save_step.companion_template, save_step.print, save_step.must)::dunning.step;
    PERFORM dunning._check_step(new);
    PERFORM dunning._log_change('step', save_step.strategy || '/' || save_step.step,
        (SELECT to_jsonb(s) FROM dunning._steps(save_step.strategy) s WHERE s.step = save_step.step));
    DELETE FROM dunning.step s WHERE s.strategy = save_step.strategy AND s.step = save_step.step AND NOT s.builtin;
    INSERT INTO dunning.step SELECT (new).*;
    PERFORM dunning._check_reachable(save_step.strategy);
    saved := save_step.strategy || '/' || save_step.step;
    means := dunning._offset_words(save_step.anchor, save_step.offset_days);
END
$function$;
CREATE OR REPLACE FUNCTION dunning.reset_step(strategy text, step text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    there boolean;
BEGIN
    PERFORM dunning._log_change('step', reset_step.strategy || '/' || reset_step.step, to_jsonb(s)) FROM dunning.step s
        WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    DELETE FROM dunning.step s WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    there := FOUND;
    IF there AND EXISTS (SELECT FROM dunning._steps(reset_step.strategy)) THEN
        PERFORM dunning._check_reachable(reset_step.strategy);
    END IF;
    RETURN there;
END
$function$;
CREATE FUNCTION dunning.set_cost(channel text, cost numeric, currency text, creditor text DEFAULT '*'::text, valid_from date DEFAULT NULL::date, country text DEFAULT '*'::text)
 RETURNS date
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    from_date date := coalesce(set_cost.valid_from, dunning._today(NULL));
BEGIN
    PERFORM dunning._check_channel(set_cost.channel);
    IF set_cost.cost IS NULL OR NOT (set_cost.cost >= 0 AND set_cost.cost < 'Infinity') OR set_cost.currency IS NULL OR set_cost.currency !~ '^[A-Z]{3}$'
       OR NOT isfinite(from_date) OR set_cost.creditor IS NULL OR set_cost.country IS NULL OR set_cost.country !~ '^([A-Z]{2}|\*)$' THEN
        RAISE EXCEPTION 'a cost is a finite amount of at least 0 in a currency of three capitals' USING ERRCODE = '22023',
            DETAIL = 'A country is two capitals, or * for all.', HINT = 'SELECT dunning.set_cost(''sms'', 0.08, ''EUR'');';
    END IF;
    PERFORM dunning._log_change('cost', concat_ws('/', set_cost.creditor, set_cost.channel, set_cost.currency, nullif(set_cost.country, '*')),
        (SELECT to_jsonb(c) FROM dunning.channel_cost c WHERE c.creditor = set_cost.creditor AND c.channel = set_cost.channel AND c.currency = set_cost.currency
             AND c.country = set_cost.country AND c.valid_from = from_date));
    INSERT INTO dunning.channel_cost AS c (creditor, country, channel, valid_from, cost, currency, set_by, set_at)
    VALUES (set_cost.creditor, set_cost.country, set_cost.channel, from_date, set_cost.cost, set_cost.currency, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT channel_cost_pkey DO UPDATE SET cost = excluded.cost, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN from_date;
END
$function$;
CREATE FUNCTION dunning.set_budget(per_day numeric, currency text, creditor text DEFAULT '*'::text, campaign text DEFAULT '*'::text)
 RETURNS numeric
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF NOT (coalesce(set_budget.per_day, 0) >= 0 AND coalesce(set_budget.per_day, 0) < 'Infinity') OR set_budget.currency IS NULL OR set_budget.currency !~ '^[A-Z]{3}$'
       OR set_budget.creditor IS NULL OR set_budget.campaign IS NULL THEN
        RAISE EXCEPTION 'a budget is a finite amount of at least 0 a day in a currency of three capitals' USING ERRCODE = '22023',
            DETAIL = 'Given NULL as the amount, the budget ends.', HINT = 'SELECT dunning.set_budget(250, ''EUR'', creditor => ''north'');';
    ELSIF set_budget.campaign <> '*' THEN
        PERFORM dunning._check_strategy(set_budget.campaign);
    END IF;
    PERFORM dunning._log_change('budget', concat_ws('/', set_budget.creditor, set_budget.campaign, set_budget.currency),
        (SELECT to_jsonb(b) FROM dunning.budget b WHERE b.creditor = set_budget.creditor AND b.campaign = set_budget.campaign AND b.currency = set_budget.currency));
    DELETE FROM dunning.budget b WHERE b.creditor = set_budget.creditor AND b.campaign = set_budget.campaign AND b.currency = set_budget.currency;
    IF set_budget.per_day IS NOT NULL THEN
        INSERT INTO dunning.budget AS b (creditor, campaign, currency, per_day, set_by, set_at)
        VALUES (set_budget.creditor, set_budget.campaign, set_budget.currency, set_budget.per_day, session_user, dunning._now());
    END IF;
    RETURN set_budget.per_day;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._fallback(debtor_id text, message_id uuid, reason text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "DateStyle" TO 'ISO, YMD'
AS $function$
#variable_conflict error
DECLARE
    m dunning.message;
    tried jsonb;
    candidates dunning._candidate[];
    chosen record;
    price record;
    at timestamptz := dunning._now();
    new_id uuid := dunning._uuid7();
    unwanted text[];
BEGIN
    SELECT x.* INTO m FROM dunning.message x WHERE x.debtor_id = _fallback.debtor_id AND x.message_id = _fallback.message_id;
    IF NOT FOUND OR m.not_after <= at THEN
        RETURN NULL;
    END IF;
    tried := coalesce(m.decision->'tried', '[]') || jsonb_build_array(jsonb_build_object('channel', m.channel, 'message_id', m.message_id, 'why', _fallback.reason));
    unwanted := ARRAY(SELECT t.value->>'channel' FROM jsonb_array_elements(tried) t)
        || ARRAY(SELECT s.value->>'channel' FROM jsonb_array_elements(m.decision->'skipped') s
                 WHERE s.value->>'why' IN ('likely_self_cure', 'costs_money', 'not_worth_it'));
    SELECT array_agg(ROW(m.debtor_id, c.c, c.rank, c.server, at, coalesce(m.not_after, at + interval '7 days'))::dunning._candidate) INTO candidates
    FROM (SELECT x.c, v.server, row_number() OVER (ORDER BY x.n)::int AS rank
          FROM jsonb_array_elements_text(m.decision->'channels') WITH ORDINALITY x(c, n)
          CROSS JOIN LATERAL (SELECT s.server FROM dunning._servers(x.c, m.creditor) s WHERE NOT s.paused ORDER BY s.ord LIMIT 1) v
          WHERE x.c <> ALL (unwanted) AND dunning._has_template(m.template, x.c, m.creditor)) c;
    IF candidates IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT c.* INTO chosen FROM dunning._choose(candidates, at, true, ARRAY[m.message_id]) c;
    IF NOT FOUND OR cardinality(chosen.blocked_by) > 0 THEN
        RETURN NULL;
    END IF;
    SELECT k.* INTO price FROM dunning._costs(m.creditor, dunning._today(at), m.context->>'currency') k WHERE k.channel = chosen.channel;
    PERFORM dunning._enqueue(pg_catalog.format($q$
        SELECT %L::uuid AS message_id, m.debtor_id, m.creditor, m.run_id, m.strategy, m.step, m.template, %L AS channel, m.language, %L AS server,
            %L::timestamptz AS contact_at, m.not_after, %L AS local_time, m.amounts, %L::numeric AS cost, %L AS cost_currency, m.variant, m.p,
            CASE WHEN m.cost_currency = %L OR m.cost = 0 THEN m.expected_value + m.cost - %L::numeric END AS expected_value, m.propensity, m.explored, m.ledger_mark, m.context,
            m.decision || jsonb_build_object('tried', %L::jsonb, 'chosen', %L, 'skipped', coalesce(m.decision->'skipped', '[]') || %L::jsonb, 'timing', %L::jsonb) AS decision,
            'queued' AS state, NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM dunning.message m WHERE m.debtor_id = %L AND m.message_id = %L::uuid$q$,
        new_id, chosen.channel, chosen.server, chosen.contact_at, chosen.local_time, price.cost, price.priced_in, price.priced_in, price.cost, tried, chosen.channel,
        chosen.skipped, chosen.timing, m.debtor_id, m.message_id));
    RETURN new_id;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._drop_stages()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    stage text;
BEGIN
    FOREACH stage IN ARRAY ARRAY['mark', 'item', 'debtor', 'contact', 'ladder', 'reach', 'candidate', 'choice', 'passed', 'row', 'kept_reach', 'kept_candidate', 'kept_choice'] LOOP
        IF pg_catalog.to_regclass('pg_temp.dunning_plan_' || stage) IS NOT NULL THEN
            EXECUTE 'DROP TABLE pg_temp.dunning_plan_' || stage;
        END IF;
    END LOOP;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._stage_book(strategy text, as_of timestamp with time zone, many text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    whose text := CASE WHEN many IS NULL THEN NULL ELSE '$2' END;
    owing text[];
    unknown record;
BEGIN
    EXECUTE 'CREATE TEMP TABLE dunning_plan_mark ON COMMIT DROP AS SELECT m.debtor_id, m.mark, m.amounts FROM ('
        || dunning._mark_sql(whose, '$1') || ') m WHERE m.amounts <> ''{}'' OR NOT m.valid' USING as_of, many;
    ANALYZE pg_temp.dunning_plan_mark (debtor_id);
    -- Where no currency's balance is positive nothing is open: what was paid is allocated for those alone who owe.
    owing := ARRAY(SELECT m.debtor_id FROM pg_temp.dunning_plan_mark m);
    -- Days past due reach back as far as the earliest step looks ahead.
    EXECUTE 'CREATE TEMP TABLE dunning_plan_item ON COMMIT DROP AS SELECT i.* FROM (' || dunning._plan_items_sql('$2', '$1')
        || ') i WHERE i.days >= (SELECT least(min(s.offset_days), 0) FROM dunning._steps() s)' USING as_of, owing;
    ANALYZE pg_temp.dunning_plan_item (debtor_id, currency, days, left_out);
    EXECUTE pg_catalog.format('CREATE TEMP TABLE dunning_plan_debtor ON COMMIT DROP AS
        SELECT d.debtor_id, d.creditor, d.country, d.preferred_channel, coalesce($3, d.strategy) AS strategy
        FROM (%s) d WHERE d.debtor_id IN (SELECT i.debtor_id FROM pg_temp.dunning_plan_item i)', dunning._assigned_sql(dunning._ledger_sql('debtor', whose, '$1')))
    USING as_of, many, strategy;
    ANALYZE pg_temp.dunning_plan_debtor;
    -- A small rest of what was paid in part counts as paid.
    UPDATE pg_temp.dunning_plan_item i SET left_out = 'within_tolerance'
    FROM pg_temp.dunning_plan_debtor d JOIN dunning._strategies() t ON t.strategy = d.strategy AND t.tolerance <> '{}'
    WHERE d.debtor_id = i.debtor_id AND i.left_out IS NULL AND i.open < i.amount
      AND i.open <= coalesce((t.tolerance->>i.currency)::numeric, (t.tolerance->>'*')::numeric);
    EXECUTE 'CREATE TEMP TABLE dunning_plan_contact ON COMMIT DROP AS ' || dunning._contact_sql('$2', 'coalesce($1, dunning._now())',
        EXISTS (SELECT FROM dunning._strategies() t WHERE t.enabled AND (t.stop_after IS NOT NULL OR t.max_days > 90)))
    USING as_of, owing;
    ANALYZE pg_temp.dunning_plan_contact;
    FOR unknown IN SELECT DISTINCT d.strategy FROM pg_temp.dunning_plan_debtor d LOOP
        PERFORM dunning._check_strategy(unknown.strategy);
    END LOOP;
END
$function$;
CREATE FUNCTION dunning._step_key(strategy text, step text, anchor date)
 RETURNS text
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN strategy || '/' || step || '/' || to_char(anchor, 'YYYY-MM-DD');     -- whatever the session's DateStyle
END
$function$;
CREATE FUNCTION dunning._stage_ladder(as_of timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    conditions text[] := ARRAY(SELECT DISTINCT s.condition FROM dunning._steps() s WHERE s.condition IS NOT NULL);
    debtors text[] := ARRAY(SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d);
    dates text[] := ARRAY(SELECT DISTINCT s.anchor FROM dunning._steps() s WHERE s.anchor NOT IN ('due_date', 'last_contact'));
    today date := dunning._today(as_of);
BEGIN
    CREATE TEMP TABLE dunning_plan_ladder ON COMMIT DROP AS
    WITH step AS MATERIALIZED (
        SELECT s.*, coalesce(s.minimum, t.minimum) AS least_sums, t.catch_up, t.stop_after, t.stop_step, t.max_contacts, t.max_days,
               coalesce(s.cooldown_days, t.min_gap_days) AS gap_days, s.anchor IN ('due_date', 'last_contact') AS on_ladder,
               CASE WHEN s.anchor = 'due_date' THEN least(s.offset_days, 1 + t.grace_days) ELSE 1 + t.grace_days END AS from_day,
               -- the last day, from the anchor, on which the step may be taken
               CASE WHEN s.until_days IS NOT NULL THEN s.until_days
                    WHEN s.offset_days < 0 THEN CASE WHEN s.anchor = 'due_date' THEN 0 ELSE -1 END
                    WHEN s.anchor NOT IN ('due_date', 'last_contact') THEN s.offset_days + 7 END AS to_day
        FROM dunning._steps() s JOIN dunning._strategies() t ON t.strategy = s.strategy AND t.enabled),
    date AS MATERIALIZED (SELECT a.* FROM dunning._anchors(debtors, dates, as_of) a WHERE cardinality(dates) > 0),
    -- a currency and step: what is listed, from which due date on, how much
    sums AS (
        SELECT d.debtor_id, d.strategy, s.step, i.currency, min(i.due_on) AS due_on, sum(i.open) AS total,
               coalesce((s.least_sums->>i.currency)::numeric, (s.least_sums->>'*')::numeric, 0) AS minimum
        FROM pg_temp.dunning_plan_debtor d
        JOIN step s ON s.strategy = d.strategy
        JOIN pg_temp.dunning_plan_item i ON i.debtor_id = d.debtor_id AND i.left_out IS NULL AND i.days >= s.from_day
        GROUP BY d.debtor_id, d.strategy, s.step, i.currency, s.least_sums),
    -- One pass: whether any currency reached the step, by which date, what is listed and what is under its minimum.
    reached AS (
        SELECT x.debtor_id, x.strategy, x.step, s.position, s.condition, s.to_day, coalesce(bool_or(x.total >= x.minimum) FILTER (WHERE r.r), false) AS enough,
               coalesce(min(k.on_date) FILTER (WHERE r.r AND x.total >= x.minimum), min(k.on_date) FILTER (WHERE r.r)) AS anchor,
               min(x.due_on) FILTER (WHERE r.r) AS due_on, max(o.on_date + s.to_day) FILTER (WHERE r.r) AS last_on,
               array_agg(x.currency ORDER BY x.currency) FILTER (WHERE x.total >= x.minimum) AS listed,
               jsonb_object_agg(x.currency, x.total) FILTER (WHERE x.total < x.minimum) AS under
        FROM sums x
        JOIN step s ON s.strategy = x.strategy AND s.step = x.step
        LEFT JOIN pg_temp.dunning_plan_contact c ON c.debtor_id = x.debtor_id
        LEFT JOIN date a ON a.debtor_id = x.debtor_id AND a.anchor = s.anchor AND (a.currency IS NULL OR a.currency = x.currency)
        -- the day counted from, and the day in the key: steps of the ladder are had once a due date
        CROSS JOIN LATERAL (SELECT CASE s.anchor WHEN 'due_date' THEN x.due_on WHEN 'last_contact' THEN c.last_day
                                        ELSE CASE WHEN s.offset_days < 0 THEN a.next_on ELSE a.last_on END END AS on_date) o
        CROSS JOIN LATERAL (SELECT CASE WHEN s.on_ladder THEN x.due_on ELSE o.on_date END AS on_date) k
        CROSS JOIN LATERAL (SELECT today >= o.on_date + s.offset_days AND (s.to_day IS NULL OR today <= o.on_date + s.to_day)
            AND (NOT s.after_contact OR coalesce(c.last_day >= x.due_on, false))
            AND (s.anchor <> 'last_contact'
                 OR EXISTS (SELECT FROM dunning.once e JOIN step b ON b.strategy = x.strategy AND b.position < s.position AND b.on_ladder
                            WHERE e.debtor_id = x.debtor_id AND e.kind = 'step' AND e.key = dunning._step_key(b.strategy, b.step, x.due_on)))) r(r)
        GROUP BY x.debtor_id, x.strategy, x.step, s.position, s.condition, s.to_day
        HAVING bool_or(r.r)),
    holds AS MATERIALIZED (
        SELECT h.debtor_id, h.holds FROM dunning._conditions(conditions, debtors, as_of) h WHERE cardinality(conditions) > 0),
    due AS (
        SELECT r.*, bool_or(r.enough) OVER (PARTITION BY r.debtor_id) AS any_enough
        FROM reached r
        LEFT JOIN holds h ON h.debtor_id = r.debtor_id
        WHERE r.condition IS NULL OR h.holds[array_position(conditions, r.condition)]),
    -- how often a step was had for an anchor
    had AS MATERIALIZED (
        SELECT o.debtor_id, b.strategy, b.step, b.position, b.on_ladder, split_part(split_part(o.key, '/', 3), '#', 1) AS anchor,
               max(coalesce(nullif(split_part(o.key, '#', 2), '')::int, 1)) AS times, (max(o.at) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS last_day
        FROM dunning.once o JOIN step b ON b.strategy = split_part(o.key, '/', 1) AND b.step = split_part(o.key, '/', 2)
        WHERE o.kind = 'step' AND o.debtor_id IN (SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d)
        GROUP BY 1, 2, 3, 4, 5, 6),
    -- the furthest step of the ladder: it never goes back
    furthest AS (
        SELECT h.debtor_id, h.strategy, h.anchor, max(h.position) AS position FROM had h WHERE h.on_ladder GROUP BY 1, 2, 3),
    open AS (
        SELECT f.*, s.on_ladder, s.catch_up, h.times, h.times IS NOT NULL AS again, c.last_contact, c.n7, c.n30,
               CASE WHEN s.stop_after <= c.unanswered AND s.step IS DISTINCT FROM s.stop_step THEN 'stopped'
                    WHEN s.max_contacts <= (SELECT count(*) FROM unnest(c.ats) t(at) WHERE t.at > as_of - s.max_days * interval '1 day') THEN 'max_contacts' END AS blocked
        FROM due f
        JOIN step s ON s.strategy = f.strategy AND s.step = f.step
        LEFT JOIN pg_temp.dunning_plan_contact c ON c.debtor_id = f.debtor_id
        LEFT JOIN furthest u ON u.debtor_id = f.debtor_id AND u.strategy = f.strategy AND u.anchor = to_char(f.anchor, 'YYYY-MM-DD') AND s.on_ladder
        LEFT JOIN had h ON h.debtor_id = f.debtor_id AND h.strategy = f.strategy AND h.step = f.step AND h.anchor = to_char(f.anchor, 'YYYY-MM-DD')
        WHERE (f.enough OR NOT f.any_enough)
          -- once per step and anchor, and again where the step says so
          AND (CASE WHEN s.on_ladder THEN u.position IS NULL OR u.position < s.position ELSE h.times IS NULL END
               OR (h.times < coalesce(s.repeat_max, h.times + 1) AND s.repeat_days IS NOT NULL AND coalesce(u.position = s.position, true)
                   AND today >= greatest(h.last_day, c.last_day) + s.repeat_days))
          -- what comes when nothing helped comes in no other way
          AND (s.step IS DISTINCT FROM s.stop_step OR s.stop_after <= c.unanswered)
          -- a step that waits in the queue is not planned again
          AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = f.debtor_id AND q.run_id IS NOT NULL AND q.state <> 'held')),
    -- Urgent ones first: those of another date than the due date. Then the furthest step, or the next one where the strategy says so.
    ordered AS (
        SELECT o.*, row_number() OVER (PARTITION BY o.debtor_id ORDER BY o.enough DESC, o.blocked NULLS FIRST, o.on_ladder, o.again,
                        CASE WHEN o.catch_up = 'next' THEN o.position ELSE -o.position END)::int AS rung,
               row_number() OVER (PARTITION BY o.debtor_id, o.on_ladder, o.enough ORDER BY o.again, o.position) AS in_turn
        FROM open o)
    SELECT f.debtor_id, d.creditor, d.country, d.preferred_channel, f.strategy, f.step, f.enough, f.blocked, s.position, s.offset_days, s.from_day, s.template, s.channels, s.framing,
           s.paid_channels, s.self_cure_days, s.self_cure_wait, s.must, s.level, s.tone, s.offer, s.companion_channel, s.companion_template, s.print, s.on_ladder,
           s.gap_days AS min_gap_days, t.horizon, t.self_cure, t.margin, f.last_contact, coalesce(f.n7, 0) AS n7, coalesce(f.n30, 0) AS n30,
           s.anchor AS counted_from, f.anchor, today - f.due_on AS days, (f.last_on + 1)::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) AS until_at,
           dunning._step_key(f.strategy, f.step, f.anchor) || CASE WHEN f.again THEN '#' || (f.times + 1) ELSE '' END AS key, f.listed, f.under, f.rung
    FROM ordered f
    JOIN pg_temp.dunning_plan_debtor d ON d.debtor_id = f.debtor_id
    JOIN step s ON s.strategy = f.strategy AND s.step = f.step
    JOIN dunning._strategies() t ON t.strategy = f.strategy
    WHERE NOT (f.catch_up = 'next' AND f.on_ladder AND f.in_turn > 1);
    ANALYZE pg_temp.dunning_plan_ladder (debtor_id, creditor, template, rung, enough);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._stage_candidates(as_of timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    share float8 := dunning._holdout_share();
BEGIN
    CREATE TEMP TABLE dunning_plan_candidate ON COMMIT DROP AS
    WITH server AS MATERIALIZED (
        SELECT DISTINCT ON (x.creditor, v.channel_served) x.creditor, v.channel_served AS channel, v.server, v.paused
        FROM (SELECT DISTINCT r.creditor FROM pg_temp.dunning_plan_reach r) x, LATERAL dunning._servers(NULL, x.creditor) v
        ORDER BY x.creditor, v.channel_served, v.ord),
    written AS MATERIALIZED (
        SELECT x.creditor, x.template, x.channel, dunning._has_template(x.template, x.channel, x.creditor) AS exists
        FROM (SELECT DISTINCT r.creditor, r.template, c.c AS channel FROM pg_temp.dunning_plan_reach r, unnest(r.channels) c(c)) x),
    listed AS MATERIALIZED (
        SELECT x.debtor_id, max(x.amount) AS largest, (array_agg(x.currency ORDER BY x.amount DESC, x.currency))[1] AS currency
        FROM (SELECT i.debtor_id, i.currency, sum(i.open) AS amount
              FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = i.debtor_id
              WHERE i.left_out IS NULL AND i.days >= r.from_day AND i.currency = ANY (r.listed) GROUP BY 1, 2) x
        GROUP BY x.debtor_id),
    price AS MATERIALIZED (
        SELECT x.creditor, x.currency AS owed_in, k.channel, k.cost, k.priced_in
        FROM (SELECT DISTINCT r.creditor, l.currency FROM pg_temp.dunning_plan_reach r LEFT JOIN listed l ON l.debtor_id = r.debtor_id) x,
             LATERAL dunning._costs(x.creditor, today, x.currency) k),
    worth AS (
        SELECT r.debtor_id, c.c AS channel, c.n, r.preferred_channel, v.server, v.paused, w.exists AS written, k.cost, k.priced_in AS currency, r.paid_channels,
               s.p_paid_30d AS p, s.p_self_cure,
               (coalesce(s.p_self_cure >= r.self_cure, false) OR coalesce(s.segment = 'self_curer', false)) AND r.days >= 0 AS likely_self_cure, r.days, r.self_cure_days, r.self_cure_wait, r.must,
               round((s.p_paid_30d * CASE WHEN k.cost = 0 OR k.priced_in = l.currency THEN l.largest END * r.margin)::numeric - k.cost, 2) AS value
        FROM pg_temp.dunning_plan_reach r
        CROSS JOIN LATERAL unnest(r.channels) WITH ORDINALITY c(c, n)
        LEFT JOIN server v ON v.creditor = r.creditor AND v.channel = c.c
        LEFT JOIN written w ON w.creditor = r.creditor AND w.template = r.template AND w.channel = c.c
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = r.debtor_id
        LEFT JOIN listed l ON l.debtor_id = r.debtor_id
        LEFT JOIN price k ON k.creditor = r.creditor AND k.owed_in IS NOT DISTINCT FROM l.currency AND k.channel = c.c
        WHERE r.enough AND r.blocked IS NULL AND NOT (share > 0 AND dunning._uniform('holdout/' || r.debtor_id, 3) < share)),
    judged AS (
        SELECT w.*, CASE
            WHEN w.cost IS NULL THEN 'no_channel'
            WHEN w.server IS NULL THEN 'no_server'
            WHEN w.paused THEN 'server_paused'
            WHEN NOT w.written THEN 'no_template'
            WHEN w.must THEN NULL
            WHEN w.likely_self_cure AND w.days < w.self_cure_wait THEN 'likely_self_cure'
            WHEN w.cost > 0 AND NOT w.paid_channels THEN 'costs_money'
            WHEN w.cost > 0 AND w.likely_self_cure AND w.days < w.self_cure_days THEN 'likely_self_cure'
            WHEN w.cost > 0 AND w.value <= 0 THEN 'not_worth_it' END AS why
        FROM worth w)
    SELECT j.*, CASE WHEN j.why IS NULL THEN row_number() OVER (PARTITION BY j.debtor_id, j.why IS NULL
                   ORDER BY j.channel IS DISTINCT FROM j.preferred_channel, j.n) END::int AS rank
    FROM judged j;
    ANALYZE pg_temp.dunning_plan_candidate (debtor_id, channel, rank, why);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._stage_choice(as_of timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    CREATE TEMP TABLE dunning_plan_choice ON COMMIT DROP AS
    SELECT c.debtor_id, c.channel, c.server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity, c.timing, c.blocked_by, c.skipped
    FROM dunning._choose(ARRAY(
        SELECT ROW(c.debtor_id, c.channel, c.rank, c.server, w.not_before,
                   -- a pre-due reminder is worth something until the due date is over
                   least(w.not_before + r.horizon, r.until_at))::dunning._candidate
        FROM pg_temp.dunning_plan_candidate c
        JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = c.debtor_id
        CROSS JOIN LATERAL (SELECT greatest(as_of, r.last_contact + r.min_gap_days * interval '1 day') AS not_before) w
        WHERE c.why IS NULL AND w.not_before <= as_of + r.horizon
          AND (r.until_at IS NULL OR w.not_before < r.until_at)), as_of) c;
    ANALYZE pg_temp.dunning_plan_choice (debtor_id, channel, blocked_by);
END
$function$;
CREATE FUNCTION dunning._stage_steps(as_of timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    at_rung int := 1;
    open_debtors text[];
    done text[];
    stage text;
BEGIN
    CREATE TEMP TABLE dunning_plan_passed (debtor_id text, step text, why text) ON COMMIT DROP;
    CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS SELECT l.* FROM pg_temp.dunning_plan_ladder l WHERE l.rung = 1;
    PERFORM dunning._stage_candidates(as_of);
    PERFORM dunning._stage_choice(as_of);
    LOOP
        at_rung := at_rung + 1;
        open_debtors := ARRAY(SELECT l.debtor_id FROM pg_temp.dunning_plan_ladder l WHERE l.rung = at_rung AND l.enough AND l.blocked IS NULL
            AND NOT EXISTS (SELECT FROM pg_temp.dunning_plan_choice c WHERE c.debtor_id = l.debtor_id AND c.blocked_by = '{}'));
        EXIT WHEN cardinality(open_debtors) = 0;
        FOREACH stage IN ARRAY ARRAY['reach', 'candidate', 'choice'] LOOP
            EXECUTE pg_catalog.format('ALTER TABLE pg_temp.%I RENAME TO %I', 'dunning_plan_' || stage, 'dunning_plan_kept_' || stage);
        END LOOP;
        CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS
            SELECT l.* FROM pg_temp.dunning_plan_ladder l WHERE l.rung = at_rung AND l.debtor_id = ANY (open_debtors);
        PERFORM dunning._stage_candidates(as_of);
        PERFORM dunning._stage_choice(as_of);
        done := ARRAY(SELECT c.debtor_id FROM pg_temp.dunning_plan_choice c WHERE c.blocked_by = '{}');
        INSERT INTO pg_temp.dunning_plan_passed
        SELECT r.debtor_id, r.step, coalesce(array_to_string(c.blocked_by, ', '), w.whys)
        FROM pg_temp.dunning_plan_kept_reach r
        LEFT JOIN pg_temp.dunning_plan_kept_choice c ON c.debtor_id = r.debtor_id
        LEFT JOIN (SELECT x.debtor_id, string_agg(DISTINCT x.why, ', ') AS whys FROM pg_temp.dunning_plan_kept_candidate x GROUP BY 1) w ON w.debtor_id = r.debtor_id
        WHERE r.debtor_id = ANY (done);
        FOREACH stage IN ARRAY ARRAY['reach', 'candidate', 'choice'] LOOP
            EXECUTE pg_catalog.format('DELETE FROM pg_temp.%1$I k WHERE k.debtor_id = ANY ($1)', 'dunning_plan_kept_' || stage) USING done;
            EXECUTE pg_catalog.format('INSERT INTO pg_temp.%I SELECT n.* FROM pg_temp.%I n WHERE n.debtor_id = ANY ($1)', 'dunning_plan_kept_' || stage, 'dunning_plan_' || stage) USING done;
            EXECUTE pg_catalog.format('DROP TABLE pg_temp.%I', 'dunning_plan_' || stage);
            EXECUTE pg_catalog.format('ALTER TABLE pg_temp.%I RENAME TO %I', 'dunning_plan_kept_' || stage, 'dunning_plan_' || stage);
        END LOOP;
    END LOOP;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._stage_rows(run_id uuid, as_of timestamp with time zone, ledger_as_of timestamp with time zone, approve boolean, dry_run boolean)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    debtors text[] := ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_reach r);
    framing text := (SELECT e.experiment FROM dunning.experiment e WHERE (e.experiment = 'framing' OR e.experiment LIKE 'framing-%')
                     AND e.ended_at IS NULL ORDER BY e.started_at, e.experiment LIMIT 1);
BEGIN
    EXECUTE pg_catalog.format($q$
        CREATE TEMP TABLE dunning_plan_row ON COMMIT DROP AS
        WITH composed AS MATERIALIZED (%1$s),
        arm AS MATERIALIZED (SELECT a.debtor_id, a.arm, a.propensity FROM dunning._arms($5, $2) a),
        ruled_out AS MATERIALIZED (
            SELECT c.debtor_id, jsonb_agg(jsonb_build_object('channel', c.channel, 'why', c.why) ORDER BY c.n) AS skipped,
                   array_agg(DISTINCT c.why) AS whys,
                   coalesce(array_agg(DISTINCT c.why) FILTER (WHERE c.why IN ('likely_self_cure', 'costs_money', 'not_worth_it', 'server_paused')), '{}') AS by_choice
            FROM pg_temp.dunning_plan_candidate c WHERE c.why IS NOT NULL GROUP BY c.debtor_id),
        passed AS MATERIALIZED (
            SELECT o.debtor_id, jsonb_agg(jsonb_build_object('step', o.step, 'why', o.why)) AS list FROM pg_temp.dunning_plan_passed o GROUP BY o.debtor_id),
        left_out AS MATERIALIZED (
            SELECT i.debtor_id, jsonb_agg(jsonb_build_object('invoice', i.reference, 'why', i.left_out) ORDER BY i.due_on, i.invoice_id) AS list
            FROM pg_temp.dunning_plan_item i WHERE i.left_out IS NOT NULL GROUP BY i.debtor_id),
        judged AS (
            SELECT r.*, c.channel AS chosen, c.server AS chosen_server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity AS time_propensity,
                   c.timing, coalesce(c.skipped, '[]') || coalesce(o.skipped, '[]') AS skipped,
                   CASE WHEN r.blocked IS NOT NULL THEN ARRAY[r.blocked]
                        WHEN cardinality(c.blocked_by) > 0 THEN c.blocked_by || coalesce(o.by_choice, '{}')
                        WHEN c.debtor_id IS NOT NULL THEN '{}'
                        WHEN NOT r.enough THEN ARRAY['under_minimum']
                        WHEN o.debtor_id IS NULL AND k.debtor_id IS NULL THEN ARRAY['held_out']
                        WHEN k.debtor_id IS NOT NULL AND k.usable THEN ARRAY['min_gap']
                        ELSE o.whys END AS blocked_by
            FROM pg_temp.dunning_plan_reach r
            LEFT JOIN pg_temp.dunning_plan_choice c ON c.debtor_id = r.debtor_id
            LEFT JOIN ruled_out o ON o.debtor_id = r.debtor_id
            LEFT JOIN (SELECT x.debtor_id, bool_or(x.why IS NULL) AS usable FROM pg_temp.dunning_plan_candidate x GROUP BY 1) k ON k.debtor_id = r.debtor_id)
        SELECT CASE WHEN NOT $4 AND cardinality(j.blocked_by) = 0 THEN dunning._uuid7() END AS message_id, j.debtor_id, j.creditor, $6 AS run_id,
            j.strategy, j.step, j.template, coalesce(j.chosen, j.channels[1]) AS channel, x.language, j.chosen_server AS server, j.contact_at,
            -- a pre-due reminder after the due date would be untrue
            least(j.until_at, j.contact_at + interval '14 days') AS not_after,
            j.local_time, x.amounts, coalesce(w.cost, 0) AS cost, coalesce(w.currency, 'EUR') AS cost_currency, coalesce(a.arm, j.framing) AS variant, w.p, w.value AS expected_value,
            j.time_propensity * coalesce(a.propensity, 1) AS propensity, coalesce(j.explored, false) AS explored, m.mark AS ledger_mark, x.context,
            CASE WHEN cardinality(j.blocked_by) > 0 THEN 'held' WHEN $3 THEN 'proposed' ELSE 'queued' END AS state,
            CASE WHEN cardinality(j.blocked_by) = 0 THEN NULL
                 WHEN j.blocked_by && ARRAY['likely_self_cure', 'costs_money', 'not_worth_it'] THEN 'wait' ELSE j.blocked_by[1] END AS reason,
            nullif(j.blocked_by, '{}') AS blocked_by, 'step'::text AS once_kind, j.key AS once_key, j.anchor, j.position, j.on_ladder, j.companion_channel, j.companion_template,
            jsonb_strip_nulls(jsonb_build_object('as_of', $1, 'strategy', j.strategy, 'step', j.step, 'anchor', j.anchor, 'counted_from', j.counted_from, 'offset_days', j.offset_days,
                'level', coalesce(j.level, j.step), 'tone', j.tone, 'offer', j.offer, 'print', nullif(j.print, '{}'),
                'days_overdue', j.days, 'currencies', j.listed, 'under_minimum', j.under, 'left_out', l.list, 'last_contact', j.last_contact,
                'channels', j.channels, 'preferred_channel', j.preferred_channel, 'chosen', j.chosen, 'skipped', j.skipped,
                'passed_over', o.list,
                'timing', j.timing, 'p_response', j.p_response, 'uplift', j.uplift, 'time_propensity', j.time_propensity,
                'experiment', CASE WHEN a.arm IS NOT NULL THEN $5 END, 'arm', a.arm, 'arm_propensity', a.propensity,
                'scores', jsonb_build_object('segment', s.segment, 'diagnosis', s.diagnosis, 'p_paid_30d', s.p_paid_30d, 'p_late', s.p_late, 'p_self_cure', s.p_self_cure),
                'reasons', s.reasons, 'value', w.value, 'value_is', 'p(paid in 30 days) x amount x margin - cost', 'margin', j.margin)) AS decision
        FROM judged j
        JOIN composed x ON x.debtor_id = j.debtor_id
        LEFT JOIN pg_temp.dunning_plan_candidate w ON w.debtor_id = j.debtor_id AND w.channel = coalesce(j.chosen, j.channels[1])
        LEFT JOIN pg_temp.dunning_plan_mark m ON m.debtor_id = j.debtor_id
        LEFT JOIN left_out l ON l.debtor_id = j.debtor_id
        LEFT JOIN arm a ON a.debtor_id = j.debtor_id
        LEFT JOIN passed o ON o.debtor_id = j.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = j.debtor_id$q$,
        dunning._context_sql('SELECT i.* FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = i.debtor_id '
            'WHERE i.left_out IS NULL AND i.days >= r.from_day AND (i.currency = ANY (r.listed) OR NOT r.enough)', '$2', '$7'))
    USING as_of, debtors, approve, dry_run, framing, run_id, ledger_as_of;
    IF framing IS NOT NULL AND NOT dry_run THEN
        PERFORM dunning._assign(framing, ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL));
    END IF;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._enqueue_run(run_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    waiting_debtors text[];
    waiting_messages uuid[];
BEGIN
    -- What stood held for an earlier step is overtaken too.
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO waiting_debtors, waiting_messages
    FROM dunning.queue q JOIN pg_temp.dunning_plan_row r ON r.debtor_id = q.debtor_id
    WHERE q.state = 'held' AND q.run_id IS NOT NULL AND r.message_id IS NOT NULL;
    PERFORM dunning._cancel_messages(waiting_debtors, waiting_messages, 'superseded', true);

    DELETE FROM pg_temp.dunning_plan_row r
    WHERE r.message_id IS NOT NULL AND r.message_id NOT IN (
        SELECT e.message_id FROM dunning._enqueue('SELECT r.* FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL') e);

    INSERT INTO dunning.once AS o (debtor_id, kind, key, message_id, at)
    SELECT r.debtor_id, 'step', dunning._step_key(b.strategy, b.step, r.anchor), NULL, dunning._now()
    FROM pg_temp.dunning_plan_row r
    JOIN dunning._steps() b ON b.strategy = r.strategy AND b.position < r.position AND b.offset_days >= 0 AND b.anchor IN ('due_date', 'last_contact')
    WHERE r.message_id IS NOT NULL AND r.on_ladder
    ON CONFLICT DO NOTHING;

    UPDATE dunning.plan_run p SET planned = n.planned, held = n.held, finished_at = clock_timestamp()
    FROM (SELECT count(*) FILTER (WHERE r.message_id IS NOT NULL) AS planned, count(*) FILTER (WHERE r.message_id IS NULL) AS held
          FROM pg_temp.dunning_plan_row r) n
    WHERE p.run_id = _enqueue_run.run_id;
END
$function$;
CREATE FUNCTION dunning._expire_waiting()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
BEGIN
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, messages
    FROM dunning.queue q JOIN dunning.message m ON m.debtor_id = q.debtor_id AND m.message_id = q.message_id
    WHERE q.state IN ('proposed', 'held') AND m.not_after <= dunning._now();
    RETURN dunning._cancel_messages(debtors, messages, 'expired', true);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._plan(strategy text, as_of timestamp with time zone, dry_run boolean, approve boolean, many text[] DEFAULT NULL::text[])
 RETURNS SETOF dunning.planned
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $function$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    run uuid;
BEGIN
    IF strategy IS NOT NULL THEN
        PERFORM dunning._check_strategy(strategy);
    END IF;
    PERFORM dunning._check_as_of(at);
    IF NOT dry_run AND (as_of > dunning._now() OR (as_of < dunning._now() - interval '1 minute' AND dunning._virtual_clock() IS NULL)) THEN
        RAISE EXCEPTION 'planning for another time than now writes nothing'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('as_of is %s, now is %s.', as_of, dunning._now()),
                  HINT = pg_catalog.format('SELECT * FROM dunning.plan(as_of => %L, dry_run => true);', as_of);
    END IF;
    IF NOT dry_run THEN
        IF NOT pg_catalog.pg_try_advisory_xact_lock(1685416558, 8) THEN
            RAISE EXCEPTION 'another planning run is going on' USING ERRCODE = 'DN008', HINT = 'Try again when it is finished.';
        END IF;
        run := dunning._uuid7();
        INSERT INTO dunning.plan_run AS p (run_id, strategy, as_of, approve, started_at, planned_by)
        VALUES (run, _plan.strategy, at, _plan.approve, clock_timestamp(), session_user);
        PERFORM dunning._expire_waiting();
    END IF;

    PERFORM dunning._drop_stages();
    PERFORM dunning._stage_book(strategy, as_of, many);
    PERFORM dunning._stage_ladder(at);
    PERFORM dunning._stage_steps(at);
    PERFORM dunning._stage_rows(run, at, as_of, approve, dry_run);
    IF NOT dry_run THEN
        PERFORM dunning._enqueue_run(run);
    END IF;
    RETURN QUERY
        SELECT run, r.message_id, r.debtor_id, r.creditor, r.strategy, r.step, r.template, r.channel, r.server, CASE WHEN r.state <> 'held' THEN r.contact_at END,
               CASE WHEN r.state <> 'held' THEN r.local_time END, r.amounts, r.cost, r.state, r.reason, r.blocked_by, r.variant, r.p, r.expected_value
        FROM pg_temp.dunning_plan_row r ORDER BY r.debtor_id;
    PERFORM dunning._drop_stages();
END
$function$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.template')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.template ADD COLUMN IF NOT EXISTS partial boolean DEFAULT false NOT NULL$step$;
    EXECUTE $step$ALTER TABLE dunning.template ADD COLUMN IF NOT EXISTS personal boolean DEFAULT false NOT NULL$step$;
END
$do$;
CREATE FUNCTION dunning._render(subject text, body_text text, body_html text, context jsonb, language text, partials jsonb DEFAULT NULL::jsonb, OUT subject text, OUT body_text text, OUT body_html text, OUT fields text[], OUT missing text[])
 RETURNS record
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_message_sql_render$function$;
CREATE FUNCTION dunning._aged_context(context jsonb, today date)
 RETURNS jsonb
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'MODULE_PATHNAME', $function$dun_message_sql_age_context$function$;
CREATE FUNCTION dunning._render_loose(template text, context jsonb, partials jsonb DEFAULT NULL::jsonb)
 RETURNS text
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_message_sql_render_plain$function$;
CREATE FUNCTION dunning._visit(subject text, body_text text, body_html text, context jsonb, partials jsonb DEFAULT NULL::jsonb, OUT fields text[], OUT bare text[])
 RETURNS record
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_message_sql_visit$function$;
CREATE FUNCTION dunning._template_fields(subject text, body_text text, body_html text, context jsonb, partials jsonb DEFAULT NULL::jsonb)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT v.fields FROM dunning._visit(subject, body_text, body_html, context, partials) v $function$;
CREATE FUNCTION dunning._template_names(subject text, body_text text, body_html text, partials jsonb DEFAULT NULL::jsonb, OUT names text[], OUT partials_used text[])
 RETURNS record
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', $function$dun_message_sql_names$function$;
CREATE FUNCTION dunning._optional_names()
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT jsonb '{"offer": null, "fee": null, "proof": null, "hearing": null, "plan_url": null, "paid_url": null,
    "dispute_url": null, "optout_url": null, "qr": null, "note": null}' $function$;
CREATE FUNCTION dunning._find_template(template text, channel text, language text, creditor text, framing text DEFAULT 'neutral'::text, partial boolean DEFAULT false)
 RETURNS dunning.template
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    found_row dunning.template;
    near      text;
    asked     text := dunning._language(_find_template.language);
    own       text;
BEGIN
    SELECT dunning._language(c.language) INTO own FROM dunning.creditor c WHERE c.creditor = _find_template.creditor ORDER BY c.builtin LIMIT 1;
    SELECT CASE WHEN c.human THEN 'call' WHEN c.rings THEN 'sms' ELSE 'email' END INTO near
    FROM dunning.channel c WHERE c.channel = _find_template.channel ORDER BY c.builtin LIMIT 1;
    SELECT t.* INTO found_row
    FROM dunning.template t
    WHERE t.template = _find_template.template
      AND t.partial = _find_template.partial
      AND t.replaced_at IS NULL
      AND t.channel IN (_find_template.channel, near)
      AND t.language IN (asked, own, 'en')
      AND t.creditor IN (_find_template.creditor, '*')
      AND t.framing IN (_find_template.framing, 'neutral')
    ORDER BY t.channel = _find_template.channel DESC,
             t.language = asked DESC NULLS LAST, t.language = own DESC NULLS LAST,
             t.creditor <> '*' DESC, t.builtin, t.framing = _find_template.framing DESC NULLS LAST
    LIMIT 1;
    RETURN found_row;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._template(template text, channel text, language text, creditor text, framing text DEFAULT 'neutral'::text)
 RETURNS dunning.template
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    found_row dunning.template := dunning._find_template(_template.template, _template.channel, _template.language, _template.creditor, _template.framing);
BEGIN
    IF found_row.template IS NULL THEN
        RAISE EXCEPTION 'there is no template "%" for channel "%"', _template.template, _template.channel
            USING ERRCODE = 'DN003',
                  DETAIL = coalesce('Templates are: ' || (SELECT string_agg(DISTINCT format('%s (%s)', t.template, t.channel), ', ')
                                    FROM dunning.template t WHERE t.replaced_at IS NULL AND NOT t.partial) || '.', 'There is no template.'),
                  HINT = format('SELECT * FROM dunning.save_template(%L, %L, %L, ''subject'', ''text'');',
                                _template.template, _template.channel, coalesce(dunning._language(_template.language), 'en'));
    END IF;
    RETURN found_row;
END
$function$;
CREATE FUNCTION dunning._partials(subject text, body_text text, body_html text, channel text, language text, creditor text, framing text DEFAULT 'neutral'::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    known  jsonb := '{}';
    wanted text[] := (dunning._template_names(subject, body_text, body_html)).partials_used;
    piece  dunning.template;
    name   text;
BEGIN
    IF wanted = '{}' THEN
        RETURN NULL;
    END IF;
    WHILE wanted <> '{}' LOOP
        name := wanted[1];
        wanted := wanted[2:];
        CONTINUE WHEN known ? name;
        piece := dunning._find_template(name, channel, language, creditor, framing, true);
        -- One that does not exist is left out: the renderer says where it is missed.
        known := known || jsonb_build_object(name, CASE WHEN piece.template IS NOT NULL THEN jsonb_build_object('text', piece.body_text, 'html', piece.body_html, 'language', piece.language) END);
        IF piece.template IS NOT NULL THEN
            wanted := wanted || (dunning._template_names(NULL, piece.body_text, piece.body_html)).partials_used;
        END IF;
    END LOOP;
    RETURN known;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.render(template text, context jsonb, language text, channel text, OUT subject text, OUT body_text text, OUT body_html text, OUT sms_parts integer, OUT missing text[], OUT warnings text[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    chosen dunning.template;
    whose  text := coalesce(context->>'creditor', '*');
    framed text := coalesce(context->>'framing', 'neutral');
    sms    record;
BEGIN
    chosen := dunning._template(template, channel, language, whose, framed);
    SELECT r.subject, r.body_text, r.body_html, r.missing
    INTO subject, body_text, body_html, missing
    FROM dunning._render(chosen.subject, chosen.body_text, chosen.body_html, dunning._optional_names() || coalesce(context, '{}'), chosen.language,
                         dunning._partials(chosen.subject, chosen.body_text, chosen.body_html, channel, chosen.language, whose, framed)) r;
    warnings := '{}';
    IF chosen.language <> dunning._language(language) THEN
        warnings := warnings || format('there is no text in %s: %s was used', language, chosen.language);
    END IF;
    IF cardinality(missing) > 0 THEN
        warnings := warnings || format('rendered empty: %s', array_to_string(missing, ', '));
    END IF;
    IF chosen.channel = 'sms' THEN
        sms := dunning._sms(body_text);
        sms_parts := sms.parts;
        warnings := warnings || dunning._sms_warnings(body_text);
    END IF;
END
$function$;
CREATE FUNCTION dunning._iban_lengths()
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT jsonb '{"AT": "20+", "BE": "16+", "BG": "22+", "CY": "28+", "CZ": "24+", "DE": "22+", "DK": "18+", "EE": "20+", "ES": "24+", "FI": "18+", "FR": "27+",
    "GR": "27+", "HR": "21+", "HU": "28+", "IE": "22+", "IS": "26+", "IT": "27+", "LI": "21+", "LT": "20+", "LU": "20+", "LV": "21+", "MT": "31+", "NL": "18+",
    "NO": "15+", "PL": "28+", "PT": "25+", "RO": "24+", "SE": "24+", "SI": "19+", "SK": "24+",
    "AD": "24", "AL": "28", "CH": "21", "GB": "22", "GI": "23", "MC": "27", "MD": "24", "ME": "22", "MK": "19", "RS": "22", "SM": "27", "VA": "22"}' $function$;
CREATE FUNCTION dunning._mod97(code text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT (string_agg(CASE WHEN c ~ '[0-9]' THEN c ELSE (ascii(c) - 55)::text END, '' ORDER BY n)::numeric % 97)::int
      FROM regexp_split_to_table(substr(code, 5) || left(code, 4), '') WITH ORDINALITY x(c, n) $function$;
CREATE FUNCTION dunning._iban(account text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    bare  text := upper(regexp_replace(account, '[[:space:]]', '', 'g'));
    known text := dunning._iban_lengths() ->> left(bare, 2);
BEGIN
    IF known IS NULL OR bare !~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$' OR length(bare) <> rtrim(known, '+')::int OR dunning._mod97(bare) <> 1 THEN
        RETURN NULL;
    END IF;
    RETURN bare;
END
$function$;
CREATE FUNCTION dunning._epc_line(field text, value text, most integer)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    line text := btrim(coalesce(value, ''));
BEGIN
    IF line ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION 'the % of a payment code is one line without control characters', field
            USING ERRCODE = '22023', HINT = 'Give it as one line.';
    ELSIF length(line) > most THEN
        RAISE EXCEPTION 'the % of a payment code has at most % characters', field, most
            USING ERRCODE = '22023', DETAIL = format('It has %s.', length(line)), HINT = 'EPC069-12 allows no more: shorten it.';
    END IF;
    RETURN line;
END
$function$;
CREATE FUNCTION dunning.epc_payload(name text, account text, amount numeric, remittance text DEFAULT NULL::text, currency text DEFAULT 'EUR'::text, bic text DEFAULT NULL::text, reference text DEFAULT NULL::text, purpose text DEFAULT NULL::text, information text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    iban     text := dunning._iban(account);
    holder   text := dunning._epc_line('name', name, 70);
    bank     text := upper(dunning._epc_line('BIC', bic, 11));
    creditor text := upper(replace(dunning._epc_line('reference', reference, 44), ' ', ''));
    said     text := dunning._epc_line('remittance', remittance, 140);
    code     text := upper(dunning._epc_line('purpose', purpose, 4));
    hint_    constant text := 'SELECT dunning.epc_payload(''Nordlys Energi'', ''DK50 0040 0440 1162 43'', 1240.50, ''F-1042-7'');';
    payload  text;
BEGIN
    IF currency IS DISTINCT FROM 'EUR' THEN
        RAISE EXCEPTION 'a payment code is for euro alone' USING ERRCODE = '22023', DETAIL = format('The currency is %s.', coalesce(currency, 'NULL')),
            HINT = 'A SEPA credit transfer knows no other currency: leave the code out.';
    ELSIF iban IS NULL THEN
        RAISE EXCEPTION 'the account of a payment code is no IBAN of SEPA' USING ERRCODE = '22023',
            DETAIL = 'Country, length and check digits must fit.', HINT = hint_;
    ELSIF amount IS NULL OR amount = 'NaN' OR amount < 0.01 OR amount > 999999999.99 OR amount <> round(amount, 2) THEN
        RAISE EXCEPTION 'a payment code cannot ask for %', coalesce(amount::text, 'NULL') USING ERRCODE = '22023',
            DETAIL = 'Amounts go from 0.01 to 999999999.99 in whole cents.', HINT = hint_;
    ELSIF holder = '' THEN
        RAISE EXCEPTION 'a payment code names who is paid' USING ERRCODE = '22023', HINT = hint_;
    ELSIF bank <> '' AND bank !~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$' THEN
        RAISE EXCEPTION 'the BIC of a payment code has 8 or 11 letters and digits' USING ERRCODE = '22023', HINT = 'Leave it out within the EEA.';
    ELSIF bank = '' AND dunning._iban_lengths() ->> left(iban, 2) NOT LIKE '%+' THEN
        RAISE EXCEPTION 'a payment to % needs the BIC of the bank', left(iban, 2) USING ERRCODE = '22023',
            DETAIL = 'It may be left out within the EEA only.', HINT = 'bic => ''...''';
    ELSIF creditor <> '' AND said <> '' THEN
        RAISE EXCEPTION 'a payment code has a reference or a remittance text, not both' USING ERRCODE = '22023', HINT = 'Leave one of them out.';
    ELSIF creditor <> '' AND (creditor !~ '^RF[0-9]{2}[A-Z0-9]{1,21}$' OR dunning._mod97(creditor) <> 1) THEN
        RAISE EXCEPTION 'the reference of a payment code is no creditor reference' USING ERRCODE = '22023',
            DETAIL = 'ISO 11649: RF, two check digits that fit, at most 21 letters and digits.', HINT = 'Give an invoice number as remittance.';
    ELSIF code <> '' AND code !~ '^[A-Z]{1,4}$' THEN
        RAISE EXCEPTION 'the purpose of a payment code has at most four letters' USING ERRCODE = '22023', HINT = 'Such as GDDS, or leave it out.';
    END IF;
    -- Version 002 (BIC optional), character set 1 (UTF-8); no line end after the last line that says something.
    payload := rtrim(concat_ws(E'\n', 'BCD', '002', '1', 'SCT', bank, holder, iban, 'EUR' || round(amount, 2), code, creditor, said,
                               dunning._epc_line('information', information, 70)), E'\n');
    IF octet_length(convert_to(payload, 'UTF8')) > 331 THEN
        RAISE EXCEPTION 'a payment code holds at most 331 bytes' USING ERRCODE = '22023',
            DETAIL = format('This one has %s.', octet_length(convert_to(payload, 'UTF8'))), HINT = 'Shorten the remittance text.';
    END IF;
    RETURN payload;
END
$function$;
CREATE FUNCTION dunning._letter_code(context jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    about text := (SELECT string_agg(i.value->>'reference', ' ' ORDER BY i.ord)
                   FROM jsonb_array_elements(CASE WHEN jsonb_typeof(context #> '{balances,0,invoices}') = 'array' THEN context #> '{balances,0,invoices}' ELSE '[]' END)
                        WITH ORDINALITY i(value, ord));
BEGIN
    IF context->>'qr' IS NOT NULL THEN
        RETURN context->>'qr';
    END IF;
    RETURN dunning.epc_payload(context->>'creditor_name', context->>'creditor_account', (context->>'amount')::numeric,
                               CASE WHEN length(about) <= 140 THEN about ELSE context->>'reference' END, context->>'currency');
EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation THEN
    RETURN NULL;
END
$function$;
CREATE FUNCTION dunning._letter(message_id uuid, OUT subject text, OUT body_text text, OUT address text, OUT sender text, OUT note text, OUT qr text, OUT language text, OUT dated text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    about  record;
    frozen record;
BEGIN
    SELECT m.* INTO about FROM dunning.message m WHERE m.message_id = _letter.message_id;
    IF about.debtor_id IS NULL THEN
        RAISE EXCEPTION 'there is no message %', coalesce(message_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT message_id FROM dunning.journal WHERE channel = ''letter'';';
    END IF;
    SELECT b.subject, b.body_text, b.address, b.rendered_at INTO frozen
    FROM dunning.body b WHERE b.debtor_id = about.debtor_id AND b.message_id = about.message_id;
    IF frozen.body_text IS NULL THEN
        SELECT r.subject, r.body_text INTO frozen.subject, frozen.body_text
        FROM dunning.render(about.template, about.context, about.language, about.channel) r;
        frozen.address := dunning._ledger_address(about.debtor_id, about.channel);
        frozen.rendered_at := about.contact_at;
    END IF;
    subject := frozen.subject;
    body_text := frozen.body_text;
    address := frozen.address;
    sender := coalesce(about.context->>'creditor_name', about.creditor);
    note := about.context->>'note';
    qr := dunning._letter_code(about.context);
    language := dunning._language(about.language);
    dated := (SELECT r.body_text FROM dunning._render(NULL, '{{day | date}}', NULL,
        jsonb_build_object('day', (frozen.rendered_at AT TIME ZONE dunning._ledger_zone())::date), about.language) r);
END
$function$;
CREATE FUNCTION dunning._letter_page(at_window boolean, language text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT format($t$<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><title>{{sender}}</title>
<style>
@page { size: A4; margin: 25mm 20mm 20mm 25mm }
body { font: 11.5pt/1.5 Georgia, "DejaVu Serif", serif; color: #111; margin: 0; overflow-wrap: anywhere; hyphens: auto }
p { margin: 0 0 .8em; orphans: 2; widows: 2 }
.to { %s }
.date { text-align: right }
.note { font: italic 15pt/1.4 "URW Chancery L", "Z003", cursive; transform: rotate(-1.5deg); margin: 1.5em 0; break-inside: avoid }
.code { width: 35mm; height: 35mm; break-inside: avoid }
@media screen { body { max-width: 165mm; margin: 25mm auto; padding: 0 1em } }
</style></head>
<body>
<p class="to">{{#to}}{{.}}<br>{{/to}}</p>
<p class="date">{{dated}}</p>
{{#paragraphs}}<p>{{#lines}}{{line}}{{#more}}<br>{{/more}}{{/lines}}</p>
{{/paragraphs}}{{#note}}<p class="note">{{note}}</p>
{{/note}}<!--code--></body>
</html>
$t$, language, CASE WHEN at_window
        -- DIN 5008 form B and most European windows: 20 mm from the left, 45 mm from the top, 85 x 45 mm.
        THEN 'position: absolute; left: -5mm; top: 20mm; width: 85mm; height: 45mm; overflow: hidden } .date { padding-top: 70mm'
        ELSE 'margin-bottom: 2em' END) $function$;
CREATE FUNCTION dunning.letter_html(message_id uuid, at_window boolean DEFAULT false)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    l    record;
    page text;
    code text := '';
BEGIN
    SELECT x.* INTO l FROM dunning._letter(letter_html.message_id) x;
    SELECT r.body_html INTO page FROM dunning._render(NULL, NULL, dunning._letter_page(coalesce(at_window, false), l.language), jsonb_build_object(
        'sender', l.sender, 'dated', l.dated, 'note', l.note,
        'to', to_jsonb(regexp_split_to_array(btrim(l.address, E' \r\n\t'), E'\\s*\n\\s*')),
        'paragraphs', (SELECT jsonb_agg(jsonb_build_object('lines', (
                              SELECT jsonb_agg(jsonb_build_object('line', i.line, 'more', i.n < cardinality(string_to_array(p.p, E'\n'))) ORDER BY i.n)
                              FROM unnest(string_to_array(p.p, E'\n')) WITH ORDINALITY i(line, n))) ORDER BY p.n)
                       FROM regexp_split_to_table(btrim(l.body_text, E' \r\n\t'), E'\n\\s*\n') WITH ORDINALITY p(p, n))), l.language) r;
    -- Drawing is the module's. Its marker cannot come from a value: those are escaped.
    IF l.qr IS NOT NULL AND to_regprocedure('dunning.letter_qr_svg(text)') IS NOT NULL THEN
        EXECUTE 'SELECT dunning.letter_qr_svg($1)' INTO code USING l.qr;
        code := '<div class="code">' || code || E'</div>\n';
    END IF;
    RETURN replace(page, '<!--code-->', code);
END
$function$;
CREATE FUNCTION dunning._link_key_problem()
 RETURNS text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', $function$dun_message_sql_key_problem$function$;
CREATE FUNCTION dunning._rotate_link_key(keep_days integer)
 RETURNS text
 LANGUAGE c
 STRICT
AS 'MODULE_PATHNAME', $function$dun_message_sql_rotate_key$function$;
CREATE FUNCTION dunning.rotate_link_key(keep_days integer DEFAULT 35)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF keep_days IS NULL OR keep_days < 0 OR keep_days > 400 THEN
        RAISE EXCEPTION 'the old key is kept for 0 to 400 days' USING ERRCODE = '22023',
            DETAIL = 'Links are good for 30 days; 0 makes those that are out there worthless at once.', HINT = 'SELECT dunning.rotate_link_key();';
    END IF;
    RETURN dunning._rotate_link_key(keep_days);
END
$function$;
CREATE FUNCTION dunning._token_of(token text, OUT purpose text, OUT expires_at timestamp with time zone, OUT debtor_id text, OUT message_id uuid, OUT channel text, OUT language text, OUT context jsonb, OUT decision jsonb)
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    message_id := dunning._token_message(coalesce(token, ''));
    SELECT m.debtor_id, m.channel, m.language, m.context, m.decision INTO debtor_id, channel, language, context, decision
    FROM dunning.message m WHERE m.message_id = _token_of.message_id;
    -- No such message: the token is checked all the same, against no debtor.
    SELECT v.purpose, v.expires_at INTO purpose, expires_at
    FROM dunning._verify_token(token, coalesce(debtor_id, ''), dunning._now()) v;
END
$function$;
CREATE FUNCTION dunning._link_event(purpose text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT CASE purpose WHEN 'pay' THEN 'clicked' WHEN 'plan' THEN 'circumstances_changed' WHEN 'already_paid' THEN 'paid_elsewhere'
                       WHEN 'dispute' THEN 'disputed' WHEN 'opt_out' THEN 'opted_out' END $function$;
CREATE FUNCTION dunning._link_done(debtor_id text, message_id uuid, purpose text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN EXISTS (SELECT FROM dunning.once o WHERE o.debtor_id = _link_done.debtor_id AND o.kind = 'event'
                   AND o.key = format('link:%s:%s', _link_done.purpose, _link_done.message_id));
END
$function$;
CREATE FUNCTION dunning.open_link(token text, OUT purpose text, OUT debtor_id text, OUT message_id uuid, OUT expires_at timestamp with time zone, OUT pay_url text, OUT records text, OUT done boolean)
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    SELECT t.purpose, t.expires_at, t.debtor_id, t.message_id, t.context->>'pay_url'
    INTO purpose, expires_at, debtor_id, message_id, pay_url
    FROM dunning._token_of(open_link.token) t;
    records := dunning._link_event(purpose);
    done := dunning._link_done(debtor_id, message_id, purpose);
END
$function$;
CREATE FUNCTION dunning._link_detail(given jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF given IS NOT NULL AND jsonb_typeof(given) <> 'object' THEN
        RAISE EXCEPTION 'the detail of a link is a JSON object' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.act_on_link(token, ''{"text": "what was said"}'');';
    END IF;
    RETURN coalesce((SELECT jsonb_object_agg(g.key, left(g.value, 2000)) FROM jsonb_each_text(given) g
                     WHERE g.key IN ('text', 'option', 'invoice', 'paid_on', 'amount') AND btrim(g.value) <> ''), '{}');
END
$function$;
CREATE FUNCTION dunning.act_on_link(token text, detail jsonb DEFAULT '{}'::jsonb, OUT purpose text, OUT debtor_id text, OUT message_id uuid, OUT pay_url text, OUT recorded boolean)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    told record;
    said jsonb := dunning._link_detail(act_on_link.detail);
BEGIN
    SELECT t.* INTO told FROM dunning._token_of(act_on_link.token) t;
    purpose := told.purpose;
    debtor_id := told.debtor_id;
    message_id := told.message_id;
    pay_url := told.context->>'pay_url';
    -- A test went to a colleague, who tries the buttons.
    IF told.decision ? 'test_address'
       OR EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = told.debtor_id AND e.message_id = told.message_id AND e.test) THEN
        recorded := false;
        RETURN;
    END IF;
    SELECT r.recorded INTO recorded
    FROM dunning.record_event(dunning._link_event(purpose), told.debtor_id, told.message_id, NULL,
            said || jsonb_build_object('request', told.purpose, 'by', 'link', 'channel', told.channel),
            format('link:%s:%s', told.purpose, told.message_id)) r;
END
$function$;
CREATE TABLE dunning.sensitivity (
    field text COLLATE "C" NOT NULL,
    builtin boolean DEFAULT false NOT NULL,
    level text NOT NULL,
    why text NOT NULL,
    set_by text DEFAULT 'dunning'::text NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sensitivity_level_check CHECK ((level = ANY (ARRAY['open'::text, 'personal'::text, 'never'::text]))),
    CONSTRAINT sensitivity_pkey PRIMARY KEY (field, builtin)
);
CREATE FUNCTION dunning.set_sensitivity(field text, level text, why text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    before text := (SELECT s.level FROM dunning.sensitivity s WHERE s.field = set_sensitivity.field ORDER BY s.builtin LIMIT 1);
BEGIN
    IF (field ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$') IS NOT TRUE THEN
        RAISE EXCEPTION 'field is no name of a context' USING ERRCODE = '22023', HINT = 'Such as payday or offer.kind.';
    ELSIF level IS NULL THEN
        DELETE FROM dunning.sensitivity s WHERE s.field = set_sensitivity.field AND NOT s.builtin;
        RETURN before;
    ELSIF level NOT IN ('open', 'personal', 'never') THEN
        RAISE EXCEPTION 'there is no level "%"', level USING ERRCODE = '22023', HINT = 'open, personal or never; NULL for the shipped one.';
    END IF;
    INSERT INTO dunning.sensitivity AS s (field, level, why, set_by, set_at)
    VALUES (set_sensitivity.field, set_sensitivity.level, coalesce(set_sensitivity.why, 'as the house has set it'), session_user, now())
    ON CONFLICT ON CONSTRAINT sensitivity_pkey DO UPDATE SET level = excluded.level, why = excluded.why, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN before;
END
$function$;
CREATE FUNCTION dunning._too_personal(fields text[], permitted boolean)
 RETURNS TABLE(field text, level text, why text)
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    -- A row's field is the last part of a path, the whole of it, or an object on the way.
    RETURN QUERY
    SELECT DISTINCT f.path, s.level, s.why
    FROM unnest(fields) f(path),
         (SELECT DISTINCT ON (x.field) x.* FROM dunning.sensitivity x ORDER BY x.field, x.builtin) s
    WHERE strpos('.' || f.path || '.', '.' || s.field || '.') > 0
      AND (s.level = 'never' OR s.level = 'personal' AND permitted IS NOT TRUE)
    ORDER BY 1, 2, 3;
END
$function$;
CREATE FUNCTION dunning._check_personal(subject text, body_text text, body_html text, context jsonb, partials jsonb, permitted boolean)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    fields text[] := dunning._template_fields(subject, body_text, body_html, context, partials);
    found  record;
BEGIN
    SELECT string_agg(format('%s (%s: %s)', p.field, p.level, p.why), '; ' ORDER BY p.field) AS list, bool_or(p.level = 'never') AS never
    INTO found FROM dunning._too_personal(fields, permitted) p;
    IF found.list IS NOT NULL THEN
        RAISE EXCEPTION 'the text is too personal'
            USING ERRCODE = 'DN003', DETAIL = format('It uses %s.', found.list),
                  HINT = CASE WHEN found.never THEN 'Leave these names out. SELECT * FROM dunning.sensitivity; lists what texts may not use.'
                         ELSE 'Leave these names out, or permit them for this template and compare it by an experiment: dunning.save_template(..., personal => true).' END;
    END IF;
END
$function$;
CREATE FUNCTION dunning._check_template_kind(template text, channel text, partial boolean)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF EXISTS (SELECT FROM dunning.template t WHERE t.template = _check_template_kind.template AND t.channel = _check_template_kind.channel
               AND t.replaced_at IS NULL AND t.partial <> _check_template_kind.partial) THEN
        RAISE EXCEPTION '"%" is %', template, CASE WHEN partial THEN 'a template, no partial' ELSE 'a partial, no template' END
            USING ERRCODE = '22023', DETAIL = 'A partial is included by other texts and never sent by itself.',
                  HINT = format('Use another name%s.', CASE WHEN partial THEN '' ELSE ', or partial => true' END);
    END IF;
END
$function$;
CREATE FUNCTION dunning._check_partial(subject text, body_text text, body_html text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    never text;
BEGIN
    IF subject IS NOT NULL THEN
        RAISE EXCEPTION 'a partial has no subject'
            USING ERRCODE = '22023', DETAIL = 'In a subject its text is used, as one line.', HINT = 'Give NULL for the subject.';
    END IF;
    SELECT string_agg(format('%s (%s)', p.field, p.why), '; ') INTO never
    FROM dunning._too_personal((dunning._template_names(NULL, body_text, body_html)).names, true) p;
    IF never IS NOT NULL THEN
        RAISE EXCEPTION 'the text is too personal'
            USING ERRCODE = 'DN003', DETAIL = format('It uses %s.', never),
                  HINT = 'Leave these names out. SELECT * FROM dunning.sensitivity; lists what texts may not use.';
    END IF;
END
$function$;
CREATE FUNCTION dunning._check_users(template text, channel text, language text, creditor text, framing text)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    t       dunning.template;
    alone   text := format('{{> %s}}', _check_users.template);
    pieces  jsonb;
    used    boolean := false;
    problem text;
    detail  text;
BEGIN
    -- By itself: what it includes exists and does not come back to it, as text and as HTML.
    pieces := dunning._partials(NULL, alone, NULL, _check_users.channel, _check_users.language, _check_users.creditor, _check_users.framing);
    PERFORM dunning._template_names(NULL, alone, alone, pieces);
    FOR t IN
        SELECT x.* FROM dunning.template x
        WHERE NOT x.partial AND x.replaced_at IS NULL AND (x.creditor = _check_users.creditor OR _check_users.creditor = '*' OR x.creditor = '*')
          AND (dunning._template_names(x.subject, x.body_text, x.body_html)).partials_used <> '{}'
    LOOP
        pieces := dunning._partials(t.subject, t.body_text, t.body_html, t.channel, t.language,
                                    CASE t.creditor WHEN '*' THEN _check_users.creditor ELSE t.creditor END, t.framing);
        CONTINUE WHEN NOT pieces ? _check_users.template;
        used := true;
        BEGIN
            PERFORM dunning._check_personal(t.subject, t.body_text, t.body_html, dunning._sample_context() || dunning._placeholders(t.vars), pieces, t.personal);
        EXCEPTION WHEN SQLSTATE 'DN003' OR SQLSTATE '22023' OR SQLSTATE '53400' THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'template "%" (%, %) cannot include this: %', t.template, t.channel, t.language, problem
                USING ERRCODE = 'DN003', DETAIL = detail, HINT = 'Change the partial, or first the template that includes it.';
        END;
    END LOOP;
    RETURN CASE WHEN used THEN '{}' ELSE ARRAY[format('no text includes it yet: {{> %s}}', _check_users.template)] END;
END
$function$;
CREATE FUNCTION dunning._length_limit(channel text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT CASE channel WHEN 'email' THEN 2500 WHEN 'letter' THEN 3500 WHEN 'push' THEN 350 WHEN 'call' THEN 2500 WHEN 'visit' THEN 2500 ELSE 4000 END $function$;
CREATE FUNCTION dunning._lint_form(channel text, subject text, body_text text, body_html text, context jsonb, partials jsonb, shown_subject text, shown_text text, shown_html text)
 RETURNS text[]
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    bare   text[] := (dunning._visit(subject, body_text, body_html, context, partials)).bare;
    most   int := dunning._length_limit(channel);
    result text[] := '{}';
BEGIN
    IF EXISTS (SELECT FROM unnest(bare) b WHERE b ~ '(^|\.)amount$') THEN
        result := result || text 'an amount stands without its currency: use {{amount | money}}';
    END IF;
    IF EXISTS (SELECT FROM unnest(bare) b WHERE b ~ '(^|\.)(due_on|expires_on|on)$') THEN
        result := result || text 'a date stands as it is stored: use {{due_on | date}}';
    END IF;
    IF channel = 'sms' AND (subject IS NOT NULL OR body_html IS NOT NULL) THEN
        result := result || text 'an SMS shows neither subject nor HTML: they are not sent';
    ELSIF channel <> 'sms' AND length(shown_text) > most THEN
        result := result || format('the text has %s characters, more than the %s that people read of %s', length(shown_text), most, channel);
    END IF;
    IF channel = 'email' AND length(shown_subject) > 100 THEN
        result := result || format('the subject has %s characters: mail programs show about 60', length(shown_subject));
    END IF;
    IF channel = 'email' AND octet_length(shown_html) > 100000 THEN
        result := result || text 'the HTML is larger than 100 kB: mail programs cut it off';
    END IF;
    RETURN result;
END
$function$;
CREATE FUNCTION dunning._lint_languages(template text, channel text, language text, creditor text, partials jsonb)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    result text[];
    spoken record;
BEGIN
    SELECT coalesce(array_agg(format('partial "%s" is in %s', p.key, p.value->>'language') ORDER BY p.key), '{}') INTO result
    FROM jsonb_each(coalesce(partials, '{}')) p WHERE p.value->>'language' <> language;
    IF dunning._ledger_problem() IS NOT NULL THEN
        RETURN result;
    END IF;
    FOR spoken IN EXECUTE format(
        'SELECT dunning._language(d.language) AS tongue, count(*) AS n FROM (%s) d WHERE d.language IS NOT NULL AND ($1 = ''*'' OR d.creditor = $1) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20',
        dunning._ledger_sql('debtor')) USING creditor
    LOOP
        IF spoken.tongue <> language AND NOT EXISTS (
            SELECT FROM dunning.template t WHERE t.template = _lint_languages.template AND t.channel = _lint_languages.channel AND t.language = spoken.tongue
               AND t.creditor IN (_lint_languages.creditor, '*') AND t.replaced_at IS NULL AND NOT t.partial) THEN
            result := result || format('%s debtor(s) read %s, and there is no text in it', spoken.n, spoken.tongue);
        END IF;
    END LOOP;
    RETURN result;
END
$function$;
CREATE FUNCTION dunning._page_words(language text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT jsonb '{
"en": {"hello": "Hello {{who}}", "due": "due on", "none": "Nothing is open. Thank you!", "offer": "Our offer", "until": "until",
    "pay": "Pay {{amount | money}}", "account": "Pay to account", "reference": "Reference",
    "plan": "I need more time", "plan_ask": "What would work for you?", "paid": "I have already paid", "paid_ask": "When and how?",
    "dispute": "I do not agree", "dispute_ask": "What is wrong?", "invoice": "Which invoice?", "all": "all of them", "send": "Send",
    "stop": "No more messages this way", "stop_ask": "We will not write to this address again. What is owed stays owed.", "stop_do": "Stop the messages",
    "call": "Questions? Call us on", "already": "We have heard from you already. Thank you!",
    "did": {"pay": "Thank you!", "plan": "Thank you. We will get back to you about a plan.", "already_paid": "Thank you. We will look for your payment.",
            "dispute": "Thank you. We will look into it and not remind you meanwhile.", "opt_out": "Done. We will not write to this address again."}},
"da": {"hello": "Hej {{who}}", "due": "forfaldt eller forfalder den", "none": "Der er intet at betale. Tak!", "offer": "Vores tilbud", "until": "indtil",
    "pay": "Betal {{amount | money}}", "account": "Betal til konto", "reference": "Reference",
    "plan": "Jeg har brug for mere tid", "plan_ask": "Hvad ville passe dig?", "paid": "Jeg har allerede betalt", "paid_ask": "Hvornår og hvordan?",
    "dispute": "Jeg er ikke enig", "dispute_ask": "Hvad er forkert?", "invoice": "Hvilken faktura?", "all": "dem alle", "send": "Send",
    "stop": "Ikke flere beskeder på denne måde", "stop_ask": "Vi skriver ikke til denne adresse igen. Det, der skyldes, skyldes stadig.", "stop_do": "Stop beskederne",
    "call": "Spørgsmål? Ring til os på", "already": "Vi har allerede hørt fra dig. Tak!",
    "did": {"pay": "Tak!", "plan": "Tak. Vi vender tilbage om en aftale.", "already_paid": "Tak. Vi leder efter din betaling.",
            "dispute": "Tak. Vi ser på det og minder dig ikke om det imens.", "opt_out": "Det er gjort. Vi skriver ikke til denne adresse igen."}},
"sv": {"hello": "Hej {{who}}", "due": "förfallodag", "none": "Det finns inget att betala. Tack!", "offer": "Vårt erbjudande", "until": "till",
    "pay": "Betala {{amount | money}}", "account": "Betala till konto", "reference": "Referens",
    "plan": "Jag behöver mer tid", "plan_ask": "Vad skulle passa dig?", "paid": "Jag har redan betalat", "paid_ask": "När och hur?",
    "dispute": "Jag håller inte med", "dispute_ask": "Vad är fel?", "invoice": "Vilken faktura?", "all": "alla", "send": "Skicka",
    "stop": "Inga fler meddelanden på det här sättet", "stop_ask": "Vi skriver inte till den här adressen igen. Skulden står kvar.", "stop_do": "Stoppa meddelandena",
    "call": "Frågor? Ring oss på", "already": "Vi har redan hört från dig. Tack!",
    "did": {"pay": "Tack!", "plan": "Tack. Vi återkommer om en plan.", "already_paid": "Tack. Vi letar efter din betalning.",
            "dispute": "Tack. Vi tittar på det och påminner dig inte under tiden.", "opt_out": "Klart. Vi skriver inte till den här adressen igen."}},
"nb": {"hello": "Hei {{who}}", "due": "forfallsdato", "none": "Det er ingenting å betale. Takk!", "offer": "Vårt tilbud", "until": "til",
    "pay": "Betal {{amount | money}}", "account": "Betal til konto", "reference": "Referanse",
    "plan": "Jeg trenger mer tid", "plan_ask": "Hva ville passe for deg?", "paid": "Jeg har allerede betalt", "paid_ask": "Når og hvordan?",
    "dispute": "Jeg er ikke enig", "dispute_ask": "Hva er galt?", "invoice": "Hvilken faktura?", "all": "alle", "send": "Send",
    "stop": "Ingen flere meldinger på denne måten", "stop_ask": "Vi skriver ikke til denne adressen igjen. Det som skyldes, skyldes fortsatt.", "stop_do": "Stopp meldingene",
    "call": "Spørsmål? Ring oss på", "already": "Vi har allerede hørt fra deg. Takk!",
    "did": {"pay": "Takk!", "plan": "Takk. Vi tar kontakt om en avtale.", "already_paid": "Takk. Vi leter etter betalingen din.",
            "dispute": "Takk. Vi ser på det og minner deg ikke på det imens.", "opt_out": "Det er gjort. Vi skriver ikke til denne adressen igjen."}},
"nl": {"hello": "Hallo {{who}}", "due": "vervaldatum", "none": "Er staat niets open. Dank je wel!", "offer": "Ons aanbod", "until": "tot",
    "pay": "Betaal {{amount | money}}", "account": "Betaal op rekening", "reference": "Kenmerk",
    "plan": "Ik heb meer tijd nodig", "plan_ask": "Wat zou je uitkomen?", "paid": "Ik heb al betaald", "paid_ask": "Wanneer en hoe?",
    "dispute": "Ik ben het er niet mee eens", "dispute_ask": "Wat klopt er niet?", "invoice": "Welke factuur?", "all": "allemaal", "send": "Versturen",
    "stop": "Geen berichten meer op deze manier", "stop_ask": "We schrijven niet meer naar dit adres. Wat openstaat, blijft openstaan.", "stop_do": "Berichten stoppen",
    "call": "Vragen? Bel ons op", "already": "We hebben al van je gehoord. Dank je wel!",
    "did": {"pay": "Dank je wel!", "plan": "Dank je wel. We nemen contact op over een regeling.", "already_paid": "Dank je wel. We zoeken je betaling op.",
            "dispute": "Dank je wel. We zoeken het uit en herinneren je er intussen niet aan.", "opt_out": "Gedaan. We schrijven niet meer naar dit adres."}},
"de": {"hello": "Guten Tag {{who}}", "due": "fällig am", "none": "Es ist nichts offen. Vielen Dank!", "offer": "Unser Angebot", "until": "bis",
    "pay": "{{amount | money}} bezahlen", "account": "Zahlung auf Konto", "reference": "Verwendungszweck",
    "plan": "Ich brauche mehr Zeit", "plan_ask": "Was wäre Ihnen möglich?", "paid": "Ich habe schon bezahlt", "paid_ask": "Wann und wie?",
    "dispute": "Ich bin nicht einverstanden", "dispute_ask": "Was stimmt nicht?", "invoice": "Welche Rechnung?", "all": "alle", "send": "Absenden",
    "stop": "Keine Nachrichten mehr auf diesem Weg", "stop_ask": "Wir schreiben nicht mehr an diese Adresse. Was offen ist, bleibt offen.", "stop_do": "Nachrichten beenden",
    "call": "Fragen? Rufen Sie uns an:", "already": "Wir haben schon von Ihnen gehört. Vielen Dank!",
    "did": {"pay": "Vielen Dank!", "plan": "Vielen Dank. Wir melden uns wegen einer Vereinbarung.", "already_paid": "Vielen Dank. Wir suchen Ihre Zahlung.",
            "dispute": "Vielen Dank. Wir prüfen das und erinnern Sie solange nicht.", "opt_out": "Erledigt. Wir schreiben nicht mehr an diese Adresse."}}
}' -> language $function$;
CREATE FUNCTION dunning._page_choice(purpose text, asked text, title text, fields text, button text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT format(E'<details%s><summary>%s</summary>\n<form method="post"><input type="hidden" name="token" value="{{tokens.%s}}">\n%s\n<button>%s</button></form></details>\n',
                    CASE WHEN asked = purpose THEN ' open' ELSE '' END, title, purpose, fields, button) $function$;
CREATE FUNCTION dunning._page_template(purpose text, done boolean, language text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    w    jsonb := dunning._page_words(language);
    said constant text := '<label>%s<textarea name="text" rows="3" maxlength="2000"></textarea></label>';
    head constant text := $t$<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer"><title>{{creditor_name}}</title>
<style>
body { margin: 0; background: #f6f6f4; color: #222; font: 17px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; box-sizing: border-box }
h1 { font-size: 1.3rem; margin: .5rem 0 } .from { color: #555; margin: 0 } .sum { font-size: 1.7rem; font-weight: 600; margin: .8rem 0 0 }
ul { padding-left: 1.2rem; margin: .3rem 0 } .box, details { background: #fff; border: 1px solid #ccc; border-radius: 8px; padding: .7rem; margin: .7rem 0 }
summary { padding: .3rem 0; cursor: pointer } label { display: block; margin: .4rem 0 }
textarea, select { width: 100%%; box-sizing: border-box; font: inherit } input { width: 1.2rem; height: 1.2rem; vertical-align: middle }
button { width: 100%%; min-height: 3rem; border: 0; border-radius: 8px; background: #1d5f3f; color: #fff; font: inherit; font-weight: 600 }
</style></head>
<body><main>
<p class="from">{{creditor_name}}</p>
$t$;
    foot text := format(E'{{#creditor_phone}}<p>%s {{creditor_phone}}</p>{{/creditor_phone}}\n</main></body>\n</html>\n', w->>'call');
BEGIN
    IF done THEN
        RETURN format(head, language) || format(E'<h1>%s</h1>\n', w->'did'->>purpose) || foot;
    ELSIF purpose = 'opt_out' THEN
        -- This link is read by mail programs too: it tells nobody what is owed.
        RETURN format(head, language) || format(E'<h1>%s</h1>\n', w->>'stop')
            || format(E'<p>%s</p>\n<form method="post"><input type="hidden" name="token" value="{{tokens.opt_out}}"><button>%s</button></form>\n', w->>'stop_ask', w->>'stop_do')
            || foot;
    END IF;
    RETURN format(head, language)
        || format(E'<h1>{{#who}}%s{{/who}}</h1>\n', w->>'hello')
        || format(E'{{#done}}<p class="box">%s</p>{{/done}}\n{{^balances}}<p>%s</p>{{/balances}}\n', w->>'already', w->>'none')
        || format($t${{#balances}}<p class="sum">{{amount | money}}</p>
<ul>{{#invoices}}<li>{{#reference}}{{reference}}: {{/reference}}{{amount | money}}, %s {{due_on | date}}</li>{{/invoices}}</ul>
{{/balances}}
{{#offer}}<div class="box"><strong>%s</strong>{{#text}}<p>{{text}}</p>{{/text}}{{#expires_on}}<p>%s {{expires_on | date}}</p>{{/expires_on}}</div>
{{/offer}}$t$, w->>'due', w->>'offer', w->>'until')
        || format($t${{#amount}}
{{#pay_url}}<form method="post"><input type="hidden" name="token" value="{{tokens.pay}}"><button>%s</button></form>{{/pay_url}}
{{#creditor_account}}<p>%s {{creditor_account}}{{#reference}}<br>%s {{reference}}{{/reference}}</p>{{/creditor_account}}
$t$, w->>'pay', w->>'account', w->>'reference')
        || dunning._page_choice('plan', purpose, w->>'plan', '{{#options}}<label><input type="radio" name="option" value="{{option}}"> {{label}}</label>{{/options}}'
               || format(said, w->>'plan_ask'), w->>'send')
        || dunning._page_choice('already_paid', purpose, w->>'paid', format(said, w->>'paid_ask'), w->>'send')
        || dunning._page_choice('dispute', purpose, w->>'dispute', format('<label>%s<select name="invoice"><option value="">%s</option>'
               || '{{#balances}}{{#invoices}}{{#reference}}<option value="{{reference}}">{{reference}}</option>{{/reference}}{{/invoices}}{{/balances}}</select></label>',
               w->>'invoice', w->>'all') || format(said, w->>'dispute_ask'), w->>'send')
        || E'{{/amount}}\n' || foot;
END
$function$;
CREATE FUNCTION dunning._page_context(told jsonb, tokens jsonb, done boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    talk  jsonb := dunning.conversation(told->>'debtor_id');
    offer jsonb := CASE WHEN jsonb_typeof(talk #> '{offer,offer}') = 'object' THEN talk #> '{offer,offer}' END;
    list  jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('option', coalesce(o.value->>'option', o.ord::text),
                                        'label', CASE jsonb_typeof(o.value) WHEN 'object' THEN o.value->>'text' ELSE o.value #>> '{}' END) ORDER BY o.ord) INTO list
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(offer->'options') = 'array' THEN offer->'options' ELSE '[]' END) WITH ORDINALITY o(value, ord);
    RETURN jsonb_build_object('creditor_name', talk #> '{creditor,name}', 'creditor_phone', talk #> '{creditor,phone}', 'creditor_account', talk #> '{creditor,account}',
        'who', CASE WHEN (talk->>'company')::boolean THEN talk->'name' ELSE coalesce(nullif(talk->'given_name', 'null'), talk->'name') END,
        'balances', talk->'balances', 'amount', talk #> '{balances,0,amount}', 'currency', talk #> '{balances,0,currency}',
        'reference', talk #> '{balances,0,invoices,0,reference}', 'pay_url', talk->'pay_url', 'tokens', tokens, 'done', done,
        'offer', CASE WHEN offer IS NOT NULL THEN jsonb_build_object('text', offer->'text', 'expires_on', offer->'expires_on') END,
        'options', coalesce(list, '[]'));
EXCEPTION WHEN invalid_parameter_value THEN
    -- Forgotten, or no longer in the ledger: a link that is good for nobody.
    PERFORM dunning._token_message('');
    RETURN NULL;
END
$function$;
CREATE FUNCTION dunning.link_page(token text, language text DEFAULT NULL::text, done boolean DEFAULT false)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    told   record;
    tongue text;
    tokens jsonb;
BEGIN
    SELECT t.* INTO told FROM dunning._token_of(link_page.token) t;
    tongue := dunning._language(coalesce(link_page.language, told.language));
    IF dunning._page_words(tongue) IS NULL THEN
        tongue := CASE WHEN dunning._page_words(dunning._language(told.language)) IS NOT NULL THEN dunning._language(told.language) ELSE 'en' END;
    END IF;
    -- The other choices end with the link they are shown behind. An opt-out link, which mail programs know, opens nothing else.
    SELECT jsonb_object_agg(p.p, CASE WHEN p.p = told.purpose THEN link_page.token ELSE dunning._make_token(p.p, told.debtor_id, told.message_id, told.expires_at) END) INTO tokens
    FROM unnest(CASE told.purpose WHEN 'opt_out' THEN ARRAY['opt_out'] ELSE ARRAY['pay', 'plan', 'already_paid', 'dispute'] END) p(p);
    RETURN (SELECT r.body_html FROM dunning._render(NULL, NULL, dunning._page_template(told.purpose, coalesce(link_page.done, false), tongue),
        dunning._page_context(jsonb_build_object('debtor_id', told.debtor_id), tokens, dunning._link_done(told.debtor_id, told.message_id, told.purpose)), tongue) r);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._sample_context()
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ SELECT jsonb '{
    "debtor_id": "104217", "name": "Kirsten Hansen", "given_name": "Kirsten", "company": false,
    "creditor": "default", "creditor_name": "Nordlys Energi", "sender_name": "Mette, Nordlys Energi",
    "creditor_phone": "+4570102030", "creditor_account": "DK5000400440116243", "reply_to": "help@nordlys.example",
    "amount": 1240.50, "currency": "EUR", "due_on": "2026-10-01", "days_overdue": 12, "invoice_count": 2,
    "reference": "F-1042-7", "pay_url": "https://pay.example/F-1042-7",
    "balances": [
        {"currency": "EUR", "amount": 1240.50, "due_on": "2026-10-01", "days_overdue": 12, "invoices": [
            {"reference": "F-1042-7", "amount": 620.25, "due_on": "2026-10-01", "days_overdue": 12, "pay_url": "https://pay.example/F-1042-7"},
            {"reference": "F-1042-8", "amount": 620.25, "due_on": "2026-10-05", "days_overdue": 8, "pay_url": "https://pay.example/F-1042-8"}]},
        {"currency": "GBP", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "invoices": [
            {"reference": "F-1042-9", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "pay_url": "https://pay.example/F-1042-9"}]}],
    "other_currencies": [
        {"currency": "GBP", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "invoices": [
            {"reference": "F-1042-9", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "pay_url": "https://pay.example/F-1042-9"}]}],
    "fee": {"amount": 13.50, "currency": "EUR", "on": "2026-10-14", "level": "reminder-1"},
    "proof": {"share": 0.83, "percent": 83, "n": 412, "level": "reminder-1"},
    "offer": {"kind": "instalments", "text": "3 x 413.50 EUR, the first on 1 November", "expires_on": "2026-10-20", "link": "https://pay.example/offer/k3V9",
        "options": [{"text": "3 x 413.50 EUR, the first on 1 November"}, {"text": "6 x 206.75 EUR, the first on 1 November"}]},
    "hearing": {"on": "2026-10-22", "time": "10:30", "place": "Room 4"},
    "plan_url": "https://pay.example/plan/k3V9", "paid_url": "https://pay.example/paid/k3V9", "dispute_url": "https://pay.example/dispute/k3V9",
    "optout_url": "https://pay.example/stop/k3V9", "qr": "BCD", "note": "Call me any time. Mette"}' $function$;
CREATE FUNCTION dunning._lint_template(channel text, language text, subject text, body_text text, body_html text, vars text[], partials jsonb DEFAULT NULL::jsonb)
 RETURNS text[]
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    context  jsonb := dunning._sample_context() || dunning._placeholders(vars);
    named    text[];
    shown    record;
    result   text[] := '{}';
    tongue   text := dunning._language(language);
BEGIN
    -- Errors of grammar and unknown names leave from here.
    named := dunning._template_fields(subject, body_text, body_html, context, partials);
    SELECT r.* INTO shown FROM dunning._render(subject, body_text, body_html, context, language, partials) r;

    IF channel = 'email' AND subject IS NULL THEN
        result := result || text 'there is no subject';
    ELSIF channel = 'email' AND NOT dunning._template_fields(subject, NULL, NULL, context, partials) && ARRAY['given_name', 'name'] THEN
        result := result || text 'the subject names nobody: use {{given_name}}';
    END IF;
    IF NOT dunning._template_fields(NULL, body_text, NULL, context, partials) && ARRAY['given_name', 'name'] THEN
        result := result || text 'the text names nobody: use {{given_name}}';
    END IF;
    IF channel <> 'call' AND NOT EXISTS (SELECT FROM unnest(named) n WHERE n ~ '(^|\.)(pay_url|creditor_account)$') THEN
        result := result || text 'there is no way to pay: use {{pay_url}}';
    END IF;
    IF NOT EXISTS (SELECT FROM unnest(named) n WHERE n ~ '(^|\.)creditor_name$|(^|\.)sender_name$') THEN
        result := result || text 'nobody says who is writing: use {{creditor_name}}';
    END IF;
    IF channel <> 'call' AND NOT dunning._says_already_paid(shown.body_text, tongue) THEN
        result := result || text 'there is no line for those who have already paid';
    END IF;
    IF dunning._threatens_first(shown.body_text, tongue) THEN
        result := result || text 'a legal threat stands first: say what is owed and how to pay before it';
    END IF;
    result := result || dunning._lint_form(channel, subject, body_text, body_html, context, partials, shown.subject, shown.body_text, shown.body_html);
    IF channel = 'sms' THEN
        result := result || dunning._sms_warnings(shown.body_text);
    END IF;
    RETURN result;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._check_template_key(template text, channel text, language text, creditor text, framing text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF template IS NULL OR template !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' THEN
        RAISE EXCEPTION 'the name of a template has letters, digits, "_", "-" and ".", at most 63'
            USING ERRCODE = '22023', HINT = 'Such as reminder-1.';
    END IF;
    IF framing IS NULL OR framing !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' THEN
        RAISE EXCEPTION 'the name of a framing has letters, digits, "_", "-" and ".", at most 63'
            USING ERRCODE = '22023', HINT = 'Such as neutral or loss_aversion.';
    END IF;
    IF (dunning._language(language) ~ '^[a-z]{2,3}$') IS NOT TRUE THEN
        RAISE EXCEPTION 'language "%" is no language tag', coalesce(language, 'NULL')
            USING ERRCODE = '22023', HINT = 'Two letters, such as da, or a tag that begins with them, such as da-DK.';
    END IF;
    IF NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = _check_template_key.channel)
       AND NOT EXISTS (SELECT FROM dunning.template t WHERE t.channel = _check_template_key.channel) THEN
        RAISE EXCEPTION 'there is no channel "%"', coalesce(channel, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = format('Channels are: %s.', (SELECT string_agg(DISTINCT c.channel, ', ') FROM dunning.channel c)),
                  HINT = 'A channel of your own is a row of dunning.channel.';
    END IF;
    IF creditor <> '*' AND NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = _check_template_key.creditor) THEN
        RAISE EXCEPTION 'there is no creditor "%"', creditor
            USING ERRCODE = '22023',
                  DETAIL = format('Creditors are: %s.', (SELECT string_agg(DISTINCT c.creditor, ', ' ORDER BY c.creditor) FROM dunning.creditor c)),
                  HINT = 'Leave creditor out for a text that all use.';
    END IF;
END
$function$;
CREATE FUNCTION dunning.save_template(template text, channel text, language text, subject text, body_text text, body_html text DEFAULT NULL::text, creditor text DEFAULT NULL::text, framing text DEFAULT 'neutral'::text, vars text[] DEFAULT '{}'::text[], partial boolean DEFAULT false, personal boolean DEFAULT false, OUT version integer, OUT warnings text[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    tongue text := dunning._language(save_template.language);
    whose  text := coalesce(save_template.creditor, '*');
    given  text[] := coalesce(save_template.vars, '{}');
    piece  boolean := coalesce(save_template.partial, false);
    now_at timestamptz := clock_timestamp();
    pieces jsonb;
BEGIN
    PERFORM dunning._check_template_key(save_template.template, save_template.channel, save_template.language, whose, save_template.framing);
    IF EXISTS (SELECT FROM unnest(given) v WHERE (v ~ '^[A-Za-z_][A-Za-z0-9_.]*$') IS NOT TRUE) THEN
        RAISE EXCEPTION 'vars are names that a text may use'
            USING ERRCODE = '22023', DETAIL = format('Given: %s.', given), HINT = 'Such as vars => ''{order,delivered_on}''.';
    END IF;
    IF body_text IS NULL OR btrim(body_text) = '' THEN
        RAISE EXCEPTION 'a template needs a text'
            USING ERRCODE = '22023', DETAIL = 'body_text is what is read where HTML is not shown.', HINT = 'Give body_text.';
    END IF;
    PERFORM dunning._check_template_kind(save_template.template, save_template.channel, piece);
    pieces := dunning._partials(subject, body_text, body_html, save_template.channel, tongue, whose, save_template.framing);
    IF piece THEN
        warnings := '{}';
        PERFORM dunning._check_partial(subject, body_text, body_html);
    ELSE
        warnings := dunning._lint_template(save_template.channel, tongue, subject, body_text, body_html, given, pieces)
                    || dunning._lint_languages(save_template.template, save_template.channel, tongue, whose, pieces);
        PERFORM dunning._check_personal(subject, body_text, body_html, dunning._sample_context() || dunning._placeholders(given), pieces, save_template.personal);
    END IF;

    IF save_template.framing = 'neutral' AND EXISTS (
        SELECT FROM dunning.template t
        WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue AND t.framing <> 'neutral'
          AND t.creditor IN (whose, '*') AND t.builtin AND t.replaced_at IS NULL
          AND NOT EXISTS (SELECT FROM dunning.template o WHERE o.template = t.template AND o.channel = t.channel AND o.language = t.language
                          AND o.creditor = whose AND o.framing = t.framing AND NOT o.builtin AND o.replaced_at IS NULL)) THEN
        warnings := warnings || text 'other framings use this text too, until they are saved themselves: framing => ''loss_aversion''';
    END IF;
    -- Two who save at once: one waits here, so that versions follow each other. Partials of a channel wait for each other,
    -- or two that are saved at once could close a circle that neither has seen.
    PERFORM pg_advisory_xact_lock(dunning._hash64(CASE WHEN piece THEN 'partial|' || save_template.channel
        ELSE concat_ws('|', 'template', save_template.template, save_template.channel, tongue, whose, save_template.framing) END));
    UPDATE dunning.template t SET replaced_at = now_at, replaced_by = session_user
    WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = save_template.framing AND NOT t.builtin AND t.replaced_at IS NULL;
    SELECT coalesce(max(t.version), 0) + 1 INTO version
    FROM dunning.template t
    WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = save_template.framing AND NOT t.builtin;
    INSERT INTO dunning.template (template, channel, language, creditor, framing, builtin, version, subject, body_text, body_html,
                                  vars, partial, personal, saved_by, saved_at)
    VALUES (save_template.template, save_template.channel, tongue, whose, save_template.framing, false, version,
            save_template.subject, save_template.body_text, save_template.body_html, given, piece, coalesce(save_template.personal, false), session_user, now_at);
    IF piece THEN
        warnings := warnings || dunning._check_users(save_template.template, save_template.channel, tongue, whose, save_template.framing);
    END IF;
END
$function$;
CREATE FUNCTION dunning._equip_partition(parent text, part text, indexes text[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    part_oid regclass := pg_catalog.format('dunning.%I', part)::regclass;
    parent_oid regclass := pg_catalog.format('dunning.%I', parent)::regclass;
    index_body text;
    item record;
    made int := 0;
BEGIN
    FOREACH index_body IN ARRAY indexes LOOP
        -- The server prints an index with blanks and parentheses of its own.
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_catalog.pg_index i
            WHERE i.indrelid = part_oid
              AND translate(regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.* USING btree ', ''), '() ', '') = translate(index_body, '() ', ''));
        EXECUTE pg_catalog.format('CREATE INDEX ON dunning.%I %s', part, index_body);
        made := made + 1;
    END LOOP;
    -- The parent's grants, for those who read one month by name.
    FOR item IN
        SELECT a.grantee::regrole::text AS grantee, a.privilege_type, NULL::text AS col
        FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a
        WHERE c.oid = parent_oid AND a.grantee NOT IN (0, c.relowner)
        UNION ALL
        SELECT a.grantee::regrole::text, a.privilege_type, pg_catalog.quote_ident(t.attname)
        FROM pg_catalog.pg_attribute t, LATERAL pg_catalog.aclexplode(t.attacl) a
        WHERE t.attrelid = parent_oid AND a.grantee <> 0
        EXCEPT
        SELECT a.grantee::regrole::text, a.privilege_type, NULL
        FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a WHERE c.oid = part_oid
        EXCEPT
        SELECT a.grantee::regrole::text, a.privilege_type, pg_catalog.quote_ident(t.attname)
        FROM pg_catalog.pg_attribute t, LATERAL pg_catalog.aclexplode(t.attacl) a WHERE t.attrelid = part_oid
        ORDER BY 1, 2, 3
    LOOP
        EXECUTE pg_catalog.format('GRANT %s%s ON dunning.%I TO %s', item.privilege_type, ' (' || item.col || ')', part, item.grantee);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$function$;
CREATE FUNCTION dunning._equip_partitions()
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN (SELECT coalesce(sum(dunning._equip_partition(k.parent, c.relname, k.indexes)), 0)
            FROM dunning._partition_keys() k
            JOIN pg_catalog.pg_inherits i ON i.inhparent = pg_catalog.format('dunning.%I', k.parent)::regclass
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._make_partition(parent text, month timestamp without time zone, primary_key text, indexes text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    part text := pg_catalog.format('%s_y%sm%s', parent, pg_catalog.to_char(month, 'YYYY'), pg_catalog.to_char(month, 'MM'));
BEGIN
    EXECUTE pg_catalog.format('CREATE TABLE dunning.%I (LIKE dunning.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (%s))', part, parent, primary_key);
    PERFORM dunning._equip_partition(parent, part, indexes);
    EXECUTE pg_catalog.format('ALTER TABLE dunning.%I ATTACH PARTITION dunning.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
        dunning._uuid7_floor(month AT TIME ZONE 'UTC'), dunning._uuid7_floor((month + interval '1 month') AT TIME ZONE 'UTC'));
    EXECUTE pg_catalog.format('COMMENT ON TABLE dunning.%I IS %L', part, 'Rows of dunning.' || parent || ' of ' || pg_catalog.to_char(month, 'YYYY-MM') || ' (UTC).');
END
$function$;
CREATE OR REPLACE FUNCTION dunning._enqueue(source text)
 RETURNS TABLE(debtor_id text, message_id uuid)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
#variable_conflict error
BEGIN
    PERFORM dunning._ensure_partitions();
    PERFORM dunning._wake();
    -- A join with what was claimed, not IN (SELECT ...): beyond work_mem that would be looked through row by row.
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH src AS MATERIALIZED (%s),
        claimed AS (
            INSERT INTO dunning.once (debtor_id, kind, key, message_id, at)
            SELECT s.debtor_id, s.once_kind, s.once_key, s.message_id, dunning._now() FROM src s WHERE s.once_key IS NOT NULL
            ON CONFLICT DO NOTHING
            RETURNING message_id),
        kept AS (
            INSERT INTO dunning.message (message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server,
                contact_at, not_after, local_time, amounts, cost, cost_currency, variant, p, expected_value, propensity, explored,
                ledger_mark, context, decision, created_at, created_by)
            SELECT s.message_id, s.debtor_id, s.creditor, s.run_id, s.strategy, s.step, s.template, s.channel, s.language, s.server,
                s.contact_at, s.not_after, s.local_time, s.amounts, s.cost, s.cost_currency, s.variant, s.p, s.expected_value, s.propensity, s.explored,
                s.ledger_mark, s.context, s.decision, dunning._now(), session_user
            FROM src s LEFT JOIN claimed c ON c.message_id = s.message_id WHERE s.once_key IS NULL OR c.message_id IS NOT NULL
            RETURNING message_id),
        queued AS (
            INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, reason, blocked_by, run_id)
            SELECT s.debtor_id, s.message_id, s.creditor, dunning._slice(s.debtor_id), s.state, s.contact_at, s.server, s.channel, s.reason, s.blocked_by, s.run_id
            FROM src s LEFT JOIN claimed c ON c.message_id = s.message_id WHERE s.once_key IS NULL OR c.message_id IS NOT NULL
            RETURNING debtor_id, message_id)
        SELECT q.debtor_id::text, q.message_id FROM queued q$q$, source);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._send_channels(template text, channel text, vars jsonb, not_before timestamp with time zone, not_after timestamp with time zone, creditor text, preferred text)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    listed text[];
BEGIN
    PERFORM dunning._check_template_name(template);
    IF jsonb_typeof(vars) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'vars is not a JSON object' USING ERRCODE = '22023', HINT = 'For example: vars => ''{"plan_months": 3}''.';
    ELSIF not_before > '9999-12-30 00:00+00' OR not_before < '0001-01-02 00:00+00' OR NOT isfinite(not_after) OR not_after <= coalesce(not_before, dunning._now()) THEN
        RAISE EXCEPTION 'not_after is over before the message may go' USING ERRCODE = '22023', DETAIL = 'not_before and not_after are finite instants, not_after the later one and in the future.';
    END IF;
    IF channel IS NOT NULL THEN
        PERFORM dunning._check_channel(channel);
        RETURN ARRAY[channel];
    END IF;
    -- As the creditor's strategy has it for this template, else every channel that costs nothing but a message, the cheapest first.
    SELECT s.channels INTO listed FROM dunning._steps(coalesce((SELECT c.default_strategy FROM dunning.creditor c
        WHERE c.creditor = _send_channels.creditor ORDER BY c.builtin LIMIT 1), 'standard')) s WHERE s.template = _send_channels.template ORDER BY s.position LIMIT 1;
    IF listed IS NULL THEN
        SELECT array_agg(x.channel ORDER BY x.cost, x.channel) INTO listed
        FROM (SELECT DISTINCT ON (c.channel) c.channel::text, k.cost, c.human FROM dunning.channel c JOIN dunning._costs(_send_channels.creditor, dunning._today(NULL)) k ON k.channel = c.channel
              ORDER BY c.channel, c.builtin) x
        WHERE NOT x.human AND dunning._has_template(_send_channels.template, x.channel, _send_channels.creditor);
    END IF;
    RETURN ARRAY(SELECT l.l FROM unnest(listed) WITH ORDINALITY l(l, n) ORDER BY l.l IS DISTINCT FROM preferred, l.n);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._send_row(debtor_id text, template text, channel text, vars jsonb, not_before timestamp with time zone, not_after timestamp with time zone, idempotency_key text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    about record;
    debtor record;
    channels text[];
    candidates dunning._candidate[];
    no_server jsonb;
    chosen record;
    price record;
    mark text;
    score record;
    earliest timestamptz := greatest(coalesce(not_before, dunning._now()), dunning._now());
    blocked text[];
BEGIN
    -- The mark first: a payment that commits meanwhile shows at the gate.
    EXECUTE 'SELECT m.mark FROM (' || dunning._mark_sql('$1', NULL) || ') m' INTO mark USING ARRAY[debtor_id];
    EXECUTE 'SELECT d.creditor, d.preferred_channel FROM (' || dunning._ledger_sql('debtor', '$1', NULL) || ') d' INTO debtor USING ARRAY[debtor_id];
    IF debtor.creditor IS NULL THEN
        RAISE EXCEPTION 'debtor "%" does not exist', debtor_id USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or number'');';
    END IF;
    channels := dunning._send_channels(template, channel, vars, not_before, not_after, debtor.creditor, debtor.preferred_channel);
    EXECUTE 'SELECT x.context, x.amounts, x.language, x.creditor FROM (' || dunning._context_sql(dunning._due_items_sql('$1', '$2'), '$1', '$2') || ') x'
        INTO about USING ARRAY[debtor_id], NULL::timestamptz;
    SELECT array_agg(ROW(_send_row.debtor_id, c.c, c.rank, c.server, earliest, coalesce(not_after, earliest + interval '7 days'))::dunning._candidate ORDER BY c.rank)
               FILTER (WHERE c.why IS NULL),
           coalesce(jsonb_agg(jsonb_build_object('channel', c.c, 'why', c.why) ORDER BY c.n) FILTER (WHERE c.why IS NOT NULL), '[]')
    INTO candidates, no_server
    FROM (SELECT y.*, row_number() OVER (PARTITION BY y.why IS NULL ORDER BY y.n)::int AS rank FROM (
            SELECT x.c, x.n, v.server,
                   CASE WHEN v.server IS NULL THEN 'no_server' WHEN NOT dunning._has_template(_send_row.template, x.c, debtor.creditor) THEN 'no_template' END AS why
            FROM unnest(channels) WITH ORDINALITY x(c, n)
            LEFT JOIN LATERAL (SELECT s.server FROM dunning._servers(x.c, debtor.creditor) s ORDER BY s.ord LIMIT 1) v ON true) y) c;
    SELECT c.* INTO chosen FROM dunning._choose(candidates, dunning._now(), not_after IS NULL) c;
    blocked := coalesce(chosen.blocked_by, ARRAY(SELECT DISTINCT w.value->>'why' FROM jsonb_array_elements(no_server) w));
    SELECT k.* INTO price FROM dunning._costs(debtor.creditor, dunning._today(NULL), about.context->>'currency') k WHERE k.channel = coalesce(chosen.channel, channels[1]);
    SELECT s.* INTO score FROM dunning.debtor_score s WHERE s.debtor_id = _send_row.debtor_id;
    RETURN jsonb_build_object('message_id', dunning._uuid7(), 'debtor_id', debtor_id, 'creditor', debtor.creditor, 'template', template,
        'channel', coalesce(chosen.channel, channels[1]), 'language', about.language, 'server', chosen.server,
        'contact_at', coalesce(chosen.contact_at, earliest), 'not_after', coalesce(not_after, earliest + interval '30 days'),
        'local_time', coalesce(chosen.local_time, dunning._local_time(earliest, dunning._ledger_zone())), 'amounts', about.amounts,
        'cost', coalesce(price.cost, 0), 'cost_currency', coalesce(price.priced_in, 'EUR'), 'variant', 'neutral', 'p', score.p_paid_30d,
        'propensity', coalesce(chosen.propensity, 1), 'explored', coalesce(chosen.explored, false), 'ledger_mark', mark, 'context', about.context || vars,
        'state', CASE WHEN cardinality(blocked) > 0 THEN 'held' ELSE 'queued' END, 'reason', blocked[1], 'blocked_by', nullif(blocked, '{}'),
        'once_kind', CASE WHEN idempotency_key IS NOT NULL THEN 'idempotency' END, 'once_key', idempotency_key,
        'decision', jsonb_strip_nulls(jsonb_build_object('asked_by', session_user, 'call', 'send', 'channels', channels, 'preferred_channel', debtor.preferred_channel,
            'chosen', chosen.channel, 'skipped', coalesce(chosen.skipped, '[]') || no_server, 'timing', chosen.timing, 'vars', vars,
            'not_before', not_before, 'not_after', not_after, 'scores', to_jsonb(score))));
END
$function$;
CREATE OR REPLACE VIEW dunning.message_state (message_id, debtor_id, state, reason, at) WITH (security_invoker=true, security_barrier=true) AS
 SELECT m.message_id,
    m.debtor_id,
        CASE
            WHEN ((COALESCE(q.state, o.state) = ANY (ARRAY['queued'::text, 'cancelled'::text])) AND (EXISTS ( SELECT
               FROM dunning.egress e
              WHERE ((e.debtor_id = m.debtor_id) AND (e.message_id = m.message_id) AND (e.attempt = (COALESCE(q.attempts, o.attempt) + 1)))))) THEN 'sending'::text
            ELSE COALESCE(q.state, o.state)
        END AS state,
    COALESCE(q.reason, o.reason) AS reason,
    COALESCE(
        CASE
            WHEN (q.state IS NOT NULL) THEN COALESCE(o.at, m.created_at)
            ELSE NULL::timestamp with time zone
        END, o.at) AS at
   FROM ((dunning.message m
     LEFT JOIN dunning.queue q ON (((q.debtor_id = m.debtor_id) AND (q.message_id = m.message_id))))
     LEFT JOIN LATERAL ( SELECT x.state,
            x.reason,
            x.at,
            x.attempt
           FROM dunning.outcome x
          WHERE ((x.debtor_id = m.debtor_id) AND (x.message_id = m.message_id))
          ORDER BY (dunning._state_rank(x.state) = 0), x.attempt DESC, (dunning._state_rank(x.state)) DESC, x.outcome_id DESC
         LIMIT 1) o ON (true));
CREATE OR REPLACE FUNCTION dunning._free_steps(debtor_ids text[], message_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    DELETE FROM dunning.once o USING ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id)
    WHERE o.debtor_id = v.debtor_id AND o.kind = 'step' AND o.message_id = v.message_id
      AND NOT EXISTS (SELECT FROM dunning.egress e
          WHERE e.debtor_id = v.debtor_id AND e.message_id = v.message_id
            AND NOT EXISTS (SELECT FROM dunning.outcome x
                WHERE x.debtor_id = e.debtor_id AND x.message_id = e.message_id AND x.attempt = e.attempt))
      AND NOT EXISTS (SELECT FROM dunning.outcome x
          WHERE x.debtor_id = v.debtor_id AND x.message_id = v.message_id
            AND (x.state NOT IN ('queued', 'held', 'cancelled') OR x.detail ? 'may_have_arrived' OR x.detail ? 'final'));
END
$function$;
CREATE OR REPLACE FUNCTION dunning._settle(debtor_ids text[], message_ids uuid[], attempts smallint[], states text[], reasons text[], provider_refs text[], details jsonb[], next_due timestamp with time zone[])
 RETURNS TABLE(debtor_id text, message_id uuid, state text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict error
DECLARE
    failure record;
    fallback uuid;
    unknown_state text;
    won int;
BEGIN
    SELECT s.s INTO unknown_state FROM unnest(states) s(s)
    WHERE s.s IS NULL OR s.s NOT IN ('queued', 'held', 'sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unknown message state "%"', unknown_state
            USING ERRCODE = '22023', HINT = 'States are queued, held, sent, delivered, failed, unknown, dead and cancelled.';
    END IF;

    -- The fence: attempt n is settled only by who finds n - 1 settled ones; 0 stands for "before any intent".
    RETURN QUERY
        WITH v AS MATERIALIZED (
            SELECT v.debtor_id, v.message_id, v.attempt,
                   -- Who may have got it is not told that nothing left.
                   CASE WHEN v.state IN ('cancelled', 'dead') AND EXISTS (
                       SELECT FROM dunning.outcome o WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.detail ? 'may_have_arrived')
                       THEN 'unknown' ELSE v.state END AS state, v.reason, v.provider_ref, v.detail, v.due
            FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons),
                unnest(provider_refs), unnest(details), unnest(next_due))
                AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail, due)
            WHERE v.state <> 'failed'),
        moved AS (
            UPDATE dunning.queue q
            SET state = v.state, due = coalesce(v.due, q.due), attempts = greatest(q.attempts, v.attempt), reason = v.reason,
                blocked_by = CASE v.state WHEN 'held' THEN coalesce(
                    nullif(ARRAY(SELECT b.b FROM jsonb_array_elements_text(v.detail->'blocked_by') b(b)), '{}'), ARRAY[v.reason]) END
            FROM v, dunning.queue old
            WHERE old.debtor_id = q.debtor_id AND old.message_id = q.message_id
              AND v.state IN ('queued', 'held') AND q.debtor_id = v.debtor_id AND q.message_id = v.message_id
              AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
            RETURNING q.debtor_id, q.message_id, q.creditor, v.attempt, v.state, v.reason, v.provider_ref, v.detail,
                v.attempt = 0 AND v.state = 'held' AND old.reason IS NOT DISTINCT FROM v.reason AS repeated),
        finished AS (
            DELETE FROM dunning.queue q USING v
            WHERE v.state NOT IN ('queued', 'held') AND q.debtor_id = v.debtor_id AND q.message_id = v.message_id
              AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
            RETURNING q.debtor_id, q.message_id, q.creditor, greatest(v.attempt, q.attempts) AS attempt, v.state, v.reason, v.provider_ref, v.detail),
        written AS (
            INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
            SELECT x.message_id, dunning._uuid7(), x.debtor_id, x.creditor, x.attempt, x.state, x.reason, x.provider_ref, x.detail, dunning._now()
            FROM (SELECT m.debtor_id, m.message_id, m.creditor, m.attempt, m.state, m.reason, m.provider_ref, m.detail
                  FROM moved m WHERE NOT m.repeated     -- held again for the same reason is no news
                  UNION ALL SELECT * FROM finished) x
            RETURNING outcome.debtor_id, outcome.message_id, outcome.state)
        SELECT w.debtor_id::text, w.message_id, w.state FROM written w
        UNION ALL SELECT m.debtor_id, m.message_id, m.state FROM moved m WHERE m.repeated;

    GET DIAGNOSTICS won = ROW_COUNT;

    -- Final failures one by one: each looks for the step's next channel.
    FOR failure IN
        WITH v AS MATERIALIZED (
            SELECT * FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons),
                unnest(provider_refs), unnest(details))
                AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail)
            WHERE v.state = 'failed')
        DELETE FROM dunning.queue q USING v
        WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id
          AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
        RETURNING q.debtor_id, q.message_id, q.creditor, greatest(v.attempt, q.attempts) AS attempt, v.reason, v.provider_ref, v.detail
    LOOP
        fallback := dunning._fallback(failure.debtor_id, failure.message_id, failure.reason);
        won := won + 1;
        debtor_id := failure.debtor_id;
        message_id := failure.message_id;
        state := CASE WHEN fallback IS NULL THEN 'dead' ELSE 'failed' END;
        INSERT INTO dunning.outcome AS o (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
        VALUES (failure.message_id, dunning._uuid7(), failure.debtor_id, failure.creditor, failure.attempt,
            CASE WHEN fallback IS NULL THEN 'dead' ELSE 'failed' END, failure.reason, failure.provider_ref,
            CASE WHEN fallback IS NULL THEN failure.detail
                 ELSE coalesce(failure.detail, '{}') || jsonb_build_object('fallback', fallback) END, dunning._now());
        RETURN NEXT;
    END LOOP;

    -- Stopped while its attempt was under way: what the gateway said is still the truth, and an attempt that left nothing
    -- is over too. A statement of its own: it must see who stopped it, also where the row was waited for just now.
    IF won < cardinality(message_ids) THEN
        RETURN QUERY
            INSERT INTO dunning.outcome AS x (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
            SELECT e.message_id, dunning._uuid7(), e.debtor_id, e.creditor, e.attempt,
                   CASE WHEN v.state = 'failed' THEN 'dead'
                        WHEN v.state IN ('queued', 'held', 'cancelled', 'dead') THEN
                            CASE WHEN v.detail ? 'may_have_arrived' OR EXISTS (
                                SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.detail ? 'may_have_arrived')
                            THEN 'unknown' WHEN v.state = 'dead' THEN 'dead' ELSE 'cancelled' END
                        ELSE v.state END,
                   -- Of what did not leave it is said why it was stopped.
                   coalesce((SELECT o.reason FROM dunning.outcome o
                             WHERE v.state IN ('queued', 'held') AND NOT coalesce(v.detail ? 'may_have_arrived', false)
                               AND o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt < e.attempt AND dunning._state_rank(o.state) > 0
                             ORDER BY o.outcome_id DESC LIMIT 1), v.reason), v.provider_ref, v.detail, dunning._now()
            FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons), unnest(provider_refs), unnest(details))
                AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail)
            JOIN dunning.egress e ON e.debtor_id = v.debtor_id AND e.message_id = v.message_id AND e.attempt = v.attempt
            WHERE v.attempt > 0
              AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = e.debtor_id AND q.message_id = e.message_id AND q.attempts < e.attempt)
              AND NOT EXISTS (SELECT FROM dunning.outcome o
                              WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt)
            RETURNING x.debtor_id::text, x.message_id, x.state;
    END IF;

    IF EXISTS (SELECT FROM unnest(states, details) v(state, detail)
               WHERE v.state IN ('cancelled', 'dead') OR v.state = 'queued' AND v.detail ? 'may_have_arrived') THEN
        PERFORM dunning._task(v.debtor_id, 'unknown_outcome', format('Nobody knows whether it arrived before it was stopped: %s', v.reason), message_id => v.message_id)
        FROM unnest(debtor_ids, message_ids, attempts, states, reasons) v(debtor_id, message_id, attempt, state, reason)
        WHERE v.state IN ('cancelled', 'dead', 'queued')
          AND EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.detail ? 'may_have_arrived')
          AND EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.state = 'unknown' AND o.reason = v.reason
                      AND o.attempt >= v.attempt);
    END IF;
END
$function$;
CREATE FUNCTION dunning._settle_sent(debtor_ids text[], message_ids uuid[], attempts smallint[], reasons text[], provider_refs text[], details jsonb[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
#variable_conflict error
DECLARE
    n int := cardinality(message_ids);
    settled_at timestamptz := dunning._now();
    moved int;
BEGIN
    WITH finished AS (
        DELETE FROM dunning.queue q
        USING ROWS FROM (unnest(_settle_sent.debtor_ids), unnest(_settle_sent.message_ids), unnest(_settle_sent.attempts), unnest(_settle_sent.reasons),
                unnest(_settle_sent.provider_refs), unnest(_settle_sent.details))
            AS v(debtor_id, message_id, attempt, reason, provider_ref, detail)
        WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id AND q.attempts = v.attempt - 1
        RETURNING q.debtor_id, q.message_id, q.creditor, v.attempt, v.reason, v.provider_ref, v.detail)
    INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
    SELECT f.message_id, dunning._uuid7(), f.debtor_id, f.creditor, f.attempt, 'sent', f.reason, f.provider_ref, f.detail, settled_at FROM finished f;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved < n THEN
        moved := moved + (SELECT count(*) FROM dunning._settle(debtor_ids, message_ids, attempts, array_fill('sent'::text, ARRAY[n]), reasons,
            provider_refs, details, array_fill(NULL::timestamptz, ARRAY[n])) s);
    END IF;
    RETURN moved;
END
$function$;
CREATE FUNCTION dunning._held_up(debtor_ids text[], message_ids uuid[])
 RETURNS SETOF bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH free AS MATERIALIZED (
            SELECT q.debtor_id, q.message_id FROM dunning.queue q
            JOIN ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id) ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
            ORDER BY q.debtor_id, q.message_id FOR UPDATE OF q SKIP LOCKED)
        SELECT v.ord FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) WITH ORDINALITY AS v(debtor_id, message_id, ord)
        JOIN dunning.queue q ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
        LEFT JOIN free f ON f.debtor_id = v.debtor_id AND f.message_id = v.message_id
        WHERE f.message_id IS NULL;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._cancel_messages(debtor_ids text[], message_ids uuid[], reason text, replan boolean)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    n int := cardinality(message_ids);
    done_debtors text[];
    done_messages uuid[];
BEGIN
    IF coalesce(n, 0) = 0 THEN
        RETURN 0;
    END IF;
    PERFORM dunning._ensure_partitions();
    -- Whoever settles one of them now is waited for, so that what he writes is known when it is decided what they become.
    PERFORM FROM dunning.queue q
    JOIN ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id) ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
    ORDER BY q.debtor_id, q.message_id FOR UPDATE OF q;
    SELECT pg_catalog.array_agg(s.debtor_id), pg_catalog.array_agg(s.message_id) INTO done_debtors, done_messages
    FROM dunning._settle(debtor_ids, message_ids, array_fill(0::smallint, ARRAY[n]), array_fill('cancelled'::text, ARRAY[n]),
        array_fill(_cancel_messages.reason, ARRAY[n]), array_fill(NULL::text, ARRAY[n]),
        -- Its attempt may be under way: who settles that must know whether the step is to be planned again.
        array_fill(CASE WHEN NOT replan THEN '{"final": true}'::jsonb END, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n])) s;
    IF replan THEN
        PERFORM dunning._free_steps(done_debtors, done_messages);
    END IF;
    RETURN coalesce(cardinality(done_messages), 0);
END
$function$;
CREATE OR REPLACE FUNCTION dunning._release_held(debtor_ids text[] DEFAULT NULL::text[], blocker text DEFAULT NULL::text, due_until timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    n int;
BEGIN
    -- Not before its planned instant: `due` of a held row is only when to look at it again. Whose time has come is looked at by the
    -- worker: it waits for nobody who has such a row and stays open.
    WITH free AS MATERIALIZED (
        SELECT x.debtor_id, x.message_id FROM dunning.queue x
        WHERE x.state = 'held' AND x.due <= due_until FOR UPDATE SKIP LOCKED)
    UPDATE dunning.queue q SET state = 'queued', due = greatest(m.contact_at, dunning._now()), blocked_by = NULL,
        server = coalesce(q.server, dunning._server_for(q.channel, q.creditor))     -- one may have been made since
    FROM dunning.message m
    WHERE q.state = 'held' AND m.debtor_id = q.debtor_id AND m.message_id = q.message_id
      AND (debtor_ids IS NULL OR q.debtor_id = ANY (debtor_ids))
      AND (blocker IS NULL OR blocker = ANY (q.blocked_by))
      AND (due_until IS NULL OR EXISTS (SELECT FROM free f WHERE f.debtor_id = q.debtor_id AND f.message_id = q.message_id));
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM dunning._wake();
    END IF;
    RETURN n;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.cancel(message_id uuid, reason text)
 RETURNS SETOF dunning.planned
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    debtor text := (SELECT m.debtor_id FROM dunning.message m WHERE m.message_id = cancel.message_id);
BEGIN
    IF debtor IS NULL THEN
        RAISE EXCEPTION 'message % does not exist', coalesce(cancel.message_id::text, 'NULL') USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.journal ORDER BY at DESC;';
    ELSIF coalesce(cancel.reason, '') = '' THEN
        RAISE EXCEPTION 'a message is cancelled for a reason'
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.cancel(message_id, ''paid in cash'');';
    END IF;
    PERFORM dunning._cancel_messages(ARRAY[debtor], ARRAY[cancel.message_id], cancel.reason, false);
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[debtor], ARRAY[cancel.message_id]) p;
END
$function$;
CREATE FUNCTION dunning._json_field(document text, path text)
 RETURNS text
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'MODULE_PATHNAME', $function$dun_gateway_sql_read_json_field$function$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.http_preset')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$ALTER TABLE dunning.http_preset ADD COLUMN IF NOT EXISTS saved_at timestamp with time zone$step$;
    EXECUTE $step$ALTER TABLE dunning.http_preset ADD COLUMN IF NOT EXISTS saved_by text$step$;
END
$do$;
CREATE FUNCTION dunning.save_http_preset(preset text, method text, format text, body text DEFAULT NULL::text, path text DEFAULT ''::text, body_html text DEFAULT NULL::text, auth text DEFAULT 'none'::text, auth_header text DEFAULT NULL::text, idempotency_header text DEFAULT NULL::text, contract text DEFAULT 'once'::text, id_field text DEFAULT NULL::text, error_field text DEFAULT NULL::text, suppress_on text[] DEFAULT '{}'::text[], description text DEFAULT ''::text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    wrong text := CASE
        WHEN $1 IS NULL OR $1 = '' THEN 'a preset needs a name'
        WHEN $2 IS NULL OR $2 NOT IN ('POST', 'PUT', 'GET') THEN 'method is POST, PUT or GET'
        WHEN $3 IS NULL OR $3 NOT IN ('json', 'form', 'none') THEN 'format is json, form or none'
        WHEN $13 IS NULL OR array_ndims($13) > 1 OR EXISTS (SELECT FROM unnest($13) c WHERE c IS NULL) THEN 'suppress_on is a list of words'
        WHEN ($3 = 'none') <> ($4 IS NULL) THEN 'format none goes without a body, the others with one'
        WHEN $7 IS NULL OR $7 NOT IN ('none', 'basic', 'bearer', 'header') THEN 'auth is none, basic, bearer or header'
        WHEN ($7 = 'header') <> ($8 IS NOT NULL) THEN 'auth header goes with the name in auth_header, the others without'
        WHEN $10 IS NULL OR $10 NOT IN ('repeat', 'once') THEN 'contract is repeat or once' END;
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = '22023',
            HINT = 'SELECT dunning.save_http_preset(''mine'', ''POST'', ''json'', body => ''{"to":"{address}","text":"{text}"}'');';
    END IF;
    BEGIN
        IF $3 = 'json' THEN
            PERFORM $4::jsonb, $6::jsonb;
        END IF;
    EXCEPTION WHEN invalid_text_representation THEN
        RAISE EXCEPTION 'the body of preset "%" is no JSON', $1
            USING ERRCODE = '22023', DETAIL = SQLERRM || '.', HINT = 'Placeholders stand inside of strings: {"to":"{address}","text":"{text}"}.';
    END;
    INSERT INTO dunning.http_preset AS p (preset, builtin, description, method, path, format, body, body_html, auth, auth_header, idempotency_header,
        contract, id_field, error_field, suppress_on, saved_at, saved_by)
    VALUES ($1, false, $14, $2, $5, $3, $4, $6, $7, $8, $9, $10, $11, $12, $13, pg_catalog.clock_timestamp(), session_user)
    ON CONFLICT ON CONSTRAINT http_preset_pkey DO UPDATE SET description = EXCLUDED.description, method = EXCLUDED.method, path = EXCLUDED.path,
        format = EXCLUDED.format, body = EXCLUDED.body, body_html = EXCLUDED.body_html, auth = EXCLUDED.auth, auth_header = EXCLUDED.auth_header,
        idempotency_header = EXCLUDED.idempotency_header, contract = EXCLUDED.contract, id_field = EXCLUDED.id_field,
        error_field = EXCLUDED.error_field, suppress_on = EXCLUDED.suppress_on, saved_at = EXCLUDED.saved_at, saved_by = EXCLUDED.saved_by;
END
$function$;
CREATE FUNCTION dunning.reset_http_preset(preset text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    DELETE FROM dunning.http_preset p WHERE p.preset = $1 AND NOT p.builtin;
    RETURN FOUND;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._conclude(debtor_ids text[], message_ids uuid[], attempts smallint[], states text[], reasons text[], provider_refs text[], details jsonb[], next_due timestamp with time zone[], effects text[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    moved int := 0;
    settled uuid[];
    again uuid[];
    item record;
BEGIN
    SELECT count(*), array_agg(s.message_id), array_agg(s.message_id) FILTER (WHERE s.state = 'cancelled') INTO moved, settled, again
    FROM dunning._settle(debtor_ids, message_ids, attempts, states, reasons, provider_refs, details, next_due) s;

    -- Cancelled before any intent, or stopped and then not sent: planning may take the step up again, if no earlier attempt left.
    IF again IS NOT NULL THEN
        PERFORM dunning._free_steps(array_agg(v.debtor_id), array_agg(v.message_id))
        FROM unnest(debtor_ids, message_ids) v(debtor_id, message_id) WHERE v.message_id = ANY (again);
    END IF;

    FOR item IN
        SELECT v.debtor_id, v.message_id, v.attempt, v.reason, v.effect
        FROM unnest(debtor_ids, message_ids, attempts, reasons, effects) v(debtor_id, message_id, attempt, reason, effect)
        WHERE v.effect IS NOT NULL AND v.message_id = ANY (settled)
    LOOP
        PERFORM dunning._take_effect(item.effect, item.debtor_id, item.message_id, item.attempt, item.reason);
    END LOOP;
    RETURN moved;
END
$function$;
CREATE FUNCTION dunning._take_over(slices smallint[], known uuid[] DEFAULT '{}'::uuid[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
    numbers smallint[];
    verdicts text[];
    n int;
    settled int;
BEGIN
    -- The week before the last sign of life: since then nobody can have left anything.
    SELECT array_agg(e.debtor_id::text), array_agg(e.message_id), array_agg(e.attempt) INTO debtors, messages, numbers
    FROM dunning.egress e
    WHERE e.slice = ANY (slices) AND e.message_id <> ALL (known)
      AND e.contact_on >= least(dunning._now(), (SELECT max(x.contact_on) FROM dunning.egress x)) - interval '7 days'
      AND NOT EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt);
    n := coalesce(cardinality(messages), 0);
    IF n = 0 THEN
        RETURN 0;
    END IF;
    -- In the queue it is tried again, or not: who claims it knows the server. Whose row somebody changes just now waits for the next time.
    WITH mine AS MATERIALIZED (
        SELECT q.debtor_id, q.message_id FROM dunning.queue q
        JOIN ROWS FROM (unnest(debtors), unnest(messages), unnest(numbers)) AS v(debtor_id, message_id, attempt)
          ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id AND q.attempts < v.attempt
        ORDER BY q.debtor_id, q.message_id FOR UPDATE OF q SKIP LOCKED),
    judged AS (
        SELECT v.debtor_id, v.message_id, v.attempt, CASE WHEN l.message_id IS NULL THEN 'unknown' ELSE 'queued' END AS verdict
        FROM ROWS FROM (unnest(debtors), unnest(messages), unnest(numbers)) AS v(debtor_id, message_id, attempt)
        LEFT JOIN mine l ON l.debtor_id = v.debtor_id AND l.message_id = v.message_id
        WHERE l.message_id IS NOT NULL
           OR NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id AND q.attempts < v.attempt))
    SELECT array_agg(j.debtor_id), array_agg(j.message_id), array_agg(j.attempt), array_agg(j.verdict) INTO debtors, messages, numbers, verdicts
    FROM judged j;
    settled := coalesce(cardinality(messages), 0);
    IF settled > 0 THEN
        PERFORM dunning._conclude(debtors, messages, numbers, verdicts, array_fill('interrupted'::text, ARRAY[settled]),
            array_fill(NULL::text, ARRAY[settled]), ARRAY(SELECT CASE v.v WHEN 'queued' THEN '{"may_have_arrived": true}'::jsonb END FROM unnest(verdicts) WITH ORDINALITY v(v, ord) ORDER BY v.ord),
            array_fill(NULL::timestamptz, ARRAY[settled]), ARRAY(SELECT CASE v.v WHEN 'unknown' THEN 'ask' END FROM unnest(verdicts) WITH ORDINALITY v(v, ord) ORDER BY v.ord));
    END IF;
    RETURN n - settled;
END
$function$;
CREATE FUNCTION dunning._day_left(server text, daily bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(1685416037, (dunning._hash64(_day_left.server) % 2147483647)::int);
    RETURN greatest(0, daily - (SELECT count(*) FROM dunning.egress e
        WHERE e.server = _day_left.server
          AND e.contact_on >= pg_catalog.date_trunc('day', dunning._now() AT TIME ZONE dunning._ledger_zone()) AT TIME ZONE dunning._ledger_zone()));
END
$function$;
CREATE OR REPLACE FUNCTION dunning._hold_strays(servers text[], slices smallint[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    stray record;
BEGIN
    SELECT count(*)::int AS n, array_agg(q.debtor_id::text) AS debtor_ids, array_agg(q.message_id) AS message_ids INTO stray
    FROM (SELECT x.debtor_id, x.message_id FROM dunning.queue x
          WHERE x.state = 'queued' AND x.due <= dunning._now() AND x.slice = ANY (slices)
            AND (x.server IS NULL OR x.server <> ALL (servers))
          ORDER BY x.due, x.message_id LIMIT 1000 FOR UPDATE SKIP LOCKED) q;     -- somebody may be stopping it just now
    IF stray.n > 0 THEN
        PERFORM dunning._settle(stray.debtor_ids, stray.message_ids, array_fill(0::smallint, ARRAY[stray.n]), array_fill('held'::text, ARRAY[stray.n]),
            array_fill('no_server'::text, ARRAY[stray.n]), array_fill(NULL::text, ARRAY[stray.n]), array_fill(NULL::jsonb, ARRAY[stray.n]),
            array_fill(dunning._now() + interval '1 hour', ARRAY[stray.n]));
    END IF;
    RETURN stray.n;
END
$function$;
CREATE OR REPLACE FUNCTION dunning.send_test(template text, debtor_id text, channel text, to_address text)
 RETURNS SETOF dunning.planned
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(send_test.debtor_id);
    about jsonb;
    wanted text;
    problem text;
    found uuid;
BEGIN
    PERFORM dunning._check_template_name(send_test.template);
    PERFORM dunning._check_channel(send_test.channel);
    problem := dunning._check_address(send_test.channel, send_test.to_address);
    IF to_address IS NULL OR problem IS NOT NULL THEN
        RAISE EXCEPTION 'this address cannot be used on channel "%": %', channel, coalesce(problem, 'it is NULL')
            USING ERRCODE = '22023', HINT = pg_catalog.format('SELECT * FROM dunning.send_test(%L, %L, ''email'', ''me@example.org'');', template, id);
    END IF;
    SELECT c.context INTO about FROM dunning._context(ARRAY[id], NULL) c;
    IF about IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL') USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    SELECT s.server INTO wanted FROM dunning._servers(send_test.channel, about->>'creditor') s ORDER BY s.ord LIMIT 1;
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'no server serves channel "%"', channel
            USING ERRCODE = '55000', HINT = format('CREATE SERVER name TYPE %L FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ...);', channel);
    END IF;
    SELECT e.message_id INTO found FROM dunning._enqueue(format($q$
        SELECT dunning._uuid7() AS message_id, %1$L::text AS debtor_id, %2$L::text AS creditor, NULL::uuid AS run_id, NULL::text AS strategy, NULL::text AS step,
               %3$L::text AS template, %4$L::text AS channel, %5$L::text AS language, %6$L::text AS server, dunning._now() AS contact_at,
               dunning._now() + interval '1 day' AS not_after, 'test'::text AS local_time, '{}'::jsonb AS amounts, 0::numeric AS cost, 'EUR'::text AS cost_currency,
               NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value, NULL::float8 AS propensity, false AS explored,
               NULL::text AS ledger_mark, %7$L::jsonb AS context, pg_catalog.jsonb_build_object('test_address', %8$L::text) AS decision,
               'queued'::text AS state, 'test'::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key$q$,
        id, about->>'creditor', template, channel, coalesce(about->>'language', 'en'), wanted, about, to_address)) e;
    PERFORM dunning._warn_inactive();
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[id], ARRAY[found]) p;
END
$function$;
CREATE FUNCTION dunning._accounts_of(debtor_id text)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    accounts text;
    others text[];
BEGIN
    accounts := dunning._accounts_sql();
    IF accounts IS NOT NULL THEN
        EXECUTE format('WITH d AS (%s) SELECT array_agg(DISTINCT a.debtor_id) FROM (%s) a WHERE a.debtor_id <> $2',
                       dunning._ledger_sql('debtor', '$1'), accounts)
            INTO others USING ARRAY[_accounts_of.debtor_id], _accounts_of.debtor_id;
    END IF;
    RETURN _accounts_of.debtor_id || coalesce(others, '{}');
EXCEPTION WHEN SQLSTATE 'DN001' THEN
    RETURN ARRAY[_accounts_of.debtor_id];
END
$function$;
CREATE OR REPLACE FUNCTION dunning._suppress_for(debtor_id text, kind text, message_id uuid, message_channel text, detail jsonb)
 RETURNS text[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    channel text := coalesce(detail ->> 'channel', message_channel);
    address text := detail ->> 'address';
    wished boolean := _suppress_for.kind IN ('opted_out', 'complaint');
    accounts text[] := CASE WHEN wished THEN dunning._accounts_of(_suppress_for.debtor_id) ELSE ARRAY[_suppress_for.debtor_id] END;
    done text[] := '{}';
    every record;
BEGIN
    IF address IS NULL AND message_id IS NOT NULL AND (channel = message_channel OR channel = '*') THEN
        SELECT b.address INTO address FROM dunning.body b WHERE b.message_id = _suppress_for.message_id;
    END IF;
    IF address IS NULL AND channel IS NOT NULL AND channel <> '*' THEN
        address := dunning._ledger_address(_suppress_for.debtor_id, channel);
    END IF;
    IF address IS NOT NULL AND channel IS NOT NULL THEN
        PERFORM dunning.suppress(address, channel, _suppress_for.kind);
        done := ARRAY[channel];
    END IF;
    IF wished AND channel IS NOT NULL AND channel <> '*' THEN
        FOR every IN SELECT dunning._ledger_address(a.a, channel) AS address FROM unnest(accounts[2:]) a(a) LOOP
            IF coalesce(btrim(every.address), '') <> '' THEN
                PERFORM dunning.suppress(every.address, channel, _suppress_for.kind);
            END IF;
        END LOOP;
    END IF;
    -- "Do not contact me" names no channel: then every address that the ledger has.
    IF (channel IS NULL OR channel = '*') AND wished THEN
        IF address IS NOT NULL AND channel IS NULL THEN
            PERFORM dunning.suppress(address, '*', _suppress_for.kind);
        END IF;
        FOR every IN
            SELECT DISTINCT dunning._ledger_address(a.a, c.channel) AS address
            FROM unnest(accounts) a(a), (SELECT min(x.channel) AS channel FROM dunning.channel x GROUP BY x.address_field) c
        LOOP
            IF coalesce(btrim(every.address), '') <> '' THEN
                PERFORM dunning.suppress(every.address, '*', _suppress_for.kind);
            END IF;
        END LOOP;
        done := ARRAY['*'];
    END IF;
    RETURN done;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._check_event(kind text, debtor_id text, message_id uuid, at timestamp with time zone, detail jsonb)
 RETURNS dunning.message
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    message dunning.message;
BEGIN
    IF kind IS NULL OR kind <> ALL (dunning._event_kinds()) THEN
        RAISE EXCEPTION 'there is no event kind "%"', coalesce(kind, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Known are %s.', array_to_string(dunning._event_kinds(), ', '));
    END IF;
    IF debtor_id IS NULL THEN
        RAISE EXCEPTION 'an event needs a debtor' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    -- Clocks of providers run a little ahead.
    IF NOT isfinite(at) OR at > greatest(dunning._now(), coalesce(dunning._virtual_clock(), clock_timestamp())) + interval '5 minutes' THEN
        RAISE EXCEPTION 'an event cannot happen at %', CASE WHEN isfinite(at) THEN 'a time to come' ELSE at::text END
            USING ERRCODE = '22023', DETAIL = format('The clock says %s, the event %s.', dunning._now(), at),
                  HINT = 'Without "at" the event happens at the time of the call.';
    END IF;
    IF detail IS NULL OR jsonb_typeof(detail) <> 'object' OR octet_length(detail::text) > 65536 THEN
        RAISE EXCEPTION 'the detail of an event is a JSON object of at most 64 kB'
            USING ERRCODE = '22023', HINT = 'detail => ''{"text": "what was said"}''';
    END IF;
    IF message_id IS NOT NULL THEN
        SELECT m.* INTO message FROM dunning.message m WHERE m.message_id = _check_event.message_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no message %', message_id
                USING ERRCODE = '22023', HINT = format('SELECT * FROM dunning.journal WHERE debtor_id = %L;', debtor_id);
        ELSIF message.debtor_id <> _check_event.debtor_id THEN
            RAISE EXCEPTION 'message % is not one of debtor "%"', message_id, debtor_id
                USING ERRCODE = '22023', HINT = format('SELECT * FROM dunning.journal WHERE debtor_id = %L;', debtor_id);
        END IF;
    END IF;
    RETURN message;
END
$function$;
CREATE FUNCTION dunning._report_reach(as_of timestamp with time zone)
 RETURNS TABLE(segment text, channel text, contacted bigint, reached bigint, paid bigint, cost jsonb, stopped bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $function$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH contact AS MATERIALIZED (SELECT c.* FROM dunning._contacts($1 - interval '90 days', $1) c),
        paid AS (
            SELECT DISTINCT c.message_id FROM contact c
            JOIN (%s) p ON p.debtor_id = c.debtor_id AND p.amount > 0 AND p.paid_at > c.at AND p.paid_at <= c.at + interval '14 days'),
        back AS (
            SELECT e.message_id, bool_or(e.kind IN ('delivered', 'opened', 'clicked', 'replied', 'conversation')) AS reached,
                   bool_or(e.kind IN ('opted_out', 'complaint')) AS stopped
            FROM dunning.event e WHERE e.message_id IS NOT NULL AND e.at > $1 - interval '90 days' GROUP BY 1),
        each AS (
            SELECT c.channel, c.debtor_id, c.cost, c.currency, c.state = 'delivered' OR coalesce(b.reached, false) AS reached,
                   coalesce(b.stopped, false) AS stopped, p.message_id IS NOT NULL AS paid
            FROM contact c
            LEFT JOIN back b ON b.message_id = c.message_id
            LEFT JOIN paid p ON p.message_id = c.message_id)
        SELECT coalesce(s.segment, '–'), e.channel, count(DISTINCT e.debtor_id), count(DISTINCT e.debtor_id) FILTER (WHERE e.reached),
               count(DISTINCT e.debtor_id) FILTER (WHERE e.paid),
               (SELECT jsonb_object_agg(x.cur, x.total)
                FROM (SELECT k.key AS cur, sum(k.value::numeric) AS total FROM unnest(array_agg(jsonb_build_object(e.currency, e.cost))) j
                      CROSS JOIN LATERAL jsonb_each_text(j) k GROUP BY 1) x),
               count(DISTINCT e.debtor_id) FILTER (WHERE e.stopped)
        FROM each e LEFT JOIN dunning.debtor_score s ON s.debtor_id = e.debtor_id
        GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
        $q$, dunning._ledger_sql('payment', 'ARRAY(SELECT DISTINCT c.debtor_id FROM contact c)')) USING at;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._report_book(as_of timestamp with time zone, language text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $function$
#variable_conflict error
DECLARE
    l jsonb := dunning._labels(language);
    at timestamptz := coalesce(as_of, dunning._now());
    m record;
    kpis text := '';
    ageing text := '';
    warnings text;
    reach text;
    head text;
BEGIN
    SELECT string_agg(format('<li class="%s">%s %s</li>', w.severity, CASE w.severity WHEN 'bad' THEN '✖' ELSE '⚠' END,
                             dunning._html(replace(l ->> w.label, '{}', coalesce(w.value, '')))), E'\n' ORDER BY w.severity, w.label)
    INTO warnings FROM dunning._report_warnings(as_of) w;
    head := format('<h1>%s</h1><p class="sub">%s, %s %s</p>', dunning._html(l ->> 'title'), dunning._html(current_database()), dunning._html(l ->> 'as_of'),
                   to_char(at, 'YYYY-MM-DD HH24:MI TZ'))
        || format('<h2>%s</h2><ul class="warn">%s</ul>', dunning._html(l ->> 'warnings'),
                  coalesce(warnings, '<li class="ok">✔ ' || dunning._html(l ->> 'all_well') || '</li>'));
    -- Without a ledger there are no figures; what waits is still worth a page.
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._html_page(l ->> 'title', l ->> 'lang', head || dunning._report_queue(as_of, l));
    END IF;
    FOR m IN SELECT * FROM dunning._report_money(as_of) LOOP
        kpis := kpis || dunning._report_kpis(m, l);
        ageing := ageing || dunning._report_ageing(m, l);
    END LOOP;
    SELECT string_agg(dunning._html_row(ARRAY[r.segment, r.channel, dunning._number(r.contacted, l ->> 'lang'),
                                              dunning._number(r.reached, l ->> 'lang'),
                                              dunning._number(r.paid, l ->> 'lang') || format(' (%s %%)', round(100.0 * r.paid / r.contacted)),
                                              (SELECT string_agg(dunning._number(c.value::numeric, l ->> 'lang', 2) || ' ' || c.key, ' + ' ORDER BY c.key)
                                               FROM jsonb_each_text(r.cost) c), dunning._number(r.stopped, l ->> 'lang')],
                                        CASE WHEN r.contacted < 30 THEN 'few' END), '' ORDER BY r.segment, r.contacted DESC, r.channel)
    INTO reach FROM dunning._report_reach(as_of) r;
    RETURN dunning._html_page(l ->> 'title', l ->> 'lang',
        head
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'figures'), coalesce(nullif(kpis, ''), '<p>' || dunning._html(l ->> 'no_data') || '</p>'))
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'ageing'), coalesce(nullif(ageing, ''), '<p>' || dunning._html(l ->> 'no_data') || '</p>'))
        || format('<h2>%s</h2>', dunning._html(l ->> 'reach'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'segment', l ->> 'channel', '>' || (l ->> 'contacted'), '>' || (l ->> 'reached'), '>' || (l ->> 'paid_14'), '>' || (l ->> 'cost'), '>' || (l ->> 'stopped')], reach)
                    || '<p class="sub">' || dunning._html(l ->> 'few') || '</p>', '<p>' || dunning._html(l ->> 'no_data') || '</p>')
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'hours'), dunning._report_heat(as_of, l))
        || dunning._report_queue(as_of, l));
END
$function$;
CREATE OR REPLACE FUNCTION dunning.report_html(as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, language text DEFAULT 'en'::text, debtor_id text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    IF as_of < '0002-01-01 00:00+00' OR as_of > '9998-12-31 00:00+00' THEN
        RAISE EXCEPTION 'a report is of an instant in the years 2 to 9998' USING ERRCODE = '22023', HINT = 'SELECT dunning.report_html();';
    END IF;
    IF report_html.debtor_id IS NULL THEN
        RETURN dunning._report_book(as_of, coalesce(language, 'en'));
    END IF;
    RETURN dunning._report_debtor(report_html.debtor_id, as_of, coalesce(language, 'en'));
END
$function$;
CREATE OR REPLACE FUNCTION dunning.explain(debtor_id text)
 RETURNS TABLE(topic text, item text, state text, detail text, fix_sql text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(explain.debtor_id);
    o dunning.overview;
    score_reasons jsonb;
    of_strategy text;
    problem text := dunning._ledger_problem();
BEGIN
    IF problem IS DISTINCT FROM 'ledger_broken' THEN
        SELECT v.* INTO o FROM dunning._overview(ARRAY[id], true) v;
        IF o.debtor_id IS NULL THEN
            RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
                USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
        END IF;
    END IF;
    of_strategy := coalesce((SELECT m.strategy FROM dunning.message m WHERE m.debtor_id = id AND m.strategy IS NOT NULL ORDER BY m.message_id DESC LIMIT 1),
                            (SELECT c.default_strategy FROM dunning.creditor c WHERE c.creditor = o.creditor ORDER BY c.builtin LIMIT 1),
                            'standard');
    RETURN QUERY VALUES
        ('ledger', 'source', CASE WHEN problem IS NULL THEN 'ok' ELSE problem END,
         CASE WHEN problem IS NULL THEN 'read live' ELSE 'no contact until it is mended' END, dunning._fix_for(problem, id)),
        ('ledger', 'balance', CASE WHEN o.amounts IS NULL THEN 'unknown' WHEN o.amounts = '{}' THEN 'nothing open' ELSE 'open' END,
         format('%s, overdue %s, %s day(s) past due, %s invoice(s)', dunning._amounts_text(o.amounts), dunning._amounts_text(o.overdue),
                coalesce(o.days_past_due, 0), o.open_invoices), NULL);
    SELECT to_jsonb(s.reasons) INTO score_reasons FROM dunning.debtor_score s WHERE s.debtor_id = id;
    RETURN QUERY VALUES
        ('score', 'segment', coalesce(o.segment, 'none'), CASE WHEN o.segment IS NULL THEN 'not scored yet' ELSE 'diagnosis: ' || coalesce(o.diagnosis, 'none') END,
         CASE WHEN o.segment IS NULL THEN 'SELECT * FROM dunning.score();' END),
        ('score', 'pays within 30 days', coalesce(round((100 * o.p_paid_30d)::numeric) || ' %', 'unknown'), score_reasons::text, NULL);
    RETURN QUERY
        SELECT 'hold', h.reason, 'held',
               concat_ws(', ', 'since ' || to_char(h.from_at, 'YYYY-MM-DD'), coalesce('until ' || to_char(h.until_at, 'YYYY-MM-DD'), 'until released'),
                         'by ' || h.placed_by, 'invoice ' || h.invoice_id, h.note),
               format('SELECT * FROM dunning.release(%L);', h.hold_id)
        FROM dunning.hold h
        WHERE h.debtor_id = id AND h.released_at IS NULL AND coalesce(h.until_at > dunning._now(), true)
        ORDER BY h.from_at;
    IF problem = 'ledger_broken' THEN
        RETURN QUERY SELECT 'step', s.item, s.state, s.detail, NULL::text FROM dunning._explain_steps(id, of_strategy) s;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT 'promise', p.due_on::text, p.state, format('%s %s, paid %s', p.amount, p.currency, p.paid), NULL::text
        FROM dunning._promise_state(ARRAY[id]) p ORDER BY p.promised_at, p.part;
    RETURN QUERY SELECT 'step', s.item, s.state, s.detail, NULL::text FROM dunning._explain_steps(id, of_strategy) s;
    RETURN QUERY SELECT 'channel', c.item, c.state, c.detail, c.fix_sql FROM dunning._explain_channels(id) c;
    RETURN QUERY SELECT 'plan', p.item, p.state, p.detail, NULL::text FROM dunning._explain_plan(id) p;
    RETURN QUERY VALUES
        ('contact', 'last', coalesce(o.last_state, 'none'),
         CASE WHEN o.last_message_id IS NOT NULL THEN format('%s by %s at %s', o.last_template, o.last_channel, o.last_contact_at) END,
         CASE WHEN o.last_message_id IS NOT NULL THEN format('SELECT * FROM dunning.explain_message(%L);', o.last_message_id) END),
        ('contact', 'next', coalesce(o.next_state, 'none'),
         CASE WHEN o.next_state IS NOT NULL
              THEN concat_ws(', ', format('%s by %s at %s', o.next_template, o.next_channel, o.next_local_time), array_to_string(o.blocked_by, ', '))
              ELSE 'nothing is planned; what plan() would do now stands above' END, NULL);
END
$function$;
CREATE OR REPLACE FUNCTION dunning.costs(from_date date, until_date date)
 RETURNS TABLE(creditor text, channel text, currency text, messages bigint, parts bigint, debtors bigint, cost numeric, collected_14d numeric)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    zone text := coalesce(nullif(current_setting('dunning.timezone', true), ''), current_setting('TimeZone'));
    from_time timestamptz;
    until_time timestamptz;
BEGIN
    IF from_date IS NULL OR until_date IS NULL OR from_date >= until_date OR from_date < '0001-01-02' OR until_date > '9999-12-30' THEN
        RAISE EXCEPTION 'costs are of a span of days' USING ERRCODE = '22023',
            DETAIL = format('Not from %s until %s.', coalesce(from_date::text, 'NULL'), coalesce(until_date::text, 'NULL')),
            HINT = 'SELECT * FROM dunning.costs(''2026-10-01'', ''2026-11-01'');';
    END IF;
    from_time := from_date::timestamp AT TIME ZONE zone;
    until_time := until_date::timestamp AT TIME ZONE zone;
    RETURN QUERY EXECUTE format($q$
        WITH contact AS MATERIALIZED (SELECT c.* FROM dunning._contacts($1, $2) c),
        pay AS (%s),
        -- A payment counts once: for the last contact of the fourteen days before it.
        won AS (
            SELECT c.creditor, c.channel, p.currency, sum(p.amount) AS collected
            FROM pay p
            CROSS JOIN LATERAL (SELECT x.creditor, x.channel FROM contact x
                                WHERE x.debtor_id = p.debtor_id AND x.at < p.paid_at AND x.at >= p.paid_at - interval '14 days'
                                ORDER BY x.at DESC LIMIT 1) c
            WHERE p.paid_at >= $1 AND p.paid_at < $2 + interval '14 days'
            GROUP BY 1, 2, 3),
        spent AS (
            SELECT c.creditor, c.channel, c.currency, count(DISTINCT c.message_id) AS messages,
                   sum(CASE WHEN c.channel = 'sms' AND b.body_text IS NOT NULL
                            THEN (SELECT t.parts FROM dunning._sms(b.body_text) t) ELSE 1 END)::bigint AS parts, count(DISTINCT c.debtor_id) AS debtors, sum(c.cost) AS cost
            FROM contact c
            LEFT JOIN dunning.body b ON b.debtor_id = c.debtor_id AND b.message_id = c.message_id
            GROUP BY 1, 2, 3)
        SELECT creditor::text, channel::text, currency::text, coalesce(s.messages, 0), coalesce(s.parts, 0), coalesce(s.debtors, 0),
               coalesce(s.cost, 0), coalesce(w.collected, 0)
        FROM spent s FULL JOIN won w USING (creditor, channel, currency)
        ORDER BY 1, 2, 3
        $q$, dunning._ledger_sql('payment', 'ARRAY(SELECT DISTINCT c.debtor_id FROM contact c)')) USING from_time, until_time;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._html_row(cells text[], class text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT '<tr' || coalesce(' class="' || dunning._html(class) || '"', '') || '>'
           || string_agg(CASE WHEN ord = 1 THEN '<th scope="row">' || dunning._html(c) || '</th>'
                              WHEN c ~ U&'^[-\2013]?(\\d{1,3}([.,\00A0]\\d{3})*([.,]\\d{1,2})?|\\d+[.,]\\d{2})( ?%| [A-Z]{3}| \\(\\d+ %\\))?$' OR c = '–' THEN '<td class="n">' || dunning._html(c) || '</td>'
                              ELSE '<td>' || dunning._html(c) || '</td>' END, '' ORDER BY ord)
           || E'</tr>\n'
    FROM unnest(cells) WITH ORDINALITY AS t (c, ord)
$function$;
CREATE OR REPLACE FUNCTION dunning._svg_line(title text, labels text[], amounts numeric[], texts text[])
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    WITH span AS (SELECT least(0, min(a)) AS low, greatest(max(a), least(0, min(a)) + 1) AS high FROM unnest(amounts) a),
    point AS (SELECT i, round(20 + 440.0 * (i - 1) / greatest(1, cardinality(amounts) - 1), 1) AS x,
                     round(130 - 105 * (amounts[i] - low) / (high - low), 1) AS y
              FROM generate_subscripts(amounts, 1) i, span)
    SELECT format('<svg viewBox="0 0 480 165" role="img" aria-label="%s"><title>%s</title><line x1="20" y1="130" x2="460" y2="130" class="axis"/>',
                  dunning._html(title), dunning._html(title))
           || '<polyline class="line" points="' || string_agg(x || ',' || y, ' ' ORDER BY i) || '"/>'
           || string_agg(format('<circle cx="%s" cy="%s" r="2.5" class="dot"/>', x, y), '' ORDER BY i)
           || coalesce(string_agg(format('<text x="%s" y="150" text-anchor="middle" class="s">%s</text>', x, dunning._html(labels[i])), '' ORDER BY i)
                       FILTER (WHERE (cardinality(amounts) - i) % 4 = 0), '')
           || coalesce(string_agg(format('<text x="%s" y="%s" text-anchor="%s" class="s">%s</text>', x,
                                         CASE WHEN i > 1 AND amounts[i] < amounts[i - 1] THEN y + 16 ELSE greatest(12, y - 8) END,
                                         CASE WHEN i = 1 THEN 'start' ELSE 'end' END, dunning._html(texts[i])), '' ORDER BY i)
                       FILTER (WHERE i = 1 OR i = cardinality(amounts)), '')
           || E'</svg>\n'
    FROM point
$function$;
CREATE OR REPLACE FUNCTION dunning._html_page(title text, language text, body text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT '<!DOCTYPE html>' || E'\n<html lang="' || dunning._html(language) || E'">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        || '<title>' || dunning._html(title) || E'</title>\n<style>\n'
        || ':root{--ink:#1b2733;--soft:#5b6875;--line:#d5dbe1;--paper:#fff;--tint:#f4f6f8;--main:#1f5f8b;--warn:#8a4b00;--bad:#9c1c1c;--good:#1d6b3a}
*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:24px;font:14px/1.45 "DejaVu Sans",Verdana,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:22px;margin:0}h2{font-size:16px;margin:28px 0 8px;border-bottom:2px solid var(--main);padding-bottom:4px}h3{font-size:14px;margin:14px 0 6px}
p.sub{color:var(--soft);margin:2px 0 16px}table{border-collapse:collapse;width:100%;margin:8px 0;font-size:13px}caption{text-align:left;color:var(--soft);padding:4px 0}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:top}thead th{background:var(--tint);font-weight:600}tbody th{font-weight:500}
td.n,th.n{text-align:right}td.n{white-space:nowrap;font-variant-numeric:tabular-nums}tr.few th,tr.few td{color:var(--soft);font-style:italic}
.kpis{display:flex;flex-wrap:wrap;gap:12px;margin:8px 0}.kpi{flex:1 1 150px;border:1px solid var(--line);border-radius:6px;padding:10px 12px;background:var(--tint)}
.kpi b{display:block;font-size:19px;font-variant-numeric:tabular-nums;white-space:nowrap}.kpi span{color:var(--soft);font-size:12px}.kpi i{font-style:normal;font-size:12px;display:block}
.cols{display:flex;flex-wrap:wrap;gap:24px}.cols>div{flex:1 1 380px;min-width:0}
svg{width:100%;height:auto;max-width:520px;font:12px "DejaVu Sans",Verdana,sans-serif;fill:var(--ink)}svg .s{font-size:11px;fill:var(--soft)}
.axis{stroke:var(--line)}.line{fill:none;stroke:var(--main);stroke-width:2}.dot{fill:var(--main)}
.b1{fill:#9fc3da}.b2{fill:#6fa5c7}.b3{fill:#3f86b2}.b4{fill:#1f5f8b}.b5{fill:#123d5c}
ul.warn{list-style:none;padding:0;margin:8px 0}ul.warn li{padding:6px 10px;margin:4px 0;border-left:4px solid var(--warn);background:#fdf6ec}
ul.warn li.bad{border-color:var(--bad);background:#fbeeee}ul.warn li.ok{border-color:var(--good);background:#eef7f1}
table.heat{table-layout:fixed;font-size:11px}table.heat th,table.heat td{padding:3px 1px;text-align:center;border:1px solid #fff}table.heat tbody th{width:46px;text-align:left}table.heat thead th:first-child{width:46px}
.h0{background:#f4f6f8;color:#8a949e}.h1{background:#dbe9f2}.h2{background:#a9cbe0}.h3{background:#5f9cc2;color:#fff}.h4{background:#1f5f8b;color:#fff}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--tint);padding:8px;border-radius:4px;font:12px/1.4 "DejaVu Sans Mono",monospace;margin:4px 0}
@page{size:A4;margin:14mm}@media print{body{padding:0;max-width:none;font-size:11px}h2{break-after:avoid}table,svg,.kpi,tr{break-inside:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}'
        || E'\n</style></head>\n<body>\n' || body || E'</body></html>\n'
$function$;
CREATE OR REPLACE FUNCTION dunning._labels(language text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT (l -> 'en') || coalesce(l -> lower(split_part(replace(language, '_', '-'), '-', 1)), '{}')
           || jsonb_build_object('lang', CASE WHEN l ? lower(split_part(replace(language, '_', '-'), '-', 1)) THEN lower(split_part(replace(language, '_', '-'), '-', 1)) ELSE 'en' END)
    FROM (SELECT $json${
"en": {"title": "Collections report", "as_of": "as of", "warnings": "Warnings", "all_well": "Nothing to warn of.", "figures": "Key figures", "overdue": "Overdue", "received_7": "Received, 7 days",
 "received_30": "Received, 30 days", "kept": "Promises kept", "before": "before", "of": "of", "none": "none", "ageing": "How old is what is open", "bucket": "Days past due", "amount": "Amount", "invoices": "Invoices",
 "debtors": "Debtors", "not_due": "not yet due", "over": "over", "reach": "Whom we reached, in the last 90 days", "segment": "Segment", "channel": "Channel", "contacted": "Contacted", "reached": "Reached (receipt, answer)", "paid_14": "Paid in 14 days",
 "cost": "Cost", "stopped": "Opt-outs, complaints", "few": "Rows in italics: fewer than 30 debtors, too few to compare.", "history": "Open balance, last 13 weeks", "week": "Day", "hours": "When debtors respond and pay, local time, 180 days",
 "hour": "Hour", "days": "Mon,Tue,Wed,Thu,Fri,Sat,Sun", "held": "What is held, and why", "reason": "Reason", "messages": "Messages", "holds": "Holds", "next": "Planned for the next 7 days", "day": "Day", "no_data": "No data yet.",
 "w_ledger": "The ledger is not usable ({}): every contact is held.", "w_delivery": "Delivery is {}: nothing leaves.", "w_zero": "{} messages were due in the last 7 days and none was sent.", "w_dead": "{} messages could not be delivered in the last 7 days (dead letters).",
 "w_unknown": "{} messages have an unknown fate: wait for receipts or ask the gateway.", "w_paused": "Server {} is paused.", "w_down": "Server {}: most attempts of the last 24 hours failed.", "w_tasks": "{} tasks are overdue on the worklist.", "w_scores": "There are no scores yet.",
 "debtor": "Debtor", "preferences": "Preferences", "name": "Name", "language": "Language", "country": "Country", "preferred": "Preferred channel", "consent": "Consent", "email": "E-mail", "phone": "Phone", "balance": "Balance", "dpd": "days past due",
 "diagnosis": "Diagnosis", "p30": "Pays within 30 days", "conversation": "Conversation", "when": "When", "what": "What", "text": "Text", "invoice": "Invoice", "due": "Due", "open": "Open", "promises": "Promises", "state": "State", "next_contact": "Next contact",
 "last_contact": "Last contact", "until": "until"},
"de": {"title": "Inkassobericht", "as_of": "Stand", "warnings": "Warnungen", "all_well": "Keine Warnungen.", "figures": "Kennzahlen", "overdue": "Überfällig", "received_7": "Eingegangen, 7 Tage",
 "received_30": "Eingegangen, 30 Tage", "kept": "Zusagen eingehalten", "before": "zuvor", "of": "von", "none": "keine", "ageing": "Alter der offenen Posten", "bucket": "Tage überfällig", "amount": "Betrag", "invoices": "Rechnungen",
 "debtors": "Schuldner", "not_due": "noch nicht fällig", "over": "über", "reach": "Wen wir erreicht haben, letzte 90 Tage", "segment": "Segment", "channel": "Kanal", "contacted": "Kontaktiert", "reached": "Erreicht (Quittung, Antwort)", "paid_14": "Bezahlt in 14 Tagen",
 "cost": "Kosten", "stopped": "Abmeldungen, Beschwerden", "few": "Kursive Zeilen: weniger als 30 Schuldner, zu wenige für einen Vergleich.", "history": "Offener Saldo, letzte 13 Wochen", "week": "Tag", "hours": "Wann Schuldner antworten und zahlen, Ortszeit, 180 Tage",
 "hour": "Stunde", "days": "Mo,Di,Mi,Do,Fr,Sa,So", "held": "Was angehalten ist, und warum", "reason": "Grund", "messages": "Nachrichten", "holds": "Sperren", "next": "Geplant für die nächsten 7 Tage", "day": "Tag", "no_data": "Noch keine Daten.",
 "w_ledger": "Das Hauptbuch ist nicht verwendbar ({}): jeder Kontakt ist angehalten.", "w_delivery": "Der Versand steht auf {}: nichts geht hinaus.", "w_zero": "{} Nachrichten waren in den letzten 7 Tagen fällig, keine wurde gesendet.", "w_dead": "{} Nachrichten waren in den letzten 7 Tagen nicht zustellbar.",
 "w_unknown": "Bei {} Nachrichten ist unbekannt, ob sie ankamen: Quittungen abwarten oder beim Anbieter nachfragen.", "w_paused": "Server {} ist angehalten.", "w_down": "Server {}: die meisten Versuche der letzten 24 Stunden scheiterten.", "w_tasks": "{} Aufgaben sind überfällig.", "w_scores": "Es gibt noch keine Bewertungen.",
 "debtor": "Schuldner", "preferences": "Vorlieben", "name": "Name", "language": "Sprache", "country": "Land", "preferred": "Bevorzugter Kanal", "consent": "Einwilligung", "email": "E-Mail", "phone": "Telefon", "balance": "Saldo", "dpd": "Tage überfällig",
 "diagnosis": "Diagnose", "p30": "Zahlt binnen 30 Tagen", "conversation": "Verlauf", "when": "Wann", "what": "Was", "text": "Text", "invoice": "Rechnung", "due": "Fällig", "open": "Offen", "promises": "Zusagen", "state": "Stand", "next_contact": "Nächster Kontakt",
 "last_contact": "Letzter Kontakt", "until": "bis"},
"nl": {"title": "Incassorapport", "as_of": "stand van", "warnings": "Waarschuwingen", "all_well": "Geen waarschuwingen.", "figures": "Kerncijfers", "overdue": "Achterstallig", "received_7": "Ontvangen, 7 dagen",
 "received_30": "Ontvangen, 30 dagen", "kept": "Toezeggingen nagekomen", "before": "daarvoor", "of": "van", "none": "geen", "ageing": "Ouderdom van openstaande posten", "bucket": "Dagen te laat", "amount": "Bedrag", "invoices": "Facturen",
 "debtors": "Debiteuren", "not_due": "nog niet vervallen", "over": "meer dan", "reach": "Wie wij bereikten, laatste 90 dagen", "segment": "Segment", "channel": "Kanaal", "contacted": "Benaderd", "reached": "Bereikt (bevestiging, antwoord)", "paid_14": "Betaald binnen 14 dagen",
 "cost": "Kosten", "stopped": "Afmeldingen, klachten", "few": "Cursieve regels: minder dan 30 debiteuren, te weinig om te vergelijken.", "history": "Openstaand saldo, laatste 13 weken", "week": "Dag", "hours": "Wanneer debiteuren reageren en betalen, lokale tijd, 180 dagen",
 "hour": "Uur", "days": "ma,di,wo,do,vr,za,zo", "held": "Wat is aangehouden, en waarom", "reason": "Reden", "messages": "Berichten", "holds": "Blokkades", "next": "Gepland voor de komende 7 dagen", "day": "Dag", "no_data": "Nog geen gegevens.",
 "w_ledger": "Het grootboek is niet bruikbaar ({}): elk contact wordt aangehouden.", "w_delivery": "Verzending staat op {}: er gaat niets uit.", "w_zero": "{} berichten waren de laatste 7 dagen aan de beurt en geen enkel is verzonden.", "w_dead": "{} berichten konden de laatste 7 dagen niet worden bezorgd.",
 "w_unknown": "Van {} berichten is het lot onbekend: wacht op bevestigingen of vraag het de aanbieder.", "w_paused": "Server {} is gepauzeerd.", "w_down": "Server {}: de meeste pogingen van de laatste 24 uur mislukten.", "w_tasks": "{} taken zijn over tijd.", "w_scores": "Er zijn nog geen scores.",
 "debtor": "Debiteur", "preferences": "Voorkeuren", "name": "Naam", "language": "Taal", "country": "Land", "preferred": "Voorkeurskanaal", "consent": "Toestemming", "email": "E-mail", "phone": "Telefoon", "balance": "Saldo", "dpd": "dagen te laat",
 "diagnosis": "Diagnose", "p30": "Betaalt binnen 30 dagen", "conversation": "Gesprek", "when": "Wanneer", "what": "Wat", "text": "Tekst", "invoice": "Factuur", "due": "Vervalt", "open": "Open", "promises": "Toezeggingen", "state": "Stand", "next_contact": "Volgend contact",
 "last_contact": "Laatste contact", "until": "tot"},
"da": {"title": "Inkassorapport", "as_of": "pr.", "warnings": "Advarsler", "all_well": "Ingen advarsler.", "figures": "Nøgletal", "overdue": "Forfaldent", "received_7": "Modtaget, 7 dage",
 "received_30": "Modtaget, 30 dage", "kept": "Løfter holdt", "before": "før", "of": "af", "none": "ingen", "ageing": "Hvor gammelt er det udestående", "bucket": "Dage over forfald", "amount": "Beløb", "invoices": "Fakturaer",
 "debtors": "Skyldnere", "not_due": "endnu ikke forfaldent", "over": "over", "reach": "Hvem vi nåede, seneste 90 dage", "segment": "Segment", "channel": "Kanal", "contacted": "Kontaktet", "reached": "Nået (kvittering, svar)", "paid_14": "Betalt inden 14 dage",
 "cost": "Omkostning", "stopped": "Afmeldinger, klager", "few": "Rækker i kursiv: færre end 30 skyldnere, for få til at sammenligne.", "history": "Udestående saldo, seneste 13 uger", "week": "Dag", "hours": "Hvornår skyldnere svarer og betaler, lokal tid, 180 dage",
 "hour": "Time", "days": "man,tir,ons,tor,fre,lør,søn", "held": "Hvad der holdes tilbage, og hvorfor", "reason": "Grund", "messages": "Beskeder", "holds": "Spærringer", "next": "Planlagt de næste 7 dage", "day": "Dag", "no_data": "Endnu ingen data.",
 "w_ledger": "Bogføringen kan ikke bruges ({}): al kontakt holdes tilbage.", "w_delivery": "Udsendelse står på {}: intet sendes.", "w_zero": "{} beskeder skulle være sendt de seneste 7 dage, og ingen blev det.", "w_dead": "{} beskeder kunne ikke leveres de seneste 7 dage.",
 "w_unknown": "{} beskeders skæbne er ukendt: afvent kvitteringer eller spørg udbyderen.", "w_paused": "Server {} er sat på pause.", "w_down": "Server {}: de fleste forsøg de seneste 24 timer mislykkedes.", "w_tasks": "{} opgaver er over tid.", "w_scores": "Der er endnu ingen scorer.",
 "debtor": "Skyldner", "preferences": "Præferencer", "name": "Navn", "language": "Sprog", "country": "Land", "preferred": "Foretrukken kanal", "consent": "Samtykke", "email": "E-mail", "phone": "Telefon", "balance": "Saldo", "dpd": "dage over forfald",
 "diagnosis": "Diagnose", "p30": "Betaler inden 30 dage", "conversation": "Forløb", "when": "Hvornår", "what": "Hvad", "text": "Tekst", "invoice": "Faktura", "due": "Forfald", "open": "Åben", "promises": "Løfter", "state": "Status", "next_contact": "Næste kontakt",
 "last_contact": "Seneste kontakt", "until": "til"}
}$json$::jsonb AS l) x
$function$;
CREATE FUNCTION dunning._refresh_all()
 RETURNS TABLE(item text, rows bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    refresh record;
    n bigint;
BEGIN
    FOR refresh IN
        SELECT p.proname::text AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'dunning'::regnamespace AND p.proname LIKE '\_refresh\_%' AND p.proname <> '_refresh_all' AND p.pronargs = p.pronargdefaults
        ORDER BY p.proname
    LOOP
        EXECUTE format('SELECT count(*) FROM dunning.%I()', refresh.name) INTO n;
        RETURN QUERY VALUES (replace(substr(refresh.name, 10), '_', ' ') || ' refreshed', n);
    END LOOP;
END
$function$;
CREATE FUNCTION dunning._maintain()
 RETURNS TABLE(item text, rows bigint, detail text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    keep_from timestamptz := dunning._now() - make_interval(days => dunning._value_of('retention_days')::int);
    n bigint := 0;
    checked record;
BEGIN
    -- Messages are keyed by the real clock, whatever the virtual one says.
    FOR ahead IN 0 .. dunning._value_of('partitions_ahead')::int LOOP
        n := n + dunning._ensure_partitions(clock_timestamp() + ahead * interval '1 month');
    END LOOP;
    RETURN QUERY VALUES ('partitions made', n, dunning._value_of('partitions_ahead') || ' month(s) ahead');
    -- What an update of the extension brought reaches the months made before it.
    RETURN QUERY VALUES ('indexes and rights of partitions', dunning._equip_partitions(), NULL);

    SELECT c.broken, c.ended INTO checked FROM dunning._check_promises() c;
    RETURN QUERY VALUES ('promise holds ended', checked.ended::bigint, checked.broken || ' broken');

    n := dunning._release_held(NULL, NULL, dunning._now());
    RETURN QUERY VALUES ('held messages looked at again', n, NULL);

    RETURN QUERY VALUES ('months dropped', dunning._drop_old_months(keep_from)::bigint, 'older than ' || dunning._value_of('retention_days') || ' days');
    DELETE FROM dunning.event e WHERE e.recorded_at < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('events dropped', n, NULL);
    -- Keys of steps stay: a step that was done is done.
    DELETE FROM dunning.once o WHERE o.at < keep_from AND o.kind IN ('event', 'idempotency');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('keys dropped', n, NULL);
    DELETE FROM dunning.task t WHERE t.completed_at < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('tasks dropped', n, NULL);
    DELETE FROM dunning.hold h WHERE coalesce(h.released_at, h.until_at) < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('holds dropped', n, NULL);
    DELETE FROM dunning.run_step s USING dunning.run r WHERE r.run_id = s.run_id AND r.started_at < keep_from;
    DELETE FROM dunning.run r WHERE r.started_at < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('runs dropped', n, NULL);
END
$function$;
CREATE OR REPLACE FUNCTION dunning.maintain()
 RETURNS TABLE(item text, rows bigint, detail text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT m.item, m.rows, m.detail FROM dunning._maintain() m;
    RETURN QUERY SELECT r.item, r.rows, NULL::text FROM dunning._refresh_all() r;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._run_work(step text, creditor text, OUT rows bigint, OUT detail text)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    checked record;
    problem text := dunning._ledger_problem();
    many text[];
BEGIN
    CASE _run_work.step
        WHEN 'refresh' THEN
            SELECT c.broken, c.ended INTO checked FROM dunning._check_promises() c;
            SELECT coalesce(sum(r.rows), 0), string_agg(r.rows || ' ' || r.item, ', ') INTO rows, detail FROM dunning._refresh_all() r;
            detail := concat_ws(', ', format('ledger %s, %s promise hold(s) ended, %s broken', coalesce(problem, 'ok'), checked.ended, checked.broken), detail);
        WHEN 'score' THEN
            SELECT count(*), count(*) || ' segment(s)' INTO rows, detail FROM dunning.score();
        WHEN 'plan' THEN
            IF _run_work.creditor IS NOT NULL THEN
                EXECUTE format('SELECT coalesce(array_agg(d.debtor_id), ''{}'') FROM (%s) d WHERE d.creditor = $1', dunning._ledger_sql('debtor'))
                    INTO many USING _run_work.creditor;
            END IF;
            SELECT count(*), concat_ws(', ', count(*) FILTER (WHERE p.state = 'queued') || ' queued', count(*) FILTER (WHERE p.state = 'held') || ' held')
            INTO rows, detail FROM dunning._plan(NULL, NULL, false, false, many) p;
        WHEN 'maintain' THEN
            SELECT coalesce(sum(m.rows), 0), string_agg(m.item || ' ' || m.rows, ', ') FILTER (WHERE m.rows > 0) INTO rows, detail
            FROM dunning._maintain() m;
    END CASE;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._run_step(run_id uuid, step text, pid integer)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    of_creditor text;
    said text;
    touched bigint;
    what text;
    began timestamptz := clock_timestamp();
BEGIN
    -- Whoever took the run over has its pid in it: then this backend is the one that was believed dead.
    SELECT r.creditor INTO of_creditor FROM dunning.run r WHERE r.run_id = _run_step.run_id AND r.pid = _run_step.pid AND r.state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this daily run was taken over' USING ERRCODE = 'DN008', HINT = 'SELECT * FROM dunning.run_log;';
    END IF;
    IF EXISTS (SELECT FROM dunning.run_step s WHERE s.run_id = _run_step.run_id AND s.step = _run_step.step AND s.state = 'done') THEN
        RETURN 'done';
    END IF;
    said := 'done';
    BEGIN
        SELECT w.rows, w.detail INTO touched, what FROM dunning._run_work(_run_step.step, of_creditor) w;
    EXCEPTION WHEN OTHERS THEN
        said := 'failed';
        touched := NULL;
        what := format('%s: %s', SQLSTATE, SQLERRM);
    END;
    INSERT INTO dunning.run_step AS s (run_id, position, step, state, started_at, finished_at, rows, detail)
    VALUES (_run_step.run_id, array_position(dunning._run_steps(), _run_step.step), _run_step.step, said, began, clock_timestamp(), touched, what)
    ON CONFLICT ON CONSTRAINT run_step_pkey DO UPDATE
        SET state = excluded.state, started_at = excluded.started_at, finished_at = excluded.finished_at, rows = excluded.rows, detail = excluded.detail;
    UPDATE dunning.run r SET beat_at = clock_timestamp() WHERE r.run_id = _run_step.run_id;
    RETURN said;
END
$function$;
CREATE OR REPLACE PROCEDURE dunning.daily(IN creditor text DEFAULT NULL::text)
 LANGUAGE plpgsql
AS $procedure$
#variable_conflict error
DECLARE
    -- Qualified: a type of this name in the caller's search_path would be read with the caller's rights.
    id pg_catalog.uuid;
    failed pg_catalog.text;
    step pg_catalog.text;
BEGIN
    id := dunning._run_begin(daily.creditor, pg_catalog.pg_backend_pid());
    COMMIT;
    FOREACH step IN ARRAY dunning._run_steps() LOOP
        PERFORM dunning._run_step(id, step, pg_catalog.pg_backend_pid());
        COMMIT;
    END LOOP;
    failed := dunning._run_end(id);
    COMMIT;
    -- At the end, so that whoever scheduled it is told and yet everything that could be done is done.
    IF failed IS NOT NULL THEN
        RAISE EXCEPTION 'a step of the daily run failed'
            USING ERRCODE = '55000', DETAIL = failed, HINT = 'SELECT * FROM dunning.run_log; SELECT * FROM dunning.health();';
    END IF;
END
$procedure$;
CREATE FUNCTION dunning._reset_sql(name text, value text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    full_name text := 'dunning.' || _reset_sql.name;
    where_set record;
BEGIN
    SELECT d.setdatabase <> 0 AS of_database, d.setrole <> 0 AS of_role, d.setrole::regrole::text AS role_name INTO where_set
    FROM pg_catalog.pg_db_role_setting d CROSS JOIN LATERAL unnest(d.setconfig) c (c)
    WHERE split_part(c.c, '=', 1) = full_name
      AND d.setdatabase IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database()))
      AND d.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = session_user))
    ORDER BY d.setrole <> 0 DESC, d.setdatabase <> 0 DESC LIMIT 1;
    RETURN CASE
        WHEN where_set.of_role AND where_set.of_database THEN format('ALTER ROLE %s IN DATABASE %I RESET %s;', where_set.role_name, current_database(), full_name)
        WHEN where_set.of_role THEN format('ALTER ROLE %s RESET %s;', where_set.role_name, full_name)
        WHEN where_set.of_database THEN format('ALTER DATABASE %I RESET %s;', current_database(), full_name)
        WHEN (SELECT s.source = 'session' FROM pg_catalog.pg_settings s WHERE s.name = full_name) THEN format('RESET %s;', full_name)
        WHEN value IS NOT NULL THEN format('ALTER SYSTEM SET %s = %L; SELECT pg_reload_conf();', full_name, value)
        ELSE format('ALTER SYSTEM RESET %1$s; SELECT pg_reload_conf(); -- or, where this session set it: RESET %1$s;', full_name) END;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._health_server_side()
 RETURNS TABLE(item text, state text, detail text, fix_sql text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    -- Defined only while the library is preloaded.
    databases text := dunning._own_setting('databases');
    delivery text := dunning._own_setting('delivery');
    redirect text := dunning._own_setting('redirect_to');
    named boolean := databases = '*' OR current_database()::text = ANY (regexp_split_to_array(databases, '\s*,\s*'));
    active record;
BEGIN
    RETURN QUERY SELECT 'preload', CASE WHEN databases IS NULL THEN 'warn' ELSE 'ok' END,
        CASE WHEN databases IS NULL THEN 'the library is not preloaded: no background worker; CALL dunning.deliver() sends from a session' ELSE 'preloaded' END,
        CASE WHEN databases IS NULL THEN 'ALTER SYSTEM SET shared_preload_libraries = ''dunning''; -- beside what stands there; then restart' END;
    IF databases IS NOT NULL THEN
        RETURN QUERY SELECT 'worker', CASE WHEN w.n > 0 THEN 'ok' ELSE 'fail' END,
            CASE WHEN w.n > 0 THEN w.n || ' running'
                 WHEN NOT named THEN format('dunning.databases does not name "%s"', current_database())
                 ELSE 'none runs for this database; the server log says why' END,
            CASE WHEN w.n = 0 AND NOT named THEN format('ALTER SYSTEM SET dunning.databases = %L; SELECT pg_reload_conf();',
                                                        concat_ws(',', nullif(databases, ''), current_database()))
                 WHEN w.n = 0 THEN format('SELECT pg_reload_conf(); -- or too few processes: ALTER SYSTEM SET max_worker_processes = %s; and restart',
                                          current_setting('max_worker_processes')::int + 8) END
        FROM (SELECT count(*) AS n FROM pg_catalog.pg_stat_activity a WHERE a.usename = 'dunning_worker' AND a.datname = current_database()) w;
    END IF;
    SELECT a.activated, a.reason INTO active FROM dunning._activation_state() a;
    RETURN QUERY SELECT 'activation', CASE WHEN active.activated THEN 'ok' ELSE 'fail' END,
        CASE WHEN active.activated THEN 'activated here' ELSE coalesce(active.reason, 'not activated') END,
        CASE WHEN active.activated THEN NULL ELSE 'SELECT dunning.activate();' END;
    RETURN QUERY SELECT 'delivery', CASE coalesce(delivery, 'on') WHEN 'on' THEN 'ok' ELSE 'warn' END, 'dunning.delivery is ' || coalesce(delivery, 'not set'),
        CASE WHEN delivery <> 'on' THEN dunning._reset_sql('delivery', 'on') END;
    RETURN QUERY SELECT 'redirect', CASE WHEN coalesce(redirect, '') = '' THEN 'ok' ELSE 'warn' END,
        CASE WHEN coalesce(redirect, '') = '' THEN 'messages go to the debtors' ELSE 'every message goes to one address, marked TEST' END,
        CASE WHEN coalesce(redirect, '') <> '' THEN dunning._reset_sql('redirect_to') END;
    RETURN QUERY SELECT 'clock', CASE WHEN dunning._virtual_clock() IS NULL THEN 'ok' ELSE 'warn' END,
        CASE WHEN dunning._virtual_clock() IS NULL THEN 'real' ELSE format('virtual: it is always %s', dunning._virtual_clock()) END,
        CASE WHEN dunning._virtual_clock() IS NOT NULL THEN dunning._reset_sql('clock') END;
    RETURN QUERY SELECT 'role ' || r.rolname, CASE WHEN r.rolsuper THEN 'fail' ELSE 'ok' END,
        CASE WHEN r.rolsuper THEN 'is a superuser: bound views would run as one' ELSE 'no superuser' END,
        CASE WHEN r.rolsuper THEN format('ALTER ROLE %I NOSUPERUSER;', r.rolname) END
    FROM pg_catalog.pg_roles r WHERE r.rolname IN ('dunning_owner', 'dunning_worker') ORDER BY r.rolname;
END
$function$;
CREATE OR REPLACE FUNCTION dunning._health_queue()
 RETURNS TABLE(item text, state text, detail text, fix_sql text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict error
DECLARE
    week timestamptz := dunning._now() - interval '7 days';
BEGIN
    RETURN QUERY SELECT 'backlog', CASE WHEN q.age > interval '1 hour' THEN 'fail' WHEN q.age > interval '10 minutes' THEN 'warn' ELSE 'ok' END,
        CASE WHEN q.n > 0 THEN format('%s due, the oldest for %s minute(s)', q.n, floor(extract(epoch FROM q.age) / 60)) ELSE 'nothing waits that is due' END,
        CASE WHEN q.age > interval '10 minutes' THEN 'CALL dunning.deliver(max_seconds => 60);' END
    FROM (SELECT count(*) AS n, coalesce(dunning._now() - min(q.due), interval '0') AS age FROM dunning.queue q WHERE q.state = 'queued' AND q.due < dunning._now()) q;
    RETURN QUERY SELECT 'dead letters', CASE WHEN count(*) > 0 THEN 'warn' ELSE 'ok' END, count(*) || ' in the last 7 days',
        CASE WHEN count(*) > 0 THEN 'SELECT * FROM dunning.retry(state => ''dead'', dry_run => true);' END
    FROM dunning.message_state s JOIN dunning.message m ON m.debtor_id = s.debtor_id AND m.message_id = s.message_id WHERE s.state = 'dead' AND s.at > week;
    RETURN QUERY SELECT 'unknown outcomes', CASE WHEN count(*) > 0 THEN 'warn' ELSE 'ok' END, count(*) || ' in the last 7 days',
        CASE WHEN count(*) > 0 THEN 'SELECT * FROM dunning.retry(state => ''unknown'', dry_run => true);' END
    FROM dunning.message_state s WHERE s.state = 'unknown' AND s.at > week;
    RETURN QUERY SELECT 'held: ' || coalesce(b.why, 'no reason'), 'warn', count(*) || ' message(s)', dunning._fix_for(b.why, NULL)
    FROM dunning.queue q LEFT JOIN LATERAL unnest(q.blocked_by) AS b (why) ON true WHERE q.state = 'held' GROUP BY b.why ORDER BY b.why;
    RETURN QUERY SELECT 'proposed', 'warn', format('%s message(s) of run %s await approval', count(*), q.run_id), format('SELECT * FROM dunning.approve(%L);', q.run_id)
    FROM dunning.queue q WHERE q.state = 'proposed' GROUP BY q.run_id ORDER BY q.run_id;
    RETURN QUERY SELECT 'partitions', CASE WHEN p.found THEN 'ok' ELSE 'warn' END,
        CASE WHEN p.found THEN 'next month is ready' ELSE 'next month is not made yet' END, CASE WHEN NOT p.found THEN 'SELECT * FROM dunning.maintain();' END
    FROM (SELECT to_regclass('dunning.egress' || to_char((clock_timestamp() AT TIME ZONE 'UTC') + interval '1 month', '"_y"YYYY"m"MM')) IS NOT NULL AS found) p;
    -- Bodies and intents are written many at once, past triggers: where there is one nothing is written. Constraints may be made of them.
    RETURN QUERY SELECT format('trigger %s', t.tgname), 'fail', format('on %s: nothing is sent, because it would not run', t.tgrelid::regclass),
        CASE WHEN t.tgisinternal THEN (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I;', t.tgrelid::regclass, c.conname) FROM pg_catalog.pg_constraint c WHERE c.oid = t.tgconstraint)
             ELSE format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass) END
    FROM pg_catalog.pg_trigger t
    WHERE t.tgtype & 4 <> 0 AND t.tgparentid = 0
      AND (t.tgrelid IN ('dunning.body'::regclass, 'dunning.egress'::regclass)
           OR t.tgtype & 1 <> 0 AND t.tgrelid IN (SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent IN ('dunning.body'::regclass, 'dunning.egress'::regclass)))
    ORDER BY 1;
    -- A schedule of pg_cron is visible to its owner alone; that a run took place is what counts.
    RETURN QUERY SELECT 'daily run', CASE WHEN r.state = 'done' AND r.fresh THEN 'ok' WHEN r.state = 'failed' THEN 'fail' ELSE 'warn' END,
        CASE WHEN r.state IS NULL THEN 'none yet' ELSE format('%s, begun %s', r.state, r.started_at) END,
        CASE WHEN r.state = 'failed' THEN 'SELECT * FROM dunning.run_log;'
             WHEN r.state = 'done' AND r.fresh THEN NULL
             WHEN EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_cron') THEN 'SELECT cron.schedule(''dunning'', ''5 4 * * *'', ''CALL dunning.daily()'');'
             ELSE 'CALL dunning.daily(); -- every night, for instance by pg_cron: CREATE EXTENSION pg_cron;' END
    FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT x.state, x.started_at, x.beat_at > clock_timestamp() - interval '26 hours' AS fresh
                                                FROM dunning.run x ORDER BY x.started_at DESC, x.run_id DESC LIMIT 1) r ON true;
END
$function$;

-- Rows that ship: a user's own are left alone.
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.creditor')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$DELETE FROM dunning.creditor WHERE builtin$step$;
    EXECUTE $step$INSERT INTO dunning.creditor (builtin, creditor, language, name) VALUES
('true', 'default', 'en', 'Accounts receivable')$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.http_preset')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$DELETE FROM dunning.http_preset WHERE builtin$step$;
    EXECUTE $step$INSERT INTO dunning.http_preset (auth, body, body_html, builtin, contract, description, error_field, format, id_field, idempotency_header, method, path, preset, suppress_on) VALUES
('none', '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}"}', '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}","html":"{html}"}', 'true', 'repeat', 'POST of a flat JSON object to the server''s URL; honours Idempotency-Key; the reply''s "id" is kept', NULL, 'json', 'id', 'Idempotency-Key', 'POST', '', 'generic-json', '{}'),
('bearer', '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}"}', '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}","html":"{html}"}', 'true', 'repeat', 'as generic-json, with the secret as bearer token', NULL, 'json', 'id', 'Idempotency-Key', 'POST', '', 'generic-json-bearer', '{}'),
('none', NULL, NULL, 'true', 'once', 'Kannel sendsms and what speaks like it: server URL http(s)://host:port, username and secret of a sendsms-user', NULL, 'none', NULL, NULL, 'GET', '/cgi-bin/sendsms?username={username}&password={secret}&from={from}&to={address}&charset=UTF-8&coding={coding}&text={text}', 'kannel', '{}'),
('bearer', '{"personalizations":[{"to":[{"email":"{address}"}],"custom_args":{"message_id":"{message_id}"}}],"from":{"email":"{from}","name":"{from_name}"},"subject":"{subject}","content":[{"type":"text/plain","value":"{text}"}]}', '{"personalizations":[{"to":[{"email":"{address}"}],"custom_args":{"message_id":"{message_id}"}}],"from":{"email":"{from}","name":"{from_name}"},"subject":"{subject}","content":[{"type":"text/plain","value":"{text}"},{"type":"text/html","value":"{html}"}]}', 'true', 'once', 'SendGrid v3 mail/send: server URL https://api.sendgrid.com, secret the API key', NULL, 'json', NULL, NULL, 'POST', '/v3/mail/send', 'sendgrid', '{}'),
('basic', 'To={address}&From={from}&Body={text}', NULL, 'true', 'once', 'Twilio Messages: server URL https://api.twilio.com, username the account SID, secret the token', 'code', 'form', 'sid', NULL, 'POST', '/2010-04-01/Accounts/{username}/Messages.json', 'twilio', '{21610,21211,21614}')$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.sensitivity')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$INSERT INTO dunning.sensitivity (builtin, field, level, set_at, set_by, why) VALUES
('true', 'avg_late', 'personal', now(), 'dunning', 'repayment habits said to the face can backfire'),
('true', 'birth_date', 'never', now(), 'dunning', 'nobody needs it to pay'),
('true', 'broken_promises', 'personal', now(), 'dunning', 'a broken promise held against somebody hurts more than it moves'),
('true', 'clicked_at', 'personal', now(), 'dunning', 'it tells that we see when a link is followed'),
('true', 'diagnosis', 'never', now(), 'dunning', 'a guess at why somebody does not pay is no fact'),
('true', 'hold', 'never', now(), 'dunning', 'hardship, insolvency or death are nothing to write about'),
('true', 'last_late', 'personal', now(), 'dunning', 'repayment habits said to the face can backfire'),
('true', 'last_paid_on', 'personal', now(), 'dunning', 'it tells that we watch'),
('true', 'late_share', 'personal', now(), 'dunning', 'repayment habits said to the face can backfire'),
('true', 'max_late', 'personal', now(), 'dunning', 'repayment habits said to the face can backfire'),
('true', 'n_late', 'personal', now(), 'dunning', 'repayment habits said to the face can backfire'),
('true', 'national_id', 'never', now(), 'dunning', 'it has no place in a message'),
('true', 'opened_at', 'personal', now(), 'dunning', 'it tells that we see when a mail is read'),
('true', 'p_late', 'never', now(), 'dunning', 'a score is a guess'),
('true', 'p_paid_30d', 'never', now(), 'dunning', 'a score is a guess'),
('true', 'p_self_cure', 'never', now(), 'dunning', 'a score is a guess'),
('true', 'payday', 'personal', now(), 'dunning', 'it tells that we know when the money comes'),
('true', 'propensity', 'never', now(), 'dunning', 'it belongs to the experiment'),
('true', 'reasons', 'never', now(), 'dunning', 'the working of a score is no argument to the person scored'),
('true', 'segment', 'never', now(), 'dunning', 'how we have sorted somebody is ours alone')$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.step')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$DELETE FROM dunning.step WHERE builtin$step$;
    EXECUTE $step$INSERT INTO dunning.step (after_contact, anchor, builtin, channels, condition, enabled, framing, must, offset_days, paid_channels, "position", print, self_cure_days, self_cure_wait, step, strategy, template, tone) VALUES
('true', 'due_date', 'true', '{call}', NULL, 'true', 'neutral', 'false', '40', 'true', '5', '{}', '0', '0', 'call', 'standard', 'final-notice', 'neutral'),
('true', 'due_date', 'true', '{letter,email,sms}', NULL, 'true', 'neutral', 'false', '30', 'true', '4', '{}', '0', '0', 'final-notice', 'standard', 'final-notice', 'neutral'),
('false', 'due_date', 'true', '{email,sms}', 'p_late >= 0.5 OR segment = ''habitual_late''', 'true', 'neutral', 'false', '-3', 'true', '1', '{}', '0', '0', 'pre-due', 'standard', 'pre-due', 'neutral'),
('false', 'due_date', 'true', '{email,sms}', NULL, 'true', 'neutral', 'false', '5', 'true', '2', '{}', '10', '0', 'reminder-1', 'standard', 'reminder-1', 'neutral'),
('false', 'due_date', 'true', '{sms,email,letter}', NULL, 'true', 'neutral', 'false', '15', 'true', '3', '{}', '0', '0', 'reminder-2', 'standard', 'reminder-2', 'neutral')$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.strategy')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$DELETE FROM dunning.strategy WHERE builtin$step$;
    EXECUTE $step$INSERT INTO dunning.strategy (builtin, catch_up, description, enabled, grace_days, horizon, margin, min_gap_days, minimum, self_cure, strategy, tolerance) VALUES
('true', 'furthest', 'A pre-due reminder for habitual late payers, two reminders, a final notice, a call; nothing that costs money for likely self-curers in the first ten days', 'true', '0', '7 days', '0.05', '5', '{"*": 5}', '0.6', 'standard', '{}')$step$;
END
$do$;
DO $do$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)' INTO brought USING pg_catalog.to_regclass('dunning.template')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
    EXECUTE $step$DELETE FROM dunning.template WHERE builtin$step$;
    EXECUTE $step$INSERT INTO dunning.template (body_html, body_text, builtin, channel, creditor, framing, language, partial, personal, saved_at, saved_by, subject, template, vars, version) VALUES
(NULL, '1. Spørg efter {{name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.
2. Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}
3. Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.
4. Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.
5. Sig tak, og notér, hvad der blev aftalt.
', 'true', 'call', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
(NULL, '1. Spørg efter {{name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.
2. Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}
3. Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.
4. Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.
5. Sig tak, og notér, hvad der blev aftalt.
', 'true', 'call', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}', 'pre-due', '{}', '1'),
(NULL, '1. Spørg efter {{name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.
2. Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}
3. Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.
4. Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.
5. Sig tak, og notér, hvad der blev aftalt.
', 'true', 'call', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig', 'reminder-1', '{}', '1'),
(NULL, '1. Spørg efter {{name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.
2. Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}
3. Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.
4. Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.
5. Sig tak, og notér, hvad der blev aftalt.
', 'true', 'call', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden', 'reminder-2', '{}', '1'),
(NULL, '1. Fragen Sie nach {{name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.
2. dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}
3. Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.
4. Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.
5. Bedanken Sie sich und notieren Sie, was vereinbart wurde.
', 'true', 'call', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}', 'final-notice', '{}', '1'),
(NULL, '1. Fragen Sie nach {{name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.
2. nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}
3. Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.
4. Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.
5. Bedanken Sie sich und notieren Sie, was vereinbart wurde.
', 'true', 'call', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}', 'pre-due', '{}', '1'),
(NULL, '1. Fragen Sie nach {{name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.
2. vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}
3. Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.
4. Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.
5. Bedanken Sie sich und notieren Sie, was vereinbart wurde.
', 'true', 'call', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen', 'reminder-1', '{}', '1'),
(NULL, '1. Fragen Sie nach {{name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.
2. wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}
3. Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.
4. Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.
5. Bedanken Sie sich und notieren Sie, was vereinbart wurde.
', 'true', 'call', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen', 'reminder-2', '{}', '1'),
(NULL, '1. Ask for {{name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.
2. This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}
3. Ask whether the payment is on its way. If it is paid, note when and how.
4. If it cannot be paid now, ask what would work and agree on a date or on instalments.
5. Say thank you and note what was agreed.
', 'true', 'call', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}', 'final-notice', '{}', '1'),
(NULL, '1. Ask for {{name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.
2. Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}
3. Ask whether the payment is on its way. If it is paid, note when and how.
4. If it cannot be paid now, ask what would work and agree on a date or on instalments.
5. Say thank you and note what was agreed.
', 'true', 'call', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}', 'pre-due', '{}', '1'),
(NULL, '1. Ask for {{name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.
2. It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}
3. Ask whether the payment is on its way. If it is paid, note when and how.
4. If it cannot be paid now, ask what would work and agree on a date or on instalments.
5. Say thank you and note what was agreed.
', 'true', 'call', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open', 'reminder-1', '{}', '1'),
(NULL, '1. Ask for {{name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.
2. We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}
3. Ask whether the payment is on its way. If it is paid, note when and how.
4. If it cannot be paid now, ask what would work and agree on a date or on instalments.
5. Say thank you and note what was agreed.
', 'true', 'call', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue', 'reminder-2', '{}', '1'),
(NULL, '1. Spør etter {{name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.
2. Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}
3. Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.
4. Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.
5. Si takk, og noter hva dere ble enige om.
', 'true', 'call', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
(NULL, '1. Spør etter {{name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.
2. Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}
3. Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.
4. Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.
5. Si takk, og noter hva dere ble enige om.
', 'true', 'call', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}', 'pre-due', '{}', '1'),
(NULL, '1. Spør etter {{name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.
2. Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}
3. Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.
4. Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.
5. Si takk, og noter hva dere ble enige om.
', 'true', 'call', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt', 'reminder-1', '{}', '1'),
(NULL, '1. Spør etter {{name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.
2. Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}
3. Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.
4. Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.
5. Si takk, og noter hva dere ble enige om.
', 'true', 'call', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden', 'reminder-2', '{}', '1'),
(NULL, '1. Vraag naar {{name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.
2. Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}
3. Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.
4. Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.
5. Bedank en noteer wat er is afgesproken.
', 'true', 'call', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}', 'final-notice', '{}', '1'),
(NULL, '1. Vraag naar {{name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.
2. Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}
3. Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.
4. Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.
5. Bedank en noteer wat er is afgesproken.
', 'true', 'call', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}', 'pre-due', '{}', '1'),
(NULL, '1. Vraag naar {{name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.
2. Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}
3. Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.
4. Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.
5. Bedank en noteer wat er is afgesproken.
', 'true', 'call', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open', 'reminder-1', '{}', '1'),
(NULL, '1. Vraag naar {{name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.
2. We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}
3. Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.
4. Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.
5. Bedank en noteer wat er is afgesproken.
', 'true', 'call', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat', 'reminder-2', '{}', '1'),
(NULL, '1. Fråga efter {{name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.
2. Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}
3. Fråga om betalningen är på väg. Om det är betalt, notera när och hur.
4. Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.
5. Tacka och notera vad ni kom överens om.
', 'true', 'call', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}', 'final-notice', '{}', '1'),
(NULL, '1. Fråga efter {{name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.
2. Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}
3. Fråga om betalningen är på väg. Om det är betalt, notera när och hur.
4. Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.
5. Tacka och notera vad ni kom överens om.
', 'true', 'call', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}', 'pre-due', '{}', '1'),
(NULL, '1. Fråga efter {{name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.
2. Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}
3. Fråga om betalningen är på väg. Om det är betalt, notera när och hur.
4. Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.
5. Tacka och notera vad ni kom överens om.
', 'true', 'call', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt', 'reminder-1', '{}', '1'),
(NULL, '1. Fråga efter {{name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.
2. Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}
3. Fråga om betalningen är på väg. Om det är betalt, notera när och hur.
4. Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.
5. Tacka och notera vad ni kom överens om.
', 'true', 'call', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du nu, slutter det her, før der sker mere. Kan du ikke det, så kontakt os i løbet af de næste dage: Også en ordning stopper sagen.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nu, slutter det her, før der sker mere. Kan du ikke det, så kontakt os i løbet af de næste dage: Også en ordning stopper sagen.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du inden da, er det klaret, og der kommer ingen rykkere.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du inden da, er det klaret, og der kommer ingen rykkere.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du nu, er det klaret, og du hører ikke mere om det.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nu, er det klaret, og du hører ikke mere om det.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du nu, er sagen ude af verden, før den tager mere af din tid. Står noget i vejen, så fortæl os det.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nu, er sagen ude af verden, før den tager mere af din tid. Står noget i vejen, så fortæl os det.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Wenn Sie jetzt bezahlen, endet die Sache hier, vor weiteren Schritten. Wenn das nicht geht, melden Sie sich in den nächsten Tagen: Auch eine Vereinbarung beendet sie.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie jetzt bezahlen, endet die Sache hier, vor weiteren Schritten. Wenn das nicht geht, melden Sie sich in den nächsten Tagen: Auch eine Vereinbarung beendet sie.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Wenn Sie bis dahin bezahlen, ist alles erledigt und es folgen keine Erinnerungen.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie bis dahin bezahlen, ist alles erledigt und es folgen keine Erinnerungen.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Wenn Sie jetzt bezahlen, ist alles erledigt und Sie erhalten keine weiteren Erinnerungen.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie jetzt bezahlen, ist alles erledigt und Sie erhalten keine weiteren Erinnerungen.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Wenn Sie jetzt bezahlen, ist die Sache erledigt, bevor sie Sie noch mehr Zeit kostet. Steht etwas im Weg, sagen Sie es uns.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie jetzt bezahlen, ist die Sache erledigt, bevor sie Sie noch mehr Zeit kostet. Steht etwas im Weg, sagen Sie es uns.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Pay now and it ends here, before any further steps. If that is not possible, get in touch in the next few days: a plan also stops them.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay now and it ends here, before any further steps. If that is not possible, get in touch in the next few days: a plan also stops them.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Pay by then and it is settled, with no reminders to follow.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay by then and it is settled, with no reminders to follow.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Pay now and it is settled: no further reminders will follow.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay now and it is settled: no further reminders will follow.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Pay now and the matter is settled, before it takes more of your time. If something stands in the way, tell us.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay now and the matter is settled, before it takes more of your time. If something stands in the way, tell us.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du nå, slutter det her, før neste steg. Går ikke det, så ta kontakt i løpet av de neste dagene: også en avtale stanser saken.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nå, slutter det her, før neste steg. Går ikke det, så ta kontakt i løpet av de neste dagene: også en avtale stanser saken.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du innen da, er det i orden, og det kommer ingen purringer.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du innen da, er det i orden, og det kommer ingen purringer.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du nå, er det i orden, og du får ingen flere påminnelser.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nå, er det i orden, og du får ingen flere påminnelser.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du nå, er saken ute av verden før den tar mer av tiden din. Står noe i veien, så fortell oss det.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nå, er saken ute av verden før den tar mer av tiden din. Står noe i veien, så fortell oss det.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal je nu, dan houdt het hier op, voordat er verdere stappen komen. Lukt dat niet, neem dan in de komende dagen contact op: ook met een regeling stopt het.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je nu, dan houdt het hier op, voordat er verdere stappen komen. Lukt dat niet, neem dan in de komende dagen contact op: ook met een regeling stopt het.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal je voor die datum, dan is het geregeld en volgen er geen herinneringen.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je voor die datum, dan is het geregeld en volgen er geen herinneringen.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal je nu, dan is het geregeld en krijg je geen herinneringen meer.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je nu, dan is het geregeld en krijg je geen herinneringen meer.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal je nu, dan is de zaak afgerond voordat hij je meer tijd kost. Staat er iets in de weg, laat het ons dan weten.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je nu, dan is de zaak afgerond voordat hij je meer tijd kost. Staat er iets in de weg, laat het ons dan weten.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betalar du nu slutar det här, före nästa steg. Går inte det, så hör av dig inom de närmaste dagarna: även en plan stoppar ärendet.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du nu slutar det här, före nästa steg. Går inte det, så hör av dig inom de närmaste dagarna: även en plan stoppar ärendet.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betalar du före dess är det klart, och det kommer inga påminnelser.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du före dess är det klart, och det kommer inga påminnelser.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betalar du nu är det klart, och du får inga fler påminnelser.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du nu är det klart, och du får inga fler påminnelser.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betalar du nu är saken ur världen, innan den tar mer av din tid. Står något i vägen, så berätta det för oss.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du nu är saken ur världen, innan den tar mer av din tid. Står något i vägen, så berätta det för oss.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du inden da, skal du ikke gøre mere.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du inden da, skal du ikke gøre mere.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}</p>
<p>Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betal nu, eller fortæl os, hvad der står i vejen.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}

Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal nu, eller fortæl os, hvad der står i vejen.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Mit der Zahlung bis dahin ist alles getan.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Mit der Zahlung bis dahin ist alles getan.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Hier bezahlen</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}{{/pay_url}}
<p>Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Paying by then is all there is to do.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Paying by then is all there is to do.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>It would help us if you could pay in the next few days.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

It would help us if you could pay in the next few days.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}</p>
<p>We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Pay here</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Please pay now, or tell us what stands in the way.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}

We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Please pay now, or tell us what stands in the way.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaler du innen da, trenger du ikke å gjøre noe mer.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du innen da, trenger du ikke å gjøre noe mer.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Det ville hjelpe oss om du kunne betale i løpet av de neste dagene.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Det ville hjelpe oss om du kunne betale i løpet av de neste dagene.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}</p>
<p>Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betal her</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betal nå, eller fortell oss hva som står i veien.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}

Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal nå, eller fortell oss hva som står i veien.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal in de komende dagen of neem contact op. Daarna moeten we verdere stappen overwegen, en we lossen het veel liever samen met je op.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal in de komende dagen of neem contact op. Daarna moeten we verdere stappen overwegen, en we lossen het veel liever samen met je op.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal je voor die datum, dan hoef je verder niets te doen.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je voor die datum, dan hoef je verder niets te doen.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Het zou ons helpen als je in de komende dagen kunt betalen.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Het zou ons helpen als je in de komende dagen kunt betalen.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}</p>
<p>We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betaal hier</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betaal nu, of laat ons weten wat er in de weg staat.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}

We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal nu, of laat ons weten wat er in de weg staat.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betalar du före dess behöver du inte göra något mer.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du före dess behöver du inte göra något mer.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Det vore till stor hjälp om du kunde betala inom de närmaste dagarna.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Det vore till stor hjälp om du kunde betala inom de närmaste dagarna.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 16px/1.5 sans-serif; color: #222; max-width: 36em; margin: 0; padding: 1em">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">Betala här</a></p>{{/pay_url}}{{^pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}{{/pay_url}}
<p>Betala nu, eller berätta för oss vad som står i vägen.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betala nu, eller berätta för oss vad som står i vägen.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'email', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du nu, slutter det her, før der sker mere. Kan du ikke det, så kontakt os i løbet af de næste dage: Også en ordning stopper sagen.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nu, slutter det her, før der sker mere. Kan du ikke det, så kontakt os i løbet af de næste dage: Også en ordning stopper sagen.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du inden da, er det klaret, og der kommer ingen rykkere.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du inden da, er det klaret, og der kommer ingen rykkere.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du nu, er det klaret, og du hører ikke mere om det.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nu, er det klaret, og du hører ikke mere om det.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du nu, er sagen ude af verden, før den tager mere af din tid. Står noget i vejen, så fortæl os det.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nu, er sagen ude af verden, før den tager mere af din tid. Står noget i vejen, så fortæl os det.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Wenn Sie jetzt bezahlen, endet die Sache hier, vor weiteren Schritten. Wenn das nicht geht, melden Sie sich in den nächsten Tagen: Auch eine Vereinbarung beendet sie.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie jetzt bezahlen, endet die Sache hier, vor weiteren Schritten. Wenn das nicht geht, melden Sie sich in den nächsten Tagen: Auch eine Vereinbarung beendet sie.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Wenn Sie bis dahin bezahlen, ist alles erledigt und es folgen keine Erinnerungen.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie bis dahin bezahlen, ist alles erledigt und es folgen keine Erinnerungen.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Wenn Sie jetzt bezahlen, ist alles erledigt und Sie erhalten keine weiteren Erinnerungen.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie jetzt bezahlen, ist alles erledigt und Sie erhalten keine weiteren Erinnerungen.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Wenn Sie jetzt bezahlen, ist die Sache erledigt, bevor sie Sie noch mehr Zeit kostet. Steht etwas im Weg, sagen Sie es uns.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Wenn Sie jetzt bezahlen, ist die Sache erledigt, bevor sie Sie noch mehr Zeit kostet. Steht etwas im Weg, sagen Sie es uns.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Pay now and it ends here, before any further steps. If that is not possible, get in touch in the next few days: a plan also stops them.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay now and it ends here, before any further steps. If that is not possible, get in touch in the next few days: a plan also stops them.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Pay by then and it is settled, with no reminders to follow.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay by then and it is settled, with no reminders to follow.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Pay now and it is settled: no further reminders will follow.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay now and it is settled: no further reminders will follow.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Pay now and the matter is settled, before it takes more of your time. If something stands in the way, tell us.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Pay now and the matter is settled, before it takes more of your time. If something stands in the way, tell us.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du nå, slutter det her, før neste steg. Går ikke det, så ta kontakt i løpet av de neste dagene: også en avtale stanser saken.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nå, slutter det her, før neste steg. Går ikke det, så ta kontakt i løpet av de neste dagene: også en avtale stanser saken.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du innen da, er det i orden, og det kommer ingen purringer.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du innen da, er det i orden, og det kommer ingen purringer.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du nå, er det i orden, og du får ingen flere påminnelser.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nå, er det i orden, og du får ingen flere påminnelser.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du nå, er saken ute av verden før den tar mer av tiden din. Står noe i veien, så fortell oss det.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du nå, er saken ute av verden før den tar mer av tiden din. Står noe i veien, så fortell oss det.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal je nu, dan houdt het hier op, voordat er verdere stappen komen. Lukt dat niet, neem dan in de komende dagen contact op: ook met een regeling stopt het.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je nu, dan houdt het hier op, voordat er verdere stappen komen. Lukt dat niet, neem dan in de komende dagen contact op: ook met een regeling stopt het.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal je voor die datum, dan is het geregeld en volgen er geen herinneringen.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je voor die datum, dan is het geregeld en volgen er geen herinneringen.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal je nu, dan is het geregeld en krijg je geen herinneringen meer.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je nu, dan is het geregeld en krijg je geen herinneringen meer.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal je nu, dan is de zaak afgerond voordat hij je meer tijd kost. Staat er iets in de weg, laat het ons dan weten.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je nu, dan is de zaak afgerond voordat hij je meer tijd kost. Staat er iets in de weg, laat het ons dan weten.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betalar du nu slutar det här, före nästa steg. Går inte det, så hör av dig inom de närmaste dagarna: även en plan stoppar ärendet.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du nu slutar det här, före nästa steg. Går inte det, så hör av dig inom de närmaste dagarna: även en plan stoppar ärendet.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betalar du före dess är det klart, och det kommer inga påminnelser.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du före dess är det klart, och det kommer inga påminnelser.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betalar du nu är det klart, och du får inga fler påminnelser.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du nu är det klart, och du får inga fler påminnelser.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betalar du nu är saken ur världen, innan den tar mer av din tid. Står något i vägen, så berätta det för oss.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du nu är saken ur världen, innan den tar mer av din tid. Står något i vägen, så berätta det för oss.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du inden da, skal du ikke gøre mere.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du inden da, skal du ikke gøre mere.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}</p>
<p>Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfald {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en anden valuta er der også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betal nu, eller fortæl os, hvad der står i vejen.</p>
<p>Har du allerede betalt? Så se bort fra denne besked, og tak for det.</p>
<p>Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.</p>
<p>Venlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}

Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfald {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en anden valuta er der også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal nu, eller fortæl os, hvad der står i vejen.

Har du allerede betalt? Så se bort fra denne besked, og tak for det.

Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.

Venlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Mit der Zahlung bis dahin ist alles getan.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Mit der Zahlung bis dahin ist alles getan.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}</p>
<p>wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, fällig am {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In einer anderen Währung sind außerdem offen: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Hier bezahlen: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Sie können auf das Konto {{creditor_account}} überweisen.</p>{{/creditor_account}}
<p>Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht.</p>
<p>Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!</p>
<p>Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.</p>
<p>Freundliche Grüße<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}

wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, fällig am {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In einer anderen Währung sind außerdem offen: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}}

Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht.

Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!

Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.

Freundliche Grüße
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', '{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Paying by then is all there is to do.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Paying by then is all there is to do.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>It would help us if you could pay in the next few days.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

It would help us if you could pay in the next few days.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}</p>
<p>We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, due on {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In another currency there is also {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Pay here: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>You can pay to account {{creditor_account}}.</p>{{/creditor_account}}
<p>Please pay now, or tell us what stands in the way.</p>
<p>Already paid? Then please ignore this message, and thank you.</p>
<p>If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.</p>
<p>Kind regards<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}

We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, due on {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In another currency there is also {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Please pay now, or tell us what stands in the way.

Already paid? Then please ignore this message, and thank you.

If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.

Kind regards
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaler du innen da, trenger du ikke å gjøre noe mer.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaler du innen da, trenger du ikke å gjøre noe mer.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Det ville hjelpe oss om du kunne betale i løpet av de neste dagene.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Det ville hjelpe oss om du kunne betale i løpet av de neste dagene.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nb">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}</p>
<p>Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, forfall {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annen valuta er det også {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betal her: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betale til konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betal nå, eller fortell oss hva som står i veien.</p>
<p>Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!</p>
<p>Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.</p>
<p>Vennlig hilsen<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}

Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, forfall {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annen valuta er det også {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betal nå, eller fortell oss hva som står i veien.

Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!

Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.

Vennlig hilsen
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal in de komende dagen of neem contact op. Daarna moeten we verdere stappen overwegen, en we lossen het veel liever samen met je op.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal in de komende dagen of neem contact op. Daarna moeten we verdere stappen overwegen, en we lossen het veel liever samen met je op.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal je voor die datum, dan hoef je verder niets te doen.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal je voor die datum, dan hoef je verder niets te doen.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Het zou ons helpen als je in de komende dagen kunt betalen.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Het zou ons helpen als je in de komende dagen kunt betalen.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}</p>
<p>We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, vervaldatum {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>In een andere valuta staat ook nog open: {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betaal hier: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Je kunt betalen op rekening {{creditor_account}}.</p>{{/creditor_account}}
<p>Betaal nu, of laat ons weten wat er in de weg staat.</p>
<p>Al betaald? Dan kun je dit bericht negeren. Dank je wel!</p>
<p>Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.</p>
<p>Met vriendelijke groet<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}

We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, vervaldatum {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
In een andere valuta staat ook nog open: {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betaal nu, of laat ons weten wat er in de weg staat.

Al betaald? Dan kun je dit bericht negeren. Dank je wel!

Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.

Met vriendelijke groet
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat', 'reminder-2', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}', 'final-notice', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betalar du före dess behöver du inte göra något mer.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betalar du före dess behöver du inte göra något mer.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}', 'pre-due', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Det vore till stor hjälp om du kunde betala inom de närmaste dagarna.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Det vore till stor hjälp om du kunde betala inom de närmaste dagarna.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt', 'reminder-1', '{}', '1'),
('<!DOCTYPE html>
<html lang="sv">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: 12pt/1.5 Georgia, serif; color: #222; max-width: 36em; margin: 3cm 2.5cm">
<p>{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}</p>
<p>Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.</p>
<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, förfallodag {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>
{{#other_currencies}}
<p>I en annan valuta finns också {{amount | money}}.</p>
{{/other_currencies}}
{{#pay_url}}<p>Betala här: {{pay_url}}</p>{{/pay_url}}{{#creditor_account}}<p>Du kan betala till konto {{creditor_account}}.</p>{{/creditor_account}}
<p>Betala nu, eller berätta för oss vad som står i vägen.</p>
<p>Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!</p>
<p>Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.</p>
<p>Vänliga hälsningar<br>{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}</p>
</body>
</html>
', '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}

Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.

{{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, förfallodag {{due_on | date}}
{{/invoices}}
{{/balances}}
{{#other_currencies}}
I en annan valuta finns också {{amount | money}}.
{{/other_currencies}}

{{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}}

Betala nu, eller berätta för oss vad som står i vägen.

Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!

Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.

Vänliga hälsningar
{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}
', 'true', 'letter', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', '{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan', 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} Sidste påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så slutter det her, før der sker mere. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalder den {{due_on | date}}. Betal inden da, så kommer der ingen rykkere. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så kommer der ikke flere påmindelser. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så er sagen ude af verden. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'da', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} letzte Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Mit Ihrer Zahlung endet die Sache hier, vor weiteren Schritten. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind am {{due_on | date}} fällig. Bei Zahlung bis dahin folgen keine Erinnerungen. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Bei Zahlung jetzt folgen keine weiteren Erinnerungen. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Mit Ihrer Zahlung ist die Sache erledigt. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'de', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} last reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and it ends here, before further steps. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is due on {{due_on | date}}. Pay by then and no reminders follow. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and no further reminders follow. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and it is settled, with no more reminders. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'en', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} Siste påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så slutter det her, før neste steg. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaller {{due_on | date}}. Betal innen da, så kommer det ingen purringer. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så kommer det ingen flere påminnelser. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så er saken ute av verden. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nb', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} laatste herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat. Betaal nu en het houdt hier op, voor er verdere stappen komen. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn. Op tijd betaald? Dan volgen er geen herinneringen. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. Betaal nu en er volgen geen herinneringen meer. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. Betaal nu en het is afgerond. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'nl', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} Sista påminnelsen: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så slutar det här, före nästa steg. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förfaller den {{due_on | date}}. Betala före dess så kommer inga påminnelser. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så kommer inga fler påminnelser. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så är saken ur världen. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'loss_aversion', 'sv', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} Sidste påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal eller kontakt os i de nærmeste dage. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} Til orientering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalder den {{due_on | date}}. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} En venlig påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}} Vi mangler stadig {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}}, der forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra denne besked. Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'da', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} letzte Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Bitte bezahlen Sie oder melden Sie sich in den nächsten Tagen. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} zur Erinnerung vorab: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind am {{due_on | date}} fällig. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} eine Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}} wir haben {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} noch nicht erhalten, seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. {{#pay_url}}Hier bezahlen: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Sie können auf das Konto {{creditor_account}} überweisen.{{/creditor_account}}{{/pay_url}} Bereits bezahlt? Dann ist alles erledigt. Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'de', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} our last reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Please pay or get in touch in the next few days. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} a heads-up: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is due on {{due_on | date}}. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} a reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}} we have not yet received {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}}, now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. {{#pay_url}}Pay here: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}You can pay to account {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Already paid? Ignore this. Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'en', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} Siste påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal eller ta kontakt i løpet av de neste dagene. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} Bare så du vet det: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaller {{due_on | date}}. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} En påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}} Vi har ennå ikke mottatt {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}}, som forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. {{#pay_url}}Betal her: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betale til konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Allerede betalt? Se bort fra dette. Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nb', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} onze laatste herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat. Betaal of neem in de komende dagen contact op. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} een bericht vooraf: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} een herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat nu {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}} we hebben {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} nog niet ontvangen, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum. {{#pay_url}}Betaal hier: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Je kunt betalen op rekening {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Al betaald? Negeer dit bericht. Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'nl', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} Sista påminnelsen: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala eller hör av dig inom de närmaste dagarna. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', NULL, 'final-notice', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} Bara så att du vet: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förfaller den {{due_on | date}}. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', NULL, 'pre-due', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} En påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', NULL, 'reminder-1', '{}', '1'),
(NULL, '{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}} Vi har ännu inte fått {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}}, som förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. {{#pay_url}}Betala här: {{pay_url}}{{/pay_url}}{{^pay_url}}{{#creditor_account}}Du kan betala till konto {{creditor_account}}.{{/creditor_account}}{{/pay_url}} Redan betalat? Bortse från detta. Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}', 'true', 'sms', '*', 'neutral', 'sv', 'false', 'false', now(), 'dunning', NULL, 'reminder-2', '{}', '1')$step$;
END
$do$;

-- Tables that a dump takes.
SELECT pg_catalog.pg_extension_config_dump('dunning.budget', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.debtor_strategy', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.sensitivity', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.strategy_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.timing_book', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.timing_profile', '');

-- Owners.
ALTER FUNCTION dunning._is_steady(regclass) OWNER TO dunning_owner;
ALTER FUNCTION dunning.save_creditor(text,text,text,text,text,text,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._ledger_steady() OWNER TO dunning_owner;
ALTER FUNCTION dunning._disputed_sql(text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._balance_rows_sql(text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._marks(text[],text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._marks_sql(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._words("any") OWNER TO dunning_owner;
ALTER FUNCTION dunning._repeated(text[]) OWNER TO dunning_owner;
ALTER FUNCTION dunning._next_open(timestamp with time zone,timestamp with time zone,text,bytea,text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[]) OWNER TO dunning_owner;
ALTER FUNCTION dunning._ask(text[],text[],timestamp with time zone[],text[],anyarray) OWNER TO dunning_owner;
ALTER FUNCTION dunning._gate_places_sql(interval) OWNER TO dunning_owner;
ALTER FUNCTION dunning._recheck_clear_sql() OWNER TO dunning_owner;
ALTER TABLE dunning.timing_profile OWNER TO dunning_owner;
ALTER TABLE dunning.timing_book OWNER TO dunning_owner;
ALTER FUNCTION dunning._activity(text,timestamp with time zone[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._add_activity(double precision[],bytea) OWNER TO dunning_owner;
ALTER FUNCTION dunning._zero_activity() OWNER TO dunning_owner;
ALTER FUNCTION dunning._activity_shape(double precision[],double precision) OWNER TO dunning_owner;
ALTER AGGREGATE dunning._sum_activity(bytea) OWNER TO dunning_owner;
ALTER FUNCTION dunning._best_of(text,text,timestamp with time zone,timestamp with time zone,timestamp with time zone,text[],timestamp with time zone,bytea,text[],text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[],bytea,date[],integer,integer,real[],double precision,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning._payday(text,date[],date) OWNER TO dunning_owner;
ALTER FUNCTION dunning._refresh_profiles(text[],timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._learn_book(timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._best_times(text[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning.best_time(text,text,timestamp with time zone,timestamp with time zone,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning.best_times(text,timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning.payday(text) OWNER TO dunning_owner;
ALTER TABLE dunning.strategy_rule OWNER TO dunning_owner;
ALTER TABLE dunning.debtor_strategy OWNER TO dunning_owner;
ALTER TABLE dunning.budget OWNER TO dunning_owner;
ALTER FUNCTION dunning._payday_around(text,date[],date) OWNER TO dunning_owner;
ALTER FUNCTION dunning._event_day(jsonb,timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._anchors(text[],text[],timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._touch(uuid) OWNER TO dunning_owner;
ALTER FUNCTION dunning._companion_id(uuid) OWNER TO dunning_owner;
ALTER FUNCTION dunning._contact_sql(text,text,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._strategy_rules() OWNER TO dunning_owner;
ALTER FUNCTION dunning._assigned_sql(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.assign_strategy(text,text,integer,text,text,text,text,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning.set_strategy(text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.strategy_of(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_minimum(jsonb,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_name(text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._anchor_problem(text,integer,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_anchor(text,integer,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_reachable(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._offset_words(text,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning._costs(text,date,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.save_strategy(text,text,jsonb,integer,interval,integer,double precision,numeric,boolean,jsonb,integer,integer,integer,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_step(dunning.step) OWNER TO dunning_owner;
ALTER FUNCTION dunning.save_step(text,text,integer,integer,text,text[],text,text,text,boolean,integer,boolean,boolean,text,integer,jsonb,integer,integer,integer,integer,text,text,text,text,jsonb,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning.set_cost(text,numeric,text,text,date,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.set_budget(numeric,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._step_key(text,text,date) OWNER TO dunning_owner;
ALTER FUNCTION dunning._stage_ladder(timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._stage_steps(timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._expire_waiting() OWNER TO dunning_owner;
ALTER FUNCTION dunning._render(text,text,text,jsonb,text,jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._aged_context(jsonb,date) OWNER TO dunning_owner;
ALTER FUNCTION dunning._render_loose(text,jsonb,jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._visit(text,text,text,jsonb,jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._template_fields(text,text,text,jsonb,jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._template_names(text,text,text,jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._optional_names() OWNER TO dunning_owner;
ALTER FUNCTION dunning._find_template(text,text,text,text,text,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._partials(text,text,text,text,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._iban_lengths() OWNER TO dunning_owner;
ALTER FUNCTION dunning._mod97(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._iban(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._epc_line(text,text,integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning.epc_payload(text,text,numeric,text,text,text,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._letter_code(jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._letter(uuid) OWNER TO dunning_owner;
ALTER FUNCTION dunning._letter_page(boolean,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.letter_html(uuid,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._link_key_problem() OWNER TO dunning_owner;
ALTER FUNCTION dunning._rotate_link_key(integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning.rotate_link_key(integer) OWNER TO dunning_owner;
ALTER FUNCTION dunning._token_of(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._link_event(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._link_done(text,uuid,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.open_link(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._link_detail(jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning.act_on_link(text,jsonb) OWNER TO dunning_owner;
ALTER TABLE dunning.sensitivity OWNER TO dunning_owner;
ALTER FUNCTION dunning.set_sensitivity(text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._too_personal(text[],boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_personal(text,text,text,jsonb,jsonb,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_template_kind(text,text,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_partial(text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._check_users(text,text,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._length_limit(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._lint_form(text,text,text,text,jsonb,jsonb,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._lint_languages(text,text,text,text,jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning._page_words(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._page_choice(text,text,text,text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._page_template(text,boolean,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._page_context(jsonb,jsonb,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning.link_page(text,text,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._lint_template(text,text,text,text,text,text[],jsonb) OWNER TO dunning_owner;
ALTER FUNCTION dunning.save_template(text,text,text,text,text,text,text,text,text[],boolean,boolean) OWNER TO dunning_owner;
ALTER FUNCTION dunning._equip_partition(text,text,text[]) OWNER TO dunning_owner;
ALTER FUNCTION dunning._equip_partitions() OWNER TO dunning_owner;
ALTER FUNCTION dunning._settle_sent(text[],uuid[],smallint[],text[],text[],jsonb[]) OWNER TO dunning_owner;
ALTER FUNCTION dunning._held_up(text[],uuid[]) OWNER TO dunning_owner;
ALTER FUNCTION dunning._json_field(text,text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.save_http_preset(text,text,text,text,text,text,text,text,text,text,text,text,text[],text) OWNER TO dunning_owner;
ALTER FUNCTION dunning.reset_http_preset(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._take_over(smallint[],uuid[]) OWNER TO dunning_owner;
ALTER FUNCTION dunning._day_left(text,bigint) OWNER TO dunning_owner;
ALTER FUNCTION dunning._accounts_of(text) OWNER TO dunning_owner;
ALTER FUNCTION dunning._report_reach(timestamp with time zone) OWNER TO dunning_owner;
ALTER FUNCTION dunning._refresh_all() OWNER TO dunning_owner;
ALTER FUNCTION dunning._maintain() OWNER TO dunning_owner;
ALTER FUNCTION dunning._reset_sql(text,text) OWNER TO dunning_owner;

-- Rights.
REVOKE EXECUTE ON FUNCTION dunning._is_steady(regclass) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.save_creditor(text,text,text,text,text,text,text,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.save_creditor(text,text,text,text,text,text,text,text,text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._ledger_steady() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._ledger_steady() TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._disputed_sql(text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._balance_rows_sql(text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._marks(text[],text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._marks(text[],text,text) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._marks_sql(text) FROM PUBLIC;
REVOKE SELECT ON TABLE dunning.hold FROM dunning_viewer;
GRANT SELECT ON TABLE dunning.hold TO dunning_operator;
GRANT SELECT (debtor_id, hold_id, creditor, reason, invoice_id, from_at, until_at, placed_by, released_at, released_by) ON TABLE dunning.hold TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning._words("any") FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._words("any") TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._repeated(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._repeated(text[]) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._next_open(timestamp with time zone,timestamp with time zone,text,bytea,text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._next_open(timestamp with time zone,timestamp with time zone,text,bytea,text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[]) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._ask(text[],text[],timestamp with time zone[],text[],anyarray) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._ask(text[],text[],timestamp with time zone[],text[],anyarray) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._gate_places_sql(interval) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._recheck_clear_sql() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._recheck_clear_sql() TO dunning_worker;
GRANT SELECT ON TABLE dunning.timing_profile TO dunning_viewer;
GRANT SELECT ON TABLE dunning.timing_book TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning._activity(text,timestamp with time zone[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._add_activity(double precision[],bytea) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._zero_activity() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._activity_shape(double precision[],double precision) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._sum_activity(bytea) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._best_of(text,text,timestamp with time zone,timestamp with time zone,timestamp with time zone,text[],timestamp with time zone,bytea,text[],text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[],bytea,date[],integer,integer,real[],double precision,integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._payday(text,date[],date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._refresh_profiles(text[],timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._learn_book(timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._best_times(text[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone,integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.best_time(text,text,timestamp with time zone,timestamp with time zone,integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.best_time(text,text,timestamp with time zone,timestamp with time zone,integer) TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning.best_times(text,timestamp with time zone) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.best_times(text,timestamp with time zone) TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning.payday(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.payday(text) TO dunning_viewer;
GRANT SELECT ON TABLE dunning.strategy_rule TO dunning_viewer;
GRANT SELECT ON TABLE dunning.budget TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning._payday_around(text,date[],date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._event_day(jsonb,timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._anchors(text[],text[],timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._touch(uuid) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._companion_id(uuid) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._contact_sql(text,text,boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._strategy_rules() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._assigned_sql(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.assign_strategy(text,text,integer,text,text,text,text,boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.assign_strategy(text,text,integer,text,text,text,text,boolean) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning.set_strategy(text,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.set_strategy(text,text,text) TO dunning_operator;
REVOKE EXECUTE ON FUNCTION dunning.strategy_of(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.strategy_of(text) TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning._check_minimum(jsonb,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_name(text,text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._anchor_problem(text,integer,integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_anchor(text,integer,integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_reachable(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._offset_words(text,integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._costs(text,date,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._today(timestamp with time zone) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning.save_strategy(text,text,jsonb,integer,interval,integer,double precision,numeric,boolean,jsonb,integer,integer,integer,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.save_strategy(text,text,jsonb,integer,interval,integer,double precision,numeric,boolean,jsonb,integer,integer,integer,text,text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._check_step(dunning.step) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.save_step(text,text,integer,integer,text,text[],text,text,text,boolean,integer,boolean,boolean,text,integer,jsonb,integer,integer,integer,integer,text,text,text,text,jsonb,boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.save_step(text,text,integer,integer,text,text[],text,text,text,boolean,integer,boolean,boolean,text,integer,jsonb,integer,integer,integer,integer,text,text,text,text,jsonb,boolean) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning.set_cost(text,numeric,text,text,date,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.set_cost(text,numeric,text,text,date,text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning.set_budget(numeric,text,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.set_budget(numeric,text,text,text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._step_key(text,text,date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._stage_ladder(timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._stage_steps(timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._expire_waiting() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._render(text,text,text,jsonb,text,jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._render(text,text,text,jsonb,text,jsonb) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._aged_context(jsonb,date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._render_loose(text,jsonb,jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._visit(text,text,text,jsonb,jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._template_fields(text,text,text,jsonb,jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._template_names(text,text,text,jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._optional_names() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._optional_names() TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._find_template(text,text,text,text,text,boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._partials(text,text,text,text,text,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._partials(text,text,text,text,text,text,text) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._iban_lengths() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._mod97(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._iban(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._epc_line(text,text,integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.epc_payload(text,text,numeric,text,text,text,text,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.epc_payload(text,text,numeric,text,text,text,text,text,text) TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning.epc_payload(text,text,numeric,text,text,text,text,text,text) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._letter_code(jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._letter(uuid) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._letter_page(boolean,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.letter_html(uuid,boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.letter_html(uuid,boolean) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning.letter_html(uuid,boolean) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._link_key_problem() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._rotate_link_key(integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.rotate_link_key(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.rotate_link_key(integer) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._token_of(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._link_event(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._link_done(text,uuid,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.open_link(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.open_link(text) TO dunning_operator;
REVOKE EXECUTE ON FUNCTION dunning._link_detail(jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.act_on_link(text,jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.act_on_link(text,jsonb) TO dunning_operator;
GRANT SELECT ON TABLE dunning.sensitivity TO dunning_viewer;
REVOKE EXECUTE ON FUNCTION dunning.set_sensitivity(text,text,text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.set_sensitivity(text,text,text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._too_personal(text[],boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_personal(text,text,text,jsonb,jsonb,boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_template_kind(text,text,boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_partial(text,text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._check_users(text,text,text,text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._length_limit(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._lint_form(text,text,text,text,jsonb,jsonb,text,text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._lint_languages(text,text,text,text,jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._page_words(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._page_choice(text,text,text,text,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._page_template(text,boolean,text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._page_context(jsonb,jsonb,boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.link_page(text,text,boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.link_page(text,text,boolean) TO dunning_operator;
REVOKE EXECUTE ON FUNCTION dunning._lint_template(text,text,text,text,text,text[],jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning.save_template(text,text,text,text,text,text,text,text,text[],boolean,boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.save_template(text,text,text,text,text,text,text,text,text[],boolean,boolean) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._equip_partition(text,text,text[]) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._equip_partitions() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._settle_sent(text[],uuid[],smallint[],text[],text[],jsonb[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._settle_sent(text[],uuid[],smallint[],text[],text[],jsonb[]) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._held_up(text[],uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._held_up(text[],uuid[]) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._json_field(text,text) FROM PUBLIC;
REVOKE DELETE, INSERT, SELECT, UPDATE ON TABLE dunning.http_preset FROM dunning_admin;
GRANT SELECT ON TABLE dunning.http_preset TO dunning_operator;
REVOKE EXECUTE ON FUNCTION dunning.save_http_preset(text,text,text,text,text,text,text,text,text,text,text,text,text[],text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.save_http_preset(text,text,text,text,text,text,text,text,text,text,text,text,text[],text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning.reset_http_preset(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning.reset_http_preset(text) TO dunning_admin;
REVOKE EXECUTE ON FUNCTION dunning._take_over(smallint[],uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._take_over(smallint[],uuid[]) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._day_left(text,bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dunning._day_left(text,bigint) TO dunning_worker;
REVOKE EXECUTE ON FUNCTION dunning._accounts_of(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._report_reach(timestamp with time zone) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._refresh_all() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._maintain() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dunning._reset_sql(text,text) FROM PUBLIC;

-- Comments.
COMMENT ON AGGREGATE dunning._sum_activity(bytea) IS 'Sum of activity profiles: 168 hours of answers, then 168 of exposure.';
COMMENT ON FUNCTION dunning._accounts_of(text) IS 'A debtor and the other accounts of the same person; the debtor alone where the ledger knows no persons or is broken.';
COMMENT ON FUNCTION dunning._activity(text,timestamp with time zone[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone) IS 'Answers and exposure over the 168 hours of the local week, older ones fading by 4 % a week; NULL without evidence. Arrays in order of time. A payment with a time of day counts as a quarter of an answer.';
COMMENT ON FUNCTION dunning._activity_shape(double precision[],double precision) IS 'The book''s rate of answers by hour, mean 1, shrunk to flat by 20 answers an hour and smoothed. q: share of contacts answered.';
COMMENT ON FUNCTION dunning._add_activity(double precision[],bytea) IS 'Sums with one profile added; transition of _sum_activity().';
COMMENT ON FUNCTION dunning._aged_context(jsonb,date) IS 'A frozen context with its days past due as of a later day.';
COMMENT ON FUNCTION dunning._anchor_problem(text,integer,integer) IS 'Why a step counted so from this anchor could never be taken, in words; NULL: it can.';
COMMENT ON FUNCTION dunning._anchors(text[],text[],timestamp with time zone) IS 'Dates that steps count from: one row a debtor and anchor (and currency, where it is one of a currency): the last such day and the next one, the same where there is but one.';
COMMENT ON FUNCTION dunning._ask(text[],text[],timestamp with time zone[],text[],anyarray) IS 'Five arrays as numbered rows.';
COMMENT ON FUNCTION dunning._assigned_sql(text) IS 'SQL text: the given debtor rows with the strategy each follows, and by what (debtor, rule:<name>, creditor, standard).';
COMMENT ON FUNCTION dunning._balance_rows_sql(text,text) IS 'SQL text: one row an invoice or payment: debtor_id, currency (empty: missing), owed, paid (payments), disputed, fault (1 amount_not_finite, 2 currency_missing, 3 date_not_finite, 4 due_before_issued, 5 none).';
COMMENT ON FUNCTION dunning._balances_sql(text,text) IS 'SQL text: one row a debtor and currency: balance (negative: credit), number and sum of payments, the first problem of its rows (amount_not_finite, currency_missing, date_not_finite, due_before_issued), and what of the open balance is disputed.';
COMMENT ON FUNCTION dunning._best_of(text,text,timestamp with time zone,timestamp with time zone,timestamp with time zone,text[],timestamp with time zone,bytea,text[],text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[],bytea,date[],integer,integer,real[],double precision,integer) IS 'The best allowed quarters of an hour between two instants; one row with contact_at NULL and why where there is none. top 1: one contact in twenty is drawn evenly.';
COMMENT ON FUNCTION dunning._best_times(text[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone,integer) IS 'The best allowed instant of each debtor and channel (arrays of one length) from not_before (NULL: as_of) to not_after (NULL: a week later, at most 62 days); contact_at NULL where there is none, with reasons. as_of NULL: now. With top > 1 nothing is drawn by lot.';
COMMENT ON FUNCTION dunning._check_anchor(text,integer,integer) IS 'Nothing, or 22023 where an anchor is unknown, cannot happen, or the offset never comes.';
COMMENT ON FUNCTION dunning._check_as_of(timestamp with time zone) IS 'Complains (22023) about an as_of that is infinite or outside of the years 1 to 9999; NULL is the present.';
COMMENT ON FUNCTION dunning._check_condition(text) IS 'Nothing, or 22023 saying why a condition cannot be evaluated, be it for a debtor of whom nothing is known.';
COMMENT ON FUNCTION dunning._check_minimum(jsonb,text) IS 'Nothing, or 22023 where a minimum or a tolerance cannot be read.';
COMMENT ON FUNCTION dunning._check_name(text,text,text) IS 'Nothing, or 22023 where a name cannot stand in a key.';
COMMENT ON FUNCTION dunning._check_partial(text,text,text) IS 'Nothing; DN003 where a partial is no template or uses what no text may, 22023 where it has a subject.';
COMMENT ON FUNCTION dunning._check_personal(text,text,text,jsonb,jsonb,boolean) IS 'Nothing; DN003 where a text uses what dunning.sensitivity forbids it.';
COMMENT ON FUNCTION dunning._check_reachable(text) IS 'Nothing, or 22023 where no step of the strategy counts from the due date without needing another before it.';
COMMENT ON FUNCTION dunning._check_step(dunning.step) IS 'Nothing, or 22023 saying what of a step cannot be.';
COMMENT ON FUNCTION dunning._check_template_kind(text,text,boolean) IS 'Nothing; 22023 where the name is in use for the other kind, template or partial.';
COMMENT ON FUNCTION dunning._check_users(text,text,text,text,text) IS 'A warning where nothing includes the partial; DN003 where a text that includes it, or the partial itself, would no longer hold.';
COMMENT ON FUNCTION dunning._companion_id(uuid) IS 'The key of the companion of a message.';
COMMENT ON FUNCTION dunning._contact_sql(text,text,boolean) IS 'SQL text: one row a debtor who was contacted: last_contact, last_day, ats, n7, n30, and unanswered (with answers: touches since the last payment or reaction, looking back 400 days).';
COMMENT ON FUNCTION dunning._costs(text,date,text,text) IS 'What a contact costs a creditor on a day, over each channel: its own price before that for all, a country''s before that of all, in the currency asked for, else in the channel''s own.';
COMMENT ON FUNCTION dunning._day_left(text,bigint) IS 'How many attempts more a server may make on this day (in dunning.timezone, else the server''s), recounted from egress; exact until the transaction ends.';
COMMENT ON FUNCTION dunning._disputed_sql(text,text) IS 'SQL texts: the disputed part of a balance b, and what must be joined to know it.';
COMMENT ON FUNCTION dunning._epc_line(text,text,integer) IS 'A field of the payload as one line; 22023 where it breaks or is too long.';
COMMENT ON FUNCTION dunning._equip_partition(text,text,text[]) IS 'How many indexes and grants of its parent a month lacked and got: new ones, or those that a later version brought.';
COMMENT ON FUNCTION dunning._equip_partitions() IS 'How many indexes and grants the months of messages lacked and got; maintain() calls it, so that an update reaches them.';
COMMENT ON FUNCTION dunning._event_day(jsonb,timestamp with time zone) IS 'The day that an event''s detail names as "on", else the day it happened; NULL where detail says it is cancelled.';
COMMENT ON FUNCTION dunning._expire_waiting() IS 'How many proposed or held messages were over and have been cancelled; their steps may be planned again.';
COMMENT ON FUNCTION dunning._find_template(text,text,text,text,text,boolean) IS 'The text in force for a template (or a partial), channel, language, creditor and framing; language falls back to the creditor''s and then to en, framing to neutral. A row of nulls where there is none.';
COMMENT ON FUNCTION dunning._free_steps(text[],uuid[]) IS 'Frees the step keys of messages of which no attempt left anything, unless cancel() took them back for good.';
COMMENT ON FUNCTION dunning._gate_facts_sql() IS 'SQL text with the arguments of _gate_sql(): what blocks at any instant (words), holds and their end, the mask, packed caps and history that dunning._open_ranges() and the best time read, in no order. Not for a broken ledger.';
COMMENT ON FUNCTION dunning._gate_places_sql(interval) IS 'SQL text: the mask and caps of each combination of place, kind and channel in w, with the rules valid from the first instant of a to so long after its last; ord of one row of each; what shuts it at that first instant, and which caps bar everybody.';
COMMENT ON FUNCTION dunning._gate_rules_sql(interval) IS 'SQL text: the places of the batch, and its rows up to the clock.';
COMMENT ON FUNCTION dunning._gate_sql() IS 'SQL text of the gate with $1 debtor_ids text[], $2 channels text[], $3 at timestamptz[], $4 marks text[], $5 message_ids uuid[]: ord, debtor_id, channel, blocked_by (empty: allowed), address, zone, mark, amounts, place (which of the batch''s), windows (the mask of dunning._windows(), on one row of each place), digest (of the address), in no order. Make it anew when _ledger_signature() changes.';
COMMENT ON FUNCTION dunning._held_up(text[],uuid[]) IS 'Which of these messages (their places in the arrays) have a queue row that another transaction holds just now; the rows of all others are locked until this transaction ends.';
COMMENT ON FUNCTION dunning._iban(text) IS 'An IBAN of SEPA without its spaces; NULL where the account is none: unknown country, wrong length, wrong check digits.';
COMMENT ON FUNCTION dunning._iban_lengths() IS 'SEPA''s countries, each with the length of its IBAN, and + where it is in the EEA.';
COMMENT ON FUNCTION dunning._is_steady(regclass) IS 'True where what the relation shows changes only when a transaction commits, or with the clock: tables, and views over tables with immutable functions or stable ones of PostgreSQL. False for foreign tables, row security, samples, volatile functions and others'' stable ones.';
COMMENT ON FUNCTION dunning._json_field(text,text) IS 'One printable field of a gateway''s reply, such as messages.0.id; NULL where there is none. Never errors out.';
COMMENT ON FUNCTION dunning._learn_book(timestamp with time zone) IS 'Rebuilds timing_book: hours of the book from the profiles, share of answers by channel.';
COMMENT ON FUNCTION dunning._ledger_steady() IS 'True where each bound relation is steady (_is_steady()): as long as no transaction ends, what was read of the ledger is still so. The built-in tables are.';
COMMENT ON FUNCTION dunning._length_limit(text) IS 'Characters that a text for a channel should not exceed; an SMS is counted in parts instead.';
COMMENT ON FUNCTION dunning._letter(uuid) IS 'What stands on a letter: the frozen words and address, else as they would be now; sender, personal note, payment code, date in the letter''s language. 22023 where there is no such message.';
COMMENT ON FUNCTION dunning._letter_code(jsonb) IS 'The payment code for what a context asks for: its own qr, else one made of account, sum and invoice numbers; NULL where there can be none.';
COMMENT ON FUNCTION dunning._letter_page(boolean,text) IS 'The template of a letter as HTML.';
COMMENT ON FUNCTION dunning._link_detail(jsonb) IS 'What is kept of the fields of a form: text, option, invoice, paid_on, amount, 2000 characters each. 22023 unless it is an object.';
COMMENT ON FUNCTION dunning._link_done(text,uuid,text) IS 'Was a link of this purpose and message acted on?';
COMMENT ON FUNCTION dunning._link_event(text) IS 'The kind of event that acting on a link of a purpose records.';
COMMENT ON FUNCTION dunning._link_key_problem() IS 'NULL, or why links cannot be signed.';
COMMENT ON FUNCTION dunning._lint_form(text,text,text,text,jsonb,jsonb,text,text,text) IS 'Warnings on the form of a text: amounts and dates as they are stored, parts that the channel does not show, lengths.';
COMMENT ON FUNCTION dunning._lint_languages(text,text,text,text,jsonb) IS 'Warnings on languages: debtors of the creditor (of all, for *) read one that the template has no text in; a partial that is included stands in another.';
COMMENT ON FUNCTION dunning._lint_template(text,text,text,text,text,text[],jsonb) IS 'What a reader would miss in a text: name, way to pay, line for those who paid; threats, lengths. Texts that are no template or name the unknown are errors (DN003).';
COMMENT ON FUNCTION dunning._maintain() IS 'The chores of maintain() but for what is learnt, which daily() refreshes before it plans.';
COMMENT ON FUNCTION dunning._marks(text[],text,text) IS 'The rows of _mark_sql() of these debtors: what rows_sql gives of them is added up, and where anything is odd exact_sql is asked. Runs both texts as the caller.';
COMMENT ON FUNCTION dunning._marks_sql(text) IS 'SQL text: the rows of _mark_sql(many) for a batch, added in C.';
COMMENT ON FUNCTION dunning._mod97(text) IS 'What is left of a code of letters and digits by ISO 7064 mod 97-10, its first four moved to the end; 1 is right.';
COMMENT ON FUNCTION dunning._next_open(timestamp with time zone,timestamp with time zone,text,bytea,text[],text[],text[],uuid[],timestamp with time zone[],integer[],timestamp with time zone[]) IS 'The first instant, now or at a multiple of five minutes, at which neither clock nor caps forbid the contact; NULL where there is none. When to look at a held message again.';
COMMENT ON FUNCTION dunning._offset_words(text,integer) IS 'What a signed offset from an anchor means in words.';
COMMENT ON FUNCTION dunning._optional_names() IS 'A context of the names that are known to every template and null unless planning has something for them.';
COMMENT ON FUNCTION dunning._page_choice(text,text,text,text,text) IS 'The template of one choice on the page behind a link.';
COMMENT ON FUNCTION dunning._page_context(jsonb,jsonb,boolean) IS 'The context of link_page(), from conversation(): names, open balances, offer and options as they are now. DN009 where the debtor is no longer known.';
COMMENT ON FUNCTION dunning._page_template(text,boolean,text) IS 'The template of the page behind a link of a purpose, or of the page that follows when it was acted on.';
COMMENT ON FUNCTION dunning._page_words(text) IS 'The sentences of link_page() in a language, NULL where there are none.';
COMMENT ON FUNCTION dunning._partials(text,text,text,text,text,text,text) IS 'The partials that a text and its partials include: {"name": {"text", "html", "language"}}, null for one that does not exist; NULL where it includes none.';
COMMENT ON FUNCTION dunning._payday(text,date[],date) IS 'The posterior over 48 schedules and ''none'' from dates of payments (the first 24 count), with each schedule''s next date from today on.';
COMMENT ON FUNCTION dunning._payday_around(text,date[],date) IS 'The likeliest payday schedule by _payday() with its probability, its last day up to today and its first after it; all NULL where no schedule is likelier than none.';
COMMENT ON FUNCTION dunning._recheck_clear_sql() IS 'SQL text with $1 debtor_ids, $2 channels, $3 at, $4 marks, $5 digests of the frozen addresses, $6 message_ids, $7 attempts under way: ord of the messages that plainly pass the recheck, if the clock lets them. The others, and those named twice, must be asked of _recheck_sql().';
COMMENT ON FUNCTION dunning._refresh_all() IS 'What was learnt anew, one row a kind, with how many rows.';
COMMENT ON FUNCTION dunning._refresh_profiles(text[],timestamp with time zone) IS 'The debtors whose profile was rebuilt from contacts, answers and payments before as_of (NULL: now); NULL: the whole book. Called by maintain().';
COMMENT ON FUNCTION dunning._render(text,text,text,jsonb,text,jsonb) IS 'The parts that templates become in a context, the names they used and those that were null; partials as _partials() gives them. Errors: DN003 no template or an unknown name, 22023 a value that cannot be shown, 53400 too large.';
COMMENT ON FUNCTION dunning._render_loose(text,jsonb,jsonb) IS 'A template rendered to the letter of the mustache specification, by the grammar and the walk of _render(): an unknown name is empty, {{{x}}} is not escaped. For its published cases; nothing that is sent goes this way.';
COMMENT ON FUNCTION dunning._repeated(text[]) IS 'Those that stand there more than once, each once; empty where none does.';
COMMENT ON FUNCTION dunning._report_reach(timestamp with time zone) IS 'One row a segment and channel over 90 days: debtors contacted, reached, paid within 14 days, cost, opt-outs.';
COMMENT ON FUNCTION dunning._reset_sql(text,text) IS 'The statement that undoes a setting of the extension where it was made; value: what to set in the server''s files instead of taking it out.';
COMMENT ON FUNCTION dunning._rotate_link_key(integer) IS 'The id of a new key of links; the one before verifies for so many days more. Not undone by a rollback.';
COMMENT ON FUNCTION dunning._score_sql(text[],text) IS 'SQL text: the score of every debtor; $1 as_of, $2 the instant, $4 the debtors who dispute an invoice.';
COMMENT ON FUNCTION dunning._settle_sent(text[],uuid[],smallint[],text[],text[],jsonb[]) IS 'How many messages it moved to sent: _settle() of verdicts that are all sent and cause nothing else.';
COMMENT ON FUNCTION dunning._signal_sql() IS 'SQL text: what events, holds, promises and paydays say of each overdue debtor; $1 as_of, $2 the instant, $4 who disputes an invoice; f a CTE of features, pay one of the payments of the overdue.';
COMMENT ON FUNCTION dunning._stage_ladder(timestamp with time zone) IS 'Stage ladder of a planning run: one row a debtor and step reached and not had; rung 1 goes first.';
COMMENT ON FUNCTION dunning._stage_steps(timestamp with time zone) IS 'Stages reach, candidate and choice of a planning run, one step a debtor.';
COMMENT ON FUNCTION dunning._step_key(text,text,date) IS 'The key of a step in once.';
COMMENT ON FUNCTION dunning._strategy_rules() IS 'The rules in force, in order.';
COMMENT ON FUNCTION dunning._suppress_for(text,text,uuid,text,jsonb) IS 'The channels on which an address of the debtor was suppressed, and for an opt-out or complaint those of the person''s other accounts too; ''*'' is every channel.';
COMMENT ON FUNCTION dunning._take_over(smallint[],uuid[]) IS 'How many attempts without outcome are left, because somebody holds their queue row just now. All others of these slices may have arrived: those in the queue wait for another attempt, of those stopped meanwhile the outcome is unknown and a person is asked.';
COMMENT ON FUNCTION dunning._template_fields(text,text,text,jsonb,jsonb) IS 'Every name in the templates, as its path in the context, also in sections that would not show. Errors as those of _render().';
COMMENT ON FUNCTION dunning._template_names(text,text,text,jsonb) IS 'Names and partials as the templates write them. With partials given, theirs too, and one that is missing or includes itself is an error (DN003).';
COMMENT ON FUNCTION dunning._token_of(text) IS 'Purpose, expiry and message of a genuine token; DN009 for any other, for whatever reason.';
COMMENT ON FUNCTION dunning._too_personal(text[],boolean) IS 'Those of the fields that a text may not use, with the level and the reason; permitted: the template may be personal.';
COMMENT ON FUNCTION dunning._touch(uuid) IS 'The touch that a message belongs to: a companion has the key of its message but for one octet, so both count as one contact.';
COMMENT ON FUNCTION dunning._visit(text,text,text,jsonb,jsonb) IS 'Every name in the templates, as its path in the context, also in sections that would not show; those shown without a filter. Errors as those of _render().';
COMMENT ON FUNCTION dunning._words("any") IS 'The given texts and the elements of the given text[] that are not NULL, in order; NULL where there are none.';
COMMENT ON FUNCTION dunning._zero_activity() IS 'The sums of no profile.';
COMMENT ON FUNCTION dunning.act_on_link(text,jsonb) IS 'Does what a link asks for and records it once, however often it is called: pay records clicked, plan circumstances_changed, already_paid paid_elsewhere, dispute disputed, opt_out opted_out. Of detail, the fields of a form, text, option, invoice, paid_on and amount are kept. Links of tests do nothing. For POST. DN009 as open_link(). Role dunning_operator.';
COMMENT ON FUNCTION dunning.assign_strategy(text,text,integer,text,text,text,text,boolean) IS 'The rule saved: debtors of this creditor, segment, diagnosis and kind (person, company; what is NULL does not matter) follow the strategy. The smallest position that fits goes first; enabled => false ends a rule. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.best_time(text,text,timestamp with time zone,timestamp with time zone,integer) IS 'The best allowed instant to contact a debtor within seven days (or the given span, at most 62 days), also in local time; top > 1: the best ones. p_response is shrunk, and uplift stays 0 until randomised contacts have calibrated it; reasons are log-ratios. Nothing allowed: contact_at NULL and why. Bad values: 22023. Role: dunning_viewer.';
COMMENT ON FUNCTION dunning.best_times(text,timestamp with time zone) IS 'best_time() of every debtor of the book for a channel. Unknown channel: 22023. Role: dunning_viewer.';
COMMENT ON FUNCTION dunning.epc_payload(text,text,numeric,text,text,text,text,text,text) IS 'The text of a QR code that a banking app reads as a SEPA credit transfer (EPC069-12, version 002, UTF-8, to be drawn with error correction M). 22023 where the account is no IBAN of SEPA, the currency not EUR, the amount not 0.01 to 999999999.99, a field too long or of several lines; outside of the EEA a bic is needed. Either remittance (140 characters) or an ISO 11649 reference. Role dunning_viewer.';
COMMENT ON FUNCTION dunning.letter_html(uuid,boolean) IS 'A message as a letter to print: a whole HTML page for A4 with address, date, words, the personal note of the context''s "note" in a written hand, and, with the extension dunning_letter, the payment QR code. at_window puts the address where a window envelope shows it; without, it looks like no bill. Unknown message: 22023. Role dunning_operator.';
COMMENT ON FUNCTION dunning.link_page(text,text,boolean) IS 'A whole HTML page to serve from your own site for GET on a link: what is open now, the offer of record and a form for each choice, in en, da, sv, nb, nl or de (NULL: the message''s language). Each form posts a token, and text, option or invoice, to the address the page came from: give them to act_on_link(), then go to its pay_url or show link_page(token, done => true). Changes nothing. No script, everything escaped. DN009 as open_link(). Role dunning_operator.';
COMMENT ON FUNCTION dunning.open_link(text) IS 'What a link is for, of whom, until when, which event acting on it would record and whether that was done already. Changes nothing: for GET. DN009 where the token is changed, cut, expired, of another database or of a lost key. Role dunning_operator.';
COMMENT ON FUNCTION dunning.payday(text) IS 'The three likeliest payday schedules (or ''none'') with probability and next date, from the last 24 payments that did not follow a contact within two days. Above 0.8 it may be shown as known. Unknown debtor: 22023. Role: dunning_viewer.';
COMMENT ON FUNCTION dunning.reset_http_preset(text) IS 'Deletes your own preset, so that the built-in one of the name stands again; false where there was none. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.rotate_link_key(integer) IS 'The id of a new key that signs links from now on, also the first one. Links of the key before work for keep_days more (0: end at once, as do those of all older keys); keys whose time is over are removed. A file: not undone by a rollback, and to be copied to standbys. Role dunning_admin.';
COMMENT ON FUNCTION dunning.save_creditor(text,text,text,text,text,text,text,text,text) IS 'Adds or changes a creditor: the names, reply address, phone and account that its messages show, its language and strategy, and link_url, where its own site serves link_page(). Who, when and the old values are kept. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.save_http_preset(text,text,text,text,text,text,text,text,text,text,text,text,text[],text) IS 'Makes or replaces your own preset of an HTTP gateway; one of a built-in name is used in its place. format is json, form or none; unknown placeholders: 22023 with those known. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.save_step(text,text,integer,integer,text,text[],text,text,text,boolean,integer,boolean,boolean,text,integer,jsonb,integer,integer,integer,integer,text,text,text,text,jsonb,boolean) IS 'The step saved and what its signed offset means in words: negative is before the anchor (due_date, last_contact, broken_promise, next_fee, hearing, payday, event:<kind>). channels in order of preference; condition is an SQL predicate over features and scores; paid_channels false = only channels that cost nothing; until self_cure_days after the due date likely self-curers get such channels only, until self_cure_wait nothing; after_contact = only where the debtor was contacted since the due date; again every repeat_days, at most repeat_max times; companion = a second message of the same touch; print = fields of a letter''s manifest; must = goes out whatever it is worth. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.save_strategy(text,text,jsonb,integer,interval,integer,double precision,numeric,boolean,jsonb,integer,integer,integer,text,text) IS 'The name of the strategy saved: smallest overdue sum a currency (* = the others), days of grace, how far ahead a time is looked for, days between two contacts, from which probability on a debtor is left to pay unasked, worth of a unit collected; a small rest that counts as paid; at most so many contacts in so many days; after so many without payment or reaction nothing more, or one last step; of several steps missed the furthest or the next. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.save_template(text,text,text,text,text,text,text,text,text[],boolean,boolean) IS 'The new version and what a reader would miss in it. vars: names that send() will be given; partial: a piece that others include by {{> name}}; personal: it may use what dunning.sensitivity calls personal. A text that is no template, names the unknown or includes itself is refused (DN003); earlier versions stay: template_history(). Role dunning_admin.';
COMMENT ON FUNCTION dunning.set_budget(numeric,text,text,text) IS 'What contacts may cost in a day in this currency (NULL: no limit any more), for a creditor and a campaign (the name of a strategy), or * for all together. What a day''s money is not enough for waits, the most worthwhile first. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.set_cost(text,numeric,text,text,date,text) IS 'From which day on a contact over this channel costs this much, for one creditor or (*) for all, in one country or all. A price in each currency that debtors owe lets planning weigh it against the debt. Role: dunning_admin.';
COMMENT ON FUNCTION dunning.set_sensitivity(text,text,text) IS 'The level before. Says whether texts may use a field: open, personal (where the template permits it) or never; NULL restores the shipped level. 22023 for another level. Role dunning_admin.';
COMMENT ON FUNCTION dunning.set_strategy(text,text,text) IS 'The strategy this debtor now follows: the one given, or with NULL again what the rules say. Steps already had stay had by the strategy they were taken by. Role: dunning_operator.';
COMMENT ON FUNCTION dunning.strategy_of(text) IS 'The strategy a debtor follows and by what: debtor (set by hand), rule:<name>, creditor or standard; NULL: no such debtor. Role: dunning_viewer.';
COMMENT ON TABLE dunning.budget IS 'What contacts may cost in a day, by creditor and campaign (strategy); * stands for all together. Each row that fits must have something left.';
COMMENT ON TABLE dunning.channel_cost IS 'What a contact costs, from when, in one currency or several; over the first values of dunning.channel.';
COMMENT ON TABLE dunning.debtor_strategy IS 'Debtors whose strategy was set by hand.';
COMMENT ON TABLE dunning.sensitivity IS 'Fields that are too personal for a text: personal needs the template''s own permission (save_template(personal => true)), never is refused. A user''s row replaces the built-in one of the same field; open takes a shipped guard away. Fields without a row are open.';
COMMENT ON TABLE dunning.strategy_rule IS 'Which debtors follow which strategy, by creditor, segment, diagnosis and kind of debtor; the smallest position that fits.';
COMMENT ON TABLE dunning.timing_book IS 'The hours and the share of answers of all debtors of a creditor: what profiles are shrunk to.';
COMMENT ON TABLE dunning.timing_profile IS 'What is known of a debtor''s hours and paydays; rebuilt by maintain() from egress, events and the ledger.';
