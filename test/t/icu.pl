# Numbers, sums, dates and plural forms read as ICU writes them in the six languages. Our own table is used for messages,
# because a text must read the same on every server; this test holds the table against the ICU that is installed.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
open my $c, '>', "$dir/icu.c" or die $!;
print $c <<'CODE';
#include <stdio.h>
#include <string.h>
#include <unicode/udat.h>
#include <unicode/unumberformatter.h>
#include <unicode/upluralrules.h>
#include <unicode/ustring.h>

static void
say(const char *what, const char *language, const char *value, const UChar *s)
{
	char		utf8[400];
	UErrorCode	e = U_ZERO_ERROR;

	u_strToUTF8(utf8, sizeof(utf8), NULL, s, -1, &e);
	printf("%s|%s|%s|%s\n", what, language, value, utf8);
}

static void
number(const char *what, const char *language, const char *locale, const char *value, const char *pattern)
{
	UErrorCode	e = U_ZERO_ERROR;
	UChar		skeleton[60], s[200];
	UNumberFormatter *f;
	UFormattedNumber *r;
	UPluralRules *rules;

	u_uastrcpy(skeleton, pattern);
	f = unumf_openForSkeletonAndLocale(skeleton, -1, locale, &e);
	r = unumf_openResult(&e);
	unumf_formatDecimal(f, value, -1, r, &e);
	unumf_resultToString(r, s, 200, &e);
	say(what, language, value, s);
	if (strcmp(what, "number") == 0)
	{
		rules = uplrules_open(locale, &e);
		uplrules_selectFormatted(rules, r, s, 200, &e);
		say("plural", language, value, s);
		uplrules_close(rules);
	}
	unumf_closeResult(r);
	unumf_close(f);
	if (U_FAILURE(e))
		printf("%s|%s|%s|%s\n", what, language, value, u_errorName(e));
}

int
main(void)
{
	static const char *const locales[][4] = {{"en", "en_GB", "GBP"}, {"da", "da_DK", "DKK"}, {"sv", "sv_SE", "SEK"},
		{"nb", "nb_NO", "NOK"}, {"nl", "nl_NL", "EUR"}, {"de", "de_DE", "EUR"}};
	static const char *const values[] = {"0", "1", "2", "3", "5", "10", "11", "20", "21", "100", "101", "111", "1000", "1001", "9999",
		"12345", "1234567", "1000000", "0.0", "0.1", "0.5", "0.9", "1.0", "1.1", "1.5", "1.9", "2.0", "2.5", "10.0", "1.00", "1.01", "0.00", "1234.50",
		"1234567.25", "-1", "-2", "-1.5", "-1234"};

	for (int l = 0; l < 6; l++)
	{
		UErrorCode	e = U_ZERO_ERROR;
		UDateFormat *dates = udat_open(UDAT_NONE, UDAT_LONG, locales[l][1], u"UTC", -1, NULL, 0, &e);
		char		skeleton[60];

		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++)
		{
			const char *point = strchr(values[v], '.');

			snprintf(skeleton, sizeof(skeleton), "%s", !point ? "." : strlen(point) == 2 ? ".0" : ".00");
			number("number", locales[l][0], locales[l][1], values[v], skeleton);
		}
		snprintf(skeleton, sizeof(skeleton), "currency/%s", locales[l][2]);
		number("home", locales[l][0], locales[l][1], "1240.5", skeleton);
		number("EUR", locales[l][0], locales[l][1], "1234567", "currency/EUR");
		for (int month = 0; month < 12; month++)
		{
			UChar		s[200];
			char		iso[24];

			/* The 9th of each month of 2026. */
			static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

			snprintf(iso, sizeof(iso), "2026-%02d-09", month + 1);
			udat_format(dates, 1767225600000.0 + (days[month] + 8) * 86400000.0, s, 200, NULL, &e);
			say("date", locales[l][0], iso, s);
		}
		udat_close(dates);
	}
	return 0;
}
CODE
close $c;
my $cc = $ENV{CC} // 'gcc';
plan skip_all => 'ICU cannot be compiled against here' if system("$cc -std=c11 -o $dir/icu $dir/icu.c -licui18n -licuuc >$dir/cc.log 2>&1") != 0;

my $node = PostgreSQL::Test::Cluster->new('icu');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dunning');

# Signs that only print differently: no-break spaces and the true minus, which an SMS cannot hold.
sub plain
{
	my ($s) = @_;
	$s =~ s/\xC2\xA0|\xE2\x80\xAF/ /g;
	$s =~ s/\xE2\x88\x92/-/g;
	return $s;
}
my %home = (en => 'GBP', da => 'DKK', sv => 'SEK', nb => 'NOK', nl => 'EUR', de => 'EUR');
my @rows = map { [ split /\|/, plain($_) ] } split /\n/, `$dir/icu`;
# Norwegian sums stood behind their sign in the data of older ICU, and stand before it again since, as in print.
for my $row (@rows)
{
	$row->[3] =~ s/^(kr|\xE2\x82\xAC) (.*)$/$2 $1/ if $row->[1] eq 'nb';
}
my $sql = join ";\n", map {
	my ($what, $language, $value) = @$_;
	my $filter = $what eq 'plural' ? 'plural: one, other' : $what eq 'number' ? 'number' : $what eq 'date' ? 'date' : 'money';
	my $currency = $what eq 'home' ? $home{$language} : 'EUR';
	qq{SELECT (dunning._render(NULL, '{{v | $filter}}', NULL, '{"v": "$value", "currency": "$currency"}', '$language')).body_text}
} @rows;
my @ours = split /\n/, $node->safe_psql('postgres', $sql);
my %tests = (
	number => 'a_number_is_grouped_as_icu_groups_it', plural => 'a_number_takes_the_plural_form_that_icu_gives_it', date => 'a_date_reads_as_icu_writes_it',
	home => 'a_sum_of_the_language_s_own_currency_reads_as_icu_writes_it', EUR => 'a_sum_of_euros_reads_as_icu_writes_it');
for my $what (sort keys %tests)
{
	my @of = grep { $rows[$_][0] eq $what } 0 .. $#rows;
	my @bad = map { "$rows[$_][1] $rows[$_][2]: ICU \"$rows[$_][3]\", ours \"$ours[$_]\"" } grep { $rows[$_][3] ne $ours[$_] } @of;
	ok(@of >= 6 && !@bad, $tests{$what}) or diag(join "\n", @bad);
}
done_testing();
