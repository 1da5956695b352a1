-- report: what is so, and why. Reads everything, writes nothing.
--
-- Who sees persons: dunning_viewer gets figures, ids and states; names, addresses, texts and preferences come back NULL or are
-- refused. A view runs with its reader's rights, so the personal half is a function of its own that only dunning_operator may run.

CREATE TYPE dunning.overview AS (
    debtor_id           text,
    creditor            text,
    kind                text,
    name                text,
    language            text,
    country             text,
    preferred_channel   text,
    email               text,
    phone               text,
    consent             jsonb,
    amounts             jsonb,
    days_past_due       int,
    overdue             jsonb,
    open_invoices       bigint,
    segment             text,
    diagnosis           text,
    p_paid_30d          float8,
    contacts            bigint,
    last_contact_at     timestamptz,
    last_channel        text,
    last_template       text,
    last_state          text,
    last_message_id     uuid,
    next_contact_at     timestamptz,
    next_local_time     text,
    next_channel        text,
    next_template       text,
    next_state          text,
    blocked_by          text[],
    holds               text[],
    open_tasks          bigint,
    promise             text
);
COMMENT ON TYPE dunning.overview IS 'A debtor at a glance: balances and days past due, score, last and next contact, holds, tasks, promise.';

-- One row a debtor, or a debtor of `many`. `personal` fills the columns that say who it is.
CREATE FUNCTION dunning._overview(many text[], personal boolean)
    RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$$
