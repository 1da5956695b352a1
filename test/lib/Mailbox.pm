# A Maildir as a reader of mail sees it: recipients, decoded subjects and texts.
package Mailbox;

use strict;
use warnings;

use Encode qw(decode);
use MIME::Base64 qw(decode_base64);
use MIME::QuotedPrint qw(decode_qp);

# One MIME entity (headers, blank line, body) into { headers => {...}, parts => [...], text, html }.
sub parse
{
	my ($raw) = @_;
	my %mail = (headers => {});

	$raw =~ s/\r\n/\n/g;
	my ($head, $body) = split /\n\n/, $raw, 2;
	$body //= '';
	$head =~ s/\n[ \t]+/ /g;
	for my $line (split /\n/, $head)
	{
		my ($name, $value) = $line =~ /^([^:]+):\s*(.*)$/ or next;
		$mail{headers}{ lc $name } //= decode('MIME-Header', $value);
	}
	my $type = $mail{headers}{'content-type'} // 'text/plain';
	if ($type =~ m{^multipart/.*boundary="([^"]+)"})
	{
		my @pieces = split /^--\Q$1\E(?:--)?\n?/m, $body;
		shift @pieces;
		for my $part (map { parse($_) } grep { /\S/ } @pieces)
		{
			$mail{text} //= $part->{text};
			$mail{html} //= $part->{html};
		}
		return \%mail;
	}
	my $encoding = lc($mail{headers}{'content-transfer-encoding'} // '');
	$body = $encoding eq 'base64' ? decode_base64($body) : $encoding eq 'quoted-printable' ? decode_qp($body) : $body;
	$body = decode('UTF-8', $body);
	$body =~ s/\r\n/\n/g;
	$mail{ $type =~ m{^text/html} ? 'html' : 'text' } = $body;
	return \%mail;
}

# Every mail below a directory, each with `to` as the server delivered it.
sub read_all
{
	my ($dir) = @_;
	my @mails;

	for my $file (sort glob("$dir/*/new/* $dir/*/cur/*"))
	{
		open(my $in, '<:raw', $file) or die "$file: $!";
		my $mail = parse(do { local $/; <$in> });
		$mail->{to} = $mail->{headers}{'delivered-to'} // $mail->{headers}{'x-original-to'};
		push @mails, $mail;
	}
	return @mails;
}

1;
