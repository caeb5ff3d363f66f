import { UserError } from "@duelo/core";
import { openRuntime, type HostTensor, type LoadedProgram, type Runtime } from "@duelo/runtime";
import { traceFunction, withBatch, type Context, type Recipe } from "@duelo/zoo";
import { createHash } from "node:crypto";
import { labelsFor } from "../draw-inputs.ts";
import { drawNoise } from "../draw-noise.ts";
import { functionOnnx, readTrained, type RunChoice, type Trained } from "../export.ts";
import type { Feeds } from "../feeder.ts";
import { readCard, type FunctionCard } from "../function-card.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { callInParts } from "../open-function.ts";
import type { Pixels } from "../report/grid.ts";

/** Which samples: those that `sampleRun` makes under these numbers from this seed. */
interface Numbered {
  readonly numbers: ArrayLike<number>;
  /** 0 unless said otherwise. */
  readonly seed?: number;
}

interface Mapped extends Numbered {
  /** z of each sample, [n, zDim]; drawn unless given. */
  readonly z?: Matrix;
  /** One class for all, by name or number; sample i has class i, and so on from the first, unless said otherwise. */
  readonly label?: string | undefined;
  /** The class of each sample in place of `label`. */
  readonly labels?: Int32Array | undefined;
  /** 1 leaves w, 0 gives the average w; 1 unless said otherwise (Karras et al. 2018, App. B). */
  readonly psi?: number | undefined;
}

/** A trained generator that has a W: one whose recipe has the functions `mapping` and `synthesis`. */
export interface StyleRun {
  readonly trained: Trained;
  /** Of the weights that make pictures of z: what its latents belong to. */
  digest(): string;
  /** Places where a w goes in. */
  readonly nLayers: number;
  /** Length of w. */
  readonly wDim: number;
  /** Of a picture, [C, H, W]. */
  readonly shape: readonly [c: number, h: number, w: number];
  /** The values of pixels that mean 0 and 255. */
  readonly range: readonly [low: number, high: number];
  /** Classes of samples; undefined where the generator knows none. Throws UserError. */
  classesOf(samples: Pick<Mapped, "numbers" | "label">): Int32Array | undefined;
  /** z of samples, [n, zDim]. */
  draw(samples: Numbered): Matrix;
  /** w of samples, [n, wDim]. */
  map(samples: Mapped): Promise<Matrix>;
  /**
   * The pictures of n rows of a w for every layer, [n, nLayers * wDim]. Row i has the noise of sample
   * number i. `changed` holds state entries in place of the trained ones.
   */
  synthesize(
    ws: Matrix,
    o: Numbered & {
      readonly changed?: Trained["state"];
      progress?(done: number, total: number): void;
    },
  ): Promise<Pixels>;
  close(): Promise<void>;
}

/** Whether a recipe has the two functions that a W needs. */
export function hasW(recipe: Recipe, context: Context): boolean {
  const names = Object.keys(recipe.functions(context));
  return names.includes("mapping") && names.includes("synthesis");
}

/** Opens a run as a StyleRun. Throws UserError when its recipe has no W. */
export async function openStyleRun(
  choice: RunChoice,
  hooks: { readonly signal?: AbortSignal } = {},
): Promise<StyleRun> {
  const trained = await readTrained({ runs: "runs", ...choice });
  demandW(trained);
  return styleRunOf(trained, { ...choice, ...hooks });
}

export function demandW({ info, recipe, context }: Trained): void {
  if (hasW(recipe, context)) return;
  throw new UserError(
    `Run ${info.name} has no W: its recipe ${recipe.name} has no mapping network. Name a run of a recipe that has one, such as stylegan2.`,
  );
}

