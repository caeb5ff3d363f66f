import { UserError } from "@duelo/core";
import { join, relative, resolve } from "node:path";
import type { DataRequest, Dataset, Part } from "./data/dataset.ts";
import { namedSets } from "./data/named.ts";
import { openData, ownHeldOut } from "./data/open.ts";
import type { Hooks } from "./data/source.ts";
import type { Json } from "./run/checkpoint.ts";
import type { RunInfo } from "./run/runs.ts";
import { closeAll, type Streams } from "./streams.ts";

/** `change` applied to every name or path of a set in a request. */
export function withSpecs<
  R extends { spec: string; pair?: { spec?: string | undefined } | undefined },
>(request: R, change: (spec: string) => string): R {
  const { spec, pair } = request;
  const second = pair?.spec === undefined ? {} : { pair: { ...pair, spec: change(pair.spec) } };
  return { ...request, spec: change(spec), ...second };
}

/** A path as seen from a folder; it begins with a dot, which no name of a set does. */
export function pathFrom(folder: string, to: string): string {
  const path = relative(folder, to);
  return path.startsWith(".") ? path : `./${path}`;
}

type Requests = Readonly<Record<string, DataRequest>>;

/** Requests as `options.json` keeps them; paths are seen from `root`, the folder of run folders. */
export function keptRequests(requests: Requests, root: string): Json {
  const placed = (spec: string): string => {
    if (namedSets.some((set) => set.name === spec)) return spec;
    return pathFrom(resolve(root), resolve(spec));
  };
  const kept = Object.entries(requests).map(([stream, request]) => {
    return [stream, { ...withSpecs(request, placed), cacheDir: undefined }];
  });
  return JSON.parse(JSON.stringify(Object.fromEntries(kept))) as Json;
}

/**
 * The data of a run, opened again as it was for training, or the part of it that was held out. Throws
 * UserError when it is gone or not the same any more.
 */
export async function openRunData(
  o: { info: RunInfo; cacheDir: string | undefined; part?: Part },
  hooks: Hooks = {},
): Promise<Streams> {
  const { info, part = "train" } = o;
  const requests = Object.entries(requestsOf(info, o.cacheDir));
  const keys = [info.options["dataKey"], keyOfOther(info)];
  const streams: Record<string, Dataset> = {};
  try {
    for (const [i, [name, request]] of requests.entries()) {
      const trained = (streams[name] = await open(info, request, hooks));
      demandKey(info, trained, keys[i]);
      if (part === "train") continue;
      trained.close();
      streams[name] = await open(info, { ...request, part }, hooks);
    }
    return streams;
  } catch (error) {
    closeAll(streams);
    throw error;
  }
}

/** Whether a run says where its data is; imported ones do not. */
export const keepsData = ({ options }: RunInfo): boolean => options["dataRequest"] !== undefined;

/** Whether some of a run's first set was kept apart, by a share or as a named set's test split. */
export function keptApart({ options }: RunInfo): boolean {
  const [request] = Object.values((options["dataRequest"] ?? {}) as unknown as Requests);
  return request !== undefined && (request.holdOut ?? ownHeldOut(request)) !== undefined;
}

function requestsOf(info: RunInfo, cacheDir: string | undefined): Requests {
  const kept = info.options["dataRequest"] as unknown as Requests | undefined;
  if (kept === undefined) {
    throw new UserError(
      `Run ${info.name} keeps no data to make samples from, as imported runs do. Give it pictures with duelo translate or duelo upscale.`,
    );
  }
  if (cacheDir === undefined) {
    throw new UserError(
      `Run ${info.name} needs its data again. Say where decoded data is kept (cacheDir).`,
    );
  }
  const found = (spec: string): string =>
    spec.startsWith(".") ? join(info.dir, "..", spec) : spec;
  return Object.fromEntries(
    Object.entries(kept).map(([name, r]) => [name, { ...withSpecs(r, found), cacheDir }]),
  );
}

function keyOfOther({ options }: RunInfo): Json | undefined {
  const { to } = options;
  return typeof to === "object" && to !== null && "dataKey" in to ? to["dataKey"] : undefined;
}

const open = (info: RunInfo, request: DataRequest, hooks: Hooks): Promise<Dataset> =>
  openData(request, hooks).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`The data of run ${info.name} cannot be opened: ${error.message}`);
  });

function demandKey({ name }: RunInfo, dataset: Dataset, key: Json | undefined): void {
  if (dataset.key === key) return;
  throw new UserError(
    `The data of run ${name}, ${dataset.name}, has changed since it was trained. Bring back what was there, or train again.`,
  );
}
