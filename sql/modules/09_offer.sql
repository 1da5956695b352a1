-- offer: what a debtor is offered, and the one offer of record that every channel tells.
--
--   proposed ──approve_offer──> live ──accept_offer──> accepted        a promise or instalments, watched in the ledger
--                               live ──> declined, expired, superseded, withdrawn
--
-- At most one is live a debtor: a unique index says so, whoever writes. Its text is made once, with the offer, so that letter, e-mail,
-- SMS, call and portal cannot differ. What is queued names no offer of its own: the offer is read when the body is frozen.

CREATE TABLE dunning.offer (
    debtor_id       text COLLATE "C" NOT NULL,
    offer_id        uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('instalments', 'settlement', 'pay_later', 'promise')),
    state           text COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'live', 'accepted', 'declined', 'expired', 'superseded', 'withdrawn')),
    currency        text NOT NULL,
    amount          numeric NOT NULL CHECK (amount > 0),    -- what is settled by it: less than that owed, and it no longer holds
    options         jsonb NOT NULL,             -- [{option, number (where there are several), text, count, part, last, total, first_on, last_on, once, monthly, fortnightly, currency, parts: [{amount, currency, due_on}]}]
    text            text NOT NULL,              -- the words of every channel
    language        text NOT NULL,
    expires_on      date NOT NULL,              -- the last day on which it may be accepted
    expires_at      timestamptz NOT NULL,       -- that day's end wherever on earth
    made_at         timestamptz NOT NULL,
    made_by         text NOT NULL,
    live_from       timestamptz,                -- NULL: never approved
    approved_by     text,
    supersedes      uuid,
    ended_at        timestamptz,
    ended_by        text,
    via             text,                       -- link, call, sql: how it was answered
    note            text,                       -- why it ended
    choice          int,                        -- the option accepted
    promise_ids     uuid[],
    hold_id         uuid,
    PRIMARY KEY (debtor_id, offer_id),
    CHECK ((state = 'live') = (live_from IS NOT NULL AND ended_at IS NULL))
);
CREATE UNIQUE INDEX offer_live ON dunning.offer (debtor_id) WHERE state = 'live';
CREATE UNIQUE INDEX offer_proposed ON dunning.offer (debtor_id) WHERE state = 'proposed';
CREATE INDEX offer_id ON dunning.offer (offer_id);
COMMENT ON TABLE dunning.offer IS 'Every offer ever made to a debtor, with what became of it; at most one of them is live.';
SELECT pg_catalog.pg_extension_config_dump('dunning.offer', '');

