-- charge: which fee may lawfully be charged, and from which day. One query says it for planning, for people and for the guard of the table.

CREATE FUNCTION dunning._charge_rules(country text, debtor_kind text, on_day date) RETURNS SETOF dunning.charge_rule
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    places text[] := dunning._law_countries(_charge_rules.country);
BEGIN
    RETURN QUERY
    SELECT DISTINCT ON (x.level) x.* FROM (
        SELECT DISTINCT ON (r.country, r.level, r.valid_from) r.* FROM dunning.charge_rule r
        WHERE r.country = ANY (places) AND r.debtor_kind = _charge_rules.debtor_kind
          -- A level of which the country has rows of its own, even disabled ones, is not taken from those of the EU.
          AND (r.country = places[1] OR NOT EXISTS (SELECT FROM dunning.charge_rule o
               WHERE o.country = places[1] AND o.debtor_kind = r.debtor_kind AND o.level = r.level))
        ORDER BY r.country, r.level, r.valid_from, r.builtin) x
    WHERE x.enabled AND x.valid_from <= _charge_rules.on_day AND (x.valid_to >= _charge_rules.on_day) IS NOT FALSE
    ORDER BY x.level, x.builtin, x.valid_from DESC;
END
$fn$;
COMMENT ON FUNCTION dunning._charge_rules(text, text, date) IS 'The enabled rule of each level in force on a day, the user''s before the built-in one.';

CREATE FUNCTION dunning._received_on(country text, sent_on date, by_post boolean) RETURNS date
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    day date := _received_on.sent_on;
    left_days int := 2;
BEGIN
    WHILE _received_on.by_post AND left_days > 0 LOOP
        day := day + 1;
        IF date_part('isodow', day) NOT IN (1, 7) AND dunning._holiday(_received_on.country, NULL, day) IS NULL THEN
            left_days := left_days - 1;
        END IF;
    END LOOP;
    RETURN day;
END
$fn$;
COMMENT ON FUNCTION dunning._received_on(text, date, boolean) IS 'When a letter counts as received: on the second post day (no Sunday, Monday or holiday) after it was sent; otherwise the day it was sent.';

CREATE FUNCTION dunning._open_on(days date[], opens numeric[], on_day date) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT o.o FROM unnest($1, $2) o(d, o) WHERE o.d <= $3 ORDER BY o.d DESC LIMIT 1);
COMMENT ON FUNCTION dunning._open_on(date[], numeric[], date) IS 'What was open when a day began.';

