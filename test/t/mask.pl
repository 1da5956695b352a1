# A few random worlds of rules, wishes and holidays against a reference that reads them another way; `make check-mask` asks ten million times.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('mask');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndunning.timezone = 'Europe/Copenhagen'\nfsync = off\njit = off\nwork_mem = '32MB'\n");
$node->start;
my ($dir) = grep { -d } map { "$_/property/mask" } ($ENV{DUNNING_TEST} // (), __FILE__ =~ m{^(.*)/t/[^/]+$});
my $setup = slurp_file("$dir/setup.sql");
$setup =~ s{'test/property/mask/holidays.tsv'}{'$dir/holidays.tsv'};
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');
$node->safe_psql('postgres', $setup);
for my $kind (qw(email sms))
{
	$node->safe_psql('postgres', "CREATE SERVER $kind TYPE '$kind' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock'); CREATE USER MAPPING FOR dunning_worker SERVER $kind");
}
for my $seed (0.1, 0.2, 0.3)
{
	$node->safe_psql('postgres', "SELECT ref.make_world($seed)");
	$node->safe_psql('postgres', 'SELECT ref.check_gate(12000, false)');
	$node->safe_psql('postgres', 'SELECT ref.check_gate(2000, true)');
	$node->safe_psql('postgres', 'SELECT ref.check_choices()');
}
is($node->safe_psql('postgres', q{SELECT string_agg(v::text, E'\n') FROM (SELECT * FROM ref.wrong LIMIT 10) v}), '', 'no_contact_lies_outside_the_rules_and_none_within_them_is_refused');
is($node->safe_psql('postgres', q{SELECT count(*) = 5 AND bool_and(n > 50 AND open > 50) AND sum(n) > 40000 FROM ref.tally}), 't', 'the_gate_the_recheck_best_times_windows_and_plans_were_asked');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT zone) >= 50 FROM ref.zone'), 't', 'in_fifty_zones');
$node->stop;
done_testing();
