import {
  concat,
  add,
  affineGrid,
  and,
  cast,
  clamp,
  constant,
  cos,
  exp,
  expand,
  floor,
  gridSample,
  less,
  matmul,
  mean,
  mul,
  nn,
  reciprocal,
  reshape,
  round,
  sign,
  sin,
  slice,
  sqrt,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  transpose,
  where,
  type Scope,
  type Tensor,
} from "@duelo/core";

// The augmentations of StyleGAN2-ADA (Karras et al. 2020, Appendix B): every one by itself, for each
// image, with probability p. Differentiable twice by the image, so that R1 sees through them.

/** Which groups: blits, geometry, colour, filters, noise, cutout. */
export const augmentations = ["none", "b", "bg", "bgc", "bgcf", "bgcfn", "bgcfnc"] as const;
export type Augmentations = (typeof augmentations)[number];

const sym6 = [
  ...[0.0154041093, 0.0034907121, -0.1179901111, -0.0483117426, 0.4910559419, 0.787641141],
  ...[0.3379294217, -0.0726375228, -0.0210602925, 0.0447249018, 0.0017677119, -0.0078007083],
];
const sym2 = [-0.1294095226, 0.224143868, 0.8365163037, 0.4829629131];
const ln2 = Math.LN2;

/** One number a draw, for each of n images: [N]. Each is in effect where a coin falls below p. */
class Draws {
  readonly #s: Scope;
  readonly #n: number;
  readonly #p: Tensor;
  constructor(parts: { s: Scope; n: number; p: Tensor }) {
    this.#s = parts.s;
    this.#n = parts.n;
    this.#p = parts.p;
  }
  /** U[0, 1). */
  uniform(): Tensor {
    return this.#s.noise({ kind: "uniform", shape: [this.#n], low: 0, high: 1 });
  }
  normal(): Tensor {
    return this.#s.noise({ kind: "normal", shape: [this.#n] });
  }
  /** `value` where the coin says so, else `rest`. */
  maybe(value: Tensor, rest: number, p = this.#p): Tensor {
    return where(less(this.uniform(), p), value, rest);
  }
  get p(): Tensor {
    return this.#p;
  }
}

/** [N, rows, columns] from entries that are [N] or numbers. */
function matrix(n: number, rows: readonly (readonly (Tensor | number)[])[]): Tensor {
  const wide = (e: Tensor | number): Tensor =>
    typeof e === "number" ? constant(new Array<number>(n).fill(e), { shape: [n] }) : e;
  const flat = rows.flat().map(wide);
  return reshape(stack(flat, 1), [n, rows.length, rows[0]?.length ?? 0]);
}

/**
 * x [N, C, H, W] augmented; p a number from 0 to 1, rank 0. Images to which no geometric transform
 * happens are not resampled at all.
 */
export function augment(s: Scope, x: Tensor, o: { p: Tensor; kind: Augmentations }): Tensor {
  const { p, kind } = o;
  const draws = new Draws({ s, n: x.shape[0] ?? 1, p });
  let y = moved(x, draws, kind.includes("g"));
  const later = kind.slice(kind.indexOf("g") + 1); // what follows the geometry
  if (later.includes("c")) y = coloured(y, draws);
  if (later.includes("f")) y = equalised(y, draws);
  if (later.includes("n")) y = noisy(y, s, draws);
  if (later.endsWith("nc")) y = cut(y, draws);
  return y;
}

