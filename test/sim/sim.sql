-- The simulator's side of the database: a book in the built-in ledger, and what the queue, the worker and the touchpoints would
-- write about each contact. Answers go through record_event(), decisions through best_times(), nights through maintain().
CREATE SCHEMA sim;

CREATE TABLE sim.contact (
    week        int NOT NULL,
    debtor_id   text COLLATE "C" NOT NULL,
    contact_at  timestamptz,
    p_response  float8,
    p_baseline  float8,
    uplift      float8,
    explored    boolean NOT NULL DEFAULT false,
    propensity  float8,
    reasons     jsonb,
    message_id  uuid NOT NULL DEFAULT dunning._uuid7(),
    left_on     timestamptz,
    PRIMARY KEY (debtor_id, week)
);

-- What the outside world will say, and when it gets here.
CREATE TABLE sim.news (
    arrives     timestamptz NOT NULL,
    debtor_id   text COLLATE "C" NOT NULL,
    week        int NOT NULL,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,
    key         text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);

-- Where the simulator writes down in seconds.
CREATE TABLE sim.inbox (arrives bigint, debtor_id text, week int, kind text, at bigint, key text, detail jsonb);
CREATE TABLE sim.placed (week int, debtor_id text, at bigint);
CREATE TABLE sim.mover (debtor_id text);

CREATE FUNCTION sim.sort_inbox() RETURNS bigint LANGUAGE sql AS $$
    WITH i AS (DELETE FROM sim.inbox RETURNING *),
    n AS (INSERT INTO sim.news SELECT to_timestamp(i.arrives), i.debtor_id, i.week, i.kind, to_timestamp(i.at), i.key, i.detail FROM i RETURNING 1)
    SELECT count(*) FROM n;
$$;

CREATE FUNCTION sim.place() RETURNS bigint LANGUAGE sql AS $$
    WITH i AS (DELETE FROM sim.placed RETURNING *),
    n AS (INSERT INTO sim.contact (week, debtor_id, contact_at) SELECT i.week, i.debtor_id, to_timestamp(i.at) FROM i RETURNING 1)
    SELECT count(*) FROM n;
$$;

-- The first Monday, at the midnight that ends the Sunday before it in the book's zone.
CREATE FUNCTION sim.monday() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT '2026-01-12'::timestamp AT TIME ZONE 'Europe/Copenhagen' $$;

-- The two of the zones are never contacted: their windows are those of everybody there.
CREATE FUNCTION sim.make_book(n int, seed bigint) RETURNS int LANGUAGE sql AS $$
    INSERT INTO dunning.debtor (debtor_id, creditor, kind, name, country, time_zone, email, phone)
    SELECT 'S' || seed || '-' || i, 'north', 'person', 'Debtor ' || i, 'DK', 'Europe/Copenhagen', 's' || i || '@example.com', '+45' || (20000000 + i) FROM generate_series(0, n - 1) i
    UNION ALL
    SELECT 'zone-' || z.o - 1, 'zones', 'person', 'Nobody', 'DK', z.zone, 'zone' || z.o || '@example.com', '+4530000' || z.o
    FROM unnest('{Europe/Copenhagen,America/New_York}'::text[]) WITH ORDINALITY z(zone, o);
    SELECT dunning._ensure_partitions();
$$;

CREATE FUNCTION sim.choose(number int, channel text) RETURNS bigint LANGUAGE sql AS $$
    WITH made AS (
        INSERT INTO sim.contact (week, debtor_id, contact_at, p_response, p_baseline, uplift, explored, propensity, reasons)
        SELECT number, b.debtor_id, b.contact_at, b.p_response, b.p_baseline, b.uplift, coalesce(b.explored, false), b.propensity, b.reasons
        FROM dunning.best_times(choose.channel) b WHERE b.debtor_id !~ 'zone'
        RETURNING contact_at)
    SELECT count(contact_at) FROM made;
$$;

-- What is due leaves: the frozen decision and the row of the egress ledger, as the planner and the worker write them.
CREATE FUNCTION sim.leave(until_at timestamptz, channel text) RETURNS bigint LANGUAGE sql AS $$
    WITH due AS (
        UPDATE sim.contact c SET left_on = c.contact_at WHERE c.left_on IS NULL AND c.contact_at < until_at
        RETURNING c.*),
    m AS (
        INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, contact_at, local_time, amounts, cost, cost_currency,
                                     propensity, explored, context, decision, created_at, created_by)
        SELECT d.message_id, d.debtor_id, 'north', 'reminder-1', leave.channel, 'en', d.contact_at, '', '{}', 0, 'EUR',
               d.propensity, d.explored, '{}',
               jsonb_strip_nulls(jsonb_build_object('timing', d.reasons, 'p_response', d.p_response, 'uplift', d.uplift, 'time_propensity', d.propensity)),
               d.contact_at, 'sim'
        FROM due d),
    e AS (
        INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason,
                                    cost, cost_currency, at, contact_on, slice, seq, prev, digest)
        SELECT d.message_id, 1, d.debtor_id, 'north', leave.channel, 'sim', '', '{}', '', 0, 'sim', 0, 'EUR', d.contact_at, d.contact_at, 0, 0, '', ''
        FROM due d)
    SELECT count(*) FROM due;
$$;

-- What has arrived is recorded, in the order of arrival; returns how many were new.
CREATE FUNCTION sim.hear(until_at timestamptz) RETURNS bigint LANGUAGE sql AS $$
    WITH come AS (DELETE FROM sim.news n WHERE n.arrives < until_at RETURNING n.*),
    inorder AS MATERIALIZED (
        SELECT n.*, c.message_id FROM come n JOIN sim.contact c ON c.debtor_id = n.debtor_id AND c.week = n.week ORDER BY n.arrives, n.debtor_id)
    SELECT count(*) FILTER (WHERE r.recorded) FROM inorder n
        CROSS JOIN LATERAL dunning.record_event(n.kind, n.debtor_id, n.message_id, n.at, n.detail, n.key) r;
$$;
