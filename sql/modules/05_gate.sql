-- gate: may this debtor be contacted, on this channel, at this instant? The only answer to "may I".

CREATE TABLE dunning.channel (
    channel         text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    address_field   text NOT NULL,              -- email, phone, address, or a key of the debtor's attributes
    human           boolean NOT NULL,           -- a person does it: the task driver, a worklist row
    rings           boolean NOT NULL,           -- rings or buzzes: the strict hours of the house rule
    service         boolean NOT NULL,           -- allowed without consent (NULL) as a service message
    cost            numeric NOT NULL,           -- a contact, first value; set_cost() overrides
    currency        text NOT NULL DEFAULT 'EUR',
    PRIMARY KEY (channel, builtin)
);
COMMENT ON TABLE dunning.channel IS 'The channels. A user adds rows; a row of the same name replaces the built-in one.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.channel FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.channel ENABLE ALWAYS TRIGGER changed;
INSERT INTO dunning.channel (channel, builtin, address_field, human, rings, service, cost) VALUES
    ('email',    true, 'email',   false, false, true,  0),
    ('sms',      true, 'phone',   false, true,  true,  0.10),
    ('letter',   true, 'address', false, false, true,  1.20),
    ('call',     true, 'phone',   true,  true,  true,  6),
    ('push',     true, 'push',    false, true,  false, 0),
    ('whatsapp', true, 'phone',   false, true,  false, 0.05),
    ('visit',    true, 'address', true,  true,  true,  50);

CREATE TABLE dunning.hold (
    debtor_id       text COLLATE "C" NOT NULL,  -- the account it was placed on; '' where it is a creditor's whole book
    hold_id         uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    reason          text NOT NULL,              -- a row of hold_reason
    invoice_id      text COLLATE "C",           -- NULL: everything
    note            text,
    from_at         timestamptz NOT NULL,
    until_at        timestamptz,                -- NULL: until released
    placed_by       text NOT NULL,
    released_at     timestamptz,
    released_by     text,
    scope           text NOT NULL DEFAULT 'debtor' CHECK (scope IN ('debtor', 'person', 'creditor')),
    person_id       text COLLATE "C",           -- scope person: every account that names this person, also one that is opened later
    pending         boolean NOT NULL DEFAULT false,     -- it starts at from_at, and what it ends has not been ended yet
    contact         jsonb,                      -- who is to be talked to instead: a representative, an administrator, an estate
    placed_at       timestamptz,                -- NULL: at from_at
    release_note    text,
    PRIMARY KEY (debtor_id, hold_id),
    CHECK (invoice_id IS NULL OR scope = 'debtor'),
    CHECK ((scope = 'person') = (person_id IS NOT NULL)),
    CHECK (scope <> 'creditor' OR debtor_id = '')
);
COMMENT ON TABLE dunning.hold IS 'Debtors, single invoices, persons with all their accounts and whole books that are not dunned, from when to when, why and by whom. A row is never changed but by its release.';