/** Blits, and geometry where `free`, put together into one matrix and carried out once. */
function moved(x: Tensor, d: Draws, free: boolean): Tensor {
  const [n = 1, , h = 1, w = 1] = x.shape;
  const chain: Tensor[] = []; // from target to source, in pixels about the centre
  const scale = (sx: Tensor, sy: Tensor | number): void => {
    chain.push(
      matrix(n, [
        [sx, 0, 0],
        [0, sy, 0],
        [0, 0, 1],
      ]),
    );
  };
  const rotate = (angle: Tensor): void => {
    const [c, t] = [cos(angle), sin(angle)];
    chain.push(
      matrix(n, [
        [c, t.neg(), 0],
        [t, c, 0],
        [0, 0, 1],
      ]),
    );
  };
  const shift = (tx: Tensor, ty: Tensor): void => {
    chain.push(
      matrix(n, [
        [1, 0, tx.neg()],
        [0, 1, ty.neg()],
        [0, 0, 1],
      ]),
    );
  };
  scale(sub(1, d.maybe(floor(d.uniform().mul(2)), 0).mul(2)), 1); // x-flip
  rotate(d.maybe(floor(d.uniform().mul(4)), 0).mul(Math.PI / 2)); // 90 degrees
  const coin = d.uniform();
  const step = (size: number): Tensor => {
    const t = round(
      d
        .uniform()
        .mul(2)
        .sub(1)
        .mul(0.125 * size),
    );
    return where(less(coin, d.p), t, 0);
  };
  shift(step(w), step(h)); // by whole pixels
  if (free) {
    const turn = sub(1, sqrt(sub(1, d.p))); // so that one of two rotations happens with p
    const angle = (): Tensor => d.maybe(d.uniform().mul(2).sub(1).mul(Math.PI), 0, turn);
    const size = (): Tensor => exp(d.maybe(d.normal(), 0).mul(0.2 * ln2));
    const same = reciprocal(size());
    scale(same, same);
    rotate(angle());
    const stretch = size();
    scale(reciprocal(stretch), stretch);
    rotate(angle());
    const fires = d.uniform();
    const part = (side: number): Tensor => where(less(fires, d.p), d.normal().mul(0.125 * side), 0);
    shift(part(w), part(h)); // by parts of a pixel
  }
  const inverse = chain.reduce((a, b) => matmul(a, b));
  const identity = constant([1, 0, 0, 0, 1, 0, 0, 0, 1], { shape: [1, 3, 3] });
  const away = sum(square(sub(inverse, identity)), { axes: [1, 2], keep: true }); // [N, 1, 1]
  const still = less(reshape(away, [n, 1, 1, 1]), 1e-12);
  return where(still, x, resampled(x, inverse));
}

/**
 * Reads x at places given in pixels about its centre, through twice the resolution and sym6, so that
 * nothing aliases. Beyond its border x goes on as its mirror image.
 */
function resampled(x: Tensor, inverse: Tensor): Tensor {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  const total = sym6.reduce((a, b) => a + b, 0);
  const low = sym6.map((v) => v / total);
  const margin = low.length / 4;
  const [up, across] = [mirrored(h, low), mirrored(w, low)]; // [2 (3 size - 2), size]
  const large = matmul(matmul(up, x), transpose(across, [1, 0]));
  const [H = 1, W = 1] = large.shape.slice(2);
  const [toH, toW] = [2 * (h + 2 * margin), 2 * (w + 2 * margin)];
  // A place of the large target, from -1 to 1, to one of the large source: pixel centres lie half a
  // large pixel apart from those of x's grid, on both sides alike.
  const size = (a: number, b: number): Tensor =>
    constant([a, 0, 0, 0, b, 0, 0, 0, 1], { shape: [1, 3, 3] });
  const half = (t: number): Tensor => constant([1, 0, t, 0, 1, t, 0, 0, 1], { shape: [1, 3, 3] });
  const parts = [
    size(2 / W, 2 / H),
    half(-0.5),
    size(2, 2),
    inverse,
    size(0.5, 0.5),
    half(0.5),
    size(toW / 2, toH / 2),
  ];
  const theta = slice(
    parts.reduce((a, b) => matmul(a, b)),
    { axis: 1, start: 0, end: 2 },
  );
  const grid = affineGrid(expand(theta, [n, 2, 3]), { size: [toH, toW] });
  const read = gridSample(large, grid); // [N, C, toH, toW]
  const down = (from: number, to: number): Tensor => halving(from, to, low);
  return reshape(matmul(matmul(down(toH, h), read), transpose(down(toW, w), [1, 0])), [n, c, h, w]);
}

/** [rows, columns] with each entry stated by `add`. */
function built(
  rows: number,
  columns: number,
  fill: (add: (row: number, column: number, value: number) => void) => void,
): Tensor {
  const data = new Float64Array(rows * columns);
  fill((r, c, v) => {
    if (r >= 0 && r < rows && c >= 0 && c < columns)
      data[r * columns + c] = (data[r * columns + c] ?? 0) + v;
  });
  return constant(data, { shape: [rows, columns] });
}

/** Where index i of a line that goes on as its mirror image lies (edges are not repeated). */
function reflected(i: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const k = ((i % period) + period) % period;
  return k < size ? k : period - k;
}

/** Mirrors by size - 1 at both ends, then doubles: zeros between, filter (flipped) with gain 2. */
function mirrored(size: number, filter: readonly number[]): Tensor {
  const long = 3 * size - 2;
  const before = Math.floor((filter.length + 1) / 2);
  return built(2 * long, size, (put) => {
    for (let i = 0; i < 2 * long; i++) {
      filter.forEach((f, k) => {
        const place = i - before + (filter.length - 1 - k); // among the doubled places
        if (place < 0 || place % 2 !== 0 || place / 2 >= long) return;
        put(i, reflected(place / 2 - (size - 1), size), 2 * f);
      });
    }
  });
}