#variable_conflict error
DECLARE
    scope text := CASE WHEN many IS NOT NULL THEN '$1' END;
    today date := dunning._now()::date;
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH d AS (%s),
        mark AS (%s),
        item AS (
            SELECT s.debtor_id, sum(s.n) AS n, max(s.dpd) AS dpd, jsonb_object_agg(s.currency, s.overdue) FILTER (WHERE s.overdue > 0) AS overdue
            FROM (SELECT i.debtor_id, i.currency, count(*) AS n, max($3 - i.due_on) AS dpd, sum(i.open) FILTER (WHERE i.due_on < $3) AS overdue
                  FROM (%s) i GROUP BY 1, 2) s
            GROUP BY 1),
        last AS (
            SELECT DISTINCT ON (e.debtor_id) e.debtor_id, e.message_id, e.channel, e.contact_on
            FROM dunning.egress e WHERE NOT e.test AND ($1 IS NULL OR e.debtor_id = ANY ($1))
            ORDER BY e.debtor_id, e.contact_on DESC, e.message_id DESC),
        touched AS (
            SELECT e.debtor_id, count(DISTINCT e.message_id) AS n
            FROM dunning.egress e WHERE NOT e.test AND ($1 IS NULL OR e.debtor_id = ANY ($1)) GROUP BY 1),
        next AS (
            SELECT DISTINCT ON (q.debtor_id) q.debtor_id, q.message_id, q.channel, q.due, q.state, q.blocked_by
            FROM dunning.queue q
            WHERE ($1 IS NULL OR q.debtor_id = ANY ($1))
              AND (q.run_id IS NOT NULL OR NOT EXISTS (SELECT FROM dunning.message m WHERE m.debtor_id = q.debtor_id AND m.message_id = q.message_id AND m.decision ? 'test_address'))
            ORDER BY q.debtor_id, q.due, q.message_id),
        held AS (
            SELECT h.debtor_id, array_agg(DISTINCT h.reason || CASE WHEN h.invoice_id IS NULL THEN '' ELSE ' (invoice)' END) AS reasons
            FROM (SELECT x.debtor_id, x.reason, x.invoice_id, x.released_at, x.from_at, x.until_at FROM dunning.hold x WHERE $1 IS NULL OR x.debtor_id = ANY ($1)
                  UNION ALL
                  SELECT d.debtor_id, x.reason, NULL, x.released_at, x.from_at, x.until_at FROM d
                  JOIN dunning.hold x ON x.person_id = d.person_id AND x.person_id IS NOT NULL AND x.debtor_id <> d.debtor_id
                  UNION ALL
                  SELECT d.debtor_id, x.reason, NULL, x.released_at, x.from_at, x.until_at FROM d JOIN dunning.hold x ON x.creditor = d.creditor AND x.scope = 'creditor') h
            WHERE h.released_at IS NULL AND h.from_at <= $2 AND coalesce(h.until_at > $2, true)
            GROUP BY 1),
        open_task AS (
            SELECT t.debtor_id, count(*) AS n FROM dunning.task t
            WHERE t.completed_at IS NULL AND ($1 IS NULL OR t.debtor_id = ANY ($1)) GROUP BY 1),
        promised AS (
            SELECT DISTINCT ON (p.debtor_id) p.debtor_id,
                   p.amount || ' ' || p.currency || ' ' || p.due_on || ' ' || p.state AS said
            FROM dunning._promise_state($1) p WHERE p.state <> 'cancelled'
            ORDER BY p.debtor_id, p.promised_at DESC, p.state = 'open' DESC, p.part)
        SELECT d.debtor_id, d.creditor, d.kind, CASE WHEN $4 THEN d.name END, d.language, d.country,
               CASE WHEN $4 THEN d.preferred_channel END, CASE WHEN $4 THEN d.email END, CASE WHEN $4 THEN d.phone END,
               CASE WHEN $4 THEN d.consent END,
               coalesce(mark.amounts, '{}'), greatest(item.dpd, 0), coalesce(item.overdue, '{}'), coalesce(item.n, 0)::bigint,
               s.segment, s.diagnosis, s.p_paid_30d,
               coalesce(touched.n, 0), last.contact_on, last.channel, lm.template, ls.state, last.message_id,
               next.due, nm.local_time, next.channel, nm.template, next.state, next.blocked_by,
               coalesce(held.reasons, '{}'), coalesce(open_task.n, 0), promised.said
        FROM d
        LEFT JOIN mark ON mark.debtor_id = d.debtor_id
        LEFT JOIN item ON item.debtor_id = d.debtor_id
        LEFT JOIN dunning.debtor_score s ON s.debtor_id = d.debtor_id
        LEFT JOIN touched ON touched.debtor_id = d.debtor_id
        LEFT JOIN last ON last.debtor_id = d.debtor_id
        LEFT JOIN dunning.message lm ON lm.debtor_id = last.debtor_id AND lm.message_id = last.message_id
        LEFT JOIN LATERAL (SELECT y.state FROM dunning.message_state y WHERE y.debtor_id = last.debtor_id AND y.message_id = last.message_id OFFSET 0) ls ON true
        LEFT JOIN next ON next.debtor_id = d.debtor_id
        LEFT JOIN dunning.message nm ON nm.debtor_id = next.debtor_id AND nm.message_id = next.message_id
        LEFT JOIN held ON held.debtor_id = d.debtor_id
        LEFT JOIN open_task ON open_task.debtor_id = d.debtor_id
        LEFT JOIN promised ON promised.debtor_id = d.debtor_id
        $q$, dunning._ledger_sql('debtor', scope), dunning._mark_sql(scope), dunning._open_items_sql(scope))
        USING many, dunning._now(), today, personal;
END
$$;
COMMENT ON FUNCTION dunning._overview(text[], boolean) IS 'One row a debtor of the list (NULL: all), with or without the personal columns.';

CREATE FUNCTION dunning._overview_plain() RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT * FROM dunning._overview(NULL, false);
END
$$;
COMMENT ON FUNCTION dunning._overview_plain() IS 'The overview of the whole book without personal columns.';
GRANT EXECUTE ON FUNCTION dunning._overview_plain() TO dunning_viewer;

