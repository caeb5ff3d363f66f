import { sameShape, sizeOf, UserError } from "@duelo/core";
import { openRuntime, type HostTensor, type HostTensors, type Program } from "@duelo/runtime";
import type { Recipe } from "@duelo/zoo";
import { drawNoise } from "./draw-noise.ts";
import { functionOf, readFunction, type Trained } from "./export.ts";
import { dtypeOf, readCard, type FunctionCard, type FunctionInput } from "./function-card.ts";
import type { Feeds } from "./feeder.ts";
import type { RunInfo } from "./run/runs.ts";

export interface FunctionRequest {
  /** Folder of run folders; `runs` unless said otherwise. */
  readonly runs?: string;
  /** Number, name, `latest`, or the path of a run folder. */
  readonly run: string;
  /** Its name in the recipe; `sample` unless said otherwise. */
  readonly function?: string;
  /** The best checkpoint in place of the last. */
  readonly best?: boolean;
  /** Of the normal noise that it will be fed with; see `standing` of recipes. */
  readonly truncation?: number | undefined;
  /** The recipe, when it is not one of the zoo. */
  readonly recipe?: Recipe;
  readonly device?: "cpu" | "webgpu" | "cuda";
  readonly threads?: number;
}

export interface CallOptions {
  /** Records; needed only where nothing is fed. */
  readonly n?: number;
  /** Of noise that is not fed; 0 unless said otherwise. Record i's noise depends on seed and i alone. */
  readonly seed?: number;
  progress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/** A function of a trained run, ready to be called. */
export interface OpenFunction {
  /** What it takes and gives. */
  readonly card: FunctionCard;
  readonly run: RunInfo;
  /**
   * Its results for a batch of any size, computed in parts. Images are fed as uint8 pixels
   * [n, C, H, W]; noise that is not fed is drawn. Throws UserError for a feed that is missing or does
   * not fit.
   */
  call(feeds: HostTensors, options?: CallOptions): Promise<Record<string, HostTensor>>;
  close(): Promise<void>;
}

const mostAtOnce = 64;

/** Opens a function of a run at its last checkpoint. Throws UserError. */
export async function openFunction(request: FunctionRequest): Promise<OpenFunction> {
  const { runs = "runs", device, threads, ...rest } = request;
  return opened(await readFunction({ runs, threads, ...rest }), { device, threads });
}

/** The same of what `readTrained` gave. */
export async function functionOfTrained(
  trained: Trained,
  o: Pick<FunctionRequest, "function" | "truncation"> & { readonly threads?: number | undefined },
): Promise<OpenFunction> {
  return opened({ bytes: await functionOf(trained, o), info: trained.info }, o);
}

async function opened(
  { bytes, info }: { bytes: Uint8Array; info: RunInfo },
  o: { device?: FunctionRequest["device"] | undefined; threads?: number | undefined },
): Promise<OpenFunction> {
  const { device, threads } = o;
  const runtime = await openRuntime({
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
  });
  try {
    const program = await runtime.load(bytes);
    const card = readCard(program.metadata);
    return {
      card,
      run: info,
      call: async (feeds, options = {}) =>
        callInParts(program, allFeeds(card, feeds, options), options),
      close: () => runtime.close(),
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** What is fed, checked, and noise for the rest. */
function allFeeds(card: FunctionCard, feeds: HostTensors, o: CallOptions): Feeds {
  const what = `Function ${card.function} of ${card.recipe}`;
  const names = card.inputs.map((input) => input.name).join(", ");
  const n = Object.values(feeds)[0]?.shape[0] ?? o.n;
  if (n === undefined) throw new UserError(`${what} was given nothing. It takes: ${names}.`);
  if (!(Number.isInteger(n) && n >= 1))
    throw new UserError(`${n} samples are none; ask for at least 1.`);
  for (const name of Object.keys(feeds)) {
    if (card.inputs.some((input) => input.name === name)) continue;
    throw new UserError(`${what} takes no "${name}". It takes: ${names}.`);
  }
  const seed = o.seed ?? 0;
  return Object.fromEntries(
    card.inputs.map((input) => [
      input.name,
      checked(card, input, n, feeds[input.name] ?? drawn({ input, n, seed })),
    ]),
  );
}

function drawn(o: { input: FunctionInput; n: number; seed: number }): HostTensor | undefined {
  const { kind, ofRecord } = o.input;
  const isNoise = kind === "normal" || kind === "uniform" || kind === "ints";
  return isNoise && ofRecord === undefined ? drawNoise(o) : undefined;
}

function checked(
  card: FunctionCard,
  input: FunctionInput,
  n: number,
  feed: HostTensor | undefined,
): HostTensor {
  const shape = [n, ...input.shape];
  const dtype = dtypeOf(input);
  if (feed?.dtype === dtype && sameShape(feed.shape, shape)) return feed;
  const got = feed === undefined ? "nothing" : `${feed.dtype} [${feed.shape.join(", ")}]`;
  throw new UserError(
    `Function ${card.function} of ${card.recipe} takes "${input.name}" as ${dtype} [${shape.join(", ")}], and was given ${got}.`,
  );
}

/** Runs a program over a batch of any size, 64 records at a time. Throws UserError for results that are too large. */
export async function callInParts(
  program: Program,
  feeds: Feeds,
  o: CallOptions,
): Promise<Record<string, HostTensor>> {
  const n = Object.values(feeds)[0]?.shape[0] ?? 0;
  return inParts({ ...o, n, nAtOnce: mostAtOnce }, async ({ from, count }) => {
    const part = Object.entries(feeds).map(([k, v]) => [k, rows(v, from, count)] as const);
    const results = await program.run(Object.fromEntries(part));
    for (const { shape } of Object.values(results))
      demandRoom({ n, shape: shape.slice(1), of: "results" });
    return results;
  });
}

const mostBytes = 2 ** 31; // all results are in memory at once, and then their pictures too

/** Throws UserError for more numbers than a call may give at once. */
export function demandRoom(o: {
  readonly n: number;
  /** Of one. */
  readonly shape: readonly number[];
  /** What they are called. */
  readonly of: string;
}): void {
  const { n, shape, of } = o;
  const nBytes = 4 * sizeOf(shape);
  const most = Math.floor(mostBytes / nBytes);
  if (n <= most) return;
  throw new UserError(
    `${n} ${of} of ${shape.join(" x ")} would take ${((n * nBytes) / 1e9).toFixed(0)} GB at once. Ask for at most ${most}.`,
  );
}

/** Results of `n` records out of those of `nAtOnce` after another; of some outputs, or of all. */
export async function inParts(
  o: CallOptions & {
    readonly n: number;
    readonly nAtOnce: number;
    readonly only?: readonly string[];
  },
  run: (part: { from: number; count: number }) => Promise<Record<string, HostTensor>>,
): Promise<Record<string, HostTensor>> {
  const { n, nAtOnce, only } = o;
  const whole: Record<
    string,
    { dtype: HostTensor["dtype"]; shape: number[]; data: HostTensor["data"] }
  > = {};
  for (let from = 0; from < n; from += nAtOnce) {
    o.signal?.throwIfAborted();
    const count = Math.min(nAtOnce, n - from);
    for (const [name, t] of Object.entries(await run({ from, count }))) {
      if (only?.includes(name) === false) continue;
      const size = t.data.length / count;
      const into = (whole[name] ??= {
        dtype: t.dtype,
        shape: [n, ...t.shape.slice(1)],
        data: new (t.data.constructor as Float32ArrayConstructor)(n * size),
      });
      into.data.set(t.data, from * size);
    }
    o.progress?.(from + count, n);
  }
  return whole;
}

/** Records `from` to `from + count` of a batch; the memory is shared. */
function rows(t: HostTensor, from: number, count: number): HostTensor {
  const size = t.data.length / (t.shape[0] ?? 1);
  const data = t.data.subarray(from * size, (from + count) * size);
  return { dtype: t.dtype, shape: [count, ...t.shape.slice(1)], data };
}