/** Halves a line: filter (as it is), every second place; the margin around the result is left out. */
function halving(from: number, to: number, filter: readonly number[]): Tensor {
  const margin = filter.length / 2; // large pixels at each side of the result
  const before = Math.floor((filter.length - 1) / 2) - margin;
  return built(to, from, (put) => {
    for (let i = 0; i < to; i++) filter.forEach((f, k) => put(i, 2 * i - before + k, f));
  });
}

/** Brightness, contrast, luma flip, hue, saturation, as one affine map of colours; alpha stays. */
function coloured(x: Tensor, d: Draws): Tensor {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  if (c === 4) {
    const part = (start: number, end: number): Tensor => slice(x, { axis: 1, start, end });
    return concat([coloured(part(0, 3), d), part(3, 4)], 1);
  }
  const luma = constant(
    Array.from({ length: 16 }, (_, i) => (i % 4 < 3 && i < 12 ? 1 / 3 : 0)),
    { shape: [1, 4, 4] },
  ); // v v^T, v = (1, 1, 1, 0) / sqrt(3)
  const eye = constant(
    Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
    { shape: [1, 4, 4] },
  );
  const b = d.maybe(d.normal().mul(0.2), 0);
  const k = exp(d.maybe(d.normal(), 0).mul(0.5 * ln2));
  const scaled = (t: Tensor): Tensor => reshape(t, [n, 1, 1]);
  let map = matrix(n, [
    [1, 0, 0, b],
    [0, 1, 0, b],
    [0, 0, 1, b],
    [0, 0, 0, 1],
  ]);
  map = matmul(
    matrix(n, [
      [k, 0, 0, 0],
      [0, k, 0, 0],
      [0, 0, k, 0],
      [0, 0, 0, 1],
    ]),
    map,
  );
  const flip = d.maybe(floor(d.uniform().mul(2)), 0);
  map = matmul(sub(eye, mul(luma, scaled(flip).mul(2))), map);
  if (c > 1) {
    const angle = d.maybe(d.uniform().mul(2).sub(1).mul(Math.PI), 0);
    map = matmul(aboutLuma(n, angle), map);
    const s = exp(d.maybe(d.normal(), 0).mul(ln2));
    map = matmul(add(luma, mul(sub(eye, luma), scaled(s))), map);
  }
  const rows = slice(map, { axis: 1, start: 0, end: 3 }); // [N, 3, 4]
  const pixels = reshape(x, [n, c, h * w]);
  if (c === 3) {
    const linear = slice(rows, { axis: 2, start: 0, end: 3 });
    const offset = slice(rows, { axis: 2, start: 3, end: 4 });
    return reshape(add(matmul(linear, pixels), offset), x.shape);
  }
  const grey = mean(rows, { axes: [1] }); // [N, 4]
  const gain = sum(slice(grey, { axis: 1, start: 0, end: 3 }), { axes: [1] });
  const offset = slice(grey, { axis: 1, start: 3, end: 4 });
  return reshape(add(mul(pixels, scaled(gain)), reshape(offset, [n, 1, 1])), x.shape);
}

/** Rotation of colours about (1, 1, 1) / sqrt(3), by Rodrigues' formula, as [N, 4, 4]. */
function aboutLuma(n: number, angle: Tensor): Tensor {
  const [c, t] = [cos(angle), sin(angle)];
  const along = sub(1, c).mul(1 / 3);
  const skew = t.mul(1 / Math.sqrt(3));
  const [same, less1, more] = [add(along, c), sub(along, skew), add(along, skew)];
  return matrix(n, [
    [same, less1, more, 0],
    [more, same, less1, 0],
    [less1, more, same, 0],
    [0, 0, 0, 1],
  ]);
}

const convolved = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: a.length + b.length - 1 }, (_, i) =>
    a.reduce((t, v, k) => t + v * (b[i - k] ?? 0), 0),
  );

/** Four octave bands that sum to the identity, each as a symmetric filter about its middle. */
function bands(): number[][] {
  const high = sym2.map((v, i) => (i % 2 === 0 ? v : -v));
  const low2 = convolved(sym2, sym2.toReversed()).map((v) => v / 2);
  const high2 = convolved(high, high.toReversed()).map((v) => v / 2);
  let bank: number[][] = [[1], [0], [0], [0]];
  for (let i = 1; i < 4; i++) {
    const spread = bank.map((f) => f.flatMap((v) => [v, 0]).slice(0, -1));
    bank = spread.map((f) => convolved(f, low2));
    const length = bank[0]?.length ?? 0;
    const first = (length - high2.length) / 2;
    bank[i] = (bank[i] ?? []).map((v, k) => v + (high2[k - first] ?? 0));
  }
  return bank;
}

