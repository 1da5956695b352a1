-- plan: what a text may claim. A framing persuades only with what is so: a figure of other customers is computed from the
-- ledger, and a loss is named only where a fee is lawful and near. It is asked when a contact is planned and again when its
-- text is frozen; where the claim does not hold the neutral words leave, and the reason is kept.

-- Of the invoices that reached a level in the last twelve months, those that were then paid within thirty days.
CREATE TABLE dunning.proof (
    creditor        text COLLATE "C" NOT NULL,
    level           text COLLATE "C" NOT NULL,
    segment         text COLLATE "C" NOT NULL,          -- '*': all debtors
    n               bigint NOT NULL,                    -- invoices that reached the level
    paid            bigint NOT NULL,                    -- of these, paid within thirty days
    as_of           timestamptz NOT NULL,
    PRIMARY KEY (creditor, level, segment)
);
COMMENT ON TABLE dunning.proof IS 'Of the invoices that reached a level in the twelve months before as_of, and at least thirty days before it, how many were paid within thirty days; by creditor and today''s segment. Written by maintain().';
SELECT pg_catalog.pg_extension_config_dump('dunning.proof', '');
GRANT SELECT ON dunning.proof TO dunning_viewer;

-- What late payment costs the creditor, by its own account: no query over the ledger can know it, so who says it says from where.
CREATE TABLE dunning.late_cost (
    creditor        text COLLATE "C" PRIMARY KEY,
    amount          numeric NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    source          text NOT NULL,
    known_on        date NOT NULL,
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL
);
COMMENT ON TABLE dunning.late_cost IS 'What a bill that is paid late costs a creditor on average, with its source: what texts of the framing cost_to_others say.';
SELECT pg_catalog.pg_extension_config_dump('dunning.late_cost', '');
GRANT SELECT ON dunning.late_cost TO dunning_viewer;

CREATE FUNCTION dunning.set_late_cost(amount numeric, currency text, source text, creditor text DEFAULT 'default', known_on date DEFAULT NULL) RETURNS numeric
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    since date := coalesce(set_late_cost.known_on, dunning._today(NULL));
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.creditor c WHERE c.creditor = set_late_cost.creditor) THEN
        RAISE EXCEPTION 'creditor "%" does not exist', coalesce(set_late_cost.creditor, 'NULL')
            USING ERRCODE = '22023', HINT = pg_catalog.format('SELECT dunning.save_creditor(%L, ''Nordlys Energi'');', coalesce(set_late_cost.creditor, 'north'));
    ELSIF set_late_cost.amount IS NOT NULL AND (NOT (set_late_cost.amount > 0 AND set_late_cost.amount < 'Infinity') OR (set_late_cost.currency ~ '^[A-Z]{3}$') IS NOT TRUE
          OR coalesce(btrim(set_late_cost.source), '') = '' OR NOT isfinite(since) OR since > dunning._today(NULL)) THEN
        RAISE EXCEPTION 'what late payment costs is a finite amount above 0 in a currency of three capitals, with its source'
            USING ERRCODE = '22023', DETAIL = 'It is told to debtors as a fact; known_on is the day of the figure, not one to come. NULL as the amount takes it back.',
                  HINT = pg_catalog.format('SELECT dunning.set_late_cost(18.50, ''EUR'', ''controlling, cost of collections 2025 / late bills'', creditor => %L);', set_late_cost.creditor);
    END IF;
    PERFORM dunning._log_change('late_cost', set_late_cost.creditor, (SELECT to_jsonb(c) FROM dunning.late_cost c WHERE c.creditor = set_late_cost.creditor));
    DELETE FROM dunning.late_cost c WHERE c.creditor = set_late_cost.creditor;
    IF set_late_cost.amount IS NOT NULL THEN
        INSERT INTO dunning.late_cost AS c (creditor, amount, currency, source, known_on, set_by, set_at)
        VALUES (set_late_cost.creditor, set_late_cost.amount, set_late_cost.currency, set_late_cost.source, since, session_user, dunning._now());
    END IF;
    RETURN set_late_cost.amount;
END
$fn$;
COMMENT ON FUNCTION dunning.set_late_cost(numeric, text, text, text, date) IS
    'What a bill that is paid late costs the creditor on average (NULL: nobody knows any more), by which source, known since when (NULL: today). Texts of the framing cost_to_others name it until it is late_cost_days old, and are the neutral ones without. Role: dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.set_late_cost(numeric, text, text, text, date) TO dunning_admin;

