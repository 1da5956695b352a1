# N a window and never N + 1, by four workers, in its short form: make check-caps tells more.
use strict;
use warnings;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $out = `ROUNDS=4 $root/test/faults/caps.sh 2>&1`;
for my $kind ('a person and day', 'a person, day and channel', 'a person and week', 'an account, channel and two days', 'a campaign and day, EUR', 'all campaigns and a day, EUR',
	'a rate_group and second')
{
	like($out, qr/^\Q$kind\E: 0 of [1-9]\d* windows had more than .*; [1-9]\d* were full/m, "never more than N: $kind") or diag($out);
}
is($?, 0, 'and nobody crashed') or diag($out);
done_testing();
