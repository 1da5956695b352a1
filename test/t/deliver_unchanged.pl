# What the gate has answered is not asked again while nothing happens, and as soon as anything does, it is.
use strict;
use warnings;
use Catcher;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(honour_keys => 1);
my $slow = Catcher->new(honour_keys => 1, delay => 400);
my $mail = Catcher->new(delay => 50);
my $paced = Catcher->new(honour_keys => 1, delay => 40);
my $node = PostgreSQL::Test::Cluster->new('unchanged');
$node->init;
# A transaction of autovacuum would be something that happens.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ndunning.slots = 1\nautovacuum = off\ntrack_functions = 'all'\ntimezone = 'UTC'\n"
	  . "dunning.allowed_hosts = '" . join(', ', map { $_->allowed_hosts } $gateway, $slow, $mail, $paced) . "'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', q{
	CREATE SCHEMA billing;
	CREATE TABLE billing.customer (id bigint PRIMARY KEY, name text, mail text);
	CREATE TABLE billing.bill (id bigint PRIMARY KEY, customer bigint, due date, amount numeric);
	CREATE TABLE billing.paid (id bigint PRIMARY KEY, customer bigint, at timestamptz, amount numeric);
	CREATE INDEX ON billing.bill (customer);
	CREATE INDEX ON billing.paid (customer);
	CREATE VIEW billing.v_debtor AS SELECT id AS debtor_id, name, 'en' AS language, 'DK' AS country, mail AS email FROM billing.customer;
	CREATE VIEW billing.v_invoice AS SELECT id AS invoice_id, customer AS debtor_id, due - 14 AS issued_on, due AS due_on, amount, 'DKK' AS currency, 'F-' || id AS reference FROM billing.bill WHERE due < current_date;
	CREATE VIEW billing.v_payment AS SELECT id AS payment_id, customer AS debtor_id, at AS paid_at, amount, 'DKK' AS currency FROM billing.paid;
	CREATE VIEW billing.v_restless AS SELECT v.* FROM billing.v_payment v WHERE random() < 2;
	CREATE EXTENSION dunning;
	GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
	GRANT SELECT ON ALL TABLES IN SCHEMA billing TO dunning_owner, dunning_worker;
	SELECT dunning.bind('debtor', 'billing.v_debtor'), dunning.bind('invoice', 'billing.v_invoice'), dunning.bind('payment', 'billing.v_payment');
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test')});
$node->safe_psql('book', "CREATE SERVER $_->[0] TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '" . $_->[1]->http_url . "', contract 'repeat');
	CREATE USER MAPPING FOR dunning_worker SERVER $_->[0]") for ['quick', $gateway], ['slow', $slow], ['paced', $paced];
# The key of digests is made by the first who needs it: that is something that happens too.
$node->safe_psql('book', q{SELECT dunning.activate(); SELECT dunning._address_digest('a@example.org', 'email')});

$node->safe_psql('book', "CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '" . $mail->smtp_url . "', \"from\" 'a\@example.com', tls 'none');
	CREATE USER MAPPING FOR dunning_worker SERVER mail");

# Debtors FIRST .. FIRST + N - 1 with a message each, due in this order.
sub enqueue
{
	my ($first, $n, $server) = @_;
	my $last = $first + $n - 1;
	$node->safe_psql('book', qq{
		INSERT INTO billing.customer SELECT i, 'Name ' || i, 'd' || i || '\@example.org' FROM generate_series($first, $last) i;
		INSERT INTO billing.bill SELECT i, i, current_date - 12, 100 FROM generate_series($first, $last) i;
		SELECT count(*) FROM generate_series($first, $last) i, dunning.send(i::text, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server', state = 'queued', due = now() - interval '1 minute' + debtor_id::int * interval '1 ms' WHERE debtor_id::int BETWEEN $first AND $last});
}
# How often a ledger mark was asked for: once a batch by the gate, once a group by the recheck.
sub marks { return $node->safe_psql('book', q{SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE schemaname = 'dunning' AND funcname = '_marks'}) }
sub states { my ($first, $last) = @_; return $node->safe_psql('book', "SELECT string_agg(s.state, ' ' ORDER BY s.debtor_id::int) FROM dunning.message_state s WHERE s.debtor_id::int BETWEEN $first AND $last") }
# Questions while everything due is sent.
sub questions
{
	my $before = marks();
	$node->safe_psql('book', 'CALL dunning.deliver()');
	return marks() - $before;
}

enqueue(1, 8, 'quick');
cmp_ok(questions(), '<=', 3, 'eight messages, one after the other: asked once a batch while nothing happens');
is(states(1, 8), join(' ', ('sent') x 8), 'and all are sent');

$node->safe_psql('book', q{SELECT dunning.bind('payment', 'billing.v_restless')});
enqueue(11, 8, 'quick');
cmp_ok(questions(), '>=', 9, 'a source whose rows change by themselves is asked each time');
is(states(11, 18), join(' ', ('sent') x 8), 'and all are sent');
$node->safe_psql('book', q{SELECT dunning.bind('payment', 'billing.v_payment')});

enqueue(21, 5, 'slow');
cmp_ok(questions(), '>=', 2, 'after a second everything is asked again');

# While the first is with the gateway, other things happen to the third and those after it.
my %happens = (
	'a payment' => [q{INSERT INTO billing.paid VALUES (%d, %d, now(), 100)}, 'cancelled'],
	'a hold' => [q{SELECT dunning.hold('%d', 'dispute')}, 'cancelled'],
	'a suppressed address' => [q{SELECT dunning.suppress('d%d@example.org', 'email', 'asked')}, 'held'],
	'a debtor who is gone' => [q{DELETE FROM billing.customer WHERE id = %d}, 'held'],
	'a message taken back' => [q{SELECT dunning.cancel(m.message_id, 'test') FROM dunning.message m WHERE m.debtor_id = '%d'}, 'cancelled'],
	'a paused server' => [q{SELECT dunning.pause('slow')}, 'queued'],
	'a view that reads something else' => [q{CREATE OR REPLACE VIEW billing.v_invoice AS SELECT id AS invoice_id, customer AS debtor_id, due - 14 AS issued_on, due AS due_on, amount, 'DKK' AS currency, 'F-' || id AS reference FROM billing.bill WHERE due < current_date AND customer <> %d}, 'cancelled']);
my $first = 31;
for my $what (sort keys %happens)
{
	my ($sql, $state) = @{ $happens{$what} };
	my $third = $first + 2;

	enqueue($first, 3, 'slow');
	my $call = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('book'), '-c', 'CALL dunning.deliver()' ], '>', \my $out, '2>', \my $err);
	$node->poll_query_until('book', "SELECT EXISTS (SELECT FROM dunning.egress WHERE debtor_id = '$third')") or die;
	$node->safe_psql('book', sprintf($sql, ($third) x ($sql =~ tr/%//)));
	IPC::Run::finish($call);
	is(states($third, $third), $state, "$what stops a message that waits for its slot") or diag $err;
	is(scalar(grep { $_->{recipient} eq "d$third\@example.org" } $slow->accepted), 0, 'and nothing has left');
	$node->safe_psql('book', q{SELECT dunning.resume('slow')});
	$node->safe_psql('book', q{UPDATE dunning.queue SET state = 'held', due = now() + interval '1 day'});
	$first += 10;
}

# What we write ourselves happens too: the first reply says that its address is of no use, and the third has the same.
enqueue(201, 3, 'mail');
$node->safe_psql('book', q{UPDATE billing.customer SET mail = 'fault-550@example.org' WHERE id IN (201, 203); CALL dunning.deliver()});
is(states(201, 203), 'dead sent held', 'an address that a reply has suppressed is not used again by the message that waits for its slot');

# To one of two workers what the other sends is nothing that happens; a payment is. Their figures are told when they end.
enqueue(301, 100, 'paced');
my $before = marks();
$node->append_conf('postgresql.conf', "dunning.databases = 'book'\ndunning.workers = 2\n");
$node->restart;
ok($node->poll_query_until('book', q{SELECT count(*) = 0 FROM dunning.queue WHERE server = 'paced' AND state = 'queued'}), 'two workers send');
is(scalar(grep { $_ ne 'sent' } split ' ', states(301, 400)), 0, 'all of it');
$node->append_conf('postgresql.conf', "dunning.databases = 'none'\n");
$node->restart;
cmp_ok(marks() - $before, '<=', 80, 'and ask less often than once a message');

for my $id (1001 .. 1003)
{
	enqueue($id, 1, 'slow');
}
enqueue(1101, 300, 'quick');
# All slow ones in one worker's slices and in this order, the quick ones in the other's.
$node->safe_psql('book', q{UPDATE dunning.queue SET slice = CASE WHEN server = 'slow' THEN 0 ELSE 1 END WHERE state = 'queued'});
$node->append_conf('postgresql.conf', "dunning.databases = 'book'\n");
$node->restart;
$node->poll_query_until('book', q{SELECT EXISTS (SELECT FROM dunning.egress WHERE debtor_id = '1003') AND EXISTS (SELECT FROM dunning.egress WHERE debtor_id = '1101')}) or die;
$node->safe_psql('book', q{INSERT INTO billing.paid VALUES (1003, 1003, now(), 100)});
$node->poll_query_until('book', q{SELECT count(*) = 0 FROM dunning.queue WHERE state = 'queued'}) or die;
is(states(1001, 1003), 'sent sent cancelled', 'a payment while both are sending stops a message that waits for its slot');
$node->stop;
done_testing();
