-- score: why a debtor has not paid. Each piece of evidence is a row: what must hold, how much it weighs, and the sentence that says it with
-- the figures it rests on. A diagnosis holds where its evidence weighs one or more; the first that holds, by precedence, is the debtor's.

-- What features do not know, because it is said and not reckoned.
CREATE TYPE dunning.debtor_signals AS (
    disputed_items int, disputed_on date, changed_on date, hardship text, broken_on date, reached int, bounced int
);
COMMENT ON TYPE dunning.debtor_signals IS
'What was said of a debtor or by it, as known at an instant: open invoices that are disputed, the day of the last dispute of the last 180 days that nobody answered (hold "dispute" released), '
'of the last report of other circumstances, the reason of a hold for hardship, moratorium or insolvency, the latest promise that is broken and not made good, contacts of 180 days that arrived or were answered, and those that came back. NULL: nothing of the kind.';

-- What came back, and what was said, before $2: one row an overdue debtor, since nobody else gets a diagnosis. What of a dispute is
-- still open needs the allocation, which is dear: it is made for $4 alone, those who dispute anything.
CREATE FUNCTION dunning._signal_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$
    SELECT d.debtor_id, i.disputed_items, CASE WHEN h.dispute_open OR h.dispute_ended < e.disputed_at IS NOT FALSE THEN (e.disputed_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date END AS disputed_on,
        (e.changed_at AT TIME ZONE (SELECT dunning._ledger_zone()))::date AS changed_on, h.hardship, p.broken_on, e.reached, e.bounced
    FROM (%1$s) d
    LEFT JOIN (SELECT x.debtor_id, count(*)::int AS disputed_items FROM (%2$s) x WHERE x.disputed GROUP BY 1) i ON i.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, max(x.at) FILTER (WHERE x.kind = 'disputed') AS disputed_at,
            max(x.at) FILTER (WHERE x.kind = 'circumstances_changed') AS changed_at,
            (count(*) FILTER (WHERE x.kind IN ('delivered', 'opened', 'clicked', 'replied', 'called', 'called_in', 'conversation', 'promised')))::int AS reached,
            (count(*) FILTER (WHERE x.kind IN ('bounced', 'failed')))::int AS bounced
        FROM dunning.event x WHERE greatest(x.at, x.recorded_at) < $2 AND x.at >= $2 - interval '180 days' AND x.detail ->> 'machine' IS DISTINCT FROM 'true'
        GROUP BY 1) e ON e.debtor_id = d.debtor_id
    LEFT JOIN (SELECT y.debtor_id, min(y.reason) FILTER (WHERE y.reason <> 'dispute' AND y.in_force) AS hardship,
            coalesce(bool_or(y.in_force) FILTER (WHERE y.reason = 'dispute'), false) AS dispute_open, max(y.ended_at) FILTER (WHERE y.reason = 'dispute') AS dispute_ended
        FROM (SELECT x.debtor_id, x.reason, (x.released_at IS NULL OR x.released_at >= $2) AND (x.until_at IS NULL OR x.until_at > $2) AS in_force,
                CASE WHEN x.released_at < $2 THEN x.released_at WHEN x.until_at <= $2 THEN x.until_at END AS ended_at
              FROM dunning.hold x WHERE x.reason IN ('hardship', 'moratorium', 'insolvency', 'dispute') AND x.from_at < $2) y GROUP BY 1) h ON h.debtor_id = d.debtor_id
    LEFT JOIN (SELECT x.debtor_id, max(x.due_on) AS broken_on FROM dunning.promise x
        WHERE x.cancelled_at IS NULL AND x.promised_at < $2 AND x.due_on + 1 < ($2 AT TIME ZONE dunning._ledger_zone())::date
          AND x.needed > (SELECT coalesce(sum(y.amount), 0) FROM pay y WHERE y.debtor_id = x.debtor_id AND y.currency = x.currency) - x.paid_before
        GROUP BY 1) p ON p.debtor_id = d.debtor_id
    WHERE d.debtor_id IN (SELECT o.debtor_id FROM f o WHERE o.n_overdue > 0)$q$,
        dunning._ledger_sql('debtor', NULL, '$1'), dunning._open_items_sql('$4', '$1'));
