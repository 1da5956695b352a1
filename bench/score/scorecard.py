"""The weight-of-evidence baseline of bench/score/score.sh, and the training alone of both sides.

table SET DATA CSV     the set as numbers to CSV, and its CREATE TABLE to standard output
binary CSV FILE        the rows as scorecard_core.c reads them
time CSV               seconds of scikit-learn's logistic fit alone
times FILE ROWS        medians and ratios
"""
import hashlib
import sys
import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

SALTS = ["", "s1", "s2", "s3", "s4"]


def load(name, data):
    if name == "heloc":
        d = pd.read_csv(data + "/heloc.csv", sep=" ", header=None)
        return d.iloc[:, 1:].values.astype(float), d.iloc[:, 0].values
    d = pd.read_csv(data + "/uci_credit_card.csv")
    return d.iloc[:, 1:-1].values.astype(float), d.iloc[:, -1].values


def trains(n, salt):
    return np.array([int(hashlib.md5((salt + str(i)).encode()).hexdigest()[:8], 16) % 100 < 70 for i in range(1, n + 1)])


def weights_of_evidence(x, y, train):
    """8-leaf supervised bins of at least 2 % of the rows, one for the missing, Laplace 0.5."""
    z = np.zeros(x.shape)
    positives = y[train].sum()
    negatives = train.sum() - positives
    for j in range(x.shape[1]):
        missing = np.isnan(x[:, j])
        tree = DecisionTreeClassifier(max_leaf_nodes=8, min_samples_leaf=0.02, random_state=0)
        tree.fit(x[train & ~missing, j:j + 1], y[train & ~missing])
        leaf = np.full(len(y), -1)
        leaf[~missing] = tree.apply(x[~missing, j:j + 1])
        for v in np.unique(leaf):
            p = y[train & (leaf == v)].sum()
            n = (train & (leaf == v)).sum() - p
            z[leaf == v, j] = np.log((p + .5) / (positives + .5)) - np.log((n + .5) / (negatives + .5))
    return z


def table(name, data, csv):
    x, y = load(name, data)
    pd.DataFrame(np.column_stack([np.arange(1, len(y) + 1), x, y])).to_csv(csv, header=False, index=False)
    columns = ["c%d float8" % (j + 1) for j in range(x.shape[1])]
    print("CREATE TABLE raw_%s (i float8, %s, y float8);" % (name, ", ".join(columns)))


def binary(csv, path):
    d = pd.read_csv(csv, header=None).values
    d = d[np.random.default_rng(1).permutation(len(d))]
    with open(path, "wb") as out:
        out.write(np.array([len(d), d.shape[1] - 1], "<u4").tobytes())
        out.write(d[:, :-1].astype("<f4").tobytes("F"))
        out.write(d[:, -1].astype("u1").tobytes())
        out.write(np.ones(len(d), "u1").tobytes())


def fit_time(csv):
    d = pd.read_csv(csv, header=None).values
    x = d[:, :-1]
    x = (x - x.mean(0)) / x.std(0)
    start = time.perf_counter()
    LogisticRegression(C=1, max_iter=1000).fit(x, d[:, -1])
    print("%.3f" % (time.perf_counter() - start))


def times(path, rows):
    t = pd.read_csv(path, sep=" ", header=None).groupby(0, sort=False)[1].median()
    print("%s rows: %s seconds (medians)" % (rows, ", ".join("%s %.2f" % (k, v) for k, v in t.items())))
    print("training alone: sklearn / logistic %.2f (target >= 3.5), scorecard with its binning / logistic %.2f (target <= 2)"
          % (t["sklearn"] / t["core-logistic"], t["core-scorecard"] / t["core-logistic"]))
    print("fit() with reading, choice of options, cross-validation and calibration: sklearn's fit alone / logistic %.2f, scorecard / logistic %.2f"
          % (t["sklearn"] / t["logistic"], t["scorecard"] / t["logistic"]))


if __name__ == "__main__":
    {"table": table, "binary": binary, "time": fit_time, "times": times}[sys.argv[1]](*sys.argv[2:])
