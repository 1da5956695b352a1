# Of a message that nobody knows about the gateway is asked, where it can be: what it says settles it, once, and silence leaves it to a person.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(tell => 1, faults => { lost => 'reset-after-body', gone => 'reset-before-body', first => 'reset-once' });
my $keyed = Catcher->new(tell => 1, honour_keys => 1, faults => { lost => 'reset-after-body', gone => 'reset-before-body', first => 'reset-once' });
my ($url, $keyed_url) = ($gateway->http_url(''), $keyed->http_url(''));
my $secrets = PostgreSQL::Test::Utils::tempdir();
open(my $f, '>', "$secrets/api.secret") or die;
chmod 0600, "$secrets/api.secret";
print $f 'canary-secret';
close $f;
my $node = PostgreSQL::Test::Cluster->new('questions');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\ndunning.retry_delay = '50ms'\ndunning.max_attempts = 1\nrestart_after_crash = on\n"
	  . "dunning.secret_directory = '$secrets'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts . ', ' . $keyed->allowed_hosts . "'\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
sub sql { return $node->safe_psql('book', $_[0]) }
sub preset
{
	my ($name, $query, $contract) = @_;
	sql("SELECT dunning.save_http_preset('$name', 'POST', 'json', body => '{\"id\":\"{message_id}\",\"to\":\"{address}\",\"text\":\"{text}\"}', path => '/send', idempotency_header => 'Idempotency-Key', auth => 'bearer', "
		  . "contract => '$contract', id_field => 'id', query => " . ($query ? "'$query'" : 'NULL') . ')');
}
sql('CREATE EXTENSION dunning');
sql("INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test')");
my $word = '"id": "id", "echo": "key", "state": "status", "words": {"queued": "sent", "bounced": "failed"}';
my %query = (
	plain => qq({"path": "/asked/{message_id}", $word, "absent": "not_taken", "absent_after": "1s"}),
	list => q({"path": "/list/asked/{message_id}", "list": "data", "id": "id", "echo": "key", "absent": "not_taken", "absent_after": "1s"}),
	careful => qq({"path": "/asked/{message_id}", $word, "absent": "not_taken", "absent_after": "1h"}),
	other => q({"path": "/asked/{message_id}", "id": "id", "echo": "status"}),
	wordless => q({"path": "/asked/{message_id}", "id": "id", "state": "status", "words": {"sent": "sent"}}),
	busy => qq({"path": "/fault/503/asked/{message_id}", $word, "absent": "not_taken", "absent_after": "1s"}),
	silent => qq({"path": "/fault/reset-before-body/asked/{message_id}", $word, "absent": "not_taken", "absent_after": "1s"}),
	slow => qq({"path": "/fault/slow-1500/asked/{message_id}", $word, "absent": "not_taken", "absent_after": "1ms"}),
	moved => qq({"path": "/fault/redirect/asked/{message_id}", $word, "absent": "not_taken", "absent_after": "1ms"}));
for my $name (sort keys %query)
{
	preset($name, $query{$name}, 'once');
	sql("CREATE SERVER $name TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset '$name', timeout '5s', breaker_after '100000', ask_for '3s')");
}
preset('nothing', undef, 'once');
sql("CREATE SERVER nothing TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset 'nothing', breaker_after '100000')");
preset('keys', $query{plain}, 'repeat');
preset('slowkeys', $query{slow}, 'repeat');
sql("CREATE SERVER $_ TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$keyed_url', preset '$_', timeout '5s', breaker_after '100000', ask_for '30s')") for qw(keys slowkeys);
sql("CREATE USER MAPPING FOR dunning_worker SERVER $_ OPTIONS (secret_file 'api.secret')") for sort(keys %query), qw(nothing keys slowkeys);
sql("ALTER SERVER careful OPTIONS (SET ask_for '20s')");
sql("ALTER SERVER slow OPTIONS (SET ask_for '30s')");
sql('SELECT dunning.activate()');

