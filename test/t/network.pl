# What stands between us and a gateway: addresses that may not be reached however they are spelt, certificates that may not be trusted, a client
# certificate, a source address, a forward proxy, HTTP/2. Each refusal has a reason, certainly sent nothing, and the worker lives on.
use strict;
use warnings;
use Catcher;
use IO::Socket::INET;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Relay;
use Test::More;

plan skip_all => $ENV{TLS_SKIP} if $ENV{TLS_SKIP};
plan skip_all => 'IO::Socket::SSL is not here: apt-get install libio-socket-ssl-perl' unless eval { require IO::Socket::SSL; require IO::Socket::SSL::Utils; 1 };

my $secrets = PostgreSQL::Test::Utils::tempdir();
my $gateway = Catcher->new(honour_keys => 1);

# Programs that are peers, ended with the test.
my (@peers, $main);
$main = $$;
sub start
{
	my (@command) = @_;
	my $pid = fork // die "could not fork: $!";

	if ($pid == 0)
	{
		open(STDIN, '<', '/dev/null');
		exec @command or POSIX::_exit(1);
	}
	push @peers, $pid;
	return;
}
END { kill 'TERM', @peers if @peers && $$ == $main }
sub free_port { my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp'); return $s->sockport }

# --- certificates ---

my (%cert, %key);
sub issue
{
	my ($name, $by, %more) = @_;
	my ($cert, $key) = IO::Socket::SSL::Utils::CERT_create(
		subject => { commonName => $name }, subjectAltNames => [ [ DNS => 'localhost' ], [ IP => '127.0.0.1' ] ], not_before => time - 86400, not_after => time + 86400,
		digest => 'sha256', $by ? (issuer => [ $cert{$by}, $key{$by} ]) : (), %more);
	($cert{$name}, $key{$name}) = ($cert, $key);
	IO::Socket::SSL::Utils::PEM_cert2file($cert, "$secrets/$name.pem");
	IO::Socket::SSL::Utils::PEM_key2file($key, "$secrets/$name.key");
	chmod 0600, "$secrets/$name.pem", "$secrets/$name.key";
	return;
}
# One that may sign lists of what it revoked, too.
system('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$secrets/bank-ca.key", '-out', "$secrets/bank-ca.pem", '-subj', '/CN=bank-ca', '-days', '2', '-batch') == 0 or die;
chmod 0600, "$secrets/bank-ca.pem", "$secrets/bank-ca.key";
($cert{'bank-ca'}, $key{'bank-ca'}) = (IO::Socket::SSL::Utils::PEM_file2cert("$secrets/bank-ca.pem"), IO::Socket::SSL::Utils::PEM_file2key("$secrets/bank-ca.key"));
issue('other-ca', undef, CA => 1);
issue('good', 'bank-ca', purpose => 'server');
issue('revoked', 'bank-ca', purpose => 'server');
issue('expired', 'bank-ca', purpose => 'server', not_before => time - 10 * 86400, not_after => time - 86400);
issue('future', 'bank-ca', purpose => 'server', not_before => time + 86400, not_after => time + 9 * 86400);
issue('wrong-host', 'bank-ca', purpose => 'server', subjectAltNames => [ [ DNS => 'elsewhere.test' ] ]);
issue('unknown-ca', 'other-ca', purpose => 'server');
issue('self-signed', undef, purpose => 'server');
issue('weak', 'bank-ca', purpose => 'server', key => IO::Socket::SSL::Utils::KEY_create_rsa(1024));
issue('client', 'bank-ca', purpose => 'client');
issue('stranger', 'other-ca', purpose => 'client');

# What the bank's CA has revoked: a list of today, and one that should have been renewed.
my $ca = PostgreSQL::Test::Utils::tempdir();
sub list_revoked
{
	my ($file, @until) = @_;
	append_to_file("$ca/ca.cnf", "[ca]\ndefault_ca = a\n[a]\ndatabase = $ca/index\ncrlnumber = $ca/number\ndefault_md = sha256\n") unless -e "$ca/ca.cnf";
	append_to_file("$ca/index", '') unless -e "$ca/index";
	append_to_file("$ca/number", "01\n") unless -e "$ca/number";
	system("openssl ca -config $ca/ca.cnf -cert $secrets/bank-ca.pem -keyfile $secrets/bank-ca.key -revoke $secrets/revoked.pem 2>/dev/null") unless -s "$ca/index";
	system("openssl ca -config $ca/ca.cnf -cert $secrets/bank-ca.pem -keyfile $secrets/bank-ca.key -gencrl @until -out $secrets/$file 2>$ca/error") == 0 or die slurp_file("$ca/error");
	chmod 0600, "$secrets/$file";
	return;
}
list_revoked('bank.crl', '-crldays', 1);
list_revoked('old.crl', '-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200201000000Z');
append_to_file("$secrets/broken.crl", 'no list');
chmod 0600, "$secrets/broken.crl";

sub front
{
	my ($name, %more) = @_;
	my ($to, $address) = delete @more{qw(to address)};
	return Relay->new(to => $to // $gateway->http_port, address => $address, tls => { cert => "$secrets/$name.pem", key => "$secrets/$name.key", %more });
}
my %front = map { $_ => front($_) } qw(good revoked expired future wrong-host unknown-ca self-signed);
# IO::Socket::SSL would not show so weak a certificate.
my $weak = free_port();
start('openssl', 's_server', '-accept', "127.0.0.1:$weak", '-quiet', '-cipher', 'ALL:@SECLEVEL=0', '-cert', "$secrets/weak.pem", '-key', "$secrets/weak.key");
my $h2 = free_port();
{
	mkdir "$secrets/www";
	append_to_file("$secrets/www/index.html", '{"id": "h2"}');
	start('sh', '-c', "exec stdbuf -oL nghttpd -v -a 127.0.0.1 -d $secrets/www $h2 $secrets/good.key $secrets/good.pem >$secrets/h2.log 2>&1");
}
my %mail = map { $_ => front($_, to => $gateway->smtp_port) } qw(good expired wrong-host);
my $wanted_mail = front('good', to => $gateway->smtp_port, ca => "$secrets/bank-ca.pem");
my $old = front('good', version => 'TLSv1');
my $wanted12 = front('good', ca => "$secrets/bank-ca.pem", version => 'TLSv1_2');
my $wanted13 = front('good', ca => "$secrets/bank-ca.pem", version => 'TLSv1_3');
my $cut = Relay->new(script => sub { my ($s, $log) = @_; sysread($s, my $hello, 65536); syswrite($s, "\x16\x03\x03\x00\x7a\x02"); $log->('cut') });
my $plain = Relay->new(script => sub { my ($s, $log) = @_; sysread($s, my $hello, 65536); syswrite($s, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); $log->('no TLS') });
my $silent = Relay->new(script => sub { my ($s, $log) = @_; $log->('silent'); 1 while sysread($s, my $rest, 4096) });
my $plain_mail = Relay->new(to => $gateway->smtp_port);

# A mail server that goes over to TLS when it is asked to, and then to the gateway behind it.
sub starttls
{
	my ($name) = @_;
	return Relay->new(script => sub {
		my ($s, $log) = @_;
		syswrite($s, "220 mail.test ESMTP\r\n");
		while (sysread($s, my $line, 1000))
		{
			if ($line =~ /^EHLO/i) { syswrite($s, "250-mail.test\r\n250 STARTTLS\r\n") }
			elsif ($line =~ /^STARTTLS\r\n$/i) { syswrite($s, "220 go on\r\n"); last }
			else { $log->('in the clear', $line); syswrite($s, "502 no\r\n") }
		}
		my $tls = IO::Socket::SSL->start_SSL($s, SSL_server => 1, SSL_cert_file => "$secrets/$name.pem", SSL_key_file => "$secrets/$name.key", SSL_verify_mode => 0) or return $log->('refused');
		my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->smtp_port) or return;
		sysread($to, my $greeting, 1000);
		$log->('agreed');
		Relay::pump($tls, $to);
	});
}
my %starttls = map { $_ => starttls($_) } qw(good expired wrong-host unknown-ca);

# --- proxies ---

# What the environment names; nothing may ever come here.
my $trap = Relay->new(script => sub { my ($s, $log) = @_; sysread($s, my $head, 65536); $log->('caught', $head) });
my $forbids = Relay->new(script => sub { my ($s, $log) = @_; sysread($s, my $head, 65536); $log->($head); syswrite($s, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") });
my $mute = Relay->new(script => sub { my ($s, $log) = @_; sysread($s, my $head, 65536); $log->($head); 1 while sysread($s, my $rest, 4096) });
my $resets = Relay->new(script => sub { my ($s, $log) = @_; sysread($s, my $head, 65536); $log->($head); setsockopt($s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)); close($s) });
sub tinyproxy
{
	my ($name, $more) = @_;
	my $port = free_port();
	append_to_file("$secrets/$name.conf", "Port $port\nListen 127.0.0.1\nTimeout 60\nLogFile \"$secrets/$name.log\"\nLogLevel Connect\nMaxClients 50\nAllow 127.0.0.0/8\n$more");
	start('tinyproxy', '-d', '-c', "$secrets/$name.conf");
	for (1 .. 100) { last if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port); select(undef, undef, undef, 0.05) }
	return $port;
}
# SOCKS5 without a login, by RFC 1928: it connects to this machine whatever it is asked for, or refuses.
sub socks
{
	my ($refuses) = @_;
	return Relay->new(script => sub {
		my ($s, $log) = @_;
		sysread($s, my $hello, 300);
		syswrite($s, "\5\0");
		sysread($s, my $asked, 300);
		my ($kind, $host, $port) = unpack 'x3 C C/a n', $asked;
		$log->($kind, $host, $port);
		syswrite($s, pack('C4 C4 n', 5, $refuses ? 2 : 0, 0, 1, 0, 0, 0, 0, 0));
		return if $refuses;
		my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or return;
		Relay::pump($s, $to);
	});
}
my ($socks, $socks_refuses) = (socks(0), socks(1));
my $no_proxy = $ENV{PROXY_SKIP} // (system('sh', '-c', 'command -v tinyproxy >/dev/null') == 0 ? undef : 'tinyproxy is not here: apt-get install tinyproxy');
my ($open_proxy, $login_proxy) = $no_proxy ? (1, 1) : (tinyproxy('open', ''), tinyproxy('login', "BasicAuth clerk hunter2\n"));
my $tls_proxy = front('unknown-ca', to => $open_proxy);

$ENV{$_} = 'http://127.0.0.1:' . $trap->port for qw(http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY);
# With "localhost" here a configured proxy would be passed by.
$ENV{$_} = 'localhost' for qw(no_proxy NO_PROXY);
append_to_file("$secrets/empty.secret", '');
mkdir "$secrets/folder.secret", 0700;
chmod 0600, "$secrets/empty.secret";
append_to_file("$secrets/proxy.secret", "hunter2\n");
append_to_file("$secrets/wrong.secret", "hunter3\n");
append_to_file("$secrets/readable.secret", "hunter2\n");
append_to_file("$secrets/readable.key", slurp_file("$secrets/client.key"));
chmod 0600, "$secrets/proxy.secret", "$secrets/wrong.secret";
chmod 0644, "$secrets/readable.secret", "$secrets/readable.key";
symlink "$secrets/proxy.secret", "$secrets/link.secret";

my $node = PostgreSQL::Test::Cluster->new('network');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.secret_directory = '$secrets'\ndunning.retry_delay = '20ms'\ndunning.max_attempts = 2\ntimezone = 'UTC'\nfsync = off\n"
	  . 'dunning.allowed_hosts = \'' . $gateway->allowed_hosts . ', ' . join(', ', map { ('127.0.0.1:' . $_->port, 'localhost:' . $_->port) } values %front, values %mail, values %starttls, $wanted_mail, $old, $wanted12, $wanted13, $cut, $plain, $silent, $plain_mail, $forbids, $mute, $resets, $socks, $socks_refuses, $tls_proxy)
	  . ", localhost:1, localhost:$weak, localhost:$h2, 127.0.0.1:1, 127.0.0.1:$open_proxy, 127.0.0.1:$login_proxy'\n");
$node->start;
my $db = 'postgres';
$node->safe_psql($db, q{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	SELECT dunning.activate()});
my $worker = $node->safe_psql($db, q{SELECT min(w.pid) FROM dunning.stat_worker w}) // '';

# One server and one message for each: how it ends, and why. The gateways honour no key, so only what certainly was not sent may be tried again.
my (@cases, %expected, %seen);
sub ends
{
	my ($name, $options, $state, $reason, %more) = @_;
	my $driver = ($options->{url} // '') =~ /^smtp/ ? 'smtp' : 'http';
	my %options = (driver => $driver, timeout => '3s', $driver eq 'smtp' ? (from => 'billing@dunning.test') : (contract => 'once'), %$options);
	my $list = join ', ', map { "\"$_\" '$options{$_}'" } sort keys %options;
	my $mapping = join ', ', map { "$_ '$more{$_}'" } grep { /username|file/ } sort keys %more;
	my ($rc, $out, $err) = $node->psql($db, "CREATE SERVER \"$name\" TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS ($list); CREATE USER MAPPING FOR dunning_worker SERVER \"$name\" OPTIONS ($mapping)", on_error_stop => 1)
	  if $mapping;
	($rc, $out, $err) = $node->psql($db, "CREATE SERVER \"$name\" TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS ($list)") if !$mapping;
	if ($state eq 'refused')
	{
		like($err, $reason, "$name: refused where it is typed");
		return;
	}
	is($rc, 0, "$name: the server is made") or diag $err;
	push @cases, $name;
	$expected{$name} = [ $state, $reason, $more{sent} // ($state eq 'sent' ? 1 : 0) ];
	return;
}
sub judge
{
	my $names = "'{" . join(',', @cases) . "}'::text[]";
	$node->safe_psql($db, qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT n, 'Name', 'Given', 'en', 'DK', n || '\@debtors.test' FROM unnest($names) n;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT n, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM unnest($names) n;
		SELECT dunning.send(n, 'reminder-1', 'email') FROM unnest($names) n;
		UPDATE dunning.queue SET server = debtor_id;
		COMMIT});
	ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM dunning.queue q WHERE q.debtor_id = ANY ('{" . join(',', grep { $expected{$_}[0] !~ /queued|unusable/ } @cases) . "}'::text[])"), 'what is not for somebody to mend ends');
	ok($node->poll_query_until($db, "SELECT count(DISTINCT s.server) = @{[ scalar grep { $expected{$_}[0] eq 'queued' } @cases ]} FROM dunning.queue_status s WHERE s.shut IS NOT NULL"), 'and the servers of what is are left alone')
	  or diag($node->safe_psql($db, 'SELECT s.server, s.state, s.shut FROM dunning.queue_status s'));
	my %shut = map { split /\|/ } split /\n/, $node->safe_psql($db, q{SELECT DISTINCT s.server, s.shut FROM dunning.queue_status s WHERE s.shut IS NOT NULL});
	my %health = map { split /\|/ } split /\n/, $node->safe_psql($db, q{SELECT replace(h.item, 'server ', ''), replace(h.detail, E'\n', ' ') FROM dunning.health() h WHERE h.item ~ '^server ' AND h.state = 'fail'});
	# What is for somebody to mend says where.
	is($node->safe_psql($db, q{SELECT string_agg(concat_ws(' ', h.item, h.detail, h.fix_sql), E'\n') FROM dunning.health() h JOIN dunning.queue_status s ON h.item = 'server ' || s.server
		WHERE s.shut IS NOT NULL AND h.fix_sql !~ CASE WHEN s.shut ~ 'address' THEN 'allowed_hosts' WHEN s.shut ~ '^proxy_cert' THEN 'proxy_ca_file' WHEN s.shut ~ '^http_407' THEN 'proxy_secret_file' WHEN s.shut ~ 'proxy|407' THEN 'proxy_secret_file' WHEN s.shut ~ '^client' THEN 'client_cert_file'
			WHEN s.shut ~ 'revoked|crl_file' THEN 'crl_file' WHEN s.shut ~ 'ca_file|^cert' THEN 'ca_file' WHEN s.shut ~ 'binding' THEN 'source_address' WHEN s.shut ~ 'no_tls' THEN 'STARTTLS' ELSE 'nothing' END}), '', 'health() says what to mend');
	for my $name (@cases)
	{
		my ($state, $reason, $sent) = @{ $expected{$name} };
		my $n = grep { $_->{recipient} =~ /^<?\Q$name\E\@/ } $gateway->accepted;
		my $got = $node->safe_psql($db, qq{SELECT s.state || ': ' || coalesce((SELECT o.reason FROM dunning.outcome o WHERE o.debtor_id = s.debtor_id AND o.attempt > 0 ORDER BY o.outcome_id LIMIT 1), '')
			FROM dunning.message_state s WHERE s.debtor_id = '$name'});
		$got = 'queued: ' . ($shut{$name} // '') if $state eq 'queued' && $got =~ /^queued/;
		$got = 'unusable: ' . ($health{$name} // '') if $state eq 'unusable' && $got =~ /^queued/;
		$got =~ s/: .*?(?=$reason)/: / if $state eq 'unusable';
		like($got, qr/^$state: $reason/, "$name: $state");
		$seen{$1}++ if $got =~ /^\w+: (\w+)$/;
		is($n, $sent, "$name: arrived $sent times");
	}
	# Nothing stays for the next round.
	$node->safe_psql($db, q{SET client_min_messages = error; SELECT dunning.cancel(q.message_id, 'test') FROM dunning.queue q});
	$node->safe_psql($db, join ';', map { "SELECT dunning.resume('$_')" } @cases);
	$node->safe_psql($db, join ';', map { "DROP SERVER \"$_\" CASCADE" } @cases);
	@cases = ();
	return;
}

# --- addresses ---

# Where every spelling of this machine would arrive.
my $inside = Relay->new(to => $gateway->http_port, tls => { cert => "$secrets/good.pem", key => "$secrets/good.key" });
my $in = $inside->port;
my $no = 'address_is_not_allowed';
my %spelling = ('ip-plain' => '127.0.0.1', 'ip-decimal' => '2130706433', 'ip-hex' => '0x7f000001', 'ip-hex-parts' => '0x7f.0x0.0x0.0x1', 'ip-octal' => '0177.0.0.1', 'ip-octal-one' => '017700000001', 'ip-short' => '127.1',
	'ip-three' => '127.0.1', 'ip-zero' => '0', 'ip-zeros' => '0.0.0.0', 'ip-next' => '127.255.255.254', 'ip-dot' => '127.0.0.1.', 'name' => 'localhost', 'name-dot' => 'localhost.', 'name-case' => 'LOCALHOST', 'v6' => '[::1]',
	'v6-long' => '[0:0:0:0:0:0:0:1]', 'v6-any' => '[::]', 'v6-mapped' => '[::ffff:127.0.0.1]', 'v6-mapped-hex' => '[::ffff:7f00:1]', 'v6-compatible' => '[::127.0.0.1]', 'v6-nat64' => '[64:ff9b::127.0.0.1]', 'v6-nat64-local' => '[64:ff9b:1::7f00:1]',
	'v6-6to4' => '[2002:7f00:1::]', 'v6-teredo' => '[2001:0:7f00:1::]', 'v6-link' => '[fe80::1]', 'v6-unique' => '[fd00:ec2::254]', 'v6-documentation' => '[2001:db8::1]', 'v6-new-documentation' => '[3fff::1]', 'v6-segments' => '[5f00::1]',
	'v6-discard' => '[100::1]', 'v6-benchmark' => '[2001:2::1]', 'v6-orchid' => '[2001:10::1]', 'metadata' => '169.254.169.254', 'metadata-decimal' => '2852039166', 'metadata-azure' => '168.63.129.16', 'ten' => '10.0.0.1', 'one-seven-two' => '172.16.0.1',
	'one-nine-two' => '192.168.0.1', 'carrier' => '100.64.0.1', 'test-1' => '192.0.2.1', 'test-2' => '198.51.100.1', 'test-3' => '203.0.113.1', 'anycast-6to4' => '192.88.99.1', 'benchmark' => '198.18.0.1', 'protocol' => '192.0.0.1', 'multicast' => '224.0.0.1',
	'broadcast' => '255.255.255.255');
ends("mail-at-$_", { url => "smtps://$spelling{$_}:$in" }, 'queued', $no) for qw(ip-decimal ip-hex ip-octal ip-short name v6 v6-mapped metadata);
# Whether a dot at the end resolves at all is the resolver's word.
ends("at-$_", { url => "https://$spelling{$_}:$in/" }, 'queued', $no) for grep { !/dot$/ } sort keys %spelling;
ends("typed-$_->[0]", { url => "https://$_->[1]/" }, 'refused', qr/invalid value for option "url"/)
  for [ user => "user\@127.0.0.1:$in" ], [ 'user-password' => "sms.test:443\@127.0.0.1:$in" ], [ fragment => "sms.test#\@127.0.0.1:$in" ], [ backslash => "sms.test\\\@127.0.0.1:$in" ], [ percent => "%31%32%37.0.0.1:$in" ], [ zone => "[fe80::1%25lo]:$in" ],
  [ 'zone-name' => "[::1%lo]:$in" ], [ circled => "\x{e2}\x{91}\x{a0}27.0.0.1:$in" ], [ 'ideographic-dot' => "127\x{e3}\x{80}\x{82}0.0.1:$in" ], [ 'unclosed' => "[::1:$in" ], [ 'two-ports' => "127.0.0.1:$in:443" ], [ 'port-words' => "127.0.0.1:${in}x" ], [ 'port-sign' => '127.0.0.1:+443' ],
  [ 'port-large' => '127.0.0.1:70000' ], [ 'v6-tail' => "[::1]x:$in" ], [ 'no-host' => ":$in" ], [ 'space' => "127.0.0.1 :$in" ];
ends("scheme-$_", { url => "$_://127.0.0.1:$in/" }, 'refused', qr/option "url"/) for qw(file gopher ftp dict tftp ldap);
ends('moved', { url => 'http://127.0.0.1:' . $gateway->http_port . '/fault/redirect' }, 'dead', 'http_302');

# a_preset's_path_is_no_part_of_the_host
$node->safe_psql($db, q{SELECT dunning.save_http_preset('elsewhere', 'POST', 'json', '{"to": "{address}"}', path => '@127.0.0.1:} . $in . q{/', contract => 'once')});
my ($rc, $out, $err) = $node->psql($db, q{CREATE SERVER elsewhere TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://sms.example.org/', preset 'elsewhere'); SELECT * FROM dunning.probe('elsewhere')});
like($err, qr/begins with no slash/, 'a path that would go on with the host is refused');

judge();

# --- certificates ---

sub by { return (proxy => "http://127.0.0.1:$_[0]") }
sub at { return (url => "https://$_[1]:" . $_[0]->port . '/', ca_file => 'bank-ca.pem') }
ends('tls-good', { at($front{good}, 'localhost') }, 'sent', 'http_200');
ends('tls-address', { at($front{good}, '127.0.0.1') }, 'sent', 'http_200');
ends('tls-unasked', { at($front{revoked}, 'localhost') }, 'sent', 'http_200');
ends('tls-revoked', { at($front{revoked}, 'localhost'), crl_file => 'bank.crl' }, 'queued', 'certificate_revoked');
ends('tls-not-revoked', { at($front{good}, 'localhost'), crl_file => 'bank.crl' }, 'sent', 'http_200');
ends('tls-old-list', { at($front{good}, 'localhost'), crl_file => 'old.crl' }, 'queued', 'certificate_of_a_ca_whose_crl_file_is_out_of_date');
ends('tls-other-list', { at($front{'unknown-ca'}, 'localhost'), ca_file => 'other-ca.pem', crl_file => 'bank.crl' }, 'queued', 'certificate_of_a_ca_that_crl_file_knows_nothing_of');
ends('tls-no-list', { at($front{good}, 'localhost'), crl_file => 'broken.crl' }, 'queued', 'crl_file_cannot_be_used');
ends('tls-expired', { at($front{expired}, 'localhost') }, 'queued', 'certificate_expired');
ends('tls-future', { at($front{future}, 'localhost') }, 'queued', 'certificate_not_yet_valid');
ends('tls-wrong-host', { at($front{'wrong-host'}, 'localhost') }, 'queued', 'certificate_of_another_host');
ends('tls-unknown-ca', { at($front{'unknown-ca'}, 'localhost') }, 'queued', 'certificate_of_an_unknown_ca');
ends('tls-system', { at($front{good}, 'localhost'), ca_file => 'other-ca.pem' }, 'queued', 'certificate_of_an_unknown_ca');
ends('tls-self-signed', { at($front{'self-signed'}, 'localhost') }, 'queued', 'certificate_self_signed');
ends('tls-weak', { url => "https://localhost:$weak/", ca_file => 'bank-ca.pem' }, 'queued', 'certificate_too_weak');
ends('tls-old', { at($old, 'localhost') }, 'dead', 'tls_too_old');
ends('tls-cut', { at($cut, 'localhost') }, 'dead', 'tls_handshake_failed');
ends('tls-none', { at($plain, 'localhost') }, 'dead', 'no_tls_is_spoken_there');
ends('tls-silent', { at($silent, 'localhost'), timeout => '500ms' }, 'dead', 'timeout_was_reached');
ends('mail-good', { url => 'smtps://localhost:' . $mail{good}->port, ca_file => 'bank-ca.pem' }, 'sent', 'smtp_250');
ends('mail-expired', { url => 'smtps://localhost:' . $mail{expired}->port, ca_file => 'bank-ca.pem' }, 'queued', 'certificate_expired');
ends('mail-wrong-host', { url => 'smtps://localhost:' . $mail{'wrong-host'}->port, ca_file => 'bank-ca.pem' }, 'queued', 'certificate_of_another_host');

ends('starttls-good', { url => 'smtp://localhost:' . $starttls{good}->port, ca_file => 'bank-ca.pem' }, 'sent', 'smtp_250');
ends("starttls-$_->[0]", { url => 'smtp://localhost:' . $starttls{ $_->[0] }->port, ca_file => 'bank-ca.pem' }, 'queued', $_->[1])
  for [ expired => 'certificate_expired' ], [ 'wrong-host' => 'certificate_of_another_host' ], [ 'unknown-ca' => 'certificate_of_an_unknown_ca' ];
# Whoever takes the word STARTTLS out of the answer gets nothing.
ends('starttls-none', { url => 'smtp://localhost:' . $plain_mail->port, ca_file => 'bank-ca.pem' }, 'queued', 'the_mail_server_offers_no_tls');

my @client = (client_cert_file => 'client.pem', client_key_file => 'client.key');
ends('client-mail', { url => 'smtps://localhost:' . $wanted_mail->port, ca_file => 'bank-ca.pem', @client }, 'sent', 'smtp_250');
ends('client-mail-none', { url => 'smtps://localhost:' . $wanted_mail->port, ca_file => 'bank-ca.pem' }, 'queued', 'client_certificate_refused');
my @stranger = (client_cert_file => 'stranger.pem', client_key_file => 'stranger.key');
for ([ 12, $wanted12 ], [ 13, $wanted13 ])
{
	my ($version, $peer) = @$_;
	ends("client-$version", { at($peer, 'localhost'), @client }, 'sent', 'http_200');
	# TLS 1.2 has no word of its own for it.
	ends("client-$version-none", { at($peer, 'localhost') }, $version == 12 ? 'dead' : 'queued', $version == 12 ? 'tls_refused_perhaps' : 'client_certificate_refused');
	ends("client-$version-stranger", { at($peer, 'localhost'), @stranger }, 'queued', 'client_certificate_refused');
}

judge();

# --- source address ---

ends('source', { at($front{good}, '127.0.0.1'), source_address => '127.0.0.2' }, 'sent', 'http_200');
ends('source-mail', { url => 'smtp://127.0.0.1:' . $plain_mail->port, tls => 'none', source_address => '127.0.0.3' }, 'sent', 'smtp_250');
ends('source-foreign', { at($front{good}, '127.0.0.1'), source_address => '8.8.8.8' }, 'queued', 'failed_binding_local_connection_end');
ends("source-$_", { at($front{good}, '127.0.0.1'), source_address => $_ }, 'refused', qr/option "source_address"/) for 'lo', 'eth0', 'if!lo', 'localhost', '127.1', '';

# --- secret files ---

sub unusable
{
	my ($name, $options, $why, %mapping) = @_;
	ends("file-$name", { at($front{good}, 'localhost'), %$options }, 'unusable', $why, %mapping);
	return;
}
my @login = (url => 'smtps://localhost:' . $mail{good}->port, ca_file => 'bank-ca.pem');
unusable('missing', {@login}, qr/could not open secret file/, username => 'clerk', secret_file => 'nowhere.secret');
unusable('readable', {@login}, qr/can be read by others/, username => 'clerk', secret_file => 'readable.secret');
unusable('link', {@login}, qr/is a symbolic link/, username => 'clerk', secret_file => 'link.secret');
unusable('folder', {@login}, qr/is not a regular file/, username => 'clerk', secret_file => 'folder.secret');
unusable('empty', {@login}, qr/is empty/, username => 'clerk', secret_file => 'empty.secret');
unusable('half', {@login}, qr/needs both username and secret_file/, username => 'clerk');
unusable('proxy-missing', { by($open_proxy) }, qr/could not open secret file/, proxy_username => 'clerk', proxy_secret_file => 'nowhere.secret');
unusable('proxy-readable', { by($open_proxy) }, qr/can be read by others/, proxy_username => 'clerk', proxy_secret_file => 'readable.secret');
unusable('proxy-half', { by($open_proxy) }, qr/needs both proxy_username and proxy_secret_file/, proxy_username => 'clerk');
unusable('key-readable', { client_cert_file => 'client.pem', client_key_file => 'readable.key' }, qr/can be read by others/);
unusable('ca-missing', { ca_file => 'nowhere.pem' }, qr/could not open secret file/);
unusable('proxy-ca-missing', { by($open_proxy), proxy_ca_file => 'nowhere.pem' }, qr/could not open secret file/);
# What is there and is no certificate is found by TLS itself.
ends('file-ca-garbage', { at($front{good}, 'localhost'), ca_file => 'proxy.secret' }, 'queued', 'ca_file_cannot_be_used');
ends('file-cert-garbage', { at($front{good}, 'localhost'), client_cert_file => 'proxy.secret', client_key_file => 'client.key' }, 'queued', 'client_cert_file_or_client_key_file_cannot_be_used');
ends('file-cert-other', { at($front{good}, 'localhost'), client_cert_file => 'stranger.pem', client_key_file => 'client.key' }, 'queued', 'client_cert_file_or_client_key_file_cannot_be_used');

# --- HTTP/2 ---

my $no_h2 = $ENV{HTTP2_SKIP} // (system('sh', '-c', 'command -v nghttpd >/dev/null') == 0 ? undef : 'nghttpd is not here: apt-get install nghttp2-server');
# A gateway that offers HTTP/1.1 only is spoken to so.
ends('h2-not-offered', { at($front{good}, 'localhost'), http_version => 'h2' }, 'sent', 'http_200');
SKIP:
{
	skip $no_h2, 1 if $no_h2;
	ends('h2', { url => "https://localhost:$h2/", ca_file => 'bank-ca.pem', http_version => 'h2' }, 'sent', 'http_200', sent => 0);
	ends('h2-keys', { url => "https://localhost:$h2/", ca_file => 'bank-ca.pem', http_version => 'h2', contract => 'repeat' }, 'sent', 'http_200', sent => 0);
	ends('h2-nowhere', { url => "https://localhost:$h2/nowhere", ca_file => 'bank-ca.pem', http_version => 'h2' }, 'dead', 'http_404');
}
judge();
unless ($no_h2)
{
	# No catcher's ledger stands behind it: what it was asked is in its own words.
	my $said = slurp_file("$secrets/h2.log");
	my $n = () = $said =~ /:method: POST/g;
	is($n, 3, 'each request came once by HTTP/2') or diag $said;
	like($said, qr/idempotency-key: /, 'with its key');

	# Many at once, over connections that are kept: each once.
	$node->safe_psql($db, qq{
		CREATE SERVER many TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://localhost:$h2/', ca_file 'bank-ca.pem', http_version 'h2', contract 'repeat', timeout '10s');
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT 'many' || n, 'Name', 'Given', 'en', 'DK', 'many' || n || '\@debtors.test' FROM generate_series(1, 300) n;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'many' || n, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 300) n;
		SELECT dunning.send('many' || n, 'reminder-1', 'email') FROM generate_series(1, 300) n;
		UPDATE dunning.queue SET server = 'many';
		COMMIT});
	ok($node->poll_query_until($db, q{SELECT count(*) = 300 FROM dunning.message_state s WHERE s.debtor_id ~ '^many' AND s.state = 'sent'}), 'three hundred by HTTP/2');
	my (%keys, %asked);
	$keys{$_}++ for slurp_file("$secrets/h2.log") =~ /recv \(stream_id=\d+\) idempotency-key: (\S+)/g;
	$asked{$_} = 1 for split /\n/, $node->safe_psql($db, q{SELECT m.message_id FROM dunning.message m WHERE m.debtor_id ~ '^many'});
	is(scalar(grep { $asked{$_} } keys %keys), 300, 'all arrived');
	is(scalar(grep { $keys{$_} > 1 } keys %keys), 0, 'and each once');
	$node->safe_psql($db, 'DROP SERVER many CASCADE');
}

# --- a forward proxy ---

ends('proxy-refuses', { at($front{good}, 'localhost'), by($forbids->port) }, 'queued', 'proxy_refused_to_connect_403');
ends('proxy-mute', { at($front{good}, 'localhost'), by($mute->port), timeout => '500ms' }, 'dead', 'timeout_was_reached');
ends('proxy-resets', { at($front{good}, 'localhost'), by($resets->port) }, 'dead', 'proxy_ended_the_connection');
ends('proxy-socks', { at($front{good}, 'localhost'), proxy => 'socks5h://127.0.0.1:' . $socks->port }, 'sent', 'http_200');
ends('proxy-socks-mail', { url => 'smtps://localhost:' . $mail{good}->port, ca_file => 'bank-ca.pem', proxy => 'socks5h://127.0.0.1:' . $socks->port }, 'sent', 'smtp_250');
ends('proxy-socks-refuses', { at($front{good}, 'localhost'), proxy => 'socks5h://127.0.0.1:' . $socks_refuses->port }, 'dead', 'proxy_handshake_error');
ends('proxy-socks-address', { url => "https://2130706433:$in/", proxy => 'socks5h://127.0.0.1:' . $socks->port }, 'unusable', qr/proxy connect to an address that is not allowed/);
ends('proxy-closed', { at($front{good}, 'localhost'), by(1) }, 'dead', 'couldn_t_connect_to_server');
ends('proxy-not-allowed', { at($front{good}, 'localhost'), by($trap->port) }, 'queued', $no);
ends('proxy-no-port', { at($front{good}, 'localhost'), proxy => 'http://127.0.0.1' }, 'refused', qr/option "proxy"/);
SKIP:
{
	skip $no_proxy, 1 if $no_proxy;
	ends('proxy-tunnel', { at($front{good}, 'localhost'), by($open_proxy) }, 'sent', 'http_200');
	ends('proxy-plain', { url => $gateway->http_url, by($open_proxy) }, 'sent', 'http_200');
	ends('proxy-mail', { url => 'smtps://localhost:' . $mail{good}->port, ca_file => 'bank-ca.pem', by($open_proxy) }, 'sent', 'smtp_250');
	ends('proxy-expired', { at($front{expired}, 'localhost'), by($open_proxy) }, 'queued', 'certificate_expired');
	ends('proxy-login', { at($front{good}, 'localhost'), by($login_proxy) }, 'sent', 'http_200', proxy_username => 'clerk', proxy_secret_file => 'proxy.secret');
	ends('proxy-login-plain', { url => $gateway->http_url, by($login_proxy) }, 'sent', 'http_200', proxy_username => 'clerk', proxy_secret_file => 'proxy.secret');
	# What was said to the gateway through the tunnel was said: a lost answer stays unknown.
	ends('proxy-lost', { url => 'https://localhost:' . $front{good}->port . '/fault/reset-after-body', ca_file => 'bank-ca.pem', by($open_proxy) }, 'unknown', '', sent => 1);
	ends('proxy-no-reply', { url => 'https://localhost:' . $front{good}->port . '/fault/no-reply', ca_file => 'bank-ca.pem', by($open_proxy), timeout => '700ms' }, 'unknown', 'timeout', sent => 1);
	ends('proxy-half', { url => 'https://localhost:' . $front{good}->port . '/fault/half-reply', ca_file => 'bank-ca.pem', by($open_proxy) }, 'unknown', '', sent => 1);
	ends('proxy-503', { url => 'https://localhost:' . $front{good}->port . '/fault/503', ca_file => 'bank-ca.pem', by($open_proxy) }, 'dead', 'http_503');
	ends('proxy-unreachable', { url => 'https://localhost:1/', ca_file => 'bank-ca.pem', by($open_proxy) }, 'dead', 'proxy_refused_to_connect_50');
	ends('proxy-tls', { at($front{good}, 'localhost'), proxy => 'https://localhost:' . $tls_proxy->port, proxy_ca_file => 'other-ca.pem' }, 'sent', 'http_200');
	ends('proxy-tls-unknown', { at($front{good}, 'localhost'), proxy => 'https://localhost:' . $tls_proxy->port }, 'queued', 'proxy_certificate_of_an_unknown_ca');
	ends('proxy-login-none', { at($front{good}, 'localhost'), by($login_proxy) }, 'queued', 'proxy_wants_a_login_407');
	ends('proxy-login-none-plain', { url => $gateway->http_url, by($login_proxy) }, 'queued', 'http_407');
	ends('proxy-login-wrong', { at($front{good}, 'localhost'), by($login_proxy) }, 'queued', 'proxy_(?:wants_a_login_407|refused_to_connect_401)', proxy_username => 'clerk', proxy_secret_file => 'wrong.secret');
	judge();
	# What is spelt as an address is judged here, since the proxy would go anywhere.
	ends("proxy-to-$_", { url => "https://$spelling{$_}:$in/", ca_file => 'bank-ca.pem', by($open_proxy) }, 'unusable', qr/proxy connect to an address that is not allowed/) for sort keys %spelling;
}
judge();
is(scalar(my @none = $inside->log), 0, 'no spelling of this machine was connected to');
is(scalar(my @not = $trap->log), 0, 'the proxies of the environment were never asked') or diag join "\n", $trap->log;
is(join(' ', grep { /^127\.0\.0\.[23]/ } $front{good}->log), join(' ', grep { /^127\.0\.0\.2\tagreed/ } $front{good}->log), 'the gateway sees the source address');
is(scalar(grep { /^127\.0\.0\.2\tagreed/ } $front{good}->log), 1, 'once');
is(scalar(grep { /^127\.0\.0\.3\t/ } $plain_mail->log), 1, 'and so does a mail server');
is(scalar(grep { /\tclient$/ } $_->log), 1, 'the client certificate was shown') for $wanted12, $wanted13;
is(scalar(grep { /in the clear/ } map { $_->log } values %starttls), 0, 'nothing is said in the clear but STARTTLS');
is(join(' ', sort map { (split /\t/)[2] } $socks->log), 'localhost localhost', 'a SOCKS proxy gets the name and resolves it itself');
is(scalar(grep { /authorization: b|idempotency|content-type|debtors\.test/i } $forbids->log, $mute->log), 0, 'a proxy that opens no tunnel saw no header of the request');
unless ($no_proxy)
{
	my $log = slurp_file("$secrets/open.log");
	like($log, qr/CONNECT localhost:@{[ $front{good}->port ]} /, 'the tunnel went through the proxy, no_proxy or not');
	like($log, qr{POST http://127\.0\.0\.1:@{[ $gateway->http_port ]}/send}, 'and what is plain was asked of it');
	like($log, qr/CONNECT localhost:@{[ $mail{good}->port ]} /, 'mails as well');
	unlike($log, qr/CONNECT \S*:$in /, 'it was asked for no address of the inside');
}

# --- docs/operations.md ---

my ($chapter) = slurp_file("$ENV{DUNNING_ROOT}/docs/operations.md") =~ /^(## Bank networks\n.*?)(?=^## )/ms;
for my $row ($chapter =~ /^\| `.*\| ([^|]*) \|$/mg)
{
	ok($seen{$_}, "the page names a failure as it is called: $_") for grep { !$no_proxy || !/proxy/ } $row =~ /`(\w+)`/g;
}
SKIP:
{
	skip $no_proxy, 1 if $no_proxy;
	my ($block) = $chapter =~ /^```sql\n(.*?)^```/ms;
	my $provider = 'localhost:' . $wanted13->port;

	# The names of the page are ours here; and what is at home must be allowed, which a provider need not be.
	system('cp', "$secrets/bank-ca.pem", "$secrets/provider-ca.pem") == 0 or die;
	$block =~ s/allowed_hosts = 'proxy\.bank\.example:3128'/allowed_hosts = '127.0.0.1:$login_proxy, $provider'/;
	$block =~ s/proxy\.bank\.example:3128/127.0.0.1:$login_proxy/;
	$block =~ s/mail\.provider\.example/$provider/;
	$block =~ s/10\.20\.30\.40/127.0.0.4/;
	my ($code, $told, $said) = $node->psql($db, $block, on_error_stop => 1);
	is("$code $said", '0 ', 'the lines of the page run');
	like($told, qr/^t\|reached$/m, 'and the server is reached by them');
	push @cases, 'provider';
	$expected{provider} = [ 'sent', 'http_200', 1 ];
	judge();
	is((grep { /\tclient$/ } $wanted13->log)[-1], "127.0.0.1\tagreed\tTLSv1_3\tclient", 'with our certificate');
	like(slurp_file("$secrets/login.log"), qr/127\.0\.0\.4/, 'and the proxy sees our address');
}
is($node->safe_psql($db, q{SELECT min(w.pid) FROM dunning.stat_worker w}) // '', $worker, 'the worker is the one of the beginning');
is($node->safe_psql($db, 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
unlike(slurp_file($node->logfile), qr/hunter[23]|BEGIN [A-Z ]*PRIVATE/, 'no secret is in the log');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
done_testing();
