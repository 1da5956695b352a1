-- calendar: holidays, money dates, zones and weekly windows.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never

-- computed_holidays_are_the_hand_listed_ones_of_2024_to_2027
CREATE TEMP TABLE listed (country text, year int, days text);
INSERT INTO listed VALUES
 ('DK', 2024, '01-01 03-28 03-29 03-31 04-01 05-09 05-19 05-20 06-05 12-24 12-25 12-26 12-31'),
 ('DK', 2025, '01-01 04-17 04-18 04-20 04-21 05-29 06-08 06-09 06-05 12-24 12-25 12-26 12-31'),
 ('DK', 2026, '01-01 04-02 04-03 04-05 04-06 05-14 05-24 05-25 06-05 12-24 12-25 12-26 12-31'),
 ('DK', 2027, '01-01 03-25 03-26 03-28 03-29 05-06 05-16 05-17 06-05 12-24 12-25 12-26 12-31'),
 ('SE', 2024, '01-01 01-06 03-29 03-31 04-01 05-01 05-09 05-19 06-06 06-21 06-22 11-02 12-24 12-25 12-26 12-31'),
 ('SE', 2025, '01-01 01-06 04-18 04-20 04-21 05-01 05-29 06-08 06-06 06-20 06-21 11-01 12-24 12-25 12-26 12-31'),
 ('SE', 2026, '01-01 01-06 04-03 04-05 04-06 05-01 05-14 05-24 06-06 06-19 06-20 10-31 12-24 12-25 12-26 12-31'),
 ('SE', 2027, '01-01 01-06 03-26 03-28 03-29 05-01 05-06 05-16 06-06 06-25 06-26 11-06 12-24 12-25 12-26 12-31'),
 ('NO', 2024, '01-01 03-28 03-29 03-31 04-01 05-01 05-09 05-17 05-19 05-20 12-25 12-26'),
 ('NO', 2025, '01-01 04-17 04-18 04-20 04-21 05-01 05-17 05-29 06-08 06-09 12-25 12-26'),
 ('NO', 2026, '01-01 04-02 04-03 04-05 04-06 05-01 05-14 05-17 05-24 05-25 12-25 12-26'),
 ('NO', 2027, '01-01 03-25 03-26 03-28 03-29 05-01 05-06 05-16 05-17 12-25 12-26'),
 ('FI', 2024, '01-01 01-06 03-29 03-31 04-01 05-01 05-09 05-19 06-21 06-22 11-02 12-06 12-24 12-25 12-26'),
 ('FI', 2025, '01-01 01-06 04-18 04-20 04-21 05-01 05-29 06-08 06-20 06-21 11-01 12-06 12-24 12-25 12-26'),
 ('FI', 2026, '01-01 01-06 04-03 04-05 04-06 05-01 05-14 05-24 06-19 06-20 10-31 12-06 12-24 12-25 12-26'),
 ('FI', 2027, '01-01 01-06 03-26 03-28 03-29 05-01 05-06 05-16 06-25 06-26 11-06 12-06 12-24 12-25 12-26'),
 ('DE', 2024, '01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26'),
 ('DE', 2025, '01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26'),
 ('DE', 2026, '01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26'),
 ('DE', 2027, '01-01 03-26 03-29 05-01 05-06 05-17 10-03 12-25 12-26'),
 ('NL', 2024, '01-01 03-29 03-31 04-01 04-27 05-05 05-09 05-10 05-19 05-20 12-25 12-26 12-27'),
 ('NL', 2025, '01-01 04-18 04-20 04-21 04-26 05-05 05-29 06-08 06-09 12-25 12-26'),
 ('NL', 2026, '01-01 04-03 04-05 04-06 04-27 05-05 05-14 05-24 05-25 12-25 12-26'),
 ('NL', 2027, '01-01 03-26 03-28 03-29 04-27 05-05 05-06 05-16 05-17 12-25 12-26'),
 ('GB', 2024, '01-01 03-29 03-31 04-01 05-06 05-27 08-26 12-25 12-26'),
 ('GB', 2025, '01-01 04-18 04-20 04-21 05-05 05-26 08-25 12-25 12-26'),
 ('GB', 2026, '01-01 04-03 04-05 04-06 05-04 05-25 08-31 12-25 12-26 12-28'),
 ('GB', 2027, '01-01 03-26 03-28 03-29 05-03 05-31 08-30 12-25 12-26 12-27 12-28'),
 ('US', 2024, '01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25'),
 ('US', 2025, '01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25'),
 ('US', 2026, '01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25'),
 ('US', 2027, '01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31');
