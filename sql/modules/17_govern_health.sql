-- health(): every part that contact depends on, each line that is not ok with the SQL that mends it.

CREATE FUNCTION dunning._load_server(server text) RETURNS text
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'dun_govern_sql_load_server';
COMMENT ON FUNCTION dunning._load_server(text) IS 'The driver of a server that can be used; else DN006 with what is wrong with its options, mapping or secret file.';

CREATE FUNCTION dunning._own_setting(name text) RETURNS text
    LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'dun_govern_sql_setting';
COMMENT ON FUNCTION dunning._own_setting(text) IS 'A setting of the extension, named without "dunning."; NULL where it is not defined.';

-- A setting is undone where it was made: in the session, for role or database, or in the server's files.
CREATE FUNCTION dunning._reset_sql(name text, value text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    full_name text := 'dunning.' || _reset_sql.name;
    where_set record;
BEGIN
    SELECT d.setdatabase <> 0 AS of_database, d.setrole <> 0 AS of_role, d.setrole::regrole::text AS role_name INTO where_set
    FROM pg_catalog.pg_db_role_setting d CROSS JOIN LATERAL unnest(d.setconfig) c (c)
    WHERE split_part(c.c, '=', 1) = full_name
      AND d.setdatabase IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database()))
      AND d.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = session_user))
    ORDER BY d.setrole <> 0 DESC, d.setdatabase <> 0 DESC LIMIT 1;
    RETURN CASE
        WHEN where_set.of_role AND where_set.of_database THEN format('ALTER ROLE %s IN DATABASE %I RESET %s;', where_set.role_name, current_database(), full_name)
        WHEN where_set.of_role THEN format('ALTER ROLE %s RESET %s;', where_set.role_name, full_name)
        WHEN where_set.of_database THEN format('ALTER DATABASE %I RESET %s;', current_database(), full_name)
        WHEN (SELECT s.source = 'session' FROM pg_catalog.pg_settings s WHERE s.name = full_name) THEN format('RESET %s;', full_name)
        WHEN value IS NOT NULL THEN format('ALTER SYSTEM SET %s = %L; SELECT pg_reload_conf();', full_name, value)
        ELSE format('ALTER SYSTEM RESET %1$s; SELECT pg_reload_conf(); -- or, where this session set it: RESET %1$s;', full_name) END;
END
$$;
COMMENT ON FUNCTION dunning._reset_sql(text, text) IS 'The statement that undoes a setting of the extension where it was made; value: what to set in the server''s files instead of taking it out.';

CREATE FUNCTION dunning._health_server_side() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    -- Defined only while the library is preloaded.
    databases text := dunning._own_setting('databases');
    delivery text := dunning._own_setting('delivery');
    redirect text := dunning._own_setting('redirect_to');
    named boolean := databases = '*' OR current_database()::text = ANY (regexp_split_to_array(databases, '\s*,\s*'));
    active record;
