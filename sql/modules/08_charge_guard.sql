-- charge: the guard. A row that no rule allows is refused whoever writes it: our calls, a superuser's INSERT, COPY, a replica.
--
-- Nothing declarative can do it: what is lawful depends on the ledger, on rules and on the charges before, and a CHECK that reads other
-- tables breaks a restore, which loads tables in any order. So a row trigger asks. What it let through it seals: a digest of the row. A
-- row that comes with its seal was let through before, here or where the dump was made, and is taken as it stands; a row without one
-- is asked for. The seal is no secret, it tells an old row from a new one: whoever computes it by hand could as well drop the trigger.

CREATE FUNCTION dunning._charge_seal(c dunning.charge) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT sha256(convert_to(jsonb_build_array(c.debtor_id, c.charge_id, c.creditor, c.invoice_id, c.kind, c.level, c.currency, trim_scale(c.amount),
    to_char(c.charged_on, 'YYYY-MM-DD'), to_char(c.from_on, 'YYYY-MM-DD'), to_char(c.until_on, 'YYYY-MM-DD'), c.message_id, c.rule, c.basis,
    extract(epoch FROM c.created_at), c.created_by)::text, 'UTF8')) $$;
COMMENT ON FUNCTION dunning._charge_seal(dunning.charge) IS 'Digest of what a charge says, without waiving and booking.';

