-- Random lives of offers, each debtor by itself: made, told, answered, paid, over, in any order and at any time. After every step what the
-- database says is compared with a plain account of it kept here: which offer stands, what a body names, which promise is kept.

CREATE SCHEMA helper;
CREATE TABLE helper.violation (episode bigint, step int, what text);
CREATE TABLE helper.tally (what text, n bigint);
SELECT dunning._ensure_partitions() >= 0 AS partitions;
SELECT dunning.save_setting('settlement_percent', '70');
INSERT INTO dunning.template (template, channel, language, body_text)
SELECT 'ep', c, 'en', '{{amount | money}} {{#offer}}<{{offer_id}}> {{text}}{{/offer}}' FROM unnest('{email,sms,letter,call}'::text[]) c;

CREATE TYPE helper.promise AS (needed numeric, deadline timestamptz, made_at timestamptz, cancelled_at timestamptz);
CREATE TYPE helper.payment AS (amount numeric, at timestamptz);

-- What became of a promise, told from the payments alone.
CREATE FUNCTION helper.fate(p helper.promise, payments helper.payment[], owed numeric, at timestamptz) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN x.in_time >= p.needed THEN 'kept' WHEN p.cancelled_at IS NOT NULL THEN 'cancelled' WHEN owed <= 0 THEN 'kept'
                WHEN x.ever >= p.needed THEN 'late' WHEN at < p.deadline THEN 'open' ELSE 'broken' END
    FROM (SELECT coalesce(sum(y.amount) FILTER (WHERE y.at < p.deadline), 0) AS in_time, coalesce(sum(y.amount), 0) AS ever
          FROM unnest(payments) y WHERE y.at > p.made_at) x $$;

-- One message on a channel, planned now.
CREATE FUNCTION helper.plan_message(debtor text, via text, needs boolean) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
    SELECT id, debtor, 'default', 'ep', via, 'en', 'ep', dunning._now(), 'x', '{}', 0, 'EUR', c.context, jsonb_build_object('offer_needed', needs), dunning._now(), 'test'
    FROM dunning._context(ARRAY[debtor], NULL) c;
    INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
    VALUES (debtor, id, 'default', dunning._slice(debtor), 'queued', dunning._now(), 'ep', via);
    RETURN id;
END $$;

-- The worker's part: ask, render, freeze; sends or leaves it frozen in the queue.
CREATE FUNCTION helper.freeze(debtor text, message uuid, sends boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE f record; m dunning.message; said text;
BEGIN
    SELECT x.* INTO m FROM dunning.message x WHERE x.debtor_id = debtor AND x.message_id = message;
    SELECT b.body_text INTO said FROM dunning.body b WHERE b.debtor_id = debtor AND b.message_id = message;
    SELECT x.* INTO f FROM dunning._freeze_offers(ARRAY[debtor], ARRAY[message], ARRAY[m.context -> 'offer' <> 'null'], ARRAY[said IS NOT NULL]) x;
    IF f.verdict = 'gone' THEN
        PERFORM dunning._cancel_messages(ARRAY[debtor], ARRAY[message], 'offer_gone', true);
        RETURN 'gone';
    END IF;
    IF said IS NULL THEN
        SELECT r.body_text INTO said FROM dunning.render('ep', m.context || CASE WHEN f.verdict = 'say' THEN jsonb_build_object('offer', f.offer) ELSE '{}' END, 'en', m.channel) r;
        INSERT INTO dunning.body (message_id, debtor_id, creditor, address, body_text, rendered_at, offer_id) VALUES (message, debtor, 'default', 'x', said, now(), f.offer_id);
    END IF;
    IF sends THEN
        DELETE FROM dunning.queue q WHERE q.debtor_id = debtor AND q.message_id = message;
        INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, at) VALUES (message, dunning._uuid7(), debtor, 'default', 1, 'sent', 'ok', dunning._now());
    END IF;
    RETURN said;
END $$;

