#!/usr/bin/env bash
# make demo: a throw-away cluster, a generated billing book, and the main job end to end, with real figures.
# DEBTORS, DAYS, EVERY, SEED, HABITS (a file of habits/: households, traders) and KEEP=1 (leave the cluster running until Enter) change it.
# The report lands in tmp/demo/report.html.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"

debtors=${DEBTORS:-10000}
days=${DAYS:-28}
every=${EVERY:-4}         # the daily run on every so manyth day; messages leave on each
seed=${SEED:-1}
habits=${HABITS:-households}
demo=$root/examples/demo
first_day=2026-06-22
out=$state/demo
work=$(scratch_dir)
catcher_pid=
step=0
what="start"
mend="make demo"

finish() {
    local rc=$?
    trap - EXIT
    if [ $rc -ne 0 ]; then
        echo
        echo "The demo stopped at: $what" >&2
        [ ! -s "$work/step.log" ] || tail -n 8 "$work/step.log" >&2
        echo "This mends it: $mend" >&2
    fi
    stop_cluster "$work"
    [ -z "$catcher_pid" ] || kill "$catcher_pid" 2>/dev/null || true
    [ -z "$catcher_pid" ] || wait "$catcher_pid" 2>/dev/null || true
    rm -rf "$work"
    exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM

now_ms() { date +%s%3N; }
begin() { # begin WHAT MEND: the next numbered line
    step=$((step + 1)); what=$1; mend=${2:-make demo}; started=$(now_ms)
}
end() { # end RESULT
    printf '[%d/8] %-14s %s  (%s s)\n' "$step" "$what" "$1" "$(awk "BEGIN{printf \"%.1f\", ($(now_ms) - $started) / 1000}")"
}
q() { psql_ -d demo -At -c "$1" 2>>"$work/step.log"; }
run() { psql_ -d demo "$@" >>"$work/step.log" 2>&1; }
set_clock() { # the worker follows at the reload; so does the postmaster, a moment later, and with it each new session
    q "ALTER SYSTEM SET dunning.clock = '$1'" && q 'SELECT pg_reload_conf()' >/dev/null
    local now
    while now=$(q 'SHOW dunning.clock') && [ "$now" != "$1" ]; do :; done
}

if [ ! -r "$demo/habits/$habits.sql" ]; then
    what="habits"; mend="HABITS=$(basename -s .sql "$demo"/habits/*.sql | paste -sd' ' | sed 's/ / make demo, or HABITS=/g') make demo"
    exit 1
fi
total=$(now_ms)
begin "build" "apt-get install postgresql-$major postgresql-server-dev-$major libcurl4-openssl-dev gcc make"
"$root/test/lib/stage.sh" >"$work/step.log" 2>&1
mkdir -p "$out"
make -s -C "$root/test/gateways" CATCHER="$out/catcher" CFLAGS="-O2" >>"$work/step.log" 2>&1
end "$("$bindir/postgres" --version), $(curl-config --version)"

begin "cluster" "rm -rf $out && make demo"
rm -f "$out/catcher.ledger"
own_dir "$work/secrets"
chmod 700 "$work/secrets"
# The catcher answers like a mail relay and an SMS gateway, and keeps its own ledger of what it was given.
mkfifo "$work/ports"
"$out/catcher" --ledger "$out/catcher.ledger" --honour-keys >"$work/ports" 2>"$work/catcher.log" &
catcher_pid=$!
{ read -r _ http_port; read -r _ smtp_port; } <"$work/ports"
# jit = off, as for any work of many short queries: compiling one would take longer than running it.
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'demo'" "timezone = 'UTC'" \
    "dunning.secret_directory = '$work/secrets'" "dunning.allowed_hosts = '127.0.0.1:$http_port, 127.0.0.1:$smtp_port'" \
    "shared_buffers = '512MB'" "work_mem = '32MB'" "dunning.clock = '$first_day 09:30+02'" "max_worker_processes = 16" "jit = off"
psql_ -d postgres -c 'CREATE DATABASE demo' >>"$work/step.log" 2>&1
run -c 'CREATE EXTENSION dunning'
end "unix socket $work, port $PGPORT, library preloaded"

begin "billing book"
run -v debtors="$debtors" -v seed="$seed" -v t0="$first_day" -v habits="$demo/habits/$habits.sql" -f "$demo/generate.sql"
run -v http="http://127.0.0.1:$http_port/sms" -v smtp="smtp://127.0.0.1:$smtp_port" -f "$demo/bind.sql" -f "$demo/servers.sql" -f "$demo/configure.sql" -f "$demo/baseline.sql" -c "CALL demo.advance()"
end "$(q "SELECT format('$habits, seed $seed: %s debtors of 2 creditors, %s invoices; %s %% on time, %s %% of the late before any reminder, %s %% never',
    (SELECT count(*) FROM billing.kunde), (SELECT count(*) FROM billing.faktura), on_time, before, never) FROM demo.shares")"

begin "train, score"
trainings=
for target in late paid_30d self_cure; do
    psql_ -d demo -c "SELECT * FROM dunning.train('$target')" >>"$work/train.$target.log" 2>&1 &
    trainings="$trainings $!"
done
for training in $trainings; do wait "$training" || { cat "$work"/train.*.log >>"$work/step.log"; exit 1; }; done
run -c 'SELECT * FROM dunning.score()'
end "$(q "SELECT string_agg(format('%s AUC %s', model, round(auc::numeric, 3)), ', ' ORDER BY model) FROM demo.models"); $(q "SELECT string_agg(format('%s %s', segment, n), ' | ' ORDER BY n DESC) FROM (SELECT segment, count(*) AS n FROM dunning.debtor_score GROUP BY 1) s")"

# Wait until the worker has nothing due left. One session looks ten times a second, and wakes the worker, which knows no
# time at which a clock that stands still would make something due.
deliver_due() {
    local left deadline=$(($(now_ms) + 60000))
    while read -r left; do
        case $left in
            0) return 0 ;;
            [1-9]*) [ "$(now_ms)" -lt "$deadline" ] || { echo "$left messages are still due" >>"$work/step.log"; return 1; } ;;
        esac
    done < <(psql_ -d demo -At 2>>"$work/step.log" <<<"SELECT count(*) FROM dunning._wake(), dunning.queue WHERE state IN ('queued', 'sending') AND due <= dunning._now() \\watch 0.1")
    return 1
}

