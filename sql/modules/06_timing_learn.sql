-- timing: contacts are entered into profiles when they are over; each night what the book has in common is learnt from them.

CREATE FUNCTION dunning._enter_contacts(profile dunning.response_profile, zone text, sent timestamptz[], channels text[], answers timestamptz[], late timestamptz[],
    prior bytea, now_at timestamptz) RETURNS dunning.response_profile
    LANGUAGE c STABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'dun_timing_sql_enter';
COMMENT ON FUNCTION dunning._enter_contacts(dunning.response_profile, text, timestamptz[], text[], timestamptz[], timestamptz[], bytea, timestamptz) IS
    'The profile (NULL: none yet) with those contacts that were sent after the last one entered and are over by now; NULL where there is nothing to enter. Arrays in order of time. late: answers to contacts that were entered as unanswered. Answers within ten seconds of a message are a machine''s.';

CREATE FUNCTION dunning._merge_profiles(a dunning.response_profile, b dunning.response_profile, prior bytea DEFAULT NULL) RETURNS dunning.response_profile
    LANGUAGE c IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT AS 'MODULE_PATHNAME', 'dun_timing_sql_merge';
COMMENT ON FUNCTION dunning._merge_profiles(dunning.response_profile, dunning.response_profile, bytea) IS 'The evidence of two profiles in one; NULL with one gives the other.';

CREATE FUNCTION dunning._fade_profile(profile dunning.response_profile, share float8, prior bytea DEFAULT NULL) RETURNS dunning.response_profile
    LANGUAGE c IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT AS 'MODULE_PATHNAME', 'dun_timing_sql_fade';
COMMENT ON FUNCTION dunning._fade_profile(dunning.response_profile, float8, bytea) IS 'The profile with only a share of its evidence. Not from 0 to 1: 22023.';

CREATE FUNCTION dunning._profile_counts(profile dunning.response_profile, OUT contacts int, OUT answers int, OUT entered_until timestamptz)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_counts';
COMMENT ON FUNCTION dunning._profile_counts(dunning.response_profile) IS 'Contacts and answers that were entered, and when the last of those contacts was sent.';

