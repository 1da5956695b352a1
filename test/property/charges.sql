-- Years of random payments, credit notes, rates, holds and costs, and a clerk who counts every day by itself in plain numeric. Nothing is
-- shared with the extension but the rows. helper.rules(seed) once, then helper.years(from, to, seed) as often as wanted, also side by side.

CREATE SCHEMA helper;
CREATE TABLE helper.violation (book text, invoice text, what text, expected text, got text);
CREATE TABLE helper.tally (what text, n bigint);

-- What a clerk would do: every day by itself, nothing shared with the extension but the rows.
CREATE FUNCTION helper.open_on(debtor text, invoice text, d date) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE i record; credit numeric; direct numeric; rest numeric;
BEGIN
    SELECT coalesce(sum(p.amount), 0) INTO credit FROM dunning.payment p WHERE p.debtor_id = debtor AND p.paid_at::date < d;
    credit := credit + coalesce((SELECT sum(c.amount) FROM dunning.invoice c WHERE c.debtor_id = debtor AND c.kind = 'credit_note' AND c.issued_on < d), 0);
    FOR i IN SELECT v.* FROM dunning.invoice v WHERE v.debtor_id = debtor AND v.kind = 'invoice' LOOP
        credit := credit - least(i.amount, coalesce((SELECT sum(p.amount) FROM dunning.payment p WHERE p.debtor_id = debtor AND p.invoice_id = i.invoice_id AND p.paid_at::date < d), 0));
    END LOOP;
    FOR i IN SELECT v.* FROM dunning.invoice v WHERE v.debtor_id = debtor AND v.kind = 'invoice' ORDER BY v.due_on, v.issued_on, v.invoice_id LOOP
        rest := i.amount - least(i.amount, coalesce((SELECT sum(p.amount) FROM dunning.payment p WHERE p.debtor_id = debtor AND p.invoice_id = i.invoice_id AND p.paid_at::date < d), 0));
        direct := greatest(0, least(rest, credit));
        IF i.invoice_id = invoice THEN RETURN rest - direct; END IF;
        credit := credit - rest;
    END LOOP;
END $$;
CREATE FUNCTION helper.plain(debtor text, invoice text, place text, until date) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
    i dunning.invoice; d date; opens numeric; was numeric; principal numeric; capital numeric := 0; exact numeric := 0; closed numeric := 0; interest_paid numeric := 0; costs_paid numeric := 0;
    law text[] := (SELECT ARRAY[r.day_count, r.fixing, r.compounding, r.round_total::text, r.grace_days::text, array_to_string(r.clearing, ',')] FROM dunning.interest_rule r WHERE r.country = place);
    digits int := CASE place WHEN 'UY' THEN 0 ELSE 2 END; percent numeric; day date; weight numeric; begins date; pay numeric; due numeric; part text; years int := 0;
    moved date[]; rates numeric[]; rate_from date[]; rate_to date[]; held tstzrange[]; looked date;
