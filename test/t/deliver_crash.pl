# The crash test in its short form: each named point of the protocol once.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `CYCLES=11 BATCH=30 $root/test/faults/crash.sh 2>&1`;
my $rc = $?;
diag($out) if $rc != 0;
like($out, qr/: 0 deviations$/m, 'killed at eleven points: nothing lost, nothing twice, the ledgers agree');
like($out, qr/, 0 points not met/, 'every point was met');
is($rc, 0, 'exit code');
done_testing();
