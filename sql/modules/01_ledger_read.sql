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
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_ledger_zone';
COMMENT ON FUNCTION dunning._ledger_zone() IS 'The zone in which dates of the ledger begin and end: dunning.timezone, else TimeZone as the server was started with (where the library is not preloaded: log_timezone), never the session''s.';

CREATE FUNCTION dunning._check_as_of(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    -- Years of four digits: what is counted from there stays a timestamp.
    IF _check_as_of.as_of < '0001-01-02 00:00+00' OR _check_as_of.as_of > '9999-12-30 00:00+00' THEN
        RAISE EXCEPTION 'as_of must be an instant' USING ERRCODE = '22023',
            DETAIL = format('It is %s.', _check_as_of.as_of), HINT = 'Leave as_of out for the present.';
    END IF;
END
$body$;
COMMENT ON FUNCTION dunning._check_as_of(timestamptz) IS 'Complains (22023) about an as_of that is infinite or outside of the years 1 to 9999; NULL is the present.';

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

CREATE FUNCTION dunning._look_at_source(kind text, OUT relation text, OUT builtin boolean, OUT columns jsonb, OUT immutable text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    b dunning.source_binding;
    fault record;
    rel oid;
BEGIN
    PERFORM dunning._now();     -- whoever is about to read a bound relation has the library, and with it the guard (src/base/guard.c)
    PERFORM dunning._check_kind(_look_at_source.kind);
    SELECT s.* INTO b FROM dunning.source_binding s WHERE s.kind = _look_at_source.kind;
    builtin := NOT FOUND;
    IF builtin THEN
        relation := 'dunning.' || _look_at_source.kind;
        immutable := '{}';
    ELSE
        SELECT f.fault, f.fix_sql INTO fault FROM dunning._source_fault(b) f;
        IF fault.fault IS NOT NULL THEN
            RAISE EXCEPTION 'the source of % is broken', _look_at_source.kind
                USING ERRCODE = 'DN001', DETAIL = fault.fault, HINT = fault.fix_sql;
        END IF;
        relation := b.relation;
        immutable := b.immutable;
    END IF;
    rel := dunning._relation_oid(relation);
    SELECT jsonb_object_agg(s.name, jsonb_build_object('base', s.base::bigint, 'typmod', s.typmod, 'collation', s.collation_name))
    INTO columns
    FROM dunning._source_columns(rel) s
    JOIN dunning._ledger_contract(_look_at_source.kind) c ON c.name = s.name
    WHERE builtin OR b.columns ? s.name;
END
$body$;
COMMENT ON FUNCTION dunning._look_at_source(text) IS 'As _source_of(), looked for at each call.';

CREATE FUNCTION dunning._source_of(kind text, OUT relation text, OUT builtin boolean, OUT columns jsonb, OUT immutable text[])
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'dun_ledger_sql_source_of';
COMMENT ON FUNCTION dunning._source_of(text) IS 'The relation that serves a kind and its contract columns. A broken source: DN001 with what is wrong in DETAIL and the mending SQL in HINT.';

CREATE FUNCTION dunning._forget_sources() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_ledger_sql_forget_sources';
COMMENT ON FUNCTION dunning._forget_sources() IS 'Forgets what _source_of() and _ledger_sql() remember in this session: whoever changes a binding calls it.';

-- One contract column of the source as the contract's type; absent optional ones as their default or a typed NULL.
CREATE FUNCTION dunning._column_sql(class text, name text, base oid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
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

-- Who reads whole books is spared the making of a text from every number and every padded text.
CREATE FUNCTION dunning._source_id_sql(class text, name text, columns jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    base oid := columns #>> ARRAY[name, 'base'];
BEGIN
    RETURN CASE WHEN base IN (20, 21, 23, 1042) THEN format('s.%I', $2) ELSE dunning._column_sql($1, $2, base) END;
END
$body$;
COMMENT ON FUNCTION dunning._source_id_sql(text, text, jsonb) IS 'SQL text of an id or a currency: the integer or the padded char(n) where the source has one, else the canonical text.';

CREATE FUNCTION dunning._compose_ledger_sql(kind text, many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
DECLARE
    src record;
    cut text := '(SELECT ' || dunning._cut_sql(_compose_ledger_sql.as_of) || ')';
    past text;
    items text;
    recorded text;
    exists_if text;
    conditions text[] := '{}';
BEGIN
    SELECT o.relation, o.columns, o.immutable INTO src FROM dunning._source_of(_compose_ledger_sql.kind) o;
    -- What is not dated is known for the present alone.
    past := CASE WHEN _compose_ledger_sql.as_of IS NULL THEN NULL
                 ELSE format('(SELECT (%s)::timestamptz < dunning._now() - ''1 min''::interval)', _compose_ledger_sql.as_of) END;
    SELECT string_agg(CASE
            WHEN c.name = 'creditor' THEN format('coalesce(%s, ''default'')', e.e)
            WHEN c.name = 'person_id' THEN format('coalesce(%s, s.debtor_id::text)', e.e)
            WHEN c.name = 'kind' AND _compose_ledger_sql.kind = 'invoice' THEN format('coalesce(%s, ''invoice'')', e.e)
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
            WHEN c.name = 'open_amount' THEN format('CASE WHEN %s THEN %s END', dunning._is_live_sql(_compose_ledger_sql.as_of), e.e)
            ELSE e.e END || ' AS ' || quote_ident(c.name), ', ' ORDER BY c.pos)
    INTO items
    FROM dunning._ledger_contract(_compose_ledger_sql.kind) c,
         LATERAL dunning._column_sql(c.class, c.name, (src.columns #>> ARRAY[c.name, 'base'])::oid) e;

    IF _compose_ledger_sql.kind <> 'debtor' THEN
        exists_if := CASE _compose_ledger_sql.kind
            WHEN 'payment' THEN dunning._column_sql('instant', 'paid_at', (src.columns #>> '{paid_at,base}')::oid)
            -- dates go on where instants have ended
            ELSE 'CASE WHEN s.issued_on <= ''294000-01-01'' THEN s.issued_on::timestamp AT TIME ZONE (SELECT dunning._ledger_zone()) ELSE ''infinity'' END' END;
        recorded := dunning._column_sql('instant', 'recorded_at', (src.columns #>> '{recorded_at,base}')::oid);
        conditions := conditions || CASE
            WHEN src.columns ? 'recorded_at' THEN format('(%s IS NULL OR coalesce(%s, %s) < %1$s)', cut, recorded, exists_if)
            WHEN _compose_ledger_sql.kind = 'payment' THEN format('(%s IS NULL OR %s < %1$s)', cut, exists_if)
            -- a date against a local timestamp: no conversion a row
            ELSE format('(%s IS NULL OR s.issued_on < (SELECT %s AT TIME ZONE (SELECT dunning._ledger_zone())))', cut, dunning._cut_sql(_compose_ledger_sql.as_of)) END;
    END IF;
    IF _compose_ledger_sql.many IS NOT NULL THEN
        conditions := conditions || dunning._many_sql(_compose_ledger_sql.many, 'debtor_id', (src.columns #>> '{debtor_id,base}')::oid,
                                                      src.columns #>> '{debtor_id,collation}');
    ELSE
        -- nobody could be asked about, or held, by an empty key
        conditions := conditions || CASE WHEN (src.columns #>> '{debtor_id,base}')::oid IN (25, 1042, 1043) THEN 's.debtor_id <> '''''::text ELSE 's.debtor_id IS NOT NULL' END;
    END IF;
    RETURN format('SELECT %s, %s AS source_id%s FROM %s AS s WHERE %s', items, dunning._source_id_sql('key', 'debtor_id', src.columns),
        CASE WHEN _compose_ledger_sql.kind <> 'debtor' THEN ', ' || dunning._source_id_sql('id', 'invoice_id', src.columns) || ' AS source_invoice, ' ||
            dunning._source_id_sql('text', 'currency', src.columns) || ' AS source_currency' END,
        src.relation, array_to_string(conditions, ' AND '));
END
$body$;
COMMENT ON FUNCTION dunning._compose_ledger_sql(text, text, text) IS 'As _ledger_sql(), composed at each call.';

CREATE FUNCTION dunning._ledger_sql(kind text, many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'dun_ledger_sql_ledger_sql';
COMMENT ON FUNCTION dunning._ledger_sql(text, text, text) IS
'SQL text: the rows of a kind with the contract''s columns in order (absent optional ones as defaults or typed NULLs), debtor_id as canonical text COLLATE "C", then source_id and, of invoices and payments, source_invoice and source_currency: see _source_id_sql(). many: SQL expression of text[] canonical ids, NULL for the whole book; as_of: SQL expression of an instant. Broken source: DN001.';

-- The two halves that every sum over the ledger is made of. A credit note is a negative amount, whatever its sign in the source.
CREATE FUNCTION dunning._invoices_sql(many text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format($q$SELECT l.debtor_id, l.invoice_id, l.currency, l.issued_on, l.due_on,
        CASE WHEN l.kind = 'credit_note' THEN -abs(l.amount) ELSE l.amount END AS amount,
        CASE WHEN l.kind = 'credit_note' THEN -abs(l.open_amount) ELSE l.open_amount END AS stated, l.kind, l.disputed, l.reference, l.pay_url, l.recorded_at, l.source_id, l.source_invoice, l.source_currency
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

-- What of a balance is disputed needs the allocation, which is dear; few debtors dispute anything, and only for those it is made.
CREATE FUNCTION dunning._disputed_sql(many text, as_of text, OUT value text, OUT joined text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
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
$body$;
COMMENT ON FUNCTION dunning._disputed_sql(text, text) IS 'SQL texts: the disputed part of a balance b, and what must be joined to know it.';

-- What a balance is the sum of. Faults are numbers, the worst the smallest, told once a row: this is the hot path of the gate. 1 and 2
-- make an amount uncountable, 5 is none. src/ledger/mark.c reads these columns.
CREATE FUNCTION dunning._balance_rows_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
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
$body$;
COMMENT ON FUNCTION dunning._balance_rows_sql(text, text) IS
'SQL text: one row an invoice or payment: debtor_id, currency (empty: missing), owed, paid (payments), disputed, fault (1 amount_not_finite, 2 currency_missing, 3 date_not_finite, 4 due_before_issued, 5 none).';

CREATE FUNCTION dunning._balances_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
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
$body$;
COMMENT ON FUNCTION dunning._balances_sql(text, text) IS
'SQL text: one row a debtor and currency: balance (negative: credit), number and sum of payments, the first problem of its rows (amount_not_finite, currency_missing, date_not_finite, due_before_issued), and what of the open balance is disputed.';

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

-- The same marks, faster: see src/ledger/mark.c. For those who ask for many debtors of the present.
CREATE FUNCTION dunning._marks(ids text[], rows_sql text, exact_sql text)
    RETURNS TABLE (debtor_id text, mark text, amounts jsonb, valid boolean, problem text, disputed boolean)
    LANGUAGE c STABLE STRICT ROWS 100 COST 1000 AS 'MODULE_PATHNAME', 'dun_ledger_sql_marks';
COMMENT ON FUNCTION dunning._marks(text[], text, text) IS
'The rows of _mark_sql() of these debtors: what rows_sql gives of them is added up, and where anything is odd exact_sql is asked. Runs both texts as the caller.';

CREATE FUNCTION dunning._marks_sql(many text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict error
BEGIN
    RETURN format('SELECT m.debtor_id COLLATE "C" AS debtor_id, m.mark, m.amounts, m.valid, m.problem, m.disputed FROM dunning._marks(%s, %L, %L) m',
                  _marks_sql.many, dunning._balance_rows_sql('$1'), dunning._mark_sql('$1'));
END
$body$;
COMMENT ON FUNCTION dunning._marks_sql(text) IS 'SQL text: the rows of _mark_sql(many) for a batch, added in C.';

GRANT EXECUTE ON FUNCTION dunning._marks(text[], text, text) TO dunning_worker;
GRANT EXECUTE ON FUNCTION dunning._ids_int8(text[]), dunning._ids_numeric(text[]), dunning._ids_uuid(text[]), dunning._ledger_zone(),
    dunning._ledger_sql(text, text, text), dunning._open_items_sql(text, text), dunning._mark_sql(text, text) TO dunning_worker;
GRANT EXECUTE ON FUNCTION dunning._now(), dunning._virtual_clock() TO dunning_worker;
GRANT SELECT ON dunning.debtor, dunning.invoice, dunning.payment TO dunning_worker;
