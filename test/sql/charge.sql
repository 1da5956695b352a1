-- charge: fees and late interest, as the law of the debtor's country has them, exact to the cent.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
SET dunning.timezone = 'UTC';
SET dunning.clock = '2026-06-15 12:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
SELECT dunning.save_creditor('ch', 'Charging Ltd'), dunning.save_creditor('ch-off', 'Silent Ltd');

CREATE FUNCTION pg_temp.debtor(id text, country text, kind text DEFAULT 'person', creditor text DEFAULT 'ch') RETURNS text LANGUAGE sql AS $$
    INSERT INTO dunning.debtor (debtor_id, creditor, country, kind, name, email) VALUES ($1, $4, $2, $3, 'Name', $1 || '@debtors.test') RETURNING debtor_id $$;
CREATE FUNCTION pg_temp.owes(id text, invoice text, due date, amount numeric, currency text) RETURNS text LANGUAGE sql AS $$
    INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) VALUES ($1, $2, 'ch', $3 - 30, $3, $4, $5) RETURNING invoice_id $$;
CREATE FUNCTION pg_temp.pays(id text, day date, amount numeric, currency text, invoice text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency, invoice_id)
    VALUES ($1, $1 || '/' || $2 || '/' || $3, 'ch', $2 + time '12:00', $3, $4, $5) RETURNING payment_id $$;
CREATE FUNCTION pg_temp.rate(country text, kind text, day date) RETURNS numeric LANGUAGE sql AS $$
    SELECT trim_scale(s.rate) FROM dunning._rate_spans(dunning._interest_rule_of($1, $2, $3), $3, $3 + 1) s $$;
CREATE FUNCTION pg_temp.fee(country text, kind text, level text, claim numeric) RETURNS numeric LANGUAGE sql AS $$
    SELECT dunning._fee_amount(r.amount, r.tiers, r.minimum, r.maximum, $4, 2) FROM dunning._charge_rules($1, $2, '2026-06-15') r WHERE r.level = $3 $$;
CREATE FUNCTION pg_temp.fees(id text) RETURNS TABLE (invoice text, level text, amount numeric, lawful_from date, blocked_by text[]) LANGUAGE sql AS $$
    SELECT f.invoice_id, f.level, f.amount, f.lawful_from, f.blocked_by FROM dunning.lawful_fees($1) f $$;

-- rows_that_nobody_verified_are_disabled_and_every_row_has_a_source
SELECT count(*) FILTER (WHERE enabled AND NOT verified) AS enabled_unverified, count(*) FILTER (WHERE NOT enabled) > 0 AS some_disabled, count(*) FILTER (WHERE source = '') AS no_source FROM dunning.charge_rule WHERE builtin;
SELECT country, debtor_kind, level, amount, currency FROM dunning.charge_rule WHERE NOT enabled ORDER BY 1, 2, 3, 4;

-- charging_is_off_until_a_creditor_switches_it_on
SELECT pg_temp.debtor('ch-off', 'DK'), pg_temp.owes('ch-off', 'off-1', '2026-05-01', 1000, 'DKK');
SELECT * FROM pg_temp.fees('ch-off') WHERE level = 'reminder-1';
SELECT count(*) AS pending FROM dunning._pending_fees('{ch-off}');
SELECT count(*) AS posted FROM dunning.assess_charges();
SELECT * FROM dunning.charge('ch-off', 'off-1', 'reminder-1');
SELECT dunning.save_charging('ch', fees => true, interest => true, terms => '{reminder_fee}');
SELECT * FROM pg_temp.fees('ch-off') WHERE level = 'reminder-1';

-- ---- what the law says, row by row ----

-- nl_collection_cost_is_15_10_5_1_and_half_a_percent_with_minimum_and_maximum: 23,000 is 1,005 and 125 is 40
SELECT c AS claim, pg_temp.fee('NL', 'person', 'collection-cost', c) AS cost
FROM unnest(ARRAY[125, 266.66, 266.67, 2500, 2500.01, 5000, 10000, 23000, 200000, 1000000, 5000000]) c;
-- gb_compensation_is_40_70_or_100
SELECT c AS claim, pg_temp.fee('GB', 'company', 'compensation', c) AS compensation FROM unnest(ARRAY[0.01, 999.99, 1000, 9999.99, 10000]) c;
-- eu_compensation_is_40_where_a_country_of_the_euro_has_no_row_of_its_own: Germany's is not verified, Denmark and Sweden have other money
SELECT c AS country, pg_temp.fee(c, 'company', 'compensation', 500) AS compensation FROM unnest('{FI,FR,NL,DE,DK,SE,NO,GB,US}'::text[]) c;
-- de_interest_is_base_plus_5_or_9: 6.27 and 10.27
SELECT pg_temp.rate('DE', 'person', '2026-03-01') AS person, pg_temp.rate('DE', 'company', '2026-03-01') AS company, pg_temp.rate('DE', 'person', '2026-07-01') AS not_known_yet;
-- dk_interest_is_lending_rate_plus_8: 11.75 from 2024-01-01
SELECT pg_temp.rate('DK', 'person', '2024-01-01') AS first_day, pg_temp.rate('DK', 'company', '2024-06-30') AS last_day, pg_temp.rate('DK', 'person', '2024-07-01') AS not_known;
-- se_interest_is_reference_plus_8_and_the_reference_is_rounded_up_to_the_next_half
SELECT pg_temp.rate('SE', 'person', '2025-07-01') AS "2.00", (SELECT array_agg(trim_scale(dunning._round_up(p, 0.5)) + 8) FROM unnest(ARRAY[1.75, 2.00, 2.01, -0.25, 0]) p) AS others;
-- no_interest_is_12_in_the_first_half_of_2026_and_12_and_a_half_in_that_of_2025
SELECT pg_temp.rate('NO', 'person', '2026-02-01') AS "2026", pg_temp.rate('NO', 'company', '2025-06-30') AS "2025", pg_temp.rate('NO', 'person', '2025-09-01') AS not_known;
-- nl_interest_is_6_for_consumers_and_11_15_between_businesses
SELECT pg_temp.rate('NL', 'person', '2025-01-01') AS consumer, pg_temp.rate('NL', 'company', '2025-01-01') AS commercial, (dunning._interest_rule_of('NL', 'person', '2025-01-01')).compounding;
-- eu_businesses_pay_the_ecb_rate_plus_8_and_consumers_nothing_by_that_row
SELECT pg_temp.rate('FR', 'company', '2025-02-01') AS company, pg_temp.rate('FR', 'person', '2025-02-01') AS person;
-- gb_interest_is_8_plus_the_base_of_31_december_or_30_june_and_nothing_for_consumers
SELECT pg_temp.rate('GB', 'company', '2026-06-30') AS "11.75", pg_temp.rate('GB', 'company', '2026-12-31') AS second_half, pg_temp.rate('GB', 'company', '2027-01-01') AS not_known, pg_temp.rate('GB', 'person', '2026-06-30') AS consumer;
-- gb_interest_is_not_split_when_the_base_changes_within_a_half_year: 3.75 until 5 August, 3.50 from then on
SELECT * FROM dunning.set_rate('GB-base', 3.75, '2026-06-30', '2026-08-05', 'Bank of England');
SELECT * FROM dunning.set_rate('GB-base', 3.50, '2026-08-06', source => 'Bank of England');
SELECT s.begins, trim_scale(s.rate) AS rate FROM dunning._rate_spans(dunning._interest_rule_of('GB', 'company', '2026-05-01'), '2026-05-01', '2027-03-01') s;
DELETE FROM dunning.reference_rate WHERE NOT builtin;

