# DROP EXTENSION comes while a worker is in the middle of a transaction: it waits for it, and the worker for the next, and neither dies of the other.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(honour_keys => 1);
my $url = $gateway->http_url;
my $node = PostgreSQL::Test::Cluster->new('drop');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts
	  . "'\nmax_prepared_transactions = 2\ndeadlock_timeout = '100ms'\ntimezone = 'UTC'\n");
$node->start;

# Held are the tables that a worker writes at the beginning, in the middle and at the end of its transactions.
for my $table (qw(queue egress_head egress body outcome))
{
	$node->safe_psql('postgres', 'CREATE DATABASE book');
	$node->safe_psql('book', qq{
		CREATE EXTENSION dunning;
		INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
		CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'repeat');
		CREATE USER MAPPING FOR dunning_worker SERVER web;
		SELECT dunning.pause('web'), dunning.activate();
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT 'd' || i, 'Name', 'Given', 'en', 'DK', 'd' || i || '\@example.org' FROM generate_series(1, 20) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'd' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 20) i;
		SET client_min_messages = error;
		SELECT count(*) FROM generate_series(1, 20) i, dunning.send('d' || i, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = 'web', state = 'queued', due = now()});
	$node->poll_query_until('book', "SELECT state = 'idle' FROM dunning.stat_worker") or die 'no worker';
	$node->safe_psql('book', "SELECT dunning.resume('web'); BEGIN; LOCK TABLE dunning.$table IN SHARE ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'held'");
	$node->safe_psql('book', 'SELECT dunning._wake()');
	ok($node->poll_query_until('book', "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.backend_type = 'dunning worker' AND NOT l.granted"), "$table: the worker waits in the middle of its work");
	my $child = fork() // die;
	exec('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('book'), '-o', '/dev/null', '-c', 'SET client_min_messages = error', '-c', 'DROP EXTENSION dunning CASCADE') if $child == 0;
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.query LIKE 'DROP EXTENSION%' AND NOT l.granted"), "$table: who drops the extension waits");
	$node->safe_psql('book', "COMMIT PREPARED 'held'");
	waitpid($child, 0);
	is($?, 0, "$table: and it is dropped");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'dunning worker'"), "$table: the worker ends");
	$node->safe_psql('postgres', 'DROP DATABASE book WITH (FORCE)');
}
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'nobody met a deadlock');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
$gateway->stop;
done_testing();