BEGIN
    RETURN QUERY SELECT 'preload', CASE WHEN databases IS NULL THEN 'warn' ELSE 'ok' END,
        CASE WHEN databases IS NULL THEN 'the library is not preloaded: no background worker; CALL dunning.deliver() sends from a session' ELSE 'preloaded' END,
        CASE WHEN databases IS NULL THEN 'ALTER SYSTEM SET shared_preload_libraries = ''dunning''; -- beside what stands there; then restart' END;
    IF databases IS NOT NULL THEN
        RETURN QUERY SELECT 'worker', CASE WHEN w.n > 0 THEN 'ok' ELSE 'fail' END,
            CASE WHEN w.n > 0 THEN w.n || ' running'
                 WHEN NOT named THEN format('dunning.databases does not name "%s"', current_database())
                 ELSE 'none runs for this database; the server log says why' END,
            CASE WHEN w.n = 0 AND NOT named THEN format('ALTER SYSTEM SET dunning.databases = %L; SELECT pg_reload_conf();',
                                                        concat_ws(',', nullif(databases, ''), current_database()))
                 WHEN w.n = 0 THEN format('SELECT pg_reload_conf(); -- or too few processes: ALTER SYSTEM SET max_worker_processes = %s; and restart',
                                          current_setting('max_worker_processes')::int + 8) END
        FROM (SELECT count(*) AS n FROM pg_catalog.pg_stat_activity a WHERE a.usename = 'dunning_worker' AND a.datname = current_database()) w;
    END IF;
    SELECT a.activated, a.reason INTO active FROM dunning._activation_state() a;
    RETURN QUERY SELECT 'activation', CASE WHEN active.activated THEN 'ok' ELSE 'fail' END,
        CASE WHEN active.activated THEN 'activated here' ELSE coalesce(active.reason, 'not activated') END,
        CASE WHEN active.activated THEN NULL ELSE 'SELECT dunning.activate();' END;
    RETURN QUERY SELECT 'delivery', CASE coalesce(delivery, 'on') WHEN 'on' THEN 'ok' ELSE 'warn' END, 'dunning.delivery is ' || coalesce(delivery, 'not set'),
        CASE WHEN delivery <> 'on' THEN dunning._reset_sql('delivery', 'on') END;
    RETURN QUERY SELECT 'redirect', CASE WHEN coalesce(redirect, '') = '' THEN 'ok' ELSE 'warn' END,
        CASE WHEN coalesce(redirect, '') = '' THEN 'messages go to the debtors' ELSE 'every message goes to one address, marked TEST' END,
        CASE WHEN coalesce(redirect, '') <> '' THEN dunning._reset_sql('redirect_to') END;
    RETURN QUERY SELECT 'clock', CASE WHEN dunning._virtual_clock() IS NULL THEN 'ok' ELSE 'warn' END,
        CASE WHEN dunning._virtual_clock() IS NULL THEN 'real' ELSE format('virtual: it is always %s', dunning._virtual_clock()) END,
        CASE WHEN dunning._virtual_clock() IS NOT NULL THEN dunning._reset_sql('clock') END;
    RETURN QUERY SELECT 'suppression', CASE WHEN k.lost THEN 'fail' ELSE 'ok' END,
        CASE WHEN k.lost THEN 'the key of the address digests is gone: nobody is contacted' ELSE 'suppressed addresses are known again' END,
        CASE WHEN k.lost THEN '-- restore the row of dunning.digest_key from a backup, or forget every suppression: DELETE FROM dunning.suppression;' END
    FROM (SELECT dunning._is_key_lost() AS lost) k;
    RETURN QUERY SELECT 'role ' || r.rolname, CASE WHEN r.rolsuper THEN 'fail' ELSE 'ok' END,
        CASE WHEN r.rolsuper THEN 'is a superuser: bound views would run as one' ELSE 'no superuser' END,
        CASE WHEN r.rolsuper THEN format('ALTER ROLE %I NOSUPERUSER;', r.rolname) END
    FROM pg_catalog.pg_roles r WHERE r.rolname IN ('dunning_owner', 'dunning_worker') ORDER BY r.rolname;
END
$$;
COMMENT ON FUNCTION dunning._health_server_side() IS 'Preload, worker, activation, settings, clock and roles.';

CREATE FUNCTION dunning._health_ledger() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    problem text := dunning._ledger_problem();
    rows_found bigint;
    why text;
    hint text;
