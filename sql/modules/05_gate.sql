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
INSERT INTO dunning.channel (channel, builtin, address_field, human, rings, service, cost) VALUES
    ('email',    true, 'email',   false, false, true,  0),
    ('sms',      true, 'phone',   false, true,  true,  0.10),
    ('letter',   true, 'address', false, false, true,  1.20),
    ('call',     true, 'phone',   true,  true,  true,  6),
    ('push',     true, 'push',    false, true,  false, 0),
    ('whatsapp', true, 'phone',   false, true,  false, 0.05),
    ('visit',    true, 'address', true,  true,  true,  50);

CREATE TABLE dunning.hold (
    debtor_id       text COLLATE "C" NOT NULL,
    hold_id         uuid NOT NULL,
    creditor        text COLLATE "C" NOT NULL,
    reason          text NOT NULL,              -- dispute, hardship, moratorium, insolvency, legal_representation, deceased, investigation, awaiting_us, promise, manual ...
    invoice_id      text COLLATE "C",           -- NULL: everything
    note            text,
    from_at         timestamptz NOT NULL,
    until_at        timestamptz,                -- NULL: until released
    placed_by       text NOT NULL,
    released_at     timestamptz,
    released_by     text,
    PRIMARY KEY (debtor_id, hold_id)
);
COMMENT ON TABLE dunning.hold IS 'Debtors (or single invoices) that are not dunned, from when to when, why and by whom.';

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
SELECT pg_catalog.pg_extension_config_dump('dunning.suppression', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.digest_key', '');

GRANT SELECT ON dunning.channel TO dunning_viewer;
-- What was written down about a person is not for those who read figures.
GRANT SELECT (debtor_id, hold_id, creditor, reason, invoice_id, from_at, until_at, placed_by, released_at, released_by) ON dunning.hold TO dunning_viewer;
GRANT SELECT ON dunning.hold TO dunning_operator;
-- What the texts of the gate read, run by the worker itself.
GRANT SELECT ON dunning.channel, dunning.hold, dunning.suppression, dunning.digest_key TO dunning_worker;
