-- queue: the egress chain. Written by the worker in C, verified here by the same digest function.

CREATE FUNCTION dunning._egress_digest(prev bytea, slice smallint, seq bigint, message_id uuid, attempt smallint, debtor_id text,
    creditor text, channel text, server text, address_digest bytea, fields text[], body_digest bytea, bytes int, reason text,
    test boolean, cost numeric, cost_currency text, at timestamptz, contact_on timestamptz, request_digest bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_queue_sql_egress_digest';
COMMENT ON FUNCTION dunning._egress_digest(bytea, smallint, bigint, uuid, smallint, text, text, text, text, bytea, text[], bytea, int,
    text, boolean, numeric, text, timestamptz, timestamptz, bytea) IS
    'SHA-256 over the digest before it and every column of an egress row: the link of a slice''s chain. NULL where anything but request_digest is, which is left out then.';

-- The chain is walked in the order of seq, over what is kept and over the runs that dropped months left.
CREATE FUNCTION dunning.verify_egress() RETURNS TABLE (slice smallint, links bigint, ok boolean, broken_at bigint, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    RETURN QUERY
    WITH link AS (
        SELECT e.slice, e.seq AS from_seq, e.seq, e.prev, e.digest, true AS kept,
               CASE WHEN length(e.prev) = 32 AND coalesce(length(e.request_digest), 32) = 32      -- else it would be an error, and tell of no other row
                    THEN e.digest = dunning._egress_digest(e.prev, e.slice, e.seq, e.message_id, e.attempt, e.debtor_id, e.creditor, e.channel, e.server,
                        e.address_digest, e.fields, e.body_digest, e.bytes, e.reason, e.test, e.cost, e.cost_currency, e.at, e.contact_on, e.request_digest)
                    ELSE false END AS own
        FROM dunning.egress e
        UNION ALL
        SELECT a.slice, a.from_seq, a.seq, a.prev, a.digest, false, true FROM dunning.egress_anchor a),
    placed AS (
        SELECT l.*, CASE WHEN l.from_seq IS NULL THEN true
                         WHEN lag(l.seq) OVER w IS NULL THEN l.from_seq = 1 AND l.prev = decode(repeat('00', 32), 'hex')
                         ELSE lag(l.seq) OVER w = l.from_seq - 1 AND lag(l.digest) OVER w = l.prev END AS follows
        FROM link l
        WINDOW w AS (PARTITION BY l.slice ORDER BY l.seq)),
    chain AS (
        SELECT l.slice, count(*) FILTER (WHERE l.kept) AS links, min(l.seq) FILTER (WHERE l.own IS NOT TRUE) AS changed,
               min(l.from_seq) FILTER (WHERE l.follows IS NOT TRUE) AS gap, max(l.seq) AS last
        FROM placed l GROUP BY l.slice),
    judged AS (
        SELECT coalesce(c.slice, h.slice) AS slice, coalesce(c.links, 0) AS links, c.changed, c.gap,
               CASE WHEN h.slice IS NULL THEN coalesce(c.last, 0)
                    WHEN c.slice IS NULL AND h.seq > 0 THEN h.seq
                    WHEN c.slice IS NOT NULL AND (h.seq <> c.last OR h.digest IS DISTINCT FROM
                        (SELECT l.digest FROM placed l WHERE l.slice = c.slice AND l.seq = c.last LIMIT 1)) THEN h.seq END AS cut
        FROM chain c FULL JOIN dunning.egress_head h ON h.slice = c.slice)
    SELECT j.slice, j.links, coalesce(j.changed, j.gap, j.cut) IS NULL, least(j.changed, j.gap, j.cut),
           CASE least(j.changed, j.gap, j.cut)
               WHEN j.changed THEN 'the row does not match its digest'
               WHEN j.gap THEN 'the row does not follow the one before it'
               WHEN j.cut THEN 'the chain does not end where its head says' END
    FROM judged j
    WHERE j.links > 0 OR coalesce(j.changed, j.gap, j.cut) IS NOT NULL
    ORDER BY j.slice;
END
$fn$;
COMMENT ON FUNCTION dunning.verify_egress() IS
    'One row a slice that sent something: how many links its chain has, whether every row matches its digest and follows the one before, and the first seq that does not; a dropped month counts as far as its ends go. Reads the whole egress ledger. Role: dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.verify_egress() TO dunning_viewer;
