# The steps that the planning core in C decides are those of the plain SQL of test/plan/reference.sql, on random odd books.
# N=debtors (3000) SEED=number (1): one book more of that size.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Basename;

my $from = dirname(__FILE__) . '/../plan';
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf',
	"fsync = off\njit = off\nshared_preload_libraries = 'dunning'\ndunning.databases = ''\ntimezone = 'UTC'\ndunning.timezone = 'Europe/Copenhagen'\ndunning.clock = '2026-03-10 09:00+00'\n");
$node->start;

# run(database, file, variable => value...): what psql prints
sub run_file
{
	my ($db, $file, %v) = @_;
	my ($out, $err) = ('', '');
	my @sets = map { ('-v', "$_=$v{$_}") } keys %v;
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), @sets, '-f', "$from/$file" ], '>', \$out, '2>', \$err) or die "$file: $err";
	return $out;
}

my ($n, $seed) = ($ENV{N} || 3000, $ENV{SEED} || 1);
for my $s ($seed, $seed + 1)
{
	my $db = "book$s";
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION dunning');
	run_file($db, 'reference.sql');
	run_file($db, 'book.sql', n => $n, seed => $s);
	my $differ = sub {
		my ($name, %v) = @_;
		my $out = run_file($db, 'compare.sql', %v);
		my ($rows) = $out =~ /rows (\d+)/;
		my @bad = $out =~ /^(differs: .*)$/mg;
		note((split /\n/, $out)[0]);
		ok($rows > 0 && !@bad && ($name !~ /random odd book/ || $out =~ / early [1-9]/), "$name, book $s") or diag(join "\n", @bad);
	};
	$differ->('the ladder in C and the ladder in SQL agree on a random odd book', as_of => 'NULL', many => 'NULL');
	$differ->('they agree on some of its debtors', as_of => 'NULL', many => "ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE d.debtor_id ~ '[37]')");
	$differ->('they agree on another day', as_of => "'2026-03-04 08:00+01'::timestamptz", many => 'NULL');
	$differ->('they agree on a day to come', as_of => "'2026-03-29 23:30+02'::timestamptz", many => 'NULL');
	# Parts of a book that does not fit the memory of a hash are read from files.
	$node->safe_psql('postgres', "ALTER DATABASE $db SET work_mem = '64kB'");
	$differ->('they agree on a book larger than memory', as_of => 'NULL', many => 'NULL');
}

# A source that states open amounts: they are the balance of the present, not of the past.
$node->safe_psql("book$seed", <<'SQL');
CREATE VIEW public.stated AS SELECT i.debtor_id, i.invoice_id, i.issued_on, i.due_on, i.amount, i.currency, i.kind, i.disputed, i.cancelled_at,
    CASE WHEN abs(hashtext(i.invoice_id || i.debtor_id)) % 9 = 0 THEN NULL WHEN abs(hashtext(i.invoice_id)) % 5 = 0 THEN -i.amount / 3 WHEN abs(hashtext(i.debtor_id)) % 4 = 0 THEN 0 ELSE round(i.amount / 2, 2) END AS open_amount
    FROM dunning.invoice i;
GRANT SELECT ON public.stated TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'public.stated');
SQL
for my $case ([ 'of the present', 'NULL' ], [ 'of the past', "'2026-03-04 08:00+01'::timestamptz" ])
{
	my $out = run_file("book$seed", 'compare.sql', as_of => $case->[1], many => 'NULL');
	my @bad = $out =~ /^(differs: .*)$/mg;
	ok($out =~ /rows [1-9]/ && !@bad, "they agree where the source states open amounts, $case->[0]") or diag($out);
}

# Columns of char(n), as older schemas have: what they are padded with is no part of a name.
$node->safe_psql("book$seed", <<'SQL');
CREATE VIEW public.padded AS SELECT i.debtor_id, i.invoice_id, i.issued_on, i.due_on, i.amount, i.currency::char(12) AS currency, i.kind, i.disputed, i.cancelled_at FROM dunning.invoice i;
CREATE VIEW public.padded_payment AS SELECT p.debtor_id, p.payment_id, p.invoice_id, p.paid_at, p.amount, p.currency::char(12) AS currency FROM dunning.payment p;
GRANT SELECT ON public.padded, public.padded_payment TO dunning_owner, dunning_worker;
SELECT dunning.bind('invoice', 'public.padded'), dunning.bind('payment', 'public.padded_payment');
SQL
{
	my $out = run_file("book$seed", 'compare.sql', as_of => 'NULL', many => 'NULL');
	my @bad = $out =~ /^(differs: .*)$/mg;
	ok($out =~ /rows [1-9]/ && !@bad, 'they agree where currencies are padded') or diag($out);
	is($node->safe_psql("book$seed", "SELECT count(*) FROM unnest(dunning._ladder_texts(true)) t WHERE t ~ 'SELECT l.source_id, l.source_invoice, l.source_currency' AND t ~ 's.currency AS source_currency'"), '2', 'and they are read as they stand');
}
done_testing();