CREATE FUNCTION dunning._overview_personal() RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY SELECT * FROM dunning._overview(NULL, true);
END
$$;
COMMENT ON FUNCTION dunning._overview_personal() IS 'The overview of the whole book with personal columns.';
GRANT EXECUTE ON FUNCTION dunning._overview_personal() TO dunning_operator;

-- With the reader's own rights: what it may not run, it does not get.
CREATE FUNCTION dunning._overview_for_reader() RETURNS SETOF dunning.overview
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF has_function_privilege('dunning._overview_personal()', 'EXECUTE') THEN
        RETURN QUERY SELECT * FROM dunning._overview_personal();
    ELSE
        RETURN QUERY SELECT * FROM dunning._overview_plain();
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._overview_for_reader() IS 'The overview as far as the reader may see it.';
GRANT EXECUTE ON FUNCTION dunning._overview_for_reader() TO dunning_viewer;

CREATE VIEW dunning.debtor_overview WITH (security_invoker, security_barrier) AS
    SELECT * FROM dunning._overview_for_reader();
COMMENT ON VIEW dunning.debtor_overview IS
    'One row a debtor: balances a currency, days past due, score, last and next contact, holds, tasks, promise. Personal columns are NULL for dunning_viewer. For one debtor find_debtor() or explain() is quicker.';
GRANT SELECT ON dunning.debtor_overview TO dunning_viewer;

-- The worklist: open tasks, broken promises that nobody has a task for, and debtors who wait for us with no task left.
CREATE FUNCTION dunning._worklist()
    RETURNS TABLE (rank bigint, task_id uuid, debtor_id text, creditor text, kind text, subject text, name text, phone text, email text,
                   amounts jsonb, days_past_due int, segment text, diagnosis text, p_paid_30d float8, due_at timestamptz, claimed_by text,
                   script text, message_id uuid, allowed_now boolean, blocked_by text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ids text[];
    claimed_since timestamptz := dunning._now() - make_interval(mins => dunning._value_of('task_claim_minutes')::int);
BEGIN
    SELECT array_agg(DISTINCT x.debtor_id) INTO ids
    FROM (SELECT t.debtor_id FROM dunning.task t WHERE t.completed_at IS NULL
          UNION SELECT s.debtor_id FROM dunning._promise_state() s WHERE s.state = 'broken'
          UNION SELECT h.debtor_id FROM dunning.hold h
                WHERE h.reason = 'awaiting_us' AND h.released_at IS NULL AND h.until_at > dunning._now()) x;
    IF ids IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH work AS (
            SELECT t.task_id, t.debtor_id, t.creditor, t.kind, t.subject, t.due_at,
                   CASE WHEN t.claimed_at > claimed_since THEN t.claimed_by END AS claimed_by, t.script, t.message_id
            FROM dunning.task t WHERE t.completed_at IS NULL
            UNION ALL
            SELECT NULL, s.debtor_id, min(s.creditor), 'broken_promise', 'a promise was not kept: ask why', max(s.deadline), NULL, NULL, NULL
            FROM dunning._promise_state(ids) s
            WHERE s.state = 'broken'
              AND NOT EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = s.debtor_id AND t.kind = 'broken_promise'
                              AND (t.completed_at IS NULL OR t.completed_at > s.deadline))
            GROUP BY s.debtor_id
            UNION ALL
            SELECT NULL, h.debtor_id, h.creditor, 'awaiting_us', 'waits for our answer', h.until_at, NULL, NULL, NULL
            FROM dunning.hold h
            WHERE h.reason = 'awaiting_us' AND h.released_at IS NULL AND h.until_at > dunning._now()
              AND NOT EXISTS (SELECT FROM dunning.task t
                              WHERE t.debtor_id = h.debtor_id AND t.completed_at IS NULL AND t.kind NOT IN ('call', 'visit')))
        -- First what came in, oldest first; then what is due, where a word moves most money.
        SELECT row_number() OVER (ORDER BY w.kind IN ('call', 'visit'), w.due_at > dunning._now(),
                                           CASE WHEN w.kind NOT IN ('call', 'visit') THEN w.due_at END,
                                           (SELECT max(a.value::numeric) FROM jsonb_each_text(o.amounts) a) DESC NULLS LAST, w.due_at, w.task_id),
               w.task_id, w.debtor_id::text, w.creditor::text, w.kind, w.subject, o.name, o.phone, o.email, o.amounts, o.days_past_due, o.segment,
               o.diagnosis, o.p_paid_30d, w.due_at, w.claimed_by, w.script, w.message_id, cardinality(g.blocked_by) = 0, g.blocked_by
        FROM work w
        LEFT JOIN dunning._overview(ids, true) o ON o.debtor_id = w.debtor_id
        LEFT JOIN dunning._gate(ids, array_fill('call'::text, ARRAY[cardinality(ids)]), array_fill(dunning._now(), ARRAY[cardinality(ids)]),
                                array_fill(NULL::text, ARRAY[cardinality(ids)]), NULL) g ON g.debtor_id = w.debtor_id
        ORDER BY 1;
