# A book with forty debtors that make no sense among twenty that do, from the ledger through the plan to the gateway and back: the good ones get their
# message, every bad one is held or dead with a reason, and nothing is lost.
use strict;
use warnings;
use Catcher;
use Mailbox;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new;
my $node = PostgreSQL::Test::Cluster->new('bad');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nlog_timezone = 'Asia/Tokyo'\ndunning.clock = '2026-06-22 10:00+02'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\nfsync = off\n");
$node->start;
my ($http, $smtp) = ($gateway->http_url, $gateway->smtp_url);
# Bound views over tables without a single check, as billing schemas are. reminder-1 names pay_url in text of ours: who has none misses it at send time.
$node->safe_psql('postgres', qq{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'Billing <billing\@dunning.test>', tls 'none', timeout '5s');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$http', "from" 'Nordlys', timeout '5s');
	SELECT dunning.activate()});
$node->safe_psql('postgres', q{
	CREATE SCHEMA billing;
	CREATE TABLE billing.debtor (debtor_id text, what text, name text, given_name text, language text, country text, region text, time_zone text, email text, phone text, preferred_channel text, consent jsonb, creditor text);
	CREATE TABLE billing.invoice (invoice_id text, debtor_id text, issued_on date, due_on date, amount numeric, currency text, kind text, reference text, pay_url text);
	CREATE TABLE billing.payment (debtor_id text, paid_at timestamptz, amount numeric, currency text, invoice_id text);

	INSERT INTO billing.debtor SELECT 'good' || i, 'good', 'Name ' || i, 'Given ' || i, 'en', 'GB', NULL, NULL, 'good' || i || '@debtors.test', NULL, NULL, NULL, 'default' FROM generate_series(1, 20) i;
	INSERT INTO billing.invoice SELECT 'I-' || d.debtor_id, d.debtor_id, '2026-05-20', '2026-06-08', 100, 'GBP', 'invoice', NULL, 'https://pay.test/x' FROM billing.debtor d;

	-- Addresses
	INSERT INTO billing.debtor (debtor_id, what, name, given_name, language, country, email)
	SELECT 'bad-address-' || n, 'address', 'Bad', 'Bad', 'en', 'GB', a FROM unnest(ARRAY[
		E'a@b.test\r\nRCPT TO:<evil@evil.test>', E'a@b.test\nevil@evil.test', E'a\r@b.test', '<a@b.test>', 'a@b.test>', 'a@b.test,evil@evil.test', 'a b@b.test', E'a@b.test\x01', '\000@b.test', 'a@b.test%00',
		'', ' ', 'a', '@', repeat('a', 10000) || '@b.test', E'a@b.test\u202E', 'a@b.test?bcc=evil@evil.test', NULL]) WITH ORDINALITY x(a, n);
	INSERT INTO billing.debtor (debtor_id, what, name, given_name, language, country, phone)
	SELECT 'bad-phone-' || n, 'address', 'Bad', 'Bad', 'en', 'GB', a FROM unnest(ARRAY[E'+447700900001\r\nX-Evil: 1', '+44', '+44770090000a', '+447700900001,+447700900002', repeat('9', 10000)]) WITH ORDINALITY x(a, n);
	-- Who is fine but for one word
	INSERT INTO billing.debtor SELECT 'zone', 'quiet', 'Zone', 'Zone', 'en', NULL, NULL, 'Mars/Olympus', 'zone@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT 'language', 'fine', 'Language', 'Language', 'tlh', 'GB', NULL, NULL, 'language@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT 'country', 'quiet', 'Country', 'Country', 'en', 'Atlantis', NULL, NULL, 'country@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT 'channel', 'fine', 'Channel', 'Channel', 'en', 'GB', NULL, NULL, 'channel@debtors.test', NULL, 'telepathy', NULL, 'default';
	INSERT INTO billing.debtor SELECT 'consent', 'consent', 'Consent', 'Consent', 'en', 'GB', NULL, NULL, 'consent@debtors.test', NULL, NULL, '["not", {"an": "object"}]', 'default';
	INSERT INTO billing.debtor SELECT 'longname', 'fine', repeat('Name ', 2000), repeat('Given ', 2000), 'en', 'GB', NULL, NULL, 'longname@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT 'noname', 'fine', NULL, NULL, NULL, 'GB', NULL, NULL, 'noname@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT 'crname', 'fine', E'Ada\r\nBcc: evil@evil.test\r\n\r\n.\r\nMAIL FROM:<evil@evil.test>', E'Ada\r\nBcc: evil@evil.test', 'en', 'GB', NULL, NULL, 'crname@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT 'twice', 'double', 'Twice', 'Twice', 'en', 'GB', NULL, NULL, 'twice@debtors.test', NULL, NULL, NULL, 'default' FROM generate_series(1, 2);
	INSERT INTO billing.debtor SELECT '', 'nobody', 'Empty', 'Empty', 'en', 'GB', NULL, NULL, 'empty@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT NULL, 'nobody', 'Null', 'Null', 'en', 'GB', NULL, NULL, 'null@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.debtor SELECT E'key\r\n' || repeat('k', 3000), 'fine', 'Key', 'Key', 'en', 'GB', NULL, NULL, 'key@debtors.test', NULL, NULL, NULL, 'default';
	INSERT INTO billing.invoice SELECT 'I-' || left(d.debtor_id, 20), d.debtor_id, '2026-05-20', '2026-06-08', 100, 'GBP', 'invoice', NULL, 'https://pay.test/x' FROM billing.debtor d WHERE d.debtor_id !~ '^good'
		GROUP BY d.debtor_id;
	INSERT INTO billing.invoice VALUES ('I-ghost', 'ghost', '2026-05-20', '2026-06-08', 100, 'GBP', 'invoice', NULL, NULL);
	-- Figures
	INSERT INTO billing.debtor SELECT 'figure-' || w, 'figure', 'F', 'F', 'en', 'GB', NULL, NULL, 'figure-' || w || '@debtors.test', NULL, NULL, NULL, 'default'
	FROM unnest(ARRAY['nan', 'infinite', 'minus-infinite', 'null-amount', 'null-currency', 'empty-currency', 'long-currency', 'due-infinite', 'due-minus-infinite', 'issued-infinite', 'due-before-issued', 'null-due', 'nan-payment', 'infinite-payment', 'payment-at-infinity']) w;
	INSERT INTO billing.invoice SELECT 'I-' || d.debtor_id, d.debtor_id,
		CASE d.debtor_id WHEN 'figure-issued-infinite' THEN date '-infinity' WHEN 'figure-due-before-issued' THEN date '2026-06-20' ELSE date '2026-05-20' END,
		CASE d.debtor_id WHEN 'figure-due-infinite' THEN date 'infinity' WHEN 'figure-due-minus-infinite' THEN date '-infinity' WHEN 'figure-null-due' THEN NULL ELSE date '2026-06-08' END,
		CASE d.debtor_id WHEN 'figure-nan' THEN 'NaN'::numeric WHEN 'figure-infinite' THEN 'Infinity' WHEN 'figure-minus-infinite' THEN '-Infinity' WHEN 'figure-null-amount' THEN NULL ELSE 100 END,
		CASE d.debtor_id WHEN 'figure-null-currency' THEN NULL WHEN 'figure-empty-currency' THEN '' WHEN 'figure-long-currency' THEN repeat('x', 10000) ELSE 'GBP' END, 'invoice', NULL, 'https://pay.test/x'
	FROM billing.debtor d WHERE d.what = 'figure';
	INSERT INTO billing.payment VALUES ('figure-nan-payment', '2026-06-10', 'NaN', 'GBP', NULL), ('figure-infinite-payment', '2026-06-10', 'Infinity', 'GBP', NULL), ('figure-payment-at-infinity', 'infinity', 1, 'GBP', NULL);
	-- Who owes nothing: a credit note, a negative invoice, a payment too large, an invoice of nothing
	INSERT INTO billing.debtor SELECT 'owes-nothing-' || i, 'nothing', 'N', 'N', 'en', 'GB', NULL, NULL, 'nothing' || i || '@debtors.test', NULL, NULL, NULL, 'default' FROM generate_series(1, 4) i;
	INSERT INTO billing.invoice VALUES ('N1', 'owes-nothing-1', '2026-05-20', '2026-06-08', -100, 'GBP', 'invoice'), ('N2', 'owes-nothing-2', '2026-05-20', '2026-06-08', 100, 'GBP', 'credit_note'),
		('N3', 'owes-nothing-3', '2026-05-20', '2026-06-08', 100, 'GBP', 'invoice'), ('N4', 'owes-nothing-4', '2026-05-20', '2026-06-08', 0, 'GBP', 'invoice');
	INSERT INTO billing.payment VALUES ('owes-nothing-3', '2026-06-10', 1e30, 'GBP', NULL);
	-- A template that asks for what some do not have
	INSERT INTO billing.debtor SELECT 'missing-' || i, 'missing', 'M', NULL, 'en', 'GB', NULL, NULL, 'missing' || i || '@debtors.test', NULL, NULL, NULL, 'default' FROM generate_series(1, 2) i;
	INSERT INTO billing.invoice SELECT 'M-' || d.debtor_id, d.debtor_id, '2026-05-20', '2026-06-08', 100, 'GBP', 'invoice', NULL, NULL FROM billing.debtor d WHERE d.what = 'missing';
	GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
	GRANT SELECT ON ALL TABLES IN SCHEMA billing TO dunning_owner, dunning_worker;
	SELECT dunning.bind('debtor', 'billing.debtor'), dunning.bind('invoice', 'billing.invoice'), dunning.bind('payment', 'billing.payment')});
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM billing.debtor WHERE what NOT IN ('good', 'fine')}), '>=', 40, 'there are forty bad debtors');