BEGIN
    SELECT v.* INTO i FROM dunning.invoice v WHERE v.debtor_id = debtor AND v.invoice_id = invoice;
    begins := i.due_on + 1 + law[5]::int;
    moved := ARRAY(SELECT p.paid_at::date + 1 FROM dunning.payment p WHERE p.debtor_id = debtor UNION SELECT c.issued_on + 1 FROM dunning.invoice c WHERE c.debtor_id = debtor AND c.kind = 'credit_note');
    SELECT array_agg(r.percent), array_agg(r.valid_from), array_agg(r.valid_to) INTO rates, rate_from, rate_to FROM dunning.reference_rate r WHERE r.reference = 'T-' || place;
    held := ARRAY(SELECT tstzrange(h.from_at, least(h.until_at, h.released_at)) FROM dunning.hold h WHERE h.debtor_id = debtor AND h.reason = 'moratorium' AND (h.invoice_id IS NULL OR h.invoice_id = invoice));
    d := i.due_on + 1;
    WHILE d < until LOOP
        IF was IS NULL OR d = ANY (moved) THEN
            opens := helper.open_on(debtor, invoice, d);
            IF was IS NULL THEN
                principal := opens;
            ELSIF opens > was OR law[6] ~ '^principal' THEN
                principal := principal + opens - was;
            ELSIF opens < was THEN
                closed := closed + round(round(exact, 30), digits);
                exact := 0;
                pay := was - opens;
                FOREACH part IN ARRAY string_to_array(law[6], ',') LOOP
                    IF part = 'costs' THEN
                        due := least(pay, (SELECT coalesce(sum(c.amount), 0) FROM dunning.charge c WHERE c.debtor_id = debtor AND c.invoice_id = invoice AND c.kind = 'cost' AND c.charged_on < d) - costs_paid);
                        costs_paid := costs_paid + due;
                    ELSIF part = 'interest' THEN
                        due := least(pay, closed - interest_paid);
                        interest_paid := interest_paid + due;
                    ELSE
                        due := least(pay, principal);
                        principal := principal - due;
                    END IF;
                    pay := pay - due;
                END LOOP;
            END IF;
            was := opens;
        END IF;
        IF law[3] = 'yearly' AND d > begins AND d = (begins + make_interval(years => years + 1))::date THEN
            years := years + 1;
            closed := closed + round(round(exact, 30), digits);
            exact := 0;
            capital := closed - interest_paid;
        END IF;
        day := CASE law[2] WHEN 'change' THEN d WHEN 'half_year' THEN CASE WHEN extract(month FROM d) < 7 THEN date_trunc('year', d)::date ELSE (date_trunc('year', d) + interval '6 months')::date END
                    ELSE CASE WHEN extract(month FROM d) < 7 THEN date_trunc('year', d)::date ELSE (date_trunc('year', d) + interval '6 months')::date END - 1 END;
        IF looked IS DISTINCT FROM day THEN
            looked := day;
            SELECT r.p INTO percent FROM unnest(rates, rate_from, rate_to) r(p, f, t) WHERE day BETWEEN r.f AND r.t;
            percent := CASE WHEN law[4] IS NULL THEN percent + 6 ELSE ceil((percent + 6) / law[4]::numeric) * law[4]::numeric END;
        END IF;
        weight := CASE law[1] WHEN 'act/365' THEN 1 / 365::numeric(60, 50) WHEN 'act/360' THEN 1 / 360::numeric(60, 50)
            WHEN 'act/act' THEN 1 / (CASE WHEN extract(doy FROM make_date(extract(year FROM d)::int, 12, 31)) = 366 THEN 366 ELSE 365 END)::numeric(60, 50)
            ELSE CASE WHEN extract(day FROM d) = 30 AND extract(day FROM d + 1) = 31 THEN 0
                      WHEN extract(month FROM d) = 2 AND extract(day FROM d + 1) = 1 THEN 31 - extract(day FROM d) ELSE 1 END / 360::numeric(60, 50) END;
        IF d >= begins AND percent > 0 AND principal + capital > 0 AND (held = '{}' OR NOT EXISTS (SELECT FROM unnest(held) h(h) WHERE h.h && tstzrange(d, d + 1))) THEN
            exact := exact + (principal + capital) * percent / 100 * weight;
        END IF;
        d := d + 1;
    END LOOP;
    RETURN closed + round(round(exact, 30), digits);
END $$;


-- A fee on a claim, share by share, to the cent.
CREATE FUNCTION helper.plain_fee(place text, claim numeric, digits int) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE r dunning.charge_rule; t jsonb; low numeric := 0; high numeric; fee numeric := 0;
BEGIN
    SELECT x.* INTO r FROM dunning.charge_rule x WHERE x.country = place AND x.level = 'scaled';
    FOR t IN SELECT e FROM jsonb_array_elements(r.tiers) e LOOP
        high := coalesce((t ->> 'upto')::numeric, 'Infinity');
        IF claim > low THEN fee := fee + (least(claim, high) - low) * (t ->> 'percent')::numeric / 100; END IF;
        low := high;
    END LOOP;
    fee := round(fee, digits);
    IF fee < r.minimum THEN fee := r.minimum; END IF;
    IF fee > r.maximum THEN fee := r.maximum; END IF;
    RETURN fee;
END $$;