END
$fn$;
COMMENT ON FUNCTION dunning._signal_sql() IS 'SQL text: debtor_id and the columns of debtor_signals of each overdue debtor; $1 as_of, $2 the instant, $4 who disputes an invoice; f a CTE of features, pay one of the payments of the overdue.';

-- The order, and why it is so. What somebody told us goes before what figures suggest; whether one can before whether one will; and, of
-- what figures suggest, first that for which the least need be done.
CREATE FUNCTION dunning._diagnosis_rules() RETURNS TABLE (ord int, diagnosis text, why text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    VALUES
    (1, 'disputes', 'A contested claim is answered before anything else: FCA CONC 7.14 and 15 U.S.C. 1692g(b) suspend collection, the Danish renteloven 9 b reminders.'),
    (2, 'cannot_pay', 'Told, or shown by a promise that could not be kept: forbearance goes before recovery (FCA CONC 7.3; Directive (EU) 2023/2225).'),
    (3, 'unreachable', 'No treatment works that does not arrive: addresses are traced before conduct is judged (right-party contact).'),
    (4, 'self_cures', 'Half of those who are late pay after the due date before any reminder: a contact would be credited with what comes by itself.'),
    (5, 'waiting_for_payday', 'Payments follow income: a reminder on the day after payday does what three before it do not.'),
    (6, 'forgot', 'Who pays in time as a rule needs to be told, not pressed.'),
    (7, 'cannot_pay', 'Inability is ruled out before unwillingness is assumed: the matrix of ability and willingness asks in this order.'),
    (8, 'will_not_pay', 'What is left: reached, able to pay others, and long overdue.')
$fn$;
COMMENT ON FUNCTION dunning._diagnosis_rules() IS 'Diagnoses by precedence, with the reason for their place; one of them stands twice, first as told and then as the figures suggest it.';

-- Weights in tenths: ten or more is a diagnosis. A negative weight speaks against it. Conditions are over features f and signals s; a
-- condition that is NULL does not hold, so what is not known is no evidence; nor is a share that is none (NaN, infinity). Fees and interest are
-- overdue but no invoices: without what is open of them, our own fees would make an inability out of one unpaid invoice.
CREATE FUNCTION dunning._diagnosis_evidence() RETURNS TABLE (ord int, n int, evidence text, tenths int, condition text, template text, figures text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    VALUES
    (1, 1, 'open_disputes',   10, 's.disputed_items > 0', '%s open invoices are disputed', 's.disputed_items'),
    (1, 2, 'dispute_told',    10, 's.disputed_on IS NOT NULL', 'disputed on %s', 'to_char(s.disputed_on, ''YYYY-MM-DD'')'),
    (2, 1, 'hardship_hold',   10, 's.hardship IS NOT NULL', 'hold: %s', 's.hardship'),
    (2, 2, 'circumstances',   10, 's.changed_on IS NOT NULL', 'reported other circumstances on %s', 'to_char(s.changed_on, ''YYYY-MM-DD'')'),
    (2, 3, 'broken_promise',   6, 's.broken_on IS NOT NULL', 'did not keep the promise of %s', 'to_char(s.broken_on, ''YYYY-MM-DD'')'),
    (2, 4, 'several_overdue',  4, 'f.n_overdue - coalesce(greatest(f.n_open - (f.n_invoices - f.n_paid), 0), 0) >= 2', '%s invoices overdue', 'f.n_overdue - coalesce(greatest(f.n_open - (f.n_invoices - f.n_paid), 0), 0)'),
    (2, 5, 'breaks_promises',  4, 'f.promises_broken >= 2 AND f.promise_kept_ratio BETWEEN 0 AND 0.49', 'kept %s of %s promises', 'f.promises_kept, f.promises_kept + f.promises_broken'),
    (3, 1, 'no_address',      10, 'NOT (f.has_email OR f.has_phone OR f.has_post)', 'no e-mail, telephone or address', ''),
    (3, 2, 'came_back',       10, 's.bounced >= 2 AND coalesce(s.reached, 0) = 0', '%s messages came back, none was answered or delivered', 's.bounced'),
    (3, 3, 'seldom_reached',   6, 'f.reached_ratio BETWEEN 0 AND 0.25', '%s %% of contacts arrived', 'round((100 * f.reached_ratio)::numeric)'),
    (3, 4, 'long_unreached',   4, 'f.days_since_reached > 90 AND f.contacts_30d >= 2', 'last reached %s days ago, %s contacts in 30 days', 'f.days_since_reached, f.contacts_30d'),
    (4, 1, 'late_by_days',    10, 'f.n_late >= 3 AND f.late_ratio BETWEEN 0.3 AND 1 AND f.avg_late / nullif(f.late_ratio, 0) <= 14 AND f.days_past_due <= 2 * f.avg_late / nullif(f.late_ratio, 0)',
        'paid %s of %s invoices late, %s days on average; %s days past due now', 'f.n_late, f.n_paid, round((f.avg_late / nullif(f.late_ratio, 0))::numeric), f.days_past_due'),
    (4, 2, 'needs_reminders', -5, 'f.paid_before_reminder >= 0 AND f.paid_before_reminder < 0.5', 'settled only %s %% before a reminder', 'round((100 * f.paid_before_reminder)::numeric)'),
    (5, 1, 'payday_habit',    10, 'f.late_ratio BETWEEN 0.3 AND 1 AND f.n_payments >= 4 AND f.payday_ratio BETWEEN 0.6 AND 1 AND f.days_past_due <= 31',
        '%s of %s payments came on days %s to %s of the month', 'round((f.payday_ratio * f.n_payments)::numeric), f.n_payments, f.payday_from, least(f.payday_from + 2, 31)'),
    (6, 1, 'usually_prompt',  10, 'f.n_paid >= 3 AND f.late_ratio BETWEEN 0 AND 0.25 AND f.days_past_due <= 45', 'paid %s of %s invoices in time; %s days past due now', 'f.n_paid - f.n_late, f.n_paid, f.days_past_due'),
    (6, 2, 'first_slip',      10, 'f.n_late = 0 AND f.n_paid < 3 AND f.days_past_due <= 14', 'never paid late, %s invoices settled; %s days past due now', 'f.n_paid, f.days_past_due'),
    (6, 3, 'was_reminded',    -5, 'f.contacts_30d >= 2 AND f.days_since_reached < f.days_past_due', 'reached %s days ago, %s contacts in 30 days', 'f.days_since_reached, f.contacts_30d'),
    (7, 1, 'piles_up',         7, 'f.n_overdue - coalesce(greatest(f.n_open - (f.n_invoices - f.n_paid), 0), 0) >= 3 AND f.days_past_due > 30', '%s invoices overdue, the oldest for %s days', 'f.n_overdue - coalesce(greatest(f.n_open - (f.n_invoices - f.n_paid), 0), 0), f.days_past_due'),
    (7, 2, 'pays_in_parts',    3, 'f.partial_ratio BETWEEN 0.3 AND 1', '%s %% of invoices paid on took more than one payment', 'round((100 * f.partial_ratio)::numeric)'),
    (7, 3, 'owes_more',        3, 'f.n_overdue - coalesce(greatest(f.n_open - (f.n_invoices - f.n_paid), 0), 0) > f.n_paid', '%s invoices overdue, %s settled', 'f.n_overdue - coalesce(greatest(f.n_open - (f.n_invoices - f.n_paid), 0), 0), f.n_paid'),
    (7, 4, 'rolls_on',         3, 'f.dpd_roll > 0 AND f.overdue_change > 0 AND f.overdue_change < ''Infinity''', '%s more overdue than 30 days ago, and older', 'round(f.overdue_change::numeric, 2)'),
    (8, 1, 'long_overdue',     6, 'f.days_past_due > 60', '%s days past due', 'f.days_past_due'),
    (8, 2, 'was_reached',      4, 's.reached >= 2', '%s contacts reached without payment', 's.reached'),
    (8, 3, 'pays_others',      4, 'f.days_since_payment <= 45', 'paid something else %s days ago', 'f.days_since_payment'),
    (8, 4, 'does_not_answer',  4, 'f.contacts_30d >= 3 AND f.responses_30d = 0 AND f.reached_ratio BETWEEN 0.5 AND 1', '%s contacts in 30 days, none answered', 'f.contacts_30d'),
    (8, 5, 'pays_in_parts',   -4, 'f.partial_ratio BETWEEN 0.3 AND 1 AND f.days_since_payment <= 45', '%s %% of invoices paid on took more than one payment, the last %s days ago',
        'round((100 * f.partial_ratio)::numeric), f.days_since_payment')
$fn$;
COMMENT ON FUNCTION dunning._diagnosis_evidence() IS 'What speaks for a diagnosis or against it: condition over features f and signals s, weight in tenths, sentence and the figures that it rests on.';

CREATE VIEW dunning.diagnosis_catalogue WITH (security_invoker, security_barrier) AS
    SELECT r.ord AS precedence, r.diagnosis, e.evidence, (e.tenths / 10.0)::numeric(3, 1) AS weight, e.template AS words, e.condition, r.why
    FROM dunning._diagnosis_rules() r JOIN dunning._diagnosis_evidence() e ON e.ord = r.ord;
COMMENT ON VIEW dunning.diagnosis_catalogue IS
'One row a piece of evidence of a diagnosis: what must hold (over debtor_features f and debtor_signals s), its weight (negative: against), the sentence; a diagnosis holds where its evidence weighs one or more, the lowest precedence that holds wins; why it has that place. Needs dunning_viewer.';
GRANT SELECT ON dunning.diagnosis_catalogue TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning._diagnosis_rules(), dunning._diagnosis_evidence() TO dunning_viewer;

-- Over f and s: the diagnosis, and the sentences for it as jsonb. Nothing overdue (or not known to be): none.
CREATE FUNCTION dunning._diagnosis_case(in_words boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT 'CASE WHEN (f.n_overdue > 0) IS NOT TRUE THEN NULL ' || string_agg(format('WHEN %s >= 10 THEN %s', g.weight, CASE WHEN in_words THEN g.words ELSE quote_literal(r.diagnosis) END), ' ' ORDER BY r.ord) || ' END'
            FROM dunning._diagnosis_rules() r,
                LATERAL (SELECT string_agg(format('CASE WHEN %s THEN %s ELSE 0 END', e.condition, e.tenths), ' + ' ORDER BY e.n) AS weight,
                                format('to_jsonb(array_remove(ARRAY[%s], NULL))', string_agg(format('CASE WHEN %s THEN %s END', e.condition,
                                    CASE e.figures WHEN '' THEN quote_literal(e.template) ELSE format('format(%L, %s)', e.template, e.figures) END), ', ' ORDER BY e.n) FILTER (WHERE e.tenths > 0)) AS words
                         FROM dunning._diagnosis_evidence() e WHERE e.ord = r.ord) g);
END
$fn$;
COMMENT ON FUNCTION dunning._diagnosis_case(boolean) IS 'SQL text over features f and signals s: the diagnosis, or what speaks for it as a jsonb array of sentences.';

-- One row a piece of evidence that holds, out of a FROM item that gives f and s.
CREATE FUNCTION dunning._evidence_sql(source text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (
        SELECT format($q$
        SELECT v.debtor_id, v.diagnosis, v.evidence, (v.tenths / 10.0)::numeric(3, 1) AS weight, CASE WHEN v.figures = '{}' THEN v.template ELSE format(v.template, VARIADIC v.figures) END AS words,
            v.figures, v.ord IS NOT DISTINCT FROM min(v.ord) FILTER (WHERE v.total >= 10) OVER (PARTITION BY v.debtor_id) AS chosen, v.habits
        FROM (SELECT u.*, f.debtor_id, %3$s AS habits, sum(u.tenths) OVER (PARTITION BY f.debtor_id, u.ord) AS total
              FROM %1$s, LATERAL (VALUES %2$s) u(ord, n, diagnosis, evidence, tenths, holds, template, figures)
              WHERE u.holds AND f.n_overdue > 0) v
        ORDER BY v.debtor_id, v.ord, v.n$q$, source,
            string_agg(format('(%s, %s, %L, %L, %s, %s, %L, ARRAY[%s]::text[])', r.ord, e.n, r.diagnosis, e.evidence, e.tenths, e.condition, e.template, e.figures), ', ' ORDER BY r.ord, e.n),
            dunning._habits_sql())
        FROM dunning._diagnosis_rules() r JOIN dunning._diagnosis_evidence() e ON e.ord = r.ord);
END
$fn$;
COMMENT ON FUNCTION dunning._evidence_sql(text) IS 'SQL text: the evidence that holds for each row of features f and signals s, which the given FROM item has.';

-- Habits that are told of a debtor whatever its segment.
CREATE FUNCTION dunning._habits_sql() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT $q$array_remove(ARRAY[CASE WHEN f.n_paid >= 3 AND f.late_ratio BETWEEN 0.5 AND 1 THEN 'habitual_late' END,
        CASE WHEN f.n_paid >= 3 AND f.late_ratio BETWEEN 0.3 AND 1 AND f.avg_late < 10 * f.late_ratio AND coalesce(f.paid_before_reminder, 1) >= 0.5 THEN 'self_curer' END], NULL)$q$
$fn$;
COMMENT ON FUNCTION dunning._habits_sql() IS 'SQL text over features f: the habits of habits().';

CREATE FUNCTION dunning.habits(features dunning.debtor_features) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    result text[];
BEGIN
    EXECUTE 'SELECT ' || dunning._habits_sql() || ' FROM (SELECT ($1).*) f' INTO result USING features;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning.habits(dunning.debtor_features) IS
'habitual_late: half or more of at least three settled invoices were late. self_curer: three in ten or more were late, by less than ten days on average, and at least half of all settled before any reminder (where that is known). Both may hold; {} where fewer than three were settled, or nothing is known. Needs dunning_viewer.';

CREATE FUNCTION dunning.diagnose(features dunning.debtor_features, signals dunning.debtor_signals DEFAULT NULL)
    RETURNS TABLE (diagnosis text, evidence text, weight numeric, words text, figures text[], chosen boolean)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY EXECUTE 'SELECT e.diagnosis, e.evidence, e.weight, e.words, e.figures, e.chosen FROM ('
        || dunning._evidence_sql('(SELECT ($1).*) f, (SELECT ($2).*) s') || ') e' USING features, signals;
END
$fn$;
COMMENT ON FUNCTION dunning.diagnose(dunning.debtor_features, dunning.debtor_signals) IS
'What speaks for why a debtor has not paid, one row a piece of evidence that holds: its weight (a diagnosis needs 1; negative speaks against), the sentence with its figures, and whether it belongs to the diagnosis that is chosen, the first by precedence whose evidence weighs 1 or more. '
'Looks at nothing but its arguments: a NULL column is no evidence; no row where n_overdue is 0 or NULL. See the view diagnosis_catalogue. Needs dunning_viewer.';

CREATE FUNCTION dunning.diagnoses(as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, diagnosis text, evidence text, weight numeric, words text, figures text[], chosen boolean, habits text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(diagnoses.as_of, dunning._now());
    disputing text[];
BEGIN
    PERFORM dunning._check_as_of(at);
    PERFORM dunning._restrict();
    EXECUTE format('SELECT array_agg(DISTINCT i.debtor_id) FROM (%s) i WHERE i.disputed', dunning._ledger_sql('invoice', NULL, '$1')) INTO disputing USING diagnoses.as_of;
    RETURN QUERY EXECUTE format($q$
        WITH f AS MATERIALIZED (SELECT f.* FROM (%1$s) f WHERE f.n_overdue > 0),
        pay AS MATERIALIZED (SELECT l.debtor_id, l.currency, l.amount FROM (%2$s) l WHERE l.amount > '-Infinity' AND l.amount < 'Infinity'
            AND l.debtor_id IN (SELECT o.debtor_id FROM f o))
        %3$s$q$,
        dunning._features_sql(NULL, '$1'), dunning._ledger_sql('payment', NULL, '$1'), dunning._evidence_sql('f LEFT JOIN (' || dunning._signal_sql() || ') s ON s.debtor_id = f.debtor_id'))
        USING diagnoses.as_of, at, NULL::text, disputing;
END
$fn$;
COMMENT ON FUNCTION dunning.diagnoses(timestamptz) IS
'The evidence of diagnose() of every overdue debtor as known at as_of (NULL: now), for a diagnosis and against it, with the debtor''s habits. Reads the whole book. Needs dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.habits(dunning.debtor_features), dunning.diagnose(dunning.debtor_features, dunning.debtor_signals), dunning.diagnoses(timestamptz),
    dunning._evidence_sql(text), dunning._habits_sql() TO dunning_viewer;
