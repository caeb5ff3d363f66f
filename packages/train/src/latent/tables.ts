import { UserError } from "@duelo/core";
import { drawInputs } from "../draw-inputs.ts";
import { readTrained, type RunChoice, type Trained } from "../export.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import { functionOfTrained } from "../open-function.ts";
import { samplesShape } from "../sample.ts";
import { demandPlace } from "../picture-files.ts";
import { writeWhole } from "../writing.ts";
import { demandGrid, imageGrid, type Pixels } from "../report/grid.ts";
import { checkLayers } from "./layers.ts";
import { everyLayer, hasW, openStyleRun, stacked, styleRunOf } from "./style-run.ts";

export interface Table {
  /** Folder of the run. */
  readonly dir: string;
  readonly out: string;
}

interface Hooks {
  progress?(done: number, total: number): void;
  note?(line: string): void;
  readonly signal?: AbortSignal;
}

interface Common extends RunChoice {
  /** The PNG to write. */
  readonly out: string;
  /** One class for all, by name or number. */
  readonly label?: string;
  /** 0 unless said otherwise. */
  readonly seed?: number;
}

export interface MixRequest extends Common {
  /** Numbers of samples, as `sampleRun` counts them: one for each row, and one for each column. */
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
  /** The layers that take the column's w; 0 to 3, or what of that there is, unless said otherwise. */
  readonly layers?: readonly number[];
  readonly truncation?: number;
}

/**
 * Style mixing (Karras et al. 2018, Figure 3): a table whose first row and column hold samples, and whose
 * other pictures have the w of their column in the chosen layers and that of their row in the rest.
 * Throws UserError.
 */
export async function mixRun(
  request: MixRequest,
  hooks: Hooks = {},
): Promise<Table & { layers: readonly number[] }> {
  demandPlace(request.out);
  const { out, label, seed = 0, truncation: psi } = request;
  const { rows = [0, 1, 2, 3], columns = [4, 5, 6, 7, 8, 9] } = request;
  const run = await openStyleRun(request, hooks);
  try {
    const layers = checkLayers(request.layers ?? firstLayers(run.nLayers), run);
    const [nRows, nColumns] = [rows.length + 1, columns.length + 1];
    demandGrid({ shape: [nRows * nColumns, ...run.shape], columns: nColumns });
    const all = [...columns, ...rows];
    const w = everyLayer(await run.map({ numbers: all, seed, label, psi }), run.nLayers);
    const cells = rows.flatMap((_, r) => [
      takeRows(w, [columns.length + r]),
      ...columns.map((__, c) => mixed({ w, to: columns.length + r, from: c, layers, run })),
    ]);
    const ws = stacked([...columns.map((_, c) => takeRows(w, [c])), ...cells]);
    const numbers = [...columns, ...rows.flatMap((r) => [r, ...columns.map(() => r)])];
    const made = await run.synthesize(ws, { ...hooks, numbers, seed });
    const grid = await imageGrid({
      ...withBlank(made),
      columns: columns.length + 1,
      rowLabels: ["", ...rows.map(String)],
      columnLabels: ["", ...columns.map(String)],
    });
    await writeWhole(out, grid);
    return { dir: run.trained.info.dir, out, layers };
  } finally {
    await run.close();
  }
}

const firstLayers = (nLayers: number): number[] => [0, 1, 2, 3].filter((layer) => layer < nLayers);

function mixed(o: {
  w: Matrix;
  to: number;
  from: number;
  layers: readonly number[];
  run: { wDim: number };
}): Matrix {
  const [base, other] = [takeRows(o.w, [o.to]), takeRows(o.w, [o.from])];
  const { wDim } = o.run;
  for (const l of o.layers) base.data.set(other.data.subarray(l * wDim, (l + 1) * wDim), l * wDim);
  return base;
}

/** Pictures with a blank one before them. */
function withBlank({ pixels, shape, range }: Pixels): Pixels {
  const [n, ...one] = shape;
  const size = one.reduce((a, b) => a * b, 1);
  const out = new Float32Array(pixels.length + size).fill(range[1], 0, size);
  out.set(pixels, size);
  return { pixels: out, shape: [n + 1, ...one], range };
}

export interface TruncateRequest extends Common {
  /** Numbers of the samples, a row each, as `sampleRun` counts them; 0 to 3 unless said otherwise. */
  readonly numbers?: readonly number[];
  /** The truncations, a column each: psi where the recipe has a W (0, 0.25, 0.5, 0.75, 1), else the bound of z. */
  readonly values?: readonly number[];
}

