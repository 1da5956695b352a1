# Letters on paper: payment codes, HTML to print, PDF by the module dunning_letter.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use List::Util qw(min max);

my $spool = PostgreSQL::Test::Utils::tempdir;
mkdir "$spool/print";
my $node = PostgreSQL::Test::Cluster->new('letter');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ntimezone = 'UTC'\nfsync = off\n"
	  . "dunning.clock = '2026-06-22 10:00+02'\ndunning.spool_directory = '$spool'\n");
$node->start;
my $db = 'postgres';
sub sql { return $node->safe_psql($db, $_[0]) }
sub refusal
{
	my ($rc, $out, $err) = $node->psql($db, $_[0], extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $rc == 0 ? "worked: $out" : $err =~ /ERROR:\s+(\w{5}): (.*)/ ? "$1 $2" : $err;
}
sub page_text { my ($text) = @_; utf8::decode($text); return $text }

sql(q{CREATE EXTENSION dunning;
	CREATE SERVER print TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'print');
	CREATE USER MAPPING FOR dunning_worker SERVER print;
	SELECT dunning.activate()});

# a_payment_code_is_what_the_published_format_says
my %code = (
	q{'Red Cross of Belgium', 'BE72 0000 0000 1616', 1, 'Urgency fund', bic => 'BPOTBEB1', purpose => 'CHAR', information => 'Sample QR code'}
		=> "BCD\n002\n1\nSCT\nBPOTBEB1\nRed Cross of Belgium\nBE72000000001616\nEUR1.00\nCHAR\n\nUrgency fund\nSample QR code",
	q{'Red Cross', 'BE72000000001616', 0.01} => "BCD\n002\n1\nSCT\n\nRed Cross\nBE72000000001616\nEUR0.01",
	q{'Franz Mustermänn', 'de71110220330123456789', 999999999.99, reference => 'RF18 5390 0754 7034'}
		=> "BCD\n002\n1\nSCT\n\nFranz Musterm\x{e4}nn\nDE71110220330123456789\nEUR999999999.99\n\nRF18539007547034",
	q{'Bank', 'CH93 0076 2011 6238 5295 7', 12.3, 'x', bic => 'BCVLCH2L'} => "BCD\n002\n1\nSCT\nBCVLCH2L\nBank\nCH9300762011623852957\nEUR12.30\n\n\nx");
is(page_text(sql("SELECT dunning.epc_payload($_)")), $code{$_}, 'a_payment_code_is_what_the_published_format_says') for sort keys %code;
# a_payment_code_that_no_bank_would_take_is_refused
my %no = (
	q{'A', 'DK5000400440116244', 1} => 'IBAN of SEPA', q{'A', 'DK500040044011624', 1} => 'IBAN of SEPA', q{'A', 'US5000400440116243', 1} => 'IBAN of SEPA', q{'A', 'NO-north-111', 1} => 'IBAN of SEPA',
	q{'A', NULL, 1} => 'IBAN of SEPA', q{'A', 'DK5000400440116243', 1, currency => 'DKK'} => 'euro alone', q{'A', 'DK5000400440116243', 1, currency => NULL} => 'euro alone',
	q{'A', 'DK5000400440116243', 0} => 'cannot ask', q{'A', 'DK5000400440116243', 1.005} => 'cannot ask', q{'A', 'DK5000400440116243', 1e9} => 'cannot ask', q{'A', 'DK5000400440116243', 'NaN'} => 'cannot ask',
	q{'A', 'DK5000400440116243', 'Infinity'} => 'cannot ask', q{'A', 'DK5000400440116243', NULL} => 'cannot ask',
	q{' ', 'DK5000400440116243', 1} => 'who is paid', q{NULL, 'DK5000400440116243', 1} => 'who is paid', q{repeat('A', 71), 'DK5000400440116243', 1} => 'at most 70',
	q{E'A\nDE71110220330123456789', 'DK5000400440116243', 1} => 'one line', q{'A', 'DK5000400440116243', 1, repeat('x', 141)} => 'at most 140', q{'A', 'DK5000400440116243', 1, E'a\rb'} => 'one line',
	q{'A', 'CH9300762011623852957', 1} => 'needs the BIC', q{'A', 'DK5000400440116243', 1, bic => 'X'} => 'BIC of a payment', q{'A', 'DK5000400440116243', 1, reference => 'RF19539007547034'} => 'creditor reference',
	q{'A', 'DK5000400440116243', 1, 'x', reference => 'RF18539007547034'} => 'not both', q{'A', 'DK5000400440116243', 1, purpose => 'GD1'} => 'four letters',
	q{repeat('ø', 70), 'DK5000400440116243', 1, repeat('ø', 140)} => 'at most 331 bytes');
