import type { Matrix } from "./matrix.ts";

/**
 * The singular values of a matrix, in no order, each to about 1e-15 of the largest: Householder
 * reflections make it bidiagonal (Golub, Kahan 1965), and implicit QL steps find the eigenvalues of
 * the tridiagonal matrix [[0, B^T], [B, 0]] in the order that shuffles rows and columns together
 * (Golub, Van Loan, "Matrix Computations", 8.6). Values that should be 0 come out as rounding of the
 * largest, not as its root, which eigenvalues of A A^T would give.
 */
export function singularValues(matrix: Matrix): Float64Array {
  let scale = 0;
  for (const v of matrix.data) scale = Math.max(scale, Math.abs(v));
  if (scale === 0 || matrix.cols === 0) return new Float64Array(Math.min(matrix.rows, matrix.cols));
  const { diagonal, above } = bidiagonal(tall(matrix, scale));
  const n = diagonal.length;
  const beside = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    beside[2 * i] = diagonal[i] ?? 0;
    beside[2 * i + 1] = above[i] ?? 0; // the last of them is 0
  }
  const values = tridiagonalEigenvalues({ diagonal: new Float64Array(2 * n), beside });
  // They come as pairs of s and -s.
  return values
    .toSorted()
    .slice(n)
    .map((v) => Math.max(0, v) * scale);
}

interface Tall {
  readonly rows: number; // no fewer than cols
  readonly cols: number;
  readonly a: Float64Array;
}

/** A copy, divided by `scale`, on its side if it is wider than tall. */
function tall({ rows, cols, data }: Matrix, scale: number): Tall {
  if (rows >= cols) return { rows, cols, a: Float64Array.from(data, (v) => v / scale) };
  const a = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) a[j * rows + i] = (data[i * cols + j] ?? 0) / scale;
  }
  return { rows: cols, cols: rows, a };
}

/**
 * Diagonal and upper diagonal of U^T A V. Step k reflects column k and then row k; both change the
 * rest by A -= u w^T + z v^T, which waits for the next step, so that A is passed over twice a step.
 */
function bidiagonal({ rows, cols, a }: Tall): { diagonal: Float64Array; above: Float64Array } {
  const diagonal = new Float64Array(cols);
  const above = new Float64Array(cols);
  const [u, z, w, v] = [rows, rows, cols, cols].map((n) => new Float64Array(n)) as Vectors;
  const column = new Float64Array(rows);
  for (let k = 0; k < cols; k++) {
    for (let i = k; i < rows; i++) {
      column[i] = (a[i * cols + k] ?? 0) - (u[i] ?? 0) * (w[k] ?? 0) - (z[i] ?? 0) * (v[k] ?? 0);
    }
    const left = reflect(column, k);
    diagonal[k] = left.value;
    const sums = updateAndProject({ rows, cols, a }, k, { u, w, z, v }, column);
    for (let j = k + 1; j < cols; j++) w[j] = left.tau * (sums[j] ?? 0);
    u.set(column);
    for (let j = k + 1; j < cols; j++) v[j] = (a[k * cols + j] ?? 0) - (u[k] ?? 0) * (w[j] ?? 0);
    const right = k + 1 < cols ? reflect(v, k + 1) : { value: 0, tau: 0 };
    above[k] = right.value;
    project({ rows, cols, a }, k, { u, w, z, v }, right.tau);
  }
  return { diagonal, above };
}
type Vectors = [Float64Array, Float64Array, Float64Array, Float64Array];
interface Pending {
  readonly u: Float64Array; // [rows]
  readonly w: Float64Array; // [cols]
  readonly z: Float64Array; // [rows]
  readonly v: Float64Array; // [cols]
}

/**
 * Turns x[k..] into the h of the reflection I - tau h h^T that maps it to (value, 0, 0, ...).
 * What is below 1e-140 of the largest entry of A counts as 0, so that no square is lost to underflow.
 */
function reflect(x: Float64Array, k: number): { value: number; tau: number } {
  let rest = 0;
  for (let i = k + 1; i < x.length; i++) rest += (x[i] ?? 0) ** 2;
  const first = x[k] ?? 0;
  if (!(rest > 1e-280)) {
    x.fill(0, k);
    return { value: first, tau: 0 };
  }
  const norm = Math.sqrt(first * first + rest);
  const value = first > 0 ? -norm : norm;
  x[k] = first - value;
  return { value, tau: 1 / (value * (value - first)) };
}

/**
 * For rows from k and columns after k: A -= u w^T + z v^T, four rows at a time.
 * @returns h^T A for each of those columns
 */
