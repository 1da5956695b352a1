# Links: made when a message leaves, looked at without effect, acted on once, bound to key, purpose, debtor and database.
use strict;
use warnings;
use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = Catcher->new;
my $secrets = PostgreSQL::Test::Utils::tempdir;
my $spool = PostgreSQL::Test::Utils::tempdir;
mkdir "$spool/$_" for qw(mail text);
my $node = PostgreSQL::Test::Cluster->new('links');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\n"
	  . "dunning.clock = '2026-06-22 10:00+02'\ndunning.secret_directory = '$secrets'\ndunning.spool_directory = '$spool'\n"
	  . "dunning.allowed_hosts = '" . $gateway->allowed_hosts . "'\n");
$node->start;
my $db = 'postgres';

sub sql { return $node->safe_psql($db, $_[0]) }
# What a call that must fail says: SQLSTATE and the message.
sub refusal
{
	my ($sql, $where) = @_;
	my ($rc, $out, $err) = $node->psql($where // $db, $sql, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $rc == 0 ? "worked: $out" : $err =~ /ERROR:\s+(\w{5}): (.*)/ ? "$1 $2" : $err;
}
my $invalid = 'DN009 link is not valid';
sub keys_there { return join ' ', map { s{.*/}{}r } sort glob "$secrets/*" }

sql(q{CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'mail');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	SELECT dunning.activate()});

# rotate_link_key_makes_the_first_key_readable_by_the_server_alone
like(refusal(q{SELECT dunning._make_token('pay', 'd1', '00000000-0000-7000-8000-000000000000', now())}), qr/^55000 key file/, 'without a key no link is made');
my $first = sql('SELECT dunning.rotate_link_key()');
like($first, qr/^[0-9a-f]{6}$/, 'rotate_link_key_makes_the_first_key_readable_by_the_server_alone');
is(sprintf('%04o', (stat "$secrets/link.key")[2] & 07777), '0600', 'its mode');
is(-s "$secrets/link.key", 32, 'its length');
is(keys_there(), 'link.key', 'nothing is left beside it');
is(refusal(q{SET ROLE dunning_operator; SELECT dunning.rotate_link_key()}), '42501 permission denied for function rotate_link_key', 'an operator does not rotate');
like(refusal("SELECT dunning.rotate_link_key($_)"), qr/^22023/, "keep_days $_ is refused") for (-1, 401, 'NULL');

# a_creditors_address_for_links_is_checked
like(refusal(qq{SELECT dunning.save_creditor('default', 'X', link_url => '$_')}), qr/^22023 link_url/, "a_creditors_address_for_links_is_checked: $_")
  for ('http://x.example/', 'https://x.example', 'https://x.example/#', 'https://x.example/ ', 'javascript:alert(1)', 'https://u:p@x.example/', 'https://x.example/"', 'https://x.example/' . 'a' x 200);
sql(q{SELECT dunning.save_creditor('default', 'Fish & <Chips> "Energi"', phone => '+4570102030', account => 'DK5000400440116243', link_url => 'https://pay.example/d?t=');
	SELECT dunning.save_creditor('plain', 'Plain');
	SELECT dunning.save_template('with-links', 'email', 'en', 'Hi {{given_name}}', E'{{given_name}} {{creditor_name}} {{amount | money}}\npay={{pay_url}}\nplan={{plan_url}}\npaid={{paid_url}}\ndispute={{dispute_url}}\nstop={{optout_url}}\nalready paid?');
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, country, email)
	SELECT 'd' || i, CASE WHEN i = 9 THEN 'plain' ELSE 'default' END, 'Anna Lind', 'Anna', 'en', 'DK', 'd' || i || '@example.org' FROM generate_series(1, 9) i;
	UPDATE dunning.debtor SET given_name = '<script>alert(1)</script>', name = E'"><img src=x onerror=alert(1)>\u202e' WHERE debtor_id = 'd2';
	INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, pay_url)
	SELECT d.debtor_id, 'I-' || d.debtor_id, d.creditor, '2026-05-01', '2026-06-01', 1240.50, 'EUR', CASE WHEN d.debtor_id = 'd3' THEN 'https://bank.example/d3' END FROM dunning.debtor d;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference) VALUES ('d2', 'I-2b', '2026-05-01', '2026-06-02', 10, 'EUR', '"><script>alert(2)</script>{{name}}');
	SET client_min_messages = error;
	SELECT dunning.send('d' || i, 'with-links', 'email') FROM generate_series(1, 9) i;
	CALL dunning.deliver(max_seconds => 60)});

