# What may be sent a second time: answers that say it was not taken, and after a crash the same bytes under the same key to whoever honours it.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @codes = (408, 425, 429, 500, 501, 502, 503, 504);
my $gateway = Catcher->new(honour_keys => 1, faults => { (map { ("c$_-" => $_) } @codes, 409), slow => 'slow-5000' });
my $url = $gateway->http_url;
my $spool = PostgreSQL::Test::Utils::tempdir();
mkdir "$spool/print" or die;
my $secrets = PostgreSQL::Test::Utils::tempdir();
sub tell_secret { my ($what) = @_; open(my $f, '>', "$secrets/told.secret") or die; chmod 0600, "$secrets/told.secret"; print $f $what; close $f }
tell_secret('canary-one');
my $node = PostgreSQL::Test::Cluster->new('repeat');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\ndunning.retry_delay = '20ms'\ndunning.max_attempts = 3\nrestart_after_crash = on\n"
	  . "dunning.spool_directory = '$spool'\ndunning.secret_directory = '$secrets'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	SELECT dunning.save_http_preset('mine', 'POST', 'json', body => '{"id":"{message_id}","to":"{address}","text":"{text}"}', idempotency_header => 'Idempotency-Key', contract => 'repeat');
	CREATE SERVER honest TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset 'mine', breaker_after '1000000');
	CREATE SERVER once TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset 'mine', breaker_after '1000000', contract 'once');
	SELECT dunning.save_http_preset('other', 'POST', 'json', body => '{"id":"{message_id}","to":"{address}","text":"{text}"}', idempotency_header => 'Idempotency-Key', contract => 'repeat');
	CREATE SERVER preset TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset 'other');
	CREATE SERVER moved TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset 'mine');
	SELECT dunning.save_http_preset('telling', 'POST', 'json', body => '{"id":"{message_id}","to":"{address}","text":"{text}","key":"{secret}"}', idempotency_header => 'Idempotency-Key', contract => 'repeat');
	CREATE SERVER told TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', preset 'telling');
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '@{[$gateway->smtp_url]}', "from" 'a\@example.org', tls 'none', contract 'repeat');
	CREATE SERVER print TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'print');
@{[map { "CREATE USER MAPPING FOR dunning_worker SERVER $_;" } qw(honest once preset moved mail print)]}
	CREATE USER MAPPING FOR dunning_worker SERVER told OPTIONS (secret_file 'told.secret');
	SELECT dunning.activate()});

sub enqueue
{
	my ($name, $server, $channel) = @_;
	$channel //= 'email';
	$node->safe_psql('book', qq{
		BEGIN;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, address) VALUES ('$name', 'Name', 'Given', 'en', 'DK', '$name\@example.org', '{"street": "Gade 1", "city": "Aarhus", "postcode": "8000"}');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('$name', 'I', current_date - 40, current_date - 12, 100, 'DKK');
		SELECT count(*) FROM dunning.send('$name', 'reminder-1', '$channel');
		UPDATE dunning.queue SET server = '$server', due = now() WHERE debtor_id = '$name';
		COMMIT});
}
sub ends { my ($name) = @_; $node->poll_query_until('book', "SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id = '$name'") or diag("$name is unfinished"); return story($name) }
sub story { my ($name) = @_; return $node->safe_psql('book', "SELECT s.state || ' ' || s.reason || ', ' || (SELECT count(*) FROM dunning.egress e WHERE e.debtor_id = s.debtor_id) FROM dunning.message_state s WHERE s.debtor_id = '$name'") }
sub asked { my ($name) = @_; return $node->safe_psql('book', "SELECT count(*) FROM dunning.task WHERE debtor_id = '$name' AND kind = 'unknown_outcome'") }
sub crash
{
	$node->safe_psql('book', "SELECT dunning.pause(s) FROM unnest('{honest,once,preset,moved,mail,print,told}'::text[]) s");
	my $pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
	kill 'KILL', $pid or die;
	$node->poll_query_until('book', "SELECT pid <> $pid AND state IN ('idle', 'sending') FROM dunning.stat_worker") or die;
}
sub resume { $node->safe_psql('book', "SELECT dunning.resume(s) FROM unnest('{honest,once,preset,moved,mail,print,told}'::text[]) s") }

# what_a_gateway_without_keys_answered_decides_whether_it_may_have_taken_it
enqueue("c$_-once", 'once') for @codes;
for my $code (@codes)
{
	my $taken = $code == 425 || $code == 429 || $code == 503 ? "dead http_$code, 3" : "unknown http_$code, 1";
	is(ends("c$code-once"), $taken, "once: $code");
	is(asked("c$code-once"), $taken =~ /^unknown/ ? 1 : 0, "once: $code: a person is asked where nobody knows");
}
# and_one_with_keys_is_asked_again
enqueue("c$_-honest", 'honest') for @codes;
is(ends("c$_-honest"), "dead http_$_, 3", "repeat: $_") for @codes;
# the_first_request_under_a_key_is_at_work_still
enqueue("c409-$_", $_) for qw(honest once);
is(ends('c409-honest'), 'unknown http_409, 3', 'repeat: 409 says that it may be taken yet');
is(asked('c409-honest'), 1, 'repeat: 409: a person is asked in the end');
is(ends('c409-once'), 'dead http_409, 1', 'once: 409 is a refusal');

