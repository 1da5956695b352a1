-- calendar: dates on which many have money, owe it or are away, and what they do to a contact.

CREATE FUNCTION dunning._packed_effects(country text, region text, vat text, tags text[], from_days int[], until_days int[], multipliers float8[],
    own_tags text[], own_firsts date[], own_lasts date[]) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_effects';
COMMENT ON FUNCTION dunning._packed_effects(text, text, text, text[], int[], int[], float8[], text[], date[], date[]) IS
    'Effects and own dates of a place as C reads them (src/calendar/money.h).';

CREATE FUNCTION dunning._effect(effects bytea, on_date date, OUT multiplier float8, OUT tag text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_calendar_sql_effect';
COMMENT ON FUNCTION dunning._effect(bytea, date) IS
    'What a contact on this date is worth against one on any other day, and the tag that does most of it (NULL: none, the multiplier is 1). Effects: dunning._effects().';

CREATE TABLE dunning.date_effect (
    effect          text COLLATE "C" NOT NULL CHECK (effect ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    builtin         boolean NOT NULL DEFAULT false,
    tag             text NOT NULL CHECK (tag ~ '^[a-z][a-z0-9_]{0,22}$'),       -- of calendar_dates()
    country         text,                       -- NULL: everywhere
    region          text,
    debtor_kind     text CHECK (debtor_kind IN ('person', 'company')),      -- NULL: both, and debtors of unknown kind
    from_day        int NOT NULL CHECK (from_day BETWEEN -31 AND 31),       -- days from the date; below 0: before it
    until_day       int NOT NULL CHECK (until_day BETWEEN -31 AND 31),      -- days from its last day
    multiplier      float8 NOT NULL CHECK (multiplier BETWEEN 0.1 AND 10),
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    learn           boolean NOT NULL DEFAULT true,      -- what contacts show replaces the multiplier
    PRIMARY KEY (effect, builtin),
    CHECK (until_day >= from_day OR tag = 'closure')
);
COMMENT ON TABLE dunning.date_effect IS
    'What dates do to the worth of a contact: a user''s row of the same name replaces the built-in one. Of one tag the strongest effect counts, those of several tags are multiplied.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.date_effect FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.date_effect ENABLE ALWAYS TRIGGER changed;

-- An effect is known where the evidence weighs as much as the 200 answers of no effect that it is held against, and sure where
-- it lies three standard errors from 1: nights are many, and effects several. Dates that came but once may have had a reason of their own.
CREATE TABLE dunning.date_effect_learnt (
    effect          text COLLATE "C" NOT NULL,
    country         text NOT NULL,              -- '': unknown
    debtor_kind     text NOT NULL,              -- '': unknown
    contacts        bigint NOT NULL,            -- made on days that the effect reaches
    answers         bigint NOT NULL,
    expected        float8 NOT NULL,            -- answers that they would have had on other days
    occasions       int NOT NULL,               -- spells of such days
    weight          float8 NOT NULL,            -- how many answers the evidence is worth
    multiplier      float8 NOT NULL CHECK (multiplier BETWEEN 0.1 AND 10),
    low             float8 NOT NULL,            -- between which the data alone put it, 95 in 100
    high            float8 NOT NULL,
    state           text NOT NULL CHECK (state IN ('unknown', 'known', 'sure')),
    since           date NOT NULL,              -- the first and the last of these contacts
    until           date NOT NULL,
    as_of           timestamptz NOT NULL,
    PRIMARY KEY (effect, country, debtor_kind)
);
COMMENT ON TABLE dunning.date_effect_learnt IS
    'What contacts and answers showed of a date effect, learnt by maintain(), by country and kind of debtor. Where it is known it replaces the multiplier of an enabled effect; a built-in effect that is disabled is heeded where it is sure. date_effect.learn = false keeps it out.';

CREATE TABLE dunning.money_date (
    country         text NOT NULL DEFAULT '',   -- '': everywhere
    region          text NOT NULL DEFAULT '',
    tag             text NOT NULL CHECK (tag ~ '^[a-z][a-z0-9_]{0,22}$'),
    on_date         date NOT NULL CHECK (isfinite(on_date)),
    until_date      date NOT NULL CHECK (isfinite(until_date)),
    debtor_kind     text CHECK (debtor_kind IN ('person', 'company')),
    name            text NOT NULL,
    source          text NOT NULL,
    PRIMARY KEY (country, region, tag, on_date),
    CHECK (until_date BETWEEN on_date AND on_date + 366)
);
COMMENT ON TABLE dunning.money_date IS 'Money dates and closures of the user, beside those computed.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.date_effect_learnt FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.date_effect_learnt ENABLE ALWAYS TRIGGER changed;
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.money_date FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.money_date ENABLE ALWAYS TRIGGER changed;

SELECT pg_catalog.pg_extension_config_dump('dunning.date_effect', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.date_effect_learnt', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.money_date', '');
GRANT SELECT ON dunning.date_effect, dunning.date_effect_learnt, dunning.money_date TO dunning_viewer, dunning_worker;

-- Nobody has measured these: they are where a house may begin, and they are off. Dates that tell of children or benefits are for
-- a creditor who lawfully knows whom they concern: they are not even learnt unless he says so.
INSERT INTO dunning.date_effect (effect, builtin, tag, debtor_kind, from_day, until_day, multiplier, source, verified, enabled, learn) VALUES
    ('vat-due',         true, 'vat_due',         'company', -3, 0, 0.6, 'guess', false, false, true),
    ('vat-refund',      true, 'vat_refund',      'company',  0, 7, 1.5, 'guess', false, false, true),
    ('tax-due',         true, 'tax_due',         NULL,      -3, 0, 0.7, 'guess', false, false, true),
    ('tax-refund',      true, 'tax_refund',      'person',   0, 7, 1.3, 'guess', false, false, true),
    ('closure',         true, 'closure',         'company',  0, 0, 0.3, 'guess', false, false, true),
    ('child-benefit',   true, 'child_benefit',   'person',   0, 3, 1.2, 'guess; only where the creditor lawfully knows who has children', false, false, false),
    ('social-security', true, 'social_security', 'person',   0, 3, 1.2, 'guess; only where the creditor lawfully knows who draws it', false, false, false),
    ('allowance',       true, 'allowance',       'person',   0, 3, 1.1, 'guess; only where the creditor lawfully knows who draws it', false, false, false);

CREATE FUNCTION dunning._effects(country text, region text, debtor_kind text, vat text DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := coalesce(dunning._place(_effects.country, _effects.region), '');
    e record;
    o record;
BEGIN
    SELECT array_agg(f.tag) AS tags, array_agg(f.from_day) AS froms, array_agg(f.until_day) AS untils, array_agg(f.multiplier) AS multipliers INTO e
    FROM (SELECT u.tag, u.from_day, u.until_day, CASE WHEN l.state = 'sure' OR l.state = 'known' AND u.enabled THEN l.multiplier ELSE u.multiplier END AS multiplier
          FROM (SELECT DISTINCT ON (d.effect) d.* FROM dunning.date_effect d ORDER BY d.effect, d.builtin) u
          LEFT JOIN dunning.date_effect_learnt l ON u.learn AND l.effect = u.effect AND l.country = substr(place, 1, 2) AND l.debtor_kind = coalesce(_effects.debtor_kind, '')
          -- What is off in the row of a user stays off.
          WHERE (u.enabled OR u.builtin AND l.state = 'sure') AND (u.country IS NULL OR u.country = substr(place, 1, 2)) AND (u.region IS NULL OR u.region = substr(place, 4))
            AND (u.debtor_kind IS NULL OR u.debtor_kind = _effects.debtor_kind)
          ORDER BY u.effect) f;
    SELECT array_agg(m.tag) AS tags, array_agg(m.on_date) AS firsts, array_agg(m.until_date) AS lasts INTO o
    FROM dunning.money_date m
    WHERE m.tag = ANY (e.tags) AND m.country IN ('', substr(place, 1, 2)) AND m.region IN ('', substr(place, 4))
      AND (m.debtor_kind IS NULL OR m.debtor_kind = _effects.debtor_kind);
    RETURN dunning._packed_effects(_effects.country, _effects.region, _effects.vat, e.tags, e.froms, e.untils, e.multipliers, o.tags, o.firsts, o.lasts);
END
$fn$;
COMMENT ON FUNCTION dunning._effects(text, text, text, text) IS
    'The enabled effects of dates, and those that are surely so (date_effect_learnt), for a place and kind of debtor, for dunning._effect() and the best times. vat: the firm''s period (monthly, two-monthly, quarterly, half-yearly, yearly), refund for one that gets VAT back, NULL: the usual ones.';
GRANT EXECUTE ON FUNCTION dunning._effects(text, text, text, text) TO dunning_worker;

CREATE FUNCTION dunning.calendar_dates(country text, from_date date, until_date date)
    RETURNS TABLE (on_date date, kind text, name text, effect text, source text, tag text, debtor_kind text, verified boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := dunning._place(split_part(calendar_dates.country, '-', 1), nullif(split_part(calendar_dates.country, '-', 2), ''));
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'unknown country "%"', calendar_dates.country
            USING ERRCODE = '22023', DETAIL = 'A country is a two-letter ISO 3166 code, a region follows after a hyphen.',
                  HINT = 'SELECT * FROM dunning.calendar_dates(''DK'', ''2026-01-01'', ''2026-12-31'');';
    END IF;
    IF calendar_dates.from_date IS NULL OR calendar_dates.until_date IS NULL
       OR calendar_dates.from_date < '1900-01-01' OR calendar_dates.until_date > '2199-12-31'
       OR calendar_dates.from_date > calendar_dates.until_date THEN
        RAISE EXCEPTION 'no such range of dates: % to %', calendar_dates.from_date, calendar_dates.until_date
            USING ERRCODE = '22023', DETAIL = 'Calendars are computed for the years 1900 to 2199.',
                  HINT = 'Give from_date on or before until_date, both within these years.';
    END IF;
    RETURN QUERY
        SELECT c.on_date, c.kind, c.name, c.effect, c.source, c.tag, c.debtor_kind, c.verified
        FROM dunning._computed_dates(substr(place, 1, 2), substr(place, 4), calendar_dates.from_date, calendar_dates.until_date) c
        WHERE c.kind <> 'holiday' OR NOT EXISTS (
            SELECT FROM dunning.holiday h
            WHERE h.country = substr(place, 1, 2) AND h.region IN ('', substr(place, 4)) AND h.on_date = c.on_date)
        UNION ALL
        SELECT h.on_date, 'holiday', h.name, CASE WHEN h.open THEN 'open' ELSE 'closed' END, 'dunning.holiday', 'holiday', NULL::text, true
        FROM dunning.holiday h
        WHERE h.country = substr(place, 1, 2) AND h.region IN ('', substr(place, 4))
          AND h.on_date BETWEEN calendar_dates.from_date AND calendar_dates.until_date
        UNION ALL
        SELECT m.on_date, 'own', m.name, 'own', m.source, m.tag, m.debtor_kind, true
        FROM dunning.money_date m
        WHERE (m.country = '' OR m.country = substr(place, 1, 2)) AND m.region IN ('', substr(place, 4))
          AND m.on_date BETWEEN calendar_dates.from_date AND calendar_dates.until_date
        ORDER BY 1, 2, 3;
END
$fn$;
COMMENT ON FUNCTION dunning.calendar_dates(text, date, date) IS
    'Dates that matter in a country (''DK'', ''GB-SCT''), both ends included: holidays (effect closed, or open by dunning.holiday), dates of income and of tax (outflow), the first day of closures (away) and your own of dunning.money_date, with the tag that date_effect goes by, whose date it is, the source and whether it was verified. Bad country or range: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.calendar_dates(text, date, date) TO dunning_viewer;

CREATE FUNCTION dunning.date_effects(country text, from_date date, until_date date, debtor_kind text DEFAULT 'person', vat text DEFAULT NULL)
    RETURNS TABLE (on_date date, multiplier float8, tag text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 30 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    packed bytea := dunning._effects(split_part(date_effects.country, '-', 1), nullif(split_part(date_effects.country, '-', 2), ''),
                                     date_effects.debtor_kind, date_effects.vat);
BEGIN
    -- refuses what cannot be computed
    PERFORM dunning.calendar_dates(date_effects.country, date_effects.from_date, date_effects.until_date);
    RETURN QUERY
        SELECT d.d::date, x.multiplier, x.tag
        FROM generate_series(date_effects.from_date::timestamp, date_effects.until_date::timestamp, '1 day') d(d)
        CROSS JOIN LATERAL dunning._effect(packed, d.d::date) x
        WHERE x.tag IS NOT NULL ORDER BY 1;
END
$fn$;
COMMENT ON FUNCTION dunning.date_effects(text, date, date, text, text) IS
    'The days on which a contact is worth more or less for their date, with the tag that does most of it; empty while every effect is disabled. Bad country or range: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.date_effects(text, date, date, text, text) TO dunning_viewer;

-- ---- changing ----

CREATE FUNCTION dunning.save_date_effect(effect text, tag text DEFAULT NULL, multiplier float8 DEFAULT NULL, from_day int DEFAULT NULL, until_day int DEFAULT NULL,
    country text DEFAULT NULL, region text DEFAULT NULL, debtor_kind text DEFAULT NULL, source text DEFAULT NULL, enabled boolean DEFAULT true, learn boolean DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    old dunning.date_effect;
    new dunning.date_effect;
    wrong text;
BEGIN
    SELECT d.* INTO old FROM dunning.date_effect d WHERE d.effect = save_date_effect.effect ORDER BY d.builtin LIMIT 1;
    new := old;
    new.effect := save_date_effect.effect;
    new.builtin := false;
    new.tag := coalesce(save_date_effect.tag, old.tag);
    new.multiplier := coalesce(save_date_effect.multiplier, old.multiplier);
    new.from_day := coalesce(save_date_effect.from_day, old.from_day, 0);
    new.until_day := coalesce(save_date_effect.until_day, old.until_day, new.from_day);
    new.country := coalesce(substr(dunning._place(save_date_effect.country, NULL), 1, 2), old.country);
    new.region := coalesce(substr(dunning._place(new.country, save_date_effect.region), 4), old.region);
    new.debtor_kind := coalesce(save_date_effect.debtor_kind, old.debtor_kind);
    new.source := coalesce(save_date_effect.source, old.source, 'own');
    new.verified := true;
    new.enabled := coalesce(save_date_effect.enabled, true);
    new.learn := coalesce(save_date_effect.learn, old.learn, true);
    wrong := CASE
        WHEN new.effect IS NULL OR new.effect !~ '^[a-z0-9][a-z0-9_-]{0,62}$' THEN 'A name has 1 to 63 small letters, digits, hyphens and underscores.'
        WHEN new.tag IS NULL OR new.tag !~ '^[a-z][a-z0-9_]{0,22}$' THEN 'A tag names the dates it is about, as calendar_dates() does.'
        WHEN (new.multiplier BETWEEN 0.1 AND 10) IS NOT TRUE THEN 'A multiplier lies between 0.1 and 10; 1 is no effect.'
        WHEN new.from_day NOT BETWEEN -31 AND 31 OR new.until_day NOT BETWEEN -31 AND 31 OR (new.until_day < new.from_day AND new.tag <> 'closure') THEN
            'from_day and until_day are in order and within 31 days of the date.'
        WHEN save_date_effect.country IS NOT NULL AND dunning._place(save_date_effect.country, NULL) IS NULL THEN 'A country is a two-letter ISO 3166 code.'
        WHEN save_date_effect.region IS NOT NULL AND coalesce(length(dunning._place(new.country, save_date_effect.region)), 0) < 4 THEN
            'A region is the second part of an ISO 3166-2 code and needs its country.'
        WHEN new.debtor_kind NOT IN ('person', 'company') THEN 'debtor_kind is person or company.' END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'date effect "%" makes no sense', save_date_effect.effect USING ERRCODE = '22023', DETAIL = wrong,
            HINT = 'SELECT dunning.save_date_effect(''vat-due'', tag => ''vat_due'', multiplier => 0.7, from_day => -3, until_day => 0, debtor_kind => ''company'');';
    END IF;
    INSERT INTO dunning.date_effect AS d VALUES (new.*)
    ON CONFLICT ON CONSTRAINT date_effect_pkey DO UPDATE SET tag = EXCLUDED.tag, multiplier = EXCLUDED.multiplier, from_day = EXCLUDED.from_day,
        until_day = EXCLUDED.until_day, country = EXCLUDED.country, region = EXCLUDED.region, debtor_kind = EXCLUDED.debtor_kind,
        source = EXCLUDED.source, verified = EXCLUDED.verified, enabled = EXCLUDED.enabled, learn = EXCLUDED.learn;
    -- Of other days nothing was learnt yet.
    DELETE FROM dunning.date_effect_learnt l WHERE l.effect = new.effect AND (new.tag, new.from_day, new.until_day) IS DISTINCT FROM (old.tag, old.from_day, old.until_day);
    PERFORM dunning._log_rule_change('date_effect', new.effect, CASE WHEN old.effect IS NOT NULL THEN to_jsonb(old) END, to_jsonb(new));
END
$fn$;
COMMENT ON FUNCTION dunning.save_date_effect(text, text, float8, int, int, text, text, text, text, boolean, boolean) IS
    'Adds what a kind of date does to the worth of a contact, or replaces the row of this name: save_date_effect(''vat-due'') alone switches the shipped one on. What contacts show replaces the multiplier; learn => false keeps it. What is not given stays as it was. Values that make no sense: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_date_effect(text, text, float8, int, int, text, text, text, text, boolean, boolean) TO dunning_admin;

CREATE FUNCTION dunning.reset_date_effect(effect text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF NOT dunning._reset_own('date_effect', 'effect', reset_date_effect.effect) THEN
        RETURN false;
    END IF;
    -- It may have been of other days.
    DELETE FROM dunning.date_effect_learnt l WHERE l.effect = reset_date_effect.effect;
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning.reset_date_effect(text) IS 'True where an effect of your own was removed, so that a built-in one of the same name holds again. Unknown effect: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.reset_date_effect(text) TO dunning_admin;

CREATE FUNCTION dunning.save_money_date(tag text, on_date date, name text, country text DEFAULT NULL, region text DEFAULT NULL, until_date date DEFAULT NULL,
    debtor_kind text DEFAULT NULL, source text DEFAULT 'own', remove boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    place text := coalesce(dunning._place(save_money_date.country, save_money_date.region), '');
    last date := coalesce(save_money_date.until_date, save_money_date.on_date);
    old jsonb;
BEGIN
    IF (save_money_date.country IS NOT NULL AND place = '') OR (save_money_date.region IS NOT NULL AND length(place) < 4)
       OR (save_money_date.tag ~ '^[a-z][a-z0-9_]{0,22}$' AND save_money_date.on_date BETWEEN '1900-01-01' AND '2199-12-31'
           AND last BETWEEN save_money_date.on_date AND least(save_money_date.on_date, '2199-12-31') + 366 AND save_money_date.name <> '') IS NOT TRUE
       OR save_money_date.debtor_kind NOT IN ('person', 'company') THEN
        RAISE EXCEPTION 'a money date needs a tag, a date and a name'
            USING ERRCODE = '22023', DETAIL = format('Given: tag %L, %L to %L, name %L, country %L, region %L, debtor_kind %L.', save_money_date.tag,
                      save_money_date.on_date, last, save_money_date.name, save_money_date.country, save_money_date.region, save_money_date.debtor_kind),
                  HINT = 'SELECT dunning.save_money_date(''closure'', ''2027-07-12'', ''works holiday'', country => ''DK'', until_date => ''2027-08-01'', debtor_kind => ''company'');';
    END IF;
    SELECT to_jsonb(m) INTO old FROM dunning.money_date m
    WHERE m.country = substr(place, 1, 2) AND m.region = substr(place, 4) AND m.tag = save_money_date.tag AND m.on_date = save_money_date.on_date;
    DELETE FROM dunning.money_date m
    WHERE m.country = substr(place, 1, 2) AND m.region = substr(place, 4) AND m.tag = save_money_date.tag AND m.on_date = save_money_date.on_date;
    IF NOT save_money_date.remove THEN
        INSERT INTO dunning.money_date AS m (country, region, tag, on_date, until_date, debtor_kind, name, source)
        VALUES (substr(place, 1, 2), substr(place, 4), save_money_date.tag, save_money_date.on_date, last, save_money_date.debtor_kind,
                save_money_date.name, coalesce(save_money_date.source, 'own'));
    END IF;
    PERFORM dunning._log_rule_change('money_date', concat_ws(' ', nullif(place, ''), save_money_date.tag, save_money_date.on_date), old,
        CASE WHEN NOT save_money_date.remove THEN jsonb_build_object('name', save_money_date.name, 'until_date', last, 'debtor_kind', save_money_date.debtor_kind) END);
END
$fn$;
COMMENT ON FUNCTION dunning.save_money_date(text, date, text, text, text, date, text, text, boolean) IS
    'Adds a date, or a span up to until_date, on which debtors have money, owe it or are away; date_effect says what its tag does. remove => true takes it away again. Values that make no sense: 22023. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_money_date(text, date, text, text, text, date, text, text, boolean) TO dunning_admin;
