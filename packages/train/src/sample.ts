import { UserError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { Recipe } from "@duelo/zoo";
import { drawInputs } from "./draw-inputs.ts";
import { readTrained, type Trained } from "./export.ts";
import { readField, type Feeds } from "./feeder.ts";
import type { FunctionCard } from "./function-card.ts";
import { everyLayer, hasW, styleRunOf } from "./latent/style-run.ts";
import { demandRoom, functionOfTrained, openFunction, type OpenFunction } from "./open-function.ts";
import { fillInts, streamOf } from "./random.ts";
import type { Pixels } from "./report/grid.ts";
import { openRunData } from "./run-data.ts";
import type { RunInfo } from "./run/runs.ts";
import { closeAll } from "./streams.ts";

export interface SampleRequest {
  /** Folder of run folders. */
  readonly runs: string;
  /** Number, name, `latest`, or the path of a run folder. */
  readonly run: string;
  /** How many samples, 1 to 1,000,000. */
  readonly n: number;
  /** 0 unless said otherwise. Sample i depends on the seed and i alone. */
  readonly seed?: number;
  /** One class for all, by name or number; every class in turn unless said otherwise. */
  readonly label?: string;
  /** The class of each sample, by number, in place of `label`. */
  readonly labels?: Int32Array;
  /**
   * Smaller is safer and more alike. Where the recipe has a W, w is drawn towards its average: 1 leaves
   * it, 0 gives the average. Elsewhere normal noise is drawn again until it lies within -t to t.
   */
  readonly truncation?: number;
  /** The best checkpoint in place of the last. */
  readonly best?: boolean;
  /** The recipe, when it is not one of the zoo. */
  readonly recipe?: Recipe;
  readonly threads?: number;
  /** Records that samples are made from, by input; the run's own at random unless given. */
  readonly records?: Feeds;
  /** Where decoded data is kept; needed where samples are made from data, which is the run's own. */
  readonly cacheDir?: string | undefined;
  progress?(done: number, total: number): void;
  /** Ends it between two parts, with an AbortError. */
  readonly signal?: AbortSignal;
}

export interface Samples {
  readonly pixels: Float32Array;
  /** [n, ...] */
  readonly shape: readonly number[];
  /** Range of pixel values; left out when these are no images. */
  readonly range?: readonly [number, number];
  /** Class number of each sample, where there are classes. */
  readonly labels?: Int32Array;
  readonly classes: readonly string[];
  /** Training steps behind the generator. */
  readonly step: number;
  /** Images that the samples were made from, one set an input. */
  readonly before: readonly Pixels[];
  /** Folder of the run. */
  readonly dir: string;
}

/** Makes samples with the averaged generator of a run. Throws UserError. */
export async function sampleRun(request: SampleRequest): Promise<Samples> {
  const { runs, run, n, recipe, threads } = request;
  if (!(n >= 1)) throw new UserError(`${n} samples are none; ask for at least 1.`);
  const best = request.best === true ? { best: true } : {};
  const open = { runs, run, ...best, ...(recipe === undefined ? {} : { recipe }) };
  const { truncation } = request;
  const trained = truncation === undefined ? undefined : await readTrained(open);
  if (trained && hasW(trained.recipe, trained.context)) return truncatedInW(request, trained);
  const generator = trained
    ? await functionOfTrained(trained, { truncation, threads })
    : await openFunction({ ...open, ...(threads === undefined ? {} : { threads }) });
  try {
    return await samplesOf(generator, request);
  } finally {
    await generator.close();
  }
}

/** The shape of one sample of a generator. */
export const samplesShape = ({ card }: OpenFunction): readonly number[] =>
  card.outputs.find((o) => o.name === "samples")?.shape ?? [];

/** The same of a generator that is open. Throws UserError. */
export async function samplesOf(
  generator: OpenFunction,
  request: Omit<SampleRequest, "runs" | "run" | "best" | "recipe" | "threads">,
): Promise<Samples> {
  const { card } = generator;
  const { n } = request;
  demandRoom({ n, shape: samplesShape(generator), of: "samples" });
  const feeds = {
    ...drawInputs(request, card),
    ...(request.records ?? (await records(request, card, generator.run))),
  };
  const { samples } = await generator.call(feeds, {
    n,
    ...(request.progress && { progress: request.progress.bind(request) }),
    ...(request.signal && { signal: request.signal }),
  });
  if (!(samples?.data instanceof Float32Array)) throw new TypeError("the generator has no samples");
  const range = card.outputs.find((o) => o.name === "samples")?.range;
  const labelInput = card.inputs.find((i) => i.kind === "label")?.name;
  const labels = labelInput === undefined ? undefined : feeds[labelInput]?.data;
  return {
    pixels: samples.data,
    shape: samples.shape,
    ...(range === undefined ? {} : { range }),
    ...(labels instanceof Int32Array ? { labels } : {}),
    before: card.inputs.flatMap((i) => (i.kind === "image" ? [images(feeds[i.name])] : [])),
    classes: card.classes,
    step: card.step,
    dir: generator.run.dir,
  };
}

async function truncatedInW(request: SampleRequest, trained: Trained): Promise<Samples> {
  const { n, seed = 0, label, labels: given, truncation: psi, signal, threads } = request;
  const numbers = Int32Array.from({ length: n }, (_, i) => i);
  const stop = signal === undefined ? {} : { signal };
  const run = await styleRunOf(trained, { ...stop, ...(threads === undefined ? {} : { threads }) });
  try {
    demandRoom({ n, shape: run.shape, of: "samples" });
    const w = await run.map({ numbers, seed, label, labels: given, psi });
    const made = await run.synthesize(everyLayer(w, run.nLayers), {
      numbers,
      seed,
      ...(request.progress && { progress: request.progress.bind(request) }),
    });
    const { classes, step, info } = trained;
    const labels = given ?? run.classesOf({ numbers, label });
    return {
      ...{ pixels: Float32Array.from(made.pixels), shape: made.shape, range: made.range },
      ...(labels === undefined ? {} : { labels }),
      ...{ before: [], classes, step, dir: info.dir },
    };
  } finally {
    await run.close();
  }
}

/** Records of the run's own data for those inputs that are made of them. */
async function records(
  { n, seed = 0, cacheDir }: Pick<SampleRequest, "n" | "seed" | "cacheDir">,
  { inputs }: FunctionCard,
  info: RunInfo,
): Promise<Feeds> {
  if (!inputs.some((i) => i.ofRecord)) return {};
  const streams = await openRunData({ info, cacheDir });
  try {
    const feeds: Feeds = {};
    for (const { name, ofRecord } of inputs) {
      const dataset = ofRecord && streams[ofRecord.stream];
      if (ofRecord === undefined || dataset === undefined) continue;
      feeds[name] = readField(dataset, ofRecord.field, places({ length: dataset.length, n, seed }));
    }
    return feeds;
  } finally {
    closeAll(streams);
  }
}

/** Which record each sample is made from. */
function places(o: { length: number; n: number; seed: number }): Int32Array {
  const indices = new Int32Array(o.n);
  const stream = streamOf("sample records");
  for (let i = 0; i < o.n; i++) {
    fillInts(indices.subarray(i, i + 1), o.length, { seed: o.seed, stream, counter: i });
  }
  return indices;
}

function images(t: HostTensor | undefined): Pixels {
  const [n = 0, c = 0, h = 0, w = 0] = t?.shape ?? [];
  return { pixels: Uint8Array.from(t?.data ?? []), shape: [n, c, h, w], range: [0, 255] };
}
