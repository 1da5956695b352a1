-- ledger: binding, canonical ids, balances, freshness, broken sources.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set VERBOSITY default
\set SHOW_CONTEXT never

CREATE SCHEMA lb;
CREATE TABLE lb.customer (debtor_id bigint PRIMARY KEY, name text, email varchar(80), consent jsonb);
CREATE TABLE lb.invoice (invoice_id int PRIMARY KEY, debtor_id bigint NOT NULL, issued_on date, due_on date, amount numeric, currency char(3),
    kind text, cancelled_at timestamptz, recorded_at timestamptz, disputed boolean, disputed_at timestamptz);
CREATE TABLE lb.payment (payment_id int PRIMARY KEY, debtor_id bigint NOT NULL, invoice_id int, paid_at timestamptz, amount numeric, currency char(3), recorded_at timestamptz);

-- unbound_kinds_are_served_by_the_builtin_tables
SELECT kind, relation, state, columns FROM dunning.source;

-- bind_refuses_what_is_no_source_and_says_what_would_be
SELECT dunning.bind('customer', 'lb.customer');
SELECT dunning.bind(NULL, 'lb.customer');
SELECT dunning.bind('debtor', NULL);
SELECT dunning.bind('debtor', 'dunning.creditor');
CREATE TEMP TABLE t_debtor (debtor_id int);
SELECT dunning.bind('debtor', 't_debtor');
SELECT dunning.bind('debtor', 'lb.customer_pkey');
CREATE TABLE lb.raw (no varchar(20), customer_no char(8), invoice_date date, due_date timestamptz, total money, ccy text, disputed int);
SELECT dunning.bind('invoice', 'lb.raw');
SELECT dunning.bind('debtor', 'lb.customer', max_age => '-1 hour');
SELECT dunning.bind('debtor', 'lb.customer', immutable => '{consent,shoe_size}');

-- bind_grants_nothing_and_names_the_grant_that_is_missing
SELECT dunning.bind('debtor', 'lb.customer');
GRANT USAGE ON SCHEMA lb TO dunning_owner, dunning_worker;
GRANT SELECT ON lb.customer, lb.invoice, lb.payment TO dunning_owner;
SELECT dunning.bind('debtor', 'lb.customer');
GRANT SELECT ON lb.customer, lb.invoice, lb.payment TO dunning_worker;
-- rights_below_a_security_invoker_view_are_checked_by_reading_it
CREATE TABLE lb.secret (debtor_id bigint);
CREATE VIEW lb.v_secret WITH (security_invoker) AS SELECT debtor_id FROM lb.secret;
GRANT SELECT ON lb.v_secret TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'lb.v_secret');
GRANT SELECT ON lb.secret TO dunning_owner;
SELECT dunning.bind('debtor', 'lb.v_secret');
-- column_rights_are_enough
GRANT SELECT (debtor_id) ON lb.secret TO dunning_worker;
SELECT dunning.bind('debtor', 'lb.v_secret');

-- a_bound_table_serves_and_absent_columns_have_their_defaults
SELECT dunning.bind('debtor', 'lb.customer'), dunning.bind('invoice', 'lb.invoice'), dunning.bind('payment', 'lb.payment');
SELECT kind, relation, state, columns FROM dunning.source;
INSERT INTO lb.customer VALUES (7, 'Seven', 'seven@example.org', '{"whatsapp": true}'), (8, 'Eight', NULL, NULL);
SELECT dunning._ledger_sql('debtor', '$1') AS q \gset
PREPARE one(text[]) AS :q;
EXECUTE one('{7,none,99999999999999999999,8.5}');
DEALLOCATE one;

-- ids_are_read_as_the_source_prints_them
SELECT dunning._canonical_id('007'), dunning._canonical_id(' +7 '), dunning._canonical_id('-0'), dunning._canonical_id(NULL) IS NULL AS null_stays;
SELECT dunning._canonical_id('D-7');
\echo :LAST_ERROR_SQLSTATE
SELECT dunning._canonical_id('');
SELECT dunning._canonical_id('9223372036854775808');
SELECT * FROM dunning.balance('7; DROP TABLE lb.invoice');

-- keys_of_two_sources_agree_or_bind_says_so
CREATE TABLE lb.invoice_text (invoice_id text, debtor_id text, issued_on date, due_on date, amount numeric, currency text);
GRANT SELECT ON lb.invoice_text TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'lb.invoice_text');

-- balance_is_invoices_less_payments_a_currency
INSERT INTO lb.invoice VALUES
    (1, 7, '2026-01-01', '2026-01-15', 100, 'DKK'), (2, 7, '2026-02-01', '2026-02-15', 50, 'DKK'), (3, 7, '2026-02-01', '2026-02-20', 80, 'EUR'),
    (4, 7, '2026-03-01', '2026-03-15', 30, 'DKK');
