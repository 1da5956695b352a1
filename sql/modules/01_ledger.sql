-- ledger: the bound billing data. Read live, never copied, never written.

-- What is bound: one row a kind. The relation is kept as text, so that no object of ours depends on it.
CREATE TABLE dunning.source_binding (
    kind            text COLLATE "C" PRIMARY KEY CHECK (kind IN ('debtor', 'invoice', 'payment')),
    relation        text NOT NULL,                      -- quoted, schema-qualified
    relation_oid    oid,                                -- to find it again after a rename; never a dependency
    columns         jsonb NOT NULL,                     -- column name -> type name, as found when bound
    key_type        text NOT NULL,                      -- base type of debtor_id: how '007' is read
    max_age         interval,
    immutable       text[] NOT NULL DEFAULT '{}',
    bound_by        text NOT NULL,
    bound_at        timestamptz NOT NULL
);
COMMENT ON TABLE dunning.source_binding IS 'Which relation serves debtor, invoice and payment. Kinds without a row are served by the built-in tables.';

CREATE TABLE dunning.ledger_load (
    kind            text COLLATE "C" PRIMARY KEY CHECK (kind IN ('debtor', 'invoice', 'payment')),
    complete_until  timestamptz NOT NULL,
    loaded_at       timestamptz NOT NULL,
    loaded_by       text NOT NULL
);
COMMENT ON TABLE dunning.ledger_load IS 'Up to when each source is complete, as the import job last said.';

CREATE TABLE dunning.creditor (
    creditor        text COLLATE "C" NOT NULL,
    name            text NOT NULL,
    sender_name     text,
    reply_to        text,
    phone           text,
    account         text,
    language        text NOT NULL DEFAULT 'en',
    default_strategy text,
    builtin         boolean NOT NULL DEFAULT false,
    link_url        text,                               -- where its own site serves link_page(); a token is put behind it
    PRIMARY KEY (creditor, builtin)
);
COMMENT ON TABLE dunning.creditor IS 'Who is owed: names, reply address, phone and account that messages show. A user''s row of the same name replaces the built-in one.';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dunning.creditor FOR EACH STATEMENT EXECUTE FUNCTION dunning._changed();
ALTER TABLE dunning.creditor ENABLE ALWAYS TRIGGER changed;
INSERT INTO dunning.creditor (creditor, name, language, builtin) VALUES ('default', 'Accounts receivable', 'en', true);

CREATE TABLE dunning.creditor_change (
    creditor        text COLLATE "C" NOT NULL,
    changed_at      timestamptz NOT NULL,
    changed_by      text NOT NULL,
    before          jsonb                               -- NULL: there was none
);
COMMENT ON TABLE dunning.creditor_change IS 'Who changed a creditor, when, and what stood there before.';

-- Built-in ledger for those who have none: the same shape as the contract of bind().
CREATE TABLE dunning.debtor (
    debtor_id       text COLLATE "C" PRIMARY KEY,
    creditor        text COLLATE "C" NOT NULL DEFAULT 'default',
    person_id       text COLLATE "C",
    kind            text CHECK (kind IN ('person', 'company')),
    name            text,
    given_name      text,
    language        text,
    country         text,
    region          text,
    time_zone       text,
    email           text,
    phone           text,
    address         jsonb,
    preferred_channel text,
    consent         jsonb,
    attributes      jsonb
);
COMMENT ON TABLE dunning.debtor IS 'Built-in source of debtors, used while none is bound.';

CREATE TABLE dunning.invoice (
    debtor_id       text COLLATE "C" NOT NULL,
    invoice_id      text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT 'default',
    issued_on       date NOT NULL,
    due_on          date NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    kind            text NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit_note', 'fee', 'interest')),
    disputed        boolean,
    disputed_at     timestamptz,
    cancelled_at    timestamptz,
    recorded_at     timestamptz,
    reference       text,
    pay_url         text,
    PRIMARY KEY (debtor_id, invoice_id)
);
COMMENT ON TABLE dunning.invoice IS 'Built-in source of invoices, used while none is bound.';

CREATE TABLE dunning.payment (
    debtor_id       text COLLATE "C" NOT NULL,
    payment_id      text COLLATE "C" NOT NULL,
    creditor        text COLLATE "C" NOT NULL DEFAULT 'default',
    paid_at         timestamptz NOT NULL,
    amount          numeric NOT NULL,
    currency        text NOT NULL,
    invoice_id      text COLLATE "C",
    recorded_at     timestamptz,
    PRIMARY KEY (debtor_id, payment_id)
);
COMMENT ON TABLE dunning.payment IS 'Built-in source of payments, used while none is bound.';

SELECT pg_catalog.pg_extension_config_dump('dunning.source_binding', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.ledger_load', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.creditor', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.creditor_change', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.debtor', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.invoice', '');
SELECT pg_catalog.pg_extension_config_dump('dunning.payment', '');
