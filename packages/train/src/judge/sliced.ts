import { slicedDistance } from "../metrics/sliced.ts";
import { around, floorPictures } from "./floor.ts";
import type { Metric } from "./metric.ts";
import { picturesOf } from "./side.ts";

const numbersAtOnce = 2 ** 25; // pixels of a set that are held in float64

const resamples = 20;

export const sliced: Metric = {
  name: "sliced",
  aliases: ["swd"],
  title: "Sliced Wasserstein distance",
  about:
    "How differently small patches look at each size, without any network: it sees texture, not arrangement. The mean over the sizes, times 1,000.",
  better: "lower",
  needs: ["images"],
  leastRows: 4,
  leastPixels: 16,
  onRequest: true,
  async compute(evidence) {
    const { generated, reference, seed, brief } = evidence;
    const [real, fake] = [picturesOf(reference), picturesOf(generated)];
    const size = real.shape[1] * real.shape[2] * real.shape[3];
    const floorSides = floorPictures(evidence);
    // The distance falls with the number of pictures: as many for the value as there are for the floor.
    const fewest = Math.min(floorSides.real.shape[0], floorSides.fake.shape[0]);
    const pictures = Math.min(512, fewest, Math.max(16, Math.floor(numbersAtOnce / size)));
    const asked = { pictures, seed };
    const own = slicedDistance({ real, fake, ...asked, ...(brief ? {} : { resamples }) });
    const { name: metric, title } = this;
    const [nGenerated, nReference] = [own.pictures, own.pictures];
    const base = {
      metric,
      title,
      better: "lower",
      value: own.mean,
      nGenerated,
      nReference,
    } as const;
    if (brief) return [base];
    const floor = slicedDistance({ ...floorSides, ...asked });
    const interval = around(own.mean, { standardError: own.standardError ?? 0, resamples });
    return [{ ...base, interval, floor: floor.mean }];
  },
};
