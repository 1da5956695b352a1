-- gate: what a debtor wishes: hours that do not suit, channels that are not liked, a day before which they want to be left alone.
-- A wish is a rule with one person for a place. The gate folds it into the mask, so that best times, planning and the last look
-- before sending heed it alike; it can only tighten.

CREATE TABLE dunning.contact_wish (
    debtor_id       text COLLATE "C" NOT NULL,  -- the account at which it was said
    wish            text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    person_id       text COLLATE "C",           -- every account that names this person; NULL: this account alone
    channels        text[],                     -- NULL: every channel
    windows         text NOT NULL,              -- local: 'not Mon-Fri 09:00-17:00', 'Sat 10:00-14:00'; '': never
    valid_from      date,
    valid_to        date,
    note            text,
    saved_by        text NOT NULL,
    saved_at        timestamptz NOT NULL,
    PRIMARY KEY (debtor_id, wish)
);
COMMENT ON TABLE dunning.contact_wish IS 'When debtors do not want to be contacted, as they told us. save_contact_wish() keeps it.';
CREATE INDEX contact_wish_person ON dunning.contact_wish (person_id) WHERE person_id IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('dunning.contact_wish', '');
-- The note is not for those who read figures.
GRANT SELECT (debtor_id, wish, creditor, person_id, channels, windows, valid_from, valid_to, saved_by, saved_at) ON dunning.contact_wish TO dunning_viewer;
GRANT SELECT ON dunning.contact_wish TO dunning_operator, dunning_worker;

CREATE FUNCTION dunning._wishes_sql() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT $q$SELECT w.debtor_id, w.person_id, w.channels, dunning._pack_windows('wish:' || w.wish, w.valid_from, w.valid_to, true, w.windows) AS packed FROM dunning.contact_wish w$q$
$sql$;
COMMENT ON FUNCTION dunning._wishes_sql() IS 'SQL text: wishes as rules of a mask.';
GRANT EXECUTE ON FUNCTION dunning._wishes_sql() TO dunning_worker;

