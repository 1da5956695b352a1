-- calendar: local time, holidays, money dates, contact rules.

-- ---- what C computes ----

CREATE FUNCTION dunning._place(country text, region text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_place';
COMMENT ON FUNCTION dunning._place(text, text) IS 'The place in capital ISO codes, ''GB'' or ''GB-SCT''; NULL where the country is no two-letter code.';

CREATE FUNCTION dunning._zone(time_zone text, country text, region text) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_zone';
COMMENT ON FUNCTION dunning._zone(text, text, text) IS
    'Candidate time zones: the given one where it is valid, else those of the region or country, else of a calling code given as time_zone (''+45''). Unknown place: dunning.timezone (or the server''s log_timezone), Europe/London and Europe/Helsinki, all of which must allow a contact.';

CREATE FUNCTION dunning._local_time(at timestamptz, zone text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_local_time';
COMMENT ON FUNCTION dunning._local_time(timestamptz, text) IS '''YYYY-MM-DD HH24:MI Zone''. Unknown zone or infinite instant: 22023.';

CREATE FUNCTION dunning._computed_holiday(country text, region text, on_date date) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_holiday';
COMMENT ON FUNCTION dunning._computed_holiday(text, text, date) IS
    'Name of the computed holiday, 1900 to 2199, or NULL. DK SE NO FI DE NL GB US have calendars; an unknown country (NULL) is closed on the holidays of all of them, any other on 1 January and 25 December.';

CREATE FUNCTION dunning._computed_dates(country text, region text, from_date date, until_date date,
    OUT on_date date, OUT kind text, OUT name text, OUT effect text, OUT source text, OUT tag text, OUT debtor_kind text, OUT verified boolean) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_dates';
COMMENT ON FUNCTION dunning._computed_dates(text, text, date, date) IS 'Computed holidays and money dates, both ends included; of a closure its first day.';

CREATE FUNCTION dunning._check_windows(windows text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_check_windows';
COMMENT ON FUNCTION dunning._check_windows(text) IS 'What is wrong with the text of a rule''s windows; NULL where it can be read.';

CREATE FUNCTION dunning._windows(windows text[], holidays_closed boolean, time_zone text, country text, region text,
    added date[], opened date[]) RETURNS bytea
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_windows';
COMMENT ON FUNCTION dunning._windows(text[], boolean, text, text, text, date[], date[]) IS
    'The mask that all windows allow in all candidate zones of a place; for dunning._closed(). A window is a text, or a rule of _pack_windows().';

CREATE FUNCTION dunning._closing_rules(from_time timestamptz, until_time timestamptz, windows bytea, OUT rule text, OUT closed int, OUT alone int) RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'dun_calendar_sql_closing_rules';
COMMENT ON FUNCTION dunning._closing_rules(timestamptz, timestamptz, bytea) IS
    'Each rule of a mask, with how many quarters of an hour from the first instant on it closes, and how many of them no other rule does.';

CREATE FUNCTION dunning._zone_key(time_zone text, phone text, country text, region text) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_zone_key';
COMMENT ON FUNCTION dunning._zone_key(text, text, text, text) IS
    'The time zone where it is one; of a debtor of no known country the calling code of an international number (''+45''); in the US and Canada the zones of the phone''s area code that the address has not (''+America/Chicago''); else an empty text. _zone() and _windows() take it as time_zone.';

CREATE FUNCTION dunning._closed(at timestamptz, windows bytea) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_closed';
COMMENT ON FUNCTION dunning._closed(timestamptz, bytea) IS
    'NULL where the instant and the five minutes after it are open in every zone of the mask; else quiet_hours or holiday.';

-- ---- tables ----

CREATE TABLE dunning.contact_rule (
    rule            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    country         text,                       -- NULL: everywhere
    region          text,                       -- NULL: the whole country
    debtor_kind     text CHECK (debtor_kind IN ('person', 'company')),      -- NULL: both
    channels        text[],                     -- NULL: every channel
    rings           boolean,                    -- true: only channels that ring or buzz; false: only those that do not
    windows         text,                       -- local: 'Mon-Fri 08:00-20:00, Sat 09:00-15:00'; NULL: a rule of caps alone
    holidays        boolean NOT NULL DEFAULT false,     -- may contact within `windows` fall on a holiday of the place?
    cap             int CHECK (cap >= 0),       -- at most this many contacts ...
    cap_days        int CHECK (cap_days BETWEEN 1 AND 92),      -- ... in this many calendar days of the debtor's zone
    cap_scope       text NOT NULL DEFAULT 'person' CHECK (cap_scope IN ('debtor', 'person')),   -- what caps and gaps count over
    min_gap         interval,                   -- between two contacts of these channels
    after_conversation interval,                -- silence after a conversation
    valid_from      date,
    valid_to        date,
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (rule, builtin)
);
COMMENT ON TABLE dunning.contact_rule IS 'When and how often a debtor may be contacted. Every matching row must say yes; a user''s row of the same name replaces the built-in one.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.contact_rule FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.contact_rule ENABLE ALWAYS TRIGGER changed;

CREATE TABLE dunning.holiday (
    country         text NOT NULL,
    region          text NOT NULL DEFAULT '',
    on_date         date NOT NULL,
    name            text NOT NULL,
    open            boolean NOT NULL DEFAULT false,     -- true: a computed holiday that is a working day here
    PRIMARY KEY (country, region, on_date)
);
COMMENT ON TABLE dunning.holiday IS 'Holidays of the user, beside those computed for DK SE NO FI DE NL GB US.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.holiday FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.holiday ENABLE ALWAYS TRIGGER changed;

CREATE TABLE dunning.rule_change (
    change_id       uuid PRIMARY KEY,
    kind            text COLLATE "C" NOT NULL,  -- contact_rule, holiday
    key             text COLLATE "C" NOT NULL,
    before          jsonb,                      -- NULL: there was none
    after           jsonb,                      -- NULL: removed
    changed_by      text NOT NULL,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE dunning.rule_change IS 'Who changed which contact rule or holiday, when, from what to what.';

SELECT pg_catalog.pg_extension_config_dump('dunning.contact_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.holiday', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.rule_change', '');

-- The house rule stands everywhere; countries only tighten it. What is not verified ships disabled.
INSERT INTO dunning.contact_rule
    (rule, builtin, country, debtor_kind, channels, rings, windows, holidays, cap, cap_days, cap_scope, after_conversation, source, verified, enabled)
VALUES
    ('house-ring', true, NULL, NULL, NULL, true, 'Mon-Fri 08:00-20:00, Sat 09:00-15:00', false, NULL, NULL, 'person', NULL,
        'house rule', true, true),
    ('house-email', true, NULL, NULL, '{email}', NULL, 'Mon-Sun 07:00-21:00', true, NULL, NULL, 'person', NULL,
        'house rule', true, true),
    ('house-daily', true, NULL, NULL, NULL, NULL, NULL, false, 1, 1, 'person', NULL,
        'house rule: one contact a day, all channels and creditors together', true, true),
    ('house-weekly', true, NULL, NULL, NULL, NULL, NULL, false, 3, 7, 'person', NULL,
        'house rule: three contacts in seven days, all channels and creditors together', true, true),
    ('house-ring-weekly', true, NULL, NULL, NULL, true, NULL, false, 7, 7, 'person', NULL,
        'house rule: stands when house-weekly is loosened', true, true),
    ('us-inconvenient-time', true, 'US', 'person', '{email,sms,call,push,whatsapp,visit}', NULL, 'Mon-Sun 08:00-21:00', true, NULL, NULL, 'person', NULL,
        '12 CFR 1006.6(b)(1)', true, true),
    ('us-7-in-7', true, 'US', 'person', '{call}', NULL, NULL, false, 7, 7, 'debtor', '7 days',
        '12 CFR 1006.14(b)', true, true),
    ('gb-reasonable-times', true, 'GB', 'person', NULL, true, 'Mon-Sat 08:00-21:00', false, NULL, NULL, 'person', NULL,
        'policy under CONC 7.9.4, which names no hours', true, true),
    ('dk-visit', true, 'DK', NULL, '{visit}', NULL, 'Mon-Fri 08:00-21:00, Sat 08:00-16:00', false, NULL, NULL, 'person', NULL,
        'inkassoloven §12', true, true),
    ('dk-ring', true, 'DK', NULL, '{call,sms}', NULL, 'Mon-Fri 08:00-21:00, Sat 08:00-16:00', false, NULL, NULL, 'person', NULL,
        'policy: the hours of inkassoloven §12 for telephone and SMS', true, true),
    ('nl-contact-ban', true, 'NL', 'person', '{email,sms,call,push,whatsapp,visit}', NULL, 'Mon-Sat 07:00-20:00', false, NULL, NULL, 'person', NULL,
        'Besluit kwaliteit incassodienstverlening art. 4.2', true, true),
    ('no-contact-hours', true, 'NO', NULL, '{email,sms,call,push,whatsapp,visit}', NULL, 'Mon-Fri 08:00-21:00, Sat 09:00-15:00', false, NULL, NULL, 'person', NULL,
        'Prop. 3 L (2025-2026), not known to be in force', false, false),
    ('de-ring', true, 'DE', NULL, '{call,sms}', NULL, 'Mon-Sat 08:00-20:00', false, NULL, NULL, 'person', NULL,
        'practice; no hours found in law', false, false);
INSERT INTO dunning.contact_rule
    (rule, builtin, country, region, debtor_kind, channels, cap, cap_days, cap_scope, source, verified, enabled)
VALUES
    ('us-ma-calls', true, 'US', 'MA', 'person', '{call}', 2, 7, 'debtor', 'state cap, not looked up', false, false),
    ('us-dc-calls', true, 'US', 'DC', 'person', '{call}', 3, 7, 'debtor', 'state cap, not looked up', false, false),
    ('us-wa-contacts', true, 'US', 'WA', 'person', NULL, 3, 7, 'debtor', 'state cap, not looked up', false, false),
    ('us-ny-contacts', true, 'US', 'NY', 'person', '{call,email,sms}', 2, 7, 'debtor', 'state and city caps, not looked up', false, false),
    -- for a channel that the house may add: a voice that is not a person's
    ('us-prerecorded-calls', true, 'US', NULL, NULL, '{voicebot}', 3, 30, 'person', '47 CFR 64.1200(a)(3)(iii): to landlines without consent; switch it on with the channel', true, false);
INSERT INTO dunning.contact_rule (rule, builtin, country, debtor_kind, channels, windows, holidays, source, verified, enabled)
VALUES
    ('se-ring', true, 'SE', NULL, '{call,sms}', 'Mon-Fri 08:00-20:00, Sat 09:00-15:00', false, 'practice; no hours found in law', false, false),
    ('fi-ring', true, 'FI', NULL, '{call,sms}', 'Mon-Fri 08:00-20:00, Sat 09:00-15:00', false, 'practice; no hours found in KKV/378/14.08.01.05/2022', false, false),
    ('gb-visit', true, 'GB', 'person', '{visit}', 'Mon-Sat 08:00-20:00', false, 'practice; CONC 7.9.12 asks for notice and names no hours', false, false);
INSERT INTO dunning.contact_rule (rule, builtin, country, debtor_kind, channels, cap, cap_days, cap_scope, min_gap, source, verified, enabled)
VALUES
    ('fi-letter-gap', true, 'FI', NULL, '{letter}', NULL, NULL, 'debtor', '15 days',
        'KKV/378/14.08.01.05/2022: 14 full days between steps that cost the debtor money; here between all letters', true, false);

-- ---- reading ----

CREATE FUNCTION dunning._holiday(country text, region text, on_date date) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := dunning._place(_holiday.country, _holiday.region);
    mine record;
BEGIN
    -- The region's own row before the country's.
    SELECT h.name, h.open INTO mine
    FROM dunning.holiday h
    WHERE h.on_date = _holiday.on_date AND h.country = substr(place, 1, 2)
      AND h.region IN ('', substr(place, 4))
    ORDER BY h.region DESC LIMIT 1;
    IF FOUND THEN
        RETURN CASE WHEN mine.open THEN NULL ELSE mine.name END;
    END IF;
    RETURN dunning._computed_holiday(_holiday.country, _holiday.region, _holiday.on_date);
END
$fn$;
COMMENT ON FUNCTION dunning._holiday(text, text, date) IS 'Name of the holiday on a date in a country and region, NULL where it is none: the user''s table first, then the computed calendar.';
GRANT EXECUTE ON FUNCTION dunning._holiday(text, text, date) TO dunning_viewer, dunning_worker;

-- ---- changing ----

CREATE FUNCTION dunning._log_rule_change(kind text, key text, before jsonb, after jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    INSERT INTO dunning.rule_change AS r (change_id, kind, key, before, after, changed_by, changed_at)
    VALUES (dunning._uuid7(), _log_rule_change.kind, _log_rule_change.key, _log_rule_change.before, _log_rule_change.after,
            session_user, dunning._now());
END
$fn$;
COMMENT ON FUNCTION dunning._log_rule_change(text, text, jsonb, jsonb) IS 'Keeps who changed a rule or holiday, when and from what.';

CREATE FUNCTION dunning.save_rule(
    rule text, windows text DEFAULT NULL, channels text[] DEFAULT NULL, country text DEFAULT NULL, region text DEFAULT NULL,
    debtor_kind text DEFAULT NULL, rings boolean DEFAULT NULL, holidays boolean DEFAULT NULL,
    cap int DEFAULT NULL, cap_days int DEFAULT NULL, cap_scope text DEFAULT NULL, min_gap interval DEFAULT NULL,
    after_conversation interval DEFAULT NULL, valid_from date DEFAULT NULL, valid_to date DEFAULT NULL,
    source text DEFAULT NULL, enabled boolean DEFAULT NULL)
    RETURNS TABLE (version int, warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.contact_rule;
    new dunning.contact_rule;
    wrong text;
    help text;
BEGIN
    SELECT r.* INTO old FROM dunning.contact_rule r WHERE r.rule = save_rule.rule ORDER BY r.builtin LIMIT 1;
    new.rule := save_rule.rule;
    new.builtin := false;
    new.windows := coalesce(save_rule.windows, old.windows);
    new.channels := coalesce(save_rule.channels, old.channels);
    new.country := coalesce(substr(dunning._place(save_rule.country, NULL), 1, 2), old.country);
    new.region := coalesce(substr(dunning._place(new.country, save_rule.region), 4), old.region);
    new.debtor_kind := coalesce(save_rule.debtor_kind, old.debtor_kind);
    new.rings := coalesce(save_rule.rings, old.rings);
    new.holidays := coalesce(save_rule.holidays, old.holidays, false);
    new.cap := coalesce(save_rule.cap, old.cap);
    new.cap_days := coalesce(save_rule.cap_days, old.cap_days);
    new.cap_scope := coalesce(save_rule.cap_scope, old.cap_scope, 'person');
    new.min_gap := coalesce(save_rule.min_gap, old.min_gap);
    new.after_conversation := coalesce(save_rule.after_conversation, old.after_conversation);
    new.valid_from := coalesce(save_rule.valid_from, old.valid_from);
    new.valid_to := coalesce(save_rule.valid_to, old.valid_to);
    new.source := coalesce(save_rule.source, old.source, 'own rule');
    new.verified := true;
    new.enabled := coalesce(save_rule.enabled, true);

    wrong := dunning._rule_problem(new, save_rule.country, save_rule.region);
    IF wrong IS NOT NULL THEN
        help := CASE WHEN wrong ~ 'channel' THEN 'SELECT channel FROM dunning.channel;'
                     ELSE 'SELECT * FROM dunning.save_rule(''quiet-evenings'', windows => ''Mon-Fri 09:00-18:00'', channels => ''{call,sms}'', country => ''DK'');' END;
        RAISE EXCEPTION 'contact rule "%" makes no sense', save_rule.rule USING ERRCODE = '22023', DETAIL = wrong, HINT = help;
    END IF;

    INSERT INTO dunning.contact_rule AS r VALUES (new.*)
    ON CONFLICT ON CONSTRAINT contact_rule_pkey DO UPDATE SET
        country = EXCLUDED.country, region = EXCLUDED.region, debtor_kind = EXCLUDED.debtor_kind, channels = EXCLUDED.channels,
        rings = EXCLUDED.rings, windows = EXCLUDED.windows, holidays = EXCLUDED.holidays, cap = EXCLUDED.cap,
        cap_days = EXCLUDED.cap_days, cap_scope = EXCLUDED.cap_scope, min_gap = EXCLUDED.min_gap,
        after_conversation = EXCLUDED.after_conversation, valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to,
        source = EXCLUDED.source, verified = EXCLUDED.verified, enabled = EXCLUDED.enabled;
    PERFORM dunning._log_rule_change('contact_rule', new.rule, CASE WHEN old.rule IS NOT NULL THEN to_jsonb(old) END, to_jsonb(new));
    RETURN QUERY
        SELECT (SELECT count(*)::int FROM dunning.rule_change c WHERE c.kind = 'contact_rule' AND c.key = new.rule),
               dunning._rule_warnings(new);
END
$fn$;
COMMENT ON FUNCTION dunning.save_rule(text, text, text[], text, text, text, boolean, boolean, int, int, text, interval, interval, date, date, text, boolean) IS
    'Adds a contact rule, or replaces the one of this name (a built-in one too: reset_rule() brings it back). What is not given stays as it was. windows: ''Mon-Fri 08:00-20:00, Sat 09:00-15:00'', local time, '''' is never. Returns the version and warnings. A rule that makes no sense: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_rule(text, text, text[], text, text, text, boolean, boolean, int, int, text, interval, interval, date, date, text, boolean) TO dunning_admin;

CREATE FUNCTION dunning._rule_problem(rule dunning.contact_rule, country text, region text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    r dunning.contact_rule := _rule_problem.rule;
    unknown text;
BEGIN
    SELECT string_agg(u.name, ', ') INTO unknown
    FROM unnest(r.channels) u(name)
    WHERE u.name IS NULL OR NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = u.name);
    RETURN CASE
        WHEN r.rule IS NULL OR r.rule !~ '^[a-z0-9][a-z0-9_-]{0,62}$' THEN
            'A rule''s name has 1 to 63 small letters, digits, hyphens and underscores.'
        WHEN r.windows IS NULL AND r.cap IS NULL AND r.min_gap IS NULL AND r.after_conversation IS NULL THEN
            'It needs windows, a cap, min_gap or after_conversation.'
        WHEN dunning._check_windows(r.windows) IS NOT NULL THEN dunning._check_windows(r.windows)
        WHEN cardinality(r.channels) = 0 THEN 'An empty list of channels names none.'
        WHEN unknown IS NOT NULL OR array_position(r.channels, NULL) IS NOT NULL THEN
            format('Unknown channel: %s.', coalesce(unknown, 'NULL'))
        WHEN _rule_problem.country IS NOT NULL AND dunning._place(_rule_problem.country, NULL) IS NULL THEN
            'A country is a two-letter ISO 3166 code.'
        WHEN _rule_problem.region IS NOT NULL AND coalesce(length(dunning._place(r.country, _rule_problem.region)), 0) < 4 THEN
            'A region is the second part of an ISO 3166-2 code and needs its country.'
        WHEN r.debtor_kind NOT IN ('person', 'company') THEN 'debtor_kind is person or company.'
        WHEN r.cap_scope NOT IN ('debtor', 'person') THEN 'cap_scope is debtor or person.'
        WHEN (r.cap IS NULL) <> (r.cap_days IS NULL) THEN 'cap and cap_days belong together.'
        WHEN r.cap < 0 OR r.cap_days NOT BETWEEN 1 AND 92 THEN 'cap is at least 0 and cap_days 1 to 92.'
        WHEN r.min_gap NOT BETWEEN '0' AND '92 days' OR r.after_conversation NOT BETWEEN '0' AND '92 days' THEN
            'min_gap and after_conversation are 0 to 92 days.'
        WHEN NOT isfinite(r.valid_from) OR NOT isfinite(r.valid_to) OR r.valid_to < r.valid_from THEN
            'valid_from and valid_to are finite and in order.'
    END;
END
$fn$;
COMMENT ON FUNCTION dunning._rule_problem(dunning.contact_rule, text, text) IS 'What is wrong with a contact rule, NULL where nothing is.';

CREATE FUNCTION dunning._rule_warnings(rule dunning.contact_rule) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    r dunning.contact_rule := _rule_warnings.rule;
    warned text[] := '{}';
    closed text;
BEGIN
    -- One week without holidays, by quarters of an hour, at one place: enough to see rules that contradict each other.
    SELECT string_agg(c.channel, ', ' ORDER BY c.channel) INTO closed
    FROM (SELECT DISTINCT ON (a.channel) a.* FROM dunning.channel a ORDER BY a.channel, a.builtin) c
    CROSS JOIN LATERAL (SELECT dunning._windows(ARRAY(SELECT replace(u.w, E'\x1f' || 'c' || E'\x1f', E'\x1f' || 'o' || E'\x1f') FROM unnest(m.windows) u(w)), false,
                                                'Etc/UTC', r.country, r.region, NULL, NULL) AS mask
                        FROM dunning._rules_of(r.country, r.region, r.debtor_kind, c.channel, c.rings, NULL, NULL) m) w
    WHERE r.enabled AND (r.channels IS NULL OR c.channel = ANY (r.channels)) AND (r.rings IS NULL OR r.rings = c.rings)
      AND NOT EXISTS (SELECT FROM generate_series('2026-01-05 00:00+00'::timestamptz, '2026-01-11 23:45+00', '15 min') t(at)
                      WHERE dunning._closed(t.at + (coalesce(r.valid_from, '2026-01-05') - '2026-01-05'::date) * interval '1 day', w.mask) IS NULL);
    IF closed IS NOT NULL THEN
        warned := warned || format('with the other rules no hour of the week is left for: %s', closed);
    END IF;
    -- a mask keeps 128 spans of dates (src/calendar/window.c)
    IF r.enabled AND (SELECT count(*) FROM dunning.contact_rule b WHERE b.enabled AND b.windows IS NOT NULL AND (b.valid_from IS NOT NULL OR b.valid_to >= dunning._now()::date)) > 60 THEN
        warned := warned || 'more than 60 rules have dates: where a place meets so many that their dates make more than 128 spans, all of them count on every date'::text;
    END IF;
    IF r.enabled AND r.cap = 0 THEN
        warned := warned || 'a cap of 0 allows no contact at all'::text;
    END IF;
    IF NOT r.enabled AND EXISTS (SELECT FROM dunning.contact_rule b WHERE b.rule = r.rule AND b.builtin AND b.enabled) THEN
        warned := warned || 'a built-in rule is switched off; SELECT dunning.reset_rule() of its name brings it back'::text;
    END IF;
    RETURN warned;
END
$fn$;
COMMENT ON FUNCTION dunning._rule_warnings(dunning.contact_rule) IS 'What to think about before keeping a rule that can be read.';

-- Days since 2000, as C counts them.
CREATE FUNCTION dunning._pack_date(on_date date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN isfinite($1) THEN ($1 - '2000-01-01'::date)::text ELSE '' END;
COMMENT ON FUNCTION dunning._pack_date(date) IS 'A date as masks and caps carry it; empty: no bound.';

CREATE FUNCTION dunning._pack_windows(rule text, valid_from date, valid_to date, holidays boolean, windows text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN concat_ws(E'\x1f', $1, dunning._pack_date($2), dunning._pack_date($3), CASE WHEN $4 THEN 'o' ELSE 'c' END, $5);
COMMENT ON FUNCTION dunning._pack_windows(text, date, date, boolean, text) IS 'One rule as dunning._windows() reads it: name, first and last local date, open or closed on holidays, windows.';

-- All rules of each combination: `combinations` is a SELECT of country, region, kind, channel, rings, from_date, until_date ('' or NULL: unknown).
-- An unknown country or kind is met by every country's and kind's rules: the strictest.
CREATE FUNCTION dunning._rules_sql(combinations text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT format($q$SELECT x.country, x.region, x.kind, x.channel,
        array_agg(r.packed_windows ORDER BY r.rule) FILTER (WHERE r.windows IS NOT NULL) AS windows,
        coalesce(bool_or(r.windows IS NOT NULL AND NOT r.holidays), false) AS holidays_closed,
        array_agg(r.packed ORDER BY r.rule) FILTER (WHERE r.packed IS NOT NULL) AS caps,
        array_agg(r.rule ORDER BY r.rule) FILTER (WHERE r.rule IS NOT NULL) AS names
    FROM (%s) x(country, region, kind, channel, rings, from_date, until_date)
    CROSS JOIN LATERAL (SELECT dunning._place(x.country, x.region) AS place) p
    LEFT JOIN (
        SELECT e.rule, e.country, e.region, e.debtor_kind, e.channels, e.rings, e.windows, e.holidays, e.valid_from, e.valid_to,
               dunning._pack_windows(e.rule, e.valid_from, e.valid_to, e.holidays, e.windows) AS packed_windows,
               -- rule, cap, days, scope, gap and silence in seconds, channels counted, dates: unit separators between, read by the gate
               CASE WHEN e.cap IS NOT NULL OR e.min_gap IS NOT NULL OR e.after_conversation IS NOT NULL THEN
                   concat_ws(E'\x1f', e.rule, coalesce(e.cap, -1), coalesce(e.cap_days, 0), e.cap_scope,
                       coalesce(extract(epoch FROM e.min_gap)::bigint, 0), coalesce(extract(epoch FROM e.after_conversation)::bigint, 0),
                       CASE WHEN e.channels IS NULL AND e.rings IS NULL THEN '*' ELSE coalesce((
                           SELECT string_agg(c.channel, E'\x1e' ORDER BY c.channel)
                           FROM (SELECT DISTINCT ON (b.channel) b.channel, b.rings FROM dunning.channel b ORDER BY b.channel, b.builtin) c
                           WHERE (e.channels IS NULL OR c.channel = ANY (e.channels)) AND (e.rings IS NULL OR e.rings = c.rings)), '') END,
                       dunning._pack_date(e.valid_from), dunning._pack_date(e.valid_to)) END AS packed
        FROM (SELECT DISTINCT ON (b.rule) b.* FROM dunning.contact_rule b ORDER BY b.rule, b.builtin) e
        WHERE e.enabled) r
    ON (r.country IS NULL OR p.place IS NULL OR r.country = substr(p.place, 1, 2))
      AND (r.region IS NULL OR p.place IS NULL OR substr(p.place, 4) = '' OR r.region = substr(p.place, 4))
      AND (r.debtor_kind IS NULL OR coalesce(x.kind, '') = '' OR r.debtor_kind = x.kind)
      AND (r.channels IS NULL OR x.channel = ANY (r.channels))
      AND (r.rings IS NULL OR r.rings = x.rings)
      AND (r.valid_from IS NULL OR x.until_date IS NULL OR r.valid_from <= x.until_date)
      AND (r.valid_to IS NULL OR x.from_date IS NULL OR r.valid_to >= x.from_date)
    GROUP BY 1, 2, 3, 4$q$, $1)
$sql$;
COMMENT ON FUNCTION dunning._rules_sql(text) IS
    'SQL text: for each combination of place, kind and channel the rules that apply on any date asked for: windows packed for the mask, whether one of them closes holidays, caps packed for the gate, names. Each rule keeps the dates it is valid, so that every instant is judged by those of its own local date.';

CREATE FUNCTION dunning._rules_of(country text, region text, debtor_kind text, channel text, rings boolean, from_date date, until_date date,
    OUT windows text[], OUT holidays_closed boolean, OUT caps text[], OUT names text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    EXECUTE 'SELECT u.windows, u.holidays_closed, u.caps, u.names FROM (' || dunning._rules_sql('SELECT $1, $2, $3, $4, $5, $6, $7') || ') u'
    INTO _rules_of.windows, _rules_of.holidays_closed, _rules_of.caps, _rules_of.names
    USING _rules_of.country, _rules_of.region, _rules_of.debtor_kind, _rules_of.channel, _rules_of.rings, _rules_of.from_date, _rules_of.until_date;
END
$fn$;
COMMENT ON FUNCTION dunning._rules_of(text, text, text, text, boolean, date, date) IS
    'The rules that apply to one combination between two dates (NULL: at any time).';
GRANT EXECUTE ON FUNCTION dunning._rules_of(text, text, text, text, boolean, date, date) TO dunning_worker;

-- A table's name is the kind of its changes, and what its rows are called.
CREATE FUNCTION dunning._reset_own(kind text, key_column text, name text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old jsonb;
    known boolean;
BEGIN
    EXECUTE format('DELETE FROM dunning.%I r WHERE r.%I = $1 AND NOT r.builtin RETURNING to_jsonb(r)', _reset_own.kind, _reset_own.key_column) INTO old USING _reset_own.name;
    IF old IS NOT NULL THEN
        PERFORM dunning._log_rule_change(_reset_own.kind, _reset_own.name, old, NULL);
        RETURN true;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM dunning.%I r WHERE r.%I = $1)', _reset_own.kind, _reset_own.key_column) INTO known USING _reset_own.name;
    IF NOT known THEN
        RAISE EXCEPTION 'unknown % "%"', replace(_reset_own.kind, '_', ' '), _reset_own.name
            USING ERRCODE = '22023', HINT = format('SELECT %I FROM dunning.%I;', _reset_own.key_column, _reset_own.kind);
    END IF;
    RETURN false;
END
$fn$;
COMMENT ON FUNCTION dunning._reset_own(text, text, text) IS 'Removes the user''s row of a table whose built-in rows it replaces, and logs that: contact_rule, date_effect. False where only a built-in one is there.';

CREATE FUNCTION dunning.reset_rule(rule text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN dunning._reset_own('contact_rule', 'rule', reset_rule.rule);
END
$fn$;
COMMENT ON FUNCTION dunning.reset_rule(text) IS 'True where a rule of your own was removed, so that a built-in one of the same name holds again. Unknown rule: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_rule(text) TO dunning_admin;

CREATE FUNCTION dunning.save_holiday(country text, on_date date, name text, region text DEFAULT NULL, open boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := dunning._place(save_holiday.country, save_holiday.region);
    old jsonb;
BEGIN
    IF place IS NULL OR (save_holiday.region <> '' AND length(place) < 4) OR save_holiday.on_date IS NULL
       OR NOT isfinite(save_holiday.on_date) OR coalesce(save_holiday.name, '') = '' OR save_holiday.open IS NULL THEN
        RAISE EXCEPTION 'a holiday needs a country, a date and a name'
            USING ERRCODE = '22023', DETAIL = format('Given: country %L, region %L, date %L, name %L.',
                      save_holiday.country, save_holiday.region, save_holiday.on_date, save_holiday.name),
                  HINT = 'SELECT dunning.save_holiday(''DK'', ''2027-05-07'', ''Company day'');';
    END IF;
    SELECT to_jsonb(h) INTO old FROM dunning.holiday h
    WHERE h.country = substr(place, 1, 2) AND h.region = substr(place, 4) AND h.on_date = save_holiday.on_date;
    INSERT INTO dunning.holiday AS h (country, region, on_date, name, open)
    VALUES (substr(place, 1, 2), substr(place, 4), save_holiday.on_date, save_holiday.name, save_holiday.open)
    ON CONFLICT ON CONSTRAINT holiday_pkey DO UPDATE SET name = EXCLUDED.name, open = EXCLUDED.open;
    PERFORM dunning._log_rule_change('holiday', place || ' ' || save_holiday.on_date, old,
        jsonb_build_object('name', save_holiday.name, 'open', save_holiday.open));
END
$fn$;
COMMENT ON FUNCTION dunning.save_holiday(text, date, text, text, boolean) IS
    'Adds a day without contact on ringing channels; with open => true a computed holiday becomes a working day. Missing or infinite values: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_holiday(text, date, text, text, boolean) TO dunning_admin;

GRANT SELECT ON dunning.contact_rule, dunning.holiday, dunning.rule_change TO dunning_viewer;
GRANT SELECT ON dunning.contact_rule, dunning.holiday TO dunning_worker;
GRANT EXECUTE ON FUNCTION dunning._place(text, text), dunning._zone(text, text, text), dunning._local_time(timestamptz, text),
    dunning._windows(text[], boolean, text, text, text, date[], date[]), dunning._closed(timestamptz, bytea),
    dunning._zone_key(text, text, text, text), dunning._pack_date(date), dunning._pack_windows(text, date, date, boolean, text) TO dunning_viewer, dunning_worker;