-- day_counts_add_up: a leap year, the end of February, the 31st
SELECT d.count, u.f AS from_on, u.t AS until_on, dunning._span_units(d.count, u.f, u.t) AS units
FROM unnest('{act/365,act/360,30/360,act/act}'::text[]) d(count), (VALUES ('2024-02-01'::date, '2024-03-01'::date), ('2025-01-31', '2025-02-28'), ('2023-12-01', '2024-02-01'), ('2024-01-01', '2025-01-01')) u(f, t);
SELECT count(*) AS spans_that_are_not_the_sum_of_their_days FROM unnest('{act/365,act/360,30/360,act/act}'::text[]) c, generate_series(0, 900, 97) n
WHERE dunning._span_units(c, '2023-11-29', '2023-11-29'::date + n) <> coalesce((SELECT sum(dunning._span_units(c, '2023-11-29'::date + i, '2023-11-30'::date + i)) FROM generate_series(0, n - 1) i), 0)
  AND n > 0;
-- the_days_and_years_that_interest_is_counted_by_are_these: of each span one year's interest of 36,500 at 1 percent, exactly
SELECT count(*) AS spans, count(*) FILTER (WHERE a.amount <> round(36500 * 0.01 * u.units / dunning._year_units(c), 2) OR c = '30/360' AND a.span_days <> u.units) AS differences
FROM unnest('{act/365,act/360,30/360,act/act}'::text[]) c, generate_series(date '2023-12-25', '2024-03-05', '1 day') f, generate_series(3, 70, 13) n,
    LATERAL (SELECT dunning._span_units(c, f::date, f::date + n) AS units) u,
    LATERAL dunning._accrue(c, false, '{principal,interest,costs}', 'x', 2, f::date - 1, f::date, f::date + n, '{-infinity}', '{36500}', '{1900-01-01}', '{1}') a;
-- years_after_the_29th_of_february_end_on_the_28th
SELECT span_from, span_until, amount FROM dunning._accrue('act/act', true, '{principal,interest,costs}', 'x', 2, '2024-02-28', '2024-02-29', '2026-03-10', '{-infinity}', '{10000}', '{1900-01-01}', '{10}');
-- amounts_are_rounded_half_up_in_the_currencys_minor_unit
SELECT dunning._quotient(1005, 1000, 2) AS "1.01", dunning._quotient(-1005, 1000, 2) AS "-1.01", dunning._quotient(10049, 10000, 2) AS "1.00", dunning._minor_digits('JPY') AS jpy, dunning._minor_digits('EUR') AS eur, dunning._minor_digits('KWD') AS kwd;
-- payments_clear_costs_then_interest_then_principal_in_germany_and_principal_first_elsewhere
SELECT p AS payment, (dunning._clear((dunning._interest_rule_of('DE', 'person', '2026-01-01')).clearing, p, 12.50, 3.20, 400)).*
FROM unnest(ARRAY[0, 10, 12.50, 14, 15.70, 115.70, 500]) p;
SELECT (dunning._clear((dunning._interest_rule_of('SE', 'person', '2026-01-01')).clearing, 410, 12.50, 3.20, 400)).*;
SELECT dunning._clear('{principal}', 1, 0, 0, 0);

-- ---- interest ----

-- gb_simple_interest_from_the_day_after_due_over_365: 1,000 for 30 days at 11.75 is 9.66
SELECT pg_temp.debtor('ch-gb', 'GB', 'company'), pg_temp.owes('ch-gb', 'gb-1', '2026-05-16', 1000, 'GBP');
SELECT * FROM dunning.interest('ch-gb', 'gb-1');
-- interest_goes_on_the_declining_balance_from_each_payment
SELECT pg_temp.debtor('ch-decline', 'GB', 'company'), pg_temp.owes('ch-decline', 'decline', '2026-03-31', 10000, 'GBP'), pg_temp.pays('ch-decline', '2026-04-10', 4000, 'GBP', 'decline'), pg_temp.pays('ch-decline', '2026-05-10', 5000, 'GBP');
SELECT from_on, until_on, days, rate, base, amount FROM dunning.interest('ch-decline');
-- interest_survives_payment_of_the_principal
SELECT count(*) FROM (SELECT pg_temp.pays('ch-decline', '2026-05-20', 1000, 'GBP')) x;
SELECT sum(amount) AS still_owed, max(until_on) AS until_on FROM dunning.interest('ch-decline');
SELECT kind, level, currency, amount, charged_on, from_on, until_on FROM dunning.assess_charges() WHERE debtor_id = 'ch-decline' ORDER BY kind;
SELECT balance FROM dunning.balance('ch-decline');
SELECT kind, level, amount FROM dunning.charge_due WHERE debtor_id = 'ch-decline' ORDER BY 1;

