# A real Kannel with its simulated centre: messages leave, delivery receipts come back, and a STOP is heeded.
#
# Kannel reports to a URL. What serves that URL here does what the manual says: it signs the query string and hands it over to
# dunning.receive().
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use IO::Socket::INET;
use Test::More;

BEGIN
{
	plan skip_all => $ENV{DUNNING_SKIP} if $ENV{DUNNING_SKIP};
	# The simulated centre listens on every interface: so there shall be none but loopback.
	unless ($ENV{DUNNING_ALONE})
	{
		$ENV{DUNNING_ALONE} = 1;
		plan skip_all => 'no network of its own can be had here (unshare)' if system('unshare -nc --keep-caps ip link set lo up') != 0;
		exec 'unshare', '-nc', '--keep-caps', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', $^X, (map { "-I$_" } @INC), $0 or die;
	}
}
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my $dir = PostgreSQL::Test::Utils::tempdir();
my %port = (admin => 13000, box => 13001, centre => 13002, send => 13003);
my @children;

sub write_file { my ($file, $text) = @_; open(my $out, '>', $file) or die "$file: $!"; print $out $text; close $out; chmod 0600, $file }
sub spawn { my (@command) = @_; my $pid = fork() // die; if ($pid == 0) { open(STDOUT, '>', "$dir/$command[0].out"); open(STDERR, '>&', \*STDOUT); shift @command; exec @command or die } push @children, $pid; return $pid }
sub wait_for { my ($what, $how) = @_; for (1 .. 200) { return 1 if $how->(); select undef, undef, undef, 0.1 } diag("not so: $what"); return 0 }
sub answers { my ($port) = @_; return defined IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) }
my $parent = $$;
END { if ($$ == $parent) { kill 'KILL', grep { defined } @children } }

# --- what serves the URL that Kannel reports to: one line a request ---
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20, ReuseAddr => 1) or die;
my $site = $listen->sockport;
my $server = fork() // die;
if ($server == 0)
{
	open(my $log, '>>', "$dir/requests") or die;
	$log->autoflush(1);
	while (my $client = $listen->accept)
	{
		my $line = <$client> // '';
		while (my $header = <$client>) { last if $header =~ /^\r?\n$/ }
		print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
		close $client;
		print $log $line;
	}
	exit 0;
}
push @children, $server;
sub requests { open(my $in, '<', "$dir/requests") or return (); return map { m{^GET (\S+)} ? $1 : () } <$in> }

# --- Kannel ---
write_file("$dir/kannel.conf", qq{
group = core
admin-port = $port{admin}
admin-password = none
smsbox-port = $port{box}
box-allow-ip = 127.0.0.1
log-file = $dir/bearerbox.log

group = smsc
smsc = fake
smsc-id = simulated
port = $port{centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = $port{send}
log-file = $dir/smsbox.log

group = sendsms-user
username = dunning
password = kannel-secret

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:$site/inbound?status=replied&from=%p&key=%I&text=%a"
});
spawn('bearerbox', 'bearerbox', '-v', '1', "$dir/kannel.conf");
wait_for('bearerbox listens', sub { answers($port{box}) }) or BAIL_OUT('no bearerbox');
spawn('smsbox', 'smsbox', '-v', '1', "$dir/kannel.conf");
wait_for('smsbox listens', sub { answers($port{send}) }) or BAIL_OUT('no smsbox');
my $centre = spawn('centre', '/usr/lib/kannel/test/fakesmsc', '-H', '127.0.0.1', '-r', $port{centre}, '-m', '0', '+4520000001 1919 text nothing');

# --- the database ---
mkdir "$dir/secrets", 0700 or die;
write_file("$dir/secrets/kannel.secret", 'kannel-secret');
my $node = PostgreSQL::Test::Cluster->new('kannel');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'postgres'\ndunning.retry_delay = '200ms'\n"
	  . "dunning.secret_directory = '$dir/secrets'\ndunning.allowed_hosts = '127.0.0.1:$port{send}'\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, rings, windows, holidays, source) VALUES ('house-ring', NULL, true, 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER smsc TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'http://127.0.0.1:$port{send}', preset 'kannel-receipts', "from" '1919');
	CREATE USER MAPPING FOR dunning_worker SERVER smsc OPTIONS (username 'dunning', secret_file 'kannel.secret');
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, phone) SELECT 'k-' || i, 'Name', CASE i WHEN 2 THEN 'Łukasz & Æ=%' ELSE 'Given' END, 'en', 'SM', '+452000000' || i FROM generate_series(1, 5) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'k-' || i, 'I-' || i, current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 5) i});
$node->safe_psql('postgres', 'SELECT dunning.activate()');
like($node->safe_psql('postgres', q{SELECT detail FROM dunning.health() WHERE item = 'server smsc'}), qr/does not say where its gateway is to send receipts/, 'receipts that nobody said where to send are missed');
$node->safe_psql('postgres', "ALTER SERVER smsc OPTIONS (ADD receipt_url 'http://127.0.0.1:$site/dlr')");

