# What planning should have done, told from the ledger, the strategies and what left, in plain arithmetic of its own.
package Oracle;
use strict;
use warnings;
use POSIX qw(strftime floor);
use Math::BigInt;
use Book;

# ---- what is asked of the database ----

# One statement each; rows come back as lists of fields, undef for NULL.
our %asked = (
	strategy => q{SELECT DISTINCT ON (strategy) strategy, grace_days, extract(epoch FROM horizon), min_gap_days, self_cure, max_contacts, max_days, stop_after, stop_step, catch_up FROM dunning.strategy ORDER BY strategy, builtin},
	limits => q{SELECT s.strategy, NULL, 'minimum', m.key, m.value FROM (SELECT DISTINCT ON (strategy) * FROM dunning.strategy ORDER BY strategy, builtin) s, jsonb_each_text(s.minimum) m
		UNION ALL SELECT s.strategy, NULL, 'tolerance', m.key, m.value FROM (SELECT DISTINCT ON (strategy) * FROM dunning.strategy ORDER BY strategy, builtin) s, jsonb_each_text(s.tolerance) m
		UNION ALL SELECT s.strategy, s.step, 'minimum', m.key, m.value FROM dunning.step s, jsonb_each_text(s.minimum) m},
	step => q{SELECT DISTINCT ON (strategy, step) strategy, step, position, anchor, offset_days, array_to_string(channels, ','), condition, paid_channels, self_cure_days, after_contact, until_days,
		minimum IS NOT NULL, cooldown_days, repeat_days, repeat_max, self_cure_wait, must, companion_channel, offer FROM dunning.step WHERE enabled ORDER BY strategy, step, builtin},
	planned => q{SELECT p.n, (p.row).debtor_id, (p.row).message_id, (p.row).strategy, (p.row).step, (p.row).channel, extract(epoch FROM (p.row).contact_at), (p.row).state, (p.row).reason,
		array_to_string((p.row).blocked_by, ','), m.decision->>'anchor', (m.decision->>'anchor')::date - '1970-01-01', ARRAY(SELECT o.x->>'step' FROM jsonb_array_elements(m.decision->'passed_over') o(x))::text,
		extract(epoch FROM m.not_after), (p.row).cost, ARRAY(SELECT c.c FROM jsonb_array_elements_text(m.decision->'currencies') c(c))::text, (m.decision->'timing'->>'wanted_from')::date - '1970-01-01'
		FROM sim.planned p LEFT JOIN dunning.message m ON m.debtor_id = (p.row).debtor_id AND m.message_id = (p.row).message_id ORDER BY 1, 2},
	amounts => q{SELECT (p.row).debtor_id, p.n, a.key, a.value FROM sim.planned p, jsonb_each_text((p.row).amounts) a},
	told => q{SELECT m.message_id, b->>'currency', b->>'amount', i->>'reference', i->>'amount' FROM dunning.message m, jsonb_array_elements(m.context->'balances') b, jsonb_array_elements(b->'invoices') i},
	message => q{SELECT m.message_id, m.debtor_id, m.run_id IS NOT NULL, m.strategy, m.step, m.channel, extract(epoch FROM m.created_at), m.decision->>'companion_of', extract(epoch FROM m.contact_at), extract(epoch FROM r.as_of)
		FROM dunning.message m LEFT JOIN dunning.plan_run r ON r.run_id = m.run_id},
	egress => q{SELECT e.debtor_id, e.message_id, e.channel, e.attempt, extract(epoch FROM e.contact_on), e.creditor FROM dunning.egress e WHERE NOT e.test ORDER BY e.contact_on},
	outcome => q{SELECT o.message_id, o.attempt, o.state, o.reason, extract(epoch FROM o.at), coalesce(o.detail ? 'final', false), coalesce(o.detail ? 'may_have_arrived', false) FROM dunning.outcome o ORDER BY o.outcome_id},
	hold => q{SELECT d.debtor_id, h.reason, h.invoice_id, extract(epoch FROM h.from_at), extract(epoch FROM CASE WHEN h.reason = 'awaiting_us' THEN least(h.until_at, h.from_at + interval '7 days') ELSE h.until_at END), extract(epoch FROM h.released_at)
		FROM dunning.hold h JOIN dunning.debtor d ON d.debtor_id = h.debtor_id OR coalesce(d.person_id, d.debtor_id) = h.person_id},
	held => q{SELECT h.n, d.debtor_id, h.reason, extract(epoch FROM h.from_at), extract(epoch FROM h.until_at)
		FROM sim.held h JOIN dunning.debtor d ON d.debtor_id = h.debtor_id OR coalesce(d.person_id, d.debtor_id) = h.person_id},
	event => q{SELECT e.debtor_id, e.kind, extract(epoch FROM e.at), e.detail->>'on', e.message_id FROM dunning.event e ORDER BY e.at, e.recorded_at},
	promise => q{SELECT p.debtor_id, p.currency, p.needed, p.paid_before, p.due_on - '1970-01-01', extract(epoch FROM p.promised_at), extract(epoch FROM p.cancelled_at) FROM dunning.promise p},
	waiting => q{SELECT w.n, w.debtor_id, w.message_id, w.channel, w.state, extract(epoch FROM w.due), w.run_id IS NOT NULL FROM sim.waiting w},
	fact => q{SELECT f.n, f.debtor_id, f.anchor, f.currency, f.last_on - '1970-01-01', f.next_on - '1970-01-01' FROM sim.fact f},
	offer => q{SELECT o.debtor_id, extract(epoch FROM o.live_from), extract(epoch FROM o.ended_at), o.state, o.ended_by FROM dunning.offer o WHERE o.live_from IS NOT NULL ORDER BY o.live_from, o.offer_id},
	violation => q{SELECT v.n, v.property, v.debtor_id, v.what FROM sim.violation v},
	tally => q{SELECT t.what, sum(t.n) FROM sim.tally t GROUP BY 1});

