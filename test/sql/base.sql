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

-- what_a_relation_shows_is_steady_where_only_commits_and_the_clock_change_it
CREATE SCHEMA steady;
CREATE TABLE steady.t (id int PRIMARY KEY, due date, at timestamptz);
CREATE TABLE steady.guarded (id int);
ALTER TABLE steady.guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE steady.parted (id int) PARTITION BY RANGE (id);
CREATE TABLE steady.part PARTITION OF steady.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE steady.half_away (id int) PARTITION BY RANGE (id);
CREATE FOREIGN DATA WRAPPER steady_far;
CREATE SERVER steady_away FOREIGN DATA WRAPPER steady_far;
CREATE FOREIGN TABLE steady.away (id int) SERVER steady_away;
CREATE FOREIGN TABLE steady.part_away PARTITION OF steady.half_away FOR VALUES FROM (0) TO (10) SERVER steady_away;
CREATE SEQUENCE steady.s;
CREATE FUNCTION steady.reads() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION steady.counts() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE MATERIALIZED VIEW steady.kept AS SELECT random() AS x;
CREATE VIEW steady.v_texts AS SELECT 'F-' || id AS reference, due::timestamptz AS at, sum(id) OVER () AS n FROM steady.t WHERE due < current_date AND at < now();
CREATE VIEW steady.v_nested AS WITH w AS (SELECT * FROM steady.v_texts) SELECT w.*, (SELECT count(*) FROM steady.kept) AS kept, steady.counts() AS c FROM w LEFT JOIN steady.parted p ON p.id = w.n;
CREATE VIEW steady.v_random AS SELECT id FROM steady.t WHERE random() < 0.5;
CREATE VIEW steady.v_volatile_below AS SELECT * FROM (SELECT n.id FROM (SELECT id FROM steady.v_random UNION ALL SELECT 1) n) m;
CREATE VIEW steady.v_sample AS SELECT id FROM steady.t TABLESAMPLE bernoulli (50);
CREATE VIEW steady.v_stable AS SELECT steady.reads() AS id;
CREATE VIEW steady.v_from AS SELECT f.id FROM steady.reads() f(id);
CREATE VIEW steady.v_away AS SELECT t.id FROM steady.t t WHERE EXISTS (SELECT FROM steady.away a WHERE a.id = t.id);
CREATE VIEW steady.v_cte_away AS WITH w AS (SELECT id FROM steady.away) SELECT t.id FROM steady.t t JOIN w USING (id);
CREATE VIEW steady.v_guarded AS SELECT id FROM steady.guarded;
CREATE VIEW steady.v_clock AS SELECT clock_timestamp() AS at;
CREATE VIEW steady.v_next AS SELECT nextval('steady.s') AS n;
CREATE VIEW steady.v_limit AS SELECT id FROM steady.t LIMIT (random() * 2)::int;
CREATE VIEW steady.v_order AS SELECT id FROM steady.t ORDER BY random();
CREATE VIEW steady.v_values AS VALUES (1), ((random() * 2)::int);
SELECT c.relname, dunning._is_steady(c.oid) FROM pg_class c WHERE c.relnamespace = 'steady'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S') ORDER BY 2 DESC, 1;
SELECT dunning._is_steady(1) AS nowhere, dunning._is_steady(NULL) AS unknown, dunning._is_steady('pg_catalog.pg_class') AS catalog, dunning._is_steady('pg_catalog.pg_locks') AS locks;
SET client_min_messages = warning;
DROP SCHEMA steady CASCADE;
DROP FOREIGN DATA WRAPPER steady_far CASCADE;
RESET client_min_messages;
