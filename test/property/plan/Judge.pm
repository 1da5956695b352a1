# Judges each run of planning by the oracle: which step, when, over which channel, with which amounts.
package Judge;
use strict;
use warnings;
use POSIX qw(floor);
use Book;
use Oracle;

my %condition = map { @$_ } @Book::conditions;
my %reaction = map { $_ => 1 } qw(clicked replied called_in conversation promised disputed circumstances_changed paid_elsewhere);
my %rings = map { $_ => 1 } qw(sms call push whatsapp visit);
my %cost = (email => 0, sms => 1, letter => 1, call => 1, visit => 1, push => 0, whatsapp => 1);

# Hours: each rule that fits must say yes. days: Monday 0.
my @work = (0 .. 4);
my @hours = (
	{ rings => 1, days => \@work, from => 480, to => 1200, sat => [ 540, 900 ] },
	{ channels => [qw(email)], days => [ 0 .. 6 ], from => 420, to => 1260, holidays => 1 },
	{ country => 'US', kind => 'person', channels => [qw(email sms call push whatsapp visit)], days => [ 0 .. 6 ], from => 480, to => 1260, holidays => 1 },
	{ country => 'GB', kind => 'person', rings => 1, days => [ 0 .. 5 ], from => 480, to => 1260 },
	{ country => 'DK', channels => [qw(call sms visit)], days => \@work, from => 480, to => 1260, sat => [ 480, 960 ] },
	{ country => 'NL', kind => 'person', channels => [qw(email sms call push whatsapp visit)], days => [ 0 .. 5 ], from => 420, to => 1200 });

sub fits
{
	my ($r, $d, $channel) = @_;
	return 0 if $r->{country} && $d->{country} && $d->{country} ne $r->{country};
	return 0 if $r->{kind} && $d->{kind} && $d->{kind} ne $r->{kind};
	return 0 if $r->{rings} && !$rings{$channel};
	return !$r->{channels} || grep { $_ eq $channel } @{ $r->{channels} };
}

sub zones_of
{
	my ($o, $d) = @_;
	return $d->{given_zone} if $d->{given_zone} && $d->{given_zone} ne 'Mars/Olympus';
	return @{ $Book::place{ $d->{country} } } if $d->{country};
	# every telephone of the book is a Danish one
	return $d->{phone} ? 'Europe/Copenhagen' : ($o->{book}{zone}, 'Europe/London', 'Europe/Helsinki');
}

sub is_holiday
{
	my ($d, $day) = @_;
	my $c = $d->{country};
	return scalar grep { Oracle::closed($_, $day) } qw(DK SE NO FI DE NL GB US) unless $c;
	return Oracle::closed($c, $day) if Oracle::has_calendar($c);
	return Book::day($day) =~ /-(01-01|12-25)$/ ? 1 : 0;
}

# Why the clock forbids a contact over this channel at this instant; undef: it does not.
sub untimely
{
	my ($o, $d, $channel, $at) = @_;
	my @rules = grep { fits($_, $d, $channel) } @hours, grep { defined $_->{from} } @{ $o->{book}{rules} };
	for my $zone (zones_of($o, $d))
	{
		for my $t ($at, $at + 299)
		{
			my ($day, $minute, $dow) = Oracle::local_of($t, $zone);
			for my $r (@rules)
			{
				my ($from, $to) = $r->{sat} && $dow == 5 ? @{ $r->{sat} } : (grep { $_ == $dow } @{ $r->{days} }) ? @$r{qw(from to)} : (0, 0);
				return "minute $minute of weekday $dow in $zone" unless $minute >= $from && $minute < $to;
				return 'holiday ' . Book::day($day) . " in $zone" if !$r->{holidays} && is_holiday($d, $day);
			}
		}
	}
	return;
}