WITH by_hand AS (
    SELECT country, (year || '-' || d)::date AS on_date FROM listed, unnest(string_to_array(days, ' ')) d),
computed AS (
    SELECT c.country, d::date AS on_date
    FROM unnest('{DK,SE,NO,FI,DE,NL,GB,US}'::text[]) c(country), generate_series('2024-01-01'::date, '2027-12-31', '1 day') d
    WHERE dunning._computed_holiday(c.country, NULL, d::date) IS NOT NULL)
SELECT 'missing' AS wrong, * FROM (TABLE by_hand EXCEPT TABLE computed) m
UNION ALL SELECT 'too many', * FROM (TABLE computed EXCEPT TABLE by_hand) t ORDER BY 1, 2, 3;
SELECT country, count(*) FROM listed, unnest(string_to_array(days, ' ')) GROUP BY 1 ORDER BY 1;

-- the_year_2100_is_no_leap_year_and_has_the_days_of_2027
SELECT country, count(*) FILTER (WHERE (h27 IS NULL) <> (h00 IS NULL)) AS differ, count(h00) AS holidays
FROM (SELECT c.country, dunning._computed_holiday(c.country, NULL, d::date) AS h27, dunning._computed_holiday(c.country, NULL, ('2100' || to_char(d, '-MM-DD'))::date) AS h00
      FROM unnest('{DK,SE,NO,FI,DE,NL,GB,US}'::text[]) c(country), generate_series('2027-01-01'::date, '2027-12-31', '1 day') d) x
GROUP BY 1 ORDER BY 1;
-- easter_is_what_lichtenbergs_form_of_gauss_says_for_three_hundred_years
SELECT count(*) AS years, count(*) FILTER (WHERE dunning._computed_holiday('GB', NULL, e.d) IS DISTINCT FROM 'Easter Sunday') AS differ, min(to_char(e.d, 'MM-DD')), max(to_char(e.d, 'MM-DD'))
FROM (SELECT (y || '-03-01')::date - 1 + og + 7 - (og - sz) % 7 AS d FROM (
    SELECT y, 21 + dd - (dd + a / 11) / 29 AS og, 7 - (y + y / 4 + (2 - (3 * k + 3) / 4)) % 7 AS sz FROM (
        SELECT y, a, k, (19 * a + 15 + (3 * k + 3) / 4 - (8 * k + 13) / 25) % 30 AS dd FROM (SELECT y, y % 19 AS a, y / 100 AS k FROM generate_series(1900, 2199) y) z1) z2) z3) e;
-- every_land_has_as_many_holidays_as_the_published_tables_say (with the two Sundays of Brandenburg)
SELECT string_agg(l.land || ' ' || l.n, ', ' ORDER BY l.land) AS wrong
FROM (VALUES ('BB', 12), ('BE', 10), ('BW', 12), ('BY', 13), ('HB', 10), ('HE', 10), ('HH', 10), ('MV', 11), ('NI', 10), ('NW', 11), ('RP', 11), ('SH', 10), ('SL', 12), ('SN', 11), ('ST', 11), ('TH', 11)) l(land, n)
WHERE l.n <> (SELECT count(*) FROM generate_series('2026-01-01'::date, '2026-12-31', '1 day') d WHERE dunning._computed_holiday('DE', l.land, d::date) IS NOT NULL);
-- states_of_the_union_have_days_of_their_own
SELECT s.state, string_agg(to_char(d, 'MM-DD') || ' ' || dunning._computed_holiday('US', s.state, d::date), ', ' ORDER BY d) AS days
FROM unnest('{AK,CA,CT,DC,HI,LA,MA,NV,RI,UT,VT,WV}'::text[]) s(state), generate_series('2026-01-01'::date, '2026-12-31', '1 day') d
WHERE dunning._computed_holiday('US', s.state, d::date) IS NOT NULL AND dunning._computed_holiday('US', NULL, d::date) IS NULL GROUP BY 1 ORDER BY 1;
-- a_day_that_is_only_in_leap_years_is_a_day_like_others
SELECT dunning._closed(at, dunning._windows('{Mon-Sun 08:00-20:00}', true, 'Europe/Copenhagen', 'DK', NULL, '{2028-02-29}', NULL)) AS own_holiday, dunning._local_time(at, 'Pacific/Kiritimati')
FROM unnest('{2028-02-28 12:00+00,2028-02-29 12:00+00,2028-03-01 12:00+00}'::timestamptz[]) at;

