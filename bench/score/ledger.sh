#!/usr/bin/env bash
# The targets of train() on ledgers: accuracy on rows not trained on, beside the mean of a debtor's days late, and calibration beside the
# least that any model of so many rows can show.
#   DUNNING_DATA=... bench/score/ledger.sh            the accounts-receivable file, where it is, and the made books
#   BOOKS="file chronic" TARGETS=late KIND=gbdt bench/score/ledger.sh
# "split 0" to "split 4": a row is trained on where the first 8 hex digits of md5(salt || its number), modulo 100, are under 70; salts '', s1 to s4.
# A book's rows are numbered as the file's lines are, or by day of issue. "out of time": trained on what was decided before an instant,
# asked about all that was issued from then on.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
here=$root/bench/score
csv=${DUNNING_DATA:-$root/../shared/data}/ibm_accounts_receivable.csv
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "fsync = off" "jit = off"

for book in ${BOOKS:-file chronic payday young}; do
    if [ "$book" = file ] && [ ! -r "$csv" ]; then
        echo "SKIP file: $csv is not here; it is no part of the repository"
        continue
    fi
    psql_ -d postgres -c "CREATE DATABASE $book"
    export PGDATABASE=$book
    if [ "$book" = file ]; then
        split=2013-04-01 until=2013-12-31
        psql_ -o /dev/null -f "$root/examples/ibm-accounts-receivable/01_load.sql" <"$csv"
        psql_ -o /dev/null -f "$root/examples/ibm-accounts-receivable/02_bind.sql"
        # the file's lines, by which it is split
        psql_ -c "CREATE TABLE line (number serial, country text, customer text, paperless text, invoice_id text PRIMARY KEY, issued text, due text, amount text, disputed text, settled text, bill text, to_settle text, late text)" \
            -c "\\copy line (country, customer, paperless, invoice_id, issued, due, amount, disputed, settled, bill, to_settle, late) FROM pstdin WITH (FORMAT csv, HEADER)" <"$csv"
    else
        split=2026-01-01 until=2026-07-01
        psql_ -o /dev/null -c 'CREATE EXTENSION dunning' -v book="$book" -f "$here/ledger_book.sql"
        psql_ -c "CREATE TABLE line AS SELECT i.debtor_id, i.invoice_id, row_number() OVER (ORDER BY i.issued_on, i.debtor_id, i.invoice_id) AS number FROM dunning.invoice i"
    fi
    [ -z "${SQL:-}" ] || psql_ -o /dev/null -c "$SQL"
    psql_ -v book="$book" -v split="$split" -v until="$until" -v kind="${KIND:-auto}" -v targets="${TARGETS:-late self_cure paid_30d}" -f "$here/ledger_figures.sql"
done
