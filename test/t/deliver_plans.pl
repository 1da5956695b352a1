# A worker keeps its plans. Those that it makes while the tables are small and known to be (vacuumed and analyzed) must still be
# right when they have grown: no table of messages or of the ledger is read from end to end for a batch.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = 'postgres';
my $gateway = Catcher->new(honour_keys => 1);
my $node = PostgreSQL::Test::Cluster->new('plans');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning, auto_explain'\nauto_explain.log_min_duration = 0\nauto_explain.log_nested_statements = on\nauto_explain.log_level = log\n"
	  . "autovacuum = off\nlog_line_prefix = '%p %b '\ndunning.clock = '2026-06-22 10:00+02'\ntimezone = 'UTC'\ndunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\n");
$node->start;
my $url = $gateway->http_url;
$node->safe_psql($db, qq{
	SET client_min_messages = error;
	CREATE EXTENSION dunning;
	CREATE SERVER web TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url '$url', contract 'repeat');
	CREATE USER MAPPING FOR dunning_worker SERVER web;
	SELECT dunning.activate()});

# So many more debtors with an invoice and a message each, sent.
sub send_to
{
	my ($from, $to) = @_;
	$node->safe_psql($db, qq{
		INSERT INTO dunning.debtor (debtor_id, name, language, country, email) SELECT 'd' || i, 'Name', 'en', 'DK', 'd' || i || '\@example.org' FROM generate_series($from, $to) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'd' || i, 'I', '2026-05-01', '2026-06-01', 100, 'DKK' FROM generate_series($from, $to) i;
		SELECT count(*) FROM generate_series($from, $to) i, dunning.send('d' || i, 'reminder-1', 'email')});
	return $node->poll_query_until($db, "SELECT count(*) = $to FROM dunning.message_state WHERE state = 'sent'");
}
ok(send_to(1, 12), 'the first are sent');
# Whoever knows that a table has a page reads that page.
$node->safe_psql($db, 'VACUUM ANALYZE');
like($node->safe_psql($db, "EXPLAIN SELECT FROM dunning.debtor WHERE debtor_id = 'd1'"), qr/Seq Scan/, 'others would read all of a small table');
my $before = -s $node->logfile;
ok(send_to(13, 40), 'others are sent, by plans that know the tables');

my $log = substr(slurp_file($node->logfile), $before);
my ($plans, %whole) = (0);
for my $entry (split /^(?=\d+ \S[^\n]*? LOG:  )/m, $log)
{
	next unless $entry =~ /^\d+ dunning worker.*?LOG:  duration: .*?plan:/s;
	$plans++;
	$whole{$1} = $entry while $entry =~ /Seq Scan on (?:dunning\.)?((?:queue|message|body|egress|outcome|event|debtor|invoice|payment|once|suppression|consent)\w*)/g;
}
cmp_ok($plans, '>', 20, "the worker's plans were seen ($plans)");
is(join(', ', sort keys %whole), '', 'none of them reads a table from end to end');
diag((values %whole)[0]) if %whole;
$node->stop;
$gateway->stop;
done_testing();
