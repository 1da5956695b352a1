# One person, an account at each of two creditors in one database: what one creditor knows never shows at the other, while caps and suppressions are the person's.
use strict;
use warnings;
use Catcher;
use Mailbox;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new;
my $node = PostgreSQL::Test::Cluster->new('creditors');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndunning.clock = '2026-06-22 10:00+02'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\nfsync = off\n");
$node->start;
my ($http, $smtp) = ($gateway->http_url, $gateway->smtp_url);

# Whatever belongs to one creditor alone has its colour in it. Amounts do not repeat: 111.nn is north's, 777.nn south's.
my %marks = (n => qr/north|NorthName|Norbert|111[.,]|-N-/i, s => qr/south|SouthName|Sigurd|777[.,]|-S-/i);
$node->safe_psql('postgres', qq{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'Shared <billing\@dunning.test>', tls 'none', timeout '5s');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$http', "from" 'Shared', timeout '5s');
	SELECT dunning.save_creditor('north', 'North Energy', 'Nora, North Energy', 'north\@north.test', '+4511111111', 'NO-north-111', 'en');
	SELECT dunning.save_creditor('south', 'South Gym', 'Susan, South Gym', 'south\@south.test', '+4577777777', 'SO-south-777', 'en');
	SELECT dunning.activate()});
# Thirty persons; the accounts of odd ones share an address, those of even ones do not. The name differs, as it does in two customer files.
$node->safe_psql('postgres', q{
	INSERT INTO dunning.debtor (debtor_id, creditor, person_id, name, given_name, language, country, email, phone)
	SELECT c.c || i, CASE c.c WHEN 'n' THEN 'north' ELSE 'south' END, 'person' || i, CASE c.c WHEN 'n' THEN 'NorthName ' ELSE 'SouthName ' END || i, CASE c.c WHEN 'n' THEN 'Norbert' ELSE 'Sigurd' END, 'en', 'GB',
	       CASE WHEN i % 2 = 1 THEN 'person' || i ELSE c.c || 'account' || i END || '@debtors.test', '+44770090' || lpad((CASE WHEN i % 2 = 1 THEN i WHEN c.c = 'n' THEN 1000 + i ELSE 2000 + i END)::text, 4, '0')
	FROM generate_series(1, 30) i, unnest(ARRAY['n', 's']) c(c);
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference, pay_url)
	SELECT d.debtor_id, 'I' || d.debtor_id, '2026-05-01', '2026-06-08', CASE d.creditor WHEN 'north' THEN 111 ELSE 777 END + substr(d.debtor_id, 2)::numeric / 100, 'GBP',
	       'REF-' || upper(left(d.debtor_id, 1)) || '-' || substr(d.debtor_id, 2), 'https://' || d.creditor || '.test/pay/' || d.debtor_id
	FROM dunning.debtor d});
sub foreign_in
{
	my ($debtor_id, $text) = @_;
	my $other = $debtor_id =~ /^n/ ? $marks{s} : $marks{n};
	my $own = $debtor_id =~ /^n/ ? $marks{n} : $marks{s};
	return (($text =~ /($other)/ ? "$debtor_id shows $1" : ()), ($text =~ $own ? () : "$debtor_id shows nothing of its own"));
}

# caps_count_per_person
my $most = $node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT d.person_id, array_agg(a.allowed) AS both FROM dunning.debtor d, LATERAL dunning.allowed(d.debtor_id, 'email', '2026-06-22 10:00+02') a GROUP BY 1) x WHERE x.both = '{t,t}'});
is($most, '30', 'before anything was sent both accounts of each may be written to');
$node->safe_psql('postgres', q{SELECT count(*) FROM dunning.debtor d, LATERAL dunning.send(d.debtor_id, 'reminder-1', CASE WHEN substr(d.debtor_id, 2)::int % 3 = 0 THEN 'sms' ELSE 'email' END) s});
$node->safe_psql('postgres', 'CALL dunning.deliver(max_seconds => 60)');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT d.person_id) || ' ' || count(*) FROM dunning.egress e JOIN dunning.debtor d ON d.debtor_id = e.debtor_id}), '30 30', 'each person got one message, from one of the two');
is($node->safe_psql('postgres', q{SELECT count(*) || ' ' || bool_and(q.state = 'queued' AND q.due > '2026-06-22 22:00+00') FROM dunning.queue q}), '30 true', 'the other account waits for another day');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.debtor d, LATERAL dunning.allowed(d.debtor_id, 'sms', '2026-06-22 15:00+02') a WHERE a.allowed}), '0', 'and may not be reached over another channel today either');

# A day later the other account of each.
$node->append_conf('postgresql.conf', "dunning.clock = '2026-06-30 10:00+02'");
$node->reload;
$node->safe_psql('postgres', q{SELECT count(*) FROM dunning.plan()});
$node->safe_psql('postgres', q{UPDATE dunning.queue q SET due = '2026-06-30 08:00+00' WHERE q.state = 'queued'; CALL dunning.deliver(max_seconds => 60)});
cmp_ok($node->safe_psql('postgres', q{SELECT least(count(*) FILTER (WHERE e.creditor = 'north'), count(*) FILTER (WHERE e.creditor = 'south')) FROM dunning.egress e}), '>=', 10, 'both creditors have sent');

