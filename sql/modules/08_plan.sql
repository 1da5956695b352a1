-- plan: strategies and steps, and from them the next contact of each debtor.

-- One planned contact, as plan() and send() return it.
CREATE TYPE dunning.planned AS (
    run_id          uuid,
    message_id      uuid,
    debtor_id       text,
    creditor        text,
    strategy        text,
    step            text,
    template        text,
    channel         text,
    server          text,
    contact_at      timestamptz,
    local_time      text,
    amounts         jsonb,
    cost            numeric,
    state           text,
    reason          text,
    blocked_by      text[],
    variant         text,
    p               float8,
    expected_value  numeric
);
COMMENT ON TYPE dunning.planned IS 'A planned contact: who, what, over which channel, when (also in local time), amounts a currency, cost, state with reason.';

CREATE TABLE dunning.strategy (
    strategy        text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    description     text NOT NULL,
    minimum         jsonb NOT NULL DEFAULT '{}',        -- currency -> smallest overdue sum worth a contact; '*' for the others
    grace_days      int NOT NULL DEFAULT 0,
    horizon         interval NOT NULL DEFAULT '7 days', -- how far ahead the best time is looked for
    enabled         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (strategy, builtin)
);
COMMENT ON TABLE dunning.strategy IS 'Strategies. A user''s row of the same name replaces the built-in one.';

CREATE TABLE dunning.step (
    strategy        text COLLATE "C" NOT NULL,
    step            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    position        int NOT NULL,
    anchor          text NOT NULL CHECK (anchor IN ('due_date', 'last_contact')),
    offset_days     int NOT NULL,                       -- signed: -3 is three days BEFORE the anchor, 7 is seven days AFTER
    template        text NOT NULL,
    channels        text[] NOT NULL,                    -- in order of preference
    condition       text,                               -- SQL predicate over the debtor's features and scores, NULL: always
    framing         text NOT NULL DEFAULT 'neutral',
    paid_channels   boolean NOT NULL DEFAULT true,      -- false: only channels that cost nothing
    enabled         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (strategy, step, builtin)
);
COMMENT ON TABLE dunning.step IS 'The ordered steps of a strategy; offset_days is signed, negative before the anchor.';

CREATE TABLE dunning.plan_run (
    run_id          uuid PRIMARY KEY,
    strategy        text,
    as_of           timestamptz NOT NULL,
    approve         boolean NOT NULL,
    planned         int NOT NULL DEFAULT 0,
    held            int NOT NULL DEFAULT 0,
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    approved_at     timestamptz,
    approved_by     text,
    rejected_at     timestamptz,
    planned_by      text NOT NULL
);
COMMENT ON TABLE dunning.plan_run IS 'One row a planning run: when, for which clock, how many, who approved.';

CREATE TABLE dunning.channel_cost (
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',
    channel         text COLLATE "C" NOT NULL,
    valid_from      date NOT NULL,
    cost            numeric NOT NULL CHECK (cost >= 0),
    currency        text NOT NULL,
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL,
    PRIMARY KEY (creditor, channel, valid_from)
);
COMMENT ON TABLE dunning.channel_cost IS 'What a contact costs, from when; over the first values of dunning.channel.';

SELECT pg_catalog.pg_extension_config_dump('dunning.strategy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.step', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.plan_run', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.channel_cost', '');