INSERT INTO lb.payment VALUES (1, 7, 1, '2026-01-10', 40, 'DKK');
SET dunning.clock = '2026-03-02 12:00+00';
SELECT * FROM dunning.balance('007');
-- payments_that_name_no_invoice_pay_the_oldest_due_first
INSERT INTO lb.payment VALUES (2, 7, NULL, '2026-02-25', 70, 'DKK');
CREATE FUNCTION pg_temp.items(debtor text, as_of timestamptz DEFAULT NULL)
RETURNS TABLE (invoice_id text, currency text, due_on date, amount numeric, open numeric) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT invoice_id, currency, due_on, amount, open FROM (%s) x ORDER BY currency, due_on, invoice_id', dunning._open_items_sql('$1', '$2'))
        USING ARRAY[debtor], as_of;
END $$;
CREATE FUNCTION pg_temp.mark(debtor text, as_of timestamptz DEFAULT NULL)
RETURNS TABLE (mark text, amounts jsonb, valid boolean, problem text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT mark, amounts, valid, problem FROM (%s) x', dunning._mark_sql('$1', '$2')) USING ARRAY[debtor], as_of;
END $$;
CREATE FUNCTION pg_temp.settled(debtor text, as_of timestamptz DEFAULT NULL)
RETURNS TABLE (invoice_id text, open numeric, payments int, first_paid_at timestamptz, settled_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT invoice_id, open, payments, first_paid_at, settled_at FROM (%s) x ORDER BY invoice_id', dunning._settlement_sql('$1', '$2'))
        USING ARRAY[debtor], as_of;
END $$;
SELECT * FROM pg_temp.items('7');
SELECT * FROM pg_temp.settled('7');
-- what_is_paid_too_much_on_one_invoice_pays_the_next
INSERT INTO lb.payment VALUES (3, 7, 4, '2026-02-27', 35, 'DKK');
SELECT * FROM pg_temp.items('7');
-- a_payment_in_another_currency_than_its_invoice_pays_its_own_currency
INSERT INTO lb.payment VALUES (4, 7, 2, '2026-02-28', 5, 'EUR');
SELECT * FROM pg_temp.items('7');
-- a_credit_note_of_either_sign_reduces_what_is_open
INSERT INTO lb.invoice VALUES (5, 7, '2026-02-28', '2026-02-28', -10, 'DKK', NULL), (6, 7, '2026-02-28', '2026-02-28', 20, 'EUR', 'credit_note');
SELECT * FROM dunning.balance('7');
SELECT * FROM pg_temp.items('7');
-- a_reversal_takes_the_settlement_back
INSERT INTO lb.payment VALUES (5, 7, 1, '2026-03-01', -40, 'DKK');
SELECT * FROM pg_temp.items('7');
SELECT * FROM pg_temp.settled('7');
-- a_cancelled_invoice_is_gone_and_what_was_paid_on_it_is_credit
UPDATE lb.invoice SET cancelled_at = '2026-03-01' WHERE invoice_id = 1;
SELECT * FROM dunning.balance('7');
SELECT * FROM pg_temp.items('7');
SELECT * FROM dunning.balance_history('7');
SELECT * FROM pg_temp.mark('7');
-- net_zero_and_credit_have_no_open_item
INSERT INTO lb.invoice VALUES (20, 8, '2026-01-01', '2026-01-15', 10, 'DKK'), (21, 8, '2026-01-01', '2026-01-15', 10, 'EUR');
INSERT INTO lb.payment VALUES (20, 8, NULL, '2026-02-01', 10, 'DKK'), (21, 8, 21, '2026-02-01', 15, 'EUR');
SELECT * FROM dunning.balance('8');
SELECT * FROM pg_temp.items('8');
SELECT * FROM pg_temp.mark('8');
-- a_debtor_without_rows_has_an_empty_mark_and_no_balance
SELECT * FROM pg_temp.mark('9');
SELECT * FROM dunning.balance('9');

-- a_row_exists_from_when_it_was_recorded_or_else_dated
SELECT 'before' AS as_of, * FROM dunning.balance('7', '2026-01-10') UNION ALL SELECT 'after', * FROM dunning.balance('7', '2026-01-10 00:00:00.000001+00');
INSERT INTO lb.payment VALUES (6, 7, 3, '2026-02-20', 55, 'EUR', '2026-03-02 12:00+00');
SELECT 'at the clock' AS seen, balance FROM dunning.balance('7') WHERE currency = 'EUR';
SELECT 'as of the clock' AS seen, balance FROM dunning.balance('7', '2026-03-02 12:00+00') WHERE currency = 'EUR';
SET dunning.clock = '2026-03-02 11:59:59.999999+00';
SELECT 'before it' AS seen, balance FROM dunning.balance('7') WHERE currency = 'EUR';
-- as_of_after_the_virtual_clock_shows_no_more_than_the_clock
SELECT balance FROM dunning.balance('7', '2026-03-03') WHERE currency = 'EUR';
-- an_infinite_as_of_is_no_instant
SELECT * FROM dunning.balance('7', 'infinity');
-- with_the_real_clock_any_committed_payment_counts
RESET dunning.clock;
INSERT INTO lb.payment VALUES (7, 7, 3, '2999-01-01', 5, 'EUR');
SELECT balance FROM dunning.balance('7') WHERE currency = 'EUR';
DELETE FROM lb.payment WHERE payment_id = 7;
-- what_is_not_dated_is_unknown_of_the_past
UPDATE lb.invoice SET disputed = true WHERE invoice_id IN (2, 3);
UPDATE lb.invoice SET disputed_at = '2026-02-10' WHERE invoice_id = 2;
SELECT dunning._ledger_sql('invoice', '$1', '$2') AS q, dunning._ledger_sql('debtor', '$1', '$2') AS d \gset
PREPARE inv(text[], timestamptz) AS SELECT invoice_id, disputed, disputed_at FROM (:q) x WHERE invoice_id IN ('2', '3') ORDER BY 1;
PREPARE deb(text[], timestamptz) AS SELECT debtor_id, consent FROM (:d) x;
EXECUTE inv('{7}', NULL);
EXECUTE inv('{7}', '2026-02-09');
EXECUTE inv('{7}', '2026-02-11');
EXECUTE deb('{7}', NULL);
EXECUTE deb('{7}', '2026-02-11');
DEALLOCATE ALL;
-- ... unless it is said never to change
SELECT dunning._ledger_signature() AS before \gset
SELECT dunning.bind('debtor', 'lb.customer', immutable => '{consent}');
SELECT dunning._ledger_signature() <> :'before' AS signature_changed;
SELECT dunning._ledger_sql('debtor', '$1', '$2') AS d \gset
PREPARE deb(text[], timestamptz) AS SELECT debtor_id, consent FROM (:d) x;
EXECUTE deb('{7}', '2026-02-11');
DEALLOCATE ALL;

-- a_dispute_counts_by_what_is_still_open_of_it
CREATE FUNCTION pg_temp.disputed(debtor text) RETURNS TABLE (mark text, disputed boolean, in_book text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT x.mark, x.disputed, y.mark FROM (%s) x LEFT JOIN (%s) y USING (debtor_id)', dunning._mark_sql('$1'), dunning._mark_sql()) USING ARRAY[debtor];
END $$;
INSERT INTO lb.invoice (invoice_id, debtor_id, issued_on, due_on, amount, currency, disputed) VALUES
    (60, 60, '2026-01-01', '2026-01-15', 1000, 'DKK', true), (61, 60, '2026-02-01', '2026-02-15', 50, 'DKK', NULL);
SELECT * FROM pg_temp.disputed('60');
INSERT INTO lb.payment VALUES (60, 60, 60, '2026-01-20', 600, 'DKK'), (61, 60, NULL, '2026-01-21', 300, 'DKK');
SELECT * FROM pg_temp.disputed('60');
INSERT INTO lb.payment VALUES (62, 60, NULL, '2026-01-22', 100, 'DKK');
SELECT * FROM pg_temp.disputed('60');
UPDATE lb.invoice SET disputed = true WHERE invoice_id = 61;
SELECT * FROM pg_temp.disputed('60');
DELETE FROM lb.invoice WHERE debtor_id = 60;
DELETE FROM lb.payment WHERE debtor_id = 60;

-- amounts_and_dates_that_are_none_hold_the_debtor
INSERT INTO lb.invoice VALUES (30, 30, '2026-01-01', '2026-01-15', 'NaN', 'DKK'), (31, 31, '2026-01-01', 'infinity', 10, 'DKK'), (32, 32, '2026-01-01', '2026-01-15', NULL, 'DKK'),
    (33, 33, '2026-01-15', '2026-01-01', 10, 'DKK'), (34, 34, '2026-01-01', '2026-01-15', 10, NULL), (35, 35, '2026-01-01', '2026-01-15', 10, 'DKK'),
    (36, 36, '2026-01-01', NULL, 10, 'DKK'), (37, 30, '2026-01-01', '2026-01-15', 5, 'DKK');
INSERT INTO lb.payment VALUES (35, 35, 35, '2026-01-20', 'infinity', 'DKK');
SELECT d, m.*, b.balance, b.overdue FROM unnest(ARRAY['30', '31', '32', '33', '34', '35', '36']) d, LATERAL pg_temp.mark(d) m LEFT JOIN LATERAL dunning.balance(d) b ON true;
SELECT d, i.* FROM unnest(ARRAY['30', '31', '32', '33', '34', '35', '36']) d, LATERAL pg_temp.items(d) i;

-- the_sources_open_amount_is_the_balance_of_the_present
CREATE VIEW lb.v_open AS SELECT i.*, CASE i.invoice_id WHEN 2 THEN 12.50 WHEN 4 THEN 30 WHEN 5 THEN -2.50 ELSE 0 END AS open_amount FROM lb.invoice i WHERE i.debtor_id = 7;
GRANT SELECT ON lb.v_open TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'lb.v_open');
SELECT currency, balance, overdue, oldest_due_on FROM dunning.balance('7');
SELECT * FROM pg_temp.items('7');
SELECT * FROM pg_temp.mark('7');
-- ... and of the past the dated rows are
SELECT * FROM dunning.balance('7', '2026-02-16');
SET dunning.clock = '2026-02-16 00:00+00';
SELECT * FROM dunning.balance('7');
RESET dunning.clock;
-- an_open_amount_that_is_missing_holds_the_debtor
CREATE VIEW lb.v_open_null AS SELECT i.*, NULL::numeric AS open_amount FROM lb.invoice i WHERE i.debtor_id = 7;
GRANT SELECT ON lb.v_open_null TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'lb.v_open_null');
SELECT valid, problem FROM pg_temp.mark('7');
DROP VIEW lb.v_open_null, lb.v_open;

-- a_source_is_stale_until_its_load_is_said_to_be_complete
SET dunning.clock = '2026-03-02 12:00+00';
SELECT dunning.bind('invoice', 'lb.invoice'), dunning.bind('payment', 'lb.payment', max_age => '26 hours');
SELECT dunning._ledger_problem();
SELECT kind, state, detail, fix_sql FROM dunning.source WHERE state = 'stale';
SELECT dunning.ledger_loaded('payment', '2026-03-01 09:00+00');
SELECT dunning._ledger_problem();
SELECT dunning.ledger_loaded('payment', '2026-03-01 12:00+00');
SELECT dunning._ledger_problem(), (SELECT state FROM dunning.source WHERE kind = 'payment');
SELECT dunning.ledger_loaded('payment', '2027-01-01');
SELECT dunning.ledger_loaded('payment', 'infinity');
SELECT dunning.ledger_loaded('paiment', now());
RESET dunning.clock;
SELECT dunning.bind('payment', 'lb.payment');

-- a_broken_source_is_noticed_and_the_call_that_mends_it_named
ALTER TABLE lb.payment RENAME TO receipt;
SELECT dunning._ledger_problem();
SELECT kind, relation, state, detail, fix_sql FROM dunning.source WHERE state = 'broken';
SELECT * FROM dunning.balance('7');
\echo :LAST_ERROR_SQLSTATE
SELECT dunning._canonical_id('007');
SELECT dunning.bind('payment', 'lb.receipt');
ALTER TABLE lb.receipt RENAME TO payment;
SELECT dunning.bind('payment', 'lb.payment');
BEGIN; ALTER TABLE lb.invoice DROP COLUMN recorded_at; SELECT detail, fix_sql FROM dunning.source WHERE state = 'broken'; ROLLBACK;
BEGIN; ALTER TABLE lb.invoice ALTER amount TYPE float8; SELECT detail FROM dunning.source WHERE state = 'broken'; SELECT dunning._open_items_sql(); ROLLBACK;
BEGIN; REVOKE SELECT ON lb.customer FROM dunning_worker; SELECT detail, fix_sql, dunning._ledger_problem() FROM dunning.source WHERE state = 'broken'; ROLLBACK;
BEGIN; REVOKE USAGE ON SCHEMA lb FROM dunning_owner; SELECT kind, state, fix_sql FROM dunning.source; ROLLBACK;
BEGIN; DROP TABLE lb.payment; SELECT kind, state, detail FROM dunning.source WHERE state = 'broken'; ROLLBACK;
-- a_column_that_is_added_is_not_read_until_bound_again
BEGIN; ALTER TABLE lb.customer ADD language text DEFAULT 'da'; SELECT state, columns FROM dunning.source WHERE kind = 'debtor'; ROLLBACK;
-- nothing_depends_on_a_bound_relation
SELECT count(*) FROM pg_depend WHERE refobjid IN ('lb.customer'::regclass, 'lb.invoice'::regclass, 'lb.payment'::regclass)
    AND objid IN (SELECT objid FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dunning'));

-- a_hostile_view_never_sees_a_superuser
CREATE TABLE lb.seen (who text);
CREATE FUNCTION lb.note(id bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN INSERT INTO lb.seen VALUES (current_user); RETURN id; END $$;
GRANT INSERT ON lb.seen TO PUBLIC;
CREATE VIEW lb.hostile AS SELECT invoice_id, lb.note(debtor_id) AS debtor_id, issued_on, due_on, amount, currency FROM lb.invoice;
GRANT SELECT ON lb.hostile TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'lb.hostile');
SELECT count(*) > 0 AS read FROM dunning.balance('7');
SELECT count(*) > 0 AS read FROM dunning.features();
SELECT count(*) > 0 AS read FROM dunning.invoice_features();
SELECT who, count(*) > 0 AS called, (SELECT rolsuper FROM pg_roles WHERE rolname = who) AS superuser FROM lb.seen GROUP BY 1;
CREATE OR REPLACE FUNCTION lb.note(id bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN SET ROLE postgres; RETURN id; END $$;
SELECT * FROM dunning.balance('7');

-- one_debtor_is_found_through_the_sources_own_index
CREATE FUNCTION pg_temp.through(kind text, debtor text) RETURNS TABLE (what text, index text) LANGUAGE plpgsql AS $$
DECLARE plan json; mode text;
BEGIN
    FOREACH mode IN ARRAY ARRAY['force_custom_plan', 'force_generic_plan'] LOOP
        PERFORM set_config('plan_cache_mode', mode, true);
        EXECUTE format('PREPARE look(text[], timestamptz) AS %s', dunning._ledger_sql($1, '$1', '$2'));
        EXECUTE format('EXPLAIN (FORMAT json) EXECUTE look(ARRAY[%L], NULL)', debtor) INTO plan;
        DEALLOCATE look;
        RETURN QUERY SELECT $1 || ' ' || mode, string_agg(DISTINCT m[1], ', ') FROM regexp_matches(plan::text, '"Index Name": "([^"]*)"', 'g') m;
    END LOOP;
END $$;
CREATE DOMAIN lb.account_no AS int CHECK (VALUE > 0);
CREATE TABLE lb.d_int (debtor_id int PRIMARY KEY);
CREATE TABLE lb.d_domain (debtor_id lb.account_no PRIMARY KEY);
CREATE TABLE lb.d_bigint (debtor_id bigint PRIMARY KEY);
CREATE TABLE lb.d_numeric (debtor_id numeric(12,0) PRIMARY KEY);
CREATE TABLE lb.d_uuid (debtor_id uuid PRIMARY KEY);
CREATE TABLE lb.d_text (debtor_id text PRIMARY KEY);
CREATE TABLE lb.d_icu (debtor_id varchar(40) COLLATE "en-x-icu" PRIMARY KEY);
CREATE TABLE lb.p_bigint (debtor_id bigint, paid_at timestamptz, amount numeric, currency text);
INSERT INTO lb.d_int SELECT generate_series(1, 5000);
INSERT INTO lb.d_domain SELECT debtor_id FROM lb.d_int;
INSERT INTO lb.d_bigint SELECT debtor_id FROM lb.d_int;
INSERT INTO lb.d_numeric SELECT debtor_id FROM lb.d_int;
INSERT INTO lb.d_uuid SELECT md5(debtor_id::text)::uuid FROM lb.d_int;
INSERT INTO lb.d_text SELECT 'D-' || debtor_id FROM lb.d_int;
INSERT INTO lb.d_icu SELECT 'D-' || debtor_id FROM lb.d_int;
INSERT INTO lb.p_bigint SELECT debtor_id, '2026-01-01', 1, 'EUR' FROM lb.d_int, generate_series(1, 3);
CREATE INDEX p_bigint_debtor ON lb.p_bigint (debtor_id);
ANALYZE lb.d_int, lb.d_domain, lb.d_bigint, lb.d_numeric, lb.d_uuid, lb.d_text, lb.d_icu, lb.p_bigint;
GRANT SELECT ON ALL TABLES IN SCHEMA lb TO dunning_owner, dunning_worker;
SELECT dunning.unbind('invoice'), dunning.unbind('payment');
SELECT dunning.bind('debtor', 'lb.d_int');
SELECT * FROM pg_temp.through('debtor', '17');
SELECT dunning.bind('debtor', 'lb.d_domain');
SELECT * FROM pg_temp.through('debtor', '17');
SELECT dunning.bind('debtor', 'lb.d_bigint'), dunning.bind('payment', 'lb.p_bigint');
SELECT * FROM pg_temp.through('debtor', '17') UNION ALL SELECT * FROM pg_temp.through('payment', '17');
SELECT dunning.bind('debtor', 'lb.d_numeric');
SELECT * FROM pg_temp.through('debtor', '17');
SELECT dunning._canonical_id('0017');
SELECT dunning._canonical_id('1234567890123');
SELECT dunning.unbind('payment');
SELECT dunning.bind('debtor', 'lb.d_uuid');
SELECT * FROM pg_temp.through('debtor', md5('17'));
SELECT dunning._canonical_id('{70EFDF2E-C9B0-8607-9795-C442636B55FB}');
SELECT dunning._canonical_id('70efdf2e');
SELECT dunning.bind('debtor', 'lb.d_text');
SELECT * FROM pg_temp.through('debtor', 'D-17');
SELECT dunning.bind('debtor', 'lb.d_icu');
SELECT * FROM pg_temp.through('debtor', 'D-17');
-- the_same_debtor_is_found_whatever_the_type_of_the_key
CREATE FUNCTION pg_temp.find(debtors text[]) RETURNS TABLE (debtor_id text, source_id text) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE format('SELECT debtor_id, source_id::text FROM (%s) x ORDER BY 1', dunning._ledger_sql('debtor', '$1')) USING debtors; END $$;
SELECT * FROM pg_temp.find('{D-17,D-5000,X,NULL}');
SELECT dunning.bind('debtor', 'lb.d_int');
SELECT * FROM pg_temp.find('{17,5000,99999999999,D-17,NULL,""}');
SELECT dunning.bind('debtor', 'lb.d_numeric');
SELECT * FROM pg_temp.find('{17,5000,D-17,1e3}');
SELECT dunning.bind('debtor', 'lb.d_uuid');
SELECT * FROM pg_temp.find(ARRAY['70efdf2e-c9b0-8607-9795-c442636b55fb', '17', '70efdf2e-c9b0-8607-9795-c442636b55fbb']);
-- keys_of_other_types_are_refused_with_the_cast
CREATE VIEW lb.d_char AS SELECT 'a'::char(3) AS debtor_id;
CREATE VIEW lb.d_float AS SELECT 1::float8 AS debtor_id;
CREATE VIEW lb.d_money AS SELECT 1.5::numeric(10,2) AS debtor_id;
CREATE COLLATION lb.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE VIEW lb.d_nocase AS SELECT 'a'::text COLLATE lb.nocase AS debtor_id;
SELECT dunning.bind('debtor', 'lb.d_char');
SELECT dunning.bind('debtor', 'lb.d_float');
SELECT dunning.bind('debtor', 'lb.d_money');
SELECT dunning.bind('debtor', 'lb.d_nocase');

-- names_of_any_kind_are_quoted
CREATE SCHEMA "Lb ""x";
CREATE TABLE "Lb ""x"."Kunde ' $1" (debtor_id int, name text);
INSERT INTO "Lb ""x"."Kunde ' $1" VALUES (1, 'O''Hara');
GRANT USAGE ON SCHEMA "Lb ""x" TO dunning_owner, dunning_worker;
GRANT SELECT ON "Lb ""x"."Kunde ' $1" TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', '"Lb ""x"."Kunde '' $1"');
SELECT relation, state FROM dunning.source WHERE kind = 'debtor';
SELECT * FROM pg_temp.find('{1}');

-- creditors_are_saved_with_who_and_what_stood_before
SELECT creditor, name, builtin FROM dunning.creditor;
SELECT dunning.save_creditor('default', 'Nordlys', reply_to => 'a@nordlys.example', language => 'da');
SELECT dunning.save_creditor('default', 'Nordlys Energi', language => 'da');
SELECT creditor, name, language, builtin FROM dunning.creditor ORDER BY builtin;
SELECT creditor, before->>'name' AS name_before, before->>'reply_to' AS reply_to_before FROM dunning.creditor_change ORDER BY changed_at;
SELECT dunning.save_creditor('x', E'Two\r\nBcc: all@example.org');
SELECT dunning.save_creditor('', 'Nobody');

-- calls_are_refused_to_those_without_the_role
CREATE ROLE lb_stranger;
SET ROLE lb_stranger;
SELECT * FROM dunning.balance('1');
RESET ROLE;
SET ROLE dunning_viewer;
SELECT count(*) FROM dunning.balance('1');
SELECT count(*) FROM dunning.source;
SELECT dunning.ledger_loaded('payment', now());
RESET ROLE;
SET ROLE dunning_operator;
SELECT dunning.unbind('debtor');
RESET ROLE;
SET ROLE dunning_admin;
SELECT dunning.unbind('debtor'), dunning.unbind('debtor') AS again;
RESET ROLE;

-- marks_added_in_c_are_those_of_the_query_that_defines_them
CREATE FUNCTION pg_temp.marks_compared(asked text[]) RETURNS TABLE (rows bigint, differ bigint, sample text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT count(*), count(*) FILTER (WHERE x.a IS DISTINCT FROM y.a), min((x.a || ' <> ' || y.a) COLLATE "C") FILTER (WHERE x.a IS DISTINCT FROM y.a)
        FROM (SELECT m.debtor_id COLLATE "C" AS id, concat_ws('|', m.mark, m.amounts, m.valid, coalesce(m.problem, '-'), m.disputed) COLLATE "C" AS a FROM (%s) m) x
        FULL JOIN (SELECT m.debtor_id COLLATE "C" AS id, concat_ws('|', m.mark, m.amounts, m.valid, coalesce(m.problem, '-'), m.disputed) COLLATE "C" AS a FROM (%s) m) y ON y.id = x.id$q$,
        dunning._marks_sql('$1'), dunning._mark_sql('$1')) USING asked;
END $$;
-- One debtor in eight has something odd: no number, no date, no currency, disputes, seven decimals, sums beyond 64 bits.
INSERT INTO dunning.debtor (debtor_id, name) SELECT 'M' || n, 'Marked ' || n FROM generate_series(1, 400) n;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind, disputed, cancelled_at)
SELECT 'M' || n, k, CASE WHEN n % 96 = 8 AND k = 2 THEN date 'infinity' ELSE date '2026-01-01' + k END,
    date '2026-01-10' + (n * 7 + k * 13) % 50 - CASE WHEN n % 96 = 16 AND k = 1 THEN 100 ELSE 0 END,
    CASE WHEN n % 96 = 24 AND k = 3 THEN 'NaN' WHEN n % 96 = 32 AND k = 3 THEN '-Infinity' WHEN n % 96 = 40 THEN 9223372036854.5 * k
         WHEN n % 96 = 48 AND k = 2 THEN 1.1234567 WHEN n % 96 = 56 THEN 12345678901234567890123.45 WHEN n % 5 = 0 AND k = 1 THEN 3.100000000
         WHEN n % 7 = 0 AND k = 4 THEN -((n * 31) % 100) ELSE round(((n * 7919 + k * 104729) % 100000)::numeric / (ARRAY[1, 10, 100, 1000000])[1 + n % 4], 6) END,
    CASE WHEN n % 96 = 64 AND k = 2 THEN '' WHEN n % 96 = 72 THEN repeat('X', 20) WHEN (n + k) % 11 = 0 THEN 'EUR' WHEN (n + k) % 13 = 0 THEN 'A' ELSE 'DKK' END,
    CASE WHEN n % 9 = 0 AND k = 3 THEN 'credit_note' ELSE 'invoice' END,
    CASE WHEN n % 8 = 0 AND n % 96 IN (0, 80, 88) THEN n % 96 = 80 OR k = 1 WHEN n % 3 = 0 THEN false END,
    CASE WHEN n % 17 = 0 AND k = 2 THEN timestamptz '2026-02-01' END
FROM generate_series(1, 400) n, generate_series(1, 4) k WHERE n % 10 <> 1;
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, paid_at, amount, currency)
SELECT 'M' || n, k, k, timestamptz '2026-02-01' + k * interval '1 day',
    CASE WHEN n % 96 = 7 THEN 'NaN' WHEN k = 3 THEN -((n * 17) % 50) ELSE ((n * 6007 + k) % 90000)::numeric / 100 END,
    CASE WHEN n % 96 = 15 AND k = 1 THEN '' WHEN n % 6 = 0 THEN 'EUR' ELSE 'DKK' END
FROM generate_series(1, 400) n, generate_series(1, 3) k WHERE n % 4 <> 3 OR n % 96 IN (7, 15);
SELECT * FROM pg_temp.marks_compared(ARRAY(SELECT 'M' || n FROM generate_series(0, 405) n) || ARRAY[NULL, 'M1', 'M2', 'nobody', '', 'M' || repeat('0', 3000)]);
SELECT * FROM pg_temp.marks_compared('{}');
SELECT * FROM pg_temp.marks_compared('{M3}');
-- a_source_that_states_what_is_open_has_the_same_marks_too
CREATE VIEW lb.v_stated AS SELECT i.debtor_id, i.invoice_id, i.issued_on, i.due_on, i.amount, i.currency,
    CASE WHEN i.amount > 7 THEN round(i.amount / 3, 2) WHEN i.amount > 5 THEN NULL ELSE i.amount END AS open_amount FROM dunning.invoice i;
GRANT SELECT ON lb.v_stated TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'lb.v_stated');
SELECT * FROM pg_temp.marks_compared(ARRAY(SELECT 'M' || n FROM generate_series(1, 400) n));
SELECT dunning.unbind('invoice');
-- who_may_not_read_the_ledger_reads_no_marks
SET ROLE dunning_viewer;
SELECT * FROM dunning._marks('{M1}', 'SELECT 1', 'SELECT 1');
RESET ROLE;
SELECT * FROM dunning._marks('{M1}', 'SELECT 1', 'SELECT 1');
DELETE FROM dunning.payment WHERE debtor_id LIKE 'M%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'M%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'M%';

