# A peer on a free loopback port for tests of the network: it ends TLS with whatever certificate is asked for and hands the bytes on to a
# gateway behind it, or plays a script of its own. What came in is in its log: who connected, from which address, what was agreed.
#
#   my $front = Relay->new(to => $gateway->http_port, tls => { cert => $file, key => $file, ca => $file, version => 'TLSv1_2' });
#   my $proxy = Relay->new(script => sub { my ($socket, $log) = @_; ... });
package Relay;

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;

sub new
{
	my ($class, %option) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $listen = IO::Socket::INET->new(Listen => 50, LocalAddr => $option{address} // '127.0.0.1', LocalPort => $option{port} // 0, Proto => 'tcp', ReuseAddr => 1) or die "could not listen: $!\n";
	my $pid = fork // die "could not fork: $!\n";

	if ($pid == 0)
	{
		serve($listen, \%option, "$dir/log");
		POSIX::_exit(0);
	}
	return bless { pid => $pid, owner => $$, port => $listen->sockport, log => "$dir/log" }, $class;
}

sub port { return $_[0]{port} }

# Lines of tab-separated words: the peer's address, what came of the handshake or the script, more.
sub log
{
	my ($self) = @_;

	open(my $in, '<', $self->{log}) or return ();
	my @lines = map { chomp; $_ } <$in>;
	return @lines;
}

sub note
{
	my ($file, @words) = @_;

	open(my $out, '>>', $file) or die;
	s/[\t\r\n]+/ /g for @words;
	syswrite($out, join("\t", @words) . "\n");
	close($out);
	return;
}

sub serve
{
	my ($listen, $option, $log) = @_;

	require POSIX;
	local $SIG{CHLD} = 'IGNORE';
	local $SIG{TERM} = sub { POSIX::_exit(0) };
	local $SIG{PIPE} = 'IGNORE';
	while (1)
	{
		my $socket = $listen->accept or next;
		my $pid = fork // next;

		next if $pid;
		alarm 120;
		my $peer = $socket->peerhost;
		if ($option->{script}) { $option->{script}->($socket, sub { note($log, $peer, @_) }) }
		else { relay($socket, $option, sub { note($log, $peer, @_) }) }
		POSIX::_exit(0);
	}
	return;
}

sub relay
{
	my ($socket, $option, $log) = @_;

	if (my $tls = $option->{tls})
	{
		require IO::Socket::SSL;
		my $raw = $socket;

		$socket = IO::Socket::SSL->start_SSL($socket, SSL_server => 1, SSL_cert_file => $tls->{cert}, SSL_key_file => $tls->{key}, SSL_cipher_list => 'ALL:@SECLEVEL=0',
			$tls->{version} ? (SSL_version => $tls->{version}) : (),
			$tls->{ca} ? (SSL_ca_file => $tls->{ca}, SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_PEER() | IO::Socket::SSL::SSL_VERIFY_FAIL_IF_NO_PEER_CERT())
			: (SSL_verify_mode => 0));
		if (!$socket)
		{
			$log->('refused', $IO::Socket::SSL::SSL_ERROR // '');
			# Until the other side ends too, or the alert may be lost with what it still sent.
			shutdown($raw, 1);
			1 while sysread($raw, my $rest, 4096);
			return;
		}
		$log->('agreed', $socket->get_sslversion, ($tls->{ca} ? $socket->peer_certificate('cn') : ()) // '');
	}
	else { $log->('agreed', 'plain') }
	my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $option->{to}) or return;
	pump($socket, $to);
	return;
}

# Bytes both ways until either side ends.
sub pump
{
	my ($one, $two) = @_;
	my $select = IO::Select->new($one, $two);

	while (1)
	{
		my @ready = $one->can('pending') && $one->pending ? ($one) : $select->can_read;

		for my $from (@ready)
		{
			my $to = $from == $one ? $two : $one;
			my $n = sysread($from, my $data, 65536);

			next if !defined $n && $!{EAGAIN};
			return unless $n;
			while (length $data)
			{
				my $written = syswrite($to, $data) // return;
				substr($data, 0, $written, '');
			}
		}
	}
	return;
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	return if $self->{owner} != $$;
	kill 'TERM', $pid;
	waitpid($pid, 0);
	return;
}

sub DESTROY
{
	local ($?, $!);
	$_[0]->stop;
	return;
}

1;
