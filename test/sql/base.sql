-- base: the clock, hashes, keys and roles every room builds on.
CREATE EXTENSION dunning;

-- hashes_are_those_of_the_public_xxh64_specification
SELECT to_hex(dunning._hash64('')) AS empty, to_hex(dunning._hash64('a')) AS a,
       to_hex(dunning._hash64('Call me Ishmael. Some years ago--never mind how long precisely-')) AS long;

-- slices_are_0_to_63_and_even
SELECT min(s), max(s), count(DISTINCT s), max(n) < 1.25 * 1000 AS even
FROM (SELECT dunning._slice(i::text) AS s, count(*) AS n FROM generate_series(1, 64000) i GROUP BY 1) x;

-- uniform_is_a_function_of_text_and_seed
SELECT dunning._uniform('D-1', 7) = dunning._uniform('D-1', 7) AS same,
       dunning._uniform('D-1', 7) <> dunning._uniform('D-1', 8) AS by_seed,
       abs(avg(dunning._uniform(i::text)) - 0.5) < 0.01 AS fair
FROM generate_series(1, 20000) i;

-- uuid7_is_version_7_increasing_and_of_now
WITH k AS (SELECT i, dunning._uuid7() AS id FROM generate_series(1, 5000) i)
SELECT bool_and(substr(id::text, 15, 1) = '7') AS version_7,
       bool_and(id > before OR before IS NULL) AS increasing,
       bool_and(abs(extract(epoch FROM dunning._uuid7_time(id) - clock_timestamp())) < 60) AS of_now
FROM (SELECT id, lag(id) OVER (ORDER BY i) AS before FROM k) x;
SELECT dunning._uuid7_floor('2026-11-01 00:00+00'), dunning._uuid7_time(dunning._uuid7_floor('2026-11-01 00:00+00'));
SELECT dunning._uuid7_floor('infinity');

-- the_virtual_clock_is_the_now_of_every_reader
SELECT dunning._virtual_clock() IS NULL AS real;
SET dunning.clock = '2026-06-30 09:00+02';
SELECT dunning._now(), dunning._virtual_clock();
SET dunning.clock = 'infinity';
SET dunning.clock = 'yesterday noon-ish';
RESET dunning.clock;
SET dunning.timezone = 'Mars/Olympus';
SET dunning.clok = 'x';

-- roles_exist_and_none_is_a_superuser
SELECT rolname, rolcanlogin, rolsuper, rolconnlimit FROM pg_roles WHERE rolname ~ '^dunning_' ORDER BY 1;