# The same in every book: where clocks change, and days on which nobody is rung.
our %asked_once = (
	zone => q{SELECT z.z, extract(epoch FROM c.at), c.shift FROM unnest($zones) z(z), LATERAL (SELECT g.at, s.shift, lag(s.shift) OVER (ORDER BY g.at) AS before
		FROM generate_series('2025-01-01 00:00+00'::timestamptz, '2028-01-01 00:00+00', '30 min') g(at), LATERAL (SELECT extract(epoch FROM g.at AT TIME ZONE z.z) - extract(epoch FROM g.at) AS shift) s) c
		WHERE c.before IS DISTINCT FROM c.shift ORDER BY 1, 2},
	holiday => q{SELECT c.c, d.on_date - '1970-01-01' FROM unnest('{DK,SE,NO,FI,DE,NL,GB,US}'::text[]) c(c), dunning.calendar_dates(c.c, '2025-06-01', '2027-12-31') d WHERE d.kind = 'holiday' AND d.effect = 'closed'});

my (%shift, %holiday);

sub rows
{
	my ($db, %q) = @_;
	my %rows;
	for my $name (sort keys %q)
	{
		(my $sql = $q{$name}) =~ s/\s+/ /g;
		open my $in, '-|', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', "SET timezone = 'UTC'", '-c', "COPY ($sql) TO STDOUT" or die "psql: $!";
		my @unescaped = map { chomp; [ map { $_ eq '\N' ? undef : do { s/\\([nt\\])/$1 eq 'n' ? "\n" : $1 eq 't' ? "\t" : '\\'/ge; $_ } } split /\t/, $_, -1 ] } <$in>;
		close $in or die "psql could not tell $name";
		$rows{$name} = \@unescaped;
	}
	return \%rows;
}

sub learn_calendar
{
	my $db = shift;
	my %u = map { $_ => 1 } (map { @$_ } values %Book::place), @Book::ledger_zones, @Book::given_zones;
	(my $zones = $asked_once{zone}) =~ s/\$zones/"'{" . join(',', sort keys %u) . "}'::text[]"/e;
	my $r = rows($db, %asked_once, zone => $zones);
	%shift = %holiday = ();
	push @{ $shift{ $_->[0] } }, [ @$_[ 1, 2 ] ] for @{ $r->{zone} };
	$holiday{ $_->[0] }{ $_->[1] } = 1 for @{ $r->{holiday} };
	return;
}

