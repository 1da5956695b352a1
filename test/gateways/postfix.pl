# A real mail server: what lies in its Maildir is what the ledger says, mail by mail. Then the same with real invoices.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use Encode qw(decode);
use Mailbox;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => $ENV{DUNNING_SKIP} if $ENV{DUNNING_SKIP};
plan skip_all => 'no Postfix was started (test/gateways/postfix.sh start DIR)' unless $ENV{POSTFIX_PORT};

my ($port, $maildir, $root) = @ENV{qw(POSTFIX_PORT POSTFIX_MAIL DUNNING_ROOT)};
my $secrets = PostgreSQL::Test::Utils::tempdir();
system('cp', $ENV{POSTFIX_CA}, "$secrets/ca.pem") == 0 or die 'could not copy the certificate';

my $node = PostgreSQL::Test::Cluster->new('mail');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'dunning'
dunning.databases = ''
dunning.secret_directory = '$secrets'
dunning.allowed_hosts = 'localhost:$port'
timezone = 'UTC'
CONF
$node->start;

sub rows
{
	my ($db, $sql) = @_;
	return map { [ map { decode('UTF-8', $_) } split /\x1f/, $_, -1 ] } split /\x1e/,
	  $node->safe_psql($db, $sql, extra_params => [ '-F', "\x1f", '-R', "\x1e" ]);
}

# The Maildir is written after Postfix has said 250: wait for as many mails as were sent.
sub mails_of
{
	my ($domain, $count) = @_;
	my @mails;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		@mails = grep { $_->{to} =~ /\@\Q$domain\E$/ } Mailbox::read_all($maildir);
		last if @mails >= $count;
		select(undef, undef, undef, 0.1);
	}
	return @mails;
}

# A number as its language writes it, with and without grouping; any of these in the text is the amount.
sub spellings
{
	my ($amount) = @_;
	my ($whole, $cents) = split /\./, sprintf('%.2f', $amount);
	my @spellings;

	for my $group ('', ',', '.', "\x{a0}", "\x{202f}", ' ', "'")
	{
		my $grouped = reverse join($group, unpack('(A3)*', reverse $whole));
		if ($group)
		{
			my @parts = unpack('(A3)*', scalar reverse $whole);
			$grouped = join $group, map { scalar reverse $_ } reverse @parts;
		}
		else { $grouped = $whole }
		push @spellings, map { "$grouped$_$cents" } grep { $_ ne $group } ('.', ',');
	}
	return @spellings;
}