sub story { my ($id) = @_; return $node->safe_psql('postgres', "SELECT state || ' ' || coalesce(reason, '') FROM dunning.message_state WHERE debtor_id = '$id' ORDER BY at DESC LIMIT 1") }
sub send_to { my ($id) = @_; $node->safe_psql('postgres', "SELECT count(*) FROM dunning.send('$id', 'reminder-1', 'sms')") }
# What the manual tells whoever receives the dlr-url to do.
my %handed;
sub hand_over
{
	my @answers;
	for my $request (requests())
	{
		next if $handed{$request}++;
		my ($query) = $request =~ /\?(.*)/ or next;
		my $stamp = time;
		my $signature = 'sha256=' . hmac_sha256_hex("$stamp.$query", 'kannel-secret');
		(my $quoted = $query) =~ s/'/''/g;
		push @answers, $node->safe_psql('postgres', qq{SELECT r.kind || ' ' || r.reason FROM dunning.receive('smsc', '{"x-dunning-timestamp": "$stamp", "x-dunning-signature": "$signature"}', '$quoted') r});
	}
	return @answers;
}

# --- messages and their receipts ---
send_to("k-$_") for 1 .. 3;
ok($node->poll_query_until('postgres', "SELECT count(*) = 3 FROM dunning.outcome WHERE state = 'sent'"), 'Kannel takes three messages') or diag(story('k-1'));
ok(wait_for('six receipts', sub { (grep { /^\/dlr/ } requests()) >= 6 }), 'the centre and the phone report each');
hand_over();
is($node->safe_psql('postgres', "SELECT count(*) FROM dunning.message_state WHERE state = 'delivered'"), 3, 'all three are delivered');
is($node->safe_psql('postgres', "SELECT count(*) FROM dunning.event WHERE kind = 'delivered'"), 3, 'each reported once');
my $arrived = PostgreSQL::Test::Utils::slurp_file("$dir/centre.out") . PostgreSQL::Test::Utils::slurp_file("$dir/bearerbox.log");
like($arrived, qr/\+4520000003/, 'the centre had the number of a debtor');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/kannel-secret|\+4520000001/, 'neither password nor number stands in the log');
is($node->safe_psql('postgres', "SELECT count(*) FROM dunning.egress WHERE debtor_id = 'k-1'"), 1, 'one attempt');

# --- an answer ---
# One program at a time is the simulated centre: the next one says what a phone sends, and stays.
sub phone { my ($from, $text) = @_; kill 'TERM', $centre; waitpid $centre, 0; $centre = spawn('phone', '/usr/lib/kannel/test/fakesmsc', '-H', '127.0.0.1', '-r', $port{centre}, '-i', '0.1', '-m', '1', "$from 1919 text $text") }
phone('+4520000002', 'STOP please');
ok(wait_for('an answer', sub { grep { /^\/inbound/ } requests() }), 'the answer of a phone is reported');
my @said = hand_over();
like("@said", qr/recorded/, 'and recorded') or diag("@said");
is($node->safe_psql('postgres', "SELECT count(*) FROM dunning.suppression s WHERE s.address_digest = dunning._address_digest('+4520000002', 'sms')"), 1, 'STOP suppresses the number at once');
# Who was written to today may not be again, so the number alone is asked about.
my ($allowed, $why) = split /\|/, $node->safe_psql('postgres', "SELECT a.allowed, array_to_string(a.blocked_by, ',') FROM dunning.allowed('k-2', 'sms', now()) a");
is($allowed, 'f', 'no further message may go to it');
like($why, qr/suppressed:opted_out/, 'because of the STOP');

# --- a login that Kannel refuses spends no message ---
write_file("$dir/secrets/kannel.secret", 'wrong');
$node->safe_psql('postgres', "ALTER SERVER smsc OPTIONS (SET receipt_url 'http://127.0.0.1:$site/dlr2')");
send_to('k-4');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM dunning.queue WHERE debtor_id = 'k-4' AND reason IN ('http_403', 'server_shut')"), 'with a wrong password the message waits') or diag(story('k-4'));
write_file("$dir/secrets/kannel.secret", 'kannel-secret');
$node->safe_psql('postgres', "ALTER SERVER smsc OPTIONS (SET receipt_url 'http://127.0.0.1:$site/dlr'); SELECT dunning.resume('smsc')");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM dunning.outcome WHERE debtor_id = 'k-4' AND state = 'sent'"), 'with the right one it leaves') or diag(story('k-4'));

# --- a gateway that is gone ---
kill 'TERM', $children[2];
ok(wait_for('smsbox is gone', sub { !answers($port{send}) }), 'smsbox ends');
send_to('k-5');
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM dunning.outcome WHERE debtor_id = 'k-5'"), 'a message is tried');
spawn('smsbox', 'smsbox', '-v', '1', "$dir/kannel.conf");
wait_for('smsbox listens again', sub { answers($port{send}) });
$node->safe_psql('postgres', "SELECT dunning.resume('smsc')");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM dunning.outcome WHERE debtor_id = 'k-5' AND state = 'sent'"), 'and leaves when it is back') or diag(story('k-5'));
is($node->safe_psql('postgres', 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
$node->stop;
done_testing();
