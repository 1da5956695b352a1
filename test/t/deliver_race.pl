# The payment race in its short form. A run in which no payment met a waiting intent shows nothing about the recheck:
# then another seed is tried. Every run, whatever it met, must be free of sends.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my ($out, $refused);
for my $seed (1 .. 4)
{
	$out = `N=300 SEED=$seed $root/test/faults/race.sh 2>&1`;
	like($out, qr/: 0 sent after a payment before the claim, 0 sent though the recheck could see the payment, 0 sent without a recheck, 0 other deviations/,
		"a payment stops its message (seed $seed)") or diag($out);
	($refused) = $out =~ /; (\d+) intents were refused by the recheck/;
	last if $refused;
}
SKIP:
{
	skip 'in no run did a payment meet a waiting intent', 1 unless $refused;
	cmp_ok($refused, '>', 0, 'the recheck refused intents of paid messages');
}
done_testing();