# Each delivered mail against what the database froze and what its ledger says now.
sub compare
{
	my ($db, $domain) = @_;
	my %sent;

	for my $row (rows($db, q{
		SELECT b.address, b.subject, (SELECT a.value FROM jsonb_each_text(m.amounts) a LIMIT 1), dunning._canonical_id(m.debtor_id), e.message_id,
		       (SELECT sum(o.open) FROM jsonb_each_text(m.amounts) a, LATERAL (SELECT a.value::numeric AS open) o)
		FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id) JOIN dunning.body b USING (debtor_id, message_id)
		JOIN dunning.outcome o USING (debtor_id, message_id)
		WHERE e.channel = 'email' AND o.state = 'sent'}))
	{
		push @{ $sent{ $row->[0] } }, { subject => $row->[1], amount => $row->[2] };
	}
	my $count = 0;
	$count += @$_ for values %sent;
	my @mails = mails_of($domain, $count);
	my %got;
	push @{ $got{ $_->{to} } }, $_ for @mails;

	cmp_ok($count, '>', 0, "$db: mails were sent ($count)");
	is(scalar @mails, $count, "$db: as many mails lie in the Maildir as the database sent");
	is_deeply([ sort keys %got ], [ sort keys %sent ], "$db: recipients_received_are_recipients_asked");
	my (@subjects, @amounts, @plain);
	for my $to (sort keys %sent)
	{
		my %subject = map { $_->{subject} => 1 } @{ $sent{$to} };
		for my $mail (@{ $got{$to} || [] })
		{
			push @subjects, "$to: $mail->{headers}{subject}" unless $subject{ $mail->{headers}{subject} };
			push @plain, $to unless ($mail->{headers}{'auto-submitted'} // '') eq 'auto-generated' && $mail->{headers}{'message-id'} && $mail->{headers}{date};
			my $text = $mail->{text} // '';
			push @amounts, "$to: $text" unless grep { my $s = $_; grep { index($text, $_) >= 0 } spellings($s->{amount}) } @{ $sent{$to} };
		}
	}
	is_deeply(\@subjects, [], "$db: subjects_decode_to_what_was_rendered");
	is_deeply([ @amounts[ 0 .. ($#amounts > 2 ? 2 : $#amounts) ] ], [], "$db: texts_name_the_amount_of_the_ledger");
	is_deeply(\@plain, [], "$db: mails_carry_date_message_id_and_auto_submitted");
	return;
}

my $server = qq{
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway
		OPTIONS (driver 'smtp', url 'smtp://localhost:$port', "from" 'Indkasso Åse <billing\@dunning.test>', ca_file 'ca.pem');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
};

# 1. A small book in the built-in ledger, in three languages.
$node->safe_psql('postgres', 'CREATE DATABASE small');
$node->safe_psql('small', "CREATE EXTENSION dunning; $server");
$node->safe_psql('small', q{
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'D' || n, (ARRAY['Søren Ærø', 'Jürgen Groß', 'Zoë O''Brien', 'Łukasz Żak', 'Ada Lovelace'])[1 + n % 5],
	       (ARRAY['Søren', 'Jürgen', 'Zoë', 'Łukasz', 'Ada'])[1 + n % 5], (ARRAY['da', 'de', 'en'])[1 + n % 3], (ARRAY['DK', 'DE', 'GB'])[1 + n % 3],
	       'd' || n || CASE WHEN n % 4 = 0 THEN '+tag' ELSE '' END || '@debtors.test'
	FROM generate_series(1, 30) n;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
	SELECT 'D' || n, 'I' || n, '2026-05-20', '2026-06-08', 900.10 + 111.11 * n, CASE n % 3 WHEN 0 THEN 'DKK' WHEN 1 THEN 'EUR' ELSE 'GBP' END
	FROM generate_series(1, 30) n;
	INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, paid_at, amount, currency)
	SELECT 'D' || n, 'P' || n, 'I' || n, '2026-06-10 12:00+00', 900.10 + 111.11 * n, CASE n % 3 WHEN 0 THEN 'DKK' WHEN 1 THEN 'EUR' ELSE 'GBP' END
	FROM generate_series(1, 30, 7) n;
});
$node->safe_psql('small', q{
	SET dunning.clock = '2026-06-22 10:00+02';
	SELECT dunning.activate();
	SELECT count(*) FROM dunning.debtor d, LATERAL dunning.send(d.debtor_id, 'reminder-1', 'email') s;
});
my ($rc, undef, $err) = $node->psql('small', q{SET dunning.clock = '2026-06-22 10:00+02'; CALL dunning.deliver(max_seconds => 60)});
is($rc, 0, 'small: deliver() ends without an error') or diag $err;
compare('small', 'debtors.test');
is_deeply([ rows('small', q{SELECT m.debtor_id FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id)
	WHERE EXISTS (SELECT FROM dunning.payment p WHERE p.debtor_id = m.debtor_id)}) ], [], 'small: nobody_who_has_paid_got_a_mail');
is_deeply([ rows('small', q{SELECT DISTINCT a.value::numeric = b.amount FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id),
	jsonb_each_text(m.amounts) a JOIN dunning.invoice b ON b.currency = a.key WHERE b.debtor_id = m.debtor_id}) ], [ ['t'] ],
	'small: amounts_sent_are_the_invoices_of_the_ledger');

# 2. A recipient that Postfix refuses: outside delivery is off by policy, which is no fault of the address.
$node->safe_psql('small', q{
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('X1', 'Out Side', 'Out', 'en', 'GB', 'out@elsewhere.test');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('X1', 'IX1', '2026-05-20', '2026-06-08', 77, 'GBP');
	SET dunning.clock = '2026-06-22 10:00+02';
	SELECT count(*) FROM dunning.send('X1', 'reminder-1', 'email');
});
$node->psql('small', q{SET dunning.clock = '2026-06-22 10:00+02'; CALL dunning.deliver(max_seconds => 60)});
is($node->safe_psql('small', q{SELECT string_agg(DISTINCT state || ' ' || reason, ',' ORDER BY state || ' ' || reason) FROM dunning.outcome WHERE debtor_id = 'X1' AND state IN ('failed', 'dead')}) =~ /smtp_55[04]/ ? 1 : 0,
	1, 'small: a_refused_recipient_ends_failed_with_the_servers_code');
is($node->safe_psql('small', q{SELECT count(*) FROM dunning.suppression}), '0', 'small: a_policy_refusal_suppresses_no_address');

# 3. The accounts-receivable file, under the clock of its last June.
SKIP:
{
	my $csv = ($ENV{DUNNING_DATA} // '') . '/ibm_accounts_receivable.csv';

	skip "the data file ibm_accounts_receivable.csv is not here (DUNNING_DATA)", 9 unless -r $csv;
	$node->safe_psql('postgres', 'CREATE DATABASE ibm');
	local @ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'ibm');
	my $run = run_log([ 'bash', "$root/examples/ibm-accounts-receivable/run.sh", $csv ]);
	ok($run, 'ibm: the example loads, binds and trains');
	$node->safe_psql('ibm', $server);
	ok(run_log([ 'bash', "$root/examples/ibm-accounts-receivable/deliver.sh" ]), 'ibm: the example plans and delivers the week');
	compare('ibm', 'customers.test');
	is_deeply([ rows('ibm', q{
		SELECT DISTINCT (m.amounts->>'USD')::numeric = (SELECT sum(i.amount) FROM billing.invoices i LEFT JOIN billing.settlements s USING (invoice_number)
			WHERE i.customer_id = m.debtor_id AND i.due_date < '2013-06-30' AND (s.settled_on IS NULL OR s.settled_on >= '2013-06-30'))
		FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id) WHERE m.template <> 'pre-due'}) ], [ ['t'] ],
		'ibm: amounts_sent_are_what_the_billing_tables_say_was_overdue');
}

$node->stop;
done_testing();
