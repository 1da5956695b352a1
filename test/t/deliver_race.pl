# The payment race in its short form.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `N=300 $root/test/faults/race.sh 2>&1`;
my $rc = $?;
diag($out) if $rc != 0;
like($out, qr/: 0 sent after a payment before the claim, 0 sent though the recheck could see the payment, 0 sent without a recheck, 0 other deviations/, 'a payment stops its message');
is($rc, 0, 'exit code');
done_testing();
