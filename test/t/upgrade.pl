# A database brought forward from every released version has the same objects as a fresh install.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my ($current) = slurp_file("$root/dunning.control") =~ /default_version = '([^']+)'/;
my @released = grep { $_ ne $current }
	map { m{/dunning--([0-9.]+)\.sql$} ? $1 : () } glob("$root/sql/updates/dunning--*.sql");
plan skip_all => "no version before $current was released" unless @released;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\n");
$node->start;

# Everything of ours that the catalog knows: definitions, comments, rights, settings of functions, dump filters.
my $catalog = q{
	SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
		SELECT 'function ' || p.oid::regprocedure || ' ' || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') ||
			coalesce(obj_description(p.oid, 'pg_proc'), '-') AS line
		FROM pg_proc p WHERE p.pronamespace = 'dunning'::regnamespace AND p.prokind IN ('f', 'p')
		UNION ALL
		SELECT 'column ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull ||
			coalesce(pg_get_expr(d.adbin, d.adrelid), '') || coalesce(c.relacl::text, '') || coalesce(a.attacl::text, '')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'c')
		UNION ALL
		SELECT 'view ' || c.oid::regclass || pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind = 'v'
		UNION ALL
		SELECT 'constraint ' || k.conrelid::regclass || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
		FROM pg_constraint k WHERE k.connamespace = 'dunning'::regnamespace
		UNION ALL
		SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = 'dunning'::regnamespace
		UNION ALL
		SELECT 'member ' || (pg_identify_object(d.classid, d.objid, 0)).identity
		FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dunning')
		UNION ALL
		SELECT 'dump ' || r::regclass || ' ' || f FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS x(r, f) WHERE e.extname = 'dunning'
	) x};
my $rows = q{
	SELECT string_agg(format('%s=%s', c.relname,
		(xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM dunning.%I', c.relname), false, true, '')))[1]::text), E'\n' ORDER BY c.relname)
	FROM pg_class c WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind = 'r'};

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION dunning');
my ($want, $want_rows) = ($node->safe_psql('fresh', $catalog), $node->safe_psql('fresh', $rows));

for my $version (@released)
{
	(my $db = "from_$version") =~ tr/./_/;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION dunning VERSION '$version'");
	$node->safe_psql($db, "ALTER EXTENSION dunning UPDATE");
	is($node->safe_psql($db, $catalog), $want, "an upgrade from $version has the objects of a fresh install");
	is($node->safe_psql($db, $rows), $want_rows, "and its shipped rows");
}
$node->stop;
done_testing();
