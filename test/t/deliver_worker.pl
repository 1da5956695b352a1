# Launcher and worker: start, end, settings, rights, and that nothing holds anybody up.
use strict;
use warnings;
use Time::HiRes qw(time);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A gateway that takes connections and never answers.
my $silent = IO::Socket::INET->new(Listen => 200, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
my $port = $silent->sockport;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'dunning'
dunning.clock = '2026-06-22 10:00+02'
dunning.allowed_hosts = '127.0.0.1:$port'
dunning.slots = 4
timezone = 'UTC'
max_worker_processes = 12
});
$node->start;

# a_worker_starts_with_create_extension
$node->safe_psql('postgres', 'CREATE DATABASE book');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'dunning launcher'"), 'the launcher runs');
$node->safe_psql('book', q{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	CREATE SERVER slow TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:} . $port . q{/', contract 'once', timeout '60s');
	CREATE USER MAPPING FOR dunning_worker SERVER slow;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'd' || i, 'Name', 'Given', 'en', 'DK', 'd' || i || '@example.org' FROM generate_series(1, 400) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
	SELECT 'd' || i, 'I', '2026-05-01', '2026-06-01', 100, 'DKK' FROM generate_series(1, 400) i;
	SELECT dunning.activate();
});
ok($node->poll_query_until('book', 'SELECT count(*) = 1 FROM dunning.stat_worker'), 'a worker starts');
is($node->safe_psql('book', "SELECT usename FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = 'book'"),
	'dunning_worker', 'it runs as dunning_worker');

# Queue and choose the server in one transaction, so that no worker sees it half done.
sub send_to
{
	my ($server, $from, $to) = @_;
	$node->safe_psql('book', qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		SELECT count(*) FROM generate_series($from, $to) i, dunning.send('d' || i, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server' WHERE debtor_id IN (SELECT 'd' || i FROM generate_series($from, $to) i);
		COMMIT});
}

# a_commit_wakes_the_worker
$node->safe_psql('book', "SELECT dunning.pause('slow')");
send_to('mail', 1, 1);
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.egress"), 'a message leaves by itself');

# autovacuum_hears_what_a_worker_writes
ok($node->poll_query_until('book', "SELECT sum(n_tup_ins) > 0 FROM pg_stat_all_tables WHERE relname ~ '^egress_y'"), 'what a living worker writes is counted');

# a_call_beside_the_worker_is_refused
my ($rc, $out, $err) = $node->psql('book', 'CALL dunning.deliver()');
like($err, qr/another process is sending/, 'CALL deliver() beside a worker says so');

# no_transaction_is_open_while_the_network_is
$node->safe_psql('book', "SELECT dunning.resume('slow')");
send_to('slow', 2, 5);
ok($node->poll_query_until('book', 'SELECT in_flight = 4 FROM dunning.stat_worker'), 'four transfers wait for a silent gateway');
is($node->safe_psql('book', "SELECT bool_and(xact_start IS NULL AND backend_xmin IS NULL AND backend_xid IS NULL) FROM pg_stat_activity WHERE backend_type = 'dunning worker'"),
	't', 'the worker has neither transaction nor snapshot');
is($node->safe_psql('book', "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.backend_type = 'dunning worker' AND l.locktype = 'relation'"),
	'0', 'and no lock on a table');
$node->safe_psql('book', 'ALTER TABLE dunning.queue SET (fillfactor = 71)');
pass('a table can be altered meanwhile');

