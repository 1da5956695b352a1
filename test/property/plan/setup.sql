-- What the property test of planning keeps of a run (test/property/plan.sh): each plan, what was so just then, and what already differs here.
-- One database holds one book for some weeks. The rest is judged outside (Oracle.pm), from these tables, the ledger and what left.

CREATE SCHEMA sim;
CREATE TABLE sim.violation (n int, property text, debtor_id text, what text);
CREATE TABLE sim.tally (what text, n bigint);
CREATE TABLE sim.planned (n int, row dunning.planned);
CREATE TABLE sim.dry (row dunning.planned);
CREATE TABLE sim.waiting (n int, debtor_id text, message_id uuid, channel text, state text, due timestamptz, run_id uuid);
CREATE TABLE sim.fact (n int, debtor_id text, anchor text, currency text, last_on date, next_on date);
CREATE TABLE sim.held (n int, debtor_id text, person_id text, reason text, from_at timestamptz, until_at timestamptz);

SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.template (template, channel, language, body_text)
SELECT t, c, 'en', '{{creditor_name}}: {{#balances}}{{amount}} {{currency}}; {{/balances}}{{#offer}}<{{offer_id}}> {{text}}{{/offer}}'
FROM unnest('{sim-a,sim-b}'::text[]) t, unnest('{email,sms,letter,call,visit}'::text[]) c;
INSERT INTO dunning.template (template, channel, language, body_text) VALUES ('sim-c', 'email', 'en', '{{amount}} {{currency}}');

