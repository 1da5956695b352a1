-- What twelve weekly contacts taught, one in three of them answered in the evening.
SET client_min_messages = error;
SET dunning.clock = '2026-06-10 10:00+00';
INSERT INTO dunning.timing_profile (debtor_id, creditor, contacts, responses, profile, payments, as_of)
SELECT 'B-' || i, 'north', 12, 4, dunning._activity('Europe/Copenhagen', x.sent, array_fill('email'::text, '{12}'), x.answered, '2026-06-10'), x.paid, now()
FROM generate_series(1, :n) i,
     LATERAL (SELECT array_agg(u.at ORDER BY u.at) AS sent, array_agg(u.at + '9 hours'::interval * dunning._uniform('h' || i) ORDER BY u.at) FILTER (WHERE u.m % 3 = 0) AS answered,
                  (SELECT array_agg('2025-12-20'::date + z * 30 + (dunning._uniform(i || '/' || z) * 4)::int ORDER BY z DESC) FROM generate_series(0, 5) z) AS paid
              FROM (SELECT m, '2026-03-10 06:00+00'::timestamptz + m * interval '7 days' + dunning._uniform('c' || i || '/' || m) * interval '10 hours' AS at FROM generate_series(0, 11) m) u) x;
SELECT dunning._learn_book('2026-06-10 10:00+00') \g /dev/null
VACUUM ANALYZE;
