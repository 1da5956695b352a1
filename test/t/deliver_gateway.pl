# Real transfers to the scripted gateway: retries, final refusals, doubt, caps, rates.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $dir = PostgreSQL::Test::Utils::tempdir_short();
system('cp', '-r', "$root/test/gateways", "$dir/gateways") == 0 or die;
system("make -s -C $dir/gateways CATCHER=$dir/catcher") == 0 or die 'the catcher cannot be built';
my $ledger = "$dir/ledger";
my $pid = open(my $catcher, '-|', "$dir/catcher", '--ledger', $ledger, '--honour-keys',
	map { ('--fault', $_) } ('flaky=flaky-503-2', 'gone=410', 'noreply=no-reply', 'lost=lost-once', 'early=reset-before-body', 'bomb=bomb',
		'moved=redirect', 'down=503', 'refused=550', 'smtplate=drop-after-dot', 'smtpslow=slow-3000')) or die;
my ($http) = scalar(<$catcher>) =~ /^http (\d+)/;
my ($smtp) = scalar(<$catcher>) =~ /^smtp (\d+)/;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'dunning'
dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp, 127.0.0.1:1'
dunning.retry_delay = '20ms'
dunning.max_attempts = 4
timezone = 'UTC'
});
$node->start;
my $db = 'postgres';
$node->safe_psql($db, qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'repeat', timeout '2s');
	CREATE SERVER once TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'once', timeout '2s');
	CREATE SERVER slowly TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'repeat', rate '10/s');
	CREATE SERVER lagging TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'repeat', rate '10/s');
	CREATE SERVER fast TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'repeat', rate '10/s', rate_group 'line');
	CREATE SERVER slower TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'repeat', rate '4/s', rate_group 'line');
	CREATE SERVER seldom TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$http/', contract 'repeat', rate '30/min', rate_group 'line');
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://127.0.0.1:$smtp', "from" 'a\@example.org', tls 'none', timeout '2s');
	CREATE SERVER slowmail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://127.0.0.1:$smtp', "from" 'a\@example.org', tls 'none', timeout '20s');
	CREATE SERVER closed TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:1/', contract 'once');
	SELECT dunning.activate();
});
$node->safe_psql($db, "CREATE USER MAPPING FOR dunning_worker SERVER $_") for qw(web once slowly lagging fast slower seldom mail slowmail closed);

sub queue
{
	my ($name, $server) = @_;
	$node->safe_psql($db, qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('$name', 'Name', 'Given', 'en', 'DK', '$name\@example.org');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('$name', 'I', current_date - 40, current_date - 12, 100, 'DKK');
		SELECT dunning.send('$name', 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server' WHERE debtor_id = '$name';
		COMMIT});
}
sub ends
{
	my ($name, $server, $state, $accepted, $attempts, $what) = @_;
	queue($name, $server);
	$node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id = '$name'") or diag('unfinished');
	my ($key) = $node->safe_psql($db, "SELECT message_id FROM dunning.message WHERE debtor_id = '$name'");
	my $n = () = slurp_file($ledger) =~ /\taccept\t<?\Q$key\E/g;
	my $got = $node->safe_psql($db, "SELECT s.state || ' ' || (SELECT count(*) FROM dunning.egress e WHERE e.debtor_id = s.debtor_id) FROM dunning.message_state s WHERE s.debtor_id = '$name'");
	like("$got $n", qr/^$state $attempts $accepted$/, $what) or diag($node->safe_psql($db, "SELECT attempt, state, reason, detail FROM dunning.outcome WHERE debtor_id = '$name' ORDER BY outcome_id"));
}

ends('plain-1', 'web', 'sent', 1, 1, 'a request is sent once');
ends('flaky-1', 'web', 'sent', 1, 3, 'a 503 is tried again until it is taken');
ends('down-1', 'web', 'dead', 0, 4, 'a gateway that stays down ends in a dead letter');
ends('gone-1', 'web', 'dead', 0, 1, 'a 410 is final');
ends('moved-1', 'web', 'dead', 0, 1, 'a redirect is not followed');
# libcurl repeats it by itself where the connection had been kept: the same bytes under the same key, one attempt.
ends('lost-1', 'web', 'sent', 1, '[12]', 'a lost answer is asked for again with the same key');
ends('lost-2', 'once', 'unknown', 1, 1, 'a gateway without keys is not asked again');
ends('noreply-1', 'once', 'unknown', 1, 1, 'no answer in time is unknown');
ends('bomb-1', 'web', 'sent', 1, 1, 'an endless answer is cut and its status counts');
ends('closed-1', 'closed', 'dead', 0, 4, 'a refused connection certainly sent nothing: tried again, then dead');
ends('plain-2', 'mail', 'sent', 1, 1, 'a mail is sent once');
ends('smtplate-1', 'mail', 'unknown', 1, 1, 'a mail whose last answer is lost is unknown');