begin "plan"
run -c 'SELECT count(*) FROM dunning.plan()'
end "$(q "SELECT * FROM demo.plan_line")"

begin "deliver" "psql -h $work -p $PGPORT demo -c 'SELECT * FROM dunning.health()'"
run -c 'SELECT dunning.activate()'
run -c "SET dunning.clock = '$first_day 14:00+02'" -c "CALL demo.advance()"
set_clock "$first_day 14:00+02"
deliver_due
end "$(q "SELECT * FROM demo.deliver_line")"

begin "$days days on"
for day in $(seq 1 "$days"); do
    date=$(date -d "$first_day + $day days" +%F)
    hours=14:00
    [ $((day % every)) -ne 0 ] || hours="09:30 14:00"
    for hour in $hours; do
        # What was paid by then is booked before the clock gets there, as a bank file would be.
        run -c "SET dunning.clock = '$date $hour+02'" -c "CALL demo.advance()"
        set_clock "$date $hour+02"
        [ "$hour" != 09:30 ] || run -c "CALL dunning.daily()"
        deliver_due
    done
done
end "$(q "SELECT * FROM demo.days_line")"

begin "report"
mkdir -p "$out"
q "SELECT dunning.report_html()" >"$out/report.html"
end "$out/report.html, $(wc -c <"$out/report.html") bytes"

echo
psql_ -d demo -v first_day="$first_day" -P border=1 -P footer=off -f "$demo/compare.sql"
printf 'The catcher accepted %s messages; the egress ledger says %s left; its chains verify: %s\n' \
    "$(grep -c accept "$out/catcher.ledger")" "$(q "SELECT count(*) FROM demo.contact WHERE channel IN ('email', 'sms')")" \
    "$(q "SELECT bool_and(ok) FROM dunning.verify_egress()")"
printf 'All in %s s.\n' "$(awk "BEGIN{printf \"%.0f\", ($(now_ms) - $total) / 1000}")"
if [ -n "${KEEP:-}" ]; then
    echo
    echo "Connect:  psql -h $work -p $PGPORT -U postgres demo"
    echo "Try:      SELECT * FROM dunning.worklist LIMIT 5;   SELECT * FROM dunning.explain('100042');   SELECT * FROM dunning.health();"
    echo "Press Enter to stop the cluster."
    read -r _ || true
else
    echo
    echo "Look around: KEEP=1 make demo leaves the cluster up and prints how to connect; then try"
    echo "    SELECT * FROM dunning.worklist LIMIT 5;   SELECT * FROM dunning.explain('100042');   SELECT * FROM dunning.health();"
fi
