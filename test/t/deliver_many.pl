# Several workers of one database, several databases, and what a DBA does to them while they send.
use strict;
use warnings;
use Catcher;
use Time::HiRes qw(time);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(honour_keys => 1, delay => 3);
my $silent = IO::Socket::INET->new(Listen => 200, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
my ($url, $silent_port) = ($gateway->http_url, $silent->sockport);

my $node = PostgreSQL::Test::Cluster->new('many');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.workers = 4\ndunning.slots = 8\ndunning.retry_delay = '50ms'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . ", 127.0.0.1:$silent_port'\ntimezone = 'UTC'\nmax_worker_processes = 16\nlog_line_prefix = '%m [%p] %b '\n");
$node->start;

sub prepare
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, qq{
		CREATE EXTENSION dunning;
		INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
		CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'repeat');
		CREATE SERVER limited TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'once', rate '40/s', daily '70');
		CREATE SERVER slow TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$silent_port/', contract 'once', timeout '60s');
		SELECT dunning.pause(s.srvname) FROM pg_foreign_server s;
		SELECT dunning.activate()});
	$node->safe_psql($db, "CREATE USER MAPPING FOR dunning_worker SERVER $_") for qw(web limited slow);
}

# Debtors PREFIX-1 .. PREFIX-N with a message each over a server; two accounts a person where asked for.
sub enqueue
{
	my ($db, $prefix, $n, $server, $channels) = @_;
	$node->safe_psql($db, qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, person_id, name, given_name, language, country, email)
		SELECT '$prefix-' || i, CASE WHEN '$prefix' LIKE 'pair%' THEN 'person-' || (i + 1) / 2 ELSE '$prefix-' || i END, 'Name', 'Given', 'en', 'DK', '$db-$prefix-' || i || '\@example.org' FROM generate_series(1, $n) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT '$prefix-' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, $n) i;
		SELECT count(*) FROM generate_series(1, $n) i, dunning.send('$prefix-' || i, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server', state = 'queued', due = now() WHERE debtor_id LIKE '$prefix-%';
		COMMIT});
}
sub workers { my ($db, $n) = @_; return $node->poll_query_until($db, "SELECT count(*) = $n FROM dunning.stat_worker WHERE state IN ('idle', 'sending')") }
sub sees { my ($pattern) = @_; return $node->poll_query_until('postgres', qq{SELECT pg_read_file('@{[$node->logfile]}') ~ \$p\$$pattern\$p\$}) }
sub slices { my ($db) = @_; return $node->safe_psql('postgres', "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = '$db' AND l.locktype = 'advisory' AND l.classid = 1685417580 AND l.granted") }
sub resume { my ($db, @servers) = @_; $node->safe_psql($db, "SELECT dunning.resume('$_')") for @servers; }
sub seconds_of { my ($what) = @_; my $from = time; $what->(); return time - $from; }

prepare('book');
prepare('other');
ok(workers('book', 4) && workers('other', 4), 'four workers in each of two databases');
is(slices('book') . ' ' . slices('other'), '64 64', 'all slices have an owner');

# no_duplicates_with_four_workers_one_of_them_killed, caps_and_budgets_are_exact
$node->safe_psql('book', "INSERT INTO dunning.contact_rule (rule, channels, cap, cap_days, source) VALUES ('one', '{email}', 1, 7, 'test')");
enqueue('book', 'many', 600, 'web');
enqueue('book', 'pair', 200, 'web');
enqueue('book', 'limit', 120, 'limited');
enqueue('other', 'many', 200, 'web');
resume($_, 'web', 'limited') for qw(book other);
$node->poll_query_until('book', "SELECT count(*) > 50 FROM dunning.egress");
# SIGTERM: another process takes the slices over.
$node->safe_psql('book', 'SELECT pg_terminate_backend(pid) FROM dunning.stat_worker WHERE worker = 2');
ok($node->poll_query_until($_, "SELECT count(*) = 0 FROM dunning.queue WHERE server = 'web' AND state = 'queued' AND due <= now()"), "$_: all has left") for qw(book other);
is($node->safe_psql('book', "SELECT count(*) FROM dunning.message_state WHERE debtor_id LIKE 'many-%' AND state <> 'sent'"), '0', 'each of them');
# A message that the ended worker gave back has its intent and, of its successor, another one: it is one contact.
is($node->safe_psql('book', q{SELECT count(DISTINCT e.message_id) || ' ' || count(DISTINCT d.person_id) FROM dunning.egress e JOIN dunning.debtor d USING (debtor_id) WHERE e.debtor_id LIKE 'pair-%'}),
	'100 100', 'one contact a person is one, though its two accounts belong to different workers')
  or diag($node->safe_psql('book', q{SELECT s.state, s.reason, q.due - now() AS due_in, count(*) FROM dunning.message_state s LEFT JOIN dunning.queue q USING (debtor_id, message_id) WHERE s.debtor_id LIKE 'pair-%' GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 12}));
