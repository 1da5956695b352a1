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
    expected_value  numeric,
    fee             jsonb,
    offer           jsonb
);
COMMENT ON TYPE dunning.planned IS 'A planned contact: who, what, over which channel, when (also in local time), amounts a currency, cost, state with reason, the fee that it names (charged with it, announced or warned of) and the terms that it offers.';

CREATE TABLE dunning.strategy (
    strategy        text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    description     text NOT NULL,
    minimum         jsonb NOT NULL DEFAULT '{}',        -- currency -> smallest overdue sum worth a contact; '*' for the others
    grace_days      int NOT NULL DEFAULT 0,
    horizon         interval NOT NULL DEFAULT '7 days', -- how far ahead the best time is looked for
    min_gap_days    int NOT NULL DEFAULT 5 CHECK (min_gap_days >= 0),   -- between two contacts of a debtor
    self_cure       float8 NOT NULL DEFAULT 0.5,        -- from this probability on a debtor counts as a likely self-curer
    margin          numeric NOT NULL DEFAULT 0.05,      -- what a unit of money collected is worth to the creditor
    enabled         boolean NOT NULL DEFAULT true,
    -- a rest of a part-paid invoice that counts as paid: currency -> amount, '*' for the others
    tolerance       jsonb NOT NULL DEFAULT '{}',
    -- at most so many contacts by this strategy within so many days, whatever the steps say; NULL: the gate's caps alone
    max_contacts    int CHECK (max_contacts > 0),
    max_days        int CHECK (max_days > 0),
    -- after so many contacts without a payment or a reaction: stop, or do the named step and then stop; NULL: never
    stop_after      int CHECK (stop_after > 0),
    stop_step       text COLLATE "C",
    -- of several steps that were missed: the furthest (what the age deserves), or the next one in order
    catch_up        text NOT NULL DEFAULT 'furthest' CHECK (catch_up IN ('furthest', 'next')),
    -- of the channels of a step: the first in order that is worth it, or the one worth most
    choose          text NOT NULL DEFAULT 'order' CHECK (choose IN ('order', 'value')),
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (strategy, builtin),
    CHECK ((max_contacts IS NULL) = (max_days IS NULL)),
    CHECK (stop_step IS NULL OR stop_after IS NOT NULL)
);
COMMENT ON TABLE dunning.strategy IS 'Strategies. A user''s row of the same name replaces the built-in one.';

CREATE TABLE dunning.step (
    strategy        text COLLATE "C" NOT NULL,
    step            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    position        int NOT NULL,
    anchor          text NOT NULL CHECK (anchor IN ('due_date', 'last_contact', 'broken_promise', 'next_fee', 'hearing', 'payday') OR anchor ~ '^event:[a-z][a-z0-9_]*$'),
    offset_days     int NOT NULL,                       -- signed: -3 is three days BEFORE the anchor, 7 is seven days AFTER
    template        text NOT NULL,
    channels        text[] NOT NULL,                    -- in order of preference
    condition       text,                               -- SQL predicate over the debtor's features and scores, NULL: always
    framing         text NOT NULL DEFAULT 'neutral',
    paid_channels   boolean NOT NULL DEFAULT true,      -- false: only channels that cost nothing
    self_cure_days  int NOT NULL DEFAULT 0,             -- until this many days after the anchor a likely self-curer gets free channels only
    after_contact   boolean NOT NULL DEFAULT false,     -- only where the debtor was contacted since the anchor: nobody's first word is a final notice
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    level           text COLLATE "C",                   -- what fees and figures of social proof are counted by; NULL: the step's name
    until_days      int,                                -- the last day from the anchor on which the step may be taken; NULL: see docs/architecture.md
    minimum         jsonb,                              -- currency -> smallest sum worth this step; NULL: the strategy's
    cooldown_days   int CHECK (cooldown_days >= 0),     -- since the last contact; NULL: the strategy's min_gap_days
    repeat_days     int CHECK (repeat_days > 0),        -- again so many days after it was taken, for as long as it is the furthest; NULL: once
    repeat_max      int CHECK (repeat_max > 1),         -- at most so often in all; NULL with repeat_days: until paid
    self_cure_wait  int NOT NULL DEFAULT 0,             -- until this many days after the anchor a likely self-curer is not contacted at all
    tone            text NOT NULL DEFAULT 'neutral' CHECK (tone IN ('soft', 'friendly', 'neutral', 'formal', 'urgent')),
    offer           text CHECK (offer IN ('instalments', 'settlement', 'pay_later', 'promise')),    -- made with the contact where there is none; NULL: none
    companion_channel   text,                           -- a second message of the same touch over this channel: counts once
    companion_template  text,
    print           jsonb NOT NULL DEFAULT '{}',        -- fields of a letter's print manifest: envelope, note, window ...
    must            boolean NOT NULL DEFAULT false,     -- goes out whatever it is worth: what the law asks for before the next step
    PRIMARY KEY (strategy, step, builtin),
    CHECK (repeat_max IS NULL OR repeat_days IS NOT NULL),
    CHECK ((companion_channel IS NULL) = (companion_template IS NULL))
);
COMMENT ON TABLE dunning.step IS 'The ordered steps of a strategy; offset_days is signed, negative before the anchor.';

