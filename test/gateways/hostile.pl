# Addresses, names and replies made to do harm, through the whole way from the ledger to a strict gateway that writes down
# what it got: recipients received are recipients asked, and every fault ends in the state it deserves.
use strict;
use warnings;
use Catcher;
use Mailbox;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %http_fault = (
	'+4599000503' => '503', '+4599000429' => '429-30', '+4599000400' => '400', '+4599000302' => 'redirect', '+4599000001' => 'reset-after-body',
	'+4599000002' => 'reset-before-body', '+4599000003' => 'half-reply', '+4599000004' => 'garbage', '+4599000005' => 'bomb', '+4599000006' => 'no-reply');
my $gateway = Catcher->new(faults => \%http_fault);

my $node = PostgreSQL::Test::Cluster->new('hostile');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ndunning.clock = '2026-06-22 10:00+02'\n");
$node->start;
my ($http, $smtp) = ($gateway->http_url, $gateway->smtp_url);
$node->safe_psql('postgres', qq{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'Billing <billing\@dunning.test>', tls 'none', timeout '2s');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$http', "from" 'Nordlys', timeout '2s', contract 'once');
});

# Every way we know to make one address two, or a name a header.
$node->safe_psql('postgres', q{
	CREATE TABLE public.hostile AS
	SELECT row_number() OVER () AS n, address FROM (
		SELECT 'ada' || c || '@debtors.test' AS address FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT unnest(ARRAY['<', '>', '(', ')', '[', ']', ',', ';', ':', '\', '"', '@', chr(127), 'é'])) x
		UNION SELECT 'ada@debtors.test' || c || 'evil@evil.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT unnest(ARRAY[',', ';', '>', '><', '> <', '>,<', E'>\r\nRCPT TO:<', E'>\nRCPT TO:<', E'>\rRCPT TO:<', E'\r\n.\r\nMAIL FROM:<', '%0d%0aRCPT TO:<', '?bcc=', '&to='])) x
		UNION SELECT c || 'ada@debtors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i UNION SELECT unnest(ARRAY['<', 'mailto:', '@evil.test:', '@evil.test,@relay.test:', 'evil@evil.test,', '"evil@evil.test" '])) x
		UNION SELECT 'ada@deb' || c || 'tors.test' FROM (SELECT chr(i) AS c FROM generate_series(1, 32) i) x
		UNION SELECT unnest(ARRAY['ada', 'ada@', '@debtors.test', 'ada@debtors', 'ada@[127.0.0.1]', 'ada@debtors..test', repeat('a', 70) || '@debtors.test', 'ada@' || repeat('x', 300) || '.test'])) a;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT 'H' || n, 'Ada', 'Ada', 'en', 'GB', address FROM public.hostile;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'G' || n, name, name, 'en', 'GB', 'g' || n || '@debtors.test'
	FROM unnest(ARRAY[E'Ada\r\nBcc: evil@evil.test', E'Ada\nX-Evil: 1', E'Ada\r\n\r\n.\r\nMAIL FROM:<evil@evil.test>\r\nRCPT TO:<evil@evil.test>\r\nDATA',
		E'\n.\n', '=?UTF-8?Q?Ada=0D=0ABcc:_evil@evil.test?=', '{{amount}}', '<script>alert(1)</script>', repeat('Ada ', 2000), E'Ada\u202E', '"Ada" <evil@evil.test>']) WITH ORDINALITY u(name, n);
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'F' || n, 'Fault', 'Fault', 'en', 'GB', 'fault-' || what || '@debtors.test'
	FROM unnest(ARRAY['451', '550', '554', 'dot-554', 'dot-451', 'drop-before-dot', 'drop-after-dot', 'no-reply']) WITH ORDINALITY u(what, n);
});
$node->safe_psql('postgres', "INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, phone) VALUES ('S$_', 'Fault', 'Fault', 'en', 'GB', '$_')")
	for sort keys %http_fault;
$node->safe_psql('postgres', q{
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
	SELECT d.debtor_id, 'I' || d.debtor_id, '2026-05-20', '2026-06-08', 100, 'GBP' FROM dunning.debtor d;
	SELECT dunning.activate();
	SELECT count(*) FROM dunning.debtor d, LATERAL dunning.send(d.debtor_id, 'reminder-1', CASE WHEN d.phone IS NULL THEN 'email' ELSE 'sms' END) s;
});
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM public.hostile'), '>=', 150, 'there are 150 hostile addresses');

my ($rc, undef, $err) = $node->psql('postgres', 'CALL dunning.deliver(max_seconds => 60)');
is($rc, 0, 'deliver() ends without an error') or diag $err;

# What arrived.
my @arrived = $gateway->ledger;
my %asked = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{SELECT d.email FROM dunning.debtor d WHERE d.debtor_id ~ '^[GF]'});
is_deeply([ sort grep { !$asked{$_} } map { $_->{recipient} } grep { $_->{protocol} eq 'smtp' } @arrived ], [], 'recipients_received_are_recipients_asked');
is_deeply([ sort grep { /^g/ } map { $_->{recipient} } @arrived ], [ sort grep { /^g/ } keys %asked ], 'every good address got one mail whatever its name');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.egress WHERE debtor_id ~ '^H'}), '0', 'no_intent_was_written_for_a_hostile_address');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.debtor d WHERE d.debtor_id ~ '^H' AND NOT EXISTS (
	SELECT FROM dunning.message_state s WHERE s.debtor_id = d.debtor_id AND s.reason IS NOT NULL)}), '0', 'every hostile address is held with a reason');
