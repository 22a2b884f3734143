"""Checks the log of validation.nn against itself, the recorded arrays and the printed lines.

usage: check_validation.py LOG.jsonl HISTORY.npz OUTPUT.txt
"""
import json
import re
import sys

import numpy as np

log, history, output = sys.argv[1], np.load(sys.argv[2]), open(sys.argv[3]).read()
evaluations = [line for line in map(json.loads, open(log)) if "validation.loss" in line]

assert [line["step"] for line in evaluations] == list(history["validation.step"])
assert [line["validation.loss"] for line in evaluations] == list(history["validation.loss"])
for line in evaluations:
    confusion = np.array(line["validation.confusion_matrix"]).reshape(10, 10)
    assert confusion.sum() == 359, "every row is counted once"
    found = 2 * confusion.diagonal() / (confusion.sum(0) + confusion.sum(1))
    assert abs(found.mean() - line["validation.f1_score"]) < 1e-6, "F1 of all rows, no mean of batches"
    assert abs(confusion.trace() / 359 - line["validation.accuracy"]) < 1e-6

accuracies = [line["validation.accuracy"] for line in evaluations]
best = accuracies.index(max(accuracies))
assert len(accuracies) - 1 - best == 3, "stopped after three evaluations without a better one"
assert int(re.search(r"parameters of step (\d+)", output)[1]) == evaluations[best]["step"]
