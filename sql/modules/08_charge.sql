-- charge: fees and late interest. They are ours until billing books them; the ledger is never written.
--
-- Law stands in rows: reference rates, rules of interest and rules of fees, each with its period, its source and whether somebody
-- verified it. What is not verified ships disabled: then nothing is charged, and the reminder leaves all the same.

CREATE TABLE dunning.reference_rate (
    reference       text COLLATE "C" NOT NULL,  -- DE-base, SE-reference ... : the name that interest rules use
    valid_from      date NOT NULL CHECK (isfinite(valid_from)),
    builtin         boolean NOT NULL DEFAULT false,
    valid_to        date CHECK (isfinite(valid_to) AND valid_to >= valid_from),         -- last day; NULL: until another row is saved
    percent         numeric NOT NULL CHECK (percent > -100 AND percent < 1000),         -- a year, before any margin
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (reference, valid_from, builtin),
    CHECK (verified OR NOT builtin OR NOT enabled),
    -- Equality of the key by its 64-bit hash as a range of one number, which GiST compares without another extension. Two keys of one
    -- hash would refuse a row that is right; they cannot let through one that is wrong.
    CONSTRAINT reference_rate_overlap EXCLUDE USING gist (
        numrange(hashtextextended(builtin::text || '/' || reference, 0)::numeric, hashtextextended(builtin::text || '/' || reference, 0)::numeric, '[]') WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&) WHERE (enabled)
);
COMMENT ON TABLE dunning.reference_rate IS 'Reference rates in percent a year, by period. Periods of one rate cannot overlap; a user''s row goes before the built-in one on each of its days.';

CREATE TABLE dunning.interest_rule (
    country         text COLLATE "C" NOT NULL,  -- ISO 3166; EU: countries of the euro that have no rows of their own
    debtor_kind     text COLLATE "C" NOT NULL CHECK (debtor_kind IN ('person', 'company')),
    valid_from      date NOT NULL CHECK (isfinite(valid_from)),         -- first due date that the rule is for
    builtin         boolean NOT NULL DEFAULT false,
    valid_to        date CHECK (isfinite(valid_to) AND valid_to >= valid_from),
    reference       text COLLATE "C" NOT NULL,
    margin          numeric NOT NULL CHECK (margin > -100 AND margin < 1000),           -- points on top of the reference
    round_reference numeric CHECK (round_reference > 0 AND round_reference < 100),      -- reference rounded up to the next multiple
    round_total     numeric CHECK (round_total > 0 AND round_total < 100),              -- reference and margin together rounded up
    fixing          text NOT NULL DEFAULT 'change' CHECK (fixing IN ('change', 'half_year', 'half_year_before')),
                                                -- the rate of the day; of 1 January and 1 July; of 31 December and 30 June
    day_count       text NOT NULL DEFAULT 'act/365' CHECK (day_count IN ('act/365', 'act/360', '30/360', 'act/act')),
    compounding     text NOT NULL DEFAULT 'none' CHECK (compounding IN ('none', 'yearly')),
    grace_days      int CHECK (grace_days BETWEEN 0 AND 3650),          -- days after the due date before the first that bears interest; NULL: a notice is needed
    grace_term      text,                       -- the grace runs only where the creditor agreed this term (save_charging)
    by_notice       boolean NOT NULL DEFAULT false,     -- a reminder begins default the day after it
    clearing        text[] NOT NULL DEFAULT '{principal,interest,costs}',       -- what a payment clears first
    frozen_by       text[] NOT NULL DEFAULT '{moratorium,breathing_space,insolvency}',  -- holds during which no interest accrues
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (country, debtor_kind, valid_from, builtin),
    CHECK (verified OR NOT builtin OR NOT enabled),
    CONSTRAINT interest_rule_overlap EXCLUDE USING gist (
        numrange(hashtextextended(builtin::text || '/' || country || '/' || debtor_kind, 0)::numeric,
                 hashtextextended(builtin::text || '/' || country || '/' || debtor_kind, 0)::numeric, '[]') WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&) WHERE (enabled)
);
COMMENT ON TABLE dunning.interest_rule IS 'How late interest is counted, by country and kind of debtor: reference, margin, rounding, fixing, day count, compounding, beginning, order of clearing.';

