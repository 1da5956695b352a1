#!/usr/bin/env bash
# The scorecard and the logistic against scikit-learn, in one run: AUC and log loss over five md5 splits (70/30 by row number) of the data
# sets in DUNNING_DATA, and seconds of training on ROWS rows (drawn from the largest set, for time alone), interleaved RUNS times.
# The baseline is a weight-of-evidence scorecard: supervised bins of 8 leaves and one for the missing, Laplace 0.5, logistic regression.
# DUNNING_DATA=dir ROWS=1000000 RUNS=3 SETS="heloc uci" CPU=3 (the processor both sides are held to)
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
data=${DUNNING_DATA:-}
rows=${ROWS:-1000000}
runs=${RUNS:-3}
sets=${SETS:-heloc uci}
python=${PYTHON:-/usr/bin/python3}
cpu=${CPU:-}
if [ -z "$data" ] || [ ! -f "$data/uci_credit_card.csv" ]; then
    echo "SKIP bench-score scorecard: no data sets; set DUNNING_DATA to a directory with uci_credit_card.csv and heloc.csv"
    exit 0
fi
if ! "$python" -c 'import sklearn, pandas' 2>/dev/null; then
    echo "SKIP bench-score scorecard: $python has no sklearn or no pandas (Debian: python3-sklearn, python3-pandas)"
    exit 0
fi
[ -n "$cpu" ] && taskset -cp "$cpu" $$ >/dev/null
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"$root/test/lib/stage.sh" >/dev/null
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "shared_preload_libraries = 'dunning'" "fsync = off" "shared_buffers = '512MB'" "max_parallel_workers_per_gather = 0" >/dev/null
sql() { psql_ -d postgres -qAt -v ON_ERROR_STOP=1 "$@"; }
work=$(mktemp -d)
chmod 755 "$work"
sql -c 'CREATE EXTENSION dunning' -c "ALTER SYSTEM SET dunning.train_memory = '2GB'" -c 'SELECT pg_reload_conf()' >/dev/null

# A table of columns c1 .. cN and y, the row's number i, and whether it trains in each split.
load() {
    "$python" "$(dirname "$0")/scorecard.py" table "$1" "$data" "$work/$1.csv" > "$work/$1.sql"
    chmod 644 "$work/$1.csv"
    sql -f "$work/$1.sql" >/dev/null
    sql -c "COPY raw_$1 FROM STDIN (FORMAT csv)" < "$work/$1.csv"
}

for set in $sets; do
    load "$set"
    for split in 0 1 2 3 4; do
        salt=$([ "$split" = 0 ] || echo "s$split")
        for kind in logistic scorecard auto; do
            sql -c "SET client_min_messages = error" \
                -c "SELECT 1 FROM dunning.fit('m', \$q\$SELECT * FROM raw_$set r WHERE ('x' || substr(md5('$salt' || i::bigint), 1, 8))::bit(32)::bigint % 100 < 70\$q\$, 'y', '$kind', '{\"exclude\": [\"i\"]}')" \
                -c "SELECT dunning.promote('m', max(version)) FROM dunning.model WHERE model = 'm'" >/dev/null
            sql -c "COPY (SELECT i::bigint, dunning.predict('m', r) FROM raw_$set r ORDER BY i) TO STDOUT (FORMAT csv)" > "$work/$set.$split.$kind.csv"
            sql -c "DELETE FROM dunning.model"
        done
    done
    "$python" "$(dirname "$0")/scorecard.py" compare "$set" "$work"
done

case " $sets " in *" uci "*) ;; *) rm -rf "$work"; exit 0 ;; esac
sql -c "CREATE TABLE many AS SELECT r.* FROM generate_series(1, $rows) g JOIN raw_uci r ON r.i = 1 + ('x' || substr(md5(g::text), 1, 8))::bit(32)::bigint % 30000" -c 'ANALYZE many'
columns=$(sql -c "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'many'::regclass AND attnum > 0 AND attname <> 'i'")
sql -c "COPY (SELECT $columns FROM many) TO STDOUT (FORMAT csv)" > "$work/many.csv"
cpu_of() { sql -c "SET client_min_messages = error" -c "SELECT seconds FROM dunning.fit('$1', 'SELECT $columns FROM many', 'y', '$1') f"; }
# The same without a server: binning or standardising, and training, of all rows with given options.
${CC:-gcc} -std=gnu11 -O2 -I"$(dirname "$0")/core" -I"$root/src" -o "$work/core" "$(dirname "$0")/scorecard_core.c" \
    "$root"/src/score/{irls,bins,scorecard}.c -lm
"$python" "$(dirname "$0")/scorecard.py" binary "$work/many.csv" "$work/many.bin"
core() { "$work/core" "$@" | awk 'END {print $1 + $2}'; }
for run in $(seq "$runs"); do
    echo "core-logistic $(core logistic "$work/many.bin" "$work/out" 1)" >> "$work/times"
    echo "core-scorecard $(core scorecard "$work/many.bin" "$work/out" 1 2 10)" >> "$work/times"
    echo "logistic $(cpu_of logistic)" >> "$work/times"
    echo "scorecard $(cpu_of scorecard)" >> "$work/times"
    echo "sklearn $("$python" "$(dirname "$0")/scorecard.py" time "$work/many.csv")" >> "$work/times"
done
"$python" "$(dirname "$0")/scorecard.py" times "$work/times" "$rows"
rm -rf "$work"
