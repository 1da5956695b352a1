-- event: what came back, and what it does.

CREATE TABLE dunning.event (
    debtor_id       text COLLATE "C" NOT NULL,
    event_id        uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    at              timestamptz NOT NULL,
    message_id      uuid,
    detail          jsonb NOT NULL DEFAULT '{}',
    recorded_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    PRIMARY KEY (debtor_id, event_id)
);
COMMENT ON TABLE dunning.event IS 'Receipts, replies, clicks, bounces, opt-outs, calls, promises, disputes: append-only, in any order.';

-- A task for a person: a call or visit that a strategy asks for, or something that came in.
CREATE TABLE dunning.task (
    debtor_id       text COLLATE "C" NOT NULL,
    task_id         uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text NOT NULL,              -- call, visit, reply, called_in, dispute, promise, plan_request, unknown_outcome ...
    message_id      uuid,
    subject         text NOT NULL,
    script          text,                       -- what to say, as rendered
    due_at          timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    claimed_by      text,
    claimed_at      timestamptz,
    completed_at    timestamptz,
    outcome         text,
    note            text,
    PRIMARY KEY (debtor_id, task_id)
);
COMMENT ON TABLE dunning.task IS 'The worklist: calls, visits and things that wait for a person.';

CREATE TABLE dunning.promise (
    debtor_id       text COLLATE "C" NOT NULL,
    promise_id      uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    due_on          date NOT NULL,
    part            int NOT NULL DEFAULT 1,     -- of an instalment plan
    parts           int NOT NULL DEFAULT 1,
    paid_before     numeric NOT NULL,           -- sum of the debtor's payments in this currency when promised
    promised_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    cancelled_at    timestamptz,
    PRIMARY KEY (debtor_id, promise_id)
);
COMMENT ON TABLE dunning.promise IS 'Promises to pay and instalments; kept or broken is derived from the ledger.';

SELECT pg_catalog.pg_extension_config_dump('dunning.event', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.task', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.promise', '');
