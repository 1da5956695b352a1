# A dump restores under ON_ERROR_STOP into another server with the same rows in every table, and the copy is silent.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $settings = "shared_preload_libraries = 'dunning'\ndunning.databases = ''\n";
my $node = PostgreSQL::Test::Cluster->new('origin');
$node->init;
$node->append_conf('postgresql.conf', $settings);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
my $root = $ENV{DUNNING_ROOT};
my @vars = ('-v', 'debtors=300', '-v', 'seed=7', '-v', 't0=2026-06-22', '-v', "habits=$root/examples/demo/habits/households.sql");
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('book'), @vars,
	'-c', 'CREATE EXTENSION dunning', '-f', "$root/examples/demo/generate.sql", '-f', "$root/examples/demo/bind.sql" ],
	'the demo book loads');

# Put something into every room through the calls a user makes.
$node->safe_psql('book', q{
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	CREATE USER MAPPING FOR dunning_worker SERVER text;
	ALTER DATABASE book SET dunning.clock = '2026-06-22 10:00+02';
	ALTER DATABASE book SET timezone = 'UTC';
});
$node->safe_psql('book', q{SELECT count(*) FROM dunning.score()});
$node->safe_psql('book', q{SELECT count(*) FROM dunning.plan()});
$node->safe_psql('book', q{
	SELECT dunning.hold('100001', 'hardship');
	SELECT dunning.suppress('gone@debtors.test', 'email', 'bounced');
	SELECT dunning.record_event('called_in', '100002');
	SELECT dunning.promise(o.debtor_id, 1, o.currency, '2026-07-01')
	FROM (SELECT d.debtor_id, b.currency FROM billing.v_debtor v, LATERAL (SELECT v.debtor_id::text AS debtor_id) d, LATERAL dunning.balance(d.debtor_id) b
	      WHERE b.balance > 10 AND v.debtor_id > 100002 ORDER BY 1, 2 LIMIT 1) o;
	SELECT dunning.save_template('reminder-1', 'sms', 'en', NULL,
		'Hello {{given_name}}, {{amount | money}} is due: {{pay_url}} Already paid? Ignore this. {{creditor_name}}');
	SELECT dunning.activate();
});
# Charges: two rules and rates of our own, a fee, posted interest, one waived.
$node->safe_psql('book', q{
	SELECT dunning.save_creditor(d.creditor, d.creditor) FROM (SELECT DISTINCT v.creditor FROM billing.v_debtor v) d;
	SELECT dunning.save_charging(c.creditor, fees => true, interest => true) FROM (SELECT DISTINCT d.creditor FROM billing.v_debtor d) c;
	SELECT dunning.save_interest_rule(c.country, k.kind, 'own-rate', 5, '2020-01-01', source => 'the contract')
	FROM (SELECT DISTINCT d.country FROM billing.v_debtor d) c, (VALUES ('person'), ('company')) k(kind);
	SELECT dunning.set_rate('own-rate', 3, '2020-01-01', source => 'the contract');
	SELECT dunning.save_charge_rule(c.country, k.kind, 'handling', c.currency, 10, '2020-01-01', kind => 'cost', source => 'the contract')
	FROM (SELECT d.country, min(i.currency) AS currency FROM billing.v_debtor d JOIN billing.v_invoice i ON i.debtor_id = d.debtor_id GROUP BY 1) c, (VALUES ('person'), ('company')) k(kind);
});
cmp_ok($node->safe_psql('book', q{SELECT count(*) FROM dunning.assess_charges()}), '>', 10, 'fees and interest are posted');
$node->safe_psql('book', q{SELECT dunning.waive((SELECT min(c.charge_id::text)::uuid FROM dunning.charge c), 'goodwill')});
my $charges = q{SELECT string_agg(to_jsonb(c)::text, E'\n' ORDER BY c.charge_id) FROM dunning.charge c};
my $charged = $node->safe_psql('book', $charges);
$node->safe_psql('book', q{CALL dunning.deliver(max_seconds => 20)});

