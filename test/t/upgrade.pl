# A database brought forward from every released version has the objects and the shipped rows of a fresh install; its
# own rows stay, and work goes on. Where the first fails, `make release-delta FROM=<version>` has not been run.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my ($current) = slurp_file("$root/dunning.control") =~ /default_version = '([^']+)'/;
my @released = grep { $_ ne $current }
	map { m{/dunning--([0-9.]+)\.sql$} ? $1 : () } sort glob("$root/sql/updates/dunning--*.sql");
plan skip_all => "no version before $current was released" unless @released;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = ''\nfsync = off\n");
$node->start;

# What the catalog knows of us, one line a fact. Written apart from the query that makes the update scripts, so that
# what one forgets the other sees. Rights and comments are gathered from every object of the schema, whatever it is.
my $catalog = slurp_file("$root/test/t/upgrade_catalog.sql");
my $counts = q{
	SELECT string_agg(format('%s=%s', c.relname, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM dunning.%I t%s', c.relname,
		CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'builtin' AND NOT a.attisdropped) THEN ' WHERE NOT t.builtin' ELSE '' END),
		false, true, '')))[1]::text), E'\n' ORDER BY c.relname)
	FROM pg_class c WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p')};

# Lines that only one side has.
# C functions that the SQL of a database gives fewer arguments than a fresh install's does, and that do not ask for their number: between
# the new library and ALTER EXTENSION they would read what nobody gave.
sub short_calls
{
	my ($db) = @_;
	my %of;
	for my $at ($db, 'fresh')
	{
		$of{$at} = { map { split /\|/ } split /\n/, $node->safe_psql($at, q{
			SELECT p.prosrc || '|' || min(p.pronargs) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
			WHERE l.lanname = 'c' AND p.probin LIKE '%dunning' GROUP BY p.prosrc}) };
	}
	my $source = join "\n", map { slurp_file($_) } glob "$root/src/*/*.c";
	return grep { my $name = $_;
		exists $of{fresh}{$name} && $of{$db}{$name} < $of{fresh}{$name} && $source !~ /^\Q$name\E\(PG_FUNCTION_ARGS\)\n\{(?:(?!^\}).)*?PG_NARGS\(\)/ms } sort keys %{ $of{$db} };
}

sub differences
{
	my ($have, $want) = @_;
	my %have = map { $_ => 1 } split /\n/, $have;
	my %want = map { $_ => 1 } split /\n/, $want;
	return ((map { "missing: $_" } grep { !$have{$_} } sort keys %want), (map { "not in a fresh install: $_" } grep { !$want{$_} } sort keys %have));
}