BEGIN
    RETURN QUERY SELECT 'ledger', CASE WHEN problem IS NULL THEN 'ok' ELSE 'fail' END,
        coalesce(problem || ': every contact is held', 'read live'), CASE WHEN problem IS NOT NULL THEN 'SELECT * FROM dunning.source;' END;
    RETURN QUERY SELECT 'source ' || s.kind, CASE WHEN s.state IN ('ok', 'builtin') THEN 'ok' ELSE 'fail' END,
        concat_ws(', ', s.relation, s.state, s.detail), s.fix_sql
    FROM dunning.source s ORDER BY s.kind;
    BEGIN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) d LIMIT 1) x', dunning._ledger_sql('debtor')) INTO rows_found;
        RETURN QUERY SELECT 'debtors', CASE rows_found WHEN 0 THEN 'warn' ELSE 'ok' END, CASE rows_found WHEN 0 THEN 'there is none' ELSE 'found' END,
                            CASE rows_found WHEN 0 THEN 'SELECT dunning.bind(''debtor'', ''schema.view'');' END;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT 'debtors', 'fail', why, hint;
    END;
END
$$;
COMMENT ON FUNCTION dunning._health_ledger() IS 'The sources: bound, readable, fresh.';

CREATE FUNCTION dunning._health_mailboxes() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    s record;
    why text;
    hint text;
BEGIN
    FOR s IN SELECT v.server, v.paused, b.problem, b.failures, b.looked_at, b.mails, b.unmatched
             FROM dunning._mailbox_servers() v LEFT JOIN dunning.mailbox b ON b.server = v.server ORDER BY v.server COLLATE "C" LOOP
        BEGIN
            PERFORM dunning._load_server(s.server);
            RETURN QUERY SELECT 'mailbox ' || s.server, CASE WHEN s.problem IS NOT NULL THEN 'fail' WHEN s.paused OR s.looked_at IS NULL THEN 'warn' ELSE 'ok' END,
                CASE WHEN s.paused THEN 'paused' WHEN s.problem IS NOT NULL THEN format('not read, %s times in a row: %s', s.failures, s.problem)
                     WHEN s.looked_at IS NULL THEN 'not yet read' ELSE format('%s mails read, %s of them about nothing that is known', s.mails, s.unmatched) END,
                CASE WHEN s.paused THEN format('SELECT dunning.resume(%L);', s.server) WHEN s.problem IS NOT NULL OR s.looked_at IS NULL THEN format('CALL dunning.read_mail(%L);', s.server) END;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT 'mailbox ' || s.server, 'fail', why, nullif(hint, '');
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning._health_mailboxes() IS 'Mailboxes: options, mapping and secret file as the worker will read them, and what came of the last reading.';

CREATE FUNCTION dunning._health_gateways() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    s record;
    why text;
    more text;
    hint text;
