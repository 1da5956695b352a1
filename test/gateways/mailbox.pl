# What comes back by mail, for real: Postfix takes a mail, the next server refuses it, the report lies in a Dovecot mailbox, is read
# over IMAP and suppresses the address. Then answers, absences, and mailboxes that misbehave.
use strict;
use warnings;
use IO::Socket::INET;
use Mailbox;
use Net::SMTP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Relay;
use Test::More;

plan skip_all => $ENV{DUNNING_SKIP} if $ENV{DUNNING_SKIP};
plan skip_all => 'no mailbox was started (test/gateways/mailbox.sh start DIR)' unless $ENV{IMAP_PORT};

my ($smtp, $imap, $imaps, $maildir) = @ENV{qw(POSTFIX_PORT IMAP_PORT IMAPS_PORT POSTFIX_MAIL)};
my $secrets = PostgreSQL::Test::Utils::tempdir();
system('cp', $ENV{POSTFIX_CA}, "$secrets/ca.pem") == 0 or die 'could not copy the certificate';
sub write_file { my ($file, $text) = @_; open(my $out, '>', $file) or die "$file: $!"; print $out $text; close $out; return chmod 0600, $file }
write_file("$secrets/inbox.secret", 's3cret');
write_file("$secrets/wrong.secret", 'guess');

# The mail server of mx.test: it knows nobody, but says so only when it is asked.
my $mx = Relay->new(port => $ENV{POSTFIX_MX}, script => sub {
	my ($socket, $log) = @_;
	print $socket "220 mx.test ESMTP\r\n";
	while (my $line = <$socket>)
	{
		$line =~ s/\r?\n//;
		$log->($line);
		print $socket $line =~ /^EHLO/i ? "250-mx.test\r\n250 DSN\r\n" : $line =~ /^RCPT/i ? "550 5.1.1 no such user here\r\n" : $line =~ /^QUIT/i ? "221 bye\r\n" : "250 2.0.0 fine\r\n";
	}
});

# Mailboxes that misbehave: each greets, lets in, and then does what its script says.
sub bad_mailbox
{
	my ($then) = @_;

	return Relay->new(script => sub {
		my ($socket, $log) = @_;
		print $socket "* OK [CAPABILITY IMAP4rev1] ready\r\n";
		while (my $line = <$socket>)
		{
			$log->($line);
			my ($tag, $verb) = $line =~ /^(\S+) (\S+)/ or next;
			if ($verb =~ /CAPABILITY/i) { print $socket "* CAPABILITY IMAP4rev1\r\n$tag OK x\r\n" }
			elsif ($verb =~ /LOGIN/i) { print $socket "$tag OK in\r\n" }
			else { last unless $then->($socket, $tag, $line) }
		}
	});
}

my $silent = bad_mailbox(sub { select(undef, undef, undef, 30); return 0 });
my $bomb = bad_mailbox(sub { my ($socket, $tag) = @_; print $socket "* OK [UIDVALIDITY 1] x\r\n* 1 FETCH (BODY[]<0> {4000000000}\r\n" . 'x' x 100000; return 0 });
my $endless = bad_mailbox(sub { my ($socket) = @_; local $SIG{PIPE} = 'DEFAULT'; print $socket '* ' . 'x' x 65536 while 1; return 0 });
my $refusing = bad_mailbox(sub { my ($socket, $tag) = @_; print $socket "$tag NO \"no such mailbox\" \x07\r\n"; return 1 });
my $closed = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;

my $node = PostgreSQL::Test::Cluster->new('mailbox');
my $allowed = join ', ', map { "localhost:$_" } $smtp, $imap, $imaps, $closed, map { $_->port } $silent, $bomb, $endless, $refusing;
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'dunning'
dunning.databases = ''
dunning.secret_directory = '$secrets'
dunning.allowed_hosts = '$allowed'
timezone = 'UTC'
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE post');

