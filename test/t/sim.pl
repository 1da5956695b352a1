# Small made-up worlds in which the right hours are known (`make sim` has them in full): every contact of the extension is inside of
# the windows and before an opt-out, news that come late, twice or from machines are borne, and nothing is claimed where hours do not matter.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Basename;

my $from = dirname(__FILE__) . '/../sim';
my $program = $PostgreSQL::Test::Utils::tmp_check . '/sim';
my ($flags) = map { chomp; "-I$_" } `pg_config --includedir`;
system("cc -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-parameter $flags $from/*.c -o $program -lpq -lm") == 0 or BAIL_OUT('the simulator does not compile');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"fsync = off\njit = off\nshared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndatestyle = 'ISO, YMD'\ndunning.timezone = 'Europe/Copenhagen'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE sim');
$node->safe_psql('sim', 'CREATE EXTENSION dunning');
$node->safe_psql('sim', slurp_file("$from/sim.sql"));

# policy => mean chance of an answer a contact, figure => value
sub live
{
	my ($db, %settings) = @_;
	my ($out, $err, %got) = ('', '');
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE sim");
	local %ENV = (%ENV, SEED => 1, N => 200, HISTORY => 2, CONTACTS => 6, TAU => 3, BIASED => 1, %settings);
	IPC::Run::run([ $program, $node->connstr($db) ], '>', \$out, '2>', \$err) or die "$db: $err";
	for (split /\n/, $out)
	{
		my ($kind, $name, @value) = split /\t/;
		next unless $kind =~ /policy|figure/;
		my $sum = 0;
		$sum += $_ for @value;
		$got{$name} = $kind eq 'policy' ? $sum / @value : $value[0];
	}
	return \%got;
}

my $quiet = live('quiet');
is($quiet->{contacts}, 1200, 'everybody is contacted every week');
is($quiet->{outside}, 0, 'no contact outside of the windows');
cmp_ok($quiet->{news}, '>', 200, 'answers are told');
cmp_ok($quiet->{oracle}, '>', 2 * $quiet->{'random allowed slot'}, 'hours matter in this world');
cmp_ok($quiet->{dunning}, '<', $quiet->{oracle}, 'nobody beats the oracle');
cmp_ok($quiet->{dunning}, '>', 1.1 * $quiet->{'random allowed slot'}, 'chosen hours are better than any');

my $flat = live('flat', FLAT => 1);
cmp_ok(abs($flat->{'uplift reported'}), '<=', 0.03, 'no gain is claimed where hours do not matter');
cmp_ok(abs($flat->{dunning} / $flat->{'random allowed slot'} - 1), '<', 1e-9, 'and there is none');

my $rough = live('rough', FAKES => .3, LATE => 1, OPTOUT => .05, MOVES => .3, CHANGE => .4, CLOSURE => 1);
is($rough->{outside}, 0, 'no contact outside of the windows of the zone moved to, and none after an opt-out');
cmp_ok($rough->{contacts}, '<', 1200, 'who opted out is left alone');
cmp_ok($rough->{contacts}, '>', 800, 'the others are not');
cmp_ok($rough->{dunning}, '>', 0.9 * $rough->{'random allowed slot'}, 'and hours are still found');

$node->stop;
done_testing();
