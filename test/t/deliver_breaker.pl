# A server that lets nobody in, or takes nothing, is left alone: its messages wait, and lose no attempt.
use strict;
use warnings;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Catcher;

my $gateway = Catcher->new(faults => { forbidden => '403' });
my ($http) = $gateway->http_port;

# A mail server that does not want our sender, for as long as a file stands.
my $dir = PostgreSQL::Test::Utils::tempdir_short();
append_to_file("$dir/refuse", '');
my $listen = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
my $smtp = $listen->sockport;
my $mailer = fork() // die;
if ($mailer == 0)
{
	local $SIG{CHLD} = 'IGNORE';
	while (my $c = $listen->accept)
	{
		next if fork();
		my $in_data = 0;
		print $c "220 hello\r\n";
		while (my $line = <$c>)
		{
			if ($in_data) { next if $line ne ".\r\n"; $in_data = 0; print $c "250 taken\r\n"; }
			elsif ($line =~ /^MAIL/) { print $c -e "$dir/refuse" ? "550 5.7.1 not from you\r\n" : "250 ok\r\n" }
			elsif ($line =~ /^DATA/) { $in_data = 1; print $c "354 go on\r\n" }
			elsif ($line =~ /^QUIT/) { last }
			else { print $c "250 ok\r\n" }
		}
		exec '/bin/true';
	}
	exec '/bin/true';
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'dunning'
dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp, 127.0.0.1:1'
dunning.retry_delay = '20ms'
dunning.max_attempts = 2
dunning.slots = 4
timezone = 'UTC'
});
$node->start;
my $db = 'postgres';
sub sql { return $node->safe_psql($db, $_[0]) }
sub server { my ($name, $options) = @_; sql("CREATE SERVER $name TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS ($options); CREATE USER MAPPING FOR dunning_worker SERVER $name") }
sql(q{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	SELECT dunning.activate()});
my $url = "http://127.0.0.1:$http";
server('web', "driver 'http', url '$url/fault/401', contract 'repeat', breaker_pause '500ms'");
server('down', "driver 'http', url 'http://127.0.0.1:1/', contract 'once', breaker_after '3', breaker_pause '1h'");
server('picky', "driver 'http', url '$url/', contract 'repeat', breaker_after '10', breaker_pause '1h'");
server('mail', qq{driver 'smtp', url 'smtp://127.0.0.1:$smtp', "from" 'a\@example.org', tls 'none', breaker_pause '1h'});

sub queue
{
	my ($server, @names) = @_;
	my $list = join ',', map { "'$_'" } @names;
	sql(qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT d, 'Name', 'Given', 'en', 'DK', d || '\@example.org' FROM unnest(ARRAY[$list]) d;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT d, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM unnest(ARRAY[$list]) d;
		SELECT count(*) FROM unnest(ARRAY[$list]) d, dunning.send(d, 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server' WHERE debtor_id IN ($list);
		COMMIT});
}
sub becomes { my ($query, $name) = @_; return ok($node->poll_query_until($db, $query), $name) || diag(sql('SELECT * FROM dunning.queue_status') . "\n" . sql('SELECT debtor_id, attempt, state, reason, detail FROM dunning.outcome ORDER BY outcome_id DESC LIMIT 20')) }
sub states { return sql("SELECT string_agg(s.state || ' ' || s.n, ', ' ORDER BY s.state) FROM (SELECT state, count(*) AS n FROM dunning.message_state WHERE debtor_id ~ '^$_[0]-' GROUP BY 1) s") }

# who_does_not_let_us_in_gets_no_message_and_costs_none_an_attempt
queue('web', map { "login-$_" } 1 .. 20);
becomes("SELECT count(*) > 0 FROM dunning.queue_status WHERE server = 'web' AND shut = 'http_401'", 'a wrong login shuts the server');
like(sql("SELECT state || ' ' || detail || ' ' || fix_sql FROM dunning.health() WHERE item = 'server web'"),
	qr/^fail email, left alone since .*: http_401; .* SELECT dunning\.resume\('web'\); .*ALTER USER MAPPING FOR dunning_worker SERVER web/, 'health says so, and what mends it');
