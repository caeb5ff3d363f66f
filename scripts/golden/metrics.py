"""Writes test/golden/metrics.json: small sets of features and what each metric says of them.

    /usr/bin/python3 scripts/golden/metrics.py

numpy 1.24, scipy 1.10, scikit-learn 1.2 and mpmath 1.2 of Debian 12. Every metric is written here from
its formula, not from Duelo's code, and by another way where there is one: the Fréchet distance from
the eigenvalues of S_r^(1/2) S_f S_r^(1/2) with 50 digits, neighbours by scikit-learn, kernels by its
pairwise functions. Features are whole numbers over 1024, so that the file holds them exactly.
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy import ndimage
from scipy.linalg import sqrtm
from scipy.signal import convolve2d
from scipy.stats import entropy
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

FILE = Path(__file__).resolve().parents[2] / "test" / "golden" / "metrics.json"
GRID = 1024
mp.mp.dps = 50
rng = np.random.default_rng(7)


def on_grid(x):
    return np.round(np.asarray(x) * GRID) / GRID


def feature_sets():
    normal = rng.standard_normal
    low = rng.integers(-2, 3, [5, 12])
    mix = normal([10, 10]) * np.logspace(0, -3, 10)
    base = normal([30, 6])
    return {
        "random": (normal([60, 8]), 0.8 * normal([50, 8]) + 0.3),
        "rank-deficient": (on_grid(normal([80, 5])) @ low, on_grid(normal([70, 5])) @ low + 0.5),
        "nearly rank-deficient": (normal([80, 5]) @ low, normal([70, 5]) @ low + 0.5),
        "different null spaces": (
            np.hstack([normal([40, 5]), np.zeros([40, 3])]),
            np.hstack([np.zeros([45, 3]), normal([45, 5])]),
        ),
        "fewer rows than columns": (normal([12, 24]), normal([15, 24]) + 0.2),
        "fewer real rows than columns": (normal([9, 16]), 1.2 * normal([60, 16])),
        "correlated": (normal([80, 10]) @ mix, normal([90, 10]) @ mix * 1.1 + 0.1),
        "far from 0": (normal([50, 4]) + 1000, normal([50, 4]) + 1001),
        "copies": (np.vstack([base, base[:20], base[:10]]), np.vstack([base[5:25], base[5:25]]) + 0.25),
    }


def frechet(real, fake):
    """With 50 digits, by the definition."""

    def gaussian(x):
        x = mp.matrix(x.tolist())
        mean = [mp.fsum(x[i, j] for i in range(x.rows)) / x.rows for j in range(x.cols)]
        centred = mp.matrix(x.rows, x.cols)
        for i in range(x.rows):
            for j in range(x.cols):
                centred[i, j] = x[i, j] - mean[j]
        return mean, centred.T * centred / (x.rows - 1)

    def root(s):
        values, vectors = mp.eigsy(s)
        return vectors * mp.diag([mp.sqrt(max(v, 0)) for v in values]) * vectors.T

    def trace(s):
        return mp.fsum(s[i, i] for i in range(s.rows))

    (mean_r, cov_r), (mean_f, cov_f) = gaussian(real), gaussian(fake)
    half = root(cov_r)
    common = mp.eigsy(half * cov_f * half, eigvals_only=True)
    apart = mp.fsum((a - b) ** 2 for a, b in zip(mean_r, mean_f))
    exact = float(apart + trace(cov_r) + trace(cov_f) - 2 * mp.fsum(mp.sqrt(max(v, 0)) for v in common))
    usual = frechet_scipy(real, fake)
    # The usual code is only good where both covariances are well conditioned.
    good = max(np.linalg.cond(np.cov(x.T)) for x in (real, fake)) < 1e6
    assert not good or abs(usual - exact) < 1e-8 * exact, (usual, exact)
    return exact


def frechet_scipy(real, fake):
    """As it is usually written."""
    a, b = np.cov(real.T), np.cov(fake.T)
    gap = real.mean(0) - fake.mean(0)
    return float(gap @ gap + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b).real))


def kernel(real, fake):
    """All rows, sets of one size."""
    n = min(len(real), len(fake))
    x, y = real[:n], fake[:n]
    d = x.shape[1]
    k = lambda a, b: polynomial_kernel(a, b, degree=3, gamma=1 / d, coef0=1)
    off = lambda a: (k(a, a).sum() - np.trace(k(a, a))) / (n * (n - 1))
    return float(off(x) + off(y) - 2 * k(x, y).mean())


def radii(x, k):
    found, _ = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(x).kneighbors(x)
    return found[:, k]


def neighbours(real, fake, k_precision=3, k_density=5):
    gaps = np.sqrt(((real[:, None, :] - fake[None, :, :]) ** 2).sum(-1))  # [real, fake]
    inside = gaps <= radii(real, k_precision)[:, None]
    reached = gaps <= radii(fake, k_precision)[None, :]
    strict = gaps < radii(real, k_density)[:, None]
    return {
        "precision": float(inside.any(0).mean()),
        "recall": float(reached.any(1).mean()),
        "density": float(strict.sum() / (k_density * len(fake))),
        "coverage": float(strict.any(1).mean()),
    }


def nearest_accuracy(real, fake):
    n = min(len(real), len(fake))
    x = np.vstack([real[:n], fake[:n]])
    kind = np.repeat([0, 1], n)
    gaps = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(gaps, np.inf)
    right = []
    for row, own in zip(gaps, kind):
        same, other = row[kind == own].min(), row[kind != own].min()
        right.append(1.0 if same < other else 0.5 if same == other else 0.0)
    return float(np.mean(right))


def inception_score(p, splits):
    parts = [p[i * len(p) // splits : (i + 1) * len(p) // splits] for i in range(splits)]
    return [float(np.exp(np.mean([entropy(row, part.mean(0)) for row in part]))) for part in parts]


def window():
    x = np.arange(11) - 5
    bell = np.exp(-(x**2) / (2 * 1.5**2))
    flat = np.outer(bell, bell)
    return flat / flat.sum()


def ssim_parts(x, y, span):
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    mean = lambda v: convolve2d(v, window(), mode="valid")
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    structure = (2 * cov + c2) / (vx + vy + c2)
    return ((2 * mx * my + c1) / (mx**2 + my**2 + c1) * structure).mean(), structure.mean()


def ms_ssim(x, y, span):
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    count = sum(min(x.shape) // 2**s >= 11 for s in range(5))
    weights = weights[:count] / weights[:count].sum()
    value = 1.0
    for scale in range(count):
        whole_part, structure = ssim_parts(x, y, span)
        value *= max(0, whole_part if scale == count - 1 else structure) ** weights[scale]
        x, y = (v[: v.shape[0] // 2 * 2, : v.shape[1] // 2 * 2] for v in (x, y))
        x, y = (v.reshape(v.shape[0] // 2, 2, v.shape[1] // 2, 2).mean((1, 3)) for v in (x, y))
    return value


def laplacian_level(x):
    """The finest level of the pyramid."""
    taps = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    small = ndimage.convolve(x, taps, mode="mirror")[::2, ::2]
    wide = np.zeros_like(x)
    wide[::2, ::2] = small
    return x - ndimage.convolve(wide, 4 * taps, mode="mirror")


def pictures():
    base = ndimage.gaussian_filter(rng.standard_normal([2, 3, 45, 33]), [0, 0, 1, 1])
    x = on_grid(0.5 + 0.3 * base)
    y = on_grid(x + 0.1 * rng.standard_normal(x.shape))
    over = lambda f: [float(np.mean([f(a, b) for a, b in zip(p, q)])) for p, q in zip(x, y)]
    rounded = lambda v: np.round(v * GRID).astype(int).ravel().tolist()
    return {
        "shape": list(x.shape),
        "x": rounded(x),
        "y": rounded(y),
        "ssim": over(lambda a, b: ssim_parts(a, b, 1.0)[0]),
        "msSsim": over(lambda a, b: ms_ssim(a, b, 1.0)),
        "psnr": [float(-10 * np.log10(((a - b) ** 2).mean())) for a, b in zip(x, y)],
        "laplacian": laplacian_level(x[0, 0]).ravel().tolist(),
    }


def whole(x):
    return {"rows": x.shape[0], "cols": x.shape[1], "data": np.round(x * GRID).astype(int).ravel().tolist()}


def main():
    sets = {}
    for name, pair in feature_sets().items():
        real, fake = (on_grid(x) for x in pair)
        sets[name] = {
            "real": whole(real),
            "fake": whole(fake),
            "frechet": frechet(real, fake),
            "kernel": kernel(real, fake),
            **neighbours(real, fake),
            "nearestAccuracy": nearest_accuracy(real, fake),
        }
        print(name, {k: v for k, v in sets[name].items() if k not in ("real", "fake")}, frechet_scipy(real, fake))
    probabilities = rng.dirichlet(np.full(5, 0.4), 43)
    probabilities[:3] = np.eye(5)[:3]  # exact zeros
    score = {"probabilities": probabilities.ravel().tolist(), "cols": 5, "splits": inception_score(probabilities, 4)}
    made = {"grid": GRID, "sets": sets, "pictures": pictures(), "inception": score}
    FILE.write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