BEGIN
    FOR s IN SELECT v.server, v.channel_served, v.paused, b.reason AS shut, b.opened_at, b.probe_at
             FROM dunning._servers() v LEFT JOIN dunning._breakers() b ON b.server = v.server ORDER BY v.server LOOP
        BEGIN
            PERFORM dunning._load_server(s.server);
            RETURN QUERY SELECT 'server ' || s.server, CASE WHEN s.shut IS NOT NULL THEN 'fail' WHEN s.paused THEN 'warn' ELSE 'ok' END,
                s.channel_served || CASE WHEN s.paused THEN ', paused' ELSE '' END
                    || coalesce(format(', left alone since %s: %s; a message tries again at %s', date_trunc('second', s.opened_at), s.shut, date_trunc('second', s.probe_at)), ''),
                CASE WHEN s.shut IS NOT NULL THEN format('SELECT dunning.resume(%1$L); -- when it is mended; ' || CASE
                            WHEN s.shut ~ 'address_is_not_allowed' THEN 'its host: ALTER SYSTEM SET dunning.allowed_hosts = ''…'''
                            WHEN s.shut ~ '^proxy_certificate' THEN 'its proxy: ALTER SERVER %2$I OPTIONS (ADD proxy_ca_file ''…'')'
                            WHEN s.shut ~ 'proxy|407' THEN 'its proxy: ALTER USER MAPPING FOR dunning_worker SERVER %2$I OPTIONS (SET proxy_secret_file ''…'')'
                            WHEN s.shut ~ '^client_cert' THEN 'our certificate: ALTER SERVER %2$I OPTIONS (SET client_cert_file ''…'', SET client_key_file ''…'')'
                            WHEN s.shut ~ 'revoked|crl_file' THEN 'its certificate and what its CA revoked: ALTER SERVER %2$I OPTIONS (SET crl_file ''…'')'
                            WHEN s.shut ~ '^(certificate|ca_file)' THEN 'its certificate: ALTER SERVER %2$I OPTIONS (SET ca_file ''…'')'
                            WHEN s.shut ~ 'binding_local' THEN 'our address: ALTER SERVER %2$I OPTIONS (SET source_address ''…'')'
                            WHEN s.shut ~ 'offers_no_tls' THEN 'it must offer STARTTLS at its port'
                            ELSE 'its login: ALTER USER MAPPING FOR dunning_worker SERVER %2$I OPTIONS (SET secret_file ''…'')' END, s.server, s.server)
                     WHEN s.paused THEN format('SELECT dunning.resume(%L);', s.server) END;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT 'server ' || s.server, 'fail', concat_ws(' ', why, nullif(more, '')), nullif(hint, '');
        END;
    END LOOP;
    RETURN QUERY SELECT 'channel ' || c.channel, 'warn', 'a step wants it and no server serves it',
        format('CREATE SERVER %I TYPE %L FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ''…'');', 'my_' || c.channel, c.channel)
    FROM (SELECT DISTINCT x.channel FROM dunning._strategies_in_use() u (strategy) CROSS JOIN LATERAL dunning._steps(u.strategy) p CROSS JOIN LATERAL unnest(p.channels) AS x (channel)) c
    WHERE NOT EXISTS (SELECT FROM dunning._servers(c.channel) v) ORDER BY 1;
END
$$;
COMMENT ON FUNCTION dunning._health_gateways() IS 'Servers: options, mapping and secret file as the worker will read them; channels without one.';

-- Every template a step uses, on each of its channels, in every language debtors have, rendered with a full context.
CREATE FUNCTION dunning._health_templates() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    t record;
    languages text[];
    why text;
    hint text;
    tried int := 0;
    failed int := 0;
    missing text[] := '{}';
    sample jsonb := dunning._sample_context();
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT dunning._language(d.language)) FILTER (WHERE d.language IS NOT NULL), ''{en}'') FROM (%s) d', dunning._ledger_sql('debtor'))
        INTO languages;
    FOR t IN
        SELECT DISTINCT s.template, c.channel::text AS channel, l.language
        FROM dunning._strategies_in_use() u (strategy) CROSS JOIN LATERAL dunning._steps(u.strategy) s CROSS JOIN LATERAL unnest(s.channels) AS c (channel)
        CROSS JOIN unnest(languages) AS l (language)
        WHERE l.language IS NOT NULL ORDER BY 1, 2, 3
    LOOP
        tried := tried + 1;
        BEGIN
            PERFORM dunning.render(t.template, sample, t.language, t.channel);
            IF (SELECT f.language FROM dunning._template(t.template, t.channel, t.language, NULL) f) <> t.language THEN
                missing := missing || (t.template || '/' || t.channel || '/' || t.language);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            failed := failed + 1;
            RETURN QUERY SELECT format('template %s, %s, %s', t.template, t.channel, t.language), 'fail', why, nullif(hint, '');
        END;
    END LOOP;
    RETURN QUERY SELECT 'templates', CASE WHEN failed > 0 THEN 'fail' WHEN missing <> '{}' THEN 'warn' ELSE 'ok' END,
        CASE WHEN failed > 0 THEN format('%s of %s cannot be rendered', failed, tried)
             WHEN missing <> '{}' THEN 'another language is used for ' || array_to_string(missing[1:5], ', ') || CASE WHEN cardinality(missing) > 5 THEN ' …' ELSE '' END
             ELSE format('%s rendered', tried) END,
        CASE WHEN failed = 0 AND missing <> '{}'
             THEN format('SELECT * FROM dunning.save_template(%L, %L, %L, ''subject'', ''text'');', split_part(missing[1], '/', 1), split_part(missing[1], '/', 2), split_part(missing[1], '/', 3)) END;
