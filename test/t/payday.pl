# Debtors whose payday is known: how often it is found, and how often one that would be shown is right. `make check-payday` has every country and share.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('payday');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\njit = off\n");
$node->start;
my ($sql) = grep { -r } map { "$_/property/payday.sql" } ($ENV{DUNNING_TEST} // (), __FILE__ =~ m{^(.*)/t/[^/]+$});
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');
$node->safe_psql('postgres', slurp_file($sql));
$node->safe_psql('postgres', "SELECT helper.paydays(c) FROM unnest('{SE,FI,NL}'::text[]) c");

my %least = (6 => 0.45, 12 => 0.65, 24 => 0.84);
my ($shown, $right, $none, $none_shown) = (0, 0, 0, 0);
for my $booked ('false', 'true')
{
	for my $payments (sort { $a <=> $b } keys %least)
	{
		my ($n, $scheduled, $top, @more) = split /\|/, $node->safe_psql('postgres',
			"SELECT sum(t.debtors), sum(t.scheduled), sum(t.right), sum(t.shown), sum(t.shown_right), sum(t.false_shown)
			 FROM unnest('{SE,FI,NL}'::text[]) c, helper.try(c, 200, $payments, 0.5, 0.1, booked => $booked) t");
		# Four standard errors of a share of so many debtors.
		cmp_ok($top / $scheduled, '>', $least{$payments} - 0.09, "of_payments_half_tied_to_it_the_payday_is_found: $payments payments, weekends booked on Mondays $booked");
		$shown += $more[0];
		$right += $more[1];
		$none += $n - $scheduled;
		$none_shown += $more[2];
	}
}
cmp_ok($shown, '>', 500, 'many are sure enough to be shown');
cmp_ok($right / $shown, '>=', 0.94, 'what_is_shown_is_right');
cmp_ok($none_shown / $none, '<=', 0.03, 'who_has_no_payday_is_shown_none_though_books_close_on_weekends');
$node->stop;
done_testing();
