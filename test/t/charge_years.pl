# A few random books of payments, rates, holds and costs against a clerk who counts every day in plain numeric; `make check-charges` has many more.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('charge_years');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndunning.timezone = 'UTC'\ndunning.clock = '2026-06-18 12:00+00'\nfsync = off\njit = off\n");
$node->start;
my ($sql) = grep { -r } map { "$_/property/charges.sql" } ($ENV{DUNNING_TEST} // (), __FILE__ =~ m{^(.*)/t/[^/]+$});
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');
$node->safe_psql('postgres', slurp_file($sql));
$node->safe_psql('postgres', 'CALL helper.rules(20260618)');
$node->safe_psql('postgres', 'CALL helper.years(1, 120, 20260618)');
is($node->safe_psql('postgres', q{SELECT string_agg(v::text, E'\n') FROM (SELECT * FROM helper.violation LIMIT 10) v}), '', 'years_of_random_payments_bear_the_interest_and_fees_that_a_clerk_counts_day_by_day');
is($node->safe_psql('postgres', q{SELECT bool_and(n > 20) AND count(*) = 5 FROM (SELECT what, sum(n) AS n FROM helper.tally GROUP BY 1) x}), 't', 'and there was much to count');
$node->stop;
done_testing();