-- What a reason means. The law that stands behind one differs by country; a row of the house goes before the shipped one.
CREATE TABLE dunning.hold_reason (
    reason          text COLLATE "C" NOT NULL CHECK (reason ~ '^[a-z][a-z0-9_]{0,39}$'),
    builtin         boolean NOT NULL DEFAULT false,
    scope           text NOT NULL CHECK (scope IN ('debtor', 'person')),        -- of a hold that does not say
    default_days    int CHECK (default_days > 0),       -- of a hold that does not say; NULL: until released
    offers          boolean NOT NULL,           -- whether a live offer stands and a person may make one
    released_by     text NOT NULL CHECK (released_by IN ('operator', 'admin', 'system')),
    by_hand         boolean NOT NULL DEFAULT true,      -- false: placed by another call alone
    task            text,                       -- what a person has to do once it is placed
    description     text NOT NULL,
    saved_by        text,
    saved_at        timestamptz,
    PRIMARY KEY (reason, builtin)
);
COMMENT ON TABLE dunning.hold_reason IS 'The reasons of holds: whom each covers, how long, whether offers go on, who may release it, and the task that comes with it.';
INSERT INTO dunning.hold_reason (reason, builtin, scope, default_days, offers, released_by, by_hand, task, description) VALUES
    ('dispute',              true, 'debtor', NULL, true,  'operator', true,  NULL, 'the claim is disputed; usually of one invoice, the others go on'),
    ('hardship',             true, 'debtor', 30,   true,  'operator', true,  NULL, 'cannot pay now: time to work out an arrangement, which may be offered and accepted'),
    ('moratorium',           true, 'person', 60,   false, 'admin',    true,  NULL, 'a protection by law or order: no contact, no fee and no interest'),
    ('breathing_space',      true, 'person', 60,   false, 'admin',    true,  NULL, 'as a moratorium, under the law of that name'),
    ('insolvency',           true, 'person', NULL, false, 'admin',    true,  'insolvency: lodge the claim with the administrator', 'claims go to the administrator; no contact, no fee and no interest'),
    ('legal_representation', true, 'debtor', NULL, true,  'operator', true,  'represented: deal with the representative alone', 'nobody but the representative is talked to, by a person'),
    ('deceased',             true, 'person', NULL, false, 'admin',    true,  'deceased: find out who represents the estate', 'nobody is written to; the estate is talked to by a person'),
    ('investigation',        true, 'debtor', 30,   true,  'operator', true,  NULL, 'something is being looked into: a complaint, a fraud, an error of ours'),
    ('manual',               true, 'debtor', NULL, true,  'operator', true,  NULL, 'any other reason; the note says which'),
    ('promise',              true, 'debtor', NULL, true,  'operator', true,  NULL, 'a promise or an instalment plan runs'),
    ('awaiting_us',          true, 'debtor', 7,    true,  'operator', true,  NULL, 'the debtor has asked or answered: it is our turn'),
    ('settled',              true, 'debtor', NULL, false, 'admin',    false, NULL, 'the rest of a settlement that was paid, until it is credited'),
    ('handed_over',          true, 'debtor', NULL, false, 'system',   false, NULL, 'handed over to an agency or a court'),
    ('written_off',          true, 'debtor', NULL, false, 'system',   false, NULL, 'written off: nothing is asked for any more'),
    ('forgotten',            true, 'debtor', NULL, false, 'admin',    false, NULL, 'all that was known of the person was blanked');

-- Found by address, so that a suppressed address stays so however often it is imported. Only a keyed digest is kept.
CREATE TABLE dunning.suppression (
    address_digest  bytea NOT NULL,
    channel         text COLLATE "C" NOT NULL,  -- '*': every channel
    reason          text NOT NULL,
    suppressed_at   timestamptz NOT NULL,
    suppressed_by   text NOT NULL,
    PRIMARY KEY (address_digest, channel)
);
COMMENT ON TABLE dunning.suppression IS 'Addresses never to be used again: bounced, opted out, complained. Digests, not addresses.';

CREATE INDEX hold_id ON dunning.hold (hold_id);
CREATE INDEX hold_person ON dunning.hold (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX hold_creditor ON dunning.hold (creditor) WHERE scope = 'creditor';
CREATE INDEX hold_pending ON dunning.hold (from_at) WHERE pending;
-- Accounts of one person are looked for at every claim.
CREATE INDEX debtor_person ON dunning.debtor (person_id) WHERE person_id IS NOT NULL;

-- The key of address digests; dumped, since suppressions must outlive a restore. Not a secret that opens anything.
CREATE TABLE dunning.digest_key (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    key             bytea NOT NULL
);
COMMENT ON TABLE dunning.digest_key IS 'The key under which addresses are digested.';
REVOKE ALL ON dunning.digest_key FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('dunning.channel', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.hold', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.hold_reason', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.suppression', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.digest_key', '');

GRANT SELECT ON dunning.channel, dunning.hold_reason TO dunning_viewer;
-- What was written down about a person is not for those who read figures.
GRANT SELECT (debtor_id, hold_id, creditor, reason, invoice_id, from_at, until_at, placed_by, released_at, released_by, scope, pending, placed_at) ON dunning.hold TO dunning_viewer;
GRANT SELECT ON dunning.hold TO dunning_operator;
-- What the texts of the gate read, run by the worker itself.
GRANT SELECT ON dunning.channel, dunning.hold, dunning.suppression, dunning.digest_key TO dunning_worker;
