# recipients.pl WANTED LEDGER BODIES, for recipients.sh: each arrival belongs to one message; its recipient and amount are among those that
# its debtor may be told, the text is his and of the day, and there is no header, field or recipient that nobody asked for. A line for
# each that is wrong; at last "= ARRIVED NOT-LEFT WRONG".
use strict;
use warnings;
use Encode qw(decode encode);
use JSON::PP;
use Mailbox;

my ($wanted_file, $ledger_file, $bodies_file) = @ARGV;
my (%want, @wrong, %accepted);
my $json = JSON::PP->new->utf8;
my %header = map { $_ => 1 } qw(from to subject date message-id auto-submitted mime-version content-type content-transfer-encoding);

sub wrong { my ($id, $what) = @_; push @wrong, ($id // '?') . ": $what"; return }

open(my $in, '<', $wanted_file) or die;
while (<$in>)
{
	chomp;
	my %w;
	(my $id, @w{qw(server debtor state reason addresses amounts reference mark name)}) = split /\t/, $_, -1;
	$w{name} = decode('UTF-8', pack 'H*', $w{name});
	$_ = join ' ', split ' ', $_ for $w{plain} = $w{name};
	$want{$id} = \%w;
}
close $in;

# Recipients and times: of what was accepted, the gateway's own ledger.
my (%arrivals, %to_whom);
open($in, '<', $ledger_file) or die;
while (<$in>)
{
	chomp;
	my (undef, $protocol, $verdict, $key, $recipient) = split /\t/, $_, -1;
	my ($id) = $key =~ /([0-9a-f]{8}-[0-9a-f-]{27})/;
	my $w = defined $id ? $want{$id} : undef;

	if (!$w) { wrong($id, "arrived at $recipient, and nobody wanted it"); next }
	$arrivals{$id}++;
	push @{ $to_whom{$id} }, $recipient;
	wrong($id, "arrived by $protocol over the gateway of another") if ($protocol eq 'smtp') != ($w->{server} eq 'mail');
	wrong($id, "arrived at $recipient instead of $w->{addresses}") unless grep { $_ eq $recipient } split /\|/, $w->{addresses};
	next unless $verdict eq 'accept';
	wrong($id, 'accepted twice') if $accepted{$id}++;
}
close $in;

sub check_text
{
	my ($id, $w, $subject, $text) = @_;
	my ($sum) = $text =~ /^Amount \((?:DKK|kr\.?)?\s*([0-9.,\x{a0} ]+?)\s*(?:DKK|kr\.?)?\)\./m;

	$_ = join ' ', split ' ', $_ for my $heading = $subject;
	wrong($id, 'the text is of another day') unless $text =~ /^Reminder \Q$w->{mark}\E\n/ && $subject =~ /^\Q$w->{mark}\E /;
	wrong($id, "the text is another's: " . substr($text, 0, 80)) unless index($text, "[$w->{reference}] <") >= 0;
	wrong($id, 'it names two') if () = $text =~ /REF-/g and (() = $text =~ /REF-/g) != 1;
	if (!defined $sum) { wrong($id, 'it names no amount: ' . $text) }
	else
	{
		(my $plain = $sum) =~ s/[^0-9]//g;
		wrong($id, "it asks for $sum instead of $w->{amounts}") unless grep { (my $a = $_) =~ s/\.//; $a eq $plain } split /\|/, $w->{amounts};
	}
	# A name is cut in a header and folded in a text, but it is this one and stays a name.
	my $start = substr $w->{plain}, 0, 20;
	wrong($id, "the heading is another's: $heading") if $heading !~ /^\Q$w->{mark} $start\E/ && $w->{plain} =~ /^[A-Za-z0-9 ]+$/;
	return;
}

my %bodies;
open($in, '<:raw', $bodies_file) or die;
while (my $line = <$in>)
{
	my ($protocol, $recipient, $len) = $line =~ /^== (\S+) (.*) (\d+)$/ or die "not a body's head: $line";
	read($in, my $body, $len);
	<$in>;
	my ($id, $subject, $text);

	if ($protocol eq 'smtp')
	{
		my ($head) = split /\r\n\r\n/, $body, 2;
		my %count;
		$count{ lc $1 }++ while $head =~ /^([^\s:]+):/mg;
		($id) = $body =~ /^Message-ID: <([0-9a-f-]{36})\@example\.org>\r$/m;
		wrong($id, 'headers that nobody wrote: ' . join ' ', sort keys %count) if grep { !$header{$_} || $count{$_} != 1 } keys %count;
		wrong($id, 'To names another') unless $head =~ /^To: <\Q$recipient\E>\r$/m;
		my $mail = Mailbox::parse($body);
		($subject, $text) = ($mail->{headers}{subject}, $mail->{text});
	}
	elsif ($body =~ /^\{/)
	{
		my $sent = eval { $json->decode($body) };
		if (!$sent) { wrong(undef, "no JSON for $recipient"); next }
		wrong($sent->{id}, 'fields that nobody wrote: ' . join ' ', sort keys %$sent) if join(' ', sort keys %$sent) !~ /^channel from (html )?id subject text to$/ || (() = $body =~ /"to":/g) != 1 && $body !~ /\\"to\\"/;
		wrong($sent->{id}, 'the field to names another') if $sent->{to} ne $recipient;
		($id, $subject, $text) = @$sent{qw(id subject text)};
	}
	else
	{
		my %sent;
		for my $pair (split /&/, $body)
		{
			my ($name, $value) = split /=/, $pair, 2;
			$value =~ s/\+/ /g;
			$value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
			push @{ $sent{$name} }, decode('UTF-8', $value);
		}
		wrong($sent{id}[0], 'fields that nobody wrote: ' . join ' ', sort keys %sent) if join(' ', sort keys %sent) ne 'id subject text to' || grep { @$_ != 1 } values %sent;
		wrong($sent{id}[0], 'the field to names another') if $sent{to}[0] ne $recipient;
		($id, $subject, $text) = map { $sent{$_}[0] } qw(id subject text);
	}
	my $w = defined $id ? $want{$id} : undef;
	if (!$w) { wrong($id, 'a body that nobody wanted'); next }
	wrong($id, "a body at $recipient instead of $w->{addresses}") unless grep { $_ eq $recipient } split /\|/, $w->{addresses};
	$bodies{$id}++;
	check_text($id, $w, $subject // '', $text // '');
}
close $in;

my $left = 0;
for my $id (sort keys %want)
{
	my $w = $want{$id};

	wrong($id, 'accepted ' . ($accepted{$id} // 0) . ' times, with ' . ($bodies{$id} // 0) . ' bodies') if ($accepted{$id} // 0) != ($bodies{$id} // 0);
	wrong($id, "it is $w->{state} and was accepted") if $accepted{$id} && $w->{state} !~ /^(sent|delivered|unknown)$/;
	wrong($id, "it is $w->{state} and was not accepted") if !$accepted{$id} && $w->{state} =~ /^(sent|delivered)$/;
	wrong($id, 'it was sent to two addresses') if keys %{ { map { $_ => 1 } @{ $to_whom{$id} || [] } } } > 1;
	next if $accepted{$id};
	$left++;
	wrong($id, "it did not leave, without a reason ($w->{state})") if $w->{reason} eq '' || $w->{state} !~ /^(held|dead|failed|cancelled|unknown)$/;
	# Only what changed or was evil may stay.
	wrong($id, "it did not leave: $w->{state} $w->{reason}") if $w->{addresses} ne '' && $w->{amounts} !~ /\|/ && $w->{reason} !~ /balance|changed|paid|amount/ && $w->{addresses} !~ /^lost/;
}
print "$_\n" for @wrong;
printf "= %d %d %d\n", scalar(keys %accepted), $left, scalar @wrong;
exit(@wrong ? 1 : 0);