like(refusal("SELECT dunning.epc_payload($_)"), qr/^22023 .*\Q$no{$_}/, "a_payment_code_that_no_bank_would_take_is_refused: $_") for sort keys %no;

# The book: one who can pay by code, one in another currency, one with hostile names.
sql(q{SELECT dunning.save_creditor('default', 'Nordlys & <Energi>', account => 'DK50 0040 0440 1162 43', phone => '+4570102030');
	SELECT dunning.save_template('note', 'letter', 'da', 'Kære {{given_name}}', E'Kære {{given_name}},\n\n{{creditor_name}}: {{amount | money}} står åbent. Ærø, Łódź, Straße.\nHar du betalt? Så tak.\n\nVenlig hilsen');
	INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, address)
	SELECT 'd' || i, 'Kirsten Hansen', 'Kirsten', 'da', 'DK', '{"city": "København K", "zip": 1165, "street": "Nørregade 1"}' FROM generate_series(1, 3) i;
	UPDATE dunning.debtor SET given_name = '<b onclick="x">', address = '{"street": "\"><script>x"}' WHERE debtor_id = 'd3';
	INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
	SELECT d.debtor_id, i, '2026-05-01', '2026-06-01', 620.25, CASE WHEN d.debtor_id = 'd2' THEN 'DKK' ELSE 'EUR' END, 'F-1042-' || i FROM dunning.debtor d, unnest('{7,8}'::text[]) i;
	SET client_min_messages = error;
	SELECT dunning.send(d.debtor_id, 'note', 'letter', vars => '{"note": "Ring endelig, {{given_name}}! Mette", "print": {"envelope": "plain"}}') FROM dunning.debtor d});
