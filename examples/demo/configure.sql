-- Servers and creditors of the demo, what its debtors do, and the figures it prints. psql variables: http, smtp (ports), spool (a directory).

SELECT dunning.save_creditor('nordlys', name => 'Nordlys Energi', sender_name => 'Mette, Nordlys Energi', reply_to => 'hej@nordlys.test', phone => '+45 70 10 20 30', language => 'da');
SELECT dunning.save_creditor('havneby', name => 'Havneby Fitness', sender_name => 'Jonas, Havneby Fitness', reply_to => 'hej@havneby.test', phone => '+45 70 40 50 60', language => 'en');

CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway
    OPTIONS (driver 'smtp', url :'smtp', "from" 'billing@nordlys.test', tls 'none', contract 'repeat');
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway
    OPTIONS (driver 'http', preset 'generic-json', url :'http', "from" 'Nordlys', contract 'repeat');
CREATE SERVER calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE USER MAPPING FOR dunning_worker SERVER text;
CREATE USER MAPPING FOR dunning_worker SERVER calls;

-- What a contact costs, in each currency that debtors owe: planning weighs a debt against a price in its own.
SELECT count(dunning.set_cost(channel, round(eur / rate, 2), currency))
FROM (VALUES ('sms', 0.10), ('letter', 1.20), ('call', 6.00)) c(channel, eur),
     (VALUES ('EUR', 1), ('DKK', .134), ('SEK', .088), ('NOK', .086), ('GBP', 1.17)) r(currency, rate) \g /dev/null

-- One euro, for the comparison alone: the extension never adds two currencies.
CREATE FUNCTION demo.eur(amount numeric, currency text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN amount * CASE currency WHEN 'DKK' THEN .134 WHEN 'SEK' THEN .088 WHEN 'NOK' THEN .086 WHEN 'GBP' THEN 1.17 ELSE 1 END;

-- When somebody pays whom a contact moved: an SMS within a day, an e-mail within two, a letter after the post, on payday if near.
CREATE FUNCTION demo.pays_at(fakturanr bigint, n bigint, channel text, contact timestamptz, tied boolean, payday int) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT CASE WHEN tied AND wait <= 6 THEN x.at + make_interval(days => wait) ELSE x.at END
        FROM (SELECT contact + CASE channel WHEN 'sms' THEN interval '45 min' + interval '22 hours' * demo.u('delay' || n, fakturanr)
                                            WHEN 'email' THEN interval '2 hours' + interval '44 hours' * demo.u('delay' || n, fakturanr)
                                            WHEN 'letter' THEN interval '3 days' + interval '3 days' * demo.u('delay' || n, fakturanr)
                                            ELSE interval '1 hour' + interval '40 hours' * demo.u('delay' || n, fakturanr) END AS at) x,
             LATERAL (SELECT (payday - extract(day FROM x.at)::int + 31) % 31 AS wait) w);