-- persons_creditors_and_references_may_be_keys_of_any_type
CREATE FUNCTION pg_temp.rows_of(query text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE format('SELECT to_jsonb(q) FROM (%s) q', query); END $$;
CREATE TABLE lb.odd_debtor (debtor_id uuid PRIMARY KEY, person_id bigint, creditor int, email char(40));
CREATE TABLE lb.odd_invoice (invoice_id bigint PRIMARY KEY, debtor_id uuid, issued_on date, due_on date, amount float4, currency char(3), reference int, disputed_at timestamp);
INSERT INTO lb.odd_debtor VALUES ('00000000-0000-4000-8000-00000000000a', 7, 3, 'a@example.org'), ('00000000-0000-4000-8000-00000000000b', 7, 4, NULL);
INSERT INTO lb.odd_invoice VALUES (1, '00000000-0000-4000-8000-00000000000a', '2026-01-01', '2026-01-10', 12.5, 'EUR', 101, NULL),
    (2, '00000000-0000-4000-8000-00000000000a', '2026-01-01', '2026-01-11', 4, 'EUR', 102, '2026-02-01 12:00');
GRANT SELECT ON lb.odd_debtor, lb.odd_invoice TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'lb.odd_debtor'), dunning.bind('invoice', 'lb.odd_invoice');
SELECT right(debtor_id, 1) AS debtor, person_id, creditor, email FROM pg_temp.rows_of(dunning._ledger_sql('debtor')) AS x(r), jsonb_to_record(r) AS y(debtor_id text, person_id text, creditor text, email text) ORDER BY 1;
-- a_source_that_only_dates_disputes_is_believed_from_that_instant_on
SELECT i.invoice_id, i.disputed FROM pg_temp.rows_of(dunning._open_items_sql(NULL)) AS x(r), jsonb_to_record(r) AS i(invoice_id text, disputed boolean) ORDER BY 1;
SELECT i.invoice_id, i.disputed FROM pg_temp.rows_of(dunning._open_items_sql(NULL, quote_literal('2026-02-01 00:00+00') || '::timestamptz')) AS x(r), jsonb_to_record(r) AS i(invoice_id text, disputed boolean) ORDER BY 1;
SELECT m.mark, m.amounts FROM pg_temp.rows_of(dunning._mark_sql('ARRAY[''00000000-0000-4000-8000-00000000000a'']')) AS x(r), jsonb_to_record(r) AS m(mark text, amounts jsonb);
SELECT dunning.unbind('invoice'), dunning.unbind('debtor');

