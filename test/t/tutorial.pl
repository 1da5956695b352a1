# docs/tutorial.md, literally: its sh and sql blocks are run in order, as somebody who copies them would, and each text
# block after one is what comes out. The server's and the mail port stand for free ones. WRITE_TUTORIAL=file writes the page
# with what came out instead of comparing.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use PostgreSQL::Test::Cluster;
use Test::More;
use Time::HiRes qw(time);

my $home = PostgreSQL::Test::Utils::tempdir_short;
my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(5499 2525);
my $page = slurp_file("$ENV{DUNNING_ROOT}/docs/tutorial.md");

# Text, and blocks of a kind: an output belongs to the block before it.
my @parts = map { /\A```(\w*)\n(.*?)\n?```\z/s ? { kind => $1, text => $2 } : { kind => 'prose', text => $_ } } split /^(```.*?^```)$/ms, $page;
my @commands = grep { $_->{kind} =~ /^(sh|sql)$/ } @parts;
for my $i (grep { $parts[$_]{kind} eq 'text' } 0 .. $#parts)
{
	my ($before) = grep { $_->{kind} ne 'prose' } reverse @parts[ 0 .. $i - 1 ];
	$before->{expected} = $parts[$i];
}
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
	my ($first) = $command->{text} =~ /^(?!--)(.*)$/m;
	my $out = -e "$home/$i.out" ? slurp_file("$home/$i.out") : '';
	for my $usual (keys %port) { $out =~ s/\b\Q$port{$usual}\E\b/$usual/g }
	# psql fills the last column of a line with blanks
	s/[ \t\r]+$//mg, s/\s+\z// for $out;
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
	# "…" on the page stands for whatever is there
	my $like = join '.*?', map { quotemeta } split /…/, $command->{expected}{text}, -1;
	like($out, qr/\A$like\z/s, "the_tutorial_shows_what_comes_out: $first");
}
ok($whole, 'the_tutorial_runs_from_an_empty_database_to_a_running_strategy');
cmp_ok($took, '<', 45, sprintf 'and its commands together take %.1f s', $took);
append_to_file($ENV{WRITE_TUTORIAL}, join '', map { $_->{kind} eq 'prose' ? $_->{text} : "```$_->{kind}\n$_->{text}\n```" } @parts) if $ENV{WRITE_TUTORIAL};

# Whatever the last block did not stop.
if (open my $file, '<', "$home/dunning-tutorial/data/postmaster.pid")
{
	my $postmaster = <$file>;
	kill 'INT', $postmaster;
}
done_testing();
