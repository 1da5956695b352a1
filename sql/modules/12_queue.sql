-- queue: message, queue, body, egress, outcome, once; every change of state goes through one function.

-- What was planned and why. Never updated: later data cannot change the answer.
CREATE TABLE dunning.message (
    message_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    run_id          uuid,
    strategy        text,
    step            text,
    template        text NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    language        text NOT NULL,
    server          text,
    contact_at      timestamptz NOT NULL,
    not_after       timestamptz,                -- a message not sent by then is dead with reason 'expired'
    local_time      text NOT NULL,              -- contact_at in the debtor's zone, with the zone's name
    amounts         jsonb NOT NULL,             -- currency -> sum asked for
    cost            numeric NOT NULL,
    cost_currency   text NOT NULL,
    variant         text,
    p               float8,
    expected_value  numeric,
    propensity      float8,
    explored        boolean NOT NULL DEFAULT false,
    ledger_mark     text,                       -- dunning._ledger_mark at planning; NULL: a message about no balance
    context         jsonb NOT NULL,             -- what the template may say; the address is not in it
    decision        jsonb NOT NULL,             -- inputs, candidates with value, blockers, versions, arm, propensities
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.message IS 'One row a planned contact, with the decision as frozen when it was made. Partitioned by month of the key.';

-- Small and hot: one row an unfinished message, deleted when it is finished.
CREATE TABLE dunning.queue (
    debtor_id       text COLLATE "C" NOT NULL,
    message_id      uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    slice           smallint NOT NULL,
    state           text NOT NULL CHECK (state IN ('proposed', 'queued', 'held', 'sending')),
    due             timestamptz NOT NULL,       -- next attempt; contact_at at first
    attempts        smallint NOT NULL DEFAULT 0,        -- settled attempts; the next one is attempts + 1
    server          text,
    channel         text COLLATE "C" NOT NULL,
    reason          text,
    blocked_by      text[],
    run_id          uuid,
    priority        smallint CHECK (priority BETWEEN 1 AND 9),  -- NULL: none; a higher one leaves first
    PRIMARY KEY (debtor_id, message_id)
) WITH (fillfactor = 70);
CREATE INDEX queue_due ON dunning.queue (due, message_id, slice) WHERE state = 'queued';
CREATE INDEX queue_urgent ON dunning.queue (priority DESC, due, message_id) WHERE state = 'queued' AND priority IS NOT NULL;
COMMENT ON TABLE dunning.queue IS 'Unfinished messages: proposed (await approval), queued, held (with what blocks). One under way stays queued; message_state calls it sending.';

-- The rendered parts, frozen at the first attempt; a repeat sends the same bytes. The one place with the address.
CREATE TABLE dunning.body (
    message_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    address         text NOT NULL,
    subject         text,
    body_text       text,
    body_html       text,
    rendered_at     timestamptz NOT NULL,
    offer_id        uuid,                               -- the offer of record that the context had; NULL: none
    framing         text,                               -- whose words these are
    framing_reason  text,                               -- why not those of the framing planned: what they claim was not so any more
    fee             jsonb,                              -- the fee that these words name: what is charged with them, and what they are a notice of
    attachments     jsonb,                              -- the documents that went with it: of, document, version, digest, bytes
    total           numeric                             -- what these words ask for in all, in the first currency of the context; NULL: they name no sum
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.body IS 'What was rendered for a message and to which address; written once. forget() blanks it.';

-- The egress ledger and the fence: one row an attempt, committed before the first byte leaves.
CREATE TABLE dunning.egress (
    message_id      uuid NOT NULL,
    attempt         smallint NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    server          text NOT NULL,
    address_digest  bytea NOT NULL,
    fields          text[] NOT NULL,            -- names of the context fields the body used
    body_digest     bytea NOT NULL,             -- sha256 over the parts
    bytes           int NOT NULL,
    reason          text NOT NULL,              -- strategy/step, or who called send()
    test            boolean NOT NULL DEFAULT false,     -- redirected: not a contact
    cost            numeric NOT NULL,
    cost_currency   text NOT NULL,
    at              timestamptz NOT NULL,       -- real clock
    contact_on      timestamptz NOT NULL,       -- the clock of decisions (virtual if one is set): what caps count
    slice           smallint NOT NULL,
    seq             bigint NOT NULL,
    prev            bytea NOT NULL,
    digest          bytea NOT NULL,
    request_digest  bytea                       -- sha256 over the request as it leaves, without credentials; NULL: of a version that kept none
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.egress IS 'What left the database, to which server, which fields, its digest and why: append-only, one hash chain a slice.';

CREATE TABLE dunning.egress_head (
    slice           smallint NOT NULL,
    seq             bigint NOT NULL,
    digest          bytea NOT NULL,
    PRIMARY KEY (slice, seq)                    -- one row a slice; read from its highest number, past no dead ones
);
COMMENT ON TABLE dunning.egress_head IS 'The last link of each chain; a dropped month leaves the ends of its runs in egress_anchor.';

CREATE TABLE dunning.egress_anchor (
    slice           smallint NOT NULL,
    seq             bigint NOT NULL,
    digest          bytea NOT NULL,
    dropped_at      timestamptz NOT NULL,
    from_seq        bigint,                     -- its first link, and what that one followed; NULL: not known (0.1.0)
    prev            bytea,
    PRIMARY KEY (slice, seq)
);
COMMENT ON TABLE dunning.egress_anchor IS
    'What a dropped month leaves of the chains: each run of links, by its first and its last. A message lies in the month of its making and its link where it was sent, so a month''s links are not one run.';

-- What became of a message: append-only. The last row by rank is its state once the queue row is gone.
CREATE TABLE dunning.outcome (
    message_id      uuid NOT NULL,
    outcome_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    attempt         smallint NOT NULL,          -- 0: none was made
    state           text NOT NULL CHECK (state IN ('queued', 'held', 'sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled')),
    reason          text NOT NULL,
    provider_ref    text,                       -- the gateway's own id of the message
    detail          jsonb,                      -- status codes, times; never a body or an address
    at              timestamptz NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.outcome IS 'What the gateway, a person or the gate said of each attempt; append-only.';

-- Idempotency, event and step keys, and late verdicts: who inserts first has it.
CREATE TABLE dunning.once (
    debtor_id       text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('idempotency', 'event', 'step', 'verdict')),
    key             text COLLATE "C" NOT NULL,
    message_id      uuid,
    at              timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, kind, key)
);
COMMENT ON TABLE dunning.once IS 'Keys that may be used once a debtor: idempotency keys of send(), event keys, strategy steps, and attempts whose verdict came after their message was stopped.';

-- Partitions are made at run time and are no members, so that pg_dump keeps them; their parents hold no row.
SELECT pg_catalog.pg_extension_config_dump('dunning.queue', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.egress_head', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.egress_anchor', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.once', '');

CREATE TABLE dunning.server_state (
    server          text COLLATE "C" PRIMARY KEY,
    paused_at       timestamptz NOT NULL,
    paused_by       text NOT NULL
);
COMMENT ON TABLE dunning.server_state IS 'Servers that are paused: nothing is planned on them and nothing leaves through them until resume().';
SELECT pg_catalog.pg_extension_config_dump('dunning.server_state', '');

-- Nothing personal stands in these columns: the state of the queue is for everyone who may look at all.
GRANT SELECT ON dunning.queue, dunning.server_state TO dunning_viewer;
GRANT SELECT (message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server, contact_at, not_after,
              local_time, amounts, cost, cost_currency, variant, p, expected_value, propensity, explored, ledger_mark, created_at, created_by)
    ON dunning.message TO dunning_viewer;
GRANT SELECT (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, at) ON dunning.outcome TO dunning_viewer;

-- The gate's text, which the worker runs itself, counts contacts.
GRANT SELECT ON dunning.queue, dunning.egress TO dunning_worker;

-- Partitions. A month of keys is a partition of message, body, egress and outcome alike, so an attempt lies beside its
-- message. Made detached and then attached: ATTACH does not block writers of the parent, CREATE ... PARTITION OF would.
CREATE FUNCTION dunning._partition_keys() RETURNS TABLE (parent text, primary_key text, indexes text[])
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES ('message', 'debtor_id, message_id', ARRAY['(message_id)']),
           -- By the time of their making: what is written goes to the end of the index, however many debtors there are.
           ('body', 'message_id, debtor_id', '{}'),
           ('egress', 'debtor_id, message_id, attempt', ARRAY['(contact_on)', '(address_digest)']),
           ('outcome', 'message_id, debtor_id, outcome_id', ARRAY['(provider_ref) WHERE provider_ref IS NOT NULL']);
END;
COMMENT ON FUNCTION dunning._partition_keys() IS 'The partitioned tables with the key and the further indexes of each of their partitions.';

-- An update of the extension cannot do this itself: what it grants on a month would be taken for the extension's own and
-- be missing from dumps.
CREATE FUNCTION dunning._equip_partition(parent text, part text, indexes text[]) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    part_oid regclass := pg_catalog.format('dunning.%I', part)::regclass;
    parent_oid regclass := pg_catalog.format('dunning.%I', parent)::regclass;
    index_body text;
    item record;
    made int := 0;
BEGIN
    FOREACH index_body IN ARRAY indexes LOOP
        -- The server prints an index with blanks and parentheses of its own.
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_catalog.pg_index i
            WHERE i.indrelid = part_oid
              AND translate(regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.* USING btree ', ''), '() ', '') = translate(index_body, '() ', ''));
        EXECUTE pg_catalog.format('CREATE INDEX ON dunning.%I %s', part, index_body);
        made := made + 1;
    END LOOP;
    -- The parent's grants, for those who read one month by name.
    FOR item IN
        SELECT a.grantee::regrole::text AS grantee, a.privilege_type, NULL::text AS col
        FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a
        WHERE c.oid = parent_oid AND a.grantee NOT IN (0, c.relowner)
        UNION ALL
        SELECT a.grantee::regrole::text, a.privilege_type, pg_catalog.quote_ident(t.attname)
        FROM pg_catalog.pg_attribute t, LATERAL pg_catalog.aclexplode(t.attacl) a
        WHERE t.attrelid = parent_oid AND a.grantee <> 0
        EXCEPT
        SELECT a.grantee::regrole::text, a.privilege_type, NULL
        FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a WHERE c.oid = part_oid
        EXCEPT
        SELECT a.grantee::regrole::text, a.privilege_type, pg_catalog.quote_ident(t.attname)
        FROM pg_catalog.pg_attribute t, LATERAL pg_catalog.aclexplode(t.attacl) a WHERE t.attrelid = part_oid
        ORDER BY 1, 2, 3
    LOOP
        EXECUTE pg_catalog.format('GRANT %s%s ON dunning.%I TO %s', item.privilege_type, ' (' || item.col || ')', part, item.grantee);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$fn$;
COMMENT ON FUNCTION dunning._equip_partition(text, text, text[]) IS 'How many indexes and grants of its parent a month lacked and got: new ones, or those that a later version brought.';

CREATE FUNCTION dunning._equip_partitions() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT coalesce(sum(dunning._equip_partition(k.parent, c.relname, k.indexes)), 0)
            FROM dunning._partition_keys() k
            JOIN pg_catalog.pg_inherits i ON i.inhparent = pg_catalog.format('dunning.%I', k.parent)::regclass
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid);
END
$fn$;
COMMENT ON FUNCTION dunning._equip_partitions() IS 'How many indexes and grants the months of messages lacked and got; maintain() calls it, so that an update reaches them.';

CREATE FUNCTION dunning._make_partition(parent text, month timestamp, primary_key text, indexes text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    part text := pg_catalog.format('%s_y%sm%s', parent, pg_catalog.to_char(month, 'YYYY'), pg_catalog.to_char(month, 'MM'));
BEGIN
    EXECUTE pg_catalog.format('CREATE TABLE dunning.%I (LIKE dunning.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (%s))', part, parent, primary_key);
    PERFORM dunning._equip_partition(parent, part, indexes);
    EXECUTE pg_catalog.format('ALTER TABLE dunning.%I ATTACH PARTITION dunning.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
        dunning._uuid7_floor(month AT TIME ZONE 'UTC'), dunning._uuid7_floor((month + interval '1 month') AT TIME ZONE 'UTC'));
    EXECUTE pg_catalog.format('COMMENT ON TABLE dunning.%I IS %L', part, 'Rows of dunning.' || parent || ' of ' || pg_catalog.to_char(month, 'YYYY-MM') || ' (UTC).');
END
$fn$;
COMMENT ON FUNCTION dunning._make_partition(text, timestamp, text, text[]) IS 'Makes one month of one partitioned table: key, indexes, grants of the parent, attached.';

CREATE FUNCTION dunning._ensure_partitions(at timestamptz DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    wanted record;
    this_month timestamp := pg_catalog.date_trunc('month', coalesce(at, pg_catalog.clock_timestamp()) AT TIME ZONE 'UTC');
    made int := 0;
    locked boolean := false;
BEGIN
    FOR wanted IN
        SELECT k.parent, k.primary_key, k.indexes, this_month + n * interval '1 month' AS month
        FROM pg_catalog.generate_series(0, 1) n, dunning._partition_keys() k
    LOOP
        CONTINUE WHEN pg_catalog.to_regclass(pg_catalog.format('dunning.%I', wanted.parent || pg_catalog.to_char(wanted.month, '"_y"YYYY"m"MM'))) IS NOT NULL;
        IF NOT locked THEN
            -- One maker at a time; whoever waited finds them made.
            PERFORM pg_catalog.pg_advisory_xact_lock(1685416558, 'dunning.message'::regclass::oid::int);
            locked := true;
            CONTINUE WHEN pg_catalog.to_regclass(pg_catalog.format('dunning.%I', wanted.parent || pg_catalog.to_char(wanted.month, '"_y"YYYY"m"MM'))) IS NOT NULL;
        END IF;
        PERFORM dunning._make_partition(wanted.parent, wanted.month, wanted.primary_key, wanted.indexes);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$fn$;
COMMENT ON FUNCTION dunning._ensure_partitions(timestamptz) IS 'How many month partitions of message, body, egress and outcome it had to make, for the month of an instant (NULL: now) and the next.';
GRANT EXECUTE ON FUNCTION dunning._ensure_partitions(timestamptz) TO dunning_admin, dunning_worker;

CREATE FUNCTION dunning._wake() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_queue_sql_wake';
COMMENT ON FUNCTION dunning._wake() IS 'Sets the worker''s latch when this transaction commits; nothing where no worker runs.';

-- The same by statements, for tables with triggers or row security: rows that are appended as COPY does would pass them by.
CREATE FUNCTION dunning._enqueue_in_sql(source text, argument jsonb) RETURNS TABLE (debtor_id text, message_id uuid)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    -- The planner takes the join below for millions of rows: it would compile it, and sort all that is said to whom.
    SET jit = off SET enable_mergejoin = off
AS $fn$
#variable_conflict error
BEGIN
    -- A join with what was claimed, not IN (SELECT ...): beyond work_mem that would be looked through row by row.
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH src AS MATERIALIZED (%s),
        claimed AS (
            INSERT INTO dunning.once (debtor_id, kind, key, message_id, at)
            SELECT s.debtor_id, s.once_kind, s.once_key, s.message_id, dunning._now() FROM src s WHERE s.once_key IS NOT NULL
            ON CONFLICT DO NOTHING
            RETURNING message_id),
        kept AS (
            INSERT INTO dunning.message (message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server,
                contact_at, not_after, local_time, amounts, cost, cost_currency, variant, p, expected_value, propensity, explored,
                ledger_mark, context, decision, created_at, created_by)
            SELECT s.message_id, s.debtor_id, s.creditor, s.run_id, s.strategy, s.step, s.template, s.channel, s.language, s.server,
                s.contact_at, s.not_after, s.local_time, s.amounts, s.cost, s.cost_currency, s.variant, s.p, s.expected_value, s.propensity, s.explored,
                s.ledger_mark, s.context, s.decision, dunning._now(), session_user
            FROM src s LEFT JOIN claimed c ON c.message_id = s.message_id WHERE s.once_key IS NULL OR c.message_id IS NOT NULL
            RETURNING message_id),
        queued AS (
            INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, reason, blocked_by, run_id)
            SELECT s.debtor_id, s.message_id, s.creditor, dunning._slice(s.debtor_id), s.state, s.contact_at, s.server, s.channel, s.reason, s.blocked_by, s.run_id
            FROM src s LEFT JOIN claimed c ON c.message_id = s.message_id WHERE s.once_key IS NULL OR c.message_id IS NOT NULL
            RETURNING debtor_id, message_id)
        SELECT q.debtor_id::text, q.message_id FROM queued q$q$, source) USING argument;
END
$fn$;
COMMENT ON FUNCTION dunning._enqueue_in_sql(text, jsonb) IS 'What _enqueue() does, by one statement whose INSERTs run triggers.';

CREATE FUNCTION dunning._enqueue(source text, argument jsonb DEFAULT NULL) RETURNS TABLE (debtor_id text, message_id uuid)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'dun_queue_sql_enqueue';
COMMENT ON FUNCTION dunning._enqueue(text, jsonb) IS
    'The keys of the messages that a query put into message and queue: every row whose once key was free. argument is the query''s $1, and its plan is kept then. docs/architecture.md lists the columns it must give.';