# a_terminated_worker_judges_what_is_in_flight_and_comes_back
my $pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
my $from = time;
$node->safe_psql('book', "SELECT pg_terminate_backend($pid)");
ok($node->poll_query_until('book', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'SIGTERM ends it');
cmp_ok(time - $from, '<', 2.5, 'within two seconds');
is($node->safe_psql('book', "SELECT string_agg(DISTINCT state, ',') FROM dunning.message_state WHERE debtor_id IN ('d2', 'd3', 'd4', 'd5')"),
	'unknown', 'what was in flight is unknown');
is($node->safe_psql('book', "SELECT count(*) FROM dunning.task WHERE kind = 'unknown_outcome'"), '4', 'and a person is asked');
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.stat_worker WHERE pid <> $pid"), 'a new worker comes');

# who_was_ended_in_good_order_comes_back_soon: however often that happens
for my $again (1 .. 3)
{
	$pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
	$from = time;
	$node->safe_psql('book', "SELECT pg_terminate_backend($pid)");
	ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.stat_worker WHERE pid <> $pid"), "ended, it comes back ($again)");
	cmp_ok(time - $from, '<', 2, "who_was_ended_in_good_order_comes_back_soon ($again)");
}

# a_changed_setting_of_the_database_is_obeyed_without_a_restart
$node->safe_psql('book', "ALTER DATABASE book SET dunning.delivery = 'off'");
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.stat_worker WHERE state = 'off'"), 'ALTER DATABASE SET dunning.delivery = off');
send_to('mail', 10, 10);
$node->safe_psql('book', "ALTER DATABASE book SET dunning.delivery = 'on'");
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.egress WHERE debtor_id = 'd10'"), 'and back on');

# hostile_settings_of_the_role_do_not_stop_it
$node->safe_psql('book', "ALTER ROLE dunning_worker SET statement_timeout = '1ms'; ALTER ROLE dunning_worker SET lock_timeout = '1ms';
	ALTER ROLE dunning_worker SET search_path = evil; ALTER ROLE dunning_worker SET default_transaction_read_only = on");
send_to('mail', 11, 11);
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.egress WHERE debtor_id = 'd11'"), 'statement_timeout of the role does not matter');
$node->safe_psql('book', 'ALTER ROLE dunning_worker RESET ALL');

# a_superuser_is_refused_as_the_worker
$node->safe_psql('book', 'ALTER ROLE dunning_worker SUPERUSER');
$pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
$node->safe_psql('book', "SELECT pg_terminate_backend(pid) FROM dunning.stat_worker");
my $log = $node->logfile;
ok($node->poll_query_until('book', "SELECT pg_read_file('$log') ~ 'role \"dunning_worker\" is a superuser'"), 'a superuser is refused');
$node->safe_psql('book', 'ALTER ROLE dunning_worker NOSUPERUSER');
ok($node->poll_query_until('book', 'SELECT count(*) = 1 FROM dunning.stat_worker'), 'and it comes back when that is mended');

# texts_are_kept_until_one_is_saved
send_to('mail', 40, 40);
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.body WHERE debtor_id = 'd40'"), 'a text that is kept');
$node->safe_psql('book', q{SELECT dunning.save_template('reminder-1', 'email', 'en', 'Other subject', 'Other words, {{given_name}}.')});
send_to('mail', 41, 41);
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.body WHERE debtor_id = 'd41'"), 'and after another was saved');
is($node->safe_psql('book', "SELECT body_text FROM dunning.body WHERE debtor_id = 'd41'"), 'Other words, Given.', 'the new one leaves');

# a_query_that_hangs_ends_with_its_time_or_with_the_worker: a bound view that takes 75 seconds
$node->safe_psql('book', q{
	CREATE TABLE public.hangs (since timestamptz);
	CREATE FUNCTION public.hang() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ DECLARE hangs_until timestamptz := clock_timestamp() + '75 s'::interval; BEGIN
		WHILE EXISTS (SELECT FROM public.hangs) AND session_user = 'dunning_worker' AND clock_timestamp() < hangs_until LOOP END LOOP;
		RETURN true; END $$;
	CREATE VIEW public.hanging AS SELECT i.* FROM dunning.invoice i WHERE (SELECT public.hang());
	GRANT SELECT ON public.hanging TO dunning_owner, dunning_worker;
	SELECT dunning.bind('invoice', 'public.hanging');
	ALTER ROLE dunning_worker SET statement_timeout = '2s'});
$node->safe_psql('book', 'SELECT pg_terminate_backend(pid) FROM dunning.stat_worker');
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.stat_worker WHERE state = 'idle'"), 'a worker with a shorter time for a query');
send_to('mail', 12, 12);
$node->safe_psql('book', 'INSERT INTO public.hangs VALUES (now())');
send_to('mail', 13, 13);
ok($node->poll_query_until('book', "SELECT pg_read_file('$log') ~ 'taken back: canceling statement due to [s]tatement timeout'"), 'a query that hangs ends with its time');
$node->safe_psql('book', 'ALTER ROLE dunning_worker RESET statement_timeout');
$node->safe_psql('book', 'SELECT pg_terminate_backend(pid) FROM dunning.stat_worker');
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = 'book'
	AND clock_timestamp() - xact_start > '1.5 s'"), 'and one that hangs longer');
$pid = $node->safe_psql('book', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = 'book'");
$from = time;
$node->safe_psql('book', "SELECT pg_terminate_backend($pid)");
ok($node->poll_query_until('book', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'SIGTERM ends a worker in a query that hangs');
cmp_ok(time - $from, '<', 2.5, 'within two seconds');
$node->safe_psql('book', 'DELETE FROM public.hangs');
ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.egress WHERE debtor_id = 'd13'"), 'what it was about leaves when the view answers again');

# another_number_of_slots_is_taken_up_when_nothing_is_in_flight
$node->safe_psql('book', "SELECT dunning.pause('mail')");
send_to('mail', 100, 399);
$node->safe_psql('book', 'ALTER SYSTEM SET dunning.slots = 256');
$node->reload;
$node->safe_psql('book', "SELECT dunning.resume('mail')");
ok($node->poll_query_until('book', "SELECT count(*) = 300 FROM dunning.outcome WHERE state = 'sent' AND debtor_id ~ '^d[123]..'"), 'many more slots are taken up beside many messages that are ready');
is($node->safe_psql('book', "SELECT count(*) - count(DISTINCT debtor_id) FROM dunning.egress WHERE debtor_id ~ '^d[123]..'"), 0, 'each once');
$node->safe_psql('book', 'ALTER SYSTEM SET dunning.slots = 8');
$node->reload;

# workers_end_with_their_launcher
$pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
my $launcher = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'dunning launcher'");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'a worker ends with its launcher');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'dunning launcher' AND pid <> $launcher"), 'another launcher comes');
ok($node->poll_query_until('book', 'SELECT count(*) = 1 FROM dunning.stat_worker'), 'and starts a worker');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = 'book'"), 1, 'one, not one more');

# a_database_is_dropped_while_it_sends
send_to('slow', 20, 29);
ok($node->poll_query_until('book', 'SELECT in_flight = 8 FROM dunning.stat_worker'), 'another_number_of_slots_is_taken_up, and transfers are in flight');
$from = time;
$node->safe_psql('postgres', 'DROP DATABASE book WITH (FORCE)');
cmp_ok(time - $from, '<', 2.5, 'DROP DATABASE does not wait for the gateway');

# a_dropped_extension_ends_its_worker
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM dunning.stat_worker'), 'a worker for another database');
$node->safe_psql('postgres', 'DROP EXTENSION dunning');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'dunning worker'"), 'ends with the extension');

unlike(slurp_file($log), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
done_testing();
