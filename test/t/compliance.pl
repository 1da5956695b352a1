# The tables of docs/compliance.md are what is installed, and nothing ships enabled that was not verified. WRITE_COMPLIANCE=1 writes the page anew.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $file = "$ENV{DUNNING_ROOT}/docs/compliance.md";
my $page = slurp_file($file);
my $node = PostgreSQL::Test::Cluster->new('compliance');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');

sub table
{
	my ($head, $sql) = @_;
	my @rows = split /\n/, $node->safe_psql('postgres', $sql);
	return join "\n", '| ' . join(' | ', @$head) . ' |', '|' . '---|' x @$head, map { '| ' . join(' | ', map { s/\|/\\|/gr } split /\t/, $_, -1) . ' |' } @rows;
}
my $state = q{CASE WHEN enabled THEN 'on' ELSE 'off' END || CASE WHEN verified THEN ', verified' ELSE ', not verified' END};
my %table = (
	rules => table([qw(rule where who channels says source state)], qq{
		SELECT concat_ws(E'\\t', rule, coalesce(country || coalesce('-' || region, ''), 'everywhere'), coalesce(debtor_kind, 'all'),
			coalesce(array_to_string(channels, ' '), CASE WHEN rings THEN 'what rings' ELSE 'all' END),
			concat_ws('; ', windows, CASE WHEN windows IS NOT NULL THEN CASE WHEN holidays THEN 'holidays too' ELSE 'no holidays' END END,
				'at most ' || cap || ' in ' || cap_days || ' days a ' || CASE cap_scope WHEN 'debtor' THEN 'debt' ELSE 'person' END, 'gap ' || min_gap, 'silence of ' || after_conversation || ' after a conversation'),
			source, $state)
		FROM dunning.contact_rule WHERE builtin ORDER BY country NULLS FIRST, rule}),
	dates => table([qw(country tag name whose dates source state)], q{
		SELECT concat_ws(E'\t', c.country, d.tag, d.name, coalesce(d.debtor_kind, 'all'), string_agg(to_char(d.on_date, 'DD.MM.'), ' ' ORDER BY d.on_date), d.source, CASE WHEN d.verified THEN 'verified' ELSE 'not verified' END)
		FROM unnest('{DK,SE,NO,FI,DE,NL,GB,US}'::text[]) WITH ORDINALITY c(country, o), dunning.calendar_dates(c.country, '2026-01-01', '2026-12-31') d
		WHERE d.kind <> 'holiday' GROUP BY c.o, c.country, d.tag, d.name, d.debtor_kind, d.source, d.verified ORDER BY c.o, d.tag, d.name}),
	effects => table([qw(effect tag who days multiplier source state)], qq{
		SELECT concat_ws(E'\\t', effect, tag, coalesce(debtor_kind, 'all'), from_day || ' to ' || until_day, multiplier, source, $state) FROM dunning.date_effect WHERE builtin ORDER BY effect}));
for my $name (sort keys %table)
{
	my ($there) = $page =~ /<!-- $name -->\n(.*?)<!-- \/$name -->/s;
	ok(defined $there, "the page has a place for $name") or next;
	$page =~ s/(<!-- $name -->\n).*?(<!-- \/$name -->)/$1$table{$name}\n$2/s if $ENV{WRITE_COMPLIANCE};
	is($there, "$table{$name}\n", "$name are those installed") unless $ENV{WRITE_COMPLIANCE};
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT enabled, verified FROM dunning.contact_rule WHERE builtin UNION ALL SELECT enabled, verified FROM dunning.date_effect WHERE builtin) x WHERE enabled AND NOT verified'),
	'0', 'nothing is on that was not verified');
is($node->safe_psql('postgres', q{SELECT count(*) FROM dunning.contact_rule WHERE builtin AND coalesce(source, '') = ''}), '0', 'every rule has a source');
if ($ENV{WRITE_COMPLIANCE})
{
	open(my $out, '>', $file) or die "$file: $!";
	print $out $page;
	close $out;
}
$node->stop;
done_testing();
