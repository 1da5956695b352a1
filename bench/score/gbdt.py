#!/usr/bin/env python3
"""The trees of src/score against XGBoost, one thread each, in one process and in turns.

gbdt.py LIBRARY accuracy|time|big|score
"""
import ctypes
import hashlib
import os
import sys
import time

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.metrics import log_loss, roc_auc_score

DATA = os.environ.get("DUNNING_DATA", "../shared/data")
lib = ctypes.CDLL(sys.argv[1])


class Params(ctypes.Structure):
    _fields_ = [("trees", ctypes.c_int), ("depth", ctypes.c_int), ("patience", ctypes.c_int), ("eta", ctypes.c_double),
                ("min_child_weight", ctypes.c_double), ("lambda_", ctypes.c_double), ("row_sample", ctypes.c_double),
                ("column_sample", ctypes.c_double), ("level_cost", ctypes.c_double), ("seed", ctypes.c_uint64)]


lib.bench_fit.restype = ctypes.c_void_p
lib.bench_fit.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_uint32, ctypes.c_int] + [ctypes.c_void_p] * 2 + [
    ctypes.c_int, ctypes.POINTER(Params)]
lib.bench_predict.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
lib.bench_free.argtypes = [ctypes.c_void_p]


def fit(x, y, nfolds=0, directions=None, **p):
    """x: rows as float32; the forest's handle, the parameters, the seconds."""
    q = dict(trees=0, depth=0, patience=20, eta=0.05, min_child_weight=-1, lambda_=1, row_sample=0.8,
             column_sample=0.8, level_cost=1, seed=1)
    q.update(p)
    params = Params(**q)
    columns = np.ascontiguousarray(x.T)
    y = np.ascontiguousarray(y, dtype=np.uint8)
    fold = np.array([int(hashlib.md5(b"f%d" % i).hexdigest()[:8], 16) % max(nfolds, 1) for i in range(len(y))], dtype=np.uint8) \
        if nfolds else np.zeros(1, np.uint8)
    d = None if directions is None else np.array(directions, dtype=np.int8).ctypes.data
    start = time.process_time()
    f = lib.bench_fit(columns.ctypes.data, None, d, len(y), x.shape[1], y.ctypes.data, fold.ctypes.data, nfolds, params)
    return f, params, time.process_time() - start


def predict(f, x):
    x = np.ascontiguousarray(x, dtype=np.float64)
    out = np.empty(len(x))
    start = time.process_time()
    lib.bench_predict(f, x.ctypes.data, len(x), out.ctypes.data)
    return out, time.process_time() - start


def load(name):
    if name == "heloc":
        d = np.loadtxt(f"{DATA}/heloc.csv")
        return d[:, 1:].astype(np.float32), d[:, 0].astype(int)
    d = pd.read_csv(f"{DATA}/uci_credit_card.csv").to_numpy()
    return d[:, 1:-1].astype(np.float32), d[:, -1].astype(int)


def split(n, salt):
    return np.array([int(hashlib.md5((salt + str(i)).encode()).hexdigest()[:8], 16) % 100 < 70 for i in range(1, n + 1)])


TUNED = {"heloc": (2, 20, 283), "uci": (6, 20, 116)}
SALTS = ["", "s1", "s2", "s3", "s4"]


