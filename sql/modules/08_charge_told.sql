-- charge: what a message may tell of fees. A message brings one fee at most: that of its level, which is charged when the message leaves;
-- else the one that it must announce, because the law wants it named before; else the next one, as a warning.

CREATE FUNCTION dunning._told_fees(debtor_ids text[], levels text[], days date[], says text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (ord bigint, told text, invoice_id text, level text, currency text, amount numeric, on_day date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._fee_day(_told_fees.as_of);
    many text[] := ARRAY(SELECT DISTINCT u.u FROM unnest(_told_fees.debtor_ids) u(u));
BEGIN
    -- Where nobody charges fees there is nothing to tell.
    IF cardinality(many) = 0 OR NOT EXISTS (SELECT FROM dunning.charging g WHERE g.fees) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH fee AS MATERIALIZED (
            SELECT f.debtor, f.invoice, f.due_on, f.level, f.currency, f.at_most, f.fee, f.lawful_from, f.position, f.with_reminder, f.unnoticed, f.notice, f.notice_days, f.notice_post, f.place
            FROM (%s) f),
        asked AS MATERIALIZED (
            SELECT u.ord, u.debtor, u.level, greatest(u.day, $3) AS day, coalesce(u.says, 'charged,announced,warned') AS says
            FROM ROWS FROM (unnest($5), unnest($6), unnest($7), unnest($8)) WITH ORDINALITY u(debtor, level, day, says, ord)
            WHERE u.debtor IN (SELECT f.debtor FROM fee f)),
        -- Told by a message that left, and not yet posted: another one in the same days would come too soon, or twice.
        under_way AS MATERIALIZED (
            SELECT DISTINCT n.debtor_id FROM dunning._notices(ARRAY(SELECT DISTINCT a.debtor FROM asked a JOIN fee f ON f.debtor = a.debtor AND f.level = a.level WHERE f.with_reminder),
                                                              ARRAY(SELECT DISTINCT f.level FROM fee f WHERE f.with_reminder)) n
            WHERE n.charged AND n.sent_on > $3 - 30 AND NOT EXISTS (SELECT FROM dunning.charge h WHERE h.debtor_id = n.debtor_id AND h.message_id = n.message_id)),
        charged AS (
            SELECT DISTINCT ON (a.ord) a.ord, 'charged' AS told, f.invoice, f.level, f.currency, f.at_most, a.day
            FROM asked a JOIN fee f ON f.debtor = a.debtor AND f.level = a.level
            WHERE a.says ~ 'charged' AND f.with_reminder AND NOT f.unnoticed AND f.lawful_from <= a.day AND a.debtor NOT IN (SELECT w.debtor_id FROM under_way w)
            ORDER BY a.ord, f.due_on, f.invoice),
        announced AS (
            SELECT DISTINCT ON (a.ord) a.ord, 'announced' AS told, f.invoice, f.level, f.currency, f.fee, greatest(f.lawful_from, dunning._received_on(f.place, a.day, f.notice_post) + f.notice_days + 1)
            FROM asked a JOIN fee f ON f.debtor = a.debtor AND f.notice = a.level
            WHERE a.says ~ 'announced' AND f.unnoticed AND a.day > f.due_on
            ORDER BY a.ord, f.due_on, f.invoice),
        pending AS (
            SELECT DISTINCT ON (f.debtor, f.invoice) f.* FROM fee f
            WHERE NOT f.unnoticed AND f.at_most > 0 AND EXISTS (SELECT FROM asked a WHERE a.says ~ 'warned')
            ORDER BY f.debtor, f.invoice, f.lawful_from, f.position, f.level),
        -- What comes without a letter comes for each invoice; a letter brings one fee. What is lawful already may be charged from the day after on.
        warned AS (
            SELECT DISTINCT ON (w.ord) w.ord, 'warned' AS told, w.invoice, w.level, w.currency, w.amount, w.day
            FROM (SELECT a.ord, p.currency, greatest(p.lawful_from, a.day + 1) AS day, CASE WHEN count(*) = 1 THEN min(p.invoice) END AS invoice, min(p.level) AS level,
                         coalesce(sum(p.at_most) FILTER (WHERE NOT p.with_reminder), 0) + coalesce(max(p.at_most) FILTER (WHERE p.with_reminder), 0) AS amount
                  FROM asked a JOIN pending p ON p.debtor = a.debtor
                  WHERE a.says ~ 'warned' AND p.lawful_from <= a.day + dunning._value_of('fee_notice_days')::int
                  GROUP BY a.ord, p.currency, greatest(p.lawful_from, a.day + 1)) w
            ORDER BY w.ord, w.day, w.amount DESC, w.currency)
        SELECT DISTINCT ON (x.ord) x.* FROM (SELECT * FROM charged UNION ALL SELECT * FROM announced UNION ALL SELECT * FROM warned) x
        ORDER BY x.ord, array_position('{charged,announced,warned}', x.told)$q$, dunning._fees_sql('NOT j.barred'))
        USING many, _told_fees.as_of, today, dunning._broken_agreements(many), _told_fees.debtor_ids, _told_fees.levels, _told_fees.days, _told_fees.says;
END
$fn$;
COMMENT ON FUNCTION dunning._told_fees(text[], text[], date[], text[], timestamptz) IS
    'What messages of these levels that leave on these days (NULL: today) may tell of a fee, one row each at most: charged (with the message), announced (charged from on_day on, once this notice was sent) or warned (the next one, not before the day after); says: which of these their text can tell, NULL: all.';

-- As a template sees it.
CREATE FUNCTION dunning._fee_context(told text, invoice_id text, level text, currency text, amount numeric, on_day date) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_build_object('level', $3, 'amount', $5, 'currency', $4, 'on', to_char($6, 'YYYY-MM-DD'), 'invoice_id', $2,
        'charged', nullif($1 = 'charged', false), 'announced', nullif($1 = 'announced', false), 'warned', nullif($1 = 'warned', false));
COMMENT ON FUNCTION dunning._fee_context(text, text, text, text, numeric, date) IS 'A fee as the template context has it.';

-- What is owed on top of the balance that a message names. The charges of invoices that a message leaves out are left out with them.
CREATE FUNCTION dunning._open_charges(debtor_ids text[]) RETURNS TABLE (debtor_id text, currency text, open numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    many text[] := ARRAY(SELECT DISTINCT c.debtor_id FROM dunning.charge c WHERE c.debtor_id = ANY (_open_charges.debtor_ids) AND c.waived_at IS NULL AND c.booked_at IS NULL);
BEGIN
    IF cardinality(many) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        SELECT c.debtor_id::text, c.currency, least(c.open, l.due) FROM (%s) c
        JOIN (SELECT h.debtor_id, h.currency, sum(h.amount) AS due
              FROM dunning.charge h JOIN dunning._claims($1) k ON k.debtor_id = h.debtor_id AND k.invoice_id = h.invoice_id
              WHERE h.debtor_id = ANY ($1) AND h.waived_at IS NULL AND h.booked_at IS NULL AND k.disputed IS NOT TRUE AND k.held = '{}' GROUP BY 1, 2) l
          ON l.debtor_id = c.debtor_id AND l.currency = c.currency
        WHERE least(c.open, l.due) > 0$q$, dunning._charges_sql('$1')) USING many;
END
$fn$;
COMMENT ON FUNCTION dunning._open_charges(text[]) IS 'Debtors and currencies with charges that are neither waived, booked nor paid, and their sum; without those of invoices that are disputed or held.';

-- The fee that a message brought is owed from then on; the next assess_charges() posts it.
CREATE FUNCTION dunning._owed_charges(debtor_id text) RETURNS TABLE (currency text, amount numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT x.currency, sum(x.amount)
        FROM (SELECT o.currency, o.open AS amount FROM dunning._open_charges(ARRAY[_owed_charges.debtor_id]) o
              UNION ALL
              SELECT f.currency, f.amount FROM dunning._unposted_fees(ARRAY[_owed_charges.debtor_id]) f
              WHERE f.message_id IS NOT NULL AND EXISTS (SELECT FROM dunning.charging g WHERE g.fees)) x
        GROUP BY 1;
END
$fn$;
COMMENT ON FUNCTION dunning._owed_charges(text) IS 'What a debtor was told to owe on top of the balance, by currency: open charges, and fees of messages that left and are not posted yet.';

-- Principal, charges so far and a fee that comes with the message stand apart in a text, and add up.
CREATE FUNCTION dunning._charge_context(context jsonb, fee jsonb, open numeric) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_build_object('currency', $1 -> 'currency', 'amount', nullif(coalesce($3, 0), 0), 'total', ($1 ->> 'amount')::numeric + coalesce($3, 0)
        + CASE WHEN $2 -> 'charged' = 'true' AND $2 -> 'currency' = $1 -> 'currency' THEN ($2 ->> 'amount')::numeric ELSE 0 END,
        -- said only where it is another sum than the one above it
        'more', nullif(coalesce($3, 0) > 0 OR $2 -> 'charged' = 'true' AND $2 -> 'currency' = $1 -> 'currency', false));
COMMENT ON FUNCTION dunning._charge_context(jsonb, jsonb, numeric) IS 'The name charges of a context in its first currency: amount (charges so far, null: none), total with principal and a fee charged now, and more: whether that is another sum than the principal.';