-- The words of an offer: a sentence or two, rendered as a template is.
CREATE TABLE dunning.offer_text (
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('instalments', 'settlement', 'pay_later', 'promise', 'option')),
    language        text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT '*',
    builtin         boolean NOT NULL DEFAULT false,
    body            text NOT NULL,
    PRIMARY KEY (kind, language, creditor, builtin)
);
COMMENT ON TABLE dunning.offer_text IS 'The words of an offer by kind (and of each option), language and creditor; a saved row goes before the shipped one.';
SELECT pg_catalog.pg_extension_config_dump('dunning.offer_text', 'WHERE NOT builtin');
-- Without a full stop at the end: it stands within a sentence or before one. No character that makes an SMS dearer.
INSERT INTO dunning.offer_text (kind, language, builtin, body) VALUES
    ('option', 'en', true, '{{#once}}{{total | money}} by {{last_on | date}}{{/once}}{{^once}}{{count}} x {{part | money}}{{#monthly}} a month{{/monthly}}{{#fortnightly}} every 14 days{{/fortnightly}}{{#last}}, the last {{last | money}}{{/last}}, from {{first_on | date}}{{/once}}'),
    ('instalments', 'en', true, '{{#options}}{{#number}}{{number}}) {{/number}}{{text}}. {{/options}}Say yes by {{expires_on | date}}'),
    ('settlement', 'en', true, 'Pay {{#options}}{{total | money}} by {{last_on | date}}{{/options}} and we regard the whole claim of {{amount | money}} as settled. Say yes by {{expires_on | date}}'),
    ('pay_later', 'en', true, 'You can wait until {{#options}}{{last_on | date}}{{/options}} to pay {{amount | money}}. Say yes by {{expires_on | date}}'),
    ('promise', 'en', true, 'Promise to pay {{#options}}{{total | money}} by {{last_on | date}}{{/options}}, and we will wait until then. Say yes by {{expires_on | date}}'),
    ('option', 'da', true, '{{#once}}{{total | money}} senest {{last_on | date}}{{/once}}{{^once}}{{count}} x {{part | money}}{{#monthly}} om måneden{{/monthly}}{{#fortnightly}} hver 14. dag{{/fortnightly}}{{#last}}, den sidste {{last | money}}{{/last}}, fra {{first_on | date}}{{/once}}'),
    ('instalments', 'da', true, '{{#options}}{{#number}}{{number}}) {{/number}}{{text}}. {{/options}}Sig ja senest {{expires_on | date}}'),
    ('settlement', 'da', true, 'Betal {{#options}}{{total | money}} senest {{last_on | date}}{{/options}}, så anser vi hele kravet på {{amount | money}} for betalt. Sig ja senest {{expires_on | date}}'),
    ('pay_later', 'da', true, 'Du kan vente til {{#options}}{{last_on | date}}{{/options}} med at betale {{amount | money}}. Sig ja senest {{expires_on | date}}'),
    ('promise', 'da', true, 'Lov at betale {{#options}}{{total | money}} senest {{last_on | date}}{{/options}}, så venter vi til da. Sig ja senest {{expires_on | date}}'),
    ('option', 'sv', true, '{{#once}}{{total | money}} senast {{last_on | date}}{{/once}}{{^once}}{{count}} x {{part | money}}{{#monthly}} i månaden{{/monthly}}{{#fortnightly}} var 14:e dag{{/fortnightly}}{{#last}}, den sista {{last | money}}{{/last}}, från {{first_on | date}}{{/once}}'),
    ('instalments', 'sv', true, '{{#options}}{{#number}}{{number}}) {{/number}}{{text}}. {{/options}}Tacka ja senast {{expires_on | date}}'),
    ('settlement', 'sv', true, 'Betala {{#options}}{{total | money}} senast {{last_on | date}}{{/options}}, så anser vi hela skulden på {{amount | money}} vara betald. Tacka ja senast {{expires_on | date}}'),
    ('pay_later', 'sv', true, 'Du kan vänta till {{#options}}{{last_on | date}}{{/options}} med att betala {{amount | money}}. Tacka ja senast {{expires_on | date}}'),
    ('promise', 'sv', true, 'Lova att betala {{#options}}{{total | money}} senast {{last_on | date}}{{/options}}, så väntar vi till dess. Tacka ja senast {{expires_on | date}}'),
    ('option', 'nb', true, '{{#once}}{{total | money}} innen {{last_on | date}}{{/once}}{{^once}}{{count}} x {{part | money}}{{#monthly}} i måneden{{/monthly}}{{#fortnightly}} hver 14. dag{{/fortnightly}}{{#last}}, det siste {{last | money}}{{/last}}, fra {{first_on | date}}{{/once}}'),
    ('instalments', 'nb', true, '{{#options}}{{#number}}{{number}}) {{/number}}{{text}}. {{/options}}Si ja innen {{expires_on | date}}'),
    ('settlement', 'nb', true, 'Betal {{#options}}{{total | money}} innen {{last_on | date}}{{/options}}, så anser vi hele kravet på {{amount | money}} som betalt. Si ja innen {{expires_on | date}}'),
    ('pay_later', 'nb', true, 'Du kan vente til {{#options}}{{last_on | date}}{{/options}} med å betale {{amount | money}}. Si ja innen {{expires_on | date}}'),
    ('promise', 'nb', true, 'Lov å betale {{#options}}{{total | money}} innen {{last_on | date}}{{/options}}, så venter vi til da. Si ja innen {{expires_on | date}}'),
    ('option', 'nl', true, '{{#once}}{{total | money}} uiterlijk {{last_on | date}}{{/once}}{{^once}}{{count}} x {{part | money}}{{#monthly}} per maand{{/monthly}}{{#fortnightly}} per 14 dagen{{/fortnightly}}{{#last}}, de laatste {{last | money}}{{/last}}, vanaf {{first_on | date}}{{/once}}'),
    ('instalments', 'nl', true, '{{#options}}{{#number}}{{number}}) {{/number}}{{text}}. {{/options}}Zeg ja uiterlijk {{expires_on | date}}'),
    ('settlement', 'nl', true, 'Betaal {{#options}}{{total | money}} uiterlijk {{last_on | date}}{{/options}}, dan beschouwen wij de hele vordering van {{amount | money}} als voldaan. Zeg ja uiterlijk {{expires_on | date}}'),
    ('pay_later', 'nl', true, 'Je kunt tot {{#options}}{{last_on | date}}{{/options}} wachten met het betalen van {{amount | money}}. Zeg ja uiterlijk {{expires_on | date}}'),
    ('promise', 'nl', true, 'Beloof {{#options}}{{total | money}} te betalen, uiterlijk {{last_on | date}}{{/options}}, dan wachten wij tot die dag. Zeg ja uiterlijk {{expires_on | date}}'),
    ('option', 'de', true, '{{#once}}{{total | money}} bis {{last_on | date}}{{/once}}{{^once}}{{count}} x {{part | money}}{{#monthly}} im Monat{{/monthly}}{{#fortnightly}} alle 14 Tage{{/fortnightly}}{{#last}}, die letzte {{last | money}}{{/last}}, ab {{first_on | date}}{{/once}}'),
    ('instalments', 'de', true, '{{#options}}{{#number}}{{number}}) {{/number}}{{text}}. {{/options}}Sagen Sie bis {{expires_on | date}} zu'),
    ('settlement', 'de', true, 'Zahlen Sie {{#options}}{{total | money}} bis {{last_on | date}}{{/options}}, und wir betrachten die ganze Forderung von {{amount | money}} als erledigt. Sagen Sie bis {{expires_on | date}} zu'),
    ('pay_later', 'de', true, 'Sie können mit der Zahlung von {{amount | money}} bis {{#options}}{{last_on | date}}{{/options}} warten. Sagen Sie bis {{expires_on | date}} zu'),
    ('promise', 'de', true, 'Versprechen Sie, {{#options}}{{total | money}} bis {{last_on | date}}{{/options}} zu zahlen, und wir warten bis dahin. Sagen Sie bis {{expires_on | date}} zu');

