# Documents go with mails: byte by byte, to whom they belong, the same again when a mail is repeated, and never without a word.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use Catcher;
use Digest::SHA qw(sha256_hex);
use Encode qw(decode encode);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'python3, whose mail parser reads what was sent, is not here' if system('python3 -c "import email.policy" 2>/dev/null') != 0;

my $gateway = Catcher->new(faults => { 'bo@debtors.test' => '451' });
my $node = PostgreSQL::Test::Cluster->new('attachments');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\ndunning.retry_delay = '1ms'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ndunning.clock = '2026-06-22 10:00+02'\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }
my ($smtp, $http) = ($gateway->smtp_url, $gateway->http_url);
sql(qq{
	CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'Creditor <billing\@creditor.test>', tls 'none', timeout '2s', contract 'repeat');
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'D' || n, name, name, 'en', 'GB', lower(name) || '\@debtors.test' FROM unnest(ARRAY['Ada', 'Bo', 'Cy', 'Di', 'El']) WITH ORDINALITY d(name, n);
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'D' || n, 'I' || n, '2026-05-20', '2026-06-08', 100 + n, 'GBP' FROM generate_series(1, 5) n;
	SELECT dunning.activate();
});
# Every octet there is, a large one, one of no bytes but line ends, and a name of many scripts.
my %content = (
	octets => join('', map { chr } 0 .. 255) x 3,
	large => join('', map { chr(($_ * 7919) % 256) } 1 .. 1_500_000),
	lines => "\r\n.\r\n\n.\nFrom me\r\n--=_\r\n" x 20);
my %file = (octets => "Rechnung Nº 4711 – Ærø 数.pdf", large => 'large.bin', lines => "a;b='c'%41.txt");
my %type = (octets => 'application/pdf', large => 'application/octet-stream', lines => 'text/plain');
for my $name (sort keys %content)
{
	my $hex = unpack 'H*', $content{$name};
	(my $file = encode('UTF-8', $file{$name})) =~ s/'/''/g;
	$node->safe_psql('postgres', "SELECT dunning.save_document('$name', '" . decode('UTF-8', $file) . "', decode('$hex', 'hex'), '$type{$name}')");
}
sql("SELECT dunning.save_document('copy/I' || n, 'Invoice ' || n || '.pdf', convert_to('%PDF of D' || n, 'UTF8'), debtor_id => 'D' || n) FROM generate_series(1, 5) n");

# What arrived, by recipient: subject, text and a list of name, type and digest, as Python reads it.
sub mails
{
	my %mails;

	for my $mail (grep { $_->{protocol} eq 'smtp' } $gateway->bodies)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . '/mail';
		open(my $out, '>:raw', $file) or die;
		print $out $mail->{body};
		close $out;
		my $read = `python3 - '$file' <<'PY'
import sys, json, hashlib, email, email.policy
m = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.SMTP)
print(json.dumps({'type': m.get_content_type(), 'text': m.get_body(('plain',)).get_content(), 'html': m.get_body(('html',)) is not None, 'defects': [str(d) for p in m.walk() for d in p.defects],
  'lines': max(len(l) for l in open(sys.argv[1], 'rb').read().split(b'\\r\\n')),
  'files': [[a.get_filename(), a.get_content_type(), hashlib.sha256(a.get_payload(decode=True)).hexdigest(), a.get_content_disposition()] for a in m.iter_attachments()]}))
PY`;
		push @{ $mails{ $mail->{recipient} } }, decode_json($read);
	}
	return %mails;
}

sql(q{SELECT count(*) FROM dunning.send('D1', 'reminder-1', vars => '{"attach": ["octets", "large", "copy/I1"]}')});
sql(q{SELECT count(*) FROM dunning.send('D2', 'reminder-1', vars => '{"attach": ["lines", "copy/I2"]}')});
sql(q{SELECT count(*) FROM dunning.send('D3', 'reminder-1', 'email')});
sql(q{SELECT count(*) FROM dunning.send('D4', 'reminder-1', vars => '{"attach": ["copy/I4"]}')});
# Another's document of the same name is none of hers.
sql(q{SELECT dunning.drop_document('copy/I4', 'D4'), dunning.save_document('copy/I4', 'Not hers.pdf', '%PDF', debtor_id => 'D5')});
$node->psql('postgres', 'CALL dunning.deliver(max_messages => 4, max_seconds => 20)');
my %mail = mails();
my $ada = $mail{'ada@debtors.test'}[0];
is($ada->{type}, 'multipart/mixed', 'a mail with documents has parts');
like($ada->{text}, qr/101\.00/, 'of which the first is the text');
is_deeply($ada->{files}, [ map { [ @$_[ 0, 1, 2 ], 'attachment' ] } [ $file{octets}, $type{octets}, sha256_hex($content{octets}) ], [ $file{large}, $type{large}, sha256_hex($content{large}) ],
	[ 'Invoice 1.pdf', 'application/pdf', sha256_hex('%PDF of D1') ] ], 'and the others are the documents, byte by byte, in order');
is_deeply($ada->{defects}, [], 'a strict parser finds no defect');
cmp_ok($ada->{lines}, '<=', 998, 'no line is longer than a mail server takes');
is_deeply($mail{'cy@debtors.test'}[0]{files}, [], 'who was to get none gets none');
is(sql(q{SELECT state || ' ' || reason FROM dunning.message_state WHERE debtor_id = 'D4'}), 'held document_missing', 'a mail whose document is gone is held, with its reason');
is($mail{'di@debtors.test'}, undef, 'and does not leave without it');
is(sql(q{SELECT fields @> '{attachment}' FROM dunning.egress WHERE debtor_id = 'D1'}), 't', 'the ledger says that documents left');
is(sql(q{SELECT fields @> '{attachment}' FROM dunning.egress WHERE debtor_id = 'D3'}), 'f', 'and where none did');
cmp_ok(sql(q{SELECT bytes FROM dunning.egress WHERE debtor_id = 'D1'}), '>', 1_500_000, 'and how much');
is(sql(q{SELECT jsonb_path_query_array(attachments, '$[*].document') FROM dunning.body WHERE debtor_id = 'D1'}), '["octets", "large", "copy/I1"]', 'the body names them');