-- de_interest_begins_with_a_reminder_or_after_thirty_days_where_the_invoice_said_so_and_payments_clear_costs_and_interest_first
SELECT pg_temp.debtor('ch-de', 'DE', 'company'), pg_temp.owes('ch-de', 'de-1', '2026-01-10', 5000, 'EUR'), pg_temp.pays('ch-de', '2026-04-01', 1000, 'EUR', 'de-1');
SELECT from_on, until_on, days, rate, base, amount, why FROM dunning.interest('ch-de');
SELECT pg_temp.debtor('ch-de-p', 'DE', 'person'), pg_temp.owes('ch-de-p', 'de-2', '2026-01-10', 5000, 'EUR');
SELECT from_on, until_on, amount, why FROM dunning.interest('ch-de-p');
SELECT dunning.record_notice('ch-de-p', 'de-2', 'reminder-1', '2026-03-31');
SELECT from_on, until_on, rate, amount, why FROM dunning.interest('ch-de-p');

-- interest_splits_at_every_rate_change_and_a_rate_that_nobody_knows_holds_the_interest
SELECT pg_temp.debtor('ch-no', 'NO'), pg_temp.owes('ch-no', 'no-old', '2025-05-31', 12000, 'NOK');
SELECT from_on, until_on, days, rate, base, amount, why FROM dunning.interest('ch-no');
SELECT * FROM dunning.set_rate('NO-late', 12.25, '2025-07-01', '2025-12-31', 'FOR-2025, for the test');
SELECT from_on, until_on, days, rate, base, amount, why FROM dunning.interest('ch-no');

-- nl_interest_compounds_yearly
SELECT pg_temp.debtor('ch-nl', 'NL'), pg_temp.owes('ch-nl', 'nl-1', '2023-12-31', 1000, 'EUR');
SELECT * FROM dunning.set_rate('ECB-refi', 3.15, '2024-01-01', '2026-12-31', 'for the test');
SELECT from_on, until_on, days, rate, base, amount FROM dunning.interest('ch-nl', as_of => '2026-01-01 12:00+00') WHERE from_on >= '2024-01-01';
SELECT sum(amount) AS two_years_at_six FROM dunning.interest('ch-nl', as_of => '2025-12-31 12:00+00');

-- no_interest_accrues_while_a_moratorium_or_breathing_space_lasts_and_a_dispute_does_not_stop_it
SELECT pg_temp.debtor('ch-frozen', 'SE'), pg_temp.owes('ch-frozen', 'fr-1', '2026-01-31', 36500, 'SEK');
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by, released_at, released_by) VALUES
    ('ch-frozen', dunning._uuid7(), 'ch', 'moratorium', '2026-03-01 00:00+00', '2026-04-01 00:00+00', 'test', NULL, NULL),
    ('ch-frozen', dunning._uuid7(), 'ch', 'breathing_space', '2026-05-01 09:00+00', '2026-12-31 00:00+00', 'test', '2026-05-10 15:00+00', 'test'),
    ('ch-frozen', dunning._uuid7(), 'ch', 'dispute', '2026-02-10 00:00+00', '2026-02-20 00:00+00', 'test', NULL, NULL);
SELECT from_on, until_on, days, rate, amount, why FROM dunning.interest('ch-frozen', as_of => '2026-05-31 12:00+00');
-- maintain_keeps_the_holds_that_freeze_interest
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by)
SELECT 'ch-gone', dunning._uuid7(), 'ch', r, '2024-01-01 00:00+00', '2024-04-01 00:00+00', 'test' FROM unnest('{moratorium,dispute}'::text[]) r;
SELECT count(*) > 0 AS maintained FROM dunning._maintain();
SELECT reason FROM dunning.hold WHERE debtor_id = 'ch-gone';

-- ---- fees ----

-- dk_at_most_three_reminder_fees_of_100_ten_days_apart
SELECT pg_temp.debtor('ch-dk', 'DK'), pg_temp.owes('ch-dk', 'dk-1', '2026-05-01', 1000, 'DKK'), pg_temp.owes('ch-dk', 'dk-2', '2026-05-03', 700, 'DKK');
SELECT level, amount, currency, charged_on, rule FROM dunning.charge('ch-dk', 'dk-1', 'reminder-1');
-- one_letter_brings_one_fee: the other invoice of the debtor waits as well
SELECT * FROM pg_temp.fees('ch-dk') WHERE level ~ 'reminder';
SELECT amount FROM dunning.charge('ch-dk', 'dk-1', 'reminder-2');
SET dunning.clock = '2026-06-24 12:00+00';
SELECT amount FROM dunning.charge('ch-dk', 'dk-1', 'reminder-2');
SET dunning.clock = '2026-06-25 12:00+00';
SELECT amount FROM dunning.charge('ch-dk', 'dk-1', 'reminder-2');
SET dunning.clock = '2026-07-05 12:00+00';
SELECT amount FROM dunning.charge('ch-dk', 'dk-1', 'reminder-3');
SET dunning.clock = '2026-09-05 12:00+00';
SELECT level, blocked_by FROM pg_temp.fees('ch-dk') WHERE invoice = 'dk-1';
-- the_law_of_a_fourth_reminder_does_not_become_lawful_by_a_row_of_ones_own_level
SELECT warnings FROM dunning.save_charge_rule('DK', 'person', 'reminder-4', 'DKK', 100, '2026-01-01', family => 'reminder', max_count => 3, min_gap_days => 10);
SELECT * FROM dunning.charge('ch-dk', 'dk-1', 'reminder-4');
SELECT dunning.reset_charge_rules('DK');
-- dk_collection_fee_follows_a_notice_of_ten_days
SELECT dunning.record_notice('ch-dk', 'dk-1', 'collection', '2026-08-26');
SELECT lawful_from, blocked_by FROM pg_temp.fees('ch-dk') WHERE level = 'collection' AND invoice = 'dk-1';
SET dunning.clock = '2026-06-15 12:00+00';
-- dk_no_reminder_fee_after_a_broken_instalment_agreement_and_none_while_it_is_disputed
SELECT pg_temp.debtor('ch-plan', 'DK'), pg_temp.owes('ch-plan', 'plan-1', '2026-05-01', 1000, 'DKK');
SELECT cardinality(promise_ids) AS instalments FROM dunning.agree_instalments('ch-plan', '[{"amount": 500, "currency": "DKK", "due_on": "2026-06-20"}, {"amount": 500, "currency": "DKK", "due_on": "2026-07-20"}]');
SELECT blocked_by FROM pg_temp.fees('ch-plan') WHERE level = 'reminder-1';
SET dunning.clock = '2026-08-15 12:00+00';
SELECT blocked_by FROM pg_temp.fees('ch-plan') WHERE level = 'reminder-1';
SELECT (SELECT c.ended FROM dunning._check_promises() c) > 0 AS ended;
SELECT blocked_by FROM pg_temp.fees('ch-plan') WHERE level IN ('reminder-1', 'compensation');
SET dunning.clock = '2026-06-15 12:00+00';
SELECT pg_temp.debtor('ch-disputes', 'DK'), pg_temp.owes('ch-disputes', 'dis-1', '2026-05-01', 1000, 'DKK');
UPDATE dunning.invoice SET disputed = true WHERE debtor_id = 'ch-disputes';
SELECT blocked_by FROM pg_temp.fees('ch-disputes') WHERE level = 'reminder-1';

