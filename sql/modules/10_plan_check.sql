-- plan: what a strategy or a step must be before it is saved. A wrong step is refused here, not found at night.

-- A condition is asked of a debtor of whom nothing is known, and of one with zeros everywhere: it must have an answer for both.
CREATE FUNCTION dunning._check_condition(condition text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    why text;
    tried text := 'it';
    zeros jsonb;
    type text;
BEGIN
    PERFORM dunning._predicate_columns(condition);
    PERFORM dunning._conditions_at_once(ARRAY[condition], '{}'::text[], NULL);
    zeros := (SELECT pg_catalog.jsonb_object_agg(a.attname, 0) FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = 'dunning.debtor_features'::regclass AND a.attnum > 0 AND a.atttypid IN ('int4'::regtype, 'float8'::regtype));
    PERFORM dunning._restrict();
    EXECUTE pg_catalog.format('SELECT pg_catalog.pg_typeof(%s) FROM (SELECT (NULL::dunning.debtor_features).*, NULL::text AS segment, NULL::text AS diagnosis,
        NULL::float8 AS p_paid_30d, NULL::float8 AS p_late, NULL::float8 AS p_self_cure) x', condition) INTO type;
    IF type NOT IN ('boolean', 'unknown') THEN
        RAISE EXCEPTION 'it is %, not true or false', type USING ERRCODE = '42804';
    END IF;
    tried := 'for a debtor of whom nothing is known it';
    EXECUTE pg_catalog.format('SELECT (%s)::boolean FROM (SELECT (NULL::dunning.debtor_features).*, NULL::text AS segment, NULL::text AS diagnosis,
        NULL::float8 AS p_paid_30d, NULL::float8 AS p_late, NULL::float8 AS p_self_cure) x', condition);
    tried := 'for a debtor without history it';
    EXECUTE pg_catalog.format('SELECT (%s)::boolean FROM (SELECT (pg_catalog.jsonb_populate_record(NULL::dunning.debtor_features, $1)).*, ''new''::text AS segment,
        NULL::text AS diagnosis, 0::float8 AS p_paid_30d, 0::float8 AS p_late, 0::float8 AS p_self_cure) x', condition) USING zeros;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
    GET STACKED DIAGNOSTICS why = MESSAGE_TEXT;
    RAISE EXCEPTION 'the condition of a step cannot be evaluated'
        USING ERRCODE = '22023', DETAIL = CASE tried WHEN 'it' THEN pg_catalog.format('%s: %s', condition, why)
                  ELSE pg_catalog.format('%s: %s fails: %s.', condition, tried, why) END,
              HINT = 'It is one SQL predicate over the columns of dunning.features() and segment, diagnosis, p_paid_30d, p_late, p_self_cure; for example: p_late >= 0.5 OR segment = ''habitual_late''.';
END
$fn$;
COMMENT ON FUNCTION dunning._check_condition(text) IS 'Nothing, or 22023 saying why a condition cannot be evaluated, be it for a debtor of whom nothing is known.';

CREATE FUNCTION dunning._check_minimum(minimum jsonb, what text DEFAULT 'minimum') RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF jsonb_typeof(minimum) IS DISTINCT FROM 'object'
       OR EXISTS (SELECT FROM jsonb_each(minimum) m WHERE jsonb_typeof(m.value) <> 'number' OR m.key !~ '^([A-Z]{3}|\*)$')
       OR EXISTS (SELECT FROM jsonb_each(minimum) m WHERE m.value::text::numeric < 0) THEN
        RAISE EXCEPTION 'a % is an object of currencies and amounts', what
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %s.', left(minimum::text, 200)),
                  HINT = 'For example: {"EUR": 5, "DKK": 40, "*": 5}, where * stands for every other currency.';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_minimum(jsonb, text) IS 'Nothing, or 22023 where a minimum or a tolerance cannot be read.';

CREATE FUNCTION dunning._check_name(what text, name text, example text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF name IS NULL OR name !~ '^[a-z][a-z0-9_-]{0,62}$' THEN
        RAISE EXCEPTION 'a %''s name is a small letter followed by small letters, digits, "_" or "-"', what
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Given: %L.', left(name, 100)), HINT = pg_catalog.format('Such as %s.', example);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_name(text, text, text) IS 'Nothing, or 22023 where a name cannot stand in a key.';

-- What is wrong with an anchor and its offset, NULL where nothing is.
CREATE FUNCTION dunning._anchor_problem(anchor text, offset_days int, until_days int) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN CASE
        WHEN offset_days IS NULL OR offset_days NOT BETWEEN -90 AND 3650
            THEN 'It is signed: -3 is three days before the anchor, 7 is seven days after; planning looks 90 days ahead and ten years back.'
        WHEN anchor = 'last_contact' AND offset_days < 1 THEN 'A step counted from the last contact comes at least a day after it.'
        WHEN anchor = 'next_fee' AND offset_days NOT BETWEEN -30 AND -1 THEN 'A warning of a fee comes before it: -30 to -1; -1 is the day before.'
        WHEN anchor = 'payday' AND offset_days NOT BETWEEN -7 AND 27 THEN 'Paydays are at most a month apart: -7 to 27 days.'
        WHEN anchor = 'broken_promise' AND offset_days < 0 THEN 'That a promise is broken is known only afterwards: 0 or more days.'
        WHEN anchor LIKE 'event:%' AND offset_days < 0 AND anchor <> 'event:hearing' THEN 'An event is known only when it has happened: 0 or more days.'
        WHEN until_days > 36500 THEN pg_catalog.format('until_days (%s) is at most 36500, a hundred years; without it a step goes on.', until_days)
        WHEN until_days < offset_days THEN pg_catalog.format('until_days (%s) is before offset_days (%s): the step could never be taken.', until_days, offset_days)
        WHEN offset_days < 0 AND anchor IN ('next_fee', 'hearing') AND until_days >= 0 THEN 'A step before its anchor ends before it: until_days is negative.'
    END;
END
$fn$;
COMMENT ON FUNCTION dunning._anchor_problem(text, int, int) IS 'Why a step counted so from this anchor could never be taken, in words; NULL: it can.';

CREATE FUNCTION dunning._check_anchor(step dunning.step) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    -- the same step a week after the due date, which can be taken
    hint text := pg_catalog.format('SELECT * FROM dunning.save_step(%L, %L, %s, 7, %L, %L);', step.strategy, step.step, coalesce(step.position, 1), step.template, coalesce(step.channels, '{email}'));
BEGIN
    IF step.anchor IS NULL OR (step.anchor NOT IN ('due_date', 'last_contact', 'broken_promise', 'next_fee', 'hearing', 'payday') AND step.anchor NOT LIKE 'event:%') THEN
        RAISE EXCEPTION 'unknown anchor "%"', step.anchor
            USING ERRCODE = '22023', DETAIL = 'Anchors are due_date, last_contact, broken_promise, next_fee, hearing, payday and event:<kind>.', HINT = hint;
    ELSIF step.anchor LIKE 'event:%' AND substr(step.anchor, 7) <> ALL (dunning._event_kinds()) THEN
        RAISE EXCEPTION 'anchor "%" cannot happen', step.anchor
            USING ERRCODE = '22023', DETAIL = pg_catalog.format('Kinds of events are %s.', array_to_string(dunning._event_kinds(), ', ')), HINT = hint;
    ELSIF dunning._anchor_problem(step.anchor, step.offset_days, step.until_days) IS NOT NULL THEN
        RAISE EXCEPTION 'offset_days is out of range'
            USING ERRCODE = '22023', DETAIL = dunning._anchor_problem(step.anchor, step.offset_days, step.until_days), HINT = hint;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_anchor(dunning.step) IS 'Nothing, or 22023 where an anchor is unknown, cannot happen, or the offset never comes.';

-- A strategy begins with a step that needs no other before it.
CREATE FUNCTION dunning._check_reachable(strategy text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    last_resort text := (SELECT t.stop_step FROM dunning._strategies() t WHERE t.strategy = _check_reachable.strategy);
BEGIN
    IF NOT EXISTS (SELECT FROM dunning._steps(_check_reachable.strategy) s
                   WHERE s.anchor = 'due_date' AND NOT s.after_contact AND s.step IS DISTINCT FROM last_resort) THEN
        RAISE EXCEPTION 'strategy "%" has no first step that can be reached', _check_reachable.strategy
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN EXISTS (SELECT FROM dunning._steps(_check_reachable.strategy) s)
                      THEN 'Every step waits for something else: an earlier contact, an event, or that nothing helped.' ELSE 'It has no step that is enabled.' END,
                  HINT = pg_catalog.format('SELECT * FROM dunning.save_step(%L, ''reminder-1'', 1, 5, ''reminder-1'', ''{email,sms}'');', _check_reachable.strategy);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._check_reachable(text) IS 'Nothing, or 22023 where no step of the strategy counts from the due date without needing another before it.';

-- What a signed offset means, in words.
CREATE FUNCTION dunning._offset_words(anchor text, offset_days int) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    what text := CASE WHEN anchor LIKE 'event:%' THEN 'event ' || substr(anchor, 7)
        WHEN anchor = 'next_fee' THEN 'next fee' WHEN anchor = 'payday' THEN 'payday' WHEN anchor = 'broken_promise' THEN 'promised day that was not kept'
        ELSE replace(anchor, '_', ' ') END;
BEGIN
    RETURN CASE WHEN anchor = 'last_contact' THEN pg_catalog.format('%s days after the last contact', offset_days)
        WHEN offset_days = 0 THEN pg_catalog.format('on the %s', CASE WHEN anchor LIKE 'event:%' OR anchor = 'hearing' THEN 'day of the ' || what ELSE what END)
        ELSE pg_catalog.format('%s %s %s the %s', abs(offset_days), CASE WHEN abs(offset_days) = 1 THEN 'day' ELSE 'days' END,
            CASE WHEN offset_days < 0 THEN 'BEFORE' ELSE 'AFTER' END, what) END;
END
$fn$;
COMMENT ON FUNCTION dunning._offset_words(text, int) IS 'What a signed offset from an anchor means in words.';