sub sql { return $node->safe_psql('post', $_[0]) }
sub mailbox { my ($name, $url, $more) = @_; return "CREATE SERVER $name TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url '$url'" . ($more // '') . "); CREATE USER MAPPING FOR dunning_worker SERVER $name OPTIONS (username 'inbox', secret_file 'inbox.secret');" }
sub read_mail { my ($name) = @_; my ($rc, $out, $err) = $node->psql('post', 'CALL dunning.read_mail(' . (defined $name ? "'$name'" : '') . ')'); return ($rc, $err) }

sql('CREATE EXTENSION dunning');
sql(qq{
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway
		OPTIONS (driver 'smtp', url 'smtp://localhost:$smtp', "from" 'Creditor <billing\@dunning.test>', ca_file 'ca.pem', return_path 'bounces+{message_id}\@dunning.test');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
} . mailbox('inbox', "imaps://localhost:$imaps", ", ca_file 'ca.pem'"));
sql(q{
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'D' || n, 'Debtor ' || n, 'D', 'en', 'GB', a FROM unnest(ARRAY['gone+x@mx.test', 'ada@debtors.test', 'bob@debtors.test', 'cyd@debtors.test']) WITH ORDINALITY d(a, n);
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'D' || n, 'I' || n, '2026-05-20', '2026-06-08', 100 + n, 'GBP' FROM generate_series(1, 4) n;
	SET dunning.clock = '2026-06-22 10:00+02';
	SELECT dunning.activate();
	SELECT count(*) FROM dunning.debtor d, LATERAL dunning.send(d.debtor_id, 'reminder-1', 'email') s;
});
$node->psql('post', q{SET dunning.clock = '2026-06-22 10:00+02'; CALL dunning.deliver(max_seconds => 60)});
is(sql('SELECT count(*) FROM dunning.message_state WHERE state = $$sent$$'), '4', 'mails_leave_and_all_of_them_are_taken');

sub files { return glob("$maildir/box/new/* $maildir/box/cur/*") }
sub wait_for_files { my ($n) = @_; for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default) { my @f = files(); return @f if @f >= $n; select(undef, undef, undef, 0.1) } return files() }
sub slurp { open(my $in, '<:raw', $_[0]) or die "$_[0]: $!"; local $/; return <$in> }
sub id_of { return sql("SELECT message_id FROM dunning.message WHERE debtor_id = '$_[0]'") }

# --- a report ---
my ($report) = wait_for_files(1);
my $id = id_of('D1');
my $raw = slurp($report);
like($raw, qr/^Original-Envelope-Id: \Q$id\E\r?$/m, 'the_report_names_the_mail_by_our_number');
like($raw, qr/^Original-Recipient: rfc822; ?gone\+x\@mx\.test\r?$/m, 'and_the_address_as_we_wrote_it');
like($raw, qr/^Delivered-To: bounces\+\Q$id\E\@dunning\.test\r?$/m, 'and_comes_to_where_it_is_known');
unlike($raw, qr/100\.00|101\.00/, 'what_we_wrote_is_not_carried_back');
is((grep { /^MAIL FROM:.* RET=HDRS ENVID=\Q$id\E/ || (/^127.0.0.1\tMAIL FROM/ && /RET=HDRS/ && /ENVID=\Q$id\E/) } $mx->log) ? 1 : 0, 1, 'the_wish_goes_on_to_the_next_server');

my ($rc, $err) = read_mail('inbox');
is($rc, 0, 'the_mailbox_is_read') or diag $err;
like($err, qr/1 mailboxes looked at, 1 mails read, 0 of them/, 'and_says_how_much_was_there');
is(sql(q{SELECT kind || ' ' || (detail->>'code') || ' ' || (detail->>'hard') FROM dunning.event WHERE debtor_id = 'D1'}), 'bounced 5.1.1 true', 'the_report_is_an_event_of_its_message');
is(sql(q{SELECT state || ' ' || reason FROM dunning.message_state WHERE debtor_id = 'D1'}), 'failed bounced', 'whose_message_has_failed');
is(sql(q{SELECT count(*) FROM dunning.suppression WHERE address_digest = dunning._address_digest('gone+x@mx.test', 'email')}), '1', 'and_whose_address_is_suppressed');
($rc, $err) = read_mail();
like($err, qr/0 mailboxes looked at/, 'what_is_not_due_is_let_be');
($rc, $err) = read_mail('inbox');
like($err, qr/1 mailboxes looked at, 0 mails read/, 'what_was_read_is_not_read_again');
is((grep { /,[A-Za-z]*S[A-Za-z]*$/ } files()) + 0, 0, 'nobody_sees_that_it_was_read');

# --- answers ---
sub deliver_mail
{
	my ($from, $to, $headers, $text) = @_;
	my $session = Net::SMTP->new('127.0.0.1', Port => $smtp) or die 'Postfix does not answer';

	$session->mail($from) && $session->to($to) && $session->data("From: $from\nTo: $to\n$headers\n\n$text\n") or die $session->message;
	$session->quit;
	return;
}

my %number = map { $_ => id_of($_) } qw(D2 D3 D4);
deliver_mail('ada@debtors.test', 'billing@dunning.test', "Subject: Re: Reminder\nIn-Reply-To: <$number{D2}\@dunning.test>", "STOP\n\n> pay");
deliver_mail('bob@debtors.test', 'billing@dunning.test', "Subject: Re: Reminder\nReferences: <$number{D3}\@dunning.test>", 'I will pay on Friday.');
deliver_mail('cyd@debtors.test', "bounces+$number{D4}\@dunning.test", "Subject: Away\nAuto-Submitted: auto-replied", 'I am not here. Stop.');
deliver_mail('nobody@debtors.test', 'billing@dunning.test', 'Subject: hello', 'Who are you?');
wait_for_files(5);
($rc, $err) = read_mail('inbox');
like($err, qr/4 mails read, 1 of them/, 'answers_are_read_and_a_strangers_is_counted');
is(sql(q{SELECT string_agg(debtor_id || ' ' || kind, ', ' ORDER BY debtor_id) FROM dunning.event WHERE debtor_id <> 'D1'}), 'D2 replied, D3 replied', 'those_of_people_are_events_and_an_absence_is_none');
is(sql(q{SELECT string_agg(d.debtor_id, ',') FROM dunning.debtor d WHERE EXISTS (SELECT FROM dunning.suppression s WHERE s.address_digest = dunning._address_digest(d.email, 'email')) AND debtor_id <> 'D1'}), 'D2', 'stop_suppresses_the_address_and_no_other');
is(sql(q{SELECT debtor_id || ' ' || kind FROM dunning.task WHERE completed_at IS NULL}), 'D3 reply', 'what_wants_an_answer_is_a_task');
is(sql(q{SELECT mails || ' ' || unmatched || ' ' || coalesce(problem, '-') FROM dunning.mailbox}), '5 1 -', 'the_mailbox_says_what_came_of_it');

# --- many, with holes ---
my ($owner, $group) = (stat "$maildir/box")[4, 5];
for my $n (1 .. 700)
{
	my $file = "$maildir/box/new/" . (1800000000 + $n) . ".M$n.test";
	write_file($file, "From: ada\@debtors.test\nIn-Reply-To: <$number{D2}\@dunning.test>\nSubject: $n\n\nMail number $n, nothing else.\n");
}
($rc, $err) = read_mail('inbox');
like($err, qr/ 512 mails read/, 'of_many_so_many_are_read_at_once');
my @left = sort grep { /M6\d\d\.test/ } files();
unlink @left[ 30 .. 59 ];
($rc, $err) = read_mail('inbox');
like($err, qr/ 158 mails read/, 'then_the_others_but_those_that_somebody_took_away');
is(sql(q{SELECT count(*) || ' ' || count(DISTINCT detail->>'text') FROM dunning.event WHERE debtor_id = 'D2' AND detail->>'text' LIKE 'Mail number%'}), '670 670', 'each_once');
sql('UPDATE dunning.mailbox SET validity = 1');
read_mail('inbox');
read_mail('inbox');
is(sql(q{SELECT count(*) FROM dunning.event WHERE debtor_id = 'D2' AND detail->>'text' LIKE 'Mail number%'}), '670', 'a_mailbox_that_was_made_anew_is_read_again_and_nothing_recorded_twice');

# --- who may not, cannot, or lies ---
sql(mailbox('starttls', "imap://localhost:$imap", ", ca_file 'ca.pem'"));
($rc, $err) = read_mail('starttls');
is($rc, 0, 'a_mailbox_is_read_after_starttls') or diag $err;
sql(mailbox('stranger', "imaps://localhost:$imaps"));
($rc, $err) = read_mail('stranger');
like($err, qr/could not be read: .*certificate/, 'a_certificate_that_nobody_signed_is_refused');
sql(mailbox('wrong', "imaps://localhost:$imaps", ", ca_file 'ca.pem'") . "ALTER USER MAPPING FOR dunning_worker SERVER wrong OPTIONS (SET secret_file 'wrong.secret')");
($rc, $err) = read_mail('wrong');
like($err, qr/could not be read: Login denied/, 'a_wrong_password_is_said');
unlike($err, qr/guess/, 'and_not_shown');
like(sql(q{SELECT state || ' ' || detail FROM dunning.health() WHERE item = 'mailbox wrong'}), qr/^fail .*Login denied/, 'health_says_so');
sql(mailbox('plain', "imap://localhost:" . $refusing->port));
($rc, $err) = read_mail('plain');
like($err, qr/no TLS/, 'without_tls_nothing_is_said');
is((grep { /LOGIN/i } $refusing->log) + 0, 0, 'least_of_all_the_password');
my %bad = (gone => [ $closed, qr/could not be read: .*connect/i ], silent => [ $silent->port, qr/no answer in time/ ], bomb => [ $bomb->port, qr/too large|connection ended/ ],
	endless => [ $endless->port, qr/too large|connection ended/ ], refusing => [ $refusing->port, qr/the mail server refuses: NO "no such mailbox" \?/ ]);
for my $name (sort keys %bad)
{
	sql(mailbox($name, "imap://localhost:$bad{$name}[0]", ", tls 'none', timeout '1s'"));
	($rc, $err) = read_mail($name);
	like($err, $bad{$name}[1], "a_mailbox_that_is_${name}_has_its_reason");
}
is(sql('SELECT 1'), '1', 'and_the_server_lives');
is(sql(q{SELECT count(*) FROM dunning.mailbox WHERE problem IS NOT NULL AND next_at > now() AND failures = 1}), '8', 'each_is_tried_again_later');
($rc, $err) = read_mail('mail');
like($err, qr/server "mail" is no mailbox/, 'what_is_no_mailbox_is_said');
$node->psql('post', 'SELECT dunning.deactivate()');
($rc, $err) = read_mail('inbox');
like($err, qr/no mail was read/, 'a_copy_that_is_not_activated_reads_nobodys_mail');
sql('SELECT dunning.activate()');

# --- by itself ---
sql(q{SELECT dunning.pause(s) FROM unnest(ARRAY['stranger', 'wrong', 'plain', 'gone', 'bomb', 'endless', 'refusing', 'starttls']) s});
sql(q{ALTER SERVER inbox OPTIONS (ADD every '1s'); ALTER SERVER silent OPTIONS (ADD every '1s', SET timeout '20s'); UPDATE dunning.mailbox SET next_at = now();});
$node->append_conf('postgresql.conf', "dunning.databases = 'post'");
$node->reload;
deliver_mail('bob@debtors.test', 'billing@dunning.test', 'Subject: Re: Reminder', 'One more word.');
$node->poll_query_until('post', q{SELECT EXISTS (SELECT FROM dunning.event WHERE debtor_id = 'D3' AND detail->>'text' = 'One more word.')}) or die 'it was not read';
pass('the_worker_reads_what_is_due');
$node->poll_query_until('post', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'dunning mail reader' AND state = 'idle' OR application_name = 'dunning mail reader')}) or die 'no reader waits';
is($node->safe_psql('post', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'dunning mail reader' AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)}), '0', 'no_transaction_is_open_while_a_mailbox_is_silent');
is($node->safe_psql('post', q{SELECT string_agg(DISTINCT usename, ',') FROM pg_stat_activity WHERE backend_type = 'dunning mail reader'}), 'dunning_worker', 'it_is_no_superuser');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'dunning mail reader'});
deliver_mail('bob@debtors.test', 'billing@dunning.test', 'Subject: Re: Reminder', 'After the end.');
$node->poll_query_until('post', q{SELECT EXISTS (SELECT FROM dunning.event WHERE debtor_id = 'D3' AND detail->>'text' = 'After the end.')}) or die 'it was not read';
pass('a_reader_that_was_ended_is_started_again');
$node->stop;
# But for what this test itself says.
is_deeply([ grep { /s3cret|terminated by signal|\@debtors\.test/ && !/mailbox\.pl|^\t/ } split /\n/, slurp($node->logfile) ], [], 'the_log_shows_no_secret_no_address_and_no_crash');
done_testing();
