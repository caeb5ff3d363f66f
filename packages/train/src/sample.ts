import { UserError, suggestion } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { Recipe } from "@duelo/zoo";
import { drawNoise } from "./draw-noise.ts";
import { readField, type Feeds } from "./feeder.ts";
import type { FunctionCard } from "./function-card.ts";
import { openFunction } from "./open-function.ts";
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
  /** Normal noise is drawn again until it lies within -t to t; smaller is safer and more alike. */
  readonly truncation?: number;
  /** The best checkpoint in place of the last. */
  readonly best?: boolean;
  /** The recipe, when it is not one of the zoo. */
  readonly recipe?: Recipe;
  /** Where decoded data is kept; needed where samples are made from data, which is the run's own. */
  readonly cacheDir?: string | undefined;
  progress?(done: number, total: number): void;
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
  /** Whether they were made from records at all. */
  readonly fromRecords: boolean;
  /** Folder of the run. */
  readonly dir: string;
}

/** Makes samples with the averaged generator of a run. Throws UserError. */
export async function sampleRun(request: SampleRequest): Promise<Samples> {
  const { runs, run, n, recipe } = request;
  if (!(n >= 1)) throw new UserError(`${n} samples are none; ask for at least 1.`);
  const best = request.best === true ? { best: true } : {};
  const open = { runs, run, ...best, ...(recipe === undefined ? {} : { recipe }) };
  const generator = await openFunction(open);
  try {
    const { card } = generator;
    const feeds = { ...drawAll(request, card), ...(await records(request, card, generator.run)) };
    const { samples } = await generator.call(feeds, {
      n,
      ...(request.progress && { progress: request.progress.bind(request) }),
    });
    if (!(samples?.data instanceof Float32Array))
      throw new TypeError("the generator has no samples");
    const range = card.outputs.find((o) => o.name === "samples")?.range;
    const labelInput = card.inputs.find((i) => i.kind === "label")?.name;
    const labels = labelInput === undefined ? undefined : feeds[labelInput]?.data;
    return {
      pixels: samples.data,
      shape: samples.shape,
      ...(range === undefined ? {} : { range }),
      ...(labels instanceof Int32Array ? { labels } : {}),
      before: card.inputs.flatMap((i) => (i.kind === "image" ? [images(feeds[i.name])] : [])),
      fromRecords: card.inputs.some((i) => i.ofRecord !== undefined),
      classes: card.classes,
      step: card.step,
      dir: generator.run.dir,
    };
  } finally {
    await generator.close();
  }
}

/** Records of the run's own data for those inputs that are made of them. */
async function records(
  { n, seed = 0, cacheDir }: SampleRequest,
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

function drawAll(request: SampleRequest, { inputs, classes }: FunctionCard): Feeds {
  const { n, seed = 0, truncation, label } = request;
  const drawn = inputs.filter((i) => i.ofRecord === undefined);
  if (truncation !== undefined && !drawn.some((i) => i.kind === "normal")) {
    throw new UserError("Truncation needs a generator with normal noise; this one has none.");
  }
  if (truncation !== undefined && !(truncation >= 0.05)) {
    throw new UserError(`Truncation is ${truncation}; it takes a number from 0.05 up.`);
  }
  if (label !== undefined && !drawn.some((i) => i.kind === "label")) {
    throw new UserError("This generator knows no classes, so --label has nothing to choose.");
  }
  const feeds: Feeds = {};
  for (const input of drawn) {
    feeds[input.name] =
      input.kind === "label"
        ? { dtype: "int32", shape: [n], data: labelsFor(n, label, classes) }
        : drawNoise({ input, n, seed, truncation });
  }
  return feeds;
}

export function labelsFor(
  n: number,
  label: string | undefined,
  classes: readonly string[],
): Int32Array {
  if (label === undefined) return Int32Array.from({ length: n }, (_, i) => i % classes.length);
  const index = classes.includes(label) ? classes.indexOf(label) : Number(label);
  if (!Number.isInteger(index) || index < 0 || index >= classes.length) {
    const near = suggestion(label, classes);
    throw new UserError(`There is no class "${label}".${near} Classes: ${classes.join(", ")}.`);
  }
  return new Int32Array(n).fill(index);
}
