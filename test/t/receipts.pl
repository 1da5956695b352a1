# Receipts of providers, read by the presets' mappings and verified by the providers' own signatures. Signatures are made here by Perl and by openssl.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1_base64 hmac_sha256_hex);
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $secrets = "$dir/secrets";
mkdir $secrets, 0700 or die;
sub write_file { my ($file, $text) = @_; open my $out, '>:raw', $file or die; print $out $text; close $out; chmod 0600, $file }
write_file("$secrets/$_->[0]", $_->[1]) for ['twilio.secret', '12345'], ['kannel.secret', 'ours'], ['lob.api', 'live_key'], ['lob.secret', 'whsec'], ['sendgrid.secret', 'SG.key'];

my $node = PostgreSQL::Test::Cluster->new('receipts');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\ndunning.secret_directory = '$secrets'\ndunning.clock = '2020-09-14 19:41:42+00'\nsession_preload_libraries = 'dunning'\n");
$node->start;
my $now = 1600112502;

# The key that SendGrid publishes with its examples.
my $example_key = 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==';
$node->safe_psql('postgres', qq{
	CREATE EXTENSION dunning;
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://api.twilio.com', preset 'twilio');
	CREATE SERVER smsc TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://kannel.example', preset 'kannel');
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://api.sendgrid.com', preset 'sendgrid', receipt_key '$example_key');
	CREATE SERVER letters TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://api.lob.com', preset 'lob');
	CREATE USER MAPPING FOR dunning_worker SERVER text OPTIONS (username 'AC1', secret_file 'twilio.secret');
	CREATE USER MAPPING FOR dunning_worker SERVER smsc OPTIONS (username 'k', secret_file 'kannel.secret');
	CREATE USER MAPPING FOR dunning_worker SERVER mail OPTIONS (secret_file 'sendgrid.secret');
	CREATE USER MAPPING FOR dunning_worker SERVER letters OPTIONS (secret_file 'lob.api', receipt_secret_file 'lob.secret');
	INSERT INTO dunning.debtor (debtor_id, name, language, country, email, phone) SELECT 'r-' || i, 'R', 'en', 'GB', 'r' || i || '\@example.org', '+4477009001' || lpad(i::text, 2, '0') FROM generate_series(1, 9) i;
	SELECT dunning._ensure_partitions();
	CREATE FUNCTION public.sent(debtor text, via text, server text, ref text) RETURNS uuid LANGUAGE sql AS \$\$
		INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
		VALUES (dunning._uuid7(), debtor, 'default', 'reminder-1', via, 'en', server, dunning._now(), 'x', '{}', 0, 'EUR', '{}', '{}', dunning._now(), 'test');
		INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
		SELECT m.message_id, 1, debtor, 'default', via, server, dunning._address_digest(CASE via WHEN 'sms' THEN d.phone ELSE d.email END, via), '{}', '\\x00', 1, 'test', 0, 'EUR', now(), dunning._now(), 0, 0, '\\x00', '\\x00'
		FROM dunning.message m JOIN dunning.debtor d USING (debtor_id) WHERE m.debtor_id = debtor;
		INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, at)
		SELECT m.message_id, dunning._uuid7(), debtor, 'default', 1, 'sent', 'http_200', ref, dunning._now() FROM dunning.message m WHERE m.debtor_id = debtor;
		SELECT message_id FROM dunning.message WHERE debtor_id = debtor \$\$});