-- no_fees_come_14_days_after_due_and_at_most_two_the_second_when_the_first_limit_lapsed
SELECT pg_temp.owes('ch-no', 'no-1', '2026-06-05', 900, 'NOK');
SELECT level, amount, lawful_from FROM pg_temp.fees('ch-no') WHERE invoice = 'no-1';
SELECT amount FROM dunning.charge('ch-no', 'no-1', 'reminder-1');
SET dunning.clock = '2026-06-19 12:00+00';
SELECT amount FROM dunning.charge('ch-no', 'no-1', 'reminder-1');
SELECT level, lawful_from, blocked_by FROM pg_temp.fees('ch-no') WHERE invoice = 'no-1';
SET dunning.clock = '2026-07-04 12:00+00';
SELECT amount FROM dunning.charge('ch-no', 'no-1', 'collection-notice');
-- no_payment_demand_of_105_when_the_notice_of_14_days_lapsed
SELECT level, amount, lawful_from, blocked_by FROM pg_temp.fees('ch-no') WHERE invoice = 'no-1';
-- no_fee_of_2026_that_nobody_verified_is_not_taken: 35, not 37.50
SELECT enabled, amount FROM dunning.charge_rule WHERE country = 'NO' AND debtor_kind = 'person' AND level = 'reminder-1' AND builtin ORDER BY valid_from;
SET dunning.clock = '2026-06-15 12:00+00';
-- no_business_compensation_is_460_in_2026
SELECT pg_temp.fee('NO', 'company', 'compensation', 1) AS "2026", (SELECT amount FROM dunning._charge_rules('NO', 'company', '2025-03-01') r WHERE r.level = 'compensation') AS "2025";

-- se_reminder_of_60_once_an_invoice_and_only_if_agreed_and_demand_of_180
SELECT pg_temp.debtor('ch-se', 'SE'), pg_temp.owes('ch-se', 'se-1', '2026-06-01', 500, 'SEK');
SELECT * FROM pg_temp.fees('ch-se');
SELECT dunning.save_charging('ch', fees => true, interest => true);
SELECT blocked_by FROM pg_temp.fees('ch-se') WHERE level = 'reminder-1';
SELECT dunning.save_charging('ch', fees => true, interest => true, terms => '{reminder_fee}');
SELECT dunning.save_charging('ch', fees => true, terms => '{handshake}');
SELECT pg_temp.fee('SE', 'company', 'compensation', 1) AS compensation;

-- nl_cost_only_after_a_free_letter_of_14_days_from_receipt_that_names_the_exact_cost: 1,000 is 150; the letter of Friday counts as received on Wednesday
SELECT pg_temp.owes('ch-nl', 'nl-2', '2026-04-01', 1000, 'EUR');
SELECT level, amount, blocked_by FROM pg_temp.fees('ch-nl') WHERE invoice = 'nl-2';
SELECT dunning.record_notice('ch-nl', 'nl-2', 'collection-cost', '2026-05-15', 149.99);
SELECT blocked_by FROM pg_temp.fees('ch-nl') WHERE invoice = 'nl-2';
SELECT dunning.record_notice('ch-nl', 'nl-2', 'collection-cost', '2026-05-22', 150);
SELECT amount, lawful_from, blocked_by FROM pg_temp.fees('ch-nl') WHERE invoice = 'nl-2';
SELECT count(*) FROM (SELECT pg_temp.pays('ch-nl', '2026-06-14', 800, 'EUR', 'nl-2')) x;
-- a_cost_follows_what_is_open_and_never_exceeds_what_was_named
SELECT amount FROM pg_temp.fees('ch-nl') WHERE invoice = 'nl-2';

-- compensation_is_due_for_each_late_payment_also_when_it_was_paid_and_not_for_one_in_time
SELECT level, amount, blocked_by FROM pg_temp.fees('ch-decline');
SELECT pg_temp.owes('ch-decline', 'in-time', '2026-06-01', 700, 'GBP'), pg_temp.pays('ch-decline', '2026-06-01', 700, 'GBP', 'in-time');
SELECT amount, blocked_by FROM pg_temp.fees('ch-decline') WHERE invoice = 'in-time';