END
$$;
COMMENT ON FUNCTION dunning._health_templates() IS 'Templates of the steps, rendered on each channel and in each language in use.';

CREATE FUNCTION dunning._health_queue() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    week timestamptz := dunning._now() - interval '7 days';
BEGIN
    RETURN QUERY SELECT 'backlog', CASE WHEN q.age > interval '1 hour' THEN 'fail' WHEN q.age > interval '10 minutes' THEN 'warn' ELSE 'ok' END,
        CASE WHEN q.n > 0 THEN format('%s due, the oldest for %s minute(s)', q.n, floor(extract(epoch FROM q.age) / 60)) ELSE 'nothing waits that is due' END,
        CASE WHEN q.age > interval '10 minutes' THEN 'CALL dunning.deliver(max_seconds => 60);' END
    FROM (SELECT count(*) AS n, coalesce(dunning._now() - min(q.due), interval '0') AS age FROM dunning.queue q WHERE q.state = 'queued' AND q.due < dunning._now()) q;
    -- Rows that are over stay where they were until nobody could look at them any more; the queue and the heads of the chains turn over fastest.
    RETURN QUERY SELECT 'dead rows', CASE WHEN d.worst IS NULL THEN 'ok' ELSE 'warn' END, coalesce(d.worst, 'no more than autovacuum clears'),
        CASE WHEN d.worst IS NOT NULL THEN format('VACUUM (VERBOSE) %s; -- says which transaction they are kept for; SELECT * FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY age(backend_xmin) DESC;', d.tables) END
    FROM (SELECT string_agg(format('%s: %s dead of %s', t.relname, t.n_dead_tup, t.n_dead_tup + t.n_live_tup)
                            || coalesce(', last vacuumed at ' || date_trunc('second', t.vacuumed), ', never vacuumed'), '; ' ORDER BY t.n_dead_tup DESC, t.relname) AS worst,
                 string_agg('dunning.' || t.relname, ', ' ORDER BY t.n_dead_tup DESC, t.relname) AS tables
          FROM (SELECT s.relname, s.n_dead_tup, s.n_live_tup, greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed
                FROM pg_catalog.pg_stat_all_tables s WHERE s.relid IN ('dunning.queue'::regclass, 'dunning.egress_head'::regclass)) t
          WHERE t.n_dead_tup > 100000 AND t.n_dead_tup > t.n_live_tup AND coalesce(t.vacuumed < clock_timestamp() - interval '1 hour', true) OR t.n_dead_tup > 5000000) d;
    RETURN QUERY SELECT 'dead letters', CASE WHEN count(*) > 0 THEN 'warn' ELSE 'ok' END, count(*) || ' in the last 7 days',
        CASE WHEN count(*) > 0 THEN 'SELECT * FROM dunning.retry(state => ''dead'', dry_run => true);' END
    FROM (SELECT DISTINCT o.debtor_id, o.message_id FROM dunning.outcome o WHERE o.state = 'dead' AND o.at > week) d
    JOIN LATERAL (SELECT y.state, y.at FROM dunning.message_state y WHERE y.debtor_id = d.debtor_id AND y.message_id = d.message_id OFFSET 0) s ON true
    WHERE s.state = 'dead' AND s.at > week;
    RETURN QUERY SELECT 'unknown outcomes', CASE WHEN count(*) > 0 THEN 'warn' ELSE 'ok' END, count(*) || ' in the last 7 days'
            || coalesce((SELECT format(', of %s the gateway is being asked', count(*)) FROM dunning.question q HAVING count(*) > 0), ''),
        CASE WHEN count(*) > 0 THEN 'SELECT * FROM dunning.retry(state => ''unknown'', dry_run => true);' END
    FROM (SELECT DISTINCT o.debtor_id, o.message_id FROM dunning.outcome o WHERE o.state = 'unknown' AND o.at > week) d
    JOIN LATERAL (SELECT y.state, y.at FROM dunning.message_state y WHERE y.debtor_id = d.debtor_id AND y.message_id = d.message_id OFFSET 0) s ON true
    WHERE s.state = 'unknown' AND s.at > week;
    RETURN QUERY SELECT 'held: ' || coalesce(b.why, 'no reason'), 'warn', count(*) || ' message(s)', dunning._fix_for(b.why, NULL)
    FROM dunning.queue q LEFT JOIN LATERAL unnest(q.blocked_by) AS b (why) ON true WHERE q.state = 'held' GROUP BY b.why ORDER BY b.why;
    RETURN QUERY SELECT 'proposed', 'warn', format('%s message(s) of run %s await approval', count(*), q.run_id), format('SELECT * FROM dunning.approve(%L);', q.run_id)
    FROM dunning.queue q WHERE q.state = 'proposed' GROUP BY q.run_id ORDER BY q.run_id;
    RETURN QUERY SELECT 'partitions', CASE WHEN p.found THEN 'ok' ELSE 'warn' END,
        CASE WHEN p.found THEN 'next month is ready' ELSE 'next month is not made yet' END, CASE WHEN NOT p.found THEN 'SELECT * FROM dunning.maintain();' END
    FROM (SELECT to_regclass('dunning.egress' || to_char((clock_timestamp() AT TIME ZONE 'UTC') + interval '1 month', '"_y"YYYY"m"MM')) IS NOT NULL AS found) p;
    -- Many rows are written at once, past triggers: where there is one, none of a body or intent, and outcomes the slow way. Constraints may be made of them.
    RETURN QUERY SELECT format('trigger %s', t.tgname), w.state, format('on %s: %s', t.tgrelid::regclass, w.detail),
        CASE WHEN t.tgisinternal THEN (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I;', t.tgrelid::regclass, c.conname) FROM pg_catalog.pg_constraint c WHERE c.oid = t.tgconstraint)
             ELSE format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass) END
    FROM (VALUES ('dunning.body'::regclass, 'fail', 'nothing is sent, because it would not run'),
                 ('dunning.egress', 'fail', 'nothing is sent, because it would not run'),
                 ('dunning.outcome', 'warn', 'it runs, and sending takes longer for it')) AS w (parent, state, detail)
    JOIN pg_catalog.pg_trigger t
      ON t.tgrelid = w.parent OR t.tgtype & 1 <> 0 AND t.tgrelid IN (SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = w.parent)
    WHERE t.tgtype & 4 <> 0 AND t.tgparentid = 0
    ORDER BY 1;
    -- A schedule of pg_cron is visible to its owner alone; that a run took place is what counts.
    RETURN QUERY SELECT 'daily run', CASE WHEN r.state = 'done' AND r.fresh THEN 'ok' WHEN r.state = 'failed' THEN 'fail' ELSE 'warn' END,
        CASE WHEN r.state IS NULL THEN 'none yet' ELSE format('%s, begun %s', r.state, r.started_at) END,
        CASE WHEN r.state = 'failed' THEN 'SELECT * FROM dunning.run_log;'
             WHEN r.state = 'done' AND r.fresh THEN NULL
             WHEN EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_cron') THEN 'SELECT cron.schedule(''dunning'', ''5 4 * * *'', ''CALL dunning.daily()'');'
             ELSE 'CALL dunning.daily(); -- every night, for instance by pg_cron: CREATE EXTENSION pg_cron;' END
    FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT x.state, x.started_at, x.beat_at > clock_timestamp() - interval '26 hours' AS fresh
                                                FROM dunning.run x ORDER BY x.started_at DESC, x.run_id DESC LIMIT 1) r ON true;
