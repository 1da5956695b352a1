# What somebody else locks, how a session is set or a table changed, neither ends a sending process nor makes it forget what it has sent.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('wait');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\ntimezone = 'UTC'\nmax_prepared_transactions = 4\n");
$node->start;

sub prepare
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, q{
		CREATE EXTENSION dunning;
		INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
		CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
		CREATE USER MAPPING FOR dunning_worker SERVER mail;
		SELECT dunning.pause('mail');
		SELECT dunning.activate()});
}

# Debtors NAME-1 .. NAME-3 with a message each.
sub enqueue
{
	my ($db, $name) = @_;
	$node->safe_psql($db, qq{
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT '$name-' || i, 'Name', 'Given', 'en', 'DK', '$name-' || i || '\@example.org' FROM generate_series(1, 3) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT '$name-' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 3) i;
		SELECT count(*) FROM generate_series(1, 3) i, dunning.send('$name-' || i, 'reminder-1', 'email');
		UPDATE dunning.queue SET state = 'queued', due = now() WHERE debtor_id LIKE '$name-%'});
}
sub states { my ($db, $name) = @_; return $node->safe_psql($db, "SELECT string_agg(DISTINCT s.state || coalesce(' ' || s.reason, ''), ', ') FROM dunning.message_state s WHERE s.debtor_id LIKE '$name-%'") }
sub become { my ($db, $name, $states) = @_; return $node->poll_query_until($db, "SELECT string_agg(DISTINCT state, ' ') = '$states' FROM dunning.message_state WHERE debtor_id LIKE '$name-%'") }
sub worker { return $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker') }

# --- the worker ---
prepare('book');
ok($node->poll_query_until('book', q{SELECT count(*) = 1 FROM dunning.stat_worker WHERE state = 'idle'}), 'a worker runs');
enqueue('book', $_) for qw(held stray);
$node->safe_psql('book', q{
	UPDATE dunning.queue SET state = 'held', reason = 'test', blocked_by = '{test}', due = now() - interval '1 minute' WHERE debtor_id LIKE 'held-%';
	UPDATE dunning.queue SET server = 'gone' WHERE debtor_id LIKE 'stray-%';
	BEGIN; SELECT FROM dunning.queue FOR UPDATE; PREPARE TRANSACTION 'rows'});
# One that begins now looks at the held ones at once.
my $before = worker();
kill 'TERM', $before or die;
ok($node->poll_query_until('book', qq{SELECT count(*) = 1 FROM dunning.stat_worker WHERE state = 'idle' AND pid <> $before}), 'a worker begins while somebody has a held message and a stray one');
my $pid = worker();
enqueue('book', 'beside');
$node->safe_psql('book', q{SELECT dunning.resume('mail')});
ok(become('book', 'beside', 'sent'), 'others are sent while that stays open') or diag states('book', 'beside');
is(worker(), $pid, 'by the same process');
$node->safe_psql('book', q{COMMIT PREPARED 'rows'});
ok(become('book', 'stray', 'held'), 'the stray one is held afterwards') or diag states('book', 'stray');
is($node->safe_psql('book', q{SELECT string_agg(item, ', ') FROM dunning.health() WHERE item LIKE 'held:%' AND item <> 'held: test'}), 'held: no_server', 'and health() says why');

$node->safe_psql('book', q{BEGIN; LOCK TABLE dunning.queue; PREPARE TRANSACTION 'whole'});
ok($node->poll_query_until('postgres', qq{SELECT pg_read_file('@{[$node->logfile]}') ~ 'could not be looked at: canceling statement due to lock timeout'}), 'a locked table is told in the log');
$node->safe_psql('book', q{COMMIT PREPARED 'whole'});
enqueue('book', 'after');
ok(become('book', 'after', 'sent'), 'and then sending goes on') or diag states('book', 'after');
is(worker(), $pid, 'in the same process');

# --- CALL deliver() ---
prepare('desk');
$node->safe_psql('desk', q{SELECT dunning.resume('mail')});
enqueue('desk', 'locked');
$node->safe_psql('desk', q{BEGIN; SELECT FROM dunning.queue WHERE debtor_id = 'locked-1' FOR UPDATE; PREPARE TRANSACTION 'one'});
my ($rc, $out, $err) = $node->psql('desk', 'CALL dunning.deliver(max_seconds => 1)', timeout => 60);
is($rc, 0, 'a call ends at its time while somebody has a message') or diag $err;
is($node->safe_psql('desk', q{SELECT string_agg(state, ' ' ORDER BY debtor_id) FROM dunning.message_state WHERE debtor_id LIKE 'locked-%'}), 'sending sent sent', 'the others are sent');
($rc, $out, $err) = $node->psql('desk', q{SET statement_timeout = '1s'; CALL dunning.deliver()}, timeout => 60);
like($err, qr/canceling statement due to/, 'a call can be cancelled while it waits');
$node->safe_psql('desk', q{COMMIT PREPARED 'one'; CALL dunning.deliver()});
ok(become('desk', 'locked', 'sent'), 'and the last is sent in the end') or diag states('desk', 'locked');

# An error that a batch survives must not leave the session deaf.
enqueue('desk', 'bad');
$node->safe_psql('desk', q{ALTER TABLE dunning.body ADD CONSTRAINT nothing_bad CHECK (debtor_id <> 'bad-2')});
($rc, $out, $err) = $node->psql('desk', q{CALL dunning.deliver(); SET statement_timeout = '100ms'; DO $$ BEGIN LOOP EXIT WHEN clock_timestamp() > now() + interval '20 s'; END LOOP; END $$}, timeout => 60);
like($err, qr/canceling statement due to statement timeout/, 'after a message that fails the session can be cancelled as before');
is(states('desk', 'bad'), 'held error_23514, sent mock_sent', 'one message is held');
is($node->safe_psql('desk', q{SELECT string_agg(item, ', ') FROM dunning.health() WHERE item LIKE 'held:%'}), 'held: error_23514', 'health() says by what');

# Bodies and intents are written past triggers: where there is one, nobody is sent anything and nothing is held.
for my $trigger ('BEFORE INSERT ON dunning.egress FOR EACH ROW', 'AFTER INSERT ON dunning.body FOR EACH STATEMENT')
{
	my ($name) = $trigger =~ /dunning\.(\w+)/;
	enqueue('desk', $name);
	$node->safe_psql('desk', qq{CREATE FUNCTION look_$name() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER "Look" $trigger EXECUTE FUNCTION look_$name()});
	($rc, $out, $err) = $node->psql('desk', 'CALL dunning.deliver(max_seconds => 20)', timeout => 60);
	is($rc, 0, "$trigger: a call ends") or diag $err;
	like($err, qr/nothing is sent: "\w+" has triggers on insertion/, 'and says why');
	is(states('desk', $name), 'queued', 'the messages wait');
	my $fix = $node->safe_psql('desk', q{SELECT fix_sql FROM dunning.health() WHERE state = 'fail' AND item LIKE 'trigger %'});
	is($fix, qq{DROP TRIGGER "Look" ON dunning.$name;}, 'health() names what mends it');
	$node->safe_psql('desk', "$fix CALL dunning.deliver(max_seconds => 20)");
	is(states('desk', $name), 'sent mock_sent', 'and then they are sent');
}

# What was sent is written down all the same: there the trigger runs, though many are settled at once.
for my $trigger ('AFTER INSERT ON dunning.outcome FOR EACH ROW', 'BEFORE INSERT ON dunning.outcome FOR EACH STATEMENT')
{
	my $name = $trigger =~ /ROW/ ? 'eachrow' : 'eachset';
	enqueue('desk', $name);
	$node->safe_psql('desk', qq{CREATE TABLE seen_$name (at timestamptz); GRANT INSERT ON seen_$name TO PUBLIC;
		CREATE FUNCTION look_$name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN INSERT INTO public.seen_$name VALUES (now()); RETURN NEW; END'; CREATE TRIGGER "Look" $trigger EXECUTE FUNCTION look_$name()});
	($rc, $out, $err) = $node->psql('desk', 'CALL dunning.deliver(max_seconds => 20)', timeout => 60);
	is(states('desk', $name), 'sent mock_sent', "$trigger: sent, and it is written down") or diag $err;
	cmp_ok($node->safe_psql('desk', "SELECT count(*) FROM seen_$name"), '>=', $trigger =~ /ROW/ ? 3 : 1, 'the trigger ran');
	is($node->safe_psql('desk', q{SELECT state || ' ' || detail || ' ' || fix_sql FROM dunning.health() WHERE item LIKE 'trigger %'}),
		'warn on dunning.outcome: it runs, and sending takes longer for it DROP TRIGGER "Look" ON dunning.outcome;', 'health() names it');
	$node->safe_psql('desk', 'DROP TRIGGER "Look" ON dunning.outcome');
}

# What was sent is written down whatever the session's transactions are by default.
$node->safe_psql('desk', q{ALTER TABLE dunning.outcome ADD CONSTRAINT plain CHECK (current_setting('transaction_isolation') = 'read committed' AND current_setting('transaction_read_only') = 'off' AND current_setting('jit') = 'off') NOT VALID});
for my $set ("default_transaction_isolation = 'serializable'", "default_transaction_isolation = 'repeatable read'", 'jit = on', 'default_transaction_read_only = on')
{
	my $name = 'set' . length $set;
	enqueue('desk', $name);
	($rc, $out, $err) = $node->psql('desk', "SET $set; CALL dunning.deliver(max_seconds => 20)", timeout => 60);
	is(states('desk', $name), 'sent mock_sent', "sent with $set") or diag $err;
}
$node->stop;
done_testing();
