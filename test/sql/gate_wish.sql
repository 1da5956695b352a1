-- gate: wishes of a debtor, rules that begin or end within the horizon, and which rule closes what.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-08 04:00+00';       -- a Monday, six in the morning in Copenhagen

INSERT INTO dunning.debtor (debtor_id, creditor, person_id, kind, name, country, time_zone, email, phone, address) VALUES
 ('GW-1', 'north', 'PW', 'person', 'Kirsten', 'DK', 'Europe/Copenhagen', 'k@example.com', '+4512345678', '{"street": "x"}'),
 ('GW-2', 'south', 'PW', 'person', 'Kirsten', 'DK', 'Europe/Copenhagen', 'k@example.com', '+4512345678', '{"street": "x"}'),
 ('GW-3', 'north', NULL, 'person', 'Other', 'DK', 'Europe/Copenhagen', 'o@example.com', '+4512345670', '{"street": "x"}'),
 ('GW-4', 'north', NULL, 'person', 'Nowhere', NULL, NULL, 'n@example.com', '+81312345670', '{"street": "x"}'),
 ('GW-5', 'north', NULL, 'person', 'Nowhere', NULL, NULL, 'n@example.com', '12345670', '{"street": "x"}'),
 ('GW-6', 'north', NULL, 'person', 'Hawaii', 'US', 'Pacific/Honolulu', 'h@example.com', '+12025550123', '{"street": "x"}');
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
SELECT d.debtor_id, 'I-' || d.debtor_id, d.creditor, '2026-05-01', '2026-05-15', 100, 'DKK' FROM dunning.debtor d WHERE d.debtor_id LIKE 'GW-%';

-- hours_that_do_not_suit_are_closed_at_all_accounts_of_the_person_and_for_nobody_else
SELECT * FROM dunning.save_contact_wish('GW-1', 'at-work', 'not Mon-Fri 09:00-15:30', channels => '{call,sms}', note => 'is a teacher');
SELECT dunning.contact_windows(d, 'sms', '2026-06-08 00:00+00', '2026-06-09 00:00+00') AS sms, dunning.contact_windows(d, 'email', '2026-06-08 00:00+00', '2026-06-09 00:00+00') AS email
FROM unnest('{GW-1,GW-2,GW-3}'::text[]) d;
SELECT ord, blocked_by FROM dunning._gate('{GW-1,GW-2,GW-3,GW-1}', '{sms,sms,sms,email}', array_fill('2026-06-08 10:00+00'::timestamptz, '{4}')) ORDER BY ord;
SELECT ord, contact_at FROM dunning._best_times('{GW-1,GW-2,GW-3}', '{sms,sms,sms}', array_fill('2026-06-08 07:00+00'::timestamptz, '{3}'), array_fill('2026-06-08 18:00+00'::timestamptz, '{3}'), NULL, 1) ORDER BY ord;
SELECT count(*) FILTER (WHERE b.contact_at::time >= '06:55' AND b.contact_at::time < '13:30') AS within, count(*) > 10 AS many
FROM dunning._best_times('{GW-1}', '{sms}', '{2026-06-08 04:00+00}', '{2026-06-12 22:00+00}', NULL, 100) b;

-- a_wish_of_one_account_is_that_accounts
SELECT * FROM dunning.save_contact_wish('GW-1', 'at-work', 'not Mon-Fri 09:00-15:30', channels => '{call,sms}', scope => 'debtor');
SELECT ord, blocked_by FROM dunning._gate('{GW-1,GW-2}', '{sms,sms}', array_fill('2026-06-08 10:00+00'::timestamptz, '{2}')) ORDER BY ord;
SELECT dunning.drop_contact_wish('GW-1', 'at-work'), dunning.drop_contact_wish('GW-1', 'at-work') AS again;

-- not_before_a_day_means_no_earlier_than_its_local_midnight
SELECT * FROM dunning.save_contact_wish('GW-3', 'after-holiday', not_before => '2026-06-10', channels => '{email,sms}');
SELECT * FROM dunning.save_contact_wish('GW-6', 'later', not_before => '2026-06-10', channels => '{letter}');
SELECT dunning.contact_windows('GW-3', 'email', '2026-06-08 00:00+00', '2026-06-11 00:00+00') AS copenhagen, dunning.contact_windows('GW-6', 'letter', '2026-06-08 00:00+00', '2026-06-11 00:00+00') AS honolulu;
SELECT count(*) FILTER (WHERE contact_at < '2026-06-10 05:00+00') AS before, count(*) FROM dunning._best_times('{GW-3}', '{email}', '{2026-06-08 04:00+00}', '{2026-06-11 12:00+00}', NULL, 100) b;
SELECT rule, round(closed_share::numeric, 3) AS closed, round(alone_share::numeric, 3) AS alone, windows, source FROM dunning.closing_rules('GW-3', 'sms', '2026-06-08 00:00+00', '2026-06-11 00:00+00');