# What the ended worker gave back had its intent, and counts: fewer may leave than the day allows, never more.
ok($node->poll_query_until('book', "SELECT count(*) = 0 FROM dunning.queue q WHERE server = 'limited' AND EXISTS (SELECT FROM dunning.egress e WHERE e.message_id = q.message_id AND e.attempt = q.attempts + 1)")
	&& $node->poll_query_until('book', "SELECT count(*) >= 70 FROM dunning.egress WHERE server = 'limited'"), 'the day of a server is used up');
is($node->safe_psql('book', "SELECT (SELECT count(*) FROM dunning.egress WHERE server = 'limited') || ' ' || ((SELECT count(*) FROM dunning.queue WHERE server = 'limited') >= 50)"), '70 true', 'and not one more leaves');
my @at = sort { $a <=> $b } map { $_->{at} } grep { $_->{recipient} =~ /^book-limit/ } $gateway->ledger;
my $most = 0;
for my $i (0 .. $#at) { my $n = grep { $_ >= $at[$i] && $_ < $at[$i] + 0.97 } @at; $most = $n if $n > $most; }
cmp_ok($most, '<=', 40, 'never more than forty in any second, four workers together');
my %times;
$times{ $_->{recipient} }++ for $gateway->accepted;
is_deeply([ grep { $times{$_} > 1 } sort keys %times ], [], 'nothing_arrived_twice');
is($node->safe_psql($_, 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', "$_: the chains verify") for qw(book other);

# another_number_of_workers_shares_the_slices_anew_without_a_restart
for my $n (1, 3)
{
	$node->safe_psql('postgres', "ALTER SYSTEM SET dunning.workers = $n");
	$node->reload;
	ok($node->poll_query_until('book', "SELECT count(*) = $n FROM dunning.stat_worker") && workers('book', $n), "$n workers after a reload");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 64 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = 'book' AND l.locktype = 'advisory' AND l.classid = 1685417580 AND l.granted"), 'which own all slices');
	enqueue('book', "again$n", 100, 'web');
	ok($node->poll_query_until('book', "SELECT count(*) = 0 FROM dunning.queue WHERE server = 'web' AND state = 'queued' AND due <= now()"), 'and send');
}

# while_a_gateway_is_silent: update, drop, stop
enqueue('other', 'slow', 12, 'slow');
resume('other', 'slow');
ok($node->poll_query_until('other', 'SELECT sum(in_flight) > 8 FROM dunning.stat_worker'), 'transfers wait for a silent gateway');
my ($rc, $out, $err) = $node->psql('other', 'ALTER EXTENSION dunning UPDATE');
is($rc, 0, 'ALTER EXTENSION UPDATE does not wait') or diag $err;
cmp_ok(seconds_of(sub { $node->safe_psql('other', 'DROP EXTENSION dunning CASCADE') }), '<', 2.5, 'DROP EXTENSION does not wait for the gateway');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = 'other'"), 'its workers end');
my $starts = sub { my $n = () = slurp_file($node->logfile) =~ /dunning worker.*(?:ERROR|FATAL)/g; return $n };
my $errors = $starts->();
enqueue('book', 'idle', 50, 'web');
$node->poll_query_until('book', "SELECT count(*) = 0 FROM dunning.queue WHERE server = 'web' AND state = 'queued' AND due <= now()");
cmp_ok($starts->() - $errors, '<=', 3, 'and do not come back in a loop');
enqueue('book', 'slow', 12, 'slow');
resume('book', 'slow');
ok($node->poll_query_until('book', 'SELECT sum(in_flight) > 8 FROM dunning.stat_worker'), 'transfers wait again');
cmp_ok(seconds_of(sub { $node->stop('fast') }), '<', 2.5, 'pg_ctl stop -m fast does not wait for the gateway');

# restarted_with_a_backlog, and no process free for all of them
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$node->start;
ok(sees('no background worker is free for database'), 'too few worker processes: the log says so');
$node->safe_psql('book', "SELECT dunning.pause('slow')");
enqueue('book', 'late', 60, 'web');
my $sent = $node->safe_psql('book', 'SELECT count(*) FROM dunning.egress');
$node->append_conf('postgresql.conf', 'max_worker_processes = 16');
$node->restart;
ok(workers('book', 3), 'with more of them all workers come');
ok($node->poll_query_until('book', "SELECT count(*) = 0 FROM dunning.queue WHERE server = 'web' AND state = 'queued' AND due <= now()"), 'a backlog leaves after a restart');
is($node->safe_psql('book', "SELECT string_agg(DISTINCT state, ' ') FROM dunning.message_state WHERE debtor_id LIKE 'slow-%'"), 'unknown', 'what was in flight when the server stopped is unknown');
%times = ();
$times{ $_->{recipient} }++ for $gateway->accepted;
is_deeply([ grep { $times{$_} > 1 } sort keys %times ], [], 'nothing_arrived_twice after all of it');
is($node->safe_psql('book', 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify after all of it');

unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
done_testing();
