# The requests of the shipped presets against the providers' own descriptions: Prism checks each and answers as the provider would.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => $ENV{DUNNING_SKIP} if $ENV{DUNNING_SKIP};
plan skip_all => 'no Prism was found (test/gateways/prism.sh start DIR)' unless $ENV{PRISM};

my $dir = PostgreSQL::Test::Utils::tempdir();
my (@children, %port);
my $parent = $$;
END { if ($$ == $parent) { kill 'KILL', @children } }

sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; return <$in> // '' }
sub write_file { my ($file, $text) = @_; open(my $out, '>', $file) or die "$file: $!"; print $out $text; close $out; return chmod 0600, $file }

for my $what (['twilio', 'twilio.json'], ['sendgrid', 'sendgrid.json'], ['lob', 'lob.yml'])
{
	my ($name, $file) = @$what;
	my $listen = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die;
	$port{$name} = $listen->sockport;
	close $listen;
	my $pid = fork() // die;
	if ($pid == 0)
	{
		open(STDOUT, '>', "$dir/$name.log");
		open(STDERR, '>&', \*STDOUT);
		$ENV{HOME} = $dir;
		exec $ENV{PRISM}, 'mock', '-m', 'false', '-h', '127.0.0.1', '-p', $port{$name}, "$ENV{OPENAPI}/$file" or die;
	}
	push @children, $pid;
}
for my $name (sort keys %port)
{
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default) { last if slurp("$dir/$name.log") =~ /is listening/; select undef, undef, undef, 0.1 }
	plan skip_all => "Prism did not start for $name: " . substr(slurp("$dir/$name.log"), -200) unless slurp("$dir/$name.log") =~ /is listening/;
}

my $account = 'AC' . '0123456789abcdef' x 2;
write_file("$dir/token.secret", 'a-token');
my $node = PostgreSQL::Test::Cluster->new('prism');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\ndunning.secret_directory = '$dir'\ndunning.clock = '2026-06-22 10:00+02'\n"
	  . "dunning.allowed_hosts = '" . join(', ', map { "127.0.0.1:$_" } values %port) . "'\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }
sql(qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone, address, attributes)
	SELECT 'D' || n, 'Zoë O''Brien "Ltd" & Søn', 'Zoë', 'en', 'GB', 'd' || n || '\@debtors.test', '+4477009001' || lpad(n::text, 2, '0'), '{"street": "12 High Street", "city": "London", "postcode": "SW1A 1AA"}', '{}' FROM generate_series(1, 12) n;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'D' || n, 'I' || n, '2026-05-20', '2026-06-08', 100 + n, 'GBP' FROM generate_series(1, 12) n;
	SELECT dunning.activate();
});

# One message over one server, made for it: what became of it, and what the gateway said.
my $next = 0;
sub outcome
{
	my ($channel, $options, $mapping) = @_;
	my $debtor = 'D' . ++$next;
	my $map = $mapping // "username '$account', secret_file 'token.secret'";

	sql("CREATE SERVER gate$next TYPE '$channel' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', $options); CREATE USER MAPPING FOR dunning_worker SERVER gate$next" . ($map eq '' ? '' : " OPTIONS ($map)"));
	sql("SELECT count(*) FROM dunning.send('$debtor', '" . ($channel eq 'letter' ? 'formal-1' : 'reminder-1') . "', '$channel')") if $channel ne 'letter';
	sql("SELECT count(*) FROM dunning.send('$debtor', (SELECT t.template FROM dunning.template t WHERE t.channel = 'letter' AND t.language = 'en' AND NOT t.partial ORDER BY t.template LIMIT 1), 'letter')") if $channel eq 'letter';
	my (undef, undef, $err) = $node->psql('postgres', 'CALL dunning.deliver(max_seconds => 5)');
	my $told = sql("SELECT state || ' ' || coalesce(reason, '') FROM dunning.message_state WHERE debtor_id = '$debtor'");
	my $ref = sql("SELECT coalesce(max(o.provider_ref), '') FROM dunning.outcome o WHERE o.debtor_id = '$debtor'");
	sql("SELECT dunning.cancel(message_id, 'test') FROM dunning.queue WHERE debtor_id = '$debtor'; DROP SERVER gate$next CASCADE");
	return ($told, $ref);
}

