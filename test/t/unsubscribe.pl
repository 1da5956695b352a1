# One click in a mail program unsubscribes (RFC 8058), from the header of a mail that came to the site that the address names: POST acts, GET does not.
use strict;
use warnings;
use Catcher;
use HTTP::Tiny;
use IO::Socket::INET;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(faults => { 'again@debtors.test' => '451' });
my $secrets = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('unsubscribe');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\ndunning.retry_delay = '1ms'\n"
	  . "dunning.secret_directory = '$secrets'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ndunning.clock = '2026-06-22 10:00+02'\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }
my $smtp = $gateway->smtp_url;
sql(qq{
	CREATE EXTENSION dunning;
	SELECT dunning.rotate_link_key();
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'billing\@creditor.test', tls 'none', timeout '2s', contract 'repeat');
	SELECT dunning.save_creditor('default', 'Creditor', link_url => 'https://pay.example/d?t=');
	SELECT dunning.save_template('first', 'email', 'en', 'One', 'pay={{pay_url}}'), dunning.save_template('second', 'email', 'en', 'Two', 'Hi');
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	INSERT INTO dunning.debtor (debtor_id, name, language, country, email) SELECT n, n, 'en', 'DK', n || '\@debtors.test' FROM unnest('{ann,ben,again}'::text[]) n;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT n, 'I-' || n, '2026-05-01', '2026-06-01', 50, 'EUR' FROM unnest('{ann,ben,again}'::text[]) n;
	SELECT dunning.activate();
});
sub mail_all { return sql("SET client_min_messages = error; SELECT dunning.send(d, '$_[0]', 'email') FROM unnest('{ann,ben,again}'::text[]) d; CALL dunning.deliver(max_seconds => 60)") }
sub clock { sql("ALTER SYSTEM SET dunning.clock = '$_[0] 10:00+02'"); $node->reload; return $node->poll_query_until('postgres', "SELECT dunning._now() = '$_[0] 10:00+02'") }
sub mails_to { my ($who) = @_; return map { $_->{body} =~ s/\r?\n[ \t]+/ /gr } grep { $_->{protocol} eq 'smtp' && $_->{recipient} =~ /^<?\Q$who\E\@/ } $gateway->bodies }
sub opted_out { return sql("SELECT count(*) FROM dunning.event WHERE kind = 'opted_out' AND debtor_id = '$_[0]'") }

