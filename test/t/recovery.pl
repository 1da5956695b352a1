# How soon sending goes on after a death, and how soon a book is gone, in its short form.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `ROUNDS=1 $root/test/faults/recovery.sh 2>&1`;
my $rc = $?;
diag($out) if $rc != 0;
like($out, qr/^ *\Q$_\E .*\| ok$/m, "$_: within its limit")
  for 'kill -9 of a backend', 'kill -9 of the worker', 'kill -9 of the postmaster', 'SIGTERM to the worker', 'DROP DATABASE', 'DROP EXTENSION';
like($out, qr/: 0 of 6 over their limit, 0 deviations, 0 deadlocks$/m, 'and nothing was lost, nothing came twice');
is($rc, 0, 'exit code');
done_testing();
