import { UserError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import { extname } from "node:path";
import { lerp, slerp } from "../between.ts";
import { labelsFor } from "../draw-inputs.ts";
import { drawNoise } from "../draw-noise.ts";
import { readTrained, type RunChoice, type Trained } from "../export.ts";
import type { Feeds } from "../feeder.ts";
import type { FunctionCard } from "../function-card.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { demandRoom, functionOfTrained, type OpenFunction } from "../open-function.ts";
import { demandWritable, writeWhole } from "../writing.ts";
import { demandGrid, imageGrid, type Pixels } from "../report/grid.ts";
import { samplesShape } from "../sample.ts";
import { encodeFilm, filmFormat } from "./film.ts";
import { readLatents } from "./latent-file.ts";
import { nPoints, walk } from "./path.ts";
import { demandW, everyLayer, hasW, stacked, styleRunOf, type StyleRun } from "./style-run.ts";

export interface InterpolateRequest extends RunChoice {
  /** `.webp`, `.gif` or `.mp4` for a film that goes round; `.png` for the frames side by side. */
  readonly out: string;
  /** Numbers of the samples to go through, as `sampleRun` counts them; 0 to 3 unless said otherwise. */
  readonly numbers?: readonly number[];
  /** A .npy file of `projectRun`, or a folder of them, to go through in place of samples. */
  readonly latents?: string;
  /** w where the recipe has one, unless said otherwise. */
  readonly space?: "z" | "w";
  /** `slerp` in normal z, `lerp` in uniform z and in w, unless said otherwise. */
  readonly along?: "slerp" | "lerp";
  /** Frames from one sample to the next; 16 unless said otherwise. */
  readonly frames?: number;
  /** 16 unless said otherwise. */
  readonly framesPerSecond?: number;
  /** One class for all, by name or number. Without it, sample i keeps its class in w, and all have that of the first in z. */
  readonly label?: string;
  /** Draws w towards its average: 1 not at all, 0 altogether. */
  readonly truncation?: number;
  /** 0 unless said otherwise. */
  readonly seed?: number;
}

export interface Interpolated {
  readonly dir: string;
  readonly out: string;
  readonly nFrames: number;
  readonly space: "z" | "w";
  readonly along: "slerp" | "lerp";
}

interface Hooks {
  progress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/**
 * A film that goes from sample to sample and back, in z or in w, or a row of pictures for each way; the
 * noise is that of the first sample all the way. Throws UserError.
 */
export async function interpolateRun(
  request: InterpolateRequest,
  hooks: Hooks = {},
): Promise<Interpolated> {
  const { out, framesPerSecond = 16 } = request;
  demandWritable(out, "file");
  const format = extname(out).toLowerCase() === ".png" ? "png" : filmFormat(out);
  const nStops = request.numbers?.length ?? 4;
  if (request.latents === undefined && nStops < 2)
    throw new UserError("One sample is no way to go. Name two numbers and more.");
  const trained = await readTrained({ runs: "runs", ...request });
  const has = hasW(trained.recipe, trained.context);
  const { space = has ? "w" : "z" } = request;
  const stop = hooks.signal === undefined ? {} : { signal: hooks.signal };
  const o = { ...request, space, closed: format !== "png" };
  const { pictures: frames, along } =
    has || space === "w" || request.latents !== undefined
      ? await throughStyles(trained, o, stop)
      : await throughSamples(trained, o, stop);
  hooks.progress?.(1, 2);
  const bytes =
    format === "png"
      ? await imageGrid({ ...frames, columns: (o.frames ?? 16) + 1 })
      : await encodeFilm({ frames: await eachFrame(frames), format, framesPerSecond });
  await writeWhole(out, bytes);
  hooks.progress?.(2, 2);
  return { dir: trained.info.dir, out, nFrames: frames.shape[0], space, along };
}

type Along = "slerp" | "lerp";
type Way = InterpolateRequest & { readonly space: "z" | "w"; readonly closed: boolean };
interface Film {
  readonly pictures: Pixels;
  readonly along: Along;
}

/** Throws UserError for a film that would take more memory than there is, or rows too long for a picture. */
function demandLength(o: Way, nStops: number, one: readonly (readonly number[])[]): void {
  const { closed, frames: nFrames = 16 } = o;
  const n = nPoints({ nStops, nFrames, closed });
  for (const shape of one) demandRoom({ n, shape, of: "frames" });
  const [[c = 1, h = 1, w = 1] = []] = one;
  if (!closed) demandGrid({ shape: [n, c, h, w], columns: nFrames + 1 });
}

/** Every row of the walk through the rows of a matrix. */
function walked(rows: Matrix, along: Along, { closed, frames: nFrames = 16 }: Way): Matrix {
  const { cols } = rows;
  const stops = Array.from({ length: rows.rows }, (_, i) =>
    Float64Array.from(rows.data.subarray(i * cols, (i + 1) * cols)),
  );
  const between = along === "slerp" ? slerp : lerp;
  const points = walk({ stops, nFrames, closed, between });
  const data = new Float32Array(points.length * cols);
  points.forEach((point, i) => data.set(point, i * cols));
  return { rows: points.length, cols, data };
}

async function throughStyles(trained: Trained, o: Way, stop: Pick<Hooks, "signal">): Promise<Film> {
  demandW(trained);
  const { threads } = o;
  const run = await styleRunOf(trained, { ...stop, ...(threads === undefined ? {} : { threads }) });
  try {
    const { along = o.space === "w" ? "lerp" : "slerp" } = o;
    const ws = await wayOf(run, along, o);
    const first = o.numbers?.[0] ?? 0;
    const numbers = new Int32Array(ws.rows).fill(first);
    return { pictures: await run.synthesize(ws, { numbers, ...seedOf(o) }), along };
  } finally {
    await run.close();
  }
}

async function wayOf(run: StyleRun, along: Along, o: Way): Promise<Matrix> {
  const { numbers = [0, 1, 2, 3], latents, label, truncation: psi, space } = o;
  const demand = (nStops: number): void =>
    demandLength(o, nStops, [run.shape, [run.nLayers, run.wDim]]);
  if (latents !== undefined) {
    if (space === "z") throw new UserError("Latents of a file are in w. Leave out --space z.");
    if (o.numbers !== undefined)
      throw new UserError("Samples and latents were both named. Choose which it goes through.");
    if (label !== undefined || psi !== undefined)
      throw new UserError(
        `Latents of a file are as they are. Leave out ${label === undefined ? "--truncation" : "--label"}.`,
      );
    const stops = await readLatents(latents, run);
    if (stops.length < 2)
      throw new UserError(`${latents} holds one latent. Name a folder with two and more.`);
    demand(stops.length);
    return walked(stacked(stops.map(({ ws }) => ws)), along, o);
  }
  demand(numbers.length);
  if (space === "w") {
    const stops = await run.map({ numbers, ...seedOf(o), label, psi });
    return everyLayer(walked(stops, along, o), run.nLayers);
  }
  const z = walked(run.draw({ numbers, ...seedOf(o) }), along, o);
  const { classes } = run.trained;
  const only = label ?? classes[(numbers[0] ?? 0) % classes.length];
  const w = await run.map({ numbers: new Int32Array(z.rows), z, label: only, psi });
  return everyLayer(w, run.nLayers);
}

const seedOf = ({ seed }: InterpolateRequest): { seed?: number } =>
  seed === undefined ? {} : { seed };

/** The walk of a generator without a W: through all of its noise that is not drawn in its nets. */
async function throughSamples(
  trained: Trained,
  o: Way,
  stop: Pick<Hooks, "signal">,
): Promise<Film> {
  if (o.truncation !== undefined)
    throw new UserError(
      "This generator has no W, so --truncation has nothing to draw to an average.",
    );
  const f = await functionOfTrained(trained, { threads: o.threads });
  try {
    const range = f.card.outputs.find((out) => out.name === "samples")?.range;
    if (range === undefined) throw noPictures(f);
    const along = alongOf(f.card, o);
    demandLength(o, (o.numbers ?? [0, 1, 2, 3]).length, [samplesShape(f)]);
    const { samples } = await f.call(feedsOf(f.card, along, o), stop);
    const [n = 0, c = 0, h = 0, w = 0] = samples?.shape ?? [];
    if (!(samples?.data instanceof Float32Array)) throw noPictures(f);
    return { pictures: { pixels: samples.data, shape: [n, c, h, w], range }, along };
  } finally {
    await f.close();
  }
}

const noPictures = (f: OpenFunction): UserError =>
  new UserError(`Run ${f.run.name} makes no pictures, so there is nothing to film.`);

type Input = FunctionCard["inputs"][number];

const isWalked = ({ kind, name }: Input): boolean =>
  (kind === "normal" || kind === "uniform") && !name.startsWith("noise/");

/** The arc for normal z; the line for uniform z, whose range an arc would leave. Throws UserError. */
function alongOf({ inputs, recipe }: FunctionCard, { along }: Way): Along {
  const ofData = inputs.some((i) => i.ofRecord !== undefined);
  if (ofData)
    throw new UserError(
      `${recipe} makes pictures of pictures; there is no z to go through. duelo translate and duelo upscale are for such.`,
    );
  const z = inputs.filter(isWalked);
  if (z.length === 0) throw new UserError(`${recipe} draws no z, so there is none to go through.`);
  const isUniform = z.some((i) => i.kind === "uniform");
  if (isUniform && along === "slerp")
    throw new UserError(
      `z of ${recipe} is uniform, and an arc would leave its range. Leave out --along slerp.`,
    );
  return along ?? (isUniform ? "lerp" : "slerp");
}

function feedsOf(card: FunctionCard, along: Along, o: Way): Feeds {
  const { numbers = [0, 1, 2, 3], seed = 0, label, closed, frames: nFrames = 16 } = o;
  if (label !== undefined && !card.inputs.some((i) => i.kind === "label"))
    throw new UserError("This generator knows no classes, so --label has nothing to choose.");
  const n = nPoints({ nStops: numbers.length, nFrames, closed });
  const first = new Int32Array(n).fill(numbers[0] ?? 0);
  const fed = (input: Input): HostTensor => {
    if (input.kind === "label")
      return { dtype: "int32", shape: [n], data: labelsFor(first, label, card.classes) };
    if (!isWalked(input)) return drawNoise({ input, n, seed, numbers: first });
    const stops = drawNoise({ input, n: numbers.length, seed, numbers });
    const cols = stops.data.length / numbers.length;
    const rows = { rows: numbers.length, cols, data: Float32Array.from(stops.data) };
    const data = Float32Array.from(walked(rows, along, o).data);
    return { dtype: "float32", shape: [n, ...input.shape], data };
  };
  return Object.fromEntries(card.inputs.map((input) => [input.name, fed(input)]));
}

/** Each picture of a film as a PNG, small ones enlarged. */
async function eachFrame(pictures: Pixels): Promise<Uint8Array[]> {
  const [n, c, h, w] = pictures.shape;
  const size = c * h * w;
  const scale = Math.max(1, Math.round(128 / Math.max(h, w)));
  const frames: Uint8Array[] = [];
  for (let i = 0; i < n; i++) {
    const pixels = pictures.pixels.subarray(i * size, (i + 1) * size);
    frames.push(await imageGrid({ ...pictures, pixels, shape: [1, c, h, w], scale }));
  }
  return frames;
}
