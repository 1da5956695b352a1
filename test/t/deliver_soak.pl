# Everything at once, in its short form: faults, kills, pauses, cancels, payments, moves, receipts; then the two ledgers agree.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `MINUTES=0.5 $root/test/faults/soak.sh 2>&1`;
my $rc = $?;
diag($out) if $rc != 0;
like($out, qr/^\d+ messages in \d+ turns, .*: 0 deviations; a worker grew by -?\d+ KiB at most$/m, 'nothing lost, nothing twice, nobody else\'s, each in one final state with a reason');
is($rc, 0, 'exit code');
done_testing();