function updateAndProject(
  { rows, cols, a }: Tall,
  k: number,
  { u, w, z, v }: Pending,
  h: Float64Array,
): Float64Array {
  const sums = new Float64Array(cols);
  let i = k;
  for (; i + 3 < rows; i += 4) {
    const [u0, u1, u2, u3] = [u[i] ?? 0, u[i + 1] ?? 0, u[i + 2] ?? 0, u[i + 3] ?? 0];
    const [z0, z1, z2, z3] = [z[i] ?? 0, z[i + 1] ?? 0, z[i + 2] ?? 0, z[i + 3] ?? 0];
    const [h0, h1, h2, h3] = [h[i] ?? 0, h[i + 1] ?? 0, h[i + 2] ?? 0, h[i + 3] ?? 0];
    for (let j = k + 1, p = i * cols + k + 1; j < cols; j++, p++) {
      const [wj, vj] = [w[j] ?? 0, v[j] ?? 0];
      const a0 = (a[p] ?? 0) - u0 * wj - z0 * vj;
      const a1 = (a[p + cols] ?? 0) - u1 * wj - z1 * vj;
      const a2 = (a[p + 2 * cols] ?? 0) - u2 * wj - z2 * vj;
      const a3 = (a[p + 3 * cols] ?? 0) - u3 * wj - z3 * vj;
      a[p] = a0;
      a[p + cols] = a1;
      a[p + 2 * cols] = a2;
      a[p + 3 * cols] = a3;
      sums[j] = (sums[j] ?? 0) + (h0 * a0 + h1 * a1) + (h2 * a2 + h3 * a3);
    }
  }
  for (; i < rows; i++) {
    const [ui, zi, hi] = [u[i] ?? 0, z[i] ?? 0, h[i] ?? 0];
    for (let j = k + 1, p = i * cols + k + 1; j < cols; j++, p++) {
      const value = (a[p] ?? 0) - ui * (w[j] ?? 0) - zi * (v[j] ?? 0);
      a[p] = value;
      sums[j] = (sums[j] ?? 0) + hi * value;
    }
  }
  return sums;
}

/** z = tau (A - u w^T) v, for rows after k, where A still lacks this step's update. */
function project({ rows, cols, a }: Tall, k: number, { u, w, z, v }: Pending, tau: number): void {
  let wv = 0;
  for (let j = k + 1; j < cols; j++) wv += (w[j] ?? 0) * (v[j] ?? 0);
  let i = k + 1;
  for (; i + 3 < rows; i += 4) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = k + 1, p = i * cols + k + 1; j < cols; j++, p++) {
      const vj = v[j] ?? 0;
      s0 += (a[p] ?? 0) * vj;
      s1 += (a[p + cols] ?? 0) * vj;
      s2 += (a[p + 2 * cols] ?? 0) * vj;
      s3 += (a[p + 3 * cols] ?? 0) * vj;
    }
    z[i] = tau * (s0 - (u[i] ?? 0) * wv);
    z[i + 1] = tau * (s1 - (u[i + 1] ?? 0) * wv);
    z[i + 2] = tau * (s2 - (u[i + 2] ?? 0) * wv);
    z[i + 3] = tau * (s3 - (u[i + 3] ?? 0) * wv);
  }
  for (; i < rows; i++) {
    let sum = 0;
    for (let j = k + 1, p = i * cols + k + 1; j < cols; j++, p++) sum += (a[p] ?? 0) * (v[j] ?? 0);
    z[i] = tau * (sum - (u[i] ?? 0) * wv);
  }
}

/**
 * Eigenvalues of the symmetric tridiagonal matrix with `beside[i]` between `diagonal[i]` and
 * `diagonal[i + 1]`, by QL steps with Wilkinson's shift (Golub, Van Loan, 8.3). What lies beside the
 * diagonal counts as 0 below the rounding of the norm. Works in place.
 */
export function tridiagonalEigenvalues({
  diagonal: d,
  beside: e,
}: {
  diagonal: Float64Array;
  beside: Float64Array;
}): Float64Array {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i] ?? 0) + Math.abs(e[i] ?? 0));
  const least = Number.EPSILON * norm;
  for (let low = 0; low < n; low++) {
    for (let steps = 0; ; steps++) {
      let high = low;
      while (high < n - 1 && Math.abs(e[high] ?? 0) > least) high++;
      if (high === low) break;
      if (steps === 300) throw new RangeError("the eigenvalues do not converge");
      stepQL(d, e, low, high);
    }
  }
  return d;
}

/** One QL step on the block low..high: a rotation from the bottom up, chasing what it fills in. */
function stepQL(d: Float64Array, e: Float64Array, low: number, high: number): void {
  const [first, second, between] = [d[low] ?? 0, d[low + 1] ?? 0, e[low] ?? 0];
  // The eigenvalue of the first 2 x 2 block that is nearer to its first entry.
  const half = (second - first) / (2 * between);
  const shift = first - between / (half + (half < 0 ? -1 : 1) * Math.sqrt(half * half + 1));
  let [x, fill] = [(d[high] ?? 0) - shift, e[high - 1] ?? 0]; // the rotation takes `fill` into x
  for (let i = high - 1; i >= low; i--) {
    const norm = Math.sqrt(x * x + fill * fill);
    const c = norm > 0 ? x / norm : 1;
    const s = norm > 0 ? fill / norm : 0;
    if (i + 1 < high) e[i + 1] = norm;
    const [p, q, r] = [d[i] ?? 0, d[i + 1] ?? 0, e[i] ?? 0];
    // [[p, r], [r, q]] turned by (c, s)
    d[i + 1] = c * c * q + 2 * c * s * r + s * s * p;
    d[i] = s * s * q - 2 * c * s * r + c * c * p;
    e[i] = (c * c - s * s) * r + c * s * (p - q);
    if (i === low) return;
    x = e[i] ?? 0;
    fill = s * (e[i - 1] ?? 0);
    e[i - 1] = c * (e[i - 1] ?? 0);
  }
}
