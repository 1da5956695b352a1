-- The life of an offer: made, approved, answered, over. Whatever ends one also ends what is still to be said of it.

-- Bodies that are frozen and have not left name the offer as it was; they are planned anew. Those not frozen read the offer of record when
-- they are. The worker holds a share lock on the offer while it freezes, so whoever ends an offer sees every body that names it.
CREATE FUNCTION dunning._unsay_offers(debtor_ids text[], offer_ids uuid[]) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    debtors text[];
    messages uuid[];
    n int;
BEGIN
    SELECT array_agg(q.debtor_id), array_agg(q.message_id) INTO debtors, messages
    FROM dunning.queue q
    JOIN dunning.body b ON b.debtor_id = q.debtor_id AND b.message_id = q.message_id
    WHERE q.debtor_id = ANY (_unsay_offers.debtor_ids) AND b.offer_id = ANY (_unsay_offers.offer_ids);
    n := dunning._cancel_messages(debtors, messages, 'offer_changed', true);
    PERFORM dunning._refresh_scripts(_unsay_offers.debtor_ids);
    RETURN n;
END
$$;
COMMENT ON FUNCTION dunning._unsay_offers(text[], uuid[]) IS 'How many messages that were frozen with these offers and have not left it cancelled, to be planned anew; scripts of open tasks say what holds now.';

