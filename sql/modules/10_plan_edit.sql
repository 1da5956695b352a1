-- plan: changing strategies, steps and costs. Built-in rows stay as shipped; a user's row of the same name goes before them.

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

CREATE FUNCTION dunning.save_strategy(strategy text, description text, minimum jsonb DEFAULT '{"*": 5}', grace_days int DEFAULT 0,
    horizon interval DEFAULT '7 days', min_gap_days int DEFAULT 5, self_cure float8 DEFAULT 0.5, margin numeric DEFAULT 0.05, enabled boolean DEFAULT true,
    tolerance jsonb DEFAULT '{}', max_contacts int DEFAULT NULL, max_days int DEFAULT NULL, stop_after int DEFAULT NULL, stop_step text DEFAULT NULL,
    catch_up text DEFAULT 'furthest', choose text DEFAULT 'order')
    RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    PERFORM dunning._check_minimum(minimum);
    PERFORM dunning._check_minimum(tolerance, 'tolerance');
    PERFORM dunning._check_name('strategy', save_strategy.strategy, 'gentle-2');
    IF num_nulls(grace_days, min_gap_days, horizon, self_cure, margin, enabled) > 0 OR grace_days NOT BETWEEN 0 AND 365 OR min_gap_days NOT BETWEEN 0 AND 365 OR horizon NOT BETWEEN interval '1 hour' AND interval '60 days'
          OR NOT (self_cure >= 0 AND self_cure <= 1.01) OR NOT (margin >= 0 AND margin <= 1) OR description IS NULL THEN
        RAISE EXCEPTION 'strategy "%" has a parameter out of range', save_strategy.strategy
            USING ERRCODE = '22023', DETAIL = 'grace_days and min_gap_days are 0 to 365, horizon one hour to 60 days, self_cure and margin 0 to 1; none is NULL, and a description says what the strategy is for.',
                  HINT = 'Leave an argument out to get its default.';
    ELSIF (max_contacts IS NULL) <> (max_days IS NULL) OR max_contacts < 1 OR max_days NOT BETWEEN 1 AND 400 OR stop_after < 1
          OR (stop_step IS NOT NULL AND stop_after IS NULL) OR catch_up IS NULL OR catch_up NOT IN ('furthest', 'next') OR choose IS NULL OR choose NOT IN ('order', 'value') THEN
        RAISE EXCEPTION 'strategy "%" has a rule of frequency that cannot be followed', save_strategy.strategy
            USING ERRCODE = '22023', DETAIL = 'max_contacts and max_days (1 to 400) are given together, stop_step needs stop_after, catch_up is furthest or next, choose is order or value.',
                  HINT = pg_catalog.format('SELECT dunning.save_strategy(%L, ''at most 7 contacts in 30 days, nothing after 10 without an answer'', max_contacts => 7, max_days => 30, stop_after => 10);', save_strategy.strategy);
    ELSIF stop_step IS NOT NULL AND NOT EXISTS (SELECT FROM dunning._steps(save_strategy.strategy) s WHERE s.step = save_strategy.stop_step) THEN
        RAISE EXCEPTION 'strategy "%" has no step "%" to go to', save_strategy.strategy, stop_step
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Its steps: %s.', coalesce((SELECT string_agg(s.step, ', ' ORDER BY s.position) FROM dunning._steps(save_strategy.strategy) s), 'none')),
                  HINT = 'Save the step first, then name it here.';
    END IF;
    PERFORM dunning._log_change('strategy', save_strategy.strategy,
        (SELECT to_jsonb(s) FROM dunning._strategies() s WHERE s.strategy = save_strategy.strategy));
    INSERT INTO dunning.strategy AS s (strategy, builtin, description, minimum, grace_days, horizon, min_gap_days, self_cure, margin, enabled,
        tolerance, max_contacts, max_days, stop_after, stop_step, catch_up, choose, saved_by, saved_at)
    VALUES (save_strategy.strategy, false, save_strategy.description, save_strategy.minimum, save_strategy.grace_days, save_strategy.horizon,
        save_strategy.min_gap_days, save_strategy.self_cure, save_strategy.margin, save_strategy.enabled, save_strategy.tolerance, save_strategy.max_contacts,
        save_strategy.max_days, save_strategy.stop_after, save_strategy.stop_step, save_strategy.catch_up, save_strategy.choose, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT strategy_pkey DO UPDATE SET description = excluded.description, minimum = excluded.minimum, grace_days = excluded.grace_days,
        horizon = excluded.horizon, min_gap_days = excluded.min_gap_days, self_cure = excluded.self_cure, margin = excluded.margin, enabled = excluded.enabled,
        tolerance = excluded.tolerance, max_contacts = excluded.max_contacts, max_days = excluded.max_days, stop_after = excluded.stop_after,
        stop_step = excluded.stop_step, catch_up = excluded.catch_up, choose = excluded.choose, saved_by = excluded.saved_by, saved_at = excluded.saved_at;
    IF EXISTS (SELECT FROM dunning._steps(save_strategy.strategy)) THEN
        PERFORM dunning._check_reachable(save_strategy.strategy);
    END IF;
    RETURN save_strategy.strategy;
END
$fn$;
COMMENT ON FUNCTION dunning.save_strategy(text, text, jsonb, int, interval, int, float8, numeric, boolean, jsonb, int, int, int, text, text, text) IS
    'The name of the strategy saved: smallest overdue sum a currency (* = the others), days of grace, how far ahead a time is looked for, days between two contacts, from which probability on a debtor is left to pay unasked, worth of a unit collected; a small rest that counts as paid; at most so many contacts in so many days; after so many without payment or reaction nothing more, or one last step; of several steps missed the furthest or the next; choose = order (of a step''s channels the first that is worth it) or value (the one worth most). Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_strategy(text, text, jsonb, int, interval, int, float8, numeric, boolean, jsonb, int, int, int, text, text, text) TO dunning_admin;

-- What a step says besides its date.
CREATE FUNCTION dunning._check_step(step dunning.step) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    one text;
    wrong text;
BEGIN
    IF coalesce(array_ndims(step.channels), 0) <> 1 OR EXISTS (SELECT FROM unnest(step.channels) c WHERE c IS NULL) OR step.position IS NULL THEN
        RAISE EXCEPTION 'a step has a position and a list of at least one channel'
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: position %s, channels %s.', coalesce(step.position::text, 'NULL'), coalesce(step.channels::text, 'NULL')),
                  HINT = pg_catalog.format('SELECT * FROM dunning.save_step(%L, %L, %s, 7, %L, ''{email}'');', step.strategy, step.step, coalesce(step.position, 1), step.template);
    ELSIF num_nulls(step.framing, step.paid_channels, step.self_cure_days, step.enabled, step.after_contact, step.self_cure_wait, step.must) > 0
          OR step.self_cure_days NOT BETWEEN 0 AND 3650 OR step.self_cure_wait NOT BETWEEN 0 AND 3650 THEN
        RAISE EXCEPTION 'step "%" has a parameter out of range', step.step
            USING ERRCODE = '22023', DETAIL = 'self_cure_days and self_cure_wait are 0 to 3650; framing, paid_channels, enabled, after_contact and must are not NULL.',
                  HINT = 'Leave an argument out to get its default.';
    END IF;
    wrong := CASE
        WHEN step.cooldown_days NOT BETWEEN 0 AND 365 THEN 'cooldown_days is 0 to 365.'
        WHEN step.repeat_days NOT BETWEEN 1 AND 365 OR step.repeat_max < 2 OR (step.repeat_max IS NOT NULL AND step.repeat_days IS NULL)
            THEN 'repeat_days is 1 to 365; repeat_max is how often in all, at least 2, and needs repeat_days.'
        WHEN step.tone IS NULL OR step.tone NOT IN ('soft', 'friendly', 'neutral', 'formal', 'urgent') THEN 'tone is soft, friendly, neutral, formal or urgent.'
        WHEN step.framing <> 'neutral' AND NOT EXISTS (SELECT FROM dunning.template t WHERE t.framing = step.framing AND t.replaced_at IS NULL)
            THEN pg_catalog.format('No text is framed %L; there are %s.', step.framing, (SELECT string_agg(DISTINCT t.framing, ', ') FROM dunning.template t WHERE t.replaced_at IS NULL))
        WHEN step.offer NOT IN ('instalments', 'settlement', 'pay_later', 'promise') THEN 'offer is instalments, settlement, pay_later or promise.'
        WHEN (step.companion_channel IS NULL) <> (step.companion_template IS NULL) THEN 'companion_channel and companion_template are given together.'
        WHEN step.companion_channel = ALL (step.channels) THEN 'A companion goes over another channel than its message.'
        WHEN jsonb_typeof(step.print) IS DISTINCT FROM 'object' THEN 'print is an object of fields for the print manifest, such as {"envelope": "plain", "note": "Hello {{given_name}}"}.'
        WHEN step.level IS NOT NULL AND step.level !~ '^[a-z][a-z0-9_-]{0,62}$' THEN 'level is a small letter followed by small letters, digits, "_" or "-".' END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'step "%" cannot be as it is given', step.step USING ERRCODE = '22023', DETAIL = wrong, HINT = 'Leave an argument out to get its default.';
    END IF;
    IF step.minimum IS NOT NULL THEN
        PERFORM dunning._check_minimum(step.minimum);
    END IF;
    FOREACH one IN ARRAY step.channels || step.companion_channel LOOP
        IF one IS NOT NULL THEN
            PERFORM dunning._check_channel(one);
        END IF;
    END LOOP;
    IF step.companion_template IS NOT NULL THEN
        PERFORM dunning._check_template_name(step.companion_template);
    END IF;
    IF step.condition IS NOT NULL THEN
        PERFORM dunning._check_condition(step.condition);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_step(dunning.step) IS 'Nothing, or 22023 saying what of a step cannot be.';

CREATE FUNCTION dunning.save_step(strategy text, step text, "position" int, offset_days int, template text, channels text[],
    anchor text DEFAULT 'due_date', condition text DEFAULT NULL, framing text DEFAULT 'neutral', paid_channels boolean DEFAULT true,
    self_cure_days int DEFAULT 0, enabled boolean DEFAULT true, after_contact boolean DEFAULT false, level text DEFAULT NULL, until_days int DEFAULT NULL,
    minimum jsonb DEFAULT NULL, cooldown_days int DEFAULT NULL, repeat_days int DEFAULT NULL, repeat_max int DEFAULT NULL, self_cure_wait int DEFAULT 0,
    tone text DEFAULT 'neutral', offer text DEFAULT NULL, companion_channel text DEFAULT NULL, companion_template text DEFAULT NULL, print jsonb DEFAULT '{}',
    must boolean DEFAULT false, OUT saved text, OUT means text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    new dunning.step;
BEGIN
    PERFORM dunning._check_strategy(save_step.strategy);
    PERFORM dunning._check_template_name(save_step.template);
    PERFORM dunning._check_name('step', save_step.step, 'reminder-3');
    new := ROW(save_step.strategy, save_step.step, false, save_step.position, save_step.anchor, save_step.offset_days, save_step.template, save_step.channels,
        save_step.condition, save_step.framing, save_step.paid_channels, save_step.self_cure_days, save_step.after_contact, save_step.enabled, session_user, dunning._now(),
        save_step.level, save_step.until_days, save_step.minimum, save_step.cooldown_days, save_step.repeat_days, save_step.repeat_max, save_step.self_cure_wait,
        save_step.tone, save_step.offer, save_step.companion_channel, save_step.companion_template, save_step.print, save_step.must)::dunning.step;
    PERFORM dunning._check_anchor(new);
    PERFORM dunning._check_step(new);
    PERFORM dunning._log_change('step', save_step.strategy || '/' || save_step.step,
        (SELECT to_jsonb(s) FROM dunning._steps(save_step.strategy) s WHERE s.step = save_step.step));
    DELETE FROM dunning.step s WHERE s.strategy = save_step.strategy AND s.step = save_step.step AND NOT s.builtin;
    INSERT INTO dunning.step SELECT (new).*;
    PERFORM dunning._check_reachable(save_step.strategy);
    saved := save_step.strategy || '/' || save_step.step;
    means := dunning._offset_words(save_step.anchor, save_step.offset_days);
END
$fn$;
COMMENT ON FUNCTION dunning.save_step(text, text, int, int, text, text[], text, text, text, boolean, int, boolean, boolean, text, int, jsonb, int, int, int, int, text, text, text, text, jsonb, boolean) IS
    'The step saved and what its signed offset means in words: negative is before the anchor (due_date, last_contact, broken_promise, next_fee, hearing, payday, event:<kind>). channels in order of preference; condition is an SQL predicate over features and scores; paid_channels false = only channels that cost nothing; until self_cure_days after the due date likely self-curers get such channels only, until self_cure_wait nothing; after_contact = only where the debtor was contacted since the due date; again every repeat_days, at most repeat_max times; companion = a second message of the same touch; print = fields of a letter''s manifest; must = goes out whatever it is worth. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_step(text, text, int, int, text, text[], text, text, text, boolean, int, boolean, boolean, text, int, jsonb, int, int, int, int, text, text, text, text, jsonb, boolean) TO dunning_admin;

CREATE FUNCTION dunning.reset_step(strategy text, step text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    there boolean;
BEGIN
    PERFORM dunning._log_change('step', reset_step.strategy || '/' || reset_step.step, to_jsonb(s)) FROM dunning.step s
        WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    DELETE FROM dunning.step s WHERE s.strategy = reset_step.strategy AND s.step = reset_step.step AND NOT s.builtin;
    there := FOUND;
    IF there AND EXISTS (SELECT FROM dunning._steps(reset_step.strategy)) THEN
        PERFORM dunning._check_reachable(reset_step.strategy);
    END IF;
    RETURN there;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_step(text, text) IS 'Was there a changed step to take away? The shipped one of that name holds again. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_step(text, text) TO dunning_admin;

CREATE FUNCTION dunning.set_cost(channel text, cost numeric, currency text, creditor text DEFAULT '*', valid_from date DEFAULT NULL, country text DEFAULT '*') RETURNS date
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    from_date date := coalesce(set_cost.valid_from, dunning._today(NULL));
BEGIN
    PERFORM dunning._check_channel(set_cost.channel);
    IF set_cost.cost IS NULL OR NOT (set_cost.cost >= 0 AND set_cost.cost < 'Infinity') OR set_cost.currency IS NULL OR set_cost.currency !~ '^[A-Z]{3}$'
       OR NOT isfinite(from_date) OR set_cost.creditor IS NULL OR set_cost.country IS NULL OR set_cost.country !~ '^([A-Z]{2}|\*)$' THEN
        RAISE EXCEPTION 'a cost is a finite amount of at least 0 in a currency of three capitals' USING ERRCODE = '22023',
            DETAIL = 'A country is two capitals, or * for all.', HINT = 'SELECT dunning.set_cost(''sms'', 0.08, ''EUR'');';
    END IF;
    PERFORM dunning._log_change('cost', concat_ws('/', set_cost.creditor, set_cost.channel, set_cost.currency, nullif(set_cost.country, '*')),
        (SELECT to_jsonb(c) FROM dunning.channel_cost c WHERE c.creditor = set_cost.creditor AND c.channel = set_cost.channel AND c.currency = set_cost.currency
             AND c.country = set_cost.country AND c.valid_from = from_date));
    INSERT INTO dunning.channel_cost AS c (creditor, country, channel, valid_from, cost, currency, set_by, set_at)
    VALUES (set_cost.creditor, set_cost.country, set_cost.channel, from_date, set_cost.cost, set_cost.currency, session_user, dunning._now())
    ON CONFLICT ON CONSTRAINT channel_cost_pkey DO UPDATE SET cost = excluded.cost, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN from_date;
END
$fn$;
COMMENT ON FUNCTION dunning.set_cost(text, numeric, text, text, date, text) IS 'From which day on a contact over this channel costs this much, for one creditor or (*) for all, in one country or all. A price in each currency that debtors owe lets planning weigh it against the debt. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_cost(text, numeric, text, text, date, text) TO dunning_admin;

CREATE FUNCTION dunning.set_budget(per_day numeric, currency text, creditor text DEFAULT '*', campaign text DEFAULT '*') RETURNS numeric
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT (coalesce(set_budget.per_day, 0) >= 0 AND coalesce(set_budget.per_day, 0) < 'Infinity') OR set_budget.currency IS NULL OR set_budget.currency !~ '^[A-Z]{3}$'
       OR set_budget.creditor IS NULL OR set_budget.campaign IS NULL THEN
        RAISE EXCEPTION 'a budget is a finite amount of at least 0 a day in a currency of three capitals' USING ERRCODE = '22023',
            DETAIL = 'Given NULL as the amount, the budget ends.', HINT = 'SELECT dunning.set_budget(250, ''EUR'', creditor => ''north'');';
    ELSIF set_budget.campaign <> '*' THEN
        PERFORM dunning._check_strategy(set_budget.campaign);
    END IF;
    PERFORM dunning._log_change('budget', concat_ws('/', set_budget.creditor, set_budget.campaign, set_budget.currency),
        (SELECT to_jsonb(b) FROM dunning.budget b WHERE b.creditor = set_budget.creditor AND b.campaign = set_budget.campaign AND b.currency = set_budget.currency));
    DELETE FROM dunning.budget b WHERE b.creditor = set_budget.creditor AND b.campaign = set_budget.campaign AND b.currency = set_budget.currency;
    IF set_budget.per_day IS NOT NULL THEN
        INSERT INTO dunning.budget AS b (creditor, campaign, currency, per_day, set_by, set_at)
        VALUES (set_budget.creditor, set_budget.campaign, set_budget.currency, set_budget.per_day, session_user, dunning._now());
    END IF;
    RETURN set_budget.per_day;
END
$fn$;
COMMENT ON FUNCTION dunning.set_budget(numeric, text, text, text) IS 'What contacts may cost in a day in this currency (NULL: no limit any more), for a creditor and a campaign (the name of a strategy), or * for all together. What a day''s money is not enough for waits, the most worthwhile first. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_budget(numeric, text, text, text) TO dunning_admin;