CREATE FUNCTION sim.fail(n int, property text, debtor_id text, what text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO sim.violation VALUES (n, property, debtor_id, what) $$;

-- An ordinary refusal is no fault; any other error is.
CREATE FUNCTION sim.try(n int, call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    INSERT INTO sim.tally VALUES ('call: ' || substring(call FROM 'dunning\.(\w+)'), 1);
EXCEPTION WHEN OTHERS THEN
    INSERT INTO sim.tally VALUES ('refused: ' || substring(call FROM 'dunning\.(\w+)'), 1);
    IF SQLSTATE !~ '^(22023|55000|53400|DN...)$' THEN
        PERFORM sim.fail(n, 'calls', NULL, format('%s: %s %s', call, SQLSTATE, SQLERRM));
    END IF;
END $$;

-- What maintain() does that planning rests on; charges and figures of proof are no matter of it.
CREATE FUNCTION sim.maintain() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM dunning._maintain();
    PERFORM FROM dunning._refresh_profiles();
    PERFORM FROM dunning._refresh_offers();
    PERFORM FROM dunning._refresh_holds();
END $$;

-- Everything that planning may write, as one word a table.
CREATE FUNCTION sim.digest() RETURNS text LANGUAGE plpgsql AS $$
DECLARE one text; all_of text := ''; t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['queue', 'once', 'offer', 'hold', 'message', 'outcome', 'egress', 'promise', 'task'] LOOP
        EXECUTE format('SELECT count(*) || '':'' || coalesce(md5(string_agg(x::text, '';'' ORDER BY x::text)), '''') FROM dunning.%I x', t) INTO one;
        all_of := all_of || t || '=' || one || ' ';
    END LOOP;
    RETURN all_of;
END $$;

-- What a plan says of a debtor; a dry run makes no offer, so it has the terms but neither words nor key.
CREATE FUNCTION sim.words(r dunning.planned) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT to_jsonb(r) - 'run_id' - 'message_id' || jsonb_build_object('offer', (r).offer - 'text' - 'link' - 'offer_id' - 'options',
        'parts', (SELECT jsonb_agg(o -> 'parts') FROM jsonb_array_elements((r).offer -> 'options') o)) $$;

-- Without writing: the whole book, the half of it, and some debtors alone must all say the same.
CREATE FUNCTION sim.dry(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE before text := sim.digest(); ids text[]; debtor text;
BEGIN
    DELETE FROM sim.dry;
    INSERT INTO sim.dry SELECT z FROM dunning.plan(dry_run => true) z;
    -- a half, a quarter, an eighth of the book: each run another one
    ids := ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE (hashtext(d.debtor_id || dry.n) & (2 << (dry.n % 3)) - 1) = 0);
    PERFORM sim.differs(dry.n, 'alone', 'a part of the book', ids, ARRAY(SELECT z FROM dunning._plan(NULL, NULL, true, false, ids) z));
    FOR debtor IN
        (SELECT (d.row).debtor_id FROM sim.dry d WHERE (d.row).state <> 'held' ORDER BY hashtext((d.row).debtor_id || dry.n) LIMIT 1)
        UNION (SELECT d.debtor_id FROM dunning.debtor d WHERE dry.n % 3 = 0 ORDER BY hashtext(d.debtor_id || dry.n) LIMIT 1)
    LOOP
        PERFORM sim.differs(dry.n, 'alone', 'alone', ARRAY[debtor], ARRAY(SELECT z FROM dunning._plan(NULL, NULL, true, false, ARRAY[debtor]) z));
        INSERT INTO sim.tally VALUES ('asked alone', 1);
    END LOOP;
    IF sim.digest() <> before THEN
        PERFORM sim.fail(n, 'dry run', NULL, format('it wrote: before %s after %s', before, sim.digest()));
    END IF;
END $$;

-- What a day's money is enough for depends on the others.
CREATE FUNCTION sim.differs(n int, property text, how text, ids text[], rows dunning.planned[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sim.violation
    SELECT n, property, coalesce(z.debtor_id, (d.row).debtor_id), format('%s %s; in the whole book %s', how, sim.words(z), sim.words(d.row))
    FROM unnest(rows) z FULL JOIN (SELECT x.row FROM sim.dry x WHERE (x.row).debtor_id = ANY (ids)) d ON (d.row).debtor_id = z.debtor_id
    WHERE sim.words(z) IS DISTINCT FROM sim.words(d.row)
      AND (d.row).reason IS DISTINCT FROM 'budget' AND z.reason IS DISTINCT FROM 'budget' $$;

CREATE FUNCTION sim.plan(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE today date := dunning._today(NULL);
BEGIN
    INSERT INTO sim.waiting SELECT plan.n, q.debtor_id, q.message_id, q.channel, q.state, q.due, q.run_id FROM dunning.queue q;
    INSERT INTO sim.held SELECT plan.n, h.debtor_id, h.person_id, h.reason, h.from_at, h.until_at FROM dunning.hold h WHERE h.released_at IS NULL AND h.invoice_id IS NULL;
    -- Dates that other rooms tell.
    IF EXISTS (SELECT FROM dunning.charging g WHERE g.fees) THEN
        INSERT INTO sim.fact SELECT plan.n, f.debtor_id, 'next_fee', f.currency, min(f.lawful_from), min(f.lawful_from)
        FROM dunning._pending_fees(ARRAY(SELECT d.debtor_id FROM dunning.debtor d), NULL) f WHERE f.lawful_from > today GROUP BY 2, 4;
    END IF;
    INSERT INTO sim.fact
    SELECT plan.n, y.debtor_id, 'payday', NULL, (SELECT max(b.next_date) FROM generate_series(today - 40, today, '1 day') g(g), LATERAL dunning._payday(y.country, y.payments, g.g::date) b
                                                 WHERE b.schedule = y.schedule AND b.next_date <= today),
           (SELECT b.next_date FROM dunning._payday(y.country, y.payments, today + 1) b WHERE b.schedule = y.schedule)
    FROM (SELECT DISTINCT ON (d.debtor_id) d.debtor_id, d.country, p.payments, b.schedule, b.probability
          FROM dunning.debtor d JOIN dunning.timing_profile p ON p.debtor_id = d.debtor_id, LATERAL dunning._payday(d.country, p.payments, today) WITH ORDINALITY b(schedule, probability, next_date, place)
          WHERE p.payments IS NOT NULL
          ORDER BY d.debtor_id, b.probability DESC, b.place) y
    WHERE y.schedule <> 'none' AND y.probability >= 0.3;
    INSERT INTO sim.planned SELECT plan.n, z FROM dunning.plan() z;
    IF n IN (0, 3) THEN
        ANALYZE;
    END IF;
    INSERT INTO sim.violation
    SELECT plan.n, 'dry run', coalesce((p.row).debtor_id, (d.row).debtor_id), format('foretold %s; done %s', sim.words(d.row), sim.words(p.row))
    FROM sim.dry d FULL JOIN (SELECT x.row FROM sim.planned x WHERE x.n = plan.n) p ON (p.row).debtor_id = (d.row).debtor_id
    WHERE sim.words(d.row) IS DISTINCT FROM sim.words(p.row);
    INSERT INTO sim.violation
    SELECT plan.n, 'two live offers', o.debtor_id, count(*) || ' live ones' FROM dunning.offer o WHERE o.state = 'live' GROUP BY o.debtor_id HAVING count(*) > 1;
END $$;

-- Again at the same instant: nobody is planned and nothing changes.
CREATE FUNCTION sim.again(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE before text := sim.digest(); again text;
BEGIN
    INSERT INTO sim.violation
    SELECT again.n, 're-run', z.debtor_id, format('planned again: %s', sim.words(z)) FROM dunning.plan() z WHERE z.state <> 'held';
    again := sim.digest();
    IF again <> before THEN
        PERFORM sim.fail(n, 're-run', NULL, format('it changed something: before %s after %s', before, again));
    END IF;
END $$;

-- Break one line of a function, so that a check can be seen to fail.
CREATE FUNCTION sim.break(broken text, line text, other text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE body text := (SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'dunning'::regnamespace AND p.proname = broken);
BEGIN
    IF body IS NULL OR position(line IN body) = 0 THEN
        RAISE EXCEPTION 'dunning.%() has no "%"', broken, line;
    END IF;
    EXECUTE replace(body, line, other);
END $$;
