# Two workers and a server that is left alone: one message at a time tries it, and who alters the server has it tried at once.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(honour_keys => 1, delay => 300);
my $url = $gateway->http_url('');
my $node = PostgreSQL::Test::Cluster->new('probe');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.workers = 2\ndunning.slots = 4\ndunning.retry_delay = '20ms'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ntimezone = 'UTC'\n");
$node->start;
my $db = 'postgres';
sub sql { return $node->safe_psql($db, $_[0]) }
sub queue
{
	my ($server, $name, $n) = @_;
	sql(qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT '$name-' || i, 'Name', 'Given', 'en', 'DK', '$name-' || i || '\@example.org' FROM generate_series(1, $n) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT '$name-' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, $n) i;
		SELECT count(*) FROM generate_series(1, $n) i, dunning.send('$name-' || i, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server' WHERE debtor_id LIKE '$name-%';
		COMMIT});
}
sql(qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url/fault/401', contract 'repeat', breaker_pause '100ms');
	CREATE SERVER long TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url/fault/401', contract 'repeat', breaker_pause '1h');
	CREATE USER MAPPING FOR dunning_worker SERVER web;
	CREATE USER MAPPING FOR dunning_worker SERVER long;
	SELECT dunning.activate()});
ok($node->poll_query_until($db, q{SELECT count(*) = 2 FROM dunning.stat_worker WHERE state IN ('idle', 'sending')}), 'two workers');

# one_probe_at_a_time
queue('web', 'probe', 40);
ok($node->poll_query_until($db, q{SELECT count(*) > 0 FROM dunning._breakers() WHERE server = 'web'}), 'a wrong login shuts the server');
ok($node->poll_query_until($db, q{SELECT count(*) >= 4 FROM dunning.outcome o, dunning._breakers() b WHERE b.server = 'web' AND o.reason = 'http_401' AND o.at > b.opened_at + interval '350 milliseconds'}), 'messages try again');
is(sql(q{SELECT count(*) FROM (SELECT o.at - lag(o.at) OVER (ORDER BY o.at) AS apart FROM dunning.outcome o, dunning._breakers() b
	WHERE b.server = 'web' AND o.reason = 'http_401' AND o.at > b.opened_at + interval '350 milliseconds') x WHERE x.apart < interval '290 milliseconds'}), '0', 'one at a time, whichever worker it is: none answers within the time of another');
cmp_ok(sql(q{SELECT count(DISTINCT dunning._slice(debtor_id) % 2) FROM dunning.queue WHERE server = 'web'}), '==', 2, 'both workers have some that wait');

# who_alters_the_server_has_it_tried_at_once
queue('long', 'long', 10);
ok($node->poll_query_until($db, q{SELECT count(*) > 0 FROM dunning._breakers() WHERE server = 'long'}), 'the other is shut for an hour');
sql("ALTER SERVER long OPTIONS (SET url '$url/send')");
ok($node->poll_query_until($db, q{SELECT count(*) = 0 FROM dunning.queue WHERE server = 'long'}), 'altered, it takes them at once');
is(sql(q{SELECT string_agg(DISTINCT s.state, ' ') FROM dunning.message_state s WHERE s.debtor_id LIKE 'long-%'}), 'sent', 'all are sent');
is(scalar(grep { $_->{recipient} =~ /^long-/ } $gateway->accepted), 10, 'each once');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
$gateway->stop;
done_testing();