my %url = map { $_ => "http://127.0.0.1:$port{$_}" } keys %port;
my ($told, $ref) = outcome('sms', "url '$url{twilio}', preset 'twilio', \"from\" '+447700900999'");
is($told, 'sent http_201', 'twilio: what the preset sends is what the description wants');
like($ref, qr/^SM/, 'twilio: the number that the provider gave is kept');
($told, $ref) = outcome('email', "url '$url{sendgrid}', preset 'sendgrid', \"from\" 'Creditor <billing\@creditor.test>'", "secret_file 'token.secret'");
is($told, 'sent http_202', 'sendgrid: the same');
($told, $ref) = outcome('letter', "url '$url{lob}', preset 'lob', \"from\" 'adr_210a8d4b0b76d77b'", "secret_file 'token.secret'");
is($told, 'sent http_200', 'lob: the same');
like($ref, qr/^ltr_/, 'lob: the number of the letter is kept');

# What is wrong is classified: by the description it is refused, and by us it is not spent on.
sql(q{
	SELECT dunning.save_http_preset('twilio-bare', 'POST', 'form', 'To={address}&From={from}&Body={text}', path => '/2010-04-01/Accounts/{username}/Messages.json');
	SELECT dunning.save_http_preset('twilio-nobody', 'POST', 'form', 'From={from}&Body={text}', path => '/2010-04-01/Accounts/{username}/Messages.json', auth => 'basic');
	SELECT dunning.save_http_preset('sendgrid-empty', 'POST', 'json', '{"personalizations":[{"to":[{"email":"{address}"}]}],"subject":"{subject}"}', path => '/v3/mail/send', auth => 'bearer');
	SELECT dunning.save_http_preset('lob-busy', 'POST', 'json', (SELECT p.body FROM dunning.http_preset p WHERE p.preset = 'lob'), path => '/v1/letters?__code=429', auth => 'basic_secret', idempotency_header => 'Idempotency-Key');
	SELECT dunning.save_http_preset('lob-bare', 'POST', 'json', (SELECT p.body FROM dunning.http_preset p WHERE p.preset = 'lob'), path => '/v1/letters');
});
($told) = outcome('sms', "url '$url{twilio}', preset 'twilio-bare', \"from\" '+447700900999'");
is($told, 'queued http_401', 'twilio: without a login the message waits, and no attempt is spent');
like(sql(q{SELECT count(*) FROM dunning.outcome o WHERE o.reason = 'http_401' AND o.detail @> '{"of_server": true}'}), qr/^[1-9]/, 'twilio: since it is the login that is wrong');
($told) = outcome('sms', "url '$url{twilio}', preset 'twilio-nobody', \"from\" '+447700900999'");
like($told, qr/^(failed|dead) http_4(00|22)$/, 'twilio: a message to nobody has failed');
($told) = outcome('email', "url '$url{sendgrid}', preset 'sendgrid-empty', \"from\" 'Creditor <billing\@creditor.test>'", "secret_file 'token.secret'");
like($told, qr/^(failed|dead) http_4(00|22)$/, 'sendgrid: one without words, too');
($told) = outcome('letter', "url '$url{lob}', preset 'lob-busy', \"from\" 'adr_210a8d4b0b76d77b'", "secret_file 'token.secret'");
is($told, 'queued http_429', 'lob: a busy provider is asked again later');
($told) = outcome('letter', "url '$url{lob}', preset 'lob-bare', \"from\" 'adr_210a8d4b0b76d77b'", '');
is($told, 'queued http_401', 'lob: without a login the letter waits');
# The question that the preset puts is one that the description knows; the answer is about somebody else's letter.
sql("SELECT dunning.save_http_preset('lob-doubt', 'POST', 'json', (SELECT p.body FROM dunning.http_preset p WHERE p.preset = 'lob'), path => '/v1/letters?__code=500', auth => 'basic_secret', query => (SELECT p.query FROM dunning.http_preset p WHERE p.preset = 'lob'))");
sql("CREATE SERVER doubt TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url{lob}', preset 'lob-doubt', \"from\" 'adr_210a8d4b0b76d77b'); CREATE USER MAPPING FOR dunning_worker SERVER doubt OPTIONS (secret_file 'token.secret')");
sql("SELECT count(*) FROM dunning.send('D12', (SELECT t.template FROM dunning.template t WHERE t.channel = 'letter' AND t.language = 'en' AND NOT t.partial ORDER BY t.template LIMIT 1), 'letter')");
$node->psql('postgres', 'CALL dunning.deliver(max_seconds => 5)');
$node->psql('postgres', "CALL dunning.ask_gateway('doubt')");
is(sql("SELECT s.state || ' ' || q.said FROM dunning.message_state s JOIN dunning.question q USING (debtor_id, message_id) WHERE s.debtor_id = 'D12'"), 'unknown about_another_message', 'lob: a letter that nobody knows of is asked for by its metadata');
unlike(slurp($node->logfile), qr/a-token/, 'no secret is in the log');
$node->stop;
done_testing();
