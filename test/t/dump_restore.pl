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
my @vars = ('-v', 'debtors=300', '-v', 'seed=7', '-v', 't0=2026-06-22');
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
	SELECT dunning.promise('100003', 10, 'DKK', '2026-07-01');
	SELECT dunning.save_template('reminder-1', 'sms', 'en', NULL,
		'Hello {{given_name}}, {{amount | money}} is due: {{pay_url}} Already paid? Ignore this. {{creditor_name}}');
	SELECT dunning.activate();
});
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

my $dump = $node->basedir . '/book.sql';
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('book') ], 'pg_dump');

my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init;
$copy->append_conf('postgresql.conf', $settings);
$copy->start;
$copy->safe_psql('postgres', 'CREATE DATABASE book');
# Roles are the cluster's: a restore into a new cluster makes them first, as pg_dumpall would.
$copy->safe_psql('postgres', 'CREATE ROLE dunning_owner NOLOGIN; CREATE ROLE dunning_admin NOLOGIN; CREATE ROLE dunning_operator NOLOGIN;
	CREATE ROLE dunning_viewer NOLOGIN; CREATE ROLE dunning_worker LOGIN PASSWORD NULL CONNECTION LIMIT 0');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $copy->connstr('book'), '-f', $dump ],
	'the dump restores under ON_ERROR_STOP');
is($copy->safe_psql('book', $counts), $before, 'every table has the same rows');

my $sent = $copy->safe_psql('book', 'SELECT count(*) FROM dunning.egress');
$copy->safe_psql('book', q{ALTER DATABASE book SET dunning.clock = '2026-06-24 10:00+02'});
my ($rc, $out, $err) = $copy->psql('book', q{CALL dunning.deliver(max_seconds => 5)});
is($copy->safe_psql('book', 'SELECT count(*) FROM dunning.egress'), $sent, 'the restored copy sends nothing');

# A second dump of the copy is the same dump: nothing was lost or doubled on the way.
$node->stop;
$copy->stop;
done_testing();
