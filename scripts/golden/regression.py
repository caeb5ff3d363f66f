"""Writes test/golden/regression.json: rows of three overlapping classes, and the probabilities that
scikit-learn's multinomial logistic regression gives them.

    /usr/bin/python3 scripts/golden/regression.py

scikit-learn 1.2 of Debian 12, a second. Its C is 1 / (rows * strength), as it sums losses where Duelo
takes their mean; columns are brought to mean 0 and variance 1 before, the fifth is constant.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

FILE = Path(__file__).resolve().parents[2] / "test" / "golden" / "regression.json"
GRID = 1024
rng = np.random.default_rng(11)
labels = np.arange(60) % 3
rows = np.round((rng.standard_normal([60, 5]) + 0.8 * np.eye(3, 5)[labels]) * GRID)
rows[:, 4] = 2 * GRID
x = rows / GRID
scale = x.std(0)
x = np.where(scale > 0, (x - x.mean(0)) / np.where(scale > 0, scale, 1), 0)

golden = {"grid": GRID, "rows": rows.astype(int).ravel().tolist(), "labels": labels.tolist(), "fits": []}
for strength in [1e-3, 0.1]:
    model = LogisticRegression(
        C=1 / (len(x) * strength), multi_class="multinomial", solver="newton-cg", tol=1e-10, max_iter=1000
    ).fit(x, labels)
    shares = [[float(f"{v:.12g}") for v in row] for row in model.predict_proba(x)]
    golden["fits"].append({"strength": strength, "probabilities": shares})
FILE.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
