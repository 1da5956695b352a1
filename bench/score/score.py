"""What bench/score/score.sh measures: one open psql session, baselines from scikit-learn and XGBoost in this process, in turns.

score.py auc SET KINDS      AUC, log loss and ECE with its floor over five splits, against tuned XGBoost and the scorecard of scorecard.py
score.py score TABLE        rows a second of scoring against the plain SQL expression, a CASE expression and XGBoost's predict
score.py endtoend TABLE     train, score and store, against export, Python and import
Environment: PSQL (the command), RUNS, DUNNING_DATA, CAP (rows that trees train on where there are more), WORK (a directory for files).
"""
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from scorecard import SALTS, load, trains, weights_of_evidence

try:
    import xgboost as xgb
except ImportError:
    xgb = None

RUNS = int(os.environ.get("RUNS", "5"))
CAP = int(os.environ.get("CAP", "250000"))
WORK = os.environ.get("WORK", "/tmp")
# Depth, least child weight and trees that cross-validation chose for XGBoost on the first split's training rows.
TUNED = {"heloc": (2, 20, 283), "uci": (6, 20, 116)}


class Session:
    """One backend for the whole run: neither side pays for connecting."""

    def __init__(self):
        self.psql = subprocess.Popen(os.environ["PSQL"].split() + ["-qAt", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.ask("SET client_min_messages = error;")

    def ask(self, sql):
        """The lines that came back."""
        self.psql.stdin.write(sql + "\n\\echo :::done\n")
        self.psql.stdin.flush()
        lines = []
        while True:
            line = self.psql.stdout.readline()
            if line == "":
                raise SystemExit("psql ended at: " + sql[:200])
            if line == ":::done\n":
                return lines
            lines.append(line.rstrip("\n"))

    def time(self, sql):
        start = time.perf_counter()
        self.ask(sql)
        return time.perf_counter() - start

    def columns(self, table):
        return self.ask("SELECT attname FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND attname ~ '^c[0-9]+$' "
                        "ORDER BY attnum;" % table)


def booster(x, y, depth, weight, trees, eta=0.05, sample=0.8):
    m = xgb.DMatrix(x, y, nthread=1)
    return xgb.train(dict(objective="binary:logistic", tree_method="hist", max_depth=depth, min_child_weight=weight, eta=eta, subsample=sample,
                          colsample_bytree=sample, nthread=1, seed=1, verbosity=0), m, trees)


def calibration_error(p, y):
    order = np.argsort(p, kind="stable")
    return sum(abs(p[b].sum() - y[b].sum()) for b in np.array_split(order, 10)) / len(p)


def floor_of(p, draws=200):
    """What the error would be on average if the probabilities were true."""
    rng = np.random.default_rng(1)
    order = np.argsort(p, kind="stable")
    bins = np.array_split(order, 10)
    y = rng.random((draws, len(p))) < p
    return np.mean([sum(abs(p[b].sum() - row[b].sum()) for b in bins) / len(p) for row in y])


def auc():
    s = Session()
    name, kinds = sys.argv[2], sys.argv[3].split()
    x, y = load(name, os.environ["DUNNING_DATA"])
    rows = {}
    for i, salt in enumerate(SALTS):
        train = trains(len(y), salt)
        line = []
        bases = {}
        z = weights_of_evidence(x, y, train)
        bases["sklearn WoE"] = LogisticRegression(C=1, max_iter=1000).fit(z[train], y[train]).predict_proba(z)[:, 1]
        if xgb:
            b = booster(x[train].astype(np.float32), y[train], *TUNED[name])
            bases["XGBoost tuned"] = b.predict(xgb.DMatrix(x.astype(np.float32)))
        for kind in kinds:
            start = time.perf_counter()
            s.ask("SELECT 1 FROM dunning.fit('m', $q$SELECT * FROM raw_%s r WHERE ('x' || substr(md5('%s' || i::bigint), 1, 8))::bit(32)::bigint %% 100 < 70$q$, "
                  "'y', '%s', '{\"exclude\": [\"i\"]}');" % (name, salt, kind))
            took = time.perf_counter() - start
            s.ask("COPY (SELECT dunning.predict('m', r) FROM raw_%s r ORDER BY i) TO '%s/p'; DELETE FROM dunning.model;" % (name, WORK))
            bases[kind] = np.loadtxt(WORK + "/p")
            line.append("%s fit in %.1f s" % (kind, took))
        test = ~train
        for k, p in bases.items():
            p = p[test].astype(float)
            rows.setdefault(k, []).append((roc_auc_score(y[test], p), log_loss(y[test], p), calibration_error(p, y[test]), floor_of(p)))
        print("%s split %d: %s; %s" % (name, i, "; ".join("%s AUC %.4f loss %.4f" % ((k,) + r[-1][:2]) for k, r in rows.items()), ", ".join(line)), flush=True)
    mean = {k: np.mean(r, axis=0) for k, r in rows.items()}
    for k, m in mean.items():
        against = ""
        for base, what in (("XGBoost tuned", "gbdt"), ("sklearn WoE", "scorecard")):
            if base in mean and k != base and k not in ("XGBoost tuned", "sklearn WoE"):
                goal = " (target AUC >= -0.002%s)" % (", loss <= +0.001" if what == "gbdt" else "") if k == what else ""
                against += "; against %s AUC %+.4f loss %+.4f%s" % (base, m[0] - mean[base][0], m[1] - mean[base][1], goal)
        goal = " (target: at most floor + 0.010)" if against else ""
        print("%s mean of five: %-13s AUC %.4f log loss %.4f ECE %.4f floor %.4f = +%.4f%s%s" % (name, k, m[0], m[1], m[2], m[3], m[2] - m[3], goal, against), flush=True)


def median(times):
    return float(np.median(times))


def turns(s, statements, runs=RUNS):
    """Medians of the seconds of each, asked one after the other, and of the ratios to the first within a round."""
    times = {k: [] for k in statements}
    for run in range(runs + 1):
        for k, sql in statements.items():
            t = s.time(sql)
            if run > 0:
                times[k].append(t)
    first = next(iter(statements))
    return {k: (median(v), median([b / a for a, b in zip(v, times[first])])) for k, v in times.items()}


def score():
    s = Session()
    table = sys.argv[2]
    rows = int(s.ask("SELECT count(*) FROM %s;" % table)[0])
    columns = s.columns(table)
    args = ", ".join(columns)
    query = "SELECT * FROM " + table
    options = '"exclude": ["i"], "folds": 1, "calibration": "none"'
    for kind, own in (("logistic", '"lambda": 1'), ("scorecard", '"pairs": 0'), ("gbdt", '"trees": 100, "depth": 6, "min_child_weight": 1')):
        s.ask("SELECT 1 FROM dunning.fit('s_%s', 'SELECT * FROM raw_uci', 'y', '%s', '{%s, %s}');" % (kind, kind, options, own))
        s.ask("SELECT 1 FROM dunning.create_predictor('s_%s', 'public.p_%s');" % (kind, kind))
    plain = s.ask("SELECT '1 / (1 + exp(-(float8 ' || quote_literal(m.body ->> 'intercept') || string_agg(format(' + float8 %L * %I', f ->> 'slope', f ->> 'name'), '') || ')))' "
                  "FROM dunning.model m, jsonb_array_elements(m.body -> 'features') f WHERE m.model = 's_logistic' GROUP BY m.body ->> 'intercept';")[0]
    case = "\n".join(s.ask("SELECT dunning.model_sql('s_scorecard');"))

    def bulk(kind):
        return "SELECT mean FROM dunning.score_rows('s_%s', '%s', 'id', NULL);" % (kind, query)

    for kind, text, expression in (("logistic", "the plain SQL expression", plain), ("scorecard", "the float8 CASE expression", case)):
        t = turns(s, {text: "SELECT avg(%s) FROM %s;" % (expression, table), "bulk": bulk(kind),
                      "function": "SELECT avg(p_%s(%s)) FROM %s;" % (kind, args, table)})
        print("score %s of %d rows, nothing stored: %s %.0f rows/s; bulk %.0f rows/s = %.2f times (target >= 3); function of plain values %.0f rows/s = %.2f times"
              % (kind, rows, text, rows / t[text][0], rows / t["bulk"][0], t["bulk"][1], rows / t["function"][0], t["function"][1]), flush=True)
        t = turns(s, {text: "CREATE TABLE stored_by_sql AS SELECT id, (%s) AS p FROM %s; ALTER TABLE stored_by_sql ADD PRIMARY KEY (id); DROP TABLE stored_by_sql;" % (expression, table),
                      "bulk": "SELECT 1 FROM dunning.score_rows('s_%s', '%s', 'id', 'public.stored');" % (kind, query)}, max(RUNS // 2, 2))
        print("score %s and store with a primary key: CREATE TABLE AS with %s %.2f s; bulk, swapped in, %.2f s = %.2f times"
              % (kind, text, t[text][0], t["bulk"][0], t["bulk"][1]), flush=True)
    s.ask("DROP TABLE stored;")
    if not xgb:
        print("SKIP score gbdt: no xgboost (Debian: python3-xgboost)")
        return
    d = pd.read_csv("%s/uci.csv" % WORK, header=None).to_numpy()
    b = booster(d[:, 1:-1].astype(np.float32), d[:, -1], 6, 1, 100)
    many = np.vstack([d[:, 1:-1].astype(np.float32)] * 10)
    b.set_param({"nthread": 1})
    own, theirs = [], []
    for run in range(RUNS + 1):
        o = s.time(bulk("gbdt")) / rows
        m = xgb.DMatrix(many, nthread=1)
        start = time.perf_counter()
        b.predict(m)
        t = (time.perf_counter() - start) / len(many)
        if run > 0:
            own.append(o)
            theirs.append(t)
    print("score gbdt, 100 trees of depth 6, one thread: bulk with reading the table %.0f rows/s; XGBoost predict of a matrix in memory %.0f rows/s; %.2f times (target >= 0.9)"
          % (1 / median(own), 1 / median(theirs), median([b / a for a, b in zip(own, theirs)])), flush=True)
    workers = turns(s, {"alone": bulk("gbdt"), "workers": "SET max_parallel_workers_per_gather = 4; %s SET max_parallel_workers_per_gather = 0;" % bulk("gbdt")}, max(RUNS // 2, 2))
    print("score gbdt with up to four parallel workers: %.2f s instead of %.2f s = %.2f times" % (workers["workers"][0], workers["alone"][0], workers["workers"][1]), flush=True)


def outside(s, table, kind, n):
    """Export, read, train on 70 %, score all, write, import into a table with a key: seconds of each."""
    t = [time.perf_counter()]
    s.ask("COPY %s TO '%s/export.csv' (FORMAT csv);" % (table, WORK))
    t.append(time.perf_counter())
    d = pd.read_csv(WORK + "/export.csv", header=None).to_numpy()
    ids, x, y = d[:, 0].astype(np.int64), d[:, 1:-1], d[:, -1]
    train = np.arange(n) % 10 < 7
    t.append(time.perf_counter())
    if kind == "logistic":
        mean, sd = x[train].mean(0), x[train].std(0)
        z = (x - mean) / sd
        model = LogisticRegression(C=1, max_iter=1000).fit(z[train], y[train])
        t.append(time.perf_counter())
        p = model.predict_proba(z)[:, 1]
    else:
        x = x.astype(np.float32)
        b = booster(x[train], y[train], *TUNED["uci"])
        t.append(time.perf_counter())
        p = b.predict(xgb.DMatrix(x, nthread=1))
    t.append(time.perf_counter())
    pd.DataFrame({"id": ids, "p": p}).to_csv(WORK + "/import.csv", header=False, index=False)
    s.ask("CREATE TABLE imported (id bigint PRIMARY KEY, p float8); COPY imported FROM '%s/import.csv' (FORMAT csv); DROP TABLE imported;" % WORK)
    t.append(time.perf_counter())
    return np.diff(t)


def endtoend():
    s = Session()
    table = sys.argv[2]
    n = int(s.ask("SELECT count(*) FROM %s;" % table)[0])
    query = "SELECT * FROM " + table
    depth, weight, trees = TUNED["uci"]
    s.ask("CREATE TABLE warm (id bigint PRIMARY KEY, p float8); DROP TABLE warm;")
    runs = RUNS if n < 200000 else max(RUNS // 2, 2)
    for kind, once, goal in (("logistic", '"lambda": 1', 6 if n < 200000 else 5),
                             ("gbdt", '"trees": %d, "depth": %d, "min_child_weight": %d' % (trees, depth, weight), 1 if n < 200000 else 2.5)):
        if kind == "gbdt" and not xgb:
            print("SKIP endtoend gbdt: no xgboost (Debian: python3-xgboost)")
            continue
        cap = ', "rows": %d' % CAP if kind == "gbdt" and n > CAP else ""
        ways = {"once, a fifth held out": '"folds": 1, %s%s' % (once, cap), "once, five folds to measure on": once + cap}
        if n < 200000 and kind == "logistic":
            ways["all chosen and measured on five folds"] = '"folds": 5' + cap
        times = {w: [] for w in ways}
        fits = {w: [] for w in ways}
        theirs = []
        for run in range(runs + 1):
            base = outside(s, table, kind, n)
            for way, options in ways.items():
                start = time.perf_counter()
                s.ask("SELECT 1 FROM dunning.fit('e', '%s', 'y', '%s', '{\"exclude\": [\"id\"], %s}');" % (query, kind, options))
                fitted = time.perf_counter()
                s.ask("SELECT 1 FROM dunning.score_rows('e', '%s', 'id', 'public.e_scores');" % query)
                if run > 0:
                    times[way].append(time.perf_counter() - start)
                    fits[way].append(fitted - start)
                s.ask("DELETE FROM dunning.model WHERE model = 'e';")
            if run > 0:
                theirs.append(base)
        parts = np.median(theirs, axis=0)
        print("endtoend %s %d rows: Python %.3f s (export %.3f, read %.3f, train on 70 %% %.3f, score %.3f, write and import %.3f)"
              % ((kind, n, median([b.sum() for b in theirs])) + tuple(parts)), flush=True)
        for i, way in enumerate(ways):
            ratio = median([b.sum() / a for a, b in zip(times[way], theirs)])
            print("endtoend %s %d rows: trained %s%s: %.3f s (fit %.3f, score and store %.3f) = %.2f times%s"
                  % (kind, n, way, " on %d rows at most" % CAP if cap else "", median(times[way]), median(fits[way]), median(times[way]) - median(fits[way]), ratio,
                     " (target >= %g)" % goal if i == 0 else ""), flush=True)
    s.ask("DROP TABLE e_scores;")


if __name__ == "__main__":
    {"auc": auc, "score": score, "endtoend": endtoend}[sys.argv[1]]()