# a_letter_that_the_print_shop_took_is_not_written_again_by_the_successor_of_a_worker_that_died_before_it_was_settled
$node->safe_psql('book', "SELECT dunning.pause('print')");
enqueue('letter', 'print', 'letter');
my $stopper = $node->background_psql('book');
$stopper->query_safe("BEGIN; SELECT FROM dunning.queue WHERE debtor_id = 'letter' FOR UPDATE");
$node->safe_psql('book', "SELECT dunning.resume('print')");
my ($id) = $node->safe_psql('book', "SELECT message_id FROM dunning.message WHERE debtor_id = 'letter'");
for (1 .. 1800) { last if -e "$spool/print/$id.json"; select undef, undef, undef, 0.1 }
ok(-e "$spool/print/$id.json", 'the letter is written') or diag(story('letter'));
crash();
eval { $stopper->quit };
unlink "$spool/print/$id.json" or die;
resume();
like(ends('letter'), qr/^unknown interrupted, 1/, 'nobody knows whether it was taken');
ok(!-e "$spool/print/$id.json", 'and it is not written a second time');
is(asked('letter'), 1, 'a person looks');

# a_repeat_of_a_key_carries_the_same_bytes_or_is_not_made
sub bytes { my ($name) = @_; my %seen; $seen{ $_->{sha256} }++ for grep { ($_->{recipient} // '') =~ /^<?\Q$name\E\@/ } $gateway->ledger; return keys %seen }
enqueue('slow-same', 'honest');
enqueue("slow-$_", $_) for qw(preset moved mail told);
$node->poll_query_until('book', 'SELECT in_flight = 5 FROM dunning.stat_worker') or die;
my $second = time;
crash();
$node->safe_psql('book', qq{
	SELECT dunning.save_http_preset('other', 'POST', 'json', body => '{"id":"{message_id}","to":"{address}","text":"{text}","v":2}', idempotency_header => 'Idempotency-Key', contract => 'repeat');
	ALTER SERVER moved OPTIONS (SET url '@{[$gateway->http_url('/other')]}')});
select undef, undef, undef, 0.1 while time < $second + 2;    # the Date of a mail is told in seconds
tell_secret('canary-two');
resume();
like(ends('slow-same'), qr/^sent http_200, 2/, 'the same bytes go again');
is(scalar(bytes('slow-same')), 1, 'and are the same');
for my $name (qw(slow-preset slow-moved))
{
	like(ends($name), qr/^unknown request_changed, 1/, "$name: other bytes under the same key do not");
	is(scalar(bytes($name)), 1, "$name: the gateway has seen one request");
	is(asked($name), 1, "$name: a person is asked");
}
like(ends('slow-mail'), qr/^sent smtp_250, 2/, 'a mail server that is said to know its mails gets it again');
is(scalar(bytes('slow-mail')), 1, 'with the date that it had');
like(ends('slow-told'), qr/^sent http_200, 2/, 'a secret that was changed is not the message');
is(scalar(bytes('slow-told')), 2, 'and the new one is used');
is($node->safe_psql('book', "SELECT count(DISTINCT request_digest) FROM dunning.egress WHERE debtor_id = 'slow-told'"), 1, 'no digest of a request is made with the secret in it');
# a_request_that_was_certainly_not_taken_may_be_another_one_next_time
$node->safe_psql('book', "ALTER SERVER once OPTIONS (SET preset 'other', SET contract 'repeat')");
$node->safe_psql('book', "ALTER SYSTEM SET dunning.retry_delay = '3s'; SELECT pg_reload_conf()");
enqueue('c503-next', 'once');
enqueue('c502-next', 'once');
$node->poll_query_until('book', "SELECT count(*) = 2 FROM dunning.queue WHERE debtor_id LIKE 'c%-next' AND attempts = 1") or die;
$node->safe_psql('book', qq{ALTER SERVER once OPTIONS (SET url '@{[$gateway->http_url('/other')]}');
	UPDATE dunning.queue SET due = now() WHERE attempts = 1});
$node->poll_query_until('book', "SELECT attempts = 2 FROM dunning.queue WHERE debtor_id = 'c503-next'") or diag(story('c503-next'));
is($node->safe_psql('book', "SELECT count(DISTINCT request_digest) FROM dunning.egress WHERE debtor_id = 'c503-next'"), 2, 'a 503: the new request is tried');
like(ends('c502-next'), qr/^unknown request_changed, 1/, 'a 502: it may have been taken');
is($node->safe_psql('book', 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
# a_key_is_not_repeated_after_its_life_whatever_the_doubt_was (what the ledger says of the time is changed by hand)
enqueue("c$_-old", 'honest') for qw(502 503);
$node->poll_query_until('book', "SELECT count(*) = 2 FROM dunning.queue WHERE debtor_id LIKE 'c%-old' AND attempts = 1") or die;
$node->safe_psql('book', "UPDATE dunning.egress SET at = at - interval '25 hours' WHERE debtor_id LIKE 'c%-old'; UPDATE dunning.queue SET due = now() WHERE debtor_id LIKE 'c%-old'");
like(ends('c502-old'), qr/^unknown key_expired, 1/, 'a 502: the key is over, and it may have been taken');
like(ends('c503-old'), qr/^dead http_503, 3/, 'a 503: it was not');
# and_a_person_who_puts_it_back_has_decided
$node->safe_psql('book', "SELECT count(*) FROM dunning.retry(message_id => (SELECT message_id FROM dunning.message WHERE debtor_id = 'c502-old'), state => 'unknown', dry_run => false)");
$node->poll_query_until('book', "SELECT count(*) > 1 FROM dunning.egress WHERE debtor_id = 'c502-old'") or diag(story('c502-old'));
like(story('c502-old'), qr/, [23]$/, 'it is tried again');
is($node->safe_psql('book', 'SELECT count(*) FROM dunning.egress WHERE request_digest IS NULL'), 0, 'the digest of each request is kept');
$node->stop;
done_testing();