# the_whole_book_is_planned_and_delivered
my ($rc, $out, $err);
for my $call (q{SELECT count(*) FROM dunning.features()}, q{SELECT count(*) FROM dunning.invoice_features()}, q{SELECT count(*) FROM dunning.score()}, q{SELECT count(*) FROM dunning.debtor_overview},
	q{SELECT count(*) FROM dunning.best_times('email')}, q{SELECT length(dunning.report_html()) > 1000}, q{SELECT count(*) FROM dunning.health()}, q{SELECT length(dunning.metrics()) > 0}, q{SELECT count(*) FROM dunning.plan(dry_run => true)})
{
	($rc, $out, $err) = $node->psql('postgres', $call);
	is($rc, 0, "$call works over such a book") or diag $err;
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.debtor_score WHERE debtor_id = 'twice'}), '1', 'a debtor of two rows is scored once, and stops no other');
$node->safe_psql('postgres', q{CREATE TABLE planned AS SELECT p.* FROM dunning.plan() p});
# Best times spread the messages over the coming days: send them all now, each by hand for those that planning did not take.
$node->safe_psql('postgres', q{CREATE TABLE sent AS SELECT d.debtor_id AS asked, s.* FROM (SELECT DISTINCT d.debtor_id, d.what, d.phone FROM billing.debtor d WHERE d.debtor_id <> '') d,
	LATERAL dunning.send(d.debtor_id, 'reminder-1', CASE WHEN d.phone IS NULL THEN 'email' ELSE 'sms' END) s});
