# Two months of a book under the virtual clock, judged from outside: by the billing tables, what left and what became of it,
# with arithmetic of its own. DAYS, DEBTORS and SEED make it longer, larger or another one.
use strict;
use warnings;
use POSIX qw(strftime floor);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local qw(timegm);

my $days = $ENV{DAYS} || 60;
my $debtors = $ENV{DEBTORS} || 400;
my $seed = $ENV{SEED} || 1;
my $start = timegm(0, 0, 0, 16, 2, 2026);
my @hours = (5, 8, 11, 15, 19);
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
dunning.timezone = 'UTC'
timezone = 'Europe/Berlin'
datestyle = 'German, DMY'
fsync = off
});
$node->start;
my $db = 'postgres';
sub day { return strftime('%Y-%m-%d', gmtime($start + 86400 * $_[0])) }
sub quoted { my $v = shift; return 'NULL' unless defined $v; $v =~ s/'/''/g; return "'$v'" }
sub one_of { return $_[ int rand @_ ] }
sub rows { return map { [ split /\x1f/, $_, -1 ] } split /\x1e\n?/, $node->safe_psql($db, $_[0], extra_params => [ '-F', "\x1f", '-R', "\x1e" ]) }

# The book. Amounts never end in 0, so that they can be found in a text whatever its language.
my %place = (DK => 'Europe/Copenhagen', SE => 'Europe/Stockholm', DE => 'Europe/Berlin', NL => 'Europe/Amsterdam', GB => 'Europe/London',
	NO => 'Europe/Oslo', FI => 'Europe/Helsinki');
my %house = (north => 'Nordlys Energi', south => 'Sydvand ApS');
my %language = (DK => 'da', SE => 'sv', DE => 'de', NL => 'nl', GB => 'en', NO => 'nb', FI => 'fi', US => 'en');
my (@debtor, @invoice, @payment, %debtor, %by_person);
my $book = '';
sub uuid { return sprintf('%08x-%04x-4%03x-8%03x-%012x', int rand 2**32, int rand 2**16, int rand 4096, int rand 4096, int rand 2**48) }
sub cents { return 100 * int(1 + rand 900) + 10 * int(rand 10) + 1 + int rand 9 }
for my $n (1 .. $debtors)
{
	my $previous = $debtor[-1];
	my $twin = $previous && $previous->{creditor} eq 'north' && rand() < 0.15;
	my %d = (id => uuid(), creditor => $twin ? 'south' : rand() < 0.7 ? 'north' : 'south', company => rand() < 0.15 ? 1 : 0);
	if ($twin) { $d{$_} = $previous->{$_} for qw(person country zone given_zone company email phone) }
	else
	{
		$d{person} = uuid();
		$d{country} = rand() < 0.06 ? undef : one_of(qw(DK DK DK SE DE DE NL GB NO FI US));
		$d{given_zone} = ($d{country} // '') eq 'US' ? one_of('America/New_York', 'America/Los_Angeles', undef) : rand() < 0.05 ? 'Mars/Olympus' : undef;
		$d{zone} = $d{country} ? $place{ $d{country} } // $d{given_zone} : undef;
		$d{email} = rand() < 0.8 ? "n$n\@example.org" : undef;
		$d{phone} = rand() < 0.8 ? sprintf('+45%08d', 20000000 + $n) : undef;
	}
	$d{consent} = rand() < 0.1 ? '{"email": false}' : rand() < 0.1 ? '{"sms": false, "email": true}' : undef;
	$d{address} = rand() < 0.7 ? 1 : 0;
	push @debtor, \%d;
	$debtor{ $d{id} } = \%d;
	push @{ $by_person{ $d{person} } }, \%d;
	my @currency = rand() < 0.2 ? qw(DKK EUR) : (one_of(qw(DKK EUR SEK USD)));
	for my $k (1 .. 2 + int rand 5)
	{
		my $issued = int(rand($days + 120)) - 120;
		my %i = (id => uuid(), debtor => $d{id}, issued => $issued, due => $issued + 14, cents => cents(), currency => one_of(@currency), kind => 'invoice',
			recorded => rand() < 0.1 ? $issued + 3 : undef);
		$i{disputed} = $issued + 20 + int rand 20 if rand() < 0.05;
		$i{cancelled} = $issued + 25 if rand() < 0.04;
		push @invoice, \%i;
		my $how = rand();
		my $on = $issued + 14 + floor(-8 + rand 40) + rand;
		if ($how < 0.45) { push @payment, { debtor => $d{id}, at => $on, cents => $i{cents}, currency => $i{currency}, invoice => $i{id} } }
		elsif ($how < 0.60) { push @payment, { debtor => $d{id}, at => $on, cents => $i{cents}, currency => $i{currency} } }
		elsif ($how < 0.70) { push @payment, { debtor => $d{id}, at => $on, cents => int($i{cents} / 2), currency => $i{currency}, invoice => $i{id} } }
		elsif ($how < 0.75)
		{
			push @payment, { debtor => $d{id}, at => $on, cents => $i{cents}, currency => $i{currency}, invoice => $i{id} },
			  { debtor => $d{id}, at => $on + 5, cents => -$i{cents}, currency => $i{currency}, invoice => $i{id} };
		}
		elsif ($how < 0.80)
		{
			push @invoice, { id => uuid(), debtor => $d{id}, issued => $issued + 20, due => $issued + 20, cents => -$i{cents}, currency => $i{currency}, kind => one_of('invoice', 'credit_note') };
		}
		elsif ($how < 0.83) { push @payment, { debtor => $d{id}, at => $on, cents => $i{cents} + 5000, currency => $i{currency}, invoice => $i{id} } }
	}
}
for my $p (@payment) { $p->{recorded} = $p->{at} + 2 if rand() < 0.15 }
sub instant { my $d = shift; return defined $d ? strftime("'%Y-%m-%d %H:%M:%S+00'", gmtime(int($start + 86400 * $d))) : 'NULL' }
sub money { return sprintf('%.2f', $_[0] / 100) }

my $setup = qq{
SET client_min_messages = error;
SET datestyle = 'ISO';
CREATE EXTENSION dunning;
CREATE SCHEMA billing;
CREATE TABLE billing.v_debtor (debtor_id uuid PRIMARY KEY, creditor text, person_id uuid, kind text, name text, given_name text, language text,
	country text, time_zone text, email text, phone text, address jsonb, consent jsonb);
CREATE INDEX ON billing.v_debtor (person_id);
CREATE TABLE billing.v_invoice (invoice_id uuid PRIMARY KEY, debtor_id uuid, issued_on date, due_on date, amount numeric(12,2), currency text, kind text, disputed_at timestamptz, cancelled_at timestamptz, recorded_at timestamptz);
CREATE INDEX ON billing.v_invoice (debtor_id);
CREATE TABLE billing.v_payment (debtor_id uuid, paid_at timestamptz, amount numeric(12,2), currency text, invoice_id uuid, recorded_at timestamptz);
CREATE INDEX ON billing.v_payment (debtor_id);
GRANT USAGE ON SCHEMA billing TO dunning_owner, dunning_worker;
GRANT SELECT ON ALL TABLES IN SCHEMA billing TO dunning_owner, dunning_worker;
SELECT dunning.bind(k, ('billing.v_' || k)::regclass) FROM unnest('{debtor,invoice,payment}'::text[]) k;
SELECT dunning.start_experiment('framing', '["neutral", "empathy"]');
SELECT dunning.save_creditor('north', 'Nordlys Energi', phone => '+4511111111', account => 'DK-NORTH-1', language => 'da');
SELECT dunning.save_creditor('south', 'Sydvand ApS', phone => '+4522222222', account => 'DK-SOUTH-2', language => 'en');
CREATE TABLE public.sim_plan (at timestamptz, again bigint);
};
$setup .= "CREATE SERVER mock_$_ TYPE '$_' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock'); CREATE USER MAPPING FOR dunning_worker SERVER mock_$_;\n" for qw(email sms letter);
$setup .= "CREATE SERVER desk TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task'); CREATE USER MAPPING FOR dunning_worker SERVER desk;\n";
for my $d (@debtor)
{
	$setup .= 'INSERT INTO billing.v_debtor VALUES (' . join(', ', map { quoted($_) } $d->{id}, $d->{creditor}, $d->{person}, $d->{company} ? 'company' : 'person',
		"Family Name $d->{id}", 'Given', $language{ $d->{country} // '' }, $d->{country}, $d->{given_zone}, $d->{email}, $d->{phone},
		$d->{address} ? '{"line1": "Street 1", "city": "Town", "postcode": "1000", "country": "DK"}' : undef, $d->{consent}) . ");\n";
}
$setup .= "INSERT INTO billing.v_invoice VALUES ('$_->{id}', '$_->{debtor}', '" . day($_->{issued}) . "', '" . day($_->{due}) . "', " . money($_->{cents}) . ", '$_->{currency}', '$_->{kind}', "
  . instant($_->{disputed}) . ', ' . instant($_->{cancelled}) . ', ' . instant($_->{recorded}) . ");\n" for @invoice;
$setup .= "INSERT INTO billing.v_payment VALUES ('$_->{debtor}', " . instant($_->{at}) . ', ' . money($_->{cents}) . ", '$_->{currency}', " . quoted($_->{invoice}) . ', ' . instant($_->{recorded}) . ");\n" for @payment;
$setup .= "ANALYZE; SELECT dunning.activate();\n";
$node->safe_psql($db, $setup);

# The days: a run in the small hours, the gateway at several hours, and people who hold, promise, bounce and opt out meanwhile.
my (@held, @silenced);
my $script = "SET client_min_messages = error; SET datestyle = 'ISO';\n";
for my $day (0 .. $days - 1)
{
	my $at = sub { strftime('%Y-%m-%d %H:%M:00+00', gmtime($start + 86400 * $day + 60 * $_[0])) };
	$script .= "SET dunning.clock = '" . $at->(245) . "'; CALL dunning.daily();\n";
	$script .= "INSERT INTO sim_plan SELECT dunning._now(), count(*) FILTER (WHERE state <> 'held') FROM dunning.plan();\n" if $day % 10 == 3;
	for my $hour (@hours)
	{
		my $minute = 60 * $hour + int rand 50;
		$script .= "SET dunning.clock = '" . $at->($minute - 1) . "';\n";
		my $now = $start + 86400 * $day + 60 * ($minute - 1);
		for (1 .. 1 + $debtors / 1000)
		{
			my $d = one_of(@debtor);
			my $what = rand;
			if ($what < 0.25)
			{
				my $until = rand() < 0.5 ? $day + 5 : undef;
				$script .= "SELECT FROM dunning.hold('$d->{id}', 'hardship'" . (defined $until ? ", until => '" . day($until) . "'" : '') . ");\n";
				push @held, [ $d->{id}, $now, defined $until ? $start + 86400 * ($until + 1) : $now + 86400 * 30, undef ];     # its days unless said otherwise
			}
			elsif ($what < 0.45)
			{
				$script .= "SELECT FROM (SELECT b.* FROM dunning.balance('$d->{id}') b WHERE b.balance > 0 LIMIT 1) b, dunning.promise('$d->{id}', least(b.balance, 10), b.currency, '" . day($day + 6) . "');\n";
				# kept or broken ends it; until the day itself nobody can know that it is broken
				push @held, [ $d->{id}, $now, $now + 60, undef ];
			}
			elsif ($what < 0.6) { my @i = grep { $_->{debtor} eq $d->{id} && ($_->{recorded} // $_->{issued}) < $day } @invoice or next;
				my $i = one_of(@i);
				$script .= "SELECT FROM dunning.hold('$d->{id}', 'investigation', invoice_id => '$i->{id}');\n"; push @held, [ $d->{id}, $now, $now + 86400 * 30, $i->{id} ]; }
			elsif ($what < 0.75 && $d->{email}) { $script .= "SELECT FROM dunning.suppress('$d->{email}', 'email', 'complaint');\n"; push @silenced, [ "email $d->{email}", $now ]; }
			elsif ($what < 0.9) { $script .= "SELECT FROM dunning.record_event('called_in', '$d->{id}');\n"; push @held, [ $d->{id}, $now, $now + 5 * 86400, undef ]; }
			elsif ($d->{phone}) { $script .= "SELECT FROM dunning.suppress('$d->{phone}', 'sms', 'opted_out');\n"; push @silenced, [ "sms $d->{phone}", $now ]; }
		}
		$script .= "SET dunning.clock = '" . $at->($minute) . "'; CALL dunning.deliver();\n";
	}
}
my ($rc, $out, $err) = $node->psql($db, $script, timeout => 3000);
is($rc, 0, "$days days with $debtors debtors run through") or diag(substr($err, 0, 2000));

# What happened, as rows.
my @sent = map { { message => $_->[0], debtor => $_->[1], creditor => $_->[2], channel => $_->[3], at => $_->[4], strategy => $_->[5], step => $_->[6], anchor => $_->[7],
	position => $_->[8], address => $_->[9], text => $_->[10], context => $_->[11], template => $_->[12], key => $_->[13] } }
  rows(q{SELECT e.message_id, e.debtor_id, e.creditor, e.channel, extract(epoch FROM e.contact_on)::bigint, m.strategy, m.step, m.decision->>'anchor', s.position, b.address,
	concat_ws(' ', b.subject, b.body_text, b.body_html), m.context, m.template, m.decision->>'key'
	FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id) JOIN dunning.body b USING (debtor_id, message_id)
	LEFT JOIN dunning.step s ON s.strategy = m.strategy AND s.step = m.step ORDER BY e.contact_on, e.message_id});
cmp_ok(scalar @sent, '>', $debtors / 2, 'messages left: ' . @sent);
sub none
{
	my ($what, @wrong) = @_;
	is(scalar @wrong, 0, $what) or diag(join "\n", splice(@wrong, 0, 5));
	return;
}
sub told { my $s = shift; return sprintf('%s %s to %s at %s', $s->{step} // 'send', $s->{channel}, $s->{debtor}, strftime('%Y-%m-%d %H:%M', gmtime $s->{at})) . (@_ ? ": @_" : '') }

# The ledger again, by hand: what is open at an instant.
my (%invoices, %payments);
push @{ $invoices{ $_->{debtor} } }, $_ for @invoice;
push @{ $payments{ $_->{debtor} } }, $_ for @payment;
sub open_at
{
	my ($debtor, $at) = @_;
	my $t = ($at - $start) / 86400;
	my (%open, %pool, @due);
	my %seen;
	for my $i (@{ $invoices{$debtor} })
	{
		next if ($i->{recorded} // $i->{issued}) >= $t;
		next if defined $i->{cancelled} && $i->{cancelled} < $t;
		if ($i->{cents} < 0) { $pool{ $i->{currency} } -= $i->{cents}; next }
		$seen{ $i->{id} } = $i;
		$open{ $i->{id} } = $i->{cents};
	}
	for my $p (@{ $payments{$debtor} || [] })
	{
		next if ($p->{recorded} // $p->{at}) >= $t;
		if ($p->{invoice} && $seen{ $p->{invoice} }) { $open{ $p->{invoice} } -= $p->{cents} }
		else { $pool{ $p->{currency} } += $p->{cents} }
	}
	for my $i (values %seen) { if ($open{ $i->{id} } < 0) { $pool{ $i->{currency} } -= $open{ $i->{id} }; $open{ $i->{id} } = 0 } }
	for my $i (sort { $a->{due} <=> $b->{due} || $a->{issued} <=> $b->{issued} || $a->{id} cmp $b->{id} } values %seen)
	{
		my $took = $pool{ $i->{currency} } // 0;
		$took = $open{ $i->{id} } if $took > $open{ $i->{id} };
		$open{ $i->{id} } -= $took;
		$pool{ $i->{currency} } -= $took;
	}
	return (\%open, \%seen, $t);
}
my %listed;
push @{ $listed{ $_->[0] } }, [ @$_[ 1, 2 ] ] for rows(q{SELECT m.message_id, i->>'reference', round((i->>'amount')::numeric, 2)
	FROM dunning.message m, jsonb_array_elements(m.context->'balances') b, jsonb_array_elements(b->'invoices') i});
my (@settled, @amounts, @days, @unsaid, @disputed);
for my $s (@sent)
{
	my ($open, $seen, $t) = open_at($s->{debtor}, $s->{at});
	my $before = $s->{step} && $s->{step} eq 'pre-due';
	my %owed;
	$owed{ $seen->{$_}{currency} } += $open->{$_} for grep { $open->{$_} > 0 && ($before || $seen->{$_}{due} < floor($t)) } keys %$open;
	push @settled, told($s) unless %owed;
	my %named;
	for my $line (@{ $listed{ $s->{message} } || [] })
	{
		my ($id, $amount) = @$line;
		my $i = $seen->{$id};
		push @amounts, told($s, "$id is told as $amount, open is " . money($open->{$id} // 0)) if !$i || money($open->{$id}) ne $amount;
		push @disputed, told($s, $id) if $i && defined $i->{disputed} && $i->{disputed} < $t;
		push @disputed, told($s, "$id is held") if grep { ($_->[3] // '') eq $id && $_->[1] <= $s->{at} && $s->{at} < $_->[2] } @held;
		$named{ $i->{currency} } += $open->{$id} if $i;
	}
	push @amounts, told($s, 'nothing is listed') unless %named;
	# In the text: digits of each sum, and the days past due as of the day it left.
	(my $digits = $s->{text}) =~ s/[^0-9]//g;
	for my $currency (keys %named) { push @unsaid, told($s, money($named{$currency}) . ' ' . $currency . ": $s->{text}") unless index($digits, $named{$currency}) >= 0 }
}
none('nobody without an open overdue balance was contacted', @settled);
none('the invoices a message lists stand in the ledger at that instant with these amounts', @amounts);
none('each sum can be read in the text', @unsaid);
none('no disputed or held invoice is dunned', @disputed);

# The days past due that a text gives are those of the day it is sent.
my @stale = rows(q{SELECT m.step, e.contact_on, e.contact_on::date - min(i.due_on) AS is, substring(b.body_text FROM 'is now (\d+) day'), m.debtor_id
	FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id) JOIN dunning.body b USING (debtor_id, message_id)
	JOIN billing.v_invoice i ON i.invoice_id::text IN (SELECT x->>'reference' FROM jsonb_array_elements(m.context->'balances'->0->'invoices') x)
	WHERE b.body_text ~ 'is now \d+ day' GROUP BY m.debtor_id, m.message_id, m.step, e.contact_on, b.body_text
	HAVING (e.contact_on AT TIME ZONE 'UTC')::date - min(i.due_on) <> substring(b.body_text FROM 'is now (\d+) day')::int});
none('days past due are told as of the day of the message', map { "$_->[0] to $_->[4] on $_->[1]: $_->[2] days, told as $_->[3]" } @stale);

# The wording that was drawn is the wording that left.
is(join(' ', map { "$_->[0]:$_->[1]" } rows(q{SELECT m.variant, string_agg(DISTINCT CASE WHEN b.body_text ~ 'find a way' THEN 'empathy' ELSE 'neutral' END, '+')
	FROM dunning.message m JOIN dunning.body b USING (debtor_id, message_id)
	WHERE m.template = 'reminder-1' AND m.channel IN ('email', 'sms') AND b.body_text ~ 'Already paid' GROUP BY 1 ORDER BY 1})),
	'empathy:empathy neutral:neutral', 'each message has the wording of its arm');

# Hours and holidays, in every zone where the debtor may be.
my %holiday = (DK => [qw(2026-04-02 2026-04-03 2026-04-06 2026-05-14 2026-05-25)], SE => [qw(2026-04-03 2026-04-06 2026-05-01 2026-05-14)],
	DE => [qw(2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25)], NL => [qw(2026-04-06 2026-04-27 2026-05-14 2026-05-25)],
	GB => [qw(2026-04-03 2026-04-06 2026-05-04 2026-05-25)], NO => [qw(2026-04-02 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25)],
	FI => [qw(2026-04-03 2026-04-06 2026-05-01 2026-05-14)], US => [qw(2026-05-25)]);
my @america = qw(America/New_York America/Chicago America/Denver America/Los_Angeles);
my %local;
for my $zone ((map { $_ } values %place), @america)
{
	my @at = do { my %u; grep { !$u{$_}++ } map { $_->{at} } @sent };
	for my $r (rows("SELECT t, to_char(to_timestamp(t) AT TIME ZONE '$zone', 'YYYY-MM-DD ID HH24 MI') FROM unnest('{" . join(',', @at) . "}'::bigint[]) t")) { $local{$zone}{ $r->[0] } = [ split ' ', $r->[1] ] }
}
my @untimely;
for my $s (grep { $_->{channel} =~ /^(email|sms|call)$/ } @sent)
{
	my $d = $debtor{ $s->{debtor} };
	my $country = $d->{country} // '';
	for my $zone ($d->{zone} && $d->{zone} ne 'Mars/Olympus' ? $d->{zone} : $country eq 'US' ? @america 
		: $country ? $place{$country} : $d->{phone} ? $place{DK} : values %place)	# without a country the phone's +45 says where
	{
		my ($date, $dow, $hour, $minute) = @{ $local{$zone}{ $s->{at} } };
		my $clock = $hour + $minute / 60;
		my $fine = $s->{channel} eq 'email' ? ($clock >= ($country eq 'US' && !$d->{company} ? 8 : 7) && $clock < ($country eq 'NL' && !$d->{company} ? 20 : 21) && !($country eq 'NL' && !$d->{company} && $dow == 7))
		  : $dow <= 5 ? $clock >= 8 && $clock < 20 : $dow == 6 ? $clock >= 9 && $clock < 15 : 0;
		$fine = 0 if $s->{channel} ne 'email' && $country && grep { $_ eq $date } @{ $holiday{$country} };
		push @untimely, told($s, "$date day $dow $hour:$minute in $zone ($country)") unless $fine;
	}
}
none('nothing left outside the hours of the house and the country, local time', @untimely);

# Caps a person, over both creditors.
my (%contacts, @capped);
for my $s (@sent)
{
	my $d = $debtor{ $s->{debtor} };
	my $zone = $d->{zone} && $d->{zone} ne 'Mars/Olympus' ? $d->{zone} : $place{ $d->{country} // '' } // $america[0];
	$contacts{ $d->{person} }{ $s->{message} } = int(timegm(0, 0, 0, (split /-/, $local{$zone}{ $s->{at} }[0])[2], (split /-/, $local{$zone}{ $s->{at} }[0])[1] - 1, 2026) / 86400);
}
for my $person (keys %contacts)
{
	my @on = sort { $a <=> $b } values %{ $contacts{$person} };
	for my $i (0 .. $#on)
	{
		push @capped, "$person twice on day $on[$i]" if $i && $on[$i] == $on[ $i - 1 ];
		push @capped, "$person four times from day $on[$i - 3]" if $i >= 3 && $on[$i] - $on[ $i - 3 ] < 7;
	}
}
none('one contact a day and three in seven days a person', @capped);

# Steps.
my (%step, %furthest, @again, @back);
for my $s (grep { $_->{step} } @sent)
{
	# a step that comes again has a key of its own each time
	my $other = $step{"$s->{debtor}/$s->{key}"};
	push @again, told($s) if $other && $other ne $s->{message};
	$step{"$s->{debtor}/$s->{key}"} = $s->{message};
	my $episode = "$s->{debtor}/$s->{strategy}/$s->{anchor}";
	push @back, told($s, "after step $furthest{$episode}") if ($furthest{$episode} // 0) > $s->{position};
	$furthest{$episode} = $s->{position};
}
none('no step twice for a debtor and due date', @again);
none('no lower step after a higher one', @back);

# Holds, suppressed addresses, consent.
my (@though_held, @though_silent, @unasked);
my (%hold, %silent);
push @{ $hold{ $_->[0] } }, $_ for grep { !$_->[3] } @held;
$silent{ $_->[0] } //= $_->[1] for @silenced;
for my $s (@sent)
{
	push @though_held, told($s) if grep { $_->[1] <= $s->{at} && $s->{at} < $_->[2] } @{ $hold{ $s->{debtor} } || [] };
	push @though_silent, told($s) if ($silent{"$s->{channel} $s->{address}"} // 9e12) <= $s->{at};
	push @unasked, told($s) if ($debtor{ $s->{debtor} }{consent} // '') =~ /"$s->{channel}": false/;
}
none('nobody was contacted while held', @though_held);
none('no suppressed address was used', @though_silent);
none('no channel was used without consent', @unasked);

# Ends.
none('every message stands in the queue or has one final state with a reason', map { join ' ', @$_ } rows(q{
	SELECT m.message_id, q.state, f.n, f.states FROM dunning.message m
	LEFT JOIN dunning.queue q USING (debtor_id, message_id)
	LEFT JOIN LATERAL (SELECT count(DISTINCT o.state) AS n, string_agg(o.state || ':' || o.reason, ', ') AS states FROM dunning.outcome o
		WHERE o.message_id = m.message_id AND o.state IN ('sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled') AND o.reason <> '') f ON true
	WHERE (q.message_id IS NULL) <> (coalesce(f.n, 0) = 1)}));
none('what was sent has a row of egress, what was cancelled before has none', map { join ' ', @$_ } rows(q{
	SELECT o.message_id, o.state FROM dunning.outcome o WHERE o.state IN ('sent', 'cancelled')
	AND (o.state = 'sent') <> EXISTS (SELECT FROM dunning.egress e WHERE e.message_id = o.message_id)
	AND NOT (o.state = 'cancelled' AND EXISTS (SELECT FROM dunning.outcome x WHERE x.message_id = o.message_id AND x.attempt > 0))}));
none('planning again the same day changes nothing', map { "$_->[0]: $_->[1]" } rows('SELECT at, again FROM public.sim_plan WHERE again <> 0'));

# Two creditors of one person.
my @crossed;
for my $s (@sent)
{
	my $d = $debtor{ $s->{debtor} };
	my $other = $d->{creditor} eq 'north' ? 'south' : 'north';
	push @crossed, told($s, "names $house{$other}") if index($s->{text}, $house{$other}) >= 0 || index($s->{text}, $other eq 'north' ? '11111111' : '22222222') >= 0 || $s->{text} =~ /DK-\U$other/;
	push @crossed, told($s, 'does not name its own') unless index($s->{text}, $house{ $d->{creditor} }) >= 0;
	for my $twin (grep { $_->{id} ne $d->{id} } @{ $by_person{ $d->{person} } })
	{
		for my $i (@{ $invoices{ $twin->{id} } }) { push @crossed, told($s, "an invoice of $twin->{id}") if index($s->{text} . $s->{context}, $i->{id}) >= 0 }
		push @crossed, told($s, "the id of $twin->{id}") if index($s->{text} . $s->{context}, $twin->{id}) >= 0;
	}
}
none('two creditors of a person see nothing of each other', @crossed);

# And it did its work: who owed long, could be reached and was not kept out, heard of it.
my %heard = map { $_->{debtor} => 1 } @sent;
my %kept_out = map { $_->[0] => 1 } @held;
my @missed;
for my $d (grep { $_->{email} && !$silent{"email $_->{email}"} && !$kept_out{ $_->{id} } && ($_->{consent} // '') !~ /"email": false/ && @{ $by_person{ $_->{person} } } == 1 } @debtor)
{
	next if $heard{ $d->{id} };
	my ($open, $seen) = open_at($d->{id}, $start + 86400 * $days);
	push @missed, $d->{id} if grep { my $i = $seen->{$_}; $open->{$_} > 500 && $i->{due} < $days - 25 && $i->{due} >= 0 && ($i->{recorded} // 0) < $days - 25 && !defined $i->{disputed}
		&& !grep { $_->{at} > $days - 25 || ($_->{recorded} // 0) > $days - 25 } @{ $payments{ $d->{id} } || [] } } keys %$open;
}
none('who owes, has an e-mail address and is not kept out, heard of it', @missed);
is($node->safe_psql($db, 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
is($node->safe_psql($db, "SELECT count(*) FROM dunning.run_log WHERE run_state <> 'done'"), '0', 'no daily run failed');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC|XX000/, 'no process crashed, no internal error');
note(join ', ', map { "$_->[0] $_->[1]: $_->[2]" } rows('SELECT m.step, e.channel, count(*) FROM dunning.egress e JOIN dunning.message m USING (debtor_id, message_id) GROUP BY 1, 2 ORDER BY 1, 2'));
$node->stop;
done_testing();