/** The same of what `readTrained` gave, for a recipe that has a W. */
export async function styleRunOf(
  trained: Trained,
  { threads, signal }: Pick<RunChoice, "threads"> & { readonly signal?: AbortSignal } = {},
): Promise<StyleRun> {
  const stop = signal === undefined ? {} : { signal };
  const runtime = await openRuntime(threads === undefined ? {} : { threads });
  try {
    const mapping = await load(runtime, trained, "mapping");
    const synthesis = await load(runtime, trained, "synthesis");
    const [nLayers = 1, wDim = 1] = inputNamed(synthesis.card, "w").shape;
    const [c = 1, h = 1, w = 1] = synthesis.card.outputs[0]?.shape ?? [];
    let digest: string | undefined;
    return {
      ...{ trained, nLayers, wDim, shape: [c, h, w] },
      digest: () => (digest ??= digestOf(trained)),
      range: synthesis.card.outputs[0]?.range ?? [-1, 1],
      classesOf: ({ numbers, label }) =>
        mapping.card.inputs.some((i) => i.kind === "label")
          ? labelsFor(numbers, label, trained.classes)
          : undefined,
      draw: (samples) => drawZ(mapping.card, samples),
      async map(samples) {
        const results = await callInParts(mapping.program, feedsOf(mapping.card, samples), stop);
        return matrixOf(results["mapping"]);
      },
      async synthesize(ws, { changed, progress, ...noise }) {
        const state = { ...trained.state, ...changed };
        const fresh =
          changed === undefined
            ? undefined
            : await load(runtime, { ...trained, state }, "synthesis");
        const { program, card } = fresh ?? synthesis;
        const data = Float32Array.from(ws.data);
        const feeds: Feeds = {
          ...noiseOf(card, { ...noise, n: ws.rows }),
          w: { dtype: "float32", shape: [ws.rows, nLayers, wDim], data },
        };
        const { synthesis: made } = await callInParts(program, feeds, {
          ...stop,
          ...(progress && { progress }),
        });
        await fresh?.program.close();
        const { data: pixels } = matrixOf(made);
        const range = card.outputs[0]?.range ?? [-1, 1];
        return { pixels: Float32Array.from(pixels), shape: [ws.rows, c, h, w], range };
      },
      close: () => runtime.close(),
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

interface Loaded {
  readonly program: LoadedProgram;
  readonly card: FunctionCard;
}

/** Of the weights that `mapping` and `synthesis` are made of, by name. */
function digestOf({ recipe, context, state }: Trained): string {
  const entries = ["mapping", "synthesis"].flatMap((name) => [
    ...traceFunction(recipe, withBatch(context, 1), name).state.values(),
  ]);
  const hash = createHash("sha256");
  for (const entry of [...new Set(entries)].toSorted()) {
    const { data } = state[entry] ?? {};
    if (data === undefined) throw new TypeError(`no state entry "${entry}"`);
    hash.update(entry).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

async function load(runtime: Runtime, trained: Trained, name: string): Promise<Loaded> {
  const { bytes } = functionOnnx({ ...trained, function: name });
  const program = await runtime.load(bytes);
  return { program, card: readCard(program.metadata) };
}

function inputNamed(card: FunctionCard, name: string) {
  const found = card.inputs.find((i) => i.name === name);
  if (found === undefined)
    throw new TypeError(`function ${card.function} of ${card.recipe} takes no "${name}"`);
  return found;
}

function drawZ(card: FunctionCard, { numbers, seed = 0 }: Numbered): Matrix {
  const input = inputNamed(card, "z");
  return matrixOf(drawNoise({ input, n: numbers.length, seed, numbers }));
}

function feedsOf(card: FunctionCard, o: Mapped): Feeds {
  const { numbers, seed = 0, z, label, labels, psi = 1 } = o;
  const n = numbers.length;
  const hasClasses = card.inputs.some((i) => i.kind === "label");
  if (label !== undefined && !hasClasses)
    throw new UserError("This generator knows no classes, so --label has nothing to choose.");
  const fed = (input: FunctionCard["inputs"][number]): HostTensor => {
    if (input.kind === "label")
      return {
        dtype: "int32",
        shape: [n],
        data: labels ?? labelsFor(numbers, label, card.classes),
      };
    if (input.name === "psi")
      return { dtype: "float32", shape: [n], data: new Float32Array(n).fill(psi) };
    if (input.name === "z" && z !== undefined)
      return { dtype: "float32", shape: [n, z.cols], data: Float32Array.from(z.data) };
    return drawNoise({ input, n, seed, numbers });
  };
  return Object.fromEntries(card.inputs.map((input) => [input.name, fed(input)]));
}

const noiseOf = (card: FunctionCard, o: Numbered & { n: number }): Feeds =>
  Object.fromEntries(
    card.inputs
      .filter((input) => input.name !== "w")
      .map((input) => {
        const { n, numbers, seed = 0 } = o;
        return [input.name, drawNoise({ input, n, seed, numbers })] as const;
      }),
  );

function matrixOf(t: HostTensor | undefined): Matrix {
  if (!(t?.data instanceof Float32Array)) throw new TypeError("a function gave no numbers");
  const [rows = 0, ...rest] = t.shape;
  return { rows, cols: rest.reduce((a, b) => a * b, 1), data: t.data };
}

/** Each w for every layer: [n, wDim] to [n, nLayers * wDim]. */
export function everyLayer({ rows, cols, data }: Matrix, nLayers: number): Matrix {
  const out = new Float32Array(rows * nLayers * cols);
  for (let i = 0; i < rows * nLayers; i++) {
    const row = Math.floor(i / nLayers);
    out.set(data.subarray(row * cols, (row + 1) * cols), i * cols);
  }
  return { rows, cols: nLayers * cols, data: out };
}

/** Rows of several matrices, one after the other. */
export function stacked(parts: readonly Matrix[]): Matrix {
  const cols = parts[0]?.cols ?? 0;
  const rows = parts.reduce((n, part) => n + part.rows, 0);
  const data = new Float32Array(rows * cols);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { rows, cols, data };
}