sub quote { my ($text) = @_; return 'NULL' unless defined $text; $text =~ s/'/''/g; $text =~ s/\\/\\\\/g; return " E'$text'" }
# What became of each item, or the refusal.
sub post
{
	my ($server, $headers, $body, $url) = @_;
	my $json = '{' . join(', ', map { "\"$_\": \"$headers->{$_}\"" } sort keys %$headers) . '}';
	my ($out, $err);
	$node->psql('postgres', 'SELECT r.kind, r.debtor_id, r.recorded, r.reason FROM dunning.receive(' . join(', ', quote($server), quote($json), quote($body), quote($url)) . ') r',
		stdout => \$out, stderr => \$err);
	return $err =~ /ERROR:  (.*)/ ? $1 : $out;
}
sub state_of { my ($id) = @_; return $node->safe_psql('postgres', "SELECT state FROM dunning.message_state WHERE message_id = '$id'") }
sub encode { my ($text) = @_; $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge; return $text }
sub form { my %f = @_; return join '&', map { encode($_) . '=' . encode($f{$_}) } sort { $b cmp $a } keys %f }

# twilio: HMAC-SHA1 over the address and the sorted fields
my $url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
my %example = (CallSid => 'CA1234567890ABCDE', Caller => '+14158675309', Digits => '1234', From => '+14158675309', To => '+18005551212');
is(post('text', { 'X-Twilio-Signature' => 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' }, form(%example), $url), '||f|unknown_kind', 'twilio: the example of its documentation is accepted');
sub twilio
{
	my ($fields, %more) = @_;
	my $signature = hmac_sha1_base64(($more{signed_url} // $url) . join('', map { $_ . $fields->{$_} } sort keys %$fields), $more{secret} // '12345');
	$signature .= '=' while length($signature) % 4;
	return post('text', { 'x-twilio-signature' => $signature }, form(%{ $more{fields} // $fields }), $url);
}
my $m = $node->safe_psql('postgres', "SELECT public.sent('r-1', 'sms', 'text', 'SM1')");
my %status = (MessageSid => 'SM1', MessageStatus => 'sent', To => '+447700900101', From => '+15550001', AccountSid => 'AC1');
is(twilio({%status}), '||f|nothing_new', 'twilio: sent is nothing new');
is(twilio({ %status, MessageStatus => 'delivered' }), 'delivered|r-1|t|recorded', 'twilio: a delivery receipt finds its message');
is(twilio({ %status, MessageStatus => 'delivered' }), 'delivered|r-1|f|replay', 'twilio: posted again it is the same event');
is(state_of($m), 'delivered', 'twilio: the message is delivered');
is(twilio({ MessageSid => 'SM9', SmsStatus => 'received', From => '+447700900101', To => '+15550001', Body => "Stop \x{c3}\x{a6} & go + 100%" }), 'replied|r-1|t|recorded', 'twilio: an answer finds who was written to last');
is($node->safe_psql('postgres', "SELECT detail->>'text' FROM dunning.event WHERE kind = 'replied'"), "Stop \x{c3}\x{a6} & go + 100%", 'twilio: its text is as it was typed');
my $m2 = $node->safe_psql('postgres', "SELECT public.sent('r-2', 'sms', 'text', 'SM2')");
is(twilio({ MessageSid => 'SM2', MessageStatus => 'undelivered', ErrorCode => '30003' }), 'failed|r-2|t|recorded', 'twilio: undelivered has failed');
is($node->safe_psql('postgres', "SELECT detail->>'code' FROM dunning.event WHERE debtor_id = 'r-2'"), '30003', 'twilio: with its code');
my $forged = 'the request is not accepted: forged';
is(twilio({%status}, secret => 'other'), $forged, 'twilio: another secret');
is(twilio({%status}, signed_url => 'https://mycompany.com/other'), $forged, 'twilio: another address');
is(twilio({%status}, fields => { %status, MessageSid => 'SM2' }), $forged, 'twilio: a field that was changed');
is(twilio({%status}, fields => { %status, Extra => '' }), $forged, 'twilio: a field more');
is(post('text', {}, form(%status), $url), 'the request is not accepted: unsigned', 'twilio: no signature');
is(post('text', { 'x-twilio-signature' => 'RSOY' }, form(%status), $url), 'the request is not accepted: malformed', 'twilio: half a signature');
is(post('text', { 'x-twilio-signature' => 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' }, form(%example), undef), 'the request is not accepted: incomplete', 'twilio: without the address');
is(post('text', { 'x-twilio-signature' => 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' }, 'Body=%ff%fe', $url), 'invalid byte sequence for encoding "UTF8": 0xff', 'twilio: no UTF-8');

# kannel: what its dlr-url asks for, forwarded with our own signature
my $k = $node->safe_psql('postgres', "SELECT public.sent('r-3', 'sms', 'smsc', NULL)");
sub kannel { my ($body, $stamp) = @_; $stamp //= $now; return post('smsc', { 'x-dunning-timestamp' => $stamp, 'x-dunning-signature' => 'sha256=' . hmac_sha256_hex("$stamp.$body", 'ours') }, $body) }
is(kannel("id=$k&status=8&answer=ACK"), '||f|nothing_new', 'kannel: the centre took it');
is(kannel("id=$k&status=1&answer=id%3A1+stat%3ADELIVRD"), 'delivered|r-3|t|recorded', 'kannel: delivered to the phone');
is(state_of($k), 'delivered', 'kannel: the message is delivered');
is(kannel("id=$k&status=16&answer=rejected"), 'failed|r-3|t|recorded', 'kannel: refused by the centre');
is(kannel("id=$k&status=1", $now - 301), 'the request is not accepted: out_of_time', 'kannel: too old');
is(kannel("id=$k&status=99"), '||f|unknown_kind', 'kannel: a status nobody knows');

# lob: HMAC-SHA256 over the milliseconds and the body, under a secret of its own
my $l = $node->safe_psql('postgres', "SELECT public.sent('r-4', 'letter', 'letters', 'ltr_1')");
sub lob { my ($type, $stamp, $secret, $id) = @_; $id //= 'evt_1'; my $body = qq({"id":"$id","reference_id":"ltr_1","event_type":{"id":"$type","resource":"letters"},"date_created":"2020-09-14T19:40:00.000Z","body":{"id":"ltr_1"}});
	return post('letters', { 'Lob-Signature-Timestamp' => $stamp, 'Lob-Signature' => hmac_sha256_hex("$stamp.$body", $secret // 'whsec') }, $body) }
is(lob('letter.mailed', "${now}000"), '||f|nothing_new', 'lob: mailed');
is(lob('letter.returned_to_sender', "${now}000", undef, 'evt_2'), 'bounced|r-4|t|recorded', 'lob: returned to sender');
is(lob('letter.returned_to_sender', $now + 5, undef, 'evt_2'), 'bounced|r-4|f|replay', 'lob: posted again, in seconds');
is(state_of($l), 'failed', 'lob: the letter has failed');
is($node->safe_psql('postgres', "SELECT at FROM dunning.event WHERE debtor_id = 'r-4'"), '2020-09-14 19:40:00+00', 'lob: it happened when it says');
is(lob('letter.delivered', "${now}000", 'live_key'), $forged, 'lob: the secret of the API is another one');
is(lob('letter.delivered', ($now - 301) . '000'), 'the request is not accepted: out_of_time', 'lob: too old');
is(lob('letter.delivered', 'yesterday'), 'the request is not accepted: malformed', 'lob: no time');

# sendgrid: ECDSA by the key that it publishes
my $body = '[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]' . "\r\n";
sub sendgrid { my ($signature, $body, $stamp) = @_; return post('mail', { 'X-Twilio-Email-Event-Webhook-Timestamp' => $stamp // $now, 'X-Twilio-Email-Event-Webhook-Signature' => $signature }, $body) }
my $published = 'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=';
my $answer = sendgrid($published, $body);
SKIP:
{
	skip 'the library is built without OpenSSL', 12 if $answer =~ /cannot verify signatures by a public key/;
	is($answer, 'failed|||f|unknown_message' =~ s/\|\|\|/||/r, 'sendgrid: the published example is accepted');
	is(sendgrid($published, $body =~ s/dropped/delivered/r), $forged, 'sendgrid: a body that was changed');
	is(sendgrid($published, $body, $now + 1), $forged, 'sendgrid: another time');
	is(sendgrid('x' x 8, $body), $forged, 'sendgrid: no signature of any kind');
	is(sendgrid('***', $body), 'the request is not accepted: malformed', 'sendgrid: no base64');
	is(sendgrid($published, $body, $now - 301), 'the request is not accepted: out_of_time', 'sendgrid: too old');
	skip 'there is no openssl', 6 if system('openssl version >/dev/null 2>&1') != 0;
	system("cd $dir && openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>/dev/null && openssl ec -in key.pem -pubout -outform DER -out key.der 2>/dev/null") == 0 or die;
	my $key = encode_base64(slurp_file("$dir/key.der"), '');
	$node->safe_psql('postgres', "ALTER SERVER mail OPTIONS (SET receipt_key '$key')");
	my $s = $node->safe_psql('postgres', "SELECT public.sent('r-5', 'email', 'mail', NULL)");
	my $events = qq([{"event":"delivered","message_id":"$s","sg_event_id":"1","timestamp":$now,"email":"r5\@example.org"},{"event":"bounce","type":"blocked","reason":"550 <r5\@example.org> not now","message_id":"$s","sg_event_id":"2","timestamp":$now},)
	  . qq({"event":"open","message_id":"$s","sg_event_id":"3","timestamp":$now},{"event":"deferred","message_id":"$s","sg_event_id":"4"}]);
	write_file("$dir/signed", "$now$events");
	system("cd $dir && openssl dgst -sha256 -sign key.pem -out signature signed") == 0 or die;
	my $ours = encode_base64(slurp_file("$dir/signature"), '');
	is(sendgrid($published, $body), $forged, 'sendgrid: the key of somebody else');
	is(sendgrid($ours, $events), "delivered|r-5|t|recorded\nbounced|r-5|t|recorded\nopened|r-5|t|recorded\n|||f|nothing_new" =~ s/\n\|\|\|f/\n||f/r, 'sendgrid: what openssl signed, event by event');
	is($node->safe_psql('postgres', q{SELECT e.detail->>'reason' || ' / ' || (SELECT count(*) FROM dunning.outcome o WHERE o.message_id = e.message_id AND o.detail::text ~ 'example') FROM dunning.event e WHERE e.debtor_id = 'r-5' AND e.kind = 'bounced'}),
		'550 <r5@example.org> not now / 0', 'sendgrid: why is kept with the event, and not with the outcome, which may not name an address');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM dunning.suppression'), 0, 'sendgrid: what was blocked may be written to again');
	is(sendgrid($ours, $events) =~ /replay\n.*replay\n.*replay\n/ ? 'replay' : 'new', 'replay', 'sendgrid: posted again');
	$node->safe_psql('postgres', "ALTER SERVER mail OPTIONS (SET receipt_key 'bm8ga2V5')");
	is(sendgrid($ours, $events), 'the receipt_key is no public key of ECDSA', 'sendgrid: a key that is none');
}

# a_preset_of_ones_own_says_what_its_receipts_read_like
$node->safe_psql('postgres', q{SELECT dunning.save_http_preset('twilio', 'POST', 'form', body => 'a={address}', receipt =>
	'{"format": "json", "items": "data.list", "map": {"kind": "s.name", "message_id": ["nope", "m"]}, "words": {"done": "delivered"}}')});
my $own = $node->safe_psql('postgres', "SELECT public.sent('r-6', 'sms', 'text', NULL)");
my $json = qq({"data":{"list":[{"s":{"name":"Done"},"m":"$own"}]}});
is(post('text', { 'x-dunning-timestamp' => $now, 'x-dunning-signature' => hmac_sha256_hex("$now.$json", '12345') }, $json), 'delivered|r-6|t|recorded', 'a preset of one\'s own');
for my $wrong ('[]', '{}', '{"map": {}}', '{"map": {"kind": "a", "what": "b"}}', '{"map": {"kind": 1}}', '{"map": {"kind": "a"}, "format": "xml"}', '{"map": {"kind": "a"}, "signature": "none"}', '{"map": {"kind": "a"}, "words": {"a": "shouted"}}', '{"map": {"kind": "a"}, "more": 1}')
{
	my ($out, $err);
	isnt($node->psql('postgres', "SELECT dunning.save_http_preset('wrong', 'GET', 'none', receipt => '$wrong')", stderr => \$err), 0, "refused: $wrong");
}
$node->stop;
done_testing();