const expectedPower = [10 / 13, 1 / 13, 1 / 13, 1 / 13]; // of the bands of natural images

/** Amplifies each of four octave bands by itself; the expected power stays. */
function equalised(x: Tensor, d: Draws): Tensor {
  const [n = 1, , h = 1, w = 1] = x.shape;
  let gains: Tensor[] = Array.from({ length: 4 }, () =>
    constant(new Array<number>(n).fill(1), { shape: [n] }),
  );
  for (let i = 0; i < 4; i++) {
    const t = exp(d.maybe(d.normal(), 0).mul(ln2));
    const power = add(mul(square(t), expectedPower[i] ?? 0), 1 - (expectedPower[i] ?? 0));
    const level = reciprocal(sqrt(power));
    gains = gains.map((g, k) => mul(g, k === i ? mul(t, level) : level));
  }
  const along = (size: number): Tensor =>
    bands()
      .map((f, i) =>
        mul(
          filterMatrix(size, f),
          reshape(gains[i] ?? constant([1], { shape: [1] }), [n, 1, 1, 1]),
        ),
      )
      .reduce((a, b) => add(a, b)); // [N, 1, size, size]
  return matmul(matmul(along(h), x), transpose(along(w), [0, 1, 3, 2]));
}

/** [1, 1, size, size]: a filter about its middle over a line that goes on as its mirror image. */
function filterMatrix(size: number, filter: readonly number[]): Tensor {
  const middle = (filter.length - 1) / 2;
  const m = built(size, size, (put) => {
    for (let i = 0; i < size; i++)
      filter.forEach((f, k) => put(i, reflected(i + k - middle, size), f));
  });
  return reshape(m, [1, 1, size, size]);
}

/** Adds N(0, sigma^2), sigma = |N(0, 0.1^2)| an image. */
function noisy(x: Tensor, s: Scope, d: Draws): Tensor {
  const sigma = d.maybe(d.normal().abs().mul(0.1), 0);
  const noise = s.noise({ kind: "normal", shape: x.shape });
  return add(x, mul(noise, reshape(sigma, [x.shape[0] ?? 1, 1, 1, 1])));
}

/** Zeroes a rectangle of half the height and width about a place anywhere in the image. */
function cut(x: Tensor, d: Draws): Tensor {
  const [n = 1, , h = 1, w = 1] = x.shape;
  const size = d.maybe(constant(new Array<number>(n).fill(0.5), { shape: [n] }), 0);
  const inside = (length: number): Tensor => {
    const places = constant(
      Array.from({ length }, (_, i) => (i + 0.5) / length),
      { shape: [1, length] },
    );
    const centre = reshape(d.uniform(), [n, 1]);
    return less(sub(places, centre).abs(), reshape(size.mul(0.5), [n, 1]));
  };
  const hole = and(reshape(inside(h), [n, 1, h, 1]), reshape(inside(w), [n, 1, 1, w]));
  return mul(x, sub(1, cast(hole, "float32")));
}

/** p as it stands: how likely every augmentation is. It lives in the scope of the phases. */
export const strength = (s: Scope): Tensor => s.buffer("ada_p", { shape: [], init: nn.init.zeros });

/**
 * The controller (Karras et al. 2020, Section 4): p rises while D is surer of real images than
 * `target`, E[sign D(x)], and falls otherwise, by 1 in `kimg` thousand images. Where `turn` is 1 it moves,
 * by the mean of all signs since it last did; `every` says how many steps that are.
 */
export function adapt(
  s: Scope,
  real: Tensor,
  o: { target: number; kimg: number; turn: Tensor; every: number },
): void {
  const batch = real.shape[0] ?? 1;
  const signs = s.buffer("ada_signs", { shape: [], init: nn.init.zeros });
  const seen = add(signs, mean(sign(stopGradient(real))));
  const move = sign(sub(seen.mul(1 / o.every), o.target)).mul((batch * o.every) / (o.kimg * 1000));
  s.setBuffer("ada_p", clamp(add(strength(s), mul(move, o.turn)), { min: 0, max: 1 }));
  s.setBuffer("ada_signs", mul(seen, sub(1, o.turn)));
}