END
$$;
COMMENT ON FUNCTION dunning._worklist() IS 'What waits for a person, most urgent first.';
GRANT EXECUTE ON FUNCTION dunning._worklist() TO dunning_operator;

CREATE VIEW dunning.worklist WITH (security_invoker, security_barrier) AS
    SELECT * FROM dunning._worklist();
COMMENT ON VIEW dunning.worklist IS
    'What waits for a person, by rank: answers we owe, broken promises, calls and visits; with balances, score, script, and whether a call is allowed right now. Role dunning_operator.';
GRANT SELECT ON dunning.worklist TO dunning_operator;

-- A message's life in rows, over the tables themselves so that a debtor's part is found by key. No text and no address in it.
GRANT SELECT (message_id, attempt, debtor_id, creditor, channel, server, fields, bytes, reason, test, cost, cost_currency, at, contact_on)
    ON dunning.egress TO dunning_viewer;
GRANT SELECT (debtor_id, event_id, creditor, kind, at, message_id, recorded_at, recorded_by) ON dunning.event TO dunning_viewer;

CREATE VIEW dunning.journal WITH (security_invoker, security_barrier) AS
    SELECT m.debtor_id, m.message_id, m.creditor, m.created_at AS at, 'planned'::text AS what, NULL::text AS state,
           coalesce(m.strategy || '/' || m.step, m.created_by) AS reason, m.channel, m.template, m.step, m.server, NULL::int AS attempt,
           m.amounts, m.cost, m.cost_currency, m.local_time
    FROM dunning.message m
    UNION ALL
    SELECT q.debtor_id, q.message_id, q.creditor, q.due, 'waiting', q.state, coalesce(pg_catalog.array_to_string(q.blocked_by, ', '), q.reason),
           q.channel, NULL, NULL, q.server, q.attempts, NULL, NULL, NULL, NULL
    FROM dunning.queue q
    UNION ALL
    SELECT e.debtor_id, e.message_id, e.creditor, e.contact_on, CASE WHEN e.test THEN 'attempt (test)' ELSE 'attempt' END, NULL, e.reason,
           e.channel, NULL, NULL, e.server, e.attempt, NULL, e.cost, e.cost_currency, NULL
    FROM dunning.egress e
    UNION ALL
    SELECT o.debtor_id, o.message_id, o.creditor, o.at, 'outcome', o.state, o.reason, NULL, NULL, NULL, NULL, o.attempt, NULL, NULL, NULL, NULL
    FROM dunning.outcome o
    UNION ALL
    SELECT v.debtor_id, v.message_id, v.creditor, v.at, 'event', v.kind, v.recorded_by, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM dunning.event v;
