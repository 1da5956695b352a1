-- plan: the offers that steps come with.

-- Does a template say nothing sensible without an offer? It names one, and has no words for when there is none.
CREATE FUNCTION dunning._needs_offer(template text, creditor text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
BEGIN
    RETURN EXISTS (SELECT FROM dunning.template t
                   WHERE t.template = _needs_offer.template AND t.creditor IN ('*', _needs_offer.creditor) AND t.replaced_at IS NULL
                     AND concat(t.subject, t.body_text, t.body_html) ~ '\{\{\{?[#&]?\s*offer\M' AND concat(t.subject, t.body_text, t.body_html) !~ '\{\{\^\s*offer\M');
END
$fn$;
COMMENT ON FUNCTION dunning._needs_offer(text, text) IS 'Whether some text in force of a template names offer and has no {{^offer}} section: without an offer it would be empty words.';

-- A step that comes with an offer makes it where the debtor has none; the message says it, whoever made it. A dry run shows the same terms and makes
-- nothing. Where there is none to make, a text that needs one is held.
CREATE FUNCTION dunning._stage_offers(as_of timestamptz, dry_run boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    debtors text[];
    kinds text[];
BEGIN
    SELECT array_agg(r.debtor_id ORDER BY r.debtor_id), array_agg(r.offer_kind ORDER BY r.debtor_id) INTO debtors, kinds
    FROM pg_temp.dunning_plan_row r WHERE r.state <> 'held' AND r.offer_kind IS NOT NULL;
    IF debtors IS NULL THEN
        RETURN;
    ELSIF dry_run THEN
        UPDATE pg_temp.dunning_plan_row r SET offered = o.offer
        FROM (SELECT l.debtor_id, l.offer - 'link' AS offer FROM dunning._live_offers(debtors, as_of) l WHERE l.expires_on >= dunning._today(as_of)
              UNION ALL
              SELECT t.debtor_id, jsonb_build_object('kind', t.kind, 'amount', t.amount, 'currency', t.currency, 'options', t.options, 'expires_on', to_char(t.expires_on, 'YYYY-MM-DD'))
              FROM (SELECT array_agg(f.debtor_id) AS debtors, array_agg(f.kind) AS kinds FROM dunning._offerable(debtors, kinds, as_of) f) f,
                   LATERAL dunning._offer_terms(f.debtors, f.kinds, as_of) t WHERE NOT dunning._waits_for_approval(t.kind)) o
        WHERE o.debtor_id = r.debtor_id AND r.state <> 'held' AND r.offer_kind IS NOT NULL;
    ELSE
        UPDATE pg_temp.dunning_plan_row r SET context = r.context || jsonb_build_object('offer', o.offer), offered = o.offer
        FROM dunning._make_offers(debtors, kinds, as_of) o
        -- nobody is told of an offer on the day after its last one
        WHERE o.debtor_id = r.debtor_id AND r.state <> 'held' AND r.offer_kind IS NOT NULL AND (o.offer->>'expires_on')::date >= dunning._today(as_of);
    END IF;
    UPDATE pg_temp.dunning_plan_row r
    SET decision = r.decision || '{"offer_needed": true}', state = CASE WHEN r.offered IS NULL THEN 'held' ELSE r.state END,
        message_id = CASE WHEN r.offered IS NOT NULL THEN r.message_id END, reason = CASE WHEN r.offered IS NULL THEN 'no_offer' ELSE r.reason END,
        blocked_by = CASE WHEN r.offered IS NULL THEN '{no_offer}' ELSE r.blocked_by END
    FROM (SELECT x.template, x.creditor, dunning._needs_offer(x.template, x.creditor) AS needed FROM (SELECT DISTINCT y.template, y.creditor FROM pg_temp.dunning_plan_row y WHERE y.offer_kind IS NOT NULL OFFSET 0) x) n    -- a text each, not a row each
    WHERE n.needed AND n.template = r.template AND n.creditor = r.creditor AND r.state <> 'held' AND r.offer_kind IS NOT NULL;
END
$fn$;
COMMENT ON FUNCTION dunning._stage_offers(timestamptz, boolean) IS 'Makes the offers that the steps of a planning run come with, puts them into rows and contexts, and sets decision.offer_needed; a dry run shows the terms alone. Holds (no_offer) what would say nothing without one.';
