# Sourced by deliver.sh: one function a row of figures.

several() { # several LABEL CHANNEL SLOTS...: the median ratio of some rounds
    local i ratios=()
    for i in $(seq "$rounds"); do
        compare "$@"
        ratios+=("$ratio")
    done
    ratio=$(printf '%s\n' "${ratios[@]}" | median)
}

part_one() {
    use 1 "${SLOTS:-256}"
    several "one worker, 0 ms" sms 16 64 256
    verdict "delivery at 0 ms, one worker" "$ratio" ">=" 0.35
}

part_two() {
    use 2 "${SLOTS:-256}"
    several "two workers, 0 ms" sms 16 64 256
    verdict "delivery at 0 ms, two workers" "$ratio" ">=" 0.60
}

# The slots in one worker, and in four.
part_wait() {
    local w
    start_catcher 20
    for w in ${WAIT_WORKERS:-1 4}; do
        use "$w" $((256 / w))
        several "$w worker(s), 20 ms, 256 slots" sms 256
        verdict "delivery at 20 ms, 256 slots in $w worker(s)" "$ratio" ">=" 0.9
    done
    start_catcher "${DELAY:-0}"
}

part_smtp() {
    use 1 "${SLOTS:-64}"
    several "SMTP, kept connections" email 4 16 64
    verdict "SMTP, kept connections" "$ratio" ">=" 0.8
}

# Single messages at a steady rate: what the client saw committed against what the gateway saw arrive.
part_latency() {
    # The first of a round pay for the jump of the clock, which is the benchmark's own: sessions plan, and rules are read of a new day.
    local i count=${COUNT:-300} per_s=${RATE:-100} first=50
    use 1 "${SLOTS:-64}"
    rm -f "$work/commits" "$work/latency.ms"
    q -c 'CREATE TABLE IF NOT EXISTS public.bench_commit (i int)'
    # The first calls of a session plan, and the worker's first batch too.
    for i in 0 $(seq "$rounds"); do
        next_week
        "$work/latency" "$conninfo" commits 200 >"$work/commits.now"
        "$work/latency" "$conninfo" send "$per_s" $((count + first)) >"$work/sent"
        wait_empty
        "$work/latency" "$conninfo" commits 200 >>"$work/commits.now"
        [ "$i" -gt 0 ] || continue
        cat "$work/commits.now" >>"$work/commits"
        awk -F'\t' -v first="$first" 'NR == FNR { at[$4] = $1; next } FNR > first { print $1 in at ? (at[$1] - $2) * 1000 : "lost " $1 }' "$work/ledger" "$work/sent" >>"$work/latency.ms"
    done
    [ -z "${STATEMENTS:-}" ] || statements latency
    ! grep lost "$work/latency.ms" >&2 || return 1
    sort -n "$work/latency.ms" -o "$work/latency.ms"
    local commit p50 p99
    commit=$(median <"$work/commits")
    p50=$(awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) * 0.5)] }' "$work/latency.ms")
    p99=$(awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) * 0.99)] }' "$work/latency.ms")
    printf '  commit to arrival of %d messages at %d/s; a commit on this disk takes %s ms (median of %d)\n' "$(wc -l <"$work/latency.ms")" "$per_s" "$commit" "$(wc -l <"$work/commits")"
    verdict "commit to arrival, p50" "$p50" "<=" "$(awk -v c="$commit" 'BEGIN { printf "%.2f", 1 + 2 * c }')" " ms"
    verdict "commit to arrival, p99" "$p99" "<=" "$(awk -v c="$commit" 'BEGIN { printf "%.2f", 5 + 4 * c }')" " ms"
}

hold_xmin() { # a session in a transaction with a snapshot, until release_xmin
    mkfifo "$work/held"
    "$bindir/psql" -X -q -d bench <"$work/held" >"$work/held.out" 2>&1 &
    held_pid=$!
    exec 9>"$work/held"
    echo "SET application_name = 'held'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM dunning.queue;" >&9
    wait_until "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'held' AND backend_xmin IS NOT NULL AND state = 'idle in transaction'"
}

release_xmin() {
    exec 9>&-
    wait "$held_pid"
    held_pid=
    rm "$work/held"
    q -c 'VACUUM ANALYZE dunning.queue, dunning.egress, dunning.outcome, dunning.body, dunning.message'
}

# A snapshot that is held keeps every dead row of the queue where it is.
part_xmin() {
    local total=${XMIN:-500000} done_=0 clean=() held=()
    use 1 "${SLOTS:-64}"
    for _ in 1 2; do compare "clean" sms 64; clean+=("$ratio"); done
    hold_xmin
    while [ $((done_ + 2 * n)) -lt "$total" ]; do
        send_all sms
        done_=$((done_ + n))
    done
    for _ in 1 2; do compare "held, after $done_" sms 64; held+=("$ratio"); done_=$((done_ + n)); done
    release_xmin
    for _ in 1 2; do compare "clean again" sms 64; clean+=("$ratio"); done
    verdict "rate with a held xmin after $done_" "$(divide "$(printf '%s\n' "${held[@]}" | median)" "$(printf '%s\n' "${clean[@]}" | median)")" ">=" 0.9
}

