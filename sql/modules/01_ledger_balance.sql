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
    account text DEFAULT NULL, language text DEFAULT 'en', default_strategy text DEFAULT NULL, link_url text DEFAULT NULL) RETURNS void
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
$body$;
COMMENT ON FUNCTION dunning.save_creditor(text, text, text, text, text, text, text, text, text) IS
'Adds or changes a creditor: the names, reply address, phone and account that its messages show, its language and strategy, and link_url, where its own site serves link_page(). Who, when and the old values are kept. Role: dunning_admin.';

GRANT EXECUTE ON FUNCTION dunning.balance(text, timestamptz), dunning.balance_history(text) TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning.save_creditor(text, text, text, text, text, text, text, text, text) TO dunning_admin;
GRANT EXECUTE ON FUNCTION dunning._canonical_id(text) TO dunning_worker;
GRANT SELECT ON dunning.creditor TO dunning_viewer, dunning_worker;
