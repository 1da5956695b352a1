\echo Use "CREATE EXTENSION dunning" to load this file. \quit
-- base: roles, the clock, hashes and keys. Knows no domain word.

-- Roles belong to the cluster, not to the extension: made once, kept at DROP EXTENSION.
DO $do$
DECLARE
    wanted text[];
BEGIN
    FOREACH wanted SLICE 1 IN ARRAY ARRAY[
        ['dunning_owner',    'NOLOGIN'],
        ['dunning_admin',    'NOLOGIN'],
        ['dunning_operator', 'NOLOGIN'],
        ['dunning_viewer',   'NOLOGIN'],
        ['dunning_worker',   'LOGIN PASSWORD NULL CONNECTION LIMIT 0']]
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) wanted[1]) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted[1], wanted[2]);
        END IF;
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) wanted[1]) THEN
            RAISE EXCEPTION 'role "%" is a superuser', wanted[1]
                USING ERRCODE = '42501', HINT = pg_catalog.format('ALTER ROLE %I NOSUPERUSER;', wanted[1]);
        END IF;
    END LOOP;
    GRANT dunning_viewer TO dunning_operator;
    GRANT dunning_operator TO dunning_admin;
END
$do$;

GRANT USAGE ON SCHEMA dunning TO dunning_owner, dunning_worker, dunning_viewer;
GRANT CREATE ON SCHEMA dunning TO dunning_owner;

CREATE FUNCTION dunning._now() RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_now';
COMMENT ON FUNCTION dunning._now() IS 'The virtual clock (dunning.clock) if set, else the start of the statement.';

CREATE FUNCTION dunning._virtual_clock() RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_virtual_clock';
COMMENT ON FUNCTION dunning._virtual_clock() IS 'The virtual clock, NULL while the real one runs.';

CREATE FUNCTION dunning._replay(at timestamptz, since timestamptz, command text) RETURNS void
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_base_sql_replay';
COMMENT ON FUNCTION dunning._replay(timestamptz, timestamptz, text) IS
    'Runs a command with the virtual clock at an instant; what this database itself did from since on did not happen in it, where readers ask _past() for their relations. Runs as the caller.';

CREATE FUNCTION dunning._replay_since() RETURNS timestamptz
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'dun_base_sql_replay_since';
COMMENT ON FUNCTION dunning._replay_since() IS 'The first instant of the replay that runs, NULL where none does.';

CREATE FUNCTION dunning._is_steady(relation regclass) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'dun_base_sql_is_steady';
COMMENT ON FUNCTION dunning._is_steady(regclass) IS
    'True where what the relation shows changes only when a transaction commits, or with the clock: tables, and views over tables with immutable functions or stable ones of PostgreSQL. False for foreign tables, row security, samples, volatile functions and others'' stable ones.';

CREATE FUNCTION dunning._changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'dun_base_sql_changed';
COMMENT ON FUNCTION dunning._changed() IS 'Statement trigger of tables whose rows sessions keep: tells all of them that this one has changed (src/base/watch.h).';

CREATE FUNCTION dunning._hash64(value text, seed bigint DEFAULT 0) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_hash64';
COMMENT ON FUNCTION dunning._hash64(text, bigint) IS 'XXH64 of the text''s bytes: stable over versions and machines.';

CREATE FUNCTION dunning._uniform(value text, seed bigint DEFAULT 0) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uniform';
COMMENT ON FUNCTION dunning._uniform(text, bigint) IS 'A number in [0,1) that depends on the text and the seed alone.';

CREATE FUNCTION dunning._slice(debtor_id text) RETURNS smallint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_slice';
COMMENT ON FUNCTION dunning._slice(text) IS 'The debtor''s slice, 0 to 63: what one worker owns and one egress chain covers.';

CREATE FUNCTION dunning._uuid7() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uuid7';
COMMENT ON FUNCTION dunning._uuid7() IS 'A new UUIDv7 (RFC 9562) from the real clock, increasing within a session.';

CREATE FUNCTION dunning._uuid7_floor(at timestamptz) RETURNS uuid
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uuid7_floor';
COMMENT ON FUNCTION dunning._uuid7_floor(timestamptz) IS 'The smallest UUIDv7 of an instant: a partition bound. Infinite instants: 22023.';

CREATE FUNCTION dunning._uuid7_time(id uuid) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_uuid7_time';
COMMENT ON FUNCTION dunning._uuid7_time(uuid) IS 'When a UUIDv7 was made; NULL for other uuids.';

-- Conditions that an administrator writes and a room places into its query.
CREATE FUNCTION dunning._predicate_columns(predicate text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_base_sql_predicate_columns';
COMMENT ON FUNCTION dunning._predicate_columns(text) IS 'The columns that a condition names. 22023 where the text is not one expression.';

CREATE FUNCTION dunning._restrict() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_base_sql_restrict';
COMMENT ON FUNCTION dunning._restrict() IS 'Makes the calling SECURITY DEFINER function a security-restricted operation until it returns.';
