import { UserError } from "@duelo/core";
import type { DataRequest, Dataset, Part } from "../data/dataset.ts";
import { openData } from "../data/open.ts";
import type { Hooks } from "../data/source.ts";
import type { RunInfo } from "../run/runs.ts";

/** A part of the data that a run was trained on. Throws UserError when it is gone or has changed. */
export async function dataOfRun(
  { info, cacheDir, part }: { info: RunInfo; cacheDir: string; part: Part },
  hooks: Hooks,
): Promise<Dataset> {
  const request = { ...requestOf(info, cacheDir), part };
  const dataset = await openData(request, hooks).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `The data of run ${info.name} cannot be opened: ${error.message} Name it with --against.`,
    );
  });
  if (part !== "train" || dataset.key === info.options["dataKey"]) return dataset;
  dataset.close();
  throw new UserError(
    `The data of run ${info.name}, ${info.options.data}, has changed since it was trained. Name what to judge by with --against.`,
  );
}

function requestOf({ options }: RunInfo, cacheDir: string): DataRequest {
  const settings = (options["dataSettings"] ?? {}) as Readonly<Record<string, unknown>>;
  const [channels, height, width] = options["shape"] as readonly number[];
  const isImage = height !== undefined && width !== undefined;
  const classes = (options["classes"] ?? []) as readonly string[];
  const limit = settings["limit"];
  return {
    spec: options.data,
    domain: isImage ? "image" : "vector",
    ...(isImage ? { height, width, channels: channels as 1 | 3 | 4 } : {}),
    ...(isImage ? { fit: settings["fit"] as NonNullable<DataRequest["fit"]> } : {}),
    ...(isImage ? { background: String(settings["background"]) } : {}),
    ...(settings["flip"] === true ? { flip: true } : {}),
    labels: classes.length > 0 ? "require" : "ignore",
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...holdOutOf(settings["holdOut"]),
    select: (options["select"] ?? {}) as Readonly<Record<string, string>>,
    cacheDir,
  };
}

/** What the settings say was held out, as a request; a set with a test split needs no share. */
function holdOutOf(holdOut: unknown): Pick<DataRequest, "holdOut"> {
  if (typeof holdOut !== "object" || holdOut === null) return {};
  return "share" in holdOut ? { holdOut: Number(holdOut.share) } : {};
}
