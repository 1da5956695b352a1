# A worker is killed while messages are with the gateway, and they are stopped only after its successor has begun: what may have arrived is never called cancelled.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(honour_keys => 1, delay => 5000);
my $url = $gateway->http_url;
my $node = PostgreSQL::Test::Cluster->new('takeover');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\ndunning.slots = 32\ndunning.retry_delay = '200ms'\nrestart_after_crash = on\nmax_prepared_transactions = 2\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER honest TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'repeat');
	CREATE SERVER once TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'once');
	CREATE USER MAPPING FOR dunning_worker SERVER honest;
	CREATE USER MAPPING FOR dunning_worker SERVER once;
	SELECT dunning.pause('honest'), dunning.pause('once');
	SELECT dunning.activate()});

# Debtors NAME-1 .. NAME-3 with a message each.
sub enqueue
{
	my ($name, $server) = @_;
	$node->safe_psql('book', qq{
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT '$name-' || i, 'Name', 'Given', 'en', 'DK', '$name-' || i || '\@example.org' FROM generate_series(1, 3) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT '$name-' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 3) i;
		SELECT count(*) FROM generate_series(1, 3) i, dunning.send('$name-' || i, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server', state = 'queued', due = now() WHERE debtor_id LIKE '$name-%'});
}
sub states { my ($name) = @_; return $node->safe_psql('book', "SELECT string_agg(DISTINCT s.state || ' ' || s.reason, ', ') FROM dunning.message_state s WHERE s.debtor_id LIKE '$name-%'") }
sub become { my ($name, $states) = @_; $node->poll_query_until('book', "SELECT string_agg(DISTINCT state, ' ') = '$states' FROM dunning.message_state WHERE debtor_id LIKE '$name-%'") }
sub stop { my ($name) = @_; return $node->safe_psql('book', "SELECT string_agg(DISTINCT c.state, ' ') FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') c WHERE m.debtor_id LIKE '$name-%'") }
sub asked { my ($name) = @_; return $node->safe_psql('book', "SELECT count(*) FROM dunning.task WHERE debtor_id LIKE '$name-%' AND kind = 'unknown_outcome'") }
sub resume { $node->safe_psql('book', "SELECT dunning.resume('honest'), dunning.resume('once')") }
sub halt { $node->safe_psql('book', "SELECT dunning.pause('honest'), dunning.pause('once')") }
sub under_way { my ($n) = @_; $node->poll_query_until('book', "SELECT in_flight = $n FROM dunning.stat_worker") or die "not $n in flight" }
sub accepted { my ($name) = @_; return scalar grep { $_->{recipient} =~ /^$name-/ } $gateway->accepted }

# The worker dies with everything at the gateway; the servers are paused, so that nothing is claimed by its successor.
sub crash
{
	halt();
	my $pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
	kill 'KILL', $pid or die;
	$node->poll_query_until('book', "SELECT pid <> $pid AND state IN ('idle', 'sending') FROM dunning.stat_worker") or die;
}

enqueue($_, 'honest') for qw(early later kept);
enqueue($_, 'once') for qw(once oncekept);
resume();
under_way(15);
is(stop('early'), 'sending', 'taken back while under way: it is leaving still');
crash();
ok(become('early', 'unknown'), 'taken back before the crash: nobody knows') or diag states('early');
ok(become('later', 'queued'), 'not taken back: it waits, and is not leaving any more') or diag states('later');
is(stop($_), 'unknown', "stopped after its successor has begun, contract of $_: nobody knows") for qw(later once);
is(join(' ', map { asked($_) } qw(early later once kept oncekept)), '3 3 3 0 0', 'a person is asked');
resume();
ok(become('kept', 'sent'), 'what honours keys gets it again') or diag states('kept');
ok(become('oncekept', 'unknown'), 'who is tried once does not') or diag states('oncekept');
is(asked('oncekept'), 3, 'a person is asked there too');
is(join(' ', map { accepted($_) } qw(early later once kept oncekept)), '3 3 3 3 3', 'each was accepted once');

# A transaction that takes it back is open while the successor begins.
enqueue('open', 'honest');
under_way(3);
$node->safe_psql('book', q{BEGIN; SELECT count(*) FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') c WHERE m.debtor_id LIKE 'open-%'; PREPARE TRANSACTION 'open'});
crash();
$node->safe_psql('book', q{COMMIT PREPARED 'open'});
ok(become('open', 'unknown'), 'taken back by a transaction that was open while the successor began') or diag states('open');
is(asked('open'), 3, 'a person is asked');

# A transaction that stops one message stays open: nobody else waits for it, and the worker can be stopped.
resume();
enqueue('stopped', 'honest');
under_way(3);
$node->safe_psql('book', q{BEGIN; SELECT count(*) FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') c WHERE m.debtor_id = 'stopped-1'; PREPARE TRANSACTION 'stopped'});
enqueue('beside', 'honest');
ok(become('beside', 'sent'), 'others are sent while a stop is open') or diag states('beside');
ok(become('stopped', 'sending sent'), 'and those of the same batch') or diag states('stopped');
$node->safe_psql('book', q{COMMIT PREPARED 'stopped'});
ok(become('stopped', 'sent'), 'the reply has the last word') or diag states('stopped');

# One of a batch is stopped for good while its reply is on the way: each reply finds its own message.
enqueue('mixed', 'honest');
under_way(3);
is($node->safe_psql('book', q{SELECT c.state FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') c WHERE m.debtor_id = 'mixed-2'}), 'sending', 'one is stopped while under way');
ok($node->poll_query_until('book', q{SELECT count(*) = 3 FROM dunning.outcome WHERE debtor_id LIKE 'mixed-%' AND state = 'sent'}), 'all three were accepted') or diag states('mixed');
is($node->safe_psql('book', q{SELECT string_agg(o.debtor_id || ' ' || o.attempt || ' ' || o.state || ' ' || o.reason || ' ' || (o.provider_ref IS NOT NULL)::text || ' ' || coalesce(o.detail->>'code', '-'), ', ' ORDER BY o.debtor_id, o.outcome_id)
	FROM dunning.outcome o JOIN dunning.message m ON m.debtor_id = o.debtor_id AND m.message_id = o.message_id AND m.creditor = o.creditor WHERE o.debtor_id LIKE 'mixed-%'}),
	'mixed-1 1 sent http_200 true 200, mixed-2 0 cancelled taken back false -, mixed-2 1 sent http_200 true 200, mixed-3 1 sent http_200 true 200',
	'each has its own outcome, and the stop stands beside it');
is($node->safe_psql('book', q{SELECT count(*) FROM dunning.queue WHERE debtor_id LIKE 'mixed-%'}), '0', 'and none waits');

# An attempt that somebody has settled meanwhile is not settled again by its late reply: the message waits for its next attempt.
enqueue('settled', 'honest');
under_way(3);
$node->safe_psql('book', q{SELECT dunning._conclude(ARRAY[q.debtor_id], ARRAY[q.message_id], ARRAY[1::smallint], ARRAY['queued'], ARRAY['interrupted'], ARRAY[NULL::text], ARRAY['{"may_have_arrived": true}'::jsonb], ARRAY[now() + interval '1 day'], ARRAY[NULL::text])
	FROM dunning.queue q WHERE q.debtor_id = 'settled-2'});
ok($node->poll_query_until('book', q{SELECT count(*) = 2 FROM dunning.outcome WHERE debtor_id LIKE 'settled-%' AND state = 'sent'}), 'the others are settled by their replies') or diag states('settled');

enqueue('ended', 'honest');
under_way(3);
$node->safe_psql('book', q{BEGIN; SELECT count(*) FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') c WHERE m.debtor_id = 'ended-1'; PREPARE TRANSACTION 'ended'});
$node->stop('fast');
$node->start;
$node->safe_psql('book', q{COMMIT PREPARED 'ended'});
ok(become('ended', 'sent unknown'), 'a server that was stopped meanwhile') or diag states('ended');
is(asked('ended'), 1, 'a person is asked about the one');
is($node->safe_psql('book', 'SELECT count(*) FROM dunning.egress e WHERE NOT EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt)'),
	'0', 'every attempt has an outcome');
is($node->safe_psql('book', q{SELECT string_agg(o.state || ' ' || o.reason, ', ' ORDER BY o.outcome_id) FROM dunning.outcome o WHERE o.debtor_id = 'settled-2'}), 'queued interrupted', 'one attempt, one verdict');
is($node->safe_psql('book', q{SELECT state || ' ' || attempts FROM dunning.queue WHERE debtor_id = 'settled-2'}), 'queued 1', 'and it waits');
is($node->safe_psql('book', 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');

done_testing();
