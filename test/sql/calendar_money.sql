-- calendar: money dates and what they do to a contact.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-01 12:00+00';

-- what_nobody_has_measured_is_off
SELECT count(*) FILTER (WHERE enabled) AS enabled, count(*) FILTER (WHERE verified) AS verified, count(*) > 5 AS shipped FROM dunning.date_effect WHERE builtin;
SELECT count(*) FROM dunning.date_effects('DK', '2026-01-01', '2026-12-31', 'company');
SELECT * FROM dunning._effect(dunning._effects('DK', NULL, 'company'), '2026-03-01');

-- vat_due_pushes_away_and_a_firm_that_gets_it_back_is_pulled_to_the_days_after
SELECT dunning.save_date_effect('vat-due'), dunning.save_date_effect('vat-refund');
SELECT * FROM dunning.date_effects('DK', '2026-03-01', '2026-06-30', 'company');
SELECT * FROM dunning.date_effects('DK', '2026-03-01', '2026-04-30', 'company', 'monthly');
SELECT min(on_date), max(on_date), min(multiplier), min(tag) FROM dunning.date_effects('DK', '2026-03-01', '2026-04-30', 'company', 'refund');
SELECT count(*) AS not_of_persons FROM dunning.date_effects('DK', '2026-01-01', '2026-12-31', 'person');
SELECT count(*) AS not_of_unknown_kind FROM dunning.date_effects('DK', '2026-01-01', '2026-12-31', NULL);

-- closures_last_and_own_dates_are_heeded_where_they_are_meant
SELECT dunning.save_date_effect('closure');
SELECT min(on_date), max(on_date), count(*), min(multiplier) FROM dunning.date_effects('DK', '2026-06-15', '2026-08-15', 'company') WHERE tag = 'closure';
SELECT dunning.save_money_date('closure', '2026-10-12', 'works holiday', country => 'DK', region => '84', until_date => '2026-10-16', debtor_kind => 'company');
SELECT array_agg(on_date) FROM dunning.date_effects('DK-84', '2026-10-01', '2026-10-31', 'company') WHERE tag = 'closure';
SELECT count(*) AS elsewhere FROM dunning.date_effects('DK', '2026-10-01', '2026-10-31', 'company') WHERE tag = 'closure';
SELECT on_date, kind, name, effect, source, tag, debtor_kind, verified FROM dunning.calendar_dates('DK-84', '2026-10-11', '2026-10-31');

-- of_one_tag_the_strongest_counts_and_several_tags_are_multiplied_within_bounds
SELECT dunning.save_date_effect('near', tag => 'vat_due', multiplier => 0.9, from_day => -1, until_day => 1),
       dunning.save_date_effect('far', tag => 'closure', multiplier => 0.11, from_day => 0, until_day => 0);
SELECT on_date, round(multiplier::numeric, 3) AS multiplier, tag FROM dunning.date_effects('DK', '2026-08-28', '2026-09-03', 'company');
SELECT dunning.save_money_date('closure', '2026-09-01', 'stocktaking');
SELECT on_date, round(multiplier::numeric, 3) AS multiplier, tag FROM dunning.date_effects('DK', '2026-09-01', '2026-09-01', 'company');
SELECT dunning.save_money_date('closure', '2026-09-01', 'stocktaking', remove => true), dunning.reset_date_effect('far'), dunning.reset_date_effect('near');

-- dates_that_are_moved_over_the_end_of_a_month_or_a_year_reach_to_both_sides
SELECT dunning.save_date_effect('payday-after', tag => 'payday', multiplier => 1.2, from_day => 0, until_day => 2, debtor_kind => 'person');
SELECT array_agg(on_date ORDER BY on_date) FROM dunning.date_effects('DK', '2027-01-25', '2027-02-05', 'person');
SELECT array_agg(on_date ORDER BY on_date) FROM dunning.date_effects('DK', '2099-12-28', '2100-03-03', 'person');
SELECT array_agg(on_date ORDER BY on_date) AS leap FROM dunning.date_effects('DK', '2028-02-25', '2028-03-05', 'person');
SELECT dunning.reset_date_effect('payday-after'), dunning.reset_date_effect('vat-due'), dunning.reset_date_effect('vat-refund'), dunning.reset_date_effect('closure');

-- all_dates_of_every_country_in_2026
SELECT c.country, d.tag, d.name, d.verified, count(*) AS n, string_agg(to_char(d.on_date, 'MM-DD'), ' ' ORDER BY d.on_date) AS dates
FROM unnest('{DK,SE,NO,FI,DE,NL,GB,US}'::text[]) WITH ORDINALITY c(country, o), dunning.calendar_dates(c.country, '2026-01-01', '2026-12-31') d
WHERE d.kind <> 'holiday' GROUP BY c.country, c.o, d.tag, d.name, d.verified ORDER BY c.o, d.tag, d.name;

-- what_makes_no_sense_is_refused
SELECT dunning.save_date_effect('x');
SELECT dunning.save_date_effect('x', tag => 'vat_due', multiplier => 'NaN');
SELECT dunning.save_date_effect('x', tag => 'vat_due', multiplier => 2, from_day => 3, until_day => 1);
SELECT dunning.save_date_effect('x', tag => 'vat_due', multiplier => 2, country => 'Danmark');
SELECT dunning.save_money_date('closure', 'infinity', 'never');
SELECT dunning.save_money_date('closure', '2026-01-02', 'x', until_date => '2026-01-01');
SELECT dunning.reset_date_effect('nothing');
SELECT * FROM dunning.date_effects('Danmark', '2026-01-01', '2026-12-31');
SELECT * FROM dunning._effect('\x00', '2026-01-01');
SELECT * FROM dunning._effect(dunning._effects('DK', NULL, 'company'), 'infinity');
SELECT kind, key, count(*) FROM dunning.rule_change WHERE kind IN ('date_effect', 'money_date') GROUP BY 1, 2 ORDER BY 1, 2;
DELETE FROM dunning.rule_change;
DELETE FROM dunning.money_date;
