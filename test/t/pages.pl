# docs/contact-time.md and docs/compliance.md, literally: their sql blocks and the statements in their text run as they stand on a small book
# that knows the debtor they name, and each text block after one is what comes out. WRITE_PAGES=1 writes what came out into the pages.
use strict;
use warnings;
use Page;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('pages');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndunning.clock = '2026-06-08 06:00+00'\nfsync = off\n");
$node->start;

for my $name (qw(contact-time compliance))
{
	my $file = "$ENV{DUNNING_ROOT}/docs/$name.md";
	my $page = Page->new($file);
	my $db = $name =~ tr/-/_/r;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	# Four weeks of contacts, one in ten drawn by lot: as the queue leaves them.
	$node->safe_psql($db, q{
		CREATE EXTENSION dunning;
		INSERT INTO dunning.debtor (debtor_id, person_id, kind, name, country, email, phone) SELECT i::text, i::text, 'person', 'Debtor ' || i, 'DK', i || '@example.org', '+4520' || i FROM generate_series(1040, 1043) i;
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT i::text, 'I' || i, '2026-04-01', '2026-05-01', 100, 'DKK' FROM generate_series(1040, 1043) i;
		SELECT dunning._ensure_partitions();
		SELECT dunning.maintain();
	});
	my @blocks = $page->blocks('sql');
	cmp_ok(scalar @blocks, '>=', 1, "$name has blocks that are run");
	for my $block (@blocks)
	{
		my $first = Page::first_line($block);
		my ($code, $out, $err) = $node->psql($db, $block->{text}, extra_params => [ '-P', 'format=aligned', '-P', 'tuples_only=off', '-P', 'border=1' ]);
		is($err, '', "$name: runs: $first") or next;
		next unless $block->{expected};
		$out = Page::printed($out);
		if ($ENV{WRITE_PAGES}) { $block->{expected}{text} = $out }
		else { like($out, Page::pattern($block), "$name: the_page_shows_what_comes_out: $first") }
	}
	my @statements = map { $_->{text} =~ /`(SELECT [^`]*?;)`/g } $page->blocks('prose');
	for my $statement (@statements)
	{
		my ($code, $out, $err) = $node->psql($db, $statement);
		is($code, 0, "$name: runs: $statement") or diag($err);
	}
	next unless $ENV{WRITE_PAGES};
	open(my $to, '>', $file) or die "$file: $!";
	print $to $page->text;
	close $to;
}
$node->stop;
done_testing();
