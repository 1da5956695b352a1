# Swapping scores in waits for whoever reads the old ones, and nobody waits behind it.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('swap');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ntimezone = 'UTC'\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dunning;
	CREATE TABLE sample AS SELECT i, i % 7 AS x, i % 3 = 0 AS y FROM generate_series(1, 400) i;
	SELECT dunning.fit('m', 'SELECT x, y FROM sample', 'y', 'logistic', '{"folds": 2}');
	SELECT dunning.score_rows('m', 'SELECT i, x FROM sample', 'i', 'scores');
});

# A session that stays: what is given to it runs while the test goes on.
sub session
{
	my ($sql) = @_;
	my %s = (in => "$sql\n", out => '');
	$s{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ], '<', \$s{in}, '>&', \$s{out},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$s{run}->pump while length $s{in};
	return \%s;
}
sub ends { my ($s) = @_; $s->{in} .= "COMMIT;\n\\q\n"; $s->{run}->finish; return $s->{out} }

for my $case ([ scores => "SELECT n FROM dunning.score_rows('m', 'SELECT i, x FROM sample WHERE i <= 300', 'i', 'scores')" ],
	[ 'dunning.score_result' => 'SELECT count(*) FROM dunning.score()' ])
{
	my ($table, $swap) = @$case;
	my $reader = session("BEGIN; SELECT count(*) FROM $table;");
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_locks WHERE relation = '$table'::regclass AND mode = 'AccessShareLock'"), "$table is being read");
	my $writer = session("/* swap */ BEGIN; /* swap */ $swap;");
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '/* swap */%' AND state = 'active' AND wait_event_type IN ('Lock', 'Extension')"),
		'the swap waits for the reader');
	my ($code, undef, $err) = $node->psql('postgres', "SET lock_timeout = '5s'; SELECT count(*) FROM $table");
	is($code, 0, 'another reader does not wait behind it') or diag $err;
	ends($reader);
	unlike(ends($writer), qr/ERROR/, 'and the swap comes through');
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM scores'), '300', 'with the new scores');
$node->safe_psql('postgres', "BEGIN; SELECT dunning.score_rows('m', 'SELECT i, x FROM sample', 'i', 'scores'); ROLLBACK");
is($node->safe_psql('postgres', 'SELECT count(*) FROM scores'), '300', 'or the old ones where it is taken back');

$node->stop;
done_testing();
