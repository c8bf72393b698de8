"""Writes neighbours.json: nearest neighbours by cosine, as scikit-learn finds them.

    python -m pip install scikit-learn==1.9.1
    python neighbours.py > neighbours.json
"""
import json

import numpy as np
import sklearn
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(20)
inputs = {
    "normal": rng.normal(size=(40, 5)),
    "far": rng.normal(size=(30, 4)) * 0.01 + 7.0,
    "wide": rng.normal(size=(25, 70)),
    "sizes": rng.normal(size=(30, 3)) * 10.0 ** rng.integers(-8, 9, size=(30, 1)),
}
cases = []
for name, x in inputs.items():
    found = NearestNeighbors(metric="cosine", algorithm="brute").fit(x)
    for row, k in [(0, 1), (3, 5), (24, 24)]:
        # Without a query the row itself is left out, as in ours.
        distances, rows = found.kneighbors(n_neighbors=k)
        cases.append(
            {
                "metric": "nearest_neighbours",
                "package": f"scikit-learn {sklearn.__version__}",
                "inputs": {"X": name},
                "params": {"row": row, "k": k},
                "expected": {"rows": rows[row].tolist(), "cosines": (1.0 - distances[row]).tolist()},
                "tol": 1e-12,
            }
        )
print(json.dumps({"about": ["Made by neighbours.py."], "inputs": {k: v.tolist() for k, v in inputs.items()}, "cases": cases}))
