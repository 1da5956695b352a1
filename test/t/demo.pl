# What `make demo` shows, on small books: fewer contacts than letters, a lower cost per euro, more paid on time, with intervals that
# leave no doubt. SEED, DEBTORS and HABITS take other books.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SEED} || 7;
my $debtors = $ENV{DEBTORS} || 3000;
my ($days, $every) = (28, 4);
my $demo = "$ENV{DUNNING_ROOT}/examples/demo";
my $first_day = '2026-06-22';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\njit = off\nwork_mem = '16MB'");
$node->start;

sub book
{
	my $habits = shift;
	my $db = "demo_$habits";
	my $day = sub { $node->safe_psql('postgres', "SELECT date '$first_day' + $_[0]") };
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	my $servers = join '', map { "CREATE SERVER $_->[0] TYPE '$_->[1]' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver '$_->[2]');\n" }
	  [ 'mail', 'email', 'mock' ], [ 'text', 'sms', 'mock' ], [ 'calls', 'call', 'task' ];
	my $script = "SET client_min_messages = error;\nCREATE EXTENSION dunning;\nSET dunning.clock = '$first_day 09:30+02';\n\\i $demo/generate.sql\n\\i $demo/bind.sql\n$servers\\i $demo/configure.sql\n\\i $demo/baseline.sql\n"
	  . "ANALYZE;\nCALL demo.advance();\nSELECT count(*) FROM unnest('{late,paid_30d,self_cure}'::text[]) t, dunning.train(t);\nSELECT count(*) FROM dunning.score();\n"
	  . "SELECT count(*) FROM dunning.plan();\nSELECT dunning.activate();\nSET dunning.clock = '$first_day 14:00+02';\nCALL demo.advance();\nCALL dunning.deliver();\n";
	for my $n (1 .. $days)
	{
		my $date = $day->($n);
		$script .= "ANALYZE;\nSET dunning.clock = '$date 09:30+02';\nCALL demo.advance();\nCALL dunning.daily();\nCALL dunning.deliver();\n" if $n % $every == 0;
		$script .= "SET dunning.clock = '$date 14:00+02';\nCALL demo.advance();\nCALL dunning.deliver();\n";
	}
	$script .= "\\i $demo/compare.sql\n";
	my @set = map { ('-v', $_) } "debtors=$debtors", "seed=$seed", "t0=$first_day", "first_day=$first_day", "habits=$demo/habits/$habits.sql";
	my ($rc, $out, $err) = $node->psql($db, $script, extra_params => \@set, timeout => 500);
	is($rc, 0, "$habits: $days days with $debtors debtors run through") or diag(substr($err, 0, 2000));
	return $db;
}

for my $habits (split ' ', $ENV{HABITS} || 'households traders')
{
	my $db = book($habits);
	my $ask = sub { $node->safe_psql($db, $_[0]) };
	my %figure = map { my @f = split /\|/; ($f[0] => \@f) } split /\n/, $ask->('SELECT what, round(us, 3), round(letters, 3), round(difference, 3), round(low::numeric, 3), round(high::numeric, 3), better FROM demo.figure');
	for ([ 'contacts per 100 debtors', 'fewer contacts than letters' ], [ 'contacts per 100 EUR collected', 'fewer contacts per euro collected' ],
		[ 'cost per 100 EUR collected, EUR', 'a lower cost per euro collected' ], [ 'paid on time, % of what fell due', 'more is paid on time' ])
	{
		my ($what, $claim) = @$_;
		is($figure{$what}[6], 't', "$habits: $claim, beyond doubt");
	}
	note("$habits: " . join(', ', @{ $figure{$_} })) for sort keys %figure;
	cmp_ok($figure{'collected per 100 debtors, EUR'}[1], '>', 0.97 * $figure{'collected per 100 debtors, EUR'}[2], "$habits: not bought with what is collected");

	is($ask->(q{SELECT count(*) FROM demo.heard c WHERE NOT EXISTS (SELECT FROM demo.truth t LEFT JOIN billing.indbetaling b ON b.id = t.fakturanr
		WHERE t.kundenr = c.kundenr AND t.udstedt <= c.at::date AND (b.tidspunkt IS NULL OR b.tidspunkt > c.at))}), '0', "$habits: nobody was contacted after having paid");
	# The comparison itself is fair: letters go when they should, and what moves a debtor is drawn alike in both worlds.
	is($ask->(q{SELECT count(*) FROM demo.letter l WHERE NOT EXISTS (SELECT FROM demo.truth t LEFT JOIN demo.moved m ON m.world = 'letters' AND m.fakturanr = t.fakturanr
		WHERE t.kundenr = l.kundenr AND l.at::date - t.forfald >= 10 AND (least(t.natural_at, m.pays_at) IS NULL OR least(t.natural_at, m.pays_at) > l.at))}), '0',
		"$habits: a letter is about something that is unpaid for ten days");
	is($ask->(qq{SELECT count(*) FROM demo.truth t JOIN billing.faktura f USING (fakturanr) LEFT JOIN demo.moved m ON m.world = 'letters' AND m.fakturanr = t.fakturanr
		WHERE t.forfald + 10 BETWEEN '$first_day' AND date '$first_day' + $days AND (least(t.natural_at, m.pays_at) IS NULL OR least(t.natural_at, m.pays_at) > (t.forfald + 10)::date + time '10:00')
		AND NOT EXISTS (SELECT FROM demo.letter l WHERE l.kundenr = t.kundenr AND l.at::date = t.forfald + 10)}), '0', "$habits: what is unpaid for ten days gets its letter");
	is($ask->(q{SELECT count(*) FROM demo.told d JOIN demo.truth t USING (fakturanr) JOIN demo.habit h USING (kundenr)
		WHERE d.pays_at IS NOT NULL AND demo.u('react' || d.n, d.fakturanr) >= h.heeds * CASE d.channel WHEN 'email' THEN h.by_email WHEN 'sms' THEN h.by_sms WHEN 'letter' THEN h.by_letter ELSE h.by_call END / d.n}), '0',
		"$habits: the same draw and the same habit decide in both worlds");
	is($ask->(q{SELECT count(*) FROM (SELECT t.kundenr, count(*) FROM demo.told d JOIN demo.truth t USING (fakturanr) WHERE d.world = 'dunning' AND d.pays_at IS NOT NULL
		AND NOT EXISTS (SELECT FROM demo.heard c WHERE c.kundenr = t.kundenr AND c.at = d.at) GROUP BY 1) x}), '0', "$habits: only a contact moves anybody");
}
$node->stop;
done_testing();
