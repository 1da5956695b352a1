-- deliver: trying things out. A test message goes to the tester, a probe sends nothing.

CREATE FUNCTION dunning._probe_server(server text, OUT ok boolean, OUT code int, OUT detail text, OUT milliseconds float8)
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'dun_deliver_sql_probe';
COMMENT ON FUNCTION dunning._probe_server(text) IS 'Connects as a transfer would, logs in where SMTP does, sends nothing. DN006 where the server cannot be used at all.';

CREATE FUNCTION dunning.probe(server text, OUT ok boolean, OUT code int, OUT detail text, OUT milliseconds float8)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    SELECT p.ok, p.code, p.detail, p.milliseconds INTO ok, code, detail, milliseconds FROM dunning._probe_server(probe.server) p;
END
$fn$;
COMMENT ON FUNCTION dunning.probe(text) IS
    'Whether a gateway can be reached with its options, certificate and login: nothing is sent. Waits up to five seconds for the connection. DN006 where the server cannot be used. Role: dunning_operator.';

CREATE FUNCTION dunning.send_test(template text, debtor_id text, channel text, to_address text) RETURNS SETOF dunning.planned
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(send_test.debtor_id);
    about jsonb;
    wanted text;
    problem text;
    found uuid;
BEGIN
    PERFORM dunning._check_template_name(send_test.template);
    PERFORM dunning._check_channel(send_test.channel);
    problem := dunning._check_address(send_test.channel, send_test.to_address);
    IF to_address IS NULL OR problem IS NOT NULL THEN
        RAISE EXCEPTION 'this address cannot be used on channel "%": %', channel, coalesce(problem, 'it is NULL')
            USING ERRCODE = '22023', HINT = pg_catalog.format('SELECT * FROM dunning.send_test(%L, %L, ''email'', ''me@example.org'');', template, id);
    END IF;
    SELECT c.context INTO about FROM dunning._context(ARRAY[id], NULL) c;
    IF about IS NULL THEN
        RAISE EXCEPTION 'there is no debtor "%"', coalesce(id, 'NULL') USING ERRCODE = '22023', HINT = 'SELECT * FROM dunning.find_debtor(''name'');';
    END IF;
    SELECT s.server INTO wanted FROM dunning._servers(send_test.channel, about->>'creditor') s ORDER BY s.ord LIMIT 1;
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'no server serves channel "%"', channel
            USING ERRCODE = '55000', HINT = format('CREATE SERVER name TYPE %L FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver ...);', channel);
    END IF;
    SELECT e.message_id INTO found FROM dunning._enqueue(format($q$
        SELECT dunning._uuid7() AS message_id, %1$L::text AS debtor_id, %2$L::text AS creditor, NULL::uuid AS run_id, NULL::text AS strategy, NULL::text AS step,
               %3$L::text AS template, %4$L::text AS channel, %5$L::text AS language, %6$L::text AS server, dunning._now() AS contact_at,
               dunning._now() + interval '1 day' AS not_after, 'test'::text AS local_time, '{}'::jsonb AS amounts, 0::numeric AS cost, 'EUR'::text AS cost_currency,
               NULL::text AS variant, NULL::float8 AS p, NULL::numeric AS expected_value, NULL::float8 AS propensity, false AS explored,
               NULL::text AS ledger_mark, %7$L::jsonb AS context, pg_catalog.jsonb_build_object('test_address', %8$L::text) AS decision,
               'queued'::text AS state, 'test'::text AS reason, NULL::text[] AS blocked_by, NULL::text AS once_kind, NULL::text AS once_key$q$,
        id, about->>'creditor', template, channel, coalesce(about->>'language', 'en'), wanted, about, to_address)) e;
    PERFORM dunning._warn_inactive();
    RETURN QUERY SELECT p.* FROM dunning._planned_rows(ARRAY[id], ARRAY[found]) p;
END
$fn$;
COMMENT ON FUNCTION dunning.send_test(text, text, text, text) IS
    'One message in the queue with a debtor''s real values, marked TEST, to an address of yours and to nobody else; no contact of the debtor. 22023 bad address or unknown debtor, 55000 no server. Role: dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.probe(text), dunning.send_test(text, text, text, text) TO dunning_operator;
