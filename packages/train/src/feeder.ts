import type { Clock, NoiseSpec } from "@duelo/core";
import { scheduled, sizeOf } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { FieldSpec, StepGraph } from "@duelo/zoo";
import type { Dataset } from "./data/dataset.ts";
import { createSampler, type Sampler } from "./data/sampler.ts";
import { fieldIn, streamName, type Streams } from "./streams.ts";
import { fillInts, fillNormal, fillUniform, streamOf, type RandomKey } from "./random.ts";

export type Feeds = Record<string, HostTensor>;

/** How far each source of a run has been read; all that its random state consists of. */
export interface Cursors {
  /** Records drawn from each stream of data. */
  readonly data: Readonly<Record<string, number>>;
  /** How often each graph of the step has run. */
  readonly runs: readonly number[];
}

interface Stream {
  readonly dataset: Dataset;
  readonly sampler: Sampler;
  cursor: number;
}

/** Fills with random numbers of one kind; labels are those of records drawn from `labels`. */
export function fillNoise(
  spec: NoiseSpec,
  key: RandomKey,
  labels: Dataset | undefined,
): HostTensor {
  const { shape } = spec;
  const size = sizeOf(shape);
  if (spec.kind === "normal" || spec.kind === "uniform") {
    const data = new Float32Array(size);
    if (spec.kind === "normal") fillNormal(data, key);
    else {
      fillUniform(data, key);
      const { low, high } = spec;
      for (let i = 0; i < size; i++) data[i] = low + (high - low) * (data[i] ?? 0);
    }
    return { dtype: "float32", shape, data };
  }
  const data = new Int32Array(size);
  if (spec.kind === "ints") fillInts(data, spec.high, key);
  else {
    if (labels === undefined) throw new TypeError("labels are drawn without a labelled data set");
    const records = new Int32Array(size);
    fillInts(records, labels.length, key);
    labels.read(records, { y: data });
  }
  return { dtype: "int32", shape, data };
}

/** Makes what a step is fed with: batches, noise and scheduled numbers, all from seed and cursors. */
export class Feeder {
  readonly #seed: number;
  readonly #fields: Readonly<Record<string, FieldSpec>>;
  readonly #streams = new Map<string, Stream>();
  readonly #runs: number[] = [];
  readonly #labels: Dataset | undefined;
  #rate = 1;

  constructor(options: {
    seed: number;
    fields: Readonly<Record<string, FieldSpec>>;
    /** The data set of each stream. */
    streams: Readonly<Record<string, Dataset>>;
    cursors?: Cursors;
  }) {
    this.#seed = options.seed;
    this.#fields = options.fields;
    for (const [name, dataset] of Object.entries(options.streams)) {
      const stream = streamOf(`data ${name}`);
      const sampler = createSampler({ length: dataset.length, seed: options.seed, stream });
      const cursor = options.cursors?.data[name] ?? 0;
      this.#streams.set(name, { dataset, sampler, cursor });
    }
    this.#runs.push(...(options.cursors?.runs ?? []));
    this.#labels = Object.values(options.streams).find((d) => d.fields["y"] !== undefined);
  }

  get cursors(): Cursors {
    const data = Object.fromEntries([...this.#streams].map(([name, s]) => [name, s.cursor]));
    return { data, runs: [...this.#runs] };
  }

  /** The factor of all learning rates; 1 at first. */
  get rate(): number {
    return this.#rate;
  }

  /** Goes to other cursors, with another factor of the learning rates. */
  rewind({ cursors, rate }: { cursors: Cursors; rate: number }): void {
    for (const [name, stream] of this.#streams) stream.cursor = cursors.data[name] ?? 0;
    this.#runs.splice(0, Infinity, ...cursors.runs);
    this.#rate = rate;
  }

  /** The next feeds of the step's graph number `index`. */
  next(index: number, step: StepGraph, batch: number, clock: Clock): Feeds {
    const run = this.#runs[index] ?? 0;
    for (let i = this.#runs.length; i <= index; i++) this.#runs.push(0);
    this.#runs[index] = run + 1;
    const feeds: Feeds = {};
    this.#drawBatch(feeds, step.fields, batch);
    for (const [name, spec] of step.noise) {
      const stream = streamOf(`${index} ${name}`);
      feeds[name] = fillNoise(spec, { seed: this.#seed, stream, counter: run }, this.#labels);
    }
    for (const [name, schedule] of step.scalars) {
      const factor = name.startsWith("lr/") ? this.#rate : 1;
      feeds[name] = rankZero(scheduled(schedule, clock) * factor);
    }
    return feeds;
  }

  /** Where the next batch of a stream is cut out of larger pictures; follows from its cursor. */
  #places(name: string, { dataset, cursor }: Stream, batch: number): Int32Array {
    const places = new Int32Array(2 * batch);
    const key = { seed: this.#seed, stream: streamOf(`jitter ${name}`), counter: cursor };
    fillInts(places, (dataset.jitter ?? 0) + 1, key);
    return places;
  }

  #drawBatch(feeds: Feeds, fields: readonly string[], batch: number): void {
    const drawn = new Map<string, Int32Array>();
    const places = new Map<string, Int32Array>();
    for (const name of fields) {
      const spec = this.#fields[name];
      const from = spec === undefined ? "" : streamName(spec);
      const stream = this.#streams.get(from);
      if (spec === undefined || stream === undefined) throw new TypeError(`no data for "${name}"`);
      let indices = drawn.get(from);
      if (indices === undefined) {
        const next = stream.sampler.nextBatch(stream.cursor, batch);
        places.set(from, this.#places(from, stream, batch));
        stream.cursor = next.cursor;
        indices = next.indices;
        drawn.set(from, indices);
      }
      feeds[name] = readField(
        stream.dataset,
        fieldIn(this.#fields, name),
        indices,
        places.get(from),
      );
    }
  }
}

/** The named fields of some records as a batch; `places` says which records of a data set. */
export function readFields(o: {
  fields: Readonly<Record<string, FieldSpec>>;
  names: readonly string[];
  streams: Streams;
  places: (dataset: Dataset) => ArrayLike<number>;
}): Feeds {
  const feeds: Feeds = {};
  for (const name of o.names) {
    const field = o.fields[name];
    const dataset = field && o.streams[streamName(field)];
    if (dataset === undefined) throw new TypeError(`no data for "${name}"`);
    feeds[name] = readField(dataset, fieldIn(o.fields, name), o.places(dataset));
  }
  return feeds;
}

const rankZero = (value: number): HostTensor => ({
  dtype: "float32",
  shape: [],
  data: Float32Array.of(value),
});

/** Records of one field as a batch. */
export function readField(
  dataset: Dataset,
  name: string,
  indices: ArrayLike<number>,
  places?: ArrayLike<number>,
): HostTensor {
  const field = dataset.fields[name];
  if (field === undefined) throw new TypeError(`data set ${dataset.name} has no field "${name}"`);
  const size = indices.length * sizeOf(field.shape);
  const shape = [indices.length, ...field.shape];
  if (field.dtype === "uint8") {
    const data = new Uint8Array(size);
    dataset.read(indices, { [name]: data }, places);
    return { dtype: "uint8", shape, data };
  }
  if (field.dtype === "float32") {
    const data = new Float32Array(size);
    dataset.read(indices, { [name]: data });
    return { dtype: "float32", shape, data };
  }
  const data = new Int32Array(size);
  dataset.read(indices, { [name]: data });
  return { dtype: "int32", shape, data };
}