# a_slow_mail_server_holds_up_nobody_else
queue("smtpslow-$_", 'slowmail') for (1 .. 3);
$node->poll_query_until($db, "SELECT count(*) = 3 FROM dunning.egress WHERE debtor_id LIKE 'smtpslow-%'");
queue('meanwhile-1', 'web');
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id LIKE 'smtpslow-%' OR debtor_id = 'meanwhile-1'"), 'a slow mail server answers in the end');
is($node->safe_psql($db, q{SELECT string_agg(DISTINCT s.state::text, ' ') FROM dunning.message_state s WHERE s.debtor_id LIKE 'smtpslow-%'}), 'sent', 'and its mails are sent');
is($node->safe_psql($db, q{SELECT min(o.at) FILTER (WHERE o.debtor_id LIKE 'smtpslow-%') - min(o.at) FILTER (WHERE o.debtor_id = 'meanwhile-1') > interval '1 second'
	FROM dunning.outcome o WHERE o.state IN ('sent', 'delivered')}), 't', 'while it thinks, a message of another server leaves at once')
	or diag($node->safe_psql($db, "SELECT debtor_id, at, state, reason FROM dunning.outcome WHERE debtor_id LIKE 'smtpslow-%' OR debtor_id = 'meanwhile-1' ORDER BY outcome_id"));

# n_messages_a_window_and_never_one_more
$node->safe_psql($db, "SELECT dunning.pause('slowly')");
queue("rate-$_", 'slowly') for (1 .. 25);
$node->safe_psql($db, "SELECT dunning.resume('slowly')");
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id LIKE 'rate-%'"), 'a limited server sends all in the end');

# When the debtors of a name arrived, and how many of them at most within 0.99 seconds.
sub arrivals { my ($name) = @_; return sort { $a <=> $b } map { (split /\t/)[0] } grep { /$name-/ } split /\n/, slurp_file($ledger) }
sub most { my @at = @_; my $most = 0; for my $i (0 .. $#at) { my $n = grep { $_ >= $at[$i] && $_ < $at[$i] + 0.99 } @at; $most = $n if $n > $most; } return $most }
my @at = arrivals('rate');
is(scalar @at, 25, 'each once');
cmp_ok(most(@at), '<=', 10, 'never more than ten in any second');
cmp_ok(most(@at), '>=', 6, 'and not many fewer');

# servers_of_one_rate_group_may_have_rates_of_their_own
$node->safe_psql($db, "SELECT dunning.pause(s) FROM unnest('{fast,slower,seldom}'::text[]) s");
queue("quick-$_", 'fast') for (1 .. 20);
queue("calm-$_", 'slower') for (1 .. 8);
queue("seldom-$_", 'seldom') for (1 .. 2);
$node->safe_psql($db, "SELECT dunning.resume(s) FROM unnest('{fast,slower,seldom}'::text[]) s");
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id ~ '^(quick|calm|seldom)-'"), 'servers_of_one_rate_group_may_have_rates_of_their_own');
@at = sort { $a <=> $b } map { arrivals($_) } qw(quick calm seldom);
is(scalar @at, 30, 'each once');
cmp_ok(most(@at), '<=', 10, 'never more than the fastest of them may in any second');

# what_a_slow_recheck_kept_counts_when_it_leaves: the first one after an intent takes 0.9 seconds
$node->safe_psql($db, q{
	SELECT dunning.pause('lagging');
	CREATE SEQUENCE public.asked;
	CREATE FUNCTION public.lag() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ DECLARE slow_until timestamptz := clock_timestamp() + '0.9 s'::interval; BEGIN
		IF EXISTS (SELECT FROM dunning.egress e WHERE e.debtor_id LIKE 'lag-%') AND nextval('public.asked') = 1 THEN WHILE clock_timestamp() < slow_until LOOP END LOOP; END IF;
		RETURN true; END $$;
	CREATE VIEW public.lagging AS SELECT i.* FROM dunning.invoice i WHERE (SELECT public.lag());
	GRANT SELECT ON public.lagging TO dunning_owner, dunning_worker;
	SELECT dunning.bind('invoice', 'public.lagging')});
queue("lag-$_", 'lagging') for (1 .. 25);
$node->safe_psql($db, "SELECT dunning.resume('lagging')");
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue WHERE debtor_id LIKE 'lag-%'"), 'behind a slow recheck all leave in the end');
@at = arrivals('lag');
is(scalar @at, 25, 'each once');
cmp_ok(most(@at), '<=', 10, 'what_a_slow_recheck_kept_counts_when_it_leaves') or diag(join ' ', map { sprintf '%.2f', $_ - $at[0] } @at);

is($node->safe_psql($db, 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
kill 'TERM', $pid;
done_testing();
