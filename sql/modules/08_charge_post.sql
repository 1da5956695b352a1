-- charge: posting, waiving, booking, and what billing sees.

CREATE FUNCTION dunning.charge(debtor_id text, invoice_id text, level text) RETURNS SETOF dunning.charge
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    -- The guard of the table fills in amount, rule and facts, or refuses.
    RETURN QUERY INSERT INTO dunning.charge AS c (debtor_id, invoice_id, level) VALUES (dunning._canonical_id(charge.debtor_id), charge.invoice_id, charge.level) RETURNING c.*;
END
$fn$;
COMMENT ON FUNCTION dunning.charge(text, text, text) IS
'Charges the fee of a level on an invoice, also with a reminder that was written by hand, or posts its interest up to today (level ''interest''). One row: the charge, its amount and rule. A level is charged once an invoice. Not lawful: DN011 with why and the day from which it is. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.charge(text, text, text) TO dunning_operator;

CREATE FUNCTION dunning.waive(charge_id uuid, reason text) RETURNS SETOF dunning.charge
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.charge;
BEGIN
    SELECT c.* INTO old FROM dunning.charge c WHERE c.charge_id = waive.charge_id FOR UPDATE;
    IF old.charge_id IS NULL OR old.waived_at IS NOT NULL OR old.booked_at IS NOT NULL THEN
        RAISE EXCEPTION 'charge % %', waive.charge_id, CASE WHEN old.charge_id IS NULL THEN 'does not exist' WHEN old.waived_at IS NOT NULL THEN 'is waived already' ELSE 'is booked' END
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN old.charge_id IS NULL THEN 'No charge has this id.' WHEN old.waived_at IS NOT NULL THEN format('%s waived it: %s.', old.waived_by, old.waive_reason)
                                ELSE format('Billing has it as invoice %s; a credit note there takes it back.', old.booked_as) END,
                  HINT = 'SELECT * FROM dunning.charge_due;';
    END IF;
    IF coalesce(btrim(waive.reason), '') = '' THEN
        RAISE EXCEPTION 'waiving needs a reason' USING ERRCODE = '22023', DETAIL = 'Whoever reads it later must see why.',
            HINT = format('SELECT * FROM dunning.waive(%L, ''goodwill'');', waive.charge_id);
    END IF;
    RETURN QUERY UPDATE dunning.charge AS c SET waived_at = dunning._now(), waived_by = session_user, waive_reason = left(waive.reason, 1000)
        WHERE c.debtor_id = old.debtor_id AND c.charge_id = old.charge_id RETURNING c.*;
END
$fn$;
COMMENT ON FUNCTION dunning.waive(uuid, text) IS
'Waives a charge for good: it is owed no more, and its level or its days are not charged again. One row: the charge. Unknown, waived or booked, or no reason: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.waive(uuid, text) TO dunning_operator;

CREATE FUNCTION dunning.book_charge(charge_id uuid, booked_as text) RETURNS SETOF dunning.charge
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.charge;
BEGIN
    SELECT c.* INTO old FROM dunning.charge c WHERE c.charge_id = book_charge.charge_id FOR UPDATE;
    IF old.charge_id IS NULL OR old.waived_at IS NOT NULL OR old.booked_at IS NOT NULL OR coalesce(book_charge.booked_as, '') = '' THEN
        RAISE EXCEPTION 'charge % cannot be booked', book_charge.charge_id
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN old.charge_id IS NULL THEN 'No charge has this id.' WHEN old.waived_at IS NOT NULL THEN format('%s waived it: %s.', old.waived_by, old.waive_reason)
                                WHEN old.booked_at IS NOT NULL THEN format('It is booked as invoice %s.', old.booked_as) ELSE 'The invoice that it became is not named.' END,
                  HINT = 'SELECT * FROM dunning.charge_due;';
    END IF;
    RETURN QUERY UPDATE dunning.charge AS c SET booked_at = dunning._now(), booked_by = session_user, booked_as = book_charge.booked_as
        WHERE c.debtor_id = old.debtor_id AND c.charge_id = old.charge_id RETURNING c.*;