-- regions_and_the_years_a_law_holds_are_respected
SELECT dunning._holiday('GB', 'SCT', '2026-01-02') AS second_january, dunning._holiday('GB', 'GB-SCT', '2026-04-06') AS no_easter_monday,
       dunning._holiday('GB', 'NIR', '2026-07-13') AS moved_boyne, dunning._holiday('UK', NULL, '2022-09-19') AS funeral;
SELECT dunning._holiday('DE', 'BY', '2026-01-06') AS epiphany, dunning._holiday('DE', 'BE', '2026-01-06') AS not_berlin,
       dunning._holiday('de', 'de-by', '2026-11-01') AS all_saints, dunning._holiday('DE', 'SN', '2026-11-18') AS repentance;
SELECT dunning._holiday('DK', NULL, '2023-05-05') AS prayer_day, dunning._holiday('DK', NULL, '2024-04-26') AS abolished,
       dunning._holiday('US', NULL, '2020-06-19') AS before_juneteenth, dunning._holiday('NL', NULL, '2013-04-30') AS queen,
       dunning._holiday('GB', NULL, '2022-01-03') AS new_year_moved, dunning._holiday('US', NULL, '2021-12-31') AS observed_before;

-- an_unknown_country_is_closed_on_every_known_holiday_and_another_country_on_two_days
SELECT dunning._holiday(NULL, NULL, '2026-07-04') AS unknown, dunning._holiday('Danmark', NULL, '2026-06-05') AS no_code,
       dunning._holiday('FR', NULL, '2026-12-25') AS france, dunning._holiday('FR', NULL, '2026-07-14') AS not_computed,
       dunning._holiday('DK', NULL, 'infinity') AS never, dunning._holiday('DK', NULL, '2300-01-01') AS too_far, dunning._holiday('DK', NULL, NULL) AS none;

-- easter_is_right_at_the_ends_of_its_range
SELECT bool_and(dunning._computed_holiday('DK', NULL, d) = 'Påskedag') AS easter
FROM unnest('{1900-04-15,1913-03-23,1943-04-25,1954-04-18,1981-04-19,2000-04-23,2008-03-23,2011-04-24,2038-04-25,2100-03-28,2199-04-14}'::date[]) d;

-- the_table_adds_days_and_opens_computed_ones
SELECT dunning.save_holiday('dk', '2026-06-12', 'Company day');
SELECT dunning.save_holiday('DK', '2026-06-05', 'Open here', open => true);
SELECT dunning._holiday('DK', NULL, '2026-06-12') AS added, dunning._holiday('DK', NULL, '2026-06-05') AS opened, dunning._holiday('SE', NULL, '2026-06-12') AS elsewhere;
SELECT on_date, kind, name, effect, source FROM dunning.calendar_dates('DK', '2026-06-01', '2026-07-25');
SELECT kind, key, before, after, changed_by = session_user AS by_me FROM dunning.rule_change WHERE kind = 'holiday' ORDER BY key;
SELECT dunning.save_holiday('Danmark', '2026-06-12', 'x');
SELECT dunning.save_holiday('DK', 'infinity', 'x');
DELETE FROM dunning.holiday;
DELETE FROM dunning.rule_change WHERE kind = 'holiday';

-- money_dates_follow_their_rules
SELECT on_date, name, effect FROM dunning.calendar_dates('DK', '2026-01-01', '2026-01-31') WHERE kind <> 'holiday';
SELECT string_agg(on_date::text, ' ') AS norway FROM dunning.calendar_dates('NO', '2026-01-01', '2026-12-31') WHERE name = 'mva, termin';
SELECT string_agg(on_date::text, ' ') AS netherlands FROM dunning.calendar_dates('NL', '2026-01-01', '2026-12-31') WHERE name LIKE 'btw, kw%' OR name = 'kinderbijslag';
SELECT string_agg(on_date::text, ' ') AS wednesdays FROM dunning.calendar_dates('US', '2026-09-01', '2026-09-30') WHERE kind = 'income';
SELECT count(DISTINCT name) AS scottish FROM dunning.calendar_dates('GB-SCT', '2026-01-01', '2026-12-31') WHERE kind = 'holiday';

