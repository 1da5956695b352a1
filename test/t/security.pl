# A hostile role, a hostile search_path and a hostile bound view: who may do what, and that nothing of theirs runs as a superuser or stays behind.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{DUNNING_ROOT};
my $secrets = PostgreSQL::Test::Utils::tempdir;
my $stamp = 1782115200;    # the clock below
for my $name ('link.key', 'text.secret')
{
	my $file = "$secrets/$name";
	append_to_file($file, "a secret of thirty-two characters\n");
	chmod 0600, $file;
}
my $headers = sprintf '{"x-dunning-timestamp": "%d", "x-dunning-signature": "sha256=%s"}', $stamp,
  hmac_sha256_hex("$stamp.{\"event\": \"delivered\"}", 'a secret of thirty-two characters');

my $node = PostgreSQL::Test::Cluster->new('security');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\ndunning.clock = '2026-06-22 10:00+02'\n"
	  . "dunning.secret_directory = '$secrets'\nmax_prepared_transactions = 2\nfsync = off\n");
$node->start;

sub run_calls
{
	my ($db, %option) = @_;
	local $ENV{PGOPTIONS} = $option{options} // '';
	my ($out, $err);
	IPC::Run::run([ 'psql', '-X', '-q', '-o', '/dev/null', '-v', "headers=$headers", '-v', 'ON_ERROR_STOP=0', '-d', $node->connstr($db), @{ $option{set} // [] }, '-f', $option{file} ],
		'>', \$out, '2>', \$err);
	return join "\n", grep { /ERROR|FATAL|PANIC|LINE/ } split /\n/, $err;
}

# the_privilege_matrix_is_the_one_checked_in
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');
my @found = split /\n/, $node->safe_psql('postgres', slurp_file("$root/test/t/security_privileges.sql"));
my @listed = split /\n/, slurp_file("$root/test/t/security.privileges");
my (%found, %listed);
@found{@found} = @listed{@listed} = ();
is_deeply([ grep { !exists $listed{$_} } @found ], [], 'every right stands in security.privileges (make privileges writes it)');
is_deeply([ grep { !exists $found{$_} } @listed ], [], 'and nothing else stands there');
is_deeply([ grep { /: (?:.*\W)?public\b/ } @found ], [], 'public has no right');
is_deeply([ grep { /^table.*(viewer|operator|admin) [^,]*(INSERT|UPDATE|DELETE|TRUNCATE|TRIGGER)/ } @found ], [], 'no person writes a table directly, or hangs a trigger on it');
is($node->safe_psql('postgres', q{SELECT string_agg(s.name, ' ') FROM pg_settings s WHERE s.name ~ '^dunning\.' AND s.context NOT IN ('postmaster', 'sighup', 'superuser')}), 'dunning.train_memory', 'no setting but a memory limit is for everybody');

# a_hostile_role_gets_nowhere
$node->safe_psql('postgres', 'CREATE ROLE nobody_special LOGIN; CREATE ROLE clerk LOGIN IN ROLE dunning_operator; CREATE ROLE reader LOGIN IN ROLE dunning_viewer; CREATE ROLE chief LOGIN IN ROLE dunning_admin');
for (
	[ 'nobody_special', 'SELECT dunning._now()', 'permission denied for schema dunning' ],
	[ 'reader', 'SELECT note FROM dunning.hold', 'permission denied for table hold' ],
	[ 'reader', 'SELECT context FROM dunning.message', 'permission denied for table message' ],
	[ 'reader', 'SELECT * FROM dunning.body', 'permission denied for table body' ],
	[ 'reader', q{SELECT dunning.hold('d1', 'manual')}, 'permission denied for function hold' ],
	[ 'reader', q{SELECT * FROM dunning.find_debtor('a')}, 'permission denied for function find_debtor' ],
	[ 'reader', 'CALL dunning.deliver()', 'permission denied for procedure deliver' ],
	[ 'clerk', 'SELECT dunning.activate()', 'permission denied for function activate' ],
	[ 'clerk', q{SELECT dunning.bind('debtor', 'pg_class')}, 'permission denied for function bind' ],
	[ 'clerk', q{SELECT dunning._ledger_sql('debtor')}, 'permission denied for function _ledger_sql' ],
	[ 'clerk', q{INSERT INTO dunning.queue (debtor_id) VALUES ('x')}, 'permission denied for table queue' ],
	[ 'clerk', 'CREATE TRIGGER t AFTER INSERT ON dunning.queue EXECUTE FUNCTION suppress_redundant_updates_trigger()', 'permission denied for table queue' ],
	[ 'clerk', 'CREATE RULE r AS ON INSERT TO dunning.queue DO ALSO NOTHING', 'must be owner of table queue' ],
	[ 'clerk', 'CREATE POLICY p ON dunning.queue', 'must be owner of table queue' ],
	[ 'clerk', 'CREATE FUNCTION dunning.x() RETURNS int LANGUAGE sql RETURN 1', 'permission denied for schema dunning' ],
	[ 'clerk', q{CREATE SERVER s FOREIGN DATA WRAPPER dunning_gateway}, 'permission denied for foreign-data wrapper dunning_gateway' ],
	[ 'clerk', 'SET ROLE dunning_owner', 'permission denied to set role "dunning_owner"' ],
	[ 'chief', 'SET ROLE dunning_worker', 'permission denied to set role "dunning_worker"' ],
	[ 'chief', q{SET dunning.redirect_to = 'x@y.test'}, 'permission denied to set parameter "dunning.redirect_to"' ],
	[ 'chief', q{SET dunning.allowed_hosts = '*'}, 'permission denied to set parameter "dunning.allowed_hosts"' ],
	[ 'chief', q{SET dunning.clock = '2027-01-01 00:00+00'}, 'permission denied to set parameter "dunning.clock"' ],
	[ 'chief', q{SELECT dunning.save_segment('x', 'true) OR (SELECT true', 1)}, 'syntax error' ],
	[ 'chief', q{SELECT dunning.save_segment('x', 'true UNION SELECT true', 1)}, 'not one SQL expression' ],
	[ 'chief', q{SELECT dunning.save_segment('x', 'true; DROP TABLE dunning.queue', 1)}, 'syntax error' ],
	[ 'chief', q{SELECT dunning.save_segment('x', 'true --', 1)}, 'the predicate cannot be run' ],
	[ 'chief', q{SELECT dunning.save_segment('x', 'true /* ', 1)}, 'unterminated /\* comment' ])
{
	my ($role, $sql, $expected) = @$_;
	my ($rc, $out, $err) = $node->psql('postgres', "SET client_min_messages = error; $sql", connstr => $node->connstr('postgres') . " user=$role");
	like($err, qr/$expected/, "$role: $sql");
}
is($node->safe_psql('postgres', "SELECT rolcanlogin AND rolconnlimit = 0 AND NOT rolsuper FROM pg_roles WHERE rolname = 'dunning_worker'"), 't', 'nobody can connect as the worker');
is(scalar($node->psql('postgres', 'SELECT 1', connstr => $node->connstr('postgres') . ' user=dunning_worker')), 2, 'not even locally');

# every_call_that_is_granted_is_among_those_tried_below
my $calls = slurp_file("$root/test/t/security_calls.sql");
my %granted = map { /^(?:function|procedure) dunning\.([a-z]\w*)\(.*\): (?!nobody)/ ? ($1 => 1) : () } @found;
cmp_ok(scalar(keys %granted), '>', 60, 'there are calls');
is_deeply([ grep { $calls !~ /\bdunning\.$_\b/ } sort keys %granted ], [], 'every call stands in security_calls.sql');
my @views = map { /^view (dunning\.\w+): (?!nobody)/ ? $1 : () } @found;
is_deeply([ grep { $calls !~ /\Q$_\E\b/ } sort @views ], [], 'and every view');
$node->safe_psql('postgres', 'DROP EXTENSION dunning');

# Somebody who was not contacted yet, for the worker.
my $newcomer = q{INSERT INTO book.debtor VALUES ('d999', 'Name', 'Given', 'en', 'GB', 'd999@example.org', NULL); INSERT INTO book.invoice VALUES ('I999', 'd999', '2026-05-01', '2026-06-01', 100, 'GBP')};

# A book, read through views that a mean schema's owner wrote.
sub make_book
{
	my ($db, $column) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION dunning; ' . slurp_file("$root/test/t/security_book.sql"));
	$node->safe_psql($db, slurp_file("$root/test/t/security_hostile.sql")) if $column ne '';
	$node->safe_psql($db, qq{
		CREATE VIEW book.v_debtor AS SELECT d.debtor_id, d.name, d.given_name, d.language, d.country, d.email, d.phone$column} . ($column =~ /AS kind/ ? '' : ", 'person'::text AS kind") . qq{ FROM book.debtor d;
		CREATE VIEW book.v_invoice AS SELECT i.*, 'https://pay.test/' || i.invoice_id AS pay_url} . ($column =~ s/,[^,]*AS kind//r =~ s/AS region/AS reference/r) . qq{ FROM book.invoice i;
		CREATE VIEW book.v_payment AS SELECT p.*} . ($column =~ s/,[^,]*AS kind//r =~ s/AS region/AS payment_id/r) . qq{ FROM book.payment p;
		GRANT USAGE ON SCHEMA book TO PUBLIC;
		GRANT SELECT ON ALL TABLES IN SCHEMA book TO PUBLIC});
}

# no_query_of_ours_finds_a_hostile_name
make_book('path', '');
$node->safe_psql('path', slurp_file("$root/test/t/security_evil.sql"));
cmp_ok($node->safe_psql('path', "SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace"), '>', 2500, 'evil has thousands of functions');
my $evil = '-c search_path=evil,pg_catalog';
is(run_calls('path', file => "$root/test/t/security_calls.sql", options => $evil), '', 'every call works for a superuser whose search_path is evil');
is($node->safe_psql('path', 'SELECT count(*) FROM evil.trap'), '0', 'and no trap is sprung');
# What is refused is refused before a name of theirs is looked at, too.
$node->psql('path', $_, extra_params => [ '-v', 'ON_ERROR_STOP=0' ], connstr => $node->connstr('path') . " options='$evil'") for (
	q{SELECT dunning.bind('debtor', 'pg_catalog.pg_class')}, q{SELECT dunning.balance('no such')}, q{SELECT dunning.send('d1', 'no-such')}, q{SELECT dunning.plan('no-such')},
	q{SELECT dunning.save_step('standard', 'x', 1, 1, 'reminder-1', '{email}', condition => 'nonsense >')}, q{SELECT dunning.save_template('reminder-1', 'sms', 'en', NULL, '{{nonsense}}')},
	q{SELECT dunning.probe('no such')}, q{SELECT dunning.open_link('forged')}, q{SELECT dunning.receive('text', '{}', '')}, q{SELECT dunning.train('no such')},
	q{SELECT dunning.fit('a', 'SELECT s.x FROM book.sample s', 'y')}, q{SELECT dunning.predict('sample', NULL)}, q{CREATE SERVER z FOREIGN DATA WRAPPER dunning_gateway OPTIONS (nonsense 'x')});
is($node->safe_psql('path', 'SELECT count(*) FROM evil.trap'), '0', 'nor by calls that are refused');
# The worker, in a database and with a role that say the same.
$node->safe_psql('path', q{ALTER DATABASE path SET search_path = evil, pg_catalog; ALTER ROLE dunning_worker SET search_path = evil, pg_catalog;
	SET client_min_messages = error; SELECT dunning.activate()}, connstr => $node->connstr('path'));
$node->safe_psql('postgres', q{ALTER SYSTEM SET dunning.databases = 'path'; SELECT pg_reload_conf()});
$node->safe_psql('path', q{SET client_min_messages = error; SET search_path = pg_catalog;} . $newcomer . q{; SELECT * FROM dunning.send('d999', 'reminder-1', 'email')});
ok($node->poll_query_until('path', q{SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 FROM dunning.egress e WHERE e.debtor_id OPERATOR(pg_catalog.=) 'd999'}), 'the worker sends');
is($node->safe_psql('path', 'SET search_path = pg_catalog; SELECT count(*) FROM evil.trap'), '0', 'and springs no trap');
ok(slurp_file($node->logfile) !~ /LOG:  TRAP/, 'nor did anything that was rolled back');
$node->psql('path', q{SET search_path = evil, pg_catalog; SELECT lower('X'), 1 = 1});
is($node->safe_psql('path', 'SET search_path = pg_catalog; SELECT count(*) FROM evil.trap'), '2', 'the traps work');
$node->safe_psql('postgres', q{ALTER SYSTEM SET dunning.databases = 'none'; SELECT pg_reload_conf()});
$node->safe_psql('postgres', q{ALTER ROLE dunning_worker RESET ALL});

# a_bound_view_never_sees_a_superuser_and_leaves_nothing_behind
make_book('hostile', ', evil.probe() AS region, CASE WHEN evil.early() IS NULL THEN \'person\' ELSE \'person\' END AS kind');
my $shape = q{SELECT md5(string_agg(x.x, ',' ORDER BY x.x COLLATE "C")) FROM (
	SELECT p.oid::regprocedure || ' ' || p.prosecdef::text || coalesce(p.proconfig::text, '') || coalesce(p.proacl::text, '') || md5(p.prosrc) || p.proowner::regrole::text FROM pg_proc p
		WHERE p.pronamespace = 'dunning'::regnamespace
	UNION ALL SELECT c.relname || c.relowner::regrole::text || coalesce(c.relacl::text, '') || coalesce(c.reloptions::text, '') || c.relhastriggers::text || c.relnatts FROM pg_class c
		WHERE c.relnamespace = 'dunning'::regnamespace AND c.relname !~ '_y\d{4}m\d\d' AND c.relkind IN ('r', 'p', 'v')
	UNION ALL SELECT t.tgname FROM pg_trigger t
	UNION ALL SELECT r.ev_class::regclass::text || r.rulename || md5(pg_get_ruledef(r.oid)) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class AND c.relnamespace = 'dunning'::regnamespace
	UNION ALL SELECT d.defaclrole::regrole::text FROM pg_default_acl d
	UNION ALL SELECT m.roleid::regrole || ' ' || m.member::regrole FROM pg_auth_members m
	UNION ALL SELECT s.setrole::regrole || s.setconfig::text FROM pg_db_role_setting s) x(x)};
my $before = $node->safe_psql('hostile', $shape);
append_to_file("$secrets/hostile.sql", <<"EOS");
\\ir $root/test/t/security_calls.sql
\\o
SELECT * FROM dunning.activate() \\gset
SHOW search_path \\gset
INSERT INTO evil.after VALUES ('path', :'search_path');
SHOW role \\gset
INSERT INTO evil.after VALUES ('role', :'role');
INSERT INTO evil.after SELECT 'temporary', c.relname FROM pg_class c WHERE c.relnamespace = pg_my_temp_schema() AND c.relkind IN ('r', 'v');
INSERT INTO evil.after SELECT 'prepared', p.name FROM pg_prepared_statements p WHERE p.name ~ 'evil';
INSERT INTO evil.after SELECT 'cursor', c.name FROM pg_cursors c WHERE c.is_holdable;
INSERT INTO evil.after SELECT 'listens', l FROM pg_listening_channels() l;
EOS
$node->safe_psql('hostile', 'CREATE TABLE evil.after (what text, value text)');
is(run_calls('hostile', file => "$secrets/hostile.sql"), '', 'every call works over hostile views, for a superuser');
is($node->safe_psql('hostile', q{SELECT string_agg(DISTINCT s.who, ',' ORDER BY s.who) FROM evil.seen s}), 'dunning_owner,dunning_worker', 'their functions see dunning_owner and dunning_worker alone');
is($node->safe_psql('hostile', 'SELECT count(*) FROM evil.seen s WHERE s.super'), '0', 'never a superuser');
cmp_ok($node->safe_psql('hostile', 'SELECT count(*) FROM evil.seen s'), '>', 1000, 'and they were called');
is($node->safe_psql('hostile', q{SELECT string_agg(DISTINCT d.what, E'\n' ORDER BY d.what) FROM evil.did d WHERE d.what !~ '^harmless'}), '', 'nothing that they tried worked');
cmp_ok($node->safe_psql('hostile', q{SELECT count(DISTINCT d.what) FROM evil.did d WHERE d.what ~ '^harmless'}), '==', 3, 'but for what is harmless');
is($node->safe_psql('hostile', q{SELECT string_agg(a.what || ' ' || a.value, ', ' ORDER BY 1) FROM evil.after a}), 'path "$user", public, role none', 'the session is as it was');
is($node->safe_psql('hostile', $shape), $before, 'and so is every object');
is($node->safe_psql('hostile', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', 'mallory is no superuser');

# a_hostile_condition_is_no_better_than_a_hostile_view
$node->safe_psql('hostile', 'TRUNCATE evil.seen, evil.did');
$node->safe_psql('hostile', q{
	SELECT dunning.save_segment('evil', 'evil.probe() IS NULL', 1);
	SELECT dunning.save_strategy('evil', 'conditions that call somebody else');
	SELECT dunning.save_step('evil', 'first', 1, 3, 'reminder-1', '{email}', condition => 'evil.probe() IS NOT NULL');
	SELECT count(*) FROM dunning.score();
	SELECT count(*) FROM dunning.plan('evil', dry_run => true);
	CREATE TABLE evil.path AS SELECT current_setting('search_path') AS path});
is($node->safe_psql('hostile', q{SELECT string_agg(DISTINCT s.who || ' ' || s.super, ',') FROM evil.seen s}), 'dunning_owner false', 'conditions run as dunning_owner');
is($node->safe_psql('hostile', q{SELECT string_agg(DISTINCT d.what, E'\n' ORDER BY d.what) FROM evil.did d WHERE d.what !~ '^harmless'}), '', 'nothing that they tried worked');
is($node->safe_psql('hostile', 'SELECT path FROM evil.path'), '"$user", public', 'and the search_path is as it was');
is($node->safe_psql('hostile', $shape), $before, 'and so is every object');

# the_worker_is_no_superuser_either
$node->safe_psql('hostile', q{SELECT dunning.reset_segment('evil'); TRUNCATE evil.seen, evil.did; SET client_min_messages = error; SELECT dunning.activate();} . $newcomer . q{; SELECT dunning.send('d999', 'reminder-1', 'email')});
$node->safe_psql('postgres', q{ALTER SYSTEM SET dunning.databases = 'hostile'; SELECT pg_reload_conf()});
ok($node->poll_query_until('hostile', q{SELECT count(*) = 1 FROM dunning.egress e WHERE e.debtor_id = 'd999'}), 'the worker sends over hostile views');
is($node->safe_psql('hostile', 'SELECT count(*) FROM evil.seen s WHERE s.super'), '0', 'never as a superuser');
cmp_ok($node->safe_psql('hostile', q{SELECT count(*) FROM evil.seen s WHERE s.who = 'dunning_worker'}), '>', 0, 'as dunning_worker');
is($node->safe_psql('hostile', q{SELECT string_agg(DISTINCT d.what, E'\n' ORDER BY d.what) FROM evil.did d WHERE d.what !~ '^harmless'}), '', 'and nothing that they tried worked');
is($node->safe_psql('hostile', $shape), $before, 'every object is as it was');
ok(slurp_file($node->logfile) !~ /terminated by signal|TRAP: |PANIC:/, 'no process crashed');

$node->stop;
done_testing();
