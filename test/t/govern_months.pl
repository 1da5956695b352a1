# Months past the retention are dropped all at once or not at all: who reads one of their tables meanwhile waits for nobody and stops nothing.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('months');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'postgres'\nmax_prepared_transactions = 1\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION dunning; SELECT dunning.activate(); SELECT dunning._ensure_partitions('2020-01-15')});

sub months { return $node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname ~ '_y2020m0[12]$' AND relnamespace = 'dunning'::regnamespace AND relkind = 'r'}) }
sub maintain
{
	my ($out, $err) = ('', '');
	$node->psql('postgres', q{SET statement_timeout = '30s'; SELECT rows FROM dunning.maintain() WHERE item = 'months dropped'}, stdout => \$out, stderr => \$err);
	return ($out, $err);
}

is(months(), 8, 'two months of four tables');
$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM dunning.outcome; PREPARE TRANSACTION 'reader'});
my ($dropped, $said) = maintain();
is($dropped, '0', 'while somebody reads one table nothing is dropped');
like($said, qr/WARNING:  months past the retention are not dropped: somebody uses them\nHINT: /, 'and it is said');
unlike($said, qr/ERROR/, 'all else is maintained');
is(months(), 8, 'none of the others went');
$node->safe_psql('postgres', q{COMMIT PREPARED 'reader'});
($dropped, $said) = maintain();
is("$dropped $said", '8 ', 'afterwards all go');
is(months(), 0, 'they are gone');
$node->safe_psql('postgres', q{SELECT dunning._ensure_partitions('2020-01-15')});

# The workers are let go before the transaction ends.
$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM dunning.maintain(); PREPARE TRANSACTION 'maintained'});
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_extension'::regclass AND mode = 'AccessExclusiveLock'}), '0', 'nobody is held back by a maintenance that goes on');
$node->safe_psql('postgres', q{COMMIT PREPARED 'maintained'});
is(months(), 0, 'whose months are gone when it ends');
$node->stop;
done_testing();
