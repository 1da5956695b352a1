-- Creditors and prices of the demo, what its debtors do, and the lines it prints.

SELECT dunning.save_creditor('nordlys', name => 'Nordlys Energi', sender_name => 'Mette, Nordlys Energi', reply_to => 'hej@nordlys.test', phone => '+45 70 10 20 30', language => 'da');
SELECT dunning.save_creditor('havneby', name => 'Havneby Fitness', sender_name => 'Jonas, Havneby Fitness', reply_to => 'hej@havneby.test', phone => '+45 70 40 50 60', language => 'en');

-- Companies follow the strategy that is shipped for them, persons the one that everybody has who says nothing.
SELECT dunning.assign_strategy('companies', 'business', debtor_kind => 'company') \g /dev/null

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
-- Does contact number n about this invoice move the debtor? The second half as often as the first, the third a third. Before the due date
-- nobody feels late: six in ten of what it would move after it (trials of SMS before the due date found 7 to 9 % more on time, vendors
-- tell of twice as many).
CREATE FUNCTION demo.moves(fakturanr bigint, n bigint, reads float8, heeds float8, before boolean) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN demo.u('react' || n, fakturanr) < reads * heeds * CASE WHEN before THEN .6 ELSE 1 END / n;

-- What left, and which invoices each contact named: those alone it can move. The same draws serve both worlds, `dunning` and `letters`.
CREATE VIEW demo.contact AS
SELECT e.message_id, e.debtor_id::bigint AS kundenr, e.channel, e.contact_on AS at, demo.eur(e.cost, e.cost_currency) AS cost
FROM dunning.egress e WHERE NOT e.test
  AND NOT EXISTS (SELECT FROM dunning.message_state s WHERE s.message_id = e.message_id AND s.debtor_id = e.debtor_id AND s.state IN ('cancelled', 'failed', 'dead'));
CREATE TABLE demo.heard (message_id uuid PRIMARY KEY, kundenr bigint NOT NULL, channel text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE demo.told (
    world       text,
    fakturanr   bigint,
    n           bigint,                     -- the nth contact about this invoice
    channel     text NOT NULL,
    at          timestamptz NOT NULL,
    pays_at     timestamptz,                -- NULL: it moved nobody
    PRIMARY KEY (fakturanr, world, n)
);
CREATE VIEW demo.moved AS
SELECT world, fakturanr, min(pays_at) AS pays_at FROM demo.told WHERE pays_at IS NOT NULL GROUP BY 1, 2;

-- What is still to come: invoices, and payments if nobody says anything.
CREATE TABLE demo.unbooked AS SELECT * FROM demo.truth t WHERE NOT EXISTS (SELECT FROM billing.faktura f WHERE f.fakturanr = t.fakturanr);
CREATE TABLE demo.unpaid AS SELECT * FROM demo.truth t WHERE NOT EXISTS (SELECT FROM billing.indbetaling b WHERE b.id = t.fakturanr);

-- What became of the contacts since the last time, and the invoices and payments up to the clock.
CREATE PROCEDURE demo.advance() LANGUAGE plpgsql AS $$
DECLARE
    clock timestamptz := dunning._now();
    debtor text;
BEGIN
    CREATE TEMP TABLE contact ON COMMIT DROP AS
    SELECT c.* FROM demo.contact c WHERE NOT EXISTS (SELECT FROM demo.heard h WHERE h.message_id = c.message_id);
    INSERT INTO demo.heard SELECT message_id, kundenr, channel, at FROM contact;
    INSERT INTO demo.told
    SELECT 'dunning', fakturanr, n, channel, at, CASE WHEN demo.moves(fakturanr, n, reads, heeds, forfald >= at::date) THEN demo.pays_at(fakturanr, n, channel, at, tied, payday) END
    FROM (
        SELECT t.fakturanr, t.forfald, t.tied, t.payday, h.heeds, c.channel, c.at,
               row_number() OVER (PARTITION BY t.fakturanr ORDER BY c.at) + (SELECT count(*) FROM demo.told p WHERE p.world = 'dunning' AND p.fakturanr = t.fakturanr) AS n,
               CASE c.channel WHEN 'email' THEN h.by_email WHEN 'sms' THEN h.by_sms WHEN 'letter' THEN h.by_letter ELSE h.by_call END AS reads
        FROM contact c
        JOIN dunning.message m ON m.message_id = c.message_id AND m.debtor_id = c.kundenr::text
        CROSS JOIN LATERAL jsonb_path_query(m.context, '$.balances[*].invoices[*].reference') i(named)
        JOIN demo.truth t ON t.fakturanr = substr(i.named #>> '{}', 3)::bigint
        JOIN demo.habit h ON h.kundenr = t.kundenr
        WHERE (t.natural_at IS NULL OR t.natural_at > c.at)
          AND NOT EXISTS (SELECT FROM demo.told p WHERE p.world = 'dunning' AND p.fakturanr = t.fakturanr AND p.pays_at IS NOT NULL)
    ) x;

    INSERT INTO billing.faktura
    SELECT t.fakturanr, t.kundenr, t.udstedt, t.forfald, t.beloeb, t.valuta, NULL FROM demo.unbooked t WHERE t.udstedt <= clock::date;
    DELETE FROM demo.unbooked t WHERE t.udstedt <= clock::date;
    WITH paid AS (
        DELETE FROM demo.unpaid t USING demo.unpaid u LEFT JOIN demo.moved m ON m.world = 'dunning' AND m.fakturanr = u.fakturanr
        WHERE u.fakturanr = t.fakturanr AND t.udstedt <= clock::date AND least(t.natural_at, m.pays_at) <= clock
        RETURNING t.*, least(t.natural_at, m.pays_at) AS at)
    INSERT INTO billing.indbetaling
    SELECT fakturanr, kundenr, CASE WHEN demo.u('unallocated', fakturanr) < .9 THEN fakturanr END, at, beloeb, valuta FROM paid;

    -- one in a hundred answers a message, a third of them by calling
    FOR debtor IN SELECT c.kundenr::text FROM contact c WHERE demo.u('answers' || c.at::date, c.kundenr) < .01 LOOP
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
SELECT format('%s contacts of %s debtors (%s), %s payments, %s answered or called, %s tasks on the worklist, %s sent back to planning by a payment',
              (SELECT count(*) FROM demo.contact), (SELECT count(DISTINCT kundenr) FROM demo.contact),
              (SELECT string_agg(step || ' ' || n, ', ' ORDER BY n DESC) FROM (SELECT m.step, count(*) AS n FROM demo.contact c JOIN dunning.message m ON m.message_id = c.message_id AND m.debtor_id = c.kundenr::text GROUP BY 1) s),
              (SELECT count(*) FROM billing.indbetaling WHERE tidspunkt >= '2026-06-22'),
              (SELECT count(*) FROM dunning.event WHERE kind IN ('replied', 'called_in')), (SELECT count(*) FROM dunning.worklist),
              (SELECT count(*) FROM dunning.outcome WHERE state = 'cancelled' AND reason IN ('balance_changed', 'no_balance')));