-- a_hold_blocks_every_fee
SELECT count(*) FROM dunning.hold('ch-se', 'hardship');
SELECT level, blocked_by FROM pg_temp.fees('ch-se');
SELECT count(*) AS pending FROM dunning._pending_fees('{ch-se}');
SELECT r.reason FROM dunning.hold h, dunning.release(h.hold_id) r WHERE h.debtor_id = 'ch-se';
SELECT level, blocked_by FROM pg_temp.fees('ch-se');
-- pending_fees_are_the_next_of_each_invoice
SET dunning.clock = '2026-06-17 12:00+00';
SELECT debtor_id, invoice_id, creditor, level, kind, currency, amount, lawful_from FROM dunning._pending_fees('{ch-se,ch-no,ch-dk,ch-off}');
SET dunning.clock = '2026-06-15 12:00+00';

-- ---- the guard: whoever writes ----

-- a_superusers_insert_is_held_to_the_law
INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) VALUES ('ch-se', 'se-1', 'reminder-1', 60.01);
INSERT INTO dunning.charge (debtor_id, invoice_id, level, kind, currency, amount) VALUES ('ch-se', 'se-1', 'reminder-1', 'fee', 'EUR', 5);
INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) VALUES ('ch-se', 'se-1', 'annoyance', 5);
INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) VALUES ('ch-se', 'se-0', 'reminder-1', 5);
INSERT INTO dunning.charge (debtor_id, invoice_id, level, charged_on) VALUES ('ch-se', 'se-1', 'reminder-1', '2026-06-01');
INSERT INTO dunning.charge (debtor_id, invoice_id, level, charged_on) VALUES ('ch-se', 'se-1', 'reminder-1', '2026-06-16');
INSERT INTO dunning.charge (debtor_id, invoice_id, level, kind, amount) VALUES ('ch-se', 'se-1', 'interest', 'interest', 500);
INSERT INTO dunning.charge (debtor_id, level) VALUES ('ch-se', 'reminder-1');
INSERT INTO dunning.charge (debtor_id, invoice_id, creditor, kind, level, currency, amount, charged_on, rule, basis, seal, created_at, created_by)
VALUES ('ch-se', 'se-1', 'ch', 'fee', 'reminder-1', 'SEK', 6000, '2026-06-15', 'mine', '{}', '\x00', now(), 'me');
SET session_replication_role = replica;
INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) VALUES ('ch-se', 'se-1', 'reminder-1', 60.01);
RESET session_replication_role;
COPY dunning.charge (debtor_id, invoice_id, level, amount) FROM stdin;
ch-se	se-1	reminder-1	6000
\.
-- an_unknown_place_or_kind_has_no_law
SELECT pg_temp.debtor('ch-nowhere', NULL), pg_temp.owes('ch-nowhere', 'now-1', '2026-05-01', 100, 'EUR'), pg_temp.debtor('ch-nobody', 'DK', NULL), pg_temp.owes('ch-nobody', 'nob-1', '2026-05-01', 100, 'DKK');
SELECT dunning.charge('ch-nowhere', 'now-1', 'reminder-1');
SELECT dunning.charge('ch-nobody', 'nob-1', 'reminder-1');
-- a_missing_verified_row_holds_the_fee
SELECT dunning.charge('ch-de', 'de-1', 'compensation');
-- less_than_the_law_allows_may_be_charged_and_once_a_level
INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) VALUES ('ch-se', 'se-1', 'reminder-1', 50) RETURNING kind, level, currency, amount, charged_on, creditor, rule;
INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) VALUES ('ch-se', 'se-1', 'reminder-1', 10);
-- what_a_charge_says_is_never_changed
\set VERBOSITY sqlstate
UPDATE dunning.charge SET amount = 55 WHERE debtor_id = 'ch-se';
\set VERBOSITY default
-- a_row_with_its_seal_is_taken_as_it_stands_and_one_that_was_edited_is_not
CREATE TEMP TABLE kept AS SELECT * FROM dunning.charge WHERE debtor_id = 'ch-se';
DELETE FROM dunning.charge WHERE debtor_id = 'ch-se';
SET dunning.clock = '2026-05-01 12:00+00';
INSERT INTO dunning.charge SELECT (jsonb_populate_record(k, '{"amount": 5000}')).* FROM kept k;
INSERT INTO dunning.charge SELECT * FROM kept;
SET dunning.clock = '2026-06-15 12:00+00';
SELECT count(*) AS problems FROM dunning.verify_charges();

-- waive_is_for_good
SELECT c.charge_id AS fee FROM dunning.charge c WHERE c.debtor_id = 'ch-se' \gset
\set VERBOSITY sqlstate
SELECT dunning.waive(:'fee', ' ');
SELECT dunning.waive('01900000-0000-7000-8000-000000000000', 'x');
SELECT amount, waive_reason FROM dunning.waive(:'fee', 'goodwill');
SELECT dunning.waive(:'fee', 'again');
SELECT dunning.book_charge(:'fee', 'B-1');
UPDATE dunning.charge SET waived_at = NULL, waived_by = NULL, waive_reason = NULL WHERE charge_id = :'fee';
SELECT dunning.charge('ch-se', 'se-1', 'reminder-1');
\set VERBOSITY default
SELECT count(*) AS due FROM dunning.charge_due WHERE debtor_id = 'ch-se';

-- posted_interest_never_exceeds_what_accrued_and_goes_on_where_it_ended
SELECT amount, from_on, until_on FROM dunning.charge('ch-frozen', 'fr-1', 'interest');
SELECT amount FROM dunning.charge('ch-frozen', 'fr-1', 'interest');
INSERT INTO dunning.charge (debtor_id, invoice_id, level, from_on, until_on, amount) VALUES ('ch-frozen', 'fr-1', 'interest', '2026-02-01', '2026-03-01', 1);
SELECT sum(amount) AS accrued FROM dunning.interest('ch-frozen');
-- a_payment_of_an_earlier_day_takes_interest_back
SELECT count(*) FROM (SELECT pg_temp.pays('ch-frozen', '2026-06-10', 36500, 'SEK', 'fr-1')) x;
SET dunning.clock = '2026-06-16 12:00+00';
SELECT debtor_id, kind, amount, from_on, until_on FROM dunning.assess_charges() WHERE debtor_id = 'ch-frozen';
SELECT (SELECT sum(amount) FROM dunning.charge WHERE debtor_id = 'ch-frozen') = (SELECT sum(amount) FROM dunning.interest('ch-frozen')) AS posted_is_accrued;