my @evil;
for my $mail (grep { $_->{protocol} eq 'smtp' } $gateway->bodies)
{
	my ($head) = split /\r\n\r\n/, $mail->{body};
	my %count;

	$count{ lc $1 }++ while $head =~ /^([A-Za-z-]+):/mg;
	push @evil, $head if grep { $count{$_} > 1 || !/^(from|to|reply-to|subject|date|message-id|auto-submitted|mime-version|content-type|content-transfer-encoding)$/ } keys %count;
}
is(scalar @evil, 0, 'no_name_became_a_header');

# What the database believes.
my %state = map { my ($id, $state, $reason) = split /\|/; ($id => "$state $reason") } split /\n/, $node->safe_psql('postgres', q{
	SELECT coalesce(d.phone, split_part(d.email, '@', 1)), o.state, o.reason FROM dunning.debtor d
	JOIN LATERAL (SELECT o.state, o.reason FROM dunning.outcome o WHERE o.debtor_id = d.debtor_id ORDER BY o.at DESC, o.outcome_id DESC LIMIT 1) o ON true
	WHERE d.debtor_id ~ '^[FS]'});
my %expected = (
	'fault-451' => qr/^queued smtp_451$/, 'fault-550' => qr/^(failed|dead) smtp_550$/, 'fault-554' => qr/^(failed|dead) smtp_554$/, 'fault-dot-554' => qr/^(failed|dead) smtp_554$/,
	'fault-dot-451' => qr/^queued smtp_451$/, 'fault-drop-before-dot' => qr/^(queued|unknown) /, 'fault-drop-after-dot' => qr/^unknown /, 'fault-no-reply' => qr/^unknown /,
	'+4599000503' => qr/^queued http_503$/, '+4599000429' => qr/^queued http_429$/, '+4599000400' => qr/^(failed|dead) http_400$/, '+4599000302' => qr/^(failed|dead) http_302$/,
	'+4599000001' => qr/^unknown /, '+4599000002' => qr/^unknown /, '+4599000003' => qr/^unknown /, '+4599000004' => qr/^unknown /, '+4599000005' => qr/^(sent http_200|unknown)/, '+4599000006' => qr/^unknown /);
like($state{$_} // 'nothing', $expected{$_}, "$_" . ($http_fault{$_} ? " ($http_fault{$_})" : '') . ' ends as it deserves') for sort keys %expected;
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.suppression}), '1', 'only the mailbox that does not exist is suppressed');

# What nobody can say for sure was not sent again: one line a recipient at most.
my %times;
$times{ $_->{recipient} }++ for $gateway->ledger;
is_deeply([ grep { $times{$_} > 1 } sort keys %times ], [], 'nothing_arrived_twice');

$node->stop;
$gateway->stop;
done_testing();
