# A simulation of days is what plan() and the worker do on these days when nobody reacts: both over a random book of dated rows.
# N=debtors (120) SEED=number DAYS=number (9): other books or longer ones.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Basename;

my $from = dirname(__FILE__) . '/../plan';
my ($n, $seed, $days) = ($ENV{N} || 120, $ENV{SEED}, $ENV{DAYS} || 9);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"fsync = off\njit = off\nshared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\ndunning.timezone = 'Europe/Copenhagen'\n");
$node->start;

# run(database, what, variable => value...): what psql prints
sub run_psql
{
	my ($db, $what, %v) = @_;
	my ($out, $err) = ('', '');
	my @sets = map { ('-v', "$_=$v{$_}") } keys %v;
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), @sets, @$what ], '>', \$out, '2>', \$err) or die "@$what: $err";
	diag($err) if $err =~ /WARNING/;
	return $out;
}
sub run_file { my ($db, $file, %v) = @_; return run_psql($db, [ '-f', "$from/$file" ], %v) }
sub run_sql { my ($db, $sql) = @_; return run_psql($db, [ '-c', $sql ]) }

# the first simulated day's run: until then all has really happened
my $since = '2026-03-10 05:00+00';
my $columns = "day, debtor_id, step, channel, contact_at, amounts, cost, cost_currency, state, CASE WHEN state = 'cancelled' THEN reason END AS reason";
# Books that once showed something: a companion that waited for its message (10, 6); a message that leaves later on its day, or for which it was
# in the evening that it would be stopped, and another account's (10, 6); two accounts due at once (6); a hold after a message was put off (8); one
# that is held as the days begin (1).
my @cases = $seed ? ([ 'NULL', $seed ], [ "'weekly'", $seed ], [ "'stops'", $seed + 1 ], [ "'standard'", $seed + 2 ])
	: ([ 'NULL', 10 ], [ "'weekly'", 6 ], [ "'stops'", 8 ], [ "'stops'", 1 ], [ "'standard'", 6 ]);
$node->safe_psql('postgres', 'CREATE DATABASE empty');
$node->safe_psql('empty', 'CREATE EXTENSION dunning');
for my $case (@cases)
{
	my ($strategy, $s) = @$case;
	my $db = lc("book$s" . ($strategy =~ /(\w+)/)[0]);
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE empty");
	run_file($db, 'replay_book.sql', n => $n, seed => $s);
	run_file($db, 'replay_real.sql');
	run_sql($db, "INSERT INTO dunning.debtor_strategy SELECT debtor_id, 'default', CASE hashtext(debtor_id) % 3 WHEN 0 THEN 'weekly' WHEN 1 THEN 'stops' ELSE 'standard' END, NULL, 'test', now() FROM dunning.debtor") if $strategy eq 'NULL';
	# some days before, so that there is something had, said and waiting
	run_sql($db, "SELECT ref.live($strategy, '2026-03-02', '$since')");
	my $simulate = sub {
		my ($into) = @_;
		return run_sql($db, "SET dunning.clock = '2026-05-01 12:00+00'; CREATE TABLE ref.$into AS SELECT * FROM dunning.simulate($strategy, '2026-03-10', date '2026-03-10' + $days - 1)");
	};
	run_sql($db, "INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, note, from_at, until_at, placed_by, released_at, released_by) SELECT * FROM ref.hold x WHERE NOT EXISTS (SELECT FROM dunning.hold o WHERE o.hold_id = x.hold_id);
		UPDATE dunning.hold o SET released_at = x.released_at FROM ref.hold x WHERE x.hold_id = o.hold_id;
		INSERT INTO dunning.suppression SELECT * FROM ref.suppression ON CONFLICT DO NOTHING");
	$simulate->('foretold');
	run_sql($db, "DELETE FROM dunning.hold h WHERE h.from_at >= '$since'; UPDATE dunning.hold SET released_at = NULL WHERE released_at >= '$since';
		DELETE FROM dunning.suppression WHERE suppressed_at >= '$since'");
	run_sql($db, "SELECT ref.live($strategy, '2026-03-10', (date '2026-03-10' + $days)::timestamp AT TIME ZONE 'Europe/Copenhagen')");
	run_sql($db, "CREATE TABLE ref.done AS SELECT * FROM ref.done('2026-03-10'); SELECT ref.catch_up('2026-05-01 00:00+00')");
	$simulate->('retold');
	for my $told (qw(foretold retold))
	{
		my $bad = run_sql($db, qq{SELECT x.of || ' ' || to_jsonb(x) FROM (
			SELECT 'done' AS of, y.* FROM (SELECT $columns FROM ref.done EXCEPT ALL SELECT $columns FROM ref.$told WHERE debtor_id IS NOT NULL) y UNION ALL
			SELECT 'told', y.* FROM (SELECT $columns FROM ref.$told WHERE debtor_id IS NOT NULL EXCEPT ALL SELECT $columns FROM ref.done) y) x ORDER BY x.debtor_id, x.day LIMIT 12});
		my $rows = run_sql($db, "SELECT string_agg(s, ', ' ORDER BY s) FROM (SELECT state || coalesce(' ' || reason, '') || ' ' || count(*) AS s FROM ref.$told WHERE debtor_id IS NOT NULL GROUP BY state, reason) x");
		note($rows);
		ok($rows =~ /sent \d{2}/ && $bad eq '', "days $told are what plan() and the gate do on them, strategy $strategy, book $s") or diag($bad);
	}
	ok(run_sql($db, 'SELECT count(*) FROM ((TABLE ref.foretold EXCEPT ALL TABLE ref.retold) UNION ALL (TABLE ref.retold EXCEPT ALL TABLE ref.foretold)) x') == 0,
		"what was really done since the first day does not count, strategy $strategy, book $s");
}
done_testing();
