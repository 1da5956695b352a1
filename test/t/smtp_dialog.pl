# What a mail server can answer and how, word by word: pieces, many lines, too much, nonsense, hanging up at every stage.
# One slot, so that each mail takes the connection that the one before it left behind.
use strict;
use warnings;
use IO::Socket::INET;
use MIME::QuotedPrint qw(decode_qp);
use Socket qw(SOL_SOCKET SO_RCVBUF);
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $log = "$dir/said";
my $listener = IO::Socket::INET->new(Listen => 10, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die;
# A small window, so that a large mail leaves in many pieces.
$listener->setsockopt(SOL_SOCKET, SO_RCVBUF, 4096) or die;
my $port = $listener->sockport;

# --- the server: how it answers is the name of the recipient, or of the sender for MAIL ---

my $peer;
sub note_line { open(my $out, '>>', $log) or die; $out->syswrite("$$ $_[0]\n"); return close $out; }
sub reply { my ($text) = @_; $peer->syswrite("$text\r\n"); return; }
sub in_pieces { my ($text) = @_; for my $byte (split //, "$text\r\n") { $peer->syswrite($byte); select(undef, undef, undef, 0.002); } return; }

sub serve
{
	my ($how, $next, $data, $mail) = ('', '', 0, '');
	my $say = sub { $how eq 'pieces' ? in_pieces($_[0]) : $how eq 'lines' ? reply(join "\r\n", (map { substr($_[0], 0, 3) . "-line $_" } 1 .. 20), $_[0]) : reply($_[0]) };

	$peer->autoflush(1);
	reply('220 here');
	while (my $line = <$peer>)
	{
		$line =~ s/\r\n$//;
		if ($data)
		{
			if ($line ne '.')
			{
				$line =~ s/^\.//;
				$mail .= "$line\n";
				next;
			}
			if ($how eq 'large') { open(my $out, '>', "$dir/large") or die; print $out $mail; close $out }
			$data = 0;
			$next = $how;
			if ($how eq 'endgarbage') { reply('hello') }
			elsif ($how eq 'endlong') { reply('250 ' . 'x' x 20000) }
			elsif ($how eq 'endflood') { $peer->syswrite(join '', map { "250-$_\r\n" } 1 .. 5000); }
			elsif ($how eq 'endtwocodes') { reply("250-yes\r\n550 no") }
			elsif ($how eq 'endtwice') { reply("250 yes\r\n250 yes") }
			elsif ($how eq 'endhalf') { $peer->syswrite('250'); return }
			elsif ($how eq 'endclose') { return }
			elsif ($how eq 'end421') { reply('421 4.3.2 going down'); return }
			else { $say->('250 2.0.0 taken') }
			next;
		}
		note_line($line);
		if ($line =~ /^EHLO/) { reply("250-here\r\n250 SIZE 1000000") }
		elsif ($line =~ /^MAIL/)
		{
			return if $next eq 'thenclose';
			if ($next eq 'then421') { reply('421 4.7.0 enough'); return }
			$line =~ /no-sender/ ? reply('550 5.1.8 not from you') : reply('250 ok');
		}
		elsif ($line =~ /^RCPT TO:<([a-z0-9]+)-/)
		{
			$how = $1;
			if ($how eq 'rcptgarbage') { reply('what') }
			elsif ($how eq 'rcptclose') { return }
			elsif ($how eq 'rcpt550') { reply('550 5.1.1 nobody') }
			else { $say->('250 ok') }
		}
		elsif ($line eq 'DATA')
		{
			return if $how eq 'dataclose';
			if ($how eq 'datamute') { $next = <$peer>; return }
			if ($how eq 'data451') { reply('451 4.3.0 not now'); next }
			if ($how eq 'datayes') { reply('250 ok'); next }
			$data = 1;
			$mail = '';
			return if $how eq 'largehalf' && sysread($peer, my $some, 50000);
			$say->('354 go on');
		}
		elsif ($line eq 'QUIT') { reply('221 bye'); return }
		else { reply('250 ok') }
	}
	return;
}

my $server = fork() // die;
if ($server == 0)
{
	local $SIG{CHLD} = 'IGNORE';
	local $SIG{PIPE} = 'IGNORE';
	while ($peer = $listener->accept)
	{
		if (fork() == 0) { serve(); close $peer; POSIX::_exit(0); }
		close $peer;
	}
	POSIX::_exit(0);
}
close $listener;

my $node = PostgreSQL::Test::Cluster->new('dialog');
$node->init;
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'dunning'
dunning.allowed_hosts = '127.0.0.1:$port'
dunning.retry_delay = '1h'
dunning.slots = 1
timezone = 'UTC'
});
$node->start;
my $db = 'postgres';
$node->safe_psql($db, qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://127.0.0.1:$port', "from" 'a\@example.org', tls 'none', timeout '2s');
	CREATE SERVER other TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://127.0.0.1:$port', "from" 'no-sender\@example.org', tls 'none', timeout '2s');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	CREATE USER MAPPING FOR dunning_worker SERVER other;
	SELECT dunning.activate();
});