-- a_wish_that_leaves_nothing_is_kept_and_says_so_and_the_rules_that_emptied_the_windows_have_names
SELECT * FROM dunning.save_contact_wish('GW-3', 'nights', 'Mon-Sun 22:00-23:00', channels => '{sms}');
SELECT contact_at, reasons ->> 'slots' AS slots, reasons ->> 'rules' AS rules FROM dunning.best_time('GW-3', 'sms', '2026-06-10 00:00+00', '2026-06-14 00:00+00');
SELECT rule, round(closed_share::numeric, 3) AS closed, round(alone_share::numeric, 3) AS alone, windows FROM dunning.closing_rules('GW-3', 'sms', '2026-06-10 00:00+00', '2026-06-14 00:00+00');
SELECT debtor_id, wish, person_id, windows, valid_from, valid_to FROM dunning.contact_wish ORDER BY 1, 2;

-- explain_names_them
SELECT item, state, detail FROM dunning.explain('GW-3') WHERE detail LIKE '%quiet_hours%' ORDER BY item;

-- planning_asks_the_gate_about_who_has_wishes
DO $$ DECLARE r record; BEGIN
    FOR r IN EXECUTE 'SELECT DISTINCT t.debtor_id FROM (' || dunning._gate_trouble_sql('$1') || ') t ORDER BY 1' USING ARRAY['GW-1', 'GW-2', 'GW-3', 'GW-4', 'GW-6'] LOOP
        RAISE WARNING 'asked about %', r.debtor_id;
    END LOOP;
END $$;

-- wishes_that_make_no_sense_are_refused
SELECT * FROM dunning.save_contact_wish('GW-0', 'x', 'Mon 08:00-09:00');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x', 'mornings');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x', 'not ');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x', '', channels => '{pigeon}');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x', not_before => 'infinity');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x', '', not_before => '2026-07-01');
SELECT * FROM dunning.save_contact_wish('GW-3', 'x', '', scope => 'street');
SELECT * FROM dunning.closing_rules('GW-3', 'sms', '-infinity', 'infinity');
SELECT dunning.drop_contact_wish('GW-3', 'nights'), dunning.drop_contact_wish('GW-3', 'after-holiday'), dunning.drop_contact_wish('GW-6', 'later');

-- a_rule_holds_from_its_first_local_day_to_its_last_within_one_horizon
SELECT warnings FROM dunning.save_rule('summer', windows => 'Mon-Fri 10:00-12:00', channels => '{sms}', valid_from => '2026-06-10', valid_to => '2026-06-11');
SELECT dunning.contact_windows('GW-1', 'sms', '2026-06-08 00:00+00', '2026-06-13 00:00+00') AS copenhagen;
SELECT dunning.contact_windows('GW-6', 'sms', '2026-06-09 00:00+00', '2026-06-12 12:00+00') AS honolulu;
SELECT at, (dunning.allowed('GW-1', 'sms', at)).blocked_by FROM unnest('{2026-06-09 07:00+00,2026-06-10 07:00+00,2026-06-11 08:30+00,2026-06-12 07:00+00}'::timestamptz[]) at;
-- in one batch, too
SELECT ord, blocked_by FROM dunning._gate(array_fill('GW-1'::text, '{4}'), array_fill('sms'::text, '{4}'), '{2026-06-09 07:00+00,2026-06-10 07:00+00,2026-06-11 08:30+00,2026-06-12 07:00+00}') ORDER BY ord;
SELECT min(contact_at::time), max(contact_at::time) FROM dunning._best_times('{GW-1}', '{sms}', '{2026-06-10 00:00+00}', '{2026-06-12 00:00+00}', NULL, 100);
SELECT dunning.reset_rule('summer');

-- so_do_caps
SELECT warnings FROM dunning.save_rule('truce', cap => 0, cap_days => 1, channels => '{sms,call}', valid_from => '2026-06-10', valid_to => '2026-06-11');
SELECT at, (dunning.allowed('GW-1', 'sms', at)).blocked_by FROM unnest('{2026-06-09 07:00+00,2026-06-09 22:30+00,2026-06-10 07:00+00,2026-06-11 07:00+00,2026-06-12 07:00+00}'::timestamptz[]) at;
SELECT dunning.contact_windows('GW-1', 'sms', '2026-06-08 00:00+00', '2026-06-13 00:00+00') AS copenhagen;
SELECT DISTINCT contact_at::date FROM dunning._best_times('{GW-1}', '{sms}', '{2026-06-08 00:00+00}', '{2026-06-13 00:00+00}', NULL, 100) ORDER BY 1;
SELECT dunning.reset_rule('truce');

