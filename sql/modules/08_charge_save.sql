-- charge: changing rates, rules and switches. Built-in rows stay as shipped; a user's row of the same key goes before them.

CREATE FUNCTION dunning._log_charge_change(what text, name text, before jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    INSERT INTO dunning.charge_change AS c (change_id, what, name, before, changed_by, changed_at)
    VALUES (dunning._uuid7(), _log_charge_change.what, _log_charge_change.name, _log_charge_change.before, session_user, dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning._log_charge_change(text, text, jsonb) IS 'Keeps what a rate, rule or switch was before a change.';

CREATE FUNCTION dunning._check_law(country text, debtor_kind text, valid_from date, valid_to date) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known text := 'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ '
        'DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP '
        'KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM '
        'PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ '
        'UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW';
BEGIN
    IF _check_law.country IS NULL OR _check_law.country <> ALL (string_to_array(known, ' ')) THEN
        RAISE EXCEPTION 'unknown country "%"', _check_law.country USING ERRCODE = '22023',
            DETAIL = 'A country is a two-letter ISO 3166 code in capitals; EU stands for countries of the euro that have no row of their own.',
            HINT = 'SELECT DISTINCT country FROM dunning.charge_rule;';
    ELSIF (_check_law.debtor_kind IN ('person', 'company')) IS NOT TRUE THEN
        RAISE EXCEPTION 'unknown kind of debtor "%"', _check_law.debtor_kind USING ERRCODE = '22023',
            DETAIL = 'A debtor is a person or a company.', HINT = 'Save one row for each where the law is the same.';
    ELSIF (isfinite(_check_law.valid_from)) IS NOT TRUE OR _check_law.valid_to < _check_law.valid_from OR NOT isfinite(_check_law.valid_to) THEN
        RAISE EXCEPTION 'no such period: % to %', _check_law.valid_from, _check_law.valid_to USING ERRCODE = '22023',
            DETAIL = 'valid_from is a day; valid_to is the last day, on or after it, or NULL for until further notice.', HINT = 'For example valid_from => ''2027-01-01'', valid_to => ''2027-06-30''.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_law(text, text, date, date) IS 'Nothing, or 22023 where country, kind of debtor or period make no sense.';

CREATE FUNCTION dunning._overlap(what text, name text, valid_from date, valid_to date, other_from date, other_to date, hint text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RAISE EXCEPTION '% of % overlaps another', _overlap.what, _overlap.name USING ERRCODE = '22023',
        DETAIL = format('The period from %s to %s meets one of yours from %s to %s.', to_char(_overlap.valid_from, 'YYYY-MM-DD'), coalesce(to_char(_overlap.valid_to, 'YYYY-MM-DD'), 'further notice'),
                        to_char(_overlap.other_from, 'YYYY-MM-DD'), coalesce(to_char(_overlap.other_to, 'YYYY-MM-DD'), 'further notice')),
        HINT = _overlap.hint;
END
$fn$;
COMMENT ON FUNCTION dunning._overlap(text, text, date, date, date, date, text) IS 'Raises 22023 naming two periods that overlap.';

-- The period before ends the day before the one after it begins, whichever of the two is new.
CREATE FUNCTION dunning._overlap_hint(call text, stands jsonb, given jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    first jsonb := CASE WHEN stands->>'valid_from' < given->>'valid_from' THEN stands ELSE given END;
    second jsonb := CASE WHEN stands->>'valid_from' < given->>'valid_from' THEN given ELSE stands END;
    said jsonb := (jsonb_strip_nulls(first) || jsonb_build_object('valid_to', (second->>'valid_from')::date - 1)) - CASE WHEN (first->>'verified')::boolean THEN '' ELSE 'source' END;
BEGIN
    RETURN (SELECT format('SELECT * FROM dunning.%I(%s);', p.proname, string_agg(format('%I => %L', a.name,
                CASE WHEN jsonb_typeof(said -> a.name) = 'array' AND a.type = 'text[]'::regtype THEN ARRAY(SELECT jsonb_array_elements_text(said -> a.name))::text ELSE said ->> a.name END), ', ' ORDER BY a.ord))
            FROM pg_proc p CROSS JOIN LATERAL (SELECT x.* FROM unnest(p.proargnames, p.proargtypes::oid[]) WITH ORDINALITY x(name, type, ord)) a
            WHERE p.pronamespace = 'dunning'::regnamespace AND p.proname = call AND a.ord <= p.pronargs AND said ? a.name
            GROUP BY p.proname);
END
$fn$;
COMMENT ON FUNCTION dunning._overlap_hint(text, jsonb, jsonb) IS 'The call that saves the earlier of two rules, the one that stands and the one given, so that it ends where the later begins.';

CREATE FUNCTION dunning.set_rate(reference text, percent numeric, valid_from date, valid_to date DEFAULT NULL, source text DEFAULT NULL, enabled boolean DEFAULT true)
    RETURNS TABLE (changed boolean, warnings text[])
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    other record;
    old dunning.reference_rate;
    lowest numeric;
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.interest_rule r WHERE r.reference = set_rate.reference) THEN
        RAISE EXCEPTION 'unknown reference rate "%"', set_rate.reference USING ERRCODE = '22023',
            DETAIL = format('Rules of interest name %s.', (SELECT string_agg(DISTINCT r.reference, ', ' ORDER BY r.reference) FROM dunning.interest_rule r)),
            HINT = 'A new one begins with the rule that uses it: SELECT * FROM dunning.save_interest_rule(''FI'', ''person'', ''FI-reference'', 7, ''2026-01-01'', source => ''...'');';
    END IF;
    PERFORM dunning._check_law('EU', 'person', set_rate.valid_from, set_rate.valid_to);
    -- A reference may be negative, what a debtor pays may not.
    SELECT min(r.margin) INTO lowest FROM dunning.interest_rule r WHERE r.reference = set_rate.reference;
    IF (set_rate.percent > -100 AND set_rate.percent < 1000 AND set_rate.percent + lowest >= 0) IS NOT TRUE OR set_rate.enabled IS NULL THEN
        RAISE EXCEPTION 'rate % of "%" is out of range', set_rate.percent, set_rate.reference USING ERRCODE = '22023',
            DETAIL = format('With the smallest margin of its rules, %s, the rate of interest would be %s percent a year; it is 0 or more.', lowest, set_rate.percent + lowest),
            HINT = format('SELECT * FROM dunning.set_rate(%L, 2.00, %L, source => ''...'');', set_rate.reference, set_rate.valid_from);
    END IF;
    SELECT r.* INTO other FROM dunning.reference_rate r
    WHERE r.reference = set_rate.reference AND NOT r.builtin AND r.enabled AND set_rate.enabled AND r.valid_from <> set_rate.valid_from
      AND daterange(r.valid_from, r.valid_to, '[]') && daterange(set_rate.valid_from, set_rate.valid_to, '[]') ORDER BY r.valid_from LIMIT 1;
    IF FOUND THEN
        PERFORM dunning._overlap('rate', set_rate.reference, set_rate.valid_from, set_rate.valid_to, other.valid_from, other.valid_to,
            CASE WHEN other.valid_from < set_rate.valid_from THEN format('SELECT * FROM dunning.set_rate(%L, %s, %L, %L, %L);', set_rate.reference, other.percent, other.valid_from, set_rate.valid_from - 1, other.source)
                 ELSE format('SELECT * FROM dunning.set_rate(%L, %s, %L, %L, source => ''...'');', set_rate.reference, set_rate.percent, set_rate.valid_from, other.valid_from - 1) END);
    END IF;
    SELECT r.* INTO old FROM dunning.reference_rate r WHERE r.reference = set_rate.reference AND r.valid_from = set_rate.valid_from ORDER BY r.builtin LIMIT 1;
    PERFORM dunning._log_charge_change('reference_rate', set_rate.reference || ' ' || to_char(set_rate.valid_from, 'YYYY-MM-DD'), CASE WHEN old.reference IS NOT NULL THEN to_jsonb(old) END);
    INSERT INTO dunning.reference_rate AS r (reference, valid_from, builtin, valid_to, percent, source, verified, enabled, saved_by, saved_at)
    VALUES (set_rate.reference, set_rate.valid_from, false, set_rate.valid_to, set_rate.percent, coalesce(set_rate.source, 'own rate'), set_rate.source IS NOT NULL, set_rate.enabled, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT reference_rate_pkey DO UPDATE SET valid_to = excluded.valid_to, percent = excluded.percent, source = excluded.source, verified = excluded.verified,
        enabled = excluded.enabled, saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    RETURN QUERY SELECT old.reference IS NOT NULL, array_remove(ARRAY[
        CASE WHEN set_rate.source IS NULL THEN 'no source is given: nobody can check this rate' END,
        CASE WHEN old.builtin AND old.verified AND set_rate.percent > old.percent THEN format('it is above the verified rate of %s (%s)', old.percent, old.source) END,
        CASE WHEN set_rate.valid_to IS NULL THEN 'it holds until another row is saved: rates change on 1 January and 1 July' END], NULL);
END
$fn$;
COMMENT ON FUNCTION dunning.set_rate(text, numeric, date, date, text, boolean) IS
'Sets a reference rate in percent a year for a period, the last day counted; NULL is until further notice. The row of the same reference and first day is replaced, and goes before a built-in one; enabled => false makes its days unknown, so that no interest accrues on them. Posted interest is corrected by the next assess_charges(). Returns whether there was a row, and warnings. Unknown reference, negative interest, overlapping periods: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_rate(text, numeric, date, date, text, boolean) TO dunning_admin;

CREATE FUNCTION dunning.save_interest_rule(country text, debtor_kind text, reference text, margin numeric, valid_from date, valid_to date DEFAULT NULL,
    day_count text DEFAULT 'act/365', fixing text DEFAULT 'half_year', compounding text DEFAULT 'none', round_reference numeric DEFAULT NULL, round_total numeric DEFAULT NULL,
    grace_days int DEFAULT 0, grace_term text DEFAULT NULL, by_notice boolean DEFAULT false, clearing text[] DEFAULT '{principal,interest,costs}',
    frozen_by text[] DEFAULT '{moratorium,breathing_space,insolvency}', source text DEFAULT NULL, enabled boolean DEFAULT true) RETURNS TABLE (changed boolean, warnings text[])
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    r dunning.interest_rule;
    other dunning.interest_rule;
    old dunning.interest_rule;
BEGIN
    PERFORM dunning._check_law(save_interest_rule.country, save_interest_rule.debtor_kind, save_interest_rule.valid_from, save_interest_rule.valid_to);
    IF coalesce(save_interest_rule.reference, '') !~ '^[A-Za-z][A-Za-z0-9_-]{0,40}$' OR (save_interest_rule.margin > -100 AND save_interest_rule.margin < 1000) IS NOT TRUE
       OR (save_interest_rule.day_count IN ('act/365', 'act/360', '30/360', 'act/act')) IS NOT TRUE OR (save_interest_rule.fixing IN ('change', 'half_year', 'half_year_before')) IS NOT TRUE
       OR (save_interest_rule.compounding IN ('none', 'yearly')) IS NOT TRUE OR NOT coalesce(save_interest_rule.round_reference > 0 AND save_interest_rule.round_reference < 100, true)
       OR NOT coalesce(save_interest_rule.round_total > 0 AND save_interest_rule.round_total < 100, true) OR NOT coalesce(save_interest_rule.grace_days BETWEEN 0 AND 3650, true)
       OR (save_interest_rule.clearing @> '{costs,interest,principal}' AND cardinality(save_interest_rule.clearing) = 3) IS NOT TRUE
       OR num_nulls(save_interest_rule.by_notice, save_interest_rule.frozen_by, save_interest_rule.enabled) > 0
       OR EXISTS (SELECT FROM dunning.reference_rate x WHERE x.reference = save_interest_rule.reference AND x.percent + save_interest_rule.margin < 0) THEN
        RAISE EXCEPTION 'the rule of interest makes no sense' USING ERRCODE = '22023',
            DETAIL = 'day_count is act/365, act/360, 30/360 or act/act; fixing change, half_year or half_year_before; compounding none or yearly; clearing an order of costs, interest and principal; rate and margin together are not negative.',
            HINT = 'SELECT * FROM dunning.save_interest_rule(''FI'', ''person'', ''FI-reference'', 7, ''2026-01-01'', source => ''...'');';
    END IF;
    r := ROW(save_interest_rule.country, save_interest_rule.debtor_kind, save_interest_rule.valid_from, false, save_interest_rule.valid_to, save_interest_rule.reference,
        save_interest_rule.margin, save_interest_rule.round_reference, save_interest_rule.round_total, save_interest_rule.fixing, save_interest_rule.day_count,
        save_interest_rule.compounding, save_interest_rule.grace_days, save_interest_rule.grace_term, save_interest_rule.by_notice, save_interest_rule.clearing,
        save_interest_rule.frozen_by, coalesce(save_interest_rule.source, 'own rule'), save_interest_rule.source IS NOT NULL, save_interest_rule.enabled, session_user, dunning._now())::dunning.interest_rule;
    SELECT x.* INTO other FROM dunning.interest_rule x
    WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND NOT x.builtin AND x.enabled AND r.enabled AND x.valid_from <> r.valid_from
      AND daterange(x.valid_from, x.valid_to, '[]') && daterange(r.valid_from, r.valid_to, '[]') ORDER BY x.valid_from LIMIT 1;
    IF FOUND THEN
        PERFORM dunning._overlap('rule of interest', r.country || ' ' || r.debtor_kind, r.valid_from, r.valid_to,
            other.valid_from, other.valid_to, dunning._overlap_hint('save_interest_rule', to_jsonb(other), to_jsonb(r)));
    END IF;
    SELECT x.* INTO old FROM dunning.interest_rule x WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND x.valid_from = r.valid_from ORDER BY x.builtin LIMIT 1;
    PERFORM dunning._log_charge_change('interest_rule', concat_ws(' ', r.country, r.debtor_kind, to_char(r.valid_from, 'YYYY-MM-DD')), CASE WHEN old.country IS NOT NULL THEN to_jsonb(old) END);
    DELETE FROM dunning.interest_rule x WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND x.valid_from = r.valid_from AND NOT x.builtin;
    INSERT INTO dunning.interest_rule SELECT r.*;
    RETURN QUERY SELECT old.country IS NOT NULL, array_remove(ARRAY[
        CASE WHEN save_interest_rule.source IS NULL THEN 'no source is given: nobody can check this rule' END,
        CASE WHEN NOT EXISTS (SELECT FROM dunning.reference_rate x WHERE x.reference = r.reference AND x.enabled)
             THEN format('no rate of %s is known yet: SELECT * FROM dunning.set_rate(...)', r.reference) END,
        CASE WHEN old.builtin AND old.verified AND old.reference = save_interest_rule.reference AND save_interest_rule.margin > old.margin
             THEN format('the margin is above the verified one of %s (%s)', old.margin, old.source) END], NULL);
END
$fn$;
COMMENT ON FUNCTION dunning.save_interest_rule(text, text, text, numeric, date, date, text, text, text, numeric, numeric, int, text, boolean, text[], text[], text, boolean) IS
'Saves how late interest is counted for invoices due in a period, by country (ISO, or EU) and kind of debtor (person, company); replaces the row of the same first day and goes before a built-in one. grace_days: days after the due date that bear none (NULL: only a notice begins default). Returns whether there was a row, and warnings. 22023 where it makes no sense or overlaps. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_interest_rule(text, text, text, numeric, date, date, text, text, text, numeric, numeric, int, text, boolean, text[], text[], text, boolean) TO dunning_admin;

CREATE FUNCTION dunning._check_tiers(tiers jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    tier jsonb;
    edge text := CASE WHEN tiers -> 0 ? 'amount' THEN 'below' ELSE 'upto' END;
    yields text := CASE WHEN tiers -> 0 ? 'amount' THEN 'amount' ELSE 'percent' END;
    before numeric := 0;
    n int := 0;
BEGIN
    IF tiers IS NULL THEN
        RETURN NULL;
    ELSIF jsonb_typeof(tiers) <> 'array' OR jsonb_array_length(tiers) NOT BETWEEN 1 AND 50 THEN
        RETURN 'Tiers are an array of 1 to 50.';
    END IF;
    FOR tier IN SELECT t.t FROM jsonb_array_elements(tiers) WITH ORDINALITY t(t, n) ORDER BY t.n LOOP
        n := n + 1;
        IF jsonb_typeof(tier) <> 'object' OR jsonb_typeof(tier -> yields) IS DISTINCT FROM 'number' OR (tier ->> yields)::numeric <= 0 OR (tier ->> yields)::numeric > 1e12
           OR (jsonb_typeof(tier -> edge) IS DISTINCT FROM 'number' AND (tier ? edge OR n < jsonb_array_length(tiers)))
           OR (tier ->> edge)::numeric <= before OR tier - yields - edge <> '{}' THEN
            RETURN format('Tier %s is %s; every one but the last has a rising "%s", and a positive "%s".', n, tier, edge, yields);
        END IF;
        before := (tier ->> edge)::numeric;
    END LOOP;
    RETURN NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._check_tiers(jsonb) IS 'What is wrong with the tiers of a fee, NULL where nothing is.';

CREATE FUNCTION dunning._charge_rule_problem(r dunning.charge_rule) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN coalesce(
        CASE WHEN coalesce(r.level, '') !~ '^[a-z][a-z0-9-]{0,40}$' OR r.level = 'interest' THEN 'A level is a word of small letters, digits and "-"; interest has rules of its own.' END,
        CASE WHEN coalesce(r.currency, '') !~ '^[A-Z]{3}$' THEN 'A currency is a code of three capitals.' END,
        CASE WHEN num_nonnulls(r.amount, r.tiers) <> 1 THEN 'A fee is either an amount or tiers.' END,
        dunning._check_tiers(r.tiers),
        CASE WHEN NOT coalesce(r.amount > 0 AND r.amount < 1e12, true) OR NOT coalesce(r.minimum > 0 AND r.minimum < 1e12, true)
                  OR NOT coalesce(r.maximum > 0 AND r.maximum < 1e12, true) OR r.minimum > r.maximum
                  OR r.amount <> round(r.amount, dunning._minor_digits(r.currency)) THEN
            'Amount, minimum and maximum are positive, in whole minor units, and in order.' END,
        CASE WHEN (r.kind IN ('fee', 'cost', 'compensation')) IS NOT TRUE OR (r.gap_scope IN ('invoice', 'debtor')) IS NOT TRUE THEN
            'kind is fee, cost or compensation; gap_scope is invoice or debtor.' END,
        CASE WHEN (r.after_due_days BETWEEN 1 AND 3650) IS NOT TRUE OR NOT coalesce(r.max_count BETWEEN 1 AND 100, true)
                  OR NOT coalesce(r.min_gap_days BETWEEN 0 AND 3650, true) OR NOT coalesce(r.notice_days BETWEEN 0 AND 365, true)
                  OR num_nulls(r.notice, r.notice_days) = 1
                  OR num_nulls(r.notice_post, r.notice_amount, r.after_broken_plan, r.enabled, r."position") > 0 THEN
            'after_due_days is 1 to 3650, max_count 1 to 100, min_gap_days 0 to 3650; a notice has notice_days from 0 to 365.' END);
END
$fn$;
COMMENT ON FUNCTION dunning._charge_rule_problem(dunning.charge_rule) IS 'What is wrong with a rule for a fee by itself, in words; NULL where nothing is.';

CREATE FUNCTION dunning.save_charge_rule(country text, debtor_kind text, level text, currency text, amount numeric DEFAULT NULL, valid_from date DEFAULT NULL, valid_to date DEFAULT NULL,
    tiers jsonb DEFAULT NULL, minimum numeric DEFAULT NULL, maximum numeric DEFAULT NULL, kind text DEFAULT 'fee', family text DEFAULT NULL, "position" int DEFAULT 1,
    after_due_days int DEFAULT 1, max_count int DEFAULT NULL, min_gap_days int DEFAULT NULL, gap_scope text DEFAULT 'invoice', notice text DEFAULT NULL, notice_days int DEFAULT NULL,
    notice_post boolean DEFAULT false, notice_amount boolean DEFAULT false, term text DEFAULT NULL, with_reminder boolean DEFAULT NULL, after_broken_plan boolean DEFAULT true,
    source text DEFAULT NULL, enabled boolean DEFAULT true) RETURNS TABLE (changed boolean, warnings text[])
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    r dunning.charge_rule;
    old dunning.charge_rule;
    law dunning.charge_rule;
    other dunning.charge_rule;
    wrong text;
BEGIN
    r := ROW(save_charge_rule.country, save_charge_rule.debtor_kind, save_charge_rule.level, coalesce(save_charge_rule.valid_from, dunning._fee_day(NULL)), false, save_charge_rule.valid_to,
        save_charge_rule.kind, save_charge_rule."position", coalesce(save_charge_rule.family, CASE WHEN save_charge_rule.level ~ '^reminder' THEN 'reminder' ELSE save_charge_rule.level END),
        save_charge_rule.currency, save_charge_rule.amount, save_charge_rule.tiers, save_charge_rule.minimum, save_charge_rule.maximum, save_charge_rule.after_due_days,
        save_charge_rule.max_count, save_charge_rule.min_gap_days, save_charge_rule.gap_scope, save_charge_rule.notice, save_charge_rule.notice_days, save_charge_rule.notice_post,
        save_charge_rule.notice_amount, save_charge_rule.term, coalesce(save_charge_rule.with_reminder, save_charge_rule.kind = 'fee'), save_charge_rule.after_broken_plan,
        coalesce(save_charge_rule.source, 'own rule'), save_charge_rule.source IS NOT NULL, save_charge_rule.enabled, session_user, dunning._now())::dunning.charge_rule;
    PERFORM dunning._check_law(r.country, r.debtor_kind, r.valid_from, r.valid_to);
    wrong := dunning._charge_rule_problem(r);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'charge rule "%" makes no sense', save_charge_rule.level USING ERRCODE = '22023', DETAIL = wrong,
            HINT = 'SELECT * FROM dunning.save_charge_rule(''FI'', ''person'', ''reminder-1'', ''EUR'', 5, ''2026-01-01'', source => ''...'');';
    END IF;
    SELECT x.* INTO other FROM dunning.charge_rule x
    WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND x.level = r.level AND NOT x.builtin AND x.enabled AND r.enabled AND x.valid_from <> r.valid_from
      AND daterange(x.valid_from, x.valid_to, '[]') && daterange(r.valid_from, r.valid_to, '[]') ORDER BY x.valid_from LIMIT 1;
    IF FOUND THEN
        PERFORM dunning._overlap('charge rule', concat_ws(' ', r.country, r.debtor_kind, r.level), r.valid_from, r.valid_to, other.valid_from, other.valid_to,
            dunning._overlap_hint('save_charge_rule', to_jsonb(other), to_jsonb(r)));
    END IF;
    SELECT x.* INTO old FROM dunning.charge_rule x WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND x.level = r.level AND x.valid_from = r.valid_from ORDER BY x.builtin LIMIT 1;
    SELECT x.* INTO law FROM dunning.charge_rule x WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND x.level = r.level AND x.builtin AND x.verified AND x.enabled
        AND daterange(x.valid_from, x.valid_to, '[]') && daterange(r.valid_from, r.valid_to, '[]') ORDER BY x.valid_from DESC LIMIT 1;
    PERFORM dunning._log_charge_change('charge_rule', concat_ws(' ', r.country, r.debtor_kind, r.level, to_char(r.valid_from, 'YYYY-MM-DD')), CASE WHEN old.country IS NOT NULL THEN to_jsonb(old) END);
    DELETE FROM dunning.charge_rule x WHERE x.country = r.country AND x.debtor_kind = r.debtor_kind AND x.level = r.level AND x.valid_from = r.valid_from AND NOT x.builtin;
    INSERT INTO dunning.charge_rule SELECT r.*;
    RETURN QUERY SELECT old.country IS NOT NULL, array_remove(ARRAY[
        CASE WHEN save_charge_rule.source IS NULL THEN 'no source is given: nobody can check this rule' END,
        CASE WHEN r.amount > law.amount AND r.currency = law.currency THEN format('it is above the verified amount of %s %s (%s)', law.currency, law.amount, law.source) END,
        CASE WHEN law.max_count < r.max_count OR law.max_count IS NOT NULL AND r.max_count IS NULL THEN format('the law allows at most %s (%s)', law.max_count, law.source) END,
        CASE WHEN law.min_gap_days > coalesce(r.min_gap_days, 0) THEN format('the law asks for %s days between two (%s)', law.min_gap_days, law.source) END,
        CASE WHEN law.notice IS NOT NULL AND r.notice IS NULL THEN format('the law asks for a notice before it (%s)', law.source) END], NULL);
END
$fn$;
COMMENT ON FUNCTION dunning.save_charge_rule(text, text, text, text, numeric, date, date, jsonb, numeric, numeric, text, text, int, int, int, int, text, text, int, boolean, boolean, text, boolean, boolean, text, boolean) IS
'Saves which fee may be charged at a level, by country (ISO, or EU) and kind of debtor (person, company), from a day on (NULL: today); replaces the row of the same first day and goes before a built-in one. amount, or tiers: [{"upto": 2500, "percent": 15}, ..., {"percent": 1}] share by share, or [{"below": 1000, "amount": 40}, ..., {"amount": 100}]. Counts and gaps are told over a family. Returns whether there was a row, and warnings where it is laxer than a verified law. 22023 where it makes no sense or overlaps. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_charge_rule(text, text, text, text, numeric, date, date, jsonb, numeric, numeric, text, text, int, int, int, int, text, text, int, boolean, boolean, text, boolean, boolean, text, boolean) TO dunning_admin;

CREATE FUNCTION dunning.save_charging(creditor text, fees boolean DEFAULT false, interest boolean DEFAULT false, terms text[] DEFAULT '{}') RETURNS text[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known text[] := ARRAY(SELECT r.term FROM dunning.charge_rule r WHERE r.term IS NOT NULL UNION SELECT r.grace_term FROM dunning.interest_rule r WHERE r.grace_term IS NOT NULL ORDER BY 1);
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = save_charging.creditor) THEN
        RAISE EXCEPTION 'there is no creditor "%"', save_charging.creditor USING ERRCODE = '22023',
            DETAIL = format('Known are %s.', (SELECT string_agg(DISTINCT c.creditor, ', ') FROM dunning.creditor c)), HINT = format('SELECT dunning.save_creditor(%L, ''Name'');', save_charging.creditor);
    ELSIF num_nulls(save_charging.fees, save_charging.interest, save_charging.terms) > 0 OR NOT save_charging.terms <@ known THEN
        RAISE EXCEPTION 'unknown term of a contract' USING ERRCODE = '22023', DETAIL = format('Rules ask for %s; given are %s.', array_to_string(known, ', '), save_charging.terms),
            HINT = format('SELECT dunning.save_charging(%L, fees => true, interest => true, terms => ''{reminder_fee}'');', save_charging.creditor);
    END IF;
    PERFORM dunning._log_charge_change('charging', save_charging.creditor, (SELECT to_jsonb(g) FROM dunning.charging g WHERE g.creditor = save_charging.creditor));
    INSERT INTO dunning.charging AS g (creditor, fees, interest, terms, saved_by, saved_at)
    VALUES (save_charging.creditor, save_charging.fees, save_charging.interest, save_charging.terms, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT charging_pkey DO UPDATE SET fees = excluded.fees, interest = excluded.interest, terms = excluded.terms, saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    RETURN array_remove(ARRAY[
        CASE WHEN save_charging.fees AND 'reminder_fee' = ANY (known) AND NOT 'reminder_fee' = ANY (save_charging.terms) THEN 'Swedish reminder fees need the term reminder_fee in the contract' END,
        CASE WHEN save_charging.interest AND 'default_notice' = ANY (known) AND NOT 'default_notice' = ANY (save_charging.terms) THEN 'German consumers owe interest only after a reminder, or with the term default_notice on the invoice' END], NULL);
END
$fn$;
COMMENT ON FUNCTION dunning.save_charging(text, boolean, boolean, text[]) IS
'Switches fees and interest of a creditor on or off (off until this call), and says which terms its contracts contain: reminder_fee (a fee for reminders was agreed), default_notice (the invoice says that default begins after thirty days). Returns what still needs a term. Unknown creditor or term: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_charging(text, boolean, boolean, text[]) TO dunning_admin;

CREATE FUNCTION dunning.record_notice(debtor_id text, invoice_id text, level text, sent_on date, amount numeric DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(record_notice.debtor_id);
    c record;
BEGIN
    SELECT x.creditor, x.issued_on INTO c FROM dunning._claims(ARRAY[id]) x WHERE x.invoice_id = record_notice.invoice_id;
    IF NOT FOUND OR (record_notice.sent_on BETWEEN c.issued_on AND (dunning._now() AT TIME ZONE dunning._ledger_zone())::date) IS NOT TRUE
       OR coalesce(record_notice.level, '') !~ '^[a-z][a-z0-9-]{0,40}$' OR NOT coalesce(record_notice.amount > 0 AND record_notice.amount < 1e12, true) THEN
        RAISE EXCEPTION 'such a notice cannot have been sent' USING ERRCODE = '22023',
            DETAIL = format('Debtor %s, invoice %s, level %s, sent on %s: the invoice is one of the ledger, the day is between its issue and today.', id, record_notice.invoice_id, record_notice.level, record_notice.sent_on),
            HINT = 'SELECT dunning.record_notice(''1042'', ''77'', ''collection-cost'', current_date, 40);';
    END IF;
    INSERT INTO dunning.charge_notice (debtor_id, invoice_id, level, sent_on, creditor, amount, recorded_by, recorded_at)
    VALUES (id, record_notice.invoice_id, record_notice.level, record_notice.sent_on, c.creditor, record_notice.amount, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT charge_notice_pkey DO NOTHING;
END
$fn$;
COMMENT ON FUNCTION dunning.record_notice(text, text, text, date, numeric) IS
'A notice that the law asks for before a cost was sent elsewhere, on this day, naming this cost; our own messages that name a fee count by themselves. Unknown invoice or an impossible day: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.record_notice(text, text, text, date, numeric) TO dunning_operator;

CREATE FUNCTION dunning.reset_charge_rules(country text) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    row_gone record;
    gone int := 0;
BEGIN
    FOR row_gone IN DELETE FROM dunning.charge_rule r WHERE r.country = reset_charge_rules.country AND NOT r.builtin RETURNING r.level, to_jsonb(r) AS before LOOP
        PERFORM dunning._log_charge_change('charge_rule', reset_charge_rules.country || ' ' || row_gone.level, row_gone.before);
        gone := gone + 1;
    END LOOP;
    FOR row_gone IN DELETE FROM dunning.interest_rule r WHERE r.country = reset_charge_rules.country AND NOT r.builtin RETURNING r.debtor_kind, to_jsonb(r) AS before LOOP
        PERFORM dunning._log_charge_change('interest_rule', reset_charge_rules.country || ' ' || row_gone.debtor_kind, row_gone.before);
        gone := gone + 1;
    END LOOP;
    RETURN gone;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_charge_rules(text) IS 'How many rules of your own it removed for a country, so that the built-in ones hold again. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_charge_rules(text) TO dunning_admin;
