# health(): each misconfiguration is found, and its fix_sql, run as it stands, mends it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('health');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ntimezone = 'UTC'\nmax_worker_processes = 4\ndunning.secret_directory = '" . $node->data_dir . "/secrets'\n");
mkdir $node->data_dir . '/secrets', 0700 or die;
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE SERVER post TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
	CREATE SERVER calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
	SELECT dunning.activate();
	CREATE SCHEMA billing;
	CREATE TABLE billing.debtor AS SELECT 1::bigint AS debtor_id, 'Ada'::text AS name, 'Ada'::text AS given_name, 'en'::text AS language, 'GB'::text AS country, 'a@example.org'::text AS email;
	CREATE TABLE billing.invoice AS SELECT 1::bigint AS debtor_id, 'I'::text AS invoice_id, current_date - 40 AS issued_on, current_date - 20 AS due_on, 10::numeric AS amount, 'GBP'::text AS currency;
	CREATE TABLE billing.payment (debtor_id bigint, paid_at timestamptz, amount numeric, currency text);
	GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
	GRANT SELECT ON ALL TABLES IN SCHEMA billing TO dunning_owner, dunning_worker;
	SELECT dunning.bind('debtor', 'billing.debtor'), dunning.bind('invoice', 'billing.invoice'), dunning.bind('payment', 'billing.payment');
	SELECT * FROM dunning.maintain();
});
$node->safe_psql('postgres', "CREATE USER MAPPING FOR dunning_worker SERVER $_") for qw(mail text post calls);
$node->safe_psql('postgres', 'CALL dunning.daily()');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM dunning.stat_worker'), 'the worker runs');

sub wrong { return $node->safe_psql('postgres', "SELECT string_agg(item, ', ' ORDER BY item) FROM dunning.health() WHERE state <> 'ok'") }
is(wrong(), '', 'a_sound_installation_has_nothing_to_mend') or diag($node->safe_psql('postgres', "SELECT * FROM dunning.health() WHERE state <> 'ok'"));

