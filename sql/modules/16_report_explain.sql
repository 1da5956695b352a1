-- explain(): why now, why not, and what next. explain_message(): why then, from what was frozen then.

CREATE FUNCTION dunning._fix_for(blocker text, debtor_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT CASE
        WHEN blocker = 'ledger_stale' THEN 'SELECT dunning.ledger_loaded(''payment'', now());'
        WHEN blocker = 'ledger_broken' THEN 'SELECT * FROM dunning.source;'
        WHEN blocker LIKE 'hold%' THEN format('SELECT * FROM dunning.release(hold_id) FROM dunning.hold WHERE debtor_id = %L AND released_at IS NULL;', debtor_id)
        WHEN blocker LIKE 'suppressed%' THEN 'SELECT * FROM dunning.suppression;'
    END
$$;
COMMENT ON FUNCTION dunning._fix_for(text, text) IS 'The SQL that a person would look at to lift a blocker, NULL where waiting is the only way.';

-- Every step of the strategy and what became of it for this debtor.
CREATE FUNCTION dunning._explain_steps(debtor_id text, strategy text)
    RETURNS TABLE (item text, state text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH steps AS (
            SELECT DISTINCT ON (s.step) s.* FROM dunning.step s
            WHERE s.strategy = _explain_steps.strategy ORDER BY s.step, s.builtin)
        SELECT s.step::text, coalesce(m.state, CASE WHEN s.enabled THEN 'not yet' ELSE 'disabled' END),
               format('%s day(s) %s %s, template %s, %s%s', abs(s.offset_days), CASE WHEN s.offset_days < 0 THEN 'before' ELSE 'after' END,
                      replace(s.anchor, '_', ' '), s.template, array_to_string(s.channels, ' then '),
                      CASE WHEN s.condition IS NULL THEN '' ELSE ', if ' || s.condition END)
               || coalesce('; ' || m.local_time || ' by ' || m.channel || coalesce(', ' || m.reason, ''), '')
        FROM steps s
        LEFT JOIN LATERAL (
            SELECT x.state, x.reason, c.local_time, c.channel
            FROM dunning.message c
            JOIN dunning.message_state x ON x.debtor_id = c.debtor_id AND x.message_id = c.message_id
            WHERE c.debtor_id = _explain_steps.debtor_id AND c.strategy = s.strategy AND c.step = s.step
            ORDER BY c.message_id DESC LIMIT 1) m ON true
        ORDER BY s.position, s.step;
END
$$;
COMMENT ON FUNCTION dunning._explain_steps(text, text) IS 'One row a step of the strategy in order: what it is and the state of its last message to the debtor.';

-- What the gate says this instant, on every channel, and when it would say yes.
CREATE FUNCTION dunning._explain_channels(debtor_id text)
    RETURNS TABLE (item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    channels text[] := ARRAY(SELECT DISTINCT c.channel::text FROM dunning.channel c ORDER BY 1);
    n int := cardinality(channels);
    from_time timestamptz := dunning._now();
BEGIN
    RETURN QUERY
        SELECT g.channel::text, CASE WHEN cardinality(g.blocked_by) = 0 THEN 'allowed' ELSE 'blocked' END,
               CASE WHEN cardinality(g.blocked_by) = 0 THEN 'may be used now'
                    ELSE array_to_string(g.blocked_by, ', ')
                         -- the clock's rules by name: which of them shut this instant
                         || CASE WHEN g.blocked_by && '{quiet_hours,holiday}'::text[] THEN coalesce((
                             SELECT ' (' || string_agg(r.rule, ', ' ORDER BY r.rule) || ')' FROM dunning.closing_rules(_explain_channels.debtor_id, g.channel, dunning._now(), dunning._now() + '1 minute'::interval) r
                             WHERE r.closed_share > 0 AND r.cap IS NULL), '') ELSE '' END END
               || coalesce('; next allowed ' || dunning._local_time(w.opens, g.zone), '; not allowed in the next 7 days'),
               (SELECT f.fix FROM unnest(g.blocked_by) AS b (blocker) CROSS JOIN LATERAL (SELECT dunning._fix_for(b.blocker, _explain_channels.debtor_id) AS fix) f
                WHERE f.fix IS NOT NULL LIMIT 1)
        FROM dunning._gate(array_fill(_explain_channels.debtor_id, ARRAY[n]), channels, array_fill(from_time, ARRAY[n]),
                           array_fill(NULL::text, ARRAY[n]), NULL) g
        CROSS JOIN LATERAL (SELECT lower(dunning.contact_windows(_explain_channels.debtor_id, g.channel, from_time, from_time + interval '7 days')) AS opens) w
        ORDER BY g.ord;
END
$$;
COMMENT ON FUNCTION dunning._explain_channels(text) IS 'One row a channel: whether it may be used now, every blocker, the next allowed instant in local time.';

-- What a run of plan() would do for this debtor this instant; nothing is kept of it.
CREATE FUNCTION dunning._explain_plan(debtor_id text) RETURNS TABLE (item text, state text, detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    waits boolean;
BEGIN
    RETURN QUERY
        SELECT coalesce(p.step, 'none'), p.state,
               concat_ws(', ', p.channel, p.template, p.local_time, CASE WHEN p.reason = ANY (p.blocked_by) IS NOT TRUE THEN p.reason END, nullif(array_to_string(p.blocked_by, ', '), ''))
        FROM dunning._plan(NULL, NULL, true, false, ARRAY[_explain_plan.debtor_id]) p;
    IF NOT FOUND THEN
        EXECUTE pg_catalog.format('SELECT EXISTS (%s) AND NOT EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = ANY ($2) AND q.run_id IS NOT NULL AND q.state <> ''held'')',
                coalesce(dunning._other_accounts_sql('$2', 'coalesce($1, dunning._now())', 'ARRAY[]::uuid[]'), 'SELECT WHERE false'))
            INTO waits USING NULL::timestamptz, ARRAY[_explain_plan.debtor_id];
        RETURN QUERY SELECT 'none', CASE WHEN waits THEN 'waits' ELSE 'nothing to do' END,
            CASE WHEN waits THEN 'another account of this person was planned today and its message still waits: this one is planned again tomorrow'
                 ELSE 'no step of the strategy is due, or it was done' END;
    END IF;
EXCEPTION WHEN OTHERS THEN
    RETURN QUERY VALUES ('none', 'unknown', SQLERRM);
END
$$;
COMMENT ON FUNCTION dunning._explain_plan(text) IS 'What plan() would do for a debtor now.';

CREATE FUNCTION dunning._words_of(reasons jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT string_agg(r.word, '; ' ORDER BY r.n) FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(reasons) = 'array' THEN reasons ELSE '[]' END) WITH ORDINALITY r(word, n) $$;
COMMENT ON FUNCTION dunning._words_of(jsonb) IS 'Reasons in one line; NULL where there are none.';

CREATE FUNCTION dunning.explain(debtor_id text)
    RETURNS TABLE (topic text, item text, state text, detail text, fix_sql text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(explain.debtor_id);
    o dunning.overview;
    score_reasons jsonb;
    of_strategy text;
    followed_by text;
    coming text;
    problem text := dunning._ledger_problem();
BEGIN
    IF problem IS DISTINCT FROM 'ledger_broken' THEN
        SELECT v.* INTO o FROM dunning._overview(ARRAY[id], true) v;
        IF o.debtor_id IS NULL THEN
            RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL')
                USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name, e-mail or phone'');';
        END IF;
    END IF;
    -- Without a ledger nobody knows which rule fits: then it is the strategy of the last contact.
    IF problem IS DISTINCT FROM 'ledger_broken' THEN
        SELECT s.strategy, s.because INTO of_strategy, followed_by FROM dunning.strategy_of(id) s;
    END IF;
    of_strategy := coalesce(of_strategy, (SELECT m.strategy FROM dunning.message m WHERE m.debtor_id = id AND m.strategy IS NOT NULL ORDER BY m.message_id DESC LIMIT 1), 'standard');
    RETURN QUERY VALUES
        ('ledger', 'source', CASE WHEN problem IS NULL THEN 'ok' ELSE problem END,
         CASE WHEN problem IS NULL THEN 'read live' ELSE 'no contact until it is mended' END, dunning._fix_for(problem, id)),
        ('ledger', 'balance', CASE WHEN o.amounts IS NULL THEN 'unknown' WHEN o.amounts = '{}' THEN 'nothing open' ELSE 'open' END,
         format('%s, overdue %s, %s day(s) past due, %s invoice(s)', dunning._amounts_text(o.amounts), dunning._amounts_text(o.overdue),
                coalesce(o.days_past_due, 0), o.open_invoices), NULL);
    SELECT to_jsonb(s.reasons) INTO score_reasons FROM dunning.debtor_score s WHERE s.debtor_id = id;
    RETURN QUERY VALUES
        ('score', 'segment', coalesce(o.segment, 'none'), CASE WHEN o.segment IS NULL THEN 'not scored yet' ELSE 'diagnosis: ' || coalesce(o.diagnosis || coalesce(' (' || dunning._words_of(score_reasons->'diagnosis') || ')', ''), 'none') END,
         CASE WHEN o.segment IS NULL THEN 'SELECT * FROM dunning.score();' END),
        ('score', 'pays within 30 days', coalesce(round((100 * o.p_paid_30d)::numeric) || ' %', 'unknown'), dunning._words_of(score_reasons->'p_paid_30d'), NULL);
    RETURN QUERY
        SELECT 'score', w.item, round((100 * w.p)::numeric) || ' %', dunning._words_of(score_reasons->w.name), NULL::text
        FROM dunning.debtor_score s, LATERAL (VALUES (1, 'pays late', 'p_late', s.p_late), (2, 'pays without a reminder', 'p_self_cure', s.p_self_cure)) w(n, item, name, p)
        WHERE s.debtor_id = id AND w.p IS NOT NULL ORDER BY w.n;
    RETURN QUERY
        SELECT 'score', 'treatment', t.segment::text, concat_ws(', ', t.channel || ' first', 'tone ' || t.tone, 'framing ' || t.framing, t.gap_days || ' day(s) between two contacts') || ', where neither the debtor nor the step says otherwise', NULL::text
        FROM dunning.segment_treatment t WHERE t.segment = o.segment;
    RETURN QUERY
        SELECT 'hold', h.reason, 'held',
               concat_ws(', ', 'since ' || to_char(h.from_at, 'YYYY-MM-DD'), coalesce('until ' || to_char(h.until_at, 'YYYY-MM-DD'), 'until released'),
                         'by ' || h.placed_by, CASE h.scope WHEN 'person' THEN 'all accounts of the person' WHEN 'creditor' THEN 'the creditor''s whole book' END,
                         'invoice ' || h.invoice_id, 'talk to ' || (h.contact ->> 'name'), h.note),
               format('SELECT * FROM dunning.release(%L);', h.hold_id)
        FROM dunning._held_by(ARRAY[id]) h
        ORDER BY h.from_at, h.hold_id;
    RETURN QUERY
        SELECT 'hold', h.reason, 'scheduled', concat_ws(', ', 'from ' || to_char(h.from_at, 'YYYY-MM-DD'), 'by ' || h.placed_by, 'invoice ' || h.invoice_id, h.note),
               format('SELECT * FROM dunning.release(%L);', h.hold_id)
        FROM dunning.hold h WHERE h.debtor_id = id AND h.pending AND h.released_at IS NULL AND h.from_at > dunning._now() ORDER BY h.from_at, h.hold_id;
    IF problem = 'ledger_broken' THEN
        RETURN QUERY SELECT 'step', s.item, s.state, s.detail, NULL::text FROM dunning._explain_steps(id, of_strategy) s;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT 'promise', p.due_on::text, p.state, format('%s %s, paid %s', p.amount, p.currency, p.paid), NULL::text
        FROM dunning._promise_state(ARRAY[id]) p ORDER BY p.promised_at, p.part;
    RETURN QUERY SELECT 'strategy', of_strategy, coalesce(followed_by, 'unknown'),
                        (SELECT x.description FROM dunning._strategies() x WHERE x.strategy = of_strategy), NULL::text;
    RETURN QUERY SELECT 'step', s.item, s.state, s.detail, NULL::text FROM dunning._explain_steps(id, of_strategy) s;
    RETURN QUERY SELECT 'channel', c.item, c.state, c.detail, c.fix_sql FROM dunning._explain_channels(id) c;
    RETURN QUERY SELECT 'plan', p.item, p.state, p.detail, NULL::text FROM dunning._explain_plan(id) p;
    IF o.next_state IS NULL THEN
        coming := (SELECT format('%s by %s at %s, if nothing changes until then', n.step, n.channel, n.local_time) FROM dunning._explain_next(id, of_strategy) n);
    END IF;
    RETURN QUERY VALUES
        ('contact', 'last', coalesce(o.last_state, 'none'),
         CASE WHEN o.last_message_id IS NOT NULL THEN format('%s by %s at %s', o.last_template, o.last_channel, o.last_contact_at) END,
         CASE WHEN o.last_message_id IS NOT NULL THEN format('SELECT * FROM dunning.explain_message(%L);', o.last_message_id) END),
        ('contact', 'next', coalesce(o.next_state, CASE WHEN coming IS NOT NULL THEN 'expected' END, 'none'),
         CASE WHEN o.next_state IS NOT NULL
              THEN concat_ws(', ', format('%s by %s at %s', o.next_template, o.next_channel, o.next_local_time), array_to_string(o.blocked_by, ', '))
              ELSE coalesce(coming, 'nothing is planned, and as things stand daily runs of the next three months would plan nothing') END, NULL);
END
$$;
COMMENT ON FUNCTION dunning.explain(text) IS
    'Why now, why not, and what next, in rows: ledger, score, the treatment of the segment, holds, promises, every step, every channel with its blockers and next allowed time, last and next contact. Unknown debtor: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.explain(text) TO dunning_operator;

CREATE FUNCTION dunning._amounts_text(amounts jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce((SELECT string_agg(a.value || ' ' || a.key, ' and ' ORDER BY a.key) FROM jsonb_each_text(amounts) a), 'nothing') $$;
COMMENT ON FUNCTION dunning._amounts_text(jsonb) IS 'Amounts a currency in words; no two currencies are added.';

CREATE FUNCTION dunning.explain_message(message_id uuid)
    RETURNS TABLE (topic text, item text, at timestamptz, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    m dunning.message;
BEGIN
    SELECT x.* INTO m FROM dunning.message x WHERE x.message_id = explain_message.message_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no message %', coalesce(explain_message.message_id::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.journal WHERE debtor_id = ''…'';';
    END IF;
    -- Everything below was written when it happened; neither the ledger nor a template is read.
    RETURN QUERY VALUES
        ('planned', 'debtor', m.created_at, m.debtor_id::text),
        ('planned', 'creditor', m.created_at, m.creditor::text),
        ('planned', 'by', m.created_at, concat_ws(' ', m.created_by, 'run ' || m.run_id)),
        ('planned', 'step', m.created_at, concat_ws('/', m.strategy, m.step)),
        ('planned', 'template', m.created_at, m.template || ' (' || m.language || ')'),
        ('planned', 'channel', m.created_at, concat_ws(' over ', m.channel, m.server)),
        ('planned', 'time', m.contact_at, m.local_time || CASE WHEN m.explored THEN ', at random' ELSE '' END),
        ('planned', 'amounts', m.created_at, dunning._amounts_text(m.amounts)),
        ('planned', 'cost', m.created_at, m.cost || ' ' || m.cost_currency),
        ('planned', 'variant', m.created_at, concat_ws(', propensity ', m.variant, m.propensity)),
        ('planned', 'expected', m.created_at, format('p %s, value %s', coalesce(round(m.p::numeric, 3)::text, '-'), coalesce(m.expected_value::text, '-')));
    RETURN QUERY SELECT 'planned', 'why then', m.contact_at, array_to_string(w.words, '; ')
                 FROM dunning._timing_words(m.decision -> 'timing', m.local_time, m.explored) w(words) WHERE cardinality(w.words) > 0;
    RETURN QUERY SELECT 'decision', d.key, m.created_at, CASE jsonb_typeof(d.value) WHEN 'string' THEN d.value #>> '{}' ELSE d.value::text END
                 FROM jsonb_each(m.decision) d ORDER BY d.key;
    RETURN QUERY SELECT 'sent text', p.item, b.rendered_at, p.said
                 FROM dunning.body b
                 CROSS JOIN LATERAL (VALUES (1, 'address', b.address), (2, 'subject', b.subject), (3, 'text', b.body_text),
                     (4, 'framing', b.framing || ': ' || b.framing_reason)) AS p (ord, item, said)
                 WHERE b.debtor_id = m.debtor_id AND b.message_id = m.message_id AND p.said IS NOT NULL
                 ORDER BY p.ord;
    RETURN QUERY SELECT 'attempt', e.attempt::text, e.at,
                        format('%s, %s bytes, fields %s, digest %s%s', e.server, e.bytes, array_to_string(e.fields, ' '), encode(e.body_digest, 'hex'),
                               CASE WHEN e.test THEN ', test' ELSE '' END)
                 FROM dunning.egress e WHERE e.debtor_id = m.debtor_id AND e.message_id = m.message_id ORDER BY e.attempt;
    RETURN QUERY SELECT 'outcome', o.state, o.at, concat_ws(', ', o.reason, o.provider_ref, o.detail::text)
                 FROM dunning.outcome o WHERE o.debtor_id = m.debtor_id AND o.message_id = m.message_id ORDER BY o.at, o.outcome_id;
    RETURN QUERY SELECT 'waiting', q.state, q.due, concat_ws(', ', q.reason, array_to_string(q.blocked_by, ', '))
                 FROM dunning.queue q WHERE q.debtor_id = m.debtor_id AND q.message_id = m.message_id;
    RETURN QUERY SELECT 'event', v.kind::text, v.at, v.detail::text
                 FROM dunning.event v WHERE v.debtor_id = m.debtor_id AND v.message_id = m.message_id ORDER BY v.at, v.event_id;
END
$$;
COMMENT ON FUNCTION dunning.explain_message(uuid) IS
    'Why that message, as frozen then: decision, text and address as sent, attempts, outcomes, events. No later payment or edited template changes it. Unknown: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.explain_message(uuid) TO dunning_operator;
