import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "@duelo/core";
import { findRun } from "../run/runs.ts";
import { nColours } from "./chart.ts";
import { comparePage, type Moment } from "./compare-page.ts";
import { comparison, momentsOf, sampleAt, type Comparison } from "./comparison.ts";
import { readRun, type RunRecord } from "./run-record.ts";
import { embed } from "./whole-page.ts";
import { demandWritable, writeWhole } from "../writing.ts";

const nMoments = 6;
const maxWidth = 520;

/**
 * Reads runs and what differs between them. Nothing is locked or changed, so runs that are being
 * trained can be compared.
 * @param request.runs the folder of run folders
 * @param request.compare two to six of them, each by number, name, `latest`, or path
 * @param request.out the page to write, if any: one file that asks nothing of any network
 * @throws UserError when there is no such run, or not two to six different ones
 * @throws FailureError when the page cannot be written
 */
export async function compareRuns(request: {
  readonly runs: string;
  readonly compare: readonly string[];
  readonly out?: string;
}): Promise<Comparison> {
  const { runs, compare, out } = request;
  if (out !== undefined) demandWritable(out, "file");
  if (compare.length < 2 || compare.length > nColours) {
    throw new UserError(
      `${compare.length === 1 ? "One run was named" : `${compare.length} runs were named`}; a comparison takes 2 to ${nColours}.`,
    );
  }
  const found = await Promise.all(compare.map((run) => findRun({ root: runs, run })));
  const dirs = found.map((info) => resolve(info.dir));
  const twice = found.find((_, i) => dirs.indexOf(dirs[i] ?? "") !== i);
  if (twice !== undefined)
    throw new UserError(`Run ${twice.name} was named twice. Name different runs.`);
  const records = await Promise.all(dirs.map(readRun));
  const compared = comparison(records);
  if (out !== undefined) await writePage(out, dirs, records, compared);
  return compared;
}

async function writePage(
  out: string,
  dirs: readonly string[],
  records: readonly RunRecord[],
  compared: Comparison,
): Promise<void> {
  const page = comparePage(records, compared, await readMoments(dirs, records));
  await writeWhole(out, new TextEncoder().encode(page.text));
}

async function readMoments(
  dirs: readonly string[],
  records: readonly RunRecord[],
): Promise<Moment[]> {
  const steps = momentsOf(records, nMoments);
  return Promise.all(
    steps.map(async (step) => ({
      step,
      pictures: await Promise.all(
        records.map(async (record, i) => {
          const sample = sampleAt(record, step, steps);
          if (sample === undefined) return undefined;
          const picture = await readFile(join(dirs[i] ?? "", sample.path))
            .then((png) => embed(png, { maxWidth }))
            .catch(() => undefined); // cut short, or being written: left out
          return picture && { step: sample.step, ...picture };
        }),
      ),
    })),
  );
}
