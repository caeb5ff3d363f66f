import { suggestion, UserError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import sharp from "sharp";
import { decodeWhole, toRecord, type Target } from "./data/decode.ts";
import type { Pixels, Skipped } from "./data/source.ts";
import { labelsFor } from "./draw-inputs.ts";
import type { FunctionInput } from "./function-card.ts";
import { readTrained } from "./export.ts";
import { functionOfTrained, type OpenFunction } from "./open-function.ts";
import {
  eachPicture,
  pictureJobs,
  targetOf,
  tellSkipped,
  type PictureRequest,
} from "./picture-files.ts";
import { writeWhole } from "./writing.ts";
import { recoloured } from "./recolour.ts";
import { encodeImages } from "./report/grid.ts";

export interface TranslateRequest extends PictureRequest {
  /** Where to: `A` or `B`, or the name of a domain; B unless said otherwise. */
  readonly to?: string;
  /** Colours: the picture keeps its own size and lightness, and only its colours are made. */
  readonly colours?: true;
  /** Of noise that the network takes; every picture gets the same. 0 unless said otherwise. */
  readonly seed?: number;
}

export interface Translated {
  /** Folder of the run. */
  readonly dir: string;
  readonly written: readonly string[];
  /** Pictures that could not be read, and why. */
  readonly skipped: readonly Skipped[];
}

/**
 * Translates a picture or all pictures of a folder by a run. Each is fitted to the network's size as
 * the run's data was; each file is written whole or not at all. Throws UserError when the run
 * translates nothing, when there is no such domain, or when none of the pictures can be read.
 */
export async function translateRun(
  request: TranslateRequest,
  hooks: {
    progress?(done: number, total: number): void;
    note?(line: string): void;
    signal?: AbortSignal;
  } = {},
): Promise<Translated> {
  const { jobs, skipped } = pictureJobs(request.input, request.out);
  tellSkipped(skipped, hooks.note);
  const { f, feeds, image } = await openDirection(request);
  const o = { f, feeds, image, request, stop: hooks.signal ? { signal: hooks.signal } : {} };
  try {
    const { made: written, skipped: unread } = await eachPicture(
      jobs,
      hooks,
      async (job, encoded) => {
        await writeWhole(job.out, await translated(encoded, o));
        return job.out;
      },
    );
    return { dir: f.run.dir, written, skipped: [...skipped, ...unread] };
  } finally {
    await f.close();
  }
}

interface Direction {
  readonly f: OpenFunction;
  readonly image: FunctionInput;
  /** What is fed beside the picture. */
  readonly feeds: Readonly<Record<string, HostTensor>>;
}

async function openDirection(request: TranslateRequest): Promise<Direction> {
  const { to, colours } = request;
  const trained = await readTrained({ runs: "runs", ...request });
  const { recipe, context, info } = trained;
  const functions = Object.keys(recipe.functions(context));
  const there = (name: string): boolean => functions.includes(name);
  if (there("upscale"))
    throw new UserError(
      `Run ${info.name} (${recipe.name}) makes pictures larger: duelo upscale does that.`,
    );
  let name = "sample";
  if (colours === true && there("colours")) name = "colours";
  else if (to === "A" && there("toA")) name = "toA";
  const f = await functionOfTrained(trained, { function: name, threads: request.threads });
  try {
    return directionOf(f, request, there("toA") ? ["A", "B"] : ["B"]);
  } catch (error) {
    await f.close();
    throw error;
  }
}

function directionOf(
  f: OpenFunction,
  { to, colours }: TranslateRequest,
  domains: readonly string[],
): Direction {
  const { inputs, classes, recipe, function: name } = f.card;
  const images = inputs.filter((i) => i.kind === "image");
  const [image] = images;
  if (image === undefined || images.length > 1)
    throw new UserError(
      `Run ${f.run.name} (${recipe}) makes pictures from noise and translates none. Name a run of pix2pix, cyclegan, discogan or stargan.`,
    );
  if (colours === true && name !== "colours")
    throw new UserError(
      `Run ${f.run.name} (${recipe}) does not colour pictures. Train one with: duelo train pix2pix --derive grey --set colour=lab`,
    );
  const label = inputs.find((i) => i.kind === "label" && i.ofRecord === undefined);
  if (label !== undefined) {
    if (to === undefined)
      throw new UserError(`Say where to with --to. Domains: ${classes.join(", ")}.`);
    const domain = { dtype: "int32", shape: [1], data: labelsFor([0], to, classes) } as const;
    return { f, image, feeds: { [label.name]: domain } };
  }
  if (to !== undefined && domains.length === 1 && to !== "B")
    throw new UserError(`Run ${f.run.name} (${recipe}) goes to B alone. Leave out --to.`);
  if (to !== undefined && !domains.includes(to))
    throw new UserError(
      `Run ${f.run.name} goes to ${domains.join(" or ")}, not to "${to}".${suggestion(to, domains)}`,
    );
  return { f, image, feeds: {} };
}

/** What becomes of an encoded picture, as PNG. */
async function translated(
  encoded: Uint8Array,
  o: Direction & { request: TranslateRequest; stop: { readonly signal?: AbortSignal } },
): Promise<Uint8Array> {
  const { image, f, request } = o;
  const fitted = targetOf(f.run, image.shape);
  const target: Target = request.colours === true ? { ...fitted, fit: "stretch" } : fitted;
  const { height, width } = target;
  const picture = await decodeWhole(encoded, target);
  const data = await toRecord({ pixels: picture }, target);
  const fed: HostTensor = { dtype: "uint8", shape: [1, ...image.shape], data };
  const { seed = 0 } = request;
  const results = await f.call({ ...o.feeds, [image.name]: fed }, { ...o.stop, seed });
  const [result] = Object.values(results);
  if (!(result?.data instanceof Float32Array)) throw new TypeError("the function gives no picture");
  if (request.colours === true) {
    const colours = { ab: result.data, height, width };
    return png(recoloured({ picture, colours }));
  }
  const [n = 1, c = 3, h = 1, w = 1] = result.shape;
  const range = f.card.outputs[0]?.range ?? [-1, 1];
  const [bytes] = await encodeImages({ pixels: result.data, shape: [n, c, h, w], range });
  if (bytes === undefined) throw new TypeError("one picture gives one PNG");
  return bytes;
}

const png = ({ data, height, width, channels }: Pixels): Promise<Uint8Array> =>
  sharp(data, { raw: { height, width, channels: channels === 4 ? 4 : 3 } })
    .png()
    .toBuffer();
