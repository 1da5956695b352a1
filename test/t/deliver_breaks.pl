# The runner of check-deliver-breaks in its short form: some mistakes that are soon noticed, and one whose place is gone.
use strict;
use warnings;
use File::Temp;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my @quick = ('two workers ask about a person at once', "a campaign's money is all that counts", "a name's ampersand begins a field");
my $pattern = '^(' . join('|', @quick) . ')$';
my $out = `ROUNDS=2 BREAKS="$pattern" $root/test/faults/breaks.sh 2>&1`;
is($?, 0, 'exit code') or diag($out);
like($out, qr/^ok \Q$_\E: /m, "noticed: $_") for @quick;
like($out, qr/^3 of 3 mistakes noticed$/m, 'and no more were made') or diag($out);
# a_mistake_that_can_no_longer_be_made_is_told
my $file = File::Temp->new;
print $file "of another time\tcaps\tsrc/deliver/loop.c\ts/no such words/at all/\n";
$file->flush;
$out = `BREAKS_FILE=$file $root/test/faults/breaks.sh 2>&1`;
isnt($?, 0, 'a_mistake_that_can_no_longer_be_made_is_told');
like($out, qr/^not ok of another time: its line in src\/deliver\/loop.c is not there any more$/m, 'by its name') or diag($out);
done_testing();