my %message = map { split /\|/ } split /\n/, sql('SELECT debtor_id, message_id FROM dunning.message ORDER BY message_id');
sub html { return page_text(sql("SELECT dunning.letter_html('$message{$_[0]}'" . ($_[1] // '') . ')')) }
# a_letter_looks_like_words_from_a_person_and_not_like_a_bill
my $before = html('d1');
like($before, qr/<p class="note">Ring endelig, Kirsten! Mette</, 'the personal note stands in it');
unlike($before, qr/<table|border|invoice|faktura/i, 'a_letter_looks_like_words_from_a_person_and_not_like_a_bill');
unlike($before, qr/position: absolute/, 'no window envelope unless asked for');
like(html('d1', ', true'), qr/position: absolute; left: -5mm; top: 20mm; width: 85mm; height: 45mm/, 'the address where a window shows it');
like($before, qr/K\x{f8}benhavn K<br>/, 'the address');
sql(q{SET client_min_messages = error; SELECT dunning.send('d1', 'note', 'letter', vars => '{"print": {"window": true}}', idempotency_key => 'w')});
like(sql(q{SELECT dunning.letter_html(message_id) FROM dunning.message WHERE context ? 'print' AND context #>> '{print,window}' = 'true'}), qr/position: absolute/, 'a step whose print fields ask for a window gets one');
sql(q{SELECT dunning.cancel(message_id, 'test') FROM dunning.message WHERE context #>> '{print,window}' = 'true'});
# an_address_of_any_system_stands_as_on_an_envelope
my %address = (q{{"lines": ["A", "B"]}} => "N\nA\nB", q{{"address1": "Str.", "number": 5, "postcode": "1", "town": "X", "country": "DK", "extra": true}} => "N\nStr. 5\n1 X\nDK", q{{"name": "Else", "street": "S"}} => "Else\nS",
	q{{"gade": "G 1", "by": "B"}} => "N\nB\nG 1", q{plain, text} => 'plain, text', q{"a"} => '"a"', q{{}} => 'N');
is(sql("SELECT dunning._address_lines('N', '$_')"), $address{$_}, "an_address_of_any_system_stands_as_on_an_envelope: $_") for sort keys %address;
like($before, qr/22\. juni 2026/, 'the date in the letter\'s language');
like($before, qr/\@page \{ size: A4/, 'made to be printed');
unlike(html('d3'), qr/<script|<b onclick/, 'hostile names stay text');
sql('SET client_min_messages = error; CALL dunning.deliver(max_seconds => 60)');
is(sql(q{SELECT string_agg(s.debtor_id || ' ' || s.state || ' ' || coalesce(s.reason, ''), ',' ORDER BY s.debtor_id) FROM dunning.message_state s WHERE s.state <> 'cancelled'}), 'd1 sent done,d2 sent done,d3 held bad_address', 'the letters have left, save to an address that is none');
sql(q{UPDATE dunning.debtor SET address = '{"street": "moved"}'});
is(html('d1'), $before, 'what left is what is shown, whatever the address is now');
like(refusal(q{SELECT dunning.letter_html('00000000-0000-7000-8000-000000000000')}), qr/^22023 there is no message/, 'an unknown message');

SKIP:
{
	skip 'dunning_letter is not built: apt-get install libpango1.0-dev libcairo2-dev libqrencode-dev', 1
	  unless sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'dunning_letter'});
	my $library = sql('SHOW dynamic_library_path') && `pg_config --pkglibdir`;
	chomp $library;
	# the_preloaded_library_brings_no_library_for_drawing
	unlike(`ldd $library/dunning.so`, qr/pango|cairo|qrencode|fontconfig/, 'the_preloaded_library_brings_no_library_for_drawing');
	sql('CREATE EXTENSION dunning_letter');
	is(sql(q{SELECT string_agg(DISTINCT pg_get_userbyid(p.proowner), ',') FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid WHERE e.extname = 'dunning_letter'}),
		'dunning_owner', 'its functions are the owner\'s');
	like(refusal(q{SET ROLE dunning_viewer; SELECT dunning.letter_pdf('a', 'b', NULL, NULL)}), qr/^42501/, 'a viewer draws no letters');

	my $dir = $ENV{TESTDATADIR} || PostgreSQL::Test::Utils::tempdir;
	my $n = 0;
	my $draw = sub {
		my ($sql) = @_;
		my $file = "$dir/letter" . ++$n . '.pdf';
		my $hex = sql("SELECT encode(($sql), 'hex')");
		open my $out, '>:raw', $file or die;
		print $out pack 'H*', $hex;
		close $out;
		return $file;
	};
	my $words = sub { return page_text(join '', `pdftotext -layout '$_[0]' -`) };

	# the_same_letter_is_the_same_bytes
	my $letter = qq{SELECT md5(dunning.letter_pdf('$message{d1}')) || md5(dunning.letter_pdf('s', 'Hej', 'A', 'B'))};
	my $md5 = sql($letter);
	is(sql($letter), $md5, 'the_same_letter_is_the_same_bytes');
	$node->restart;
	is(sql("SET timezone = 'Asia/Tokyo'; SET dunning.clock = '2027-01-01'; $letter"), $md5, 'in another zone, at another time, after a restart');

	my $tools = `which pdftotext pdftoppm 2>/dev/null` =~ /pdftoppm/;
	SKIP:
	{
		skip 'there is no pdftotext: apt-get install poppler-utils', 1 unless $tools;
		# the_words_of_a_letter_can_be_read_back
		my $file = $draw->("dunning.letter_pdf('$message{d1}')");
		my $text = $words->($file);
		like($text, qr/\Q$_\E/, "the_words_of_a_letter_can_be_read_back: " . s/[^ -~]/?/gr) for 'Kirsten Hansen', "N\x{f8}rregade 1", "K\x{e6}re Kirsten,", "\x{c6}r\x{f8}, \x{141}\x{f3}d\x{17a}, Stra\x{df}e.", 'Nordlys & <Energi>', 'Har du betalt?', 'Venlig hilsen';
		is(join('', grep { !/\byes +yes +yes\b/ } splice(@{ [`pdffonts '$file'`] }, 2)), '', 'fonts are embedded, subset and can be copied from');
		unlike(join('', `pdfinfo '$file'`), qr/2026|JavaScript: +yes/, 'no date of the machine is in it');
		# a_long_letter_goes_on_over_pages
		my $long = $draw->(q{dunning.letter_pdf('s', (SELECT string_agg('Line ' || i || ' of many, and some words more that make it a little longer than the column is wide.', E'\n') FROM generate_series(1, 200) i), 'A', NULL)});
		my ($pages) = join('', `pdfinfo '$long'`) =~ /Pages: +(\d+)/;
		cmp_ok($pages, '>', 5, 'a_long_letter_goes_on_over_pages');
		$text = $words->($long) =~ tr/\f/\n/r;
		is(join(' ', $text =~ /^Line (\d+) of/mg), join(' ', 1 .. 200), 'no line is lost or stands twice');
		like($text, qr/^ +$_$/m, "page $_ has its number") for 2 .. $pages;
		# nothing_runs_over_the_edge
		my $wild = $draw->(q{dunning.letter_pdf(repeat('Subject', 60), repeat('Wörterbuchverlagsgesellschaft', 80) || E'\n' || repeat('W', 3000) || E'\n' || repeat(E'\t', 80) || 'x' || E'\n' || repeat('界', 500) || E'\nא' || repeat('בגד ', 200), repeat('Å', 300), NULL, repeat('Sender', 60), repeat('Note', 100))});
		my @over;
		for (`pdftotext -bbox '$wild' -`)
		{
			push @over, $_ if /<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)"/ && ($1 < 68 || $3 > 541 || $2 < 60 || $4 > 842);
		}
		is(join('', @over), '', 'nothing_runs_over_the_edge');
		# the_address_stands_where_a_window_shows_it
		my $window = $draw->("dunning.letter_pdf('$message{d1}', true)");
		my ($x, $y) = join('', `pdftotext -bbox '$window' -`) =~ /<word xMin="([\d.]+)" yMin="([\d.]+)"[^>]*>Kirsten</;
		ok($x > 20 * 72 / 25.4 && $x < 30 * 72 / 25.4 && $y > 45 * 72 / 25.4 && $y < 60 * 72 / 25.4, 'the_address_stands_where_a_window_shows_it') or diag(`pdftotext -bbox '$window' - | head -20`);

		SKIP:
		{
			skip 'there is no zbarimg: apt-get install zbar-tools', 1 unless `which zbarimg 2>/dev/null`;
			# the_code_on_a_letter_is_read_back_as_the_payment
			my $read = sub { my ($pdf) = @_; system("pdftoppm -r 150 -png '$pdf' '$pdf' && cat /dev/null") == 0 or die; my $out = join '', map { `zbarimg -q --raw '$_' 2>/dev/null` } sort glob "$pdf-*.png"; $out =~ s/\n+$//; return page_text($out) };
			is($read->($file), "BCD\n002\n1\nSCT\n\nNordlys & <Energi>\nDK5000400440116243\nEUR1240.50\n\n\nF-1042-7 F-1042-8", 'the_code_on_a_letter_is_read_back_as_the_payment');
			is($read->($draw->("dunning.letter_pdf('$message{d2}')")), '', 'another currency has no code');
			my $most = '0123456789' x 33 . 'x';
			is($read->($draw->("dunning.letter_pdf('s', 'b', 'a', '$most')")), $most, 'the longest code can be read');
			# the_letter_as_html_has_the_same_code
			my ($svg) = html('d1') =~ m{(<svg.*</svg>)}s;
			ok($svg, 'the_letter_as_html_has_the_same_code');
			like($svg, qr/viewBox="0 0 (\d+) \1"/, 'drawn as a square');
			my ($side) = $svg =~ /viewBox="0 0 (\d+)/;
			my @dark;
			while ($svg =~ /M(\d+) (\d+)h(\d+)v1/g) { $dark[$2][$_] = 1 for $1 .. $1 + $3 - 1 }
			open my $pbm, '>', "$dir/code.pbm" or die;
			print $pbm "P1\n", $side * 8, ' ', $side * 8, "\n";
			for my $row (0 .. $side * 8 - 1) { print $pbm join(' ', map { $dark[ $row / 8 ][ $_ / 8 ] ? 1 : 0 } 0 .. $side * 8 - 1), "\n" }
			close $pbm;
			my $said = `zbarimg -q --raw '$dir/code.pbm' 2>/dev/null`;
			like($said, qr/^BCD\n002.*EUR1240\.50/s, 'and a phone reads it');
		}
	}

	# what_no_letter_can_show_is_refused
	my %bad = (q{'s', NULL, 'a', NULL} => '22023 a letter has words', q{'s', '', 'a', NULL} => '22023 a letter has words', q{'s', E'a\x01b', 'a', NULL} => '22023 a letter cannot show a control character',
		q{'s', repeat('x', 65537), 'a', NULL} => '53400 the text of a letter has at most 65536 bytes', q{'s', repeat(E'x\n', 32000), 'a', NULL} => '53400 a letter has at most 20 pages',
		q{repeat('s', 1001), 'x', 'a', NULL} => '53400 the subject of a letter has at most 1000 bytes', q{'s', 'x', 'a', repeat('q', 332)} => '22023 a QR code holds 1 to 331 bytes',
		q{'s', 'x', repeat(E'line\n', 100), NULL, at_window => true} => '22023 the address does not fit into the window of an envelope');
	is(refusal("SELECT dunning.letter_pdf($_)"), $bad{$_}, "what_no_letter_can_show_is_refused: $bad{$_}") for sort keys %bad;
	like(refusal("SELECT dunning.letter_qr_svg($_)"), qr/^22023 a QR code holds/, 'a code of nothing or too much') for q{''}, q{repeat('x', 332)};
	like(refusal(q{SELECT dunning.letter_pdf('00000000-0000-7000-8000-000000000000')}), qr/^22023 there is no message/, 'an unknown message');
	# drawing_stops_when_it_is_told_to
	like(refusal(q{SET statement_timeout = '15ms'; SELECT count(dunning.letter_pdf('s', repeat('Words and words. ', 2500), 'a', i::text)) FROM generate_series(1, 1000) i}), qr/^57014 /, 'drawing_stops_when_it_is_told_to');
	# nothing_stays_in_memory_after_letters_or_errors
	# What the process has of its own, after each of eight rounds: malloc gives room back in some and keeps it in others, so the least of the last is held against the most of the first.
	my @kb = split /\n/, sql(qq{
		DO \$\$ BEGIN PERFORM dunning.letter_pdf('s', repeat('Ærø og ord. ', 400), 'a', i::text, note => 'n') FROM generate_series(1, 400) i;
			FOR i IN 1 .. 100 LOOP BEGIN PERFORM dunning.letter_pdf('s', repeat(E'x\\n', 32000), 'a', 'q'); EXCEPTION WHEN SQLSTATE '53400' THEN NULL; END; END LOOP; END \$\$;
		SELECT (regexp_match(pg_read_file('/proc/self/status', 0, 4000), 'RssAnon:\\s*(\\d+)'))[1];} x 8);
	cmp_ok(min(@kb[4 .. 7]) - max(@kb[0 .. 3]), '<', 1024, 'nothing_stays_in_memory_after_letters_or_errors (kB)') or diag("@kb");
	# the_module_is_dumped_and_dropped_by_itself
	sql('DROP EXTENSION dunning_letter');
	is(sql(q{SELECT count(*) FROM pg_extension WHERE extname = 'dunning'}), '1', 'the module goes alone');
	unlike(html('d1'), qr/<svg/, 'and letters are printed without a code then');
}

$node->stop;
done_testing();