-- ---- posting ----

-- assess_posts_months_and_what_needs_no_reminder_and_posts_nothing_twice
SELECT debtor_id, invoice_id, kind, level, currency, amount, from_on, until_on FROM dunning.charge WHERE debtor_id IN ('ch-gb', 'ch-no', 'ch-nl') AND kind <> 'fee' ORDER BY debtor_id, invoice_id, from_on NULLS FIRST;
SELECT count(*) AS again FROM dunning.assess_charges();
SET dunning.clock = '2026-08-20 12:00+00';
SELECT debtor_id, kind, amount, from_on, until_on FROM dunning.assess_charges() WHERE debtor_id = 'ch-gb';
SELECT (SELECT sum(amount) FROM dunning.charge WHERE debtor_id = 'ch-gb' AND kind = 'interest') = (SELECT sum(i.amount) FROM dunning._interest('{ch-gb}', NULL, '2026-08-01') i) AS months_add_up;
SELECT * FROM dunning.assess_charges('2026-07-01 00:00+00');
SET dunning.clock = '2026-06-16 12:00+00';
-- a_fee_is_charged_when_the_reminder_that_names_it_left_and_not_when_it_only_warns
CREATE FUNCTION pg_temp.sent(debtor text, fee jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
    VALUES (id, debtor, 'ch', 'reminder-1', 'email', 'en', 'ch', dunning._now(), 'x', '{}', 0, 'EUR', jsonb_build_object('fee', fee), '{}', dunning._now(), 'test');
    INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
    VALUES (id, 1, debtor, 'ch', 'email', 'ch', '\x00', '{}', '\x00', 1, 'test', 0, 'EUR', now(), dunning._now(), 0, 0, '\x00', '\x00');
    INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, at) VALUES (id, dunning._uuid7(), debtor, 'ch', 1, 'sent', 'ok', dunning._now());
END $$;
SELECT pg_temp.debtor('ch-mail', 'DK'), pg_temp.owes('ch-mail', 'mail-1', '2026-05-01', 1000, 'DKK'), pg_temp.owes('ch-mail', 'mail-2', '2026-05-11', 500, 'DKK');
SELECT pg_temp.sent('ch-mail', '{"level": "reminder-1", "amount": 100, "currency": "DKK", "on": "2026-06-17", "warned": true}');
SELECT count(*) AS charged FROM dunning.assess_charges() WHERE debtor_id = 'ch-mail';
SELECT pg_temp.sent('ch-mail', '{"level": "reminder-1", "amount": 100, "currency": "DKK", "on": "2026-06-16", "charged": true}');
SET dunning.clock = '2026-06-18 12:00+00';
SELECT invoice_id, level, amount, charged_on, message_id IS NOT NULL AS of_message FROM dunning.assess_charges() WHERE debtor_id = 'ch-mail';
SET dunning.clock = '2026-07-18 12:00+00';
SELECT count(*) AS charged_again FROM dunning.assess_charges() WHERE debtor_id = 'ch-mail' AND kind = 'fee';
SET dunning.clock = '2026-06-18 12:00+00';

-- charges_of_a_debtor_are_charged_waived_paid_and_open_each_currency_by_itself
SELECT c.charge_id AS booked FROM dunning.charge c WHERE c.debtor_id = 'ch-mail' \gset
CREATE FUNCTION pg_temp.charges(id text) RETURNS TABLE (currency text, charged numeric, waived numeric, paid numeric, open numeric, booked numeric) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE format('SELECT x.currency, x.charged, x.waived, x.paid, x.open, x.booked FROM (%s) x ORDER BY 1', dunning._charges_sql('$1', 'NULL')) USING ARRAY[id]; END $$;
SELECT * FROM pg_temp.charges('ch-mail');
SELECT count(*) FROM (SELECT pg_temp.pays('ch-mail', '2026-06-17', 1530, 'DKK')) x;
SELECT * FROM pg_temp.charges('ch-mail');
SELECT booked_as FROM dunning.book_charge(:'booked', 'B-77');
SELECT * FROM pg_temp.charges('ch-mail');
SELECT count(*) AS book FROM (SELECT pg_temp.charges(d) FROM unnest('{ch-se,ch-dk,ch-gb}'::text[]) d) x;
SELECT d.d, x.* FROM unnest('{ch-se,ch-decline}'::text[]) d(d), pg_temp.charges(d.d) x;

-- ---- saving ----

