-- plan: changing strategies, steps and costs. Built-in rows stay as shipped; a user's row of the same name goes before them.

CREATE FUNCTION dunning._check_condition(condition text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    why text;
BEGIN
    PERFORM dunning._predicate_columns(condition);
    PERFORM dunning._conditions(ARRAY[condition], '{}'::text[], NULL);
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
    GET STACKED DIAGNOSTICS why = MESSAGE_TEXT;
    RAISE EXCEPTION 'the condition of a step cannot be evaluated'
        USING ERRCODE = '22023', DETAIL = pg_catalog.format('%s: %s', condition, why),
              HINT = 'It is one SQL predicate over the columns of dunning.features() and segment, diagnosis, p_paid_30d, p_late, p_self_cure; for example: p_late >= 0.5 OR segment = ''habitual_late''.';
END
$fn$;
COMMENT ON FUNCTION dunning._check_condition(text) IS 'Nothing, or 22023 saying why a condition cannot be evaluated.';

CREATE FUNCTION dunning._log_change(what text, name text, before jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    INSERT INTO dunning.plan_change AS c (change_id, what, name, before, changed_by, changed_at)
    VALUES (dunning._uuid7(), _log_change.what, _log_change.name, _log_change.before, session_user, dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning._log_change(text, text, jsonb) IS 'Keeps what a row was before a change.';

CREATE FUNCTION dunning._check_minimum(minimum jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF jsonb_typeof(minimum) IS DISTINCT FROM 'object'
       OR EXISTS (SELECT FROM jsonb_each(minimum) m WHERE jsonb_typeof(m.value) <> 'number' OR m.key !~ '^([A-Z]{3}|\*)$') THEN
        RAISE EXCEPTION 'a minimum is an object of currencies and amounts'
            USING ERRCODE = '22023', HINT = 'For example: {"EUR": 5, "DKK": 40, "*": 5}, where * stands for every other currency.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_minimum(jsonb) IS 'Nothing, or 22023 where the minimum cannot be read.';

CREATE FUNCTION dunning.save_strategy(strategy text, description text, minimum jsonb DEFAULT '{"*": 5}', grace_days int DEFAULT 0,
    horizon interval DEFAULT '7 days', min_gap_days int DEFAULT 5, self_cure float8 DEFAULT 0.6, margin numeric DEFAULT 0.05, enabled boolean DEFAULT true)
    RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_minimum(minimum);
    IF save_strategy.strategy IS NULL OR save_strategy.strategy !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'a strategy''s name is a small letter followed by small letters, digits, "_" or "-"'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %L.', left(save_strategy.strategy, 100)), HINT = 'Such as gentle-2.';
    ELSIF num_nulls(grace_days, min_gap_days, horizon, self_cure, margin, enabled) > 0 OR grace_days NOT BETWEEN 0 AND 365 OR min_gap_days NOT BETWEEN 0 AND 365 OR horizon NOT BETWEEN interval '1 hour' AND interval '60 days'
          OR NOT (self_cure >= 0 AND self_cure <= 1.01) OR NOT (margin >= 0 AND margin <= 1) OR description IS NULL THEN
        RAISE EXCEPTION 'strategy "%" has a parameter out of range', save_strategy.strategy
            USING ERRCODE = '22023', DETAIL = 'grace_days and min_gap_days are 0 to 365, horizon one hour to 60 days, self_cure and margin 0 to 1; none is NULL, and a description says what the strategy is for.',
                  HINT = 'Leave an argument out to get its default.';
    END IF;
    PERFORM dunning._log_change('strategy', save_strategy.strategy,
        (SELECT to_jsonb(s) FROM dunning._strategies() s WHERE s.strategy = save_strategy.strategy));
    INSERT INTO dunning.strategy AS s (strategy, builtin, description, minimum, grace_days, horizon, min_gap_days, self_cure, margin, enabled)
    VALUES (save_strategy.strategy, false, save_strategy.description, save_strategy.minimum, save_strategy.grace_days, save_strategy.horizon,
        save_strategy.min_gap_days, save_strategy.self_cure, save_strategy.margin, save_strategy.enabled)
    ON CONFLICT ON CONSTRAINT strategy_pkey DO UPDATE SET description = excluded.description, minimum = excluded.minimum, grace_days = excluded.grace_days,
        horizon = excluded.horizon, min_gap_days = excluded.min_gap_days, self_cure = excluded.self_cure, margin = excluded.margin, enabled = excluded.enabled;
    RETURN save_strategy.strategy;
END
$fn$;
COMMENT ON FUNCTION dunning.save_strategy(text, text, jsonb, int, interval, int, float8, numeric, boolean) IS
    'The name of the strategy saved: smallest overdue sum a currency (* = the others), days of grace, how far ahead a time is looked for, days between two contacts, from which probability on a debtor is left to pay unasked, worth of a unit collected. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_strategy(text, text, jsonb, int, interval, int, float8, numeric, boolean) TO dunning_admin;

CREATE FUNCTION dunning.save_step(strategy text, step text, "position" int, offset_days int, template text, channels text[],
    anchor text DEFAULT 'due_date', condition text DEFAULT NULL, framing text DEFAULT 'neutral', paid_channels boolean DEFAULT true,
    self_cure_days int DEFAULT 0, enabled boolean DEFAULT true, after_contact boolean DEFAULT false, OUT saved text, OUT means text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    one text;
BEGIN
    PERFORM dunning._check_strategy(save_step.strategy);
    PERFORM dunning._check_template_name(save_step.template);
    IF save_step.step IS NULL OR save_step.step !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'a step''s name is a small letter followed by small letters, digits, "_" or "-"'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %L.', left(save_step.step, 100)), HINT = 'Such as reminder-3.';
    ELSIF save_step.anchor NOT IN ('due_date', 'last_contact') OR save_step.anchor IS NULL THEN
        RAISE EXCEPTION 'unknown anchor "%"', save_step.anchor USING ERRCODE = '22023', DETAIL = 'Anchors are due_date and last_contact.', HINT = 'Leave anchor out to count from the due date.';
    ELSIF offset_days IS NULL OR offset_days NOT BETWEEN -90 AND 3650 OR (save_step.anchor = 'last_contact' AND offset_days < 1) THEN
        RAISE EXCEPTION 'offset_days is out of range'
            USING ERRCODE = '22023', DETAIL = 'It is signed: -3 is three days before the due date, 7 is seven days after; -90 to 3650, and at least 1 after a contact.',
                  HINT = 'SELECT * FROM dunning.save_step(''standard'', ''reminder-3'', 4, 20, ''reminder-2'', ''{email,letter}'');';
    ELSIF coalesce(array_ndims(save_step.channels), 0) <> 1 OR EXISTS (SELECT FROM unnest(save_step.channels) c WHERE c IS NULL) OR "position" IS NULL THEN
        RAISE EXCEPTION 'a step has a position and a list of at least one channel'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: position %s, channels %s.', coalesce(save_step.position::text, 'NULL'), coalesce(save_step.channels::text, 'NULL')),
                  HINT = 'SELECT * FROM dunning.save_step(''standard'', ''reminder-3'', 4, 20, ''reminder-2'', ''{email,letter}'');';
    ELSIF num_nulls(save_step.framing, save_step.paid_channels, save_step.self_cure_days, save_step.enabled, save_step.after_contact) > 0
          OR save_step.self_cure_days NOT BETWEEN 0 AND 3650 THEN
        RAISE EXCEPTION 'step "%" has a parameter out of range', save_step.step
            USING ERRCODE = '22023', DETAIL = 'self_cure_days is 0 to 3650; framing, paid_channels, enabled and after_contact are not NULL.',
                  HINT = 'Leave an argument out to get its default.';
    END IF;
    FOREACH one IN ARRAY save_step.channels LOOP
        PERFORM dunning._check_channel(one);
    END LOOP;
    IF save_step.condition IS NOT NULL THEN
        PERFORM dunning._check_condition(save_step.condition);
    END IF;
    PERFORM dunning._log_change('step', save_step.strategy || '/' || save_step.step,
        (SELECT to_jsonb(s) FROM dunning._steps(save_step.strategy) s WHERE s.step = save_step.step));
    INSERT INTO dunning.step AS s (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, framing, paid_channels,
        self_cure_days, after_contact, enabled, saved_by, saved_at)
    VALUES (save_step.strategy, save_step.step, false, save_step.position, save_step.anchor, save_step.offset_days, save_step.template, save_step.channels,
        save_step.condition, save_step.framing, save_step.paid_channels, save_step.self_cure_days, save_step.after_contact, save_step.enabled, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT step_pkey DO UPDATE SET position = excluded.position, anchor = excluded.anchor, offset_days = excluded.offset_days,
        template = excluded.template, channels = excluded.channels, condition = excluded.condition, framing = excluded.framing,
        paid_channels = excluded.paid_channels, self_cure_days = excluded.self_cure_days, after_contact = excluded.after_contact, enabled = excluded.enabled,
        saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    saved := save_step.strategy || '/' || save_step.step;
    means := CASE WHEN save_step.anchor = 'last_contact' THEN pg_catalog.format('%s days after the last contact', offset_days)
        WHEN offset_days < 0 THEN pg_catalog.format('%s days BEFORE the due date', -offset_days)
        WHEN offset_days = 0 THEN 'on the due date'
        ELSE pg_catalog.format('%s days AFTER the due date', offset_days) END;
END
$fn$;
COMMENT ON FUNCTION dunning.save_step(text, text, int, int, text, text[], text, text, text, boolean, int, boolean, boolean) IS
    'The step saved and what its signed offset means in words: negative is before the anchor. channels in order of preference; condition is an SQL predicate over features and scores; paid_channels false = only channels that cost nothing; until self_cure_days after the anchor likely self-curers get such channels only; after_contact = only where the debtor was contacted since the anchor. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_step(text, text, int, int, text, text[], text, text, text, boolean, int, boolean, boolean) TO dunning_admin;

CREATE FUNCTION dunning.reset_step(strategy text, step text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._log_change('step', reset_step.strategy || '/' || reset_step.step, to_jsonb(s)) FROM dunning.step s
        WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    DELETE FROM dunning.step s WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    RETURN FOUND;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_step(text, text) IS 'Was there a changed step to take away? The shipped one of that name holds again. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_step(text, text) TO dunning_admin;

CREATE FUNCTION dunning.set_cost(channel text, cost numeric, currency text, creditor text DEFAULT '*', valid_from date DEFAULT NULL) RETURNS date
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    from_date date := coalesce(set_cost.valid_from, dunning._today(NULL));
BEGIN
    PERFORM dunning._check_channel(set_cost.channel);
    IF set_cost.cost IS NULL OR NOT (set_cost.cost >= 0 AND set_cost.cost < 'Infinity') OR set_cost.currency IS NULL OR set_cost.currency !~ '^[A-Z]{3}$'
       OR NOT isfinite(from_date) OR set_cost.creditor IS NULL THEN
        RAISE EXCEPTION 'a cost is a finite amount of at least 0 in a currency of three capitals' USING ERRCODE = '22023',
            HINT = 'SELECT dunning.set_cost(''sms'', 0.08, ''EUR'');';
    END IF;
    PERFORM dunning._log_change('cost', set_cost.creditor || '/' || set_cost.channel || '/' || set_cost.currency,
        (SELECT to_jsonb(c) FROM dunning.channel_cost c WHERE c.creditor = set_cost.creditor AND c.channel = set_cost.channel AND c.currency = set_cost.currency
             AND c.valid_from = from_date));
    INSERT INTO dunning.channel_cost AS c (creditor, channel, valid_from, cost, currency, set_by, set_at)
    VALUES (set_cost.creditor, set_cost.channel, from_date, set_cost.cost, set_cost.currency, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT channel_cost_pkey DO UPDATE SET cost = excluded.cost, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN from_date;
END
$fn$;
COMMENT ON FUNCTION dunning.set_cost(text, numeric, text, text, date) IS 'From which day on a contact over this channel costs this much, for one creditor or (*) for all. A price in each currency that debtors owe lets planning weigh it against the debt. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_cost(text, numeric, text, text, date) TO dunning_admin;