sub enqueue
{
	my ($name, $server) = @_;
	sql(qq{
		BEGIN;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('$name', 'Name', 'Given', 'en', 'DK', '$name\@example.org');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('$name', 'I', current_date - 40, current_date - 12, 100, 'DKK');
		SELECT count(*) FROM dunning.send('$name', 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server', due = now() WHERE debtor_id = '$name';
		UPDATE dunning.message SET server = '$server' WHERE debtor_id = '$name';
		COMMIT});
}
sub story { my ($name) = @_; return sql("SELECT s.state || ' ' || s.reason || ', ' || (SELECT count(*) FROM dunning.egress e WHERE e.debtor_id = s.debtor_id) FROM dunning.message_state s WHERE s.debtor_id = '$name'") }
sub becomes
{
	my ($name, $story, $what) = @_;
	$node->poll_query_until('book', "SELECT (SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id = '$name') AND (SELECT count(*) = 0 FROM dunning.question WHERE debtor_id = '$name')
		AND EXISTS (SELECT FROM dunning.outcome WHERE debtor_id = '$name')") or diag(sql('TABLE dunning.question'));
	is(story($name), $story, $what) or diag(sql("SELECT attempt, state, reason, detail FROM dunning.outcome WHERE debtor_id = '$name' ORDER BY outcome_id"));
}
sub taken { my ($name, $from) = @_; return scalar grep { $_->{recipient} =~ /^\Q$name\E\@/ } ($from // $gateway)->accepted }
sub tasks { my ($name) = @_; return sql("SELECT count(*) FROM dunning.task WHERE debtor_id = '$name' AND kind = 'unknown_outcome'") }

# a_taken_message_is_sent
enqueue('lost-1', 'plain');
becomes('lost-1', 'sent gateway_was_asked, 1', 'a message whose answer was lost is sent, once the gateway says that it has it');
is(taken('lost-1') . tasks('lost-1'), '10', 'it was handed over once, and no person was asked');
like(sql("SELECT provider_ref FROM dunning.outcome WHERE debtor_id = 'lost-1' AND state = 'sent'"), qr/^c[0-9a-f]{16}$/, 'the number that the gateway gave it is kept');
enqueue('lost-2', 'list');
becomes('lost-2', 'sent gateway_was_asked, 1', 'the same where the answer is a list');

# one_that_was_not_taken
enqueue('gone-1', 'plain');
becomes('gone-1', 'failed gateway_did_not_take_it, 1', 'of a gateway without keys a message that it does not have has failed');
is(taken('gone-1') . sql("SELECT string_agg(kind, ' ') FROM dunning.task WHERE debtor_id = 'gone-1'"), '0not_taken', 'it is not sent again by itself, and a person knows');
ok(sql("SELECT o.at - e.at >= interval '1 second' FROM dunning.egress e JOIN dunning.outcome o USING (debtor_id, message_id) WHERE debtor_id = 'gone-1' AND o.reason = 'gateway_did_not_take_it'") eq 't',
	'and an absence counts only when the gateway has had its time');
enqueue('gone-2', 'list');
becomes('gone-2', 'failed gateway_did_not_take_it, 1', 'an empty list is an absence');
enqueue('first-1', 'keys');
becomes('first-1', 'sent http_200, 2', 'a gateway with keys gets it again');
is(taken('first-1', $keyed), 1, 'under its key, and takes it once');
enqueue('gone-3', 'keys');
becomes('gone-3', 'failed gateway_did_not_take_it, 4', 'one that loses it each time is not asked for ever');
enqueue('lost-3', 'keys');
becomes('lost-3', 'sent gateway_was_asked, 1', 'and what it has is not handed over again');
is(taken('lost-3', $keyed), 1, 'not even under its key');

# no_answer_is_no_answer
enqueue('gone-careful', 'careful');
enqueue("lost-$_", $_) for qw(busy silent moved other wordless);
for my $server (qw(busy silent moved other wordless))
{
	$node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.task WHERE debtor_id = 'lost-$server' AND kind = 'unknown_outcome'");
	like(story("lost-$server"), qr/^unknown .*, 1$/, "$server: it stays unknown");
	is(tasks("lost-$server") . sql("SELECT count(*) FROM dunning.question WHERE debtor_id = 'lost-$server'"), '10', "$server: and a person is asked in the end");
}
is(sql("SELECT count(*) || ' ' || min(said) || ' ' || (min(asked) > 3)::text FROM dunning.question WHERE debtor_id = 'gone-careful'"), '1 absent true', 'an absence that is too young is asked about again, in growing pauses');
is(tasks('gone-careful'), 0, 'and no person is asked meanwhile');
like(sql("SELECT state || ' ' || detail FROM dunning.health() WHERE item = 'unknown outcomes'"), qr/^warn 6 in the last 7 days/, 'health() counts those that stay unknown');
enqueue('lost-nothing', 'nothing');
$node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.task WHERE debtor_id = 'lost-nothing' AND kind = 'unknown_outcome'");
is(tasks('lost-nothing') . sql("SELECT count(*) FROM dunning.question WHERE server = 'nothing'"), '10', 'where nothing can be asked a person is, at once');

# a_receipt_or_a_person_may_be_quicker
sql("SELECT dunning.record_event('delivered', 'gone-careful', message_id => (SELECT message_id FROM dunning.message WHERE debtor_id = 'gone-careful'))");
becomes('gone-careful', 'delivered receipt, 1', 'a receipt ends the question');

# whoever_dies_while_asking_settles_nothing_twice
sub kill_who_asks
{
	my ($name) = @_;
	$node->poll_query_until('book', "SELECT count(*) = 1 FROM pg_stat_activity a, dunning.question q WHERE a.backend_type = 'dunning mail reader' AND q.debtor_id = '$name' AND q.next_at < clock_timestamp() - interval '300 ms'");
	my $pid = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'dunning mail reader'");
	ok($pid && kill('KILL', $pid), "$name: the process dies between question and answer");
	$node->poll_query_until('postgres', 'SELECT true');
	$node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.stat_worker WHERE state IN ('idle', 'sending')");
}
enqueue('lost-crash', 'slow');
kill_who_asks('lost-crash');
becomes('lost-crash', 'sent gateway_was_asked, 1', 'it is asked again and settled');
is(taken('lost-crash') . sql("SELECT count(*) FROM dunning.outcome WHERE debtor_id = 'lost-crash' AND state = 'sent'"), '11', 'once');
enqueue('first-crash', 'slowkeys');
kill_who_asks('first-crash');
becomes('first-crash', 'sent http_200, 2', 'what was not taken is handed over again after the crash');
is(taken('first-crash', $keyed), 1, 'once');

# who_can_do_nothing_comes_back_in_growing_pauses
sub readers { my ($from) = @_; my $log = slurp_file($node->logfile, $from); return map { my ($h, $m, $s) = split /:/; $h * 3600 + $m * 60 + $s } $log =~ /^\S+ (\S+) UTC .*starting background worker process "dunning mail reader"/mg }
my $holder = $node->background_psql('book');
$holder->query_safe('BEGIN; SELECT pg_advisory_xact_lock(1685417585, 0)');
$node->append_conf('postgresql.conf', "log_min_messages = debug1\nlog_line_prefix = '%m '\n");
$node->reload;
my $from = -s $node->logfile;
enqueue('lost-held', 'plain');
for (1 .. 1800) { last if (my @all = readers($from)) >= 4; select undef, undef, undef, 0.1 }
my @at = readers($from);
cmp_ok(scalar @at, '>=', 4, 'while somebody else asks the process begins again and again');
cmp_ok(($at[3] - $at[2]) % 86400, '>', 1.6 * (($at[1] - $at[0]) % 86400), 'in growing pauses');
$holder->quit;
becomes('lost-held', 'sent gateway_was_asked, 1', 'and asks when it may');
$node->append_conf('postgresql.conf', "log_min_messages = warning\n");

# by_hand
$node->append_conf('postgresql.conf', "dunning.databases = ''\n");
$node->restart;
enqueue('lost-hand', 'plain');
$node->psql('book', 'CALL dunning.deliver(max_seconds => 5)');
my (undef, undef, $told) = $node->psql('book', q{CALL dunning.ask_gateway('plain')});
like($told, qr/questions: 1 asked, 1 of them settled/, 'CALL ask_gateway() asks now');
is(story('lost-hand'), 'sent gateway_was_asked, 1', 'and settles');
(undef, undef, $told) = $node->psql('book', q{BEGIN; CALL dunning.ask_gateway(); COMMIT});
like($told, qr/cannot run inside a transaction block/, 'not inside a transaction');
sql('SELECT dunning.deactivate()');
(undef, undef, $told) = $node->psql('book', 'CALL dunning.ask_gateway()');
like($told, qr/no gateway was asked/, 'and not in a database that does not send');
unlike(slurp_file($node->logfile), qr/canary-secret/, 'no secret is in the log');
$node->stop;
done_testing();
