# Every public call with every odd value in every argument, the others good: an answer, or an error that a person can act upon.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nshared_preload_libraries = 'dunning'\ndunning.databases = ''\n");
$node->start;
my $db = 'postgres';
$node->safe_psql($db, 'CREATE EXTENSION dunning');
$node->safe_psql($db, <<'SQL');
SET client_min_messages = error;
-- a small book
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone) SELECT 'd'||i, 'Name', 'Given', 'en','DK', 'd'||i||'@example.org','+4520304050' FROM generate_series(1,20) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'd'||i,'I'||i, current_date-40, current_date-12, 100,'DKK' FROM generate_series(1,20) i;
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE SCHEMA bad;
CREATE TABLE bad.result (call text, state text, message text, detail text, hint text, context text, ms float8);
CREATE TABLE bad.train AS SELECT i AS a, random() b, i%2 = 0 AS y FROM generate_series(1,400) i;
CREATE FUNCTION bad.try(call text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s text; m text; d text; h text; c text; t timestamptz := clock_timestamp();
BEGIN
  BEGIN
    EXECUTE call;
    RAISE EXCEPTION SQLSTATE 'ZZ000';
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, c = PG_EXCEPTION_CONTEXT;
  END;
  INSERT INTO bad.result VALUES (call, s, m, d, h, c, extract(epoch from clock_timestamp()-t)*1000);
END $$;
CREATE TABLE bad.odd (type text, value text);
INSERT INTO bad.odd VALUES
 ('text','NULL'),('text',''''''),('text','''no such thing'''),('text','repeat(''x'',100000)'),('text','E''a\r\nb'''),('text','''%s %L { } \'''),('text',''''' || chr(1)'),('text','''Ωß😀'''),('text','''NaN'''), ('text',''' d1 '''), ('text','''{{a}}'''),
 ('timestamp with time zone','NULL'),('timestamp with time zone','''infinity'''),('timestamp with time zone','''-infinity'''),('timestamp with time zone','''4713-01-02 BC'''),('timestamp with time zone','''294276-12-31'''),('timestamp with time zone','''2100-02-28 23:59'''),('timestamp with time zone','''1900-01-01'''),
 ('date','NULL'),('date','''infinity'''),('date','''-infinity'''),('date','''4713-01-02 BC'''),('date','''5874897-12-31'''),('date','''2100-02-28'''),
 ('integer','NULL'),('integer','0'),('integer','-1'),('integer','2147483647'),('integer','-2147483648'),
 ('smallint','NULL'),('bigint','NULL'),
 ('numeric','NULL'),('numeric','''NaN'''),('numeric','''Infinity'''),('numeric','-1'),('numeric','0'),('numeric','1e100'),('numeric','1e-30'),
 ('double precision','NULL'),('double precision','''NaN'''),('double precision','''Infinity'''),('double precision','-1'),('double precision','0'),('double precision','1e300'),
 ('boolean','NULL'),('boolean','true'),('boolean','false'),
 ('interval','NULL'),('interval','''-1 day'''),('interval','''0'''),('interval','''100000 years'''),('interval','''1 month -30 days'''),
 ('uuid','NULL'),('uuid','''00000000-0000-0000-0000-000000000000'''),('uuid','''ffffffff-ffff-ffff-ffff-ffffffffffff'''),
 ('jsonb','NULL'),('jsonb','''null'''),('jsonb','''[]'''),('jsonb','''{}'''),('jsonb','''"x"'''),('jsonb','''5'''),('jsonb','''{"a":null}'''),('jsonb','''{"a":{"b":[1,null]}}'''),('jsonb','''[null]'''),('jsonb','''[{}]'''),('jsonb','''[{"amount":"x","due_on":"x","currency":5}]'''),('jsonb','''{"text":5,"amount":"NaN","at":"x"}'''),('jsonb','''{"amount":1e400}'''),('jsonb','''[{"amount":1e400,"currency":"DKK","due_on":"infinity"}]'''),('jsonb','''{"*":"x"}'''),('jsonb','''{"a":1,"b":"NaN"}'''),
 ('text[]','NULL'),('text[]','''{}'''),('text[]','''{NULL}'''),('text[]','''{"",x}'''),('text[]','''{{a,b},{c,d}}'''),('text[]','''[5:6]={a,b}'''),
 ('oid','NULL'),('oid','0'),
 ('regclass','NULL'),('regclass','''pg_class'''),('regclass','''pg_type_oid_index'''),('regclass','999999::oid'),('regclass','''dunning.debtor'''),('regclass','''bad.train'''),
 ('record','NULL'),('record','ROW()'),('record','ROW(1,2)'),('record','(SELECT t FROM bad.train t LIMIT 1)');
CREATE TABLE bad.good (name text, value text);
INSERT INTO bad.good VALUES ('debtor_id','''d1'''),('template','''reminder-1'''),('channel','''email'''),('at','now()'),('from_time','now()'),('until_time','now() + interval ''3 days'''),('from_date','current_date'),('until_date','current_date + 30'),('country','''DK'''),('region','NULL'),('language','''en'''),('context','dunning._sample_context()'),('server','''mail'''),('kind','NULL'),('amount','10'),('currency','''DKK'''),('due_on','current_date + 5'),('instalments','jsonb_build_array(jsonb_build_object(''amount'',10,''currency'',''DKK'',''due_on'',current_date+3))'),
 ('reason','''manual'''),('name','''thing'''),('strategy','''standard'''),('step','''reminder-1'''),('position','3'),('offset_days','5'),('channels','''{email}'''),('search','''name'''),('message_id','(SELECT message_id FROM dunning.message LIMIT 1)'),('purpose','''pay'''),('token','''abc'''),('address','''a@example.org'''),('to_address','''a@example.org'''),('cost','1'),('share','0.1'),('arms','''{"a":1,"b":1}'''),('creditor','''default'''),('segment','''seg'''),('predicate','''true'''),('preset','''p'''),('method','''POST'''),('format','''json'''),('body','''x'''),('headers','''{}'''),('rule','''r-1'''),('windows','''Mon-Fri 08:00-20:00'''),('on_date','''2027-01-05'''),('model','''m1'''),('query','''SELECT a, b, y FROM bad.train'''),('label','''y'''),('version','1'),('target','''paid_30d'''),('experiment','''exp'''),('outcome','''reached'''),('task_id','(SELECT task_id FROM dunning.task LIMIT 1)'),('hold_id','(SELECT hold_id FROM dunning.hold LIMIT 1)'),('run_id','(SELECT run_id FROM dunning.plan_run LIMIT 1)'),('description','''what it is for'''),('subject','''Hello {{name}}'''),('body_text','''Pay {{amount | money}}'''),('value','''5'''),('relation','''dunning.debtor'''),('complete_until','now()'),('input','(SELECT t FROM bad.train t LIMIT 1)'),('options','''{}''::text[]'),('catalog','1417');
SET statement_timeout = '30s';
SELECT dunning.save_creditor('c2','C2');
SELECT count(*) FROM dunning.fit('m1','SELECT a, b, y FROM bad.train','y','logistic');
SELECT count(*) FROM dunning.send('d1','reminder-1','email');
SELECT count(*) FROM dunning.plan();
SELECT count(*) FROM dunning.hold('d2','manual');
SELECT count(*) FROM dunning.start_experiment('exp','{"a":1,"b":1}');
SELECT count(*) FROM dunning.record_event('called_in','d3');
CREATE TABLE bad.calls AS
WITH f AS (
 SELECT p.oid, p.proname, p.pronargs, p.pronargdefaults, a.n, coalesce(p.proargnames[a.n], 'arg'||a.n) AS name, format_type(t.t, NULL) AS type, a.n > p.pronargs - p.pronargdefaults AS def
 FROM pg_proc p, unnest(p.proargtypes) WITH ORDINALITY t(t, n), LATERAL (SELECT t.n) a
 WHERE p.pronamespace = 'dunning'::regnamespace AND p.proname !~ '^_' AND p.prokind = 'f'),
g AS (SELECT f.*, CASE WHEN f.def THEN NULL WHEN f.proname IN ('record_event') AND f.name='kind' THEN '''replied''' WHEN f.proname='bind' AND f.name='kind' THEN '''debtor''' WHEN f.proname in ('unbind','ledger_loaded') AND f.name='kind' THEN '''debtor''' ELSE coalesce((SELECT v.value FROM bad.good v WHERE v.name = f.name), 'NULL') END AS good FROM f)
SELECT format('SELECT * FROM dunning.%I(%s)', g.proname, string_agg(format('%s => %s', quote_ident(a.name), format('(%s)::%s', CASE WHEN a.n = g.n THEN o.value ELSE a.good END, a.type)), ', ' ORDER BY a.n)) AS call, g.proname
FROM g JOIN bad.odd o ON o.type = g.type OR (o.type='record' AND g.type='record') JOIN g a ON a.oid = g.oid AND (a.good IS NOT NULL OR a.n = g.n)
GROUP BY g.oid, g.proname, g.n, o.value, g.type
UNION ALL
SELECT format('SELECT * FROM dunning.%I(%s)', f.proname, string_agg('NULL::' || f.type, ', ' ORDER BY f.n)), f.proname FROM f GROUP BY f.oid, f.proname
UNION ALL
SELECT format('SELECT * FROM dunning.%I(%s)', g.proname, coalesce(string_agg(format('(%s)::%s', g.good, g.type), ', ' ORDER BY g.n) FILTER (WHERE g.good IS NOT NULL),'')), g.proname FROM g GROUP BY g.oid, g.proname;
SQL

# Each call is taken back, whatever it did. A call that never ends is ended, and counts as wrong.
my $n = $node->safe_psql($db, q{SET client_min_messages = error; SET statement_timeout = '240s';
	SELECT count(bad.try(c.call)) FROM (SELECT call FROM bad.calls ORDER BY proname, call) c});
cmp_ok($n, '>', 2000, "$n calls came back");

sub none
{
	my ($what, $condition) = @_;
	my $wrong = $node->safe_psql($db, "SELECT state, left(call, 300), left(message, 200) FROM bad.result WHERE $condition ORDER BY call LIMIT 8");
	is($wrong, '', $what);
	return;
}
# What the caller's own SQL does wrong (a query to train on) is told in the server's words.
my $own_sql = q{call ~ '^SELECT \* FROM dunning\.(fit|evaluate|check_drift)\(' AND state = '42601'};
none('no internal error, no crash of a statement', "state LIKE 'XX%' OR state LIKE '57%' OR state LIKE '2F%' OR state LIKE '3%'");
none('no constraint of a table speaks for a check', "state LIKE '23%'");
none('no error without a code of its own', "state LIKE 'P0%' OR state = '0A000'");
none('no undefined thing inside', "state LIKE '42%' AND coalesce(hint, '') = '' AND coalesce(detail, '') = '' AND NOT ($own_sql)");
none('each error says more than that something is wrong', "state <> 'ZZ000' AND coalesce(hint, '') = '' AND coalesce(detail, '') = '' AND call !~ 'dunning_gateway_validator' AND NOT ($own_sql)");
none('nothing takes seconds', 'ms > 10000');
cmp_ok($node->safe_psql($db, "SELECT count(*) FROM bad.result WHERE state = 'ZZ000'"), '>', 400, 'and good values are taken');

# Procedures commit, so they are called by themselves.
for my $call ('daily(NULL)', "daily('no such')", "daily('')", 'deliver(NULL, NULL)', 'deliver(0)', 'deliver(-1)', 'deliver(1, 0)', 'deliver(1, -5)', 'deliver(2147483647, 1)')
{
	my ($rc, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\nSET client_min_messages = error;\nCALL dunning.$call", timeout => 60);
	ok($rc == 0 || $err =~ /ERROR:  (22023|55000|DN\d\d\d):/ && $err =~ /HINT|DETAIL/, "CALL $call") or diag($err);
}
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC|XX000|cache lookup failed/, 'no process crashed');
$node->stop;
done_testing();
