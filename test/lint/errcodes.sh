#!/usr/bin/env bash
# Every error has a SQLSTATE: ereport() of ERROR or worse an errcode, RAISE EXCEPTION an ERRCODE. elog() is for what cannot happen.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=$(perl -0777 -ne '
    while (/\bereport\s*\(\s*(?:ERROR|FATAL|PANIC|elevel)\b((?:[^;"]|"(?:[^"\\]|\\.)*")*);/g) {
        my ($body, $line) = ($1, 1 + (substr($_, 0, $-[0]) =~ tr/\n//));
        print "$ARGV:$line: ereport without errcode\n" unless $body =~ /\berrcode(?:_for_\w+)?\s*\(/;
    }' src/*.c src/*/*.c
perl -0777 -ne '
    while (/\bRAISE(?!\s+(?:DEBUG|LOG|INFO|NOTICE|WARNING)\b)\s*([^;"\x27]?(?:[^;\x27]|\x27(?:[^\x27]|\x27\x27)*\x27)*);/g) {
        my ($body, $line) = ($1, 1 + (substr($_, 0, $-[0]) =~ tr/\n//));
        next if $body =~ /^\s*$/;                       # RAISE; hands an error on
        print "$ARGV:$line: RAISE without ERRCODE\n" unless $body =~ /\bERRCODE\s*=/;
    }' sql/modules/*.sql letter/sql/*.sql)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
