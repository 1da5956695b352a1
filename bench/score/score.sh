#!/usr/bin/env bash
# Models side by side with scikit-learn and XGBoost in one run: accuracy, training, scoring, and the whole way from rows to stored scores.
# PARTS="auc train score endtoend"   what to measure
# DUNNING_DATA=dir                   the data sets: heloc.csv and uci_credit_card.csv
# SETS="heloc uci" KINDS="logistic scorecard gbdt"   of auc, over five md5 splits, 70/30 by row number (kind auto takes longest)
# ROWS=1000000 RUNS=5                rows drawn from the larger set, for time alone; rounds, of which medians are taken (ratios within a round)
# TABLES="few many"                  of endtoend: 30,000 rows, and ROWS
# CAP=250000                         rows that trees are trained on where there are more, in endtoend
# CPU=3                              the processor that this script is held to; each side is one thread in any case
# What cannot be measured is said with the reason: SKIP ...
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
here=$(cd "$(dirname "$0")" && pwd)
data=${DUNNING_DATA:-}
rows=${ROWS:-1000000}
export RUNS=${RUNS:-5}
parts=${PARTS:-auc train score endtoend}
python=${PYTHON:-/usr/bin/python3}
if [ -z "$data" ] || [ ! -f "$data/uci_credit_card.csv" ] || [ ! -f "$data/heloc.csv" ]; then
    echo "SKIP bench-score: no data sets; set DUNNING_DATA to a directory with uci_credit_card.csv and heloc.csv"
    exit 0
fi
if ! "$python" -c 'import sklearn, pandas' 2>/dev/null; then
    echo "SKIP bench-score: $python has no sklearn or no pandas (Debian: python3-sklearn, python3-pandas)"
    exit 0
fi
"$python" -c 'import xgboost' 2>/dev/null || echo "SKIP baselines of XGBoost: $python has no xgboost (Debian: python3-xgboost)"
[ -z "${CPU:-}" ] || taskset -cp "$CPU" $$ >/dev/null
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 DUNNING_DATA=$data
"$root/test/lib/stage.sh" >/dev/null
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "shared_preload_libraries = 'dunning'" "dunning.databases = ''" "shared_buffers = '1GB'" "max_wal_size = '4GB'" \
    "max_parallel_workers_per_gather = 0" "jit = off" "dunning.train_memory = '2GB'" "autovacuum = off" >/dev/null
export PSQL="$bindir/psql -X -d postgres" WORK=$dir/work
mkdir "$WORK"
chmod 777 "$WORK"
sql() { psql_ -d postgres -qAt -v ON_ERROR_STOP=1 "$@"; }
sql -c 'CREATE EXTENSION dunning'
wants() { case " $parts " in *" $1 "*) return 0 ;; esac; return 1; }

# A table of columns c1 .. cN, y and the row's number i.
load() {
    "$python" "$here/scorecard.py" table "$1" "$data" "$WORK/$1.csv" >"$WORK/$1.sql"
    chmod 644 "$WORK/$1.csv"
    sql -f "$WORK/$1.sql"
    sql -c "COPY raw_$1 FROM STDIN (FORMAT csv)" <"$WORK/$1.csv"
}
load heloc
load uci
columns=$(sql -c "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'raw_uci'::regclass AND attnum > 0 AND attname <> 'i'")
if wants train || wants score || wants endtoend; then
    sql -c "CREATE TABLE few AS SELECT i::bigint AS id, $columns FROM raw_uci" -c 'VACUUM ANALYZE few' \
        -c "CREATE TABLE many AS SELECT g::bigint AS id, $columns FROM generate_series(1, $rows) g JOIN raw_uci r ON r.i = 1 + ('x' || substr(md5(g::text), 1, 8))::bit(32)::bigint % 30000" \
        -c 'VACUUM ANALYZE many'
fi

if wants auc; then
    for set in ${SETS:-heloc uci}; do
        "$python" "$here/score.py" auc "$set" "${KINDS:-logistic scorecard gbdt}"
    done
fi

if wants train; then
    # Without a server: binning or standardising, and training, of all rows with given options; beside it all that fit() does.
    sql -c "COPY (SELECT $columns FROM many) TO STDOUT (FORMAT csv)" >"$WORK/many.csv"
    ${CC:-gcc} -std=gnu11 -O2 -I"$here/core" -I"$root/src" -o "$WORK/core" "$here/scorecard_core.c" "$root"/src/score/{irls,bins,scorecard}.c -lm
    "$python" "$here/scorecard.py" binary "$WORK/many.csv" "$WORK/many.bin"
    core() { "$WORK/core" "$@" | awk 'END {print $1 + $2}'; }
    fit() { sql -c "SET client_min_messages = error" -c "SELECT seconds FROM dunning.fit('$1', 'SELECT $columns FROM many', 'y', '$1') f"; }
    for _ in $(seq $(((RUNS + 1) / 2))); do
        echo "core-logistic $(core logistic "$WORK/many.bin" "$WORK/out" 1)"
        echo "core-scorecard $(core scorecard "$WORK/many.bin" "$WORK/out" 1 2 10)"
        echo "logistic $(fit logistic)"
        echo "scorecard $(fit scorecard)"
        echo "sklearn $("$python" "$here/scorecard.py" time "$WORK/many.csv")"
    done >"$WORK/times"
    "$python" "$here/scorecard.py" times "$WORK/times" "$rows"
    if "$python" -c 'import xgboost' 2>/dev/null; then
        ${CC:-gcc} -std=gnu11 -O2 -fPIC -shared -I"$root/src" -o "$WORK/gbdt.so" "$here/gbdt_bench.c" "$root"/src/score/gbdt_{bin,boost,grow,walk}.c -lm
        echo "training of trees alone, one thread each; target: at most 1.25 times XGBoost's, 1.5 times from a million rows on"
        "$python" "$here/gbdt.py" "$WORK/gbdt.so" time
        "$python" "$here/gbdt.py" "$WORK/gbdt.so" big "$rows"
    fi
fi

if wants score; then
    "$python" "$here/score.py" score many
fi

if wants endtoend; then
    for table in ${TABLES:-few many}; do
        "$python" "$here/score.py" endtoend "$table"
    done
fi
