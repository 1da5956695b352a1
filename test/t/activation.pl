# A copy of an activated database sends nothing, however it was made; a deliberate takeover does.
use strict;
use warnings;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PostgreSQL::Test::RecursiveCopy;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('original');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'dunning'
dunning.clock = '2026-06-22 10:00+02'
timezone = 'UTC'
});
$node->start;
my $db = 'postgres';

$node->safe_psql($db, q{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'd' || i, 'Name', 'Given', 'en', 'DK', 'd' || i || '@example.org' FROM generate_series(1, 40) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
	SELECT 'd' || i, 'I', '2026-05-01', '2026-06-01', 100, 'DKK' FROM generate_series(1, 40) i;
});

# What a copy would have to send: a message queued on the copy itself, or one that came along.
sub enqueue
{
	my ($n, $from) = @_;
	$n->safe_psql($db, "SET client_min_messages = error; SELECT count(*) FROM generate_series($from, $from + 2) i, dunning.send('d' || i, 'reminder-1', 'email')");
}
sub sent { return $_[0]->safe_psql($db, 'SELECT count(*) FROM dunning.egress') }
sub queued { return $_[0]->safe_psql($db, "SELECT count(*) FROM dunning.queue WHERE state = 'queued'") }
sub worker_says
{
	my ($n, $state) = @_;
	return $n->poll_query_until($db, "SELECT state = '$state' FROM dunning.stat_worker");
}

# nothing_leaves_before_activate
enqueue($node, 1);
ok(worker_says($node, 'not activated'), 'the worker waits for activate()');
is(sent($node), 0, 'nothing leaves before activate');

# activate_lets_what_waits_go
is($node->safe_psql($db, 'SELECT dunning.activate()'), 'active', 'activate');
ok($node->poll_query_until($db, 'SELECT count(*) = 3 FROM dunning.egress'), 'what waited leaves');
my ($file) = glob($node->basedir . '/*.activation');
ok($file, 'the file stands beside the data directory');
is((stat($file))[2] & 07777, 0600, 'the file is its owner\'s alone');

# A message that every copy takes along.
$node->safe_psql($db, "SELECT dunning.pause('mail')");
enqueue($node, 4);
my $before = sent($node);
$node->backup('copied');

# a_base_backup_on_the_same_host_is_silent
my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($node, 'copied');
# The worst case: the copy looks for its file where the original keeps it.
my $directory = $node->basedir;
$copy->append_conf('postgresql.conf', "dunning.activation_directory = '$directory'\n");
$copy->start;
$copy->safe_psql($db, "SELECT dunning.resume('mail')");
enqueue($copy, 10);
ok(worker_says($copy, 'not activated'), 'the worker of a base backup stays silent');
like($copy->safe_psql($db, 'SELECT reason FROM dunning._activation_state()'), qr/names the data directory/, 'and says which part differs');
is(sent($copy), $before, 'a base backup sends nothing');
$copy->append_conf('postgresql.conf', "dunning.activation_directory = ''\n");
$copy->reload;
ok($copy->poll_query_until($db, q{SELECT reason ~ 'cannot be read' FROM dunning._activation_state()}), 'nor without the file');
is(sent($copy), $before, 'a base backup without the file sends nothing');

# activate_alone_does_not_turn_a_copy_into_the_original
my ($rc, $out, $err) = $copy->psql($db, 'SELECT dunning.activate()');
like($err, qr/another copy of this database may be sending/, 'a copy is not activated by accident');
like($err, qr/takeover => true/, 'the hint says how it would be');
($rc, $out, $err) = $copy->psql($db, 'SELECT dunning.activate(takeover => true)');
like($err, qr/6 messages in the queue/, 'a takeover must say what becomes of the backlog');
is($copy->safe_psql($db, "SELECT dunning.activate(takeover => true, backlog => 'cancel')"),
	'taken over: this database sends now, 6 messages of the backlog cancelled', 'takeover');
is(queued($copy), 0, 'the backlog is cancelled');
enqueue($copy, 20);
ok($copy->poll_query_until($db, "SELECT count(*) = $before + 3 FROM dunning.egress"), 'then it sends');
$copy->stop;

# a_file_copy_of_a_stopped_cluster_is_silent_also_in_the_place_of_the_original
$node->stop;
my $data = $node->data_dir;
PostgreSQL::Test::RecursiveCopy::copypath($data, "$data.copied");
rename($data, "$data.original") or die "rename: $!";
rename("$data.copied", $data) or die "rename: $!";
chmod(0700, $data);
$node->start;
$node->safe_psql($db, "SELECT dunning.resume('mail')");
ok(worker_says($node, 'not activated'), 'the worker of a copied directory stays silent');
like($node->safe_psql($db, 'SELECT reason FROM dunning._activation_state()'), qr/inode differs/, 'the inode tells the copy');
is(sent($node), $before, 'a copied directory sends nothing');
$node->stop;
rename($data, "$data.copied") or die "rename: $!";
rename("$data.original", $data) or die "rename: $!";
$node->start;

# a_promoted_standby_is_silent_until_a_takeover
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copied', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
like($standby->safe_psql($db, 'SELECT reason FROM dunning._activation_state()'), qr/standby/, 'a standby does not send');
$standby->promote;
ok($standby->poll_query_until($db, "SELECT state = 'not activated' FROM dunning.stat_worker"), 'a promoted standby does not send');
$standby->safe_psql($db, "SELECT dunning.resume('mail')");
is(sent($standby), $before, 'nothing leaves from a promoted standby');
$standby->safe_psql($db, "SELECT dunning.activate(takeover => true, backlog => 'keep')");
ok($standby->poll_query_until($db, "SELECT count(*) = $before + 3 FROM dunning.egress"), 'after a takeover it sends what waited');
$standby->stop;

# a_dump_and_a_cloned_database_are_silent
my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr($db) ], 'pg_dump');
unlike(slurp_file($dump), qr/COPY dunning.activation/, 'the token is in no dump');
$node->safe_psql($db, 'CREATE DATABASE restored');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ], 'restore');
is($node->safe_psql('restored', 'SELECT reason FROM dunning._activation_state()'), 'This database has not been activated.', 'a restored dump does not send');
$node->safe_psql($db, "ALTER SYSTEM SET dunning.databases = ''");
$node->reload;
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'dunning worker'"), 'workers end when the list is empty');
$node->safe_psql('template1', "CREATE DATABASE clone TEMPLATE $db");
like($node->safe_psql('clone', 'SELECT reason FROM dunning._activation_state()'), qr/cannot be read|another database/, 'a cloned database does not send');

# deactivate_stops_and_activate_goes_on_without_takeover
is($node->safe_psql($db, 'SELECT dunning.deactivate()'), 't', 'deactivate');
is($node->safe_psql($db, 'SELECT dunning.activate()'), 'active', 'the same database is activated again without a takeover');

$node->stop;
done_testing();