# no_name_account_or_amount_crosses_in_what_left
my %of = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{SELECT encode(b.digest, 'hex'), b.debtor_id FROM (SELECT e.body_digest AS digest, e.debtor_id FROM dunning.egress e) b});
my (@crossed, %seen);
for my $body ($gateway->bodies)
{
	my $text = $body->{body};
	if ($body->{protocol} eq 'smtp')
	{
		my $mail = Mailbox::parse($text);
		$text = join "\n", (map { "$_: $mail->{headers}{$_}" } grep { !/boundary/ } sort keys %{ $mail->{headers} }), $mail->{text}, $mail->{html} // '';
	}
	my $north = $text =~ $marks{n};
	my $south = $text =~ $marks{s};
	push @crossed, "$body->{recipient}: $text" if $north == $south;
	push @crossed, "$body->{recipient} is of the other" if $body->{recipient} =~ /^([ns])account/ && ($1 eq 'n') != $north;
	$seen{ $north ? 'north' : 'south' }++;
}
is_deeply(\@crossed, [], 'every body and header is of one creditor');
cmp_ok($seen{$_} // 0, '>', 5, "there are bodies of $_") for qw(north south);

# nor_in_what_is_asked
for my $call (q{dunning.conversation($)::text}, q{dunning.report_html(debtor_id => $)}, q{(SELECT string_agg(x::text, E'\n') FROM dunning.explain($) x)},
	q{(SELECT string_agg(x::text, E'\n') FROM dunning.preview('reminder-2', $, 'email') x)}, q{dunning.export($)::text}, q{(SELECT string_agg(b::text, '') FROM dunning.balance_history($) b)},
	q{(SELECT string_agg(x::text, E'\n') FROM dunning.message m, LATERAL dunning.explain_message(m.message_id) x WHERE m.debtor_id = $)},
	q{(SELECT string_agg(j::text, E'\n') FROM dunning.journal j WHERE j.debtor_id = $) || ' north south'})
{
	my @found;
	for my $id (qw(n1 s1 n2 s2 n3 s3))
	{
		my $text = $node->safe_psql('postgres', 'SELECT ' . $call =~ s/\$/'$id'/r);
		# Figures of the journal and of the history are numbers without a colour of their own.
		my @wrong = grep { !/nothing of its own/ || $call !~ /journal|history/ } foreign_in($id, $text =~ s/ north south$//r);
		push @found, @wrong;
	}
	is_deeply(\@found, [], $call);
}
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT c.creditor, ',' ORDER BY c.creditor) FROM dunning.costs('2026-06-01', '2026-07-01') c}), 'north,south', 'costs are told apart');
# A link of one account opens that one.
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.message m JOIN dunning.debtor d ON d.debtor_id = m.debtor_id WHERE m.creditor <> d.creditor OR m.context ->> 'creditor' <> d.creditor}), '0', 'every message is its debtor\'s creditor\'s');

# suppression_counts_per_person
$node->safe_psql('postgres', q{SELECT dunning.record_event('opted_out', 'n1', detail => '{"channel": "email"}'); SELECT dunning.record_event('complaint', 'n2', detail => '{"channel": "email"}')});
my %blocked = map { /^(.*?)\|(.*)$/ } split /\n/, $node->safe_psql('postgres', q{SELECT d.debtor_id, array_to_string(a.blocked_by, ' ') FROM dunning.debtor d, LATERAL dunning.allowed(d.debtor_id, 'email', '2026-07-08 10:00+02') a WHERE d.person_id IN ('person1', 'person2', 'person4')});
like($blocked{n1}, qr/suppressed/, 'an address that opted out is suppressed for the creditor it was said to');
like($blocked{s1}, qr/suppressed/, 'and for the other');
like($blocked{n2}, qr/suppressed/, 'a complaint too');
unlike($blocked{$_} // '', qr/suppressed/, "$_ is not touched by it") for qw(n4 s4);
like($blocked{s2}, qr/suppressed/, 'who complained to one creditor is not written to by the other, at another address either');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.hold h WHERE h.debtor_id IN ('s1', 's2')}), '0', 'the other creditor does not learn why');

# daily_of_one_creditor_leaves_the_other_alone
$node->append_conf('postgresql.conf', "dunning.clock = '2026-07-14 10:00+02'");
$node->reload;
$node->safe_psql('postgres', q{DELETE FROM dunning.queue; CREATE TABLE before AS SELECT m.message_id FROM dunning.message m}); $node->safe_psql('postgres', q{CALL dunning.daily('north')});
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT m.creditor, ',') FROM dunning.message m WHERE m.message_id NOT IN (SELECT b.message_id FROM before b)}), 'north', 'daily(north) plans north alone');

$node->stop;
$gateway->stop;
done_testing();
