# The policy table of the runs that sim.sh made, with the targets beside the figures: table.pl worlds.tsv folder world...
use strict;
use warnings;

my ($list, $folder, @worlds) = @ARGV;
my %about;
open my $in, '<', $list or die "$list: $!";
while (<$in>) { chomp; my ($name, $settings, $what) = split /\t/; $about{$name} = [ $settings, $what ] unless /^#/ }
close $in;

my $ours = 'dunning';
my ($frequent, $constant) = ('most frequent hour of answers', 'best constant slot a segment (known)');
my $failed = 0;
my %share;    # world => share of the oracle

sub mean { my $s = 0; $s += $_ for @_; return @_ ? $s / @_ : 0 }

# One world: policy => [ [ by contact ], a seed each ], figure => [ values ]
sub read_runs
{
	my $world = shift;
	my (%policy, @order, %figure, %decile);
	for my $file (sort glob "$folder/$world.*")
	{
		open my $run, '<', $file or die "$file: $!";
		while (<$run>)
		{
			chomp;
			my ($kind, $name, @value) = split /\t/;
			if ($kind eq 'policy') { push @order, $name unless $policy{$name}; push @{ $policy{$name} }, \@value }
			elsif ($kind eq 'figure') { push @{ $figure{$name} }, $value[0] }
			elsif ($kind eq 'ceiling') { $figure{ceiling} = [ $name, $value[0] ] }
			elsif ($kind eq 'decile') { push @{ $decile{$name} }, \@value }
		}
		close $run;
	}
	return (\%policy, \@order, \%figure, \%decile);
}

sub target
{
	my ($what, $value, $good, $wanted) = @_;
	printf "  %-52s %8s  target %-8s %s\n", $what, $value, $wanted, $good ? 'met' : 'NOT MET';
	$failed++ unless $good;
}

# Beyond the line of acceptance: told, not asked for.
sub told { my ($what, $value) = @_; printf "  %-52s %8s\n", $what, $value; return }

sub last_of { my ($by, $n) = @_; return mean(map { my $v = $_; mean(@$v[ -$n .. -1 ]) } @$by) }

sub blocks
{
	my ($by, $oracle) = @_;
	my $n = @{ $by->[0] };
	my @out;
	for (my $t = 0; $t + 3 < $n; $t += 4)
	{
		my @at = ($t .. $t + 3);
		push @out, sprintf '%.2f', mean(map { mean(@$_[@at]) } @$by) / mean(map { mean(@$_[@at]) } @$oracle);
	}
	return "@out";
}

sub policy_table
{
	my ($policy, $order) = @_;
	my $oracle = $policy->{oracle};
	my $best = mean(map { mean(@$_) } @$oracle);
	my %mean;
	printf "  %-38s %8s %8s %8s %8s %8s  %s\n", 'policy', 'answers', 'of best', 'last 4', 'least', 'most', 'of best by four contacts';
	for my $name (@$order)
	{
		my $by = $policy->{$name};
		my @share = sort { $a <=> $b } map { mean(@{ $by->[$_] }) / mean(@{ $oracle->[$_] }) } 0 .. $#$by;
		$mean{$name} = mean(map { mean(@$_) } @$by);
		printf "  %-38s %8.3f %8.3f %8.3f %8.3f %8.3f  %s\n", $name, $mean{$name}, $mean{$name} / $best, last_of($by, 4) / last_of($oracle, 4),
		  $share[0], $share[-1], blocks($by, $oracle);
	}
	return \%mean;
}

sub flat_targets
{
	my ($policy, $figure) = @_;
	my ($claim) = sort { $b <=> $a } map { abs } @{ $figure->{'uplift reported'} };
	target('reported uplift, the largest of the seeds', sprintf('%.1f %%', 100 * $claim), $claim <= 0.03, '<= 3 %');
	my $difference = last_of($policy->{$ours}, 4) / last_of($policy->{'random allowed slot'}, 4) - 1;
	target('true difference to a random slot', sprintf('%.2f %%', 100 * $difference), abs($difference) < 1e-3, '0');
}

sub share_targets
{
	my ($world, $policy, $mean) = @_;
	my $oracle = $policy->{oracle};
	if ($world eq 'tau3')
	{
		target('of the oracle', sprintf('%.3f', $share{$world}), $share{$world} >= .68, '>= .68');
		my $last = last_of($policy->{$ours}, 4) / last_of($oracle, 4);
		target('of the oracle, last four contacts', sprintf('%.3f', $last), $last >= .70, '>= .70');
	}
	my %over = map { $_ => $mean->{$ours} / $mean->{$_} } ($frequent, $constant);
	for my $other ([ 'times the most frequent hour', $over{$frequent}, 1.2 ], [ 'times the best constant slot', $over{$constant}, 1.1 ])
	{
		my ($what, $times, $least) = @$other;
		if ($world eq 'tau3') { target($what, sprintf('%.2f', $times), $times >= $least, ">= $least") }
		else { told($what, sprintf('%.2f', $times)) }
	}
}

for my $world (@worlds)
{
	my ($policy, $order, $figure, $decile) = read_runs($world);
	my $seeds = @{ $policy->{oracle} };
	print "\n$world: $about{$world}[1] ($about{$world}[0]), $seeds seed(s)\n";
	my $mean = policy_table($policy, $order);
	printf "  %-38s %8s %8.3f %8.3f\n", 'with the true prior, 5 % by lot', '', @{ $figure->{ceiling} } if $figure->{ceiling};
	$share{$world} = $mean->{$ours} / $mean->{oracle};
	if ($world eq 'flat') { flat_targets($policy, $figure) }
	elsif ($world =~ /^tau/) { share_targets($world, $policy, $mean) }
	printf "  uplift reported %+.1f %%, true %+.1f %% of an average allowed slot\n", map { 100 * mean(@{ $figure->{"uplift $_"} }) } qw(reported true);
	my @deciles = map { my $d = $decile->{$_}; [ mean(map { $_->[0] } @$d), mean(map { $_->[1] } @$d) ] } sort { $a <=> $b } keys %$decile;
	printf "  reported and real chance by decile: %s\n", join ' ', map { sprintf '%.2f/%.2f', @$_ } @deciles;
	my ($worst) = sort { $b <=> $a } map { abs($_->[0] / $_->[1] - 1) } @deciles;
	target('reported chance of an answer, the worst decile', sprintf('%.0f %%', 100 * $worst), $worst <= .1, '+-10 %');
	my ($outside) = sort { $b <=> $a } @{ $figure->{outside} };
	target('contacts outside of the windows or after an opt-out', $outside, $outside == 0, '0');
	my $lot = mean(@{ $figure->{explored} });
	target('contacts drawn by lot', sprintf('%.1f %%', 100 * $lot), abs($lot - .05) <= .005, '5 %');
	printf "  %d contacts a seed; %s\n", mean(@{ $figure->{contacts} }),
	  join ', ', map { sprintf '%s %.1f s', $_, mean(@{ $figure->{"seconds $_"} }) } ('best_times', 'maintain', 'rows');
}
if (defined $share{tau3} && defined $share{machines})
{
	print "\nmachines that open and click, against the same world without\n";
	my $lost = $share{tau3} - $share{machines};
	target('of the oracle lost to them', sprintf('%.3f', $lost), $lost <= .01, '<= .01');
}
print $failed ? "\n$failed target(s) not met\n" : "\nall targets met\n";
exit($failed ? 1 : 0);