my $counts = q{
	SELECT string_agg(format('%s=%s', c.relname,
		(xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM dunning.%I', c.relname), false, true, '')))[1]::text),
		E'\n' ORDER BY c.relname)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'dunning' AND c.relkind IN ('r', 'p') AND c.relname <> 'activation'};
my $before = $node->safe_psql('book', $counts);
like($before, qr/^queue=[1-9]/m, 'there is a queue to lose');
like($before, qr/^message=[1-9]/m, 'there are messages to lose');
like($before, qr/^egress=[1-9]/m, 'there is an egress ledger to lose');

# Rights, owners, months attached to their parents, dump filters: what a table is beside its rows.
my $shape = q{
	SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
		SELECT c.relname || ' ' || c.relkind::text || ' ' || c.relowner::regrole::text || coalesce(' of ' || i.inhparent::regclass::text || ' ' || pg_get_expr(c.relpartbound, c.oid), '') ||
			coalesce((SELECT string_agg(e::text, ' ' ORDER BY e::text COLLATE "C") FROM unnest(c.relacl) e), '') AS line
		FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p', 'v')
		UNION ALL SELECT 'column ' || a.attrelid::regclass::text || '.' || a.attname || ' ' || (SELECT string_agg(e::text, ' ' ORDER BY e::text COLLATE "C") FROM unnest(a.attacl) e)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'dunning'::regnamespace AND a.attacl IS NOT NULL
		UNION ALL SELECT 'index ' || pg_get_indexdef(x.indexrelid) FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid WHERE c.relnamespace = 'dunning'::regnamespace
		UNION ALL SELECT 'routine ' || p.oid::regprocedure::text || ' ' || p.proowner::regrole::text || coalesce((SELECT string_agg(e::text, ' ' ORDER BY e::text COLLATE "C") FROM unnest(p.proacl) e), '') FROM pg_proc p WHERE p.pronamespace = 'dunning'::regnamespace
		UNION ALL SELECT 'member ' || (pg_identify_object(d.classid, d.objid, 0)).identity FROM pg_depend d
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'dunning')
	) x};
my $before_shape = $node->safe_psql('book', $shape);
like($before_shape, qr/^egress_y\d{4}m\d\d r .* of dunning\.egress/m, 'there are months to lose');

my $dump = $node->basedir . '/book.sql';
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('book') ], 'pg_dump');

my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init;
$copy->append_conf('postgresql.conf', $settings);
$copy->start;
$copy->safe_psql('postgres', 'CREATE DATABASE book');
# The five roles do not exist there yet: CREATE EXTENSION makes them before the dump gives them anything.
is($copy->safe_psql('postgres', q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^dunning_'}), '0', 'the new cluster has none of our roles');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $copy->connstr('book'), '-f', $dump ],
	'the dump restores under ON_ERROR_STOP');
is($copy->safe_psql('book', $counts), $before, 'every table has the same rows');

is($copy->safe_psql('book', $charges), $charged, 'every charge is as it was, though the guard of its table was there before it');
is($copy->safe_psql('book', 'SELECT count(*) FROM dunning.verify_charges()'), '0', 'and matches its seal');
isnt($copy->psql('book', q{INSERT INTO dunning.charge (debtor_id, invoice_id, level, amount) SELECT c.debtor_id, c.invoice_id, 'annoyance', 5 FROM dunning.charge c LIMIT 1}), 0, 'which refuses there too');
is($copy->safe_psql('book', $shape), $before_shape, 'owners, rights, months and indexes are as before');

# A dump of the copy is the same dump: nothing was lost or doubled on the way. (Keys of \restrict are random.)
my @dumped = map { my $which = $_; my $file = $which->basedir . '/again.sql';
	command_ok([ 'pg_dump', '-f', $file, '-d', $which->connstr('book') ], 'pg_dump again');
	join "\n", sort grep { !/^\\(un)?restrict / } split /\n/, slurp_file($file) } $node, $copy;
ok($dumped[0] eq $dumped[1], 'a dump of the copy has the same lines');

# Silent: no file of the copy's cluster says that it may send, however much is due.
$copy->safe_psql('postgres', q{ALTER DATABASE book SET dunning.clock = '2026-06-24 10:00+02'});
cmp_ok($copy->safe_psql('book', q{SELECT count(*) FROM dunning.queue WHERE state = 'queued' AND due <= dunning._now()}), '>', 0, 'something is due in the copy');
my $sent = $copy->safe_psql('book', 'SELECT count(*) FROM dunning.egress');
my ($rc, $out, $err) = $copy->psql('book', q{CALL dunning.deliver(max_seconds => 5)});
like("$out$err", qr/activate/, 'it says what would let it send');
is($copy->safe_psql('book', 'SELECT count(*) FROM dunning.egress'), $sent, 'the restored copy sends nothing');
$node->stop;
$copy->stop;
done_testing();
