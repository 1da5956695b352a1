# What is in a secret file is nowhere else: no log at any level, no dump, no view, no message. And nobody's name or address is in the log.
use strict;
use warnings;
use Catcher;
use MIME::Base64;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(auth => 1, faults => { '+4499000400' => '400', '+4499000503' => '503' });
my $secrets = PostgreSQL::Test::Utils::tempdir;
my %canary = (mail => 'CANARY-mail-hunter2', text => 'CANARY-text-hunter3', 'link.key' => 'CANARY-link-' . 'k' x 40);
for my $name (keys %canary)
{
	my $file = "$secrets/$name" . ($name =~ /\./ ? '' : '.secret');
	append_to_file($file, "$canary{$name}\n");
	chmod 0600, $file;
}

my $node = PostgreSQL::Test::Cluster->new('secrets');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndunning.clock = '2026-06-22 10:00+02'\n"
	  . "dunning.secret_directory = '$secrets'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\nfsync = off\ndunning.retry_delay = '1ms'\nlog_statement = none\n");
$node->start;
my ($http, $smtp) = ($gateway->http_url, $gateway->smtp_url);
$node->safe_psql('postgres', qq{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'Billing <billing\@dunning.test>', tls 'none', timeout '2s');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', preset 'generic-json-bearer', url '$http', "from" 'Nordlys', timeout '2s');
	CREATE USER MAPPING FOR dunning_worker SERVER mail OPTIONS (username 'billing', secret_file 'mail.secret');
	CREATE USER MAPPING FOR dunning_worker SERVER text OPTIONS (username 'billing', secret_file 'text.secret');
	SELECT dunning.activate()});

sub add_debtors
{
	my ($first) = @_;
	# What failed to be written would quote the statement, so the rows come in without one.
	my $last = $first + 9;
	$node->safe_psql('postgres', qq{
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone, preferred_channel)
		SELECT 'd' || i, 'Personal-Name-' || i, 'Personal-Given-' || i, 'en', 'GB', 'personal-address-' || i || '\@debtors.test',
		       CASE i % 10 WHEN 0 THEN '+4499000400' WHEN 1 THEN '+4499000503' ELSE '+44770090' || lpad(i::text, 4, '0') END, CASE WHEN i % 2 = 0 THEN 'sms' ELSE 'email' END
		FROM generate_series($first, $last) i;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('x$first', 'Personal-Name-X', 'Personal-Given-X', 'en', 'GB', E'personal-address-x\@debtors.test\\r\\nevil');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
		SELECT d.debtor_id, 'I', '2026-05-01', '2026-06-08', 100, 'GBP' FROM dunning.debtor d WHERE NOT EXISTS (SELECT FROM dunning.invoice i WHERE i.debtor_id = d.debtor_id);
		INSERT INTO dunning.debtor (debtor_id, name, email) VALUES ('n$first', 'Personal-Name-N', 'personal-address-n\@debtors.test');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('n$first', 'I', '2026-05-01', '2026-06-08', 'NaN', 'GBP')});
	return;
}

sub work
{
	my $said = '';
	for my $sql (q{SELECT count(*) FROM dunning.plan()},
		q{SELECT count(*) FROM dunning.debtor d, LATERAL dunning.send(d.debtor_id, 'reminder-1', CASE WHEN d.debtor_id ~ '[24680]$' THEN 'sms' ELSE 'email' END, idempotency_key => 'once')},
		'CALL dunning.deliver(max_seconds => 30)', q{SELECT * FROM dunning.probe('mail')}, q{SELECT * FROM dunning.probe('text')}, 'SELECT * FROM dunning.health()',
		'TABLE dunning.journal', 'TABLE pg_stat_activity', 'SELECT count(*) FROM dunning.maintain()',
		q{SELECT dunning.link(m.message_id, 'pay') FROM dunning.message m LIMIT 1}, q{SELECT dunning.open_link('v1.forged')}, q{SELECT * FROM dunning.receive('text', '{}', '{}')},
		q{SELECT * FROM pg_settings WHERE name ~ 'dunning'}, q{SELECT * FROM pg_user_mappings}, q{SELECT dunning.metrics()})
	{
		my ($rc, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		$said .= "$out\n$err\n";
	}
	return $said;
}

# the_log_names_nobody_at_the_default_level
add_debtors(10);
my $said = work();
cmp_ok(scalar($gateway->accepted), '>', 5, 'messages were sent') or diag $said;
my $log = slurp_file($node->logfile);
ok($log !~ /personal-|\+44/i, 'no name, address or number of a debtor is in the log');
# A bound view whose data are not what they should be.
$node->safe_psql('postgres', q{
	CREATE TABLE public.untyped AS SELECT 'd' || i AS debtor_id, 'Personal-Name-' || i AS name, 'en' AS language, 'GB' AS country, 'v' || i || '@debtors.test' AS email, 1 AS factor FROM generate_series(50, 55) i;
	CREATE VIEW public.v_debtor AS SELECT u.debtor_id, u.name, u.language, u.country, u.email, CASE WHEN u.factor = 0 THEN u.name::int::text END AS region FROM public.untyped u;
	GRANT SELECT ON public.v_debtor TO dunning_owner, dunning_worker;
	SELECT dunning.bind('debtor', 'public.v_debtor');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT u.debtor_id, 'U', '2026-05-01', '2026-06-08', 100, 'GBP' FROM public.untyped u;
	SELECT count(*) FROM public.untyped u, LATERAL dunning.send(u.debtor_id, 'reminder-1', 'email');
	UPDATE public.untyped u SET factor = 0 WHERE u.debtor_id = 'd50'});
$node->psql('postgres', 'CALL dunning.deliver(max_seconds => 5)');
$log = slurp_file($node->logfile);
like($log, qr/invalid input syntax for type integer: ""/, 'a value that cannot be read is reported');
ok($log !~ /personal-/i, 'but not quoted');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT s.state || ' ' || coalesce(s.reason, ''), ',') FROM dunning.message_state s WHERE s.debtor_id = 'd50'}), 'held error_22P02', 'its message is held with the reason');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.message_state s WHERE s.debtor_id ~ '^d5[1-5]$' AND s.state = 'sent'}), '5', 'and the others are sent');
$node->safe_psql('postgres', q{SELECT dunning.unbind('debtor')});

