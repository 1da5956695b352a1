# A scripted gateway for TAP tests: starts test/gateways/catcher on free ports and reads its ledger.
#
#   my $gateway = Catcher->new(honour_keys => 1, delay => 20, faults => { '+4999' => '503' });
#   $gateway->http_url('/send');   $gateway->smtp_url;   my @rows = $gateway->ledger;
package Catcher;

use strict;
use warnings;

use File::Temp qw(tempdir);

my @columns = qw(at protocol verdict key recipient sha256 bytes note);

sub new
{
	my ($class, %option) = @_;
	my $program = $ENV{DUNNING_CATCHER} || "$ENV{DUNNING_ROOT}/test/gateways/catcher";
	my $dir = tempdir(CLEANUP => 1);
	my @arguments = ('--ledger', "$dir/ledger", '--bodies', "$dir/bodies");

	die "the catcher is not built: make catcher\n" unless -x $program;
	push @arguments, '--honour-keys' if $option{honour_keys};
	push @arguments, '--auth' if $option{auth};
	push @arguments, '--tell' if $option{tell};
	push @arguments, '--delay', $option{delay} if $option{delay};
	push @arguments, '--fault', "$_=$option{faults}{$_}" for sort keys %{ $option{faults} || {} };

	my $pid = open(my $out, '-|', $program, @arguments) or die "could not start $program: $!\n";
	my ($http, $smtp) = (join '', map { scalar(<$out>) // '' } 1 .. 2) =~ /^http (\d+)\nsmtp (\d+)\n$/
	  or die "the catcher did not tell its ports\n";
	return bless { pid => $pid, out => $out, dir => $dir, http => $http, smtp => $smtp }, $class;
}

sub http_port { return $_[0]{http} }
sub smtp_port { return $_[0]{smtp} }
sub http_url { return "http://127.0.0.1:$_[0]{http}" . ($_[1] // '/send') }
sub smtp_url { return "smtp://127.0.0.1:$_[0]{smtp}" }

# The value of dunning.allowed_hosts that lets a server be here.
sub allowed_hosts { return "127.0.0.1:$_[0]{http}, 127.0.0.1:$_[0]{smtp}" }

# Every line, a hash each: at, protocol, verdict (accept or repeat), key, recipient, sha256, bytes, note.
sub ledger
{
	my ($self) = @_;
	my @rows;

	open(my $in, '<', "$self->{dir}/ledger") or return ();
	while (my $line = <$in>)
	{
		chomp $line;
		my %row;
		@row{@columns} = split /\t/, $line, -1;
		push @rows, \%row;
	}
	return @rows;
}

# What was accepted: each is one message that a debtor would have got.
sub accepted { return grep { $_->{verdict} eq 'accept' } $_[0]->ledger }

# The bodies accepted, in order: hashes of protocol, recipient, body.
sub bodies
{
	my ($self) = @_;
	my @bodies;

	open(my $in, '<:raw', "$self->{dir}/bodies") or return ();
	while (my $line = <$in>)
	{
		my ($protocol, $recipient, $len) = $line =~ /^== (\S+) (.*) (\d+)$/ or die "not a body's head: $line";
		read($in, my $body, $len);
		<$in>;
		push @bodies, { protocol => $protocol, recipient => $recipient, body => $body };
	}
	return @bodies;
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	kill 'TERM', $pid;
	close(delete $self->{out});
	return;
}

sub DESTROY
{
	local $?;
	$_[0]->stop;
	return;
}

1;
