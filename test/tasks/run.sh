#!/usr/bin/env bash
# What users do in a day, each in at most three statements (docs/tasks.md has the same ones), on one throw-away cluster with a
# small bound book. A file has three parts: what is given, "-- task", "-- check"; the check fails with an error.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
work=$1
here=$root/test/tasks
export TASKS=$here PSQL=$bindir/psql PATH=$bindir:$PATH

cluster=$(scratch_dir)
finish() {
    stop_cluster "$cluster"
    rm -rf "$cluster"
}
trap finish EXIT

preload=dunning
cron=
if [ -e "$("$bindir/pg_config" --pkglibdir)/pg_cron.so" ]; then
    preload="dunning, pg_cron"
    cron=1
fi
as_pg mkdir -p "$cluster/spool/mail" "$cluster/spool/text" "$cluster/spool/print"
start_cluster "$cluster" "shared_preload_libraries = '$preload'" "dunning.databases = ''" "dunning.spool_directory = '$cluster/spool'" "fsync = off" \
    ${cron:+"cron.database_name = 'billing'"} ${cron:+"cron.host = '$cluster'"}
"$bindir/createdb" billing
if ! psql_ -d billing -f "$here/book.sql" >"$work/book.log" 2>&1; then
    echo "not ok tasks book"
    grep -E 'ERROR|DETAIL|HINT' "$work/book.log" | head
    exit 0
fi

for file in "$here"/[0-9]*.sql; do
    name=$(basename "$file" .sql)
    statements=$(sed -n '/^-- task/,/^-- check/p' "$file" | sed 's/--.*//' | grep -c ';[[:space:]]*$\|\\gset$\|\\gexec$' || true)
    # The page for users has the same statements, letter by letter.
    if ! perl -0777 -e 'local @ARGV = @ARGV; my ($f, $d) = map { open my $h, "<", $_ or die $!; <$h> } @ARGV; my ($t) = $f =~ /^-- task\n(.*?)^-- check\n/ms; exit(index($d, $t) < 0)' \
        "$file" "$root/docs/tasks.md"; then
        echo "not ok tasks $name: docs/tasks.md has other statements"
    elif [ "$statements" -lt 1 ] || [ "$statements" -gt 3 ]; then
        echo "not ok tasks $name: $statements statements"
    elif [ "$name" = 10_schedule_with_pg_cron ] && [ -z "$cron" ]; then
        echo "skip tasks $name: pg_cron is not installed (apt-get install postgresql-$major-cron)"
    elif psql_ -d billing -v cluster="$cluster" -f "$file" >"$work/$name.log" 2>&1; then
        echo "ok tasks $name"
    else
        echo "not ok tasks $name"
        grep -E 'ERROR|DETAIL|HINT' "$work/$name.log" | head -n 5
    fi
done
