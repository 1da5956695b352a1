-- calendar: local time, holidays, money dates, contact rules.

CREATE TABLE dunning.contact_rule (
    rule            text COLLATE "C" NOT NULL,
    builtin         boolean NOT NULL DEFAULT false,
    country         text,                       -- NULL: everywhere
    region          text,                       -- NULL: the whole country
    debtor_kind     text CHECK (debtor_kind IN ('person', 'company')),      -- NULL: both
    channels        text[],                     -- NULL: every channel
    weekdays        int[],                      -- ISO 1 (Monday) .. 7 on which the window stands; NULL: a rule of caps alone
    opens           time,                       -- local; NULL with `closes` NULL: the whole day
    closes          time,
    holidays        boolean NOT NULL DEFAULT false,     -- may contact fall on a holiday of the country?
    cap             int CHECK (cap >= 0),       -- at most this many contacts ...
    cap_days        int CHECK (cap_days > 0),   -- ... in this many calendar days of the debtor's zone
    cap_scope       text CHECK (cap_scope IN ('debtor', 'person')),         -- counted over
    min_gap         interval,                   -- between two contacts of these channels
    after_conversation interval,                -- silence after a conversation
    valid_from      date,
    valid_to        date,
    source          text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (rule, builtin)
);
COMMENT ON TABLE dunning.contact_rule IS 'When and how often a debtor may be contacted. Every matching row must say yes; a user''s row of the same name replaces the built-in one.';

CREATE TABLE dunning.holiday (
    country         text NOT NULL,
    region          text NOT NULL DEFAULT '',
    on_date         date NOT NULL,
    name            text NOT NULL,
    open            boolean NOT NULL DEFAULT false,     -- true: a computed holiday that is a working day here
    PRIMARY KEY (country, region, on_date)
);
COMMENT ON TABLE dunning.holiday IS 'Holidays of the user, beside those computed for DK SE NO FI DE NL GB US.';

SELECT pg_catalog.pg_extension_config_dump('dunning.contact_rule', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('dunning.holiday', '');