-- overlapping_periods_negative_rates_and_unknown_names_are_refused
SELECT * FROM dunning.set_rate('DE-base', 1.52, '2026-07-01', '2026-12-31', 'Bundesbank');
SELECT * FROM dunning.set_rate('DE-base', 1.60, '2026-12-01', source => 'Bundesbank');
SELECT * FROM dunning.set_rate('DE-base', 1.60, '2026-06-01', source => 'Bundesbank');
INSERT INTO dunning.reference_rate (reference, valid_from, percent, source) VALUES ('DE-base', '2026-12-31', 9, 'by hand');
SELECT * FROM dunning.set_rate('NO-late', -1, '2027-01-01', source => 'x');
SELECT * FROM dunning.set_rate('DE-base', 'NaN', '2027-01-01', source => 'x');
SELECT changed, warnings FROM dunning.set_rate('DE-base', -0.88, '2027-01-01', source => 'as it was in 2020: 4.12 with the margin');
SELECT * FROM dunning.set_rate('XX-base', 1, '2027-01-01');
SELECT * FROM dunning.set_rate('DE-base', 1, '2027-06-30', '2027-01-01', 'x');
SELECT * FROM dunning.set_rate('DE-base', 1, 'infinity');
SELECT * FROM dunning.save_charge_rule('ZZ', 'person', 'reminder-1', 'EUR', 5, '2026-01-01');
SELECT * FROM dunning.save_charge_rule('FI', 'dog', 'reminder-1', 'EUR', 5, '2026-01-01');
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', NULL, '2026-01-01');
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', -5, '2026-01-01');
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', 5.001, '2026-01-01');
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', tiers => '[{"upto": 100, "percent": 5}, {"upto": 50, "percent": 1}]');
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'interest', 'EUR', 5);
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', 5, '2026-01-01', '2026-06-30', source => 'for the test');
SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', 6, '2026-06-30', source => 'for the test');
INSERT INTO dunning.charge_rule (country, debtor_kind, level, valid_from, family, currency, amount, source) VALUES ('FI', 'person', 'reminder-1', '2026-03-01', 'reminder', 'EUR', 9, 'by hand');
SELECT * FROM dunning.save_interest_rule('FI', 'person', 'FI-reference', 7, '2026-01-01', day_count => '31/365');
SELECT * FROM dunning.save_interest_rule('FI', 'person', 'FI-reference', 7, '2026-01-01', '2026-12-31', source => 'for the test');
SELECT * FROM dunning.save_interest_rule('FI', 'person', 'FI-reference', 7, '2026-12-01', source => 'for the test');
-- the_hint_of_an_overlap_runs_as_printed_and_then_both_periods_stand: whichever of the two is the later
CREATE FUNCTION pg_temp.mended(call text) RETURNS TABLE (hint text, state text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    EXECUTE hint;
    BEGIN
        EXECUTE call;
        state := 'saved';
    EXCEPTION WHEN invalid_parameter_value THEN
        state := 'the other is saved';
    END;
    RETURN NEXT;
END $$;
SELECT * FROM pg_temp.mended($$SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', 6, '2026-06-30', source => 'for the test')$$);
SELECT * FROM pg_temp.mended($$SELECT * FROM dunning.save_charge_rule('FI', 'person', 'reminder-1', 'EUR', valid_from => '2025-01-01', tiers => '[{"upto": 100, "percent": 5}, {"percent": 1}]')$$);
SELECT * FROM pg_temp.mended($$SELECT * FROM dunning.save_interest_rule('FI', 'person', 'FI-reference', 7, '2026-12-01', source => 'for the test')$$);
SELECT * FROM pg_temp.mended($$SELECT * FROM dunning.save_interest_rule('FI', 'person', 'FI-reference', 6, '2025-01-01', frozen_by => '{}', clearing => '{costs,interest,principal}')$$);
SELECT valid_from, valid_to, amount, tiers, source FROM dunning.charge_rule WHERE country = 'FI' AND debtor_kind = 'person' AND level = 'reminder-1' AND NOT builtin ORDER BY 1;
SELECT valid_from, valid_to, margin, clearing, frozen_by, source, verified FROM dunning.interest_rule WHERE country = 'FI' AND debtor_kind = 'person' AND NOT builtin ORDER BY 1;
SELECT dunning.save_charging('nobody', true);
SELECT dunning.record_notice('ch-nl', 'nl-2', 'collection-cost', '2027-01-01', 150);
-- a_row_of_ones_own_goes_before_the_built_in_one_and_a_laxer_one_says_so
SELECT * FROM dunning.save_charge_rule('DK', 'person', 'reminder-1', 'DKK', 150, '2013-03-01', family => 'reminder', max_count => 5);
SELECT pg_temp.fee('DK', 'person', 'reminder-1', 1) AS own;
SELECT dunning.reset_charge_rules('DK'), dunning.reset_charge_rules('FI');
SELECT pg_temp.fee('DK', 'person', 'reminder-1', 1) AS shipped;
-- switching_a_rate_off_makes_its_days_unknown
SELECT changed FROM dunning.set_rate('DE-base', 1.27, '2026-01-01', '2026-06-30', 'for the test', enabled => false);
SELECT pg_temp.rate('DE', 'person', '2026-03-01') AS unknown;
-- every_change_is_kept
SELECT what, count(*) > 0 AS kept FROM dunning.charge_change GROUP BY 1 ORDER BY 1;
DELETE FROM dunning.reference_rate WHERE NOT builtin;

-- ---- years of random payments against plain arithmetic, day by day ----

-- DUN_BOOKS=10000 asks for more of them.
\set books 25
\getenv books DUN_BOOKS
SELECT setseed(0.25);
SELECT count(*) FROM (SELECT dunning.save_interest_rule(c, 'person', 'T-' || c, 6, '2000-01-01', day_count => dc, fixing => fx, compounding => co, round_total => up, grace_days => gr, clearing => cl, source => 'test')
    FROM (VALUES ('FJ', 'act/365', 'change', 'none', NULL::numeric, 0, '{principal,interest,costs}'::text[]), ('GY', 'act/360', 'half_year', 'yearly', NULL, 0, '{principal,interest,costs}'),
                 ('KE', '30/360', 'half_year', 'none', 0.5, 10, '{costs,interest,principal}'), ('PE', 'act/act', 'change', 'yearly', NULL, 30, '{costs,interest,principal}'),
                 ('UY', 'act/act', 'half_year_before', 'none', 1, 0, '{interest,costs,principal}')) v(c, dc, fx, co, up, gr, cl)) x;
-- Rates change at odd days, with gaps in which nobody knows them.
SELECT count(*) FROM (SELECT dunning.set_rate('T-' || c, round((random() * 9 - 3)::numeric, 2), d.d::date, CASE WHEN random() < 0.15 THEN d.d::date + 60 ELSE d.d::date + 112 END, 'test')
    FROM unnest('{FJ,GY,KE,PE,UY}'::text[]) c, generate_series('2019-12-01'::timestamp, '2026-09-01', '113 days') d(d)) x;
SELECT count(*) FROM (SELECT dunning.save_charge_rule(c, 'person', 'handling', CASE c WHEN 'UY' THEN 'JPY' ELSE 'EUR' END, 25, '2000-01-01', kind => 'cost', source => 'test') FROM unnest('{FJ,GY,KE,PE,UY}'::text[]) c) x;
CREATE TEMP TABLE book AS SELECT 'chb-' || n AS id, (ARRAY['FJ', 'GY', 'KE', 'PE', 'UY'])[1 + n % 5] AS country FROM generate_series(1, :books) n;
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
SELECT b.id, b.id || '-c', 'ch', d.d, d.d, round((random() * 500)::numeric), CASE b.country WHEN 'UY' THEN 'JPY' ELSE 'EUR' END, 'credit_note' FROM book b, LATERAL (SELECT '2021-01-01'::date + floor(random() * 900)::int + length(b.id) * 0 AS d) d WHERE random() < 0.3;
-- Costs that payments clear first in some countries, and days on which nothing accrues.
INSERT INTO dunning.charge (debtor_id, invoice_id, level, charged_on)
SELECT f.debtor_id, f.invoice_id, f.level, least('2026-06-18', f.lawful_from + floor(random() * 500)::int) FROM dunning._lawful_fees(ARRAY(SELECT id FROM book)) f WHERE f.blocked_by = '{}' AND random() < 0.7;
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, from_at, until_at, placed_by, released_at, released_by)
SELECT b.id, dunning._uuid7(), 'ch', CASE WHEN random() < 0.8 THEN 'moratorium' ELSE 'dispute' END, CASE WHEN random() < 0.3 THEN b.id || '-1' END, h.f, h.f + random() * interval '200 days', 'test', h.f + random() * interval '100 days', 'test'
FROM book b, generate_series(1, 2) k, LATERAL (SELECT '2020-06-01'::timestamptz + random() * interval '1900 days' + 0 * k * interval '1 day' AS f) h WHERE random() < 0.5;

-- What a clerk would do: every day by itself, nothing shared with the extension but the rows.
CREATE FUNCTION pg_temp.open_on(debtor text, invoice text, d date) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
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
CREATE FUNCTION pg_temp.plain(debtor text, invoice text, place text, until date) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
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
            opens := pg_temp.open_on(debtor, invoice, d);
            IF was IS NULL THEN
                principal := opens;
            ELSIF opens > was OR law[6] ~ '^principal' THEN
                principal := principal + opens - was;
            ELSIF opens < was THEN
                closed := closed + round(exact, digits);
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
            closed := closed + round(exact, digits);
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

-- six_years_of_random_payments_agree_with_plain_arithmetic_to_the_cent
CREATE TEMP TABLE counted AS SELECT i.debtor_id, i.of_invoice, sum(i.amount) AS amount, count(*) AS spans FROM dunning._interest(ARRAY(SELECT id FROM book), NULL, '2026-06-19') i GROUP BY 1, 2;
SELECT count(*) FILTER (WHERE c.amount > 0) * 2 > count(*) AS most_bear_interest, count(*) FILTER (WHERE coalesce(c.amount, 0) <> p.p) AS differences, max(c.spans) > 20 AS many_spans
FROM dunning.invoice v JOIN book b ON b.id = v.debtor_id CROSS JOIN LATERAL (SELECT pg_temp.plain(b.id, v.invoice_id, b.country, '2026-06-19') AS p OFFSET 0) p
LEFT JOIN counted c ON c.debtor_id = v.debtor_id AND c.of_invoice = v.invoice_id WHERE v.kind = 'invoice';
-- the_days_of_payment_agree_with_what_the_ledger_calls_open
SELECT count(*) FILTER (WHERE c.open_now <> pg_temp.open_on(c.debtor_id, c.invoice_id, '2026-06-19')) AS differences, count(*) > 0 AS seen FROM dunning._claims(ARRAY(SELECT id FROM book)) c;
CREATE FUNCTION pg_temp.open_items() RETURNS TABLE (debtor_id text, invoice_id text, open numeric) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE format('SELECT o.debtor_id, o.invoice_id, o.open FROM (%s) o', dunning._open_items_sql('ARRAY(SELECT b.id FROM pg_temp.book b)')); END $$;
SELECT count(*) FILTER (WHERE c.open_now <> coalesce(o.open, 0)) AS differences FROM dunning._claims(ARRAY(SELECT id FROM book)) c LEFT JOIN pg_temp.open_items() o ON o.debtor_id = c.debtor_id AND o.invoice_id = c.invoice_id;
-- posting_month_by_month_adds_up_to_what_accrued
SELECT count(*) > 0 AS posted FROM dunning.assess_charges() c JOIN book b ON b.id = c.debtor_id;
SELECT count(*) FILTER (WHERE x.posted <> x.accrued) AS differences FROM (
    SELECT c.debtor_id, c.invoice_id, sum(c.amount) AS posted, (SELECT sum(i.amount) FROM dunning._interest(ARRAY[c.debtor_id], NULL, max(c.until_on), c.invoice_id) i) AS accrued
    FROM dunning.charge c JOIN book b ON b.id = c.debtor_id WHERE c.kind = 'interest' GROUP BY 1, 2) x;
SELECT count(*) AS again FROM dunning.assess_charges();
SELECT count(*) AS problems FROM dunning.verify_charges();

-- clean up
DELETE FROM dunning.charge; DELETE FROM dunning.charge_notice; DELETE FROM dunning.charging; DELETE FROM dunning.charge_change;
DELETE FROM dunning.reference_rate WHERE NOT builtin; DELETE FROM dunning.interest_rule WHERE NOT builtin; DELETE FROM dunning.charge_rule WHERE NOT builtin;
DELETE FROM dunning.debtor WHERE debtor_id ~ '^ch'; DELETE FROM dunning.invoice WHERE debtor_id ~ '^ch'; DELETE FROM dunning.payment WHERE debtor_id ~ '^ch'; DELETE FROM dunning.hold WHERE debtor_id ~ '^ch';
DELETE FROM dunning.promise WHERE debtor_id ~ '^ch'; DELETE FROM dunning.task WHERE debtor_id ~ '^ch'; DELETE FROM dunning.event WHERE debtor_id ~ '^ch';
DELETE FROM dunning.message WHERE debtor_id ~ '^ch'; DELETE FROM dunning.egress WHERE debtor_id ~ '^ch'; DELETE FROM dunning.outcome WHERE debtor_id ~ '^ch'; DELETE FROM dunning.once WHERE debtor_id ~ '^ch';
DELETE FROM dunning.creditor WHERE creditor IN ('ch', 'ch-off'); DELETE FROM dunning.creditor_change WHERE creditor IN ('ch', 'ch-off');
