# docs/models.md: its blocks of SQL run in order, in one session, and each text block after one is what comes out.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$ENV{DUNNING_ROOT}/docs/models.md");
my @blocks = map { /\A```(\w+)\n(.*?)\n?```\z/s ? { kind => $1, text => $2 } : () } split /^(```.*?^```)$/ms, $page;
for my $i (grep { $blocks[$_]{kind} eq 'text' } 0 .. $#blocks) { $blocks[ $i - 1 ]{expected} = $blocks[$i]{text} }
my @commands = grep { $_->{kind} eq 'sql' } @blocks;
cmp_ok(scalar @commands, '>=', 10, 'the page has its examples');
# what a page shows but does not run is found by nobody
is(scalar(grep { $_->{kind} !~ /^(sql|text)$/ } @blocks), 0, 'and nothing but SQL and what comes out');

my $node = PostgreSQL::Test::Cluster->new('models');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ntimezone = 'UTC'\ndatestyle = 'ISO, YMD'\nclient_min_messages = 'warning'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');

# One session: what a block sets stays. A line between the blocks tells their output apart.
my $home = PostgreSQL::Test::Utils::tempdir_short;
append_to_file("$home/page.sql", join '', map { "$commands[$_]{text}\n\\echo ===$_===\n" } 0 .. $#commands);
my ($out, $err) = ('', '');
my $code = system_log_and_run($node, "$home/page.sql", \$out, \$err);
my @said = split /^===\d+===\n/m, $out;

for my $i (0 .. $#commands)
{
	my ($first) = $commands[$i]{text} =~ /^(?!--)(.*)$/m;
	my $ran = $out =~ /^===$i===$/m;
	ok($ran, 'the_examples_of_the_models_page_run: ' . substr $first, 0, 100) or do { diag($err); last };
	next unless $commands[$i]{expected};
	# psql fills the last column of a line with blanks
	s/[ \t]+$//mg, s/\s+\z// for my ($came, $expected) = ($said[$i], $commands[$i]{expected});
	$commands[$i]{came} = $came;
	# "…" on the page stands for whatever is there
	my $like = join '.*?', map { quotemeta } split /…/, $expected, -1;
	like($came, qr/\A$like\z/s, 'and_show_what_comes_out: ' . substr $first, 0, 80);
}
is($code, 0, 'without an error') or diag($err);

sub system_log_and_run
{
	my ($server, $file, $stdout, $stderr) = @_;
	my $result = IPC::Run::run([ 'psql', '-Xq', '-P', 'pager=off', '-v', 'ON_ERROR_STOP=1', '-d', $server->connstr('postgres'), '-f', $file ], '>', $stdout, '2>', $stderr);
	return $result ? 0 : 1;
}
done_testing();
