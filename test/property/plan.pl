# One share of `make check-plan`: books FIRST, FIRST + STEP ... below COUNT, each in a database of its own made from template `book` (TEMPLATE), judged and dropped.
# perl plan.pl COUNT FIRST STEP SEED DEBTORS INSTANTS; the server is where PGHOST and PGPORT say. Prints what was counted and what is wrong.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__) . '/plan';
use Book;
use Oracle;
use Judge;

my ($count, $first, $step, $seed, $debtors, $instants) = @ARGV;
my $template = $ENV{TEMPLATE} // 'book';
my %tally;
my $run = sub { system('psql', '-X', '-q', '-d', @_) == 0 or die "psql failed: @_\n" };
for (my $k = $first; $k < $count; $k += $step)
{
	my $db = $template . $k;
	my $book = Book->new($seed * 100003 + $k, $debtors, $instants);
	$run->('postgres', '-c', "CREATE DATABASE $db TEMPLATE $template");
	Oracle::learn_calendar($db) if $k == $first;
	open my $psql, '|-', "psql -X -q -v ON_ERROR_STOP=1 -d $db -f - >/dev/null" or die "psql: $!";
	print $psql $book->{script};
	close $psql or die "book $k of seed $seed could not be run\n";
	my $o = Oracle->new($book, $db);
	Judge::judge($o);
	$tally{$_} += $o->{tally}{$_} for keys %{ $o->{tally} };
	print join("\t", 'wrong', $seed, $k, map { (my $w = $_ // '') =~ s/[\t\n]+/ /g; $w } @$_), "\n" for @{ $o->{wrong} };
	$tally{books} += $debtors;
	$run->('postgres', '-c', "DROP DATABASE $db") unless $ENV{KEEP};
}
print "tally\t$_\t$tally{$_}\n" for sort keys %tally;