CREATE FUNCTION dunning._refuse_charge(c dunning.charge, detail text, hint text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RAISE EXCEPTION 'debtor "%" may not be charged "%" on invoice "%"', c.debtor_id, c.level, c.invoice_id
        USING ERRCODE = 'DN011', DETAIL = _refuse_charge.detail, HINT = coalesce(_refuse_charge.hint, format('SELECT * FROM dunning.lawful_fees(%L);', c.debtor_id));
END
$fn$;
COMMENT ON FUNCTION dunning._refuse_charge(dunning.charge, text, text) IS 'Raises DN011 with what is not lawful.';

-- Why there is no rule at all: the invoice, the place, the kind of debtor or the level.
CREATE FUNCTION dunning._no_rule(debtor_id text, invoice_id text, level text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    c record;
BEGIN
    SELECT x.country, x.debtor_kind INTO c FROM dunning._claims(ARRAY[_no_rule.debtor_id]) x WHERE x.invoice_id = _no_rule.invoice_id;
    RETURN CASE
        WHEN NOT FOUND THEN 'The ledger has no such invoice of this debtor, or it is cancelled, or is itself a fee or interest.'
        WHEN c.country IS NULL THEN 'The debtor''s country is not known, so no law is.'
        WHEN c.debtor_kind IS NULL THEN 'Whether the debtor is a person or a company is not known, so no law is.'
        ELSE format('No enabled rule of %s for a %s allows "%s" today.', c.country, c.debtor_kind, _no_rule.level)
             || coalesce((SELECT format(' One stands there disabled: %s.', min(r.source)) FROM dunning.charge_rule r
                          WHERE r.country = c.country AND r.debtor_kind = c.debtor_kind AND r.level = _no_rule.level AND NOT r.enabled HAVING count(*) > 0), '') END;
END
$fn$;
COMMENT ON FUNCTION dunning._no_rule(text, text, text) IS 'In a sentence, why no rule allows a fee.';

CREATE FUNCTION dunning._guard_fee(INOUT c dunning.charge)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    f record;
    today date := (dunning._now() AT TIME ZONE dunning._ledger_zone())::date;
BEGIN
    SELECT x.* INTO f FROM dunning._lawful_fees(ARRAY[c.debtor_id]) x WHERE x.invoice_id = c.invoice_id AND x.level = c.level;
    IF NOT FOUND THEN
        PERFORM dunning._refuse_charge(c, dunning._no_rule(c.debtor_id, c.invoice_id, c.level),
            'SELECT country, debtor_kind, level, amount, tiers, currency, enabled, source FROM dunning.charge_rule;');
    END IF;
    c.charged_on := coalesce(c.charged_on, today);
    c.kind := coalesce(c.kind, f.kind);
    c.currency := coalesce(c.currency, f.currency);
    c.amount := coalesce(c.amount, f.amount);
    c.creditor := coalesce(c.creditor, f.creditor);
    IF f.blocked_by <> '{}' THEN
        PERFORM dunning._refuse_charge(c, format('It is blocked by %s. Rule: %s.', array_to_string(f.blocked_by, ', '), f.rule));
    ELSIF c.charged_on < today AND c.charged_on <@ ANY (f.held_days) THEN
        PERFORM dunning._refuse_charge(c, format('A hold was in force on %s.', c.charged_on));
    ELSIF c.charged_on < f.lawful_from OR c.charged_on > today THEN
        PERFORM dunning._refuse_charge(c, format('It may be charged from %s on, not on %s; today is %s. Rule: %s.', f.lawful_from, c.charged_on, today, f.rule));
    ELSIF c.amount > f.amount OR c.currency <> f.currency OR c.amount <> round(c.amount, dunning._minor_digits(c.currency)) THEN
        PERFORM dunning._refuse_charge(c, format('At most %s %s may be charged, not %s %s. Rule: %s.', f.currency, f.amount, c.currency, c.amount, f.rule));
    ELSIF c.kind <> f.kind OR c.creditor <> f.creditor THEN
        PERFORM dunning._refuse_charge(c, format('It is a %s of creditor %s, not a %s of %s.', f.kind, f.creditor, c.kind, c.creditor));
    END IF;
    c.rule := f.rule;
    c.basis := f.basis;
END
$fn$;
COMMENT ON FUNCTION dunning._guard_fee(dunning.charge) IS 'The fee with rule and facts filled in; DN011 where it is not lawful.';

CREATE FUNCTION dunning._guard_interest(INOUT c dunning.charge)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    due record;
    posted record;
    today date := (dunning._now() AT TIME ZONE dunning._ledger_zone())::date;
    hint text := format('SELECT * FROM dunning.interest(%L, %L);', c.debtor_id, c.invoice_id);
BEGIN
    c.charged_on := coalesce(c.charged_on, today);
    c.until_on := coalesce(c.until_on, c.charged_on + 1);
    IF c.charged_on > today OR c.until_on > today + 1 THEN
        PERFORM dunning._refuse_charge(c, format('Interest until %s is not earned yet; today is %s.', c.until_on, today), hint);
    END IF;
    SELECT coalesce(sum(i.amount), 0) AS amount, min(i.rule) AS rule, min(i.currency) AS currency, min(i.creditor) AS creditor, min(i.span_from) AS first_on,
           jsonb_agg(jsonb_strip_nulls(jsonb_build_object('from', to_char(i.span_from, 'YYYY-MM-DD'), 'until', to_char(i.span_until, 'YYYY-MM-DD'), 'days', i.span_days,
               'rate', i.rate, 'base', trim_scale(i.base), 'amount', i.amount, 'why', i.why)) ORDER BY i.span_from) AS spans
    INTO due FROM dunning._interest(ARRAY[c.debtor_id], NULL, c.until_on, c.invoice_id) i;
    IF due.rule IS NULL THEN
        PERFORM dunning._refuse_charge(c, 'No interest accrued on this invoice: it is not overdue, or no enabled rule of its country allows interest.', hint);
    END IF;
    IF NOT coalesce((SELECT g.interest FROM dunning.charging g WHERE g.creditor = due.creditor), false) THEN
        PERFORM dunning._refuse_charge(c, format('It is blocked by charging_off: creditor %s charges no interest.', due.creditor), format('SELECT dunning.save_charging(%L, interest => true);', due.creditor));
    END IF;
    SELECT coalesce(sum(h.amount), 0) AS amount, max(h.until_on) AS until_on INTO posted
    FROM dunning.charge h WHERE h.debtor_id = c.debtor_id AND h.invoice_id = c.invoice_id AND h.kind = 'interest';
    c.from_on := coalesce(c.from_on, posted.until_on, due.first_on);
    c.currency := coalesce(c.currency, due.currency);
    c.creditor := coalesce(c.creditor, due.creditor);
    c.amount := coalesce(c.amount, due.amount - posted.amount);
    IF c.from_on <> coalesce(posted.until_on, due.first_on) THEN
        PERFORM dunning._refuse_charge(c, format('Interest is posted until %s: the next row begins there, not on %s.', coalesce(posted.until_on, due.first_on), c.from_on), hint);
    ELSIF c.until_on <= c.from_on OR c.amount = 0 THEN
        PERFORM dunning._refuse_charge(c, format('Interest is posted until %s, and nothing more accrued until %s.', c.from_on, c.until_on), hint);
    ELSIF c.amount + posted.amount > due.amount OR c.currency <> due.currency OR c.creditor <> due.creditor OR c.amount + posted.amount < 0
          OR c.amount <> round(c.amount, dunning._minor_digits(c.currency)) THEN
        PERFORM dunning._refuse_charge(c, format('Until %s %s %s accrued, of which %s are posted: %s %s more is not lawful. Rule: %s.',
            c.until_on, due.currency, due.amount, posted.amount, c.currency, c.amount, due.rule), hint);
    END IF;
    c.rule := due.rule;
    c.basis := jsonb_build_object('accrued', due.amount, 'posted_before', posted.amount, 'spans', due.spans);
END
$fn$;
COMMENT ON FUNCTION dunning._guard_interest(dunning.charge) IS 'The posted interest with rule and spans filled in; DN011 where it is more than what accrued.';

CREATE FUNCTION dunning._guard_charge() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.seal IS DISTINCT FROM OLD.seal OR dunning._charge_seal(NEW) <> OLD.seal
           OR OLD.waived_at IS NOT NULL AND (NEW.waived_at IS DISTINCT FROM OLD.waived_at OR NEW.waived_by IS DISTINCT FROM OLD.waived_by) THEN
            PERFORM dunning._refuse_charge(OLD, 'What a charge says is never changed, and what is waived stays so.',
                format('SELECT dunning.waive(%L, ''reason'');', OLD.charge_id));
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.seal IS NOT NULL THEN
        IF dunning._charge_seal(NEW) <> NEW.seal THEN
            PERFORM dunning._refuse_charge(NEW, 'The row does not match its seal.', 'Leave the seal out, and the charge is checked as a new one.');
        END IF;
        RETURN NEW;
    END IF;
    IF num_nulls(NEW.debtor_id, NEW.invoice_id, NEW.level) > 0 THEN
        RAISE EXCEPTION 'a charge names a debtor, an invoice and a level' USING ERRCODE = '22023',
            DETAIL = format('Given: debtor %L, invoice %L, level %L.', NEW.debtor_id, NEW.invoice_id, NEW.level), HINT = 'SELECT * FROM dunning.charge(''1042'', ''77'', ''reminder-1'');';
    END IF;
    -- Two writers of one debtor are told apart here; a snapshot older than the other's commit meets the unique indexes. A thousand locks
    -- for all debtors: a run that charges a whole book would fill the server's lock table with one each.
    PERFORM pg_advisory_xact_lock(1685416560, hashtext(NEW.debtor_id) & 1023);
    NEW.debtor_id := dunning._canonical_id(NEW.debtor_id);
    NEW.charge_id := coalesce(NEW.charge_id, dunning._uuid7());
    IF NEW.level = 'interest' THEN
        NEW.kind := coalesce(NEW.kind, 'interest');
        NEW := dunning._guard_interest(NEW);
    ELSE
        NEW := dunning._guard_fee(NEW);
    END IF;
    NEW.created_at := dunning._now();
    NEW.created_by := session_user;
    NEW.seal := dunning._charge_seal(NEW);
    RETURN NEW;
END
$fn$;
COMMENT ON FUNCTION dunning._guard_charge() IS 'Trigger: refuses (DN011) a charge that no rule allows, a second look at those let through before, and any change but waiving and booking.';

CREATE TRIGGER charge_guard BEFORE INSERT OR UPDATE ON dunning.charge FOR EACH ROW EXECUTE FUNCTION dunning._guard_charge();
ALTER TABLE dunning.charge ENABLE ALWAYS TRIGGER charge_guard;
