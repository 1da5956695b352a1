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
    min_gap_days    int NOT NULL DEFAULT 5 CHECK (min_gap_days >= 0),   -- between two contacts of a debtor
    self_cure       float8 NOT NULL DEFAULT 0.6,        -- from this probability on a debtor counts as a likely self-curer
    margin          numeric NOT NULL DEFAULT 0.05,      -- what a unit of money collected is worth to the creditor
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
    self_cure_days  int NOT NULL DEFAULT 0,             -- until this many days after the anchor a likely self-curer gets free channels only
    after_contact   boolean NOT NULL DEFAULT false,     -- only where the debtor was contacted since the anchor: nobody's first word is a final notice
    enabled         boolean NOT NULL DEFAULT true,
    saved_by        text,
    saved_at        timestamptz,
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
    PRIMARY KEY (creditor, channel, currency, valid_from)
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
VALUES ('standard', true, 'A pre-due reminder for habitual late payers, two reminders, a final notice, a call; nothing that costs money for likely self-curers in the first ten days', '{"*": 5}');

INSERT INTO dunning.step (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, self_cure_days, after_contact) VALUES
    ('standard', 'pre-due',      true, 1, 'due_date', -3, 'pre-due',      '{email,sms}',        'p_late >= 0.5 OR segment = ''habitual_late''', 0, false),
    ('standard', 'reminder-1',   true, 2, 'due_date',  5, 'reminder-1',   '{email,sms}',        NULL, 10, false),
    ('standard', 'reminder-2',   true, 3, 'due_date', 15, 'reminder-2',   '{sms,email,letter}', NULL, 0, false),
    ('standard', 'final-notice', true, 4, 'due_date', 30, 'final-notice', '{letter,email,sms}', NULL, 0, true),
    ('standard', 'call',         true, 5, 'due_date', 40, 'final-notice', '{call}',             NULL, 0, true);

SELECT pg_catalog.pg_extension_config_dump('dunning.plan_change', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.strategy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.step', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.plan_run', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.channel_cost', '');

-- Planning works in temporary tables, as dunning_owner; a careful DBA takes TEMPORARY from PUBLIC.
DO $do$ BEGIN
    EXECUTE pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO dunning_owner', pg_catalog.current_database());
END $do$;

GRANT SELECT ON dunning.strategy, dunning.step, dunning.plan_run, dunning.channel_cost TO dunning_viewer;

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
                  HINT = 'A channel is a row of dunning.channel.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_channel(text) IS 'Nothing, or 22023 naming the known channels.';

CREATE FUNCTION dunning._check_template_name(template text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.template t WHERE t.template = _check_template_name.template AND t.replaced_at IS NULL) THEN
        RAISE EXCEPTION 'template "%" does not exist', _check_template_name.template
            USING ERRCODE = '22023',
                  DETAIL = 'Known templates: ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT t.template, ', ') FROM dunning.template t WHERE t.replaced_at IS NULL), 'none') || '.',
                  HINT = pg_catalog.format('SELECT * FROM dunning.save_template(%L, ''email'', ''en'', ''subject'', ''text'');', _check_template_name.template);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_template_name(text) IS 'Nothing, or 22023 naming the known templates.';