-- calendar_dates_refuses_what_it_cannot_compute
SELECT * FROM dunning.calendar_dates('Denmark', '2026-01-01', '2026-12-31');
SELECT * FROM dunning.calendar_dates('DK', '2026-12-31', '2026-01-01');
SELECT * FROM dunning.calendar_dates('DK', '2026-01-01', 'infinity');

-- a_valid_zone_is_taken_and_else_those_of_region_or_country
SELECT dunning._zone('America/Nuuk', 'DK', NULL) AS given, dunning._zone('Mars/Olympus', 'dk', NULL) AS of_country,
       dunning._zone('XYZ5', 'SE', NULL) AS no_posix, dunning._zone(NULL, 'US', 'CA') AS state, dunning._zone(NULL, 'US', 'US-TX') AS split_state;
SELECT dunning._zone(NULL, 'US', NULL) AS any_state;
SET dunning.timezone = 'Europe/Copenhagen';
SELECT dunning._zone(NULL, NULL, NULL) AS unknown, dunning._zone('', 'Narnia', 'x') AS no_code;
RESET dunning.timezone;
SELECT count(*) > 40 AS forty_countries
FROM (SELECT chr(a) || chr(b) AS c FROM generate_series(65, 90) a, generate_series(65, 90) b) x
WHERE dunning._zone(NULL, x.c, NULL) <> dunning._zone(NULL, NULL, NULL);

-- local_time_is_that_of_the_zone
SELECT dunning._local_time('2026-03-29 00:59:59+00', 'Europe/Copenhagen') AS before, dunning._local_time('2026-03-29 01:00+00', 'Europe/Copenhagen') AS after,
       dunning._local_time('2026-03-29 01:00+00', 'Asia/Kathmandu') AS quarter, dunning._local_time('1901-03-29 01:00:00.5+00', 'UTC') AS old;
SELECT dunning._local_time('infinity', 'UTC');
SELECT dunning._local_time(now(), 'Mars/Olympus');

-- windows_are_read_strictly
SELECT w, dunning._check_windows(w) FROM unnest(ARRAY['Mon-Fri 08:00-20:00, Sat 09:00-15:00', '', 'mon 00:00-24:00', 'Mon 20:00-08:00', 'Fri-Mon 08:00-09:00',
    'Mon 8-20', 'Mon 08:00-24:01', 'Mon 08:00-20:00,', 'Mon 08:00-20:00 Tue 08:00-20:00', 'weekdays']) w;

-- quiet_hours_are_tested_on_the_instant_and_five_minutes_later_in_every_zone
SELECT at, dunning._closed(at, dunning._windows('{"Mon-Fri 08:00-20:00, Sat 09:00-15:00"}', true, 'Europe/Copenhagen', 'DK', NULL, NULL, NULL))
FROM unnest('{2026-06-08 05:59:59+00,2026-06-08 06:00+00,2026-06-08 17:55+00,2026-06-08 17:55:00.001+00,2026-06-08 18:00+00,2026-06-05 10:00+00,2026-06-07 10:00+00,2026-06-06 06:59+00,2026-06-06 07:00+00,infinity,-infinity}'::timestamptz[]) at;
SELECT h AS utc, dunning._closed(h, dunning._windows('{"Mon-Sun 08:00-20:00"}', false, NULL, 'US', NULL, NULL, NULL)) AS usa
FROM generate_series('2026-06-10 17:00+00'::timestamptz, '2026-06-11 00:00+00', '1 hour') h;

-- the_hour_that_is_skipped_and_the_hour_that_comes_twice_need_no_special_case
SELECT at, dunning._closed(at, dunning._windows('{"Sun 02:00-03:00"}', false, 'Europe/Copenhagen', NULL, NULL, NULL, NULL))
FROM unnest('{2026-03-29 00:30+00,2026-03-29 01:30+00,2026-10-25 00:30+00,2026-10-25 01:30+00,2026-10-25 02:30+00}'::timestamptz[]) at;

