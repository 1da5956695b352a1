# fit_job() and train_job(): trainings in the background, with the rights of who asked, that can be watched and stopped.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('job');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ntimezone = 'UTC'\nfsync = off\nmax_worker_processes = 6\nmax_parallel_workers = 0\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dunning;
	CREATE ROLE clerk LOGIN IN ROLE dunning_operator;
	CREATE ROLE other LOGIN IN ROLE dunning_operator;
	CREATE SCHEMA book;
	GRANT USAGE ON SCHEMA book TO clerk;
	CREATE TABLE book.sample AS SELECT i, dunning._uniform(i::text, 1) AS x, dunning._uniform(i::text, 2) < dunning._uniform(i::text, 1) AS y FROM generate_series(1, 3000) i;
	CREATE TABLE book.secret AS SELECT * FROM book.sample;
	GRANT SELECT ON book.sample TO clerk;
	CREATE FUNCTION book.who() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE 'I am % of %', current_user, session_user; END $$;
});

sub job { my ($sql, %how) = @_; return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $how{as} // 'clerk' ]) }
sub status { my ($job, $columns) = @_; return $node->safe_psql('postgres', "SELECT $columns FROM dunning.fit_status WHERE job_id = '$job'") }
sub ends { my ($job, $state) = @_; return $node->poll_query_until('postgres', "SELECT state = '$state' FROM dunning.fit_status WHERE job_id = '$job'") }

my $job = job("SET search_path = book; SELECT dunning.fit_job('mine', 'SELECT x, y FROM sample', 'y', 'logistic', '{\"folds\": 3}')");
ok(ends($job, 'done'), 'a_job_trains_in_the_background_with_the_search_path_of_who_asked');
is(status($job, 'model, version, started_by, ended_at >= started_at, pid IS NULL, message IS NULL'), 'mine|1|clerk|t|t|t', 'its_row_says_what_came_of_it');
is($node->safe_psql('postgres', "SELECT trained_by, n, metrics ->> 'folds' FROM dunning.model WHERE model = 'mine'"), 'clerk|3000|3', 'it_stores_the_version_that_fit_would_store');
$node->safe_psql('postgres', "SELECT dunning.fit('mine', 'SELECT x, y FROM book.sample', 'y', 'logistic', '{\"folds\": 3}')");
is($node->safe_psql('postgres', "SELECT count(DISTINCT digest) FROM dunning.model WHERE model = 'mine'"), '1', 'a_job_learns_the_same_bytes_as_a_session');

$job = job("BEGIN; SELECT dunning.fit_job('kept', 'SELECT x, y FROM book.sample', 'y', 'logistic'); ROLLBACK");
ok(ends($job, 'done'), 'a_job_goes_on_though_the_caller_rolls_back');

# What a job may read and who it is.
$job = job("SELECT dunning.fit_job('stolen', 'SELECT x, y FROM book.secret', 'y', 'logistic')");
ok(ends($job, 'failed'), 'a_job_that_fails_says_so');
is(status($job, 'sqlstate, message'), '42501|permission denied for table secret', 'a_job_reads_with_the_rights_of_who_asked_for_it');
$job = job("SELECT dunning.fit_job('who', 'SELECT book.who() AS x, y FROM book.sample', 'y', 'logistic')");
ok(ends($job, 'failed'), 'a_query_that_raises_ends_the_job');
is(status($job, 'message'), 'I am clerk of clerk', 'a_job_runs_as_who_asked');
$job = job("SET ROLE clerk; SELECT dunning.fit_job('who', 'SELECT book.who() AS x, y FROM book.sample', 'y', 'logistic')", as => $node->safe_psql('postgres', 'SELECT current_user'));
ok(ends($job, 'failed'), 'a_job_of_a_set_role_ends_too');
like(status($job, 'message'), qr/^I am clerk of/, 'a_job_runs_as_the_role_that_was_set');
$job = job("SELECT dunning.fit_job('none', 'SELECT x, y FROM book.sample', 'y', 'neural')");
ok(ends($job, 'failed'), 'a_bad_kind_ends_the_job');
like(status($job, 'hint'), qr/logistic/, 'the_hint_is_kept');
$job = job('SELECT dunning.train_job()');
ok(ends($job, 'failed'), 'a_training_over_no_ledger_ends');
isnt(status($job, 'message'), '', 'and_says_why');

# Somebody holds a lock that the queries of the next jobs wait for: they are running until they are stopped.
my $holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(42)');
my $waiting = 'SELECT x, y FROM book.sample, (SELECT pg_advisory_xact_lock(42) OFFSET 0) l';

my $first = job("SELECT dunning.fit_job('watched', '$waiting', 'y', 'logistic')");
ok($node->poll_query_until('postgres', "SELECT stage = 'reading' FROM dunning.fit_status WHERE job_id = '$first'"), 'a_job_that_runs_is_seen_with_its_stage');
is(status($first, 'state, done, total, version IS NULL'), 'running|0|1|t', 'and_with_its_steps');
is($node->safe_psql('postgres', "SELECT usename, model, stage FROM dunning.progress"), 'clerk|watched|reading', 'progress_shows_it_too');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT dunning.cancel_job('$first')", extra_params => [ '-U', 'other' ]);
like($err, qr/must be a member|permission denied/, 'nobody_else_can_cancel_a_job');
is(job("SELECT dunning.cancel_job('$first')"), 't', 'who_started_a_job_can_cancel_it');
ok(ends($first, 'cancelled'), 'a_cancelled_job_says_so');
is($node->safe_psql('postgres', "SELECT count(*) FROM dunning.model WHERE model = 'watched'"), '0', 'a_cancelled_job_leaves_no_version');
is(job("SELECT dunning.cancel_job('$first')"), 'f', 'what_has_ended_is_not_cancelled_again');
($rc, $out, $err) = $node->psql('postgres', "SELECT dunning.cancel_job('00000000-0000-0000-0000-000000000000')");
like($err, qr/does not exist/, 'an_unknown_job_is_refused');

my $killed = job("SELECT dunning.fit_job('killed', '$waiting', 'y', 'logistic')");
is(status($killed, 'state'), 'running', 'a_job_runs_from_the_moment_the_call_returns');
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM dunning.fit_status WHERE job_id = '$killed'");
ok(ends($killed, 'lost'), 'a_job_whose_process_was_ended_is_lost');

# Every free worker waits.
my @jobs;
for (1 .. 8)
{
	($rc, $out, $err) = $node->psql('postgres', "SELECT dunning.fit_job('many', '$waiting', 'y', 'logistic')");
	last if $rc != 0;
	push @jobs, $out;
}
like($err, qr/no background worker is free.*max_worker_processes/s, 'without_a_free_worker_the_call_says_what_to_do');
ok(@jobs > 0, 'trainings_run_beside_each_other');
$holder->query_safe('SELECT pg_advisory_unlock(42)');
ok(ends($_, 'done'), 'a_job_that_waited_goes_on') for @jobs;
is($node->safe_psql('postgres', "SELECT count(DISTINCT version) = count(*) FROM dunning.model WHERE model = 'many'"), 't', 'each_job_has_a_version_of_its_own');
$holder->quit;

($rc, $out, $err) = $node->psql('postgres', "SELECT dunning.fit_job('x', NULL, 'y')");
like($err, qr/argument 2 must not be null/, 'a_null_is_refused');
done_testing();