-- a_ledger_is_steady_unless_a_bound_relation_is_not
CREATE VIEW lb.v_restless AS SELECT i.debtor_id, i.invoice_id, i.issued_on, i.due_on, i.amount, i.currency FROM dunning.invoice i WHERE random() < 2;
GRANT SELECT ON lb.v_restless TO dunning_owner, dunning_worker;
SELECT dunning._ledger_steady() AS built_in;
SELECT dunning.bind('invoice', 'lb.v_stated');
SELECT dunning._ledger_steady() AS bound;
SELECT dunning.bind('invoice', 'lb.v_restless');
SELECT dunning._ledger_steady() AS restless;
SELECT dunning.unbind('invoice');
SELECT dunning._ledger_steady() AS unbound;

-- within_a_statement_a_change_of_the_sources_is_seen_at_once
CREATE TABLE lb.later_debtor (debtor_id text PRIMARY KEY, name text);
GRANT SELECT ON lb.later_debtor TO dunning_owner, dunning_worker;
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$ SELECT format('%s: %s', relation, (SELECT count(*) FROM jsonb_object_keys(columns))) FROM dunning._source_of('debtor') $$;
CREATE FUNCTION pg_temp.all_in_one_statement() RETURNS TABLE (done text, seen text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT 'nothing', pg_temp.seen() UNION ALL SELECT 'nothing, again', pg_temp.seen();
  PERFORM dunning.bind('debtor', 'lb.later_debtor');
  RETURN QUERY SELECT 'bound', pg_temp.seen();
  BEGIN
    ALTER TABLE lb.later_debtor ADD COLUMN person_id text;
    PERFORM dunning.bind('debtor', 'lb.later_debtor');
    RETURN QUERY SELECT 'bound with a column more', pg_temp.seen();
    PERFORM dunning.unbind('debtor');
    RAISE EXCEPTION USING MESSAGE = pg_temp.seen();
  EXCEPTION WHEN raise_exception THEN
    RETURN QUERY SELECT 'unbound', SQLERRM UNION ALL SELECT 'and all that undone', pg_temp.seen();
  END;
  ALTER TABLE lb.later_debtor RENAME TO renamed_debtor;
  BEGIN
    PERFORM pg_temp.seen();
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'renamed', SQLERRM;
  END;
END $$;
SELECT * FROM pg_temp.all_in_one_statement();
SELECT pg_temp.seen();
SELECT dunning.unbind('debtor');
SELECT * FROM dunning._source_of(NULL);
-- texts_that_read_the_same_end_to_end_are_not_taken_for_one_another
SELECT dunning._ledger_sql('payment', E'$1\n$2', '$3') = dunning._ledger_sql('payment', '$1', E'$2\n$3') AS the_same, dunning._ledger_sql('payment', '$1', '$2') = dunning._ledger_sql('payment', '$1', '$2') AS itself,
    dunning._ledger_sql('payment', NULL, '') = dunning._ledger_sql('payment', '', NULL) AS none_as_empty;

DELETE FROM dunning.ledger_load;
DELETE FROM dunning.creditor WHERE NOT builtin;
DELETE FROM dunning.creditor_change;
DROP ROLE lb_stranger;
DROP SCHEMA "Lb ""x" CASCADE;
DROP SCHEMA lb CASCADE;
SELECT kind, state FROM dunning.source;
