-- plan: the best times of a whole book. Plain cases are answered in one pass of C (src/plan/times.c) from what planning reads of
-- them; whoever is not plain is asked of _best_times(), which defines it. A test holds both against each other.

CREATE FUNCTION dunning._times(texts text[], ask_gate text, channel text, at timestamptz, until_at timestamptz, today date)
    RETURNS TABLE (debtor_id text, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE c STABLE ROWS 100000 COST 1000000 AS 'MODULE_PATHNAME', 'dun_plan_sql_times';
COMMENT ON FUNCTION dunning._times(text[], text, text, timestamptz, timestamptz, date) IS
'The best instant of every debtor of the ledger over a channel. Reads each statement of texts (_times_texts()) once, as the caller, then asks ask_gate ($1 at, $2 debtors, $3 channel) about those who are no plain cases.';

-- What _times() reads, at the places of _pick_texts(): no steps, rungs or qualities of addresses, and nothing of prices and texts.
CREATE FUNCTION dunning._times_texts(channel text) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    none CONSTANT text := 'SELECT WHERE false';
    field text := (SELECT c.address_field FROM dunning.channel c WHERE c.channel = _times_texts.channel ORDER BY c.builtin LIMIT 1);
BEGIN
    RETURN ARRAY[
        'SELECT DISTINCT ON (c.channel) c.channel, c.address_field, c.service FROM dunning.channel c ORDER BY c.channel, c.builtin',
        none,
        'SELECT b.creditor, b.prior FROM dunning.timing_book b WHERE b.channel = ''*''',
        none,
        pg_catalog.format('SELECT l.source_id, %s, %s, %s, l.country, l.region, l.kind, dunning._zone_key(l.time_zone, l.phone, l.country, l.region), l.consent, NULL::float8, NULL::float8, NULL::boolean FROM (%s) l',
            CASE WHEN field = 'email' THEN 'l.email' ELSE 'NULL::text' END, CASE WHEN field = 'phone' THEN 'l.phone' ELSE 'NULL::text' END,
            CASE WHEN field = 'address' THEN 'dunning._postal_text(l.address)' ELSE 'NULL::text' END, dunning._ledger_sql('debtor')),
        none,
        'SELECT t.debtor_id, t.creditor, t.contacts, t.responses, t.profile, dunning._packed_dates(t.payments) FROM dunning.timing_profile t',
        'SELECT x.*, NULL::text AS account FROM (' || dunning._gate_contacts_sql(NULL, '$1') || ') x',
        dunning._gate_other_contacts_sql(NULL, '$1'),
        -- accounts that cannot be counted, or may be disputed as a whole
        dunning._gate_trouble_sql(NULL) || pg_catalog.format(' UNION ALL SELECT b.debtor_id, NULL, NULL FROM (%s) b WHERE b.fault < 5 OR b.disputed', dunning._balance_rows_sql()),
        pg_catalog.format('SELECT DISTINCT s.address_digest, (SELECT k.key FROM dunning.digest_key k) FROM %s s', dunning._past('suppression')),
        none, none, none, none,
        dunning._gate_rules_at_sql('0')];
END
$fn$;
COMMENT ON FUNCTION dunning._times_texts(text) IS 'The statements that _times() reads for a channel, in the order of src/plan/means.h.';

CREATE FUNCTION dunning.best_times(channel text, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    now_at timestamptz := coalesce(best_times.as_of, dunning._now());
    ids text[];
BEGIN
    PERFORM dunning._need_channel(best_times.channel);
    PERFORM dunning._check_as_of(best_times.as_of);
    IF dunning._ledger_problem() IS NULL THEN
        RETURN QUERY SELECT t.debtor_id, t.contact_at, t.local_time, t.p_response, t.p_baseline, t.uplift, t.explored, t.propensity, t.reasons
            FROM dunning._times(dunning._times_texts(best_times.channel),
                'SELECT u.id, b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
                 FROM dunning._best_times($2, array_fill($3, ARRAY[cardinality($2)]), NULL, NULL, $1) b JOIN unnest($2) WITH ORDINALITY u(id, ord) ON u.ord = b.ord',
                best_times.channel, now_at, now_at + '7 days'::interval, dunning._today(now_at)) t;
        RETURN;
    END IF;
    EXECUTE format('SELECT array_agg(l.debtor_id ORDER BY l.debtor_id) FROM (%s) l', dunning._ledger_sql('debtor')) INTO ids;
    RETURN QUERY SELECT u.id, b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons
        FROM dunning._best_times(ids, array_fill(best_times.channel, ARRAY[coalesce(cardinality(ids), 0)]), NULL, NULL, best_times.as_of) b
        JOIN unnest(ids) WITH ORDINALITY u(id, ord) ON u.ord = b.ord;
END
$fn$;
COMMENT ON FUNCTION dunning.best_times(text, timestamptz) IS
    'best_time() of every debtor of the book for a channel. Unknown channel: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.best_times(text, timestamptz) TO dunning_viewer;