# Contacts of a person up to an instant, over all accounts; $waiting: what stands in the queue counts too.
sub history
{
	my ($o, $d, $at, $n) = @_;
	my @h;
	for my $a (@{ $o->{accounts}{ $d->{person} // $d->{id} } })
	{
		# attempts of a message are one contact, made when the first of them was
		my %known;
		push @h, map { { debtor => $a->{id}, touch => Oracle::touch($_->{message}), channel => $_->{channel}, at => $_->{at} } } grep { $_->{at} <= $at && !$known{ $_->{message} }++ } @{ $o->{egress}{ $a->{id} } };
		my $k = 0;
		push @h, map { { debtor => $a->{id}, touch => $_->{message} ? Oracle::touch($_->{message}) : 'event' . $a->{id} . $k++, channel => 'call', at => $_->{at} } } grep { $_->{kind} =~ /^(called|conversation)$/ && $_->{at} <= $at } @{ $o->{event}{ $a->{id} } };
		push @h, map { { debtor => $a->{id}, touch => Oracle::touch($_->{message}), channel => $_->{channel}, at => $_->{due} } } grep { $_->{state} =~ /^(queued|sending)$/ } @{ $o->{waiting}{$n}{ $a->{id} } } if defined $n;
	}
	return \@h;
}

sub capped
{
	my ($o, $d, $channel, $at, $history, $own) = @_;
	my @caps = ({ rule => 'one a day', cap => 1, cap_days => 1 }, { rule => 'three a week', cap => 3, cap_days => 7 }, @{ $o->{book}{rules} });
	for my $r (grep { fits($_, $d, $channel) } @caps)
	{
		my @counted = grep { $_->{touch} ne $own && (!$r->{channels} || fits({ channels => $r->{channels} }, $d, $_->{channel})) && (($r->{scope} // '') ne 'debtor' || $_->{debtor} eq $d->{id}) } @$history;
		if ($r->{min_gap}) { for (@counted) { return "$r->{rule}: a contact at $_->{at}" if abs($_->{at} - $at) < 3600 * $r->{min_gap} } }
		next unless $r->{cap};
		for my $zone (zones_of($o, $d))
		{
			my ($today) = Oracle::local_of($at, $zone);
			my %near = map { $_->{touch} => 1 } grep { abs((Oracle::local_of($_->{at}, $zone))[0] - $today) < $r->{cap_days} } @counted;
			return "$r->{rule}: " . keys(%near) . " contacts within $r->{cap_days} days in $zone" if keys %near >= $r->{cap};
		}
	}
	if ($channel eq 'call' && fits({ country => 'US', kind => 'person' }, $d, 'call'))
	{
		for my $a (@{ $o->{accounts}{ $d->{person} // $d->{id} } }) { for (@{ $o->{event}{ $a->{id} } }) { return "silence after a conversation at $_->{at}" if $_->{kind} =~ /^(conversation|called_in)$/ && $_->{at} <= $at && $at - $_->{at} < 7 * 86400 && $_->{at} <= $o->{now} } }
	}
	return;
}

sub consents
{
	my ($d, $channel, $at) = @_;
	my $c = Oracle::last_of($d->{consents}, $at, $d->{consent});
	my ($word) = ($c // '') =~ /"$channel": (\w+)/;
	return !defined $word || $word eq 'null' ? $channel !~ /^(push|whatsapp)$/ : $word eq 'true';
}

sub address { my ($d, $channel) = @_; return $channel eq 'email' ? $d->{email} : $channel =~ /^(letter|visit)$/ ? $d->{address} : $channel eq 'push' ? undef : $d->{phone} }

sub silenced
{
	my ($o, $d, $channel, $at) = @_;
	my $address = address($d, $channel) // return 0;
	return scalar grep { $_ <= $at } @{ $o->{book}{silenced}{"$channel $address"} || [] };
}

# A hold on the whole debtor that lasts at $at: as it stood at a run, or as it stands in the end (some are prolonged meanwhile).
sub held
{
	my ($o, $d, $at, $n) = @_;
	for my $h (grep { !defined $_->{invoice} && !(defined $_->{released} && $_->{released} <= $at) } defined $n ? @{ $o->{held}{$n}{ $d->{id} } } : @{ $o->{hold}{ $d->{id} } })
	{
		return $h->{reason} if $h->{from} <= $at && !(defined $h->{until} && $h->{until} <= $at);
	}
	return;
}

# Why this contact is outside of the rules; undef: it is not.
sub outside
{
	my ($o, $d, $channel, $now, $at, $history, $own, $n) = @_;
	$o->{now} = $now;
	my $untimely = untimely($o, $d, $channel, $at);
	return $untimely if $untimely;
	my $capped = capped($o, $d, $channel, $at, $history, $own);
	return $capped if $capped;
	return 'no consent' unless consents($d, $channel, $now);
	return 'no address' unless defined address($d, $channel);
	return 'suppressed' if silenced($o, $d, $channel, $now);
	my $hold = held($o, $d, $at, $n);
	return $hold ? "held: $hold" : undef;
}

# ---- steps ----

sub strategy_of
{
	my ($o, $d, $at) = @_;
	my $name = Oracle::last_of($d->{follows}, $at, $d->{strategy}) // ($o->{book}{companies} && ($d->{kind} // '') eq 'company' ? 'business' : undef) // $o->{book}{default_of}{ $d->{creditor} } // 'standard';
	return $o->{strategy}{$name};
}

# What was had by this strategy before a run.
sub standing
{
	my ($o, $had, $strategy, $n, $at) = @_;
	return grep { $_->{strategy} eq $strategy && $_->{n} < $n && !(defined $_->{freed} && ($_->{freed} < $at || $_->{freed} == $at && $_->{why} eq 'expired')) } @$had;
}

# Dates that steps of other anchors count from: [currency or undef, day before or on, day after].
sub dates
{
	my ($o, $d, $n, $at, $l) = @_;
	my $zone = $o->{book}{zone};
	my (%dates, %broken);
	push @{ $dates{ $_->{anchor} } }, [ $_->{currency}, $_->{last}, $_->{next} ] for @{ $o->{fact}{$n}{ $d->{id} } };
	my %last;
	for my $e (@{ $o->{event}{ $d->{id} } }) { $last{ $e->{kind} } = $e if $e->{at} <= $at }
	for my $e (values %last)
	{
		my $day = defined $e->{on} && $e->{on} =~ /^(\d+)-(\d+)-(\d+)$/ ? Time::Local::timegm(0, 0, 0, $3, $2 - 1, $1) / 86400 : (Oracle::local_of($e->{at}, $zone))[0];
		push @{ $dates{ $e->{kind} eq 'hearing' ? 'hearing' : "event:$e->{kind}" } }, [ undef, $day, $day ];
	}
	for my $p (@{ $o->{promise}{ $d->{id} } })
	{
		my $deadline = 86400 * ($p->{due} + 3 + 1) + 12 * 3600;
		next if $p->{at} > $at || $deadline > $at || (defined $p->{cancelled} && $p->{cancelled} <= $at) || ($l->{valid} && ($l->{balance}{ $p->{currency} } // 0) <= 0);
		my ($ever, $in_time) = (-$p->{before}, -$p->{before});
		for my $y (@{ $l->{payments} }) { next if $y->{currency} ne $p->{currency}; $ever = Oracle::plus($ever, Oracle::number($y->{amount})); $in_time = Oracle::plus($in_time, Oracle::number($y->{amount})) if $y->{at} < $deadline }
		next if $in_time >= $p->{needed} || $ever >= $p->{needed};
		my ($day) = Oracle::local_of($deadline, $zone);
		$broken{ $p->{currency} } = $day if $day > ($broken{ $p->{currency} } // -1);
	}
	push @{ $dates{broken_promise} }, [ $_, $broken{$_}, $broken{$_} ] for keys %broken;
	return \%dates;
}

# Has a step before a date to be taken now, because an instant is left today and none on any of its own days? A quarter of an hour each; $n: what waits counts as a contact.
sub has_to_be_early
{
	my ($o, $d, $n, $at, $t, $day) = @_;
	my $zone = $o->{book}{zone};
	my ($today) = Oracle::local_of($at, $zone);
	return 0 if $t->{on_ladder} || $t->{anchor} eq 'payday' || $t->{offset} >= 0 || $day + $t->{offset} <= $today || $day + $t->{offset} > $today + 8;
	my $history = history($o, $d, $at, $n);
	my $open_today = 0;
	for my $channel (grep { consents($d, $_, $at) && defined address($d, $_) && !silenced($o, $d, $_, $at) } @{ $t->{channels} })
	{
		for (my $x = $at; (my $on = (Oracle::local_of($x, $zone))[0]) <= $day + $t->{to_day}; $x += 900 - $x % 900)
		{
			next if $on == $today && $open_today || untimely($o, $d, $channel, $x) || capped($o, $d, $channel, $x, $history, 'none');
			return 0 if $on > $today;
			$open_today = 1;
		}
	}
	return $open_today;
}

# The steps a debtor has reached and may take, the one to be taken first, first.
sub open_steps
{
	my ($o, $d, $n, $at, $l, $had) = @_;
	my $s = strategy_of($o, $d, $at);
	my $zone = $o->{book}{zone};
	my ($today) = Oracle::local_of($at, $zone);
	my @contacts = Oracle::contacts($o, $d, $at);
	my $last_day = @contacts ? (Oracle::local_of($contacts[-1], $zone))[0] : undef;
	my ($heard) = sort { $b <=> $a } (map { $_->{at} } grep { $reaction{ $_->{kind} } && $_->{at} <= $at } @{ $o->{event}{ $d->{id} } }), map { $_->{at} } grep { Oracle::number($_->{amount}) > 0 && $_->{at} <= $at } @{ $l->{payments} };
	my $unanswered = grep { !defined $heard || $_ > $heard } @contacts;
	my $stopped = $s->{stop_after} && @contacts && $unanswered >= $s->{stop_after};
	my $too_many = $s->{max_contacts} && (grep { $_ > $at - 86400 * $s->{max_days} } @contacts) >= $s->{max_contacts};
	my @had = standing($o, $had, $s->{strategy}, $n, $at);
	my %state = (strategy => $s, today => $today, last => $contacts[-1], failed => 0, steps => []);
	my @item = grep { my $tolerated = $s->{tolerance}{ $_->{currency} } // $s->{tolerance}{'*'}; !$_->{disputed} && !$_->{held} && !(defined $tolerated && $_->{open} < $_->{amount} && $_->{open} <= $tolerated) } @{ $l->{items} };
	my $dates;
	my @reached;
	for my $t (@{ $s->{steps} })
	{
		my %total;
		for my $i (grep { $today - $_->{due} >= $t->{from_day} } @item)
		{
			my $c = $total{ $i->{currency} } //= { due => $i->{due}, sum => 0 };
			$c->{due} = $i->{due} if $i->{due} < $c->{due};
			$c->{sum} = Oracle::plus($c->{sum}, $i->{open});
		}
		next unless %total;
		my @pairs;
		for my $currency (sort keys %total)
		{
			my $c = $total{$currency};
			$c->{enough} = $c->{sum} >= ($t->{minimum}{$currency} // $t->{minimum}{'*'} // 0) ? 1 : 0;
			my @days = $t->{anchor} eq 'due_date' ? $c->{due}
			  : $t->{anchor} eq 'last_contact' ? ((grep { $_->{on_ladder} && $_->{anchor} == $c->{due} && $_->{position} < $t->{position} } @had) ? ($last_day // ()) : ())
			  : map { $t->{offset} < 0 ? $_->[2] : $_->[1] } grep { !defined $_->[0] || $_->[0] eq $currency } @{ ($dates //= dates($o, $d, $n, $at, $l))->{ $t->{anchor} } || [] };
			for my $day (grep { defined } @days)
			{
				next if defined $t->{to_day} && $today > $day + $t->{to_day};
				my $early = $today < $day + $t->{offset};
				next if $early && !has_to_be_early($o, $d, $n, $at, $t, $day);
				next if $t->{after_contact} && !(defined $last_day && $last_day >= $c->{due});
				push @pairs, { key => $t->{on_ladder} ? $c->{due} : $day, day => $day, early => $early, enough => $c->{enough}, currency => $currency, due => $c->{due} };
			}
		}
		next unless @pairs;
		if (defined $t->{condition})
		{
			my $holds = $condition{ $t->{condition} } ? $condition{ $t->{condition} }->($d) : $o->{holds}{ $t->{condition} }{ $d->{id} };
			next unless $holds;
			$state{failed} = 1 if $holds eq 'error';
		}
		push @reached, { step => $t, total => \%total, pairs => \@pairs, enough => (grep { $_->{enough} } @pairs) ? 1 : 0 };
	}
	my $any_enough = grep { $_->{enough} } @reached;
	for my $r (@reached)
	{
		my $t = $r->{step};
		next if $any_enough && !$r->{enough};
		next if defined $s->{stop_step} && $t->{step} eq $s->{stop_step} && !$stopped;
		my ($oldest) = sort { $a <=> $b } map { $_->{key} } grep { !$any_enough || $_->{enough} } @{ $r->{pairs} };
		for my $p (grep { !$any_enough || $_->{enough} } @{ $r->{pairs} })
		{
			my @same = grep { $_->{anchor} == $p->{key} } @had;
			my $beyond = $t->{on_ladder} && grep { $_->{on_ladder} && $_->{position} > $t->{position} } @same;
			my $behind = $t->{on_ladder} ? scalar grep { $_->{on_ladder} && $_->{position} >= $t->{position} } @same : scalar grep { $_->{step} eq $t->{step} } @same;
			my @taken = grep { $_->{step} eq $t->{step} } @same;
			my $times = @taken;
			my ($on) = sort { $b <=> $a } map { $_->{day} } @taken;
			$on = $last_day if defined $last_day && defined $on && $last_day > $on;
			$p->{open} = !$behind ? 'first' : @taken && !$beyond && $t->{repeat} && !(defined $t->{repeat_max} && $times >= $t->{repeat_max}) && $today >= $on + $t->{repeat} ? 'again' : '';
			$r->{first} = 1 if $p->{open} eq 'first';
			$r->{again} = 1 if $p->{open} eq 'again';
			$r->{again_now} = 1 if $p->{open} eq 'again' && $p->{key} == $oldest;
		}
		$r->{blocked} = $stopped && !(defined $s->{stop_step} && $t->{step} eq $s->{stop_step}) ? 'stopped' : $too_many ? 'max_contacts' : undef;
		push @{ $state{steps} }, $r;
	}
	my $next = $s->{catch_up} eq 'next';
	$state{order} = [ sort { !!$a->{blocked} <=> !!$b->{blocked} || $a->{step}{on_ladder} <=> $b->{step}{on_ladder} || !$a->{first} <=> !$b->{first}
		  || ($next ? $a->{step}{position} <=> $b->{step}{position} : $b->{step}{position} <=> $a->{step}{position}) } grep { $_->{first} || $_->{again_now} } @{ $state{steps} } ];
	return \%state;
}

# Nothing at all speaks against writing an e-mail about this step: then it has to be written.
sub plainly_usable
{
	my ($o, $d, $n, $at, $l, $state, $r) = @_;
	my ($t, $s) = ($r->{step}, $state->{strategy});
	return 0 if $state->{failed} || $r->{blocked} || !$r->{enough} || defined $t->{to_day} || $s->{horizon} < 7 * 86400 || !$l->{valid} || !$l->{owes} || $l->{all_disputed};
	# terms may be refused for reasons of their own
	return 0 if $t->{offer} || !grep { $_ eq 'email' } @{ $t->{channels} };
	return 0 if $o->{book}{mail_fails} || !defined $d->{email} || !consents($d, 'email', $at) || silenced($o, $d, 'email', $at) || held($o, $d, $at, $n);
	return 0 if !$d->{country};
	my ($oldest) = sort { $a <=> $b } map { $_->{due} } @{ $r->{pairs} };
	my $likely = ($d->{scored} // 1) && (($d->{p_self_cure} // 0) >= $s->{self_cure} || ($d->{segment} // '') eq 'self_curer');
	return 0 if $likely && !$t->{must} && $state->{today} - $oldest < $t->{self_cure_wait};
	for my $h (@{ history($o, $d, $at, $n) }) { return 0 if $h->{at} > $at - 9 * 86400 }
	return 0 if defined $state->{last} && $state->{last} > $at - 86400 * ($t->{cooldown} // $s->{gap});
	return 1;
}

# ---- runs ----

sub judge_planned
{
	my ($o, $d, $n, $at, $l, $state, $row) = @_;
	my $word = "$row->{strategy}/$row->{step}/" . ($row->{anchor_text} // '?') . " over $row->{channel}";
	my $fails = sub { $o->fails($n, $_[0], $d, "$word: $_[1]"); return };
	return $fails->('strategy', "follows $state->{strategy}{strategy}") if $row->{strategy} ne $state->{strategy}{strategy};
	my ($r) = grep { $_->{step}{step} eq $row->{step} } @{ $state->{steps} };
	return $fails->('step', 'not reached') unless $r;
	my $t = $r->{step};
	my ($p) = sort { ($b->{open} // '') cmp ($a->{open} // '') } grep { $_->{key} == $row->{anchor} } @{ $r->{pairs} };
	return $fails->('step', 'reached, but not for this anchor') unless $p;
	return $fails->('same step twice', 'it was had') unless $p->{open};
	$o->count("planned: $t->{anchor}, " . ($p->{open} eq 'first' ? 'first' : 'again'));
	$fails->('rules', "a condition of a step that was reached cannot be told") if $state->{failed};
	$fails->('rules', $r->{blocked}) if $r->{blocked};
	$fails->('rules', 'under its minimum in every currency that reached it') unless $p->{enough};
	$fails->('rules', 'the ledger cannot be counted') unless $l->{valid};
	$fails->('rules', 'all that is owed is disputed') if $l->{all_disputed};
	judge_order($o, $d, $n, $at, $l, $state, $row, $r, $fails);
	my ($contact_day) = Oracle::local_of($row->{at}, $o->{book}{zone});
	my ($last) = sort { $b <=> $a } map { $_->{day} } @{ $r->{pairs} };
	$fails->('rules', "on day $contact_day, beyond its last one") if defined $t->{to_day} && $contact_day > $last + $t->{to_day};
	my $wanted = $p->{early} ? $p->{day} + $t->{offset} : -1;
	$o->count("planned: $t->{anchor}, before its own days") if $p->{early};
	$fails->('rules', "wanted from day $wanted, its decision says " . ($row->{wanted} // 'nothing')) if $wanted != ($row->{wanted} // -1);
	$fails->('rules', 'before the clock') if $row->{at} < $at;
	my $gap = $t->{cooldown} // $state->{strategy}{gap};
	# a day on which clocks change has an hour more or less
	$fails->('rules', "less than $gap days after the last contact") if defined $state->{last} && $row->{at} < $state->{last} + 86400 * $gap - 3600;
	my $from = defined $state->{last} && $state->{last} + 86400 * $gap > $at ? $state->{last} + 86400 * $gap : $at;
	$fails->('rules', 'beyond the horizon') if $row->{at} > $from + $state->{strategy}{horizon} + 3600;
	$fails->('rules', 'not a channel of the step') unless grep { $_ eq $row->{channel} } @{ $t->{channels} };
	my $likely = ($d->{scored} // 1) && (($d->{p_self_cure} // 0) >= $state->{strategy}{self_cure} || ($d->{segment} // '') eq 'self_curer');
	my $days = $state->{today} - (sort { $a <=> $b } map { $_->{due} } @{ $r->{pairs} })[0];
	$fails->('rules', "costs money") if $cost{ $row->{channel} } && !$t->{must} && !$t->{paid};
	$fails->('rules', "a likely self-curer $days days past due") if $likely && !$t->{must} && $days >= 0 && ($days < $t->{self_cure_wait} || $cost{ $row->{channel} } && $days < $t->{self_cure_days});
	my $outside = outside($o, $d, $row->{channel}, $at, $row->{at}, history($o, $d, $at, $n), 'none', $n);
	$fails->('rules', "$outside at $row->{at}") if $outside;
	my %owed = map { $_ => $r->{total}{$_}{sum} } grep { $r->{total}{$_}{enough} } keys %{ $r->{total} };
	judge_amounts($o, $row, \%owed, $l, $fails);
	return $r;
}

sub judge_order
{
	my ($o, $d, $n, $at, $l, $state, $row, $r, $fails) = @_;
	my %passed = map { $_ => 1 } split /,/, ($row->{passed} // '') =~ s/[{}"]//gr;
	for my $other (@{ $state->{order} })
	{
		last if $other == $r;
		my $before = "$other->{step}{step} goes before it";
		next if !$r->{first} && !$r->{again_now};
		if ($state->{strategy}{catch_up} eq 'next' && $other->{step}{on_ladder} && $r->{step}{on_ladder}) { $fails->('skipped step', "$before, the next one in order") }
		elsif (!$passed{ $other->{step}{step} }) { $fails->('skipped step', "$before, and nobody said why it was passed over") }
		elsif (plainly_usable($o, $d, $n, $at, $l, $state, $other)) { $fails->('skipped step', "$before and could have been taken") }
		else { $o->count('planned: after passing one over') }
	}
	return;
}

# Each currency by itself, each invoice by itself; nothing else is told.
sub judge_amounts
{
	my ($o, $row, $owed, $l, $fails) = @_;
	my $show = sub { my $h = shift; join ' ', map { "$_=$h->{$_}" } sort keys %$h };
	my %told = map { $_ => Oracle::number($row->{amounts}{$_}) } keys %{ $row->{amounts} };
	$fails->('amounts', 'told ' . $show->(\%told) . ', owed ' . $show->($owed)) if join(',', sort keys %told) ne join(',', sort keys %$owed) || grep { $told{$_} != $owed->{$_} } keys %$owed;
	my %open = map { $_->{id} => $_ } @{ $l->{items} };
	my %listed;
	for my $line (@{ $o->{told}{ $row->{message} } })
	{
		my ($currency, $sum, $id, $amount) = @$line;
		my $i = $open{$id};
		$fails->('amounts', "invoice $id is told as $amount $currency") if !$i || $i->{currency} ne $currency || $i->{open} != Oracle::number($amount) || $i->{disputed} || $i->{held};
		$listed{$currency} = Oracle::plus($listed{$currency} // 0, Oracle::number($amount));
		$fails->('amounts', "$currency: $sum in words, owed " . ($owed->{$currency} // 0)) if !defined $owed->{$currency} || Oracle::number($sum) != $owed->{$currency};
	}
	$fails->('amounts', 'the lines say ' . $show->(\%listed) . ', owed is ' . $show->($owed)) if join(',', sort keys %listed) ne join(',', sort keys %$owed) || grep { $listed{$_} != $owed->{$_} } keys %listed;
	$o->count('planned: ' . keys(%$owed) . ' currencies');
	return;
}

# What a run takes: its step, those before it, and what rode along.
sub take
{
	my ($o, $d, $n, $at, $had, $state, $l, $row, $r) = @_;
	my $t = $r->{step};
	my $s = $state->{strategy};
	my ($freed, $why) = Oracle::freed_at($o, $row->{message}, $d->{id});
	my %own = (strategy => $s->{strategy}, n => $n, day => $state->{today}, freed => $freed, why => $why // '');
	# what has been given back by now stands no more
	my @had = standing($o, $had, $s->{strategy}, $n, $at);
	my @stands = grep { !(defined $_->{freed} && $_->{freed} <= $at) } @had;
	my ($before) = sort { $b <=> $a } map { $_->{number} } grep { $_->{step} eq $t->{step} && $_->{anchor} == $row->{anchor} } @had;
	push @$had, { %own, step => $t->{step}, position => $t->{position}, on_ladder => $t->{on_ladder}, anchor => $row->{anchor}, number => 1 + ($before // 0) };
	return unless $t->{on_ladder};
	# a step that was had stays had on the day it was
	my $passes = sub {
		my ($earlier, $anchor, $freed) = @_;
		return if grep { $_->{step} eq $earlier->{step} && $_->{anchor} == $anchor && $_->{number} == 1 } @stands;
		push @stands, { %own, freed => $freed, step => $earlier->{step}, position => $earlier->{position}, on_ladder => 1, anchor => $anchor, number => 1 };
		push @$had, $stands[-1];
	};
	for my $earlier (grep { $_->{on_ladder} && $_->{offset} >= 0 } @{ $s->{steps} })
	{
		$passes->($earlier, $row->{anchor}) if $earlier->{position} < $t->{position};
		next if $earlier->{position} > $t->{position} || $earlier->{anchor} ne 'due_date';
		for my $currency (grep { $r->{total}{$_}{enough} } keys %{ $r->{total} })
		{
			# how far this currency had come by itself
			my ($due) = sort { $a <=> $b } map { $_->{due} } grep { my $tolerated = $s->{tolerance}{$currency} // $s->{tolerance}{'*'}; $_->{currency} eq $currency && !$_->{disputed} && !$_->{held}
				  && $state->{today} - $_->{due} >= $earlier->{from_day} && !(defined $tolerated && $_->{open} < $_->{amount} && $_->{open} <= $tolerated) } @{ $l->{items} };
			$passes->($earlier, $due, $freed) unless !defined $due || $due == $row->{anchor} || $state->{today} - $due < $earlier->{offset};
		}
	}
	return;
}

sub judge_run
{
	my ($o, $d, $n, $had) = @_;
	my $at = $o->{book}{at}[$n];
	my $row = $o->{planned}{ $d->{id} }{$n};
	my $waits = grep { $_->{by_run} && $_->{state} ne 'held' } @{ $o->{waiting}{$n}{ $d->{id} } };
	# somebody who was written to about another account today is planned again tomorrow
	my ($today) = Oracle::local_of($at, $o->{book}{zone});
	for my $a (grep { $_ != $d } @{ $o->{accounts}{ $d->{person} // $d->{id} } })
	{
		$waits += grep { $_->{by_run} && $_->{state} ne 'held' && (Oracle::local_of($o->{message}{ $_->{message} }{planned}, $o->{book}{zone}))[0] == $today } @{ $o->{waiting}{$n}{ $a->{id} } };
	}
	my $l = $o->ledger($d, $at);
	my $state = open_steps($o, $d, $n, $at, $l, $had);
	$o->count('decisions');
	if ($waits)
	{
		$o->fails($n, 'same step twice', $d, "$row->{state} $row->{step} beside a message that waits, of this account or today of another one of the person") if $row;
		return;
	}
	my ($first) = @{ $state->{order} };
	if (!$row)
	{
		$o->fails($n, 'skipped step', $d, "nothing was planned, nor said why not; $state->{strategy}{strategy}/$first->{step}{step} is open") if $first && $l->{valid};
		return;
	}
	if ($row->{state} eq 'held')
	{
		$o->count("held: $row->{reason}");
		$o->fails($n, 'skipped step', $d, "held as $row->{reason}, though $state->{strategy}{strategy}/$first->{step}{step} could be taken") if $first && $row->{reason} ne 'budget' && plainly_usable($o, $d, $n, $at, $l, $state, $first);
		$o->fails($n, 'step', $d, "held as $row->{reason} for $row->{strategy}/$row->{step}, which is not open") if $l->{valid} && !grep { $_->{step}{step} eq $row->{step} && ($_->{first} || $_->{again}) } @{ $state->{steps} };
		return;
	}
	$o->count('planned');
	my $r = judge_planned($o, $d, $n, $at, $l, $state, $row);
	take($o, $d, $n, $at, $had, $state, $l, $row, $r) if $r;
	return;
}

# What left: at an instant when it might, about what was owed then.
sub judge_left
{
	my ($o, $d) = @_;
	my %seen;
	for my $e (@{ $o->{egress}{ $d->{id} } })
	{
		my $m = $o->{message}{ $e->{message} };
		next if $m->{by_run} ne 't';
		$o->count('left');
		my @before = grep { $_->{at} < $e->{at} } @{ history($o, $d, $e->{at}) };
		my $outside = outside($o, $d, $e->{channel}, $e->{at}, $e->{at}, \@before, Oracle::touch($e->{message}));
		$o->fails(undef, 'rules', $d, "$m->{strategy}/$m->{step} left over $e->{channel} at $e->{at}: $outside") if $outside;
		my $l = $o->ledger($d, $e->{at});
		my %open = map { $_->{id} => $_ } @{ $l->{items} };
		for my $line (@{ $o->{told}{ $e->{message} } })
		{
			my $i = $open{ $line->[2] };
			$o->fails(undef, 'amounts', $d, "$m->{strategy}/$m->{step} left at $e->{at} with invoice $line->[2] as $line->[3], open " . ($i ? $i->{open} : 0)) unless $i && $i->{open} == Oracle::number($line->[3]);
		}
	}
	my $until = 0;
	for my $f (@{ $o->{offer}{ $d->{id} } })
	{
		$o->count('offers');
		$o->fails(undef, 'two live offers', $d, "one from $f->{from} on while another lived until $until") if $f->{from} < $until;
		$until = $f->{to} // 9e18;
	}
	return;
}

# Whose scores meet the conditions that ship, told by plain SQL: they change with the shipped strategies.
sub learn_conditions
{
	my $o = shift;
	for my $c (grep { defined && !$condition{$_} } map { $_->{condition} } map { @{ $_->{steps} } } values %{ $o->{strategy} })
	{
		$o->{holds}{$c} //= { map { $_->[0] => 1 } @{ Oracle::rows($o->{db}, holds => "SELECT x.debtor_id FROM (SELECT d.debtor_id, s.segment, s.diagnosis, s.p_paid_30d, s.p_late, s.p_self_cure
			FROM dunning.debtor d LEFT JOIN dunning.score_result s ON s.debtor_id = d.debtor_id) x WHERE ($c)")->{holds} } };
	}
	return;
}

sub judge
{
	my $o = shift;
	learn_conditions($o);
	for my $d (@{ $o->{book}{debtors} })
	{
		my @had;
		judge_run($o, $d, $_, \@had) for 0 .. $#{ $o->{book}{at} };
		judge_left($o, $d);
	}
	return;
}

1;