-- What a message may say now: its frozen context with the offer of record in place of the one there was when it was planned.
CREATE FUNCTION dunning._offered_context(debtor_id text, context jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    about jsonb;
BEGIN
    IF _offered_context.context -> 'offer' <> 'null' AND NOT _offered_context.context -> 'offer' ? 'offer_id' THEN
        RETURN dunning._optional_names() || _offered_context.context;    -- a caller's own name
    END IF;
    SELECT o.offer || jsonb_build_object('link', _offered_context.context -> 'plan_url') INTO about
    FROM dunning._live_offers(ARRAY[_offered_context.debtor_id]) o WHERE o.expires_on >= dunning._today(NULL);
    RETURN dunning._optional_names() || _offered_context.context || jsonb_build_object('offer', about);
END
$$;
COMMENT ON FUNCTION dunning._offered_context(text, jsonb) IS 'A message''s context with the debtor''s offer of record, null where there is none. A name `offer` that the caller of send() gave stays.';

CREATE FUNCTION dunning._refresh_scripts(debtor_ids text[]) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    about record;
    said text;
    n int := 0;
BEGIN
    FOR about IN
        SELECT t.debtor_id, t.task_id, t.script, m.template, m.channel, m.language, dunning._context_now(m) AS context
        FROM dunning.task t JOIN dunning.message m ON m.debtor_id = t.debtor_id AND m.message_id = t.message_id
        WHERE t.debtor_id = ANY (_refresh_scripts.debtor_ids) AND t.completed_at IS NULL AND t.kind IN ('call', 'visit') AND t.script IS NOT NULL
          AND EXISTS (SELECT FROM dunning.offer o WHERE o.debtor_id = t.debtor_id)
    LOOP
        said := (SELECT r.body_text FROM dunning.render(about.template, about.context, about.language, about.channel) r);
        UPDATE dunning.task t SET script = said WHERE t.debtor_id = about.debtor_id AND t.task_id = about.task_id AND t.script IS DISTINCT FROM said;
        n := n + 1;
    END LOOP;
    RETURN n;
END
$$;
COMMENT ON FUNCTION dunning._refresh_scripts(text[]) IS 'How many open calls and visits of the debtors it looked at; their scripts name the offer of record.';

-- Asked by the worker for what is about to be frozen, and for what is frozen and would leave again. A row only where something is to be done.
CREATE FUNCTION dunning._freeze_offers(debtor_ids text[], message_ids uuid[], named boolean[], frozen boolean[])
    RETURNS TABLE (ord int, verdict text, offer_id uuid, offer jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    today date;
    locked boolean[];       -- beside the arguments: the debtor has an offer, and it stands until the batch commits
BEGIN
    IF NOT (true = ANY (_freeze_offers.named)) AND NOT (true = ANY (_freeze_offers.frozen))
       AND NOT EXISTS (SELECT FROM dunning.offer x WHERE x.debtor_id = ANY (_freeze_offers.debtor_ids) AND x.state = 'live') THEN
        RETURN;
    END IF;
    -- Whoever is changing an offer just now is not waited for: what would name it is looked at again in a moment.
    SELECT array_agg(l.debtor_id IS NOT NULL ORDER BY u.ord) INTO locked
    FROM unnest(_freeze_offers.debtor_ids) WITH ORDINALITY u(debtor_id, ord)
    LEFT JOIN LATERAL (SELECT x.debtor_id FROM dunning.offer x
                       WHERE x.debtor_id = u.debtor_id AND x.state = 'live' OFFSET 0 FOR SHARE SKIP LOCKED) l ON true;
    today := dunning._today(NULL);
    RETURN QUERY
        WITH record AS MATERIALIZED (
            SELECT l.debtor_id, l.offer_id, l.offer
            FROM dunning._live_offers(ARRAY(SELECT u.debtor_id FROM unnest(_freeze_offers.debtor_ids, locked) u(debtor_id, locked) WHERE u.locked)) l
            WHERE l.expires_on >= today),
        asked AS MATERIALIZED (
            SELECT u.ord::int AS ord, u.debtor_id, u.message_id, u.named, u.frozen, b.offer_id AS said,
                   NOT u.locked AND EXISTS (SELECT FROM dunning.offer x WHERE x.debtor_id = u.debtor_id AND x.state = 'live') AS changing
            FROM ROWS FROM (unnest(_freeze_offers.debtor_ids), unnest(_freeze_offers.message_ids), unnest(_freeze_offers.named), unnest(_freeze_offers.frozen), unnest(locked))
                 WITH ORDINALITY AS u(debtor_id, message_id, named, frozen, locked, ord)
            LEFT JOIN LATERAL (SELECT x.offer_id FROM dunning.body x
                               WHERE u.frozen AND x.debtor_id = u.debtor_id AND x.message_id = u.message_id OFFSET 0) b ON true)
        SELECT a.ord,
               CASE WHEN a.frozen THEN CASE WHEN a.said IS NULL OR a.said = r.offer_id THEN 'keep' WHEN a.changing THEN 'wait' ELSE 'gone' END
                    WHEN a.changing THEN 'wait'
                    WHEN r.offer_id IS NULL AND m.decision ->> 'offer_needed' = 'true' THEN 'gone'
                    ELSE 'say' END,
               r.offer_id,
               CASE WHEN NOT a.frozen THEN r.offer END
        FROM asked a
        LEFT JOIN record r ON r.debtor_id = a.debtor_id
        LEFT JOIN LATERAL (SELECT x.decision FROM dunning.message x
                           WHERE r.offer_id IS NULL AND x.debtor_id = a.debtor_id AND x.message_id = a.message_id OFFSET 0) m ON true
        WHERE a.frozen AND a.said IS NOT NULL OR NOT a.frozen AND (a.named OR a.changing OR r.offer_id IS NOT NULL);
END
$$;
COMMENT ON FUNCTION dunning._freeze_offers(text[], uuid[], boolean[], boolean[]) IS
    'For messages about to be frozen: say (the offer of record, as a template gets it, and its id; null: none), wait (the offer is being changed), gone (the offer it is about is over: plan anew). For frozen ones: keep or gone. No row: as it is.';
GRANT EXECUTE ON FUNCTION dunning._freeze_offers(text[], uuid[], boolean[], boolean[]) TO dunning_worker;

CREATE FUNCTION dunning._end_offers(debtor_ids text[], offer_ids uuid[], state text, note text) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ended uuid[];
BEGIN
    WITH o AS (
        UPDATE dunning.offer x SET state = _end_offers.state, ended_at = dunning._now(), ended_by = session_user, note = _end_offers.note
        FROM unnest(_end_offers.debtor_ids, _end_offers.offer_ids) v(debtor_id, offer_id)
        WHERE x.debtor_id = v.debtor_id AND x.offer_id = v.offer_id AND x.state IN ('live', 'proposed')
        RETURNING x.offer_id)
    SELECT array_agg(o.offer_id) INTO ended FROM o;
    IF ended IS NOT NULL THEN
        PERFORM dunning._unsay_offers(_end_offers.debtor_ids, ended);
    END IF;
    RETURN ended;
END
$$;
COMMENT ON FUNCTION dunning._end_offers(text[], uuid[], text, text) IS 'Those of the offers that were live or proposed and ended now; NULL where none was.';

-- Over by the clock, or what they settle is no longer owed. maintain() calls it.
CREATE FUNCTION dunning._refresh_offers(debtor_ids text[] DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    over record;
    n int := 0;
BEGIN
    FOR over IN
        SELECT CASE WHEN o.expires_at <= dunning._now() THEN 'expired' ELSE 'withdrawn' END AS state,
               CASE WHEN o.expires_at > dunning._now() THEN 'less is owed than it settles' END AS note,
               array_agg(o.debtor_id::text) AS debtors, array_agg(o.offer_id) AS offers
        FROM dunning.offer o
        LEFT JOIN dunning._live_offers(_refresh_offers.debtor_ids) l ON l.debtor_id = o.debtor_id AND l.offer_id = o.offer_id
        WHERE (o.state = 'live' AND l.offer_id IS NULL OR o.state = 'proposed' AND o.expires_at <= dunning._now())
          AND (_refresh_offers.debtor_ids IS NULL OR o.debtor_id = ANY (_refresh_offers.debtor_ids))
        GROUP BY 1, 2
    LOOP
        n := n + coalesce(cardinality(dunning._end_offers(over.debtors, over.offers, over.state, over.note)), 0);
    END LOOP;
    RETURN n;
END
$$;
COMMENT ON FUNCTION dunning._refresh_offers(text[]) IS 'How many offers (of the debtors; NULL: all) were over by the clock or because less is owed, and have been ended.';

-- Writes offers down with their words; who has one that is live or proposed is left as he is. `of_state` is proposed where a second person must look.
CREATE FUNCTION dunning._insert_offers(debtor_ids text[], kinds text[], creditors text[], currencies text[], amounts numeric[], options jsonb[], expires date[],
                                       superseded uuid[], of_state text)
    RETURNS TABLE (debtor_id text, offer_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE format($q$
        INSERT INTO dunning.offer AS o (debtor_id, offer_id, creditor, kind, state, currency, amount, options, text, language, expires_on, expires_at, made_at, made_by, live_from, supersedes)
        SELECT v.debtor_id, dunning._uuid7(), v.creditor, v.kind, $9, v.currency, v.amount, w.options, w.text, w.spoken, v.expires_on, dunning._day_end(v.expires_on),
               dunning._now(), session_user, CASE WHEN $9 = 'live' THEN dunning._now() END, v.superseded
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) v(debtor_id, kind, creditor, currency, amount, options, expires_on, superseded)
        LEFT JOIN (SELECT d.debtor_id, d.language FROM (%s) d) d ON d.debtor_id = v.debtor_id
        LEFT JOIN (SELECT DISTINCT ON (c.creditor) c.creditor, c.language FROM dunning.creditor c ORDER BY c.creditor, c.builtin) c ON c.creditor = v.creditor
        CROSS JOIN LATERAL dunning._offer_words(v.kind, v.creditor, coalesce(nullif(d.language, ''), c.language, 'en'),
            jsonb_build_object('amount', v.amount, 'currency', v.currency, 'options', v.options, 'expires_on', to_char(v.expires_on, 'YYYY-MM-DD'), 'kind', v.kind)) w
        ON CONFLICT DO NOTHING
        RETURNING o.debtor_id::text, o.offer_id$q$, dunning._ledger_sql('debtor', '$1'))
        USING debtor_ids, kinds, creditors, currencies, amounts, options, expires, superseded, of_state;
END
$$;
COMMENT ON FUNCTION dunning._insert_offers(text[], text[], text[], text[], numeric[], jsonb[], date[], uuid[], text) IS 'The offers that were written: none for a debtor who has one of that state already.';

-- A settlement waits for another person where four eyes are asked for.
CREATE FUNCTION dunning._waits_for_approval(kind text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN kind = 'settlement' AND dunning._value_of('four_eyes')::boolean;
END
$$;
COMMENT ON FUNCTION dunning._waits_for_approval(text) IS 'Whether an offer of this kind is proposed first, until somebody approves it.';

-- No second offer beside a live one, a running agreement, or soon after one that came to nothing.
CREATE FUNCTION dunning._offerable(debtor_ids text[], kinds text[], as_of timestamptz DEFAULT NULL) RETURNS TABLE (debtor_id text, kind text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(_offerable.as_of, dunning._now());
    again interval := make_interval(days => dunning._value_of('offer_again_days')::int);
BEGIN
    RETURN QUERY
        SELECT x.id, x.k FROM unnest(_offerable.debtor_ids, _offerable.kinds) x(id, k)
        WHERE NOT EXISTS (SELECT FROM dunning.offer o WHERE o.debtor_id = x.id
                          -- who makes offers ends those first that no longer hold
                          AND (o.state = 'live' AND o.offer_id IN (SELECT l.offer_id FROM dunning._live_offers(_offerable.debtor_ids, _offerable.as_of) l)
                               OR o.state = 'proposed' AND o.expires_at > at OR o.state = 'declined' AND o.ended_at > at - again))
          AND x.id NOT IN (SELECT s.debtor_id FROM dunning._promise_state(_offerable.debtor_ids, _offerable.as_of) s
                           WHERE s.state = 'open' OR s.state = 'broken' AND s.deadline > at - again)
        ORDER BY x.id, x.k;
END
$$;
COMMENT ON FUNCTION dunning._offerable(text[], text[], timestamptz) IS 'Those of the debtors to whom a planning run may make an offer now.';

-- What a planning run makes.
CREATE FUNCTION dunning._make_offers(debtor_ids text[], kinds text[], as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, offer_id uuid, kind text, made boolean, offer jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    made_ids uuid[] := '{}';
    batch record;
BEGIN
    PERFORM dunning._refresh_offers(_make_offers.debtor_ids);
    FOR batch IN
        SELECT CASE WHEN dunning._waits_for_approval(t.kind) THEN 'proposed' ELSE 'live' END AS state,
               array_agg(t.debtor_id) AS debtors, array_agg(t.kind) AS kinds, array_agg(t.creditor) AS creditors, array_agg(t.currency) AS currencies,
               array_agg(t.amount) AS amounts, array_agg(t.options) AS options, array_agg(t.expires_on) AS expires
        FROM (SELECT array_agg(f.debtor_id) AS ids, array_agg(f.kind) AS kinds FROM dunning._offerable(_make_offers.debtor_ids, _make_offers.kinds) f) f,
             LATERAL dunning._offer_terms(f.ids, f.kinds, _make_offers.as_of) t
        GROUP BY 1
    LOOP
        made_ids := made_ids || ARRAY(SELECT i.offer_id
            FROM dunning._insert_offers(batch.debtors, batch.kinds, batch.creditors, batch.currencies, batch.amounts, batch.options, batch.expires,
                                        array_fill(NULL::uuid, ARRAY[cardinality(batch.debtors)]), batch.state) i);
    END LOOP;
    RETURN QUERY SELECT l.debtor_id, l.offer_id, l.kind, l.offer_id = ANY (made_ids), l.offer FROM dunning._live_offers(_make_offers.debtor_ids) l;
END
$$;
COMMENT ON FUNCTION dunning._make_offers(text[], text[], timestamptz) IS
    'The offer of record of each of the debtors after offers of the kinds asked for were made where there was none; no row where nothing is or can be offered. The terms without writing: _offer_terms().';
