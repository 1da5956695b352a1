# A page of docs/ whose blocks are run: text, and blocks of a kind. A text block after one says what comes out of it; "…" in
# it stands for whatever is there.
package Page;
use strict;
use warnings;
use PostgreSQL::Test::Utils;

sub new
{
	my ($class, $file) = @_;
	my @parts = map { /\A```(\w*)\n(.*?)\n?```\z/s ? { kind => $1, text => $2 } : { kind => 'prose', text => $_ } } split /^(```.*?^```)$/ms, slurp_file($file);
	for my $i (grep { $parts[$_]{kind} eq 'text' } 0 .. $#parts)
	{
		my ($before) = grep { $_->{kind} ne 'prose' } reverse @parts[ 0 .. $i - 1 ];
		$before->{expected} = $parts[$i];
	}
	return bless { parts => \@parts }, $class;
}

# Its blocks of these kinds, in order: kind, text and, where the page shows it, expected.
sub blocks
{
	my ($self, @kinds) = @_;
	return grep { my $part = $_; grep { $part->{kind} eq $_ } @kinds } @{ $self->{parts} };
}

# What psql printed, without the blanks that fill the last column of a line.
sub printed
{
	my ($out) = @_;
	s/[ \t\r]+$//mg, s/\s+\z// for $out;
	return $out;
}

# A pattern of what a block is to print.
sub pattern
{
	my ($block) = @_;
	my $like = join '.*?', map { quotemeta } split /…/, $block->{expected}{text}, -1;
	return qr/\A$like\z/s;
}

# The statement that a failing block is known by.
sub first_line
{
	my ($block) = @_;
	my ($first) = $block->{text} =~ /^(?!--)(.*)$/m;
	return $first;
}

# The page with what expected now says.
sub text
{
	my ($self) = @_;
	return join '', map { $_->{kind} eq 'prose' ? $_->{text} : "```$_->{kind}\n$_->{text}\n```" } @{ $self->{parts} };
}

1;
