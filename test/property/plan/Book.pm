# A random book with its strategies, clocks and what people do meanwhile: the script that brings it about, and the facts the judge starts from.
package Book;
use strict;
use warnings;
use POSIX qw(strftime floor);
use Time::Local qw(timegm);

our %place = (DK => ['Europe/Copenhagen'], SE => ['Europe/Stockholm'], DE => ['Europe/Berlin'], NL => ['Europe/Amsterdam'], GB => ['Europe/London'], NO => ['Europe/Oslo'],
	FI => ['Europe/Helsinki'], JP => ['Asia/Tokyo'], US => [qw(America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage Pacific/Honolulu)]);
our @ledger_zones = ('UTC', 'Europe/Copenhagen', 'America/New_York', 'Asia/Tokyo', 'Pacific/Auckland');
our @given_zones = ('Australia/Sydney', 'America/New_York', 'Asia/Tokyo', 'Atlantic/Azores');
our @currencies = qw(EUR DKK SEK USD);

sub one_of { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }
sub between { return $_[0] + int rand($_[1] - $_[0] + 1) }
sub shuffled { my @l = @_; for my $i (reverse 1 .. $#l) { my $j = int rand($i + 1); @l[ $i, $j ] = @l[ $j, $i ] } return @l }
sub day { return strftime('%Y-%m-%d', gmtime(86400 * $_[0])) }
sub quoted { my $v = shift; return 'NULL' unless defined $v; $v =~ s/'/''/g; return "'$v'" }
sub instant { return defined $_[0] ? "'" . strftime('%Y-%m-%d %H:%M:%S+00', gmtime $_[0]) . "'" : 'NULL' }
sub json { my %v = @_; return '{' . join(', ', map { "\"$_\": $v{$_}" } sort keys %v) . '}' }

# An amount as the ledger has it: mostly cents, sometimes whole, sometimes odd.
sub amount { my $odd = shift; return one_of('10000000000000000000000000', '123456789012.345678', '0.0000001', '40.0049999', '5', '40.005', '12.3456789', '1234567890123') if $odd && chance(0.5);
	return chance(0.1) ? one_of('5', '5.00', '4.99', '10', '40', '0.01', '3') : chance(0.3) ? int(1 + rand 300) : sprintf('%.2f', 1 + rand 400) }

# Conditions as SQL, and as the judge reads them: 1, 0, or an error.
our @conditions = (
	[ 'p_late >= 0.5', sub { defined $_[0]{p_late} && $_[0]{p_late} >= 0.5 ? 1 : 0 } ],
	[ q{segment = 'habitual_late'}, sub { ($_[0]{segment} // '') eq 'habitual_late' ? 1 : 0 } ],
	[ q{coalesce(diagnosis, '') <> 'cannot_pay'}, sub { ($_[0]{diagnosis} // '') ne 'cannot_pay' ? 1 : 0 } ],
	[ q{diagnosis = 'waiting_for_payday'}, sub { ($_[0]{diagnosis} // '') eq 'waiting_for_payday' ? 1 : 0 } ],
	[ '1 / (floor(10 * p_late) - 3)::int < 99', sub { defined $_[0]{p_late} ? (floor(10 * $_[0]{p_late}) == 3 ? 'error' : 1) : 0 } ],
	[ 'p_late < 0.9', sub { defined $_[0]{p_late} && $_[0]{p_late} < 0.9 ? 1 : 0 } ]);

sub minimum { return json('*' => one_of(0, 1, 5, 10, 50), chance(0.5) ? (EUR => one_of(0, 5, 40.005, 100)) : (), chance(0.2) ? (DKK => one_of(40, 200)) : ()) }

sub random_strategy
{
	my $name = shift;
	my %s = (name => $name, minimum => minimum(), grace => one_of(0, 0, 1, 2, 5), gap => one_of(0, 1, 3, 5, 7), tolerance => chance(0.4) ? json('*' => one_of(1, 3, 25.5)) : '{}',
		catch_up => one_of(qw(furthest next)), choose => one_of(qw(order value)), horizon => one_of(1, 3, 7, 7, 14));
	($s{max_contacts}, $s{max_days}) = (between(1, 4), between(5, 40)) if chance(0.3);
	$s{stop_after} = between(1, 4) if chance(0.3);
	my $count = between(2, 6);
	my $offset = one_of(-5, -3, 0, 1, 3, 5);
	for my $k (1 .. $count)
	{
		my %t = (step => "s$k", position => 10 * $k, anchor => 'due_date', template => one_of(qw(sim-a sim-a sim-b)), tone => one_of(qw(soft neutral formal)));
		$t{offset} = $offset;
		$offset = ($offset < 0 && chance(0.8) ? 0 : $offset) + one_of(0, 1, 2, 4, 7, 10, 15);
		if ($k > 1 && chance(0.4))
		{
			$t{anchor} = one_of(qw(last_contact last_contact hearing payday next_fee broken_promise event:circumstances_changed));
			$t{offset} = { last_contact => between(1, 9), hearing => between(-4, 1), payday => between(-3, 4), next_fee => -between(1, 6), broken_promise => between(0, 4) }->{ $t{anchor} } // between(0, 5);
		}
		my @channels = shuffled(qw(email sms letter call));
		$t{channels} = [ @channels[ 0 .. int rand 4 ] ];
		$t{template} = 'sim-c' if chance(0.03);
		$t{condition} = int rand @conditions if chance(0.25);
		$t{after_contact} = 1 if $k > 1 && chance(0.2);
		$t{until} = $t{offset} + between(0, 14) if chance(0.2) && !($t{offset} < 0 && $t{anchor} =~ /next_fee|hearing/);
		$t{minimum} = minimum() if chance(0.15);
		$t{cooldown} = between(0, 9) if chance(0.2);
		if (chance(0.25)) { $t{repeat} = between(1, 9); $t{repeat_max} = between(2, 4) if chance(0.6) }
		$t{paid} = 0 if chance(0.1);
		$t{self_cure_wait} = between(1, 12) if chance(0.12);
		$t{self_cure_days} = between(1, 20) if chance(0.12);
		$t{must} = 1 if chance(0.12);
		$t{offer} = one_of(qw(instalments pay_later promise)) if chance(0.25);
		if (chance(0.12) && (my ($other) = grep { my $c = $_; !grep { $c eq $_ } @{ $t{channels} } } qw(sms email letter))) { $t{companion} = $other }
		push @{ $s{steps} }, \%t;
	}
	if ($s{stop_after} && chance(0.5)) { my $k = between(1, $count); $s{stop_step} = "s$k" if grep { $_->{step} ne "s$k" && $_->{anchor} eq 'due_date' && !$_->{after_contact} } @{ $s{steps} } }
	return \%s;
}

sub strategy_sql
{
	my $s = shift;
	my $n = sub { defined $_[0] ? $_[0] : 'NULL' };
	my $save = sub { "SELECT dunning.save_strategy('$s->{name}', 'random', '$s->{minimum}', $s->{grace}, '$s->{horizon} days', $s->{gap}, tolerance => '$s->{tolerance}', max_contacts => "
		  . $n->($s->{max_contacts}) . ', max_days => ' . $n->($s->{max_days}) . ', stop_after => ' . $n->($s->{stop_after}) . ', stop_step => ' . quoted($_[0])
		  . ", catch_up => '$s->{catch_up}', choose => '$s->{choose}');\n" };
	my $sql = $save->(undef);
	# saved from that which can stand by itself on
	for my $t (sort { ($a->{anchor} ne 'due_date' || $a->{after_contact} // 0) <=> ($b->{anchor} ne 'due_date' || $b->{after_contact} // 0) || $a->{position} <=> $b->{position} } @{ $s->{steps} })
	{
		$sql .= "SELECT dunning.save_step('$s->{name}', '$t->{step}', $t->{position}, $t->{offset}, '$t->{template}', '{" . join(',', @{ $t->{channels} }) . "}', '$t->{anchor}', condition => "
		  . quoted(defined $t->{condition} ? $conditions[ $t->{condition} ][0] : undef) . ', paid_channels => ' . (($t->{paid} // 1) ? 'true' : 'false') . ', self_cure_days => ' . ($t->{self_cure_days} // 0)
		  . ', self_cure_wait => ' . ($t->{self_cure_wait} // 0) . ', after_contact => ' . ($t->{after_contact} ? 'true' : 'false') . ', until_days => ' . $n->($t->{until}) . ', minimum => ' . quoted($t->{minimum})
		  . ', cooldown_days => ' . $n->($t->{cooldown}) . ', repeat_days => ' . $n->($t->{repeat}) . ', repeat_max => ' . $n->($t->{repeat_max}) . ", tone => '$t->{tone}', offer => " . quoted($t->{offer})
		  . ', companion_channel => ' . quoted($t->{companion}) . ', companion_template => ' . quoted($t->{companion} && 'sim-b') . ', must => ' . ($t->{must} ? 'true' : 'false') . ");\n";
	}
	return $sql . (defined $s->{stop_step} ? $save->($s->{stop_step}) : '');
}

# Rows of the ledger of one debtor, about the days on which he is looked at.
sub fill_ledger
{
	my ($d, $first, $last, $zone_noon) = @_;
	my @currency = chance(0.35) ? (shuffled(@currencies))[ 0 .. between(1, 2) ] : one_of(@currencies);
	my $odd = $d->{odd};
	for my $k (1 .. between(1, 5))
	{
		my $due = between($first - 60, $last + 8);
		my %i = (id => "i$k", due => $due, issued => $due - one_of(0, 7, 14, 30), amount => amount($odd), currency => one_of(@currency), kind => 'invoice');
		$i{due} = $d->{invoices}[0]{due} if $k > 1 && chance(0.25);
		$i{issued} = $i{due} - 14 if $i{issued} > $i{due};
		$i{recorded} = ($i{issued} + between(0, 9)) * 86400 + between(0, 86399) if chance(0.15);
		$i{disputed} = 1 if chance(0.07);
		$i{cancelled} = ($i{due} + between(-5, 30)) * 86400 + between(0, 86399) if chance(0.05);
		if (chance(0.06)) { $i{amount} = "-$i{amount}"; $i{kind} = one_of(qw(invoice credit_note)) }
		elsif (chance(0.04)) { $i{kind} = 'credit_note' }
		$i{amount} = '0' if chance(0.03);
		if ($odd && chance(0.12)) { $i{amount} = one_of(qw(NaN Infinity -Infinity)) }
		if ($odd && chance(0.08)) { $i{due} = $i{issued} - 1 }
		push @{ $d->{invoices} }, \%i;
		my $on = ($i{due} + one_of(-8 .. 40)) * 86400 + between(0, 86399);
		my $sum = $i{amount};
		$sum = 7 if $sum !~ /^[0-9.]+$/;
		my $how = rand;
		my $pay = sub { push @{ $d->{payments} }, { at => $_[0], amount => $_[1], currency => $_[2] // $i{currency}, invoice => $_[3], (chance(0.1) ? (recorded => $_[0] + between(0, 4) * 86400) : ()) } };
		if ($how < 0.18) { $pay->($on, $sum, undef, $i{id}) }
		elsif ($how < 0.24) { $pay->($on, $sum) }
		elsif ($how < 0.40) { $pay->($on, sprintf('%.2f', ($sum > 1e12 ? 1e6 : $sum) * one_of(0.1, 0.5, 0.9, 0.97)), undef, chance(0.7) ? $i{id} : undef) }
		elsif ($how < 0.45) { $pay->($on, $sum, undef, $i{id}); $pay->($on + 5 * 86400, "-$sum", undef, chance(0.8) ? $i{id} : undef) }
		elsif ($how < 0.48) { $pay->($on, 500, undef, $i{id}) }
		elsif ($how < 0.51) { $pay->($on, 50, one_of(@currencies), one_of($i{id}, undef, 'gone')) }
		elsif ($how < 0.52) { $pay->($on, one_of('-20', '0', '0.01')) }
	}
	return;
}

sub random_debtor
{
	my ($n, $book, $previous) = @_;
	my $twin = $previous && chance(0.12);
	my %d = (id => "d$n", creditor => one_of(@{ $book->{creditors} }), odd => chance(0.05));
	if ($twin) { $d{$_} = $previous->{$_} for qw(person country given_zone kind email phone address) }
	else
	{
		$d{person} = chance(0.8) ? undef : "p$n";
		$d{country} = chance(0.06) ? undef : one_of(qw(DK DK SE DE NL GB NO FI US JP));
		$d{given_zone} = chance(0.1) ? one_of(@given_zones) : chance(0.03) ? 'Mars/Olympus' : undef;
		$d{kind} = one_of('person', 'person', 'company', undef);
		$d{email} = chance(0.85) ? "n$n\@example.org" : undef;
		$d{phone} = chance(0.8) ? sprintf('+4520%06d', $n) : undef;
		$d{address} = chance(0.7) ? '{"line1": "Street 1", "city": "Town", "postcode": "1000", "country": "DK"}' : undef;
	}
	# a second account of the same person
	if ($twin) { $d{person} //= $previous->{id} }
	$d{consent} = chance(0.75) ? undef : '{' . join(', ', map { "\"$_\": " . one_of('true', 'false', 'null') } grep { chance(0.6) } qw(email sms letter call)) . '}';
	$d{preferred} = chance(0.7) ? undef : one_of(qw(email sms letter call push));
	%d = (%d, scored => 0) if chance(0.1);
	if ($d{scored} // 1)
	{
		$d{segment} = one_of('other', 'other', 'habitual_late', 'self_curer');
		$d{diagnosis} = one_of(undef, 'forgot', 'cannot_pay', 'waiting_for_payday', 'unreachable');
		# never where arithmetic could fall either way
		$d{$_} = between(1, 998) / 1000 + 0.0003 for qw(p_paid p_late p_self_cure);
	}
	$d{strategy} = chance(0.08) ? undef : one_of(@{ $book->{followed} });
	$d{invoices} = []; $d{payments} = [];
	fill_ledger(\%d, $book->{first_day}, $book->{last_day});
	# those who are paid on the same day each month
	if (chance(0.15)) { push @{ $d{payments} }, map { { at => timegm(0, 0, 9, between(27, 28), $_, $book->{year} - 1), amount => 1, currency => 'EUR' } } 4 .. 11 }
	return \%d;
}

sub clocks
{
	my ($instants) = @_;
	# where clocks change: Europe, America, Sydney, Auckland; or any other day
	my $day = chance(0.5) ? one_of(map { timegm(0, 0, 0, $_->[0], $_->[1], 2026) } [ 29, 2 ], [ 8, 2 ], [ 25, 9 ], [ 1, 10 ], [ 5, 3 ], [ 4, 9 ]) - 86400 * between(0, 20) : timegm(0, 0, 0, 1, 0, 2026) + 86400 * between(0, 330);
	my $t = $day + 60 * between(0, 1439);
	my @at = ($t);
	while (@at < $instants)
	{
		$t += one_of(3600, 3 * 3600, 9 * 3600, 86400, 86400, 86400, 86400, 2 * 86400, 2 * 86400, 3 * 86400, 5 * 86400, 7 * 86400, 12 * 86400) + (chance(0.3) ? 60 * between(-30, 600) : 0);
		push @at, $t;
	}
	return @at;
}

# What happens to somebody at an instant: SQL, and what the judge must know of it.
sub happening
{
	my ($book, $d, $at, $n) = @_;
	my $what = rand;
	my $day = floor($at / 86400);
	my $try = sub { my $c = shift; return 'SELECT sim.try(' . $n . ', ' . quoted($c) . ");\n" };
	if ($what < 0.10) { return $try->("SELECT FROM dunning.hold('$d->{id}', '" . one_of(qw(hardship dispute investigation manual legal_representation insolvency moratorium)) . "'" . (chance(0.7) ? ", until => '" . day($day + between(0, 9)) . "'" : '') . ')') }
	if ($what < 0.22) { return $try->("SELECT FROM dunning.hold('$d->{id}', 'investigation', invoice_id => '" . one_of(@{ $d->{invoices} })->{id} . "'" . (chance(0.5) ? ", until => '" . day($day + between(0, 9)) . "'" : '') . ')') }
	if ($what < 0.30) { return $try->("SELECT FROM dunning.hold h, dunning.release(h.hold_id) WHERE h.debtor_id = '$d->{id}' AND h.released_at IS NULL") }
	if ($what < 0.40) { return $try->("SELECT FROM dunning.promise('$d->{id}', " . one_of(1, 5, 20) . ", '" . one_of(@{ $d->{invoices} })->{currency} . "', '" . day($day + between(1, 6)) . "')") }
	if ($what < 0.48) { return $try->("SELECT FROM dunning.record_event('hearing', '$d->{id}', detail => '{\"on\": \"" . day($day + between(-2, 14)) . "\"}')") }
	if ($what < 0.56) { return $try->("SELECT FROM dunning.record_event('circumstances_changed', '$d->{id}')") }
	if ($what < 0.62) { return $try->("SELECT FROM dunning.record_event('" . one_of(qw(called_in conversation clicked replied)) . "', '$d->{id}')") }
	if ($what < 0.69 && $d->{email}) { push @{ $book->{silenced}{"email $d->{email}"} }, $at; return $try->("SELECT FROM dunning.suppress('$d->{email}', 'email', 'complaint')") }
	if ($what < 0.73 && $d->{phone}) { push @{ $book->{silenced}{"sms $d->{phone}"} }, $at; return $try->("SELECT FROM dunning.suppress('$d->{phone}', 'sms', 'opted_out')") }
	if ($what < 0.80) { my $s = one_of(@{ $book->{followed} }); push @{ $d->{follows} }, [ $at, $s ]; return "SELECT FROM dunning.set_strategy('$d->{id}', '$s');\n" }
	if ($what < 0.86) { my $i = one_of(@{ $d->{invoices} }); my $to = chance(0.6) ? 1 : 0; push @{ $i->{disputes} }, [ $at, $to ]; return "UPDATE dunning.invoice SET disputed = " . ($to ? 'true' : 'false') . " WHERE debtor_id = '$d->{id}' AND invoice_id = '$i->{id}';\n" }
	if ($what < 0.91) { return $try->("SELECT FROM dunning.make_offer('$d->{id}', '" . one_of(qw(instalments pay_later promise)) . "', replace => " . one_of('true', 'false') . ')') }
	if ($what < 0.94) { return $try->("SELECT FROM dunning." . one_of('accept_offer', 'decline_offer') . "('$d->{id}')") }
	if ($what < 0.97) { return $try->("SELECT FROM dunning.queue q, dunning.cancel(q.message_id, 'a person said so') WHERE q.debtor_id = '$d->{id}'") }
	my $consent = one_of('{"email": false}', '{"sms": false, "email": true}', '{"letter": false, "call": false}');
	push @{ $d->{consents} }, [ $at, $consent ];
	return "UPDATE dunning.debtor SET consent = '$consent' WHERE debtor_id = '$d->{id}';\n";
}

# new(seed, number of debtors, number of instants)
sub new
{
	my ($class, $seed, $debtors, $instants) = @_;
	srand($seed);
	my @at = clocks($instants);
	my $book = { seed => $seed, at => \@at, first_day => floor($at[0] / 86400), last_day => floor($at[-1] / 86400), year => (gmtime $at[0])[5] + 1900, zone => one_of(@ledger_zones), creditors => [ 'default', 'north' ], silenced => {} };
	$book->{strategies} = { map { $_ => random_strategy($_) } map { "r$_" } 1 .. 8 };
	$book->{followed} = [ qw(standard consumer business subscription), (map { ($_) x 2 } sort keys %{ $book->{strategies} }) ];
	$book->{default_of} = { north => one_of(@{ $book->{followed} }) };
	$book->{companies} = chance(0.3);
	$book->{rules} = [];
	push @{ $book->{rules} }, { rule => 'own-gap', channels => [qw(email sms letter call)], min_gap => one_of(20, 36, 50) } if chance(0.3);
	push @{ $book->{rules} }, { rule => 'own-cap', channels => ['sms'], cap => 1, cap_days => between(2, 20), scope => 'debtor' } if chance(0.3);
	push @{ $book->{rules} }, { rule => 'own-hours', channels => [qw(call sms)], days => [ 1, 2, 3 ], from => 600, to => 960, holidays => 0 } if chance(0.3);
	push @{ $book->{rules} }, { rule => 'own-mornings', channels => ['email'], days => [ 0 .. 6 ], from => 420, to => 660, holidays => 1, country => 'DK' } if chance(0.3);
	my $previous;
	$book->{debtors} = [ map { $previous = random_debtor($_, $book, $previous) } 1 .. $debtors ];
	$book->{script} = setup_sql($book) . days_sql($book);
	return bless $book, $class;
}

sub setup_sql
{
	my $book = shift;
	my $sql = "SET client_min_messages = error;\nSET dunning.timezone = '$book->{zone}';\nSET timezone = '" . one_of(@ledger_zones) . "';\nSET datestyle = '" . one_of('ISO, YMD', 'German, DMY', 'SQL, MDY')
	  . "';\nSET dunning.clock = " . instant($book->{at}[0] - 3600) . ";\n";
	$sql .= "SELECT dunning.save_creditor('north', 'North', language => 'en');\n";
	for my $channel (qw(email sms letter))
	{
		my $verdict = $channel ne 'letter' && chance(0.15) ? one_of(qw(failed retry unknown)) : 'sent';
		$book->{mail_fails} = 1 if $channel eq 'email' && $verdict ne 'sent';
		$sql .= "CREATE SERVER mock_$channel TYPE '$channel' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', verdict '$verdict'); CREATE USER MAPPING FOR dunning_worker SERVER mock_$channel;\n";
	}
	$sql .= "CREATE SERVER desk TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task'); CREATE USER MAPPING FOR dunning_worker SERVER desk;\n";
	$sql .= strategy_sql($book->{strategies}{$_}) for sort keys %{ $book->{strategies} };
	$sql .= "SELECT dunning.save_creditor('north', 'North', language => 'en', default_strategy => '$book->{default_of}{north}');\n";
	$sql .= "SELECT dunning.assign_strategy('companies', 'business', debtor_kind => 'company');\n" if $book->{companies};
	$sql .= "SELECT dunning.save_charging('default', fees => true, terms => '{reminder_fee}');\n" if chance(0.25);
	$sql .= "SELECT dunning.set_budget(" . between(5, 60) . ", 'EUR');\n" if chance(0.15);
	for my $r (@{ $book->{rules} })
	{
		my $windows = defined $r->{from} ? sprintf("'%s %02d:%02d-%02d:%02d'", join('-', (qw(Mon Tue Wed Thu Fri Sat Sun))[ $r->{days}[0], $r->{days}[-1] ]), int($r->{from} / 60), $r->{from} % 60, int($r->{to} / 60), $r->{to} % 60) : 'NULL';
		$sql .= "SELECT dunning.save_rule('$r->{rule}', $windows, '{" . join(',', @{ $r->{channels} }) . "}', country => " . quoted($r->{country}) . ', holidays => ' . ($r->{holidays} ? 'true' : 'false') . ', cap => ' . ($r->{cap} // 'NULL')
		  . ', cap_days => ' . ($r->{cap_days} // 'NULL') . ', cap_scope => ' . quoted($r->{scope}) . ', min_gap => ' . (defined $r->{min_gap} ? "'$r->{min_gap} hours'" : 'NULL') . ");\n";
	}
	my (@debtor, @invoice, @payment, @score, @follows);
	for my $d (@{ $book->{debtors} })
	{
		push @debtor, '(' . join(', ', map { quoted($_) } $d->{id}, $d->{creditor}, $d->{person}, $d->{kind}, "Name $d->{id}", $d->{country}, $d->{given_zone}, $d->{email}, $d->{phone}, $d->{address}, $d->{preferred}, $d->{consent}) . ')';
		push @invoice, "('$d->{id}', '$_->{id}', '" . day($_->{issued}) . "', '" . day($_->{due}) . "', '$_->{amount}', '$_->{currency}', '$_->{kind}', " . ($_->{disputed} ? 'true' : chance(0.5) ? 'false' : 'NULL') . ', ' . instant($_->{cancelled}) . ', ' . instant($_->{recorded}) . ')'
		  for @{ $d->{invoices} };
		my $k = 0;
		push @payment, "('$d->{id}', 'p" . $k++ . "', " . instant($_->{at}) . ", '$_->{amount}', '$_->{currency}', " . quoted($_->{invoice}) . ', ' . instant($_->{recorded}) . ')' for @{ $d->{payments} };
		push @score, "('$d->{id}', '$d->{creditor}', " . join(', ', map { quoted($_) } @$d{qw(segment diagnosis p_paid p_late p_self_cure)}) . ", '{}', '{}', now(), now())" if $d->{scored} // 1;
		push @follows, "('$d->{id}', '$d->{creditor}', '$d->{strategy}', 'test', now())" if $d->{strategy};
	}
	my $rows = sub { my ($into, @rows) = @_; return @rows ? "INSERT INTO $into VALUES\n" . join(",\n", @rows) . ";\n" : '' };
	$sql .= $rows->('dunning.debtor (debtor_id, creditor, person_id, kind, name, country, time_zone, email, phone, address, preferred_channel, consent)', @debtor);
	$sql .= $rows->('dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, kind, disputed, cancelled_at, recorded_at)', @invoice);
	$sql .= $rows->('dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id, recorded_at)', @payment);
	$sql .= $rows->('dunning.score_result', @score) . $rows->('dunning.debtor_strategy (debtor_id, creditor, strategy, set_by, set_at)', @follows);
	return $sql . "SELECT FROM dunning._refresh_profiles();\nANALYZE;\nSELECT dunning.activate();\n";
}

sub days_sql
{
	my $book = shift;
	my $sql = '';
	my @at = @{ $book->{at} };
	for my $n (0 .. $#at)
	{
		$sql .= "SET dunning.clock = " . instant($at[$n] - 30) . ";\nSELECT FROM sim.maintain();\n" if chance(0.7);
		$sql .= "SET dunning.clock = " . instant($at[$n]) . ";\nSELECT sim.dry($n);\nSELECT sim.plan($n);\nSELECT sim.again($n);\n";
		next if $n == $#at;
		my $span = $at[ $n + 1 ] - $at[$n];
		my @deliver = sort { $a <=> $b } ($at[$n] + 60, map { $at[$n] + 60 + int rand($span - 120) } 1 .. between(0, 2));
		my @happen = sort { $a <=> $b } map { $at[$n] + 61 + int rand($span - 120) } 1 .. 1 + int(@{ $book->{debtors} } * 0.07);
		for my $e (sort { $a->[0] <=> $b->[0] || $a->[1] cmp $b->[1] } (map { [ $_, 'deliver' ] } @deliver), (map { [ $_, 'happen' ] } @happen))
		{
			$sql .= "SET dunning.clock = " . instant($e->[0]) . ";\n";
			$sql .= $e->[1] eq 'deliver' ? "CALL dunning.deliver(max_seconds => 60);\n" : happening($book, one_of(@{ $book->{debtors} }), $e->[0], $n);
		}
	}
	return $sql;
}

1;
