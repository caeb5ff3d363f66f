import { UserError } from "@duelo/core";
import { mkdir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { decodeWhole, type Header } from "../data/decode.ts";
import type { Pixels, Skipped } from "../data/source.ts";
import { readTrained } from "../export.ts";
import {
  eachPicture,
  pictureJobs,
  tellSkipped,
  type PictureJob,
  type PictureRequest,
} from "../picture-files.ts";
import { onDisk } from "../run/disk-failure.ts";
import { commitFile, nodeFileSystem } from "../run/file-system.ts";
import { Enlarger } from "./enlarger.ts";
import { PngStream } from "./png-stream.ts";
import { enlargedStrips, usual, type Tools } from "./strips.ts";

export interface UpscaleRequest extends PictureRequest {
  /** How many times as large; what the run was trained for, which is 4, unless said otherwise. */
  readonly scale?: number;
  /** Pixels of the input beyond what is kept of a tile, on each side; 16 unless said otherwise. */
  readonly overlap?: number;
  /** Most pixels along a side of a tile of the input; 200 unless said otherwise. */
  readonly tile?: number;
}

export interface Upscaled {
  /** Folder of the run. */
  readonly dir: string;
  readonly written: readonly string[];
  /** Pictures that could not be read, and why. */
  readonly skipped: readonly Skipped[];
}

interface Hooks {
  /** Pictures, or of a single one its tiles. */
  progress?(done: number, total: number): void;
  note?(line: string): void;
  signal?: AbortSignal;
}

/**
 * Makes a picture or all pictures of a folder larger by a run of `srgan` or `esrgan`. Pictures of any size
 * are cut into tiles that overlap and written row by row, so memory is that of the picture and of a row of
 * tiles. Grey stays grey, and alpha is kept, enlarged by a bicubic filter. Each file is written whole or not at all. Throws
 * UserError when the run makes nothing larger, or when none of the pictures can be read.
 */
export async function upscaleRun(request: UpscaleRequest, hooks: Hooks = {}): Promise<Upscaled> {
  const { jobs, skipped } = pictureJobs(request.input, request.out);
  tellSkipped(skipped, hooks.note);
  const { tools, dir } = await openTools(request);
  const { progress, signal } = hooks;
  const ofTiles = jobs.length === 1 && progress !== undefined ? { progress } : {};
  const one = { ...tools, ...ofTiles, ...(signal === undefined ? {} : { signal }) };
  const { progress: _, ...quiet } = hooks;
  try {
    const { made: written, skipped: unread } = await eachPicture(
      jobs,
      jobs.length === 1 ? quiet : hooks,
      async (job, encoded, header) => {
        await upscaled({ job, encoded, header }, one);
        return job.out;
      },
    );
    return { dir, written, skipped: [...skipped, ...unread] };
  } finally {
    await tools.enlarger.close();
  }
}

async function openTools(request: UpscaleRequest) {
  const { overlap = usual.overlap, tile: most = usual.most } = request;
  if (most < 2 * overlap + 1)
    throw new UserError(
      `An overlap of ${overlap} pixels on each side leaves nothing of a tile of ${most}. Choose ${Math.floor((most - 1) / 2)} or less.`,
    );
  const { runs = "runs", run, best, recipe, scale } = request;
  const trained = await readTrained({
    ...{ runs, run },
    ...(best === undefined ? {} : { best }),
    ...(recipe === undefined ? {} : { recipe }),
  });
  const { name, dir } = trained.info;
  const enlarger = await Enlarger.open(trained, request.threads);
  if (enlarger === undefined)
    throw new UserError(
      `Run ${name} (${trained.recipe.name}) does not make pictures larger. Train one with: duelo train esrgan`,
    );
  const { factor } = enlarger;
  if (scale === undefined || scale === factor) return { tools: { enlarger, most, overlap }, dir };
  await enlarger.close();
  throw new UserError(
    `Run ${name} makes pictures ${factor} times as large, not ${scale}. Leave out --scale.`,
  );
}

/** Makes one picture larger, from file to file. Throws PictureError with the reason why it cannot. */
async function upscaled(
  { job, encoded, header }: { job: PictureJob; encoded: Uint8Array; header: Header },
  tools: Tools,
): Promise<void> {
  const decoded = await decodeWhole(encoded, { height: 1, width: 1 });
  const picture = header.grey ? asGrey(decoded) : decoded;
  const strips = enlargedStrips(picture, tools);
  const size = tools.enlarger.sizeOf(picture);
  const [dir, name] = [dirname(resolve(job.out)), basename(job.out)];
  const first = await strips.next(); // before anything is written, what cannot be used says so
  await onDisk(
    { task: `write ${job.out}`, safe: "What was written before is whole." },
    async () => {
      await mkdir(dir, { recursive: true });
      await commitFile(nodeFileSystem, { dir, name }, async (file) => {
        const png = await PngStream.begin(file, size);
        try {
          if (first.done !== true) await png.rows(first.value);
          for await (const strip of strips) await png.rows(strip);
          await png.end();
        } catch (error) {
          png.abandon();
          throw error;
        }
      });
    },
  );
}

/** A picture whose colours are alike, with one of them, and with its alpha where it has some. */
function asGrey({ data, height, width, channels }: Pixels): Pixels {
  if (channels < 3) return { data, height, width, channels };
  const kept = channels === 4 ? [0, 3] : [0];
  const grey = new Uint8Array(height * width * kept.length);
  for (let i = 0; i < height * width; i++)
    for (const [k, c] of kept.entries()) grey[i * kept.length + k] = data[i * channels + c] ?? 0;
  return { data: grey, height, width, channels: kept.length };
}