# plant NAME, ITEM, CODE [, MEND]: MEND fills in what no database can know, such as a text, or does what SQL cannot.
sub plant
{
	my ($name, $item, $break, $complete) = @_;
	ref $break ? $break->() : $node->safe_psql('postgres', $break);
	my $found = $node->poll_query_until('postgres', "SELECT count(*) > 0 FROM dunning.health() h WHERE h.item ~ '$item' AND h.state <> 'ok'");
	ok($found, "$name: found") or return;
	my $fix = $node->safe_psql('postgres', "SELECT h.fix_sql FROM dunning.health() h WHERE h.item ~ '$item' AND h.state <> 'ok' LIMIT 1");
	isnt($fix, '', "$name: and what mends it is said");
	$fix = $complete->($fix) if $complete;
	# ALTER SYSTEM stands alone: each statement is sent by itself.
	for my $statement (split /;\s*/, $fix =~ s/--[^\n]*//gr) { $node->psql('postgres', $statement, on_error_stop => 0) if $statement =~ /\S/ }
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM dunning.health() h WHERE h.item ~ '$item' AND h.state <> 'ok'"), "$name: mended by $fix")
	  or diag($node->safe_psql('postgres', "SELECT * FROM dunning.health() WHERE state <> 'ok'"));
}
sub system_set { my ($set) = @_; return sub { $node->safe_psql('postgres', "ALTER SYSTEM SET $set"); $node->reload } }

plant('not activated', '^activation$', 'SELECT dunning.deactivate()');
plant('delivery off, by the server', '^delivery$', system_set("dunning.delivery = 'off'"));
plant('delivery off, by the database', '^delivery$', "ALTER DATABASE postgres SET dunning.delivery = 'off'");
plant('redirect on, by the database', '^redirect$', "ALTER DATABASE postgres SET dunning.redirect_to = 'a\@example.org'");
plant('redirect on, by the server', '^redirect$', system_set("dunning.redirect_to = 'a\@example.org'"));
plant('virtual clock, by the database', '^clock$', "ALTER DATABASE postgres SET dunning.clock = '2026-06-22 10:00+02'");
plant('virtual clock, by the server', '^clock$', system_set("dunning.clock = '2026-06-22 10:00+02'"));
plant('server without mapping', '^server web$', q{CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://gateway.example/', preset 'generic-json-bearer')},
	sub { my ($fix) = @_; append_to_file($node->data_dir . '/secrets/web.secret', 'x'); chmod 0600, $node->data_dir . '/secrets/web.secret'; return $fix =~ s/secret_file '\.\.\.'/secret_file 'web.secret'/r });
$node->safe_psql('postgres', 'DROP SERVER IF EXISTS web CASCADE');
plant('world-readable secret', '^server loose$', sub {
		append_to_file($node->data_dir . '/secrets/loose.secret', 'x'); chmod 0644, $node->data_dir . '/secrets/loose.secret';
		$node->safe_psql('postgres', q{CREATE SERVER loose TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://gateway.example/', preset 'generic-json-bearer')});
		$node->safe_psql('postgres', q{CREATE USER MAPPING FOR dunning_worker SERVER loose OPTIONS (secret_file 'loose.secret')}) },
	sub { my ($fix) = @_; like($fix, qr/chmod/, 'the hint names the command'); chmod 0600, $node->data_dir . '/secrets/loose.secret'; return '' });
$node->safe_psql('postgres', 'DROP SERVER loose CASCADE');
plant('paused server', '^server mail$', "SELECT dunning.pause('mail')");
plant('channel without a server', '^channel sms$', 'DROP SERVER text CASCADE', sub { $_[0] =~ s/driver '…'/driver 'mock'/r . "\nCREATE USER MAPPING FOR dunning_worker SERVER my_sms;" });
plant('missing partition', '^partitions$', q{DO $$ DECLARE t text; BEGIN FOR t IN SELECT format('dunning.%I', relname) FROM pg_class
	WHERE relkind = 'r' AND relname ~ to_char((clock_timestamp() AT TIME ZONE 'UTC') + interval '1 month', '"_y"YYYY"m"MM"$"') LOOP EXECUTE 'DROP TABLE ' || t; END LOOP; END $$});
plant('stale ledger', '^source payment$', q{SELECT dunning.bind('payment', 'billing.payment', max_age => '26 hours'); SELECT dunning.ledger_loaded('payment', now() - interval '3 days')},
	sub { $_[0] =~ s/'…'/now()/r });
$node->safe_psql('postgres', q{SELECT dunning.bind('payment', 'billing.payment')});
plant('broken source', '^source invoice$', 'ALTER TABLE billing.invoice RENAME COLUMN amount TO amount_due',
	sub { my ($fix) = @_; $node->safe_psql('postgres', 'CREATE VIEW billing.v_invoice AS SELECT i.debtor_id, i.invoice_id, i.issued_on, i.due_on, i.amount_due AS amount, i.currency FROM billing.invoice i;
		GRANT SELECT ON billing.v_invoice TO dunning_owner, dunning_worker'); return $fix =~ s/billing\.invoice\b/billing.v_invoice/r });
plant('missing template language', '^templates$', q{UPDATE billing.debtor SET language = 'fr'}, sub { return join "\n", map { "SELECT * FROM dunning.save_template('$$_[0]', '$$_[1]', 'fr', 'Sujet', 'Texte {{amount | money}}');" }
	map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', q{SELECT DISTINCT s.template, c FROM dunning.step s, unnest(s.channels) c WHERE s.enabled}) });
$node->safe_psql('postgres', q{UPDATE billing.debtor SET language = 'en'});
# Rows under an open snapshot cannot be cleared: who holds it ends, and then what mends it does.
$node->safe_psql('postgres', 'ALTER TABLE dunning.queue SET (autovacuum_enabled = off)');
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
plant('dead rows', '^dead rows$', q{
	INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, channel) SELECT 'h-' || i, dunning._uuid7(), 'default', 0, 'held', dunning._now(), 'email' FROM generate_series(1, 110000) i;
	DELETE FROM dunning.queue WHERE debtor_id LIKE 'h-%'},
	sub { my ($fix) = @_; like($node->safe_psql('postgres', q{SELECT detail FROM dunning.health() WHERE item = 'dead rows'}), qr/^queue: 1[1-9]\d{4} dead of \d+, /, 'how many of how many');
		my ($why) = $fix =~ /; (SELECT .*);$/; is($node->safe_psql('postgres', "SELECT count(*) FROM ($why) x WHERE state = 'idle in transaction'"), 1, 'and who keeps them is found');
		$holder->quit; return $fix });
$node->safe_psql('postgres', 'ALTER TABLE dunning.queue RESET (autovacuum_enabled)');
plant('no worker', '^worker$', system_set("dunning.databases = 'elsewhere'"));

# exhausted_workers: the postmaster has room for its launcher and one more.
$node->append_conf('postgresql.conf', "max_worker_processes = 1\n");
$node->restart;
plant('exhausted workers', '^worker$', 'SELECT 1', sub { my ($fix) = @_; like($fix, qr/max_worker_processes/, 'the hint names the setting');
		$node->append_conf('postgresql.conf', "max_worker_processes = 8\n"); $node->safe_psql('postgres', $_) for grep { /\S/ } split /;\s*/, $fix =~ s/--.*//r; $node->restart; return '' });

is(wrong(), '', 'and nothing is left to mend') or diag($node->safe_psql('postgres', "SELECT * FROM dunning.health() WHERE state <> 'ok'"));
$node->stop;
done_testing();
