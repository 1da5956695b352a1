# A few random books, strategies and clocks, judged by a plain account of what planning should have done; `make check-plan` has many more.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('plan_books');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\njit = off\nautovacuum = off\n");
$node->start;
my ($property) = grep { -r "$_/plan.pl" } map { "$_/property" } ($ENV{DUNNING_TEST} // (), __FILE__ =~ m{^(.*)/t/[^/]+$});
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', 'CREATE EXTENSION dunning');
$node->safe_psql('book', slurp_file("$property/plan/setup.sql"));
local ($ENV{PGHOST}, $ENV{PGPORT}) = ($node->host, $node->port);
my ($out, $err) = ('', '');
ok(IPC::Run::run([ $^X, "$property/plan.pl", 2, 0, 1, $ENV{SEED} // 20260310, $ENV{N} // 200, 6 ], '>', \$out, '2>', \$err), 'two random books run through') or diag($err);
my (%tally, %wrong);
for (split /\n/, $out)
{
	my ($what, @f) = split /\t/;
	$tally{ $f[0] } += $f[1] if $what eq 'tally';
	push @{ $wrong{ $f[3] } }, "run $f[2], $f[4]: $f[5]" if $what eq 'wrong';
}
my %name = ('same step twice' => 'no_step_is_taken_twice_for_an_anchor', 'skipped step' => 'no_step_that_was_reached_is_skipped', step => 'no_step_is_taken_that_was_not_reached', rules => 'no_contact_is_planned_or_made_outside_the_rules',
	strategy => 'each_debtor_follows_the_strategy_assigned', 'two live offers' => 'no_debtor_has_two_live_offers', amounts => 'each_currency_is_told_by_itself_as_the_ledger_has_it', 're-run' => 'planning_again_at_the_same_instant_changes_nothing',
	'dry run' => 'a_dry_run_writes_nothing_and_foretells_the_run', alone => 'a_debtor_alone_is_decided_as_in_the_whole_book', calls => 'no_call_fails_in_a_way_it_should_not');
is(join("\n", @{ $wrong{$_} || [] }[ 0 .. ($#{ $wrong{$_} || [] } > 4 ? 4 : $#{ $wrong{$_} || [] }) ]), '', $name{$_}) for sort keys %name;
is(join(' ', grep { !$name{$_} } sort keys %wrong), '', 'and nothing else is wrong');
cmp_ok($tally{planned} // 0, '>', 100, 'much was planned');
cmp_ok($tally{left} // 0, '>', 50, 'and left');
$node->stop;
done_testing();