$node->safe_psql('postgres', q{SET client_min_messages = error; UPDATE dunning.queue q SET due = '2026-06-22 08:00+00' WHERE q.state = 'queued' AND q.debtor_id IN (SELECT s.debtor_id FROM sent s)});
# Two of them lose a field between the plan and the send: the text in force now asks for what a frozen context never had.
$node->safe_psql('postgres', q{UPDATE dunning.message m SET context = m.context - 'amount' WHERE m.debtor_id = 'missing-1'; UPDATE dunning.message m SET context = 'null' WHERE m.debtor_id = 'missing-2'});
($rc, $out, $err) = $node->psql('postgres', 'CALL dunning.deliver(max_seconds => 60)');
is($rc, 0, 'deliver() ends without an error') or diag $err;

# the_good_ones_are_delivered
my %times;
$times{ $_->{recipient} }++ for $gateway->accepted;
is_deeply([ grep { !$times{"good$_\@debtors.test"} } 1 .. 20 ], [], 'every good debtor got a message');
is_deeply([ grep { !$times{"$_\@debtors.test"} } qw(language channel longname noname crname key) ], [], 'and so did those with odd names, languages and wishes');

# nothing_left_for_an_address_that_was_not_asked
my %asked = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{SELECT d.email FROM billing.debtor d WHERE d.what IN ('good', 'fine', 'quiet') UNION SELECT e.email FROM billing.debtor e WHERE e.what = 'figure'});
is_deeply([ grep { !$asked{$_} } sort keys %times ], [], 'recipients_received_are_recipients_asked');
my @mails = grep { $_->{protocol} eq 'smtp' } $gateway->bodies;
is_deeply([ map { $_->{recipient} } grep { (split /\r\n\r\n/, $_->{body})[0] =~ /^(?:bcc|x-evil|mail|rcpt)/mi } @mails ], [], 'no name became a header');
is_deeply([ map { $_->{recipient} } grep { $_->{body} =~ /(?<!\r)\n|\r(?!\n)|^\.\r$/m } @mails ], [], 'and no line ends but by CR LF, or is a dot alone');