CREATE PROCEDURE helper.rules(seed bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dunning._ensure_partitions();
    PERFORM dunning.save_creditor('ch', 'Charging Ltd');
    PERFORM dunning.save_charging('ch', fees => true, interest => true);
    PERFORM setseed(dunning._uniform(seed::text) * 2 - 1);
    PERFORM dunning.save_interest_rule(c, 'person', 'T-' || c, 6, '2000-01-01', day_count => dc, fixing => fx, compounding => co, round_total => up, grace_days => gr, clearing => cl, source => 'test')
        FROM (VALUES ('FJ', 'act/365', 'change', 'none', NULL::numeric, 0, '{principal,interest,costs}'::text[]), ('GY', 'act/360', 'half_year', 'yearly', NULL, 0, '{principal,interest,costs}'),
                     ('KE', '30/360', 'half_year', 'none', 0.5, 10, '{costs,interest,principal}'), ('PE', 'act/act', 'change', 'yearly', NULL, 30, '{costs,interest,principal}'),
                     ('UY', 'act/act', 'half_year_before', 'none', 1, 0, '{interest,costs,principal}')) v(c, dc, fx, co, up, gr, cl);
    -- Rates change at odd days, with gaps in which nobody knows them.
    PERFORM dunning.set_rate('T-' || c, round((random() * 9 - 3)::numeric, 2), d.d::date, CASE WHEN random() < 0.15 THEN d.d::date + 60 ELSE d.d::date + 112 END, 'test')
        FROM unnest('{FJ,GY,KE,PE,UY}'::text[]) c, generate_series('2019-12-01'::timestamp, '2026-09-01', '113 days') d(d);
    PERFORM dunning.save_charge_rule(c, 'person', 'handling', CASE c WHEN 'UY' THEN 'JPY' ELSE 'EUR' END, 25, '2000-01-01', kind => 'cost', source => 'test') FROM unnest('{FJ,GY,KE,PE,UY}'::text[]) c;
    PERFORM dunning.save_charge_rule(c, 'person', 'scaled', CASE c WHEN 'UY' THEN 'JPY' ELSE 'EUR' END, NULL, '2000-01-01', kind => 'cost', source => 'test', minimum => 40, maximum => 900, after_due_days => 5,
            tiers => jsonb_build_array(jsonb_build_object('upto', 500, 'percent', round((random() * 20)::numeric + 1, 3)), jsonb_build_object('upto', 2000.50, 'percent', round((random() * 9)::numeric + 1, 3)),
                                       jsonb_build_object('percent', round(random()::numeric + 0.1, 3)))) FROM unnest('{FJ,GY,KE,PE,UY}'::text[]) c;
END $$;

CREATE FUNCTION helper.make_books(first bigint, last bigint, seed bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    PERFORM setseed(dunning._uniform(format('%s/%s', seed, first)) * 2 - 1);
    CREATE TEMP TABLE book ON COMMIT DROP AS SELECT format('chb-%s-%s', seed, n) AS id, (ARRAY['FJ', 'GY', 'KE', 'PE', 'UY'])[1 + n % 5] AS country FROM generate_series(first, last) n;
    ids := ARRAY(SELECT b.id FROM book b);
    INSERT INTO dunning.debtor (debtor_id, creditor, country, kind) SELECT id, 'ch', country, 'person' FROM book;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
    SELECT b.id, b.id || '-' || k, 'ch', d.d - 30, d.d, CASE b.country WHEN 'UY' THEN round((random() * 900000)::numeric + 1) ELSE round((random() * 9000)::numeric + 1, 2) END, CASE b.country WHEN 'UY' THEN 'JPY' ELSE 'EUR' END
    FROM book b, generate_series(1, 3) k, LATERAL (SELECT '2020-01-01'::date + floor(random() * 1200 + 0 * k)::int AS d) d WHERE k = 1 OR random() < 0.5;
    -- Payments that name an invoice or none, some of them taken back, some too large; credit notes.
    INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency, invoice_id)
    SELECT b.id, b.id || '/' || k, 'ch', '2020-03-01'::timestamptz + random() * interval '2200 days',
           CASE b.country WHEN 'UY' THEN round((random() * 400000 - 30000)::numeric) ELSE round((random() * 4000 - 300)::numeric, 2) END, CASE b.country WHEN 'UY' THEN 'JPY' ELSE 'EUR' END,
           CASE WHEN random() < 0.6 THEN b.id || '-' || (1 + floor(random() * 3)) END
    FROM book b, generate_series(1, 8) k WHERE random() < 0.6;
    INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, kind)
    SELECT b.id, b.id || '-c', 'ch', d.d, d.d, round((random() * 500)::numeric), CASE b.country WHEN 'UY' THEN 'JPY' ELSE 'EUR' END, 'credit_note'
    FROM book b, LATERAL (SELECT '2021-01-01'::date + floor(random() * 900)::int + length(b.id) * 0 AS d) d WHERE random() < 0.3;
    -- What may be charged of a share is told by what is open; who has paid is charged nothing.
    INSERT INTO helper.violation
    SELECT f.debtor_id, f.invoice_id, 'fee', x.want::text, f.amount::text
    FROM dunning._lawful_fees(ids) f JOIN book b ON b.id = f.debtor_id JOIN dunning.invoice i ON i.debtor_id = f.debtor_id AND i.invoice_id = f.invoice_id
    CROSS JOIN LATERAL (SELECT helper.open_on(f.debtor_id, f.invoice_id, '2026-06-19') AS open) o
    CROSS JOIN LATERAL (SELECT helper.plain_fee(b.country, o.open, CASE b.country WHEN 'UY' THEN 0 ELSE 2 END) AS want) x
    WHERE f.level = 'scaled' AND (f.blocked_by <> CASE WHEN o.open > 0 THEN '{}' ELSE '{paid}'::text[] END OR f.lawful_from <> i.due_on + 5 OR o.open > 0 AND f.amount <> x.want);
    -- Costs that payments clear first in some countries, and days on which nothing accrues.
    INSERT INTO dunning.charge (debtor_id, invoice_id, level, charged_on)
    SELECT f.debtor_id, f.invoice_id, f.level, least('2026-06-18', f.lawful_from + floor(random() * 500)::int) FROM dunning._lawful_fees(ids) f WHERE f.blocked_by = '{}' AND f.level = 'handling' AND random() < 0.7;
    INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, from_at, until_at, placed_by, released_at, released_by)
    SELECT b.id, dunning._uuid7(), 'ch', CASE WHEN random() < 0.8 THEN 'moratorium' ELSE 'dispute' END, CASE WHEN random() < 0.3 THEN b.id || '-1' END, h.f, h.f + random() * interval '200 days', 'test', h.f + random() * interval '100 days', 'test'
    FROM book b, generate_series(1, 2) k, LATERAL (SELECT '2020-06-01'::timestamptz + random() * interval '1900 days' + 0 * k * interval '1 day' AS f) h WHERE random() < 0.5;
    RETURN ids;
