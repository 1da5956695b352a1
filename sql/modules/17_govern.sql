-- govern: keep the machinery in order. maintain() and daily() are safe to run again at any time.

CREATE TABLE dunning.run (
    run_id          uuid PRIMARY KEY,
    creditor        text COLLATE "C",           -- NULL: all
    state           text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    pid             int NOT NULL,               -- the backend that works on it, to tell a run that died from one that goes on
    beat_at         timestamptz NOT NULL,       -- real clock: when that backend last began or ended a step
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    started_by      text NOT NULL
);
COMMENT ON TABLE dunning.run IS 'One row a run of daily().';

CREATE TABLE dunning.run_step (
    run_id          uuid NOT NULL,
    position        int NOT NULL,
    step            text COLLATE "C" NOT NULL,
    state           text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    rows            bigint,
    detail          text,
    PRIMARY KEY (run_id, step)
);
COMMENT ON TABLE dunning.run_step IS 'The steps of each run of daily(), with what they did or why they failed.';

SELECT pg_catalog.pg_extension_config_dump('dunning.run', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.run_step', '');
GRANT SELECT ON dunning.run, dunning.run_step TO dunning_viewer;

CREATE VIEW dunning.run_log WITH (security_invoker, security_barrier) AS
    SELECT r.run_id, r.creditor, s.step, s.state, s.started_at, s.finished_at,
           pg_catalog.round(EXTRACT(epoch FROM s.finished_at - s.started_at), 3) AS seconds, s.rows, s.detail, r.state AS run_state, r.started_by, s.position
    FROM dunning.run r JOIN dunning.run_step s ON s.run_id = r.run_id
    ORDER BY r.started_at DESC, r.run_id DESC, s.position;
COMMENT ON VIEW dunning.run_log IS 'The runs of daily(), newest first, one row a step: state, seconds, rows, what it did or why it failed. Role dunning_viewer.';
GRANT SELECT ON dunning.run_log TO dunning_viewer;

-- Runs that a later month's made neighbours become one.
CREATE FUNCTION dunning._join_anchors() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH a AS (
        SELECT x.slice, x.seq, x.digest, x.from_seq, x.prev, (lag(x.seq) OVER w = x.from_seq - 1 AND lag(x.digest) OVER w = x.prev) IS TRUE AS goes_on
        FROM dunning.egress_anchor x WINDOW w AS (PARTITION BY x.slice ORDER BY x.seq)),
    placed AS (SELECT a.*, count(*) FILTER (WHERE NOT a.goes_on) OVER (PARTITION BY a.slice ORDER BY a.seq) AS run FROM a),
    run AS (
        SELECT p.slice, p.run, max(p.seq) AS seq, (array_agg(p.from_seq ORDER BY p.seq))[1] AS from_seq, (array_agg(p.prev ORDER BY p.seq))[1] AS prev
        FROM placed p GROUP BY p.slice, p.run HAVING count(*) > 1),
    gone AS (
        DELETE FROM dunning.egress_anchor x USING placed p, run r
        WHERE p.slice = r.slice AND p.run = r.run AND p.seq < r.seq AND x.slice = p.slice AND x.seq = p.seq)
    UPDATE dunning.egress_anchor x SET from_seq = r.from_seq, prev = r.prev
    FROM run r WHERE x.slice = r.slice AND x.seq = r.seq;
END;
COMMENT ON FUNCTION dunning._join_anchors() IS 'Makes one anchor of those that follow each other.';

-- Each of them, or none: whoever reads messages holds some of these tables and asks for others, and waiting for one while holding another would be a deadlock.
CREATE FUNCTION dunning._lock_months() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    give_up timestamptz := clock_timestamp() + interval '1 second';
BEGIN
    PERFORM dunning._hold_workers(true);
    LOOP
        BEGIN
            LOCK TABLE dunning.message, dunning.body, dunning.egress, dunning.outcome IN ACCESS EXCLUSIVE MODE NOWAIT;
            RETURN true;
        EXCEPTION WHEN lock_not_available THEN
            IF clock_timestamp() > give_up THEN
                PERFORM dunning._hold_workers(false);
                RETURN false;
            END IF;
        END;
        PERFORM dunning._wait_a_moment();
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._lock_months() IS 'Locks all months of messages until the end of the transaction; false where somebody uses one for longer than a second. Holds the workers back: _hold_workers(false) afterwards.';

-- A month whose messages are finished and wholly past the retention.
CREATE FUNCTION dunning._old_months(before timestamptz) RETURNS TABLE (parent text, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.parent, m.name
    FROM (SELECT p.relname::text AS parent, c.relname::text AS name, pg_catalog.to_date(right(c.relname::text, 7), 'YYYY"m"MM')::timestamp AS month
          FROM pg_catalog.pg_inherits i
          JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
          JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
          JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
          WHERE n.nspname = 'dunning' AND p.relname IN ('message', 'body', 'egress', 'outcome') AND c.relname ~ '_y\d{4}m\d{2}$') m
    WHERE (m.month + interval '1 month') AT TIME ZONE 'UTC' <= _old_months.before
      AND NOT EXISTS (SELECT FROM dunning.queue q
                      WHERE q.message_id >= dunning._uuid7_floor(m.month AT TIME ZONE 'UTC')
                        AND q.message_id < dunning._uuid7_floor((m.month + interval '1 month') AT TIME ZONE 'UTC'))
    ORDER BY m.name;
END;
COMMENT ON FUNCTION dunning._old_months(timestamptz) IS 'The month partitions that ended before an instant and have no unfinished message.';

-- The egress chains go on over anchors: the ends of each run that is dropped.
CREATE FUNCTION dunning._drop_old_months(before timestamptz) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    old record;
    dropped int := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._old_months(before)) THEN
        RETURN 0;
    END IF;
    IF NOT dunning._lock_months() THEN
        RAISE WARNING 'months past the retention are not dropped: somebody uses them'
            USING HINT = 'The next run of dunning.maintain() drops them; pg_locks shows who holds dunning.message.';
        RETURN 0;
    END IF;
    FOR old IN SELECT m.parent, m.name FROM dunning._old_months(before) m LOOP
        IF old.parent = 'egress' THEN
            EXECUTE format('INSERT INTO dunning.egress_anchor (slice, seq, digest, dropped_at, from_seq, prev)
                            SELECT r.slice, r.seq, r.digest, dunning._now(), f.seq, f.prev
                            FROM (SELECT b.*, max(b.seq) FILTER (WHERE b.begins) OVER (PARTITION BY b.slice ORDER BY b.seq) AS from_seq
                                  FROM (SELECT e.slice, e.seq, e.digest, lag(e.seq) OVER w IS DISTINCT FROM e.seq - 1 AS begins,
                                               lead(e.seq) OVER w IS DISTINCT FROM e.seq + 1 AS ends
                                        FROM dunning.%1$I e WINDOW w AS (PARTITION BY e.slice ORDER BY e.seq)) b) r
                            JOIN dunning.%1$I f ON f.slice = r.slice AND f.seq = r.from_seq
                            WHERE r.ends
                            ON CONFLICT DO NOTHING', old.name);
            PERFORM dunning._join_anchors();
        END IF;
        EXECUTE format('DROP TABLE dunning.%I', old.name);
        dropped := dropped + 1;
    END LOOP;
    PERFORM dunning._hold_workers(false);
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION dunning._drop_old_months(timestamptz) IS 'How many month partitions it dropped that ended before an instant.';

-- Each room that keeps something learnt has one function _refresh_...() that needs no argument.
CREATE FUNCTION dunning._refresh_all() RETURNS TABLE (item text, rows bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    refresh record;
    n bigint;
BEGIN
    FOR refresh IN
        SELECT p.proname::text AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'dunning'::regnamespace AND p.proname LIKE '\_refresh\_%' AND p.proname <> '_refresh_all' AND p.pronargs = p.pronargdefaults
        ORDER BY p.proname
    LOOP
        EXECUTE format('SELECT count(*) FROM dunning.%I()', refresh.name) INTO n;
        RETURN QUERY VALUES (replace(substr(refresh.name, 10), '_', ' ') || ' refreshed', n);
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._refresh_all() IS 'What was learnt anew, one row a kind, with how many rows.';

CREATE FUNCTION dunning._maintain() RETURNS TABLE (item text, rows bigint, detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    keep_from timestamptz := dunning._now() - make_interval(days => dunning._value_of('retention_days')::int);
    n bigint := 0;
    checked record;
BEGIN
    -- Messages are keyed by the real clock, whatever the virtual one says.
    FOR ahead IN 0 .. dunning._value_of('partitions_ahead')::int LOOP
        n := n + dunning._ensure_partitions(clock_timestamp() + ahead * interval '1 month');
    END LOOP;
    RETURN QUERY VALUES ('partitions made', n, dunning._value_of('partitions_ahead') || ' month(s) ahead');
    -- What an update of the extension brought reaches the months made before it.
    RETURN QUERY VALUES ('indexes and rights of partitions', dunning._equip_partitions(), NULL);

    SELECT c.broken, c.ended INTO checked FROM dunning._check_promises() c;
    RETURN QUERY VALUES ('promise holds ended', checked.ended::bigint, checked.broken || ' broken');

    n := dunning._release_held(NULL, NULL, dunning._now());
    RETURN QUERY VALUES ('held messages looked at again', n, NULL);

    RETURN QUERY VALUES ('months dropped', dunning._drop_old_months(keep_from)::bigint, 'older than ' || dunning._value_of('retention_days') || ' days');
    DELETE FROM dunning.event e WHERE e.recorded_at < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('events dropped', n, NULL);
    -- Keys of steps stay: a step that was done is done.
    DELETE FROM dunning.once o WHERE o.at < keep_from AND o.kind IN ('event', 'idempotency', 'verdict');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('keys dropped', n, NULL);
    DELETE FROM dunning.task t WHERE t.completed_at < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('tasks dropped', n, NULL);
    -- Those that freeze interest stay: it is counted from the due date, however long ago.
    DELETE FROM dunning.hold h WHERE coalesce(h.released_at, h.until_at) < keep_from AND NOT h.pending AND h.reason <> ALL (dunning._freezing_reasons())
        AND NOT EXISTS (SELECT FROM dunning.handover v WHERE v.debtor_id = h.debtor_id AND v.state = 'approved');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('holds dropped', n, NULL);
    DELETE FROM dunning.drift_check c WHERE c.checked_at < keep_from;
    DELETE FROM dunning.run_step s USING dunning.run r WHERE r.run_id = s.run_id AND r.started_at < keep_from;
    DELETE FROM dunning.run r WHERE r.started_at < keep_from;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN QUERY VALUES ('runs dropped', n, NULL);
END
$$;
COMMENT ON FUNCTION dunning._maintain() IS 'The chores of maintain() but for what is learnt, which daily() refreshes before it plans.';

CREATE FUNCTION dunning.maintain() RETURNS TABLE (item text, rows bigint, detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT m.item, m.rows, m.detail FROM dunning._maintain() m;
    RETURN QUERY SELECT r.item, r.rows, NULL::text FROM dunning._refresh_all() r;
END
$$;
COMMENT ON FUNCTION dunning.maintain() IS
    'One row a chore with how many rows it touched: partitions ahead, promises checked, profiles refreshed, held messages looked at again, retention (settings retention_days, partitions_ahead). Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.maintain() TO dunning_operator;