my $n = 0;
sub ends
{
	my ($how, $expected, $what, $gateway) = @_;
	my $name = $how . '-' . ++$n;
	$node->safe_psql($db, qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('$name', 'Name', 'Given', 'en', 'DK', '$name\@example.org');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('$name', 'I', current_date - 40, current_date - 12, 100, 'DKK');
		SELECT dunning.send('$name', 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '@{[ $gateway // 'mail' ]}' WHERE debtor_id = '$name';
		COMMIT});
	my $last = "SELECT o.state || ' ' || o.reason FROM dunning.outcome o WHERE o.debtor_id = '$name' AND o.attempt = 1 ORDER BY o.outcome_id DESC LIMIT 1";
	$node->poll_query_until($db, "SELECT count(*) > 0 FROM dunning.outcome o WHERE o.debtor_id = '$name' AND o.attempt = 1");
	like($node->safe_psql($db, $last), $expected, "$how: $what");
	return;
}
sub connections { my %seen; $seen{ (split / /)[0] } = 1 for split /\n/, slurp_file($log); return scalar keys %seen; }

ends('plain', qr/^sent smtp_250$/, 'a mail is sent');
ends('pieces', qr/^sent smtp_250$/, 'replies_may_come_byte_by_byte');
ends('lines', qr/^sent smtp_250$/, 'replies_may_have_many_lines');
is(connections(), 1, 'a connection is kept from mail to mail');
ends('rcpt550', qr/^(failed|dead) smtp_550$/, 'a refused recipient is final');
ends('plain', qr/^sent smtp_250$/, 'the next mail is sent');
ends('data451', qr/^queued smtp_451$/, 'a refused DATA is tried again later');
ends('plain', qr/^sent smtp_250$/, 'the next mail is sent');
is(connections(), 1, 'a refusal costs no connection');
is(scalar(() = slurp_file($log) =~ /^\d+ RSET$/mg), 2, 'a mail after a refusal begins with RSET');

# a_kept_connection_that_is_gone_costs_no_attempt
for my $how ('thenclose', 'then421')
{
	my $before = connections();
	ends($how, qr/^sent smtp_250$/, 'a mail is sent');
	ends('plain', qr/^sent smtp_250$/, 'the next goes over a fresh connection at once');
	is(connections(), $before + 1, 'which is one more');
}
# before_the_final_dot_nothing_has_left
ends('rcptclose', qr/^queued connection_closed_by_the_mail_server$/, 'tried again later');
ends('rcptgarbage', qr/^queued no_reply_of_a_mail_server$/, 'tried again later');
ends('dataclose', qr/^queued connection_closed_by_the_mail_server$/, 'tried again later');
ends('datamute', qr/^queued timeout_was_reached$/, 'tried again later');
ends('datayes', qr/^queued unexpected_reply$/, 'a yes to DATA that is no 354 is not followed by a body');
# after_it_only_an_answer_counts
ends('endclose', qr/^unknown connection_closed_by_the_mail_server$/, 'nobody knows');
ends('endhalf', qr/^unknown connection_closed_by_the_mail_server$/, 'half an answer is none');
ends('endgarbage', qr/^unknown no_reply_of_a_mail_server$/, 'nonsense is no answer');
ends('endlong', qr/^unknown reply_too_large$/, 'an endless line is cut');
ends('endflood', qr/^unknown reply_too_large$/, 'endless lines are cut');
ends('endtwocodes', qr/^unknown no_reply_of_a_mail_server$/, 'two answers in one are none');
ends('end421', qr/^queued smtp_421$/, 'a no is a no');
# a_large_mail_leaves_in_pieces_and_whole
$node->safe_psql($db, q{SELECT dunning.save_template('reminder-1', 'email', 'en', 'Large', E'.\n..\n.a {{given_name}} {{pay_url}}\n' || repeat(E'.dots begin lines of a long letter\n', 7000) || E'end\n.')});
ends('large', qr/^sent smtp_250$/, 'sent');
my ($text) = slurp_file("$dir/large") =~ /\n\n(.*)/s;
like(decode_qp($text), qr/^\.\n\.\.\n\.a Given .*\n(\.dots begin lines of a long letter\n){7000}end\n\.\n?$/, 'as it was written, dots and all');
ends('largehalf', qr/^queued /, 'cut off before the final dot it has not left');

my $before = connections();
ends('endtwice', qr/^sent smtp_250$/, 'what comes after the answer does not change it');
ends('plain', qr/^sent smtp_250$/, 'the next mail is sent');
is(connections(), $before + 2, 'over a connection that speaks in turn');

# a_refused_sender_is_not_the_recipients_fault
ends('plain', qr/^queued smtp_550$/, 'a refused sender shuts the server, and the mail waits', 'other');
is($node->safe_psql($db, 'SELECT count(*) FROM dunning.suppression'), '1', 'and suppresses no address: only the refused recipient is suppressed');
is($node->safe_psql($db, 'SELECT count(*) FROM dunning.egress WHERE attempt > 1'), '0', 'every mail took one attempt');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');

$node->stop;
kill 'TERM', $server;
waitpid($server, 0);
done_testing();