part_memory() {
    local total=${MEMORY:-100000} before after done_=0
    use 1 "${SLOTS:-64}"
    send_all sms
    send_all sms
    before=$(worker_memory)
    while [ "$done_" -lt "$total" ]; do
        send_all sms
        done_=$((done_ + n))
    done
    after=$(worker_memory)
    printf '  the worker held %d kB before %d messages and %d kB after\n' "$before" "$done_" "$after"
    verdict "worker memory a 100,000 messages" "$(awk -v k=$((after - before)) -v d="$done_" 'BEGIN { printf "%.2f", k / 1024 * 100000 / d }')" "<=" 1 " MiB"
}

tps() { # tps SECONDS: of the billing load, on its own cores
    taskset -c "$billing_cores" "$bindir/pgbench" -d bench -n -M prepared -c 2 -j 1 -T "$1" 2>/dev/null | awk '/^tps/ { print $3 }'
}

# Pairs with and without the sending, in turn AB and BA.
part_billing() {
    local i state pid lines sent seconds=${SECONDS_EACH:-10} pairs=${PAIRS:-5} with without messages=${RATE:-200}
    [ "$(nproc)" -ge 4 ] || { echo "  skipped: four cores are needed"; return 0; }
    billing_cores=0,1
    use 1 "${SLOTS:-64}"
    q -c "ALTER SERVER bench_sms OPTIONS (ADD rate '$messages/s')"
    PGDATABASE=bench "$bindir/pgbench" -i -q -s 10 bench >/dev/null 2>&1
    # Backends of the load inherit the postmaster's cores; the worker, whose children are none, gets one of its own.
    pid=$(head -n 1 "$work/data/postmaster.pid")
    taskset -a -cp "$billing_cores" "$pid" >/dev/null
    for pid in $(workers); do taskset -a -cp 2 "$pid" >/dev/null; done
    taskset -a -cp 3 "$catcher_pid" >/dev/null
    next_week
    q -c "SELECT dunning.pause('bench_sms')" >/dev/null
    enqueue sms >/dev/null
    [ "$n" -ge $((messages * seconds * pairs)) ] || { echo "N is too small: $((messages * seconds * pairs)) messages are sent" >&2; return 1; }
    tps 5 >/dev/null
    rm -f "$work/pairs"
    for i in $(seq "$pairs"); do
        with= without=
        for state in $([ $((i % 2)) = 1 ] && echo with without || echo without with); do
            [ "$state" = without ] || q -c "SELECT dunning.resume('bench_sms')" >/dev/null
            lines=$(wc -l <"$work/ledger")
            printf -v "$state" '%s' "$(tps "$seconds")"
            sent=$(($(wc -l <"$work/ledger") - lines))
            [ "$state" = without ] || q -c "SELECT dunning.pause('bench_sms')" >/dev/null
            [ "$state" = without ] || [ "$sent" -ge $((messages * (seconds - 1) * 9 / 10)) ] || { echo "only $sent messages left beside the load" >&2; return 1; }
            printf '  pair %d, %-7s %s tps, %d messages\n' "$i" "$state" "${!state}" "$sent"
        done
        awk -v a="$with" -v b="$without" 'BEGIN { printf "%.3f\n", 100 * (1 - a / b) }' >>"$work/pairs"
    done
    q -c "ALTER SERVER bench_sms OPTIONS (DROP rate)" -c "DELETE FROM dunning.queue" -c "SELECT dunning.resume('bench_sms')" >/dev/null
    # Student's t of four degrees of freedom is for five pairs; of fewer it is wider.
    awk '{ s += $1; ss += $1 * $1 } END { m = s / NR; sd = NR > 1 ? sqrt((ss - NR * m * m) / (NR - 1)) : 0; split("12.71 4.30 3.18 2.78 2.57 2.45", t, " ");
        h = (NR - 1 in t ? t[NR - 1] : 2.2) * sd / sqrt(NR); printf "  loss of TPS: %.2f %%, 95 %% interval %.2f to %.2f %%, %d pairs\n", m, m - h, m + h, NR
        if (m <= 5 && m + h > 5) print "  undecided: the interval reaches beyond the target (more PAIRS or SECONDS_EACH, a quieter machine)" }' "$work/pairs"
    verdict "billing load beside $messages messages/s" "$(awk '{ s += $1 } END { printf "%.2f", s / NR }' "$work/pairs")" "<=" 5 " % loss"
}