sub same_as_fresh
{
	my ($db, $want, $name) = @_;
	my @off = differences($node->safe_psql($db, $catalog), $want);
	ok(!@off, $name);
	diag(map { substr($_, 0, 400) . "\n" } @off[ 0 .. ($#off < 40 ? $#off : 40) ]) if @off;
	diag('run: make release-delta') if @off;
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION dunning');
my $want = $node->safe_psql('fresh', $catalog);

for my $version (@released)
{
	# A database of the old version runs with the new library until it is updated, and so does a restore of its dump.
	my %symbol = map { $_ => 1 } slurp_file("$root/sql/updates/dunning--$version.sql") =~ /'MODULE_PATHNAME', '(\w+)'/g;
	my $list = join ', ', map { "'$_'" } sort keys %symbol;
	my $missing = $node->safe_psql('fresh', qq{
		CREATE FUNCTION pg_temp.missing() RETURNS SETOF text LANGUAGE plpgsql AS \$\$
		DECLARE
			symbol text;
		BEGIN
			FOREACH symbol IN ARRAY ARRAY[$list] LOOP
				BEGIN
					EXECUTE format('CREATE FUNCTION pg_temp.probe() RETURNS void LANGUAGE c AS ''\$libdir/dunning'', %L', symbol);
					DROP FUNCTION pg_temp.probe();
				EXCEPTION WHEN undefined_function THEN
					RETURN NEXT symbol;
				END;
			END LOOP;
		END \$\$;
		SELECT * FROM pg_temp.missing()});
	is($missing, '', "the library has every C function that version $version names")
		or diag("dunning--$version.sql is released and names these: keep them in the library, if only to raise an error that asks for ALTER EXTENSION dunning UPDATE");
	next if $missing ne '';

	(my $db = "from_$version") =~ tr/./_/;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION dunning VERSION '$version'");
	is(join(' ', short_calls($db)), '', "the library looks how many arguments it has got where the SQL of $version gives fewer");
	my ($rc, $out, $err) = $node->psql($db, 'ALTER EXTENSION dunning UPDATE');
	is($rc, 0, "ALTER EXTENSION dunning UPDATE runs from $version") or diag($err), next;
	same_as_fresh($db, $want, "an upgrade from $version has the objects and shipped rows of a fresh install");

	my $book = "$root/test/t/upgrade_book-$version.sql";
	ok(-e $book, "there is a book of version $version") or next;
	$node->safe_psql('postgres', "CREATE DATABASE book_$db");
	$node->safe_psql("book_$db", "CREATE EXTENSION dunning VERSION '$version'");
	command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr("book_$db"), '-f', $book ], "the book of version $version loads");
	my $before = $node->safe_psql("book_$db", $counts);
	like($before, qr/^$_=[1-9]/m, "$_ has rows to lose") for qw(queue message egress template);
	($rc, $out, $err) = $node->psql("book_$db", 'ALTER EXTENSION dunning UPDATE');
	is($rc, 0, "a book of version $version is updated") or diag($err), next;
	my %after = map { split /=/ } split /\n/, $node->safe_psql("book_$db", $counts);
	my @lost = grep { my ($table, $n) = split /=/; exists $after{$table} && $after{$table} != $n } split /\n/, $before;
	is("@lost", '', 'every table that is still there has as many rows of its own as before');

	# A dump of what was updated restores over a fresh install of the new version.
	my $dump = $node->basedir . "/$db.sql";
	command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr("book_$db") ], 'the updated book is dumped');
	$node->safe_psql('postgres', "CREATE DATABASE again_$db");
	command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr("again_$db"), '-f', $dump ], 'and restored');
	is($node->safe_psql("again_$db", $counts), $node->safe_psql("book_$db", $counts), 'with the same rows');

	# The work goes on: months made by the old version take new rows, queued messages can be stopped, shipped rows read.
	is($node->safe_psql("book_$db", q{SELECT subject FROM dunning._template('reminder-1', 'email', 'en', 'default')}), 'Our own words', 'a saved template is still in force');
	is($node->safe_psql("book_$db", q{SELECT state FROM dunning.cancel((SELECT q.message_id FROM dunning.queue q ORDER BY q.message_id LIMIT 1), 'upgraded')}),
		'cancelled', 'a message queued before can be cancelled');
	cmp_ok($node->safe_psql("book_$db", q{SELECT count(*) FROM dunning.plan() p WHERE p.state IN ('queued', 'proposed')}), '>', 10, 'the book is planned');

	# Months made before: an update does not reach their indexes and rights, maintain() does, once.
	my $months = q{SELECT sum((SELECT count(*) FROM pg_index x WHERE x.indrelid = i.inhrelid)) || ' ' || string_agg(c.relacl::text, ' ' ORDER BY c.relname)
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind = 'r'};
	$node->safe_psql("book_$db", 'SELECT count(*) FROM dunning.maintain()');
	my $equipped = $node->safe_psql("book_$db", $months);
	is($node->safe_psql("book_$db", 'SELECT dunning._equip_partitions()'), '0', 'months that maintain() has seen lack nothing');
	$node->safe_psql("book_$db", q{DO $$ BEGIN EXECUTE (SELECT format('DROP INDEX %s; REVOKE SELECT ON %s FROM dunning_worker', min(x.indexrelid::regclass::text), min(x.indrelid::regclass::text))
		FROM pg_index x WHERE x.indrelid::regclass::text ~ '^dunning.egress_y' AND NOT x.indisprimary AND x.indrelid = (SELECT max(i.inhrelid) FROM pg_inherits i WHERE i.inhparent = 'dunning.egress'::regclass)); END $$});
	is($node->safe_psql("book_$db", q{SELECT m.rows FROM dunning.maintain() m WHERE m.item = 'indexes and rights of partitions'}), '2', 'a lost index and a lost right come back');
	is($node->safe_psql("book_$db", $months), $equipped, 'as they were');
	is($node->safe_psql("book_$db", q{SELECT string_agg(v.links || ' ' || v.ok, ' ') FROM dunning.verify_egress() v}), '1 true', 'the egress chain holds');
}

