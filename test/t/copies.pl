# Copies that are made while the original sends: a base backup, a standby that is promoted, a logical replica, an upgraded cluster. What arrives at
# the gateway is what the original sent, each message once; none of them sends, though each has messages that are due.
use strict;
use warnings;
use Catcher;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = 'postgres';
my $many = 2000;
my $gateway = Catcher->new(delay => 20);
my $conf = qq{
shared_preload_libraries = 'dunning'
dunning.clock = '2026-06-22 10:00+02'
dunning.slots = 8
timezone = 'UTC'
} . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\n";
my $url = $gateway->http_url;

sub ledger_of
{
	my ($node, $n) = @_;
	return $node->safe_psql($db, qq{
		SET client_min_messages = error;
		CREATE EXTENSION dunning;
		CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', "from" 'a\@b.test', contract 'once', breaker_after '100000', rate '25/s');
		CREATE USER MAPPING FOR dunning_worker SERVER web;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT 'd' || i, 'Name', 'Given', 'en', 'DK', 'd' || i || '\@example.org' FROM generate_series(1, $n) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'd' || i, 'I', '2026-05-01', '2026-06-01', 100, 'DKK' FROM generate_series(1, $n) i;
	});
}
sub enqueue { my ($node, $from, $to) = @_; return $node->safe_psql($db, "SET client_min_messages = error; SELECT count(*) FROM generate_series($from, $to) i, dunning.send('d' || i, 'reminder-1', 'email')") }
sub sent { return $_[0]->safe_psql($db, 'SELECT count(*) FROM dunning.egress') }
sub waiting { return $_[0]->safe_psql($db, "SELECT count(*) FROM dunning.queue WHERE state = 'queued'") }

# It has a worker that has looked, messages that are due, and has written no intent since it began.
sub is_silent
{
	my ($node, $since, $name) = @_;
	ok($node->poll_query_until($db, "SELECT bool_and(state = 'not activated') FROM dunning.stat_worker HAVING count(*) > 0"), "$name: its worker looks and says that it is a copy");
	cmp_ok(waiting($node), '>', 0, "$name: messages wait that are due (" . waiting($node) . ')');
	return is(sent($node), $since, "$name: 0 sent");
}

my $node = PostgreSQL::Test::Cluster->new('original');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', $conf);
$node->start;
ledger_of($node, $many);

# --- a logical replica: it has the same extension, and gets the rows of the queue ---
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init;
$replica->append_conf('postgresql.conf', $conf);
$replica->start;
$replica->safe_psql($db, q{SET client_min_messages = error; CREATE EXTENSION dunning; SELECT dunning.maintain()});
$replica->safe_psql($db, qq{CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', "from" 'a\@b.test', contract 'once'); CREATE USER MAPPING FOR dunning_worker SERVER web});
$node->safe_psql($db, 'CREATE PUBLICATION all_of_it FOR TABLE dunning.debtor, dunning.invoice, dunning.message, dunning.queue, dunning.body, dunning.activation WITH (publish_via_partition_root = true)');
$replica->safe_psql($db, "CREATE SUBSCRIPTION all_of_it CONNECTION '" . $node->connstr . " dbname=$db' PUBLICATION all_of_it");

# --- the original sends, so slowly that messages are left when the last copy is made; a base backup is taken and two servers are made of it ---
enqueue($node, 1, $many);
$replica->poll_query_until($db, "SELECT count(*) = $many FROM dunning.queue WHERE state = 'queued'") or die 'nothing was replicated';
$node->safe_psql($db, 'SELECT dunning.activate()');
$node->poll_query_until($db, 'SELECT count(*) > 50 FROM dunning.egress') or die 'the original does not send';
$node->backup('while_sending');
cmp_ok(waiting($node), '>', $many / 10, 'the original is still sending when the backup is done');

my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($node, 'while_sending');
$copy->append_conf('postgresql.conf', "dunning.activation_directory = '" . $node->basedir . "'\n");
$copy->start;
my $copied = sent($copy);
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'while_sending', has_streaming => 1);
$standby->start;
$standby->promote;
$standby->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()') or die 'it was not promoted';
my $streamed = sent($standby);
is_silent($copy, $copied, 'a base backup beside it');
is_silent($standby, $streamed, 'a standby that was promoted');
$replica->poll_query_until($db, 'SELECT count(*) = 1 FROM dunning.activation') or die 'the token was not replicated';
is_silent($replica, 0, 'a logical replica that has the token, too');

# --- an upgraded cluster, of what is left when the original stops in the middle ---
$_->stop for $replica, $copy, $standby;
$node->safe_psql($db, "DROP PUBLICATION all_of_it; SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active");
$node->stop;
my $of_original = scalar $gateway->accepted;
my $new = PostgreSQL::Test::Cluster->new('upgraded');
$new->init;
$new->append_conf('postgresql.conf', $conf);
my $bindir = $ENV{DUNNING_NEW_BINDIR} || $node->config_data('--bindir');
my $upgraded = 0;
{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	# pg_upgrade writes where it stands; its servers have no workers of ours, whoever preloads us.
	$upgraded = run_log([ 'sh', '-c', "cd '$dir' && pg_upgrade --no-sync --old-bindir '" . $node->config_data('--bindir') . "' --new-bindir '$bindir' --old-datadir '" . $node->data_dir
		  . "' --new-datadir '" . $new->data_dir . "' --old-port " . $node->port . " --new-port " . $new->port . " --socketdir '" . $node->host . "' --username \$(id -un)" ]);
}
SKIP:
{
	skip 'pg_upgrade does not take these binaries', 4 unless $upgraded;
	is(scalar $gateway->accepted, $of_original, 'an upgraded cluster: nothing left while it was upgraded');
	copy($_, $new->basedir) for glob($node->basedir . '/*.activation');
	$new->start;
	my $since = sent($new);
	is_silent($new, $since, 'an upgraded cluster');
	$new->stop;
}

# --- the original goes on where it was, as fast as it can, and each got one ---
$node->start;
$node->safe_psql($db, 'ALTER SERVER web OPTIONS (DROP rate)');
$node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue WHERE state = 'queued'") or die 'the original does not end';
my %arrived;
$arrived{ $_->{recipient} }++ for $gateway->accepted;
my $unknown = $node->safe_psql($db, q{SELECT count(*) FROM dunning.message_state WHERE state = 'unknown'});
is(scalar(grep { $_ > 1 } values %arrived), 0, 'nobody got two');
cmp_ok(scalar(keys %arrived), '>=', $many - $unknown, "everybody got one, but for $unknown of whom nobody can tell");
my ($took, $certain) = (scalar $gateway->accepted, $node->safe_psql($db, q{SELECT count(*) FROM dunning.message_state WHERE state = 'sent'}));
ok($certain <= $took && $took <= sent($node), "what arrived ($took) is what the original sent ($certain for certain)");
$node->stop;
$gateway->stop;
done_testing();