becomes("SELECT count(DISTINCT e.at) >= 4 FROM dunning.egress e JOIN dunning.outcome o USING (debtor_id, message_id, attempt) WHERE e.server = 'web' AND o.reason = 'http_401' AND e.attempt > 1", 'one message tries again now and then');
is(states('login'), 'queued 20', 'all wait, however often they were refused');
sql("ALTER SERVER web OPTIONS (SET url '$url/')");
becomes("SELECT count(*) = 0 FROM dunning.queue WHERE server = 'web'", 'when the login is right again');
is(states('login'), 'sent 20', 'all leave by themselves');
is(sql("SELECT count(*) FROM dunning._breakers()"), '0', 'and nothing is shut');
is(scalar(grep { $_->{recipient} =~ /^login-/ } $gateway->accepted), 20, 'each once');

# who_takes_nothing_is_left_alone
queue('down', map { "down-$_" } 1 .. 12);
becomes("SELECT count(*) = 1 FROM dunning._breakers() WHERE server = 'down'", 'three refused connections shut a server');
cmp_ok(sql("SELECT failures FROM dunning._breakers() WHERE server = 'down'"), '<=', 7, 'no more tried than were under way');
like(sql('SELECT pg_read_file(' . "'" . $node->logfile . "')"), qr/server "down" is left alone for a while.*\n.*lose no attempt.*\n.*HINT:  When it is mended: SELECT dunning\.resume\('down'\);/, 'the log says so');
sql("ALTER SERVER down OPTIONS (SET url '$url/')");
sql("SELECT dunning.resume('down')");
becomes("SELECT count(*) = 0 FROM dunning.queue WHERE server = 'down'", 'resume() lets all go at once');
is(states('down'), 'sent 12', 'and none was lost');

# who_is_changed_is_tried_again_though_nobody_says_so
server('moved', "driver 'http', url 'http://127.0.0.1:1/', contract 'once', breaker_after '3', breaker_pause '1h'");
queue('moved', map { "moved-$_" } 1 .. 6);
becomes("SELECT count(*) = 1 FROM dunning._breakers() WHERE server = 'moved'", 'a server is left alone for an hour');
sql("ALTER SERVER moved OPTIONS (SET url '$url/')");
becomes("SELECT count(*) = 0 FROM dunning.queue WHERE server = 'moved'", 'who_is_changed_is_tried_again_though_nobody_says_so');
is(states('moved'), 'sent 6', 'and all leave');

# who_is_forbidden_where_others_get_through_is_the_one
queue('picky', map { "fine-$_" } 1 .. 5);
becomes("SELECT count(*) = 0 FROM dunning.queue WHERE server = 'picky'", 'a server takes messages');
queue('picky', 'forbidden-1');
queue('picky', map { "also-$_" } 1 .. 3);
becomes("SELECT count(*) = 0 FROM dunning.queue WHERE server = 'picky'", 'one is forbidden, and others get through');
is(states('forbidden') . ', ' . states('also'), 'dead 1, sent 3', 'who_is_forbidden_where_others_get_through_is_the_one');

# a_sender_that_is_not_wanted_is_no_fault_of_the_mail
queue('mail', map { "sender-$_" } 1 .. 6);
becomes("SELECT count(*) > 0 FROM dunning.queue_status WHERE server = 'mail' AND shut = 'smtp_550'", 'a refused sender shuts the server');
is(states('sender'), 'queued 6', 'a_sender_that_is_not_wanted_is_no_fault_of_the_mail');
is(sql('SELECT count(*) FROM dunning.suppression'), '0', 'and of no address');
unlink "$dir/refuse";
sql("SELECT dunning.resume('mail')");
becomes("SELECT count(*) = 0 FROM dunning.queue WHERE server = 'mail'", 'when it is wanted again');
is(states('sender'), 'sent 6', 'all leave');

is(sql('SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
kill 'TERM', $mailer;
done_testing();