/**
 * A table of samples, a row each, at several truncations, a column each: of w towards its average, or,
 * where there is no W, of z by drawing again. Throws UserError.
 */
export async function truncateRun(
  request: TruncateRequest,
  hooks: Hooks = {},
): Promise<Table & { space: "z" | "w"; values: readonly number[] }> {
  demandPlace(request.out);
  const trained = await readTrained({ runs: "runs", ...request });
  const space = hasW(trained.recipe, trained.context) ? "w" : "z";
  const { values = space === "w" ? [0, 0.25, 0.5, 0.75, 1] : [0.1, 0.25, 0.5, 1, 2] } = request;
  const { numbers = [0, 1, 2, 3], out } = request;
  const o = { ...request, values, numbers };
  if (space === "z" && trained.recipe.standing !== undefined)
    hooks.note?.("The generator's statistics are measured anew for each truncation.");
  const made =
    space === "w" ? await truncatedW(trained, o, hooks) : await truncatedZ(trained, o, hooks);
  const grid = await imageGrid({
    ...made,
    columns: values.length,
    rowLabels: numbers.map(String),
    columnLabels: values.map(String),
  });
  await writeWhole(out, grid);
  return { dir: trained.info.dir, out, space, values };
}

type Sweep = TruncateRequest & {
  readonly values: readonly number[];
  readonly numbers: readonly number[];
};

async function truncatedW(trained: Trained, o: Sweep, hooks: Hooks): Promise<Pixels> {
  const run = await styleRunOf(trained, { ...o, ...hooks });
  const { numbers, label, seed = 0 } = o;
  try {
    const n = numbers.length * o.values.length;
    demandGrid({ shape: [n, ...run.shape], columns: o.values.length });
    const columns: Matrix[] = [];
    for (const psi of o.values) columns.push(await run.map({ numbers, seed, label, psi }));
    const cells = numbers.flatMap((_, row) => columns.map((w) => takeRows(w, [row])));
    const ws = everyLayer(stacked(cells), run.nLayers);
    const each = numbers.flatMap((number) => o.values.map(() => number));
    return await run.synthesize(ws, { ...hooks, numbers: each, seed });
  } finally {
    await run.close();
  }
}

async function truncatedZ(trained: Trained, o: Sweep, hooks: Hooks): Promise<Pixels> {
  const columns: Pixels[] = [];
  const [n, total] = [o.numbers.length, o.numbers.length * o.values.length];
  for (const [k, truncation] of o.values.entries()) {
    const progress = (done: number): void => hooks.progress?.(k * n + done, total);
    columns.push(await truncatedTo(trained, { ...o, truncation }, { ...hooks, progress }));
  }
  return sideBySide(columns);
}

/** Columns of pictures as rows: the first of each column, then the second of each. */
export function sideBySide(columns: readonly Pixels[]): Pixels {
  const [first] = columns;
  if (first === undefined) throw new TypeError("no pictures");
  const [n, ...one] = first.shape;
  const size = one.reduce((a, b) => a * b, 1);
  const pixels = new Float32Array(n * columns.length * size);
  columns.forEach((column, k) => {
    for (let row = 0; row < n; row++) {
      const cell = column.pixels.slice(row * size, (row + 1) * size);
      pixels.set(cell, (row * columns.length + k) * size);
    }
  });
  return { pixels, shape: [n * columns.length, ...one], range: first.range };
}

/** A generator may have statistics for each truncation, so each opens it anew. */
async function truncatedTo(
  trained: Trained,
  o: Sweep & { readonly truncation: number },
  hooks: Hooks,
): Promise<Pixels> {
  const { numbers, label, seed = 0, values, truncation, threads } = o;
  const f = await functionOfTrained(trained, { truncation, threads });
  try {
    const [, , height = 1, width = 1] = [1, ...samplesShape(f)];
    const shape = [numbers.length * values.length, 1, height, width] as const;
    demandGrid({ shape, columns: values.length });
    const drawn = drawInputs({ n: numbers.length, numbers, seed, truncation, label }, f.card);
    const { samples } = await f.call(drawn, hooks);
    const [n = 0, c = 1, h = 1, w = 1] = samples?.shape ?? [];
    if (samples?.shape.length !== 4)
      throw new UserError(`Run ${f.run.name} makes no pictures, so there is nothing to draw.`);
    const range = f.card.outputs[0]?.range ?? [-1, 1];
    return { pixels: Float32Array.from(samples.data), shape: [n, c, h, w], range };
  } finally {
    await f.close();
  }
}