CREATE TABLE dunning.charge_rule (
    country         text COLLATE "C" NOT NULL,
    debtor_kind     text COLLATE "C" NOT NULL CHECK (debtor_kind IN ('person', 'company')),
    level           text COLLATE "C" NOT NULL CHECK (level ~ '^[a-z][a-z0-9-]{0,40}$' AND level <> 'interest'),
    valid_from      date NOT NULL CHECK (isfinite(valid_from)),
    builtin         boolean NOT NULL DEFAULT false,
    valid_to        date CHECK (isfinite(valid_to) AND valid_to >= valid_from),
    kind            text NOT NULL DEFAULT 'fee' CHECK (kind IN ('fee', 'cost', 'compensation')),
    position        int NOT NULL DEFAULT 1,     -- which of several lawful ones comes first
    family          text NOT NULL,              -- counts and gaps are told over the charges of a family
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount          numeric CHECK (amount > 0 AND amount < 1e12),
    tiers           jsonb,                      -- [{"upto": 2500, "percent": 15}, ...] share by share, or [{"below": 1000, "amount": 40}, ...]
    minimum         numeric CHECK (minimum > 0 AND minimum < 1e12),
    maximum         numeric CHECK (maximum > 0 AND maximum < 1e12),
    after_due_days  int NOT NULL DEFAULT 1 CHECK (after_due_days BETWEEN 1 AND 3650),   -- earliest day, counted from the due date
    max_count       int CHECK (max_count BETWEEN 1 AND 100),            -- of the family, an invoice
    min_gap_days    int CHECK (min_gap_days BETWEEN 0 AND 3650),        -- from the charge of the family before it
    gap_scope       text NOT NULL DEFAULT 'invoice' CHECK (gap_scope IN ('invoice', 'debtor')),
    notice          text,                       -- what must have been sent before: a level of notices
    notice_days     int CHECK (notice_days BETWEEN 0 AND 365),          -- full days that it leaves
    notice_post     boolean NOT NULL DEFAULT false,     -- counted from receipt: two post days after sending (no Sunday, Monday or holiday)
    notice_amount   boolean NOT NULL DEFAULT false,     -- it must have named the exact cost
    term            text,                       -- charged only where the creditor agreed this term (save_charging)
    with_reminder   boolean NOT NULL DEFAULT true,      -- belongs to a written reminder that names it, never posted by itself
    after_broken_plan boolean NOT NULL DEFAULT true,    -- may it follow a broken instalment agreement
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (country, debtor_kind, level, valid_from, builtin),
    CHECK ((amount IS NULL) <> (tiers IS NULL)),
    CHECK ((notice IS NULL) = (notice_days IS NULL)),
    CHECK (verified OR NOT builtin OR NOT enabled),
    CONSTRAINT charge_rule_overlap EXCLUDE USING gist (
        numrange(hashtextextended(builtin::text || '/' || country || '/' || debtor_kind || '/' || level, 0)::numeric,
                 hashtextextended(builtin::text || '/' || country || '/' || debtor_kind || '/' || level, 0)::numeric, '[]') WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&) WHERE (enabled)
);
COMMENT ON TABLE dunning.charge_rule IS 'Which fee may be charged once a level, how much, and what must have happened before: by country, kind of debtor and period.';

-- Off until a creditor switches it on.
CREATE TABLE dunning.charging (
    creditor        text COLLATE "C" PRIMARY KEY,
    fees            boolean NOT NULL DEFAULT false,
    interest        boolean NOT NULL DEFAULT false,
    terms           text[] NOT NULL DEFAULT '{}',       -- what its contracts say: reminder_fee, default_notice ...
    saved_by        text NOT NULL,
    saved_at        timestamptz NOT NULL
);
COMMENT ON TABLE dunning.charging IS 'Creditors that charge fees or interest, and the terms that their contracts contain. Without a row nothing is charged.';

