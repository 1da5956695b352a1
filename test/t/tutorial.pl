# docs/tutorial.md, literally: its sh and sql blocks are run in order, as somebody who copies them would, and each text
# block after one is what comes out. The server's and the mail port stand for free ones. WRITE_TUTORIAL=file writes the page
# with what came out instead of comparing.
use strict;
use warnings;
use Page;
use PostgreSQL::Test::Utils;
use PostgreSQL::Test::Cluster;
use Test::More;
use Time::HiRes qw(time);

my $home = PostgreSQL::Test::Utils::tempdir_short;
my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(5499 2525);
my $page = Page->new("$ENV{DUNNING_ROOT}/docs/tutorial.md");
my @commands = $page->blocks('sh', 'sql');
cmp_ok(scalar @commands, '>=', 20, 'the page has its commands');

# One shell runs them all: what a block exports or changes into stays. SQL is what the reader types into psql.
my $script = "set -e\ncd \"\$DUNNING_ROOT\"\n";
for my $i (0 .. $#commands)
{
	my $text = $commands[$i]{text} =~ s/\b(5499|2525)\b/$port{$1}/gr;
	# an error that the page shows is meant
	my $stop = $commands[$i]{expected} && $commands[$i]{expected}{text} =~ /^ERROR/m ? '' : ' -v ON_ERROR_STOP=1';
	$script .= "exec >'$home/$i.out' 2>&1\n";
	$script .= $commands[$i]{kind} eq 'sh' ? "$text\n" : "psql -Xq -P pager=off$stop <<'THE_BLOCK_ENDS'\n$text\nTHE_BLOCK_ENDS\n";
	# a reload reaches the server's new sessions a moment later; whoever types is slower than that
	$script .= "until psql -XAtc 'SHOW dunning.clock' | grep -qF '$1'; do sleep 0.05; done\n" if $text =~ /SET dunning\.clock = '([^']+)';\s*SELECT pg_reload_conf/;
	$script .= "touch '$home/$i.done'\n";
}
append_to_file("$home/script", $script);
my $started = time;
my $pid = fork // die "no fork: $!";
exec 'env', "HOME=$home", 'TZ=UTC', 'timeout', '120', 'bash', "$home/script" if $pid == 0;
waitpid $pid, 0;
my $took = time - $started;

my $whole = 1;
for my $i (0 .. $#commands)
{
	my $command = $commands[$i];
	my $first = Page::first_line($command);
	my $out = -e "$home/$i.out" ? slurp_file("$home/$i.out") : '';
	for my $usual (keys %port) { $out =~ s/\b\Q$port{$usual}\E\b/$usual/g }
	$out = Page::printed($out);
	unless (-e "$home/$i.done")
	{
		fail("runs: $first");
		diag($out);
		$whole = 0;
		last;
	}
	next unless $command->{expected};
	if ($ENV{WRITE_TUTORIAL})
	{
		$command->{expected}{text} = $out;
		next;
	}
	like($out, Page::pattern($command), "the_tutorial_shows_what_comes_out: $first");
}
ok($whole, 'the_tutorial_runs_from_an_empty_database_to_a_running_strategy');
cmp_ok($took, '<', 45, sprintf 'and its commands together take %.1f s', $took);
append_to_file($ENV{WRITE_TUTORIAL}, $page->text) if $ENV{WRITE_TUTORIAL};

# Whatever the last block did not stop.
if (open my $file, '<', "$home/dunning-tutorial/data/postmaster.pid")
{
	my $postmaster = <$file>;
	kill 'INT', $postmaster;
}
done_testing();