-- As a template sees it. `link` is the plan link of the message that tells of it.
CREATE FUNCTION dunning._offer_context(offer dunning.offer, link text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN jsonb_build_object('offer_id', offer.offer_id, 'kind', offer.kind, 'text', offer.text, 'amount', offer.amount, 'currency', offer.currency,
                              'options', offer.options, 'expires_on', to_char(offer.expires_on, 'YYYY-MM-DD'), 'link', link);
END
$$;
COMMENT ON FUNCTION dunning._offer_context(dunning.offer, text) IS 'An offer as the template context has it.';

-- Live as of an instant: not answered, not over, and the debtor still owes what it settles. Who has paid a part is not asked for the whole again.
CREATE FUNCTION dunning._live_offers(debtor_ids text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (debtor_id text, offer_id uuid, kind text, terms jsonb, expires_at timestamptz, made_at timestamptz, expires_on date, offer jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    at timestamptz := coalesce(_live_offers.as_of, dunning._now());
    ids text[];
BEGIN
    IF _live_offers.as_of IS NULL AND _live_offers.debtor_ids IS NULL THEN
        ids := ARRAY(SELECT o.debtor_id FROM dunning.offer o WHERE o.state = 'live' AND o.expires_at > at);
    ELSIF _live_offers.as_of IS NULL THEN
        ids := ARRAY(SELECT o.debtor_id FROM dunning.offer o WHERE o.state = 'live' AND o.expires_at > at AND o.debtor_id = ANY (_live_offers.debtor_ids));
    ELSE
        ids := ARRAY(SELECT DISTINCT o.debtor_id FROM dunning.offer o
                     WHERE o.live_from <= at AND coalesce(o.ended_at > at, true) AND o.expires_at > at
                       AND (_live_offers.debtor_ids IS NULL OR o.debtor_id = ANY (_live_offers.debtor_ids)));
    END IF;
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    -- OFFSET 0: a look-up by key for each balance; a second look at the array of ids would sort it each time.
    RETURN QUERY EXECUTE format($q$
        SELECT o.debtor_id::text, o.offer_id, o.kind::text, jsonb_build_object('currency', o.currency, 'amount', o.amount, 'options', o.options),
               o.expires_at, o.made_at, o.expires_on,
               -- _offer_context(), without a call for each
               jsonb_build_object('offer_id', o.offer_id, 'kind', o.kind, 'text', o.text, 'amount', o.amount, 'currency', o.currency,
                                  'options', o.options, 'expires_on', to_char(o.expires_on, 'YYYY-MM-DD'), 'link', NULL)
        FROM (%s) b
        CROSS JOIN LATERAL (SELECT x.* FROM dunning.offer x
                            WHERE x.debtor_id = b.debtor_id AND x.currency = b.currency AND x.live_from <= $3 AND coalesce(x.ended_at > $3, true)
                              AND ($2 IS NOT NULL OR x.state = 'live') AND x.expires_at > $3 OFFSET 0) o
        WHERE b.problem IS NULL AND b.balance - coalesce(b.disputed, 0) >= o.amount$q$, dunning._balances_sql('$1', '$2'))
        USING ids, _live_offers.as_of, at;
END
$$;
COMMENT ON FUNCTION dunning._live_offers(text[], timestamptz) IS
    'The offer of record of each debtor who has one (NULL: the whole book): live, not over, and what it settles is still owed. `offer` is what a template gets.';

-- The words, in the debtor's language, else the creditor's, else English.
CREATE FUNCTION dunning._offer_text(kind text, creditor text, language text) RETURNS dunning.offer_text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    chosen dunning.offer_text;
BEGIN
    SELECT t.* INTO chosen FROM dunning.offer_text t
    WHERE t.kind = _offer_text.kind AND t.creditor IN (_offer_text.creditor, '*') AND t.language IN (dunning._language(_offer_text.language), 'en')
    ORDER BY t.language = 'en', t.creditor <> '*' DESC, t.builtin LIMIT 1;
    RETURN chosen;
END
$$;
COMMENT ON FUNCTION dunning._offer_text(text, text, text) IS 'The words in force for a kind, creditor and language; English where there are none in it.';

CREATE FUNCTION dunning._offer_words(kind text, creditor text, language text, about jsonb, OUT text text, OUT spoken text, OUT options jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    asked constant text := $3;
    of_option dunning.offer_text := dunning._offer_text('option', $2, asked);
    of_offer dunning.offer_text := dunning._offer_text($1, $2, asked);
BEGIN
    SELECT jsonb_agg(o.o || jsonb_build_object('text', r.body_text, 'number', CASE WHEN jsonb_array_length(about -> 'options') > 1 THEN o.n END) ORDER BY o.n) INTO options
    FROM jsonb_array_elements(about -> 'options') WITH ORDINALITY o(o, n),
         LATERAL dunning._render(NULL, of_option.body, NULL, o.o, of_option.language) r;
    SELECT r.body_text INTO text FROM dunning._render(NULL, of_offer.body, NULL, about || jsonb_build_object('options', options), of_offer.language) r;
    spoken := of_offer.language;
END
$$;
COMMENT ON FUNCTION dunning._offer_words(text, text, text, jsonb) IS 'The text of an offer, the language it is in, and its options with their texts.';

CREATE FUNCTION dunning.save_offer_text(kind text, language text, body text, creditor text DEFAULT '*') RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    asked text := dunning._language(save_offer_text.language);
    shipped text := (SELECT t.body FROM dunning.offer_text t WHERE t.kind = save_offer_text.kind AND t.builtin AND t.language = 'en');
    sample dunning.offer;
BEGIN
    IF shipped IS NULL OR asked IS NULL OR save_offer_text.creditor IS NULL THEN
        RAISE EXCEPTION 'there is no offer of kind "%" in language "%"', save_offer_text.kind, save_offer_text.language
            USING ERRCODE = '22023', DETAIL = 'Kinds are instalments, settlement, pay_later, promise and option.',
                  HINT = 'SELECT kind, language, body FROM dunning.offer_text;';
    END IF;
    IF save_offer_text.body IS NULL THEN
        DELETE FROM dunning.offer_text t
        WHERE t.kind = save_offer_text.kind AND t.language = asked AND t.creditor = save_offer_text.creditor AND NOT t.builtin;
        RETURN NULL;
    END IF;
    sample.kind := save_offer_text.kind;
    sample.amount := 200;
    sample.currency := 'EUR';
    sample.expires_on := '2026-12-01';
    sample.options := jsonb_build_array(dunning._offer_option(1, '[{"amount": 150, "currency": "EUR", "due_on": "2026-12-02"}, {"amount": 50, "currency": "EUR", "due_on": "2027-01-02"}]', 'monthly'));
    sample.text := '';
    -- An unknown name or filter is told now, not when an offer is made.
    PERFORM r.body_text FROM dunning._render(NULL, save_offer_text.body, NULL,
        CASE WHEN save_offer_text.kind = 'option' THEN sample.options -> 0 ELSE dunning._offer_context(sample) END, asked) r;
    INSERT INTO dunning.offer_text AS t (kind, language, creditor, body) VALUES (save_offer_text.kind, asked, save_offer_text.creditor, save_offer_text.body)
    ON CONFLICT ON CONSTRAINT offer_text_pkey DO UPDATE SET body = excluded.body;
    RETURN save_offer_text.body;
END
$$;
COMMENT ON FUNCTION dunning.save_offer_text(text, text, text, text) IS
    'The words in force from now on for offers of a kind in a language (and of a creditor); NULL restores the shipped ones. Offers made keep theirs. Unknown kind: 22023; unknown name: DN003. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_offer_text(text, text, text, text) TO dunning_admin;
GRANT SELECT ON dunning.offer_text TO dunning_viewer;

-- Parts as an option: what the words and a portal need of them.
CREATE FUNCTION dunning._offer_option(option int, parts jsonb, frequency text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    count int := jsonb_array_length(parts);
BEGIN
    RETURN jsonb_build_object('option', option, 'number', NULL, 'text', '', 'count', count, 'once', count = 1, 'part', parts -> 0 -> 'amount', 'currency', parts -> 0 -> 'currency',
        'last', CASE WHEN parts -> 0 ->> 'amount' <> parts -> (count - 1) ->> 'amount' THEN parts -> (count - 1) -> 'amount' END,
        'total', (SELECT sum((p.p ->> 'amount')::numeric) FROM jsonb_array_elements(parts) p(p)),
        'first_on', parts -> 0 -> 'due_on', 'last_on', parts -> (count - 1) -> 'due_on',
        'monthly', frequency = 'monthly' AND count > 1, 'fortnightly', frequency = 'fortnightly' AND count > 1, 'parts', parts);
END
$$;
COMMENT ON FUNCTION dunning._offer_option(int, jsonb, text) IS 'An option of an offer out of its parts in order of date.';

-- Offers of all debtors, with what became of those accepted, told by the ledger.
CREATE FUNCTION dunning._offer_state(many text[] DEFAULT NULL)
    RETURNS TABLE (debtor_id text, offer_id uuid, creditor text, kind text, state text, currency text, amount numeric, options jsonb, choice int, text text,
                   made_at timestamptz, made_by text, live_from timestamptz, expires_on date, ended_at timestamptz, ended_by text, via text,
                   supersedes uuid, agreement text, paid numeric, next_due_on date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT o.debtor_id::text, o.offer_id, o.creditor::text, o.kind::text,
               CASE WHEN o.state = 'live' AND o.expires_at <= dunning._now() THEN 'expired' ELSE o.state::text END,
               o.currency, o.amount, o.options, o.choice, o.text, o.made_at, o.made_by, o.live_from, o.expires_on, o.ended_at, o.ended_by, o.via,
               o.supersedes, p.agreement, p.paid, p.next_due_on
        FROM dunning.offer o
        LEFT JOIN (
            SELECT x.debtor_id, x.hold_id, sum(x.paid) AS paid, min(x.due_on) FILTER (WHERE x.state = 'open') AS next_due_on,
                   CASE WHEN bool_or(x.state = 'broken') THEN 'broken' WHEN bool_or(x.state = 'open') THEN 'open'
                        WHEN bool_or(x.state = 'cancelled') THEN 'cancelled' WHEN bool_or(x.state = 'late') THEN 'late' ELSE 'kept' END AS agreement
            FROM dunning._promise_state(_offer_state.many) x GROUP BY 1, 2) p ON p.debtor_id = o.debtor_id AND p.hold_id = o.hold_id
        WHERE _offer_state.many IS NULL OR o.debtor_id = ANY (_offer_state.many);
END
$$;
COMMENT ON FUNCTION dunning._offer_state(text[]) IS 'One row an offer of the debtors (NULL: all); agreement: open, kept, late, broken or cancelled, of an accepted one.';
GRANT EXECUTE ON FUNCTION dunning._offer_state(text[]) TO dunning_viewer;

CREATE VIEW dunning.offers WITH (security_invoker, security_barrier) AS
    SELECT s.debtor_id, s.offer_id, s.creditor, s.kind, s.state, s.currency, s.amount, s.options, s.choice, s.text, s.made_at, s.made_by, s.live_from, s.expires_on,
           s.ended_at, s.ended_by, s.via, s.supersedes, s.agreement, s.paid, s.next_due_on
    FROM dunning._offer_state() s;
COMMENT ON VIEW dunning.offers IS 'One row an offer ever made: its state, what was accepted, and whether the agreement is open, kept, late, broken or cancelled as the ledger says. Role dunning_viewer.';
GRANT SELECT ON dunning.offers TO dunning_viewer;

CREATE FUNCTION dunning._broken_promises(debtor_ids text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS TABLE (debtor_id text, broken_on date)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    -- The first broken part of the latest agreement: what came after it was broken with it.
    RETURN QUERY
        SELECT x.debtor_id, max(x.broken_on)
        FROM (SELECT s.debtor_id, s.hold_id, min((s.deadline AT TIME ZONE dunning._ledger_zone())::date) AS broken_on
              FROM dunning._promise_state(_broken_promises.debtor_ids, _broken_promises.as_of) s
              WHERE s.state = 'broken' GROUP BY 1, 2) x
        GROUP BY x.debtor_id;
END
$$;
COMMENT ON FUNCTION dunning._broken_promises(text[], timestamptz) IS 'Debtors (NULL: all) with a promise or instalment that is broken and not made good as of an instant, and the day it broke: the anchor broken_promise.';