END
$fn$;
COMMENT ON FUNCTION dunning.book_charge(uuid, text) IS
'Billing has taken a charge over as an invoice of its own (kind fee or interest): from then on it stands in the ledger''s balance and no longer among what is open here. Unknown, waived or booked: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.book_charge(uuid, text) TO dunning_operator;

CREATE VIEW dunning.charge_due WITH (security_invoker, security_barrier) AS
    SELECT c.debtor_id, c.charge_id, c.creditor, c.invoice_id, c.kind, c.level, c.currency, c.amount, c.charged_on, c.from_on, c.until_on, c.rule, c.message_id
    FROM dunning.charge c WHERE c.waived_at IS NULL AND c.booked_at IS NULL;
COMMENT ON VIEW dunning.charge_due IS 'What billing may book: charges neither waived nor booked, fees and posted interest apart; book_charge() takes a row out. A negative row takes back interest of days that turned out to be paid. Role dunning_viewer.';
GRANT SELECT ON dunning.charge_due TO dunning_viewer;

CREATE FUNCTION dunning._charges_sql(many text DEFAULT NULL, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    cut text := '(SELECT ' || dunning._cut_sql(_charges_sql.as_of) || ')';
BEGIN
    RETURN format($q$SELECT c.debtor_id, c.currency, c.charged, c.waived, least(c.due, greatest(-coalesce(b.balance, 0), 0)) AS paid,
    c.due - least(c.due, greatest(-coalesce(b.balance, 0), 0)) AS open, c.booked
FROM (SELECT x.debtor_id, x.currency, sum(x.amount) AS charged, coalesce(sum(x.amount) FILTER (WHERE x.state = 'waived'), 0) AS waived,
          coalesce(sum(x.amount) FILTER (WHERE x.state = 'booked'), 0) AS booked, coalesce(sum(x.amount) FILTER (WHERE x.state = 'due'), 0) AS due
      FROM (SELECT c.debtor_id, c.currency, c.amount, CASE WHEN c.waived_at IS NOT NULL AND (%1$s IS NULL OR c.waived_at < %1$s) THEN 'waived'
                WHEN c.booked_at IS NOT NULL AND (%1$s IS NULL OR c.booked_at < %1$s) THEN 'booked' ELSE 'due' END AS state
            FROM dunning.charge c WHERE (%1$s IS NULL OR c.created_at < %1$s)%2$s) x GROUP BY 1, 2) c
LEFT JOIN (%3$s) b ON b.debtor_id = c.debtor_id AND b.currency = c.currency$q$, cut,
        coalesce(' AND c.debtor_id = ANY ((' || _charges_sql.many || ')::text[])', ''),
        dunning._balances_sql(coalesce(_charges_sql.many, 'ARRAY(SELECT DISTINCT c.debtor_id FROM dunning.charge c)'), _charges_sql.as_of));
END
$fn$;
COMMENT ON FUNCTION dunning._charges_sql(text, text) IS
'SQL text: one row a debtor and currency: charged, waived, paid (by what was paid beyond all invoices), open (not waived, booked or paid: owed on top of the ledger''s balance) and booked (in the ledger''s balance by now).';

-- What our own reminders named left with them; what is due without a reminder is due by itself; interest is posted to the end of each
-- month, and to the day on which an invoice was settled. A missed day changes nothing: the next run posts the same rows.
CREATE FUNCTION dunning._unposted_fees(debtor_ids text[]) RETURNS TABLE (debtor_id text, invoice_id text, level text, currency text, charged_on date, amount numeric, message_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH fee AS MATERIALIZED (
            SELECT x.debtor, x.invoice, x.level, x.currency, x.at_most, x.lawful_from, x.with_reminder, row_number() OVER (PARTITION BY x.debtor, x.level ORDER BY x.due_on, x.invoice) AS place
            FROM (%s) x),
        -- A fee named for a later day is a warning, no charge. One that names no invoice is the oldest one's, and a message brings one fee.
        named AS MATERIALIZED (
            SELECT n.* FROM dunning._notices(ARRAY(SELECT DISTINCT f.debtor FROM fee f WHERE f.with_reminder), ARRAY(SELECT DISTINCT f.level FROM fee f WHERE f.with_reminder)) n
            WHERE n.charged AND n.due_on <= n.sent_on AND NOT EXISTS (SELECT FROM dunning.charge h WHERE h.debtor_id = n.debtor_id AND h.message_id = n.message_id))
        SELECT DISTINCT ON (x.debtor, x.invoice, x.level) x.*
        FROM (SELECT f.debtor, f.invoice, f.level, f.currency, n.sent_on AS charged_on, n.amount, n.message_id
              FROM fee f JOIN named n ON n.debtor_id = f.debtor AND n.level = f.level
              WHERE f.with_reminder AND (n.invoice_id = f.invoice OR n.invoice_id IS NULL AND f.place = 1) AND n.amount <= f.at_most AND n.sent_on >= f.lawful_from
              UNION ALL
              SELECT f.debtor, f.invoice, f.level, f.currency, $3, f.at_most, NULL FROM fee f WHERE NOT f.with_reminder) x
        ORDER BY x.debtor, x.invoice, x.level, x.charged_on$q$, dunning._fees_sql('NOT j.barred AND NOT j.unnoticed AND j.lawful_from <= $3'))
        USING _unposted_fees.debtor_ids, NULL::timestamptz, dunning._fee_day(NULL), dunning._broken_agreements(_unposted_fees.debtor_ids);
END
$fn$;
COMMENT ON FUNCTION dunning._unposted_fees(text[]) IS 'Fees that may be posted today: those that reminders named when they left, with the message, and those that need none.';

CREATE FUNCTION dunning._assess_fees(debtor_ids text[]) RETURNS SETOF dunning.charge
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    fee record;
BEGIN
    FOR fee IN SELECT f.* FROM dunning._unposted_fees(_assess_fees.debtor_ids) f LOOP
        BEGIN
            RETURN QUERY INSERT INTO dunning.charge AS c (debtor_id, invoice_id, level, charged_on, amount, message_id)
                VALUES (fee.debtor_id, fee.invoice_id, fee.level, fee.charged_on, fee.amount, fee.message_id) RETURNING c.*;
        EXCEPTION WHEN SQLSTATE 'DN011' OR unique_violation THEN
            NULL;       -- one before it in this run took its place: the gap holds
        END;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._assess_fees(text[]) IS 'Posts the fees that reminders named when they left, and those that need none.';

CREATE FUNCTION dunning._assess_interest(debtor_ids text[]) RETURNS SETOF dunning.charge
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    today date := (dunning._now() AT TIME ZONE dunning._ledger_zone())::date;
    month_end date := date_trunc('month', today::timestamp)::date;
    span record;
BEGIN
    FOR span IN
        SELECT i.debtor_id, i.of_invoice, u.u AS until_on, sum(i.amount) - p.amount AS amount
        FROM (VALUES (month_end, false), (today + 1, true)) u(u, settled)
        CROSS JOIN LATERAL dunning._interest(_assess_interest.debtor_ids, NULL, u.u) i
        CROSS JOIN LATERAL (SELECT coalesce(sum(h.amount), 0) AS amount, max(h.until_on) AS until_on FROM dunning.charge h
                            WHERE h.debtor_id = i.debtor_id AND h.invoice_id = i.of_invoice AND h.kind = 'interest') p
        WHERE i.settles = u.settled AND (u.u > p.until_on) IS NOT FALSE
          -- nor what a settled claim bore before it was settled
          AND NOT EXISTS (SELECT FROM dunning.hold h WHERE h.debtor_id = i.debtor_id AND h.invoice_id = i.of_invoice AND h.reason = 'settled' AND h.released_at IS NULL)
        GROUP BY i.debtor_id, i.of_invoice, u.u, p.amount HAVING sum(i.amount) <> p.amount
        ORDER BY i.debtor_id, i.of_invoice
    LOOP
        RETURN QUERY INSERT INTO dunning.charge AS c (debtor_id, invoice_id, level, kind, charged_on, until_on, amount)
            VALUES (span.debtor_id, span.of_invoice, 'interest', 'interest', today, span.until_on, span.amount) RETURNING c.*;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._assess_interest(text[]) IS 'Posts late interest of these debtors: to the end of last month, or to today where the invoice is settled.';

CREATE FUNCTION dunning.assess_charges(as_of timestamptz DEFAULT NULL) RETURNS SETOF dunning.charge
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    ids text[];
    fees text[] := ARRAY(SELECT g.creditor FROM dunning.charging g WHERE g.fees);
    interests text[] := ARRAY(SELECT g.creditor FROM dunning.charging g WHERE g.interest);
BEGIN
    -- What is posted stands in the journal of its day: neither tomorrow's nor yesterday's.
    IF assess_charges.as_of > dunning._now() + interval '1 minute' OR assess_charges.as_of < dunning._now() - interval '1 day' THEN
        RAISE EXCEPTION 'charges are posted today' USING ERRCODE = '22023', DETAIL = format('It is %s, not %s.', dunning._now(), assess_charges.as_of),
            HINT = 'SELECT * FROM dunning.assess_charges(); what would be owed on another day: SELECT * FROM dunning.interest(''1042'', as_of => ''2026-12-31'');';
    END IF;
    IF fees || interests = '{}' OR dunning._ledger_problem() IS NOT NULL THEN
        RETURN;
    END IF;
    -- Two runs side by side would wait for each other's debtors in turn.
    PERFORM pg_advisory_xact_lock(1685416561);
    FOR ids IN EXECUTE format('SELECT array_agg(x.debtor_id) FROM (SELECT d.debtor_id, (row_number() OVER (ORDER BY d.debtor_id) - 1) / 5000 AS batch FROM (%s) d
                                   WHERE d.creditor = ANY ($1)) x GROUP BY x.batch ORDER BY x.batch', dunning._ledger_sql('debtor')) USING fees
    LOOP
        RETURN QUERY SELECT f.* FROM dunning._assess_fees(ids) f;
    END LOOP;
    FOR ids IN EXECUTE format('SELECT array_agg(x.debtor_id) FROM (SELECT d.debtor_id, (row_number() OVER (ORDER BY d.debtor_id) - 1) / 5000 AS batch FROM (%s) d
                                   WHERE d.creditor = ANY ($1)) x GROUP BY x.batch ORDER BY x.batch', dunning._ledger_sql('debtor')) USING interests
    LOOP
        RETURN QUERY SELECT f.* FROM dunning._assess_interest(ids) f;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning.assess_charges(timestamptz) IS
'Posts what is lawfully due today for creditors that switched charging on (save_charging): fees that our reminders named when they left, sums that need no reminder, and late interest to the end of last month or, of settled invoices, to today. The rows it posted; running it again posts nothing. Nothing on a broken or stale ledger. daily() and maintain() call it. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.assess_charges(timestamptz) TO dunning_operator;

CREATE FUNCTION dunning._refresh_charges() RETURNS SETOF uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT c.charge_id FROM dunning.assess_charges() c;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_charges() IS 'The charges that assess_charges() posted: how daily() and maintain() call it.';

CREATE FUNCTION dunning.verify_charges() RETURNS TABLE (debtor_id text, charge_id uuid, problem text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    SELECT c.debtor_id, c.charge_id, CASE WHEN dunning._charge_seal(c) <> c.seal THEN 'the row does not match its seal' ELSE 'more than its rule allows' END
    FROM dunning.charge c
    WHERE dunning._charge_seal(c) <> c.seal
       OR c.kind <> 'interest' AND c.amount > dunning._fee_amount((c.basis #>> '{rule,amount}')::numeric, c.basis #> '{rule,tiers}', (c.basis #>> '{rule,minimum}')::numeric,
              (c.basis #>> '{rule,maximum}')::numeric, (c.basis ->> 'claim')::numeric, dunning._minor_digits(c.currency))
       OR c.kind = 'interest' AND c.amount + (c.basis ->> 'posted_before')::numeric > (c.basis ->> 'accrued')::numeric;
END
$fn$;
COMMENT ON FUNCTION dunning.verify_charges() IS 'Charges whose row does not match its seal or is more than the rule frozen in it allows; no row is right. For auditors, and after a restore of a dump that somebody edited. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.verify_charges() TO dunning_viewer;