CREATE FUNCTION dunning._lawful_fees(debtor_ids text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, creditor text, level text, kind text, currency text, amount numeric, lawful_from date, blocked_by text[],
                   rule text, "position" int, with_reminder boolean, basis jsonb, held_days daterange[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    today date := (coalesce(_lawful_fees.as_of, dunning._now()) AT TIME ZONE dunning._ledger_zone())::date;
    broken text[] := ARRAY(SELECT DISTINCT s.debtor_id FROM dunning._promise_state(_lawful_fees.debtor_ids) s WHERE s.parts > 1 AND s.state IN ('broken', 'late'));
BEGIN
    RETURN QUERY
    WITH sent AS MATERIALIZED (
        SELECT n.debtor_id, n.invoice_id, n.level, n.sent_on, n.amount FROM dunning._notices(_lawful_fees.debtor_ids) n WHERE n.level IS NOT NULL
        UNION ALL
        SELECT h.debtor_id, h.invoice_id, h.level, h.charged_on, h.amount FROM dunning.charge h WHERE h.debtor_id = ANY (_lawful_fees.debtor_ids) AND h.kind <> 'interest'),
    claims AS MATERIALIZED (SELECT c.* FROM dunning._claims(_lawful_fees.debtor_ids, _lawful_fees.as_of) c),
    -- the rules of each place once
    laws AS MATERIALIZED (SELECT x.country AS of_country, x.debtor_kind AS of_kind, r.* FROM (SELECT DISTINCT c.country, c.debtor_kind FROM claims c) x
                          CROSS JOIN LATERAL dunning._charge_rules(x.country, x.debtor_kind, today) r),
    ruled AS (
        SELECT c.debtor_id AS debtor, c.invoice_id AS invoice, c.creditor AS owner, c.currency AS money, c.due_on, c.disputed, c.days, c.opens, c.open_now, c.country AS place, c.hold_days, c.held,
               r.*, dunning._minor_digits(r.currency) AS digits,
               -- A sum for being late is told by what was late; a share of what is open, by what is open.
               CASE WHEN r.kind = 'compensation' THEN dunning._open_on(c.days, c.opens, c.due_on + 1) ELSE c.open_now END AS claim
        FROM claims c JOIN laws r ON r.of_country = c.country AND r.of_kind = c.debtor_kind),
    known AS (
        SELECT x.*, dunning._fee_amount(x.amount, x.tiers, x.minimum, x.maximum, x.claim, x.digits) AS fee, n.notice_from, n.named, k.times, k.last_on, k.had,
               CASE WHEN x.family = 'plan' THEN array_remove(x.held, 'promise') ELSE x.held END AS holds
        FROM ruled x
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE h.invoice_id = x.invoice) AS times, max(h.charged_on) AS last_on, bool_or(h.level = x.level AND h.invoice_id = x.invoice) AS had
            FROM dunning.charge h
            WHERE h.debtor_id = x.debtor AND h.kind <> 'interest' AND h.basis #>> '{rule,family}' = x.family AND (h.invoice_id = x.invoice OR x.gap_scope = 'debtor')) k
        LEFT JOIN LATERAL (
            SELECT dunning._received_on(x.place, s.sent_on, x.notice_post) + x.notice_days + 1 AS notice_from, s.amount AS named
            FROM sent s
            WHERE s.debtor_id = x.debtor AND (s.invoice_id IS NULL OR s.invoice_id = x.invoice) AND s.level = x.notice AND s.sent_on > x.due_on
              -- A cost counts as named only where it was the exact one of that day.
              AND (NOT x.notice_amount OR s.amount = dunning._fee_amount(x.amount, x.tiers, x.minimum, x.maximum, dunning._open_on(x.days, x.opens, s.sent_on), x.digits))
            ORDER BY s.sent_on LIMIT 1) n ON x.notice IS NOT NULL)
    SELECT k.debtor, k.invoice, k.owner, k.level, k.kind, k.currency, CASE WHEN k.notice_amount THEN least(k.fee, k.named) ELSE k.fee END,
           greatest(k.due_on + k.after_due_days, k.last_on + k.min_gap_days, k.notice_from),
           array_remove(ARRAY[
               CASE WHEN NOT coalesce(g.fees, false) THEN 'charging_off' END,
               CASE WHEN k.term IS NOT NULL AND NOT coalesce(k.term = ANY (g.terms), false) THEN 'term:' || k.term END,
               CASE WHEN k.money <> k.currency THEN 'currency' END,
               CASE WHEN k.claim <= 0 THEN CASE WHEN k.kind = 'compensation' THEN 'paid_in_time' ELSE 'paid' END END,
               CASE WHEN k.disputed THEN 'disputed' END,
               CASE WHEN k.had THEN 'charged' END,
               CASE WHEN k.times >= k.max_count THEN 'count:' || k.max_count END,
               CASE WHEN k.notice IS NOT NULL AND k.notice_from IS NULL THEN 'notice:' || k.notice END,
               CASE WHEN NOT k.after_broken_plan AND k.debtor = ANY (broken) THEN 'broken_instalment_agreement' END] || ARRAY(SELECT 'hold:' || h.h FROM unnest(k.holds) h(h)), NULL),
           format('%s %s %s since %s (%s)', k.country, k.debtor_kind, k.level, to_char(k.valid_from, 'YYYY-MM-DD'), k.source), k.position, k.with_reminder,
           jsonb_build_object('due_on', to_char(k.due_on, 'YYYY-MM-DD'), 'claim', trim_scale(k.claim), 'notice_from', to_char(k.notice_from, 'YYYY-MM-DD'), 'rule',
               jsonb_strip_nulls(jsonb_build_object('country', k.country, 'debtor_kind', k.debtor_kind, 'valid_from', to_char(k.valid_from, 'YYYY-MM-DD'), 'builtin', k.builtin,
                   'family', k.family, 'amount', k.amount, 'tiers', k.tiers, 'minimum', k.minimum, 'maximum', k.maximum, 'max_count', k.max_count, 'min_gap_days', k.min_gap_days,
                   'after_due_days', k.after_due_days, 'notice', k.notice, 'notice_days', k.notice_days))), k.hold_days
    FROM known k LEFT JOIN dunning.charging g ON g.creditor = k.owner;
END
$fn$;
COMMENT ON FUNCTION dunning._lawful_fees(text[], timestamptz) IS
    'One row an invoice and level that has an enabled rule: amount, from which day it may be charged, and every reason why not (empty: it may).';

CREATE FUNCTION dunning._pending_fees(debtor_ids text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, creditor text, level text, kind text, currency text, amount numeric, lawful_from date, rule text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT DISTINCT ON (f.debtor_id, f.invoice_id) f.debtor_id, f.invoice_id, f.creditor, f.level, f.kind, f.currency, f.amount, f.lawful_from, f.rule
        FROM dunning._lawful_fees(_pending_fees.debtor_ids, _pending_fees.as_of) f WHERE f.blocked_by = '{}'
        ORDER BY f.debtor_id, f.invoice_id, f.lawful_from, f.position, f.level;
END
$fn$;
COMMENT ON FUNCTION dunning._pending_fees(text[], timestamptz) IS
    'The next fee of each open invoice that may lawfully be charged, and from which day; no row where a hold freezes it, a notice is missing, the creditor does not charge, or no enabled rule allows one.';

CREATE FUNCTION dunning.lawful_fees(debtor_id text)
    RETURNS TABLE (invoice_id text, level text, kind text, currency text, amount numeric, lawful_from date, blocked_by text[], rule text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT f.invoice_id, f.level, f.kind, f.currency, f.amount, f.lawful_from, f.blocked_by, f.rule
        FROM dunning._lawful_fees(ARRAY[dunning._canonical_id(lawful_fees.debtor_id)]) f ORDER BY f.invoice_id, f.lawful_from, f.position, f.level;
END
$fn$;
COMMENT ON FUNCTION dunning.lawful_fees(text) IS
'Every fee that the law of a debtor''s country knows, an invoice and level: amount, the day from which it may be charged, and what blocks it (empty: nothing): charging_off, term:<what must be agreed>, currency, paid, paid_in_time, disputed, charged, count:<n>, notice:<what must be sent before>, broken_instalment_agreement, hold:<reason>. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.lawful_fees(text) TO dunning_viewer;
