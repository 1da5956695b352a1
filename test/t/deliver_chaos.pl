# A gateway that lies, in its short form: every script of the catcher over every contract.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `N=600 $root/test/faults/chaos.sh 2>&1`;
my $rc = $?;
diag($out) if $rc != 0;
like($out, qr/^600 messages, .*: 0 deviations$/m, 'every message ends as its gateway deserves, and arrives so often');
is($rc, 0, 'exit code');
done_testing();