# Bo's server said 451: what is repeated is what was meant the first time, whatever was saved since.
is(sql(q{SELECT state || ' ' || reason FROM dunning.message_state WHERE debtor_id = 'D2'}), 'queued smtp_451', 'a mail waits for its second attempt');
sql(q{SELECT dunning.save_document('lines', 'other.txt', 'other', 'text/plain')});
my $first = sql(q{SELECT encode(body_digest, 'hex') FROM dunning.egress WHERE debtor_id = 'D2' ORDER BY attempt LIMIT 1});
$node->psql('postgres', q{SET dunning.clock = '2026-06-22 11:00+02'; CALL dunning.deliver(max_seconds => 5)});
is(sql(qq{SELECT count(*) > 1 AND bool_and(encode(body_digest, 'hex') = '$first') FROM dunning.egress WHERE debtor_id = 'D2'}), 't', 'a repeat has the same documents');

# A template's own, from now on; and a gateway that carries none.
sql(q{SELECT dunning.attach_document('reminder-1', 'lines')});
sql(q{SET dunning.clock = '2026-06-23 10:00+02'; SELECT count(*) FROM dunning.send('D5', 'reminder-1', 'email')});
$node->psql('postgres', q{SET dunning.clock = '2026-06-23 10:00+02'; CALL dunning.deliver(max_seconds => 5)});
%mail = mails();
is_deeply($mail{'el@debtors.test'}[0]{files}, [ [ 'other.txt', 'text/plain', sha256_hex('other'), 'attachment' ] ], 'what goes with a template goes with each of its mails');
# More than a mail may have waits, and goes when it may: three megabytes, octet by octet.
sql('DELETE FROM dunning.queue');
my $second = join('', map { chr(($_ * 104729) % 256) } 1 .. 1_500_000);
sql("SELECT dunning.save_document('second', 'second.bin', decode('" . unpack('H*', $second) . "', 'hex'), 'application/octet-stream')");
sql(q{SET dunning.clock = '2026-06-30 10:00+02'; SELECT count(*) FROM dunning.send('D4', 'reminder-2', 'email', vars => '{"attach": ["large", "second"]}')});
$node->psql('postgres', q{SET dunning.clock = '2026-06-30 10:00+02'; CALL dunning.deliver(max_seconds => 5)});
is(sql(q{SELECT state || ' ' || reason FROM dunning.message_state WHERE debtor_id = 'D4' ORDER BY message_id DESC LIMIT 1}), 'held documents_too_large', 'what is too large for a mail is held');
sql(q{SET dunning.clock = '2026-06-30 10:00+02'; SELECT count(*) FROM dunning.retry(state => 'held', dry_run => false)});
$node->psql('postgres', q{SET dunning.document_size = '4MB'; SET dunning.clock = '2026-06-30 10:00+02'; CALL dunning.deliver(max_seconds => 10)});
%mail = mails();
is_deeply([ map { $_->[2] } @{ $mail{'di@debtors.test'}[-1]{files} } ], [ sha256_hex($content{large}), sha256_hex($second) ], 'and goes where the setting allows it');
sql(qq{DROP SERVER mail CASCADE; CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$http', "from" 'a\@b.test')});
sql(q{UPDATE dunning.debtor SET email = 'new@debtors.test' WHERE debtor_id = 'D5'; DELETE FROM dunning.queue});
sql(q{SET dunning.clock = '2026-07-06 10:00+02'; SELECT count(*) FROM dunning.send('D3', 'reminder-2', 'email', vars => '{"attach": ["lines"]}')});
$node->psql('postgres', q{SET dunning.clock = '2026-07-06 10:00+02'; CALL dunning.deliver(max_seconds => 5)});
diag(sql('SELECT debtor_id, state, reason FROM dunning.message_state')) if $ENV{VERBOSE};
is(sql(q{SELECT state || ' ' || reason FROM dunning.message_state WHERE debtor_id = 'D3' ORDER BY message_id DESC LIMIT 1}), 'held documents_need_smtp', 'a gateway that carries no documents gets no mail that has some');
is(scalar(grep { $_->{protocol} eq 'http' } $gateway->ledger), 0, 'nothing left there');
is(sql('SELECT count(*) FROM dunning.verify_egress() WHERE NOT ok'), '0', 'the chains verify');
is(sql(q{SELECT count(*) FROM dunning.forget('D1') f WHERE f.item = 'document rows dropped' AND f.rows = 1}), '1', 'who is forgotten leaves no document behind');
# A copy has them, byte by byte, and what goes with which template.
my $all = q{SELECT md5(string_agg(d::text, ' ' ORDER BY d.debtor_id, d.document, d.version)) FROM dunning.document d};
my $which = q{SELECT string_agg(t::text, ' ' ORDER BY t.template, t.document) FROM dunning.template_document t};
my ($documents, $templates, $dump) = (sql($all), sql($which), PostgreSQL::Test::Utils::tempdir() . '/dump');
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
sql('CREATE DATABASE copy');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', $dump, '-d', $node->connstr('copy') ], 'and the dump is read');
is($node->safe_psql('copy', $all), $documents, 'a dump has every version of every document');
is($node->safe_psql('copy', $which), $templates, 'and what goes with which template');
$node->stop;
$gateway->stop;
done_testing();
