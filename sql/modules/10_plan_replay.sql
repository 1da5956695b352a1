-- plan: the same questions asked as if it were an earlier day, and as if we had done since then what a simulation did.
--
-- In a replay (_replay()) the virtual clock shows that day, so that the ledger ends there; what this database itself wrote since the
-- replay's first instant did not happen, and what the simulation decided meanwhile stands in its place, in temporary tables of
-- dunning_owner. Whoever composes a query over these relations asks here where to read; outside of a replay the answer is their name.

CREATE FUNCTION dunning._past(relation text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $fn$
#variable_conflict error
DECLARE
    since text := quote_literal(dunning._replay_since());
BEGIN
    IF since IS NULL THEN
        RETURN 'dunning.' || relation;
    END IF;
    RETURN '(' || replace(CASE relation
        WHEN 'egress' THEN
            'SELECT x.debtor_id, x.message_id, x.channel, x.contact_on, x.test, x.address_digest FROM dunning.egress x WHERE x.contact_on < SINCE
             UNION ALL SELECT s.debtor_id, s.message_id, s.channel, s.sent_at, false, NULL::bytea FROM pg_temp.dunning_sim_message s WHERE s.sent_at <= dunning._now()'
        WHEN 'message' THEN
            'SELECT x.debtor_id, x.message_id, x.creditor, x.strategy, x.cost, x.cost_currency, x.created_at FROM dunning.message x WHERE x.created_at < SINCE
             UNION ALL SELECT s.debtor_id, s.message_id, s.creditor, s.strategy, s.cost, s.cost_currency, s.created_at FROM pg_temp.dunning_sim_message s WHERE NOT s.carried AND s.state <> ''cancelled'''
        WHEN 'queue' THEN
            'SELECT s.debtor_id, s.message_id, s.channel, s.state, s.due, s.run_id FROM pg_temp.dunning_sim_message s WHERE s.state IN (''queued'', ''held'')'
        -- the steps of what waited at the beginning are in the simulation's own hands
        WHEN 'once' THEN
            'SELECT x.debtor_id, x.kind, x.key, x.message_id, x.at FROM dunning.once x WHERE x.kind = ''step'' AND x.at < SINCE
               AND NOT EXISTS (SELECT FROM pg_temp.dunning_sim_message s WHERE s.carried AND s.debtor_id = x.debtor_id AND s.message_id = x.message_id)
             UNION ALL SELECT s.debtor_id, ''step'', s.key, s.message_id, s.at FROM pg_temp.dunning_sim_once s'
        -- what debtors did stays; our own calls since then were not made
        WHEN 'event' THEN
            'SELECT x.debtor_id, x.event_id, x.message_id, x.kind, x.at, x.detail, x.at AS recorded_at FROM dunning.event x
             WHERE x.at <= dunning._now() AND NOT (x.at >= SINCE AND x.kind IN (''called'', ''conversation''))'
        WHEN 'hold' THEN
            'SELECT x.debtor_id, x.creditor, x.reason, x.invoice_id, x.from_at, x.until_at, NULL::timestamptz AS released_at, x.scope, x.person_id, x.from_at > dunning._now() AS pending FROM dunning.hold x
             WHERE coalesce(x.placed_at, x.from_at) <= dunning._now() AND (x.released_at IS NULL OR x.released_at > dunning._now())'
        WHEN 'suppression' THEN
            'SELECT x.address_digest, x.channel, x.reason FROM dunning.suppression x WHERE x.suppressed_at <= dunning._now()' END, 'SINCE', since) || ')';
END
$fn$;
COMMENT ON FUNCTION dunning._past(text) IS 'Where to read egress, message, queue, once, event, hold or suppression: the table''s name, in a replay a subselect of what was there on that day, with what the simulation did instead of what was done.';
