# A server is altered while messages wait for a slot, made for the server as it was: they go back and are made anew.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = Catcher->new(honour_keys => 1, delay => 2000);
my $new = Catcher->new(honour_keys => 1);
my ($old_url, $new_url) = ($old->http_url, $new->http_url);
my $node = PostgreSQL::Test::Cluster->new('server');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\ndunning.slots = 1\ndunning.retry_delay = '200ms'\n"
	  . "dunning.allowed_hosts = '" . $old->allowed_hosts . ', ' . $new->allowed_hosts . "'\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER altered TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$old_url', contract 'repeat');
	CREATE USER MAPPING FOR dunning_worker SERVER altered;
	SELECT dunning.pause('altered');
	SELECT dunning.activate()});

# Debtors NAME-1 .. NAME-3 with a message each: the first is with the gateway, the others are ready.
sub send_three
{
	my ($name) = @_;
	$node->safe_psql('book', qq{
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT '$name-' || i, 'Name', 'Given', 'en', 'DK', '$name-' || i || '\@example.org' FROM generate_series(1, 3) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT '$name-' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 3) i;
		SELECT count(*) FROM generate_series(1, 3) i, dunning.send('$name-' || i, 'reminder-1', 'email');
		SELECT dunning.resume('altered')});
	$node->poll_query_until('book', qq{SELECT in_flight = 1 AND (SELECT count(*) = 3 FROM dunning.egress WHERE debtor_id LIKE '$name-%') FROM dunning.stat_worker}) or die;
}
sub sent { my ($name) = @_; return $node->poll_query_until('book', "SELECT count(*) = 3 FROM dunning.outcome WHERE debtor_id LIKE '$name-%' AND state = 'sent'") }
sub accepted { my ($name, $gateway) = @_; return scalar grep { $_->{recipient} =~ /^$name-/ } $gateway->accepted }
sub returned { my ($name) = @_; return $node->safe_psql('book', qq{SELECT count(*) || ' ' || coalesce(bool_and(detail \@> '{"of_server": true}')::text, '-') FROM dunning.outcome WHERE debtor_id LIKE '$name-%' AND state = 'queued' AND reason = 'server_changed'}) }

send_three('url');
$node->safe_psql('book', "ALTER SERVER altered OPTIONS (SET url '$new_url')");
ok(sent('url'), 'all three are sent');
is(accepted('url', $old) . ' ' . accepted('url', $new), '1 2', 'where the server was goes what was on its way, where it is what was ready');
is(returned('url'), '2 true', 'their first attempts count for nothing');
$node->safe_psql('book', qq{SELECT dunning.pause('altered'); ALTER SERVER altered OPTIONS (SET url '$old_url')});

send_three('same');
$node->safe_psql('book', "ALTER SERVER altered OPTIONS (SET url '$old_url')");
ok(sent('same'), 'what is altered to what it was');
is(returned('same'), '0 -', 'lets all of them pass');
$node->safe_psql('book', q{SELECT dunning.pause('altered')});

send_three('mapping');
$node->safe_psql('book', q{ALTER USER MAPPING FOR dunning_worker SERVER altered OPTIONS (ADD username 'another')});
ok(sent('mapping'), 'another user name');
is(returned('mapping'), '2 true', 'is another server, too');
$node->safe_psql('book', q{SELECT dunning.pause('altered')});

# Dropped, what was ready is held and goes when there is one again.
send_three('gone');
$node->safe_psql('book', q{DROP SERVER altered CASCADE});
ok($node->poll_query_until('book', q{SELECT count(*) = 2 FROM dunning.message_state WHERE debtor_id LIKE 'gone-%' AND state = 'held'}), 'without its server what was ready is held')
  or diag $node->safe_psql('book', q{SELECT debtor_id, state, reason FROM dunning.message_state WHERE debtor_id LIKE 'gone-%'});
is(accepted('gone', $old), 1, 'and did not leave');
# Servers that come and go: a worker has places for 1024 at a time, and those of the gone ones are free again.
my $pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');
sub each_server { my ($n, @commands) = @_; $node->safe_psql('book', 'DO $do$ BEGIN FOR i IN 1 .. ' . $n . ' LOOP ' . join('', map { "EXECUTE format(\$q\$$_\$q\$, i);" } @commands) . ' END LOOP; END $do$') }
my @create = ("CREATE SERVER s%s TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$new_url', contract 'repeat')", 'CREATE USER MAPPING FOR dunning_worker SERVER s%s');
for my $round (1 .. 4)
{
	each_server(300, map { s/SERVER s/SERVER r${round}_/r } @create);
	$node->safe_psql('book', qq{
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('round-$round', 'Name', 'Given', 'en', 'DK', 'round-$round\@example.org');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('round-$round', 'I', current_date - 40, current_date - 12, 100, 'DKK');
		BEGIN; SELECT count(*) FROM dunning.send('round-$round', 'reminder-1', 'email'); UPDATE dunning.queue SET server = 'r${round}_300' WHERE debtor_id = 'round-$round'; COMMIT});
	ok($node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.outcome WHERE debtor_id = 'round-$round' AND state = 'sent'"), "one of three hundred servers, round $round");
	each_server(300, "DROP SERVER r${round}_%s CASCADE");
}
is($node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker'), $pid, 'all served by one worker');
each_server(1030, @create);
$node->wait_for_log(qr/WARNING:  6 servers are not served: there are more than 1024/);
pass('of more at once it says how many it cannot serve');

is($node->safe_psql('book', 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
$node->stop;
done_testing();
