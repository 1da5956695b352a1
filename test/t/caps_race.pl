# Eight workers at once and a cap of seven in seven days: twelve accounts a person, spread over all workers, with a message each. PERSONS=200: a longer race.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $persons = $ENV{PERSONS} || 40;
my $gateway = Catcher->new(honour_keys => 1, delay => 5);
my $node = PostgreSQL::Test::Cluster->new('caps');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.workers = 8\ndunning.slots = 8\ndunning.allowed_hosts = '" . $gateway->allowed_hosts
	  . "'\ntimezone = 'UTC'\ndunning.timezone = 'UTC'\nmax_worker_processes = 24\nfsync = off\n");
$node->start;
my $url = $gateway->http_url;
$node->safe_psql('postgres', 'CREATE DATABASE book');
sub sql { return $node->safe_psql('book', $_[0]) }

# Only the cap at trial stands. A third of the persons have told us of calls before: up to nine, so that some may get nothing at all.
sql(qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	INSERT INTO dunning.contact_rule (rule, cap, cap_days, source, enabled) VALUES ('house-daily', 1, 1, 'test', false), ('house-weekly', 3, 7, 'test', false);
	INSERT INTO dunning.contact_rule (rule, cap, cap_days, cap_scope, source) VALUES ('seven', 7, 7, 'person', 'test');
	CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'repeat');
	SELECT dunning.pause('web');
	SELECT dunning.activate();
	INSERT INTO dunning.debtor (debtor_id, person_id, name, given_name, language, country, time_zone, email)
	SELECT 'a' || p || '-' || a, 'p' || p, 'Name', 'Given', 'en', 'DK', 'UTC', 'p' || p || '-' || a || '\@example.org' FROM generate_series(1, $persons) p, generate_series(1, 12) a;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT d.debtor_id, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM dunning.debtor d;
	SELECT count(*) FROM generate_series(1, $persons) p, generate_series(1, p % 3 * (p % 10) / 2) k,
		LATERAL dunning.record_event('called', 'a' || p || '-' || 1 + k % 12, at => now() - k * interval '7 hours', event_key => 'call ' || p || ' ' || k)});
$node->safe_psql('book', 'CREATE USER MAPPING FOR dunning_worker SERVER web');
sql(q{SET client_min_messages = error;
	SELECT count(*) FROM dunning.debtor d, LATERAL dunning.send(d.debtor_id, 'reminder-1', 'email');
	UPDATE dunning.queue SET server = 'web', state = 'queued', due = now()});
is(sql('SELECT count(*) FROM dunning.queue'), 12 * $persons, 'twelve messages a person wait');
ok($node->poll_query_until('book', q{SELECT count(*) = 8 FROM dunning.stat_worker WHERE state IN ('idle', 'sending')}), 'eight workers');
sql(q{SELECT dunning.resume('web')});
ok($node->poll_query_until('book', q{SELECT count(*) = 0 FROM dunning.queue WHERE state IN ('queued', 'sending') AND due <= now()}), 'what may leave has left');

my %had = map { split /\|/ } split /\n/, sql(q{SELECT d.person_id, count(*) FROM dunning.event v JOIN dunning.debtor d USING (debtor_id) WHERE v.kind = 'called' GROUP BY 1});
my %got;
for my $row ($gateway->accepted) { my ($person) = $row->{recipient} =~ /^(p\d+)-/; $got{$person}++ }
my @over = grep { ($got{$_} // 0) + ($had{$_} // 0) > ($had{$_} > 7 ? $had{$_} : 7) } map { $had{"p$_"} //= 0; "p$_" } 1 .. $persons;
is_deeply(\@over, [], 'never an eighth contact in seven days, as the gateway counts');
my @under = grep { ($got{$_} // 0) + $had{$_} < 7 } map { "p$_" } 1 .. $persons;
is_deeply(\@under, [], 'and nobody is kept from the seventh');
is(sql('SELECT max(n) FROM (SELECT count(DISTINCT e.message_id) AS n FROM dunning.egress e JOIN dunning.debtor d USING (debtor_id) GROUP BY d.person_id) x'), '7', 'nor as the database does');
ok($node->poll_query_until('book', q{SELECT bool_and(q.due > now()) AND bool_and(m.reason = 'cap:seven') FROM dunning.queue q JOIN dunning.message_state m USING (debtor_id, message_id)}), 'the others wait, and the cap is why')
  or diag(sql(q{SELECT m.state, m.reason, q.state, q.due > now(), count(*) FROM dunning.queue q JOIN dunning.message_state m USING (debtor_id, message_id) GROUP BY 1, 2, 3, 4}));
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
done_testing();