CREATE FUNCTION dunning._wish_problem(wish dunning.contact_wish, scope text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    w dunning.contact_wish := _wish_problem.wish;
BEGIN
    RETURN CASE
        WHEN w.wish IS NULL OR w.wish !~ '^[a-z0-9][a-z0-9_-]{0,39}$' THEN 'A wish has a name of 1 to 40 small letters, digits, hyphens and underscores.'
        WHEN w.windows IS NULL THEN 'It needs windows (''not Mon-Fri 09:00-17:00'') or not_before.'
        WHEN dunning._check_windows(w.windows) IS NOT NULL THEN dunning._check_windows(w.windows)
        WHEN cardinality(w.channels) = 0 OR array_position(w.channels, NULL) IS NOT NULL
             OR EXISTS (SELECT FROM unnest(w.channels) u(name) WHERE NOT EXISTS (SELECT FROM dunning.channel c WHERE c.channel = u.name)) THEN
            format('channels are some of %s.', (SELECT string_agg(DISTINCT c.channel, ', ' ORDER BY c.channel) FROM dunning.channel c))
        WHEN NOT isfinite(w.valid_from) OR NOT isfinite(w.valid_to) OR w.valid_to < w.valid_from THEN 'The days are finite and in order.'
        WHEN _wish_problem.scope NOT IN ('debtor', 'person') OR _wish_problem.scope IS NULL THEN 'scope is debtor (this account) or person (all accounts).'
    END;
END
$fn$;
COMMENT ON FUNCTION dunning._wish_problem(dunning.contact_wish, text) IS 'What is wrong with a wish, NULL where nothing is.';

CREATE FUNCTION dunning.save_contact_wish(debtor_id text, wish text, windows text DEFAULT NULL, channels text[] DEFAULT NULL, not_before date DEFAULT NULL,
    valid_from date DEFAULT NULL, valid_to date DEFAULT NULL, scope text DEFAULT 'person', note text DEFAULT NULL)
    RETURNS TABLE (next_allowed timestamptz, warnings text[])
    LANGUAGE plpgsql SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    new dunning.contact_wish;
    old jsonb;
    wrong text;
    nobody text[];
    first timestamptz;
BEGIN
    new.debtor_id := dunning._canonical_id(save_contact_wish.debtor_id);
    new.creditor := dunning._creditor_of(new.debtor_id);
    IF new.creditor IS NULL OR new.debtor_id = '' THEN
        RAISE EXCEPTION 'unknown debtor "%"', save_contact_wish.debtor_id
            USING ERRCODE = '22023', DETAIL = 'The ledger has no such debtor.', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    new.wish := save_contact_wish.wish;
    -- "not before the 1st" is: never, up to the day before
    new.windows := CASE WHEN save_contact_wish.not_before IS NOT NULL AND save_contact_wish.windows IS NULL THEN '' ELSE save_contact_wish.windows END;
    new.channels := save_contact_wish.channels;
    new.valid_from := save_contact_wish.valid_from;
    new.valid_to := CASE WHEN save_contact_wish.not_before IS NULL THEN save_contact_wish.valid_to
                         WHEN isfinite(save_contact_wish.not_before) THEN save_contact_wish.not_before - 1 ELSE save_contact_wish.not_before END;
    new.note := save_contact_wish.note;
    new.saved_by := session_user;
    new.saved_at := dunning._now();
    wrong := CASE WHEN save_contact_wish.not_before IS NOT NULL AND (save_contact_wish.windows IS NOT NULL OR save_contact_wish.valid_to IS NOT NULL)
                  THEN 'not_before stands without windows and valid_to: save two wishes.' ELSE dunning._wish_problem(new, save_contact_wish.scope) END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'wish "%" makes no sense', save_contact_wish.wish USING ERRCODE = '22023', DETAIL = wrong,
            HINT = format('SELECT * FROM dunning.save_contact_wish(%L, ''at-work'', ''not Mon-Fri 09:00-17:00'', channels => ''{call}'');', new.debtor_id);
    END IF;
    IF save_contact_wish.scope = 'person' AND dunning._ledger_problem() IS DISTINCT FROM 'ledger_broken' THEN
        EXECUTE format('SELECT d.person_id FROM (%s) d', dunning._ledger_sql('debtor', '$1')) INTO new.person_id USING ARRAY[new.debtor_id];
    END IF;
    SELECT to_jsonb(w) - '{note}'::text[] INTO old FROM dunning.contact_wish w WHERE w.debtor_id = new.debtor_id AND w.wish = new.wish;
    INSERT INTO dunning.contact_wish AS w VALUES (new.*)
    ON CONFLICT ON CONSTRAINT contact_wish_pkey DO UPDATE SET creditor = EXCLUDED.creditor, person_id = EXCLUDED.person_id, channels = EXCLUDED.channels,
        windows = EXCLUDED.windows, valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to, note = EXCLUDED.note,
        saved_by = EXCLUDED.saved_by, saved_at = EXCLUDED.saved_at;
    PERFORM dunning._log_rule_change('contact_wish', new.debtor_id || ' ' || new.wish, old, to_jsonb(new) - '{note}'::text[]);

    SELECT min(dunning._first_open(new.debtor_id, c.channel)), array_agg(c.channel ORDER BY c.channel) FILTER (WHERE dunning._first_open(new.debtor_id, c.channel) IS NULL)
    INTO first, nobody
    FROM (SELECT DISTINCT c.channel FROM dunning.channel c WHERE new.channels IS NULL OR c.channel = ANY (new.channels)) c;
    RETURN QUERY SELECT first, CASE WHEN nobody IS NULL THEN '{}' ELSE
        ARRAY[format('with the rules no hour of the next sixty days is left for: %s', array_to_string(nobody, ', '))] END;
END
$fn$;
COMMENT ON FUNCTION dunning.save_contact_wish(text, text, text, text[], date, date, date, text, text) IS
    'Keeps what a debtor wishes, or replaces the wish of this name: hours (''not Mon-Fri 09:00-17:00'', or those that suit), a day before which nothing may come (not_before), for some channels or all, for all accounts of the person or (scope debtor) this one. The rules hold besides. One row: when the clock next lets a contact through, and for which channels never. Bad values: 22023. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.save_contact_wish(text, text, text, text[], date, date, date, text, text) TO dunning_operator;

-- By the clock alone: caps, holds and consent are another matter.
CREATE FUNCTION dunning._first_open(debtor_id text, channel text) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    f record;
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN NULL;
    END IF;
    EXECUTE dunning._gate_facts_sql() INTO f USING ARRAY[_first_open.debtor_id], ARRAY[_first_open.channel], ARRAY[dunning._now()], NULL::text[], NULL::uuid[];
    RETURN dunning._next_open(dunning._now(), dunning._now() + '60 days'::interval, _first_open.debtor_id, f.windows, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
END
$fn$;
COMMENT ON FUNCTION dunning._first_open(text, text) IS 'When rules and wishes next leave a debtor open on a channel, within sixty days; NULL where they do not.';

CREATE FUNCTION dunning.drop_contact_wish(debtor_id text, wish text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(drop_contact_wish.debtor_id);
    old dunning.contact_wish;
BEGIN
    DELETE FROM dunning.contact_wish w WHERE w.debtor_id = id AND w.wish = drop_contact_wish.wish RETURNING w.* INTO old;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM dunning._log_rule_change('contact_wish', old.debtor_id || ' ' || old.wish, to_jsonb(old) - '{note}'::text[], NULL);
    RETURN true;
END
$fn$;
COMMENT ON FUNCTION dunning.drop_contact_wish(text, text) IS 'True where the debtor had such a wish and has it no more. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.drop_contact_wish(text, text) TO dunning_operator;

-- ---- why not ----

CREATE FUNCTION dunning.closing_rules(debtor_id text, channel text, from_time timestamptz DEFAULT NULL, until_time timestamptz DEFAULT NULL)
    RETURNS TABLE (rule text, closed_share float8, alone_share float8, windows text, cap text, source text, verified boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 8 SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(closing_rules.debtor_id);
    starts timestamptz := coalesce(closing_rules.from_time, dunning._now());
    ends timestamptz := coalesce(closing_rules.until_time, least(coalesce(closing_rules.from_time, dunning._now()), '9999-12-24 00:00+00') + '7 days'::interval);
    slots float8;
    f record;
BEGIN
    PERFORM dunning._need_channel(closing_rules.channel);
    IF id IS NULL OR (isfinite(starts) AND isfinite(ends)) IS NOT TRUE OR starts >= ends OR ends - starts > '62 days'::interval THEN
        RAISE EXCEPTION 'no such span: % to %', starts, ends
            USING ERRCODE = '22023', DETAIL = 'Both ends are finite, in order, and at most 62 days apart; a debtor is given.',
                  HINT = 'SELECT * FROM dunning.closing_rules(''1042'', ''sms'', now(), now() + ''7 days'');';
    END IF;
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    EXECUTE dunning._gate_facts_sql() INTO f USING ARRAY[id], ARRAY[closing_rules.channel], ARRAY[starts], NULL::text[], NULL::uuid[];
    IF f.windows IS NULL THEN
        RETURN;
    END IF;
    slots := ceil(extract(epoch FROM ends - starts) / 900);
    RETURN QUERY
        SELECT c.rule, c.closed / slots, c.alone / slots, coalesce(r.windows, o.windows), NULL::text, coalesce(r.source, 'the debtor'), coalesce(r.verified, true)
        FROM dunning._closing_rules(starts, ends, f.windows) c
        LEFT JOIN (SELECT DISTINCT ON (b.rule) b.rule, b.windows, b.source, b.verified FROM dunning.contact_rule b ORDER BY b.rule, b.builtin) r ON r.rule = c.rule
        LEFT JOIN LATERAL (SELECT w.windows FROM dunning.contact_wish w WHERE 'wish:' || w.wish = c.rule
                           AND (w.debtor_id = id OR w.person_id = (SELECT v.person_id FROM dunning.contact_wish v WHERE v.debtor_id = id LIMIT 1)) LIMIT 1) o ON c.rule LIKE 'wish:%'
        UNION ALL
        SELECT y.rule, y.n / slots, NULL::float8, NULL::text, concat_ws(', ', r.cap || ' in ' || r.cap_days || ' days', 'gap ' || r.min_gap, 'silence ' || r.after_conversation), r.source, r.verified
        FROM (SELECT split_part(w.word, ':', 2) AS rule, count(DISTINCT t.at)::float8 AS n
              FROM generate_series(starts, ends - interval '1 microsecond', '15 minutes') t(at)
              CROSS JOIN LATERAL unnest(dunning._caps(0, t.at, id, NULL, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks)) w(word)
              GROUP BY 1) y
        LEFT JOIN (SELECT DISTINCT ON (b.rule) b.* FROM dunning.contact_rule b ORDER BY b.rule, b.builtin) r ON r.rule = y.rule
        ORDER BY 2 DESC, 1;
END
$fn$;
COMMENT ON FUNCTION dunning.closing_rules(text, text, timestamptz, timestamptz) IS
    'Which rules, wishes and caps leave a debtor closed on a channel: the share of the quarters of an hour of a span (a week from now, at most 62 days) that each closes, and that it alone of the clock''s rules closes; with its source. Bad span, unknown channel: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.closing_rules(text, text, timestamptz, timestamptz) TO dunning_viewer;