-- How many days after its due date an invoice reaches a level: by the creditor's own strategy, else the first that has it.
CREATE FUNCTION dunning._levels() RETURNS TABLE (creditor text, level text, offset_days int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT DISTINCT ON (c.creditor, l.level) c.creditor::text, l.level, l.offset_days
        FROM (SELECT DISTINCT ON (x.creditor) x.creditor, coalesce(x.default_strategy, 'standard') AS strategy FROM dunning.creditor x ORDER BY x.creditor, x.builtin) c
        CROSS JOIN (SELECT s.strategy, coalesce(s.level, s.step)::text AS level, s.offset_days, s.position FROM dunning._steps() s
                    WHERE s.enabled AND s.anchor = 'due_date') l
        ORDER BY c.creditor, l.level, l.strategy = c.strategy DESC, l.strategy = 'standard' DESC, l.strategy, l.position;
END
$fn$;
COMMENT ON FUNCTION dunning._levels() IS 'The day of each level, counted from an invoice''s due date, by creditor.';

-- The planner takes the ledger's rows for few where they come through a view, and would look through all settlements for each: hence no nested loops.
CREATE FUNCTION dunning._proofs(as_of timestamptz) RETURNS SETOF dunning.proof
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $fn$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    zone  text := dunning._ledger_zone();
BEGIN
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH settled AS MATERIALIZED (
            SELECT s.debtor_id, s.due_on, s.issued_on, (s.settled_at AT TIME ZONE $3)::date AS paid_on
            FROM (%s) s
            WHERE s.disputed IS NOT TRUE AND s.kind = 'invoice' AND (s.open > 0 OR s.settled_at IS NOT NULL)),
        who AS MATERIALIZED (
            SELECT d.debtor_id, d.creditor, r.segment
            FROM (%s) d LEFT JOIN dunning.debtor_score r ON r.debtor_id = d.debtor_id)
        SELECT w.creditor, l.level, CASE WHEN grouping(w.segment) = 1 THEN '*' ELSE w.segment END, count(*), count(*) FILTER (WHERE s.paid_on <= s.due_on + l.offset_days + 30), coalesce($1, dunning._now())
        FROM settled s
        JOIN who w ON w.debtor_id = s.debtor_id
        JOIN dunning._levels() l ON l.creditor = w.creditor
        -- it was there and still open when that day began, and the thirty days are over
        WHERE s.issued_on <= s.due_on + l.offset_days AND (s.paid_on IS NULL OR s.paid_on >= s.due_on + l.offset_days)
          AND s.due_on + l.offset_days <= $2 - 30 AND s.due_on + l.offset_days > ($2 - interval '12 months')::date
        GROUP BY GROUPING SETS ((w.creditor, l.level), (w.creditor, l.level, w.segment))
        HAVING grouping(w.segment) = 1 OR w.segment IS NOT NULL$q$,
        dunning._settlement_sql(NULL, '$1'), dunning._ledger_sql('debtor', NULL, '$1'))
    USING as_of, today, zone;
END
$fn$;
COMMENT ON FUNCTION dunning._proofs(timestamptz) IS 'The rows of dunning.proof as known at an instant (NULL: now). Reads the whole book.';

-- maintain() and daily() call it. A figure of yesterday is as good as today's; none is told that is older than the setting.
CREATE FUNCTION dunning._refresh_proofs() RETURNS SETOF dunning.proof
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    -- Two at once: the second waits, and writes what is then true.
    LOCK TABLE dunning.proof IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM dunning.proof;
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN;
    END IF;
    RETURN QUERY INSERT INTO dunning.proof AS p SELECT x.* FROM dunning._proofs(NULL) x RETURNING p.*;
END
$fn$;
COMMENT ON FUNCTION dunning._refresh_proofs() IS 'Computes dunning.proof anew and returns its rows; a broken ledger leaves none, so that nothing is claimed.';