-- where_no_country_is_known_the_calling_code_says_which_zones_may_be_meant
SELECT dunning._zone('+81', NULL, NULL) AS japan, dunning._zone('+81', 'DK', NULL) AS not_with_a_country, dunning._zone('+999', NULL, NULL) = dunning._zone(NULL, NULL, NULL) AS unknown_code;
SELECT dunning._zone('+1', NULL, NULL) AS north_america;
SELECT p, dunning._zone_key(NULL, p, NULL, NULL) FROM unnest(ARRAY['+45 12 34', '004512', '+3581234', '(+1) 202', '12345678', '', '+', '+9', NULL]) p;
SELECT dunning.contact_windows('GW-4', 'call', '2026-06-10 00:00+00', '2026-06-11 00:00+00') AS japan, dunning.contact_windows('GW-5', 'call', '2026-06-10 00:00+00', '2026-06-11 00:00+00') AS anywhere;
SELECT count(*) > 240 AS countries FROM (SELECT chr(a) || chr(b) AS c FROM generate_series(65, 90) a, generate_series(65, 90) b) x WHERE dunning._zone(NULL, x.c, NULL) <> dunning._zone(NULL, NULL, NULL);

-- where_area_code_and_address_disagree_on_the_zone_both_count
SELECT c, r, p, dunning._zone_key(z, p, c, r) AS key, dunning._zone(dunning._zone_key(z, p, c, r), c, r) AS zones
FROM (VALUES ('US', 'NY', NULL, '+1 (212) 555-0100'), ('US', 'CA', NULL, '212-555-0100'), ('us', 'US-CA', NULL, '0012125550100'), ('CA', 'BC', NULL, '+17095550100'), ('US', 'IL', NULL, '+1 876 555 0100'),
    ('US', 'CA', 'America/Denver', '+12125550100'), ('US', 'CA', NULL, '+18005550100'), ('US', 'CA', NULL, '555-0100'), ('US', 'CA', NULL, '+4721255501'), ('DK', NULL, NULL, '+12125550100'), (NULL, NULL, NULL, '+12125550100')) x(c, r, z, p);
UPDATE dunning.debtor SET country = 'US', region = 'CA', kind = 'person', time_zone = NULL, phone = '+1 310 555 0100' WHERE debtor_id = 'GW-4';
SELECT dunning.contact_windows('GW-4', 'call', '2026-06-10 00:00+00', '2026-06-11 12:00+00') AS at_home;
UPDATE dunning.debtor SET phone = '+1 212 555 0100' WHERE debtor_id = 'GW-4';
SELECT dunning.contact_windows('GW-4', 'call', '2026-06-10 00:00+00', '2026-06-11 12:00+00') AS both;
SELECT (dunning.allowed('GW-4', 'call', at)).blocked_by FROM unnest('{2026-06-10 15:05+00,2026-06-11 00:05+00}'::timestamptz[]) at;
SELECT min(contact_at), max(contact_at) FROM dunning._best_times('{GW-4}', '{call}', '{2026-06-10 00:00+00}', '{2026-06-11 06:00+00}', NULL, 100);

DELETE FROM dunning.invoice WHERE debtor_id LIKE 'GW-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'GW-%';
DELETE FROM dunning.rule_change WHERE kind IN ('contact_wish', 'contact_rule');

-- more_changes_than_a_mask_keeps_make_every_rule_count_on_every_date_and_too_many_rules_are_refused
SELECT n, count(*) FILTER (WHERE dunning._closed('2026-06-10 10:00+00'::timestamptz + d * interval '1 day', m.mask) IS NULL) AS open_days
FROM unnest('{20,63,64,200}'::int[]) n, generate_series(0, 299) d,
     LATERAL (SELECT dunning._windows(ARRAY(SELECT dunning._pack_windows('r' || i, '2026-06-10'::date + 2 * i, '2026-06-10'::date + 2 * i, true, '') FROM generate_series(1, n) i), false, 'UTC', 'DK', NULL, NULL, NULL) AS mask OFFSET 0) m
GROUP BY n ORDER BY n;
SELECT dunning._windows(array_fill('Mon 08:00-09:00'::text, '{1001}'), false, 'UTC', 'DK', NULL, NULL, NULL) IS NULL;

-- infinite_dates_written_past_save_rule_are_no_bounds_and_nonsense_allows_nothing
SELECT dunning._closed('2026-06-10 10:00+00', dunning._windows(ARRAY[dunning._pack_windows('r', 'infinity', '-infinity', true, '')], false, 'UTC', 'DK', NULL, NULL, NULL)) AS infinite,
       dunning._closed('2026-06-10 10:00+00', dunning._windows(ARRAY[dunning._pack_windows('r', NULL, NULL, true, 'nonsense')], false, 'UTC', 'DK', NULL, NULL, NULL)) AS unreadable,
       dunning._closed('2026-06-10 10:00+00', dunning._windows(ARRAY[dunning._pack_windows('r', NULL, NULL, true, 'not Wed 10:05-10:06')], false, 'UTC', 'DK', NULL, NULL, NULL)) AS beside,
       dunning._closed('2026-06-10 10:01+00', dunning._windows(ARRAY[dunning._pack_windows('r', NULL, NULL, true, 'not Wed 10:05-10:06')], false, 'UTC', 'DK', NULL, NULL, NULL)) AS within_the_margin;