-- Does contact number n about this invoice move the debtor?
CREATE FUNCTION demo.moves(fakturanr bigint, n bigint, by_channel float8, kind text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN demo.u('react' || n, fakturanr) < by_channel * CASE kind WHEN 'stretched' THEN .25 WHEN 'late' THEN .6 ELSE .7 END / n;

-- What the contacts so far have moved.
CREATE VIEW demo.contact AS
SELECT e.message_id, e.debtor_id::bigint AS kundenr, e.channel, e.contact_on AS at
FROM dunning.egress e WHERE NOT e.test
  AND NOT EXISTS (SELECT FROM dunning.message_state s WHERE s.message_id = e.message_id AND s.debtor_id = e.debtor_id AND s.state IN ('cancelled', 'failed', 'dead'));
CREATE TABLE demo.moved (fakturanr bigint PRIMARY KEY, pays_at timestamptz NOT NULL);
CREATE TABLE demo.heard (message_id uuid PRIMARY KEY);

CREATE PROCEDURE demo.advance() LANGUAGE plpgsql AS $$
DECLARE
    clock timestamptz := dunning._now();
    debtor text;
BEGIN
    CREATE TEMP TABLE contact ON COMMIT DROP AS SELECT * FROM demo.contact;
    ANALYZE contact;
    INSERT INTO demo.moved
    SELECT DISTINCT ON (fakturanr) fakturanr, demo.pays_at(fakturanr, n, channel, at, tied, payday)
    FROM (
        SELECT t.fakturanr, t.kind, t.tied, t.payday, c.channel, c.at, row_number() OVER (PARTITION BY t.fakturanr ORDER BY c.at) AS n,
               CASE c.channel WHEN 'email' THEN h.by_email WHEN 'sms' THEN h.by_sms WHEN 'letter' THEN h.by_letter ELSE h.by_call END AS by_channel
        FROM contact c JOIN demo.truth t USING (kundenr) JOIN demo.habit h USING (kundenr)
        WHERE t.forfald <= c.at::date + 3 AND (t.natural_at IS NULL OR t.natural_at > c.at)
          AND NOT EXISTS (SELECT FROM demo.moved m WHERE m.fakturanr = t.fakturanr)
          AND NOT EXISTS (SELECT FROM billing.indbetaling b WHERE b.id = t.fakturanr AND b.tidspunkt <= c.at)
    ) x
    WHERE demo.moves(fakturanr, n, by_channel, kind)
    ORDER BY fakturanr, n;

    INSERT INTO billing.indbetaling
    SELECT t.fakturanr, t.kundenr, CASE WHEN demo.u('unallocated', t.fakturanr) < .9 THEN t.fakturanr END,
           least(t.natural_at, m.pays_at), t.beloeb, t.valuta
    FROM demo.truth t LEFT JOIN demo.moved m USING (fakturanr)
    WHERE least(t.natural_at, m.pays_at) <= clock
      AND NOT EXISTS (SELECT FROM billing.indbetaling b WHERE b.id = t.fakturanr);

    -- one in a hundred answers a message, one in two hundred calls
    FOR debtor IN
        WITH new AS (INSERT INTO demo.heard SELECT message_id FROM contact ON CONFLICT DO NOTHING RETURNING message_id)
        SELECT c.kundenr::text FROM contact c JOIN new USING (message_id) WHERE demo.u('answers' || c.message_id, c.kundenr) < .01
    LOOP
        PERFORM dunning.record_event(CASE WHEN demo.u('calls', debtor::bigint) < .33 THEN 'called_in' ELSE 'replied' END, debtor,
            event_key => 'demo-' || clock::date);
    END LOOP;
END $$;

CREATE VIEW demo.shares AS
SELECT round(100 * avg((late <= 0)::int)) AS on_time,
       round(100.0 * count(*) FILTER (WHERE late BETWEEN 1 AND 9) / nullif(count(*) FILTER (WHERE late IS NULL OR late > 0), 0)) AS before,
       round(100 * avg((late IS NULL)::int), 1) AS never
FROM (SELECT (natural_at AT TIME ZONE 'Europe/Copenhagen')::date - forfald AS late FROM demo.truth WHERE forfald < date '2026-04-01') x;

-- The lines that run.sh prints.
CREATE VIEW demo.models AS
SELECT m.model, (m.metrics->>'auc')::float8 AS auc FROM dunning.model m WHERE m.state = 'champion';
CREATE VIEW demo.plan_line AS
SELECT format('%s contacts planned: %s; %s held: %s', count(*) FILTER (WHERE q.state <> 'held'),
              (SELECT string_agg(channel || ' ' || n, ', ' ORDER BY n DESC) FROM (SELECT channel, count(*) AS n FROM dunning.queue WHERE state <> 'held' GROUP BY 1) c),
              count(*) FILTER (WHERE q.state = 'held'),
              (SELECT coalesce(string_agg(blocker || ' ' || n, ', ' ORDER BY n DESC), 'none')
               FROM (SELECT b AS blocker, count(*) AS n FROM dunning.queue, unnest(blocked_by) b WHERE state = 'held' GROUP BY 1) h))
FROM dunning.queue q;
CREATE VIEW demo.deliver_line AS
SELECT format('%s; %s waiting for their best time', string_agg(format('%s %s %s', channel, state, n), ', ' ORDER BY n DESC),
              (SELECT count(*) FROM dunning.queue WHERE state = 'queued'))
FROM (SELECT m.channel, s.state, count(*) AS n FROM dunning.message m JOIN dunning.message_state s USING (message_id, debtor_id)
      WHERE s.state NOT IN ('queued', 'held', 'proposed') GROUP BY 1, 2) x;
CREATE VIEW demo.days_line AS
SELECT format('%s contacts of %s debtors, %s payments, %s answered or called, %s tasks on the worklist, %s sent back to planning by a payment',
              (SELECT count(*) FROM demo.contact), (SELECT count(DISTINCT kundenr) FROM demo.contact), (SELECT count(*) FROM billing.indbetaling WHERE tidspunkt >= '2026-06-22'),
              (SELECT count(*) FROM dunning.event WHERE kind IN ('replied', 'called_in')), (SELECT count(*) FROM dunning.worklist),
              (SELECT count(*) FROM dunning.outcome WHERE state = 'cancelled' AND reason IN ('balance_changed', 'no_balance')));
