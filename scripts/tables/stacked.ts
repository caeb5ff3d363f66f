import { classScores, featureNet, sampleRun, stackedLabels, toBytes } from "@duelo/train";
import type { OptionValue, Recipe } from "@duelo/zoo";
import { budgetText, narrow, trainWithin, type PicturesPlan } from "./equal-time.ts";
import type { Job } from "./jobs.ts";
import { withNetsOf } from "./nets.ts";

/*
 * Stacked Fashion-MNIST by the protocol of stacked MNIST (Metz et al. 2016, Section 3.3.1; PacGAN,
 * Section 4.2): a grey picture in each channel, 1,000 classes, 26,000 samples, each channel's class
 * by a classifier of grey pictures. Every recipe has as much CPU time as the others.
 */
interface Row {
  readonly name: string;
  readonly recipe: string | Recipe;
  readonly set: Readonly<Record<string, OptionValue>>;
}
const rows: readonly Row[] = [
  { name: "dcgan", recipe: "pacgan", set: { ...narrow.dcgan, pack: 1 } },
  { name: "pacgan 2", recipe: "pacgan", set: { ...narrow.dcgan, pack: 2, batch: 128 } },
  { name: "wgan-gp", recipe: "wgan-gp", set: narrow.wganGp },
  { name: "r3gan", recipe: withNetsOf("wgan-gp", "r3gan"), set: narrow.r3gan },
];
const [nSamples, nChannels, nClasses] = [26_000, 3, 10] as const;
const data = "stacked-fashion";

/** The jobs of the table, seed by seed. */
export function stackedJobs(o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  return seeds.flatMap((seed) =>
    rows.map(({ name, recipe, set }) => ({
      ...{ table: "stacked", row: name, data, seed, budget: budgetText(o.budget) },
      async run() {
        const runs = `${o.runs}/stacked/${name.replace(" ", "-")}`;
        const { dir, steps } = await trainWithin(o.budget, {
          ...{ recipe, set, data, height: 28, width: 28, seed, runs, cacheDir: o.cacheDir },
        });
        const n = o.nSamples ?? nSamples;
        const { pixels, range = [0, 255] } = await sampleRun({
          ...{ runs, run: dir, n, seed },
          ...(typeof recipe === "string" ? {} : { recipe }),
        });
        const { judge, labels } = await classesOf(toBytes(pixels, range), o);
        const { modes, kl } = classScores({ labels, nClasses: nClasses ** nChannels });
        return { judge, scores: { steps, modes, kl } };
      },
    })),
  );
}

/** The classes of stacked pictures, [n, 3, 28, 28] as bytes: each channel is a picture to the classifier. */
async function classesOf(
  pixels: Uint8Array,
  { cacheDir }: { readonly cacheDir: string },
): Promise<{ readonly judge: string; readonly labels: Int32Array }> {
  const net = await featureNet({ name: "fashion-classifier", cacheDir, threads: 1 });
  try {
    const nPictures = pixels.length / (28 * 28);
    const { probabilities } = await net.extract({ pixels, shape: [nPictures, 1, 28, 28] });
    if (probabilities === undefined) throw new TypeError(`${net.name} gives no classes`);
    const { cols, data: p } = probabilities;
    const best = (i: number): number => {
      const row = p.subarray(i * cols, (i + 1) * cols);
      return row.indexOf(Math.max(...row));
    };
    const channels = Array.from({ length: nChannels }, (_, c) =>
      Array.from({ length: nPictures / nChannels }, (__, i) => best(nChannels * i + c)),
    );
    return { judge: net.name, labels: stackedLabels({ channels, nClasses }) };
  } finally {
    await net.close();
  }
}
