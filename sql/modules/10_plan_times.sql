-- plan: the best times of a whole book and of one debtor. Plain cases are answered in C (src/plan/times.c, time_one.c) from what
-- planning reads of them; whoever is not plain is asked of _best_times(), which defines it. Tests hold them against each other.

CREATE FUNCTION dunning._times(texts text[], ask_gate text, channel text, at timestamptz, until_at timestamptz, today date)
    RETURNS TABLE (debtor_id text, contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE c STABLE ROWS 100000 COST 1000000 AS 'MODULE_PATHNAME', 'dun_plan_sql_times';
COMMENT ON FUNCTION dunning._times(text[], text, text, timestamptz, timestamptz, date) IS
'The best instant of every debtor of the ledger over a channel. Reads each statement of texts (_times_texts()) once, as the caller, then asks ask_gate ($1 at, $2 debtors, $3 channel) about those who are no plain cases.';

-- What _times() reads, at the places of _pick_texts(): no steps, rungs or qualities of addresses, and nothing of prices and texts.
CREATE FUNCTION dunning._times_texts(channel text, many text DEFAULT NULL) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $fn$
#variable_conflict error
DECLARE
    none CONSTANT text := 'SELECT WHERE false';
    field text := (SELECT c.address_field FROM dunning.channel c WHERE c.channel = _times_texts.channel ORDER BY c.builtin LIMIT 1);
    own text := coalesce('= ANY (' || _times_texts.many || ')', 'IS NOT NULL');
BEGIN
    RETURN ARRAY[
        'SELECT DISTINCT ON (c.channel) c.channel, c.address_field, c.service FROM dunning.channel c ORDER BY c.channel, c.builtin',
        none,
        'SELECT b.creditor, b.prior FROM dunning.timing_book b WHERE b.channel = ''*''',
        none,
        pg_catalog.format('SELECT l.source_id, %s, %s, %s, l.country, l.region, l.kind, dunning._zone_key(l.time_zone, l.phone, l.country, l.region), l.consent, NULL::float8, NULL::float8, NULL::boolean FROM (%s) l',
            CASE WHEN field = 'email' OR channel IS NULL THEN 'l.email' ELSE 'NULL::text' END, CASE WHEN field = 'phone' OR channel IS NULL THEN 'l.phone' ELSE 'NULL::text' END,
            CASE WHEN field = 'address' OR channel IS NULL THEN 'dunning._postal_text(l.address)' ELSE 'NULL::text' END, dunning._ledger_sql('debtor', _times_texts.many)),
        none,
        'SELECT t.debtor_id, t.creditor, t.contacts, t.responses, t.profile, dunning._packed_dates(t.payments) FROM dunning.timing_profile t WHERE t.debtor_id ' || own,
        'SELECT x.*, NULL::text AS account FROM (' || dunning._gate_contacts_sql(_times_texts.many, '$1') || ') x',
        dunning._gate_other_contacts_sql(_times_texts.many, '$1'),
        -- accounts that cannot be counted, or may be disputed as a whole
        dunning._gate_trouble_sql(_times_texts.many) || pg_catalog.format(' UNION ALL SELECT b.debtor_id, NULL, NULL FROM (%s) b WHERE b.fault < 5 OR b.disputed', dunning._balance_rows_sql(_times_texts.many)),
        CASE WHEN _times_texts.many IS NULL THEN pg_catalog.format('SELECT DISTINCT s.address_digest, (SELECT k.key FROM dunning.digest_key k) FROM %s s', dunning._past('suppression'))
            ELSE pg_catalog.format($q$
                SELECT s.address_digest, k.key FROM (SELECT (SELECT y.key FROM dunning.digest_key y) AS key) k
                CROSS JOIN (%s) l CROSS JOIN LATERAL (VALUES ('email', l.email), ('phone', l.phone), ('address', dunning._postal_text(l.address))) a(field, address)
                JOIN %s s ON s.address_digest = dunning._digest(a.address, a.field, k.key)
                UNION ALL
                SELECT '', NULL WHERE dunning._is_key_lost()$q$, dunning._ledger_sql('debtor', _times_texts.many), dunning._past('suppression')) END,
        none, none, none, none,
        dunning._gate_rules_at_sql('0')];
END
$fn$;
COMMENT ON FUNCTION dunning._times_texts(text, text) IS 'The statements that _times() reads for a channel (NULL: any), in the order of src/plan/means.h; many: SQL text of the debtors, NULL: all.';

CREATE FUNCTION dunning._plain_time(debtor_id text, channel text, from_at timestamptz, until_at timestamptz, now_at timestamptz, top int)
    RETURNS TABLE (contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE c STABLE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'dun_plan_sql_plain_time';
COMMENT ON FUNCTION dunning._plain_time(text, text, timestamptz, timestamptz, timestamptz, int) IS
'The best instants of one debtor between two instants, where he is a plain case and has one, else no row: then ask _best_times(). Only while _ledger_problem() is NULL. The session keeps the rules of places until a watched table changes.';

CREATE FUNCTION dunning.best_time(debtor_id text, channel text, not_before timestamptz DEFAULT NULL, not_after timestamptz DEFAULT NULL, top int DEFAULT 1, deadline boolean DEFAULT false)
    RETURNS TABLE (contact_at timestamptz, local_time text, p_response float8, p_baseline float8, uplift float8, explored boolean, propensity float8, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(best_time.debtor_id);
    now_at CONSTANT timestamptz := dunning._now();
    starts CONSTANT timestamptz := CASE WHEN isfinite(best_time.not_before) THEN greatest(best_time.not_before, now_at) ELSE now_at END;
    earliest timestamptz;
BEGIN
    PERFORM dunning._need_channel(best_time.channel);
    IF id IS NULL OR best_time.not_before > '9999-12-30 00:00+00' OR best_time.not_before < '0001-01-02 00:00+00' OR NOT isfinite(best_time.not_after) OR best_time.not_after < best_time.not_before
       OR best_time.top IS NULL OR best_time.top NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'no best time can be found'
            USING ERRCODE = '22023', DETAIL = 'A debtor, finite instants in order and top from 1 to 100 are needed.',
                  HINT = 'SELECT * FROM dunning.best_time(''1042'', ''email'', now(), now() + ''7 days'');';
    END IF;
    IF dunning._ledger_problem() IS NULL AND dunning._replay_since() IS NULL THEN
        RETURN QUERY SELECT b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons || jsonb_build_object('words', dunning._timing_words(b.reasons, b.local_time, b.explored))
            FROM dunning._plain_time(id, best_time.channel, starts, coalesce(best_time.not_after, starts + interval '7 days'), now_at, best_time.top) b;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity, b.reasons || jsonb_build_object('words', dunning._timing_words(b.reasons, b.local_time, b.explored))
        FROM dunning._best_times(ARRAY[id], ARRAY[best_time.channel], ARRAY[best_time.not_before], ARRAY[best_time.not_after], NULL, best_time.top, by_rule => true) b
        -- Days before a deadline on which nothing is allowed: rather too early than not at all.
        WHERE b.contact_at IS NOT NULL OR best_time.deadline IS NOT TRUE OR best_time.not_before IS NULL OR b.reasons -> 'blocked_by' <> '[]' OR best_time.not_before <= dunning._now();
    IF FOUND THEN
        RETURN;
    END IF;
    -- on a quarter of an hour, as all that is planned
    earliest := (SELECT min(date_bin('15 minutes', lower(r.r) + interval '899 seconds 999999 microseconds', '2000-01-01 00:00+00'))
                 FROM unnest(dunning.contact_windows(id, best_time.channel, dunning._now(), best_time.not_before)) r(r)
                 WHERE date_bin('15 minutes', lower(r.r) + interval '899 seconds 999999 microseconds', '2000-01-01 00:00+00') <@ r.r);
    RETURN QUERY SELECT b.contact_at, b.local_time, b.p_response, b.p_baseline, b.uplift, b.explored, b.propensity,
               c.reasons || jsonb_build_object('words', dunning._timing_words(c.reasons, b.local_time, b.explored))
        FROM dunning._best_times(ARRAY[id], ARRAY[best_time.channel], ARRAY[coalesce(earliest, best_time.not_before)],
                                 ARRAY[coalesce(earliest, best_time.not_after)], NULL, 2, by_rule => true) b,
             LATERAL (SELECT b.reasons || CASE WHEN b.contact_at IS NULL THEN '{}' ELSE jsonb_build_object('deadline_compromised', true, 'wanted_from', best_time.not_before, 'wanted_until', best_time.not_after) END AS reasons) c
        LIMIT 1;
END
$fn$;
COMMENT ON FUNCTION dunning.best_time(text, text, timestamptz, timestamptz, int, boolean) IS
    'The best allowed instant to contact a debtor within seven days (or the given span, at most 62 days), also in local time; top > 1: the best ones. p_response is shrunk, and uplift stays 0 until randomised contacts have calibrated it; reasons are log-ratios, how many quarters of an hour each rule closes (closed_by; one may be closed by several), and words that say them. deadline: where nothing from not_before on is allowed, the earliest allowed instant before it, with deadline_compromised among the reasons. Nothing allowed: contact_at NULL and why. Bad values: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.best_time(text, text, timestamptz, timestamptz, int, boolean) TO dunning_viewer;

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
    'best_time() of every debtor of the book for a channel; where there is an instant, without words and closed_by. Unknown channel: 22023. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.best_times(text, timestamptz) TO dunning_viewer;
