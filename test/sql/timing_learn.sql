-- timing: contacts are entered into profiles once, when they are over.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE TEMP VIEW one AS SELECT dunning._activity('Europe/Copenhagen', '{2026-05-04 07:15+00,2026-05-11 07:15+00,2026-05-18 07:15+00}', '{sms,sms,email}',
    '{2026-05-04 17:20+00,2026-05-18 07:15:04+00,2026-05-18 17:50+00}', '2026-06-10') AS p;

-- a_profile_is_the_same_after_it_was_written_down_and_read
SELECT p::text = p::text::dunning.response_profile::text AS same, pg_column_size(p) AS octets FROM one;
-- a_machine_that_clicks_within_seconds_is_no_answer
SELECT (dunning._profile_counts(p)).* FROM one;
-- answers_of_the_evening_make_the_evening_the_time_and_the_morning_in_which_nobody_answered_not
SELECT dunning._picture(p) FROM one;
SELECT (dunning._intensity(p))[19 + 1] > 2 * (dunning._intensity(p))[10 + 1] AS evening FROM one;
-- an_hour_of_an_empty_profile_is_the_books
SELECT round(((dunning._intensity(NULL))[5])::numeric, 3) AS average;

-- profiles_of_a_newer_version_and_texts_that_are_none_are_refused
SELECT replace(p::text, '"version": 1', '"version": 2')::dunning.response_profile IS NOT NULL FROM one;
SELECT replace(p::text, '"answers": 2', '"answers": -1')::dunning.response_profile IS NOT NULL FROM one;
SELECT '{}'::dunning.response_profile;
SELECT 'evenings'::dunning.response_profile;
-- instants_are_finite
SELECT dunning._activity('Europe/Copenhagen', '{infinity}', '{sms}', '{}', '2026-06-10') IS NULL;

-- a_contact_is_entered_once_and_not_before_it_is_over
SELECT dunning._activity('UTC', '{2026-05-04 07:15+00}', '{email}', '{}', '2026-05-05') IS NULL AS not_over,
    (dunning._profile_counts(dunning._activity('UTC', '{2026-05-04 07:15+00}', '{email}', '{2026-05-04 09:00+00}', '2026-05-05'))).contacts AS answered,
    (dunning._profile_counts(dunning._activity('UTC', '{2026-05-04 07:15+00}', '{email}', '{}', '2026-05-09'))).contacts AS nobody_waits_any_more;
SELECT dunning._enter_contacts(p, 'Europe/Copenhagen', '{2026-05-11 07:15+00,2026-05-18 07:15+00}', '{sms,email}', '{2026-05-18 17:50+00}', NULL, NULL, '2026-06-10') IS NULL AS nothing_twice FROM one;
-- week_by_week_gives_what_all_at_once_gives
SELECT dunning._enter_contacts(dunning._enter_contacts(NULL, 'UTC', '{2026-05-04 07:15+00}', '{sms}', '{2026-05-04 17:20+00}', NULL, NULL, '2026-05-11'),
           'UTC', '{2026-05-04 07:15+00,2026-05-11 08:15+00}', '{sms,sms}', '{2026-05-04 17:20+00}', NULL, NULL, '2026-05-18')::text
     = dunning._activity('UTC', '{2026-05-04 07:15+00,2026-05-11 08:15+00}', '{sms,sms}', '{2026-05-04 17:20+00}', '2026-05-18')::text AS same;
-- an_answer_ends_all_that_lie_there_and_counts_once
SELECT (dunning._profile_counts(dunning._activity('UTC', '{2026-05-04 07:15+00,2026-05-04 12:00+00}', '{email,sms}', '{2026-05-04 13:00+00}', '2026-05-05'))).*;

-- evidence_is_merged_faded_and_summed
SELECT (dunning._profile_counts(dunning._merge_profiles(p, p))).contacts, dunning._merge_profiles(NULL, p)::text = p::text AS one_of_one FROM one;
SELECT dunning._fade_profile(p, 0)::text LIKE '%"exposure_by_hour": [0,0,0,0,%' AS gone FROM one;
SELECT dunning._fade_profile(p, 2) FROM one;
SELECT round((SELECT sum(s) FROM unnest(x.sums[1:168]) s)::numeric, 1) AS answers, cardinality(x.sums) AS sums FROM (SELECT dunning._sum_profiles(p) AS sums FROM one) x;
-- hundreds_of_contacts_in_one_hour_do_not_overflow_and_the_clock_may_go_backwards
SELECT (dunning._profile_counts(dunning._activity('UTC', array_agg(t ORDER BY t), array_agg('sms'::text), array_agg(t + interval '20 minutes' ORDER BY t), '2100-03-01'))).contacts
FROM generate_series('2096-02-29 07:15+00'::timestamptz, '2099-12-31', '7 days') t;
SELECT dunning._enter_contacts(p, 'UTC', '{2020-02-29 07:15+00}', '{sms}', NULL, NULL, NULL, '2020-03-10') IS NULL AS ignored FROM one;
SELECT dunning._learn_prior('\x00', NULL, NULL, NULL, 0);
