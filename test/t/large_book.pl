# A large book is scored and planned in seconds, by the calls that daily() makes. The limits are generous: this runs anywhere.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $debtors = 10_000;
my $node = PostgreSQL::Test::Cluster->new('large');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\nfsync = off\njit = off\nwork_mem = '32MB'\n"
	  . "shared_buffers = '256MB'\ndunning.clock = '2026-06-22 10:00+00'\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }

# Six invoices each, one of them open; most were paid, many of them late.
sql(qq{CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email)
	SELECT 'd' || i, 'Name ' || i, 'Given', 'en', 'GB', 'd' || i || '\@example.org' FROM generate_series(1, $debtors) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency)
	SELECT 'd' || i, i || '-' || m, date '2026-06-01' - 30 * m + i % 20 - 30, date '2026-06-01' - 30 * m + i % 20, 50 + i % 200, 'GBP' FROM generate_series(1, $debtors) i, generate_series(0, 5) m;
	INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, paid_at, amount, currency)
	SELECT debtor_id, 'p' || invoice_id, invoice_id, due_on + (abs(hashtext(invoice_id)) % 25 - 8) + time '12:00', amount, currency FROM dunning.invoice WHERE invoice_id !~ '-0\$';
	ANALYZE dunning.debtor; ANALYZE dunning.invoice; ANALYZE dunning.payment});

sub takes
{
	my ($what, $limit, $sql) = @_;
	my $started = time;
	my $result = sql($sql);
	my $took = time - $started;
	cmp_ok($took, '<', $limit, sprintf '%s: %.1f s of %d debtors and %d invoices', $what, $took, $debtors, 6 * $debtors);
	return $result;
}
takes('a_large_book_is_scored_in_seconds', 60, 'SELECT count(*) FROM dunning.score()');
my $planned = takes('a_large_book_is_planned_in_seconds', 60, "SELECT count(*) FROM dunning.plan() WHERE state = 'queued'");
cmp_ok($planned, '>', $debtors / 4, "$planned contacts were planned");
is(takes('and a second run finds nothing to do', 60, "SELECT count(*) FROM dunning.plan() WHERE state = 'queued'"), '0', 'nothing twice');

# A text is asked for once a creditor; the one debtor of a second creditor falls into the last part of the book.
my $last = sql("SELECT 'l' || i FROM generate_series(1, 10000) i WHERE dunning._hash64('l' || i) BETWEEN -144115188075855872 AND -1 ORDER BY i LIMIT 1");
sql("INSERT INTO dunning.debtor (debtor_id, creditor, country, email) VALUES ('$last', 'last', 'GB', 'last\@example.org');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('$last', 'i', '2026-05-01', '2026-06-01', 100, 'GBP');
	GRANT SELECT ON pg_backend_memory_contexts TO dunning_owner; GRANT EXECUTE ON FUNCTION pg_get_backend_memory_contexts() TO dunning_owner;
	CREATE OR REPLACE FUNCTION dunning._has_template(template text, channel text, creditor text) RETURNS boolean LANGUAGE plpgsql STABLE AS \$\$
	BEGIN
		RAISE NOTICE '%: % kB', creditor, (SELECT max(c.used_bytes) / 1024 FROM pg_backend_memory_contexts c WHERE c.name = 'SPI Proc');
		RETURN true;
	END \$\$");
my ($out, $said) = ('', '');
$node->psql('postgres', 'SELECT count(*) FROM dunning.plan(dry_run => true)', stdout => \$out, stderr => \$said);
my ($kept) = $said =~ /last: (\d+) kB/;
cmp_ok($kept // 1e9, '<', 1024, 'what a debtor takes in memory is given back before the next one: ' . ($kept // 'nobody asked') . ' kB');
$node->stop;
done_testing();