END
$$;
COMMENT ON FUNCTION dunning._health_queue() IS 'What waits and for how long, what failed, what is held and by what; rows not vacuumed, partitions and the daily run.';

-- A model that drifts predicts worse, and contact goes on: nothing here fails.
CREATE FUNCTION dunning._health_models() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT 'drift of ' || d.model, CASE d.state WHEN 'alarm' THEN 'warn' ELSE 'ok' END, d.detail,
        CASE WHEN d.state = 'alarm' THEN CASE WHEN m.target = m.model
            THEN CASE m.target WHEN 'payment_curve' THEN 'SELECT dunning.promote(t.model, t.version) FROM dunning.train_curve() t;'
                 ELSE format('SELECT dunning.promote(t.model, t.version) FROM dunning.train(%L) t;', d.model) END
            ELSE format('SELECT dunning.promote(t.model, t.version) FROM dunning.fit(%L, %L, %L, %L) t;', d.model, m.query, m.label, m.kind) END END
    FROM dunning._drift_summary() d JOIN dunning._models_in_use() m ON m.model = d.model;
END
$$;
COMMENT ON FUNCTION dunning._health_models() IS 'Models in use that were looked at for drift: warn where one gave an alarm; to train it anew is what mends it.';

-- Contact goes on with an old calibration, or with none: what is claimed of it is not measured any more.
CREATE FUNCTION dunning._health_timing() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    at_time timestamptz := dunning._now();
    fitted timestamptz := (SELECT max(c.as_of) FROM dunning.timing_calibration c);
    used bigint := (SELECT count(*) FROM dunning.timing_calibration c WHERE c.used);
    -- Over for two days, so that a night has passed; read no further than the first.
    drawn boolean := EXISTS (SELECT FROM dunning.message m JOIN dunning.egress e ON e.message_id = m.message_id
        WHERE m.explored AND m.decision -> 'timing' ? 'x' AND m.contact_at > at_time - interval '60 days' AND m.contact_at < at_time - interval '8 days' AND NOT e.test
          AND e.contact_on BETWEEN m.contact_at - interval '5 minutes' AND m.contact_at + interval '1 hour' AND e.contact_on < at_time - interval '8 days'
          AND NOT EXISTS (SELECT FROM dunning.event b WHERE b.debtor_id = m.debtor_id AND b.message_id = m.message_id AND b.kind IN ('bounced', 'failed')));
    stale boolean := drawn AND (fitted IS NULL OR fitted < at_time - interval '2 days');
