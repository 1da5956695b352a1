# Channel, server and instant that planning picks in C are those of the stages that define it, on random odd books.
# N=debtors (2000) SEED=number (1): one book more of that size.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Basename;

my $from = dirname(__FILE__) . '/../plan';
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"fsync = off\njit = off\nshared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\ndunning.timezone = 'Europe/Copenhagen'\ndunning.clock = '2026-03-10 09:00+00'\n");
$node->start;

sub run_file
{
	my ($db, $file, %v) = @_;
	my ($out, $err) = ('', '');
	my @sets = map { ('-v', "$_=$v{$_}") } keys %v;
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), @sets, '-f', "$from/$file" ], '>', \$out, '2>', \$err) or die "$file: $err";
	return $out;
}

my ($n, $seed) = ($ENV{N} || 2000, $ENV{SEED} || 1);
for my $s ($seed, $seed + 1)
{
	my $db = "book$s";
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION dunning');
	run_file($db, 'reference.sql');
	run_file($db, 'book.sql', n => $n, seed => $s);
	run_file($db, 'people.sql', n => $n, seed => $s);
	my $differ = sub {
		my ($name, %v) = @_;
		my $out = run_file($db, 'pick.sql', %v);
		my ($plain, $sent) = $out =~ /plain (\d+) to be sent (\d+)/;
		my ($uplift) = $out =~ /with uplift (\d+)/;
		my ($asked) = $out =~ /asked (\d+)/;
		my @bad = $out =~ /^(differs: .*)$/mg;
		note($out =~ s/^differs: .*\n//mgr);
		ok($plain > 0 && $sent > 0 && $uplift > 0 && $asked > 0 && $out =~ /blocked by rule:never/ && !@bad, "$name, book $s") or diag(join "\n", @bad);
	};
	$differ->('what is picked in C is what the gate and the best time say', as_of => 'NULL', many => 'NULL');
	$differ->('also of some of its debtors', as_of => 'NULL', many => "ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE d.debtor_id ~ '[37]')");
	$differ->('also on another day', as_of => "'2026-03-28 20:00+01'::timestamptz", many => 'NULL');
	my $times = sub {
		my ($name, %v) = @_;
		my $out = run_file($db, 'times.sql', %v);
		my ($allowed, $blocked) = $out =~ /allowed (\d+) .*blocked (\d+)/;
		my @bad = $out =~ /^(differs: .*)$/mg;
		note($out =~ s/^differs: .*\n//mgr);
		my ($one, $plain) = $out =~ /of one: asked (\d+) plain (\d+)/;
		# pushes have no address here
		ok($allowed + $blocked > 0 && ($plain > $one / 20 || $v{channel} eq 'push') && !@bad, "$name, book $s") or diag(join "\n", @bad, $out);
	};
	$times->("best times of a book in one pass over $_ are those of _best_times()", as_of => 'NULL', channel => $_) for qw(email sms letter push);
	$times->('also on another day', as_of => "'2026-03-28 20:00+01'::timestamptz", channel => 'email');
}
done_testing();
