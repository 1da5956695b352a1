-- What people and links call: make, approve, accept, decline, withdraw.

-- Terms as given, checked against what is owed: sums, dates, currency, the rule of the house.
CREATE FUNCTION dunning._check_terms(debtor_id text, kind text, terms jsonb, currency text, owed numeric, as_of timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    today date := dunning._today(as_of);
    percent numeric := dunning._value_of('settlement_percent')::numeric;
    latest date := CASE WHEN kind = 'instalments' THEN (today + make_interval(months => dunning._value_of('plan_most_months')::int))::date + 31
                        ELSE today + dunning._value_of('pay_later_days')::int END;
    given jsonb := coalesce(terms -> 'options', CASE WHEN terms ? 'parts' THEN jsonb_build_array(terms - 'options' - 'currency') END);
    due text := to_char(least(latest, today + 14), 'YYYY-MM-DD');
    half numeric := round(owed / 2, scale(trim_scale(owed)));
    usage text := format('SELECT * FROM dunning.make_offer(%L, %L, %L);', debtor_id, kind, jsonb_build_object('currency', currency) || CASE kind
        WHEN 'instalments' THEN jsonb_build_object('parts', jsonb_build_array(jsonb_build_object('amount', half, 'due_on', due), jsonb_build_object('amount', owed - half, 'due_on', to_char(latest, 'YYYY-MM-DD'))))
        WHEN 'settlement' THEN jsonb_build_object('share', trim_scale(percent / 100), 'due_on', due) WHEN 'promise' THEN jsonb_build_object('amount', owed, 'due_on', due)
        ELSE jsonb_build_object('due_on', due) END);
    one record;
    checked jsonb := '[]';
    parts jsonb;
    sums numeric;
    least_sum numeric;
BEGIN
    IF given IS NULL THEN
        IF kind = 'instalments' THEN
            RAISE EXCEPTION 'an instalment plan needs options or parts'
                USING ERRCODE = '22023', DETAIL = format('Given is %s.', terms), HINT = usage;
        END IF;
        BEGIN
            sums := CASE WHEN kind = 'pay_later' THEN owed WHEN terms ? 'amount' THEN (terms ->> 'amount')::numeric
                         -- upwards, as planning does: else the least share would come to less than itself
                         WHEN kind = 'settlement' THEN trim_scale(ceil(owed * coalesce((terms ->> 'share')::numeric, percent / 100) * power(10::numeric, scale(trim_scale(owed)))) / power(10::numeric, scale(trim_scale(owed)))) ELSE owed END;
        EXCEPTION WHEN data_exception THEN
            RAISE EXCEPTION 'the terms of an offer cannot be read: %', terms USING ERRCODE = '22023', DETAIL = SQLERRM || '.', HINT = usage;
        END;
        given := jsonb_build_array(jsonb_build_object('parts', jsonb_build_array(jsonb_build_object('amount', sums, 'currency', currency, 'due_on',
                     coalesce(terms ->> 'due_on', to_char(least(latest, today + dunning._value_of('offer_days')::int), 'YYYY-MM-DD'))))));
    END IF;
    IF jsonb_typeof(given) <> 'array' OR jsonb_array_length(given) NOT BETWEEN 1 AND 9 OR kind <> 'instalments' AND jsonb_array_length(given) <> 1 THEN
        RAISE EXCEPTION 'an offer of kind "%" has % options', kind, CASE WHEN kind = 'instalments' THEN '1 to 9' ELSE 'no' END
            USING ERRCODE = '22023', DETAIL = format('Given is %s.', given), HINT = usage;
    END IF;
    FOR one IN SELECT g.g, g.n FROM jsonb_array_elements(given) WITH ORDINALITY g(g, n) LOOP
        IF jsonb_typeof(one.g -> 'parts') IS DISTINCT FROM 'array' OR jsonb_array_length(one.g -> 'parts') NOT BETWEEN 1 AND 120 THEN
            RAISE EXCEPTION 'option % has no parts', one.n USING ERRCODE = '22023', DETAIL = format('Given is %s.', one.g), HINT = usage;
        END IF;
        SELECT jsonb_agg(c.c ORDER BY c.c ->> 'due_on', c.n), sum((c.c ->> 'amount')::numeric) INTO parts, sums
        FROM (SELECT dunning._check_part(jsonb_build_object('currency', currency) || p.p, usage) AS c, p.n
              FROM jsonb_array_elements(one.g -> 'parts') WITH ORDINALITY p(p, n)) c;
        IF EXISTS (SELECT FROM jsonb_array_elements(parts) p(p) WHERE p.p ->> 'currency' <> currency) THEN
            RAISE EXCEPTION 'option % is in another currency than %', one.n, currency
                USING ERRCODE = '22023', DETAIL = 'Currencies are never added.', HINT = format('SELECT * FROM dunning.balance(%L);', debtor_id);
        END IF;
        IF EXISTS (SELECT FROM jsonb_array_elements(parts) p(p)
                   WHERE scale(trim_scale((p.p ->> 'amount')::numeric)) > greatest(scale(trim_scale(owed)), dunning._minor_digits(currency))) THEN
            RAISE EXCEPTION 'option % has a fraction of a coin', one.n
                USING ERRCODE = '22023', DETAIL = format('Given is %s; what is said of it would not add up.', parts), HINT = usage;
        END IF;
        IF (parts -> 0 ->> 'due_on')::date < today OR (parts -> -1 ->> 'due_on')::date > latest THEN
            RAISE EXCEPTION 'option % asks for payments from % to %', one.n, parts -> 0 ->> 'due_on', parts -> -1 ->> 'due_on'
                USING ERRCODE = '22023', DETAIL = format('Payments may be due from %s to %s.', today, latest),
                      HINT = CASE WHEN (parts -> 0 ->> 'due_on')::date < today THEN usage
                                  WHEN kind = 'instalments' THEN format('SELECT dunning.save_setting(''plan_most_months'', %L);', ceil(((parts -> -1 ->> 'due_on')::date - today) / 28.0))
                                  ELSE format('SELECT dunning.save_setting(''pay_later_days'', %L);', (parts -> -1 ->> 'due_on')::date - today) END;
        END IF;
        least_sum := CASE kind WHEN 'settlement' THEN owed * percent / 100 WHEN 'promise' THEN 0 ELSE owed END;
        IF sums > owed OR sums < least_sum THEN
            RAISE EXCEPTION 'option % comes to % %, and % is owed', one.n, sums, currency, owed
                USING ERRCODE = '22023', DETAIL = CASE kind WHEN 'settlement' THEN format('A settlement is at least %s %% of it: %s.', percent, trim_scale(least_sum))
                                                            WHEN 'promise' THEN 'A promise is at most what is owed.' ELSE 'The parts must sum to what is owed.' END,
                      HINT = CASE WHEN kind = 'settlement' AND sums < least_sum THEN 'SELECT dunning.save_setting(''settlement_percent'', ''80'');'
                                  ELSE format('SELECT * FROM dunning.balance(%L);', debtor_id) END;
        END IF;
        checked := checked || dunning._offer_option(one.n::int, parts, CASE
            WHEN (parts -> 1 ->> 'due_on')::date = (parts -> 0 ->> 'due_on')::date + 14 THEN 'fortnightly'
            WHEN (parts -> 1 ->> 'due_on')::date - (parts -> 0 ->> 'due_on')::date BETWEEN 27 AND 33 THEN 'monthly' ELSE 'once' END);
    END LOOP;
    RETURN checked;
END
$$;
COMMENT ON FUNCTION dunning._check_terms(text, text, jsonb, text, numeric, timestamptz) IS 'The options of an offer as checked, else 22023 with what is wrong.';

CREATE FUNCTION dunning._check_offer_kind(debtor_id text, kind text, terms jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    IF _check_offer_kind.kind IS NULL OR _check_offer_kind.kind NOT IN ('instalments', 'settlement', 'pay_later', 'promise') THEN
        RAISE EXCEPTION 'there is no offer of kind "%"', coalesce(_check_offer_kind.kind, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'Kinds are instalments, settlement, pay_later and promise.', HINT = format('SELECT * FROM dunning.make_offer(%L, ''instalments'');', debtor_id);
    ELSIF EXISTS (SELECT FROM dunning._held_by(ARRAY[_check_offer_kind.debtor_id]) h WHERE h.invoice_id IS NULL AND (dunning._reason_of(h.reason)).offers IS FALSE) THEN
        RAISE EXCEPTION 'debtor "%" is made no offers', debtor_id
            USING ERRCODE = '55000', DETAIL = format('In force: %s.', (SELECT string_agg(DISTINCT h.reason, ', ') FROM dunning._held_by(ARRAY[_check_offer_kind.debtor_id]) h WHERE h.invoice_id IS NULL)),
                  HINT = format('SELECT * FROM dunning.explain(%L);', debtor_id);
    ELSIF jsonb_typeof(_check_offer_kind.terms) <> 'object' THEN
        RAISE EXCEPTION 'the terms of an offer are a JSON object' USING ERRCODE = '22023', DETAIL = format('Given is %s.', _check_offer_kind.terms),
            HINT = format('SELECT * FROM dunning.make_offer(%L, %L);', debtor_id, _check_offer_kind.kind);
    ELSIF _check_offer_kind.kind = 'settlement' AND dunning._value_of('settlement_percent')::numeric NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'settlements are not offered' USING ERRCODE = '42501', DETAIL = 'An administrator says with which share of a claim it may be settled; nobody has.',
            HINT = 'SELECT dunning.save_setting(''settlement_percent'', ''80'');';
    END IF;
END
$$;
COMMENT ON FUNCTION dunning._check_offer_kind(text, text, jsonb) IS 'Nothing, or why offers of this kind are not made, or not to this debtor.';

CREATE FUNCTION dunning.make_offer(debtor_id text, kind text, terms jsonb DEFAULT NULL, expires_on date DEFAULT NULL, replace boolean DEFAULT false,
                                   OUT offer_id uuid, OUT state text, OUT text text, OUT options jsonb, OUT until_on date, OUT superseded uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(make_offer.debtor_id);
    today date := dunning._today(NULL);
    standing dunning.offer;
    about record;
    first_due date;
    wanted text := make_offer.terms ->> 'currency';
BEGIN
    PERFORM dunning._check_offered(id);
    PERFORM dunning._check_offer_kind(id, make_offer.kind, make_offer.terms);
    PERFORM dunning._refresh_offers(ARRAY[id]);
    SELECT a.creditor, a.currency, a.amount INTO about FROM dunning._asked_for(ARRAY[id], NULL) a WHERE wanted IS NULL OR a.currency = wanted ORDER BY a.ord LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'debtor "%" owes nothing%', id, coalesce(' in ' || wanted, '')
            USING ERRCODE = '22023', DETAIL = 'What is disputed or held is not asked for, so nothing is offered on it.', HINT = format('SELECT * FROM dunning.balance(%L);', id);
    END IF;
    IF make_offer.terms IS NULL OR make_offer.terms - 'currency' = '{}' AND make_offer.kind = 'instalments' THEN
        IF make_offer.kind = 'instalments' THEN
            SELECT p.options INTO options FROM dunning._plan_options(ARRAY[id], NULL, about.currency) p;
        ELSE
            SELECT t.options INTO options FROM dunning._offer_terms(ARRAY[id], ARRAY[make_offer.kind]) t WHERE t.currency = about.currency;
        END IF;
        IF options IS NULL THEN
            RAISE EXCEPTION 'no % fits debtor "%"', CASE WHEN make_offer.kind = 'instalments' THEN 'instalment plan' ELSE 'offer' END, id
                USING ERRCODE = '22023', DETAIL = format('Owed is %s %s; a part is at least %s, within what was paid in a month before, and the plan takes at most %s months.',
                          about.amount, about.currency, dunning._value_of('plan_least_part'), dunning._value_of('plan_most_months')),
                      HINT = 'Give terms, or change the values: SELECT dunning.save_setting(''plan_most_months'', ''24'');';
        END IF;
    ELSE
        options := dunning._check_terms(id, make_offer.kind, make_offer.terms, about.currency, about.amount, NULL);
    END IF;
    first_due := (SELECT min((o.o ->> 'first_on')::date) FROM jsonb_array_elements(options) o(o));
    until_on := coalesce(make_offer.expires_on, least(today + dunning._value_of('offer_days')::int, first_due));
    IF until_on < today OR until_on > first_due OR NOT isfinite(until_on) THEN
        RAISE EXCEPTION 'an offer cannot expire on %', until_on
            USING ERRCODE = '22023', DETAIL = format('Today is %s, and the first payment is due on %s.', today, first_due),
                  HINT = format('SELECT * FROM dunning.make_offer(%L, %L, expires_on => %L);', id, make_offer.kind, least(today + 7, first_due));
    END IF;

    state := CASE WHEN make_offer.kind = 'settlement' AND dunning._value_of('four_eyes')::boolean THEN 'proposed' ELSE 'live' END;
    SELECT o.* INTO standing FROM dunning.offer o WHERE o.debtor_id = id AND o.state = make_offer.state;
    IF FOUND AND NOT coalesce(make_offer.replace, false) THEN
        RAISE EXCEPTION 'debtor "%" has an offer already', id
            USING ERRCODE = '55000', DETAIL = format('%s, %s since %s: %s', standing.kind, standing.state, standing.made_at, standing.text),
                  HINT = format('SELECT * FROM dunning.make_offer(%L, %L, replace => true);', id, make_offer.kind);
    ELSIF FOUND THEN
        superseded := (dunning._end_offers(ARRAY[id], ARRAY[standing.offer_id], 'superseded', make_offer.kind))[1];
        IF superseded IS NULL THEN
            RAISE EXCEPTION 'debtor "%" has just answered the offer', id
                USING ERRCODE = 'DN008', DETAIL = 'What was to be replaced does not stand any more.',
                      HINT = format('SELECT * FROM dunning.offers WHERE debtor_id = %L;', id);
        END IF;
    END IF;
    SELECT i.offer_id INTO offer_id
    FROM dunning._insert_offers(ARRAY[id], ARRAY[make_offer.kind], ARRAY[about.creditor], ARRAY[about.currency], ARRAY[about.amount], ARRAY[options], ARRAY[until_on],
                                ARRAY[superseded], make_offer.state) i;
    IF offer_id IS NULL THEN
        -- Somebody else was faster, and waited for.
        RAISE EXCEPTION 'debtor "%" has just been made another offer', id
            USING ERRCODE = 'DN008', DETAIL = coalesce((SELECT format('%s by %s: %s', o.kind, o.made_by, o.text) FROM dunning.offer o WHERE o.debtor_id = id AND o.state = make_offer.state),
                                                       'It was made while this one was.'),
                  HINT = format('SELECT dunning.conversation(%L) -> ''offer_of_record'';', id);
    END IF;
    PERFORM dunning._refresh_scripts(ARRAY[id]);
    text := (SELECT o.text FROM dunning.offer o WHERE o.debtor_id = id AND o.offer_id = make_offer.offer_id);
END
$$;
COMMENT ON FUNCTION dunning.make_offer(text, text, jsonb, date, boolean) IS
    'One row: the offer of record from now on (proposed, where a second person must approve a settlement), its words and options. kind: instalments, settlement, pay_later, promise; terms NULL: what fits the debtor. A live one stands unless replace: 55000; DN008 where another session was faster; 55000 too while a hold lets no offer be made. What is queued says it when it leaves. Bad terms: 22023 with DETAIL and HINT. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.make_offer(text, text, jsonb, date, boolean) TO dunning_operator;

-- The offer that a call means, locked: the live one (or the proposed), or the one named, if it is this debtor's.
CREATE FUNCTION dunning._find_offer(debtor_id text, offer_id uuid, wanted text) RETURNS dunning.offer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    found_offer dunning.offer;
BEGIN
    PERFORM dunning._check_offered(_find_offer.debtor_id);
    IF _find_offer.offer_id IS NULL THEN
        SELECT o.* INTO found_offer FROM dunning.offer o WHERE o.debtor_id = _find_offer.debtor_id AND o.state = _find_offer.wanted FOR UPDATE;
    ELSE
        SELECT o.* INTO found_offer FROM dunning.offer o WHERE o.debtor_id = _find_offer.debtor_id AND o.offer_id = _find_offer.offer_id FOR UPDATE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'debtor "%" has no % offer%', _find_offer.debtor_id, _find_offer.wanted, coalesce(' ' || _find_offer.offer_id, '')
            USING ERRCODE = '22023', DETAIL = CASE WHEN EXISTS (SELECT FROM dunning.offer o WHERE o.offer_id = _find_offer.offer_id)
                                                   THEN 'The offer is another debtor''s.' ELSE 'There is none.' END,
                  HINT = format('SELECT * FROM dunning.offers WHERE debtor_id = %L;', _find_offer.debtor_id);
    END IF;
    RETURN found_offer;
END
$$;
COMMENT ON FUNCTION dunning._find_offer(text, uuid, text) IS 'An offer of the debtor, locked: the one named, else the one of the state wanted. None, or another debtor''s: 22023.';

-- Nothing where it may still be answered. 55000 says what became of it.
CREATE FUNCTION dunning._check_live(offer dunning.offer) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    now_live dunning.offer;
BEGIN
    IF offer.state = 'live' AND offer.expires_at > dunning._now() THEN
        RETURN;
    END IF;
    SELECT o.* INTO now_live FROM dunning.offer o WHERE o.debtor_id = offer.debtor_id AND o.state = 'live' AND o.expires_at > dunning._now();
    RAISE EXCEPTION 'the offer is %', CASE WHEN offer.state = 'live' THEN 'expired' ELSE offer.state END
        USING ERRCODE = '55000',
              DETAIL = CASE WHEN offer.state = 'live' THEN format('It stood until %s.', offer.expires_on) WHEN offer.state = 'proposed' THEN 'A second person has not approved it yet.'
                            ELSE format('It has been %s since %s.', offer.state, offer.ended_at) END
                       || CASE WHEN now_live.offer_id IS NOT NULL THEN format(' The offer now is: %s', now_live.text) ELSE '' END,
              HINT = CASE WHEN now_live.offer_id IS NOT NULL THEN format('SELECT * FROM dunning.accept_offer(%L, offer_id => %L);', offer.debtor_id, now_live.offer_id)
                          ELSE format('SELECT * FROM dunning.make_offer(%L, %L);', offer.debtor_id, offer.kind) END;
END
$$;
COMMENT ON FUNCTION dunning._check_live(dunning.offer) IS 'Nothing, or 55000 with what became of the offer and which one stands now.';

CREATE FUNCTION dunning.approve_offer(debtor_id text, offer_id uuid DEFAULT NULL, OUT approved uuid, OUT superseded uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(approve_offer.debtor_id);
    proposed dunning.offer := dunning._find_offer(id, approve_offer.offer_id, 'proposed');
BEGIN
    IF proposed.state <> 'proposed' OR proposed.expires_at <= dunning._now() THEN
        RAISE EXCEPTION 'the offer awaits no approval' USING ERRCODE = '55000', DETAIL = format('It is %s and stood until %s.', proposed.state, proposed.expires_on),
            HINT = format('SELECT * FROM dunning.make_offer(%L, %L);', id, proposed.kind);
    ELSIF proposed.made_by = session_user THEN
        RAISE EXCEPTION 'who proposed an offer does not approve it' USING ERRCODE = '42501', DETAIL = format('%s proposed it.', proposed.made_by),
            HINT = format('Another person: SELECT * FROM dunning.approve_offer(%L);', id);
    END IF;
    superseded := (dunning._end_offers(ARRAY[id], ARRAY(SELECT o.offer_id FROM dunning.offer o WHERE o.debtor_id = id AND o.state = 'live'), 'superseded', proposed.kind))[1];
    UPDATE dunning.offer o SET state = 'live', live_from = dunning._now(), approved_by = session_user, supersedes = coalesce(approve_offer.superseded, o.supersedes)
    WHERE o.debtor_id = id AND o.offer_id = proposed.offer_id;
    PERFORM dunning._refresh_scripts(ARRAY[id]);
    approved := proposed.offer_id;
END
$$;
COMMENT ON FUNCTION dunning.approve_offer(text, uuid) IS 'One row: the proposed offer, live from now on, and the one it superseded. By another person than proposed it (42501). Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.approve_offer(text, uuid) TO dunning_admin;

CREATE FUNCTION dunning.accept_offer(debtor_id text, choice int DEFAULT NULL, offer_id uuid DEFAULT NULL, via text DEFAULT 'sql',
                                     OUT accepted uuid, OUT parts jsonb, OUT promise_ids uuid[], OUT hold_id uuid, OUT until_at timestamptz, OUT stopped int, OUT recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(accept_offer.debtor_id);
    offer dunning.offer := dunning._find_offer(id, accept_offer.offer_id, 'live');
    chosen int := coalesce(accept_offer.choice, CASE WHEN jsonb_array_length(offer.options) = 1 THEN 1 END);
BEGIN
    accepted := offer.offer_id;
    -- Said twice is said once.
    IF offer.state = 'accepted' AND offer.choice = coalesce(chosen, offer.choice) THEN
        SELECT offer.options -> (offer.choice - 1) -> 'parts', offer.promise_ids, offer.hold_id, h.until_at, 0, false INTO parts, promise_ids, hold_id, until_at, stopped, recorded
        FROM (SELECT 1) one LEFT JOIN dunning.hold h ON h.debtor_id = id AND h.hold_id = offer.hold_id;
        RETURN;
    END IF;
    PERFORM dunning._check_live(offer);
    IF chosen IS NULL OR chosen NOT BETWEEN 1 AND jsonb_array_length(offer.options) THEN
        RAISE EXCEPTION 'the offer has no option %', coalesce(chosen::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = offer.text, HINT = format('SELECT * FROM dunning.accept_offer(%L, 1);', id);
    END IF;
    IF NOT EXISTS (SELECT FROM dunning._live_offers(ARRAY[id]) l WHERE l.offer_id = offer.offer_id) THEN
        RAISE EXCEPTION 'the offer settles more than is owed'
            USING ERRCODE = '55000', DETAIL = format('It was made for %s %s.', offer.amount, offer.currency),
                  HINT = format('SELECT * FROM dunning.make_offer(%L, %L, replace => true);', id, offer.kind);
    END IF;
    parts := offer.options -> (chosen - 1) -> 'parts';
    -- The offer first: a body that is being frozen with it waits, or is seen.
    UPDATE dunning.offer o SET state = 'accepted', choice = chosen, ended_at = dunning._now(), ended_by = session_user, via = accept_offer.via
    WHERE o.debtor_id = id AND o.offer_id = offer.offer_id;
    SELECT p.promise_ids, p.hold_id, p.until_at, p.stopped INTO promise_ids, hold_id, until_at, stopped FROM dunning._promise_parts(id, parts) p;
    UPDATE dunning.offer o SET promise_ids = accept_offer.promise_ids, hold_id = accept_offer.hold_id WHERE o.debtor_id = id AND o.offer_id = offer.offer_id;
    IF offer.kind = 'settlement' THEN
        -- Ends when the ledger shows whether it was paid, not by the clock: the rest is waived only then.
        UPDATE dunning.hold h SET until_at = NULL WHERE h.debtor_id = id AND h.hold_id = accept_offer.hold_id;
        until_at := NULL;
    END IF;
    PERFORM dunning._unsay_offers(ARRAY[id], ARRAY[offer.offer_id]);
    recorded := true;
END
$$;
COMMENT ON FUNCTION dunning.accept_offer(text, int, uuid, text) IS
    'One row: the offer, its parts as promises, the hold until their dates, messages stopped in this transaction; recorded is false where it was accepted before. offer_id NULL: the live one; choice NULL: the only option. Over, answered or settling more than is owed: 55000; another debtor''s or no such option: 22023. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.accept_offer(text, int, uuid, text) TO dunning_operator;

CREATE FUNCTION dunning.decline_offer(debtor_id text, offer_id uuid DEFAULT NULL, note text DEFAULT NULL, via text DEFAULT 'sql') RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(decline_offer.debtor_id);
    offer dunning.offer := dunning._find_offer(id, decline_offer.offer_id, 'live');
BEGIN
    IF offer.state <> 'declined' THEN
        PERFORM dunning._check_live(offer);
        PERFORM dunning._end_offers(ARRAY[id], ARRAY[offer.offer_id], 'declined', decline_offer.note);
        UPDATE dunning.offer o SET via = decline_offer.via WHERE o.debtor_id = id AND o.offer_id = offer.offer_id;
    END IF;
    RETURN offer.offer_id;
END
$$;
COMMENT ON FUNCTION dunning.decline_offer(text, uuid, text, text) IS 'The offer, declined by the debtor; planning makes no other for offer_again_days. No live one: 22023 or 55000. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.decline_offer(text, uuid, text, text) TO dunning_operator;

CREATE FUNCTION dunning.withdraw_offer(debtor_id text, note text, offer_id uuid DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id text := dunning._canonical_id(withdraw_offer.debtor_id);
    offer dunning.offer := dunning._find_offer(id, coalesce(withdraw_offer.offer_id, (SELECT o.offer_id FROM dunning.offer o
        WHERE o.debtor_id = dunning._canonical_id(withdraw_offer.debtor_id) AND o.state IN ('live', 'proposed') ORDER BY o.state = 'live' LIMIT 1)), 'live');
BEGIN
    IF coalesce(withdraw_offer.note, '') = '' THEN
        RAISE EXCEPTION 'an offer is withdrawn for a reason' USING ERRCODE = '22023', DETAIL = 'The reason stands in the history.',
            HINT = format('SELECT dunning.withdraw_offer(%L, ''made by mistake'');', id);
    ELSIF offer.state NOT IN ('live', 'proposed') THEN
        PERFORM dunning._check_live(offer);
    END IF;
    PERFORM dunning._end_offers(ARRAY[id], ARRAY[offer.offer_id], 'withdrawn', withdraw_offer.note);
    RETURN offer.offer_id;
END
$$;
COMMENT ON FUNCTION dunning.withdraw_offer(text, text, uuid) IS 'The live or proposed offer, taken back by us, with why. None: 22023; answered: 55000. Role dunning_operator.';
GRANT EXECUTE ON FUNCTION dunning.withdraw_offer(text, text, uuid) TO dunning_operator;