-- Notices that left elsewhere, or on paper. Those of our own messages are found in what was sent.
CREATE TABLE dunning.charge_notice (
    debtor_id       text COLLATE "C" NOT NULL,
    invoice_id      text COLLATE "C" NOT NULL,
    level           text COLLATE "C" NOT NULL,
    sent_on         date NOT NULL CHECK (isfinite(sent_on)),
    creditor        text COLLATE "C" NOT NULL,
    amount          numeric CHECK (amount > 0 AND amount < 1e12),       -- the cost that it named
    recorded_by     text NOT NULL,
    recorded_at     timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, invoice_id, level, sent_on)
);
COMMENT ON TABLE dunning.charge_notice IS 'Notices that the law asks for before a cost, with the cost that they named.';

CREATE TABLE dunning.charge (
    debtor_id       text COLLATE "C" NOT NULL,
    charge_id       uuid NOT NULL DEFAULT dunning._uuid7(),
    creditor        text COLLATE "C" NOT NULL,  -- the guard fills in what a writer leaves out
    invoice_id      text COLLATE "C" NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('fee', 'cost', 'compensation', 'interest')),
    level           text COLLATE "C" NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount          numeric NOT NULL CHECK (amount > -1e15 AND amount < 1e15 AND (amount > 0 OR kind = 'interest' AND amount < 0)),
    charged_on      date NOT NULL CHECK (isfinite(charged_on)),
    from_on         date,                       -- interest: the days from here ...
    until_on        date,                       -- ... until the day before this one
    message_id      uuid,                       -- the reminder that named it
    rule            text NOT NULL,              -- the row that allows it, in words
    basis           jsonb NOT NULL,             -- that row and the facts, as they were
    seal            bytea NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    waived_at       timestamptz,
    waived_by       text,
    waive_reason    text,
    booked_at       timestamptz,                -- billing has it in its ledger from here on
    booked_by       text,
    booked_as       text,                       -- as this invoice
    PRIMARY KEY (debtor_id, charge_id),
    CHECK ((kind = 'interest') = (level = 'interest') AND (kind = 'interest') = (from_on IS NOT NULL) AND (from_on IS NULL) = (until_on IS NULL)),
    CHECK (until_on > from_on AND until_on <= charged_on + 1),
    CHECK ((waived_at IS NULL) = (waived_by IS NULL) AND (waived_at IS NULL) = (waive_reason IS NULL)),
    CHECK ((booked_at IS NULL) = (booked_by IS NULL) AND (booked_at IS NULL) = (booked_as IS NULL)),
    CHECK (waived_at IS NULL OR booked_at IS NULL)
);
-- One fee a level, for good: a waived one is not charged again. Interest goes on where it ended, so two writers of one span meet here.
CREATE UNIQUE INDEX charge_once ON dunning.charge (debtor_id, invoice_id, level) WHERE kind <> 'interest';
CREATE UNIQUE INDEX charge_span ON dunning.charge (debtor_id, invoice_id, from_on) WHERE kind = 'interest';
CREATE INDEX charge_id ON dunning.charge (charge_id);
COMMENT ON TABLE dunning.charge IS 'Fees and posted interest. A row that no rule allows is refused whoever writes it; what stands is never changed but for waiving and booking.';

CREATE TABLE dunning.charge_change (
    change_id       uuid PRIMARY KEY,
    what            text NOT NULL,              -- reference_rate, interest_rule, charge_rule, charging
    name            text NOT NULL,
    before          jsonb,                      -- NULL: there was none
    changed_by      text NOT NULL,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE dunning.charge_change IS 'What rates, rules and switches were before each change.';

SELECT pg_catalog.pg_extension_config_dump('dunning.reference_rate', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.interest_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.charge_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.charging', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.charge_notice', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.charge', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.charge_change', '');

GRANT SELECT ON dunning.reference_rate, dunning.interest_rule, dunning.charge_rule, dunning.charging, dunning.charge_notice, dunning.charge, dunning.charge_change
    TO dunning_viewer;
