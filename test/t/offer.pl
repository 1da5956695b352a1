# Offers on their way: what leaves names the offer of record at that moment, and a link accepts it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $secrets = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('offer');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\nmax_prepared_transactions = 2\n"
	  . "dunning.clock = '2026-06-22 10:00+02'\ndunning.secret_directory = '$secrets'\n");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }
sub refusal
{
	my ($rc, $out, $err) = $node->psql('postgres', $_[0], extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $rc == 0 ? "worked: $out" : $err =~ /ERROR:\s+(\w{5}): (.*)/ ? "$1 $2" : $err;
}
sub deliver { return sql(q{SET client_min_messages = error; CALL dunning.deliver(max_seconds => 60)}) }
sub said { return sql("SELECT string_agg(m.channel || ': ' || b.body_text, ' | ' ORDER BY m.channel) FROM dunning.body b JOIN dunning.message m USING (debtor_id, message_id) WHERE m.debtor_id = '$_[0]' AND b.rendered_at > '" . ($_[1] // '-infinity') . "'") }
sub states { return sql("SELECT string_agg(s.state || ' ' || coalesce(s.reason, '-'), ', ' ORDER BY s.message_id) FROM dunning.message_state s WHERE s.debtor_id = '$_[0]'") }

sql(q{CREATE EXTENSION dunning;
	CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
	CREATE USER MAPPING FOR dunning_worker SERVER mail;
	CREATE USER MAPPING FOR dunning_worker SERVER text;
	SELECT dunning.activate();
	SELECT dunning.rotate_link_key();
	SELECT dunning.save_creditor('default', 'Nordlys', link_url => 'https://pay.example/d?t=');
	DELETE FROM dunning.contact_rule WHERE NOT 'letter' = ANY (channels) AND rule NOT LIKE 'house-%';
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test'), ('house-sms', '{sms}', 'Mon-Sun 00:00-24:00', true, 'test');
	INSERT INTO dunning.template (template, channel, language, body_text) VALUES
		('of', 'email', 'en', '{{name}}: {{amount | money}}.{{#offer}} {{text}} {{link}}{{/offer}} {{plan_url}}'), ('of', 'sms', 'en', '{{#offer}}{{text}}{{/offer}}{{^offer}}Please pay {{amount | money}}.{{/offer}}');
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone) SELECT 'o' || i, 'Ann', 'Ann', 'en', 'GB', 'o' || i || '@example.org', '+4477009001' || (10 + i) FROM generate_series(1, 6) i;
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'o' || i, 'I', '2026-04-01', '2026-05-01', 300, 'GBP' FROM generate_series(1, 6) i;
	SELECT s.state FROM dunning.debtor d, dunning.send(d.debtor_id, 'of', 'email') s WHERE d.debtor_id <> 'o5';
	UPDATE dunning.queue SET state = 'queued', due = dunning._now()});

# what_leaves_names_the_offer_made_after_it_was_planned
sql(q{SELECT dunning.make_offer(d, 'pay_later') FROM unnest('{o1,o3,o4}'::text[]) d});
my $text = sql(q{SELECT text FROM dunning.offers WHERE debtor_id = 'o1'});
# while_an_offer_is_being_changed_what_would_name_it_waits
sql(q{BEGIN; SELECT dunning.make_offer('o3', 'promise', '{"amount": 100}', replace => true); PREPARE TRANSACTION 'changing'});
sql(q{SET client_min_messages = error; CALL dunning.deliver(max_seconds => 1)});
like(said('o1'), qr/\Q$text\E/, 'what_leaves_names_the_offer_made_after_it_was_planned');
is(said('o2') =~ /wait|offer/ ? 'named' : 'none', 'none', 'who has no offer is told of none');
is(said('o3'), '', 'while_an_offer_is_being_changed_what_would_name_it_waits');
is(sql(q{SELECT state || ' ' || reason FROM dunning.queue WHERE debtor_id = 'o3'}), 'queued offer_changing', 'and says why');
sql(q{COMMIT PREPARED 'changing'; UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'o3'});
deliver();
like(said('o3'), qr/100\.00/, 'then it names what stands');
is(sql(q{SELECT count(*) FROM dunning.body b LEFT JOIN dunning.offer o ON o.offer_id = b.offer_id AND position(o.text IN b.body_text) > 0 WHERE b.offer_id IS NOT NULL AND o.offer_id IS NULL}), '0', 'a body keeps which offer it names');
like(said('o1'), qr{wait.* https://pay\.example/d\?t=\S{56} https://pay\.example}, 'the link of an offer is the plan link');

# a_text_that_names_the_link_of_an_offer_and_no_other_has_it_in_a_section_by_its_path_and_in_a_partial
sql(q{INSERT INTO dunning.template (template, channel, language, body_text, partial) VALUES
		('of-link', 'sms', 'en', 'a {{#offer}}{{link}}{{/offer}} b {{offer.link}} c {{> of-piece}}', false), ('of-piece', 'sms', 'en', '{{#offer}}{{#options}}{{link}}{{/options}}{{/offer}}', true);
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, phone) VALUES ('o7', 'Ann', 'Ann', 'en', 'GB', '+447700900117');
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('o7', 'I', '2026-04-01', '2026-05-01', 300, 'GBP');
	SELECT s.state FROM dunning.send('o7', 'of-link', 'sms') s;
	UPDATE dunning.queue SET state = 'queued', due = dunning._now() WHERE debtor_id = 'o7';
	SELECT dunning.make_offer('o7', 'pay_later')});
deliver();
my $link = qr{https://pay\.example/d\?t=\S{56}};
like(said('o7'), qr{a ($link) b \g1 c (\g1)+$}, 'a_text_that_names_the_link_of_an_offer_and_no_other_has_it_in_a_section_by_its_path_and_in_a_partial');
is(sql(q{SELECT fields FROM dunning.egress WHERE debtor_id = 'o7'}), '{offer,offer.link,offer.options}', 'and the ledger of what left names it once');

# a_message_frozen_and_put_off_does_not_leave_with_an_offer_that_is_over
sql(q{SELECT s.state FROM dunning.send('o5', 'of', 'sms') s; UPDATE dunning.queue SET state = 'queued', due = dunning._now() WHERE debtor_id = 'o5'; SELECT dunning.make_offer('o5', 'pay_later')});
sql(q{INSERT INTO dunning.body (message_id, debtor_id, creditor, address, body_text, rendered_at, offer_id)
	SELECT q.message_id, q.debtor_id, 'default', '+447700900115', 'old', now(), '01990000-0000-7000-8000-000000000001' FROM dunning.queue q WHERE q.debtor_id = 'o5';
	UPDATE dunning.queue SET reason = 'put off' WHERE debtor_id = 'o5'});
deliver();
is(sql(q{SELECT s.state || ' ' || s.reason FROM dunning.message_state s JOIN dunning.message m USING (debtor_id, message_id) WHERE s.debtor_id = 'o5' AND m.channel = 'sms'}), 'cancelled offer_gone', 'a_message_frozen_and_put_off_does_not_leave_with_an_offer_that_is_over');

# a_plan_link_accepts_the_option_that_its_page_showed
my ($token) = said('o1') =~ /t=(\S{56})$/;
my $before = sql('SELECT count(*) FROM dunning.promise');
my $page = sql("BEGIN READ ONLY; SELECT dunning.link_page('$token'); COMMIT");
like($page, qr/\Q$text\E/, 'the page tells the offer of record');
my ($offer) = $page =~ m{name="offer" value="([0-9a-f-]{36})"};
ok($offer, 'and lets it be chosen');
is(sql('SELECT count(*) FROM dunning.promise'), $before, 'looking_accepts_nothing');
is(sql("SELECT purpose || ' ' || recorded FROM dunning.act_on_link('$token', '{\"option\": 1, \"offer\": \"$offer\"}')"), 'plan true', 'a_plan_link_accepts_the_option_that_its_page_showed');
is(sql("SELECT recorded FROM dunning.act_on_link('$token', '{\"option\": 1}')"), 'f', 'once, also where the form names no offer but the message did');
is(sql(q{SELECT state || ' ' || via || ' ' || agreement FROM dunning.offers WHERE debtor_id = 'o1'}), 'accepted link open', 'it is accepted');
is(sql(q{SELECT count(*) FROM dunning.hold WHERE debtor_id = 'o1' AND reason = 'promise' AND released_at IS NULL}), '1', 'and holds');

# what_was_replaced_is_not_accepted_by_an_old_link
($token) = said('o4') =~ /t=(\S{56})$/;
sql(q{SELECT dunning.make_offer('o4', 'promise', '{"amount": 50}', replace => true)});
is(sql("SELECT a.accepted IS NULL FROM dunning.act_on_link('$token', '{\"option\": 1}') a"), 't', 'what_was_replaced_is_not_accepted_by_an_old_link');
is(sql(q{SELECT count(*) FROM dunning.promise WHERE debtor_id = 'o4'}), '0', 'and nothing is promised');
is(sql(q{SELECT count(*) FROM dunning.task WHERE debtor_id = 'o4' AND kind = 'plan_request'}), '1', 'but a person hears of it');
like(refusal(q{SELECT dunning.accept_offer('o4', 1, (SELECT offer_id FROM dunning.offer WHERE debtor_id = 'o4' AND state = 'superseded'))}), qr/^55000 the offer is superseded/, 'asked by SQL it is refused');
my $other = sql(q{SELECT offer_id FROM dunning.offer WHERE debtor_id = 'o3' AND state = 'live'});
like(refusal("SELECT dunning.accept_offer('o4', 1, '$other')"), qr/^22023 debtor "o4" has no live offer/, 'nor another debtor\'s offer');
like(refusal("SET dunning.clock = '2026-08-01 10:00+02'; SELECT dunning.act_on_link('$token', '{\"option\": 1}')"), qr/^DN009/, 'an expired link accepts nothing');

$node->stop;
done_testing();
