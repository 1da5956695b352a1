-- gate: what planning reads to judge the plain cases of a whole book by itself (src/plan/pick.c). Whoever changes the gate's
-- query changes this as well: _gate_trouble_sql() names everybody for whom that query looks at more than is told here, and who is
-- held as a whole.

CREATE FUNCTION dunning._postal_text(address jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_gate_sql_postal_text';
COMMENT ON FUNCTION dunning._postal_text(jsonb) IS 'The text of an address that is an object and not empty, else NULL: what the gate calls the address of a letter. A function, so that a view''s address is made once.';

-- How far back caps, gaps and silences look.
CREATE FUNCTION dunning._look_back() RETURNS interval
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN (SELECT make_interval(days => 1 + max(greatest(coalesce(b.cap_days, 0), ceil(extract(epoch FROM greatest(b.min_gap, b.after_conversation)) / 86400)::int)))
            FROM dunning.contact_rule b WHERE b.enabled);
END
$fn$;
COMMENT ON FUNCTION dunning._look_back() IS 'How far back the enabled contact rules look.';

CREATE FUNCTION dunning._gate_contacts_sql(many text, at text, queued boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    -- not an array of everybody: its estimate alone would cost as much as the rows
    own text := CASE WHEN _gate_contacts_sql.many IS NULL THEN 'IS NOT NULL' ELSE format('= ANY (%s)', _gate_contacts_sql.many) END;
BEGIN
    RETURN format($q$
        WITH since AS MATERIALIZED (SELECT %2$s - dunning._look_back() AS at),
        ev AS MATERIALIZED (SELECT v.debtor_id, v.event_id, v.message_id, v.kind, v.at FROM %4$s v
            WHERE v.debtor_id %1$s AND v.kind IN ('called', 'conversation', 'called_in') AND v.at >= (SELECT s.at FROM since s))
        SELECT e.debtor_id, e.channel, e.message_id, min(e.contact_on) AS at, 0 AS ord
        FROM (SELECT x.debtor_id, x.channel, x.message_id, x.contact_on, x.test FROM %3$s x
              WHERE x.debtor_id %1$s AND x.message_id >= dunning._uuid7_floor(%6$s - '190 days'::interval)%7$s) e
        WHERE NOT e.test AND e.contact_on >= (SELECT s.at FROM since s)
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT ev.debtor_id, 'call', coalesce(ev.message_id, ev.event_id), ev.at, 0 FROM ev WHERE ev.kind IN ('called', 'conversation')
        UNION ALL
%5$s        SELECT ev.debtor_id, NULL, NULL, ev.at, 0 FROM ev WHERE ev.kind IN ('conversation', 'called_in')$q$, own, at,
        dunning._past('egress'), dunning._past('event'),
        CASE WHEN queued THEN format($q$
        SELECT q.debtor_id, q.channel, q.message_id, q.due, -1 FROM %2$s q WHERE q.debtor_id %1$s AND q.state IN ('queued', 'sending')
          AND (q.run_id IS NOT NULL OR NOT EXISTS (SELECT FROM dunning.message m WHERE m.debtor_id = q.debtor_id AND m.message_id = q.message_id AND m.decision ? 'test_address'))
        UNION ALL
$q$, own, dunning._past('queue')) ELSE '' END,
        CASE WHEN dunning._replay_since() IS NULL THEN 'now()' ELSE format('least(now(), %L)', dunning._replay_since()) END,
        -- of some debtors by the key alone, as the gate's query does
        CASE WHEN many IS NULL THEN '' ELSE ' OFFSET 0' END);
END
$fn$;
COMMENT ON FUNCTION dunning._gate_contacts_sql(text, text, boolean) IS 'SQL text: what counts against the caps of these debtors (many NULL: of all), of their own accounts alone, without or with what is queued: debtor_id, channel (NULL: a conversation), message_id, at, ord as _caps() takes it.';

-- The same of the other accounts of the same persons.
CREATE FUNCTION dunning._gate_other_contacts_sql(many text, at text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    others text := dunning._accounts_sql();
BEGIN
    IF others IS NULL THEN
        RETURN 'SELECT NULL::text, NULL::text, NULL::uuid, NULL::timestamptz, NULL::int, NULL::text WHERE false';
    END IF;
    RETURN format($q$
        WITH d AS MATERIALIZED (SELECT l.debtor_id, l.person_id FROM (%1$s) l),
        ac AS MATERIALIZED (
            SELECT d.debtor_id, a.debtor_id AS account FROM d JOIN (%2$s) a ON a.person_id = d.person_id WHERE a.debtor_id <> d.debtor_id
            UNION ALL
            SELECT d.debtor_id, d.person_id FROM d WHERE d.person_id <> d.debtor_id)
        SELECT ac.debtor_id, x.channel, x.message_id, x.at, x.ord, x.debtor_id AS account
        FROM (SELECT DISTINCT ac.debtor_id, ac.account FROM ac) ac
        JOIN (%3$s) x ON x.debtor_id = ac.account
        -- where nobody was told anything of late the accounts are not looked for
        WHERE (SELECT EXISTS (SELECT FROM %4$s e WHERE e.contact_on >= %7$s - dunning._look_back())
                   OR EXISTS (SELECT FROM %5$s v WHERE v.kind IN ('called', 'conversation', 'called_in') AND v.at >= %7$s - dunning._look_back())
                   OR EXISTS (SELECT FROM %6$s q WHERE q.state IN ('queued', 'sending')))$q$,
        dunning._ledger_sql('debtor', many), others, dunning._gate_contacts_sql('ARRAY(SELECT ac.account FROM ac)', at),
        dunning._past('egress'), dunning._past('event'), dunning._past('queue'), at);
END
$fn$;
COMMENT ON FUNCTION dunning._gate_other_contacts_sql(text, text) IS 'SQL text: what was said to each debtor''s person over other accounts: the columns of _gate_contacts_sql(), and the account.';

CREATE FUNCTION dunning._gate_trouble_sql(many text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    own text := CASE WHEN _gate_trouble_sql.many IS NULL THEN 'IS NOT NULL' ELSE format('= ANY (%s)', _gate_trouble_sql.many) END;
BEGIN
    IF dunning._ledger_problem() IS NOT NULL THEN
        RETURN format('SELECT l.debtor_id, NULL::text AS reason, NULL::timestamptz AS until_at FROM (%s) l', dunning._ledger_sql('debtor', many));
    END IF;
    RETURN format($q$
        WITH d AS (SELECT l.debtor_id, l.person_id, l.creditor FROM (%1$s) l)
        SELECT h.debtor_id, CASE WHEN NOT h.pending THEN h.reason END AS reason, h.until_at
        FROM %3$s h WHERE h.released_at IS NULL AND (h.invoice_id IS NULL OR h.pending) AND h.debtor_id %2$s
        -- Few books have such holds: without one the debtors are not read.
        UNION ALL
        SELECT d.debtor_id, CASE WHEN NOT h.pending THEN h.reason END, h.until_at FROM d JOIN %3$s h ON h.person_id = d.person_id WHERE h.person_id IS NOT NULL AND h.released_at IS NULL
            AND (SELECT EXISTS (SELECT FROM %3$s x WHERE x.person_id IS NOT NULL AND x.released_at IS NULL))
        UNION ALL
        SELECT d.debtor_id, CASE WHEN NOT h.pending THEN h.reason END, h.until_at FROM d JOIN %3$s h ON h.creditor = d.creditor WHERE h.scope = 'creditor' AND h.released_at IS NULL
            AND (SELECT EXISTS (SELECT FROM %3$s x WHERE x.scope = 'creditor' AND x.released_at IS NULL))
        -- who has wishes of their own has a mask of their own
        UNION ALL
        SELECT o.debtor_id, NULL, NULL FROM dunning.contact_wish o WHERE o.debtor_id %2$s
        UNION ALL
        SELECT d.debtor_id, NULL, NULL FROM d JOIN dunning.contact_wish o ON o.person_id = d.person_id WHERE o.person_id IS NOT NULL
            AND (SELECT EXISTS (SELECT FROM dunning.contact_wish x WHERE x.person_id IS NOT NULL))$q$, dunning._ledger_sql('debtor', many), own, dunning._past('hold'));
END
$fn$;
COMMENT ON FUNCTION dunning._gate_trouble_sql(text) IS 'SQL text: of these debtors (many NULL: of all) those about whom the gate may have to say more than consent, address, suppression, clock and caps: held ones, with the reason and the end of each hold (reason NULL: ask the gate, as for those with wishes of their own); all of them while the ledger has a problem.';

-- $1 at, $2 country, $3 region, $4 kind, $5 time zone, '' where unknown.
CREATE FUNCTION dunning._gate_rules_at_sql(horizon interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sql$
    SELECT pg_catalog.format($q$
        WITH a AS MATERIALIZED (SELECT u.at FROM unnest(ARRAY[$1, $1 + %L::interval]) u(at)),
        w AS MATERIALIZED (SELECT DISTINCT ON (c.channel) $2 AS country, $3 AS region, $4 AS kind, $5 AS zone_key, '' AS own, c.channel, c.rings, 1 AS ord, true AS known, false AS strange
            FROM dunning.channel c ORDER BY c.channel, c.builtin),
        %s
        SELECT pl.channel, pl.windows, pl.caps, pl.zone, dunning._effects(pl.country, pl.region, pl.kind) AS effects, pl.names FROM pl$q$, $1, dunning._gate_places_sql('400 days'))
$sql$;
COMMENT ON FUNCTION dunning._gate_rules_at_sql(interval) IS 'SQL text: mask, packed caps, time zone, effects of dates and names of the rules of a place for each channel, by the rules valid from an instant to over a year beyond the horizon.';

-- What sending reads to let the plain cases of a batch through by itself (src/deliver/gate_plain.c); whoever is not told to be plain
-- is asked of _gate_sql(), so it may only ever be stricter.
CREATE FUNCTION dunning._gate_plain_texts() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    others text := dunning._accounts_sql();
BEGIN
    IF dunning._ledger_problem() = 'ledger_broken' THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY[
        'SELECT DISTINCT ON (c.channel) c.channel, c.address_field, c.service FROM dunning.channel c ORDER BY c.channel, c.builtin',
        dunning._gate_rules_at_sql('0'),
        pg_catalog.format('SELECT l.source_id, l.email, l.phone, dunning._postal_text(l.address), l.country, l.region, l.kind, dunning._zone_key(l.time_zone, l.phone, l.country, l.region), l.consent FROM (%s) l',
            dunning._ledger_sql('debtor', '$2')),
        dunning._gate_contacts_sql('$2', '$1', queued => false),
        -- a person with several accounts shares caps and a lock with them
        pg_catalog.format('SELECT t.debtor_id FROM (%s) t', dunning._gate_trouble_sql('$2'))
            || CASE WHEN others IS NULL THEN '' ELSE pg_catalog.format($q$
        UNION ALL SELECT d.debtor_id FROM (SELECT l.debtor_id, l.person_id FROM (%s) l) d
            WHERE d.person_id <> d.debtor_id OR EXISTS (SELECT FROM (%s) o WHERE o.person_id = d.person_id AND o.debtor_id <> d.debtor_id)$q$,
            dunning._ledger_sql('debtor', '$2'), replace(others, '(SELECT DISTINCT d.person_id FROM d) p', '(SELECT d.person_id) p')) END,
        'SELECT m.debtor_id, m.mark, m.valid IS TRUE AND m.disputed IS NOT TRUE, coalesce(m.amounts, ''{}'') <> ''{}'' FROM (' || dunning._marks_sql('$2') || ') m'];
END
$fn$;
COMMENT ON FUNCTION dunning._gate_plain_texts() IS 'Texts: channels; the rules of a place ($1 at, $2 country, $3 region, $4 kind, $5 time zone); and with $1 at, $2 debtor_ids, debtor by debtor: address, place and consent; contacts; who is no plain case; mark, whether it can be counted, whether anything is owed. NULL for a broken ledger.';
GRANT EXECUTE ON FUNCTION dunning._gate_plain_texts(), dunning._look_back(), dunning._postal_text(jsonb) TO dunning_worker;