END $$;

CREATE FUNCTION helper.compare(ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE counted ON COMMIT DROP AS
    SELECT v.debtor_id, v.invoice_id, helper.plain(v.debtor_id, v.invoice_id, b.country, '2026-06-19') AS want, coalesce(c.amount, 0) AS got, coalesce(c.spans, 0) AS spans
    FROM dunning.invoice v JOIN book b ON b.id = v.debtor_id
    LEFT JOIN (SELECT i.debtor_id, i.of_invoice, sum(i.amount) AS amount, count(*) AS spans FROM dunning._interest(ids, NULL, '2026-06-19') i GROUP BY 1, 2) c
        ON c.debtor_id = v.debtor_id AND c.of_invoice = v.invoice_id
    WHERE v.kind = 'invoice';
    INSERT INTO helper.violation SELECT c.debtor_id, c.invoice_id, 'interest', c.want::text, c.got::text FROM counted c WHERE c.want <> c.got;
    INSERT INTO helper.violation SELECT c.debtor_id, c.invoice_id, 'open', o.o::text, c.open_now::text
        FROM dunning._claims(ids) c CROSS JOIN LATERAL (SELECT helper.open_on(c.debtor_id, c.invoice_id, '2026-06-19') AS o) o WHERE c.open_now <> o.o;
    PERFORM count(*) FROM dunning._assess_interest(ids);
    INSERT INTO helper.violation SELECT x.debtor_id, x.invoice_id, 'posted', x.accrued::text, x.posted::text
        FROM (SELECT c.debtor_id, c.invoice_id, sum(c.amount) AS posted, (SELECT sum(i.amount) FROM dunning._interest(ARRAY[c.debtor_id], NULL, max(c.until_on), c.invoice_id) i) AS accrued
              FROM dunning.charge c WHERE c.debtor_id = ANY (ids) AND c.kind = 'interest' GROUP BY 1, 2) x WHERE x.posted <> x.accrued;
    INSERT INTO helper.violation SELECT c.debtor_id, c.invoice_id, 'posted twice', '', c.amount::text FROM dunning._assess_interest(ids) c;
    INSERT INTO helper.violation SELECT v.debtor_id, '', 'sealed', '', v.problem FROM dunning.verify_charges() v WHERE v.debtor_id = ANY (ids);
    INSERT INTO helper.tally SELECT 'invoices', count(*) FROM counted UNION ALL SELECT 'with interest', count(*) FROM counted c WHERE c.want > 0 UNION ALL SELECT 'spans', sum(c.spans) FROM counted c
        UNION ALL SELECT 'postings', count(*) FROM dunning.charge c WHERE c.debtor_id = ANY (ids) UNION ALL SELECT 'payments', count(*) FROM dunning.payment p WHERE p.debtor_id = ANY (ids);
END $$;

CREATE PROCEDURE helper.years(first bigint, last bigint, seed bigint) LANGUAGE plpgsql AS $$
DECLARE
    n bigint := first;
    ids text[];
BEGIN
    WHILE n <= last LOOP
        ids := helper.make_books(n, least(n + 49, last), seed);
        PERFORM helper.compare(ids);
        DELETE FROM dunning.charge c WHERE c.debtor_id = ANY (ids);
        DELETE FROM dunning.hold c WHERE c.debtor_id = ANY (ids);
        DELETE FROM dunning.payment c WHERE c.debtor_id = ANY (ids);
        DELETE FROM dunning.invoice c WHERE c.debtor_id = ANY (ids);
        DELETE FROM dunning.debtor c WHERE c.debtor_id = ANY (ids);
        COMMIT;
        n := n + 50;
    END LOOP;
END $$;
