# The accounts-receivable file as a billing schema of its own: loaded, bound, trained before 2013-04-01 and asked about what came later.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $csv = ($ENV{DUNNING_DATA} // '') . '/ibm_accounts_receivable.csv';
plan skip_all => "$csv is not here; the data set is no part of the repository" unless -r $csv;

my $example = "$ENV{DUNNING_ROOT}/examples/ibm-accounts-receivable";
my $node = PostgreSQL::Test::Cluster->new('ibm');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ntimezone = 'UTC'\nfsync = off");
$node->start;

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';
my ($out, $err);
my $ok = IPC::Run::run([ "$example/run.sh", $csv ], '>', \$out, '2>', \$err);
ok($ok, 'the example runs as its README says') or BAIL_OUT("$out\n$err");
note($out);

my ($history, $history_loss) = $out =~ /872 \| as-of history +\| ([0-9.]+) \|\s+([0-9.]+)/;
my ($mean, $mean_loss) = $out =~ /872 \| mean days late alone\s+\| ([0-9.]+) \|\s+([0-9.]+)/;
my ($whole, $whole_mean, $whole_ranked) = $out =~ /ranked_by_mean.*\n[-+ ]+\n\s+([0-9.]+) \|\s+([0-9.]+) \|\s+([0-9.]+)/;
ok(defined $whole_ranked && defined $mean_loss && defined $history_loss, 'the figures are printed');

cmp_ok($history, '>=', 0.875, "out of time, as-of history reaches an AUC of 0.875 ($history)");
cmp_ok($history, '>', $mean + 0.01, "out of time, it beats mean days late alone by 0.01 ($mean)");
cmp_ok($history_loss, '<', $mean_loss - 0.02, "out of time, its log loss is lower by more than 0.02 ($history_loss, $mean_loss)");
cmp_ok($whole, '>', $whole_ranked + 0.03, "over the whole file, it beats a ranking by mean days late by 0.03 ($whole, $whole_ranked)");
cmp_ok($whole, '>', $whole_mean + 0.01, "over the whole file, it beats a model of mean days late by 0.01 ($whole, $whole_mean)");

# Five times 70 to 30 by the file's lines, kind auto; calibration beside that of labels drawn from the model's own probabilities.
$node->safe_psql('postgres', q{CREATE TABLE line (number serial, country text, customer text, paperless text, invoice_id text PRIMARY KEY, issued text,
    due text, amount text, disputed text, settled text, bill text, to_settle text, late text)});
$ok = IPC::Run::run([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c',
        '\copy line (country, customer, paperless, invoice_id, issued, due, amount, disputed, settled, bill, to_settle, late) FROM pstdin WITH (FORMAT csv, HEADER)' ],
    '<', $csv, '2>', \$err);
ok($ok, 'the lines of the file are numbered') or diag($err);
$ok = IPC::Run::run([ 'psql', '-Xq', '-v', 'book=file', '-v', 'split=2013-04-01', '-v', 'until=2013-12-31', '-v', 'kind=auto', '-v', 'targets=late self_cure',
        '-f', "$ENV{DUNNING_ROOT}/bench/score/ledger_figures.sql" ], '>', \$out, '2>', \$err);
ok($ok, 'the figures of the targets are printed') or diag($err);
note($out);
for my $target ([ 'late', 'five splits', 0.85, 0.02 ], [ 'late', 'out of time', 0.875, 0.01 ], [ 'self_cure', 'five splits', 0.63, undef ])
{
    my ($name, $test, $least, $ahead) = @$target;
    my ($auc, $days, $ece, $floor) = $out =~ /^ \Q$name\E +\| $test +\|[^|]*\|[^|]*\|[^|]*\| +([0-9.]+) \| +([0-9.]*) +\|[^|]*\| +([0-9.]+) \| +([0-9.]+)$/m;
    cmp_ok($auc // 0, '>=', $least, "$name, $test: an AUC of $least (" . ($auc // 'none') . ')');
    cmp_ok($auc // 0, '>=', $days + $ahead, "$name, $test: $ahead more than the mean of days late ($days)") if defined $ahead;
    cmp_ok($ece // 1, '<=', $floor + 0.01, "$name, $test: calibrated within 0.01 of the least that can be ($ece, $floor)") if $test eq 'five splits';
}

# The model knows neither a dispute nor anything after the split.
is($node->safe_psql('postgres', "SELECT count(*) FROM dunning.model, jsonb_array_elements(body -> 'features') f WHERE f ->> 'name' ~* 'disput'"),
    '0', 'no model reads the disputed flag');
my $digest = $node->safe_psql('postgres', "SELECT digest FROM dunning.model WHERE model = 'late' AND state = 'champion'");
$node->safe_psql('postgres', q{
    DELETE FROM billing.settlements WHERE settled_on >= '2013-04-01';
    DELETE FROM billing.invoices i WHERE invoice_date >= '2013-04-01';
    SELECT dunning.train('late', '2013-04-01');});
is($node->safe_psql('postgres', "SELECT digest FROM dunning.model WHERE model = 'late' ORDER BY version DESC LIMIT 1"),
    $digest, 'without a row from the split on, the same bytes are learnt');

is($node->safe_psql('postgres', "SET dunning.clock = '2013-04-01 09:00+00'; SELECT sum(debtors) FROM dunning.score()"), '100', 'every customer is scored');

done_testing();
