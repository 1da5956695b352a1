# A few random lives of offers against a plain account of them; `make check-offers` has many more.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('offer_episodes');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\njit = off\n");
$node->start;
my ($sql) = grep { -r } map { "$_/property/offers.sql" } ($ENV{DUNNING_TEST} // (), __FILE__ =~ m{^(.*)/t/[^/]+$});
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');
$node->safe_psql('postgres', slurp_file($sql));
$node->safe_psql('postgres', 'CALL helper.episodes(1, 120, 20260610)');
is($node->safe_psql('postgres', q{SELECT string_agg(format('%s/%s %s', episode, step, what), E'\n') FROM (SELECT * FROM helper.violation LIMIT 10) x}), '', 'random_lives_of_offers_never_have_two_live_ones_nor_say_two_things_nor_misjudge_a_promise');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT what) >= 10 FROM helper.tally}), 't', 'and everything happened');
$node->stop;
done_testing();