# The comparison sees each kind of difference: one change at a time to a fresh install, rolled back.
my %change = (
	'a function'                   => 'CREATE FUNCTION dunning.x() RETURNS int LANGUAGE sql RETURN 1',
	'a body'                       => q{CREATE OR REPLACE FUNCTION dunning._now() RETURNS timestamptz LANGUAGE c STABLE PARALLEL SAFE AS '$libdir/dunning', 'dun_base_sql_virtual_clock'},
	'a volatility'                 => 'ALTER FUNCTION dunning._now() VOLATILE',
	'parallel safety'              => 'ALTER FUNCTION dunning._now() PARALLEL UNSAFE',
	'strictness'                   => 'ALTER FUNCTION dunning._hash64(text, bigint) CALLED ON NULL INPUT',
	'security definer'             => 'ALTER FUNCTION dunning._ensure_partitions(timestamptz) SECURITY INVOKER',
	'a setting of a function'      => 'ALTER FUNCTION dunning._ensure_partitions(timestamptz) RESET search_path',
	'a cost'                       => 'ALTER FUNCTION dunning._now() COST 77',
	'the owner of a function'      => 'ALTER FUNCTION dunning._now() OWNER TO CURRENT_USER',
	'a right on a function'        => 'GRANT EXECUTE ON FUNCTION dunning._uuid7() TO dunning_viewer',
	'a right of PUBLIC'            => 'GRANT EXECUTE ON FUNCTION dunning._uuid7() TO PUBLIC',
	'a comment'                    => q{COMMENT ON FUNCTION dunning._now() IS 'else'},
	'a comment of a column'        => q{COMMENT ON COLUMN dunning.queue.due IS 'else'},
	'an aggregate'                 => 'CREATE AGGREGATE dunning.x(int) (SFUNC = int4pl, STYPE = int)',
	'an attribute of a type'       => 'ALTER TYPE dunning.planned ADD ATTRIBUTE x int',
	'the order of attributes'      => 'ALTER TYPE dunning.planned DROP ATTRIBUTE debtor_id; ALTER TYPE dunning.planned ADD ATTRIBUTE debtor_id text',
	'the owner of a type'          => 'ALTER TYPE dunning.planned OWNER TO CURRENT_USER',
	'a table'                      => 'CREATE TABLE dunning.x (a int)',
	'a column'                     => 'ALTER TABLE dunning.queue ADD COLUMN x int',
	'a type of a column'           => 'ALTER TABLE dunning.hold ALTER COLUMN note TYPE varchar(9)',
	'a collation'                  => 'ALTER TABLE dunning.hold ALTER COLUMN note TYPE text COLLATE "C"',
	'a default'                    => 'ALTER TABLE dunning.queue ALTER COLUMN attempts SET DEFAULT 7',
	'NOT NULL'                     => 'ALTER TABLE dunning.hold ALTER COLUMN note SET NOT NULL',
	'a constraint'                 => 'ALTER TABLE dunning.hold ADD CONSTRAINT x CHECK (note <> debtor_id)',
	'a missing constraint'         => 'ALTER TABLE dunning.queue DROP CONSTRAINT queue_state_check',
	'an index'                     => 'CREATE INDEX ON dunning.hold (note)',
	'a missing index'              => 'DROP INDEX dunning.queue_due',
	'a storage option'             => 'ALTER TABLE dunning.queue RESET (fillfactor)',
	'row security'                 => 'ALTER TABLE dunning.queue ENABLE ROW LEVEL SECURITY',
	'the owner of a table'         => 'ALTER TABLE dunning.queue OWNER TO CURRENT_USER',
	'a right on a table'           => 'GRANT SELECT ON dunning.suppression TO dunning_viewer',
	'a right on a column'          => 'GRANT SELECT (context) ON dunning.message TO dunning_viewer',
	'a taken right on a column'    => 'REVOKE SELECT (debtor_id) ON dunning.message FROM dunning_viewer',
	'a view'                       => 'CREATE OR REPLACE VIEW dunning.progress WITH (security_invoker, security_barrier) AS SELECT p.pid, p.usename, p.kind, p.model, p.stage, p.done, 1 AS total FROM dunning._progress() p',
	'a security option of a view'  => 'ALTER VIEW dunning.progress RESET (security_barrier)',
	'a filter of the dump list'    => q{UPDATE pg_extension SET extcondition[1] = 'WHERE false' WHERE extname = 'dunning'},
	'a table left out of the dump' => 'ALTER EXTENSION dunning DROP TABLE dunning.hold; ALTER EXTENSION dunning ADD TABLE dunning.hold',
	'a lost member'                => 'ALTER EXTENSION dunning DROP FUNCTION dunning._now()',
	'a right on the wrapper'       => 'GRANT USAGE ON FOREIGN DATA WRAPPER dunning_gateway TO dunning_viewer',
	'the validator of the wrapper' => 'ALTER FOREIGN DATA WRAPPER dunning_gateway NO VALIDATOR',
	'a right on the schema'        => 'GRANT CREATE ON SCHEMA dunning TO dunning_viewer',
	'a lost shipped row'           => q{DELETE FROM dunning.channel WHERE channel = 'visit'},
	'a changed shipped row'        => q{UPDATE dunning.template SET body_text = 'else' WHERE template = 'reminder-1' AND language = 'en' AND channel = 'sms'},
	'an added shipped row'         => q{INSERT INTO dunning.setting (name, builtin, value, description) VALUES ('x', true, '1', 'x')},
);
my @unseen;
for my $name (sort keys %change)
{
	my ($rc, $out, $err) = $node->psql('fresh', "SET allow_system_table_mods = on; SET client_min_messages = error; BEGIN; $change{$name};\n$catalog;\nROLLBACK", on_error_stop => 1);
	my @off = differences($out, $want);
	push @unseen, "$name ($err)" if $rc != 0 || !@off;
}
is(join("\n", @unseen), '', 'the comparison sees each of ' . keys(%change) . ' kinds of difference');
same_as_fresh('fresh', $want, 'and sees none where there is none');
$node->stop;
done_testing();
