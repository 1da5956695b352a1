-- event: what came back, and what it does. Events are append-only; their effects happen in the same transaction.

CREATE TABLE dunning.event (
    debtor_id       text COLLATE "C" NOT NULL,
    event_id        uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    at              timestamptz NOT NULL,
    message_id      uuid,
    detail          jsonb NOT NULL DEFAULT '{}',
    event_key       text COLLATE "C",           -- the key it was recorded under; stands in dunning.once too
    recorded_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    PRIMARY KEY (debtor_id, event_id)
);
COMMENT ON TABLE dunning.event IS 'Receipts, replies, clicks, bounces, opt-outs, calls, promises, disputes: append-only, in any order.';

-- A task for a person: a call or visit that a strategy asks for, or something that came in.
CREATE TABLE dunning.task (
    debtor_id       text COLLATE "C" NOT NULL,
    task_id         uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    kind            text NOT NULL,              -- call, visit, reply, called_in, dispute, promise, plan_request, unknown_outcome ...
    message_id      uuid,
    subject         text NOT NULL,
    script          text,                       -- what to say, as rendered
    due_at          timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    claimed_by      text,
    claimed_at      timestamptz,
    completed_at    timestamptz,
    outcome         text,
    note            text,
    PRIMARY KEY (debtor_id, task_id)
);
CREATE INDEX task_open ON dunning.task (due_at, task_id) WHERE completed_at IS NULL;
COMMENT ON TABLE dunning.task IS 'The worklist: calls, visits and things that wait for a person.';

CREATE TABLE dunning.promise (
    debtor_id       text COLLATE "C" NOT NULL,
    promise_id      uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    due_on          date NOT NULL,
    part            int NOT NULL DEFAULT 1,     -- of an instalment plan
    parts           int NOT NULL DEFAULT 1,
    paid_before     numeric NOT NULL,           -- sum of the debtor's payments in this currency when promised
    needed          numeric NOT NULL,           -- this part and those before it: what must have been paid since
    hold_id         uuid,                       -- the hold that lasts while the promise is open; one for a whole plan
    promised_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    cancelled_at    timestamptz,
    PRIMARY KEY (debtor_id, promise_id)
);
COMMENT ON TABLE dunning.promise IS 'Promises to pay and instalments; kept or broken is derived from the ledger.';

-- Small numbers and words of the house that are no server settings: they are data, dumped, and may differ a database.
CREATE TABLE dunning.setting (
    name            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    value           text NOT NULL,
    description     text NOT NULL,
    set_by          text,
    set_at          timestamptz,
    PRIMARY KEY (name, builtin)
);
COMMENT ON TABLE dunning.setting IS 'Values of the house, such as days of grace; save_setting() overrides a built-in row.';

INSERT INTO dunning.setting (name, builtin, value, description) VALUES
    ('awaiting_us_days',    true, '7', 'days without contact after a reply, an inbound call, a dispute or a request, while it is our turn'),
    ('promise_grace_days',  true, '3', 'days after a promised date before the promise counts as broken'),
    ('offer_days',          true, '14', 'days that an offer stands'),
    ('offer_first_days',    true, '5', 'days at least between an offer and the first payment it asks for'),
    ('offer_again_days',    true, '30', 'days after a declined or broken offer in which planning makes no other by itself'),
    ('plan_most_months',    true, '12', 'months that an instalment plan may take'),
    ('plan_least_part',     true, '25', 'the smallest instalment, in the currency of the claim'),
    ('pay_later_days',      true, '30', 'days by which a payment may be put off'),
    ('settlement_percent',  true, '0', 'the least share of a claim, in percent, with which it may be settled; 0: no settlement is offered'),
    ('handover_again_days', true, '90', 'days after a rejected or taken back hand-over in which no rule proposes another'),
    ('four_eyes',           true, 'false', 'whether what waives money or gives a claim away, and what a planning run proposes, needs the approval of a second person'),
    ('plan_approval',       true, 'false', 'whether every planning run only proposes its contacts, so that none leaves before a person approves it'),
    ('task_claim_minutes',  true, '60', 'minutes after which a claimed task may be claimed by someone else'),
    ('opt_out_words',       true, 'stop,stopp,stop all,unsubscribe,optout,opt-out,abmelden,afmeld,afmelden,avregistrera,slutt,fin',
                                  'a reply that consists of one of these words is an opt-out'),
    ('retention_days',      true, '400', 'days that finished messages, their bodies, receipts and events are kept'),
    ('partitions_ahead',    true, '2', 'months of message partitions made in advance'),
    ('proof_minimum',       true, '200', 'invoices that must have reached a level before a text may say how many of them were paid'),
    ('proof_share',         true, '0.5', 'share of them that must have been paid for a text to say so'),
    ('proof_days',          true, '8', 'days after which such a figure is too old to be told'),
    ('late_cost_days',      true, '400', 'days after which a creditor''s figure of what late payment costs is too old to be told'),
    ('fee_notice_days',     true, '30', 'days before a fee becomes lawful from which on a text may speak of it'),
    ('ledger_stale_days',   true, '3', 'days after which the report warns that a source without max_age was not loaded');

