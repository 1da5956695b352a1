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

-- One row an invoice and level that has an enabled rule, with the amount, the first day and what stands against it. Everybody asks this one
-- text: planning, people, posting and the guard. What depends on the rule alone is told once a place (laws); words are made by who shows them.
CREATE FUNCTION dunning._fees_sql(where_ text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    -- condition, and the word for it; the notice stands by itself, since a letter may still announce what waits for it
    blockers text[] := ARRAY[
        ['NOT coalesce(g.fees, false)', $b$'charging_off'$b$],
        ['k.term IS NOT NULL AND NOT coalesce(k.term = ANY (g.terms), false)', $b$'term:' || k.term$b$],
        ['k.money <> k.currency', $b$'currency'$b$],
        ['k.claim <= 0', $b$CASE WHEN k.kind = 'compensation' THEN 'paid_in_time' ELSE 'paid' END$b$],
        ['k.disputed', $b$'disputed'$b$],
        ['k.had', $b$'charged'$b$],
        ['k.times >= k.max_count', $b$'count:' || k.max_count$b$],
        ['k.unnoticed', $b$'notice:' || k.notice$b$],
        ['NOT k.after_broken_plan AND k.debtor = ANY ($4)', $b$'broken_instalment_agreement'$b$]];
    words text;
    barred text;
BEGIN
    SELECT string_agg(format('CASE WHEN %s THEN %s END', blockers[n][1], blockers[n][2]), ', ' ORDER BY n),
           string_agg(format('(%s)', blockers[n][1]), ' OR ' ORDER BY n) FILTER (WHERE blockers[n][1] <> 'k.unnoticed')
    INTO words, barred FROM generate_subscripts(blockers, 1) n;
    RETURN format($q$
    WITH claims AS MATERIALIZED (%5$s),
    -- the rules of each place once
    laws AS MATERIALIZED (
        SELECT x.country AS place, x.debtor_kind AS of_kind, r.*, m.digits, CASE WHEN r.tiers IS NULL THEN dunning._fee_amount(r.amount, NULL, r.minimum, r.maximum, NULL, m.digits) END AS flat,
               format('%%s %%s %%s since %%s (%%s)', r.country, r.debtor_kind, r.level, to_char(r.valid_from, 'YYYY-MM-DD'), r.source) AS words,
               jsonb_strip_nulls(jsonb_build_object('country', r.country, 'debtor_kind', r.debtor_kind, 'valid_from', to_char(r.valid_from, 'YYYY-MM-DD'), 'builtin', r.builtin,
                   'family', r.family, 'amount', r.amount, 'tiers', r.tiers, 'minimum', r.minimum, 'maximum', r.maximum, 'max_count', r.max_count, 'min_gap_days', r.min_gap_days,
                   'after_due_days', r.after_due_days, 'notice', r.notice, 'notice_days', r.notice_days)) AS facts
        FROM (SELECT DISTINCT c.country, c.debtor_kind FROM claims c) x
        CROSS JOIN LATERAL dunning._charge_rules(x.country, x.debtor_kind, $3) r CROSS JOIN LATERAL (SELECT dunning._minor_digits(r.currency) AS digits) m),
    posted AS MATERIALIZED (
        SELECT h.debtor_id, h.invoice_id, h.level, h.amount, h.charged_on, h.basis #>> '{rule,family}' AS family FROM dunning.charge h WHERE h.debtor_id = ANY ($1) AND h.kind <> 'interest'),
    of_invoice AS MATERIALIZED (
        SELECT p.debtor_id, p.invoice_id, p.family, count(*) AS times, max(p.charged_on) AS last_on, array_agg(p.level) AS levels FROM posted p GROUP BY 1, 2, 3),
    of_debtor AS MATERIALIZED (SELECT p.debtor_id, p.family, max(p.last_on) AS last_on FROM of_invoice p GROUP BY 1, 2),
    ruled AS (
        SELECT c.debtor_id AS debtor, c.invoice_id AS invoice, c.creditor AS owner, c.currency AS money, c.due_on, c.disputed, c.days, c.opens, c.hold_days, c.held, r.*,
               -- A sum for being late is told by what was late; a share of what is open, by what is open.
               CASE WHEN r.kind = 'compensation' THEN dunning._open_on(c.days, c.opens, c.due_on + 1) ELSE c.open_now END AS claim
        FROM claims c JOIN laws r ON r.place = c.country AND r.of_kind = c.debtor_kind%4$s),
    sent AS MATERIALIZED (
        SELECT n.debtor_id, n.invoice_id, n.level, n.sent_on, n.amount FROM dunning._notices($1, ARRAY(SELECT DISTINCT l.notice FROM laws l WHERE l.notice IS NOT NULL)) n
        UNION ALL
        SELECT p.debtor_id, p.invoice_id, p.level, p.charged_on, p.amount FROM posted p),
    noticed AS MATERIALIZED (
        SELECT DISTINCT ON (c.debtor_id, c.invoice_id, r.level) c.debtor_id, c.invoice_id, r.level,
               dunning._received_on(r.place, s.sent_on, r.notice_post) + r.notice_days + 1 AS notice_from, s.amount AS named
        FROM sent s JOIN claims c ON c.debtor_id = s.debtor_id JOIN laws r ON r.place = c.country AND r.of_kind = c.debtor_kind AND r.notice = s.level
        WHERE (s.invoice_id IS NULL OR s.invoice_id = c.invoice_id) AND s.sent_on > c.due_on
          -- A cost counts as named only where it was the exact one of that day.
          AND (NOT r.notice_amount OR s.amount = dunning._fee_amount(r.amount, r.tiers, r.minimum, r.maximum, dunning._open_on(c.days, c.opens, s.sent_on), r.digits))
        ORDER BY c.debtor_id, c.invoice_id, r.level, s.sent_on),
    known AS (
        SELECT x.*, coalesce(x.flat, dunning._fee_amount(x.amount, x.tiers, x.minimum, x.maximum, x.claim, x.digits)) AS fee, n.notice_from, n.named, i.times, x.level = ANY (i.levels) AS had,
               CASE WHEN x.gap_scope = 'debtor' THEN d.last_on ELSE i.last_on END AS last_on, x.notice IS NOT NULL AND n.notice_from IS NULL AS unnoticed,
               CASE WHEN x.family = 'plan' THEN array_remove(x.held, 'promise') ELSE x.held END AS holds
        FROM ruled x
        LEFT JOIN of_invoice i ON i.debtor_id = x.debtor AND i.invoice_id = x.invoice AND i.family = x.family
        LEFT JOIN of_debtor d ON d.debtor_id = x.debtor AND d.family = x.family
        LEFT JOIN noticed n ON n.debtor_id = x.debtor AND n.invoice_id = x.invoice AND n.level = x.level),
    judged AS (
        SELECT k.*, CASE WHEN k.notice_amount THEN least(k.fee, k.named) ELSE k.fee END AS at_most, greatest(k.due_on + k.after_due_days, k.last_on + k.min_gap_days, k.notice_from) AS lawful_from,
               (%1$s) IS TRUE OR k.holds <> '{}' AS barred, array_remove(ARRAY[%2$s], NULL) || ARRAY(SELECT 'hold:' || h.h FROM unnest(k.holds) h(h)) AS blocked_by
        FROM known k LEFT JOIN dunning.charging g ON g.creditor = k.owner)
    SELECT j.* FROM judged j WHERE %3$s$q$, barred, words, where_,
        -- most invoices are paid: where the reason is not asked for, they are left out early
        CASE WHEN where_ ~ '^NOT j.barred' THEN ' AND (c.open_now > 0 OR r.kind = ''compensation'')' ELSE '' END,
        dunning._claims_sql('$1', '$2'));
END
$fn$;
COMMENT ON FUNCTION dunning._fees_sql(text) IS
    'SQL text of the fees of debtors $1 as of $2 (a day: $3; $4: debtors with a broken instalment agreement) for which a condition holds: barred (something other than a missing notice stands against it), unnoticed, any column of the rule.';

CREATE FUNCTION dunning._fee_day(as_of timestamptz) RETURNS date
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (coalesce(_fee_day.as_of, dunning._now()) AT TIME ZONE dunning._ledger_zone())::date;
END
$fn$;
COMMENT ON FUNCTION dunning._fee_day(timestamptz) IS 'The day by which fees are told: that of the instant (NULL: now) in the ledger''s zone.';

CREATE FUNCTION dunning._broken_agreements(debtor_ids text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN ARRAY(SELECT DISTINCT s.debtor_id FROM dunning._promise_state(_broken_agreements.debtor_ids) s WHERE s.parts > 1 AND s.state IN ('broken', 'late'));
END
$fn$;
COMMENT ON FUNCTION dunning._broken_agreements(text[]) IS 'Those of the debtors who broke an instalment agreement.';

CREATE FUNCTION dunning._lawful_fees(debtor_ids text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, creditor text, level text, kind text, currency text, amount numeric, lawful_from date, blocked_by text[],
                   rule text, "position" int, with_reminder boolean, basis jsonb, held_days daterange[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT f.debtor, f.invoice, f.owner, f.level, f.kind, f.currency, f.at_most, f.lawful_from, f.blocked_by, f.words, f.position, f.with_reminder,
               jsonb_build_object('due_on', to_char(f.due_on, 'YYYY-MM-DD'), 'claim', trim_scale(f.claim), 'notice_from', to_char(f.notice_from, 'YYYY-MM-DD'), 'rule', f.facts), f.hold_days
        FROM (%s) f$q$, dunning._fees_sql('true'))
        USING _lawful_fees.debtor_ids, _lawful_fees.as_of, dunning._fee_day(_lawful_fees.as_of), dunning._broken_agreements(_lawful_fees.debtor_ids);
END
$fn$;
COMMENT ON FUNCTION dunning._lawful_fees(text[], timestamptz) IS
    'One row an invoice and level that has an enabled rule: amount, from which day it may be charged, and every reason why not (empty: it may).';

CREATE FUNCTION dunning._pending_fees(debtor_ids text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, invoice_id text, creditor text, level text, kind text, currency text, amount numeric, lawful_from date, rule text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.charging g WHERE g.fees) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        SELECT DISTINCT ON (f.debtor, f.invoice) f.debtor, f.invoice, f.owner, f.level, f.kind, f.currency, f.at_most, f.lawful_from, f.words
        FROM (%s) f ORDER BY f.debtor, f.invoice, f.lawful_from, f.position, f.level$q$, dunning._fees_sql('NOT j.barred AND NOT j.unnoticed'))
        USING _pending_fees.debtor_ids, _pending_fees.as_of, dunning._fee_day(_pending_fees.as_of), dunning._broken_agreements(_pending_fees.debtor_ids);
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
