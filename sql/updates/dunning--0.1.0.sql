\echo Use "CREATE EXTENSION dunning" to load this file. \quit
-- base: roles, the clock, hashes and keys. Knows no domain word.

-- Roles belong to the cluster, not to the extension: made once, kept at DROP EXTENSION.
DO $do$
DECLARE
    wanted text[];
BEGIN
    FOREACH wanted SLICE 1 IN ARRAY ARRAY[
        ['dunning_owner',    'NOLOGIN'],
        ['dunning_admin',    'NOLOGIN'],
        ['dunning_operator', 'NOLOGIN'],
        ['dunning_viewer',   'NOLOGIN'],
        ['dunning_worker',   'LOGIN PASSWORD NULL CONNECTION LIMIT 0']]
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) wanted[1]) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted[1], wanted[2]);
        END IF;
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) wanted[1]) THEN
            RAISE EXCEPTION 'role "%" is a superuser', wanted[1]
                USING ERRCODE = '42501', HINT = pg_catalog.format('ALTER ROLE %I NOSUPERUSER;', wanted[1]);
        END IF;
    END LOOP;
    GRANT dunning_viewer TO dunning_operator;
    GRANT dunning_operator TO dunning_admin;
END
$do$;

GRANT USAGE ON SCHEMA dunning TO dunning_owner, dunning_worker, dunning_viewer;
GRANT CREATE ON SCHEMA dunning TO dunning_owner;

CREATE FUNCTION dunning._now() RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_now';
COMMENT ON FUNCTION dunning._now() IS 'The virtual clock (dunning.clock) if set, else the start of the statement.';

CREATE FUNCTION dunning._virtual_clock() RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_virtual_clock';
COMMENT ON FUNCTION dunning._virtual_clock() IS 'The virtual clock, NULL while the real one runs.';

CREATE FUNCTION dunning._hash64(value text, seed bigint DEFAULT 0) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_hash64';
COMMENT ON FUNCTION dunning._hash64(text, bigint) IS 'XXH64 of the text''s bytes: stable over versions and machines.';

CREATE FUNCTION dunning._uniform(value text, seed bigint DEFAULT 0) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uniform';
COMMENT ON FUNCTION dunning._uniform(text, bigint) IS 'A number in [0,1) that depends on the text and the seed alone.';

CREATE FUNCTION dunning._slice(debtor_id text) RETURNS smallint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_slice';
COMMENT ON FUNCTION dunning._slice(text) IS 'The debtor''s slice, 0 to 63: what one worker owns and one egress chain covers.';

CREATE FUNCTION dunning._uuid7() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uuid7';
COMMENT ON FUNCTION dunning._uuid7() IS 'A new UUIDv7 (RFC 9562) from the real clock, increasing within a session.';

CREATE FUNCTION dunning._uuid7_floor(at timestamptz) RETURNS uuid
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uuid7_floor';
COMMENT ON FUNCTION dunning._uuid7_floor(timestamptz) IS 'The smallest UUIDv7 of an instant: a partition bound. Infinite instants: 22023.';

CREATE FUNCTION dunning._uuid7_time(id uuid) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uuid7_time';
COMMENT ON FUNCTION dunning._uuid7_time(uuid) IS 'When a UUIDv7 was made; NULL for other uuids.';

-- Conditions that an administrator writes and a room places into its query.
CREATE FUNCTION dunning._predicate_columns(predicate text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_predicate_columns';
COMMENT ON FUNCTION dunning._predicate_columns(text) IS 'The columns that a condition names. 22023 where the text is not one expression.';

CREATE FUNCTION dunning._restrict() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_base_sql_restrict';
COMMENT ON FUNCTION dunning._restrict() IS 'Makes the calling SECURITY DEFINER function a security-restricted operation until it returns.';
-- ledger: the bound billing data. Read live, never copied, never written.

-- What is bound: one row a kind. The relation is kept as text, so that no object of ours depends on it.
CREATE TABLE dunning.source_binding (
    kind            text COLLATE "C" PRIMARY KEY CHECK (kind IN ('debtor', 'invoice', 'payment')),
    relation        text NOT NULL,                      -- quoted, schema-qualified
    relation_oid    oid,                                -- to find it again after a rename; never a dependency
    columns         jsonb NOT NULL,                     -- column name -> type name, as found when bound
    key_type        text NOT NULL,                      -- base type of debtor_id: how '007' is read
    max_age         interval,
    immutable       text[] NOT NULL DEFAULT '{}',
    bound_by        text NOT NULL,
    bound_at        timestamptz NOT NULL
);
COMMENT ON TABLE dunning.source_binding IS 'Which relation serves debtor, invoice and payment. Kinds without a row are served by the built-in tables.';

CREATE TABLE dunning.ledger_load (
    kind            text COLLATE "C" PRIMARY KEY CHECK (kind IN ('debtor', 'invoice', 'payment')),
    complete_until  timestamptz NOT NULL,
    loaded_at       timestamptz NOT NULL,
    loaded_by       text NOT NULL
);
COMMENT ON TABLE dunning.ledger_load IS 'Up to when each source is complete, as the import job last said.';

CREATE TABLE dunning.creditor (
    creditor        text COLLATE "C" NOT NULL,
    name            text NOT NULL,
    sender_name     text,
    reply_to        text,
    phone           text,
    account         text,
    language        text NOT NULL DEFAULT 'en',
    default_strategy text,
    builtin         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (creditor, builtin)
);
COMMENT ON TABLE dunning.creditor IS 'Who is owed: names, reply address, phone and account that messages show. A user''s row of the same name replaces the built-in one.';
INSERT INTO dunning.creditor (creditor, name, language, builtin) VALUES ('default', 'Accounts receivable', 'en', true);

CREATE TABLE dunning.creditor_change (
    creditor        text COLLATE "C" NOT NULL,
    changed_at      timestamptz NOT NULL,
    changed_by      text NOT NULL,
    before          jsonb                               -- NULL: there was none
);
COMMENT ON TABLE dunning.creditor_change IS 'Who changed a creditor, when, and what stood there before.';

-- Built-in ledger for those who have none: the same shape as the contract of bind().
CREATE TABLE dunning.debtor (
    debtor_id       text COLLATE "C" PRIMARY KEY,
    creditor        text COLLATE "C" NOT NULL DEFAULT 'default',
    person_id       text COLLATE "C",
    kind            text CHECK (kind IN ('person', 'company')),
    name            text,
    given_name      text,
    language        text,
    country         text,
    region          text,
    time_zone       text,
    email           text,
    phone           text,
    address         jsonb,
    preferred_channel text,
    consent         jsonb,
    attributes      jsonb
);
COMMENT ON TABLE dunning.debtor IS 'Built-in source of debtors, used while none is bound.';

CREATE TABLE dunning.invoice (
    debtor_id       text COLLATE "C" NOT NULL,
    invoice_id      text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT 'default',
    issued_on       date NOT NULL,
    due_on          date NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    kind            text NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit_note', 'fee', 'interest')),
    disputed        boolean,
    disputed_at     timestamptz,
    cancelled_at    timestamptz,
    recorded_at     timestamptz,
    reference       text,
    pay_url         text,
    PRIMARY KEY (debtor_id, invoice_id)
);
COMMENT ON TABLE dunning.invoice IS 'Built-in source of invoices, used while none is bound.';

CREATE TABLE dunning.payment (
    debtor_id       text COLLATE "C" NOT NULL,
    payment_id      text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT 'default',
    paid_at         timestamptz NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    invoice_id      text COLLATE "C",
    recorded_at     timestamptz,
    PRIMARY KEY (debtor_id, payment_id)
);
COMMENT ON TABLE dunning.payment IS 'Built-in source of payments, used while none is bound.';

SELECT pg_catalog.pg_extension_config_dump('dunning.source_binding', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.ledger_load', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.creditor', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.creditor_change', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.debtor', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.invoice', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.payment', '');
-- ledger: canonical ids, balances, creditors.

CREATE FUNCTION dunning._canonical_id(debtor_id text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    id text := _canonical_id.debtor_id;
    source record;
    digits numeric;
    wide numeric;
BEGIN
    SELECT b.key_type, b.relation INTO source FROM dunning.source_binding b
    ORDER BY array_position(ARRAY['debtor', 'invoice', 'payment'], b.kind) LIMIT 1;
    -- No cast that may fail: an exception handler would cost a subtransaction a call.
    IF id IS NULL THEN
        RETURN NULL;
    ELSIF id = '' THEN
        NULL;
    ELSIF source.key_type IN ('smallint', 'integer', 'bigint') OR source.key_type LIKE 'numeric%' THEN
        IF length(id) <= 1000 AND id ~ '^\s*[+-]?[0-9]+\s*$' THEN
            digits := id::numeric;
            wide := CASE source.key_type WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647 WHEN 'bigint' THEN 9223372036854775807
                         ELSE power(10::numeric, substring(source.key_type FROM '\((\d+)')::int) - 1 END;
            IF digits <= wide AND (digits >= -wide OR digits = -wide - 1 AND source.key_type NOT LIKE 'numeric%') THEN
                RETURN digits::text;
            END IF;
        END IF;
    ELSIF source.key_type = 'uuid' THEN
        IF id ~ '^([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$' OR id ~ '^\{([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}$' THEN
            RETURN id::uuid::text;
        END IF;
    ELSE
        RETURN id;
    END IF;
    RAISE EXCEPTION 'debtor id "%" cannot be read', left(id, 100)
        USING ERRCODE = 'DN002',
              DETAIL = CASE WHEN id = '' THEN 'It is empty.' ELSE format('The key of %s is %s.', source.relation, source.key_type) END,
              HINT = 'Give the id as the billing system has it: SELECT debtor_id FROM dunning.find_debtor(''name'');';
END
$body$;
COMMENT ON FUNCTION dunning._canonical_id(text) IS
'The id as the bound source prints it: 007 of bigint keys is 7, uuids are lower case. DN002 where it cannot be a key of the source; NULL stays NULL.';

CREATE FUNCTION dunning.balance(debtor_id text, as_of timestamptz DEFAULT NULL)
RETURNS TABLE (currency text, balance numeric, overdue numeric, oldest_due_on date, days_past_due int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(balance.as_of);
    RETURN QUERY EXECUTE format($q$
        SELECT b.currency, trim_scale(b.balance), coalesce(trim_scale(o.overdue), 0), o.oldest, coalesce(GREATEST(t.today - o.oldest, 0), 0)
        FROM (%s) b
        CROSS JOIN (SELECT (coalesce($2, dunning._now()) AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS today) t
        LEFT JOIN LATERAL (SELECT min(x.due_on) AS oldest, sum(x.open) FILTER (WHERE x.due_on < t.today) AS overdue
                           FROM (%s) x WHERE x.currency = b.currency) o ON true
        ORDER BY b.currency$q$, dunning._balances_sql('$1', '$2'), dunning._open_items_sql('$1', '$2'))
        USING ARRAY[dunning._canonical_id(balance.debtor_id)], balance.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.balance(text, timestamptz) IS
'What a debtor owes, a row a currency (negative: credit): balance, the part past its due date, the oldest due date of an open invoice and days past due (0 before due). The one number that messages, gate and report use. as_of NULL: now. Currencies are never added. DN001 broken source, DN002 unreadable id. Role: dunning_viewer.';

CREATE FUNCTION dunning.balance_history(debtor_id text)
RETURNS TABLE (on_date date, currency text, balance numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT x.on_date, x.currency, trim_scale(sum(x.change) OVER (PARTITION BY x.currency ORDER BY x.on_date))
        FROM (SELECT e.on_date, e.currency, sum(e.change) AS change
            FROM (SELECT l.issued_on AS on_date, l.currency, CASE WHEN l.kind = 'credit_note' THEN -abs(l.amount) ELSE l.amount END AS change
                  FROM (%1$s) l
                  UNION ALL
                  SELECT (l.cancelled_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date, l.currency,
                         CASE WHEN l.kind = 'credit_note' THEN abs(l.amount) ELSE -l.amount END
                  FROM (%1$s) l WHERE l.cancelled_at IS NOT NULL
                  UNION ALL
                  SELECT (l.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date, l.currency, -l.amount FROM (%2$s) l) e
            WHERE e.change > '-Infinity' AND e.change < 'Infinity' AND isfinite(e.on_date)
            GROUP BY 1, 2) x
        ORDER BY x.on_date, x.currency$q$, dunning._ledger_sql('invoice', '$1'), dunning._ledger_sql('payment', '$1'))
        USING ARRAY[dunning._canonical_id(balance_history.debtor_id)];
END
$body$;
COMMENT ON FUNCTION dunning.balance_history(text) IS
'The balance of a debtor at the end of each day on which it changed, a row a currency, from dated invoices, credit notes, cancellations and payments. Role: dunning_viewer.';

CREATE FUNCTION dunning.save_creditor(creditor text, name text, sender_name text DEFAULT NULL, reply_to text DEFAULT NULL, phone text DEFAULT NULL,
    account text DEFAULT NULL, language text DEFAULT 'en', default_strategy text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
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
    INSERT INTO dunning.creditor_change (creditor, changed_at, changed_by, before)
    SELECT save_creditor.creditor, dunning._now(), session_user,
           (SELECT to_jsonb(c) FROM dunning.creditor c WHERE c.creditor = save_creditor.creditor ORDER BY c.builtin LIMIT 1);
    INSERT INTO dunning.creditor AS c (creditor, name, sender_name, reply_to, phone, account, language, default_strategy, builtin)
    VALUES (save_creditor.creditor, save_creditor.name, save_creditor.sender_name, save_creditor.reply_to, save_creditor.phone,
            save_creditor.account, save_creditor.language, save_creditor.default_strategy, false)
    ON CONFLICT ON CONSTRAINT creditor_pkey DO UPDATE
    SET name = EXCLUDED.name, sender_name = EXCLUDED.sender_name, reply_to = EXCLUDED.reply_to, phone = EXCLUDED.phone,
        account = EXCLUDED.account, language = EXCLUDED.language, default_strategy = EXCLUDED.default_strategy;
END
$body$;
COMMENT ON FUNCTION dunning.save_creditor(text, text, text, text, text, text, text, text) IS
'Adds or changes a creditor: the names, reply address, phone and account that its messages show, its language and strategy. Who, when and the old values are kept. Role: dunning_admin.';

GRANT EXECUTE ON FUNCTION dunning.balance(text, timestamptz), dunning.balance_history(text) TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning.save_creditor(text, text, text, text, text, text, text, text) TO dunning_admin;
GRANT EXECUTE ON FUNCTION dunning._canonical_id(text) TO dunning_worker;
GRANT SELECT ON dunning.creditor TO dunning_viewer, dunning_worker;
-- ledger: what a source must look like, binding one, and noticing that it broke.

CREATE FUNCTION dunning._ledger_contract(kind text)
RETURNS TABLE (pos int, name text, class text, required boolean, guesses text[])
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT c.pos, c.name, c.class, c.required, c.guesses
    FROM (VALUES
        ('debtor',  1, 'debtor_id',    'key',     true,  '{customer_id,customerid,account_id,account_no,client_id,customer_no,id}'::text[]),
        ('debtor',  2, 'creditor',     'text',    false, '{}'),
        ('debtor',  3, 'person_id',    'text',    false, '{}'),
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
        ('invoice', 13, 'reference',   'text',    false, '{}'),
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
END
$body$;
COMMENT ON FUNCTION dunning.bind(text, regclass, interval, text[]) IS
'Binds debtor, invoice or payment to a table or view of the billing system, read live from now on. Checks names, types and rights and grants nothing: 22023 with a CREATE VIEW in HINT, 42501 with the GRANT. With max_age everything is held as ledger_stale unless ledger_loaded() is younger. immutable lists columns that never change once written, so that they are known for a past instant too. Role: dunning_admin.';

CREATE FUNCTION dunning.unbind(kind text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_kind(unbind.kind);
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

CREATE FUNCTION dunning._ledger_problem() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    b dunning.source_binding;
    stale boolean := false;
BEGIN
    FOR b IN SELECT s.* FROM dunning.source_binding s LOOP
        IF (dunning._source_fault(b)).fault IS NOT NULL THEN
            RETURN 'ledger_broken';
        END IF;
        stale := stale OR b.max_age IS NOT NULL AND NOT EXISTS (
            SELECT FROM dunning.ledger_load l
            WHERE l.kind = b.kind AND l.complete_until >= dunning._now() - b.max_age);
    END LOOP;
    RETURN CASE WHEN stale THEN 'ledger_stale' END;
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

GRANT EXECUTE ON FUNCTION dunning.bind(text, regclass, interval, text[]), dunning.unbind(text) TO dunning_admin;
GRANT EXECUTE ON FUNCTION dunning.ledger_loaded(text, timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._sources() TO dunning_viewer;
GRANT SELECT ON dunning.source TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._ledger_problem(), dunning._ledger_signature() TO dunning_worker;
-- ledger: SQL text that reads the sources. The bound relations are known only at run time, so readers of sets compose text.
--
-- The text is run by functions with search_path = pg_catalog, pg_temp and by the worker under the same setting; what is not of
-- pg_catalog is qualified in it. `many` and `as_of` are SQL expressions placed into the text.
--
-- Time: a row exists while coalesce(recorded_at, paid_at or issued_on) lies before the cut: as_of, or just after the virtual clock
-- (a row AT the clock exists), whichever is first; no cut with the real clock and no as_of. The cut stands in scalar subqueries,
-- which run once a statement and are NULL-safe.

CREATE FUNCTION dunning._ids_int8(ids text[]) RETURNS bigint[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_ledger_sql_ids_int8';
COMMENT ON FUNCTION dunning._ids_int8(text[]) IS 'Canonical ids as bigint; those that are none are left out.';

CREATE FUNCTION dunning._ids_numeric(ids text[]) RETURNS numeric[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_ledger_sql_ids_numeric';
COMMENT ON FUNCTION dunning._ids_numeric(text[]) IS 'Canonical ids as numeric; those that are none are left out.';

CREATE FUNCTION dunning._ids_uuid(ids text[]) RETURNS uuid[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_ledger_sql_ids_uuid';
COMMENT ON FUNCTION dunning._ids_uuid(text[]) IS 'Canonical ids as uuid; those that are none are left out.';

CREATE FUNCTION dunning._ledger_zone() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN coalesce(nullif(current_setting('dunning.timezone', true), ''), current_setting('TimeZone'));
END
$body$;
COMMENT ON FUNCTION dunning._ledger_zone() IS 'The zone in which dates of the ledger begin and end: dunning.timezone, else the server''s.';

CREATE FUNCTION dunning._check_as_of(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    IF NOT isfinite(_check_as_of.as_of) THEN
        RAISE EXCEPTION 'as_of must be an instant' USING ERRCODE = '22023',
            DETAIL = format('It is %s.', _check_as_of.as_of), HINT = 'Leave as_of out for the present.';
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning._check_as_of(timestamptz) IS 'Complains (22023) about an infinite as_of; NULL is the present.';

CREATE FUNCTION dunning._cut_sql(as_of text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN 'LEAST(' || coalesce('(' || $1 || ')::timestamptz', 'NULL::timestamptz')
           || ', dunning._virtual_clock() + ''0.000001 s''::interval)';
END
$body$;
COMMENT ON FUNCTION dunning._cut_sql(text) IS 'SQL text of the instant before which a row exists; NULL: every row does.';

-- A minute of grace, so that as_of => now(), taken a statement ago, is not the past.
CREATE FUNCTION dunning._is_live_sql(as_of text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format('(SELECT coalesce(%s >= now() - ''1 min''::interval, true))', dunning._cut_sql($1));
END
$body$;
COMMENT ON FUNCTION dunning._is_live_sql(text) IS 'SQL text: is as_of the real present, so that undated figures such as open_amount are those of that instant?';

CREATE FUNCTION dunning._source_of(kind text, OUT relation text, OUT builtin boolean, OUT columns jsonb, OUT immutable text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    b dunning.source_binding;
    fault record;
    rel oid;
BEGIN
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
$body$;
COMMENT ON FUNCTION dunning._source_of(text) IS 'The relation that serves a kind and its contract columns. A broken source: DN001 with what is wrong in DETAIL and the mending SQL in HINT.';

-- One contract column of the source as the contract's type; absent optional ones as their default or a typed NULL.
CREATE FUNCTION dunning._column_sql(class text, name text, base oid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN CASE $1
        WHEN 'key'     THEN CASE WHEN $3 IS NULL THEN 'NULL::text' ELSE format('s.%I::text', $2) END || ' COLLATE "C"'
        WHEN 'text'    THEN
            CASE WHEN $3 IS NULL THEN 'NULL::text' ELSE format('s.%I::text', $2) END
            || CASE WHEN $2 IN ('creditor', 'person_id', 'currency', 'kind') THEN ' COLLATE "C"' ELSE '' END
        WHEN 'instant' THEN
            CASE WHEN $3 IS NULL THEN 'NULL::timestamptz' WHEN $3 = 1184 THEN format('s.%I::timestamptz', $2)
                 ELSE format('(s.%I::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()))', $2) END
        ELSE CASE WHEN $3 IS NULL THEN 'NULL' ELSE format('s.%I', $2) END || '::' || dunning._contract_cast($1, 0)
    END;
END
$body$;
COMMENT ON FUNCTION dunning._column_sql(text, text, oid) IS 'SQL text of a contract column of the source s, NULL of its type where the source has none.';

CREATE FUNCTION dunning._many_sql(many text, name text, base oid, collation_name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format('s.%I = ANY (', $2) || CASE
        WHEN $3 IN (20, 21, 23) THEN format('dunning._ids_int8(%s)', $1)
        WHEN $3 = 1700 THEN format('dunning._ids_numeric(%s)', $1)
        WHEN $3 = 2950 THEN format('dunning._ids_uuid(%s)', $1)
        ELSE format('(%s)::text[] COLLATE %s', $1, coalesce($4, 'pg_catalog."default"')) END || ')';
END
$body$;
COMMENT ON FUNCTION dunning._many_sql(text, text, oid, text) IS 'SQL text that compares the source''s key, in its own type and collation, with canonical ids: its own index serves.';

CREATE FUNCTION dunning._ledger_sql(kind text, many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
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
        conditions := conditions || 's.debtor_id IS NOT NULL'::text;
    END IF;
    RETURN format('SELECT %s, s.debtor_id AS source_id FROM %s AS s WHERE %s', items, src.relation, array_to_string(conditions, ' AND '));
END
$body$;
COMMENT ON FUNCTION dunning._ledger_sql(text, text, text) IS
'SQL text: the rows of a kind with the contract''s columns in order (absent optional ones as defaults or typed NULLs), debtor_id as canonical text COLLATE "C", and source_id in the source''s own type. many: SQL expression of text[] canonical ids, NULL for the whole book; as_of: SQL expression of an instant. Broken source: DN001.';

-- The two halves that every sum over the ledger is made of. A credit note is a negative amount, whatever its sign in the source.
CREATE FUNCTION dunning._invoices_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format($q$SELECT l.debtor_id, l.invoice_id, l.currency, l.issued_on, l.due_on,
        CASE WHEN l.kind = 'credit_note' THEN -abs(l.amount) ELSE l.amount END AS amount,
        CASE WHEN l.kind = 'credit_note' THEN -abs(l.open_amount) ELSE l.open_amount END AS stated, l.kind, l.disputed, l.reference, l.pay_url, l.recorded_at
        FROM (%s) l WHERE l.cancelled_at IS NULL$q$, dunning._ledger_sql('invoice', _invoices_sql.many, _invoices_sql.as_of));
END
$body$;
COMMENT ON FUNCTION dunning._invoices_sql(text, text) IS 'SQL text: uncancelled invoices, credit notes as negative amounts.';

-- Is the balance the source's own open_amount? SQL text of a boolean.
CREATE FUNCTION dunning._states_balance_sql(as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN CASE WHEN NOT EXISTS (SELECT FROM dunning.source_binding b WHERE b.kind = 'invoice' AND b.columns ? 'open_amount') THEN 'false'
                ELSE dunning._is_live_sql(_states_balance_sql.as_of) END;
END
$body$;
COMMENT ON FUNCTION dunning._states_balance_sql(text) IS 'SQL text of a boolean: the source states open amounts and as_of is the present, so they are the balance.';

-- Payments that name an invoice pay it; what they pay too much, payments that name none (or one that is not there, or is of another
-- currency) and credit notes form a pool a debtor and currency, which pays the oldest due first. Hence pool = all credit - what went
-- to named invoices. A reversal that exceeds what was paid leaves the invoice dearer than it was.
CREATE FUNCTION dunning._allocation_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    states text := dunning._states_balance_sql(_allocation_sql.as_of);
BEGIN
    RETURN format($q$
    i AS MATERIALIZED (SELECT l.* FROM (%1$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity'
        AND (l.amount < 0 OR isfinite(l.due_on) AND isfinite(l.issued_on)) AND l.currency <> ''),
    p AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.invoice_id, sum(l.amount) AS paid FROM (%2$s) l
        WHERE l.amount > '-Infinity' AND l.amount < 'Infinity' AND l.currency <> '' GROUP BY 1, 2, 3),
    d AS MATERIALIZED (SELECT i.*, CASE WHEN %3$s THEN GREATEST(i.stated, 0) ELSE i.amount - LEAST(coalesce(p.paid, 0), i.amount) END AS rem
        FROM i LEFT JOIN p ON p.debtor_id = i.debtor_id AND p.invoice_id = i.invoice_id AND p.currency = i.currency
        WHERE i.amount > 0),
    pool AS (SELECT u.debtor_id, u.currency, sum(u.credit) AS pool FROM (
        SELECT p.debtor_id, p.currency, p.paid AS credit FROM p WHERE NOT %3$s
        UNION ALL SELECT i.debtor_id, i.currency, -i.amount FROM i WHERE i.amount < 0 AND NOT %3$s
        UNION ALL SELECT d.debtor_id, d.currency, d.rem - d.amount FROM d WHERE d.rem <> d.amount AND NOT %3$s
        UNION ALL SELECT i.debtor_id, i.currency, -i.stated FROM i WHERE i.stated < 0 AND %3$s) u GROUP BY 1, 2),
    queued AS (SELECT d.*, coalesce(pool.pool, 0) AS pool,
        sum(d.rem) OVER (PARTITION BY d.debtor_id, d.currency ORDER BY d.due_on, d.issued_on, d.invoice_id
                         ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - d.rem AS before
        FROM d LEFT JOIN pool ON pool.debtor_id = d.debtor_id AND pool.currency = d.currency),
    allocated AS (SELECT q.*, q.rem - GREATEST(0, LEAST(q.rem, q.pool - q.before)) AS open FROM queued q)$q$,
        dunning._invoices_sql(_allocation_sql.many, _allocation_sql.as_of),
        dunning._ledger_sql('payment', _allocation_sql.many, _allocation_sql.as_of), states);
END
$body$;
COMMENT ON FUNCTION dunning._allocation_sql(text, text) IS 'SQL text of common table expressions up to `allocated`: positive invoices with what is still open of each.';

CREATE FUNCTION dunning._open_items_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format($q$WITH %s
SELECT a.debtor_id, a.invoice_id, a.currency, a.issued_on, a.due_on, a.amount, a.open, a.disputed, a.kind, a.reference, a.pay_url
FROM allocated a WHERE a.open > 0$q$, dunning._allocation_sql(_open_items_sql.many, _open_items_sql.as_of));
END
$body$;
COMMENT ON FUNCTION dunning._open_items_sql(text, text) IS
'SQL text: one row an unpaid positive invoice with its open amount; credit notes, unallocated and reversed payments are already allocated, oldest due first, each currency by itself. Invoices whose amount is NaN or infinite are left out (_mark_sql() calls their debtor invalid).';

CREATE FUNCTION dunning._balances_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    states text := dunning._states_balance_sql(_balances_sql.as_of);
    owed text := 'l.amount';
    checked text := 'l.amount';
    repaid text := '-l.amount';
BEGIN
    IF states <> 'false' THEN
        owed := format('CASE WHEN %s THEN l.stated ELSE l.amount END', states);
        checked := format('(CASE WHEN %s THEN l.stated + l.amount ELSE l.amount END)', states);
        repaid := format('CASE WHEN %s THEN 0 ELSE -l.amount END', states);
    END IF;
    RETURN format($q$SELECT u.debtor_id, coalesce(u.currency, '') AS currency,
        coalesce(sum(u.owed) FILTER (WHERE u.countable), 0) AS balance, count(u.paid) AS payments,
        coalesce(sum(u.paid) FILTER (WHERE u.countable), 0) AS paid, min(u.problem) AS problem,
        coalesce(sum(u.owed) FILTER (WHERE u.disputed AND u.countable AND u.owed > 0), 0) AS disputed
    FROM (SELECT l.debtor_id, l.currency, %1$s AS owed, NULL::numeric AS paid, l.disputed,
            %2$s > '-Infinity' AND %2$s < 'Infinity' AND l.currency <> '' AS countable,
            CASE WHEN (%2$s > '-Infinity' AND %2$s < 'Infinity') IS NOT TRUE THEN 'amount_not_finite'
                 WHEN (l.currency <> '') IS NOT TRUE THEN 'currency_missing'
                 WHEN l.amount > 0 AND (isfinite(l.issued_on) AND isfinite(l.due_on)) IS NOT TRUE THEN 'date_not_finite'
                 WHEN l.amount > 0 AND l.due_on < l.issued_on THEN 'due_before_issued' END AS problem
        FROM (%3$s) l
        UNION ALL
        SELECT l.debtor_id, l.currency, %4$s, l.amount, false, l.amount > '-Infinity' AND l.amount < 'Infinity' AND l.currency <> '',
            CASE WHEN (l.amount > '-Infinity' AND l.amount < 'Infinity') IS NOT TRUE THEN 'amount_not_finite'
                 WHEN (l.currency <> '') IS NOT TRUE THEN 'currency_missing' END
        FROM (%5$s) l) u
    GROUP BY 1, 2$q$, owed, checked, dunning._invoices_sql(_balances_sql.many, _balances_sql.as_of), repaid,
        dunning._ledger_sql('payment', _balances_sql.many, _balances_sql.as_of));
END
$body$;
COMMENT ON FUNCTION dunning._balances_sql(text, text) IS
'SQL text: one row a debtor and currency: balance (negative: credit), number and sum of payments, the first problem of its rows (amount_not_finite, currency_missing, date_not_finite, due_before_issued), and what of it is disputed.';

CREATE FUNCTION dunning._mark_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    marks text;
BEGIN
    marks := format($q$SELECT c.debtor_id,
    string_agg(c.currency || ':' || trim_scale(c.balance) || ':' || c.payments || ':' || trim_scale(c.paid)
        || CASE WHEN c.disputed > 0 THEN ':' || trim_scale(c.disputed) ELSE '' END, ',' ORDER BY c.currency) AS mark,
    coalesce(jsonb_object_agg(c.currency, trim_scale(c.balance)) FILTER (WHERE c.balance > 0), '{}') AS amounts,
    bool_and(c.problem IS NULL) AS valid, min(c.problem) AS problem,
    bool_or(c.balance > 0) AND bool_and(c.disputed >= c.balance) AS disputed
FROM (%s) c GROUP BY 1$q$, dunning._balances_sql(_mark_sql.many, _mark_sql.as_of));
    RETURN CASE WHEN _mark_sql.many IS NULL THEN marks ELSE format($q$SELECT w.debtor_id, coalesce(m.mark, '') AS mark,
    coalesce(m.amounts, '{}') AS amounts, coalesce(m.valid, true) AS valid, m.problem, coalesce(m.disputed, false) AS disputed
FROM (SELECT DISTINCT x.x COLLATE "C" AS debtor_id FROM unnest((%s)::text[]) x WHERE x.x IS NOT NULL) w
LEFT JOIN (%s) m ON m.debtor_id = w.debtor_id$q$, _mark_sql.many, marks) END;
END
$body$;
COMMENT ON FUNCTION dunning._mark_sql(text, text) IS
'SQL text: one row a debtor (each of many, also those without rows): mark (currency:balance:payments:paid, and :disputed where a part is, sorted), amounts (currency to balance > 0), valid (false where an amount is NaN, infinite or missing, a date is infinite or missing, due lies before issue, or a currency is missing), the first such problem, and disputed (all that is owed is).';

GRANT EXECUTE ON FUNCTION dunning._ids_int8(text[]), dunning._ids_numeric(text[]), dunning._ids_uuid(text[]), dunning._ledger_zone(),
    dunning._ledger_sql(text, text, text), dunning._open_items_sql(text, text), dunning._mark_sql(text, text) TO dunning_worker;
GRANT EXECUTE ON FUNCTION dunning._now(), dunning._virtual_clock() TO dunning_worker;
GRANT SELECT ON dunning.debtor, dunning.invoice, dunning.payment TO dunning_worker;
-- ledger: when each invoice was settled.

-- An invoice is covered when what it got stays at or above its amount for good, so that a reversal takes the settlement back. The pool
-- pays the invoices in order of their due dates, hence an invoice that begins at `before` in that order is covered by the first
-- credit that lifts the pool to before + rem: both are put on one axis and read off with a window.
CREATE FUNCTION dunning._settlement_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format($q$WITH %s,
    paid AS (SELECT l.*, sum(l.amount) OVER (PARTITION BY l.debtor_id, l.currency, l.invoice_id
            ORDER BY l.paid_at, l.amount DESC, l.payment_id ROWS UNBOUNDED PRECEDING) AS total
        FROM (%s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity' AND l.currency <> ''),
    kept AS (SELECT p.*, min(p.total) OVER (PARTITION BY p.debtor_id, p.currency, p.invoice_id
            ORDER BY p.paid_at DESC, p.amount, p.payment_id DESC ROWS UNBOUNDED PRECEDING) AS kept FROM paid p),
    direct AS (SELECT d.debtor_id, d.currency, d.invoice_id, count(*) FILTER (WHERE k.amount > 0) AS payments,
            min(k.paid_at) FILTER (WHERE k.amount > 0) AS first_at, max(k.paid_at) AS last_at,
            min(k.paid_at) FILTER (WHERE k.kept >= d.amount) AS covered_at, sum(k.amount) - d.amount AS excess
        FROM d JOIN kept k ON k.debtor_id = d.debtor_id AND k.invoice_id = d.invoice_id AND k.currency = d.currency
        GROUP BY d.debtor_id, d.currency, d.invoice_id, d.amount),
    credit AS (SELECT k.debtor_id, k.currency, k.paid_at AS at, k.amount FROM kept k
        WHERE NOT EXISTS (SELECT FROM d WHERE d.debtor_id = k.debtor_id AND d.invoice_id = k.invoice_id AND d.currency = k.currency)
        UNION ALL SELECT i.debtor_id, i.currency, i.issued_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()), -i.amount FROM i WHERE i.amount < 0
        UNION ALL SELECT t.debtor_id, t.currency, t.last_at, t.excess FROM direct t WHERE t.excess > 0),
    level AS (SELECT c.*, sum(c.amount) OVER (PARTITION BY c.debtor_id, c.currency ORDER BY c.at, c.amount DESC ROWS UNBOUNDED PRECEDING) AS total
        FROM credit c),
    axis AS (SELECT v.debtor_id, v.currency, NULL::text AS invoice_id, 1 AS rank, v.at,
            min(v.total) OVER (PARTITION BY v.debtor_id, v.currency ORDER BY v.at DESC, v.amount ROWS UNBOUNDED PRECEDING) AS place
        FROM level v
        UNION ALL SELECT a.debtor_id, a.currency, a.invoice_id, 0, NULL, a.before FROM allocated a WHERE a.pool > a.before AND a.rem > 0
        UNION ALL SELECT a.debtor_id, a.currency, a.invoice_id, 2, NULL, a.before + a.rem FROM allocated a WHERE a.pool > a.before AND a.rem > 0),
    reached AS (SELECT x.debtor_id, x.currency, x.invoice_id, min(x.first_credit) FILTER (WHERE x.rank = 0) AS first_at,
            min(x.first_credit) FILTER (WHERE x.rank = 2) AS covered_at
        FROM (SELECT x.*, min(x.at) OVER (PARTITION BY x.debtor_id, x.currency ORDER BY x.place DESC, x.rank ROWS UNBOUNDED PRECEDING) AS first_credit
              FROM axis x) x
        WHERE x.rank <> 1 GROUP BY 1, 2, 3)
SELECT a.debtor_id, a.invoice_id, a.currency, a.issued_on, a.due_on, a.amount, a.kind, a.open,
    (coalesce(t.payments, 0) + (r.invoice_id IS NOT NULL)::int)::int AS payments,
    LEAST(t.first_at, r.first_at) AS first_paid_at,
    CASE WHEN a.open > 0 THEN NULL WHEN r.invoice_id IS NULL THEN t.covered_at
         ELSE GREATEST(r.covered_at, t.last_at) END AS settled_at,
    a.disputed
FROM allocated a
LEFT JOIN direct t ON t.debtor_id = a.debtor_id AND t.invoice_id = a.invoice_id AND t.currency = a.currency
LEFT JOIN reached r ON r.debtor_id = a.debtor_id AND r.invoice_id = a.invoice_id AND r.currency = a.currency$q$,
        dunning._allocation_sql(_settlement_sql.many, _settlement_sql.as_of),
        dunning._ledger_sql('payment', _settlement_sql.many, _settlement_sql.as_of));
END
$body$;
COMMENT ON FUNCTION dunning._settlement_sql(text, text) IS
'SQL text: one row a positive, uncancelled invoice: what is open, number of payments (the pool of unallocated credit counts as one), when the first came, and when it was settled (NULL: not settled at as_of, or settled by an open_amount without dated payments).';

GRANT EXECUTE ON FUNCTION dunning._settlement_sql(text, text) TO dunning_worker;
-- feature: what could be known of a debtor, or of a debtor when an invoice was issued, and nothing that came after.
--
-- The ledger's rows are gathered into arrays a debtor and replayed by a pure function in the order in which the ledger learnt of
-- them (src/feature/account.c). features() reads the account off at its end, invoice_features() when each invoice was issued: a model
-- is trained on and asked with the same figures. The rows of a person's other creditors are not looked at.

CREATE TYPE dunning.history_look AS (
    invoice_id text, at timestamptz, step int, step_late float8, currency text, currencies int, n_invoices int, n_paid int, n_late int,
    n_open int, n_overdue int, n_payments int, amount_billed float8, amount_paid float8, amount_open float8, amount_overdue float8,
    dpd_0 float8, dpd_1_30 float8, dpd_31_60 float8, dpd_61_90 float8, dpd_over_90 float8, days_past_due int,
    days_since_payment int, days_since_invoice int, late_ratio float8, late_amount_ratio float8, avg_late float8, sum_late float8,
    last_late float8, max_late float8, avg_late_3 float8, trend float8, ewma_late float8, partial_ratio float8, month_end_ratio float8,
    amount_mean float8, tenure_days int, issued_on date, due_on date, amount float8, settled_on date
);
COMMENT ON TYPE dunning.history_look IS 'A look at an account at one instant (step 0), or one settlement gained (1) or lost (-1).';

CREATE TYPE dunning.debtor_features AS (
    debtor_id text, creditor text, as_of timestamptz,
    currency text, currencies int,
    n_invoices int, n_paid int, n_late int, n_open int, n_overdue int, n_payments int,
    amount_billed float8, amount_paid float8, amount_open float8, amount_overdue float8,
    dpd_0 float8, dpd_1_30 float8, dpd_31_60 float8, dpd_61_90 float8, dpd_over_90 float8, days_past_due int,
    days_since_payment int, days_since_invoice int, tenure_days int,
    late_ratio float8, late_amount_ratio float8, avg_late float8, last_late float8, max_late float8, avg_late_3 float8, trend float8, ewma_late float8,
    late_ratio_shrunk float8, avg_late_shrunk float8, coverage float8,
    partial_ratio float8, month_end_ratio float8, amount_mean float8, open_vs_mean float8
);
COMMENT ON TYPE dunning.debtor_features IS
'A debtor at as_of. Counts (n_*) are over all currencies; sums are in `currency` alone: one with an open balance, then the one of most invoices; currencies counts them. n_*: invoices proper (fees and interest are owed, but tell nothing of habits; n_open and n_overdue count them). dpd_*: open amount by days past due. Days late are 0 for what was paid in time; avg, last, max, mean of the last three, trend (that less avg), ewma (weight 0.3) over settled invoices in order of settlement; late_amount_ratio by amount. *_shrunk: toward the mean of the creditor''s book with the weight of five invoices; coverage n/(n+5). partial_ratio: share of paid or part-paid invoices that took more than one payment. month_end_ratio: share of payments in the last three days of a month. NULL: nothing known.';

CREATE TYPE dunning.invoice_features AS (
    debtor_id text, invoice_id text, creditor text, currency text, issued_on date, due_on date, amount float8,
    log_amount float8, terms int, issue_month int, issue_weekday int, issue_day int,
    currencies int, n_invoices int, n_paid int, n_late int, n_open int, n_overdue int, n_payments int,
    amount_billed float8, amount_paid float8, amount_open float8, amount_overdue float8, days_past_due int,
    days_since_payment int, days_since_invoice int, tenure_days int,
    late_ratio float8, late_amount_ratio float8, avg_late float8, last_late float8, max_late float8, avg_late_3 float8, trend float8, ewma_late float8,
    late_ratio_shrunk float8, avg_late_shrunk float8, coverage float8,
    partial_ratio float8, month_end_ratio float8, amount_mean float8, amount_vs_mean float8,
    settled_on date, days_late int
);
COMMENT ON TYPE dunning.invoice_features IS
'An invoice with the history of its debtor strictly before its day of issue, as in debtor_features; sums are in the invoice''s currency. amount_vs_mean: amount over the mean of earlier ones. Known at as_of, so labels and no features: settled_on, days_late (negative: early; NULL: not settled).';

CREATE FUNCTION dunning._invoice_history(invoice_id text[], currency text[], issued_on date[], due_on date[], amount float8[],
    asked_at timestamptz[], known_at timestamptz[], gone_at timestamptz[], counted boolean[],
    paid_invoice text[], paid_currency text[], paid_on date[], paid_known_at timestamptz[], paid_amount float8[])
RETURNS SETOF dunning.history_look
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 15 AS 'MODULE_PATHNAME', 'dun_feature_sql_invoice_history';
COMMENT ON FUNCTION dunning._invoice_history(text[], text[], date[], date[], float8[], timestamptz[], timestamptz[], timestamptz[], boolean[], text[], text[], date[], timestamptz[], float8[]) IS
'One debtor''s account: a look when each invoice was issued (what its own instant brings is not seen), and the settlements gained and lost.';

CREATE FUNCTION dunning._debtor_history(invoice_id text[], currency text[], issued_on date[], due_on date[], amount float8[],
    asked_at timestamptz[], known_at timestamptz[], gone_at timestamptz[], counted boolean[],
    paid_invoice text[], paid_currency text[], paid_on date[], paid_known_at timestamptz[], paid_amount float8[],
    stated float8[], today date)
RETURNS dunning.history_look
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_feature_sql_debtor_history';
COMMENT ON FUNCTION dunning._debtor_history(text[], text[], date[], date[], float8[], timestamptz[], timestamptz[], timestamptz[], boolean[], text[], text[], date[], timestamptz[], float8[], float8[], date) IS
'One debtor''s account at its end; stated: the source''s own open amounts, where they are the balance.';

-- A row a debtor: its invoices and payments as arrays. _ledger_sql() has left out what is not known at as_of. The arrays are in a
-- fixed order, so that what happens at one instant happens in the same order whatever the rows' places in the table.
CREATE FUNCTION dunning._account_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    states text := dunning._states_balance_sql(_account_sql.as_of);
BEGIN
    RETURN format($q$SELECT coalesce(b.debtor_id, p.debtor_id) AS debtor_id, b.ids, b.currencies, b.issued, b.due, b.amounts, b.asked, b.known, b.gone, b.counted,
        p.ids AS paid_ids, p.currencies AS paid_currencies, p.paid_on, p.known AS paid_known, p.amounts AS paid_amounts, %3$s AS stated
    FROM (SELECT l.debtor_id, array_agg(l.invoice_id) AS ids, array_agg(l.currency) AS currencies, array_agg(l.issued_on) AS issued,
            array_agg(CASE WHEN isfinite(l.due_on) THEN l.due_on ELSE l.issued_on END) AS due,
            array_agg(CASE WHEN l.kind = 'credit_note' THEN -abs(l.amount) ELSE l.amount END::float8) AS amounts,
            array_agg(l.issued_at) AS asked, array_agg(coalesce(l.recorded_at, l.issued_at)) AS known, array_agg(l.cancelled_at) AS gone,
            array_agg(l.kind = 'invoice') AS counted, array_agg(CASE WHEN l.kind = 'credit_note' THEN -abs(l.open_amount) ELSE l.open_amount END::float8) AS stated
        FROM (SELECT i.*, i.issued_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) AS issued_at FROM (%1$s) i
              ORDER BY i.debtor_id, i.invoice_id) l
        WHERE l.amount > -1e15 AND l.amount < 1e15 AND isfinite(l.issued_on)
          AND (l.amount < 0 OR isfinite(l.due_on)) AND l.currency <> '' AND l.invoice_id IS NOT NULL GROUP BY 1) b
    FULL JOIN (SELECT l.debtor_id, array_agg(l.invoice_id) AS ids, array_agg(l.currency) AS currencies,
            array_agg((l.paid_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date) AS paid_on,
            array_agg(coalesce(l.recorded_at, l.paid_at)) AS known, array_agg(l.amount::float8) AS amounts
        FROM (SELECT y.* FROM (%2$s) y ORDER BY y.debtor_id, y.paid_at, y.amount, y.invoice_id) l
        WHERE l.amount > -1e15 AND l.amount < 1e15 AND isfinite(l.paid_at) AND l.currency <> '' GROUP BY 1) p
    ON p.debtor_id = b.debtor_id$q$,
        dunning._ledger_sql('invoice', _account_sql.many, _account_sql.as_of),
        dunning._ledger_sql('payment', _account_sql.many, _account_sql.as_of),
        CASE WHEN states = 'false' THEN 'NULL::float8[]' ELSE format('CASE WHEN %s THEN b.stated END', states) END);
END
$body$;
COMMENT ON FUNCTION dunning._account_sql(text, text) IS 'SQL text: one row a debtor with invoices and payments as arrays, known at as_of.';

CREATE FUNCTION dunning._features_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    at text := format('coalesce((%s)::timestamptz, dunning._now())', coalesce(_features_sql.as_of, 'NULL'));
    look text := format($q$SELECT a.debtor_id, h.* FROM (%%s) a, LATERAL dunning._debtor_history(a.ids, a.currencies, a.issued, a.due, a.amounts,
            a.asked, a.known, a.gone, a.counted, a.paid_ids, a.paid_currencies, a.paid_on, a.paid_known, a.paid_amounts, a.stated,
            (SELECT (%s AT TIME ZONE (SELECT dunning._ledger_zone()))::date)) h$q$, at);
    book text := 'known';
BEGIN
    -- The mean that few invoices are shrunk to is the whole book's, also when few debtors are asked for.
    IF _features_sql.many IS NOT NULL THEN
        book := format($q$(SELECT d.debtor_id, d.creditor, h.n_paid, h.n_late, h.sum_late FROM (%s) d LEFT JOIN (%s) h ON h.debtor_id = d.debtor_id)$q$,
                       dunning._ledger_sql('debtor', NULL, _features_sql.as_of),
                       replace(look, '%s', dunning._account_sql(NULL, _features_sql.as_of)));
    END IF;
    RETURN format($q$WITH known AS MATERIALIZED (
        SELECT coalesce(d.debtor_id, h.debtor_id) AS of_debtor, coalesce(d.creditor, 'default') AS of_creditor, h.*
        FROM (%1$s) d FULL JOIN (%2$s) h ON h.debtor_id = d.debtor_id),
    book AS (SELECT b.%3$s AS of_creditor, sum(b.n_late)::float8 / nullif(sum(b.n_paid), 0) AS late, sum(b.sum_late) / nullif(sum(b.n_paid), 0) AS days
        FROM %4$s b GROUP BY 1)
    SELECT k.of_debtor AS debtor_id, k.of_creditor AS creditor, %5$s AS as_of, k.currency, coalesce(k.currencies, 0) AS currencies,
        coalesce(k.n_invoices, 0) AS n_invoices, coalesce(k.n_paid, 0) AS n_paid, coalesce(k.n_late, 0) AS n_late, coalesce(k.n_open, 0) AS n_open,
        coalesce(k.n_overdue, 0) AS n_overdue, coalesce(k.n_payments, 0) AS n_payments,
        coalesce(k.amount_billed, 0) AS amount_billed, coalesce(k.amount_paid, 0) AS amount_paid, coalesce(k.amount_open, 0) AS amount_open,
        coalesce(k.amount_overdue, 0) AS amount_overdue, coalesce(k.dpd_0, 0) AS dpd_0, coalesce(k.dpd_1_30, 0) AS dpd_1_30,
        coalesce(k.dpd_31_60, 0) AS dpd_31_60, coalesce(k.dpd_61_90, 0) AS dpd_61_90, coalesce(k.dpd_over_90, 0) AS dpd_over_90,
        coalesce(k.days_past_due, 0) AS days_past_due, k.days_since_payment, k.days_since_invoice, k.tenure_days,
        k.late_ratio, k.late_amount_ratio, k.avg_late, k.last_late, k.max_late, k.avg_late_3, k.trend, k.ewma_late,
        coalesce((coalesce(k.n_late, 0) + 5 * b.late) / (coalesce(k.n_paid, 0) + 5), k.late_ratio) AS late_ratio_shrunk,
        coalesce((coalesce(k.sum_late, 0) + 5 * b.days) / (coalesce(k.n_paid, 0) + 5), k.avg_late) AS avg_late_shrunk,
        coalesce(k.n_paid, 0)::float8 / (coalesce(k.n_paid, 0) + 5) AS coverage,
        k.partial_ratio, k.month_end_ratio, k.amount_mean, k.amount_open / nullif(k.amount_mean, 0) AS open_vs_mean
    FROM known k LEFT JOIN book b ON b.of_creditor = k.of_creditor$q$,
        dunning._ledger_sql('debtor', _features_sql.many, _features_sql.as_of),
        replace(look, '%s', dunning._account_sql(_features_sql.many, _features_sql.as_of)),
        CASE WHEN _features_sql.many IS NULL THEN 'of_creditor' ELSE 'creditor' END, book, at);
END
$body$;
COMMENT ON FUNCTION dunning._features_sql(text, text) IS
'SQL text: one row of debtor_features a debtor of many (NULL: the whole book) at as_of. The means of the book are read from all of it in either case.';

CREATE FUNCTION dunning.features(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.debtor_features
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(features.as_of);
    RETURN QUERY EXECUTE dunning._features_sql(NULL, '$1') USING features.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.features(timestamptz) IS
'One row a debtor: counts, habits, open balance and its age as they could be known at as_of (NULL: now); see the type debtor_features. Nothing dated or recorded at or after as_of is looked at. DN001 broken source. Role: dunning_operator.';

CREATE FUNCTION dunning.invoice_features(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.invoice_features
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    PERFORM dunning._check_as_of(invoice_features.as_of);
    RETURN QUERY EXECUTE format($q$WITH look AS (
        SELECT a.debtor_id, coalesce(d.creditor, 'default') AS creditor, h.*
        FROM (%2$s) a LEFT JOIN (%1$s) d ON d.debtor_id = a.debtor_id,
             LATERAL dunning._invoice_history(a.ids, a.currencies, a.issued, a.due, a.amounts, a.asked, a.known, a.gone, a.counted,
                 a.paid_ids, a.paid_currencies, a.paid_on, a.paid_known, a.paid_amounts) h),
    -- the book's means just before each look: a look comes before the settlements of its own instant
    booked AS (SELECT k.*, sum(k.step) OVER w AS book_n, sum(sign(k.step_late) * k.step) OVER w AS book_late, sum(k.step_late * k.step) OVER w AS book_days
        FROM look k WINDOW w AS (PARTITION BY k.creditor ORDER BY k.at, k.step <> 0 ROWS UNBOUNDED PRECEDING))
    SELECT k.debtor_id, k.invoice_id, k.creditor, k.currency, k.issued_on, k.due_on, k.amount,
        ln(k.amount), k.due_on - k.issued_on, extract(month FROM k.issued_on)::int, extract(isodow FROM k.issued_on)::int, extract(day FROM k.issued_on)::int,
        k.currencies, k.n_invoices, k.n_paid, k.n_late, k.n_open, k.n_overdue, k.n_payments,
        k.amount_billed, k.amount_paid, k.amount_open, k.amount_overdue, k.days_past_due,
        k.days_since_payment, k.days_since_invoice, k.tenure_days,
        k.late_ratio, k.late_amount_ratio, k.avg_late, k.last_late, k.max_late, k.avg_late_3, k.trend, k.ewma_late,
        coalesce((k.n_late + 5 * k.book_late / nullif(k.book_n, 0)) / (k.n_paid + 5), k.late_ratio),
        coalesce((k.sum_late + 5 * k.book_days / nullif(k.book_n, 0)) / (k.n_paid + 5), k.avg_late),
        k.n_paid::float8 / (k.n_paid + 5),
        k.partial_ratio, k.month_end_ratio, k.amount_mean, k.amount / nullif(k.amount_mean, 0),
        k.settled_on, k.settled_on - k.due_on
    FROM booked k
    WHERE k.step = 0$q$,
        dunning._ledger_sql('debtor', NULL, '$1'), dunning._account_sql(NULL, '$1'))
        USING invoice_features.as_of;
END
$body$;
COMMENT ON FUNCTION dunning.invoice_features(timestamptz) IS
'One row an invoice (uncancelled, positive, no fee or interest) known at as_of (NULL: now): the history of its debtor strictly before its day of issue, and settled_on and days_late as known at as_of; see the type invoice_features. DN001 broken source. Role: dunning_operator.';

GRANT EXECUTE ON FUNCTION dunning.features(timestamptz), dunning.invoice_features(timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._features_sql(text, text), dunning._debtor_history(text[], text[], date[], date[], float8[],
    timestamptz[], timestamptz[], timestamptz[], boolean[], text[], text[], date[], timestamptz[], float8[], float8[], date) TO dunning_worker;
-- score: models over any query: fit, evaluate, promote, predict, reasons, progress.

-- One row a version, never changed but for its state. The digest is the SHA-256 of the body's text.
CREATE TABLE dunning.model (
    model           text COLLATE "C" NOT NULL,
    version         int NOT NULL,
    kind            text NOT NULL,
    state           text NOT NULL CHECK (state IN ('champion', 'challenger', 'retired')),
    target          text,                       -- of train(); NULL where fit() was called
    query           text NOT NULL,
    label           text NOT NULL,
    seed            bigint NOT NULL,
    body            jsonb NOT NULL,             -- intercept and one centred term a feature, in log-odds
    metrics         jsonb NOT NULL,             -- cross-validated
    feature_stats   jsonb NOT NULL,             -- deciles and shares at training, to see drift by
    digest          text COLLATE "C" NOT NULL,
    n               bigint NOT NULL,
    as_of           timestamptz,                -- of train()
    trained_at      timestamptz NOT NULL,
    trained_by      text NOT NULL,
    PRIMARY KEY (model, version)
);
CREATE UNIQUE INDEX model_champion ON dunning.model (model) WHERE state = 'champion';
COMMENT ON TABLE dunning.model IS 'Trained models, one row a version with its query, seed, metrics, feature statistics and digest. Versions are immutable but for their state; promote() changes that.';
GRANT SELECT ON dunning.model TO dunning_viewer;

CREATE TYPE dunning.model_metrics AS (
    model           text,
    version         int,
    kind            text,
    n               bigint,
    auc             float8,
    log_loss        float8,
    brier           float8,
    ks              float8,
    ece             float8,
    seconds         float8
);
COMMENT ON TYPE dunning.model_metrics IS 'How good a model version is: rows, area under the ROC curve, log loss, Brier score, Kolmogorov-Smirnov distance, expected calibration error (ten bins of equal count), seconds it took.';

CREATE FUNCTION dunning.fit(model text, query text, label text, kind text DEFAULT 'auto', options jsonb DEFAULT '{}')
    RETURNS dunning.model_metrics
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_fit';
COMMENT ON FUNCTION dunning.fit(text, text, text, text, jsonb) IS
'Cross-validated metrics of a new version of a model, trained on any query: numbers, booleans, texts, dates; NULL, NaN and infinity are missing; label is a boolean or 0/1, rows without label are left out. '
'The query runs with the caller''s rights. Kinds: logistic (auto is logistic). Options: folds, seed, lambda, levels, group (rows of equal group share a fold), exclude. '
'The first version of a name is its champion, later ones are challengers until promote(). DN004 with fewer than 50 rows of either class. Rows beyond dunning.train_memory are sampled. Needs dunning_operator.';

CREATE FUNCTION dunning._fit(model text, query text, label text, kind text, options jsonb, target text, as_of timestamptz)
    RETURNS dunning.model_metrics
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_fit';
COMMENT ON FUNCTION dunning._fit(text, text, text, text, jsonb, text, timestamptz) IS 'fit() that also records the target and instant of train().';

CREATE FUNCTION dunning.evaluate(model text, query text, label text) RETURNS dunning.model_metrics
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_evaluate';
COMMENT ON FUNCTION dunning.evaluate(text, text, text) IS
'Metrics of a model''s champion (or newest version) on the rows of another query, which runs with the caller''s rights. Rows without label are left out; DN004 where a class has no row. Needs dunning_operator.';

CREATE FUNCTION dunning.predict(model text, input record) RETURNS float8
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_score_sql_predict';
COMMENT ON FUNCTION dunning.predict(text, record) IS
'Probability in (0,1) that the label is 1, by the model''s champion (or newest version). Fields are found by name; 42703 lists those expected, NULL record gives NULL. Needs dunning_viewer.';

CREATE FUNCTION dunning.reasons(model text, input record, top int DEFAULT 4)
    RETURNS TABLE (feature text, contribution float8, words text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 4 AS 'MODULE_PATHNAME', 'dun_score_sql_reasons';
COMMENT ON FUNCTION dunning.reasons(text, record, int) IS
'What moved a prediction most, largest first: feature, its contribution in log-odds against the average row, and the same in words. Needs dunning_viewer.';

CREATE FUNCTION dunning.promote(model text, version int) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known text;
    before text;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('dunning.model ' || promote.model, 0));
    SELECT m.state INTO before FROM dunning.model m WHERE m.model = promote.model AND m.version = promote.version;
    IF NOT FOUND THEN
        SELECT string_agg(m.version || ' (' || m.state || ')', ', ' ORDER BY m.version) INTO known
        FROM dunning.model m WHERE m.model = promote.model;
        RAISE EXCEPTION 'model "%" has no version %', promote.model, promote.version
            USING ERRCODE = '42704',
                  DETAIL = CASE WHEN known IS NULL THEN 'There is no model of this name.' ELSE format('Its versions are %s.', known) END,
                  HINT = 'SELECT model, version, state, metrics FROM dunning.model ORDER BY 1, 2;';
    END IF;
    UPDATE dunning.model m SET state = 'retired' WHERE m.model = promote.model AND m.state = 'champion' AND m.version <> promote.version;
    UPDATE dunning.model m SET state = 'champion' WHERE m.model = promote.model AND m.version = promote.version AND m.state <> 'champion';
    RETURN before;
END
$fn$;
COMMENT ON FUNCTION dunning.promote(text, int) IS
'The state a version had before it became the model''s champion; the champion it replaces is retired and can be promoted again. The next statement predicts with it. 42704 for an unknown version. Needs dunning_admin.';

-- A training is one transaction, so its rows could tell nobody how far it is; the name a backend shows in
-- pg_stat_activity can.
CREATE FUNCTION dunning._progress()
    RETURNS TABLE (pid int, usename name, kind text, model text, stage text, done int, total int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT a.pid, r.rolname, p.part[1], p.part[5], p.part[4], p.part[2]::int, p.part[3]::int
    FROM pg_catalog.pg_stat_activity a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
    CROSS JOIN LATERAL pg_catalog.regexp_match(a.application_name, '^dunning (fit) ([0-9]{1,9})/([0-9]{1,9}) ([^:]*): (.*)$') AS p(part)
    WHERE a.datname = pg_catalog.current_database() AND p.part IS NOT NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._progress() IS 'What view progress shows.';

CREATE VIEW dunning.progress WITH (security_invoker, security_barrier) AS
    SELECT p.pid, p.usename, p.kind, p.model, p.stage, p.done, p.total FROM dunning._progress() p;
COMMENT ON VIEW dunning.progress IS 'Trainings that run now in this database: backend, model, stage and steps done. Live, while the training''s own transaction is open. Needs dunning_viewer.';
GRANT SELECT ON dunning.progress TO dunning_viewer;

GRANT EXECUTE ON FUNCTION dunning._progress(), dunning.predict(text, record), dunning.reasons(text, record, int) TO dunning_viewer, dunning_worker;
GRANT EXECUTE ON FUNCTION dunning.fit(text, text, text, text, jsonb), dunning.evaluate(text, text, text) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning.promote(text, int) TO dunning_admin;

SELECT pg_catalog.pg_extension_config_dump('dunning.model', '');
-- score: a probability, a segment and a diagnosis for every debtor, in one query over the ledger and what came back.

-- What is asked of the invoice models for a debtor: an invoice of the usual amount and terms, with the history the debtor has now.
CREATE FUNCTION dunning._next_invoice_sql() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (
        SELECT string_agg(coalesce(CASE c
            WHEN 'log_amount' THEN 'ln(nullif(f.amount_mean, 0))'
            WHEN 'amount_vs_mean' THEN '1::float8'
            WHEN 'terms' THEN 'b.terms'
            -- missing: the average day, or a debtor's probability would go up and down with the day it is scored on
            WHEN 'issue_weekday' THEN 'NULL::int'
            WHEN 'issue_day' THEN 'NULL::int' END, 'f.' || quote_ident(c)) || ' AS ' || quote_ident(c), ', ')
        FROM unnest(dunning._features_of('late')) c);
END
$fn$;
COMMENT ON FUNCTION dunning._next_invoice_sql() IS 'SELECT list over debtor features f and the book b: the next invoice as the invoice models would see it.';

-- What came back, and what was said, before $2: one row a debtor that anything is known of.
CREATE FUNCTION dunning._signal_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$
    SELECT d.debtor_id, d.email IS NULL AND d.phone IS NULL AND d.address IS NULL AS no_address,
        i.disputed_items, e.disputed_at, e.changed_at, e.reached, e.bounced, o.contacts, h.hardship, p.broken_on, m.in_window, m.payments, m.from_day
    FROM (%1$s) d
    LEFT JOIN (SELECT x.debtor_id, count(*) AS disputed_items FROM (%2$s) x WHERE x.disputed GROUP BY 1) i ON i.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, max(x.at) FILTER (WHERE x.kind = 'disputed') AS disputed_at,
            max(x.at) FILTER (WHERE x.kind = 'circumstances_changed') AS changed_at,
            count(*) FILTER (WHERE x.kind IN ('delivered', 'opened', 'clicked', 'replied', 'called', 'called_in', 'conversation', 'promised')) AS reached,
            count(*) FILTER (WHERE x.kind IN ('bounced', 'failed')) AS bounced
        FROM dunning.event x WHERE x.at < $2 AND x.at >= $2 - interval '180 days' GROUP BY 1) e ON e.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, count(DISTINCT x.message_id) AS contacts FROM dunning.egress x
        WHERE NOT x.test AND x.contact_on < $2 AND x.contact_on >= $2 - interval '180 days' GROUP BY 1) o ON o.debtor_id = d.debtor_id
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
              FROM (SELECT y.debtor_id, extract(day FROM y.paid_at AT TIME ZONE dunning._ledger_zone())::int AS day, count(*) AS n
                    FROM pay y WHERE y.amount > 0 GROUP BY 1, 2) t) w
        ORDER BY w.debtor_id, w.in_window DESC, w.day) m ON m.debtor_id = d.debtor_id$q$,
        dunning._ledger_sql('debtor', NULL, '$1'), dunning._open_items_sql(NULL, '$1'));
END
$fn$;
COMMENT ON FUNCTION dunning._signal_sql() IS 'SQL text: what events, contacts, holds, promises and paydays say of each debtor; $1 as_of, $2 the instant, pay a CTE of payments.';

-- The rules of diagnosis, in the order they are tried: name, condition over features f and signals s, evidence in words.
CREATE FUNCTION dunning._diagnosis_rules() RETURNS TABLE (ord int, diagnosis text, condition text, evidence text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    VALUES
    (1, 'disputes', 's.disputed_items > 0 OR s.disputed_at IS NOT NULL',
        'concat_ws(''; '', CASE WHEN s.disputed_items > 0 THEN s.disputed_items || '' open invoices are disputed'' END, ''disputed on '' || (s.disputed_at AT TIME ZONE dunning._ledger_zone())::date)'),
    (2, 'cannot_pay', 's.hardship IS NOT NULL OR s.changed_at IS NOT NULL OR (s.broken_on IS NOT NULL AND f.n_overdue >= 2)',
        'concat_ws(''; '', ''hold: '' || s.hardship, ''reported other circumstances on '' || (s.changed_at AT TIME ZONE dunning._ledger_zone())::date, ''did not keep the promise of '' || s.broken_on)'),
    (3, 'unreachable', 's.no_address OR (s.bounced >= 2 AND coalesce(s.reached, 0) = 0)',
        'CASE WHEN s.no_address THEN ''no e-mail, telephone or address'' ELSE s.bounced || '' messages came back, none was answered or delivered'' END'),
    (4, 'self_cures', 'f.n_late >= 3 AND f.late_ratio >= 0.3 AND f.avg_late / f.late_ratio <= 14 AND f.days_past_due <= 2 * f.avg_late / f.late_ratio',
        'format(''paid %s of %s invoices late, %s days on average; %s days past due now'', f.n_late, f.n_paid, round((f.avg_late / f.late_ratio)::numeric), f.days_past_due)'),
    (5, 'waiting_for_payday', 'f.late_ratio >= 0.3 AND s.payments >= 4 AND s.in_window >= 0.6 * s.payments AND f.days_past_due <= 31',
        'format(''%s of %s payments came on days %s to %s of the month'', s.in_window, s.payments, s.from_day, least(s.from_day + 2, 31))'),
    (6, 'forgot', '(f.n_paid >= 3 AND f.late_ratio <= 0.25 AND f.days_past_due <= 45) OR (f.n_late = 0 AND f.days_past_due <= 14)',
        'format(''paid %s of %s invoices in time; %s days past due now'', f.n_paid - f.n_late, f.n_paid, f.days_past_due)'),
    (7, 'cannot_pay', 'f.n_overdue >= 3 AND (f.partial_ratio >= 0.3 OR f.n_overdue > f.n_paid) AND f.days_past_due > 30',
        'format(''%s invoices overdue, %s settled; %s %% of those paid on took more than one payment'', f.n_overdue, f.n_paid, round(100 * coalesce(f.partial_ratio, 0)))'),
    (8, 'will_not_pay', 'f.days_past_due > 60 AND (s.reached >= 2 OR f.days_since_payment <= 45)',
        'concat_ws(''; '', f.days_past_due || '' days past due'', CASE WHEN s.reached >= 2 THEN s.reached || '' contacts reached without payment'' END, '
        'CASE WHEN f.days_since_payment <= 45 THEN ''paid something else '' || f.days_since_payment || '' days ago'' END)')
$fn$;
COMMENT ON FUNCTION dunning._diagnosis_rules() IS 'Rules of diagnosis of a debtor with something overdue: the first that holds; where none does there is no diagnosis.';

-- Where a model is missing, history alone answers, shrunk to the book with the weight of five; the reasons say so.
CREATE FUNCTION dunning._rules_on_history() RETURNS TABLE (target text, probability text, words text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    VALUES
    ('late', 'f.late_ratio_shrunk',
        'format(''rule, no model: %s of %s settled invoices late, with the book''''s mean in the weight of five'', f.n_late, f.n_paid)'),
    ('paid_30d', '((coalesce(f.days_since_payment, 31) <= 30)::int + 5 * b.paid_recently) / 6',
        'format(''rule, no model: %s, and %s %% of the overdue have'', CASE WHEN f.days_since_payment <= 30 THEN ''has paid in the last 30 days'' ELSE ''has not paid in the last 30 days'' END, round((100 * b.paid_recently)::numeric))'),
    ('self_cure', '(f.n_late + 5 * b.cured) / (f.n_late + f.n_overdue + 5)',
        'format(''rule, no model: %s late invoices paid, %s overdue, with the book''''s mean in the weight of five'', f.n_late, f.n_overdue)')
$fn$;
COMMENT ON FUNCTION dunning._rules_on_history() IS 'Probability and words of each target where no model is trained, over features f and means of the book b.';

-- The columns that a segment's predicate may name.
CREATE FUNCTION dunning._segment_columns() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY['diagnosis', 'p_late', 'p_paid_30d', 'p_self_cure']
        || (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.typrelid = a.attrelid
            WHERE t.oid = 'dunning.debtor_features'::regtype AND a.attnum > 0 AND NOT a.attisdropped);
END
$fn$;
COMMENT ON FUNCTION dunning._segment_columns() IS 'What a segment''s predicate may name.';

-- One row a debtor, ready to be stored. `used` are the models in force; `segments` a CASE over them.
CREATE FUNCTION dunning._score_sql(used text[], segments text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
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
    WITH pay AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.amount, l.paid_at FROM (%1$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity'),
    f AS MATERIALIZED (%2$s),
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
$fn$;
COMMENT ON FUNCTION dunning._score_sql(text[], text) IS 'SQL text: the score of every debtor; $1 as_of, $2 the instant.';

-- The segments as one CASE over the columns of x. Each predicate stands in a subquery of its own, so that it can name nothing else by alias.
CREATE FUNCTION dunning._segment_case() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce((SELECT 'CASE ' || string_agg(format('WHEN (%s) THEN %L', s.predicate, s.segment), ' ' ORDER BY s.position, s.segment) || ' ELSE ''other'' END'
                     FROM dunning._segments() s), '''other''');
END
$fn$;
COMMENT ON FUNCTION dunning._segment_case() IS 'The segments in force as one CASE expression.';

-- Compiling the query would take longer than running it, hence jit = off; the words have dates in them, hence datestyle.
CREATE FUNCTION dunning.score(as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (segment text, debtors bigint, overdue bigint, p_paid_30d float8, p_late float8, p_self_cure float8, diagnoses jsonb)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(score.as_of, dunning._now());
    used jsonb;
    source text;
BEGIN
    IF NOT isfinite(at) THEN
        RAISE EXCEPTION 'as_of must be a finite instant' USING ERRCODE = '22023';
    END IF;
    SELECT coalesce(jsonb_object_agg(m.model, m.version), '{}') INTO used
    FROM (SELECT DISTINCT ON (m.model) m.model, m.version FROM dunning.model m
          WHERE m.model IN ('late', 'paid_30d', 'self_cure') AND m.state <> 'retired' ORDER BY m.model, m.state <> 'champion', m.version DESC) m;
    source := dunning._score_sql(ARRAY(SELECT jsonb_object_keys(used)), dunning._segment_case());
    -- From here on nothing that a segment's predicate or a bound view calls can leave dunning_owner's rights.
    PERFORM dunning._restrict();
    LOCK TABLE dunning.score_result IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM dunning.score_result;
    EXECUTE format('INSERT INTO dunning.score_result (debtor_id, creditor, segment, diagnosis, p_paid_30d, p_late, p_self_cure, reasons, models, as_of, scored_at) '
                   'SELECT q.debtor_id, q.creditor, q.segment, q.diagnosis, q.p_paid_30d, q.p_late, q.p_self_cure, q.reasons, $3, $2, dunning._now() FROM (%s) q', source)
        USING score.as_of, at, used;
    RETURN QUERY
    SELECT g.segment, sum(g.n)::bigint, sum(g.overdue)::bigint, sum(g.paid) / nullif(sum(g.n_paid), 0), sum(g.late) / sum(g.n), sum(g.cure) / sum(g.n),
        coalesce(jsonb_object_agg(g.diagnosis, g.n) FILTER (WHERE g.diagnosis IS NOT NULL), '{}')
    FROM (SELECT r.segment, r.diagnosis, count(*) AS n, count(r.p_paid_30d) AS overdue, sum(r.p_paid_30d) AS paid, count(r.p_paid_30d) AS n_paid,
                 sum(r.p_late) AS late, sum(r.p_self_cure) AS cure
          FROM dunning.score_result r GROUP BY r.segment, r.diagnosis) g
    GROUP BY g.segment ORDER BY 2 DESC, 1;
END
$fn$;
COMMENT ON FUNCTION dunning.score(timestamptz) IS
'Scores every debtor as known at as_of (NULL: now), replaces what debtor_score shows, and returns one row a segment: debtors, those with something overdue, mean probabilities, diagnoses with counts. '
'Targets without a model are filled by a rule on history; the reasons say so. Needs dunning_operator.';

CREATE FUNCTION dunning.save_segment(segment text, predicate text, "position" int, description text DEFAULT '', enabled boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    named text[];
    unknown text;
    known text[] := dunning._segment_columns();
    replaced jsonb := (SELECT to_jsonb(s) - 'before' FROM dunning.segment s WHERE s.segment = save_segment.segment ORDER BY s.builtin LIMIT 1);
BEGIN
    IF save_segment.segment IS NULL OR save_segment.segment !~ '^[a-z][a-z0-9_]{0,62}$' OR save_segment.segment = 'other' OR "position" IS NULL
       OR predicate IS NULL OR description IS NULL OR enabled IS NULL THEN
        RAISE EXCEPTION 'a segment has a name, a predicate and a position'
            USING ERRCODE = '22023', DETAIL = 'The name is small letters, digits and "_"; "other" stands for debtors that no predicate fits.';
    END IF;
    BEGIN
        named := dunning._predicate_columns(predicate);
    EXCEPTION WHEN syntax_error THEN
        RAISE EXCEPTION 'the predicate is not one SQL expression: %', SQLERRM
            USING ERRCODE = '42601', HINT = 'For example: late_ratio >= 0.5 AND n_paid >= 3';
    END;
    SELECT c INTO unknown FROM unnest(named) c WHERE c <> ALL (known) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'segment "%" names "%", which is no column of a debtor', save_segment.segment, unknown
            USING ERRCODE = '42703', DETAIL = format('Its columns are %s.', array_to_string(known, ', '));
    END IF;
    PERFORM dunning._try_segment(predicate);
    INSERT INTO dunning.segment AS s (segment, builtin, position, predicate, description, enabled, saved_by, saved_at, before)
    VALUES (save_segment.segment, false, save_segment.position, save_segment.predicate, save_segment.description, save_segment.enabled, session_user, dunning._now(), replaced)
    ON CONFLICT ON CONSTRAINT segment_pkey DO UPDATE SET position = excluded.position, predicate = excluded.predicate, description = excluded.description,
        enabled = excluded.enabled, saved_by = excluded.saved_by, saved_at = excluded.saved_at, before = excluded.before;
    RETURN CASE WHEN replaced IS NULL THEN 'new' WHEN (replaced ->> 'builtin')::boolean THEN 'goes before the built-in one' ELSE 'changed' END;
END
$fn$;
COMMENT ON FUNCTION dunning.save_segment(text, text, int, text, boolean) IS
'Whether the segment is new or goes before another. The predicate is one SQL expression over a debtor''s features, p_late, p_paid_30d, p_self_cure and diagnosis; the lowest position that holds wins. 42703 lists the columns. Needs dunning_admin.';

-- The predicate is planned and typed against no row, without rights beyond dunning_owner's.
CREATE FUNCTION dunning._try_segment(predicate text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._restrict();
    EXECUTE format('SELECT (%s)::boolean FROM (SELECT d.*, NULL::text AS diagnosis, NULL::float8 AS p_late, NULL::float8 AS p_paid_30d, NULL::float8 AS p_self_cure '
                   'FROM (SELECT (r.r).* FROM (SELECT NULL::dunning.debtor_features AS r) r) d) x WHERE false', predicate);
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'the predicate cannot be run: %', SQLERRM USING ERRCODE = SQLSTATE, HINT = 'For example: late_ratio >= 0.5 AND n_paid >= 3';
END
$fn$;
COMMENT ON FUNCTION dunning._try_segment(text) IS 'Nothing, or the error of a predicate that cannot be planned as a boolean.';

CREATE FUNCTION dunning.reset_segment(segment text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    DELETE FROM dunning.segment s WHERE s.segment = reset_segment.segment AND NOT s.builtin;
    RETURN FOUND;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_segment(text) IS 'Whether a user''s segment was deleted; a built-in one of its name is in force again. Needs dunning_admin.';

GRANT EXECUTE ON FUNCTION dunning.score(timestamptz) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning.save_segment(text, text, int, text, boolean), dunning.reset_segment(text) TO dunning_admin;
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
    ('stretched',     true, 30, 'diagnosis = ''cannot_pay'' OR (n_overdue >= 3 AND n_overdue > n_paid)', 'Owes several invoices and more than it pays.'),
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
    SELECT s.debtor_id, s.creditor, s.segment, s.diagnosis, s.p_paid_30d, s.p_late, s.p_self_cure, s.reasons, s.as_of
    FROM dunning.score_result s;
COMMENT ON VIEW dunning.debtor_score IS 'One row a debtor, as score() last left it: segment, diagnosis of why it is unpaid (NULL: nothing overdue, or no rule fits), probability to pay within 30 days (NULL: nothing overdue), that the next invoice is late, that it is then paid before any contact; reasons in words. Needs dunning_viewer.';
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
-- score: what is learnt from the ledger. Features strictly before an instant, labels strictly after it.

CREATE FUNCTION dunning._check_target(target text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF target IS NULL OR target NOT IN ('late', 'paid_30d', 'self_cure') THEN
        RAISE EXCEPTION 'target "%" is not known', target
            USING ERRCODE = '22023', HINT = 'Targets are late, paid_30d and self_cure; dunning.fit(model, query, label) trains on any other.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_target(text) IS 'Nothing, or 22023 for a target that train() does not know.';

-- What a model reads of an invoice and of a debtor, by the names of the feature types. Of figures that say nearly the same one is enough, or
-- the reasons would name them by turns; sums of money are left to ratios, since currencies are not comparable.
CREATE FUNCTION dunning._features_of(target text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT ARRAY['creditor', 'currency', 'n_paid', 'n_late', 'n_open', 'n_overdue', 'days_past_due', 'days_since_payment', 'tenure_days', 'late_ratio', 'late_ratio_shrunk',
                 'avg_late_shrunk', 'late_amount_ratio', 'last_late', 'max_late', 'trend', 'ewma_late', 'partial_ratio', 'month_end_ratio']
           || CASE target WHEN 'paid_30d' THEN ARRAY['open_vs_mean'] ELSE ARRAY['log_amount', 'terms', 'issue_weekday', 'issue_day', 'amount_vs_mean'] END
$fn$;
COMMENT ON FUNCTION dunning._features_of(text) IS 'The columns that the model of a target of train() reads.';

-- late: an invoice that fell due before `at` is decided: paid late, paid in time, or open and overdue. Younger ones are not looked at, also
-- those already paid, since among them only the prompt could have been.
CREATE FUNCTION dunning._late_sql(at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format(
        'SELECT %1$s, f.debtor_id AS debtor, coalesce(f.days_late > 0, true) AS late FROM dunning.invoice_features(%2$L) f '
        'WHERE f.due_on < (timestamptz %2$L AT TIME ZONE dunning._ledger_zone())::date',
        (SELECT string_agg('f.' || quote_ident(c), ', ') FROM unnest(dunning._features_of('late')) c), at);
END
$fn$;
COMMENT ON FUNCTION dunning._late_sql(timestamptz) IS 'Training query of target late.';

-- self_cure: an invoice that was not paid when due, and whose next 30 days are over: was it paid in them before anybody wrote or called?
CREATE FUNCTION dunning._self_cure_sql(at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format(
        'SELECT %1$s, f.debtor_id AS debtor, coalesce(f.days_late <= 30, false) AND NOT EXISTS (SELECT FROM dunning.egress e '
        'WHERE e.debtor_id = f.debtor_id AND NOT e.test AND e.contact_on >= (f.due_on + 1)::timestamp AT TIME ZONE dunning._ledger_zone() '
        'AND e.contact_on < f.settled_on::timestamp AT TIME ZONE dunning._ledger_zone()) AS self_cure '
        'FROM dunning.invoice_features(%2$L) f '
        'WHERE f.due_on + 30 < (timestamptz %2$L AT TIME ZONE dunning._ledger_zone())::date AND (f.days_late IS NULL OR f.days_late > 0)',
        (SELECT string_agg('f.' || quote_ident(c), ', ') FROM unnest(dunning._features_of('self_cure')) c), at);
END
$fn$;
COMMENT ON FUNCTION dunning._self_cure_sql(timestamptz) IS 'Training query of target self_cure.';

-- paid_30d: debtors with something overdue at six instants 30 days apart, the last one 30 days before `at`: did any payment follow in 30 days?
CREATE FUNCTION dunning._paid_30d_sql(at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    columns text := (SELECT string_agg('f.' || quote_ident(c), ', ') FROM unnest(dunning._features_of('paid_30d')) c);
    parts text;
BEGIN
    SELECT string_agg(format(
        'SELECT %1$s, f.debtor_id AS debtor, EXISTS (SELECT FROM pay p WHERE p.debtor_id = f.debtor_id AND p.paid_at >= %3$L::timestamptz '
        'AND p.paid_at < %4$L::timestamptz) AS paid_30d FROM (%2$s) f WHERE f.n_overdue > 0',
        columns, dunning._features_sql(NULL, quote_literal(s.snapshot)), s.snapshot, s.snapshot + interval '30 days'), E'\nUNION ALL\n' ORDER BY s.snapshot)
    INTO parts
    FROM (SELECT at - make_interval(days => 30 * k) AS snapshot FROM generate_series(1, 6) k) s;
    RETURN format(E'WITH pay AS MATERIALIZED (SELECT l.debtor_id, l.paid_at FROM (%s) l WHERE l.amount > 0)\n%s',
                  dunning._ledger_sql('payment', NULL, quote_literal(at)), parts);
END
$fn$;
COMMENT ON FUNCTION dunning._paid_30d_sql(timestamptz) IS 'Training query of target paid_30d.';

CREATE FUNCTION dunning._target_sql(target text, at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN CASE target WHEN 'late' THEN dunning._late_sql(at) WHEN 'self_cure' THEN dunning._self_cure_sql(at) ELSE dunning._paid_30d_sql(at) END;
END
$fn$;
COMMENT ON FUNCTION dunning._target_sql(text, timestamptz) IS 'Training query of a target of train(); its label has the target''s name.';

-- Said when a target cannot be trained: which of the others can.
CREATE FUNCTION dunning._trainable(except_target text, at timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    other text;
    yes bigint;
    no bigint;
    found_targets text[] := '{}';
BEGIN
    FOREACH other IN ARRAY ARRAY['late', 'paid_30d', 'self_cure'] LOOP
        CONTINUE WHEN other = except_target;
        EXECUTE format('SELECT count(*) FILTER (WHERE x.%1$I), count(*) FILTER (WHERE NOT x.%1$I) FROM (%2$s) x', other, dunning._target_sql(other, at))
            INTO yes, no;
        IF least(yes, no) >= 50 THEN
            found_targets := found_targets || format('SELECT * FROM dunning.train(%L); (%s rows with label 1, %s with 0)', other, yes, no);
        END IF;
    END LOOP;
    RETURN CASE WHEN cardinality(found_targets) = 0 THEN 'No target has 50 rows of each class yet: score() uses rules on history until more invoices are settled.'
                ELSE 'These can be trained: ' || array_to_string(found_targets, '; ') END;
END
$fn$;
COMMENT ON FUNCTION dunning._trainable(text, timestamptz) IS 'A hint: the other targets that have 50 rows of each class.';

-- Compiling the query would take longer than running it, hence jit = off; the query kept with the model has instants in it, hence datestyle.
CREATE FUNCTION dunning.train(target text DEFAULT 'paid_30d', as_of timestamptz DEFAULT NULL, kind text DEFAULT 'auto') RETURNS dunning.model_metrics
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET jit = off SET datestyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(train.as_of, dunning._now());
    result dunning.model_metrics;
    why text;
    detail text;
BEGIN
    PERFORM dunning._check_target(target);
    IF NOT isfinite(at) OR at > greatest(dunning._now(), now()) THEN
        RAISE EXCEPTION 'as_of must be an instant that is over' USING ERRCODE = '22023', HINT = 'Leave as_of out to train on all that is known.';
    END IF;
    BEGIN
        result := dunning._fit(target, dunning._target_sql(target, at), target, train.kind, '{"group": "debtor"}', target, at);
    EXCEPTION WHEN SQLSTATE 'DN004' THEN
        GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION '%', why USING ERRCODE = 'DN004', DETAIL = detail, HINT = dunning._trainable(target, at);
    END;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning.train(text, timestamptz, text) IS
'Cross-validated metrics of a new version of a model over the ledger, named as its target. late: is an invoice paid after its due date, by what was known at its issue. '
'paid_30d: does a debtor with something overdue pay anything within 30 days. self_cure: is an invoice that was not paid when due paid within 30 days before any contact. '
'Nothing at or after as_of (NULL: now) is looked at; outcomes not yet decided then are left out; a debtor''s rows stay in one fold. DN004 with fewer than 50 rows of either class, with the targets that can be trained. Needs dunning_operator.';

GRANT EXECUTE ON FUNCTION dunning.train(text, timestamptz, text) TO dunning_operator;
-- calendar: local time, holidays, money dates, contact rules.

-- ---- what C computes ----

CREATE FUNCTION dunning._place(country text, region text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_place';
COMMENT ON FUNCTION dunning._place(text, text) IS 'The place in capital ISO codes, ''GB'' or ''GB-SCT''; NULL where the country is no two-letter code.';

CREATE FUNCTION dunning._zone(time_zone text, country text, region text) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_zone';
COMMENT ON FUNCTION dunning._zone(text, text, text) IS
    'Candidate time zones: the given one where it is valid, else those of the region or country. Unknown place: dunning.timezone (or the server''s log_timezone), Europe/London and Europe/Helsinki, all of which must allow a contact.';

CREATE FUNCTION dunning._local_time(at timestamptz, zone text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_local_time';
COMMENT ON FUNCTION dunning._local_time(timestamptz, text) IS '''YYYY-MM-DD HH24:MI Zone''. Unknown zone or infinite instant: 22023.';

CREATE FUNCTION dunning._computed_holiday(country text, region text, on_date date) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_holiday';
COMMENT ON FUNCTION dunning._computed_holiday(text, text, date) IS
    'Name of the computed holiday, 1900 to 2199, or NULL. DK SE NO FI DE NL GB US have calendars; an unknown country (NULL) is closed on the holidays of all of them, any other on 1 January and 25 December.';

CREATE FUNCTION dunning._computed_dates(country text, region text, from_date date, until_date date,
    OUT on_date date, OUT kind text, OUT name text, OUT effect text, OUT source text) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_dates';
COMMENT ON FUNCTION dunning._computed_dates(text, text, date, date) IS 'Computed holidays and money dates, both ends included.';

CREATE FUNCTION dunning._check_windows(windows text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_check_windows';
COMMENT ON FUNCTION dunning._check_windows(text) IS 'What is wrong with the text of a rule''s windows; NULL where it can be read.';

CREATE FUNCTION dunning._windows(windows text[], holidays_closed boolean, time_zone text, country text, region text,
    added date[], opened date[]) RETURNS bytea
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_windows';
COMMENT ON FUNCTION dunning._windows(text[], boolean, text, text, text, date[], date[]) IS
    'The mask that all windows allow in all candidate zones of a place; for dunning._closed().';

CREATE FUNCTION dunning._closed(at timestamptz, windows bytea) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_closed';
COMMENT ON FUNCTION dunning._closed(timestamptz, bytea) IS
    'NULL where the instant and the five minutes after it are open in every zone of the mask; else quiet_hours or holiday.';

-- ---- tables ----

CREATE TABLE dunning.contact_rule (
    rule            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    country         text,                       -- NULL: everywhere
    region          text,                       -- NULL: the whole country
    debtor_kind     text CHECK (debtor_kind IN ('person', 'company')),      -- NULL: both
    channels        text[],                     -- NULL: every channel
    rings           boolean,                    -- true: only channels that ring or buzz; false: only those that do not
    windows         text,                       -- local: 'Mon-Fri 08:00-20:00, Sat 09:00-15:00'; NULL: a rule of caps alone
    holidays        boolean NOT NULL DEFAULT false,     -- may contact within `windows` fall on a holiday of the place?
    cap             int CHECK (cap >= 0),       -- at most this many contacts ...
    cap_days        int CHECK (cap_days BETWEEN 1 AND 92),      -- ... in this many calendar days of the debtor's zone
    cap_scope       text NOT NULL DEFAULT 'person' CHECK (cap_scope IN ('debtor', 'person')),   -- what caps and gaps count over
    min_gap         interval,                   -- between two contacts of these channels
    after_conversation interval,                -- silence after a conversation
    valid_from      date,
    valid_to        date,
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (rule, builtin)
);
COMMENT ON TABLE dunning.contact_rule IS 'When and how often a debtor may be contacted. Every matching row must say yes; a user''s row of the same name replaces the built-in one.';

CREATE TABLE dunning.holiday (
    country         text NOT NULL,
    region          text NOT NULL DEFAULT '',
    on_date         date NOT NULL,
    name            text NOT NULL,
    open            boolean NOT NULL DEFAULT false,     -- true: a computed holiday that is a working day here
    PRIMARY KEY (country, region, on_date)
);
COMMENT ON TABLE dunning.holiday IS 'Holidays of the user, beside those computed for DK SE NO FI DE NL GB US.';

CREATE TABLE dunning.rule_change (
    change_id       uuid PRIMARY KEY,
    kind            text COLLATE "C" NOT NULL,  -- contact_rule, holiday
    key             text COLLATE "C" NOT NULL,
    before          jsonb,                      -- NULL: there was none
    after           jsonb,                      -- NULL: removed
    changed_by      text NOT NULL,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE dunning.rule_change IS 'Who changed which contact rule or holiday, when, from what to what.';

SELECT pg_catalog.pg_extension_config_dump('dunning.contact_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.holiday', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.rule_change', '');

-- The house rule stands everywhere; countries only tighten it. What is not verified ships disabled.
INSERT INTO dunning.contact_rule
    (rule, builtin, country, debtor_kind, channels, rings, windows, holidays, cap, cap_days, cap_scope, after_conversation, source, verified, enabled)
VALUES
    ('house-ring', true, NULL, NULL, NULL, true, 'Mon-Fri 08:00-20:00, Sat 09:00-15:00', false, NULL, NULL, 'person', NULL,
        'house rule', true, true),
    ('house-email', true, NULL, NULL, '{email}', NULL, 'Mon-Sun 07:00-21:00', true, NULL, NULL, 'person', NULL,
        'house rule', true, true),
    ('house-daily', true, NULL, NULL, NULL, NULL, NULL, false, 1, 1, 'person', NULL,
        'house rule: one contact a day, all channels and creditors together', true, true),
    ('house-weekly', true, NULL, NULL, NULL, NULL, NULL, false, 3, 7, 'person', NULL,
        'house rule: three contacts in seven days, all channels and creditors together', true, true),
    ('house-ring-weekly', true, NULL, NULL, NULL, true, NULL, false, 7, 7, 'person', NULL,
        'house rule: stands when house-weekly is loosened', true, true),
    ('us-inconvenient-time', true, 'US', 'person', '{email,sms,call,push,whatsapp,visit}', NULL, 'Mon-Sun 08:00-21:00', true, NULL, NULL, 'person', NULL,
        '12 CFR 1006.6(b)(1)', true, true),
    ('us-7-in-7', true, 'US', 'person', '{call}', NULL, NULL, false, 7, 7, 'debtor', '7 days',
        '12 CFR 1006.14(b)', true, true),
    ('gb-reasonable-times', true, 'GB', 'person', NULL, true, 'Mon-Sat 08:00-21:00', false, NULL, NULL, 'person', NULL,
        'policy under CONC 7.9.4, which names no hours', true, true),
    ('dk-visit', true, 'DK', NULL, '{visit}', NULL, 'Mon-Fri 08:00-21:00, Sat 08:00-16:00', false, NULL, NULL, 'person', NULL,
        'inkassoloven §12', true, true),
    ('dk-ring', true, 'DK', NULL, '{call,sms}', NULL, 'Mon-Fri 08:00-21:00, Sat 08:00-16:00', false, NULL, NULL, 'person', NULL,
        'policy: the hours of inkassoloven §12 for telephone and SMS', true, true),
    ('nl-contact-ban', true, 'NL', 'person', '{email,sms,call,push,whatsapp,visit}', NULL, 'Mon-Sat 07:00-20:00', false, NULL, NULL, 'person', NULL,
        'Besluit kwaliteit incassodienstverlening art. 4.2', true, true),
    ('no-contact-hours', true, 'NO', NULL, '{email,sms,call,push,whatsapp,visit}', NULL, 'Mon-Fri 08:00-21:00, Sat 09:00-15:00', false, NULL, NULL, 'person', NULL,
        'Prop. 3 L (2025-2026), not known to be in force', false, false),
    ('de-ring', true, 'DE', NULL, '{call,sms}', NULL, 'Mon-Sat 08:00-20:00', false, NULL, NULL, 'person', NULL,
        'practice; no hours found in law', false, false);
INSERT INTO dunning.contact_rule
    (rule, builtin, country, region, debtor_kind, channels, cap, cap_days, cap_scope, source, verified, enabled)
VALUES
    ('us-ma-calls', true, 'US', 'MA', 'person', '{call}', 2, 7, 'debtor', 'state cap', false, false);

-- ---- reading ----

CREATE FUNCTION dunning._holiday(country text, region text, on_date date) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := dunning._place(_holiday.country, _holiday.region);
    mine record;
BEGIN
    -- The region's own row before the country's.
    SELECT h.name, h.open INTO mine
    FROM dunning.holiday h
    WHERE h.on_date = _holiday.on_date AND h.country = substr(place, 1, 2)
      AND h.region IN ('', substr(place, 4))
    ORDER BY h.region DESC LIMIT 1;
    IF FOUND THEN
        RETURN CASE WHEN mine.open THEN NULL ELSE mine.name END;
    END IF;
    RETURN dunning._computed_holiday(_holiday.country, _holiday.region, _holiday.on_date);
END
$fn$;
COMMENT ON FUNCTION dunning._holiday(text, text, date) IS 'Name of the holiday on a date in a country and region, NULL where it is none: the user''s table first, then the computed calendar.';
GRANT EXECUTE ON FUNCTION dunning._holiday(text, text, date) TO dunning_viewer, dunning_worker;

CREATE FUNCTION dunning.calendar_dates(country text, from_date date, until_date date)
    RETURNS TABLE (on_date date, kind text, name text, effect text, source text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := dunning._place(split_part(calendar_dates.country, '-', 1), nullif(split_part(calendar_dates.country, '-', 2), ''));
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'unknown country "%"', calendar_dates.country
            USING ERRCODE = '22023', DETAIL = 'A country is a two-letter ISO 3166 code, a region follows after a hyphen.',
                  HINT = 'SELECT * FROM dunning.calendar_dates(''DK'', ''2026-01-01'', ''2026-12-31'');';
    END IF;
    IF calendar_dates.from_date IS NULL OR calendar_dates.until_date IS NULL
       OR calendar_dates.from_date < '1900-01-01' OR calendar_dates.until_date > '2199-12-31'
       OR calendar_dates.from_date > calendar_dates.until_date THEN
        RAISE EXCEPTION 'no such range of dates: % to %', calendar_dates.from_date, calendar_dates.until_date
            USING ERRCODE = '22023', DETAIL = 'Calendars are computed for the years 1900 to 2199.',
                  HINT = 'Give from_date on or before until_date, both within these years.';
    END IF;
    RETURN QUERY
        SELECT c.on_date, c.kind, c.name, c.effect, c.source
        FROM dunning._computed_dates(substr(place, 1, 2), substr(place, 4), calendar_dates.from_date, calendar_dates.until_date) c
        WHERE c.kind <> 'holiday' OR NOT EXISTS (
            SELECT FROM dunning.holiday h
            WHERE h.country = substr(place, 1, 2) AND h.region IN ('', substr(place, 4)) AND h.on_date = c.on_date)
        UNION ALL
        SELECT h.on_date, 'holiday', h.name, CASE WHEN h.open THEN 'open' ELSE 'closed' END, 'dunning.holiday'
        FROM dunning.holiday h
        WHERE h.country = substr(place, 1, 2) AND h.region IN ('', substr(place, 4))
          AND h.on_date BETWEEN calendar_dates.from_date AND calendar_dates.until_date
        ORDER BY 1, 2, 3;
END
$fn$;
COMMENT ON FUNCTION dunning.calendar_dates(text, date, date) IS
    'Dates that matter in a country (''DK'', ''GB-SCT''), both ends included: holidays (effect closed, or open by dunning.holiday), income dates (income) and tax dates (outflow), with source. Bad country or range: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.calendar_dates(text, date, date) TO dunning_viewer;

-- ---- changing ----

CREATE FUNCTION dunning._log_rule_change(kind text, key text, before jsonb, after jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    INSERT INTO dunning.rule_change AS r (change_id, kind, key, before, after, changed_by, changed_at)
    VALUES (dunning._uuid7(), _log_rule_change.kind, _log_rule_change.key, _log_rule_change.before, _log_rule_change.after,
            session_user, dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning._log_rule_change(text, text, jsonb, jsonb) IS 'Keeps who changed a rule or holiday, when and from what.';

CREATE FUNCTION dunning.save_rule(
    rule text, windows text DEFAULT NULL, channels text[] DEFAULT NULL, country text DEFAULT NULL, region text DEFAULT NULL,
    debtor_kind text DEFAULT NULL, rings boolean DEFAULT NULL, holidays boolean DEFAULT NULL,
    cap int DEFAULT NULL, cap_days int DEFAULT NULL, cap_scope text DEFAULT NULL, min_gap interval DEFAULT NULL,
    after_conversation interval DEFAULT NULL, valid_from date DEFAULT NULL, valid_to date DEFAULT NULL,
    source text DEFAULT NULL, enabled boolean DEFAULT NULL)
    RETURNS TABLE (version int, warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.contact_rule;
    new dunning.contact_rule;
    wrong text;
    help text;
BEGIN
    SELECT r.* INTO old FROM dunning.contact_rule r WHERE r.rule = save_rule.rule ORDER BY r.builtin LIMIT 1;
    new.rule := save_rule.rule;
    new.builtin := false;
    new.windows := coalesce(save_rule.windows, old.windows);
    new.channels := coalesce(save_rule.channels, old.channels);
    new.country := coalesce(substr(dunning._place(save_rule.country, NULL), 1, 2), old.country);
    new.region := coalesce(substr(dunning._place(new.country, save_rule.region), 4), old.region);
    new.debtor_kind := coalesce(save_rule.debtor_kind, old.debtor_kind);
    new.rings := coalesce(save_rule.rings, old.rings);
    new.holidays := coalesce(save_rule.holidays, old.holidays, false);
    new.cap := coalesce(save_rule.cap, old.cap);
    new.cap_days := coalesce(save_rule.cap_days, old.cap_days);
    new.cap_scope := coalesce(save_rule.cap_scope, old.cap_scope, 'person');
    new.min_gap := coalesce(save_rule.min_gap, old.min_gap);
    new.after_conversation := coalesce(save_rule.after_conversation, old.after_conversation);
    new.valid_from := coalesce(save_rule.valid_from, old.valid_from);
    new.valid_to := coalesce(save_rule.valid_to, old.valid_to);
    new.source := coalesce(save_rule.source, old.source, 'own rule');
    new.verified := true;
    new.enabled := coalesce(save_rule.enabled, true);

    wrong := dunning._rule_problem(new, save_rule.country, save_rule.region);
    IF wrong IS NOT NULL THEN
        help := CASE WHEN wrong ~ 'channel' THEN 'SELECT channel FROM dunning.channel;'
                     ELSE 'SELECT * FROM dunning.save_rule(''quiet-evenings'', windows => ''Mon-Fri 09:00-18:00'', channels => ''{call,sms}'', country => ''DK'');' END;
        RAISE EXCEPTION 'contact rule "%" makes no sense', save_rule.rule USING ERRCODE = '22023', DETAIL = wrong, HINT = help;
    END IF;

    INSERT INTO dunning.contact_rule AS r VALUES (new.*)
    ON CONFLICT ON CONSTRAINT contact_rule_pkey DO UPDATE SET
        country = EXCLUDED.country, region = EXCLUDED.region, debtor_kind = EXCLUDED.debtor_kind, channels = EXCLUDED.channels,
        rings = EXCLUDED.rings, windows = EXCLUDED.windows, holidays = EXCLUDED.holidays, cap = EXCLUDED.cap,
        cap_days = EXCLUDED.cap_days, cap_scope = EXCLUDED.cap_scope, min_gap = EXCLUDED.min_gap,
        after_conversation = EXCLUDED.after_conversation, valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to,
        source = EXCLUDED.source, verified = EXCLUDED.verified, enabled = EXCLUDED.enabled;
    PERFORM dunning._log_rule_change('contact_rule', new.rule, CASE WHEN old.rule IS NOT NULL THEN to_jsonb(old) END, to_jsonb(new));
    RETURN QUERY
        SELECT (SELECT count(*)::int FROM dunning.rule_change c WHERE c.kind = 'contact_rule' AND c.key = new.rule),
               dunning._rule_warnings(new);
END
$fn$;
COMMENT ON FUNCTION dunning.save_rule(text, text, text[], text, text, text, boolean, boolean, int, int, text, interval, interval, date, date, text, boolean) IS
    'Adds a contact rule, or replaces the one of this name (a built-in one too: reset_rule() brings it back). What is not given stays as it was. windows: ''Mon-Fri 08:00-20:00, Sat 09:00-15:00'', local time, '''' is never. Returns the version and warnings. A rule that makes no sense: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_rule(text, text, text[], text, text, text, boolean, boolean, int, int, text, interval, interval, date, date, text, boolean) TO dunning_admin;

CREATE FUNCTION dunning._rule_problem(rule dunning.contact_rule, country text, region text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    r dunning.contact_rule := _rule_problem.rule;
    unknown text;
BEGIN
    SELECT string_agg(u.name, ', ') INTO unknown
    FROM unnest(r.channels) u(name)
    WHERE u.name IS NULL OR NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = u.name);
    RETURN CASE
        WHEN r.rule IS NULL OR r.rule !~ '^[a-z0-9][a-z0-9_-]{0,62}$' THEN
            'A rule''s name has 1 to 63 small letters, digits, hyphens and underscores.'
        WHEN r.windows IS NULL AND r.cap IS NULL AND r.min_gap IS NULL AND r.after_conversation IS NULL THEN
            'It needs windows, a cap, min_gap or after_conversation.'
        WHEN dunning._check_windows(r.windows) IS NOT NULL THEN dunning._check_windows(r.windows)
        WHEN cardinality(r.channels) = 0 THEN 'An empty list of channels names none.'
        WHEN unknown IS NOT NULL OR array_position(r.channels, NULL) IS NOT NULL THEN
            format('Unknown channel: %s.', coalesce(unknown, 'NULL'))
        WHEN _rule_problem.country IS NOT NULL AND dunning._place(_rule_problem.country, NULL) IS NULL THEN
            'A country is a two-letter ISO 3166 code.'
        WHEN _rule_problem.region IS NOT NULL AND coalesce(length(dunning._place(r.country, _rule_problem.region)), 0) < 4 THEN
            'A region is the second part of an ISO 3166-2 code and needs its country.'
        WHEN r.debtor_kind NOT IN ('person', 'company') THEN 'debtor_kind is person or company.'
        WHEN r.cap_scope NOT IN ('debtor', 'person') THEN 'cap_scope is debtor or person.'
        WHEN (r.cap IS NULL) <> (r.cap_days IS NULL) THEN 'cap and cap_days belong together.'
        WHEN r.cap < 0 OR r.cap_days NOT BETWEEN 1 AND 92 THEN 'cap is at least 0 and cap_days 1 to 92.'
        WHEN r.min_gap NOT BETWEEN '0' AND '92 days' OR r.after_conversation NOT BETWEEN '0' AND '92 days' THEN
            'min_gap and after_conversation are 0 to 92 days.'
        WHEN NOT isfinite(r.valid_from) OR NOT isfinite(r.valid_to) OR r.valid_to < r.valid_from THEN
            'valid_from and valid_to are finite and in order.'
    END;
END
$fn$;
COMMENT ON FUNCTION dunning._rule_problem(dunning.contact_rule, text, text) IS 'What is wrong with a contact rule, NULL where nothing is.';

CREATE FUNCTION dunning._rule_warnings(rule dunning.contact_rule) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    r dunning.contact_rule := _rule_warnings.rule;
    warned text[] := '{}';
    closed text;
BEGIN
    -- One week without a computed holiday, hour by hour, at one place: enough to see rules that contradict each other.
    SELECT string_agg(c.channel, ', ' ORDER BY c.channel) INTO closed
    FROM (SELECT DISTINCT ON (a.channel) a.* FROM dunning.channel a ORDER BY a.channel, a.builtin) c
    CROSS JOIN LATERAL (SELECT dunning._windows(m.windows, false, 'Etc/UTC', r.country, r.region, NULL, NULL) AS mask
                        FROM dunning._rules_of(r.country, r.region, r.debtor_kind, c.channel, c.rings, NULL, NULL) m) w
    WHERE r.enabled AND (r.channels IS NULL OR c.channel = ANY (r.channels)) AND (r.rings IS NULL OR r.rings = c.rings)
      AND NOT EXISTS (SELECT FROM generate_series('2026-01-05 00:00+00'::timestamptz, '2026-01-11 23:45+00', '15 min') t(at)
                      WHERE dunning._closed(t.at, w.mask) IS NULL);
    IF closed IS NOT NULL THEN
        warned := warned || format('with the other rules no hour of the week is left for: %s', closed);
    END IF;
    IF r.enabled AND r.cap = 0 THEN
        warned := warned || 'a cap of 0 allows no contact at all'::text;
    END IF;
    IF NOT r.enabled AND EXISTS (SELECT FROM dunning.contact_rule b WHERE b.rule = r.rule AND b.builtin AND b.enabled) THEN
        warned := warned || 'a built-in rule is switched off; SELECT dunning.reset_rule() of its name brings it back'::text;
    END IF;
    RETURN warned;
END
$fn$;
COMMENT ON FUNCTION dunning._rule_warnings(dunning.contact_rule) IS 'What to think about before keeping a rule that can be read.';

-- All rules of each combination: `combinations` is a SELECT of country, region, kind, channel, rings, from_date, until_date ('' or NULL: unknown).
-- An unknown country or kind is met by every country's and kind's rules: the strictest.
CREATE FUNCTION dunning._rules_sql(combinations text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT format($q$SELECT x.country, x.region, x.kind, x.channel,
        array_agg(r.windows ORDER BY r.rule) FILTER (WHERE r.windows IS NOT NULL) AS windows,
        coalesce(bool_or(r.windows IS NOT NULL AND NOT r.holidays), false) AS holidays_closed,
        array_agg(r.packed ORDER BY r.rule) FILTER (WHERE r.packed IS NOT NULL) AS caps,
        array_agg(r.rule ORDER BY r.rule) FILTER (WHERE r.rule IS NOT NULL) AS names
    FROM (%s) x(country, region, kind, channel, rings, from_date, until_date)
    CROSS JOIN LATERAL (SELECT dunning._place(x.country, x.region) AS place) p
    LEFT JOIN (
        SELECT e.rule, e.country, e.region, e.debtor_kind, e.channels, e.rings, e.windows, e.holidays, e.valid_from, e.valid_to,
               -- rule, cap, days, scope, gap and silence in seconds, channels counted: unit separators between, read by the gate
               CASE WHEN e.cap IS NOT NULL OR e.min_gap IS NOT NULL OR e.after_conversation IS NOT NULL THEN
                   concat_ws(E'\x1f', e.rule, coalesce(e.cap, -1), coalesce(e.cap_days, 0), e.cap_scope,
                       coalesce(extract(epoch FROM e.min_gap)::bigint, 0), coalesce(extract(epoch FROM e.after_conversation)::bigint, 0),
                       CASE WHEN e.channels IS NULL AND e.rings IS NULL THEN '*' ELSE coalesce((
                           SELECT string_agg(c.channel, E'\x1e' ORDER BY c.channel)
                           FROM (SELECT DISTINCT ON (b.channel) b.channel, b.rings FROM dunning.channel b ORDER BY b.channel, b.builtin) c
                           WHERE (e.channels IS NULL OR c.channel = ANY (e.channels)) AND (e.rings IS NULL OR e.rings = c.rings)), '') END) END AS packed
        FROM (SELECT DISTINCT ON (b.rule) b.* FROM dunning.contact_rule b ORDER BY b.rule, b.builtin) e
        WHERE e.enabled) r
    ON (r.country IS NULL OR p.place IS NULL OR r.country = substr(p.place, 1, 2))
      AND (r.region IS NULL OR p.place IS NULL OR substr(p.place, 4) = '' OR r.region = substr(p.place, 4))
      AND (r.debtor_kind IS NULL OR coalesce(x.kind, '') = '' OR r.debtor_kind = x.kind)
      AND (r.channels IS NULL OR x.channel = ANY (r.channels))
      AND (r.rings IS NULL OR r.rings = x.rings)
      AND (r.valid_from IS NULL OR x.until_date IS NULL OR r.valid_from <= x.until_date)
      AND (r.valid_to IS NULL OR x.from_date IS NULL OR r.valid_to >= x.from_date)
    GROUP BY 1, 2, 3, 4$q$, $1)
$sql$;
COMMENT ON FUNCTION dunning._rules_sql(text) IS
    'SQL text: for each combination of place, kind and channel the rules that apply: windows to intersect, whether holidays are closed, caps packed for the gate, names.';

CREATE FUNCTION dunning._rules_of(country text, region text, debtor_kind text, channel text, rings boolean, from_date date, until_date date,
    OUT windows text[], OUT holidays_closed boolean, OUT caps text[], OUT names text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    EXECUTE 'SELECT u.windows, u.holidays_closed, u.caps, u.names FROM (' || dunning._rules_sql('SELECT $1, $2, $3, $4, $5, $6, $7') || ') u'
    INTO _rules_of.windows, _rules_of.holidays_closed, _rules_of.caps, _rules_of.names
    USING _rules_of.country, _rules_of.region, _rules_of.debtor_kind, _rules_of.channel, _rules_of.rings, _rules_of.from_date, _rules_of.until_date;
END
$fn$;
COMMENT ON FUNCTION dunning._rules_of(text, text, text, text, boolean, date, date) IS
    'The rules that apply to one combination between two dates (NULL: at any time).';
GRANT EXECUTE ON FUNCTION dunning._rules_of(text, text, text, text, boolean, date, date) TO dunning_worker;

CREATE FUNCTION dunning.reset_rule(rule text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.contact_rule;
BEGIN
    DELETE FROM dunning.contact_rule r WHERE r.rule = reset_rule.rule AND NOT r.builtin RETURNING r.* INTO old;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM dunning.contact_rule r WHERE r.rule = reset_rule.rule) THEN
            RAISE EXCEPTION 'unknown contact rule "%"', reset_rule.rule
                USING ERRCODE = '22023', HINT = 'SELECT rule FROM dunning.contact_rule;';
        END IF;
        RETURN false;
    END IF;
    PERFORM dunning._log_rule_change('contact_rule', old.rule, to_jsonb(old), NULL);
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_rule(text) IS 'True where a rule of your own was removed, so that a built-in one of the same name holds again. Unknown rule: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_rule(text) TO dunning_admin;

CREATE FUNCTION dunning.save_holiday(country text, on_date date, name text, region text DEFAULT NULL, open boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := dunning._place(save_holiday.country, save_holiday.region);
    old jsonb;
BEGIN
    IF place IS NULL OR (save_holiday.region <> '' AND length(place) < 4) OR save_holiday.on_date IS NULL
       OR NOT isfinite(save_holiday.on_date) OR coalesce(save_holiday.name, '') = '' OR save_holiday.open IS NULL THEN
        RAISE EXCEPTION 'a holiday needs a country, a date and a name'
            USING ERRCODE = '22023', DETAIL = format('Given: country %L, region %L, date %L, name %L.',
                      save_holiday.country, save_holiday.region, save_holiday.on_date, save_holiday.name),
                  HINT = 'SELECT dunning.save_holiday(''DK'', ''2027-05-07'', ''Company day'');';
    END IF;
    SELECT to_jsonb(h) INTO old FROM dunning.holiday h
    WHERE h.country = substr(place, 1, 2) AND h.region = substr(place, 4) AND h.on_date = save_holiday.on_date;
    INSERT INTO dunning.holiday AS h (country, region, on_date, name, open)
    VALUES (substr(place, 1, 2), substr(place, 4), save_holiday.on_date, save_holiday.name, save_holiday.open)
    ON CONFLICT ON CONSTRAINT holiday_pkey DO UPDATE SET name = EXCLUDED.name, open = EXCLUDED.open;
    PERFORM dunning._log_rule_change('holiday', place || ' ' || save_holiday.on_date, old,
        jsonb_build_object('name', save_holiday.name, 'open', save_holiday.open));
END
$fn$;
COMMENT ON FUNCTION dunning.save_holiday(text, date, text, text, boolean) IS
    'Adds a day without contact on ringing channels; with open => true a computed holiday becomes a working day. Missing or infinite values: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_holiday(text, date, text, text, boolean) TO dunning_admin;

GRANT SELECT ON dunning.contact_rule, dunning.holiday, dunning.rule_change TO dunning_viewer;
GRANT SELECT ON dunning.contact_rule, dunning.holiday TO dunning_worker;
GRANT EXECUTE ON FUNCTION dunning._place(text, text), dunning._zone(text, text, text), dunning._local_time(timestamptz, text),
    dunning._windows(text[], boolean, text, text, text, date[], date[]), dunning._closed(timestamptz, bytea) TO dunning_viewer, dunning_worker;
-- gate: may this debtor be contacted, on this channel, at this instant? The only answer to "may I".

CREATE TABLE dunning.channel (
    channel         text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    address_field   text NOT NULL,              -- email, phone, address, or a key of the debtor's attributes
    human           boolean NOT NULL,           -- a person does it: the task driver, a worklist row
    rings           boolean NOT NULL,           -- rings or buzzes: the strict hours of the house rule
    service         boolean NOT NULL,           -- allowed without consent (NULL) as a service message
    cost            numeric NOT NULL,           -- a contact, first value; set_cost() overrides
    currency        text NOT NULL DEFAULT 'EUR',
    PRIMARY KEY (channel, builtin)
);
COMMENT ON TABLE dunning.channel IS 'The channels. A user adds rows; a row of the same name replaces the built-in one.';
INSERT INTO dunning.channel (channel, builtin, address_field, human, rings, service, cost) VALUES
    ('email',    true, 'email',   false, false, true,  0),
    ('sms',      true, 'phone',   false, true,  true,  0.10),
    ('letter',   true, 'address', false, false, true,  1.20),
    ('call',     true, 'phone',   true,  true,  true,  6),
    ('push',     true, 'push',    false, true,  false, 0),
    ('whatsapp', true, 'phone',   false, true,  false, 0.05),
    ('visit',    true, 'address', true,  true,  true,  50);

CREATE TABLE dunning.hold (
    debtor_id       text COLLATE "C" NOT NULL,
    hold_id         uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    reason          text NOT NULL,              -- dispute, hardship, moratorium, insolvency, legal_representation, deceased, investigation, awaiting_us, promise, manual ...
    invoice_id      text COLLATE "C",           -- NULL: everything
    note            text,
    from_at         timestamptz NOT NULL,
    until_at        timestamptz,                -- NULL: until released
    placed_by       text NOT NULL,
    released_at     timestamptz,
    released_by     text,
    PRIMARY KEY (debtor_id, hold_id)
);
COMMENT ON TABLE dunning.hold IS 'Debtors (or single invoices) that are not dunned, from when to when, why and by whom.';

-- Found by address, so that a suppressed address stays so however often it is imported. Only a keyed digest is kept.
CREATE TABLE dunning.suppression (
    address_digest  bytea NOT NULL,
    channel         text COLLATE "C" NOT NULL,  -- '*': every channel
    reason          text NOT NULL,
    suppressed_at   timestamptz NOT NULL,
    suppressed_by   text NOT NULL,
    PRIMARY KEY (address_digest, channel)
);
COMMENT ON TABLE dunning.suppression IS 'Addresses never to be used again: bounced, opted out, complained. Digests, not addresses.';

CREATE INDEX hold_id ON dunning.hold (hold_id);
-- Accounts of one person are looked for at every claim.
CREATE INDEX debtor_person ON dunning.debtor (person_id) WHERE person_id IS NOT NULL;

-- The key of address digests; dumped, since suppressions must outlive a restore. Not a secret that opens anything.
CREATE TABLE dunning.digest_key (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    key             bytea NOT NULL
);
COMMENT ON TABLE dunning.digest_key IS 'The key under which addresses are digested.';
REVOKE ALL ON dunning.digest_key FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('dunning.channel', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.hold', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.suppression', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.digest_key', '');

GRANT SELECT ON dunning.channel, dunning.hold TO dunning_viewer;
-- What the texts of the gate read, run by the worker itself.
GRANT SELECT ON dunning.channel, dunning.hold, dunning.suppression, dunning.digest_key TO dunning_worker;
-- gate: the one query. Planning, sending, allowed(), contact windows and best times all read these words from it.

CREATE FUNCTION dunning._digest(address text, address_field text, key bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'dun_gate_sql_digest';
COMMENT ON FUNCTION dunning._digest(text, text, bytea) IS 'HMAC-SHA-256 of the address in its normal form; address_field email, phone, address or another, NULL or ''*'': seen from the address.';

CREATE FUNCTION dunning._good_address(address text, address_field text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_good_address';
COMMENT ON FUNCTION dunning._good_address(text, text) IS 'True where every octet of the address may stand in one (no control characters, no second recipient). NULL: false.';

CREATE FUNCTION dunning._caps(ord int, at timestamptz, debtor_id text, message_id uuid, windows bytea, caps text[],
    debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[], talks timestamptz[]) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_caps';
COMMENT ON FUNCTION dunning._caps(int, timestamptz, text, uuid, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]) IS
    'The caps, gaps and silences that forbid a contact at this instant, NULL where none does. Contacts: ord 0 happened, < 0 queued (counted for a question, message_id NULL), > 0 earlier in the same batch.';

CREATE FUNCTION dunning._open_ranges(from_time timestamptz, until_time timestamptz, debtor_id text, windows bytea, caps text[],
    debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[], talks timestamptz[]) RETURNS tstzmultirange
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'dun_gate_sql_open_ranges';
COMMENT ON FUNCTION dunning._open_ranges(timestamptz, timestamptz, text, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]) IS
    'The whole minutes in which neither clock nor caps forbid a contact.';

-- The arguments as rows. A function of our own, because it knows that a batch has many rows: the planner takes arrays for ten.
CREATE FUNCTION dunning._ask(ids text[], channels text[], ats timestamptz[], marks text[], extras anyarray)
    RETURNS TABLE (ord bigint, debtor_id text, channel text, at timestamptz, mark text, extra anyelement)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT u.ord, u.id, u.channel, u.at, u.mark, u.extra FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY u(id, channel, at, mark, extra, ord)
$sql$;
COMMENT ON FUNCTION dunning._ask(text[], text[], timestamptz[], text[], anyarray) IS 'Five arrays as numbered rows.';

-- Other accounts of the persons in `d` (person_id, debtor_id): text of a SELECT, NULL where no two accounts can share a person.
CREATE FUNCTION dunning._accounts_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    src record;
    base oid;
    wanted text;
BEGIN
    SELECT o.relation, o.columns INTO src FROM dunning._source_of('debtor') o;
    IF NOT src.columns ? 'person_id' THEN
        RETURN NULL;
    END IF;
    -- The person's id in the column's own type, so that an index of the source on it serves.
    base := (src.columns #>> '{person_id,base}')::oid;
    wanted := CASE
        WHEN base IN (20, 21, 23) THEN '(dunning._ids_int8(ARRAY[p.person_id]))[1]'
        WHEN base = 1700 THEN '(dunning._ids_numeric(ARRAY[p.person_id]))[1]'
        WHEN base = 2950 THEN '(dunning._ids_uuid(ARRAY[p.person_id]))[1]'
        ELSE format('p.person_id COLLATE %s', coalesce(src.columns #>> '{person_id,collation}', 'pg_catalog."default"')) END;
    RETURN format('SELECT p.person_id, s.debtor_id::text COLLATE "C" AS debtor_id FROM (SELECT DISTINCT d.person_id FROM d) p JOIN %s AS s ON s.person_id = %s',
                  src.relation, wanted);
END
$fn$;
COMMENT ON FUNCTION dunning._accounts_sql() IS 'SQL text: all accounts that name a person of the expression d; NULL where the source has no person_id. An index of the source on person_id serves it.';

-- What takes a debtor out altogether, whatever the hour: text of common table expressions up to `r`, one row an asked row.
CREATE FUNCTION dunning._gate_rows_sql(recheck boolean) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$
    a AS MATERIALIZED (SELECT q.ord::int AS ord, q.debtor_id COLLATE "C" AS debtor_id, q.channel COLLATE "C" AS channel, q.at, q.mark,
            q.extra AS %1$s
        FROM dunning._ask($1, $2, $3, $4, %2$s) q),
    d AS MATERIALIZED (SELECT l.debtor_id, l.person_id, l.consent, l.time_zone,
            coalesce(l.country, '') AS country, coalesce(l.region, '') AS region, coalesce(l.kind, '') AS kind, coalesce(l.time_zone, '') AS zone_key,
            l.email, l.phone, l.address, l.attributes, count(*) OVER (PARTITION BY l.debtor_id) AS rows
        FROM (%3$s) l),
    c AS MATERIALIZED (SELECT DISTINCT ON (b.channel) b.channel, b.address_field, b.rings, b.service FROM dunning.channel b ORDER BY b.channel, b.builtin),
    m AS MATERIALIZED (%4$s),
    hs AS MATERIALIZED (SELECT h.debtor_id, array_agg(h.reason) AS reasons, array_agg(h.until_at) AS untils
        FROM (SELECT DISTINCT a.debtor_id FROM a) x JOIN dunning.hold h ON h.debtor_id = x.debtor_id
        WHERE h.released_at IS NULL AND h.invoice_id IS NULL GROUP BY 1),
    -- place: what the rules need to know, and the address
    w AS MATERIALIZED (SELECT a.*, d.person_id, d.country, d.region, d.kind, d.zone_key, d.time_zone, d.rows = 1 AS known, c.rings, v.address,
            c.channel IS NULL AS strange, c.address_field,
            CASE WHEN d.consent IS NULL OR jsonb_typeof(d.consent) = 'null' THEN c.service
                 WHEN jsonb_typeof(d.consent) <> 'object' THEN false
                 WHEN jsonb_typeof(d.consent -> a.channel) IS NULL OR jsonb_typeof(d.consent -> a.channel) = 'null' THEN c.service
                 ELSE d.consent -> a.channel = 'true' END AS consents,
            CASE WHEN v.address IS NOT NULL THEN dunning._digest(v.address, c.address_field, (SELECT k.key FROM dunning.digest_key k)) END AS digest
        FROM a
        LEFT JOIN d ON d.debtor_id = a.debtor_id
        LEFT JOIN c ON c.channel = a.channel
        CROSS JOIN LATERAL (SELECT %5$s AS address) v),
    sup AS MATERIALIZED (SELECT s.address_digest, array_agg(s.channel) AS channels, array_agg(s.reason) AS reasons
        FROM (SELECT DISTINCT w.digest FROM w WHERE w.digest IS NOT NULL) x JOIN dunning.suppression s ON s.address_digest = x.digest GROUP BY 1),
    r AS MATERIALIZED (SELECT w.*, m.mark AS ledger_mark, m.amounts, hs.reasons AS hold_reasons, hs.untils AS hold_untils,
            array_remove(ARRAY[
%7$s                CASE WHEN w.strange THEN 'unknown_channel' END,
                CASE WHEN w.known IS NOT TRUE THEN 'unknown_debtor' END,
                CASE WHEN m.valid IS NOT TRUE THEN 'invalid_amount' END,
                CASE WHEN w.mark IS NOT NULL AND coalesce(m.amounts, '{}') = '{}' THEN 'no_balance' END,
                CASE WHEN w.mark IS NOT NULL AND m.mark IS DISTINCT FROM w.mark THEN 'balance_changed' END,
                CASE WHEN m.disputed THEN 'disputed' END%6$s,
                CASE WHEN sup.address_digest IS NOT NULL THEN (
                    SELECT 'suppressed:' || min(u.reason) FROM unnest(sup.channels, sup.reasons) u(channel, reason)
                    WHERE u.channel = w.channel OR u.channel = '*') END], NULL) AS words
        FROM w
        LEFT JOIN m ON m.debtor_id = w.debtor_id
        LEFT JOIN hs ON hs.debtor_id = w.debtor_id
        LEFT JOIN sup ON sup.address_digest = w.digest)$q$,
        CASE WHEN _gate_rows_sql.recheck THEN 'sent_to' ELSE 'message_id' END,
        CASE WHEN _gate_rows_sql.recheck THEN '$5::text[]' ELSE '$5::uuid[]' END,
        dunning._ledger_sql('debtor', '$1'), dunning._mark_sql('$1'),
        CASE WHEN _gate_rows_sql.recheck THEN 'a.sent_to' ELSE
            $q$nullif(CASE c.address_field WHEN 'email' THEN d.email WHEN 'phone' THEN d.phone
                WHEN 'address' THEN CASE WHEN jsonb_typeof(d.address) = 'object' AND d.address <> '{}' THEN d.address::text END
                ELSE d.attributes ->> c.address_field END, '')$q$ END,
        CASE WHEN _gate_rows_sql.recheck THEN '' ELSE $q$,
                CASE WHEN w.consents IS NOT TRUE AND NOT w.strange AND w.known THEN 'no_consent' END,
                CASE WHEN w.address IS NULL AND NOT w.strange AND w.known THEN 'no_address' END,
                CASE WHEN w.address IS NOT NULL AND NOT dunning._good_address(w.address, w.address_field) THEN 'bad_address' END$q$ END,
        -- A recheck follows its gate by seconds, and a source that was changed in them makes the statement fail.
        CASE WHEN _gate_rows_sql.recheck THEN '' ELSE '(SELECT dunning._ledger_problem()),
                ' END);
END
$fn$;
COMMENT ON FUNCTION dunning._gate_rows_sql(boolean) IS 'SQL text of the first half of the gate: ledger, consent, address, suppression; holds as arrays. For the recheck without consent, and with the frozen address.';

-- The rules of each distinct combination once, as a mask and packed caps.
CREATE FUNCTION dunning._gate_rules_sql(ahead interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT format($q$
    pl AS MATERIALIZED (SELECT row_number() OVER ()::int AS no, x.country, x.region, x.kind, x.zone_key, x.channel, u.caps, u.names,
            dunning._windows(u.windows, u.holidays_closed, x.zone_key, x.country, x.region, f.added, f.opened) AS windows,
            (dunning._zone(x.zone_key, x.country, x.region))[1] AS zone
        FROM (SELECT DISTINCT w.country, w.region, w.kind, w.zone_key, w.channel FROM w WHERE w.known AND NOT w.strange) x
        JOIN (%s) u ON u.country = x.country AND u.region = x.region AND u.kind = x.kind AND u.channel = x.channel
        CROSS JOIN LATERAL (
            SELECT array_agg(h.on_date) FILTER (WHERE NOT h.open) AS added, array_agg(h.on_date) FILTER (WHERE h.open) AS opened
            FROM dunning.holiday h
            WHERE h.country = substr(dunning._place(x.country, x.region), 1, 2) AND h.region IN ('', substr(dunning._place(x.country, x.region), 4))
              AND h.on_date >= (SELECT min(a.at) - '2 days'::interval FROM a)::date) f),
    j AS MATERIALIZED (SELECT r.*, pl.no,
            CASE WHEN r.strange OR r.known IS NOT TRUE THEN NULL WHEN r.at IS NULL OR pl.windows IS NULL THEN 'quiet_hours' ELSE dunning._closed(r.at, pl.windows) END AS shut
        FROM r
        LEFT JOIN pl ON pl.country = r.country AND pl.region = r.region AND pl.kind = r.kind AND pl.zone_key = r.zone_key AND pl.channel = r.channel)$q$,
        dunning._rules_sql($q$SELECT DISTINCT w.country, w.region, w.kind, w.channel, w.rings,
            (SELECT min(a.at) - '1 day'::interval FROM a)::date, (SELECT max(a.at) + $q$ || quote_literal($1) || $q$::interval FROM a)::date
            FROM w WHERE w.known AND NOT w.strange$q$))
$sql$;
COMMENT ON FUNCTION dunning._gate_rules_sql(interval) IS 'SQL text: the mask and caps of each combination of place, kind and channel in the batch, with the rules valid from its first instant to so long after its last.';

-- What each person was told of late, at all creditors: text of common table expressions up to `hist`.
CREATE FUNCTION dunning._gate_history_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    others text := dunning._accounts_sql();
BEGIN
    -- A message leaves within days of being planned; half a year of keys is more than any cap looks back.
    RETURN format($q$
    ac AS MATERIALIZED (SELECT d.person_id, d.debtor_id FROM d%1$s),
    ids AS MATERIALIZED (SELECT array_agg(ac.debtor_id) AS ids,
            (SELECT min(a.at) FROM a WHERE isfinite(a.at)) - (SELECT make_interval(days => 1 + max(greatest(coalesce(b.cap_days, 0),
                ceil(extract(epoch FROM greatest(b.min_gap, b.after_conversation)) / 86400)::int))) FROM dunning.contact_rule b WHERE b.enabled) AS since
        FROM ac),
    ev AS MATERIALIZED (SELECT v.debtor_id, v.event_id, v.message_id, v.kind, v.at FROM dunning.event v
        WHERE v.debtor_id = ANY ((SELECT ids.ids FROM ids)::text[]) AND v.kind IN ('called', 'conversation', 'called_in') AND v.at >= (SELECT ids.since FROM ids)),
    -- persons with several messages in this batch
    sev AS MATERIALIZED (SELECT j.person_id FROM j WHERE j.message_id IS NOT NULL AND j.words = '{}' AND j.shut IS NULL GROUP BY 1 HAVING count(*) > 1),
    con AS MATERIALIZED (
        SELECT e.debtor_id, e.channel, e.message_id, min(e.contact_on) AS at, 0 AS ord FROM dunning.egress e
        WHERE e.debtor_id = ANY ((SELECT ids.ids FROM ids)::text[]) AND e.message_id >= dunning._uuid7_floor(now() - '190 days'::interval)
          AND NOT e.test AND e.contact_on >= (SELECT ids.since FROM ids)
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT ev.debtor_id, 'call', coalesce(ev.message_id, ev.event_id), ev.at, 0 FROM ev WHERE ev.kind IN ('called', 'conversation')
        UNION ALL
        SELECT q.debtor_id, q.channel, q.message_id, q.due, -1 FROM dunning.queue q
        WHERE (SELECT bool_or(a.message_id IS NULL) FROM a)
          AND q.debtor_id = ANY ((SELECT ids.ids FROM ids)::text[]) AND q.state IN ('queued', 'sending')
        UNION ALL
        SELECT j.debtor_id, j.channel, j.message_id, j.at, j.ord FROM sev
        JOIN j ON j.person_id = sev.person_id AND j.words = '{}' AND j.shut IS NULL AND j.message_id IS NOT NULL),
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
        CASE WHEN others IS NULL THEN '' ELSE ' UNION SELECT d.person_id, d.person_id FROM d UNION ' || others END);
END
$fn$;
COMMENT ON FUNCTION dunning._gate_history_sql() IS 'SQL text: contacts of the last three months, queued ones and those of the same batch, for all accounts of each person.';

CREATE FUNCTION dunning._no_ledger_sql(recheck boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT CASE WHEN $1
        THEN 'SELECT q.ord::int AS ord, ''{ledger_broken}''::text[] AS blocked_by FROM dunning._ask($1, $2, $3, $4, $5::text[]) q ORDER BY 1'
        ELSE 'SELECT q.ord::int AS ord, q.debtor_id, q.channel, ''{ledger_broken}''::text[] AS blocked_by, NULL::text AS address, NULL::text AS zone, NULL::text AS mark, NULL::jsonb AS amounts FROM dunning._ask($1, $2, $3, $4, $5::uuid[]) q ORDER BY 1'
    END
$sql$;
COMMENT ON FUNCTION dunning._no_ledger_sql(boolean) IS 'SQL text of the gate while the ledger cannot be read: everything is blocked.';

CREATE FUNCTION dunning._gate_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._no_ledger_sql(false);
    END IF;
    RETURN format($q$WITH %s, %s, %s
SELECT j.ord, j.debtor_id, j.channel,
    j.words
    || CASE WHEN j.hold_reasons IS NULL THEN '{}' ELSE ARRAY(
           SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_untils) u(reason, until_at) WHERE u.until_at IS NULL OR (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END
    || array_remove(ARRAY[j.shut], NULL)
    || coalesce(CASE WHEN pl.caps IS NOT NULL THEN
           dunning._caps(j.ord, j.at, j.debtor_id, j.message_id, pl.windows, pl.caps, t.debtors, t.channels, t.messages, t.ats, t.ords, t.talks) END, '{}') AS blocked_by,
    j.address, pl.zone, j.ledger_mark AS mark, j.amounts
FROM j
LEFT JOIN pl ON pl.no = j.no
LEFT JOIN hist t ON t.person_id = j.person_id
ORDER BY j.ord$q$, dunning._gate_rows_sql(false), dunning._gate_rules_sql('1 day'), dunning._gate_history_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._gate_sql() IS
    'SQL text of the gate with $1 debtor_ids text[], $2 channels text[], $3 at timestamptz[], $4 marks text[], $5 message_ids uuid[]: ord, debtor_id, channel, blocked_by (empty: allowed), address, zone, mark, amounts. Make it anew when _ledger_signature() changes.';

-- The same rows before any instant is judged: for those who ask about many instants (contact windows, best times).
CREATE FUNCTION dunning._gate_facts_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$WITH %s, %s, %s
SELECT j.ord, j.debtor_id, j.channel, j.at, j.words || CASE WHEN pl.windows IS NULL AND j.words = '{}' THEN '{quiet_hours}'::text[] ELSE '{}' END AS words,
    CASE WHEN j.hold_reasons IS NULL THEN '{}' ELSE ARRAY(SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_untils) u(reason, until_at)
        WHERE u.until_at IS NULL OR (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END AS holds,
    CASE WHEN j.hold_reasons IS NOT NULL THEN (SELECT max(coalesce(u.until_at, 'infinity')) FROM unnest(j.hold_untils) u(until_at)) END AS held_until,
    pl.no AS place, pl.windows, pl.zone, pl.names, pl.caps, t.debtors, t.channels, t.messages, t.ats, t.ords, t.talks
FROM j
LEFT JOIN pl ON pl.no = j.no
LEFT JOIN hist t ON t.person_id = j.person_id
ORDER BY j.ord$q$, dunning._gate_rows_sql(false), dunning._gate_rules_sql('60 days'), dunning._gate_history_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._gate_facts_sql() IS
    'SQL text with the arguments of _gate_sql(): what blocks at any instant (words), holds and their end, the mask, packed caps and history that dunning._open_ranges() and the best time read. Not for a broken ledger.';

CREATE FUNCTION dunning._recheck_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._no_ledger_sql(true);
    END IF;
    RETURN format($q$WITH %s, %s
SELECT j.ord,
    j.words
    || CASE WHEN j.hold_reasons IS NULL THEN '{}' ELSE ARRAY(
           SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_untils) u(reason, until_at) WHERE u.until_at IS NULL OR (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END
    || array_remove(ARRAY[j.shut], NULL) AS blocked_by
FROM j
ORDER BY j.ord$q$, dunning._gate_rows_sql(true), dunning._gate_rules_sql('1 day'));
END
$fn$;
COMMENT ON FUNCTION dunning._recheck_sql() IS
    'SQL text of the last look before the first byte, with $1 debtor_ids, $2 channels, $3 at, $4 marks, $5 addresses (as frozen): ord, blocked_by. Payments, holds, suppression and the clock; caps were counted at the claim.';

-- Persons of a batch, locked in one order. Run it as a statement of its own before the gate, so that the gate's snapshot sees what
-- a worker who held the lock has sent. A debtor without other accounts is protected by the ownership of its slice.
CREATE FUNCTION dunning._gate_lock_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' OR dunning._accounts_sql() IS NULL THEN
        RETURN 'SELECT 0::bigint AS locked FROM (SELECT $1::text[]) x';
    END IF;
    RETURN format($q$SELECT count(pg_advisory_xact_lock(1685417584, k.key)) AS locked
FROM (SELECT DISTINCT (dunning._hash64(d.person_id) %% 2147483647)::int AS key
      FROM (SELECT l.debtor_id, l.person_id FROM (%s) l) d
      WHERE d.person_id <> d.debtor_id OR EXISTS (SELECT FROM (%s) o WHERE o.person_id = d.person_id AND o.debtor_id <> d.debtor_id)
      ORDER BY 1 OFFSET 0) k$q$,
        dunning._ledger_sql('debtor', '$1'), replace(dunning._accounts_sql(), '(SELECT DISTINCT d.person_id FROM d) p', '(SELECT d.person_id) p'));
END
$fn$;
COMMENT ON FUNCTION dunning._gate_lock_sql() IS
    'SQL text with $1 debtor_ids: takes the transaction''s advisory lock of every person with several accounts, in one order. To be run by itself before _gate_sql() in the transaction that inserts the egress rows: then caps hold between workers too.';
-- gate: holds, suppression, and the questions people ask of it.

CREATE FUNCTION dunning._gate(debtor_ids text[], channels text[], ats timestamptz[], marks text[] DEFAULT NULL, message_ids uuid[] DEFAULT NULL)
    RETURNS TABLE (ord int, debtor_id text, channel text, blocked_by text[], address text, zone text, mark text, amounts jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE dunning._gate_sql() USING _gate.debtor_ids, _gate.channels, _gate.ats, _gate.marks, _gate.message_ids;
END
$fn$;
COMMENT ON FUNCTION dunning._gate(text[], text[], timestamptz[], text[], uuid[]) IS
    'What blocks each contact of a batch (empty: allowed), with address, zone and the ledger''s mark and amounts, in one query. Ids are canonical. A mark is compared where it is given; without a message_id queued messages count against caps.';

CREATE FUNCTION dunning._need_channel(channel text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = _need_channel.channel) THEN
        RAISE EXCEPTION 'unknown channel "%"', _need_channel.channel
            USING ERRCODE = '22023',
                  DETAIL = format('Known channels: %s.', (SELECT string_agg(DISTINCT c.channel, ', ' ORDER BY c.channel) FROM dunning.channel c)),
                  HINT = 'SELECT channel, address_field FROM dunning.channel;';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._need_channel(text) IS 'Nothing; an unknown channel: 22023 with the known ones.';

CREATE FUNCTION dunning.allowed(debtor_id text, channel text, at timestamptz) RETURNS TABLE (allowed boolean, blocked_by text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(allowed.debtor_id);
BEGIN
    PERFORM dunning._need_channel(allowed.channel);
    IF id IS NULL OR allowed.at IS NULL OR NOT isfinite(allowed.at) THEN
        RAISE EXCEPTION 'allowed() needs a debtor and a finite instant'
            USING ERRCODE = '22023', DETAIL = format('Given: debtor %L, instant %L.', allowed.debtor_id, allowed.at),
                  HINT = 'SELECT * FROM dunning.allowed(''1042'', ''sms'', now());';
    END IF;
    RETURN QUERY SELECT g.blocked_by = '{}', g.blocked_by FROM dunning._gate(ARRAY[id], ARRAY[allowed.channel], ARRAY[allowed.at]) g;
END
$fn$;
COMMENT ON FUNCTION dunning.allowed(text, text, timestamptz) IS
    'One row: may this debtor be contacted on this channel at this instant, and every reason why not (empty: allowed). Messages about money are also refused when nothing is owed; that is asked when they are planned and sent. Unknown channel, infinite instant: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.allowed(text, text, timestamptz) TO dunning_viewer;

CREATE FUNCTION dunning.contact_windows(debtor_id text, channel text, from_time timestamptz, until_time timestamptz) RETURNS tstzmultirange
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(contact_windows.debtor_id);
    f record;
    start timestamptz;
BEGIN
    PERFORM dunning._need_channel(contact_windows.channel);
    IF id IS NULL OR (isfinite(contact_windows.from_time) AND isfinite(contact_windows.until_time)) IS NOT TRUE
       OR contact_windows.from_time > contact_windows.until_time OR contact_windows.until_time - contact_windows.from_time > '366 days'::interval THEN
        RAISE EXCEPTION 'no such span: % to %', contact_windows.from_time, contact_windows.until_time
            USING ERRCODE = '22023', DETAIL = 'Both ends are finite, in order, and at most 366 days apart; a debtor is given.',
                  HINT = 'SELECT dunning.contact_windows(''1042'', ''sms'', now(), now() + ''7 days'');';
    END IF;
    IF dunning._ledger_problem() IS NOT NULL THEN
        RETURN '{}';
    END IF;
    EXECUTE dunning._gate_facts_sql() INTO f
        USING ARRAY[id], ARRAY[contact_windows.channel], ARRAY[contact_windows.from_time], NULL::text[], NULL::uuid[];
    start := greatest(contact_windows.from_time, f.held_until);
    IF f.words <> '{}' OR start >= contact_windows.until_time THEN
        RETURN '{}';
    END IF;
    RETURN dunning._open_ranges(start, contact_windows.until_time, id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks);
END
$fn$;
COMMENT ON FUNCTION dunning.contact_windows(text, text, timestamptz, timestamptz) IS
    'The instants, in whole minutes, at which allowed() says yes; empty where something blocks at any hour. At most 366 days (22023). Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.contact_windows(text, text, timestamptz, timestamptz) TO dunning_viewer;

-- ---- holds ----

CREATE FUNCTION dunning.hold(debtor_id text, reason text, until date DEFAULT NULL, invoice_id text DEFAULT NULL, note text DEFAULT NULL)
    RETURNS TABLE (hold_id uuid, messages_stopped int)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
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
        -- Through that day, wherever the debtor lives: it ends with the day in the last candidate of the default zone.
        IF NOT isfinite(hold.until) OR hold.until < (dunning._now() AT TIME ZONE 'UTC')::date - 1 THEN
            RAISE EXCEPTION 'a hold cannot end on %', hold.until
                USING ERRCODE = '22023', DETAIL = 'The day is past or not a day of the calendar.',
                      HINT = format('SELECT * FROM dunning.hold(%L, %L, until => current_date + 14);', id, hold.reason);
        END IF;
        ends := (hold.until + 1)::timestamp AT TIME ZONE (dunning._zone(NULL, NULL, NULL))[1];
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
$fn$;
COMMENT ON FUNCTION dunning.hold(text, text, date, text, text) IS
    'One row: the hold''s id and how many queued messages it stopped in this transaction. The debtor (or one invoice) is not dunned until released, or through the given day. Unknown debtor or invoice, bad reason or date: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.hold(text, text, date, text, text) TO dunning_operator;

CREATE FUNCTION dunning.release(hold_id uuid) RETURNS TABLE (debtor_id text, reason text, messages_released int)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.hold;
BEGIN
    SELECT h.* INTO old FROM dunning.hold h WHERE h.hold_id = release.hold_id FOR UPDATE;
    IF old.hold_id IS NULL OR old.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'hold % %', release.hold_id, CASE WHEN old.hold_id IS NULL THEN 'does not exist' ELSE 'is already released' END
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN old.hold_id IS NULL THEN 'No hold has this id.' ELSE format('%s released it on %s.', old.released_by, old.released_at::date) END,
                  HINT = 'SELECT hold_id, debtor_id, reason FROM dunning.hold WHERE released_at IS NULL;';
    END IF;
    UPDATE dunning.hold h SET released_at = dunning._now(), released_by = session_user
    WHERE h.debtor_id = old.debtor_id AND h.hold_id = old.hold_id;
    RETURN QUERY SELECT old.debtor_id, old.reason, dunning._release_held(ARRAY[old.debtor_id], 'hold:' || old.reason);
END
$fn$;
COMMENT ON FUNCTION dunning.release(uuid) IS
    'One row: whose hold ended and how many messages it had held; the gate looks at those anew. Unknown or released: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.release(uuid) TO dunning_operator;

-- ---- suppression ----

CREATE FUNCTION dunning._digest_key() RETURNS bytea
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    secret bytea;
BEGIN
    SELECT k.key INTO secret FROM dunning.digest_key k;
    IF secret IS NULL THEN
        -- Two random uuids are 244 random bits.
        INSERT INTO dunning.digest_key AS k (key) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
        ON CONFLICT DO NOTHING;
        SELECT k.key INTO STRICT secret FROM dunning.digest_key k;
    END IF;
    RETURN secret;
END
$fn$;
COMMENT ON FUNCTION dunning._digest_key() IS 'The key of address digests, made at first use.';

CREATE FUNCTION dunning._address_digest(address text, channel text) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    field text;
    plain text := _address_digest.address;
BEGIN
    IF _address_digest.channel <> '*' THEN
        SELECT c.address_field INTO field FROM dunning.channel c WHERE c.channel = _address_digest.channel ORDER BY c.builtin LIMIT 1;
        IF NOT FOUND THEN
            PERFORM dunning._need_channel(_address_digest.channel);
        END IF;
    END IF;
    IF field = 'address' OR (field IS NULL AND plain LIKE '{%') THEN
        BEGIN
            plain := plain::jsonb::text;        -- one spelling of keys and blanks
        EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
            NULL;                               -- a postal address as plain text is digested as it stands
        END;
    END IF;
    RETURN dunning._digest(plain, field, dunning._digest_key());
END
$fn$;
COMMENT ON FUNCTION dunning._address_digest(text, text) IS 'Keyed digest of an address in its normal form; channel ''*'': what it is is seen from the address. Unknown channel: 22023. NULL address: NULL.';
GRANT EXECUTE ON FUNCTION dunning._address_digest(text, text) TO dunning_worker;

CREATE FUNCTION dunning.suppress(address text, channel text, reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    IF suppress.channel IS DISTINCT FROM '*' THEN
        PERFORM dunning._need_channel(suppress.channel);
    END IF;
    IF coalesce(btrim(suppress.address), '') = '' OR suppress.reason IS NULL OR suppress.reason !~ '^[a-z][a-z0-9_]{0,39}$' THEN
        RAISE EXCEPTION 'suppressing needs an address and a reason of one word'
            USING ERRCODE = '22023', DETAIL = format('The address is %s, the reason %L.',
                      CASE WHEN coalesce(btrim(suppress.address), '') = '' THEN 'empty' ELSE 'given' END, suppress.reason),
                  HINT = 'SELECT dunning.suppress(''name@example.com'', ''email'', ''opted_out'');';
    END IF;
    INSERT INTO dunning.suppression AS s (address_digest, channel, reason, suppressed_at, suppressed_by)
    VALUES (dunning._address_digest(suppress.address, suppress.channel), suppress.channel, suppress.reason, dunning._now(), session_user)
    ON CONFLICT ON CONSTRAINT suppression_pkey DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n > 0;
END
$fn$;
COMMENT ON FUNCTION dunning.suppress(text, text, text) IS
    'True where the address was not yet suppressed on the channel (''*'': every channel): nothing is sent to it again, however often it is imported, for any creditor. Unknown channel, empty address: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.suppress(text, text, text) TO dunning_operator;

CREATE FUNCTION dunning.unsuppress(address text, channel text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.suppression;
BEGIN
    IF unsuppress.channel IS DISTINCT FROM '*' THEN
        PERFORM dunning._need_channel(unsuppress.channel);
    END IF;
    DELETE FROM dunning.suppression s
    WHERE s.address_digest = dunning._address_digest(unsuppress.address, unsuppress.channel) AND s.channel = unsuppress.channel
    RETURNING s.* INTO old;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM dunning._log_rule_change('suppression', encode(old.address_digest, 'hex') || ' ' || old.channel, to_jsonb(old), NULL);
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning.unsuppress(text, text) IS
    'True where the address was suppressed on just this channel (''*'' is its own entry) and may be used again; who did it stays in rule_change. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.unsuppress(text, text) TO dunning_operator;

GRANT EXECUTE ON FUNCTION dunning._gate_sql(), dunning._recheck_sql(), dunning._gate_lock_sql(),
    dunning._gate(text[], text[], timestamptz[], text[], uuid[]),
    dunning._ask(text[], text[], timestamptz[], text[], anyarray), dunning._digest(text, text, bytea), dunning._good_address(text, text),
    dunning._caps(int, timestamptz, text, uuid, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]),
    dunning._hash64(text, bigint), dunning._uuid7_floor(timestamptz) TO dunning_worker;
-- experiment: who gets which arm, who is held out, and what came of it.

CREATE TABLE dunning.experiment (
    experiment      text COLLATE "C" PRIMARY KEY,
    metric          text NOT NULL,
    window_days     int NOT NULL,               -- a unit counts when this long has passed since it was assigned
    planned         int NOT NULL,               -- units at which the confidence sequence is narrowest
    traffic         float8 NOT NULL,            -- share of debtors that take part
    alpha           float8 NOT NULL,
    started_at      timestamptz NOT NULL,
    started_by      text NOT NULL,
    ended_at        timestamptz
);
COMMENT ON TABLE dunning.experiment IS 'Experiments. Arms and shares never change while one runs, so a debtor never moves from one arm to another.';

CREATE TABLE dunning.arm (
    experiment      text COLLATE "C" NOT NULL,
    arm             text COLLATE "C" NOT NULL,
    position        int NOT NULL,               -- 1 is the control
    weight          float8 NOT NULL,
    lower           float8 NOT NULL,            -- the debtor's number in [0,1) falls into [lower, upper)
    upper           float8 NOT NULL,
    PRIMARY KEY (experiment, arm)
);
COMMENT ON TABLE dunning.arm IS 'Arms of experiments with the part of [0,1) that each covers.';

CREATE TABLE dunning.assignment (
    debtor_id       text COLLATE "C" NOT NULL,
    experiment      text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    arm             text COLLATE "C" NOT NULL,
    assigned_at     timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, experiment)
);
COMMENT ON TABLE dunning.assignment IS 'When a debtor first met an experiment: from then on it is a unit of it, whatever happens to the message.';

CREATE TABLE dunning.holdout (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    share           float8 NOT NULL CHECK (share >= 0 AND share <= 0.5),
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL
);
COMMENT ON TABLE dunning.holdout IS 'The share of debtors that planning leaves alone, so that what contacts achieve can be measured. No row: 0.';

SELECT pg_catalog.pg_extension_config_dump('dunning.experiment', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.arm', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.assignment', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.holdout', '');
GRANT SELECT ON dunning.experiment, dunning.arm, dunning.assignment, dunning.holdout TO dunning_viewer;

CREATE FUNCTION dunning._srm(counts float8[], shares float8[]) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_experiment_sql_srm';
COMMENT ON FUNCTION dunning._srm(float8[], float8[]) IS 'Log Bayes factor against the planned shares of the arms (Dirichlet-multinomial, concentration 1000): at or above ln(100) the shares are wrong.';

CREATE FUNCTION dunning._confidence_sequence(difference float8, variance float8, planned_variance float8, alpha float8, OUT log_e float8, OUT half_width float8)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT 0.5 * ln(variance / (variance + t.tau2)) + t.tau2 * difference ^ 2 / (2 * variance * (variance + t.tau2)),
           sqrt(variance * (variance + t.tau2) / t.tau2 * (2 * ln(1 / alpha) + ln((variance + t.tau2) / variance)))
    FROM (SELECT 7.94 * planned_variance AS tau2) t;
END;
COMMENT ON FUNCTION dunning._confidence_sequence(float8, float8, float8, float8) IS
    'Normal mixture over effects N(0, tau2), tau2 = 7.94 times the variance at the planned size: log e-value and half width of the interval that holds at every look (Robbins; Johari et al. 2022).';

-- The number of a debtor in an experiment; another seed decides about traffic, a third about the hold-out.
CREATE FUNCTION dunning._arms(experiment text, debtor_ids text[]) RETURNS TABLE (debtor_id text, arm text, propensity float8)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT d.d, a.arm::text, a.upper - a.lower
        FROM dunning.experiment e, unnest(debtor_ids) d(d), dunning.arm a
        WHERE e.experiment = _arms.experiment AND e.ended_at IS NULL AND a.experiment = e.experiment
          AND dunning._uniform(e.experiment || '/' || d.d, 2) < e.traffic
          AND dunning._uniform(e.experiment || '/' || d.d, 1) >= a.lower AND dunning._uniform(e.experiment || '/' || d.d, 1) < a.upper;
END
$fn$;
COMMENT ON FUNCTION dunning._arms(text, text[]) IS 'Arm and its probability of each debtor that takes part in a running experiment; a function of ids and the experiment''s row.';

CREATE FUNCTION dunning._arm(experiment text, debtor_id text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT a.arm FROM dunning._arms(_arm.experiment, ARRAY[_arm.debtor_id]) a);
END
$fn$;
COMMENT ON FUNCTION dunning._arm(text, text) IS 'The arm of a debtor, NULL where the experiment does not run or the debtor takes no part.';

CREATE FUNCTION dunning._holdout_share() RETURNS float8
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce((SELECT h.share FROM dunning.holdout h), 0);
END
$fn$;
COMMENT ON FUNCTION dunning._holdout_share() IS 'The share of debtors that planning leaves alone, 0 unless set_holdout() said otherwise.';

CREATE FUNCTION dunning._held_out(debtor_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN dunning._uniform('holdout/' || _held_out.debtor_id, 3) < dunning._holdout_share();
END
$fn$;
COMMENT ON FUNCTION dunning._held_out(text) IS 'Is the debtor in the hold-out? A larger share keeps those of a smaller one.';

CREATE FUNCTION dunning._assign(experiment text, debtor_ids text[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    EXECUTE pg_catalog.format($q$
        INSERT INTO dunning.assignment (debtor_id, experiment, creditor, arm, assigned_at)
        SELECT a.debtor_id, $2, d.creditor, a.arm, dunning._now() FROM dunning._arms($2, $1) a JOIN (%s) d ON d.debtor_id = a.debtor_id
        ON CONFLICT DO NOTHING$q$, dunning._ledger_sql('debtor', '$1', NULL)) USING debtor_ids, _assign.experiment;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$fn$;
COMMENT ON FUNCTION dunning._assign(text, text[]) IS 'How many debtors became units of an experiment by this call.';

CREATE FUNCTION dunning._check_experiment(experiment text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.experiment e WHERE e.experiment = _check_experiment.experiment) THEN
        RAISE EXCEPTION 'experiment "%" does not exist', _check_experiment.experiment
            USING ERRCODE = '22023',
                  DETAIL = 'Known experiments: ' || coalesce((SELECT pg_catalog.string_agg(e.experiment, ', ' ORDER BY e.experiment) FROM dunning.experiment e), 'none') || '.',
                  HINT = pg_catalog.format('SELECT * FROM dunning.start_experiment(%L, ''["neutral", "loss_averse"]'');', coalesce(_check_experiment.experiment, 'framing'));
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_experiment(text) IS 'Nothing, or 22023 naming the known experiments.';

CREATE FUNCTION dunning.start_experiment(name text, arms jsonb, metric text DEFAULT 'paid', window_days int DEFAULT 14,
    planned int DEFAULT 5000, traffic float8 DEFAULT 1, alpha float8 DEFAULT 0.05)
    RETURNS TABLE (experiment text, arm text, control boolean, share float8)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    names text[];
    weights float8[];
    total float8;
BEGIN
    IF start_experiment.name IS NULL OR start_experiment.name !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'an experiment''s name is a small letter followed by small letters, digits, "_" or "-"' USING ERRCODE = '22023';
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
$fn$;
COMMENT ON FUNCTION dunning.start_experiment(text, jsonb, text, int, int, float8, float8) IS
    'One row an arm. Arms are an array of names (the first is the control) or an object of weights. An experiment called framing chooses the wording of planned messages. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.start_experiment(text, jsonb, text, int, int, float8, float8) TO dunning_admin;

CREATE FUNCTION dunning.end_experiment(name text) RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_experiment(name);
    UPDATE dunning.experiment e SET ended_at = dunning._now() WHERE e.experiment = end_experiment.name AND e.ended_at IS NULL;
    RETURN (SELECT e.ended_at FROM dunning.experiment e WHERE e.experiment = end_experiment.name);
END
$fn$;
COMMENT ON FUNCTION dunning.end_experiment(text) IS 'When the experiment ended: nobody is assigned any more, its result stays. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.end_experiment(text) TO dunning_admin;

CREATE FUNCTION dunning.set_holdout(share float8) RETURNS float8
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF set_holdout.share IS NULL OR NOT (set_holdout.share >= 0 AND set_holdout.share <= 0.5) THEN
        RAISE EXCEPTION 'a hold-out is a share between 0 and 0.5' USING ERRCODE = '22023';
    END IF;
    INSERT INTO dunning.holdout AS h (one, share, set_by, set_at) VALUES (true, set_holdout.share, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT holdout_pkey DO UPDATE SET share = excluded.share, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN set_holdout.share;
END
$fn$;
COMMENT ON FUNCTION dunning.set_holdout(float8) IS 'The share of debtors that planning leaves alone from now on, so that what contacts achieve can be measured; 0 is the default. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_holdout(float8) TO dunning_admin;

CREATE FUNCTION dunning.assign(experiment text, debtor_id text) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    canonical text := dunning._canonical_id(assign.debtor_id);
    known boolean;
BEGIN
    PERFORM dunning._check_experiment(assign.experiment);
    EXECUTE 'SELECT EXISTS (' || dunning._ledger_sql('debtor', '$1', NULL) || ')' INTO known USING ARRAY[canonical];
    IF NOT known THEN
        RAISE EXCEPTION 'debtor "%" does not exist', canonical USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or number'');';
    END IF;
    PERFORM dunning._assign(assign.experiment, ARRAY[canonical]);
    RETURN (SELECT a.arm FROM dunning.assignment a WHERE a.debtor_id = canonical AND a.experiment = assign.experiment);
END
$fn$;
COMMENT ON FUNCTION dunning.assign(text, text) IS 'The arm of a debtor, the same for ever; it becomes a unit of the experiment by the first call. NULL: takes no part. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.assign(text, text) TO dunning_operator;
-- experiment: what came of it, in figures that hold at every look.

CREATE FUNCTION dunning._experiment_units(experiment text) RETURNS TABLE (arm text, "position" int, share float8, assigned bigint, n bigint, paid bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    -- A unit counts once its window has passed; a payment counts if it came after the assignment and within the window.
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH unit AS MATERIALIZED (
            SELECT s.debtor_id, s.arm, s.assigned_at, s.assigned_at + e.window_days * interval '1 day' AS until
            FROM dunning.assignment s JOIN dunning.experiment e ON e.experiment = s.experiment WHERE s.experiment = $1),
        payer AS (
            SELECT DISTINCT u.debtor_id FROM unit u JOIN (%s) p ON p.debtor_id = u.debtor_id
            WHERE p.amount > 0 AND p.paid_at >= u.assigned_at AND p.paid_at < u.until),
        counted AS (
            SELECT u.arm, count(*) AS assigned, count(*) FILTER (WHERE u.until <= dunning._now()) AS n,
                   count(p.debtor_id) FILTER (WHERE u.until <= dunning._now()) AS paid
            FROM unit u LEFT JOIN payer p ON p.debtor_id = u.debtor_id GROUP BY u.arm)
        SELECT a.arm::text, a.position, a.upper - a.lower, coalesce(c.assigned, 0), coalesce(c.n, 0), coalesce(c.paid, 0)
        FROM dunning.arm a LEFT JOIN counted c ON c.arm = a.arm WHERE a.experiment = $1 ORDER BY a.position$q$,
        dunning._ledger_sql('payment', '(SELECT pg_catalog.array_agg(s.debtor_id) FROM dunning.assignment s WHERE s.experiment = $1)', 'dunning._virtual_clock()'))
    USING _experiment_units.experiment;
END
$fn$;
COMMENT ON FUNCTION dunning._experiment_units(text) IS 'One row an arm: units assigned, units whose window has passed, and how many of these paid within it.';

CREATE FUNCTION dunning.experiment_result(name text) RETURNS TABLE (arm text, n bigint, paid bigint, paid_share float8,
        difference float8, lower float8, upper float8, log_e float8, verdict text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    e dunning.experiment;
    units jsonb;
    log_bf float8;
    compared int;
BEGIN
    PERFORM dunning._check_experiment(name);
    SELECT x.* INTO e FROM dunning.experiment x WHERE x.experiment = experiment_result.name;
    SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(u) ORDER BY u.position), dunning._srm(pg_catalog.array_agg(u.assigned::float8), pg_catalog.array_agg(u.share)), count(*) - 1
    INTO units, log_bf, compared FROM dunning._experiment_units(experiment_result.name) u;

    RETURN QUERY
    WITH u AS (
        SELECT x.*, x.paid / nullif(x.n, 0)::float8 AS rate
        FROM jsonb_to_recordset(units) AS x(arm text, "position" int, share float8, assigned bigint, n bigint, paid bigint)),
    c AS (SELECT u.* FROM u WHERE u.position = 1),
    pair AS (
        SELECT u.*, u.rate - c.rate AS d, u.n + c.n AS both,
               u.rate * (1 - u.rate) / nullif(u.n, 0) + c.rate * (1 - c.rate) / nullif(c.n, 0) AS v,
               pooled.p * (1 - pooled.p) * (1 / (e.planned * u.share) + 1 / (e.planned * c.share)) AS planned_v,
               least(u.paid, c.paid, u.n - u.paid, c.n - c.paid) AS least_events
        FROM u, c, LATERAL (SELECT (u.paid + c.paid)::float8 / nullif(u.n + c.n, 0) AS p) pooled),
    -- K arms against one control share the error: alpha / K
    s AS (
        SELECT p.*, q.log_e, q.half_width FROM pair p
        LEFT JOIN LATERAL dunning._confidence_sequence(p.d, p.v, p.planned_v, e.alpha / greatest(compared, 1)) q ON p.position > 1 AND p.v > 0)
    SELECT s.arm, s.n, s.paid, s.rate, CASE WHEN s.position > 1 THEN s.d END, s.d - s.half_width, s.d + s.half_width, s.log_e,
        CASE
            WHEN log_bf >= ln(100) THEN 'no verdict: the arms do not hold the shares they were given'
            WHEN s.position = 1 THEN 'control'
            WHEN s.both < 200 OR s.least_events < 10 OR s.v IS NULL THEN
                pg_catalog.format('too early: %s units in both arms, %s of the rarer outcome; 200 and 10 are needed', s.both, s.least_events)
            WHEN s.d - s.half_width > 0 THEN pg_catalog.format('better than %s: more paid, at every look with confidence %s %%', c.arm, round((100 * (1 - e.alpha))::numeric, 1))
            WHEN s.d + s.half_width < 0 THEN pg_catalog.format('worse than %s: fewer paid, at every look with confidence %s %%', c.arm, round((100 * (1 - e.alpha))::numeric, 1))
            WHEN s.both >= e.planned THEN pg_catalog.format('no difference from %s seen', c.arm)
            ELSE pg_catalog.format('not decided: %s of %s units', s.both, e.planned)
        END
    FROM s, c ORDER BY s.position;
END
$fn$;
COMMENT ON FUNCTION dunning.experiment_result(text) IS
    'One row an arm: units whose window has passed, the share that paid within it, the difference from the control with an interval valid at every look, and the verdict in words. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.experiment_result(text) TO dunning_viewer;
-- plan: strategies and steps, and from them the next contact of each debtor.

-- One planned contact, as plan() and send() return it.
CREATE TYPE dunning.planned AS (
    run_id          uuid,
    message_id      uuid,
    debtor_id       text,
    creditor        text,
    strategy        text,
    step            text,
    template        text,
    channel         text,
    server          text,
    contact_at      timestamptz,
    local_time      text,
    amounts         jsonb,
    cost            numeric,
    state           text,
    reason          text,
    blocked_by      text[],
    variant         text,
    p               float8,
    expected_value  numeric
);
COMMENT ON TYPE dunning.planned IS 'A planned contact: who, what, over which channel, when (also in local time), amounts a currency, cost, state with reason.';

CREATE TABLE dunning.strategy (
    strategy        text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    description     text NOT NULL,
    minimum         jsonb NOT NULL DEFAULT '{}',        -- currency -> smallest overdue sum worth a contact; '*' for the others
    grace_days      int NOT NULL DEFAULT 0,
    horizon         interval NOT NULL DEFAULT '7 days', -- how far ahead the best time is looked for
    min_gap_days    int NOT NULL DEFAULT 5 CHECK (min_gap_days >= 0),   -- between two contacts of a debtor
    self_cure       float8 NOT NULL DEFAULT 0.6,        -- from this probability on a debtor counts as a likely self-curer
    margin          numeric NOT NULL DEFAULT 0.05,      -- what a unit of money collected is worth to the creditor
    enabled         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (strategy, builtin)
);
COMMENT ON TABLE dunning.strategy IS 'Strategies. A user''s row of the same name replaces the built-in one.';

CREATE TABLE dunning.step (
    strategy        text COLLATE "C" NOT NULL,
    step            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    position        int NOT NULL,
    anchor          text NOT NULL CHECK (anchor IN ('due_date', 'last_contact')),
    offset_days     int NOT NULL,                       -- signed: -3 is three days BEFORE the anchor, 7 is seven days AFTER
    template        text NOT NULL,
    channels        text[] NOT NULL,                    -- in order of preference
    condition       text,                               -- SQL predicate over the debtor's features and scores, NULL: always
    framing         text NOT NULL DEFAULT 'neutral',
    paid_channels   boolean NOT NULL DEFAULT true,      -- false: only channels that cost nothing
    self_cure_days  int NOT NULL DEFAULT 0,             -- until this many days after the anchor a likely self-curer gets free channels only
    after_contact   boolean NOT NULL DEFAULT false,     -- only where the debtor was contacted since the anchor: nobody's first word is a final notice
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (strategy, step, builtin)
);
COMMENT ON TABLE dunning.step IS 'The ordered steps of a strategy; offset_days is signed, negative before the anchor.';

CREATE TABLE dunning.plan_run (
    run_id          uuid PRIMARY KEY,
    strategy        text,
    as_of           timestamptz NOT NULL,
    approve         boolean NOT NULL,
    planned         int NOT NULL DEFAULT 0,
    held            int NOT NULL DEFAULT 0,
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    approved_at     timestamptz,
    approved_by     text,
    rejected_at     timestamptz,
    planned_by      text NOT NULL
);
COMMENT ON TABLE dunning.plan_run IS 'One row a planning run: when, for which clock, how many, who approved.';

CREATE TABLE dunning.channel_cost (
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',
    channel         text COLLATE "C" NOT NULL,
    valid_from      date NOT NULL,
    cost            numeric NOT NULL CHECK (cost >= 0),
    currency        text NOT NULL,
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL,
    PRIMARY KEY (creditor, channel, valid_from)
);
COMMENT ON TABLE dunning.channel_cost IS 'What a contact costs, from when; over the first values of dunning.channel.';

-- What a row was before it was changed, by whom and when.
CREATE TABLE dunning.plan_change (
    change_id       uuid PRIMARY KEY,
    what            text NOT NULL,              -- strategy, step, cost
    name            text NOT NULL,
    before          jsonb,                      -- NULL: there was none
    changed_by      text NOT NULL,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE dunning.plan_change IS 'What strategies, steps and costs were before each change.';

INSERT INTO dunning.strategy (strategy, builtin, description, minimum)
VALUES ('standard', true, 'A pre-due reminder for habitual late payers, two reminders, a final notice, a call; nothing that costs money for likely self-curers in the first ten days', '{"*": 5}');

INSERT INTO dunning.step (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, self_cure_days, after_contact) VALUES
    ('standard', 'pre-due',      true, 1, 'due_date', -3, 'pre-due',      '{email,sms}',        'p_late >= 0.5 OR segment = ''habitual_late''', 0, false),
    ('standard', 'reminder-1',   true, 2, 'due_date',  5, 'reminder-1',   '{email,sms}',        NULL, 10, false),
    ('standard', 'reminder-2',   true, 3, 'due_date', 15, 'reminder-2',   '{sms,email,letter}', NULL, 0, false),
    ('standard', 'final-notice', true, 4, 'due_date', 30, 'final-notice', '{letter,email,sms}', NULL, 0, true),
    ('standard', 'call',         true, 5, 'due_date', 40, 'final-notice', '{call}',             NULL, 0, true);

SELECT pg_catalog.pg_extension_config_dump('dunning.plan_change', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.strategy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.step', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.plan_run', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.channel_cost', '');

GRANT SELECT ON dunning.strategy, dunning.step, dunning.plan_run, dunning.channel_cost TO dunning_viewer;

-- The rows that hold: a user's row of the same name replaces the built-in one.
CREATE FUNCTION dunning._strategies() RETURNS SETOF dunning.strategy
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT DISTINCT ON (s.strategy) s.* FROM dunning.strategy s ORDER BY s.strategy, s.builtin;
END
$fn$;
COMMENT ON FUNCTION dunning._strategies() IS 'The strategies in force, one row each.';

CREATE FUNCTION dunning._steps(strategy text DEFAULT NULL) RETURNS SETOF dunning.step
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT x.* FROM (
            SELECT DISTINCT ON (s.strategy, s.step) s.* FROM dunning.step s
            WHERE _steps.strategy IS NULL OR s.strategy = _steps.strategy ORDER BY s.strategy, s.step, s.builtin) x
        WHERE x.enabled ORDER BY x.strategy, x.position, x.step;
END
$fn$;
COMMENT ON FUNCTION dunning._steps(text) IS 'The enabled steps of a strategy (NULL: of all), in order.';

CREATE FUNCTION dunning._check_strategy(strategy text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._strategies() s WHERE s.strategy = _check_strategy.strategy AND s.enabled) THEN
        RAISE EXCEPTION 'strategy "%" does not exist', _check_strategy.strategy
            USING ERRCODE = '22023',
                  DETAIL = 'Known strategies: ' || (SELECT pg_catalog.string_agg(s.strategy, ', ' ORDER BY s.strategy) FROM dunning._strategies() s WHERE s.enabled) || '.',
                  HINT = pg_catalog.format('SELECT dunning.save_strategy(%L, ''what it is for'');', _check_strategy.strategy);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_strategy(text) IS 'Nothing, or 22023 naming the known strategies.';

CREATE FUNCTION dunning._check_channel(channel text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = _check_channel.channel) THEN
        RAISE EXCEPTION 'channel "%" does not exist', _check_channel.channel
            USING ERRCODE = '22023',
                  DETAIL = 'Known channels: ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT c.channel, ', ') FROM dunning.channel c), 'none') || '.',
                  HINT = 'A channel is a row of dunning.channel.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_channel(text) IS 'Nothing, or 22023 naming the known channels.';

CREATE FUNCTION dunning._check_template_name(template text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.template t WHERE t.template = _check_template_name.template AND t.replaced_at IS NULL) THEN
        RAISE EXCEPTION 'template "%" does not exist', _check_template_name.template
            USING ERRCODE = '22023',
                  DETAIL = 'Known templates: ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT t.template, ', ') FROM dunning.template t WHERE t.replaced_at IS NULL), 'none') || '.',
                  HINT = pg_catalog.format('SELECT * FROM dunning.save_template(%L, ''email'', ''en'', ''subject'', ''text'');', _check_template_name.template);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_template_name(text) IS 'Nothing, or 22023 naming the known templates.';
-- plan: over which channel, through which server, when. First usable in order wins; the others are listed with why not.

CREATE FUNCTION dunning._costs(creditor text, on_date date) RETURNS TABLE (channel text, cost numeric, currency text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT DISTINCT ON (c.channel) c.channel::text, coalesce(k.cost, c.cost), coalesce(k.currency, c.currency)
        FROM dunning.channel c
        LEFT JOIN LATERAL (
            SELECT x.cost, x.currency FROM dunning.channel_cost x
            WHERE x.channel = c.channel AND x.creditor IN (_costs.creditor, '*') AND x.valid_from <= on_date
            ORDER BY x.creditor = '*', x.valid_from DESC LIMIT 1) k ON true
        ORDER BY c.channel, c.builtin;
END
$fn$;
COMMENT ON FUNCTION dunning._costs(text, date) IS 'What a contact costs a creditor on a day, over each channel: its own price, else that for all, else the channel''s first value.';

CREATE TYPE dunning._candidate AS (debtor_id text, channel text, rank int, server text, not_before timestamptz, not_after timestamptz);
COMMENT ON TYPE dunning._candidate IS 'A channel that might serve a debtor: rank 1 is asked first.';

CREATE TYPE dunning._choice AS (
    debtor_id text, channel text, rank int, server text, contact_at timestamptz, local_time text, p_response float8, uplift float8,
    explored boolean, propensity float8, timing jsonb, blocked_by text[]);
COMMENT ON TYPE dunning._choice IS 'What the gate and the best time said of a candidate; blocked_by empty: usable.';

-- The best allowed instant of each candidate, and the gate's word on it. `at_once`: the first allowed instant instead of the best.
CREATE FUNCTION dunning._try_candidates(candidates dunning._candidate[], as_of timestamptz, at_once boolean, own_messages uuid[] DEFAULT NULL)
    RETURNS dunning._choice[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int := coalesce(cardinality(candidates), 0);
    debtors text[];
    channels text[];
    instants timestamptz[];
    result dunning._choice[];
BEGIN
    IF n = 0 THEN
        RETURN '{}';
    END IF;
    SELECT pg_catalog.array_agg(c.debtor_id ORDER BY c.ord), pg_catalog.array_agg(c.channel ORDER BY c.ord), pg_catalog.array_agg(c.not_before ORDER BY c.ord)
    INTO debtors, channels, instants FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord);

    IF at_once THEN
        SELECT pg_catalog.array_agg(ROW(c.debtor_id, c.channel, c.rank, c.server, c.not_before, dunning._local_time(c.not_before, coalesce(g.zone, dunning._ledger_zone())),
                   NULL, NULL, false, 1, '{"at_once": true}', g.blocked_by)::dunning._choice ORDER BY c.ord)
        INTO result
        FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord)
        JOIN dunning._gate(debtors, channels, instants, array_fill(NULL::text, ARRAY[n]), own_messages) g ON g.ord = c.ord;
        -- What is allowed now goes now; for the others the next allowed time is looked for.
        RETURN ARRAY(SELECT r FROM unnest(result) r WHERE cardinality(r.blocked_by) = 0)
            || dunning._try_candidates(ARRAY(
                SELECT ROW(c.debtor_id, c.channel, c.rank, c.server, c.not_before, c.not_after)::dunning._candidate
                FROM unnest(candidates) c JOIN unnest(result) r ON r.debtor_id = c.debtor_id AND r.channel = c.channel
                WHERE cardinality(r.blocked_by) > 0), as_of, false, NULL);
    END IF;

    WITH best AS MATERIALIZED (
        SELECT b.* FROM dunning._best_times(debtors, channels, instants,
            ARRAY(SELECT c.not_after FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord) ORDER BY c.ord), as_of) b),
    gated AS MATERIALIZED (
        SELECT g.* FROM dunning._gate(debtors, channels,
            ARRAY(SELECT coalesce(b.contact_at, c.not_before)
                  FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord)
                  LEFT JOIN best b ON b.ord = c.ord ORDER BY c.ord),
            array_fill(NULL::text, ARRAY[n]), own_messages) g)
    SELECT pg_catalog.array_agg(ROW(c.debtor_id, c.channel, c.rank, c.server, coalesce(b.contact_at, c.not_before),
               coalesce(b.local_time, dunning._local_time(c.not_before, coalesce(g.zone, dunning._ledger_zone()))),
               b.p_response, b.uplift, coalesce(b.explored, false), coalesce(b.propensity, 1), b.reasons,
               CASE WHEN b.contact_at IS NULL AND cardinality(g.blocked_by) = 0 THEN ARRAY['no_window'] ELSE g.blocked_by END)::dunning._choice ORDER BY c.ord)
    INTO result
    FROM unnest(candidates) WITH ORDINALITY c(debtor_id, channel, rank, server, not_before, not_after, ord)
    JOIN gated g ON g.ord = c.ord
    LEFT JOIN best b ON b.ord = c.ord;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning._try_candidates(dunning._candidate[], timestamptz, boolean, uuid[]) IS 'The best (or first) allowed instant of each candidate and what blocks it there.';

CREATE FUNCTION dunning._choose(candidates dunning._candidate[], as_of timestamptz, at_once boolean DEFAULT false, own_messages uuid[] DEFAULT NULL)
    RETURNS TABLE (debtor_id text, channel text, server text, contact_at timestamptz, local_time text, p_response float8, uplift float8, explored boolean,
        propensity float8, timing jsonb, blocked_by text[], skipped jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    tried dunning._choice[] := '{}';
    this_round dunning._candidate[];
    round int := 0;
BEGIN
    -- Round n asks for the nth channel of those whose first n - 1 would not do: most are done after the first.
    LOOP
        round := round + 1;
        SELECT pg_catalog.array_agg(ROW(c.debtor_id, c.channel, c.rank, c.server, c.not_before, c.not_after)::dunning._candidate) INTO this_round
        FROM unnest(candidates) c
        WHERE c.rank = round
          AND NOT EXISTS (SELECT FROM unnest(tried) t WHERE t.debtor_id = c.debtor_id AND cardinality(t.blocked_by) = 0);
        EXIT WHEN this_round IS NULL AND NOT EXISTS (SELECT FROM unnest(candidates) c WHERE c.rank > round);
        tried := tried || dunning._try_candidates(this_round, as_of, at_once,
            CASE WHEN own_messages IS NULL THEN NULL ELSE array_fill(own_messages[1], ARRAY[cardinality(this_round)]) END);
    END LOOP;
    RETURN QUERY
        SELECT DISTINCT ON (t.debtor_id) t.debtor_id, t.channel, t.server, t.contact_at, t.local_time, t.p_response, t.uplift, t.explored, t.propensity, t.timing,
            t.blocked_by,
            (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('channel', s.c, 'why', s.why) ORDER BY s.rank), '[]')
             FROM ROWS FROM (unnest(x.channels), unnest(x.whys), unnest(x.ranks)) s(c, why, rank) WHERE s.rank < t.rank OR cardinality(t.blocked_by) > 0)
        FROM unnest(tried) t
        JOIN (SELECT u.debtor_id, pg_catalog.array_agg(u.channel) AS channels, pg_catalog.array_agg(pg_catalog.array_to_string(u.blocked_by, ', ')) AS whys,
                     pg_catalog.array_agg(u.rank) AS ranks
              FROM unnest(tried) u GROUP BY u.debtor_id) x ON x.debtor_id = t.debtor_id
        ORDER BY t.debtor_id, cardinality(t.blocked_by) > 0, t.rank;
END
$fn$;
COMMENT ON FUNCTION dunning._choose(dunning._candidate[], timestamptz, boolean, uuid[]) IS
    'One row a debtor: the first usable candidate with its time, and those before it with what blocks them; where none is usable the first, with blocked_by.';

-- Scores as planning reads them, and conditions of steps over scores and features.
CREATE FUNCTION dunning._conditions(conditions text[], debtor_ids text[], as_of timestamptz) RETURNS TABLE (debtor_id text, holds boolean[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    scores_alone boolean;
    source text;
BEGIN
    -- Features cost a pass over the ledger: only where a condition names one.
    SELECT bool_and(p.p IN ('debtor_id', 'segment', 'diagnosis', 'p_paid_30d', 'p_late', 'p_self_cure')) INTO scores_alone
    FROM unnest(conditions) c(c), LATERAL unnest(dunning._predicate_columns(c.c)) p(p);
    source := CASE WHEN coalesce(scores_alone, true) THEN 'SELECT f.f AS debtor_id FROM unnest($1) f(f)' ELSE dunning._features_sql('$1', '$2') END;
    PERFORM dunning._restrict();
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT x.debtor_id::text, ARRAY[%s]::boolean[] FROM (SELECT f.*, s.segment, s.diagnosis, s.p_paid_30d, s.p_late, s.p_self_cure FROM (%s) f '
        'LEFT JOIN dunning.debtor_score s ON s.debtor_id = f.debtor_id) x',
        (SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('((%s)::boolean IS TRUE)', c.c), ', ' ORDER BY c.n), '') FROM unnest(conditions) WITH ORDINALITY c(c, n)), source)
    USING debtor_ids, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._conditions(text[], text[], timestamptz) IS 'Which of the conditions hold for each debtor. Runs as dunning_owner in a security-restricted operation.';
-- plan: what a message may say. The template context is composed here from the ledger and frozen with the message.

CREATE FUNCTION dunning._today(as_of timestamptz) RETURNS date
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (coalesce(as_of, dunning._now()) AT TIME ZONE dunning._ledger_zone())::date;
END
$fn$;
COMMENT ON FUNCTION dunning._today(timestamptz) IS 'The date by which days past due are counted: that of the instant (NULL: now) in the ledger''s zone.';

-- Open items with what planning asks of each: how many days past due, and whether it must be left out, and why.
CREATE FUNCTION dunning._plan_items_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN pg_catalog.format($q$
        SELECT i.debtor_id, i.currency, i.invoice_id, i.due_on, i.open, coalesce(i.reference, i.invoice_id) AS reference, i.pay_url,
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
$fn$;
COMMENT ON FUNCTION dunning._plan_items_sql(text, text) IS 'SQL text: open items with days past due and, for disputed or held ones, why they are left out.';

-- One context a debtor out of any set of items: one balance a currency, the largest first.
CREATE FUNCTION dunning._context_sql(items text, many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
            pg_catalog.jsonb_build_object(
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
$fn$;
COMMENT ON FUNCTION dunning._context_sql(text, text, text) IS 'SQL text: debtor_id, amounts, language, creditor and the template context of each debtor, out of the given items.';

CREATE FUNCTION dunning._due_items_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN 'SELECT y.* FROM (SELECT p.*, bool_or(p.days > 0) OVER (PARTITION BY p.debtor_id) AS overdue FROM ('
        || dunning._plan_items_sql(many, as_of) || ') p WHERE p.left_out IS NULL) y WHERE y.days > 0 OR NOT y.overdue';
END
$fn$;
COMMENT ON FUNCTION dunning._due_items_sql(text, text) IS 'SQL text: what a message outside of a strategy is about: overdue items, where there are none those that will fall due; not the disputed and held ones.';

CREATE FUNCTION dunning._context(debtor_ids text[], as_of timestamptz) RETURNS TABLE (debtor_id text, context jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE 'SELECT x.debtor_id::text, x.context FROM ('
        || dunning._context_sql(dunning._due_items_sql('$1', '$2'), '$1', '$2') || ') x'
    USING debtor_ids, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._context(text[], timestamptz) IS 'The template context of each debtor as docs/architecture.md lists it: disputed and held invoices left out; what is overdue, else what will fall due.';
-- plan: changing strategies, steps and costs. Built-in rows stay as shipped; a user's row of the same name goes before them.

CREATE FUNCTION dunning._check_condition(condition text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    why text;
BEGIN
    PERFORM dunning._predicate_columns(condition);
    PERFORM dunning._conditions(ARRAY[condition], '{}'::text[], NULL);
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
    GET STACKED DIAGNOSTICS why = MESSAGE_TEXT;
    RAISE EXCEPTION 'the condition of a step cannot be evaluated'
        USING ERRCODE = '22023', DETAIL = pg_catalog.format('%s: %s', condition, why),
              HINT = 'It is one SQL predicate over the columns of dunning.features() and segment, diagnosis, p_paid_30d, p_late, p_self_cure; for example: p_late >= 0.5 OR segment = ''habitual_late''.';
END
$fn$;
COMMENT ON FUNCTION dunning._check_condition(text) IS 'Nothing, or 22023 saying why a condition cannot be evaluated.';

CREATE FUNCTION dunning._log_change(what text, name text, before jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    INSERT INTO dunning.plan_change AS c (change_id, what, name, before, changed_by, changed_at)
    VALUES (dunning._uuid7(), _log_change.what, _log_change.name, _log_change.before, session_user, dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning._log_change(text, text, jsonb) IS 'Keeps what a row was before a change.';

CREATE FUNCTION dunning._check_minimum(minimum jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF jsonb_typeof(minimum) IS DISTINCT FROM 'object'
       OR EXISTS (SELECT FROM jsonb_each(minimum) m WHERE jsonb_typeof(m.value) <> 'number' OR m.key !~ '^([A-Z]{3}|\*)$') THEN
        RAISE EXCEPTION 'a minimum is an object of currencies and amounts'
            USING ERRCODE = '22023', HINT = 'For example: {"EUR": 5, "DKK": 40, "*": 5}, where * stands for every other currency.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_minimum(jsonb) IS 'Nothing, or 22023 where the minimum cannot be read.';

CREATE FUNCTION dunning.save_strategy(strategy text, description text, minimum jsonb DEFAULT '{"*": 5}', grace_days int DEFAULT 0,
    horizon interval DEFAULT '7 days', min_gap_days int DEFAULT 5, self_cure float8 DEFAULT 0.6, margin numeric DEFAULT 0.05, enabled boolean DEFAULT true)
    RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_minimum(minimum);
    IF save_strategy.strategy IS NULL OR save_strategy.strategy !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'a strategy''s name is a small letter followed by small letters, digits, "_" or "-"' USING ERRCODE = '22023';
    ELSIF grace_days NOT BETWEEN 0 AND 365 OR min_gap_days NOT BETWEEN 0 AND 365 OR horizon NOT BETWEEN interval '1 hour' AND interval '60 days'
          OR NOT (self_cure >= 0 AND self_cure <= 1.01) OR NOT (margin >= 0 AND margin <= 1) OR description IS NULL THEN
        RAISE EXCEPTION 'strategy "%" has a parameter out of range', save_strategy.strategy
            USING ERRCODE = '22023', DETAIL = 'grace_days and min_gap_days are 0 to 365, horizon one hour to 60 days, self_cure and margin 0 to 1.';
    END IF;
    PERFORM dunning._log_change('strategy', save_strategy.strategy,
        (SELECT to_jsonb(s) FROM dunning._strategies() s WHERE s.strategy = save_strategy.strategy));
    INSERT INTO dunning.strategy AS s (strategy, builtin, description, minimum, grace_days, horizon, min_gap_days, self_cure, margin, enabled)
    VALUES (save_strategy.strategy, false, save_strategy.description, save_strategy.minimum, save_strategy.grace_days, save_strategy.horizon,
        save_strategy.min_gap_days, save_strategy.self_cure, save_strategy.margin, save_strategy.enabled)
    ON CONFLICT ON CONSTRAINT strategy_pkey DO UPDATE SET description = excluded.description, minimum = excluded.minimum, grace_days = excluded.grace_days,
        horizon = excluded.horizon, min_gap_days = excluded.min_gap_days, self_cure = excluded.self_cure, margin = excluded.margin, enabled = excluded.enabled;
    RETURN save_strategy.strategy;
END
$fn$;
COMMENT ON FUNCTION dunning.save_strategy(text, text, jsonb, int, interval, int, float8, numeric, boolean) IS
    'The name of the strategy saved: smallest overdue sum a currency (* = the others), days of grace, how far ahead a time is looked for, days between two contacts, from which probability on a debtor is left to pay unasked, worth of a unit collected. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_strategy(text, text, jsonb, int, interval, int, float8, numeric, boolean) TO dunning_admin;

CREATE FUNCTION dunning.save_step(strategy text, step text, "position" int, offset_days int, template text, channels text[],
    anchor text DEFAULT 'due_date', condition text DEFAULT NULL, framing text DEFAULT 'neutral', paid_channels boolean DEFAULT true,
    self_cure_days int DEFAULT 0, enabled boolean DEFAULT true, after_contact boolean DEFAULT false, OUT saved text, OUT means text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    one text;
BEGIN
    PERFORM dunning._check_strategy(save_step.strategy);
    PERFORM dunning._check_template_name(save_step.template);
    IF save_step.step IS NULL OR save_step.step !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'a step''s name is a small letter followed by small letters, digits, "_" or "-"' USING ERRCODE = '22023';
    ELSIF save_step.anchor NOT IN ('due_date', 'last_contact') OR save_step.anchor IS NULL THEN
        RAISE EXCEPTION 'unknown anchor "%"', save_step.anchor USING ERRCODE = '22023', DETAIL = 'Anchors are due_date and last_contact.';
    ELSIF offset_days IS NULL OR offset_days NOT BETWEEN -90 AND 3650 OR (save_step.anchor = 'last_contact' AND offset_days < 1) THEN
        RAISE EXCEPTION 'offset_days is out of range'
            USING ERRCODE = '22023', DETAIL = 'It is signed: -3 is three days before the due date, 7 is seven days after; -90 to 3650, and at least 1 after a contact.';
    ELSIF coalesce(cardinality(save_step.channels), 0) = 0 OR array_position(save_step.channels, NULL) IS NOT NULL OR "position" IS NULL THEN
        RAISE EXCEPTION 'a step has a position and at least one channel' USING ERRCODE = '22023';
    END IF;
    FOREACH one IN ARRAY save_step.channels LOOP
        PERFORM dunning._check_channel(one);
    END LOOP;
    IF save_step.condition IS NOT NULL THEN
        PERFORM dunning._check_condition(save_step.condition);
    END IF;
    PERFORM dunning._log_change('step', save_step.strategy || '/' || save_step.step,
        (SELECT to_jsonb(s) FROM dunning._steps(save_step.strategy) s WHERE s.step = save_step.step));
    INSERT INTO dunning.step AS s (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, framing, paid_channels,
        self_cure_days, after_contact, enabled, saved_by, saved_at)
    VALUES (save_step.strategy, save_step.step, false, save_step.position, save_step.anchor, save_step.offset_days, save_step.template, save_step.channels,
        save_step.condition, save_step.framing, save_step.paid_channels, save_step.self_cure_days, save_step.after_contact, save_step.enabled, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT step_pkey DO UPDATE SET position = excluded.position, anchor = excluded.anchor, offset_days = excluded.offset_days,
        template = excluded.template, channels = excluded.channels, condition = excluded.condition, framing = excluded.framing,
        paid_channels = excluded.paid_channels, self_cure_days = excluded.self_cure_days, after_contact = excluded.after_contact, enabled = excluded.enabled,
        saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    saved := save_step.strategy || '/' || save_step.step;
    means := CASE WHEN save_step.anchor = 'last_contact' THEN pg_catalog.format('%s days after the last contact', offset_days)
        WHEN offset_days < 0 THEN pg_catalog.format('%s days BEFORE the due date', -offset_days)
        WHEN offset_days = 0 THEN 'on the due date'
        ELSE pg_catalog.format('%s days AFTER the due date', offset_days) END;
END
$fn$;
COMMENT ON FUNCTION dunning.save_step(text, text, int, int, text, text[], text, text, text, boolean, int, boolean, boolean) IS
    'The step saved and what its signed offset means in words: negative is before the anchor. channels in order of preference; condition is an SQL predicate over features and scores; paid_channels false = only channels that cost nothing; until self_cure_days after the anchor likely self-curers get such channels only; after_contact = only where the debtor was contacted since the anchor. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_step(text, text, int, int, text, text[], text, text, text, boolean, int, boolean, boolean) TO dunning_admin;

CREATE FUNCTION dunning.reset_step(strategy text, step text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._log_change('step', reset_step.strategy || '/' || reset_step.step, to_jsonb(s)) FROM dunning.step s
        WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    DELETE FROM dunning.step s WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    RETURN FOUND;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_step(text, text) IS 'Was there a changed step to take away? The shipped one of that name holds again. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_step(text, text) TO dunning_admin;

CREATE FUNCTION dunning.set_cost(channel text, cost numeric, currency text, creditor text DEFAULT '*', valid_from date DEFAULT NULL) RETURNS date
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    from_date date := coalesce(set_cost.valid_from, dunning._today(NULL));
BEGIN
    PERFORM dunning._check_channel(set_cost.channel);
    IF set_cost.cost IS NULL OR NOT (set_cost.cost >= 0 AND set_cost.cost < 'Infinity') OR set_cost.currency IS NULL OR set_cost.currency !~ '^[A-Z]{3}$'
       OR NOT isfinite(from_date) OR set_cost.creditor IS NULL THEN
        RAISE EXCEPTION 'a cost is a finite amount of at least 0 in a currency of three capitals' USING ERRCODE = '22023',
            HINT = 'SELECT dunning.set_cost(''sms'', 0.08, ''EUR'');';
    END IF;
    PERFORM dunning._log_change('cost', set_cost.creditor || '/' || set_cost.channel,
        (SELECT to_jsonb(c) FROM dunning.channel_cost c WHERE c.creditor = set_cost.creditor AND c.channel = set_cost.channel AND c.valid_from = from_date));
    INSERT INTO dunning.channel_cost AS c (creditor, channel, valid_from, cost, currency, set_by, set_at)
    VALUES (set_cost.creditor, set_cost.channel, from_date, set_cost.cost, set_cost.currency, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT channel_cost_pkey DO UPDATE SET cost = excluded.cost, currency = excluded.currency, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN from_date;
END
$fn$;
COMMENT ON FUNCTION dunning.set_cost(text, numeric, text, text, date) IS 'From which day on a contact over this channel costs this much, for one creditor or (*) for all. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_cost(text, numeric, text, text, date) TO dunning_admin;
-- plan: where a contact goes on whose channel failed for good.

CREATE FUNCTION dunning._fallback(debtor_id text, message_id uuid, reason text) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
    SELECT k.* INTO price FROM dunning._costs(m.creditor, dunning._today(at)) k WHERE k.channel = chosen.channel;
    PERFORM dunning._enqueue(pg_catalog.format($q$
        SELECT %L::uuid AS message_id, m.debtor_id, m.creditor, m.run_id, m.strategy, m.step, m.template, %L AS channel, m.language, %L AS server,
            %L::timestamptz AS contact_at, m.not_after, %L AS local_time, m.amounts, %L::numeric AS cost, %L AS cost_currency, m.variant, m.p,
            m.expected_value + m.cost - %L::numeric AS expected_value, m.propensity, m.explored, m.ledger_mark, m.context,
            m.decision || jsonb_build_object('tried', %L::jsonb, 'chosen', %L, 'skipped', coalesce(m.decision->'skipped', '[]') || %L::jsonb, 'timing', %L::jsonb) AS decision,
            'queued' AS state, NULL::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key
        FROM dunning.message m WHERE m.debtor_id = %L AND m.message_id = %L::uuid$q$,
        new_id, chosen.channel, chosen.server, chosen.contact_at, chosen.local_time, price.cost, price.currency, price.cost, tried, chosen.channel,
        chosen.skipped, chosen.timing, m.debtor_id, m.message_id));
    RETURN new_id;
END
$fn$;
COMMENT ON FUNCTION dunning._fallback(text, uuid, text) IS
    'The message that carries a failed one on, over the next channel of its frozen list that the gate allows; NULL: there is none. Same context and mark, so a payment since shows at the gate.';
-- plan: the next contact of every debtor, as one run over the whole book.
--
-- Stages, each a set in a temporary table of the run:
--   mark       what each debtor owes and has paid, read first: a payment that commits during the run shows at the gate
--   item       open invoices of those debtors, with days past due
--   reach      the furthest step each debtor's currencies have reached, with its anchor
--   candidate  channels of that step in order, those ruled out with the reason
--   row        the chosen channel, server and instant, the context, the value: what is enqueued or returned
--
-- A step's key in `once` is strategy/step/anchor, the anchor being the oldest due date that counts. So a run changes nothing when
-- repeated; a day that was missed is caught up by the furthest step alone; and when the oldest invoice is paid, the anchor moves to the next
-- one and the steps of that one stand open.

CREATE FUNCTION dunning._drop_stages() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    stage text;
BEGIN
    FOREACH stage IN ARRAY ARRAY['mark', 'item', 'debtor', 'reach', 'candidate', 'choice', 'row'] LOOP
        IF pg_catalog.to_regclass('pg_temp.dunning_plan_' || stage) IS NOT NULL THEN
            EXECUTE 'DROP TABLE pg_temp.dunning_plan_' || stage;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._drop_stages() IS 'Removes the temporary tables of a planning run in this transaction.';

-- Stages 1 and 2.
CREATE FUNCTION dunning._stage_book(strategy text, as_of timestamptz, many text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    whose text := CASE WHEN many IS NULL THEN NULL ELSE '$2' END;
    unknown record;
BEGIN
    EXECUTE 'CREATE TEMP TABLE dunning_plan_mark ON COMMIT DROP AS SELECT m.debtor_id, m.mark, m.amounts FROM ('
        || dunning._mark_sql(whose, '$1') || ') m WHERE m.amounts <> ''{}'' OR NOT m.valid' USING as_of, many;
    -- Days past due reach back as far as the earliest step looks ahead.
    EXECUTE 'CREATE TEMP TABLE dunning_plan_item ON COMMIT DROP AS SELECT i.* FROM (' || dunning._plan_items_sql(whose, '$1')
        || ') i WHERE i.days >= (SELECT least(min(s.offset_days), 0) FROM dunning._steps() s)' USING as_of, many;
    ANALYZE pg_temp.dunning_plan_item;
    EXECUTE pg_catalog.format('CREATE TEMP TABLE dunning_plan_debtor ON COMMIT DROP AS
        SELECT d.debtor_id, d.creditor, d.preferred_channel, coalesce($3, c.default_strategy, ''standard'') AS strategy
        FROM (%s) d LEFT JOIN (SELECT DISTINCT ON (x.creditor) x.* FROM dunning.creditor x ORDER BY x.creditor, x.builtin) c ON c.creditor = d.creditor
        WHERE d.debtor_id IN (SELECT i.debtor_id FROM pg_temp.dunning_plan_item i)', dunning._ledger_sql('debtor', whose, '$1'))
    USING as_of, many, strategy;
    ANALYZE pg_temp.dunning_plan_debtor;
    FOR unknown IN SELECT DISTINCT d.strategy FROM pg_temp.dunning_plan_debtor d LOOP
        PERFORM dunning._check_strategy(unknown.strategy);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_book(text, timestamptz, text[]) IS 'Stages mark, item and debtor of a planning run.';

-- Stage 3. A currency reaches a step by its own oldest invoice and its own sum; the debtor gets the furthest step of any.
CREATE FUNCTION dunning._stage_reach(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    conditions text[] := ARRAY(SELECT DISTINCT s.condition FROM dunning._steps() s WHERE s.condition IS NOT NULL);
    debtors text[] := ARRAY(SELECT d.debtor_id FROM pg_temp.dunning_plan_debtor d);
    today date := dunning._today(as_of);
BEGIN
    CREATE TEMP TABLE dunning_plan_reach ON COMMIT DROP AS
    WITH step AS MATERIALIZED (
        SELECT s.*, t.minimum, t.grace_days, least(s.offset_days, 1 + t.grace_days) AS from_day
        FROM dunning._steps() s JOIN dunning._strategies() t ON t.strategy = s.strategy AND t.enabled),
    contact AS MATERIALIZED (
        SELECT e.debtor_id, max(e.contact_on) AS last_contact FROM dunning.egress e
        WHERE NOT e.test AND e.contact_on >= as_of - interval '90 days' AND e.contact_on <= as_of GROUP BY e.debtor_id),
    -- a currency and step: what is listed, from which due date on, how much
    sums AS (
        SELECT d.debtor_id, d.strategy, s.step, i.currency, min(i.due_on) AS anchor, sum(i.open) AS total,
               coalesce((s.minimum->>i.currency)::numeric, (s.minimum->>'*')::numeric, 0) AS minimum
        FROM pg_temp.dunning_plan_debtor d
        JOIN step s ON s.strategy = d.strategy
        JOIN pg_temp.dunning_plan_item i ON i.debtor_id = d.debtor_id AND i.left_out IS NULL AND i.days >= s.from_day
        GROUP BY d.debtor_id, d.strategy, s.step, i.currency, s.minimum),
    -- One pass: whether any currency reached the step, by which anchor, what is listed and what is under its minimum.
    reached AS (
        SELECT x.debtor_id, x.strategy, x.step, s.position, s.condition, coalesce(bool_or(x.total >= x.minimum) FILTER (WHERE r.r), false) AS enough,
               coalesce(min(x.anchor) FILTER (WHERE r.r AND x.total >= x.minimum), min(x.anchor) FILTER (WHERE r.r)) AS anchor,
               array_agg(x.currency ORDER BY x.currency) FILTER (WHERE x.total >= x.minimum) AS listed,
               jsonb_object_agg(x.currency, x.total) FILTER (WHERE x.total < x.minimum) AS under
        FROM sums x
        JOIN step s ON s.strategy = x.strategy AND s.step = x.step
        LEFT JOIN contact c ON c.debtor_id = x.debtor_id
        CROSS JOIN LATERAL (SELECT CASE s.anchor
            WHEN 'due_date' THEN today - x.anchor >= s.offset_days AND (s.offset_days >= 0 OR x.anchor >= today)
                 AND (NOT s.after_contact OR (c.last_contact AT TIME ZONE dunning._ledger_zone())::date >= x.anchor)
            ELSE today - (c.last_contact AT TIME ZONE dunning._ledger_zone())::date >= s.offset_days
                 AND EXISTS (SELECT FROM dunning.once o JOIN step b ON b.strategy = x.strategy AND b.position < s.position
                             WHERE o.debtor_id = x.debtor_id AND o.kind = 'step' AND o.key = b.strategy || '/' || b.step || '/' || x.anchor) END) r(r)
        GROUP BY x.debtor_id, x.strategy, x.step, s.position, s.condition
        HAVING bool_or(r.r)),
    holds AS MATERIALIZED (
        SELECT h.debtor_id, h.holds FROM dunning._conditions(conditions, debtors, as_of) h WHERE cardinality(conditions) > 0),
    furthest AS (
        SELECT DISTINCT ON (r.debtor_id) r.*
        FROM reached r
        LEFT JOIN holds h ON h.debtor_id = r.debtor_id
        WHERE r.condition IS NULL OR h.holds[array_position(conditions, r.condition)]
        ORDER BY r.debtor_id, r.enough DESC, r.position DESC)
    SELECT f.debtor_id, d.creditor, d.preferred_channel, f.strategy, f.step, f.enough, s.position, s.offset_days, s.from_day, s.template, s.channels, s.framing,
           s.paid_channels, s.self_cure_days, t.min_gap_days, t.horizon, t.self_cure, t.margin, c.last_contact,
           f.anchor, today - f.anchor AS days, f.strategy || '/' || f.step || '/' || f.anchor AS key, f.listed, f.under
    FROM furthest f
    JOIN pg_temp.dunning_plan_debtor d ON d.debtor_id = f.debtor_id
    JOIN step s ON s.strategy = f.strategy AND s.step = f.step
    JOIN dunning._strategies() t ON t.strategy = f.strategy
    LEFT JOIN contact c ON c.debtor_id = f.debtor_id
    -- once per step and anchor; a step that waits in the queue is not planned again
    WHERE NOT EXISTS (SELECT FROM dunning.once o WHERE o.debtor_id = f.debtor_id AND o.kind = 'step'
                        AND o.key = f.strategy || '/' || f.step || '/' || f.anchor)
      AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = f.debtor_id AND q.run_id IS NOT NULL AND q.state <> 'held');
    ANALYZE pg_temp.dunning_plan_reach;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_reach(timestamptz) IS 'Stage reach of a planning run: one row a debtor who has reached a step.';

CREATE FUNCTION dunning._has_template(template text, channel text, creditor text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._template(template, channel, 'en', creditor, 'neutral');
    RETURN true;
EXCEPTION WHEN SQLSTATE 'DN003' THEN
    RETURN false;
END
$fn$;
COMMENT ON FUNCTION dunning._has_template(text, text, text) IS 'Is there a text of this name for the channel, in some language?';

-- Stage 4. The value of a contact over a channel is p(paid within 30 days) x amount x margin - cost, told only where amount and cost are
-- of one currency; margin is the part of what is paid that a contact brings.
CREATE FUNCTION dunning._stage_candidates(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
    price AS MATERIALIZED (
        SELECT x.creditor, k.channel, k.cost, k.currency
        FROM (SELECT DISTINCT r.creditor FROM pg_temp.dunning_plan_reach r) x, LATERAL dunning._costs(x.creditor, today) k),
    written AS MATERIALIZED (
        SELECT x.creditor, x.template, x.channel, dunning._has_template(x.template, x.channel, x.creditor) AS exists
        FROM (SELECT DISTINCT r.creditor, r.template, c.c AS channel FROM pg_temp.dunning_plan_reach r, unnest(r.channels) c(c)) x),
    listed AS MATERIALIZED (
        SELECT x.debtor_id, max(x.amount) AS largest, jsonb_object_agg(x.currency, x.amount) AS amounts
        FROM (SELECT i.debtor_id, i.currency, sum(i.open) AS amount
              FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = i.debtor_id
              WHERE i.left_out IS NULL AND i.days >= r.from_day AND i.currency = ANY (r.listed) GROUP BY 1, 2) x
        GROUP BY x.debtor_id),
    worth AS (
        SELECT r.debtor_id, c.c AS channel, c.n, r.preferred_channel, v.server, v.paused, w.exists AS written, k.cost, k.currency, r.paid_channels,
               s.p_paid_30d AS p, s.p_self_cure,
               (coalesce(s.p_self_cure >= r.self_cure, false) OR coalesce(s.segment = 'self_curer', false)) AND r.days >= 0 AND r.days < r.self_cure_days AS likely_self_cure,
               round((s.p_paid_30d * CASE WHEN k.cost = 0 THEN l.largest ELSE (l.amounts->>k.currency)::numeric END * r.margin)::numeric - k.cost, 2) AS value
        FROM pg_temp.dunning_plan_reach r
        CROSS JOIN LATERAL unnest(r.channels) WITH ORDINALITY c(c, n)
        LEFT JOIN server v ON v.creditor = r.creditor AND v.channel = c.c
        LEFT JOIN price k ON k.creditor = r.creditor AND k.channel = c.c
        LEFT JOIN written w ON w.creditor = r.creditor AND w.template = r.template AND w.channel = c.c
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = r.debtor_id
        LEFT JOIN listed l ON l.debtor_id = r.debtor_id
        WHERE r.enough AND NOT (share > 0 AND dunning._uniform('holdout/' || r.debtor_id, 3) < share)),
    judged AS (
        SELECT w.*, CASE
            WHEN w.cost IS NULL THEN 'no_channel'
            WHEN w.server IS NULL THEN 'no_server'
            WHEN w.paused THEN 'server_paused'
            WHEN NOT w.written THEN 'no_template'
            WHEN w.cost > 0 AND NOT w.paid_channels THEN 'costs_money'
            WHEN w.cost > 0 AND w.likely_self_cure THEN 'likely_self_cure'
            WHEN w.cost > 0 AND w.value <= 0 THEN 'not_worth_it' END AS why
        FROM worth w)
    SELECT j.*, CASE WHEN j.why IS NULL THEN row_number() OVER (PARTITION BY j.debtor_id, j.why IS NULL
                   ORDER BY j.channel IS DISTINCT FROM j.preferred_channel, j.n) END::int AS rank
    FROM judged j;
    ANALYZE pg_temp.dunning_plan_candidate;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_candidates(timestamptz) IS 'Stage candidate of a planning run: channels of each debtor''s step, ranked, or ruled out with why.';

-- Stage 5, first half: the instant, asked of the gate and of the best time.
CREATE FUNCTION dunning._stage_choice(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    CREATE TEMP TABLE dunning_plan_choice ON COMMIT DROP AS
    SELECT c.debtor_id, c.channel, c.server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity, c.timing, c.blocked_by, c.skipped
    FROM dunning._choose(ARRAY(
        SELECT ROW(c.debtor_id, c.channel, c.rank, c.server, w.not_before,
                   -- a pre-due reminder is worth something until the due date is over
                   CASE WHEN r.offset_days < 0 THEN least(w.not_before + r.horizon, (r.anchor + 1)::timestamp AT TIME ZONE dunning._ledger_zone())
                        ELSE w.not_before + r.horizon END)::dunning._candidate
        FROM pg_temp.dunning_plan_candidate c
        JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = c.debtor_id
        CROSS JOIN LATERAL (SELECT greatest(as_of, r.last_contact + r.min_gap_days * interval '1 day') AS not_before) w
        WHERE c.why IS NULL AND w.not_before <= as_of + r.horizon
          AND (r.offset_days >= 0 OR w.not_before < (r.anchor + 1)::timestamp AT TIME ZONE dunning._ledger_zone())), as_of) c;
    ANALYZE pg_temp.dunning_plan_choice;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_choice(timestamptz) IS 'Stage choice of a planning run: channel, server and instant of each debtor, or what blocks it.';

-- Stage 5, second half: everything a message needs, and the decision as it will stand for ever.
CREATE FUNCTION dunning._stage_rows(run_id uuid, as_of timestamptz, ledger_as_of timestamptz, approve boolean, dry_run boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
        left_out AS MATERIALIZED (
            SELECT i.debtor_id, jsonb_agg(jsonb_build_object('invoice', i.reference, 'why', i.left_out) ORDER BY i.due_on, i.invoice_id) AS list
            FROM pg_temp.dunning_plan_item i WHERE i.left_out IS NOT NULL GROUP BY i.debtor_id),
        judged AS (
            SELECT r.*, c.channel AS chosen, c.server AS chosen_server, c.contact_at, c.local_time, c.p_response, c.uplift, c.explored, c.propensity AS time_propensity,
                   c.timing, coalesce(c.skipped, '[]') || coalesce(o.skipped, '[]') AS skipped,
                   CASE WHEN cardinality(c.blocked_by) > 0 THEN c.blocked_by || coalesce(o.by_choice, '{}')
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
            CASE WHEN j.offset_days < 0 THEN (j.anchor + 1)::timestamp AT TIME ZONE dunning._ledger_zone() ELSE j.contact_at + interval '14 days' END AS not_after,
            j.local_time, x.amounts, coalesce(w.cost, 0) AS cost, coalesce(w.currency, 'EUR') AS cost_currency, coalesce(a.arm, j.framing) AS variant, w.p, w.value AS expected_value,
            j.time_propensity * coalesce(a.propensity, 1) AS propensity, coalesce(j.explored, false) AS explored, m.mark AS ledger_mark, x.context,
            CASE WHEN cardinality(j.blocked_by) > 0 THEN 'held' WHEN $3 THEN 'proposed' ELSE 'queued' END AS state,
            CASE WHEN cardinality(j.blocked_by) = 0 THEN NULL
                 WHEN j.blocked_by && ARRAY['likely_self_cure', 'costs_money', 'not_worth_it'] THEN 'wait' ELSE j.blocked_by[1] END AS reason,
            nullif(j.blocked_by, '{}') AS blocked_by, 'step'::text AS once_kind, j.key AS once_key, j.anchor, j.position,
            jsonb_strip_nulls(jsonb_build_object('as_of', $1, 'strategy', j.strategy, 'step', j.step, 'anchor', j.anchor, 'offset_days', j.offset_days,
                'days_overdue', j.days, 'currencies', j.listed, 'under_minimum', j.under, 'left_out', l.list, 'last_contact', j.last_contact,
                'channels', j.channels, 'preferred_channel', j.preferred_channel, 'chosen', j.chosen, 'skipped', j.skipped,
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
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = j.debtor_id$q$,
        dunning._context_sql('SELECT i.* FROM pg_temp.dunning_plan_item i JOIN pg_temp.dunning_plan_reach r ON r.debtor_id = i.debtor_id '
            'WHERE i.left_out IS NULL AND i.days >= r.from_day AND (i.currency = ANY (r.listed) OR NOT r.enough)', '$2', '$7'))
    USING as_of, debtors, approve, dry_run, framing, run_id, ledger_as_of;
    IF framing IS NOT NULL AND NOT dry_run THEN
        PERFORM dunning._assign(framing, ARRAY(SELECT r.debtor_id FROM pg_temp.dunning_plan_row r WHERE r.message_id IS NOT NULL));
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_rows(uuid, timestamptz, timestamptz, boolean, boolean) IS 'Stage row of a planning run: messages ready to be enqueued, and held ones with what blocks them.';

-- Puts the rows into the queue, and closes the earlier steps that the furthest one overtook.
CREATE FUNCTION dunning._enqueue_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
    SELECT r.debtor_id, 'step', b.strategy || '/' || b.step || '/' || r.anchor, NULL, dunning._now()
    FROM pg_temp.dunning_plan_row r
    JOIN dunning._steps() b ON b.strategy = r.strategy AND b.position < r.position AND b.anchor = 'due_date' AND b.offset_days >= 0
    WHERE r.message_id IS NOT NULL
    ON CONFLICT DO NOTHING;

    UPDATE dunning.plan_run p SET planned = n.planned, held = n.held, finished_at = clock_timestamp()
    FROM (SELECT count(*) FILTER (WHERE r.message_id IS NOT NULL) AS planned, count(*) FILTER (WHERE r.message_id IS NULL) AS held
          FROM pg_temp.dunning_plan_row r) n
    WHERE p.run_id = _enqueue_run.run_id;
END
$fn$;
COMMENT ON FUNCTION dunning._enqueue_run(uuid) IS 'Enqueues the rows of a planning run and marks overtaken steps as done.';

CREATE FUNCTION dunning._plan(strategy text, as_of timestamptz, dry_run boolean, approve boolean, many text[] DEFAULT NULL) RETURNS SETOF dunning.planned
    -- Costs are guessed high here, since functions give the sets; compiling then takes longer than the run.
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    run uuid;
BEGIN
    IF strategy IS NOT NULL THEN
        PERFORM dunning._check_strategy(strategy);
    END IF;
    IF NOT isfinite(at) THEN
        RAISE EXCEPTION 'as_of is not finite' USING ERRCODE = '22023';
    ELSIF NOT dry_run AND (as_of > dunning._now() OR (as_of < dunning._now() - interval '1 minute' AND dunning._virtual_clock() IS NULL)) THEN
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
    END IF;

    PERFORM dunning._drop_stages();
    PERFORM dunning._stage_book(strategy, as_of, many);
    PERFORM dunning._stage_reach(at);
    PERFORM dunning._stage_candidates(at);
    PERFORM dunning._stage_choice(at);
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
$fn$;
COMMENT ON FUNCTION dunning._plan(text, timestamptz, boolean, boolean, text[]) IS 'plan() over the whole book (many NULL) or over some debtors.';

CREATE FUNCTION dunning.plan(strategy text DEFAULT NULL, as_of timestamptz DEFAULT NULL, dry_run boolean DEFAULT false, approve boolean DEFAULT false)
    RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT p.* FROM dunning._plan(plan.strategy, plan.as_of, coalesce(plan.dry_run, false), coalesce(plan.approve, false)) p;
END
$fn$;
COMMENT ON FUNCTION dunning.plan(text, timestamptz, boolean, boolean) IS
    'The next contact of every debtor who has reached a step: queued (or proposed, with approve), and those held with reason and blocked_by. Repeating it changes nothing. strategy NULL: each creditor''s own; dry_run writes nothing and takes any as_of. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.plan(text, timestamptz, boolean, boolean) TO dunning_operator;
-- message: templates and what they become. Pure: a context goes in, parts come out; the ledger is never read here.

-- Every version of every text. A row is never edited: saving adds the next version and marks the one before.
CREATE TABLE dunning.template (
    template        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    language        text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',          -- '*': every creditor
    framing         text COLLATE "C" NOT NULL DEFAULT 'neutral',
    builtin         boolean NOT NULL DEFAULT false,
    version         int NOT NULL DEFAULT 1,
    subject         text,
    body_text       text NOT NULL,
    body_html       text,
    vars            text[] NOT NULL DEFAULT '{}',                   -- names that the caller of send() gives
    saved_by        text NOT NULL DEFAULT 'dunning',
    saved_at        timestamptz NOT NULL DEFAULT pg_catalog.now(),
    replaced_by     text,
    replaced_at     timestamptz,                                    -- NULL: in force
    PRIMARY KEY (template, channel, language, creditor, framing, builtin, version)
);
CREATE UNIQUE INDEX template_in_force ON dunning.template (template, channel, language, creditor, framing, builtin)
    WHERE replaced_at IS NULL;
COMMENT ON TABLE dunning.template IS
    'Texts by template, channel, language, creditor and framing, with every version. A user''s row replaces the built-in one of the same key; the row in force has no replaced_at.';
SELECT pg_catalog.pg_extension_config_dump('dunning.template', 'WHERE NOT builtin');

CREATE FUNCTION dunning._render(subject text, body_text text, body_html text, context jsonb, language text,
        OUT subject text, OUT body_text text, OUT body_html text, OUT fields text[], OUT missing text[])
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_render';
COMMENT ON FUNCTION dunning._render(text, text, text, jsonb, text) IS
    'The parts that templates become in a context, the names they used and those that were null. Errors: DN003 no template or an unknown name, 22023 a value that cannot be shown, 53400 too large.';

CREATE FUNCTION dunning._template_fields(subject text, body_text text, body_html text, context jsonb) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_visit';
COMMENT ON FUNCTION dunning._template_fields(text, text, text, jsonb) IS
    'Every name in the templates, as its path in the context, also in sections that would not show. Errors as those of _render().';

CREATE FUNCTION dunning._sms(body text, OUT parts int, OUT units int, OUT encoding text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_sms';
COMMENT ON FUNCTION dunning._sms(text) IS
    'How many SMS a text takes: GSM 03.38 160 septets, or 153 each in several; UCS-2 70, or 67.';

CREATE FUNCTION dunning._language(tag text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE l WHEN 'no' THEN 'nb' WHEN 'nn' THEN 'nb' ELSE l END
      FROM (SELECT nullif(lower(split_part(translate(tag, '_', '-'), '-', 1)), '') AS l) x $$;
COMMENT ON FUNCTION dunning._language(text) IS 'The language of a tag such as da-DK; Norwegian without a form reads as nb.';

-- Which text speaks. A person's own words go before ours: the creditor's own, then a saved one, and only then the framing.
-- A channel without texts of its own (whatsapp, portal) takes those of the nearest kind.
CREATE FUNCTION dunning._template(template text, channel text, language text, creditor text, framing text DEFAULT 'neutral')
    RETURNS dunning.template
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    found_row dunning.template;
    near      text;
    asked     text := dunning._language(_template.language);
    own       text;
BEGIN
    SELECT dunning._language(c.language) INTO own FROM dunning.creditor c WHERE c.creditor = _template.creditor ORDER BY c.builtin LIMIT 1;
    SELECT CASE WHEN c.human THEN 'call' WHEN c.rings THEN 'sms' ELSE 'email' END INTO near
    FROM dunning.channel c WHERE c.channel = _template.channel ORDER BY c.builtin LIMIT 1;
    SELECT t.* INTO found_row
    FROM dunning.template t
    WHERE t.template = _template.template
      AND t.replaced_at IS NULL
      AND t.channel IN (_template.channel, near)
      AND t.language IN (asked, own, 'en')
      AND t.creditor IN (_template.creditor, '*')
      AND t.framing IN (_template.framing, 'neutral')
    ORDER BY t.channel = _template.channel DESC,
             t.language = asked DESC NULLS LAST, t.language = own DESC NULLS LAST,
             t.creditor <> '*' DESC, t.builtin, t.framing = _template.framing DESC NULLS LAST
    LIMIT 1;
    IF found_row.template IS NULL THEN
        RAISE EXCEPTION 'there is no template "%" for channel "%"', _template.template, _template.channel
            USING ERRCODE = 'DN003',
                  DETAIL = coalesce('Templates are: ' || (SELECT string_agg(DISTINCT format('%s (%s)', t.template, t.channel), ', ')
                                    FROM dunning.template t WHERE t.replaced_at IS NULL) || '.', 'There is no template.'),
                  HINT = format('SELECT * FROM dunning.save_template(%L, %L, %L, ''subject'', ''text'');',
                                _template.template, _template.channel, coalesce(asked, 'en'));
    END IF;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION dunning._template(text, text, text, text, text) IS
    'The text in force for a template, channel, language, creditor and framing; language falls back to the creditor''s and then to en, framing to neutral. DN003 where there is none, with those there are.';

CREATE FUNCTION dunning.render(template text, context jsonb, language text, channel text,
        OUT subject text, OUT body_text text, OUT body_html text, OUT sms_parts int, OUT missing text[], OUT warnings text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    chosen dunning.template;
    sms    record;
BEGIN
    chosen := dunning._template(template, channel, language, coalesce(context->>'creditor', '*'), coalesce(context->>'framing', 'neutral'));
    SELECT r.subject, r.body_text, r.body_html, r.missing
    INTO subject, body_text, body_html, missing
    FROM dunning._render(chosen.subject, chosen.body_text, chosen.body_html, coalesce(context, '{}'), chosen.language) r;
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
$$;
COMMENT ON FUNCTION dunning.render(text, jsonb, text, text) IS
    'Subject, text, HTML and number of SMS that a template becomes in a context; names that were null; warnings. The context''s creditor and framing choose among the texts. DN003 on a name that the context does not have. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.render(text, jsonb, text, text) TO dunning_viewer;

CREATE FUNCTION dunning._sms_warnings(body text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    sms    record := dunning._sms(body);
    result text[] := '{}';
    odd    text;
BEGIN
    IF sms.parts > 2 THEN
        result := result || format('takes %s SMS (%s)', sms.parts, sms.encoding);
    END IF;
    IF sms.encoding = 'UCS-2' THEN
        SELECT string_agg(DISTINCT c, ' ') INTO odd
        FROM regexp_split_to_table(body, '') c WHERE (dunning._sms(c)).encoding = 'UCS-2';
        result := result || format('characters outside of GSM 03.38 leave 70 characters to an SMS instead of 160: %s', odd);
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION dunning._sms_warnings(text) IS 'What is costly about a text sent by SMS: more than two parts, characters outside of GSM 03.38.';

GRANT EXECUTE ON FUNCTION dunning._render(text, text, text, jsonb, text), dunning._template(text, text, text, text, text), dunning._sms(text)
    TO dunning_worker;
-- Links: what a debtor may do with one click, told by a token that nobody else can make.

CREATE FUNCTION dunning._make_token(purpose text, debtor_id text, message_id uuid, expires_at timestamptz) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dun_message_sql_make_token';
COMMENT ON FUNCTION dunning._make_token(text, text, uuid, timestamptz) IS
    'A signed token of 56 characters. 55000 where there is no key; 22023 an unknown purpose.';

CREATE FUNCTION dunning._token_message(token text) RETURNS uuid
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_message_sql_token_message';
COMMENT ON FUNCTION dunning._token_message(text) IS 'The message that a token names, not yet verified. DN009 where it is no token.';

CREATE FUNCTION dunning._verify_token(token text, debtor_id text, at timestamptz, OUT purpose text, OUT expires_at timestamptz)
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dun_message_sql_verify_token';
COMMENT ON FUNCTION dunning._verify_token(text, text, timestamptz) IS
    'Purpose and expiry of a genuine token of the debtor; DN009 for any other, for whatever reason.';

CREATE FUNCTION dunning.link(message_id uuid, purpose text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    whose text;
BEGIN
    SELECT m.debtor_id INTO whose FROM dunning.message m WHERE m.message_id = link.message_id;
    IF whose IS NULL THEN
        RAISE EXCEPTION 'there is no message %', coalesce(message_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT message_id FROM dunning.journal WHERE debtor_id = ''...'';';
    END IF;
    IF purpose IS NULL THEN
        RAISE EXCEPTION 'a link needs a purpose'
            USING ERRCODE = '22023', DETAIL = 'Purposes are: pay, plan, already_paid, dispute, opt_out.',
                  HINT = format('SELECT dunning.link(%L, ''pay'');', message_id);
    END IF;
    RETURN dunning._make_token(purpose, whose, message_id, dunning._now() + interval '30 days');
END
$$;
COMMENT ON FUNCTION dunning.link(uuid, text) IS
    'A token to be put behind your own address, good for 30 days and this purpose alone: pay, plan, already_paid, dispute or opt_out. 55000 without a key file. Role dunning_operator.';

-- Mail scanners fetch every link they see, so your page shows a button on GET and calls this on POST alone.
CREATE FUNCTION dunning.open_link(token text,
        OUT purpose text, OUT debtor_id text, OUT message_id uuid, OUT expires_at timestamptz, OUT pay_url text, OUT recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    about   dunning.message;
    happens text;
BEGIN
    message_id := dunning._token_message(coalesce(token, ''));
    SELECT m.* INTO about FROM dunning.message m WHERE m.message_id = open_link.message_id;
    -- No such message: the token is checked all the same, against no debtor.
    SELECT v.purpose, v.expires_at INTO purpose, expires_at
    FROM dunning._verify_token(token, coalesce(about.debtor_id, ''), dunning._now()) v;
    debtor_id := about.debtor_id;
    pay_url := about.context->>'pay_url';
    happens := CASE purpose
        WHEN 'pay' THEN 'clicked'
        WHEN 'plan' THEN 'circumstances_changed'
        WHEN 'already_paid' THEN 'paid_elsewhere'
        WHEN 'dispute' THEN 'disputed'
        WHEN 'opt_out' THEN 'opted_out' END;
    SELECT r.recorded INTO recorded
    FROM dunning.record_event(happens, about.debtor_id, about.message_id, NULL,
            jsonb_build_object('request', purpose, 'by', 'link', 'channel', about.channel),
            format('link:%s:%s', purpose, about.message_id)) r;
END
$$;
COMMENT ON FUNCTION dunning.open_link(text) IS
    'What a debtor asked for with a link, and records it once however often the link is used. DN009 where the token is changed, cut, expired or of a lost key. Call it on POST alone. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.link(uuid, text) TO dunning_operator, dunning_worker;
GRANT EXECUTE ON FUNCTION dunning.open_link(text) TO dunning_operator;
-- Saving, resetting and linting templates.

-- A context as plan makes it, with every name filled: what a new template is tried on.
CREATE FUNCTION dunning._sample_context() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb '{
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
            {"reference": "F-1042-9", "amount": 80, "due_on": "2026-10-03", "days_overdue": 10, "pay_url": "https://pay.example/F-1042-9"}]}]}' $$;
COMMENT ON FUNCTION dunning._sample_context() IS 'A template''s context with every name that plan gives, filled with invented values.';

-- Names that send() gets in vars stand for themselves while there is no send().
CREATE FUNCTION dunning._placeholders(vars text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(jsonb_object_agg(v, '[' || v || ']'), '{}') FROM unnest(vars) v $$;
COMMENT ON FUNCTION dunning._placeholders(text[]) IS 'A context in which each name has itself in brackets as its value.';

CREATE FUNCTION dunning._threatens_first(body text, language text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT left(body, 200) ~* CASE language
        WHEN 'da' THEN '\m(inkasso|advokat|retten|retslig\w*|fogedret\w*|RKI)\M'
        WHEN 'sv' THEN '\m(inkasso|kronofogde\w*|domstol\w*|advokat|r[aä]ttslig\w*)\M'
        WHEN 'nb' THEN '\m(inkasso|namsmann\w*|forliksr[aå]d\w*|advokat|rettslig\w*)\M'
        WHEN 'nl' THEN '\m(incasso\w*|deurwaarder\w*|rechter|rechtbank|advocaat|gerechtelijk\w*)\M'
        WHEN 'de' THEN '\m(inkasso\w*|gericht\w*|mahnbescheid\w*|anwalt\w*|rechtsanwalt\w*|zwangsvollstreckung|pf[aä]ndung)\M'
        ELSE '\m(court|lawyer|solicitor|attorney|legal (action|proceedings|steps)|bailiff\w*|debt collect\w+|credit (rating|bureau))\M' END $$;
COMMENT ON FUNCTION dunning._threatens_first(text, text) IS 'Do the first 200 characters name courts, lawyers or collectors?';

CREATE FUNCTION dunning._says_already_paid(body text, language text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT body ~* CASE language
        WHEN 'da' THEN '(allerede|lige|netop)\s+betalt|har du betalt|betalt\?'
        WHEN 'sv' THEN '(redan|nyss|just)\s+betalat|har du betalat|betalt\?|betalat\?'
        WHEN 'nb' THEN '(allerede|nettopp)\s+betalt|har du betalt|betalt\?'
        WHEN 'nl' THEN '(al|reeds|inmiddels|zojuist)\s+(betaald|voldaan|overgemaakt)|betaald\?'
        WHEN 'de' THEN '(bereits|schon|inzwischen)\s+(be|ge|über)?(zahlt|wiesen|glichen)|bezahlt\?'
        ELSE 'already\s+(been\s+)?paid|have (just )?paid|paid already|paid\?' END $$;
COMMENT ON FUNCTION dunning._says_already_paid(text, text) IS 'Does a text have the line for those whose payment has crossed it?';

CREATE FUNCTION dunning._lint_template(channel text, language text, subject text, body_text text, body_html text, vars text[])
    RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    context  jsonb := dunning._sample_context() || dunning._placeholders(vars);
    named    text[];
    shown    record;
    result   text[] := '{}';
    tongue   text := dunning._language(language);
BEGIN
    -- Errors of grammar and unknown names leave from here.
    named := dunning._template_fields(subject, body_text, body_html, context);
    SELECT r.* INTO shown FROM dunning._render(subject, body_text, body_html, context, language) r;

    IF channel = 'email' AND subject IS NULL THEN
        result := result || text 'there is no subject';
    ELSIF channel = 'email' AND NOT dunning._template_fields(subject, NULL, NULL, context) && ARRAY['given_name', 'name'] THEN
        result := result || text 'the subject names nobody: use {{given_name}}';
    END IF;
    IF NOT dunning._template_fields(NULL, body_text, NULL, context) && ARRAY['given_name', 'name'] THEN
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
    IF concat(subject, body_text, body_html) ~ '\{\{\{?\s*(\w+\.)*amount\s*\}\}' THEN
        result := result || text 'an amount stands without its currency: use {{amount | money}}';
    END IF;
    IF concat(subject, body_text, body_html) ~ '\{\{\{?\s*(\w+\.)*due_on\s*\}\}' THEN
        result := result || text 'a date stands as it is stored: use {{due_on | date}}';
    END IF;
    IF channel = 'sms' THEN
        result := result || dunning._sms_warnings(shown.body_text);
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION dunning._lint_template(text, text, text, text, text, text[]) IS
    'What a reader would miss in a text: name, way to pay, line for those who paid; threats, lengths. Texts that are no template or name the unknown are errors (DN003).';

CREATE FUNCTION dunning._check_template_key(template text, channel text, language text, creditor text, framing text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
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
    IF language IS NULL OR dunning._language(language) !~ '^[a-z]{2,3}$' THEN
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
$$;
COMMENT ON FUNCTION dunning._check_template_key(text, text, text, text, text) IS 'Nothing; 22023 where a template could not be saved under this key.';

CREATE FUNCTION dunning.save_template(template text, channel text, language text, subject text, body_text text,
        body_html text DEFAULT NULL, creditor text DEFAULT NULL, framing text DEFAULT 'neutral', vars text[] DEFAULT '{}',
        OUT version int, OUT warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    tongue text := dunning._language(save_template.language);
    whose  text := coalesce(save_template.creditor, '*');
    given  text[] := coalesce(save_template.vars, '{}');
    now_at timestamptz := clock_timestamp();
BEGIN
    PERFORM dunning._check_template_key(save_template.template, save_template.channel, save_template.language, whose, save_template.framing);
    IF body_text IS NULL OR btrim(body_text) = '' THEN
        RAISE EXCEPTION 'a template needs a text'
            USING ERRCODE = '22023', DETAIL = 'body_text is what is read where HTML is not shown.', HINT = 'Give body_text.';
    END IF;
    warnings := dunning._lint_template(save_template.channel, tongue, subject, body_text, body_html, given);

    IF save_template.framing = 'neutral' AND EXISTS (
        SELECT FROM dunning.template t
        WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue AND t.framing <> 'neutral'
          AND t.creditor IN (whose, '*') AND t.builtin AND t.replaced_at IS NULL
          AND NOT EXISTS (SELECT FROM dunning.template o WHERE o.template = t.template AND o.channel = t.channel AND o.language = t.language
                          AND o.creditor = whose AND o.framing = t.framing AND NOT o.builtin AND o.replaced_at IS NULL)) THEN
        warnings := warnings || text 'other framings use this text too, until they are saved themselves: framing => ''loss_aversion''';
    END IF;
    -- Two who save at once: one waits here, so that versions follow each other.
    PERFORM pg_advisory_xact_lock(dunning._hash64(concat_ws('|', 'template', save_template.template, save_template.channel, tongue, whose, save_template.framing)));
    UPDATE dunning.template t SET replaced_at = now_at, replaced_by = session_user
    WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = save_template.framing AND NOT t.builtin AND t.replaced_at IS NULL;
    SELECT coalesce(max(t.version), 0) + 1 INTO version
    FROM dunning.template t
    WHERE t.template = save_template.template AND t.channel = save_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = save_template.framing AND NOT t.builtin;
    INSERT INTO dunning.template (template, channel, language, creditor, framing, builtin, version, subject, body_text, body_html,
                                  vars, saved_by, saved_at)
    VALUES (save_template.template, save_template.channel, tongue, whose, save_template.framing, false, version,
            save_template.subject, save_template.body_text, save_template.body_html, given, session_user, now_at);
END
$$;
COMMENT ON FUNCTION dunning.save_template(text, text, text, text, text, text, text, text, text[]) IS
    'The new version and what a reader would miss in it. vars: names that send() will be given. A text that is no template or names the unknown is refused (DN003); earlier versions stay in dunning.template. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_template(text, text, text, text, text, text, text, text, text[]) TO dunning_admin;

CREATE FUNCTION dunning.reset_template(template text, channel text, language text, creditor text DEFAULT NULL, framing text DEFAULT 'neutral',
        OUT version int, OUT warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    tongue text := dunning._language(reset_template.language);
    whose  text := coalesce(reset_template.creditor, '*');
    chosen dunning.template;
BEGIN
    UPDATE dunning.template t SET replaced_at = clock_timestamp(), replaced_by = session_user
    WHERE t.template = reset_template.template AND t.channel = reset_template.channel AND t.language = tongue
      AND t.creditor = whose AND t.framing = reset_template.framing AND NOT t.builtin AND t.replaced_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'template "%" (%, %) has no saved text to be reset', reset_template.template, reset_template.channel, reset_template.language
            USING ERRCODE = '22023',
                  DETAIL = coalesce('Saved are: ' || (SELECT string_agg(format('%s (%s, %s, creditor %s, %s)', t.template, t.channel,
                                        t.language, t.creditor, t.framing), '; ') FROM dunning.template t
                                    WHERE NOT t.builtin AND t.replaced_at IS NULL) || '.', 'No text is saved: all are as shipped.'),
                  HINT = 'SELECT template, channel, language, creditor, framing FROM dunning.template WHERE NOT builtin AND replaced_at IS NULL;';
    END IF;
    warnings := '{}';
    BEGIN
        chosen := dunning._template(reset_template.template, reset_template.channel, tongue, whose, reset_template.framing);
        version := chosen.version;
        IF chosen.language <> tongue THEN
            warnings := warnings || format('there is no text in %s any more: %s is used', tongue, chosen.language);
        END IF;
    EXCEPTION WHEN SQLSTATE 'DN003' THEN
        warnings := warnings || format('there is no text of template "%s" for channel "%s" any more', reset_template.template, reset_template.channel);
    END;
END
$$;
COMMENT ON FUNCTION dunning.reset_template(text, text, text, text, text) IS
    'The version that is in force again after a saved text was taken out of use. 22023 where none was saved; the text stays in dunning.template. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_template(text, text, text, text, text) TO dunning_admin;

GRANT SELECT ON dunning.template TO dunning_viewer;
-- The shipped texts are made of sentences: each language gives them once, the layouts of e-mail, SMS, letter and call
-- stand here. What results are plain rows of dunning.template. The function is gone at the end of the installation.

CREATE FUNCTION dunning._ship_templates(language text, phrase jsonb, messages jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    message  jsonb;
    framed   record;
    mail     text;
    letter   text;
    rows_    constant text := $t${{#balances}}
{{#invoices}}
- {{#reference}}{{reference}}: {{/reference}}{{amount | money}}, %s {{due_on | date}}
{{/invoices}}
{{/balances}}$t$;
    rows_html constant text := $t$<ul>
{{#balances}}
{{#invoices}}
<li>{{#pay_url}}<a href="{{pay_url}}">{{/pay_url}}{{#reference}}{{reference}}: {{/reference}}{{amount | money}}{{#pay_url}}</a>{{/pay_url}}, %s {{due_on | date}}</li>
{{/invoices}}
{{/balances}}
</ul>$t$;
    others   constant text := $t${{#other_currencies}}
%s {{amount | money}}.
{{/other_currencies}}
$t$;
    signed   constant text := '{{#sender_name}}{{sender_name}}{{/sender_name}}{{^sender_name}}{{creditor_name}}{{/sender_name}}';
    page     constant text := $t$<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{creditor_name}}</title></head>
<body style="font: %s; color: #222; max-width: 36em; %s">
$t$;
BEGIN
    FOR message IN SELECT value FROM jsonb_array_elements(messages) LOOP
        FOR framed IN
            SELECT f.framing, message->'nudge'->>f.framing AS nudge, message->'sms'->>f.framing AS sms
            FROM (VALUES ('neutral'), ('loss_aversion')) f(framing)
        LOOP
            -- Plain text first: the layout that must read well by itself.
            mail := concat_ws(E'\n\n', '%s', message->>'opening',
                        rtrim(format(rows_, phrase->>'due'), E'\n') || E'\n' || rtrim(format(others, phrase->>'also'), E'\n'),
                        '{{#pay_url}}' || (phrase->>'pay') || ': {{pay_url}}{{/pay_url}}'
                            || '{{^pay_url}}{{#creditor_account}}' || (phrase->>'account') || '{{/creditor_account}}{{/pay_url}}',
                        framed.nudge, phrase->>'already', '%s', phrase->>'regards') || E'\n' || signed || E'\n';
            letter := '<p>%s</p>' || E'\n<p>' || (message->>'opening') || E'</p>\n'
                    || replace(format(rows_html, phrase->>'due'), '%', '%%')
                    || E'\n' || replace(replace(format(others, phrase->>'also'), E'\n' || (phrase->>'also'), E'\n<p>' || (phrase->>'also')), '.' || E'\n{{/', E'.</p>\n{{/')
                    || '%s' || E'\n<p>' || framed.nudge || E'</p>\n<p>' || (phrase->>'already') || E'</p>\n<p>%s</p>\n<p>'
                    || (phrase->>'regards') || '<br>' || signed || E'</p>\n</body>\n</html>\n';

            INSERT INTO dunning.template (template, channel, language, framing, builtin, subject, body_text, body_html) VALUES
            (message->>'template', 'email', language, framed.framing, true, message->>'subject',
             format(mail, phrase->>'hello', phrase->>'plan_email'),
             format(page, language, '16px/1.5 sans-serif', 'margin: 0; padding: 1em')
             || format(letter, phrase->>'hello',
                       '{{#pay_url}}<p><a href="{{pay_url}}" style="font-weight: bold">' || (phrase->>'pay') || '</a></p>{{/pay_url}}'
                       || '{{^pay_url}}{{#creditor_account}}<p>' || (phrase->>'account') || '</p>{{/creditor_account}}{{/pay_url}}',
                       phrase->>'plan_email')),
            (message->>'template', 'letter', language, framed.framing, true, message->>'subject',
             format(mail, phrase->>'dear', phrase->>'plan_letter'),
             -- A letter from a person, not a bill: running text, no table, no box with a sum.
             format(page, language, '12pt/1.5 Georgia, serif', 'margin: 3cm 2.5cm')
             || format(letter, phrase->>'dear',
                       '{{#pay_url}}<p>' || (phrase->>'pay') || ': {{pay_url}}</p>{{/pay_url}}'
                       || '{{#creditor_account}}<p>' || (phrase->>'account') || '</p>{{/creditor_account}}',
                       phrase->>'plan_letter')),
            (message->>'template', 'sms', language, framed.framing, true, NULL,
             concat_ws(' ', phrase->>'hello_sms', framed.sms,
                       '{{#pay_url}}' || (phrase->>'pay') || ': {{pay_url}}{{/pay_url}}'
                       || '{{^pay_url}}{{#creditor_account}}' || (phrase->>'account') || '{{/creditor_account}}{{/pay_url}}',
                       phrase->>'already_sms', phrase->>'plan_sms'), NULL);
        END LOOP;
        INSERT INTO dunning.template (template, channel, language, framing, builtin, subject, body_text) VALUES
        (message->>'template', 'call', language, 'neutral', true, message->>'subject',
         concat_ws(E'\n', '1. ' || (phrase->>'call_who'), '2. ' || (message->>'opening'), '3. ' || (phrase->>'call_ask'),
                   '4. ' || (phrase->>'call_plan'), '5. ' || (phrase->>'call_end')) || E'\n');
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._ship_templates(text, jsonb, jsonb) IS 'Nothing; adds the shipped texts of a language while the extension is installed.';
-- Danish.

SELECT dunning._ship_templates('da',
$$ {
    "hello": "{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}}",
    "due": "forfald",
    "also": "I en anden valuta er der også",
    "pay": "Betal her",
    "account": "Du kan betale til konto {{creditor_account}}.",
    "already": "Har du allerede betalt? Så se bort fra denne besked, og tak for det.",
    "plan_email": "Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.",
    "plan_letter": "Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.",
    "already_sms": "Allerede betalt? Se bort fra denne besked.",
    "plan_sms": "Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}",
    "regards": "Venlig hilsen",
    "call_who": "Spørg efter {{name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.",
    "call_ask": "Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.",
    "call_plan": "Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.",
    "call_end": "Sig tak, og notér, hvad der blev aftalt."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}",
        "opening": "Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.",
        "nudge": {
            "neutral": "Betaler du inden da, skal du ikke gøre mere.",
            "loss_aversion": "Betaler du inden da, er det klaret, og der kommer ingen rykkere."},
        "sms": {
            "neutral": "Til orientering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalder den {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalder den {{due_on | date}}. Betal inden da, så kommer der ingen rykkere."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig",
        "opening": "Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
        "nudge": {
            "neutral": "Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage.",
            "loss_aversion": "Betaler du nu, er det klaret, og du hører ikke mere om det."},
        "sms": {
            "neutral": "En venlig påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så kommer der ikke flere påmindelser."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden",
        "opening": "Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
        "nudge": {
            "neutral": "Betal nu, eller fortæl os, hvad der står i vejen.",
            "loss_aversion": "Betaler du nu, er sagen ude af verden, før den tager mere af din tid. Står noget i vejen, så fortæl os det."},
        "sms": {
            "neutral": "Vi mangler stadig {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}}, der forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så er sagen ude af verden."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}",
        "opening": "Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
        "nudge": {
            "neutral": "Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.",
            "loss_aversion": "Betaler du nu, slutter det her, før der sker mere. Kan du ikke det, så kontakt os i løbet af de næste dage: Også en ordning stopper sagen."},
        "sms": {
            "neutral": "Sidste påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal eller kontakt os i de nærmeste dage.",
            "loss_aversion": "Sidste påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så slutter det her, før der sker mere."}
    }
] $$);
-- German.

SELECT dunning._ship_templates('de',
$$ {
    "hello": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "dear": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "hello_sms": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "due": "fällig am",
    "also": "In einer anderen Währung sind außerdem offen:",
    "pay": "Hier bezahlen",
    "account": "Sie können auf das Konto {{creditor_account}} überweisen.",
    "already": "Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!",
    "plan_email": "Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.",
    "plan_letter": "Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.",
    "already_sms": "Bereits bezahlt? Dann ist alles erledigt.",
    "plan_sms": "Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}",
    "regards": "Freundliche Grüße",
    "call_who": "Fragen Sie nach {{name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.",
    "call_ask": "Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.",
    "call_plan": "Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.",
    "call_end": "Bedanken Sie sich und notieren Sie, was vereinbart wurde."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}",
        "opening": "nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.",
        "nudge": {
            "neutral": "Mit der Zahlung bis dahin ist alles getan.",
            "loss_aversion": "Wenn Sie bis dahin bezahlen, ist alles erledigt und es folgen keine Erinnerungen."},
        "sms": {
            "neutral": "zur Erinnerung vorab: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind am {{due_on | date}} fällig.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind am {{due_on | date}} fällig. Bei Zahlung bis dahin folgen keine Erinnerungen."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen",
        "opening": "vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.",
        "nudge": {
            "neutral": "Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten.",
            "loss_aversion": "Wenn Sie jetzt bezahlen, ist alles erledigt und Sie erhalten keine weiteren Erinnerungen."},
        "sms": {
            "neutral": "eine Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Bei Zahlung jetzt folgen keine weiteren Erinnerungen."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen",
        "opening": "wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.",
        "nudge": {
            "neutral": "Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht.",
            "loss_aversion": "Wenn Sie jetzt bezahlen, ist die Sache erledigt, bevor sie Sie noch mehr Zeit kostet. Steht etwas im Weg, sagen Sie es uns."},
        "sms": {
            "neutral": "wir haben {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} noch nicht erhalten, seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Mit Ihrer Zahlung ist die Sache erledigt."}
    },
    {
        "template": "final-notice",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}",
        "opening": "dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.",
        "nudge": {
            "neutral": "Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.",
            "loss_aversion": "Wenn Sie jetzt bezahlen, endet die Sache hier, vor weiteren Schritten. Wenn das nicht geht, melden Sie sich in den nächsten Tagen: Auch eine Vereinbarung beendet sie."},
        "sms": {
            "neutral": "letzte Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Bitte bezahlen Sie oder melden Sie sich in den nächsten Tagen.",
            "loss_aversion": "letzte Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Mit Ihrer Zahlung endet die Sache hier, vor weiteren Schritten."}
    }
] $$);
-- English.

SELECT dunning._ship_templates('en',
$$ {
    "hello": "{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}",
    "due": "due on",
    "also": "In another currency there is also",
    "pay": "Pay here",
    "account": "You can pay to account {{creditor_account}}.",
    "already": "Already paid? Then please ignore this message, and thank you.",
    "plan_email": "If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.",
    "plan_letter": "If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.",
    "already_sms": "Already paid? Ignore this.",
    "plan_sms": "Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}",
    "regards": "Kind regards",
    "call_who": "Ask for {{name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.",
    "call_ask": "Ask whether the payment is on its way. If it is paid, note when and how.",
    "call_plan": "If it cannot be paid now, ask what would work and agree on a date or on instalments.",
    "call_end": "Say thank you and note what was agreed."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}",
        "opening": "Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.",
        "nudge": {
            "neutral": "Paying by then is all there is to do.",
            "loss_aversion": "Pay by then and it is settled, with no reminders to follow."},
        "sms": {
            "neutral": "a heads-up: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is due on {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is due on {{due_on | date}}. Pay by then and no reminders follow."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open",
        "opening": "It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
        "nudge": {
            "neutral": "It would help us if you could pay in the next few days.",
            "loss_aversion": "Pay now and it is settled: no further reminders will follow."},
        "sms": {
            "neutral": "a reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and no further reminders follow."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue",
        "opening": "We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.",
        "nudge": {
            "neutral": "Please pay now, or tell us what stands in the way.",
            "loss_aversion": "Pay now and the matter is settled, before it takes more of your time. If something stands in the way, tell us."},
        "sms": {
            "neutral": "we have not yet received {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}}, now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and it is settled, with no more reminders."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}",
        "opening": "This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
        "nudge": {
            "neutral": "Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.",
            "loss_aversion": "Pay now and it ends here, before any further steps. If that is not possible, get in touch in the next few days: a plan also stops them."},
        "sms": {
            "neutral": "our last reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Please pay or get in touch in the next few days.",
            "loss_aversion": "last reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and it ends here, before further steps."}
    }
] $$);
-- Norwegian (Bokmal).

SELECT dunning._ship_templates('nb',
$$ {
    "hello": "{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}",
    "due": "forfall",
    "also": "I en annen valuta er det også",
    "pay": "Betal her",
    "account": "Du kan betale til konto {{creditor_account}}.",
    "already": "Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!",
    "plan_email": "Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.",
    "plan_letter": "Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.",
    "already_sms": "Allerede betalt? Se bort fra dette.",
    "plan_sms": "Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}",
    "regards": "Vennlig hilsen",
    "call_who": "Spør etter {{name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.",
    "call_ask": "Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.",
    "call_plan": "Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.",
    "call_end": "Si takk, og noter hva dere ble enige om."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}",
        "opening": "Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.",
        "nudge": {
            "neutral": "Betaler du innen da, trenger du ikke å gjøre noe mer.",
            "loss_aversion": "Betaler du innen da, er det i orden, og det kommer ingen purringer."},
        "sms": {
            "neutral": "Bare så du vet det: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaller {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaller {{due_on | date}}. Betal innen da, så kommer det ingen purringer."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt",
        "opening": "Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
        "nudge": {
            "neutral": "Det ville hjelpe oss om du kunne betale i løpet av de neste dagene.",
            "loss_aversion": "Betaler du nå, er det i orden, og du får ingen flere påminnelser."},
        "sms": {
            "neutral": "En påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så kommer det ingen flere påminnelser."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden",
        "opening": "Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
        "nudge": {
            "neutral": "Betal nå, eller fortell oss hva som står i veien.",
            "loss_aversion": "Betaler du nå, er saken ute av verden før den tar mer av tiden din. Står noe i veien, så fortell oss det."},
        "sms": {
            "neutral": "Vi har ennå ikke mottatt {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}}, som forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så er saken ute av verden."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}",
        "opening": "Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
        "nudge": {
            "neutral": "Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.",
            "loss_aversion": "Betaler du nå, slutter det her, før neste steg. Går ikke det, så ta kontakt i løpet av de neste dagene: også en avtale stanser saken."},
        "sms": {
            "neutral": "Siste påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal eller ta kontakt i løpet av de neste dagene.",
            "loss_aversion": "Siste påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så slutter det her, før neste steg."}
    }
] $$);
-- Dutch.

SELECT dunning._ship_templates('nl',
$$ {
    "hello": "{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}",
    "due": "vervaldatum",
    "also": "In een andere valuta staat ook nog open:",
    "pay": "Betaal hier",
    "account": "Je kunt betalen op rekening {{creditor_account}}.",
    "already": "Al betaald? Dan kun je dit bericht negeren. Dank je wel!",
    "plan_email": "Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.",
    "plan_letter": "Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.",
    "already_sms": "Al betaald? Negeer dit bericht.",
    "plan_sms": "Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}",
    "regards": "Met vriendelijke groet",
    "call_who": "Vraag naar {{name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.",
    "call_ask": "Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.",
    "call_plan": "Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.",
    "call_end": "Bedank en noteer wat er is afgesproken."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}",
        "opening": "Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.",
        "nudge": {
            "neutral": "Betaal je voor die datum, dan hoef je verder niets te doen.",
            "loss_aversion": "Betaal je voor die datum, dan is het geregeld en volgen er geen herinneringen."},
        "sms": {
            "neutral": "een bericht vooraf: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn. Op tijd betaald? Dan volgen er geen herinneringen."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open",
        "opening": "Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.",
        "nudge": {
            "neutral": "Het zou ons helpen als je in de komende dagen kunt betalen.",
            "loss_aversion": "Betaal je nu, dan is het geregeld en krijg je geen herinneringen meer."},
        "sms": {
            "neutral": "een herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat nu {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. Betaal nu en er volgen geen herinneringen meer."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat",
        "opening": "We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.",
        "nudge": {
            "neutral": "Betaal nu, of laat ons weten wat er in de weg staat.",
            "loss_aversion": "Betaal je nu, dan is de zaak afgerond voordat hij je meer tijd kost. Staat er iets in de weg, laat het ons dan weten."},
        "sms": {
            "neutral": "we hebben {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} nog niet ontvangen, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. Betaal nu en het is afgerond."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}",
        "opening": "Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.",
        "nudge": {
            "neutral": "Betaal in de komende dagen of neem contact op. Daarna moeten we verdere stappen overwegen, en we lossen het veel liever samen met je op.",
            "loss_aversion": "Betaal je nu, dan houdt het hier op, voordat er verdere stappen komen. Lukt dat niet, neem dan in de komende dagen contact op: ook met een regeling stopt het."},
        "sms": {
            "neutral": "onze laatste herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat. Betaal of neem in de komende dagen contact op.",
            "loss_aversion": "laatste herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat. Betaal nu en het houdt hier op, voor er verdere stappen komen."}
    }
] $$);
-- Swedish.

SELECT dunning._ship_templates('sv',
$$ {
    "hello": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "due": "förfallodag",
    "also": "I en annan valuta finns också",
    "pay": "Betala här",
    "account": "Du kan betala till konto {{creditor_account}}.",
    "already": "Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!",
    "plan_email": "Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.",
    "plan_letter": "Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.",
    "already_sms": "Redan betalat? Bortse från detta.",
    "plan_sms": "Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}",
    "regards": "Vänliga hälsningar",
    "call_who": "Fråga efter {{name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.",
    "call_ask": "Fråga om betalningen är på väg. Om det är betalt, notera när och hur.",
    "call_plan": "Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.",
    "call_end": "Tacka och notera vad ni kom överens om."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}",
        "opening": "Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.",
        "nudge": {
            "neutral": "Betalar du före dess behöver du inte göra något mer.",
            "loss_aversion": "Betalar du före dess är det klart, och det kommer inga påminnelser."},
        "sms": {
            "neutral": "Bara så att du vet: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förfaller den {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förfaller den {{due_on | date}}. Betala före dess så kommer inga påminnelser."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt",
        "opening": "Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
        "nudge": {
            "neutral": "Det vore till stor hjälp om du kunde betala inom de närmaste dagarna.",
            "loss_aversion": "Betalar du nu är det klart, och du får inga fler påminnelser."},
        "sms": {
            "neutral": "En påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så kommer inga fler påminnelser."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan",
        "opening": "Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
        "nudge": {
            "neutral": "Betala nu, eller berätta för oss vad som står i vägen.",
            "loss_aversion": "Betalar du nu är saken ur världen, innan den tar mer av din tid. Står något i vägen, så berätta det för oss."},
        "sms": {
            "neutral": "Vi har ännu inte fått {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}}, som förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så är saken ur världen."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}",
        "opening": "Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
        "nudge": {
            "neutral": "Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.",
            "loss_aversion": "Betalar du nu slutar det här, före nästa steg. Går inte det, så hör av dig inom de närmaste dagarna: även en plan stoppar ärendet."},
        "sms": {
            "neutral": "Sista påminnelsen: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala eller hör av dig inom de närmaste dagarna.",
            "loss_aversion": "Sista påminnelsen: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så slutar det här, före nästa steg."}
    }
] $$);
DROP FUNCTION dunning._ship_templates(text, jsonb, jsonb);
-- queue: message, queue, body, egress, outcome, once; every change of state goes through one function.

-- What was planned and why. Never updated: later data cannot change the answer.
CREATE TABLE dunning.message (
    message_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    run_id          uuid,
    strategy        text,
    step            text,
    template        text NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    language        text NOT NULL,
    server          text,
    contact_at      timestamptz NOT NULL,
    not_after       timestamptz,                -- a message not sent by then is dead with reason 'expired'
    local_time      text NOT NULL,              -- contact_at in the debtor's zone, with the zone's name
    amounts         jsonb NOT NULL,             -- currency -> sum asked for
    cost            numeric NOT NULL,
    cost_currency   text NOT NULL,
    variant         text,
    p               float8,
    expected_value  numeric,
    propensity      float8,
    explored        boolean NOT NULL DEFAULT false,
    ledger_mark     text,                       -- dunning._ledger_mark at planning; NULL: a message about no balance
    context         jsonb NOT NULL,             -- what the template may say; the address is not in it
    decision        jsonb NOT NULL,             -- inputs, candidates with value, blockers, versions, arm, propensities
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.message IS 'One row a planned contact, with the decision as frozen when it was made. Partitioned by month of the key.';

-- Small and hot: one row an unfinished message, deleted when it is finished.
CREATE TABLE dunning.queue (
    debtor_id       text COLLATE "C" NOT NULL,
    message_id      uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    slice           smallint NOT NULL,
    state           text NOT NULL CHECK (state IN ('proposed', 'queued', 'held', 'sending')),
    due             timestamptz NOT NULL,       -- next attempt; contact_at at first
    attempts        smallint NOT NULL DEFAULT 0,        -- settled attempts; the next one is attempts + 1
    server          text,
    channel         text COLLATE "C" NOT NULL,
    reason          text,
    blocked_by      text[],
    run_id          uuid,
    PRIMARY KEY (debtor_id, message_id)
) WITH (fillfactor = 70);
CREATE INDEX queue_due ON dunning.queue (due, message_id) WHERE state = 'queued';
COMMENT ON TABLE dunning.queue IS 'Unfinished messages: proposed (await approval), queued, held (with what blocks), sending (intent committed).';

-- The rendered parts, frozen at the first attempt; a repeat sends the same bytes. The one place with the address.
CREATE TABLE dunning.body (
    message_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    address         text NOT NULL,
    subject         text,
    body_text       text,
    body_html       text,
    rendered_at     timestamptz NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.body IS 'What was rendered for a message and to which address; written once. forget() blanks it.';

-- The egress ledger and the fence: one row an attempt, committed before the first byte leaves.
CREATE TABLE dunning.egress (
    message_id      uuid NOT NULL,
    attempt         smallint NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    server          text NOT NULL,
    address_digest  bytea NOT NULL,
    fields          text[] NOT NULL,            -- names of the context fields the body used
    body_digest     bytea NOT NULL,             -- sha256 over the parts
    bytes           int NOT NULL,
    reason          text NOT NULL,              -- strategy/step, or who called send()
    test            boolean NOT NULL DEFAULT false,     -- redirected: not a contact
    cost            numeric NOT NULL,
    cost_currency   text NOT NULL,
    at              timestamptz NOT NULL,       -- real clock
    contact_on      timestamptz NOT NULL,       -- the clock of decisions (virtual if one is set): what caps count
    slice           smallint NOT NULL,
    seq             bigint NOT NULL,
    prev            bytea NOT NULL,
    digest          bytea NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.egress IS 'What left the database, to which server, which fields, its digest and why: append-only, one hash chain a slice.';

CREATE TABLE dunning.egress_head (
    slice           smallint PRIMARY KEY,
    seq             bigint NOT NULL,
    digest          bytea NOT NULL
);
COMMENT ON TABLE dunning.egress_head IS 'The last link of each chain; a dropped month leaves its last digest as an anchor in egress_anchor.';

CREATE TABLE dunning.egress_anchor (
    slice           smallint NOT NULL,
    seq             bigint NOT NULL,
    digest          bytea NOT NULL,
    dropped_at      timestamptz NOT NULL,
    PRIMARY KEY (slice, seq)
);
COMMENT ON TABLE dunning.egress_anchor IS 'Where a chain goes on after a month was dropped.';

-- What became of a message: append-only. The last row by rank is its state once the queue row is gone.
CREATE TABLE dunning.outcome (
    message_id      uuid NOT NULL,
    outcome_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    attempt         smallint NOT NULL,          -- 0: none was made
    state           text NOT NULL CHECK (state IN ('queued', 'held', 'sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled')),
    reason          text NOT NULL,
    provider_ref    text,                       -- the gateway's own id of the message
    detail          jsonb,                      -- status codes, times; never a body or an address
    at              timestamptz NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.outcome IS 'What the gateway, a person or the gate said of each attempt; append-only.';

-- Idempotency, event and step keys: who inserts first has it.
CREATE TABLE dunning.once (
    debtor_id       text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('idempotency', 'event', 'step')),
    key             text COLLATE "C" NOT NULL,
    message_id      uuid,
    at              timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, kind, key)
);
COMMENT ON TABLE dunning.once IS 'Keys that may be used once a debtor: idempotency keys of send(), event keys, strategy steps.';

-- Partitions are made at run time and are no members, so that pg_dump keeps them; their parents hold no row.
SELECT pg_catalog.pg_extension_config_dump('dunning.queue', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.egress_head', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.egress_anchor', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.once', '');

CREATE TABLE dunning.server_state (
    server          text COLLATE "C" PRIMARY KEY,
    paused_at       timestamptz NOT NULL,
    paused_by       text NOT NULL
);
COMMENT ON TABLE dunning.server_state IS 'Servers that are paused: nothing is planned on them and nothing leaves through them until resume().';
SELECT pg_catalog.pg_extension_config_dump('dunning.server_state', '');

-- Nothing personal stands in these columns: the state of the queue is for everyone who may look at all.
GRANT SELECT ON dunning.queue, dunning.server_state TO dunning_viewer;
GRANT SELECT (message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server, contact_at, not_after,
              local_time, amounts, cost, cost_currency, variant, p, expected_value, propensity, explored, ledger_mark, created_at, created_by)
    ON dunning.message TO dunning_viewer;
GRANT SELECT (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, at) ON dunning.outcome TO dunning_viewer;

-- The gate's text, which the worker runs itself, counts contacts.
GRANT SELECT ON dunning.queue, dunning.egress TO dunning_worker;

-- Partitions. A month of keys is a partition of message, body, egress and outcome alike, so an attempt lies beside its
-- message. Made detached and then attached: ATTACH does not block writers of the parent, CREATE ... PARTITION OF would.
CREATE FUNCTION dunning._partition_keys() RETURNS TABLE (parent text, primary_key text, indexes text[])
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES ('message', 'debtor_id, message_id', ARRAY['(message_id)']),
           ('body', 'debtor_id, message_id', '{}'),
           ('egress', 'debtor_id, message_id, attempt', ARRAY['(contact_on)']),
           ('outcome', 'debtor_id, message_id, outcome_id', ARRAY['(provider_ref) WHERE provider_ref IS NOT NULL']);
END;
COMMENT ON FUNCTION dunning._partition_keys() IS 'The partitioned tables with the key and the further indexes of each of their partitions.';

CREATE FUNCTION dunning._make_partition(parent text, month timestamp, primary_key text, indexes text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    part text := pg_catalog.format('%s_y%sm%s', parent, pg_catalog.to_char(month, 'YYYY'), pg_catalog.to_char(month, 'MM'));
    index_body text;
    item record;
BEGIN
    EXECUTE pg_catalog.format('CREATE TABLE dunning.%I (LIKE dunning.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (%s))', part, parent, primary_key);
    FOREACH index_body IN ARRAY indexes LOOP
        EXECUTE pg_catalog.format('CREATE INDEX ON dunning.%I %s', part, index_body);
    END LOOP;
    -- The parent's grants, for those who read one month by name.
    FOR item IN
        SELECT a.grantee::regrole::text AS grantee, a.privilege_type, NULL::text AS col
        FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a
        WHERE c.oid = pg_catalog.format('dunning.%I', parent)::regclass AND a.grantee NOT IN (0, c.relowner)
        UNION ALL
        SELECT a.grantee::regrole::text, a.privilege_type, pg_catalog.quote_ident(t.attname)
        FROM pg_catalog.pg_attribute t, LATERAL pg_catalog.aclexplode(t.attacl) a
        WHERE t.attrelid = pg_catalog.format('dunning.%I', parent)::regclass AND a.grantee <> 0
    LOOP
        EXECUTE pg_catalog.format('GRANT %s%s ON dunning.%I TO %s', item.privilege_type, ' (' || item.col || ')', part, item.grantee);
    END LOOP;
    EXECUTE pg_catalog.format('ALTER TABLE dunning.%I ATTACH PARTITION dunning.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
        dunning._uuid7_floor(month AT TIME ZONE 'UTC'), dunning._uuid7_floor((month + interval '1 month') AT TIME ZONE 'UTC'));
    EXECUTE pg_catalog.format('COMMENT ON TABLE dunning.%I IS %L', part, 'Rows of dunning.' || parent || ' of ' || pg_catalog.to_char(month, 'YYYY-MM') || ' (UTC).');
END
$fn$;
COMMENT ON FUNCTION dunning._make_partition(text, timestamp, text, text[]) IS 'Makes one month of one partitioned table: key, indexes, grants of the parent, attached.';

CREATE FUNCTION dunning._ensure_partitions(at timestamptz DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    wanted record;
    this_month timestamp := pg_catalog.date_trunc('month', coalesce(at, pg_catalog.clock_timestamp()) AT TIME ZONE 'UTC');
    made int := 0;
    locked boolean := false;
BEGIN
    FOR wanted IN
        SELECT k.parent, k.primary_key, k.indexes, this_month + n * interval '1 month' AS month
        FROM pg_catalog.generate_series(0, 1) n, dunning._partition_keys() k
    LOOP
        CONTINUE WHEN pg_catalog.to_regclass(pg_catalog.format('dunning.%I', wanted.parent || pg_catalog.to_char(wanted.month, '"_y"YYYY"m"MM'))) IS NOT NULL;
        IF NOT locked THEN
            -- One maker at a time; whoever waited finds them made.
            PERFORM pg_catalog.pg_advisory_xact_lock(1685416558, 'dunning.message'::regclass::oid::int);
            locked := true;
            CONTINUE WHEN pg_catalog.to_regclass(pg_catalog.format('dunning.%I', wanted.parent || pg_catalog.to_char(wanted.month, '"_y"YYYY"m"MM'))) IS NOT NULL;
        END IF;
        PERFORM dunning._make_partition(wanted.parent, wanted.month, wanted.primary_key, wanted.indexes);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$fn$;
COMMENT ON FUNCTION dunning._ensure_partitions(timestamptz) IS 'How many month partitions of message, body, egress and outcome it had to make, for the month of an instant (NULL: now) and the next.';
GRANT EXECUTE ON FUNCTION dunning._ensure_partitions(timestamptz) TO dunning_admin, dunning_worker;

CREATE FUNCTION dunning._wake() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_queue_sql_wake';
COMMENT ON FUNCTION dunning._wake() IS 'Sets the worker''s latch when this transaction commits; nothing where no worker runs.';

CREATE FUNCTION dunning._enqueue(source text) RETURNS TABLE (debtor_id text, message_id uuid)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._ensure_partitions();
    PERFORM dunning._wake();
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
            FROM src s WHERE s.once_key IS NULL OR s.message_id IN (SELECT c.message_id FROM claimed c)
            RETURNING message_id),
        queued AS (
            INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, reason, blocked_by, run_id)
            SELECT s.debtor_id, s.message_id, s.creditor, dunning._slice(s.debtor_id), s.state, s.contact_at, s.server, s.channel, s.reason, s.blocked_by, s.run_id
            FROM src s WHERE s.once_key IS NULL OR s.message_id IN (SELECT c.message_id FROM claimed c)
            RETURNING debtor_id, message_id)
        SELECT q.debtor_id::text, q.message_id FROM queued q$q$, source);
END
$fn$;
COMMENT ON FUNCTION dunning._enqueue(text) IS 'The keys of the messages that one statement put into message and queue: every row of the source query whose once key was free. docs/architecture.md lists the columns it must give.';
-- queue: the egress chain. Written by the worker in C, verified here by the same digest function.

CREATE FUNCTION dunning._egress_digest(prev bytea, slice smallint, seq bigint, message_id uuid, attempt smallint, debtor_id text,
    creditor text, channel text, server text, address_digest bytea, fields text[], body_digest bytea, bytes int, reason text,
    test boolean, cost numeric, cost_currency text, at timestamptz, contact_on timestamptz) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_queue_sql_egress_digest';
COMMENT ON FUNCTION dunning._egress_digest(bytea, smallint, bigint, uuid, smallint, text, text, text, text, bytea, text[], bytea, int,
    text, boolean, numeric, text, timestamptz, timestamptz) IS
    'SHA-256 over the digest before it and every column of an egress row: the link of a slice''s chain.';

-- The chain is walked in the order of seq; where the first row does not follow the zero digest, an anchor must stand before it.
CREATE FUNCTION dunning.verify_egress() RETURNS TABLE (slice smallint, links bigint, ok boolean, broken_at bigint, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    WITH link AS (
        SELECT e.slice, e.seq, e.digest,
               e.digest = dunning._egress_digest(e.prev, e.slice, e.seq, e.message_id, e.attempt, e.debtor_id, e.creditor, e.channel, e.server,
                   e.address_digest, e.fields, e.body_digest, e.bytes, e.reason, e.test, e.cost, e.cost_currency, e.at, e.contact_on) AS own,
               CASE WHEN lag(e.seq) OVER w IS NULL
                    THEN e.seq = 1 AND e.prev = decode(repeat('00', 32), 'hex')
                         OR EXISTS (SELECT FROM dunning.egress_anchor a WHERE a.slice = e.slice AND a.seq = e.seq - 1 AND a.digest = e.prev)
                    ELSE lag(e.seq) OVER w = e.seq - 1 AND lag(e.digest) OVER w = e.prev END AS follows
        FROM dunning.egress e
        WINDOW w AS (PARTITION BY e.slice ORDER BY e.seq)),
    chain AS (
        SELECT l.slice, count(*) AS links, min(l.seq) FILTER (WHERE l.own IS NOT TRUE) AS changed,
               min(l.seq) FILTER (WHERE l.follows IS NOT TRUE) AS gap, max(l.seq) AS last
        FROM link l GROUP BY l.slice),
    judged AS (
        SELECT coalesce(c.slice, h.slice) AS slice, coalesce(c.links, 0) AS links, c.changed, c.gap,
               CASE WHEN h.slice IS NULL THEN coalesce(c.last, 0)
                    WHEN c.slice IS NULL AND h.seq > 0 AND NOT EXISTS (
                        SELECT FROM dunning.egress_anchor a WHERE a.slice = h.slice AND a.seq = h.seq AND a.digest = h.digest) THEN h.seq
                    WHEN c.slice IS NOT NULL AND (h.seq <> c.last OR h.digest IS DISTINCT FROM
                        (SELECT l.digest FROM link l WHERE l.slice = c.slice AND l.seq = c.last LIMIT 1)) THEN h.seq END AS cut
        FROM chain c FULL JOIN dunning.egress_head h ON h.slice = c.slice)
    SELECT j.slice, j.links, coalesce(j.changed, j.gap, j.cut) IS NULL, least(j.changed, j.gap, j.cut),
           CASE least(j.changed, j.gap, j.cut)
               WHEN j.changed THEN 'the row does not match its digest'
               WHEN j.gap THEN 'the row does not follow the one before it'
               WHEN j.cut THEN 'the chain does not end where its head says' END
    FROM judged j
    WHERE j.links > 0 OR j.cut IS NOT NULL
    ORDER BY j.slice;
END
$fn$;
COMMENT ON FUNCTION dunning.verify_egress() IS
    'One row a slice that sent something: how many links its chain has, whether every row matches its digest and follows the one before, and the first seq that does not. Reads the whole egress ledger. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.verify_egress() TO dunning_viewer;
-- preview(): what a debtor would get now. Reads the ledger, which templates themselves never do.

CREATE FUNCTION dunning.preview(template text, debtor_id text, channel text DEFAULT NULL, language text DEFAULT NULL,
        OUT subject text, OUT body_text text, OUT body_html text, OUT sms_parts int, OUT missing text[], OUT warnings text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    id      text := dunning._canonical_id(preview.debtor_id);
    who     record;
    over    text;
    chosen  dunning.template;
    context jsonb;
BEGIN
    EXECUTE format('SELECT d.creditor, d.language, d.preferred_channel FROM (%s) d',
                   dunning._ledger_sql('debtor', 'ARRAY[$1]', NULL))
    INTO who USING id;
    IF who.creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    over := coalesce(preview.channel, who.preferred_channel, 'email');
    chosen := dunning._template(preview.template, over, coalesce(preview.language, who.language), who.creditor);
    SELECT c.context INTO context FROM dunning._context(ARRAY[id], NULL) c;
    SELECT r.subject, r.body_text, r.body_html, r.sms_parts, r.missing, r.warnings
    INTO subject, body_text, body_html, sms_parts, missing, warnings
    FROM dunning.render(preview.template, dunning._placeholders(chosen.vars) || context,
                        coalesce(preview.language, who.language), over) r;
    IF context->>'amount' IS NULL THEN
        warnings := text 'the debtor has no open balance to write about' || warnings;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.preview(text, text, text, text) IS
    'What a template becomes for a debtor now: subject, text, HTML, number of SMS, names without a value, warnings. Names given by send(vars) stand in brackets. 22023 for an unknown debtor, DN003 an unknown template. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.preview(text, text, text, text) TO dunning_operator;
-- queue: what applications and operators call.

CREATE FUNCTION dunning._planned_rows(debtor_ids text[], message_ids uuid[]) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT m.run_id, m.message_id, m.debtor_id::text, m.creditor::text, m.strategy, m.step, m.template, m.channel::text, m.server, m.contact_at, m.local_time,
               m.amounts, m.cost, s.state, s.reason, q.blocked_by, m.variant, m.p, m.expected_value
        FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids)) v(debtor_id, message_id)
        JOIN dunning.message m ON m.debtor_id = v.debtor_id AND m.message_id = v.message_id
        JOIN dunning.message_state s ON s.debtor_id = v.debtor_id AND s.message_id = v.message_id
        LEFT JOIN dunning.queue q ON q.debtor_id = v.debtor_id AND q.message_id = v.message_id
        ORDER BY m.debtor_id, m.message_id;
END
$fn$;
COMMENT ON FUNCTION dunning._planned_rows(text[], uuid[]) IS 'Messages as planned rows, with the state they have now.';

CREATE FUNCTION dunning._warn_inactive() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    active boolean := false;
BEGIN
    -- deliver is a later room: asked by name.
    IF to_regprocedure('dunning._activated()') IS NOT NULL THEN
        EXECUTE 'SELECT dunning._activated()' INTO active;
    END IF;
    IF active IS NOT TRUE THEN
        RAISE NOTICE 'delivery is not activated: the message waits' USING HINT = 'SELECT dunning.activate();';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._warn_inactive() IS 'A NOTICE with the call that mends it where nothing can leave yet.';

-- What send() is asked to do, checked; returns the channels to try, best first.
CREATE FUNCTION dunning._send_channels(template text, channel text, vars jsonb, not_before timestamptz, not_after timestamptz, creditor text, preferred text)
    RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    listed text[];
BEGIN
    PERFORM dunning._check_template_name(template);
    IF jsonb_typeof(vars) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'vars is not a JSON object' USING ERRCODE = '22023', HINT = 'For example: vars => ''{"plan_months": 3}''.';
    ELSIF NOT isfinite(not_before) OR NOT isfinite(not_after) OR not_after <= coalesce(not_before, dunning._now()) THEN
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
$fn$;
COMMENT ON FUNCTION dunning._send_channels(text, text, jsonb, timestamptz, timestamptz, text, text) IS 'The channels for a single message in the order to try. 22023 on arguments that cannot be met, naming what is known.';

CREATE FUNCTION dunning._send_row(debtor_id text, template text, channel text, vars jsonb, not_before timestamptz, not_after timestamptz, idempotency_key text)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
    SELECT k.* INTO price FROM dunning._costs(debtor.creditor, dunning._today(NULL)) k WHERE k.channel = coalesce(chosen.channel, channels[1]);
    SELECT s.* INTO score FROM dunning.debtor_score s WHERE s.debtor_id = _send_row.debtor_id;
    RETURN jsonb_build_object('message_id', dunning._uuid7(), 'debtor_id', debtor_id, 'creditor', debtor.creditor, 'template', template,
        'channel', coalesce(chosen.channel, channels[1]), 'language', about.language, 'server', chosen.server,
        'contact_at', coalesce(chosen.contact_at, earliest), 'not_after', coalesce(not_after, earliest + interval '30 days'),
        'local_time', coalesce(chosen.local_time, dunning._local_time(earliest, dunning._ledger_zone())), 'amounts', about.amounts,
        'cost', coalesce(price.cost, 0), 'cost_currency', coalesce(price.currency, 'EUR'), 'variant', 'neutral', 'p', score.p_paid_30d,
        'propensity', coalesce(chosen.propensity, 1), 'explored', coalesce(chosen.explored, false), 'ledger_mark', mark, 'context', about.context || vars,
        'state', CASE WHEN cardinality(blocked) > 0 THEN 'held' ELSE 'queued' END, 'reason', blocked[1], 'blocked_by', nullif(blocked, '{}'),
        'once_kind', CASE WHEN idempotency_key IS NOT NULL THEN 'idempotency' END, 'once_key', idempotency_key,
        'decision', jsonb_strip_nulls(jsonb_build_object('asked_by', session_user, 'call', 'send', 'channels', channels, 'preferred_channel', debtor.preferred_channel,
            'chosen', chosen.channel, 'skipped', coalesce(chosen.skipped, '[]') || no_server, 'timing', chosen.timing, 'vars', vars,
            'not_before', not_before, 'not_after', not_after, 'scores', to_jsonb(score))));
END
$fn$;
COMMENT ON FUNCTION dunning._send_row(text, text, text, jsonb, timestamptz, timestamptz, text) IS 'The message that send() would put into the queue.';

CREATE FUNCTION dunning.send(debtor_id text, template text, channel text DEFAULT NULL, vars jsonb DEFAULT '{}', not_before timestamptz DEFAULT NULL,
    not_after timestamptz DEFAULT NULL, idempotency_key text DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(send.debtor_id);
    made jsonb;
    found uuid;
BEGIN
    IF idempotency_key IS NOT NULL THEN
        SELECT o.message_id INTO found FROM dunning.once o WHERE o.debtor_id = id AND o.kind = 'idempotency' AND o.key = idempotency_key;
    END IF;
    IF found IS NULL THEN
        made := dunning._send_row(id, template, channel, vars, not_before, not_after, idempotency_key);
        IF dry_run THEN
            RETURN QUERY SELECT NULL::uuid, NULL::uuid, id, r.creditor, NULL::text, NULL::text, r.template, r.channel, r.server, r.contact_at, r.local_time, r.amounts,
                r.cost, r.state, r.reason, r.blocked_by, r.variant, r.p, NULL::numeric
                FROM jsonb_to_record(made) AS r(creditor text, template text, channel text, server text, contact_at timestamptz, local_time text, amounts jsonb,
                    cost numeric, state text, reason text, blocked_by text[], variant text, p float8);
            RETURN;
        END IF;
        SELECT e.message_id INTO found FROM dunning._enqueue(pg_catalog.format($q$
            SELECT r.* FROM jsonb_to_record(%L) AS r(message_id uuid, debtor_id text, creditor text, run_id uuid, strategy text, step text, template text, channel text,
                language text, server text, contact_at timestamptz, not_after timestamptz, local_time text, amounts jsonb, cost numeric, cost_currency text, variant text,
                p float8, expected_value numeric, propensity float8, explored boolean, ledger_mark text, context jsonb, decision jsonb, state text, reason text,
                blocked_by text[], once_kind text, once_key text)$q$, made)) e;
        IF found IS NULL THEN
            -- another session had the key first
            SELECT o.message_id INTO found FROM dunning.once o WHERE o.debtor_id = id AND o.kind = 'idempotency' AND o.key = idempotency_key;
        END IF;
    END IF;
    PERFORM dunning._warn_inactive();
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[id], ARRAY[found]) p;
END
$fn$;
COMMENT ON FUNCTION dunning.send(text, text, text, jsonb, timestamptz, timestamptz, text, boolean) IS
    'One message in the queue, or held with blocked_by: at once where that is allowed, else at the next allowed time; with not_after at the best time until then. channel NULL: the first usable of the preferred one and the strategy''s. The same idempotency_key gives the same message. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.send(text, text, text, jsonb, timestamptz, timestamptz, text, boolean) TO dunning_operator;
-- queue: the states of a message and the one function that moves it between them.
--
--   proposed ──approve──> queued <──release── held          rows of dunning.queue
--   queued ──intent committed (egress)──> sending
--   sending ──verdict──> queued (a later attempt)           retry, `due` moved, attempts + 1
--   any of them ──> sent delivered failed unknown dead cancelled     final: an outcome row, the queue row is gone
--
-- `failed` went on over another channel (a new message), `dead` did not. A receipt that comes later only adds an
-- outcome; the state of a finished message is the outcome of the last attempt with the highest rank, so receipts may
-- come in any order.

CREATE FUNCTION dunning._state_rank(state text) RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE state
        WHEN 'cancelled' THEN 1     -- nothing left the database
        WHEN 'dead' THEN 2          -- nothing arrived, nothing more is tried
        WHEN 'unknown' THEN 3       -- it may have arrived
        WHEN 'sent' THEN 4          -- the gateway took it
        WHEN 'delivered' THEN 5     -- a receipt
        WHEN 'failed' THEN 6        -- a bounce, also after a receipt: the relay took it, the mailbox did not
        ELSE 0 END;                 -- queued, held: not final
END;
COMMENT ON FUNCTION dunning._state_rank(text) IS 'Rank of an outcome among those of one attempt; 0: not final.';

CREATE VIEW dunning.message_state WITH (security_invoker, security_barrier) AS
    SELECT m.message_id, m.debtor_id, coalesce(q.state, o.state) AS state, coalesce(q.reason, o.reason) AS reason,
           coalesce(CASE WHEN q.state IS NOT NULL THEN coalesce(o.at, m.created_at) END, o.at) AS at
    FROM dunning.message m
    LEFT JOIN dunning.queue q ON q.debtor_id = m.debtor_id AND q.message_id = m.message_id
    LEFT JOIN LATERAL (
        SELECT x.state, x.reason, x.at FROM dunning.outcome x
        WHERE x.debtor_id = m.debtor_id AND x.message_id = m.message_id
        ORDER BY dunning._state_rank(x.state) = 0, x.attempt DESC, dunning._state_rank(x.state) DESC, x.outcome_id DESC
        LIMIT 1) o ON true;
COMMENT ON VIEW dunning.message_state IS 'The one state of every message, with its reason and since when; role: dunning_viewer.';
GRANT SELECT ON dunning.message_state TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._state_rank(text) TO dunning_viewer, dunning_worker;

-- Step keys of messages that never left become free, so that planning may take the step up again.
CREATE FUNCTION dunning._free_steps(debtor_ids text[], message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    DELETE FROM dunning.once o USING ROWS FROM (unnest(debtor_ids), unnest(message_ids)) AS v(debtor_id, message_id)
    WHERE o.debtor_id = v.debtor_id AND o.kind = 'step' AND o.message_id = v.message_id
      AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = v.debtor_id AND e.message_id = v.message_id);
END
$fn$;
COMMENT ON FUNCTION dunning._free_steps(text[], uuid[]) IS 'Frees the step keys of messages of which no attempt was ever made.';

CREATE FUNCTION dunning._settle(debtor_ids text[], message_ids uuid[], attempts smallint[], states text[], reasons text[],
    provider_refs text[], details jsonb[], next_due timestamptz[]) RETURNS TABLE (debtor_id text, message_id uuid, state text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    failure record;
    fallback uuid;
    unknown_state text;
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
            SELECT * FROM ROWS FROM (unnest(debtor_ids), unnest(message_ids), unnest(attempts), unnest(states), unnest(reasons),
                unnest(provider_refs), unnest(details), unnest(next_due))
                AS v(debtor_id, message_id, attempt, state, reason, provider_ref, detail, due)
            WHERE v.state <> 'failed'),
        moved AS (
            UPDATE dunning.queue q
            SET state = v.state, due = coalesce(v.due, q.due), attempts = greatest(q.attempts, v.attempt), reason = v.reason,
                blocked_by = CASE v.state WHEN 'held' THEN coalesce(
                    ARRAY(SELECT b.b FROM jsonb_array_elements_text(v.detail->'blocked_by') b(b)), ARRAY[v.reason]) END
            FROM v, dunning.queue old
            WHERE old.debtor_id = q.debtor_id AND old.message_id = q.message_id
              AND v.state IN ('queued', 'held') AND q.debtor_id = v.debtor_id AND q.message_id = v.message_id
              AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
            RETURNING q.debtor_id, q.message_id, q.creditor, v.attempt, v.state, v.reason, v.provider_ref, v.detail,
                v.state = 'held' AND old.reason IS NOT DISTINCT FROM v.reason AS repeated),
        finished AS (
            DELETE FROM dunning.queue q USING v
            WHERE v.state NOT IN ('queued', 'held') AND q.debtor_id = v.debtor_id AND q.message_id = v.message_id
              AND (v.attempt > 0 AND q.attempts = v.attempt - 1 OR v.attempt = 0 AND q.state IN ('proposed', 'queued', 'held'))
            RETURNING q.debtor_id, q.message_id, q.creditor, greatest(v.attempt, q.attempts) AS attempt, v.state, v.reason, v.provider_ref, v.detail),
        -- Stopped while its attempt was under way: what the gateway said is still the truth.
        late AS (
            SELECT e.debtor_id, e.message_id, e.creditor, v.attempt, v.state, v.reason, v.provider_ref, v.detail
            FROM v JOIN dunning.egress e ON e.debtor_id = v.debtor_id AND e.message_id = v.message_id AND e.attempt = v.attempt
            WHERE v.attempt > 0 AND v.state NOT IN ('queued', 'held')
              AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = v.debtor_id AND q.message_id = v.message_id)
              AND NOT EXISTS (SELECT FROM dunning.outcome o
                              WHERE o.debtor_id = v.debtor_id AND o.message_id = v.message_id AND o.attempt = v.attempt)),
        written AS (
            INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
            SELECT x.message_id, dunning._uuid7(), x.debtor_id, x.creditor, x.attempt, x.state, x.reason, x.provider_ref, x.detail, dunning._now()
            FROM (SELECT m.debtor_id, m.message_id, m.creditor, m.attempt, m.state, m.reason, m.provider_ref, m.detail
                  FROM moved m WHERE NOT m.repeated     -- held again for the same reason is no news
                  UNION ALL SELECT * FROM finished UNION ALL SELECT * FROM late) x
            RETURNING outcome.debtor_id, outcome.message_id, outcome.state)
        SELECT w.debtor_id::text, w.message_id, w.state FROM written w
        UNION ALL SELECT m.debtor_id, m.message_id, m.state FROM moved m WHERE m.repeated;

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
END
$fn$;
COMMENT ON FUNCTION dunning._settle(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[]) IS
    'The messages this call moved: the one transition function. Arrays of one length; attempt 0 = before any intent, n = the verdict on attempt n. queued = try again at next_due, held = detail.blocked_by says why and next_due when to look again; failed goes on over the next channel or ends dead. A verdict that lost the fence gives no row.';
GRANT EXECUTE ON FUNCTION dunning._settle(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[]) TO dunning_worker;

-- Cancelling is settling without an attempt. Messages in flight are left alone: their verdict is on its way.
CREATE FUNCTION dunning._cancel_messages(debtor_ids text[], message_ids uuid[], reason text, replan boolean) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
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
    SELECT pg_catalog.array_agg(s.debtor_id), pg_catalog.array_agg(s.message_id) INTO done_debtors, done_messages
    FROM dunning._settle(debtor_ids, message_ids, array_fill(0::smallint, ARRAY[n]), array_fill('cancelled'::text, ARRAY[n]),
        array_fill(_cancel_messages.reason, ARRAY[n]), array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]),
        array_fill(NULL::timestamptz, ARRAY[n])) s;
    IF replan THEN
        PERFORM dunning._free_steps(done_debtors, done_messages);
    END IF;
    RETURN coalesce(cardinality(done_messages), 0);
END
$fn$;
COMMENT ON FUNCTION dunning._cancel_messages(text[], uuid[], text, boolean) IS 'How many of these messages it cancelled; with replan the steps of those never sent may be planned again.';
GRANT EXECUTE ON FUNCTION dunning._cancel_messages(text[], uuid[], text, boolean) TO dunning_worker;

CREATE FUNCTION dunning._stop_messages(debtor_id text, reason text) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    found uuid[];
BEGIN
    SELECT pg_catalog.array_agg(q.message_id) INTO found
    FROM dunning.queue q WHERE q.debtor_id = _stop_messages.debtor_id AND q.state <> 'sending';
    RETURN dunning._cancel_messages(array_fill(_stop_messages.debtor_id, ARRAY[coalesce(cardinality(found), 0)]), found, _stop_messages.reason, true);
END
$fn$;
COMMENT ON FUNCTION dunning._stop_messages(text, text) IS 'How many unfinished messages of a debtor it cancelled in this transaction; those already leaving are settled by their verdict. Their steps may be planned again.';
GRANT EXECUTE ON FUNCTION dunning._stop_messages(text, text) TO dunning_worker;

-- Held messages are looked at again: when what held them is gone, or when their time to look has come. The gate decides anew.
CREATE FUNCTION dunning._release_held(debtor_ids text[] DEFAULT NULL, blocker text DEFAULT NULL, due_until timestamptz DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    n int;
BEGIN
    -- Not before its planned instant: `due` of a held row is only when to look at it again.
    UPDATE dunning.queue q SET state = 'queued', due = greatest(m.contact_at, dunning._now()), blocked_by = NULL,
        server = coalesce(q.server, dunning._server_for(q.channel, q.creditor))     -- one may have been made since
    FROM dunning.message m
    WHERE q.state = 'held' AND m.debtor_id = q.debtor_id AND m.message_id = q.message_id
      AND (debtor_ids IS NULL OR q.debtor_id = ANY (debtor_ids))
      AND (blocker IS NULL OR blocker = ANY (q.blocked_by))
      AND (due_until IS NULL OR q.due <= due_until);
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM dunning._wake();
    END IF;
    RETURN n;
END
$fn$;
COMMENT ON FUNCTION dunning._release_held(text[], text, timestamptz) IS 'How many held messages stand in the queue again: of these debtors (NULL: all), held by this blocker (NULL: any), to be looked at by then (NULL: at once).';
GRANT EXECUTE ON FUNCTION dunning._release_held(text[], text, timestamptz) TO dunning_worker;
-- queue: approval, cancelling, retrying, pausing, and how the queue stands.

CREATE FUNCTION dunning._check_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.plan_run r WHERE r.run_id = _check_run.run_id AND r.approve) THEN
        RAISE EXCEPTION 'run % does not await approval', coalesce(_check_run.run_id::text, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = 'Runs that do: ' || coalesce((SELECT pg_catalog.string_agg(x.run_id::text, ', ') FROM (
                      SELECT DISTINCT q.run_id FROM dunning.queue q WHERE q.state = 'proposed') x), 'none') || '.',
                  HINT = 'SELECT * FROM dunning.plan(approve => true);';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_run(uuid) IS 'Nothing, or 22023 naming the runs that await approval.';

CREATE FUNCTION dunning.approve(run_id uuid, except_debtors text[] DEFAULT '{}') RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    excepted text[] := ARRAY(SELECT dunning._canonical_id(d.d) FROM unnest(except_debtors) d(d));
    debtors text[];
    messages uuid[];
BEGIN
    PERFORM dunning._check_run(approve.run_id);
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, messages
    FROM dunning.queue q WHERE q.run_id = approve.run_id AND q.state = 'proposed' AND q.debtor_id = ANY (excepted);
    PERFORM dunning._cancel_messages(debtors, messages, 'not_approved', true);
    WITH freed AS (
        UPDATE dunning.queue q SET state = 'queued', reason = NULL WHERE q.run_id = approve.run_id AND q.state = 'proposed'
        RETURNING q.debtor_id, q.message_id)
    SELECT array_agg(f.debtor_id), array_agg(f.message_id) INTO debtors, messages FROM freed f;
    UPDATE dunning.plan_run r SET approved_at = dunning._now(), approved_by = session_user WHERE r.run_id = approve.run_id AND r.approved_at IS NULL;
    PERFORM dunning._wake();
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(debtors, messages) p;
END
$fn$;
COMMENT ON FUNCTION dunning.approve(uuid, text[]) IS 'The proposed contacts of a run that stand in the queue from now on; those of except_debtors are cancelled and may be planned again. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.approve(uuid, text[]) TO dunning_operator;

CREATE FUNCTION dunning.reject(run_id uuid) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
BEGIN
    PERFORM dunning._check_run(reject.run_id);
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, messages
    FROM dunning.queue q WHERE q.run_id = reject.run_id AND q.state = 'proposed';
    PERFORM dunning._cancel_messages(debtors, messages, 'rejected', true);
    UPDATE dunning.plan_run r SET rejected_at = dunning._now() WHERE r.run_id = reject.run_id AND r.rejected_at IS NULL;
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(debtors, messages) p;
END
$fn$;
COMMENT ON FUNCTION dunning.reject(uuid) IS 'The proposed contacts of a run, cancelled; a later run may plan them again. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.reject(uuid) TO dunning_operator;

CREATE FUNCTION dunning.cancel(message_id uuid, reason text) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtor text := (SELECT m.debtor_id FROM dunning.message m WHERE m.message_id = cancel.message_id);
BEGIN
    IF debtor IS NULL THEN
        RAISE EXCEPTION 'message % does not exist', coalesce(cancel.message_id::text, 'NULL') USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.journal ORDER BY at DESC;';
    ELSIF coalesce(cancel.reason, '') = '' THEN
        RAISE EXCEPTION 'a message is cancelled for a reason' USING ERRCODE = '22023';
    END IF;
    PERFORM dunning._cancel_messages(ARRAY[debtor], ARRAY[cancel.message_id], cancel.reason, false);
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[debtor], ARRAY[cancel.message_id]) p;
END
$fn$;
COMMENT ON FUNCTION dunning.cancel(uuid, text) IS 'The message with the state it has now: cancelled, unless it was leaving or finished already. Its step is not planned again. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.cancel(uuid, text) TO dunning_operator;

CREATE FUNCTION dunning.retry(message_id uuid DEFAULT NULL, state text DEFAULT 'dead', server text DEFAULT NULL, since timestamptz DEFAULT NULL, dry_run boolean DEFAULT true)
    RETURNS TABLE (message uuid, debtor_id text, channel text, through text, was text, reason text, at timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    found record;
BEGIN
    IF retry.state IS NULL OR retry.state NOT IN ('dead', 'failed', 'unknown', 'cancelled', 'held') THEN
        RAISE EXCEPTION 'messages of state "%" cannot be retried', retry.state USING ERRCODE = '22023', DETAIL = 'dead, failed, unknown, cancelled and held ones can.';
    END IF;
    FOR found IN
        SELECT m.message_id, m.debtor_id, m.creditor, m.channel, m.server, m.run_id, s.state, s.reason, s.at,
               coalesce((SELECT max(e.attempt) FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id), 0::smallint) AS attempts
        FROM (SELECT DISTINCT o.debtor_id, o.message_id FROM dunning.outcome o
              WHERE (retry.message_id IS NULL OR o.message_id = retry.message_id) AND o.state = retry.state AND (since IS NULL OR o.at >= since)
              UNION SELECT q.debtor_id, q.message_id FROM dunning.queue q
              WHERE retry.state = 'held' AND q.state = 'held' AND (retry.message_id IS NULL OR q.message_id = retry.message_id)) x
        JOIN dunning.message m ON m.debtor_id = x.debtor_id AND m.message_id = x.message_id
        JOIN dunning.message_state s ON s.debtor_id = x.debtor_id AND s.message_id = x.message_id
        WHERE s.state = retry.state AND (retry.server IS NULL OR m.server = retry.server) AND (since IS NULL OR s.at >= since)
          AND (m.not_after IS NULL OR m.not_after > dunning._now())      -- over is over
        ORDER BY s.at, m.message_id
    LOOP
        IF NOT dry_run AND retry.state = 'held' THEN
            PERFORM dunning._release_held(ARRAY[found.debtor_id]);
        ELSIF NOT dry_run THEN
            INSERT INTO dunning.queue AS q (debtor_id, message_id, creditor, slice, state, due, attempts, server, channel, reason, run_id)
            VALUES (found.debtor_id, found.message_id, found.creditor, dunning._slice(found.debtor_id), 'queued', dunning._now(), found.attempts, found.server,
                found.channel, 'retried by ' || session_user, found.run_id)
            ON CONFLICT DO NOTHING;
        END IF;
        RETURN QUERY SELECT found.message_id, found.debtor_id::text, found.channel::text, found.server::text, found.state::text, found.reason::text, found.at::timestamptz;
    END LOOP;
    IF NOT dry_run THEN
        PERFORM dunning._wake();
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning.retry(uuid, text, text, timestamptz, boolean) IS
    'Messages of a state that go back into the queue (dry_run, the default: that would), of one message, server or since an instant. The gate and the frozen body stand; an unknown one may arrive twice. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.retry(uuid, text, text, timestamptz, boolean) TO dunning_operator;

CREATE FUNCTION dunning._check_server(server text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._servers() s WHERE s.server = _check_server.server) THEN
        RAISE EXCEPTION 'server "%" does not exist', _check_server.server
            USING ERRCODE = '22023', DETAIL = 'Known servers: ' || coalesce((SELECT string_agg(s.server, ', ' ORDER BY s.server) FROM dunning._servers() s), 'none') || '.',
                  HINT = pg_catalog.format('CREATE SERVER %I TYPE ''email'' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ''smtp'', url ''smtp://...'', "from" ''...'');', coalesce(_check_server.server, 'mail'));
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_server(text) IS 'Nothing, or 22023 naming the known servers.';

CREATE FUNCTION dunning.pause(server text) RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_server(pause.server);
    INSERT INTO dunning.server_state AS s (server, paused_at, paused_by) VALUES (pause.server, dunning._now(), session_user) ON CONFLICT DO NOTHING;
    RETURN (SELECT s.paused_at FROM dunning.server_state s WHERE s.server = pause.server);
END
$fn$;
COMMENT ON FUNCTION dunning.pause(text) IS 'Since when the server is paused: nothing is planned on it and nothing leaves through it until resume(). Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.pause(text) TO dunning_operator;

CREATE FUNCTION dunning.resume(server text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_server(resume.server);
    DELETE FROM dunning.server_state s WHERE s.server = resume.server;
    PERFORM dunning._wake();
    RETURN (SELECT count(*) FROM dunning.queue q WHERE q.server = resume.server AND q.state = 'queued' AND q.due <= dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning.resume(text) IS 'How many messages now due wait for the server that was paused. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.resume(text) TO dunning_operator;

CREATE VIEW dunning.queue_status WITH (security_invoker, security_barrier) AS
    SELECT q.creditor, q.channel, q.server, q.state, CASE WHEN q.state IN ('held', 'queued') THEN q.reason END AS reason, count(*) AS messages,
           count(*) FILTER (WHERE q.state = 'queued' AND q.due <= dunning._now()) AS due_now, min(q.due) AS next_due, max(q.due) AS last_due, max(q.attempts) AS most_attempts,
           EXISTS (SELECT FROM dunning.server_state s WHERE s.server = q.server) AS paused
    FROM dunning.queue q GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW dunning.queue_status IS 'Unfinished messages by creditor, channel, server, state and reason: how many, how many due now, next and last instant, most attempts, is the server paused. Role: dunning_viewer.';
GRANT SELECT ON dunning.queue_status TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._now() TO dunning_viewer, dunning_worker;
-- gateway: servers of the wrapper dunning_gateway, presets of HTTP gateways, and the pure parts of the drivers.

CREATE FUNCTION dunning.dunning_gateway_validator(options text[], catalog oid) RETURNS void
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'dun_gateway_sql_validator';
COMMENT ON FUNCTION dunning.dunning_gateway_validator(text[], oid) IS 'Checks the options of a gateway''s SERVER and USER MAPPING; 22023 lists the options known.';

-- No handler: a server is a name, options, rights and a mapping; nothing is ever read through it.
CREATE FOREIGN DATA WRAPPER dunning_gateway VALIDATOR dunning.dunning_gateway_validator;
COMMENT ON FOREIGN DATA WRAPPER dunning_gateway IS 'Gateways: CREATE SERVER name TYPE ''channel'' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ''smtp|http|spool|task|mock'', ...).';
GRANT USAGE ON FOREIGN DATA WRAPPER dunning_gateway TO dunning_admin;

CREATE FUNCTION dunning._check_address(kind text, address text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_check_address';
COMMENT ON FUNCTION dunning._check_address(text, text) IS 'NULL where the address may be used on the channel (or address field), else why not.';

CREATE FUNCTION dunning._check_pattern(pattern text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_check_pattern';
COMMENT ON FUNCTION dunning._check_pattern(text) IS 'True, or 22023 with the placeholders a request template may hold.';

CREATE FUNCTION dunning._judge(driver text, progress text, code int, retry_after text DEFAULT NULL, body text DEFAULT NULL,
    error text DEFAULT NULL, id_field text DEFAULT 'id', error_field text DEFAULT NULL, suppress_on text DEFAULT NULL,
    OUT verdict text, OUT reason text, OUT provider_ref text, OUT retry_after_s int)
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_judge';
COMMENT ON FUNCTION dunning._judge(text, text, int, text, text, text, text, text, text) IS 'What a gateway''s reply means: sent, retry, failed, suppress or unknown. progress is not_sent, maybe_sent or replied.';

CREATE FUNCTION dunning._build_request(server text, message_id uuid, address text, subject text, body_text text, body_html text DEFAULT NULL,
    sender_name text DEFAULT NULL, reply_to text DEFAULT NULL, unsubscribe_url text DEFAULT NULL, sent_at timestamptz DEFAULT '2026-01-01 00:00+00',
    OUT kind text, OUT method text, OUT url text, OUT headers text[], OUT body text, OUT mail_from text, OUT mail_rcpt text, OUT path text)
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'dun_gateway_sql_build';
COMMENT ON FUNCTION dunning._build_request(text, uuid, text, text, text, text, text, text, text, timestamptz) IS 'The request a server would get for a message, with SECRET in the place of its secret. Sends nothing.';

CREATE FUNCTION dunning._allows_address(address text, port int, hostname text DEFAULT '', allowed_hosts text DEFAULT '') RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_allows_address';
COMMENT ON FUNCTION dunning._allows_address(text, int, text, text) IS 'May a gateway be at this resolved address, given a value of dunning.allowed_hosts?';

CREATE FUNCTION dunning._json_field("json" text, path text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gateway_sql_read_json_field';
COMMENT ON FUNCTION dunning._json_field(text, text) IS 'One printable field of a gateway''s reply, such as messages.0.id; NULL where there is none. Never errors out.';

-- HTTP gateways as data: a request template and where to look in the reply. Placeholders are encoded for where they stand.
CREATE TABLE dunning.http_preset (
    preset          text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    description     text NOT NULL,
    method          text NOT NULL CHECK (method IN ('POST', 'PUT', 'GET')),
    path            text NOT NULL DEFAULT '',           -- appended to the server's URL; values are percent-encoded
    format          text NOT NULL CHECK (format IN ('json', 'form', 'none')),
    body            text,                               -- values are JSON- or percent-encoded after format
    body_html       text,                               -- used where the message has HTML; NULL: body
    auth            text NOT NULL CHECK (auth IN ('none', 'basic', 'bearer', 'header')),
    auth_header     text,                               -- the header of auth 'header'
    idempotency_header text,                            -- carries the message id; NULL: the gateway knows none
    contract        text NOT NULL CHECK (contract IN ('repeat', 'once')),
    id_field        text,                               -- where the reply tells the gateway's own id
    error_field     text,                               -- where a refusal tells its code
    suppress_on     text[] NOT NULL DEFAULT '{}',       -- codes that mean the address must not be used again
    PRIMARY KEY (preset, builtin),
    CHECK (dunning._check_pattern(path)),
    CHECK (body IS NULL OR dunning._check_pattern(body)),
    CHECK (body_html IS NULL OR dunning._check_pattern(body_html)),
    CHECK (format <> 'json' OR body IS NULL OR body::jsonb IS NOT NULL),
    CHECK (format <> 'json' OR body_html IS NULL OR body_html::jsonb IS NOT NULL),
    CHECK ((format = 'none') = (body IS NULL)),
    CHECK ((auth = 'header') = (auth_header IS NOT NULL))
);
COMMENT ON TABLE dunning.http_preset IS 'HTTP gateways as data: request template and reply mapping. A user''s row of the same name replaces the built-in one.';
SELECT pg_catalog.pg_extension_config_dump('dunning.http_preset', 'WHERE NOT builtin');
GRANT SELECT, INSERT, UPDATE, DELETE ON dunning.http_preset TO dunning_admin;

INSERT INTO dunning.http_preset (preset, builtin, description, method, path, format, body, body_html, auth, auth_header,
    idempotency_header, contract, id_field, error_field, suppress_on) VALUES
('generic-json', true, 'POST of a flat JSON object to the server''s URL; honours Idempotency-Key; the reply''s "id" is kept', 'POST', '', 'json',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}"}',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}","html":"{html}"}',
 'none', NULL, 'Idempotency-Key', 'repeat', 'id', NULL, '{}'),
('generic-json-bearer', true, 'as generic-json, with the secret as bearer token', 'POST', '', 'json',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}"}',
 '{"id":"{message_id}","channel":"{channel}","to":"{address}","from":"{from}","subject":"{subject}","text":"{text}","html":"{html}"}',
 'bearer', NULL, 'Idempotency-Key', 'repeat', 'id', NULL, '{}'),
('kannel', true, 'Kannel sendsms and what speaks like it: server URL http(s)://host:port, username and secret of a sendsms-user', 'GET',
 '/cgi-bin/sendsms?username={username}&password={secret}&from={from}&to={address}&charset=UTF-8&coding={coding}&text={text}', 'none',
 NULL, NULL, 'none', NULL, NULL, 'once', NULL, NULL, '{}'),
('twilio', true, 'Twilio Messages: server URL https://api.twilio.com, username the account SID, secret the token', 'POST',
 '/2010-04-01/Accounts/{username}/Messages.json', 'form', 'To={address}&From={from}&Body={text}', NULL,
 'basic', NULL, NULL, 'once', 'sid', 'code', '{21610,21211,21614}'),
('sendgrid', true, 'SendGrid v3 mail/send: server URL https://api.sendgrid.com, secret the API key', 'POST', '/v3/mail/send', 'json',
 '{"personalizations":[{"to":[{"email":"{address}"}],"custom_args":{"message_id":"{message_id}"}}],"from":{"email":"{from}","name":"{from_name}"},"subject":"{subject}","content":[{"type":"text/plain","value":"{text}"}]}',
 '{"personalizations":[{"to":[{"email":"{address}"}],"custom_args":{"message_id":"{message_id}"}}],"from":{"email":"{from}","name":"{from_name}"},"subject":"{subject}","content":[{"type":"text/plain","value":"{text}"},{"type":"text/html","value":"{html}"}]}',
 'bearer', NULL, NULL, 'once', NULL, NULL, '{}');

CREATE FUNCTION dunning._servers(channel text DEFAULT NULL, creditor text DEFAULT NULL)
RETURNS TABLE (server text, channel_served text, driver text, serves_creditor text, paused boolean, ord int)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT s.name, s.type, s.driver, s.creditor, p.server IS NOT NULL,
           row_number() OVER (ORDER BY s.creditor IS NULL, p.server IS NOT NULL, s.place, s.name COLLATE "C")::int
    FROM (SELECT f.srvname::text AS name, f.srvtype::text AS type,
                 max(o.option_value) FILTER (WHERE o.option_name = 'driver') AS driver,
                 max(o.option_value) FILTER (WHERE o.option_name = 'creditor') AS creditor,
                 coalesce(max(o.option_value) FILTER (WHERE o.option_name = 'position')::bigint, 1000) AS place
          FROM pg_catalog.pg_foreign_server f
          JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = f.srvfdw AND w.fdwname = 'dunning_gateway'
          CROSS JOIN LATERAL pg_catalog.pg_options_to_table(f.srvoptions) o
          GROUP BY f.srvname, f.srvtype) s
    LEFT JOIN dunning.server_state p ON p.server = s.name
    WHERE s.type <> ''
      AND ($1 IS NULL OR s.type = $1)
      AND ($2 IS NULL OR s.creditor IS NULL OR s.creditor = $2)
    ORDER BY 6;
END
$function$;
COMMENT ON FUNCTION dunning._servers(text, text) IS 'Servers of a channel for a creditor, the one to use first: own before shared, running before paused, then option position, then name.';

CREATE FUNCTION dunning._server_for(channel text, creditor text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict error
BEGIN
    RETURN (SELECT s.server FROM dunning._servers($1, $2) s ORDER BY s.ord LIMIT 1);
END
$function$;
COMMENT ON FUNCTION dunning._server_for(text, text) IS 'The server a channel''s messages of a creditor go through, NULL: none. A paused one keeps its messages waiting.';
-- deliver: activation, the worker and its figures, what a verdict causes.

-- Never dumped, and so no member of pg_extension_config_dump: a restored copy is silent.
CREATE TABLE dunning.activation (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    token           text NOT NULL,
    activated_at    timestamptz NOT NULL,
    activated_by    text NOT NULL
);
COMMENT ON TABLE dunning.activation IS 'The token of this database; the same stands in a file outside the data directory. Without both nothing is sent.';
REVOKE ALL ON dunning.activation FROM PUBLIC;
GRANT SELECT ON dunning.activation TO dunning_worker;

CREATE FUNCTION dunning._write_activation(takeover boolean) RETURNS boolean
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_deliver_sql_activate';
COMMENT ON FUNCTION dunning._write_activation(boolean) IS 'Writes token and file; true where another copy had to be taken over. 55000 where there is one and takeover is false.';

CREATE FUNCTION dunning.activate(takeover boolean DEFAULT false, backlog text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    waiting bigint;
    taken boolean;
    cancelled int := 0;
BEGIN
    IF backlog IS NOT NULL AND backlog NOT IN ('keep', 'cancel') THEN
        RAISE EXCEPTION 'unknown backlog "%"', backlog
            USING ERRCODE = '22023', DETAIL = 'backlog is keep or cancel.', HINT = 'SELECT dunning.activate(takeover => true, backlog => ''cancel'');';
    END IF;
    SELECT count(*) INTO waiting FROM dunning.queue q;
    IF takeover IS TRUE AND backlog IS NULL AND waiting > 0 THEN
        RAISE EXCEPTION 'there are % messages in the queue', waiting
            USING ERRCODE = '22023', DETAIL = 'The other copy may have sent some of them.',
                  HINT = 'SELECT dunning.activate(takeover => true, backlog => ''cancel''); or, if the other one is known not to have sent them, backlog => ''keep''.';
    END IF;
    taken := dunning._write_activation(takeover IS TRUE);
    IF backlog = 'cancel' THEN
        SELECT dunning._cancel_messages(array_agg(q.debtor_id::text), array_agg(q.message_id), 'takeover', true)
        INTO cancelled FROM dunning.queue q;
    END IF;
    RETURN CASE WHEN taken THEN format('taken over: this database sends now, %s messages of the backlog cancelled', coalesce(cancelled, 0))
                ELSE 'active' END;
END
$fn$;
COMMENT ON FUNCTION dunning.activate(boolean, text) IS
    'From now on this database sends. 55000 where another copy may be sending: then takeover => true, and backlog says whether what waits is kept or cancelled. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.activate(boolean, text) TO dunning_admin;

CREATE FUNCTION dunning.deactivate() RETURNS boolean
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_deactivate';
COMMENT ON FUNCTION dunning.deactivate() IS 'Nothing is sent until activate(); true where it was active. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.deactivate() TO dunning_admin;

CREATE FUNCTION dunning._activation_state(OUT activated boolean, OUT reason text)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_activated';
COMMENT ON FUNCTION dunning._activation_state() IS 'Whether this very database was activated, else the part that differs, as a sentence.';

CREATE FUNCTION dunning._activated() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT s.activated FROM dunning._activation_state() s);
END
$fn$;
COMMENT ON FUNCTION dunning._activated() IS 'Whether this very database was activated; _activation_state() says why not.';
GRANT EXECUTE ON FUNCTION dunning._activated(), dunning._activation_state() TO dunning_viewer;

-- Sending.
CREATE PROCEDURE dunning.deliver(max_messages int DEFAULT NULL, max_seconds int DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'dun_deliver_sql_deliver';
COMMENT ON PROCEDURE dunning.deliver(int, int) IS
    'Sends what is due and ends when nothing is, after so many messages or seconds. For servers without the background worker; 55000 while one runs, not inside a transaction block (25001). Role: dunning_operator.';
GRANT EXECUTE ON PROCEDURE dunning.deliver(int, int) TO dunning_operator;

CREATE FUNCTION dunning._stat_worker() RETURNS TABLE (pid int, worker int, state text, started_at timestamptz, last_turn_at timestamptz,
    in_flight int, claimed bigint, sent bigint, retried bigint, failed bigint, unknown bigint, stopped bigint, batches bigint)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_stat_worker';
COMMENT ON FUNCTION dunning._stat_worker() IS 'One row a sending process of this database, from shared memory.';
GRANT EXECUTE ON FUNCTION dunning._stat_worker() TO dunning_viewer;

CREATE VIEW dunning.stat_worker WITH (security_invoker, security_barrier) AS
    SELECT w.pid, w.worker, w.state, w.started_at, w.last_turn_at, w.in_flight, w.claimed, w.sent, w.retried, w.failed, w.unknown, w.stopped, w.batches
    FROM dunning._stat_worker() w;
COMMENT ON VIEW dunning.stat_worker IS
    'The background workers of this database (worker NULL: a session in CALL deliver()): state starting, idle, sending, off or not activated, transfers in flight, and counts since it started. Empty without preload. Role: dunning_viewer.';
GRANT SELECT ON dunning.stat_worker TO dunning_viewer;

-- What a settled verdict causes, in the same transaction, and only for those that won the fence.
CREATE FUNCTION dunning._conclude(debtor_ids text[], message_ids uuid[], attempts smallint[], states text[], reasons text[],
    provider_refs text[], details jsonb[], next_due timestamptz[], effects text[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    moved int := 0;
    settled uuid[];
    again uuid[];
    item record;
BEGIN
    SELECT count(*), array_agg(s.message_id) INTO moved, settled
    FROM dunning._settle(debtor_ids, message_ids, attempts, states, reasons, provider_refs, details, next_due) s;

    -- Cancelled before any intent: planning may take the step up again.
    SELECT array_agg(v.message_id) INTO again
    FROM unnest(message_ids, attempts, states) v(message_id, attempt, state) WHERE v.attempt = 0 AND v.state = 'cancelled';
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
$fn$;
COMMENT ON FUNCTION dunning._conclude(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[], text[]) IS
    'How many messages it moved: _settle(), and the effects (suppress, task, ask) of those that it moved.';
GRANT EXECUTE ON FUNCTION dunning._conclude(text[], uuid[], smallint[], text[], text[], text[], jsonb[], timestamptz[], text[]) TO dunning_worker;

CREATE FUNCTION dunning._take_effect(effect text, debtor_id text, message_id uuid, attempt smallint, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    about record;
BEGIN
    SELECT m.creditor, m.channel, m.template, b.subject, b.body_text, e.address_digest INTO about
    FROM dunning.message m
    LEFT JOIN dunning.body b ON b.debtor_id = m.debtor_id AND b.message_id = m.message_id
    LEFT JOIN dunning.egress e ON e.debtor_id = m.debtor_id AND e.message_id = m.message_id AND e.attempt = _take_effect.attempt
    WHERE m.debtor_id = _take_effect.debtor_id AND m.message_id = _take_effect.message_id;
    CASE effect
        WHEN 'suppress' THEN
            INSERT INTO dunning.suppression (address_digest, channel, reason, suppressed_at, suppressed_by)
            VALUES (about.address_digest, about.channel, _take_effect.reason, dunning._now(), 'gateway')
            ON CONFLICT DO NOTHING;
        WHEN 'task' THEN
            PERFORM dunning._task(_take_effect.debtor_id, about.channel, coalesce(about.subject, about.template),
                                  message_id => _take_effect.message_id, script => about.body_text, creditor => about.creditor);
        WHEN 'ask' THEN
            PERFORM dunning._task(_take_effect.debtor_id, 'unknown_outcome',
                                  format('Nobody knows whether a %s arrived: %s', about.channel, _take_effect.reason),
                                  message_id => _take_effect.message_id, creditor => about.creditor);
    END CASE;
END
$fn$;
COMMENT ON FUNCTION dunning._take_effect(text, text, uuid, smallint, text) IS
    'suppress: the attempt''s address is never used again; task: the message is a person''s to deliver; ask: a person finds out whether it arrived.';

-- Queued for a server that is not there, or for none.
CREATE FUNCTION dunning._hold_strays(servers text[], slices smallint[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    stray record;
BEGIN
    SELECT count(*)::int AS n, array_agg(q.debtor_id::text) AS debtor_ids, array_agg(q.message_id) AS message_ids INTO stray
    FROM (SELECT x.debtor_id, x.message_id FROM dunning.queue x
          WHERE x.state = 'queued' AND x.due <= dunning._now() AND x.slice = ANY (slices)
            AND (x.server IS NULL OR x.server <> ALL (servers))
          ORDER BY x.due, x.message_id LIMIT 1000) q;
    IF stray.n > 0 THEN
        PERFORM dunning._settle(stray.debtor_ids, stray.message_ids, array_fill(0::smallint, ARRAY[stray.n]), array_fill('held'::text, ARRAY[stray.n]),
            array_fill('no_server'::text, ARRAY[stray.n]), array_fill(NULL::text, ARRAY[stray.n]), array_fill(NULL::jsonb, ARRAY[stray.n]),
            array_fill(dunning._now() + interval '1 hour', ARRAY[stray.n]));
    END IF;
    RETURN stray.n;
END
$fn$;
COMMENT ON FUNCTION dunning._hold_strays(text[], smallint[]) IS 'How many due messages of these slices it held, because none of these servers is theirs; at most 1000.';
GRANT EXECUTE ON FUNCTION dunning._hold_strays(text[], smallint[]) TO dunning_worker;

-- What the worker itself reads and writes; everything else goes through the functions granted to it.
GRANT SELECT ON dunning.message, dunning.body, dunning.outcome, dunning.server_state TO dunning_worker;
GRANT INSERT ON dunning.body, dunning.egress TO dunning_worker;
GRANT SELECT, INSERT, UPDATE ON dunning.egress_head TO dunning_worker;

GRANT EXECUTE ON FUNCTION dunning._gate_facts_sql(),
    dunning._open_ranges(timestamptz, timestamptz, text, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]) TO dunning_worker;

-- The CREATE EXTENSION that runs this tells the launcher when it commits.
CREATE FUNCTION dunning._announce() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_deliver_sql_announce';
COMMENT ON FUNCTION dunning._announce() IS 'Wakes launcher and workers when this transaction commits.';
SELECT dunning._announce();
-- deliver: trying things out. A test message goes to the tester, a probe sends nothing.

CREATE FUNCTION dunning._probe_server(server text, OUT ok boolean, OUT code int, OUT detail text, OUT milliseconds float8)
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_deliver_sql_probe';
COMMENT ON FUNCTION dunning._probe_server(text) IS 'Connects as a transfer would, logs in where SMTP does, sends nothing. DN006 where the server cannot be used at all.';

CREATE FUNCTION dunning.probe(server text, OUT ok boolean, OUT code int, OUT detail text, OUT milliseconds float8)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    SELECT p.ok, p.code, p.detail, p.milliseconds INTO ok, code, detail, milliseconds FROM dunning._probe_server(probe.server) p;
END
$fn$;
COMMENT ON FUNCTION dunning.probe(text) IS
    'Whether a gateway can be reached with its options, certificate and login: nothing is sent. Waits up to five seconds for the connection. DN006 where the server cannot be used. Role: dunning_operator.';

CREATE FUNCTION dunning.send_test(template text, debtor_id text, channel text, to_address text) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(send_test.debtor_id);
    about jsonb;
    wanted text;
    problem text := dunning._check_address(send_test.channel, send_test.to_address);
    found uuid;
BEGIN
    IF to_address IS NULL OR problem IS NOT NULL THEN
        RAISE EXCEPTION 'this address cannot be used on channel "%": %', channel, coalesce(problem, 'it is NULL') USING ERRCODE = '22023';
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
$fn$;
COMMENT ON FUNCTION dunning.send_test(text, text, text, text) IS
    'One message in the queue with a debtor''s real values, marked TEST, to an address of yours and to nobody else; no contact of the debtor. 22023 bad address or unknown debtor, 55000 no server. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.probe(text), dunning.send_test(text, text, text, text) TO dunning_operator;
-- event: what came back, and what it does. Events are append-only; their effects happen in the same transaction.

CREATE TABLE dunning.event (
    debtor_id       text COLLATE "C" NOT NULL,
    event_id        uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    at              timestamptz NOT NULL,
    message_id      uuid,
    detail          jsonb NOT NULL DEFAULT '{}',
    event_key       text COLLATE "C",           -- the key it was recorded under; stands in dunning.once too
    recorded_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    PRIMARY KEY (debtor_id, event_id)
);
COMMENT ON TABLE dunning.event IS 'Receipts, replies, clicks, bounces, opt-outs, calls, promises, disputes: append-only, in any order.';

-- A task for a person: a call or visit that a strategy asks for, or something that came in.
CREATE TABLE dunning.task (
    debtor_id       text COLLATE "C" NOT NULL,
    task_id         uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text NOT NULL,              -- call, visit, reply, called_in, dispute, promise, plan_request, unknown_outcome ...
    message_id      uuid,
    subject         text NOT NULL,
    script          text,                       -- what to say, as rendered
    due_at          timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    claimed_by      text,
    claimed_at      timestamptz,
    completed_at    timestamptz,
    outcome         text,
    note            text,
    PRIMARY KEY (debtor_id, task_id)
);
CREATE INDEX task_open ON dunning.task (due_at, task_id) WHERE completed_at IS NULL;
COMMENT ON TABLE dunning.task IS 'The worklist: calls, visits and things that wait for a person.';

CREATE TABLE dunning.promise (
    debtor_id       text COLLATE "C" NOT NULL,
    promise_id      uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    due_on          date NOT NULL,
    part            int NOT NULL DEFAULT 1,     -- of an instalment plan
    parts           int NOT NULL DEFAULT 1,
    paid_before     numeric NOT NULL,           -- sum of the debtor's payments in this currency when promised
    needed          numeric NOT NULL,           -- this part and those before it: what must have been paid since
    hold_id         uuid,                       -- the hold that lasts while the promise is open; one for a whole plan
    promised_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    cancelled_at    timestamptz,
    PRIMARY KEY (debtor_id, promise_id)
);
COMMENT ON TABLE dunning.promise IS 'Promises to pay and instalments; kept or broken is derived from the ledger.';

-- Small numbers and words of the house that are no server settings: they are data, dumped, and may differ a database.
CREATE TABLE dunning.setting (
    name            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    value           text NOT NULL,
    description     text NOT NULL,
    set_by          text,
    set_at          timestamptz,
    PRIMARY KEY (name, builtin)
);
COMMENT ON TABLE dunning.setting IS 'Values of the house, such as days of grace; save_setting() overrides a built-in row.';

INSERT INTO dunning.setting (name, builtin, value, description) VALUES
    ('awaiting_us_days',    true, '7', 'days without contact after a reply, an inbound call, a dispute or a request, while it is our turn'),
    ('promise_grace_days',  true, '3', 'days after a promised date before the promise counts as broken'),
    ('task_claim_minutes',  true, '60', 'minutes after which a claimed task may be claimed by someone else'),
    ('opt_out_words',       true, 'stop,stopp,stop all,unsubscribe,optout,opt-out,abmelden,afmeld,afmelden,avregistrera,slutt,fin',
                                  'a reply that consists of one of these words is an opt-out'),
    ('retention_days',      true, '400', 'days that finished messages, their bodies, receipts and events are kept'),
    ('partitions_ahead',    true, '2', 'months of message partitions made in advance'),
    ('ledger_stale_days',   true, '3', 'days after which the report warns that a source without max_age was not loaded');

SELECT pg_catalog.pg_extension_config_dump('dunning.event', '');
-- The gate's text, which the worker runs itself, looks for conversations.
CREATE INDEX event_spoken ON dunning.event (debtor_id, at) WHERE kind IN ('called', 'conversation', 'called_in');
GRANT SELECT ON dunning.event TO dunning_worker;
SELECT pg_catalog.pg_extension_config_dump('dunning.task', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.promise', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.setting', 'WHERE NOT builtin');

-- Not "_setting": that is the name of the table's array type, and a call with one literal would be a cast to it.
CREATE FUNCTION dunning._value_of(name text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN (SELECT s.value FROM dunning.setting s WHERE s.name = _value_of.name ORDER BY s.builtin LIMIT 1);
END
$$;
COMMENT ON FUNCTION dunning._value_of(text) IS 'The value of a setting of the house, the user''s before the built-in one.';
GRANT EXECUTE ON FUNCTION dunning._value_of(text) TO dunning_viewer, dunning_worker;

CREATE FUNCTION dunning.save_setting(name text, value text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    shipped dunning.setting;
    before text := dunning._value_of(save_setting.name);
BEGIN
    SELECT s.* INTO shipped FROM dunning.setting s WHERE s.name = save_setting.name AND s.builtin;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no setting "%"', coalesce(save_setting.name, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = format('Known are %s.', (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM dunning.setting s WHERE s.builtin)),
                  HINT = 'SELECT name, value, description FROM dunning.setting;';
    END IF;
    IF save_setting.value IS NULL THEN
        DELETE FROM dunning.setting s WHERE s.name = save_setting.name AND NOT s.builtin;
        RETURN before;
    END IF;
    IF shipped.value ~ '^\d+$' AND save_setting.value !~ '^\d{1,5}$' THEN
        RAISE EXCEPTION 'setting "%" takes a whole number from 0 to 99999, not "%"', save_setting.name, save_setting.value
            USING ERRCODE = '22023', HINT = format('SELECT dunning.save_setting(%L, %L);', save_setting.name, shipped.value);
    END IF;
    INSERT INTO dunning.setting AS s (name, builtin, value, description, set_by, set_at)
    VALUES (save_setting.name, false, save_setting.value, shipped.description, session_user, now())
    ON CONFLICT ON CONSTRAINT setting_pkey DO UPDATE
        SET value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN before;
END
$$;
COMMENT ON FUNCTION dunning.save_setting(text, text) IS 'The value before. Sets a value of the house; NULL restores the shipped one. Unknown name or no number: 22023. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_setting(text, text) TO dunning_admin;
GRANT SELECT ON dunning.setting TO dunning_viewer;

-- A debtor's creditor: of the message if there is one, else of the ledger. A broken ledger must not stop an opt-out,
-- so that then the last message says it.
CREATE FUNCTION dunning._creditor_of(debtor_id text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    found_creditor text;
BEGIN
    BEGIN
        EXECUTE format('SELECT d.creditor FROM (%s) d', dunning._ledger_sql('debtor', '$1'))
            INTO found_creditor USING ARRAY[_creditor_of.debtor_id];
        RETURN found_creditor;
    EXCEPTION WHEN SQLSTATE 'DN001' THEN
        RETURN coalesce((SELECT q.creditor FROM dunning.queue q WHERE q.debtor_id = _creditor_of.debtor_id LIMIT 1),
                        (SELECT e.creditor FROM dunning.event e WHERE e.debtor_id = _creditor_of.debtor_id LIMIT 1),
                        'default');
    END;
END
$$;
COMMENT ON FUNCTION dunning._creditor_of(text) IS 'The creditor of a canonical debtor id, NULL where the ledger has no such debtor.';

-- An address of the debtor as the ledger has it now, for a channel; NULL where there is none or the ledger is broken.
CREATE FUNCTION dunning._ledger_address(debtor_id text, channel text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    field text;
    address text;
BEGIN
    SELECT c.address_field INTO field FROM dunning.channel c
    WHERE c.channel = _ledger_address.channel ORDER BY c.builtin LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT coalesce(pg_catalog.to_jsonb(d) ->> $2, d.attributes ->> $2) FROM (%s) d',
                   dunning._ledger_sql('debtor', '$1'))
        INTO address USING ARRAY[_ledger_address.debtor_id], field;
    RETURN address;
EXCEPTION WHEN SQLSTATE 'DN001' THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dunning._ledger_address(text, text) IS 'The debtor''s address of a channel as the ledger has it now, NULL where there is none.';

CREATE FUNCTION dunning._task(debtor_id text, kind text, subject text, message_id uuid DEFAULT NULL,
                              script text DEFAULT NULL, due_at timestamptz DEFAULT NULL, creditor text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id uuid;
BEGIN
    -- One open task a message, and one a kind where no message is named: a debtor who writes thrice is one case.
    SELECT t.task_id INTO id FROM dunning.task t
    WHERE t.debtor_id = _task.debtor_id AND t.kind = _task.kind AND t.completed_at IS NULL
      AND t.message_id IS NOT DISTINCT FROM _task.message_id
    LIMIT 1;
    IF FOUND THEN
        UPDATE dunning.task t SET due_at = least(t.due_at, coalesce(_task.due_at, dunning._now()))
        WHERE t.debtor_id = _task.debtor_id AND t.task_id = id;
        RETURN id;
    END IF;
    id := dunning._uuid7();
    INSERT INTO dunning.task (debtor_id, task_id, creditor, kind, message_id, subject, script, due_at, created_at)
    VALUES (_task.debtor_id, id,
            coalesce(_task.creditor, dunning._creditor_of(_task.debtor_id), 'default'),
            _task.kind, _task.message_id, _task.subject, _task.script, coalesce(_task.due_at, dunning._now()), dunning._now());
    RETURN id;
END
$$;
COMMENT ON FUNCTION dunning._task(text, text, text, uuid, text, timestamptz, text) IS 'The id of a task on the worklist: the open one of the same kind and message, or a new one.';
GRANT EXECUTE ON FUNCTION dunning._task(text, text, text, uuid, text, timestamptz, text) TO dunning_worker;

-- It is our turn: the debtor's messages stop, nothing goes out for some days, and a person is told.
CREATE FUNCTION dunning._await_us(debtor_id text, creditor text, kind text, subject text, message_id uuid DEFAULT NULL,
                                  OUT stopped int, OUT task_id uuid, OUT hold_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ends timestamptz := dunning._now() + make_interval(days => dunning._value_of('awaiting_us_days')::int);
BEGIN
    stopped := dunning._stop_messages(_await_us.debtor_id, _await_us.kind);
    UPDATE dunning.hold h SET until_at = greatest(h.until_at, ends)
    WHERE h.debtor_id = _await_us.debtor_id AND h.reason = 'awaiting_us' AND h.released_at IS NULL
      AND h.until_at > dunning._now()
    RETURNING h.hold_id INTO hold_id;
    IF NOT FOUND THEN
        hold_id := dunning._uuid7();
        INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, note, from_at, until_at, placed_by)
        VALUES (_await_us.debtor_id, hold_id, _await_us.creditor, 'awaiting_us', _await_us.kind, dunning._now(), ends, session_user);
    END IF;
    task_id := dunning._task(_await_us.debtor_id, _await_us.kind, _await_us.subject,
                             message_id => _await_us.message_id, creditor => _await_us.creditor);
END
$$;
COMMENT ON FUNCTION dunning._await_us(text, text, text, text, uuid) IS 'Messages stopped, task and hold awaiting_us: what every answer of a debtor causes.';
-- conversation(): the one state of affairs that every touchpoint shows, whoever asks: a caller, the portal, a letter.

CREATE FUNCTION dunning._conversation_history(debtor_id text, most int) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN coalesce((
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('at', x.at, 'what', x.what, 'channel', x.channel, 'detail', x.detail, 'text', x.said))
                         ORDER BY x.at DESC)
        FROM (SELECT coalesce((SELECT max(e.at) FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id), m.contact_at) AS at,
                     'message' AS what, m.channel, m.template || ', ' || s.state || coalesce(' (' || s.reason || ')', '') AS detail,
                     b.body_text AS said
              FROM dunning.message m
              JOIN dunning.message_state s ON s.debtor_id = m.debtor_id AND s.message_id = m.message_id
              LEFT JOIN dunning.body b ON b.debtor_id = m.debtor_id AND b.message_id = m.message_id
              WHERE m.debtor_id = _conversation_history.debtor_id AND s.state NOT IN ('cancelled', 'proposed')
              UNION ALL
              SELECT e.at, e.kind, e.detail ->> 'channel', e.detail ->> 'outcome', e.detail ->> 'text'
              FROM dunning.event e WHERE e.debtor_id = _conversation_history.debtor_id
              ORDER BY 1 DESC LIMIT most) x), '[]');
END
$$;
COMMENT ON FUNCTION dunning._conversation_history(text, int) IS 'The last messages and events of a debtor, newest first.';

-- The offer in force: what the next unfinished message says, else the last that left.
CREATE FUNCTION dunning._current_offer(debtor_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    m record;
    parts record;
BEGIN
    SELECT c.*, s.state, s.reason AS state_reason, q.due, q.blocked_by INTO m
    FROM dunning.message c
    JOIN dunning.message_state s ON s.debtor_id = c.debtor_id AND s.message_id = c.message_id
    LEFT JOIN dunning.queue q ON q.debtor_id = c.debtor_id AND q.message_id = c.message_id
    WHERE c.debtor_id = _current_offer.debtor_id AND (q.message_id IS NOT NULL OR s.state IN ('sent', 'delivered', 'unknown'))
    ORDER BY q.message_id IS NULL, c.contact_at DESC, c.message_id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT b.subject, b.body_text INTO parts FROM dunning.body b WHERE b.debtor_id = m.debtor_id AND b.message_id = m.message_id;
    IF NOT FOUND THEN
        SELECT r.subject, r.body_text INTO parts FROM dunning.render(m.template, m.context, m.language, m.channel) r;
    END IF;
    RETURN jsonb_build_object('message_id', m.message_id, 'strategy', m.strategy, 'step', m.step, 'template', m.template, 'channel', m.channel,
        'language', m.language, 'amounts', m.amounts, 'offer', m.decision -> 'offer', 'subject', parts.subject, 'text', parts.body_text,
        'pay_url', m.context -> 'pay_url', 'state', m.state, 'reason', m.state_reason, 'contact_at', m.contact_at, 'local_time', m.local_time,
        'blocked_by', to_jsonb(m.blocked_by));
END
$$;
COMMENT ON FUNCTION dunning._current_offer(text) IS 'The offer in force as JSON: of the next unfinished message, else of the last that left; NULL where there is none.';

CREATE FUNCTION dunning.conversation(debtor_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(conversation.debtor_id);
    about jsonb := (SELECT c.context FROM dunning._context(ARRAY[id], NULL) c);
    offer jsonb := dunning._current_offer(id);
BEGIN
    IF about IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    RETURN jsonb_build_object(
        'debtor_id', id, 'name', about -> 'name', 'given_name', about -> 'given_name', 'company', about -> 'company',
        'creditor', jsonb_build_object('creditor', about -> 'creditor', 'name', about -> 'creditor_name', 'phone', about -> 'creditor_phone',
                                       'account', about -> 'creditor_account'),
        'balances', about -> 'balances', 'pay_url', about -> 'pay_url',
        'offer', offer,
        'next_contact', CASE WHEN offer ->> 'state' IN ('queued', 'held', 'proposed', 'sending')
            THEN jsonb_build_object('at', offer -> 'contact_at', 'local_time', offer -> 'local_time', 'channel', offer -> 'channel',
                                    'template', offer -> 'template', 'state', offer -> 'state', 'blocked_by', offer -> 'blocked_by') END,
        'last_contact', (SELECT jsonb_build_object('at', e.contact_on, 'channel', e.channel, 'state', s.state)
                         FROM dunning.egress e
                         LEFT JOIN dunning.message_state s ON s.debtor_id = e.debtor_id AND s.message_id = e.message_id
                         WHERE e.debtor_id = id AND NOT e.test ORDER BY e.contact_on DESC LIMIT 1),
        'promises', coalesce((SELECT jsonb_agg(jsonb_build_object('amount', p.amount, 'currency', p.currency, 'due_on', p.due_on, 'part', p.part,
                                                                  'parts', p.parts, 'paid', p.paid, 'state', p.state) ORDER BY p.promised_at DESC, p.part)
                              FROM dunning._promise_state(ARRAY[id]) p), '[]'),
        'holds', coalesce((SELECT jsonb_agg(jsonb_build_object('hold_id', h.hold_id, 'reason', h.reason, 'invoice_id', h.invoice_id,
                                                               'until', h.until_at, 'note', h.note) ORDER BY h.from_at)
                           FROM dunning.hold h
                           WHERE h.debtor_id = id AND h.released_at IS NULL AND coalesce(h.until_at > dunning._now(), true)), '[]'),
        'tasks', coalesce((SELECT jsonb_agg(jsonb_build_object('task_id', t.task_id, 'kind', t.kind, 'subject', t.subject, 'due_at', t.due_at,
                                                               'script', t.script, 'claimed_by', t.claimed_by) ORDER BY t.due_at)
                           FROM dunning.task t WHERE t.debtor_id = id AND t.completed_at IS NULL), '[]'),
        'history', dunning._conversation_history(id, 30));
END
$$;
COMMENT ON FUNCTION dunning.conversation(text) IS
    'One JSON object for every touchpoint: balances, the offer in force with its text, last and next contact, promises, holds, tasks, history. Unknown debtor: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.conversation(text) TO dunning_operator;
-- Promises and instalments: a hold while they are open, and what became of them, read from the ledger.

-- The end of a day wherever on earth: a promise "by the 3rd" is never called broken while it is still the 3rd somewhere.
CREATE FUNCTION dunning._day_end(day date) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ((day + 1)::timestamp AT TIME ZONE 'UTC') + interval '12 hours' $$;
COMMENT ON FUNCTION dunning._day_end(date) IS 'The instant at which a calendar day has ended in every zone.';

-- One query over the promises of many debtors (NULL: all). A payment counts from the moment of the promise on.
CREATE FUNCTION dunning._promise_state(many text[] DEFAULT NULL)
    RETURNS TABLE (debtor_id text, promise_id uuid, creditor text, amount numeric, currency text, due_on date, part int, parts int,
                   promised_at timestamptz, deadline timestamptz, paid numeric, state text, hold_id uuid, recorded_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ids text[] := (SELECT array_agg(DISTINCT p.debtor_id) FROM dunning.promise p
                   WHERE _promise_state.many IS NULL OR p.debtor_id = ANY (_promise_state.many));
BEGIN
    IF ids IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH pay AS MATERIALIZED (%s), mark AS MATERIALIZED (%s)
        SELECT p.debtor_id, p.promise_id, p.creditor, p.amount, p.currency, p.due_on, p.part, p.parts, p.promised_at,
               p.deadline, least(p.amount, greatest(0, p.since - (p.needed - p.amount))),
               CASE WHEN p.in_time >= p.needed THEN 'kept'
                    WHEN p.cancelled_at IS NOT NULL THEN 'cancelled'
                    -- Nothing open in the currency: settled by whatever means the ledger knows.
                    WHEN p.settled THEN 'kept'
                    WHEN p.since >= p.needed THEN 'late'
                    WHEN p.deadline > $2 THEN 'open'
                    ELSE 'broken' END,
               p.hold_id, p.recorded_by
        FROM (SELECT q.*, d.deadline, m.valid AND NOT m.amounts ? q.currency AS settled,
                     coalesce((SELECT sum(y.amount) FROM pay y WHERE y.debtor_id = q.debtor_id AND y.currency = q.currency), 0)
                         - q.paid_before AS since,
                     coalesce((SELECT sum(y.amount) FROM pay y
                               WHERE y.debtor_id = q.debtor_id AND y.currency = q.currency AND y.paid_at < d.deadline), 0)
                         - q.paid_before AS in_time
              FROM dunning.promise q
              CROSS JOIN LATERAL (SELECT dunning._day_end(q.due_on + dunning._value_of('promise_grace_days')::int) AS deadline) d
              LEFT JOIN mark m ON m.debtor_id = q.debtor_id
              WHERE q.debtor_id = ANY ($1)) p
        $q$, dunning._ledger_sql('payment', '$1'), dunning._mark_sql('$1'))
        USING ids, dunning._now();
END
$$;
COMMENT ON FUNCTION dunning._promise_state(text[]) IS 'One row a promise of the debtors (NULL: all): what was paid on it and its state.';
GRANT EXECUTE ON FUNCTION dunning._promise_state(text[]) TO dunning_viewer;

CREATE VIEW dunning.promise_state WITH (security_invoker, security_barrier) AS
    SELECT s.debtor_id, s.promise_id, s.creditor, s.amount, s.currency, s.due_on, s.part, s.parts, s.promised_at, s.deadline,
           s.paid, s.state, s.recorded_by
    FROM dunning._promise_state() s;
COMMENT ON VIEW dunning.promise_state IS 'One row a promise or instalment: open, kept, late (paid after the deadline), broken or cancelled, as the ledger says. Role dunning_viewer.';
GRANT SELECT ON dunning.promise_state TO dunning_viewer;

-- Ends the holds of promises that are no longer open: broken ones, so that dunning goes on; kept ones, as there is nothing to wait for.
CREATE FUNCTION dunning._check_promises(OUT broken int, OUT ended int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    done record;
BEGIN
    broken := 0;
    ended := 0;
    FOR done IN
        SELECT s.debtor_id, s.creditor, s.hold_id, bool_or(s.state IN ('broken', 'late')) AS was_broken
        FROM dunning._promise_state(ARRAY(SELECT DISTINCT h.debtor_id FROM dunning.hold h
                                          WHERE h.reason = 'promise' AND h.released_at IS NULL)) s
        JOIN dunning.hold h ON h.debtor_id = s.debtor_id AND h.hold_id = s.hold_id AND h.released_at IS NULL
        GROUP BY s.debtor_id, s.creditor, s.hold_id
        HAVING bool_or(s.state = 'broken') OR bool_and(s.state <> 'open')
    LOOP
        UPDATE dunning.hold h SET released_at = dunning._now(), released_by = 'ledger'
        WHERE h.debtor_id = done.debtor_id AND h.hold_id = done.hold_id AND h.released_at IS NULL;
        ended := ended + 1;
        IF done.was_broken THEN
            broken := broken + 1;
            PERFORM dunning._task(done.debtor_id, 'broken_promise', 'a promise was not kept: ask why', creditor => done.creditor);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._check_promises() IS 'How many promises were found broken and how many holds of promises ended.';

CREATE FUNCTION dunning._promise_parts(debtor_id text, parts jsonb,
                                       OUT promise_ids uuid[], OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_creditor text := dunning._creditor_of(_promise_parts.debtor_id);
    currencies text[];
    balance jsonb;
    paid jsonb;
BEGIN
    IF of_creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(_promise_parts.debtor_id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    currencies := ARRAY(SELECT DISTINCT p.part ->> 'currency' FROM jsonb_array_elements(_promise_parts.parts) AS p (part));
    EXECUTE format('SELECT m.amounts FROM (%s) m', dunning._mark_sql('$1')) INTO balance USING ARRAY[_promise_parts.debtor_id];
    IF NOT coalesce(balance, '{}') ?& currencies THEN
        RAISE EXCEPTION 'debtor "%" owes nothing in %', _promise_parts.debtor_id,
                (SELECT string_agg(c.currency, ', ') FROM unnest(currencies) AS c (currency) WHERE NOT coalesce(balance, '{}') ? c.currency)
            USING ERRCODE = '22023', DETAIL = format('Open is %s.', coalesce(balance, '{}')),
                  HINT = format('SELECT * FROM dunning.balance(%L);', _promise_parts.debtor_id);
    END IF;
    EXECUTE format('SELECT jsonb_object_agg(s.currency, s.paid) FROM (SELECT p.currency, sum(p.amount) AS paid FROM (%s) p GROUP BY 1) s',
                   dunning._ledger_sql('payment', '$1'))
        INTO paid USING ARRAY[_promise_parts.debtor_id];

    -- A new promise replaces an open one in the same currency, and answers what waited for us.
    UPDATE dunning.promise p SET cancelled_at = dunning._now()
    WHERE p.debtor_id = _promise_parts.debtor_id AND p.currency = ANY (currencies) AND p.cancelled_at IS NULL
      AND EXISTS (SELECT FROM dunning._promise_state(ARRAY[_promise_parts.debtor_id]) s
                  WHERE s.promise_id = p.promise_id AND s.state = 'open');
    UPDATE dunning.hold h SET released_at = dunning._now(), released_by = session_user
    WHERE h.debtor_id = _promise_parts.debtor_id AND h.released_at IS NULL
      AND (h.reason = 'awaiting_us'
           OR h.reason = 'promise' AND NOT EXISTS (SELECT FROM dunning._promise_state(ARRAY[_promise_parts.debtor_id]) s
               WHERE s.hold_id = h.hold_id AND s.state = 'open'));
    UPDATE dunning.task t
    SET completed_at = dunning._now(), outcome = 'promised', claimed_by = coalesce(t.claimed_by, session_user)
    WHERE t.debtor_id = _promise_parts.debtor_id AND t.completed_at IS NULL
      AND t.kind IN ('reply', 'called_in', 'promise', 'plan_request', 'circumstances_changed', 'broken_promise');

    hold_id := dunning._uuid7();
    until_at := (SELECT max(dunning._day_end((p.part ->> 'due_on')::date + dunning._value_of('promise_grace_days')::int))
                 FROM jsonb_array_elements(_promise_parts.parts) AS p (part));
    stopped := dunning._stop_messages(_promise_parts.debtor_id, 'promise');
    INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by)
    VALUES (_promise_parts.debtor_id, hold_id, of_creditor, 'promise', dunning._now(), until_at, session_user);
    WITH added AS (
        INSERT INTO dunning.promise AS n (debtor_id, promise_id, creditor, amount, currency, due_on, part, parts, paid_before, needed,
                                          hold_id, promised_at, recorded_by)
        SELECT _promise_parts.debtor_id, dunning._uuid7(), of_creditor, p.amount, p.currency, p.due_on,
               row_number() OVER (ORDER BY p.due_on, p.ord), count(*) OVER (),
               coalesce((paid ->> p.currency)::numeric, 0),
               sum(p.amount) OVER (PARTITION BY p.currency ORDER BY p.due_on, p.ord),
               _promise_parts.hold_id, dunning._now(), session_user
        FROM (SELECT (e.part ->> 'amount')::numeric AS amount, e.part ->> 'currency' AS currency, (e.part ->> 'due_on')::date AS due_on, e.ord
              FROM jsonb_array_elements(_promise_parts.parts) WITH ORDINALITY AS e (part, ord)) p
        RETURNING n.promise_id, n.part)
    SELECT array_agg(a.promise_id ORDER BY a.part) INTO promise_ids FROM added a;
    INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
    VALUES (_promise_parts.debtor_id, dunning._uuid7(), of_creditor, 'promised', dunning._now(),
            jsonb_build_object('promises', _promise_parts.parts), dunning._now(), session_user);
END
$$;
COMMENT ON FUNCTION dunning._promise_parts(text, jsonb) IS 'Records checked parts of a promise, the hold that lasts as long, and the event.';

CREATE FUNCTION dunning._check_part(part jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    amount numeric;
    due_on date;
    today date := (dunning._now() - interval '12 hours')::date;
BEGIN
    BEGIN
        amount := (part ->> 'amount')::numeric;
        due_on := (part ->> 'due_on')::date;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'a promise needs an amount and a date, not %', part
            USING ERRCODE = '22023', DETAIL = SQLERRM || '.', HINT = '[{"amount": 100, "currency": "EUR", "due_on": "2026-12-01"}]';
    END;
    IF amount IS NULL OR amount <= 0 OR amount = 'NaN' OR amount = 'infinity' OR part ->> 'currency' IS NULL THEN
        RAISE EXCEPTION 'a promise needs a positive amount and a currency, not %', part
            USING ERRCODE = '22023', HINT = '[{"amount": 100, "currency": "EUR", "due_on": "2026-12-01"}]';
    END IF;
    IF due_on IS NULL OR NOT isfinite(due_on) OR due_on < today OR due_on > today + 3660 THEN
        RAISE EXCEPTION 'a promise is due from today on and within ten years, not %', coalesce(due_on::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Today is %s.', today);
    END IF;
    RETURN jsonb_build_object('amount', amount, 'currency', part ->> 'currency', 'due_on', due_on);
END
$$;
COMMENT ON FUNCTION dunning._check_part(jsonb) IS 'A part of a promise as checked: positive amount, currency, a date from today on. Else 22023.';

CREATE FUNCTION dunning.promise(debtor_id text, amount numeric, currency text, due_on date,
                                OUT promise_id uuid, OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    SELECT p.promise_ids[1], p.hold_id, p.until_at, p.stopped INTO promise_id, hold_id, until_at, stopped
    FROM dunning._promise_parts(dunning._canonical_id(promise.debtor_id),
        jsonb_build_array(dunning._check_part(jsonb_build_object('amount', promise.amount, 'currency', promise.currency,
                                                                 'due_on', promise.due_on)))) p;
END
$$;
COMMENT ON FUNCTION dunning.promise(text, numeric, text, date) IS
    'One row: the promise, the hold until its date and some days of grace, messages stopped. Bad amount, date or currency: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.promise(text, numeric, text, date) TO dunning_operator;

CREATE FUNCTION dunning.agree_instalments(debtor_id text, instalments jsonb,
                                          OUT promise_ids uuid[], OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF instalments IS NULL OR jsonb_typeof(instalments) <> 'array' OR jsonb_array_length(instalments) NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'instalments are a JSON array of 1 to 120 parts'
            USING ERRCODE = '22023', HINT = '[{"amount": 100, "currency": "EUR", "due_on": "2026-12-01"}, …]';
    END IF;
    SELECT p.promise_ids, p.hold_id, p.until_at, p.stopped INTO promise_ids, hold_id, until_at, stopped
    FROM dunning._promise_parts(dunning._canonical_id(agree_instalments.debtor_id),
        (SELECT jsonb_agg(dunning._check_part(i.part) ORDER BY i.ord)
         FROM jsonb_array_elements(instalments) WITH ORDINALITY AS i (part, ord))) p;
END
$$;
COMMENT ON FUNCTION dunning.agree_instalments(text, jsonb) IS
    'One row: the instalments in order of date and the hold until the last one; a broken one ends it. Bad parts: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.agree_instalments(text, jsonb) TO dunning_operator;
-- receive(): what a gateway posts to us. The server cannot listen by itself; whoever does hands over headers and body as they came.

CREATE FUNCTION dunning._webhook_problem(server text, stamp text, signature text, body text, now timestamptz) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_event_sql_webhook_problem';
COMMENT ON FUNCTION dunning._webhook_problem(text, text, text, text, timestamptz) IS
    'NULL where the signature is that of the server''s secret over "stamp.body" and at most 300 s off, else unsigned, malformed, out_of_time or forged.';

CREATE FUNCTION dunning._receipt_kind(word text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT CASE
        WHEN w IN ('delivered', 'delivery', 'delivrd') THEN 'delivered'
        WHEN w IN ('open', 'opened', 'read') THEN 'opened'
        WHEN w IN ('click', 'clicked') THEN 'clicked'
        WHEN w IN ('reply', 'replied', 'inbound', 'received', 'incoming') THEN 'replied'
        WHEN w IN ('bounce', 'bounced', 'hard_bounce', 'soft_bounce', 'blocked') THEN 'bounced'
        WHEN w IN ('failed', 'undelivered', 'undeliv', 'rejected', 'rejectd', 'expired', 'dropped', 'returned_to_sender') THEN 'failed'
        WHEN w IN ('opted_out', 'opt_out', 'optout', 'unsubscribe', 'unsubscribed', 'group_unsubscribe', 'stop') THEN 'opted_out'
        WHEN w IN ('complaint', 'spam', 'spamreport', 'spam_complaint') THEN 'complaint'
        WHEN w IN ('queued', 'accepted', 'sending', 'sent', 'processed', 'deferred', 'delayed', 'in_transit') THEN ''
    END
    FROM (SELECT lower(btrim(word)) AS w) x
$$;
COMMENT ON FUNCTION dunning._receipt_kind(text) IS 'The event kind of a gateway''s word; empty where it means nothing new, NULL where it is unknown.';

-- Which message a receipt is about: by our key, else by the gateway's own reference of the last 100 days.
CREATE FUNCTION dunning._receipt_message(item jsonb, OUT debtor_id text, OUT message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    since uuid := dunning._uuid7_floor(clock_timestamp() - interval '100 days');
    ref text := coalesce(item ->> 'provider_ref', item ->> 'ref', item ->> 'sid', item ->> 'MessageSid', item ->> 'sg_message_id');
BEGIN
    IF item ->> 'message_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
        SELECT m.debtor_id, m.message_id INTO debtor_id, message_id
        FROM dunning.message m WHERE m.message_id = (item ->> 'message_id')::uuid;
    END IF;
    IF message_id IS NULL AND ref IS NOT NULL THEN
        SELECT o.debtor_id, o.message_id INTO debtor_id, message_id
        FROM dunning.outcome o WHERE o.provider_ref = ref AND o.message_id >= since
        ORDER BY o.message_id DESC LIMIT 1;
    END IF;
    -- An answer names only who sent it: the last message to that address.
    IF message_id IS NULL AND item ->> 'from' IS NOT NULL AND item ->> 'channel' IS NOT NULL THEN
        SELECT e.debtor_id, e.message_id INTO debtor_id, message_id
        FROM dunning.egress e
        WHERE e.address_digest = dunning._address_digest(item ->> 'from', item ->> 'channel') AND e.message_id >= since
        ORDER BY e.message_id DESC LIMIT 1;
    END IF;
    IF debtor_id IS NULL THEN
        debtor_id := item ->> 'debtor_id';
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._receipt_message(jsonb) IS 'The debtor and message of a receipt, NULL where neither can be told.';

CREATE FUNCTION dunning._receive_one(server text, channel text, item jsonb,
                                     OUT kind text, OUT debtor_id text, OUT message_id uuid, OUT event_id uuid, OUT recorded boolean, OUT reason text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    word text := coalesce(item ->> 'kind', item ->> 'event', item ->> 'type', item ->> 'status', item ->> 'MessageStatus');
    key text := coalesce(item ->> 'event_key', item ->> 'event_id', item ->> 'sg_event_id', encode(sha256(convert_to(item::text, 'UTF8')), 'hex'));
    stamp text := coalesce(item ->> 'at', item ->> 'timestamp');
    happened timestamptz;
    detail jsonb;
BEGIN
    recorded := false;
    kind := coalesce(dunning._receipt_kind(word), CASE WHEN word = ANY (dunning._event_kinds()) THEN word END);
    IF kind IS NULL OR kind = '' THEN
        reason := CASE WHEN kind IS NULL THEN 'unknown_kind' ELSE 'nothing_new' END;
        RETURN;
    END IF;
    item := jsonb_build_object('channel', channel) || item;
    SELECT m.debtor_id, m.message_id INTO debtor_id, message_id FROM dunning._receipt_message(item) m;
    IF debtor_id IS NULL THEN
        -- Whose it is we cannot tell, but "stop" is to be obeyed all the same.
        IF (kind IN ('opted_out', 'complaint')
            OR lower(btrim(item ->> 'text', E' \t\r\n.!')) = ANY (string_to_array(dunning._value_of('opt_out_words'), ',')))
           AND coalesce(item ->> 'address', item ->> 'from') IS NOT NULL AND item ->> 'channel' IS NOT NULL THEN
            PERFORM dunning.suppress(coalesce(item ->> 'address', item ->> 'from'), item ->> 'channel', 'opted_out');
            reason := 'suppressed_without_debtor';
            RETURN;
        END IF;
        reason := 'unknown_message';
        RETURN;
    END IF;
    IF stamp IS NOT NULL THEN
        happened := CASE WHEN stamp ~ '^\d{9,11}$' THEN to_timestamp(stamp::bigint) ELSE stamp::timestamptz END;
    END IF;
    detail := jsonb_strip_nulls(jsonb_build_object('server', server, 'channel', item -> 'channel', 'provider_ref', item -> 'provider_ref',
        'address', coalesce(item -> 'address', item -> 'email', CASE WHEN kind = 'replied' THEN item -> 'from' END),
        'text', coalesce(item -> 'text', item -> 'Body'), 'code', coalesce(item -> 'code', item -> 'ErrorCode'),
        'hard', CASE WHEN word = 'soft_bounce' THEN 'false'::jsonb ELSE item -> 'hard' END,
        'url', item -> 'url', 'request', item -> 'request'));
    SELECT r.event_id, r.recorded INTO event_id, recorded
    FROM dunning.record_event(kind, debtor_id, message_id, happened, detail, server || ':' || key) r;
    reason := CASE WHEN recorded THEN 'recorded' ELSE 'replay' END;
EXCEPTION WHEN data_exception OR SQLSTATE 'DN002' THEN
    recorded := false;
    reason := SQLERRM;
END
$$;
COMMENT ON FUNCTION dunning._receive_one(text, text, jsonb) IS 'What became of one item of a webhook; a bad item has its reason and does not stop the others.';

CREATE FUNCTION dunning.receive(server text, headers jsonb, body text)
    RETURNS TABLE (item int, kind text, debtor_id text, message_id uuid, event_id uuid, recorded boolean, reason text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lower_headers jsonb := (SELECT jsonb_object_agg(lower(h.key), h.value)
                            FROM jsonb_each_text(CASE jsonb_typeof(headers) WHEN 'object' THEN headers ELSE '{}' END) h);
    problem text;
    posted jsonb;
    of_channel text;
BEGIN
    problem := dunning._webhook_problem(receive.server, lower_headers ->> 'x-dunning-timestamp', lower_headers ->> 'x-dunning-signature',
                                        receive.body, dunning._now());
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'the request is not accepted: %', problem
            USING ERRCODE = 'DN009',
                  DETAIL = 'Wanted are X-Dunning-Timestamp (Unix seconds, at most 300 s off) and X-Dunning-Signature: sha256= and the hexadecimal '
                           'HMAC-SHA256 of "timestamp.body" under the server''s secret.';
    END IF;
    SELECT s.srvtype INTO of_channel FROM pg_catalog.pg_foreign_server s WHERE s.srvname = receive.server;
    BEGIN
        posted := receive.body::jsonb;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'the body of the request is not JSON' USING ERRCODE = '22023', DETAIL = SQLERRM || '.';
    END;
    IF jsonb_typeof(posted) = 'object' AND jsonb_typeof(posted -> 'events') = 'array' THEN
        posted := posted -> 'events';
    ELSIF jsonb_typeof(posted) = 'object' THEN
        posted := jsonb_build_array(posted);
    END IF;
    IF jsonb_typeof(posted) <> 'array' OR EXISTS (SELECT FROM jsonb_array_elements(posted) e WHERE jsonb_typeof(e.value) <> 'object') THEN
        RAISE EXCEPTION 'the body of the request is no JSON object and no array of them'
            USING ERRCODE = '22023', HINT = '{"event": "delivered", "message_id": "…", "event_id": "…"}';
    END IF;
    RETURN QUERY
        SELECT e.ord::int, o.kind, o.debtor_id, o.message_id, o.event_id, o.recorded, o.reason
        FROM jsonb_array_elements(posted) WITH ORDINALITY AS e (value, ord)
        CROSS JOIN LATERAL dunning._receive_one(receive.server, of_channel, e.value) o
        ORDER BY e.ord;
END
$$;
COMMENT ON FUNCTION dunning.receive(text, jsonb, text) IS
    'One row an item of a signed webhook: the event it became, or why none. Bad signature or clock: DN009; no JSON: 22023. Role dunning_operator, or EXECUTE on this alone.';
GRANT EXECUTE ON FUNCTION dunning.receive(text, jsonb, text) TO dunning_operator;
-- record_event() and what each kind does.

-- Never again to this address. What is known decides: the detail's own address, the message's, else the ledger's.
CREATE FUNCTION dunning._suppress_for(debtor_id text, kind text, message_id uuid, message_channel text, detail jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    channel text := coalesce(detail ->> 'channel', message_channel);
    address text := detail ->> 'address';
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
    -- "Do not contact me" names no channel: then every address that the ledger has.
    IF (channel IS NULL OR channel = '*') AND _suppress_for.kind IN ('opted_out', 'complaint') THEN
        IF address IS NOT NULL AND channel IS NULL THEN
            PERFORM dunning.suppress(address, '*', _suppress_for.kind);
        END IF;
        FOR every IN
            SELECT min(c.channel) AS channel FROM dunning.channel c GROUP BY c.address_field
        LOOP
            address := dunning._ledger_address(_suppress_for.debtor_id, every.channel);
            IF address IS NOT NULL THEN
                PERFORM dunning.suppress(address, '*', _suppress_for.kind);
            END IF;
        END LOOP;
        done := ARRAY['*'];
    END IF;
    RETURN done;
END
$$;
COMMENT ON FUNCTION dunning._suppress_for(text, text, uuid, text, jsonb) IS 'The channels on which an address of the debtor was suppressed; ''*'' is every channel.';

-- A receipt of a gateway or a person about a message. Receipts come in any order: each is a row, the highest rank counts.
CREATE FUNCTION dunning._receipt(message dunning.message, state text, reason text, provider_ref text, detail jsonb, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    attempted smallint := coalesce((SELECT max(e.attempt) FROM dunning.egress e
                                    WHERE e.debtor_id = message.debtor_id AND e.message_id = message.message_id), 0::smallint);
    waiting dunning.queue;
    fallback uuid;
    said jsonb := _receipt.detail;
BEGIN
    SELECT q.* INTO waiting FROM dunning.queue q
    WHERE q.debtor_id = message.debtor_id AND q.message_id = message.message_id FOR UPDATE;
    IF FOUND AND (waiting.state = 'sending' OR _receipt.state = 'delivered') THEN
        -- It waited for just this: the reply to its attempt was lost, or another attempt is no longer needed.
        PERFORM dunning._settle(ARRAY[message.debtor_id], ARRAY[message.message_id],
                                ARRAY[CASE waiting.state WHEN 'sending' THEN attempted ELSE 0 END]::smallint[],
                                ARRAY[_receipt.state], ARRAY[_receipt.reason], ARRAY[_receipt.provider_ref], ARRAY[_receipt.detail],
                                ARRAY[NULL]::timestamptz[]);
        RETURN;
    END IF;
    -- It was taken and then came back: the step goes on over its next channel, once.
    IF waiting.message_id IS NULL AND _receipt.state = 'failed'
       AND NOT EXISTS (SELECT FROM dunning.outcome o
                       WHERE o.debtor_id = message.debtor_id AND o.message_id = message.message_id AND o.state IN ('failed', 'dead', 'cancelled')) THEN
        fallback := dunning._fallback(message.debtor_id, message.message_id, _receipt.reason);
        IF fallback IS NOT NULL THEN
            said := coalesce(said, '{}') || jsonb_build_object('fallback', fallback);
        END IF;
    END IF;
    INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, detail, at)
    VALUES (message.message_id, dunning._uuid7(), message.debtor_id, message.creditor, attempted,
            _receipt.state, _receipt.reason, _receipt.provider_ref, said, _receipt.at);
END
$$;
COMMENT ON FUNCTION dunning._receipt(dunning.message, text, text, text, jsonb, timestamptz) IS 'Nothing; adds an outcome to a message, in whatever order receipts arrive.';

CREATE FUNCTION dunning._event_kinds() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['delivered', 'opened', 'clicked', 'replied', 'bounced', 'failed', 'opted_out', 'complaint', 'called', 'called_in',
                'conversation', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere'] $$;
COMMENT ON FUNCTION dunning._event_kinds() IS 'The kinds of events, in the order of the documentation.';

-- What may be recorded, and for whom; returns the message where one is named.
CREATE FUNCTION dunning._check_event(kind text, debtor_id text, message_id uuid, at timestamptz, detail jsonb) RETURNS dunning.message
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
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
                  HINT = 'Leave out "at" for now.';
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
$$;
COMMENT ON FUNCTION dunning._check_event(text, text, uuid, timestamptz, jsonb) IS 'The message an event is about, NULL where it names none; 22023 for anything that cannot be recorded.';

CREATE FUNCTION dunning.record_event(kind text, debtor_id text, message_id uuid DEFAULT NULL, at timestamptz DEFAULT NULL,
                                     detail jsonb DEFAULT '{}', event_key text DEFAULT NULL,
                                     OUT event_id uuid, OUT recorded boolean, OUT stopped int, OUT suppressed text[],
                                     OUT task_id uuid, OUT hold_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(record_event.debtor_id);
    happened timestamptz := coalesce(record_event.at, dunning._now());
    message dunning.message := dunning._check_event(record_event.kind, id, record_event.message_id, happened, record_event.detail);
    of_creditor text := coalesce(message.creditor, dunning._creditor_of(id));
    mapped text := record_event.kind;
    said text := lower(btrim(record_event.detail ->> 'text', E' \t\r\n.!"'''));
BEGIN
    IF of_creditor IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', id
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    stopped := 0;
    suppressed := '{}';
    recorded := true;
    IF record_event.event_key IS NOT NULL THEN
        INSERT INTO dunning.once (debtor_id, kind, key, message_id, at)
        VALUES (id, 'event', record_event.event_key, record_event.message_id, dunning._now())
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            recorded := false;
            SELECT e.event_id INTO event_id FROM dunning.event e
            WHERE e.debtor_id = id AND e.event_key = record_event.event_key;
            RETURN;
        END IF;
    END IF;
    event_id := dunning._uuid7();
    INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, message_id, detail, event_key, recorded_at, recorded_by)
    VALUES (id, event_id, of_creditor, record_event.kind, happened, record_event.message_id, record_event.detail,
            record_event.event_key, dunning._now(), session_user);

    -- A reply of one word that means "stop" is an opt-out, whatever the gateway calls it.
    IF mapped = 'replied' AND said = ANY (string_to_array(dunning._value_of('opt_out_words'), ',')) THEN
        mapped := 'opted_out';
    END IF;
    IF mapped IN ('opted_out', 'complaint')
       OR mapped = 'bounced' AND coalesce(record_event.detail ->> 'hard', 'true') <> 'false' THEN
        suppressed := dunning._suppress_for(id, mapped, record_event.message_id, message.channel, record_event.detail);
        IF suppressed = '{}' AND mapped = 'bounced' AND message.message_id IS NULL THEN
            RAISE EXCEPTION 'a bounce needs the message or the address and channel that bounced'
                USING ERRCODE = '22023', HINT = 'detail => ''{"channel": "email", "address": "…"}''';
        END IF;
    END IF;
    IF mapped IN ('delivered', 'failed', 'bounced') AND message.message_id IS NOT NULL THEN
        PERFORM dunning._receipt(message, CASE mapped WHEN 'delivered' THEN 'delivered' ELSE 'failed' END,
                                 CASE mapped WHEN 'delivered' THEN 'receipt' ELSE mapped END,
                                 record_event.detail ->> 'provider_ref', record_event.detail - 'address' - 'text', happened);
    END IF;
    IF record_event.kind IN ('replied', 'called_in', 'disputed', 'promised', 'circumstances_changed', 'paid_elsewhere')
       AND mapped <> 'opted_out' THEN
        SELECT a.stopped, a.task_id, a.hold_id INTO stopped, task_id, hold_id
        FROM dunning._await_us(id, of_creditor,
            CASE WHEN record_event.detail ->> 'request' = 'plan' THEN 'plan_request'
                 WHEN record_event.kind = 'replied' THEN 'reply'
                 WHEN record_event.kind = 'disputed' THEN 'dispute'
                 WHEN record_event.kind = 'promised' THEN 'promise'
                 ELSE record_event.kind END,
            CASE WHEN record_event.detail ->> 'request' = 'plan' THEN 'asks for instalments: agree a plan'
                 ELSE CASE record_event.kind
                     WHEN 'replied' THEN 'has written: answer'
                     WHEN 'called_in' THEN 'has called: settle what was asked'
                     WHEN 'disputed' THEN 'disputes the claim: examine'
                     WHEN 'promised' THEN 'promises to pay: record amount and date'
                     WHEN 'circumstances_changed' THEN 'has a change of circumstances: find an arrangement'
                     ELSE 'says it is paid: look for the payment' END END) a;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.record_event(text, text, uuid, timestamptz, jsonb, text) IS
    'One row: the event and what it caused (messages stopped, channels suppressed, task, hold). Idempotent by event_key. Unknown kind, debtor, message or a time to come: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.record_event(text, text, uuid, timestamptz, jsonb, text) TO dunning_operator, dunning_worker;
-- The worklist's two verbs: take a task, finish it.

CREATE FUNCTION dunning._find_task(task_id uuid) RETURNS dunning.task
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    task dunning.task;
BEGIN
    SELECT t.* INTO task FROM dunning.task t WHERE t.task_id = _find_task.task_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no task %', coalesce(task_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.worklist;';
    ELSIF task.completed_at IS NOT NULL THEN
        RAISE EXCEPTION 'task % is completed', task_id
            USING ERRCODE = '55000', DETAIL = format('Outcome "%s" by %s.', task.outcome, task.claimed_by),
                  HINT = 'SELECT * FROM dunning.worklist;';
    ELSIF task.claimed_by <> session_user
          AND task.claimed_at > dunning._now() - make_interval(mins => dunning._value_of('task_claim_minutes')::int) THEN
        RAISE EXCEPTION 'task % is being done by %', task_id, task.claimed_by
            USING ERRCODE = 'DN008', DETAIL = format('It was claimed at %s and is free again after %s minutes.', task.claimed_at,
                                                     dunning._value_of('task_claim_minutes')),
                  HINT = 'SELECT * FROM dunning.worklist WHERE claimed_by IS NULL;';
    END IF;
    RETURN task;
END
$$;
COMMENT ON FUNCTION dunning._find_task(uuid) IS 'An open task that the caller may work on, locked. Unknown: 22023; done: 55000; another''s: DN008.';

CREATE FUNCTION dunning.claim_task(task_id uuid) RETURNS dunning.task
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    task dunning.task := dunning._find_task(claim_task.task_id);
BEGIN
    UPDATE dunning.task t SET claimed_by = session_user, claimed_at = dunning._now()
    WHERE t.debtor_id = task.debtor_id AND t.task_id = task.task_id
    RETURNING t.* INTO task;
    RETURN task;
END
$$;
COMMENT ON FUNCTION dunning.claim_task(uuid) IS 'The task, now yours for an hour: nobody else may claim or complete it. Another''s: DN008. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.claim_task(uuid) TO dunning_operator;

CREATE FUNCTION dunning._task_outcomes() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['done', 'reached', 'promised', 'refused', 'no_answer', 'wrong_number', 'cancelled'] $$;
COMMENT ON FUNCTION dunning._task_outcomes() IS 'How a task can end.';

CREATE FUNCTION dunning.complete_task(task_id uuid, outcome text, note text DEFAULT NULL, next_at timestamptz DEFAULT NULL,
                                      OUT debtor_id text, OUT completed_at timestamptz, OUT next_task_id uuid, OUT hold_ended boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    task dunning.task;
    spoke boolean := complete_task.outcome IN ('reached', 'promised', 'refused');
BEGIN
    IF complete_task.outcome IS NULL OR complete_task.outcome <> ALL (dunning._task_outcomes()) THEN
        RAISE EXCEPTION 'a task does not end with "%"', coalesce(complete_task.outcome, 'NULL')
            USING ERRCODE = '22023', DETAIL = format('Known are %s.', array_to_string(dunning._task_outcomes(), ', '));
    END IF;
    IF NOT isfinite(complete_task.next_at) OR complete_task.next_at <= dunning._now() THEN
        RAISE EXCEPTION 'the next time of a task is to come' USING ERRCODE = '22023', HINT = 'next_at => now() + interval ''1 day''';
    END IF;
    task := dunning._find_task(complete_task.task_id);
    debtor_id := task.debtor_id;
    completed_at := dunning._now();
    UPDATE dunning.task t
    SET completed_at = complete_task.completed_at, outcome = complete_task.outcome, note = complete_task.note,
        claimed_by = session_user, claimed_at = coalesce(t.claimed_at, complete_task.completed_at)
    WHERE t.debtor_id = task.debtor_id AND t.task_id = task.task_id;

    -- A call or a visit is a contact: the attempt counts, and a conversation starts its days of silence.
    IF task.kind IN ('call', 'visit') OR spoke THEN
        INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, message_id, detail, recorded_at, recorded_by)
        VALUES (task.debtor_id, dunning._uuid7(), task.creditor, CASE WHEN spoke THEN 'conversation' ELSE 'called' END,
                complete_task.completed_at, task.message_id,
                jsonb_strip_nulls(jsonb_build_object('outcome', complete_task.outcome, 'task_id', task.task_id)),
                complete_task.completed_at, session_user);
    END IF;
    IF task.message_id IS NOT NULL AND task.kind IN ('call', 'visit') AND complete_task.outcome <> 'cancelled' THEN
        PERFORM dunning._receipt(m, CASE WHEN spoke OR complete_task.outcome = 'done' THEN 'delivered' ELSE 'failed' END,
                                 complete_task.outcome, NULL, NULL, complete_task.completed_at)
        FROM dunning.message m WHERE m.message_id = task.message_id;
    END IF;
    IF complete_task.outcome = 'wrong_number' THEN
        PERFORM dunning._suppress_for(task.debtor_id, 'wrong_number', task.message_id, 'call', '{}');
    END IF;
    IF complete_task.next_at IS NOT NULL THEN
        next_task_id := dunning._task(task.debtor_id, task.kind, task.subject, script => task.script,
                                      due_at => complete_task.next_at, creditor => task.creditor);
    END IF;
    -- Once nothing is left for us to answer, it is no longer our turn.
    hold_ended := false;
    IF NOT EXISTS (SELECT FROM dunning.task t
                   WHERE t.debtor_id = task.debtor_id AND t.completed_at IS NULL AND t.kind NOT IN ('call', 'visit')) THEN
        UPDATE dunning.hold h SET released_at = complete_task.completed_at, released_by = session_user
        WHERE h.debtor_id = task.debtor_id AND h.reason = 'awaiting_us' AND h.released_at IS NULL
          AND h.until_at > complete_task.completed_at;
        hold_ended := FOUND;
    END IF;
END
$$;
COMMENT ON FUNCTION dunning.complete_task(uuid, text, text, timestamptz) IS
    'One row: the task is done; a spoken word counts as a conversation, next_at makes the next task, the last answer ends awaiting_us. Outcome: done, reached, promised, refused, no_answer, wrong_number, cancelled. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.complete_task(uuid, text, text, timestamptz) TO dunning_operator;
-- report: what is so, and why. Reads everything, writes nothing.
--
-- Who sees persons: dunning_viewer gets figures, ids and states; names, addresses, texts and preferences come back NULL or are
-- refused. A view runs with its reader's rights, so the personal half is a function of its own that only dunning_operator may run.

CREATE TYPE dunning.overview AS (
    debtor_id           text,
    creditor            text,
    kind                text,
    name                text,
    language            text,
    country             text,
    preferred_channel   text,
    email               text,
    phone               text,
    consent             jsonb,
    amounts             jsonb,
    days_past_due       int,
    overdue             jsonb,
    open_invoices       bigint,
    segment             text,
    diagnosis           text,
    p_paid_30d          float8,
    contacts            bigint,
    last_contact_at     timestamptz,
    last_channel        text,
    last_template       text,
    last_state          text,
    last_message_id     uuid,
    next_contact_at     timestamptz,
    next_local_time     text,
    next_channel        text,
    next_template       text,
    next_state          text,
    blocked_by          text[],
    holds               text[],
    open_tasks          bigint,
    promise             text
);
COMMENT ON TYPE dunning.overview IS 'A debtor at a glance: balances and days past due, score, last and next contact, holds, tasks, promise.';

-- One row a debtor, or a debtor of `many`. `personal` fills the columns that say who it is.
CREATE FUNCTION dunning._overview(many text[], personal boolean)
    RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    scope text := CASE WHEN many IS NOT NULL THEN '$1' END;
    today date := dunning._now()::date;
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH d AS (%s),
        mark AS (%s),
        item AS (
            SELECT s.debtor_id, sum(s.n) AS n, max(s.dpd) AS dpd, jsonb_object_agg(s.currency, s.overdue) FILTER (WHERE s.overdue > 0) AS overdue
            FROM (SELECT i.debtor_id, i.currency, count(*) AS n, max($3 - i.due_on) AS dpd, sum(i.open) FILTER (WHERE i.due_on < $3) AS overdue
                  FROM (%s) i GROUP BY 1, 2) s
            GROUP BY 1),
        last AS (
            SELECT DISTINCT ON (e.debtor_id) e.debtor_id, e.message_id, e.channel, e.contact_on
            FROM dunning.egress e WHERE NOT e.test AND ($1 IS NULL OR e.debtor_id = ANY ($1))
            ORDER BY e.debtor_id, e.contact_on DESC, e.message_id DESC),
        touched AS (
            SELECT e.debtor_id, count(DISTINCT e.message_id) AS n
            FROM dunning.egress e WHERE NOT e.test AND ($1 IS NULL OR e.debtor_id = ANY ($1)) GROUP BY 1),
        next AS (
            SELECT DISTINCT ON (q.debtor_id) q.debtor_id, q.message_id, q.channel, q.due, q.state, q.blocked_by
            FROM dunning.queue q WHERE $1 IS NULL OR q.debtor_id = ANY ($1)
            ORDER BY q.debtor_id, q.due, q.message_id),
        held AS (
            SELECT h.debtor_id, array_agg(DISTINCT h.reason || CASE WHEN h.invoice_id IS NULL THEN '' ELSE ' (invoice)' END) AS reasons
            FROM dunning.hold h
            WHERE h.released_at IS NULL AND h.from_at <= $2 AND coalesce(h.until_at > $2, true) AND ($1 IS NULL OR h.debtor_id = ANY ($1))
            GROUP BY 1),
        todo AS (
            SELECT t.debtor_id, count(*) AS n FROM dunning.task t
            WHERE t.completed_at IS NULL AND ($1 IS NULL OR t.debtor_id = ANY ($1)) GROUP BY 1),
        promised AS (
            SELECT DISTINCT ON (p.debtor_id) p.debtor_id,
                   p.amount || ' ' || p.currency || ' ' || p.due_on || ' ' || p.state AS said
            FROM dunning._promise_state($1) p WHERE p.state <> 'cancelled'
            ORDER BY p.debtor_id, p.promised_at DESC, p.state = 'open' DESC, p.part)
        SELECT d.debtor_id, d.creditor, d.kind, CASE WHEN $4 THEN d.name END, d.language, d.country,
               CASE WHEN $4 THEN d.preferred_channel END, CASE WHEN $4 THEN d.email END, CASE WHEN $4 THEN d.phone END,
               CASE WHEN $4 THEN d.consent END,
               coalesce(mark.amounts, '{}'), greatest(item.dpd, 0), coalesce(item.overdue, '{}'), coalesce(item.n, 0)::bigint,
               s.segment, s.diagnosis, s.p_paid_30d,
               coalesce(touched.n, 0), last.contact_on, last.channel, lm.template, ls.state, last.message_id,
               next.due, nm.local_time, next.channel, nm.template, next.state, next.blocked_by,
               coalesce(held.reasons, '{}'), coalesce(todo.n, 0), promised.said
        FROM d
        LEFT JOIN mark ON mark.debtor_id = d.debtor_id
        LEFT JOIN item ON item.debtor_id = d.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = d.debtor_id
        LEFT JOIN touched ON touched.debtor_id = d.debtor_id
        LEFT JOIN last ON last.debtor_id = d.debtor_id
        LEFT JOIN dunning.message lm ON lm.debtor_id = last.debtor_id AND lm.message_id = last.message_id
        LEFT JOIN dunning.message_state ls ON ls.debtor_id = last.debtor_id AND ls.message_id = last.message_id
        LEFT JOIN next ON next.debtor_id = d.debtor_id
        LEFT JOIN dunning.message nm ON nm.debtor_id = next.debtor_id AND nm.message_id = next.message_id
        LEFT JOIN held ON held.debtor_id = d.debtor_id
        LEFT JOIN todo ON todo.debtor_id = d.debtor_id
        LEFT JOIN promised ON promised.debtor_id = d.debtor_id
        $q$, dunning._ledger_sql('debtor', scope), dunning._mark_sql(scope), dunning._open_items_sql(scope))
        USING many, dunning._now(), today, personal;
END
$$;
COMMENT ON FUNCTION dunning._overview(text[], boolean) IS 'One row a debtor of the list (NULL: all), with or without the personal columns.';

CREATE FUNCTION dunning._overview_plain() RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT * FROM dunning._overview(NULL, false);
END
$$;
COMMENT ON FUNCTION dunning._overview_plain() IS 'The overview of the whole book without personal columns.';
GRANT EXECUTE ON FUNCTION dunning._overview_plain() TO dunning_viewer;

CREATE FUNCTION dunning._overview_personal() RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT * FROM dunning._overview(NULL, true);
END
$$;
COMMENT ON FUNCTION dunning._overview_personal() IS 'The overview of the whole book with personal columns.';
GRANT EXECUTE ON FUNCTION dunning._overview_personal() TO dunning_operator;

-- With the reader's own rights: what it may not run, it does not get.
CREATE FUNCTION dunning._overview_for_reader() RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF has_function_privilege('dunning._overview_personal()', 'EXECUTE') THEN
        RETURN QUERY SELECT * FROM dunning._overview_personal();
    ELSE
        RETURN QUERY SELECT * FROM dunning._overview_plain();
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._overview_for_reader() IS 'The overview as far as the reader may see it.';
GRANT EXECUTE ON FUNCTION dunning._overview_for_reader() TO dunning_viewer;

CREATE VIEW dunning.debtor_overview WITH (security_invoker, security_barrier) AS
    SELECT * FROM dunning._overview_for_reader();
COMMENT ON VIEW dunning.debtor_overview IS
    'One row a debtor: balances a currency, days past due, score, last and next contact, holds, tasks, promise. Personal columns are NULL for dunning_viewer. For one debtor find_debtor() or explain() is quicker.';
GRANT SELECT ON dunning.debtor_overview TO dunning_viewer;

-- The worklist: open tasks, broken promises that nobody has a task for, and debtors who wait for us with no task left.
CREATE FUNCTION dunning._worklist()
    RETURNS TABLE (rank bigint, task_id uuid, debtor_id text, creditor text, kind text, subject text, name text, phone text, email text,
                   amounts jsonb, days_past_due int, segment text, diagnosis text, p_paid_30d float8, due_at timestamptz, claimed_by text,
                   script text, message_id uuid, allowed_now boolean, blocked_by text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ids text[];
    claimed_since timestamptz := dunning._now() - make_interval(mins => dunning._value_of('task_claim_minutes')::int);
BEGIN
    SELECT array_agg(DISTINCT x.debtor_id) INTO ids
    FROM (SELECT t.debtor_id FROM dunning.task t WHERE t.completed_at IS NULL
          UNION SELECT s.debtor_id FROM dunning._promise_state() s WHERE s.state = 'broken'
          UNION SELECT h.debtor_id FROM dunning.hold h
                WHERE h.reason = 'awaiting_us' AND h.released_at IS NULL AND h.until_at > dunning._now()) x;
    IF ids IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH todo AS (
            SELECT t.task_id, t.debtor_id, t.creditor, t.kind, t.subject, t.due_at,
                   CASE WHEN t.claimed_at > claimed_since THEN t.claimed_by END AS claimed_by, t.script, t.message_id
            FROM dunning.task t WHERE t.completed_at IS NULL
            UNION ALL
            SELECT NULL, s.debtor_id, min(s.creditor), 'broken_promise', 'a promise was not kept: ask why', max(s.deadline), NULL, NULL, NULL
            FROM dunning._promise_state(ids) s
            WHERE s.state = 'broken'
              AND NOT EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = s.debtor_id AND t.kind = 'broken_promise'
                              AND (t.completed_at IS NULL OR t.completed_at > s.deadline))
            GROUP BY s.debtor_id
            UNION ALL
            SELECT NULL, h.debtor_id, h.creditor, 'awaiting_us', 'waits for our answer', h.until_at, NULL, NULL, NULL
            FROM dunning.hold h
            WHERE h.reason = 'awaiting_us' AND h.released_at IS NULL AND h.until_at > dunning._now()
              AND NOT EXISTS (SELECT FROM dunning.task t
                              WHERE t.debtor_id = h.debtor_id AND t.completed_at IS NULL AND t.kind NOT IN ('call', 'visit')))
        -- First what came in, oldest first; then what is due, where a word moves most money.
        SELECT row_number() OVER (ORDER BY w.kind IN ('call', 'visit'), w.due_at > dunning._now(),
                                           CASE WHEN w.kind NOT IN ('call', 'visit') THEN w.due_at END,
                                           (SELECT max(a.value::numeric) FROM jsonb_each_text(o.amounts) a) DESC NULLS LAST, w.due_at, w.task_id),
               w.task_id, w.debtor_id::text, w.creditor::text, w.kind, w.subject, o.name, o.phone, o.email, o.amounts, o.days_past_due, o.segment,
               o.diagnosis, o.p_paid_30d, w.due_at, w.claimed_by, w.script, w.message_id, cardinality(g.blocked_by) = 0, g.blocked_by
        FROM todo w
        LEFT JOIN dunning._overview(ids, true) o ON o.debtor_id = w.debtor_id
        LEFT JOIN dunning._gate(ids, array_fill('call'::text, ARRAY[cardinality(ids)]), array_fill(dunning._now(), ARRAY[cardinality(ids)]),
                                array_fill(NULL::text, ARRAY[cardinality(ids)]), NULL) g ON g.debtor_id = w.debtor_id
        ORDER BY 1;
END
$$;
COMMENT ON FUNCTION dunning._worklist() IS 'What waits for a person, most urgent first.';
GRANT EXECUTE ON FUNCTION dunning._worklist() TO dunning_operator;

CREATE VIEW dunning.worklist WITH (security_invoker, security_barrier) AS
    SELECT * FROM dunning._worklist();
COMMENT ON VIEW dunning.worklist IS
    'What waits for a person, by rank: answers we owe, broken promises, calls and visits; with balances, score, script, and whether a call is allowed right now. Role dunning_operator.';
GRANT SELECT ON dunning.worklist TO dunning_operator;

-- A message's life in rows, over the tables themselves so that a debtor's part is found by key. No text and no address in it.
GRANT SELECT (message_id, attempt, debtor_id, creditor, channel, server, fields, bytes, reason, test, cost, cost_currency, at, contact_on)
    ON dunning.egress TO dunning_viewer;
GRANT SELECT (debtor_id, event_id, creditor, kind, at, message_id, recorded_at, recorded_by) ON dunning.event TO dunning_viewer;

CREATE VIEW dunning.journal WITH (security_invoker, security_barrier) AS
    SELECT m.debtor_id, m.message_id, m.creditor, m.created_at AS at, 'planned'::text AS what, NULL::text AS state,
           coalesce(m.strategy || '/' || m.step, m.created_by) AS reason, m.channel, m.template, m.step, m.server, NULL::int AS attempt,
           m.amounts, m.cost, m.cost_currency, m.local_time
    FROM dunning.message m
    UNION ALL
    SELECT q.debtor_id, q.message_id, q.creditor, q.due, 'waiting', q.state, coalesce(pg_catalog.array_to_string(q.blocked_by, ', '), q.reason),
           q.channel, NULL, NULL, q.server, q.attempts, NULL, NULL, NULL, NULL
    FROM dunning.queue q
    UNION ALL
    SELECT e.debtor_id, e.message_id, e.creditor, e.contact_on, CASE WHEN e.test THEN 'attempt (test)' ELSE 'attempt' END, NULL, e.reason,
           e.channel, NULL, NULL, e.server, e.attempt, NULL, e.cost, e.cost_currency, NULL
    FROM dunning.egress e
    UNION ALL
    SELECT o.debtor_id, o.message_id, o.creditor, o.at, 'outcome', o.state, o.reason, NULL, NULL, NULL, NULL, o.attempt, NULL, NULL, NULL, NULL
    FROM dunning.outcome o
    UNION ALL
    SELECT v.debtor_id, v.message_id, v.creditor, v.at, 'event', v.kind, v.recorded_by, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM dunning.event v;
COMMENT ON VIEW dunning.journal IS
    'The whole life of every message in rows: planned, waiting, attempt, outcome, event. Without texts and addresses, which explain_message() has. Role dunning_viewer.';
GRANT SELECT ON dunning.journal TO dunning_viewer;

CREATE FUNCTION dunning.find_debtor(search text)
    RETURNS TABLE (debtor_id text, creditor text, name text, email text, phone text, matched text, amounts jsonb, days_past_due int, segment text,
                   last_contact_at timestamptz, last_channel text, last_template text, last_message_id uuid, next_contact_at timestamptz,
                   holds text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    wanted text := btrim(search);
    pattern text := '%' || replace(replace(replace(btrim(search), '\', '\\'), '%', '\%'), '_', '\_') || '%';
    digits text := ltrim(regexp_replace(search, '\D', '', 'g'), '0');
    own_id text;
    hits text[];
    how text[];
BEGIN
    IF coalesce(length(wanted), 0) < 2 AND coalesce(wanted, '') !~ '^\d$' THEN
        RAISE EXCEPTION 'a search needs at least two characters' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''Hansen'');';
    END IF;
    BEGIN
        own_id := dunning._canonical_id(wanted);
    EXCEPTION WHEN SQLSTATE 'DN002' OR data_exception THEN
        own_id := NULL;      -- no key of this ledger, so a name or an address
    END;
    EXECUTE format($q$
        SELECT array_agg(f.debtor_id ORDER BY f.place, f.debtor_id), array_agg(f.how ORDER BY f.place, f.debtor_id)
        FROM (SELECT h.debtor_id, min(h.place) AS place, (array_agg(h.how ORDER BY h.place))[1] AS how
              FROM (SELECT d.debtor_id, 1 AS place, 'id' AS how FROM (%s) d
                    UNION ALL
                    SELECT i.debtor_id, 2, 'reference' FROM (%s) i WHERE i.reference = $2 OR i.invoice_id = $2
                    UNION ALL
                    SELECT d.debtor_id,
                           CASE WHEN lower(d.email) = lower($2) THEN 3
                                WHEN length($4) >= 5 AND regexp_replace(d.phone, '\D', '', 'g') LIKE '%%' || $4 THEN 4
                                WHEN lower(d.name) = lower($2) THEN 5 ELSE 6 END,
                           CASE WHEN lower(d.email) = lower($2) THEN 'email'
                                WHEN length($4) >= 5 AND regexp_replace(d.phone, '\D', '', 'g') LIKE '%%' || $4 THEN 'phone'
                                WHEN d.name ILIKE $3 THEN 'name' ELSE 'email' END
                    FROM (%s) d
                    WHERE d.name ILIKE $3 OR d.email ILIKE $3
                       OR length($4) >= 5 AND regexp_replace(d.phone, '\D', '', 'g') LIKE '%%' || $4) h
              GROUP BY 1 ORDER BY 2, 1 LIMIT 20) f
        $q$, dunning._ledger_sql('debtor', '$1'), dunning._ledger_sql('invoice'), dunning._ledger_sql('debtor'))
        INTO hits, how USING ARRAY[own_id], wanted, pattern, digits;
    IF hits IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT o.debtor_id, o.creditor, o.name, o.email, o.phone, h.how, o.amounts, o.days_past_due, o.segment,
               o.last_contact_at, o.last_channel, o.last_template, o.last_message_id, o.next_contact_at, o.holds
        FROM ROWS FROM (unnest(hits), unnest(how)) WITH ORDINALITY AS h (debtor_id, how, ord)
        JOIN dunning._overview(hits, true) o ON o.debtor_id = h.debtor_id
        ORDER BY h.ord;
END
$$;
COMMENT ON FUNCTION dunning.find_debtor(text) IS
    'At most 20 debtors by id, invoice or its reference, e-mail, phone or part of a name, best match first, each at a glance. Less than two characters: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.find_debtor(text) TO dunning_operator;
-- The book's page: what is owed, whom we reached, what is held, what comes next. No person is named on it.

-- Money a currency: open and overdue by age, received, promises, and the balance of thirteen weeks walked back from today.
CREATE FUNCTION dunning._report_money(as_of timestamptz, many text[] DEFAULT NULL)
    RETURNS TABLE (currency text, overdue numeric, buckets numeric[], counts bigint[], debtors bigint, received_7 numeric, received_7_before numeric,
                   received_30 numeric, received_30_before numeric, kept bigint, promised bigint, history_days date[], history numeric[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    past text := CASE WHEN as_of IS NOT NULL THEN '$1' END;
    scope text := CASE WHEN many IS NOT NULL THEN '$3' END;
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH item AS (
            SELECT i.currency, i.debtor_id, i.open, CASE WHEN $2 <= i.due_on THEN 1 WHEN $2 - i.due_on <= 30 THEN 2 WHEN $2 - i.due_on <= 60 THEN 3
                                                        WHEN $2 - i.due_on <= 90 THEN 4 ELSE 5 END AS bucket
            FROM (%s) i),
        aged AS (
            SELECT i.currency, i.bucket, sum(i.open) AS open, count(*) AS n FROM item i GROUP BY 1, 2),
        now_open AS (
            SELECT i.currency, sum(i.open) AS open, coalesce(sum(i.open) FILTER (WHERE i.bucket > 1), 0) AS overdue,
                   count(DISTINCT i.debtor_id) FILTER (WHERE i.bucket > 1) AS debtors
            FROM item i GROUP BY 1),
        pay AS MATERIALIZED (
            SELECT p.currency, p.paid_at, p.amount FROM (%s) p WHERE p.paid_at <= $1 AND p.paid_at > $1 - interval '92 days'),
        -- Walking back from today, a bill is not yet there and a payment not yet made.
        change AS MATERIALIZED (
            SELECT x.currency, x.day, sum(x.amount) AS amount
            FROM (SELECT p.currency, p.paid_at::date AS day, p.amount FROM pay p
                  UNION ALL
                  SELECT b.currency, b.issued_on, -b.amount FROM (%s) b WHERE b.issued_on > $2 - 92 AND b.issued_on <= $2 AND b.cancelled_at IS NULL) x
            GROUP BY 1, 2),
        received AS (
            SELECT p.currency, coalesce(sum(p.amount) FILTER (WHERE p.paid_at > $1 - interval '7 days'), 0) AS d7,
                   coalesce(sum(p.amount) FILTER (WHERE p.paid_at <= $1 - interval '7 days' AND p.paid_at > $1 - interval '14 days'), 0) AS d7_before,
                   coalesce(sum(p.amount) FILTER (WHERE p.paid_at > $1 - interval '30 days'), 0) AS d30,
                   coalesce(sum(p.amount) FILTER (WHERE p.paid_at <= $1 - interval '30 days' AND p.paid_at > $1 - interval '60 days'), 0) AS d30_before
            FROM pay p GROUP BY 1),
        promise AS (
            SELECT s.currency, count(*) FILTER (WHERE s.state = 'kept') AS kept, count(*) AS due
            FROM dunning._promise_state($3) s
            WHERE s.state IN ('kept', 'late', 'broken') AND s.promised_at > $1 - interval '90 days' GROUP BY 1)
        SELECT c.currency, coalesce(o.overdue, 0),
               (SELECT array_agg(coalesce(a.open, 0) ORDER BY b) FROM generate_series(1, 5) b LEFT JOIN aged a ON a.bucket = b AND a.currency = c.currency),
               (SELECT array_agg(coalesce(a.n, 0) ORDER BY b) FROM generate_series(1, 5) b LEFT JOIN aged a ON a.bucket = b AND a.currency = c.currency),
               coalesce(o.debtors, 0), coalesce(r.d7, 0), coalesce(r.d7_before, 0), coalesce(r.d30, 0), coalesce(r.d30_before, 0),
               coalesce(m.kept, 0), coalesce(m.due, 0), h.days, h.history
        FROM (SELECT n.currency FROM now_open n UNION SELECT r.currency FROM received r) c
        LEFT JOIN now_open o ON o.currency = c.currency
        LEFT JOIN received r ON r.currency = c.currency
        LEFT JOIN promise m ON m.currency = c.currency
        CROSS JOIN LATERAL (
            SELECT array_agg(d.day ORDER BY d.day) AS days,
                   array_agg(coalesce(o.open, 0) + coalesce((SELECT sum(g.amount) FROM change g WHERE g.currency = c.currency AND g.day > d.day), 0)
                             ORDER BY d.day) AS history
            FROM (SELECT $2 - 7 * w AS day FROM generate_series(0, 12) w) d) h
        ORDER BY coalesce(o.overdue, 0) DESC, c.currency
        $q$, dunning._open_items_sql(scope, past), dunning._ledger_sql('payment', scope, past), dunning._ledger_sql('invoice', scope, past))
        USING at, at::date, many;
END
$$;
COMMENT ON FUNCTION dunning._report_money(timestamptz, text[]) IS 'One row a currency with the money figures of the report, of the debtors of a list or of all.';

CREATE FUNCTION dunning._report_reach(as_of timestamptz)
    RETURNS TABLE (segment text, channel text, contacted bigint, reached bigint, paid bigint, cost text, stopped bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
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
               (SELECT string_agg(round(x.total, 2) || ' ' || x.cur, ' + ' ORDER BY x.cur)
                FROM (SELECT k.key AS cur, sum(k.value::numeric) AS total FROM unnest(array_agg(jsonb_build_object(e.currency, e.cost))) j
                      CROSS JOIN LATERAL jsonb_each_text(j) k GROUP BY 1) x),
               count(DISTINCT e.debtor_id) FILTER (WHERE e.stopped)
        FROM each e LEFT JOIN dunning.debtor_score s ON s.debtor_id = e.debtor_id
        GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
        $q$, dunning._ledger_sql('payment', 'ARRAY(SELECT DISTINCT c.debtor_id FROM contact c)')) USING at;
END
$$;
COMMENT ON FUNCTION dunning._report_reach(timestamptz) IS 'One row a segment and channel over 90 days: debtors contacted, reached, paid within 14 days, cost, opt-outs.';

-- Payments that carry only a day say nothing about an hour and are left out.
CREATE FUNCTION dunning._report_hours(as_of timestamptz) RETURNS TABLE (weekday int, hour int, n bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH happened AS MATERIALIZED (
            SELECT e.debtor_id, e.at FROM dunning.event e
            WHERE e.kind IN ('opened', 'clicked', 'replied', 'called_in', 'conversation') AND e.at > $1 - interval '180 days' AND e.at <= $1
            UNION ALL
            SELECT p.debtor_id, p.paid_at FROM (%s) p
            WHERE p.paid_at > $1 - interval '180 days' AND p.paid_at <= $1 AND p.amount > 0 AND p.paid_at <> date_trunc('day', p.paid_at)),
        home AS MATERIALIZED (
            SELECT d.debtor_id, coalesce(d.time_zone, '') AS tz, coalesce(d.country, '') AS country, coalesce(d.region, '') AS region FROM (%s) d),
        zone AS MATERIALIZED (
            SELECT h.tz, h.country, h.region, coalesce((dunning._zone(nullif(h.tz, ''), nullif(h.country, ''), nullif(h.region, '')))[1], 'UTC') AS name
            FROM (SELECT DISTINCT h.tz, h.country, h.region FROM home h) h)
        SELECT extract(isodow FROM x.here)::int, extract(hour FROM x.here)::int, count(*)
        FROM happened e
        JOIN home h ON h.debtor_id = e.debtor_id
        JOIN zone z ON z.tz = h.tz AND z.country = h.country AND z.region = h.region
        CROSS JOIN LATERAL (SELECT e.at AT TIME ZONE z.name AS here) x
        GROUP BY 1, 2
        $q$, dunning._ledger_sql('payment'), dunning._ledger_sql('debtor')) USING at;
END
$$;
COMMENT ON FUNCTION dunning._report_hours(timestamptz) IS 'Responses and payments of 180 days by local ISO weekday and hour.';

-- What a manager must know before the figures: (severity, label, value).
CREATE FUNCTION dunning._report_warnings(as_of timestamptz) RETURNS TABLE (severity text, label text, value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    moment timestamptz := coalesce(as_of, dunning._now());
    problem text := dunning._ledger_problem();
    delivery text := dunning._own_setting('delivery');
BEGIN
    RETURN QUERY SELECT 'bad', 'w_ledger', problem WHERE problem IS NOT NULL;
    RETURN QUERY SELECT 'warn', 'w_delivery', delivery WHERE delivery <> 'on';
    RETURN QUERY
        SELECT 'bad', 'w_zero', q.n::text FROM (SELECT count(*) AS n FROM dunning.queue q WHERE q.due < moment - interval '1 hour' AND q.state = 'queued') q
        WHERE q.n > 0 AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.contact_on > moment - interval '7 days' AND e.contact_on <= moment AND NOT e.test);
    RETURN QUERY
        SELECT 'bad', 'w_dead', count(*)::text FROM dunning.outcome o
        WHERE o.state = 'dead' AND o.at > moment - interval '7 days' AND o.at <= moment HAVING count(*) > 0;
    RETURN QUERY
        SELECT 'warn', 'w_unknown', count(*)::text FROM dunning.message_state s
        WHERE s.state = 'unknown' HAVING count(*) > 0;
    RETURN QUERY SELECT 'warn', 'w_paused', s.server FROM dunning._servers() s WHERE s.paused;
    RETURN QUERY
        SELECT 'bad', 'w_down', e.server FROM dunning.egress e
        JOIN dunning.outcome o ON o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt
        WHERE e.contact_on > moment - interval '24 hours' AND e.contact_on <= moment
        GROUP BY e.server HAVING count(*) >= 5 AND count(*) FILTER (WHERE o.state IN ('queued', 'failed', 'dead', 'unknown')) > count(*) / 2;
    RETURN QUERY SELECT 'warn', 'w_tasks', count(*)::text FROM dunning.task t
                 WHERE t.completed_at IS NULL AND t.due_at < moment - interval '1 day' HAVING count(*) > 0;
    RETURN QUERY SELECT 'warn', 'w_scores', '' WHERE NOT EXISTS (SELECT FROM dunning.debtor_score);
END
$$;
COMMENT ON FUNCTION dunning._report_warnings(timestamptz) IS 'What the report warns of: severity, label, value.';

CREATE FUNCTION dunning._report_kpis(m record, l jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lang text := l ->> 'lang';
    arrow text;
    result text;
BEGIN
    result := format('<h3>%s</h3><div class="kpis"><div class="kpi"><span>%s</span><b>%s</b><i>%s %s</i></div>', dunning._html(m.currency),
                     dunning._html(l ->> 'overdue'), dunning._number(m.overdue, lang), dunning._number(m.debtors, lang), dunning._html(l ->> 'debtors'));
    arrow := CASE WHEN m.received_7 > m.received_7_before THEN '▲' WHEN m.received_7 < m.received_7_before THEN '▼' ELSE '=' END;
    result := result || format('<div class="kpi"><span>%s</span><b>%s</b><i>%s %s %s</i></div>', dunning._html(l ->> 'received_7'),
                               dunning._number(m.received_7, lang), arrow, dunning._html(l ->> 'before'), dunning._number(m.received_7_before, lang));
    arrow := CASE WHEN m.received_30 > m.received_30_before THEN '▲' WHEN m.received_30 < m.received_30_before THEN '▼' ELSE '=' END;
    result := result || format('<div class="kpi"><span>%s</span><b>%s</b><i>%s %s %s</i></div>', dunning._html(l ->> 'received_30'),
                               dunning._number(m.received_30, lang), arrow, dunning._html(l ->> 'before'), dunning._number(m.received_30_before, lang));
    RETURN result || format('<div class="kpi"><span>%s</span><b>%s</b><i>%s</i></div></div>', dunning._html(l ->> 'kept'),
                            CASE WHEN m.promised > 0 THEN dunning._number(100.0 * m.kept / m.promised, lang) || ' %' ELSE '–' END,
                            CASE WHEN m.promised > 0 THEN format('%s %s %s', m.kept, dunning._html(l ->> 'of'), m.promised) ELSE dunning._html(l ->> 'none') END);
END
$$;
COMMENT ON FUNCTION dunning._report_kpis(record, jsonb) IS 'The key figures of one currency as HTML.';

CREATE FUNCTION dunning._report_ageing(m record, l jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    lang text := l ->> 'lang';
    names text[] := ARRAY[l ->> 'not_due', '1–30', '31–60', '61–90', (l ->> 'over') || ' 90'];
    days text[];
BEGIN
    SELECT array_agg(to_char(d.day, 'DD.MM.') ORDER BY d.day) INTO days FROM unnest(m.history_days) AS d (day);
    RETURN format('<h3>%s</h3><div class="cols"><div>', dunning._html(m.currency))
        || dunning._svg_bars((l ->> 'ageing') || ', ' || m.currency, names, m.buckets,
                             ARRAY(SELECT dunning._number(b.b, lang) FROM unnest(m.buckets) WITH ORDINALITY AS b (b, ord) ORDER BY b.ord))
        || dunning._html_table(ARRAY[l ->> 'bucket', '>' || (l ->> 'amount'), '>' || (l ->> 'invoices')],
               (SELECT string_agg(dunning._html_row(ARRAY[names[i], dunning._number(m.buckets[i], lang, 2), dunning._number(m.counts[i], lang)]), '' ORDER BY i)
                FROM generate_series(1, 5) i))
        || '</div><div>'
        || dunning._svg_line((l ->> 'history') || ', ' || m.currency, days, m.history,
                             ARRAY(SELECT dunning._number(b.b, lang) FROM unnest(m.history) WITH ORDINALITY AS b (b, ord) ORDER BY b.ord))
        || dunning._html_table(ARRAY[l ->> 'week', '>' || (l ->> 'balance')],
               (SELECT string_agg(dunning._html_row(ARRAY[to_char(m.history_days[i], 'YYYY-MM-DD'), dunning._number(m.history[i], lang)]), '' ORDER BY i DESC)
                FROM generate_subscripts(m.history, 1) i WHERE i % 4 = 1), l ->> 'history')
        || '</div></div>';
END
$$;
COMMENT ON FUNCTION dunning._report_ageing(record, jsonb) IS 'Ageing and balance history of one currency as HTML.';

CREATE FUNCTION dunning._report_heat(as_of timestamptz, l jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    days text[] := string_to_array(l ->> 'days', ',');
    result text;
BEGIN
    WITH cell AS MATERIALIZED (SELECT h.weekday, h.hour, h.n FROM dunning._report_hours(as_of) h),
    top AS (SELECT max(c.n) AS n FROM cell c)
    SELECT '<table class="heat"><thead><tr><th scope="col">' || dunning._html(l ->> 'hour') || '</th>'
           || (SELECT string_agg('<th scope="col">' || h || '</th>', '' ORDER BY h) FROM generate_series(0, 23) h) || '</tr></thead><tbody>'
           || string_agg('<tr><th scope="row">' || dunning._html(days[d.day]) || '</th>' || d.cells || '</tr>', E'\n' ORDER BY d.day) || '</tbody></table>'
    INTO result
    FROM (SELECT w.day, string_agg(format('<td class="h%s">%s</td>', CASE WHEN c.n IS NULL THEN 0 ELSE 1 + least(3, (4 * c.n - 1) / t.n) END, c.n), '' ORDER BY h.hour) AS cells
          FROM generate_series(1, 7) AS w (day) CROSS JOIN generate_series(0, 23) AS h (hour) CROSS JOIN top t
          LEFT JOIN cell c ON c.weekday = w.day AND c.hour = h.hour
          GROUP BY w.day) d
    WHERE EXISTS (SELECT FROM cell);
    RETURN coalesce(result, '<p>' || dunning._html(l ->> 'no_data') || '</p>');
END
$$;
COMMENT ON FUNCTION dunning._report_heat(timestamptz, jsonb) IS 'The hours of the week in which debtors respond and pay, as an HTML table with the count in each cell.';

CREATE FUNCTION dunning._report_queue(as_of timestamptz, l jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    lang text := l ->> 'lang';
    nothing text := '<p>' || dunning._html(l ->> 'no_data') || '</p>';
    held text;
    held_debtors text;
    next_days text;
BEGIN
    SELECT string_agg(dunning._html_row(ARRAY[x.why, dunning._number(x.n, lang)]), '' ORDER BY x.n DESC, x.why) INTO held
    FROM (SELECT b.why, count(*) AS n FROM dunning.queue q CROSS JOIN LATERAL unnest(coalesce(q.blocked_by, ARRAY[q.reason])) AS b (why)
          WHERE q.state = 'held' GROUP BY 1) x;
    SELECT string_agg(dunning._html_row(ARRAY[x.reason, dunning._number(x.n, lang)]), '' ORDER BY x.n DESC, x.reason) INTO held_debtors
    FROM (SELECT h.reason, count(DISTINCT h.debtor_id) AS n FROM dunning.hold h
          WHERE h.from_at <= at AND coalesce(h.released_at > at, true) AND coalesce(h.until_at > at, true) GROUP BY 1) x;
    SELECT string_agg(dunning._html_row(ARRAY[to_char(x.day, 'YYYY-MM-DD'), x.channel, dunning._number(x.n, lang)]), '' ORDER BY x.day, x.channel) INTO next_days
    FROM (SELECT greatest(q.due, at)::date AS day, q.channel, count(*) AS n FROM dunning.queue q
          WHERE q.state IN ('queued', 'proposed') AND q.due < at + interval '7 days' GROUP BY 1, 2) x;
    RETURN format('<h2>%s</h2><div class="cols"><div>', dunning._html(l ->> 'held'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'reason', '>' || (l ->> 'messages')], held), nothing) || '</div><div>'
        || coalesce(dunning._html_table(ARRAY[l ->> 'holds', '>' || (l ->> 'debtors')], held_debtors), nothing) || '</div></div>'
        || format('<h2>%s</h2>', dunning._html(l ->> 'next'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'day', l ->> 'channel', '>' || (l ->> 'messages')], next_days), nothing);
END
$$;
COMMENT ON FUNCTION dunning._report_queue(timestamptz, jsonb) IS 'What is held and why, and what is planned for the next days, as HTML.';

CREATE FUNCTION dunning._report_book(as_of timestamptz, language text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    l jsonb := dunning._labels(language);
    at timestamptz := coalesce(as_of, dunning._now());
    m record;
    kpis text := '';
    ageing text := '';
    warnings text;
    reach text;
BEGIN
    FOR m IN SELECT * FROM dunning._report_money(as_of) LOOP
        kpis := kpis || dunning._report_kpis(m, l);
        ageing := ageing || dunning._report_ageing(m, l);
    END LOOP;
    SELECT string_agg(format('<li class="%s">%s %s</li>', w.severity, CASE w.severity WHEN 'bad' THEN '✖' ELSE '⚠' END,
                             dunning._html(replace(l ->> w.label, '{}', coalesce(w.value, '')))), E'\n' ORDER BY w.severity, w.label)
    INTO warnings FROM dunning._report_warnings(as_of) w;
    SELECT string_agg(dunning._html_row(ARRAY[r.segment, r.channel, dunning._number(r.contacted, l ->> 'lang'),
                                              dunning._number(r.reached, l ->> 'lang'),
                                              dunning._number(r.paid, l ->> 'lang') || format(' (%s %%)', round(100.0 * r.paid / r.contacted)),
                                              r.cost, dunning._number(r.stopped, l ->> 'lang')],
                                        CASE WHEN r.contacted < 30 THEN 'few' END), '' ORDER BY r.segment, r.contacted DESC, r.channel)
    INTO reach FROM dunning._report_reach(as_of) r;
    RETURN dunning._html_page(l ->> 'title', l ->> 'lang',
        format('<h1>%s</h1><p class="sub">%s, %s %s</p>', dunning._html(l ->> 'title'), dunning._html(current_database()), dunning._html(l ->> 'as_of'),
               to_char(at, 'YYYY-MM-DD HH24:MI TZ'))
        || format('<h2>%s</h2><ul class="warn">%s</ul>', dunning._html(l ->> 'warnings'),
                  coalesce(warnings, '<li class="ok">✔ ' || dunning._html(l ->> 'all_well') || '</li>'))
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'figures'), coalesce(nullif(kpis, ''), '<p>' || dunning._html(l ->> 'no_data') || '</p>'))
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'ageing'), coalesce(nullif(ageing, ''), '<p>' || dunning._html(l ->> 'no_data') || '</p>'))
        || format('<h2>%s</h2>', dunning._html(l ->> 'reach'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'segment', l ->> 'channel', '>' || (l ->> 'contacted'), '>' || (l ->> 'reached'), l ->> 'paid_14', l ->> 'cost', '>' || (l ->> 'stopped')], reach)
                    || '<p class="sub">' || dunning._html(l ->> 'few') || '</p>', '<p>' || dunning._html(l ->> 'no_data') || '</p>')
        || format('<h2>%s</h2>%s', dunning._html(l ->> 'hours'), dunning._report_heat(as_of, l))
        || dunning._report_queue(as_of, l));
END
$$;
COMMENT ON FUNCTION dunning._report_book(timestamptz, text) IS 'The page of the whole book; names nobody.';
GRANT EXECUTE ON FUNCTION dunning._report_book(timestamptz, text) TO dunning_viewer;
-- One debtor's page, and the call that gives either page.

CREATE FUNCTION dunning._report_debtor(debtor_id text, as_of timestamptz, language text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(_report_debtor.debtor_id);
    l jsonb := dunning._labels(language);
    lang text := l ->> 'lang';
    o dunning.overview;
    m record;
    money text := '';
    items text;
    promises text;
    history text;
BEGIN
    SELECT v.* INTO o FROM dunning._overview(ARRAY[id], true) v;
    IF o.debtor_id IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    FOR m IN SELECT * FROM dunning._report_money(as_of, ARRAY[id]) LOOP
        money := money || dunning._report_ageing(m, l);
    END LOOP;
    EXECUTE format('SELECT string_agg(dunning._html_row(ARRAY[coalesce(i.reference, i.invoice_id), to_char(i.due_on, ''YYYY-MM-DD''),
                           greatest(0, $2 - i.due_on)::text, dunning._number(i.amount, $3, 2), dunning._number(i.open, $3, 2) || '' '' || i.currency]), ''''
                           ORDER BY i.due_on, i.invoice_id) FROM (%s) i', dunning._open_items_sql('$1', CASE WHEN as_of IS NOT NULL THEN '$4' END))
        INTO items USING ARRAY[id], coalesce(as_of, dunning._now())::date, lang, as_of;
    SELECT string_agg(dunning._html_row(ARRAY[to_char(p.due_on, 'YYYY-MM-DD'), dunning._number(p.amount, lang, 2) || ' ' || p.currency,
                                              dunning._number(p.paid, lang, 2), p.state]), '' ORDER BY p.promised_at, p.part)
    INTO promises FROM dunning._promise_state(ARRAY[id]) p;
    SELECT string_agg('<tr><th scope="row">' || dunning._html(to_char((h.value ->> 'at')::timestamptz, 'YYYY-MM-DD HH24:MI')) || '</th><td>'
                      || dunning._html(concat_ws(', ', h.value ->> 'what', h.value ->> 'channel', h.value ->> 'detail')) || '</td><td>'
                      || CASE WHEN h.value ? 'text' THEN '<pre>' || dunning._html(h.value ->> 'text') || '</pre>' ELSE '' END || E'</td></tr>\n', '' ORDER BY h.ord)
    INTO history FROM jsonb_array_elements(dunning._conversation_history(id, 30)) WITH ORDINALITY AS h (value, ord);

    RETURN dunning._html_page((l ->> 'debtor') || ' ' || id, lang,
        format('<h1>%s %s</h1><p class="sub">%s, %s %s, %s %s</p>', dunning._html(l ->> 'debtor'), dunning._html(concat_ws(', ', id, o.name)), dunning._html(o.creditor),
               dunning._html(l ->> 'as_of'), to_char(coalesce(as_of, dunning._now()), 'YYYY-MM-DD HH24:MI TZ'), coalesce(o.days_past_due, 0), dunning._html(l ->> 'dpd'))
        || format('<h2>%s</h2>', dunning._html(l ->> 'preferences'))
        || dunning._html_table(ARRAY[l ->> 'what', ' '], concat(
               dunning._html_row(ARRAY[l ->> 'language', o.language]), dunning._html_row(ARRAY[l ->> 'country', o.country]),
               dunning._html_row(ARRAY[l ->> 'preferred', o.preferred_channel]), dunning._html_row(ARRAY[l ->> 'consent', o.consent::text]),
               dunning._html_row(ARRAY[l ->> 'email', o.email]), dunning._html_row(ARRAY[l ->> 'phone', o.phone]),
               dunning._html_row(ARRAY[l ->> 'segment', o.segment]), dunning._html_row(ARRAY[l ->> 'diagnosis', o.diagnosis]),
               dunning._html_row(ARRAY[l ->> 'p30', CASE WHEN o.p_paid_30d IS NOT NULL THEN dunning._number((100 * o.p_paid_30d)::numeric, lang) || ' %' END]),
               dunning._html_row(ARRAY[l ->> 'last_contact', concat_ws(', ', to_char(o.last_contact_at, 'YYYY-MM-DD HH24:MI'), o.last_channel, o.last_template, o.last_state)]),
               dunning._html_row(ARRAY[l ->> 'next_contact', concat_ws(', ', o.next_local_time, o.next_channel, o.next_template, o.next_state, array_to_string(o.blocked_by, ', '))]),
               dunning._html_row(ARRAY[l ->> 'holds', coalesce(nullif(array_to_string(o.holds, ', '), ''), l ->> 'none')])))
        || format('<h2>%s</h2>', dunning._html(l ->> 'balance'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'invoice', l ->> 'due', '>' || (l ->> 'dpd'), '>' || (l ->> 'amount'), '>' || (l ->> 'open')], items), '<p>' || dunning._html(l ->> 'none') || '</p>')
        || money
        || coalesce(format('<h2>%s</h2>', dunning._html(l ->> 'promises'))
                    || dunning._html_table(ARRAY[l ->> 'due', '>' || (l ->> 'amount'), '>' || (l ->> 'received_30'), l ->> 'state'], promises), '')
        || format('<h2>%s</h2>', dunning._html(l ->> 'conversation'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'when', l ->> 'what', l ->> 'text'], history), '<p>' || dunning._html(l ->> 'no_data') || '</p>'));
END
$$;
COMMENT ON FUNCTION dunning._report_debtor(text, timestamptz, text) IS 'The page of one debtor: preferences, balance and its history, days past due, promises, conversation.';
GRANT EXECUTE ON FUNCTION dunning._report_debtor(text, timestamptz, text) TO dunning_operator;

-- With the caller's own rights: the book for every reader, a person's page for those who work with persons.
CREATE FUNCTION dunning.report_html(as_of timestamptz DEFAULT NULL, language text DEFAULT 'en', debtor_id text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF as_of IS NOT NULL AND NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'a report is of a finite instant' USING ERRCODE = '22023', HINT = 'SELECT dunning.report_html();';
    END IF;
    IF report_html.debtor_id IS NULL THEN
        RETURN dunning._report_book(as_of, coalesce(language, 'en'));
    END IF;
    RETURN dunning._report_debtor(report_html.debtor_id, as_of, coalesce(language, 'en'));
END
$$;
COMMENT ON FUNCTION dunning.report_html(timestamptz, text, text) IS
    'A self-contained HTML page (en, de, nl, da) without script, printable on A4: the book for dunning_viewer, one debtor for dunning_operator. psql -XAtc "SELECT dunning.report_html()" > report.html';
GRANT EXECUTE ON FUNCTION dunning.report_html(timestamptz, text, text) TO dunning_viewer;
-- explain(): why now, why not, and what next. explain_message(): why then, from what was frozen then.

CREATE FUNCTION dunning._fix_for(blocker text, debtor_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT CASE
        WHEN blocker = 'ledger_stale' THEN 'SELECT dunning.ledger_loaded(''payment'', now());'
        WHEN blocker = 'ledger_broken' THEN 'SELECT * FROM dunning.source;'
        WHEN blocker LIKE 'hold%' THEN format('SELECT * FROM dunning.release(hold_id) FROM dunning.hold WHERE debtor_id = %L AND released_at IS NULL;', debtor_id)
        WHEN blocker LIKE 'suppressed%' THEN 'SELECT * FROM dunning.suppression;'
    END
$$;
COMMENT ON FUNCTION dunning._fix_for(text, text) IS 'The SQL that a person would look at to lift a blocker, NULL where waiting is the only way.';

-- Every step of the strategy and what became of it for this debtor.
CREATE FUNCTION dunning._explain_steps(debtor_id text, strategy text)
    RETURNS TABLE (item text, state text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH steps AS (
            SELECT DISTINCT ON (s.step) s.* FROM dunning.step s
            WHERE s.strategy = _explain_steps.strategy ORDER BY s.step, s.builtin)
        SELECT s.step::text, coalesce(m.state, CASE WHEN s.enabled THEN 'not yet' ELSE 'disabled' END),
               format('%s day(s) %s %s, template %s, %s%s', abs(s.offset_days), CASE WHEN s.offset_days < 0 THEN 'before' ELSE 'after' END,
                      replace(s.anchor, '_', ' '), s.template, array_to_string(s.channels, ' then '),
                      CASE WHEN s.condition IS NULL THEN '' ELSE ', if ' || s.condition END)
               || coalesce('; ' || m.local_time || ' by ' || m.channel || coalesce(', ' || m.reason, ''), '')
        FROM steps s
        LEFT JOIN LATERAL (
            SELECT x.state, x.reason, c.local_time, c.channel
            FROM dunning.message c
            JOIN dunning.message_state x ON x.debtor_id = c.debtor_id AND x.message_id = c.message_id
            WHERE c.debtor_id = _explain_steps.debtor_id AND c.strategy = s.strategy AND c.step = s.step
            ORDER BY c.message_id DESC LIMIT 1) m ON true
        ORDER BY s.position, s.step;
END
$$;
COMMENT ON FUNCTION dunning._explain_steps(text, text) IS 'One row a step of the strategy in order: what it is and the state of its last message to the debtor.';

-- What the gate says this instant, on every channel, and when it would say yes.
CREATE FUNCTION dunning._explain_channels(debtor_id text)
    RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    channels text[] := ARRAY(SELECT DISTINCT c.channel::text FROM dunning.channel c ORDER BY 1);
    n int := cardinality(channels);
    from_time timestamptz := dunning._now();
BEGIN
    RETURN QUERY
        SELECT g.channel::text, CASE WHEN cardinality(g.blocked_by) = 0 THEN 'allowed' ELSE 'blocked' END,
               CASE WHEN cardinality(g.blocked_by) = 0 THEN 'may be used now'
                    ELSE array_to_string(g.blocked_by, ', ') END
               || coalesce('; next allowed ' || dunning._local_time(w.opens, g.zone), '; not allowed in the next 7 days'),
               (SELECT f.fix FROM unnest(g.blocked_by) AS b (blocker) CROSS JOIN LATERAL (SELECT dunning._fix_for(b.blocker, _explain_channels.debtor_id) AS fix) f
                WHERE f.fix IS NOT NULL LIMIT 1)
        FROM dunning._gate(array_fill(_explain_channels.debtor_id, ARRAY[n]), channels, array_fill(from_time, ARRAY[n]),
                           array_fill(NULL::text, ARRAY[n]), NULL) g
        CROSS JOIN LATERAL (SELECT lower(dunning.contact_windows(_explain_channels.debtor_id, g.channel, from_time, from_time + interval '7 days')) AS opens) w
        ORDER BY g.ord;
END
$$;
COMMENT ON FUNCTION dunning._explain_channels(text) IS 'One row a channel: whether it may be used now, every blocker, the next allowed instant in local time.';

-- What a run of plan() would do for this debtor this instant; nothing is kept of it.
CREATE FUNCTION dunning._explain_plan(debtor_id text) RETURNS TABLE (item text, state text, detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT coalesce(p.step, 'none'), p.state,
               concat_ws(', ', p.channel, p.template, p.local_time, p.reason, nullif(array_to_string(p.blocked_by, ', '), ''))
        FROM dunning._plan(NULL, NULL, true, false, ARRAY[_explain_plan.debtor_id]) p;
    IF NOT FOUND THEN
        RETURN QUERY VALUES ('none', 'nothing to do', 'no step of the strategy is due, or it was done');
    END IF;
EXCEPTION WHEN OTHERS THEN
    RETURN QUERY VALUES ('none', 'unknown', SQLERRM);
END
$$;
COMMENT ON FUNCTION dunning._explain_plan(text) IS 'What plan() would do for a debtor now.';

CREATE FUNCTION dunning.explain(debtor_id text)
    RETURNS TABLE (topic text, item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
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
        ('ledger', 'balance', CASE WHEN o.amounts = '{}' THEN 'nothing open' ELSE 'open' END,
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
$$;
COMMENT ON FUNCTION dunning.explain(text) IS
    'Why now, why not, and what next, in rows: ledger, score, holds, promises, every step, every channel with its blockers and next allowed time, last and next contact. Unknown debtor: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.explain(text) TO dunning_operator;

CREATE FUNCTION dunning._amounts_text(amounts jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce((SELECT string_agg(a.value || ' ' || a.key, ' and ' ORDER BY a.key) FROM jsonb_each_text(amounts) a), 'nothing') $$;
COMMENT ON FUNCTION dunning._amounts_text(jsonb) IS 'Amounts a currency in words; no two currencies are added.';

CREATE FUNCTION dunning.explain_message(message_id uuid)
    RETURNS TABLE (topic text, item text, at timestamptz, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    m dunning.message;
BEGIN
    SELECT x.* INTO m FROM dunning.message x WHERE x.message_id = explain_message.message_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no message %', coalesce(explain_message.message_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.journal WHERE debtor_id = ''…'';';
    END IF;
    -- Everything below was written when it happened; neither the ledger nor a template is read.
    RETURN QUERY VALUES
        ('planned', 'debtor', m.created_at, m.debtor_id::text),
        ('planned', 'creditor', m.created_at, m.creditor::text),
        ('planned', 'by', m.created_at, concat_ws(' ', m.created_by, 'run ' || m.run_id)),
        ('planned', 'step', m.created_at, concat_ws('/', m.strategy, m.step)),
        ('planned', 'template', m.created_at, m.template || ' (' || m.language || ')'),
        ('planned', 'channel', m.created_at, concat_ws(' over ', m.channel, m.server)),
        ('planned', 'time', m.contact_at, m.local_time || CASE WHEN m.explored THEN ', at random' ELSE '' END),
        ('planned', 'amounts', m.created_at, dunning._amounts_text(m.amounts)),
        ('planned', 'cost', m.created_at, m.cost || ' ' || m.cost_currency),
        ('planned', 'variant', m.created_at, concat_ws(', propensity ', m.variant, m.propensity)),
        ('planned', 'expected', m.created_at, format('p %s, value %s', coalesce(round(m.p::numeric, 3)::text, '-'), coalesce(m.expected_value::text, '-')));
    RETURN QUERY SELECT 'decision', d.key, m.created_at, CASE jsonb_typeof(d.value) WHEN 'string' THEN d.value #>> '{}' ELSE d.value::text END
                 FROM jsonb_each(m.decision) d ORDER BY d.key;
    RETURN QUERY SELECT 'sent text', p.item, b.rendered_at, p.said
                 FROM dunning.body b
                 CROSS JOIN LATERAL (VALUES (1, 'address', b.address), (2, 'subject', b.subject), (3, 'text', b.body_text)) AS p (ord, item, said)
                 WHERE b.debtor_id = m.debtor_id AND b.message_id = m.message_id AND p.said IS NOT NULL
                 ORDER BY p.ord;
    RETURN QUERY SELECT 'attempt', e.attempt::text, e.at,
                        format('%s, %s bytes, fields %s, digest %s%s', e.server, e.bytes, array_to_string(e.fields, ' '), encode(e.body_digest, 'hex'),
                               CASE WHEN e.test THEN ', test' ELSE '' END)
                 FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id ORDER BY e.attempt;
    RETURN QUERY SELECT 'outcome', o.state, o.at, concat_ws(', ', o.reason, o.provider_ref, o.detail::text)
                 FROM dunning.outcome o WHERE o.debtor_id = m.debtor_id AND o.message_id = m.message_id ORDER BY o.at, o.outcome_id;
    RETURN QUERY SELECT 'waiting', q.state, q.due, concat_ws(', ', q.reason, array_to_string(q.blocked_by, ', '))
                 FROM dunning.queue q WHERE q.debtor_id = m.debtor_id AND q.message_id = m.message_id;
    RETURN QUERY SELECT 'event', v.kind::text, v.at, v.detail::text
                 FROM dunning.event v WHERE v.debtor_id = m.debtor_id AND v.message_id = m.message_id ORDER BY v.at, v.event_id;
END
$$;
COMMENT ON FUNCTION dunning.explain_message(uuid) IS
    'Why that message, as frozen then: decision, text and address as sent, attempts, outcomes, events. No later payment or edited template changes it. Unknown: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.explain_message(uuid) TO dunning_operator;
-- Figures: what contacts cost and brought in, and the state of the machinery for a monitoring system.

-- Attempts that left. One that was refused before anything left costs nothing; a test is no contact.
CREATE FUNCTION dunning._contacts(from_time timestamptz, until_time timestamptz)
    RETURNS TABLE (debtor_id text, message_id uuid, creditor text, channel text, cost numeric, currency text, at timestamptz, state text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT e.debtor_id::text, e.message_id, e.creditor::text, e.channel::text, e.cost, e.cost_currency, e.contact_on,
               (SELECT x.state FROM dunning.message_state x WHERE x.debtor_id = e.debtor_id AND x.message_id = e.message_id)
        FROM dunning.egress e
        WHERE NOT e.test AND e.contact_on >= from_time AND e.contact_on < until_time
          AND NOT EXISTS (SELECT FROM dunning.outcome o
                          WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt
                            AND o.state IN ('queued', 'held', 'failed', 'dead', 'cancelled')
                            AND NOT EXISTS (SELECT FROM dunning.outcome s
                                            WHERE s.debtor_id = e.debtor_id AND s.message_id = e.message_id AND s.attempt = e.attempt
                                              AND s.state IN ('sent', 'delivered', 'unknown')));
END
$$;
COMMENT ON FUNCTION dunning._contacts(timestamptz, timestamptz) IS 'One row an attempt that left in a span of time, tests excluded, with the state of its message now.';

CREATE FUNCTION dunning.costs(from_date date, until_date date)
    RETURNS TABLE (creditor text, channel text, currency text, messages bigint, parts bigint, debtors bigint, cost numeric, collected_14d numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    from_time timestamptz := from_date::timestamp AT TIME ZONE coalesce(nullif(current_setting('dunning.timezone', true), ''), current_setting('TimeZone'));
    until_time timestamptz := until_date::timestamp AT TIME ZONE coalesce(nullif(current_setting('dunning.timezone', true), ''), current_setting('TimeZone'));
BEGIN
    IF from_date IS NULL OR until_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(until_date) OR from_date >= until_date THEN
        RAISE EXCEPTION 'costs are of a span of days' USING ERRCODE = '22023',
            DETAIL = format('Not from %s until %s.', coalesce(from_date::text, 'NULL'), coalesce(until_date::text, 'NULL')),
            HINT = 'SELECT * FROM dunning.costs(''2026-10-01'', ''2026-11-01'');';
    END IF;
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
$$;
COMMENT ON FUNCTION dunning.costs(date, date) IS
    'One row a creditor, channel and currency: messages, parts, debtors, cost, and what was paid within 14 days of the last contact. From the first day up to but not with the last. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.costs(date, date) TO dunning_viewer;

-- One metric: TYPE, HELP and its samples, as OpenMetrics wants them together.
CREATE FUNCTION dunning._metric(name text, kind text, help text, samples text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT format(E'# TYPE dunning_%s %s\n# HELP dunning_%s %s\n%s', name, kind, name, help,
                  coalesce((SELECT string_agg('dunning_' || name || CASE kind WHEN 'counter' THEN '_total' ELSE '' END || s || E'\n', '' ORDER BY s)
                            FROM unnest(samples) s), ''))
$$;
COMMENT ON FUNCTION dunning._metric(text, text, text, text[]) IS 'A metric family in OpenMetrics text.';

CREATE FUNCTION dunning._metric_label(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT '"' || replace(replace(replace(coalesce(value, ''), '\', '\\'), '"', '\"'), E'\n', '\n') || '"' $$;
COMMENT ON FUNCTION dunning._metric_label(text) IS 'A label value of OpenMetrics, quoted.';

CREATE FUNCTION dunning.metrics() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    -- Counters are of the partitions that are kept: a dropped month lowers them, which a scraper takes for a restart.
    result text := '';
BEGIN
    result := result || dunning._metric('queue_messages', 'gauge', 'Unfinished messages by state and channel.',
        ARRAY(SELECT format('{state=%s,channel=%s} %s', dunning._metric_label(q.state), dunning._metric_label(q.channel), count(*))
              FROM dunning.queue q GROUP BY q.state, q.channel));
    result := result || dunning._metric('held_messages', 'gauge', 'Held messages by what blocks them.',
        ARRAY(SELECT format('{blocked_by=%s} %s', dunning._metric_label(b.b), count(*))
              FROM dunning.queue q CROSS JOIN LATERAL unnest(q.blocked_by) AS b (b) WHERE q.state = 'held' GROUP BY b.b));
    result := result || dunning._metric('backlog_age_seconds', 'gauge', 'How long the oldest due message has waited.',
        ARRAY[(SELECT ' ' || greatest(0, round(extract(epoch FROM coalesce(dunning._now() - min(q.due), '0')))) FROM dunning.queue q WHERE q.state = 'queued')]);
    result := result || dunning._metric('attempts', 'counter', 'Attempts to send by channel and server, tests apart.',
        ARRAY(SELECT format('{channel=%s,server=%s,test=%s} %s', dunning._metric_label(e.channel), dunning._metric_label(e.server),
                            dunning._metric_label(e.test::text), count(*))
              FROM dunning.egress e GROUP BY e.channel, e.server, e.test));
    result := result || dunning._metric('outcomes', 'counter', 'Outcomes by state.',
        ARRAY(SELECT format('{state=%s} %s', dunning._metric_label(o.state), count(*)) FROM dunning.outcome o GROUP BY o.state));
    result := result || dunning._metric('events', 'counter', 'Events by kind.',
        ARRAY(SELECT format('{kind=%s} %s', dunning._metric_label(e.kind), count(*)) FROM dunning.event e GROUP BY e.kind));
    result := result || dunning._metric('open_tasks', 'gauge', 'Tasks that wait for a person.',
        ARRAY[(SELECT ' ' || count(*) FROM dunning.task t WHERE t.completed_at IS NULL)]);
    result := result || dunning._metric('active_holds', 'gauge', 'Holds in force by reason.',
        ARRAY(SELECT format('{reason=%s} %s', dunning._metric_label(h.reason), count(*)) FROM dunning.hold h
              WHERE h.released_at IS NULL AND coalesce(h.until_at > dunning._now(), true) GROUP BY h.reason));
    result := result || dunning._metric('ledger_ok', 'gauge', '1 while the ledger is whole and fresh.',
        ARRAY[' ' || CASE WHEN dunning._ledger_problem() IS NULL THEN 1 ELSE 0 END]);
    result := result || dunning._metric('paused_servers', 'gauge', 'Servers that are paused.',
        ARRAY[(SELECT ' ' || count(*) FROM dunning._servers() s WHERE s.paused)]);
    RETURN result || E'# EOF\n';
END
$$;
COMMENT ON FUNCTION dunning.metrics() IS 'The state of queue, delivery, events and ledger as OpenMetrics text, without any name or id of a person. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.metrics() TO dunning_viewer;
-- Bricks of the HTML report: escaping, numbers, tables, bars and lines. Pure functions over values.

CREATE FUNCTION dunning._html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT replace(replace(replace(replace(replace(coalesce(value, ''), '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;') $$;
COMMENT ON FUNCTION dunning._html(text) IS 'Text made safe as content and as a quoted attribute of HTML; NULL is empty.';

CREATE FUNCTION dunning._number(value numeric, language text, decimals int DEFAULT 0) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN value IS NULL THEN '–'
           WHEN language = 'en' THEN plain
           WHEN language IN ('sv', 'nb') THEN translate(plain, ',.', U&'\00A0,')
           ELSE translate(plain, ',.', '.,') END
    FROM (SELECT btrim(to_char(round(value, decimals), CASE decimals WHEN 0 THEN 'FM999,999,999,999,990' ELSE 'FM999,999,999,999,990.' || repeat('0', decimals) END)) AS plain) x
$$;
COMMENT ON FUNCTION dunning._number(numeric, text, int) IS 'A number as the language writes it.';

CREATE FUNCTION dunning._html_table(head text[], body text, caption text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT '<table>' || coalesce('<caption>' || dunning._html(caption) || '</caption>', '') || '<thead><tr>'
           || (SELECT string_agg(CASE WHEN h LIKE '>%' THEN '<th scope="col" class="n">' || dunning._html(substr(h, 2)) ELSE '<th scope="col">' || dunning._html(h) END || '</th>', '' ORDER BY ord) FROM unnest(head) WITH ORDINALITY AS t (h, ord))
           || E'</tr></thead>\n<tbody>' || body || E'</tbody></table>\n'
$$;
COMMENT ON FUNCTION dunning._html_table(text[], text, text) IS 'A table: heads as text (with > in front above numbers), rows as HTML.';

-- The first cell names the row; cells are text, those that look like numbers stand right.
CREATE FUNCTION dunning._html_row(cells text[], class text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT '<tr' || coalesce(' class="' || dunning._html(class) || '"', '') || '>'
           || string_agg(CASE WHEN ord = 1 THEN '<th scope="row">' || dunning._html(c) || '</th>'
                              WHEN c ~ U&'^[-\2013]?(\\d{1,3}([.,\00A0]\\d{3})*([.,]\\d{1,2})?|\\d+[.,]\\d{2})( ?%| [A-Z]{3})?$' OR c = '–' THEN '<td class="n">' || dunning._html(c) || '</td>'
                              ELSE '<td>' || dunning._html(c) || '</td>' END, '' ORDER BY ord)
           || E'</tr>\n'
    FROM unnest(cells) WITH ORDINALITY AS t (c, ord)
$$;
COMMENT ON FUNCTION dunning._html_row(text[], text) IS 'A row of a table from texts.';

-- Bars with their words and figures beside them, so that no colour says anything alone.
CREATE FUNCTION dunning._svg_bars(title text, labels text[], amounts numeric[], texts text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT format('<svg viewBox="0 0 480 %s" role="img" aria-label="%s"><title>%s</title>', 6 + 24 * cardinality(labels), dunning._html(title), dunning._html(title))
           || string_agg(format('<text x="102" y="%s" text-anchor="end">%s</text><rect x="110" y="%s" width="%s" height="16" rx="2" class="b%s"/><text x="%s" y="%s">%s</text>',
                                y + 16, dunning._html(labels[i]), y + 3, w, least(i, 5), 118 + w, y + 16, dunning._html(texts[i])), '' ORDER BY i)
           || E'</svg>\n'
    FROM (SELECT i, 4 + 24 * (i - 1) AS y,
                 round(270 * greatest(0, amounts[i]) / nullif((SELECT max(greatest(0, a)) FROM unnest(amounts) a), 0), 1) AS w0
          FROM generate_subscripts(labels, 1) i) x
    CROSS JOIN LATERAL (SELECT coalesce(w0, 0) AS w) y
$$;
COMMENT ON FUNCTION dunning._svg_bars(text, text[], numeric[], text[]) IS 'Horizontal bars, each with its label and its figure.';

CREATE FUNCTION dunning._svg_line(title text, labels text[], amounts numeric[], texts text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
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
           || coalesce(string_agg(format('<text x="%s" y="%s" text-anchor="%s" class="s">%s</text>', x, greatest(12, y - 8),
                                         CASE WHEN i = 1 THEN 'start' ELSE 'end' END, dunning._html(texts[i])), '' ORDER BY i)
                       FILTER (WHERE i = 1 OR i = cardinality(amounts)), '')
           || E'</svg>\n'
    FROM point
$$;
COMMENT ON FUNCTION dunning._svg_line(text, text[], numeric[], text[]) IS 'A line over evenly spaced points; first and last carry their figures.';

CREATE FUNCTION dunning._html_page(title text, language text, body text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT '<!DOCTYPE html>' || E'\n<html lang="' || dunning._html(language) || E'">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        || '<title>' || dunning._html(title) || E'</title>\n<style>\n'
        || ':root{--ink:#1b2733;--soft:#5b6875;--line:#d5dbe1;--paper:#fff;--tint:#f4f6f8;--main:#1f5f8b;--warn:#8a4b00;--bad:#9c1c1c;--good:#1d6b3a}
*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:24px;font:14px/1.45 "DejaVu Sans",Verdana,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:22px;margin:0}h2{font-size:16px;margin:28px 0 8px;border-bottom:2px solid var(--main);padding-bottom:4px}h3{font-size:14px;margin:14px 0 6px}
p.sub{color:var(--soft);margin:2px 0 16px}table{border-collapse:collapse;width:100%;margin:8px 0;font-size:13px}caption{text-align:left;color:var(--soft);padding:4px 0}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:top}thead th{background:var(--tint);font-weight:600}tbody th{font-weight:500}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}tr.few th,tr.few td{color:var(--soft);font-style:italic}
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
$$;
COMMENT ON FUNCTION dunning._html_page(text, text, text) IS 'A whole HTML page with its own style: no script, nothing fetched, prints on A4.';
-- The words of the report.

CREATE FUNCTION dunning._labels(language text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$fn$
    SELECT (l -> 'en') || coalesce(l -> lower(split_part(replace(language, '_', '-'), '-', 1)), '{}')
           || jsonb_build_object('lang', CASE WHEN l ? lower(split_part(replace(language, '_', '-'), '-', 1)) THEN lower(split_part(replace(language, '_', '-'), '-', 1)) ELSE 'en' END)
    FROM (SELECT $json${
"en": {"title": "Collections report", "as_of": "as of", "warnings": "Warnings", "all_well": "Nothing to warn of.", "figures": "Key figures", "overdue": "Overdue", "received_7": "Received, 7 days",
 "received_30": "Received, 30 days", "kept": "Promises kept", "before": "before", "of": "of", "none": "none", "ageing": "How old is what is open", "bucket": "Days past due", "amount": "Amount", "invoices": "Invoices",
 "debtors": "Debtors", "not_due": "not yet due", "over": "over", "reach": "Whom we reached, in the last 90 days", "segment": "Segment", "channel": "Channel", "contacted": "Contacted", "reached": "Reached", "paid_14": "Paid in 14 days",
 "cost": "Cost", "stopped": "Opt-outs, complaints", "few": "Rows in italics: fewer than 30 debtors, too few to compare.", "history": "Open balance, last 13 weeks", "week": "Day", "hours": "When debtors respond and pay, local time, 180 days",
 "hour": "Hour", "days": "Mon,Tue,Wed,Thu,Fri,Sat,Sun", "held": "What is held, and why", "reason": "Reason", "messages": "Messages", "holds": "Holds", "next": "Planned for the next 7 days", "day": "Day", "no_data": "No data yet.",
 "w_ledger": "The ledger is not usable ({}): every contact is held.", "w_delivery": "Delivery is {}: nothing leaves.", "w_zero": "{} messages were due in the last 7 days and none was sent.", "w_dead": "{} messages could not be delivered in the last 7 days (dead letters).",
 "w_unknown": "{} messages have an unknown fate: wait for receipts or ask the gateway.", "w_paused": "Server {} is paused.", "w_down": "Server {}: most attempts of the last 24 hours failed.", "w_tasks": "{} tasks are overdue on the worklist.", "w_scores": "There are no scores yet.",
 "debtor": "Debtor", "preferences": "Preferences", "name": "Name", "language": "Language", "country": "Country", "preferred": "Preferred channel", "consent": "Consent", "email": "E-mail", "phone": "Phone", "balance": "Balance", "dpd": "days past due",
 "diagnosis": "Diagnosis", "p30": "Pays within 30 days", "conversation": "Conversation", "when": "When", "what": "What", "text": "Text", "invoice": "Invoice", "due": "Due", "open": "Open", "promises": "Promises", "state": "State", "next_contact": "Next contact",
 "last_contact": "Last contact", "until": "until"},
"de": {"title": "Inkassobericht", "as_of": "Stand", "warnings": "Warnungen", "all_well": "Keine Warnungen.", "figures": "Kennzahlen", "overdue": "Überfällig", "received_7": "Eingegangen, 7 Tage",
 "received_30": "Eingegangen, 30 Tage", "kept": "Zusagen eingehalten", "before": "zuvor", "of": "von", "none": "keine", "ageing": "Alter der offenen Posten", "bucket": "Tage überfällig", "amount": "Betrag", "invoices": "Rechnungen",
 "debtors": "Schuldner", "not_due": "noch nicht fällig", "over": "über", "reach": "Wen wir erreicht haben, letzte 90 Tage", "segment": "Segment", "channel": "Kanal", "contacted": "Kontaktiert", "reached": "Erreicht", "paid_14": "Bezahlt in 14 Tagen",
 "cost": "Kosten", "stopped": "Abmeldungen, Beschwerden", "few": "Kursive Zeilen: weniger als 30 Schuldner, zu wenige für einen Vergleich.", "history": "Offener Saldo, letzte 13 Wochen", "week": "Tag", "hours": "Wann Schuldner antworten und zahlen, Ortszeit, 180 Tage",
 "hour": "Stunde", "days": "Mo,Di,Mi,Do,Fr,Sa,So", "held": "Was angehalten ist, und warum", "reason": "Grund", "messages": "Nachrichten", "holds": "Sperren", "next": "Geplant für die nächsten 7 Tage", "day": "Tag", "no_data": "Noch keine Daten.",
 "w_ledger": "Das Hauptbuch ist nicht verwendbar ({}): jeder Kontakt ist angehalten.", "w_delivery": "Der Versand steht auf {}: nichts geht hinaus.", "w_zero": "{} Nachrichten waren in den letzten 7 Tagen fällig, keine wurde gesendet.", "w_dead": "{} Nachrichten waren in den letzten 7 Tagen nicht zustellbar.",
 "w_unknown": "Bei {} Nachrichten ist unbekannt, ob sie ankamen: Quittungen abwarten oder beim Anbieter nachfragen.", "w_paused": "Server {} ist angehalten.", "w_down": "Server {}: die meisten Versuche der letzten 24 Stunden scheiterten.", "w_tasks": "{} Aufgaben sind überfällig.", "w_scores": "Es gibt noch keine Bewertungen.",
 "debtor": "Schuldner", "preferences": "Vorlieben", "name": "Name", "language": "Sprache", "country": "Land", "preferred": "Bevorzugter Kanal", "consent": "Einwilligung", "email": "E-Mail", "phone": "Telefon", "balance": "Saldo", "dpd": "Tage überfällig",
 "diagnosis": "Diagnose", "p30": "Zahlt binnen 30 Tagen", "conversation": "Verlauf", "when": "Wann", "what": "Was", "text": "Text", "invoice": "Rechnung", "due": "Fällig", "open": "Offen", "promises": "Zusagen", "state": "Stand", "next_contact": "Nächster Kontakt",
 "last_contact": "Letzter Kontakt", "until": "bis"},
"nl": {"title": "Incassorapport", "as_of": "stand van", "warnings": "Waarschuwingen", "all_well": "Geen waarschuwingen.", "figures": "Kerncijfers", "overdue": "Achterstallig", "received_7": "Ontvangen, 7 dagen",
 "received_30": "Ontvangen, 30 dagen", "kept": "Toezeggingen nagekomen", "before": "daarvoor", "of": "van", "none": "geen", "ageing": "Ouderdom van openstaande posten", "bucket": "Dagen te laat", "amount": "Bedrag", "invoices": "Facturen",
 "debtors": "Debiteuren", "not_due": "nog niet vervallen", "over": "meer dan", "reach": "Wie wij bereikten, laatste 90 dagen", "segment": "Segment", "channel": "Kanaal", "contacted": "Benaderd", "reached": "Bereikt", "paid_14": "Betaald binnen 14 dagen",
 "cost": "Kosten", "stopped": "Afmeldingen, klachten", "few": "Cursieve regels: minder dan 30 debiteuren, te weinig om te vergelijken.", "history": "Openstaand saldo, laatste 13 weken", "week": "Dag", "hours": "Wanneer debiteuren reageren en betalen, lokale tijd, 180 dagen",
 "hour": "Uur", "days": "ma,di,wo,do,vr,za,zo", "held": "Wat is aangehouden, en waarom", "reason": "Reden", "messages": "Berichten", "holds": "Blokkades", "next": "Gepland voor de komende 7 dagen", "day": "Dag", "no_data": "Nog geen gegevens.",
 "w_ledger": "Het grootboek is niet bruikbaar ({}): elk contact wordt aangehouden.", "w_delivery": "Verzending staat op {}: er gaat niets uit.", "w_zero": "{} berichten waren de laatste 7 dagen aan de beurt en geen enkel is verzonden.", "w_dead": "{} berichten konden de laatste 7 dagen niet worden bezorgd.",
 "w_unknown": "Van {} berichten is het lot onbekend: wacht op bevestigingen of vraag het de aanbieder.", "w_paused": "Server {} is gepauzeerd.", "w_down": "Server {}: de meeste pogingen van de laatste 24 uur mislukten.", "w_tasks": "{} taken zijn over tijd.", "w_scores": "Er zijn nog geen scores.",
 "debtor": "Debiteur", "preferences": "Voorkeuren", "name": "Naam", "language": "Taal", "country": "Land", "preferred": "Voorkeurskanaal", "consent": "Toestemming", "email": "E-mail", "phone": "Telefoon", "balance": "Saldo", "dpd": "dagen te laat",
 "diagnosis": "Diagnose", "p30": "Betaalt binnen 30 dagen", "conversation": "Gesprek", "when": "Wanneer", "what": "Wat", "text": "Tekst", "invoice": "Factuur", "due": "Vervalt", "open": "Open", "promises": "Toezeggingen", "state": "Stand", "next_contact": "Volgend contact",
 "last_contact": "Laatste contact", "until": "tot"},
"da": {"title": "Inkassorapport", "as_of": "pr.", "warnings": "Advarsler", "all_well": "Ingen advarsler.", "figures": "Nøgletal", "overdue": "Forfaldent", "received_7": "Modtaget, 7 dage",
 "received_30": "Modtaget, 30 dage", "kept": "Løfter holdt", "before": "før", "of": "af", "none": "ingen", "ageing": "Hvor gammelt er det udestående", "bucket": "Dage over forfald", "amount": "Beløb", "invoices": "Fakturaer",
 "debtors": "Skyldnere", "not_due": "endnu ikke forfaldent", "over": "over", "reach": "Hvem vi nåede, seneste 90 dage", "segment": "Segment", "channel": "Kanal", "contacted": "Kontaktet", "reached": "Nået", "paid_14": "Betalt inden 14 dage",
 "cost": "Omkostning", "stopped": "Afmeldinger, klager", "few": "Rækker i kursiv: færre end 30 skyldnere, for få til at sammenligne.", "history": "Udestående saldo, seneste 13 uger", "week": "Dag", "hours": "Hvornår skyldnere svarer og betaler, lokal tid, 180 dage",
 "hour": "Time", "days": "man,tir,ons,tor,fre,lør,søn", "held": "Hvad der holdes tilbage, og hvorfor", "reason": "Grund", "messages": "Beskeder", "holds": "Spærringer", "next": "Planlagt de næste 7 dage", "day": "Dag", "no_data": "Endnu ingen data.",
 "w_ledger": "Bogføringen kan ikke bruges ({}): al kontakt holdes tilbage.", "w_delivery": "Udsendelse står på {}: intet sendes.", "w_zero": "{} beskeder skulle være sendt de seneste 7 dage, og ingen blev det.", "w_dead": "{} beskeder kunne ikke leveres de seneste 7 dage.",
 "w_unknown": "{} beskeders skæbne er ukendt: afvent kvitteringer eller spørg udbyderen.", "w_paused": "Server {} er sat på pause.", "w_down": "Server {}: de fleste forsøg de seneste 24 timer mislykkedes.", "w_tasks": "{} opgaver er over tid.", "w_scores": "Der er endnu ingen scorer.",
 "debtor": "Skyldner", "preferences": "Præferencer", "name": "Navn", "language": "Sprog", "country": "Land", "preferred": "Foretrukken kanal", "consent": "Samtykke", "email": "E-mail", "phone": "Telefon", "balance": "Saldo", "dpd": "dage over forfald",
 "diagnosis": "Diagnose", "p30": "Betaler inden 30 dage", "conversation": "Forløb", "when": "Hvornår", "what": "Hvad", "text": "Tekst", "invoice": "Faktura", "due": "Forfald", "open": "Åben", "promises": "Løfter", "state": "Status", "next_contact": "Næste kontakt",
 "last_contact": "Seneste kontakt", "until": "til"}
}$json$::jsonb AS l) x
$fn$;
COMMENT ON FUNCTION dunning._labels(text) IS 'The words of the report in en, de, nl or da; English where a language or a word is missing.';
-- govern: keep the machinery in order. maintain() and daily() are safe to run again at any time.

CREATE TABLE dunning.run (
    run_id          uuid PRIMARY KEY,
    creditor        text COLLATE "C",           -- NULL: all
    state           text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    pid             int NOT NULL,               -- the backend that works on it, to tell a run that died from one that goes on
    beat_at         timestamptz NOT NULL,       -- real clock: when that backend last began or ended a step
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    started_by      text NOT NULL
);
COMMENT ON TABLE dunning.run IS 'One row a run of daily().';

CREATE TABLE dunning.run_step (
    run_id          uuid NOT NULL,
    position        int NOT NULL,
    step            text COLLATE "C" NOT NULL,
    state           text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    rows            bigint,
    detail          text,
    PRIMARY KEY (run_id, step)
);
COMMENT ON TABLE dunning.run_step IS 'The steps of each run of daily(), with what they did or why they failed.';

SELECT pg_catalog.pg_extension_config_dump('dunning.run', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.run_step', '');
GRANT SELECT ON dunning.run, dunning.run_step TO dunning_viewer;

CREATE VIEW dunning.run_log WITH (security_invoker, security_barrier) AS
    SELECT r.run_id, r.creditor, s.step, s.state, s.started_at, s.finished_at,
           pg_catalog.round(EXTRACT(epoch FROM s.finished_at - s.started_at), 3) AS seconds, s.rows, s.detail, r.state AS run_state, r.started_by, s.position
    FROM dunning.run r JOIN dunning.run_step s ON s.run_id = r.run_id
    ORDER BY r.started_at DESC, r.run_id DESC, s.position;
COMMENT ON VIEW dunning.run_log IS 'The runs of daily(), newest first, one row a step: state, seconds, rows, what it did or why it failed. Role dunning_viewer.';
GRANT SELECT ON dunning.run_log TO dunning_viewer;

-- Drops the months that are wholly past the retention. The egress chain goes on from an anchor: the last digest of what is dropped.
CREATE FUNCTION dunning._drop_old_months(before timestamptz) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    old record;
    month date;
    dropped int := 0;
BEGIN
    FOR old IN
        SELECT p.relname::text AS parent, c.relname::text AS name, c.oid
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
        JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
        WHERE n.nspname = 'dunning' AND p.relname IN ('message', 'body', 'egress', 'outcome') AND c.relname ~ '_y\d{4}m\d{2}$'
        ORDER BY c.relname
    LOOP
        month := to_date(right(old.name, 7), 'YYYY"m"MM');
        CONTINUE WHEN (month + interval '1 month')::timestamp AT TIME ZONE 'UTC' > before;
        -- A message that is still unfinished keeps its month.
        CONTINUE WHEN EXISTS (SELECT FROM dunning.queue q
                              WHERE q.message_id >= dunning._uuid7_floor(month::timestamp AT TIME ZONE 'UTC')
                                AND q.message_id < dunning._uuid7_floor((month + interval '1 month')::timestamp AT TIME ZONE 'UTC'));
        IF old.parent = 'egress' THEN
            EXECUTE format('INSERT INTO dunning.egress_anchor (slice, seq, digest, dropped_at)
                            SELECT DISTINCT ON (e.slice) e.slice, e.seq, e.digest, dunning._now() FROM dunning.%I e ORDER BY e.slice, e.seq DESC
                            ON CONFLICT DO NOTHING', old.name);
        END IF;
        EXECUTE format('DROP TABLE dunning.%I', old.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION dunning._drop_old_months(timestamptz) IS 'How many month partitions it dropped that ended before an instant.';

CREATE FUNCTION dunning.maintain() RETURNS TABLE (item text, rows bigint, detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    keep_from timestamptz := dunning._now() - make_interval(days => dunning._value_of('retention_days')::int);
    n bigint := 0;
    checked record;
    refresh record;
BEGIN
    -- Messages are keyed by the real clock, whatever the virtual one says.
    FOR ahead IN 0 .. dunning._value_of('partitions_ahead')::int LOOP
        n := n + dunning._ensure_partitions(clock_timestamp() + ahead * interval '1 month');
    END LOOP;
    RETURN QUERY VALUES ('partitions made', n, dunning._value_of('partitions_ahead') || ' month(s) ahead');

    SELECT c.broken, c.ended INTO checked FROM dunning._check_promises() c;
    RETURN QUERY VALUES ('promise holds ended', checked.ended::bigint, checked.broken || ' broken');

    -- Each room that keeps something learnt has one such function; it is called where it exists.
    FOR refresh IN
        SELECT p.proname::text AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'dunning'::regnamespace AND p.proname LIKE '\_refresh\_%' AND p.pronargs - p.pronargdefaults = 0
        ORDER BY p.proname
    LOOP
        EXECUTE format('SELECT count(*) FROM dunning.%I()', refresh.name) INTO n;
        RETURN QUERY VALUES (substr(refresh.name, 2), n, NULL);
    END LOOP;

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
$$;
COMMENT ON FUNCTION dunning.maintain() IS
    'One row a chore with how many rows it touched: partitions ahead, promises checked, profiles refreshed, held messages looked at again, retention (settings retention_days, partitions_ahead). Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.maintain() TO dunning_operator;
-- daily(): refresh, score, plan, maintain, each in a transaction of its own, so that a night that breaks off goes on where it was.

-- The run to work on: a new one, or the one that broke off. A run whose backend lives is somebody else's.
CREATE FUNCTION dunning._run_begin(creditor text, pid int) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    open_run dunning.run;
    id uuid;
BEGIN
    IF _run_begin.creditor IS NOT NULL AND NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = _run_begin.creditor) THEN
        RAISE EXCEPTION 'there is no creditor "%"', _run_begin.creditor
            USING ERRCODE = '22023',
                  DETAIL = format('Known are %s.', coalesce((SELECT string_agg(DISTINCT c.creditor, ', ') FROM dunning.creditor c), 'none')),
                  HINT = format('SELECT dunning.save_creditor(%L, ''Name'');', _run_begin.creditor);
    END IF;
    -- Two beginnings at once are told apart here, for the length of this transaction.
    PERFORM pg_advisory_xact_lock(1685416558, 'dunning.run'::regclass::oid::int);
    SELECT r.* INTO open_run FROM dunning.run r WHERE r.state = 'running' ORDER BY r.started_at DESC LIMIT 1;
    IF FOUND THEN
        IF open_run.pid <> _run_begin.pid AND open_run.beat_at > pg_postmaster_start_time()
           AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = open_run.pid AND a.datname = current_database()) THEN
            RAISE EXCEPTION 'a daily run is going on'
                USING ERRCODE = 'DN008', DETAIL = format('Backend %s began it at %s.', open_run.pid, open_run.started_at),
                      HINT = 'SELECT * FROM dunning.run_log WHERE run_state = ''running'';';
        END IF;
        IF open_run.creditor IS NOT DISTINCT FROM _run_begin.creditor AND open_run.beat_at > clock_timestamp() - interval '20 hours' THEN
            UPDATE dunning.run r SET pid = _run_begin.pid, beat_at = clock_timestamp() WHERE r.run_id = open_run.run_id;
            RETURN open_run.run_id;
        END IF;
        -- Too old to go on with, or of another creditor: what it left undone is done anew.
        UPDATE dunning.run r SET state = 'failed', finished_at = dunning._now() WHERE r.run_id = open_run.run_id;
        UPDATE dunning.run_step s SET state = 'failed', finished_at = dunning._now(), detail = 'broken off'
        WHERE s.run_id = open_run.run_id AND s.state = 'running';
    END IF;
    id := dunning._uuid7();
    INSERT INTO dunning.run (run_id, creditor, state, pid, beat_at, started_at, started_by)
    VALUES (id, _run_begin.creditor, 'running', _run_begin.pid, clock_timestamp(), dunning._now(), session_user);
    RETURN id;
END
$$;
COMMENT ON FUNCTION dunning._run_begin(text, int) IS 'The run to work on, new or resumed. Another backend works on one: DN008.';
GRANT EXECUTE ON FUNCTION dunning._run_begin(text, int) TO dunning_operator;

CREATE FUNCTION dunning._run_steps() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT ARRAY['refresh', 'score', 'plan', 'maintain'] $$;
COMMENT ON FUNCTION dunning._run_steps() IS 'The steps of daily() in order.';

CREATE FUNCTION dunning._run_work(step text, creditor text, OUT rows bigint, OUT detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    checked record;
    problem text := dunning._ledger_problem();
    many text[];
BEGIN
    CASE _run_work.step
        WHEN 'refresh' THEN
            SELECT c.broken, c.ended INTO checked FROM dunning._check_promises() c;
            rows := checked.ended;
            detail := format('ledger %s, %s promise hold(s) ended, %s broken', coalesce(problem, 'ok'), checked.ended, checked.broken);
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
            FROM dunning.maintain() m;
    END CASE;
END
$$;
COMMENT ON FUNCTION dunning._run_work(text, text) IS 'Does one step of daily(): rows touched and what was done, in words.';

-- One step: done before, done now, or failed with its reason kept. A failed step does not keep the next from its work.
CREATE FUNCTION dunning._run_step(run_id uuid, step text, pid int) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    of_creditor text;
    result record;
    said text;
    why text;
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
        SELECT w.rows, w.detail INTO result FROM dunning._run_work(_run_step.step, of_creditor) w;
    EXCEPTION WHEN OTHERS THEN
        said := 'failed';
        why := format('%s: %s', SQLSTATE, SQLERRM);
    END;
    INSERT INTO dunning.run_step AS s (run_id, position, step, state, started_at, finished_at, rows, detail)
    VALUES (_run_step.run_id, array_position(dunning._run_steps(), _run_step.step), _run_step.step, said, began, clock_timestamp(),
            CASE said WHEN 'done' THEN result.rows END, CASE said WHEN 'done' THEN result.detail ELSE why END)
    ON CONFLICT ON CONSTRAINT run_step_pkey DO UPDATE
        SET state = excluded.state, started_at = excluded.started_at, finished_at = excluded.finished_at, rows = excluded.rows, detail = excluded.detail;
    UPDATE dunning.run r SET beat_at = clock_timestamp() WHERE r.run_id = _run_step.run_id;
    RETURN said;
END
$$;
COMMENT ON FUNCTION dunning._run_step(uuid, text, int) IS 'done or failed: one step of a run, not done again where it is done.';
GRANT EXECUTE ON FUNCTION dunning._run_step(uuid, text, int) TO dunning_operator;

CREATE FUNCTION dunning._run_end(run_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    failed text := (SELECT string_agg(s.step || ' (' || s.detail || ')', '; ' ORDER BY s.position)
                    FROM dunning.run_step s WHERE s.run_id = _run_end.run_id AND s.state = 'failed');
BEGIN
    UPDATE dunning.run r SET state = CASE WHEN failed IS NULL THEN 'done' ELSE 'failed' END, finished_at = dunning._now(), beat_at = clock_timestamp()
    WHERE r.run_id = _run_end.run_id;
    RETURN failed;
END
$$;
COMMENT ON FUNCTION dunning._run_end(uuid) IS 'NULL, or the failed steps of a run with their reasons; closes it.';
GRANT EXECUTE ON FUNCTION dunning._run_end(uuid) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._run_steps() TO dunning_operator;

-- Commits between its steps, hence no SET and no SECURITY DEFINER; what it calls has both.
CREATE PROCEDURE dunning.daily(creditor text DEFAULT NULL)
    LANGUAGE plpgsql AS
$$
#variable_conflict error
DECLARE
    id uuid;
    failed text;
    step text;
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
$$;
COMMENT ON PROCEDURE dunning.daily(text) IS
    'Refresh, score, plan and maintain, each committed by itself and logged in run_log; goes on where a broken run stopped. One at a time: DN008; a step that fails is told at the end: 55000. Role dunning_operator.';
GRANT EXECUTE ON PROCEDURE dunning.daily(text) TO dunning_operator;
-- health(): every part that contact depends on, each line that is not ok with the SQL that mends it.

CREATE FUNCTION dunning._load_server(server text) RETURNS text
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'dun_govern_sql_load_server';
COMMENT ON FUNCTION dunning._load_server(text) IS 'The driver of a server that can be used; else DN006 with what is wrong with its options, mapping or secret file.';

CREATE FUNCTION dunning._own_setting(name text) RETURNS text
    LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'dun_govern_sql_setting';
COMMENT ON FUNCTION dunning._own_setting(text) IS 'A setting of the extension, named without "dunning."; NULL where it is not defined.';

CREATE FUNCTION dunning._health_server_side() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
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
                 WHEN w.n = 0 THEN 'SELECT pg_reload_conf();' END
        FROM (SELECT count(*) AS n FROM pg_catalog.pg_stat_activity a WHERE a.usename = 'dunning_worker' AND a.datname = current_database()) w;
    END IF;
    SELECT a.activated, a.reason INTO active FROM dunning._activation_state() a;
    RETURN QUERY SELECT 'activation', CASE WHEN active.activated THEN 'ok' ELSE 'fail' END,
        CASE WHEN active.activated THEN 'activated here' ELSE coalesce(active.reason, 'not activated') END,
        CASE WHEN active.activated THEN NULL ELSE 'SELECT dunning.activate();' END;
    RETURN QUERY SELECT 'delivery', CASE coalesce(delivery, 'on') WHEN 'on' THEN 'ok' ELSE 'warn' END, 'dunning.delivery is ' || coalesce(delivery, 'not set'),
        CASE WHEN delivery <> 'on' THEN 'ALTER SYSTEM SET dunning.delivery = on; SELECT pg_reload_conf();' END;
    RETURN QUERY SELECT 'redirect', CASE WHEN coalesce(redirect, '') = '' THEN 'ok' ELSE 'warn' END,
        CASE WHEN coalesce(redirect, '') = '' THEN 'messages go to the debtors' ELSE 'every message goes to one address, marked TEST' END,
        CASE WHEN coalesce(redirect, '') <> '' THEN format('ALTER DATABASE %I RESET dunning.redirect_to;', current_database()) END;
    RETURN QUERY SELECT 'clock', CASE WHEN dunning._virtual_clock() IS NULL THEN 'ok' ELSE 'warn' END,
        CASE WHEN dunning._virtual_clock() IS NULL THEN 'real' ELSE format('virtual: it is always %s', dunning._virtual_clock()) END,
        CASE WHEN dunning._virtual_clock() IS NOT NULL THEN 'RESET dunning.clock;' END;
    RETURN QUERY SELECT 'role ' || r.rolname, CASE WHEN r.rolsuper THEN 'fail' ELSE 'ok' END,
        CASE WHEN r.rolsuper THEN 'is a superuser: bound views would run as one' ELSE 'no superuser' END,
        CASE WHEN r.rolsuper THEN format('ALTER ROLE %I NOSUPERUSER;', r.rolname) END
    FROM pg_catalog.pg_roles r WHERE r.rolname IN ('dunning_owner', 'dunning_worker') ORDER BY r.rolname;
END
$$;
COMMENT ON FUNCTION dunning._health_server_side() IS 'Preload, worker, activation, settings, clock and roles.';

CREATE FUNCTION dunning._health_ledger() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    problem text := dunning._ledger_problem();
    rows_found bigint;
    why text;
    hint text;
BEGIN
    RETURN QUERY SELECT 'ledger', CASE WHEN problem IS NULL THEN 'ok' ELSE 'fail' END,
        coalesce(problem || ': every contact is held', 'read live'), CASE WHEN problem IS NOT NULL THEN 'SELECT * FROM dunning.source;' END;
    RETURN QUERY SELECT 'source ' || s.kind, CASE WHEN s.state IN ('ok', 'builtin') THEN 'ok' ELSE 'fail' END,
        concat_ws(', ', s.relation, s.state, s.detail), s.fix_sql
    FROM dunning.source s ORDER BY s.kind;
    BEGIN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) d LIMIT 1) x', dunning._ledger_sql('debtor')) INTO rows_found;
        RETURN QUERY SELECT 'debtors', CASE rows_found WHEN 0 THEN 'warn' ELSE 'ok' END, CASE rows_found WHEN 0 THEN 'there is none' ELSE 'found' END,
                            CASE rows_found WHEN 0 THEN 'SELECT dunning.bind(''debtor'', ''schema.view'');' END;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT 'debtors', 'fail', why, hint;
    END;
END
$$;
COMMENT ON FUNCTION dunning._health_ledger() IS 'The sources: bound, readable, fresh.';

CREATE FUNCTION dunning._health_gateways() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    s record;
    why text;
    more text;
    hint text;
BEGIN
    FOR s IN SELECT v.server, v.channel_served, v.paused FROM dunning._servers() v ORDER BY v.server LOOP
        BEGIN
            PERFORM dunning._load_server(s.server);
            RETURN QUERY SELECT 'server ' || s.server, CASE WHEN s.paused THEN 'warn' ELSE 'ok' END,
                s.channel_served || CASE WHEN s.paused THEN ', paused' ELSE '' END, CASE WHEN s.paused THEN format('SELECT dunning.resume(%L);', s.server) END;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT 'server ' || s.server, 'fail', concat_ws(' ', why, nullif(more, '')), nullif(hint, '');
        END;
    END LOOP;
    RETURN QUERY SELECT 'channel ' || c.channel, 'warn', 'a step wants it and no server serves it',
        format('CREATE SERVER %I TYPE %L FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ''…'');', 'my_' || c.channel, c.channel)
    FROM (SELECT DISTINCT x.channel FROM dunning.step p CROSS JOIN LATERAL unnest(p.channels) AS x (channel) WHERE p.enabled) c
    WHERE NOT EXISTS (SELECT FROM dunning._servers(c.channel) v) ORDER BY 1;
END
$$;
COMMENT ON FUNCTION dunning._health_gateways() IS 'Servers: options, mapping and secret file as the worker will read them; channels without one.';

-- Every template a step uses, on each of its channels, in every language debtors have, rendered with a full context.
CREATE FUNCTION dunning._health_templates() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    t record;
    languages text[];
    why text;
    hint text;
    tried int := 0;
    failed int := 0;
    missing text[] := '{}';
    sample jsonb := '{"debtor_id": "1", "name": "Kirsten Hansen", "given_name": "Kirsten", "company": false, "creditor": "default", "creditor_name": "Creditor",
        "sender_name": "Mette", "creditor_phone": "+4512345678", "creditor_account": "DK00", "reply_to": "a@example.com", "amount": 1240.50, "currency": "DKK",
        "due_on": "2026-10-01", "days_overdue": 12, "invoice_count": 1, "reference": "F-1", "pay_url": "https://example.com/p",
        "balances": [{"currency": "DKK", "amount": 1240.50, "due_on": "2026-10-01", "days_overdue": 12, "invoices": [{"reference": "F-1", "amount": 1240.50,
        "due_on": "2026-10-01", "days_overdue": 12, "pay_url": "https://example.com/p"}]}], "other_currencies": []}';
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT dunning._language(d.language)) FILTER (WHERE d.language IS NOT NULL), ''{en}'') FROM (%s) d', dunning._ledger_sql('debtor'))
        INTO languages;
    FOR t IN
        SELECT DISTINCT s.template, c.channel::text AS channel, l.language
        FROM dunning.step s CROSS JOIN LATERAL unnest(s.channels) AS c (channel) CROSS JOIN unnest(languages) AS l (language)
        WHERE s.enabled AND l.language IS NOT NULL ORDER BY 1, 2, 3
    LOOP
        tried := tried + 1;
        BEGIN
            PERFORM dunning.render(t.template, sample, t.language, t.channel);
            IF (SELECT f.language FROM dunning._template(t.template, t.channel, t.language, NULL) f) <> t.language THEN
                missing := missing || (t.template || '/' || t.channel || '/' || t.language);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            failed := failed + 1;
            RETURN QUERY SELECT format('template %s, %s, %s', t.template, t.channel, t.language), 'fail', why, nullif(hint, '');
        END;
    END LOOP;
    RETURN QUERY SELECT 'templates', CASE WHEN failed > 0 THEN 'fail' WHEN missing <> '{}' THEN 'warn' ELSE 'ok' END,
        CASE WHEN failed > 0 THEN format('%s of %s cannot be rendered', failed, tried)
             WHEN missing <> '{}' THEN 'another language is used for ' || array_to_string(missing[1:5], ', ') || CASE WHEN cardinality(missing) > 5 THEN ' …' ELSE '' END
             ELSE format('%s rendered', tried) END,
        CASE WHEN failed = 0 AND missing <> '{}'
             THEN format('SELECT * FROM dunning.save_template(%L, %L, %L, ''subject'', ''text'');', split_part(missing[1], '/', 1), split_part(missing[1], '/', 2), split_part(missing[1], '/', 3)) END;
END
$$;
COMMENT ON FUNCTION dunning._health_templates() IS 'Templates of the steps, rendered on each channel and in each language in use.';

CREATE FUNCTION dunning._health_queue() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
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
$$;
COMMENT ON FUNCTION dunning._health_queue() IS 'What waits, what failed, what is held and by what; partitions and the daily run.';

CREATE FUNCTION dunning.health() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    part text;
    why text;
    hint text;
BEGIN
    -- A part that cannot even be asked is itself the news.
    FOREACH part IN ARRAY ARRAY['server_side', 'ledger', 'gateways', 'templates', 'queue'] LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT h.item, h.state, h.detail, h.fix_sql FROM dunning.%I() h', '_health_' || part);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT part, 'fail', why, nullif(hint, '');
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning.health() IS
    'One row a part that contact depends on: item, state (ok, warn, fail), detail, and the SQL that mends it. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.health() TO dunning_viewer;
-- export() and forget(): what is kept about a debtor, and how it is made to be no longer about anyone.

-- Every table of ours with a debtor in it, found in the catalog so that a new room cannot be overlooked. Partitions come with their parent.
CREATE FUNCTION dunning._debtor_tables() RETURNS TABLE (name text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT c.relname::text
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'debtor_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname;
END
$$;
COMMENT ON FUNCTION dunning._debtor_tables() IS 'The tables of the extension that have rows of a debtor.';

CREATE FUNCTION dunning.export(debtor_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(export.debtor_id);
    kept jsonb := '{}';
    ledger jsonb := '{}';
    part jsonb;
    source record;
BEGIN
    FOR source IN SELECT t.name FROM dunning._debtor_tables() t LOOP
        EXECUTE format('SELECT jsonb_agg(to_jsonb(x)) FROM dunning.%I x WHERE x.debtor_id = $1', source.name) INTO part USING id;
        IF part IS NOT NULL THEN
            kept := kept || jsonb_build_object(source.name, part);
        END IF;
    END LOOP;
    FOR source IN SELECT k.kind FROM unnest(ARRAY['debtor', 'invoice', 'payment']) AS k (kind) LOOP
        EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(x) - ''source_id''), ''[]'') FROM (%s) x', dunning._ledger_sql(source.kind, '$1'))
            INTO part USING ARRAY[id];
        ledger := ledger || jsonb_build_object(source.kind, part);
    END LOOP;
    IF kept = '{}' AND ledger -> 'debtor' = '[]' THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
    END IF;
    RETURN jsonb_build_object('debtor_id', id, 'exported_at', dunning._now(), 'ledger', ledger, 'kept', kept);
END
$$;
COMMENT ON FUNCTION dunning.export(text) IS
    'All that is kept about a debtor as one JSON object: the rows of the ledger and of every table of the extension. Unknown debtor: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.export(text) TO dunning_operator;

-- The addresses by which a person could be found again, kept as digests only.
CREATE FUNCTION dunning._suppress_all(debtor_id text) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    known record;
    n int := 0;
BEGIN
    FOR known IN
        SELECT DISTINCT x.address, x.channel
        FROM (SELECT b.address, m.channel::text AS channel FROM dunning.body b
              JOIN dunning.message m ON m.debtor_id = b.debtor_id AND m.message_id = b.message_id
              WHERE b.debtor_id = _suppress_all.debtor_id
              UNION ALL
              SELECT dunning._ledger_address(_suppress_all.debtor_id, c.channel), c.channel FROM (SELECT DISTINCT c.channel FROM dunning.channel c) c) x
        WHERE x.address <> ''
    LOOP
        PERFORM dunning.suppress(known.address, known.channel, 'forgotten');
        n := n + 1;
    END LOOP;
    RETURN n;
END
$$;
COMMENT ON FUNCTION dunning._suppress_all(text) IS 'How many addresses of a debtor it suppressed, those of the ledger and those ever written to.';

CREATE FUNCTION dunning.forget(debtor_id text) RETURNS TABLE (item text, rows bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(forget.debtor_id);
    n bigint;
    source record;
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'whom to forget is not said' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.forget(''1042'');';
    END IF;
    -- First nothing more is sent. What is on the wire still needs its text.
    RETURN QUERY VALUES ('messages cancelled', dunning._stop_messages(id, 'forgotten')::bigint);
    IF EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = id) THEN
        RAISE EXCEPTION 'a message to debtor "%" is being sent', id
            USING ERRCODE = '55000', HINT = format('Try again in a minute: SELECT * FROM dunning.forget(%L);', id);
    END IF;
    RETURN QUERY VALUES ('addresses suppressed', dunning._suppress_all(id)::bigint);
    IF NOT EXISTS (SELECT FROM dunning.hold h WHERE h.debtor_id = id AND h.reason = 'forgotten' AND h.released_at IS NULL) THEN
        INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, placed_by)
        VALUES (id, dunning._uuid7(), coalesce(dunning._creditor_of(id), 'default'), 'forgotten', dunning._now(), session_user);
    END IF;

    UPDATE dunning.body b SET address = '', subject = NULL, body_text = NULL, body_html = NULL WHERE b.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('texts blanked', n);
    UPDATE dunning.message m SET context = '{}', decision = '{"forgotten": true}' WHERE m.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('message contexts blanked', n);
    UPDATE dunning.outcome o SET detail = NULL WHERE o.debtor_id = id;
    UPDATE dunning.event e SET detail = '{}', event_key = NULL WHERE e.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('events blanked', n);
    UPDATE dunning.task t SET subject = t.kind, script = NULL, note = NULL, completed_at = coalesce(t.completed_at, dunning._now()),
                              outcome = coalesce(t.outcome, 'cancelled')
    WHERE t.debtor_id = id;
    UPDATE dunning.hold h SET note = NULL WHERE h.debtor_id = id;
    UPDATE dunning.promise p SET cancelled_at = coalesce(p.cancelled_at, dunning._now()) WHERE p.debtor_id = id;
    -- A key that a caller chose may say who it was; its digest serves as well, since nobody needs to read it.
    UPDATE dunning.once o SET key = encode(sha256(convert_to(o.key, 'UTF8')), 'hex') WHERE o.debtor_id = id AND o.kind <> 'step';

    -- What is learnt of a person goes with the person. The egress ledger holds digests alone, and its chain must go on verifying.
    FOR source IN
        SELECT t.name FROM dunning._debtor_tables() t
        WHERE t.name <> ALL (ARRAY['message', 'body', 'queue', 'egress', 'outcome', 'once', 'event', 'task', 'promise', 'hold', 'invoice', 'payment', 'debtor'])
    LOOP
        EXECUTE format('DELETE FROM dunning.%I x WHERE x.debtor_id = $1', source.name) USING id;
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n > 0 THEN
            RETURN QUERY VALUES (source.name || ' rows dropped', n);
        END IF;
    END LOOP;
    -- A bound ledger is the billing schema's to clean; the built-in one is ours.
    UPDATE dunning.debtor d
    SET name = NULL, given_name = NULL, email = NULL, phone = NULL, address = NULL, attributes = NULL, consent = NULL, preferred_channel = NULL
    WHERE d.debtor_id = id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('built-in debtor rows blanked', n);
END
$$;
COMMENT ON FUNCTION dunning.forget(text) IS
    'What was blanked or dropped. Cancels first, keeps keyed digests so that an import does not bring the person back, keeps ids, sums and the egress chain. A message on the wire: 55000. A bound ledger is not touched. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.forget(text) TO dunning_admin;
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