my %url;
for my $row (split /\n\n/, sql(q{SELECT string_agg(debtor_id || ' ' || replace(body_text, E'\n', ' '), E'\n\n') FROM dunning.body}))
{
	my ($debtor) = $row =~ /^(\S+)/;
	$url{$debtor}{$1} = $2 while $row =~ /(pay|plan|paid|dispute|stop)=(\S*)/g;
}

# a_message_that_leaves_carries_a_link_for_each_choice
is(scalar(keys %url), 9, 'all messages have left');
like($url{d1}{$_}, qr{^https://pay\.example/d\?t=[A-Za-z0-9_-]{56}$}, "a_message_that_leaves_carries_a_link_for_each_choice: $_") for qw(pay plan paid dispute stop);
is($url{d3}{pay}, 'https://bank.example/d3', 'the ledger\'s own address to pay stays');
is(join('', values %{ $url{d9} }), '', 'a creditor without a page has no links');
is(sql(q{SELECT count(*) FROM dunning.message m WHERE m.context::text ~ 'pay.example/d'}), '0', 'no token stands in the context that was planned');
my %token = map { my $d = $_; $d => { map { $_ => $url{$d}{$_} =~ s/.*t=//r } keys %{ $url{$d} } } } keys %url;
my %purpose = (pay => 'pay', plan => 'plan', paid => 'already_paid', dispute => 'dispute', stop => 'opt_out');
is(sql("SELECT purpose || ' ' || debtor_id || ' ' || expires_at FROM dunning.open_link('$token{d1}{$_}')"), "$purpose{$_} d1 2026-07-22 08:00:00+00", "$_ is good for 30 days and for that alone") for sort keys %purpose;

# looking_at_a_link_changes_nothing
sub traces { return sql(q{SELECT (SELECT count(*) FROM dunning.event) || ' ' || (SELECT count(*) FROM dunning.task) || ' ' || (SELECT count(*) FROM dunning.hold) || ' ' || (SELECT count(*) FROM dunning.suppression)}) }
my $before = traces();
for my $name (sort keys %purpose)
{
	sql("BEGIN READ ONLY; SELECT dunning.open_link('$token{d1}{$name}'); SELECT dunning.link_page('$token{d1}{$name}', l) FROM unnest('{en,da,sv,nb,nl,de,fi,NULL}'::text[]) l; COMMIT");
}
is(traces(), $before, 'looking_at_a_link_changes_nothing');

# acting_records_what_was_asked_for_once
is(sql("SELECT records || ' ' || done FROM dunning.open_link('$token{d1}{plan}')"), 'circumstances_changed false', 'what would happen');
is(sql(qq{SELECT purpose || ' ' || recorded FROM dunning.act_on_link('$token{d1}{plan}', '{"text": "from August", "option": 2, "token": "x", "channel": "*", "address": "other\@example.org", "request": "opt_out"}')}), 'plan true', 'acting records');
is(sql("SELECT recorded FROM dunning.act_on_link('$token{d1}{plan}')"), 'f', 'acting_records_what_was_asked_for_once');
is(sql("SELECT done FROM dunning.open_link('$token{d1}{plan}')"), 't', 'and the link says that it was');
is(sql(q{SELECT kind || ' ' || detail FROM dunning.event}), 'circumstances_changed {"by": "link", "text": "from August", "option": "2", "channel": "email", "request": "plan"}', 'of a form only what a debtor may say is kept');
like(refusal("SELECT dunning.act_on_link('$token{d3}{plan}', '[1]')"), qr/^22023 the detail/, 'a detail that is no object is refused');
is(sql("SELECT recorded FROM dunning.act_on_link('$token{d4}{stop}')"), 't', 'an opt-out is recorded');
is(sql(q{SELECT count(*) FROM dunning.suppression x WHERE x.address_digest = dunning._address_digest('d4@example.org', 'email')}), '1', 'and closes the address it came to');
is(sql("SELECT recorded FROM dunning.act_on_link('$token{d5}{dispute}', '{\"invoice\": \"I-d5\"}')"), 't', 'a dispute is recorded');
is(sql("SELECT array_to_string(blocked_by, ' ') ~ 'dispute|await' FROM dunning.allowed('d5', 'email', '2026-06-23 10:00+02')"), 't', 'and stops reminders');

# a_link_that_is_not_good_is_refused_in_the_same_words
my $other = $token{d6}{pay};
my %bad = (forged => 'A' x 56, cut => substr($other, 0, 55), long => $other . 'A', empty => '', spliced => substr($other, 0, 32) . substr($token{d7}{pay}, 32),
	purpose => 'I' . (substr($other, 1, 1) eq 'B' ? 'A' : 'B') . substr($other, 2), megabyte => 'A' x 100_000);
for my $how (sort keys %bad)
{
	my %said = map { $_ => refusal("SELECT dunning.$_('$bad{$how}')") } qw(open_link link_page act_on_link);
	is(join(' / ', sort { $a cmp $b } do { my %h; grep { !$h{$_}++ } values %said }), $invalid, "a_link_that_is_not_good_is_refused_in_the_same_words: $how");
}
is(refusal("SET dunning.clock = '2026-07-22 10:00+02'; SELECT dunning.open_link('$other')"), $invalid, 'expired to the second');
is(refusal("SET dunning.clock = '2026-07-22 09:59:59+02'; SELECT purpose FROM dunning.open_link('$other')"), 'worked: pay', 'and not before');
sql(q{DELETE FROM dunning.invoice WHERE debtor_id = 'd7'; DELETE FROM dunning.debtor WHERE debtor_id = 'd7'});
is(refusal("SELECT dunning.link_page('$token{d7}{pay}')"), $invalid, 'the page of a debtor who is gone');

# links_of_a_test_do_nothing
sql(q{SET client_min_messages = error; SELECT dunning.send_test('with-links', 'd8', 'email', 'me@example.org'); CALL dunning.deliver(max_seconds => 60)});
my ($test) = sql(q{SELECT body_text FROM dunning.body WHERE address = 'me@example.org'}) =~ /stop=\S*t=(\S+)/;
is(sql("SELECT recorded FROM dunning.act_on_link('$test')"), 'f', 'links_of_a_test_do_nothing');
is(sql(q{SELECT count(*) FROM dunning.event WHERE debtor_id = 'd8'}), '0', 'no event of the debtor');

# a_copy_of_the_database_under_another_name_takes_no_links
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');
is(refusal("SELECT dunning.open_link('$other')", 'copy'), $invalid, 'a_copy_of_the_database_under_another_name_takes_no_links');
is(refusal("SELECT dunning._verify_token('$other', 'd6', dunning._now())", 'copy'), $invalid, 'though message and key are there');

# links_made_before_the_rotation_work_until_the_old_keys_day_is_over
my $second = sql('SELECT dunning.rotate_link_key()');
isnt($second, $first, 'a rotation makes another key');
like(keys_there(), qr/^link\.key link\.key\.until-\d{8}-$first$/, 'the old one is kept with its last day');
is(sql("SELECT purpose FROM dunning.open_link('$other')"), 'pay', 'links_made_before_the_rotation_work_until_the_old_keys_day_is_over');
my $new = sql(q{SELECT dunning.link(message_id, 'pay') FROM dunning.message WHERE debtor_id = 'd6'});
isnt(substr($new, 0, 6), substr($other, 0, 6), 'new links name the new key');
my ($old) = glob "$secrets/link.key.until-*";
my $over = $old =~ s/until-\d{8}/until-20200101/r;
rename $old, $over;
is(refusal("SELECT dunning.open_link('$other')"), $invalid, 'a key whose day is over opens nothing');
sql('SELECT dunning.rotate_link_key()');
ok(!-e $over, 'and is removed by the next rotation');
is(sql("SELECT purpose FROM dunning.open_link('$new')"), 'pay', 'two keys verify at a time');
# a_stolen_key_can_be_made_worthless_at_once
sql('SELECT dunning.rotate_link_key(0)');
is(refusal("SELECT dunning.open_link('$new')"), $invalid, 'a_stolen_key_can_be_made_worthless_at_once');
is(keys_there(), 'link.key', 'no older key is left');
# an_older_key_that_cannot_be_read_stops_no_other
$new = sql(q{SELECT dunning.link(message_id, 'pay') FROM dunning.message WHERE debtor_id = 'd6'});
sql('SELECT dunning.rotate_link_key()');
append_to_file("$secrets/link.key.0broken", 'x');
is(sql("SELECT purpose FROM dunning.open_link('$new')"), 'pay', 'an_older_key_that_cannot_be_read_stops_no_other');
unlink "$secrets/link.key.0broken";
# a_message_leaves_without_links_where_the_key_is_lost_and_health_says_so
rename "$secrets/link.key", "$secrets/away";
sql(q{SET client_min_messages = error; SELECT dunning.send('d6', 'with-links', 'email', vars => '{"plan_url": "https://mine.example/"}', idempotency_key => 'again');
	CALL dunning.deliver(max_seconds => 60)});
is(sql(q{SELECT state || ' ' || fix_sql FROM dunning.health() WHERE item = 'links'}), 'fail SELECT dunning.rotate_link_key();', 'health names a lost key');
rename "$secrets/away", "$secrets/link.key";
is(sql(q{SELECT state FROM dunning.health() WHERE item = 'links'}), 'ok', 'and is content with one');

# the_page_shows_what_is_open_now_in_the_readers_language
sql('SELECT dunning.rotate_link_key()');
sub link_of { my ($debtor, $purpose) = @_; return sql("SELECT dunning.link(m.message_id, '$purpose') FROM dunning.message m WHERE m.debtor_id = '$debtor' ORDER BY m.message_id LIMIT 1") }
sub page { my ($debtor, $purpose, $more) = @_; return sql('SELECT dunning.link_page(\'' . link_of($debtor, $purpose) . '\'' . ($more // '') . ')') }
my %sum = (en => "\x{20ac}1,240.50", da => '1.240,50', sv => '1 240,50', nb => '1 240,50', nl => '1.240,50', de => '1.240,50');
for my $language (sort keys %sum)
{
	my $page = page('d3', 'plan', ", '$language'");
	utf8::decode($page);
	$page =~ s/\xa0|\x{202f}/ /g;
	like($page, qr/<html lang="$language">.*\Q$sum{$language}\E/s, "the_page_shows_what_is_open_now_in_the_readers_language: $language");
	is(() = $page =~ /<form method="post">/g, 4, "$language: a form for each choice");
	unlike($page, qr/\{\{|<script|\bon\w+=|http-equiv/i, "$language: no script and nothing left of the template");
}
like(page('d3', 'plan', ", 'fi'"), qr/<html lang="en">/, 'a language we do not have falls back to the message\'s');
like(page('d3', 'dispute'), qr/<details open><summary>I do not agree/, 'the choice that the link is for stands open');
like(page('d3', 'dispute', ', done => true'), qr/We will look into it/, 'what follows a choice says what happens now');
sql(q{INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('d3', 'P1', '2026-06-21 10:00+02', 240.50, 'EUR')});
like(page('d3', 'pay'), qr/1,000\.00/, 'a payment that came meanwhile counts');
sql(q{INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('d3', 'P2', '2026-06-21 10:00+02', 1000, 'EUR')});
my $paid = page('d3', 'pay');
like($paid, qr/Nothing is open/, 'who has paid is thanked');
unlike($paid, qr/<form/, 'and asked for nothing');
# the_page_of_an_opt_out_link_tells_nobody_what_is_owed
my $stop = page('d6', 'opt_out');
unlike($stop, qr/1,240|Anna|I-d6/, 'the_page_of_an_opt_out_link_tells_nobody_what_is_owed');
is(() = $stop =~ /<form/g, 1, 'and offers nothing else');
# the_forms_of_a_page_are_bound_to_their_purpose_and_end_with_the_link
my %form = map { $_ => 1 } page('d6', 'pay') =~ /name="token" value="([^"]+)"/g;
is(sql("SELECT string_agg(o.purpose || ' ' || o.expires_at, ',' ORDER BY o.purpose) FROM unnest('{" . join(',', keys %form) . "}'::text[]) t, LATERAL dunning.open_link(t) o"),
	join(',', map { "$_ 2026-07-22 08:00:00+00" } qw(already_paid dispute plan)), 'the_forms_of_a_page_are_bound_to_their_purpose_and_end_with_the_link');
# the_page_shows_the_sum_and_the_offer_that_every_touchpoint_shows
sql(q{SET client_min_messages = error; SELECT dunning.make_offer('d6', 'instalments'); SELECT dunning.make_offer('d8', 'instalments')});
my $offered = page('d6', 'plan');
my ($told) = sql(q{SELECT dunning.conversation('d6') #>> '{offer_of_record,text}'});
like($offered, qr{<p>\Q$told\E</p>}, 'the_page_shows_the_sum_and_the_offer_that_every_touchpoint_shows');
like($offered, qr/1,240\.50/, 'and the sum');
my @options = $offered =~ /<input type="radio" name="option" value="(\d+)" required>/g;
is(scalar @options, sql(q{SELECT jsonb_array_length(dunning.conversation('d6') #> '{offer_of_record,options}')}), 'with a choice of each option');
my ($form) = $offered =~ m{(<form method="post"><input type="hidden" name="token" value="[^"]+"><input type="hidden" name="offer".*?</form>)}s;
my ($posted, $offer) = $form =~ /name="token" value="([^"]+)".*name="offer" value="([^"]+)"/;
# an_offer_is_accepted_by_its_form_once
is(refusal("SELECT a.accepted IS NULL, a.recorded FROM dunning.act_on_link('$posted', '{\"offer\": \"$offer\", \"option\": \"99\"}') a"), 'worked: t|t', 'an option that there is not is left to a person');
is(sql("SELECT a.accepted::text || ' ' || a.recorded FROM dunning.act_on_link('$posted', '{\"offer\": \"$offer\", \"option\": \"1\"}') a"), "$offer true", 'an_offer_is_accepted_by_its_form_once');
is(sql("SELECT a.accepted::text || ' ' || a.recorded FROM dunning.act_on_link('$posted', '{\"offer\": \"$offer\", \"option\": \"1\"}') a"), "$offer false", 'and said twice is said once');
is(sql(q{SELECT state || ' ' || via FROM dunning.offer WHERE debtor_id = 'd6'}), 'accepted link', 'as an offer accepted by link');
like(page('d6', 'plan', ', done => true'), qr/<h1>Agreed\. Thank you!.*\Q$told\E/s, 'the page that follows says so');
# an_offer_that_is_over_or_anothers_is_not_accepted_but_a_person_hears_of_it
my $mine = link_of('d8', 'plan');
my $over_now = sql(q{SELECT offer_id FROM dunning.offer WHERE debtor_id = 'd8'});
is(sql("SELECT a.accepted IS NULL FROM dunning.act_on_link('$mine', '{\"offer\": \"$offer\", \"option\": \"1\"}') a"), 't', 'another debtor\'s offer is not accepted');
is(sql(q{SELECT state FROM dunning.offer WHERE debtor_id = 'd8'}), 'live', 'nor one\'s own instead');
sql(q{SELECT dunning.withdraw_offer('d8', 'a test')});
is(sql("SELECT a.accepted IS NULL FROM dunning.act_on_link('$mine', '{\"offer\": \"$over_now\", \"option\": \"1\"}') a"), 't', 'an_offer_that_is_over_or_anothers_is_not_accepted_but_a_person_hears_of_it');
is(sql(q{SELECT count(*) FROM dunning.task WHERE debtor_id = 'd8' AND kind = 'plan_request'}), '1', 'there is a task');
# an_sms_carries_a_link_with_which_one_can_pay_there_and_then
sql(q{CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'text');
	CREATE USER MAPPING FOR dunning_worker SERVER text;
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, phone) VALUES ('p1', 'Bo', 'Bo', 'en', 'DK', '+4520304050'), ('p2', 'Bo', 'Bo', 'en', 'DK', '+4520304051');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, pay_url) VALUES ('p1', 'I-1', '2026-05-01', '2026-06-01', 50, 'EUR', 'https://bank.example/p1'), ('p2', 'I-2', '2026-05-01', '2026-06-01', 50, 'EUR', NULL);
	SET client_min_messages = error; SELECT dunning.send(d, 'reminder-1', 'sms') FROM unnest('{p1,p2}'::text[]) d; CALL dunning.deliver(max_seconds => 60)});
like(sql(q{SELECT body_text FROM dunning.body WHERE debtor_id = 'p1'}), qr{https://bank\.example/p1}, 'an_sms_carries_a_link_with_which_one_can_pay_there_and_then');
like(sql(q{SELECT body_text FROM dunning.body WHERE debtor_id = 'p2'}), qr{https://pay\.example/d\?t=[A-Za-z0-9_-]{56}}, 'and the page where the ledger has no address to pay at');
# a_mail_says_in_its_header_how_to_unsubscribe_with_one_click
my $smtp = $gateway->smtp_url;
sql(qq{CREATE SERVER smtp TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url '$smtp', "from" 'a\@example.org', tls 'none', timeout '2s', position '1');
	CREATE USER MAPPING FOR dunning_worker SERVER smtp;
	DROP SERVER mail CASCADE;
	INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, country, email) VALUES ('m1', 'default', 'Bo', 'Bo', 'en', 'DK', 'm1\@example.org'), ('m2', 'plain', 'Bo', 'Bo', 'en', 'DK', 'm2\@example.org');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) VALUES ('m1', 'I-3', 'default', '2026-05-01', '2026-06-01', 50, 'EUR'), ('m2', 'I-4', 'plain', '2026-05-01', '2026-06-01', 50, 'EUR');
	SET client_min_messages = error; SELECT dunning.send(d, 'reminder-1', 'email') FROM unnest('{m1,m2}'::text[]) d; CALL dunning.deliver(max_seconds => 60)});
my @mail = map { "To: $_->{recipient}\n" . $_->{body} =~ s/\r?\n[ \t]+//gr } $gateway->bodies;
my ($with) = grep { /^To: .*m1\@/m } @mail or diag("@mail");
my ($without) = grep { /^To: .*m2\@/m } @mail;
like($with, qr{^List-Unsubscribe: <https://pay\.example/d\?t=([A-Za-z0-9_-]{56})>\r?\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r?$}m, 'a_mail_says_in_its_header_how_to_unsubscribe_with_one_click');
unlike($without, qr/List-Unsubscribe/, 'not where the creditor has no page');
my ($click) = $with =~ m{List-Unsubscribe: <[^>]*t=([A-Za-z0-9_-]{56})};
is(sql("SELECT o.purpose || ' ' || o.debtor_id || ' ' || a.recorded FROM dunning.open_link('$click') o, dunning.act_on_link('$click') a"), 'opt_out m1 true', 'and the click is an opt-out');
# the_page_fits_a_small_screen_and_loads_nothing_else
like($offered, qr/<meta name="viewport" content="width=device-width, initial-scale=1">/, 'the_page_fits_a_small_screen_and_loads_nothing_else');
unlike($offered, qr/<(img|link|iframe|object|embed|script|video|a )|url\(|https?:|[^-]width: *\d+px/i, 'no image, frame, foreign address or fixed width');
cmp_ok(length $offered, '<', 16384, 'small enough for a slow line');
# a_link_is_made_wherever_the_text_names_it_also_for_a_message_planned_before_there_was_the_name
sql(q{INSERT INTO dunning.template (template, channel, language, body_text, partial) VALUES
		('deep', 'email', 'en', '{{#balances}}{{#invoices}}a={{plan_url}}{{/invoices}}{{/balances}} {{#.}}b={{paid_url}}{{/.}} {{#optout_url}}c={{.}}{{/optout_url}} {{> deep-piece}}{{^note}} e{{/note}}', false),
		('deep-piece', 'email', 'en', 'd={{dispute_url}}', true);
	INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, country, email) SELECT 'n' || i, CASE i WHEN 3 THEN 'plain' ELSE 'default' END, 'Bo', 'Bo', 'en', 'DK', 'n' || i || '@example.org' FROM generate_series(1, 3) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) SELECT 'n' || i, 'N', CASE i WHEN 3 THEN 'plain' ELSE 'default' END, '2026-05-01', '2026-06-01', 50, 'EUR' FROM generate_series(1, 3) i;
	SET client_min_messages = error; SELECT dunning.send('n' || i, 'deep', 'email') FROM generate_series(1, 3) i;
	UPDATE dunning.message SET context = context - ARRAY(SELECT jsonb_object_keys(dunning._optional_names())) WHERE debtor_id IN ('n2', 'n3');
	CALL dunning.deliver(max_seconds => 60)});
like(sql("SELECT body_text FROM dunning.body WHERE debtor_id = '$_'"), qr{^a=(https://pay\.example/d\?t=\S{56}) b=(?!\g1)https://pay\.\S+ c=(?!\g1)https://pay\.\S+ d=(?!\g1)https://pay\.\S+ e$},
	"a_link_is_made_wherever_the_text_names_it_also_for_a_message_planned_before_there_was_the_name: $_") for qw(n1 n2);
is(sql(q{SELECT body_text FROM dunning.body WHERE debtor_id = 'n3'}), 'a= b=  d= e', 'and is empty where the creditor has no page');
# hostile_names_stay_text
my $hostile = page('d2', 'dispute');
unlike($hostile, qr/<script|<img|\x{202e}|\xe2\x80\xae/, 'hostile_names_stay_text');
like($hostile, qr/&lt;script&gt;alert\(1\)/, 'the name is shown as it is');
like($hostile, qr/Fish &amp; &lt;Chips&gt;/, 'the creditor\'s too');
like($hostile, qr/<option value="&(quot|#34);&gt;&lt;script/, 'and a reference in an attribute');
like($hostile, qr/\{\{name\}\}/, 'a value is no template');
is(() = $hostile =~ /<form method="post">/g, 3, 'all forms are there; there is no address to pay at');

$node->stop;
$gateway->stop;
done_testing();