BEGIN
    RETURN QUERY SELECT 'timing calibration', CASE WHEN stale THEN 'warn' ELSE 'ok' END,
        CASE WHEN stale AND fitted IS NULL THEN 'contacts were drawn by lot and nothing was fitted on them: no gain is claimed of contact times'
             WHEN stale THEN format('last fitted at %s: what is claimed of contact times is not measured any more', date_trunc('second', fitted))
             WHEN fitted IS NULL THEN 'no contact that was drawn by lot is over yet'
             ELSE format('of %s, used for %s book(s) and channel(s)', date_trunc('second', fitted), used) END,
        CASE WHEN stale THEN 'SELECT * FROM dunning.maintain();' END;
END
$$;
COMMENT ON FUNCTION dunning._health_timing() IS 'The calibration of contact times: warn where the last night''s is missing though contacts were drawn by lot.';

CREATE FUNCTION dunning.health() RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    part text;
    why text;
    hint text;
BEGIN
    -- A part that cannot even be asked is itself the news.
    FOREACH part IN ARRAY ARRAY['server_side', 'ledger', 'gateways', 'mailboxes', 'templates', 'links', 'queue', 'models', 'timing'] LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT h.item, h.state, h.detail, h.fix_sql FROM dunning.%I() h', '_health_' || part);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT part, 'fail', why, nullif(hint, '');
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dunning.health() IS
    'One row a part that contact depends on: item, state (ok, warn, fail), detail, and the SQL that mends it. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.health() TO dunning_viewer;
