-- plan: stage ladder, the steps that each debtor's currencies have reached and not had. What is read is composed here; it is read and decided in C
-- (src/plan/ladder.c), so that the book is read once.

CREATE FUNCTION dunning._ladder(texts text[], as_of timestamptz, many text[], strategy text, today date, stated boolean, now_at timestamptz, zone text)
    RETURNS TABLE (debtor_id text, creditor text, preferred_channel text, strategy_of text, country text, step text, enough boolean, blocked text, anchor date,
        due_on date, last_on date, times int, listed text[], under jsonb, rung int, last_contact timestamptz, n7 int, n30 int, mark text, amounts jsonb,
        largest numeric, largest_in text, odd boolean)
    LANGUAGE c VOLATILE ROWS 100000 COST 1000000 AS 'MODULE_PATHNAME', 'dun_plan_sql_ladder';
COMMENT ON FUNCTION dunning._ladder(text[], timestamptz, text[], text, date, boolean, timestamptz, text) IS
'One row a debtor and step reached and not had, rung 1 first to be taken: anchor, currencies listed, what is under its minimum, mark, amounts, the largest of them; blocked: stopped, max_contacts, or condition_failed; odd: rows that cannot be told in plain numbers, whose account was asked of _mark_sql(). Reads each statement of texts (_ladder_texts()) once, as the caller: src/plan/ladder.c.';