CREATE FUNCTION dunning._proof(level text, segment text, creditor text, as_of timestamptz DEFAULT NULL, OUT share numeric, OUT n bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    IF as_of IS NULL THEN
        SELECT p.paid::numeric / p.n, p.n INTO share, n FROM dunning.proof p
        WHERE p.creditor = _proof.creditor AND p.level = _proof.level AND p.segment = coalesce(_proof.segment, '*');
    ELSE
        SELECT p.paid::numeric / p.n, p.n INTO share, n FROM dunning._proofs(as_of) p
        WHERE p.creditor = _proof.creditor AND p.level = _proof.level AND p.segment = coalesce(_proof.segment, '*');
    END IF;
    n := coalesce(n, 0);
END
$fn$;
COMMENT ON FUNCTION dunning._proof(text, text, text, timestamptz) IS
    'The share of a creditor''s invoices of a segment (NULL: of all) that were paid within thirty days of reaching a level, and of how many; share NULL where none reached it. Without as_of as maintain() last left it, else computed from the whole book.';

-- Which framing may speak to each of these debtors, and with what. Arrays run beside each other; a fee is looked for where the
-- framing or the text speaks of one. A loss is always of a fee to come: who is told to avoid it is not charged by the same words.
CREATE FUNCTION dunning._truth(debtor_ids text[], creditors text[], levels text[], framings text[], says text[], as_of timestamptz, days date[] DEFAULT NULL)
    RETURNS TABLE (ord bigint, framing text, reason text, fee jsonb, proof jsonb, late_cost jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    least_n    bigint := dunning._value_of('proof_minimum')::numeric;
    least      numeric := dunning._value_of('proof_share')::numeric;
    oldest_cost timestamptz := coalesce(as_of, dunning._now()) - pg_catalog.make_interval(days => dunning._value_of('late_cost_days')::int);
    oldest     timestamptz := coalesce(as_of, dunning._now()) - pg_catalog.make_interval(days => dunning._value_of('proof_days')::int);
BEGIN
    RETURN QUERY
        WITH asked AS MATERIALIZED (
            SELECT u.debtor_id, u.creditor, u.level, u.framing, u.day, CASE WHEN u.framing LIKE 'loss%' THEN 'warned' ELSE u.says END AS says, u.ord
            FROM ROWS FROM (unnest(debtor_ids), unnest(creditors), unnest(levels), unnest(framings), unnest(says), unnest(days))
                               WITH ORDINALITY AS u(debtor_id, creditor, level, framing, says, day, ord)),
        of_fees AS MATERIALIZED (
            SELECT array_agg(a.ord) AS ords, array_agg(a.debtor_id) AS debtors, array_agg(a.level) AS levels, array_agg(a.day) AS days, array_agg(a.says) AS says
            FROM asked a WHERE a.says IS NOT NULL),
        fees AS MATERIALIZED (
            SELECT o.ords[f.ord] AS ord, dunning._fee_context(f.told, f.invoice_id, f.level, f.currency, f.amount, f.on_day) AS fee
            FROM of_fees o, LATERAL dunning._told_fees(o.debtors, o.levels, o.days, o.says, as_of) f),
        judged AS (
            SELECT a.ord, a.framing, f.fee, a.level, p.n, p.paid, c.amount, c.currency,
                   CASE WHEN a.framing LIKE 'loss%' THEN CASE WHEN f.fee IS NULL THEN 'no_fee_pending' END
                        WHEN a.framing LIKE 'social%' THEN
                            CASE WHEN p.n IS NULL THEN 'no_figure' WHEN p.as_of < oldest THEN 'figure_too_old' WHEN p.n < least_n THEN 'too_few_cases'
                                 WHEN p.paid::numeric / p.n < least THEN 'figure_not_favourable' END
                        WHEN a.framing LIKE 'cost%' THEN CASE WHEN c.amount IS NULL THEN 'no_figure' WHEN c.known_on < oldest_cost THEN 'figure_too_old' END END AS reason
            FROM asked a
            LEFT JOIN fees f ON f.ord = a.ord
            LEFT JOIN dunning.debtor_score r ON a.framing LIKE 'social%' AND r.debtor_id = a.debtor_id
            LEFT JOIN dunning.proof p ON a.framing LIKE 'social%' AND p.creditor = a.creditor AND p.level = a.level AND p.segment = coalesce(r.segment, '*')
            LEFT JOIN dunning.late_cost c ON a.framing LIKE 'cost%' AND c.creditor = a.creditor)
        SELECT j.ord, CASE WHEN j.reason IS NULL THEN j.framing ELSE 'neutral' END, j.reason, j.fee,
               CASE WHEN j.framing LIKE 'social%' AND j.reason IS NULL
                    -- never more than is so: the percentage is cut, not rounded
                    THEN pg_catalog.jsonb_build_object('share', round(j.paid::numeric / j.n, 4), 'percent', floor(100 * j.paid::numeric / j.n), 'n', j.n, 'level', j.level) END,
               CASE WHEN j.framing LIKE 'cost%' AND j.reason IS NULL THEN pg_catalog.jsonb_build_object('amount', j.amount, 'currency', j.currency) END
        FROM judged j;
END
$fn$;
COMMENT ON FUNCTION dunning._truth(text[], text[], text[], text[], text[], timestamptz, date[]) IS
    'For each debtor, level and framing asked for: the framing that may speak (neutral, with the reason: no_fee_pending, no_figure, figure_too_old, too_few_cases, figure_not_favourable), and the fee, proof and late_cost of the template context, as of an instant (NULL: now). says: which fees its text can tell (_speaks_of_fees(), NULL: none); days: when it leaves (NULL: that day).';

-- Stage row of a planning run, once more: what its texts claim. Most rows claim nothing.
CREATE FUNCTION dunning._stage_truth(as_of timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    charging text[] := dunning._charging_creditors();
    rows_    tid[];
    debtors  text[];
    creditors text[];
    levels   text[];
    framings text[];
    kinds    text[];
    days     date[];
BEGIN
    -- Once a text, not once a row.
    WITH said AS MATERIALIZED (
        SELECT d.*, dunning._speaks_of_fees(d.template, d.variant, d.channel, d.creditor) AS says
        FROM (SELECT DISTINCT x.template, x.variant, x.channel, x.creditor FROM pg_temp.dunning_plan_row x OFFSET 0) d),
    written AS MATERIALIZED (SELECT c.channel, NOT bool_or(c.human) AS written FROM dunning.channel c GROUP BY 1)
    SELECT array_agg(r.ctid), array_agg(r.debtor_id), array_agg(r.creditor), array_agg(coalesce(t.level, r.step)), array_agg(r.variant),
           -- a fee is charged by what is written
           array_agg(CASE WHEN w.written THEN s.says WHEN s.says ~ 'warned' THEN 'warned' END),
           array_agg(dunning._today(r.contact_at))
    INTO rows_, debtors, creditors, levels, framings, kinds, days
    FROM pg_temp.dunning_plan_row r
    JOIN said s ON s.template = r.template AND s.variant = r.variant AND s.channel = r.channel AND s.creditor = r.creditor
    JOIN written w ON w.channel = r.channel
    LEFT JOIN dunning._steps() t ON t.strategy = r.strategy AND t.step = r.step
    WHERE r.state <> 'held' AND (r.creditor = ANY (charging) OR r.variant LIKE 'loss%' OR r.variant LIKE 'social%' OR r.variant LIKE 'cost%');
    IF rows_ IS NULL THEN
        RETURN;
    END IF;
    UPDATE pg_temp.dunning_plan_row r
    SET variant = t.framing, fee = t.fee, context = r.context || jsonb_build_object('fee', t.fee, 'proof', t.proof, 'late_cost', t.late_cost),
        decision = r.decision || jsonb_strip_nulls(jsonb_build_object('fee', t.fee, 'proof', t.proof, 'late_cost', t.late_cost,
            'framing', CASE WHEN t.reason IS NOT NULL THEN jsonb_build_object('asked', r.variant, 'told', t.framing, 'why', t.reason) END))
    FROM dunning._truth(debtors, creditors, levels, framings, kinds, as_of, days) t
    WHERE r.ctid = rows_[t.ord];
    IF charging <> '{}' THEN
        UPDATE pg_temp.dunning_plan_row r SET context = x.context
        FROM (SELECT y.debtor_id, dunning._with_charges(y.context, o.open) AS context
              FROM pg_temp.dunning_plan_row y
              LEFT JOIN dunning._open_charges(debtors) o ON o.debtor_id = y.debtor_id AND o.currency = y.context->>'currency'
              WHERE y.message_id IS NOT NULL AND y.creditor = ANY (charging)) x
        WHERE x.debtor_id = r.debtor_id AND r.message_id IS NOT NULL;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_truth(timestamptz) IS 'Takes from the rows of a planning run what is not so: variant becomes neutral, with the reason in decision.framing; fee, charges, proof and late_cost are put into context and decision.';

-- The same at the last moment, for messages whose context was frozen when they were planned. A fee that was not planned is not charged now;
-- of one that was, it is told what may be told of it today.
CREATE FUNCTION dunning._true_contexts(debtor_ids text[], creditors text[], templates text[], framings text[], contexts jsonb[])
    RETURNS TABLE (ord bigint, framing text, reason text, context jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
        WITH given AS MATERIALIZED (
            SELECT u.* FROM ROWS FROM (unnest(debtor_ids), unnest(creditors), unnest(templates), unnest(framings), unnest(contexts))
                                 WITH ORDINALITY AS u(debtor_id, creditor, template, framing, context, ord)),
        able AS MATERIALIZED (
            SELECT d.*, dunning._speaks_of_fees(d.template, d.framing, NULL, d.creditor) AS says
            FROM (SELECT DISTINCT g.creditor, g.template, g.framing FROM given g WHERE g.context->>'fee' IS NOT NULL) d),
        lists AS MATERIALIZED (
            SELECT array_agg(coalesce(g.context->>'level', g.template) ORDER BY g.ord) AS levels, array_agg(CASE WHEN g.context->>'fee' IS NOT NULL THEN a.says END ORDER BY g.ord) AS says
            FROM given g LEFT JOIN able a ON a.creditor = g.creditor AND a.template = g.template AND a.framing = g.framing),
        owed AS MATERIALIZED (
            SELECT o.* FROM dunning._open_charges(ARRAY(SELECT DISTINCT g.debtor_id FROM given g WHERE g.context->>'charges' IS NOT NULL)) o)
        SELECT t.ord, t.framing, t.reason, CASE WHEN g.context->>'charges' IS NULL THEN x.context ELSE dunning._with_charges(x.context, o.open) END
        FROM lists l
        CROSS JOIN LATERAL dunning._truth(debtor_ids, creditors, l.levels, framings, l.says, NULL) t
        JOIN given g ON g.ord = t.ord
        CROSS JOIN LATERAL (SELECT g.context || pg_catalog.jsonb_build_object('fee', t.fee, 'proof', t.proof, 'late_cost', t.late_cost) AS context) x
        LEFT JOIN owed o ON o.debtor_id = g.debtor_id AND o.currency = g.context->>'currency'
        ORDER BY t.ord;
END
$fn$;
COMMENT ON FUNCTION dunning._true_contexts(text[], text[], text[], text[], jsonb[]) IS
    'Contexts of messages about to be rendered, with fee, charges, proof and late_cost as they are now, the framing that may speak, and why it is another than asked for.';
GRANT EXECUTE ON FUNCTION dunning._true_contexts(text[], text[], text[], text[], jsonb[]) TO dunning_worker;

-- For one message that is no part of a planning run.
CREATE FUNCTION dunning._true_context(debtor_id text, creditor text, template text, context jsonb, day date DEFAULT NULL, channel text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    framing text := coalesce(context->>'framing', 'neutral');
    says text := dunning._speaks_of_fees(template, framing, channel, creditor);
    charging boolean := creditor = ANY (dunning._charging_creditors());
    told jsonb;
BEGIN
    -- What a caller says of a fee is not believed, and costs nobody anything.
    IF framing NOT LIKE 'loss%' AND framing NOT LIKE 'social%' AND framing NOT LIKE 'cost%' AND says IS NULL AND NOT charging AND context->>'fee' IS NULL THEN
        RETURN context;
    END IF;
    told := (SELECT context || jsonb_build_object('fee', t.fee, 'proof', t.proof, 'late_cost', t.late_cost)
             FROM dunning._truth(ARRAY[debtor_id], ARRAY[creditor], ARRAY[coalesce(context->>'level', template)], ARRAY[framing], ARRAY[says], NULL, ARRAY[day]) t);
    RETURN CASE WHEN charging THEN dunning._with_charges(told, (SELECT o.open FROM dunning._open_charges(ARRAY[debtor_id]) o WHERE o.currency = told->>'currency')) ELSE told END;
END
$fn$;
COMMENT ON FUNCTION dunning._true_context(text, text, text, jsonb, date, text) IS 'A debtor''s context with fee, charges, proof and late_cost where the template, in the framing that the context names, speaks of them (over a channel; NULL: any); day: when it leaves (NULL: today).';