# every_planned_contact_has_one_state_and_a_reason
is($node->safe_psql('postgres', q{SELECT string_agg(m.debtor_id, ', ') FROM dunning.message m WHERE (SELECT count(*) FROM dunning.message_state s WHERE s.message_id = m.message_id AND s.debtor_id = m.debtor_id) <> 1}), '', 'every message has exactly one state');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT left(s.debtor_id, 30) || ' ' || s.state, ', ') FROM dunning.message_state s WHERE s.state IN ('held', 'failed', 'dead', 'cancelled', 'unknown') AND coalesce(s.reason, '') = ''}), '', 'every one that was not sent says why');
is($node->safe_psql('postgres', q{SELECT string_agg(s.debtor_id, ', ') FROM dunning.message_state s JOIN billing.debtor d ON d.debtor_id = s.debtor_id WHERE d.what IN ('address', 'missing', 'consent', 'double', 'nothing') AND s.state NOT IN ('held', 'dead', 'failed', 'cancelled')}), '', 'no bad one was sent or waits in silence');
my %state = map { my ($id, @rest) = split /\|/; $id => join ' ', @rest } split /\n/, $node->safe_psql('postgres', q{SELECT s.asked, coalesce(x.state, s.state), coalesce(x.reason, s.reason, array_to_string(s.blocked_by, ' '))
	FROM sent s LEFT JOIN dunning.message_state x ON x.message_id = s.message_id AND x.debtor_id = s.debtor_id WHERE s.asked !~ '^key'});
like($state{"bad-address-$_"}, qr/^held (?:bad_address|no_address|address_\w+)/, "bad-address-$_ is held") for 1 .. 18;
like($state{"bad-phone-$_"}, qr/^held (?:bad|no)_address/, "bad-phone-$_ is held") for 1 .. 5;
like($state{"figure-$_"}, qr/^held invalid_amount/, "figure-$_ is held") for qw(nan infinite minus-infinite null-amount null-currency due-infinite due-minus-infinite issued-infinite due-before-issued nan-payment infinite-payment);
like($state{"owes-nothing-$_"}, qr/^(?:held|cancelled) no_balance/, "owes-nothing-$_ is not dunned") for 1 .. 4;
like($state{twice}, qr/^held unknown_debtor/, 'a debtor of two rows is held');
like($state{"missing-$_"}, qr/^(?:dead|failed|held) \S/, "missing-$_, whose template misses a field, is held or dead and says so") for 1 .. 2;
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.message_state s JOIN billing.debtor d ON d.debtor_id = s.debtor_id WHERE d.what = 'figure' AND s.state IN ('sent', 'delivered') AND s.debtor_id ~ 'nan|infinite|null|issued'}), '0', 'no message without a figure');
is_deeply([ grep { s/I-figure-\S+//gr =~ /\b(?:NaN|infinity|null)\b/i } map { my $m = Mailbox::parse($_->{body}); ($m->{headers}{subject}, $m->{text}, $m->{html} // '') } @mails ], [], 'no body says NaN or infinity');

# the_gateway_and_the_database_agree
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.egress e WHERE NOT e.test}), scalar($gateway->accepted), 'an intent for each that arrived, and none for others');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.message_state s WHERE s.state = 'sent'}), scalar($gateway->accepted), 'sent is what arrived');
is_deeply([ grep { $times{$_} > 1 } sort keys %times ], [], 'nobody got two');
is($node->safe_psql('postgres', q{SELECT bool_and(v.ok) FROM dunning.verify_egress() v}), 't', 'the chain holds');
# A second round changes nothing.
$node->safe_psql('postgres', q{SELECT count(*) FROM dunning.plan(); CALL dunning.deliver(max_seconds => 20)});
is(scalar($gateway->accepted), scalar(map { $_ } keys %times), 'a second round sends nobody a second message');

{
	# The days of the ledger are the server's: neither the client's, which drivers set, nor the log's.
	local $ENV{PGTZ} = 'PST8PDT';
	is($node->safe_psql('postgres', "SHOW timezone; SELECT dunning._ledger_zone()"), "PST8PDT\nUTC", 'days of the ledger begin in the zone the server was started with');
	$node->safe_psql('postgres', "ALTER SYSTEM SET dunning.timezone = 'Europe/London'");
	$node->reload;
	ok($node->poll_query_until('postgres', 'SELECT dunning._ledger_zone()', 'Europe/London'), 'or in dunning.timezone');
}
$node->stop;
$gateway->stop;
done_testing();