-- Steps with what their strategy adds to them.
CREATE FUNCTION dunning._ladder_steps() RETURNS TABLE (strategy text, catch_up text, stop_after int, max_contacts int, max_days int, tolerance jsonb, step text,
    "position" int, anchor text, offset_days int, from_day int, to_day int, repeat_days int, repeat_max int, condition text, after_contact boolean, stop_step boolean, minimum jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT t.strategy::text, t.catch_up, t.stop_after, t.max_contacts, t.max_days, t.tolerance, s.step::text, s.position, s.anchor, s.offset_days,
               CASE WHEN s.anchor = 'due_date' THEN least(s.offset_days, 1 + t.grace_days) ELSE 1 + t.grace_days END,
               -- the last day, from the anchor, on which the step may be taken
               CASE WHEN s.until_days IS NOT NULL THEN s.until_days
                    WHEN s.offset_days < 0 THEN CASE WHEN s.anchor = 'due_date' THEN 0 ELSE -1 END
                    WHEN s.anchor NOT IN ('due_date', 'last_contact') THEN s.offset_days + 7 END,
               s.repeat_days, s.repeat_max, s.condition, s.after_contact, coalesce(s.step = t.stop_step, false), coalesce(s.minimum, t.minimum)
        FROM dunning._strategies() t LEFT JOIN dunning._steps() s ON s.strategy = t.strategy
        WHERE t.enabled ORDER BY t.strategy, s.position, s.step;
END
$fn$;
COMMENT ON FUNCTION dunning._ladder_steps() IS 'The steps of the enabled strategies in order, one row with step NULL where a strategy has none: days from which invoices are listed and until which the step may be taken.';

-- Accounts of those whose rows cannot be told in plain numbers; composed when there are any.
CREATE FUNCTION dunning._ladder_marks(many text[], as_of timestamptz) RETURNS TABLE (debtor_id text, mark text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE pg_catalog.format('SELECT m.debtor_id, m.mark FROM (%s) m WHERE m.amounts <> ''{}'' OR NOT m.valid', dunning._mark_sql('$1', '$2')) USING many, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._ladder_marks(text[], timestamptz) IS 'Marks of debtors who owe something or whose amounts are invalid.';

CREATE FUNCTION dunning._ladder_items(many text[], as_of timestamptz)
    RETURNS TABLE (debtor_id text, currency text, due_on date, amount numeric, open numeric, is_left_out boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE pg_catalog.format('SELECT i.debtor_id, i.currency, i.due_on, i.amount, i.open, i.left_out IS NOT NULL FROM (%s) i', dunning._plan_items_sql('$1', '$2'))
        USING many, as_of;
END
$fn$;
COMMENT ON FUNCTION dunning._ladder_items(text[], timestamptz) IS 'Open items of debtors, with whether each is left out.';

-- Text of rows for _ladder_texts(): who is not planned today, since a run of this day wrote to the person over another account and the message still waits. Without it a second
-- run would see what the first could not, the accounts of a person being planned side by side, and plan for who was held for want of money another channel. NULL: no two accounts can share a person.
CREATE FUNCTION dunning._other_accounts_sql(whose text, now_at text, over_now text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    src record;
BEGIN
    SELECT o.relation, o.columns INTO src FROM dunning._source_of('debtor') o;
    RETURN CASE WHEN src.columns ? 'person_id' THEN pg_catalog.format($q$
            SELECT o.debtor_id, NULL, 'waiting', NULL FROM (%1$s) o
            JOIN (SELECT DISTINCT l.person_id, x.debtor_id FROM %2$s x
                  JOIN dunning.plan_run r ON r.run_id = x.run_id AND r.as_of <= %3$s
                      AND r.as_of >= (SELECT dunning._today(%3$s)::timestamp AT TIME ZONE dunning._ledger_zone())
                  JOIN (%4$s) l ON l.debtor_id = x.debtor_id
                  WHERE x.state <> 'held' AND x.message_id <> ALL (%5$s)) p ON p.person_id = o.person_id AND p.debtor_id <> o.debtor_id
            WHERE (SELECT EXISTS (SELECT FROM %6$s s WHERE s.person_id IS NOT NULL))$q$,
        dunning._ledger_sql('debtor', whose, '$1'), dunning._past('queue'), now_at, dunning._ledger_sql('debtor', NULL, '$1'), over_now, src.relation) END;
END
$fn$;
COMMENT ON FUNCTION dunning._other_accounts_sql(text, text, text) IS
    'SQL text: accounts whose person a run of today wrote to over another account, the message still waiting; NULL where the source has no person_id.';

-- What the ladder reads. $1 as_of, $2 debtors, $3 strategy, $4 conditions or the anchor asked for; the columns are those that src/plan/ladder_steps.c, ladder_read.c and ladder_told.c take.
CREATE FUNCTION dunning._ladder_texts(whole boolean) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $fn$
#variable_conflict error
DECLARE
    whose text := CASE WHEN NOT whole THEN '$2' END;
    among text := CASE WHEN whole THEN 'true' ELSE 'x.debtor_id = ANY ($2)' END;
    now_at text := 'coalesce($1, dunning._now())';
    -- What a run that writes ends first (_expire_waiting()) is over for one that does not, too. A replay has no such messages.
    over_now text := CASE WHEN dunning._replay_since() IS NOT NULL THEN '''{}''::uuid[]' ELSE pg_catalog.format(
        'ARRAY(SELECT u.message_id FROM (SELECT pg_catalog.array_agg(w.debtor_id) AS debtor_ids, pg_catalog.array_agg(w.message_id) AS message_ids
                 FROM dunning.queue w JOIN dunning.message m ON m.debtor_id = w.debtor_id AND m.message_id = w.message_id
                 WHERE w.state IN (''proposed'', ''held'') AND m.not_after <= %s) o, LATERAL dunning._unsent(o.debtor_ids, o.message_ids) u)', now_at) END;
BEGIN
    RETURN ARRAY[
        'SELECT s.strategy, s.catch_up = ''next'', s.stop_after, s.max_contacts, s.max_days, s.tolerance, s.step, s.position, s.anchor, s.offset_days, s.from_day, s.to_day,
            s.repeat_days, s.repeat_max, s.condition, s.after_contact, s.stop_step, s.minimum FROM dunning._ladder_steps() s',
        pg_catalog.format('SELECT d.debtor_id, d.creditor, d.preferred_channel, coalesce($3, d.strategy)::text, d.country FROM (%s) d',
            dunning._assigned_sql(dunning._ledger_sql('debtor', whose, '$1'))),
        pg_catalog.format('SELECT l.source_id, l.source_invoice, l.source_currency, l.amount, l.stated, l.issued_on, l.due_on, l.disputed FROM (%s) l', dunning._invoices_sql(whose, '$1')),
        pg_catalog.format('SELECT l.source_id, l.source_invoice, l.source_currency, l.amount, l.paid_at FROM (%s) l', dunning._ledger_sql('payment', whose, '$1')),
        -- contacts, and when debtors were heard otherwise than by a payment
        pg_catalog.format($q$SELECT e.debtor_id, e.message_id, e.contact_on FROM %4$s e
            WHERE NOT e.test AND e.contact_on >= %1$s - interval '%3$s days' AND e.contact_on <= %1$s AND %5$s
            UNION ALL
            SELECT v.debtor_id, NULL, max(v.at) FROM %6$s v
            WHERE v.kind IN ('clicked', 'replied', 'called_in', 'conversation', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere')
              AND v.at <= %1$s AND v.detail->>'machine' IS DISTINCT FROM 'true' AND %2$s GROUP BY v.debtor_id$q$, now_at, replace(among, 'x.', 'v.'),
            CASE WHEN EXISTS (SELECT FROM dunning._strategies() t WHERE t.enabled AND (t.stop_after IS NOT NULL OR t.max_days > 90)) THEN 400 ELSE 90 END,
            dunning._past('egress'), replace(among, 'x.', 'e.'), dunning._past('event')),
        -- holds of invoices, steps that were taken, messages that wait
        pg_catalog.format('SELECT x.debtor_id::text, x.invoice_id::text, ''hold'', NULL::date FROM %3$s x
            WHERE x.invoice_id IS NOT NULL AND x.released_at IS NULL AND x.from_at <= %1$s AND (x.until_at IS NULL OR x.until_at > %1$s) AND %2$s
            UNION ALL
            SELECT x.debtor_id, x.key, ''step'', (x.at AT TIME ZONE (SELECT dunning._ledger_zone()))::date FROM %4$s x
            WHERE x.kind = ''step'' AND (x.message_id = ANY (%6$s)) IS NOT TRUE AND %2$s
            UNION ALL
            SELECT x.debtor_id, NULL, ''waiting'', NULL FROM %5$s x WHERE x.run_id IS NOT NULL AND x.state <> ''held'' AND x.message_id <> ALL (%6$s) AND %2$s', now_at, among,
            dunning._past('hold'), dunning._past('once'), dunning._past('queue'), over_now) || coalesce(' UNION ALL ' || dunning._other_accounts_sql(whose, now_at, over_now), ''),
        pg_catalog.format('SELECT h.debtor_id, h.holds, ''condition_failed: '' || h.failure FROM dunning._conditions($4, $2, %s) h', now_at),
        pg_catalog.format('SELECT a.debtor_id, a.anchor, a.currency, a.last_on, a.next_on, a.early FROM dunning._anchors($2, $4, %s) a', now_at),
        'SELECT m.debtor_id, m.mark FROM dunning._ladder_marks($2, $1) m',
        'SELECT i.debtor_id, i.currency, i.due_on, i.amount, i.open, i.is_left_out FROM dunning._ladder_items($2, $1) i'];
END
$fn$;
COMMENT ON FUNCTION dunning._ladder_texts(boolean) IS 'The statements that _ladder() reads: of the whole book, or of the debtors of its argument.';

-- What the segment asks for, where neither the debtor nor the step says otherwise: which channel first, days between two contacts, tone and framing (which
-- _judged_sql() reads). Only segments with a treatment cost anything.
CREATE FUNCTION dunning._treat_by_segment() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.segment_treatment) THEN
        RETURN;
    END IF;
    UPDATE pg_temp.dunning_plan_ladder l
    SET preferred_channel = coalesce(l.preferred_channel, t.channel), gap_days = CASE WHEN s.cooldown_days IS NULL THEN t.gap_days END,
        by_segment = jsonb_strip_nulls(jsonb_build_object('segment', t.segment, 'channel', CASE WHEN l.preferred_channel IS NULL AND t.channel = ANY (s.channels) THEN t.channel END, 'tone', CASE WHEN s.tone = 'neutral' THEN t.tone END,
            'framing', CASE WHEN s.framing = 'neutral' THEN t.framing END, 'gap_days', CASE WHEN s.cooldown_days IS NULL THEN t.gap_days END))
    FROM dunning.segment_treatment t JOIN dunning.debtor_score r ON r.segment = t.segment, dunning._steps() s
    WHERE r.debtor_id = l.debtor_id AND s.strategy = l.strategy AND s.step = l.step;
END
$fn$;
COMMENT ON FUNCTION dunning._treat_by_segment() IS 'Puts the treatments of segments into stage ladder: preferred_channel, gap_days and by_segment, which the decision keeps.';

-- Stage ladder, in one snapshot. What was read is the mark: a payment that commits later shows at the gate.
CREATE FUNCTION dunning._stage_ladder(strategy text, as_of timestamptz, many text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(as_of, dunning._now());
    today date := dunning._today(as_of);
    zone text := dunning._ledger_zone();
    stated boolean;
BEGIN
    EXECUTE 'SELECT ' || dunning._states_balance_sql('$1') INTO stated USING as_of;
    CREATE TEMP TABLE dunning_plan_ladder ON COMMIT DROP AS
    SELECT f.debtor_id COLLATE "C" AS debtor_id, f.creditor, f.country, f.preferred_channel, f.strategy_of AS strategy, f.step, f.enough, f.blocked, f.last_contact, f.n7, f.n30,
           f.anchor, f.due_on, today - f.due_on AS days, (f.last_on + 1)::timestamp AT TIME ZONE zone AS until_at, f.times, f.listed, f.under, f.rung, f.mark, f.amounts,
           -- it is reckoned with in double precision, which knows no more
           CASE WHEN f.largest > 1e300 THEN 1e300 WHEN f.largest < 1e-300 THEN 0 ELSE f.largest END AS largest, f.largest_in, f.odd,
           NULL::int AS gap_days, NULL::jsonb AS by_segment
    FROM dunning._ladder(dunning._ladder_texts(many IS NULL), as_of, many, strategy, today, stated, at, zone) f;
    PERFORM dunning._treat_by_segment();
END
$fn$;
COMMENT ON FUNCTION dunning._stage_ladder(text, timestamptz, text[]) IS 'Stage ladder of a planning run: one row a debtor and step reached and not had; rung 1 goes first.';
