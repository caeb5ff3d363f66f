import { openRuntime, type LoadedProgram, type Runtime } from "@duelo/runtime";
import type { Context } from "@duelo/zoo";
import { PictureError } from "../data/decode.ts";
import type { Pixels } from "../data/source.ts";
import { functionOnnx, type Trained } from "../export.ts";
import type { PngSize } from "./png-stream.ts";
import type { Tile } from "./tiles.ts";

type Network = Omit<Trained, "info">;

/** Pixels of a tile of the enlarged picture, [C, H, W], and what they mean. */
export interface Enlarged {
  readonly values: Float32Array;
  readonly range: readonly [low: number, high: number];
}

interface Compiled {
  readonly program: LoadedProgram;
  readonly range: readonly [low: number, high: number];
}

/** Each holds all weights; the tiles of a picture have one size. */
const mostPrograms = 2;

/** A run's network that makes pictures larger, compiled for every size of tile that comes. */
export class Enlarger {
  readonly #runtime: Runtime;
  readonly #trained: Network;
  readonly #programs = new Map<string, Compiled>();
  readonly channels: number;
  readonly factor: number;

  private constructor(parts: {
    runtime: Runtime;
    trained: Network;
    channels: number;
    factor: number;
  }) {
    this.#runtime = parts.runtime;
    this.#trained = parts.trained;
    this.channels = parts.channels;
    this.factor = parts.factor;
  }

  /** Undefined where the recipe makes nothing larger. */
  static async open(trained: Network, threads: number | undefined): Promise<Enlarger | undefined> {
    const { recipe, context } = trained;
    const low = recipe.takes(context)["low"];
    if (low === undefined || !Object.hasOwn(recipe.functions(context), "upscale")) return undefined;
    const [, channels = 3, height = 1] = low;
    const factor = (context.shape["x"]?.[1] ?? 1) / height;
    const runtime = await openRuntime(threads === undefined ? {} : { threads });
    return new Enlarger({ runtime, trained, channels, factor });
  }

  /** Of the enlarged picture; alpha stays where there is some, and grey stays grey. */
  sizeOf({ height, width, channels }: Omit<Pixels, "data">): PngSize {
    const isGrey = this.channels === 1 || channels < 3;
    return {
      height: height * this.factor,
      width: width * this.factor,
      channels: channels % 2 === 0 ? (isGrey ? 2 : 4) : isGrey ? 1 : 3,
    };
  }

  /** A part of a picture [C, H, W] at `factor` times its size; beyond its sides it is mirrored. */
  async enlarge(
    picture: { readonly planes: Uint8Array; readonly height: number; readonly width: number },
    { down, across }: { readonly down: Tile; readonly across: Tile },
  ): Promise<Enlarged> {
    const { program, range } = await this.#programFor(down.size, across.size);
    const { channels } = this;
    const data = new Float32Array(channels * down.size * across.size);
    const [ys, xs] = [placesOf(down, picture.height), placesOf(across, picture.width)];
    let to = 0;
    for (let c = 0; c < channels; c++) {
      for (const y of ys) {
        const from = (c * picture.height + y) * picture.width;
        for (const x of xs) data[to++] = (picture.planes[from + x] ?? 0) / 255;
      }
    }
    const shape = [1, channels, down.size, across.size];
    const { upscale } = await program.run({ low: { dtype: "float32", shape, data } });
    if (!(upscale?.data instanceof Float32Array)) throw new TypeError("upscale gives no picture");
    return { values: upscale.data, range };
  }

  async #programFor(height: number, width: number): Promise<Compiled> {
    const key = `${height}x${width}`;
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    for (const [oldest, { program }] of this.#programs) {
      if (this.#programs.size < mostPrograms) break;
      this.#programs.delete(oldest);
      await program.close();
    }
    const { context } = this.#trained;
    const x = [this.channels, height * this.factor, width * this.factor];
    const larger = { ...context, shape: { ...context.shape, x } } as unknown as Context;
    const { bytes, card } = functionOnnx({
      ...this.#trained,
      context: larger,
      function: "upscale",
    });
    const program = await this.#runtime.load(bytes);
    const made = { program, range: card.outputs[0]?.range ?? ([0, 1] as const) };
    this.#programs.set(key, made);
    return made;
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }
}

/** The places of a tile, those beyond an end mirrored at it: … 1 0 0 1 …. */
const placesOf = ({ start, size }: Tile, extent: number): Int32Array =>
  Int32Array.from({ length: size }, (_, i) => {
    const at = (((start + i) % (2 * extent)) + 2 * extent) % (2 * extent);
    return at < extent ? at : 2 * extent - 1 - at;
  });

/** Grey or colours as the network takes them, [C, H, W], from planes of 1 to 4 channels. */
export function planesFor(
  channels: number,
  from: { readonly planes: Uint8Array; readonly channels: number; readonly area: number },
): Uint8Array {
  const { planes, area } = from;
  const alpha = from.channels % 2 === 0;
  const colours = from.channels - (alpha ? 1 : 0);
  const wanted = channels === 4 ? 3 : channels;
  if (wanted === 1 && colours === 3 && !isGrey(planes, area))
    throw new PictureError("has colours, and the run was trained on grey pictures");
  const out = new Uint8Array(channels * area).fill(255);
  for (let c = 0; c < wanted; c++) {
    const plane = colours === 1 ? 0 : c;
    out.set(planes.subarray(plane * area, (plane + 1) * area), c * area);
  }
  if (channels === 4 && alpha) out.set(planes.subarray(colours * area), 3 * area);
  return out;
}

/** Whether three planes are one. */
function isGrey(planes: Uint8Array, area: number): boolean {
  for (let i = 0; i < area; i++)
    if (planes[i] !== planes[area + i] || planes[i] !== planes[2 * area + i]) return false;
  return true;
}
