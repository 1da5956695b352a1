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
    PRIMARY KEY (debtor_id, message_id)
) WITH (fillfactor = 70);
CREATE INDEX queue_due ON dunning.queue (due, message_id) WHERE state = 'queued';
COMMENT ON TABLE dunning.queue IS 'Unfinished messages: proposed (await approval), queued, held (with what blocks), sending (intent committed).';

-- The rendered parts, frozen at the first attempt; a repeat sends the same bytes. The one place with the address.
CREATE TABLE dunning.body (
    message_id      uuid NOT NULL,
    debtor_id       text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    address         text NOT NULL,
    subject         text,
    body_text       text,
    body_html       text,
    rendered_at     timestamptz NOT NULL
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
    digest          bytea NOT NULL
) PARTITION BY RANGE (message_id);
COMMENT ON TABLE dunning.egress IS 'What left the database, to which server, which fields, its digest and why: append-only, one hash chain a slice.';

CREATE TABLE dunning.egress_head (
    slice           smallint PRIMARY KEY,
    seq             bigint NOT NULL,
    digest          bytea NOT NULL
);
COMMENT ON TABLE dunning.egress_head IS 'The last link of each chain; a dropped month leaves its last digest as an anchor in egress_anchor.';

CREATE TABLE dunning.egress_anchor (
    slice           smallint NOT NULL,
    seq             bigint NOT NULL,
    digest          bytea NOT NULL,
    dropped_at      timestamptz NOT NULL,
    PRIMARY KEY (slice, seq)
);
COMMENT ON TABLE dunning.egress_anchor IS 'Where a chain goes on after a month was dropped.';

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

-- Idempotency, event and step keys: who inserts first has it.
CREATE TABLE dunning.once (
    debtor_id       text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('idempotency', 'event', 'step')),
    key             text COLLATE "C" NOT NULL,
    message_id      uuid,
    at              timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, kind, key)
);
COMMENT ON TABLE dunning.once IS 'Keys that may be used once a debtor: idempotency keys of send(), event keys, strategy steps.';

-- Partitions are made at run time and are no members, so that pg_dump keeps them; their parents hold no row.
SELECT pg_catalog.pg_extension_config_dump('dunning.queue', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.egress_head', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.egress_anchor', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.once', '');
