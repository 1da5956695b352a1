# A worker knows the heads of the chains from memory; where somebody else has written meanwhile, it notices before anything leaves.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new(honour_keys => 1);
my $url = $gateway->http_url;
my $node = PostgreSQL::Test::Cluster->new('heads');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'book'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', qq{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	CREATE SERVER honest TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'repeat');
	CREATE USER MAPPING FOR dunning_worker SERVER honest;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) SELECT 'h-' || i, 'Name', 'Given', 'en', 'DK', 'h-' || i || '\@example.org' FROM generate_series(1, 1000) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'h-' || i, 'I', current_date - 40, current_date - 12, 100, 'DKK' FROM generate_series(1, 1000) i;
	SELECT dunning.activate()});

# All of one slice, one after the other.
my $slice = $node->safe_psql('book', q{SELECT dunning._slice('h-1')});
my @debtors = split /\n/, $node->safe_psql('book', "SELECT debtor_id FROM dunning.debtor WHERE dunning._slice(debtor_id) = $slice ORDER BY debtor_id LIMIT 5");
my $pid = $node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker');

sub send_next
{
	my $debtor = shift @debtors;
	$node->safe_psql('book', "SELECT count(*) FROM dunning.send('$debtor', 'reminder-1', 'email')");
	$node->poll_query_until('book', "SELECT count(*) = 1 FROM dunning.outcome WHERE debtor_id = '$debtor' AND state = 'sent'") or die;
	return scalar grep { $_->{recipient} eq "$debtor\@example.org" } $gateway->accepted;
}

# What a second writer of the slice would leave: a link at this place, and the head.
sub write_link
{
	my ($seq, $reason) = @_;
	$node->safe_psql('book', qq{
		WITH made AS (
			DELETE FROM dunning.egress WHERE slice = $slice AND seq = $seq),
		written AS (
			INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
			SELECT x.id, 1, 'other', 'default', 'email', 'honest', '\\x00', '{}', '\\x00', 1, '$reason', 0, 'EUR', x.at, x.at, $slice, $seq, e.digest,
			       dunning._egress_digest(e.digest, $slice\::smallint, $seq\::bigint, x.id, 1::smallint, 'other', 'default', 'email', 'honest', '\\x00', '{}', '\\x00', 1, '$reason', false, 0, 'EUR', x.at, x.at, NULL)
			  FROM dunning.egress e, (SELECT dunning._uuid7() AS id, now() AS at OFFSET 0) x WHERE e.slice = $slice AND e.seq = $seq - 1
			RETURNING seq, digest)
		UPDATE dunning.egress_head h SET seq = w.seq, digest = w.digest FROM written w WHERE h.slice = $slice});
}
sub chain { return $node->safe_psql('book', "SELECT links || ' ' || ok FROM dunning.verify_egress() WHERE slice = $slice") }
sub complaints { my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile); my $n = () = $log =~ /another process has written to the egress chains/g; return $n }

is(send_next(), 1, 'the first leaves');
is(send_next(), 1, 'so does the next');
is(complaints(), 0, 'from a head that was kept');

write_link(3, 'a longer chain');
is(send_next(), 1, 'after a link of somebody else one leaves once');
is(complaints(), 1, 'which was noticed');
is(chain(), '4 true', 'and nothing was forked');

write_link(4, 'another link of that number');
is(send_next(), 1, 'after another link in the place of the last one leaves once');
is(complaints(), 2, 'which was noticed by its digest');
is(chain(), '5 true', 'and the next follows that one');
is($node->safe_psql('book', 'SELECT pid FROM dunning.stat_worker'), $pid, 'all by one worker');
$node->stop;
done_testing();
