# Who gets what, in its short form: addresses, amounts and texts change, some are made to do harm, and nothing goes astray.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `N=3000 FAULTY=1 $root/test/faults/recipients.sh 2>&1`;
my $rc = $?;
diag($out) if $rc != 0;
like($out, qr/^3000 messages, .* 0 with a wrong recipient, text, amount or header, 0 chains that do not verify$/m, 'each gets his own words, at his own address, about what he owes');
is($rc, 0, 'exit code');
done_testing();