# The site of docs/operations.md: GET shows, POST acts, both with the rights of an operator.
my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
my $port = $listen->sockport;
my $site = fork() // die;
sub answer
{
	my ($method, $target, $body) = @_;
	my ($token) = $target =~ /^\/d\?t=([A-Za-z0-9_-]*)$/;
	my %field = map { map { s/\+/ /gr =~ s/%([0-9A-Fa-f]{2})/chr hex $1/egr } split /=/, $_, 2 } split /&/, $body;
	my ($rc, $out) = $node->psql('postgres', $method eq 'GET' ? "SET ROLE dunning_operator; SELECT dunning.link_page('$token')"
		: "SET ROLE dunning_operator; SELECT recorded FROM dunning.act_on_link('$token', jsonb_build_object(" . join(', ', map { "'$_', '$field{$_}'" } sort keys %field) . '))');
	return $rc == 0 ? (200, $out) : (404, 'this link is no longer valid');
}
if ($site == 0)
{
	while (my $client = $listen->accept)
	{
		my ($method, $target) = (<$client> // '') =~ /^(\S+) (\S+)/ or next;
		my ($length, $body) = (0, '');
		while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/; $length = $1 if $line =~ /^Content-Length: *(\d+)/i }
		read $client, $body, $length if $length;
		my ($status, $text) = answer($method, $target, $body);
		print $client "HTTP/1.1 $status x\r\nContent-Length: " . length($text) . "\r\nConnection: close\r\n\r\n$text";
		close $client;
	}
	POSIX::_exit(0);
}
my $parent = $$;
END { kill 'KILL', $site if $site && $$ == $parent }
# As mail programs do: the address of the header, its site being here.
sub ask
{
	my ($method, $url) = @_;
	$url =~ s{^https://pay\.example/}{http://127.0.0.1:$port/} or die $url;
	my $r = HTTP::Tiny->new(timeout => 60)->request($method, $url, $method eq 'POST'
		? { headers => { 'Content-Type' => 'application/x-www-form-urlencoded' }, content => 'List-Unsubscribe=One-Click' } : {});
	return $r->{status} . ' ' . ($r->{content} // '');
}

mail_all('first');
my ($mail) = mails_to('ann');
my ($head, $text) = split /\r?\n\r?\n/, $mail, 2;
my @addresses = $head =~ /^List-Unsubscribe: *<(https:[^<>\s]+)>\r?$/mg;
is(scalar @addresses, 1, 'a mail names one https address to unsubscribe at');
is(() = $head =~ /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r?$/mg, 1, 'and says that one click does it');
unlike($addresses[0], qr/ann|debtors/, 'the address tells nobody whose it is');
my $paid_by = sql("SELECT substring(body_text FROM 'pay=(\\S+)') FROM dunning.body WHERE debtor_id = 'ann'");

# GET shows
like(ask('GET', $addresses[0]), qr/^200 .*<form method="post">/s, 'GET shows a page with a button') for 1 .. 3;
is(opted_out('ann'), '0', 'and changes nothing, however often a scanner looks');
my ($token) = $addresses[0] =~ /t=(.*)/;
is(sql("SET default_transaction_read_only = on; SELECT purpose || ' ' || debtor_id || ' ' || done FROM dunning.open_link('$token')"), 'opt_out ann false', 'nor could it: looking needs no right to write');

# a token is for what it was made
like(ask('POST', $paid_by), qr/^200 /, 'a click on the address to pay');
is(opted_out('ann'), '0', 'unsubscribes nobody, whatever the form says');
my @changed = map { my $t = $token; my $c = substr($t, $_, 1); substr($t, $_, 1) = $c eq 'A' ? 'B' : 'A'; $t } 0 .. length($token) - 2;
is(scalar(grep { ask('POST', "https://pay.example/d?t=$_") !~ /^404 / } @changed[0 .. 3, 20, 40]), 0, 'a token that is changed is refused over HTTP');
is(sql("DO \$\$ DECLARE t text; worked int := 0; BEGIN FOREACH t IN ARRAY '{" . join(',', @changed) . "}'::text[] LOOP BEGIN PERFORM dunning.act_on_link(t); worked := worked + 1; EXCEPTION WHEN SQLSTATE 'DN009' THEN NULL; END; END LOOP; IF worked > 0 THEN RAISE '% worked', worked; END IF; END \$\$; SELECT 'none'"), 'none', 'wherever it is changed');
is(opted_out('ann'), '0', 'and nothing came of it');

# POST acts: on what is waiting too
clock('2026-07-07');
sql("SET client_min_messages = error; SELECT dunning.send(d, 'second', 'email') FROM unnest('{ann,ben,again}'::text[]) d");
is(ask('POST', $addresses[0]), '200 t', 'POST unsubscribes');
is(opted_out('ann'), '1', 'whom the mail went to');
is(ask('POST', $addresses[0]), '200 f', 'a second click is no second event');
is(opted_out('ann') . opted_out('ben'), '10', 'and nobody else');
sql('CALL dunning.deliver(max_seconds => 60)');
is(scalar(mails_to('ann')), 1, 'a mail that was waiting does not leave');
like(sql(q{SELECT s.state || ' ' || s.reason FROM dunning.message_state s JOIN dunning.message m USING (message_id, debtor_id) WHERE s.debtor_id = 'ann' AND m.template = 'second'}), qr/^\w+ .*(opt|suppress)/, 'and says why');
is(scalar(mails_to('ben')), 2, 'others get theirs');
like(ask('GET', $addresses[0]), qr/^200 /, 'the page is still there');

# a repeat has the address that was frozen
is(sql(q{SELECT count(*) > 1 AND count(DISTINCT body_digest) = 1 FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id) WHERE e.debtor_id = 'again' AND m.template = 'first'}), 't', 'a mail that was put off went with the same address again');

# no longer than it is good for: 60 days from when the message was made, which its number says
my ($ben) = map { /^List-Unsubscribe: *<([^>]+)>/m } mails_to('ben');
my ($until, $after) = split / /, sql("SELECT (expires_at - interval '1 day')::date || ' ' || (expires_at + interval '2 days')::date FROM dunning.open_link('" . $ben =~ s/.*t=//r . "')");
is(sql(q{SELECT l.expires_at - to_timestamp((('x' || left(replace(m.message_id::text, '-', ''), 12))::bit(48)::bigint) / 1000) FROM dunning.message m, LATERAL dunning.open_link('} . $ben =~ s/.*t=//r . q{') l WHERE m.message_id = l.message_id}) =~ s/ .*//r, '60', 'it says so');
clock($until);
like(ask('GET', $ben), qr/^200 /, 'it is good until the last day');
clock($after);
like(ask('POST', $ben), qr/^404 /, 'and then over');
is(opted_out('ben'), '0', 'and does nothing');
is(sql('SELECT count(*) FROM dunning.verify_egress() v WHERE NOT v.ok'), '0', 'the chains verify');

kill 'KILL', $site;
waitpid $site, 0;
$node->stop;
$gateway->stop;
done_testing();