SELECT pg_catalog.pg_extension_config_dump('dunning.event', '');
-- The gate's text, which the worker runs itself, looks for conversations.
CREATE INDEX event_spoken ON dunning.event (debtor_id, at) WHERE kind IN ('called', 'conversation', 'called_in');
GRANT SELECT ON dunning.event TO dunning_worker;
-- ... and the features' text, promises.
GRANT SELECT ON dunning.promise TO dunning_worker;
SELECT pg_catalog.pg_extension_config_dump('dunning.task', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.promise', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.setting', 'WHERE NOT builtin');

-- Not "_setting": that is the name of the table's array type, and a call with one literal would be a cast to it.
CREATE FUNCTION dunning._value_of(name text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN (SELECT s.value FROM dunning.setting s WHERE s.name = _value_of.name ORDER BY s.builtin LIMIT 1);
END
$$;
COMMENT ON FUNCTION dunning._value_of(text) IS 'The value of a setting of the house, the user''s before the built-in one.';
GRANT EXECUTE ON FUNCTION dunning._value_of(text) TO dunning_viewer, dunning_worker;

CREATE FUNCTION dunning.save_setting(name text, value text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    shipped dunning.setting;
    before text := dunning._value_of(save_setting.name);
BEGIN
    SELECT s.* INTO shipped FROM dunning.setting s WHERE s.name = save_setting.name AND s.builtin;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no setting "%"', coalesce(save_setting.name, 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = format('Known are %s.', (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM dunning.setting s WHERE s.builtin)),
                  HINT = 'SELECT name, value, description FROM dunning.setting;';
    END IF;
    IF save_setting.value IS NULL THEN
        DELETE FROM dunning.setting s WHERE s.name = save_setting.name AND NOT s.builtin;
        RETURN before;
    END IF;
    IF shipped.value ~ '^\d+$' AND save_setting.value !~ '^\d{1,5}$' THEN
        RAISE EXCEPTION 'setting "%" takes a whole number from 0 to 99999, not "%"', save_setting.name, save_setting.value
            USING ERRCODE = '22023', HINT = format('SELECT dunning.save_setting(%L, %L);', save_setting.name, shipped.value);
    END IF;
    IF shipped.value ~ '^0\.\d+$' AND save_setting.value !~ '^(0|1|0?\.\d{1,6})$' THEN
        RAISE EXCEPTION 'setting "%" takes a share from 0 to 1, not "%"', save_setting.name, save_setting.value
            USING ERRCODE = '22023', HINT = format('SELECT dunning.save_setting(%L, %L);', save_setting.name, shipped.value);
    END IF;
    IF shipped.value IN ('true', 'false') AND save_setting.value NOT IN ('true', 'false') THEN
        RAISE EXCEPTION 'setting "%" is true or false, not "%"', save_setting.name, save_setting.value
            USING ERRCODE = '22023', HINT = format('SELECT dunning.save_setting(%L, %L);', save_setting.name, shipped.value);
    END IF;
    INSERT INTO dunning.setting AS s (name, builtin, value, description, set_by, set_at)
    VALUES (save_setting.name, false, save_setting.value, shipped.description, session_user, now())
    ON CONFLICT ON CONSTRAINT setting_pkey DO UPDATE
        SET value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at;
    RETURN before;
END
$$;
COMMENT ON FUNCTION dunning.save_setting(text, text) IS 'The value before. Sets a value of the house; NULL restores the shipped one. Unknown name or no number: 22023. Role dunning_admin.';
GRANT EXECUTE ON FUNCTION dunning.save_setting(text, text) TO dunning_admin;
GRANT SELECT ON dunning.setting TO dunning_viewer;

-- A debtor's creditor: of the message if there is one, else of the ledger. A broken ledger must not stop an opt-out,
-- so that then the last message says it.
CREATE FUNCTION dunning._creditor_of(debtor_id text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    found_creditor text;
BEGIN
    BEGIN
        EXECUTE format('SELECT d.creditor FROM (%s) d', dunning._ledger_sql('debtor', '$1'))
            INTO found_creditor USING ARRAY[_creditor_of.debtor_id];
        RETURN found_creditor;
    EXCEPTION WHEN SQLSTATE 'DN001' THEN
        RETURN coalesce((SELECT q.creditor FROM dunning.queue q WHERE q.debtor_id = _creditor_of.debtor_id LIMIT 1),
                        (SELECT e.creditor FROM dunning.event e WHERE e.debtor_id = _creditor_of.debtor_id LIMIT 1),
                        'default');
    END;
END
$$;
COMMENT ON FUNCTION dunning._creditor_of(text) IS 'The creditor of a canonical debtor id, NULL where the ledger has no such debtor.';

-- An address of the debtor as the ledger has it now, for a channel; NULL where there is none or the ledger is broken.
CREATE FUNCTION dunning._ledger_address(debtor_id text, channel text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    field text;
    address text;
BEGIN
    SELECT c.address_field INTO field FROM dunning.channel c
    WHERE c.channel = _ledger_address.channel ORDER BY c.builtin LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT coalesce(pg_catalog.to_jsonb(d) ->> $2, d.attributes ->> $2) FROM (%s) d',
                   dunning._ledger_sql('debtor', '$1'))
        INTO address USING ARRAY[_ledger_address.debtor_id], field;
    RETURN address;
EXCEPTION WHEN SQLSTATE 'DN001' THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dunning._ledger_address(text, text) IS 'The debtor''s address of a channel as the ledger has it now, NULL where there is none.';

CREATE FUNCTION dunning._task(debtor_id text, kind text, subject text, message_id uuid DEFAULT NULL,
                              script text DEFAULT NULL, due_at timestamptz DEFAULT NULL, creditor text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    id uuid;
BEGIN
    -- One open task a message, and one a kind where no message is named: a debtor who writes thrice is one case.
    SELECT t.task_id INTO id FROM dunning.task t
    WHERE t.debtor_id = _task.debtor_id AND t.kind = _task.kind AND t.completed_at IS NULL
      AND t.message_id IS NOT DISTINCT FROM _task.message_id
    LIMIT 1;
    IF FOUND THEN
        UPDATE dunning.task t SET due_at = least(t.due_at, coalesce(_task.due_at, dunning._now()))
        WHERE t.debtor_id = _task.debtor_id AND t.task_id = id;
        RETURN id;
    END IF;
    id := dunning._uuid7();
    INSERT INTO dunning.task (debtor_id, task_id, creditor, kind, message_id, subject, script, due_at, created_at)
    VALUES (_task.debtor_id, id,
            coalesce(_task.creditor, dunning._creditor_of(_task.debtor_id), 'default'),
            _task.kind, _task.message_id, _task.subject, _task.script, coalesce(_task.due_at, dunning._now()), dunning._now());
    RETURN id;
END
$$;
COMMENT ON FUNCTION dunning._task(text, text, text, uuid, text, timestamptz, text) IS 'The id of a task on the worklist: the open one of the same kind and message, or a new one.';
GRANT EXECUTE ON FUNCTION dunning._task(text, text, text, uuid, text, timestamptz, text) TO dunning_worker;

-- It is our turn: the debtor's messages stop, nothing goes out for some days, and a person is told.
CREATE FUNCTION dunning._await_us(debtor_id text, creditor text, kind text, subject text, message_id uuid DEFAULT NULL,
                                  OUT stopped int, OUT task_id uuid, OUT hold_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    ends timestamptz := dunning._now() + make_interval(days => dunning._value_of('awaiting_us_days')::int);
BEGIN
    stopped := dunning._stop_messages(_await_us.debtor_id, _await_us.kind);
    UPDATE dunning.hold h SET until_at = greatest(h.until_at, ends)
    WHERE h.debtor_id = _await_us.debtor_id AND h.reason = 'awaiting_us' AND h.released_at IS NULL
      AND h.until_at > dunning._now()
    RETURNING h.hold_id INTO hold_id;
    IF NOT FOUND THEN
        hold_id := dunning._uuid7();
        INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, note, from_at, until_at, placed_by)
        VALUES (_await_us.debtor_id, hold_id, _await_us.creditor, 'awaiting_us', _await_us.kind, dunning._now(), ends, session_user);
    END IF;
    task_id := dunning._task(_await_us.debtor_id, _await_us.kind, _await_us.subject,
                             message_id => _await_us.message_id, creditor => _await_us.creditor);
END
$$;
COMMENT ON FUNCTION dunning._await_us(text, text, text, text, uuid) IS 'Messages stopped, task and hold awaiting_us: what every answer of a debtor causes.';