# ---- clocks ----

# The day (since 1970), the minute of it and the day of the week (Monday 0) of an instant in a zone.
sub local_of
{
	my ($at, $zone) = @_;
	my $by = 0;
	for my $s (@{ $shift{$zone} // die "no zone $zone" }) { last if $s->[0] > $at; $by = $s->[1] }
	my $t = $at + $by;
	my $day = floor($t / 86400);
	return ($day, floor(($t - 86400 * $day) / 60), ($day + 3) % 7, $t);
}

sub closed { my ($country, $day) = @_; return $holiday{$country}{$day} ? 1 : 0 }
sub has_calendar { return exists $holiday{ $_[0] } }

# ---- amounts: whole numbers of 10^-8 ----

sub number
{
	my $text = shift;
	return undef unless $text =~ /^(-?)(\d+)(?:\.(\d+))?$/;
	my ($sign, $whole, $part) = ($1, $2, $3 // '');
	die "$text is too fine" if length($part) > 8;
	my $digits = $whole . $part . '0' x (8 - length $part);
	$digits =~ s/^0+(?=\d)//;
	return length($digits) > 17 ? Math::BigInt->new($sign . $digits) : $sign ? -$digits : 0 + $digits;
}
sub plus { my ($x, $y) = @_; return abs($x) < 4e18 && abs($y) < 4e18 ? $x + $y : Math::BigInt->new("$x") + Math::BigInt->new("$y") }
sub minus { return plus($_[0], -$_[1]) }
sub least { return $_[0] < $_[1] ? $_[0] : $_[1] }

sub new
{
	my ($class, $book, $db) = @_;
	my $r = rows($db, %asked);
	my $o = bless { book => $book, db => $db, wrong => [], tally => {}, r => $r }, $class;
	push @{ $o->{wrong} }, $_ for @{ $r->{violation} };
	$o->{tally}{ $_->[0] } += $_->[1] for @{ $r->{tally} };
	for (@{ $r->{strategy} }) { my %s; @s{qw(strategy grace horizon gap self_cure max_contacts max_days stop_after stop_step catch_up)} = @$_; $s{tolerance} = {}; $s{minimum} = {}; $s{steps} = []; $o->{strategy}{ $s{strategy} } = \%s }
	for (@{ $r->{step} })
	{
		my %t; @t{qw(strategy step position anchor offset channels condition paid self_cure_days after_contact until own_minimum cooldown repeat repeat_max self_cure_wait must companion offer)} = @$_;
		$t{channels} = [ split /,/, $t{channels} ];
		$t{$_} = $t{$_} eq 't' for qw(paid after_contact own_minimum must);
		$t{on_ladder} = $t{anchor} =~ /^(due_date|last_contact)$/ ? 1 : 0;
		$t{minimum} = $t{own_minimum} ? {} : undef;
		my $s = $o->{strategy}{ $t{strategy} };
		$t{from_day} = $t{anchor} eq 'due_date' && $t{offset} < 1 + $s->{grace} ? $t{offset} : 1 + $s->{grace};
		$t{to_day} = $t{until} // ($t{offset} < 0 ? ($t{anchor} eq 'due_date' ? 0 : -1) : $t{on_ladder} ? undef : $t{offset} + 7);
		push @{ $s->{steps} }, \%t;
		$o->{step}{ $t{strategy} }{ $t{step} } = \%t;
	}
	for (@{ $r->{limits} })
	{
		my ($strategy, $step, $what, $currency, $value) = @$_;
		my $at = $step ? $o->{step}{$strategy}{$step} : $o->{strategy}{$strategy};
		$at->{$what}{$currency} = number($value) if $at && $at->{$what};
	}
	for (values %{ $o->{strategy} }) { for my $t (@{ $_->{steps} }) { $t->{minimum} //= $_->{minimum} } }
	$o->{$_} = {} for qw(planned amounts told message egress outcome hold held event promise waiting fact offer companion);
	for (@{ $r->{planned} }) { my %p; @p{qw(n debtor message strategy step channel at state reason blocked anchor_text anchor passed not_after cost currencies wanted)} = @$_; $p{amounts} = {}; $o->{planned}{ $p{debtor} }{ $p{n} } = \%p }
	$o->{planned}{ $_->[0] }{ $_->[1] }{amounts}{ $_->[2] } = $_->[3] for @{ $r->{amounts} };
	push @{ $o->{told}{ $_->[0] } }, [ @$_[ 1 .. 4 ] ] for @{ $r->{told} };
	for (@{ $r->{message} }) { my %m; @m{qw(message debtor by_run strategy step channel created companion_of at planned)} = @$_; $o->{message}{ $m{message} } = \%m }
	push @{ $o->{egress}{ $_->[0] } }, { message => $_->[1], channel => $_->[2], attempt => $_->[3], at => $_->[4] } for @{ $r->{egress} };
	push @{ $o->{outcome}{ $_->[0] } }, { attempt => $_->[1], state => $_->[2], reason => $_->[3], at => $_->[4], final => $_->[5] eq 't', perhaps => $_->[6] eq 't' } for @{ $r->{outcome} };
	push @{ $o->{hold}{ $_->[0] } }, { reason => $_->[1], invoice => $_->[2], from => $_->[3], until => $_->[4], released => $_->[5] } for @{ $r->{hold} };
	push @{ $o->{held}{ $_->[0] }{ $_->[1] } }, { reason => $_->[2], from => $_->[3], until => $_->[4] } for @{ $r->{held} };
	push @{ $o->{event}{ $_->[0] } }, { kind => $_->[1], at => $_->[2], on => $_->[3], message => $_->[4] } for @{ $r->{event} };
	push @{ $o->{promise}{ $_->[0] } }, { currency => $_->[1], needed => number($_->[2]), before => number($_->[3]), due => $_->[4], at => $_->[5], cancelled => $_->[6] } for @{ $r->{promise} };
	push @{ $o->{waiting}{ $_->[0] }{ $_->[1] } }, { message => $_->[2], channel => $_->[3], state => $_->[4], due => $_->[5], by_run => $_->[6] eq 't' } for @{ $r->{waiting} };
	push @{ $o->{fact}{ $_->[0] }{ $_->[1] } }, { anchor => $_->[2], currency => $_->[3], last => $_->[4], next => $_->[5] } for @{ $r->{fact} };
	push @{ $o->{offer}{ $_->[0] } }, { from => $_->[1], to => $_->[2] } for @{ $r->{offer} };
	delete $o->{r};
	for my $d (@{ $book->{debtors} }) { push @{ $o->{accounts}{ $d->{person} // $d->{id} } }, $d; $o->{debtor}{ $d->{id} } = $d }
	return $o;
}

sub fails
{
	my ($o, $n, $property, $d, $what) = @_;
	push @{ $o->{wrong} }, [ $n, $property, $d->{id}, $what ];
	return;
}

sub count { my ($o, $what) = @_; $o->{tally}{$what}++; return }

# ---- the ledger at an instant ----

sub last_of { my ($list, $at, $first) = @_; my $v = $first; for (@{ $list || [] }) { $v = $_->[1] if $_->[0] <= $at } return $v }

# What is open of each invoice: payments pay the invoice they name, whatever is left over pays the oldest due first, each currency by itself.
sub ledger
{
	my ($o, $d, $at) = @_;
	my %l = (items => [], balance => {}, disputed => {}, valid => 1);
	my (%named, %pool);
	my $wall = (local_of($at, $o->{book}{zone}))[3];
	my @invoice = grep { (defined $_->{recorded} ? $_->{recorded} <= $at : 86400 * $_->{issued} <= $wall) && !(defined $_->{cancelled} && $_->{cancelled} <= $at) } @{ $d->{invoices} };
	my @payment = grep { ($_->{recorded} // $_->{at}) <= $at } @{ $d->{payments} };
	for my $i (@invoice)
	{
		my $amount = number($i->{amount});
		if (!defined $amount) { $l{valid} = 0; next }
		$amount = -abs($amount) if $i->{kind} eq 'credit_note';
		$l{balance}{ $i->{currency} } = plus($l{balance}{ $i->{currency} } // 0, $amount);
		if ($amount <= 0) { $pool{ $i->{currency} } = minus($pool{ $i->{currency} } // 0, $amount); next }
		$l{valid} = 0 if $i->{due} < $i->{issued};
		$named{ $i->{id} } = { invoice => $i, id => $i->{id}, due => $i->{due}, issued => $i->{issued}, currency => $i->{currency}, amount => $amount, paid => 0,
			disputed => last_of($i->{disputes}, $at, $i->{disputed}) ? 1 : 0, held => 0 };
	}
	for my $p (@payment)
	{
		my $amount = number($p->{amount});
		$l{balance}{ $p->{currency} } = minus($l{balance}{ $p->{currency} } // 0, $amount);
		my $i = defined $p->{invoice} ? $named{ $p->{invoice} } : undef;
		if ($i && $i->{currency} eq $p->{currency}) { $i->{paid} = plus($i->{paid}, $amount) }
		else { $pool{ $p->{currency} } = plus($pool{ $p->{currency} } // 0, $amount) }
	}
	for my $i (values %named)
	{
		my $over = minus($i->{paid}, $i->{amount});
		$i->{open} = $over >= 0 ? 0 : -$over;
		$pool{ $i->{currency} } = plus($pool{ $i->{currency} } // 0, $over) if $over > 0;
	}
	for my $i (sort { $a->{due} <=> $b->{due} || $a->{issued} <=> $b->{issued} || $a->{id} cmp $b->{id} } values %named)
	{
		my $pool = $pool{ $i->{currency} } // 0;
		my $took = $pool > 0 ? least($pool, $i->{open}) : 0;
		$i->{open} = minus($i->{open}, $took);
		$pool{ $i->{currency} } = minus($pool, $took);
		next unless $i->{open} > 0;
		for my $h (@{ $o->{hold}{ $d->{id} } }) { $i->{held} = 1 if defined $h->{invoice} && $h->{invoice} eq $i->{id} && $h->{from} <= $at && !(defined $h->{until} && $h->{until} <= $at) && !(defined $h->{released} && $h->{released} <= $at) }
		$l{disputed}{ $i->{currency} } = plus($l{disputed}{ $i->{currency} } // 0, $i->{open}) if $i->{disputed};
		push @{ $l{items} }, $i;
	}
	# all that is owed is disputed
	my @owed = grep { $l{balance}{$_} > 0 } keys %{ $l{balance} };
	$l{all_disputed} = @owed && !grep { ($l{disputed}{$_} // 0) < $l{balance}{$_} } keys %{ $l{balance} };
	$l{owes} = @owed ? 1 : 0;
	$l{payments} = \@payment;
	return \%l;
}

# ---- what was had ----

sub touch { return substr($_[0], 0, 19) . '..' . substr($_[0], 21) }

# When nothing of a message had left and its step was given back; undef: never.
sub freed_at
{
	my ($o, $message, $debtor) = @_;
	my ($at, $reason, %settled);
	for my $r (@{ $o->{outcome}{$message} })
	{
		return if $r->{state} !~ /^(queued|held|cancelled)$/ || $r->{final} || $r->{perhaps};
		($at, $reason) = ($r->{at}, $r->{reason}) if $r->{state} eq 'cancelled';
		$settled{ $r->{attempt} } = 1;
	}
	return unless defined $at;
	for my $e (@{ $o->{egress}{$debtor} }) { return if $e->{message} eq $message && !$settled{ $e->{attempt} } }
	return ($at, $reason);
}

# Contacts of a debtor up to an instant: one a touch.
sub contacts
{
	my ($o, $d, $at) = @_;
	my %first;
	for my $e (@{ $o->{egress}{ $d->{id} } }) { $first{ touch($e->{message}) } //= $e->{at} if $e->{at} <= $at }
	return sort { $a <=> $b } grep { $_ >= $at - 400 * 86400 } values %first;
}

1;