def booster(x, y, depth, weight, trees, eta=0.05, sample=0.8):
    m = xgb.DMatrix(x, y, nthread=1)
    start = time.process_time()
    b = xgb.train(dict(objective="binary:logistic", tree_method="hist", max_depth=depth, min_child_weight=weight, eta=eta,
                       subsample=sample, colsample_bytree=sample, nthread=1, seed=1, verbosity=0), m, trees)
    return b, time.process_time() - start


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def accuracy():
    for name in sys.argv[3:] or ["heloc", "uci"]:
        x, y = load(name)
        rows = []
        for salt in SALTS:
            t = split(len(y), salt)
            depth, weight, trees = TUNED[name]
            b, xs = booster(x[t], y[t], depth, weight, trees)
            px = b.predict(xgb.DMatrix(x[~t]))
            f, p, s = fit(x[t], y[t], 5)
            pd_ = sigmoid(predict(f, x[~t])[0])
            lib.bench_free(f)
            f, _, s1 = fit(x[t], y[t], trees=trees, depth=depth, min_child_weight=weight)
            pf = sigmoid(predict(f, x[~t])[0])
            lib.bench_free(f)
            yt = y[~t]
            r = [roc_auc_score(yt, px), roc_auc_score(yt, pd_), roc_auc_score(yt, pf), log_loss(yt, px), log_loss(yt, pd_), log_loss(yt, pf)]
            rows.append(r)
            print(f"{name} '{salt}': AUC xgb {r[0]:.4f} tuned {r[1]:.4f} ({r[1]-r[0]:+.4f}) same parameters {r[2]:.4f} ({r[2]-r[0]:+.4f})  loss "
                  f"{r[3]:.4f} {r[4]-r[3]:+.4f} {r[5]-r[3]:+.4f}  chose depth {p.depth} mcw {p.min_child_weight:g} trees {p.trees} in {s:.2f}s; "
                  f"fixed {s1:.3f}s vs xgb {xs:.3f}s = {s1/xs:.2f}")
        m = np.mean(rows, axis=0)
        print(f"{name} mean: AUC tuned {m[1]-m[0]:+.5f} same {m[2]-m[0]:+.5f}; loss {m[4]-m[3]:+.5f} {m[5]-m[3]:+.5f}", flush=True)


def timing(x, y, what, rounds, **kw):
    ratios, own = [], []
    for _ in range(rounds):
        f, _, s = fit(x, y, trees=kw["trees"], depth=kw["depth"], min_child_weight=kw["weight"], eta=kw["eta"],
                      row_sample=kw["sample"], column_sample=kw["sample"])
        lib.bench_free(f)
        b, xs = booster(x, y, **kw)
        ratios.append(s / xs)
        own.append((s, xs))
    print(f"{what} {kw}: ratio {np.median(ratios):.3f}  own {np.median([o[0] for o in own]):.3f}s xgb {np.median([o[1] for o in own]):.3f}s", flush=True)


def times():
    for name in ["heloc", "uci"]:
        x, y = load(name)
        t = split(len(y), "")
        timing(x[t], y[t], name, 5, depth=6, weight=1, trees=100, eta=0.3, sample=1.0)
        d, w, n = TUNED[name]
        timing(x[t], y[t], name, 5, depth=d, weight=w, trees=n, eta=0.05, sample=0.8)


def big():
    x, y = load("uci")
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 1000000
    pick = np.array([int(hashlib.md5(b"m%d" % i).hexdigest()[:8], 16) % len(y) for i in range(n)])
    rounds = 5 if n < 500000 else 2
    timing(x[pick], y[pick], f"{n} rows", rounds, depth=6, weight=1, trees=100, eta=0.3, sample=1.0)
    timing(x[pick], y[pick], f"{n} rows", rounds, depth=6, weight=20, trees=116, eta=0.05, sample=0.8)


def score():
    x, y = load("uci")
    t = split(len(y), "")
    f, _, _ = fit(x[t], y[t], trees=100, depth=6, min_child_weight=1)
    b, _ = booster(x[t], y[t], 6, 1, 100)
    x = np.vstack([x] * 10)
    ratios, own = [], []
    for _ in range(7):
        _, s = predict(f, x)
        m = xgb.DMatrix(x, nthread=1)
        b.set_param({"nthread": 1})
        start = time.process_time()
        b.predict(m)
        xs = time.process_time() - start
        start = time.process_time()
        b.inplace_predict(x)
        xi = time.process_time() - start
        ratios.append(min(xs, xi) / s)
        own.append((len(x) / s, len(x) / xs, len(x) / xi))
    o = np.median(own, axis=0)
    print(f"scoring 100 x d6: {o[0]:.0f} rows/s, xgb {o[1]:.0f} (inplace {o[2]:.0f}); ratio {np.median(ratios):.2f}")


{"accuracy": accuracy, "time": times, "big": big, "score": score}[sys.argv[2]]()