-- Which strategy a debtor follows: the first rule, by position, whose every named condition holds.
CREATE TABLE dunning.strategy_rule (
    rule            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    position        int NOT NULL,                       -- smaller goes first
    creditor        text COLLATE "C",                   -- NULL: any
    segment         text COLLATE "C",
    diagnosis       text COLLATE "C",
    debtor_kind     text COLLATE "C" CHECK (debtor_kind IN ('person', 'company')),
    strategy        text COLLATE "C" NOT NULL,
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (rule, builtin)
);
COMMENT ON TABLE dunning.strategy_rule IS 'Which debtors follow which strategy, by creditor, segment, diagnosis and kind of debtor; the smallest position that fits.';

-- A person's word on one debtor goes before every rule.
CREATE TABLE dunning.debtor_strategy (
    debtor_id       text COLLATE "C" PRIMARY KEY,
    creditor        text COLLATE "C" NOT NULL,
    strategy        text COLLATE "C" NOT NULL,
    note            text,
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL
);
COMMENT ON TABLE dunning.debtor_strategy IS 'Debtors whose strategy was set by hand.';

-- What may be spent on contacts in a day; a creditor and a campaign (a strategy), '*' for all together.
CREATE TABLE dunning.budget (
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',
    campaign        text COLLATE "C" NOT NULL DEFAULT '*',
    currency        text NOT NULL,
    per_day         numeric NOT NULL CHECK (per_day >= 0),
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL,
    PRIMARY KEY (creditor, campaign, currency)
);
COMMENT ON TABLE dunning.budget IS 'What contacts may cost in a day, by creditor and campaign (strategy); * stands for all together. Each row that fits must have something left, when a contact is planned, and as one leaves that no run planned.';

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
    country         text COLLATE "C" NOT NULL DEFAULT '*',
    PRIMARY KEY (creditor, country, channel, currency, valid_from)
);
COMMENT ON TABLE dunning.channel_cost IS 'What a contact costs, from when, in one currency or several; over the first values of dunning.channel.';

