import {
  besideGrid,
  featureNet,
  openFunction,
  perceptualDistance,
  psnr,
  resizedBicubic,
  ssim,
  toBytes,
  type DataRequest,
  type Pictures,
} from "@duelo/train";
import { mkdirSync, writeFileSync } from "node:fs";
import { budgetText, trainWithin, type PicturesPlan } from "./equal-time.ts";
import { enlargedBySlim } from "./esrgan-slim.ts";
import { photographPatches } from "./photographs.ts";
import { meanOf, readHeldOut, someOf } from "./held-out.ts";
import type { Job } from "./jobs.ts";

/*
 * Emoji, and patches of photographs, at 64x64 from 16x16: how near srgan and esrgan come to pictures that
 * they did not see, in equal CPU time, beside the bicubic filter and a network that others trained on
 * photographs. All start from the same small pictures.
 */
type Enlarge = (small: Pictures, truth: Pictures) => Promise<{ made: Pictures; steps?: number }>;
const [side, scale] = [64, 4] as const;

/** The jobs of the table; every one leaves a picture too: in fours small, bicubic, made and true. */
export function upscalingJobs(o: PicturesPlan): Job[] {
  return (["emoji", "photographs"] as const).flatMap((data) => jobsOf(data, o));
}

/** What a data set is to `train`, and of it what is held against the results. */
interface Material {
  readonly request: { readonly data: string; readonly holdOut?: number };
  readonly truth: Pick<DataRequest, "spec" | "holdOut" | "part">;
}

async function materialOf(data: "emoji" | "photographs", runs: string): Promise<Material> {
  if (data === "emoji") {
    const request = { data, holdOut: 0.1 };
    return { request, truth: { spec: data, holdOut: 0.1, part: "heldOut" } };
  }
  const { train, held } = await photographPatches(`${runs}/upscaling/patches`, side);
  return { request: { data: train }, truth: { spec: held } };
}

function jobsOf(data: "emoji" | "photographs", o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  const trained = seeds.flatMap((seed) =>
    ["srgan", "esrgan"].map((recipe) => ({
      ...{ row: recipe, seed, budget: budgetText(o.budget) },
      enlarge: (material: Material) => byRecipe({ recipe, seed, o, material, name: data }),
    })),
  );
  const asTheyAre = [
    {
      row: "bicubic",
      make: async (small: Pictures) => resizedBicubic(small, { height: side, width: side }),
    },
    { row: "esrgan-slim", make: enlargedBySlim },
  ].map(({ row, make }) => {
    const enlarge: Enlarge = async (small) => ({ made: await make(small) });
    return { row, seed: 1, budget: "none", enlarge: () => enlarge };
  });
  return [...asTheyAre, ...trained].map(({ row, seed, budget, enlarge }) => ({
    ...{ table: "upscaling", row, data, seed, budget },
    async run() {
      const material = await materialOf(data, o.runs);
      const wanted = { ...material.truth, channels: 3, cacheDir: o.cacheDir } as const;
      const { x: truth } = await readHeldOut(wanted, { side, most: o.nSamples });
      return judged({ enlarge: enlarge(material), truth, o, picture: `${data}-${row}-${seed}` });
    },
  }));
}

const byRecipe =
  (p: {
    recipe: string;
    seed: number;
    o: PicturesPlan;
    material: Material;
    name: string;
  }): Enlarge =>
  async (_, truth) => {
    const runs = `${p.o.runs}/upscaling/${p.name}-${p.recipe}`;
    const { dir, steps } = await trainWithin(p.o.budget, {
      ...{ ...p.material.request, recipe: p.recipe, height: side, width: side, channels: 3 },
      ...{ seed: p.seed, runs, cacheDir: p.o.cacheDir },
    });
    const f = await openFunction({ runs, run: dir, threads: 1 });
    const { samples } = await f.call({
      x: { dtype: "uint8", shape: truth.shape, data: Uint8Array.from(truth.data) },
    });
    const range = f.card.outputs[0]?.range ?? [0, 1];
    await f.close();
    const data = toBytes(Float32Array.from(samples?.data ?? []), range);
    return { made: { shape: truth.shape, data }, steps };
  };

async function judged(o: {
  readonly enlarge: Enlarge;
  readonly truth: Pictures;
  readonly o: PicturesPlan;
  readonly picture: string;
}): Promise<{ judge: string; scores: Record<string, number> }> {
  const { truth } = o;
  const { cacheDir, runs } = o.o;
  const small = resizedBicubic(truth, { height: side / scale, width: side / scale });
  const { made, steps } = await o.enlarge(small, truth);
  const net = await featureNet({ name: "emoji-classifier", cacheDir, threads: 1 });
  const [of, ofTruth] = [await maps(net, made), await maps(net, truth)];
  await net.close();
  const layers = of.map((map, i) => ({ a: map, b: ofTruth[i] ?? map }));
  const pair = { a: made, b: truth, range: 255 };
  mkdirSync(`${runs}/upscaling`, { recursive: true });
  const shown = [small, resizedBicubic(small, { height: side, width: side }), made, truth].map(
    (p) => someOf(p, 8),
  );
  writeFileSync(`${runs}/upscaling/${o.picture}.png`, await besideGrid(shown));
  return {
    judge: "emoji-classifier",
    scores: {
      ...(steps === undefined ? {} : { steps }),
      ...meanOf("psnr", psnr(pair)),
      ...meanOf("ssim", ssim(pair)),
      ...meanOf("perceptual", perceptualDistance(layers)),
    },
  };
}

const maps = (net: Awaited<ReturnType<typeof featureNet>>, { shape, data }: Pictures) =>
  net.activations({ shape, pixels: Uint8Array.from(data) });