-- of_several_windows_the_strictest_holds_and_one_that_cannot_be_read_allows_nothing
SELECT at, dunning._closed(at, dunning._windows('{Mon-Fri 08:00-20:00,Mon-Sun 10:00-22:00}', false, 'UTC', 'DK', NULL, NULL, NULL)) AS both,
       dunning._closed(at, dunning._windows('{Mon-Fri 08:00-12:00,Mon-Fri 13:00-20:00}', false, 'UTC', 'DK', NULL, NULL, NULL)) AS contradictory,
       dunning._closed(at, dunning._windows('{nonsense}', false, 'UTC', 'DK', NULL, NULL, NULL)) AS unreadable,
       dunning._closed(at, dunning._windows(NULL, false, 'UTC', 'DK', NULL, '{2026-06-09}', NULL)) AS no_rule
FROM unnest('{2026-06-09 09:00+00,2026-06-09 10:00+00,2026-06-09 19:55+00,2026-06-09 20:00+00}'::timestamptz[]) at;

-- a_mask_that_is_cut_or_made_by_hand_is_refused
CREATE FUNCTION pg_temp.closed_by(mask bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(dunning._closed('2026-06-08 10:00+00', mask), 'open');
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN sqlerrm;
END $$;
SELECT cut, pg_temp.closed_by(CASE WHEN cut < 0 THEN m || '\x00' ELSE substr(m, 1, length(m) - cut) END) AS state
FROM dunning._windows('{"Mon-Fri 08:00-20:00"}', false, 'Europe/Copenhagen', 'DK', NULL, NULL, NULL) m, unnest(ARRAY[0, 1, 4, 17, 18, 100, -1]) cut;

-- the_built_in_rules_are_verified_or_disabled
SELECT count(*) FILTER (WHERE enabled AND NOT verified) AS unverified_enabled, count(*) > 10 AS shipped FROM dunning.contact_rule WHERE builtin;
SELECT names FROM dunning._rules_of('DK', NULL, 'person', 'sms', true, NULL, NULL);
SELECT names, holidays_closed FROM dunning._rules_of('NL', NULL, 'company', 'email', false, NULL, NULL);
SELECT names FROM dunning._rules_of(NULL, NULL, NULL, 'call', true, NULL, NULL);

-- save_rule_replaces_a_rule_keeps_the_old_value_and_reset_rule_brings_it_back
SET dunning.clock = '2026-06-01 12:00+00';
SELECT * FROM dunning.save_rule('house-email', windows => 'Mon-Fri 09:00-17:00');
SELECT channels, windows, holidays FROM dunning.contact_rule WHERE rule = 'house-email' AND NOT builtin;
SELECT * FROM dunning.save_rule('evening', windows => 'Mon-Fri 20:00-22:00', channels => '{call}', country => 'dk');
SELECT * FROM dunning.save_rule('house-daily', enabled => false);
SELECT kind, key, before ->> 'windows' AS before, after ->> 'windows' AS after, changed_at FROM dunning.rule_change ORDER BY key;
SELECT dunning.reset_rule('house-email'), dunning.reset_rule('house-daily'), dunning.reset_rule('evening');
SELECT dunning.reset_rule('house-email') AS nothing_of_mine;
SELECT dunning.reset_rule('no-such');
RESET dunning.clock;

-- a_rule_that_makes_no_sense_is_refused
SELECT * FROM dunning.save_rule('x');
SELECT * FROM dunning.save_rule('x', windows => 'Mon 20:00-08:00');
SELECT * FROM dunning.save_rule('x', windows => 'Mon 08:00-20:00', channels => '{pigeon}');
SELECT * FROM dunning.save_rule('x', windows => 'Mon 08:00-20:00', country => 'Denmark');
SELECT * FROM dunning.save_rule('x', cap => 3);
SELECT * FROM dunning.save_rule('x', cap => 3, cap_days => 400);
SELECT * FROM dunning.save_rule('x', min_gap => '-1 day');
SELECT * FROM dunning.save_rule('x', min_gap => '1 day', valid_from => '2026-02-01', valid_to => '2026-01-01');
SELECT * FROM dunning.save_rule('X y', min_gap => '1 day');

-- only_dunning_admin_may_change_a_rule
SET ROLE dunning_operator;
SELECT * FROM dunning.save_rule('x', min_gap => '1 day');
RESET ROLE;
DELETE FROM dunning.rule_change;
DROP TABLE listed;