-- What a row was before it was changed, by whom and when.
CREATE TABLE dunning.plan_change (
    change_id       uuid PRIMARY KEY,
    what            text NOT NULL,              -- strategy, step, cost
    name            text NOT NULL,
    before          jsonb,                      -- NULL: there was none
    changed_by      text NOT NULL,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE dunning.plan_change IS 'What strategies, steps and costs were before each change.';

INSERT INTO dunning.strategy (strategy, builtin, description, minimum)
VALUES ('standard', true, 'A pre-due reminder for habitual late payers, two reminders, a final notice, a call, ten days from one to the next; nothing for likely self-curers in the first ten days', '{"*": 5}');

INSERT INTO dunning.step (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, self_cure_wait, after_contact, cooldown_days) VALUES
    ('standard', 'pre-due',      true, 1, 'due_date', -3, 'pre-due',      '{email,sms}',        'p_late >= 0.5 AND p_self_cure < 0.5', 0, false, NULL),
    ('standard', 'reminder-1',   true, 2, 'due_date',  5, 'reminder-1',   '{email,sms}',        NULL, 10, false, NULL),
    ('standard', 'reminder-2',   true, 3, 'due_date', 15, 'reminder-2',   '{sms,email,letter}', NULL, 0, false, 10),
    ('standard', 'final-notice', true, 4, 'due_date', 30, 'final-notice', '{letter,email,sms}', NULL, 0, true, 10),
    ('standard', 'call',         true, 5, 'due_date', 40, 'final-notice', '{call}',             NULL, 0, true, 10);

SELECT pg_catalog.pg_extension_config_dump('dunning.plan_change', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.strategy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.step', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.plan_run', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.channel_cost', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.strategy_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.debtor_strategy', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.budget', '');

-- Planning works in temporary tables, as dunning_owner; a careful DBA takes TEMPORARY from PUBLIC.
DO $do$ BEGIN
    EXECUTE pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO dunning_owner', pg_catalog.current_database());
END $do$;

GRANT SELECT ON dunning.strategy, dunning.step, dunning.strategy_rule, dunning.budget, dunning.plan_run, dunning.channel_cost TO dunning_viewer;

-- The rows that hold: a user's row of the same name replaces the built-in one.
CREATE FUNCTION dunning._strategies() RETURNS SETOF dunning.strategy
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT DISTINCT ON (s.strategy) s.* FROM dunning.strategy s ORDER BY s.strategy, s.builtin;
END
$fn$;
COMMENT ON FUNCTION dunning._strategies() IS 'The strategies in force, one row each.';

CREATE FUNCTION dunning._steps(strategy text DEFAULT NULL) RETURNS SETOF dunning.step
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT x.* FROM (
            SELECT DISTINCT ON (s.strategy, s.step) s.* FROM dunning.step s
            WHERE _steps.strategy IS NULL OR s.strategy = _steps.strategy ORDER BY s.strategy, s.step, s.builtin) x
        WHERE x.enabled ORDER BY x.strategy, x.position, x.step;
END
$fn$;
COMMENT ON FUNCTION dunning._steps(text) IS 'The enabled steps of a strategy (NULL: of all), in order.';

CREATE FUNCTION dunning._check_strategy(strategy text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._strategies() s WHERE s.strategy = _check_strategy.strategy AND s.enabled) THEN
        RAISE EXCEPTION 'strategy "%" does not exist', _check_strategy.strategy
            USING ERRCODE = '22023',
                  DETAIL = 'Known strategies: ' || (SELECT pg_catalog.string_agg(s.strategy, ', ' ORDER BY s.strategy) FROM dunning._strategies() s WHERE s.enabled) || '.',
                  HINT = pg_catalog.format('SELECT dunning.save_strategy(%L, ''what it is for'');', _check_strategy.strategy);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_strategy(text) IS 'Nothing, or 22023 naming the known strategies.';

CREATE FUNCTION dunning._check_channel(channel text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = _check_channel.channel) THEN
        RAISE EXCEPTION 'channel "%" does not exist', _check_channel.channel
            USING ERRCODE = '22023',
                  DETAIL = 'Known channels: ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT c.channel, ', ') FROM dunning.channel c), 'none') || '.',
                  HINT = 'SELECT channel, address_field, rings FROM dunning.channel;';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_channel(text) IS 'Nothing, or 22023 naming the known channels.';

CREATE FUNCTION dunning._check_template_name(template text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.template t WHERE t.template = _check_template_name.template AND t.replaced_at IS NULL AND NOT t.partial) THEN
        RAISE EXCEPTION 'template "%" does not exist', _check_template_name.template
            USING ERRCODE = '22023',
                  DETAIL = 'Known templates: ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT t.template, ', ') FROM dunning.template t WHERE t.replaced_at IS NULL AND NOT t.partial), 'none') || '.',
                  HINT = pg_catalog.format('SELECT * FROM dunning.save_template(%L, ''email'', ''en'', ''subject'', ''text'');', _check_template_name.template);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_template_name(text) IS 'Nothing, or 22023 naming the known templates.';
