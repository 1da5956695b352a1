-- gate: the one query. Planning, sending, allowed(), contact windows and best times all read these words from it.

CREATE FUNCTION dunning._digest(address text, address_field text, key bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'dun_gate_sql_digest';
COMMENT ON FUNCTION dunning._digest(text, text, bytea) IS 'HMAC-SHA-256 of the address in its normal form; address_field email, phone, address or another, NULL or ''*'': seen from the address.';

CREATE FUNCTION dunning._good_address(address text, address_field text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_good_address';
COMMENT ON FUNCTION dunning._good_address(text, text) IS 'True where every octet of the address may stand in one (no control characters, no second recipient). NULL: false.';

CREATE FUNCTION dunning._is_key_lost() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN NOT EXISTS (SELECT FROM dunning.digest_key) AND EXISTS (SELECT FROM dunning.suppression);
END
$fn$;
COMMENT ON FUNCTION dunning._is_key_lost() IS 'Are there suppressions and no key under which their addresses were digested?';
GRANT EXECUTE ON FUNCTION dunning._is_key_lost() TO dunning_worker;

CREATE FUNCTION dunning._words(VARIADIC words "any") RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_words';
COMMENT ON FUNCTION dunning._words("any") IS 'The given texts and the elements of the given text[] that are not NULL, in order; NULL where there are none.';

CREATE FUNCTION dunning._repeated(ids text[]) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_repeated';
COMMENT ON FUNCTION dunning._repeated(text[]) IS 'Those that stand there more than once, each once; empty where none does.';

CREATE FUNCTION dunning._caps(ord int, at timestamptz, debtor_id text, message_id uuid, windows bytea, caps text[],
    debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[], talks timestamptz[]) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_caps';
COMMENT ON FUNCTION dunning._caps(int, timestamptz, text, uuid, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]) IS
    'The caps, gaps and silences that forbid a contact at this instant, NULL where none does. Contacts: ord 0 happened, < 0 queued (counted for a question, message_id NULL), > 0 earlier in the same batch.';

CREATE FUNCTION dunning._open_ranges(from_time timestamptz, until_time timestamptz, debtor_id text, windows bytea, caps text[],
    debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[], talks timestamptz[]) RETURNS tstzmultirange
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'dun_gate_sql_open_ranges';
COMMENT ON FUNCTION dunning._open_ranges(timestamptz, timestamptz, text, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[]) IS
    'The whole minutes in which neither clock nor caps forbid a contact.';

CREATE FUNCTION dunning._next_open(from_time timestamptz, until_time timestamptz, debtor_id text, windows bytea, caps text[],
    debtors text[], channels text[], messages uuid[], ats timestamptz[], ords int[], talks timestamptz[], message_id uuid) RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'dun_gate_sql_next_open';
COMMENT ON FUNCTION dunning._next_open(timestamptz, timestamptz, text, bytea, text[], text[], text[], uuid[], timestamptz[], int[], timestamptz[], uuid) IS
    'The first instant, now or at a multiple of five minutes, at which neither clock nor caps forbid the contact; NULL where there is none. When to look at a held message again. Its own attempts and its companion do not keep a message waiting; message_id NULL: all count.';

-- The arguments as rows. A function of our own, because it knows that a batch has many rows: the planner takes arrays for ten.
CREATE FUNCTION dunning._ask(ids text[], channels text[], ats timestamptz[], marks text[], extras anyarray)
    RETURNS TABLE (ord int, debtor_id text, channel text, at timestamptz, mark text, extra anyelement)
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'dun_gate_sql_ask';
COMMENT ON FUNCTION dunning._ask(text[], text[], timestamptz[], text[], anyarray) IS 'Five arrays as numbered rows.';

-- Other accounts of the persons in `d` (person_id, debtor_id): text of a SELECT, NULL where no two accounts can share a person.
CREATE FUNCTION dunning._accounts_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    src record;
    base oid;
    wanted text;
BEGIN
    SELECT o.relation, o.columns INTO src FROM dunning._source_of('debtor') o;
    IF NOT src.columns ? 'person_id' THEN
        RETURN NULL;
    END IF;
    -- The person's id in the column's own type, so that an index of the source on it serves.
    base := (src.columns #>> '{person_id,base}')::oid;
    wanted := CASE
        WHEN base IN (20, 21, 23) THEN '(dunning._ids_int8(ARRAY[p.person_id]))[1]'
        WHEN base = 1700 THEN '(dunning._ids_numeric(ARRAY[p.person_id]))[1]'
        WHEN base = 2950 THEN '(dunning._ids_uuid(ARRAY[p.person_id]))[1]'
        ELSE format('p.person_id COLLATE %s', coalesce(src.columns #>> '{person_id,collation}', 'pg_catalog."default"')) END;
    RETURN format('SELECT p.person_id, s.debtor_id::text COLLATE "C" AS debtor_id FROM (SELECT DISTINCT d.person_id FROM d) p JOIN %s AS s ON s.person_id = %s',
                  src.relation, wanted);
END
$fn$;
COMMENT ON FUNCTION dunning._accounts_sql() IS 'SQL text: all accounts that name a person of the expression d; NULL where the source has no person_id. An index of the source on person_id serves it.';

-- What takes a debtor out altogether, whatever the hour: text of common table expressions up to `w`, one row an asked row, and `sup`.
-- `words` are NULL where nothing does: that is nearly every row of a batch, and the next ones need not compare arrays.
CREATE FUNCTION dunning._gate_rows_sql(recheck boolean) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$
    a AS MATERIALIZED (SELECT q.ord, q.debtor_id COLLATE "C" AS debtor_id, q.channel COLLATE "C" AS channel, q.at, q.mark, q.extra
        FROM dunning._ask($1, $2, $3, $4, %2$s) q),
    d AS MATERIALIZED (SELECT l.debtor_id, l.person_id, l.consent,
            coalesce(l.country, '') AS country, coalesce(l.region, '') AS region, coalesce(l.kind, '') AS kind,
            dunning._zone_key(l.time_zone, l.phone, l.country, l.region) AS zone_key,
            l.email, l.phone, l.address, l.attributes, l.creditor
        FROM (%3$s) l),
    c AS MATERIALIZED (SELECT DISTINCT ON (b.channel) b.channel, b.address_field, b.rings, b.service FROM dunning.channel b ORDER BY b.channel, b.builtin),
    -- A hold of one invoice is planning's to heed, save from its start until the messages that were planned before are stopped.
    hs AS MATERIALIZED (SELECT h.debtor_id, array_agg(h.reason) AS reasons, array_agg(h.from_at) AS froms, array_agg(h.until_at) AS untils
        FROM (SELECT h.debtor_id, h.reason, CASE WHEN h.pending THEN h.from_at END AS from_at, h.until_at
              FROM (SELECT DISTINCT a.debtor_id FROM a) x JOIN %8$s h ON h.debtor_id = x.debtor_id
              WHERE h.released_at IS NULL AND (h.invoice_id IS NULL OR h.pending)
              UNION ALL
              SELECT d.debtor_id, h.reason, CASE WHEN h.pending THEN h.from_at END, h.until_at
              FROM d JOIN %8$s h ON h.person_id = d.person_id AND h.debtor_id <> d.debtor_id WHERE h.person_id IS NOT NULL AND h.released_at IS NULL
              UNION ALL
              SELECT d.debtor_id, h.reason, CASE WHEN h.pending THEN h.from_at END, h.until_at
              FROM d JOIN %8$s h ON h.creditor = d.creditor WHERE h.scope = 'creditor' AND h.released_at IS NULL) h GROUP BY 1),
    -- what the debtor, or the person at another account, wishes: rules of their own place
    ow AS MATERIALIZED (SELECT u.debtor_id, u.channel, string_agg(u.packed, E'\x1d' ORDER BY u.packed) AS own
        FROM (SELECT a.debtor_id, a.channel, o.packed FROM a JOIN (%10$s) o ON o.debtor_id = a.debtor_id WHERE o.channels IS NULL OR a.channel = ANY (o.channels)
              UNION
              SELECT a.debtor_id, a.channel, o.packed FROM d JOIN (%10$s) o ON o.person_id = d.person_id AND o.debtor_id <> d.debtor_id JOIN a ON a.debtor_id = d.debtor_id
              WHERE o.person_id IS NOT NULL AND (o.channels IS NULL OR a.channel = ANY (o.channels))) u GROUP BY 1, 2),
    w AS MATERIALIZED (SELECT x.ord, x.debtor_id, x.channel, x.at, %1$s AS message_id, x.person_id, x.country, x.region, x.kind, x.zone_key, x.rings, coalesce(ow.own, '') AS own,
            x.known, x.strange, x.address, m.mark AS ledger_mark, m.amounts, hs.reasons AS hold_reasons, hs.froms AS hold_froms, hs.untils AS hold_untils,
            CASE WHEN x.address IS NOT NULL THEN dunning._digest(x.address, x.address_field, (SELECT k.key FROM dunning.digest_key k)) END AS digest,
            dunning._words(
%7$s                CASE WHEN x.strange THEN 'unknown_channel' END,
                CASE WHEN NOT x.known THEN 'unknown_debtor' END,
                CASE WHEN m.valid IS NOT TRUE THEN 'invalid_amount' END,
                -- What cannot be counted is held until it is mended; whether it changed is told then.
                CASE WHEN x.mark IS NOT NULL AND m.valid AND coalesce(m.amounts, '{}') = '{}' THEN 'no_balance' END,
                CASE WHEN x.mark IS NOT NULL AND m.valid AND m.mark IS DISTINCT FROM x.mark THEN 'balance_changed' END,
                CASE WHEN m.disputed THEN 'disputed' END%6$s) AS words
        FROM (
            -- place: what the rules need to know, and the address, computed once
            SELECT a.ord, a.debtor_id, a.channel, a.at, a.mark, a.extra, d.person_id, d.country, d.region, d.kind, d.zone_key,
                -- of several rows of one debtor none is believed
                d.debtor_id IS NOT NULL AND d.debtor_id NOT IN (SELECT e.id FROM unnest(dunning._repeated(ARRAY(SELECT d.debtor_id FROM d))) e(id)) AS known,
                c.channel IS NULL AS strange, c.rings, c.address_field, %5$s AS address,
                CASE WHEN d.consent IS NULL OR jsonb_typeof(d.consent) = 'null' THEN c.service
                     WHEN jsonb_typeof(d.consent) <> 'object' THEN false
                     WHEN jsonb_typeof(d.consent -> a.channel) IS NULL OR jsonb_typeof(d.consent -> a.channel) = 'null' THEN c.service
                     ELSE d.consent -> a.channel = 'true' END AS consents
            FROM a
            LEFT JOIN d ON d.debtor_id = a.debtor_id
            LEFT JOIN c ON c.channel = a.channel
            OFFSET 0) x
        LEFT JOIN (%4$s) m ON m.debtor_id = x.debtor_id
        LEFT JOIN hs ON hs.debtor_id = x.debtor_id
        LEFT JOIN ow ON ow.debtor_id = x.debtor_id AND ow.channel = x.channel),
    sup AS MATERIALIZED (SELECT s.address_digest, array_agg(s.channel) AS channels, array_agg(s.reason) AS reasons
        FROM (SELECT DISTINCT w.digest FROM w WHERE w.digest IS NOT NULL) x JOIN %9$s s ON s.address_digest = x.digest GROUP BY 1)$q$,
        CASE WHEN _gate_rows_sql.recheck THEN 'NULL::uuid' ELSE 'x.extra' END,
        CASE WHEN _gate_rows_sql.recheck THEN '$5::text[]' ELSE '$5::uuid[]' END,
        dunning._ledger_sql('debtor', '$1'), dunning._marks_sql('$1'),
        CASE WHEN _gate_rows_sql.recheck THEN 'a.extra' ELSE
            $q$nullif(CASE c.address_field WHEN 'email' THEN d.email WHEN 'phone' THEN d.phone
                WHEN 'address' THEN CASE WHEN jsonb_typeof(d.address) = 'object' AND d.address <> '{}' THEN d.address::text END
                ELSE d.attributes ->> c.address_field END, '')$q$ END,
        CASE WHEN _gate_rows_sql.recheck THEN '' ELSE $q$,
                CASE WHEN x.consents IS NOT TRUE AND NOT x.strange AND x.known THEN 'no_consent' END,
                CASE WHEN x.address IS NULL AND NOT x.strange AND x.known THEN 'no_address' END,
                CASE WHEN x.address IS NOT NULL AND NOT dunning._good_address(x.address, x.address_field) THEN 'bad_address' END$q$ END,
        -- A recheck follows its gate by seconds, and a source that was changed in them makes the statement fail.
        CASE WHEN _gate_rows_sql.recheck THEN '' ELSE '                (SELECT dunning._ledger_problem()),
' END, dunning._past('hold'), dunning._past('suppression'), dunning._wishes_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._gate_rows_sql(boolean) IS 'SQL text of the first half of the gate: ledger, consent, address, suppression; holds as arrays. For the recheck without consent, and with the frozen address.';

-- The rules of each distinct combination once, as a mask and packed caps. Nearly every batch asks about one instant, and nearly nobody
-- has a history: what the clock says at the first instant, and caps to those without history, is the same for a whole place.
CREATE FUNCTION dunning._gate_places_sql(ahead interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT format($q$
    span AS MATERIALIZED (SELECT min(a.at) AS first, max(a.at) AS last FROM a),
    place AS MATERIALIZED (SELECT w.country, w.region, w.kind, w.zone_key, w.own, w.channel, w.rings, min(w.ord) AS ord FROM w WHERE w.known AND NOT w.strange GROUP BY 1, 2, 3, 4, 5, 6, 7),
    pl AS MATERIALIZED (SELECT x.*, dunning._closed(x.first, x.windows) AS first_shut,
            EXISTS (SELECT FROM unnest(x.caps) u(cap) WHERE split_part(u.cap, E'\x1f', 2) = '0') AS bars
        FROM (
            SELECT row_number() OVER ()::int AS no, p.country, p.region, p.kind, p.zone_key, p.own, p.channel, p.ord, u.caps, span.first,
                CASE WHEN p.own = '' THEN u.names ELSE u.names || ARRAY(SELECT split_part(y.y, E'\x1f', 1) FROM unnest(string_to_array(p.own, E'\x1d')) y(y)) END AS names,
                dunning._windows(CASE WHEN p.own = '' THEN u.windows ELSE u.windows || string_to_array(p.own, E'\x1d') END, false, p.zone_key, p.country, p.region, f.added, f.opened) AS windows,
                (dunning._zone(p.zone_key, p.country, p.region))[1] AS zone
            FROM place p
            CROSS JOIN span
            JOIN (%s) u ON u.country = p.country AND u.region = p.region AND u.kind = p.kind AND u.channel = p.channel
            CROSS JOIN LATERAL (
                SELECT array_agg(h.on_date) FILTER (WHERE NOT h.open) AS added, array_agg(h.on_date) FILTER (WHERE h.open) AS opened
                FROM (SELECT DISTINCT ON (y.on_date) y.on_date, y.open FROM dunning.holiday y
                      WHERE y.country = substr(dunning._place(p.country, p.region), 1, 2) AND y.region IN ('', substr(dunning._place(p.country, p.region), 4))
                        AND y.on_date >= (SELECT span.first - '2 days'::interval FROM span)::date
                      -- the region's own row before the country's
                      ORDER BY y.on_date, y.region DESC) h) f
            OFFSET 0) x)$q$,
        dunning._rules_sql($q$SELECT DISTINCT p.country, p.region, p.kind, p.channel, p.rings,
            (SELECT span.first - '2 days'::interval FROM span)::date, (SELECT span.last + $q$ || quote_literal($1) || $q$::interval FROM span)::date
            FROM place p$q$))
$sql$;
COMMENT ON FUNCTION dunning._gate_places_sql(interval) IS
    'SQL text: the mask and caps of each combination of place, kind and channel in w, with the rules valid from the first instant of a to so long after its last; ord of one row of each; what shuts it at that first instant, and whether there is a cap of none.';

CREATE FUNCTION dunning._gate_rules_sql(ahead interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT dunning._gate_places_sql($1) || $q$,
    j AS MATERIALIZED (SELECT w.ord, w.debtor_id, w.channel, w.at, w.message_id, w.person_id, w.address, w.digest, w.ledger_mark, w.amounts, w.hold_reasons, w.hold_froms, w.hold_untils, pl.no,
            CASE WHEN sup.address_digest IS NOT NULL THEN dunning._words(w.words, (
                     SELECT 'suppressed:' || min(u.reason) FROM unnest(sup.channels, sup.reasons) u(channel, reason)
                     WHERE u.channel = w.channel OR u.channel = '*'))
                 -- without the key nobody can tell whose addresses the suppressed ones are
                 WHEN w.address IS NOT NULL AND w.digest IS NULL AND (SELECT dunning._is_key_lost()) THEN dunning._words(w.words, 'suppressed:key_lost'::text)
                 ELSE w.words END AS words,
            CASE WHEN w.strange OR NOT w.known THEN NULL
                 WHEN w.at IS NULL OR pl.windows IS NULL THEN 'quiet_hours'
                 WHEN w.at = pl.first THEN pl.first_shut
                 ELSE dunning._closed(w.at, pl.windows) END AS shut
        FROM w
        LEFT JOIN sup ON sup.address_digest = w.digest
        LEFT JOIN pl ON pl.country = w.country AND pl.region = w.region AND pl.kind = w.kind AND pl.zone_key = w.zone_key AND pl.own = w.own AND pl.channel = w.channel)$q$
$sql$;
COMMENT ON FUNCTION dunning._gate_rules_sql(interval) IS 'SQL text: the places of the batch, and its rows up to the clock.';

-- What each person was told of late, at all creditors: text of common table expressions up to `hist`.
CREATE FUNCTION dunning._gate_history_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    others text := dunning._accounts_sql();
BEGIN
    -- A message leaves within days of being planned; half a year of keys is more than any cap looks back.
    RETURN format($q$
%1$s
    since AS MATERIALIZED (SELECT min(j.at) FILTER (WHERE isfinite(j.at)) - (SELECT make_interval(days => 1 + max(greatest(coalesce(b.cap_days, 0),
                ceil(extract(epoch FROM greatest(b.min_gap, b.after_conversation)) / 86400)::int))) FROM dunning.contact_rule b WHERE b.enabled) AS at,
            bool_or(j.message_id IS NULL) AS asked
        FROM j),
    ev AS MATERIALIZED (SELECT v.debtor_id, v.event_id, v.message_id, v.kind, v.at FROM %4$s v
        WHERE v.debtor_id = ANY (%2$s) AND v.kind IN ('called', 'conversation', 'called_in') AND v.at >= (SELECT since.at FROM since)),
    -- persons with several messages in this batch
    sev AS MATERIALIZED (SELECT p.person_id FROM unnest(dunning._repeated(ARRAY(
        SELECT j.person_id FROM j WHERE j.message_id IS NOT NULL AND j.words IS NULL AND j.shut IS NULL))) p(person_id)),
    con AS MATERIALIZED (
        -- By the key alone: a plan kept from an empty month could have taken the index on contact_on.
        SELECT e.debtor_id, e.channel, e.message_id, min(e.contact_on) AS at, 0 AS ord
        FROM (SELECT x.debtor_id, x.channel, x.message_id, x.contact_on, x.test FROM %3$s x
              WHERE x.debtor_id = ANY (%2$s) AND x.message_id >= dunning._uuid7_floor(%6$s - '190 days'::interval) OFFSET 0) e
        WHERE NOT e.test AND e.contact_on >= (SELECT since.at FROM since)
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT ev.debtor_id, 'call', coalesce(ev.message_id, ev.event_id), ev.at, 0 FROM ev WHERE ev.kind IN ('called', 'conversation')
        UNION ALL
        SELECT q.debtor_id, q.channel, q.message_id, q.due, -1 FROM %5$s q
        WHERE (SELECT since.asked FROM since)
          AND q.debtor_id = ANY (%2$s) AND q.state IN ('queued', 'sending')
          -- a test that waits is no contact either; no run of plan() makes one
          AND (q.run_id IS NOT NULL OR NOT EXISTS (SELECT FROM dunning.message m WHERE m.debtor_id = q.debtor_id AND m.message_id = q.message_id AND m.decision ? 'test_address'))
        UNION ALL
        SELECT j.debtor_id, j.channel, j.message_id, j.at, j.ord FROM sev
        JOIN j ON j.person_id = sev.person_id AND j.words IS NULL AND j.shut IS NULL AND j.message_id IS NOT NULL),
    talk AS (SELECT ev.debtor_id, ev.at FROM ev WHERE ev.kind IN ('conversation', 'called_in')),
    hist AS MATERIALIZED (SELECT x.person_id, array_agg(con.debtor_id) FILTER (WHERE con.debtor_id IS NOT NULL) AS debtors,
            array_agg(con.channel) FILTER (WHERE con.debtor_id IS NOT NULL) AS channels,
            array_agg(con.message_id) FILTER (WHERE con.debtor_id IS NOT NULL) AS messages,
            array_agg(con.at) FILTER (WHERE con.debtor_id IS NOT NULL) AS ats,
            array_agg(con.ord) FILTER (WHERE con.debtor_id IS NOT NULL) AS ords,
            array_agg(con.talk) FILTER (WHERE con.talk IS NOT NULL) AS talks
        FROM (SELECT DISTINCT ac.person_id, ac.debtor_id FROM ac) x
        JOIN (SELECT con.debtor_id AS account, con.debtor_id, con.channel, con.message_id, con.at, con.ord, NULL::timestamptz AS talk FROM con
              UNION ALL SELECT t.debtor_id, NULL, NULL, NULL, NULL, NULL, t.at FROM talk t) con ON con.account = x.debtor_id
        GROUP BY 1)$q$,
        -- Where nobody has a second account, the accounts are those asked about.
        CASE WHEN others IS NULL THEN 'ac AS (SELECT d.person_id, d.debtor_id FROM d),'
             ELSE format('ac AS MATERIALIZED (SELECT d.person_id, d.debtor_id FROM d UNION SELECT d.person_id, d.person_id FROM d UNION %s),', others) END,
        CASE WHEN others IS NULL THEN '$1' ELSE 'ARRAY(SELECT ac.debtor_id FROM ac)' END,
        dunning._past('egress'), dunning._past('event'), dunning._past('queue'),
        -- keys are of the real clock
        CASE WHEN dunning._replay_since() IS NULL THEN 'now()' ELSE format('least(now(), %L)', dunning._replay_since()) END);
END
$fn$;
COMMENT ON FUNCTION dunning._gate_history_sql() IS 'SQL text: contacts of the last three months, queued ones and those of the same batch, for all accounts of each person.';

CREATE FUNCTION dunning._no_ledger_sql(recheck boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT CASE WHEN $1
        THEN 'SELECT q.ord, ''{ledger_broken}''::text[] AS blocked_by FROM dunning._ask($1, $2, $3, $4, $5::text[]) q ORDER BY 1'
        ELSE 'SELECT q.ord, q.debtor_id, q.channel, ''{ledger_broken}''::text[] AS blocked_by, NULL::text AS address, NULL::text AS zone, NULL::text AS mark, NULL::jsonb AS amounts, NULL::int AS place, NULL::bytea AS windows, NULL::bytea AS digest FROM dunning._ask($1, $2, $3, $4, $5::uuid[]) q ORDER BY 1'
    END
$sql$;
COMMENT ON FUNCTION dunning._no_ledger_sql(boolean) IS 'SQL text of the gate while the ledger cannot be read: everything is blocked.';

CREATE FUNCTION dunning._gate_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._no_ledger_sql(false);
    END IF;
    RETURN format($q$WITH %s, %s, %s
SELECT j.ord, j.debtor_id, j.channel,
    coalesce(dunning._words(j.words,
        CASE WHEN j.hold_reasons IS NOT NULL THEN ARRAY(
            -- two seconds early: so long the recheck may be spared
            SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_froms, j.hold_untils) u(reason, from_at, until_at)
            WHERE (u.from_at > j.at + '2 seconds'::interval) IS NOT TRUE AND (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END,
        j.shut,
        CASE WHEN t.person_id IS NULL THEN CASE WHEN pl.bars THEN dunning._caps(0, j.at, j.debtor_id, NULL, pl.windows, pl.caps, NULL, NULL, NULL, NULL, NULL, NULL) END
             WHEN pl.caps IS NOT NULL THEN dunning._caps(j.ord, j.at, j.debtor_id, j.message_id, pl.windows, pl.caps, t.debtors, t.channels, t.messages, t.ats, t.ords, t.talks) END), '{}') AS blocked_by,
    j.address, pl.zone, j.ledger_mark AS mark, j.amounts, pl.no AS place, CASE WHEN j.ord = pl.ord THEN pl.windows END AS windows, j.digest
FROM j
LEFT JOIN pl ON pl.no = j.no
LEFT JOIN hist t ON t.person_id = j.person_id$q$, dunning._gate_rows_sql(false), dunning._gate_rules_sql('2 days'), dunning._gate_history_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._gate_sql() IS
    'SQL text of the gate with $1 debtor_ids text[], $2 channels text[], $3 at timestamptz[], $4 marks text[], $5 message_ids uuid[]: ord, debtor_id, channel, blocked_by (empty: allowed), address, zone, mark, amounts, place (which of the batch''s), windows (the mask of dunning._windows(), on one row of each place), digest (of the address), in no order. Make it anew when _ledger_signature() changes.';

-- The same rows before any instant is judged: for those who ask about many instants (contact windows, best times).
CREATE FUNCTION dunning._gate_facts_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN format($q$WITH %s, %s, %s,
pe AS MATERIALIZED (SELECT pl.no, dunning._effects(pl.country, pl.region, pl.kind) AS effects FROM pl)
SELECT j.ord, j.debtor_id, j.channel, j.at, j.message_id, coalesce(j.words, CASE WHEN pl.windows IS NULL THEN '{quiet_hours}'::text[] END, '{}') AS words,
    CASE WHEN j.hold_reasons IS NULL THEN '{}' ELSE ARRAY(SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_froms, j.hold_untils) u(reason, from_at, until_at)
        WHERE (u.from_at > j.at) IS NOT TRUE AND (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END AS holds,
    CASE WHEN j.hold_reasons IS NOT NULL THEN (SELECT max(coalesce(u.until_at, 'infinity')) FROM unnest(j.hold_froms, j.hold_untils) u(from_at, until_at)
        WHERE (u.from_at > j.at) IS NOT TRUE) END AS held_until,
    CASE WHEN j.hold_reasons IS NOT NULL THEN (SELECT min(u.from_at) FROM unnest(j.hold_froms) u(from_at) WHERE u.from_at > j.at) END AS held_from,
    CASE WHEN j.hold_reasons IS NOT NULL THEN (SELECT range_agg(tstzrange(u.from_at, u.until_at)) FROM unnest(j.hold_froms, j.hold_untils) u(from_at, until_at)) END AS held,
    pl.no AS place, pl.windows, pl.zone, pl.names, pl.caps, t.debtors, t.channels, t.messages, t.ats, t.ords, t.talks, pe.effects
FROM j
LEFT JOIN pl ON pl.no = j.no
LEFT JOIN pe ON pe.no = j.no
LEFT JOIN hist t ON t.person_id = j.person_id$q$, dunning._gate_rows_sql(false), dunning._gate_rules_sql('400 days'), dunning._gate_history_sql());
END
$fn$;
COMMENT ON FUNCTION dunning._gate_facts_sql() IS
    'SQL text with the arguments of _gate_sql(): what blocks at any instant (words), holds, the end of those in force (held_until), the start of the next (held_from) and all their spans (held), the mask, packed caps, history and effects of dates that dunning._open_ranges() and the best time read, in no order. Not for a broken ledger.';

CREATE FUNCTION dunning._recheck_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN dunning._no_ledger_sql(true);
    END IF;
    RETURN format($q$WITH %s, %s
SELECT j.ord,
    coalesce(dunning._words(j.words,
        CASE WHEN j.hold_reasons IS NOT NULL THEN ARRAY(
            SELECT DISTINCT 'hold:' || u.reason FROM unnest(j.hold_reasons, j.hold_froms, j.hold_untils) u(reason, from_at, until_at)
            WHERE (u.from_at > j.at) IS NOT TRUE AND (u.until_at <= j.at) IS NOT TRUE ORDER BY 1) END,
        j.shut), '{}') AS blocked_by
FROM j
ORDER BY j.ord$q$, dunning._gate_rows_sql(true), dunning._gate_rules_sql('2 days'));
END
$fn$;
COMMENT ON FUNCTION dunning._recheck_sql() IS
    'SQL text of the last look before the first byte, with $1 debtor_ids, $2 channels, $3 at, $4 marks, $5 addresses (as frozen): ord, blocked_by. Payments, holds, suppression and the clock; caps were counted at the claim.';

-- Nearly every message passes its recheck. Who plainly passes is told first by a query that makes no words; whoever it does not
-- name is asked of _recheck_sql(), so it may only ever be stricter. Look-ups by key for each row, whatever the planner thinks.
CREATE FUNCTION dunning._recheck_clear_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN 'SELECT NULL::int AS ord FROM dunning._ask($1, $2, $3, $4, $5::bytea[]) q WHERE $6::uuid[] IS NULL AND $7::int2[] IS NULL AND false';
    END IF;
    RETURN format($q$SELECT a.ord
FROM (SELECT a.ord, a.debtor_id COLLATE "C" AS debtor_id, a.extra AS digest, l.person_id, l.creditor
      FROM dunning._ask($1, $2, $3, $4, $5::bytea[]) a
      JOIN (%s) m ON m.debtor_id = a.debtor_id COLLATE "C"
      JOIN (%s) l ON l.debtor_id = a.debtor_id COLLATE "C"
      WHERE m.valid AND NOT m.disputed AND (a.mark IS NULL OR m.mark = a.mark AND m.amounts <> '{}') OFFSET 0) a
WHERE NOT EXISTS (SELECT FROM dunning.hold h WHERE h.debtor_id = a.debtor_id AND h.released_at IS NULL AND (h.invoice_id IS NULL OR h.pending) OFFSET 0)
  AND NOT EXISTS (SELECT FROM dunning.hold h WHERE h.person_id = a.person_id AND h.person_id IS NOT NULL AND h.released_at IS NULL OFFSET 0)
  AND NOT EXISTS (SELECT FROM dunning.hold h WHERE h.creditor = a.creditor AND h.scope = 'creditor' AND h.released_at IS NULL OFFSET 0)
  AND NOT EXISTS (SELECT FROM dunning.suppression s WHERE s.address_digest = a.digest OFFSET 0)
  AND EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = a.debtor_id AND q.message_id = $6[a.ord] AND q.attempts = $7[a.ord] - 1
                AND q.state = 'queued' AND NOT EXISTS (SELECT FROM dunning.server_state p WHERE p.server = q.server) OFFSET 0)$q$,
        dunning._marks_sql('$1'), dunning._ledger_sql('debtor', '$1'));
END
$fn$;
COMMENT ON FUNCTION dunning._recheck_clear_sql() IS
    'SQL text with $1 debtor_ids, $2 channels, $3 at, $4 marks, $5 digests of the frozen addresses, $6 message_ids, $7 attempts under way: ord of the messages that plainly pass the recheck, if the clock lets them. The others, and those named twice, must be asked of _recheck_sql().';

-- Persons of a batch, locked in one order. Run it as a statement of its own before the gate, so that the gate's snapshot sees what
-- a worker who held the lock has sent. A debtor without other accounts is protected by the ownership of its slice.
CREATE FUNCTION dunning._gate_lock_sql() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' OR dunning._accounts_sql() IS NULL THEN
        RETURN 'SELECT 0::bigint AS locked FROM (SELECT $1::text[]) x';
    END IF;
    RETURN format($q$SELECT count(pg_advisory_xact_lock(1685417584, k.key)) AS locked
FROM (SELECT DISTINCT (dunning._hash64(d.person_id) %% 2147483647)::int AS key
      FROM (SELECT l.debtor_id, l.person_id FROM (%s) l) d
      WHERE d.person_id <> d.debtor_id OR EXISTS (SELECT FROM (%s) o WHERE o.person_id = d.person_id AND o.debtor_id <> d.debtor_id)
      ORDER BY 1 OFFSET 0) k$q$,
        dunning._ledger_sql('debtor', '$1'), replace(dunning._accounts_sql(), '(SELECT DISTINCT d.person_id FROM d) p', '(SELECT d.person_id) p'));
END
$fn$;
COMMENT ON FUNCTION dunning._gate_lock_sql() IS
    'SQL text with $1 debtor_ids: takes the transaction''s advisory lock of every person with several accounts, in one order. To be run by itself before _gate_sql() in the transaction that inserts the egress rows: then caps hold between workers too.';