CREATE FUNCTION helper.episode(n bigint, seed bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    debtor text := format('ep-%s-%s', seed, n);
    at timestamptz := '2026-03-02 09:00+00'::timestamptz + ((dunning._uniform(format('%s/%s/start', seed, n)) * 300)::int) * interval '1 day 37 minutes';
    u float8; v float8; w float8;
    steps int; step int; op text;
    owed numeric; other numeric;
    payments helper.payment[] := '{}'; promises helper.promise[] := '{}'; p helper.promise;
    stands dunning.offer; made record; terms jsonb; got uuid; failed text; may boolean; id uuid; said text; sum_needed numeric;
    holds boolean; fates text[]; told text[]; today date; kind text; part jsonb; talk jsonb; broken date; expected_broken date;
BEGIN
    owed := (20 + floor(dunning._uniform(format('%s/%s/owed', seed, n)) * 200000)) / 100;
    IF dunning._uniform(format('%s/%s/scale', seed, n)) < 0.5 THEN owed := ceil(owed); END IF;
    other := 7;
    PERFORM set_config('dunning.clock', at::text, false);
    INSERT INTO dunning.debtor (debtor_id, name, language, country, email) VALUES (debtor, 'Ep', (ARRAY['en','da','sv','nb','nl','de'])[1 + n % 6], 'DE', 'ep@example.org');
    INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES
        (debtor, 'I', at::date - 60, at::date - 30, owed, 'EUR'), (debtor, 'J', at::date - 60, at::date - 30, other, 'GBP');
    -- A history of payments, for those who have one.
    IF n % 3 > 0 THEN
        INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
        SELECT debtor, 'H' || i, at::date - 200 - 30 * i, at::date - 180 - 30 * i, 20 + 10 * (n % 17), 'EUR' FROM generate_series(0, 4) i;
        INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at)
        SELECT debtor, 'HP' || i, 'H' || i, 20 + 10 * (n % 17), 'EUR', at - make_interval(days => 90 + CASE n % 3 WHEN 1 THEN 30 ELSE 14 END * i) FROM generate_series(0, 4) i;
    END IF;
    steps := 4 + floor(dunning._uniform(format('%s/%s/steps', seed, n)) * 9);
    FOR step IN 1 .. steps LOOP
        u := dunning._uniform(format('%s/%s/%s/op', seed, n, step));
        v := dunning._uniform(format('%s/%s/%s/v', seed, n, step));
        w := dunning._uniform(format('%s/%s/%s/w', seed, n, step));
        at := at + CASE WHEN w < 0.4 THEN interval '7 minutes' WHEN w < 0.8 THEN (1 + floor(v * 6)) * interval '1 day 1 minute' ELSE (5 + floor(v * 40)) * interval '1 day 3 minutes' END;
        PERFORM set_config('dunning.clock', at::text, false);
        today := dunning._today(NULL);
        op := CASE WHEN u < 0.24 THEN 'make' WHEN u < 0.30 THEN 'plan' WHEN u < 0.46 THEN 'accept' WHEN u < 0.52 THEN 'decline' WHEN u < 0.55 THEN 'withdraw'
                   WHEN u < 0.72 THEN 'pay' WHEN u < 0.92 THEN 'tell' WHEN u < 0.96 THEN 'maintain' ELSE 'bad' END;
        failed := NULL;
        -- Does what stands still stand now?
        holds := stands.offer_id IS NOT NULL AND at < ((stands.expires_on + 1)::timestamp AT TIME ZONE 'UTC') + interval '12 hours' AND owed >= stands.amount;
        kind := (ARRAY['instalments', 'pay_later', 'promise', 'settlement'])[1 + floor(v * 4)];
        BEGIN
            CASE op
            WHEN 'make', 'plan' THEN
                terms := CASE WHEN kind = 'instalments' AND w < 0.5 THEN '{"currency": "EUR"}' WHEN kind = 'instalments' THEN
                        jsonb_build_object('currency', 'EUR', 'parts', jsonb_build_array(jsonb_build_object('amount', trunc(owed / 2, 2), 'due_on', today + 10), jsonb_build_object('amount', owed - trunc(owed / 2, 2), 'due_on', today + 40)))
                    WHEN kind = 'settlement' THEN jsonb_build_object('currency', 'EUR', 'share', 0.8, 'due_on', today + 9)
                    WHEN kind = 'promise' THEN jsonb_build_object('currency', 'EUR', 'amount', round(owed / 2, 2), 'due_on', today + 5 + floor(w * 20)::int) ELSE '{"currency": "EUR"}' END;
                IF op = 'make' THEN
                    SELECT m.offer_id INTO got FROM dunning.make_offer(debtor, kind, terms, replace => w > 0.6) m;
                    IF holds AND w <= 0.6 THEN
                        INSERT INTO helper.violation VALUES (n, step, 'a second offer was made beside a live one');
                    END IF;
                ELSE
                    SELECT m.offer_id INTO got FROM dunning._make_offers(ARRAY[debtor], ARRAY[kind]) m;
                    IF holds AND got IS DISTINCT FROM stands.offer_id THEN
                        INSERT INTO helper.violation VALUES (n, step, 'planning replaced a live offer');
                    END IF;
                END IF;
                IF got IS NOT NULL AND got IS DISTINCT FROM stands.offer_id THEN
                    SELECT o.* INTO stands FROM dunning.offer o WHERE o.debtor_id = debtor AND o.offer_id = got;
                    IF stands.kind IN ('instalments', 'pay_later') AND EXISTS (SELECT FROM jsonb_array_elements(stands.options) o WHERE (o ->> 'total')::numeric
                            <> CASE stands.currency WHEN 'EUR' THEN owed ELSE other END)
                       OR EXISTS (SELECT FROM jsonb_array_elements(stands.options) o, jsonb_array_elements(o -> 'parts') q
                                  WHERE (q ->> 'amount')::numeric <= 0 OR (q ->> 'due_on')::date < today OR q ->> 'currency' <> stands.currency)
                       OR EXISTS (SELECT FROM jsonb_array_elements(stands.options) o WHERE (o ->> 'first_on')::date < stands.expires_on) THEN
                        INSERT INTO helper.violation VALUES (n, step, 'terms that do not add up: ' || stands.options::text);
                    END IF;
                ELSIF got IS NULL AND NOT coalesce(holds, false) THEN
                    stands := NULL;
                END IF;
            WHEN 'accept' THEN
                part := stands.options -> floor(v * jsonb_array_length(stands.options))::int;
                may := coalesce(CASE stands.currency WHEN 'EUR' THEN holds
                           ELSE stands.offer_id IS NOT NULL AND at < ((stands.expires_on + 1)::timestamp AT TIME ZONE 'UTC') + interval '12 hours' AND other >= stands.amount END, false);
                PERFORM dunning.accept_offer(debtor, (part ->> 'option')::int, via => (ARRAY['sql', 'link', 'call'])[1 + floor(w * 3)]);
                IF NOT may THEN
                    INSERT INTO helper.violation VALUES (n, step, 'an offer that did not stand was accepted');
                END IF;
                IF stands.currency = 'EUR' THEN
                    -- What was open before is replaced.
                    FOR i IN 1 .. cardinality(promises) LOOP
                        IF helper.fate(promises[i], payments, owed, at) = 'open' THEN
                            p := promises[i]; p.cancelled_at := at; promises[i] := p;
                        END IF;
                    END LOOP;
                    sum_needed := 0;
                    FOR part IN SELECT q FROM jsonb_array_elements(part -> 'parts') WITH ORDINALITY q(q, i) ORDER BY q.i LOOP
                        sum_needed := sum_needed + (part ->> 'amount')::numeric;
                        promises := promises || ROW(sum_needed, ((part ->> 'due_on')::date + 4)::timestamp AT TIME ZONE 'UTC' + interval '12 hours', at, NULL)::helper.promise;
                    END LOOP;
                END IF;
                IF EXISTS (SELECT FROM dunning.queue q WHERE q.debtor_id = debtor) THEN
                    INSERT INTO helper.violation VALUES (n, step, 'acceptance left a message in the queue');
                END IF;
                stands := NULL;
            WHEN 'decline' THEN
                PERFORM dunning.decline_offer(debtor);
                IF stands.offer_id IS NULL THEN
                    INSERT INTO helper.violation VALUES (n, step, 'nothing was declined');
                END IF;
                stands := NULL;
            WHEN 'withdraw' THEN
                PERFORM dunning.withdraw_offer(debtor, 'test');
                stands := NULL;
            WHEN 'pay' THEN
                IF w < 0.1 THEN
                    INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at) VALUES (debtor, 'G' || step, 'J', 1, 'GBP', at);
                    other := other - 1;
                ELSE
                    sum_needed := CASE WHEN v < 0.2 THEN owed WHEN v < 0.6 AND cardinality(promises) > 0 THEN least(owed, promises[cardinality(promises)].needed) ELSE round((owed * v / 2)::numeric, 2) END;
                    IF sum_needed > 0 THEN
                        INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at) VALUES (debtor, 'P' || step, 'I', sum_needed, 'EUR', at);
                        payments := payments || ROW(sum_needed, at)::helper.payment;
                        owed := owed - sum_needed;
                    END IF;
                END IF;
            WHEN 'tell' THEN
                -- Some channels at once: all say the same, and what stands.
                FOR i IN 1 .. 1 + floor(v * 3)::int LOOP
                    id := helper.plan_message(debtor, (ARRAY['email', 'sms', 'letter', 'call'])[1 + (step + i) % 4], w < 0.2);
                    IF w < 0.5 THEN
                        PERFORM helper.freeze(debtor, id, w < 0.3);
                    END IF;
                END LOOP;
            WHEN 'maintain' THEN
                PERFORM dunning._refresh_offers(ARRAY[debtor]);
                PERFORM dunning._check_promises(ARRAY[debtor]);
                IF NOT coalesce(holds, false) AND stands.currency = 'EUR' THEN stands := NULL; END IF;
            WHEN 'bad' THEN
                PERFORM dunning.make_offer(debtor, 'instalments', CASE floor(v * 5) WHEN 0 THEN jsonb_build_object('parts', jsonb_build_array(jsonb_build_object('amount', owed + 1, 'due_on', today + 5)))
                    WHEN 1 THEN jsonb_build_object('parts', jsonb_build_array(jsonb_build_object('amount', -owed - 1, 'due_on', today + 5)))
                    WHEN 2 THEN jsonb_build_object('parts', jsonb_build_array(jsonb_build_object('amount', owed, 'due_on', today - 3)))
                    WHEN 3 THEN jsonb_build_object('currency', 'EUR', 'parts', jsonb_build_array(jsonb_build_object('amount', owed, 'due_on', today + 5, 'currency', 'SEK')))
                    ELSE '{"currency": "CHF"}' END, replace => true);
                INSERT INTO helper.violation VALUES (n, step, 'bad terms were taken');
            END CASE;
        EXCEPTION WHEN invalid_parameter_value OR object_not_in_prerequisite_state THEN
            failed := SQLERRM;
            IF op = 'accept' AND may AND stands.offer_id IS NOT NULL THEN
                INSERT INTO helper.violation VALUES (n, step, 'an offer that stood was not accepted: ' || failed);
            END IF;
        END;

        -- One live offer at most, and it is the one that stands.
        SELECT array_agg(l.offer_id::text) INTO told FROM dunning._live_offers(ARRAY[debtor]) l;
        holds := stands.offer_id IS NOT NULL AND at < ((stands.expires_on + 1)::timestamp AT TIME ZONE 'UTC') + interval '12 hours'
                 AND CASE stands.currency WHEN 'EUR' THEN owed ELSE other END >= stands.amount;
        IF cardinality(told) > 1 OR (SELECT count(*) FROM dunning.offer o WHERE o.debtor_id = debtor AND o.state = 'live') > 1 THEN
            INSERT INTO helper.violation VALUES (n, step, 'two live offers');
        END IF;
        IF (told[1] IS NOT NULL) <> coalesce(holds, false) OR coalesce(holds, false) AND told[1] <> stands.offer_id::text THEN
            INSERT INTO helper.violation VALUES (n, step, format('%s: live is %s, stands %s %s', op, told[1], CASE WHEN holds THEN stands.offer_id END, failed));
        END IF;
        -- Whoever ends an offer takes back what was frozen with it.
        IF EXISTS (SELECT FROM dunning.queue q JOIN dunning.body b USING (debtor_id, message_id) LEFT JOIN dunning.offer o ON o.debtor_id = b.debtor_id AND o.offer_id = b.offer_id
                   WHERE q.debtor_id = debtor AND b.offer_id IS NOT NULL AND o.state IS DISTINCT FROM 'live') THEN
            INSERT INTO helper.violation VALUES (n, step, op || ': a body waits that names an offer which was ended');
        END IF;
        -- What is frozen, or would leave now, names what stands, in its words, on every channel. Some messages stay as planned for later steps.
        FOR id, said IN SELECT q.message_id, helper.freeze(debtor, q.message_id, v < 0.5) FROM dunning.queue q
                        WHERE q.debtor_id = debtor AND (u + v < 1 OR EXISTS (SELECT FROM dunning.body b WHERE b.debtor_id = debtor AND b.message_id = q.message_id)) LOOP
            IF said <> 'gone' AND (coalesce(substring(said FROM '<([0-9a-f-]{36})>'), '') <> (CASE WHEN holds AND stands.expires_on >= today THEN stands.offer_id::text ELSE '' END)
                    OR holds AND stands.expires_on >= today AND position(stands.text IN said) = 0) THEN
                -- Frozen before the offer was made, it names none: that is no contradiction.
                IF NOT (said !~ '<' AND EXISTS (SELECT FROM dunning.body b WHERE b.debtor_id = debtor AND b.message_id = id AND b.offer_id IS NULL)) OR said ~ '<' THEN
                    INSERT INTO helper.violation VALUES (n, step, format('%s: said %s, stands %s', op, said, stands.offer_id));
                END IF;
            END IF;
            IF said = 'gone' AND holds AND stands.expires_on >= today AND NOT EXISTS (SELECT FROM dunning.body b WHERE b.debtor_id = debtor AND b.message_id = id) THEN
                INSERT INTO helper.violation VALUES (n, step, 'a message was taken back though its offer stands');
            END IF;
        END LOOP;
        IF v < 0.1 THEN
            talk := dunning.conversation(debtor);
            IF coalesce(talk -> 'offer_of_record' ->> 'offer_id', '') <> (CASE WHEN holds AND stands.expires_on >= today THEN stands.offer_id::text ELSE '' END)
               OR coalesce(substring(talk -> 'offer' ->> 'text' FROM '<([0-9a-f-]{36})>'), stands.offer_id::text) <> coalesce(stands.offer_id::text, 'none') THEN
                INSERT INTO helper.violation VALUES (n, step, 'conversation() tells another offer');
            END IF;
        END IF;
        INSERT INTO helper.tally VALUES (op || CASE WHEN failed IS NULL THEN '' ELSE ' refused' END, 1);
        -- Kept and broken, as the plain account says.
        SELECT array_agg(helper.fate(x, payments, owed, at) ORDER BY x.made_at, x.needed) INTO fates FROM unnest(promises) x;
        SELECT array_agg(s.state ORDER BY s.promised_at, s.part) INTO told FROM dunning._promise_state(ARRAY[debtor]) s WHERE s.currency = 'EUR';
        IF fates IS DISTINCT FROM told THEN
            INSERT INTO helper.violation VALUES (n, step, format('%s: promises %s, by the plain account %s', op, told, fates));
        END IF;
        CONTINUE WHEN w < 0.7;
        SELECT b.broken_on INTO broken FROM dunning._broken_promises(ARRAY[debtor]) b;
        SELECT max(y.first) INTO expected_broken
        FROM (SELECT min(x.deadline)::date AS first FROM unnest(promises) x WHERE helper.fate(x, payments, owed, at) = 'broken' GROUP BY x.made_at) y;
        IF expected_broken IS NOT NULL AND broken IS DISTINCT FROM expected_broken AND NOT EXISTS (SELECT FROM dunning.promise g WHERE g.debtor_id = debtor AND g.currency = 'GBP') THEN
            INSERT INTO helper.violation VALUES (n, step, format('broken on %s, by the plain account %s', broken, expected_broken));
        END IF;
    END LOOP;
    INSERT INTO helper.tally SELECT 'promises ' || f, count(*) FROM unnest(fates) f GROUP BY 1;
END $$;

CREATE PROCEDURE helper.episodes(first bigint, last bigint, seed bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN first .. last LOOP
        PERFORM helper.episode(n, seed);
        IF n % 50 = 0 THEN COMMIT; END IF;
    END LOOP;
END $$;