COMMENT ON VIEW dunning.journal IS
    'The whole life of every message in rows: planned, waiting, attempt, outcome, event. Without texts and addresses, which explain_message() has. Role dunning_viewer.';
GRANT SELECT ON dunning.journal TO dunning_viewer;

CREATE FUNCTION dunning.find_debtor(search text)
    RETURNS TABLE (debtor_id text, creditor text, name text, email text, phone text, matched text, amounts jsonb, days_past_due int, segment text,
                   last_contact_at timestamptz, last_channel text, last_template text, last_message_id uuid, next_contact_at timestamptz,
                   holds text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    wanted text := btrim(search);
    pattern text := '%' || replace(replace(replace(btrim(search), '\', '\\'), '%', '\%'), '_', '\_') || '%';
    digits text := ltrim(regexp_replace(search, '\D', '', 'g'), '0');
    own_id text;
    hits text[];
    how text[];
BEGIN
    IF coalesce(length(wanted), 0) < 2 AND coalesce(wanted, '') !~ '^\d$' THEN
        RAISE EXCEPTION 'a search needs at least two characters' USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''Hansen'');';
    END IF;
    BEGIN
        own_id := dunning._canonical_id(wanted);
    EXCEPTION WHEN SQLSTATE 'DN002' OR data_exception THEN
        own_id := NULL;      -- no key of this ledger, so a name or an address
    END;
    EXECUTE format($q$
        SELECT array_agg(f.debtor_id ORDER BY f.place, f.debtor_id), array_agg(f.how ORDER BY f.place, f.debtor_id)
        FROM (SELECT h.debtor_id, min(h.place) AS place, (array_agg(h.how ORDER BY h.place))[1] AS how
              FROM (SELECT d.debtor_id, 1 AS place, 'id' AS how FROM (%s) d
                    UNION ALL
                    SELECT i.debtor_id, 2, 'reference' FROM (%s) i WHERE i.reference = $2 OR i.invoice_id = $2
                    UNION ALL
                    SELECT d.debtor_id,
                           CASE WHEN lower(d.email) = lower($2) THEN 3
                                WHEN length($4) >= 5 AND regexp_replace(d.phone, '\D', '', 'g') LIKE '%%' || $4 THEN 4
                                WHEN lower(d.name) = lower($2) THEN 5 ELSE 6 END,
                           CASE WHEN lower(d.email) = lower($2) THEN 'email'
                                WHEN length($4) >= 5 AND regexp_replace(d.phone, '\D', '', 'g') LIKE '%%' || $4 THEN 'phone'
                                WHEN d.name ILIKE $3 THEN 'name' ELSE 'email' END
                    FROM (%s) d
                    WHERE d.name ILIKE $3 OR d.email ILIKE $3
                       OR length($4) >= 5 AND regexp_replace(d.phone, '\D', '', 'g') LIKE '%%' || $4) h
              GROUP BY 1 ORDER BY 2, 1 LIMIT 20) f
        $q$, dunning._ledger_sql('debtor', '$1'), dunning._ledger_sql('invoice'), dunning._ledger_sql('debtor'))
        INTO hits, how USING ARRAY[own_id], wanted, pattern, digits;
    IF hits IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT o.debtor_id, o.creditor, o.name, o.email, o.phone, h.how, o.amounts, o.days_past_due, o.segment,
               o.last_contact_at, o.last_channel, o.last_template, o.last_message_id, o.next_contact_at, o.holds
        FROM ROWS FROM (unnest(hits), unnest(how)) WITH ORDINALITY AS h (debtor_id, how, ord)
        JOIN dunning._overview(hits, true) o ON o.debtor_id = h.debtor_id
        ORDER BY h.ord;
END
$$;
COMMENT ON FUNCTION dunning.find_debtor(text) IS
    'At most 20 debtors by id, invoice or its reference, e-mail, phone or part of a name, best match first, each at a glance. Less than two characters: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.find_debtor(text) TO dunning_operator;