# a_secret_is_nowhere_even_when_everything_is_logged
$node->append_conf('postgresql.conf', "log_min_messages = debug5\nlog_statement = all\nlog_error_verbosity = verbose\nlog_parameter_max_length_on_error = -1\ndebug_print_plan = on\ndebug_print_parse = on\n");
$node->restart;
add_debtors(20);
$said .= work();
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
command_ok([ 'pg_dumpall', '-h', $node->host, '-p', $node->port, '-f', $dump ], 'pg_dumpall');
my %where = (log => slurp_file($node->logfile), dump => slurp_file($dump), 'what callers were told' => $said);
cmp_ok(length $where{log}, '>', 1000000, 'the log says much');
for my $place (sort keys %where)
{
	ok(index($where{$place}, 'secret_file') >= 0 || $place ne 'dump', 'the dump has the mapping') if $place eq 'dump';
	for my $secret (values %canary)
	{
		ok(index($where{$place}, $_) < 0, "no secret in the $place") for $secret, encode_base64("\0billing\0$secret", ''), encode_base64($secret, ''), unpack('H*', $secret);
	}
}
# The test itself can tell.
my @bodies = map { $_->{note} . $_->{verdict} } $gateway->ledger;
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.egress}), '>', 10, 'the secrets were used');

# an_unsafe_secret_file_is_refused
$node->append_conf('postgresql.conf', "log_min_messages = warning\nlog_statement = none\ndebug_print_plan = off\ndebug_print_parse = off\n");
$node->restart;
sub spoil
{
	my ($how) = @_;
	my $file = "$secrets/mail.secret";
	-d $file && !-l $file ? rmdir $file : unlink $file;
	if ($how eq 'missing') { return }
	if ($how eq 'a directory') { mkdir $file, 0700; return }
	if ($how eq 'a symbolic link') { symlink "$secrets/text.secret", $file; return }
	append_to_file($file, $how eq 'huge' ? 'x' x 2_000_000 : $how eq 'empty' ? '' : $how eq 'two lines' ? "CANARY-a\nCANARY-b\n" : "CANARY-open\n");
	chmod($how eq 'readable by all' ? 0644 : $how eq 'readable by the group' ? 0640 : 0600, $file);
	return;
}
$node->safe_psql('postgres', q{DELETE FROM dunning.queue; SET client_min_messages = error;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('s1', 'N', 'G', 'en', 'GB', 's1@debtors.test');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('s1', 'I', '2026-05-01', '2026-06-08', 100, 'GBP');
	SELECT dunning.send('s1', 'reminder-1', 'email')});
for my $how ('readable by all', 'readable by the group', 'missing', 'a symbolic link', 'a directory', 'huge', 'empty', 'two lines')
{
	spoil($how);
	my ($rc, $out, $err) = $node->psql('postgres', q{SELECT * FROM dunning.probe('mail')}, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, qr/ERROR:  DN006: [^\n]*secret file.*HINT:  \S/s, "a secret file that is $how is refused");
	unlike($err, qr/CANARY/, 'and not quoted');
	($rc, $out, $err) = $node->psql('postgres', 'CALL dunning.deliver(max_seconds => 2)');
	is($node->safe_psql('postgres', q{SELECT q.state || ' ' || count(e.*) FROM dunning.queue q LEFT JOIN dunning.egress e USING (debtor_id, message_id) WHERE q.debtor_id = 's1' GROUP BY q.state}), 'queued 0',
		'the message waits, nothing was written as sent');
}
spoil('good');
$node->psql('postgres', 'CALL dunning.deliver(max_seconds => 5)');
is($node->safe_psql('postgres', q{SELECT s.state FROM dunning.message_state s WHERE s.debtor_id = 's1'}), 'sent', 'and leaves once the file is mended');

$node->stop;
$gateway->stop;
done_testing();
