import { readFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import { commitFile, nodeFileSystem, writeAll } from "../run/file-system.ts";
import { onDisk } from "../run/disk-failure.ts";
import { reportPage, type Frame, type Pictures } from "./page.ts";
import { embed, type Picture } from "./whole-page.ts";
import { readRun, type RunRecord } from "./run-record.ts";

const nFrames = 40;

/**
 * Writes `report.html` of a run folder from what it holds so far (`options.json`, `stats.jsonl`,
 * `samples/`), and gives its path. The page is one file that asks nothing of any network.
 * @throws UserError when `dir` is not a run folder
 * @throws FailureError when the report cannot be written, e.g. on a full disk
 */
export async function writeReport({ dir }: { readonly dir: string }): Promise<string> {
  const run = await readRun(dir);
  const page = reportPage(run, await readPictures(dir, run));
  const name = "report.html";
  const path = `${dir}/${name}`;
  await onDisk({ task: `write ${path}`, safe: "The run itself is safe." }, () =>
    commitFile(nodeFileSystem, { dir, name }, (file) =>
      writeAll(file, new TextEncoder().encode(page.text), 0),
    ),
  );
  return path;
}

/** At most `nFrames` of the sample grids, evenly spaced, with the first and the last. */
async function readPictures(dir: string, run: RunRecord): Promise<Pictures> {
  const { samples, real, neighbours } = run;
  const last = samples.length - 1;
  const n = Math.min(nFrames, samples.length);
  const chosen = Array.from(
    { length: n },
    (_, i) => samples[Math.round((i * last) / Math.max(1, n - 1))],
  );
  const unreadable: string[] = [];
  const read = async (path: string): Promise<Picture | undefined> => {
    try {
      return await embed(await readFile(joinPath(dir, path)));
    } catch {
      unreadable.push(path);
      return undefined;
    }
  };
  const frames: Frame[] = [];
  for (const sample of chosen) {
    const picture = sample && (await read(sample.path));
    if (sample && picture) frames.push({ step: sample.step, ...picture });
  }
  return {
    real: real === undefined ? undefined : await read(real),
    neighbours: neighbours === undefined ? undefined : await read(neighbours),
    frames,
    unreadable,
  };
}
