import { appendFile, readFile } from "node:fs/promises";
import { z } from "zod";
import { onDisk } from "../run/disk-failure.ts";
import { commitFile, nodeFileSystem, unlessMissing, writeAll } from "../run/file-system.ts";

const side = z.object({
  name: z.string(),
  n: z.number(),
  shape: z.array(z.number()).readonly(),
  resizer: z.string(),
  split: z.string().optional(),
  /** Digest of the samples. */
  key: z.string(),
});

const score = z.object({
  metric: z.string(),
  title: z.string(),
  value: z.number(),
  better: z.enum(["lower", "higher", "neither"]),
  interval: z.tuple([z.number(), z.number()]).readonly().optional(),
  floor: z.number().optional(),
  likeFloor: z.number().optional(),
  nFloor: z.number().optional(),
  given: z.number().optional(),
  change: z.tuple([z.number(), z.number()]).readonly().optional(),
  nGenerated: z.number(),
  nReference: z.number(),
});

const schema = z.object({
  /** Training steps behind the samples, where a run made them. */
  step: z.number().optional(),
  generated: side,
  reference: side,
  heldOut: side.optional(),
  /** Samples were held against what each of them should be. */
  pairs: z.literal(true).optional(),
  features: z.object({
    name: z.string(),
    about: z.string(),
    resizer: z.string(),
    digest: z.string().optional(),
  }),
  seed: z.number(),
  scores: z.array(score).readonly(),
  /** What the numbers say, in plain words. */
  verdict: z.array(z.string()).readonly(),
  notes: z.array(z.string()).readonly(),
});

/** All that was found about samples, and all that it takes to repeat it. */
export type Judgement = z.infer<typeof schema>;

export const judgementsName = "metrics.jsonl";
export const neighboursName = "neighbours.png";

/** Adds a judgement to those of a run, and keeps its picture of neighbours. @throws FailureError */
export async function appendJudgement(
  dir: string,
  judgement: Judgement,
  picture: Uint8Array | undefined,
): Promise<void> {
  const path = `${dir}/${judgementsName}`;
  await onDisk({ task: `write ${path}`, safe: "The run itself is safe." }, async () => {
    await appendFile(path, `${JSON.stringify(judgement)}\n`);
    if (picture === undefined) return;
    await commitFile(nodeFileSystem, { dir, name: neighboursName }, (file) =>
      writeAll(file, picture, 0),
    );
  });
}

/** The judgements of a run, oldest first; lines that are none are passed over. */
export async function readJudgements(dir: string): Promise<Judgement[]> {
  const text = (await unlessMissing(readFile(`${dir}/${judgementsName}`, "utf8"))) ?? "";
  return text.split("\n").flatMap((line) => {
    try {
      return schema.parse(JSON.parse(line));
    } catch {
      return [];
    }
  });
}