CREATE FUNCTION dunning._intensity(profile dunning.response_profile, prior bytea DEFAULT NULL) RETURNS float8[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_intensity';
COMMENT ON FUNCTION dunning._intensity(dunning.response_profile, bytea) IS 'For each hour of the local week how many times likelier than on average in the book an answer is.';

CREATE FUNCTION dunning._picture(profile dunning.response_profile, prior bytea DEFAULT NULL) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_picture';
COMMENT ON FUNCTION dunning._picture(dunning.response_profile, bytea) IS 'The week as text: a line a day, a mark an hour, the darker the likelier an answer.';

CREATE FUNCTION dunning._add_profile(sums float8[], profile dunning.response_profile) RETURNS float8[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_add_profile';
COMMENT ON FUNCTION dunning._add_profile(float8[], dunning.response_profile) IS 'Sums with one profile added; transition of _sum_profiles().';

CREATE FUNCTION dunning._add_ages(sums float8[], before dunning.response_profile, zone text, sent timestamptz[], channels text[], answers timestamptz[], prior bytea, now_at timestamptz)
    RETURNS float8[]
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_add_ages';
COMMENT ON FUNCTION dunning._add_ages(float8[], dunning.response_profile, text, timestamptz[], text[], timestamptz[], bytea, timestamptz) IS
    'Sums with the answers and the expected answers of contacts that are about to be entered, by their age; transition of _sum_ages().';

DO $do$
BEGIN
    -- The initial states are hundreds of zeros: texts that nobody wants to read here.
    EXECUTE format('CREATE AGGREGATE dunning._sum_profiles(dunning.response_profile) (SFUNC = dunning._add_profile, STYPE = float8[], INITCOND = %L)',
                   array_fill(0::float8, ARRAY[336])::text);
    EXECUTE format('CREATE AGGREGATE dunning._sum_ages(dunning.response_profile, text, timestamptz[], text[], timestamptz[], bytea, timestamptz) (SFUNC = dunning._add_ages, STYPE = float8[], INITCOND = %L)',
                   array_fill(0::float8, ARRAY[1152])::text);
END
$do$;
COMMENT ON AGGREGATE dunning._sum_profiles(dunning.response_profile) IS 'Sum of profiles: 168 hours of answers, then 168 of exposure.';
COMMENT ON AGGREGATE dunning._sum_ages(dunning.response_profile, text, timestamptz[], text[], timestamptz[], bytea, timestamptz) IS 'For six kinds of channels: 96 hours of answers after a contact, then 96 of expected ones.';

CREATE FUNCTION dunning._learn_prior(prior bytea, activity float8[], ages float8[], sample dunning.response_profile[], rounds int) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_learn_prior';
COMMENT ON FUNCTION dunning._learn_prior(bytea, float8[], float8[], dunning.response_profile[], int) IS
    'What a book has in common, from sums of its profiles, sums by age and a sample for so many rounds of EM over eight archetypes; goes on from prior (NULL: eight bumps three hours apart).';

CREATE FUNCTION dunning._prior_change(a bytea, b bytea) RETURNS float8
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_prior_change';
COMMENT ON FUNCTION dunning._prior_change(bytea, bytea) IS 'Which share of a contact''s exposure would be counted otherwise.';

CREATE FUNCTION dunning._keep_delays(prior bytea, before bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_timing_sql_keep_delays';
COMMENT ON FUNCTION dunning._keep_delays(bytea, bytea) IS 'The prior with the delays and shares of answers of another: those with which its profiles were made.';

-- A profile made in one go, for tests and trials.
CREATE FUNCTION dunning._activity(zone text, sent timestamptz[], channels text[], answers timestamptz[], as_of timestamptz) RETURNS dunning.response_profile
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$ SELECT dunning._enter_contacts(NULL, $1, $2, $3, $4, NULL, NULL, $5) $sql$;
COMMENT ON FUNCTION dunning._activity(text, timestamptz[], text[], timestamptz[], timestamptz) IS 'The profile of one debtor''s contacts and answers. Arrays in order of time.';

-- ---- entering ----

-- $1 debtors (NULL: all), $2 now, $3 contacts from then on, $4 from scratch, $5 the last time; gives the debtors whose profile changed.
CREATE FUNCTION dunning._enter_sql(many text, fresh boolean) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    answers text := $q$v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised') AND v.detail ->> 'machine' IS DISTINCT FROM 'true'$q$;
BEGIN
    RETURN format($q$
        WITH c AS MATERIALIZED (SELECT e.debtor_id, array_agg(e.at ORDER BY e.at, e.channel) AS sent, array_agg(e.channel ORDER BY e.at, e.channel) AS channels
              FROM (SELECT e.debtor_id, e.message_id, e.channel, min(e.contact_on) AS at FROM dunning.egress e
                    WHERE NOT e.test AND e.contact_on < $2 AND e.contact_on > $3 AND ($1 IS NULL OR e.debtor_id = ANY ($1))
                    GROUP BY 1, 2, 3) e
              -- What never arrived was not waited for.
              WHERE NOT EXISTS (SELECT FROM dunning.event b WHERE b.debtor_id = e.debtor_id AND b.message_id = e.message_id AND b.kind IN ('bounced', 'failed') OFFSET 0)
              GROUP BY 1),
        a AS MATERIALIZED (SELECT v.debtor_id, array_agg(v.at ORDER BY v.at) AS ats FROM dunning.event v
              -- Openings are left out: machines open mail too.
              WHERE %2$s AND v.at < $2 AND v.at > $3 AND ($1 IS NULL OR v.debtor_id = ANY ($1)) GROUP BY 1),
        l AS MATERIALIZED (%3$s),
        new AS MATERIALIZED (
            SELECT d.debtor_id::text COLLATE "C" AS debtor_id, d.creditor::text COLLATE "C" AS creditor, x.zone, c.sent, c.channels, a.ats, l.ats AS late, k.prior, CASE WHEN NOT $4 THEN o.profile END AS before
            FROM (SELECT DISTINCT ON (s.debtor_id) s.* FROM (%1$s) s ORDER BY s.debtor_id) d
            CROSS JOIN LATERAL (SELECT (dunning._zone(d.time_zone, d.country, d.region))[1] AS zone) x
            LEFT JOIN c ON c.debtor_id = d.debtor_id LEFT JOIN a ON a.debtor_id = d.debtor_id LEFT JOIN l ON l.debtor_id = d.debtor_id
            LEFT JOIN dunning.timing_profile o ON o.debtor_id = d.debtor_id
            LEFT JOIN dunning.timing_book k ON k.creditor = d.creditor AND k.channel = '*'
            WHERE c.debtor_id IS NOT NULL OR l.debtor_id IS NOT NULL),
        aged AS (SELECT n.creditor, dunning._sum_ages(n.before, n.zone, n.sent, n.channels, n.ats, n.prior, $2) AS ages FROM new n GROUP BY 1),
        book AS (INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, as_of, ages)
            SELECT g.creditor, '*', 0, 0, $2, g.ages FROM aged g
            -- Contacts of hours that were chosen are answered well: held against the book's hours, not their debtor's of then, each rebuild would make the share of answers
            -- greater and the delay shorter. And some debtors made anew are not the book.
            ON CONFLICT ON CONSTRAINT timing_book_pkey DO UPDATE SET ages = CASE WHEN $4 AND b.made_at IS NOT NULL AND b.ages IS NOT NULL THEN b.ages WHEN $4 OR b.ages IS NULL THEN EXCLUDED.ages
                ELSE ARRAY(SELECT u.had * 0.999 + u.new FROM unnest(b.ages, EXCLUDED.ages) WITH ORDINALITY u(had, new, n) ORDER BY u.n) END)
        INSERT INTO dunning.timing_profile AS o (debtor_id, creditor, contacts, responses, profile, as_of)
        SELECT n.debtor_id, n.creditor, (dunning._profile_counts(n.profile)).contacts, (dunning._profile_counts(n.profile)).answers, n.profile, $2
        FROM (SELECT n.debtor_id, n.creditor, dunning._enter_contacts(n.before, n.zone, n.sent, n.channels, n.ats, n.late, n.prior, $2) AS profile FROM new n OFFSET 0) n
        WHERE n.profile IS NOT NULL
        ON CONFLICT ON CONSTRAINT timing_profile_pkey DO UPDATE SET creditor = EXCLUDED.creditor, contacts = EXCLUDED.contacts,
            responses = EXCLUDED.responses, profile = EXCLUDED.profile, as_of = EXCLUDED.as_of
        RETURNING o.debtor_id::text$q$,
        dunning._ledger_sql('debtor', many), answers,
        CASE WHEN _enter_sql.fresh THEN 'SELECT NULL::text AS debtor_id, NULL::timestamptz[] AS ats WHERE $5 IS NOT NULL AND false'
        -- News of an answer to a contact that was entered as unanswered: recorded since, of before, and the first of its contact.
        ELSE format($q$SELECT v.debtor_id, array_agg(v.at ORDER BY v.at) AS ats
              FROM dunning.event v
              JOIN dunning.timing_profile o ON o.debtor_id = v.debtor_id
              CROSS JOIN LATERAL (SELECT max(e.contact_on) AS at FROM dunning.egress e
                  WHERE e.debtor_id = v.debtor_id AND NOT e.test AND e.contact_on <= v.at AND e.contact_on > v.at - '6 days'::interval) t
              WHERE %s AND v.recorded_at > $5 AND v.recorded_at < $2 AND v.at < $5 AND v.at > $3 AND ($1 IS NULL OR v.debtor_id = ANY ($1)) AND o.profile IS NOT NULL
                AND v.at >= t.at + '10 seconds'::interval AND t.at <= (dunning._profile_counts(o.profile)).entered_until
                AND NOT EXISTS (SELECT FROM dunning.event w WHERE w.debtor_id = v.debtor_id AND w.at >= t.at + '10 seconds'::interval AND (w.recorded_at, w.at, w.event_id) < (v.recorded_at, v.at, v.event_id)
                    AND w.at < t.at + '6 days'::interval AND %s)
              GROUP BY 1$q$, answers, replace(answers, 'v.', 'w.')) END);
END
$fn$;
COMMENT ON FUNCTION dunning._enter_sql(text, boolean) IS
    'SQL text: enters the contacts that are over, and sums them up by age for the book. $1 debtors (NULL: all), $2 now, $3 contacts and answers from then on, $4 from scratch, $5 when this was last done.';

CREATE FUNCTION dunning._enter_payments(debtor_ids text[], as_of timestamptz, since timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    many text := CASE WHEN _enter_payments.debtor_ids IS NOT NULL THEN '$1' END;
BEGIN
    EXECUTE format($q$
        WITH y AS MATERIALIZED (SELECT l.debtor_id, l.paid_at FROM (%2$s) l
              WHERE l.amount > 0 AND l.amount < 'Infinity' AND isfinite(l.paid_at) AND l.paid_at < $2),
        n AS (SELECT y.debtor_id, y.paid_at, row_number() OVER (PARTITION BY y.debtor_id ORDER BY y.paid_at DESC) AS n
              FROM y WHERE $3 IS NULL OR y.debtor_id IN (SELECT f.debtor_id FROM y f WHERE f.paid_at > $3)),
        -- What was paid within two days of a contact says when we wrote, not when they are paid.
        own AS (SELECT n.debtor_id, n.paid_at FROM n WHERE n.n <= 24
                AND NOT EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id = n.debtor_id AND NOT e.test AND e.contact_on <= n.paid_at AND e.contact_on > n.paid_at - '48 hours'::interval))
        INSERT INTO dunning.timing_profile AS o (debtor_id, creditor, contacts, responses, payments, as_of)
        SELECT d.debtor_id, d.creditor, 0, 0, array_agg((own.paid_at AT TIME ZONE x.zone)::date ORDER BY own.paid_at DESC), $2
        FROM (SELECT DISTINCT ON (s.debtor_id) s.* FROM (%1$s) s ORDER BY s.debtor_id) d
        CROSS JOIN LATERAL (SELECT (dunning._zone(d.time_zone, d.country, d.region))[1] AS zone) x
        JOIN own ON own.debtor_id = d.debtor_id
        GROUP BY 1, 2
        ON CONFLICT ON CONSTRAINT timing_profile_pkey DO UPDATE SET payments = EXCLUDED.payments, as_of = EXCLUDED.as_of
            WHERE o.payments IS DISTINCT FROM EXCLUDED.payments$q$,
        dunning._ledger_sql('debtor', many), dunning._ledger_sql('payment', many, '$2'))
        USING _enter_payments.debtor_ids, _enter_payments.as_of, _enter_payments.since;
END
$fn$;
COMMENT ON FUNCTION dunning._enter_payments(text[], timestamptz, timestamptz) IS
    'Keeps the last payments that did not follow a contact, of those who paid after `since` (NULL: of all).';

CREATE FUNCTION dunning._rebuild_profiles(debtor_ids text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL, delays_anew boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    at_time timestamptz := coalesce(_rebuild_profiles.as_of, dunning._now());
    many text := CASE WHEN _rebuild_profiles.debtor_ids IS NOT NULL THEN '$1' END;
    changed float8;
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    IF _rebuild_profiles.delays_anew AND _rebuild_profiles.debtor_ids IS NULL THEN
        UPDATE dunning.timing_book AS b SET ages = NULL, made_at = NULL WHERE b.channel = '*';
    END IF;
    -- Exposure is counted by what is known of delays, and that is learnt from what was entered: again, until both agree.
    FOR round IN 1 .. 4 LOOP
        DELETE FROM dunning.timing_profile p WHERE _rebuild_profiles.debtor_ids IS NULL OR p.debtor_id = ANY (_rebuild_profiles.debtor_ids);
        EXECUTE dunning._enter_sql(many, true)
            USING _rebuild_profiles.debtor_ids, at_time, at_time - interval '2 years', true, NULL::timestamptz;
        EXIT WHEN _rebuild_profiles.debtor_ids IS NOT NULL;
        changed := dunning._learn_book(at_time);
        EXIT WHEN changed < 0.1;
    END LOOP;
    IF _rebuild_profiles.debtor_ids IS NULL THEN
        UPDATE dunning.timing_book AS b SET made_at = at_time WHERE b.channel = '*';
    END IF;
    PERFORM dunning._enter_payments(_rebuild_profiles.debtor_ids, at_time, NULL);
    RETURN QUERY SELECT p.debtor_id::text FROM dunning.timing_profile p WHERE _rebuild_profiles.debtor_ids IS NULL OR p.debtor_id = ANY (_rebuild_profiles.debtor_ids);
END
$fn$;
COMMENT ON FUNCTION dunning._rebuild_profiles(text[], timestamptz, boolean) IS
    'The debtors whose profile was made anew from the contacts, answers and payments of two years before as_of (NULL: now); NULL: the whole book, with what it has in common; delays_anew: how late each channel is answered as well, which otherwise goes on from what is known.';

CREATE FUNCTION dunning._refresh_profiles(debtor_ids text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    at_time timestamptz := coalesce(_refresh_profiles.as_of, dunning._now());
    many text := CASE WHEN _refresh_profiles.debtor_ids IS NOT NULL THEN '$1' END;
    last_time timestamptz := (SELECT max(b.as_of) FROM dunning.timing_book b WHERE b.channel = '*');
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    IF last_time IS NULL THEN
        RETURN QUERY SELECT r.r FROM dunning._rebuild_profiles(_refresh_profiles.debtor_ids, at_time) r(r);
        IF _refresh_profiles.debtor_ids IS NOT NULL THEN
            PERFORM dunning._learn_book(at_time);
        END IF;
        RETURN;
    END IF;
    -- A contact may lie there for six days, and news of it come later still.
    RETURN QUERY EXECUTE dunning._enter_sql(many, false)
        USING _refresh_profiles.debtor_ids, at_time, least(last_time, at_time) - interval '20 days', false, last_time;
    PERFORM dunning._enter_payments(_refresh_profiles.debtor_ids, at_time, least(last_time, at_time) - interval '20 days');
    IF _refresh_profiles.debtor_ids IS NULL AND dunning._learn_book(at_time, false) > 0.25
       -- It costs a reading of all contacts: not every night.
       AND NOT EXISTS (SELECT FROM dunning.timing_book b WHERE b.channel = '*' AND b.made_at > at_time - interval '28 days') THEN
        RETURN QUERY SELECT r.r FROM dunning._rebuild_profiles(NULL, at_time) r(r);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_profiles(text[], timestamptz) IS
    'The debtors into whose profile something was entered: contacts that are over by as_of (NULL: now), news of older ones, payments. Without debtor_ids what the book has in common is learnt as well, and all is entered anew where that changed much. Called by maintain().';

CREATE FUNCTION dunning._learn_book(as_of timestamptz, anew boolean DEFAULT true) RETURNS float8
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    book record;
    learnt bytea;
    before bytea;
    change float8;
    most float8 := 0;
BEGIN
    FOR book IN SELECT p.creditor, sum(p.contacts) AS contacts, sum(p.responses) AS responses, dunning._sum_profiles(p.profile) AS sums
                FROM dunning.timing_profile p GROUP BY 1 LOOP
        learnt := (SELECT dunning._learn_prior(b.prior, book.sums, b.ages,
                       (SELECT array_agg(s.profile) FROM (SELECT p.profile FROM dunning.timing_profile p WHERE p.creditor = book.creditor AND p.responses > 0 AND p.profile IS NOT NULL
                                                          ORDER BY dunning._hash64(p.debtor_id) LIMIT 20000) s),
                       CASE WHEN b.prior IS NULL THEN 25 ELSE 8 END)
                   FROM (SELECT) x LEFT JOIN dunning.timing_book b ON b.creditor = book.creditor AND b.channel = '*');
        before := (SELECT b.prior FROM dunning.timing_book b WHERE b.creditor = book.creditor AND b.channel = '*');
        change := dunning._prior_change(before, learnt);
        most := greatest(most, change);
        -- Profiles are read with the delays that they were made with.
        IF NOT _learn_book.anew AND before IS NOT NULL THEN
            learnt := dunning._keep_delays(learnt, before);
        END IF;
        INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, prior, as_of)
        VALUES (book.creditor, '*', book.contacts, book.responses, learnt, _learn_book.as_of)
        ON CONFLICT ON CONSTRAINT timing_book_pkey DO UPDATE SET contacts = EXCLUDED.contacts, responses = EXCLUDED.responses, prior = EXCLUDED.prior, as_of = EXCLUDED.as_of;
    END LOOP;
    -- An answer belongs to the last contact of the six days before it: it stands next after it in the debtor's row of both.
    DELETE FROM dunning.timing_book b WHERE b.channel <> '*';
    INSERT INTO dunning.timing_book AS b (creditor, channel, contacts, responses, as_of)
    SELECT n.creditor, n.channel, count(*), count(*) FILTER (WHERE n.next_channel IS NULL AND n.next_at < n.at + '6 days'::interval), _learn_book.as_of
    FROM (SELECT u.creditor, u.channel, u.at, lead(u.channel) OVER w AS next_channel, lead(u.at) OVER w AS next_at
          FROM (SELECT e.creditor, e.debtor_id, e.channel, min(e.contact_on) AS at FROM dunning.egress e
                WHERE NOT e.test AND e.contact_on < _learn_book.as_of AND e.contact_on > _learn_book.as_of - '1 year'::interval
                GROUP BY e.creditor, e.debtor_id, e.channel, e.message_id
                UNION ALL
                SELECT NULL, v.debtor_id, NULL, v.at FROM dunning.event v
                WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised') AND v.detail ->> 'machine' IS DISTINCT FROM 'true'
                  AND v.at < _learn_book.as_of AND v.at > _learn_book.as_of - '1 year'::interval) u
          WINDOW w AS (PARTITION BY u.debtor_id ORDER BY u.at, u.channel NULLS LAST)) n
    WHERE n.channel IS NOT NULL
    GROUP BY 1, 2;
    RETURN most;
END
$fn$;
COMMENT ON FUNCTION dunning._learn_book(timestamptz, boolean) IS 'Learns what each creditor''s book has in common, goes on from what was known; delays only where profiles are made anew. Returns the greatest change in how exposure is counted (_prior_change()).';
